/* The functions of a run: names, sizes, and how they behave. Sources add the names that a trace mentions
 * while they stream; ids are dense and stable, in order of first mention. */
#ifndef FSIM_API_FUNCTION_TABLE_H
#define FSIM_API_FUNCTION_TABLE_H

#include "api/arrivals.h"
#include "base/distribution.h"

typedef enum fsim_cpu_model { FSIM_CPU_NONE, FSIM_CPU_PS, FSIM_CPU_LINEAR } fsim_cpu_model;

#define FSIM_COLD_PHASES 5 /* schedule, pull, sandbox, runtime, user: in this order */
extern const char *const fsim_cold_phase_names[FSIM_COLD_PHASES + 1];

#define FSIM_UNLIMITED UINT32_MAX

/* What happens to a request whose session's instance has no free slot. */
typedef enum fsim_session_full {
    FSIM_SESSION_WAIT,
    FSIM_SESSION_REFUSE,
    FSIM_SESSION_ELSEWHERE
} fsim_session_full;

/* Session affinity (policies spec, section 10; billing spec 1.1): a session is bound to the instance that
 * takes its first request, and its later requests go there. It ends when it has been without a request for
 * longer than idle_ns, when it is older than life_ns, and with its instance; a request after that begins a
 * new one. */
typedef struct fsim_session_spec {
    fsim_ns idle_ns, life_ns; /* FSIM_NEVER: no limit */
    uint32_t per_instance;    /* sessions bound to one instance at a time; FSIM_UNLIMITED */
    fsim_session_full when_full;
    bool hold; /* an instance with a session is not removed by keep-alive and drains under a scaler */
} fsim_session_spec;

/* While a request executes it uses cpu_ucore millionths of a core more, for `busy` at a time: `first` after
 * it began, then every `every`, counted from beginning to beginning. */
typedef struct fsim_bursts_spec {
    uint32_t cpu_ucore;
    fsim_dist first, every, busy;
} fsim_bursts_spec;

/* After a response the instance uses cpu_ucore millionths of a core more, until span_ns after its latest one;
 * frozen, it stands still. */
typedef struct fsim_after_spec {
    uint32_t cpu_ucore;
    fsim_ns span_ns;
} fsim_after_spec;

/* Which of a function's ready instances a scripted crash hits. Ties: the one that was started first. */
typedef enum fsim_crash_victim {
    FSIM_CRASH_OLDEST, /* started first */
    FSIM_CRASH_NEWEST,
    FSIM_CRASH_BUSIEST, /* most requests inside */
    FSIM_CRASH_ALL
} fsim_crash_victim;

/* Instances crash: with them go the executions inside, which fail, and their sessions; requests that wait
 * inside, or for a start that fails, are placed anew. */
typedef struct fsim_crash_spec {
    bool wears; /* by lifetime, drawn for each instance, from readiness on */
    fsim_dist lifetime;
    double per_request;   /* 0..1: share of the executions that crash their instance, at a point of their work
                             that is drawn uniformly */
    double per_start;     /* 0..FSIM_START_FAILURES_MAX: share of the starts that end in a crash, when the
                             instance should be ready */
    const fsim_ns *at_ns; /* ascending: at each, the victim crashes */
    uint32_t at_count;
    fsim_crash_victim victim;
    fsim_ns restart_ns; /* until the platform replaces one that it keeps whatever the demand */
} fsim_crash_spec;

/* If every start failed, requests would wait for ever, or at no cost in time start without end. */
#define FSIM_START_FAILURES_MAX 0.99

/* Health checks. An instance turns unhealthy `onset` after readiness, or after it was last unhealthy, and
 * answers with errors until it recovers. It is checked every every_ns, counted from readiness; after
 * `failures` checks in a row that failed it gets no new requests. Either it is replaced then, and goes once
 * it is empty, or it rests: after `successes` checks in a row that succeed it is back. */
typedef struct fsim_health_spec {
    fsim_dist onset;
    bool recovers;
    fsim_dist recovery; /* from the onset on */
    fsim_ns every_ns;
    uint32_t failures, successes;
    bool rests;
    double error_rate; /* share of the executions that end in an error while it is unhealthy */
} fsim_health_spec;

/* The traffic of a function between its published versions (product contract, section 2). Each version is an
 * entry of the table of its own, named "function:version"; those of a function follow it in the order of
 * `names`. The weights are constant from from_ns[s] up to from_ns[s + 1]. */
typedef struct fsim_versions_spec {
    uint32_t count;
    const char *const *names;
    uint32_t segment_count;
    const fsim_ns *from_ns; /* ascending from 0 */
    const double *up_to; /* [s * count + v]: sum of the weights of versions 0 … v; the last one is above 0 */
} fsim_versions_spec;

/* From at_ns on there shall be so many provisioned instances. */
typedef struct fsim_provisioned_step {
    fsim_ns at_ns;
    uint32_t count;
} fsim_provisioned_step;

/* Requests inside one instance by its size: a function has the concurrency of the smallest size that holds
 * its memory, or of the largest there is. */
typedef struct fsim_concurrency_sizes {
    uint32_t count;           /* at least 1 */
    const int64_t *memory_mb; /* ascending */
    const uint32_t *concurrency;
} fsim_concurrency_sizes;

uint32_t fsim_concurrency_of_size(const fsim_concurrency_sizes *sizes, int64_t memory_mb);

/* Plain data; the whole behaviour of one function, or of one version. Spans in ns, memory in MiB. */
typedef struct fsim_fn_spec {
    const char *name;
    bool implied; /* nobody declared it: it is there if it is called, or if the workload names no other */
    const fsim_versions_spec *versions; /* NULL: the function has none. Lives as long as the scenario */
    const char *version;                /* of the function `version_of`; NULL: not a version */
    fsim_fn_id version_of;
    int64_t memory_mb, disk_mb;
    bool memory_open;                    /* nobody says memory_mb: a trace may */
    double vcpu;                         /* cores of one instance */
    uint32_t concurrency;                /* requests inside one instance; FSIM_UNLIMITED: no limit */
    const fsim_concurrency_sizes *sizes; /* what `concurrency` follows; NULL: nothing. Live as long as the
                                            scenario */
    fsim_cpu_model cpu_model;            /* how requests in one instance slow each other down */
    double slowdown_per_request;
    double cpu_fraction;       /* CPU time per wall time of a request, 0..1 */
    double start_cpu_fraction; /* share of a start that needs a core (node CPU model fcfs) */
    double background_cpu;     /* cores an instance uses while it holds no request (no-freeze mode) */
    bool freeze;         /* an instance without a request is frozen: no CPU, no bill (billing spec 1.1) */
    bool has_memory_use; /* else an instance uses all of memory_mb at all times */
    double memory_base_mb, memory_per_request_mb; /* in use: base and so much per request, up to memory_mb */
    uint32_t max_instances, min_instances, provisioned; /* provisioned: at t = 0 */
    const fsim_provisioned_step *provisioned_steps;     /* later, ascending; live as long as the scenario */
    uint32_t provisioned_step_count;
    uint32_t initial_instances;    /* stand ready at t = 0 and are kept like any other: run.start "steady" */
    uint32_t reserved_concurrency; /* FSIM_UNLIMITED: none reserved */
    bool async;         /* invocation "async": events that the platform tries again (platform.async) */
    double error_rate;  /* share of the executions that end in an error */
    fsim_ns timeout_ns; /* execution is cut off and failed after this long; FSIM_NEVER */
    bool has_service;
    fsim_dist service;
    bool cold_total;      /* cold_start_mode "total": the cold draw replaces cold start + service */
    bool cold_has_phases; /* phases[] instead of cold_start */
    fsim_dist cold_start;
    const fsim_dist *cold_phases; /* FSIM_COLD_PHASES of them; they live as long as the scenario */
    /* What few functions have; NULL: not this one. Live as long as the scenario. */
    const fsim_session_spec *session; /* without: session ids mean nothing */
    const fsim_bursts_spec *bursts;
    const fsim_after_spec *after;
    const fsim_crash_spec *crash;
    const fsim_health_spec *health;
} fsim_fn_spec;

/* Mean time from a start to ready, over its phases where it has them. */
double fsim_fn_cold_mean_s(const fsim_fn_spec *spec);

/* Which version a request that names none goes to, at_ns >= 0; `unit` is uniform in [0, 1).
 * O(versions + log segments). */
uint32_t fsim_versions_pick(const fsim_versions_spec *versions, fsim_ns at_ns, double unit);

typedef struct fsim_function_table fsim_function_table;

fsim_function_table *fsim_function_table_create(void);
void fsim_function_table_destroy(fsim_function_table *table); /* NULL allowed */
/* An independent copy with the same ids (distributions are shared: they are read-only); NULL when memory is
 * exhausted. */
fsim_function_table *fsim_function_table_clone(const fsim_function_table *table);
/* The spec that names without an entry of their own get; copied. */
void fsim_function_table_set_template(fsim_function_table *table, const fsim_fn_spec *spec);
const fsim_fn_spec *fsim_function_table_template(const fsim_function_table *table);
/* Adds (copying spec; the name is copied too) or fails if the name exists (FSIM_ECONFIG) or the limit
 * FSIM_FUNCTIONS_MAX is reached (FSIM_ELIMIT). */
fsim_status fsim_function_table_add(fsim_function_table *table, const fsim_fn_spec *spec, fsim_fn_id *id,
                                    fsim_error *err);
/* The id of `name` (len bytes), added from the template when it is new. O(1). */
fsim_status fsim_function_table_intern(fsim_function_table *table, const char *name, size_t len,
                                       fsim_fn_id *id, fsim_error *err);
/* FSIM_UNLIMITED when absent. */
fsim_fn_id fsim_function_table_find(const fsim_function_table *table, const char *name);
uint32_t fsim_function_table_count(const fsim_function_table *table);
/* What a configuration means by a function's name: one of the functions that were added, else FSIM_ECONFIG
 * with the nearest; where none was ever added (a workload without a list of functions) any name, from the
 * template. */
fsim_status fsim_function_table_resolve(fsim_function_table *table, const fsim_value *name, fsim_fn_id *id,
                                        fsim_error *err);
/* Some function has versions. */
bool fsim_function_table_has_versions(const fsim_function_table *table);
/* A trace's version column: the entry of the version `name` (len bytes) of a function. A function without
 * versions is taken as it is, whatever the trace calls its versions, and so is a row without a name (len 0).
 * FSIM_EDATA with the nearest name: the function has no such version. O(versions). */
fsim_status fsim_function_table_find_version(const fsim_function_table *table, fsim_fn_id fn,
                                             const char *name, size_t len, fsim_fn_id *id, fsim_error *err);
/* Stays where it is as long as the table lives. */
const fsim_fn_spec *fsim_function_table_get(const fsim_function_table *table, fsim_fn_id id);
/* Exchanges the whole spec but the name; whether a trace may set the memory stays as it is. */
void fsim_function_table_set_spec(fsim_function_table *table, fsim_fn_id id, const fsim_fn_spec *spec);
/* A trace's memory_mb column: sets the size of a function that got its spec from the template or is open;
 * FSIM_EDATA if it contradicts an earlier row or the function's own spec, or comes after
 * fsim_function_table_settle. */
fsim_status fsim_function_table_set_memory(fsim_function_table *table, fsim_fn_id id, int64_t memory_mb,
                                           fsim_error *err);
/* From now on instances have the size that the function has; a clone begins without this. */
void fsim_function_table_settle(fsim_function_table *table, fsim_fn_id id);
/* Whether a trace has said it. */
bool fsim_function_table_memory_given(const fsim_function_table *table, fsim_fn_id id);

#endif
