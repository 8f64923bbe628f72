/* What commands that simulate have in common: where the scenario comes from and which of its keys have an
 * option of their own. The rows go into each command's option table. */
#ifndef FSIM_CLI_LOAD_OPTIONS_H
#define FSIM_CLI_LOAD_OPTIONS_H

#include "cli/command.h"

#define FSIM_OPTION_ROW_SET                                                                                  \
    {                                                                                                        \
        .name = "set", .kind = FSIM_OPTION_SET, .operand = "KEY=VALUE",                                      \
        .help = "set any key of the scenario; repeatable",                                                   \
        .more = "dots between keys, functions by name or [index]:\n"                                         \
                "functions.fn.service.mean=20ms  platform.account_concurrency=100\n"                         \
                "none switches a limit off"                                                                  \
    }

#define FSIM_OPTION_ROW_SEED                                                                                 \
    {                                                                                                        \
        .name = "seed", .kind = FSIM_OPTION_COUNT, .operand = "N",                                           \
        .help = "random seed (default 1): the same seed, the same bytes", .setting = "run.seed", .min = 0,   \
        .max = INT64_MAX                                                                                     \
    }

#define FSIM_OPTION_ROW_FUNCTIONS(values)                                                                    \
    {                                                                                                        \
        .name = "functions", .kind = FSIM_OPTION_TEXT, .offset = offsetof(values, functions),                \
        .operand = "FILE", .help = "JSON array of functions that the workload calls"                         \
    }

/* Text, JSON and so on. */
#define FSIM_OPTION_ROW_FORMAT(values, names)                                                                \
    {                                                                                                        \
        .name = "format", .kind = FSIM_OPTION_CHOICE, .offset = offsetof(values, format),                    \
        .operand = "FORMAT", .help = "form of the output", .choices = names                                  \
    }

#endif
