/* Distributions of times (and of batch sizes). One description serves service times, cold starts, windows,
 * time-outs, think times, intervals and retries (contract additions, section 1 "distributions").
 *
 * A description is plain data owned by the pool it was read from; sampling needs no allocation and draws only
 * from the given stream. */
#ifndef FSIM_BASE_DISTRIBUTION_H
#define FSIM_BASE_DISTRIBUTION_H

#include "base/rng.h"
#include "base/time.h"
#include "base/value.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum fsim_dist_kind {
    FSIM_DIST_CONSTANT,
    FSIM_DIST_UNIFORM,
    FSIM_DIST_EXPONENTIAL,
    FSIM_DIST_GAMMA, /* also erlang */
    FSIM_DIST_LOGNORMAL,
    FSIM_DIST_WEIBULL,
    FSIM_DIST_PARETO,
    FSIM_DIST_HYPEREXPONENTIAL,
    FSIM_DIST_NORMAL, /* truncated at 0: redrawn below 0 */
    FSIM_DIST_BURR12,
    FSIM_DIST_EMPIRICAL,
    FSIM_DIST_SHIFT
} fsim_dist_kind;

#define FSIM_DIST_PHASES_MAX 16

typedef struct fsim_dist_phase {
    double cumulative, mean_ns; /* the last phase's cumulative probability is exactly 1 */
} fsim_dist_phase;

typedef struct fsim_dist fsim_dist;
struct fsim_dist {
    fsim_dist_kind kind;
    fsim_ns constant_ns; /* CONSTANT: the value; SHIFT: by (may be negative) */
    double a, b, c;      /* nanoseconds where a length; see distribution.c for each kind */
    size_t count;        /* of phases or values */
    /* A function holds seven of these, and a run may have millions of functions: what only some kinds need is
     * kept aside. */
    union {
        const fsim_dist_phase *phases; /* HYPEREXPONENTIAL */
        const fsim_ns *values;         /* EMPIRICAL: ascending */
        const fsim_dist *of;           /* SHIFT */
    };
};

/* Sets a constant; the zero-initialised fsim_dist is the constant 0. */
void fsim_dist_constant(fsim_dist *dist, fsim_ns value_ns);

/* A gamma law of shape k > 0. */
void fsim_dist_gamma(fsim_dist *dist, double k, double mean_ns);

/* Reads a distribution object {"dist": …}, or a span ("20ms") as a constant. `base_dir` resolves `empirical`
 * files (one number with unit, or bare seconds, a line). Errors: unknown distribution (nearest name), missing
 * or contradicting parameter, a parameter out of range, a mean that does not exist where `needs_mean`. */
fsim_status fsim_dist_read(fsim_dist *out, fsim_value_pool *pool, const fsim_value *value,
                           const char *base_dir, bool needs_mean, fsim_error *err);

/* The same for a number of things instead of a time ("size" of a batch): lengths are plain numbers, a whole
 * number is a constant; drawn with fsim_dist_sample_count. */
fsim_status fsim_dist_read_count(fsim_dist *out, fsim_value_pool *pool, const fsim_value *value,
                                 fsim_error *err);

/* One variate in ns, >= 0; FSIM_NEVER beyond the range. */
fsim_ns fsim_dist_sample(const fsim_dist *dist, fsim_rng *rng);
/* One variate of a distribution read as a count, to the nearest whole number. */
uint64_t fsim_dist_sample_count(const fsim_dist *dist, fsim_rng *rng);

/* n variates, the same as n calls of fsim_dist_sample; the state of the stream stays in registers for the
 * common laws. */
void fsim_dist_fill(const fsim_dist *dist, fsim_rng *rng, fsim_ns *out, size_t n);

/* Mean in ns; INFINITY where there is none (pareto with alpha <= 1). For a negative shift it is the larger of
 * 0 and the shifted mean, a lower bound. */
double fsim_dist_mean_ns(const fsim_dist *dist);
static inline bool fsim_dist_is_zero(const fsim_dist *d) {
    return d->kind == FSIM_DIST_CONSTANT && d->constant_ns == 0;
}

/* For `fsim list distributions`: names, and the parameters of each in the same order; NULL-terminated. */
extern const char *const fsim_dist_names[];
extern const char *const fsim_dist_parameters[];

#endif
