/* Scalers at work: samples and ticks on their grids, and starting or removing instances until what they want
 * is there. */
#include "model/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t id_of(const engine *e, const function *f) {
    return (uint32_t)(f - e->functions);
}

/* ---- ready instances of scaled functions, oldest first ---- */

void engine_scaled_add(engine *e, function *f, uint32_t i) {
    if (f->ready_count == f->ready_capacity) {
        uint32_t capacity = f->ready_capacity == 0 ? 8u : f->ready_capacity * 2u;
        f->ready = engine_grow(e, f->ready, capacity, sizeof *f->ready);
        f->ready_capacity = capacity;
    }
    f->ready[f->ready_count++] = i;
    e->sampled.inside[i] = e->sampled.proxied[i] = (flow){0};
    if (f->wants_cpu) {
        engine_cpu_open(e, f, i);
    }
}

void engine_scaled_remove(engine *e, function *f, uint32_t i) {
    (void)e;
    uint32_t at = f->ready_count;
    while (at > 0 && f->ready[at - 1u] != i) { /* the newest usually go first */
        at--;
    }
    fsim_assert(at > 0);
    memmove(&f->ready[at - 1u], &f->ready[at], (f->ready_count - at) * sizeof *f->ready);
    f->ready_count--;
}

/* ---- samples ---- */

static void *cell_of(const engine *e, uint32_t i) {
    return e->cell_size != 0 ? e->cells + (size_t)i * e->cell_size : NULL;
}

/* What the ready instances have done since the last sample. */
static void fill_rows(engine *e, const function *f, fsim_ns elapsed_ns) {
    if (f->ready_count > e->sample_capacity) {
        e->sample_rows = engine_grow(e, e->sample_rows, f->ready_capacity, sizeof *e->sample_rows);
        e->sample_capacity = f->ready_capacity;
    }
    for (uint32_t k = 0; k < f->ready_count; k++) {
        uint32_t i = f->ready[k];
        flow *inside = &e->sampled.inside[i], *proxied = &e->sampled.proxied[i];
        fsim_ns age_ns = e->now_ns - e->instances[i].ready_ns;
        fsim_ns over_ns = age_ns < elapsed_ns && age_ns > 0 ? age_ns : elapsed_ns;
        double own_ns = (double)over_ns;
        e->sample_rows[k] =
            (fsim_instance_sample){.age_ns = age_ns,
                                   .over_ns = over_ns,
                                   .state = cell_of(e, i),
                                   .cpu = f->wants_cpu ? engine_cpu_mean(e, i, own_ns) : 0.0,
                                   .memory_mb = f->wants_cpu ? engine_memory_mb(e, f, i) : 0.0,
                                   .concurrency = flow_sample(inside, e->now_ns, own_ns),
                                   .proxied_concurrency = flow_sample(proxied, e->now_ns, own_ns),
                                   .requests_per_s = (double)inside->arrivals / (own_ns * 1e-9),
                                   .proxied_requests_per_s = (double)proxied->arrivals / (own_ns * 1e-9)};
        inside->arrivals = 0;
        proxied->arrivals = 0;
    }
}

void engine_sample(engine *e, function *f) {
    if (f->asleep) {
        f->sample_armed = false;
        return;
    }
    fsim_ns elapsed_ns = e->now_ns - f->sampled_ns;
    fill_rows(e, f, elapsed_ns);
    fsim_scale_sample sample = {.now_ns = e->now_ns,
                                .elapsed_ns = elapsed_ns,
                                .instances = e->sample_rows,
                                .count = f->ready_count,
                                .starting = f->starting_count,
                                .in_flight = f->inside,
                                .queued = f->queued,
                                .arrived = f->came,
                                .completed = f->went,
                                .activator_concurrency =
                                    flow_sample(&f->proxied, e->now_ns, (double)elapsed_ns),
                                .activator_requests = (double)f->proxied.arrivals};
    f->proxied.arrivals = 0;
    f->came = f->went = 0;
    f->sampled_ns = e->now_ns;
    e->scenario->scaling->sample(f->scaling_state, e->scenario->scaling_params, &sample,
                                 &engine_rest(e, f)->rng_scaling);
    engine_push(e, e->now_ns + f->scale.sample_ns, id_of(e, f), EVENT_SAMPLE);
}

/* ---- decisions ---- */

static void list_instances(engine *e, const function *f, fsim_scale_view *view) {
    uint32_t count = f->ready_count + f->starting_count;
    if (count > e->view_capacity) {
        e->view_rows = engine_grow(e, e->view_rows, (size_t)count * 2u, sizeof *e->view_rows);
        e->view_capacity = count * 2u;
    }
    for (uint32_t k = 0; k < f->ready_count; k++) {
        const instance *in = &e->instances[f->ready[k]];
        e->view_rows[k] = (fsim_instance_view){in->started_ns, in->ready_ns, cell_of(e, f->ready[k])};
    }
    uint32_t at = count;
    for (uint32_t i = f->starting_newest; i != FSIM_NONE; i = e->instances[i].older) {
        e->view_rows[--at] = (fsim_instance_view){e->instances[i].started_ns, FSIM_NEVER, cell_of(e, i)};
    }
    view->instances = e->view_rows;
    view->instance_count = count;
}

static void decide(engine *e, function *f) {
    fsim_scale_view view = {.now_ns = e->now_ns,
                            .ready = f->ready_count,
                            .starting = f->starting_count,
                            .wanted = f->wanted,
                            .in_flight = f->inside,
                            .queued = f->queued};
    if (f->scale.wants_instances) {
        list_instances(e, f, &view);
    }
    if ((f->watched & WATCH_TOTALS) != 0) {
        engine_totals_read(e, f, &view);
    }
    fsim_scale_decision decision = {.want = f->wanted, .direct = f->direct, .mode = ""};
    bool explain = e->options->on_decision != NULL;
    e->scenario->scaling->tick(f->scaling_state, e->scenario->scaling_params, &view, explain, &decision);
    if (explain) {
        e->options->on_decision(e->options->user, id_of(e, f), &view, &decision);
    }
    f->direct = decision.direct;
    f->asleep = decision.sleep;
    uint32_t have = f->starting_count + f->ready_count;
    bool short_of = have < f->wanted; /* a limit held starts back, or an instance has gone */
    bool too_many = have > f->wanted && !f->scale.floor; /* protected ones were spared */
    if (decision.want != f->wanted || short_of || too_many) {
        e->wanted += (uint64_t)decision.want - f->wanted;
        f->wanted = decision.want;
        engine_fit(e, f);
    }
}

void engine_tick(engine *e, function *f) {
    if (f->asleep) {
        f->tick_armed = false;
        return;
    }
    decide(e, f);
    if (e->waiting_first != FSIM_NONE) { /* what it removed may leave room for others */
        engine_serve_waiting(e, 0);
    }
    engine_push(e, e->now_ns + f->scale.tick_ns, id_of(e, f), EVENT_TICK);
}

static fsim_ns next_on_grid(fsim_ns now_ns, fsim_ns period_ns) {
    return (now_ns / period_ns + 1) * period_ns;
}

/* A request came in while nothing ran: the scaler wakes on its grid, and may be asked at once. */
void engine_wake(engine *e, function *f) {
    if (f->asleep) {
        f->asleep = false;
        if ((f->watched & WATCH_TOTALS) != 0) {
            engine_totals_wake(e, f);
        }
        f->sampled_ns = e->now_ns;
        f->proxied.before = flow_integral(&f->proxied, e->now_ns);
        if (f->scale.sample_ns != 0 && !f->sample_armed) {
            f->sample_armed = true;
            engine_push(e, next_on_grid(e->now_ns, f->scale.sample_ns), id_of(e, f), EVENT_SAMPLE);
        }
        if (f->scale.tick_ns != 0 && !f->tick_armed) {
            f->tick_armed = true;
            engine_push(e, next_on_grid(e->now_ns, f->scale.tick_ns), id_of(e, f), EVENT_TICK);
        }
    }
    if (f->wanted == 0 && e->scenario->scaling->poke != NULL &&
        e->scenario->scaling->poke(f->scaling_state, e->scenario->scaling_params, e->now_ns)) {
        decide(e, f);
    }
}

/* The ready instance that scale-in takes next; FSIM_NONE: there is none it may take. */
static uint32_t next_victim(const engine *e, const function *f) {
    for (uint32_t k = 0; k < f->ready_count; k++) {
        uint32_t i = f->ready[f->scale.oldest_first ? k : f->ready_count - 1u - k];
        if (!f->scale.protect_busy || e->links[i].inside == 0) {
            return i;
        }
    }
    return FSIM_NONE;
}

/* Scale-in takes starting instances first, then the newest (Kubernetes ranks unready, then younger ones
 * first) or what the plan says; those with requests inside drain. Requests that are bound to a start keep it.
 */
static void shrink(engine *e, function *f, uint32_t surplus) {
    for (uint32_t i = f->starting_newest; surplus > 0 && i != FSIM_NONE;) {
        uint32_t older = e->instances[i].older;
        if (e->links[i].inside == 0) {
            engine_cancel_start(e, i);
            surplus--;
        }
        i = older;
    }
    while (surplus > 0 && f->ready_count > 0) {
        uint32_t i = next_victim(e, f);
        if (i == FSIM_NONE) {
            return;
        }
        surplus--;
        engine_let_go(e, f, i);
    }
}

void engine_fit(engine *e, function *f) {
    uint32_t have = f->starting_count + f->ready_count;
    fsim_cause cause;
    if (f->scale.floor) {
        engine_floor_set(e, f);
    } else if (f->wanted < have) {
        shrink(e, f, have - f->wanted);
    }
    while (have < f->wanted && engine_may_start(e, f, &cause)) {
        bool caused = f->queued > f->starting_count;
        uint32_t i = engine_start(e, f, false);
        e->instances[i].caused = caused;
        e->tallies[id_of(e, f)].n.cold_triggered += caused && e->now_ns >= e->warmup_ns;
        engine_launch(e, i);
        have++;
    }
}

/* ---- set-up ---- */

void engine_scale_setup(engine *e, function *f) {
    const fsim_scaling_ops *ops = e->scenario->scaling;
    size_t bytes = ops->state_size != NULL ? ops->state_size(e->scenario->scaling_params) : 0;
    f->scaling_state = bytes != 0 ? calloc(1, bytes) : NULL;
    if (bytes != 0 && f->scaling_state == NULL) {
        engine_no_memory(e);
    }
    ops->init(f->scaling_state, e->scenario->scaling_params, &f->spec, &f->scale);
    f->scaled = f->scale.tick_ns != 0;
    f->wanted = f->scale.initial;
    f->direct = false;
    f->activator = f->scale.activator;
    bool totals = f->scaled && f->scale.totals;
    f->watched |= totals ? WATCH_TOTALS : 0u;
    f->sampled = f->scaled && !totals;
    f->samples_requests = f->sampled && !f->scale.no_requests;
    f->wants_cpu = f->sampled && f->scale.wants_cpu;
    f->waiting_per_start = f->scale.waiting_per_start != 0 ? f->scale.waiting_per_start : 1u;
    if (totals) {
        engine_totals_setup(e, f);
    }
    if (f->scaled && e->sampled.proxied == NULL) {
        engine_grow_sampled(e, 0, e->instance_capacity);
    }
    if (f->wants_cpu && e->cpu_uses == NULL) {
        e->cpu_uses = engine_grow_lines(e, NULL, 0, e->instance_capacity, sizeof *e->cpu_uses);
    }
    if (ops->instance_size != NULL && e->cells == NULL) {
        e->cell_size = ops->instance_size(e->scenario->scaling_params);
    }
    if (e->cell_size != 0 && e->cells == NULL) {
        e->cells = engine_grow(e, NULL, e->instance_capacity, e->cell_size);
    }
}

/* From now on: the instances it begins with, and its grids. */
void engine_scale_begin(engine *e, function *f) {
    uint32_t begin = f->scale.initial;
    begin = f->spec.min_instances > begin ? f->spec.min_instances : begin;
    begin = f->spec.initial_instances > begin ? f->spec.initial_instances : begin;
    f->wanted = f->scaled ? begin : f->wanted;
    if (f->scaled && f->scale.floor) {
        engine_floor_set(e, f);
    }
    for (uint32_t k = 0; k < begin && engine_limits(e, f)->alive < f->spec.max_instances; k++) {
        engine_start_ready(e, f, false);
    }
    if (!f->scaled) {
        return;
    }
    e->any_scaled = true;
    e->wanted += f->wanted;
    f->sampled_ns = e->now_ns;
    if (f->scale.sample_ns != 0) {
        f->sample_armed = true;
        engine_push(e, next_on_grid(e->now_ns, f->scale.sample_ns), id_of(e, f), EVENT_SAMPLE);
    }
    f->tick_armed = true;
    engine_push(e, next_on_grid(e->now_ns, f->scale.tick_ns), id_of(e, f), EVENT_TICK);
}
