/* Provisioned instances: how many there shall be over time (the provisioned policy), their starts at a rate
 * of their own, and their release.
 *
 * What is asked for and not started yet is `provisioned_missing`; it starts as the rate allows. Fewer: first
 * what is missing is forgotten, then starts are cancelled, then idle instances go, the newest first; those
 * with a request inside take no more and go when they are empty. All are billed from start to release. */
#include "model/engine_provision.h"

#include <stdlib.h>

/* A policy at work. */
typedef struct provisioning {
    void *state;
    fsim_scale_plan plan;
    fsim_ns due_ns; /* the next tick */
    fsim_ns at_ns;  /* the last one */
    level inside;   /* requests in execution in provisioned instances; its peak is since at_ns */
    fsim_wide inside_before;
    uint32_t still; /* ticks in a row that found nothing going on, after the last arrival */
} provisioning;

#define STILL_MAX 10080u /* a week of minutes: after that a schedule has nothing new to say */

static uint32_t id_of(const engine *e, const function *f) {
    return (uint32_t)(f - e->functions);
}

/* ---- claims ---- */

/* Concurrency of one of them, taken from what functions without a reserve share. */
static uint64_t slots_claimed(const engine *e, const function *f) {
    return f->has_reserve || !e->claims ? 0 : f->concurrency == FSIM_UNLIMITED ? 1 : f->concurrency;
}

/* May one more be allocated? Claims leave room for another instance of any function, as the platforms do, so
 * that none is shut out for ever, and what shall stay unreserved. */
static bool may_claim(const engine *e, const function *f) {
    const fsim_scenario *s = e->scenario;
    if (!e->claims) {
        return true;
    }
    uint64_t instances = engine_busy(e)->n + e->starting.n + e->idle_claimed;
    int64_t free_mb = e->largest_mb > s->unreserved_mb ? e->largest_mb : s->unreserved_mb;
    return e->quota_used_mb + f->spec.memory_mb + free_mb <= s->memory_quota_mb &&
           instances + 1 < s->account_instances &&
           (!e->has_account || e->inside_shared + slots_claimed(e, f) < e->inside_shared_limit);
}

void engine_claim_idle(engine *e, const function *f, const instance *in, bool idle) {
    if (e->claims && in->provisioned) {
        e->idle_claimed += idle ? 1u : (uint64_t)-1;
        e->quota_used_mb += idle ? f->spec.memory_mb : -f->spec.memory_mb;
    }
}

/* ---- the list of a function's provisioned instances, newest first ---- */

void engine_provision_link(engine *e, function *f, uint32_t i) {
    instance *in = &e->instances[i];
    in->newer = FSIM_NONE;
    in->older = f->provisioned_newest;
    if (in->older != FSIM_NONE) {
        e->instances[in->older].newer = i;
    }
    f->provisioned_newest = i;
    f->removable_min++;
    e->inside_shared += slots_claimed(e, f);
}

void engine_provision_unlink(engine *e, function *f, uint32_t i) {
    instance *in = &e->instances[i];
    *(in->newer != FSIM_NONE ? &e->instances[in->newer].older : &f->provisioned_newest) = in->older;
    if (in->older != FSIM_NONE) {
        e->instances[in->older].newer = in->newer;
    }
    f->removable_min--;
    e->inside_shared -= slots_claimed(e, f);
}

/* ---- more ---- */

static void start_missing(engine *e, function *f) {
    fsim_start_limiter *limiter = f->rest != NULL && f->rest->provisioned_limiter.limit != NULL
                                      ? &engine_limits(e, f)->rest->provisioned_limiter
                                      : &e->region_provisioned_limiter;
    while (f->provisioned_missing != 0 && e->now_ns >= f->provision_from_ns) {
        if (engine_limits(e, f)->alive >= f->spec.max_instances || !may_claim(e, f)) {
            f->provision_waits = true;
            return;
        }
        if (!fsim_start_limiter_take(limiter, e->now_ns)) {
            if (f->provision_retry_ns <= e->now_ns) { /* else somebody will look then */
                f->provision_retry_ns = fsim_start_limiter_next_ns(limiter, e->now_ns);
                engine_push(e, f->provision_retry_ns, id_of(e, f), EVENT_PROVISION);
            }
            return;
        }
        f->provisioned_missing--;
        engine_launch(e, engine_start(e, f, true));
    }
}

void engine_provision_wake(engine *e, function *f) {
    f->provision_waits = false;
    engine_push(e, e->now_ns, id_of(e, f), EVENT_PROVISION);
}

/* What is asked for while an allocation is under way goes with it. */
static void add(engine *e, function *f, uint32_t more) {
    const fsim_dist *delay = &e->scenario->provisioned_delay;
    if (f->provisioned_missing == 0 && !fsim_dist_is_zero(delay)) {
        f->provision_from_ns =
            fsim_ns_add(e->now_ns, fsim_dist_sample(delay, &engine_rest(e, f)->rng_scaling));
        engine_push(e, f->provision_from_ns, id_of(e, f), EVENT_PROVISION);
    }
    f->provisioned_missing += more;
}

/* ---- fewer ---- */

typedef enum victim { VICTIM_STARTING, VICTIM_IDLE, VICTIM_BUSY, VICTIMS } victim;

static victim kind_of(const engine *e, const function *f, uint32_t i) {
    if (e->instances[i].state == INSTANCE_STARTING) {
        return VICTIM_STARTING;
    }
    bool bound = (f->extras & FUNCTION_SESSIONS) != 0 && engine_session_holds(e, f, i);
    return e->links[i].inside == 0 && !bound ? VICTIM_IDLE : VICTIM_BUSY;
}

static void take_away(engine *e, function *f, uint32_t fewer) {
    uint32_t dropped = fewer < f->provisioned_missing ? fewer : f->provisioned_missing;
    f->provisioned_missing -= dropped;
    fewer -= dropped;
    for (int kind = VICTIM_STARTING; kind < VICTIMS; kind++) {
        for (uint32_t i = f->provisioned_newest; fewer > 0 && i != FSIM_NONE;) {
            uint32_t older = e->instances[i].older;
            if (!e->instances[i].draining && kind_of(e, f, i) == (victim)kind) {
                if (kind == VICTIM_STARTING) {
                    engine_cancel_start(e, i);
                } else {
                    engine_let_go(e, f, i);
                }
                fewer--;
            }
            i = older;
        }
    }
    engine_provision_join(e, f); /* those still to come may have been what others waited for */
    if (f->queued != 0) {        /* their room may be somebody else's */
        engine_serve_queue(e, f);
    }
}

void engine_provision_join(engine *e, function *f) {
    if (!e->scenario->provisioned_together || f->provisioned_missing != 0 || f->starting_provisioned != 0) {
        return;
    }
    uint32_t i = f->provisioned_newest;
    while (i != FSIM_NONE && e->instances[i].older != FSIM_NONE) {
        i = e->instances[i].older;
    }
    for (; i != FSIM_NONE; i = e->instances[i].newer) { /* in the order in which they were started */
        if (e->instances[i].held) {
            engine_join_fleet(e, f, i);
            if ((f->extras & FUNCTION_FAILS) != 0 && engine_failure_rests(e, i)) {
                engine_park(e, f, i);
            }
        }
    }
    if (f->queued != 0) {
        engine_serve_queue(e, f);
    }
}

/* ---- how many ---- */

void engine_provision_set(engine *e, function *f, uint32_t want) {
    uint32_t before = f->provisioned_wanted;
    f->provisioned_wanted = want;
    if (want > before) {
        add(e, f, want - before);
        start_missing(e, f);
    } else if (want < before) {
        take_away(e, f, before - want);
    }
    if (e->waiting_first != FSIM_NONE) {
        engine_serve_waiting(e, 0);
    }
}

void engine_provision_again(engine *e, function *f, uint32_t lost) {
    if (lost != 0) {
        add(e, f, lost);
        start_missing(e, f);
    }
}

static void decide(engine *e, function *f, provisioning *p) {
    uint32_t serving = f->fleet[1].count, wanted = f->provisioned_wanted;
    fsim_wide inside = level_integral(&p->inside, e->now_ns);
    fsim_scale_view view = {.now_ns = e->now_ns,
                            .ready = serving,
                            .starting = wanted > serving ? wanted - serving : 0,
                            .wanted = wanted,
                            .in_flight = (uint32_t)p->inside.n,
                            .queued = f->queued,
                            .elapsed_ns = e->now_ns - p->at_ns,
                            .concurrency =
                                (double)(inside - p->inside_before) / (double)(e->now_ns - p->at_ns),
                            .concurrency_peak = (double)p->inside.peak};
    fsim_scale_decision decision = {.want = wanted, .mode = ""};
    e->scenario->provisioned->tick(p->state, e->scenario->provisioned_params, &view, false, &decision);
    p->at_ns = e->now_ns;
    p->inside_before = inside;
    p->inside.peak = p->inside.n;
    engine_provision_set(e, f, decision.want);
}

void engine_provision(engine *e, function *f) {
    provisioning *p = f->provisioning;
    if (p != NULL && e->now_ns >= p->due_ns) {
        decide(e, f, p);
        p->due_ns += p->plan.tick_ns;
        /* Requests that nothing will ever serve do not keep the run going for ever. */
        bool over = e->workload_ended && e->scenario->until_ns == FSIM_NEVER;
        p->still = over && f->inside == 0 && f->provisioned_missing == 0 ? p->still + 1u : 0;
        if (p->still < STILL_MAX) {
            engine_push(e, p->due_ns, id_of(e, f), EVENT_PROVISION);
        }
    }
    start_missing(e, f);
}

void engine_provision_enter(function *f, fsim_ns now_ns) {
    level_enter(&f->provisioning->inside, now_ns);
}

void engine_provision_leave(function *f, fsim_ns now_ns) {
    level_leave(&f->provisioning->inside, now_ns);
}

/* ---- set-up ---- */

void engine_provision_setup(engine *e, function *f) {
    const fsim_provisioned_ops *ops = e->scenario->provisioned;
    const void *params = e->scenario->provisioned_params;
    size_t bytes = ops->state_size != NULL ? ops->state_size(params) : 0;
    provisioning p = {.state = calloc(1, bytes + 1)};
    f->provisioned_newest = FSIM_NONE;
    e->largest_mb = f->spec.memory_mb > e->largest_mb ? f->spec.memory_mb : e->largest_mb;
    f->provisioning = calloc(1, sizeof p);
    if (p.state == NULL || f->provisioning == NULL) {
        free(p.state);
        engine_no_memory(e);
    }
    ops->init(p.state, params, &f->spec, &p.plan);
    *f->provisioning = p;
    f->provisioned_wanted = p.plan.initial;
    if (f->spec.provisioned_step_count != 0) { /* of a version, which says itself how many there are when */
        f->provisioned_wanted = f->spec.provisioned;
        p.plan.tick_ns = 0;
    }
    if (p.plan.tick_ns == 0) { /* a constant number needs no more */
        engine_provision_free(f);
        return;
    }
    f->watched |= p.plan.totals ? WATCH_PROVISIONED : 0u;
}

void engine_provision_free(function *f) {
    if (f->provisioning != NULL) {
        free(f->provisioning->state);
        free(f->provisioning);
        f->provisioning = NULL;
    }
}

/* What it has from its first instant on: through the rate, where there is one, else ready at once. */
void engine_provision_begin(engine *e, function *f) {
    f->provisioned_missing = f->provisioned_wanted;
    if (e->scenario->provisioned_start_rate.kind == FSIM_LIMIT_NONE) {
        while (f->provisioned_missing != 0 && may_claim(e, f)) {
            f->provisioned_missing--;
            engine_start_ready(e, f, true);
        }
    } else {
        start_missing(e, f);
    }
    provisioning *p = f->provisioning;
    if (p != NULL) {
        p->at_ns = e->now_ns;
        p->due_ns = (e->now_ns / p->plan.tick_ns + 1) * p->plan.tick_ns;
        engine_push(e, p->due_ns, id_of(e, f), EVENT_PROVISION);
    }
}
