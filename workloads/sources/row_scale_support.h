/* The rows of a native trace after `from`, `to`, `scale_rate`, `scale_time` and `functions_top`
 * (trace/row_scale.h): batches as a source reads them become those that it gives out. */
#ifndef FSIM_SOURCES_ROW_SCALE_SUPPORT_H
#define FSIM_SOURCES_ROW_SCALE_SUPPORT_H

#include "api/source_api.h"
#include "trace/row_scale.h"

/* Fields are private but `options`. */
typedef struct fsim_scaled_rows {
    fsim_trace_options options;
    fsim_native_top *top; /* NULL: all functions */
    fsim_row_scale *scale;
    const fsim_function_table *table;
    fsim_arrivals *raw; /* NULL: nothing is scaled, and batches go through as they are */
    uint32_t at;        /* of the raw batch */
    fsim_ns at_ns;      /* of the row at hand */
    uint64_t copies;    /* still to be given of it */
    bool ended;
} fsim_scaled_rows;

/* Reads the keys and, for functions_top, `file` once ahead. Zeroed before. Close even after a failure. */
fsim_status fsim_scaled_rows_open(fsim_scaled_rows *rows, const fsim_source_context *context,
                                  const fsim_value *config, const char *file, bool is_fst, fsim_error *err);
void fsim_scaled_rows_close(fsim_scaled_rows *rows);

/* Whether this function is wanted; len 0: rows without one. */
bool fsim_scaled_rows_want(const fsim_scaled_rows *rows, const fsim_source_context *context, const char *name,
                           size_t len);

typedef fsim_status (*fsim_raw_next)(void *state, fsim_arrivals *batch, fsim_error *err);

/* The next batch of what raw_next reads; there, FSIM_ROW_UNWANTED in `fn` is a row to be left out. */
fsim_status fsim_scaled_rows_next(fsim_scaled_rows *rows, fsim_raw_next raw_next, void *state,
                                  fsim_arrivals *batch, fsim_error *err);

#endif
