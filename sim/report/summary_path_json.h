/* Looking into a summary by path: "latency_s.p99", "windows[0].cold",
 * "functions.resize-image.requests.arrived".
 *
 * A path is keys separated by '.', array elements as [i]. Three liberties make it pleasant to type:
 * names that hold '-' or '.' need no quotes, because the longest key of the object that fits is taken
 * (functions["a-b"] is allowed as well); an array of objects that carry a "book" or a "meter" can be
 * indexed by that name (bills.phase1.total); and a unit may stand at the end of the path, as in
 * "latency.p99_s" for latency_s.p99. Money and quantities are decimal strings and count as numbers.
 *
 * The reports read summaries only through these functions. Cost: the keys of each object on the way. */
#ifndef FSIM_REPORT_SUMMARY_PATH_JSON_H
#define FSIM_REPORT_SUMMARY_PATH_JSON_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Follows the path at *cursor as far as it goes and leaves *cursor behind it. FSIM_ECONFIG names the key that
 * does not exist and the nearest one. *out is borrowed from `root`. */
fsim_status fsim_summary_walk(const json_t *root, const char **cursor, const json_t **out, fsim_error *err);

/* False: neither a number, nor true or false, nor a decimal string. */
bool fsim_summary_value(const json_t *value, double *out);

/* What is at the path, which may hold printf conversions; absent or of another kind gives NULL, 0, "" or 0.
 */
const json_t *fsim_summary_find(const json_t *summary, const char *path, ...)
    __attribute__((format(printf, 2, 3)));
double fsim_summary_number(const json_t *summary, const char *path, ...)
    __attribute__((format(printf, 2, 3)));
const char *fsim_summary_text(const json_t *summary, const char *path, ...)
    __attribute__((format(printf, 2, 3)));
/* Elements of an array, members of an object. */
size_t fsim_summary_size(const json_t *summary, const char *path, ...) __attribute__((format(printf, 2, 3)));
/* The members of an object, in order: their names and values into arrays of fsim_summary_size() entries.
 * Borrowed. */
void fsim_summary_members(const json_t *object, const char **names, json_t **values);

#endif
