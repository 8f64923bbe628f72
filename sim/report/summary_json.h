/* The summary of a run, schema fsim.summary/1 (product contract, section 5, and contract additions, section
 * 2), as a JSON document: the one place where integers become rates and seconds. Text, CSV, Markdown,
 * --fail-if and the conformance program read this document. */
#ifndef FSIM_REPORT_SUMMARY_JSON_H
#define FSIM_REPORT_SUMMARY_JSON_H

#include "billing/invoice.h"
#include "model/result.h"

#include <jansson.h>
#include <stdio.h>

#define FSIM_SUMMARY_SCHEMA "fsim.summary/1"

/* invoices: one per book of the scenario, in order; NULL prices nothing. The caller owns the document. Means
 * of empty samples are 0. Beyond the contract: "warnings", when there is something the reader should know;
 * bills[].left_out, meters that the run could not fill. NULL: no memory, or a name that is not UTF-8. */
json_t *fsim_summary_json(const fsim_scenario *scenario, const fsim_result *result,
                          const fsim_invoice *invoices, uint32_t invoice_count);
/* The same, but where functions are many (more than FSIM_FUNCTION_HISTOGRAMS_MAX, in one replication, none of
 * them in versions) "functions" is null: a tree of them would take ten times as much memory as the result
 * that it is made from. Who writes the document makes them one after the other (fsim_summary_write). */
json_t *fsim_summary_brief_json(const fsim_scenario *scenario, const fsim_result *result,
                                const fsim_invoice *invoices, uint32_t invoice_count);

/* One policy of a command. All borrowed. */
typedef struct fsim_run_record {
    const fsim_scenario *scenario;
    const fsim_result *result; /* the first replication; NULL with `scenario` where `summary` is not brief */
    json_t *summary;           /* of all replications */
} fsim_run_record;

/* Completes a brief summary, for those who look into it. False: no memory. */
bool fsim_summary_fill(const fsim_run_record *record);

/* The documents as text, one as it is, several as an array: what --format json prints and summary.json
 * holds. Brief ones come out complete. */
fsim_status fsim_summary_write(FILE *out, const fsim_run_record *records, uint32_t count, fsim_error *err);

/* The array under "bills" alone: invoice.json. */
json_t *fsim_summary_bills_json(const fsim_invoice *invoices, uint32_t count);

/* A document as text in the same spelling: indented, 12 significant digits, no final newline. The caller
 * frees it; NULL: no memory. */
char *fsim_summary_dump(const json_t *document);

/* Reads a summary.json: *out is the object or the array of them. FSIM_EIO: no such file; FSIM_EDATA: no
 * summary. The caller owns the document. */
fsim_status fsim_summary_read(json_t **out, const char *path, fsim_error *err);
/* The summaries of such a document, at most `max`; borrowed. Returns how many. */
uint32_t fsim_summary_list(json_t *document, json_t **summaries, uint32_t max);
void fsim_summary_forget(json_t *document); /* NULL allowed */

/* Replications: every number becomes its mean over the documents, and "ci95" holds the Student 95 % half
 * width under the same path; "replications" says how many. Seed and names are those of the first, the digest
 * covers all in order, amounts of money are exact means. Where documents lack a node (a window that only some
 * runs reached) the mean is over those that have it. count == 1 returns a new reference to the only one.
 * NULL: no memory. */
json_t *fsim_summary_replicated(json_t *const *summaries, uint32_t count);

/* Evaluates + - * / ( ) over numbers and paths ("functions.f1.requests.arrived", "windows[0].cold",
 * "latency_s.p99"); comparison operators > < >= <= == != give 1 or 0. Paths as in report/summary_path_json.h;
 * a number with a unit of time ("20ms") is seconds. Division by zero is an error, not a number. An unknown
 * path is FSIM_ECONFIG with the nearest key. */
fsim_status fsim_summary_eval(const json_t *summary, const char *expression, double *out, fsim_error *err);

#endif
