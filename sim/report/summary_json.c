/* The document of one run. json_pack hands a failed allocation upwards, so that a summary is whole or NULL.
 */
#include "report/summary_json.h"

#include "base/limits.h"
#include "io/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARNING_NONSTATIONARY                                                                                \
    "the pool of instances was still growing at the end of the run: its averages depend on how long the "    \
    "run is"

typedef struct percentile {
    const char *name;
    double share;
} percentile;

static const percentile full_percentiles[] = {{"p50", 0.5},  {"p90", 0.9},    {"p95", 0.95},
                                              {"p99", 0.99}, {"p999", 0.999}, {NULL, 0}};
static const percentile few_percentiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {NULL, 0}};

/* What every scope of the run is divided by. */
typedef struct frame {
    const fsim_scenario *scenario;
    const fsim_result *result;
    double horizon_ns;
} frame;

/* a / b, and 0 where there is nothing to divide by: no summary ever holds a NaN. */
static double ratio(double a, double b) {
    return b > 0 ? a / b : 0;
}

static double seconds(fsim_wide ns) {
    return (double)ns / 1e9;
}

static bool set(json_t *object, const char *key, json_t *value) {
    return json_object_set_new(object, key, value) == 0;
}

/* `object` if all went well, else NULL. */
static json_t *whole(json_t *object, bool ok) {
    if (!ok) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *spans_json(const fsim_spans *spans, const percentile *percentiles) {
    json_t *object = json_object();
    bool ok = set(object, "mean", json_real(ratio((double)spans->sum_ns, (double)spans->count) / 1e9));
    for (const percentile *p = percentiles; spans->hist != NULL && p->name != NULL; p++) {
        double ns = spans->count == 0
                        ? 0
                        : fsim_histogram_quantile(spans->hist, p->share, spans->min_ns, spans->max_ns);
        ok = set(object, p->name, json_real(ns / 1e9)) && ok;
    }
    ok = set(object, "max", json_real(spans->count == 0 ? 0 : fsim_ns_to_s(spans->max_ns))) && ok;
    return whole(object, ok);
}

/* Shares of `total`, in order; count 0 gives no array, so that the key stays away. */
static bool set_shares(json_t *object, const char *key, const uint64_t *part, uint32_t count,
                       uint64_t total) {
    if (count == 0) {
        return true;
    }
    json_t *array = json_array();
    bool ok = true;
    for (uint32_t i = 0; i < count; i++) {
        ok = json_array_append_new(array, json_real(ratio((double)part[i], (double)total))) == 0 && ok;
    }
    return set(object, key, array) && ok;
}

static json_t *reals_json(const double *value, uint32_t count) {
    json_t *array = json_array();
    bool ok = array != NULL;
    for (uint32_t i = 0; i < count; i++) {
        ok = json_array_append_new(array, json_real(value[i])) == 0 && ok;
    }
    return whole(array, ok);
}

static json_t *requests_json(const fsim_counts *n) {
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "arrived", (json_int_t)n->arrived,
                     "completed", (json_int_t)n->completed, "rejected_429", (json_int_t)n->rejected_429,
                     "rejected_503", (json_int_t)n->rejected_503, "timed_out", (json_int_t)n->timed_out,
                     "failed", (json_int_t)n->failed, "in_system_at_end", (json_int_t)n->in_system_at_end,
                     "retries", (json_int_t)n->retries);
}

static json_t *throttled_json(const fsim_counts *n) {
    json_t *object = json_object();
    bool ok = true;
    for (int i = 0; i < FSIM_CAUSE_COUNT; i++) {
        ok = set(object, fsim_cause_names[i], json_integer((json_int_t)n->throttled[i])) && ok;
    }
    return whole(object, ok);
}

static json_t *cold_json(const fsim_scope *scope) {
    json_t *phases = json_object();
    bool ok = true;
    for (int i = 0; i < FSIM_COLD_PHASES; i++) {
        double mean_ns = ratio((double)scope->cold_phase_ns[i], (double)scope->cold_phase_count);
        ok = set(phases, fsim_cold_phase_names[i], json_real(mean_ns / 1e9)) && ok;
    }
    const fsim_counts *n = &scope->n;
    return json_pack("{s:I, s:I, s:f, s:o, s:o}", "triggered", (json_int_t)n->cold_triggered, "affected",
                     (json_int_t)n->cold_affected, "ratio",
                     ratio((double)n->cold_affected, (double)n->arrived), "latency_s",
                     spans_json(&scope->latency_cold, few_percentiles), "phases_s", whole(phases, ok));
}

static json_t *latency_json(const frame *f, const fsim_scope *scope) {
    json_t *object = spans_json(&scope->latency, full_percentiles);
    return whole(object, set_shares(object, "exceed", scope->latency_above, f->scenario->exceed_latency_count,
                                    scope->latency.count));
}

static json_t *wait_json(const frame *f, const fsim_scope *scope) {
    json_t *object = spans_json(&scope->wait, full_percentiles);
    bool ok = set(object, "p_wait", json_real(ratio((double)scope->waited, (double)scope->wait.count)));
    return whole(object, set_shares(object, "exceed", scope->wait_above, f->scenario->exceed_wait_count,
                                    scope->wait.count) &&
                             ok);
}

static json_t *concurrency_json(const frame *f, const fsim_scope *scope) {
    double mean = ratio((double)scope->in_execution_ns, f->horizon_ns);
    double variance = ratio((double)scope->in_execution_sq_ns, f->horizon_ns) - mean * mean;
    return json_pack("{s:f, s:I, s:f}", "mean", mean, "peak", (json_int_t)scope->in_execution_peak, "var",
                     variance > 0 ? variance : 0.0);
}

static json_t *instances_json(const frame *f, const fsim_scope *scope) {
    double starting = ratio((double)scope->starting_ns, f->horizon_ns);
    double busy = ratio((double)scope->busy_ns, f->horizon_ns);
    double idle = ratio((double)scope->idle_ns, f->horizon_ns);
    double all = ratio((double)(scope->starting_ns + scope->busy_ns + scope->idle_ns), f->horizon_ns);
    json_t *object =
        json_pack("{s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:f}", "mean", all, "mean_starting", starting,
                  "mean_busy", busy, "mean_idle", idle, "peak", (json_int_t)scope->instances_peak, "started",
                  (json_int_t)scope->n.started, "removed", (json_int_t)scope->n.removed, "crashed",
                  (json_int_t)scope->n.crashed, "provisioned_mean",
                  ratio((double)scope->provisioned_ns, f->horizon_ns));
    return whole(object,
                 !scope->has_health || set(object, "ejected", json_integer((json_int_t)scope->n.ejected)));
}

static json_t *instance_seconds_json(const fsim_scope *scope) {
    return json_pack("{s:f, s:f, s:f, s:f}", "total",
                     seconds(scope->starting_ns + scope->busy_ns + scope->idle_ns), "starting",
                     seconds(scope->starting_ns), "busy", seconds(scope->busy_ns), "idle",
                     seconds(scope->idle_ns));
}

static json_t *sessions_json(const fsim_scope *scope) {
    const fsim_counts *n = &scope->n;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "started", (json_int_t)n->sessions_started,
                     "expired", (json_int_t)n->sessions_expired, "cut", (json_int_t)n->sessions_cut, "lost",
                     (json_int_t)n->sessions_lost, "at_end", (json_int_t)scope->sessions_at_end, "followed",
                     (json_int_t)n->sessions_followed, "elsewhere", (json_int_t)n->sessions_elsewhere);
}

/* What the run as a whole and each function have in common. */
static json_t *scope_json(const frame *f, const fsim_scope *scope) {
    json_t *object =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "requests", requests_json(&scope->n),
                  "throttled", throttled_json(&scope->n), "cold", cold_json(scope), "latency_s",
                  latency_json(f, scope), "wait_s", wait_json(f, scope), "service_s",
                  spans_json(&scope->service, few_percentiles), "concurrency", concurrency_json(f, scope),
                  "instances", instances_json(f, scope), "instance_s", instance_seconds_json(scope));
    return whole(object, !scope->has_sessions || set(object, "sessions", sessions_json(scope)));
}

/* Price of all node-hours, as a decimal string like every other amount. */
static json_t *node_cost_json(const frame *f) {
    double hours = (double)f->result->node_ns / (double)FSIM_HOUR;
    char text[64];
    snprintf(text, sizeof text, "%.6f", hours * f->scenario->nodes.price_per_hour);
    return json_string(text);
}

static json_t *nodes_json(const frame *f) {
    const fsim_result *r = f->result;
    const fsim_nodes_plan *plan = &f->scenario->nodes;
    return json_pack("{s:f, s:I, s:f, s:f, s:o}", "mean", ratio((double)r->node_ns, f->horizon_ns), "peak",
                     (json_int_t)r->node_peak, "cpu_utilisation",
                     ratio((double)r->node_cpu_busy_ns / 1e3, (double)r->node_ns * plan->vcpu),
                     "memory_utilisation",
                     ratio((double)r->node_memory_mb_ns, (double)r->node_ns * (double)plan->memory_mb),
                     "cost", node_cost_json(f));
}

/* The counts of a window, of the run or of one function. */
static json_t *window_counts_json(const fsim_window_row *row) {
    const fsim_counts *n = &row->n;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "arrived", (json_int_t)n->arrived,
                     "completed", (json_int_t)n->completed, "rejected_429", (json_int_t)n->rejected_429,
                     "rejected_503", (json_int_t)n->rejected_503, "timed_out", (json_int_t)n->timed_out,
                     "cold", (json_int_t)n->cold_affected, "started", (json_int_t)n->started, "removed",
                     (json_int_t)n->removed, "instances_end", (json_int_t)row->instances_end);
}

static const fsim_fn_spec *function_spec(const fsim_result *r, uint32_t i) {
    return fsim_function_table_get(r->functions, i);
}

static const fsim_window_row *window_row(const fsim_result *r, uint32_t w, uint32_t fn) {
    return r->window_functions == NULL ? &r->windows[w].all
                                       : &r->window_functions[(size_t)w * r->function_count + fn];
}

static json_t *window_function_json(const fsim_result *r, uint32_t w, uint32_t fn) {
    const fsim_versions_spec *versions = function_spec(r, fn)->versions;
    json_t *object = window_counts_json(window_row(r, w, fn));
    if (object == NULL || versions == NULL) {
        return object;
    }
    json_t *below = json_object();
    bool ok = below != NULL;
    for (uint32_t v = 0; v < versions->count; v++) {
        ok = set(below, versions->names[v], window_counts_json(window_row(r, w, fn + 1u + v))) && ok;
    }
    return whole(object, set(object, "versions", below) && ok);
}

static json_t *window_json(const fsim_result *r, uint32_t w) {
    const fsim_window *window = &r->windows[w];
    json_t *functions = json_object();
    bool ok = true;
    for (uint32_t i = 0; i < r->function_count; i++) {
        const fsim_fn_spec *spec = function_spec(r, i);
        if (spec->version == NULL) {
            ok = set(functions, spec->name, window_function_json(r, w, i)) && ok;
        }
    }
    json_t *object =
        json_pack("{s:f, s:f}", "from_s", fsim_ns_to_s(window->from_ns), "to_s", fsim_ns_to_s(window->to_ns));
    json_t *counts = window_counts_json(&window->all);
    ok = json_object_update(object, counts) == 0 && ok;
    json_decref(counts);
    return whole(object, set(object, "functions", functions) && ok);
}

static json_t *probe_json(const fsim_probe *p) {
    return json_pack("{s:f, s:I, s:I, s:I, s:I, s:I, s:I}", "at_s", fsim_ns_to_s(p->at_ns), "in_flight",
                     (json_int_t)p->in_flight, "queued", (json_int_t)p->queued, "instances",
                     (json_int_t)p->instances, "starting", (json_int_t)p->starting, "busy",
                     (json_int_t)p->busy, "idle", (json_int_t)p->idle);
}

/* What exists only when the scenario asks for it. */
static bool set_optional(json_t *summary, const frame *f) {
    const fsim_result *r = f->result;
    bool ok = true;
    if (r->window_count > 0) {
        json_t *array = json_array();
        for (uint32_t i = 0; i < r->window_count; i++) {
            ok = json_array_append_new(array, window_json(r, i)) == 0 && ok;
        }
        ok = set(summary, "windows", array) && ok;
    }
    if (r->probe_count > 0) {
        json_t *array = json_array();
        for (uint32_t i = 0; i < r->probe_count; i++) {
            ok = json_array_append_new(array, probe_json(&r->probes[i])) == 0 && ok;
        }
        ok = set(summary, "probe", array) && ok;
    }
    if (r->occupancy > 0) {
        json_t *object =
            json_pack("{s:o, s:o}", "requests", reals_json(r->occupancy_requests, r->occupancy + 1),
                      "instances", reals_json(r->occupancy_instances, r->occupancy + 1));
        ok = set(summary, "occupancy", object) && ok;
    }
    if (r->nonstationary) {
        ok = set(summary, "warnings", json_pack("[s]", WARNING_NONSTATIONARY)) && ok;
    }
    return ok;
}

/* A function's scope, with those of its versions below it. */
static json_t *function_json(const frame *f, uint32_t fn) {
    const fsim_versions_spec *versions = function_spec(f->result, fn)->versions;
    json_t *object = scope_json(f, &f->result->per_function[fn]);
    if (object == NULL || versions == NULL) {
        return object;
    }
    json_t *below = json_object();
    bool ok = below != NULL;
    for (uint32_t v = 0; v < versions->count; v++) {
        ok = set(below, versions->names[v], scope_json(f, &f->result->per_function[fn + 1u + v])) && ok;
    }
    return whole(object, set(object, "versions", below) && ok);
}

static json_t *functions_json(const frame *f) {
    json_t *object = json_object();
    bool ok = true;
    for (uint32_t i = 0; i < f->result->function_count; i++) {
        const fsim_fn_spec *spec = function_spec(f->result, i);
        if (spec->version == NULL) {
            ok = set(object, spec->name, function_json(f, i)) && ok;
        }
    }
    return whole(object, ok);
}

static json_t *bill_json(const fsim_invoice *invoice) {
    json_t *lines = json_array();
    bool ok = lines != NULL;
    for (uint32_t i = 0; i < invoice->line_count; i++) {
        const fsim_invoice_line *line = &invoice->line[i];
        json_t *object =
            json_pack("{s:s, s:s, s:s, s:s, s:s}", "meter", line->meter, "quantity", line->quantity, "unit",
                      line->unit, "price", line->price, "amount", line->amount);
        ok = json_array_append_new(lines, object) == 0 && ok;
    }
    json_t *bill = json_pack("{s:s, s:s, s:s, s:o}", "book", invoice->book, "currency", invoice->currency,
                             "total", invoice->total, "lines", whole(lines, ok));
    if (bill != NULL && invoice->month_ns != 0) {
        ok = json_object_set_new(bill, "month_s", json_integer(invoice->month_ns / FSIM_SECOND)) == 0 && ok;
    }
    if (bill == NULL || invoice->left_out_count == 0) {
        return bill;
    }
    json_t *left_out = json_array();
    for (uint32_t i = 0; i < invoice->left_out_count; i++) {
        ok = json_array_append_new(left_out, json_string(invoice->left_out[i])) == 0 && ok;
    }
    return whole(bill, set(bill, "left_out", left_out) && ok);
}

json_t *fsim_summary_bills_json(const fsim_invoice *invoices, uint32_t count) {
    json_t *bills = json_array();
    bool ok = bills != NULL;
    for (uint32_t i = 0; i < count; i++) {
        ok = json_array_append_new(bills, bill_json(&invoices[i])) == 0 && ok;
    }
    return whole(bills, ok);
}

json_t *fsim_summary_json(const fsim_scenario *scenario, const fsim_result *result,
                          const fsim_invoice *invoices, uint32_t invoice_count) {
    frame f = {scenario, result, (double)result->horizon_ns};
    const fsim_scope *total = &result->total;
    char digest[17];
    snprintf(digest, sizeof digest, "%016" PRIx64, result->digest);
    json_t *summary = json_pack("{s:s, s:s, s:s, s:I, s:f, s:s}", "schema", FSIM_SUMMARY_SCHEMA, "name",
                                scenario->name, "policy", result->policy, "seed", (json_int_t)result->seed,
                                "horizon_s", fsim_ns_to_s(result->horizon_ns), "digest", digest);
    json_t *scope = scope_json(&f, total);
    bool ok = scope != NULL && json_object_update(summary, scope) == 0;
    json_decref(scope);
    ok = ok &&
         set(summary, "utilisation", json_real(ratio((double)total->busy_slot_ns, (double)total->slot_ns)));
    ok = ok && set(summary, "queue",
                   json_pack("{s:f, s:I}", "mean", ratio((double)total->queue_ns, f.horizon_ns), "peak",
                             (json_int_t)total->queue_peak));
    if (result->node_count > 0) {
        ok = ok && set(summary, "nodes", nodes_json(&f));
    }
    ok = ok && set(summary, "bills", fsim_summary_bills_json(invoices, invoices == NULL ? 0 : invoice_count));
    ok = ok && set(summary, "functions", functions_json(&f));
    return whole(summary, ok && set_optional(summary, &f));
}

char *fsim_summary_dump(const json_t *document) {
    return json_dumps(document, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
}

char *fsim_summary_dump_all(json_t *const *summaries, uint32_t count) {
    if (count == 1) {
        return fsim_summary_dump(summaries[0]);
    }
    json_t *array = json_array();
    bool ok = array != NULL;
    for (uint32_t i = 0; i < count; i++) {
        ok = json_array_append(array, summaries[i]) == 0 && ok;
    }
    char *text = ok ? fsim_summary_dump(array) : NULL;
    json_decref(array);
    return text;
}

static bool is_summary(const json_t *document) {
    const char *schema = json_string_value(json_object_get(document, "schema"));
    return schema != NULL && strcmp(schema, FSIM_SUMMARY_SCHEMA) == 0;
}

fsim_status fsim_summary_read(json_t **out, const char *path, fsim_error *err) {
    char *text = NULL;
    size_t size, i;
    json_t *element;
    json_error_t why;
    FSIM_TRY(fsim_file_read_all(path, FSIM_JSON_BYTES_MAX, &text, &size, err));
    json_t *document = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    free(text);
    if (document == NULL) {
        return fsim_fail_at(err, FSIM_EDATA, path, "line %d, column %d: %s", why.line, why.column, why.text);
    }
    bool ok = is_summary(document) || json_array_size(document) > 0;
    json_array_foreach(document, i, element) {
        ok = ok && is_summary(element);
    }
    if (!ok) {
        json_decref(document);
        return fsim_fail_at(err, FSIM_EDATA, path, "expected schema \"%s\"", FSIM_SUMMARY_SCHEMA);
    }
    *out = document;
    return FSIM_OK;
}

uint32_t fsim_summary_list(json_t *document, json_t **summaries, uint32_t max) {
    uint32_t count = 0;
    if (json_is_object(document)) {
        summaries[count++] = document;
    }
    for (size_t i = 0; i < json_array_size(document) && count < max; i++) {
        summaries[count++] = json_array_get(document, i);
    }
    return count;
}

void fsim_summary_forget(json_t *document) {
    json_decref(document);
}
