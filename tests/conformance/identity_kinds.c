/* Identities that every run must keep (validity_other.json, group k): each is tried on random small
 * scenarios, through the public engine. An identity says how many scenarios it was tried on; the seed of the
 * first that breaks it is in the message, and `random_scenario_print` turns it into a file. */
#include "case.h"

#include "oracle/random_scenario.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCENARIOS 200u

/* The outcome of one identity on one scenario. */
typedef enum finding { HOLDS, BROKEN, NOT_MEANT } finding;

typedef struct trial {
    random_scenario scenario;
    char found[160];
} trial;

__attribute__((format(printf, 2, 3))) static finding broken(trial *t, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(t->found, sizeof t->found, fmt, args);
    va_end(args);
    return BROKEN;
}

static double seconds(fsim_wide ns) {
    return (double)ns / 1e9;
}

/* ---- of one run ---- */

static finding check_scopes(trial *t, finding (*check)(trial *, const fsim_scope *)) {
    fsim_result *r = engine_run_random(&t->scenario);
    if (r == NULL) {
        return broken(t, "no run");
    }
    finding f = check(t, &r->total);
    for (uint32_t i = 0; i < r->function_count && f == HOLDS; i++) {
        f = check(t, &r->per_function[i]);
    }
    fsim_result_destroy(r);
    return f;
}

static finding scope_conserves(trial *t, const fsim_scope *s) {
    const fsim_counts *n = &s->n;
    uint64_t out =
        n->completed + n->rejected_429 + n->rejected_503 + n->timed_out + n->failed + n->in_system_at_end;
    return out == n->arrived ? HOLDS
                             : broken(t, "%" PRIu64 " arrived, %" PRIu64 " accounted for", n->arrived, out);
}

static finding requests_conserved(trial *t) {
    return check_scopes(t, scope_conserves);
}

static finding scope_cold_is_created(trial *t, const fsim_scope *s) {
    return s->n.cold_triggered == s->n.started
               ? HOLDS
               : broken(t, "%" PRIu64 " cold starts, %" PRIu64 " instances created", s->n.cold_triggered,
                        s->n.started);
}

static void drop_provisioned(naive_world *w) {
    for (uint32_t i = 0; i < w->function_count; i++) {
        w->functions[i].provisioned = 0;
    }
}

static finding cold_equals_created(trial *t) {
    naive_world *w = &t->scenario.world;
    if (w->late) {
        return NOT_MEANT;
    }
    drop_provisioned(w);
    w->warmup_ns = 0; /* a request from before the warm-up may start an instance after it */
    return check_scopes(t, scope_cold_is_created);
}

static finding instances_conserved(trial *t) {
    naive_world *w = &t->scenario.world;
    w->warmup_ns = 0;
    w->until_ns = 1000 * FSIM_SECOND;
    char *text = random_scenario_print(&t->scenario), probe[] = ", \"probe\": {\"at\": [\"1000s\"]}}}\n";
    char *with_probe = malloc(strlen(text) + sizeof probe);
    fsim_assert(with_probe != NULL);
    memcpy(with_probe, text, strlen(text) - 3); /* before the two closing braces */
    memcpy(with_probe + strlen(text) - 3, probe, sizeof probe);
    fsim_result *r = engine_run(with_probe, t->scenario.seed, NULL, NULL);
    free(with_probe);
    free(text);
    if (r == NULL) {
        return broken(t, "no run");
    }
    const fsim_counts *n = &r->total.n;
    uint64_t alive = r->probes[0].instances;
    finding f = n->started == n->removed + n->crashed + alive
                    ? HOLDS
                    : broken(t, "%" PRIu64 " created, %" PRIu64 " removed, %" PRIu64 " alive", n->started,
                             n->removed + n->crashed, alive);
    fsim_result_destroy(r);
    return f;
}

/* The metered usage follows instances from start to end, the scopes integrate counts over time: two ways to
 * the same time. */
static finding instance_time(trial *t) {
    t->scenario.world.warmup_ns = 0;
    drop_provisioned(&t->scenario.world);
    fsim_result *r = engine_run_random(&t->scenario);
    if (r == NULL) {
        return broken(t, "no run");
    }
    finding f = HOLDS;
    for (uint32_t i = 0; i < r->function_count && f == HOLDS; i++) {
        const fsim_scope *s = &r->per_function[i];
        const fsim_usage *u = &r->usage[i];
        if ((fsim_wide)u->residency_ns != s->busy_ns + s->idle_ns ||
            (fsim_wide)u->starting_ns != s->starting_ns) {
            f = broken(t, "lifetimes %.9f s + starts %.9f s, integrals %.9f s + %.9f s",
                       seconds((fsim_wide)u->residency_ns), seconds((fsim_wide)u->starting_ns),
                       seconds(s->busy_ns + s->idle_ns), seconds(s->starting_ns));
        }
    }
    fsim_result_destroy(r);
    return f;
}

static finding scope_little(trial *t, const fsim_scope *s) {
    fsim_wide inside_ns = s->service.sum_ns;
    return s->in_execution_ns == inside_ns
               ? HOLDS
               : broken(t, "integral of requests in execution %.9f s, sum of their times %.9f s",
                        seconds(s->in_execution_ns), seconds(inside_ns));
}

/* Everybody has left at the end, so nothing is clipped. */
static finding little_requests(trial *t) {
    t->scenario.world.warmup_ns = 0;
    t->scenario.world.until_ns = FSIM_NEVER;
    return check_scopes(t, scope_little);
}

static finding scope_little_busy(trial *t, const fsim_scope *s) {
    return s->busy_ns == s->service.sum_ns
               ? HOLDS
               : broken(t, "busy %.9f s, service %.9f s", seconds(s->busy_ns), seconds(s->service.sum_ns));
}

static finding little_busy(trial *t) {
    naive_world *w = &t->scenario.world;
    w->warmup_ns = 0;
    w->until_ns = FSIM_NEVER;
    for (uint32_t i = 0; i < w->function_count; i++) {
        w->functions[i].slots = 1;
    }
    return check_scopes(t, scope_little_busy);
}

/* One period of idleness for each service that ended and was not followed by another at once: at most one a
 * completion. The engine gives sums, so the bound is on the sum; that expired ones lasted exactly T follows
 * where all have expired. */
static finding idle_bound(trial *t) {
    naive_world *w = &t->scenario.world;
    if (w->remove_at_completion || w->window_ns == FSIM_NEVER || w->late) {
        return NOT_MEANT;
    }
    drop_provisioned(w);
    w->warmup_ns = 0;
    w->until_ns = 100000 * FSIM_SECOND; /* long after everybody has left */
    fsim_result *r = engine_run_random(&t->scenario);
    if (r == NULL) {
        return broken(t, "no run");
    }
    const fsim_scope *s = &r->total;
    fsim_wide least = (fsim_wide)w->window_ns * (fsim_wide)s->n.removed;
    fsim_wide most = (fsim_wide)w->window_ns * (fsim_wide)s->n.completed;
    finding f =
        s->idle_ns >= least && s->idle_ns <= most && s->n.removed == s->n.started
            ? HOLDS
            : broken(t, "%" PRIu64 " of %" PRIu64 " instances expired, idle %.9f s outside [%.9f, %.9f] s",
                     s->n.removed, s->n.started, seconds(s->idle_ns), seconds(least), seconds(most));
    fsim_result_destroy(r);
    return f;
}

static void lift_limits(naive_world *w) {
    for (uint32_t i = 0; i < w->function_count; i++) {
        w->functions[i].max_instances = FSIM_UNLIMITED;
    }
    w->account_concurrency = UINT64_MAX;
    w->memory_quota_mb = INT64_MAX;
    w->start_rate = (fsim_start_limit){0};
    w->retry_on_429 = false;
}

static finding scope_no_429(trial *t, const fsim_scope *s) {
    return s->n.rejected_429 == 0 ? HOLDS : broken(t, "%" PRIu64 " refused with 429", s->n.rejected_429);
}

static finding r429_zero_without_limit(trial *t) {
    lift_limits(&t->scenario.world);
    return check_scopes(t, scope_no_429);
}

/* ---- of several runs ---- */

/* What the keep-alive identities are stated for: no limits, one slot, no delay of a start. */
static void plain_world(naive_world *w) {
    lift_limits(w);
    drop_provisioned(w);
    for (uint32_t i = 0; i < w->function_count; i++) {
        w->functions[i].slots = 1;
        w->functions[i].cold_ns = 0;
    }
    w->late = false;
    w->cancel_start = false;
    w->remove_at_completion = false;
    w->queue_capacity = 0;
    w->queue_timeout_ns = FSIM_NEVER;
    w->warmup_ns = 0;
    w->until_ns = FSIM_NEVER;
}

static uint64_t cold_starts(const random_scenario *s) {
    fsim_result *r = engine_run_random(s);
    uint64_t n = r == NULL ? UINT64_MAX : r->total.n.cold_triggered;
    fsim_result_destroy(r);
    return n;
}

static finding monotone_window(trial *t) {
    naive_world *w = &t->scenario.world;
    plain_world(w);
    t->scenario.route_name = "newest_idle";
    uint64_t before = UINT64_MAX;
    for (w->window_ns = 0; w->window_ns < 100 * FSIM_SECOND;
         w->window_ns = 2 * w->window_ns + 100 * FSIM_MS) {
        uint64_t now = cold_starts(&t->scenario);
        if (now > before) {
            return broken(t,
                          "%" PRIu64 " cold starts with a window of %.1f s, %" PRIu64 " with a shorter one",
                          now, fsim_ns_to_s(w->window_ns), before);
        }
        before = now;
    }
    return HOLDS;
}

static finding scope_high_water(trial *t, const fsim_scope *s) {
    return s->n.cold_triggered == s->in_execution_peak
               ? HOLDS
               : broken(t, "%" PRIu64 " cold starts, at most %" PRIu64 " at once", s->n.cold_triggered,
                        s->in_execution_peak);
}

static finding infinite_window(trial *t) {
    plain_world(&t->scenario.world);
    t->scenario.world.window_ns = FSIM_NEVER;
    t->scenario.world.function_count = 1;
    for (uint32_t i = 0; i < t->scenario.world.arrival_count; i++) {
        t->scenario.arrivals[i].fn = 0;
    }
    return check_scopes(t, scope_high_water);
}

/* Instants are made distinct: an arrival at the very end of another request would find its instance. */
static finding zero_window(trial *t) {
    naive_world *w = &t->scenario.world;
    plain_world(w);
    w->window_ns = 0;
    for (uint32_t i = 0; i < w->arrival_count; i++) {
        t->scenario.arrivals[i].at_ns = t->scenario.arrivals[i].at_ns / FSIM_MS * FSIM_MS + 2 * i;
        t->scenario.arrivals[i].service_ns = t->scenario.arrivals[i].service_ns / FSIM_MS * FSIM_MS + 1;
    }
    uint64_t cold = cold_starts(&t->scenario);
    return cold == w->arrival_count ? HOLDS : broken(t, "%" PRIu64 " of %u cold", cold, w->arrival_count);
}

static finding seed_reproducible(trial *t) {
    fsim_result *a = engine_run_random(&t->scenario), *b = engine_run_random(&t->scenario);
    finding f = HOLDS;
    if (a == NULL || b == NULL) {
        f = broken(t, "no run");
    } else if (a->digest != b->digest) {
        f = broken(t, "digests %016" PRIx64 " and %016" PRIx64, a->digest, b->digest);
    }
    fsim_result_destroy(a);
    fsim_result_destroy(b);
    return f;
}

static fsim_ns twice(fsim_ns span_ns) {
    return span_ns == FSIM_NEVER ? FSIM_NEVER : 2 * span_ns;
}

static void double_all_times(random_scenario *s) {
    naive_world *w = &s->world;
    for (uint32_t i = 0; i < w->arrival_count; i++) {
        s->arrivals[i].at_ns *= 2;
        s->arrivals[i].service_ns *= 2;
    }
    for (uint32_t i = 0; i < w->function_count; i++) {
        w->functions[i].cold_ns *= 2;
    }
    w->window_ns = twice(w->window_ns);
    w->queue_timeout_ns = twice(w->queue_timeout_ns);
    w->start_rate.window_ns *= 2;
    w->retry_ns *= 2;
    w->warmup_ns *= 2;
    w->until_ns = twice(w->until_ns);
}

/* Scenarios with given times only: of drawn ones a time is rounded to the nanosecond after it is drawn. */
static finding time_scaling(trial *t) {
    if (t->scenario.drawn) {
        return NOT_MEANT;
    }
    fsim_result *a = engine_run_random(&t->scenario);
    double_all_times(&t->scenario);
    fsim_result *b = engine_run_random(&t->scenario);
    finding f = HOLDS;
    if (a == NULL || b == NULL) {
        f = broken(t, "no run");
    } else if (memcmp(&a->total.n, &b->total.n, sizeof a->total.n) != 0) {
        f = broken(
            t, "counts changed: %" PRIu64 " and %" PRIu64 " completed, %" PRIu64 " and %" PRIu64 " cold",
            a->total.n.completed, b->total.n.completed, a->total.n.cold_affected, b->total.n.cold_affected);
    } else if (b->horizon_ns != 2 * a->horizon_ns || b->total.idle_ns != 2 * a->total.idle_ns ||
               b->total.busy_ns != 2 * a->total.busy_ns ||
               b->total.latency.sum_ns != 2 * a->total.latency.sum_ns) {
        f = broken(t, "times did not double: busy %.9f and %.9f s", seconds(a->total.busy_ns),
                   seconds(b->total.busy_ns));
    }
    fsim_result_destroy(a);
    fsim_result_destroy(b);
    return f;
}

/* The scenario with only the arrivals of one function; the names stay, and with them the random streams. */
static void keep_one(random_scenario *s, uint32_t fn) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->world.arrival_count; i++) {
        if (s->arrivals[i].fn == fn) {
            s->arrivals[kept++] = s->arrivals[i];
        }
    }
    s->world.arrival_count = kept;
}

static finding split_merge(trial *t) {
    naive_world *w = &t->scenario.world;
    if (t->scenario.drawn) {
        return NOT_MEANT; /* its arrivals are bounded together */
    }
    w->account_concurrency = UINT64_MAX;
    w->memory_quota_mb = INT64_MAX;
    w->start_rate.per_function = true;
    w->until_ns = 1000 * FSIM_SECOND;
    fsim_result *together = engine_run_random(&t->scenario);
    finding f = together == NULL ? broken(t, "no run") : HOLDS;
    for (uint32_t fn = 0; fn < w->function_count && f == HOLDS; fn++) {
        random_scenario alone = t->scenario;
        alone.arrivals = malloc(w->arrival_count * sizeof *alone.arrivals);
        fsim_assert(alone.arrivals != NULL);
        memcpy(alone.arrivals, t->scenario.arrivals, w->arrival_count * sizeof *alone.arrivals);
        alone.world.arrivals = alone.arrivals;
        keep_one(&alone, fn);
        fsim_result *r = engine_run_random(&alone);
        if (r == NULL) {
            f = broken(t, "no run");
        } else if (memcmp(&r->per_function[fn].n, &together->per_function[fn].n, sizeof r->total.n) != 0 ||
                   r->per_function[fn].idle_ns != together->per_function[fn].idle_ns ||
                   r->per_function[fn].latency.sum_ns != together->per_function[fn].latency.sum_ns) {
            f = broken(t, "f%u differs when simulated alone", fn + 1);
        }
        fsim_result_destroy(r);
        free(alone.arrivals);
    }
    fsim_result_destroy(together);
    return f;
}

/* ---- the kinds ---- */

static const struct {
    const char *metric;
    finding (*try)(trial *);
} identities[] = {{"requests_conserved", requests_conserved},
                  {"cold_equals_created", cold_equals_created},
                  {"instances_conserved", instances_conserved},
                  {"instance_time", instance_time},
                  {"little_requests", little_requests},
                  {"little_busy", little_busy},
                  {"idle_bound", idle_bound},
                  {"r429_zero_without_limit", r429_zero_without_limit},
                  {"monotone_T", monotone_window},
                  {"infinite_T_hwm", infinite_window},
                  {"zero_T", zero_window},
                  {"seed_reproducible", seed_reproducible},
                  {"time_scaling", time_scaling},
                  {"split_merge", split_merge}};

/* The identities are about instances that live by their keep-alive: not by a session, nor until a crash. */
static void without_sessions_and_crashes(random_scenario *s) {
    for (uint32_t i = 0; i < s->world.function_count; i++) {
        s->world.functions[i].has_sessions = false;
        s->world.functions[i].lifetime_ns = FSIM_NEVER;
        s->world.functions[i].strike_count = 0;
    }
    s->world.retry_on_failed = false;
}

static void run_identity(conformance *c, const json_t *vector) {
    const char *id = json_string_value(json_object_get(vector, "id"));
    const char *metric = json_string_value(json_object_get(vector, "metric"));
    finding (*try)(trial *) = NULL;
    uint32_t held = 0;
    char text[256];
    for (size_t i = 0; i < sizeof identities / sizeof *identities; i++) {
        try = metric != NULL && strcmp(metric, identities[i].metric) == 0 ? identities[i].try : try
            ;
    }
    if (try == NULL) {
        conformance_skip(c, id, "unknown identity");
        return;
    }
    for (uint32_t seed = 1; seed <= SCENARIOS; seed++) {
        trial t;
        random_scenario_init(&t.scenario, seed, seed % 2 == 0);
        t.scenario.world.versions = false; /* the identities speak of functions, each for itself */
        without_sessions_and_crashes(&t.scenario);
        finding f = try(&t);
        random_scenario_clear(&t.scenario);
        if (f == BROKEN) {
            snprintf(text, sizeof text, "%s (random scenario %u)", t.found, seed);
            conformance_fail(c, id, "the identity to hold", text);
            return;
        }
        held += f == HOLDS;
    }
    snprintf(text, sizeof text, "%u random scenarios", held);
    conformance_pass_with(c, id, text);
}

/* A thinned source draws candidates at the highest rate and keeps some: the share it keeps is its rate over
 * that of the candidates. Judged as a case. */
static void run_thinning(conformance *c, const json_t *vector) {
    const json_t *params = json_object_get(vector, "params"), *arrival = json_object_get(params, "arrival");
    const char *id = json_string_value(json_object_get(vector, "id"));
    double envelope = json_number_value(json_object_get(params, "envelope_rate"));
    double period = json_number_value(json_object_get(arrival, "period"));
    double ratio = json_number_value(json_object_get(vector, "expected"));
    char span[32], until[32];
    snprintf(span, sizeof span, "%.9fs", period);
    snprintf(until, sizeof until, "%.9fs", 10 * period);
    json_t *judged = json_pack(
        "{s:s, s:s, s:s, s:{s:s, s:s, s:{s:s, s:O, s:O, s:O, s:s, s:s}, s:[{s:s, s:s, s:s}], s:{s:s}},"
        " s:[{s:s, s:{s:s, s:s}, s:f, s:f, s:O}], s:{s:i, s:{s:s, s:s}}}",
        "schema", "fsim.case/1", "id", id, "command", "generate", "scenario", "schema", "fsim.scenario/1",
        "name", "thinning", "workload", "source", "sinusoid", "rate", json_object_get(arrival, "rate"),
        "amplitude", json_object_get(arrival, "amp"), "phase", json_object_get(arrival, "phase"), "period",
        span, "until", until, "functions", "name", "fn", "service", "0s", "cold_start", "0s", "policy",
        "bundle", "none", "check", "id", "acceptance", "statistic", "of", "arrival", "name", "rate",
        "expected", ratio * envelope, "ref_err", 1e-6, "accept", json_object_get(vector, "accept"),
        "precision", "runs", 1, "extend", "key", "workload.until", "step", span);
    case_options options = {.quick = true, .budget = CASE_BUDGET};
    if (judged == NULL) {
        conformance_fail(c, id, "a sinusoid with an envelope", "something else");
    } else {
        case_judge(c, judged, &options);
    }
    json_decref(judged);
}

static void skip_histogram(conformance *c, const json_t *vector) {
    conformance_skip(c, json_string_value(json_object_get(vector, "id")),
                     "windows learned from a histogram: no such keep-alive policy here");
}

const conformance_kind identity_kinds[] = {{"group:k", run_identity},
                                           {"h:acceptance_ratio", run_thinning},
                                           {"e:learned_windows_s", skip_histogram},
                                           {NULL, NULL}};
