/* Scalers on a recorded series: the grid, what holds between rows, what is assumed of the instances, and
 * every scaling policy and bundle there is. */
#include "model/decide.h"

#include "api/registry.h"
#include "io/embedded.h"
#include "io/policy_load.h"
#include "support/check.h"

#define ROWS_MAX 512

static fsim_error err;

/* ---- a probe: a scaler that writes down what it is given ---- */

typedef struct probe_call {
    bool is_tick;
    fsim_ns now_ns;
    double concurrency, activator, requests, cpu, memory_mb;
    uint32_t ready, starting, wanted;
    double in_flight, queued;
    uint64_t arrived;
    int64_t age_s;
} probe_call;

static struct {
    probe_call calls[ROWS_MAX];
    size_t count;
    uint32_t want[64]; /* of each tick in turn; 0 keeps what is wanted */
    size_t ticks;
    int pokes;
    fsim_scale_plan plan;
} probe;

static void probe_init(void *state, const void *params, const fsim_fn_spec *fn, fsim_scale_plan *plan) {
    (void)state;
    (void)params;
    (void)fn;
    *plan = probe.plan;
}

static void probe_sample(void *state, const void *params, const fsim_scale_sample *s, fsim_rng *rng) {
    (void)state;
    (void)params;
    (void)rng;
    const fsim_instance_sample *first = s->count > 0 ? &s->instances[0] : NULL;
    REQUIRE(probe.count < ROWS_MAX);
    probe.calls[probe.count++] = (probe_call){.now_ns = s->now_ns,
                                              .concurrency = first != NULL ? first->concurrency : 0,
                                              .cpu = first != NULL ? first->cpu : 0,
                                              .memory_mb = first != NULL ? first->memory_mb : 0,
                                              .age_s = first != NULL ? first->age_ns / FSIM_SECOND : 0,
                                              .activator = s->activator_concurrency,
                                              .requests = s->activator_requests,
                                              .ready = s->count,
                                              .starting = s->starting,
                                              .in_flight = s->in_flight,
                                              .queued = s->queued,
                                              .arrived = s->arrived};
}

static void probe_tick(void *state, const void *params, const fsim_scale_view *v, bool explain,
                       fsim_scale_decision *decision) {
    (void)state;
    (void)params;
    CHECK(explain);
    REQUIRE(probe.count < ROWS_MAX);
    probe.calls[probe.count++] = (probe_call){.is_tick = true,
                                              .now_ns = v->now_ns,
                                              .ready = v->ready,
                                              .starting = v->starting,
                                              .wanted = v->wanted,
                                              .in_flight = v->in_flight,
                                              .queued = v->queued};
    uint32_t want = probe.ticks < 64 ? probe.want[probe.ticks] : 0;
    probe.ticks++;
    decision->want = want == 99 ? 0 : want != 0 ? want : decision->want;
    decision->mode = "probe";
}

static bool probe_poke(void *state, const void *params, fsim_ns now_ns) {
    (void)state;
    (void)params;
    (void)now_ns;
    return ++probe.pokes == 1;
}

static const fsim_scaling_ops probe_ops = {.info = {.name = "probe", .params = fsim_params_none},
                                           .init = probe_init,
                                           .sample = probe_sample,
                                           .tick = probe_tick,
                                           .poke = probe_poke};

static const fsim_fn_spec probe_fn = {
    .name = "fn", .vcpu = 2, .memory_mb = 200, .concurrency = 4, .max_instances = 6};

static void probe_start(fsim_ns sample_s, fsim_ns tick_s, uint32_t initial) {
    memset(&probe, 0, sizeof probe);
    probe.plan = (fsim_scale_plan){
        .sample_ns = sample_s * FSIM_SECOND, .tick_ns = tick_s * FSIM_SECOND, .initial = initial};
    err = (fsim_error){0};
}

static struct {
    fsim_ns at_ns[ROWS_MAX];
    double concurrency[ROWS_MAX];
    uint32_t desired[ROWS_MAX], ready[ROWS_MAX], starting[ROWS_MAX];
    char mode[ROWS_MAX][16], reason[ROWS_MAX][160];
    size_t count;
} out;

static void check_readings(const fsim_scale_decision *decision) {
    for (uint32_t i = 0; i < decision->reading_count; i++) {
        const char *name = decision->readings[i].name;
        CHECK(isfinite(decision->readings[i].value));
        CHECK(name[0] != '\0' && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name));
    }
}

static fsim_status collect(void *user, const fsim_decide_row *row, fsim_error *error) {
    (void)user;
    check_readings(row->decision);
    if (out.count == ROWS_MAX) {
        return fsim_fail(error, FSIM_ENO, "enough");
    }
    out.at_ns[out.count] = row->at_ns;
    out.concurrency[out.count] = row->inputs[FSIM_INPUT_CONCURRENCY];
    out.desired[out.count] = row->desired;
    out.ready[out.count] = row->ready;
    out.starting[out.count] = row->starting;
    snprintf(out.mode[out.count], sizeof out.mode[0], "%s", row->decision->mode);
    snprintf(out.reason[out.count], sizeof out.reason[0], "%s", row->decision->reason);
    out.count++;
    return FSIM_OK;
}

static fsim_status run_probe(const fsim_metric_series *series, fsim_ns ready_after_ns) {
    const fsim_decide_setup setup = {
        .ops = &probe_ops, .fn = &probe_fn, .ready_after_ns = ready_after_ns, .series = "s.csv"};
    out.count = 0;
    return fsim_decide(series, &setup, collect, NULL, &err);
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- the driver ---- */

static void test_grid_begins_at_the_first_row(void) {
    fsim_ns at_ns[] = {100 * FSIM_SECOND, 110 * FSIM_SECOND};
    double concurrency[] = {8, 2};
    const fsim_metric_series s = {2, at_ns, {[FSIM_INPUT_CONCURRENCY] = concurrency}, {false}};
    probe_start(2, 4, 1);
    REQUIRE(run_probe(&s, 0) == FSIM_OK);
    /* Samples at 100, 102 … 110; ticks at 100, 104, 108. At one instant the sample comes first. */
    REQUIRE(out.count == 3);
    CHECK_EQ_INT(out.at_ns[0], 100 * FSIM_SECOND);
    CHECK_EQ_INT(out.at_ns[2], 108 * FSIM_SECOND);
    REQUIRE(probe.count == 9);
    CHECK(!probe.calls[0].is_tick && probe.calls[1].is_tick);
    CHECK_EQ_INT(probe.calls[0].now_ns, 4 * FSIM_SECOND);
    CHECK_EQ_INT(probe.calls[8].now_ns, 14 * FSIM_SECOND);
    CHECK_NEAR(out.concurrency[2], 8, 0);
    CHECK(probe.calls[0].age_s > 86400);
}

static void test_samples_are_means_of_rows(void) {
    fsim_ns at_ns[] = {0, FSIM_SECOND, 2 * FSIM_SECOND, 3 * FSIM_SECOND, 8 * FSIM_SECOND};
    double rps[] = {1, 2, 4, 6, 10};
    const fsim_metric_series s = {5, at_ns, {[FSIM_INPUT_RPS] = rps}, {false}};
    static const uint64_t arrived[] = {2, 6, 12, 12, 20}; /* 1, (2+4)/2, 6, 6 held, 10 a second; 2 s each */
    probe_start(2, 8, 1);
    REQUIRE(run_probe(&s, 0) == FSIM_OK);
    size_t n = 0;
    for (size_t i = 0; i < probe.count; i++) {
        if (!probe.calls[i].is_tick) {
            REQUIRE(n < COUNT(arrived));
            CHECK_EQ_INT(probe.calls[i].arrived, arrived[n]);
            n++;
        }
    }
    CHECK_EQ_INT(n, 5);
}

static void test_demand_is_spread(void) {
    fsim_ns at_ns[] = {0};
    double concurrency[] = {10}, cpu[] = {60}, memory[] = {25};
    const fsim_metric_series s = {
        1,
        at_ns,
        {[FSIM_INPUT_CONCURRENCY] = concurrency, [FSIM_INPUT_CPU] = cpu, [FSIM_INPUT_MEMORY] = memory},
        {false}};
    probe_start(2, 2, 2);
    REQUIRE(run_probe(&s, 0) == FSIM_OK);
    /* Two instances of four slots hold eight of the ten. */
    CHECK_NEAR(probe.calls[0].in_flight, 8, 0);
    CHECK_NEAR(probe.calls[0].queued, 2, 0);
    CHECK_NEAR(probe.calls[0].concurrency, 4, 0);
    CHECK_NEAR(probe.calls[0].cpu, 1.2, 1e-12);
    CHECK_NEAR(probe.calls[0].memory_mb, 50, 1e-12);
    CHECK_NEAR(probe.calls[1].in_flight, 8, 0);
    /* In absolute terms, and with those that wait counted apart. */
    double queue[] = {7};
    fsim_metric_series t = s;
    t.values[FSIM_INPUT_QUEUE] = queue;
    t.absolute[FSIM_INPUT_CPU] = t.absolute[FSIM_INPUT_MEMORY] = true;
    probe_start(2, 2, 2);
    REQUIRE(run_probe(&t, 0) == FSIM_OK);
    CHECK_NEAR(probe.calls[0].in_flight, 10, 0);
    CHECK_NEAR(probe.calls[0].queued, 7, 0);
    CHECK_NEAR(probe.calls[0].cpu, 30, 1e-12);
    CHECK_NEAR(probe.calls[0].memory_mb, 25, 1e-12);
    /* With an activator in front those that wait belong to the instances, and all to it without any. */
    static const struct {
        uint32_t instances;
        bool only;
        double each, activator;
    } ways[] = {{2, false, 8.5, 0}, {2, true, 5, 17}, {0, false, 0, 17}};
    for (size_t i = 0; i < COUNT(ways); i++) {
        probe_start(2, 2, ways[i].instances);
        probe.plan.activator = true;
        probe.plan.activator_only = ways[i].only;
        REQUIRE(run_probe(&t, 0) == FSIM_OK);
        CHECK_NEAR(probe.calls[0].concurrency, ways[i].each, 0);
        CHECK_NEAR(probe.calls[0].activator, ways[i].activator, 0);
    }
}

static void test_ready_follows_desired(void) {
    fsim_ns at_ns[] = {0, 14 * FSIM_SECOND};
    double rps[] = {1, 1};
    static const uint32_t want[] = {1, 4, 4, 9, 9, 2, 1};
    static const uint32_t ready[] = {1, 1, 1, 4, 4, 6, 2}, starting[] = {0, 0, 3, 0, 2, 0, 0};
    const fsim_metric_series s = {2, at_ns, {[FSIM_INPUT_RPS] = rps}, {false}};
    probe_start(0, 2, 1);
    memcpy(probe.want, want, sizeof want);
    REQUIRE(run_probe(&s, 3 * FSIM_SECOND) == FSIM_OK);
    /* Wanted 4 at 2 s: ready at 5 s. Wanted 9 at 6 s: the function has six at most; those two are not ready
     * before 9 s, so the 2 at 10 s finds six and leaves the oldest. */
    for (size_t i = 0; i < COUNT(want); i++) {
        check_context("tick %zu", i);
        CHECK_EQ_INT(out.desired[i], want[i]);
        CHECK_EQ_INT(out.ready[i], ready[i]);
        CHECK_EQ_INT(out.starting[i], starting[i]);
    }
    probe_start(0, 2, 1);
    memcpy(probe.want, want, sizeof want);
    REQUIRE(run_probe(&s, 0) == FSIM_OK);
    CHECK_EQ_INT(out.ready[2], 4);
}

static void test_ready_as_recorded(void) {
    fsim_ns at_ns[] = {0, 2 * FSIM_SECOND, 4 * FSIM_SECOND};
    double ready[] = {3, 1, 2};
    const fsim_metric_series s = {3, at_ns, {[FSIM_INPUT_READY] = ready}, {false}};
    probe_start(0, 2, 1);
    probe.want[0] = 5;
    REQUIRE(run_probe(&s, FSIM_SECOND) == FSIM_OK);
    CHECK_EQ_INT(out.ready[0], 3);
    CHECK_EQ_INT(out.ready[1], 1);
    CHECK_EQ_INT(out.ready[2], 2);
    CHECK_EQ_INT(probe.calls[1].wanted, 5);
    CHECK_EQ_INT(out.starting[1], 2);
    /* What was asked for in production is what the policy thinks it asked for. */
    double replicas[] = {3, 4, 2};
    fsim_metric_series t = s;
    t.values[FSIM_INPUT_REPLICAS] = replicas;
    probe_start(0, 2, 1);
    probe.want[0] = 5;
    REQUIRE(run_probe(&t, FSIM_SECOND) == FSIM_OK);
    CHECK_EQ_INT(probe.calls[1].wanted, 4);
    CHECK_EQ_INT(out.desired[1], 4);
}

static void test_poke(void) {
    fsim_ns at_ns[] = {0, 5 * FSIM_SECOND, 7 * FSIM_SECOND, 8 * FSIM_SECOND};
    double concurrency[] = {0, 0, 3, 3};
    const fsim_metric_series s = {4, at_ns, {[FSIM_INPUT_CONCURRENCY] = concurrency}, {false}};
    probe_start(2, 4, 1);
    probe.want[0] = 99; /* nothing */
    REQUIRE(run_probe(&s, 0) == FSIM_OK);
    CHECK_EQ_INT(probe.pokes, 2);
    REQUIRE(out.count == 4); /* 0, 4, 7 at once, 8 */
    CHECK_EQ_INT(out.at_ns[2], 7 * FSIM_SECOND);
}

static void test_refused(void) {
    fsim_ns at_ns[] = {0, 2 * FSIM_SECOND};
    double rps[] = {1, 1};
    const fsim_metric_series s = {2, at_ns, {[FSIM_INPUT_RPS] = rps}, {false}};
    probe_start(0, 2, 1);
    probe.plan.reads = FSIM_INPUT_BIT(FSIM_INPUT_RPS) | FSIM_INPUT_BIT(FSIM_INPUT_CPU);
    CHECK_EQ_INT(run_probe(&s, 0), FSIM_EDATA);
    CHECK_EQ_STR(err.place, "s.csv:1");
    CHECK_CONTAINS(err.text, "no column \"cpu\", which probe reads; the series has rps");
    probe_start(0, 2, 1);
    probe.want[0] = 2000000;
    const fsim_fn_spec unbounded = {.name = "fn", .concurrency = 1, .max_instances = FSIM_UNLIMITED};
    const fsim_decide_setup setup = {.ops = &probe_ops, .fn = &unbounded, .series = "s.csv"};
    CHECK_EQ_INT(fsim_decide(&s, &setup, collect, NULL, &err), FSIM_ELIMIT);
}

/* What `policy` makes of a series of one input, 15 s apart, with the settings of a scenario. */
static void decide_on(const char *policy, const fsim_setting *sets, uint32_t set_count, fsim_input input,
                      double *values, size_t rows) {
    fsim_scenario *scenario = NULL;
    fsim_ns at_ns[8];
    for (size_t i = 0; i < rows; i++) {
        at_ns[i] = (fsim_ns)i * 15 * FSIM_SECOND;
    }
    fsim_metric_series s = {.rows = rows, .at_ns = at_ns};
    s.values[input] = values;
    err = (fsim_error){0};
    REQUIRE(fsim_policy_load(&scenario, policy, sets, set_count, &err) == FSIM_OK);
    const fsim_decide_setup setup = {.ops = scenario->scaling,
                                     .params = scenario->scaling_params,
                                     .fn = fsim_function_table_get(scenario->functions, scenario->default_fn),
                                     .series = "s.csv"};
    out.count = 0;
    CHECK_EQ_INT(fsim_decide(&s, &setup, collect, NULL, &err), FSIM_OK);
    fsim_scenario_destroy(scenario);
}

/* A recorded gauge is an average: 0.4 messages are more than none, and 10.4 want three pods of 5. */
static void test_fractions_count(void) {
    static const fsim_setting queue[] = {{"policy.scaling.queue_average", "5", "--set"},
                                         {"policy.scaling.cpu_utilization", "null", "--set"},
                                         {"policy.scaling.metric_delay", "0s", "--set"}};
    double little[] = {0, 0.4, 0.4}, much[] = {10.4, 10.4, 10.4};
    decide_on("keda", NULL, 0, FSIM_INPUT_CONCURRENCY, little, COUNT(little));
    REQUIRE(out.count == 3);
    CHECK_EQ_INT(out.desired[2], 1);
    decide_on("keda", NULL, 0, FSIM_INPUT_CONCURRENCY, much, COUNT(much));
    REQUIRE(out.count == 3);
    CHECK_EQ_INT(out.desired[2], 3);
    decide_on("hpa", queue, COUNT(queue), FSIM_INPUT_QUEUE, much, COUNT(much));
    REQUIRE(out.count == 3);
    CHECK_EQ_INT(out.desired[2], 3);
}

/* ---- every policy ---- */

enum { MINUTES = 60, STEP_S = 15, POINTS = MINUTES * 60 / STEP_S };

static fsim_ns day_at_ns[POINTS];
static double day[FSIM_INPUTS][POINTS];

/* An hour: quiet, a surge, quiet again. `skip` is a set of inputs that are made different. */
static fsim_metric_series make_hour(uint32_t different) {
    static const double quiet[FSIM_INPUTS] = {0.4, 1, 0, 20, 30, 2, 2},
                        busy[FSIM_INPUTS] = {60, 90, 40, 95, 85, 6, 8};
    fsim_metric_series s = {.rows = POINTS, .at_ns = day_at_ns};
    for (int i = 0; i < FSIM_INPUTS; i++) {
        bool other = (different & FSIM_INPUT_BIT(i)) != 0;
        for (int k = 0; k < POINTS; k++) {
            bool surge = k >= POINTS / 4 && k < POINTS / 2;
            day_at_ns[k] = k * STEP_S * FSIM_SECOND;
            day[i][k] = (surge != other ? busy[i] : quiet[i]) + (k % 3) * 0.1;
        }
        s.values[i] = i == FSIM_INPUT_READY || i == FSIM_INPUT_REPLICAS ? NULL : day[i];
    }
    return s;
}

static void check_rows(const fsim_scale_plan *plan) {
    CHECK(out.count >= 10);
    for (size_t i = 0; i < out.count; i++) {
        CHECK(i == 0 || out.at_ns[i] > out.at_ns[i - 1]);
        CHECK(out.mode[i][0] != '\0' && strchr(out.mode[i], ' ') == NULL);
        CHECK(out.reason[i][0] != '\0' && strchr(out.reason[i], '\n') == NULL);
        CHECK(strlen(out.reason[i]) < 159); /* was not cut */
        CHECK(plan->reads != 0 || out.desired[i] <= 1000);
    }
}

/* The decisions of one more run. */
static void remember(const fsim_metric_series *series, const fsim_decide_setup *setup, uint32_t *desired,
                     size_t *count) {
    out.count = 0;
    fsim_status status = fsim_decide(series, setup, collect, NULL, &err);
    CHECK(status == FSIM_OK || status == FSIM_ENO);
    memcpy(desired, out.desired, sizeof out.desired);
    *count = out.count;
}

static void check_policy(const char *policy) {
    static uint32_t first[ROWS_MAX], second[ROWS_MAX];
    fsim_scenario *scenario = NULL;
    size_t first_count, second_count;
    check_context("%s", policy);
    err = (fsim_error){0};
    REQUIRE(fsim_policy_load(&scenario, policy, NULL, 0, &err) == FSIM_OK);
    const fsim_decide_setup setup = {.ops = scenario->scaling,
                                     .params = scenario->scaling_params,
                                     .fn = fsim_function_table_get(scenario->functions, scenario->default_fn),
                                     .ready_after_ns = 2 * FSIM_SECOND,
                                     .series = "hour.csv"};
    fsim_scale_plan plan;
    fsim_status status = fsim_decide_plan(&setup, &plan, &err);
    if (plan.tick_ns == 0) {
        CHECK_EQ_INT(status, FSIM_ECONFIG);
        CHECK_CONTAINS(err.text, setup.ops->info.name);
        fsim_scenario_destroy(scenario);
        return;
    }
    CHECK_EQ_INT(status, FSIM_OK);
    fsim_metric_series hour = make_hour(0);
    remember(&hour, &setup, first, &first_count);
    check_rows(&plan);
    remember(&hour, &setup, second, &second_count);
    CHECK(first_count == second_count && memcmp(first, second, first_count * sizeof *first) == 0);
    /* What it does not say it reads makes no difference; those that wait belong to the concurrency. */
    uint32_t reads = plan.reads;
    reads |= (reads & FSIM_INPUT_BIT(FSIM_INPUT_CONCURRENCY)) != 0 ? FSIM_INPUT_BIT(FSIM_INPUT_QUEUE) : 0;
    fsim_metric_series other = make_hour(~reads);
    remember(&other, &setup, second, &second_count);
    bool same = first_count == second_count && memcmp(first, second, first_count * sizeof *first) == 0;
    if (reads != 0 && !same) {
        check_fail(__FILE__, __LINE__, "decides on a metric that fsim_scale_plan.reads does not name");
    }
    for (int i = 0; i < FSIM_INPUTS; i++) {
        if ((plan.reads & FSIM_INPUT_BIT(i)) != 0) {
            fsim_metric_series less = make_hour(0);
            less.values[i] = NULL;
            err = (fsim_error){0};
            CHECK_EQ_INT(fsim_decide(&less, &setup, collect, NULL, &err), FSIM_EDATA);
            CHECK_CONTAINS(err.text, fsim_input_names[i]);
        }
    }
    fsim_scenario_destroy(scenario);
}

static void test_every_policy(void) {
    for (size_t i = 0; fsim_scaling_registry[i] != NULL; i++) {
        check_policy(fsim_scaling_registry[i]->info.name);
    }
}

static void test_every_bundle(void) {
    for (const fsim_embedded *e = fsim_embedded_bundles; e->name != NULL; e++) {
        check_policy(e->name);
    }
}

static void test_unknown_policy(void) {
    fsim_scenario *scenario;
    err = (fsim_error){0};
    CHECK_EQ_INT(fsim_policy_load(&scenario, "knative_kpo", NULL, 0, &err), FSIM_ECONFIG);
    CHECK_CONTAINS(err.text, "did you mean \"knative_kpa\"");
}

int main(void) {
    RUN(test_grid_begins_at_the_first_row);
    RUN(test_samples_are_means_of_rows);
    RUN(test_demand_is_spread);
    RUN(test_ready_follows_desired);
    RUN(test_ready_as_recorded);
    RUN(test_poke);
    RUN(test_refused);
    RUN(test_fractions_count);
    RUN(test_every_policy);
    RUN(test_every_bundle);
    RUN(test_unknown_policy);
    return check_done();
}
