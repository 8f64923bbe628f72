/* The loop: events and arrivals in order of time, and the short way that most requests take. */
#include "model/engine.h"

/* ---- events ---- */

static void on_queue_timeout(engine *e, function *f) {
    f->timeout_armed = false;
    fsim_ns timeout_ns = e->scenario->queue_timeout.constant_ns;
    while (f->queued != 0) {
        uint32_t r = f->queue_head;
        fsim_ns due_ns = fsim_ns_add(e->requests[r].arrival_ns, timeout_ns);
        if (due_ns > e->now_ns) {
            f->timeout_armed = true;
            engine_push(e, due_ns, e->requests[r].fn, EVENT_QUEUE_TIMEOUT);
            return;
        }
        engine_give_up_waiting(e, f, r);
    }
}

static void on_think(engine *e, uint32_t population) {
    closed_population *p = &e->closed[population];
    e->closed_outstanding--;
    if (p->sent >= p->plan->requests_max || e->now_ns > p->plan->until_ns) {
        return;
    }
    p->sent++;
    function *f = &e->functions[p->plan->fn];
    engine_arrive(e, e->now_ns, p->plan->fn, fsim_dist_sample(&f->spec.service, &p->rng_service),
                  f->rate_ucore, (uint16_t)(population + 1u));
}

static void on_ready_at_last(engine *e, uint32_t instance_id, uint32_t generation) {
    if (e->instances[instance_id].generation == generation) {
        engine_ready(e, instance_id);
    }
}

/* The target of the events that are for a function; those for instances and requests have other targets. */
static function *function_of(engine *e, fsim_event event) {
    fsim_check(event.target < e->function_count);
    return &e->functions[event.target];
}

static void handle_seldom(engine *e, fsim_event event) {
    uint32_t generation = event.kind >> 8;
    switch ((event_kind)(event.kind & 0xffu)) {
    case EVENT_EXPIRE_ONE:
        if (e->instances[event.target].generation == generation) {
            engine_expire_one(e, event.target);
        }
        break;
    case EVENT_PREWARM:
        if (function_of(e, event)->arrivals_generation == generation) {
            engine_prewarm(e, function_of(e, event));
        }
        break;
    case EVENT_QUEUE_TIMEOUT: on_queue_timeout(e, function_of(e, event)); break;
    case EVENT_REQUEST_TIMEOUT:
        if (e->requests[event.target].generation == generation) {
            engine_give_up_waiting(e, &e->functions[e->requests[event.target].fn], event.target);
        }
        break;
    case EVENT_THINK: on_think(e, event.target); break;
    case EVENT_SAMPLE: engine_sample(e, function_of(e, event)); break;
    case EVENT_TICK: engine_tick(e, function_of(e, event)); break;
    case EVENT_REFILL:
        function_of(e, event)->refill_armed = false;
        engine_serve_queue(e, function_of(e, event));
        break;
    case EVENT_PROVISION: engine_provision(e, function_of(e, event)); break;
    case EVENT_SHARE: engine_share_fire(e, event.target, generation); break;
    case EVENT_SESSION: engine_session_fire(e, event.target, generation); break;
    case EVENT_SESSION_WAIT: engine_session_stop_waiting(e, event.target, generation); break;
    case EVENT_COMPLETE:
    case EVENT_READY:
    case EVENT_EXPIRE:
    case EVENT_RETRY:
    default: fsim_assert(false);
    }
}

/* ---- the short way ---- *
 *
 * A function with one slot, no CPU model, no scaler and a rule of recency, in a run that limits, probes and
 * reports nothing per request, is the common case and the one that must be fast. The two functions below do
 * for it what engine_arrive and engine_complete do for every case, for a warm request that finds an idle
 * instance, and hand everything else to those. Both ways give the same digest: tests/property runs them
 * against each other. */

static inline bool arrive_fast(engine *e, fsim_ns at_ns, fsim_fn_id fn, fsim_ns service_ns,
                               uint32_t rate_ucore) {
    function *f = &e->functions[fn];
    fsim_fleet *fleet = &f->fleet[0];
    uint32_t i = fleet->order == FSIM_ROUTE_NEWEST_IDLE ? fleet->idle_newest : fleet->idle_oldest;
    if (!f->fast || i == FSIM_NONE || f->queued != 0 || service_ns > f->timeout_ns ||
        e->inside_shared >= e->inside_shared_limit || e->request_free == FSIM_NONE) {
        return false;
    }
    e->now_ns = at_ns;
    f->arrivals_generation = (f->arrivals_generation + 1u) & GENERATION_MASK;
    fsim_fleet_idle_unlink(fleet, e->links, i);
    e->links[i].inside = 1;
    uint32_t r = e->request_free;
    request *q = &e->requests[r];
    e->request_free = q->link.next;
    uint64_t counted = at_ns >= e->warmup_ns;
    q->arrival_ns = at_ns;
    q->start_ns = at_ns;
    q->service_ns = service_ns;
    q->fn = fn;
    q->instance = i;
    q->attempts = 0;
    q->rate_ucore = rate_ucore;
    q->closed = 0;
    q->flags = (uint16_t)(REQUEST_LIVE + REQUEST_COUNTED * counted);
    f->sums.arrived += counted;
    e->seen.arrived += counted;
    e->in_system++;
    f->inside++;
    e->inside_shared++;
    level_enter(&e->busy, e->now_ns);
    instance *in = &e->instances[i];
    in->executing = 1;
    in->since_ns = at_ns;
    squared_enter(&f->in_execution, at_ns);
    if (e->many) {
        squared_enter(&e->in_execution, at_ns);
    }
    engine_push(e, fsim_ns_add(at_ns, service_ns), r, EVENT_KIND(EVENT_COMPLETE, i));
    return true;
}

static inline void complete_fast(engine *e, uint32_t r) {
    request *q = &e->requests[r];
    function *f = &e->functions[q->fn];
    uint32_t i = q->instance;
    instance *in = &e->instances[i];
    if (!f->fast || q->flags != (REQUEST_LIVE | REQUEST_COUNTED) || q->start_ns != q->arrival_ns ||
        f->queued != 0 || in->provisioned || (e->metering && !in->served) || q->closed != 0 ||
        e->waiting_first != FSIM_NONE) {
        engine_complete(e, r);
        return;
    }
    fsim_ns now_ns = e->now_ns;
    fsim_ns span_ns = now_ns - q->start_ns;
    squared_leave(&f->in_execution, now_ns);
    if (e->many) {
        squared_leave(&e->in_execution, now_ns);
    }
    short_sums *sums = &f->sums;
    sums->completed++;
    e->seen.completed++;
    sums->span_ns += (uint64_t)span_ns;
    sums->span_min_ns = (uint64_t)span_ns < sums->span_min_ns ? (uint64_t)span_ns : sums->span_min_ns;
    sums->span_max_ns = (uint64_t)span_ns > sums->span_max_ns ? (uint64_t)span_ns : sums->span_max_ns;
    fsim_histogram_add(sums->hist, span_ns);
    if (e->metering) {
        fsim_meter_add_span(&e->plan.request, (uint64_t)span_ns, sums->billed_ms);
        if (fsim_cpu_meter_fits(&e->instances[i].meter, &f->cpu_rule, q->start_ns, now_ns)) {
            sums->cpu_mem_ms += fsim_cpu_meter_add(&e->instances[i].meter, (uint64_t)span_ns, q->rate_ucore);
        } else {
            fsim_cpu_meter_span(&e->instances[i].meter, &f->cpu_rule, &f->usage, q->start_ns, now_ns,
                                q->rate_ucore);
        }
        in->active_ns += span_ns;
    }
    e->digest = engine_mix(e->digest, (uint64_t)q->arrival_ns ^ ((uint64_t)q->fn << 48),
                           (uint64_t)now_ns * 8u + FSIM_COMPLETED);
    q->flags = 0;
    q->generation = (q->generation + 1u) & GENERATION_MASK;
    q->link.next = e->request_free;
    e->request_free = r;
    e->in_system--;
    e->left_at_ns = now_ns;
    f->inside--;
    e->inside_shared--;
    level_leave(&e->busy, e->now_ns);
    in->executing = 0;
    in->since_ns = now_ns;
    e->links[i].inside = 0;
    fsim_fleet_idle_append(&f->fleet[0], e->links, i);
    if (f->window_drawn) {
        engine_draw_window(e, f, i);
    } else if (!f->expire_armed) {
        engine_idle(e, f, i);
    }
}

/* ---- the loop ---- */

static inline void handle(engine *e, fsim_event event) {
    e->now_ns = event.at_ns;
    switch ((event_kind)(event.kind & 0xffu)) {
    case EVENT_COMPLETE: complete_fast(e, event.target); break;
    case EVENT_READY: on_ready_at_last(e, event.target, event.kind >> 8); break;
    case EVENT_EXPIRE: engine_expire(e, &e->functions[event.target]); break;
    case EVENT_RETRY: engine_admit(e, &e->functions[e->requests[event.target].fn], event.target); break;
    default: handle_seldom(e, event); break;
    }
}

static inline bool next_is_due(const engine *e, fsim_ns until_ns) {
    return fsim_event_queue_next_ns(&e->queue) <= until_ns;
}

/* Whose turn is soon is known while this event is handled: its request and instance come in meanwhile. */
static inline void prefetch_next(const engine *e) {
    const fsim_event *next = fsim_event_queue_peek(&e->queue, 0);
    if (next != NULL && (next->kind & 0xffu) == EVENT_COMPLETE) {
        uint32_t i = next->kind >> 8; /* of a large pool only the low bits: a hint */
        __builtin_prefetch(&e->requests[next->target], 1);
        __builtin_prefetch(&e->instances[i], 1);
        __builtin_prefetch(&e->links[i], 1);
    }
}

static inline void step(engine *e) {
    fsim_ns next_ns = fsim_event_queue_next_ns(&e->queue);
    if (next_ns > e->mark_ns) {
        engine_marks(e, next_ns);
    }
    e->events++;
    fsim_event event = fsim_event_queue_pop(&e->queue);
    prefetch_next(e);
    handle(e, event);
}

/* With many functions the lines of the short way are far apart; a few arrivals ahead is long enough for them
 * to come in. */
#define PREFETCH_AHEAD 6u

static inline void prefetch_function(const function *f) {
    const char *line = (const char *)f;
    __builtin_prefetch(line, 1);
    __builtin_prefetch(line + 64, 1);
    __builtin_prefetch(line + 128, 1);
    __builtin_prefetch(line + 192, 1);
}

void engine_feed(engine *e, const fsim_arrivals *batch, fsim_ns until_ns) {
    for (uint32_t i = 0; i < batch->count; i++) {
        fsim_ns at_ns = batch->at_ns[i];
        uint32_t ahead = i + PREFETCH_AHEAD < batch->count ? i + PREFETCH_AHEAD : i;
        if (e->many) {
            prefetch_function(&e->functions[batch->fn[ahead]]);
        }
        if (at_ns > until_ns) {
            e->workload_ended = true;
            return;
        }
        while (next_is_due(e, at_ns)) {
            step(e);
        }
        if (at_ns > e->mark_ns) {
            engine_marks(e, at_ns);
        }
        uint32_t rate_ucore = e->functions[batch->fn[i]].rate_ucore;
        if (batch->has_cpu && batch->cpu_ns[i] != FSIM_DRAW && batch->service_ns[i] > 0) {
            double share = (double)batch->cpu_ns[i] / (double)batch->service_ns[i];
            double most = e->functions[batch->fn[i]].spec.vcpu;
            rate_ucore = (uint32_t)((share < most ? share : most) * FSIM_UCORE + 0.5);
        }
        if (!arrive_fast(e, at_ns, batch->fn[i], batch->service_ns[i], rate_ucore)) {
            e->session_now = batch->has_session ? batch->session[i] : 0;
            engine_arrive(e, at_ns, batch->fn[i], batch->service_ns[i], rate_ucore, 0);
        }
    }
}

/* After the last arrival: until everybody has left, or until the end of the run. */
void engine_drain(engine *e, fsim_ns until_ns) {
    bool to_the_end = until_ns != FSIM_NEVER;
    while (next_is_due(e, until_ns) && e->queue.next_ns != FSIM_NEVER && !e->stopped &&
           (to_the_end || e->in_system != 0 || e->closed_outstanding != 0)) {
        step(e);
    }
}
