/* What is printed about runs: the same summaries as text for people, JSON, CSV or Markdown. All of it is read
 * from the documents of report/summary_json.h. */
#ifndef FSIM_REPORT_REPORT_H
#define FSIM_REPORT_REPORT_H

#include "report/summary_json.h"

#include <stdio.h>

typedef enum fsim_report_format {
    FSIM_REPORT_TEXT,
    FSIM_REPORT_JSON,
    FSIM_REPORT_CSV,
    FSIM_REPORT_MARKDOWN
} fsim_report_format;
/* "text", "json", "csv", "md"; NULL-terminated, in the order of the enum. */
extern const char *const fsim_report_format_names[];

/* One summary: what happened, at a glance. Several (policies on the same workload): side by side.
 * JSON is the object, or an array with several. CSV has a row for each summary and a column for each number
 * outside functions, windows, probe and occupancy; its header names are paths for fsim_summary_eval. */
fsim_status fsim_report_write(FILE *out, fsim_report_format format, const fsim_run_record *records,
                              uint32_t count, fsim_error *err);

/* Policies x price books: cost, cost of a million requests, p99, cold requests and refusals; the cheapest
 * policy of each book is marked. JSON is the array of summaries. */
fsim_status fsim_report_compare(FILE *out, fsim_report_format format, const fsim_run_record *records,
                                uint32_t count, fsim_error *err);

/* The documents alone; the caller frees the array. NULL: no memory. */
json_t **fsim_report_summaries(const fsim_run_record *records, uint32_t count);

/* The writers behind fsim_report_write. */
fsim_status fsim_report_text(FILE *out, const json_t *summary, fsim_error *err);
/* A table of the versions of all functions; nothing where no function has any. False: out of memory. */
bool fsim_report_versions(FILE *out, const json_t *summary);

#endif
