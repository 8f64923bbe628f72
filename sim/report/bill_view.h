/* The bills of a summary as whole pico-units, for whoever shows them. Indices follow the order of "bills". */
#ifndef FSIM_REPORT_BILL_VIEW_H
#define FSIM_REPORT_BILL_VIEW_H

#include "base/decimal.h"
#include "report/summary_json.h"

fsim_i128 fsim_bill_total(const json_t *summary, size_t bill);
/* All lines of one meter together (a tiered one has several). */
fsim_i128 fsim_bill_meter(const json_t *summary, size_t bill, const char *meter);
/* What a million completed requests cost; 0 when none completed. */
fsim_i128 fsim_bill_per_million(const json_t *summary, size_t bill);
/* The names of all meters that cost something in any bill, in order of first mention, at most `max`; returns
 * how many. Borrowed from the summaries. */
size_t fsim_bill_meter_names(json_t *const *summaries, uint32_t count, const char **names, size_t max);

#endif
