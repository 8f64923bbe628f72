/* Settings of the Knative autoscaler: defaults, ranges, and the formulas that resolve them. */
#include "autoscale/knative_settings.h"
#include "autoscale/kpa.h"
#include "support/check.h"

#define S FSIM_SECOND

static void test_defaults_are_valid(void) {
    fsim_knative_settings s = fsim_knative_settings_default();
    fsim_error err = {0};
    CHECK_EQ_INT(fsim_knative_settings_check(&s, &err), FSIM_OK);
    fsim_kpa_params p = fsim_kpa_params_from(&s, true);
    CHECK_NEAR(p.target, 70.0, 1e-9);
    CHECK_NEAR(p.total, 100.0, 0.0);
    CHECK_NEAR(p.panic_threshold, 2.0, 0.0);
    CHECK_NEAR(p.target_burst_capacity, 211.0, 0.0);
    CHECK_EQ_INT(p.stable_window_ns, 60 * S);
    CHECK(p.reachable);
}

/* Changes one setting and expects a refusal that contains `word`. */
#define REFUSED(change, word)                                                                                \
    do {                                                                                                     \
        fsim_knative_settings s = fsim_knative_settings_default();                                           \
        fsim_error err = {0};                                                                                \
        s.change;                                                                                            \
        check_context("%s", #change);                                                                        \
        CHECK_EQ_INT(fsim_knative_settings_check(&s, &err), FSIM_ECONFIG);                                   \
        CHECK_CONTAINS(err.text, word);                                                                      \
    } while (0)

#define ACCEPTED(change)                                                                                     \
    do {                                                                                                     \
        fsim_knative_settings s = fsim_knative_settings_default();                                           \
        s.change;                                                                                            \
        check_context("%s", #change);                                                                        \
        CHECK_EQ_INT(fsim_knative_settings_check(&s, NULL), FSIM_OK);                                        \
    } while (0)

static void test_refusals_of_windows_and_targets(void) {
    REFUSED(stable_window_ns = 5 * S, "stable-window is 5 s, expected 6 to 3600 s");
    REFUSED(stable_window_ns = 3601 * S, "stable-window");
    REFUSED(stable_window_ns = 6 * S + 1, "whole seconds");
    REFUSED(panic_window_percentage = 0.5, "panic-window-percentage is 0.5, expected 1 to 100 %");
    REFUSED(panic_window_percentage = 101, "panic-window-percentage");
    REFUSED(panic_window_percentage = NAN, "panic-window-percentage");
    REFUSED(panic_threshold_percentage = 109, "panic-threshold-percentage is 109, expected 110 to 1000 %");
    REFUSED(panic_threshold_percentage = 1001, "panic-threshold-percentage");
    REFUSED(concurrency_target_percentage = 0, "expected above 0 to 100 %");
    REFUSED(concurrency_target_percentage = 100.5, "container-concurrency-target-percentage");
    REFUSED(concurrency_target_default = 0.01, "expected at least 0.01 requests"); /* times 70 % */
    REFUSED(rps_target_default = 0, "requests-per-second-target-default");
    REFUSED(target = 0.001, "target is 0.001");
    REFUSED(target_utilization_percentage = 0.5, "target-utilization-percentage");
    REFUSED(target_burst_capacity = -2, "target-burst-capacity is -2");
    REFUSED(target_burst_capacity = -0.5, "or -1 for always");
}

static void test_refusals_of_scales_and_limits(void) {
    REFUSED(max_scale_up_rate = 1, "max-scale-up-rate is 1, expected above 1");
    REFUSED(max_scale_down_rate = 1, "max-scale-down-rate");
    REFUSED(scale_to_zero_grace_period_ns = 0, "scale-to-zero-grace-period");
    REFUSED(scale_to_zero_pod_retention_period_ns = -1, "scale-to-zero-pod-retention-period");
    REFUSED(scale_down_delay_ns = 3601 * S, "scale-down-delay");
    REFUSED(scale_down_delay_ns = S / 2, "whole seconds");
    REFUSED(initial_scale = 0, "allow-zero-initial-scale");
    REFUSED(initial_scale = -1, "initial-scale is -1");
    REFUSED(activation_scale = 0, "activation-scale");
    REFUSED(activator_capacity = 0.5, "activator-capacity");
    REFUSED(container_concurrency = 1001, "container-concurrency is 1001, expected 0 to 1000 requests");
    REFUSED(revision_timeout_ns = 601 * S, "revision-timeout");
    REFUSED(max_scale_limit = 5, "max-scale is 0, expected 1 to max-scale-limit, 5 pods");
}

static void test_bounds_are_inclusive(void) {
    ACCEPTED(stable_window_ns = 6 * S);
    ACCEPTED(stable_window_ns = FSIM_HOUR);
    ACCEPTED(panic_threshold_percentage = 110);
    ACCEPTED(concurrency_target_percentage = 0.7);
    ACCEPTED(concurrency_target_percentage = 100);
    ACCEPTED(target_burst_capacity = -1);
    ACCEPTED(target_burst_capacity = 0);
    ACCEPTED(max_scale_down_rate = 1.0001);
    ACCEPTED(container_concurrency = 1000);
    ACCEPTED(max_scale = 3);
}

static void test_bounds_that_contradict(void) {
    fsim_knative_settings s = fsim_knative_settings_default();
    fsim_error err = {0};
    s.min_scale = 4;
    CHECK_EQ_INT(fsim_knative_settings_check(&s, NULL), FSIM_OK); /* max-scale 0 is no bound */
    s.max_scale = 3;
    CHECK_EQ_INT(fsim_knative_settings_check(&s, &err), FSIM_ECONFIG);
    CHECK_CONTAINS(err.text, "min-scale is 4, expected at most max-scale, 3 pods");
    s.max_scale = 10;
    s.max_scale_limit = 9;
    CHECK_EQ_INT(fsim_knative_settings_check(&s, NULL), FSIM_ECONFIG);
    s = fsim_knative_settings_default();
    s.initial_scale = 0;
    s.allow_zero_initial_scale = true;
    CHECK_EQ_INT(fsim_knative_settings_check(&s, NULL), FSIM_OK);
}

static void check_target(const fsim_knative_settings *s, double target, double total) {
    fsim_knative_target got = fsim_knative_resolve_target(s);
    CHECK_NEAR(got.target, target, 1e-12);
    CHECK_NEAR(got.total, total, 0.0);
}

static void test_concurrency_target(void) {
    fsim_knative_settings s = fsim_knative_settings_default();
    check_target(&s, 70.0, 100.0);
    s.container_concurrency = 10;
    check_target(&s, 7.0, 10.0);
    s.target = 4;
    check_target(&s, 2.8, 4.0);
    s.target = 40; /* above the limit: the limit */
    check_target(&s, 7.0, 10.0);
    s.container_concurrency = 0;
    check_target(&s, 28.0, 40.0);
    s.concurrency_target_percentage = 0.5; /* a fraction */
    check_target(&s, 20.0, 40.0);
    s.concurrency_target_percentage = 1.0;
    check_target(&s, 40.0, 40.0);
    s.target_utilization_percentage = 1.0; /* the revision's own is always a percentage */
    check_target(&s, 0.4, 40.0);
    s.target = 0.01;
    check_target(&s, 0.01, 0.01); /* not below */
}

static void test_rps_target(void) {
    fsim_knative_settings s = fsim_knative_settings_default();
    s.metric = FSIM_KNATIVE_RPS;
    s.container_concurrency = 10; /* plays no part */
    s.concurrency_target_percentage = 10.0;
    check_target(&s, 140.0, 200.0);
    s.target = 300;
    check_target(&s, 210.0, 300.0);
    s.target_utilization_percentage = 50.0;
    check_target(&s, 150.0, 300.0);
}

static void test_panic_window(void) {
    CHECK_EQ_INT(fsim_knative_panic_window(60 * S, 10.0, S), 6 * S);
    CHECK_EQ_INT(fsim_knative_panic_window(6 * S, 10.0, S), 1 * S);  /* 0.6 */
    CHECK_EQ_INT(fsim_knative_panic_window(6 * S, 1.0, S), 1 * S);   /* 0.06: at least a bucket */
    CHECK_EQ_INT(fsim_knative_panic_window(25 * S, 10.0, S), 3 * S); /* 2.5: half up */
    CHECK_EQ_INT(fsim_knative_panic_window(24 * S, 10.0, S), 2 * S);
    CHECK_EQ_INT(fsim_knative_panic_window(60 * S, 100.0, S), 60 * S);
    CHECK_EQ_INT(fsim_knative_panic_window(60 * S, 1.0, 2 * S), 2 * S);
}

static void test_initial_scale(void) {
    CHECK_EQ_INT(fsim_knative_initial_scale(3, -1, false), 3);
    CHECK_EQ_INT(fsim_knative_initial_scale(3, 5, false), 5);
    CHECK_EQ_INT(fsim_knative_initial_scale(3, 0, false), 3);
    CHECK_EQ_INT(fsim_knative_initial_scale(3, 0, true), 0);
    CHECK_EQ_INT(fsim_knative_initial_scale(0, -1, true), 0);
}

static void test_activator_count(void) {
    CHECK_EQ_INT(fsim_knative_activator_count(100, 100, 0, 100, 2), 2);
    CHECK_EQ_INT(fsim_knative_activator_count(0, 100, 200, 100, 2), 2);
    CHECK_EQ_INT(fsim_knative_activator_count(0, 100, 201, 100, 2), 3);
    CHECK_EQ_INT(fsim_knative_activator_count(5, 100, 200, 100, 2), 7);
    CHECK_EQ_INT(fsim_knative_activator_count(5, 100, -1, 100, 2), 5);
    CHECK_EQ_INT(fsim_knative_activator_count(0, 100, -1, 100, 2), 2);
    CHECK_EQ_INT(fsim_knative_activator_count(3, 1, -1, 1, 2), 3); /* the -1 is no load */
}

static void test_scrape_sample_size(void) {
    const int64_t pods[] = {-1, 0, 1, 3, 4, 5, 10, 100, 1000, 1000000};
    const int64_t expected[] = {0, 0, 1, 3, 4, 4, 7, 14, 16, 16};
    for (size_t k = 0; k < sizeof pods / sizeof *pods; k++) {
        check_context("%" PRId64 " pods", pods[k]);
        CHECK_EQ_INT(fsim_knative_scrape_sample_size(pods[k]), expected[k]);
    }
}

static void test_activator_in_path(void) {
    CHECK(fsim_knative_activator_in_path(0, 10, false));
    CHECK(fsim_knative_activator_in_path(5, -1, false));
    CHECK(!fsim_knative_activator_in_path(5, 0, false));
    CHECK(!fsim_knative_activator_in_path(1, 10, true));
    CHECK(fsim_knative_activator_in_path(-1, 10, true));
    CHECK(!fsim_knative_activator_in_path(-1, 10, false));
    CHECK(fsim_knative_activator_in_path(-1, -1, false));
}

int main(void) {
    RUN(test_defaults_are_valid);
    RUN(test_refusals_of_windows_and_targets);
    RUN(test_refusals_of_scales_and_limits);
    RUN(test_bounds_are_inclusive);
    RUN(test_bounds_that_contradict);
    RUN(test_concurrency_target);
    RUN(test_rps_target);
    RUN(test_panic_window);
    RUN(test_initial_scale);
    RUN(test_activator_count);
    RUN(test_scrape_sample_size);
    RUN(test_activator_in_path);
    return check_done();
}
