/* Session affinity in the naive simulator: a list that is searched from the front. */
#include "naive_state.h"

#include <string.h>

static uint32_t sessions_on(const simulation *s, const instance *in) {
    uint32_t n = 0;
    for (uint32_t k = 0; k < s->session_count; k++) {
        n += s->sessions[k].instance == (uint32_t)(in - s->instances);
    }
    return n;
}

/* No other session's request may enter it. */
bool session_full(const simulation *s, const instance *in) {
    const naive_function *f = &s->w->functions[in->fn];
    return f->has_sessions && sessions_on(s, in) >= f->session.per_instance;
}

bool held(const simulation *s, const instance *in) {
    const naive_function *f = &s->w->functions[in->fn];
    return f->has_sessions && f->session.hold && sessions_on(s, in) > 0;
}

session *find_session(const simulation *s, uint32_t r) {
    const naive_arrival *a = &s->w->arrivals[r];
    for (uint32_t k = 0; k < s->session_count; k++) {
        if (a->session != 0 && s->sessions[k].fn == a->fn && s->sessions[k].id == a->session) {
            return &s->sessions[k];
        }
    }
    return NULL;
}

/* It ends when this instant is exceeded. */
fsim_ns last_instant(const simulation *s, const session *x) {
    const fsim_session_spec *spec = &s->w->functions[x->fn].session;
    fsim_ns by_life_ns = fsim_ns_add(x->began_ns, spec->life_ns);
    fsim_ns by_idle_ns = x->inside > 0 ? FSIM_NEVER : fsim_ns_add(x->quiet_ns, spec->idle_ns);
    return by_life_ns < by_idle_ns ? by_life_ns : by_idle_ns;
}

static void schedule_end(simulation *s, const session *x) {
    if (last_instant(s, x) < FSIM_NEVER) {
        schedule(s, last_instant(s, x) + 1, EVENT_SESSION, 0);
    }
}

/* The request comes into an instance, to execute or to wait there. */
void join_session(simulation *s, uint32_t r, const instance *in) {
    const naive_arrival *a = &s->w->arrivals[r];
    if (!s->w->functions[a->fn].has_sessions || a->session == 0 || s->session_of[r] != 0) {
        return;
    }
    uint32_t id = (uint32_t)(in - s->instances);
    session *x = find_session(s, r);
    if (x == NULL) {
        s->sessions = grow(s->sessions, s->session_count + 1, sizeof *s->sessions);
        x = &s->sessions[s->session_count++];
        *x = (session){.fn = a->fn,
                       .id = a->session,
                       .instance = id,
                       .began_ns = s->now_ns,
                       .serial = ++s->session_serial};
        FOR_EACH_SCOPE(s, a->fn, scope) {
            scope->sessions_started += s->now_ns >= s->w->warmup_ns;
        }
    } else {
        FOR_EACH_SCOPE(s, a->fn, scope) {
            *(x->instance == id ? &scope->sessions_followed : &scope->sessions_elsewhere) +=
                a->at_ns >= s->w->warmup_ns;
        }
    }
    x->inside++;
    s->session_of[r] = x->serial;
    schedule_end(s, x);
}

void leave_session(simulation *s, uint32_t r) {
    for (uint32_t k = 0; k < s->session_count; k++) {
        session *x = &s->sessions[k];
        if (x->serial == s->session_of[r] && --x->inside == 0) {
            x->quiet_ns = s->now_ns;
            schedule_end(s, x);
        }
    }
    s->session_of[r] = 0;
}

void forget_session(simulation *s, uint32_t k) {
    s->session_count--;
    memmove(&s->sessions[k], &s->sessions[k + 1], (s->session_count - k) * sizeof *s->sessions);
}

/* By itself, or lost with its instance, which goes at gone_ns. */
void count_end(simulation *s, const session *x, fsim_ns gone_ns) {
    fsim_ns end_ns = last_instant(s, x);
    bool cut = end_ns == fsim_ns_add(x->began_ns, s->w->functions[x->fn].session.life_ns);
    FOR_EACH_SCOPE(s, x->fn, scope) {
        *(end_ns > gone_ns ? &scope->sessions_lost
          : cut            ? &scope->sessions_cut
                           : &scope->sessions_expired) += s->now_ns >= s->w->warmup_ns;
    }
}
