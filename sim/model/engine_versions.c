/* Versions of a function. Each is an entry of its own, with its own instances, queue and scaler; the entry of
 * the function itself runs nothing. It counts what its versions hold together, for the limits that are the
 * function's (engine_limits) and for those of its figures that are no sums: peaks, and the variance of the
 * concurrency. The rest is summed up at the end (engine_result.c).
 *
 * The provisioned instances of a version may change over time (engine_provision.c). */
#include "model/engine_provision.h"

/* ---- what a function counts ---- */

void engine_versions_execute(const engine *e, const function *f, bool more) {
    squared_level *together = &engine_limits(e, f)->in_execution;
    if (more) {
        squared_enter(together, e->now_ns);
    } else {
        squared_leave(together, e->now_ns);
    }
}

void engine_versions_wait(const engine *e, const function *f, bool more) {
    function *group = engine_limits(e, f);
    if (more) {
        group->queued++;
        level_enter(&group->queue, e->now_ns);
    } else {
        group->queued--;
        level_leave(&group->queue, e->now_ns);
    }
}

/* What versions have still to provision and found no room for. */
static void wake_provisioning(engine *e, const function *group) {
    uint32_t first = (uint32_t)(group - e->functions) + 1u;
    for (uint32_t fn = first; fn < first + group->spec.versions->count; fn++) {
        if (e->functions[fn].provision_waits) {
            engine_provision_wake(e, &e->functions[fn]);
        }
    }
}

void engine_versions_live(engine *e, const function *f, bool more) {
    function *group = engine_limits(e, f);
    group->alive = more ? group->alive + 1u : group->alive - 1u;
    group->alive_peak = group->alive > group->alive_peak ? group->alive : group->alive_peak;
    if (!more) {
        wake_provisioning(e, group);
    }
}

static void add_row(fsim_window_row *sum, const fsim_window_row *row) {
    sum->n.arrived += row->n.arrived;
    sum->n.completed += row->n.completed;
    sum->n.rejected_429 += row->n.rejected_429;
    sum->n.rejected_503 += row->n.rejected_503;
    sum->n.timed_out += row->n.timed_out;
    sum->n.cold_affected += row->n.cold_affected;
    sum->n.started += row->n.started;
    sum->n.removed += row->n.removed;
}

void engine_versions_windows(const engine *e) {
    for (uint32_t fn = 0; fn < e->function_count; fn++) {
        if ((e->functions[fn].extras & FUNCTION_VERSION) == 0) {
            continue;
        }
        for (uint32_t w = 0; w < e->window_count; w++) {
            fsim_window_row *rows = &e->result->window_functions[(size_t)w * e->function_count];
            add_row(&rows[e->functions[fn].group], &rows[fn]);
        }
    }
}

/* ---- provisioned instances over time ---- */

static void schedule(engine *e, const function *f, uint32_t step) {
    if (step < f->spec.provisioned_step_count) {
        engine_push(e, f->spec.provisioned_steps[step].at_ns, (uint32_t)(f - e->functions),
                    EVENT_KIND(EVENT_PROVISIONED, step));
    }
}

void engine_versions_begin(engine *e, function *f) {
    schedule(e, f, 0);
}

void engine_versions_step(engine *e, function *f, uint32_t step) {
    engine_provision_set(e, f, f->spec.provisioned_steps[step].count);
    schedule(e, f, step + 1u);
}
