/* Inside of a run of lanes, shared by the lanes_*.c files; see lane.h.
 *
 * Time goes in blocks. In one the functions are served in tasks, side by side where there are threads, and
 * beside them what the block before has changed is put in order of time: so the run's own levels follow one
 * block behind. What a task writes belongs to it or to its functions alone, and what is put together is a sum
 * or sorted, so the result does not depend on who did what. */
#ifndef FSIM_MODEL_LANES_H
#define FSIM_MODEL_LANES_H

#include "model/lane.h"

enum {
    LANES_TASKS = 16,
    LANES_BLOCK_LEAST = 1 << 14, /* arrivals of a block: some for each function, in the second-level cache */
    LANES_BLOCK_MOST = 1 << 18,
    LANES_PER_FUNCTION = 16
};

typedef struct lanes_task {
    lane_context context;
    lane_changes before; /* of the block before */
    uint32_t first, end; /* functions: by id, or by place among the streams */
    uint64_t arrived;
    fsim_status status;
    fsim_error err;
    /* streams: a batch of one function */
    fsim_ns at_ns[FSIM_BATCH], service_ns[FSIM_BATCH];
    fsim_source_scratch scratch;
} lanes_task;

struct lanes {
    engine *e;
    lane *lane;
    uint32_t count, capacity;
    lanes_task *tasks;      /* LANES_TASKS */
    fsim_ns from_ns, to_ns; /* the block */
    bool alone;             /* so far the run has one function */
    bool ended;             /* no more arrivals */
    bool hold;              /* the run may end in the block: a function stops at its last arrival */

    /* A workload in order of time: the block, as it came and by function. */
    uint32_t arrivals, room;
    fsim_fn_id *fn;
    fsim_ns *at_ns, *service_ns, *cpu_ns;
    fsim_ns *own_at_ns, *own_service_ns, *own_cpu_ns;
    uint32_t *rate_ucore;
    uint32_t *start; /* of each function; count + 2 entries */
    bool has_cpu;

    /* A workload whose functions are streams of their own. */
    bool by_stream;
    fsim_source_streams streams;
    fsim_ns *due_ns;  /* of each: nothing arrives or happens before */
    uint32_t buckets; /* of a block, or … */
    uint32_t parts;   /* … parts of a bucket, where one holds too much */

    /* Putting in order; as a task of its own only if it needs no memory of the engine's (none can be asked
     * for outside the thread of the run). */
    bool merge_aside;
    bool merges;      /* there is something to put in order beside this block */
    uint64_t *sorted; /* twice sorted_capacity: as much again while it is made */
    uint32_t sorted_capacity, change_count;
    bool sort_failed;
};

static inline uint32_t lanes_aim(const lanes *s) {
    uint64_t aim = (uint64_t)LANES_PER_FUNCTION * s->count;
    return aim < LANES_BLOCK_LEAST  ? LANES_BLOCK_LEAST
           : aim > LANES_BLOCK_MOST ? LANES_BLOCK_MOST
                                    : (uint32_t)aim;
}

/* lanes_block.c */
void lanes_reserve_block(lanes *s, uint32_t room);
void lanes_append(lanes *s, const fsim_arrivals *batch, uint32_t count);
/* Serves what was appended, or what the streams have, and everything else up to to_ns. */
void lanes_serve(lanes *s, fsim_ns to_ns);

/* lanes_merge.c: puts what the block before has changed in order and applies it to the run as a whole. */
void lanes_merge(lanes *s);

#endif
