/* The document of a run: every key of the contract is there and holds the right number. */
#include "report/summary_json.h"
#include "report/summary_path_json.h"
#include "support/sample_run.h"

static sample_run sample;

static json_t *make_summary(const char *policy) {
    sample_run_make(&sample, policy);
    json_t *summary = fsim_summary_json(&sample.scenario, &sample.result, sample.invoice, 2);
    REQUIRE(summary != NULL);
    return summary;
}

static void forget(json_t *summary) {
    json_decref(summary);
    sample_run_destroy(&sample);
}

/* Paths of the contract (sections 5 and 2 of the additions), with their value in the sample. */
static const struct {
    const char *path;
    double value;
} contract[] = {
    {"seed", 1},
    {"horizon_s", 100},
    {"requests.arrived", 10},
    {"requests.completed", 8},
    {"requests.rejected_429", 1},
    {"requests.rejected_503", 1},
    {"requests.timed_out", 0},
    {"requests.failed", 0},
    {"requests.in_system_at_end", 0},
    {"requests.retries", 0},
    {"throttled.account", 1},
    {"throttled.function", 0},
    {"throttled.memory_quota", 0},
    {"throttled.start_rate", 0},
    {"throttled.gateway", 0},
    {"throttled.queue_full", 1},
    {"cold.triggered", 2},
    {"cold.affected", 2},
    {"cold.ratio", 0.2},
    {"cold.latency_s.mean", 2.1},
    {"cold.latency_s.p50", 2.1},
    {"cold.latency_s.p90", 2.1},
    {"cold.latency_s.p99", 2.1},
    {"cold.latency_s.max", 2.1},
    {"cold.phases_s.schedule", 0},
    {"cold.phases_s.pull", 0},
    {"cold.phases_s.sandbox", 1.5},
    {"cold.phases_s.runtime", 0},
    {"cold.phases_s.user", 0.5},
    {"latency_s.mean", 0.6},
    {"latency_s.p50", 0.1},
    {"latency_s.p90", 2.1},
    {"latency_s.p95", 2.1},
    {"latency_s.p99", 2.1},
    {"latency_s.p999", 2.1},
    {"latency_s.max", 2.1},
    {"latency_s.exceed[0]", 0.25},
    {"wait_s.mean", 0.5},
    {"wait_s.p50", 0},
    {"wait_s.p95", 2},
    {"wait_s.p999", 2},
    {"wait_s.max", 2},
    {"wait_s.p_wait", 0.25},
    {"wait_s.exceed[0]", 0.25},
    {"service_s.mean", 0.1},
    {"service_s.p50", 0.1},
    {"service_s.p90", 0.1},
    {"service_s.p99", 0.1},
    {"service_s.max", 0.1},
    {"concurrency.mean", 0.008},
    {"concurrency.peak", 2},
    {"concurrency.var", 0.009936},
    {"instances.mean", 1.25},
    {"instances.mean_starting", 0.04},
    {"instances.mean_busy", 0.008},
    {"instances.mean_idle", 1.202},
    {"instances.peak", 2},
    {"instances.started", 2},
    {"instances.removed", 1},
    {"instances.crashed", 0},
    {"instances.provisioned_mean", 0},
    {"instance_s.total", 125},
    {"instance_s.starting", 4},
    {"instance_s.busy", 0.8},
    {"instance_s.idle", 120.2},
    {"utilisation", 0.8 / 121},
    {"queue.mean", 0.05},
    {"queue.peak", 1},
    {"bills[0].total", 0.96},
    {"bills.phase2.total", 0.48},
    {"bills[1].lines[2].amount", 0.24},
    {"bills[1].lines.memory.quantity", 24},
    {"functions.resize-image.requests.arrived", 10},
    {"functions.resize-image.latency_s.p99", 2.1},
    {"functions.fn.two.requests.arrived", 0},
    {"functions.fn.two.instances.mean", 0},
    {"windows[1].from_s", 50},
    {"windows[1].to_s", 100},
    {"windows[0].arrived", 5},
    {"windows[0].cold", 1},
    {"windows[0].instances_end", 2},
    {"windows[0].functions.resize-image.arrived", 4},
    {"windows[0].functions.resize-image.instances_end", 2},
    {"probe[0].at_s", 30},
    {"probe[0].in_flight", 1},
    {"probe[0].idle", 1},
    {"occupancy.requests[0]", 0.5},
    {"occupancy.instances[2]", 0.25},
};

static void test_contract(void) {
    json_t *summary = make_summary("knative");
    for (size_t i = 0; i < sizeof contract / sizeof *contract; i++) {
        check_context("%s", contract[i].path);
        double value = NAN;
        CHECK(fsim_summary_eval(summary, contract[i].path, &value, NULL) == FSIM_OK);
        bool percentile = strstr(contract[i].path, ".p") != NULL; /* of a histogram: within half a percent */
        CHECK_NEAR(value, contract[i].value, percentile ? 0.005 * contract[i].value : 1e-12);
    }
    check_context("%s", "");
    CHECK_EQ_STR(fsim_summary_text(summary, "schema"), "fsim.summary/1");
    CHECK_EQ_STR(fsim_summary_text(summary, "name"), "sample");
    CHECK_EQ_STR(fsim_summary_text(summary, "policy"), "knative");
    CHECK_EQ_STR(fsim_summary_text(summary, "digest"), "0123456789abcdef");
    CHECK_EQ_STR(fsim_summary_text(summary, "bills[0].currency"), "CNY");
    CHECK(json_is_integer(fsim_summary_find(summary, "requests.arrived")));
    CHECK(fsim_summary_find(summary, "nodes") == NULL);
    CHECK(fsim_summary_find(summary, "warnings") == NULL);
    forget(summary);
}

/* Nothing happened, or percentiles were not kept: zeros and absent keys, never NaN. */
static void test_empty(void) {
    sample_run_make(&sample, "none");
    sample.result.horizon_ns = 0;
    memset(&sample.scope[0].n, 0, sizeof sample.scope[0].n);
    sample.result.total.slot_ns = 0;
    json_t *summary = fsim_summary_json(&sample.scenario, &sample.result, NULL, 0);
    REQUIRE(summary != NULL);
    CHECK_EQ_INT(fsim_summary_size(summary, "bills"), 0);
    CHECK(fsim_summary_number(summary, "instances.mean") == 0);
    CHECK(fsim_summary_number(summary, "utilisation") == 0);
    CHECK(fsim_summary_find(summary, "functions.fn.two.latency_s.mean") != NULL);
    CHECK(fsim_summary_find(summary, "functions.fn.two.latency_s.p99") == NULL);
    char *text = fsim_summary_dump(summary);
    CHECK(text != NULL && strstr(text, "nan") == NULL && strstr(text, "inf") == NULL);
    free(text);
    forget(summary);
}

static void test_nodes_and_warning(void) {
    sample_run_make(&sample, "none");
    fsim_result *r = &sample.result;
    sample.scenario.nodes = (fsim_nodes_plan){.vcpu = 4, .memory_mb = 1000, .price_per_hour = 3.6};
    r->node_count = r->node_peak = 2;
    r->node_ns = 200 * FSIM_SECOND;
    r->node_cpu_busy_ns = (fsim_wide)200 * FSIM_SECOND * 1000;
    r->node_memory_mb_ns = (fsim_wide)100 * FSIM_SECOND * 1000;
    r->nonstationary = true;
    json_t *summary = fsim_summary_json(&sample.scenario, r, NULL, 0);
    REQUIRE(summary != NULL);
    CHECK_NEAR(fsim_summary_number(summary, "nodes.mean"), 2, 1e-12);
    CHECK_NEAR(fsim_summary_number(summary, "nodes.peak"), 2, 1e-12);
    CHECK_NEAR(fsim_summary_number(summary, "nodes.cpu_utilisation"), 0.25, 1e-12);
    CHECK_NEAR(fsim_summary_number(summary, "nodes.memory_utilisation"), 0.5, 1e-12);
    CHECK_EQ_STR(fsim_summary_text(summary, "nodes.cost"), "0.200000");
    CHECK_CONTAINS(fsim_summary_text(summary, "warnings[0]"), "growing");
    forget(summary);
}

/* Numbers as they are printed: no binary noise, whole numbers whole. */
static void test_spelling(void) {
    json_t *document = json_pack("{s:f, s:f, s:f, s:I}", "a", 79478.5, "b", 0.1 + 0.2, "c", 5940.0, "d",
                                 (json_int_t)297000000);
    char *text = fsim_summary_dump(document);
    CHECK_EQ_STR(text, "{\n  \"a\": 79478.5,\n  \"b\": 0.3,\n  \"c\": 5940.0,\n  \"d\": 297000000\n}");
    free(text);
    json_decref(document);
}

/* Three replications with 9, 10 and 11 arrivals: t(0.975, 2) = 4.302652729911275, s = 1. */
static void test_replicated(void) {
    json_t *runs[3];
    for (int i = 0; i < 3; i++) {
        sample_run_make(&sample, "knative");
        sample.result.total.n.arrived = 9u + (uint64_t)i;
        sample.result.total.in_execution_peak = (uint64_t)(i == 2 ? 3 : 1);
        sample.result.window_count = i == 2 ? 2 : 1;
        sample.result.digest += (uint64_t)i;
        sample_bill(&sample.invoice[0], "phase1", i + 1);
        runs[i] = fsim_summary_json(&sample.scenario, &sample.result, sample.invoice, 2);
        REQUIRE(runs[i] != NULL);
        sample_run_destroy(&sample);
    }
    json_t *mean = fsim_summary_replicated(runs, 3);
    REQUIRE(mean != NULL);
    CHECK(json_is_integer(fsim_summary_find(mean, "requests.arrived")));
    CHECK_NEAR(fsim_summary_number(mean, "requests.arrived"), 10, 0);
    CHECK_NEAR(fsim_summary_number(mean, "ci95.requests.arrived"), 4.302652729911275 / sqrt(3), 1e-9);
    CHECK_NEAR(fsim_summary_number(mean, "concurrency.peak"), 5.0 / 3, 1e-12);
    CHECK_EQ_STR(fsim_summary_text(mean, "bills[0].total"), "0.96");
    CHECK_EQ_STR(fsim_summary_text(mean, "ci95.bills[0].total"), "1.19"); /* 4.30 * 0.48 / sqrt 3 */
    CHECK_EQ_STR(fsim_summary_text(mean, "ci95.bills.phase1.lines.cpu.amount"), "0.40");
    CHECK_EQ_STR(fsim_summary_text(mean, "bills[0].currency"), "CNY");
    CHECK_NEAR(fsim_summary_number(mean, "windows[1].arrived"), 5, 0);
    CHECK_NEAR(fsim_summary_number(mean, "replications"), 3, 0);
    CHECK_NEAR(fsim_summary_number(mean, "seed"), 1, 0);
    CHECK(fsim_summary_find(mean, "ci95.seed") == NULL);
    CHECK(strcmp(fsim_summary_text(mean, "digest"), fsim_summary_text(runs[0], "digest")) != 0);
    CHECK_EQ_INT(strlen(fsim_summary_text(mean, "digest")), 16);

    json_t *alone = fsim_summary_replicated(runs, 1);
    CHECK(alone == runs[0]);
    json_decref(alone);
    json_decref(mean);
    for (int i = 0; i < 3; i++) {
        json_decref(runs[i]);
    }
}

int main(void) {
    RUN(test_contract);
    RUN(test_empty);
    RUN(test_nodes_and_warning);
    RUN(test_spelling);
    RUN(test_replicated);
    return check_done();
}
