/* The native rate trace (CSV columns time_s, function, and requests or rps): how many requests arrive in each
 * bucket of time, and where in the bucket they are put. Memory: one row a function of the current bucket. */
#ifndef FSIM_SOURCES_RATE_TRACE_SUPPORT_H
#define FSIM_SOURCES_RATE_TRACE_SUPPORT_H

#include "api/source_api.h"
#include "base/placement.h"
#include "io/csv_reader.h"
#include "trace/trace.h"

typedef struct fsim_rate_trace fsim_rate_trace;

/* The fields (from 0) of the bound columns; function_field SIZE_MAX: absent. Amounts are in billionths of a
 * request (per second where is_rps). */
typedef struct fsim_rate_trace_layout {
    size_t time_field, function_field, amount_field;
    bool is_rps;
    fsim_ns bucket_ns; /* 0: the step between the first two instants */
    fsim_placement placement;
    const fsim_trace_options *cut; /* from, until, both scales (trace/row_scale.h), borrowed; a bucket is in
                                    * where its start is, and its amount is scaled, not drawn */
} fsim_rate_trace_layout;

/* Borrows csv and context->table. Rows of function FSIM_ROW_UNWANTED are left out. */
fsim_status fsim_rate_trace_open(fsim_rate_trace **out, fsim_csv *csv, const fsim_rate_trace_layout *layout,
                                 const fsim_source_context *context, fsim_error *err);
fsim_status fsim_rate_trace_next(fsim_rate_trace *trace, fsim_arrivals *batch, fsim_error *err);
void fsim_rate_trace_close(fsim_rate_trace *trace); /* NULL allowed */

#endif
