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

#define FSIM_OPTION_ROW_BILLING                                                                              \
    {                                                                                                        \
        .name = "billing", .letter = 'b', .kind = FSIM_OPTION_TEXT, .operand = "BOOK[,BOOK]",                \
        .help = "price books (default phase1,phase2,phase3)", .setting = "billing"                           \
    }

#define FSIM_OPTION_ROW_MONTH(values)                                                                        \
    {                                                                                                        \
        .name = "month", .kind = FSIM_OPTION_FLAG, .offset = offsetof(values, month),                        \
        .help = "bills of a month of 30 days of the same, for free parts and tiers"                          \
    }

#define FSIM_OPTION_ROW_REPLICATIONS                                                                         \
    {                                                                                                        \
        .name = "replications", .letter = 'r', .kind = FSIM_OPTION_COUNT, .operand = "N",                    \
        .help = "repeat with other seeds: means and 95 % half widths", .setting = "run.replications",        \
        .min = 1, .max = FSIM_REPLICATIONS_MAX                                                               \
    }

#define FSIM_OPTION_ROW_UNTIL                                                                                \
    {                                                                                                        \
        .name = "until", .kind = FSIM_OPTION_SPAN, .operand = "SPAN",                                        \
        .help = "end of the run (default: when the last request has left)", .setting = "run.until"           \
    }

#define FSIM_OPTION_ROW_THREADS(values)                                                                      \
    {                                                                                                        \
        .name = "threads", .letter = 'j', .kind = FSIM_OPTION_COUNT, .offset = offsetof(values, threads),    \
        .operand = "N", .help = "runs at a time (default: one per core); changes no byte", .min = 1,         \
        .max = FSIM_THREADS_MAX                                                                              \
    }

#define FSIM_OPTION_ROW_OUT(values)                                                                          \
    {                                                                                                        \
        .name = "out", .letter = 'o', .kind = FSIM_OPTION_TEXT, .offset = offsetof(values, out),             \
        .operand = "DIR|none", .help = "folder for the results (default results/<name>)",                    \
        .more = "several policies: a folder for each inside"                                                 \
    }

#define FSIM_OPTION_ROW_PLOT(values)                                                                         \
    {                                                                                                        \
        .name = "plot", .kind = FSIM_OPTION_FLAG, .offset = offsetof(values, plot),                          \
        .help = "pictures in the results folder (gnuplot)"                                                   \
    }

#define FSIM_OPTION_ROW_QUIET(values)                                                                        \
    {                                                                                                        \
        .name = "quiet", .letter = 'q', .kind = FSIM_OPTION_FLAG, .offset = offsetof(values, quiet),         \
        .help = "nothing on stderr but errors"                                                               \
    }

/* Text, JSON and so on. */
#define FSIM_OPTION_ROW_FORMAT(values, names)                                                                \
    {                                                                                                        \
        .name = "format", .kind = FSIM_OPTION_CHOICE, .offset = offsetof(values, format),                    \
        .operand = "FORMAT", .help = "form of the output", .choices = names                                  \
    }

#endif
