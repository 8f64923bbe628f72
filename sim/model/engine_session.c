/* Session affinity: which instance a session is bound to, and when it ends (policies spec, section 10:
 * session affinity; billing spec 1.1: a session holds its instance from its first request until its last
 * one's end plus the idle time-out, cut by its life-time).
 *
 * A session is found by hashing function and id. It is bound when a request of it is placed, whoever places
 * it (engine_session_bind), and asked for before any other rule when a request comes in or gets to the head
 * of its function's queue (engine_session_peek). Each has one timer, a hint like all others: it fires at the
 * earliest instant at which the session may end and is set again if it has not. A request costs a look-up and
 * no event; a session costs one event per idle time-out that has passed and one for its end, however long it
 * lasts.
 *
 * An instance that is bound to as many sessions as it may hold is parked in its fleet: only requests of its
 * own sessions enter it. */
#include "model/engine_provision.h"

#include <stdlib.h>
#include <string.h>

typedef struct session {
    uint64_t id;
    fsim_ns dies_ns;  /* end of its life-time */
    fsim_ns quiet_ns; /* the last instant at which it had a request, where `inside` is 0 */
    fsim_ns timer_ns; /* FSIM_NEVER: none is pending */
    uint32_t fn, instance;
    uint32_t inside; /* its requests in instances */
    uint32_t generation;
    uint32_t chain;      /* of its hash bucket; free list */
    uint32_t next, prev; /* of its instance */
} session;

typedef struct session_seat { /* column of the instances */
    uint32_t first, count;
} session_seat;

typedef struct session_ticket { /* column of the requests */
    uint64_t id;                /* 0: none */
    uint32_t session;           /* the one that counts it as inside; FSIM_NONE */
    uint32_t generation;
} session_ticket;

struct session_pool {
    session *items;
    uint32_t capacity, free_first;
    uint32_t *buckets, bucket_count; /* a power of two, at least capacity */
    session_seat *seats;
    uint32_t seat_capacity;
    session_ticket *tickets;
    uint32_t ticket_capacity;
};

static const fsim_session_spec *spec_of(const function *f) {
    return f->spec.session;
}

/* ---- finding ---- */

static uint32_t bucket_of(const session_pool *p, uint32_t fn, uint64_t id) {
    uint64_t h = (id ^ ((uint64_t)fn << 40)) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(h >> 32) & (p->bucket_count - 1u);
}

static uint32_t find(const session_pool *p, uint32_t fn, uint64_t id) {
    if (id == 0 || p->bucket_count == 0) {
        return FSIM_NONE;
    }
    uint32_t s = p->buckets[bucket_of(p, fn, id)];
    while (s != FSIM_NONE && (p->items[s].id != id || p->items[s].fn != fn)) {
        s = p->items[s].chain;
    }
    return s;
}

static void grow_sessions(engine *e, session_pool *p) {
    uint32_t before = p->capacity;
    uint32_t capacity = before == 0 ? 64u : before * 2u;
    if (capacity > FSIM_IN_SYSTEM_MAX) {
        engine_no_memory(e);
    }
    p->items = engine_grow(e, p->items, capacity, sizeof *p->items);
    p->buckets = engine_grow(e, p->buckets, capacity, sizeof *p->buckets);
    p->bucket_count = capacity;
    for (uint32_t b = 0; b < capacity; b++) {
        p->buckets[b] = FSIM_NONE;
    }
    for (uint32_t s = 0; s < before; s++) { /* all of them are live, or it would not grow */
        uint32_t b = bucket_of(p, p->items[s].fn, p->items[s].id);
        p->items[s].chain = p->buckets[b];
        p->buckets[b] = s;
    }
    for (uint32_t s = capacity; s > before; s--) {
        p->items[s - 1u] = (session){.chain = p->free_first};
        p->free_first = s - 1u;
    }
    p->capacity = capacity;
}

void engine_session_grow(engine *e) {
    session_pool *p = e->sessions;
    if (p->seat_capacity < e->instance_capacity) {
        p->seats = engine_grow(e, p->seats, e->instance_capacity, sizeof *p->seats);
        for (; p->seat_capacity < e->instance_capacity; p->seat_capacity++) {
            p->seats[p->seat_capacity] = (session_seat){.first = FSIM_NONE};
        }
    }
    if (p->ticket_capacity < e->request_capacity) {
        p->tickets = engine_grow(e, p->tickets, e->request_capacity, sizeof *p->tickets);
        for (; p->ticket_capacity < e->request_capacity; p->ticket_capacity++) {
            p->tickets[p->ticket_capacity] = (session_ticket){.session = FSIM_NONE};
        }
    }
}

void engine_session_setup(engine *e, function *f) {
    f->extras |= FUNCTION_SESSIONS;
    f->window_drawn =
        true; /* a timer of each instance's own: they do not expire in the order of their idleness */
    if (e->sessions == NULL) {
        e->sessions = engine_grow(e, NULL, 1, sizeof *e->sessions);
        *e->sessions = (session_pool){.free_first = FSIM_NONE};
        engine_session_grow(e);
    }
}

void engine_session_destroy(session_pool *p) {
    if (p != NULL) {
        free(p->items);
        free(p->buckets);
        free(p->seats);
        free(p->tickets);
        free(p);
    }
}

uint64_t engine_session_count(const engine *e, uint32_t fn) {
    uint64_t n = 0;
    for (uint32_t i = 0; e->sessions != NULL && i < e->instance_capacity; i++) {
        bool counts = e->instances[i].state != INSTANCE_FREE && e->instances[i].fn == fn;
        n += counts ? e->sessions->seats[i].count : 0u;
    }
    return n;
}

/* ---- time ---- */

/* The last instant at which a request still finds it: like an idle instance, it ends when this is exceeded.
 */
static fsim_ns last_ns(const engine *e, const session *s) {
    fsim_ns idle_ns = spec_of(&e->functions[s->fn])->idle_ns;
    fsim_ns quiet_ns = s->inside == 0 ? fsim_ns_add(s->quiet_ns, idle_ns) : FSIM_NEVER;
    return quiet_ns < s->dies_ns ? quiet_ns : s->dies_ns;
}

static void arm(engine *e, uint32_t id) {
    session *s = &e->sessions->items[id];
    fsim_ns at_ns = fsim_ns_add(last_ns(e, s), 1);
    if (at_ns < s->timer_ns) {
        s->timer_ns = at_ns;
        engine_push(e, at_ns, id, EVENT_KIND(EVENT_SESSION, s->generation));
    }
}

/* ---- binding ---- */

static uint32_t begin_session(engine *e, function *f, uint64_t id, uint32_t i) {
    session_pool *p = e->sessions;
    uint32_t fn = (uint32_t)(f - e->functions);
    if (p->free_first == FSIM_NONE) {
        grow_sessions(e, p);
    }
    uint32_t k = p->free_first;
    session *s = &p->items[k];
    session_seat *seat = &p->seats[i];
    uint32_t b = bucket_of(p, fn, id);
    p->free_first = s->chain;
    *s = (session){.id = id,
                   .dies_ns = fsim_ns_add(e->now_ns, spec_of(f)->life_ns),
                   .quiet_ns = e->now_ns,
                   .timer_ns = FSIM_NEVER,
                   .fn = fn,
                   .instance = i,
                   .generation = s->generation,
                   .chain = p->buckets[b],
                   .next = seat->first,
                   .prev = FSIM_NONE};
    p->buckets[b] = k;
    if (seat->first != FSIM_NONE) {
        p->items[seat->first].prev = k;
    }
    seat->first = k;
    seat->count++;
    e->tallies[fn].n.sessions_started += e->now_ns >= e->warmup_ns;
    return k;
}

void engine_session_bind(engine *e, function *f, uint32_t r, uint32_t i) {
    session_pool *p = e->sessions;
    session_ticket *ticket = &p->tickets[r];
    if (ticket->id == 0) {
        return;
    }
    uint32_t fn = (uint32_t)(f - e->functions);
    bool counted = (e->requests[r].flags & REQUEST_COUNTED) != 0;
    uint32_t k = find(p, fn, ticket->id);
    if (k == FSIM_NONE) {
        k = begin_session(e, f, ticket->id, i);
    } else {
        bool home = p->items[k].instance == i;
        *(home ? &e->tallies[fn].n.sessions_followed : &e->tallies[fn].n.sessions_elsewhere) += counted;
    }
    p->items[k].inside++;
    ticket->session = k;
    ticket->generation = p->items[k].generation;
    arm(e, k);
}

/* The request is in no instance any more. */
static void unbind(engine *e, uint32_t r) {
    session_pool *p = e->sessions;
    session_ticket *ticket = &p->tickets[r];
    uint32_t k = ticket->session;
    ticket->session = FSIM_NONE;
    if (k == FSIM_NONE || p->items[k].generation != ticket->generation) {
        return; /* none, or it has ended meanwhile */
    }
    if (--p->items[k].inside == 0) {
        p->items[k].quiet_ns = e->now_ns;
        arm(e, k);
    }
}

void engine_session_mark(engine *e, uint32_t r, uint64_t id) {
    e->sessions->tickets[r] = (session_ticket){.id = id, .session = FSIM_NONE};
}

void engine_session_leave(engine *e, uint32_t r) {
    unbind(e, r);
}

/* ---- an instance and its sessions ---- */

bool engine_session_is_full(const engine *e, const function *f, uint32_t i) {
    return e->sessions->seats[i].count >= spec_of(f)->per_instance;
}

bool engine_session_holds(const engine *e, const function *f, uint32_t i) {
    return spec_of(f)->hold && e->sessions->seats[i].count != 0;
}

void engine_session_settle(engine *e, function *f, uint32_t i) {
    instance *in = &e->instances[i];
    if (!in->parked && !in->draining && engine_session_is_full(e, f, i)) {
        engine_park(e, f, i);
    }
}

void engine_session_take_slot(engine *e, function *f, uint32_t i) {
    const instance *in = &e->instances[i];
    if (in->parked || in->draining) {
        e->links[i].inside++;
        return;
    }
    if (!fsim_fleet_enter(&f->fleet[in->provisioned], e->links, i)) {
        engine_no_memory(e);
    }
    engine_session_settle(e, f, i);
}

void engine_session_drain(engine *e, function *f, uint32_t i) {
    engine_unpark(e, f, i);
}

/* ---- following ---- */

session_way engine_session_peek(const engine *e, const function *f, uint32_t r, fsim_cause *cause) {
    const session_pool *p = e->sessions;
    uint32_t k = find(p, (uint32_t)(f - e->functions), p->tickets[r].id);
    if (k == FSIM_NONE) {
        return SESSION_FREE;
    }
    uint32_t i = p->items[k].instance;
    bool claimed = e->claims && e->instances[i].provisioned;
    if (engine_account_full(e, f) && (f->has_reserve || !claimed)) {
        return SESSION_FREE;
    }
    if (e->links[i].inside >= f->concurrency) {
        return spec_of(f)->when_full == FSIM_SESSION_ELSEWHERE ? SESSION_FREE : SESSION_TAKEN;
    }
    if (e->has_quota && e->links[i].inside == 0 && e->instances[i].state == INSTANCE_READY && !claimed &&
        engine_quota_full(e, f, cause)) {
        return SESSION_BLOCKED;
    }
    return SESSION_TAKEN;
}

static void wait_for(engine *e, function *f, uint32_t r, uint32_t i) {
    const fsim_scenario *s = e->scenario;
    if (e->instances[i].state == INSTANCE_STARTING) {
        engine_bind(e, f, r, i, false);
    } else {
        engine_wait_inside(e, f, r, i);
    }
    if (s->queue_has_timeout) {
        const request *q = &e->requests[r];
        fsim_ns at_ns =
            fsim_ns_add(q->arrival_ns, fsim_dist_sample(&s->queue_timeout, &engine_rest(e, f)->rng_timeout));
        engine_push(e, at_ns < e->now_ns ? e->now_ns : at_ns, r,
                    EVENT_KIND(EVENT_SESSION_WAIT, q->generation));
    }
}

session_way engine_session_follow(engine *e, function *f, uint32_t r, fsim_cause *cause) {
    session_way way = engine_session_peek(e, f, r, cause);
    if (way != SESSION_TAKEN) {
        return way;
    }
    const session_pool *p = e->sessions;
    uint32_t i = p->items[find(p, (uint32_t)(f - e->functions), p->tickets[r].id)].instance;
    if (e->links[i].inside < f->concurrency) {
        if (e->instances[i].state == INSTANCE_STARTING) {
            engine_bind(e, f, r, i, false);
        } else {
            engine_enter(e, f, r, i);
        }
    } else if (spec_of(f)->when_full == FSIM_SESSION_REFUSE) {
        engine_refuse(e, r, FSIM_CAUSE_FUNCTION);
    } else {
        wait_for(e, f, r, i);
    }
    return way;
}

/* A request that waits at its instance has waited for long enough. */
void engine_session_stop_waiting(engine *e, uint32_t r, uint32_t generation) {
    request *q = &e->requests[r];
    if (q->generation != generation || q->start_ns != FSIM_NEVER) {
        return;
    }
    function *f = &e->functions[q->fn];
    uint32_t i = q->instance;
    instance *in = &e->instances[i];
    uint32_t before = FSIM_NONE;
    for (uint32_t k = in->head; k != r; k = e->requests[k].link.next) {
        before = k;
    }
    *(before != FSIM_NONE ? &e->requests[before].link.next : &in->head) = q->link.next;
    in->tail = in->tail == r ? before : in->tail;
    engine_count_inside(e, f, i, -1);
    if (f->scaled) {
        engine_sampled_leave(e, i, (q->flags & REQUEST_PROXIED) != 0);
    }
    if (in->state == INSTANCE_STARTING || in->parked || in->draining) {
        e->links[i].inside--;
    } else {
        fsim_fleet_leave(&f->fleet[in->provisioned], e->links, i);
    }
    unbind(e, r);
    q->generation = (q->generation + 1u) & GENERATION_MASK;
    engine_time_out(e, r);
}

/* ---- ending ---- */

static void end_session(engine *e, uint32_t k) {
    session_pool *p = e->sessions;
    session *s = &p->items[k];
    session_seat *seat = &p->seats[s->instance];
    *(s->prev != FSIM_NONE ? &p->items[s->prev].next : &seat->first) = s->next;
    if (s->next != FSIM_NONE) {
        p->items[s->next].prev = s->prev;
    }
    seat->count--;
    uint32_t *link = &p->buckets[bucket_of(p, s->fn, s->id)];
    while (*link != k) {
        link = &p->items[*link].chain;
    }
    *link = s->chain;
    s->generation = (s->generation + 1u) & GENERATION_MASK;
    s->chain = p->free_first;
    p->free_first = k;
}

/* Its instance goes at at_ns, or FSIM_NEVER: it ends by itself. */
static void count_end(engine *e, const session *s, fsim_ns at_ns) {
    fsim_counts *n = &e->tallies[s->fn].n;
    fsim_ns end_ns = last_ns(e, s);
    uint64_t *count = end_ns > at_ns         ? &n->sessions_lost
                      : end_ns == s->dies_ns ? &n->sessions_cut
                                             : &n->sessions_expired;
    *count += e->now_ns >= e->warmup_ns;
}

void engine_session_lose(engine *e, function *f, uint32_t i, fsim_ns at_ns) {
    while (e->sessions->seats[i].count != 0) {
        uint32_t k = e->sessions->seats[i].first;
        count_end(e, &e->sessions->items[k], at_ns);
        end_session(e, k);
    }
    engine_unpark(e, f, i);
}

/* An instance that its last session has held until held_ns, a nanosecond ago. */
static void let_go(engine *e, function *f, uint32_t i, fsim_ns held_ns) {
    instance *in = &e->instances[i];
    if (in->state != INSTANCE_READY || in->executing != 0 || e->links[i].inside != 0 || in->held ||
        engine_session_holds(e, f, i)) {
        return;
    }
    if (in->draining) {
        engine_remove(e, i, e->now_ns - held_ns);
        return;
    }
    bool stays = in->provisioned || f->scaled || f->scale.fixed || f->alive <= f->removable_min;
    if (stays || !spec_of(f)->hold) {
        return;
    }
    if (f->keepalive.remove_at_completion) {
        engine_remove(e, i, e->now_ns - held_ns);
    } else if (f->keepalive.prewarm_ns > 0) {
        engine_idle(e, f, i);
    } else if (in->due_ns < e->now_ns) {
        engine_remove(e, i, e->now_ns - (in->due_ns > held_ns ? in->due_ns : held_ns));
    } else {
        engine_arm_drawn(e, i);
    }
}

void engine_session_fire(engine *e, uint32_t k, uint32_t generation) {
    session *s = &e->sessions->items[k];
    if (s->generation != generation || s->timer_ns != e->now_ns) {
        return;
    }
    s->timer_ns = FSIM_NEVER;
    fsim_ns held_ns = last_ns(e, s);
    if (held_ns >= e->now_ns) {
        arm(e, k);
        return;
    }
    function *f = &e->functions[s->fn];
    uint32_t i = s->instance;
    count_end(e, s, FSIM_NEVER);
    end_session(e, k);
    engine_unpark(e, f, i);
    if (f->queued != 0) {
        engine_serve_queue(e, f);
        engine_cancel_surplus(e, f);
    }
    let_go(e, f, i, held_ns);
}
