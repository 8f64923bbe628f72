/* Decisions of the Knative Pod Autoscaler, each worked out by hand. */
#include "autoscale/kpa.h"
#include "support/check.h"

#define S FSIM_SECOND

static fsim_sliding_max_entry entries[64];

/* 10 requests a pod, 13 at most, factors of 10. */
static fsim_kpa_params params_of_ten(void) {
    return (fsim_kpa_params){.target = 10.0,
                             .total = 13.0,
                             .target_burst_capacity = 100.0,
                             .panic_threshold = 2.0,
                             .max_scale_up_rate = 10.0,
                             .max_scale_down_rate = 10.0,
                             .stable_window_ns = 60 * S,
                             .reachable = true};
}

static fsim_kpa scaler_of(fsim_kpa_params params) {
    fsim_kpa kpa;
    fsim_kpa_init(&kpa, &params, 0, 1, entries, 64);
    return kpa;
}

static fsim_kpa_decision decide(fsim_kpa *kpa, fsim_ns now_ns, int64_t ready, double stable, double panic) {
    fsim_kpa_reading reading = {.ready = ready, .has_data = true, .stable = stable, .panic = panic};
    return fsim_kpa_decide(kpa, now_ns, &reading);
}

static void test_stable(void) {
    fsim_kpa kpa = scaler_of(params_of_ten());
    CHECK_EQ_INT(decide(&kpa, 0, 5, 50.0, 50.0).desired, 5);
    CHECK_EQ_INT(decide(&kpa, 0, 5, 50.1, 50.0).desired, 6);
    CHECK_EQ_INT(decide(&kpa, 0, 5, 0.0, 0.0).desired, 0); /* floor(5 / 10) */
    CHECK(!kpa.panicking);
}

static void test_panic_threshold_is_inclusive(void) {
    fsim_kpa kpa = scaler_of(params_of_ten());
    CHECK(!decide(&kpa, 0, 5, 50.0, 90.0).panicking); /* 9 / 5 */
    CHECK(decide(&kpa, 0, 5, 50.0, 90.1).panicking);  /* 10 / 5 */
}

/* The surge is judged before the rate limit. */
static void test_panic_is_judged_before_the_limit(void) {
    fsim_kpa_params p = params_of_ten();
    p.max_scale_up_rate = 1.1;
    fsim_kpa kpa = scaler_of(p);
    fsim_kpa_decision d = decide(&kpa, 0, 5, 50.0, 1000.0);
    CHECK(d.panicking);
    CHECK_EQ_INT(d.desired, 6); /* ceil(5.5) */
}

static void test_panic_never_shrinks_and_ends_strictly_after(void) {
    fsim_kpa kpa = scaler_of(params_of_ten());
    CHECK_EQ_INT(decide(&kpa, 0, 2, 20.0, 200.0).desired, 20);
    CHECK_EQ_INT(decide(&kpa, 2 * S, 20, 30.0, 100.0).desired, 20);
    CHECK_EQ_INT(decide(&kpa, 4 * S, 20, 250.0, 100.0).desired, 25); /* the stable value counts too */
    fsim_kpa_decision d = decide(&kpa, 60 * S, 25, 10.0, 10.0);
    CHECK(d.panicking); /* exactly a stable window: not yet */
    CHECK_EQ_INT(d.desired, 25);
    d = decide(&kpa, 60 * S + 1, 25, 30.0, 30.0);
    CHECK(!d.panicking);
    CHECK_EQ_INT(d.desired, 3);
    CHECK_EQ_INT(kpa.max_panic_pods, 0);
}

/* Instants before the start of the run are instants too. */
static void test_panic_that_began_before_zero(void) {
    fsim_kpa kpa = scaler_of(params_of_ten());
    kpa.panicking = true;
    kpa.panic_since_ns = -60 * S;
    kpa.max_panic_pods = 8;
    CHECK_EQ_INT(decide(&kpa, 0, 8, 20.0, 20.0).desired, 8);
    CHECK_EQ_INT(decide(&kpa, 1, 8, 20.0, 20.0).desired, 2);
}

static void test_panic_is_extended(void) {
    fsim_kpa kpa = scaler_of(params_of_ten());
    decide(&kpa, 0, 2, 20.0, 200.0);
    decide(&kpa, 50 * S, 2, 20.0, 40.0);
    CHECK_EQ_INT(kpa.panic_since_ns, 50 * S);
    CHECK(decide(&kpa, 110 * S, 20, 20.0, 20.0).panicking);
    CHECK(!decide(&kpa, 111 * S, 20, 20.0, 20.0).panicking);
}

static void test_rate_limits(void) {
    fsim_kpa_params p = params_of_ten();
    fsim_kpa kpa = scaler_of(p);
    CHECK_EQ_INT(decide(&kpa, 0, 3, 1e6, 0.0).desired, 30);
    CHECK_EQ_INT(decide(&kpa, 0, 55, 1.0, 1.0).desired, 5);
    p.reachable = false; /* nobody asks any more: no limit downwards */
    CHECK(fsim_kpa_set_params(&kpa, &p));
    CHECK_EQ_INT(decide(&kpa, 0, 55, 1.0, 1.0).desired, 1);
    p.reachable = true;
    p.max_scale_down_rate = 2.0;
    CHECK(fsim_kpa_set_params(&kpa, &p));
    int64_t pods = 64, decisions = 0;
    while (pods > 0) {
        pods = decide(&kpa, 0, pods, 0.0, 0.0).desired;
        decisions++;
    }
    CHECK_EQ_INT(decisions, 7); /* 32, 16, 8, 4, 2, 1, 0 */
}

static void test_no_ready_pod_counts_as_one(void) {
    fsim_kpa kpa = scaler_of(params_of_ten());
    fsim_kpa_decision d = decide(&kpa, 0, 0, 1000.0, 15.0);
    CHECK_EQ_INT(d.desired, 10);
    CHECK(d.panicking);                               /* 2 / 1 */
    CHECK_EQ_INT(d.excess_burst_capacity, -100 - 15); /* but has no capacity */
}

static void test_excess_burst_capacity(void) {
    fsim_kpa_params p = params_of_ten();
    fsim_kpa kpa = scaler_of(p);
    CHECK_EQ_INT(decide(&kpa, 0, 10, 50.0, 20.5).excess_burst_capacity, 9); /* floor(130 - 100 - 20.5) */
    CHECK_EQ_INT(decide(&kpa, 0, 9, 50.0, 20.5).excess_burst_capacity, -4); /* floor(-3.5) */
    p.target_burst_capacity = 0.0;
    CHECK(fsim_kpa_set_params(&kpa, &p));
    CHECK_EQ_INT(decide(&kpa, 0, 1, 500.0, 500.0).excess_burst_capacity, 0);
    p.target_burst_capacity = -1.0;
    CHECK(fsim_kpa_set_params(&kpa, &p));
    CHECK_EQ_INT(decide(&kpa, 0, 100, 0.0, 0.0).excess_burst_capacity, -1);
}

static void test_activation_scale(void) {
    fsim_kpa_params p = params_of_ten();
    p.activation_scale = 3;
    fsim_kpa kpa = scaler_of(p);
    CHECK_EQ_INT(decide(&kpa, 0, 1, 0.0, 0.0).desired, 0);
    CHECK_EQ_INT(decide(&kpa, 0, 1, 0.1, 0.0).desired, 3);
    CHECK_EQ_INT(decide(&kpa, 0, 1, 50.0, 10.0).desired, 5);
    CHECK_EQ_INT(decide(&kpa, 0, 1, 0.0, 5.0).desired,
                 0); /* only the panic window asks, and there is no panic */
}

static void test_scale_down_delay(void) {
    fsim_kpa_params p = params_of_ten();
    p.scale_down_delay_ns = 9 * S; /* 5 slots of 2 s */
    p.panic_threshold = 100.0;
    fsim_kpa kpa = scaler_of(p);
    CHECK_EQ_INT(decide(&kpa, 0, 1, 40.0, 0.0).desired, 4);
    CHECK_EQ_INT(decide(&kpa, 2 * S, 1, 20.0, 0.0).desired, 4);
    CHECK_EQ_INT(decide(&kpa, 8 * S, 1, 0.0, 0.0).desired, 4);
    CHECK_EQ_INT(decide(&kpa, 10 * S, 1, 0.0, 0.0).desired, 2); /* the slot of t = 0 has left */
    p.reachable = false;
    CHECK(fsim_kpa_set_params(&kpa, &p));
    CHECK_EQ_INT(decide(&kpa, 10 * S, 1, 0.0, 0.0).desired, 0);
    p.reachable = true;
    p.scale_down_delay_ns = 0;
    CHECK(fsim_kpa_set_params(&kpa, &p));
    CHECK_EQ_INT(decide(&kpa, 10 * S, 1, 10.0, 0.0).desired, 1);
    p.scale_down_delay_ns = 130 * S; /* 65 entries of 64 */
    CHECK(!fsim_kpa_set_params(&kpa, &p));
    CHECK_EQ_INT(fsim_kpa_delay_entries(9 * S), 5);
    CHECK_EQ_INT(fsim_kpa_delay_entries(0), 0);
}

static void test_nothing_to_decide_on(void) {
    fsim_kpa kpa = scaler_of(params_of_ten());
    decide(&kpa, 0, 2, 20.0, 200.0);
    fsim_kpa_reading no_pods = {.ready = -1, .has_data = true, .stable = 1.0, .panic = 1.0};
    fsim_kpa_decision d = fsim_kpa_decide(&kpa, 100 * S, &no_pods);
    CHECK_EQ_INT(d.verdict, FSIM_KPA_NO_READY_COUNT);
    CHECK_EQ_INT(d.desired, FSIM_KNATIVE_SCALE_UNKNOWN);
    fsim_kpa_reading no_data = {.ready = 2, .has_data = false};
    CHECK_EQ_INT(fsim_kpa_decide(&kpa, 100 * S, &no_data).verdict, FSIM_KPA_NO_DATA);
    CHECK(kpa.panicking); /* the state did not move on */
}

static void test_start(void) {
    fsim_kpa_params p = params_of_ten();
    const int64_t ready[] = {-1, 0, 1, 2};
    for (size_t k = 0; k < 4; k++) {
        fsim_kpa kpa;
        fsim_kpa_init(&kpa, &p, 7 * S, ready[k], NULL, 0);
        check_context("%" PRId64 " ready", ready[k]);
        CHECK(kpa.panicking == (ready[k] > 1));
        CHECK_EQ_INT(kpa.max_panic_pods, ready[k] < 0 ? 0 : ready[k]);
    }
    fsim_kpa kpa;
    fsim_kpa_init(&kpa, &p, 7 * S, 8, NULL, 0);
    CHECK_EQ_INT(decide(&kpa, 8 * S, 8, 10.0, 10.0).desired, 8); /* held until there is history */
    CHECK_EQ_INT(decide(&kpa, 68 * S, 8, 10.0, 10.0).desired, 1);
}

static void test_initial_status(void) {
    CHECK_EQ_INT(fsim_kpa_initial_status(2, 25.0, 42.0).excess_burst_capacity, 8);
    CHECK_EQ_INT(fsim_kpa_initial_status(2, 25.0, 52.5).excess_burst_capacity, -2); /* towards zero */
    CHECK_EQ_INT(fsim_kpa_initial_status(2, 25.0, 0.0).excess_burst_capacity, 0);
    CHECK_EQ_INT(fsim_kpa_initial_status(2, 25.0, -1.0).excess_burst_capacity, -1);
    CHECK_EQ_INT(fsim_kpa_initial_status(2, 25.0, 42.0).desired, -1);
}

static void test_huge_counts_saturate(void) {
    fsim_kpa_params p = params_of_ten();
    p.max_scale_up_rate = 1e9;
    p.target = 0.01;
    fsim_kpa kpa = scaler_of(p);
    fsim_kpa_decision d = decide(&kpa, 0, 1000, 1e12, 1e12);
    CHECK_EQ_INT(d.desired, INT32_MAX);
    CHECK_EQ_INT(d.excess_burst_capacity, INT32_MIN);
}

static void check_reason(const fsim_kpa *kpa, fsim_kpa_decision d, const char *expected) {
    char text[160];
    fsim_kpa_explain(kpa, &d, text, sizeof text);
    CHECK_EQ_STR(text, expected);
}

static void test_reasons(void) {
    fsim_kpa_params p = params_of_ten();
    fsim_kpa kpa = scaler_of(p);
    check_reason(&kpa, decide(&kpa, 0, 4, 25.0, 25.0), "stable: 3 wanted, 4 ready");
    check_reason(&kpa, decide(&kpa, 0, 50, 25.0, 25.0),
                 "stable: 3 wanted, 50 ready, at least 5 by the scale-down rate");
    check_reason(&kpa, decide(&kpa, 0, 4, 25.0, 85.0), "panic: 9 wanted, 4 ready, threshold 200 %");
    check_reason(&kpa, decide(&kpa, S, 9, 25.0, 25.0),
                 "panic: 3 wanted, 9 ready, threshold 200 %, held at 9 in panic");
    check_reason(&kpa, decide(&kpa, S, 1, 25.0, 205.0),
                 "panic: 21 wanted, 1 ready, threshold 200 %, at most 10 by the scale-up rate");
    fsim_kpa_reading none = {.ready = 1};
    check_reason(&kpa, fsim_kpa_decide(&kpa, 0, &none), "no decision: no metric data");
    none.ready = -1;
    check_reason(&kpa, fsim_kpa_decide(&kpa, 0, &none), "no decision: ready pods unknown");
    p.activation_scale = 3;
    p.scale_down_delay_ns = 10 * S;
    kpa = scaler_of(p);
    check_reason(&kpa, decide(&kpa, 0, 1, 5.0, 5.0),
                 "stable: 1 wanted, 1 ready, raised to the activation scale 3");
    check_reason(&kpa, decide(&kpa, 2 * S, 3, 0.0, 0.0),
                 "stable: 0 wanted, 3 ready, held at 3 by the scale-down delay");
    char cut[12];
    fsim_kpa_decision d = decide(&kpa, 2 * S, 3, 0.0, 0.0);
    fsim_kpa_explain(&kpa, &d, cut, sizeof cut);
    CHECK_EQ_STR(cut, "stable: 0 w");
}

int main(void) {
    RUN(test_stable);
    RUN(test_panic_threshold_is_inclusive);
    RUN(test_panic_is_judged_before_the_limit);
    RUN(test_panic_never_shrinks_and_ends_strictly_after);
    RUN(test_panic_that_began_before_zero);
    RUN(test_panic_is_extended);
    RUN(test_rate_limits);
    RUN(test_no_ready_pod_counts_as_one);
    RUN(test_excess_burst_capacity);
    RUN(test_activation_scale);
    RUN(test_scale_down_delay);
    RUN(test_nothing_to_decide_on);
    RUN(test_start);
    RUN(test_initial_status);
    RUN(test_huge_counts_saturate);
    RUN(test_reasons);
    return check_done();
}
