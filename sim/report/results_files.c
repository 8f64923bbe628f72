/* The CSV files of a results folder. */
#include "report/report.h"
#include "report/results_folder.h"
#include "report/summary_path_json.h"

#include <inttypes.h>
#include <stdlib.h>

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

fsim_status fsim_results_functions(FILE *out, const json_t *summary, fsim_error *err) {
    const json_t *functions = fsim_summary_find(summary, "functions");
    size_t count = fsim_summary_size(summary, "functions");
    const char **names = calloc(count + 1, sizeof *names);
    json_t **documents = calloc(count + 1, sizeof *documents);
    fsim_status status = FSIM_ELIMIT;
    if (names != NULL && documents != NULL) {
        fsim_summary_members(functions, names, documents);
        status = fsim_report_rows_csv(out, "function", names, documents, count, err);
    }
    free(names);
    free(documents);
    return status == FSIM_OK ? FSIM_OK : fsim_fail(err, status, "out of memory while writing functions.csv");
}
