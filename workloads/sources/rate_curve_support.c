/* Piecewise linear rates; see rate_curve_support.h. */
#include "workloads/sources/rate_curve_support.h"

#include "workloads/sources/arrival_support.h"

#include <math.h>

fsim_status fsim_rate_curve_open(fsim_rate_curve *curve, const fsim_source_context *context,
                                 uint32_t capacity, fsim_error *err) {
    curve->pieces = fsim_value_pool_alloc(context->pool, capacity * sizeof *curve->pieces);
    if (curve->pieces == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    curve->capacity = capacity;
    curve->fn = context->default_fn;
    fsim_rng_seed(&curve->rng, context->seed, context->path, FSIM_RNG_ARRIVALS);
    return FSIM_OK;
}

void fsim_rate_curve_add(fsim_rate_curve *curve, fsim_ns length_ns, double from, double to) {
    fsim_ns start = curve->count == 0 ? 0 : curve->pieces[curve->count - 1].end_ns;
    if (length_ns == 0 || start == FSIM_NEVER) {
        return;
    }
    fsim_assert(curve->count < curve->capacity);
    curve->pieces[curve->count++] = (fsim_rate_piece){start, fsim_ns_add(start, length_ns), from, to};
}

/* As fsim_source_run_poisson, for a rate that goes in a straight line. */
static bool run_slope(fsim_rate_curve *curve, const fsim_rate_piece *piece, fsim_ns start_ns,
                      fsim_arrivals *batch) {
    double length = (double)(piece->end_ns - piece->start_ns);
    double slope = (piece->to - piece->from) * 1e-9 / length; /* per ns per ns */
    while (batch->count < FSIM_BATCH) {
        double offset = (double)(curve->at_ns - start_ns);
        double rate = piece->from * 1e-9 + slope * offset;
        double need = fsim_rng_exponential(&curve->rng);
        /* The root of slope/2 x^2 + rate x = need, written so that nothing cancels; beyond what is left of a
         * falling rate there is none. */
        double square = rate * rate + 2.0 * slope * need;
        double gap = square < 0.0 ? INFINITY : 2.0 * need / (rate + sqrt(square));
        if (!(gap + 0.5 < length - offset)) {
            return false;
        }
        curve->at_ns += (fsim_ns)(gap + 0.5);
        batch->at_ns[batch->count++] = curve->at_ns;
    }
    return true;
}

static void go_to_next_piece(fsim_rate_curve *curve) {
    fsim_ns end_ns = fsim_ns_add(curve->pieces[curve->at_piece].end_ns, curve->cycle_ns);
    curve->at_ns = end_ns;
    curve->at_piece++;
    if (curve->at_piece == curve->count && curve->period_ns > 0) {
        curve->at_piece = 0;
        curve->cycle_ns = fsim_ns_add(curve->cycle_ns, curve->period_ns);
    }
    curve->ended = curve->at_piece == curve->count || end_ns == FSIM_NEVER;
}

fsim_status fsim_rate_curve_next(fsim_rate_curve *curve, fsim_arrivals *batch) {
    bool full = false;
    batch->count = 0;
    while (!full && !curve->ended) {
        const fsim_rate_piece *piece = &curve->pieces[curve->at_piece];
        if (piece->from != piece->to) {
            full = run_slope(curve, piece, fsim_ns_add(piece->start_ns, curve->cycle_ns), batch);
        } else if (piece->from > 0.0) {
            full = fsim_source_run_poisson(&curve->rng, 1e9 / piece->from,
                                           fsim_ns_add(piece->end_ns, curve->cycle_ns), &curve->at_ns, batch);
        }
        if (!full) {
            go_to_next_piece(curve);
        }
    }
    fsim_source_fill(batch, curve->fn);
    return FSIM_OK;
}
