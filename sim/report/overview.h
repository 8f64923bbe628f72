/* Policies side by side: a row for each figure, a column for each summary. */
#ifndef FSIM_REPORT_OVERVIEW_H
#define FSIM_REPORT_OVERVIEW_H

#include "report/report.h"
#include "report/table.h"

/* NULL: no memory. The caller destroys the table. */
fsim_table *fsim_report_overview(json_t *const *summaries, uint32_t count);

#endif
