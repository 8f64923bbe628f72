/* The short way: warm requests of functions with one slot, no CPU model, no scaler and a rule of recency, in
 * a run that limits, probes and reports nothing per request. That is the common case and the one that must be
 * fast; it does for them what engine_arrive and engine_complete do for every case, and stops before the first
 * arrival or event that needs more. Both ways give the same results: tests/property runs them against each
 * other (sim/decisions/0012).
 *
 * Two things make it short. What all requests count together is kept in a few local sums, added to the engine
 * when the way is left; and a request records only what cannot be told from the others of its kind: the rest
 * is filled in (engine_restore) if its end must go the general way after all. */
#include "model/engine_stretch.h"

/* One stretch of the way. Copies of what does not move meanwhile, so that it stays in registers, and sums.
 * With one function its level and sums are here, too. */
typedef struct stretch {
    function *functions;
    request *requests;
    instance *instances;
    fsim_fleet_link *links;
    uint64_t arrived, completed;
    uint64_t inside, inside_limit; /* account concurrency */
    uint64_t digest;
    fsim_ns left_at_ns; /* when the last request left */
    squared_level level;
    short_sums sums;
    bool many, metering;
} stretch;

/* With many functions what a request touches is far apart; so many steps ahead is long enough for it to come
 * in, first what is known, then what that leads to. */
enum { ARRIVAL_FAR = 12, ARRIVAL_NEAR = 5, EVENT_FAR = 8, EVENT_NEAR = 3 };

PART void prefetch_function(const function *f) {
    prefetch_lines(f, 2 * CACHE_LINE);
    prefetch_lines(&f->sums, 2 * CACHE_LINE);
}

PART uint32_t pick(const fsim_fleet *fleet) {
    return fleet->order == FSIM_ROUTE_NEWEST_IDLE ? fleet->idle_newest : fleet->idle_oldest;
}

PART void prefetch_instance(const stretch *s, uint32_t i) {
    __builtin_prefetch(&s->instances[i], 1);
    __builtin_prefetch(&s->links[i], 1);
}

PART void prefetch_arrival(const stretch *s, const fsim_arrivals *batch, uint32_t at) {
    uint32_t last = batch->count - 1u;
    uint32_t far = at + ARRIVAL_FAR, near = at + ARRIVAL_NEAR;
    prefetch_function(&s->functions[batch->fn[far < last ? far : last]]);
    uint32_t i = pick(&s->functions[batch->fn[near < last ? near : last]].fleet[0]);
    if (i != FSIM_NONE) {
        prefetch_instance(s, i);
    }
}

PART void prefetch_event(const engine *e, const stretch *s) {
    const fsim_event *near = fsim_event_queue_peek(&e->queue, EVENT_NEAR);
    if (near != NULL && (near->kind & 0xffu) == EVENT_SHORT) {
        prefetch_instance(s, near->kind >> 8); /* of a large pool only the low bits: a hint */
        if (s->many) {
            prefetch_function(&s->functions[s->requests[near->target].fn]);
        }
    }
    if (s->many) {
        const fsim_event *far = fsim_event_queue_peek(&e->queue, EVENT_FAR);
        if (far != NULL) {
            __builtin_prefetch(&s->requests[far->target], 1);
        }
    }
}

/* What the short way leaves unsaid while a request executes. */
void engine_restore(engine *e, uint32_t r) {
    request *q = &e->requests[r];
    instance *in = &e->instances[q->instance];
    q->start_ns = q->arrival_ns;
    q->service_ns = e->now_ns - q->arrival_ns;
    q->attempts = 0;
    q->closed = 0;
    q->flags &= (uint16_t)~REQUEST_SHORT;
    e->functions[q->fn].inside++;
    in->executing = 1;
    in->since_ns = q->arrival_ns;
}

/* False: it needs the general way. */
PART bool arrive(engine *e, stretch *s, const fsim_arrivals *batch, uint32_t k) {
    fsim_ns at_ns = batch->at_ns[k];
    fsim_ns service_ns = batch->service_ns[k];
    fsim_fn_id fn = batch->fn[k];
    function *f = s->many ? &s->functions[fn] : s->functions;
    fsim_fleet *fleet = &f->fleet[0];
    uint32_t i = pick(fleet), r = e->request_free;
    if (!f->fast || i == FSIM_NONE || r == FSIM_NONE || f->queued != 0 || service_ns > f->timeout_ns ||
        s->inside >= s->inside_limit ||
        (s->metering && !s->instances[i].served)) { /* its first request bills the initialisation */
        return false;
    }
    fsim_fleet_idle_unlink(fleet, s->links, i);
    s->links[i].inside = 1;
    request *q = &s->requests[r];
    e->request_free = q->link.next;
    q->arrival_ns = at_ns;
    q->fn = fn;
    q->instance = i;
    q->rate_ucore = batch->has_cpu ? engine_rate(e, batch, k) : f->rate_ucore;
    q->flags = REQUEST_LIVE | REQUEST_COUNTED | REQUEST_SHORT;
    s->arrived++;
    s->inside++;
    squared_enter(&s->level, at_ns);
    if (s->many) {
        f->sums.arrived++;
        squared_enter(&f->in_execution, at_ns);
        if (e->keeps_busy) {
            level_enter(&e->busy, at_ns);
        }
    }
    fsim_event_queue_push(&e->queue, at_ns,
                          (fsim_event){fsim_ns_add(at_ns, service_ns), r, EVENT_KIND(EVENT_SHORT, i)});
    return true;
}

PART void meter(engine *e, function *f, short_sums *sums, instance *in, const request *q, fsim_ns now_ns) {
    fsim_ns span_ns = now_ns - q->arrival_ns;
    fsim_meter_add_span(&e->plan.request, (uint64_t)span_ns, sums->billed_ms);
    meter_solo(f, sums, in, q->arrival_ns, now_ns, q->rate_ucore);
    in->active_ns += span_ns;
}

/* The head of the queue, of EVENT_SHORT. False: it needs the general way, and stays there. */
PART bool complete(engine *e, stretch *s, uint32_t r) {
    request *q = &s->requests[r];
    function *f = s->many ? &s->functions[q->fn] : s->functions;
    if (f->queued != 0) {
        return false;
    }
    fsim_ns now_ns = fsim_event_queue_pop(&e->queue).at_ns;
    prefetch_event(e, s);
    uint32_t i = q->instance;
    instance *in = &s->instances[i];
    short_sums *sums = s->many ? &f->sums : &s->sums;
    squared_leave(&s->level, now_ns);
    if (s->many) {
        squared_leave(&f->in_execution, now_ns);
        if (e->keeps_busy) {
            level_leave(&e->busy, now_ns);
        }
        sums->completed++;
    }
    fsim_ns span_ns = now_ns - q->arrival_ns;
    sums_add_span(sums, (uint64_t)span_ns, fsim_histogram_bucket(span_ns));
    if (s->metering) {
        meter(e, f, sums, in, q, now_ns);
    }
    s->digest += engine_mix((uint64_t)q->arrival_ns, q->fn, (uint64_t)now_ns, FSIM_COMPLETED);
    q->flags = 0;
    q->link.next = e->request_free;
    e->request_free = r;
    s->completed++;
    s->left_at_ns = now_ns;
    s->inside--;
    in->since_ns = now_ns;
    s->links[i].inside = 0;
    fsim_fleet_idle_append(&f->fleet[0], s->links, i);
    if (f->window_drawn || !f->expire_armed) {
        e->now_ns = now_ns;
        engine_idle(e, f, i);
    }
    return true;
}

PART void open_stretch(const engine *e, stretch *s) {
    *s = (stretch){.functions = e->functions,
                   .requests = e->requests,
                   .instances = e->instances,
                   .links = e->links,
                   .inside = e->inside_shared,
                   .inside_limit = e->inside_shared_limit,
                   .digest = e->digest,
                   .left_at_ns = e->left_at_ns,
                   .level = s->many ? e->in_execution : e->functions[0].in_execution,
                   .many = s->many,
                   .metering = s->metering};
    if (!s->many) {
        s->sums = e->functions[0].sums;
    }
}

PART void close_stretch(engine *e, stretch *s) {
    e->digest = s->digest;
    e->left_at_ns = s->left_at_ns;
    e->seen.arrived += s->arrived;
    e->seen.completed += s->completed;
    e->in_system += s->arrived - s->completed;
    e->inside_shared = s->inside;
    e->events += s->completed;
    if (s->many) {
        e->in_execution = s->level;
    } else {
        s->sums.arrived += s->arrived;
        s->sums.completed += s->completed;
        e->functions[0].sums = s->sums;
        e->functions[0].in_execution = s->level;
    }
}

PART uint32_t run(engine *e, const fsim_arrivals *batch, uint32_t k, uint32_t count, bool many,
                  bool metering) {
    stretch s = {.many = many, .metering = metering};
    open_stretch(e, &s);
    fsim_ns mark_ns = e->mark_ns, now_ns = e->now_ns;
    while (k < count) {
        fsim_ns at_ns = batch->at_ns[k], next_ns = fsim_event_queue_next_ns(&e->queue);
        if (next_ns <= at_ns) {
            const fsim_event *head = fsim_event_queue_peek(&e->queue, 0);
            if ((head->kind & 0xffu) != EVENT_SHORT || next_ns > mark_ns || !complete(e, &s, head->target)) {
                break;
            }
            now_ns = next_ns;
        } else {
            if (many) {
                prefetch_arrival(&s, batch, k);
            }
            if (at_ns > mark_ns || !arrive(e, &s, batch, k)) {
                break;
            }
            now_ns = at_ns;
            k++;
        }
    }
    e->now_ns = now_ns;
    close_stretch(e, &s);
    return k;
}

/* Whether the next step may be one of the way: what most steps of other runs fail is asked before a stretch
 * is opened. */
static inline bool may_begin(const engine *e, const fsim_arrivals *batch, uint32_t first) {
    if (fsim_event_queue_next_ns(&e->queue) <= batch->at_ns[first]) {
        return (fsim_event_queue_peek(&e->queue, 0)->kind & 0xffu) == EVENT_SHORT;
    }
    const function *f = &e->functions[batch->fn[first]];
    return f->fast && f->queued == 0 && pick(&f->fleet[0]) != FSIM_NONE;
}

uint32_t engine_short_way(engine *e, const fsim_arrivals *batch, uint32_t first, uint32_t count) {
    if (!may_begin(e, batch, first) || batch->at_ns[first] < e->warmup_ns || e->waiting_first != FSIM_NONE) {
        return first;
    }
    if (e->queue.capacity - e->queue.count < count - first &&
        !fsim_event_queue_reserve(&e->queue, e->queue.count + (count - first))) {
        engine_no_memory(e);
    }
    if (e->many) {
        return run(e, batch, first, count, true, e->metering);
    }
    return e->metering ? run(e, batch, first, count, false, true) : run(e, batch, first, count, false, false);
}
