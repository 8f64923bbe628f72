/* The short way: warm requests of functions with one slot, no CPU model, no scaler and a rule of recency, in
 * a run that limits, probes and reports nothing per request. That is the common case and the one that must be
 * fast; it does for them what engine_arrive and engine_complete do for every case, and stops before the first
 * arrival or event that needs more. Both ways give the same results: tests/property runs them against each
 * other (sim/decisions/0012).
 *
 * Two things make it short. What all requests count together is kept in a few local sums, added to the engine
 * when the way is left; and a request records only what cannot be told from the others of its kind: the rest
 * is filled in (engine_restore) if its end must go the general way after all. */
#include "model/engine.h"

/* Sums of one stretch of the way. */
typedef struct stretch {
    uint64_t arrived, completed;
    uint64_t inside, inside_limit; /* account concurrency */
    fsim_ns left_at_ns;            /* when the last request left */
} stretch;

/* With many functions what a request touches is far apart; so many steps ahead is long enough for it to come
 * in, first what is known, then what that leads to. */
enum { ARRIVAL_FAR = 12, ARRIVAL_NEAR = 5, EVENT_FAR = 8, EVENT_NEAR = 3 };

static inline void prefetch_function(const function *f) {
    const char *line = (const char *)f;
    __builtin_prefetch(line, 1);
    __builtin_prefetch(line + 64, 1);
    __builtin_prefetch(line + 128, 1);
    __builtin_prefetch(line + 192, 1);
}

static inline uint32_t pick(const fsim_fleet *fleet) {
    return fleet->order == FSIM_ROUTE_NEWEST_IDLE ? fleet->idle_newest : fleet->idle_oldest;
}

static inline void prefetch_instance(const engine *e, uint32_t i) {
    __builtin_prefetch(&e->instances[i], 1);
    __builtin_prefetch(&e->links[i], 1);
}

static inline void prefetch_arrival(const engine *e, const fsim_arrivals *batch, uint32_t at) {
    uint32_t last = batch->count - 1u;
    uint32_t far = at + ARRIVAL_FAR, near = at + ARRIVAL_NEAR;
    prefetch_function(&e->functions[batch->fn[far < last ? far : last]]);
    uint32_t i = pick(&e->functions[batch->fn[near < last ? near : last]].fleet[0]);
    if (i != FSIM_NONE) {
        prefetch_instance(e, i);
    }
}

static inline void prefetch_event(const engine *e, bool many) {
    const fsim_event *near = fsim_event_queue_peek(&e->queue, EVENT_NEAR);
    if (near != NULL && (near->kind & 0xffu) == EVENT_SHORT) {
        prefetch_instance(e, near->kind >> 8); /* of a large pool only the low bits: a hint */
        if (many) {
            prefetch_function(&e->functions[e->requests[near->target].fn]);
        }
    }
    if (many) {
        const fsim_event *far = fsim_event_queue_peek(&e->queue, EVENT_FAR);
        if (far != NULL) {
            __builtin_prefetch(&e->requests[far->target], 1);
        }
    }
}

void engine_restore(engine *e, uint32_t r) {
    request *q = &e->requests[r];
    q->start_ns = q->arrival_ns;
    q->service_ns = e->now_ns - q->arrival_ns;
    q->attempts = 0;
    q->closed = 0;
    q->flags &= (uint16_t)~REQUEST_SHORT;
}

/* False: it needs the general way. */
static inline bool arrive(engine *e, stretch *s, const fsim_arrivals *batch, uint32_t k, bool many) {
    fsim_ns at_ns = batch->at_ns[k];
    fsim_ns service_ns = batch->service_ns[k];
    fsim_fn_id fn = batch->fn[k];
    function *f = &e->functions[fn];
    fsim_fleet *fleet = &f->fleet[0];
    uint32_t i = pick(fleet), r = e->request_free;
    if (!f->fast || i == FSIM_NONE || r == FSIM_NONE || f->queued != 0 || service_ns > f->timeout_ns ||
        s->inside >= s->inside_limit || fsim_event_queue_is_full(&e->queue)) {
        return false;
    }
    instance *in = &e->instances[i];
    if (!in->served && e->metering) {
        return false; /* its first request bills the initialisation */
    }
    uint32_t rate_ucore = f->rate_ucore;
    if (batch->has_cpu) {
        rate_ucore = engine_rate(e, batch, k);
    }
    fsim_fleet_idle_unlink(fleet, e->links, i);
    e->links[i].inside = 1;
    f->arrivals_generation = (f->arrivals_generation + 1u) & GENERATION_MASK;
    request *q = &e->requests[r];
    e->request_free = q->link.next;
    q->arrival_ns = at_ns;
    q->fn = fn;
    q->instance = i;
    q->rate_ucore = rate_ucore;
    q->flags = REQUEST_LIVE | REQUEST_COUNTED | REQUEST_SHORT;
    f->sums.arrived++;
    f->inside++;
    s->arrived++;
    s->inside++;
    in->executing = 1;
    in->since_ns = at_ns;
    squared_enter(&f->in_execution, at_ns);
    if (many) {
        squared_enter(&e->in_execution, at_ns);
    }
    fsim_event_queue_push(&e->queue, at_ns,
                          (fsim_event){fsim_ns_add(at_ns, service_ns), r, EVENT_KIND(EVENT_SHORT, i)});
    return true;
}

static inline void meter(engine *e, function *f, const request *q, fsim_ns now_ns) {
    short_sums *sums = &f->sums;
    instance *in = &e->instances[q->instance];
    fsim_ns span_ns = now_ns - q->arrival_ns;
    fsim_meter_add_span(&e->plan.request, (uint64_t)span_ns, sums->billed_ms);
    if (fsim_cpu_meter_fits(&in->meter, &f->cpu_rule, q->arrival_ns, now_ns)) {
        sums->cpu_mem_ms += fsim_cpu_meter_add(&in->meter, (uint64_t)span_ns, q->rate_ucore);
    } else {
        fsim_cpu_meter_span(&in->meter, &f->cpu_rule, &f->usage, q->arrival_ns, now_ns, q->rate_ucore);
    }
    in->active_ns += span_ns;
}

/* False: it needs the general way, and is still the queue's head. */
static inline bool complete(engine *e, stretch *s, bool many) {
    const fsim_event *head = fsim_event_queue_peek(&e->queue, 0);
    uint32_t r = head->target;
    request *q = &e->requests[r];
    function *f = &e->functions[q->fn];
    if (f->queued != 0) {
        return false;
    }
    fsim_ns now_ns = fsim_event_queue_pop(&e->queue).at_ns;
    prefetch_event(e, many);
    uint32_t i = q->instance;
    instance *in = &e->instances[i];
    fsim_ns span_ns = now_ns - q->arrival_ns;
    squared_leave(&f->in_execution, now_ns);
    if (many) {
        squared_leave(&e->in_execution, now_ns);
    }
    short_sums *sums = &f->sums;
    sums->completed++;
    sums->span_ns += (uint64_t)span_ns;
    sums->span_min_ns = (uint64_t)span_ns < sums->span_min_ns ? (uint64_t)span_ns : sums->span_min_ns;
    sums->span_max_ns = (uint64_t)span_ns > sums->span_max_ns ? (uint64_t)span_ns : sums->span_max_ns;
    fsim_histogram_add(sums->hist, span_ns);
    if (e->metering) {
        meter(e, f, q, now_ns);
    }
    e->digest = engine_mix(e->digest, (uint64_t)q->arrival_ns ^ ((uint64_t)q->fn << 48),
                           (uint64_t)now_ns * 8u + FSIM_COMPLETED);
    q->flags = 0;
    q->link.next = e->request_free;
    e->request_free = r;
    f->inside--;
    s->completed++;
    s->left_at_ns = now_ns;
    s->inside--;
    in->executing = 0;
    in->since_ns = now_ns;
    e->links[i].inside = 0;
    fsim_fleet_idle_append(&f->fleet[0], e->links, i);
    if (f->window_drawn || !f->expire_armed) {
        e->now_ns = now_ns;
        engine_idle(e, f, i);
    }
    return true;
}

static inline uint32_t run(engine *e, const fsim_arrivals *batch, uint32_t k, uint32_t count, bool many) {
    stretch s = {
        .inside = e->inside_shared, .inside_limit = e->inside_shared_limit, .left_at_ns = e->left_at_ns};
    fsim_ns mark_ns = e->mark_ns, now_ns = e->now_ns;
    while (k < count) {
        fsim_ns at_ns = batch->at_ns[k], next_ns = fsim_event_queue_next_ns(&e->queue);
        if (next_ns <= at_ns) {
            const fsim_event *head = fsim_event_queue_peek(&e->queue, 0);
            if ((head->kind & 0xffu) != EVENT_SHORT || next_ns > mark_ns || !complete(e, &s, many)) {
                break;
            }
            now_ns = next_ns;
        } else {
            if (many) {
                prefetch_arrival(e, batch, k);
            }
            if (at_ns > mark_ns || !arrive(e, &s, batch, k, many)) {
                break;
            }
            now_ns = at_ns;
            k++;
        }
    }
    e->now_ns = now_ns;
    e->left_at_ns = s.left_at_ns;
    e->seen.arrived += s.arrived;
    e->seen.completed += s.completed;
    e->in_system += s.arrived - s.completed;
    e->inside_shared = s.inside;
    e->events += s.completed;
    return k;
}

uint32_t engine_short_way(engine *e, const fsim_arrivals *batch, uint32_t first, uint32_t count) {
    if (!e->fast || batch->at_ns[first] < e->warmup_ns || e->waiting_first != FSIM_NONE) {
        return first;
    }
    return e->many ? run(e, batch, first, count, true) : run(e, batch, first, count, false);
}
