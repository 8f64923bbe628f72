/* CPU use that changes while nothing else happens: bursts of a request (a heartbeat on an open connection, a
 * tool that is called), and work that goes on after a response. Between two changes the rate is constant, and
 * the CPU meter takes a constant stretch of any length in one step (billing/meter.h), so that a request of
 * ten hours costs two events for each of its bursts and, without bursts, none but its completion.
 *
 * Bursts: from the start of execution, `first` later, and then every `every`, the request uses `cpu` cores
 * more for `busy`. With spans that is a heartbeat; drawn spans are irregular bursts. A burst that outlasts
 * its request is cut off with it. The rate of the burst is part of the request's own rate while it lasts, so
 * that completion takes both away.
 *
 * After a response the instance uses `cpu` cores more until `span` after its latest response, whatever else
 * it does (billing spec 1.4: background work is judged by the rule of the threshold). A frozen instance
 * stands still: what is left is done when a request thaws it. */
#include "model/engine.h"

/* Column of the instances. */
struct after_work {
    fsim_ns until_ns; /* running: its end */
    fsim_ns timer_ns; /* FSIM_NEVER: none is pending */
    bool running, frozen;
};

/* ---- bursts ---- */

static void shift_rate(engine *e, function *f, uint32_t i, int64_t by_ucore) {
    if (e->metering) {
        engine_set_rate(e, f, i, e->instances[i].rate_ucore + (uint64_t)by_ucore);
    }
    if (f->wants_cpu) {
        engine_cpu_change(e, f, i, by_ucore);
    }
}

/* When the request completes or is cut off: without a CPU model that is known. */
static fsim_ns end_of(const function *f, const request *q) {
    return fsim_ns_add(q->start_ns, q->service_ns < f->timeout_ns ? q->service_ns : f->timeout_ns);
}

static void push_change(engine *e, const function *f, uint32_t r, fsim_ns at_ns) {
    const request *q = &e->requests[r];
    if (at_ns < end_of(f, q)) {
        engine_push(e, at_ns, r, EVENT_KIND(EVENT_BURST, q->generation));
    }
}

void engine_bursts_begin(engine *e, function *f, uint32_t r) {
    const fsim_bursts_spec *bursts = f->spec.bursts;
    push_change(e, f, r,
                fsim_ns_add(e->now_ns, fsim_dist_sample(&bursts->first, &engine_rest(e, f)->rng_burst)));
}

/* The end of a burst is scheduled before the beginning of the next, which may be at the same instant. */
void engine_burst_fire(engine *e, uint32_t r, uint32_t generation) {
    request *q = &e->requests[r];
    if (q->generation != generation) {
        return;
    }
    function *f = &e->functions[q->fn];
    const fsim_bursts_spec *bursts = f->spec.bursts;
    if ((q->flags & REQUEST_BURST) != 0) {
        q->flags &= (uint16_t)~REQUEST_BURST;
        q->rate_ucore -= bursts->cpu_ucore;
        shift_rate(e, f, q->instance, -(int64_t)bursts->cpu_ucore);
        return;
    }
    q->flags |= REQUEST_BURST;
    q->rate_ucore += bursts->cpu_ucore;
    shift_rate(e, f, q->instance, bursts->cpu_ucore);
    fsim_ns busy_ns = fsim_dist_sample(&bursts->busy, &engine_rest(e, f)->rng_burst);
    fsim_ns every_ns = fsim_dist_sample(&bursts->every, &engine_rest(e, f)->rng_burst);
    push_change(e, f, r, fsim_ns_add(e->now_ns, busy_ns));
    push_change(e, f, r, fsim_ns_add(e->now_ns, every_ns > busy_ns ? every_ns : busy_ns));
}

/* ---- after a response ---- */

void engine_after_grow(engine *e, uint32_t before, uint32_t capacity) {
    e->after = engine_grow(e, e->after, capacity, sizeof *e->after);
    for (uint32_t i = before; i < capacity; i++) {
        e->after[i] = (after_work){.timer_ns = FSIM_NEVER};
    }
}

void engine_after_setup(engine *e, function *f) {
    f->extras |= FUNCTION_AFTER;
    if (e->after == NULL) {
        engine_after_grow(e, 0, e->instance_capacity);
    }
}

static void run_for(engine *e, uint32_t i, fsim_ns span_ns) {
    after_work *w = &e->after[i];
    w->running = true;
    w->frozen = false;
    w->until_ns = fsim_ns_add(e->now_ns, span_ns);
    if (w->until_ns < w->timer_ns) {
        w->timer_ns = w->until_ns;
        engine_push(e, w->until_ns, i, EVENT_KIND(EVENT_AFTER, e->instances[i].generation));
    }
}

/* An instance is ready: it has answered nobody yet. */
void engine_after_open(engine *e, uint32_t i) {
    e->after[i] = (after_work){.timer_ns = FSIM_NEVER};
}

/* CPU of the work after responses at the instant at which an idle instance becomes busy. */
uint32_t engine_after_thaw(engine *e, const function *f, uint32_t i) {
    after_work *w = &e->after[i];
    if (w->frozen) {
        run_for(e, i, f->spec.after->span_ns);
    }
    return w->running ? f->spec.after->cpu_ucore : 0;
}

/* A response has left; the rates of requests are settled. */
void engine_after_response(engine *e, function *f, uint32_t i) {
    after_work *w = &e->after[i];
    if (f->freeze && e->instances[i].executing == 0) {
        w->running = false;
        w->frozen = true;
        return;
    }
    /* Becoming idle has set the rate to that of the background alone. */
    bool counted = w->running && e->instances[i].executing != 0;
    run_for(e, i, f->spec.after->span_ns);
    if (!counted && e->metering) {
        engine_set_rate(e, f, i, e->instances[i].rate_ucore + f->spec.after->cpu_ucore);
    }
}

void engine_after_fire(engine *e, uint32_t i, uint32_t generation) {
    after_work *w = &e->after[i];
    if (e->instances[i].generation != generation || w->timer_ns != e->now_ns) {
        return;
    }
    w->timer_ns = FSIM_NEVER;
    if (!w->running) {
        return;
    }
    function *f = engine_function_of(e, i);
    if (w->until_ns > e->now_ns) {
        w->timer_ns = w->until_ns;
        engine_push(e, w->until_ns, i, EVENT_KIND(EVENT_AFTER, generation));
        return;
    }
    w->running = false;
    if (e->metering) {
        engine_set_rate(e, f, i, e->instances[i].rate_ucore - f->spec.after->cpu_ucore);
    }
}
