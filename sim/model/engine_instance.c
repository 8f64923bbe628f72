/* The life of an instance: start, ready, idle, removed; keep-alive, pre-warming. */
#include "model/engine_provision.h"

#include <string.h>

static fsim_ns later(fsim_ns a, fsim_ns b) {
    return a > b ? a : b;
}

/* ---- may it start? ---- */

static uint32_t roomiest_node(const engine *e, int64_t memory_mb) {
    uint32_t best = FSIM_NONE;
    for (uint32_t n = 0; n < e->scenario->nodes.count; n++) {
        if (e->nodes[n].free_mb >= memory_mb &&
            (best == FSIM_NONE || e->nodes[n].free_mb > e->nodes[best].free_mb)) {
            best = n;
        }
    }
    return best;
}

/* Every limit but the start rate first: the limiter is asked last because asking takes a token. */
bool engine_may_start(engine *e, function *f, fsim_cause *cause) {
    *cause = FSIM_CAUSE_FUNCTION;
    if (engine_limits(e, f)->alive >= f->spec.max_instances) {
        return false;
    }
    *cause = FSIM_CAUSE_MEMORY_QUOTA;
    int64_t memory_mb = f->spec.memory_mb;
    if (e->has_quota && engine_quota_full(e, f, cause)) {
        return false;
    }
    if ((e->has_pool && e->pool_used_mb - e->pool_idle_mb + memory_mb > e->pool_mb) ||
        (e->has_nodes && roomiest_node(e, memory_mb) == FSIM_NONE)) {
        return false;
    }
    *cause = FSIM_CAUSE_START_RATE;
    fsim_start_limiter *limiter =
        f->start_limiter.limit != NULL ? &engine_limits(e, f)->start_limiter : &e->region_limiter;
    return limiter->limit == NULL || fsim_start_limiter_take(limiter, e->now_ns);
}

/* ---- starting ---- */

fsim_ns engine_draw_cold_start(engine *e, function *f, bool counted) {
    if (!f->spec.cold_has_phases) {
        return fsim_dist_sample(&f->spec.cold_start, &f->rng_cold);
    }
    tally *t = &e->tallies[f - e->functions];
    fsim_ns total_ns = 0;
    for (uint32_t p = 0; p < FSIM_COLD_PHASES; p++) {
        fsim_ns phase_ns = fsim_dist_sample(&f->spec.cold_phases[p], &f->rng_cold);
        t->phase_ns[p] += counted ? phase_ns : 0;
        total_ns = fsim_ns_add(total_ns, phase_ns);
    }
    t->phase_count += counted;
    return total_ns;
}

/* An instance goes to the roomiest node. One that starts although none has room (a scaler's, provisioned) is
 * on none, but where nodes share their CPU its requests run somewhere. */
static void take_node(engine *e, const function *f, uint32_t i) {
    uint32_t n = roomiest_node(e, f->spec.memory_mb);
    if (n == FSIM_NONE && (e->node_sharing || e->node_fcfs)) {
        n = roomiest_node(e, INT64_MIN);
    }
    e->instance_node[i] = n;
    if (e->node_fcfs) {
        e->on_core[i] = (core_use){0};
    }
    if (n != FSIM_NONE) {
        e->nodes[n].free_mb -= f->spec.memory_mb;
        engine_node_used(e, n, 1);
    }
}

static uint32_t take_instance(engine *e, function *f, bool provisioned) {
    if (e->instance_free == FSIM_NONE) {
        engine_grow_instances(e);
    }
    if (e->has_pool) {
        engine_make_room(e, f->spec.memory_mb);
        e->pool_used_mb += f->spec.memory_mb;
    }
    uint32_t i = e->instance_free;
    instance *in = &e->instances[i];
    e->instance_free = in->newer;
    uint32_t generation = in->generation;
    *in = (instance){.since_ns = e->now_ns,
                     .started_ns = e->now_ns,
                     .ready_ns = e->now_ns,
                     .timer_ns = FSIM_NEVER,
                     .fn = (uint32_t)(f - e->functions),
                     .generation = generation,
                     .head = FSIM_NONE,
                     .tail = FSIM_NONE,
                     .newer = FSIM_NONE,
                     .older = FSIM_NONE,
                     .state = INSTANCE_STARTING,
                     .provisioned = provisioned};
    e->links[i] = (fsim_fleet_link){.place = FSIM_NONE};
    if (e->cells != NULL) {
        memset(e->cells + (size_t)i * e->cell_size, 0, e->cell_size);
    }
    if (e->has_pool) {
        e->instance_uses[i] = 0;
        e->instance_rank[i] = f->rank;
    }
    if (e->has_nodes) {
        take_node(e, f, i);
    }
    if (e->has_occupancy) {
        engine_occupancy(e);
    }
    f->alive++;
    f->alive_peak = f->alive > f->alive_peak ? f->alive : f->alive_peak;
    if ((f->extras & FUNCTION_VERSION) != 0) {
        engine_versions_live(e, f, true);
    }
    if (++e->alive > e->alive_peak) {
        e->alive_peak = e->alive;
        e->growth_at_ns = e->now_ns;
    }
    e->tallies[in->fn].n.started += e->now_ns >= e->warmup_ns;
    f->usage.instances_started++;
    if (f->adapting != NULL) {
        engine_adapt_wake(e, f);
    }
    if (provisioned) {
        level_enter(&f->provisioned, e->now_ns);
        engine_provision_link(e, f, i);
    }
    level_enter(&f->present, e->now_ns);
    level_enter(&f->starting, e->now_ns);
    level_enter(&e->present, e->now_ns);
    level_enter(&e->starting, e->now_ns);
    if (e->has_quota) {
        e->quota_used_mb += f->spec.memory_mb;
    }
    if (e->books != NULL) {
        engine_books_changed(e, f);
    }
    return i;
}

/* Elastic instances that start are kept in a list, so that the latest start can be cancelled or take more
 * requests. */
static void join_starting(engine *e, function *f, uint32_t i) {
    instance *in = &e->instances[i];
    if (!fsim_fleet_announce(&f->fleet[in->provisioned], e->links, i)) {
        engine_no_memory(e);
    }
    if (in->provisioned) {
        f->starting_provisioned++;
        return;
    }
    f->starting_count++;
    in->older = f->starting_newest;
    if (f->starting_newest != FSIM_NONE) {
        e->instances[f->starting_newest].newer = i;
    }
    f->starting_newest = i;
}

uint32_t engine_start(engine *e, function *f, bool provisioned) {
    uint32_t i = take_instance(e, f, provisioned);
    instance *in = &e->instances[i];
    if (!f->spec.cold_total) { /* else the draw covers start and service: it is the cold request's */
        in->ready_ns = fsim_ns_add(e->now_ns, engine_draw_cold_start(e, f, e->now_ns >= e->warmup_ns));
    }
    join_starting(e, f, i);
    return i;
}

void engine_launch(engine *e, uint32_t i) {
    instance *in = &e->instances[i];
    if (e->options->live != NULL) {
        engine_live_start(e, i, false);
    } else if (in->ready_ns == e->now_ns) {
        engine_ready(e, i);
    } else if (!e->node_fcfs || !engine_cores_start(e, i)) {
        engine_push(e, in->ready_ns, i, EVENT_KIND(EVENT_READY, in->generation));
    }
}

static void leave_starting(engine *e, function *f, uint32_t i) {
    instance *in = &e->instances[i];
    level_leave(&f->starting, e->now_ns);
    level_leave(&e->starting, e->now_ns);
    if (e->has_quota) {
        e->quota_used_mb -= f->spec.memory_mb;
    }
    if (in->provisioned) {
        f->starting_provisioned--;
        return;
    }
    f->starting_count--;
    if (in->newer != FSIM_NONE) {
        e->instances[in->newer].older = in->older;
    } else {
        f->starting_newest = in->older;
    }
    if (in->older != FSIM_NONE) {
        e->instances[in->older].newer = in->newer;
    }
}

/* count: what it adds to, removed or crashed. */
static void release(engine *e, function *f, uint32_t i, uint64_t *count) {
    instance *in = &e->instances[i];
    if (e->options->live != NULL) {
        engine_live_remove(e, i);
    }
    if (e->has_pool) {
        e->pool_used_mb -= f->spec.memory_mb;
        f->uses -= e->instance_uses[i];
    }
    if (e->has_nodes && e->instance_node[i] != FSIM_NONE) {
        e->nodes[e->instance_node[i]].free_mb += f->spec.memory_mb;
        engine_node_used(e, e->instance_node[i], -1);
    }
    *count += e->now_ns >= e->warmup_ns;
    if ((f->extras & FUNCTION_FAILS) != 0) {
        engine_failure_gone(e, f, i);
    }
    f->alive--;
    if (in->provisioned) {
        engine_provision_unlink(e, f, i);
    }
    if ((f->extras & FUNCTION_VERSION) != 0) {
        engine_versions_live(e, f, false);
    } else if (f->provision_waits) {
        engine_provision_wake(e, f);
    }
    if (e->has_occupancy) {
        engine_occupancy(e);
    }
    e->alive--;
    if (e->books != NULL) {
        engine_books_changed(e, f);
    }
    in->state = INSTANCE_FREE;
    in->generation = (in->generation + 1u) & GENERATION_MASK;
    in->newer = e->instance_free;
    e->instance_free = i;
}

/* An instance that nobody waits for goes while it starts. */
static void drop_start(engine *e, uint32_t i, uint64_t *count) {
    function *f = engine_function_of(e, i);
    const instance *in = &e->instances[i];
    uint64_t starting_ns = (uint64_t)(e->now_ns - later(in->started_ns, in->metered_from_ns));
    leave_starting(e, f, i);
    level_leave(&f->present, e->now_ns);
    level_leave(&e->present, e->now_ns);
    fsim_fleet_withdraw(&f->fleet[in->provisioned], e->links, i);
    if (e->node_fcfs) {
        engine_cores_call_off(e, i);
    }
    f->usage.starting_ns += starting_ns;
    if (in->provisioned) {
        level_leave(&f->provisioned, e->now_ns);
        fsim_meter_provisioned(&e->plan, &f->usage, starting_ns, 0);
    }
    release(e, f, i, count);
}

void engine_cancel_start(engine *e, uint32_t i) {
    drop_start(e, i, &e->tallies[e->instances[i].fn].n.removed);
}

void engine_lose_start(engine *e, uint32_t i) {
    drop_start(e, i, &e->tallies[e->instances[i].fn].n.crashed);
}

/* ---- ready ---- */

void engine_join_fleet(engine *e, function *f, uint32_t i) {
    instance *in = &e->instances[i];
    if (!fsim_fleet_add(&f->fleet[in->provisioned], e->links, i)) {
        engine_no_memory(e);
    }
    in->held = false;
    if (f->scaled) {
        engine_scaled_add(e, f, i);
    }
}

static void begin_bound(engine *e, function *f, uint32_t i) {
    fsim_fleet *fleet = &f->fleet[e->instances[i].provisioned];
    for (uint32_t r = e->instances[i].head; r != FSIM_NONE; r = e->requests[r].link.next) {
        if (!fsim_fleet_enter(fleet, e->links, i)) {
            engine_no_memory(e);
        }
    }
    /* More than its slots are there only where a session waits for its instance. */
    while (e->instances[i].head != FSIM_NONE && e->instances[i].executing < f->concurrency) {
        uint32_t r = e->instances[i].head;
        e->instances[i].head = e->requests[r].link.next;
        if (f->spec.cold_total && (e->requests[r].flags & REQUEST_CAUSED) != 0) {
            e->requests[r].service_ns = fsim_dist_sample(&f->spec.cold_start, &f->rng_cold);
        }
        engine_begin(e, r, i);
    }
    if (e->instances[i].head == FSIM_NONE) {
        e->instances[i].tail = FSIM_NONE;
    }
    if ((f->extras & FUNCTION_SESSIONS) != 0) {
        engine_session_settle(e, f, i);
    }
}

static void become_ready(engine *e, function *f, uint32_t i) {
    instance *in = &e->instances[i];
    leave_starting(e, f, i);
    in->state = INSTANCE_READY;
    engine_claim_idle(e, f, in, true);
    if (!in->provisioned) {
        in->newer = in->older = FSIM_NONE;
    }
    in->since_ns = e->now_ns;
    in->ready_ns = e->now_ns;
    if (e->metering) {
        fsim_cpu_meter_open(&e->instances[i].meter, &f->cpu_rule, e->now_ns, e->now_ns);
        if (!f->freeze) {
            fsim_cpu_meter_begin(&e->instances[i].meter, &f->cpu_rule, &f->usage, e->now_ns,
                                 f->background_ucore);
        }
    }
    if (e->books != NULL) {
        engine_books_open(e, i);
        engine_books_changed(e, f);
    }
    if ((f->extras & FUNCTION_AFTER) != 0) {
        engine_after_open(e, i);
    }
    if (e->has_pool && !in->provisioned) {
        e->pool_idle_mb += f->spec.memory_mb;
        engine_touched(e, f);
    }
    if ((f->extras & FUNCTION_FAILS) != 0) {
        engine_failure_open(e, f, i);
    }
    e->links[i].inside = 0; /* those bound to it enter one by one */
    if (e->scenario->provisioned_together && in->provisioned) {
        in->held = true;
        engine_provision_join(e, f);
        return;
    }
    engine_join_fleet(e, f, i);
    begin_bound(e, f, i);
    if (f->queued != 0) {
        engine_give_up_due(e, f, in->started_ns);
        engine_serve_ready(e, f, i);
    }
    engine_cancel_surplus(e, f);
    if (e->instances[i].executing == 0) {
        engine_idle(e, f, i);
    }
}

void engine_ready(engine *e, uint32_t i) {
    function *f = engine_function_of(e, i);
    if ((f->extras & FUNCTION_FAILS) == 0 || !engine_failure_aborts(e, f, i)) {
        become_ready(e, f, i);
    }
}

uint32_t engine_start_ready(engine *e, function *f, bool provisioned) {
    uint32_t i = take_instance(e, f, provisioned);
    join_starting(e, f, i);
    if (e->options->live != NULL) {
        engine_live_start(e, i, true);
    }
    become_ready(e, f, i);
    return i;
}

/* ---- there, but not to be picked ---- */

void engine_park(engine *e, function *f, uint32_t i) {
    instance *in = &e->instances[i];
    fsim_fleet_park(&f->fleet[in->provisioned], e->links, i);
    if (e->has_pool) {
        engine_touched(e, f);
    }
    in->parked = true;
}

void engine_unpark(engine *e, function *f, uint32_t i) {
    instance *in = &e->instances[i];
    if (in->parked) {
        in->parked = false;
        if (!fsim_fleet_unpark(&f->fleet[in->provisioned], e->links, i)) {
            engine_no_memory(e);
        }
        if (e->has_pool) {
            engine_touched(e, f);
        }
    }
}

/* ---- idle, and gone ---- */

/* A drawn window needs a timer of the instance's own; one that fires no later than this idleness ends will
 * do. */
void engine_arm_drawn(engine *e, uint32_t i) {
    instance *in = &e->instances[i];
    fsim_ns at_ns = fsim_ns_add(in->due_ns, 1);
    if (at_ns < in->timer_ns) {
        in->timer_ns = at_ns;
        engine_push(e, at_ns, i, EVENT_KIND(EVENT_EXPIRE_ONE, in->generation));
    }
}

void engine_draw_window(engine *e, function *f, uint32_t i) {
    e->instances[i].due_ns =
        fsim_ns_add(e->now_ns, fsim_dist_sample(&f->keepalive.window, &engine_rest(e, f)->rng_keepalive));
    engine_arm_drawn(e, i);
}

void engine_idle(engine *e, function *f, uint32_t i) {
    instance *in = &e->instances[i];
    const fsim_keepalive_plan *plan = &f->keepalive;
    bool has_session = (f->extras & FUNCTION_SESSIONS) != 0 && engine_session_holds(e, f, i);
    if (in->draining) {
        if (!has_session) {
            engine_remove(e, i, 0);
        }
        return;
    }
    if (in->provisioned || (f->scaled && !f->scale.floor) || f->scale.fixed) {
        return;
    }
    bool may_go = f->alive > f->removable_min && !has_session;
    if (plan->prewarm_ns > 0 && in->served && may_go) {
        uint32_t fn = in->fn;
        engine_remove(e, i, 0);
        engine_push(e, fsim_ns_add(e->now_ns, plan->prewarm_ns), fn,
                    EVENT_KIND(EVENT_PREWARM, f->arrivals_generation));
    } else if (plan->remove_at_completion) {
        if (may_go) {
            engine_remove(e, i, 0);
        }
    } else if (f->window_drawn) {
        engine_draw_window(e, f, i);
    } else if (f->window_ns != FSIM_NEVER && !f->expire_armed) {
        f->expire_armed = true;
        engine_push(e, fsim_ns_add(e->now_ns, f->window_ns) + 1, in->fn, EVENT_EXPIRE);
    }
}

/* The window must be exceeded: the timer fires a nanosecond after it, so that an arrival at the very instant
 * finds the instance, and that nanosecond is given back to the integrals. */
static void expire(engine *e, function *f) {
    for (;;) {
        uint32_t i = f->fleet[0].idle_oldest;
        if (i == FSIM_NONE || f->alive <= f->removable_min) {
            return;
        }
        fsim_ns due_ns = e->instances[i].since_ns + f->window_ns;
        if (due_ns >= e->now_ns) {
            f->expire_armed = true;
            engine_push(e, due_ns + 1, (uint32_t)(f - e->functions), EVENT_EXPIRE);
            return;
        }
        /* One that a least number of instances held beyond its window goes now. */
        engine_remove(e, i, due_ns + 1 == e->now_ns ? 1 : 0);
    }
}

/* What went leaves room for others, which may have waited for it. */
static void serve_others(engine *e) {
    if (e->waiting_first != FSIM_NONE) {
        engine_serve_waiting(e, 0);
    }
}

void engine_expire(engine *e, function *f) {
    f->expire_armed = false;
    expire(e, f);
    serve_others(e);
}

/* Of the timers that an instance may have pending, the earliest counts: it may come too early for the present
 * idleness and is then set again. */
void engine_expire_one(engine *e, uint32_t i) {
    instance *in = &e->instances[i];
    function *f = engine_function_of(e, i);
    if (in->timer_ns != e->now_ns) {
        return;
    }
    in->timer_ns = FSIM_NEVER;
    if (in->executing != 0 || e->links[i].inside != 0) {
        return;
    }
    if ((f->extras & FUNCTION_SESSIONS) != 0 && engine_session_holds(e, f, i)) {
        return; /* the end of its last session asks again */
    }
    if ((f->extras & FUNCTION_FAILS) != 0 && engine_failure_rests(e, i)) {
        return; /* it becomes idle once more when it is back */
    }
    if (in->due_ns >= e->now_ns) {
        engine_arm_drawn(e, i);
    } else if (f->alive > f->removable_min) {
        engine_remove(e, i, e->now_ns - in->due_ns);
        serve_others(e);
    }
}

/* What an instance has cost until at_ns, from the end of the warm-up on. */
void engine_meter_end(engine *e, function *f, uint32_t i, fsim_ns at_ns) {
    instance *in = &e->instances[i];
    fsim_ns from_ns = in->metered_from_ns;
    fsim_ns resident_ns = at_ns - later(in->ready_ns, from_ns);
    fsim_ns starting_ns = in->ready_ns - later(in->started_ns, from_ns);
    if (!f->freeze) {
        fsim_cpu_meter_end(&e->instances[i].meter, &f->cpu_rule, &f->usage, at_ns);
    }
    fsim_cpu_meter_close(&e->instances[i].meter, &f->cpu_rule, &f->usage);
    fsim_meter_instance(&e->plan, &f->usage, (uint64_t)later(starting_ns, 0), (uint64_t)resident_ns,
                        (uint64_t)(resident_ns - in->active_ns));
    if (in->provisioned) {
        fsim_meter_provisioned(&e->plan, &f->usage, (uint64_t)(at_ns - later(in->started_ns, from_ns)),
                               (uint64_t)(at_ns - later(in->since_ns, from_ns)));
    }
}

/* A ready instance without requests goes, and should have gone surplus_ns ago. */
static void take_away(engine *e, uint32_t i, fsim_ns surplus_ns, uint64_t *count) {
    function *f = engine_function_of(e, i);
    instance *in = &e->instances[i];
    fsim_ns at_ns = e->now_ns - surplus_ns;
    level_leave(&f->present, at_ns);
    level_leave(&e->present, at_ns);
    engine_claim_idle(e, f, in, false);
    if (in->provisioned) {
        level_leave(&f->provisioned, at_ns);
    }
    if (e->metering) {
        engine_meter_end(e, f, i, at_ns);
    }
    if (e->has_pool && !in->provisioned) {
        e->pool_idle_mb -= f->spec.memory_mb;
        engine_touched(e, f);
    }
    if ((f->extras & FUNCTION_SESSIONS) != 0) {
        engine_session_lose(e, f, i, at_ns);
    }
    engine_unpark(e, f, i);
    if (!in->draining && !in->held) {
        fsim_fleet_remove(&f->fleet[in->provisioned], e->links, i);
        if (f->scaled) {
            engine_scaled_remove(e, f, i);
        }
    }
    release(e, f, i, count);
}

/* An idle instance goes; it has been idle for surplus_ns longer than it should. */
void engine_remove(engine *e, uint32_t i, fsim_ns surplus_ns) {
    function *f = engine_function_of(e, i);
    take_away(e, i, surplus_ns, &e->tallies[e->instances[i].fn].n.removed);
    if (f->queued != 0) {
        engine_serve_queue(e, f);
    }
}

/* A ready instance goes, or takes no request more and goes when it holds none. */
void engine_let_go(engine *e, function *f, uint32_t i) {
    bool sessions = (f->extras & FUNCTION_SESSIONS) != 0;
    if (e->links[i].inside == 0 && !(sessions && engine_session_holds(e, f, i))) {
        engine_remove(e, i, 0);
        return;
    }
    instance *in = &e->instances[i];
    if (sessions) {
        engine_session_drain(e, f, i);
    }
    engine_unpark(e, f, i);
    fsim_fleet_remove(&f->fleet[in->provisioned], e->links, i);
    if (f->scaled) {
        engine_scaled_remove(e, f, i);
    }
    if (e->has_pool) {
        engine_touched(e, f);
    }
    in->draining = true;
}

void engine_lose(engine *e, uint32_t i) {
    take_away(e, i, 0, &e->tallies[e->instances[i].fn].n.crashed);
}

/* ---- ahead of demand ---- */

void engine_prewarm(engine *e, function *f) {
    fsim_cause cause;
    if (engine_may_start(e, f, &cause)) {
        engine_start_ready(e, f, false);
    }
}
