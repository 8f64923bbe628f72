/* One function at a time; see lane.h. The loop of the warm requests stands first, then what is seldom. */
#include "model/lane.h"

#include <stdlib.h>
#include <string.h>

/* The loop is made once for each kind of lane; its parts are inlined so that what moves stays in registers.
 */
#define PART static inline __attribute__((always_inline))

enum {
    PENDING_FIRST = 7,
    PENDING_MAX = 63, /* more: a queue, which costs more to have and less to enter */
    CHUNK = 64,       /* requests that are added up together */
    NEAR = 4          /* events ahead whose instance is fetched */
};

static void note(lane_context *c, fsim_ns at_ns, lane_change what) {
    lane_changes *changes = &c->changes;
    fsim_check(changes->count < changes->capacity && at_ns >= changes->from_ns);
    changes->word[changes->count++] =
        (uint64_t)(at_ns - changes->from_ns) << LANE_CHANGE_BITS | (uint64_t)what;
}

/* What a function alone has changed for the run as a whole, and otherwise a note of it. */
static void change(lane_context *c, fsim_ns at_ns, lane_change what) {
    if (c->alone) {
        lanes_apply(c->e, at_ns, what);
    } else {
        note(c, at_ns, what);
    }
}

/* The function's, or those of the many that have none of their own: each thread's. */
static collector *histograms(lane_context *c, tally *t) {
    return t->hist.direct == c->e->shared_hist.direct ? &c->shared : &t->hist;
}

/* ---- the warm requests ---- */

/* What of a lane the loop moves. */
typedef struct hot {
    fsim_event *pending;
    fsim_event_queue *queue;
    lane_idle *idle;
    lane_instance *instances;
    uint64_t *word;
    uint32_t head, tail, idle_head, idle_tail, idle_mask;
    uint32_t words;
    squared_level executing;
    uint64_t cpu_mem_ms, completed;
} hot;

PART void open_hot(hot *h, const lane *l, const lane_context *c) {
    h->pending = l->pending;
    h->queue = l->queue;
    h->idle = l->idle;
    h->instances = l->instances;
    h->head = l->head;
    h->tail = l->tail;
    h->idle_head = l->idle_head;
    h->idle_tail = l->idle_tail;
    h->idle_mask = l->idle_mask;
    h->executing = l->executing;
    h->word = c->changes.word;
    h->words = c->changes.count;
    h->cpu_mem_ms = h->completed = 0;
}

PART void close_hot(const hot *h, lane *l, lane_context *c, bool alone) {
    l->head = h->head;
    l->tail = h->tail;
    l->idle_head = h->idle_head;
    l->idle_tail = h->idle_tail;
    l->executing = h->executing;
    l->sums.cpu_mem_ms += h->cpu_mem_ms;
    if (alone) {
        c->e->seen.completed += h->completed;
    } else {
        c->changes.count = h->words;
    }
}

PART fsim_ns next_ns(const hot *h, bool big) {
    return big ? fsim_event_queue_next_ns(h->queue) : h->pending[h->head].at_ns;
}

/* The head ends a warm request: its instance is idle. False: it is another event. */
PART bool free_next(hot *h, const lane_context *c, bool big, bool alone) {
    fsim_event event;
    if (big) {
        if (fsim_event_queue_peek(h->queue, 0)->kind != LANE_EVENT_DONE) {
            return false;
        }
        event = fsim_event_queue_pop(h->queue);
        const fsim_event *near = fsim_event_queue_peek(h->queue, NEAR);
        if (near != NULL) {
            __builtin_prefetch(&h->instances[near->target], 1);
        }
    } else {
        event = h->pending[h->head];
        if (event.kind != LANE_EVENT_DONE) {
            return false;
        }
        h->head++;
    }
    squared_leave(&h->executing, event.at_ns);
    h->idle[h->idle_tail++ & h->idle_mask] = (lane_idle){event.at_ns, event.target};
    if (alone) {
        h->completed++;
    } else {
        h->word[h->words++] = (uint64_t)(event.at_ns - c->changes.from_ns) << LANE_CHANGE_BITS | LANE_LEAVE;
    }
    return true;
}

PART void push_pending(fsim_event *pending, uint32_t head, uint32_t *tail, fsim_event event) {
    uint32_t at = (*tail)++;
    pending[at + 1u].at_ns = FSIM_NEVER;
    while (at > head && pending[at - 1u].at_ns > event.at_ns) {
        pending[at] = pending[at - 1u];
        at--;
    }
    pending[at] = event;
}

/* What has left the array's front makes room at its end, if it is worth it. */
PART void move_down(hot *h) {
    uint32_t count = h->tail - h->head;
    if (count <= h->head) {
        memmove(h->pending, h->pending + h->head, (count + 1u) * sizeof *h->pending);
        h->head = 0;
        h->tail = count;
    }
}

static __attribute__((noinline)) void meter_windows(function *f, fsim_cpu_meter *meter, fsim_ns from_ns,
                                                    fsim_ns to_ns, uint32_t rate_ucore) {
    fsim_cpu_meter_span(meter, &f->cpu_rule, &f->usage, from_ns, to_ns, rate_ucore);
}

/* Serves arrivals from `first` on while they are warm, whole before the end of the run and within what is
 * reserved; returns the first that is not. */
PART uint32_t serve_warm(lane_context *c, lane *l, function *f, const lane_arrivals *a, uint32_t first,
                         bool big, bool alone, bool windows) {
    hot h;
    open_hot(&h, l, c);
    fsim_ns window_ns = l->window_ns, until_ns = c->until_ns, timeout_ns = f->timeout_ns;
    uint32_t k = first, pending_end = l->pending_capacity;
    bool newest = l->newest;
    for (; k < a->count; k++) {
        fsim_ns at_ns = a->at_ns[k], service_ns = a->service_ns[k];
        bool other = false;
        while (next_ns(&h, big) <= at_ns && !other) {
            other = !free_next(&h, c, big, alone);
        }
        if (!big && h.tail == pending_end) {
            move_down(&h);
        }
        if (other || h.idle_head == h.idle_tail ||
            h.idle[h.idle_head & h.idle_mask].since_ns + window_ns < at_ns || service_ns > timeout_ns ||
            service_ns <= 0 || service_ns > until_ns - at_ns ||
            (big ? fsim_event_queue_is_full(h.queue) : h.tail == pending_end)) {
            break;
        }
        fsim_ns end_ns = at_ns + service_ns;
        uint32_t i = h.idle[(newest ? --h.idle_tail : h.idle_head++) & h.idle_mask].instance;
        squared_enter(&h.executing, at_ns);
        if (!alone) {
            h.word[h.words++] = (uint64_t)(at_ns - c->changes.from_ns) << LANE_CHANGE_BITS | LANE_ENTER;
        }
        if (windows) {
            lane_instance *in = &h.instances[i];
            uint32_t rate_ucore = a->rate_ucore == NULL ? f->rate_ucore : a->rate_ucore[k];
            in->active_ns += service_ns;
            if (fsim_cpu_meter_fits(&in->meter, &f->cpu_rule, at_ns, end_ns)) {
                h.cpu_mem_ms += fsim_cpu_meter_add(&in->meter, (uint64_t)service_ns, rate_ucore);
            } else {
                meter_windows(f, &in->meter, at_ns, end_ns, rate_ucore);
            }
        }
        fsim_event done = {end_ns, i, LANE_EVENT_DONE};
        if (big) {
            fsim_event_queue_push(h.queue, at_ns, done);
        } else {
            push_pending(h.pending, h.head, &h.tail, done);
        }
    }
    close_hot(&h, l, c, alone);
    return k;
}

/* The function's own part of what warm requests leave behind: the histogram's lines are asked for first, and
 * meanwhile what needs nothing but the columns is summed. At most CHUNK of them. */
PART void add_up(short_sums *sums, uint32_t fn, const fsim_ns *at_ns, const fsim_ns *service_ns,
                 uint32_t count, uint64_t *digest, fsim_ns *last_end_ns) {
    uint32_t bucket[CHUNK];
    for (uint32_t k = 0; k < count; k++) {
        bucket[k] = fsim_histogram_bucket(service_ns[k]);
        __builtin_prefetch(&sums->hist->count[bucket[k]], 1);
    }
    uint64_t sum = 0, least = sums->span_min_ns, most = sums->span_max_ns, mixed = 0;
    fsim_ns last_ns = *last_end_ns;
    for (uint32_t k = 0; k < count; k++) {
        uint64_t span = (uint64_t)service_ns[k];
        fsim_ns end_ns = at_ns[k] + service_ns[k];
        sum += span;
        least = span < least ? span : least;
        most = span > most ? span : most;
        last_ns = end_ns > last_ns ? end_ns : last_ns;
        mixed += engine_mix((uint64_t)at_ns[k], fn, (uint64_t)end_ns, FSIM_COMPLETED);
    }
    for (uint32_t k = 0; k < count; k++) {
        sums->hist->count[bucket[k]]++;
    }
    sums->span_ns += sum;
    sums->span_min_ns = least;
    sums->span_max_ns = most;
    *digest += mixed;
    *last_end_ns = last_ns;
}

/* Spans above 0. One step at the least is what most rules ask for, and then the steps may be summed. */
static uint64_t add_billed(const fsim_meter_rule *rule, const fsim_ns *service_ns, uint32_t count) {
    const fsim_meter_rule local = *rule;
    uint64_t sum = 0;
    if (local.least_ms <= local.step_ms) {
        for (uint32_t k = 0; k < count; k++) {
            sum += fsim_meter_steps(&local, (uint64_t)service_ns[k]);
        }
        return sum * local.step_ms;
    }
    for (uint32_t k = 0; k < count; k++) {
        sum += fsim_meter_billed_ms(&local, (uint64_t)service_ns[k]);
    }
    return sum;
}

/* Statistics and meters of warm requests, each a loop that keeps the processor busy. */
static void account(const lane_context *c, uint32_t fn, lane *l, const fsim_ns *at_ns,
                    const fsim_ns *service_ns, uint32_t count) {
    const engine *e = c->e;
    short_sums *sums = &l->sums;
    for (uint32_t k = 0; k < count; k += CHUNK) {
        add_up(sums, fn, at_ns + k, service_ns + k, count - k < CHUNK ? count - k : CHUNK, &l->digest,
               &l->last_end_ns);
    }
    for (uint32_t j = 0; e->metering && j < e->plan.request.count; j++) {
        uint64_t billed_ms = add_billed(&e->plan.request.rule[j], service_ns, count);
        sums->billed_ms[j] += billed_ms;
        if (j == 0 && !c->windows) { /* to 1 ms, as memory in active windows is */
            sums->cpu_mem_ms += billed_ms;
        }
    }
    sums->arrived += count;
    sums->completed += count;
}

/* ---- room ---- */

static __attribute__((noinline)) bool grow_pending(lane *l) {
    uint32_t count = l->tail - l->head;
    memmove(l->pending, l->pending + l->head, (count + 1u) * sizeof *l->pending);
    l->head = 0;
    l->tail = count;
    if (2u * count <= l->pending_capacity) {
        return true;
    }
    if (l->pending_capacity < PENDING_MAX) {
        uint32_t capacity = 2u * l->pending_capacity + 1u;
        fsim_event *larger = realloc(l->pending, (capacity + 1u) * sizeof *larger);
        if (larger == NULL) {
            return false;
        }
        l->pending = larger;
        l->pending_capacity = capacity;
        return true;
    }
    l->queue = malloc(sizeof *l->queue);
    if (l->queue == NULL || !fsim_event_queue_init(l->queue, 4u * count)) {
        free(l->queue);
        l->queue = NULL;
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        fsim_event_queue_push(l->queue, l->pending[0].at_ns, l->pending[i]);
    }
    l->tail = 0;
    l->pending[0].at_ns = FSIM_NEVER;
    return true;
}

/* Room for one event more. */
static bool reserve_event(lane *l) {
    if (l->queue != NULL) {
        return !fsim_event_queue_is_full(l->queue) ||
               fsim_event_queue_reserve(l->queue, l->queue->capacity + 1u);
    }
    return l->tail < l->pending_capacity || grow_pending(l);
}

static void push(lane_context *c, lane *l, fsim_ns now_ns, fsim_event event) {
    if (!reserve_event(l)) {
        c->failed = true;
    } else if (l->queue != NULL) {
        fsim_event_queue_push(l->queue, now_ns, event);
    } else {
        push_pending(l->pending, l->head, &l->tail, event);
    }
}

/* Every instance may be idle at once. */
static __attribute__((noinline)) bool grow_instances(lane *l) {
    uint32_t capacity = l->instance_capacity == 0 ? 2u : 2u * l->instance_capacity;
    lane_instance *instances = aligned_alloc(64, capacity * sizeof *instances);
    lane_idle *idle = malloc(capacity * sizeof *idle);
    if (instances == NULL || idle == NULL) {
        free(instances);
        free(idle);
        return false;
    }
    if (l->instance_capacity != 0) {
        memcpy(instances, l->instances, l->instance_capacity * sizeof *instances);
    }
    uint32_t count = l->idle_tail - l->idle_head;
    for (uint32_t k = 0; k < count; k++) {
        idle[k] = l->idle[(l->idle_head + k) & l->idle_mask];
    }
    free(l->instances);
    free(l->idle);
    l->instances = instances;
    l->idle = idle;
    l->idle_head = 0;
    l->idle_tail = count;
    l->idle_mask = capacity - 1u;
    l->instance_capacity = capacity;
    return true;
}

static __attribute__((noinline)) bool grow_changes(lane_changes *changes, uint64_t need) {
    uint64_t capacity = 2u * need;
    uint64_t *word = capacity > UINT32_MAX ? NULL : realloc(changes->word, capacity * sizeof *word);
    if (word == NULL) {
        return false;
    }
    changes->word = word;
    changes->capacity = (uint32_t)capacity;
    return true;
}

/* A request notes at most four changes and an instance that is there before it three. */
static bool reserve_changes(lane_context *c, const lane *l, uint32_t requests) {
    uint64_t need = (uint64_t)c->changes.count + 4u * (uint64_t)requests + 3u * (uint64_t)l->instance_count;
    return c->alone || need <= c->changes.capacity || grow_changes(&c->changes, need);
}

/* ---- what is seldom: starts, first requests, cut ones, removals ---- */

static uint32_t take_instance(lane *l) {
    if (l->free_instance == FSIM_NONE) {
        return l->instance_count++;
    }
    uint32_t i = l->free_instance;
    l->free_instance = l->instances[i].rate_ucore;
    return i;
}

/* When the request in the instance ends if it begins then. */
static fsim_ns expect_end(lane *l, const function *f, const lane_instance *in, fsim_ns begin_ns) {
    fsim_ns span_ns = in->service_ns < f->timeout_ns ? in->service_ns : f->timeout_ns;
    fsim_ns end_ns = fsim_ns_add(begin_ns, span_ns);
    l->last_end_ns = end_ns > l->last_end_ns ? end_ns : l->last_end_ns;
    return end_ns;
}

/* The request in the instance begins. */
static void begin(lane_context *c, lane *l, function *f, uint32_t i, fsim_ns now_ns) {
    lane_instance *in = &l->instances[i];
    tally *t = &c->e->tallies[f - c->e->functions];
    in->state = LANE_EXECUTING;
    in->begin_ns = now_ns;
    squared_enter(&l->executing, now_ns);
    if (in->cold) {
        fsim_ns wait_ns = now_ns - in->arrival_ns;
        engine_spans_add(&t->wait, wait_ns);
        fsim_histogram_add(histograms(c, t)->wait, wait_ns);
        t->waited_count += wait_ns > 0;
    } else {
        t->begun_direct++;
    }
    in->cut = in->service_ns > f->timeout_ns;
    push(c, l, now_ns, (fsim_event){expect_end(l, f, in, now_ns), i, LANE_EVENT_END});
}

static void meter_end(const lane_context *c, function *f, lane_instance *in, fsim_ns at_ns) {
    fsim_ns resident_ns = at_ns - in->ready_ns;
    if (c->windows) {
        fsim_cpu_meter_close(&in->meter, &f->cpu_rule, &f->usage);
    }
    fsim_meter_instance(&c->e->plan, &f->usage, (uint64_t)(in->ready_ns - in->started_ns),
                        (uint64_t)resident_ns, (uint64_t)(resident_ns - in->active_ns));
}

static void remove_oldest(lane_context *c, lane *l, function *f) {
    lane_idle oldest = l->idle[l->idle_head++ & l->idle_mask];
    lane_instance *in = &l->instances[oldest.instance];
    fsim_ns due_ns = oldest.since_ns + l->window_ns;
    level_leave(&f->present, due_ns);
    change(c, due_ns + 1, LANE_REMOVED);
    if (c->e->metering) {
        meter_end(c, f, in, due_ns);
    }
    c->e->tallies[f - c->e->functions].n.removed++;
    f->alive--;
    in->state = LANE_FREE;
    in->rate_ucore = l->free_instance;
    l->free_instance = oldest.instance;
}

/* Instances whose idle time has exceeded the window before now_ns. */
static void expire(lane_context *c, lane *l, function *f, fsim_ns now_ns) {
    while (l->idle_head != l->idle_tail &&
           l->idle[l->idle_head & l->idle_mask].since_ns + l->window_ns < now_ns) {
        remove_oldest(c, l, f);
    }
}

static void on_ready(lane_context *c, lane *l, function *f, uint32_t i, fsim_ns now_ns) {
    lane_instance *in = &l->instances[i];
    level_leave(&f->starting, now_ns);
    in->ready_ns = now_ns;
    if (c->windows) {
        fsim_cpu_meter_open(&in->meter, &f->cpu_rule, now_ns, now_ns);
    }
    if (f->spec.cold_total) {
        in->service_ns = fsim_dist_sample(&f->spec.cold_start, &f->rng_cold);
    }
    change(c, now_ns, LANE_READY);
    begin(c, l, f, i, now_ns);
}

static void start(lane_context *c, lane *l, function *f, uint32_t i, fsim_ns now_ns) {
    engine *e = c->e;
    lane_instance *in = &l->instances[i];
    tally *t = &e->tallies[f - e->functions];
    t->n.cold_triggered++;
    t->n.cold_affected++;
    t->n.started++;
    f->usage.instances_started++;
    f->alive++;
    f->alive_peak = f->alive > f->alive_peak ? f->alive : f->alive_peak;
    level_enter(&f->present, now_ns);
    level_enter(&f->starting, now_ns);
    change(c, now_ns, LANE_COLD);
    in->state = LANE_STARTING;
    in->started_ns = now_ns;
    in->active_ns = 0;
    fsim_ns ready_ns = now_ns;
    if (!f->spec.cold_total) { /* else the draw covers start and service */
        ready_ns = fsim_ns_add(now_ns, engine_draw_cold_start(e, f, true));
    }
    if (ready_ns == now_ns) {
        on_ready(c, l, f, i, now_ns);
    } else {
        expect_end(l, f, in, ready_ns);
        push(c, l, now_ns, (fsim_event){ready_ns, i, LANE_EVENT_READY});
    }
}

static void meter_request(const lane_context *c, function *f, lane_instance *in, fsim_ns end_ns) {
    uint64_t span_ns = (uint64_t)(end_ns - in->begin_ns);
    fsim_ns init_ns = in->cold ? in->ready_ns - in->started_ns : 0;
    if (init_ns != 0) {
        fsim_meter_init(&f->usage, (uint64_t)init_ns);
    }
    fsim_meter_request(&c->e->plan, &f->usage, span_ns, (uint64_t)init_ns, false);
    if (c->windows) {
        fsim_cpu_meter_span(&in->meter, &f->cpu_rule, &f->usage, in->begin_ns, end_ns, in->rate_ucore);
        in->active_ns += end_ns - in->begin_ns;
    } else {
        f->usage.threshold_mem_ms += fsim_meter_ceil_ms(span_ns);
    }
}

/* Without windows: all requests use CPU at one rate, so that every window with a request in it is decided the
 * same way, and what is active adds up to what is inside instances. */
static void meter_uniform(function *f, const short_sums *sums) {
    fsim_usage *usage = &f->usage;
    uint64_t mem_ms = usage->threshold_mem_ms + sums->cpu_mem_ms;
    fsim_u128 busy_ns = usage->request_ns + sums->span_ns;
    usage->threshold_cpu_ms = fsim_cpu_rule_active(&f->cpu_rule, f->rate_ucore, 1) ? mem_ms : 0;
    usage->cpu_ucore_ns = busy_ns * f->rate_ucore;
    usage->idle_ns -= busy_ns;
}

static void on_end(lane_context *c, lane *l, function *f, uint32_t i, fsim_ns now_ns) {
    engine *e = c->e;
    uint32_t fn = (uint32_t)(f - e->functions);
    tally *t = &e->tallies[fn];
    lane_instance *in = &l->instances[i];
    fsim_ns service_ns = now_ns - in->begin_ns, latency_ns = now_ns - in->arrival_ns;
    squared_leave(&l->executing, now_ns);
    if (service_ns == 0) {
        change(c, now_ns, in->cut ? LANE_FAIL_AT_ONCE : LANE_LEAVE_AT_ONCE);
    } else {
        change(c, now_ns, in->cut ? LANE_FAIL : LANE_LEAVE);
    }
    if (in->cut) {
        t->n.failed++;
    } else {
        collector *hist = histograms(c, t);
        t->n.completed++;
        engine_spans_add(in->cold ? &t->cold : &t->direct, latency_ns);
        fsim_histogram_add(in->cold ? hist->latency_cold : hist->direct, latency_ns);
        if (in->cold) {
            engine_spans_add(&t->service, service_ns);
            fsim_histogram_add(hist->service, service_ns);
        }
    }
    if (e->metering) {
        meter_request(c, f, in, now_ns);
    }
    l->digest +=
        engine_mix((uint64_t)in->arrival_ns, fn, (uint64_t)now_ns, in->cut ? FSIM_FAILED : FSIM_COMPLETED);
    in->state = LANE_IDLE;
    l->idle[l->idle_tail++ & l->idle_mask] = (lane_idle){now_ns, i};
}

static fsim_event pop(lane *l) {
    return l->queue != NULL ? fsim_event_queue_pop(l->queue) : l->pending[l->head++];
}

static fsim_ns pending_ns(const lane *l) {
    return l->queue != NULL ? fsim_event_queue_next_ns(l->queue) : l->pending[l->head].at_ns;
}

/* Every event up to to_ns, of whatever kind. */
static void advance(lane_context *c, lane *l, function *f, fsim_ns to_ns) {
    while (pending_ns(l) <= to_ns && pending_ns(l) != FSIM_NEVER && !c->failed) {
        fsim_event event = pop(l);
        switch (event.kind) {
        case LANE_EVENT_DONE:
            squared_leave(&l->executing, event.at_ns);
            l->idle[l->idle_tail++ & l->idle_mask] = (lane_idle){event.at_ns, event.target};
            change(c, event.at_ns, LANE_LEAVE);
            break;
        case LANE_EVENT_READY: on_ready(c, l, f, event.target, event.at_ns); break;
        default: on_end(c, l, f, event.target, event.at_ns); break;
        }
    }
    expire(c, l, f, to_ns);
}

/* An arrival of any kind. */
static void arrive(lane_context *c, lane *l, function *f, const lane_arrivals *a, uint32_t k) {
    engine *e = c->e;
    fsim_ns now_ns = a->at_ns[k];
    advance(c, l, f, now_ns);
    bool warm = l->idle_head != l->idle_tail;
    if (!warm && l->free_instance == FSIM_NONE && l->instance_count == l->instance_capacity &&
        !grow_instances(l)) {
        c->failed = true;
        return;
    }
    uint32_t i;
    if (warm) {
        i = l->idle[(l->newest ? --l->idle_tail : l->idle_head++) & l->idle_mask].instance;
    } else {
        i = take_instance(l);
    }
    lane_instance *in = &l->instances[i];
    in->arrival_ns = now_ns;
    in->service_ns = a->service_ns[k];
    in->rate_ucore = a->rate_ucore == NULL ? f->rate_ucore : a->rate_ucore[k];
    in->cold = !warm;
    e->tallies[f - e->functions].n.arrived++;
    if (warm) {
        change(c, now_ns, LANE_ENTER);
        begin(c, l, f, i, now_ns);
    } else {
        start(c, l, f, i, now_ns);
    }
    advance(c, l, f, now_ns); /* those that took no time have left before the next arrives */
}

/* ---- outside ---- */

bool lane_fits(const engine *e, const function *f) {
    return f->fast && e->early && f->scale.on_demand && !f->scale.fixed &&
           f->spec.max_instances == FSIM_UNLIMITED && !f->window_drawn &&
           !f->keepalive.remove_at_completion && f->removable_min == 0 && f->start_limiter.limit == NULL &&
           f->cpu_rule.more == NULL;
}

bool lane_init(lane *l, const engine *e, const function *f) {
    memset(l, 0, sizeof *l);
    l->pending = malloc((PENDING_FIRST + 1u) * sizeof *l->pending);
    if (l->pending == NULL) {
        return false;
    }
    l->pending[0].at_ns = FSIM_NEVER;
    l->pending_capacity = PENDING_FIRST;
    l->free_instance = FSIM_NONE;
    l->window_ns = f->window_ns < FSIM_NEVER / 2 ? f->window_ns : FSIM_NEVER / 2;
    l->newest = f->fleet[0].order == FSIM_ROUTE_NEWEST_IDLE;
    l->sums = (short_sums){.span_min_ns = FSIM_NEVER, .hist = e->tallies[f - e->functions].hist.direct};
    l->shares = l->sums.hist == e->shared_hist.direct;
    return true;
}

void lane_deinit(lane *l) {
    if (l->queue != NULL) {
        fsim_event_queue_deinit(l->queue);
        free(l->queue);
    }
    free(l->pending);
    free(l->idle);
    free(l->instances);
}

fsim_ns lane_next_ns(const lane *l) {
    fsim_ns due_ns = l->idle_head == l->idle_tail || l->window_ns == FSIM_NEVER / 2
                         ? FSIM_NEVER
                         : l->idle[l->idle_head & l->idle_mask].since_ns + l->window_ns + 1;
    return pending_ns(l) < due_ns ? pending_ns(l) : due_ns;
}

static uint32_t serve(lane_context *c, lane *l, function *f, const lane_arrivals *a, uint32_t k) {
    bool windows = c->windows;
    if (c->alone) {
        return l->queue == NULL ? serve_warm(c, l, f, a, k, false, true, windows)
               : windows        ? serve_warm(c, l, f, a, k, true, true, true)
                                : serve_warm(c, l, f, a, k, true, true, false);
    }
    return l->queue != NULL ? serve_warm(c, l, f, a, k, true, false, windows)
           : windows        ? serve_warm(c, l, f, a, k, false, false, true)
                            : serve_warm(c, l, f, a, k, false, false, false);
}

void lane_run(lane_context *c, uint32_t fn, lane *l, const lane_arrivals *a, fsim_ns to_ns) {
    function *f = &c->e->functions[fn];
    if (l->shares) {
        l->sums.hist = c->shared.direct;
    }
    if (!reserve_changes(c, l, a->count)) {
        c->failed = true;
    }
    for (uint32_t k = 0; k < a->count && !c->failed;) {
        uint32_t end = serve(c, l, f, a, k);
        account(c, fn, l, a->at_ns + k, a->service_ns + k, end - k);
        if (c->alone) {
            c->e->seen.arrived += end - k;
        }
        k = end;
        if (k < a->count) {
            arrive(c, l, f, a, k++);
        }
    }
    advance(c, l, f, to_ns);
}

void lane_finish(lane_context *c, uint32_t fn, lane *l, fsim_ns end_ns) {
    engine *e = c->e;
    function *f = &e->functions[fn];
    for (uint32_t i = 0; i < l->instance_count; i++) {
        lane_instance *in = &l->instances[i];
        bool inside = in->state == LANE_STARTING || in->state == LANE_EXECUTING;
        e->tallies[fn].n.in_system_at_end += inside;
        if (in->state == LANE_FREE || !e->metering) {
            continue;
        }
        if (in->state == LANE_STARTING) {
            f->usage.starting_ns += (uint64_t)(end_ns - in->started_ns);
            if (end_ns > in->started_ns) { /* for the request that waits for it */
                fsim_meter_init_cut(&e->plan, &f->usage, (uint64_t)(end_ns - in->started_ns));
            }
            continue;
        }
        if (in->state == LANE_EXECUTING) {
            meter_request(c, f, in, end_ns);
        }
        meter_end(c, f, in, end_ns);
    }
    if (e->metering && !c->windows) {
        meter_uniform(f, &l->sums);
    }
    lane_show(l, f);
    f->sums = l->sums;
    e->digest += l->digest;
}

void lane_show(const lane *l, function *f) {
    f->in_execution = l->executing;
}
