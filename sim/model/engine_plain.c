/* The plain way: the short way of functions with several slots, a scaler, or a queue. Like engine_short.c it
 * does for the common requests what engine_arrive and engine_complete do for every request, and stops before
 * the first arrival or event that needs more; both ways give the same results (sim/decisions/0012).
 *
 * A request of the plain way is complete in memory: one that begins here may end the general way and the
 * other way round, so a tick or a cold start in between costs no more than itself. */
#include "model/engine_stretch.h"

#include <stddef.h>

/* One stretch of the way: what does not move meanwhile, and sums. */
typedef struct stretch {
    function *functions;
    request *requests;
    instance *instances;
    fsim_fleet_link *links;
    uint64_t arrived, completed;
    uint64_t digest;
    bool many, metering;
} stretch;

/* ---- fetching ahead ---- */

/* So many steps ahead is long enough for it to come in, first what is known, then what that leads to. */
enum {
    ARRIVAL_FAR = 16,
    ARRIVAL_MIDDLE = 10,
    ARRIVAL_NEAR = 5,
    EVENT_FAR = 12,
    EVENT_MIDDLE = 7,
    EVENT_NEAR = 3
};

PART void prefetch_function(const function *f) {
    prefetch_lines(f, offsetof(function, fleet[1]));
    prefetch_lines(&f->idles, offsetof(function, usage.request_ns) - offsetof(function, idles));
    prefetch_lines(&f->usage.active_intervals,
                   offsetof(fsim_usage, instances_started) - offsetof(fsim_usage, active_intervals));
}

PART void prefetch_instance(const engine *e, const stretch *s, uint32_t i) {
    prefetch_lines(&s->instances[i], 2 * CACHE_LINE);
    __builtin_prefetch(&s->links[i], 1);
    if (e->cpu_uses != NULL) {
        __builtin_prefetch(&e->cpu_uses[i], 1);
    }
    if (e->sampled != NULL) {
        __builtin_prefetch(&e->sampled[i], 1);
    }
}

/* The place in dense[] that will be picked, unless another request of the function comes before. */
PART uint32_t dense_place(const function *f) {
    const fsim_fleet *fleet = &f->fleet[0];
    if (fleet->order == FSIM_ROUTE_RANDOM && fleet->dense_count != 0) {
        fsim_rng next = f->rng_routing;
        return fsim_rng_below(&next, fleet->dense_count);
    }
    if (fleet->order == FSIM_ROUTE_MOST_LOADED && fleet->level_count != 0) {
        uint32_t end = fleet->level[fleet->slots < fleet->level_count ? fleet->slots : fleet->level_count];
        return end != 0 ? end - 1u : 0u;
    }
    return 0;
}

PART void prefetch_arrival(const engine *e, const stretch *s, const fsim_arrivals *batch, uint32_t at) {
    uint32_t last = batch->count - 1u;
    uint32_t far = at + ARRIVAL_FAR, middle = at + ARRIVAL_MIDDLE, near = at + ARRIVAL_NEAR;
    prefetch_function(&s->functions[batch->fn[far < last ? far : last]]);
    const function *f = &s->functions[batch->fn[middle < last ? middle : last]];
    if (f->fleet[0].dense != NULL) {
        __builtin_prefetch(&f->fleet[0].dense[0], 1);
        if (f->fleet[0].level != NULL) {
            prefetch_lines(f->fleet[0].level, CACHE_LINE);
            __builtin_prefetch(&f->fleet[0].level[f->fleet[0].slots], 1);
        }
    }
    if ((f->watched & WATCH_TOTALS) != 0) {
        prefetch_lines(f->scale_totals, 2 * CACHE_LINE);
    }
    f = &s->functions[batch->fn[near < last ? near : last]];
    if (f->fleet[0].dense_count != 0) {
        prefetch_instance(e, s, f->fleet[0].dense[dense_place(f)]);
    }
}

PART void prefetch_far_event(const engine *e, const stretch *s, uint32_t ahead) {
    const fsim_event *next = fsim_event_queue_peek(&e->queue, ahead);
    if (next != NULL && (next->kind & 0xffu) == EVENT_COMPLETE) {
        __builtin_prefetch(&s->requests[next->target], 1);
        prefetch_instance(e, s, next->kind >> 8); /* of a large pool only the low bits: a hint */
    }
}

PART void prefetch_middle_event(const engine *e, const stretch *s, uint32_t ahead) {
    const fsim_event *next = fsim_event_queue_peek(&e->queue, ahead);
    if (next != NULL && (next->kind & 0xffu) == EVENT_COMPLETE) {
        prefetch_function(&s->functions[s->requests[next->target].fn]);
    }
}

PART void prefetch_near_event(const engine *e, const stretch *s) {
    const fsim_event *next = fsim_event_queue_peek(&e->queue, EVENT_NEAR);
    if (next != NULL && (next->kind & 0xffu) == EVENT_COMPLETE) {
        const request *q = &s->requests[next->target];
        const function *f = &s->functions[q->fn];
        __builtin_prefetch(&f->sums.hist->count[fsim_histogram_bucket(next->at_ns - q->arrival_ns)], 1);
        if ((f->watched & WATCH_TOTALS) != 0) {
            prefetch_lines(f->scale_totals, 2 * CACHE_LINE);
        }
    }
}

/* A slice of events has just been sorted: from its first ones on. */
static __attribute__((noinline)) void prefetch_slice(const engine *e, const stretch *s) {
    for (uint32_t ahead = 0; ahead < EVENT_FAR; ahead++) {
        prefetch_far_event(e, s, ahead);
    }
    for (uint32_t ahead = 0; s->many && ahead < EVENT_MIDDLE; ahead++) {
        prefetch_middle_event(e, s, ahead);
    }
}

PART void prefetch_events(const engine *e, const stretch *s) {
    if (e->queue.run_at == 0) {
        prefetch_slice(e, s);
    }
    prefetch_far_event(e, s, EVENT_FAR);
    if (s->many) {
        prefetch_middle_event(e, s, EVENT_MIDDLE);
        prefetch_near_event(e, s);
    }
}

/* ---- beginning ---- */

/* CPU in use by the instance from now on. */
PART void set_rate(const engine *e, function *f, instance *in, uint32_t rate_ucore) {
    in->rate_ucore = rate_ucore;
    fsim_cpu_meter_set_rate(&in->meter, &f->cpu_rule, &f->usage, e->now_ns,
                            rate_ucore < f->most_ucore ? rate_ucore : f->most_ucore);
}

/* The instance, idle so far, begins to execute a request. */
PART void become_busy(engine *e, function *f, instance *in, uint32_t rate_ucore, bool metering) {
    if (e->keeps_busy) {
        level_enter(&e->busy, e->now_ns);
    }
    if (f->keeps_busy) {
        level_enter(&f->busy, e->now_ns);
    }
    in->since_ns = e->now_ns;
    if (!metering || f->solo_meter) {
        return;
    }
    if (f->freeze) {
        in->rate_ucore = rate_ucore;
        fsim_cpu_meter_begin(&in->meter, &f->cpu_rule, &f->usage, e->now_ns,
                             rate_ucore < f->most_ucore ? rate_ucore : f->most_ucore);
    } else {
        set_rate(e, f, in, rate_ucore);
    }
}

/* q has begun: its end is known. */
PART void push_end(engine *e, const stretch *s, const function *f, request *q) {
    fsim_ns span_ns = q->service_ns;
    if (span_ns > f->timeout_ns) {
        span_ns = f->timeout_ns;
        q->flags |= REQUEST_CUT;
    }
    engine_push(e, fsim_ns_add(e->now_ns, span_ns), (uint32_t)(q - s->requests),
                EVENT_KIND(EVENT_COMPLETE, q->instance));
}

/* Request q takes a free slot of instance i at once. */
PART void begin(engine *e, stretch *s, function *f, request *q, uint32_t i) {
    instance *in = &s->instances[i];
    f->inside++;
    e->inside_shared++;
    if (f->samples_requests) {
        engine_sampled_enter(e, i, (q->flags & REQUEST_PROXIED) != 0);
    }
    if (!fsim_fleet_enter(&f->fleet[0], s->links, i)) {
        engine_no_memory(e);
    }
    q->start_ns = e->now_ns;
    q->instance = i;
    q->flags |= in->begun ? 0u : REQUEST_FIRST;
    in->begun = true;
    if (in->executing++ == 0) {
        become_busy(e, f, in, q->rate_ucore, s->metering);
    } else if (s->metering) {
        set_rate(e, f, in, in->rate_ucore + q->rate_ucore);
    }
    squared_enter(&f->in_execution, e->now_ns);
    if (s->many) {
        squared_enter(&e->in_execution, e->now_ns);
    }
    if (f->wants_cpu) {
        engine_cpu_change(e, f, i, (int64_t)q->rate_ucore);
    }
    if ((f->watched & WATCH_TOTALS) != 0) {
        engine_totals_enter(e, f, q->rate_ucore);
    }
    push_end(e, s, f, q);
}

/* ---- waiting ---- */

/* Whether the queue, `more` requests longer, asks for a start that is not forbidden anyway. */
static inline bool wants_start(const function *f, uint32_t more) {
    return f->scale.on_demand && f->alive < f->spec.max_instances &&
           f->queued + more > (uint64_t)f->starting_count * f->waiting_per_start;
}

/* Requests may wait, and those that do are served here: late binding, no limit that functions share. */
static inline bool may_wait(const engine *e) {
    return !e->early && !e->has_waiters;
}

/* ---- arrivals ---- */

/* The instance that takes the request, FSIM_NONE where none can. Nothing is changed where none can. */
PART uint32_t choose(const engine *e, stretch *s, function *f, bool *proxied) {
    *proxied = false;
    if (f->scaled && f->direct && f->ready_count != 0) {
        uint32_t cursor = f->ready_cursor + 1u < f->ready_count ? f->ready_cursor + 1u : 0u;
        uint32_t i = f->ready[cursor];
        if (s->links[i].inside >= f->concurrency) {
            return FSIM_NONE;
        }
        f->ready_cursor = cursor;
        prefetch_instance(e, s, f->ready[cursor + 2u < f->ready_count ? cursor + 2u : 0u]);
        return i;
    }
    *proxied = f->activator;
    return fsim_fleet_pick(&f->fleet[0], s->links, &f->rng_routing);
}

/* False: it needs the general way. */
PART bool arrive(engine *e, stretch *s, const fsim_arrivals *batch, uint32_t k) {
    fsim_ns service_ns = batch->service_ns[k];
    fsim_fn_id fn = batch->fn[k];
    function *f = s->many ? &s->functions[fn] : s->functions;
    uint32_t r = e->request_free, i = FSIM_NONE;
    bool proxied = f->activator;
    if (!f->plain || r == FSIM_NONE || e->inside_shared >= e->inside_shared_limit ||
        (f->scaled && (f->asleep || f->wanted == 0))) {
        return false;
    }
    if (f->queued == 0) {
        i = choose(e, s, f, &proxied);
    }
    if (i == FSIM_NONE && (!may_wait(e) || (f->direct && f->ready_count != 0) || wants_start(f, 1) ||
                           f->queued >= e->scenario->queue_capacity)) {
        return false;
    }
    e->now_ns = batch->at_ns[k];
    request *q = &s->requests[r];
    e->request_free = q->link.next;
    q->arrival_ns = e->now_ns;
    q->service_ns = service_ns;
    q->fn = fn;
    q->attempts = 0;
    q->rate_ucore = batch->has_cpu ? engine_rate(e, batch, k) : f->rate_ucore;
    q->closed = 0;
    q->flags = REQUEST_LIVE | REQUEST_COUNTED;
    s->arrived++;
    f->came += f->scaled;
    if (proxied) {
        q->flags |= REQUEST_PROXIED;
        flow_enter(&f->proxied, e->now_ns);
    }
    if (i != FSIM_NONE) {
        f->sums.arrived++;
        begin(e, s, f, q, i);
    } else {
        e->tallies[fn].n.arrived++;
        q->start_ns = FSIM_NEVER;
        engine_enqueue(e, f, r);
    }
    return true;
}

/* ---- completions ---- */

PART void become_idle(engine *e, function *f, instance *in, bool metering) {
    fsim_ns busy_ns = e->now_ns - in->since_ns;
    if (e->keeps_busy) {
        level_leave(&e->busy, e->now_ns);
    }
    if (f->keeps_busy) {
        level_leave(&f->busy, e->now_ns);
    }
    in->since_ns = e->now_ns;
    if (!metering) {
        return;
    }
    in->active_ns += busy_ns;
    if (!f->active_is_request) {
        fsim_meter_active(&e->plan, &f->usage, (uint64_t)busy_ns, (uint64_t)in->init_ns);
        in->init_ns = 0;
    }
    if (f->solo_meter) {
        return;
    }
    if (f->freeze) {
        fsim_cpu_meter_end(&in->meter, &f->cpu_rule, &f->usage, e->now_ns);
    } else {
        set_rate(e, f, in, f->background_ucore);
    }
}

/* Whether a completion needs nothing but what follows here. */
PART bool is_plain(const engine *e, const stretch *s, const function *f, const request *q,
                   const instance *in) {
    const uint32_t asked = REQUEST_COUNTED | REQUEST_CUT | REQUEST_SHORT | REQUEST_BURST;
    return f->plain && (q->flags & asked) == REQUEST_COUNTED && q->closed == 0 && !in->draining &&
           in->head == FSIM_NONE && (in->served || !s->metering) &&
           (f->queued == 0 || (may_wait(e) && !wants_start(f, 0))) && !(e->cancels && f->starting_count != 0);
}

/* One that began at its arrival is added to the function's sums; the others are few, or wait in a queue. */
PART void account(engine *e, const stretch *s, function *f, const request *q, instance *in) {
    fsim_ns span_ns = e->now_ns - q->start_ns;
    if (q->start_ns == q->arrival_ns && (q->flags & REQUEST_COLD) == 0) {
        f->sums.completed++;
        sums_add_span(&f->sums, span_ns);
        if (s->metering) {
            fsim_meter_add_span(&e->plan.request, (uint64_t)span_ns, f->sums.billed_ms);
        }
    } else {
        engine_end_statistics(e, q, &e->tallies[q->fn]);
        if (s->metering) {
            fsim_meter_request(&e->plan, &f->usage, (uint64_t)span_ns, 0, false);
        }
    }
    if (s->metering && f->solo_meter) {
        meter_solo(f, &f->sums, in, q->start_ns, e->now_ns, q->rate_ucore);
    }
}

PART void leave(engine *e, stretch *s, function *f, request *q) {
    s->digest += engine_mix((uint64_t)q->arrival_ns, q->fn, (uint64_t)e->now_ns, FSIM_COMPLETED);
    if ((q->flags & REQUEST_PROXIED) != 0) {
        flow_leave(&f->proxied, e->now_ns);
    }
    q->flags = 0;
    q->generation = (q->generation + 1u) & GENERATION_MASK;
    q->link.next = e->request_free;
    e->request_free = (uint32_t)(q - s->requests);
    e->left_at_ns = e->now_ns;
    s->completed++;
}

/* The head of the queue leaves it. Its successor is written to, and has to be there by then: the one after
 * that is fetched now. */
PART request *take_waiting(engine *e, const stretch *s, function *f) {
    uint32_t r = f->queue_head;
    request *q = &s->requests[r];
    if (q->link.next != FSIM_NONE && s->requests[q->link.next].link.next != FSIM_NONE) {
        __builtin_prefetch(&s->requests[s->requests[q->link.next].link.next], 1);
    }
    engine_dequeue(e, f, r);
    return q;
}

PART void waited(engine *e, const request *q) {
    if ((q->flags & REQUEST_COUNTED) != 0) {
        engine_begin_statistics(e, q, &e->tallies[q->fn]);
    }
}

/* Those that wait take the slots that are free. */
PART void serve(engine *e, stretch *s, function *f) {
    while (f->queued != 0) {
        uint32_t i = fsim_fleet_pick(&f->fleet[0], s->links, &f->rng_routing);
        if (i == FSIM_NONE) {
            return;
        }
        request *q = take_waiting(e, s, f);
        begin(e, s, f, q, i);
        waited(e, q);
    }
}

/* The only free slot goes from one request to the next: no count of executing ones changes, and the instance
 * is not idle in between. */
PART bool may_hand_over(const stretch *s, const function *f) {
    return f->queued != 0 && f->fleet[0].by_idle_list && f->fleet[0].idle_newest == FSIM_NONE && !f->scaled &&
           (!s->metering || (f->solo_meter && f->active_is_request));
}

PART void hand_over(engine *e, stretch *s, function *f, instance *in, uint32_t i) {
    request *q = take_waiting(e, s, f);
    in->active_ns += s->metering ? e->now_ns - in->since_ns : 0;
    in->since_ns = e->now_ns;
    q->start_ns = e->now_ns;
    q->instance = i;
    push_end(e, s, f, q);
    waited(e, q);
}

/* The head of the queue, an EVENT_COMPLETE. False: it needs the general way, and stays there. */
PART bool complete(engine *e, stretch *s, uint32_t r) {
    request *q = &s->requests[r];
    function *f = s->many ? &s->functions[q->fn] : s->functions;
    uint32_t i = q->instance, rate_ucore = q->rate_ucore;
    instance *in = &s->instances[i];
    if (!is_plain(e, s, f, q, in)) {
        return false;
    }
    e->now_ns = fsim_event_queue_pop(&e->queue).at_ns;
    prefetch_events(e, s);
    if (may_hand_over(s, f)) {
        account(e, s, f, q, in);
        leave(e, s, f, q);
        hand_over(e, s, f, in, i);
        return true;
    }
    squared_leave(&f->in_execution, e->now_ns);
    if (s->many) {
        squared_leave(&e->in_execution, e->now_ns);
    }
    account(e, s, f, q, in);
    f->inside--;
    e->inside_shared--;
    fsim_fleet_leave(&f->fleet[0], s->links, i);
    if (--in->executing == 0) {
        become_idle(e, f, in, s->metering);
    } else if (s->metering) {
        set_rate(e, f, in, in->rate_ucore - rate_ucore);
    }
    if ((f->watched & WATCH_TOTALS) != 0) {
        engine_totals_leave(e, f, rate_ucore);
    }
    if (f->sampled) {
        f->went++;
        if (f->samples_requests) {
            engine_sampled_leave(e, i, (q->flags & REQUEST_PROXIED) != 0);
        }
        if (f->wants_cpu) {
            engine_cpu_change(e, f, i, -(int64_t)rate_ucore);
        }
    }
    leave(e, s, f, q);
    if (f->queued != 0) {
        serve(e, s, f);
    }
    if (in->executing == 0 && f->idles && (f->window_drawn || !f->expire_armed)) {
        engine_idle(e, f, i);
    }
    return true;
}

/* ---- the way ---- */

PART void open_stretch(const engine *e, stretch *s) {
    *s = (stretch){.functions = e->functions,
                   .requests = e->requests,
                   .instances = e->instances,
                   .links = e->links,
                   .digest = e->digest,
                   .many = s->many,
                   .metering = s->metering};
}

PART void close_stretch(engine *e, const stretch *s) {
    e->digest = s->digest;
    e->seen.arrived += s->arrived;
    e->seen.completed += s->completed;
    e->in_system += s->arrived - s->completed;
    e->events += s->completed;
}

PART uint32_t run(engine *e, const fsim_arrivals *batch, uint32_t k, uint32_t count, bool many,
                  bool metering) {
    stretch s = {.many = many, .metering = metering};
    open_stretch(e, &s);
    fsim_ns mark_ns = e->mark_ns;
    while (k < count) {
        fsim_ns at_ns = batch->at_ns[k], next_ns = fsim_event_queue_next_ns(&e->queue);
        if (next_ns <= at_ns) {
            const fsim_event *head = fsim_event_queue_peek(&e->queue, 0);
            if ((head->kind & 0xffu) != EVENT_COMPLETE || next_ns > mark_ns ||
                !complete(e, &s, head->target)) {
                break;
            }
        } else {
            if (many) {
                prefetch_arrival(e, &s, batch, k);
            }
            if (at_ns > mark_ns || !arrive(e, &s, batch, k)) {
                break;
            }
            k++;
        }
    }
    close_stretch(e, &s);
    return k;
}

uint32_t engine_plain_way(engine *e, const fsim_arrivals *batch, uint32_t first, uint32_t count) {
    if (e->waiting_first != FSIM_NONE || batch->at_ns[first] < e->warmup_ns) {
        return first;
    }
    if (e->many) {
        return run(e, batch, first, count, true, e->metering);
    }
    return run(e, batch, first, count, false, e->metering);
}
