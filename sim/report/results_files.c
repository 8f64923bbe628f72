/* The CSV files of a results folder. */
#include "report/results_folder.h"
#include "report/rows_csv.h"
#include "report/scope_json.h"
#include "report/summary_flat_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Time average over a row. */
static double mean(fsim_wide integral, double width_ns) {
    return width_ns > 0 ? (double)integral / width_ns : 0;
}

fsim_status fsim_results_timeseries(FILE *out, const fsim_result *r, fsim_error *err) {
    (void)err;
    fputs("time_s,arrived,completed,refused,timed_out,cold,throttled,in_execution,queued,starting,busy,idle,"
          "instances,wanted\n",
          out);
    for (uint32_t i = 0; i < r->series_count; i++) {
        const fsim_series_row *row = &r->series[i];
        fsim_ns before = i > 0 ? r->series[i - 1].at_ns
                               : (row->at_ns > r->series_step_ns ? row->at_ns - r->series_step_ns : 0);
        double width = (double)(row->at_ns - before);
        fprintf(out, "%.12g,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64,
                fsim_ns_to_s(row->at_ns), row->arrived, row->completed, row->refused, row->timed_out,
                row->cold, row->throttled);
        fprintf(out, ",%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%" PRIu64 "\n", mean(row->in_execution_ns, width),
                mean(row->queue_ns, width), mean(row->starting_ns, width), mean(row->busy_ns, width),
                mean(row->idle_ns, width), mean(row->starting_ns + row->busy_ns + row->idle_ns, width),
                row->wanted);
    }
    return FSIM_OK;
}

fsim_status fsim_results_latency(FILE *out, const fsim_result *r, fsim_error *err) {
    const fsim_histogram *all = r->total.latency.hist, *cold = r->total.latency_cold.hist;
    (void)err;
    fputs("from_s,to_s,requests,cold,warm\n", out);
    for (uint32_t b = 0; all != NULL && b < FSIM_HISTOGRAM_BUCKETS; b++) {
        uint64_t requests = all->count[b], cold_requests = cold == NULL ? 0 : cold->count[b];
        if (requests > 0) {
            fprintf(out, "%.12g,%.12g,%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n",
                    fsim_ns_to_s(fsim_histogram_low(b)), ((double)fsim_histogram_high(b) + 1) / 1e9, requests,
                    cold_requests, requests - cold_requests);
        }
    }
    return FSIM_OK;
}

/* ---- functions ---- */

/* Of a tree: rows of functions, each followed by those of its versions, named "function:version". */
typedef struct function_rows {
    char **names;
    json_t **documents;
    size_t count;
} function_rows;

static bool add_row(function_rows *rows, const char *function, const char *version, json_t *document) {
    size_t size = strlen(function) + strlen(version) + 2;
    char *name = malloc(size);
    if (name == NULL) {
        return false;
    }
    snprintf(name, size, "%s%s%s", function, version[0] != '\0' ? ":" : "", version);
    rows->names[rows->count] = name;
    rows->documents[rows->count++] = document;
    return true;
}

static bool add_rows(function_rows *rows, const json_t *functions) {
    const char *function, *version;
    json_t *scope, *below;
    json_object_foreach((json_t *)(uintptr_t)functions, function, scope) {
        if (!add_row(rows, function, "", scope)) {
            return false;
        }
        json_object_foreach(json_object_get(scope, "versions"), version, below) {
            if (!add_row(rows, function, version, below)) {
                return false;
            }
        }
    }
    return true;
}

static size_t count_rows(const json_t *functions) {
    size_t count = 0;
    const char *function;
    json_t *scope;
    json_object_foreach((json_t *)(uintptr_t)functions, function, scope) {
        count += 1 + json_object_size(json_object_get(scope, "versions"));
    }
    return count;
}

static const char *name_of_row(void *user, size_t row) {
    return ((const function_rows *)user)->names[row];
}

static void cells_of_row(void *user, size_t row, fsim_cell_visit visit, void *visit_user) {
    fsim_summary_cells(((const function_rows *)user)->documents[row], visit, visit_user);
}

static fsim_status functions_of_tree(FILE *out, const json_t *functions, fsim_error *err) {
    size_t room = count_rows(functions) + 1;
    function_rows rows = {calloc(room, sizeof *rows.names), calloc(room, sizeof(json_t *)), 0};
    fsim_status status = FSIM_ELIMIT;
    if (rows.names != NULL && rows.documents != NULL && add_rows(&rows, functions)) {
        status = fsim_rows_csv(out,
                               &(fsim_rows){.head = "function",
                                            .count = rows.count,
                                            .name = name_of_row,
                                            .cells = cells_of_row,
                                            .user = &rows},
                               err);
    }
    for (size_t i = 0; i < rows.count; i++) {
        free(rows.names[i]);
    }
    free(rows.names);
    free(rows.documents);
    return status;
}

/* Of a result: the path of each value is put together from the objects that are open. */
enum { PATH_SIZE = 256, DEPTH_MAX = 4 };

typedef struct cell_sink {
    fsim_scope_sink sink;
    fsim_cell_visit visit;
    void *user;
    char path[PATH_SIZE];
    size_t length[DEPTH_MAX];
    uint32_t depth;
} cell_sink;

/* Keys are ours and short. */
static size_t append_key(cell_sink *c, const char *key) {
    size_t at = c->length[c->depth], size = strlen(key);
    fsim_check(at + size + 2 <= PATH_SIZE);
    memcpy(c->path + at, key, size + 1);
    return at + size;
}

static void open_object(fsim_scope_sink *sink, const char *key) {
    cell_sink *c = (cell_sink *)sink;
    size_t length = append_key(c, key);
    c->path[length++] = '.';
    c->length[++c->depth] = length;
}

static void close_object(fsim_scope_sink *sink) {
    ((cell_sink *)sink)->depth--;
}

static void visit_integer(fsim_scope_sink *sink, const char *key, uint64_t value) {
    cell_sink *c = (cell_sink *)sink;
    append_key(c, key);
    c->visit(c->user, c->path, &(fsim_cell){.kind = FSIM_CELL_INTEGER, .integer = (int64_t)value});
}

static void visit_real(fsim_scope_sink *sink, const char *key, double value) {
    cell_sink *c = (cell_sink *)sink;
    append_key(c, key);
    c->visit(c->user, c->path, &(fsim_cell){.kind = FSIM_CELL_REAL, .real = value});
}

static void visit_reals(fsim_scope_sink *sink, const char *key, const double *value, uint32_t count) {
    char element[64];
    for (uint32_t i = 0; i < count; i++) {
        snprintf(element, sizeof element, "%s[%u]", key, i);
        visit_real(sink, element, value[i]);
    }
}

static const char *name_of_function(void *user, size_t row) {
    const fsim_result *r = ((const fsim_run_record *)user)->result;
    return fsim_function_table_get(r->functions, r->told_from + (fsim_fn_id)row)->name;
}

static const fsim_scope *scope_of_function(void *user, size_t row) {
    const fsim_result *r = ((const fsim_run_record *)user)->result;
    return &r->per_function[r->told_from + row];
}

static void cells_of_function(void *user, size_t row, fsim_cell_visit visit, void *visit_user) {
    const fsim_run_record *record = user;
    const fsim_scope_frame frame = {record->scenario, (double)record->result->horizon_ns};
    cell_sink c = {.sink = {open_object, close_object, visit_integer, visit_real, visit_reals},
                   .visit = visit,
                   .user = visit_user};
    fsim_scope_visit(&frame, scope_of_function(user, row), &c.sink);
}

static bool are_alike(void *user, size_t a, size_t b) {
    const fsim_scope *one = scope_of_function(user, a), *other = scope_of_function(user, b);
    return one->has_sessions == other->has_sessions && one->has_health == other->has_health;
}

fsim_status fsim_results_functions(FILE *out, const fsim_run_record *record, fsim_error *err) {
    const json_t *functions = json_object_get(record->summary, "functions");
    fsim_run_record copy = *record;
    const fsim_rows rows = {.head = "function",
                            .count = record->result->function_count - record->result->told_from,
                            .name = name_of_function,
                            .cells = cells_of_function,
                            .alike = are_alike,
                            .user = &copy};
    fsim_status status =
        json_is_null(functions) ? fsim_rows_csv(out, &rows, err) : functions_of_tree(out, functions, err);
    return status == FSIM_OK ? FSIM_OK : fsim_fail(err, status, "out of memory while writing functions.csv");
}
