/* Rows of requests as CSV, fast enough that writing is never the slow part: names are quoted once for each
 * function, numbers are exact decimals of nanoseconds. */
#ifndef FSIM_CLI_ROW_WRITER_H
#define FSIM_CLI_ROW_WRITER_H

#include "api/function_table.h"
#include "cli/sink.h"
#include "model/run.h"

/* A function's name as a CSV field with the commas around it. */
typedef struct fsim_row_name {
    char *text;
    size_t len;
} fsim_row_name;

typedef struct fsim_row_writer {
    fsim_sink sink;
    fsim_row_name *names; /* by function id */
    uint32_t name_count;
} fsim_row_writer;

/* path as in fsim_sink_open; `header` is the first line, with its newline. */
fsim_status fsim_row_writer_open(fsim_row_writer *writer, const char *path, const char *header,
                                 fsim_error *err);
/* arrival_s,function,duration_ms: the native trace format, for every row of the batch. */
fsim_status fsim_row_writer_arrivals(fsim_row_writer *writer, const fsim_arrivals *batch,
                                     const fsim_function_table *table, fsim_error *err);
#define FSIM_ROW_WRITER_ARRIVALS_HEADER "arrival_s,function,duration_ms\n"
/* One finished request; empty fields where nothing happened. */
fsim_status fsim_row_writer_request(fsim_row_writer *writer, const fsim_request_row *row,
                                    const fsim_function_table *table, fsim_error *err);
#define FSIM_ROW_WRITER_REQUEST_HEADER                                                                       \
    "arrival_s,function,outcome,wait_ms,duration_ms,latency_ms,cold,instance,retries\n"
fsim_status fsim_row_writer_close(fsim_row_writer *writer, fsim_status status, fsim_error *err);

#endif
