/* What a scaler would have decided: its own code (api/policy_api.h), driven by a recorded metric series
 * instead of the simulated world.
 *
 * Grid. `sample` and `tick` come at the policy's own periods; the grids begin at the first row, at which the
 * policy's clock has run for one period already, and end with the last row.
 *
 * Values. A row holds from its instant until the next one. A tick sees what holds. A sample sees the mean of
 * the rows since the sample before, or what holds where there was none. A row with demand while no instance
 * is wanted wakes the policy (`poke`), as a request would, which may bring a tick beside the grid.
 *
 * Instances. Where the series has `ready`, that many are ready. Else they follow what the policy wants:
 * ready_after_ns after the decision, removed at once, those that start first, then the newest; never more
 * than the function's max_instances. Demand is spread evenly over the ready ones. Without a column of those
 * that wait, what exceeds their slots waits. At the first row there are as many as a run of the simulator
 * begins with, and they are old. `replicas` is what is asked for at that time; without it, what the policy
 * asked for last. For a policy with an activator in front of the instances, a recording does not say which
 * way its requests took: where an instance is ready they count as its own, waiting ones too, else as the
 * activator's.
 *
 * Provisioned instances (setup.provisioned) take what their slots hold; the rest runs elsewhere and is
 * neither inside nor waiting. The most at once is that of the rows. Where the series has `ready` and no
 * `replicas`, as many as are ready at the first row have been asked for.
 *
 * Of no effect: a policy's wish to sleep (it would decide the same again), and starts for single requests. */
#ifndef FSIM_MODEL_DECIDE_H
#define FSIM_MODEL_DECIDE_H

#include "api/metric_series.h"
#include "api/policy_api.h"

typedef struct fsim_decide_setup {
    const fsim_scaling_ops *ops; /* or fsim_provisioned_ops, which are the same */
    const void *params;
    const fsim_fn_spec *fn;
    fsim_ns ready_after_ns;
    uint64_t seed;      /* of what the policy draws */
    const char *series; /* the file, for messages */
    bool provisioned;   /* ops is a policy of provisioned instances */
} fsim_decide_setup;

/* One tick. */
typedef struct fsim_decide_row {
    fsim_ns at_ns;              /* in the clock of the series */
    double inputs[FSIM_INPUTS]; /* of those the series has: as sampled last, or as they hold for a policy
                                   without samples */
    uint32_t desired, ready, starting;
    const fsim_scale_decision *decision;
} fsim_decide_row;

typedef fsim_status (*fsim_decide_fn)(void *user, const fsim_decide_row *row, fsim_error *err);

/* The plan of the policy for the function. FSIM_ECONFIG: it decides nothing that a series could be fed to
 * (a constant number, an instance for each request); FSIM_ELIMIT: out of memory. */
fsim_status fsim_decide_plan(const fsim_decide_setup *setup, fsim_scale_plan *plan, fsim_error *err);

/* Calls `row` for every tick in order, until it fails. FSIM_EDATA: the series lacks a metric that the policy
 * reads; FSIM_ELIMIT: it wants more than FSIM_DECIDE_INSTANCES_MAX. The same input gives the same rows. */
fsim_status fsim_decide(const fsim_metric_series *series, const fsim_decide_setup *setup, fsim_decide_fn row,
                        void *user, fsim_error *err);

#endif
