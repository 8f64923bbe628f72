/* From the autoscaler's wish to a replica count: bounds, initial scale, and the way to zero.
 *
 * A revision goes to zero in steps. Active for a stable window with nothing wanted: it is marked inactive and
 * the network is switched to the activator, its last pod still there. Only when the activator is proved to be
 * in the path, and for long enough, the last pod goes. Source: knative/serving
 * pkg/reconciler/autoscaling/kpa/scaler.go. Pure and stateless; O(1). */
#ifndef FSIM_AUTOSCALE_KNATIVE_APPLY_H
#define FSIM_AUTOSCALE_KNATIVE_APPLY_H

#include "autoscale/knative_settings.h"

#include <stddef.h>

typedef enum fsim_knative_reach {
    FSIM_KNATIVE_REACH_UNKNOWN, /* treated as reachable */
    FSIM_KNATIVE_REACHABLE,
    FSIM_KNATIVE_UNREACHABLE /* no route leads to it: min-scale, initial scale and pod retention do not hold
                                it */
} fsim_knative_reach;

typedef enum fsim_knative_phase {
    FSIM_KNATIVE_ACTIVATING, /* coming up: not yet one ready pod */
    FSIM_KNATIVE_ACTIVE,
    FSIM_KNATIVE_INACTIVE /* to be scaled to zero, or there already */
} fsim_knative_phase;

typedef struct fsim_knative_apply_params {
    fsim_ns stable_window_ns, grace_period_ns, pod_retention_ns, activation_timeout_ns;
    double target_burst_capacity;
    int64_t min_scale, max_scale; /* 0: no bound */
    int64_t initial_scale;
    bool enable_scale_to_zero;
} fsim_knative_apply_params;

typedef struct fsim_knative_apply_state {
    int64_t replicas; /* now asked for */
    int64_t desired;  /* of the last decision; -1: unknown */
    fsim_knative_phase phase;
    fsim_ns phase_for_ns; /* age of the phase */
    fsim_ns proxy_for_ns; /* how long the activator has been in the path; 0: it is not */
    bool activator_found; /* a probe reached the activator */
    bool initial_reached; /* the revision has had its initial scale once */
    fsim_knative_reach reach;
} fsim_knative_apply_state;

typedef struct fsim_knative_apply_result {
    int64_t scale;            /* what the revision should have; -1: unknown, keep */
    bool applied;             /* set replicas to `scale` now: it differs from the present number */
    bool deactivate;          /* the revision becomes inactive */
    bool probe_activator;     /* start probing in the background, each second for up to 45 s */
    fsim_ns recheck_after_ns; /* look again after so long even if nothing changes; 0: no need */
    const char *reason;       /* static, one phrase */
} fsim_knative_apply_result;

fsim_knative_apply_params fsim_knative_apply_params_from(const fsim_knative_settings *settings);

fsim_knative_apply_result fsim_knative_apply(const fsim_knative_apply_params *params,
                                             const fsim_knative_apply_state *state);

#endif
