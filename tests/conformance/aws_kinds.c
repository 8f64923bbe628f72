/* What the documents of AWS work out: limits of Lambda as runs of the engine under the bundle, step scaling
 * and cooldowns as calls of the decision code. */
#include "conformance.h"
#include "verdict.h"

#include "autoscale/cooldown.h"
#include "autoscale/step_scaling.h"
#include "io/json_reader.h"
#include "io/scenario_load.h"
#include "model/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS_MAX 2e7
#define BURSTS_MAX   1024u

/* ---- runs ---- */

/* A scenario as text while it is written. */
typedef struct scenario_text {
    FILE *stream;
    char *text;
    size_t size;
    double requests;
    const char *separator;
} scenario_text;

static void begin_arrivals(scenario_text *s) {
    *s = (scenario_text){.separator = ""};
    s->stream = open_memstream(&s->text, &s->size);
    fsim_assert(s->stream != NULL);
    fputs("{\"schema\": \"fsim.scenario/1\", \"name\": \"vector\", \"billing\": [],"
          " \"workload\": {\"source\": \"list\", \"arrivals\": [",
          s->stream);
}

static void add_arrivals(scenario_text *s, double at_s, double duration_s, double count,
                         const char *function) {
    s->requests += count;
    if (count > 0) {
        fprintf(s->stream,
                "%s{\"arrival\": \"%.9fs\", \"duration\": \"%.9fs\", \"count\": %.0f, \"function\": \"%s\"}",
                s->separator, at_s, duration_s, count, function);
        s->separator = ", ";
    }
}

/* Runs the finished text and frees it; NULL with a failed verdict. */
static fsim_result *run_text(verdict *v, scenario_text *s, const fsim_run_options *options) {
    fsim_error err = {0};
    fsim_value *tree = NULL;
    fsim_scenario *loaded = NULL;
    fsim_result *result = NULL;
    fclose(s->stream);
    fsim_value_pool *pool = fsim_value_pool_create();
    fsim_assert(pool != NULL);
    if (v->failed || !(s->requests <= REQUESTS_MAX)) {
        verdict_fail(v, "up to 2e7 requests", "%.12g", s->requests);
        fsim_value_pool_destroy(pool);
        free(s->text);
        return NULL;
    }
    fsim_status status = fsim_json_read_text(pool, s->text, "vector", &tree, &err);
    if (status != FSIM_OK) {
        fsim_value_pool_destroy(pool);
    } else {
        fsim_load_options load = {0};
        status = fsim_scenario_from_tree(&loaded, pool, tree, ".", &load, &err);
    }
    if (status == FSIM_OK) {
        status = fsim_run(&result, loaded, options, &err);
    }
    if (status != FSIM_OK) {
        verdict_fail(v, "a run", "%s: %s", err.place, err.text);
    }
    fsim_scenario_destroy(loaded);
    free(s->text);
    return result;
}

/* The bundle lambda without cold starts, its account limit and start rate from the vector. `busy`
 * environments of another function run from the beginning to the end. */
static void end_with_lambda(scenario_text *s, double busy, double account, const char *start_rate) {
    fprintf(s->stream,
            "]}, \"functions\": [{\"name\": \"fn\", \"cold_start\": \"0s\"},"
            " {\"name\": \"running\", \"cold_start\": \"0s\", \"timeout\": null, \"provisioned\": %.0f}],"
            " \"policy\": {\"bundle\": \"lambda\"},"
            " \"platform\": {\"account_concurrency\": %.0f, \"gateway\": null, \"start_rate\": %s},"
            " \"run\": {\"windows\": {\"every\": \"60s\"}}}",
            busy, account, start_rate);
}

/* The limits until 2023: a burst of the region, then so many more a minute. Requests last less than a minute,
 * and those of a minute arrive together at its beginning. */
static void run_burst_2017(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *each = verdict_read_array(&v, verdict_read_object(&v, vector, "input"), "arrivals_per_min");
    const json_t *expect = verdict_read_object(&v, vector, "expect");
    double account = verdict_read_real(&v, params, "account_concurrency");
    char rate[160];
    snprintf(rate, sizeof rate,
             "{\"kind\": \"token_bucket\", \"n\": %.0f, \"window\": \"60s\", \"burst\": %.0f, \"scope\": "
             "\"region\"}",
             verdict_read_real(&v, params, "growth_per_min"), verdict_read_real(&v, params, "initial_burst"));
    scenario_text s;
    begin_arrivals(&s);
    for (size_t m = 0; m < json_array_size(each); m++) {
        add_arrivals(&s, 60.0 * (double)m, 30, json_number_value(json_array_get(each, m)), "fn");
    }
    end_with_lambda(&s, 0, account, rate);
    fsim_run_options options = {.seed = 1};
    fsim_result *r = run_text(&v, &s, &options);
    const json_t *throttled = verdict_read_array(&v, expect, "throttled_per_min");
    const json_t *environments = json_object_get(expect, "environments_per_min");
    for (size_t m = 0; m < json_array_size(each) && !v.failed; m++) {
        fsim_window_row none = {0};
        const fsim_window_row *row = m < r->window_count ? &r->windows[m].all : &none;
        verdict_at(&v, "minute", m);
        verdict_number(&v, "throttled", json_number_value(json_array_get(throttled, m)),
                       (double)row->n.rejected_429, 0);
        if (environments != NULL) {
            verdict_number(&v, "environments", json_number_value(json_array_get(environments, m)),
                           (double)row->instances_end, 0);
        }
    }
    fsim_result_destroy(r);
    verdict_end(&v);
}

/* Refused requests by the instant of their arrival. */
typedef struct refusals {
    fsim_ns at_ns[BURSTS_MAX];
    double count[BURSTS_MAX];
    size_t n;
} refusals;

static fsim_status note_refusal(void *user, const fsim_request_row *row, fsim_error *err) {
    refusals *list = user;
    (void)err;
    for (size_t i = 0; i < list->n; i++) {
        list->count[i] += row->arrival_ns == list->at_ns[i] && row->outcome == FSIM_REJECTED_429;
    }
    return FSIM_OK;
}

/* The limits since 2023: 1,000 environments each 10 s for a function, refilled continuously. */
static void run_scaling_2023(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *input = verdict_read_object(&v, vector, "input");
    const json_t *bursts = verdict_read_array(&v, input, "bursts");
    const json_t *expect = verdict_read_array(&v, verdict_read_object(&v, vector, "expect"), "throttled");
    double account = verdict_read_real(&v, params, "account_concurrency");
    double busy = verdict_real_or(&v, input, "busy", 0);
    refusals list = {.n = json_array_size(bursts)};
    if (list.n > BURSTS_MAX) {
        verdict_fail(&v, "up to 1024 bursts", "%zu", list.n);
        list.n = 0;
    }
    char rate[160];
    snprintf(rate, sizeof rate,
             "{\"kind\": \"token_bucket\", \"n\": %.0f, \"window\": \"10s\", \"burst\": %.0f, \"scope\": "
             "\"function\"}",
             verdict_read_real(&v, params, "rate_per_10s"), verdict_read_real(&v, params, "bucket"));
    scenario_text s;
    begin_arrivals(&s);
    add_arrivals(&s, 0, 1e9, busy, "running");
    for (size_t i = 0; i < list.n; i++) {
        const json_t *burst = json_array_get(bursts, i);
        list.at_ns[i] = verdict_read_seconds(&v, burst, "t_s");
        add_arrivals(&s, verdict_read_real(&v, burst, "t_s"), verdict_read_real(&v, burst, "duration_s"),
                     verdict_read_real(&v, burst, "requests"), "fn");
    }
    end_with_lambda(&s, busy, account, rate);
    fsim_run_options options = {.seed = 1, .on_request = note_refusal, .user = &list};
    fsim_result_destroy(run_text(&v, &s, &options));
    for (size_t i = 0; i < list.n && !v.failed; i++) {
        verdict_at(&v, "burst", i);
        verdict_number(&v, "throttled", json_number_value(json_array_get(expect, i)), list.count[i], 0);
    }
    verdict_end(&v);
}

/* Constant arrivals of constant length: after the first length the number inside is rate x length on average.
 */
static void run_littles_law(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *input = verdict_read_object(&v, vector, "input");
    double rps = verdict_read_real(&v, input, "rps"), duration_s = verdict_read_real(&v, input, "duration_s");
    double expected = verdict_read_real(&v, verdict_read_object(&v, vector, "expect"), "concurrency");
    double periods = 1000;
    if (!(rps > 0) || !(duration_s >= 0) || !(rps * duration_s + periods <= REQUESTS_MAX)) {
        verdict_fail(&v, "a load above 0, up to 2e7 requests", "another");
        verdict_end(&v);
        return;
    }
    scenario_text s = {0};
    s.stream = open_memstream(&s.text, &s.size);
    fsim_assert(s.stream != NULL);
    fprintf(
        s.stream,
        "{\"schema\": \"fsim.scenario/1\", \"name\": \"vector\", \"billing\": [], \"workload\": {\"source\":"
        " \"constant\", \"interval\": \"%.9fs\"}, \"functions\": [{\"name\": \"fn\", \"service\": "
        "\"%.9fs\"}],"
        " \"policy\": {\"bundle\": \"none\"}, \"run\": {\"warmup\": \"%.9fs\", \"until\": \"%.9fs\"}}",
        1 / rps, duration_s, duration_s, duration_s + periods / rps);
    fsim_run_options options = {.seed = 1};
    fsim_result *r = run_text(&v, &s, &options);
    if (r != NULL) {
        double mean = (double)r->total.in_execution_ns / (double)r->horizon_ns;
        verdict_number(&v, "concurrency", expected, mean, 1e-6 * expected + 1e-9);
    }
    fsim_result_destroy(r);
    verdict_end(&v);
}

/* ---- decisions ---- */

static void run_step_rounding(conformance *c, const json_t *vector) {
    static const struct {
        const char *name;
        fsim_adjust_kind kind;
    } kinds[] = {
        {"percent", FSIM_ADJUST_PERCENT}, {"change", FSIM_ADJUST_CHANGE}, {"exact", FSIM_ADJUST_EXACT}};
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *input = verdict_read_object(&v, vector, "input");
    const char *name = verdict_read_text(&v, params, "adjustment");
    fsim_adjustment by = {.value = verdict_read_real(&v, input, "change")};
    size_t k = 0;
    while (k < 3 && strcmp(kinds[k].name, name) != 0) {
        k++;
    }
    if (k == 3) {
        verdict_fail(&v, "adjustment percent, change or exact", "\"%s\"", name);
    } else {
        by.kind = kinds[k].kind;
    }
    int64_t after =
        fsim_step_adjust(verdict_read_int(&v, input, "capacity"), by,
                         verdict_int_or(&v, params, "min_adjustment_magnitude", 0),
                         verdict_int_or(&v, params, "min", 0), verdict_int_or(&v, params, "max", INT32_MAX));
    verdict_number(&v, "capacity",
                   verdict_read_real(&v, verdict_read_object(&v, vector, "expect"), "capacity"),
                   (double)after, 0);
    verdict_end(&v);
}

static void run_cooldown(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    fsim_ns span_ns = verdict_read_seconds(&v, verdict_read_object(&v, vector, "params"), "cooldown_s");
    const json_t *input = verdict_read_object(&v, vector, "input");
    const json_t *alarms = verdict_read_array(&v, input, "alarms");
    const json_t *expect = verdict_read_array(&v, verdict_read_object(&v, vector, "expect"), "capacity");
    int64_t capacity = verdict_read_int(&v, input, "capacity");
    fsim_cooldown cooldown = {0};
    for (size_t i = 0; i < json_array_size(alarms) && !v.failed; i++) {
        const json_t *alarm = json_array_get(alarms, i);
        verdict_at(&v, "alarm", i);
        fsim_ns at_ns = verdict_read_seconds(&v, alarm, "t_s");
        capacity = fsim_cooldown_apply(&cooldown, at_ns, span_ns, span_ns, capacity,
                                       verdict_read_int(&v, alarm, "change"));
        verdict_number(&v, "capacity", json_number_value(json_array_get(expect, i)), (double)capacity, 0);
    }
    verdict_end(&v);
}

const conformance_kind aws_kinds[] = {
    {"lambda_burst_2017", run_burst_2017}, {"lambda_scaling_2023", run_scaling_2023},
    {"littles_law", run_littles_law},      {"step_rounding", run_step_rounding},
    {"scale_out_cooldown", run_cooldown},  {NULL, NULL}};
