/* Distributions; see distribution.h. What the fields of fsim_dist hold:
 *
 *   uniform       a = min, b = max - min             exponential   a = mean
 *   gamma         a = k, b = mean / k, c = Marsaglia and Tsang's 1 / sqrt(9 d)
 *   lognormal     a = mu of the logarithm of nanoseconds, b = sigma
 *   weibull       a = 1 / shape, b = scale           pareto        a = min, b = 1 / alpha
 *   normal        a = mean, b = sd                   burr12        a = 1 / c, b = 1 / k, c = scale
 *
 * Every law is made from exponential, normal and uniform variates of base/rng.h by the inverse of its
 * distribution function (an exponential variate is -ln U), gamma by G. Marsaglia, W. W. Tsang, "A simple
 * method for generating gamma variables" (2000). Own code rather than GSL's generators: those draw through a
 * global-style interface and change between releases, and results must not. */
#include "base/distribution.h"

#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_UNIT   1e9 /* of a bare number: a second, or one thing where counts are drawn */
#define LENGTH_MAX    9.2e18
#define EMPIRICAL_MAX ((size_t)1 << 24)

const char *const fsim_dist_names[] = {
    "constant", "uniform",          "exponential", "erlang", "gamma",     "lognormal", "weibull",
    "pareto",   "hyperexponential", "normal",      "burr12", "empirical", "shift",     NULL};

const char *const fsim_dist_parameters[] = {"value",
                                            "min max",
                                            "mean",
                                            "k mean",
                                            "k mean",
                                            "mu sigma (of ln seconds), or mean cv",
                                            "shape scale",
                                            "min alpha",
                                            "phases [{p, mean}]",
                                            "mean sd (drawn again below 0)",
                                            "c k scale",
                                            "values [...], or file",
                                            "by of (by may be negative; below 0 becomes 0)",
                                            NULL};

void fsim_dist_constant(fsim_dist *dist, fsim_ns value_ns) {
    *dist = (fsim_dist){.kind = FSIM_DIST_CONSTANT, .constant_ns = value_ns};
}

/* --- sampling
 * ------------------------------------------------------------------------------------------------------ */

static fsim_ns to_ns(double ns) {
    if (FSIM_LIKELY(ns >= 0.5 && ns < LENGTH_MAX)) {
        return (fsim_ns)(ns + 0.5);
    }
    return ns >= LENGTH_MAX ? FSIM_NEVER : 0;
}

/* Unit scale. For k < 1: gamma(k) = gamma(k + 1) * U^(1/k). */
static double sample_gamma(double k, double c, fsim_rng *rng) {
    double boost = 1.0;
    if (k < 1.0) {
        boost = exp(-fsim_rng_exponential(rng) / k);
        k += 1.0;
    }
    double d = k - 1.0 / 3.0;
    for (;;) {
        double x = fsim_rng_normal(rng);
        double t = 1.0 + c * x;
        if (t <= 0.0) {
            continue;
        }
        double v = t * t * t;
        double u = fsim_rng_open(rng);
        double squared = x * x;
        if (u < 1.0 - 0.0331 * squared * squared || log(u) < 0.5 * squared + d * (1.0 - v + log(v))) {
            return boost * d * v;
        }
    }
}

static double sample_phase(const fsim_dist *dist, fsim_rng *rng) {
    double u = fsim_rng_unit(rng);
    size_t i = 0;
    while (i + 1 < dist->count && u >= dist->phases[i].cumulative) {
        i++;
    }
    return dist->phases[i].mean_ns * fsim_rng_exponential(rng);
}

static double sample_normal(const fsim_dist *dist, fsim_rng *rng) {
    double x;
    do {
        x = dist->a + dist->b * fsim_rng_normal(rng);
    } while (x < 0.0);
    return x;
}

static fsim_ns sample_shift(const fsim_dist *dist, fsim_rng *rng) {
    fsim_ns drawn = fsim_dist_sample(dist->of, rng);
    if (drawn == FSIM_NEVER) {
        return FSIM_NEVER;
    }
    if (dist->constant_ns >= 0) {
        return fsim_ns_add(drawn, dist->constant_ns);
    }
    return drawn + dist->constant_ns < 0 ? 0 : drawn + dist->constant_ns;
}

static __attribute__((noinline)) fsim_ns sample_any(const fsim_dist *dist, fsim_rng *rng) {
    switch (dist->kind) {
    case FSIM_DIST_CONSTANT: return dist->constant_ns;
    case FSIM_DIST_UNIFORM: return to_ns(dist->a + dist->b * fsim_rng_unit(rng));
    case FSIM_DIST_EXPONENTIAL: return to_ns(dist->a * fsim_rng_exponential(rng));
    case FSIM_DIST_GAMMA: return to_ns(dist->b * sample_gamma(dist->a, dist->c, rng));
    case FSIM_DIST_LOGNORMAL: return to_ns(exp(dist->a + dist->b * fsim_rng_normal(rng)));
    case FSIM_DIST_WEIBULL: return to_ns(dist->b * pow(fsim_rng_exponential(rng), dist->a));
    case FSIM_DIST_PARETO: return to_ns(dist->a * exp(dist->b * fsim_rng_exponential(rng)));
    case FSIM_DIST_HYPEREXPONENTIAL: return to_ns(sample_phase(dist, rng));
    case FSIM_DIST_NORMAL: return to_ns(sample_normal(dist, rng));
    case FSIM_DIST_BURR12: return to_ns(dist->c * pow(expm1(dist->b * fsim_rng_exponential(rng)), dist->a));
    case FSIM_DIST_EMPIRICAL: return dist->values[fsim_rng_below(rng, (uint32_t)dist->count)];
    case FSIM_DIST_SHIFT: return sample_shift(dist, rng);
    }
    return 0;
}

/* The law of most durations needs neither the switch nor its frame. */
fsim_ns fsim_dist_sample(const fsim_dist *dist, fsim_rng *rng) {
    return FSIM_LIKELY(dist->kind == FSIM_DIST_EXPONENTIAL) ? to_ns(dist->a * fsim_rng_exponential(rng))
                                                            : sample_any(dist, rng);
}

static void fill_exponential(double mean_ns, fsim_rng *rng, fsim_ns *out, size_t n) {
    fsim_rng local = *rng; /* in registers */
    for (size_t i = 0; i < n; i++) {
        out[i] = to_ns(mean_ns * fsim_rng_exponential(&local));
    }
    *rng = local;
}

void fsim_dist_fill(const fsim_dist *dist, fsim_rng *rng, fsim_ns *out, size_t n) {
    if (dist->kind == FSIM_DIST_CONSTANT) {
        for (size_t i = 0; i < n; i++) {
            out[i] = dist->constant_ns;
        }
    } else if (dist->kind == FSIM_DIST_EXPONENTIAL) {
        fill_exponential(dist->a, rng, out, n);
    } else {
        for (size_t i = 0; i < n; i++) {
            out[i] = fsim_dist_sample(dist, rng);
        }
    }
}

uint64_t fsim_dist_sample_count(const fsim_dist *dist, fsim_rng *rng) {
    return ((uint64_t)fsim_dist_sample(dist, rng) + FSIM_SECOND / 2) / FSIM_SECOND;
}

/* Mean of a normal law given that it is not negative. */
static double truncated_mean(double mean, double sd) {
    if (sd == 0.0) {
        return mean;
    }
    double z = mean / sd;
    double density = exp(-0.5 * z * z) / sqrt(2.0 * acos(-1.0));
    return mean + sd * density / (0.5 * erfc(-z / sqrt(2.0)));
}

static double mean_of_values(const fsim_dist *dist) {
    double sum = 0.0;
    for (size_t i = 0; i < dist->count; i++) {
        sum += (double)dist->values[i];
    }
    return sum / (double)dist->count;
}

static double mean_of_phases(const fsim_dist *dist) {
    double mean = 0.0, before = 0.0;
    for (size_t i = 0; i < dist->count; i++) {
        mean += (dist->phases[i].cumulative - before) * dist->phases[i].mean_ns;
        before = dist->phases[i].cumulative;
    }
    return mean;
}

double fsim_dist_mean_ns(const fsim_dist *dist) {
    switch (dist->kind) {
    case FSIM_DIST_CONSTANT: return dist->constant_ns == FSIM_NEVER ? INFINITY : (double)dist->constant_ns;
    case FSIM_DIST_UNIFORM: return dist->a + 0.5 * dist->b;
    case FSIM_DIST_EXPONENTIAL: return dist->a;
    case FSIM_DIST_GAMMA: return dist->a * dist->b;
    case FSIM_DIST_LOGNORMAL: return exp(dist->a + 0.5 * dist->b * dist->b);
    case FSIM_DIST_WEIBULL: return dist->b * tgamma(1.0 + dist->a);
    case FSIM_DIST_PARETO: return dist->b >= 1.0 ? INFINITY : dist->a / (1.0 - dist->b);
    case FSIM_DIST_HYPEREXPONENTIAL: return mean_of_phases(dist);
    case FSIM_DIST_NORMAL: return truncated_mean(dist->a, dist->b);
    case FSIM_DIST_BURR12: {
        double k = 1.0 / dist->b;
        int sign;
        return k <= dist->a ? INFINITY
                            : dist->c * k *
                                  exp(lgamma_r(k - dist->a, &sign) + lgamma_r(1.0 + dist->a, &sign) -
                                      lgamma_r(k + 1.0, &sign));
    }
    case FSIM_DIST_EMPIRICAL: return mean_of_values(dist);
    case FSIM_DIST_SHIFT: return fmax(0.0, (double)dist->constant_ns + fsim_dist_mean_ns(dist->of));
    }
    return 0.0;
}

/* --- reading
 * ------------------------------------------------------------------------------------------------------- */

typedef struct reader {
    fsim_value_pool *pool;
    const fsim_value *object;
    const char *base_dir;
    bool counts; /* lengths are plain numbers */
    fsim_error *err;
} reader;

static fsim_status out_of_memory(const reader *r) {
    return fsim_fail(r->err, FSIM_ELIMIT, "out of memory");
}

static fsim_status length_of(const reader *r, const fsim_value *value, double *out) {
    if (!r->counts) {
        fsim_ns span = 0;
        FSIM_TRY(fsim_value_as_span(value, &span, r->err));
        *out = (double)span;
        return FSIM_OK;
    }
    bool number = value->kind == FSIM_VALUE_INTEGER || value->kind == FSIM_VALUE_REAL;
    if (!number || !(value->real >= 0.0 && value->real <= 1e9)) {
        return fsim_value_fail(value, r->err, "expected a number from 0 to 1e9");
    }
    *out = value->real * NS_PER_UNIT;
    return FSIM_OK;
}

static fsim_status read_length(const reader *r, const char *key, double *out) {
    const fsim_value *value = fsim_value_get(r->object, key);
    return value == NULL ? fsim_value_missing(r->object, key, r->err) : length_of(r, value, out);
}

/* A length that the law divides by or takes the logarithm of. */
static fsim_status read_positive_length(const reader *r, const char *key, double *out) {
    FSIM_TRY(read_length(r, key, out));
    return *out > 0.0 ? FSIM_OK : fsim_value_fail(fsim_value_get(r->object, key), r->err, "must be above 0");
}

static fsim_status read_real(const reader *r, const char *key, double min, double *out) {
    if (fsim_value_get(r->object, key) == NULL) {
        return fsim_value_missing(r->object, key, r->err);
    }
    return fsim_value_get_real(r->object, key, min, INFINITY, out, r->err);
}

/* A shape; below 1e-3 or above 1e6 the laws leave the range of doubles. */
static fsim_status read_shape(const reader *r, const char *key, double *out) {
    if (fsim_value_get(r->object, key) == NULL) {
        return fsim_value_missing(r->object, key, r->err);
    }
    return fsim_value_get_real(r->object, key, 1e-3, 1e6, out, r->err);
}

static fsim_status read_constant(const reader *r, fsim_dist *d) {
    double value = 0;
    d->kind = FSIM_DIST_CONSTANT;
    FSIM_TRY(read_length(r, "value", &value));
    if (r->counts) {
        d->constant_ns = to_ns(value);
        return FSIM_OK;
    }
    return fsim_value_get_span(r->object, "value", false, &d->constant_ns, r->err);
}

static fsim_status read_uniform(const reader *r, fsim_dist *d) {
    double max = 0;
    d->kind = FSIM_DIST_UNIFORM;
    FSIM_TRY(read_length(r, "min", &d->a));
    FSIM_TRY(read_length(r, "max", &max));
    d->b = max - d->a;
    return d->b >= 0 ? FSIM_OK : fsim_value_fail(r->object, r->err, "\"min\" is above \"max\"");
}

static fsim_status read_exponential(const reader *r, fsim_dist *d) {
    d->kind = FSIM_DIST_EXPONENTIAL;
    return read_length(r, "mean", &d->a);
}

void fsim_dist_gamma(fsim_dist *d, double k, double mean_ns) {
    *d = (fsim_dist){.kind = FSIM_DIST_GAMMA, .a = k, .b = mean_ns / k};
    d->c = 1.0 / sqrt(9.0 * ((k < 1.0 ? k + 1.0 : k) - 1.0 / 3.0));
}

static fsim_status read_gamma(const reader *r, fsim_dist *d) {
    double k = 1, mean = 0;
    FSIM_TRY(read_shape(r, "k", &k));
    FSIM_TRY(read_length(r, "mean", &mean));
    fsim_dist_gamma(d, k, mean);
    return FSIM_OK;
}

static fsim_status read_erlang(const reader *r, fsim_dist *d) {
    FSIM_TRY(read_gamma(r, d));
    if (d->a != floor(d->a)) {
        return fsim_value_fail(fsim_value_get(r->object, "k"), r->err,
                               "found the number %g, expected a whole number (\"gamma\" takes any k)", d->a);
    }
    return FSIM_OK;
}

static fsim_status read_lognormal(const reader *r, fsim_dist *d) {
    bool by_log = fsim_value_get(r->object, "mu") != NULL || fsim_value_get(r->object, "sigma") != NULL;
    bool by_mean = fsim_value_get(r->object, "mean") != NULL || fsim_value_get(r->object, "cv") != NULL;
    double mean = 0, cv = 0;
    d->kind = FSIM_DIST_LOGNORMAL;
    if (by_log && by_mean) {
        return fsim_value_fail(r->object, r->err,
                               "give either \"mu\" and \"sigma\" or \"mean\" and \"cv\", not both");
    }
    if (by_log) {
        FSIM_TRY(read_real(r, "mu", -100.0, &d->a));
        FSIM_TRY(read_real(r, "sigma", 0.0, &d->b));
        d->a += log(NS_PER_UNIT);
        return FSIM_OK;
    }
    if (!by_mean) {
        return fsim_value_fail(r->object, r->err,
                               "lognormal needs \"mu\" and \"sigma\", or \"mean\" and \"cv\"");
    }
    FSIM_TRY(read_positive_length(r, "mean", &mean));
    FSIM_TRY(read_real(r, "cv", 0.0, &cv));
    double variance = log1p(cv * cv);
    d->a = log(mean) - 0.5 * variance;
    d->b = sqrt(variance);
    return FSIM_OK;
}

static fsim_status read_weibull(const reader *r, fsim_dist *d) {
    double shape = 1;
    d->kind = FSIM_DIST_WEIBULL;
    FSIM_TRY(read_shape(r, "shape", &shape));
    FSIM_TRY(read_length(r, "scale", &d->b));
    d->a = 1.0 / shape;
    return FSIM_OK;
}

static fsim_status read_pareto(const reader *r, fsim_dist *d) {
    double alpha = 1;
    d->kind = FSIM_DIST_PARETO;
    FSIM_TRY(read_positive_length(r, "min", &d->a));
    FSIM_TRY(read_shape(r, "alpha", &alpha));
    d->b = 1.0 / alpha;
    return FSIM_OK;
}

static fsim_status read_hyperexponential(const reader *r, fsim_dist *d) {
    const fsim_value *list = fsim_value_get(r->object, "phases");
    double sum = 0.0;
    d->kind = FSIM_DIST_HYPEREXPONENTIAL;
    if (list == NULL) {
        return fsim_value_missing(r->object, "phases", r->err);
    }
    if (list->kind != FSIM_VALUE_ARRAY || list->count == 0 || list->count > FSIM_DIST_PHASES_MAX) {
        return fsim_value_fail(list, r->err, "expected 1 to %d phases {p, mean}", FSIM_DIST_PHASES_MAX);
    }
    fsim_dist_phase *phases = fsim_value_pool_alloc(r->pool, list->count * sizeof *phases);
    if (phases == NULL) {
        return out_of_memory(r);
    }
    size_t i = 0;
    for (const fsim_value *item = list->first; item != NULL; item = item->next, i++) {
        reader inner = *r;
        double p = 0;
        inner.object = item;
        if (fsim_value_get(item, "p") == NULL) {
            return fsim_value_missing(item, "p", r->err);
        }
        FSIM_TRY(fsim_value_get_real(item, "p", 0.0, 1.0, &p, r->err));
        FSIM_TRY(read_length(&inner, "mean", &phases[i].mean_ns));
        sum += p;
        phases[i].cumulative = sum;
    }
    if (fabs(sum - 1.0) > 1e-9) {
        return fsim_value_fail(list, r->err, "the probabilities p add up to %.12g, expected 1", sum);
    }
    phases[i - 1].cumulative = 1.0;
    d->phases = phases;
    d->count = list->count;
    return FSIM_OK;
}

static fsim_status read_normal(const reader *r, fsim_dist *d) {
    d->kind = FSIM_DIST_NORMAL;
    FSIM_TRY(read_length(r, "mean", &d->a));
    return read_length(r, "sd", &d->b);
}

static fsim_status read_burr12(const reader *r, fsim_dist *d) {
    double c = 1, k = 1;
    d->kind = FSIM_DIST_BURR12;
    FSIM_TRY(read_shape(r, "c", &c));
    FSIM_TRY(read_shape(r, "k", &k));
    FSIM_TRY(read_length(r, "scale", &d->c));
    d->a = 1.0 / c;
    d->b = 1.0 / k;
    return FSIM_OK;
}

static int compare_ns(const void *a, const void *b) {
    fsim_ns x = *(const fsim_ns *)a, y = *(const fsim_ns *)b;
    return (x > y) - (x < y);
}

static fsim_status read_values(const reader *r, const fsim_value *list, fsim_dist *d) {
    if (list->kind != FSIM_VALUE_ARRAY || list->count == 0) {
        return fsim_value_fail(list, r->err, "expected a list of at least one value");
    }
    fsim_ns *values = fsim_value_pool_alloc(r->pool, list->count * sizeof *values);
    if (values == NULL) {
        return out_of_memory(r);
    }
    size_t i = 0;
    for (const fsim_value *item = list->first; item != NULL; item = item->next) {
        bool number = item->kind == FSIM_VALUE_INTEGER || item->kind == FSIM_VALUE_REAL;
        double length = number ? item->real * NS_PER_UNIT : 0.0;
        if (!number || r->counts) {
            FSIM_TRY(length_of(r, item, &length));
        } else if (!(length >= 0.0 && length < LENGTH_MAX)) {
            return fsim_value_fail(item, r->err, "found the number %g, expected seconds of at least 0",
                                   item->real);
        }
        values[i++] = to_ns(length);
    }
    d->values = values;
    d->count = list->count;
    return FSIM_OK;
}

/* One line of an empirical file: a span, bare seconds, or nothing (blank, or a comment after '#'). */
static fsim_status parse_line(const reader *r, char *line, const char *place, fsim_ns *value,
                              bool *is_value) {
    char *text = line + strspn(line, " \t");
    text[strcspn(text, "#\r\n")] = '\0';
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t')) {
        text[--len] = '\0';
    }
    *is_value = len > 0;
    if (len == 0 || fsim_text_parse_scaled_ns(text, len, FSIM_SECOND, value) ||
        fsim_text_parse_span(text, value)) {
        return FSIM_OK;
    }
    return fsim_fail_at(r->err, FSIM_EDATA, place,
                        "found \"%.60s\", expected seconds or a span such as 250ms", text);
}

static fsim_status read_lines(const reader *r, FILE *file, const char *path, fsim_ns **values,
                              size_t *count) {
    char line[256], place[512];
    size_t capacity = 0;
    for (size_t number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        fsim_ns value = 0;
        bool is_value;
        snprintf(place, sizeof place, "%.460s:%zu", path, number);
        if (strchr(line, '\n') == NULL && strlen(line) + 1 == sizeof line) {
            return fsim_fail_at(r->err, FSIM_EDATA, place, "the line is longer than %zu characters",
                                sizeof line - 2);
        }
        FSIM_TRY(parse_line(r, line, place, &value, &is_value));
        if (!is_value) {
            continue;
        }
        if (*count == EMPIRICAL_MAX) {
            return fsim_fail_at(r->err, FSIM_ELIMIT, place, "more than %zu values", EMPIRICAL_MAX);
        }
        if (*count == capacity) {
            capacity = capacity == 0 ? 1024 : 2 * capacity;
            fsim_ns *larger = realloc(*values, capacity * sizeof **values);
            if (larger == NULL) {
                return out_of_memory(r);
            }
            *values = larger;
        }
        (*values)[(*count)++] = value;
    }
    return ferror(file) ? fsim_fail_at(r->err, FSIM_EIO, path, "cannot read the file: %s", strerror(errno))
                        : FSIM_OK;
}

static fsim_status read_value_file(const reader *r, const char *name, fsim_dist *d) {
    char path[4096];
    bool beside = r->base_dir != NULL && r->base_dir[0] != '\0' && name[0] != '/';
    snprintf(path, sizeof path, "%s%s%s", beside ? r->base_dir : "", beside ? "/" : "", name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return fsim_fail_at(r->err, FSIM_EIO, path, "cannot open the file: %s", strerror(errno));
    }
    fsim_ns *values = NULL;
    size_t count = 0;
    fsim_status status = read_lines(r, file, path, &values, &count);
    fclose(file);
    if (status == FSIM_OK && count == 0) {
        status = fsim_fail_at(r->err, FSIM_EDATA, path, "the file holds no value");
    }
    fsim_ns *kept = status == FSIM_OK ? fsim_value_pool_alloc(r->pool, count * sizeof *kept) : NULL;
    if (kept != NULL) {
        memcpy(kept, values, count * sizeof *kept);
        d->values = kept;
        d->count = count;
    } else if (status == FSIM_OK) {
        status = out_of_memory(r);
    }
    free(values);
    return status;
}

static fsim_status read_empirical(const reader *r, fsim_dist *d) {
    const fsim_value *list = fsim_value_get(r->object, "values");
    const char *file = NULL;
    d->kind = FSIM_DIST_EMPIRICAL;
    FSIM_TRY(fsim_value_get_string(r->object, "file", &file, r->err));
    if ((list == NULL) == (file == NULL)) {
        return fsim_value_fail(r->object, r->err, "empirical needs either \"values\" or \"file\"");
    }
    FSIM_TRY(list != NULL ? read_values(r, list, d) : read_value_file(r, file, d));
    /* Sorted, so that the order of the values in a file plays no part in what a seed draws. */
    qsort((fsim_ns *)d->values, d->count, sizeof *d->values, compare_ns);
    return FSIM_OK;
}

static fsim_status read_any(const reader *r, fsim_dist *out);

/* A span with an optional minus sign. */
static fsim_status read_shift_by(const reader *r, fsim_ns *by) {
    const fsim_value *value = fsim_value_get(r->object, "by");
    if (value == NULL) {
        return fsim_value_missing(r->object, "by", r->err);
    }
    if (r->counts) {
        double number = 0;
        FSIM_TRY(fsim_value_get_real(r->object, "by", -1e9, 1e9, &number, r->err));
        *by = number < 0 ? -to_ns(-number * NS_PER_UNIT) : to_ns(number * NS_PER_UNIT);
        return FSIM_OK;
    }
    if (value->kind == FSIM_VALUE_STRING && value->string[0] == '-' &&
        fsim_text_parse_span(value->string + 1, by)) {
        *by = -*by;
        return FSIM_OK;
    }
    return fsim_value_as_span(value, by, r->err);
}

static fsim_status read_shift(const reader *r, fsim_dist *d) {
    const fsim_value *of = fsim_value_get(r->object, "of");
    d->kind = FSIM_DIST_SHIFT;
    FSIM_TRY(read_shift_by(r, &d->constant_ns));
    if (of == NULL) {
        return fsim_value_missing(r->object, "of", r->err);
    }
    fsim_dist *inner = fsim_value_pool_alloc(r->pool, sizeof *inner);
    if (inner == NULL) {
        return out_of_memory(r);
    }
    reader below = *r;
    below.object = of;
    d->of = inner;
    return read_any(&below, inner);
}

/* In the order of fsim_dist_names. */
static fsim_status (*const readers[])(const reader *, fsim_dist *) = {
    read_constant,  read_uniform,   read_exponential, read_erlang,           read_gamma,
    read_lognormal, read_weibull,   read_pareto,      read_hyperexponential, read_normal,
    read_burr12,    read_empirical, read_shift};

static fsim_status read_any(const reader *r, fsim_dist *out) {
    *out = (fsim_dist){.kind = FSIM_DIST_CONSTANT};
    if (r->object->kind != FSIM_VALUE_OBJECT) {
        double length = 0;
        FSIM_TRY(length_of(r, r->object, &length));
        if (r->counts) {
            out->constant_ns = to_ns(length);
            return FSIM_OK;
        }
        return fsim_value_as_span(r->object, &out->constant_ns, r->err);
    }
    int law = -1;
    FSIM_TRY(fsim_value_get_enum(r->object, "dist", fsim_dist_names, &law, r->err));
    if (law < 0) {
        return fsim_value_missing(r->object, "dist", r->err);
    }
    FSIM_TRY(readers[law](r, out));
    return fsim_value_check_used(r->object, NULL, r->err);
}

fsim_status fsim_dist_read(fsim_dist *out, fsim_value_pool *pool, const fsim_value *value,
                           const char *base_dir, bool needs_mean, fsim_error *err) {
    const reader r = {pool, value, base_dir, false, err};
    FSIM_TRY(read_any(&r, out));
    if (needs_mean && !isfinite(fsim_dist_mean_ns(out))) {
        return fsim_value_fail(value, err, "this distribution has no finite mean, and one is needed here");
    }
    return FSIM_OK;
}

fsim_status fsim_dist_read_count(fsim_dist *out, fsim_value_pool *pool, const fsim_value *value,
                                 fsim_error *err) {
    const reader r = {pool, value, NULL, true, err};
    return read_any(&r, out);
}
