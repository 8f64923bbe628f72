/* Fitting a population; see population_fit.h. */
#include "trace/population_fit.h"

#include "base/histogram.h"
#include "base/rng.h"
#include "trace/trace_sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RESERVOIR 256u
#define DAY_NS    ((double)FSIM_DAY)

/* Of fewer gaps, or such as vary hardly more than at random, nothing can be said about pauses. */
#define USUAL_GAPS_MIN 20u
#define USUAL_CV_MIN   1.2

/* Sums of gaps. */
typedef struct gap_sums {
    double last_ns, sum, squares, roots;
    uint64_t count; /* instants seen */
} gap_sums;

typedef struct fitted {
    gap_sums real, flat; /* in time as it is; in time that the profile makes even */
    int64_t memory_mb;
    uint64_t durations; /* seen; sample holds RESERVOIR of them at most */
    double duration_sum_s;
    fsim_ns *sample;
} fitted;

struct fsim_fit {
    fitted *functions;
    uint32_t count;
    uint64_t requests, hour_requests[FSIM_FIT_HOURS];
    fsim_ns last_ns, minute_ns;
    uint64_t minute_requests, peak_per_min;
    double profile[FSIM_FIT_HOURS],
        flat_at[FSIM_FIT_HOURS + 1u]; /* mean 1; ns at the beginning of each hour */
    double rate;
    double duration_sum_s;
    fsim_ns duration_min_ns, duration_max_ns;
    fsim_histogram durations;
    fsim_rng rng;
};

fsim_fit *fsim_fit_create(uint64_t seed) {
    fsim_fit *fit = calloc(1, sizeof *fit);
    if (fit != NULL) {
        fit->duration_min_ns = FSIM_NEVER;
        fsim_rng_seed(&fit->rng, seed, "fit", FSIM_RNG_SERVICE);
    }
    return fit;
}

void fsim_fit_destroy(fsim_fit *fit) {
    if (fit != NULL) {
        for (uint32_t f = 0; f < fit->count; f++) {
            free(fit->functions[f].sample);
        }
        free(fit->functions);
        free(fit);
    }
}

/* ---- reading ---- */

static fsim_status reserve(fsim_fit *fit, uint32_t count, fsim_error *err) {
    if (count <= fit->count) {
        return FSIM_OK;
    }
    uint32_t capacity = count + count / 2;
    fitted *larger = realloc(fit->functions, capacity * sizeof *larger);
    if (larger == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    memset(larger + fit->count, 0, (capacity - fit->count) * sizeof *larger);
    fit->functions = larger;
    fit->count = capacity;
    return FSIM_OK;
}

static void add_instant(gap_sums *g, double at_ns) {
    if (g->count++ > 0) {
        double gap_s = (at_ns - g->last_ns) * 1e-9;
        g->sum += gap_s;
        g->squares += gap_s * gap_s;
        g->roots += sqrt(gap_s);
    }
    g->last_ns = at_ns;
}

/* Below 0: not known. */
static double cv_of(const gap_sums *g) {
    if (g->count < 3 || !(g->sum > 0)) {
        return -1;
    }
    double n = (double)(g->count - 1u), mean = g->sum / n;
    return sqrt(fmax(g->squares / n / (mean * mean) - 1, 0));
}

/* ---- pauses ---- */

/* With p the share of pauses, b their mean and d = 1 - usual: (1 - p) usual + p b = 1 and
 * (1 - p) usual^2 + p b^2 = (1 + cv^2) / 2. */
fsim_pauses fsim_pauses_of(double cv, double usual) {
    double d = 1 - usual, share = d * d / ((1 + cv * cv) / 2 - usual * usual - 2 * usual * d);
    return (fsim_pauses){share, usual + d / share};
}

/* Means of the square roots, of gaps with mean 1. */
static double root_with_pauses(double cv, double usual) {
    fsim_pauses p = fsim_pauses_of(cv, usual);
    return sqrt(M_PI) / 2 * ((1 - p.share) * sqrt(usual) + p.share * sqrt(p.mean));
}

static double root_of_gamma(double cv) {
    double k = 1 / (cv * cv);
    return tgamma(k + 0.5) / tgamma(k) / sqrt(k);
}

/* Roots say little about the longest gaps and much about the usual ones: of bursts they are small. 0: they
 * are much as a gamma law has them. */
static double usual_of(const gap_sums *g, double cv) {
    double n = (double)(g->count - 1u), low = 0, high = FSIM_USUAL_MAX;
    if (g->count < USUAL_GAPS_MIN || cv < USUAL_CV_MIN) {
        return 0;
    }
    double root = g->roots / n / sqrt(g->sum / n);
    if (root < 1.25 * root_of_gamma(cv)) {
        return 0;
    }
    for (int i = 0; i < 40; i++) { /* of n gaps at least one is a pause, or the variation never comes out */
        double usual = (low + high) / 2;
        bool beyond = fsim_pauses_of(cv, usual).share * n < 1 || root_with_pauses(cv, usual) > root;
        low = beyond ? low : usual;
        high = beyond ? usual : high;
    }
    return low;
}

/* Every duration has the same chance to be in the sample (J. S. Vitter 1985, algorithm R). */
static fsim_status add_duration(fsim_fit *fit, fitted *f, fsim_ns duration_ns, fsim_error *err) {
    fsim_histogram_add(&fit->durations, duration_ns);
    fit->duration_sum_s += fsim_ns_to_s(duration_ns);
    f->duration_sum_s += fsim_ns_to_s(duration_ns);
    fit->duration_min_ns = duration_ns < fit->duration_min_ns ? duration_ns : fit->duration_min_ns;
    fit->duration_max_ns = duration_ns > fit->duration_max_ns ? duration_ns : fit->duration_max_ns;
    uint64_t place = f->durations++;
    if (place < RESERVOIR && (place & (place - 1u)) == 0) { /* at 0, 1, 2, 4 … */
        fsim_ns *larger = realloc(f->sample, (place == 0 ? 1 : 2 * place) * sizeof *larger);
        if (larger == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        f->sample = larger;
    }
    if (place >= RESERVOIR) {
        place = place < UINT32_MAX ? fsim_rng_below(&fit->rng, (uint32_t)place + 1u) : RESERVOIR;
    }
    if (place < RESERVOIR) {
        f->sample[place] = duration_ns;
    }
    return FSIM_OK;
}

static void add_to_minute(fsim_fit *fit, fsim_ns at_ns) {
    if (at_ns - fit->minute_ns >= FSIM_MINUTE) {
        fit->minute_ns = at_ns - at_ns % FSIM_MINUTE;
        fit->minute_requests = 0;
    }
    fit->minute_requests++;
    fit->peak_per_min = fit->minute_requests > fit->peak_per_min ? fit->minute_requests : fit->peak_per_min;
}

fsim_status fsim_fit_add(fsim_fit *fit, uint32_t count, const fsim_ns *arrival_ns, const uint32_t *fn,
                         const int64_t *duration_ns, const int64_t *memory_mb, fsim_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        FSIM_TRY(reserve(fit, fn[i] + 1u, err));
        fitted *f = &fit->functions[fn[i]];
        add_instant(&f->real, (double)arrival_ns[i]);
        add_to_minute(fit, arrival_ns[i]);
        fit->hour_requests[arrival_ns[i] / FSIM_HOUR % FSIM_FIT_HOURS]++;
        fit->last_ns = arrival_ns[i];
        fit->requests++;
        if (duration_ns != NULL && duration_ns[i] >= 0) {
            FSIM_TRY(add_duration(fit, f, duration_ns[i], err));
        }
        if (memory_mb != NULL && memory_mb[i] > 0) {
            f->memory_mb = memory_mb[i];
        }
    }
    return FSIM_OK;
}

/* How much of the trace lies in an hour of the day. */
static double exposure_s(const fsim_fit *fit, uint32_t hour) {
    fsim_ns days = fit->last_ns / FSIM_DAY, rest_ns = fit->last_ns % FSIM_DAY - (fsim_ns)hour * FSIM_HOUR;
    rest_ns = rest_ns < 0 ? 0 : rest_ns > FSIM_HOUR ? FSIM_HOUR : rest_ns;
    return (double)days * 3600 + fsim_ns_to_s(rest_ns);
}

/* Hours that the trace does not reach, or for less than five minutes, are as busy as the others on average.
 */
fsim_status fsim_fit_settle(fsim_fit *fit, fsim_error *err) {
    double mean = (double)fit->requests / fmax(fsim_ns_to_s(fit->last_ns), 1e-9), sum = 0;
    if (fit->requests == 0) {
        return fsim_fail(err, FSIM_EDATA, "the trace has no requests, so there is nothing to fit");
    }
    for (uint32_t h = 0; h < FSIM_FIT_HOURS; h++) {
        double seconds = exposure_s(fit, h);
        fit->profile[h] = seconds < 300 ? mean : (double)fit->hour_requests[h] / seconds;
        sum += fit->profile[h];
    }
    fit->rate = sum / FSIM_FIT_HOURS;
    for (uint32_t h = 0; h < FSIM_FIT_HOURS; h++) {
        fit->profile[h] /= fit->rate;
        fit->flat_at[h + 1u] = fit->flat_at[h] + fit->profile[h] * (double)FSIM_HOUR;
    }
    return FSIM_OK;
}

static double flat_of(const fsim_fit *fit, fsim_ns at_ns) {
    uint32_t hour = (uint32_t)(at_ns / FSIM_HOUR % FSIM_FIT_HOURS);
    int64_t days = at_ns / FSIM_DAY;
    return (double)days * DAY_NS + fit->flat_at[hour] + (double)(at_ns % FSIM_HOUR) * fit->profile[hour];
}

void fsim_fit_add_gaps(fsim_fit *fit, uint32_t count, const fsim_ns *arrival_ns, const uint32_t *fn) {
    for (uint32_t i = 0; i < count; i++) {
        if (fn[i] < fit->count) {
            add_instant(&fit->functions[fn[i]].flat, flat_of(fit, arrival_ns[i]));
        }
    }
}

/* ---- what it was like ---- */

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static int compare_spans(const void *a, const void *b) {
    fsim_ns x = *(const fsim_ns *)a, y = *(const fsim_ns *)b;
    return x < y ? -1 : x > y;
}

fsim_status fsim_fit_summarise(const fsim_fit *fit, fsim_fit_summary *out, fsim_error *err) {
    static const double cv_p[4] = {0.25, 0.5, 0.75, 0.9}, duration_p[4] = {0, 0.5, 0.9, 0.99};
    double *cv = malloc((fit->count + 1u) * sizeof *cv);
    uint32_t n = 0, below = 0;
    if (cv == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    *out = (fsim_fit_summary){.requests = fit->requests, .peak_per_min = fit->peak_per_min};
    out->span_s = fsim_ns_to_s(fit->last_ns);
    for (uint32_t f = 0; f < fit->count; f++) {
        const gap_sums *g = &fit->functions[f].real;
        out->functions += g->count > 0;
        below += g->count > 0 && (double)g->count * 60 < out->span_s;
        if (g->count >= 3) {
            cv[n++] = fmax(cv_of(g), 0);
        }
    }
    qsort(cv, n, sizeof *cv, compare_doubles);
    out->share_below_1_per_min = out->functions == 0 ? 0 : (double)below / out->functions;
    out->durations = fsim_histogram_total(&fit->durations);
    for (int k = 0; k < 4; k++) {
        out->iat_cv[k] = n == 0 ? 0 : cv[(size_t)(cv_p[k] * (n - 1u))];
        out->duration_s[k] = out->durations == 0 ? 0
                             : k == 0            ? fit->duration_sum_s / (double)out->durations
                                                 : fsim_histogram_quantile(&fit->durations, duration_p[k],
                                                                           fit->duration_min_ns, fit->duration_max_ns) *
                                            1e-9;
    }
    free(cv);
    return FSIM_OK;
}

static double *log_requests(const fsim_fit *fit, size_t *count) {
    double *out = malloc((fit->count + 1u) * sizeof *out);
    *count = 0;
    for (uint32_t f = 0; out != NULL && f < fit->count; f++) {
        uint64_t n = fit->functions[f].real.count;
        if (n > 0) {
            out[(*count)++] = log10((double)n);
        }
    }
    if (out != NULL) {
        qsort(out, *count, sizeof *out, compare_doubles);
    }
    return out;
}

fsim_status fsim_fit_distance(const fsim_fit *a, const fsim_fit *b, double *out, fsim_error *err) {
    size_t n = 0, m = 0;
    double *x = log_requests(a, &n), *y = log_requests(b, &m);
    *out = x == NULL || y == NULL || n == 0 || m == 0 ? -1 : fsim_wasserstein(x, n, y, m);
    fsim_status status = x == NULL || y == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory") : FSIM_OK;
    free(x);
    free(y);
    return status;
}

/* ---- the model ---- */

static int compare_popularity(const void *a, const void *b) {
    const fitted *x = *(const fitted *const *)a, *y = *(const fitted *const *)b;
    if (x->real.count != y->real.count) {
        return x->real.count < y->real.count ? -1 : 1;
    }
    return x < y ? -1 : x > y; /* of one array: in the order of first mention */
}

/* What is too much for the mean bends the lines (fsim_trace_durations_bend). Where even straight ones have
 * less, the longest request was not in the sample. */
static void raise_last(double knots[FSIM_KNOTS], double mean) {
    const uint32_t last = FSIM_KNOTS - 1u;
    double body = 0, width = fsim_knot_probabilities[last] - fsim_knot_probabilities[last - 1u];
    for (uint32_t k = 1; k < last; k++) {
        body +=
            0.5 * (knots[k - 1u] + knots[k]) * (fsim_knot_probabilities[k] - fsim_knot_probabilities[k - 1u]);
    }
    knots[last] = fmax(2 * (mean - body) / width - knots[last - 1u], knots[last]);
}

static void fit_durations(fitted *f, fsim_fit_stratum *out) {
    uint64_t n = f->durations < RESERVOIR ? f->durations : RESERVOIR;
    out->has_durations = n > 0;
    if (n == 0) {
        return;
    }
    qsort(f->sample, n, sizeof *f->sample, compare_spans);
    for (uint32_t k = 0; k < FSIM_KNOTS; k++) {
        double place = fsim_knot_probabilities[k] * (double)(n - 1u), part = place - floor(place);
        uint64_t i = (uint64_t)place, next = i + 1u < n ? i + 1u : i;
        out->duration_s[k] = fsim_ns_to_s(f->sample[i]) * (1 - part) + fsim_ns_to_s(f->sample[next]) * part;
    }
    out->duration_mean_s = f->duration_sum_s / (double)f->durations;
    if (n == RESERVOIR) { /* of fewer, the sample is all there was */
        raise_last(out->duration_s, out->duration_mean_s);
    }
}

fsim_status fsim_fit_make_model(fsim_fit *fit, fsim_fit_model *out, fsim_error *err) {
    fitted **order = malloc((fit->count + 1u) * sizeof *order);
    uint32_t n = 0;
    if (order == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (uint32_t f = 0; f < fit->count; f++) {
        if (fit->functions[f].real.count > 0) {
            order[n++] = &fit->functions[f];
        }
    }
    qsort(order, n, sizeof(fitted *), compare_popularity);
    memset(out, 0, sizeof *out);
    out->functions = n;
    out->strata = n < FSIM_FIT_STRATA ? n : FSIM_FIT_STRATA;
    out->rate = fit->rate;
    out->until_ns = fit->last_ns;
    memcpy(out->profile, fit->profile, sizeof out->profile);
    for (uint32_t k = 0; k < out->strata; k++) {
        fsim_fit_stratum *s = &out->stratum[k];
        uint32_t from = (uint32_t)((uint64_t)n * k / out->strata);
        uint32_t end = (uint32_t)((uint64_t)n * (k + 1u) / out->strata);
        for (uint32_t i = from; i < end; i++) {
            s->requests += (double)order[i]->real.count / (end - from);
        }
        fitted *one = order[from + fsim_rng_below(&fit->rng, end - from)];
        double flat_cv = cv_of(&one->flat), real_cv = cv_of(&one->real);
        s->daily = flat_cv <= 1.02 * real_cv || real_cv < 0; /* only who is clearly steadier without it */
        double cv = s->daily ? flat_cv : real_cv;
        s->cv = cv < 0 ? 1 : fmin(cv, 1000);
        s->usual = usual_of(s->daily ? &one->flat : &one->real, s->cv);
        s->memory_mb = one->memory_mb;
        fit_durations(one, s);
    }
    free(order);
    return FSIM_OK;
}
