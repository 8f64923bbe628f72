/* usage.json, schema fsim.usage/1: everything that a run has metered, so that fsim bill can price it by books
 * that the run did not know. Numbers of 128 bits are decimal strings. The caller frees the text; NULL: no
 * memory. sim/io/usage_file.h reads it. */
#ifndef FSIM_REPORT_USAGE_JSON_H
#define FSIM_REPORT_USAGE_JSON_H

#include "model/result.h"

char *fsim_usage_dump(const fsim_result *result);

#endif
