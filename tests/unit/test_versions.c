/* Versions of a function: who goes where, what each has of its own, and what they count together. */
#include "io/json_reader.h"
#include "io/scenario_load.h"
#include "model/run.h"

#include "support/check.h"

#include <math.h>
#include <stdlib.h>

#define NONE_BUNDLE                                                                                          \
    "\"policy\": {\"bundle\": \"none\", \"scaling\": {\"name\": \"per_request\"}, \"keepalive\": "           \
    "{\"name\": "                                                                                            \
    "\"fixed\", \"window\": \"10s\"}}, "
#define LATE_BUNDLE                                                                                          \
    "\"policy\": {\"bundle\": \"none\", \"binding\": \"late\", \"scaling\": {\"name\": \"per_request\"}, "   \
    "\"keepalive\": {\"name\": \"fixed\", \"window\": \"10s\"}}, "

static fsim_result *r;
static fsim_scenario *scenario; /* of r: what a function's spec points to lives there */

static void check_conservation(const fsim_scope *s) {
    const fsim_counts *n = &s->n;
    CHECK_EQ_INT(n->arrived, n->completed + n->rejected_429 + n->rejected_503 + n->timed_out + n->failed +
                                 n->in_system_at_end);
}

static const fsim_scope *scope(const char *name) {
    fsim_fn_id id = fsim_function_table_find(r->functions, name);
    REQUIRE(id < r->function_count);
    return &r->per_function[id];
}

/* Everything that adds up: a function is the sum of its versions. */
static void check_groups(void) {
    for (uint32_t fn = 0; fn < r->function_count; fn++) {
        const fsim_versions_spec *versions = fsim_function_table_get(r->functions, fn)->versions;
        const fsim_scope *all = &r->per_function[fn];
        check_conservation(all);
        if (versions == NULL) {
            continue;
        }
        fsim_wide in_execution_ns = 0, instance_ns = 0;
        uint64_t arrived = 0, samples = 0, peak = 0;
        for (uint32_t v = 1; v <= versions->count; v++) {
            const fsim_scope *s = &r->per_function[fn + v];
            arrived += s->n.arrived;
            in_execution_ns += s->in_execution_ns;
            instance_ns += s->starting_ns + s->busy_ns + s->idle_ns;
            samples += s->latency.hist != NULL ? fsim_histogram_total(s->latency.hist) : 0;
            peak += s->in_execution_peak;
        }
        CHECK_EQ_INT(all->n.arrived, arrived);
        CHECK(all->in_execution_ns == in_execution_ns);
        CHECK(all->starting_ns + all->busy_ns + all->idle_ns == instance_ns);
        CHECK(all->in_execution_peak <= peak);
        CHECK_EQ_INT(all->latency.hist != NULL ? fsim_histogram_total(all->latency.hist) : 0, samples);
    }
}

static void run(const char *rest) {
    static fsim_error err;
    char *text;
    fsim_value *tree;
    fsim_value_pool *pool = fsim_value_pool_create();
    const fsim_load_options load = {0};
    const fsim_run_options options = {.seed = 7};
    REQUIRE(asprintf(&text, "{\"schema\": \"fsim.scenario/1\", \"name\": \"t\", \"billing\": [], %s}", rest) >
            0);
    fsim_result_destroy(r);
    fsim_scenario_destroy(scenario);
    r = NULL;
    scenario = NULL;
    fsim_status status = fsim_json_read_text(pool, text, "t.json", &tree, &err);
    REQUIRE(status == FSIM_OK);
    status = fsim_scenario_from_tree(&scenario, pool, tree, ".", &load, &err);
    if (status == FSIM_OK) {
        status = fsim_run(&r, scenario, &options, &err);
    }
    free(text);
    if (status != FSIM_OK) {
        printf("%s: %s\n", err.place, err.text);
    }
    REQUIRE(status == FSIM_OK);
    check_conservation(&r->total);
    check_groups();
}

static void test_a_request_goes_to_the_version_it_names(void) {
    run(NONE_BUNDLE
        "\"workload\": {\"source\": \"list\", \"arrivals\": [{\"arrival\": \"0s\", \"version\": \"b\"}, "
        "{\"arrival\": \"2s\", \"version\": \"b\"}, {\"arrival\": \"4s\", \"function\": \"f:a\"}, "
        "{\"arrival\": \"6s\", \"version\": \"b\", \"function\": \"f:b\"}]}, "
        "\"functions\": [{\"name\": \"f\", \"service\": \"100ms\", \"cold_start\": \"1s\", \"versions\": "
        "[{\"name\": \"a\", \"weight\": 1, \"service\": \"200ms\"}, {\"name\": \"b\", \"weight\": 0}]}]");
    CHECK_EQ_INT(r->function_count, 3);
    CHECK_EQ_INT(scope("f")->n.arrived, 4);
    CHECK_EQ_INT(scope("f:a")->n.arrived, 1);
    CHECK_EQ_INT(scope("f:b")->n.arrived, 3);
    /* Each has instances of its own: a's request is cold though b's stands idle. */
    CHECK_EQ_INT(scope("f:a")->n.cold_triggered, 1);
    CHECK_EQ_INT(scope("f:b")->n.cold_triggered, 1);
    CHECK_EQ_INT(scope("f")->n.started, 2);
    CHECK_EQ_INT(scope("f:a")->service.sum_ns, 200 * FSIM_MS);
    CHECK_EQ_INT(scope("f:b")->service.sum_ns, 300 * FSIM_MS);
    /* Never two at a time: the function's peak is no sum of its versions' peaks. */
    CHECK_EQ_INT(scope("f")->in_execution_peak, 1);
    CHECK_EQ_INT(scope("f")->instances_peak, 2);
}

/* Within five standard deviations of a binomial count. */
static void check_share(const char *name, double n, double p) {
    double got = (double)scope(name)->n.arrived, sd = sqrt(n * p * (1 - p));
    check_context("%s: %.0f of %.0f, expected a share of %g", name, got, n, p);
    CHECK(fabs(got - n * p) <= 5 * sd);
    check_context("%s", "");
}

static void test_others_are_drawn_by_weight(void) {
    run(NONE_BUNDLE
        "\"workload\": {\"source\": \"poisson\", \"rate\": 50, \"requests\": 40000}, "
        "\"functions\": [{\"name\": \"f\", \"service\": {\"dist\": \"exponential\", \"mean\": \"20ms\"}, "
        "\"versions\": [{\"name\": \"a\", \"weight\": 6}, {\"name\": \"b\", \"weight\": 0}, {\"name\": "
        "\"c\", "
        "\"weight\": 3.5}, {\"name\": \"d\", \"weight\": 0.5}]}]");
    check_share("f:a", 40000, 0.6);
    check_share("f:c", 40000, 0.35);
    check_share("f:d", 40000, 0.05);
    CHECK_EQ_INT(scope("f:b")->n.arrived, 0);
    /* Little's law, version by version: nobody is left, so it is an identity of integers. */
    const char *const names[] = {"f", "f:a", "f:c", "f:d"};
    for (int i = 0; i < 4; i++) {
        CHECK(scope(names[i])->in_execution_ns == scope(names[i])->service.sum_ns);
    }
}

static void test_weights_change_over_time(void) {
    run(NONE_BUNDLE "\"workload\": {\"source\": \"constant\", \"interval\": \"10ms\", \"until\": \"300s\"}, "
                    "\"functions\": [{\"name\": \"f\", \"service\": \"1ms\", \"versions\": [{\"name\": "
                    "\"old\", \"weight\": "
                    "[{\"at\": \"0s\", \"weight\": 95}, {\"at\": \"200s\", \"weight\": 0}]}, {\"name\": "
                    "\"new\", \"weight\": "
                    "[{\"at\": \"100s\", \"weight\": 5}]}]}], \"run\": {\"windows\": {\"every\": \"100s\"}}");
    REQUIRE(r->window_count >= 3);
    const fsim_window_row *rows = r->window_functions;
    CHECK_EQ_INT(rows[2].n.arrived, 0); /* new, before 100 s */
    CHECK_EQ_INT(rows[1].n.arrived, rows[0].n.arrived);
    double in_second = (double)rows[5].n.arrived;
    CHECK(fabs(in_second - 500) < 5 * sqrt(10000 * 0.05 * 0.95));
    CHECK_EQ_INT(rows[7].n.arrived, 0); /* old, from 200 s on */
    CHECK_EQ_INT(rows[8].n.arrived, 10000);
    for (int w = 0; w < 3; w++) {
        CHECK_EQ_INT(rows[3 * w].n.arrived, rows[3 * w + 1].n.arrived + rows[3 * w + 2].n.arrived);
        CHECK_EQ_INT(rows[3 * w].n.started, rows[3 * w + 1].n.started + rows[3 * w + 2].n.started);
        CHECK_EQ_INT(rows[3 * w].instances_end,
                     rows[3 * w + 1].instances_end + rows[3 * w + 2].instances_end);
        CHECK_EQ_INT(rows[3 * w].n.arrived, r->windows[w].all.n.arrived);
    }
}

#define TWO_AND_A_THIRD                                                                                      \
    "\"workload\": {\"source\": \"list\", \"arrivals\": [{\"arrival\": \"0s\", \"version\": \"a\"}, "        \
    "{\"arrival\": \"0s\", \"version\": \"b\"}, {\"arrival\": \"0s\", \"version\": \"b\"}, {\"arrival\": "   \
    "\"20s\", \"version\": \"b\"}]}, "
#define A_AND_B "\"service\": \"1s\", \"versions\": [{\"name\": \"a\"}, {\"name\": \"b\"}]}]"

static void test_limits_count_all_versions(void) {
    run(NONE_BUNDLE TWO_AND_A_THIRD "\"functions\": [{\"name\": \"f\", \"max_instances\": 2, " A_AND_B);
    CHECK_EQ_INT(scope("f:a")->n.completed, 1);
    CHECK_EQ_INT(scope("f:b")->n.rejected_429, 1);
    CHECK_EQ_INT(scope("f")->n.throttled[FSIM_CAUSE_FUNCTION], 1);
    CHECK_EQ_INT(scope("f:b")->n.completed, 2);
    CHECK_EQ_INT(scope("f")->instances_peak, 2);
    run(NONE_BUNDLE TWO_AND_A_THIRD "\"functions\": [{\"name\": \"f\", \"reserved_concurrency\": 2, " A_AND_B
                                    ", \"platform\": {\"account_concurrency\": 2}");
    CHECK_EQ_INT(scope("f")->n.throttled[FSIM_CAUSE_FUNCTION], 1);
    CHECK_EQ_INT(scope("f:b")->n.rejected_429, 1);
    run(NONE_BUNDLE TWO_AND_A_THIRD "\"functions\": [{\"name\": \"f\", " A_AND_B
                                    ", \"platform\": {\"account_concurrency\": 1}");
    CHECK_EQ_INT(scope("f")->n.throttled[FSIM_CAUSE_ACCOUNT], 2);
    run(NONE_BUNDLE TWO_AND_A_THIRD "\"functions\": [{\"name\": \"f\", " A_AND_B
                                    ", \"platform\": {\"start_rate\": {\"kind\": \"fixed\", \"n\": 1, "
                                    "\"window\": \"10s\", \"scope\": \"function\"}}");
    CHECK_EQ_INT(scope("f")->n.throttled[FSIM_CAUSE_START_RATE], 2);
    CHECK_EQ_INT(scope("f:a")->n.started, 1);
    CHECK_EQ_INT(scope("f:b")->n.started, 1);
}

/* Late binding, room for one instance: b waits until a's has been idle for longer than 10 s. */
static void test_room_that_another_leaves(void) {
    run(LATE_BUNDLE
        "\"workload\": {\"source\": \"list\", \"arrivals\": [{\"arrival\": \"0s\", \"version\": \"a\"}, "
        "{\"arrival\": \"2s\", \"version\": \"b\"}]}, \"functions\": [{\"name\": \"f\", \"max_instances\": "
        "1, "
        "\"cold_start\": \"3s\", " A_AND_B);
    CHECK_EQ_INT(scope("f:b")->n.completed, 1);
    CHECK_EQ_INT(scope("f:b")->wait.max_ns, 12 * FSIM_SECOND + 3 * FSIM_SECOND + 1); /* 4 s + 10 s - 2 s */
    CHECK_EQ_INT(scope("f")->queue_peak, 2); /* a's own start takes until 3 s */
    CHECK_EQ_INT(scope("f:b")->queue_peak, 1);
    /* The same between functions, for memory of a node. */
    run(LATE_BUNDLE
        "\"workload\": {\"source\": \"list\", \"arrivals\": [{\"arrival\": \"0s\", \"function\": \"a\"}, "
        "{\"arrival\": \"2s\", \"function\": \"b\"}]}, \"functions\": [{\"name\": \"a\", \"memory_mb\": 512, "
        "\"service\": \"1s\"}, {\"name\": \"b\", \"memory_mb\": 512, \"service\": \"1s\"}], \"platform\": "
        "{\"nodes\": {\"count\": 1, \"vcpu\": 1, \"memory\": \"600MB\"}}");
    CHECK_EQ_INT(scope("b")->n.completed, 1);
    CHECK_EQ_INT(scope("b")->wait.max_ns, 9 * FSIM_SECOND + 1);
}

static void test_provisioned_instances_of_a_version(void) {
    run(NONE_BUNDLE
        "\"workload\": {\"source\": \"list\", \"arrivals\": [{\"arrival\": \"1s\", \"version\": \"a\", "
        "\"count\": 3}, {\"arrival\": \"1s\", \"version\": \"b\"}, {\"arrival\": \"59500ms\", \"version\": "
        "\"a\", \"count\": 2}]}, \"functions\": [{\"name\": \"f\", \"service\": \"1s\", \"cold_start\": "
        "\"2s\", "
        "\"versions\": [{\"name\": \"a\", \"provisioned\": [{\"at\": \"0s\", \"provisioned\": 2}, {\"at\": "
        "\"20s\", \"provisioned\": 4}, {\"at\": \"60s\", \"provisioned\": 1}, {\"at\": \"80s\", "
        "\"provisioned\": 0}]}, {\"name\": \"b\"}]}], \"run\": {\"until\": \"100s\"}");
    const fsim_scope *a = scope("f:a"), *b = scope("f:b");
    CHECK_EQ_INT(a->n.cold_triggered, 1); /* the third of the first */
    CHECK_EQ_INT(b->n.cold_triggered, 1); /* b has none of them */
    CHECK_EQ_INT(a->n.completed, 5);
    CHECK_EQ_INT(a->n.started, 5);
    /* 2 for 20 s, 4 for 40 s (2 of them for 2 s starting), then of the 4 two idle ones go at 60 s and one of
     * the busy two when it is done at 60.5 s, 1 until 80 s. */
    CHECK_EQ_INT(a->provisioned_ns, (40 + 160 + 20) * FSIM_SECOND + 500 * FSIM_MS);
    CHECK_EQ_INT(b->provisioned_ns, 0);
    CHECK_EQ_INT(a->starting_ns, 6 * FSIM_SECOND);
    CHECK_EQ_INT(a->n.removed, 5);
}

/* Those of a provisioning that is taken back before its end: what has not started never starts, what starts
 * is given up, and those that waited for the others serve. */
static void test_provisioning_taken_back(void) {
    run(NONE_BUNDLE
        "\"workload\": {\"source\": \"list\", \"arrivals\": [{\"arrival\": \"14s\", \"version\": \"a\"}, "
        "{\"arrival\": \"20s\", \"version\": \"a\"}]}, \"functions\": [{\"name\": \"f\", \"service\": "
        "\"1s\", "
        "\"cold_start\": \"3s\", \"versions\": [{\"name\": \"a\", \"provisioned\": [{\"at\": \"5s\", "
        "\"provisioned\": 4}, {\"at\": \"16s\", \"provisioned\": 1}]}]}], \"platform\": "
        "{\"provisioned_together\": true, \"provisioned_start_rate\": {\"kind\": \"fixed\", \"n\": 1, "
        "\"window\": \"5s\"}}, \"run\": {\"until\": \"60s\"}");
    const fsim_scope *a = scope("f:a");
    /* Starts at 5, 10 and 15 s; none serves at 14 s. At 16 s the fourth is forgotten, the third given up, one
     * of the two that wait for it goes, the other serves. */
    CHECK_EQ_INT(a->n.cold_triggered, 1);
    CHECK_EQ_INT(a->n.started, 4);
    CHECK_EQ_INT(a->wait.sum_ns, 3 * FSIM_SECOND);
    CHECK_EQ_INT(a->provisioned_ns, (55 + 50 + 1 - 44) * FSIM_SECOND); /* whichever of the two went */
}

/* Room for three: b's two provisioned instances come when a's elastic ones go, 10 s after their last request.
 */
static void test_provisioned_instances_find_room(void) {
    run(NONE_BUNDLE "\"workload\": {\"source\": \"list\", \"arrivals\": [{\"arrival\": \"0s\", \"version\": "
                    "\"a\", \"count\": 2}, {\"arrival\": \"5s\", \"version\": \"a\"}]}, \"functions\": "
                    "[{\"name\": \"f\", \"service\": \"1s\", \"max_instances\": 3, \"versions\": [{\"name\": "
                    "\"a\"}, {\"name\": \"b\", \"provisioned\": [{\"at\": \"4s\", \"provisioned\": 3}]}]}], "
                    "\"run\": {\"until\": \"30s\"}");
    CHECK_EQ_INT(scope("f")->instances_peak, 3);
    CHECK_EQ_INT(scope("f:b")->n.started, 3);
    /* One at 4 s, the others when a's have been idle since 1 s and 6 s. */
    CHECK_EQ_INT(scope("f:b")->provisioned_ns, (26 + 19 + 14) * FSIM_SECOND - 2);
}

static void test_users_and_sessions(void) {
    run(NONE_BUNDLE
        "\"workload\": {\"source\": \"closed\", \"users\": 20, \"think\": {\"dist\": \"exponential\", "
        "\"mean\": "
        "\"1s\"}, \"requests\": 20000}, \"functions\": [{\"name\": \"f\", \"versions\": [{\"name\": \"a\", "
        "\"weight\": 3, \"service\": \"10ms\"}, {\"name\": \"b\", \"service\": \"30ms\"}]}]");
    check_share("f:a", 20000, 0.75);
    CHECK_EQ_INT(scope("f:a")->service.sum_ns, (int64_t)scope("f:a")->n.completed * 10 * FSIM_MS);
    CHECK_EQ_INT(scope("f:b")->service.sum_ns, (int64_t)scope("f:b")->n.completed * 30 * FSIM_MS);
    /* Ten requests of one session: all go where the first went. */
    run(NONE_BUNDLE
        "\"workload\": {\"source\": \"list\", \"arrivals\": [{\"arrival\": \"0s\", \"session\": \"s\"}, "
        "{\"arrival\": \"1s\", \"session\": \"s\"}, {\"arrival\": \"2s\", \"session\": \"s\"}, {\"arrival\": "
        "\"3s\", \"session\": \"s\", \"count\": 7}]}, \"functions\": [{\"name\": \"f\", \"concurrency\": 20, "
        "\"session\": {}, " A_AND_B);
    CHECK(scope("f:a")->n.arrived == 10 || scope("f:b")->n.arrived == 10);
    CHECK_EQ_INT(scope("f")->n.sessions_started, 1);
}

/* Every version has a scaler of its own. */
static void test_versions_under_a_scaler(void) {
    run("\"policy\": {\"bundle\": \"knative\"}, \"workload\": {\"source\": \"poisson\", \"rate\": 40, "
        "\"until\": "
        "\"600s\"}, \"functions\": [{\"name\": \"f\", \"concurrency\": 1, \"service\": {\"dist\": "
        "\"exponential\", \"mean\": \"500ms\"}, \"cold_start\": \"2s\", \"versions\": [{\"name\": \"a\", "
        "\"weight\": [{\"at\": \"0s\", \"weight\": 1}, {\"at\": \"200s\", \"weight\": 0}]}, {\"name\": "
        "\"b\", "
        "\"weight\": [{\"at\": \"200s\", \"weight\": 1}]}]}], \"run\": {\"windows\": {\"every\": \"100s\"}, "
        "\"until\": \"700s\"}");
    const fsim_window_row *rows = r->window_functions;
    CHECK(rows[3 * 1 + 1].instances_end >= 20); /* 20 in execution, 70 % of a slot each */
    CHECK_EQ_INT(rows[3 * 1 + 2].instances_end, 0);
    CHECK_EQ_INT(rows[3 * 4 + 1].instances_end, 0); /* a, three minutes after its last request */
    CHECK(rows[3 * 4 + 2].instances_end >= 20);
    CHECK_EQ_INT(scope("f")->n.completed, scope("f")->n.arrived);
}

int main(void) {
    RUN(test_a_request_goes_to_the_version_it_names);
    RUN(test_others_are_drawn_by_weight);
    RUN(test_weights_change_over_time);
    RUN(test_limits_count_all_versions);
    RUN(test_room_that_another_leaves);
    RUN(test_provisioned_instances_of_a_version);
    RUN(test_provisioning_taken_back);
    RUN(test_provisioned_instances_find_room);
    RUN(test_users_and_sessions);
    RUN(test_versions_under_a_scaler);
    fsim_result_destroy(r);
    fsim_scenario_destroy(scenario);
    return check_done();
}
