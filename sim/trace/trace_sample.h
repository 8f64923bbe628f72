/* A few functions that stand for many: stratified by popularity. */
#ifndef FSIM_TRACE_TRACE_SAMPLE_H
#define FSIM_TRACE_TRACE_SAMPLE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is counted of each function. */
typedef struct fsim_sample_function {
    const char *name;
    uint64_t requests;
    uint64_t durations; /* requests whose duration is known */
    double duration_s;  /* their sum */
} fsim_sample_function;

/* Marks k of the n functions in keep[n]: they are put in order of requests (ties by name) and cut into k
 * strata of as equal a number of functions as can be; one is drawn from each. Functions without requests are
 * left out; k at least their number keeps all. Returns how many were marked; FSIM_ELIMIT out of memory. */
fsim_status fsim_sample_choose(const fsim_sample_function *functions, uint32_t n, uint32_t k, uint64_t seed,
                               bool *keep, uint32_t *kept, fsim_error *err);

/* How far the sample is from the whole: first Wasserstein distances between distributions over functions,
 * each function with the same weight. */
typedef struct fsim_sample_distance {
    double requests; /* of log10 of the requests of a function, in decades: 0.3 is a factor of 2 */
    double duration; /* of log10 of a function's mean duration, in decades; -1: no durations */
} fsim_sample_distance;

fsim_status fsim_sample_compare(const fsim_sample_function *functions, uint32_t n, const bool *keep,
                                fsim_sample_distance *out, fsim_error *err);

/* First Wasserstein distance of two samples, each value with the same weight: the area between the two
 * distribution functions. Both ascending, at least one value each. */
double fsim_wasserstein(const double *a, size_t n, const double *b, size_t m);

#endif
