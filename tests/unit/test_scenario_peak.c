#include "io/json_reader.h"
#include "io/scenario_load.h"
#include "model/scenario_peak.h"

#include "support/check.h"

static fsim_scenario *s;
static fsim_error err;

/* Three requests of 1 s of "a" at once and a fourth 2 s later; two of "b", one after the other. */
static const char workload[] = "{\"source\": \"list\", \"arrivals\": [{\"arrival\": \"0s\", \"function\": "
                               "\"a\", \"duration\": \"1s\", \"count\": 3},"
                               " {\"arrival\": \"0.5s\", \"function\": \"b\", \"duration\": \"1s\"},"
                               " {\"arrival\": \"2s\", \"function\": \"b\", \"duration\": \"1s\"},"
                               " {\"arrival\": \"3s\", \"function\": \"a\", \"duration\": \"1s\"}]}";

static void load_under(const char *policy, const char *source, const char *function,
                       const fsim_setting *settings, size_t count) {
    char json[2048];
    fsim_value *tree = NULL;
    fsim_value_pool *pool = fsim_value_pool_create();
    const fsim_load_options options = {.policy = policy, .settings = settings, .setting_count = count};
    snprintf(json, sizeof json,
             "{\"schema\": \"fsim.scenario/1\", \"name\": \"t\", \"workload\": %s, \"billing\": [],"
             " \"functions\": [{\"name\": \"a\", \"cold_start\": \"9s\"%s}, {\"name\": \"b\"}]}",
             source, function);
    fsim_scenario_destroy(s);
    s = NULL;
    err = (fsim_error){0};
    REQUIRE(fsim_json_read_text(pool, json, "t.json", &tree, &err) == FSIM_OK);
    fsim_status status = fsim_scenario_from_tree(&s, pool, tree, NULL, &options, &err);
    if (status != FSIM_OK) {
        printf("%s: %s\n", err.place, err.text);
    }
    REQUIRE(status == FSIM_OK);
}

static void load(const char *source, const char *function, const fsim_setting *settings, size_t count) {
    load_under("paas", source, function, settings, count);
}

/* Instances of a and b at their peak, when nobody waits. */
static void check_fleet(uint64_t a, uint64_t b) {
    const fsim_run_options options = {.seed = 1};
    fsim_result *result = NULL;
    fsim_status status = fsim_run(&result, s, &options, &err);
    if (status != FSIM_OK) {
        printf("%s: %s\n", err.place, err.text);
    }
    REQUIRE(status == FSIM_OK);
    CHECK_EQ_INT(result->per_function[0].instances_peak, a);
    CHECK_EQ_INT(result->per_function[1].instances_peak, b);
    CHECK_EQ_INT(result->total.n.completed, 6);
    CHECK_EQ_INT(result->total.waited, 0);
    fsim_result_destroy(result);
}

static void test_peak_of_each_function(void) {
    load(workload, "", NULL, 0);
    CHECK(fsim_scenario_needs_peak(s));
    check_fleet(3, 1);
    CHECK(fsim_scenario_needs_peak(s)); /* the scenario itself stays as it was */
}

static void test_headroom(void) {
    const fsim_setting settings[] = {{"policy.scaling.headroom", "0.5", "--set"}};
    load(workload, "", settings, 1);
    check_fleet(5, 2);
}

static void test_slots_and_bounds(void) {
    load(workload, ", \"concurrency\": 2", NULL, 0);
    check_fleet(2, 1);
    load(workload, ", \"concurrency\": null", NULL, 0);
    check_fleet(1, 1);
    load(workload, ", \"min_instances\": 7", NULL, 0);
    check_fleet(7, 1);
}

/* Limits of the platform do not make the peak look smaller. */
static void test_first_pass_is_not_limited(void) {
    const fsim_setting settings[] = {{"policy.admission", "concurrency_cap", "--set"},
                                     {"policy.admission.limit", "1", "--set"}};
    load(workload, "", settings, 2);
    const fsim_run_options options = {.seed = 1};
    fsim_scenario sized;
    REQUIRE(fsim_scenario_size_for_peak(&sized, s, &options, &err) == FSIM_OK);
    CHECK_EQ_INT(fsim_function_table_get(sized.functions, 0)->min_instances, 3);
    CHECK(!fsim_scenario_needs_peak(&sized));
    fsim_scenario_drop_sized(&sized);
}

static void test_a_number_needs_no_first_pass(void) {
    const fsim_setting settings[] = {{"policy.scaling.instances", "4", "--set"}};
    load(workload, "", settings, 1);
    CHECK(!fsim_scenario_needs_peak(s));
    check_fleet(4, 4);
}

/* 4 requests of 1 s of "a" in 4 s: one instance is busy on average; half of one for "b". With per_request
 * scaling the two others of "a" are started for the burst at 0. */
static void test_a_steady_start(void) {
    const fsim_setting settings[] = {{"run.start", "steady", "--set"}};
    const fsim_run_options options = {.seed = 1};
    fsim_result *result = NULL;
    load_under("none", workload, "", settings, 1);
    CHECK(!fsim_scenario_needs_peak(s));
    REQUIRE(fsim_run(&result, s, &options, &err) == FSIM_OK);
    CHECK_EQ_INT(result->per_function[0].n.cold_triggered, 2);
    CHECK_EQ_INT(result->per_function[0].n.started, 3);
    CHECK_EQ_INT(result->per_function[1].n.cold_triggered, 0);
    CHECK_EQ_INT(result->per_function[1].n.started, 1);
    fsim_result_destroy(result);
}

static void test_standard_input_is_read_once(void) {
    const fsim_run_options options = {.seed = 1};
    fsim_result *result = NULL;
    load("{\"source\": \"csv\", \"file\": \"-\"}", "", NULL, 0);
    CHECK_EQ_INT(fsim_run(&result, s, &options, &err), FSIM_ECONFIG);
    CHECK_CONTAINS(err.text, "standard input can be read only once");
    CHECK(result == NULL);
}

int main(void) {
    RUN(test_peak_of_each_function);
    RUN(test_headroom);
    RUN(test_slots_and_bounds);
    RUN(test_first_pass_is_not_limited);
    RUN(test_a_number_needs_no_first_pass);
    RUN(test_a_steady_start);
    RUN(test_standard_input_is_read_once);
    fsim_scenario_destroy(s);
    return check_done();
}
