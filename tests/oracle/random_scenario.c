#include "random_scenario.h"

#include "base/rng.h"
#include "base/text.h"
#include "io/json_reader.h"
#include "io/scenario_load.h"

#include <stdio.h>
#include <stdlib.h>

static bool chance(fsim_rng *rng, uint32_t percent) {
    return fsim_rng_below(rng, 100) < percent;
}

static uint32_t between(fsim_rng *rng, uint32_t low, uint32_t high) {
    return low + fsim_rng_below(rng, high - low + 1);
}

/* A span up to `most`: on the grid, where instants meet, or anywhere. */
static fsim_ns span(fsim_rng *rng, fsim_ns grid_ns, uint32_t most_steps) {
    if (grid_ns > 1) {
        return (fsim_ns)between(rng, 0, most_steps) * grid_ns;
    }
    return (fsim_ns)(fsim_rng_unit(rng) * most_steps * 1e8);
}

/* ---- choosing ---- */

static void choose_functions(naive_world *w, fsim_rng *rng, fsim_ns grid_ns) {
    w->function_count = between(rng, 1, 3);
    bool bounded = chance(rng, 60), zero_cold = chance(rng, 20);
    for (uint32_t i = 0; i < w->function_count; i++) {
        naive_function *f = &w->functions[i];
        f->cold_ns = zero_cold ? 0 : span(rng, grid_ns, 20);
        f->memory_mb = 128 * (fsim_ns)between(rng, 1, 4);
        f->slots = chance(rng, 50) ? 1 : between(rng, 2, 4);
        f->max_instances = bounded ? between(rng, 1, 6) : FSIM_UNLIMITED;
        f->lifetime_ns = FSIM_NEVER;
        f->provisioned = chance(rng, 25) ? between(rng, 1, 2) : 0;
        f->provisioned = f->provisioned < f->max_instances ? f->provisioned : f->max_instances;
    }
}

static void choose_arrivals(random_scenario *s, fsim_rng *rng, fsim_ns grid_ns) {
    naive_world *w = &s->world;
    fsim_ns at_ns = chance(rng, 30) ? 0 : span(rng, grid_ns, 10);
    uint32_t service_steps = chance(rng, 15) ? 1 : between(rng, 2, 40);
    uint32_t gap_steps = between(rng, 1, 12);
    w->arrival_count = between(rng, 20, 200);
    s->arrivals = calloc(w->arrival_count, sizeof *s->arrivals);
    fsim_assert(s->arrivals != NULL);
    w->arrivals = s->arrivals;
    for (uint32_t i = 0; i < w->arrival_count; i++) {
        s->arrivals[i] = (naive_arrival){.at_ns = at_ns,
                                         .service_ns = span(rng, grid_ns, service_steps),
                                         .fn = fsim_rng_below(rng, w->function_count)};
        bool pause = chance(rng, 3);
        at_ns += chance(rng, 20) ? 0 : span(rng, grid_ns, pause ? 300 : gap_steps);
    }
}

static void choose_start_rate(naive_world *w, fsim_rng *rng, fsim_ns grid_ns) {
    fsim_start_limit *limit = &w->start_rate;
    limit->kind = (fsim_limit_kind)between(rng, FSIM_LIMIT_FIXED, FSIM_LIMIT_BUCKET);
    limit->n = between(rng, 1, 5);
    limit->window_ns = (grid_ns > 1 ? grid_ns : 100 * FSIM_MS) * (fsim_ns)between(rng, 1, 40);
    limit->burst = limit->kind == FSIM_LIMIT_BUCKET ? between(rng, 1, 6) : limit->n;
    limit->initial = limit->kind == FSIM_LIMIT_SLIDING ? limit->n : between(rng, 0, (uint32_t)limit->burst);
    limit->per_function = chance(rng, 50);
}

/* Ids on the arrivals, and affinity for some functions. A limit on sessions of an instance only off the grid
 * or with early binding: which of two sessions that end at one instant ends first is left open, and the
 * request that waits for room would go to another instance. */
static void choose_sessions(random_scenario *s, fsim_rng *rng, fsim_ns grid_ns) {
    naive_world *w = &s->world;
    uint32_t users = between(rng, 2, 12);
    for (uint32_t i = 0; i < w->arrival_count; i++) {
        s->arrivals[i].session = chance(rng, 80) ? between(rng, 1, users) : 0;
    }
    for (uint32_t i = 0; i < w->function_count; i++) {
        naive_function *f = &w->functions[i];
        fsim_session_spec *x = &f->session;
        bool limited = chance(rng, 50) && (grid_ns == 1 || w->queue_capacity == 0);
        f->has_sessions = chance(rng, 80);
        x->idle_ns = chance(rng, 15) ? FSIM_NEVER : span(rng, grid_ns, 60);
        x->life_ns =
            chance(rng, 60) ? FSIM_NEVER : span(rng, grid_ns, 80) + (grid_ns > 1 ? grid_ns : FSIM_MS);
        x->per_instance = limited ? between(rng, 1, 3) : FSIM_UNLIMITED;
        if (limited && x->idle_ns == FSIM_NEVER && x->life_ns == FSIM_NEVER) {
            x->idle_ns = span(rng, grid_ns, 60); /* or others would wait for ever */
        }
        x->when_full = (fsim_session_full)fsim_rng_below(rng, 3);
        x->hold = limited || chance(rng, 70);
    }
}

/* Limits that refuse at once; with them nobody waits in a queue. */
static void choose_limits(naive_world *w, fsim_rng *rng, fsim_ns grid_ns) {
    if (chance(rng, 40)) {
        w->account_concurrency = between(rng, 1, 10);
    }
    if (chance(rng, 30)) {
        w->memory_quota_mb = 128 * (int64_t)between(rng, 4, 20);
    }
    if (chance(rng, 40)) {
        choose_start_rate(w, rng, grid_ns);
    }
    w->retry_on_429 = chance(rng, 30);
    w->retry_ns = span(rng, grid_ns, 10) + (grid_ns > 1 ? grid_ns : FSIM_MS);
    w->retry_factor = between(rng, 1, 2);
    w->retry_attempts = between(rng, 1, 5);
}

static void choose_queue(naive_world *w, fsim_rng *rng, fsim_ns grid_ns) {
    w->late = chance(rng, 60);
    w->cancel_start = w->late && chance(rng, 50);
    w->queue_capacity = chance(rng, 40) ? UINT64_MAX : between(rng, 1, 8);
    w->queue_timeout_ns = chance(rng, 40) ? span(rng, grid_ns, 30) : FSIM_NEVER;
}

/* Versions of one function instead of functions: now and then, and only where nobody waits in a queue if
 * the naive simulator shall understand it. */
static void choose_versions(naive_world *w, fsim_rng *rng, bool drawn) {
    uint32_t most = w->functions[0].max_instances, provisioned = 0;
    w->versions = (drawn || w->queue_capacity == 0) && chance(rng, 30);
    for (uint32_t i = 0; w->versions && i < w->function_count; i++) {
        naive_function *f = &w->functions[i];
        f->max_instances = most;
        f->provisioned = f->provisioned < most - provisioned ? f->provisioned : most - provisioned;
        provisioned += f->provisioned;
    }
}

/* Crashes of functions without provisioned instances, which would be replaced. */
static void choose_crashes(naive_world *w, fsim_rng *rng, fsim_ns grid_ns, fsim_ns last_ns) {
    for (uint32_t i = 0; i < w->function_count; i++) {
        naive_function *f = &w->functions[i];
        if (f->provisioned > 0) {
            continue;
        }
        if (chance(rng, 50)) {
            f->lifetime_ns = span(rng, grid_ns, 60) + (grid_ns > 1 ? grid_ns : FSIM_MS);
        }
        f->strike_count = between(rng, 0, NAIVE_STRIKES_MAX);
        fsim_ns at_ns = 0;
        for (uint32_t k = 0; k < f->strike_count; k++) {
            at_ns += span(rng, grid_ns, (uint32_t)(last_ns / (200 * FSIM_MS)));
            f->strikes_ns[k] = at_ns;
        }
    }
    /* Off the grid: which of a time-out and a crash at one instant comes first is left open. */
    w->queue_timeout_ns += w->queue_timeout_ns != FSIM_NEVER ? FSIM_MS + 1 : 0;
    w->retry_on_failed = w->warmup_ns == 0 && chance(rng, 50);
    if (w->retry_on_failed && w->retry_attempts == 0) {
        w->retry_ns = span(rng, grid_ns, 10) + (grid_ns > 1 ? grid_ns : FSIM_MS);
        w->retry_factor = between(rng, 1, 2);
        w->retry_attempts = between(rng, 1, 5);
    }
}

static void choose_drawn(random_scenario *s, fsim_rng *rng) {
    static const char *const routes[] = {"newest_idle",    "oldest_idle", "newest_created",
                                         "oldest_created", "round_robin", "random",
                                         "least_loaded",   "most_loaded", "power_of_two"};
    static const char *const models[] = {"none", "ps", "linear"};
    s->route_name = routes[fsim_rng_below(rng, 9)];
    s->cpu_model = models[fsim_rng_below(rng, 3)];
    s->drawn = true;
}

void random_scenario_init(random_scenario *s, uint64_t seed, bool drawn) {
    static const fsim_route_order orders[] = {FSIM_ROUTE_NEWEST_IDLE, FSIM_ROUTE_OLDEST_IDLE,
                                              FSIM_ROUTE_NEWEST_CREATED, FSIM_ROUTE_OLDEST_CREATED,
                                              FSIM_ROUTE_ROUND_ROBIN};
    static const char *const names[] = {"newest_idle", "oldest_idle", "newest_created", "oldest_created",
                                        "round_robin"};
    fsim_rng rng;
    fsim_rng_seed(&rng, seed, "random scenario", FSIM_RNG_ROUTING);
    uint32_t order = fsim_rng_below(&rng, 5);
    fsim_ns grid_ns = chance(&rng, 60) ? 100 * FSIM_MS : 1;
    *s = (random_scenario){.seed = seed, .route_name = names[order], .cpu_model = "none"};
    s->world = (naive_world){.route = orders[order],
                             .window_ns = FSIM_NEVER,
                             .queue_timeout_ns = FSIM_NEVER,
                             .account_concurrency = UINT64_MAX,
                             .memory_quota_mb = INT64_MAX,
                             .until_ns = FSIM_NEVER};
    naive_world *w = &s->world;
    choose_functions(w, &rng, grid_ns);
    choose_arrivals(s, &rng, grid_ns);
    w->remove_at_completion = chance(&rng, 20);
    if (!w->remove_at_completion && chance(&rng, 80)) {
        w->window_ns = span(&rng, grid_ns, between(&rng, 0, 60));
    }
    if (chance(&rng, 50)) {
        choose_limits(w, &rng, grid_ns);
    } else {
        choose_queue(w, &rng, grid_ns);
    }
    if (chance(&rng, 35)) {
        choose_sessions(s, &rng, grid_ns);
    }
    fsim_ns last_ns = s->arrivals[w->arrival_count - 1].at_ns;
    w->until_ns = chance(&rng, 40) ? last_ns / 2 + span(&rng, grid_ns, 100) : FSIM_NEVER;
    w->warmup_ns = chance(&rng, 25) && !w->retry_on_429 ? last_ns / 4 + 53 * FSIM_MS + 1 : 0;
    if (w->warmup_ns > w->until_ns) {
        w->warmup_ns = 0;
    }
    choose_versions(w, &rng, drawn);
    if (drawn) {
        choose_drawn(s, &rng);
    } else if (chance(&rng, 35)) {
        choose_crashes(w, &rng, grid_ns, last_ns);
    }
}

void random_scenario_clear(random_scenario *s) {
    free(s->arrivals);
    s->arrivals = NULL;
}

/* ---- printing ---- */

typedef struct span_text {
    char text[32];
} span_text;

static span_text spell(fsim_ns span_ns) {
    span_text spelled;
    fsim_text_print_span(span_ns, spelled.text, sizeof spelled.text);
    return spelled;
}

static void print_session(FILE *out, const fsim_session_spec *x) {
    static const char *const full[] = {"wait", "refuse", "elsewhere"};
    fputs("\"session\": {", out);
    if (x->idle_ns == FSIM_NEVER) {
        fputs("\"idle_timeout\": null, ", out);
    } else {
        fprintf(out, "\"idle_timeout\": \"%s\", ", spell(x->idle_ns).text);
    }
    if (x->life_ns == FSIM_NEVER) {
        fputs("\"lifetime\": null, ", out);
    } else {
        fprintf(out, "\"lifetime\": \"%s\", ", spell(x->life_ns).text);
    }
    if (x->per_instance != FSIM_UNLIMITED) {
        fprintf(out, "\"per_instance\": %u, ", x->per_instance);
    }
    fprintf(out, "\"when_full\": \"%s\", \"hold\": %s}, ", full[x->when_full], x->hold ? "true" : "false");
}

static void print_crash(FILE *out, const naive_function *f) {
    fputs("\"crash\": {\"at\": [", out);
    for (uint32_t k = 0; k < f->strike_count; k++) {
        fprintf(out, "%s\"%s\"", k > 0 ? ", " : "", spell(f->strikes_ns[k]).text);
    }
    fputs("]", out);
    if (f->lifetime_ns != FSIM_NEVER) {
        fprintf(out, ", \"lifetime\": \"%s\"", spell(f->lifetime_ns).text);
    }
    fputs("}, ", out);
}

static void print_functions(FILE *out, const random_scenario *s) {
    uint32_t most = s->world.functions[0].max_instances;
    fputs(" \"functions\": [", out);
    if (s->world.versions) {
        fputs("{\"name\": \"f\", ", out);
        if (most != FSIM_UNLIMITED) {
            fprintf(out, "\"max_instances\": %u, ", most);
        }
        fputs("\"versions\": [", out);
    }
    for (uint32_t i = 0; i < s->world.function_count; i++) {
        const naive_function *f = &s->world.functions[i];
        const char *law = s->drawn ? "exponential\", \"mean" : "constant\", \"value";
        fprintf(out, "%s\n  {\"name\": \"f%u\", \"memory_mb\": %lld, \"vcpu\": 1, \"concurrency\": %u, ",
                i > 0 ? "," : "", i + 1, (long long)f->memory_mb, f->slots);
        fprintf(out, "\"cpu_model\": \"%s\", \"slowdown_per_request\": 0.25, ", s->cpu_model);
        if (f->max_instances != FSIM_UNLIMITED && !s->world.versions) {
            fprintf(out, "\"max_instances\": %u, ", f->max_instances);
        }
        if (f->provisioned > 0) {
            fprintf(out, "\"provisioned\": %u, ", f->provisioned);
        }
        if (f->has_sessions) {
            print_session(out, &f->session);
        }
        if (f->strike_count > 0 || f->lifetime_ns != FSIM_NEVER) {
            print_crash(out, f);
        }
        fprintf(out, "\"service\": {\"dist\": \"%s\": \"1s\"}, ", law);
        fprintf(out, "\"cold_start\": {\"dist\": \"%s\": \"%s\"}}",
                f->cold_ns > 0 ? law : "constant\", \"value", spell(f->cold_ns).text);
    }
    fputs(s->world.versions ? "]}],\n" : "],\n", out);
}

static void print_workload(FILE *out, const random_scenario *s) {
    const naive_world *w = &s->world;
    if (s->drawn) {
        fputs(" \"workload\": {\"source\": \"superposition\", \"of\": [", out);
        for (uint32_t i = 0; i < w->function_count; i++) {
            fprintf(out, "%s{\"source\": \"poisson\", \"rate\": %g, \"function\": \"%sf%u\"}",
                    i > 0 ? ", " : "", 1.0 + (double)((s->seed + i) % 4), w->versions ? "f:" : "", i + 1);
        }
        fprintf(out, "], \"requests\": %u},\n", w->arrival_count);
        return;
    }
    fputs(" \"workload\": {\"source\": \"list\", \"arrivals\": [", out);
    for (uint32_t i = 0; i < w->arrival_count; i++) {
        const naive_arrival *a = &w->arrivals[i];
        fprintf(out, "%s\n  {\"arrival\": \"%s\", %sf%u\", \"duration\": \"%s\"", i > 0 ? "," : "",
                spell(a->at_ns).text, w->versions ? "\"version\": \"" : "\"function\": \"", a->fn + 1,
                spell(a->service_ns).text);
        if (a->session != 0) {
            fprintf(out, ", \"session\": \"user%u\"", a->session);
        }
        fputs("}", out);
    }
    fputs("]},\n", out);
}

static void print_policy(FILE *out, const random_scenario *s) {
    const naive_world *w = &s->world;
    fputs(" \"policy\": {\"bundle\": \"none\", \"scaling\": {\"name\": \"per_request\"}, \"keepalive\": ",
          out);
    if (w->remove_at_completion) {
        fputs("{\"name\": \"none\"}", out);
    } else if (w->window_ns == FSIM_NEVER) {
        fputs("{\"name\": \"fixed\", \"window\": null}", out);
    } else {
        fprintf(out, "{\"name\": \"fixed\", \"window\": \"%s\"}", spell(w->window_ns).text);
    }
    fprintf(out, ",\n  \"routing\": {\"name\": \"%s\"}, \"binding\": \"%s\", \"cancel_start\": %s},\n",
            s->route_name, w->late ? "late" : "early", w->cancel_start ? "true" : "false");
}

static void print_start_rate(FILE *out, const fsim_start_limit *limit) {
    static const char *const kinds[] = {"", "fixed", "sliding", "token_bucket"};
    if (limit->kind == FSIM_LIMIT_NONE) {
        return;
    }
    fprintf(out, "\"start_rate\": {\"kind\": \"%s\", \"n\": %lld, \"window\": \"%s\", ", kinds[limit->kind],
            (long long)limit->n, spell(limit->window_ns).text);
    if (limit->kind == FSIM_LIMIT_BUCKET) {
        fprintf(out, "\"burst\": %lld, ", (long long)limit->burst);
    }
    if (limit->kind != FSIM_LIMIT_SLIDING) {
        fprintf(out, "\"initial\": %lld, ", (long long)limit->initial);
    }
    fprintf(out, "\"scope\": \"%s\"},\n  ", limit->per_function ? "function" : "region");
}

static void print_platform(FILE *out, const naive_world *w) {
    fputs(" \"platform\": {", out);
    if (w->account_concurrency != UINT64_MAX) {
        fprintf(out, "\"account_concurrency\": %llu, ", (unsigned long long)w->account_concurrency);
    }
    if (w->memory_quota_mb != INT64_MAX) {
        fprintf(out, "\"memory_quota_mb\": %lld, ", (long long)w->memory_quota_mb);
    }
    print_start_rate(out, &w->start_rate);
    if (w->retry_on_429 || w->retry_on_failed) {
        fprintf(out,
                "\"retry\": {\"interval\": \"%s\", \"factor\": %u, \"attempts\": %llu, \"on\": [%s%s%s]}, ",
                spell(w->retry_ns).text, w->retry_factor, (unsigned long long)w->retry_attempts,
                w->retry_on_429 ? "429" : "", w->retry_on_429 && w->retry_on_failed ? ", " : "",
                w->retry_on_failed ? "\"failed\"" : "");
    }
    fputs("\"queue\": {", out);
    if (w->queue_timeout_ns != FSIM_NEVER) {
        fprintf(out, "\"timeout\": \"%s\", ", spell(w->queue_timeout_ns).text);
    }
    if (w->queue_capacity == UINT64_MAX) {
        fputs("\"capacity\": null}},\n", out);
    } else {
        fprintf(out, "\"capacity\": %llu}},\n", (unsigned long long)w->queue_capacity);
    }
}

char *random_scenario_print(const random_scenario *s) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fsim_assert(out != NULL);
    fprintf(out, "{\"schema\": \"fsim.scenario/1\", \"name\": \"random-%llu\",\n",
            (unsigned long long)s->seed);
    print_workload(out, s);
    print_functions(out, s);
    print_policy(out, s);
    print_platform(out, &s->world);
    fprintf(out, " \"billing\": [],\n \"run\": {\"seed\": %llu, \"warmup\": \"%s\"",
            (unsigned long long)s->seed, spell(s->world.warmup_ns).text);
    if (s->world.until_ns != FSIM_NEVER) {
        fprintf(out, ", \"until\": \"%s\"", spell(s->world.until_ns).text);
    }
    fputs("}}\n", out);
    fclose(out);
    return text;
}

/* ---- running ---- */

static fsim_result *load_and_run(const char *text, const fsim_load_options *load,
                                 const fsim_run_options *options, fsim_error *err) {
    fsim_value *tree = NULL;
    fsim_scenario *scenario = NULL;
    fsim_result *result = NULL;
    fsim_value_pool *pool = fsim_value_pool_create();
    fsim_assert(pool != NULL);
    fsim_status status = fsim_json_read_text(pool, text, "scenario", &tree, err);
    if (status != FSIM_OK) {
        fsim_value_pool_destroy(pool);
    } else {
        status = fsim_scenario_from_tree(&scenario, pool, tree, ".", load, err);
    }
    if (status == FSIM_OK) {
        status = fsim_run(&result, scenario, options, err);
    }
    fsim_scenario_destroy(scenario);
    return status == FSIM_OK ? result : NULL;
}

fsim_result *engine_run_with(const char *text, const fsim_run_options *options, const fsim_load_options *load,
                             fsim_error *err) {
    return load_and_run(text, load, options, err);
}

fsim_result *engine_run(const char *text, uint64_t seed,
                        fsim_status (*on_request)(void *, const fsim_request_row *, fsim_error *),
                        void *user) {
    fsim_error err = {0};
    fsim_load_options load = {0};
    fsim_run_options options = {.seed = seed, .on_request = on_request, .user = user};
    fsim_result *result = load_and_run(text, &load, &options, &err);
    if (result == NULL) {
        printf("%s: %s\n%.400s...\n", err.place, err.text, text);
    }
    return result;
}

fsim_result *engine_run_metered(const char *text, uint64_t seed, const fsim_load_options *load,
                                const fsim_meter_plan *meters) {
    fsim_error err = {0};
    fsim_result *result = load_and_run(text, load, &(fsim_run_options){.seed = seed, .meters = meters}, &err);
    if (result == NULL) {
        printf("%s: %s\n%.400s...\n", err.place, err.text, text);
    }
    return result;
}

fsim_result *engine_run_random(const random_scenario *s) {
    char *text = random_scenario_print(s);
    fsim_result *result = engine_run(text, s->seed, NULL, NULL);
    free(text);
    return result;
}
