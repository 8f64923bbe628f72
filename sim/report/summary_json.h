/* The summary of a run, schema fsim.summary/1 (product contract, section 5, and contract additions, section 2), as a JSON document: the one place
 * where integers become rates and seconds. Text, CSV, Markdown, --fail-if and the conformance program read this document. */
#ifndef FSIM_REPORT_SUMMARY_JSON_H
#define FSIM_REPORT_SUMMARY_JSON_H

#include "billing/invoice.h"
#include "model/result.h"

#include <jansson.h>

/* invoices: one per book of the scenario, in order; NULL prices nothing. The caller owns the document. Means of empty samples are 0. */
json_t *fsim_summary_json(const fsim_scenario *scenario, const fsim_result *result, const fsim_invoice *invoices, uint32_t invoice_count);

/* Replications: every number becomes its mean over the documents, and "ci95" holds the Student 95 % half width under the same path. count == 1 returns a
 * new reference to the only one. */
json_t *fsim_summary_replicated(json_t *const *summaries, uint32_t count);

/* Evaluates + - * / ( ) over numbers and paths ("functions.f1.requests.arrived", "windows[0].cold", "latency_s.p99"); comparison operators > < >= <= == != give
 * 1 or 0. An unknown path is FSIM_ECONFIG with the nearest key. */
fsim_status fsim_summary_eval(const json_t *summary, const char *expression, double *out, fsim_error *err);

#endif
