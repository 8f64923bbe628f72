/* A run all of whose functions are lanes: whether it is one, its functions, its blocks, its end. See lanes.h.
 */
#include "model/lanes.h"

#include <stdlib.h>
#include <string.h>

enum { BATCHES_BETWEEN_PROGRESS = 64, BUCKETS_MAX = 1 << 10, PARTS_MAX = 1 << 10 };

void lanes_destroy(lanes *s) {
    if (s == NULL) {
        return;
    }
    for (uint32_t fn = 0; fn < s->count; fn++) {
        lane_deinit(&s->lane[fn]);
    }
    for (uint32_t t = 0; t < LANES_TASKS && s->tasks != NULL; t++) {
        engine_free_collector(&s->tasks[t].context.shared);
        free(s->tasks[t].context.changes.word);
        free(s->tasks[t].before.word);
    }
    void *arrays[] = {s->lane,      s->tasks,          s->fn,         s->at_ns,      s->service_ns, s->cpu_ns,
                      s->own_at_ns, s->own_service_ns, s->own_cpu_ns, s->rate_ucore, s->start,      s->sorted,
                      s->due_ns};
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
    bool empty = e->alive == 0 && fsim_event_queue_size(&e->queue) == 0 && e->closed_count == 0;
    bool fits = e->fast && e->early && empty && !e->has_account && e->region_limiter.limit == NULL &&
                e->warmup_ns == 0 && s->windows_every_ns == 0 && e->books == NULL && e->function_count != 0 &&
                !fsim_workload_describes(e->workload) &&
                template_fits(fsim_function_table_template(e->table));
    for (uint32_t fn = 0; fits && fn < e->function_count; fn++) {
        fits = lane_fits(e, &e->functions[fn]);
    }
    return fits;
}

/* ---- functions ---- */

/* Functions without histograms of their own share those of their task. */
static void share_histograms(lanes *s) {
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        if (s->e->shared_hist.direct != NULL && s->tasks[t].context.shared.direct == NULL) {
            engine_new_collector(s->e, &s->tasks[t].context.shared);
        }
    }
}

static void add_lanes(lanes *s) {
    engine *e = s->e;
    if (fsim_function_table_count(e->table) > e->function_count) {
        if (s->alone) { /* not any more: what it was for the run, it is from now on for itself */
            lane_show(&s->lane[0], &e->functions[0]);
            s->alone = false;
            for (uint32_t t = 0; t < LANES_TASKS; t++) {
                s->tasks[t].context.alone = false;
            }
            s->from_ns = e->now_ns;
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
    share_histograms(s);
}

/* Whether CPU is used at more than one rate in a function, or a window counts in full: only then it matters
 * what falls into which window. Before the first request. */
static void choose_windows(lanes *s, bool rates_differ) {
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        s->tasks[t].context.windows = s->e->metering && (rates_differ || s->e->plan.threshold.full_window);
    }
}

/* ---- one function ---- */

static void run_alone(lanes *s, const lane_arrivals *arrivals, fsim_ns to_ns) {
    lane_context *c = &s->tasks[0].context;
    lane_run(c, 0, &s->lane[0], arrivals, to_ns);
    if (c->failed) {
        engine_no_memory(s->e);
    }
}

/* The lane is at the next mark. */
static void mark_alone(lanes *s) {
    lane_show(&s->lane[0], &s->e->functions[0]);
    engine_marks(s->e, s->e->mark_ns + 1);
}

/* Cut where a mark is due, so that it sees what it should. */
static void serve_alone(lanes *s, const fsim_arrivals *batch, uint32_t count) {
    engine *e = s->e;
    for (uint32_t k = 0; k < count && batch->has_cpu; k++) {
        s->rate_ucore[k] = engine_rate(e, batch, k);
    }
    for (uint32_t k = 0; k < count;) {
        uint32_t end = k;
        while (end < count && batch->at_ns[end] <= e->mark_ns) {
            end++;
        }
        lane_arrivals arrivals = {.at_ns = batch->at_ns + k,
                                  .service_ns = batch->service_ns + k,
                                  .rate_ucore = batch->has_cpu ? s->rate_ucore + k : NULL,
                                  .count = end - k};
        run_alone(s, &arrivals, end < count ? e->mark_ns : batch->at_ns[end - 1u]);
        if (end < count) {
            mark_alone(s);
        }
        k = end;
    }
}

/* ---- a workload in order of time ---- */

/* The next batch, in its block or served at once; false: there is no more. */
static bool take_batch(lanes *s) {
    engine *e = s->e;
    fsim_arrivals *batch = &e->batch;
    fsim_status status = fsim_workload_next_open(e->workload, batch, e->err);
    if (status == FSIM_OK) {
        add_lanes(s);
    }
    uint32_t count = status == FSIM_OK ? batch->count : 0;
    bool more = count > 0 && batch->at_ns[count - 1u] <= e->scenario->until_ns;
    while (count > 0 && batch->at_ns[count - 1u] > e->scenario->until_ns) {
        count--;
    }
    if (e->batches == 0) {
        choose_windows(s, batch->has_cpu);
    }
    fsim_assert(status != FSIM_OK || s->tasks[0].context.windows || !batch->has_cpu || !e->metering);
    if (s->alone && count > 0) {
        status = fsim_workload_draw(e->workload, 0, batch->service_ns, count, e->err);
    }
    if (status != FSIM_OK) {
        engine_fail(e, status);
        return false;
    }
    e->batches++;
    e->now_ns = count > 0 ? batch->at_ns[count - 1u] : e->now_ns;
    if (s->alone) {
        serve_alone(s, batch, count);
    } else {
        lanes_append(s, batch, count);
        if (s->arrivals + FSIM_BATCH > s->room) {
            lanes_serve(s, e->now_ns);
            lanes_reserve_block(s, lanes_aim(s));
        }
    }
    return more;
}

static void serve_batches(lanes *s) {
    engine *e = s->e;
    lanes_reserve_block(s, lanes_aim(s));
    while (!e->stopped && take_batch(s)) {
        if (e->batches % BATCHES_BETWEEN_PROGRESS == 0 &&
            !engine_go_on(e, fsim_workload_progress(e->workload))) {
            e->stopped = true;
        }
    }
    if (!s->alone && e->status == FSIM_OK) {
        lanes_serve(s, e->now_ns);
    }
}

/* ---- a workload of streams ---- */

/* As many buckets to a block as make it full, or a part of one. */
static void size_block(lanes *s) {
    uint64_t arrived = 0, aim = lanes_aim(s);
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        arrived += s->tasks[t].arrived;
    }
    bool at_bucket = s->from_ns % s->streams.bucket_ns == s->streams.bucket_ns - 1;
    if (arrived < aim / 2u && s->parts > 1) {
        s->parts /= at_bucket ? 2u : 1u;
    } else if (arrived < aim / 2u) {
        s->buckets *= s->buckets < BUCKETS_MAX ? 2u : 1u;
    } else if (arrived > 2u * aim && s->buckets > 1) {
        s->buckets /= 2u;
    } else if (arrived > 4u * aim && s->parts < PARTS_MAX) {
        s->parts *= at_bucket ? 4u : 1u;
    }
}

/* The next block after the one that ends before at_ns. Buckets are not cut unless they must be, and the last
 * one never: where the run ends is known when all its arrivals are. */
static fsim_ns next_end(const lanes *s, fsim_ns at_ns, fsim_ns end_ns) {
    const fsim_source_streams *streams = &s->streams;
    fsim_ns begin_ns = at_ns - at_ns % streams->bucket_ns, next_ns;
    if (at_ns >= streams->last_ns) {
        next_ns = streams->end_ns;
    } else if (s->parts > 1) {
        fsim_ns bucket_end_ns = begin_ns + streams->bucket_ns;
        next_ns = at_ns + streams->bucket_ns / s->parts + 1;
        next_ns = next_ns < bucket_end_ns ? next_ns : bucket_end_ns;
    } else {
        next_ns = fsim_ns_add(begin_ns, (fsim_ns)s->buckets * streams->bucket_ns);
        next_ns = next_ns < streams->last_ns ? next_ns : streams->last_ns;
    }
    return next_ns < end_ns ? next_ns : end_ns;
}

static void serve_streams(lanes *s) {
    engine *e = s->e;
    fsim_ns at_ns = 0, end_ns = fsim_ns_add(e->scenario->until_ns, 1);
    end_ns = s->streams.end_ns < end_ns ? s->streams.end_ns : end_ns;
    s->buckets = s->parts = 1;
    choose_windows(s, false); /* streams have no CPU of their own */
    while (!e->stopped && e->status == FSIM_OK && at_ns < end_ns) {
        s->hold = at_ns >= s->streams.last_ns && e->scenario->until_ns == FSIM_NEVER;
        s->parts = s->hold ? 1 : s->parts;
        at_ns = next_end(s, at_ns, end_ns);
        lanes_serve(s, at_ns - 1);
        size_block(s);
        e->batches++;
        e->now_ns = at_ns - 1;
        if (!engine_go_on(e, (double)at_ns / (double)end_ns)) {
            e->stopped = true;
        }
    }
}

/* ---- the run ---- */

static fsim_ns last_end(const lanes *s) {
    fsim_ns end_ns = s->by_stream ? 0 : s->e->now_ns;
    if (s->e->scenario->until_ns != FSIM_NEVER && !s->e->stopped) {
        return s->e->scenario->until_ns;
    }
    for (uint32_t fn = 0; fn < s->count; fn++) {
        end_ns = s->lane[fn].last_end_ns > end_ns ? s->lane[fn].last_end_ns : end_ns;
    }
    return end_ns;
}

/* Until everybody has left, or until the end of the run. */
static fsim_ns drain(lanes *s) {
    engine *e = s->e;
    fsim_ns end_ns = last_end(s);
    s->ended = true;
    while (s->alone && e->mark_ns < end_ns) {
        run_alone(s, &(lane_arrivals){0}, e->mark_ns);
        mark_alone(s);
    }
    if (s->alone) {
        run_alone(s, &(lane_arrivals){0}, end_ns);
    } else {
        lanes_serve(s, end_ns > s->from_ns ? end_ns : s->from_ns);
        lanes_serve(s, s->from_ns); /* puts in order what that has changed */
    }
    return end_ns;
}

static void finish(lanes *s) {
    engine *e = s->e;
    e->now_ns = e->left_at_ns = drain(s);
    for (uint32_t fn = 0; fn < s->count; fn++) {
        lane_finish(&s->tasks[0].context, fn, &s->lane[fn], e->now_ns);
    }
    for (uint32_t t = 0; t < LANES_TASKS && e->shared_hist.direct != NULL; t++) {
        const collector *from = &s->tasks[t].context.shared;
        fsim_histogram_merge(e->shared_hist.direct, from->direct);
        fsim_histogram_merge(e->shared_hist.latency_waited, from->latency_waited);
        fsim_histogram_merge(e->shared_hist.latency_cold, from->latency_cold);
        fsim_histogram_merge(e->shared_hist.wait, from->wait);
        fsim_histogram_merge(e->shared_hist.service, from->service);
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
    s->tasks = engine_grow(e, NULL, LANES_TASKS, sizeof *s->tasks);
    memset(s->tasks, 0, LANES_TASKS * sizeof *s->tasks);
    s->alone = e->function_count == 1;
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        s->tasks[t].context = (lane_context){.e = e, .until_ns = e->scenario->until_ns, .alone = s->alone};
    }
    add_lanes(s);
    s->merge_aside = engine_series_is_bounded(e);
    if (s->merge_aside) {
        engine_series_reserve(e);
    }
    s->by_stream = !s->alone && fsim_workload_streams(e->workload, &s->streams);
    if (s->by_stream) {
        s->due_ns = engine_grow(e, NULL, s->streams.count, sizeof *s->due_ns);
        memset(s->due_ns, 0, s->streams.count * sizeof *s->due_ns);
        serve_streams(s);
    } else {
        serve_batches(s);
    }
    if (e->status == FSIM_OK) {
        finish(s);
    }
    return true;
}
