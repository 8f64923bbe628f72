/* The CSV files of a results folder. */
#include "report/report.h"
#include "report/results_folder.h"
#include "report/summary_path_json.h"

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

/* Rows of functions, each followed by those of its versions, named "function:version". */
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

fsim_status fsim_results_functions(FILE *out, const json_t *summary, fsim_error *err) {
    const json_t *functions = fsim_summary_find(summary, "functions");
    size_t room = count_rows(functions) + 1;
    function_rows rows = {calloc(room, sizeof *rows.names), calloc(room, sizeof(json_t *)), 0};
    fsim_status status = FSIM_ELIMIT;
    if (rows.names != NULL && rows.documents != NULL && add_rows(&rows, functions)) {
        status = fsim_report_rows_csv(out, "function", (const char *const *)rows.names, rows.documents,
                                      rows.count, err);
    }
    for (size_t i = 0; i < rows.count; i++) {
        free(rows.names[i]);
    }
    free(rows.names);
    free(rows.documents);
    return status == FSIM_OK ? FSIM_OK : fsim_fail(err, status, "out of memory while writing functions.csv");
}
