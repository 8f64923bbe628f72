/* The activator and the queue-proxy: measured requests, breakers, choice and shares of pods. */
#include "autoscale/breaker.h"
#include "autoscale/pod_choice.h"
#include "autoscale/request_stats.h"
#include "support/check.h"

#define MS FSIM_MS

static void check_report(fsim_request_report r, double concurrency, double requests,
                         double proxied_concurrency, double proxied_requests) {
    CHECK_NEAR(r.concurrency, concurrency, 1e-12);
    CHECK_NEAR(r.requests, requests, 0.0);
    CHECK_NEAR(r.proxied_concurrency, proxied_concurrency, 1e-12);
    CHECK_NEAR(r.proxied_requests, proxied_requests, 0.0);
}

static void test_request_stats(void) {
    fsim_request_stats s;
    fsim_request_stats_init(&s, 1000 * MS);
    check_report(fsim_request_stats_report(&s, 1000 * MS), 0, 0, 0, 0); /* no time passed */
    fsim_request_stats_in(&s, 1000 * MS, false);
    fsim_request_stats_in(&s, 1250 * MS, true);
    fsim_request_stats_out(&s, 1500 * MS, false);
    /* 1 for 250 ms, 2 for 250 ms, 1 for 500 ms; the proxied one for 750 ms. */
    fsim_request_report r = fsim_request_stats_report(&s, 2000 * MS);
    check_report(r, 1.25, 2, 0.75, 1);
    CHECK_NEAR(fsim_request_report_own_concurrency(&r), 0.5, 1e-12);
    CHECK_NEAR(fsim_request_report_own_requests(&r), 1.0, 0.0);
    /* The open one carries over, the counts do not. */
    fsim_request_stats_out(&s, 2100 * MS, true);
    check_report(fsim_request_stats_report(&s, 3000 * MS), 0.1, 0, 0.1, 0);
    check_report(fsim_request_stats_report(&s, 4000 * MS), 0, 0, 0, 0);
}

static void test_request_stats_ignore_steps_back(void) {
    fsim_request_stats s;
    fsim_request_stats_init(&s, 0);
    fsim_request_stats_in(&s, 500 * MS, false);
    fsim_request_stats_in(&s, 400 * MS, false); /* counts as of 500 ms */
    check_report(fsim_request_stats_report(&s, 1000 * MS), 1.0, 2, 0, 0);
}

static void test_activator_reporter(void) {
    fsim_activator_reporter r = {.known = false};
    fsim_activator_message m = {0, 0};
    CHECK(!fsim_activator_reporter_report(&r, 0, &m));
    fsim_activator_reporter_out(&r, 0); /* of nothing it knows: no effect */
    CHECK(fsim_activator_reporter_in(&r, 0, &m));
    CHECK_NEAR(m.concurrency, 1.0, 0.0);
    CHECK_NEAR(m.requests, 1.0, 0.0);
    CHECK(!fsim_activator_reporter_in(&r, 500 * MS, &m));
    CHECK(!fsim_activator_reporter_in(&r, 500 * MS, &m));
    CHECK(fsim_activator_reporter_report(&r, 1000 * MS, &m));
    CHECK_NEAR(m.concurrency, 1.0, 1e-12); /* (0.5 + 1.5) - 1 */
    CHECK_NEAR(m.requests, 2.0, 0.0);      /* 3 - 1 */
    CHECK(fsim_activator_reporter_report(&r, 2000 * MS, &m));
    CHECK_NEAR(m.concurrency, 3.0, 1e-12);
}

static void test_activator_reporter_forgets(void) {
    fsim_activator_reporter r = {.known = false};
    fsim_activator_message m;
    CHECK(fsim_activator_reporter_in(&r, 0, &m));
    fsim_activator_reporter_out(&r, 100 * MS);
    CHECK(fsim_activator_reporter_report(&r, 1000 * MS, &m));
    CHECK_NEAR(m.concurrency, 0.0, 0.0); /* 0.1 - 1, not below 0 */
    CHECK_NEAR(m.requests, 0.0, 0.0);
    CHECK(!fsim_activator_reporter_in(&r, 1500 * MS, &m)); /* still known */
    fsim_activator_reporter_out(&r, 1500 * MS);
    CHECK(fsim_activator_reporter_report(&r, 2000 * MS, &m));
    CHECK(!fsim_activator_reporter_report(&r, 3000 * MS, &m)); /* average 0: forgotten */
    CHECK(fsim_activator_reporter_in(&r, 3500 * MS, &m));
    CHECK(fsim_activator_reporter_report(&r, 3500 * MS, &m)); /* average 0, but one is in flight */
    CHECK(fsim_activator_reporter_report(&r, 4000 * MS, &m));
    CHECK_NEAR(m.concurrency, 1.0, 1e-12);
}

static void test_breaker(void) {
    fsim_breaker b;
    fsim_breaker_init(&b, 2, 1, 1);
    CHECK_EQ_INT(fsim_breaker_arrive(&b), FSIM_BREAKER_RUNNING);
    CHECK_EQ_INT(fsim_breaker_arrive(&b), FSIM_BREAKER_QUEUED);
    CHECK_EQ_INT(fsim_breaker_arrive(&b), FSIM_BREAKER_QUEUED);
    CHECK_EQ_INT(fsim_breaker_arrive(&b), FSIM_BREAKER_REJECTED);
    CHECK(!fsim_breaker_reserve(&b));
    fsim_breaker_cancel(&b);
    CHECK_EQ_INT(fsim_breaker_arrive(&b), FSIM_BREAKER_QUEUED);
    CHECK(fsim_breaker_finish(&b));
    CHECK(fsim_breaker_finish(&b));
    CHECK(!fsim_breaker_finish(&b));
    CHECK_EQ_INT(b.running + b.waiting, 0);
    CHECK(fsim_breaker_reserve(&b));
    CHECK(!fsim_breaker_reserve(&b));
    CHECK(!fsim_breaker_finish(&b));
}

static void test_breaker_capacity(void) {
    fsim_breaker b;
    fsim_breaker_init(&b, 3, 2, 0);
    for (int k = 0; k < 5; k++) {
        CHECK_EQ_INT(fsim_breaker_arrive(&b), FSIM_BREAKER_QUEUED); /* running and waiting places */
    }
    CHECK_EQ_INT(fsim_breaker_arrive(&b), FSIM_BREAKER_REJECTED);
    CHECK_EQ_INT(fsim_breaker_set_capacity(&b, 2), 2);
    CHECK_EQ_INT(fsim_breaker_set_capacity(&b, 1), 0); /* nobody is taken back */
    CHECK_EQ_INT(b.running, 2);
    CHECK(!fsim_breaker_finish(&b));
    CHECK(fsim_breaker_finish(&b));
    CHECK_EQ_INT(fsim_breaker_set_capacity(&b, 10), 2);
    CHECK_EQ_INT(b.running, 3);
}

/* The places bound what is inside even when the capacity is larger. */
static void test_breaker_places_bound_reservations(void) {
    fsim_breaker b;
    fsim_breaker_init(&b, 1, 1, 1);
    CHECK_EQ_INT(fsim_breaker_set_capacity(&b, 10), 0);
    CHECK(fsim_breaker_reserve(&b));
    CHECK(fsim_breaker_reserve(&b));
    CHECK(!fsim_breaker_reserve(&b));
}

static void test_gate(void) {
    fsim_breaker b;
    fsim_breaker_init_gate(&b, false);
    for (int k = 0; k < 1000; k++) {
        CHECK_EQ_INT(fsim_breaker_arrive(&b), FSIM_BREAKER_QUEUED);
    }
    CHECK(!fsim_breaker_reserve(&b));
    CHECK_EQ_INT(fsim_breaker_set_capacity(&b, 1), 1000);
    CHECK_EQ_INT(fsim_breaker_arrive(&b), FSIM_BREAKER_RUNNING);
    CHECK_EQ_INT(fsim_breaker_set_capacity(&b, 0), 0);
    CHECK_EQ_INT(fsim_breaker_arrive(&b), FSIM_BREAKER_QUEUED);
    CHECK(!fsim_breaker_finish(&b));
}

static void test_queue_proxy(void) {
    fsim_breaker b;
    fsim_breaker_init_queue_proxy(&b, 4);
    int inside = 0;
    while (fsim_breaker_arrive(&b) != FSIM_BREAKER_REJECTED) {
        inside++;
    }
    CHECK_EQ_INT(inside, 44);
    CHECK_EQ_INT(b.running, 4);
    fsim_breaker_init_queue_proxy(&b, 0);
    for (int k = 0; k < 100; k++) {
        CHECK_EQ_INT(fsim_breaker_arrive(&b), FSIM_BREAKER_RUNNING);
    }
}

static void test_policy_by_concurrency(void) {
    CHECK_EQ_INT(fsim_pod_policy_for(0), FSIM_POD_RANDOM_CHOICE_2);
    CHECK_EQ_INT(fsim_pod_policy_for(1), FSIM_POD_FIRST_AVAILABLE);
    CHECK_EQ_INT(fsim_pod_policy_for(3), FSIM_POD_FIRST_AVAILABLE);
    CHECK_EQ_INT(fsim_pod_policy_for(4), FSIM_POD_ROUND_ROBIN);
}

static void test_first_available(void) {
    fsim_pod_chooser c = {.policy = FSIM_POD_FIRST_AVAILABLE, .container_concurrency = 2};
    int64_t in_flight[] = {2, 1, 0};
    CHECK_EQ_INT(fsim_pod_choose(&c, in_flight, 3, NULL), 1);
    in_flight[1] = 2;
    CHECK_EQ_INT(fsim_pod_choose(&c, in_flight, 3, NULL), 2);
    in_flight[2] = 2;
    CHECK_EQ_INT(fsim_pod_choose(&c, in_flight, 3, NULL), FSIM_POD_NONE);
    in_flight[0] = 1;
    CHECK_EQ_INT(fsim_pod_choose(&c, in_flight, 3, NULL), 0);
    CHECK_EQ_INT(fsim_pod_choose(&c, in_flight, 0, NULL), FSIM_POD_NONE);
}

static void test_round_robin(void) {
    fsim_pod_chooser c = {.policy = FSIM_POD_ROUND_ROBIN, .container_concurrency = 4};
    int64_t in_flight[] = {0, 4, 0, 0};
    const int64_t expected[] = {0, 2, 3, 0, 2};
    for (size_t k = 0; k < 5; k++) {
        CHECK_EQ_INT(fsim_pod_choose(&c, in_flight, 4, NULL), expected[k]);
    }
    CHECK_EQ_INT(fsim_pod_choose(&c, in_flight, 2, NULL),
                 0); /* fewer pods than its place: from the beginning */
    CHECK_EQ_INT(fsim_pod_choose(&c, in_flight, 4, NULL), 2);
    int64_t full[] = {4, 4, 4, 4};
    CHECK_EQ_INT(fsim_pod_choose(&c, full, 4, NULL), FSIM_POD_NONE);
    CHECK_EQ_INT(fsim_pod_choose(&c, in_flight, 4, NULL), 3); /* the place was kept */
}

static void test_random_choice_2(void) {
    fsim_pod_chooser c = {.policy = FSIM_POD_RANDOM_CHOICE_2};
    fsim_rng rng;
    fsim_rng_seed(&rng, 7, "pods", FSIM_RNG_ROUTING);
    int64_t in_flight[] = {5, 3, 9, 3};
    CHECK_EQ_INT(fsim_pod_choose(&c, in_flight, 0, &rng), FSIM_POD_NONE);
    CHECK_EQ_INT(fsim_pod_choose(&c, in_flight, 1, &rng), 0);
    CHECK_EQ_INT(fsim_pod_choose(&c, in_flight, 2, &rng), 1);
    int64_t taken[4] = {0};
    for (int k = 0; k < 12000; k++) {
        taken[fsim_pod_choose(&c, in_flight, 4, &rng)]++;
    }
    /* Of 6 pairs the busiest pod wins none, pod 0 only the one with pod 2, pods 1 and 3 share the rest. */
    CHECK_EQ_INT(taken[2], 0);
    CHECK_NEAR(taken[0], 2000, 200);
    CHECK_NEAR(taken[1], 5000, 250);
    CHECK_NEAR(taken[3], 5000, 250);
}

static void test_slices(void) {
    fsim_pod_slice s = fsim_pod_slice_of(10, 3, 1);
    CHECK_EQ_INT(s.begin, 3);
    CHECK_EQ_INT(s.end, 6);
    CHECK_EQ_INT(s.remnants, 1);
    s = fsim_pod_slice_of(3, 5, 4); /* fewer pods than activators: pod 4 mod 3 alone */
    CHECK_EQ_INT(s.begin, 1);
    CHECK_EQ_INT(s.end, 2);
    CHECK_EQ_INT(s.remnants, 0);
    s = fsim_pod_slice_of(3, 4, 3);
    CHECK_EQ_INT(s.begin, 0);
    CHECK_EQ_INT(s.end, 1);
}

static void check_assignment(int64_t pods, int64_t activators, int64_t index, int64_t begin, int64_t end,
                             int64_t extra) {
    fsim_pod_assignment a = fsim_pod_slice_assign(pods, activators, index);
    check_context("%" PRId64 " pods, %" PRId64 " of %" PRId64, pods, index, activators);
    CHECK_EQ_INT(a.begin, begin);
    CHECK_EQ_INT(a.end, end);
    CHECK_EQ_INT(a.extra, extra);
    CHECK_EQ_INT(a.count, end - begin + (extra >= 0));
}

static void test_assignment(void) {
    check_assignment(6, 4, 0, 0, 1, 4);
    check_assignment(6, 4, 1, 1, 2, 5);
    check_assignment(6, 4, 2, 2, 3, -1);
    check_assignment(6, 4, 3, 3, 4, -1);
    check_assignment(6, 4, -1, 0, 6, -1);
    check_assignment(6, 1, 0, 0, 6, -1);
    check_assignment(6, 0, 0, 0, 6, -1);
    check_assignment(1, 4, 3, 0, 1, -1);
    check_assignment(0, 4, 3, 0, 0, -1);
    /* Every pod has somebody, none is forgotten, for any split. */
    for (int64_t pods = 2; pods < 40; pods++) {
        for (int64_t activators = 1; activators <= pods; activators++) {
            int64_t total = 0;
            for (int64_t k = 0; k < activators; k++) {
                total += fsim_pod_slice_assign(pods, activators, k).count;
            }
            CHECK_EQ_INT(total, pods);
        }
    }
}

static void test_activator_capacity(void) {
    CHECK_EQ_INT(fsim_activator_capacity(10, 100, 0, 0), 1000);
    CHECK_EQ_INT(fsim_activator_capacity(10, 10, 3, 0), 33);
    CHECK_EQ_INT(fsim_activator_capacity(10, 1, 200, 0), 1);
    CHECK_EQ_INT(fsim_activator_capacity(10, 0, 5, 0), 0);
    CHECK_EQ_INT(fsim_activator_capacity(10, -1, 2, 3), 30);
    CHECK_EQ_INT(fsim_activator_capacity(0, 0, 1, 0), 0);
    CHECK_EQ_INT(fsim_activator_capacity(0, 5, 1, 0), 1);
    CHECK_EQ_INT(fsim_activator_capacity(0, -1, 1, 2), 1);
}

int main(void) {
    RUN(test_request_stats);
    RUN(test_request_stats_ignore_steps_back);
    RUN(test_activator_reporter);
    RUN(test_activator_reporter_forgets);
    RUN(test_breaker);
    RUN(test_breaker_capacity);
    RUN(test_breaker_places_bound_reservations);
    RUN(test_gate);
    RUN(test_queue_proxy);
    RUN(test_policy_by_concurrency);
    RUN(test_first_available);
    RUN(test_round_robin);
    RUN(test_random_choice_2);
    RUN(test_slices);
    RUN(test_assignment);
    RUN(test_activator_capacity);
    return check_done();
}
