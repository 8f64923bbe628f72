/* The end of a run: what is still there is closed, and the counters become a result. */
#include "model/lane.h"

#include <stdlib.h>
#include <string.h>

static void end_requests(engine *e, fsim_ns end_ns) {
    for (uint32_t r = 0; r < e->request_capacity; r++) {
        request *q = &e->requests[r];
        if ((q->flags & REQUEST_LIVE) == 0) {
            continue;
        }
        if ((q->flags & REQUEST_SHORT) != 0) {
            engine_restore(e, r);
        }
        e->tallies[q->fn].n.in_system_at_end += (q->flags & REQUEST_COUNTED) != 0;
        if (e->functions[q->fn].repeats && q->start_ns != FSIM_NEVER && (q->flags & REQUEST_COUNTED) != 0) {
            /* this execution is its last */
            engine_begin_statistics(e, &e->tallies[q->fn], q->start_ns - q->arrival_ns,
                                    (q->flags & REQUEST_COLD) != 0);
        }
        if (e->metering && q->start_ns != FSIM_NEVER && (q->flags & REQUEST_COUNTED) != 0) {
            engine_meter_request(e, &e->functions[q->fn], q); /* billed as if it completed now */
        }
        if (e->wants_rows) {
            fsim_request_row row = {.arrival_ns = q->arrival_ns,
                                    .start_ns = q->start_ns,
                                    .end_ns = end_ns,
                                    .fn = q->fn,
                                    .functions = e->table,
                                    .instance = q->start_ns == FSIM_NEVER ? FSIM_UNLIMITED : q->instance,
                                    .cold = (q->flags & REQUEST_COLD) != 0,
                                    .retries = q->attempts,
                                    .outcome = FSIM_IN_SYSTEM};
            fsim_status status = e->options->on_request(e->options->user, &row, e->err);
            e->status = e->status == FSIM_OK ? status : e->status;
        }
    }
}

/* Does a request wait for the start? With late binding it is not known for which of them: for those that
 * requests have caused. */
static bool is_waited_for(const instance *in, const function *f) {
    return !in->provisioned && (in->head != FSIM_NONE || (in->caused && f->queued != 0));
}

/* An active interval that the end of the run cuts is billed up to there, with the initialisation before it,
 * and so is an initialisation by itself that a request waits for. */
static void end_instances(engine *e, fsim_ns end_ns) {
    for (uint32_t i = 0; e->metering && i < e->instance_capacity; i++) {
        instance *in = &e->instances[i];
        if (in->state == INSTANCE_FREE) {
            continue;
        }
        function *f = &e->functions[in->fn];
        if (in->state == INSTANCE_STARTING) {
            fsim_ns from_ns = in->started_ns > in->metered_from_ns ? in->started_ns : in->metered_from_ns;
            f->usage.starting_ns += (uint64_t)(end_ns - from_ns);
            if (end_ns > from_ns && is_waited_for(in, f)) {
                fsim_meter_init_cut(&e->plan, &f->usage, (uint64_t)(end_ns - from_ns));
            }
            if (in->provisioned) {
                fsim_meter_provisioned(&e->plan, &f->usage, (uint64_t)(end_ns - from_ns), 0);
            }
            continue;
        }
        if (in->executing != 0) {
            if (!f->active_is_request) {
                fsim_meter_active(&e->plan, &f->usage, (uint64_t)(end_ns - in->since_ns),
                                  (uint64_t)in->init_ns);
            }
            in->active_ns += end_ns - in->since_ns;
            in->since_ns = end_ns;
            if (f->freeze && !f->solo_meter) {
                fsim_cpu_meter_end(&e->instances[i].meter, &f->cpu_rule, &f->usage, end_ns);
            }
        }
        engine_meter_end(e, f, i, end_ns);
    }
}

static void merge_spans(fsim_spans *into, const fsim_spans *from) {
    if (from->count == 0) {
        return; /* its least value is none */
    }
    into->count += from->count;
    into->sum_ns += from->sum_ns;
    into->max_ns = from->max_ns > into->max_ns ? from->max_ns : into->max_ns;
    into->min_ns = from->min_ns < into->min_ns ? from->min_ns : into->min_ns;
}

static void finish_spans(fsim_spans *s) {
    s->min_ns = s->count == 0 ? 0 : s->min_ns;
}

static fsim_histogram *new_histogram(engine *e) {
    fsim_histogram *h = calloc(1, sizeof *h);
    if (h == NULL) {
        engine_no_memory(e);
    }
    return h;
}

static void give_histograms(engine *e, fsim_scope *scope) {
    scope->latency.hist = new_histogram(e);
    scope->latency_cold.hist = new_histogram(e);
    scope->wait.hist = new_histogram(e);
    scope->service.hist = new_histogram(e);
}

static void add_histograms(fsim_scope *scope, const collector *c, uint64_t begun_direct) {
    fsim_histogram_merge(scope->latency.hist, c->direct);
    fsim_histogram_merge(scope->latency.hist, c->latency_waited);
    fsim_histogram_merge(scope->latency.hist, c->latency_cold);
    fsim_histogram_merge(scope->latency_cold.hist, c->latency_cold);
    fsim_histogram_merge(scope->wait.hist, c->wait);
    scope->wait.hist->count[0] += begun_direct;
    fsim_histogram_merge(scope->service.hist, c->direct);
    fsim_histogram_merge(scope->service.hist, c->service);
}

static void start_spans(fsim_scope *s) {
    s->latency.min_ns = s->latency_cold.min_ns = s->wait.min_ns = s->service.min_ns = FSIM_NEVER;
}

/* Warm requests that did not wait: latency = service, wait = 0. */
static void put_tally(fsim_scope *s, const tally *t) {
    s->n = t->n;
    merge_spans(&s->latency, &t->direct);
    merge_spans(&s->latency, &t->waited);
    merge_spans(&s->latency, &t->cold);
    merge_spans(&s->latency_cold, &t->cold);
    merge_spans(&s->service, &t->direct);
    merge_spans(&s->service, &t->service);
    merge_spans(&s->wait, &t->wait);
    if (t->begun_direct != 0) {
        s->wait.count += t->begun_direct;
        s->wait.min_ns = 0;
    }
    s->waited = t->waited_count;
    memcpy(s->cold_phase_ns, t->phase_ns, sizeof s->cold_phase_ns);
    s->cold_phase_count = t->phase_count;
    if (t->latency_above != NULL) {
        memcpy(s->latency_above, t->latency_above, sizeof s->latency_above);
        memcpy(s->wait_above, t->wait_above, sizeof s->wait_above);
    }
}

static void put_levels(fsim_scope *s, const function *f, const function_base *base, fsim_ns end_ns) {
    s->in_execution_ns = level_integral(&f->in_execution.level, end_ns) - base->in_execution;
    s->in_execution_sq_ns = squared_integral(&f->in_execution, end_ns) - base->square;
    s->in_execution_peak = f->in_execution.level.peak;
    s->starting_ns = level_integral(&f->starting, end_ns) - base->starting;
    s->busy_ns = f->keeps_busy ? level_integral(&f->busy, end_ns) - base->busy : s->in_execution_ns;
    s->idle_ns = level_integral(&f->present, end_ns) - base->present - s->starting_ns - s->busy_ns;
    s->provisioned_ns = level_integral(&f->provisioned, end_ns) - base->provisioned;
    bool unlimited = f->concurrency == FSIM_UNLIMITED;
    s->slot_ns = (s->busy_ns + s->idle_ns) * (unlimited ? 1 : (fsim_wide)f->concurrency);
    s->busy_slot_ns = unlimited ? s->busy_ns : s->in_execution_ns;
    s->instances_peak = f->alive_peak;
    s->queue_ns = level_integral(&f->queue, end_ns) - base->queue;
    s->queue_peak = f->queue.peak;
    s->has_sessions = (f->extras & FUNCTION_SESSIONS) != 0;
    s->has_health = f->spec.health != NULL;
}

/* One slot: every active interval is one request. */
static void copy_active_meters(const engine *e, function *f) {
    fsim_usage *u = &f->usage;
    if (!e->metering || !f->active_is_request) {
        return;
    }
    u->active_intervals = u->requests;
    u->active_ns = u->request_ns;
    for (uint32_t j = 0; j < e->plan.active.count; j++) {
        uint32_t r = engine_same_rule(&e->plan.request, &e->plan.active.rule[j]);
        u->active_ms[j] = u->request_ms[r];
        u->active_init_ms[j] = u->request_init_ms[r];
    }
}

static void add_scope(fsim_scope *total, const fsim_scope *s) {
    const uint64_t *from = (const uint64_t *)(const void *)&s->n;
    uint64_t *to = (uint64_t *)(void *)&total->n;
    for (size_t i = 0; i < sizeof s->n / sizeof *from; i++) {
        to[i] += from[i];
    }
    merge_spans(&total->latency, &s->latency);
    merge_spans(&total->latency_cold, &s->latency_cold);
    merge_spans(&total->wait, &s->wait);
    merge_spans(&total->service, &s->service);
    total->waited += s->waited;
    for (int p = 0; p < FSIM_COLD_PHASES; p++) {
        total->cold_phase_ns[p] += s->cold_phase_ns[p];
    }
    total->cold_phase_count += s->cold_phase_count;
    for (int i = 0; i < FSIM_EXCEED_MAX; i++) {
        total->latency_above[i] += s->latency_above[i];
        total->wait_above[i] += s->wait_above[i];
    }
    total->starting_ns += s->starting_ns;
    total->busy_ns += s->busy_ns;
    total->idle_ns += s->idle_ns;
    total->slot_ns += s->slot_ns;
    total->busy_slot_ns += s->busy_slot_ns;
    total->provisioned_ns += s->provisioned_ns;
    total->has_sessions |= s->has_sessions;
    total->sessions_at_end += s->sessions_at_end;
    total->has_health |= s->has_health;
}

static void merge_histograms(fsim_scope *into, const fsim_scope *from) {
    fsim_histogram_merge(into->latency.hist, from->latency.hist);
    fsim_histogram_merge(into->latency_cold.hist, from->latency_cold.hist);
    fsim_histogram_merge(into->wait.hist, from->wait.hist);
    fsim_histogram_merge(into->service.hist, from->service.hist);
}

static void finish_scope(fsim_scope *s) {
    finish_spans(&s->latency);
    finish_spans(&s->latency_cold);
    finish_spans(&s->wait);
    finish_spans(&s->service);
}

/* A function of several versions: their sum, and what it has counted of them together. */
static void fill_group(engine *e, uint32_t fn, fsim_ns end_ns, bool has_histograms) {
    const function *f = &e->functions[fn];
    const function_base *base = &e->function_base[fn];
    fsim_scope *s = &e->result->per_function[fn];
    start_spans(s);
    if (has_histograms) {
        give_histograms(e, s);
    }
    for (uint32_t v = 1; v <= f->spec.versions->count; v++) {
        const fsim_scope *version = &e->result->per_function[fn + v];
        add_scope(s, version);
        if (has_histograms) {
            merge_histograms(s, version);
        }
    }
    s->in_execution_ns = level_integral(&f->in_execution.level, end_ns) - base->in_execution;
    s->in_execution_sq_ns = squared_integral(&f->in_execution, end_ns) - base->square;
    s->in_execution_peak = f->in_execution.level.peak;
    s->instances_peak = f->alive_peak;
    s->queue_ns = level_integral(&f->queue, end_ns) - base->queue;
    s->queue_peak = f->queue.peak;
    finish_scope(s);
}

/* The implied function was not called. Beside a trace another part of the workload may call it in one
 * replication and not in the next: their means are over all of them, so that all tell of it. */
static bool is_silent(const engine *e) {
    const fsim_scenario *s = e->scenario;
    bool by_chance = s->replications > 1 && fsim_value_peek(s->workload, "of") != NULL;
    return e->function_count > 1u && e->unbegun == 0 && e->result->per_function[0].n.arrived == 0 &&
           !by_chance;
}

static void fill_scopes(engine *e, fsim_ns end_ns) {
    fsim_result *result = e->result;
    fsim_scope *total = &result->total;
    uint32_t count = e->function_count;
    bool each = count <= FSIM_FUNCTION_HISTOGRAMS_MAX;
    result->per_function = engine_grow(e, NULL, count, sizeof *result->per_function);
    memset(result->per_function, 0, count * sizeof *result->per_function);
    result->usage = engine_grow(e, NULL, count, sizeof *result->usage);
    result->function_count = count;
    start_spans(total);
    give_histograms(e, total);
    uint64_t begun_direct = 0;
    for (uint32_t fn = 0; fn < count; fn++) {
        fsim_scope *s = &result->per_function[fn];
        tally *t = &e->tallies[fn];
        result->usage[fn] = e->functions[fn].usage;
        if (e->functions[fn].spec.versions != NULL) {
            continue;
        }
        engine_fold(e, fn);
        start_spans(s);
        put_tally(s, t);
        put_levels(s, &e->functions[fn], &e->function_base[fn], end_ns);
        s->sessions_at_end = s->has_sessions ? engine_session_count(e, fn) : 0;
        add_scope(total, s);
        if (t->hist.direct != e->shared_hist.direct) {
            add_histograms(total, &t->hist, t->begun_direct);
        } else {
            begun_direct += t->begun_direct;
        }
        if (each) {
            give_histograms(e, s);
            add_histograms(s, &t->hist, t->begun_direct);
        }
        finish_scope(s);
        copy_active_meters(e, &e->functions[fn]);
        result->node_memory_mb_ns +=
            (s->starting_ns + s->busy_ns + s->idle_ns) * e->functions[fn].spec.memory_mb;
        result->node_cpu_busy_ns += (fsim_wide)(e->functions[fn].usage.cpu_ucore_ns / 1000u);
        result->usage[fn] = e->functions[fn].usage;
    }
    for (uint32_t fn = 0; fn < count; fn++) {
        if (e->functions[fn].spec.versions != NULL) {
            fill_group(e, fn, end_ns, each);
        }
    }
    result->told_from = is_silent(e) ? 1u : 0u;
    if (e->shared_hist.direct != NULL) {
        add_histograms(total, &e->shared_hist, begun_direct);
    }
    finish_scope(total);
    const fsim_scope *only = &result->per_function[0];
    total->in_execution_ns = e->many ? level_integral(&e->in_execution.level, end_ns) - e->base.in_execution
                                     : only->in_execution_ns;
    total->in_execution_sq_ns =
        e->many ? squared_integral(&e->in_execution, end_ns) - e->base.square : only->in_execution_sq_ns;
    total->in_execution_peak = e->many ? e->in_execution.level.peak : only->in_execution_peak;
    total->instances_peak = e->alive_peak;
    total->queue_ns = level_integral(engine_in_queue(e), end_ns) - e->base.queue;
    total->queue_peak = engine_in_queue(e)->peak;
}

static void fill_occupancy(engine *e) {
    if (!e->has_occupancy) {
        return;
    }
    fsim_result *result = e->result;
    uint32_t levels = e->scenario->occupancy + 1u;
    result->occupancy = e->scenario->occupancy;
    result->occupancy_requests = engine_grow(e, NULL, levels, sizeof(double));
    result->occupancy_instances = engine_grow(e, NULL, levels, sizeof(double));
    double horizon = result->horizon_ns > 0 ? (double)result->horizon_ns : 1.0;
    for (uint32_t l = 0; l < levels; l++) {
        result->occupancy_requests[l] = (double)e->occupancy_requests_ns[l] / horizon;
        result->occupancy_instances[l] = (double)e->occupancy_instances_ns[l] / horizon;
    }
}

/* Under random or oldest-idle routing a long keep-alive never lets the pool shrink: it sits at its high-water
 * mark and a steady state is out of reach (validity, finding 2). The sign: nothing was ever removed although
 * the run is longer than the window, and the pool grew late in it. */
static bool looks_nonstationary(const engine *e, fsim_ns end_ns) {
    const function *f = &e->functions[0];
    fsim_wide removed = 0;
    for (uint32_t fn = 0; fn < e->function_count; fn++) {
        removed += (fsim_wide)e->tallies[fn].n.removed;
    }
    fsim_ns horizon_ns = end_ns - e->warmup_ns;
    return f->scale.on_demand && !f->window_drawn && f->window_ns != FSIM_NEVER &&
           horizon_ns > f->window_ns && e->scenario->windows_every_ns == 0 && removed == 0 &&
           e->alive_peak > 1 && e->growth_at_ns > e->warmup_ns + horizon_ns / 2;
}

/* What only the simulation needed makes room for what it has found. */
static void free_simulation(engine *e) {
    lanes_destroy(e->lanes);
    e->lanes = NULL;
    fsim_workload_close(e->workload);
    e->workload = NULL;
}

void engine_finish(engine *e, fsim_ns end_ns) {
    fsim_result *result = e->result;
    engine_marks_finish(e, end_ns);
    e->now_ns = end_ns;
    result->end_ns = end_ns;
    result->horizon_ns = end_ns > e->warmup_ns ? end_ns - e->warmup_ns : 0;
    end_requests(e, end_ns);
    end_instances(e, end_ns);
    if (e->books != NULL) {
        engine_books_finish(e, end_ns);
    }
    free_simulation(e);
    fill_scopes(e, end_ns);
    fill_occupancy(e);
    result->nonstationary = looks_nonstationary(e, end_ns);
    result->policy = e->scenario->bundle;
    result->seed = e->options->seed;
    result->digest = e->digest;
    result->events = e->events;
    result->batches = e->batches;
    result->meters = e->plan;
    result->probe_count = e->scenario->probe_count;
    result->node_count = e->scenario->nodes.count;
    result->node_ns = level_integral(&e->node_in_use, end_ns) - e->base.node_in_use;
    result->node_peak = (uint32_t)e->node_in_use.peak;
    result->functions = e->table;
    e->table = NULL;
}
