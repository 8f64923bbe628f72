/* What a platform's bundle is known for, in small runs whose outcome can be worked out by hand; single
 * statements of the policies spec are in test_platform_rules.c and test_scaling_rules.c. */
#include "support/platform_run.h"

/* Runs `arrivals` (JSON entries of a list source) of a function of one vCPU and 1 GB. */
static fsim_result *run(const char *bundle, const char *arrivals, const char *until) {
    char *workload;
    REQUIRE(asprintf(&workload, "{\"source\": \"list\", \"arrivals\": [%s]}", arrivals) > 0);
    fsim_result *result =
        platform_run(bundle, "\"vcpu\": 1, \"memory_mb\": 1024, \"cold_start\": \"1s\"", workload, until);
    free(workload);
    return result;
}

/* ---- AWS Lambda ---- */

static void test_lambda_starts_1000_and_100_a_second(void) {
    set("platform.account_concurrency", "100000");
    fsim_result *r = run("lambda",
                         "{\"arrival\": \"0s\", \"count\": 1500, \"duration\": \"800s\"},"
                         "{\"arrival\": \"10s\", \"count\": 1500, \"duration\": \"800s\"}",
                         "20s");
    CHECK_EQ_INT(at_s(r, 5), 1000);
    CHECK_EQ_INT(at_s(r, 11), 2000);
    CHECK_EQ_INT(r->total.n.throttled[FSIM_CAUSE_START_RATE], 1000);
    fsim_result_destroy(r);
}

/* Ten requests a second for each concurrent one: of the account, and of a reserve by itself. */
static void test_lambda_rate_follows_concurrency(void) {
    set("platform.account_concurrency", "100");
    fsim_result *r = run("lambda",
                         "{\"arrival\": \"0s\", \"count\": 1, \"duration\": \"0s\"},"
                         "{\"arrival\": \"10s\", \"count\": 1200, \"duration\": \"0s\"}",
                         "20s");
    CHECK_EQ_INT(r->total.n.throttled[FSIM_CAUSE_GATEWAY], 200);
    fsim_result_destroy(r);
    set("functions.fn.reserved_concurrency", "7");
    r = run("lambda",
            "{\"arrival\": \"0s\", \"count\": 1, \"duration\": \"0s\"},"
            "{\"arrival\": \"10s\", \"count\": 100, \"duration\": \"0s\"}",
            "20s");
    CHECK_EQ_INT(r->total.n.throttled[FSIM_CAUSE_GATEWAY], 30);
    fsim_result_destroy(r);
}

static void test_lambda_spills_over(void) {
    set("functions.fn.provisioned", "3");
    fsim_result *r =
        run("lambda-provisioned", "{\"arrival\": \"5s\", \"count\": 5, \"duration\": \"2s\"}", "60s");
    CHECK_EQ_INT(r->total.n.cold_triggered, 2);
    CHECK_EQ_INT(r->total.n.completed, 5);
    fsim_result_destroy(r);
    /* Ten a second on each provisioned one; what is beyond goes on demand. */
    set("functions.fn.provisioned", "1");
    r = run("lambda-provisioned", "{\"arrival\": \"5s\", \"count\": 12, \"duration\": \"0s\"}", "60s");
    CHECK_EQ_INT(r->total.n.cold_triggered, 2);
    CHECK_EQ_INT(r->total.n.completed, 12);
    fsim_result_destroy(r);
}

/* Every execution is cut off: one try and two more, 1 min and 2 min after the error before. */
static void test_async_after_errors(void) {
    set("functions.fn.invocation", "async");
    set("functions.fn.timeout", "2s");
    fsim_result *r = run("lambda", "{\"arrival\": \"0s\", \"duration\": \"10s\"}", "1h");
    CHECK_EQ_INT(r->total.n.failed, 1);
    CHECK_EQ_INT(r->total.n.retries, 2);
    CHECK_EQ_INT(r->total.in_execution_ns, 6 * FSIM_SECOND);
    CHECK_EQ_INT(r->total.wait.max_ns, 185 * FSIM_SECOND); /* 1 s start, 2 s, 1 min, 2 s, 2 min */
    fsim_result_destroy(r);
    set("functions.fn.timeout", "2s"); /* a synchronous one fails at once */
    r = run("lambda", "{\"arrival\": \"0s\", \"duration\": \"10s\"}", "1h");
    CHECK_EQ_INT(r->total.n.failed, 1);
    CHECK_EQ_INT(r->total.n.retries, 0);
    fsim_result_destroy(r);
}

/* Refused at 0, 1, 3, 7 … s while the only place is taken until 100 s. */
static void test_async_after_refusals(void) {
    set("functions.fn.invocation", "async");
    set("platform.account_concurrency", "1");
    fsim_result *r = run(
        "lambda",
        "{\"arrival\": \"0s\", \"duration\": \"100s\"}, {\"arrival\": \"2s\", \"duration\": \"1s\"}", "1h");
    CHECK_EQ_INT(r->total.n.completed, 2);
    CHECK_EQ_INT(r->total.n.throttled[FSIM_CAUSE_ACCOUNT], 7);
    CHECK_EQ_INT(r->total.wait.max_ns, 127 * FSIM_SECOND);
    fsim_result_destroy(r);
    set("functions.fn.invocation", "async"); /* given up when it would be too old */
    set("platform.account_concurrency", "1");
    set("platform.async.max_age", "20s");
    r = run("lambda",
            "{\"arrival\": \"0s\", \"duration\": \"100s\"}, {\"arrival\": \"2s\", \"duration\": \"1s\"}",
            "1h");
    CHECK_EQ_INT(r->total.n.rejected_429, 1);
    CHECK_EQ_INT(r->total.n.retries, 4);
    fsim_result_destroy(r);
}

static void test_error_rate(void) {
    set("functions.fn.error_rate", "0.25");
    fsim_result *r = run("lambda", "{\"arrival\": \"0s\", \"count\": 1000, \"duration\": \"1ms\"}", "1h");
    CHECK(r->total.n.failed > 200 && r->total.n.failed < 300);
    uint64_t failed = r->total.n.failed;
    fsim_result_destroy(r);
    set("functions.fn.error_rate", "0.25");
    set("functions.fn.invocation", "async");
    r = run("lambda", "{\"arrival\": \"0s\", \"count\": 1000, \"duration\": \"1ms\"}", "1h");
    CHECK(r->total.n.failed < failed / 5); /* 1 in 64 */
    CHECK(r->total.n.failed > 0);
    fsim_result_destroy(r);
}

/* ---- Tencent ---- */

static void test_scf_speed_and_quota(void) {
    set("platform.memory_quota_mb", "614400"); /* 600 instances of 1 GB */
    fsim_result *r = run("scf",
                         "{\"arrival\": \"1s\", \"count\": 700, \"duration\": \"800s\"},"
                         "{\"arrival\": \"70s\", \"count\": 700, \"duration\": \"800s\"}",
                         "80s");
    CHECK_EQ_INT(at_s(r, 5), 500);
    CHECK_EQ_INT(at_s(r, 75), 600);
    CHECK_EQ_INT(r->total.n.throttled[FSIM_CAUSE_START_RATE], 200);
    CHECK_EQ_INT(r->total.n.throttled[FSIM_CAUSE_MEMORY_QUOTA], 600);
    fsim_result_destroy(r);
}

/* Two of low concurrency. A call each 2 min, noticed at full minutes: three gaps of nearly 120 s are waited
 * for, so one start does. A call each 15 min: three gaps are beyond 30 min, and after the second call, which
 * shows the gap, an instance goes 60 s after its last request. */
static void test_scf_reclaims_by_the_time_between_calls(void) {
    char arrivals[2048];
    int len = 0;
    for (int call = 0; call < 20; call++) {
        len += snprintf(arrivals + len, sizeof arrivals - (size_t)len,
                        "%s{\"arrival\": \"%ds\", \"duration\": \"500ms\"}", call == 0 ? "" : ",",
                        119 + 120 * call);
    }
    fsim_result *r = run("scf", arrivals, "4000s");
    CHECK_EQ_INT(r->total.n.cold_triggered, 1);
    CHECK_EQ_INT(at_s(r, 2399 + 350), 1);
    CHECK_EQ_INT(at_s(r, 2399 + 375), 0); /* nearly 360 s after 2,399.5 s */
    fsim_result_destroy(r);
    r = run("scf",
            "{\"arrival\": \"10s\", \"duration\": \"1s\"}, {\"arrival\": \"910s\", \"duration\": \"1s\"},"
            "{\"arrival\": \"1810s\", \"duration\": \"1s\"}",
            "3000s");
    CHECK_EQ_INT(r->total.n.cold_triggered, 3);
    CHECK(at_s(r, 190) == 1 && at_s(r, 193) == 0);  /* nothing known: 180 s after 12 s */
    CHECK(at_s(r, 970) == 1 && at_s(r, 1021) == 0); /* at 960 s: 60 s; found when next looked at */
    fsim_result_destroy(r);
}

/* Busy: 10 instances with a request each for 90 s, then 2 of them for 600 s more. After the first minute all
 * are in use: 300 s. From 120 s on the share falls to 2 of 10, and with it the window to 180 + 0.2 x 120 =
 * 204 s. */
static void test_scf_retention_follows_use(void) {
    fsim_result *r = run("scf",
                         "{\"arrival\": \"0s\", \"count\": 8, \"duration\": \"89s\"},"
                         "{\"arrival\": \"0s\", \"count\": 2, \"duration\": \"700s\"}",
                         "1000s");
    CHECK_EQ_INT(at_s(r, 293), 10); /* idle since 90 s */
    CHECK_EQ_INT(at_s(r, 301), 2);  /* the next look after 294 s */
    fsim_result_destroy(r);
    set("policy.keepalive.low_concurrency", "5"); /* low from 180 s on, and called each minute: 180 s */
    r = run("scf",
            "{\"arrival\": \"0s\", \"count\": 8, \"duration\": \"89s\"},"
            "{\"arrival\": \"0s\", \"count\": 2, \"duration\": \"700s\"}",
            "1000s");
    CHECK_EQ_INT(at_s(r, 269), 10);
    CHECK_EQ_INT(at_s(r, 301), 2);
    fsim_result_destroy(r);
}

/* ---- Alibaba ---- */

static void test_fc_starts_300_and_100_in_all(void) {
    fsim_result *r = run("fc", "{\"arrival\": \"0s\", \"count\": 150, \"duration\": \"10s\"}", "400s");
    CHECK_EQ_INT(at_s(r, 5), 90); /* of one function */
    CHECK_EQ_INT(r->total.n.throttled[FSIM_CAUSE_FUNCTION], 60);
    CHECK(at_s(r, 185) == 90 && at_s(r, 320) == 0); /* idle from 11 s on, for 3 to 5 min */
    fsim_result_destroy(r);
    set("platform.function_share", "1");
    r = run("fc", "{\"arrival\": \"0s\", \"count\": 150, \"duration\": \"10s\"}", "400s");
    CHECK_EQ_INT(at_s(r, 5), 100);
    CHECK_EQ_INT(r->total.n.throttled[FSIM_CAUSE_ACCOUNT], 50);
    fsim_result_destroy(r);
    set("platform.account_instances", "1000");
    r = run("fc", "{\"arrival\": \"0s\", \"count\": 400, \"duration\": \"100s\"}", "30s");
    CHECK_EQ_INT(at_s(r, 5), 300);
    CHECK_EQ_INT(r->total.n.throttled[FSIM_CAUSE_START_RATE], 100);
    fsim_result_destroy(r);
}

/* A session stays with its instance, beside others that are free, in as many slots as an instance has; the
 * instance is held for it beyond the 3 to 5 minutes, until the session has been idle for too long. */
static void test_fc_sessions(void) {
    const char *arrivals = "{\"arrival\": \"0s\", \"duration\": \"10s\", \"session\": \"a\"},"
                           "{\"arrival\": \"1s\", \"duration\": \"10s\", \"session\": \"b\"},"
                           "{\"arrival\": \"20s\", \"duration\": \"5s\", \"session\": \"a\"},"
                           "{\"arrival\": \"21s\", \"duration\": \"5s\", \"session\": \"a\"},"
                           "{\"arrival\": \"600s\", \"duration\": \"1s\", \"session\": \"b\"}";
    for (int slots = 1; slots <= 2; slots++) {
        set("functions.fn.session", "{\"idle_timeout\": \"30m\", \"lifetime\": \"6h\", \"per_instance\": 1}");
        set("functions.fn.concurrency", slots == 1 ? "1" : "2");
        set("platform.queue.capacity", "10");
        fsim_result *r = run("fc", arrivals, "3000s");
        check_context("%d slots", slots);
        CHECK_EQ_INT(r->total.n.completed, 5);
        CHECK_EQ_INT(r->total.n.sessions_followed, 3);
        CHECK_EQ_INT(r->total.n.cold_triggered, 2);
        /* The second of a's waits for the first although b's instance is free; a second slot takes it. */
        CHECK_EQ_INT(r->total.wait.max_ns, (slots == 1 ? 4 : 1) * FSIM_SECOND);
        CHECK(at_s(r, 1700) == 2 && at_s(r, 2600) == 0);
        fsim_result_destroy(r);
    }
}

/* ---- groups of machines ---- */

static void test_steps_respect_the_cooldown(void) {
    set("policy.scaling.metric", "concurrency");
    set("policy.scaling.out", "+2 at 1");
    set("policy.scaling.in", "none");
    fsim_result *r =
        run("step-scaling", "{\"arrival\": \"0s\", \"count\": 10, \"duration\": \"3000s\"}", "1200s");
    CHECK(at_s(r, 118) == 1 && at_s(r, 121) == 3); /* two points */
    CHECK(at_s(r, 418) == 3 && at_s(r, 421) == 5); /* 300 s later */
    CHECK(at_s(r, 721) == 7);
    fsim_result_destroy(r);
}

static void test_tracking_waits_for_the_first(void) {
    set("policy.scaling.cpu", "0");
    set("policy.scaling.concurrency", "2"); /* the first machine warms up for 300 s */
    fsim_result *r =
        run("target-tracking", "{\"arrival\": \"0s\", \"count\": 9, \"duration\": \"3000s\"}", "500s");
    CHECK(at_s(r, 418) == 1 && at_s(r, 422) == 5);
    fsim_result_destroy(r);
}

int main(void) {
    RUN(test_lambda_starts_1000_and_100_a_second);
    RUN(test_lambda_rate_follows_concurrency);
    RUN(test_lambda_spills_over);
    RUN(test_async_after_errors);
    RUN(test_async_after_refusals);
    RUN(test_error_rate);
    RUN(test_scf_speed_and_quota);
    RUN(test_scf_reclaims_by_the_time_between_calls);
    RUN(test_scf_retention_follows_use);
    RUN(test_fc_starts_300_and_100_in_all);
    RUN(test_fc_sessions);
    RUN(test_steps_respect_the_cooldown);
    RUN(test_tracking_waits_for_the_first);
    return check_done();
}
