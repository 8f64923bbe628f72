/* What was read of a bucketed trace becomes what is replayed: the part that was asked for, the functions that
 * stay, their durations and memory. */
#include "trace/trace_parts.h"

#include "base/distribution.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* M. Shahrad et al., "Serverless in the Wild" (USENIX ATC 2020): durations in seconds, memory of an app in
 * MB.
 */
#define PUBLISHED_MU    (-0.38)
#define PUBLISHED_SIGMA 2.36
#define BURR_C          11.652
#define BURR_K          0.221
#define BURR_SCALE_MB   107.083
#define MEMORY_MAX_MB   (1 << 20)

void trace_published_durations(fsim_trace_durations *d) {
    *d =
        (fsim_trace_durations){.kind = FSIM_DURATION_LOGNORMAL, .mu = PUBLISHED_MU, .sigma = PUBLISHED_SIGMA};
}

/* sigma^2 = 2 ln(mean / median): the log-normal law with this mean and median. */
static void fit_lognormal(fsim_trace_durations *d) {
    double median_ns = (double)(d->knot_ns[3] > 0 ? d->knot_ns[3] : d->floor_ns > 0 ? d->floor_ns : 1);
    double ratio = (double)d->mean_ns / median_ns;
    d->kind = FSIM_DURATION_LOGNORMAL;
    d->mu = log(median_ns * 1e-9);
    d->sigma = ratio > 1.0 ? sqrt(2.0 * log(ratio)) : 0.0;
}

void fsim_trace_durations_bend(fsim_trace_durations *d) {
    const double rise = FSIM_SHOULDER - 0.75, rest = 0.99 - FSIM_SHOULDER, flattest = 0.001;
    double body_ns = 0.0, p75_ns = (double)d->knot_ns[4], p99_ns = (double)d->knot_ns[5];
    double width_ns = (double)d->knot_ns[6] - p99_ns, mean_ns = (double)d->mean_ns;
    for (int k = 0; k < 4; k++) {
        body_ns += 0.5 * (double)(d->knot_ns[k] + d->knot_ns[k + 1]) *
                   (fsim_knot_probabilities[k + 1] - fsim_knot_probabilities[k]);
    }
    double left_ns = mean_ns - body_ns - 0.01 * (p99_ns + flattest * width_ns);
    double shoulder_ns = (2.0 * left_ns - rise * p75_ns - rest * p99_ns) / (rise + rest);
    double line_ns = p75_ns + (p99_ns - p75_ns) * rise / (rise + rest);
    shoulder_ns = shoulder_ns > line_ns ? line_ns : shoulder_ns < p75_ns ? p75_ns : shoulder_ns;
    body_ns += 0.5 * (rise * (p75_ns + shoulder_ns) + rest * (shoulder_ns + p99_ns));
    double share = width_ns > 0.0 ? ((mean_ns - body_ns) / 0.01 - p99_ns) / width_ns : 0.5;
    memcpy(d->curve_ns, d->knot_ns, 5 * sizeof *d->curve_ns);
    d->curve_ns[5] = (fsim_ns)(shoulder_ns + 0.5);
    d->curve_ns[6] = d->knot_ns[5];
    d->curve_ns[7] = d->knot_ns[6];
    d->kind = FSIM_DURATION_FITTED;
    d->tail = share >= 1.0 ? 0.0 : share <= flattest ? 1.0 / flattest - 1.0 : 1.0 / share - 1.0;
}

static void settle_durations(const fsim_trace *t, fsim_trace_durations *d) {
    if (!d->known) {
        if (t->options.join == FSIM_JOIN_LOGNORMAL) {
            trace_published_durations(d);
        }
        d->floor_ns = t->options.floor_ns;
        return;
    }
    d->floor_ns = t->options.floor_ns;
    for (int k = 1; k < FSIM_KNOTS; k++) { /* ties and small steps back happen */
        d->knot_ns[k] = d->knot_ns[k] < d->knot_ns[k - 1] ? d->knot_ns[k - 1] : d->knot_ns[k];
    }
    if (!d->has_knots || t->options.sampling == FSIM_DURATION_MEAN) {
        d->kind = FSIM_DURATION_MEAN;
    } else if (t->options.sampling == FSIM_DURATION_LOGNORMAL) {
        fit_lognormal(d);
    } else if (t->options.sampling == FSIM_DURATION_FITTED) {
        fsim_trace_durations_bend(d);
    } else {
        d->kind = t->options.sampling;
    }
}

/* --- memory --- */

static double published_memory(const fsim_trace *t, const fsim_trace_function *f) {
    const fsim_dist law = {
        .kind = FSIM_DIST_BURR12, .a = 1.0 / BURR_C, .b = 1.0 / BURR_K, .c = BURR_SCALE_MB * 1e9};
    fsim_rng rng;
    fsim_rng_seed(&rng, t->options.seed, f->app != NULL ? f->app : f->name, FSIM_RNG_PLACEMENT);
    return fsim_ns_to_s(fsim_dist_sample(&law, &rng));
}

/* Functions of each app, by function. */
static fsim_status count_siblings(fsim_trace *t, uint32_t *siblings, fsim_error *err) {
    name_map apps;
    name_map_open(&apps, t->pool);
    uint32_t *of = calloc(t->function_count + 1u, sizeof *of),
             *sums = calloc(t->function_count + 1u, sizeof *sums);
    fsim_status status = of == NULL || sums == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory") : FSIM_OK;
    for (uint32_t f = 0; f < t->function_count && status == FSIM_OK; f++) {
        const char *key[2] = {t->functions[f].owner,
                              t->functions[f].app}; /* interned: one text, one address */
        status = name_map_intern(&apps, (const char *)key, sizeof key, &of[f], err);
        sums[of[f]]++;
    }
    for (uint32_t f = 0; f < t->function_count && status == FSIM_OK; f++) {
        siblings[f] = t->functions[f].app == NULL ? 1 : sums[of[f]];
    }
    name_map_close(&apps);
    free(of);
    free(sums);
    return status;
}

static fsim_status settle_memory(fsim_trace *t, fsim_error *err) {
    uint32_t *siblings = malloc((t->function_count + 1u) * sizeof *siblings);
    fsim_status status =
        siblings == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory") : count_siblings(t, siblings, err);
    for (uint32_t f = 0; f < t->function_count && status == FSIM_OK; f++) {
        fsim_trace_function *function = &t->functions[f];
        double mb = function->memory_mean;
        if (mb == 0.0 && t->has_memory && t->options.join == FSIM_JOIN_LOGNORMAL) {
            mb = function->memory_mean = published_memory(t, function);
        }
        if (mb > 0.0) {
            bool divide = t->options.memory == FSIM_MEMORY_FUNCTION && !t->facts.memory_per_function;
            mb = divide ? mb / siblings[f] : mb;
            function->memory_mb = mb >= MEMORY_MAX_MB ? MEMORY_MAX_MB : (int64_t)ceil(mb);
        }
    }
    free(siblings);
    return status;
}

/* --- which functions stay --- */

typedef struct ranked {
    uint64_t invocations;
    uint32_t f;
} ranked;

static int by_invocations(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    return x->invocations != y->invocations ? (x->invocations < y->invocations ? 1 : -1)
                                            : (x->f > y->f) - (x->f < y->f);
}

static int by_number(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    return (x->f > y->f) - (x->f < y->f);
}

static const char *reason_to_drop(const fsim_trace *t, const fsim_trace_function *f) {
    if (t->options.join != FSIM_JOIN_INNER) {
        return NULL;
    }
    return t->has_durations && !f->durations.known  ? "no row of durations"
           : t->has_memory && f->memory_mean == 0.0 ? "no row of memory"
                                                    : NULL;
}

/* Fills `kept` in order of the functions; its number. */
static uint32_t choose(fsim_trace *t, const fsim_bucket_cut *cut, ranked *kept) {
    uint32_t count = 0;
    for (uint32_t f = 0; f < t->function_count; f++) {
        uint64_t total = fsim_bucket_builder_total(t->builder, f, cut);
        const char *reason = total == 0 ? NULL : reason_to_drop(t, &t->functions[f]);
        if (reason != NULL) {
            trace_drop(t, reason, 1, total);
        } else if (total > 0) {
            kept[count++] = (ranked){total, f};
        }
    }
    uint32_t top = t->options.functions_top;
    if (top > 0 && top < count) {
        qsort(kept, count, sizeof *kept, by_invocations);
        for (uint32_t i = top; i < count; i++) {
            trace_drop(t, "not among the functions with the most requests", 1, kept[i].invocations);
        }
        count = top;
        qsort(kept, count, sizeof *kept, by_number);
    }
    return count;
}

/* --- laying out --- */

/* The first bucket of the trace at or after the instant, in buckets of the builder. */
static uint64_t bucket_at(const fsim_trace *t, fsim_ns at_ns, uint64_t group) {
    uint64_t step_ns = (uint64_t)t->step_ns * group;
    return at_ns == FSIM_NEVER ? UINT64_MAX : t->base + ((uint64_t)at_ns + step_ns - 1u) / step_ns * group;
}

static fsim_bucket_cut cut_of(const fsim_trace *t) {
    const fsim_trace_options *o = &t->options;
    uint64_t group = t->group == 0 ? 1 : t->group;
    return (fsim_bucket_cut){.from = bucket_at(t, o->from_ns, group),
                             .until = bucket_at(t, o->until_ns, group),
                             .scale_billionths = (int64_t)(o->scale_rate * 1e9 + 0.5),
                             .group = group};
}

static fsim_status set_axis(fsim_trace *t, const fsim_bucket_cut *cut, fsim_error *err) {
    uint64_t end = cut->until < t->buckets_read ? cut->until : t->buckets_read;
    uint64_t steps = end > cut->from ? end - cut->from : 0;
    double bucket_ns = (double)t->step_ns * (double)cut->group * t->options.scale_time;
    t->bucketed.bucket_count = (steps + cut->group - 1u) / cut->group;
    if (!(bucket_ns * ((double)t->bucketed.bucket_count + 1.0) < 9.2e18)) {
        return fsim_fail_at(err, FSIM_EDATA, t->files[0].path, "the trace is longer than 292 years");
    }
    t->bucketed.bucket_ns = bucket_ns < 1.0 ? 1 : (fsim_ns)(bucket_ns + 0.5);
    return FSIM_OK;
}

static fsim_status lay_out(fsim_trace *t, const fsim_bucket_cut *cut, const ranked *kept, uint32_t count,
                           fsim_error *err) {
    uint32_t *numbers = malloc((count + 1u) * sizeof *numbers);
    if (numbers == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (uint32_t i = 0; i < count; i++) { /* ascending: never onto one that is still wanted */
        numbers[i] = kept[i].f;
        t->functions[i] = t->functions[kept[i].f];
        t->functions[i].invocations = kept[i].invocations;
        settle_durations(t, &t->functions[i].durations);
        t->bucketed.invocations += kept[i].invocations;
    }
    uint64_t *first = NULL;
    uint8_t *cells = NULL;
    fsim_status status = fsim_bucket_builder_finish(t->builder, cut, numbers, count, &first, &cells, err);
    free(numbers);
    t->bucketed.first = first;
    t->bucketed.cells = cells;
    t->bucketed.functions = t->functions;
    t->bucketed.function_count = t->function_count = count;
    return status;
}

fsim_status trace_finish(fsim_trace *t, fsim_error *err) {
    const fsim_bucket_cut cut = cut_of(t);
    FSIM_TRY(settle_memory(t, err));
    FSIM_TRY(set_axis(t, &cut, err));
    ranked *kept = malloc((t->function_count + 1u) * sizeof *kept);
    if (kept == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    uint32_t count = choose(t, &cut, kept);
    fsim_status status = lay_out(t, &cut, kept, count, err);
    free(kept);
    return status;
}
