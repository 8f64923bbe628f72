/* Rows of finished requests as CSV, fast enough that writing is never the slow part: names are quoted once
 * for each function, numbers are exact decimals of nanoseconds. */
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

/* Zeroed: none yet. */
typedef struct fsim_row_names {
    fsim_row_name *name; /* by function id */
    uint32_t count;
} fsim_row_names;

/* Adds the functions that the table has got since. */
fsim_status fsim_row_names_learn(fsim_row_names *names, const fsim_function_table *table, fsim_error *err);
void fsim_row_names_free(fsim_row_names *names);

typedef struct fsim_row_writer {
    fsim_sink sink;
    fsim_row_names names;
} fsim_row_writer;

/* path as in fsim_sink_open; `header` is the first line, with its newline. */
fsim_status fsim_row_writer_open(fsim_row_writer *writer, const char *path, const char *header,
                                 fsim_error *err);
/* One finished request; empty fields where nothing happened. */
fsim_status fsim_row_writer_request(fsim_row_writer *writer, const fsim_request_row *row,
                                    const fsim_function_table *table, fsim_error *err);
#define FSIM_ROW_WRITER_REQUEST_HEADER                                                                       \
    "arrival_s,function,outcome,wait_ms,duration_ms,latency_ms,cold,instance,retries\n"
fsim_status fsim_row_writer_close(fsim_row_writer *writer, fsim_status status, fsim_error *err);

#endif
