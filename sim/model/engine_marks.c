/* Marks: instants after which something is read or reset without being an event: the end of the warm-up,
 * borders of windows, probes, rows of the time series. A mark at m is served when the next event or arrival
 * lies after m, so it sees everything that happens at m. */
#include "model/engine.h"

#include <stdlib.h>
#include <string.h>

#define SERIES_FIRST_STEP (10 * FSIM_MS)

static void add_counts(fsim_counts *into, const fsim_counts *n) {
    const uint64_t *from = (const uint64_t *)(const void *)n;
    uint64_t *to = (uint64_t *)(void *)into;
    for (size_t i = 0; i < sizeof *n / sizeof *from; i++) {
        to[i] += from[i];
    }
}

static void subtract_counts(fsim_counts *into, const fsim_counts *n) {
    const uint64_t *from = (const uint64_t *)(const void *)n;
    uint64_t *to = (uint64_t *)(void *)into;
    for (size_t i = 0; i < sizeof *n / sizeof *from; i++) {
        to[i] -= from[i];
    }
}

void engine_fold(engine *e, uint32_t fn) {
    engine_settle(e);
    function *f = &e->functions[fn];
    tally *t = &e->tallies[fn];
    short_sums *sums = &f->sums;
    t->n.arrived += sums->arrived;
    t->begun_direct += sums->arrived;
    t->n.completed += sums->completed;
    t->direct.count += sums->completed;
    t->direct.sum_ns += sums->span_ns;
    t->direct.min_ns =
        (fsim_ns)sums->span_min_ns < t->direct.min_ns ? (fsim_ns)sums->span_min_ns : t->direct.min_ns;
    t->direct.max_ns =
        (fsim_ns)sums->span_max_ns > t->direct.max_ns ? (fsim_ns)sums->span_max_ns : t->direct.max_ns;
    if (e->metering) {
        f->usage.requests += sums->completed;
        f->usage.request_ns += sums->span_ns;
        f->usage.threshold_mem_ms += sums->cpu_mem_ms;
        for (uint32_t j = 0; j < e->plan.request.count; j++) {
            f->usage.request_ms[j] += sums->billed_ms[j];
        }
    }
    *sums = (short_sums){.span_min_ns = FSIM_NEVER, .hist = sums->hist};
}

/* ---- occupancy ---- */

void engine_occupancy(engine *e) {
    uint32_t most = e->scenario->occupancy;
    fsim_ns from_ns = e->occupancy_at_ns < e->warmup_ns ? e->warmup_ns : e->occupancy_at_ns;
    if (e->now_ns > from_ns) {
        uint64_t span_ns = (uint64_t)(e->now_ns - from_ns);
        uint64_t n = engine_in_execution(e)->n;
        e->occupancy_requests_ns[n < most ? n : most] += span_ns;
        e->occupancy_instances_ns[e->alive < most ? e->alive : most] += span_ns;
    }
    e->occupancy_at_ns = e->now_ns;
}

/* ---- nodes ---- */

void engine_node_used(engine *e, uint32_t n, int change) {
    node *host = &e->nodes[n];
    bool was = host->instances != 0;
    host->instances += (uint32_t)change;
    bool is = host->instances != 0;
    if (is && !was) {
        level_enter(&e->node_in_use, e->now_ns);
    } else if (was && !is) {
        level_leave(&e->node_in_use, e->now_ns);
    }
}

/* ---- the end of the warm-up: what was counted is forgotten, what is there stays ---- */

static void forget_usage(fsim_usage *usage) {
    *usage = (fsim_usage){
        .memory_mb = usage->memory_mb, .vcpu_milli = usage->vcpu_milli, .disk_mb = usage->disk_mb};
}

static void forget_function(engine *e, uint32_t fn, fsim_ns now_ns) {
    function *f = &e->functions[fn];
    engine_fold(e, fn);
    tally *t = &e->tallies[fn];
    function_base *base = &e->function_base[fn];
    uint64_t n = f->in_execution.level.n;
    base->in_execution = level_integral(&f->in_execution.level, now_ns);
    base->square = squared_integral(&f->in_execution, now_ns);
    base->queue = level_integral(&f->queue, now_ns);
    base->starting = level_integral(&f->starting, now_ns);
    base->present = level_integral(&f->present, now_ns);
    base->busy = level_integral(&f->busy, now_ns);
    base->provisioned = level_integral(&f->provisioned, now_ns);
    f->in_execution.level.peak = n;
    f->queue.peak = f->queue.n;
    f->alive_peak = f->alive;
    t->n.started = t->n.removed = t->n.crashed = t->n.ejected = 0;
    t->n.sessions_started = t->n.sessions_expired = t->n.sessions_cut = t->n.sessions_lost = 0;
    memset(t->phase_ns, 0, sizeof t->phase_ns);
    t->phase_count = 0;
    forget_usage(&f->usage);
}

/* An interval that is open begins anew; what waits for the current window to be decided is forgotten, its
 * CPU time stays. */
static void restart_meter(engine *e, uint32_t i, fsim_ns now_ns) {
    function *f = engine_function_of(e, i);
    fsim_cpu_meter *meter = &e->instances[i].meter;
    if (meter->begun_at_ns != FSIM_NEVER) {
        uint32_t rate_ucore = meter->rate_ucore;
        fsim_cpu_meter_end(meter, &f->cpu_rule, &f->usage, now_ns);
        fsim_cpu_meter_begin(meter, &f->cpu_rule, &f->usage, now_ns, rate_ucore);
    }
    meter->pending_ms = 0;
}

static void end_warmup(engine *e, fsim_ns now_ns) {
    for (uint32_t i = 0; e->metering && i < e->instance_capacity; i++) {
        if (e->instances[i].state == INSTANCE_READY) {
            restart_meter(e, i, now_ns);
        }
    }
    for (uint32_t fn = 0; fn < e->function_count; fn++) {
        forget_function(e, fn, now_ns);
    }
    for (uint32_t i = 0; e->metering && i < e->instance_capacity; i++) {
        instance *in = &e->instances[i];
        in->metered_from_ns = now_ns; /* what lies before is not billed */
        in->active_ns = 0;
        if (in->state == INSTANCE_READY && in->executing != 0) {
            in->since_ns = now_ns;
        }
    }
    if (e->books != NULL) {
        engine_books_forget(e, now_ns);
    }
    e->base.in_execution = level_integral(&e->in_execution.level, now_ns);
    e->base.square = squared_integral(&e->in_execution, now_ns);
    e->base.queue = level_integral(engine_in_queue(e), now_ns);
    e->base.node_in_use = level_integral(&e->node_in_use, now_ns);
    e->in_execution.level.peak = e->in_execution.level.n;
    e->in_queue.peak = e->in_queue.n;
    e->alive_peak = e->alive;
    e->node_in_use.peak = e->node_in_use.n;
}

/* Ends the run at a limit of what it keeps for each step of time; `key` says how long a step is. */
static _Noreturn void end_at_limit(engine *e, uint32_t most, const char *what, const char *key) {
    e->status =
        fsim_fail(e->err, FSIM_ELIMIT, "more than %u %s: %s is too short for this run", most, what, key);
    longjmp(e->no_memory, 1);
}

/* ---- windows ---- */

static void open_window(engine *e) {
    if (e->window_count == e->window_capacity) {
        uint32_t capacity = e->window_capacity == 0 ? 16u : e->window_capacity * 2u;
        fsim_result *result = e->result;
        if (capacity > FSIM_WINDOWS_MAX) {
            end_at_limit(e, FSIM_WINDOWS_MAX, "windows", "run.windows.every");
        }
        result->windows = engine_grow(e, result->windows, capacity, sizeof *result->windows);
        result->window_functions =
            engine_grow(e, result->window_functions, (size_t)capacity * e->function_count,
                        sizeof *result->window_functions);
        e->window_capacity = capacity;
    }
    fsim_ns every_ns = e->scenario->windows_every_ns;
    uint32_t w = e->window_count++;
    fsim_ns to_ns = fsim_ns_add(w * every_ns, every_ns);
    e->result->windows[w] = (fsim_window){.from_ns = w * every_ns, .to_ns = to_ns};
    memset(&e->result->window_functions[(size_t)w * e->function_count], 0,
           e->function_count * sizeof(fsim_window_row));
    e->window_mark_ns = to_ns == FSIM_NEVER ? FSIM_NEVER : to_ns - 1;
}

/* Cold requests are counted in the window of their arrival as they turn cold; everything else is the
 * difference of the counts. */
static void close_window(engine *e, fsim_ns to_ns) {
    fsim_window *window = &e->result->windows[e->window_count - 1u];
    fsim_window_row *rows = &e->result->window_functions[(size_t)(e->window_count - 1u) * e->function_count];
    fsim_counts *all = &window->all.n;
    uint64_t cold = all->cold_affected;
    window->to_ns = to_ns;
    window->all.instances_end = e->alive;
    for (uint32_t fn = 0; fn < e->function_count; fn++) {
        uint64_t cold_here = rows[fn].n.cold_affected;
        engine_fold(e, fn);
        fsim_counts n = e->tallies[fn].n;
        subtract_counts(&n, &e->window_base[fn]);
        add_counts(all, &n);
        n.cold_affected = cold_here;
        rows[fn] = (fsim_window_row){.n = n, .instances_end = e->functions[fn].alive};
        e->window_base[fn] = e->tallies[fn].n;
    }
    all->cold_affected = cold;
}

/* The rows of a window are as wide as there are functions; those that a trace brings in later make them
 * wider. */
void engine_windows_add_functions(engine *e, uint32_t before) {
    e->window_base = engine_grow(e, e->window_base, e->function_capacity, sizeof *e->window_base);
    for (uint32_t fn = before; fn < e->function_count; fn++) {
        e->window_base[fn] = (fsim_counts){0};
    }
    if (e->window_capacity == 0 || before == 0) {
        return;
    }
    fsim_window_row *rows =
        engine_grow(e, NULL, (size_t)e->window_capacity * e->function_count, sizeof *rows);
    memset(rows, 0, (size_t)e->window_capacity * e->function_count * sizeof *rows);
    for (uint32_t w = 0; w < e->window_count; w++) {
        memcpy(&rows[(size_t)w * e->function_count], &e->result->window_functions[(size_t)w * before],
               before * sizeof *rows);
    }
    free(e->result->window_functions);
    e->result->window_functions = rows;
}

/* ---- probes ---- */

static void probe(engine *e) {
    const fsim_scenario *s = e->scenario;
    uint32_t k = e->probe_next++;
    e->result->probes[s->probe_order[k]] = (fsim_probe){.at_ns = s->probe_at_ns[k],
                                                        .in_flight = engine_in_execution(e)->n,
                                                        .queued = engine_in_queue(e)->n,
                                                        .instances = e->alive,
                                                        .starting = e->starting.n,
                                                        .busy = engine_busy(e)->n,
                                                        .idle = e->alive - e->starting.n - engine_busy(e)->n};
    e->probe_mark_ns = e->probe_next < s->probe_count ? s->probe_at_ns[e->probe_next] : FSIM_NEVER;
}

/* ---- time series ---- */

/* Two rows become one; the state is that of the later. */
static void halve_series(engine *e) {
    fsim_series_row *rows = e->result->series;
    uint32_t half = e->result->series_count / 2u;
    for (uint32_t k = 0; k < half; k++) {
        fsim_series_row a = rows[2u * k];
        fsim_series_row b = rows[2u * k + 1u];
        b.arrived += a.arrived;
        b.completed += a.completed;
        b.refused += a.refused;
        b.timed_out += a.timed_out;
        b.cold += a.cold;
        b.throttled += a.throttled;
        b.in_execution_ns += a.in_execution_ns;
        b.queue_ns += a.queue_ns;
        b.starting_ns += a.starting_ns;
        b.busy_ns += a.busy_ns;
        b.idle_ns += a.idle_ns;
        rows[k] = b;
    }
    e->result->series_count = half;
    e->result->series_step_ns *= 2;
}

static fsim_wide since(fsim_wide integral, fsim_wide *before) {
    fsim_wide span = integral - *before;
    *before = integral;
    return span;
}

bool engine_series_is_bounded(const engine *e) {
    return e->scenario->sample_ns == 0;
}

void engine_series_reserve(engine *e) {
    fsim_result *result = e->result;
    if (e->series_capacity < e->series_rows_max) {
        e->series_capacity = e->series_rows_max;
        result->series = engine_grow(e, result->series, e->series_capacity, sizeof *result->series);
    }
}

static void make_room_for_row(engine *e) {
    fsim_result *result = e->result;
    if (e->scenario->sample_ns == 0 && e->series_capacity >= e->series_rows_max) {
        halve_series(e);
        return;
    }
    uint32_t capacity = e->series_capacity == 0 ? 512u : e->series_capacity * 2u;
    if (capacity > FSIM_SAMPLED_ROWS_MAX) {
        end_at_limit(e, FSIM_SAMPLED_ROWS_MAX, "rows in the time series", "run.sample");
    }
    result->series = engine_grow(e, result->series, capacity, sizeof *result->series);
    e->series_capacity = capacity;
}

static void series_row(engine *e, fsim_ns at_ns) {
    fsim_result *result = e->result;
    const series_counts *was = &e->series_seen;
    fsim_wide present_ns = since(level_integral(&e->present, at_ns), &e->series_present_ns);
    fsim_wide starting_ns = since(level_integral(&e->starting, at_ns), &e->series_starting_ns);
    fsim_wide busy_ns = since(level_integral(engine_busy(e), at_ns), &e->series_busy_ns);
    fsim_series_row row = {.at_ns = at_ns,
                           .arrived = e->seen.arrived - was->arrived,
                           .completed = e->seen.completed - was->completed,
                           .refused = e->seen.refused - was->refused,
                           .timed_out = e->seen.timed_out - was->timed_out,
                           .cold = e->seen.cold - was->cold,
                           .throttled = e->seen.throttled - was->throttled,
                           .in_execution_ns =
                               since(level_integral(engine_in_execution(e), at_ns), &e->series_execution_ns),
                           .queue_ns = since(level_integral(engine_in_queue(e), at_ns), &e->series_queue_ns),
                           .starting_ns = starting_ns,
                           .busy_ns = busy_ns,
                           .idle_ns = present_ns - starting_ns - busy_ns,
                           .wanted = e->any_scaled ? e->wanted : e->alive};
    e->series_seen = e->seen;
    if (result->series_count == e->series_capacity) {
        make_room_for_row(e);
    }
    result->series[result->series_count++] = row;
    e->series_mark_ns = fsim_ns_add(at_ns, result->series_step_ns);
}

/* ---- all of them, in order ---- */

static void next_mark(engine *e) {
    fsim_ns m = e->warmup_mark_ns < e->window_mark_ns ? e->warmup_mark_ns : e->window_mark_ns;
    m = e->probe_mark_ns < m ? e->probe_mark_ns : m;
    m = e->series_mark_ns < m ? e->series_mark_ns : m;
    fsim_ns books_ns = e->books == NULL ? FSIM_NEVER : engine_books_mark_ns(e);
    e->mark_ns = books_ns < m ? books_ns : m;
}

void engine_marks_setup(engine *e) {
    const fsim_scenario *s = e->scenario;
    e->warmup_mark_ns = e->warmup_ns > 0 ? e->warmup_ns - 1 : FSIM_NEVER;
    e->window_mark_ns = FSIM_NEVER;
    if (s->windows_every_ns != 0) {
        open_window(e);
    }
    e->probe_mark_ns = s->probe_count != 0 ? s->probe_at_ns[0] : FSIM_NEVER;
    e->series_rows_max = FSIM_SERIES_ROWS_MAX;
    e->result->series_step_ns = s->sample_ns != 0 ? s->sample_ns : SERIES_FIRST_STEP;
    e->series_mark_ns = e->result->series_step_ns;
    next_mark(e);
}

/* Serves every mark before next_ns. A probe beyond the end of the run stays zero. */
void engine_marks(engine *e, fsim_ns next_ns) {
    while (e->mark_ns < next_ns) {
        fsim_ns at_ns = e->mark_ns;
        if (at_ns == e->warmup_mark_ns) {
            end_warmup(e, e->warmup_ns);
            e->warmup_mark_ns = FSIM_NEVER;
        }
        if (at_ns == e->probe_mark_ns) {
            probe(e);
        }
        if (at_ns == e->window_mark_ns) {
            close_window(e, at_ns + 1);
            open_window(e);
        }
        if (e->books != NULL) {
            engine_books_mark(e, at_ns);
        }
        if (at_ns == e->series_mark_ns) {
            series_row(e, at_ns);
        }
        next_mark(e);
    }
}

void engine_marks_finish(engine *e, fsim_ns end_ns) {
    const fsim_scenario *s = e->scenario;
    engine_marks(e, fsim_ns_add(end_ns, 1));
    if (e->warmup_mark_ns != FSIM_NEVER && end_ns < e->warmup_ns) {
        end_warmup(e, end_ns); /* the run was over before it: nothing is left to report */
    }
    if (s->windows_every_ns != 0) {
        close_window(e, end_ns);
        e->result->window_count = e->window_count;
        engine_versions_windows(e);
    }
    fsim_result *result = e->result;
    if (result->series_count == 0 || result->series[result->series_count - 1u].at_ns < end_ns) {
        series_row(e, end_ns);
    }
    if (e->has_occupancy) {
        e->now_ns = end_ns;
        engine_occupancy(e);
    }
}
