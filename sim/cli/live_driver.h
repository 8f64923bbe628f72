/* The driver of a live run (model/live.h) on the worker of Wasm modules: which processes make up an instance,
 * which call is of which request, and the clock. An instance is one process of the worker; where the policy
 * lets several requests into one, it gets further ones, up to `slots_max`, as they are needed, and calls
 * beyond that wait in line inside of it. A process that dies fails its request and is replaced when the next
 * one comes. */
#ifndef FSIM_CLI_LIVE_DRIVER_H
#define FSIM_CLI_LIVE_DRIVER_H

#include "cli/progress.h"
#include "cli/worker.h"
#include "model/live.h"

typedef struct fsim_live_process {
    uint8_t state;     /* live_driver.c */
    uint32_t instance; /* or FSIM_LIVE_NONE: released */
    uint32_t request;
    uint32_t next; /* of the same instance; free list */
} fsim_live_process;

typedef struct fsim_live_instance {
    bool alive, ready;
    uint32_t processes, count; /* list */
    uint32_t head, tail;       /* requests in line */
} fsim_live_instance;

typedef struct fsim_live_driver {
    fsim_worker *worker;
    double speed_up;
    uint32_t slots_max;
    fsim_progress *progress;
    fsim_ns horizon_ns; /* for the progress bar; FSIM_NEVER: unknown */
    fsim_ns began_ns;   /* on the machine's clock; 0: not yet */
    fsim_live_process *processes;
    uint32_t process_count, process_free;
    fsim_live_instance *instances;
    uint32_t instance_count;
    uint32_t *after; /* by request: the next in line */
    uint32_t request_count;
    fsim_wasm_message held; /* an event that belongs after what was due */
    bool has_held;
    /* what it has seen */
    uint64_t calls, traps, deaths;
    char last_failure[160];
    fsim_ns lag_max_ns, lag_sum_ns; /* of what was due, on the machine's clock */
    uint64_t due;
} fsim_live_driver;

/* Sets up for a worker that has loaded its module; fill `ops` with it. */
void fsim_live_driver_begin(fsim_live_driver *driver, fsim_worker *worker, double speed_up,
                            fsim_live_ops *ops);
void fsim_live_driver_end(fsim_live_driver *driver);

#endif
