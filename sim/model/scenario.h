/* A run, validated: everything the engine needs, as plain data. Made from a configuration tree by
 * io/scenario_load.h; the tree itself stays attached, so that `fsim explain` and manifest.json can say where
 * each value came from. */
#ifndef FSIM_MODEL_SCENARIO_H
#define FSIM_MODEL_SCENARIO_H

#include "api/policy_api.h"
#include "base/limits.h"

typedef enum fsim_binding { FSIM_BIND_EARLY, FSIM_BIND_LATE } fsim_binding;

typedef enum fsim_limit_kind {
    FSIM_LIMIT_NONE,
    FSIM_LIMIT_FIXED,
    FSIM_LIMIT_SLIDING,
    FSIM_LIMIT_BUCKET
} fsim_limit_kind;

/* At most n starts a window (contract additions, "platform.start_rate"). */
typedef struct fsim_start_limit {
    fsim_limit_kind kind;
    int64_t n;
    fsim_ns window_ns;
    int64_t burst,
        initial;       /* BUCKET: capacity and tokens at 0; FIXED: initial = starts of the first window */
    bool per_function; /* else one for the region */
} fsim_start_limit;

typedef struct fsim_retry_plan {
    bool on;
    fsim_dist interval;
    double factor;
    uint64_t attempts;                   /* retries after the first attempt; UINT64_MAX: for ever */
    bool on_429, on_432, on_503, on_504; /* 432: a memory quota that is answered so */
    bool on_failed;                      /* an execution that failed, for whatever reason */
} fsim_retry_plan;

#define FSIM_ERROR_RETRIES_MAX 8u

/* What the platform does with an event (a request of a function with invocation "async"). Refused: again
 * after first_ns, then each time `factor` times as long up to longest_ns, until the event is max_age_ns old.
 * Ended in an error: again after after_error_ns[0], [1] …, `retries` times. */
typedef struct fsim_async_plan {
    bool on;
    uint32_t retries;
    fsim_ns after_error_ns[FSIM_ERROR_RETRIES_MAX];
    fsim_ns first_ns, longest_ns, max_age_ns;
    double factor;
} fsim_async_plan;

/* How requests on one node slow each other down: not at all; all share its vCPUs equally, each at most at
 * full speed; or each takes a core for its CPU time, in order of arrival. */
typedef enum fsim_node_cpu { FSIM_NODE_CPU_NONE, FSIM_NODE_CPU_PS, FSIM_NODE_CPU_FCFS } fsim_node_cpu;

/* A core is away for a while: it serves nobody, and what it has begun goes on afterwards. */
typedef struct fsim_interruption {
    uint32_t node, core; /* core UINT32_MAX: all of the node */
    fsim_ns at_ns, for_ns;
} fsim_interruption;

typedef struct fsim_nodes_plan {
    uint32_t count; /* 0: nodes are not simulated */
    double vcpu;
    int64_t memory_mb;
    fsim_node_cpu cpu_model;
    double price_per_hour; /* 0: not priced */
    /* With FSIM_NODE_CPU_FCFS. */
    const fsim_interruption *interruptions; /* in order of at_ns; may overlap */
    uint32_t interruption_count;
    bool interrupts;                /* and each core, again and again: */
    fsim_dist away_every, away_for; /* from the end of the last one, or t = 0; and its length */
} fsim_nodes_plan;

typedef struct fsim_gateway_plan {
    double rate_per_s, burst; /* rate 0: none */
    bool per_function;        /* key "function"; else one for all */
    double per_concurrency;   /* above 0: a function with reserved concurrency has a rate of its own, so many
                                 requests/s for each; and its provisioned instances take no more than that */
    fsim_ns window_ns;        /* above 0: rate x window requests in each window from t = 0; 0: token bucket */
} fsim_gateway_plan;

#define FSIM_MANIFEST_SCHEMA "fsim.manifest/1" /* what a run leaves behind; holds the scenario in full */

typedef struct fsim_scenario {
    const char *name, *summary;
    const char *base_dir; /* relative files start here */
    fsim_value_pool *pool;
    fsim_value *root; /* the effective tree: defaults, bundle, file, --set */

    const fsim_value *workload;
    const struct fsim_trace
        *trace; /* of the workload, where runs share it (fsim_workload_load_trace); borrowed */
    fsim_function_table
        *functions; /* as declared; a run works on its own copy, which the workload may extend */
    fsim_fn_id default_fn;

    const char *bundle;
    const fsim_scaling_ops *scaling;
    const fsim_keepalive_ops *keepalive;
    const fsim_routing_ops *routing;
    const fsim_admission_ops *admission; /* NULL: none */
    const fsim_provisioned_ops *provisioned;
    void *scaling_params, *keepalive_params, *routing_params, *admission_params, *provisioned_params;
    fsim_binding binding;
    bool cancel_start;

    uint64_t account_concurrency; /* UINT64_MAX: none */
    int64_t memory_quota_mb;      /* INT64_MAX: none */
    bool quota_is_432;            /* the quota is answered 432 instead of 429 */
    uint64_t account_instances;   /* starting and busy ones; UINT64_MAX: none */
    fsim_start_limit start_rate, provisioned_start_rate;
    bool provisioned_together;   /* provisioned instances serve only once all of them are ready */
    bool provisioned_claims;     /* idle ones count towards the limits of the account too */
    int64_t unreserved_mb;       /* of the memory quota; beyond the reach of reserves and of such claims */
    fsim_dist provisioned_delay; /* from asking for more of them during the run to the first start */
    fsim_gateway_plan gateway;
    uint64_t queue_capacity; /* UINT64_MAX: unbounded */
    bool queue_has_timeout;
    fsim_dist queue_timeout;
    double queue_timeout_starts; /* times the function's mean cold start, if that is longer */
    bool queue_timeout_refuses;  /* with 429 instead of 504 */
    fsim_retry_plan retry;
    fsim_async_plan async;
    fsim_nodes_plan nodes;

    const char **books; /* price books to bill by, in order */
    uint32_t book_count;
    uint32_t cpu_threshold_ppm; /* of the configured vCPU: from the book with a threshold; default 5 % */

    uint64_t seed;
    fsim_ns warmup_ns, until_ns; /* until: FSIM_NEVER = until the last request has left */
    uint32_t replications, threads;
    fsim_ns sample_ns; /* step of the time series; 0: chosen */
    bool start_steady;
    fsim_ns windows_every_ns; /* 0: none */
    fsim_ns *probe_at_ns;     /* ascending */
    uint32_t probe_count;
    uint32_t *probe_order; /* probe_order[i]: position in the scenario's list of the i-th instant */
    fsim_ns exceed_latency_ns[FSIM_EXCEED_MAX], exceed_wait_ns[FSIM_EXCEED_MAX];
    uint32_t exceed_latency_count, exceed_wait_count;
    uint32_t occupancy; /* levels; 0: none */
} fsim_scenario;

void fsim_scenario_destroy(fsim_scenario *scenario); /* NULL allowed */

#endif
