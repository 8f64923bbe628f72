/* Billing without a simulation (validity_other.json, group g): timelines to price, CPU windows, minimum
 * lifetimes, bills of totals, and the order of the ways of billing. All through sim/billing: the meters of
 * the engine and the evaluation of price books. */
#include "conformance.h"

#include "billing/invoice.h"
#include "billing/meter.h"
#include "billing/timeline.h"
#include "io/json_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *id_of(const json_t *vector) {
    const char *id = json_string_value(json_object_get(vector, "id"));
    return id == NULL ? "?" : id;
}

/* A whole number of the parameters; false: absent, or another type. */
static bool get_int(const json_t *object, const char *key, int64_t *out) {
    const json_t *value = json_object_get(object, key);
    *out = json_integer_value(value);
    return json_is_integer(value);
}

static void fail_layout(conformance *c, const json_t *vector, const char *what) {
    conformance_fail(c, id_of(vector), what, "a vector without it");
}

/* ---- timelines
 * ----------------------------------------------------------------------------------------------------- */

/* The figures that a timeline of requests on instances has under every way of billing (validity spec, group
 * g). */
enum {
    R1,
    R1_MB,
    R100,
    R100_MB,
    RM50,
    RM50_MB,
    A1,
    A1_MB,
    INTERVALS,
    A1M,
    A1M_MB,
    INTERVALS_M,
    A0,
    AT,
    AT_MB,
    FIGURES
};
static const char *const figure_names[FIGURES] = {
    "R1_ms", "R1_MBms", "R100_ms",   "R100_MBms",    "RM50_ms",        "RM50_MBms",
    "A1_ms", "A1_MBms", "intervals", "A1_merged_ms", "A1_merged_MBms", "intervals_merged",
    "A0_us", "AT_ms",   "AT_MBms"};

typedef struct timeline {
    fsim_timeline_instance *instances;
    fsim_timeline_request *requests; /* room for all of them per instance */
    size_t instance_count, request_count;
} timeline;

static void timeline_free(timeline *t) {
    free(t->instances);
    free(t->requests);
}

/* Instances in the order of "memory_mb": {"0": 128, …}. */
static bool timeline_read(timeline *t, const json_t *params) {
    json_t *sizes = json_object_get(params, "memory_mb"), *requests = json_object_get(params, "requests"),
           *size, *request;
    const char *name;
    size_t i;
    *t = (timeline){.instance_count = json_object_size(sizes), .request_count = json_array_size(requests)};
    if (t->instance_count == 0 || !json_is_array(requests)) {
        return false;
    }
    t->instances = calloc(t->instance_count, sizeof *t->instances);
    t->requests = calloc(t->instance_count * (t->request_count + 1), sizeof *t->requests);
    if (t->instances == NULL || t->requests == NULL) {
        return false;
    }
    fsim_timeline_instance *instance = t->instances;
    json_object_foreach(sizes, name, size) {
        *instance = (fsim_timeline_instance){.memory_mb = (uint64_t)json_integer_value(size),
                                             .vcpu_milli = 1000,
                                             .end_ns = FSIM_NEVER,
                                             .freeze = true,
                                             .requests = t->requests + (size_t)(instance - t->instances) *
                                                                           t->request_count};
        json_array_foreach(requests, i, request) {
            int64_t inst, start_us, end_us;
            if (!get_int(request, "inst", &inst) || !get_int(request, "start_us", &start_us) ||
                !get_int(request, "end_us", &end_us)) {
                return false;
            }
            if (inst == strtoll(name, NULL, 10)) {
                instance->requests[instance->request_count++] =
                    (fsim_timeline_request){start_us * FSIM_US, end_us * FSIM_US};
            }
        }
        instance++;
    }
    return true;
}

static bool price_timeline(timeline *t, int64_t figures[FIGURES]) {
    fsim_meter_plan plan = {.window_ns = FSIM_SECOND};
    const fsim_timeline_options merged = {.merge_touching = true};
    fsim_meter_rules_add(&plan.request, 1, 0);
    fsim_meter_rules_add(&plan.request, 100, 0);
    fsim_meter_rules_add(&plan.request, 1, 50);
    fsim_meter_rules_add(&plan.active, 1, 0);
    memset(figures, 0, FIGURES * sizeof *figures);
    for (size_t i = 0; i < t->instance_count; i++) {
        fsim_usage apart, joined;
        if (fsim_timeline_meter(&t->instances[i], &plan, NULL, &apart, NULL) != FSIM_OK ||
            fsim_timeline_meter(&t->instances[i], &plan, &merged, &joined, NULL) != FSIM_OK) {
            return false;
        }
        uint64_t once_ms = fsim_meter_ceil_ms((uint64_t)apart.active_ns);
        const uint64_t ms[] = {apart.request_ms[0], apart.request_ms[1], apart.request_ms[2],
                               apart.active_ms[0],  joined.active_ms[0], once_ms};
        static const int figure_of[] = {R1, R100, RM50, A1, A1M, AT};
        for (int f = 0; f < 6; f++) {
            figures[figure_of[f]] += (int64_t)ms[f];
            figures[figure_of[f] + 1] += (int64_t)(ms[f] * apart.memory_mb);
        }
        figures[INTERVALS] += (int64_t)apart.active_intervals;
        figures[INTERVALS_M] += (int64_t)joined.active_intervals;
        figures[A0] += (int64_t)(apart.active_ns / FSIM_US);
    }
    return true;
}

static int figure_named(const char *name, size_t length, const char *suffix) {
    for (int f = 0; f < FIGURES; f++) {
        const char *known = figure_names[f];
        if (strncmp(known, name, length) == 0 &&
            (strcmp(known + length, suffix) == 0 || known[length] == '\0')) {
            return f;
        }
    }
    return FIGURES;
}

static void run_timeline(conformance *c, const json_t *vector) {
    timeline t;
    int64_t figures[FIGURES];
    json_t *expected = json_object_get(vector, "expected"), *value;
    const char *name;
    if (!timeline_read(&t, json_object_get(vector, "params")) || !price_timeline(&t, figures) ||
        json_object_size(expected) == 0) {
        fail_layout(c, vector, "requests, memory_mb and expected figures");
        timeline_free(&t);
        return;
    }
    timeline_free(&t);
    json_object_foreach(expected, name, value) {
        int f = figure_named(name, strlen(name), "");
        if (f == FIGURES) {
            fail_layout(c, vector, name);
            return;
        }
        if (json_integer_value(value) != figures[f]) {
            char want[96], have[96];
            snprintf(want, sizeof want, "%s %" JSON_INTEGER_FORMAT, name, json_integer_value(value));
            snprintf(have, sizeof have, "%" PRId64, figures[f]);
            conformance_fail(c, id_of(vector), want, have);
            return;
        }
    }
    conformance_pass(c, id_of(vector));
}

/* "A0<=AT<=A1_merged": whether the figures are in that order, in one unit. */
static void run_order(conformance *c, const json_t *vector) {
    timeline t;
    int64_t figures[FIGURES], before_us = INT64_MIN;
    const char *metric = json_string_value(json_object_get(vector, "metric"));
    bool holds = true, known = metric != NULL;
    if (!timeline_read(&t, json_object_get(vector, "params")) || !price_timeline(&t, figures)) {
        known = false;
    }
    timeline_free(&t);
    for (const char *at = metric; known && at != NULL;) {
        const char *next = strstr(at, "<=");
        size_t length = next == NULL ? strlen(at) : (size_t)(next - at);
        int f = figure_named(at, length, "_ms");
        f = f == FIGURES ? figure_named(at, length, "_us") : f;
        if (f == FIGURES) {
            known = false;
            break;
        }
        int64_t us = f == A0 ? figures[f] : figures[f] * 1000;
        holds = holds && before_us <= us;
        before_us = us;
        at = next == NULL ? NULL : next + 2;
    }
    if (!known) {
        fail_layout(c, vector, "requests, memory_mb and a metric of the form A0<=AT");
        return;
    }
    bool expected = !json_is_false(json_object_get(vector, "expected"));
    if (holds == expected) {
        conformance_pass(c, id_of(vector));
    } else {
        conformance_fail(c, id_of(vector), expected ? metric : "no such order",
                         holds ? metric : "another order");
    }
}

/* ---- CPU windows
 * --------------------------------------------------------------------------------------------------- */

typedef struct flags {
    json_t *list;
} flags;

static void add_flag(void *user, uint64_t index, uint64_t resident_ns, uint64_t cpu, bool active) {
    (void)index, (void)cpu;
    if (resident_ns > 0) {
        json_array_append_new(((flags *)user)->list, json_integer(active));
    }
}

/* An instance that is resident for its whole lifetime; NULL: the layout is another one. */
static json_t *cpu_figures(const json_t *params) {
    int64_t lifetime_ms, vcpu_milli, permille, period_ms, start_ms, end_ms, milli;
    json_t *spans = json_object_get(params, "cpu_usage"), *span;
    size_t i;
    if (!get_int(params, "lifetime_ms", &lifetime_ms) || !get_int(params, "vcpu_milli", &vcpu_milli) ||
        !get_int(params, "threshold_permille", &permille) || !get_int(params, "period_ms", &period_ms) ||
        !json_is_array(spans)) {
        return NULL;
    }
    fsim_timeline_cpu *cpu = calloc(json_array_size(spans) + 1, sizeof *cpu);
    json_array_foreach(spans, i, span) {
        if (cpu == NULL || !get_int(span, "start_ms", &start_ms) || !get_int(span, "end_ms", &end_ms) ||
            !get_int(span, "milli_cpu", &milli)) {
            free(cpu);
            return NULL;
        }
        cpu[i] = (fsim_timeline_cpu){start_ms * FSIM_MS, end_ms * FSIM_MS, (uint32_t)milli * 1000};
    }
    fsim_timeline_instance instance = {.memory_mb = 1024,
                                       .vcpu_milli = (uint64_t)vcpu_milli,
                                       .end_ns = lifetime_ms * FSIM_MS,
                                       .cpu = cpu,
                                       .cpu_count = (uint32_t)json_array_size(spans)};
    fsim_meter_plan plan = {.window_ns = period_ms * FSIM_MS,
                            .threshold = {.ppm = (uint32_t)permille * 1000}};
    flags windows = {json_array()};
    fsim_usage usage;
    fsim_timeline_options options = {.on_window = add_flag, .user = &windows};
    fsim_status status = fsim_timeline_meter(&instance, &plan, &options, &usage, NULL);
    free(cpu);
    if (status != FSIM_OK) {
        json_decref(windows.list);
        return NULL;
    }
    int64_t active_ms = (int64_t)usage.threshold_cpu_ms, resident_ms = (int64_t)usage.threshold_mem_ms;
    return json_pack("{s:I, s:I, s:I, s:o}", "active_ms", active_ms, "idle_ms", resident_ms - active_ms,
                     "cpu_milli_ms", active_ms * vcpu_milli, "flags", windows.list);
}

static void run_cpu(conformance *c, const json_t *vector) {
    json_t *expected = json_object_get(vector, "expected"), *value;
    json_t *got = cpu_figures(json_object_get(vector, "params"));
    const char *name;
    if (got == NULL || json_object_size(expected) == 0) {
        fail_layout(c, vector, "lifetime_ms, vcpu_milli, threshold_permille, period_ms, cpu_usage");
        json_decref(got);
        return;
    }
    bool same = true;
    json_object_foreach(expected, name, value) {
        same = same && json_equal(value, json_object_get(got, name));
    }
    if (same) {
        conformance_pass(c, id_of(vector));
    } else {
        char *want = json_dumps(expected, JSON_COMPACT | JSON_SORT_KEYS),
             *have = json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS);
        conformance_fail(c, id_of(vector), want, have);
        free(want);
        free(have);
    }
    json_decref(got);
}

/* ---- lifetimes
 * ----------------------------------------------------------------------------------------------------- */

/* A reserved instance: whole seconds, at least 60 (the rule "residency in steps of 1 s, at least 1 min" of a
 * price book). */
static void run_lifetime(conformance *c, const json_t *vector) {
    const json_t *params = json_object_get(vector, "params");
    int64_t created_ms, destroyed_ms;
    if (!get_int(params, "created_ms", &created_ms) || !get_int(params, "destroyed_ms", &destroyed_ms) ||
        !json_is_integer(json_object_get(vector, "expected"))) {
        fail_layout(c, vector, "created_ms, destroyed_ms and expected");
        return;
    }
    fsim_meter_plan plan = {.window_ns = FSIM_SECOND};
    fsim_usage usage = {0};
    fsim_meter_rules_add(&plan.residency, 1000, 60000);
    fsim_meter_instance(&plan, &usage, 0, (uint64_t)(destroyed_ms - created_ms) * FSIM_MS, 0);
    uint64_t billed_s = usage.residency_ms[0] / 1000;
    double expected = (double)json_integer_value(json_object_get(vector, "expected"));
    conformance_check_number(c, id_of(vector), expected, (double)billed_s, 0);
}

/* ---- bills of totals
 * ----------------------------------------------------------------------------------------------- */

static const char *price_of(const json_t *params, const char *key) {
    const char *price = json_string_value(json_object_get(params, key));
    return price == NULL ? "0" : price;
}

/* GB-s: of MB-ms that are given, or of so many requests of one duration and size. */
static bool gb_s_of(const json_t *params, int64_t requests, fsim_ratio *out) {
    int64_t mb_ms, duration_ms, memory_mb;
    fsim_i128 total;
    if (get_int(params, "execution_units_mb_ms", &mb_ms)) {
        return fsim_ratio_make(mb_ms, 1024000, out);
    }
    return get_int(params, "duration_ms", &duration_ms) && get_int(params, "memory_mb", &memory_mb) &&
           fsim_i128_mul(requests, (fsim_i128)duration_ms * memory_mb, &total) &&
           fsim_ratio_make(total, 1024000, out);
}

static bool bill_of_totals(const json_t *params, fsim_invoice *invoice) {
    char text[800];
    int64_t requests = 0;
    fsim_quantities quantities = {0};
    snprintf(text, sizeof text,
             "{\"schema\": \"fsim.pricebook/1\", \"id\": \"vector\", \"currency\": \"USD\", \"metering\": "
             "{\"mode\": "
             "\"request\"}, \"meters\": [{\"id\": \"requests\", \"quantity\": \"requests\", \"unit\": "
             "\"request\", \"per\": "
             "\"1000000\", \"price\": \"%s\"}, {\"id\": \"duration\", \"quantity\": \"gb_s\", \"unit\": "
             "\"GB-s\", \"price\": "
             "\"%s\"}]}",
             price_of(params, "price_per_million"), price_of(params, "price_per_gb_s"));
    if (!get_int(params, "requests", &requests) && !get_int(params, "executions", &requests)) {
        return false;
    }
    quantities.has[FSIM_Q_REQUESTS] = quantities.has[FSIM_Q_GB_S] = true;
    if (!fsim_ratio_make(requests, 1, &quantities.value[FSIM_Q_REQUESTS]) ||
        !gb_s_of(params, requests, &quantities.value[FSIM_Q_GB_S])) {
        return false;
    }
    fsim_value_pool *pool = fsim_value_pool_create();
    fsim_price_book *book = NULL;
    fsim_value *root;
    bool ok = pool != NULL && fsim_json_read_text(pool, text, "vector", &root, NULL) == FSIM_OK &&
              fsim_price_book_load(&book, root, NULL) == FSIM_OK &&
              fsim_invoice_build(invoice, book, &quantities, NULL, NULL) == FSIM_OK;
    fsim_price_book_destroy(book);
    fsim_value_pool_destroy(pool);
    return ok;
}

/* Money as a decimal string, compared at the decimals that are printed. */
static void run_money(conformance *c, const json_t *vector) {
    fsim_invoice invoice;
    char have[FSIM_DECIMAL_SIZE];
    const char *expected = json_string_value(json_object_get(vector, "expected"));
    if (expected == NULL || !bill_of_totals(json_object_get(vector, "params"), &invoice)) {
        fail_layout(c, vector, "counts, sizes and prices, and expected money as a string");
        return;
    }
    const char *point = strchr(expected, '.');
    size_t places = point == NULL ? 0 : strlen(point + 1);
    fsim_decimal_print_places(invoice.total_pico, places > FSIM_PICO_DIGITS ? FSIM_PICO_DIGITS : (int)places,
                              FSIM_ROUND_HALF_UP, have, sizeof have);
    if (strcmp(have, expected) == 0) {
        conformance_pass(c, id_of(vector));
    } else {
        conformance_fail(c, id_of(vector), expected, have);
    }
}

/* Models have many names ("a fixed timeline", "a random timeline"); what is asked for is said by the metric.
 */
static void run_billing(conformance *c, const json_t *vector) {
    const char *metric = json_string_value(json_object_get(vector, "metric"));
    metric = metric == NULL ? "" : metric;
    if (strcmp(metric, "billing_all") == 0) {
        run_timeline(c, vector);
    } else if (strcmp(metric, "cpu_billing") == 0) {
        run_cpu(c, vector);
    } else if (strcmp(metric, "billed_seconds") == 0) {
        run_lifetime(c, vector);
    } else if (strncmp(metric, "usd", 3) == 0) {
        run_money(c, vector);
    } else if (strstr(metric, "<=") != NULL) {
        run_order(c, vector);
    } else {
        conformance_skip(c, id_of(vector), "unknown metric of group g");
    }
}

const conformance_kind billing_kinds[] = {{"group:g", run_billing}, {NULL, NULL}};
