/* A summary as a list of paths and values. */
#ifndef FSIM_REPORT_SUMMARY_FLAT_JSON_H
#define FSIM_REPORT_SUMMARY_FLAT_JSON_H

#include "report/rows_csv.h"

#include <jansson.h>
#include <stddef.h>

typedef void (*fsim_summary_visit)(void *user, const char *path, const json_t *value);

/* Calls visit for every number and string, in the order of the document, ci95 included. Left out is what
 * grows with the run or the bill: functions, windows, probe, occupancy, warnings and the lines of bills. The
 * paths are those of report/summary_path_json.h; bills go by the name of their book. */
void fsim_summary_leaves(const json_t *summary, fsim_summary_visit visit, void *user);

/* The same as cells of a table. */
void fsim_summary_cells(const json_t *summary, fsim_cell_visit visit, void *user);

/* The value as the summary spells it, 12 significant digits; strings as they are, NULL as "". Returns `out`
 * or the string itself. */
const char *fsim_summary_spell(const json_t *value, char *out, size_t size);

#endif
