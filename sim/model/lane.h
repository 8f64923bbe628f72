/* A lane: the whole life of one function whose requests and instances depend on nothing outside it. One slot
 * an instance, started for the request that finds none idle, kept for a constant time, no limit, no queue.
 * The greater part of a public trace is of this kind, and its functions may be simulated one after the other,
 * some thousand requests of each at a time, in any order and on any thread: what a function needs stays in
 * the first-level cache, and an event costs its place in a short list.
 *
 * What only exists for all functions together (requests in execution and instances over time, their peaks,
 * the time series) is put together from the changes that the lanes note, in order of time (model/lanes.c).
 * Everything of the function's own goes where the general way puts it, and the result is the same: the tests
 * compare the two (tests/property).
 *
 * The end of a warm request is known when it arrives. So its statistics are taken then, for all requests of a
 * batch in tight loops, if it ends before the run does; its end only frees the instance. */
#ifndef FSIM_MODEL_LANE_H
#define FSIM_MODEL_LANE_H

#include "model/engine.h"

/* What changes for the run as a whole. At one instant in this order: ends, removals, starts of execution,
 * then arrivals; and last the ends of executions that took no time. */
typedef enum lane_change {
    LANE_LEAVE,         /* an execution ends: completed */
    LANE_FAIL,          /* the same, cut off */
    LANE_REMOVED,       /* an instance whose keep-alive ended 1 ns ago */
    LANE_READY,         /* an instance is ready and its request begins */
    LANE_ENTER,         /* a request arrives and begins */
    LANE_COLD,          /* a request arrives and an instance starts for it */
    LANE_LEAVE_AT_ONCE, /* as LANE_LEAVE and LANE_FAIL, begun at the same instant */
    LANE_FAIL_AT_ONCE
} lane_change;
enum { LANE_CHANGE_BITS = 3, LANE_CHANGE_MASK = 7 };

/* Changes of one block, unsorted: (instant - from_ns) << LANE_CHANGE_BITS | lane_change. */
typedef struct lane_changes {
    fsim_ns from_ns;
    uint64_t *word;
    uint32_t count, capacity;
} lane_changes;

typedef struct lane_idle {
    fsim_ns since_ns;
    uint32_t instance;
} lane_idle;

/* An instance, and the request in it where that one is not accounted for yet. A warm request touches the
 * first line where CPU is metered in windows, and nothing of it elsewhere. */
typedef struct lane_instance {
    _Alignas(64) fsim_ns active_ns; /* with windows */
    fsim_cpu_meter meter;
    fsim_ns started_ns, ready_ns;
    fsim_ns arrival_ns, begin_ns, service_ns;
    uint32_t rate_ucore;
    uint8_t state; /* LANE_* below */
    bool cold;     /* the request caused the start */
    bool cut;
} lane_instance;
enum { LANE_FREE, LANE_STARTING, LANE_EXECUTING, LANE_IDLE }; /* IDLE: or busy with an accounted one */

typedef struct lane {
    /* What is to come, in order of time and, at one instant, of being noted. target: instance. */
    fsim_event *pending; /* [head, tail), and an end that is never reached */
    uint32_t head, tail, pending_capacity;
    uint32_t free_instance;  /* list through lane_instance.rate_ucore */
    fsim_event_queue *queue; /* instead, once many were pending; NULL: not yet */
    lane_idle *idle;         /* ring in order of becoming idle: [idle_head, idle_tail) modulo idle_mask + 1 */
    uint32_t idle_head, idle_tail, idle_mask;
    uint32_t instance_count, instance_capacity; /* records in use, ever */
    lane_instance *instances;
    fsim_ns window_ns;
    bool newest; /* routing; else the oldest idle */
    bool shares; /* its histograms are those of the thread */
    squared_level executing;
    short_sums sums;
    uint64_t digest;
    fsim_ns last_end_ns; /* of all requests so far, those in the lane included */
} lane;
/* Kinds of fsim_event. */
enum {
    LANE_EVENT_DONE,  /* of a request that is accounted for: its instance is free */
    LANE_EVENT_READY, /* of the instance; its request begins */
    LANE_EVENT_END    /* of a request that is accounted for now */
};

/* What a thread brings along for the lanes it works on. */
typedef struct lane_context {
    engine *e;            /* setting and functions; the run's own levels only where `alone` */
    fsim_ns until_ns;     /* the end of the run */
    lane_changes changes; /* noted here, unless the function is alone */
    collector shared;     /* of the functions that have no histograms of their own */
    bool alone;           /* the run has one function: its levels are the run's */
    bool windows;         /* CPU is metered window by window; else each function uses it at one rate */
    bool failed;          /* out of memory */
} lane_context;

/* Arrivals of one function, in order of time. rate_ucore: CPU of each alone; NULL: the function's. */
typedef struct lane_arrivals {
    const fsim_ns *at_ns, *service_ns;
    const uint32_t *rate_ucore;
    uint32_t count;
} lane_arrivals;

/* Whether the function can be a lane at all; e->functions[fn] is set up. */
bool lane_fits(const engine *e, const function *f);
/* False: out of memory. */
bool lane_init(lane *l, const engine *e, const function *f);
void lane_deinit(lane *l);
/* Serves the arrivals, all at or before to_ns, and then every event up to it. Without memory c->failed is set
 * and the lane is of no use any more. */
void lane_run(lane_context *c, uint32_t fn, lane *l, const lane_arrivals *arrivals, fsim_ns to_ns);
/* The next instant at which something happens without an arrival; FSIM_NEVER: never. */
fsim_ns lane_next_ns(const lane *l);
/* The run is over: what is still there is counted and metered, and the lane's sums become the function's. */
void lane_finish(lane_context *c, uint32_t fn, lane *l, fsim_ns end_ns);
/* Copies the requests in execution to where the time series looks for them, in a run of one function. */
void lane_show(const lane *l, function *f);

/* lanes.c: a run all of whose functions are lanes. False: it is not of that kind, nothing was done. */
bool lanes_simulate(engine *e);
void lanes_destroy(lanes *s); /* NULL allowed */
/* lanes_merge.c: one change of the run as a whole. */
void lanes_apply(engine *e, fsim_ns at_ns, lane_change what);

#endif
