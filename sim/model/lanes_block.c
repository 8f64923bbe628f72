/* One block of time, function by function: see lanes.h. */
#include "model/lanes.h"

#include <string.h>

enum {
    FAR = 4, /* functions ahead of the one that is served */
    NEAR = 2,
    INSTANCES_NEAR = 6
};

/* ---- what has come in order of time ---- */

void lanes_reserve_block(lanes *s, uint32_t room) {
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

void lanes_append(lanes *s, const fsim_arrivals *batch, uint32_t count) {
    uint32_t to = s->arrivals;
    fsim_check(to + count <= s->room);
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

static void serve_grouped(lanes *s, lanes_task *task, uint32_t fn) {
    const function *f = &s->e->functions[fn];
    uint32_t first = s->start[fn], count = s->start[fn + 1u] - first;
    if (count == 0 && lane_next_ns(&s->lane[fn]) > s->to_ns) {
        return;
    }
    if (count != 0) {
        task->status = fsim_workload_draw(s->e->workload, fn, s->own_service_ns + first, count, &task->err);
    }
    for (uint32_t k = first; k < first + count && s->has_cpu; k++) {
        s->rate_ucore[k] = engine_rate_of(f, s->own_cpu_ns[k], s->own_service_ns[k]);
    }
    lane_arrivals arrivals = {.at_ns = s->own_at_ns + first,
                              .service_ns = s->own_service_ns + first,
                              .rate_ucore = s->has_cpu ? s->rate_ucore + first : NULL,
                              .count = count};
    if (task->status == FSIM_OK) {
        lane_run(&task->context, fn, &s->lane[fn], &arrivals, s->to_ns);
    }
    task->arrived += count;
}

/* ---- streams ---- */

static void serve_stream(lanes *s, lanes_task *task, uint32_t k) {
    fsim_workload *workload = s->e->workload;
    uint32_t fn = s->streams.ids[k], count;
    lane *l = &s->lane[fn];
    if (s->due_ns[k] > s->to_ns) {
        return;
    }
    do {
        count = s->ended ? 0
                         : fsim_workload_take(workload, k, s->to_ns + 1, task->at_ns, task->service_ns,
                                              FSIM_BATCH, s->parts == 1 ? &task->scratch : NULL);
        if (count == 0 && s->hold) {
            return;
        }
        if (count != 0) {
            task->status = fsim_workload_draw(workload, fn, task->service_ns, count, &task->err);
        }
        if (task->status == FSIM_OK) {
            lane_run(&task->context, fn, l,
                     &(lane_arrivals){.at_ns = task->at_ns, .service_ns = task->service_ns, .count = count},
                     count == FSIM_BATCH || s->hold ? task->at_ns[count - 1u] : s->to_ns);
        }
        task->arrived += count;
    } while (count == FSIM_BATCH && task->status == FSIM_OK);
    fsim_ns event_ns = lane_next_ns(l), arrival_ns = fsim_workload_next_ns(workload, k);
    s->due_ns[k] = event_ns < arrival_ns ? event_ns : arrival_ns;
}

/* ---- tasks ---- */

static void prefetch_lines(const void *first, uint32_t lines) {
    for (uint32_t k = 0; k < lines; k++) {
        __builtin_prefetch((const char *)first + 64u * k, 1);
    }
}

static uint32_t function_at(const lanes *s, uint32_t place) {
    return s->by_stream ? s->streams.ids[place] : place;
}

static bool is_due(const lanes *s, uint32_t place) {
    return !s->by_stream || s->due_ns[place] <= s->to_ns;
}

/* What the next functions need comes in while this one is served: first what is known, then what that leads
 * to. */
static void prefetch_functions(const lanes *s, const lanes_task *task, uint32_t place) {
    if (place + FAR < task->end && is_due(s, place + FAR)) {
        uint32_t fn = function_at(s, place + FAR);
        prefetch_lines(&s->lane[fn], sizeof(lane) / 64u);
        prefetch_lines(&s->e->functions[fn], 3);
    }
    if (place + NEAR < task->end && is_due(s, place + NEAR)) {
        const lane *l = &s->lane[function_at(s, place + NEAR)];
        uint32_t instances = !task->context.windows               ? 0 /* they are not touched */
                             : l->instance_count < INSTANCES_NEAR ? l->instance_count
                                                                  : INSTANCES_NEAR;
        __builtin_prefetch(&l->pending[l->head], 1);
        __builtin_prefetch(&l->idle[(l->idle_tail - 1u) & l->idle_mask], 1);
        for (uint32_t i = 0; i < instances; i++) {
            __builtin_prefetch(&l->instances[i], 1);
        }
    }
}

static void serve_task(lanes *s, lanes_task *task) {
    task->arrived = 0;
    for (uint32_t place = task->first; place < task->end && task->status == FSIM_OK && !task->context.failed;
         place++) {
        prefetch_functions(s, task, place);
        if (s->by_stream) {
            serve_stream(s, task, place);
        } else {
            serve_grouped(s, task, place);
        }
    }
}

static void do_task(void *user, uint32_t i) {
    lanes *s = user;
    if (i != 0) {
        serve_task(s, &s->tasks[i - 1u]);
    } else if (s->merges && s->merge_aside) {
        lanes_merge(s);
    }
}

/* Parts of about equal work: by the arrivals of the functions so far. */
static void divide(lanes *s) {
    uint32_t places = s->by_stream ? s->streams.count : s->count, place = 0;
    uint64_t total = 0, before = 0;
    for (uint32_t k = 0; k < places; k++) {
        total += s->lane[function_at(s, k)].sums.arrived + 1u;
    }
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        uint64_t until = total * (t + 1u) / LANES_TASKS;
        s->tasks[t].first = place;
        while (place < places && before < until) {
            before += s->lane[function_at(s, place++)].sums.arrived + 1u;
        }
        s->tasks[t].end = place;
    }
}

static void turn_changes(lanes *s) {
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        lanes_task *task = &s->tasks[t];
        lane_changes used = task->before;
        task->before = task->context.changes;
        task->context.changes = used;
        task->context.changes.count = 0;
        task->context.changes.from_ns = s->from_ns;
    }
}

static void check_tasks(lanes *s) {
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        if (s->tasks[t].context.failed || s->sort_failed) {
            engine_no_memory(s->e);
        }
        if (s->tasks[t].status != FSIM_OK && s->e->status == FSIM_OK) {
            *s->e->err = s->tasks[t].err;
            engine_fail(s->e, s->tasks[t].status);
        }
    }
}

void lanes_serve(lanes *s, fsim_ns to_ns) {
    bool goes_on = s->hold && s->ended; /* with the changes of the block that was held */
    s->to_ns = to_ns;
    s->hold &= !s->ended;
    if (!s->by_stream) {
        group(s);
    }
    divide(s);
    if (!goes_on) {
        turn_changes(s);
    }
    s->merges = !goes_on;
    if (s->merges && !s->merge_aside) {
        lanes_merge(s);
    }
    fsim_parallel(s->e->options->threads, LANES_TASKS + 1u, do_task, s);
    check_tasks(s);
    s->arrivals = 0;
    s->has_cpu = false;
    s->from_ns = s->hold ? s->from_ns : to_ns;
}
