/* One bill, line by line: meter, used, free, billable, price, amount. */
#ifndef FSIM_REPORT_REPORT_BILL_H
#define FSIM_REPORT_REPORT_BILL_H

#include "billing/invoice.h"
#include "report/report.h"

/* JSON is schema fsim.bill/1. `title` names what was priced; text and Markdown show it. Money in text is
 * exact, the last line the total as the book shows it (lines_first: each line rounded before the sum). */
fsim_status fsim_report_bill(FILE *out, fsim_report_format format, const fsim_invoice *invoice,
                             const char *title, bool lines_first, fsim_error *err);

#endif
