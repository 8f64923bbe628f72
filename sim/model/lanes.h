/* Inside of a run of lanes, shared by the lane*.c files; see lane.h.
 *
 * Time goes in blocks, and a block through two hands: it is filled (arrivals of each function, from them the
 * changes, and the statistics as if all were warm), and passed (the changes sorted and followed; of those
 * that are not warm, the statistics undone). With several threads two blocks are under way, one in each hand;
 * one thread takes a block through both before the next. Filling goes function by function, in tasks that any
 * number of threads take; the pass is a task beside them. What a task writes belongs to it or to its
 * functions alone, and what is put together is a sum or sorted, so the result does not depend on who did
 * what. */
#ifndef FSIM_MODEL_LANES_H
#define FSIM_MODEL_LANES_H

#include "model/crew.h"
#include "model/lane.h"
#include "model/lane_notes.h"

enum {
    LANES_TASKS = 16,
    LANES_BLOCKS = 2,
    LANES_BLOCK_LEAST = 1 << 14, /* arrivals of a block: some for each function, in the second-level cache */
    LANES_BLOCK_MOST = 1 << 18,
    LANES_PER_FUNCTION = 16,
    LANES_PARTS_BITS = 10 /* parts of a block's changes, at most */
};

/* Requests of one function in one block. */
typedef struct lanes_span {
    uint32_t fn;
    uint32_t first, count;      /* in the columns */
    uint32_t before;            /* lane_rest.filled when the block was begun */
    uint64_t least_ns, most_ns; /* durations of those that are taken to be warm */
    bool long_way;              /* one of them, at least, went it: its duration is 0 now */
} lanes_span;

/* What one task has put into a block. */
typedef struct lanes_part {
    uint64_t *word; /* its changes, those of the first part of the block's time first */
    uint32_t word_capacity;
    uint32_t split[1 << LANES_PARTS_BITS]; /* where each part of the time ends among them */
    lanes_span *span;
    uint32_t spans, span_capacity;
    uint32_t *odd; /* functions with a request that is not whole and warm whatever happens */
    uint32_t odds, odd_capacity;
    /* streams: columns of their own */
    fsim_ns *at_ns, *service_ns;
    uint32_t arrivals, capacity;
} lanes_part;

typedef struct lanes_block {
    fsim_ns from_ns, to_ns; /* everything in (from_ns, to_ns]; of the first also what is at 0 */
    uint32_t fn_bits;
    uint32_t split_bits, split_shift; /* 2^split_bits parts of its time: the highest bits of a change */
    bool filled;
    lanes_part part[LANES_TASKS];
    uint32_t *span_of; /* by function: task << LANES_SPAN_BITS | its place there; only of those in a span */
    uint32_t span_of_capacity;
    /* a workload in order of time: its arrivals as they came, and columns by function */
    uint32_t arrivals;
    bool drawn; /* as in `lanes` */
    fsim_fn_id *came_fn;
    fsim_ns *came_ns, *grouped_ns;
    const fsim_ns *at_ns; /* one of them */
    fsim_ns *service_ns;
    uint32_t room;
} lanes_block;
enum { LANES_SPAN_BITS = 27 };
_Static_assert(LANES_TASKS <= 1 << (32 - LANES_SPAN_BITS), "both fit a word");

/* The end of an execution that lies beyond the block. */
typedef struct lanes_end {
    fsim_ns at_ns;
    uint32_t fn;
} lanes_end;

/* That of a warm request is its latency, too. */
typedef struct lanes_duration {
    fsim_ns service_ns;
    uint32_t fn;
} lanes_duration;

typedef struct lanes_task {
    collector shared;    /* of the functions that have no histograms of their own */
    uint32_t first, end; /* functions: by id, or by place among the streams */
    uint64_t *word;      /* changes of the block that is filled: ((instant - from_ns) * 2 + begins) << fn_bits
                            | fn; without beginnings where these came in order of time */
    uint32_t words, word_capacity;
    lanes_end *later;
    uint32_t laters, later_capacity;
    bool failed; /* out of memory */
    fsim_status status;
    fsim_error err;
    fsim_source_scratch scratch;
} lanes_task;

/* What seldom happens, kinds of events of the run's queue: READY and END of a lane_request, EXPIRY of a
 * function. */
enum { LANES_READY, LANES_END, LANES_EXPIRY };

typedef struct lanes_pass {
    lane_struck struck;
    lane_ties ties;
    uint32_t open; /* requests that start or execute */
    lane_request *request;
    uint32_t requests, request_capacity, request_free;
    fsim_ns last_ns;        /* when something last happened */
    collector shared;       /* as in a task */
    lanes_duration *direct; /* of warm requests that went the long way: their histogram is in use */
    uint32_t directs, direct_capacity;
    lanes_duration *undone; /* of requests that were counted as warm, and are not */
    uint32_t undones, undone_capacity;
    bool failed;
} lanes_pass;

struct lanes {
    engine *e;
    lane *lane;
    lane_rest *rest;
    uint32_t count, capacity;
    crew *crew;
    lanes_task *task; /* LANES_TASKS */
    lanes_block block[LANES_BLOCKS];
    uint32_t turn;    /* the block that is filled next */
    fsim_ns from_ns;  /* up to here blocks are filled */
    uint32_t fn_bits; /* of a function in a change */
    bool alone;       /* the run has one function, whose executions are the run's */
    bool newest;      /* all functions are routed to the newest idle instance */
    lanes_pass pass;

    /* A workload in order of time: what is to become a block. */
    uint32_t arrivals, room;
    bool drawn; /* all their durations are left open, and are not in service_ns */
    fsim_fn_id *fn;
    fsim_ns *at_ns, *service_ns;
    uint32_t *start; /* of each function; count + 2 entries */

    /* A workload whose functions are streams of their own. */
    bool by_stream, ended; /* ended: no more arrivals */
    fsim_source_streams streams;
    fsim_ns *due_ns;  /* of each: the next arrival */
    uint64_t arrived; /* in the last block */
    uint32_t buckets; /* of a block, or … */
    uint32_t parts;   /* … parts of a bucket, where one holds too much */

    bool pass_aside; /* a task of its own: only if marks need no memory of the engine's (none can be asked for
                        outside the thread of the run) */
    uint64_t changes; /* of the block that was filled last */
    uint64_t *sorted; /* those of a part; twice sorted_capacity: as much again while it is made */
    uint32_t sorted_capacity;
};

/* How many bits n takes; 0 takes one. */
static inline uint32_t lanes_bits_of(uint64_t n) {
    return 64u - (uint32_t)__builtin_clzll(n | 1u);
}

/* It finds an end at which nothing is cut, in this run. */
static inline bool lanes_is_whole(const lanes *s, const function *f, fsim_ns at_ns, fsim_ns service_ns) {
    return service_ns > 0 && service_ns <= f->timeout_ns && service_ns <= s->e->scenario->until_ns - at_ns;
}

/* What the block has of one of its functions. */
typedef struct lanes_columns {
    lanes_span *span;
    const fsim_ns *at_ns; /* span->count of them */
    fsim_ns *service_ns;
} lanes_columns;

static inline lanes_columns lanes_span_columns(const lanes *s, const lanes_block *b, const lanes_part *part,
                                               lanes_span *span) {
    return (lanes_columns){.span = span,
                           .at_ns = (s->by_stream ? part->at_ns : b->at_ns) + span->first,
                           .service_ns = (s->by_stream ? part->service_ns : b->service_ns) + span->first};
}
static inline lanes_columns lanes_columns_of(const lanes *s, const lanes_block *b, uint32_t fn) {
    uint32_t word = b->span_of[fn];
    const lanes_part *part = &b->part[word >> LANES_SPAN_BITS];
    return lanes_span_columns(s, b, part, &part->span[word & ((1u << LANES_SPAN_BITS) - 1u)]);
}

/* lanes_block.c */
/* Room for `need` items of `size` bytes in all in what `array` points to; amortised O(1) an item, on any
 * thread. False: out of memory, nothing changed. */
bool lanes_room(void *array, uint64_t need, uint32_t *capacity, size_t size);
void lanes_reserve(lanes *s, uint32_t room); /* arrivals that are to become a block */
void lanes_append(lanes *s, const fsim_arrivals *batch, uint32_t first, uint32_t end);
/* Fills a block up to to_ns with what was appended, or with what the streams have, and has the one before it
 * passed. */
void lanes_serve(lanes *s, fsim_ns to_ns);
/* The block that was filled last is passed. */
void lanes_flush(lanes *s);

/* lanes_sort.c: into how many parts the changes of a block are split, if there are about as many as in the
 * last one. */
void lanes_plan_split(lanes_block *b, uint64_t changes);
/* What a task has filled, split. False: out of memory. */
bool lanes_split(const lanes_block *b, const lanes_task *task, lanes_part *part);
/* Puts the block's changes in order of time and has them followed part by part, while they are in the cache.
 */
void lanes_sort(lanes *s, lanes_block *b);

/* lanes_pass.c */
/* In order of time, with a word above all behind them. */
void lanes_follow(lanes *s, lanes_block *b, const uint64_t *word, uint32_t count);
/* The same of two columns, each in order and with such a word behind it: what is before `limit`. Returns
 * the first end that is not. For a run of one function, and at most as many changes as its sums have room
 * for: lanes_can_follow_both. */
const uint64_t *lanes_follow_both(lanes *s, lanes_block *b, const uint64_t *begin, const uint64_t *end,
                                  uint64_t limit);
bool lanes_can_follow_both(lanes *s, const lanes_block *b, uint64_t count);
void lanes_pass_block(lanes *s, lanes_block *b);
/* What is still to come up to to_ns, when all blocks are passed. */
void lanes_pass_rest(lanes *s, fsim_ns to_ns);

/* lane_seldom.c */
squared_level *lanes_run_level(lanes *s); /* requests in execution of the whole run */
void lanes_arrive(lanes *s, lanes_block *b, uint32_t fn, fsim_ns at_ns); /* the function's next request */
void lanes_leave(lanes *s, uint32_t fn, fsim_ns at_ns);                  /* a warm one ends */
void lanes_happen(lanes *s, const lanes_block *b, fsim_event event);
void lanes_hold(lanes *s, uint32_t fn, bool on); /* all its requests go the long way */
/* The block is followed: what is remembered of it where an instance starts. */
void lanes_remember(lanes *s, const lanes_block *b);
/* The run is over: what is still there is counted and metered, and the lanes' sums become the functions'. */
void lanes_finish(lanes *s, fsim_ns end_ns);

#endif
