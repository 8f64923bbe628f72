/* Poisson processes whose rate changes along a curve of straight pieces, by exact inversion: within a piece
 * the time to the next arrival solves "integral of the rate = unit exponential variate", a quadratic
 * equation; at the end of a piece the process has no memory and draws anew. Source: L. Devroye, "Non-uniform
 * random variate generation" (1986), section VI.1.3. */
#ifndef FSIM_SOURCES_RATE_CURVE_SUPPORT_H
#define FSIM_SOURCES_RATE_CURVE_SUPPORT_H

#include "api/source_api.h"

typedef struct fsim_rate_piece {
    fsim_ns start_ns, end_ns; /* end_ns FSIM_NEVER: the last, of constant rate */
    double from, to;          /* requests per second at its ends */
} fsim_rate_piece;

typedef struct fsim_rate_curve {
    fsim_rate_piece *pieces; /* adjoining, from 0 on; in the pool of the workload */
    uint32_t count, capacity;
    fsim_ns period_ns; /* above 0: the pieces repeat with it */
    uint32_t at_piece;
    fsim_ns cycle_ns, at_ns; /* start of the current period; the last arrival or the piece's start */
    bool ended;
    fsim_rng rng;
    fsim_fn_id fn;
} fsim_rate_curve;

/* `capacity` pieces at most will be added. */
fsim_status fsim_rate_curve_open(fsim_rate_curve *curve, const fsim_source_context *context,
                                 uint32_t capacity, fsim_error *err);
/* Appends a piece of this length behind the last one (FSIM_NEVER: without end); a length of 0 adds nothing.
 */
void fsim_rate_curve_add(fsim_rate_curve *curve, fsim_ns length_ns, double from, double to);
/* The `next` of a source. */
fsim_status fsim_rate_curve_next(fsim_rate_curve *curve, fsim_arrivals *batch);

#endif
