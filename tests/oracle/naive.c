#include "naive_state.h"

#include <stdlib.h>
#include <string.h>

void end_instance(simulation *s, instance *in) {
    for (uint32_t k = s->session_count; k-- > 0;) {
        if (s->sessions[k].instance == (uint32_t)(in - s->instances)) {
            count_end(s, &s->sessions[k], s->now_ns);
            forget_session(s, k);
        }
    }
    in->state = LIFE_GONE;
    unschedule(s, EVENT_WEAR, (uint32_t)(in - s->instances));
}

static void remove_instance(simulation *s, instance *in) {
    end_instance(s, in);
    if (s->now_ns >= s->w->warmup_ns) {
        FOR_EACH_SCOPE(s, in->fn, scope) {
            scope->removed++;
        }
    }
}

/* Moves the clock. Idle instances go on the way, each when its idle time is about to exceed the window. */
static void advance(simulation *s, fsim_ns to_ns) {
    for (;;) {
        instance *first = NULL;
        fsim_ns first_ns = to_ns;
        for (uint32_t i = 0; i < s->instance_count; i++) {
            instance *in = &s->instances[i];
            if (in->state == LIFE_READY && in->inside == 0 && !in->provisioned && !held(s, in) &&
                fsim_ns_add(in->idle_since_ns, s->w->window_ns) < first_ns) {
                first = in;
                first_ns = fsim_ns_add(in->idle_since_ns, s->w->window_ns);
            }
        }
        integrate_until(s, first_ns);
        if (first == NULL) {
            return;
        }
        remove_instance(s, first);
    }
}

/* ---- limits on starts ---- */

static bool may_start(simulation *s, uint32_t fn) {
    const fsim_start_limit *limit = &s->w->start_rate;
    bool own = limit->per_function && !s->w->versions;
    uint32_t lane = own ? fn : 0;
    if (limit->kind == FSIM_LIMIT_NONE) {
        return true;
    }
    if (limit->kind == FSIM_LIMIT_BUCKET) {
        fsim_wide full = (fsim_wide)limit->burst * limit->window_ns;
        s->tokens[lane] += (fsim_wide)(s->now_ns - s->tokens_at_ns[lane]) * limit->n;
        s->tokens[lane] = s->tokens[lane] > full ? full : s->tokens[lane];
        s->tokens_at_ns[lane] = s->now_ns;
        if (s->tokens[lane] < limit->window_ns) {
            return false;
        }
        s->tokens[lane] -= limit->window_ns;
        return true;
    }
    bool fixed = limit->kind == FSIM_LIMIT_FIXED;
    int64_t allowed = fixed && s->now_ns < limit->window_ns ? limit->initial : limit->n;
    /* The starts of this aligned window, or of (now - window, now]. */
    fsim_ns after_ns =
        fixed ? s->now_ns / limit->window_ns * limit->window_ns - 1 : s->now_ns - limit->window_ns;
    int64_t used = 0;
    for (uint32_t i = 0; i < s->start_count; i++) {
        used += s->starts_at_ns[i] > after_ns && (!own || s->starts_fn[i] == fn);
    }
    return used < allowed;
}

instance *start_instance(simulation *s, uint32_t fn, bool provisioned) {
    if (s->instance_count == s->instance_room) {
        s->instance_room = 2 * s->instance_room + 16;
        s->instances = grow(s->instances, s->instance_room, sizeof *s->instances);
    }
    instance *in = &s->instances[s->instance_count++];
    *in = (instance){.fn = fn, .provisioned = provisioned};
    if (s->now_ns >= s->w->warmup_ns) {
        FOR_EACH_SCOPE(s, fn, scope) {
            scope->started++;
        }
    }
    if (provisioned) {
        in->state = LIFE_READY;
        in->used = ++s->uses;
        return in;
    }
    s->starts_at_ns = grow(s->starts_at_ns, s->start_count + 1, sizeof *s->starts_at_ns);
    s->starts_fn = grow(s->starts_fn, s->start_count + 1, sizeof *s->starts_fn);
    s->starts_at_ns[s->start_count] = s->now_ns;
    s->starts_fn[s->start_count++] = fn;
    return in;
}

static void on_ready(simulation *s, uint32_t id);

/* After the request is bound: a start that takes no time is over before anything else happens. */
void launch(simulation *s, const instance *in) {
    uint32_t id = (uint32_t)(in - s->instances);
    if (s->w->functions[in->fn].cold_ns == 0) {
        on_ready(s, id);
    } else {
        schedule(s, s->now_ns + s->w->functions[in->fn].cold_ns, EVENT_READY, id);
    }
}

/* ---- requests ---- */

bool counted(const simulation *s, uint32_t r) {
    return s->w->arrivals[r].at_ns >= s->w->warmup_ns;
}

static void mark_cold(simulation *s, uint32_t r) {
    if (!s->out->requests[r].cold && counted(s, r)) {
        FOR_EACH_SCOPE(s, s->w->arrivals[r].fn, scope) {
            scope->cold_affected++;
        }
    }
    s->out->requests[r].cold = true;
}

void count_cold_start(simulation *s, uint32_t r) {
    mark_cold(s, r);
    if (counted(s, r)) {
        FOR_EACH_SCOPE(s, s->w->arrivals[r].fn, scope) {
            scope->cold_triggered++;
        }
    }
}

static void begin(simulation *s, uint32_t r, instance *in) {
    naive_request *request = &s->out->requests[r];
    join_session(s, r, in);
    request->at_instance = false;
    in->inside++;
    in->used = ++s->uses;
    request->instance = (uint32_t)(in - s->instances);
    request->start_ns = s->now_ns;
    s->began[r] = s->uses;
    schedule(s, s->now_ns + s->w->arrivals[r].service_ns, EVENT_DONE, r);
}

/* The wait before its last execution. */
void count_wait(simulation *s, uint32_t r) {
    fsim_ns wait_ns = s->out->requests[r].start_ns - s->w->arrivals[r].at_ns;
    FOR_EACH_SCOPE(s, s->w->arrivals[r].fn, scope) {
        scope->wait_ns += wait_ns;
        scope->wait_max_ns = wait_ns > scope->wait_max_ns ? wait_ns : scope->wait_max_ns;
        scope->waited += wait_ns > 0;
    }
}

static bool comes_before(const simulation *s, uint32_t a, uint32_t b) {
    const instance *x = &s->instances[a], *y = &s->instances[b];
    uint32_t last = s->last_taken[x->fn][x->provisioned];
    if (x->provisioned != y->provisioned) {
        return x->provisioned; /* they are paid for anyway */
    }
    switch (s->w->route) {
    case FSIM_ROUTE_NEWEST_IDLE: return x->used > y->used;
    case FSIM_ROUTE_OLDEST_IDLE: return x->used < y->used;
    case FSIM_ROUTE_NEWEST_CREATED: return a > b;
    case FSIM_ROUTE_ROUND_ROBIN:
        /* Those after the one taken last come first, each half in order of creation. */
        return last != NAIVE_NO_INSTANCE && (a > last) != (b > last) ? a > last : a < b;
    default: return a < b;
    }
}

/* Round robin goes on after the one that routing took last. */
static void take(simulation *s, uint32_t r, instance *in) {
    s->last_taken[in->fn][in->provisioned] = (uint32_t)(in - s->instances);
    begin(s, r, in);
}

static instance *free_slot(simulation *s, uint32_t fn) {
    uint32_t best = NAIVE_NO_INSTANCE;
    for (uint32_t i = 0; i < s->instance_count; i++) {
        const instance *in = &s->instances[i];
        if (in->fn == fn && in->state == LIFE_READY && in->inside < s->w->functions[fn].slots &&
            !session_full(s, in) && (best == NAIVE_NO_INSTANCE || comes_before(s, i, best))) {
            best = i;
        }
    }
    return best == NAIVE_NO_INSTANCE ? NULL : &s->instances[best];
}

/* Early binding with several slots: a place in the instance that was started last, if it still starts. */
static instance *starting_slot(simulation *s, uint32_t fn) {
    for (uint32_t i = s->instance_count; i-- > 0;) {
        instance *in = &s->instances[i];
        if (in->fn == fn && in->state == LIFE_STARTING) {
            return in->bound_count < s->w->functions[fn].slots && !session_full(s, in) ? in : NULL;
        }
    }
    return NULL;
}

static void wait_there(simulation *s, uint32_t r, instance *in) {
    join_session(s, r, in);
    in->bound = grow(in->bound, in->bound_count + 1, sizeof *in->bound);
    in->bound[in->bound_count++] = r;
}

void bind(simulation *s, uint32_t r, instance *in) {
    wait_there(s, r, in);
    mark_cold(s, r);
}

/* The first of those who wait there executes. */
static void begin_first_bound(simulation *s, instance *in) {
    uint32_t r = in->bound[0];
    in->bound_count--;
    memmove(&in->bound[0], &in->bound[1], in->bound_count * sizeof *in->bound);
    begin(s, r, in);
}

void leave_queue(simulation *s, uint32_t place) {
    s->out->requests[s->queue[place]].waiting = false;
    s->queue_count--;
    memmove(&s->queue[place], &s->queue[place + 1], (s->queue_count - place) * sizeof *s->queue);
}

/* A start is surplus when more instances start than requests wait: the latest goes first. */
static void cancel_surplus(simulation *s, uint32_t fn) {
    for (uint32_t i = s->instance_count; s->w->late && s->w->cancel_start && i-- > 0;) {
        state n = count(s, fn);
        instance *in = &s->instances[i];
        if (n.starting > n.queued && in->fn == fn && in->state == LIFE_STARTING) {
            unschedule(s, EVENT_READY, i);
            remove_instance(s, in);
        }
    }
}

static void follow(simulation *s, uint32_t r);

typedef enum way { WAY_ANYWHERE, WAY_BLOCKED, WAY_FOLLOW } way;

/* A session's request goes to the session's instance, unless that is full and may be left. */
static way way_of(const simulation *s, uint32_t r) {
    const naive_function *f = &s->w->functions[s->w->arrivals[r].fn];
    const session *x = f->has_sessions ? find_session(s, r) : NULL;
    if (x == NULL) {
        return WAY_ANYWHERE;
    }
    const instance *in = &s->instances[x->instance];
    if (in->inside + in->bound_count >= f->slots) {
        return f->session.when_full == FSIM_SESSION_ELSEWHERE ? WAY_ANYWHERE : WAY_FOLLOW;
    }
    bool wakes = in->state == LIFE_READY && in->inside == 0;
    state all = count(s, FSIM_UNLIMITED);
    return wakes && all.busy_memory_mb + f->memory_mb > s->w->memory_quota_mb ? WAY_BLOCKED : WAY_FOLLOW;
}

uint32_t first_in_queue(const simulation *s, uint32_t fn) {
    uint32_t i = 0;
    while (i < s->queue_count && s->w->arrivals[s->queue[i]].fn != fn) {
        i++;
    }
    return i;
}

/* Free slots take the requests that have waited longest. `fresh`: only this instance, which has just started
 * and is not routed to; else NULL. A session's request goes where its session is. */
void serve_queue(simulation *s, uint32_t fn, uint32_t fresh) {
    for (uint32_t i = first_in_queue(s, fn); i < s->queue_count; i = first_in_queue(s, fn)) {
        uint32_t r = s->queue[i];
        instance *in = fresh == NAIVE_NO_INSTANCE ? free_slot(s, fn) : &s->instances[fresh];
        if (fresh != NAIVE_NO_INSTANCE && in->inside + in->bound_count >= s->w->functions[fn].slots) {
            break;
        }
        way where = way_of(s, r);
        instance *starting = fresh == NAIVE_NO_INSTANCE && !s->w->late ? starting_slot(s, fn) : NULL;
        if (where == WAY_FOLLOW) {
            leave_queue(s, i);
            follow(s, r);
        } else if (where == WAY_BLOCKED) {
            break;
        } else if (in != NULL && !session_full(s, in)) {
            leave_queue(s, i);
            if (fresh != NAIVE_NO_INSTANCE) {
                mark_cold(s, r);
                begin(s, r, in);
            } else {
                take(s, r, in);
            }
        } else if (starting != NULL) {
            leave_queue(s, i);
            bind(s, r, starting);
        } else {
            break;
        }
    }
    cancel_surplus(s, fn);
}

/* Keep-alive "none": an instance that has become idle goes at once. */
static void maybe_remove(simulation *s, instance *in) {
    if (s->w->remove_at_completion && in->inside == 0 && !in->provisioned && !held(s, in)) {
        remove_instance(s, in);
    }
}

/* False: no attempt is left. */
bool try_again(simulation *s, uint32_t r) {
    naive_request *request = &s->out->requests[r];
    if (request->retries == s->w->retry_attempts) {
        return false;
    }
    fsim_ns delay_ns = s->w->retry_ns;
    for (uint32_t i = 0; i < request->retries; i++) {
        delay_ns *= s->w->retry_factor;
    }
    request->retries++;
    schedule(s, s->now_ns + delay_ns, EVENT_RETRY, r);
    return true;
}

static void refuse(simulation *s, uint32_t r, fsim_cause cause) {
    naive_request *request = &s->out->requests[r];
    if (counted(s, r)) {
        FOR_EACH_SCOPE(s, s->w->arrivals[r].fn, scope) {
            scope->throttled[cause]++;
        }
    }
    if (s->w->retry_on_429 && cause != FSIM_CAUSE_QUEUE_FULL && try_again(s, r)) {
        return;
    }
    request->outcome = cause == FSIM_CAUSE_QUEUE_FULL ? NAIVE_REJECTED_503 : NAIVE_REJECTED_429;
    request->end_ns = s->now_ns;
}

static void join_queue(simulation *s, uint32_t r) {
    uint32_t fn = s->w->arrivals[r].fn;
    if ((uint64_t)count(s, fn).queued >= s->w->queue_capacity) {
        refuse(s, r, s->w->queue_capacity == 0 ? FSIM_CAUSE_FUNCTION : FSIM_CAUSE_QUEUE_FULL);
        return;
    }
    s->queue = grow(s->queue, s->queue_count + 1, sizeof *s->queue);
    s->queue[s->queue_count++] = r;
    s->out->requests[r].waiting = true;
    observe_peaks(s); /* also those who wait for no time */
    if (s->w->queue_timeout_ns != FSIM_NEVER) {
        fsim_ns due_ns = s->w->arrivals[r].at_ns + s->w->queue_timeout_ns;
        schedule(s, due_ns > s->now_ns ? due_ns : s->now_ns, EVENT_TIMEOUT, r);
    }
    state n = count(s, fn);
    if (s->w->late && n.queued > n.starting &&
        n.starting + n.busy + n.idle < s->w->functions[fn].max_instances) {
        const instance *in = start_instance(s, fn, false);
        count_cold_start(s, r);
        launch(s, in);
    }
}

/* Where way_of says so. */
static void follow(simulation *s, uint32_t r) {
    const naive_function *f = &s->w->functions[s->w->arrivals[r].fn];
    instance *in = &s->instances[find_session(s, r)->instance];
    bool starting = in->state == LIFE_STARTING, full = in->inside + in->bound_count >= f->slots;
    if (full && f->session.when_full == FSIM_SESSION_REFUSE) {
        refuse(s, r, FSIM_CAUSE_FUNCTION);
        return;
    }
    if (full && s->w->queue_timeout_ns != FSIM_NEVER) {
        fsim_ns due_ns = s->w->arrivals[r].at_ns + s->w->queue_timeout_ns;
        schedule(s, due_ns > s->now_ns ? due_ns : s->now_ns, EVENT_TIMEOUT, r);
    }
    if (starting) {
        bind(s, r, in);
    } else if (full) {
        wait_there(s, r, in);
    } else {
        begin(s, r, in);
    }
    s->out->requests[r].at_instance = full;
}

void attempt(simulation *s, uint32_t r) {
    uint32_t fn = s->w->arrivals[r].fn;
    const naive_function *f = &s->w->functions[fn];
    state all = count(s, FSIM_UNLIMITED), own = count(s, fn);
    if ((uint64_t)all.inside >= s->w->account_concurrency) {
        refuse(s, r, FSIM_CAUSE_ACCOUNT);
        return;
    }
    way where = way_of(s, r);
    if (where == WAY_FOLLOW) {
        follow(s, r);
        return;
    }
    if (where == WAY_BLOCKED) {
        refuse(s, r, FSIM_CAUSE_MEMORY_QUOTA);
        return;
    }
    instance *in = own.queued == 0 ? free_slot(s, fn) : NULL;
    bool wakes = in == NULL || in->inside == 0; /* memory that does not count yet */
    state limited = s->w->versions ? all : own;
    bool full = in == NULL && (own.queued > 0 /* nobody overtakes those who wait */
                               || limited.starting + limited.busy + limited.idle >= f->max_instances);
    instance *starting = in == NULL && own.queued == 0 && !s->w->late ? starting_slot(s, fn) : NULL;
    if (starting != NULL) {
        bind(s, r, starting);
    } else if (in == NULL && (s->w->late || full)) {
        join_queue(s, r);
    } else if (wakes && all.busy_memory_mb + f->memory_mb > s->w->memory_quota_mb) {
        refuse(s, r, FSIM_CAUSE_MEMORY_QUOTA);
    } else if (in != NULL) {
        take(s, r, in);
    } else if (!may_start(s, fn)) {
        refuse(s, r, FSIM_CAUSE_START_RATE);
    } else {
        in = start_instance(s, fn, false);
        bind(s, r, in);
        count_cold_start(s, r);
        launch(s, in);
    }
}

/* ---- events ---- */

static void on_ready(simulation *s, uint32_t id) {
    instance *in = &s->instances[id];
    in->state = LIFE_READY;
    in->used = ++s->uses;
    in->idle_since_ns = s->now_ns;
    if (s->w->functions[in->fn].lifetime_ns != FSIM_NEVER) {
        schedule(s, s->now_ns + s->w->functions[in->fn].lifetime_ns, EVENT_WEAR, id);
    }
    while (in->bound_count > 0 && in->inside < s->w->functions[in->fn].slots) {
        begin_first_bound(s, in);
    }
    serve_queue(s, in->fn, id);
    maybe_remove(s, in);
}

static void on_done(simulation *s, uint32_t r) {
    naive_request *request = &s->out->requests[r];
    instance *in = &s->instances[request->instance];
    in->inside--;
    in->used = ++s->uses;
    in->idle_since_ns = s->now_ns;
    leave_session(s, r);
    request->end_ns = s->now_ns;
    request->outcome = NAIVE_COMPLETED;
    if (counted(s, r)) {
        count_wait(s, r);
        fsim_ns latency_ns = s->now_ns - s->w->arrivals[r].at_ns;
        FOR_EACH_SCOPE(s, in->fn, scope) {
            scope->latency_ns += latency_ns;
            scope->latency_max_ns = latency_ns > scope->latency_max_ns ? latency_ns : scope->latency_max_ns;
            scope->service_ns += s->now_ns - request->start_ns;
        }
    }
    if (in->bound_count > 0) {
        begin_first_bound(s, in);
    } else {
        serve_queue(s, in->fn, NAIVE_NO_INSTANCE);
    }
    maybe_remove(s, in);
}

/* The session was over `over_ns` ago. An instance that it was the last to hold, and whose keep-alive has
 * passed meanwhile, should have gone then: that span was not idle time. */
static void end_session(simulation *s, uint32_t k) {
    session x = s->sessions[k];
    instance *in = &s->instances[x.instance];
    fsim_ns held_ns = last_instant(s, &x);
    count_end(s, &x, FSIM_NEVER);
    if (session_full(s, in) && in->state == LIFE_READY) {
        in->used = ++s->uses; /* open for others again */
    }
    forget_session(s, k);
    serve_queue(s, x.fn, NAIVE_NO_INSTANCE);
    in = &s->instances[x.instance];
    fsim_ns due_ns = s->w->remove_at_completion ? held_ns : fsim_ns_add(in->idle_since_ns, s->w->window_ns);
    due_ns = due_ns > held_ns ? due_ns : held_ns;
    if (s->w->functions[x.fn].session.hold && in->state == LIFE_READY && in->inside == 0 &&
        !in->provisioned && !held(s, in) && due_ns < s->now_ns) {
        remove_instance(s, in);
        FOR_EACH_SCOPE(s, x.fn, scope) {
            scope->idle_ns -= s->now_ns > s->w->warmup_ns ? s->now_ns - due_ns : 0;
        }
    }
}

static void on_session(simulation *s) {
    for (uint32_t k = 0; k < s->session_count;) {
        if (last_instant(s, &s->sessions[k]) < s->now_ns) {
            end_session(s, k);
            k = 0;
        } else {
            k++;
        }
    }
}

static void give_up_at_instance(simulation *s, uint32_t r) {
    for (uint32_t i = 0; i < s->instance_count; i++) {
        instance *in = &s->instances[i];
        for (uint32_t k = 0; k < in->bound_count; k++) {
            if (in->bound[k] == r) {
                in->bound_count--;
                memmove(&in->bound[k], &in->bound[k + 1], (in->bound_count - k) * sizeof *in->bound);
                leave_session(s, r);
                return;
            }
        }
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): once for each that came at the same instant */
static void on_timeout(simulation *s, uint32_t r) {
    if (!s->out->requests[r].waiting && !s->out->requests[r].at_instance) {
        return;
    }
    if (s->out->requests[r].at_instance) {
        s->out->requests[r].at_instance = false;
        give_up_at_instance(s, r);
    }
    for (uint32_t i = 0; i < s->queue_count; i++) {
        if (s->queue[i] == r) {
            leave_queue(s, i);
            break;
        }
    }
    s->out->requests[r].outcome = NAIVE_TIMED_OUT;
    s->out->requests[r].end_ns = s->now_ns;
    cancel_surplus(s, s->w->arrivals[r].fn);
    /* Those that came to wait at the same instant as the head of a queue leave it together. */
    for (uint32_t i = 0; i < s->queue_count; i++) {
        const naive_arrival *other = &s->w->arrivals[s->queue[i]];
        if (other->fn == s->w->arrivals[r].fn && other->at_ns == s->w->arrivals[r].at_ns) {
            on_timeout(s, s->queue[i]);
            return;
        }
    }
}

static void handle(simulation *s, event e) {
    switch (e.kind) {
    case EVENT_READY: on_ready(s, e.who); break;
    case EVENT_DONE: on_done(s, e.who); break;
    case EVENT_TIMEOUT: on_timeout(s, e.who); break;
    case EVENT_RETRY: attempt(s, e.who); break;
    case EVENT_SESSION: on_session(s); break;
    case EVENT_WEAR:
        if (s->instances[e.who].state == LIFE_READY) { /* its keep-alive may have ended just before */
            crash(s, e.who);
        }
        break;
    case EVENT_STRIKE: on_strike(s, e.who); break;
    }
    observe_peaks(s);
}

static void handle_next(simulation *s) {
    event *e = s->events;
    s->events = e->next;
    advance(s, e->at_ns);
    handle(s, *e);
    free(e);
}

/* All events up to and including `until_ns`, in their order. */
static void drain(simulation *s, fsim_ns until_ns) {
    while (s->events != NULL && s->events->at_ns <= until_ns) {
        handle_next(s);
    }
}

static bool someone_inside(const simulation *s) {
    for (const event *e = s->events; e != NULL; e = e->next) {
        if (e->kind == EVENT_DONE || e->kind == EVENT_RETRY) {
            return true;
        }
    }
    state n = count(s, FSIM_UNLIMITED);
    return n.inside > 0 || n.queued > 0;
}

static void tally(simulation *s) {
    for (uint32_t r = 0; r < s->w->arrival_count; r++) {
        const naive_request *request = &s->out->requests[r];
        if (s->w->arrivals[r].at_ns > s->now_ns || !counted(s, r)) {
            continue;
        }
        if (request->outcome == NAIVE_IN_SYSTEM && request->start_ns != FSIM_NEVER) {
            count_wait(s, r);
        }
        FOR_EACH_SCOPE(s, s->w->arrivals[r].fn, scope) {
            scope->arrived++;
            scope->retries += request->retries;
            scope->completed += request->outcome == NAIVE_COMPLETED;
            scope->rejected_429 += request->outcome == NAIVE_REJECTED_429;
            scope->rejected_503 += request->outcome == NAIVE_REJECTED_503;
            scope->timed_out += request->outcome == NAIVE_TIMED_OUT;
            scope->failed += request->outcome == NAIVE_FAILED;
            scope->in_system_at_end += request->outcome == NAIVE_IN_SYSTEM;
        }
    }
    for (uint32_t i = 0; i <= s->w->function_count; i++) {
        uint32_t fn = i < s->w->function_count ? i : FSIM_UNLIMITED;
        state n = count(s, fn);
        scope_of(s, fn)->alive_at_end = (uint64_t)(n.starting + n.busy + n.idle);
    }
    for (uint32_t k = 0; k < s->session_count; k++) {
        FOR_EACH_SCOPE(s, s->sessions[k].fn, scope) {
            scope->sessions_at_end++;
        }
    }
    s->out->end_ns = s->now_ns;
    s->out->horizon_ns = s->now_ns > s->w->warmup_ns ? s->now_ns - s->w->warmup_ns : 0;
}

void naive_run(naive_result *result, const naive_world *world) {
    simulation s = {.w = world, .out = result};
    s.session_of = grow(NULL, world->arrival_count, sizeof *s.session_of);
    memset(s.session_of, 0, world->arrival_count * sizeof *s.session_of);
    s.began = grow(NULL, world->arrival_count, sizeof *s.began);
    *result = (naive_result){.requests = grow(NULL, world->arrival_count, sizeof *result->requests)};
    for (uint32_t r = 0; r < world->arrival_count; r++) {
        result->requests[r] = (naive_request){.start_ns = FSIM_NEVER,
                                              .end_ns = FSIM_NEVER,
                                              .instance = NAIVE_NO_INSTANCE,
                                              .outcome = NAIVE_IN_SYSTEM};
    }
    for (uint32_t fn = 0; fn < world->function_count; fn++) {
        s.last_taken[fn][0] = s.last_taken[fn][1] = NAIVE_NO_INSTANCE;
        schedule_strike(&s, fn);
        s.tokens[fn] = (fsim_wide)world->start_rate.initial * world->start_rate.window_ns;
        for (uint32_t i = 0; i < world->functions[fn].provisioned; i++) {
            start_instance(&s, fn, true);
        }
    }
    observe_peaks(&s);
    for (uint32_t r = 0; r < world->arrival_count && world->arrivals[r].at_ns <= world->until_ns; r++) {
        drain(&s, world->arrivals[r].at_ns);
        advance(&s, world->arrivals[r].at_ns);
        attempt(&s, r);
        observe_peaks(&s);
    }
    if (world->until_ns != FSIM_NEVER) {
        drain(&s, world->until_ns);
        advance(&s, world->until_ns);
    }
    while (world->until_ns == FSIM_NEVER && someone_inside(&s) && s.events != NULL) {
        handle_next(&s);
    }
    tally(&s);
    while (s.events != NULL) {
        event *e = s.events;
        s.events = e->next;
        free(e);
    }
    for (uint32_t i = 0; i < s.instance_count; i++) {
        free(s.instances[i].bound);
    }
    free(s.instances);
    free(s.sessions);
    free(s.session_of);
    free(s.began);
    free(s.queue);
    free(s.starts_at_ns);
    free(s.starts_fn);
}

void naive_result_clear(naive_result *result) {
    free(result->requests);
    result->requests = NULL;
}
