/* The path of a request: arrival, admission, a slot or a queue or a start, execution, completion. The order
 * of events at one instant and the semantics of every limit are those of the product contract, sections 2
 * to 4. */
#include "model/engine_provision.h"

/* ---- requests in the system ---- */

static inline uint32_t take_request(engine *e) {
    if (e->request_free == FSIM_NONE) {
        engine_grow_requests(e);
    }
    uint32_t r = e->request_free;
    e->request_free = e->requests[r].link.next;
    return r;
}

/* The request leaves for good: a user of a closed population begins to think. */
void engine_leave(engine *e, uint32_t r, fsim_outcome outcome) {
    request *q = &e->requests[r];
    function *f = &e->functions[q->fn];
    e->digest += engine_mix((uint64_t)q->arrival_ns, q->fn, (uint64_t)e->now_ns, (uint32_t)outcome);
    if (e->wants_rows) {
        fsim_request_row row = {.arrival_ns = q->arrival_ns,
                                .start_ns = q->start_ns,
                                .end_ns = e->now_ns,
                                .fn = q->fn,
                                .functions = e->table,
                                .instance = q->start_ns == FSIM_NEVER ? FSIM_UNLIMITED : q->instance,
                                .cold = (q->flags & REQUEST_COLD) != 0,
                                .retries = q->attempts,
                                .outcome = outcome};
        fsim_status status = e->options->on_request(e->options->user, &row, e->err);
        if (status != FSIM_OK && e->status == FSIM_OK) {
            engine_fail(e, status);
        }
    }
    if ((q->flags & REQUEST_PROXIED) != 0) {
        flow_leave(&f->proxied, e->now_ns);
    }
    uint32_t closed = q->closed;
    e->left_at_ns = e->now_ns;
    q->flags = 0;
    q->generation = (q->generation + 1u) & GENERATION_MASK;
    q->link.next = e->request_free;
    e->request_free = r;
    e->in_system--;
    if (closed != 0) {
        closed_population *p = &e->closed[closed - 1u];
        fsim_ns again_ns = fsim_ns_add(e->now_ns, fsim_dist_sample(&p->plan->think, &p->rng_think));
        if (p->sent < p->plan->requests_max && again_ns <= p->plan->until_ns) {
            e->closed_outstanding++;
            engine_push(e, again_ns, closed - 1u, EVENT_THINK);
        }
    }
}

void engine_refuse(engine *e, uint32_t r, fsim_cause cause) {
    request *q = &e->requests[r];
    fsim_counts *n = &e->tallies[q->fn].n;
    bool counted = (q->flags & REQUEST_COUNTED) != 0;
    bool is_503 = cause == FSIM_CAUSE_QUEUE_FULL;
    n->throttled[cause] += counted;
    e->seen.throttled += counted;
    if (engine_try_again(e, r, cause)) {
        return;
    }
    *(is_503 ? &n->rejected_503 : &n->rejected_429) += counted;
    e->seen.refused += counted;
    bool is_432 = cause == FSIM_CAUSE_MEMORY_QUOTA && e->scenario->quota_is_432;
    engine_leave(e, r, is_503 ? FSIM_REJECTED_503 : is_432 ? FSIM_REJECTED_432 : FSIM_REJECTED_429);
}

/* ---- the function's queue ---- */

void engine_enqueue(engine *e, function *f, uint32_t r) {
    const request *q = &e->requests[r];
    engine_queue_append(e, f, r);
    if ((f->extras & FUNCTION_VERSION) != 0) {
        engine_versions_wait(e, f, true);
    }
    if (e->has_waiters && !f->in_waiting_list) {
        uint32_t fn = (uint32_t)(f - e->functions);
        f->in_waiting_list = true;
        f->waiting_next = FSIM_NONE;
        f->waiting_prev = e->waiting_last;
        *(e->waiting_last != FSIM_NONE ? &e->functions[e->waiting_last].waiting_next : &e->waiting_first) =
            fn;
        e->waiting_last = fn;
    }
    if (!e->scenario->queue_has_timeout) {
        return;
    }
    const fsim_dist *timeout = &e->scenario->queue_timeout;
    if (timeout->kind != FSIM_DIST_CONSTANT) {
        fsim_ns at_ns =
            fsim_ns_add(q->arrival_ns, fsim_dist_sample(timeout, &engine_rest(e, f)->rng_timeout));
        engine_push(e, at_ns < e->now_ns ? e->now_ns : at_ns, r,
                    EVENT_KIND(EVENT_REQUEST_TIMEOUT, q->generation));
        return;
    }
    fsim_ns at_ns = fsim_ns_add(q->arrival_ns, f->queue_timeout_ns);
    at_ns = at_ns < e->now_ns ? e->now_ns : at_ns;
    bool in_order = f->queued == 1 || q->arrival_ns >= f->queue_latest_ns;
    f->queue_latest_ns = in_order ? q->arrival_ns : f->queue_latest_ns;
    /* Who has left within this instant may have been sent away by something that now comes before this timer:
     * its own is void. */
    bool left_at_once = f->timeout_armed && f->queued == 1 && at_ns == f->timeout_timer_ns;
    f->timeout_void += left_at_once;
    if (!f->timeout_armed || left_at_once) {
        f->timeout_armed = true;
        f->timeout_timer_ns = at_ns;
        engine_push(e, at_ns, q->fn, EVENT_QUEUE_TIMEOUT);
    } else if (at_ns < f->timeout_timer_ns || !in_order) {
        /* One that comes again is older than those in front of it: the timer of the head is not its own. */
        engine_push(e, at_ns, r, EVENT_KIND(EVENT_REQUEST_TIMEOUT, q->generation));
    }
}

static void unlink_queued(engine *e, function *f, uint32_t r) {
    engine_queue_unlink(e, f, &e->requests[r]);
    if ((f->extras & FUNCTION_VERSION) != 0) {
        engine_versions_wait(e, f, false);
    }
    if (f->queued == 0 && f->in_waiting_list) {
        f->in_waiting_list = false;
        *(f->waiting_prev != FSIM_NONE ? &e->functions[f->waiting_prev].waiting_next : &e->waiting_first) =
            f->waiting_next;
        *(f->waiting_next != FSIM_NONE ? &e->functions[f->waiting_next].waiting_prev : &e->waiting_last) =
            f->waiting_prev;
    }
}

void engine_dequeue(engine *e, function *f, uint32_t r) {
    unlink_queued(e, f, r);
    engine_void_timers(&e->requests[r]);
}

/* Late binding: starts that nobody waits for any more, the latest first. */
void engine_cancel_surplus(engine *e, function *f) {
    if (!e->cancels || !f->scale.on_demand) {
        return;
    }
    while (f->starting_count > f->queued) {
        engine_cancel_start(e, f->starting_newest);
    }
}

void engine_time_out(engine *e, uint32_t r) {
    const request *q = &e->requests[r];
    if (e->scenario->queue_timeout_refuses) {
        engine_refuse(e, r, FSIM_CAUSE_FUNCTION);
    } else if (!engine_try_again(e, r, FSIM_CAUSE_COUNT)) {
        e->tallies[q->fn].n.timed_out += (q->flags & REQUEST_COUNTED) != 0;
        e->seen.timed_out += (q->flags & REQUEST_COUNTED) != 0;
        engine_leave(e, r, FSIM_TIMED_OUT);
    }
}

void engine_give_up_waiting(engine *e, function *f, uint32_t r) {
    engine_dequeue(e, f, r);
    engine_time_out(e, r);
    engine_cancel_surplus(e, f);
}

/* One timer serves a whole queue, so a time-out that is due now may still lie behind an event that was
 * scheduled later: those of requests that came to wait before `since_ns`, when the present event was
 * scheduled, come first. */
void engine_give_up_due(engine *e, function *f, fsim_ns since_ns) {
    if (!e->scenario->queue_has_timeout || e->scenario->queue_timeout.kind != FSIM_DIST_CONSTANT) {
        return;
    }
    while (f->queued != 0) {
        const request *q = &e->requests[f->queue_head];
        if (q->attempts != 0 || q->arrival_ns >= since_ns ||
            fsim_ns_add(q->arrival_ns, f->queue_timeout_ns) > e->now_ns) {
            return;
        }
        engine_give_up_waiting(e, f, f->queue_head);
    }
}

/* ---- entering an instance ---- */

static inline void count_inside(engine *e, function *f, uint32_t r, uint32_t i) {
    engine_count_inside(e, f, i, 1);
    if (f->samples_requests) {
        engine_sampled_enter(e, i, (e->requests[r].flags & REQUEST_PROXIED) != 0);
    }
    if ((f->extras & FUNCTION_SESSIONS) != 0) {
        engine_session_bind(e, f, r, i);
    }
}

static inline void take_slot(engine *e, function *f, uint32_t i) {
    if ((f->extras & FUNCTION_SESSIONS) != 0) {
        engine_session_take_slot(e, f, i);
    } else if (!fsim_fleet_enter(&f->fleet[e->instances[i].provisioned], e->links, i)) {
        engine_no_memory(e);
    }
}

/* The instance, idle so far, holds an executing request from now on. */
static inline void become_busy(engine *e, function *f, uint32_t i, uint32_t rate_ucore) {
    instance *in = &e->instances[i];
    if (e->keeps_busy) {
        level_enter(&e->busy, e->now_ns);
    }
    if (f->keeps_busy) {
        level_enter(&f->busy, e->now_ns);
    }
    if (e->has_quota) {
        e->quota_used_mb += f->spec.memory_mb;
        engine_claim_idle(e, f, in, false);
    }
    if (e->has_pool) {
        engine_used(e, f, i);
    }
    if (in->provisioned) {
        f->usage.provisioned_idle_ns += (uint64_t)(e->now_ns - in->since_ns);
    }
    in->since_ns = e->now_ns;
    if ((f->extras & FUNCTION_AFTER) != 0) {
        rate_ucore += engine_after_thaw(e, f, i);
    }
    if (!e->metering || f->solo_meter) {
        return;
    }
    if (f->freeze) {
        uint64_t most = f->usage.vcpu_milli * (FSIM_UCORE / 1000);
        in->rate_ucore = rate_ucore;
        fsim_cpu_meter_begin(&e->instances[i].meter, &f->cpu_rule, &f->usage, e->now_ns,
                             (uint32_t)(rate_ucore < most ? rate_ucore : most));
    } else {
        engine_set_rate(e, f, i, rate_ucore);
    }
}

/* The request, counted as inside instance i, starts to execute there. */
FSIM_INLINE void begin(engine *e, uint32_t r, uint32_t i) {
    request *q = &e->requests[r];
    instance *in = &e->instances[i];
    function *f = &e->functions[q->fn];
    q->start_ns = e->now_ns;
    q->instance = i;
    engine_void_timers(q); /* of its waiting */
    q->flags |= in->begun ? 0u : REQUEST_FIRST;
    in->begun = true;
    if (in->executing++ == 0) {
        become_busy(e, f, i, q->rate_ucore);
    } else if (e->metering) {
        engine_set_rate(e, f, i, in->rate_ucore + q->rate_ucore);
    }
    if (e->has_occupancy) {
        engine_occupancy(e);
    }
    squared_enter(&f->in_execution, e->now_ns);
    if (e->many) {
        squared_enter(&e->in_execution, e->now_ns);
        if ((f->extras & FUNCTION_VERSION) != 0) {
            engine_versions_execute(e, f, true);
        }
    }
    if ((q->flags & REQUEST_COUNTED) != 0 && !f->repeats) {
        engine_begin_statistics(e, &e->tallies[q->fn], q->start_ns - q->arrival_ns,
                                (q->flags & REQUEST_COLD) != 0);
    }
    if (f->wants_cpu) {
        engine_cpu_change(e, f, i, (int64_t)q->rate_ucore);
    }
    if (f->watched != 0) {
        if ((f->watched & WATCH_TOTALS) != 0) {
            demand_enter(&f->demand, e->now_ns, q->rate_ucore);
        }
        if ((f->watched & WATCH_PROVISIONED) != 0 && in->provisioned) {
            engine_provision_enter(f, e->now_ns);
        }
    }
    bool fails = (f->extras & FUNCTION_FAILS) != 0;
    if (fails) {
        engine_failure_join(e, f, r);
    }
    if (f->shared) {
        engine_share_enter(e, r);
        return;
    }
    if ((f->extras & FUNCTION_BURSTS) != 0) {
        engine_bursts_begin(e, f, r);
    }
    fsim_ns span_ns = q->service_ns;
    if (span_ns > f->timeout_ns) {
        span_ns = f->timeout_ns;
        q->flags |= REQUEST_CUT;
    }
    uint32_t kind = fails ? EVENT_KIND(EVENT_END, q->generation) : EVENT_KIND(EVENT_COMPLETE, i);
    engine_push(e, fsim_ns_add(e->now_ns, span_ns), r, kind);
}

void engine_begin(engine *e, uint32_t r, uint32_t i) {
    begin(e, r, i);
}

void engine_enter(engine *e, function *f, uint32_t r, uint32_t i) {
    count_inside(e, f, r, i);
    take_slot(e, f, i);
    begin(e, r, i);
}

static void mark_cold(engine *e, uint32_t r, bool caused) {
    request *q = &e->requests[r];
    if ((q->flags & REQUEST_COUNTED) != 0) {
        tally *t = &e->tallies[q->fn];
        t->n.cold_triggered += caused;
        if ((q->flags & REQUEST_COLD) == 0) {
            t->n.cold_affected++;
            e->seen.cold++;
            if (e->window_capacity != 0) {
                size_t w = (size_t)(q->arrival_ns / e->scenario->windows_every_ns);
                e->result->windows[w].all.n.cold_affected++;
                e->result->window_functions[w * e->function_count + q->fn].n.cold_affected++;
            }
        }
    }
    q->flags |= caused ? REQUEST_COLD | REQUEST_CAUSED : REQUEST_COLD;
}

static inline void append_inside(engine *e, uint32_t r, uint32_t i) {
    instance *in = &e->instances[i];
    e->requests[r].instance = i;
    e->requests[r].link.next = FSIM_NONE;
    engine_void_timers(&e->requests[r]); /* of its waiting in the queue */
    *(in->tail != FSIM_NONE ? &e->requests[in->tail].link.next : &in->head) = r;
    in->tail = r;
}

/* Early binding: the request waits inside instance i until it is ready. */
void engine_bind(engine *e, function *f, uint32_t r, uint32_t i, bool caused) {
    mark_cold(e, r, caused);
    count_inside(e, f, r, i);
    e->links[i].inside++;
    append_inside(e, r, i);
}

void engine_wait_inside(engine *e, function *f, uint32_t r, uint32_t i) {
    count_inside(e, f, r, i);
    take_slot(e, f, i);
    append_inside(e, r, i);
}

static void start_for(engine *e, function *f, uint32_t r) {
    uint32_t i = engine_start(e, f, false);
    e->instances[i].caused = true;
    engine_bind(e, f, r, i, true);
    e->unlaunched = i;
}

/* The start that place_early has made for a request, once that request has left the queue: a start that takes
 * no time serves the queue at once. */
static inline void launch_placed(engine *e) {
    if (e->unlaunched != FSIM_NONE) {
        uint32_t i = e->unlaunched;
        e->unlaunched = FSIM_NONE;
        engine_launch(e, i);
    }
}

/* A free slot of a ready instance, within the limits. */
static inline bool place_warm(engine *e, function *f, uint32_t r, fsim_cause *cause) {
    bool full = (f->has_reserve || e->has_account) && engine_account_full(e, f);
    bool claimed = e->claims && !f->has_reserve && f->fleet[1].count != 0; /* they have their room */
    *cause = f->has_reserve ? FSIM_CAUSE_FUNCTION : FSIM_CAUSE_ACCOUNT;
    if (full && !claimed) {
        return false;
    }
    uint32_t i = FSIM_NONE;
    if (f->fleet[1].count != 0) {
        i = fsim_fleet_pick(&f->fleet[1], e->links, &f->rng_routing);
        if (i != FSIM_NONE && e->has_gateway && !engine_provisioned_rate(e, f)) {
            fsim_fleet_refuse(&f->fleet[1]);
            i = FSIM_NONE; /* spills over */
        }
    }
    if (i == FSIM_NONE && full) {
        return false;
    }
    if (i == FSIM_NONE) {
        i = fsim_fleet_pick(&f->fleet[0], e->links, &f->rng_routing);
    }
    if (i == FSIM_NONE) {
        *cause = FSIM_CAUSE_COUNT; /* no limit: there is no slot */
        return false;
    }
    if (e->has_quota && e->links[i].inside == 0 && !(e->claims && e->instances[i].provisioned) &&
        engine_quota_full(e, f, cause)) {
        fsim_fleet_refuse(&f->fleet[e->instances[i].provisioned]);
        return false;
    }
    engine_enter(e, f, r, i);
    return true;
}

/* Early binding: a slot, a place in an instance that is starting, or a start. */
static bool place_early(engine *e, function *f, uint32_t r, fsim_cause *cause) {
    if (place_warm(e, f, r, cause)) {
        return true;
    }
    if (*cause != FSIM_CAUSE_COUNT) {
        return false;
    }
    uint32_t newest =
        f->starting_newest; /* the older ones are full: each was filled before the next was started */
    if (newest != FSIM_NONE && e->links[newest].inside < f->concurrency &&
        !e->instances[newest].provisioned &&
        !((f->extras & FUNCTION_SESSIONS) != 0 && engine_session_is_full(e, f, newest))) {
        engine_bind(e, f, r, newest, false);
        return true;
    }
    *cause = FSIM_CAUSE_FUNCTION;
    if (f->scale.on_demand && engine_may_start(e, f, cause)) {
        start_for(e, f, r);
        return true;
    }
    return false;
}

static void arm_refill(engine *e, function *f) {
    const fsim_start_limiter *limiter =
        f->start_limiter.limit != NULL ? &engine_limits(e, f)->start_limiter : &e->region_limiter;
    if (!f->refill_armed) {
        f->refill_armed = true;
        engine_push(e, fsim_start_limiter_next_ns(limiter, e->now_ns), (uint32_t)(f - e->functions),
                    EVENT_REFILL);
    }
}

/* Late binding: start an instance while more requests wait than instances start. */
static void start_for_queue(engine *e, function *f, uint32_t r) {
    fsim_cause cause = FSIM_CAUSE_FUNCTION;
    while (f->scale.on_demand && f->queued > (uint64_t)f->starting_count * f->waiting_per_start &&
           !engine_account_full(e, f)) {
        if (!engine_may_start(e, f, &cause)) {
            if (cause == FSIM_CAUSE_START_RATE) {
                arm_refill(e, f);
            }
            return;
        }
        uint32_t i = engine_start(e, f, false);
        e->instances[i].caused = true;
        if (r != FSIM_NONE) {
            mark_cold(e, r, true);
        } else {
            e->tallies[f - e->functions].n.cold_triggered += e->now_ns >= e->warmup_ns;
        }
        engine_launch(e, i);
    }
}

static void wait_or_refuse(engine *e, function *f, uint32_t r, fsim_cause cause) {
    uint64_t capacity = e->scenario->queue_capacity;
    if (engine_limits(e, f)->queued >= capacity) {
        engine_refuse(e, r,
                      capacity == 0 ? (cause == FSIM_CAUSE_COUNT ? FSIM_CAUSE_FUNCTION : cause)
                                    : FSIM_CAUSE_QUEUE_FULL);
        return;
    }
    engine_enqueue(e, f, r);
    if (!e->early) {
        start_for_queue(e, f, r);
    } else if (cause == FSIM_CAUSE_START_RATE) {
        arm_refill(e, f);
    }
}

/* The next ready instance that is to be picked; FSIM_NONE: none is. */
static uint32_t next_in_turn(const engine *e, function *f) {
    for (uint32_t tried = 0; tried < f->ready_count; tried++) {
        f->ready_cursor = f->ready_cursor + 1u < f->ready_count ? f->ready_cursor + 1u : 0u;
        if (!e->instances[f->ready[f->ready_cursor]].parked) {
            return f->ready[f->ready_cursor];
        }
    }
    return FSIM_NONE;
}

/* Straight to an instance, which holds what it cannot run yet in its own queue (Knative in serve mode,
 * policies spec 1.9). */
static bool send_direct(engine *e, function *f, uint32_t r) {
    uint32_t i = next_in_turn(e, f);
    if (i == FSIM_NONE) {
        return false;
    }
    bool unlimited = f->concurrency == FSIM_UNLIMITED;
    int64_t inside = e->links[i].inside;
    fsim_breaker breaker;
    if (unlimited) {
        fsim_breaker_init_gate(&breaker, true);
    } else {
        fsim_breaker_init(&breaker, f->scale.local_queue, f->concurrency, f->concurrency);
    }
    breaker.running = unlimited || inside < f->concurrency ? inside : f->concurrency;
    breaker.waiting = inside - breaker.running;
    switch (fsim_breaker_arrive(&breaker)) {
    case FSIM_BREAKER_RUNNING: engine_enter(e, f, r, i); break;
    case FSIM_BREAKER_QUEUED: engine_wait_inside(e, f, r, i); break;
    case FSIM_BREAKER_REJECTED:
    default: engine_refuse(e, r, FSIM_CAUSE_QUEUE_FULL); break;
    }
    return true;
}

FSIM_INLINE void route(engine *e, function *f, uint32_t r) {
    fsim_cause cause = FSIM_CAUSE_COUNT;
    session_way way = SESSION_FREE;
    if ((f->extras & FUNCTION_SESSIONS) != 0) {
        way = engine_session_follow(e, f, r, &cause);
        if (way == SESSION_TAKEN) {
            return;
        }
    }
    if (f->scaled) {
        if (f->direct && (f->extras & FUNCTION_SESSIONS) == 0 && send_direct(e, f, r)) {
            return;
        }
        if (f->activator && (e->requests[r].flags & REQUEST_PROXIED) == 0) {
            e->requests[r].flags |= REQUEST_PROXIED;
            flow_enter(&f->proxied, e->now_ns);
        }
    }
    bool placed = false;
    if (way == SESSION_BLOCKED) {
        placed = false;
    } else if (e->early) {
        placed = f->queued == 0 && place_early(e, f, r, &cause);
        launch_placed(e);
    } else if (f->queued == 0) {
        placed = place_warm(e, f, r, &cause);
    }
    if (!placed) {
        wait_or_refuse(e, f, r, cause);
    }
    if (f->scaled && (f->asleep || f->wanted == 0)) {
        engine_wake(e, f);
    }
}

void engine_route(engine *e, function *f, uint32_t r) {
    route(e, f, r);
}

/* A request comes in, for the first time or again. */
FSIM_INLINE void admit(engine *e, function *f, uint32_t r) {
    fsim_cause cause;
    if ((e->has_gateway || e->has_admission) && !engine_admitted(e, f, &cause)) {
        engine_refuse(e, r, cause);
        return;
    }
    if (f->scaled) {
        f->came++;
    }
    route(e, f, r);
}

void engine_admit(engine *e, function *f, uint32_t r) {
    admit(e, f, r);
}

void engine_arrive(engine *e, fsim_ns at_ns, fsim_fn_id fn, fsim_ns service_ns, uint32_t rate_ucore,
                   uint16_t closed) {
    function *f = &e->functions[fn];
    e->now_ns = at_ns;
    f->arrivals_generation = (f->arrivals_generation + 1u) & GENERATION_MASK;
    uint32_t r = take_request(e);
    request *q = &e->requests[r];
    q->arrival_ns = at_ns;
    q->start_ns = FSIM_NEVER;
    q->service_ns = service_ns;
    q->fn = fn;
    q->attempts = 0;
    q->rate_ucore = rate_ucore;
    q->closed = closed;
    bool counted = at_ns >= e->warmup_ns;
    q->flags = counted ? REQUEST_LIVE | REQUEST_COUNTED : REQUEST_LIVE;
    e->tallies[fn].n.arrived += counted;
    e->seen.arrived += counted;
    e->in_system++;
    if ((f->extras & FUNCTION_SESSIONS) != 0) {
        engine_session_mark(e, r, closed == 0 ? e->session_now : 0);
    }
    admit(e, f, r);
}

/* The instance of its session takes it, in front of whatever free slot there may be. */
static bool follow_from_queue(engine *e, function *f, uint32_t r) {
    fsim_cause cause;
    engine_dequeue(e, f, r);
    engine_session_follow(e, f, r, &cause);
    return true;
}

/* Placing a request links it into an instance; its links in the queue are needed once more after that. */
static bool place_head(engine *e, function *f, fsim_cause *cause) {
    uint32_t r = f->queue_head;
    if ((f->extras & FUNCTION_SESSIONS) != 0) {
        session_way way = engine_session_peek(e, f, r, cause);
        if (way != SESSION_FREE) {
            return way == SESSION_TAKEN && follow_from_queue(e, f, r);
        }
    }
    request_link queued = e->requests[r].link;
    uint32_t generation = e->requests[r].generation;
    /* Now, not in dequeue: what the placed request arms as it begins must last. */
    e->requests[r].generation = (generation + 1u) & GENERATION_MASK;
    if (!(e->early ? place_early(e, f, r, cause) : place_warm(e, f, r, cause))) {
        e->requests[r].generation = generation;
        return false;
    }
    request_link placed = e->requests[r].link;
    e->requests[r].link = queued;
    unlink_queued(e, f, r); /* the timers of its execution may be set already */
    e->requests[r].link = placed;
    launch_placed(e);
    return true;
}

void engine_serve_queue(engine *e, function *f) {
    fsim_cause cause = FSIM_CAUSE_COUNT;
    while (f->queued != 0 && place_head(e, f, &cause)) {
    }
    if (f->queued == 0) {
        return;
    }
    if (!e->early) {
        start_for_queue(e, f, FSIM_NONE);
    } else if (cause == FSIM_CAUSE_START_RATE) {
        arm_refill(e, f);
    }
}

void engine_serve_ready(engine *e, function *f, uint32_t i) {
    const instance *in = &e->instances[i];
    bool draws_cold = f->spec.cold_total && in->caused;
    while (f->queued != 0 && e->links[i].inside < f->concurrency && !engine_account_full(e, f)) {
        uint32_t r = f->queue_head;
        if ((f->extras & FUNCTION_SESSIONS) != 0) {
            fsim_cause cause;
            session_way way = engine_session_peek(e, f, r, &cause);
            if (way == SESSION_TAKEN && follow_from_queue(e, f, r)) {
                continue;
            }
            if (way == SESSION_BLOCKED || engine_session_is_full(e, f, i)) {
                break;
            }
        }
        engine_dequeue(e, f, r);
        if (!e->instances[i].provisioned) {
            mark_cold(e, r, false);
        }
        if (draws_cold) {
            e->requests[r].service_ns = fsim_dist_sample(&f->spec.cold_start, &f->rng_cold);
            draws_cold = false;
        }
        engine_enter(e, f, r, i);
    }
}
