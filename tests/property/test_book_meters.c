/* Meters that only some price books ask for, on random scenarios: they change nothing else, their parts add
 * up to what the ordinary meters say, and a threshold beside the first one counts what it would count alone.
 */
#include "billing/meter.h"
#include "oracle/random_scenario.h"
#include "support/check.h"

#define SCENARIOS 300u

static const uint32_t ppms[] = {10000, 200000, 0, 1000000};

static fsim_meter_plan full_plan(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    plan.window_ns = 700 * FSIM_MS;
    for (uint32_t k = 0; k < sizeof ppms / sizeof *ppms; k++) {
        plan.more[plan.more_count++] =
            (fsim_threshold){.ppm = ppms[k], .full_window = k == 1, .above = k == 2};
    }
    plan.settle_ns = 900 * FSIM_MS;
    plan.idle_below_ucore = 10000;
    plan.unused_window_ns = 400 * FSIM_MS;
    plan.node[plan.node_count++] = (fsim_node_size){.vcpu_milli = 64000, .memory_mib = 1024};
    return plan;
}

typedef struct variant {
    char *text;
    uint64_t seed;
    fsim_setting settings[4];
    fsim_load_options load;
} variant;

/* Frozen and not, with little CPU and much, with and without CPU in the background. */
static void choose(variant *v, uint64_t seed) {
    random_scenario s;
    random_scenario_init(&s, seed, seed % 2 == 0);
    *v = (variant){.text = random_scenario_print(&s), .seed = seed};
    random_scenario_clear(&s);
    v->settings[0] = (fsim_setting){"functions.*.freeze", seed % 3 == 0 ? "false" : "true", "--set"};
    v->settings[1] = (fsim_setting){"functions.*.cpu_fraction", seed % 5 < 3 ? "0.15" : "1", "--set"};
    v->settings[2] = (fsim_setting){"functions.*.background_cpu", seed % 7 == 0 ? "0.02" : "0", "--set"};
    v->load = (fsim_load_options){.settings = v->settings, .setting_count = 3};
}

static void check_same_usage(const fsim_usage *a, const fsim_usage *b) {
    CHECK_EQ_INT(a->requests, b->requests);
    CHECK(memcmp(a->request_ms, b->request_ms, sizeof a->request_ms) == 0);
    CHECK(memcmp(a->active_ms, b->active_ms, sizeof a->active_ms) == 0);
    CHECK(memcmp(a->residency_ms, b->residency_ms, sizeof a->residency_ms) == 0);
    CHECK_EQ_INT(a->threshold_mem_ms, b->threshold_mem_ms);
    CHECK_EQ_INT(a->threshold_cpu_ms, b->threshold_cpu_ms);
    CHECK(a->cpu_ucore_ns == b->cpu_ucore_ns);
    CHECK(a->idle_ns == b->idle_ns);
}

static void check_hours(const fsim_result *r) {
    for (uint32_t fn = 0; fn < r->function_count; fn++) {
        fsim_usage_hour sum = {0};
        const fsim_usage *u = &r->usage[fn];
        for (uint32_t i = 0; i < r->hour_count; i++) {
            const fsim_usage_hour *row = &r->hours[i];
            CHECK(i == 0 || r->hours[i - 1].hour < row->hour ||
                  (r->hours[i - 1].hour == row->hour && r->hours[i - 1].fn < row->fn));
            CHECK(row->hour <= (uint32_t)(r->end_ns / r->meters.settle_ns));
            if (row->fn == fn) {
                CHECK(row->requests > 0 || row->mem_ms > 0);
                sum.requests += row->requests;
                sum.mem_ms += row->mem_ms;
                for (uint32_t k = 0; k <= r->meters.more_count; k++) {
                    sum.cpu_ms[k] += row->cpu_ms[k];
                }
            }
        }
        CHECK_EQ_INT(sum.requests, u->requests);
        CHECK_EQ_INT(sum.mem_ms, u->threshold_mem_ms);
        CHECK_EQ_INT(sum.cpu_ms[0], u->threshold_cpu_ms);
        for (uint32_t k = 0; k < r->meters.more_count; k++) {
            CHECK_EQ_INT(sum.cpu_ms[k + 1], u->threshold_more_ms[k]);
        }
    }
}

static void check_bounds(const fsim_result *r) {
    fsim_u128 memory = 0;
    for (uint32_t fn = 0; fn < r->function_count; fn++) {
        const fsim_usage *u = &r->usage[fn];
        CHECK(u->idle_at_minimum_ns <= u->idle_ns + 1000);
        CHECK(u->provisioned_unused_ns <= u->provisioned_alloc_ns + 1000);
        CHECK_EQ_INT(u->threshold_more_ms[3] <= u->threshold_more_ms[0],
                     1); /* falls as the threshold rises */
        memory += (u->residency_ns + u->starting_ns) * u->memory_mb;
    }
    fsim_u128 horizon = (fsim_u128)(uint64_t)r->horizon_ns;
    CHECK(r->nodes[0].node_ns * 1024 + 1000000 >= memory); /* nodes hold what is on them */
    CHECK(r->nodes[0].node_ns <= horizon * r->nodes[0].peak);
    CHECK(r->nodes[0].peak <= r->total.instances_peak);
}

static void test_further_meters_change_nothing_and_add_up(void) {
    fsim_meter_plan plain = fsim_meter_plan_default(), full = full_plan();
    plain.window_ns = full.window_ns;
    uint64_t rows = 0, unused = 0, at_minimum = 0;
    for (uint64_t seed = 1; seed <= SCENARIOS && check_state.failures == 0; seed++) {
        variant v;
        choose(&v, seed);
        check_context("seed %d", (int)seed);
        fsim_result *a = engine_run_metered(v.text, v.seed, &v.load, &plain);
        fsim_result *b = engine_run_metered(v.text, v.seed, &v.load, &full);
        REQUIRE(a != NULL && b != NULL && a->function_count == b->function_count);
        CHECK(a->digest == b->digest);
        CHECK_EQ_INT(a->total.in_execution_peak, b->total.in_execution_peak);
        for (uint32_t fn = 0; fn < a->function_count; fn++) {
            check_same_usage(&a->usage[fn], &b->usage[fn]);
            CHECK_EQ_INT(a->per_function[fn].in_execution_peak, b->per_function[fn].in_execution_peak);
            unused += b->usage[fn].provisioned_unused_ns > 0;
            at_minimum += b->usage[fn].idle_at_minimum_ns > 0;
        }
        check_hours(b);
        check_bounds(b);
        rows += b->hour_count;
        fsim_result_destroy(a);
        fsim_result_destroy(b);
        free(v.text);
    }
    CHECK(rows > 10 * SCENARIOS);
    CHECK(unused > 20);
    CHECK(at_minimum > 20);
}

static void test_a_threshold_beside_the_first_counts_as_alone(void) {
    fsim_meter_plan full = full_plan();
    for (uint64_t seed = 1; seed <= SCENARIOS && check_state.failures == 0; seed++) {
        variant v;
        choose(&v, seed);
        uint32_t k = (uint32_t)(seed % full.more_count);
        check_context("seed %d, threshold %d", (int)seed, (int)k);
        fsim_meter_plan alone = fsim_meter_plan_default();
        alone.window_ns = full.window_ns;
        alone.threshold = full.more[k];
        fsim_result *a = engine_run_metered(v.text, v.seed, &v.load, &alone);
        fsim_result *b = engine_run_metered(v.text, v.seed, &v.load, &full);
        REQUIRE(a != NULL && b != NULL);
        for (uint32_t fn = 0; fn < a->function_count; fn++) {
            CHECK_EQ_INT(b->usage[fn].threshold_more_ms[k], a->usage[fn].threshold_cpu_ms);
        }
        fsim_result_destroy(a);
        fsim_result_destroy(b);
        free(v.text);
    }
}

/* ---- by hand ---- */

#define FLEET                                                                                                \
    "{\"schema\": \"fsim.scenario/1\", \"name\": \"x\", \"workload\": {\"source\": \"list\", \"arrivals\": " \
    "[{\"arrival\": \"1s\", \"duration\": \"2s\"}, {\"arrival\": \"1s\", \"duration\": \"3s\"}, "            \
    "{\"arrival\": \"27s\", \"duration\": \"1s\"}]}, \"functions\": [{\"name\": \"f\", \"memory_mb\": "      \
    "1024, "                                                                                                 \
    "\"vcpu\": 1, \"concurrency\": 1, \"provisioned\": 5}], \"policy\": {\"bundle\": \"none\"}, "            \
    "\"billing\": [], \"run\": {\"until\": \"40s\"}}"

static void test_a_fleet_by_hand(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    fsim_load_options load = {0};
    plan.unused_window_ns = 10 * FSIM_SECOND;
    plan.idle_below_ucore = 10000;
    plan.node[plan.node_count++] = (fsim_node_size){.vcpu_milli = 4000, .memory_mib = 16384};
    plan.node[plan.node_count++] = (fsim_node_size){.vcpu_milli = 64000, .memory_mib = 2048};
    plan.node[plan.node_count++] = (fsim_node_size){.vcpu_milli = 64000, .memory_mib = 512};
    fsim_result *r = engine_run_metered(FLEET, 1, &load, &plan);
    REQUIRE(r != NULL);
    /* most at once in the four windows: 2, 0, 1, 0, so 3 + 5 + 4 + 5 instances are not needed */
    CHECK(r->usage[0].provisioned_unused_ns == (fsim_u128)(17 * 10 * FSIM_SECOND));
    CHECK(r->usage[0].idle_at_minimum_ns == (fsim_u128)(5 * 40 * FSIM_SECOND - 6 * FSIM_SECOND));
    CHECK(r->nodes[0].node_ns == (fsim_u128)(2 * 40 * FSIM_SECOND));  /* four fit: by vCPU */
    CHECK(r->nodes[1].node_ns == (fsim_u128)(3 * 40 * FSIM_SECOND));  /* two fit: by memory */
    CHECK(r->nodes[2].node_ns == (fsim_u128)(10 * 40 * FSIM_SECOND)); /* each needs two */
    CHECK_EQ_INT(r->nodes[0].peak, 2);
    fsim_result_destroy(r);
}

int main(void) {
    RUN(test_further_meters_change_nothing_and_add_up);
    RUN(test_a_threshold_beside_the_first_counts_as_alone);
    RUN(test_a_fleet_by_hand);
    return check_done();
}
