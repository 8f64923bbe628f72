/* What the author of a policy sees. A policy is one file policies/<kind>/<name>.c that defines `const
 * fsim_<kind>_ops fsim_<kind>_<name>`; the build lists it, and with that it has a name in scenarios, a row in
 * `fsim list`, range errors, help and the tests over all policies.
 *
 * Policies return plans; the engine executes them. A plan is a small plain struct read by the engine inline.
 * Only what happens seldom is a call: setting a function up, a sample, a tick, memory pressure. State is
 * state_size bytes per function, zeroed, owned by the engine. No hook can fail, allocate or look at a clock:
 * the same code runs in the simulator, under `fsim decide` and against real instances. Optional hooks are
 * NULL. */
#ifndef FSIM_API_POLICY_API_H
#define FSIM_API_POLICY_API_H

#include "api/function_table.h"
#include "api/metric_series.h"
#include "base/params.h"
#include "base/rng.h"

/* Every ops table starts with this. */
typedef struct fsim_policy_info {
    const char *name, *summary;
    const char *source; /* document and section the rule comes from */
    const fsim_param *params;
    size_t params_size;
    /* Refuses parameters that contradict each other although each is in its range; err gets the text only.
     * NULL: none can. */
    fsim_status (*check)(const void *params, fsim_error *err);
} fsim_policy_info;

/* ---- routing: which of the instances with a free slot takes a request ---- */

typedef enum fsim_route_order {
    FSIM_ROUTE_NEWEST_IDLE, /* used last: latest completion; with several slots latest dispatch or completion
                             */
    FSIM_ROUTE_OLDEST_IDLE, /* used longest ago */
    FSIM_ROUTE_NEWEST_CREATED, /* by the instant the instance was started */
    FSIM_ROUTE_OLDEST_CREATED, /* first available in a fixed order */
    FSIM_ROUTE_ROUND_ROBIN,    /* next in order of creation after the one taken last */
    FSIM_ROUTE_RANDOM,         /* uniform */
    FSIM_ROUTE_LEAST_LOADED,   /* fewest requests inside; ties at random */
    FSIM_ROUTE_MOST_LOADED,    /* most requests inside, among those with a free slot; ties at random */
    FSIM_ROUTE_TWO_CHOICES     /* two different ones at random, the one with fewer requests inside; a coin if
                                  equal */
} fsim_route_order;

typedef struct fsim_routing_ops {
    fsim_policy_info info;
    fsim_route_order (*init)(const void *params, const fsim_fn_spec *fn);
} fsim_routing_ops;

/* ---- keep-alive: how long an idle instance is kept ---- */

typedef struct fsim_keepalive_plan {
    bool remove_at_completion; /* when nobody waits for it */
    fsim_dist window; /* idle time that must be exceeded; drawn anew whenever the instance becomes idle;
                         constant FSIM_NEVER: kept */
    fsim_ns
        prewarm_ns; /* > 0: removed at completion, a new one is ready so much later and kept for `window` */
    int64_t
        pool_mb; /* what all instances may hold together; INT64_MAX: unbounded. The same for every function */
    fsim_ns adapt_ns; /* period of `adapt`, which changes a constant window; 0: it stays */
} fsim_keepalive_plan;

/* One use of an instance, for ranking under memory pressure. */
typedef struct fsim_use_view {
    fsim_ns now_ns;
    double cold_start_s; /* the function's mean cold start */
    int64_t memory_mb;
    uint64_t frequency; /* uses of the function's instances now in memory, this one included */
    uint32_t instances; /* of the function, in memory */
    double clock;       /* rank of the last evicted instance; 0 at first */
} fsim_use_view;

/* How a function's instances have been used since the last time; those that are provisioned do not count. */
typedef struct fsim_keepalive_view {
    fsim_ns now_ns;
    double concurrency; /* requests in execution, mean */
    uint32_t instances; /* now */
    bool called;        /* some request executed */
} fsim_keepalive_view;

typedef struct fsim_keepalive_ops {
    fsim_policy_info info;
    void (*init)(const void *params, const fsim_fn_spec *fn, fsim_keepalive_plan *plan);
    /* Rank of an instance at each use; the lowest is removed first when a start lacks room. NULL: never under
     * pressure. */
    double (*rank)(const fsim_use_view *use);
    bool rank_is_of_function; /* a use re-ranks every instance of the function */
    /* The window from now on, for those idle already too; asked while there are instances that may go. */
    size_t (*state_size)(const void *params); /* bytes per function, zeroed; NULL: 0 */
    fsim_ns (*adapt)(void *state, const void *params, const fsim_keepalive_view *view);
} fsim_keepalive_ops;

/* ---- admission: who may enter at all, before any instance is looked for ---- */

typedef struct fsim_admit_plan {
    uint32_t in_system_max; /* requests of the function inside and waiting; FSIM_UNLIMITED */
    double rate_per_s;      /* token bucket; 0: none */
    double burst;
} fsim_admit_plan;

typedef struct fsim_admission_ops {
    fsim_policy_info info;
    void (*init)(const void *params, const fsim_fn_spec *fn, fsim_admit_plan *plan);
} fsim_admission_ops;

/* ---- scaling: how many instances there should be ---- */

typedef struct fsim_scale_plan {
    bool on_demand; /* start an instance for a request that finds no free slot (early binding), or when more
                       requests wait than instances start (late) */
    fsim_ns sample_ns; /* period of `sample`; 0: none */
    fsim_ns tick_ns;   /* period of `tick`; 0: none */
    uint32_t initial;  /* instances wanted from t = 0 on, ready at 0; later governed by tick */
    bool fixed;        /* `initial` is for ever: never removed, never more */
    bool activator;    /* requests wait in front of the instances (Knative): see fsim_scale_decision.direct */
    uint32_t local_queue; /* places in front of one instance for requests sent straight to it; 0: none */
    bool activator_only;  /* what instances report does not count: all requests pass the activator */
    bool wants_cpu;       /* samples carry `cpu` and `memory_mb`; costs some additions a request */
    bool wants_instances; /* tick is given the list of instances */
    bool no_requests; /* samples need not say what requests each instance holds and gets: saves some additions
                         a request */
    bool totals;      /* tick is given means over all instances instead of samples of each, which cost
                         something at every request: no `sample` then */
    bool floor; /* what tick wants is the least; what is above it comes on demand and goes by keep-alive */
    uint32_t waiting_per_start; /* on_demand, late binding: requests that one start is meant for; 0: one */
    bool protect_busy;          /* scale-in: an instance with a request inside is never chosen */
    bool oldest_first;          /* scale-in: the oldest, else the newest */
    uint32_t reads; /* FSIM_INPUT_BITs of what decisions rest on, for those who tick: a recorded series
                       without one of them is refused. ready and replicas need not be named */
} fsim_scale_plan;

/* One instance as a tick sees it. */
typedef struct fsim_instance_view {
    fsim_ns started_ns, ready_ns; /* instants; ready_ns is FSIM_NEVER while it starts */
    void *state; /* the scaler's own about it: instance_size bytes, zeroed when it starts; NULL for 0 */
} fsim_instance_view;

/* One ready instance over the last sampling period, or since it was ready if that is shorter (over_ns). */
typedef struct fsim_instance_sample {
    fsim_ns age_ns, over_ns; /* since it was ready; averages are over so much */
    void *state;             /* as in fsim_instance_view */
    double cpu;       /* vCPU in use, time average: requests at their speed, or background_cpu without any */
    double memory_mb; /* in use at this instant (functions[i].memory_use) */
    double concurrency, proxied_concurrency; /* requests inside (also in its local queue), time average; of
                                                those, through the activator */
    double requests_per_s, proxied_requests_per_s; /* arrivals at the instance */
} fsim_instance_sample;

/* Given every sample_ns. Arrays are borrowed for the call. */
typedef struct fsim_scale_sample {
    fsim_ns now_ns, elapsed_ns;
    const fsim_instance_sample *instances; /* the ready ones, oldest first */
    uint32_t count;
    uint32_t starting;            /* instances that start */
    double in_flight, queued;     /* requests inside instances; waiting for one. Whole in a run, while a
                                     recorded series may hold averages */
    uint64_t arrived, completed;  /* requests in the period: attempts, retries included; answered well */
    double activator_concurrency; /* requests that came through the activator: waiting there or inside an
                                     instance; time average */
    double activator_requests;    /* that arrived there in the period */
} fsim_scale_sample;

typedef struct fsim_scale_view {
    fsim_ns now_ns;
    uint32_t ready, starting, wanted;    /* wanted: what the last decision asked for */
    double in_flight, queued;            /* as in fsim_scale_sample */
    fsim_ns elapsed_ns;                  /* since the last tick, or since the scaler woke up */
    double concurrency;                  /* plan.totals: requests in execution, mean over elapsed_ns */
    double concurrency_peak;             /* provisioned, plan.totals: the most of them at once */
    double cpu;                          /* plan.totals: vCPU in use by all instances, mean over elapsed_ns */
    const fsim_instance_view *instances; /* plan.wants_instances: those ready, oldest first, then those
                                            starting, oldest first; borrowed for the call. Else NULL */
    uint32_t instance_count;
} fsim_scale_view;

/* A number that a decision rests on, such as the average over a window; the name is a static string of lower
 * case and underscores. */
typedef struct fsim_scale_reading {
    const char *name;
    double value;
} fsim_scale_reading;

#define FSIM_SCALE_READINGS_MAX 8

typedef struct fsim_scale_decision {
    uint32_t want; /* instances; preset to view->wanted: leave it for "no change" */
    bool direct;   /* with an activator: requests go straight to the instances (true) or through it (false);
                      preset to the present way */
    bool sleep; /* nothing to decide until the next request: the engine stops sampling and ticking until then
                 */
    const char *mode; /* one word: "stable", "panic", "zero"… static string */
    /* The rest is for people, and written only if tick was called with explain. */
    char reason[160]; /* one line */
    uint32_t reading_count;
    fsim_scale_reading readings[FSIM_SCALE_READINGS_MAX]; /* of what was measured, the numbers compared */
} fsim_scale_decision;

/* Notes a number that the decision rests on; beyond FSIM_SCALE_READINGS_MAX it is left out. */
static inline void fsim_scale_decision_note(fsim_scale_decision *decision, const char *name, double value) {
    if (decision->reading_count < FSIM_SCALE_READINGS_MAX) {
        decision->readings[decision->reading_count++] = (fsim_scale_reading){name, value};
    }
}

typedef struct fsim_scaling_ops {
    fsim_policy_info info;
    size_t (*state_size)(const void *params);    /* bytes per function; NULL: 0 */
    size_t (*instance_size)(const void *params); /* bytes per instance, in units of 16; NULL: 0 */
    void (*init)(void *state, const void *params, const fsim_fn_spec *fn, fsim_scale_plan *plan);
    void (*sample)(void *state, const void *params, const fsim_scale_sample *sample, fsim_rng *rng);
    void (*tick)(void *state, const void *params, const fsim_scale_view *view, bool explain,
                 fsim_scale_decision *decision);
    /* A request reached a function with `wanted` = 0 through the activator: true asks for a tick at once. */
    bool (*poke)(void *state, const void *params, fsim_ns now_ns);
} fsim_scaling_ops;

/* ---- provisioned: how many instances are kept ready regardless of demand ----
 *
 * A scaler of those instances alone, beside the one of all others. Its plan: `initial`, the number at the
 * beginning; tick_ns, 0 for a number that never changes; `totals` for what it reads; `reads`. A tick is given
 * `wanted`, what has been asked for; `ready`, those that serve; `starting`, those still to come; the requests
 * in execution in them (concurrency, concurrency_peak, in_flight); and decides `want`. What exceeds the
 * function's max_instances never starts. */
typedef fsim_scaling_ops fsim_provisioned_ops;

#endif
