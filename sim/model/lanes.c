/* A run all of whose functions are lanes (lane.h): arrivals are gathered into blocks, sorted by function, and
 * served function by function; then what the functions have changed is put in order of time. */
#include "model/lane.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_LEAST = 1 << 14, /* arrivals of a block: some for each function, in the second-level cache */
    BLOCK_MOST = 1 << 18,
    PER_LANE = 16,
    SLOTS_MAX = 1 << 16,
    BATCHES_BETWEEN_PROGRESS = 64,
    FAR = 4, /* functions ahead of the one that is served */
    NEAR = 2,
    INSTANCES_NEAR = 6
};

struct lanes {
    engine *e;
    lane *lane;
    uint32_t count, capacity;
    lane_context context;

    /* The block: in order of time, then by function. */
    uint32_t arrivals, room;
    fsim_fn_id *fn;
    fsim_ns *at_ns, *service_ns, *cpu_ns;
    fsim_ns *own_at_ns, *own_service_ns, *own_cpu_ns;
    uint32_t *rate_ucore;
    uint32_t *start; /* of each function; count + 1 entries */
    bool has_cpu, ended;

    uint64_t *sorted;
    uint32_t *slots; /* SLOTS_MAX + 1 */
    uint32_t sorted_capacity;
};

void lanes_destroy(lanes *s) {
    if (s == NULL) {
        return;
    }
    for (uint32_t fn = 0; fn < s->count; fn++) {
        lane_deinit(&s->lane[fn]);
    }
    void *arrays[] = {s->lane,
                      s->fn,
                      s->at_ns,
                      s->service_ns,
                      s->cpu_ns,
                      s->own_at_ns,
                      s->own_service_ns,
                      s->own_cpu_ns,
                      s->rate_ucore,
                      s->start,
                      s->sorted,
                      s->slots,
                      s->context.changes.word};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) {
        free(arrays[k]);
    }
    free(s);
}

/* ---- whether it is such a run ---- */

/* What functions that the workload brings along later will be like. */
static bool template_fits(const fsim_fn_spec *s) {
    return engine_is_plain(s) && s->freeze && s->min_instances == 0 && s->max_instances == FSIM_UNLIMITED &&
           s->initial_instances == 0;
}

static bool applies(const engine *e) {
    const fsim_scenario *s = e->scenario;
    bool fits = e->fast && e->early && !e->has_account && e->region_limiter.limit == NULL &&
                e->warmup_ns == 0 && s->windows_every_ns == 0 && e->books == NULL && e->closed_count == 0 &&
                e->alive == 0 && fsim_event_queue_size(&e->queue) == 0 && e->function_count != 0 &&
                !fsim_workload_describes(e->workload) &&
                template_fits(fsim_function_table_template(e->table));
    for (uint32_t fn = 0; fits && fn < e->function_count; fn++) {
        fits = lane_fits(e, &e->functions[fn]);
    }
    return fits;
}

/* ---- functions ---- */

static void add_lanes(lanes *s) {
    engine *e = s->e;
    if (fsim_function_table_count(e->table) > e->function_count) {
        if (s->context.alone) { /* not any more: what it was for the run, it is from now on for itself */
            lane_show(&s->lane[0], &e->functions[0]);
            s->context.alone = false;
            s->context.changes.from_ns = e->now_ns;
        }
        engine_add_functions(e);
    }
    if (e->function_count > s->capacity) {
        uint32_t capacity = e->function_count + e->function_count / 2u;
        s->lane = engine_grow_lines(e, s->lane, s->count, capacity, sizeof *s->lane);
        s->start = engine_grow(e, s->start, capacity + 2u, sizeof *s->start);
        s->capacity = capacity;
    }
    for (; s->count < e->function_count; s->count++) {
        if (!lane_init(&s->lane[s->count], e, &e->functions[s->count])) {
            engine_no_memory(e);
        }
    }
}

/* ---- the run as a whole ---- */

void lanes_apply(engine *e, fsim_ns at_ns, lane_change what) {
    switch (what) {
    case LANE_LEAVE:
    case LANE_LEAVE_AT_ONCE: e->seen.completed++; __attribute__((fallthrough));
    case LANE_FAIL:
    case LANE_FAIL_AT_ONCE:
        if (e->many) {
            squared_leave(&e->in_execution, at_ns);
        }
        break;
    case LANE_REMOVED:
        level_leave(&e->present, at_ns - 1);
        e->alive--;
        break;
    case LANE_READY:
        level_leave(&e->starting, at_ns);
        if (e->many) {
            squared_enter(&e->in_execution, at_ns);
        }
        break;
    case LANE_ENTER:
        e->seen.arrived++;
        if (e->many) {
            squared_enter(&e->in_execution, at_ns);
        }
        break;
    case LANE_COLD:
        e->seen.arrived++;
        e->seen.cold++;
        level_enter(&e->present, at_ns);
        level_enter(&e->starting, at_ns);
        if (++e->alive > e->alive_peak) {
            e->alive_peak = e->alive;
            e->growth_at_ns = at_ns;
        }
        break;
    }
}

/* By counting into slots of equal length, then by insertion. */
static void sort_changes(lanes *s) {
    const lane_changes *changes = &s->context.changes;
    uint32_t count = changes->count, bits = 32u - (uint32_t)__builtin_clz(count | 1u);
    if (count > s->sorted_capacity) {
        s->sorted_capacity = changes->capacity;
        free(s->sorted);
        s->sorted = engine_grow(s->e, NULL, s->sorted_capacity, sizeof *s->sorted);
    }
    if (s->slots == NULL) {
        s->slots = engine_grow(s->e, NULL, SLOTS_MAX + 1u, sizeof *s->slots);
    }
    uint64_t any = 0;
    for (uint32_t k = 0; k < count; k++) {
        any |= changes->word[k];
    }
    uint32_t wide = 64u - (uint32_t)__builtin_clzll(any | 1u);
    bits = bits > 16u ? 16u : bits;
    uint32_t shift = wide > bits ? wide - bits : 0u, slots = 1u << bits;
    memset(s->slots, 0, (slots + 1u) * sizeof *s->slots);
    for (uint32_t k = 0; k < count; k++) {
        s->slots[(changes->word[k] >> shift) + 1u]++;
    }
    for (uint32_t k = 1; k <= slots; k++) {
        s->slots[k] += s->slots[k - 1u];
    }
    for (uint32_t k = 0; k < count; k++) {
        s->sorted[s->slots[changes->word[k] >> shift]++] = changes->word[k];
    }
    for (uint32_t k = 1; k < count; k++) {
        uint64_t word = s->sorted[k];
        uint32_t to = k;
        for (; to > 0 && s->sorted[to - 1u] > word; to--) {
            s->sorted[to] = s->sorted[to - 1u];
        }
        s->sorted[to] = word;
    }
}

/* Executions that begin and end are nearly all of it and alternate at random: counted without a branch. */
static uint32_t apply_common(engine *e, const uint64_t *word, uint32_t k, uint32_t count, fsim_ns from_ns) {
    if (e->mark_ns < from_ns) {
        return k;
    }
    squared_level x = e->in_execution;
    uint64_t arrived = 0, completed = 0, last = (uint64_t)(e->mark_ns - from_ns);
    last =
        last >= UINT64_MAX >> LANE_CHANGE_BITS ? UINT64_MAX : (last << LANE_CHANGE_BITS | LANE_CHANGE_MASK);
    for (; k < count && word[k] <= last; k++) {
        uint64_t what = word[k] & LANE_CHANGE_MASK;
        uint64_t enters = what == LANE_ENTER;
        if (what != LANE_LEAVE && !enters) {
            break;
        }
        int64_t at_ns = from_ns + (fsim_ns)(word[k] >> LANE_CHANGE_BITS);
        int64_t step = enters ? 1 : -1;
        uint64_t before = x.level.n, n = before + (uint64_t)step;
        x.level.acc -= step * at_ns;
        x.level.n = n;
        x.level.peak = n > x.level.peak ? n : x.level.peak;
        x.square_acc -= (fsim_wide)(step * (int64_t)(before + n)) * at_ns;
        arrived += enters;
        completed += 1u - enters;
    }
    e->in_execution = x;
    e->seen.arrived += arrived;
    e->seen.completed += completed;
    return k;
}

static void apply_changes(lanes *s) {
    engine *e = s->e;
    lane_changes *changes = &s->context.changes;
    if (changes->count == 0) {
        return;
    }
    sort_changes(s);
    for (uint32_t k = 0; k < changes->count;) {
        k = apply_common(e, s->sorted, k, changes->count, changes->from_ns);
        if (k < changes->count) {
            fsim_ns at_ns = changes->from_ns + (fsim_ns)(s->sorted[k] >> LANE_CHANGE_BITS);
            if (at_ns > e->mark_ns) {
                engine_marks(e, at_ns);
            }
            lanes_apply(e, at_ns, (lane_change)(s->sorted[k] & LANE_CHANGE_MASK));
            k++;
        }
    }
    changes->count = 0;
}

/* ---- one function ---- */

/* Cut where a mark is due, so that it sees what it should. */
static void serve_alone(lanes *s, const fsim_arrivals *batch, uint32_t count) {
    engine *e = s->e;
    for (uint32_t k = 0; k < batch->count && batch->has_cpu; k++) {
        s->rate_ucore[k] = engine_rate(e, batch, k);
    }
    for (uint32_t k = 0; k < count && !s->context.failed;) {
        uint32_t end = k;
        while (end < count && batch->at_ns[end] <= e->mark_ns) {
            end++;
        }
        lane_arrivals arrivals = {.at_ns = batch->at_ns + k,
                                  .service_ns = batch->service_ns + k,
                                  .rate_ucore = batch->has_cpu ? s->rate_ucore + k : NULL,
                                  .count = end - k};
        lane_run(&s->context, 0, &s->lane[0], &arrivals, end < count ? e->mark_ns : batch->at_ns[end - 1u]);
        if (end < count) {
            lane_show(&s->lane[0], &e->functions[0]);
            engine_marks(e, e->mark_ns + 1);
        }
        k = end;
    }
}

/* ---- many ---- */

static void reserve_block(lanes *s, uint32_t room) {
    engine *e = s->e;
    if (room <= s->room) {
        return;
    }
    s->fn = engine_grow(e, s->fn, room, sizeof *s->fn);
    s->at_ns = engine_grow(e, s->at_ns, room, sizeof *s->at_ns);
    s->service_ns = engine_grow(e, s->service_ns, room, sizeof *s->service_ns);
    s->cpu_ns = engine_grow(e, s->cpu_ns, room, sizeof *s->cpu_ns);
    s->own_at_ns = engine_grow(e, s->own_at_ns, room, sizeof *s->own_at_ns);
    s->own_service_ns = engine_grow(e, s->own_service_ns, room, sizeof *s->own_service_ns);
    s->own_cpu_ns = engine_grow(e, s->own_cpu_ns, room, sizeof *s->own_cpu_ns);
    s->rate_ucore = engine_grow(e, s->rate_ucore, room, sizeof *s->rate_ucore);
    s->room = room;
}

static void append(lanes *s, const fsim_arrivals *batch, uint32_t count) {
    uint32_t to = s->arrivals;
    memcpy(s->fn + to, batch->fn, count * sizeof *s->fn);
    memcpy(s->at_ns + to, batch->at_ns, count * sizeof *s->at_ns);
    memcpy(s->service_ns + to, batch->service_ns, count * sizeof *s->service_ns);
    for (uint32_t k = 0; k < to && batch->has_cpu && !s->has_cpu; k++) {
        s->cpu_ns[k] = FSIM_DRAW;
    }
    s->has_cpu |= batch->has_cpu;
    for (uint32_t k = 0; k < count && s->has_cpu; k++) {
        s->cpu_ns[to + k] = batch->has_cpu ? batch->cpu_ns[k] : FSIM_DRAW;
    }
    s->arrivals += count;
}

/* A stable counting sort of the block by function. */
static void group(lanes *s) {
    uint32_t *start = s->start;
    memset(start, 0, (s->count + 2u) * sizeof *start);
    for (uint32_t k = 0; k < s->arrivals; k++) {
        start[s->fn[k] + 2u]++;
    }
    for (uint32_t fn = 2; fn < s->count + 2u; fn++) {
        start[fn] += start[fn - 1u];
    }
    for (uint32_t k = 0; k < s->arrivals; k++) { /* start[fn + 1] moves from the begin of fn to its end */
        uint32_t to = start[s->fn[k] + 1u]++;
        s->own_at_ns[to] = s->at_ns[k];
        s->own_service_ns[to] = s->service_ns[k];
        if (s->has_cpu) {
            s->own_cpu_ns[to] = s->cpu_ns[k];
        }
    }
}

static void serve_function(lanes *s, uint32_t fn, fsim_ns to_ns) {
    engine *e = s->e;
    uint32_t first = s->start[fn], count = s->start[fn + 1u] - first;
    lane *l = &s->lane[fn];
    if (count == 0 && lane_next_ns(l) > to_ns) {
        return;
    }
    fsim_status status =
        count == 0 ? FSIM_OK : fsim_workload_draw(e->workload, fn, s->own_service_ns + first, count, e->err);
    if (status != FSIM_OK) {
        engine_fail(e, status);
        return;
    }
    for (uint32_t k = first; k < first + count && s->has_cpu; k++) {
        s->rate_ucore[k] = engine_rate_of(&e->functions[fn], s->own_cpu_ns[k], s->own_service_ns[k]);
    }
    lane_arrivals arrivals = {.at_ns = s->own_at_ns + first,
                              .service_ns = s->own_service_ns + first,
                              .rate_ucore = s->has_cpu ? s->rate_ucore + first : NULL,
                              .count = count};
    lane_run(&s->context, fn, l, &arrivals, to_ns);
}

static void prefetch_lines(const void *first, uint32_t lines) {
    for (uint32_t k = 0; k < lines; k++) {
        __builtin_prefetch((const char *)first + 64u * k, 1);
    }
}

/* What the next functions need comes in while this one is served: first what is known, then what that leads
 * to. */
static void prefetch_functions(const lanes *s, uint32_t fn) {
    if (fn + FAR < s->count) {
        prefetch_lines(&s->lane[fn + FAR], sizeof(lane) / 64u);
        prefetch_lines(&s->e->functions[fn + FAR], 3);
    }
    if (fn + NEAR < s->count) {
        const lane *l = &s->lane[fn + NEAR];
        uint32_t instances = l->instance_count < INSTANCES_NEAR ? l->instance_count : INSTANCES_NEAR;
        __builtin_prefetch(&l->pending[l->head], 1);
        __builtin_prefetch(&l->idle[(l->idle_tail - 1u) & l->idle_mask], 1);
        for (uint32_t i = 0; i < instances; i++) {
            __builtin_prefetch(&l->instances[i], 1);
        }
    }
}

/* Serves the block and everything up to to_ns. */
static void serve_block(lanes *s, fsim_ns to_ns) {
    group(s);
    for (uint32_t fn = 0; fn < s->count && s->e->status == FSIM_OK; fn++) {
        prefetch_functions(s, fn);
        serve_function(s, fn, to_ns);
    }
    apply_changes(s);
    s->arrivals = 0;
    s->has_cpu = false;
    s->context.changes.from_ns = to_ns;
}

/* ---- the run ---- */

static uint32_t block_aim(const lanes *s) {
    uint64_t aim = (uint64_t)PER_LANE * s->count;
    return aim < BLOCK_LEAST ? BLOCK_LEAST : aim > BLOCK_MOST ? BLOCK_MOST : (uint32_t)aim;
}

/* The next batch, in its block or served at once; false: there is no more. */
static bool take_batch(lanes *s) {
    engine *e = s->e;
    fsim_arrivals *batch = &e->batch;
    fsim_status status = fsim_workload_next_open(e->workload, batch, e->err);
    if (status != FSIM_OK) {
        engine_fail(e, status);
        return false;
    }
    add_lanes(s);
    uint32_t count = batch->count;
    while (count > 0 && batch->at_ns[count - 1u] > s->context.until_ns) {
        count--;
    }
    e->batches++;
    if (count > 0 && s->context.alone) {
        status = fsim_workload_draw(e->workload, 0, batch->service_ns, count, e->err);
        if (status != FSIM_OK) {
            engine_fail(e, status);
            return false;
        }
        serve_alone(s, batch, count);
        e->now_ns = batch->at_ns[count - 1u];
    } else if (count > 0) {
        append(s, batch, count);
        e->now_ns = batch->at_ns[count - 1u];
        if (s->arrivals + FSIM_BATCH > s->room) {
            serve_block(s, e->now_ns);
            reserve_block(s, block_aim(s));
        }
    }
    return count == batch->count && count > 0;
}

static fsim_ns end_of_lanes(const lanes *s) {
    fsim_ns end_ns = s->e->now_ns;
    if (s->context.until_ns != FSIM_NEVER && !s->e->stopped) {
        return s->context.until_ns;
    }
    for (uint32_t fn = 0; fn < s->count; fn++) {
        end_ns = s->lane[fn].last_end_ns > end_ns ? s->lane[fn].last_end_ns : end_ns;
    }
    return end_ns;
}

/* Until everybody has left, or until the end of the run. */
static void finish(lanes *s) {
    engine *e = s->e;
    if (s->context.alone) {
        fsim_ns end_ns = end_of_lanes(s);
        while (e->mark_ns < end_ns) {
            lane_run(&s->context, 0, &s->lane[0], &(lane_arrivals){0}, e->mark_ns);
            lane_show(&s->lane[0], &e->functions[0]);
            engine_marks(e, e->mark_ns + 1);
        }
        lane_run(&s->context, 0, &s->lane[0], &(lane_arrivals){0}, end_ns);
    } else {
        serve_block(s, e->now_ns); /* what was gathered; from then on the end is known */
        serve_block(s, end_of_lanes(s));
    }
    e->now_ns = e->left_at_ns = end_of_lanes(s);
    for (uint32_t fn = 0; fn < s->count; fn++) {
        lane_finish(&s->context, fn, &s->lane[fn], e->now_ns);
    }
    e->events = e->seen.completed + e->seen.cold;
}

bool lanes_simulate(engine *e) {
    if (!applies(e)) {
        return false;
    }
    lanes *s = engine_grow(e, NULL, 1, sizeof *s);
    memset(s, 0, sizeof *s);
    e->lanes = s;
    s->e = e;
    s->context = (lane_context){.e = e, .until_ns = e->scenario->until_ns, .alone = e->function_count == 1};
    add_lanes(s);
    reserve_block(s, block_aim(s));
    while (!e->stopped && take_batch(s)) {
        if (e->batches % BATCHES_BETWEEN_PROGRESS == 0 && !engine_go_on(e)) {
            e->stopped = true;
        }
        if (s->context.failed) {
            engine_no_memory(e);
        }
    }
    if (e->status == FSIM_OK) {
        finish(s);
    }
    if (s->context.failed) {
        engine_no_memory(e);
    }
    return true;
}
