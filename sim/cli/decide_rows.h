/* The rows of `fsim decide` as text, CSV or JSON, streamed: memory does not grow with their number. Text is
 * aligned, so its rows are measured by a first pass. */
#ifndef FSIM_CLI_DECIDE_ROWS_H
#define FSIM_CLI_DECIDE_ROWS_H

#include "cli/sink.h"
#include "model/decide.h"

typedef enum fsim_decide_format { FSIM_DECIDE_TEXT, FSIM_DECIDE_CSV, FSIM_DECIDE_JSON } fsim_decide_format;

#define FSIM_DECIDE_READINGS_MAX 32 /* different names of readings in one run, as columns of text */

typedef struct fsim_decide_rows {
    const fsim_metric_series *series;
    fsim_decide_format format;
    fsim_sink sink;
    const char *readings[FSIM_DECIDE_READINGS_MAX];
    uint32_t reading_count;
    int widths[3 + FSIM_INPUTS + FSIM_DECIDE_READINGS_MAX + 2]; /* of the columns of text, in their order */
    uint64_t count;                                             /* rows measured or written */
} fsim_decide_rows;

/* A callback for fsim_decide (`user` is a fsim_decide_rows): notes names and widths; writes nothing. */
fsim_status fsim_decide_rows_measure(void *user, const fsim_decide_row *row, fsim_error *err);
/* Opens the output (path as in fsim_sink_open) and writes what stands above the rows; `title` only in text.
 */
fsim_status fsim_decide_rows_begin(fsim_decide_rows *rows, const char *path, const char *title,
                                   fsim_error *err);
/* A callback for fsim_decide. */
fsim_status fsim_decide_rows_write(void *user, const fsim_decide_row *row, fsim_error *err);
fsim_status fsim_decide_rows_end(fsim_decide_rows *rows, fsim_status status, fsim_error *err);

#endif
