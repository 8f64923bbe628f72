/* For scalers that decide by totals, and whose count is the least there shall be (fsim_scale_plan.totals,
 * floor): what is above it started on demand and goes when its keep-alive is over. */
#include "model/engine.h"

#include <stdlib.h>

/* Since the last tick. */
typedef struct scale_totals {
    fsim_ns at_ns;
    fsim_wide in_execution, busy, demand; /* integrals at at_ns; demand: ucore x ns that the executing
                                             requests ask for */
} scale_totals;

void engine_totals_setup(engine *e, function *f) {
    f->scale_totals = calloc(1, sizeof *f->scale_totals);
    if (f->scale_totals == NULL) {
        engine_no_memory(e);
    }
    f->scale_totals->at_ns = e->now_ns;
}

static fsim_wide busy_of(const engine *e, const function *f) {
    return level_integral(f->keeps_busy ? &f->busy : &f->in_execution.level, e->now_ns);
}

void engine_totals_wake(const engine *e, function *f) {
    scale_totals *t = f->scale_totals;
    t->at_ns = e->now_ns;
    t->in_execution = level_integral(&f->in_execution.level, e->now_ns);
    t->busy = busy_of(e, f);
    t->demand = demand_integral(&f->demand, e->now_ns);
}

/* Instances use no more CPU than they have: what the busy ones can give bounds what the requests ask for. */
void engine_totals_read(const engine *e, function *f, fsim_scale_view *view) {
    scale_totals before = *f->scale_totals;
    engine_totals_wake(e, f);
    const scale_totals *now = f->scale_totals;
    view->elapsed_ns = now->at_ns - before.at_ns;
    if (view->elapsed_ns <= 0) {
        view->concurrency = (double)f->in_execution.level.n;
        return;
    }
    double elapsed_ns = (double)view->elapsed_ns;
    double asked = (double)(now->demand - before.demand) / FSIM_UCORE / elapsed_ns;
    double given = (double)(now->busy - before.busy) / elapsed_ns * f->spec.vcpu;
    view->concurrency = (double)(now->in_execution - before.in_execution) / elapsed_ns;
    view->cpu = asked < given ? asked : given;
}

/* Those whose keep-alive was over while the floor held them go now, the longest idle first. */
static void release_overdue(engine *e, function *f) {
    uint32_t i = f->fleet[0].idle_oldest;
    while (i != FSIM_NONE && f->alive > f->removable_min) {
        uint32_t newer = e->links[i].idle_newer;
        if (e->links[i].inside == 0 && e->instances[i].due_ns < e->now_ns) {
            engine_remove(e, i, 0);
        }
        i = newer;
    }
}

void engine_floor_set(engine *e, function *f) {
    uint32_t least = f->spec.min_instances > f->wanted ? f->spec.min_instances : f->wanted;
    uint32_t before = f->removable_min;
    f->removable_min = least + (uint32_t)f->provisioned.n;
    if (f->removable_min >= before || f->fleet[0].idle_oldest == FSIM_NONE) {
        return;
    }
    if (f->window_drawn) {
        release_overdue(e, f);
    } else if (f->window_ns != FSIM_NEVER && !f->expire_armed) {
        engine_expire(e, f);
    }
}
