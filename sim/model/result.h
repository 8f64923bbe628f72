/* What a run has measured: plain data, integers until a report divides. Owned by the caller of fsim_run;
 * freed by fsim_result_destroy.
 *
 * A scope is the whole run or one function. Times are ns; integrals are ns x count. Conservation holds in
 * every scope: arrived = completed + rejected_429 + rejected_503 + timed_out + failed + in_system_at_end. */
#ifndef FSIM_MODEL_RESULT_H
#define FSIM_MODEL_RESULT_H

#include "api/function_table.h"
#include "base/histogram.h"
#include "billing/usage.h"
#include "model/scenario.h"

__extension__ typedef __int128 fsim_wide; /* integrals: ns x count over centuries */

typedef enum fsim_cause {
    FSIM_CAUSE_ACCOUNT,
    FSIM_CAUSE_FUNCTION,
    FSIM_CAUSE_MEMORY_QUOTA,
    FSIM_CAUSE_START_RATE,
    FSIM_CAUSE_GATEWAY,
    FSIM_CAUSE_QUEUE_FULL,
    FSIM_CAUSE_COUNT
} fsim_cause;
extern const char *const fsim_cause_names[FSIM_CAUSE_COUNT + 1];

/* A sample of spans. hist is NULL when percentiles are not kept for this scope
 * (FSIM_FUNCTION_HISTOGRAMS_MAX). */
typedef struct fsim_spans {
    uint64_t count;
    fsim_wide sum_ns;
    fsim_ns min_ns, max_ns;
    fsim_histogram *hist;
} fsim_spans;

typedef struct fsim_counts {
    uint64_t arrived, completed, rejected_429, rejected_503, timed_out, failed, in_system_at_end, retries;
    uint64_t throttled[FSIM_CAUSE_COUNT];
    uint64_t cold_triggered, cold_affected;
    uint64_t started, removed, crashed; /* instances */
    uint64_t ejected;                   /* of those, found unhealthy; removed once they are empty */
    /* Sessions: begun; ended after their idle time-out, at the end of their life-time, with their instance;
     * and requests that went to their session's instance, or elsewhere because it was full. */
    uint64_t sessions_started, sessions_expired, sessions_cut, sessions_lost, sessions_followed,
        sessions_elsewhere;
} fsim_counts;

typedef struct fsim_scope {
    fsim_counts n;
    fsim_spans latency;      /* completed requests, arrival to completion */
    fsim_spans latency_cold; /* of those, the cold ones; the warm ones are the difference */
    fsim_spans wait;         /* requests that began execution, arrival to start of execution */
    fsim_spans service;      /* requests that completed: start of execution to completion */
    uint64_t waited;         /* wait > 0 */
    fsim_wide cold_phase_ns[FSIM_COLD_PHASES]; /* sums over cold starts */
    uint64_t cold_phase_count;
    fsim_wide in_execution_ns, in_execution_sq_ns; /* integrals of requests in execution, and of its square */
    uint64_t in_execution_peak;
    fsim_wide starting_ns, busy_ns, idle_ns; /* instance-ns */
    fsim_wide slot_ns; /* of ready instances: time x concurrency; time alone where concurrency is unlimited */
    fsim_wide busy_slot_ns; /* of that in use: requests in execution; busy instances where concurrency is
                               unlimited */
    fsim_wide provisioned_ns;
    uint64_t instances_peak;
    fsim_wide queue_ns;
    uint64_t queue_peak;
    uint64_t latency_above[FSIM_EXCEED_MAX], wait_above[FSIM_EXCEED_MAX];
    uint64_t sessions_at_end; /* bound to an instance when the run ends */
    bool has_sessions;        /* some function of the scope has session affinity */
    bool has_health;          /* … has health checks */
} fsim_scope;

/* What a window counts, of the run or of one function. */
typedef struct fsim_window_row {
    fsim_counts n; /* arrived … timed_out, cold_affected, started, removed */
    uint64_t instances_end;
} fsim_window_row;

typedef struct fsim_window {
    fsim_ns from_ns, to_ns;
    fsim_window_row all;
} fsim_window;

typedef struct fsim_probe {
    fsim_ns at_ns;
    uint64_t in_flight, queued, instances, starting, busy, idle;
} fsim_probe;

/* One row of the time series: counts of [at_ns - step, at_ns], state and averages over it. */
typedef struct fsim_series_row {
    fsim_ns at_ns;
    uint64_t arrived, completed, refused, timed_out, cold, throttled;
    fsim_wide in_execution_ns, queue_ns, starting_ns, busy_ns, idle_ns; /* integrals over the row */
    uint64_t wanted; /* by the scaler, at the end of the row */
} fsim_series_row;

typedef struct fsim_result {
    const char *policy; /* bundle name */
    uint64_t seed;
    fsim_ns horizon_ns; /* end - warm-up */
    fsim_ns end_ns;
    uint64_t digest;
    uint64_t batches, events; /* work done, for the bench */
    fsim_scope total;
    fsim_function_table *functions; /* ids of per_function; includes those the trace named */
    uint32_t function_count;
    uint32_t told_from; /* reports tell of the functions from here on: 1 where function 0 is implied, and not
                           called */
    fsim_scope *per_function;
    fsim_usage *usage;      /* per function */
    fsim_meter_plan meters; /* how usage was metered: fsim_run_options.meters, or the default */
    fsim_usage_hour *hours; /* meters.settle_ns: in the order of the hours */
    uint32_t hour_count;
    fsim_usage_nodes nodes[FSIM_NODE_SIZES_MAX]; /* meters.node_count of them */
    fsim_window *windows; /* window_count rows; window_functions: that times function_count */
    uint32_t window_count;
    fsim_window_row *window_functions; /* [window * function_count + function]; NULL with one function */
    fsim_probe *probes;                /* in the order of run.probe */
    uint32_t probe_count;
    double *occupancy_requests, *occupancy_instances; /* shares; occupancy + 1 entries */
    uint32_t occupancy;
    fsim_series_row *series;
    uint32_t series_count;
    fsim_ns series_step_ns;
    bool nonstationary; /* the pool still grew at the end: see validity, finding 2 */
    /* nodes, when simulated */
    uint32_t node_count;
    fsim_wide node_cpu_busy_ns; /* cores x ns x 1000 */
    fsim_wide node_memory_mb_ns;
    uint32_t node_peak;
    fsim_wide node_ns;
} fsim_result;

#endif
