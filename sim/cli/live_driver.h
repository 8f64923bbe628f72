/* The driver of a live run (model/live.h) on the worker of Wasm modules: which processes make up an instance,
 * which call is of which request, which core is whose, and the clock. An instance is one process of the
 * worker; where the policy lets several requests into one, it gets further ones, up to `slots_max`, as they
 * are needed, and calls beyond that wait in line inside of it. A process that dies fails its request and is
 * replaced when the next one comes.
 *
 * At most `cores` calls and starts are at work at a time; more wait in one line, in order of arrival, and
 * whoever has a core keeps it to the end: the node of a scenario with cpu_model "fcfs". With more `cores`
 * than the machine has, its own scheduler decides who goes on. */
#ifndef FSIM_CLI_LIVE_DRIVER_H
#define FSIM_CLI_LIVE_DRIVER_H

#include "base/histogram.h"
#include "cli/machine_load.h"
#include "cli/progress.h"
#include "cli/worker.h"
#include "model/live.h"

typedef struct fsim_live_process {
    uint8_t state; /* live_driver.c */
    bool on_core;
    uint32_t instance; /* UINT32_MAX: released */
    uint32_t request;
    uint32_t next;              /* of the same instance; free list */
    uint32_t behind;            /* in the line for a core */
    int pid;                    /* 0: not ready yet */
    fsim_ns wished_ns, sent_ns; /* its call, on the machine's clock: into the line, out of it */
} fsim_live_process;

typedef struct fsim_live_instance {
    bool alive, ready;
    uint32_t processes, count; /* list */
    uint32_t head, tail;       /* requests in line */
} fsim_live_instance;

/* The way of a request through this machine, on its clock. */
typedef enum fsim_live_part {
    FSIM_LIVE_LATE, /* arrivals and timers: from being due to being handled */
    FSIM_LIVE_LINE, /* for a core */
    FSIM_LIVE_WAKE, /* the call is on its way to the instance */
    FSIM_LIVE_CALL, /* inside the instance */
    FSIM_LIVE_BACK, /* the answer is on its way to fsim */
    FSIM_LIVE_PARTS
} fsim_live_part;

typedef struct fsim_live_spans {
    uint64_t n;
    fsim_ns sum_ns, min_ns, max_ns;
    fsim_histogram histogram;
} fsim_live_spans;

typedef struct fsim_live_driver {
    fsim_worker *worker;
    double speed_up;
    uint32_t slots_max;
    uint32_t cores_free;
    uint32_t line_head, line_tail; /* processes that wait for a core */
    fsim_progress *progress;
    fsim_ns horizon_ns; /* for the progress bar; FSIM_NEVER: unknown */
    fsim_ns began_ns;   /* on the machine's clock; 0: not yet */
    fsim_live_process *processes;
    uint32_t process_count, process_free;
    fsim_live_instance *instances;
    uint32_t instance_count;
    uint32_t *after; /* by request: the next in line inside its instance */
    uint32_t request_count;
    fsim_wasm_message held; /* an event that belongs after what was due */
    bool has_held;
    /* what it has seen */
    uint64_t calls, traps, deaths, cut;
    char last_failure[160];
    fsim_live_spans *parts; /* FSIM_LIVE_PARTS */
    fsim_ns gone_cpu_ns;    /* of processes that have ended */
    fsim_machine_load machine_before;
    double own_before_s;
} fsim_live_driver;

/* Sets up for a worker that has loaded its module; fill `ops` with it. False: out of memory. */
bool fsim_live_driver_begin(fsim_live_driver *driver, fsim_worker *worker, double speed_up, uint32_t cores,
                            fsim_live_ops *ops);
/* Shares of the machine's CPU time since then that went to others, and that its host took away; both -1 where
 * it cannot be told. To be asked while the worker is there. */
void fsim_live_driver_shares(const fsim_live_driver *driver, double *others, double *stolen);
void fsim_live_driver_end(fsim_live_driver *driver);

#endif
