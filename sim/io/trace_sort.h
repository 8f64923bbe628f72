/* Sorts the rows of a trace by arrival in bounded memory, stably: rows of one instant keep their order.
 *
 * Rows are collected up to the budget, sorted, and written as runs (.fst, so packed) into temporary files
 * without a name, which the system removes whatever becomes of the process. The runs are merged at the end,
 * in several passes when there are more than the budget has room for. A trace that fits into the budget makes
 * no file. Cost: a radix sort, 15 ns a row, and for runs one writing and reading of .fst each pass. */
#ifndef FSIM_IO_TRACE_SORT_H
#define FSIM_IO_TRACE_SORT_H

#include "io/fst_writer.h"

typedef struct fsim_trace_sort fsim_trace_sort;

typedef struct fsim_trace_sort_options {
    size_t memory_bytes;   /* budget; at least FSIM_TRACE_SORT_MEMORY_MIN */
    const char *directory; /* of the temporary files */
    bool (*stop)(void);    /* asked now and then; true ends the work with FSIM_EIO. NULL: never */
} fsim_trace_sort_options;

#define FSIM_TRACE_SORT_MEMORY_MIN ((size_t)1 << 20)

/* `table` holds the names of functions and must live until the end; options are copied, their directory is
 * borrowed. `set`: of fsim_fst_column, all that rows will have. */
fsim_status fsim_trace_sort_open(fsim_trace_sort **out, fsim_function_table *table, uint32_t set,
                                 const fsim_trace_sort_options *options, fsim_error *err);
/* Takes rows in any order; they are copied. FSIM_EIO: the directory does not take the runs. */
fsim_status fsim_trace_sort_add(fsim_trace_sort *sort, const fsim_fst_rows *rows, fsim_error *err);
/* All rows are there. Then the sorted ones come out: borrowed until the next call, count 0 at the end. */
fsim_status fsim_trace_sort_finish(fsim_trace_sort *sort, fsim_error *err);
fsim_status fsim_trace_sort_next(fsim_trace_sort *sort, fsim_fst_rows *rows, fsim_error *err);
/* Runs written so far, merged ones included. */
uint32_t fsim_trace_sort_runs(const fsim_trace_sort *sort);
void fsim_trace_sort_destroy(fsim_trace_sort *sort); /* NULL allowed */

#endif
