/* HPA, KEDA and OpenFaaS in simulated runs: when they decide what, to the second. Their rules by themselves
 * are in the vectors (tests/conformance). */
#include "io/json_reader.h"
#include "io/scenario_load.h"
#include "model/run.h"

#include "autoscale/hpa.h"
#include "autoscale/metrics_pipeline.h"
#include "autoscale/openfaas.h"

#include "support/check.h"

/* ---- runs ---- */

#define CHANGES_MAX 256

/* Each decision that changed what is wanted. */
static struct {
    struct change {
        double at_s;
        uint32_t want;
        const char *mode;
        char reason[160];
    } change[CHANGES_MAX];
    uint32_t count, wanted;
} seen;

static void note(void *user, fsim_fn_id fn, const fsim_scale_view *view,
                 const fsim_scale_decision *decision) {
    (void)user;
    (void)fn;
    if (decision->want != seen.wanted && seen.count < CHANGES_MAX) {
        struct change *c = &seen.change[seen.count++];
        c->at_s = fsim_ns_to_s(view->now_ns);
        c->want = decision->want;
        c->mode = decision->mode;
        memcpy(c->reason, decision->reason, sizeof c->reason);
    }
    seen.wanted = decision->want;
}

static fsim_result *result;

/* A function of one vCPU whose pods take any number of requests, up to the time `until`. */
static void run(const char *bundle, const char *scaling, const char *function, const char *workload,
                const char *until) {
    char json[4096];
    fsim_error err = {0};
    fsim_value *tree = NULL;
    fsim_scenario *s = NULL;
    fsim_value_pool *pool = fsim_value_pool_create();
    const fsim_load_options options = {0};
    snprintf(
        json, sizeof json,
        "{\"schema\": \"fsim.scenario/1\", \"name\": \"t\", \"run\": {\"until\": \"%s\"}, \"billing\": [],"
        " \"workload\": %s, \"policy\": {\"bundle\": \"%s\", \"scaling\": {%s}},"
        " \"functions\": [{\"name\": \"a\", \"vcpu\": 1, \"concurrency\": null, \"cold_start\": \"2s\"%s}]}",
        until, workload, bundle, scaling, function);
    REQUIRE(fsim_json_read_text(pool, json, "t.json", &tree, &err) == FSIM_OK);
    fsim_status status = fsim_scenario_from_tree(&s, pool, tree, NULL, &options, &err);
    CHECK_EQ_STR(err.text, "");
    REQUIRE(status == FSIM_OK);
    memset(&seen, 0, sizeof seen);
    seen.wanted = 1;
    const fsim_run_options run_options = {.seed = 1, .on_decision = note};
    fsim_result_destroy(result);
    result = NULL;
    REQUIRE(fsim_run(&result, s, &run_options, &err) == FSIM_OK);
    fsim_scenario_destroy(s);
}

static void check_changes(uint32_t count, const double (*expected)[2]) {
    CHECK_EQ_INT(seen.count, count);
    for (uint32_t i = 0; i < count && i < seen.count; i++) {
        check_context("change %u", i);
        CHECK_NEAR(seen.change[i].at_s, expected[i][0], 0);
        CHECK_EQ_INT(seen.change[i].want, expected[i][1]);
    }
    check_context("%s", "");
}

#define CHANGES(...)                                                                                         \
    check_changes(sizeof((const double[][2]){__VA_ARGS__}) / sizeof(double[2]),                              \
                  (const double[][2]){__VA_ARGS__})

/* ---- HPA ---- */

/* One request after the other from 60 s to 300 s, each all of a vCPU. */
#define STEP "{\"source\": \"constant\", \"interval\": \"1s\", \"offset\": \"60s\", \"until\": \"299s\"}"
#define BUSY ", \"service\": \"1s\""

/* The load begins at 60 s. The scrape at 75 s is the first to see it, and sees it whole; it is served at 85 s
 * and read at 90 s. Two pods then have half the load each, which is the target. */
static void test_cpu_is_seen_late(void) {
    run("hpa", "\"cpu_utilization\": 50", BUSY, STEP, "299s");
    CHANGES({90, 2});
    CHECK_EQ_STR(seen.change[0].mode, "up");
    CHECK_CONTAINS(seen.change[0].reason, "cpu_utilization at 2.00 of its target wants 2");
    run("hpa", "\"metric_delay\": \"0s\"", BUSY, STEP, "299s");
    CHANGES({75, 2});
    run("hpa", "\"metric_resolution\": \"60s\"", BUSY, STEP, "180s");
    CHANGES({135, 2});
}

/* The last proposal of 2 is that of 315 s, from the scrape at 300 s. It holds for as long as the window, its
 * end included, so the first sync after that lets go. */
static void test_downscale_is_stabilised(void) {
    run("hpa", "\"cpu_utilization\": 50", BUSY, STEP, "1000s");
    CHANGES({90, 2}, {630, 1});
    run("hpa", "\"downscale_stabilization\": \"60s\"", BUSY, STEP, "1000s");
    CHANGES({90, 2}, {390, 1});
}

/* The count at t = 0 is a recommendation of its own: even an idle object keeps its size for 5 min. */
static void test_first_size_is_held(void) {
    run("hpa", "\"min_replicas\": 1", BUSY ", \"min_instances\": 4",
        "{\"source\": \"list\", \"arrivals\": []}", "1000s");
    CHECK_EQ_INT(seen.count, 1); /* from the 1 that the notes begin with to 4, and there it stays */
    CHECK_EQ_INT(seen.wanted, 4);
}

/* 200 requests at once, 10 a pod: the old way doubles or reaches 4, the rules add 4 or double. */
static void test_growth_is_limited(void) {
    const char *load = "{\"source\": \"list\", \"arrivals\": [{\"arrival\": \"1s\", \"duration\": \"900s\", "
                       "\"count\": 200}]}";
    run("hpa", "\"cpu_utilization\": null, \"concurrency_average\": 10", "", load, "120s");
    CHANGES({30, 4}, {45, 8}, {60, 16}, {75, 20});
    run("hpa", "\"cpu_utilization\": null, \"concurrency_average\": 10, \"behavior\": true", "", load,
        "120s");
    CHANGES({30, 5}, {45, 10}, {60, 20});
}

/* Six pods fall by 2 in 30 s and no faster. The scrape at 105 s is the first that misses some of the load. */
static void test_fall_is_limited(void) {
    const char *load = "{\"source\": \"list\", \"arrivals\": [{\"arrival\": \"1s\", \"duration\": \"99s\", "
                       "\"count\": 60}]}";
    run("hpa",
        "\"cpu_utilization\": null, \"concurrency_average\": 10, \"behavior\": true, \"scale_down_percent\": "
        "null,"
        " \"scale_down_pods\": 2, \"scale_down_pods_period\": \"30s\", \"scale_down_stabilization\": \"0s\"",
        "", load, "300s");
    CHANGES({30, 5}, {45, 6}, {120, 4}, {150, 2}, {180, 1});
    CHECK_CONTAINS(seen.change[3].reason, "limited to 2");
}

/* The larger proposal counts; memory alone would keep one pod. */
static void test_largest_metric_counts(void) {
    const char *load = "{\"source\": \"list\", \"arrivals\": [{\"arrival\": \"1s\", \"duration\": \"900s\", "
                       "\"count\": 4}]}";
    const char *memory =
        ", \"memory_mb\": 1000, \"memory_use\": {\"base\": \"100MB\", \"per_request\": \"100MB\"}";
    run("hpa", "\"cpu_utilization\": null, \"memory_utilization\": 50", memory, load, "120s");
    CHECK_EQ_INT(seen.count, 0); /* 100 + 4 x 100 of 1000 MB: at the target */
    run("hpa", "\"cpu_utilization\": null, \"memory_utilization\": 25", memory, load, "120s");
    CHANGES({30, 2}, {60, 3}); /* 50 %; then 50 and 10 %: 1.2 times the target */
    run("hpa", "\"cpu_utilization\": 40, \"memory_utilization\": 25", memory, load, "60s");
    CHANGES({30, 3});
}

/* ---- KEDA ---- */

/* A request of 100 s at 10 s: looks at 30, 60 and 90 s find it. The cooldown must be exceeded: 420 s, not 390
 * s. The next request waits for the look at 1020 s and for the start. */
static void test_keda_goes_to_zero_and_back(void) {
    const char *load = "{\"source\": \"list\", \"arrivals\": [{\"arrival\": \"10s\", \"duration\": \"100s\"},"
                       " {\"arrival\": \"1000s\", \"duration\": \"1s\"}]}";
    run("keda", "\"cooldown_period\": \"300s\"", "", load, "2000s");
    CHANGES({420, 0}, {1020, 1}, {1350, 0});
    CHECK_EQ_STR(seen.change[0].mode, "sleep");
    CHECK_EQ_STR(seen.change[1].mode, "wake");
    CHECK_EQ_INT(result->total.n.completed, 2);
    CHECK_EQ_INT(result->total.wait.max_ns, 22 * FSIM_SECOND);
}

/* Above one the autoscaler does it: 12 requests at 5 a pod. It comes down 300 s after the last proposal of 3,
 * and KEDA takes the last one. */
static void test_keda_hands_over(void) {
    const char *load = "{\"source\": \"list\", \"arrivals\": [{\"arrival\": \"1s\", \"duration\": \"100s\", "
                       "\"count\": 12}]}";
    run("keda", "\"cooldown_period\": \"600s\"", "", load, "2000s");
    CHANGES({15, 3}, {405, 1}, {720, 0});
    run("keda", "\"min_replica_count\": 2, \"idle_replica_count\": 0", "", load, "2000s");
    CHANGES({15, 3}, {405, 2}, {420, 0});
}

static void test_keda_by_rate(void) {
    const char *load = "{\"source\": \"constant\", \"interval\": \"100ms\", \"until\": \"600s\"}";
    run("keda", "\"trigger\": \"rps\", \"threshold\": 2, \"rate_window\": \"60s\"", ", \"service\": \"10ms\"",
        load, "600s");
    CHECK(seen.count >= 2);
    CHECK_EQ_INT(seen.wanted, 5); /* 10 a second, 2 a pod */
    CHECK_NEAR(seen.change[seen.count - 1].at_s, 60, 0);
}

/* ---- OpenFaaS ---- */

/* True at 15 s, for 5 s by the evaluation at 30 s, told at 35 s and every 30 s after that; the rate is below
 * at 210 s, and Alertmanager looks at 215 s. */
static void test_openfaas_steps(void) {
    const char *load = "{\"source\": \"constant\", \"interval\": \"100ms\", \"until\": \"199s\"}";
    run("openfaas", "\"threshold\": 5", ", \"service\": \"50ms\"", load, "600s");
    CHANGES({35, 2}, {65, 3}, {95, 4}, {125, 5}, {215, 1});
    run("openfaas", "\"threshold\": 50", ", \"service\": \"50ms\"", load, "600s");
    CHECK_EQ_INT(seen.count, 0);
}

/* ---- rules that no vector shows ---- */

/* The gateway cuts the maximum down before it takes its share: of 20, cut to 5, 25 % are 2 and not 5. */
static void test_step_is_of_the_cut_maximum(void) {
    fsim_openfaas_settings s = {.min = 1, .max = 20, .hard_max = FSIM_OPENFAAS_HARD_MAX, .factor_pct = 25};
    CHECK_EQ_INT(fsim_openfaas_replicas(&s, true, 1), 3);
    s.hard_max = 20;
    CHECK_EQ_INT(fsim_openfaas_replicas(&s, true, 1), 6);
}

static void test_past_is_reused(void) {
    fsim_hpa_entry entries[3];
    fsim_hpa_past past = {entries, 0, 3};
    for (int k = 0; k < 10; k++) {
        fsim_ns now_ns = k * 10 * FSIM_SECOND;
        CHECK_EQ_INT(fsim_hpa_stabilize_plain(&past, 10 * FSIM_SECOND, 10 - k, now_ns), k == 0 ? 10 : 11 - k);
        CHECK(past.count <= 3);
    }
    past = (fsim_hpa_past){entries, 0, 1}; /* too small: the oldest goes, nothing else happens */
    fsim_hpa_stabilize_plain(&past, 10 * FSIM_SECOND, 5, 0);
    fsim_hpa_stabilize_plain(&past, 10 * FSIM_SECOND, 3, FSIM_SECOND);
    CHECK_EQ_INT(past.count, 1);
    CHECK_EQ_INT(entries[0].replicas, 3);
}

static void test_sync_out_of_bounds_asks_nobody(void) {
    fsim_hpa_settings settings = {.min = 2, .max = 5, .downscale_stabilization_ns = 5 * FSIM_MINUTE};
    fsim_hpa_room room = fsim_hpa_room_of(&settings, 15 * FSIM_SECOND);
    fsim_hpa_entry entries[64];
    REQUIRE(room.recommendations + room.ups + room.downs <= 64);
    fsim_hpa hpa;
    fsim_hpa_init(&hpa, entries, &room);
    const fsim_hpa_proposal bad = {.error = "unreadable"};
    fsim_hpa_decision d = fsim_hpa_sync(&hpa, &settings, &bad, 1, 9, 0);
    CHECK_EQ_INT(d.verdict, FSIM_HPA_OUT_OF_BOUNDS);
    CHECK_EQ_INT(d.replicas, 5);
    d = fsim_hpa_sync(&hpa, &settings, &bad, 1, 0, FSIM_SECOND);
    CHECK_EQ_INT(d.verdict, FSIM_HPA_DISABLED);
    CHECK_EQ_INT(d.replicas, 0);
    d = fsim_hpa_sync(&hpa, &settings, &bad, 1, 3, FSIM_SECOND);
    CHECK_EQ_INT(d.verdict, FSIM_HPA_NO_METRIC);
    const fsim_hpa_proposal two[] = {{.error = "unreadable"}, {.replicas = 3}, {.replicas = 2}};
    CHECK_EQ_INT(fsim_hpa_sync(&hpa, &settings, two, 3, 4, FSIM_SECOND).verdict, FSIM_HPA_NO_METRIC);
    CHECK_EQ_INT(fsim_hpa_sync(&hpa, &settings, two, 3, 3, FSIM_SECOND).verdict, FSIM_HPA_DECIDED);
}

static void test_readings_come_late(void) {
    const fsim_metrics_pipeline late = {15 * FSIM_SECOND, 40 * FSIM_SECOND};
    size_t size = fsim_metrics_store_size(&late);
    fsim_metrics_store *store = calloc(1, size);
    REQUIRE(store != NULL);
    CHECK_EQ_INT(size % 16, 0);
    CHECK(fsim_metrics_read(store, &late, FSIM_HOUR) == NULL);
    for (int k = 1; k <= 20; k++) {
        fsim_ns now_ns = k * late.resolution_ns;
        fsim_metrics_reading reading = {now_ns, late.resolution_ns, {k, 0, 0, 0}};
        fsim_metrics_record(store, &late, &reading);
        const fsim_metrics_reading *got = fsim_metrics_read(store, &late, now_ns);
        check_context("scrape %d", k);
        CHECK(k <= 3 ? got == NULL : got != NULL && got->at_ns == now_ns - 3 * late.resolution_ns);
        got = fsim_metrics_read(store, &late, now_ns + 10 * FSIM_SECOND);
        CHECK(k <= 2 ? got == NULL : got != NULL && got->value[0] == k - 2); /* 30 + 10 s: just arrived */
    }
    free(store);
    CHECK(!fsim_metrics_covers(&late, 10 * FSIM_SECOND - 1));
    CHECK(fsim_metrics_covers(&late, 10 * FSIM_SECOND));
    const fsim_metrics_pipeline quick = {5 * FSIM_SECOND, 0};
    CHECK(fsim_metrics_covers(&quick, 5 * FSIM_SECOND));
}

static void test_alert_that_flickers(void) {
    const fsim_openfaas_alert_plan plan = {.threshold = 5,
                                           .for_ns = 20 * FSIM_SECOND,
                                           .evaluation_ns = 10 * FSIM_SECOND,
                                           .group_wait_ns = 5 * FSIM_SECOND,
                                           .group_interval_ns = 10 * FSIM_SECOND,
                                           .repeat_interval_ns = 30 * FSIM_SECOND};
    CHECK_EQ_INT(fsim_openfaas_step(&plan), 5 * FSIM_SECOND);
    fsim_openfaas_alert alert = {0};
    for (int s = 0; s <= 300; s += 5) { /* above for 20 s of 40: it fires for one evaluation and is gone */
        double rate = s % 40 <= 20 ? 6 : 0;
        fsim_openfaas_event event = fsim_openfaas_alert_at(&alert, &plan, rate, s * FSIM_SECOND);
        check_context("%d s", s);
        CHECK_EQ_INT(event, s >= 25 && s % 40 == 25   ? FSIM_OPENFAAS_FIRING
                            : s >= 25 && s % 40 == 35 ? FSIM_OPENFAAS_RESOLVED
                                                      : FSIM_OPENFAAS_QUIET);
    }
}

int main(void) {
    RUN(test_cpu_is_seen_late);
    RUN(test_downscale_is_stabilised);
    RUN(test_first_size_is_held);
    RUN(test_growth_is_limited);
    RUN(test_fall_is_limited);
    RUN(test_largest_metric_counts);
    RUN(test_keda_goes_to_zero_and_back);
    RUN(test_keda_hands_over);
    RUN(test_keda_by_rate);
    RUN(test_openfaas_steps);
    RUN(test_step_is_of_the_cut_maximum);
    RUN(test_past_is_reused);
    RUN(test_sync_out_of_bounds_asks_nobody);
    RUN(test_readings_come_late);
    RUN(test_alert_that_flickers);
    fsim_result_destroy(result);
    return check_done();
}
