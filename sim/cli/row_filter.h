/* Rows of a trace with everything that is in them (names of sessions and versions, empty cells) through a
 * filter: which functions are kept, and what trace/row_scale.h makes of a row. */
#ifndef FSIM_CLI_ROW_FILTER_H
#define FSIM_CLI_ROW_FILTER_H

#include "io/fst_writer.h"
#include "trace/row_scale.h"

typedef struct fsim_row_filter fsim_row_filter;

/* `table` gives the names of functions; borrowed. `nameless`: what rows without a function are called. */
fsim_status fsim_row_filter_open(fsim_row_filter **out, const fsim_trace_options *options,
                                 const fsim_function_table *table, const char *nameless, fsim_error *err);
void fsim_row_filter_close(fsim_row_filter *filter); /* NULL allowed */
/* From now on only rows of functions f with keep[f + 1], and those without a function if keep[0]; f < count.
 * Borrowed; NULL: all. */
void fsim_row_filter_keep(fsim_row_filter *filter, const bool *keep, uint32_t count);

/* Rows to be filtered, borrowed until fsim_row_filter_next gives none. */
void fsim_row_filter_add(fsim_row_filter *filter, const fsim_fst_rows *rows);
/* The next rows that come out, borrowed until the next call; count 0: nothing is left of what was added. */
fsim_status fsim_row_filter_next(fsim_row_filter *filter, fsim_fst_rows *rows, fsim_error *err);

#endif
