/* Keep-alive windows that follow how a function is used (fsim_keepalive_ops.adapt). The policy is asked on a
 * grid while the function has instances that may go; what a shorter window makes overdue goes then, what a
 * longer one spares is found by the timer that was set before. */
#include "model/engine.h"

#include <stdlib.h>

typedef struct adapting {
    void *state;
    fsim_ns at_ns;      /* the last time */
    fsim_wide executed; /* integral of the requests in execution at that time */
    bool armed;
} adapting;

void engine_adapt_setup(engine *e, function *f) {
    const fsim_keepalive_ops *ops = e->scenario->keepalive;
    if (f->keepalive.adapt_ns == 0) {
        return;
    }
    size_t bytes = ops->state_size != NULL ? ops->state_size(e->scenario->keepalive_params) : 0;
    f->adapting = calloc(1, sizeof *f->adapting);
    void *state = calloc(1, bytes + 1);
    if (f->adapting == NULL || state == NULL) {
        free(state);
        engine_no_memory(e);
    }
    f->adapting->state = state;
}

void engine_adapt_free(function *f) {
    if (f->adapting != NULL) {
        free(f->adapting->state);
        free(f->adapting);
    }
}

void engine_adapt_wake(engine *e, function *f) {
    fsim_ns period_ns = f->keepalive.adapt_ns;
    if (!f->adapting->armed) {
        f->adapting->armed = true;
        engine_push(e, (e->now_ns / period_ns + 1) * period_ns, (uint32_t)(f - e->functions), EVENT_ADAPT);
    }
}

static fsim_keepalive_view look(const engine *e, const function *f) {
    adapting *a = f->adapting;
    fsim_wide executed = level_integral(&f->in_execution.level, e->now_ns);
    uint32_t newest = f->fleet[0].idle_newest;
    bool idle_since = newest != FSIM_NONE && e->instances[newest].since_ns > a->at_ns;
    double over_ns = (double)f->keepalive.adapt_ns; /* it may have slept: then nothing ran before */
    fsim_keepalive_view view = {.now_ns = e->now_ns,
                                .concurrency = (double)(executed - a->executed) / over_ns,
                                .instances = f->alive - (uint32_t)f->provisioned.n,
                                .called = executed > a->executed || idle_since};
    a->at_ns = e->now_ns;
    a->executed = executed;
    return view;
}

static void remove_overdue(engine *e, function *f) {
    for (;;) {
        uint32_t i = f->fleet[0].idle_oldest;
        bool overdue = i != FSIM_NONE && e->instances[i].since_ns + f->window_ns < e->now_ns;
        if (!overdue || f->alive <= f->removable_min) {
            return;
        }
        engine_remove(e, i, 0);
    }
}

void engine_adapt(engine *e, function *f) {
    const fsim_keepalive_view view = look(e, f);
    f->window_ns = e->scenario->keepalive->adapt(f->adapting->state, e->scenario->keepalive_params, &view);
    fsim_dist_constant(&f->keepalive.window, f->window_ns);
    if (!f->window_drawn) { /* with a timer of its own, an instance goes by what held when it became idle */
        remove_overdue(e, f);
    }
    f->adapting->armed = false;
    if (f->alive > f->removable_min) {
        engine_adapt_wake(e, f);
    }
    if (e->waiting_first != FSIM_NONE) {
        engine_serve_waiting(e, 0);
    }
}
