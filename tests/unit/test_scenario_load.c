#include "io/embedded.h"
#include "io/json_reader.h"
#include "io/scenario_explain.h"
#include "io/scenario_load.h"

#include "support/check.h"

#include <unistd.h>

static fsim_scenario *s;
static fsim_error err;

static void drop(void) {
    fsim_scenario_destroy(s);
    s = NULL;
    err = (fsim_error){0};
}

static fsim_status load_with(const char *json, const fsim_load_options *options) {
    fsim_value *tree = NULL;
    fsim_value_pool *pool = fsim_value_pool_create();
    drop();
    fsim_status status = fsim_json_read_text(pool, json, "t.json", &tree, &err);
    if (status != FSIM_OK) {
        fsim_value_pool_destroy(pool);
        return status;
    }
    return fsim_scenario_from_tree(&s, pool, tree, NULL, options, &err);
}

/* A scenario with these further members on the bundle "none". */
static fsim_status load(const char *members) {
    char json[4096];
    snprintf(json, sizeof json,
             "{\"schema\": \"fsim.scenario/1\", \"name\": \"t\","
             " \"workload\": {\"source\": \"poisson\", \"rate\": 1}%s%s}",
             members[0] == '\0' ? "" : ", ", members);
    const fsim_load_options options = {.policy = strstr(json, "bundle") == NULL ? "none" : NULL};
    return load_with(json, &options);
}

static void require(const char *members) {
    fsim_status status = load(members);
    if (status != FSIM_OK) {
        printf("%s: %s\n", err.place, err.text);
    }
    REQUIRE(status == FSIM_OK);
}

static void refuse(const char *members, const char *place, const char *text) {
    check_context("%s", members);
    CHECK_EQ_INT(load(members), FSIM_ECONFIG);
    CHECK_EQ_STR(err.place, place);
    CHECK_CONTAINS(err.text, text);
    CHECK(s == NULL);
}

static void require_settings(const char *policy, const fsim_setting *settings, size_t count) {
    const fsim_load_options options = {
        .workload = "trace.csv", .policy = policy, .settings = settings, .setting_count = count};
    drop();
    fsim_status status = fsim_scenario_load(&s, &options, &err);
    if (status != FSIM_OK) {
        printf("%s: %s\n", err.place, err.text);
    }
    REQUIRE(status == FSIM_OK);
}

static const fsim_fn_spec *function(const char *name) {
    fsim_fn_id id = fsim_function_table_find(s->functions, name);
    REQUIRE(id != FSIM_UNLIMITED);
    return fsim_function_table_get(s->functions, id);
}

static const char *origin(const char *path) {
    const fsim_value *value = fsim_value_at(s->root, path);
    return value == NULL ? "(absent)" : value->origin;
}

/* ---- what the contract's example says ---- */

static void test_example_of_the_contract(void) {
    require(
        "\"functions\": [{\"name\": \"fn\", \"memory_mb\": 128, \"vcpu\": 0.25, \"concurrency\": 1, "
        "\"cpu_model\": \"none\","
        "   \"service\": {\"dist\": \"exponential\", \"mean\": \"1.991s\"}, \"cpu_fraction\": 1.0,"
        "   \"cold_start\": {\"dist\": \"exponential\", \"mean\": \"2.244s\"}}],"
        " \"policy\": {\"bundle\": \"lambda\", \"keepalive\": {\"name\": \"fixed\", \"window\": \"600s\"},"
        "   \"routing\": {\"name\": \"newest_idle\"}},"
        " \"platform\": {\"account_concurrency\": 1000},"
        " \"billing\": [\"phase1\", \"phase2\", \"phase3\"],"
        " \"run\": {\"seed\": 1, \"warmup\": \"0s\", \"replications\": 1}");
    CHECK_EQ_STR(s->bundle, "lambda");
    CHECK_EQ_STR(s->keepalive->info.name, "fixed");
    CHECK_EQ_INT(s->account_concurrency, 1000);
    CHECK_EQ_INT(s->book_count, 3);
    CHECK_EQ_STR(s->books[1], "phase2");
    const fsim_fn_spec *fn = function("fn");
    CHECK_NEAR(fsim_dist_mean_ns(&fn->cold_start), 2.244e9, 1);
    CHECK_NEAR(fsim_dist_mean_ns(&fn->service), 1.991e9, 1);
    CHECK_NEAR(fn->vcpu, 0.25, 0);
    /* The distribution of the document replaces the bundle's whole, and so does its window. */
    CHECK_EQ_STR(origin("functions"), "t.json");
    fsim_keepalive_plan plan;
    s->keepalive->init(s->keepalive_params, fn, &plan);
    CHECK_EQ_INT(plan.window.constant_ns, 600 * FSIM_SECOND);
}

static void test_every_key_of_a_function(void) {
    require(
        "\"functions\": [{\"name\": \"a\", \"memory_mb\": 512, \"disk_mb\": 10, \"vcpu\": 2, "
        "\"concurrency\": 8,"
        " \"cpu_model\": \"ps\", \"slowdown_per_request\": 0.1, \"cpu_fraction\": 0.5, \"background_cpu\": "
        "0.02,"
        " \"freeze\": false, \"max_instances\": 20, \"reserved_concurrency\": 0, \"min_instances\": 2,"
        " \"provisioned\": 3, \"timeout\": \"30s\", \"versions\": [{\"name\": \"v1\", \"weight\": 1}],"
        " \"service\": \"5ms\", \"cold_start_mode\": \"total\", \"cold_start\": \"1s\"},"
        " {\"name\": \"b\", \"concurrency\": null, \"reserved_concurrency\": \"none\", \"timeout\": \"none\","
        "  \"cold_start\": {\"phases\": {\"sandbox\": \"100ms\", \"user\": {\"dist\": \"exponential\", "
        "\"mean\": \"1s\"}}}},"
        " {\"name\": \"*\", \"memory_mb\": 64}]");
    const fsim_fn_spec *a = function("a"), *b = function("b");
    CHECK_EQ_INT(s->default_fn, 0);
    CHECK_EQ_INT(fsim_function_table_count(s->functions), 3);
    CHECK_EQ_STR(function("a:v1")->version, "v1");
    CHECK_EQ_INT(a->memory_mb, 512);
    CHECK_EQ_INT(a->disk_mb, 10);
    CHECK_EQ_INT(a->concurrency, 8);
    CHECK_EQ_INT(a->cpu_model, FSIM_CPU_PS);
    CHECK_NEAR(a->slowdown_per_request, 0.1, 0);
    CHECK_NEAR(a->cpu_fraction, 0.5, 0);
    CHECK_NEAR(a->background_cpu, 0.02, 0);
    CHECK(!a->freeze);
    CHECK_EQ_INT(a->max_instances, 20);
    CHECK_EQ_INT(a->min_instances, 2);
    CHECK_EQ_INT(a->provisioned, 3);
    CHECK_EQ_INT(a->reserved_concurrency, 0);
    CHECK_EQ_INT(a->timeout_ns, 30 * FSIM_SECOND);
    CHECK(a->cold_total && a->has_service);
    CHECK_EQ_INT(b->concurrency, FSIM_UNLIMITED);
    CHECK_EQ_INT(b->reserved_concurrency, FSIM_UNLIMITED);
    CHECK_EQ_INT(b->timeout_ns, FSIM_NEVER);
    CHECK(b->cold_has_phases && !b->has_service);
    CHECK_EQ_INT(b->cold_phases[2].constant_ns, 100 * FSIM_MS);
    CHECK_NEAR(fsim_dist_mean_ns(&b->cold_phases[4]), 1e9, 1);
    CHECK_EQ_INT(fsim_function_table_template(s->functions)->memory_mb, 64);
    CHECK_EQ_INT(b->memory_mb, 128);
}

static void test_every_key_of_the_platform(void) {
    require("\"platform\": {\"account_concurrency\": 50, \"memory_quota_mb\": 4096,"
            " \"start_rate\": {\"kind\": \"token_bucket\", \"n\": 6000, \"window\": \"60s\", \"burst\": "
            "1000, \"initial\": 10,"
            "   \"scope\": \"function\"},"
            " \"provisioned_start_rate\": {\"kind\": \"fixed\", \"n\": 500, \"window\": \"1m\"},"
            " \"provisioned_together\": true,"
            " \"gateway\": {\"rate\": 100, \"burst\": 200, \"key\": \"function\"},"
            " \"queue\": {\"capacity\": 7, \"timeout\": {\"dist\": \"exponential\", \"mean\": \"5s\"}},"
            " \"retry\": {\"interval\": \"1s\", \"factor\": 2, \"attempts\": null, \"on\": [429, 504]},"
            " \"nodes\": {\"count\": 10, \"vcpu\": 4, \"memory\": \"16GB\", \"cpu_model\": \"ps\", "
            "\"price_per_hour\": 0.2}}");
    CHECK_EQ_INT(s->account_concurrency, 50);
    CHECK_EQ_INT(s->memory_quota_mb, 4096);
    CHECK_EQ_INT(s->start_rate.kind, FSIM_LIMIT_BUCKET);
    CHECK_EQ_INT(s->start_rate.burst, 1000);
    CHECK_EQ_INT(s->start_rate.initial, 10);
    CHECK(s->start_rate.per_function);
    CHECK_EQ_INT(s->provisioned_start_rate.kind, FSIM_LIMIT_FIXED);
    CHECK_EQ_INT(s->provisioned_start_rate.initial, 500);
    CHECK(!s->provisioned_start_rate.per_function);
    CHECK(s->provisioned_together);
    CHECK_NEAR(s->gateway.burst, 200, 0);
    CHECK(s->gateway.per_function);
    CHECK_EQ_INT(s->queue_capacity, 7);
    CHECK(s->queue_has_timeout);
    CHECK(s->retry.on && s->retry.on_429 && !s->retry.on_503 && s->retry.on_504);
    CHECK(s->retry.attempts == UINT64_MAX);
    CHECK_EQ_INT(s->nodes.memory_mb, 16384);
    CHECK_EQ_INT(s->nodes.cpu_model, FSIM_NODE_CPU_PS);
}

static void test_retries_have_an_end_unless_told(void) {
    require("\"platform\": {\"retry\": {\"interval\": \"1s\"}}");
    CHECK(s->retry.attempts == 2);
    CHECK_NEAR(s->retry.factor, 1, 0);
}

static void test_every_key_of_the_run(void) {
    require("\"run\": {\"seed\": 7, \"warmup\": \"10s\", \"until\": \"1h\", \"replications\": 5, "
            "\"threads\": 2, \"sample\": \"1s\","
            " \"start\": \"steady\", \"windows\": {\"every\": \"1m\"}, \"probe\": {\"at\": [\"30s\", "
            "\"10s\", \"30s\"]},"
            " \"exceed\": {\"latency\": [\"1s\", \"2s\"], \"wait\": [\"5ms\"]}, \"occupancy\": 20}, "
            "\"billing\": []");
    CHECK_EQ_INT(s->seed, 7);
    CHECK_EQ_INT(s->warmup_ns, 10 * FSIM_SECOND);
    CHECK_EQ_INT(s->until_ns, FSIM_HOUR);
    CHECK_EQ_INT(s->replications, 5);
    CHECK_EQ_INT(s->threads, 2);
    CHECK_EQ_INT(s->sample_ns, FSIM_SECOND);
    CHECK(s->start_steady);
    CHECK_EQ_INT(s->windows_every_ns, FSIM_MINUTE);
    REQUIRE(s->probe_count == 3);
    CHECK_EQ_INT(s->probe_at_ns[0], 10 * FSIM_SECOND);
    CHECK_EQ_INT(s->probe_order[0], 1);
    CHECK_EQ_INT(s->probe_order[1], 0);
    CHECK_EQ_INT(s->probe_order[2], 2);
    CHECK_EQ_INT(s->exceed_latency_count, 2);
    CHECK_EQ_INT(s->exceed_wait_ns[0], 5 * FSIM_MS);
    CHECK_EQ_INT(s->occupancy, 20);
    CHECK_EQ_INT(s->book_count, 0);
}

static void test_billing_as_a_list_in_words(void) {
    require("\"billing\": \"phase3,phase1\"");
    REQUIRE(s->book_count == 2);
    CHECK_EQ_STR(s->books[0], "phase3");
    CHECK_EQ_STR(s->books[1], "phase1");
}

static void test_limits_switched_off(void) {
    require(
        "\"policy\": {\"bundle\": \"lambda\", \"admission\": \"none\"},"
        " \"platform\": {\"account_concurrency\": null, \"memory_quota_mb\": \"none\", \"start_rate\": null,"
        " \"gateway\": \"none\", \"queue\": {\"capacity\": null}, \"retry\": null, \"nodes\": null},"
        " \"run\": {\"until\": null, \"occupancy\": null, \"sample\": \"none\"}");
    CHECK(s->account_concurrency == UINT64_MAX);
    CHECK_EQ_INT(s->memory_quota_mb, INT64_MAX);
    CHECK_EQ_INT(s->start_rate.kind, FSIM_LIMIT_NONE);
    CHECK_NEAR(s->gateway.rate_per_s, 0, 0);
    CHECK(s->queue_capacity == UINT64_MAX);
    CHECK(s->admission == NULL);
    CHECK_EQ_INT(s->until_ns, FSIM_NEVER);
}

static void test_queue_depends_on_the_binding(void) {
    require("");
    CHECK_EQ_INT(s->queue_capacity, 0);
    CHECK_EQ_STR(origin("platform.queue.capacity"), "default");
    require("\"policy\": {\"binding\": \"late\"}");
    CHECK(s->queue_capacity == UINT64_MAX);
    require("\"policy\": {\"binding\": \"late\"}, \"platform\": {\"queue\": null}");
    CHECK_EQ_INT(s->queue_capacity, 0);
}

/* ---- layers ---- */

static void test_layers_and_origins(void) {
    const fsim_setting settings[] = {{"run.seed", "9", "--seed"},
                                     {"functions.fn.memory_mb", "256", "--set"},
                                     {"policy.keepalive.window.max", "8m", "--set"},
                                     {"policy.routing", "random", "--set"}};
    require_settings("fc", settings, 4);
    CHECK_EQ_INT(s->seed, 9);
    CHECK_EQ_INT(function("fn")->memory_mb, 256);
    CHECK_EQ_STR(s->routing->info.name, "random");
    CHECK_EQ_STR(origin("run.seed"), "--seed");
    CHECK_EQ_STR(origin("run.warmup"), "default");
    CHECK_EQ_STR(origin("policy.keepalive.window.min"), "bundle fc");
    CHECK_EQ_STR(origin("policy.keepalive.window.max"), "--set");
    CHECK_EQ_STR(origin("policy.bundle"), "--policy");
    CHECK_EQ_STR(s->name, "trace");
    CHECK_EQ_STR(fsim_value_at(s->root, "workload.file")->string, "trace.csv");
}

/* What the command line switches on is its own from then on. */
static void test_settings_inside_of_null(void) {
    const fsim_setting settings[] = {{"platform.start_rate.n", "5", "--set"}};
    const fsim_load_options options = {
        .workload = "trace.csv", .policy = "none", .settings = settings, .setting_count = 1};
    drop();
    CHECK_EQ_INT(fsim_scenario_load(&s, &options, &err), FSIM_ECONFIG);
    CHECK_EQ_STR(err.place, "--set#/platform/start_rate");
    CHECK_EQ_STR(err.text, "key \"kind\" is missing");
}

/* Names that a trace mentions, and "fn" when nothing is declared, are made from the entry "*". */
static void test_template(void) {
    const fsim_setting settings[] = {{"functions.fn.vcpu", "2", "--set"},
                                     {"functions.*.memory_mb", "333", "--set"}};
    require_settings("none", settings, 2);
    CHECK_EQ_INT(function("fn")->memory_mb, 333);
    CHECK_NEAR(function("fn")->vcpu, 2, 0);
    CHECK_EQ_INT(fsim_function_table_template(s->functions)->memory_mb, 333);
    CHECK_NEAR(fsim_function_table_template(s->functions)->vcpu, 0.25, 0);
    /* Nobody declared it, so a trace may say how large it is. */
    CHECK_EQ_INT(fsim_function_table_set_memory(s->functions, s->default_fn, 512, &err), FSIM_OK);
}

static void test_another_policy_drops_the_parameters(void) {
    const fsim_setting settings[] = {{"policy.keepalive.name", "lru", "--set"},
                                     {"policy.keepalive.memory", "1GB", "--set"}};
    require_settings("lambda", settings, 2);
    CHECK_EQ_STR(s->keepalive->info.name, "lru");
}

/* A policy section belongs to the bundle it names: --policy with another one replaces it, with the same one
 * it does not. */
static void test_policy_option(void) {
    static const char json[] = "{\"schema\": \"fsim.scenario/1\", \"name\": \"t\", \"workload\": "
                               "{\"source\": \"poisson\", \"rate\": 1},"
                               " \"policy\": {\"bundle\": \"lambda\", \"keepalive\": {\"window\": \"9s\"}},"
                               " \"platform\": {\"account_concurrency\": 5}}";
    const fsim_load_options same = {.policy = "lambda"}, other = {.policy = "scf"};
    REQUIRE(load_with(json, &same) == FSIM_OK);
    CHECK_EQ_STR(origin("policy.keepalive.window"), "t.json");
    REQUIRE(load_with(json, &other) == FSIM_OK);
    CHECK_EQ_STR(s->bundle, "scf");
    CHECK_EQ_STR(origin("policy.keepalive.window"), "bundle scf");
    CHECK_EQ_INT(s->account_concurrency, 5);
    REQUIRE(load_with(json, NULL) == FSIM_OK);
    CHECK_EQ_STR(s->bundle, "lambda");
}

static void test_default_bundle_is_knative(void) {
    require_settings(NULL, NULL, 0);
    CHECK_EQ_STR(s->bundle, "knative");
    CHECK_EQ_INT(s->binding, FSIM_BIND_LATE);
    CHECK(s->queue_capacity == UINT64_MAX);
    CHECK_EQ_INT(function("fn")->concurrency, FSIM_UNLIMITED);
}

static void test_explain(void) {
    const fsim_explain_row *rows = NULL;
    size_t count = 0, sourced = 0;
    require_settings("lambda", NULL, 0);
    REQUIRE(fsim_scenario_explain(s, &rows, &count, &err) == FSIM_OK);
    for (size_t i = 0; i < count; i++) {
        CHECK(rows[i].origin[0] != '\0');
        if (strcmp(rows[i].origin, "bundle lambda") == 0) {
            check_context("%s", rows[i].path);
            CHECK(rows[i].source != NULL);
            sourced++;
        }
        if (strcmp(rows[i].path, "functions.fn.timeout") == 0) {
            CHECK_EQ_STR(rows[i].value->string, "900s");
            CHECK_CONTAINS(rows[i].source, "gettingstarted-limits.html");
        }
    }
    CHECK(sourced > 20);
}

/* ---- what is refused ---- */

static void test_schema(void) {
    CHECK_EQ_INT(load_with("{\"workload\": {\"source\": \"poisson\"}}", NULL), FSIM_ECONFIG);
    CHECK_EQ_STR(err.text, "key \"schema\" is missing, expected \"fsim.scenario/1\"");
    CHECK_EQ_INT(load_with("{\"schema\": \"fsim.scenario/2\"}", NULL), FSIM_ECONFIG);
    CHECK_EQ_STR(err.place, "t.json#/schema");
    CHECK_EQ_STR(err.text, "found schema \"fsim.scenario/2\", expected \"fsim.scenario/1\"");
    CHECK_EQ_INT(load_with("{\"schema\": \"fsim.scenario/1\"}", NULL), FSIM_ECONFIG);
    CHECK_EQ_STR(err.text, "key \"workload\" is missing");
    CHECK_EQ_INT(load_with("[]", NULL), FSIM_ECONFIG);
}

static void test_unknown_keys(void) {
    refuse("\"platfrm\": {}", "t.json#/platfrm", "did you mean \"platform\"?");
    refuse("\"run\": {\"sed\": 1}", "t.json#/run/sed", "did you mean \"seed\"?");
    refuse("\"functions\": [{\"name\": \"a\", \"memory\": 128}]", "t.json#/functions/0/memory",
           "did you mean \"memory_mb\"?");
    refuse("\"policy\": {\"keepalive\": {\"name\": \"fixed\", \"windw\": \"1s\"}}",
           "t.json#/policy/keepalive/windw", "did you mean \"window\"?");
    refuse("\"platform\": {\"queue\": {\"capcity\": 1}}", "t.json#/platform/queue/capcity",
           "did you mean \"capacity\"?");
    refuse(
        "\"platform\": {\"start_rate\": {\"kind\": \"sliding\", \"n\": 1, \"window\": \"1s\", \"burst\": 2}}",
        "t.json#/platform/start_rate/burst", "unknown key \"burst\"");
    refuse("\"functions\": [{\"name\": \"a\", \"service\": {\"dist\": \"exponential\", \"men\": \"1s\"}}]",
           "t.json#/functions/0/service", "mean");
}

static void test_unknown_names(void) {
    refuse("\"policy\": {\"bundle\": \"lamda\"}", "t.json",
           "unknown bundle \"lamda\"; did you mean \"lambda\"?");
    refuse("\"policy\": {\"routing\": \"newest_idel\"}", "t.json#/policy/routing/name",
           "unknown routing policy \"newest_idel\"; did you mean \"newest_idle\"?");
    refuse("\"policy\": {\"binding\": \"later\"}", "t.json#/policy/binding", "did you mean \"late\"?");
    const fsim_load_options options = {.workload = "no-such-trace"};
    drop();
    CHECK_EQ_INT(fsim_scenario_load(&s, &options, &err), FSIM_EIO);
    CHECK_EQ_STR(err.place, "no-such-trace");
    CHECK_CONTAINS(err.text, "no such file, and no built-in workload of this name");
}

static void test_contradictions(void) {
    refuse("\"functions\": [{\"name\": \"a\", \"min_instances\": 3, \"max_instances\": 2}]",
           "t.json#/functions/0/min_instances", "min_instances 3 is more than max_instances 2");
    refuse("\"functions\": [{\"name\": \"a\", \"provisioned\": 3, \"max_instances\": 2}]",
           "t.json#/functions/0/provisioned", "provisioned 3 is more than max_instances 2");
    refuse("\"functions\": [{\"name\": \"a\"}, {\"name\": \"a\"}]", "t.json#/functions/1/name",
           "function \"a\" is declared twice");
    refuse("\"policy\": {\"scaling\": [{\"name\": \"fixed\"}, {\"name\": \"per_request\"}]}",
           "t.json#/policy/scaling", "found 2 scaling policies, expected one");
    refuse("\"policy\": {\"scaling\": \"knative_kpa\", \"binding\": \"early\"}", "t.json#/policy/binding",
           "contradicts scaling \"knative_kpa\"");
    refuse("\"policy\": {\"scaling\": {\"name\": \"knative_kpa\", \"min_scale\": 5, \"max_scale\": 2},"
           " \"binding\": \"late\"}",
           "t.json#/policy/scaling", "min-scale is 5, expected at most max-scale, 2 pods");
    refuse("\"run\": {\"warmup\": \"2s\", \"until\": \"2s\"}", "t.json#/run/warmup",
           "nothing is left to measure");
    refuse("\"functions\": [{\"name\": \"a\", \"reserved_concurrency\": 9}], \"platform\": "
           "{\"account_concurrency\": 8}",
           "t.json#/platform/account_concurrency", "reserve 9 together, more than the account's 8");
    refuse("\"functions\": [{\"name\": \"a\", \"memory_mb\": 512}], \"platform\": {\"memory_quota_mb\": 256}",
           "t.json#/platform/memory_quota_mb", "less than one instance of \"a\" needs (512 MB)");
    refuse("\"policy\": {\"keepalive\": {\"name\": \"lru\", \"memory\": \"64MB\"}}",
           "t.json#/policy/keepalive", "less than one instance of \"fn\" needs (128 MB)");
    refuse("\"platform\": {\"retry\": {\"interval\": \"0s\", \"attempts\": null}}",
           "t.json#/platform/retry/interval", "would never let time pass");
    refuse("\"platform\": {\"start_rate\": {\"kind\": \"token_bucket\", \"n\": 1, \"window\": \"1s\", "
           "\"initial\": 2}}",
           "t.json#/platform/start_rate/initial", "initial 2 is more than burst 1");
}

static void test_senseless_values(void) {
    refuse("\"platform\": {\"account_concurrency\": 0}", "t.json#/platform/account_concurrency",
           "found a limit of 0, which lets nothing through; null switches it off");
    refuse("\"platform\": {\"start_rate\": {\"kind\": \"fixed\", \"n\": 0, \"window\": \"1s\"}}",
           "t.json#/platform/start_rate/n", "found a limit of 0");
    refuse("\"platform\": {\"start_rate\": {\"kind\": \"fixed\", \"n\": 5, \"window\": \"0s\"}}",
           "t.json#/platform/start_rate/window", "longer than 0");
    refuse("\"platform\": {\"gateway\": {\"rate\": 0}}", "t.json#/platform/gateway/rate",
           "found a rate of 0");
    refuse("\"functions\": [{\"name\": \"a\", \"concurrency\": 0}]", "t.json#/functions/0/concurrency",
           "found a limit of 0");
    refuse("\"functions\": [{\"name\": \"a\", \"timeout\": \"0s\"}]", "t.json#/functions/0/timeout",
           "lets no request finish");
    refuse("\"functions\": [{\"name\": \"a\", \"vcpu\": 0}]", "t.json#/functions/0/vcpu",
           "more than 0 vCPUs");
    refuse("\"functions\": [{\"memory_mb\": 128}]", "t.json#/functions/0", "key \"name\" is missing");
    refuse("\"functions\": [{\"name\": \"a\", \"cold_start_mode\": \"total\", \"cold_start\": {\"phases\": "
           "{}}}]",
           "t.json#/functions/0/cold_start", "phases cannot go with cold_start_mode");
    refuse("\"functions\": {}", "t.json#/functions", "expected an array of objects");
    refuse("\"policy\": 5", "t.json#/policy", "expected an object");
    refuse("\"run\": {\"seed\": -1}", "t.json#/run/seed", "whole number of at least 0");
    refuse("\"run\": {\"windows\": {\"every\": \"0s\"}}", "t.json#/run/windows/every", "longer than 0");
    refuse("\"billing\": 5", "t.json#/billing", "expected an array of price books");
}

#define VERSIONS(function, versions)                                                                         \
    "\"functions\": [{\"name\": \"a\"" function ", \"versions\": [" versions "]}]"
#define V1 "{\"name\": \"v1\", \"weight\": 1}, "

static void test_versions(void) {
    require(
        VERSIONS(", \"service\": \"5ms\", \"memory_mb\": 256, \"timeout\": \"9s\", \"provisioned\": 2,"
                 " \"reserved_concurrency\": 7, \"cold_start\": {\"phases\": {\"user\": \"1s\"}}",
                 "{\"name\": \"old\", \"weight\": [{\"at\": \"0s\", \"weight\": 9}, {\"at\": \"60s\", "
                 "\"weight\": 0}]},"
                 "{\"name\": \"new\", \"weight\": [{\"at\": \"30s\", \"weight\": 1}], \"service\": \"7ms\","
                 " \"cold_start\": \"2s\", \"provisioned\": [{\"at\": \"10s\", \"provisioned\": 3},"
                 " {\"at\": \"90s\", \"provisioned\": 0}]}"));
    const fsim_fn_spec *a = function("a"), *old = function("a:old"), *new = function("a:new");
    CHECK_EQ_INT(fsim_function_table_find(s->functions, "a:new"), 2);
    CHECK_EQ_INT(new->version_of, 0);
    CHECK(a->version == NULL && a->versions != NULL && old->versions == NULL);
    CHECK_EQ_INT(a->versions->count, 2);
    CHECK_EQ_STR(a->versions->names[1], "new");
    CHECK_EQ_STR(new->version, "new");
    /* What is not said is what the function says. */
    CHECK_EQ_INT(new->memory_mb, 256);
    CHECK_EQ_INT(new->timeout_ns, 9 * FSIM_SECOND);
    CHECK_EQ_INT(new->reserved_concurrency, 7);
    CHECK_EQ_INT(old->provisioned, 2);
    CHECK(old->cold_has_phases && !new->cold_has_phases);
    CHECK_NEAR(fsim_dist_mean_ns(&new->service), 7e6, 1);
    CHECK_NEAR(fsim_dist_mean_ns(&old->service), 5e6, 1);
    CHECK_NEAR(fsim_fn_cold_mean_s(new), 2, 1e-9);
    CHECK_EQ_INT(new->provisioned, 0);
    CHECK_EQ_INT(new->provisioned_step_count, 2);
    CHECK_EQ_INT(new->provisioned_steps[0].at_ns, 10 * FSIM_SECOND);
    CHECK_EQ_INT(new->provisioned_steps[0].count, 3);
    CHECK_EQ_INT(new->provisioned_steps[1].count, 0);
    /* 9:0 at first, 9:1 from 30 s on, 0:1 from 60 s on. */
    CHECK_EQ_INT(a->versions->segment_count, 3);
    CHECK_EQ_INT(fsim_versions_pick(a->versions, 0, 0.999999), 0);
    CHECK_EQ_INT(fsim_versions_pick(a->versions, 30 * FSIM_SECOND - 1, 0.999999), 0);
    CHECK_EQ_INT(fsim_versions_pick(a->versions, 30 * FSIM_SECOND, 0.899999), 0);
    CHECK_EQ_INT(fsim_versions_pick(a->versions, 30 * FSIM_SECOND, 0.900001), 1);
    CHECK_EQ_INT(fsim_versions_pick(a->versions, 60 * FSIM_SECOND, 0), 1);
    CHECK_EQ_INT(fsim_versions_pick(a->versions, 3600 * FSIM_SECOND, 0x1.fffffffffffffp-1), 1);
}

static void test_senseless_versions(void) {
    refuse(VERSIONS("", ""), "t.json#/functions/0/versions", "array of 1 to 256 versions");
    refuse(VERSIONS("", V1 "5"), "t.json#/functions/0/versions/1", "expected an object");
    refuse(VERSIONS("", V1 "{\"weight\": 1}"), "t.json#/functions/0/versions/1", "key \"name\" is missing");
    refuse(VERSIONS("", V1 "{\"name\": \"\"}"), "t.json#/functions/0/versions/1/name", "the version's name");
    refuse(VERSIONS("", V1 "{\"name\": \"v1\"}"), "t.json#/functions/0/versions/1/name",
           "version \"v1\" is declared twice");
    refuse(VERSIONS("", V1 "{\"name\": \"v2\", \"weight\": -1}"), "t.json#/functions/0/versions/1/weight",
           "found the number -1");
    refuse(VERSIONS("", "{\"name\": \"v1\", \"weight\": 0}, {\"name\": \"v2\", \"weight\": 0}"),
           "t.json#/functions/0/versions", "from 0s on the weights of all versions are 0");
    refuse(VERSIONS("", "{\"name\": \"v1\", \"weight\": [{\"at\": \"0s\", \"weight\": 1}, {\"at\": \"1m\", "
                        "\"weight\": 0}]}"),
           "t.json#/functions/0/versions", "from 60s on the weights of all versions are 0");
    refuse(VERSIONS("",
                    V1 "{\"name\": \"v2\", \"weight\": [{\"at\": \"2s\", \"weight\": 1}, {\"at\": \"2s\", "
                       "\"weight\": 0}]}"),
           "t.json#/functions/0/versions/1/weight/1/at", "not after the step in front of it");
    refuse(VERSIONS("", V1 "{\"name\": \"v2\", \"weight\": [{\"weight\": 1}]}"),
           "t.json#/functions/0/versions/1/weight/0", "key \"at\" is missing");
    refuse(VERSIONS("", V1 "{\"name\": \"v2\", \"weight\": []}"), "t.json#/functions/0/versions/1/weight",
           "at least one {\"at\", \"weight\"}");
    refuse(VERSIONS("", V1 "{\"name\": \"v2\", \"wieght\": 1}"), "t.json#/functions/0/versions/1/wieght",
           "did you mean \"weight\"");
    refuse(VERSIONS("", V1 "{\"name\": \"v2\", \"max_instances\": 3}"),
           "t.json#/functions/0/versions/1/max_instances", "holds for all versions together");
    refuse(VERSIONS(", \"max_instances\": 5", "{\"name\": \"v1\", \"provisioned\": 3}, {\"name\": \"v2\", "
                                              "\"provisioned\": [{\"at\": \"8s\", \"provisioned\": 3}]}"),
           "t.json#/functions/0/versions", "from 8s on 6 provisioned instances of all versions together");
    refuse("\"functions\": [{\"name\": \"*\", \"versions\": [{\"name\": \"v1\"}]}]",
           "t.json#/functions/0/versions", "declare the function");
    refuse("\"functions\": [{\"name\": \"a:v1\"}, {\"name\": \"a\", \"versions\": [{\"name\": \"v1\"}]}]",
           "t.json#/functions/1/versions", "what function \"a:v1\" is called already");
}

static void test_named_limits(void) {
    CHECK_EQ_INT(load("\"run\": {\"exceed\": {\"wait\": "
                      "[\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\","
                      "\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\"]}}"),
                 FSIM_ELIMIT);
    CHECK_EQ_STR(err.text, "17 elements, at most 16 are possible");
}

/* ---- files ---- */

static char directory[] = P_tmpdir "/fsim-scenario-XXXXXX";

static const char *write_file(const char *name, const char *text) {
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    REQUIRE(file != NULL);
    fputs(text, file);
    fclose(file);
    return path;
}

static void require_file(const char *workload, const char *policy, const char *functions) {
    const fsim_load_options options = {.workload = workload, .policy = policy, .functions_file = functions};
    drop();
    fsim_status status = fsim_scenario_load(&s, &options, &err);
    if (status != FSIM_OK) {
        printf("%s: %s\n", err.place, err.text);
    }
    REQUIRE(status == FSIM_OK);
}

static void test_files(void) {
    const char *workload = write_file("steady.json", "{\"source\": \"poisson\", \"rate\": 3}");
    const char *policy =
        write_file("mine.json", "{\"policy\": {\"bundle\": \"scf\", \"keepalive\": \"none\"}}");
    const char *functions =
        write_file("functions.json", "[{\"name\": \"a\"}, {\"name\": \"b\", \"service\": \"1s\"}]");
    require_file(workload, policy, functions);
    CHECK_EQ_STR(s->name, "steady");
    CHECK_EQ_STR(s->bundle, "mine");
    CHECK_EQ_STR(s->keepalive->info.name, "none");
    CHECK_EQ_INT(s->memory_quota_mb, 128000);
    CHECK_EQ_STR(s->base_dir, directory);
    CHECK_EQ_INT(fsim_function_table_count(s->functions), 2);
    CHECK(function("b")->has_service);
}

static void test_bundle_file(void) {
    const char *workload = write_file("steady.json", "{\"source\": \"poisson\", \"rate\": 3}");
    const char *bundle =
        write_file("own.json", "{\"schema\": \"fsim.bundle/1\", \"name\": \"own\","
                               " \"policy\": {\"scaling\": \"fixed\", \"keepalive\": \"none\","
                               " \"routing\": \"random\"}, \"function_defaults\": {\"vcpu\": 3}}");
    require_file(workload, bundle, NULL);
    CHECK_NEAR(function("fn")->vcpu, 3, 0);
    const fsim_load_options bad = {
        .workload = workload,
        .policy = write_file("bad.json", "{\"schema\": \"fsim.bundle/1\", \"polcy\": {}}")};
    drop();
    CHECK_EQ_INT(fsim_scenario_load(&s, &bad, &err), FSIM_ECONFIG);
    CHECK_CONTAINS(err.text, "did you mean \"policy\"?");
}

static void test_profile(void) {
    static const char scenario[] =
        "{\"schema\": \"fsim.scenario/1\", \"workload\": {\"source\": \"poisson\", \"rate\": 3},"
        " \"functions\": [{\"name\": \"a\", \"cold_start\": {\"profile\": \"p.json\"}}]}";
    write_file("p.json",
               "{\"schema\": \"fsim.profile/1\", \"fit\": {\"cold_start\": {\"dist\": \"lognormal\","
               " \"parameters\": {\"mean\": \"22us\", \"cv\": 0.5}, \"ks\": 0.02, \"aic\": 1}}}");
    require_file(write_file("s.json", scenario), "lambda", NULL);
    CHECK_NEAR(fsim_dist_mean_ns(&function("a")->cold_start), 22000, 1);
    /* A fit that is far off gives way to the quantiles, unless it is asked for. */
    static const char off[] =
        "{\"schema\": \"fsim.profile/1\", \"fit\": {\"cold_start\": {\"dist\": \"lognormal\","
        " \"parameters\": {\"mean\": \"22us\", \"cv\": 0.5}, \"ks\": %s}},"
        " \"quantiles\": {\"cold_start\": {\"values\": [\"1us\", \"3us\"]}}}";
    char text[512];
    snprintf(text, sizeof text, off, "0.101");
    write_file("p.json", text);
    require_file(write_file("s.json", scenario), "lambda", NULL);
    CHECK_NEAR(fsim_dist_mean_ns(&function("a")->cold_start), 2000, 1);
    snprintf(text, sizeof text, off, "0.1");
    write_file("p.json", text);
    require_file(write_file("s.json", scenario), "lambda", NULL);
    CHECK_NEAR(fsim_dist_mean_ns(&function("a")->cold_start), 22000, 1);
    write_file("p.json", "{\"schema\": \"fsim.profile/1\"}");
    const fsim_load_options options = {.workload = write_file("s.json", scenario)};
    drop();
    CHECK_EQ_INT(fsim_scenario_load(&s, &options, &err), FSIM_ECONFIG);
    CHECK_CONTAINS(err.text, "no fit or quantiles of cold_start");
}

/* Every built-in workload loads under every bundle. */
static void test_builtin_workloads(void) {
    for (const fsim_embedded *w = fsim_embedded_workloads; w->name != NULL; w++) {
        for (const fsim_embedded *b = fsim_embedded_bundles; b->name != NULL && strchr(w->name, '.') == NULL;
             b++) {
            check_context("%s under %s", w->name, b->name);
            require_file(w->name, b->name, NULL);
        }
    }
}

int main(void) {
    RUN(test_example_of_the_contract);
    RUN(test_every_key_of_a_function);
    RUN(test_every_key_of_the_platform);
    RUN(test_retries_have_an_end_unless_told);
    RUN(test_every_key_of_the_run);
    RUN(test_billing_as_a_list_in_words);
    RUN(test_limits_switched_off);
    RUN(test_queue_depends_on_the_binding);
    RUN(test_layers_and_origins);
    RUN(test_settings_inside_of_null);
    RUN(test_template);
    RUN(test_another_policy_drops_the_parameters);
    RUN(test_policy_option);
    RUN(test_default_bundle_is_knative);
    RUN(test_explain);
    RUN(test_schema);
    RUN(test_unknown_keys);
    RUN(test_unknown_names);
    RUN(test_contradictions);
    RUN(test_senseless_values);
    RUN(test_versions);
    RUN(test_senseless_versions);
    RUN(test_named_limits);
    if (mkdtemp(directory) == NULL) {
        return 1;
    }
    RUN(test_files);
    RUN(test_bundle_file);
    RUN(test_profile);
    RUN(test_builtin_workloads);
    drop();
    return check_done();
}
