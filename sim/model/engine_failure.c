/* Instances that fail: they crash, or turn unhealthy until a health check finds it (product contract, section
 * 2). Only functions that say so pay for it (FUNCTION_FAILS).
 *
 * A crash ends everything inside: executions fail, in the order in which they began, and are billed up to
 * there; requests that wait inside are placed anew, in the order in which they wait; sessions end. Nothing
 * that was scheduled is cancelled: completions carry the generation of their request (EVENT_END), timers that
 * of their instance. What the platform keeps whatever the demand (provisioned, least and fixed numbers of
 * instances) is started anew; on demand the next request starts what it needs.
 *
 * A start that fails does so when the instance should be ready; those who wait for it are placed anew.
 *
 * An unhealthy instance goes on as before, but what it answers is an error with some probability. Checks are
 * not simulated one by one: when an instance turns unhealthy, or is healthy again, the check that will put it
 * out of service, or back, is known. Out of service it either goes (and is replaced) or is parked in its
 * fleet.
 *
 * Timers of an instance look at most TIMER_SPAN ahead, so that events of instances that are long gone do not
 * gather in the queue when lifetimes are long. */
#include "model/engine_provision.h"

#include <stdlib.h>

#define TIMER_SPAN (600 * FSIM_SECOND)
#define TRY_SPAN   FSIM_SECOND /* until a replacement that a limit refuses is tried again */

typedef struct instance_failure {
    uint64_t serial; /* in the order of readiness */
    fsim_ns crash_ns;
    fsim_ns unhealthy_ns, healthy_ns; /* the present or next time that it is unhealthy: from, up to */
    fsim_ns eject_ns, back_ns; /* the check that puts it out of service, or back; FSIM_NEVER: none yet */
    uint32_t streak;           /* checks failed in a row before unhealthy_ns */
    uint32_t first, last;      /* executing requests, in the order in which they began */
    bool ejected;              /* and still there: requests are inside */
    bool rests;
} instance_failure;

typedef struct request_failure {
    uint32_t next, prev; /* executing in the same instance */
    fsim_ns work_ns;     /* kills: what the request would take */
    bool kills;          /* at the end of its execution the instance crashes */
} request_failure;

struct failure_columns {
    instance_failure *instances;
    request_failure *requests;
    uint64_t serial;
};

static uint32_t id_of(const engine *e, const function *f) {
    return (uint32_t)(f - e->functions);
}

/* ---- memory ---- */

void engine_failure_grow(engine *e) {
    failure_columns *c = e->failures;
    c->instances = engine_grow(e, c->instances, e->instance_capacity, sizeof *c->instances);
    c->requests = engine_grow(e, c->requests, e->request_capacity, sizeof *c->requests);
}

void engine_failure_setup(engine *e, function *f) {
    function_failures *own = &engine_rest(e, f)->failures;
    fsim_rng_seed(&own->rng_crash, e->options->seed, f->name, FSIM_RNG_CRASH);
    fsim_rng_seed(&own->rng_health, e->options->seed, f->name, FSIM_RNG_HEALTH);
    fsim_rng_seed(&own->rng_error, e->options->seed, f->name, FSIM_RNG_UNHEALTHY_ERROR);
    f->extras |= FUNCTION_FAILS;
    if (e->failures == NULL) {
        e->failures = engine_grow(e, NULL, 1, sizeof *e->failures);
        *e->failures = (failure_columns){0};
        engine_failure_grow(e);
    }
}

void engine_failure_destroy(failure_columns *c) {
    if (c != NULL) {
        free(c->instances);
        free(c->requests);
        free(c);
    }
}

/* ---- what executes where ---- */

void engine_failure_join(engine *e, function *f, uint32_t r) {
    request *q = &e->requests[r];
    instance_failure *x = &e->failures->instances[q->instance];
    request_failure *y = &e->failures->requests[r];
    *y = (request_failure){.next = FSIM_NONE, .prev = x->last};
    *(x->last != FSIM_NONE ? &e->failures->requests[x->last].next : &x->first) = r;
    x->last = r;
    double share = f->spec.crash != NULL ? f->spec.crash->per_request : 0.0;
    if (share > 0.0 && fsim_rng_unit(&f->rest->failures.rng_crash) < share) {
        y->kills = true;
        y->work_ns = q->service_ns;
        q->service_ns = (fsim_ns)((double)q->service_ns * fsim_rng_unit(&f->rest->failures.rng_crash));
    }
}

static void take_out(engine *e, uint32_t r) {
    failure_columns *c = e->failures;
    instance_failure *x = &c->instances[e->requests[r].instance];
    const request_failure *y = &c->requests[r];
    *(y->prev != FSIM_NONE ? &c->requests[y->prev].next : &x->first) = y->next;
    *(y->next != FSIM_NONE ? &c->requests[y->next].prev : &x->last) = y->prev;
    if (y->kills) {
        e->requests[r].service_ns = y->work_ns; /* of the next attempt */
    }
}

/* ---- the end of an instance ---- */

/* The requests that wait inside leave it; the first of them, linked by link.next. */
static uint32_t take_waiting(engine *e, function *f, uint32_t i) {
    instance *in = &e->instances[i];
    uint32_t first = in->head;
    for (uint32_t r = first; r != FSIM_NONE; r = e->requests[r].link.next) {
        request *q = &e->requests[r];
        q->generation = (q->generation + 1u) & GENERATION_MASK; /* voids what limits its waiting here */
        engine_count_inside(e, f, i, -1);
        if (f->samples_requests) {
            engine_sampled_leave(e, i, (q->flags & REQUEST_PROXIED) != 0);
        }
        if (in->parked || in->draining || in->state == INSTANCE_STARTING) {
            e->links[i].inside--;
        } else {
            fsim_fleet_leave(&f->fleet[in->provisioned], e->links, i);
        }
        if ((f->extras & FUNCTION_SESSIONS) != 0) {
            engine_session_leave(e, r);
        }
    }
    in->head = in->tail = FSIM_NONE;
    return first;
}

static void route_all(engine *e, function *f, uint32_t first) {
    for (uint32_t r = first; r != FSIM_NONE;) {
        uint32_t next = e->requests[r].link.next;
        engine_route(e, f, r);
        r = next;
    }
}

static void replace_after(engine *e, function *f, fsim_ns span_ns) {
    if (span_ns == 0) {
        engine_failure_replace(e, f);
    } else {
        engine_push(e, fsim_ns_add(e->now_ns, span_ns), id_of(e, f), EVENT_REPLACE);
    }
}

static void serve_others(engine *e, function *f, fsim_ns since_ns) {
    if (f->queued != 0) {
        engine_serve_queue(e, f);
    }
    if (e->waiting_first != FSIM_NONE) {
        engine_serve_waiting(e, since_ns);
    }
    engine_cancel_surplus(e, f);
}

/* ended: the request whose execution is over by itself and takes the instance with it, or FSIM_NONE.
 * since_ns: when the event was scheduled. */
static void crash(engine *e, function *f, uint32_t i, uint32_t ended, fsim_ns since_ns) {
    const instance_failure *x = &e->failures->instances[i];
    engine_give_up_due(e, f, since_ns);
    while (x->first != FSIM_NONE) {
        uint32_t r = x->first;
        take_out(e, r);
        if (f->shared && r != ended) {
            engine_share_leave(e, r);
        }
        engine_fail_execution(e, r);
    }
    uint32_t waiting = take_waiting(e, f, i);
    f->rest->failures.provisioned_lost += e->instances[i].provisioned && !x->ejected;
    engine_lose(e, i);
    route_all(e, f, waiting);
    replace_after(e, f, f->spec.crash->restart_ns);
    serve_others(e, f, since_ns);
}

bool engine_failure_aborts(engine *e, function *f, uint32_t i) {
    double share = f->spec.crash != NULL ? f->spec.crash->per_start : 0.0;
    if (share <= 0.0 || fsim_rng_unit(&f->rest->failures.rng_crash) >= share) {
        return false;
    }
    fsim_ns since_ns = e->instances[i].started_ns;
    engine_give_up_due(e, f, since_ns);
    uint32_t waiting = take_waiting(e, f, i);
    f->rest->failures.provisioned_lost += e->instances[i].provisioned;
    if ((f->extras & FUNCTION_SESSIONS) != 0) {
        engine_session_lose(e, f, i, e->now_ns);
    }
    engine_lose_start(e, i);
    route_all(e, f, waiting);
    /* Not at once even where it takes no time: whoever has started it may be about to start more. */
    engine_push(e, fsim_ns_add(e->now_ns, f->spec.crash->restart_ns), id_of(e, f), EVENT_REPLACE);
    serve_others(e, f, since_ns);
    return true;
}

void engine_failure_gone(engine *e, function *f, uint32_t i) {
    const instance_failure *x = &e->failures->instances[i];
    if (e->instances[i].state == INSTANCE_READY && x->ejected && !e->instances[i].provisioned) {
        f->rest->failures.leaving--;
    }
}

/* ---- completions ---- */

bool engine_failure_ends(engine *e, function *f, uint32_t r) {
    const request *q = &e->requests[r];
    if (e->failures->requests[r].kills && (q->flags & REQUEST_CUT) == 0) {
        crash(e, f, q->instance, r, f->shared ? 0 : q->start_ns);
        return true;
    }
    take_out(e, r);
    return false;
}

void engine_failure_complete(engine *e, uint32_t r, uint32_t generation) {
    if (e->requests[r].generation == generation) {
        engine_complete(e, r);
    }
}

bool engine_failure_spoils(engine *e, function *f, uint32_t i) {
    const instance_failure *x = &e->failures->instances[i];
    return f->spec.health != NULL && e->now_ns >= x->unhealthy_ns && e->now_ns < x->healthy_ns &&
           fsim_rng_unit(&f->rest->failures.rng_error) < f->spec.health->error_rate;
}

bool engine_failure_rests(const engine *e, uint32_t i) {
    return e->failures->instances[i].rests;
}

/* ---- replacement ---- */

/* Elastic instances that a function without a scaler keeps whatever the demand. */
static uint32_t kept(const function *f) {
    uint32_t least = f->spec.min_instances;
    return f->scale.fixed && f->scale.initial > least ? f->scale.initial : least;
}

static bool lacks(const function *f) {
    if (f->scaled) {
        return f->starting_count + f->ready_count < f->wanted;
    }
    return f->alive - (uint32_t)f->provisioned.n < (uint64_t)kept(f) + f->rest->failures.leaving;
}

void engine_failure_replace(engine *e, function *f) {
    fsim_cause cause;
    engine_provision_again(e, f, f->rest->failures.provisioned_lost);
    f->rest->failures.provisioned_lost = 0;
    if (f->scaled) {
        if (lacks(f)) {
            engine_fit(e, f);
        }
        return; /* its next tick looks again */
    }
    while (lacks(f)) {
        if (!engine_may_start(e, f, &cause)) {
            engine_push(e, fsim_ns_add(e->now_ns, TRY_SPAN), id_of(e, f), EVENT_REPLACE);
            return;
        }
        engine_launch(e, engine_start(e, f, false));
    }
}

/* ---- health ---- */

/* Those that wait inside go elsewhere. */
static void redirect(engine *e, function *f, uint32_t waiting, fsim_ns since_ns) {
    route_all(e, f, waiting);
    engine_failure_replace(e, f);
    serve_others(e, f, since_ns);
}

/* It gets no new requests, and its sessions end. */
static void eject(engine *e, function *f, uint32_t i) {
    instance *in = &e->instances[i];
    fsim_ns since_ns = in->ready_ns; /* about when this was scheduled */
    uint32_t waiting = take_waiting(e, f, i);
    f->rest->failures.provisioned_lost += in->provisioned;
    if ((f->extras & FUNCTION_SESSIONS) != 0) {
        engine_session_lose(e, f, i, e->now_ns);
    }
    bool busy = in->executing != 0;
    e->failures->instances[i].ejected = busy;
    f->rest->failures.leaving += busy && !in->provisioned;
    if (!in->draining) {
        engine_let_go(e, f, i);
    } else if (!busy) { /* its sessions alone have kept it */
        engine_remove(e, i, 0);
    }
    redirect(e, f, waiting, since_ns);
}

/* It gets no new requests until it is found healthy; its sessions end. */
static void rest(engine *e, function *f, uint32_t i) {
    const instance *in = &e->instances[i];
    if (in->draining || in->held) { /* it gets none as it is */
        return;
    }
    uint32_t waiting = take_waiting(e, f, i);
    if ((f->extras & FUNCTION_SESSIONS) != 0) {
        engine_session_lose(e, f, i, e->now_ns);
    }
    engine_park(e, f, i);
    redirect(e, f, waiting, in->ready_ns);
}

static void come_back(engine *e, function *f, uint32_t i) {
    instance *in = &e->instances[i];
    uint32_t generation = in->generation;
    if (in->held) {
        return; /* until all are there */
    }
    if (in->executing == 0 && !in->provisioned) {
        in->since_ns = e->now_ns; /* its keep-alive begins anew */
    }
    engine_unpark(e, f, i);
    serve_others(e, f, in->ready_ns);
    if (e->instances[i].generation == generation && e->instances[i].executing == 0) {
        engine_idle(e, f, i);
    }
}

/* The first check at at_ns or later, counted from readiness in checks; none at readiness itself. */
static fsim_wide check_from(const engine *e, const function *f, uint32_t i, fsim_ns at_ns) {
    fsim_wide every_ns = f->spec.health->every_ns;
    fsim_wide first = ((fsim_wide)at_ns - e->instances[i].ready_ns + every_ns - 1) / every_ns;
    return first > 0 ? first : 1;
}

/* The instant of a check; FSIM_NEVER where it is not before `end_ns`. */
static fsim_ns check_before(const engine *e, const function *f, uint32_t i, fsim_wide check, fsim_ns end_ns) {
    fsim_wide at_ns = e->instances[i].ready_ns + check * f->spec.health->every_ns;
    return at_ns < end_ns ? (fsim_ns)at_ns : FSIM_NEVER;
}

/* It is healthy from now on, at readiness or again: when does it turn unhealthy next, for how long, and which
 * checks will notice? */
static void plan_health(engine *e, function *f, uint32_t i) {
    const fsim_health_spec *health = f->spec.health;
    instance_failure *x = &e->failures->instances[i];
    x->unhealthy_ns = fsim_ns_add(e->now_ns, fsim_dist_sample(&health->onset, &f->rest->failures.rng_health));
    x->healthy_ns =
        health->recovers
            ? fsim_ns_add(x->unhealthy_ns, fsim_dist_sample(&health->recovery, &f->rest->failures.rng_health))
            : FSIM_NEVER;
    fsim_wide next = check_from(e, f, i, e->now_ns);
    x->back_ns = x->rests ? check_before(e, f, i, next + health->successes - 1, x->unhealthy_ns) : FSIM_NEVER;
    fsim_wide bad = check_from(e, f, i, x->unhealthy_ns);
    x->streak = bad > next ? 0 : x->streak; /* a check in between succeeds */
    bool in_service = !x->rests || x->back_ns != FSIM_NEVER;
    x->eject_ns = in_service ? check_before(e, f, i, bad + health->failures - x->streak - 1, x->healthy_ns)
                             : FSIM_NEVER;
}

/* ---- timers ---- */

static fsim_ns earlier(fsim_ns a, fsim_ns b) {
    return a < b ? a : b;
}

static void arm(engine *e, uint32_t i) {
    const instance_failure *x = &e->failures->instances[i];
    fsim_ns health_ns = earlier(earlier(x->eject_ns, x->back_ns), x->healthy_ns);
    fsim_ns due_ns = earlier(x->crash_ns, x->ejected ? FSIM_NEVER : health_ns);
    if (due_ns != FSIM_NEVER) {
        fsim_ns ahead_ns = fsim_ns_add(e->now_ns, TIMER_SPAN);
        engine_push(e, due_ns < ahead_ns ? due_ns : ahead_ns, i,
                    EVENT_KIND(EVENT_FAILURE, e->instances[i].generation));
    }
}

void engine_failure_open(engine *e, function *f, uint32_t i) {
    instance_failure *x = &e->failures->instances[i];
    const fsim_crash_spec *crash_spec = f->spec.crash;
    *x = (instance_failure){.serial = ++e->failures->serial,
                            .crash_ns = FSIM_NEVER,
                            .unhealthy_ns = FSIM_NEVER,
                            .healthy_ns = FSIM_NEVER,
                            .eject_ns = FSIM_NEVER,
                            .back_ns = FSIM_NEVER,
                            .first = FSIM_NONE,
                            .last = FSIM_NONE};
    if (crash_spec != NULL && crash_spec->wears) {
        x->crash_ns =
            fsim_ns_add(e->now_ns, fsim_dist_sample(&crash_spec->lifetime, &f->rest->failures.rng_crash));
    }
    if (f->spec.health != NULL) {
        plan_health(e, f, i);
    }
    arm(e, i);
}

/* Healthy again: the checks that it failed and did not go for count on until one succeeds. */
static void recover(engine *e, function *f, uint32_t i) {
    instance_failure *x = &e->failures->instances[i];
    fsim_wide failed = check_from(e, f, i, x->healthy_ns) - check_from(e, f, i, x->unhealthy_ns);
    x->streak = (uint32_t)(x->rests ? 0 : x->streak + failed);
    plan_health(e, f, i);
    arm(e, i);
}

/* A check has put it out of service. */
static void put_out(engine *e, function *f, uint32_t i) {
    instance_failure *x = &e->failures->instances[i];
    e->tallies[e->instances[i].fn].n.ejected += e->now_ns >= e->warmup_ns;
    x->eject_ns = FSIM_NEVER;
    x->rests = f->spec.health->rests;
    arm(e, i); /* it may crash while it empties or rests */
    if (x->rests) {
        rest(e, f, i);
    } else {
        eject(e, f, i);
    }
}

void engine_failure_fire(engine *e, uint32_t i, uint32_t generation) {
    if (e->instances[i].generation != generation) {
        return;
    }
    function *f = engine_function_of(e, i);
    instance_failure *x = &e->failures->instances[i];
    if (x->crash_ns <= e->now_ns) {
        crash(e, f, i, FSIM_NONE, e->instances[i].ready_ns);
    } else if (x->ejected) {
        arm(e, i);
    } else if (x->eject_ns <= e->now_ns) {
        put_out(e, f, i);
    } else if (x->back_ns <= e->now_ns) {
        x->back_ns = FSIM_NEVER;
        x->rests = false;
        arm(e, i);
        come_back(e, f, i);
    } else if (x->healthy_ns <= e->now_ns) {
        recover(e, f, i);
    } else {
        arm(e, i);
    }
}

/* ---- crashes that the scenario asks for ---- */

static bool goes_before(const engine *e, const function *f, uint32_t a, uint32_t b) {
    const instance_failure *x = &e->failures->instances[a], *y = &e->failures->instances[b];
    uint32_t inside_a = e->links[a].inside, inside_b = e->links[b].inside;
    fsim_ns age = e->instances[a].started_ns - e->instances[b].started_ns;
    switch (f->spec.crash->victim) {
    case FSIM_CRASH_NEWEST: age = -age; break;
    case FSIM_CRASH_BUSIEST:
        if (inside_a != inside_b) {
            return inside_a > inside_b;
        }
        break;
    case FSIM_CRASH_OLDEST:
    case FSIM_CRASH_ALL:
    default: break;
    }
    return age != 0 ? age < 0 : x->serial < y->serial;
}

/* A ready one that became ready before the strike; looks at all instances: strikes are few. */
static uint32_t find_victim(const engine *e, const function *f, uint64_t serial_max) {
    uint32_t best = FSIM_NONE;
    for (uint32_t i = 0; i < e->instance_capacity; i++) {
        const instance *in = &e->instances[i];
        if (in->state == INSTANCE_READY && in->fn == id_of(e, f) &&
            e->failures->instances[i].serial <= serial_max &&
            (best == FSIM_NONE || goes_before(e, f, i, best))) {
            best = i;
        }
    }
    return best;
}

void engine_failure_begin(engine *e, function *f) {
    const fsim_crash_spec *spec = f->spec.crash;
    uint32_t *next = &f->rest->failures.next_strike;
    while (spec != NULL && *next < spec->at_count && spec->at_ns[*next] < e->now_ns) {
        (*next)++; /* before a trace has mentioned the function */
    }
    if (spec != NULL && *next < spec->at_count) {
        engine_push(e, spec->at_ns[*next], id_of(e, f), EVENT_STRIKE);
    }
}

void engine_failure_strike(engine *e, function *f) {
    uint64_t serial_max = e->failures->serial; /* what replaces the victims is spared */
    bool all = f->spec.crash->victim == FSIM_CRASH_ALL;
    fsim_ns since_ns =
        f->rest->failures.next_strike != 0 ? f->spec.crash->at_ns[f->rest->failures.next_strike - 1u] : 0;
    f->rest->failures.next_strike++;
    engine_failure_begin(e, f);
    uint32_t i = find_victim(e, f, serial_max);
    while (i != FSIM_NONE) {
        crash(e, f, i, FSIM_NONE, since_ns);
        i = all ? find_victim(e, f, serial_max) : FSIM_NONE;
    }
}
