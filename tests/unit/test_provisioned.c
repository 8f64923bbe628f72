/* Provisioned instances over time: schedules, tracked targets, rates, limits and bills, each figure worked
 * out by hand from the rule. */
#include "billing/meter.h"
#include "oracle/random_scenario.h"
#include "support/check.h"

#include <stdlib.h>

static fsim_error err;

/* Runs a function of 1 GB, cold start 1 s, under `policy`, `platform` and `function` (members of JSON
 * objects), with these arrivals, counted by the minute. */
static fsim_result *run_as(const char *function, const char *policy, const char *platform,
                           const char *arrivals, const char *until, const char *extra) {
    char *text;
    REQUIRE(
        asprintf(
            &text,
            "{\"schema\": \"fsim.scenario/1\", \"name\": \"t\", \"billing\": [], \"workload\": {\"source\":"
            " \"list\", \"arrivals\": [%s]}, \"functions\": [{\"name\": \"fn\", \"vcpu\": 1, "
            "\"memory_mb\": 1024, %s%s}], \"policy\": {%s}, \"platform\": {%s}, "
            "\"run\": {\"until\": \"%s\", \"windows\": {\"every\": \"1m\"}%s}}",
            arrivals, strstr(function, "cold_start") == NULL ? "\"cold_start\": \"1s\"" : "\"disk_mb\": 0",
            function, policy, platform, until, extra) > 0);
    err = (fsim_error){0};
    fsim_load_options load = {0};
    fsim_result *result = engine_run_with(text, &(fsim_run_options){.seed = 1}, &load, &err);
    if (result == NULL) {
        printf("%s: %s\n", err.place, err.text);
        REQUIRE(false);
    }
    const fsim_counts *n = &result->total.n;
    CHECK_EQ_INT(n->arrived, n->completed + n->rejected_429 + n->rejected_503 + n->timed_out + n->failed +
                                 n->in_system_at_end);
    free(text);
    return result;
}

static fsim_result *run(const char *function, const char *policy, const char *platform, const char *arrivals,
                        const char *until) {
    return run_as(function, policy, platform, arrivals, until, "");
}

#define SCHEDULE(text) "\"provisioned\": {\"name\": \"scheduled\", \"schedule\": \"" text "\"}"
#define ARRIVAL(at, count, lasts)                                                                            \
    "{\"arrival\": \"" at "\", \"count\": " count ", \"duration\": \"" lasts "\"}"

static uint64_t at_min(const fsim_result *r, uint32_t minute) {
    REQUIRE(minute < r->window_count);
    return r->windows[minute].all.instances_end;
}

/* 0 -> 250 at 10 min by 100 a minute, in windows aligned to the minute: 100, 200, 250; 20 from 30 min on. */
static void test_scf_schedule_at_its_own_rate(void) {
    fsim_result *r = run("", "\"bundle\": \"scf\", " SCHEDULE("250 at 10m; 20 at 30m"),
                         "\"memory_quota_mb\": null", "", "1h");
    CHECK_EQ_INT(at_min(r, 9), 0);
    CHECK_EQ_INT(at_min(r, 10), 100);
    CHECK_EQ_INT(at_min(r, 11), 200);
    CHECK_EQ_INT(at_min(r, 12), 250);
    CHECK_EQ_INT(at_min(r, 29), 250);
    CHECK_EQ_INT(at_min(r, 30), 20);
    CHECK_EQ_INT(r->total.n.started, 250);
    CHECK_EQ_INT(r->total.n.removed, 230);
    /* 100 for 20 min, 100 for 19, 50 for 18, then 20 for 30 */
    fsim_wide expected = (fsim_wide)(100 * 20 + 100 * 19 + 50 * 18 + 20 * 30) * FSIM_MINUTE;
    CHECK(r->total.provisioned_ns == expected);
    CHECK(r->usage[0].provisioned_alloc_ns == (fsim_u128)expected);
    CHECK(r->usage[0].provisioned_idle_ns ==
          (fsim_u128)(expected - 250 * FSIM_SECOND)); /* starting: 1 s each */
    fsim_result_destroy(r);
}

/* Elastic starts have a rate of their own: 500 and 100 in the same minute. */
static void test_scf_rates_are_apart(void) {
    fsim_result *r = run("", "\"bundle\": \"scf\", " SCHEDULE("200 at 1m"), "\"memory_quota_mb\": null",
                         ARRIVAL("60001ms", "700", "10m"), "4m");
    CHECK_EQ_INT(at_min(r, 1), 600);
    CHECK_EQ_INT(r->total.n.throttled[FSIM_CAUSE_START_RATE], 200);
    fsim_result_destroy(r);
}

/* Fewer while the rate holds them back: what has not been started is forgotten first. */
static void test_change_of_mind(void) {
    fsim_result *r = run("", "\"bundle\": \"scf\", " SCHEDULE("1000 at 1m; 150 at 3m; 0 at 5m"),
                         "\"memory_quota_mb\": null", "", "8m");
    CHECK_EQ_INT(at_min(r, 2), 200);
    CHECK_EQ_INT(at_min(r, 3), 150);
    CHECK_EQ_INT(at_min(r, 4), 150);
    CHECK_EQ_INT(at_min(r, 5), 0);
    CHECK_EQ_INT(r->total.n.started, 200);
    fsim_result_destroy(r);
}

/* Starts are cancelled, idle ones go, busy ones finish: 3 requests keep theirs until 200 s. */
static void test_release_spares_requests(void) {
    fsim_result *r = run("", "\"bundle\": \"none\", " SCHEDULE("10 at 1m; 2 at 2m"), "",
                         ARRIVAL("90s", "3", "110s"), "6m");
    CHECK_EQ_INT(at_min(r, 1), 10);
    CHECK_EQ_INT(at_min(r, 2), 3); /* two stay, the third drains: 7 idle ones went */
    CHECK_EQ_INT(at_min(r, 3), 2);
    CHECK_EQ_INT(r->total.n.completed, 3);
    CHECK_EQ_INT(r->total.n.cold_triggered, 0);
    /* 10 for 1 min, 3 until 200 s, 2 until 360 s */
    CHECK(r->usage[0].provisioned_alloc_ns == (fsim_u128)(10 * 60 + 3 * 80 + 2 * 160) * FSIM_SECOND);
    CHECK(r->usage[0].provisioned_idle_ns ==
          (fsim_u128)(10 * 60 + 3 * 80 + 2 * 160 - 10 - 3 * 110) * FSIM_SECOND);
    CHECK_EQ_INT(r->usage[0].provisioned_requests, 3);
    fsim_result_destroy(r);
    /* In the middle of their start of 100 s: cancelled, and paid for as long as they were there. */
    r = run(", \"cold_start\": \"100s\"", "\"bundle\": \"none\", " SCHEDULE("5 at 1m; 1 at 2m"), "", "",
            "5m");
    CHECK_EQ_INT(at_min(r, 1), 5);
    CHECK_EQ_INT(at_min(r, 2), 1);
    CHECK(r->usage[0].provisioned_alloc_ns == (fsim_u128)(4 * 60 + 240) * FSIM_SECOND);
    CHECK(r->usage[0].provisioned_idle_ns == (fsim_u128)140 * FSIM_SECOND);
    fsim_result_destroy(r);
}

/* Asked for at 10 min, begun 90 s later, 6,000 a minute, none serves before all are ready. */
static void test_lambda_serves_together(void) {
    const char *policy = "\"bundle\": \"lambda-provisioned\", " SCHEDULE("6002 at 10m");
    const char *platform = "\"provisioned_delay\": \"90s\", \"account_concurrency\": null";
    fsim_result *r = run(", \"provisioned\": 1", policy, platform,
                         ARRIVAL("700s", "2", "1s") "," ARRIVAL("722s", "10", "1s"), "20m");
    CHECK_EQ_INT(at_min(r, 10), 1);
    CHECK_EQ_INT(at_min(r, 11), 6002 /* and one on demand, for 360 s */);
    CHECK_EQ_INT(r->total.n.cold_triggered,
                 1); /* at 700 s one serves; at 722 s all do: the last came at 721 s */
    CHECK_EQ_INT(r->usage[0].provisioned_requests, 11);
    fsim_result_destroy(r);
    r = run(", \"provisioned\": 1", policy, platform, ARRIVAL("720s", "10", "1s"), "20m");
    CHECK_EQ_INT(r->total.n.cold_triggered, 9); /* 6,000 stand by for the last one */
    fsim_result_destroy(r);
}

/* What waits in a queue is served by all that were held back, not by the last of them alone. */
static void test_held_back_serve_the_queue(void) {
    fsim_result *r = run(
        "",
        "\"bundle\": \"none\", \"scaling\": {\"name\": \"fixed\", \"instances\": 1}, \"binding\": "
        "\"late\", " SCHEDULE("3 at 1m"),
        "\"provisioned_together\": true, \"queue\": {\"capacity\": null}", ARRIVAL("50s", "4", "100s"), "5m");
    CHECK_EQ_INT(r->total.n.completed, 4);
    CHECK_EQ_INT(r->total.wait.max_ns, 11 * FSIM_SECOND);
    fsim_result_destroy(r);
}

/* 10 provisioned, 9 in use from 30 s on: 0.9 of 0.7. Points at 1, 2, 3 min are above: ceil(10 x 9 / 7) = 13.
 * From 600 s on 2 of 13 are in use, below 0.63: the fifteenth point is that of 25 min, one goes (a tenth, at
 * least one), and one more each minute. At 30 min nobody calls any more: no data, nothing happens. */
static void test_tracked(void) {
    fsim_result *r = run(", \"provisioned\": 10, \"timeout\": null",
                         "\"bundle\": \"lambda-provisioned\", \"provisioned\": \"tracked\"",
                         "\"provisioned_start_rate\": null, \"provisioned_delay\": \"0s\"",
                         ARRIVAL("1s", "7", "599s") "," ARRIVAL("1s", "2", "1799s"), "1h");
    CHECK_EQ_INT(at_min(r, 2), 10);
    CHECK_EQ_INT(at_min(r, 3), 13);
    CHECK_EQ_INT(at_min(r, 23), 13);
    CHECK_EQ_INT(at_min(r, 24), 13);
    CHECK_EQ_INT(at_min(r, 25), 12);
    CHECK_EQ_INT(at_min(r, 26), 11);
    CHECK_EQ_INT(at_min(r, 29), 8);
    CHECK_EQ_INT(at_min(r, 30), 7); /* the metric of the thirtieth minute */
    CHECK_EQ_INT(at_min(r, 59), 7);
    CHECK_EQ_INT(r->total.n.cold_triggered, 0);
    fsim_result_destroy(r);
}

/* A burst of a second in each minute: the average hides it, the maximum follows it. */
static void test_statistic(void) {
    char arrivals[2048];
    int len = 0;
    for (int minute = 0; minute < 10; minute++) {
        len += snprintf(arrivals + len, sizeof arrivals - (size_t)len,
                        "%s{\"arrival\": \"%ds\", \"count\": 10, \"duration\": \"1s\"}",
                        minute == 0 ? "" : ",", 60 * minute + 30);
    }
    for (int maximum = 0; maximum < 2; maximum++) {
        char policy[160];
        snprintf(policy, sizeof policy,
                 "\"bundle\": \"none\", \"provisioned\": {\"name\": \"tracked\", \"statistic\": \"%s\"}",
                 maximum ? "maximum" : "average");
        fsim_result *r = run(", \"provisioned\": 10", policy, "", arrivals, "5m");
        CHECK_EQ_INT(at_min(r, 2), 10);
        CHECK_EQ_INT(at_min(r, 4), maximum ? 15 : 10); /* ceil(10 / 0.7), and one point less is below */
        fsim_result_destroy(r);
    }
}

/* A schedule moves the bounds of the target, and what is there into them. */
static void test_bounds_by_schedule(void) {
    fsim_result *r =
        run("",
            "\"bundle\": \"none\", \"provisioned\": {\"name\": \"tracked\", \"min_instances\": 2, "
            "\"schedule\": \"20..30 at 5m; 1..6 at 10m\"}",
            "", ARRIVAL("1s", "1", "1s"), "15m");
    CHECK_EQ_INT(at_min(r, 4), 2);
    CHECK_EQ_INT(at_min(r, 5), 20);
    CHECK_EQ_INT(at_min(r, 9), 20);
    CHECK_EQ_INT(at_min(r, 10), 6);
    fsim_result_destroy(r);
}

/* Function Compute: 9 of 10 slots, target 60 %: out to 15 after a minute. Then 2 of 15: 15 x 0.5 x (1 -
 * 0.1333 / 0.6) = 5.8 go, 10 stay; 2 of 10: 10 x 0.5 x (1 - 0.2 / 0.6) = 3.3 go; then 7: 7 / 2 x (1 - 0.476)
 * = 1.8 go. */
static void test_fc_tracked(void) {
    fsim_result *r = run(", \"provisioned\": 10", "\"bundle\": \"fc\", \"provisioned\": \"fc_tracked\"",
                         "\"provisioned_start_rate\": null",
                         ARRIVAL("0s", "7", "120s") "," ARRIVAL("0s", "2", "500s"), "7m");
    CHECK_EQ_INT(at_min(r, 0), 10);
    CHECK_EQ_INT(at_min(r, 1), 15);
    CHECK_EQ_INT(at_min(r, 2), 15); /* the second minute: 9 of 15 */
    CHECK_EQ_INT(at_min(r, 3), 10);
    CHECK_EQ_INT(at_min(r, 4), 7);
    CHECK_EQ_INT(at_min(r, 5), 6);
    fsim_result_destroy(r);
}

/* What is provisioned is part of the account's limit, used or not; its own requests need no other place. */
static void test_claims(void) {
    const char *arrivals = ARRIVAL("1s", "12", "10s");
    fsim_result *r = run(", \"provisioned\": 3, \"max_instances\": null", "\"bundle\": \"none\"",
                         "\"account_concurrency\": 10, \"provisioned_claims\": true", arrivals, "1m");
    CHECK_EQ_INT(r->total.n.completed, 10);
    CHECK_EQ_INT(r->usage[0].provisioned_requests, 3);
    fsim_result_destroy(r);
    /* Idle ones too: another's 8 requests of 1 GB do not fit beside 3 GB of 10. */
    static const char *const quotas[] = {"\"memory_quota_mb\": 10240", "\"account_instances\": 10"};
    for (int claims = 0; claims < 2; claims++) {
        for (int q = 0; q < 2; q++) {
            char platform[96];
            check_context("claims %d, %s", claims, quotas[q]);
            snprintf(platform, sizeof platform, "%s, \"provisioned_claims\": %s", quotas[q],
                     claims ? "true" : "false");
            r = run("}, {\"name\": \"idle\", \"memory_mb\": 1024, \"provisioned\": 3", "\"bundle\": \"none\"",
                    platform, arrivals, "1m");
            CHECK_EQ_INT(r->total.n.completed, claims ? 7 : 10);
            fsim_result_destroy(r);
        }
    }
    /* A schedule asks for more than there is: it gets the rest of the limit but one. */
    r = run("", "\"bundle\": \"none\", " SCHEDULE("50 at 1m"),
            "\"account_instances\": 10, \"provisioned_claims\": true", ARRIVAL("59s", "4", "150s"), "5m");
    CHECK_EQ_INT(at_min(r, 1), 9); /* and one place for whoever comes */
    fsim_result_destroy(r);
}

/* max_instances bounds both kinds together: the fifth provisioned one comes when the on-demand one goes. */
static void test_max_instances(void) {
    fsim_result *r =
        run(", \"max_instances\": 5", "\"bundle\": \"none\", \"keepalive\": \"none\", " SCHEDULE("5 at 1m"),
            "", ARRIVAL("10s", "1", "80s"), "3m");
    CHECK_EQ_INT(at_min(r, 0), 1);
    CHECK_EQ_INT(at_min(r, 1), 5);
    CHECK_EQ_INT(r->total.instances_peak, 5);
    CHECK(r->total.provisioned_ns == (fsim_wide)(4 * 120 + 89) * FSIM_SECOND);
    fsim_result_destroy(r);
}

/* Paid from the beginning of a start, also where the end of the run is in its midst: 3 of them from 1 min on.
 */
static void test_the_end_in_a_start(void) {
    fsim_result *r =
        run(", \"cold_start\": \"100s\"", "\"bundle\": \"none\", " SCHEDULE("3 at 1m"), "", "", "2m");
    CHECK(r->usage[0].provisioned_alloc_ns == (fsim_u128)(3 * 60) * FSIM_SECOND);
    CHECK(r->usage[0].provisioned_idle_ns == 0);
    CHECK(r->usage[0].init_ns == 0); /* part of the allocation */
    fsim_result_destroy(r);
}

/* After a warm-up only what comes later is billed. */
static void test_warm_up(void) {
    fsim_result *r = run_as("", "\"bundle\": \"none\", " SCHEDULE("4 at 1m; 1 at 3m"), "", "", "5m",
                            ", \"warmup\": \"2m\"");
    CHECK(r->usage[0].provisioned_alloc_ns == (fsim_u128)(4 * 60 + 120) * FSIM_SECOND);
    CHECK(r->total.provisioned_ns == (fsim_wide)(4 * 60 + 120) * FSIM_SECOND);
    fsim_result_destroy(r);
}

int main(void) {
    RUN(test_scf_schedule_at_its_own_rate);
    RUN(test_scf_rates_are_apart);
    RUN(test_change_of_mind);
    RUN(test_release_spares_requests);
    RUN(test_lambda_serves_together);
    RUN(test_held_back_serve_the_queue);
    RUN(test_tracked);
    RUN(test_statistic);
    RUN(test_bounds_by_schedule);
    RUN(test_fc_tracked);
    RUN(test_claims);
    RUN(test_max_instances);
    RUN(test_the_end_in_a_start);
    RUN(test_warm_up);
    return check_done();
}
