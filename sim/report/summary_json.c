/* The document of one run. json_pack hands a failed allocation upwards, so that a summary is whole or NULL.
 */
#include "report/summary_json.h"

#include "base/limits.h"
#include "io/file.h"
#include "report/scope_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARNING_NONSTATIONARY                                                                                \
    "the pool of instances was still growing at the end of the run: its averages depend on how long the "    \
    "run is"

typedef struct frame {
    fsim_scope_frame scope;
    const fsim_result *result;
} frame;

static frame frame_of(const fsim_scenario *scenario, const fsim_result *result) {
    return (frame){{scenario, (double)result->horizon_ns}, result};
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

static json_t *reals_json(const double *value, uint32_t count) {
    json_t *array = json_array();
    bool ok = array != NULL;
    for (uint32_t i = 0; i < count; i++) {
        ok = json_array_append_new(array, json_real(value[i])) == 0 && ok;
    }
    return whole(array, ok);
}

/* Price of all node-hours, as a decimal string like every other amount. */
static json_t *node_cost_json(const frame *f) {
    double hours = (double)f->result->node_ns / (double)FSIM_HOUR;
    char text[64];
    snprintf(text, sizeof text, "%.6f", hours * f->scope.scenario->nodes.price_per_hour);
    return json_string(text);
}

static json_t *nodes_json(const frame *f) {
    const fsim_result *r = f->result;
    const fsim_nodes_plan *plan = &f->scope.scenario->nodes;
    return json_pack(
        "{s:f, s:I, s:f, s:f, s:o}", "mean", fsim_scope_ratio((double)r->node_ns, f->scope.horizon_ns),
        "peak", (json_int_t)r->node_peak, "cpu_utilisation",
        fsim_scope_ratio((double)r->node_cpu_busy_ns / 1e3, (double)r->node_ns * plan->vcpu),
        "memory_utilisation",
        fsim_scope_ratio((double)r->node_memory_mb_ns, (double)r->node_ns * (double)plan->memory_mb), "cost",
        node_cost_json(f));
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
    for (uint32_t i = r->told_from; i < r->function_count; i++) {
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
    json_t *object = fsim_scope_json(&f->scope, &f->result->per_function[fn]);
    if (object == NULL || versions == NULL) {
        return object;
    }
    json_t *below = json_object();
    bool ok = below != NULL;
    for (uint32_t v = 0; v < versions->count; v++) {
        ok = set(below, versions->names[v],
                 fsim_scope_json(&f->scope, &f->result->per_function[fn + 1u + v])) &&
             ok;
    }
    return whole(object, set(object, "versions", below) && ok);
}

static json_t *functions_json(const frame *f) {
    json_t *object = json_object();
    bool ok = true;
    for (uint32_t i = f->result->told_from; i < f->result->function_count; i++) {
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

bool fsim_summary_fill(const fsim_run_record *record) {
    if (!json_is_null(json_object_get(record->summary, "functions"))) {
        return true;
    }
    frame f = frame_of(record->scenario, record->result);
    return set(record->summary, "functions", functions_json(&f));
}

static json_t *summary_json(const fsim_scenario *scenario, const fsim_result *result,
                            const fsim_invoice *invoices, uint32_t invoice_count, bool with_functions) {
    frame f = frame_of(scenario, result);
    const fsim_scope *total = &result->total;
    char digest[17];
    snprintf(digest, sizeof digest, "%016" PRIx64, result->digest);
    json_t *summary = json_pack("{s:s, s:s, s:s, s:I, s:f, s:s}", "schema", FSIM_SUMMARY_SCHEMA, "name",
                                scenario->name, "policy", result->policy, "seed", (json_int_t)result->seed,
                                "horizon_s", fsim_ns_to_s(result->horizon_ns), "digest", digest);
    json_t *scope = fsim_scope_json(&f.scope, total);
    bool ok = scope != NULL && json_object_update(summary, scope) == 0;
    json_decref(scope);
    ok = ok && set(summary, "utilisation",
                   json_real(fsim_scope_ratio((double)total->busy_slot_ns, (double)total->slot_ns)));
    ok = ok &&
         set(summary, "queue",
             json_pack("{s:f, s:I}", "mean", fsim_scope_ratio((double)total->queue_ns, f.scope.horizon_ns),
                       "peak", (json_int_t)total->queue_peak));
    if (result->node_count > 0) {
        ok = ok && set(summary, "nodes", nodes_json(&f));
    }
    ok = ok && set(summary, "bills", fsim_summary_bills_json(invoices, invoices == NULL ? 0 : invoice_count));
    ok = ok && set(summary, "functions", with_functions ? functions_json(&f) : json_null());
    return whole(summary, ok && set_optional(summary, &f));
}

json_t *fsim_summary_json(const fsim_scenario *scenario, const fsim_result *result,
                          const fsim_invoice *invoices, uint32_t invoice_count) {
    return summary_json(scenario, result, invoices, invoice_count, true);
}

json_t *fsim_summary_brief_json(const fsim_scenario *scenario, const fsim_result *result,
                                const fsim_invoice *invoices, uint32_t invoice_count) {
    bool brief = scenario->replications == 1 && result->function_count > FSIM_FUNCTION_HISTOGRAMS_MAX &&
                 !fsim_function_table_has_versions(result->functions);
    return summary_json(scenario, result, invoices, invoice_count, !brief);
}

char *fsim_summary_dump(const json_t *document) {
    return json_dumps(document, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
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
