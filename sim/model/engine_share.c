/* CPU models in which requests slow each other down: processor sharing and linear slow-down inside one
 * instance, processor sharing on a node.
 *
 * All requests of a domain progress at one common speed, so a virtual clock that advances at that speed
 * orders their completions: a request that enters at virtual time v with service s completes at v + s,
 * whoever comes or goes meanwhile. Each change costs O(log n); one event a domain is live, older ones are
 * recognised by their generation. Speeds (contract additions, section 4): ps min(1, cores / demand), where
 * demand is the sum of the requests' CPU fractions (n when they are CPU-bound); linear 1 / (1 + (n - 1) x
 * slowdown). Doubles here are deterministic: basic IEEE operations in a fixed order.
 *
 * A request that is slowed down needs no more CPU time, only longer: what it uses is its rate at the common
 * speed. Where that is not what the instance has at most anyway (linear, and on a node) the CPU meters of the
 * domain's instances follow each change of speed, which costs a step for each request of the domain.
 *
 * A function's time-out counts wall time: slowed down or not, a request is cut off that long after it began.
 */
#include "model/engine.h"

#include <string.h>

FSIM_INLINE bool earlier(const engine *e, const sharer *a, const sharer *b) {
    return a->finish_work < b->finish_work ||
           (FSIM_UNLIKELY(a->finish_work == b->finish_work) &&
            e->requests[a->request].link.order < e->requests[b->request].link.order);
}

static void sift_up(const engine *e, share_domain *d, uint32_t at, sharer new) {
    sharer *heap = share_heap(d);
    while (at > 0 && earlier(e, &new, &heap[(at - 1u) / 2u])) {
        heap[at] = heap[(at - 1u) / 2u];
        at = (at - 1u) / 2u;
    }
    heap[at] = new;
}

static sharer take_first(const engine *e, share_domain *d) {
    sharer *heap = share_heap(d);
    sharer first = heap[0], last = heap[--d->count];
    uint32_t at = 0;
    for (uint32_t child = 1; child < d->count; child = 2u * at + 1u) {
        child += child + 1u < d->count && earlier(e, &heap[child + 1u], &heap[child]) ? 1u : 0u;
        if (!earlier(e, &heap[child], &last)) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return first;
}

static double fraction(const request *q) {
    return (double)q->rate_ucore / FSIM_UCORE;
}

static void advance(engine *e, share_domain *d) {
    d->virtual_ns += (double)(e->now_ns - d->at_ns) * d->speed;
    d->at_ns = e->now_ns;
}

/* What an instance that demands rate_ucore gets. */
uint64_t engine_share_rate(const engine *e, const function *f, uint32_t i, uint64_t rate_ucore) {
    if (e->node_fcfs && e->instances[i].executing != 0) {
        return engine_cores_rate(e, i);
    }
    if (!f->shared || e->domains == NULL) { /* none in a live run, which measures instead of sharing */
        return rate_ucore;
    }
    const share_domain *d = &e->domains[engine_share_domain(e, i)];
    bool follows = e->instances[i].executing != 0 && (d->linear || e->node_sharing);
    return follows ? (uint64_t)((double)rate_ucore * d->speed + 0.5) : rate_ucore;
}

/* The next whole nanosecond, 0 at least; without a call of ceil, for it is once for every change. */
static inline fsim_ns rounded_up(double span_ns) {
    if (span_ns > 9e18) {
        return FSIM_NEVER;
    }
    fsim_ns whole_ns = span_ns > 0.0 ? (fsim_ns)span_ns : 0;
    return (double)whole_ns < span_ns ? whole_ns + 1 : whole_ns;
}

static void set_speed(engine *e, uint32_t domain, share_domain *d) {
    double before = d->speed;
    if (d->linear) {
        d->speed = d->count <= 1u ? 1.0 : 1.0 / (1.0 + (double)(d->count - 1u) * d->slowdown);
    } else {
        d->speed = d->demand > d->cores ? d->cores / d->demand : 1.0;
    }
    if (d->speed != before && e->metering && (d->linear || e->node_sharing)) {
        for (uint32_t k = 0; k < d->count; k++) {
            uint32_t i = e->requests[share_heap(d)[k].request].instance;
            engine_set_rate(e, engine_function_of(e, i), i, e->instances[i].rate_ucore);
        }
    }
    d->generation = (d->generation + 1u) & GENERATION_MASK;
    if (d->count == 0) {
        d->virtual_ns = 0.0;
        d->demand = 0.0;
        return;
    }
    double left_ns = (share_heap(d)[0].finish_work - d->virtual_ns) / d->speed;
    engine_push(e, fsim_ns_add(e->now_ns, rounded_up(left_ns)), domain,
                EVENT_KIND(EVENT_SHARE, d->generation));
}

uint32_t engine_share_domain(const engine *e, uint32_t i) {
    return e->node_sharing ? e->instance_node[i] : i;
}

static void grow(engine *e, share_domain *d) {
    uint32_t capacity = d->capacity == 0 ? DOMAIN_FEW : d->capacity * 2u;
    if (capacity != DOMAIN_FEW) {
        bool first = d->large == NULL;
        d->large = engine_grow(e, d->large, capacity, sizeof *d->large);
        if (first) {
            memcpy(d->large, d->few, sizeof d->few);
        }
    }
    d->capacity = capacity;
}

void engine_share_enter(engine *e, uint32_t r) {
    if (e->options->live != NULL) { /* it takes as long as it takes */
        engine_live_begin(e, r);
        return;
    }
    if (e->node_fcfs) {
        engine_cores_enter(e, r);
        return;
    }
    request *q = &e->requests[r];
    const function *f = &e->functions[q->fn];
    uint32_t id = engine_share_domain(e, q->instance);
    share_domain *d = &e->domains[id];
    if (!e->node_sharing && d->count == 0) {
        d->linear = f->spec.cpu_model == FSIM_CPU_LINEAR;
        if (d->linear) {
            d->slowdown = f->spec.slowdown_per_request;
        } else {
            d->cores = f->spec.vcpu;
        }
    }
    if (d->count == d->capacity) {
        grow(e, d);
    }
    advance(e, d);
    q->link.order = ++e->share_order;
    d->demand += fraction(q);
    sift_up(e, d, d->count++, (sharer){d->virtual_ns + (double)q->service_ns, r});
    set_speed(e, id, d);
    if (f->timeout_ns != FSIM_NEVER) {
        engine_push(e, fsim_ns_add(e->now_ns, f->timeout_ns), r, EVENT_KIND(EVENT_CUT, q->generation));
    }
}

static uint32_t place_of(share_domain *d, uint32_t r) {
    uint32_t at = 0;
    while (share_heap(d)[at].request != r) {
        at++;
    }
    return at;
}

static void take_out(const engine *e, share_domain *d, uint32_t r) {
    sharer *heap = share_heap(d);
    for (uint32_t at = place_of(d, r); at > 0; at = (at - 1u) / 2u) { /* in front of everybody */
        heap[at] = heap[(at - 1u) / 2u];
    }
    take_first(e, d);
}

static void leave_unfinished(engine *e, uint32_t id, share_domain *d, uint32_t r) {
    take_out(e, d, r);
    d->demand -= fraction(&e->requests[r]);
    if (e->cpu_uses != NULL) {
        engine_cpu_settle(e, e->requests[r].instance);
    }
    set_speed(e, id, d);
}

void engine_share_leave(engine *e, uint32_t r) {
    if (e->node_fcfs) {
        engine_cores_leave(e, r);
        return;
    }
    uint32_t id = engine_share_domain(e, e->requests[r].instance);
    share_domain *d = &e->domains[id];
    advance(e, d);
    leave_unfinished(e, id, d, r);
}

/* It has executed for as long as it may. One whose work is done at this very instant completes. */
void engine_share_cut(engine *e, uint32_t r, uint32_t generation) {
    request *q = &e->requests[r];
    if (q->generation != generation) {
        return;
    }
    if (e->options->live != NULL) {
        engine_live_cut(e, r);
        return;
    }
    if (e->node_fcfs) {
        engine_cores_cut(e, r);
        return;
    }
    uint32_t id = engine_share_domain(e, q->instance);
    share_domain *d = &e->domains[id];
    advance(e, d);
    if (share_heap(d)[place_of(d, r)].finish_work <= d->virtual_ns) {
        return;
    }
    leave_unfinished(e, id, d, r);
    q->flags |= REQUEST_CUT;
    engine_complete(e, r);
}

/* Everybody whose work is done by now leaves; less than a nanosecond of work left is done. */
void engine_share_fire(engine *e, uint32_t id, uint32_t generation) {
    share_domain *d = &e->domains[id];
    if (d->generation != generation) {
        return;
    }
    advance(e, d);
    sharer first = take_first(e, d);
    uint32_t r = first.request;
    d->virtual_ns = d->virtual_ns < first.finish_work ? first.finish_work : d->virtual_ns;
    d->demand -= fraction(&e->requests[r]);
    if (e->cpu_uses != NULL) {
        engine_cpu_settle(e, e->requests[r].instance);
    }
    set_speed(e, id, d);
    engine_complete(e, r);
}
