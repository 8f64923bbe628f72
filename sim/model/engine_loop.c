/* The loop: events and arrivals in order of time. */
#include "model/engine.h"

#include "base/limits.h"
#include "base/text.h"

/* ---- events ---- */

static void on_queue_timeout(engine *e, function *f) {
    if (f->timeout_void != 0) {
        f->timeout_void--;
        return;
    }
    f->timeout_armed = false;
    fsim_ns timeout_ns = f->queue_timeout_ns;
    while (f->queued != 0) {
        uint32_t r = f->queue_head;
        fsim_ns due_ns = fsim_ns_add(e->requests[r].arrival_ns, timeout_ns);
        if (due_ns > e->now_ns) {
            f->timeout_armed = true;
            f->timeout_timer_ns = due_ns;
            engine_push(e, due_ns, e->requests[r].fn, EVENT_QUEUE_TIMEOUT);
            return;
        }
        engine_give_up_waiting(e, f, r);
    }
}

/* Users who do not think and are answered in no time, or refused, would call for ever at one instant. */
static void watch_instant(engine *e, closed_population *p) {
    p->at_once = e->now_ns == p->instant_ns ? p->at_once + 1u : 1u;
    p->instant_ns = e->now_ns;
    if (p->at_once > (uint64_t)p->plan->users + FSIM_CALLS_AT_ONCE_MAX &&
        p->plan->requests_max == UINT64_MAX) {
        char at[32];
        fsim_text_print_span(e->now_ns, at, sizeof at);
        e->status = fsim_fail(e->err, FSIM_ELIMIT,
                              "users who do not think and are answered at once call without end at %s (more "
                              "than %u times, FSIM_CALLS_AT_ONCE_MAX); expected think, or requests",
                              at, FSIM_CALLS_AT_ONCE_MAX);
        longjmp(e->no_memory, 1);
    }
}

static void on_think(engine *e, uint32_t population) {
    closed_population *p = &e->closed[population];
    e->closed_outstanding--;
    if (p->sent >= p->plan->requests_max || e->now_ns > p->plan->until_ns) {
        return;
    }
    p->sent++;
    watch_instant(e, p);
    uint32_t fn = p->plan->fn;
    const fsim_versions_spec *versions = e->functions[fn].spec.versions;
    if (versions != NULL) {
        fn += 1u + fsim_versions_pick(versions, e->now_ns, fsim_rng_unit(&p->rng_version));
    }
    function *f = &e->functions[fn];
    engine_arrive(e, e->now_ns, fn, fsim_dist_sample(&f->spec.service, &p->rng_service), f->rate_ucore,
                  (uint16_t)(population + 1u));
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
    case EVENT_SESSION: engine_session_fire(e, event.target, generation); break;
    case EVENT_CORE: engine_cores_fire(e, event.target, generation); break;
    case EVENT_CORE_START: engine_cores_fire_start(e, event.target, generation); break;
    case EVENT_INTERRUPT: engine_interrupt_fire(e, event.target); break;
    case EVENT_RESUME: engine_interrupt_resume(e, event.target); break;
    case EVENT_CUT: engine_share_cut(e, event.target, generation); break;
    case EVENT_BURST: engine_burst_fire(e, event.target, generation); break;
    case EVENT_AFTER: engine_after_fire(e, event.target, generation); break;
    case EVENT_ADAPT: engine_adapt(e, function_of(e, event)); break;
    case EVENT_PROVISIONED: engine_versions_step(e, function_of(e, event), generation); break;
    case EVENT_END: engine_failure_complete(e, event.target, generation); break;
    case EVENT_FAILURE: engine_failure_fire(e, event.target, generation); break;
    case EVENT_STRIKE: engine_failure_strike(e, function_of(e, event)); break;
    case EVENT_REPLACE: engine_failure_replace(e, function_of(e, event)); break;
    case EVENT_SESSION_WAIT: engine_session_stop_waiting(e, event.target, generation); break;
    case EVENT_COMPLETE:
    case EVENT_SHORT:
    case EVENT_SHARE:
    case EVENT_READY:
    case EVENT_EXPIRE:
    case EVENT_RETRY:
    default: fsim_assert(false);
    }
}

/* ---- the loop ---- */

static inline void handle(engine *e, fsim_event event) {
    e->now_ns = event.at_ns;
    switch ((event_kind)(event.kind & 0xffu)) {
    case EVENT_COMPLETE: engine_complete(e, event.target); break;
    case EVENT_SHORT:
        engine_restore(e, event.target);
        engine_complete(e, event.target);
        break;
    case EVENT_SHARE: engine_share_fire(e, event.target, event.kind >> 8); break;
    case EVENT_READY: on_ready_at_last(e, event.target, event.kind >> 8); break;
    case EVENT_EXPIRE: engine_expire(e, &e->functions[event.target]); break;
    case EVENT_RETRY: engine_admit(e, &e->functions[e->requests[event.target].fn], event.target); break;
    default: handle_seldom(e, event); break;
    }
}

static inline bool next_is_due(const engine *e, fsim_ns until_ns) {
    return fsim_event_queue_next_ns(&e->queue) <= until_ns;
}

/* So many events ahead is long enough for it to come in. */
enum { EVENT_FAR = 8, EVENT_NEAR = 3 };

/* Whose turn is soon is known while this event is handled: what they touch comes in meanwhile. Of a large
 * pool the kind has only the low bits of the instance: a hint. (A compiler takes a function that only fetches
 * for one without effect and leaves out calls of it: these are inlined before it looks.) */
FSIM_INLINE void prefetch_instance(const engine *e, uint32_t i) {
    __builtin_prefetch(&e->instances[i], 1);
    __builtin_prefetch(&e->instances[i].meter.part_at_ns, 1);
    __builtin_prefetch(&e->links[i], 1);
}

FSIM_INLINE void prefetch_far(const engine *e, uint32_t ahead) {
    const fsim_event *far = fsim_event_queue_peek(&e->queue, ahead);
    uint32_t kind = far != NULL ? far->kind & 0xffu : EVENT_TICK;
    if (kind == EVENT_COMPLETE || kind == EVENT_SHORT) {
        __builtin_prefetch(&e->requests[far->target], 1);
        prefetch_instance(e, far->kind >> 8);
    } else if (kind == EVENT_SHARE) {
        __builtin_prefetch(&e->domains[far->target], 1);
        __builtin_prefetch(&e->domains[far->target].few, 1);
        if (!e->node_sharing) {
            prefetch_instance(e, far->target);
        }
    }
}

/* Of a domain the request that completes. */
FSIM_INLINE void prefetch_near(const engine *e, uint32_t ahead) {
    const fsim_event *near = fsim_event_queue_peek(&e->queue, ahead);
    if (near == NULL || (near->kind & 0xffu) != EVENT_SHARE) {
        return;
    }
    share_domain *d = &e->domains[near->target];
    if (d->generation == near->kind >> 8) {
        __builtin_prefetch(&e->requests[share_heap(d)[0].request], 1);
    }
}

/* A slice of events has just been sorted: its first ones, too. */
FSIM_INLINE void prefetch_slice(const engine *e) {
    for (uint32_t ahead = 0; ahead < EVENT_FAR; ahead++) {
        prefetch_far(e, ahead);
    }
    for (uint32_t ahead = 0; ahead < EVENT_NEAR; ahead++) {
        prefetch_near(e, ahead);
    }
}

FSIM_INLINE void prefetch_next(const engine *e) {
    if (FSIM_UNLIKELY(e->queue.run_at == 0)) {
        prefetch_slice(e);
    }
    prefetch_far(e, EVENT_FAR);
    if (e->domain_count != 0) {
        prefetch_near(e, EVENT_NEAR);
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

void engine_feed(engine *e, const fsim_arrivals *batch, fsim_ns until_ns) {
    uint32_t count = batch->count;
    while (count > 0 && batch->at_ns[count - 1u] > until_ns) {
        count--;
        e->workload_ended = true;
    }
    for (uint32_t k = 0; k < count;) {
        k = e->any_plain  ? engine_plain_way(e, batch, k, count)
            : e->any_fast ? engine_short_way(e, batch, k, count)
                          : k;
        if (k == count) {
            return;
        }
        fsim_ns at_ns = batch->at_ns[k];
        if (next_is_due(e, at_ns)) {
            step(e);
            continue;
        }
        if (at_ns > e->mark_ns) {
            engine_marks(e, at_ns);
        }
        e->session_now = batch->has_session ? batch->session[k] : 0;
        engine_arrive(e, at_ns, batch->fn[k], batch->service_ns[k], engine_rate(e, batch, k), 0);
        k++;
    }
}

void engine_step(engine *e) {
    step(e);
}

/* ---- after the last arrival ---- */

/* Looked at once in so many events. */
enum { LOOK_EVENTS = 1u << 16 };

typedef struct waiting {
    uint64_t looks, in_system, arrived, retried;
    fsim_ns since_ns;
} waiting;

/* Somebody waits in a queue without a time-out, nothing runs, starts or will call. */
static bool all_wait(const engine *e) {
    return e->in_system != 0 && e->in_system == engine_in_queue(e)->n && e->starting.n == 0 &&
           e->closed_outstanding == 0 && !e->scenario->queue_has_timeout;
}

static const function *longest_queue(const engine *e) {
    const function *longest = &e->functions[0];
    for (uint32_t fn = 1; fn < e->function_count; fn++) {
        longest = e->functions[fn].queued > longest->queued ? &e->functions[fn] : longest;
    }
    return longest;
}

/* Scalers tick and time passes as long as somebody waits: for ever, if no instance or no concurrency is left
 * for them. A schedule repeats itself after a week: what it would have helped has been helped by then. */
static void watch_waiting(engine *e, waiting *w) {
    if (!all_wait(e) || w->in_system != e->in_system || w->arrived != e->seen.arrived) {
        *w = (waiting){.in_system = e->in_system, .arrived = e->seen.arrived, .since_ns = e->now_ns};
        return;
    }
    if (++w->looks * LOOK_EVENTS < FSIM_WAITING_EVENTS_MAX || e->now_ns - w->since_ns <= 7 * FSIM_DAY) {
        return;
    }
    const function *f = longest_queue(e);
    e->status = fsim_fail(e->err, FSIM_ELIMIT,
                          "%llu requests to \"%s\" wait without end: more than %u events and a week have "
                          "helped nobody (FSIM_WAITING_EVENTS_MAX); expected instances and concurrency for "
                          "it, platform.queue.timeout or run.until",
                          (unsigned long long)f->queued, f->spec.name, FSIM_WAITING_EVENTS_MAX);
    longjmp(e->no_memory, 1);
}

/* Whoever is refused, or fails, tries again for ever: what nothing can serve would never leave. A year
 * without anybody who leaves is enough where retries are rare. */
static void watch_retries(engine *e, waiting *w) {
    const fsim_retry_plan *plan = &e->scenario->retry;
    bool endless = plan->on && plan->attempts == UINT64_MAX && e->in_system != 0;
    if (!endless || w->in_system != e->in_system || w->arrived != e->seen.arrived) {
        *w = (waiting){.in_system = e->in_system,
                       .arrived = e->seen.arrived,
                       .retried = e->retried,
                       .since_ns = e->now_ns};
        return;
    }
    uint64_t retried = e->retried - w->retried;
    bool rare = retried != 0 && e->now_ns - w->since_ns > 365 * FSIM_DAY;
    if (++w->looks * LOOK_EVENTS >= FSIM_WAITING_EVENTS_MAX &&
        (rare || retried / e->in_system > FSIM_RETRIES_IN_VAIN_MAX)) {
        e->status = fsim_fail(e->err, FSIM_ELIMIT,
                              "%llu requests try again without end: %llu retries have helped nobody "
                              "(FSIM_RETRIES_IN_VAIN_MAX for each); expected room for them, a number of "
                              "platform.retry.attempts, or run.until",
                              (unsigned long long)e->in_system, (unsigned long long)retried);
        longjmp(e->no_memory, 1);
    }
}

/* Until everybody has left, or until the end of the run. */
void engine_drain(engine *e, fsim_ns until_ns) {
    bool to_the_end = until_ns != FSIM_NEVER;
    waiting queued = {0}, retrying = {0};
    uint32_t events = 0;
    while (next_is_due(e, until_ns) && e->queue.next_ns != FSIM_NEVER && !e->stopped &&
           (to_the_end || e->in_system != 0 || e->closed_outstanding != 0)) {
        if (!to_the_end && e->interrupts != NULL && engine_interrupt_is_all(e)) {
            return; /* who is left waits for what never comes */
        }
        step(e);
        if (++events % LOOK_EVENTS == 0) {
            e->stopped = !engine_go_on(e, -1);
            if (!to_the_end) {
                watch_waiting(e, &queued);
                watch_retries(e, &retrying);
            }
        }
    }
}
