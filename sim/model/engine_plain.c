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
    fsim_ns now_ns; /* as engine.now_ns */
    uint64_t arrived, completed;
    uint32_t traits; /* a constant of the form of the way that is running */
    bool may_wait;   /* requests, and are served here: late binding, no limit that functions share */
    bool far;        /* instances are too many for the nearest cache */
} stretch;

PART bool of_run(const stretch *s, uint32_t trait) {
    return (s->traits & trait) != 0;
}

/* Where it is known for all functions it costs nothing: the way is made for them. */
PART bool has(const stretch *s, const function *f, uint32_t trait) {
    return (((s->traits & TRAIT_KNOWN) != 0 ? s->traits : f->traits) & trait) != 0;
}

/* ---- fetching ahead ---- */

/* So many steps ahead is long enough for it to come in, first what is known, then what that leads to. */
enum {
    ARRIVAL_FAR = 16,
    ARRIVAL_MIDDLE = 10,
    ARRIVAL_NEAR = 5,
    EVENT_FAR = 12,
    EVENT_MIDDLE = 7,
    EVENT_NEAR = 4,
    INSTANCES_NEAR = 64 /* so many stay in the nearest cache */
};

PART void prefetch_function(const function *f) {
    prefetch_lines(f, offsetof(function, sums));
    prefetch_lines(&f->sums.arrived, 2 * CACHE_LINE);
}

PART void prefetch_instance(const engine *e, const stretch *s, uint32_t i) {
    bool solo = of_run(s, TRAIT_KNOWN) && of_run(s, TRAIT_SOLO_METER); /* one line is enough */
    prefetch_lines(&s->instances[i], solo ? CACHE_LINE : 2 * CACHE_LINE);
    __builtin_prefetch(&s->links[i], 1);
    if (of_run(s, TRAIT_KNOWN) ? of_run(s, TRAIT_CPU) : e->cpu_uses != NULL) {
        __builtin_prefetch(&e->cpu_uses[i], 1);
    }
    if (of_run(s, TRAIT_KNOWN) ? of_run(s, TRAIT_SAMPLED) : e->sampled.inside != NULL) {
        __builtin_prefetch(&e->sampled.inside[i], 1);
    }
}

/* The instance that will be picked, unless another request of the function comes before, or one as good as
 * that; FSIM_NONE: it is not known. */
PART uint32_t foresee(const function *f) {
    const fsim_fleet *fleet = &f->fleet[0];
    if (fleet->dense_count == 0) {
        return FSIM_NONE;
    }
    uint32_t place = 0;
    if (fleet->order == FSIM_ROUTE_RANDOM) {
        fsim_rng next = f->rng_routing;
        place = fsim_rng_below(&next, fleet->dense_count);
    } else if (fleet->by_few) {
        place = fsim_fleet_few_wanted(fleet);
        place = place == FSIM_NONE ? 0u : place;
    } else if (fleet->order == FSIM_ROUTE_MOST_LOADED) {
        uint32_t end = fleet->level[fleet->slots < fleet->level_count ? fleet->slots : fleet->level_count];
        place = end != 0 ? end - 1u : 0u;
    }
    return fleet->by_few ? fleet->few[place].instance : fleet->dense[place];
}

PART void prefetch_arrival(const engine *e, const stretch *s, const fsim_arrivals *batch, uint32_t at) {
    uint32_t last = batch->count - 1u;
    uint32_t far = at + ARRIVAL_FAR, middle = at + ARRIVAL_MIDDLE, near = at + ARRIVAL_NEAR;
    prefetch_function(&s->functions[batch->fn[far < last ? far : last]]);
    const fsim_fleet *fleet = &s->functions[batch->fn[middle < last ? middle : last]].fleet[0];
    if (fleet->dense_count != 0 && !fleet->by_few) {
        __builtin_prefetch(&fleet->dense[0], 1);
        if (fleet->level != NULL) {
            prefetch_lines(fleet->level, 2 * CACHE_LINE);
        }
    }
    uint32_t i = foresee(&s->functions[batch->fn[near < last ? near : last]]);
    if (i != FSIM_NONE) {
        prefetch_instance(e, s, i);
    }
}

/* The instance of a completion soon: of a large pool the event has only its low bits, a hint. */
PART void prefetch_near_event(const engine *e, const stretch *s, uint32_t ahead) {
    const fsim_event *event = fsim_event_queue_peek(&e->queue, ahead);
    if (FSIM_LIKELY(event != NULL && (event->kind & 0xffu) == EVENT_COMPLETE)) {
        if (!of_run(s, TRAIT_MANY)) {
            __builtin_prefetch(&s->requests[event->target], 1);
        }
        prefetch_instance(e, s, event->kind >> 8);
    }
}

PART void prefetch_middle_event(const engine *e, const stretch *s, uint32_t ahead) {
    const fsim_event *event = fsim_event_queue_peek(&e->queue, ahead);
    if (FSIM_LIKELY(event != NULL && (event->kind & 0xffu) == EVENT_COMPLETE)) {
        prefetch_function(&s->functions[s->requests[event->target].fn]);
    }
}

PART void prefetch_far_event(const engine *e, const stretch *s, uint32_t ahead) {
    const fsim_event *event = fsim_event_queue_peek(&e->queue, ahead);
    if (FSIM_LIKELY(event != NULL && (event->kind & 0xffu) == EVENT_COMPLETE)) {
        __builtin_prefetch(&s->requests[event->target], 1);
    }
}

/* A slice of events has just been sorted: its first ones. */
PART void prefetch_slice(const engine *e, const stretch *s) {
    if (of_run(s, TRAIT_MANY)) {
        for (uint32_t ahead = 0; ahead < EVENT_FAR; ahead++) {
            prefetch_far_event(e, s, ahead);
        }
        for (uint32_t ahead = 0; ahead < EVENT_MIDDLE; ahead++) {
            prefetch_middle_event(e, s, ahead);
        }
    }
    for (uint32_t ahead = 0; ahead < EVENT_NEAR; ahead++) {
        prefetch_near_event(e, s, ahead);
    }
}

PART void prefetch_events(const engine *e, const stretch *s) {
    if (FSIM_UNLIKELY(e->queue.run_at == 0)) {
        prefetch_slice(e, s);
    }
    if (of_run(s, TRAIT_MANY)) {
        prefetch_far_event(e, s, EVENT_FAR);
        prefetch_middle_event(e, s, EVENT_MIDDLE);
    }
    prefetch_near_event(e, s, EVENT_NEAR);
}

/* ---- beginning ---- */

/* CPU in use by the instance from now on. */
PART void set_rate(const stretch *s, function *f, instance *in, uint64_t rate_ucore) {
    in->rate_ucore = rate_ucore;
    fsim_cpu_meter_set_rate(&in->meter, &f->cpu_rule, &f->usage, s->now_ns,
                            rate_ucore < f->most_ucore ? (uint32_t)rate_ucore : f->most_ucore);
}

/* The instance, idle so far, begins to execute a request. */
PART void become_busy(engine *e, const stretch *s, function *f, instance *in, uint32_t rate_ucore) {
    if (e->keeps_busy) {
        level_enter(&e->busy, s->now_ns);
    }
    if (has(s, f, TRAIT_SLOTS)) {
        level_enter(&f->busy, s->now_ns);
    }
    in->since_ns = s->now_ns;
    if (!of_run(s, TRAIT_METERING) || has(s, f, TRAIT_SOLO_METER)) {
        return;
    }
    if (has(s, f, TRAIT_FREEZE)) {
        in->rate_ucore = rate_ucore;
        fsim_cpu_meter_begin(&in->meter, &f->cpu_rule, &f->usage, s->now_ns,
                             rate_ucore < f->most_ucore ? rate_ucore : f->most_ucore);
    } else {
        set_rate(s, f, in, rate_ucore);
    }
}

/* q has begun: its end is known. */
PART void push_end(engine *e, const stretch *s, const function *f, request *q) {
    fsim_ns span_ns = q->service_ns;
    if (FSIM_UNLIKELY(span_ns > f->timeout_ns)) {
        span_ns = f->timeout_ns;
        q->flags |= REQUEST_CUT;
    }
    if (FSIM_UNLIKELY(fsim_event_queue_is_full(&e->queue)) &&
        !fsim_event_queue_reserve(&e->queue, e->queue.capacity + 1u)) {
        engine_no_memory(e);
    }
    fsim_event_queue_push(&e->queue, s->now_ns,
                          (fsim_event){fsim_ns_add(s->now_ns, span_ns), (uint32_t)(q - s->requests),
                                       EVENT_KIND(EVENT_COMPLETE, q->instance)});
}

/* Request q takes a free slot of instance i at once. */
PART void begin(engine *e, stretch *s, function *f, request *q, uint32_t i) {
    instance *in = &s->instances[i];
    f->inside++;
    e->inside_shared++;
    if (has(s, f, TRAIT_SAMPLED)) {
        engine_sampled_enter(e, i, (q->flags & REQUEST_PROXIED) != 0);
    }
    if (FSIM_UNLIKELY(!fsim_fleet_enter(&f->fleet[0], s->links, i))) {
        engine_no_memory(e);
    }
    q->start_ns = s->now_ns;
    q->instance = i;
    q->flags |= in->begun ? 0u : REQUEST_FIRST;
    in->begun = true;
    if (in->executing++ == 0) {
        become_busy(e, s, f, in, q->rate_ucore);
    } else if (of_run(s, TRAIT_METERING) && !has(s, f, TRAIT_SOLO_METER)) {
        set_rate(s, f, in, in->rate_ucore + q->rate_ucore);
    }
    squared_enter(&f->in_execution, s->now_ns);
    if (of_run(s, TRAIT_MANY)) {
        squared_enter(&e->in_execution, s->now_ns);
    }
    if (has(s, f, TRAIT_CPU)) {
        engine_cpu_change_alone(&e->cpu_uses[i], s->now_ns, (int64_t)q->rate_ucore, true, 0);
    }
    if (has(s, f, TRAIT_TOTALS)) {
        demand_enter(&f->demand, s->now_ns, q->rate_ucore);
    }
    push_end(e, s, f, q);
}

/* ---- waiting ---- */

/* Whether the queue, `more` requests longer, asks for a start that is not forbidden anyway. */
PART bool wants_start(const function *f, uint32_t more) {
    return f->alive < f->spec.max_instances && f->scale.on_demand &&
           f->queued + more > (uint64_t)f->starting_count * f->waiting_per_start;
}

PART void begin_waiting(engine *e, function *f, uint32_t r) {
    if (e->scenario->queue_has_timeout) {
        engine_enqueue(e, f, r);
    } else {
        engine_queue_append(e, f, r);
    }
}

/* ---- arrivals ---- */

/* The instance that takes the request, FSIM_NONE where none can. Nothing is changed where none can. */
PART uint32_t choose(const engine *e, stretch *s, function *f, bool *proxied) {
    *proxied = false;
    if (has(s, f, TRAIT_SCALED) && f->direct && f->ready_count != 0) {
        uint32_t cursor = f->ready_cursor + 1u < f->ready_count ? f->ready_cursor + 1u : 0u;
        uint32_t i = f->ready[cursor];
        if (s->links[i].inside >= f->concurrency) {
            return FSIM_NONE;
        }
        f->ready_cursor = cursor;
        if (s->far) {
            prefetch_instance(e, s, f->ready[cursor + 2u < f->ready_count ? cursor + 2u : 0u]);
        }
        return i;
    }
    *proxied = f->activator;
    return fsim_fleet_pick(&f->fleet[0], s->links, &f->rng_routing);
}

/* False: it needs the general way. */
PART bool arrive(engine *e, stretch *s, const fsim_arrivals *batch, uint32_t k) {
    fsim_ns service_ns = batch->service_ns[k];
    fsim_fn_id fn = batch->fn[k];
    function *f = of_run(s, TRAIT_MANY) ? &s->functions[fn] : s->functions;
    uint32_t r = e->request_free, i = FSIM_NONE;
    bool proxied = f->activator;
    if (FSIM_UNLIKELY(!f->plain || r == FSIM_NONE || e->inside_shared >= e->inside_shared_limit ||
                      (has(s, f, TRAIT_SCALED) && (f->asleep || f->wanted == 0)))) {
        return false;
    }
    if (f->queued == 0) {
        i = choose(e, s, f, &proxied);
    }
    if (i == FSIM_NONE && FSIM_UNLIKELY(!s->may_wait || (f->direct && f->ready_count != 0) ||
                                        wants_start(f, 1) || f->queued >= e->scenario->queue_capacity)) {
        return false;
    }
    e->now_ns = s->now_ns = batch->at_ns[k];
    request *q = &s->requests[r];
    e->request_free = q->link.next;
    q->arrival_ns = s->now_ns;
    q->service_ns = service_ns;
    q->fn = fn;
    q->attempts = 0;
    q->rate_ucore = batch->has_cpu ? engine_rate(e, batch, k) : f->rate_ucore;
    q->closed = 0;
    q->flags = REQUEST_LIVE | REQUEST_COUNTED;
    s->arrived++;
    f->came += has(s, f, TRAIT_SCALED);
    if (proxied) {
        q->flags |= REQUEST_PROXIED;
        flow_enter(&f->proxied, s->now_ns);
    }
    if (i != FSIM_NONE) {
        f->sums.arrived++;
        begin(e, s, f, q, i);
    } else {
        e->tallies[fn].n.arrived++;
        q->start_ns = FSIM_NEVER;
        begin_waiting(e, f, r);
    }
    return true;
}

/* ---- completions ---- */

/* The instance was busy for so long. */
PART void meter_active(engine *e, function *f, instance *in, fsim_ns busy_ns) {
    if (FSIM_UNLIKELY(in->init_ns != 0)) {
        fsim_meter_active(&e->plan, &f->usage, (uint64_t)busy_ns, (uint64_t)in->init_ns);
        in->init_ns = 0;
        return;
    }
    ledger *l = &e->ledger;
    l->active[l->active_count++] = (ledger_active){(uint64_t)busy_ns, in->fn};
    if (FSIM_UNLIKELY(l->active_count == LEDGER_ROWS)) {
        engine_settle(e);
    }
}

PART void become_idle(engine *e, const stretch *s, function *f, instance *in) {
    fsim_ns busy_ns = s->now_ns - in->since_ns;
    if (e->keeps_busy) {
        level_leave(&e->busy, s->now_ns);
    }
    if (has(s, f, TRAIT_SLOTS)) {
        level_leave(&f->busy, s->now_ns);
    }
    in->since_ns = s->now_ns;
    if (!of_run(s, TRAIT_METERING)) {
        return;
    }
    in->active_ns += busy_ns;
    if (!has(s, f, TRAIT_SAME_ACTIVE)) {
        meter_active(e, f, in, busy_ns);
    }
    if (has(s, f, TRAIT_SOLO_METER)) {
        return;
    }
    if (has(s, f, TRAIT_FREEZE)) {
        f->sums.cpu_mem_ms += fsim_cpu_meter_end_apart(&in->meter, &f->cpu_rule, &f->usage, s->now_ns);
    } else {
        set_rate(s, f, in, f->background_ucore);
    }
}

/* Whether a completion needs nothing but what follows here. */
PART bool is_plain(const engine *e, const stretch *s, const function *f, const request *q,
                   const instance *in) {
    const uint32_t asked = REQUEST_COUNTED | REQUEST_CUT | REQUEST_SHORT | REQUEST_BURST;
    return f->plain && (q->flags & asked) == REQUEST_COUNTED && q->closed == 0 && !in->draining &&
           in->head == FSIM_NONE && (in->served || !of_run(s, TRAIT_METERING)) &&
           (f->queued == 0 || (s->may_wait && !wants_start(f, 0))) && !(e->cancels && f->starting_count != 0);
}

/* It ends now: to the digest and the ledger. */
PART void account(engine *e, const stretch *s, const request *q) {
    ledger *l = &e->ledger;
    bool cold = (q->flags & REQUEST_COLD) != 0;
    uint32_t count;
    e->digest += engine_mix((uint64_t)q->arrival_ns, q->fn, (uint64_t)s->now_ns, FSIM_COMPLETED);
    if (q->start_ns == q->arrival_ns && !cold) {
        fsim_ns span_ns = s->now_ns - q->start_ns;
        l->direct[l->direct_count] =
            (ledger_direct){(uint64_t)span_ns, q->fn, fsim_histogram_bucket(span_ns)};
        count = ++l->direct_count;
    } else {
        l->waited[l->waited_count] = (ledger_end){q->arrival_ns, q->start_ns, s->now_ns, q->fn, cold};
        count = ++l->waited_count;
    }
    if (FSIM_UNLIKELY(count == LEDGER_ROWS)) {
        engine_settle(e);
    }
}

PART void leave(engine *e, stretch *s, function *f, request *q, uint32_t r) {
    if ((q->flags & REQUEST_PROXIED) != 0) {
        flow_leave(&f->proxied, s->now_ns);
    }
    q->flags = 0;
    q->generation = (q->generation + 1u) & GENERATION_MASK;
    q->link.next = e->request_free;
    e->request_free = r;
    e->left_at_ns = s->now_ns;
    s->completed++;
}

/* The head of the queue leaves it. */
PART request *take_waiting(engine *e, const stretch *s, function *f) {
    request *q = &s->requests[f->queue_head];
    __builtin_prefetch(&s->requests[q->later], 1);
    engine_queue_unlink(e, f, q);
    engine_void_timers(q);
    return q;
}

PART void waited(engine *e, const request *q) {
    ledger *l = &e->ledger;
    if (FSIM_UNLIKELY((q->flags & REQUEST_COUNTED) == 0)) {
        return;
    }
    l->begun[l->begun_count++] =
        (ledger_begin){q->start_ns - q->arrival_ns, q->fn, (q->flags & REQUEST_COLD) != 0};
    if (FSIM_UNLIKELY(l->begun_count == LEDGER_ROWS)) {
        engine_settle(e);
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
    return f->queued != 0 && has(s, f, TRAIT_BY_IDLE_LIST) && f->fleet[0].idle_newest == FSIM_NONE &&
           !has(s, f, TRAIT_SCALED) &&
           (!of_run(s, TRAIT_METERING) || (has(s, f, TRAIT_SOLO_METER) && has(s, f, TRAIT_SAME_ACTIVE)));
}

PART void hand_over(engine *e, stretch *s, function *f, instance *in, uint32_t i) {
    request *q = take_waiting(e, s, f);
    in->active_ns += of_run(s, TRAIT_METERING) ? s->now_ns - in->since_ns : 0;
    in->since_ns = s->now_ns;
    q->start_ns = s->now_ns;
    q->instance = i;
    push_end(e, s, f, q);
    waited(e, q);
}

/* The head of the queue, an EVENT_COMPLETE. False: it needs the general way, and stays there. */
PART bool complete(engine *e, stretch *s, uint32_t r) {
    request *q = &s->requests[r];
    function *f = of_run(s, TRAIT_MANY) ? &s->functions[q->fn] : s->functions;
    uint32_t i = q->instance, rate_ucore = q->rate_ucore;
    instance *in = &s->instances[i];
    if (FSIM_UNLIKELY(!is_plain(e, s, f, q, in))) {
        return false;
    }
    e->now_ns = s->now_ns = fsim_event_queue_pop(&e->queue).at_ns;
    prefetch_events(e, s);
    account(e, s, q);
    if (of_run(s, TRAIT_METERING) && has(s, f, TRAIT_SOLO_METER)) {
        meter_solo(f, &f->sums, in, q->start_ns, s->now_ns, rate_ucore);
    }
    if (may_hand_over(s, f)) {
        leave(e, s, f, q, r);
        hand_over(e, s, f, in, i);
        return true;
    }
    squared_leave(&f->in_execution, s->now_ns);
    if (of_run(s, TRAIT_MANY)) {
        squared_leave(&e->in_execution, s->now_ns);
    }
    f->inside--;
    e->inside_shared--;
    fsim_fleet_leave(&f->fleet[0], s->links, i);
    if (--in->executing == 0) {
        become_idle(e, s, f, in);
    } else if (of_run(s, TRAIT_METERING) && !has(s, f, TRAIT_SOLO_METER)) {
        set_rate(s, f, in, in->rate_ucore - rate_ucore);
    }
    if (has(s, f, TRAIT_TOTALS)) {
        demand_leave(&f->demand, s->now_ns, rate_ucore);
    }
    if (has(s, f, TRAIT_SCALED) && !has(s, f, TRAIT_TOTALS)) {
        f->went++;
        if (has(s, f, TRAIT_SAMPLED)) {
            engine_sampled_leave(e, i, (q->flags & REQUEST_PROXIED) != 0);
        }
        if (has(s, f, TRAIT_CPU)) {
            engine_cpu_change_alone(&e->cpu_uses[i], s->now_ns, -(int64_t)rate_ucore, in->executing != 0,
                                    has(s, f, TRAIT_FREEZE) ? 0u : f->background_ucore);
        }
    }
    leave(e, s, f, q, r);
    if (f->queued != 0) {
        serve(e, s, f);
    }
    if (f->idles && in->executing == 0 && (f->window_drawn || !f->expire_armed)) {
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
                   .now_ns = e->now_ns,
                   .traits = s->traits,
                   .may_wait = !e->early && !e->has_waiters,
                   .far = e->alive > INSTANCES_NEAR};
}

PART void close_stretch(engine *e, const stretch *s) {
    e->seen.arrived += s->arrived;
    e->seen.completed += s->completed;
    e->in_system += s->arrived - s->completed;
    e->events += s->completed;
}

PART uint32_t run(engine *e, const fsim_arrivals *batch, uint32_t k, uint32_t count, uint32_t traits) {
    stretch s = {.traits = traits};
    open_stretch(e, &s);
    fsim_ns mark_ns = e->mark_ns;
    while (k < count) {
        fsim_ns at_ns = batch->at_ns[k], next_ns = fsim_event_queue_next_ns(&e->queue);
        if (next_ns <= at_ns) {
            const fsim_event *head = fsim_event_queue_peek(&e->queue, 0);
            if (FSIM_UNLIKELY((head->kind & 0xffu) != EVENT_COMPLETE || next_ns > mark_ns ||
                              !complete(e, &s, head->target))) {
                break;
            }
        } else {
            if (of_run(&s, TRAIT_MANY)) {
                prefetch_arrival(e, &s, batch, k);
            }
            if (FSIM_UNLIKELY(at_ns > mark_ns || !arrive(e, &s, batch, k))) {
                break;
            }
            k++;
        }
    }
    close_stretch(e, &s);
    return k;
}

/* Forms of the way: for the kinds of run that are frequent, and for all the others. */
enum {
    USUAL = TRAIT_KNOWN | TRAIT_METERING,
    PER_REQUEST = USUAL | TRAIT_SOLO_METER | TRAIT_SAME_ACTIVE | TRAIT_FREEZE | TRAIT_BY_IDLE_LIST,
    SAMPLED_SLOTS = USUAL | TRAIT_SCALED | TRAIT_SLOTS | TRAIT_SAMPLED,
    CPU_SLOTS = USUAL | TRAIT_SCALED | TRAIT_SLOTS | TRAIT_CPU,
    TOTALS_SLOTS = USUAL | TRAIT_SCALED | TRAIT_SLOTS | TRAIT_TOTALS | TRAIT_FREEZE
};

uint32_t engine_plain_way(engine *e, const fsim_arrivals *batch, uint32_t first, uint32_t count) {
    if (e->waiting_first != FSIM_NONE || batch->at_ns[first] < e->warmup_ns) {
        return first;
    }
    switch (e->traits) {
    case PER_REQUEST: return run(e, batch, first, count, PER_REQUEST);
    case SAMPLED_SLOTS: return run(e, batch, first, count, SAMPLED_SLOTS);
    case CPU_SLOTS | TRAIT_MANY: return run(e, batch, first, count, CPU_SLOTS | TRAIT_MANY);
    case TOTALS_SLOTS | TRAIT_MANY: return run(e, batch, first, count, TOTALS_SLOTS | TRAIT_MANY);
    default: break;
    }
    uint32_t metering = e->traits & TRAIT_METERING;
    return e->many ? run(e, batch, first, count, metering | TRAIT_MANY)
                   : run(e, batch, first, count, metering);
}
