/* What each platform's bundle is known for, in small runs whose outcome can be worked out by hand. */
#include "oracle/random_scenario.h"
#include "support/check.h"

#include <stdarg.h>
#include <stdlib.h>

static fsim_error err;
static char settings_text[16][2][128];
static fsim_setting settings[16];
static size_t setting_count;

/* "key=value" settings for the next run. */
static void set(const char *path, const char *text) {
    REQUIRE(setting_count < 16);
    snprintf(settings_text[setting_count][0], 128, "%s", path);
    snprintf(settings_text[setting_count][1], 128, "%s", text);
    settings[setting_count] =
        (fsim_setting){settings_text[setting_count][0], settings_text[setting_count][1], "test"};
    setting_count++;
}

/* Runs `arrivals` (JSON entries of a list source) of a function of one vCPU under a bundle. */
static fsim_result *run(const char *bundle, const char *arrivals, const char *until) {
    char *text;
    REQUIRE(
        asprintf(
            &text,
            "{\"schema\": \"fsim.scenario/1\", \"name\": \"t\", \"billing\": [], \"workload\": {\"source\": "
            "\"list\", \"arrivals\": [%s]}, \"functions\": [{\"name\": \"fn\", \"vcpu\": 1, \"memory_mb\": "
            "1024, \"cold_start\": \"1s\"}], \"policy\": {\"bundle\": \"%s\"}, \"run\": {\"until\": "
            "\"%s\", \"windows\": {\"every\": \"1s\"}}}",
            arrivals, bundle, until) > 0);
    err = (fsim_error){0};
    fsim_load_options load = {.settings = settings, .setting_count = setting_count};
    fsim_result *result = engine_run_with(text, &(fsim_run_options){.seed = 1}, &load, &err);
    if (result == NULL) {
        printf("%s: %s\n", err.place, err.text);
        REQUIRE(false);
    }
    const fsim_counts *n = &result->total.n;
    CHECK_EQ_INT(n->arrived, n->completed + n->rejected_429 + n->rejected_503 + n->timed_out + n->failed +
                                 n->in_system_at_end);
    free(text);
    setting_count = 0;
    return result;
}

static uint64_t at_s(const fsim_result *r, uint32_t second) {
    REQUIRE(second < r->window_count);
    return r->windows[second].all.instances_end;
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

/* ---- Alibaba, Huawei ---- */

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

static void test_huawei_keeps_a_minute(void) {
    fsim_result *r = run("huawei", "{\"arrival\": \"0s\", \"count\": 2, \"duration\": \"1s\"}", "100s");
    CHECK(at_s(r, 60) == 2 && at_s(r, 63) == 0);
    fsim_result_destroy(r);
}

/* ---- Google ---- */

static void test_cloud_run(void) {
    /* 80 in one instance, which the 81st does not fit into. */
    fsim_result *r = run("cloud-run", "{\"arrival\": \"0s\", \"count\": 81, \"duration\": \"2s\"}", "1200s");
    CHECK_EQ_INT(at_s(r, 2), 2);
    CHECK_EQ_INT(r->total.n.completed, 81);
    CHECK(at_s(r, 900) == 2 && at_s(r, 910) == 0); /* kept for 15 min */
    fsim_result_destroy(r);
    /* 96 inside of the 48 that an instance shall have: two of 80 would do, the target asks for a third
     * beyond 96. */
    set("functions.fn.cpu_fraction", "0.001");
    r = run("cloud-run", "{\"arrival\": \"0s\", \"count\": 100, \"duration\": \"800s\"}", "120s");
    CHECK(at_s(r, 3) == 2 && at_s(r, 100) == 3);
    fsim_result_destroy(r);
    /* Two full instances of one vCPU: by CPU ceil(2 / 0.6) = 4. */
    r = run("cloud-run", "{\"arrival\": \"0s\", \"count\": 100, \"duration\": \"800s\"}", "120s");
    CHECK(at_s(r, 100) >= 4);
    fsim_result_destroy(r);
}

/* At most max_instances: the rest waits for 10 s, or 3.5 starts, then 429. */
static void test_cloud_run_queue(void) {
    set("functions.fn.max_instances", "1");
    fsim_result *r = run("cloud-run", "{\"arrival\": \"0s\", \"count\": 90, \"duration\": \"60s\"}", "100s");
    CHECK_EQ_INT(r->total.n.rejected_429, 10);
    CHECK_EQ_INT(r->windows[10].all.n.rejected_429, 10);
    fsim_result_destroy(r);
    set("functions.fn.max_instances", "1");
    set("functions.fn.cold_start", "4s");
    r = run("cloud-run", "{\"arrival\": \"0s\", \"count\": 90, \"duration\": \"60s\"}", "100s");
    CHECK_EQ_INT(r->windows[14].all.n.rejected_429, 10);
    fsim_result_destroy(r);
}

/* ---- Microsoft ---- */

static void test_azure_grows_by_one_a_second(void) {
    fsim_result *r =
        run("azure-consumption", "{\"arrival\": \"0.5s\", \"count\": 1000, \"duration\": \"200s\"}", "60s");
    for (uint32_t s = 1; s < 10; s++) {
        CHECK_EQ_INT(at_s(r, s), s < 2 ? 1 : at_s(r, s - 1) + 1);
    }
    CHECK_EQ_INT(at_s(r, 30), 10); /* 100 requests in each */
    fsim_result_destroy(r);
    set("policy.scaling.trigger", "queue");
    r = run("azure-consumption", "{\"arrival\": \"1s\", \"count\": 1000, \"duration\": \"200s\"}", "100s");
    CHECK_EQ_INT(at_s(r, 59), 1); /* at once from none; then 30 s must have passed */
    CHECK_EQ_INT(at_s(r, 62), 5);
    CHECK_EQ_INT(at_s(r, 92), 9);
    fsim_result_destroy(r);
}

static void test_azure_flex_concurrency_by_size(void) {
    static const char *const sizes[] = {"512", "2048", "4096"};
    static const uint64_t instances[] = {24, 6, 3};
    for (int i = 0; i < 3; i++) {
        set("functions.fn.memory_mb", sizes[i]);
        set("functions.fn.concurrency", "100");
        fsim_result *r =
            run("azure-flex", "{\"arrival\": \"0s\", \"count\": 96, \"duration\": \"200s\"}", "20s");
        check_context("%s MB", sizes[i]);
        CHECK_EQ_INT(at_s(r, 15), instances[i]);
        fsim_result_destroy(r);
    }
}

/* ---- OpenWhisk ---- */

static void test_openwhisk_limits(void) {
    set("functions.fn.memory_mb", "256");
    fsim_result *r = run("openwhisk",
                         "{\"arrival\": \"1s\", \"count\": 40, \"duration\": \"3s\"},"
                         "{\"arrival\": \"50s\", \"count\": 40, \"duration\": \"10ms\"},"
                         "{\"arrival\": \"60s\", \"count\": 4, \"duration\": \"10ms\"}",
                         "100s");
    CHECK_EQ_INT(at_s(r, 2), 4);                                /* 1,024 MB of one invoker */
    CHECK_EQ_INT(r->total.n.throttled[FSIM_CAUSE_GATEWAY], 20); /* 60 in a whole minute */
    CHECK_EQ_INT(r->total.n.completed, 64);
    fsim_result_destroy(r);
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

static void test_scale_in_spares_the_busy(void) {
    for (int protect = 0; protect < 2; protect++) {
        set("policy.scaling.metric", "concurrency");
        set("policy.scaling.out", "=4 at 10");
        set("policy.scaling.in", "=1 at 2");
        set("policy.scaling.out_points", "1");
        set("policy.scaling.in_points", "1");
        set("policy.scaling.in_cooldown", "0s");
        set("policy.scaling.protect_busy", protect ? "true" : "false");
        fsim_result *r = run("step-scaling",
                             "{\"arrival\": \"0s\", \"count\": 10, \"duration\": \"70s\"},"
                             "{\"arrival\": \"100s\", \"count\": 3, \"duration\": \"2000s\"}",
                             "400s");
        check_context("protect %d", protect);
        CHECK_EQ_INT(at_s(r, 70), 4);
        CHECK(at_s(r, 130) >= 3); /* three of the four hold a long request each, drained or spared */
        fsim_result_destroy(r);
    }
}

static void test_tracking_needs_three_minutes(void) {
    set("policy.scaling.cpu", "0");
    set("policy.scaling.concurrency", "2"); /* the first machine warms up for 300 s */
    fsim_result *r =
        run("target-tracking", "{\"arrival\": \"0s\", \"count\": 9, \"duration\": \"3000s\"}", "500s");
    CHECK(at_s(r, 418) == 1 && at_s(r, 422) == 5);
    fsim_result_destroy(r);
    set("policy.scaling.cpu", "0");
    set("policy.scaling.concurrency", "2");
    set("policy.scaling.warmup", "0s");
    set("functions.fn.cpu_model", "none");
    r = run("target-tracking",
            "{\"arrival\": \"0s\", \"count\": 9, \"duration\": \"3000s\"},"
            "{\"arrival\": \"3100s\", \"duration\": \"0s\"}",
            "5000s");
    CHECK(at_s(r, 178) == 1 && at_s(r, 182) == 5);
    CHECK(at_s(r, 3800) == 5 && at_s(r, 3960) < 5); /* fifteen minutes below */
    CHECK(at_s(r, 4800) < at_s(r, 3960));
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
    RUN(test_huawei_keeps_a_minute);
    RUN(test_cloud_run);
    RUN(test_cloud_run_queue);
    RUN(test_azure_grows_by_one_a_second);
    RUN(test_azure_flex_concurrency_by_size);
    RUN(test_openwhisk_limits);
    RUN(test_steps_respect_the_cooldown);
    RUN(test_scale_in_spares_the_busy);
    RUN(test_tracking_needs_three_minutes);
    return check_done();
}
