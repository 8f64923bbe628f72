/* Which rows of a trace are wanted, when they arrive and how many requests each stands for: one rule for all
 * readers of rows, native CSV, .fst and public formats alike.
 *
 * Wanted is what arrives in [from_ns, until_ns) of the trace; from_ns becomes 0, and the axis is stretched by
 * scale_time. A row stands for scale_rate requests: for the whole part of it, and with the probability of the
 * fraction for one more, drawn from a stream of its function (FSIM_RNG_THINNING, keyed by the seed and the
 * name): independent of the other functions, so that a Poisson process stays one when it is thinned. The
 * requests of a row arrive at one instant. Of the options, placement, durations and memory play no part here.
 */
#ifndef FSIM_TRACE_ROW_SCALE_H
#define FSIM_TRACE_ROW_SCALE_H

#include "base/value.h"
#include "trace/trace.h"

#define FSIM_ROW_UNWANTED (UINT32_MAX - 1u) /* as the function of a row: one that is left out */

/* Reads the keys `from`, `to`, `scale_rate`, `scale_time` and `functions_top` of a source. FSIM_ECONFIG. */
fsim_status fsim_row_scale_read(fsim_trace_options *options, const fsim_value *config, fsim_error *err);
/* Whether these options change anything: without them a reader pays nothing. */
bool fsim_row_scale_is_needed(const fsim_trace_options *options);

typedef struct fsim_row_scale fsim_row_scale;

fsim_status fsim_row_scale_open(fsim_row_scale **out, const fsim_trace_options *options, fsim_error *err);
void fsim_row_scale_close(fsim_row_scale *scale); /* NULL allowed */
/* Of a row of function `fn`, called `name`: *copies requests at *at_ns, which is moved; 0: it is left out. 2
 * ns, with a rate 5 ns; memory: 32 bytes a function. FSIM_ELIMIT out of memory. */
fsim_status fsim_row_scale_row(fsim_row_scale *scale, uint32_t fn, const char *name, fsim_ns *at_ns,
                               uint64_t *copies, fsim_error *err);
/* Nothing that arrives then or later is wanted. */
bool fsim_row_scale_has_ended(const fsim_row_scale *scale, fsim_ns at_ns);
/* An instant of the trace that is at least from_ns, as one of what is made of it. */
fsim_ns fsim_row_scale_instant(const fsim_trace_options *options, fsim_ns at_ns);

/* Marks the `top` of `count` functions with the most requests; of equals the first. keep[count]. FSIM_ELIMIT.
 */
fsim_status fsim_row_scale_top(const uint64_t *requests, uint32_t count, uint32_t top, bool *keep,
                               fsim_error *err);

/* ---- native CSV and .fst: their functions are known by name, and counted by reading the file ahead ---- */

typedef struct fsim_native_top fsim_native_top;

/* Reads `file` (relative to base_dir), an .fst or a CSV file, and finds the functions_top functions with the
 * most requests between from_ns and until_ns. Rows without a function are those of `default_name`. What is
 * wrong in the file is left to its reader, but FSIM_EDATA and FSIM_EIO come from here too. FSIM_EUSAGE: the
 * file can be read only once. *out NULL: all functions are wanted. */
fsim_status fsim_native_top_find(fsim_native_top **out, const char *base_dir, const char *file, bool is_fst,
                                 const char *default_name, const fsim_trace_options *options,
                                 fsim_error *err);
/* With NULL: true. */
bool fsim_native_top_has(const fsim_native_top *top, const char *name, size_t len);
void fsim_native_top_close(fsim_native_top *top); /* NULL allowed */

#endif
