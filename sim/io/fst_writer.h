/* Writes columnar traces (.fst), version 1, front to back: into a file, a pipe, anything that takes bytes.
 * The format is described to the byte in workloads/README.md.
 *
 * Rows come in order of arrival. Functions are numbered anew in the order in which rows mention them, so the
 * same rows give the same bytes whatever the caller's numbers are. Memory: one block, and 20 bytes a function
 * beside the table. Cost: 15 to 25 ns a row of three columns. */
#ifndef FSIM_IO_FST_WRITER_H
#define FSIM_IO_FST_WRITER_H

#include "api/function_table.h"
#include "base/error.h"
#include "io/fst_format.h"

/* Takes the next bytes of the file. */
typedef fsim_status (*fsim_fst_put)(void *user, const void *bytes, size_t size, fsim_error *err);

/* Rows as columns, all borrowed. A column that is NULL is not there: its cells are empty. */
typedef struct fsim_fst_rows {
    uint32_t count;
    const fsim_ns *arrival_ns; /* required; not below that of the row before, also of an earlier call */
    const fsim_fn_id *fn;      /* of `table`, or FSIM_FST_NO_FUNCTION */
    const fsim_ns *duration_ns, *cpu_ns; /* or FSIM_FST_EMPTY */
    const int64_t *memory_mb;            /* or FSIM_FST_EMPTY */
    const fsim_fst_text *session, *version;
} fsim_fst_rows;

typedef struct fsim_fst_writer fsim_fst_writer;

/* `table` holds the names and must live until the end; it may grow meanwhile. `columns`: a set that the trace
 * is said to have whatever the rows have; what rows have is added to it. `take` is given the bytes. */
fsim_status fsim_fst_writer_open(fsim_fst_writer **out, const fsim_function_table *table, uint32_t columns,
                                 fsim_fst_put take, void *user, fsim_error *err);
/* FSIM_EDATA where a row arrives before the one in front of it; otherwise what `take` says. */
fsim_status fsim_fst_writer_add(fsim_fst_writer *writer, const fsim_fst_rows *rows, fsim_error *err);
/* Writes what is left, the functions and the trailer; without it the file is unfinished. */
fsim_status fsim_fst_writer_finish(fsim_fst_writer *writer, fsim_error *err);
void fsim_fst_writer_destroy(fsim_fst_writer *writer); /* NULL allowed */

#endif
