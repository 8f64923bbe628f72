/* What the engine tells a scaler: CPU and memory in use, instances that start, counts; and the scaler's own
 * bytes about each instance. A scaler made for the purpose writes down what it is given. */
#include "io/json_reader.h"
#include "io/scenario_load.h"
#include "model/run.h"

#include "support/check.h"

#define SAMPLES_MAX   64
#define INSTANCES_MAX 4

typedef struct seen_sample {
    uint32_t count, starting;
    double queued, in_flight;
    uint64_t arrived, completed;
    double cpu[INSTANCES_MAX], memory_mb[INSTANCES_MAX];
    fsim_ns over_ns[INSTANCES_MAX];
    uint64_t times_seen[INSTANCES_MAX]; /* the instance's own count of its samples */
} seen_sample;

typedef struct seen_tick {
    uint32_t ready, count;
    fsim_ns started_ns[INSTANCES_MAX], ready_ns[INSTANCES_MAX];
    uint64_t times_seen[INSTANCES_MAX];
} seen_tick;

/* The parameters of the scaler, and its notes. */
static struct {
    uint32_t initial, want;
    seen_sample sample[SAMPLES_MAX];
    seen_tick tick[SAMPLES_MAX];
    uint32_t sample_count, tick_count;
} notes;

static size_t instance_size(const void *params) {
    (void)params;
    return 16;
}

static void init(void *state, const void *params, const fsim_fn_spec *fn, fsim_scale_plan *plan) {
    (void)state;
    (void)params;
    (void)fn;
    *plan = (fsim_scale_plan){.sample_ns = FSIM_SECOND,
                              .tick_ns = FSIM_SECOND,
                              .initial = notes.initial,
                              .wants_cpu = true,
                              .wants_instances = true};
}

static void take_sample(void *state, const void *params, const fsim_scale_sample *sample, fsim_rng *rng) {
    (void)state;
    (void)params;
    (void)rng;
    REQUIRE(notes.sample_count < SAMPLES_MAX && sample->count <= INSTANCES_MAX);
    seen_sample *s = &notes.sample[notes.sample_count++];
    s->count = sample->count;
    s->starting = sample->starting;
    s->queued = sample->queued;
    s->in_flight = sample->in_flight;
    s->arrived = sample->arrived;
    s->completed = sample->completed;
    for (uint32_t i = 0; i < sample->count; i++) {
        uint64_t *own = sample->instances[i].state;
        s->cpu[i] = sample->instances[i].cpu;
        s->memory_mb[i] = sample->instances[i].memory_mb;
        s->over_ns[i] = sample->instances[i].over_ns;
        s->times_seen[i] = ++*own;
    }
}

static void take_tick(void *state, const void *params, const fsim_scale_view *view, bool explain,
                      fsim_scale_decision *decision) {
    (void)state;
    (void)params;
    (void)explain;
    REQUIRE(notes.tick_count < SAMPLES_MAX && view->instance_count <= INSTANCES_MAX);
    seen_tick *t = &notes.tick[notes.tick_count++];
    t->ready = view->ready;
    t->count = view->instance_count;
    for (uint32_t i = 0; i < view->instance_count; i++) {
        t->started_ns[i] = view->instances[i].started_ns;
        t->ready_ns[i] = view->instances[i].ready_ns;
        t->times_seen[i] = *(const uint64_t *)view->instances[i].state;
    }
    decision->want = notes.want;
}

static const fsim_scaling_ops scribe = {.info = {.name = "scribe", .params = fsim_params_none},
                                        .instance_size = instance_size,
                                        .init = init,
                                        .sample = take_sample,
                                        .tick = take_tick};

/* Runs `arrivals` for 8 s on `initial` instances, of which `want` are wanted from the first second on. */
static void run(uint32_t initial, uint32_t want, const char *function, const char *platform,
                const char *arrivals) {
    char json[2048];
    fsim_error err = {0};
    fsim_value *tree = NULL;
    fsim_scenario *s = NULL;
    fsim_result *result = NULL;
    fsim_value_pool *pool = fsim_value_pool_create();
    const fsim_load_options options = {0};
    memset(&notes, 0, sizeof notes);
    notes.initial = initial;
    notes.want = want;
    snprintf(json, sizeof json,
             "{\"schema\": \"fsim.scenario/1\", \"name\": \"t\", \"run\": {\"until\": \"8s\"},"
             " \"workload\": {\"source\": \"list\", \"arrivals\": [%s]}, \"billing\": [],"
             " \"functions\": [{\"name\": \"a\", %s}], \"policy\": {\"bundle\": \"none\","
             " \"scaling\": \"per_request\", \"routing\": \"least_loaded\", \"binding\": \"late\"}%s%s}",
             arrivals, function, platform[0] != '\0' ? ", \"platform\": " : "", platform);
    REQUIRE(fsim_json_read_text(pool, json, "t.json", &tree, &err) == FSIM_OK);
    fsim_status status = fsim_scenario_from_tree(&s, pool, tree, NULL, &options, &err);
    CHECK_EQ_STR(err.text, "");
    REQUIRE(status == FSIM_OK);
    s->scaling = &scribe;
    const fsim_run_options run_options = {.seed = 1};
    REQUIRE(fsim_run(&result, s, &run_options, &err) == FSIM_OK);
    fsim_result_destroy(result);
    fsim_scenario_destroy(s);
    CHECK_EQ_INT(notes.sample_count, 8);
    CHECK_EQ_INT(notes.tick_count, 8);
}

#define AT(arrival, duration) "{\"arrival\": \"" arrival "\", \"duration\": \"" duration "\"}"
#define AT_ONCE(arrival, duration, count)                                                                    \
    "{\"arrival\": \"" arrival "\", \"duration\": \"" duration "\", \"count\": " #count "}"

#define TOLERANCE 1e-8

static void check_cpu(uint32_t instance, const double *expected) {
    for (uint32_t k = 0; k < 8; k++) {
        check_context("second %u", k + 1);
        CHECK_NEAR(notes.sample[k].cpu[instance], expected[k], TOLERANCE);
    }
    check_context("%s", "");
}

/* Half a core, of which a request uses 40 %: 0.2 for 600 ms; then across the end of a sample. */
static void test_cpu_of_requests(void) {
    run(1, 1, "\"vcpu\": 0.5, \"cpu_fraction\": 0.4", "", AT("0.1s", "600ms") ", " AT("2.75s", "500ms"));
    check_cpu(0, (double[]){0.12, 0, 0.05, 0.05, 0, 0, 0, 0});
    CHECK_EQ_INT(notes.sample[0].arrived, 1);
    CHECK_EQ_INT(notes.sample[0].completed, 1);
    CHECK_EQ_INT(notes.sample[2].arrived, 1);
    CHECK_EQ_INT(notes.sample[2].completed, 0);
    CHECK_NEAR(notes.sample[2].in_flight, 1, 0);
    CHECK_EQ_INT(notes.sample[3].completed, 1);
}

/* Without a request the background, with one its own. A frozen instance uses nothing. */
static void test_background_cpu(void) {
    run(1, 1, "\"vcpu\": 1, \"cpu_fraction\": 0.8, \"background_cpu\": 0.1, \"freeze\": false", "",
        AT("0.5s", "250ms"));
    check_cpu(0, (double[]){0.275, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1});
    run(1, 1, "\"vcpu\": 1, \"cpu_fraction\": 0.8, \"background_cpu\": 0.1, \"freeze\": true", "",
        AT("0.5s", "250ms"));
    check_cpu(0, (double[]){0.2, 0, 0, 0, 0, 0, 0, 0});
}

/* An instance has no more than its vCPUs, however many requests it holds. */
static void test_cpu_is_bounded(void) {
    run(1, 1, "\"vcpu\": 2, \"concurrency\": 8", "", AT_ONCE("0s", "1s", 3) ", " AT("0.5s", "1s"));
    check_cpu(0, (double[]){2, 0.5, 0, 0, 0, 0, 0, 0});
}

/* Three that want 1.5 of one core for 1 s take 1.5 s at all of it. */
static void test_processor_sharing(void) {
    run(1, 1, "\"vcpu\": 1, \"concurrency\": 8, \"cpu_fraction\": 0.5, \"cpu_model\": \"ps\"", "",
        AT_ONCE("0.25s", "1s", 3));
    check_cpu(0, (double[]){0.75, 0.75, 0, 0, 0, 0, 0, 0});
}

/* Two at half speed take twice as long for the same CPU time. */
static void test_linear_slow_down(void) {
    run(1, 1,
        "\"vcpu\": 1, \"concurrency\": 8, \"cpu_fraction\": 0.3, \"cpu_model\": \"linear\","
        " \"slowdown_per_request\": 1",
        "", AT_ONCE("0s", "1s", 2));
    check_cpu(0, (double[]){0.3, 0.3, 0, 0, 0, 0, 0, 0});
}

/* Two instances on a node of one core. Alone 0.6; together each at 1 / 1.2 of its speed: 0.5. A has done
 * 0.5 s of its 2 s when B comes at 0.5 s, and 1.5 / (5/6) = 1.8 s later it leaves: at 2.3 s. B, which has
 * done 1.5 s of 3 s by then, needs 1.5 s more. */
static void test_shared_node(void) {
    const char *node = "{\"nodes\": {\"count\": 1, \"vcpu\": 1, \"memory\": \"1GB\", \"cpu_model\": \"ps\"}}";
    run(2, 2, "\"vcpu\": 1, \"cpu_fraction\": 0.6, \"freeze\": false, \"background_cpu\": 0.25", node,
        AT("0s", "2s") ", " AT("0.5s", "3s"));
    uint32_t a = notes.sample[0].cpu[0] > notes.sample[0].cpu[1] ? 0 : 1;
    check_cpu(a, (double[]){0.3 + 0.25, 0.5, 0.15 + 0.7 * 0.25, 0.25, 0.25, 0.25, 0.25, 0.25});
    check_cpu(1 - a, (double[]){0.125 + 0.25, 0.5, 0.15 + 0.42, 0.8 * 0.6 + 0.05, 0.25, 0.25, 0.25, 0.25});
}

/* Instances that stand there from the beginning do so without room as well, and share the node's CPU. */
static void test_more_than_a_node_holds(void) {
    const char *node = "{\"nodes\": {\"count\": 1, \"vcpu\": 1, \"memory\": \"1GB\", \"cpu_model\": \"ps\"}}";
    run(3, 3, "\"vcpu\": 1, \"memory_mb\": 600", node, AT_ONCE("0s", "1s", 3));
    for (uint32_t i = 0; i < 3; i++) {
        check_cpu(i, (double[]){1.0 / 3, 1.0 / 3, 1.0 / 3, 0, 0, 0, 0, 0});
    }
}

static void test_memory(void) {
    run(1, 1,
        "\"memory_mb\": 100, \"concurrency\": 8, \"memory_use\": {\"base\": \"40MB\", \"per_request\": "
        "\"25MB\"}",
        "", AT_ONCE("0s", "1500ms", 2) ", " AT("0.9s", "200ms"));
    CHECK_NEAR(notes.sample[0].memory_mb[0], 100, 0); /* three would need 115 */
    CHECK_NEAR(notes.sample[1].memory_mb[0], 40, 0);
    run(1, 1, "\"memory_mb\": 100", "", AT("0s", "100ms"));
    CHECK_NEAR(notes.sample[0].memory_mb[0], 100, 0);
}

/* One instance; a second is wanted at 1 s and ready at 3.5 s; what the scaler keeps about each starts at 0.
 */
static void test_instances(void) {
    run(1, 2, "\"vcpu\": 1, \"cold_start\": \"2500ms\"", "", AT("0s", "2s") ", " AT("0.5s", "4s"));
    CHECK_NEAR(notes.sample[0].queued, 1, 0);
    CHECK_EQ_INT(notes.sample[1].starting, 1);
    CHECK_EQ_INT(notes.tick[0].count, 1);
    CHECK_EQ_INT(notes.tick[1].count, 2);
    CHECK_EQ_INT(notes.tick[1].ready, 1);
    CHECK_EQ_INT(notes.tick[1].started_ns[1], FSIM_SECOND);
    CHECK(notes.tick[1].ready_ns[1] == FSIM_NEVER);
    CHECK_EQ_INT(notes.tick[3].ready, 2);
    CHECK_EQ_INT(notes.tick[3].ready_ns[1], 3500 * FSIM_MS);
    CHECK_EQ_INT(notes.sample[2].count, 1);
    CHECK_EQ_INT(notes.sample[3].count, 2);
    CHECK_EQ_INT(notes.sample[3].over_ns[0], FSIM_SECOND);
    CHECK_EQ_INT(notes.sample[3].over_ns[1], 500 * FSIM_MS);
    CHECK_EQ_INT(notes.sample[3].times_seen[0], 4);
    CHECK_EQ_INT(notes.sample[3].times_seen[1], 1);
    CHECK_EQ_INT(notes.tick[7].times_seen[0], 8);
    CHECK_EQ_INT(notes.tick[7].times_seen[1], 5);
}

int main(void) {
    RUN(test_cpu_of_requests);
    RUN(test_background_cpu);
    RUN(test_cpu_is_bounded);
    RUN(test_processor_sharing);
    RUN(test_linear_slow_down);
    RUN(test_shared_node);
    RUN(test_more_than_a_node_holds);
    RUN(test_memory);
    RUN(test_instances);
    return check_done();
}
