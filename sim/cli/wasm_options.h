/* Options of the commands that run Wasm modules: the backend and the limits on a guest. The struct of the
 * command has a field `wasm` of this type. */
#ifndef FSIM_CLI_WASM_OPTIONS_H
#define FSIM_CLI_WASM_OPTIONS_H

#include "cli/command.h"
#include "cli/worker.h"

typedef struct fsim_wasm_values {
    int backend; /* fsim_backend */
    fsim_ns cpu_ns, wall_ns;
    int64_t memory_mb, output_kb;
} fsim_wasm_values;

#define FSIM_OPTION_ROWS_WASM(values)                                                                        \
    {.name = "backend",                                                                                      \
     .kind = FSIM_OPTION_CHOICE,                                                                             \
     .offset = offsetof(values, wasm.backend),                                                               \
     .operand = "NAME",                                                                                      \
     .help = "runtime",                                                                                      \
     .choices = fsim_backend_names},                                                                         \
        {.name = "cpu-limit",                                                                                \
         .kind = FSIM_OPTION_SPAN,                                                                           \
         .offset = offsetof(values, wasm.cpu_ns),                                                            \
         .operand = "SPAN",                                                                                  \
         .help = "CPU time of a call (default 2s)"},                                                         \
        {.name = "wall-limit",                                                                               \
         .kind = FSIM_OPTION_SPAN,                                                                           \
         .offset = offsetof(values, wasm.wall_ns),                                                           \
         .operand = "SPAN",                                                                                  \
         .help = "time of a call (default 5s)"},                                                             \
        {.name = "memory-limit",                                                                             \
         .kind = FSIM_OPTION_COUNT,                                                                          \
         .offset = offsetof(values, wasm.memory_mb),                                                         \
         .operand = "MB",                                                                                    \
         .help = "linear memory of an instance (default 64)",                                                \
         .min = 1,                                                                                           \
         .max = 4096},                                                                                       \
    {                                                                                                        \
        .name = "output-limit", .kind = FSIM_OPTION_COUNT, .offset = offsetof(values, wasm.output_kb),       \
        .operand = "KB", .help = "what a call may write (default 64)", .min = 1, .max = 1 << 20              \
    }

/* The limits that were asked for; what was not is that of fsim_worker_default_limits. The process around an
 * instance may hold 192 MB beside its linear memory. */
fsim_worker_limits fsim_wasm_limits(const fsim_wasm_values *values);

/* The module as a user gave it, looked at before a runtime is asked for: errors of fsim_wasm_check, and those
 * of reading it. */
fsim_status fsim_wasm_check_file(const char *path, const fsim_worker_limits *limits, fsim_error *err);

#endif
