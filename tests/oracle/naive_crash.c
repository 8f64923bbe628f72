/* Crashes in the naive simulator: executions fail, those who wait are placed anew. */
#include "naive_state.h"

#include <stdlib.h>

static bool may_grow(const simulation *s, uint32_t fn) {
    state n = count(s, fn);
    return n.starting + n.busy + n.idle < s->w->functions[fn].max_instances;
}

/* There is room for starts again: late binding starts while more requests wait than instances start, early
 * binding for the first of those who wait. */
static void start_for_queue(simulation *s, uint32_t fn) {
    while (may_grow(s, fn)) {
        state n = count(s, fn);
        if (s->w->late ? n.queued <= n.starting : n.queued == 0) {
            return;
        }
        uint32_t r = s->queue[first_in_queue(s, fn)];
        instance *in = start_instance(s, fn, false);
        if (!s->w->late) {
            leave_queue(s, first_in_queue(s, fn));
            bind(s, r, in);
            count_cold_start(s, r);
        } else if (s->now_ns >= s->w->warmup_ns) {
            FOR_EACH_SCOPE(s, fn, scope) {
                scope->cold_triggered++;
            }
        }
        launch(s, in);
        serve_queue(s, fn, NAIVE_NO_INSTANCE);
    }
}

/* Executions fail in the order in which they began. */
static void fail_inside(simulation *s, uint32_t id) {
    for (event *e = s->events; s->instances[id].inside > 0; e = s->events) {
        uint32_t first = NAIVE_NO_INSTANCE;
        for (; e != NULL; e = e->next) {
            const naive_request *x = &s->out->requests[e->who];
            if (e->kind == EVENT_DONE && x->instance == id &&
                (first == NAIVE_NO_INSTANCE || s->began[e->who] < s->began[first])) {
                first = e->who;
            }
        }
        unschedule(s, EVENT_DONE, first);
        s->instances[id].inside--;
        leave_session(s, first);
        naive_request *request = &s->out->requests[first];
        if (s->w->retry_on_failed && try_again(s, first)) {
            request->start_ns = FSIM_NEVER;
            continue;
        }
        if (counted(s, first)) {
            count_wait(s, first);
        }
        request->outcome = NAIVE_FAILED;
        request->end_ns = s->now_ns;
    }
}

void crash(simulation *s, uint32_t id) {
    uint32_t fn = s->instances[id].fn;
    fail_inside(s, id);
    instance *in = &s->instances[id];
    uint32_t *waiting = in->bound, count_waiting = in->bound_count;
    in->bound = NULL;
    in->bound_count = 0;
    for (uint32_t i = 0; i < count_waiting; i++) {
        leave_session(s, waiting[i]);
        s->out->requests[waiting[i]].at_instance = false;
        unschedule(s, EVENT_TIMEOUT, waiting[i]);
    }
    end_instance(s, in);
    if (s->now_ns >= s->w->warmup_ns) {
        FOR_EACH_SCOPE(s, fn, scope) {
            scope->crashed++;
        }
    }
    observe_peaks(s);
    for (uint32_t i = 0; i < count_waiting; i++) {
        attempt(s, waiting[i]);
    }
    free(waiting);
    serve_queue(s, fn, NAIVE_NO_INSTANCE);
    start_for_queue(s, fn);
}

void schedule_strike(simulation *s, uint32_t fn) {
    const naive_function *f = &s->w->functions[fn];
    if (s->next_strike[fn] < f->strike_count) {
        schedule(s, f->strikes_ns[s->next_strike[fn]], EVENT_STRIKE, fn);
    }
}

void on_strike(simulation *s, uint32_t fn) {
    s->next_strike[fn]++;
    schedule_strike(s, fn);
    for (uint32_t i = 0; i < s->instance_count; i++) {
        if (s->instances[i].fn == fn && s->instances[i].state == LIFE_READY) {
            crash(s, i);
            return;
        }
    }
}
