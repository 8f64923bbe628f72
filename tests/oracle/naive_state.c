/* State and clock of the naive simulator. */
#include "naive_state.h"

#include <stdlib.h>

void *grow(void *block, size_t count, size_t size) {
    void *grown = realloc(block, (count > 0 ? count : 1) * size);
    fsim_assert(grown != NULL);
    return grown;
}

void schedule(simulation *s, fsim_ns at_ns, event_kind kind, uint32_t who) {
    event **place = &s->events;
    while (*place != NULL && (*place)->at_ns <= at_ns) {
        place = &(*place)->next;
    }
    event *e = grow(NULL, 1, sizeof *e);
    *e = (event){.at_ns = at_ns, .kind = kind, .who = who, .next = *place};
    *place = e;
}

void unschedule(simulation *s, event_kind kind, uint32_t who) {
    for (event **place = &s->events; *place != NULL; place = &(*place)->next) {
        if ((*place)->kind == kind && (*place)->who == who) {
            event *gone = *place;
            *place = gone->next;
            free(gone);
            return;
        }
    }
}

/* ---- the state, counted from scratch ---- */

/* Of one function, or of all for fn = FSIM_UNLIMITED. */
state count(const simulation *s, uint32_t fn) {
    state n = {0};
    for (uint32_t i = 0; i < s->instance_count; i++) {
        const instance *in = &s->instances[i];
        if (in->state == LIFE_GONE || (fn != FSIM_UNLIMITED && in->fn != fn)) {
            continue;
        }
        bool starting = in->state == LIFE_STARTING, busy = !starting && in->inside > 0;
        n.starting += starting;
        n.busy += busy;
        n.idle += !starting && !busy;
        n.in_execution += in->inside;
        n.inside += in->inside + in->bound_count;
        n.busy_memory_mb += starting || busy ? s->w->functions[in->fn].memory_mb : 0;
    }
    for (uint32_t i = 0; i < s->queue_count; i++) {
        n.queued += fn == FSIM_UNLIMITED || s->w->arrivals[s->queue[i]].fn == fn;
    }
    return n;
}

naive_scope *scope_of(simulation *s, uint32_t fn) {
    return fn == FSIM_UNLIMITED ? &s->out->total : &s->out->per_function[fn];
}

static uint64_t larger(uint64_t a, int64_t b) {
    return a > (uint64_t)b ? a : (uint64_t)b;
}

void observe_peaks(simulation *s) {
    if (s->now_ns < s->w->warmup_ns) {
        return;
    }
    for (uint32_t i = 0; i <= s->w->function_count; i++) {
        uint32_t fn = i < s->w->function_count ? i : FSIM_UNLIMITED;
        naive_scope *scope = scope_of(s, fn);
        state n = count(s, fn);
        scope->in_execution_peak = larger(scope->in_execution_peak, n.in_execution);
        scope->instances_peak = larger(scope->instances_peak, n.starting + n.busy + n.idle);
        scope->queue_peak = larger(scope->queue_peak, n.queued);
    }
}

void integrate_until(simulation *s, fsim_ns to_ns) {
    fsim_ns from_ns = s->now_ns > s->w->warmup_ns ? s->now_ns : s->w->warmup_ns;
    fsim_ns dt = to_ns - from_ns;
    for (uint32_t i = 0; dt > 0 && i <= s->w->function_count; i++) {
        uint32_t fn = i < s->w->function_count ? i : FSIM_UNLIMITED;
        naive_scope *scope = scope_of(s, fn);
        state n = count(s, fn);
        scope->in_execution_ns += dt * n.in_execution;
        scope->in_execution_sq_ns += dt * n.in_execution * n.in_execution;
        scope->starting_ns += dt * n.starting;
        scope->busy_ns += dt * n.busy;
        scope->idle_ns += dt * n.idle;
        scope->queue_ns += dt * n.queued;
    }
    s->now_ns = to_ns;
    if (dt > 0) {
        observe_peaks(s);
    }
}
