/* The engine from outside: one call simulates one scenario with one seed. Runs are independent: any number
 * may run on any threads. */
#ifndef FSIM_MODEL_RUN_H
#define FSIM_MODEL_RUN_H

#include "model/live.h"
#include "model/result.h"

/* One finished request, for per-request output. Refused and timed-out requests have start_ns = FSIM_NEVER. */
typedef enum fsim_outcome {
    FSIM_COMPLETED,
    FSIM_REJECTED_429,
    FSIM_REJECTED_503,
    FSIM_TIMED_OUT,
    FSIM_FAILED,
    FSIM_IN_SYSTEM,
    FSIM_REJECTED_432 /* a quota, where the platform answers 432; counted as rejected_429 */
} fsim_outcome;
typedef struct fsim_request_row {
    fsim_ns arrival_ns, start_ns, end_ns;
    fsim_fn_id fn;
    const fsim_function_table
        *functions;    /* where fn has its name: the run's own table, which a trace may extend */
    uint32_t instance; /* FSIM_UNLIMITED: none */
    bool cold;
    uint32_t retries;
    fsim_outcome outcome;
} fsim_request_row;

typedef struct fsim_run_options {
    uint64_t seed;
    /* Per finished request, in order of the end; NULL: none. Returning a failure ends the run with it. */
    fsim_status (*on_request)(void *user, const fsim_request_row *row, fsim_error *err);
    /* Called between batches and after the last one, at most every few milliseconds of work: simulated now,
     * share of the input (or -1). Return false to stop: the run ends as if `until` were now. NULL: none. */
    bool (*on_progress)(void *user, fsim_ns now_ns, double share, uint64_t arrived);
    /* Each decision of a scaler; NULL: none. */
    void (*on_decision)(void *user, fsim_fn_id fn, const fsim_scale_view *view,
                        const fsim_scale_decision *decision);
    void *user;
    const fsim_live_ops *live; /* real instances instead of drawn times; NULL: a simulation */
    bool draw_all; /* durations in the workload play no part: each is drawn from its function's service */
    const fsim_meter_plan *meters; /* the roundings that the price books need (fsim_price_book_require); NULL:
                                      fsim_meter_plan_default */
    /* Threads for this one run, where its functions do not depend on each other; 0: one per core. What comes
     * out is the same for any number. */
    uint32_t threads;
    bool no_short_way; /* every request by the general way: to test that the short one agrees with it */
    bool no_metering;  /* leave usage empty: for measuring what metering costs */
} fsim_run_options;

/* Simulates. On failure *out is NULL and err says what and where (workload data: FSIM_EDATA with line). */
fsim_status fsim_run(fsim_result **out, const fsim_scenario *scenario, const fsim_run_options *options,
                     fsim_error *err);
void fsim_result_destroy(fsim_result *result); /* NULL allowed */

/* How many threads are made where `threads` are asked for: 0 stands for one per core, and there are
 * FSIM_THREADS_MAX at most. */
uint32_t fsim_threads(uint32_t threads);

/* Several runs on `threads` threads (fsim_threads). job(user, i) is called once for each i in [0, count),
 * on any thread; it must touch only what belongs to i. Returns when all are done. */
void fsim_parallel(uint32_t threads, uint32_t count, void (*job)(void *user, uint32_t i), void *user);

#endif
