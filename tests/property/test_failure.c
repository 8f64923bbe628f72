/* Instances that fail, in scenarios small enough to work out by hand, and what is true of any of them. */
#include "oracle/random_scenario.h"
#include "support/check.h"

#include <math.h>
#include <stdio.h>

static const fsim_setting nothing[1];

static fsim_result *run_set(const char *text, const fsim_setting *settings, size_t count) {
    fsim_error err = {0};
    fsim_load_options load = {.settings = settings, .setting_count = count};
    fsim_result *r = engine_run_with(text, &(fsim_run_options){.seed = 7}, &load, &err);
    if (r == NULL) {
        printf("%s: %s\n", err.place, err.text);
    }
    REQUIRE(r != NULL);
    return r;
}

static fsim_result *run(const char *text) {
    return run_set(text, nothing, 0);
}

#define HEAD                                                                                                 \
    "{\"schema\": \"fsim.scenario/1\", \"name\": \"by-hand\", \"billing\": [], \"policy\": {\"bundle\": "    \
    "\"none\", \"scaling\": {\"name\": \"per_request\"}, \"keepalive\": {\"name\": \"fixed\", \"window\": "  \
    "\"60s\"}},"

/* Two requests in one instance, from 1 s; it crashes at 4 s. A third comes at 5 s and starts another. */
static const char two_inside[] =
    HEAD "\"workload\": {\"source\": \"list\", \"arrivals\": [{\"arrival\": \"0s\", \"duration\": \"10s\"}, "
         "{\"arrival\": \"2s\", \"duration\": \"10s\"}, {\"arrival\": \"5s\", \"duration\": \"1s\"}]},"
         "\"functions\": [{\"name\": \"fn\", \"concurrency\": 2, \"vcpu\": 1, \"cold_start\": \"1s\","
         " \"crash\": {\"at\": [\"4s\"]}}]}";

static void test_a_crash_fails_what_is_inside(void) {
    fsim_result *r = run(two_inside);
    const fsim_scope *t = &r->total;
    CHECK_EQ_INT(t->n.arrived, 3);
    CHECK_EQ_INT(t->n.failed, 2);
    CHECK_EQ_INT(t->n.completed, 1);
    CHECK_EQ_INT(t->n.started, 2);
    CHECK_EQ_INT(t->n.crashed, 1);
    CHECK_EQ_INT(t->n.removed, 0);
    CHECK_EQ_INT(r->end_ns, 7 * FSIM_SECOND); /* 5 s, a start, 1 s of work; no completion at 11 s */
    CHECK_EQ_INT(t->in_execution_ns, (3 + 2 + 1) * FSIM_SECOND);
    CHECK_EQ_INT(t->busy_ns, (3 + 1) * FSIM_SECOND);
    CHECK_EQ_INT(t->starting_ns, 2 * FSIM_SECOND);
    CHECK_EQ_INT(t->idle_ns, 0);
    /* Billed: what ran until then. */
    CHECK_EQ_INT(r->usage[0].requests, 3);
    CHECK_EQ_INT(r->usage[0].request_ns, 6 * FSIM_SECOND);
    CHECK_EQ_INT(r->usage[0].active_intervals, 2);
    CHECK_EQ_INT(r->usage[0].active_ns, 4 * FSIM_SECOND);
    CHECK_EQ_INT(r->usage[0].threshold_mem_ms, 4000);
    fsim_result_destroy(r);
}

/* Clients that try again 1 s later: both wait for the start that the first of them causes at 5 s, together
 * with the third, which comes first in order of events and finds no room beside them. */
static void test_clients_try_again(void) {
    const fsim_setting set[] = {{"platform.retry.interval", "1500ms", "test"},
                                {"platform.retry.attempts", "3", "test"},
                                {"platform.retry.on[0]", "failed", "test"}};
    fsim_result *r = run_set(two_inside, set, 3);
    const fsim_scope *t = &r->total;
    CHECK_EQ_INT(t->n.completed, 3);
    CHECK_EQ_INT(t->n.failed, 0);
    CHECK_EQ_INT(t->n.retries, 2);
    CHECK_EQ_INT(t->wait.count, 3);
    /* The third binds the start at 5 s; the first joins it at 5.5 s, the second needs one more. */
    CHECK_EQ_INT(t->n.started, 3);
    CHECK_EQ_INT(t->wait.sum_ns, 1 * FSIM_SECOND + 6 * FSIM_SECOND + 4500 * FSIM_MS);
    CHECK_EQ_INT(t->service.sum_ns, 21 * FSIM_SECOND);
    CHECK_EQ_INT(r->usage[0].requests, 5); /* each execution is billed */
    fsim_result_destroy(r);
}

/* A session waits at its instance; with the instance it ends, and its requests go on elsewhere. */
static void test_a_session_ends_with_its_instance(void) {
    static const char text[] =
        HEAD "\"workload\": {\"source\": \"list\", \"arrivals\": ["
             "{\"arrival\": \"0s\", \"duration\": \"10s\", \"session\": \"a\"}, "
             "{\"arrival\": \"1s\", \"duration\": \"2s\", \"session\": \"a\"}, "
             "{\"arrival\": \"2s\", \"duration\": \"3s\", \"session\": \"a\"}]},"
             "\"functions\": [{\"name\": \"fn\", \"vcpu\": 1, \"session\": {\"when_full\": \"wait\"},"
             " \"crash\": {\"at\": [\"4s\"]}}]}";
    fsim_result *r = run(text);
    const fsim_scope *t = &r->total;
    CHECK_EQ_INT(t->n.failed, 1);
    CHECK_EQ_INT(t->n.completed, 2);
    CHECK_EQ_INT(t->n.sessions_started, 2);
    CHECK_EQ_INT(t->n.sessions_lost, 1);
    CHECK_EQ_INT(t->n.sessions_followed, 3); /* twice at first, once more after the crash */
    CHECK_EQ_INT(t->sessions_at_end, 1);
    CHECK_EQ_INT(t->n.started, 2);
    CHECK_EQ_INT(r->end_ns, 9 * FSIM_SECOND);
    CHECK_EQ_INT(t->wait.sum_ns, 0 + 3 * FSIM_SECOND + 4 * FSIM_SECOND);
    fsim_result_destroy(r);
}

#define KEPT                                                                                                 \
    HEAD "\"workload\": {\"source\": \"list\", \"arrivals\": []}, \"run\": {\"until\": \"100s\"},"           \
         "\"functions\": [{\"name\": \"fn\", \"vcpu\": 1, \"cold_start\": \"5s\", "

/* What is kept whatever the demand is replaced, after the span that the scenario says. */
static void test_kept_instances_are_replaced(void) {
    fsim_result *r = run(KEPT "\"min_instances\": 2, \"crash\": {\"at\": [\"10s\", \"50s\"], \"victim\": "
                              "\"all\", \"restart\": \"20s\"}}]}");
    CHECK_EQ_INT(r->total.n.started, 6);
    CHECK_EQ_INT(r->total.n.crashed, 4);
    CHECK_EQ_INT(r->total.starting_ns, 4 * 5 * FSIM_SECOND);
    CHECK_EQ_INT(r->total.idle_ns, 2 * (10 + 15 + 25) * FSIM_SECOND); /* 0-10, 35-50, 75-100 */
    fsim_result_destroy(r);
    r = run(KEPT "\"provisioned\": 2, \"crash\": {\"at\": [\"10s\"]}}]}");
    CHECK_EQ_INT(r->total.n.started, 3);
    CHECK_EQ_INT(r->total.n.crashed, 1);
    CHECK_EQ_INT(r->total.provisioned_ns, 200 * FSIM_SECOND);
    CHECK_EQ_INT(r->total.idle_ns, 195 * FSIM_SECOND);
    fsim_result_destroy(r);
}

/* A lifetime beyond what timers look ahead; each of the three that are replaced lives for 40 minutes. */
static void test_lifetimes_are_long(void) {
    const fsim_setting set[] = {{"run.until", "2h", "test"}};
    fsim_result *r = run_set(KEPT "\"min_instances\": 1, \"crash\": {\"lifetime\": \"40m\"}}]}", set, 1);
    CHECK_EQ_INT(r->total.n.crashed, 2); /* at 40 min, and 40 min 5 s later; not at 120 min 10 s */
    CHECK_EQ_INT(r->total.idle_ns, 7200 * FSIM_SECOND - 10 * FSIM_SECOND);
    fsim_result_destroy(r);
}

/* Unhealthy 12 s after readiness; checks every 10 s: those at 20 s, 30 s and 40 s fail. One request a second,
 * each 400 ms. */
static const char unhealthy[] =
    HEAD "\"workload\": {\"source\": \"constant\", \"interval\": \"1s\", \"requests\": 60},"
         "\"functions\": [{\"name\": \"fn\", \"vcpu\": 1, \"service\": \"400ms\", \"min_instances\": 1,"
         " \"health\": {\"unhealthy_after\": \"12s\"}}]}";

static void test_checks_find_an_unhealthy_instance(void) {
    fsim_result *r = run(unhealthy);
    /* Errors: what ends at 12.4 s … 39.4 s; the request of 40 s comes after the timer. 52.4 s … 60.4 s of the
     * second instance. */
    CHECK_EQ_INT(r->total.n.failed, 28 + 9);
    CHECK_EQ_INT(r->total.n.ejected, 1);
    CHECK_EQ_INT(r->total.n.started, 2);
    CHECK_EQ_INT(r->total.n.removed, 1);
    CHECK_EQ_INT(r->total.n.crashed, 0);
    fsim_result_destroy(r);
}

/* Requests that are still inside when it is found end there, with an error. */
static void test_an_ejected_instance_empties_first(void) {
    const fsim_setting set[] = {{"functions[0].service", "2500ms", "test"},
                                {"functions[0].health.interval", "5s", "test"},
                                {"functions[0].health.failures", "1", "test"},
                                {"workload.interval", "10s", "test"},
                                {"workload.offset", "14s", "test"},
                                {"workload.requests", "2", "test"}};
    fsim_result *r = run_set(unhealthy, set, 6);
    CHECK_EQ_INT(r->total.n.failed, 1);    /* inside from 14 s to 16.5 s, found at 15 s */
    CHECK_EQ_INT(r->total.n.completed, 1); /* from 24 s in the next, unhealthy from 27 s */
    CHECK_EQ_INT(r->total.n.started, 2);
    CHECK_EQ_INT(r->total.n.removed, 1);
    CHECK_EQ_INT(r->total.busy_ns, 5 * FSIM_SECOND);
    CHECK_EQ_INT(r->total.idle_ns, 14 * FSIM_SECOND + (11500 - 2500) * FSIM_MS);
    fsim_result_destroy(r);
}

/* With crashes at rate m for each instance that is there, their number in a long run is m times the
 * instance-time; a request of mean length 1/u that may take its instance with it fails with the probability
 * it says. */
static void test_rates_are_what_they_say(void) {
    static const char text[] =
        HEAD "\"workload\": {\"source\": \"poisson\", \"rate\": 5, \"requests\": 200000},"
             "\"functions\": [{\"name\": \"fn\", \"vcpu\": 1, \"cold_start\": \"500ms\", \"service\": "
             "{\"dist\": \"exponential\", \"mean\": \"1s\"}}]}";
    const fsim_setting by_time[] = {{"functions[0].crash.lifetime.dist", "exponential", "test"},
                                    {"functions[0].crash.lifetime.mean", "100s", "test"}};
    fsim_result *r = run_set(text, by_time, 2);
    double expected = (double)(r->total.busy_ns + r->total.idle_ns) * 1e-9 / 100.0;
    CHECK(fabs((double)r->total.n.crashed - expected) < 5.0 * sqrt(expected));
    /* One slot each: an execution ends with rate 1 by itself, with rate 0.01 by a crash. */
    double share = 200000.0 * 0.01 / 1.01;
    CHECK(fabs((double)r->total.n.failed - share) < 5.0 * sqrt(share));
    fsim_result_destroy(r);
    const fsim_setting by_request[] = {{"functions[0].crash.per_request", "0.02", "test"}};
    r = run_set(text, by_request, 1);
    CHECK(fabs((double)r->total.n.failed - 4000.0) < 5.0 * sqrt(4000.0));
    CHECK_EQ_INT(r->total.n.crashed, r->total.n.failed);
    fsim_result_destroy(r);
}

/* ---- starts that fail ---- */

/* Two requests wait for a start of 1 s; with seed 7 the first start fails, the second does not. Both go on
 * together to the start that the first of them causes. */
static void test_a_failed_start_is_tried_again(void) {
    static const char text[] = HEAD
        "\"workload\": {\"source\": \"list\", \"arrivals\": [{\"arrival\": \"0s\", \"duration\": \"2s\"}, "
        "{\"arrival\": \"500ms\", \"duration\": \"3s\"}]},"
        "\"functions\": [{\"name\": \"fn\", \"concurrency\": 2, \"vcpu\": 1, \"cold_start\": \"1s\","
        " \"crash\": {\"per_start\": 0.95}}]}";
    fsim_result *r = run(text);
    const fsim_scope *t = &r->total;
    uint64_t tries = t->n.started;
    CHECK(tries > 1); /* else the seed shows nothing */
    CHECK_EQ_INT(t->n.completed, 2);
    CHECK_EQ_INT(t->n.failed, 0);
    CHECK_EQ_INT(t->n.crashed, tries - 1);
    CHECK_EQ_INT(t->n.removed, 0);
    CHECK_EQ_INT(t->n.cold_triggered, tries);
    CHECK_EQ_INT(t->n.cold_affected, 2);
    CHECK_EQ_INT(t->starting_ns, (fsim_ns)tries * FSIM_SECOND);
    CHECK_EQ_INT(t->wait.sum_ns, (fsim_ns)(2 * tries) * FSIM_SECOND - 500 * FSIM_MS);
    CHECK_EQ_INT(r->usage[0].requests, 2);
    CHECK_EQ_INT(r->usage[0].init_ns, FSIM_SECOND); /* of the instance that served */
    CHECK_EQ_INT(r->usage[0].starting_ns, (fsim_ns)tries * FSIM_SECOND);
    fsim_result_destroy(r);
}

/* With late binding nothing but the failure itself reminds of those who wait. */
static void test_a_failed_start_forgets_nobody(void) {
    static const char text[] =
        HEAD "\"workload\": {\"source\": \"poisson\", \"rate\": 0.2, \"requests\": 20000},"
             "\"functions\": [{\"name\": \"fn\", \"vcpu\": 1, \"cold_start\": \"1s\", \"service\": \"1s\","
             " \"crash\": {\"per_start\": 0.3}}]}";
    const fsim_setting late[] = {{"policy.binding", "late", "test"},
                                 {"policy.keepalive.window", "3s", "test"}};
    for (size_t settings = 1; settings <= 2; settings++) {
        fsim_result *r = run_set(text, late + 2 - settings, settings);
        check_context("%s", settings == 2 ? "late" : "early");
        const fsim_counts *n = &r->total.n;
        CHECK_EQ_INT(n->completed, 20000);
        double starts = (double)n->started;
        CHECK(fabs((double)n->crashed - 0.3 * starts) < 5.0 * sqrt(0.3 * 0.7 * starts));
        fsim_result_destroy(r);
    }
}

/* What is kept whatever the demand is started again, `restart` later each time; at the beginning it is there.
 */
static void test_failed_replacements_are_replaced(void) {
    static const char *const kinds[] = {"\"min_instances\": 1", "\"provisioned\": 1"};
    for (int k = 0; k < 2; k++) {
        char text[1024];
        snprintf(text, sizeof text,
                 KEPT "%s, \"crash\": {\"at\": [\"10s\"], \"per_start\": 0.5, \"restart\": \"2s\"}}]}",
                 kinds[k]);
        const fsim_setting set[] = {{"run.until", "1000s", "test"}};
        fsim_result *r = run_set(text, set, 1);
        check_context("%s", kinds[k]);
        uint64_t starts = r->total.n.started - 1u; /* after the crash; all but the last of them fail */
        CHECK_EQ_INT(r->total.n.crashed, starts);
        CHECK_EQ_INT(r->total.starting_ns, (fsim_ns)starts * 5 * FSIM_SECOND);
        CHECK_EQ_INT(r->total.idle_ns, (1000 - (fsim_ns)starts * 7) * FSIM_SECOND);
        fsim_result_destroy(r);
    }
}

/* ---- health that comes and goes ---- */

/* Unhealthy from 12 s to 37 s and from 49 s to 74 s; checks at 20 s and 30 s fail, at 40 s and 50 s, 60 s, 70
 * s: the third in a row is that of 70 s. */
static void test_a_success_ends_the_row(void) {
    const fsim_setting set[] = {{"functions[0].health.recovers_after", "25s", "test"},
                                {"workload.requests", "100", "test"}};
    fsim_result *r = run_set(unhealthy, set, 2);
    /* Errors end at 12.4 s … 36.4 s and 49.4 s … 69.4 s; the next instance, from 70 s on: 82.4 s … 100.4 s.
     */
    CHECK_EQ_INT(r->total.n.failed, 25 + 21 + 19);
    CHECK_EQ_INT(r->total.n.ejected, 1);
    CHECK_EQ_INT(r->total.n.started, 2);
    fsim_result_destroy(r);
    /* Four that fail are never in a row. */
    const fsim_setting four[] = {{"functions[0].health.recovers_after", "25s", "test"},
                                 {"workload.requests", "100", "test"},
                                 {"functions[0].health.failures", "4", "test"}};
    r = run_set(unhealthy, four, 3);
    CHECK_EQ_INT(r->total.n.ejected, 0);
    CHECK_EQ_INT(r->total.n.failed, 25 + 25 + 15); /* and 86.4 s … 100.4 s */
    fsim_result_destroy(r);
    /* Healthy between two checks only, 11 s to 14 s, 22 s to 25 s …: all of them fail. */
    const fsim_setting unseen[] = {{"functions[0].health.unhealthy_after", "3s", "test"},
                                   {"functions[0].health.recovers_after", "8s", "test"},
                                   {"functions[0].health.failures", "4", "test"},
                                   {"workload.requests", "45", "test"}};
    r = run_set(unhealthy, unseen, 4);
    CHECK_EQ_INT(r->total.n.ejected, 1);
    fsim_result_destroy(r);
    /* Unhealthy 3 s to 20 s, 23 s to 40 s: every other check succeeds, that of 20 s at the very instant. */
    const fsim_setting every_other[] = {{"functions[0].health.unhealthy_after", "3s", "test"},
                                        {"functions[0].health.recovers_after", "17s", "test"},
                                        {"functions[0].health.failures", "2", "test"}};
    r = run_set(unhealthy, every_other, 3);
    CHECK_EQ_INT(r->total.n.ejected, 0);
    fsim_result_destroy(r);
}

/* Unhealthy from 12 s to 45 s and from 57 s on: out of service from the third check that fails, at 40 s, on.
 * One success brings it back at 50 s; two in a row there are not before 57 s. Requests meanwhile go to
 * another instance, which is unhealthy from 52 s on. */
static void test_a_resting_instance_comes_back(void) {
    for (int successes = 1; successes <= 2; successes++) {
        const fsim_setting set[] = {{"functions[0].health.recovers_after", "33s", "test"},
                                    {"functions[0].health.action", "rest", "test"},
                                    {"functions[0].health.successes", successes == 1 ? "1" : "2", "test"},
                                    {"policy.routing", "oldest_created", "test"},
                                    {"workload.requests", "70", "test"}};
        fsim_result *r = run_set(unhealthy, set, 5);
        check_context("%d", successes);
        CHECK_EQ_INT(r->total.n.ejected, 1);
        CHECK_EQ_INT(r->total.n.started, 2);
        CHECK_EQ_INT(r->total.n.removed, 0);
        CHECK_EQ_INT(r->total.n.failed, successes == 1 ? 28 + 14 : 28 + 19); /* 57 … 70 s, or 52 … 70 s */
        fsim_result_destroy(r);
    }
}

/* One request, done at 1.4 s; a window of 99.8 s would be over at 101.2 s. From the check of 101 s on the
 * instance rests, until that of 151 s; then the window begins anew. */
static void test_a_resting_instance_is_kept(void) {
    static const char *const windows[] = {
        "99800ms", "{\"dist\": \"uniform\", \"min\": \"99800ms\", \"max\": \"99800ms\"}"};
    for (int w = 0; w < 2; w++) {
        const fsim_setting set[] = {{"functions[0].min_instances", "0", "test"},
                                    {"functions[0].health.unhealthy_after", "100s", "test"},
                                    {"functions[0].health.recovers_after", "45s", "test"},
                                    {"functions[0].health.failures", "1", "test"},
                                    {"functions[0].health.action", "rest", "test"},
                                    {"workload.requests", "1", "test"},
                                    {"run.until", "400s", "test"},
                                    {"policy.keepalive.window", windows[w], "test"}};
        fsim_result *r = run_set(unhealthy, set, 8);
        check_context("%s", windows[w]);
        CHECK_EQ_INT(r->total.n.started, 1);
        CHECK_EQ_INT(r->total.n.removed, 1);
        CHECK_EQ_INT(r->total.idle_ns, 249400 * FSIM_MS);
        fsim_result_destroy(r);
    }
}

/* Knative in serve mode sends requests straight to its pods in turn: to those in service. */
static void test_pods_that_rest_are_passed_over(void) {
    static const char text[] = "{\"schema\": \"fsim.scenario/1\", \"name\": \"t\", \"billing\": [], "
                               "\"policy\": {\"bundle\": \"knative\", "
                               "\"scaling\": {\"name\": \"knative_kpa\", \"min_scale\": 2, "
                               "\"target_burst_capacity\": 0}}, \"workload\": "
                               "{\"source\": \"constant\", \"interval\": \"1s\", \"until\": \"300s\"}, "
                               "\"functions\": [{\"name\": \"fn\", "
                               "\"service\": \"100ms\", \"health\": {\"unhealthy_after\": {\"dist\": "
                               "\"uniform\", \"min\": \"60s\", \"max\": "
                               "\"140s\"}, \"interval\": \"1s\", \"failures\": 1, \"action\": \"rest\"}}]}";
    fsim_result *r = run(text);
    CHECK_EQ_INT(r->total.n.ejected, 2); /* for ever: they do not recover; the second leaves nobody to ask */
    CHECK(r->total.n.failed <= 4);       /* not more than comes within the second until a check finds it */
    CHECK(r->total.n.completed > 60);
    fsim_result_destroy(r);
}

/* Of two provisioned instances that serve together the first is out of service at 2 s, before the second is
 * there at 20 s: of two requests at 20.5 s one starts an instance on demand. The first is back at 64 s. */
static const char rests_before_all_are_there[] =
    HEAD "\"workload\": {\"source\": \"list\", \"arrivals\": [{\"arrival\": \"20.5s\", \"count\": 2}, "
         "{\"arrival\": \"64.5s\"}]},"
         "\"platform\": {\"provisioned_together\": true, \"provisioned_start_rate\": {\"kind\": \"fixed\", "
         "\"n\": 1, \"window\": \"20s\"}}, "
         "\"functions\": [{\"name\": \"fn\", \"service\": \"100ms\", \"cold_start\": \"10ms\", "
         "\"provisioned\": 2, \"health\": {\"unhealthy_after\": \"1.5s\", \"recovers_after\": \"62s\", "
         "\"interval\": \"1s\", \"failures\": 1, \"action\": \"rest\"}}]}";

static void test_who_rests_does_not_join_the_others(void) {
    fsim_result *r = run(rests_before_all_are_there);
    CHECK_EQ_INT(r->total.n.completed, 3);
    CHECK_EQ_INT(r->total.n.failed, 0);
    CHECK_EQ_INT(r->total.n.cold_triggered, 1);
    CHECK_EQ_INT(r->end_ns, 64600 * FSIM_MS); /* without a start */
    fsim_result_destroy(r);
}

int main(void) {
    RUN(test_a_crash_fails_what_is_inside);
    RUN(test_clients_try_again);
    RUN(test_a_session_ends_with_its_instance);
    RUN(test_kept_instances_are_replaced);
    RUN(test_lifetimes_are_long);
    RUN(test_checks_find_an_unhealthy_instance);
    RUN(test_an_ejected_instance_empties_first);
    RUN(test_rates_are_what_they_say);
    RUN(test_a_failed_start_is_tried_again);
    RUN(test_a_failed_start_forgets_nobody);
    RUN(test_failed_replacements_are_replaced);
    RUN(test_a_success_ends_the_row);
    RUN(test_a_resting_instance_comes_back);
    RUN(test_a_resting_instance_is_kept);
    RUN(test_pods_that_rest_are_passed_over);
    RUN(test_who_rests_does_not_join_the_others);
    return check_done();
}
