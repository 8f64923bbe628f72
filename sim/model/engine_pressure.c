/* Memory pressure: one bounded memory for all instances. A start that lacks room removes idle instances, the
 * lowest rank of the keep-alive policy first, ties by the name of the function.
 *
 * Of each function its longest idle instance is in question; a heap orders the functions by its rank. What
 * uses and idle instances change is only noted (engine_touched), once for each function, and brought into
 * the heap when room is needed: a request costs a flag, a removal O(log functions) for each function touched
 * since the one before. */
#include "model/engine.h"

#include <string.h>

static bool by_name(const void *user, uint32_t a, uint32_t b) {
    const engine *e = user;
    return strcmp(e->functions[a].name, e->functions[b].name) < 0;
}

void engine_pressure_add_functions(engine *e) {
    e->pressure.before = by_name;
    e->pressure.user = e;
    if (!fsim_rank_heap_reserve(&e->pressure, e->function_capacity)) {
        engine_no_memory(e);
    }
    e->touched = engine_grow(e, e->touched, e->function_capacity, sizeof *e->touched);
}

void engine_touched(engine *e, function *f) {
    if (!f->touched) {
        f->touched = true;
        e->touched[e->touched_count++] = (uint32_t)(f - e->functions);
    }
}

/* A use ranks the instance, or all of its function. Memory that is in use cannot be reclaimed. */
void engine_used(engine *e, function *f, uint32_t i) {
    f->uses++;
    e->instance_uses[i]++;
    if (!e->instances[i].provisioned) {
        e->pool_idle_mb -= f->spec.memory_mb;
    }
    fsim_use_view use = {.now_ns = e->now_ns,
                         .cold_start_s = f->cold_mean_s,
                         .memory_mb = f->spec.memory_mb,
                         .frequency = f->uses,
                         .instances = f->alive,
                         .clock = e->pressure_clock};
    double rank = e->scenario->keepalive->rank(&use);
    f->rank = rank;
    e->instance_rank[i] = rank;
    engine_touched(e, f);
}

static void bring_in(engine *e, uint32_t fn) {
    function *f = &e->functions[fn];
    uint32_t i = f->fleet[0].idle_oldest;
    f->touched = false;
    if (i == FSIM_NONE) {
        fsim_rank_heap_drop(&e->pressure, fn);
    } else {
        bool of_function = e->scenario->keepalive->rank_is_of_function;
        fsim_rank_heap_set(&e->pressure, fn, of_function ? f->rank : e->instance_rank[i]);
    }
}

void engine_make_room(engine *e, int64_t memory_mb) {
    while (e->pool_used_mb + memory_mb > e->pool_mb) {
        while (e->touched_count != 0) {
            bring_in(e, e->touched[--e->touched_count]);
        }
        uint32_t fn = fsim_rank_heap_first(&e->pressure);
        if (fn == FSIM_RANK_NONE) {
            return; /* provisioned and least instances start whether there is room or not */
        }
        e->pressure_clock = e->pressure.rank[fn];
        engine_remove(e, e->functions[fn].fleet[0].idle_oldest, 0);
    }
}
