/* Inside of the engine: state of one run, shared by the engine_*.c files. Nobody else includes this.
 *
 * One request costs one event (its completion) and, warm, touches: the function (one block), the instance
 * (one line of each column), the request record, the event queue. Timers are hints: none is cancelled; a
 * handler checks whether its moment has come and re-arms. Growth of the pools is by doubling, outside the
 * steady state; where memory is exhausted the run is left by longjmp to fsim_run, which frees everything. */
#ifndef FSIM_MODEL_ENGINE_H
#define FSIM_MODEL_ENGINE_H

#include "api/source_api.h"
#include "autoscale/breaker.h"
#include "billing/meter.h"
#include "core/event_queue.h"
#include "model/engine_failure.h"
#include "model/engine_ledger.h"
#include "model/engine_node.h"
#include "model/fleet.h"
#include "model/level.h"
#include "model/rank_heap.h"
#include "model/run.h"
#include "model/start_limiter.h"

#include <setjmp.h>

typedef enum event_kind {
    EVENT_COMPLETE,        /* target: request; the instance as a hint */
    EVENT_SHORT,           /* the same of a request that began on the short way */
    EVENT_READY,           /* instance, generation */
    EVENT_EXPIRE,          /* function: the oldest idle instance may have been idle for long enough */
    EVENT_EXPIRE_ONE,      /* instance, generation */
    EVENT_PREWARM,         /* function, generation of its arrivals */
    EVENT_QUEUE_TIMEOUT,   /* function: the head of the queue may have waited for long enough */
    EVENT_REQUEST_TIMEOUT, /* request, generation */
    EVENT_RETRY,           /* request */
    EVENT_THINK,           /* user of a closed population */
    EVENT_SAMPLE,          /* function */
    EVENT_TICK,            /* function */
    EVENT_REFILL,          /* function: the start limit may have room again */
    EVENT_PROVISION,       /* function: its provisioned policy is due, or more may start */
    EVENT_SHARE,           /* sharing domain, generation: the next of its requests completes */
    EVENT_SESSION,         /* session, generation: it may have been idle, or have lived, for long enough */
    EVENT_SESSION_WAIT,    /* request, generation: it may have waited at its instance for long enough */
    EVENT_CUT,        /* request, generation: slowed down by others, it has reached the function's time-out */
    EVENT_BURST,      /* request, generation: a burst of CPU begins or ends */
    EVENT_AFTER,      /* instance, generation: the work after its latest response may be done */
    EVENT_CORE,       /* request, generation: it gives its core back, or its execution is over */
    EVENT_CORE_START, /* instance, generation: its start gives its core back */
    EVENT_PROVISIONED, /* function, step: another number of provisioned instances from now on */
    EVENT_END,         /* request, generation: EVENT_COMPLETE where the instance may be gone by then */
    EVENT_FAILURE,     /* instance, generation: it may crash now, or have failed its health checks */
    EVENT_STRIKE,      /* function: a crash that the scenario asks for */
    EVENT_REPLACE,     /* function: instances that have failed are replaced */
    EVENT_ADAPT,       /* function: its keep-alive window is looked at */
    EVENT_INTERRUPT,   /* core of a node, it goes away; or FSIM_NONE: the next that the scenario lists */
    EVENT_RESUME       /* core of a node: it may be back */
} event_kind;

#define FSIM_BUCKET_FULL             1e300 /* tokens of a bucket that has not been asked yet */
#define GENERATION_BITS              24
#define EVENT_KIND(kind, generation) ((uint32_t)(kind) | ((generation) << 8))
#define GENERATION_MASK              ((1u << GENERATION_BITS) - 1u)

enum {
    REQUEST_LIVE = 1u,    /* in the system */
    REQUEST_COUNTED = 2u, /* arrived after the warm-up */
    REQUEST_COLD = 4u,    /* caused a start or waited for one */
    REQUEST_CAUSED = 8u,
    REQUEST_PROXIED = 16u, /* came through the activator */
    REQUEST_CUT = 32u,     /* will be cut off by the function's time-out */
    REQUEST_SHORT = 64u,   /* began on the short way: it executes since its arrival (engine_restore) */
    REQUEST_BURST = 128u,  /* its rate contains that of a burst */
    REQUEST_FIRST = 256u,  /* of its instance, to begin; not kept on the short way */
    REQUEST_ERROR = 512u   /* one execution that ended in an error: counted in the upper seven bits */
};

/* What links a request to others. */
typedef union request_link {
    struct {
        uint32_t next, prev; /* in the function's or an instance's queue; next: free list */
    };
    uint64_t order; /* executing under a CPU model: of entering the sharing domain */
    uint32_t core;  /* executing on a node whose cores go in order of arrival: CORE_… */
} request_link;

enum { CORE_AWAITED, CORE_HELD, CORE_PAST }; /* past: the rest passes without one */

enum { QUEUE_AHEAD = 8 }; /* a power of 2 */

/* A request in the system: one cache line. */
typedef struct request {
    fsim_ns arrival_ns; /* the first */
    fsim_ns start_ns;   /* of execution; FSIM_NEVER before */
    uint32_t fn, instance;
    request_link link;
    uint32_t attempts, generation;
    uint32_t rate_ucore;    /* CPU in use while it executes alone */
    uint16_t flags, closed; /* closed: population + 1, 0 for streams */
    fsim_ns service_ns;
    union {
        fsim_ns core_until_ns; /* CORE_HELD: when it gives its core back; CORE_PAST: when it is done */
        uint32_t later;        /* in the function's queue: one that comes QUEUE_AHEAD places later, a hint */
    };
} request;

typedef enum instance_state { INSTANCE_FREE, INSTANCE_STARTING, INSTANCE_READY } instance_state;

/* An instance. The requests it holds are counted in its fleet_link: inside = executing + waiting. */
typedef struct instance {
    /* one cache line: what a warm request touches; with the first fields of the meter */
    _Alignas(64) fsim_ns since_ns; /* of being idle or busy */
    fsim_ns active_ns;             /* spent busy so far */
    uint32_t executing;
    uint8_t state;
    bool provisioned, draining, served, caused;
    bool held;   /* provisioned, ready, and waiting for the others */
    bool parked; /* as many sessions as it may hold, or out of service: in the fleet, but not to be picked */
    bool begun;  /* a request has begun in it; not kept on the short way */
    uint32_t head; /* of the requests that wait inside */
    fsim_cpu_meter meter;
    uint32_t generation, fn;
    uint64_t rate_ucore; /* CPU asked for now */
    fsim_ns init_ns;     /* initialisation to bill with its first active interval */
    /* the third: seldom */
    uint32_t tail;         /* of the requests that wait inside */
    uint32_t newer, older; /* in the function's list of starting or of provisioned ones; newer: free list */
    fsim_ns due_ns, timer_ns; /* drawn keep-alive: when this idleness ends, and when its timer fires */
    fsim_ns started_ns, ready_ns;
    fsim_ns metered_from_ns; /* bills begin here: the end of the warm-up, for those that were there before */
} instance;

/* Requests in each instance of functions that are sampled: two columns, for most requests touch the first
 * alone. */
typedef struct sampled_requests {
    flow *inside, *proxied; /* proxied: those that came through the activator */
} sampled_requests;

/* CPU that an instance has used, where a scaler samples it (engine_cpu.c): one cache line. */
typedef struct cpu_use {
    fsim_wide used, before; /* ucore x ns: up to at_ns; at the last sample */
    fsim_ns at_ns;
    double virtual_ns;     /* on a shared node: its clock at at_ns */
    uint64_t demand_ucore; /* of the executing requests, each at full speed */
    uint32_t rate_ucore;   /* in use now; on a shared node only what does not go by its clock */
    uint32_t most_ucore;   /* what the instance has */
} cpu_use;

/* What is counted of requests apart from the function's tally and usage until somebody looks (engine_fold).
 * Its end is what the plain way touches at every step. */
typedef struct short_sums {
    fsim_histogram *hist;
    uint64_t completed;
    uint64_t span_ns, span_min_ns, span_max_ns;
    uint64_t billed_ms[FSIM_METER_RULES_MAX];
    uint64_t cpu_mem_ms;
    uint64_t arrived;
} short_sums;

/* What a function has done and holds. The first lines are what a warm request touches. */
typedef struct function {
    /* both short ways */
    _Alignas(64) bool fast; /* the short way will do */
    bool plain;             /* the plain way will do */
    uint16_t traits;        /* TRAIT_* */
    bool window_drawn, expire_armed, keeps_busy;
    bool scaled, asleep;
    bool direct;             /* scaled: requests go straight to the instances */
    uint32_t queued, inside; /* inside: requests in instances */
    uint32_t arrivals_generation;
    uint32_t rate_ucore; /* CPU of one executing request */
    uint32_t concurrency;
    fsim_ns timeout_ns;
    fsim_cpu_rule cpu_rule;
    uint32_t background_ucore; /* CPU of an instance without a request */
    uint32_t most_ucore;       /* that an instance has */
    squared_level in_execution;

    /* the plain way besides, and every request of the general way: three cache lines */
    bool idles;      /* an idle instance goes by its keep-alive */
    bool solo_meter; /* one slot, frozen when idle, alone with its CPU: metered in one go at completion */
    bool active_is_request; /* one slot: active intervals are the requests, and their meters are copied at the
                               end */
    bool sampled, samples_requests, wants_cpu, freeze;
    bool shared, has_reserve;
    bool slowed;     /* shared, and requests that are slowed down use less CPU */
    bool activator;  /* scaled */
    uint8_t watched; /* WATCH_*: whose sums follow every execution */
    uint8_t extras;  /* FUNCTION_*: what few functions have, each in a file of its own */
    uint32_t wanted;
    uint32_t ready_count, ready_cursor;
    uint32_t waiting_per_start;
    uint32_t *ready;     /* scaled: ready instances, oldest first; capacity ready_capacity */
    uint64_t came, went; /* sampled: attempts and good answers since the last sample */
    flow proxied;        /* through the activator */
    level busy;          /* instances; with one slot it would repeat in_execution and is not kept */
    demand_level demand; /* where the scaler wants totals */
    fsim_rng rng_routing;

    /* both short ways: two cache lines with the head of fleet[0], and one for the rest of that */
    short_sums sums;
    fsim_fleet fleet[2]; /* [1]: provisioned, preferred */

    struct scale_totals *scale_totals; /* NULL unless the scaler wants them */
    fsim_usage usage;

    /* many of the general way */
    uint32_t start_ucore;  /* share of a start that needs a core of its node */
    uint32_t inside_limit; /* reserved concurrency, or FSIM_UNLIMITED */
    uint32_t queue_head, queue_tail;
    uint32_t queue_came;              /* into it, since one left it from its middle */
    uint32_t queue_last[QUEUE_AHEAD]; /* the last of them, by queue_came modulo QUEUE_AHEAD */
    fsim_ns window_ns;                /* keep-alive where it is constant */

    /* seldom */
    level present, starting, provisioned, queue; /* present: instances */
    const char *name;
    fsim_fn_spec spec;
    fsim_keepalive_plan keepalive;
    fsim_scale_plan scale;
    fsim_ns queue_timeout_ns; /* where it is constant */
    fsim_ns timeout_timer_ns; /* armed: when it fires */
    fsim_ns queue_latest_ns;  /* latest arrival of those that have come into the queue since it was empty */
    bool async;               /* events: the platform tries again */
    bool repeats;             /* executions that fail may be tried again: the last one counts */
    uint32_t timeout_void;    /* timers of the queue that fire for nobody */
    double cold_mean_s;
    uint32_t alive, alive_peak, removable_min; /* instances; keep-alive never goes below removable_min */
    uint32_t starting_newest, starting_count;  /* elastic ones */
    uint32_t starting_provisioned;
    uint32_t provisioned_wanted, provisioned_missing; /* missing: of those wanted, not yet started */
    uint32_t provisioned_newest;                      /* list of them, through older */
    fsim_ns provision_from_ns, provision_retry_ns;    /* no start before; when the rate is asked again */
    struct adapting *adapting;                        /* NULL: its keep-alive window stays */
    struct provisioning *provisioning;                /* NULL: their number never changes by a policy */
    struct function_rest *rest;                       /* NULL: not needed yet; use engine_rest */
    uint32_t group; /* whose limits count: itself, or the function that it is a version of */
    bool timeout_armed, refill_armed, sample_armed, tick_armed, in_waiting_list, provision_waits;
    uint32_t waiting_next, waiting_prev;
    fsim_start_limiter start_limiter;
    void *scaling_state;
    uint32_t ready_capacity;
    fsim_ns sampled_ns;
    double rank;   /* under memory pressure: of the function */
    bool touched;  /* the same: its place in the order may be another by now */
    uint64_t uses; /* of its instances in memory */
    fsim_rng rng_cold;
} function;

enum {
    FUNCTION_SESSIONS = 1u, /* session affinity */
    FUNCTION_BURSTS = 2u,   /* bursts of CPU while a request executes */
    FUNCTION_AFTER = 4u,    /* work after a response */
    FUNCTION_VERSION = 8u,  /* one of several of a function, which counts them all together */
    FUNCTION_FAILS = 16u    /* instances crash or turn unhealthy */
};

/* What the plain way asks of a function; most runs have functions of one kind only (engine.traits). */
enum {
    TRAIT_SCALED = 1u,         /* scaled */
    TRAIT_TOTALS = 2u,         /* the scaler watches totals */
    TRAIT_SAMPLED = 4u,        /* samples_requests */
    TRAIT_CPU = 8u,            /* wants_cpu */
    TRAIT_SLOTS = 16u,         /* keeps_busy */
    TRAIT_SOLO_METER = 32u,    /* solo_meter */
    TRAIT_SAME_ACTIVE = 64u,   /* active_is_request */
    TRAIT_FREEZE = 128u,       /* freeze */
    TRAIT_BY_IDLE_LIST = 256u, /* of fleet[0] */
    TRAIT_MANY = 512u,         /* the run has more than one function */
    TRAIT_METERING = 1024u,    /* the run is metered */
    TRAIT_KNOWN = 2048u        /* all plain functions of the run are like this */
};

enum { WATCH_TOTALS = 1u, WATCH_PROVISIONED = 2u }; /* a scaler, a provisioned policy that wants them */

/* Samples of one scope while they are collected. Warm requests that did not wait go into `direct` alone: for
 * them latency equals service and wait is 0; the scope's four samples are put together at the end. */
typedef struct collector {
    fsim_histogram *direct, *latency_waited, *latency_cold, *wait, *service;
} collector;

typedef struct tally {
    fsim_counts n;
    uint64_t direct_count, begun_direct;
    fsim_spans direct; /* hist unused here and below */
    collector hist;    /* beside what a warm request counts */
    fsim_spans waited, cold, wait, service;
    uint64_t waited_count;
    fsim_wide phase_ns[FSIM_COLD_PHASES];
    uint64_t phase_count;
    uint64_t *latency_above, *wait_above; /* FSIM_EXCEED_MAX each, one block; NULL unless e->has_exceed */
} tally;

typedef struct function_base {
    fsim_wide in_execution, square, queue, present, starting, busy, provisioned;
} function_base;

/* What the time series shows of requests, counted for all functions together so that a row costs the same
 * whatever their number. */
typedef struct series_counts {
    uint64_t arrived, completed, refused, timed_out, cold, throttled;
} series_counts;

typedef struct closed_population {
    const fsim_closed_plan *plan;
    fsim_rng rng_think, rng_service, rng_version;
    uint64_t sent;
    fsim_ns instant_ns; /* of the last call, and how many there were then */
    uint64_t at_once;
} closed_population;

/* Meters that only some price books need (engine_books.c). */
typedef struct engine_books engine_books;

typedef struct session_pool session_pool; /* engine_session.c */
typedef struct lanes lanes;               /* lanes.c */
typedef struct after_work after_work;     /* engine_profile.c */

typedef enum session_way {
    SESSION_FREE, /* no session, not bound yet, or bound to a full instance that may be left: any instance */
    SESSION_BLOCKED, /* its instance has room but a limit forbids it */
    SESSION_TAKEN    /* its instance deals with it */
} session_way;

typedef struct engine {
    /* hot */
    fsim_event_queue queue;
    fsim_ns now_ns, mark_ns;
    request *requests;
    uint32_t request_free;
    instance *instances;
    fsim_fleet_link *links;
    uint32_t instance_free;
    uint32_t unlaunched; /* started for a request that is being placed; FSIM_NONE */
    function *functions;
    tally *tallies;
    uint64_t digest;
    fsim_ns warmup_ns;
    squared_level
        in_execution; /* of all functions; with one function it would repeat the function's and is not kept */
    level in_queue;   /* the same */
    bool many;        /* functions */
    bool one_rate;    /* no request brings CPU of its own */
    uint16_t traits;  /* TRAIT_* of all plain functions, or without TRAIT_KNOWN those of the run alone */
    uint64_t alive, alive_peak;
    uint64_t inside_shared, inside_shared_limit; /* account concurrency */
    bool early, cancels, fast, any_fast, any_plain, metering, has_account, has_quota, has_pool, has_nodes,
        node_sharing, node_fcfs, has_sharing, has_admission, has_gateway, has_waiters, has_occupancy,
        has_exceed, claims; /* claims: platform.provisioned_claims */
    bool wants_rows;
    fsim_meter_plan plan;

    /* setting */
    const fsim_scenario *scenario;
    const fsim_run_options *options;
    fsim_function_table *table;
    fsim_workload *workload;
    uint32_t function_count, function_capacity;
    /* The implied function, until it is called or turns out to be the only one; FSIM_NONE. */
    uint32_t unbegun;
    collector shared_hist; /* when there are too many functions for one each */
    uint32_t request_capacity, instance_capacity;
    jmp_buf no_memory;
    fsim_status status;
    fsim_error *err;
    bool stopped, workload_ended;
    bool has_batch; /* the first one is read already */

    /* limits */
    uint64_t idle_claimed; /* provisioned instances that are idle and count towards quotas */
    int64_t largest_mb;    /* memory of an instance of the function with the most */
    int64_t quota_used_mb, pool_used_mb, pool_idle_mb, pool_mb;
    fsim_start_limiter region_limiter, region_provisioned_limiter;
    double gateway_tokens;
    fsim_ns gateway_at_ns;
    uint64_t gateway_count;
    uint32_t waiting_first, waiting_last; /* functions with a queue, where limits are shared */
    uint64_t in_system;

    /* memory pressure */
    double pressure_clock; /* rank of the last victim */
    double *instance_rank;
    uint64_t *instance_uses;
    fsim_rank_heap pressure; /* functions with an idle instance, but for those touched */
    uint32_t *touched, touched_count;

    /* sharing */
    share_domain *domains; /* per instance, or per node */
    uint32_t domain_count;
    node *nodes;
    uint32_t node_count;
    uint32_t *instance_node;
    core_use *on_core;           /* column; NULL unless node_fcfs */
    core_interrupts *interrupts; /* NULL: no core is ever away */
    level node_in_use;
    uint64_t share_order;

    sampled_requests sampled; /* columns; NULL when nothing is sampled */
    cpu_use *cpu_uses;        /* column; NULL when nobody samples CPU */
    char *cells;              /* column: what the scaler keeps about each instance, cell_size bytes */
    size_t cell_size;
    session_pool *sessions;    /* NULL: no function has session affinity */
    uint64_t session_now;      /* session id of the arrival of the stream at hand; 0: none */
    after_work *after;         /* column; NULL: no function works after its responses */
    failure_columns *failures; /* NULL: no function's instances fail */

    fsim_instance_sample *sample_rows;
    fsim_instance_view *view_rows;
    uint32_t sample_capacity, view_capacity;

    closed_population closed[FSIM_CLOSED_MAX];
    uint32_t closed_count;
    uint64_t closed_outstanding, retried; /* users that will call again; attempts after the first one */

    /* marks: warm-up, windows, probes, time series */
    fsim_ns warmup_mark_ns, window_mark_ns, probe_mark_ns, series_mark_ns;
    level present, starting; /* instances of all functions */
    level busy; /* the same, once there are many functions and one has more than one slot: engine_busy */
    bool keeps_busy;
    uint64_t wanted; /* by the scalers of all functions */
    bool any_scaled;
    series_counts seen, series_seen; /* so far; at the last row */
    uint32_t window_count, window_capacity, probe_next, series_capacity, series_rows_max;
    fsim_counts *window_base; /* per function: at the beginning of the open window */
    fsim_wide series_execution_ns, series_queue_ns, series_present_ns, series_starting_ns, series_busy_ns;
    function_base *function_base; /* integrals at the end of the warm-up */
    struct {
        fsim_wide in_execution, square, queue, node_in_use;
    } base;
    fsim_ns occupancy_at_ns;
    uint64_t *occupancy_requests_ns, *occupancy_instances_ns;
    engine_books *books; /* NULL: nothing of the kind is metered */
    lanes *lanes;        /* NULL: not all functions are lanes */
    uint64_t events, batches;
    fsim_result *result;
    fsim_ns growth_at_ns; /* last new maximum of instances */
    fsim_ns left_at_ns;   /* when the last request left */
    fsim_arrivals batch;
    ledger ledger;
} engine;

/* engine.c: the path of a request */
void engine_arrive(engine *e, fsim_ns at_ns, fsim_fn_id fn, fsim_ns service_ns, uint32_t rate_ucore,
                   uint16_t closed);
void engine_serve_queue(engine *e, function *f); /* requests of the queue that can be placed now, in order */
void engine_serve_ready(engine *e, function *f,
                        uint32_t instance); /* the same for the slots of one that has just become ready */
void engine_begin(engine *e, uint32_t request,
                  uint32_t instance); /* counted as inside: it starts to execute */
void engine_enqueue(engine *e, function *f, uint32_t request);
void engine_dequeue(engine *e, function *f, uint32_t request);
void engine_cancel_surplus(engine *e, function *f); /* starts that nobody waits for any more */
void engine_admit(engine *e, function *f,
                  uint32_t request); /* a request comes in, for the first time or again */
void engine_route(engine *e, function *f,
                  uint32_t request); /* one that is admitted: a slot, a start, the queue, or refused */
void engine_leave(engine *e, uint32_t request, fsim_outcome outcome); /* for good */
void engine_give_up_waiting(engine *e, function *f, uint32_t request);
void engine_give_up_due(engine *e, function *f, fsim_ns since_ns); /* before its queue is served */
void engine_refuse(engine *e, uint32_t request, fsim_cause cause);
void engine_time_out(engine *e, uint32_t request); /* no longer linked anywhere: it tries again or leaves */
void engine_enter(engine *e, function *f, uint32_t request,
                  uint32_t instance); /* a free slot of a ready one */
void engine_bind(engine *e, function *f, uint32_t request, uint32_t instance,
                 bool caused); /* waits inside one that starts */
void engine_wait_inside(engine *e, function *f, uint32_t request,
                        uint32_t instance); /* of a ready, full one */

/* engine_admit.c: the gateway, the admission policy, quotas */
bool engine_admitted(engine *e, function *f, fsim_cause *cause);
bool engine_provisioned_rate(engine *e, function *f); /* takes a token of the provisioned instances' rate */
bool engine_quota_full(const engine *e, const function *f, fsim_cause *cause);

/* engine_retry.c: clients and queues that try again */
bool engine_try_again(engine *e, uint32_t request, fsim_cause cause); /* FSIM_CAUSE_COUNT: timed out */
bool engine_ends_in_error(engine *e, function *f, const request *q);
bool engine_try_after_error(engine *e, uint32_t request); /* repeats; then engine_back_to_queue */
void engine_back_to_queue(engine *e, uint32_t request);

/* engine_complete.c */
void engine_complete(engine *e, uint32_t request);
void engine_fail_execution(engine *e, uint32_t request); /* the same, but nobody takes its place */
/* A limit that functions share has loosened, by an event that was scheduled at since_ns. */
void engine_serve_waiting(engine *e, fsim_ns since_ns);

/* engine_short.c, where some function is fast (any_fast): handles what it can of the batch's arrivals [first,
 * count) and of the events due before them; returns the first arrival that is left. Then either an event or
 * that arrival needs the general way.
 */
uint32_t engine_short_way(engine *e, const fsim_arrivals *batch, uint32_t first, uint32_t count);
void engine_restore(engine *e, uint32_t request); /* one of REQUEST_SHORT becomes an ordinary one */

/* engine_plain.c: the same, a little longer, for more functions */
uint32_t engine_plain_way(engine *e, const fsim_arrivals *batch, uint32_t first, uint32_t count);

/* engine_ledger.c: what has been put off, into tallies and meters */
void engine_settle(engine *e);

/* run.c: tells how far the run is (share of the input, or -1); false: it is to stop */
bool engine_go_on(engine *e, double share);

/* engine_loop.c */
void engine_feed(engine *e, const fsim_arrivals *batch, fsim_ns until_ns);
void engine_drain(engine *e, fsim_ns until_ns);
void engine_step(engine *e); /* the next event */

/* engine_instance.c: starting, becoming ready, idling, ending */
fsim_ns engine_draw_cold_start(engine *e, function *f, bool counted);
bool engine_may_start(engine *e, function *f, fsim_cause *cause); /* takes a token of the start rate */
uint32_t engine_start(engine *e, function *f,
                      bool provisioned); /* then engine_launch, once requests are bound */
void engine_launch(engine *e, uint32_t instance);
uint32_t engine_start_ready(engine *e, function *f, bool provisioned);
void engine_ready(engine *e, uint32_t instance);
void engine_idle(engine *e, function *f, uint32_t instance);
void engine_draw_window(engine *e, function *f, uint32_t instance); /* how long this idleness may last */
void engine_arm_drawn(engine *e, uint32_t instance);                /* the timer for its end */
void engine_expire(engine *e, function *f);
void engine_expire_one(engine *e, uint32_t instance);
void engine_remove(engine *e, uint32_t instance, fsim_ns surplus_ns);
void engine_let_go(engine *e, function *f, uint32_t instance);
void engine_lose(engine *e, uint32_t instance);                /* one that has crashed, and is empty */
void engine_cancel_start(engine *e, uint32_t instance);        /* nobody waits for it */
void engine_lose_start(engine *e, uint32_t instance);          /* the same for one that has crashed */
void engine_park(engine *e, function *f, uint32_t instance);   /* in its fleet, but not to be picked */
void engine_unpark(engine *e, function *f, uint32_t instance); /* of an instance that is not: nothing */
void engine_meter_end(engine *e, function *f, uint32_t instance, fsim_ns at_ns);
/* Bills the request that stops executing in its instance now; the instance's first one with the
 * initialisation. */
void engine_meter_request(engine *e, function *f, const request *q);
void engine_join_fleet(engine *e, function *f, uint32_t instance);
void engine_provision(engine *e, function *f); /* engine_provision.c */
void engine_prewarm(engine *e, function *f);

/* engine_scale.c: samples, ticks, what the scaler wants */
void engine_scale_setup(engine *e, function *f);
void engine_scale_begin(engine *e, function *f);
void engine_sample(engine *e, function *f);
void engine_tick(engine *e, function *f);
void engine_wake(engine *e, function *f);
void engine_fit(engine *e, function *f); /* starts and removes until `wanted` instances are there */
void engine_scaled_add(engine *e, function *f, uint32_t instance);
void engine_scaled_remove(engine *e, function *f, uint32_t instance);

/* engine_floor.c: scalers that want totals, and those whose count is the least */
void engine_totals_setup(engine *e, function *f);
void engine_totals_wake(const engine *e, function *f);
void engine_totals_read(const engine *e, function *f, fsim_scale_view *view);
void engine_floor_set(engine *e, function *f); /* from f->wanted: who may go */

/* engine_cpu.c: CPU and memory in use, for scalers that sample them */
void engine_cpu_open(engine *e, const function *f, uint32_t instance); /* ready, without a request */
void engine_cpu_change_shared(engine *e, const function *f, uint32_t instance, int64_t more_ucore);
void engine_cpu_settle(engine *e, uint32_t instance); /* before the clock of its node goes back to 0 */
double engine_cpu_mean(engine *e, uint32_t instance, double over_ns); /* vCPU since the last call */
double engine_memory_mb(const engine *e, const function *f, uint32_t instance);

/* engine_share.c: CPU models */
uint32_t engine_share_domain(const engine *e, uint32_t instance);
void engine_share_enter(engine *e, uint32_t request);
void engine_share_leave(engine *e, uint32_t request); /* unfinished */
void engine_share_cut(engine *e, uint32_t request, uint32_t generation);
uint64_t engine_share_rate(const engine *e, const function *f, uint32_t instance, uint64_t rate_ucore);
void engine_share_fire(engine *e, uint32_t id, uint32_t generation);

/* engine_marks.c: warm-up, windows, probes, series, occupancy */
void engine_marks_setup(engine *e);
void engine_marks(engine *e, fsim_ns next_ns);  /* all marks before next_ns */
bool engine_series_is_bounded(const engine *e); /* its rows are thinned out when they are too many … */
void engine_series_reserve(engine *e);          /* … and from now on need no more memory */
void engine_fold(engine *e, uint32_t fn);       /* the sums of the short way into tally and usage */
void engine_occupancy(engine *e);               /* before every change of a count that it follows */
void engine_windows_add_functions(engine *e, uint32_t before);
void engine_marks_finish(engine *e, fsim_ns end_ns);
void engine_node_used(engine *e, uint32_t node, int change);

/* engine_result.c */
void engine_finish(engine *e, fsim_ns end_ns);

/* engine_setup.c: memory, functions */
_Noreturn void engine_no_memory(engine *e);
void engine_fail(engine *e, fsim_status status);
void *engine_grow(engine *e, void *array, size_t count, size_t size); /* realloc, or leave the run */
/* The same for columns whose items shall not straddle cache lines. */
void *engine_grow_lines(engine *e, void *array, size_t before, size_t count, size_t size);
void engine_grow_sampled(engine *e, uint32_t before, uint32_t count);
void engine_grow_requests(engine *e);
void engine_grow_instances(engine *e);
void engine_new_collector(engine *e, collector *c);
void engine_free_collector(collector *c);
void engine_add_functions(engine *e);
/* The implied function has its first instant when the batch that calls it is read. A trace that names its
 * functions never calls it, and then the platform must not keep instances of it either. */
void engine_begin_if_called(engine *e, const fsim_arrivals *batch);
/* No request brings CPU of its own: known with the first arrivals, and so for all of them. */
void engine_one_rate(engine *e);
bool engine_is_plain(const fsim_fn_spec *spec); /* nothing of what only few functions have */
fsim_status engine_create(engine **out, const fsim_scenario *scenario, const fsim_run_options *options,
                          fsim_error *err);
void engine_set_up(engine *e); /* leaves by no_memory where there is none */
void engine_destroy(engine *e);

static inline void engine_push(engine *e, fsim_ns at_ns, uint32_t target, uint32_t kind) {
    if (fsim_event_queue_is_full(&e->queue) && !fsim_event_queue_reserve(&e->queue, e->queue.capacity + 1u)) {
        engine_no_memory(e);
    }
    fsim_event_queue_push(&e->queue, e->now_ns, (fsim_event){at_ns, target, kind});
}

static inline void engine_set_rate(engine *e, function *f, uint32_t i, uint64_t rate_ucore) {
    e->instances[i].rate_ucore = rate_ucore;
    if (f->slowed) {
        rate_ucore = engine_share_rate(e, f, i, rate_ucore);
    }
    fsim_cpu_meter_set_rate(&e->instances[i].meter, &f->cpu_rule, &f->usage, e->now_ns,
                            rate_ucore < f->most_ucore ? (uint32_t)rate_ucore : f->most_ucore);
}

/* CPU in use by a request that executes alone. */
static inline uint32_t engine_rate_of(const function *f, fsim_ns cpu_ns, fsim_ns service_ns) {
    if (cpu_ns == FSIM_DRAW || service_ns <= 0) {
        return f->rate_ucore;
    }
    double share = (double)cpu_ns / (double)service_ns;
    return (uint32_t)((share < f->spec.vcpu ? share : f->spec.vcpu) * FSIM_UCORE + 0.5);
}

/* The same of arrival k. */
static inline uint32_t engine_rate(const engine *e, const fsim_arrivals *batch, uint32_t k) {
    const function *f = &e->functions[batch->fn[k]];
    return batch->has_cpu ? engine_rate_of(f, batch->cpu_ns[k], batch->service_ns[k]) : f->rate_ucore;
}

/* Requests in execution of the whole run. */
static inline const level *engine_in_execution(const engine *e) {
    return e->many || e->function_count == 0 ? &e->in_execution.level : &e->functions[0].in_execution.level;
}

/* Instances with at least one request executing; with one slot everywhere they are the requests. */
static inline const level *engine_busy(const engine *e) {
    if (!e->many && e->function_count != 0 && e->functions[0].keeps_busy) {
        return &e->functions[0].busy;
    }
    return e->keeps_busy ? &e->busy : engine_in_execution(e);
}

/* The rule of the set that rounds as this one does; the set's count where there is none. */
static inline uint32_t engine_same_rule(const fsim_meter_rules *rules, const fsim_meter_rule *rule) {
    uint32_t i = 0;
    while (i < rules->count &&
           (rules->rule[i].step_ms != rule->step_ms || rules->rule[i].least_ms != rule->least_ms)) {
        i++;
    }
    return i;
}

/* Whose limits count: its own, or those of the function that it is a version of. */
static inline function *engine_limits(const engine *e, const function *f) {
    return &e->functions[f->group];
}

/* So many requests (1 or -1) more are inside instance i of the function. What is reserved is not shared, and
 * provisioned instances may have claimed their part. */
static inline void engine_count_inside(engine *e, function *f, uint32_t i, int more) {
    bool apart = f->has_reserve || (e->claims && e->instances[i].provisioned);
    f->inside += (uint32_t)more;
    e->inside_shared += apart ? 0u : (uint64_t)more;
    if ((f->extras & FUNCTION_VERSION) != 0) {
        engine_limits(e, f)->inside += (uint32_t)more;
    }
}

/* No request more may enter an instance. */
static inline bool engine_account_full(const engine *e, const function *f) {
    if (f->has_reserve) {
        return engine_limits(e, f)->inside >= f->inside_limit;
    }
    return e->has_account && e->inside_shared >= e->inside_shared_limit;
}

static inline function *engine_function_of(engine *e, uint32_t instance_id) {
    return &e->functions[e->instances[instance_id].fn];
}

#include "model/engine_each.h"
#include "model/engine_seldom.h"

#endif
