/* Applying a decision: bounds, initial scale, and every branch of the way to zero. */
#include "autoscale/knative_apply.h"
#include "support/check.h"

#define S FSIM_SECOND

static fsim_knative_apply_params defaults(void) {
    fsim_knative_settings s = fsim_knative_settings_default();
    return fsim_knative_apply_params_from(&s);
}

/* One pod, nothing wanted, activator proved but not long in the path. */
static fsim_knative_apply_state idle(fsim_knative_phase phase, fsim_ns phase_for_ns) {
    return (fsim_knative_apply_state){.replicas = 1,
                                      .desired = 0,
                                      .phase = phase,
                                      .phase_for_ns = phase_for_ns,
                                      .activator_found = true,
                                      .initial_reached = true,
                                      .reach = FSIM_KNATIVE_REACHABLE};
}

static void check_result(fsim_knative_apply_params p, fsim_knative_apply_state s, int64_t scale, bool applied,
                         fsim_ns recheck_after_ns) {
    fsim_knative_apply_result r = fsim_knative_apply(&p, &s);
    CHECK_EQ_INT(r.scale, scale);
    CHECK(r.applied == applied);
    CHECK_EQ_INT(r.recheck_after_ns, recheck_after_ns);
}

static void test_wish_is_set(void) {
    fsim_knative_apply_state s = idle(FSIM_KNATIVE_ACTIVE, S);
    s.desired = 7;
    check_result(defaults(), s, 7, true, 0);
    s.replicas = 7;
    check_result(defaults(), s, 7, false, 0);
}

static void test_unknown_is_left(void) {
    fsim_knative_apply_state s = idle(FSIM_KNATIVE_ACTIVE, S);
    s.desired = -1;
    check_result(defaults(), s, -1, false, 0);
    s.phase = FSIM_KNATIVE_INACTIVE;
    check_result(defaults(), s, -1, false, 0);
    s.phase = FSIM_KNATIVE_ACTIVATING; /* treated as 0: the start is waited for */
    check_result(defaults(), s, -1, false, 629 * S + 1);
}

static void test_bounds(void) {
    fsim_knative_apply_params p = defaults();
    p.min_scale = 2;
    p.max_scale = 5;
    fsim_knative_apply_state s = idle(FSIM_KNATIVE_ACTIVE, FSIM_HOUR);
    check_result(p, s, 2, true, 0);
    s.desired = 9;
    check_result(p, s, 5, true, 0);
    s.desired = 3;
    check_result(p, s, 3, true, 0);
    s.desired = 0;
    s.reach = FSIM_KNATIVE_REACH_UNKNOWN;
    check_result(p, s, 2, true, 0);
    s.reach = FSIM_KNATIVE_UNREACHABLE; /* min-scale does not hold it; max-scale does */
    check_result(p, s, 0, false, 0);
    s.desired = 9;
    check_result(p, s, 5, true, 0);
}

static void test_initial_scale_once(void) {
    fsim_knative_apply_params p = defaults();
    p.initial_scale = 4;
    fsim_knative_apply_state s = idle(FSIM_KNATIVE_ACTIVATING, 0);
    s.desired = 1;
    s.initial_reached = false;
    check_result(p, s, 4, true, 0);
    s.desired = -1;
    check_result(p, s, 4, true, 0);
    s.desired = 1;
    p.min_scale = 6;
    check_result(p, s, 6, true, 0);
    p.min_scale = 0;
    s.initial_reached = true;
    s.replicas = 4;
    check_result(p, s, 1, true, 0);
    s.initial_reached = false;
    s.reach = FSIM_KNATIVE_UNREACHABLE;
    check_result(p, s, 1, true, 0);
    s = idle(FSIM_KNATIVE_INACTIVE, 30 * S); /* an initial scale of 1 does not keep one */
    s.initial_reached = false;
    check_result(defaults(), s, 0, true, 0);
}

static void test_zero_switched_off(void) {
    fsim_knative_apply_params p = defaults();
    p.enable_scale_to_zero = false;
    check_result(p, idle(FSIM_KNATIVE_INACTIVE, FSIM_HOUR), 1, false, 0);
    fsim_knative_apply_state s = idle(FSIM_KNATIVE_ACTIVE, 0);
    s.replicas = 3;
    check_result(p, s, 1, true, 0);
}

static void test_activating(void) {
    check_result(defaults(), idle(FSIM_KNATIVE_ACTIVATING, 100 * S), -1, false, 530 * S + 1);
    check_result(defaults(), idle(FSIM_KNATIVE_ACTIVATING, 630 * S), -1, false, 1);
    check_result(defaults(), idle(FSIM_KNATIVE_ACTIVATING, 630 * S + 1), 0, true, 0);
}

static void test_active(void) {
    fsim_knative_apply_state s = idle(FSIM_KNATIVE_ACTIVE, 59 * S);
    check_result(defaults(), s, 1, false, 1 * S);
    s.replicas = 10; /* down to one while waiting */
    check_result(defaults(), s, 1, true, 1 * S);
    s.phase_for_ns = 60 * S;
    fsim_knative_apply_params p = defaults();
    fsim_knative_apply_result r = fsim_knative_apply(&p, &s);
    CHECK_EQ_INT(r.scale, 0);
    CHECK(r.deactivate && !r.applied && !r.probe_activator);
    CHECK_EQ_INT(r.recheck_after_ns, 0);
}

static void test_inactive_grace(void) {
    check_result(defaults(), idle(FSIM_KNATIVE_INACTIVE, 29 * S), 0, false, 1 * S);
    check_result(defaults(), idle(FSIM_KNATIVE_INACTIVE, 30 * S), 0, true, 0);
    fsim_knative_apply_state s = idle(FSIM_KNATIVE_INACTIVE, 1 * S);
    s.proxy_for_ns = 30 * S; /* the activator was in the path all along: no grace left */
    check_result(defaults(), s, 0, true, 0);
    s.proxy_for_ns = 20 * S;
    check_result(defaults(), s, 0, false, 10 * S);
    s.phase_for_ns = 30 * S;
    s.replicas = 0;
    check_result(defaults(), s, 0, false, 0);
}

static void test_inactive_needs_proof(void) {
    fsim_knative_apply_params p = defaults();
    fsim_knative_apply_state s = idle(FSIM_KNATIVE_INACTIVE, FSIM_HOUR);
    s.activator_found = false;
    fsim_knative_apply_result r = fsim_knative_apply(&p, &s);
    CHECK(r.probe_activator && !r.applied);
    CHECK_EQ_INT(r.recheck_after_ns, 0);
    p.target_burst_capacity = -1.0; /* always in the path */
    r = fsim_knative_apply(&p, &s);
    CHECK(!r.probe_activator && r.applied);
    p.target_burst_capacity = 0.0;
    CHECK(fsim_knative_apply(&p, &s).probe_activator);
}

static void test_pod_retention(void) {
    fsim_knative_apply_params p = defaults();
    p.pod_retention_ns = 90 * S;
    fsim_knative_apply_state s = idle(FSIM_KNATIVE_INACTIVE, 60 * S);
    s.proxy_for_ns = 60 * S;
    check_result(p, s, 0, false, 30 * S); /* retained although the grace is over */
    s.phase_for_ns = 90 * S;
    check_result(p, s, 0, true, 0);
    s.phase_for_ns = 60 * S;
    s.reach = FSIM_KNATIVE_UNREACHABLE;
    check_result(p, s, 0, true, 0);
    p.pod_retention_ns = 10 * S; /* shorter than the grace: only both together */
    s = idle(FSIM_KNATIVE_INACTIVE, 20 * S);
    check_result(p, s, 0, false, 10 * S);
    s.proxy_for_ns = 30 * S;
    check_result(p, s, 0, true, 0);
    s.phase_for_ns = 5 * S;
    check_result(p, s, 0, false, 5 * S);
}

/* Followed literally, the rechecks lead to zero: nothing waits for ever, nothing goes early. */
static void test_rechecks_lead_to_zero(void) {
    fsim_knative_apply_params p = defaults();
    p.pod_retention_ns = 45 * S;
    fsim_knative_apply_state s = idle(FSIM_KNATIVE_ACTIVE, 0);
    fsim_ns now_ns = 0, phase_since_ns = 0;
    for (int step = 0; step < 10 && s.replicas > 0; step++) {
        s.phase_for_ns = now_ns - phase_since_ns;
        s.proxy_for_ns = s.phase == FSIM_KNATIVE_INACTIVE ? s.phase_for_ns : 0;
        fsim_knative_apply_result r = fsim_knative_apply(&p, &s);
        if (r.applied) {
            s.replicas = r.scale;
        } else if (r.deactivate) {
            s.phase = FSIM_KNATIVE_INACTIVE;
            phase_since_ns = now_ns;
        }
        now_ns += r.recheck_after_ns;
    }
    CHECK_EQ_INT(s.replicas, 0);
    CHECK_EQ_INT(now_ns, 105 * S); /* 60 active, 45 retained */
}

int main(void) {
    RUN(test_wish_is_set);
    RUN(test_unknown_is_left);
    RUN(test_bounds);
    RUN(test_initial_scale_once);
    RUN(test_zero_switched_off);
    RUN(test_activating);
    RUN(test_active);
    RUN(test_inactive_grace);
    RUN(test_inactive_needs_proof);
    RUN(test_pod_retention);
    RUN(test_rechecks_lead_to_zero);
    return check_done();
}
