/* A run all of whose functions are lanes: whether it is one, its functions, its blocks, its end. See lanes.h.
 */
#include "model/lanes.h"

#include <stdlib.h>
#include <string.h>

enum { BATCHES_BETWEEN_PROGRESS = 64, BUCKETS_MAX = 1 << 10, PARTS_MAX = 1 << 10 };

static void free_block(lanes_block *b) {
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        lanes_part *part = &b->part[t];
        void *arrays[] = {part->word, part->span, part->odd, part->at_ns, part->service_ns};
        for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) {
            free(arrays[k]);
        }
    }
    free(b->span_of);
    free(b->came_fn);
    free(b->came_ns);
    free(b->grouped_ns);
    free(b->service_ns);
}

void lanes_destroy(lanes *s) {
    if (s == NULL) {
        return;
    }
    crew_destroy(s->crew);
    for (uint32_t fn = 0; fn < s->count; fn++) {
        lane_free_ring(&s->lane[fn]);
        free(s->rest[fn].ready_ns);
    }
    for (uint32_t t = 0; t < LANES_TASKS && s->task != NULL; t++) {
        engine_free_collector(&s->task[t].shared);
        free(s->task[t].later);
        free(s->task[t].word);
    }
    for (uint32_t k = 0; k < LANES_BLOCKS; k++) {
        free_block(&s->block[k]);
    }
    engine_free_collector(&s->pass.shared);
    lane_ties_deinit(&s->pass.ties);
    void *arrays[] = {s->lane,         s->rest,        s->task,       s->fn,     s->at_ns,
                      s->service_ns,   s->start,       s->sorted,     s->due_ns, s->pass.struck.strike,
                      s->pass.request, s->pass.direct, s->pass.undone};
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

/* Instances have no names here: see lane.h. */
static bool meters_fit(const engine *e) {
    const fsim_meter_plan *plan = &e->plan;
    return !e->metering ||
           (!plan->tells_instances && plan->lifetime.count == 0 && !plan->threshold.full_window);
}

static bool applies(const engine *e) {
    const fsim_scenario *s = e->scenario;
    bool empty = e->alive == 0 && fsim_event_queue_size(&e->queue) == 0 && e->closed_count == 0;
    bool fits = e->fast && e->early && empty && !e->has_account && e->region_limiter.limit == NULL &&
                e->warmup_ns == 0 && s->windows_every_ns == 0 && e->books == NULL && e->function_count != 0 &&
                meters_fit(e) && !fsim_workload_describes(e->workload) &&
                template_fits(fsim_function_table_template(e->table));
    for (uint32_t fn = 0; fits && fn < e->function_count; fn++) {
        fits = lane_fits(e, &e->functions[fn]);
    }
    return fits;
}

/* ---- functions ---- */

/* Functions without histograms of their own share those of whoever works on them. */
static void share_histograms(lanes *s) {
    if (s->e->shared_hist.direct != NULL && s->pass.shared.direct == NULL) {
        engine_new_collector(s->e, &s->pass.shared);
        for (uint32_t t = 0; t < LANES_TASKS; t++) {
            engine_new_collector(s->e, &s->task[t].shared);
        }
    }
}

/* The run has not one function any more: what its executions were for the run, they are from now on for the
 * function. */
static void end_alone(lanes *s) {
    if (s->count == 0) {
        s->alone = false;
        return;
    }
    lanes_flush(s);
    const squared_level *executing = &s->e->functions[0].in_execution;
    s->lane[0].executing_peak = (uint32_t)executing->level.peak;
    s->lane[0].square_acc = executing->square_acc;
    s->alone = false;
}

static void reserve_lanes(lanes *s) {
    engine *e = s->e;
    if (e->function_count > s->capacity) {
        uint32_t capacity = e->function_count + e->function_count / 2u;
        s->lane = engine_grow_lines(e, s->lane, s->count, capacity, sizeof *s->lane);
        s->rest = engine_grow_lines(e, s->rest, s->count, capacity, sizeof *s->rest);
        s->start = engine_grow(e, s->start, capacity + 2u, sizeof *s->start);
        s->capacity = capacity;
        for (uint32_t fn = 0; fn < s->count; fn++) {
            lane_moved(&s->lane[fn]);
        }
    }
}

static void add_lanes(lanes *s) {
    engine *e = s->e;
    uint32_t count = fsim_function_table_count(e->table);
    if (count > (UINT64_C(1) << s->fn_bits)) { /* what has come so far fits a block as they were */
        if (s->arrivals != 0) {
            lanes_serve(s, s->at_ns[s->arrivals - 1u]);
        }
        s->fn_bits = lanes_bits_of(count - 1u);
    }
    if (s->alone && count > 1) {
        end_alone(s);
    }
    engine_add_functions(e);
    reserve_lanes(s);
    for (; s->count < e->function_count; s->count++) {
        if (!lane_init(&s->lane[s->count], &s->rest[s->count], e, &e->functions[s->count])) {
            engine_no_memory(e);
        }
        s->newest &= s->lane[s->count].newest;
    }
    share_histograms(s);
}

/* ---- blocks ---- */

/* Arrivals of a block. */
static uint32_t aim_of(const lanes *s) {
    uint64_t aim = (uint64_t)LANES_PER_FUNCTION * s->count, laters = 0;
    for (uint32_t t = 0; t < LANES_TASKS; t++) { /* each is looked at in every block until its end */
        laters += s->task[t].laters;
    }
    aim = laters / 4u > aim ? laters / 4u : aim;
    return aim < LANES_BLOCK_LEAST  ? LANES_BLOCK_LEAST
           : aim > LANES_BLOCK_MOST ? LANES_BLOCK_MOST
                                    : (uint32_t)aim;
}

static fsim_ns reach(const lanes *s) {
    return fsim_ns_add(s->from_ns, (INT64_C(1) << (62u - s->fn_bits)) - 1);
}

/* ---- a workload in order of time ---- */

static void append(lanes *s, const fsim_arrivals *batch, uint32_t count) {
    for (uint32_t first = 0, end = 0; first < count; first = end) {
        fsim_ns last_ns = reach(s);
        end = batch->at_ns[count - 1u] <= last_ns ? count : first;
        while (end < count && batch->at_ns[end] <= last_ns) {
            end++;
        }
        lanes_append(s, batch, first, end);
        if (end < count) {
            lanes_serve(s, last_ns);
        }
    }
    if (s->arrivals + FSIM_BATCH > s->room) {
        lanes_serve(s, s->e->now_ns);
        lanes_reserve(s, aim_of(s) + FSIM_BATCH);
    }
}

/* The batch that was read; false: there is no more to read. */
static bool take_batch(lanes *s) {
    engine *e = s->e;
    const fsim_arrivals *batch = &e->batch;
    uint32_t count = batch->count;
    fsim_assert(!batch->has_cpu || !e->metering);
    add_lanes(s);
    bool more = count > 0 && batch->at_ns[count - 1u] <= e->scenario->until_ns;
    while (count > 0 && batch->at_ns[count - 1u] > e->scenario->until_ns) {
        count--;
    }
    e->batches++;
    if (count > 0) {
        e->now_ns = batch->at_ns[count - 1u];
        append(s, batch, count);
    }
    return more;
}

static bool read_batch(engine *e) {
    fsim_status status = fsim_workload_next_open(e->workload, &e->batch, e->err);
    if (status != FSIM_OK) {
        engine_fail(e, status);
    }
    return status == FSIM_OK;
}

/* The first batch is read. */
static void serve_batches(lanes *s) {
    engine *e = s->e;
    lanes_reserve(s, aim_of(s) + FSIM_BATCH);
    while (take_batch(s) && !e->stopped && read_batch(e)) {
        if (e->batches % BATCHES_BETWEEN_PROGRESS == 0 &&
            !engine_go_on(e, fsim_workload_progress(e->workload))) {
            e->stopped = true;
        }
    }
    if (s->arrivals != 0 && e->status == FSIM_OK) {
        lanes_serve(s, e->now_ns);
    }
}

/* ---- a workload of streams ---- */

/* As many buckets to a block as make it full, or a part of one. */
static void size_block(lanes *s) {
    uint64_t arrived = s->arrived, aim = aim_of(s);
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
    next_ns = next_ns < end_ns ? next_ns : end_ns;
    return next_ns <= reach(s) ? next_ns : reach(s) + 1;
}

static void serve_streams(lanes *s) {
    engine *e = s->e;
    fsim_ns at_ns = 0, end_ns = fsim_ns_add(e->scenario->until_ns, 1);
    end_ns = s->streams.end_ns < end_ns ? s->streams.end_ns : end_ns;
    s->buckets = s->parts = 1;
    while (!e->stopped && e->status == FSIM_OK && at_ns < end_ns) {
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

/* When the last execution that is under way ends, if it is not cold. */
static fsim_ns last_end(const lanes *s) {
    fsim_ns end_ns = 0;
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        for (uint32_t k = 0; k < s->task[t].laters; k++) {
            fsim_ns at_ns = s->task[t].later[k].at_ns;
            end_ns = at_ns > end_ns ? at_ns : end_ns;
        }
    }
    return end_ns;
}

/* Until everybody has left, or until the end of the run, which is returned. */
static fsim_ns drain(lanes *s) {
    const engine *e = s->e;
    bool lasts = e->scenario->until_ns != FSIM_NEVER && !e->stopped;
    fsim_ns end_ns = lasts ? e->scenario->until_ns : last_end(s);
    s->ended = true;
    while (s->from_ns < end_ns) {
        lanes_serve(s, end_ns < reach(s) ? end_ns : reach(s));
    }
    lanes_flush(s);
    lanes_pass_rest(s, lasts ? end_ns : FSIM_NEVER);
    lanes_flush(s); /* what that has left to add */
    return lasts ? end_ns : s->pass.last_ns;
}

static void merge_histograms(const engine *e, const collector *from) {
    const collector *into = &e->shared_hist;
    fsim_histogram_merge(into->direct, from->direct);
    fsim_histogram_merge(into->latency_waited, from->latency_waited);
    fsim_histogram_merge(into->latency_cold, from->latency_cold);
    fsim_histogram_merge(into->wait, from->wait);
    fsim_histogram_merge(into->service, from->service);
}

static void finish(lanes *s) {
    engine *e = s->e;
    e->now_ns = e->left_at_ns = drain(s);
    lanes_finish(s, e->now_ns);
    if (e->shared_hist.direct != NULL) {
        merge_histograms(e, &s->pass.shared);
        for (uint32_t t = 0; t < LANES_TASKS; t++) {
            merge_histograms(e, &s->task[t].shared);
        }
    }
    e->events = e->seen.completed + e->seen.cold;
}

static lanes *create(engine *e) {
    lanes *s = engine_grow(e, NULL, 1, sizeof *s);
    memset(s, 0, sizeof *s);
    e->lanes = s;
    s->e = e;
    s->task = engine_grow(e, NULL, LANES_TASKS, sizeof *s->task);
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        memset(&s->task[t], 0, offsetof(lanes_task, scratch));
    }
    s->crew = crew_create(e->options->threads);
    s->pass.request_free = FSIM_NONE;
    s->alone = s->newest = true;
    s->pass_aside = engine_series_is_bounded(e);
    if (s->pass_aside) {
        engine_series_reserve(e);
    }
    return s;
}

/* Requests bring CPU of their own: the run goes another way, with the batch that was read. */
static void give_back(engine *e) {
    fsim_arrivals *batch = &e->batch;
    fsim_status status = FSIM_OK;
    for (uint32_t k = 0; k < batch->count && status == FSIM_OK; k++) {
        status = fsim_workload_draw(e->workload, batch->fn[k], &batch->service_ns[k], 1, e->err);
    }
    if (status != FSIM_OK) {
        engine_fail(e, status);
    }
    e->has_batch = true;
}

bool lanes_simulate(engine *e) {
    fsim_source_streams streams = {0};
    if (!applies(e)) {
        return false;
    }
    bool by_stream = e->function_count > 1 && fsim_workload_streams(e->workload, &streams);
    if (!by_stream && !read_batch(e)) {
        return true;
    }
    if (!by_stream && e->batch.has_cpu && e->metering) {
        give_back(e);
        return e->status != FSIM_OK;
    }
    lanes *s = create(e);
    s->by_stream = by_stream;
    s->streams = streams;
    add_lanes(s);
    if (by_stream) {
        s->due_ns = engine_grow(e, NULL, streams.count, sizeof *s->due_ns);
        memset(s->due_ns, 0, streams.count * sizeof *s->due_ns);
        serve_streams(s);
    } else {
        serve_batches(s);
    }
    if (e->status == FSIM_OK) {
        finish(s);
    }
    return true;
}
