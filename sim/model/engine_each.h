/* What the general way and the plain way both do for each request. Part of engine.h, which includes it; see
 * there. */
#ifndef FSIM_MODEL_ENGINE_EACH_H
#define FSIM_MODEL_ENGINE_EACH_H

#include "model/engine.h"

/* ---- waiting ---- */

/* The request waits behind all that wait for the function. A long queue is spread over memory: each request
 * knows one some places later, which can be fetched when its own turn comes. */
FSIM_INLINE void engine_queue_append(engine *e, function *f, uint32_t r) {
    request *q = &e->requests[r];
    q->link.next = FSIM_NONE;
    q->link.prev = f->queue_tail;
    *(f->queue_tail != FSIM_NONE ? &e->requests[f->queue_tail].link.next : &f->queue_head) = r;
    uint32_t *before = &f->queue_last[f->queue_came % QUEUE_AHEAD];
    if (f->queued >= QUEUE_AHEAD && f->queue_came >= QUEUE_AHEAD) {
        e->requests[*before].later = r;
    }
    q->later = r;
    *before = r;
    f->queue_came++;
    f->queue_tail = r;
    f->queued++;
    level_enter(&f->queue, e->now_ns);
    if (e->many) {
        level_enter(&e->in_queue, e->now_ns);
    }
}

/* It waits no more. What the head of the queue has as prev is void. */
FSIM_INLINE void engine_queue_unlink(engine *e, function *f, const request *q) {
    if (FSIM_LIKELY(q == &e->requests[f->queue_head])) {
        f->queue_head = q->link.next;
        f->queue_tail = q->link.next != FSIM_NONE ? f->queue_tail : FSIM_NONE;
    } else {
        f->queue_came = 0;
        e->requests[q->link.prev].link.next = q->link.next;
        *(q->link.next != FSIM_NONE ? &e->requests[q->link.next].link.prev : &f->queue_tail) = q->link.prev;
    }
    f->queued--;
    level_leave(&f->queue, e->now_ns);
    if (e->many) {
        level_leave(&e->in_queue, e->now_ns);
    }
}

/* What was to happen while it waited will not. */
FSIM_INLINE void engine_void_timers(request *q) {
    q->generation = (q->generation + 1u) & GENERATION_MASK;
}

/* Requests in the queues of the whole run. */
static inline const level *engine_in_queue(const engine *e) {
    return e->many || e->function_count == 0 ? &e->in_queue : &e->functions[0].queue;
}

/* ---- what scalers sample ---- */

/* A request of a sampled function enters the instance, or leaves it. */
FSIM_INLINE void engine_sampled_enter(engine *e, uint32_t i, bool proxied) {
    flow_enter(&e->sampled.inside[i], e->now_ns);
    if (proxied) {
        flow_enter(&e->sampled.proxied[i], e->now_ns);
    }
}
FSIM_INLINE void engine_sampled_leave(engine *e, uint32_t i, bool proxied) {
    flow_leave(&e->sampled.inside[i], e->now_ns);
    if (proxied) {
        flow_leave(&e->sampled.proxied[i], e->now_ns);
    }
}

/* The requests that execute in the instance demand so much more CPU than before, or less; nobody else uses
 * that CPU. Without any the instance uses idle_ucore. */
FSIM_INLINE void engine_cpu_change_alone(cpu_use *u, fsim_ns now_ns, int64_t more_ucore, bool executing,
                                         uint32_t idle_ucore) {
    u->used += (fsim_wide)((uwide)(uint64_t)(now_ns - u->at_ns) * u->rate_ucore);
    u->at_ns = now_ns;
    u->demand_ucore += (uint64_t)more_ucore;
    uint64_t demand = executing ? u->demand_ucore : idle_ucore;
    u->rate_ucore = demand < u->most_ucore ? (uint32_t)demand : u->most_ucore;
}
static inline void engine_cpu_change(engine *e, const function *f, uint32_t i, int64_t more_ucore) {
    if (f->shared) {
        engine_cpu_change_shared(e, f, i, more_ucore);
    } else {
        engine_cpu_change_alone(&e->cpu_uses[i], e->now_ns, more_ucore, e->instances[i].executing != 0,
                                f->freeze ? 0 : f->background_ucore);
    }
}

/* ---- statistics ---- */

/* What a request adds to the run's digest, a sum: requests may be met in any order. */
FSIM_INLINE uint64_t engine_mix(uint64_t arrival_ns, uint32_t fn, uint64_t end_ns, uint32_t outcome) {
    uint64_t word =
        (arrival_ns ^ ((uint64_t)fn << 48)) * UINT64_C(0x9e3779b97f4a7c15) + (end_ns * 8u + outcome);
    word ^= word >> 32;
    word *= UINT64_C(0xff51afd7ed558ccd);
    return word ^ (word >> 32);
}

FSIM_INLINE void engine_spans_add(fsim_spans *s, fsim_ns span_ns) {
    s->count++;
    s->sum_ns += span_ns;
    s->max_ns = span_ns > s->max_ns ? span_ns : s->max_ns;
    s->min_ns = span_ns < s->min_ns ? span_ns : s->min_ns;
}

/* A request that has waited so long, or not, begins to execute; it has a start to thank for that (cold). */
FSIM_INLINE void engine_begin_statistics(const engine *e, tally *t, fsim_ns wait_ns, bool cold) {
    if (wait_ns == 0 && !cold) {
        t->begun_direct++;
    } else {
        engine_spans_add(&t->wait, wait_ns);
        fsim_histogram_add(t->hist.wait, wait_ns);
        t->waited_count += wait_ns > 0;
    }
    if (e->has_exceed) {
        for (uint32_t i = 0; i < e->scenario->exceed_wait_count; i++) {
            t->wait_above[i] += wait_ns > e->scenario->exceed_wait_ns[i];
        }
    }
}

/* It completes. */
FSIM_INLINE void engine_end_statistics(const engine *e, tally *t, fsim_ns latency_ns, fsim_ns service_ns,
                                       bool cold) {
    t->n.completed++;
    if (!cold && service_ns == latency_ns) {
        engine_spans_add(&t->direct, service_ns);
        fsim_histogram_add(t->hist.direct, service_ns);
    } else {
        engine_spans_add(cold ? &t->cold : &t->waited, latency_ns);
        fsim_histogram_add(cold ? t->hist.latency_cold : t->hist.latency_waited, latency_ns);
        engine_spans_add(&t->service, service_ns);
        fsim_histogram_add(t->hist.service, service_ns);
    }
    if (e->has_exceed) {
        for (uint32_t i = 0; i < e->scenario->exceed_latency_count; i++) {
            t->latency_above[i] += latency_ns > e->scenario->exceed_latency_ns[i];
        }
    }
}

#endif
