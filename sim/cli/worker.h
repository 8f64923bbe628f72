/* fsim's end of the worker that runs Wasm modules (wasm/protocol.h): starts it, sends commands, waits for
 * events. One worker, one module. Not for several threads. */
#ifndef FSIM_CLI_WORKER_H
#define FSIM_CLI_WORKER_H

#include "base/time.h"
#include "wasm/module.h"
#include "wasm/protocol.h"

typedef enum fsim_backend { FSIM_BACKEND_WASMEDGE, FSIM_BACKEND_WASM2C, FSIM_BACKEND_COUNT } fsim_backend;
extern const char *const fsim_backend_names[FSIM_BACKEND_COUNT + 1];

typedef struct fsim_worker_limits {
    fsim_wasm_bounds bounds;
    fsim_ns cpu_ns, wall_ns; /* of one call */
    fsim_ns compile_ns;      /* CPU time */
    uint64_t output_bytes;   /* of one call */
    uint64_t data_bytes;     /* private memory of an instance's process */
} fsim_worker_limits;

/* 1 MB of module, 64 MB of memory, 10,000 table entries, 2 s of CPU, 5 s of time, 64 KB of output. */
extern const fsim_worker_limits fsim_worker_default_limits;

typedef struct fsim_worker {
    fsim_backend backend;
    int control, events;
    int pid;
    int *pipes;        /* call pipe by instance id; -1: none */
    fsim_ns *asked_ns; /* by instance id: the latest start or call */
    uint32_t pipe_count;
    fsim_ns measure_asked_ns;
    uint8_t *held; /* events that were read and not yet given out: [held_from, held_to) */
    size_t held_from, held_to, held_capacity;
    char runtime[256];
} fsim_worker;

/* Is the worker program there? Otherwise FSIM_EIO says how to get it. */
fsim_status fsim_worker_check(fsim_backend backend, fsim_error *err);

/* Starts the worker and greets it. verify: also time compiled code against the interpreter when a module is
 * loaded. On failure nothing is left. */
fsim_status fsim_worker_open(fsim_worker *worker, fsim_backend backend, const fsim_worker_limits *limits,
                             bool verify, fsim_error *err);
void fsim_worker_close(fsim_worker *worker); /* harmless on a closed or zeroed one */

/* Compiles the module, or takes it from the cache, and loads it. *answer: FSIM_WASM_LOADED. */
fsim_status fsim_worker_load(fsim_worker *worker, const char *path, bool again, fsim_wasm_message *answer,
                             fsim_error *err);

/* Asks for a new instance: READY or FAILED with this id comes later. An id may be used again once EXITED
 * came. */
fsim_status fsim_worker_start(fsim_worker *worker, uint32_t id, fsim_error *err);
/* Asks it for a call: RESULT comes later, or EXITED. */
fsim_status fsim_worker_call(fsim_worker *worker, uint32_t id, uint32_t call, fsim_error *err);
/* The instance ends once its present call has: EXITED comes later. */
void fsim_worker_release(fsim_worker *worker, uint32_t id);
/* Ends it at once, its present call too: EXITED comes later. */
fsim_status fsim_worker_kill(fsim_worker *worker, uint32_t id, fsim_error *err);
/* Asks for starts inside one process: PHASES for each round, then MEASURED. */
fsim_status fsim_worker_measure(fsim_worker *worker, uint32_t rounds, bool cold, fsim_error *err);

/* The next event, or *got false at deadline_ns on the monotonic clock (FSIM_NEVER: none) or when a signal
 * came. FSIM_EINTERNAL: the worker is gone. */
fsim_status fsim_worker_wait(fsim_worker *worker, fsim_ns deadline_ns, fsim_wasm_message *out, bool *got,
                             fsim_error *err);
/* The next event of this type; others are dropped, FAILED and the death of an instance by a signal are
 * failures. Waits limit_ns at most. */
fsim_status fsim_worker_expect(fsim_worker *worker, fsim_wasm_type type, fsim_ns limit_ns,
                               fsim_wasm_message *out, fsim_error *err);
/* FAILED and a death by a signal as errors; others are FSIM_OK. */
fsim_status fsim_worker_judge(const fsim_worker *worker, const fsim_wasm_message *event, fsim_error *err);
/* Why an instance ended: "killed by its CPU time limit (SIGXCPU) after 0.201 s of CPU time in 0.205 s", of
 * its CPU time in all and from its latest start or call on. */
enum { FSIM_WORKER_DEATH_MAX = 144 };
void fsim_worker_death(const fsim_worker *worker, const fsim_wasm_message *exited,
                       char out[FSIM_WORKER_DEATH_MAX]);

/* The machine's monotonic clock, which the worker's instants are on. */
fsim_ns fsim_worker_now_ns(void);

#endif
