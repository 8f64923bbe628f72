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
                "none switches a limit off; {…} and […] are JSON"                                        \
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

/* How a public trace is read, and how much of any trace: keys of the sources "trace", "csv" and "fst". */
#define FSIM_OPTION_ROWS_TRACE                                                                               \
    {.name = "placement",                                                                                    \
     .kind = FSIM_OPTION_TEXT,                                                                               \
     .operand = "NAME",                                                                                      \
     .help = "where in its bucket a request arrives (default uniform)",                                      \
     .more = "start even stratified uniform exponential poisson",                                            \
     .setting = "workload.placement"},                                                                       \
        {.name = "join",                                                                                     \
         .kind = FSIM_OPTION_TEXT,                                                                           \
         .operand = "inner|lognormal",                                                                       \
         .help = "functions without durations or memory: left out, or the published law",                    \
         .setting = "workload.join"},                                                                        \
        {.name = "durations",                                                                                \
         .kind = FSIM_OPTION_TEXT,                                                                           \
         .operand = "NAME",                                                                                  \
         .help = "how a duration is drawn from percentiles (default fitted)",                                \
         .more = "fitted linear step lognormal mean",                                                        \
         .setting = "workload.durations"},                                                                   \
        {.name = "floor",                                                                                    \
         .kind = FSIM_OPTION_SPAN,                                                                           \
         .operand = "SPAN",                                                                                  \
         .help = "shortest drawn duration (default 1ms)",                                                    \
         .setting = "workload.floor"},                                                                       \
        {.name = "memory-of",                                                                                \
         .kind = FSIM_OPTION_TEXT,                                                                           \
         .operand = "app|function",                                                                          \
         .help = "an instance is as large as its app, or its function's part of it",                         \
         .setting = "workload.memory"},                                                                      \
        {.name = "bucket",                                                                                   \
         .kind = FSIM_OPTION_SPAN,                                                                           \
         .operand = "SPAN",                                                                                  \
         .help = "length of a bucket of a series",                                                           \
         .setting = "workload.bucket"},                                                                      \
        {.name = "values",                                                                                   \
         .kind = FSIM_OPTION_TEXT,                                                                           \
         .operand = "count|rps",                                                                             \
         .help = "what the numbers of a series are",                                                         \
         .setting = "workload.values"},                                                                      \
        {.name = "from",                                                                                     \
         .kind = FSIM_OPTION_SPAN,                                                                           \
         .operand = "SPAN",                                                                                  \
         .help = "begin there in the trace",                                                                 \
         .setting = "workload.from"},                                                                        \
        {.name = "scale-rate",                                                                               \
         .kind = FSIM_OPTION_TEXT,                                                                           \
         .operand = "X",                                                                                     \
         .help = "so many times the requests",                                                               \
         .setting = "workload.scale_rate"},                                                                  \
        {.name = "scale-time",                                                                               \
         .kind = FSIM_OPTION_TEXT,                                                                           \
         .operand = "X",                                                                                     \
         .help = "the time axis stretched so many times",                                                    \
         .setting = "workload.scale_time"},                                                                  \
    {                                                                                                        \
        .name = "functions-top", .kind = FSIM_OPTION_COUNT, .operand = "N",                                  \
        .help = "only the N functions with the most requests", .setting = "workload.functions_top",          \
        .min = 1, .max = UINT32_MAX                                                                          \
    }

/* Of commands whose --until is no end of a run. */
#define FSIM_OPTION_ROW_TO                                                                                   \
    {                                                                                                        \
        .name = "until", .kind = FSIM_OPTION_SPAN, .operand = "SPAN", .help = "end there in the trace",      \
        .setting = "workload.to"                                                                             \
    }

#define FSIM_OPTION_ROW_BILLING                                                                              \
    {                                                                                                        \
        .name = "billing", .letter = 'b', .kind = FSIM_OPTION_LIST, .operand = "BOOK[,BOOK]",                \
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

#define FSIM_OPTION_ROW_WARMUP                                                                               \
    {                                                                                                        \
        .name = "warmup", .kind = FSIM_OPTION_SPAN, .operand = "SPAN", .help = "measure from then on",       \
        .setting = "run.warmup"                                                                              \
    }

#define FSIM_OPTION_ROW_SAMPLE                                                                               \
    {                                                                                                        \
        .name = "sample", .kind = FSIM_OPTION_SPAN, .operand = "SPAN", .help = "step of the time series",    \
        .setting = "run.sample"                                                                              \
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
