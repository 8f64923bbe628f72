/* A lane: the life of one function whose requests and instances depend on nothing outside it. One slot an
 * instance, started for the request that finds none idle, kept for a constant time, no limit, no queue. The
 * greater part of a public trace is of this kind.
 *
 * When a request arrives and finds an idle instance, its end is known. So every request of a block of time is
 * taken to be warm at first: two changes, of which nothing need be remembered but the instant, the function,
 * and whether an execution begins or ends. The changes of all functions are sorted, and one pass over them,
 * in order of time, keeps how many requests execute and since when instances are idle, without a branch in
 * doubt. The pass notices the request that finds no instance idle; this one, its start and its end go the
 * long way (model/lane_seldom.c), and its supposed end is struck out. What remains, statistics and meters of
 * the warm requests, is added up function by function, in tight loops over their columns.
 *
 * Which of its idle instances a request gets makes no difference but for how long the others stay idle:
 * instances have no names here. Where one of several goes it counts as the one that has been there longest,
 * which only the rounding of each life to milliseconds can tell (fsim_usage.residency_ms). So runs whose
 * books bill that go another way, and so do requests with CPU of their own: windows of the CPU threshold
 * belong to instances. With one rate of CPU all windows with a request in them are decided alike, and what is
 * active adds up to what is inside.
 *
 * At one instant ends come first, then what is seldom, then beginnings, in the order of functions or of
 * arrival. The result is that of the general way; the tests compare the two (tests/property). */
#ifndef FSIM_MODEL_LANE_H
#define FSIM_MODEL_LANE_H

#include "model/engine.h"

enum { LANE_FEW = 8 }; /* items of a ring that lies in its lane */

/* What the pass touches of a function: two cache lines, as long as it has few instances. */
typedef struct lane {
    _Alignas(64) fsim_ns *idle; /* ring: since when the idle instances are, in order: those before tail */
    uint32_t tail, mask;        /* modulo mask + 1; there is always room for one more */
    uint32_t bound[2]; /* with as many requests executing an end [0], a beginning [1] goes the long way */
    uint32_t executing, executing_peak;
    uint32_t ready;        /* instances: those that are not idle execute one request each */
    uint32_t seen;         /* arrivals so far, modulo 2^32 */
    bool newest;           /* routing: the newest idle instance, or the oldest */
    bool held;             /* all its requests go the long way */
    fsim_wide square_acc;  /* of the requests in execution, as in squared_level */
    fsim_ns few[LANE_FEW]; /* the ring while it is no larger */
} lane;

static inline uint32_t lane_idle_count(const lane *l) {
    return l->ready - l->executing;
}

/* The rest. The pass has what comes first, and who fills the blocks what comes then: they work side by side.
 */
typedef struct lane_rest {
    fsim_ns window_ns;
    fsim_wide executing_acc; /* as in level, of the requests that went the long way */
    fsim_ns *ready_ns;       /* ring like `idle`: when the instances that are there became ready */
    uint32_t ready_tail;
    uint32_t tied;              /* arrivals so far, modulo 2^32, whose ends lanes_pass.ties knows of */
    uint64_t least_ns, most_ns; /* durations of warm requests */

    _Alignas(64) short_sums sums;
    uint64_t digest;
    uint32_t filled; /* arrivals so far, modulo 2^32 */
    bool shares;     /* its histograms are those of the thread */
} lane_rest;

/* A request that goes the long way, and the instance that it is in. Where it is cold, this one's start begins
 * as the request arrives, and the execution begins as it is ready. */
typedef struct lane_request {
    fsim_ns arrival_ns, service_ns;
    union {
        uint64_t ends;      /* starting: lane_ties */
        fsim_ns begin_ns;   /* executing */
        uint32_t next_free; /* free */
    };
    uint32_t fn;
    uint8_t state; /* LANE_* below */
    bool cold, cut;
} lane_request;
enum { LANE_FREE, LANE_STARTING, LANE_EXECUTING };

/* Whether the function can be a lane at all; e->functions[fn] is set up. */
bool lane_fits(const engine *e, const function *f);
/* False: out of memory. */
bool lane_init(lane *l, lane_rest *rest, const engine *e, const function *f);
void lane_free_ring(lane *l);
void lane_moved(lane *l); /* it lies at another place than before */

/* lanes.c: a run all of whose functions are lanes. False: it is not of that kind; nothing was done, but the
 * first batch may have been read (engine.has_batch). */
bool lanes_simulate(engine *e);
void lanes_destroy(lanes *s); /* NULL allowed */

#endif
