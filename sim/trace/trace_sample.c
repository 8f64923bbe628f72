/* Samples of functions; see trace_sample.h. */
#include "trace/trace_sample.h"

#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_functions(const void *a, const void *b) {
    const fsim_sample_function *x = *(const fsim_sample_function *const *)a;
    const fsim_sample_function *y = *(const fsim_sample_function *const *)b;
    if (x->requests != y->requests) {
        return x->requests < y->requests ? -1 : 1;
    }
    return strcmp(x->name, y->name);
}

fsim_status fsim_sample_choose(const fsim_sample_function *functions, uint32_t n, uint32_t k, uint64_t seed,
                               bool *keep, uint32_t *kept, fsim_error *err) {
    const fsim_sample_function **order = malloc((n + 1u) * sizeof *order);
    if (order == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    uint32_t active = 0;
    for (uint32_t f = 0; f < n; f++) {
        keep[f] = false;
        if (functions[f].requests > 0) {
            order[active++] = &functions[f];
        }
    }
    qsort(order, active, sizeof(const fsim_sample_function *), compare_functions);
    k = k < active ? k : active;
    fsim_rng rng;
    fsim_rng_seed(&rng, seed, "sample", FSIM_RNG_ARRIVALS);
    for (uint32_t i = 0; i < k; i++) {
        uint32_t from = (uint32_t)((uint64_t)active * i / k),
                 end = (uint32_t)((uint64_t)active * (i + 1u) / k);
        keep[order[from + fsim_rng_below(&rng, end - from)] - functions] = true;
    }
    *kept = k;
    free(order);
    return FSIM_OK;
}

double fsim_wasserstein(const double *a, size_t n, const double *b, size_t m) {
    double area = 0, x = fmin(a[0], b[0]);
    for (size_t i = 0, j = 0; i < n || j < m;) {
        double next = j == m || (i < n && a[i] <= b[j]) ? a[i] : b[j];
        area += fabs((double)i / (double)n - (double)j / (double)m) * (next - x);
        x = next;
        while (i < n && a[i] <= x) {
            i++;
        }
        while (j < m && b[j] <= x) {
            j++;
        }
    }
    return area;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

typedef double (*measure)(const fsim_sample_function *f); /* NAN: not of this function */

static double requests_of(const fsim_sample_function *f) {
    return f->requests == 0 ? (double)NAN : log10((double)f->requests);
}

/* Durations of 0 count as a microsecond. */
static double duration_of(const fsim_sample_function *f) {
    return f->durations == 0 ? (double)NAN : log10(fmax(f->duration_s / (double)f->durations, 1e-6));
}

static double distance(const fsim_sample_function *functions, uint32_t n, const bool *keep, measure of,
                       double *all, double *some) {
    size_t all_count = 0, some_count = 0;
    for (uint32_t f = 0; f < n; f++) {
        double value = of(&functions[f]);
        if (isnan(value)) {
            continue;
        }
        all[all_count++] = value;
        if (keep[f]) {
            some[some_count++] = value;
        }
    }
    if (all_count == 0 || some_count == 0) {
        return -1;
    }
    qsort(all, all_count, sizeof *all, compare_doubles);
    qsort(some, some_count, sizeof *some, compare_doubles);
    return fsim_wasserstein(all, all_count, some, some_count);
}

fsim_status fsim_sample_compare(const fsim_sample_function *functions, uint32_t n, const bool *keep,
                                fsim_sample_distance *out, fsim_error *err) {
    double *all = malloc((n + 1u) * sizeof *all), *some = malloc((n + 1u) * sizeof *some);
    if (all != NULL && some != NULL) {
        out->requests = distance(functions, n, keep, requests_of, all, some);
        out->duration = distance(functions, n, keep, duration_of, all, some);
    }
    fsim_status status = all != NULL && some != NULL ? FSIM_OK : fsim_fail(err, FSIM_ELIMIT, "out of memory");
    free(all);
    free(some);
    return status;
}
