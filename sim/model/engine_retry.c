/* Who tries again: a client that was refused, timed out or failed (platform.retry), and the platform with an
 * event that was refused or ended in an error (platform.async; policies spec, section 4.3). A retry is the
 * same request: its waiting and its latency count from the first arrival. */
#include "model/engine.h"

static void again_after(engine *e, uint32_t r, double span_ns) {
    request *q = &e->requests[r];
    q->attempts++;
    e->retried++;
    if ((q->flags & REQUEST_COUNTED) != 0) {
        e->tallies[q->fn].n.retries++;
    }
    engine_push(e, fsim_ns_add(e->now_ns, span_ns < 9e18 ? (fsim_ns)(span_ns + 0.5) : FSIM_NEVER - 1), r,
                EVENT_RETRY);
}

/* An event that was refused goes back to the queue; when it would be too old by then, it is given up. */
static bool try_event_again(engine *e, uint32_t r) {
    const fsim_async_plan *plan = &e->scenario->async;
    const request *q = &e->requests[r];
    uint32_t refused = q->attempts - (q->flags / REQUEST_ERROR);
    double span = (double)plan->first_ns, longest = (double)plan->longest_ns;
    for (uint32_t i = 0; i < refused && plan->factor > 1.0 && span < longest; i++) {
        span *= plan->factor;
    }
    span = span < longest ? span : longest;
    if ((double)(e->now_ns - q->arrival_ns) + span > (double)plan->max_age_ns) {
        return false;
    }
    again_after(e, r, span);
    return true;
}

static bool applies(const fsim_scenario *s, fsim_cause cause) {
    const fsim_retry_plan *retry = &s->retry;
    switch (cause) {
    case FSIM_CAUSE_QUEUE_FULL: return retry->on_503;
    case FSIM_CAUSE_COUNT: return retry->on_504;
    case FSIM_CAUSE_MEMORY_QUOTA: return s->quota_is_432 ? retry->on_432 : retry->on_429;
    case FSIM_CAUSE_ACCOUNT:
    case FSIM_CAUSE_FUNCTION:
    case FSIM_CAUSE_START_RATE:
    case FSIM_CAUSE_GATEWAY:
    default: return retry->on_429;
    }
}

/* A client that has any attempt left makes it. */
static bool call_again(engine *e, uint32_t r) {
    const fsim_retry_plan *retry = &e->scenario->retry;
    const request *q = &e->requests[r];
    function *f = &e->functions[q->fn];
    if (q->attempts >= retry->attempts) {
        return false;
    }
    double span = (double)fsim_dist_sample(&retry->interval, &engine_rest(e, f)->rng_retry);
    for (uint32_t i = 0; i < q->attempts && retry->factor != 1.0 && span < 9e18; i++) {
        span *= retry->factor;
    }
    again_after(e, r, span);
    return true;
}

bool engine_try_again(engine *e, uint32_t r, fsim_cause cause) {
    if (e->functions[e->requests[r].fn].async) {
        return try_event_again(e, r);
    }
    return e->scenario->retry.on && applies(e->scenario, cause) && call_again(e, r);
}

bool engine_ends_in_error(engine *e, function *f, const request *q) {
    return (q->flags & REQUEST_CUT) != 0 ||
           (f->spec.error_rate > 0.0 && fsim_rng_unit(&engine_rest(e, f)->rng_error) < f->spec.error_rate) ||
           ((f->extras & FUNCTION_FAILS) != 0 && engine_failure_spoils(e, f, q->instance));
}

/* The same request, with the same work: one that was cut off will be cut off again. */
bool engine_try_after_error(engine *e, uint32_t r) {
    const fsim_async_plan *plan = &e->scenario->async;
    const request *q = &e->requests[r];
    if (!e->functions[q->fn].async) {
        return call_again(e, r);
    }
    uint32_t errors = q->flags / REQUEST_ERROR;
    if (errors >= plan->retries ||
        fsim_ns_add(e->now_ns - q->arrival_ns, plan->after_error_ns[errors]) > plan->max_age_ns) {
        return false;
    }
    again_after(e, r, (double)plan->after_error_ns[errors]);
    return true;
}

/* Its timers are void. A burst of CPU that the end of the execution has cut off is not part of its rate. */
void engine_back_to_queue(engine *e, uint32_t r) {
    request *q = &e->requests[r];
    const function *f = &e->functions[q->fn];
    if ((q->flags & REQUEST_BURST) != 0) {
        q->rate_ucore -= f->spec.bursts->cpu_ucore;
    }
    q->generation = (q->generation + 1u) & GENERATION_MASK;
    q->start_ns = FSIM_NEVER;
    q->flags &= (uint16_t) ~(REQUEST_CUT | REQUEST_FIRST | REQUEST_BURST);
    q->flags = (uint16_t)(q->flags + (f->async ? REQUEST_ERROR : 0u));
}
