/* Cores of a node that are taken in order of arrival (platform.nodes.cpu_model "fcfs").
 *
 * A request that executes needs a core for its CPU time, which is its service time by its CPU fraction; the
 * rest of its service passes afterwards without one, as an answer on its way does. Starts may need a core
 * too, for the share `start_cpu` of their time. Whoever needs a core takes a free one or stands in the node's
 * only line, and keeps it to the end: no core is free while somebody waits. With one core this is the queue
 * M/G/1, with c cores M/G/c, exact to the nanosecond.
 *
 * The line is a ring. Who leaves it early (a time-out, a start that is called off) stays in it as an entry of
 * an older generation, which is passed over when its turn comes: each step is O(1), amortised. */
#include "model/engine.h"

#define JOB_START (1u << 31) /* beside a generation: the start of an instance */
enum { CORES_MAX = 4000 };   /* of one instance, in millionths in 32 bits */

static uint32_t node_of(const engine *e, uint32_t i) {
    fsim_check(e->instance_node[i] != FSIM_NONE);
    return e->instance_node[i];
}

/* CPU time of a span in which `share_ucore` of a core is used, on one core. */
static fsim_ns core_ns(fsim_ns span_ns, uint32_t share_ucore) {
    return (fsim_ns)((uwide)(uint64_t)span_ns * share_ucore / FSIM_UCORE);
}

static void push_end(engine *e, uint32_t r, fsim_ns after_ns) {
    request *q = &e->requests[r];
    q->core_until_ns = fsim_ns_add(e->now_ns, after_ns);
    engine_push(e, q->core_until_ns, r, EVENT_KIND(EVENT_CORE, q->generation));
}

/* ---- what the meters see ---- */

uint32_t engine_cores_rate(const engine *e, uint32_t i) {
    uint32_t n = e->on_core[i].requests - e->on_core[i].stopped;
    return (n < CORES_MAX ? n : CORES_MAX) * FSIM_UCORE;
}

static void rate_changed(engine *e, uint32_t i) {
    function *f = engine_function_of(e, i);
    if (e->metering) {
        engine_set_rate(e, f, i, e->instances[i].rate_ucore);
    }
    if (f->wants_cpu) {
        engine_cpu_change_shared(e, f, i, 0);
    }
}

/* ---- the line ---- */

static void join_line(engine *e, node *n, core_job job) {
    if (n->line_count == n->line_capacity) {
        uint32_t capacity = n->line_capacity == 0 ? 16u : 2u * n->line_capacity;
        n->line = engine_grow(e, n->line, capacity, sizeof *n->line);
        /* What had wrapped around goes behind the rest. */
        for (uint32_t k = 0; k < n->line_head; k++) {
            n->line[n->line_capacity + k] = n->line[k];
        }
        n->line_capacity = capacity;
    }
    n->line[(n->line_head + n->line_count++) & (n->line_capacity - 1u)] = job;
}

/* Where cores are told from each other they take turns. */
static void mark_busy(node *n, core_job job) {
    uint32_t k = n->core_next;
    while (n->cores[k].busy || n->cores[k].away_until_ns != 0) {
        k = k + 1u < n->core_count ? k + 1u : 0;
    }
    n->core_next = k + 1u < n->core_count ? k + 1u : 0;
    n->cores[k].busy = true;
    n->cores[k].job = job;
}

static void take_core(engine *e, node *n, core_job job) {
    n->cores_free--;
    if (n->cores != NULL) {
        mark_busy(n, job);
    }
    if ((job.generation & JOB_START) != 0) {
        const instance *in = &e->instances[job.id];
        const function *f = engine_function_of(e, job.id);
        core_use *use = &e->on_core[job.id];
        use->starts = true;
        use->start_until_ns = fsim_ns_add(e->now_ns, core_ns(in->ready_ns - in->started_ns, f->start_ucore));
        engine_push(e, use->start_until_ns, job.id, EVENT_KIND(EVENT_CORE_START, in->generation));
        return;
    }
    request *q = &e->requests[job.id];
    q->link.core = CORE_HELD;
    e->on_core[q->instance].requests++;
    push_end(e, job.id, core_ns(q->service_ns, q->rate_ucore));
    rate_changed(e, q->instance);
}

static bool still_waits(const engine *e, core_job job) {
    uint32_t generation = job.generation & GENERATION_MASK;
    if ((job.generation & JOB_START) != 0) {
        return e->instances[job.id].generation == generation;
    }
    return e->requests[job.id].generation == generation;
}

/* The core that request or start `id` (start: JOB_START) has held is nobody's now; false: it is away. */
static bool mark_free(engine *e, node *n, uint32_t id, uint32_t start) {
    core *c = n->cores;
    if (c == NULL) {
        return true;
    }
    while (!c->busy || c->job.id != id || (c->job.generation & JOB_START) != start) {
        c++;
        fsim_check(c < n->cores + n->core_count);
    }
    c->busy = false;
    if (c->away_until_ns != 0 && start == 0) {
        e->on_core[e->requests[id].instance].stopped--;
    }
    return c->away_until_ns == 0;
}

static void give_core(engine *e, node *n) {
    n->cores_free++;
    while (n->line_count != 0) {
        core_job job = n->line[n->line_head];
        n->line_head = (n->line_head + 1u) & (n->line_capacity - 1u);
        n->line_count--;
        if (still_waits(e, job)) {
            take_core(e, n, job);
            return;
        }
    }
}

static void end_start(engine *e, uint32_t i) {
    node *n = &e->nodes[node_of(e, i)];
    e->on_core[i].starts = false;
    if (mark_free(e, n, i, JOB_START)) {
        give_core(e, n);
    }
}

static void need_core(engine *e, uint32_t i, core_job job) {
    node *n = &e->nodes[node_of(e, i)];
    if (n->cores_free != 0) {
        take_core(e, n, job);
    } else {
        join_line(e, n, job);
    }
}

/* ---- requests ---- */

void engine_cores_enter(engine *e, uint32_t r) {
    request *q = &e->requests[r];
    const function *f = &e->functions[q->fn];
    if (f->timeout_ns != FSIM_NEVER) {
        engine_push(e, fsim_ns_add(e->now_ns, f->timeout_ns), r, EVENT_KIND(EVENT_CUT, q->generation));
    }
    if (core_ns(q->service_ns, q->rate_ucore) == 0) {
        q->link.core = CORE_PAST;
        push_end(e, r, q->service_ns);
    } else {
        q->link.core = CORE_AWAITED;
        need_core(e, q->instance, (core_job){r, q->generation});
    }
    if (q->link.core != CORE_HELD) {
        rate_changed(e, q->instance);
    }
}

static void release(engine *e, const request *q) {
    uint32_t i = q->instance;
    node *n = &e->nodes[node_of(e, i)];
    bool is_there = mark_free(e, n, (uint32_t)(q - e->requests), 0);
    e->on_core[i].requests--;
    rate_changed(e, i);
    if (is_there) {
        give_core(e, n);
    }
}

void engine_cores_fire(engine *e, uint32_t r, uint32_t generation) {
    request *q = &e->requests[r];
    if (q->generation != generation) {
        return;
    }
    if (e->now_ns < q->core_until_ns) { /* its core was away meanwhile */
        engine_push(e, q->core_until_ns, r, EVENT_KIND(EVENT_CORE, generation));
        return;
    }
    if (q->link.core == CORE_HELD) {
        fsim_ns rest_ns = q->service_ns - core_ns(q->service_ns, q->rate_ucore);
        q->link.core = CORE_PAST;
        if (rest_ns > 0) {
            push_end(e, r, rest_ns);
        }
        release(e, q);
        if (rest_ns > 0) {
            return;
        }
    }
    engine_complete(e, r);
}

void engine_cores_leave(engine *e, uint32_t r) {
    request *q = &e->requests[r];
    bool held = q->link.core == CORE_HELD;
    q->link.core = CORE_PAST;
    if (held) {
        release(e, q);
    }
}

void engine_cores_cut(engine *e, uint32_t r) {
    request *q = &e->requests[r];
    bool held = q->link.core == CORE_HELD;
    if (q->link.core != CORE_AWAITED && q->core_until_ns == e->now_ns &&
        (!held || core_ns(q->service_ns, q->rate_ucore) >= q->service_ns)) {
        return; /* its work is done at this very instant */
    }
    engine_cores_leave(e, r);
    q->flags |= REQUEST_CUT;
    engine_complete(e, r);
}

/* ---- starts ---- */

bool engine_cores_start(engine *e, uint32_t i) {
    const instance *in = &e->instances[i];
    const function *f = engine_function_of(e, i);
    if (core_ns(in->ready_ns - in->started_ns, f->start_ucore) == 0) {
        return false;
    }
    need_core(e, i, (core_job){i, in->generation | JOB_START});
    return true;
}

void engine_cores_fire_start(engine *e, uint32_t i, uint32_t generation) {
    const instance *in = &e->instances[i];
    const function *f = engine_function_of(e, i);
    if (in->generation != generation) {
        return;
    }
    if (e->now_ns < e->on_core[i].start_until_ns) {
        engine_push(e, e->on_core[i].start_until_ns, i, EVENT_KIND(EVENT_CORE_START, generation));
        return;
    }
    fsim_ns span_ns = in->ready_ns - in->started_ns;
    engine_push(e, fsim_ns_add(e->now_ns, span_ns - core_ns(span_ns, f->start_ucore)), i,
                EVENT_KIND(EVENT_READY, generation));
    end_start(e, i);
}

void engine_cores_call_off(engine *e, uint32_t i) {
    if (e->on_core[i].starts) {
        end_start(e, i);
    }
}

/* ---- interruptions ---- */

/* What ends at this very instant has got what it needs. */
static void lengthen(const engine *e, fsim_ns *until_ns, fsim_ns more_ns) {
    *until_ns = *until_ns > e->now_ns ? fsim_ns_add(*until_ns, more_ns) : *until_ns;
}

static void count_stopped(engine *e, const core *c, uint32_t more) {
    if (c->busy && (c->job.generation & JOB_START) == 0) {
        uint32_t i = e->requests[c->job.id].instance;
        e->on_core[i].stopped += more;
        rate_changed(e, i);
    }
}

void engine_cores_stop(engine *e, node *n, core *c, fsim_ns until_ns) {
    bool was_away = c->away_until_ns != 0;
    fsim_ns more_ns = until_ns - (was_away ? c->away_until_ns : e->now_ns);
    c->away_until_ns = until_ns;
    if (c->busy && (c->job.generation & JOB_START) != 0) {
        lengthen(e, &e->on_core[c->job.id].start_until_ns, more_ns);
    } else if (c->busy) {
        lengthen(e, &e->requests[c->job.id].core_until_ns, more_ns);
    } else if (!was_away) {
        n->cores_free--;
    }
    if (!was_away) {
        count_stopped(e, c, 1);
    }
}

void engine_cores_resume(engine *e, node *n, core *c) {
    c->away_until_ns = 0;
    count_stopped(e, c, UINT32_MAX);
    if (!c->busy) {
        give_core(e, n);
    }
}
