/* Traces read row by row with everything that is in them: names of sessions and versions, cells that are
 * empty. For commands that write them down again; runs read through workload sources, which keep only what a
 * run needs. */
#ifndef FSIM_CLI_TRACE_INPUT_H
#define FSIM_CLI_TRACE_INPUT_H

#include "io/fst_writer.h"
#include "io/scenario_load.h"

typedef struct fsim_trace_input fsim_trace_input;

/* `load` as for a run: a native CSV file (request trace), an .fst, or anything else that a run takes as a
 * trace, whose arrivals then come as the run would see them, durations left open where the trace does.
 * FSIM_EUSAGE for scenarios and built-in workloads: they are generated, not converted. `any_order`: a native
 * CSV file need not be sorted. */
fsim_status fsim_trace_input_open(fsim_trace_input **out, const fsim_load_options *load, bool any_order,
                                  fsim_error *err);
void fsim_trace_input_close(fsim_trace_input *input); /* NULL allowed */

/* The next rows, borrowed until the next call; count 0: the end. `fn` are ids of the table. */
fsim_status fsim_trace_input_next(fsim_trace_input *input, fsim_fst_rows *rows, fsim_error *err);
/* From now on only rows of functions f with keep[f + 1], and those without a function if keep[0]; f < count.
 * Borrowed. */
void fsim_trace_input_keep(fsim_trace_input *input, const bool *keep, uint32_t count);
/* Set of fsim_fst_column; settled before the first fsim_trace_input_next. */
uint32_t fsim_trace_input_columns(const fsim_trace_input *input);
/* Grows while rows are read. */
fsim_function_table *fsim_trace_input_table(const fsim_trace_input *input);
/* Of the scenario around the trace. */
uint64_t fsim_trace_input_seed(const fsim_trace_input *input);
/* Share read so far, 0..1, or -1. */
double fsim_trace_input_progress(const fsim_trace_input *input);

#endif
