/* What holds in every run, on random scenarios with everything on that draws: parts add up to wholes, the
 * same seed gives the same bytes whatever the number of threads and however the input is sliced, and what one
 * run reports in two ways agrees. */
#include "oracle/random_scenario.h"
#include "support/check.h"
#include "support/same_result.h"

#define SCENARIOS 400u

/* ---- parts and wholes ---- */

static void add_scope(fsim_scope *sum, const fsim_scope *s) {
    sum->n.arrived += s->n.arrived;
    sum->n.completed += s->n.completed;
    sum->n.rejected_429 += s->n.rejected_429;
    sum->n.rejected_503 += s->n.rejected_503;
    sum->n.timed_out += s->n.timed_out;
    sum->n.failed += s->n.failed;
    sum->n.in_system_at_end += s->n.in_system_at_end;
    sum->n.retries += s->n.retries;
    sum->n.cold_triggered += s->n.cold_triggered;
    sum->n.cold_affected += s->n.cold_affected;
    sum->n.started += s->n.started;
    sum->n.removed += s->n.removed;
    sum->latency.sum_ns += s->latency.sum_ns;
    sum->wait.sum_ns += s->wait.sum_ns;
    sum->service.sum_ns += s->service.sum_ns;
    sum->in_execution_ns += s->in_execution_ns;
    sum->starting_ns += s->starting_ns;
    sum->busy_ns += s->busy_ns;
    sum->idle_ns += s->idle_ns;
    sum->slot_ns += s->slot_ns;
    sum->queue_ns += s->queue_ns;
}

static void check_sums(const fsim_result *r) {
    fsim_scope sum = {0};
    for (uint32_t i = 0; i < r->function_count; i++) {
        if (fsim_function_table_get(r->functions, i)->versions == NULL) { /* else its versions are there */
            add_scope(&sum, &r->per_function[i]);
        }
        CHECK(r->per_function[i].in_execution_peak <= r->total.in_execution_peak);
        CHECK(r->per_function[i].instances_peak <= r->total.instances_peak);
    }
    const fsim_scope *t = &r->total;
    CHECK_EQ_INT(sum.n.arrived, t->n.arrived);
    CHECK_EQ_INT(sum.n.completed, t->n.completed);
    CHECK_EQ_INT(sum.n.rejected_429, t->n.rejected_429);
    CHECK_EQ_INT(sum.n.rejected_503, t->n.rejected_503);
    CHECK_EQ_INT(sum.n.timed_out, t->n.timed_out);
    CHECK_EQ_INT(sum.n.in_system_at_end, t->n.in_system_at_end);
    CHECK_EQ_INT(sum.n.retries, t->n.retries);
    CHECK_EQ_INT(sum.n.cold_triggered, t->n.cold_triggered);
    CHECK_EQ_INT(sum.n.cold_affected, t->n.cold_affected);
    CHECK_EQ_INT(sum.n.started, t->n.started);
    CHECK_EQ_INT(sum.n.removed, t->n.removed);
    CHECK(sum.latency.sum_ns == t->latency.sum_ns);
    CHECK(sum.wait.sum_ns == t->wait.sum_ns);
    CHECK(sum.service.sum_ns == t->service.sum_ns);
    CHECK(sum.in_execution_ns == t->in_execution_ns);
    CHECK(sum.starting_ns == t->starting_ns);
    CHECK(sum.busy_ns == t->busy_ns);
    CHECK(sum.idle_ns == t->idle_ns);
    CHECK(sum.slot_ns == t->slot_ns);
    CHECK(sum.queue_ns == t->queue_ns);
}

static void check_spans(const fsim_spans *s) {
    static const double p[] = {0.5, 0.9, 0.95, 0.99, 0.999};
    if (s->count == 0) {
        return;
    }
    double before = (double)s->min_ns;
    for (size_t i = 0; s->hist != NULL && i < sizeof p / sizeof *p; i++) {
        double q = fsim_histogram_quantile(s->hist, p[i], s->min_ns, s->max_ns);
        CHECK(q >= before && q <= (double)s->max_ns);
        before = q;
    }
    CHECK(s->hist == NULL || fsim_histogram_total(s->hist) == s->count);
    CHECK(s->sum_ns >= (fsim_wide)s->min_ns * (fsim_wide)s->count);
    CHECK(s->sum_ns <= (fsim_wide)s->max_ns * (fsim_wide)s->count);
}

static void check_scope(const fsim_result *r, const fsim_scope *s) {
    const fsim_counts *n = &s->n;
    CHECK_EQ_INT(n->arrived, n->completed + n->rejected_429 + n->rejected_503 + n->timed_out + n->failed +
                                 n->in_system_at_end);
    CHECK_EQ_INT(s->latency.count, n->completed);
    CHECK_EQ_INT(s->service.count, n->completed);
    CHECK(s->wait.count >= n->completed);
    CHECK(s->waited <= s->wait.count);
    CHECK(n->cold_affected <= n->arrived);
    check_spans(&s->latency);
    check_spans(&s->wait);
    check_spans(&s->service);
    if (n->in_system_at_end == 0 && n->failed == 0) {
        CHECK(s->latency.sum_ns == s->wait.sum_ns + s->service.sum_ns);
    }
    /* The mean of a square is at least the square of the mean; nothing is above its peak. */
    fsim_wide horizon_ns = r->horizon_ns;
    CHECK(s->in_execution_sq_ns * horizon_ns >= s->in_execution_ns * s->in_execution_ns);
    CHECK(s->in_execution_ns <= (fsim_wide)s->in_execution_peak * horizon_ns);
    CHECK(s->starting_ns + s->busy_ns + s->idle_ns <= (fsim_wide)s->instances_peak * horizon_ns);
    CHECK(s->queue_ns <= (fsim_wide)s->queue_peak * horizon_ns);
    CHECK(s->in_execution_ns >= s->busy_ns);
}

static void test_parts_add_up(void) {
    for (uint64_t seed = 1; seed <= SCENARIOS && check_state.failures == 0; seed++) {
        random_scenario s;
        random_scenario_init(&s, seed, seed % 3 != 0);
        check_context("seed %llu", (unsigned long long)seed);
        fsim_result *r = engine_run_random(&s);
        if (CHECK(r != NULL)) {
            check_sums(r);
            check_scope(r, &r->total);
            for (uint32_t i = 0; i < r->function_count; i++) {
                check_scope(r, &r->per_function[i]);
            }
        }
        fsim_result_destroy(r);
        random_scenario_clear(&s);
    }
}

/* ---- everything at once ---- */

/* Settings that random scenarios do not have by themselves; any of them may meet any other. */
static const fsim_setting extras[] = {
    {"functions[0].timeout", "1500ms", "test"},
    {"functions[0].reserved_concurrency", "3", "test"},
    {"functions[0].min_instances", "1", "test"},
    {"functions[0].freeze", "false", "test"},
    {"functions[0].background_cpu", "0.02", "test"},
    {"functions[0].cold_start_mode", "total", "test"},
    {"functions[0].cpu_fraction", "0.3", "test"},
    {"functions[0].cpu_model", "ps", "test"},
    {"functions[0].cpu_model", "linear", "test"},
    {"platform.gateway.rate", "2", "test"},
    {"platform.provisioned_start_rate.n", "1", "test"},
    {"platform.account_concurrency", "4", "test"},
    {"platform.memory_quota_mb", "1024", "test"},
    {"platform.start_rate.n", "2", "test"},
    {"platform.start_rate.scope", "function", "test"},
    {"platform.queue.capacity", "5", "test"},
    {"platform.queue.timeout", "2s", "test"},
    {"platform.retry.interval", "700ms", "test"},
    {"platform.retry.attempts", "3", "test"},
    {"platform.nodes.count", "2", "test"},
    {"policy.keepalive.name", "fixed", "test"},
    {"policy.keepalive.prewarm", "900ms", "test"},
    {"policy.keepalive.window", "{\"dist\": \"exponential\", \"mean\": \"3s\"}", "test"},
    {"policy.keepalive.name", "lru", "test"},
    {"policy.keepalive.name", "greedy_dual", "test"},
    {"policy.keepalive.memory", "2GB", "test"},
    {"policy.admission.name", "concurrency_cap", "test"},
    {"policy.admission.limit", "4", "test"},
    {"policy.binding", "late", "test"},
    {"policy.cancel_start", "true", "test"},
    {"run.occupancy", "50", "test"},
    {"run.windows.every", "3s", "test"},
    {"platform.account_instances", "6", "test"},
    {"platform.memory_quota_status", "432", "test"},
    {"platform.async.longest", "4s", "test"},
    {"functions[0].invocation", "async", "test"},
    {"functions[0].error_rate", "0.2", "test"},
    {"policy.provisioned",
     "{\"name\": \"tracked\", \"period\": \"1s\", \"high_points\": 1, \"low_points\": 1, \"min_instances\": "
     "0,"
     " \"max_instances\": 4}",
     "test"},
    {"policy.provisioned", "{\"name\": \"fc_tracked\", \"period\": \"1s\", \"target\": 20, \"factor\": 1}",
     "test"},
    {"platform.provisioned_together", "true", "test"},
    {"platform.provisioned_claims", "true", "test"},
    {"platform.provisioned_delay", "1500ms", "test"},
    {"run.sample", "1s", "test"},
    {"platform.retry.on[0]", "failed", "test"},
    {"functions[0].session.idle_timeout", "3s", "test"}};
#define EXTRAS (sizeof extras / sizeof *extras)

/* The same for settings that mean something only together. */
#define TOGETHER 4
#define NODE     "{\"count\": 1, \"vcpu\": 2, \"memory\": \"100GB\", \"cpu_model\": \"fcfs\""
static const fsim_setting groups[][TOGETHER] = {
    {{"functions[0].crash.lifetime.dist", "exponential", "test"},
     {"functions[0].crash.lifetime.mean", "3s", "test"}},
    {{"platform.nodes.count", "1", "test"},
     {"platform.nodes.vcpu", "2", "test"},
     {"platform.nodes.memory", "100GB", "test"},
     {"platform.nodes.cpu_model", "ps", "test"}},
    {{"platform.nodes", NODE "}", "test"}},
    {{"platform.nodes", NODE ", \"interruptions\": {\"every\": \"700ms\", \"for\": \"90ms\"}}", "test"}},
    {{"functions[0].crash.per_request", "0.1", "test"}, {"functions[0].crash.restart", "800ms", "test"}},
    {{"functions[0].crash.at[0]", "2s", "test"},
     {"functions[0].crash.at[1]", "4s", "test"},
     {"functions[0].crash.at[2]", "4s", "test"},
     {"functions[0].crash.victim", "all", "test"}},
    {{"functions[0].crash.at", "1s", "test"}, {"functions[0].crash.victim", "busiest", "test"}},
    {{"functions[0].health.unhealthy_after.dist", "exponential", "test"},
     {"functions[0].health.unhealthy_after.mean", "5s", "test"},
     {"functions[0].health.interval", "700ms", "test"}},
    {{"functions[0].health",
      "{\"unhealthy_after\": \"2s\", \"interval\": \"1s\", \"failures\": 1, \"error_rate\": 0.4}", "test"}},
    {{"functions[0].crash.per_start", "0.4", "test"}, {"functions[0].crash.restart", "300ms", "test"}},
    {{"functions[0].health",
      "{\"unhealthy_after\": \"2s\", \"recovers_after\": \"3s\", \"interval\": \"500ms\", \"action\": "
      "\"rest\"}",
      "test"}}};
#define GROUPS (sizeof groups / sizeof *groups)

static const char *const policies[] = {NULL,
                                       NULL,
                                       NULL,
                                       NULL,
                                       NULL,
                                       NULL,
                                       "knative",
                                       "hpa",
                                       "keda",
                                       "lambda",
                                       "lambda-provisioned",
                                       "scf",
                                       "scf-enterprise",
                                       "paas",
                                       "target-tracking",
                                       "step-scaling",
                                       "cloud-run",
                                       "azure-consumption",
                                       "azure-flex",
                                       "huawei",
                                       "openwhisk",
                                       "fc"};
#define POLICIES (sizeof policies / sizeof *policies)

typedef struct combination {
    random_scenario scenario;
    char *text;
    fsim_setting chosen[EXTRAS + TOGETHER * GROUPS];
    fsim_load_options load;
} combination;

/* One that fails when it should not have, or the other way round, would show in what follows. */
static const fsim_setting never_fails[] = {{"functions.*.crash.per_request", "0", "test"},
                                           {"functions.*.health.unhealthy_after", "1000000h", "test"}};

static void combine(combination *c, uint64_t seed) {
    fsim_rng rng;
    fsim_rng_seed(&rng, seed, "extras", FSIM_RNG_ROUTING);
    c->load = (fsim_load_options){.settings = c->chosen, .policy = policies[fsim_rng_below(&rng, POLICIES)]};
    for (size_t i = 0; i < EXTRAS; i++) {
        if (fsim_rng_below(&rng, 10) == 0) {
            c->chosen[c->load.setting_count++] = extras[i];
        }
    }
    for (size_t g = 0; g < GROUPS; g++) {
        for (size_t i = 0, taken = fsim_rng_below(&rng, 10) == 0; taken && i < TOGETHER; i++) {
            if (groups[g][i].path != NULL) {
                c->chosen[c->load.setting_count++] = groups[g][i];
            }
        }
    }
    random_scenario_init(&c->scenario, seed, seed % 4 != 0);
    c->text = random_scenario_print(&c->scenario);
}

static void tell(const combination *c) {
    printf("%s--policy %s", c->text, c->load.policy == NULL ? "(the scenario's)" : c->load.policy);
    for (size_t i = 0; i < c->load.setting_count; i++) {
        printf(" --set %s=%s", c->chosen[i].path, c->chosen[i].text);
    }
    printf("\n");
    fflush(stdout);
}

/* False: refused, as what contradicts itself may be, but with a place. */
static bool run_combination(uint64_t seed, bool print) {
    combination c;
    fsim_error err = {0};
    combine(&c, seed);
    if (print) {
        tell(&c);
    }
    check_context("seed %llu", (unsigned long long)seed);
    fsim_result *r = engine_run_with(c.text, &(fsim_run_options){.seed = seed}, &c.load, &err);
    if (r == NULL) {
        CHECK(err.status == FSIM_ECONFIG && err.place[0] != '\0' && err.text[0] != '\0');
    } else {
        fsim_run_options general = {.seed = seed, .no_short_way = true};
        fsim_result *again = engine_run_with(c.text, &general, &c.load, &err);
        check_sums(r);
        check_scope(r, &r->total);
        REQUIRE(again != NULL);
        check_same(r, again);
        /* Nobody is forgotten in a queue; only idle instances of another version may hold somebody up for
         * ever. */
        bool held_up =
            c.scenario.world.versions && c.scenario.world.functions[0].max_instances != FSIM_UNLIMITED;
        if (c.scenario.world.until_ns == FSIM_NEVER && !held_up) {
            CHECK_EQ_INT(r->total.n.in_system_at_end, 0);
        }
        fsim_result_destroy(again);
    }
    if (print && r == NULL) {
        printf("%s: %s\n", err.place, err.text);
    }
    bool ran = r != NULL;
    fsim_result_destroy(r);
    free(c.text);
    random_scenario_clear(&c.scenario);
    return ran;
}

/* Nothing crashes or is lost, same seed, same digest. PROPERTIES_SEED=N runs one combination, printed. */
static void test_any_combination_of_features(void) {
    const char *one = getenv("PROPERTIES_SEED");
    uint64_t ran = 0, seed = 1;
    if (one != NULL) {
        run_combination(strtoull(one, NULL, 10), true);
        return;
    }
    for (; seed <= 3 * SCENARIOS && check_state.failures == 0; seed++) {
        ran += run_combination(seed, false);
    }
    CHECK(5 * ran > 2 * seed);
}

/* A failure of probability 0: the same requests, instances and bills, on another way through the engine. */
static void test_failures_that_never_happen_change_nothing(void) {
    int compared = 0;
    for (uint64_t seed = 1; seed <= SCENARIOS && check_state.failures == 0; seed++) {
        combination c;
        fsim_error err = {0};
        bool fails = false;
        combine(&c, seed);
        for (size_t i = 0; i < c.load.setting_count; i++) {
            const char *path = c.chosen[i].path;
            fails |= strstr(path, "crash") != NULL || strstr(path, "health") != NULL;
        }
        fails |= strstr(c.text, "\"crash\"") != NULL;
        check_context("seed %llu", (unsigned long long)seed);
        fsim_result *without = engine_run_with(c.text, &(fsim_run_options){.seed = seed}, &c.load, &err);
        if (without != NULL && !fails) {
            memcpy(&c.chosen[c.load.setting_count], never_fails, sizeof never_fails);
            c.load.setting_count += 2;
            fsim_result *with = engine_run_with(c.text, &(fsim_run_options){.seed = seed}, &c.load, &err);
            REQUIRE(with != NULL);
            CHECK_EQ_INT(with->total.n.crashed + with->total.n.ejected, 0);
            check_same(without, with);
            compared++;
            fsim_result_destroy(with);
        }
        fsim_result_destroy(without);
        free(c.text);
        random_scenario_clear(&c.scenario);
    }
    CHECK(compared > 50);
}

/* ---- the same run twice ---- */

typedef struct digests {
    uint64_t first_seed;
    uint64_t digest[64];
} digests;

static void digest_job(void *user, uint32_t i) {
    digests *d = user;
    random_scenario s;
    random_scenario_init(&s, d->first_seed + i, true);
    fsim_result *r = engine_run_random(&s);
    d->digest[i] = r == NULL ? 0 : r->digest;
    fsim_result_destroy(r);
    random_scenario_clear(&s);
}

static void test_digests_do_not_depend_on_threads(void) {
    static digests one = {.first_seed = 1000}, four = {.first_seed = 1000};
    fsim_parallel(1, 64, digest_job, &one);
    fsim_parallel(4, 64, digest_job, &four);
    uint32_t different = 0;
    for (uint32_t i = 0; i < 64; i++) {
        CHECK(one.digest[i] == four.digest[i]);
        CHECK(one.digest[i] != 0);
        different += one.digest[i] != one.digest[0];
    }
    CHECK(different > 60); /* a digest that is the same for everything would pass the rest */
}

/* ---- the engine's short way and the general one ---- */

static fsim_status ignore_row(void *user, const fsim_request_row *row, fsim_error *err) {
    (void)user;
    (void)row;
    (void)err;
    return FSIM_OK;
}

/* What the engine's short way is made for: no limit that is shared, one slot, a rule of recency. */
static void simplify(random_scenario *s) {
    naive_world *w = &s->world;
    for (uint32_t i = 0; i < w->function_count; i++) {
        w->functions[i].slots = 1;
        w->functions[i].provisioned = 0;
    }
    w->memory_quota_mb = INT64_MAX;
    w->start_rate = (fsim_start_limit){0};
    w->retry_on_429 = false;
    s->cpu_model = "none";
    s->route_name = s->seed % 5 == 0 ? "oldest_idle" : "newest_idle";
}

/* Whoever asks for a row per request makes the engine go the general way. */
static void test_short_way_is_no_other_way(void) {
    for (uint64_t seed = 1; seed <= 3 * SCENARIOS && check_state.failures == 0; seed++) {
        random_scenario s;
        random_scenario_init(&s, seed, seed % 2 == 0);
        simplify(&s);
        char *text = random_scenario_print(&s);
        check_context("seed %llu", (unsigned long long)seed);
        fsim_run_options options = {.seed = seed, .threads = (uint32_t)(1u + seed % 3u)};
        fsim_error err = {0};
        fsim_result *fast = engine_run_with(text, &options, &(fsim_load_options){0}, &err),
                    *slow = engine_run(text, seed, ignore_row, NULL);
        if (CHECK(fast != NULL && slow != NULL)) {
            check_same(fast, slow);
        }
        fsim_result_destroy(fast);
        fsim_result_destroy(slow);
        free(text);
        random_scenario_clear(&s);
    }
}

static bool one_in(fsim_rng *rng, uint32_t n) {
    return fsim_rng_below(rng, n) == 0;
}

/* What the plain way is made for: several slots, scalers, queues, any routing rule; the instances are kept
 * few, so that requests wait as well as not. */
static void test_plain_way_is_no_other_way(void) {
    static const char *const bundles[] = {"knative", "hpa", "cloud-run", "target-tracking", "lambda", "none"};
    const size_t first_on_demand = 4;
    static const char *const routes[] = {"newest_idle",    "oldest_idle",  "newest_created",
                                         "oldest_created", "round_robin",  "random",
                                         "power_of_two",   "least_loaded", "most_loaded"};
    static const char *const slots[] = {"1", "3", "80"};
    const size_t bundle_count = sizeof bundles / sizeof *bundles,
                 route_count = sizeof routes / sizeof *routes;
    for (uint32_t k = 0; k < 3u * bundle_count * route_count && check_state.failures == 0; k++) {
        char text[2048];
        size_t bundle = k / 3u % bundle_count;
        fsim_rng rng;
        fsim_rng_seed(&rng, k, "plain", FSIM_RNG_ROUTING);
        bool early = bundle >= first_on_demand && one_in(&rng, 3);
        snprintf(text, sizeof text,
                 "{\"schema\": \"fsim.scenario/1\", \"name\": \"plain\", \"workload\": {\"source\":"
                 " \"poisson_many\", \"functions\": %d, \"rate\": 300, \"requests\": 2500}, \"functions\":"
                 " [{\"name\": \"*\", \"concurrency\": %s, \"max_instances\": %d, \"freeze\": %s,"
                 " \"timeout\": \"%s\", \"service\": {\"dist\": \"exponential\", \"mean\": \"50ms\"},"
                 " \"cold_start\": {\"dist\": \"exponential\", \"mean\": \"%s\"}}], \"policy\": {\"bundle\":"
                 " \"%s\", \"binding\": \"%s\", \"cancel_start\": %s, \"routing\": {\"name\": \"%s\"}},"
                 " \"platform\": {\"account_concurrency\": %s, \"start_rate\": null, \"gateway\": null,"
                 " \"queue\": {\"capacity\": %s, \"timeout\": \"%s\"}}, \"run\": {\"warmup\": \"%s\"}}",
                 one_in(&rng, 2) ? 1 : 3, slots[k % 3u], one_in(&rng, 2) ? 14 : 5,
                 one_in(&rng, 2) ? "true" : "false", one_in(&rng, 4) ? "90ms" : "300s",
                 one_in(&rng, 2) ? "1ms" : "100ms", bundles[bundle], early ? "early" : "late",
                 !early && one_in(&rng, 4) ? "true" : "false", routes[k / (3u * bundle_count)],
                 one_in(&rng, 6) ? "14" : "null", one_in(&rng, 3) ? "40" : "null",
                 one_in(&rng, 6) ? "70ms" : "1h", one_in(&rng, 6) ? "2s" : "0s");
        check_context("%u of the plain way", k);
        fsim_error err = {0};
        const fsim_load_options load = {0};
        fsim_run_options options = {.seed = k}, general = {.seed = k, .no_short_way = true};
        fsim_result *fast = engine_run_with(text, &options, &load, &err),
                    *slow = engine_run_with(text, &general, &load, &err);
        if (CHECK(fast != NULL && slow != NULL)) {
            check_same(fast, slow);
        } else {
            printf("%s: %s\n%s\n", err.place, err.text, text);
        }
        fsim_result_destroy(fast);
        fsim_result_destroy(slow);
    }
}

/* ---- slicing ---- */

#define MANY "5000"

static const char *const tail =
    "\"functions\": [{\"name\": \"a\", \"service\": {\"dist\": \"exponential\", \"mean\": \"1s\"}, "
    "\"cold_start\": {\"dist\": \"lognormal\", \"mean\": \"0.5s\", \"cv\": 1}, \"max_instances\": 6},"
    "{\"name\": \"b\", \"service\": {\"dist\": \"uniform\", \"min\": \"0s\", \"max\": \"1s\"}, "
    "\"cold_start\": {\"dist\": \"constant\", \"value\": \"0.2s\"}}],"
    "\"policy\": {\"bundle\": \"none\", \"scaling\": {\"name\": \"per_request\"}, \"binding\": \"late\","
    "\"keepalive\": {\"name\": \"fixed\", \"window\": \"3s\"}, \"routing\": {\"name\": \"random\"}},"
    "\"billing\": [], \"run\": {\"seed\": 9}}";

static fsim_result *run_workload(const char *workload, uint64_t seed) {
    char text[4096];
    snprintf(text, sizeof text,
             "{\"schema\": \"fsim.scenario/1\", \"name\": \"sliced\", \"workload\": %s, %s", workload, tail);
    return engine_run(text, seed, NULL, NULL);
}

/* Arrivals every 0.1 s, as one source and as two that alternate: batches are cut at other places, the run is
 * the same. */
static void test_slicing_of_the_input_does_not_matter(void) {
    fsim_result *whole =
        run_workload("{\"source\": \"constant\", \"interval\": \"100ms\", \"requests\": " MANY "}", 3);
    fsim_result *halves =
        run_workload("{\"source\": \"superposition\", \"requests\": " MANY ", \"of\": ["
                     "{\"source\": \"constant\", \"interval\": \"200ms\", \"offset\": \"100ms\"},"
                     "{\"source\": \"constant\", \"interval\": \"200ms\", \"offset\": \"200ms\"}]}",
                     3);
    REQUIRE(whole != NULL && halves != NULL);
    CHECK_EQ_INT(whole->total.n.arrived, 5000);
    CHECK(whole->digest == halves->digest);
    CHECK(whole->total.latency.sum_ns == halves->total.latency.sum_ns);
    fsim_result_destroy(whole);
    fsim_result_destroy(halves);
}

/* Random streams belong to functions: what b receives and how long it takes does not change with a. */
static void test_functions_do_not_share_random_numbers(void) {
    const char *format = "{\"source\": \"superposition\", \"until\": \"1000s\", \"of\": ["
                         "{\"source\": \"poisson\", \"rate\": 3, \"function\": \"b\"},"
                         "{\"source\": \"poisson\", \"rate\": %d, \"function\": \"a\"}]}";
    char little[512], much[512];
    snprintf(little, sizeof little, format, 1);
    snprintf(much, sizeof much, format, 5);
    fsim_result *with_little = run_workload(little, 4), *with_much = run_workload(much, 4);
    REQUIRE(with_little != NULL && with_much != NULL);
    fsim_fn_id b = fsim_function_table_find(with_little->functions, "b");
    REQUIRE(b != FSIM_UNLIMITED);
    const fsim_scope *x = &with_little->per_function[b], *y = &with_much->per_function[b];
    CHECK(with_little->total.n.arrived != with_much->total.n.arrived);
    CHECK_EQ_INT(x->n.arrived, y->n.arrived);
    CHECK(x->service.sum_ns == y->service.sum_ns);
    fsim_result_destroy(with_little);
    fsim_result_destroy(with_much);
}

static void test_seeds_matter(void) {
    const char *workload = "{\"source\": \"poisson\", \"rate\": 5, \"requests\": 1000}";
    fsim_result *one = run_workload(workload, 1), *two = run_workload(workload, 2),
                *again = run_workload(workload, 1);
    REQUIRE(one != NULL && two != NULL && again != NULL);
    CHECK(one->digest != two->digest);
    CHECK(one->digest == again->digest);
    fsim_result_destroy(one);
    fsim_result_destroy(two);
    fsim_result_destroy(again);
}

/* ---- windows, probes and occupancy say the same as the whole ---- */

static void check_windows(const fsim_result *r) {
    fsim_counts sum = {0};
    fsim_ns at_ns = 0;
    for (uint32_t i = 0; i < r->window_count; i++) {
        const fsim_window *w = &r->windows[i];
        CHECK_EQ_INT(w->from_ns, at_ns);
        at_ns = w->to_ns;
        sum.arrived += w->all.n.arrived;
        sum.completed += w->all.n.completed;
        sum.rejected_429 += w->all.n.rejected_429;
        sum.rejected_503 += w->all.n.rejected_503;
        sum.timed_out += w->all.n.timed_out;
        sum.cold_affected += w->all.n.cold_affected;
        sum.started += w->all.n.started;
        sum.removed += w->all.n.removed;
        sum.crashed += w->all.n.crashed;
        CHECK_EQ_INT(w->all.instances_end, sum.started - sum.removed - sum.crashed);
    }
    CHECK_EQ_INT(at_ns, r->end_ns);
    CHECK_EQ_INT(sum.arrived, r->total.n.arrived);
    CHECK_EQ_INT(sum.completed, r->total.n.completed);
    CHECK_EQ_INT(sum.rejected_429, r->total.n.rejected_429);
    CHECK_EQ_INT(sum.rejected_503, r->total.n.rejected_503);
    CHECK_EQ_INT(sum.timed_out, r->total.n.timed_out);
    CHECK_EQ_INT(sum.cold_affected, r->total.n.cold_affected);
    CHECK_EQ_INT(sum.started, r->total.n.started);
    CHECK_EQ_INT(sum.removed, r->total.n.removed);
}

static void check_occupancy(const fsim_result *r) {
    double requests = 0, instances = 0, share_r = 0, share_i = 0, horizon = (double)r->horizon_ns;
    for (uint32_t i = 0; i <= r->occupancy; i++) {
        share_r += r->occupancy_requests[i];
        share_i += r->occupancy_instances[i];
        requests += i * r->occupancy_requests[i];
        instances += i * r->occupancy_instances[i];
    }
    const fsim_scope *t = &r->total;
    CHECK_NEAR(share_r, 1, 1e-12);
    CHECK_NEAR(share_i, 1, 1e-12);
    CHECK_NEAR(requests, (double)t->in_execution_ns / horizon, 1e-9);
    CHECK_NEAR(instances, (double)(t->starting_ns + t->busy_ns + t->idle_ns) / horizon, 1e-7);
}

static void test_windows_probes_and_occupancy(void) {
    for (uint64_t seed = 1; seed <= 100 && check_state.failures == 0; seed++) {
        random_scenario s;
        random_scenario_init(&s, seed, seed % 2 == 0);
        s.world.warmup_ns = 0;
        s.world.until_ns = 60 * FSIM_SECOND + 50 * FSIM_MS + 7; /* off the grid: nothing is about to expire */
        char *text = random_scenario_print(&s), *more = NULL;
        size_t size = strlen(text);
        const char extra[] = ", \"windows\": {\"every\": \"7s\"}, \"occupancy\": 1000,"
                             " \"probe\": {\"at\": [\"30000000003ns\", \"0s\"]}}}";
        more = malloc(size + sizeof extra);
        REQUIRE(more != NULL);
        memcpy(more, text, size - 3);
        memcpy(more + size - 3, extra, sizeof extra);
        check_context("seed %llu", (unsigned long long)seed);
        fsim_result *r = engine_run(more, seed, NULL, NULL);
        if (CHECK(r != NULL)) {
            check_windows(r);
            check_occupancy(r);
            CHECK_EQ_INT(r->probe_count, 2);
            for (uint32_t i = 0; i < r->probe_count; i++) {
                const fsim_probe *p = &r->probes[i];
                CHECK_EQ_INT(p->at_ns, i == 0 ? 30000000003 : 0);
                CHECK_EQ_INT(p->instances, p->starting + p->busy + p->idle);
                CHECK(p->in_flight >= p->busy);
            }
        }
        fsim_result_destroy(r);
        free(more);
        free(text);
        random_scenario_clear(&s);
    }
}

int main(void) {
    RUN(test_parts_add_up);
    RUN(test_any_combination_of_features);
    RUN(test_failures_that_never_happen_change_nothing);
    RUN(test_digests_do_not_depend_on_threads);
    RUN(test_short_way_is_no_other_way);
    RUN(test_plain_way_is_no_other_way);
    RUN(test_slicing_of_the_input_does_not_matter);
    RUN(test_functions_do_not_share_random_numbers);
    RUN(test_seeds_matter);
    RUN(test_windows_probes_and_occupancy);
    return check_done();
}
