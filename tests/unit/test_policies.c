/* What every policy and every bundle must keep, and what the single ones decide. */
#include "api/registry.h"
#include "io/embedded.h"
#include "io/json_reader.h"
#include "io/scenario_load.h"

#include "support/check.h"

#include <dirent.h>

static fsim_value_pool *pool;
static fsim_error err;

/* ---- all of them ---- */

typedef struct kind {
    const char *word;
    const fsim_policy_info *(*info)(size_t i);
} kind;

#define INFO_OF(word)                                                                                        \
    static const fsim_policy_info *word##_info(size_t i) {                                                   \
        return fsim_##word##_registry[i] == NULL ? NULL : &fsim_##word##_registry[i]->info;                  \
    }
INFO_OF(scaling)
INFO_OF(keepalive)
INFO_OF(routing)
INFO_OF(admission)
INFO_OF(provisioned)

static const kind kinds[] = {{"scaling", scaling_info},
                             {"keepalive", keepalive_info},
                             {"routing", routing_info},
                             {"admission", admission_info},
                             {"provisioned", provisioned_info}};
#define KINDS (sizeof kinds / sizeof kinds[0])

static bool is_word(const char *text) {
    for (; *text != '\0'; text++) {
        if (!((*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9') || *text == '_')) {
            return false;
        }
    }
    return true;
}

/* One line for people: something is said, it is no sentence with a full stop, and it fits a line of help. */
static void check_line(const char *text) {
    REQUIRE(text != NULL);
    size_t len = strlen(text);
    CHECK(len >= 10 && len <= 120);
    CHECK(len > 0 && text[len - 1] != '.');
}

static size_t count_files(const char *word) {
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof path, "policies/%s", word);
    DIR *directory = opendir(path);
    REQUIRE(directory != NULL);
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        size_t len = strlen(entry->d_name);
        count += len > 2 && strcmp(entry->d_name + len - 2, ".c") == 0;
    }
    closedir(directory);
    return count;
}

static void test_names_are_file_names(void) {
    for (size_t k = 0; k < KINDS; k++) {
        size_t n = 0;
        for (; kinds[k].info(n) != NULL; n++) {
            char path[128];
            const char *name = kinds[k].info(n)->name;
            check_context("%s %s", kinds[k].word, name);
            snprintf(path, sizeof path, "policies/%s/%s.c", kinds[k].word, name);
            FILE *file = fopen(path, "r");
            CHECK(file != NULL);
            if (file != NULL) {
                fclose(file);
            }
            CHECK(is_word(name));
            CHECK(n == 0 || strcmp(kinds[k].info(n - 1)->name, name) < 0);
        }
        CHECK_EQ_INT(n, count_files(kinds[k].word));
    }
}

static void check_row(const fsim_param *row) {
    CHECK(is_word(row->name));
    CHECK(row->help != NULL && strlen(row->help) >= 10);
    CHECK(row->help == NULL || row->help[strlen(row->help) - 1] != '.');
    CHECK(row->min <= row->max);
    CHECK((row->kind == FSIM_PARAM_CHOICE) == (row->choices != NULL));
    /* A number without a unit says nothing; spans carry theirs. */
    bool number = row->kind == FSIM_PARAM_COUNT || row->kind == FSIM_PARAM_REAL;
    CHECK(!number || row->unit != NULL);
}

static void test_information_is_complete(void) {
    for (size_t k = 0; k < KINDS; k++) {
        for (size_t i = 0; kinds[k].info(i) != NULL; i++) {
            const fsim_policy_info *info = kinds[k].info(i);
            check_context("%s %s", kinds[k].word, info->name);
            check_line(info->summary);
            CHECK(info->source != NULL && strlen(info->source) >= 10);
            REQUIRE(info->params != NULL);
            for (const fsim_param *row = info->params; row->name != NULL; row++) {
                check_context("%s %s.%s", kinds[k].word, info->name, row->name);
                check_row(row);
                for (const fsim_param *other = info->params; other != row; other++) {
                    CHECK(strcmp(other->name, row->name) != 0);
                }
            }
        }
    }
}

static void *defaults_of(const fsim_policy_info *info) {
    void *params = fsim_value_pool_alloc(pool, info->params_size + 1);
    err = (fsim_error){0};
    if (fsim_params_read(params, info->params, pool, NULL, NULL, &err) != FSIM_OK) {
        printf("%s\n", err.text);
        REQUIRE(false);
    }
    return params;
}

static void test_defaults_are_valid(void) {
    for (size_t k = 0; k < KINDS; k++) {
        for (size_t i = 0; kinds[k].info(i) != NULL; i++) {
            const fsim_policy_info *info = kinds[k].info(i);
            check_context("%s %s", kinds[k].word, info->name);
            const void *params = defaults_of(info);
            CHECK(info->check == NULL || info->check(params, &err) == FSIM_OK);
        }
    }
}

static fsim_fn_spec function_of(uint32_t concurrency) {
    return (fsim_fn_spec){.name = "fn",
                          .memory_mb = 256,
                          .vcpu = 1,
                          .concurrency = concurrency,
                          .max_instances = FSIM_UNLIMITED,
                          .reserved_concurrency = FSIM_UNLIMITED,
                          .timeout_ns = FSIM_NEVER};
}

static const uint32_t concurrencies[] = {1, 3, 4, 100, 1000, FSIM_UNLIMITED - 1, FSIM_UNLIMITED};

/* Plans are within what the engine carries out, whatever the function. */
static void test_plans_are_sane(void) {
    for (size_t c = 0; c < sizeof concurrencies / sizeof concurrencies[0]; c++) {
        fsim_fn_spec fn = function_of(concurrencies[c]);
        for (size_t i = 0; fsim_routing_registry[i] != NULL; i++) {
            const fsim_routing_ops *ops = fsim_routing_registry[i];
            check_context("routing %s", ops->info.name);
            CHECK(ops->init(defaults_of(&ops->info), &fn) <= FSIM_ROUTE_TWO_CHOICES);
        }
        for (size_t i = 0; fsim_keepalive_registry[i] != NULL; i++) {
            const fsim_keepalive_ops *ops = fsim_keepalive_registry[i];
            fsim_keepalive_plan plan;
            memset(&plan, 0xff, sizeof plan);
            check_context("keepalive %s", ops->info.name);
            ops->init(defaults_of(&ops->info), &fn, &plan);
            CHECK(plan.prewarm_ns >= 0 && plan.pool_mb > 0);
            CHECK(plan.window.kind != FSIM_DIST_CONSTANT || plan.window.constant_ns >= 0);
            CHECK(ops->rank != NULL || plan.pool_mb == INT64_MAX);
        }
        for (size_t i = 0; fsim_admission_registry[i] != NULL; i++) {
            const fsim_admission_ops *ops = fsim_admission_registry[i];
            fsim_admit_plan plan;
            memset(&plan, 0xff, sizeof plan);
            check_context("admission %s", ops->info.name);
            ops->init(defaults_of(&ops->info), &fn, &plan);
            CHECK(plan.in_system_max > 0 && plan.rate_per_s >= 0);
            CHECK(plan.rate_per_s <= 0 || plan.burst >= 1);
        }
        for (size_t i = 0; fsim_scaling_registry[i] != NULL; i++) {
            const fsim_scaling_ops *ops = fsim_scaling_registry[i];
            const void *params = defaults_of(&ops->info);
            size_t size = ops->state_size == NULL ? 0 : ops->state_size(params);
            fsim_scale_plan plan;
            memset(&plan, 0xff, sizeof plan);
            check_context("scaling %s", ops->info.name);
            ops->init(fsim_value_pool_alloc(pool, size + 1), params, &fn, &plan);
            CHECK(plan.sample_ns >= 0 && plan.tick_ns >= 0);
            CHECK(plan.tick_ns == 0 || ops->tick != NULL);
            CHECK(plan.sample_ns == 0 || ops->sample != NULL);
            CHECK(plan.on_demand || plan.fixed || plan.tick_ns > 0);
        }
        fn.provisioned = 7;
        fn.max_instances = 20;
        for (size_t i = 0; fsim_provisioned_registry[i] != NULL; i++) {
            const fsim_provisioned_ops *ops = fsim_provisioned_registry[i];
            const void *params = defaults_of(&ops->info);
            size_t size = ops->state_size == NULL ? 0 : ops->state_size(params);
            fsim_scale_plan plan;
            memset(&plan, 0xff, sizeof plan);
            check_context("provisioned %s", ops->info.name);
            ops->init(fsim_value_pool_alloc(pool, size + 1), params, &fn, &plan);
            CHECK_EQ_INT(plan.initial, 7);
            CHECK(plan.tick_ns == 0 ? plan.fixed : ops->tick != NULL);
            CHECK(plan.sample_ns == 0 && !plan.wants_cpu && !plan.wants_instances);
        }
    }
}

/* ---- bundles ---- */

/* Is there a line for this path or for what it is a part of? The sections themselves are too wide to be a
 * source of anything. */
static bool has_source(const fsim_value *sources, const char *path) {
    char key[256];
    snprintf(key, sizeof key, "%s", path);
    while (strchr(key, '.') != NULL) {
        const fsim_value *line = fsim_value_peek(sources, key);
        if (line != NULL) {
            return line->kind == FSIM_VALUE_STRING && strlen(line->string) >= 10;
        }
        *strrchr(key, '.') = '\0';
    }
    return false;
}

static void check_leaves(const fsim_value *value, const char *path, const fsim_value *sources) {
    char below[256];
    for (const fsim_value *child = value->first; child != NULL; child = child->next) {
        snprintf(below, sizeof below, "%s.%s", path, child->key == NULL ? "" : child->key);
        check_leaves(child, below, sources);
    }
    if (value->first == NULL && !has_source(sources, path)) {
        check_fail(__FILE__, __LINE__, "no source for %s", path);
    }
}

static void test_bundles_cite_every_default(void) {
    static const char *const sections[] = {"policy", "platform", "function_defaults"};
    for (const fsim_embedded *e = fsim_embedded_bundles; e->name != NULL; e++) {
        fsim_value *root;
        check_context("bundle %s", e->name);
        REQUIRE(fsim_json_read_text(pool, e->text, e->name, &root, &err) == FSIM_OK);
        CHECK_EQ_STR(fsim_value_at(root, "schema")->string, "fsim.bundle/1");
        CHECK_EQ_STR(fsim_value_at(root, "name")->string, e->name);
        check_line(fsim_value_at(root, "summary")->string);
        const fsim_value *sources = fsim_value_get(root, "sources");
        REQUIRE(sources != NULL);
        for (size_t i = 0; i < 3; i++) {
            const fsim_value *section = fsim_value_get(root, sections[i]);
            if (section != NULL) {
                check_leaves(section, sections[i], sources);
            }
        }
        for (const fsim_value *line = sources->first; line != NULL; line = line->next) {
            if (fsim_value_at(root, line->key) == NULL) {
                check_fail(__FILE__, __LINE__, "the source of %s is that of nothing", line->key);
            }
        }
    }
}

static void test_bundles_load(void) {
    for (const fsim_embedded *e = fsim_embedded_bundles; e->name != NULL; e++) {
        fsim_scenario *scenario = NULL;
        const fsim_load_options options = {.workload = "trace.csv", .policy = e->name};
        check_context("bundle %s", e->name);
        err = (fsim_error){0};
        fsim_status status = fsim_scenario_load(&scenario, &options, &err);
        if (status != FSIM_OK) {
            check_fail(__FILE__, __LINE__, "%s: %s", err.place, err.text);
        }
        fsim_scenario_destroy(scenario);
    }
}

/* ---- single ones ---- */

/* A policy with the given parameters, "key=value" each; NULL ends them. */
static void *params_of(const fsim_policy_info *info, const char *const *settings) {
    fsim_value *object = fsim_value_new(pool, FSIM_VALUE_OBJECT, "test");
    void *params = fsim_value_pool_alloc(pool, info->params_size + 1);
    err = (fsim_error){0};
    for (; *settings != NULL; settings++) {
        char key[64];
        snprintf(key, sizeof key, "%.*s", (int)strcspn(*settings, "="), *settings);
        REQUIRE(fsim_value_set(pool, object, key, strchr(*settings, '=') + 1, "test", &err) == FSIM_OK);
    }
    if (fsim_params_read(params, info->params, pool, object, NULL, &err) != FSIM_OK) {
        printf("%s\n", err.text);
        REQUIRE(false);
    }
    return params;
}

#define PARAMS(ops, ...) params_of(&(ops)->info, (const char *const[]){__VA_ARGS__, NULL})

#define FIND(word)                                                                                           \
    static const fsim_##word##_ops *find_##word(const char *name) {                                          \
        size_t i = 0;                                                                                        \
        while (fsim_##word##_registry[i] != NULL && strcmp(fsim_##word##_registry[i]->info.name, name) != 0) \
            i++;                                                                                             \
        REQUIRE(fsim_##word##_registry[i] != NULL);                                                          \
        return fsim_##word##_registry[i];                                                                    \
    }
FIND(scaling)
FIND(keepalive)
FIND(routing)
FIND(admission)

static void test_knative_routing_depends_on_concurrency(void) {
    static const struct {
        uint32_t concurrency;
        fsim_route_order order;
    } cases[] = {{1, FSIM_ROUTE_OLDEST_CREATED},
                 {3, FSIM_ROUTE_OLDEST_CREATED},
                 {4, FSIM_ROUTE_ROUND_ROBIN},
                 {100, FSIM_ROUTE_ROUND_ROBIN},
                 {FSIM_UNLIMITED, FSIM_ROUTE_TWO_CHOICES}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fsim_fn_spec fn = function_of(cases[i].concurrency);
        check_context("concurrency %u", cases[i].concurrency);
        CHECK_EQ_INT(find_routing("knative")->init(NULL, &fn), cases[i].order);
    }
}

static void test_ranks(void) {
    const fsim_use_view use = {.now_ns = 5 * FSIM_SECOND,
                               .cold_start_s = 4,
                               .memory_mb = 256,
                               .frequency = 3,
                               .instances = 2,
                               .clock = 0.5};
    const fsim_keepalive_ops *dual = find_keepalive("greedy_dual"), *lru = find_keepalive("lru");
    CHECK_NEAR(dual->rank(&use), 0.5 + 3.0 * 4.0 / 256.0, 1e-12);
    CHECK(dual->rank_is_of_function && !lru->rank_is_of_function);
    fsim_use_view later = use;
    later.now_ns++;
    CHECK(lru->rank(&use) < lru->rank(&later));
    fsim_keepalive_plan plan;
    fsim_fn_spec fn = function_of(1);
    lru->init(PARAMS(lru, "memory=3GB"), &fn, &plan);
    CHECK_EQ_INT(plan.pool_mb, 3072);
    CHECK_EQ_INT(plan.window.constant_ns, FSIM_NEVER);
}

static void test_admission_plans(void) {
    const fsim_admission_ops *bucket = find_admission("token_bucket"),
                             *cap = find_admission("concurrency_cap");
    fsim_fn_spec fn = function_of(1);
    fsim_admit_plan plan;
    bucket->init(PARAMS(bucket, "rate=0.5"), &fn, &plan);
    CHECK_NEAR(plan.rate_per_s, 0.5, 0);
    CHECK_NEAR(plan.burst, 1, 0);
    bucket->init(PARAMS(bucket, "rate=50", "burst=7"), &fn, &plan);
    CHECK_NEAR(plan.burst, 7, 0);
    CHECK_EQ_INT(plan.in_system_max, FSIM_UNLIMITED);
    cap->init(PARAMS(cap, "limit=9"), &fn, &plan);
    CHECK_EQ_INT(plan.in_system_max, 9);
    CHECK_NEAR(plan.rate_per_s, 0, 0);
}

static void test_fixed_fleet(void) {
    const fsim_scaling_ops *fixed = find_scaling("fixed");
    fsim_fn_spec fn = function_of(1);
    fsim_scale_plan plan;
    fn.min_instances = 12;
    fixed->init(NULL, PARAMS(fixed, "instances=4"), &fn, &plan);
    CHECK_EQ_INT(plan.initial, 4);
    CHECK(plan.fixed && !plan.on_demand);
    fixed->init(NULL, PARAMS(fixed, "instances=null"), &fn, &plan);
    CHECK_EQ_INT(plan.initial, 12);
    fixed->init(NULL, PARAMS(fixed, "instances=peak"), &fn, &plan);
    CHECK_EQ_INT(plan.initial, FSIM_UNLIMITED);
}

/* ---- the Knative autoscaler, fed by hand ---- */

typedef struct kpa_rig {
    const fsim_scaling_ops *ops;
    void *state, *params;
    size_t size;
    fsim_scale_plan plan;
    fsim_rng rng;
    fsim_scale_view view;
    fsim_scale_decision decision;
} kpa_rig;

static kpa_rig kpa_start(void *params, uint32_t concurrency) {
    kpa_rig rig = {.ops = find_scaling("knative_kpa"), .params = params};
    fsim_fn_spec fn = function_of(concurrency);
    rig.size = rig.ops->state_size(params);
    rig.state = fsim_value_pool_alloc(pool, rig.size);
    rig.ops->init(rig.state, params, &fn, &rig.plan);
    fsim_rng_seed(&rig.rng, 1, "fn", FSIM_RNG_SCALING);
    rig.view = (fsim_scale_view){.ready = rig.plan.initial, .wanted = rig.plan.initial};
    return rig;
}

static void kpa_sample(kpa_rig *rig, fsim_ns now_ns, const fsim_instance_sample *pods, uint32_t count,
                       double activator) {
    const fsim_scale_sample sample = {.now_ns = now_ns,
                                      .elapsed_ns = FSIM_SECOND,
                                      .instances = pods,
                                      .count = count,
                                      .activator_concurrency = activator,
                                      .activator_requests = activator};
    rig->ops->sample(rig->state, rig->params, &sample, &rig->rng);
}

/* Decides; the fleet follows at once. The state is moved first, as an engine that grows its arrays does. */
static uint32_t kpa_tick(kpa_rig *rig, fsim_ns now_ns) {
    void *moved = fsim_value_pool_alloc(pool, rig->size);
    memcpy(moved, rig->state, rig->size);
    memset(rig->state, 0xff, rig->size);
    rig->state = moved;
    rig->view.now_ns = now_ns;
    rig->decision = (fsim_scale_decision){.want = rig->view.wanted};
    rig->ops->tick(rig->state, rig->params, &rig->view, true, &rig->decision);
    rig->view.wanted = rig->view.ready = rig->decision.want;
    return rig->decision.want;
}

/* Idle pods, one sample a second and a tick every two, until the count changes; returns when. */
static fsim_ns kpa_idle(kpa_rig *rig, fsim_ns now_ns) {
    static const fsim_instance_sample idle[8];
    uint32_t before = rig->view.wanted;
    for (int s = 1; s < 400; s++) {
        now_ns += FSIM_SECOND;
        kpa_sample(rig, now_ns, idle, rig->view.ready, 0);
        if (s % 2 == 0 && kpa_tick(rig, now_ns) != before) {
            return now_ns;
        }
    }
    return FSIM_NEVER;
}

static void test_kpa_plan(void) {
    const fsim_scaling_ops *ops = find_scaling("knative_kpa");
    kpa_rig rig = kpa_start(PARAMS(ops, "initial_scale=3"), 10);
    CHECK_EQ_INT(rig.plan.sample_ns, FSIM_SECOND);
    CHECK_EQ_INT(rig.plan.tick_ns, 2 * FSIM_SECOND);
    CHECK_EQ_INT(rig.plan.initial, 3);
    CHECK_EQ_INT(rig.plan.local_queue, 100);
    CHECK(rig.plan.activator && !rig.plan.on_demand);
    CHECK_EQ_INT(kpa_start(PARAMS(ops, "min_scale=5"), FSIM_UNLIMITED).plan.initial, 5);
    CHECK_EQ_INT(kpa_start(PARAMS(ops, "min_scale=5"), FSIM_UNLIMITED).plan.local_queue, 0);
}

/* 60 s of the stable window, inactive at the tick then, gone at the next: the activator has been in the path
 * all the time. */
static void test_kpa_goes_to_zero_and_back(void) {
    const fsim_scaling_ops *ops = find_scaling("knative_kpa");
    kpa_rig rig = kpa_start(PARAMS(ops, "metric=concurrency"), FSIM_UNLIMITED);
    CHECK_EQ_INT(kpa_idle(&rig, 0), 62 * FSIM_SECOND);
    CHECK_EQ_INT(rig.decision.want, 0);
    CHECK_EQ_STR(rig.decision.mode, "zero");
    CHECK(!rig.decision.direct);
    CHECK_EQ_INT(kpa_tick(&rig, 64 * FSIM_SECOND), 0);
    CHECK(rig.decision.sleep);
    /* The first request is reported at once and decided upon at once; the second brings nothing new. */
    CHECK(ops->poke(rig.state, rig.params, 500 * FSIM_SECOND));
    CHECK(!ops->poke(rig.state, rig.params, 500 * FSIM_SECOND));
    CHECK_EQ_INT(kpa_tick(&rig, 500 * FSIM_SECOND), 1);
    CHECK(!rig.decision.sleep);
}

static void test_kpa_keeps_what_it_is_told_to(void) {
    const fsim_scaling_ops *ops = find_scaling("knative_kpa");
    kpa_rig rig = kpa_start(PARAMS(ops, "enable_scale_to_zero=false"), FSIM_UNLIMITED);
    CHECK_EQ_INT(kpa_idle(&rig, 0), FSIM_NEVER);
    rig = kpa_start(PARAMS(ops, "min_scale=2"), FSIM_UNLIMITED);
    CHECK_EQ_INT(kpa_idle(&rig, 0), FSIM_NEVER);
    rig = kpa_start(PARAMS(ops, "scale_to_zero_pod_retention_period=100s"), FSIM_UNLIMITED);
    CHECK_EQ_INT(kpa_idle(&rig, 0), 160 * FSIM_SECOND);
}

/* 700 requests through the activator against a target of 70: ten pods, in panic; then direct, with room for a
 * burst. */
static void test_kpa_panics(void) {
    static const fsim_instance_sample busy[10];
    const fsim_scaling_ops *ops = find_scaling("knative_kpa");
    kpa_rig rig = kpa_start(PARAMS(ops, "metric=concurrency"), FSIM_UNLIMITED);
    kpa_sample(&rig, FSIM_SECOND, busy, 1, 700);
    CHECK_EQ_INT(kpa_tick(&rig, 2 * FSIM_SECOND), 10);
    CHECK_EQ_STR(rig.decision.mode, "panic");
    CHECK_CONTAINS(rig.decision.reason, "panic: 10 wanted, 1 ready");
    CHECK(!rig.decision.direct);
    /* Next to nothing arrives: in panic the count does not fall, and the excess burst capacity of 10 x 100 -
     * 211 is free. */
    for (int s = 3; s <= 10; s++) {
        kpa_sample(&rig, s * FSIM_SECOND, busy, 10, 0);
    }
    CHECK_EQ_INT(kpa_tick(&rig, 10 * FSIM_SECOND), 10);
    CHECK(rig.decision.direct);
}

/* Old pods are asked first; the mean of the sample stands for all; what came through the activator is not
 * counted twice. */
static void test_kpa_samples_pods(void) {
    fsim_instance_sample pods[100];
    const fsim_scaling_ops *ops = find_scaling("knative_kpa");
    static const struct {
        uint32_t old;
        double own, proxied, young;
        uint32_t want;
    } cases[] = {{100, 7, 0, 7, 700},
                 {100, 7, 2, 7, 500},
                 {50, 1, 0, 9, 100},
                 {5, 1, 0, 9, 615} /* (5 x 1 + 9 x 9) / 14 x 100 = 614.3 */};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        kpa_rig rig = kpa_start(PARAMS(ops, "target=1", "target_percentage=100"), FSIM_UNLIMITED);
        for (uint32_t i = 0; i < 100; i++) {
            bool old = i < cases[c].old;
            pods[i] = (fsim_instance_sample){.age_ns = (old ? 61 : 60) * FSIM_SECOND,
                                             .concurrency = old ? cases[c].own : cases[c].young,
                                             .proxied_concurrency = cases[c].proxied};
        }
        check_context("case %zu", c);
        kpa_sample(&rig, FSIM_SECOND, pods, 100, 0);
        rig.view.ready = rig.view.wanted = 100;
        CHECK_EQ_INT(kpa_tick(&rig, 2 * FSIM_SECOND), cases[c].want);
    }
}

static void test_kpa_by_requests_per_second(void) {
    const fsim_instance_sample pod = {.requests_per_s = 1400, .concurrency = 1};
    const fsim_scaling_ops *ops = find_scaling("knative_kpa");
    kpa_rig rig = kpa_start(PARAMS(ops, "metric=rps"), FSIM_UNLIMITED);
    kpa_sample(&rig, FSIM_SECOND, &pod, 1, 0);
    CHECK_EQ_INT(kpa_tick(&rig, 2 * FSIM_SECOND), 10); /* 200 x 0.7 = 140 a pod */
}

static void test_kpa_refuses_contradictions(void) {
    const fsim_policy_info *info = &find_scaling("knative_kpa")->info;
    static const char *const bad[] = {"initial_scale=0", "stable_window=6500ms", "max_scale_up_rate=1",
                                      "target_burst_capacity=-0.5"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        check_context("%s", bad[i]);
        err = (fsim_error){0};
        CHECK_EQ_INT(info->check(params_of(info, (const char *const[]){bad[i], NULL}), &err), FSIM_ECONFIG);
    }
}

/* ---- the example of the manual ---- */

extern const fsim_keepalive_ops fsim_keepalive_by_memory; /* tests/support/example_policy.c */

static void test_example(void) {
    const fsim_keepalive_ops *ops = &fsim_keepalive_by_memory;
    fsim_fn_spec fn = function_of(1); /* 256 MB */
    fsim_keepalive_plan plan;
    ops->init(defaults_of(&ops->info), &fn, &plan);
    CHECK_EQ_INT(plan.window.constant_ns, 300 * FSIM_SECOND);
    fn.memory_mb = 1;
    ops->init(defaults_of(&ops->info), &fn, &plan);
    CHECK_EQ_INT(plan.window.constant_ns, FSIM_HOUR);
}

/* What the manual prints is what was compiled. */
static void test_example_is_in_the_manual(void) {
    char *example = NULL, *manual = NULL;
    size_t size;
    FILE *file = fopen("tests/support/example_policy.c", "r");
    REQUIRE(file != NULL);
    REQUIRE(getdelim(&example, &size, '\0', file) > 0);
    fclose(file);
    size = 0;
    file = fopen("policies/README.md", "r");
    REQUIRE(file != NULL);
    REQUIRE(getdelim(&manual, &size, '\0', file) > 0);
    fclose(file);
    CHECK(strstr(manual, example) != NULL);
    for (size_t k = 0; k < KINDS; k++) {
        for (size_t i = 0; kinds[k].info(i) != NULL; i++) {
            char cell[128];
            snprintf(cell, sizeof cell, "| `%s` |", kinds[k].info(i)->name);
            CHECK_CONTAINS(manual, cell);
        }
    }
    free(example);
    free(manual);
}

int main(void) {
    pool = fsim_value_pool_create();
    RUN(test_names_are_file_names);
    RUN(test_information_is_complete);
    RUN(test_defaults_are_valid);
    RUN(test_plans_are_sane);
    RUN(test_bundles_cite_every_default);
    RUN(test_bundles_load);
    RUN(test_knative_routing_depends_on_concurrency);
    RUN(test_ranks);
    RUN(test_admission_plans);
    RUN(test_fixed_fleet);
    RUN(test_kpa_plan);
    RUN(test_kpa_goes_to_zero_and_back);
    RUN(test_kpa_keeps_what_it_is_told_to);
    RUN(test_kpa_panics);
    RUN(test_kpa_samples_pods);
    RUN(test_kpa_by_requests_per_second);
    RUN(test_kpa_refuses_contradictions);
    RUN(test_example);
    RUN(test_example_is_in_the_manual);
    fsim_value_pool_destroy(pool);
    return check_done();
}
