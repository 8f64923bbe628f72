/* The provider's side of a comparison: what the customers pay less the price of the nodes that hold their
 * instances. */
#ifndef FSIM_REPORT_REPORT_PROVIDER_H
#define FSIM_REPORT_REPORT_PROVIDER_H

#include "report/report.h"

/* A row for each policy and each bill but those of `capacity`, a book of node hours that is among the bills.
 * Revenue and capacity in the same currency give the margin; "idle" is the share of instance time without a
 * request, "idle capacity" what that share of the nodes costs: who pays for it is the customer where the
 * margin is not below 0. FSIM_ECONFIG: no such bill. */
fsim_status fsim_report_provider(FILE *out, fsim_report_format format, json_t *const *summaries,
                                 uint32_t count, const char *capacity, fsim_error *err);

#endif
