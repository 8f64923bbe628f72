/* usage.json, schema fsim.usage/1: everything that a run has metered, so that fsim bill can price it by books
 * that the run did not know. Numbers of 128 bits are decimal strings. sim/io/usage_file.h reads it. */
#ifndef FSIM_REPORT_USAGE_JSON_H
#define FSIM_REPORT_USAGE_JSON_H

#include "base/error.h"
#include "model/result.h"

#include <stdio.h>

fsim_status fsim_usage_write(FILE *out, const fsim_result *result, fsim_error *err);

#endif
