#include "autoscale/knative_apply.h"

static fsim_ns longer(fsim_ns a, fsim_ns b) {
    return a > b ? a : b;
}

fsim_knative_apply_params fsim_knative_apply_params_from(const fsim_knative_settings *settings) {
    return (fsim_knative_apply_params){
        .stable_window_ns = settings->stable_window_ns,
        .grace_period_ns = settings->scale_to_zero_grace_period_ns,
        .pod_retention_ns = settings->scale_to_zero_pod_retention_period_ns,
        .activation_timeout_ns = settings->activation_timeout_ns,
        .target_burst_capacity = settings->target_burst_capacity,
        .min_scale = settings->min_scale,
        .max_scale = settings->max_scale,
        .initial_scale = settings->initial_scale,
        .enable_scale_to_zero = settings->enable_scale_to_zero,
    };
}

static int64_t bounded(const fsim_knative_apply_params *p, const fsim_knative_apply_state *s) {
    bool unreachable = s->reach == FSIM_KNATIVE_UNREACHABLE;
    int64_t lowest = unreachable ? 0 : p->min_scale;
    if (p->initial_scale > 1 && p->initial_scale > lowest && !s->initial_reached && !unreachable) {
        lowest = p->initial_scale;
    }
    int64_t scale = s->desired > lowest ? s->desired : lowest;
    return p->max_scale > 0 && scale > p->max_scale ? p->max_scale : scale;
}

/* Leaves the replicas as they are. */
static fsim_knative_apply_result wait(int64_t scale, fsim_ns recheck_after_ns, const char *reason) {
    return (fsim_knative_apply_result){
        .scale = scale, .recheck_after_ns = recheck_after_ns, .reason = reason};
}

static fsim_knative_apply_result set(const fsim_knative_apply_state *s, int64_t scale, const char *reason) {
    return (fsim_knative_apply_result){.scale = scale, .applied = scale != s->replicas, .reason = reason};
}

static fsim_knative_apply_result activating_to_zero(const fsim_knative_apply_params *p,
                                                    const fsim_knative_apply_state *s) {
    if (s->phase_for_ns > p->activation_timeout_ns) {
        return set(s, 0, "activation failed");
    }
    fsim_ns left_ns = p->activation_timeout_ns - s->phase_for_ns;
    return wait(FSIM_KNATIVE_SCALE_UNKNOWN, fsim_ns_add(left_ns, 1), "activating");
}

static fsim_knative_apply_result active_to_zero(const fsim_knative_apply_params *p,
                                                const fsim_knative_apply_state *s) {
    if (s->phase_for_ns < p->stable_window_ns) {
        fsim_knative_apply_result result = set(s, 1, "active for less than the stable window");
        result.recheck_after_ns = p->stable_window_ns - s->phase_for_ns;
        return result;
    }
    fsim_knative_apply_result result = wait(0, 0, "idle: becomes inactive");
    result.deactivate = true;
    return result;
}

static fsim_knative_apply_result inactive_to_zero(const fsim_knative_apply_params *p,
                                                  const fsim_knative_apply_state *s) {
    /* With unlimited burst the activator is always in the path and needs no proof. */
    if (p->target_burst_capacity != FSIM_KNATIVE_UNLIMITED_BURST && !s->activator_found) {
        fsim_knative_apply_result result = wait(0, 0, "inactive: activator not yet in the path");
        result.probe_activator = true;
        return result;
    }
    fsim_ns retention_ns = s->reach == FSIM_KNATIVE_UNREACHABLE ? 0 : p->pod_retention_ns;
    /* Two ways to zero: inactive for long enough, or the retention over and the activator in the path for
     * long enough. */
    fsim_ns by_age_ns = longer(p->grace_period_ns, retention_ns) - s->phase_for_ns;
    fsim_ns by_proxy_ns = longer(retention_ns - s->phase_for_ns, p->grace_period_ns - s->proxy_for_ns);
    if (by_age_ns <= 0 || by_proxy_ns <= 0) {
        return set(s, 0, "scaled to zero");
    }
    return wait(0, by_age_ns < by_proxy_ns ? by_age_ns : by_proxy_ns,
                retention_ns > s->phase_for_ns ? "inactive: last pod retained" : "inactive: grace period");
}

fsim_knative_apply_result fsim_knative_apply(const fsim_knative_apply_params *p,
                                             const fsim_knative_apply_state *s) {
    if (s->desired < 0 && s->phase != FSIM_KNATIVE_ACTIVATING) {
        return wait(s->desired, 0, "no decision yet");
    }
    int64_t scale = bounded(p, s);
    if (scale != 0) {
        return set(s, scale, scale == s->desired ? "as decided" : "bounded");
    }
    if (!p->enable_scale_to_zero) {
        return set(s, 1, "scale to zero is off");
    }
    switch (s->phase) {
    case FSIM_KNATIVE_ACTIVATING: return activating_to_zero(p, s);
    case FSIM_KNATIVE_ACTIVE: return active_to_zero(p, s);
    case FSIM_KNATIVE_INACTIVE: break;
    }
    return inactive_to_zero(p, s);
}
