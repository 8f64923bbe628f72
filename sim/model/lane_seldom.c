/* What is seldom in a lane: starts and the requests that wait for them, requests that are cut off or take no
 * time, instances that expire. See lane.h. */
#include "model/lanes.h"

#include <stdlib.h>
#include <string.h>

enum { FAR = 8, NEAR = 4 }; /* events ahead whose request, whose tie is fetched */

squared_level *lanes_run_level(lanes *s) {
    return s->alone ? &s->e->functions[0].in_execution : &s->e->in_execution;
}

/* ---- memory ---- */

/* Room for one more; false: out of memory, which is noted. */
static bool reserve(lanes_pass *p, void *array, uint32_t count, uint32_t *capacity, size_t size) {
    p->failed |= !lanes_room(array, (uint64_t)count + 1u, capacity, size);
    return !p->failed;
}

static uint32_t new_request(lanes_pass *p) {
    if (p->request_free != FSIM_NONE) {
        uint32_t r = p->request_free;
        p->request_free = p->request[r].next_free;
        return r;
    }
    if (!reserve(p, &p->request, p->requests, &p->request_capacity, sizeof *p->request)) {
        return FSIM_NONE;
    }
    return p->requests++;
}

static void free_request(lanes_pass *p, uint32_t r) {
    p->request[r].state = LANE_FREE;
    p->request[r].next_free = p->request_free;
    p->request_free = r;
}

static void note(lanes *s, fsim_ns now_ns, fsim_ns at_ns, uint32_t target, uint32_t kind) {
    fsim_event_queue *queue = &s->e->queue;
    if (fsim_event_queue_is_full(queue) && !fsim_event_queue_reserve(queue, queue->capacity + 1u)) {
        s->pass.failed = true;
        return;
    }
    fsim_event_queue_push(queue, now_ns, (fsim_event){at_ns, target, kind});
}

/* The last `count` items of the ring. */
static void unroll(fsim_ns *to, const fsim_ns *ring, uint32_t tail, uint32_t count, uint32_t mask) {
    for (uint32_t k = 0; k < count; k++) {
        to[k] = ring[(tail - count + k) & mask];
    }
}

/* Every instance may be idle at once, and one place is written to in vain. */
static __attribute__((noinline)) bool grow_rings(lane *l, lane_rest *rest, uint32_t alive) {
    uint32_t capacity = l->mask + 1u;
    if (alive < capacity) {
        return true;
    }
    fsim_ns *idle = malloc(2u * (size_t)capacity * sizeof *idle);
    fsim_ns *ready_ns = malloc(2u * (size_t)capacity * sizeof *ready_ns);
    if (idle == NULL || ready_ns == NULL) {
        free(idle);
        free(ready_ns);
        return false;
    }
    unroll(idle, l->idle, l->tail, lane_idle_count(l), l->mask);
    unroll(ready_ns, rest->ready_ns, rest->ready_tail, l->ready, l->mask);
    lane_free_ring(l);
    free(rest->ready_ns);
    l->idle = idle;
    l->tail = lane_idle_count(l);
    l->mask = 2u * capacity - 1u;
    rest->ready_ns = ready_ns;
    rest->ready_tail = l->ready;
    return true;
}

/* ---- executions ---- */

static void set_ready(lane *l, uint32_t ready) {
    l->ready = ready;
    l->bound[1] = l->held ? 0 : ready;
}

static fsim_ns idle_longest_ns(const lane *l) {
    return l->idle[(l->tail - lane_idle_count(l)) & l->mask];
}

/* An execution begins, in an idle instance or in one that has just become ready: then `later` counts ends at
 * this very instant that were scheduled after it and have been served already. */
static void execution_begins(lanes *s, uint32_t fn, fsim_ns now_ns, bool idle, uint32_t later) {
    lane *l = &s->lane[fn];
    squared_level *run = lanes_run_level(s);
    squared_enter(run, now_ns);
    if (s->alone && run->level.n + later > run->level.peak) {
        run->level.peak = run->level.n + later;
    }
    l->square_acc -= (fsim_wide)(2u * (uint64_t)l->executing + 1u) * now_ns;
    l->executing++;
    if (!idle) {
        set_ready(l, l->ready + 1u);
    } else if (l->newest) {
        l->tail--;
    }
    uint32_t most = l->executing + later;
    l->executing_peak = most > l->executing_peak ? most : l->executing_peak;
}

/* One look at the oldest idle instance is in the queue, or the next that becomes idle puts it there. */
static void execution_ends(lanes *s, uint32_t fn, fsim_ns now_ns) {
    lane *l = &s->lane[fn];
    squared_leave(lanes_run_level(s), now_ns);
    l->square_acc += (fsim_wide)(2u * (uint64_t)l->executing - 1u) * now_ns;
    l->executing--;
    l->idle[l->tail++ & l->mask] = now_ns;
    if (l->bound[0] == 0) {
        l->bound[0] = UINT32_MAX;
        note(s, now_ns, now_ns + s->rest[fn].window_ns + 1, fn, LANES_EXPIRY);
    }
}

static collector *histograms(lanes *s, tally *t) {
    return t->hist.direct == s->e->shared_hist.direct ? &s->pass.shared : &t->hist;
}

/* The request executes. */
static void begin(lanes *s, uint32_t r, fsim_ns now_ns, bool idle, uint32_t later) {
    lane_request *q = &s->pass.request[r];
    const function *f = &s->e->functions[q->fn];
    tally *t = &s->e->tallies[q->fn];
    q->state = LANE_EXECUTING;
    q->begin_ns = now_ns;
    q->cut = q->service_ns > f->timeout_ns;
    execution_begins(s, q->fn, now_ns, idle, later);
    s->rest[q->fn].executing_acc -= now_ns;
    if (q->cold) {
        fsim_ns wait_ns = now_ns - q->arrival_ns;
        engine_spans_add(&t->wait, wait_ns);
        fsim_histogram_add(histograms(s, t)->wait, wait_ns);
        t->waited_count += wait_ns > 0;
    } else {
        t->begun_direct++;
    }
    note(s, now_ns, fsim_ns_add(now_ns, q->cut ? f->timeout_ns : q->service_ns), r, LANES_END);
}

static void meter_request(const engine *e, function *f, const lane_request *q, fsim_ns end_ns) {
    uint64_t span_ns = (uint64_t)(end_ns - q->begin_ns);
    fsim_ns init_ns = q->cold ? q->begin_ns - q->arrival_ns : 0;
    if (init_ns != 0) {
        fsim_meter_init(&f->usage, (uint64_t)init_ns);
    }
    fsim_meter_request(&e->plan, &f->usage, span_ns, (uint64_t)init_ns, false);
    f->usage.threshold_mem_ms += fsim_meter_ceil_ms(span_ns);
}

static void count_end(lanes *s, const lane_request *q, fsim_ns now_ns) {
    lanes_pass *p = &s->pass;
    tally *t = &s->e->tallies[q->fn];
    collector *hist = histograms(s, t);
    fsim_ns service_ns = now_ns - q->begin_ns, latency_ns = now_ns - q->arrival_ns;
    t->n.completed++;
    s->e->seen.completed++;
    engine_spans_add(q->cold ? &t->cold : &t->direct, latency_ns);
    if (q->cold) {
        fsim_histogram_add(hist->latency_cold, latency_ns);
        engine_spans_add(&t->service, service_ns);
        fsim_histogram_add(hist->service, service_ns);
    } else if (reserve(p, &p->direct, p->directs, &p->direct_capacity, sizeof *p->direct)) {
        p->direct[p->directs++] = (lanes_duration){latency_ns, q->fn};
    }
}

static void on_end(lanes *s, uint32_t r, fsim_ns now_ns) {
    engine *e = s->e;
    const lane_request *q = &s->pass.request[r];
    execution_ends(s, q->fn, now_ns);
    s->rest[q->fn].executing_acc += now_ns;
    if (q->cut) {
        e->tallies[q->fn].n.failed++;
    } else {
        count_end(s, q, now_ns);
    }
    if (e->metering) {
        meter_request(e, &e->functions[q->fn], q, now_ns);
    }
    e->digest +=
        engine_mix((uint64_t)q->arrival_ns, q->fn, (uint64_t)now_ns, q->cut ? FSIM_FAILED : FSIM_COMPLETED);
    s->pass.open--;
    free_request(&s->pass, r);
}

/* ---- instances ---- */

void lanes_hold(lanes *s, uint32_t fn, bool on) {
    s->lane[fn].held = on;
    set_ready(&s->lane[fn], s->lane[fn].ready);
}

/* Ends of the warm requests since it was last done, for those who wait; b: the block that is followed. */
static void remember(lanes *s, const lanes_block *b, uint32_t fn) {
    lane_rest *rest = &s->rest[fn];
    uint32_t from = rest->tied, to = s->lane[fn].seen;
    rest->tied = to;
    if (from == to || s->e->functions[fn].starting.n == 0) {
        return;
    }
    lanes_columns of = lanes_columns_of(s, b, fn);
    for (from -= of.span->before, to -= of.span->before; from < to; from++) {
        s->pass.failed |= !lane_ties_add(&s->pass.ties, fn, of.at_ns[from] + of.service_ns[from]);
    }
}

void lanes_remember(lanes *s, const lanes_block *b) {
    const lane_ties *ties = &s->pass.ties;
    for (uint32_t k = 0; k < ties->capacity && ties->count != 0; k++) {
        if (ties->tie[k].waiting != 0) {
            remember(s, b, ties->tie[k].fn);
        }
    }
}

static void on_ready(lanes *s, uint32_t r, fsim_ns now_ns, uint32_t later) {
    lane_request *q = &s->pass.request[r];
    function *f = &s->e->functions[q->fn];
    lane_rest *rest = &s->rest[q->fn];
    level_leave(&f->starting, now_ns);
    level_leave(&s->e->starting, now_ns);
    rest->ready_ns[rest->ready_tail++ & s->lane[q->fn].mask] = now_ns;
    if (s->e->metering) {
        f->usage.starting_ns += (uint64_t)(now_ns - q->arrival_ns);
    }
    if (f->spec.cold_total) {
        q->service_ns = fsim_dist_sample(&f->spec.cold_start, &f->rng_cold);
    }
    begin(s, r, now_ns, false, later);
}

static void on_ready_in_time(lanes *s, const lanes_block *b, uint32_t r, fsim_ns now_ns) {
    const lane_request *q = &s->pass.request[r];
    remember(s, b, q->fn);
    uint32_t later = (uint32_t)lane_ties_close(&s->pass.ties, q->fn, now_ns, q->ends);
    on_ready(s, r, now_ns, later);
}

static void start(lanes *s, uint32_t r, fsim_ns now_ns) {
    engine *e = s->e;
    lanes_pass *p = &s->pass;
    lane_request *q = &p->request[r];
    function *f = &e->functions[q->fn];
    tally *t = &e->tallies[q->fn];
    t->n.cold_triggered++;
    t->n.cold_affected++;
    t->n.started++;
    e->seen.cold++;
    f->usage.instances_started++;
    f->alive++;
    f->alive_peak = f->alive > f->alive_peak ? f->alive : f->alive_peak;
    if (++e->alive > e->alive_peak) {
        e->alive_peak = e->alive;
        e->growth_at_ns = now_ns;
    }
    p->failed |= !grow_rings(&s->lane[q->fn], &s->rest[q->fn], f->alive);
    level_enter(&f->present, now_ns);
    level_enter(&e->present, now_ns);
    level_enter(&f->starting, now_ns);
    level_enter(&e->starting, now_ns);
    q->state = LANE_STARTING;
    fsim_ns ready_ns = now_ns;
    if (!f->spec.cold_total) { /* else the draw covers start and service */
        ready_ns = fsim_ns_add(now_ns, engine_draw_cold_start(e, f, true));
    }
    if (ready_ns == now_ns) {
        on_ready(s, r, now_ns, 0);
        return;
    }
    p->failed |= !lane_ties_open(&p->ties, q->fn, ready_ns, &q->ends);
    note(s, now_ns, ready_ns, r, LANES_READY);
}

/* One that is there is gone. What part of its life it was busy is known for all of them together. */
static void meter_life(lanes *s, uint32_t fn, fsim_ns end_ns) {
    lane *l = &s->lane[fn];
    const lane_rest *rest = &s->rest[fn];
    uint64_t resident_ns = (uint64_t)(end_ns - rest->ready_ns[(rest->ready_tail - l->ready) & l->mask]);
    set_ready(l, l->ready - 1u);
    if (s->e->metering) {
        fsim_meter_instance(&s->e->plan, &s->e->functions[fn].usage, 0, resident_ns, resident_ns);
    }
}

static void remove_oldest(lanes *s, uint32_t fn) {
    lane *l = &s->lane[fn];
    function *f = &s->e->functions[fn];
    fsim_ns due_ns = idle_longest_ns(l) + s->rest[fn].window_ns;
    level_leave(&f->present, due_ns);
    level_leave(&s->e->present, due_ns);
    meter_life(s, fn, due_ns);
    s->e->tallies[fn].n.removed++;
    f->alive--;
    s->e->alive--;
}

/* Instances whose idle time exceeds the window. */
static void on_expiry(lanes *s, uint32_t fn, fsim_ns now_ns) {
    lane *l = &s->lane[fn];
    fsim_ns window_ns = s->rest[fn].window_ns;
    while (lane_idle_count(l) != 0 && idle_longest_ns(l) + window_ns < now_ns) {
        remove_oldest(s, fn);
    }
    if (lane_idle_count(l) != 0) {
        note(s, now_ns, idle_longest_ns(l) + window_ns + 1, fn, LANES_EXPIRY);
    } else {
        l->bound[0] = 0;
    }
}

/* Starts and ends come in another order than their requests came in. */
static void fetch_ahead(const lanes *s) {
    const lanes_pass *p = &s->pass;
    const fsim_event *far = fsim_event_queue_peek(&s->e->queue, FAR);
    const fsim_event *near = fsim_event_queue_peek(&s->e->queue, NEAR);
    if (far != NULL && far->kind != LANES_EXPIRY) {
        __builtin_prefetch(&p->request[far->target], 1);
    }
    if (near != NULL && near->kind == LANES_READY) {
        lane_ties_fetch(&p->ties, p->request[near->target].fn, near->at_ns);
    }
}

void lanes_happen(lanes *s, const lanes_block *b, fsim_event event) {
    fetch_ahead(s);
    switch (event.kind) {
    case LANES_READY: on_ready_in_time(s, b, event.target, event.at_ns); break;
    case LANES_END: on_end(s, event.target, event.at_ns); break;
    default: on_expiry(s, event.target, event.at_ns); break;
    }
}

/* ---- a request that goes the long way ---- */

/* It was counted as warm, and will not end when it was supposed to. */
static void note_undone(lanes *s, uint32_t fn, fsim_ns at_ns, fsim_ns service_ns) {
    lanes_pass *p = &s->pass;
    s->e->digest -= engine_mix((uint64_t)at_ns, fn, (uint64_t)(at_ns + service_ns), FSIM_COMPLETED);
    p->failed |= !lane_struck_push(&p->struck, (lane_strike){at_ns + service_ns, fn});
    if (reserve(p, &p->undone, p->undones, &p->undone_capacity, sizeof *p->undone)) {
        p->undone[p->undones++] = (lanes_duration){service_ns, fn};
    }
}

void lanes_arrive(lanes *s, lanes_block *b, uint32_t fn, fsim_ns at_ns) {
    lanes_pass *p = &s->pass;
    lane *l = &s->lane[fn];
    lanes_columns of = lanes_columns_of(s, b, fn);
    uint32_t place = l->seen - of.span->before;
    fsim_ns service_ns = of.service_ns[place];
    bool whole = lanes_is_whole(s, &s->e->functions[fn], at_ns, service_ns), warm = lane_idle_count(l) != 0;
    fsim_check(place < of.span->count);
    s->e->seen.arrived++;
    if (warm && whole) { /* as any other */
        l->seen++;
        execution_begins(s, fn, at_ns, true, 0);
        return;
    }
    remember(s, b, fn);
    s->rest[fn].tied = ++l->seen; /* this one ends by the queue */
    uint32_t r = new_request(p);
    if (r == FSIM_NONE) {
        return;
    }
    p->request[r] = (lane_request){.arrival_ns = at_ns, .service_ns = service_ns, .fn = fn, .cold = !warm};
    p->open++;
    s->e->tallies[fn].n.arrived++;
    of.service_ns[place] = 0;
    of.span->long_way = true;
    if (whole) {
        note_undone(s, fn, at_ns, service_ns);
    }
    if (warm) {
        begin(s, r, at_ns, true, 0);
    } else {
        start(s, r, at_ns);
    }
}

void lanes_leave(lanes *s, uint32_t fn, fsim_ns at_ns) {
    s->e->seen.completed++;
    execution_ends(s, fn, at_ns);
}

/* ---- the function ---- */

bool lane_fits(const engine *e, const function *f) {
    return f->fast && e->early && f->scale.on_demand && !f->scale.fixed &&
           f->spec.max_instances == FSIM_UNLIMITED && !f->window_drawn &&
           !f->keepalive.remove_at_completion && f->removable_min == 0 && f->start_limiter.limit == NULL &&
           f->cpu_rule.more == NULL;
}

bool lane_init(lane *l, lane_rest *rest, const engine *e, const function *f) {
    memset(l, 0, sizeof *l);
    memset(rest, 0, sizeof *rest);
    l->bound[0] = f->window_ns < FSIM_NEVER / 2 ? 0 : UINT32_MAX;
    l->newest = f->fleet[0].order == FSIM_ROUTE_NEWEST_IDLE;
    rest->window_ns = f->window_ns;
    rest->least_ns = FSIM_NEVER;
    rest->sums.hist = e->tallies[f - e->functions].hist.direct;
    rest->shares = rest->sums.hist == e->shared_hist.direct;
    l->idle = l->few;
    l->mask = LANE_FEW - 1u;
    rest->ready_ns = malloc(LANE_FEW * sizeof *rest->ready_ns);
    return rest->ready_ns != NULL;
}

void lane_free_ring(lane *l) {
    if (l->mask >= LANE_FEW) {
        free(l->idle);
    }
}

void lane_moved(lane *l) {
    l->idle = l->mask < LANE_FEW ? l->few : l->idle;
}

/* ---- the end ---- */

/* The run ends while the request starts or executes. */
static void finish_request(lanes *s, const lane_request *q, fsim_ns end_ns) {
    engine *e = s->e;
    function *f = &e->functions[q->fn];
    e->tallies[q->fn].n.in_system_at_end++;
    if (!e->metering) {
        return;
    }
    if (q->state == LANE_EXECUTING) {
        meter_request(e, f, q, end_ns);
        return;
    }
    f->usage.starting_ns += (uint64_t)(end_ns - q->arrival_ns);
    if (end_ns > q->arrival_ns) { /* for the request that waits for it */
        fsim_meter_init_cut(&e->plan, &f->usage, (uint64_t)(end_ns - q->arrival_ns));
    }
}

/* All requests use CPU at one rate, so that every window with a request in it is decided the same way, and
 * what is active adds up to what is inside instances. */
static void meter_function(function *f, const lane_rest *rest) {
    const short_sums *sums = &rest->sums;
    fsim_usage *usage = &f->usage;
    uint64_t mem_ms = usage->threshold_mem_ms + sums->cpu_mem_ms;
    fsim_u128 busy_ns = usage->request_ns + sums->span_ns;
    usage->idle_ns -= busy_ns;
    usage->threshold_cpu_ms = fsim_cpu_rule_active(&f->cpu_rule, f->rate_ucore, 1) ? mem_ms : 0;
    usage->cpu_ucore_ns = busy_ns * f->rate_ucore;
}

void lanes_finish(lanes *s, fsim_ns end_ns) {
    engine *e = s->e;
    for (uint32_t r = 0; r < s->pass.requests; r++) {
        if (s->pass.request[r].state != LANE_FREE) {
            finish_request(s, &s->pass.request[r], end_ns);
        }
    }
    for (uint32_t fn = 0; fn < s->count; fn++) {
        function *f = &e->functions[fn];
        lane *l = &s->lane[fn];
        const lane_rest *rest = &s->rest[fn];
        while (l->ready != 0) {
            meter_life(s, fn, end_ns);
        }
        if (e->metering) {
            meter_function(f, rest);
        }
        if (!s->alone) {
            f->in_execution.level = (level){.acc = rest->executing_acc + (fsim_wide)rest->sums.span_ns,
                                            .n = l->executing,
                                            .peak = l->executing_peak};
            f->in_execution.square_acc = l->square_acc;
        }
        f->sums = rest->sums;
        f->sums.span_min_ns = rest->least_ns;
        f->sums.span_max_ns = rest->most_ns;
        e->digest += rest->digest;
    }
}
