/* Acceptance rules of validity cases: contract additions, section 3, and the validity notes, section 3. */
#include "case.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct verdict {
    bool pass;
    char expected[128], got[128], remark[128];
} verdict;

static double number_of(const json_t *object, const char *key, double fallback) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

static const char *kind_of(const case_check *check) {
    const char *kind = json_string_value(json_object_get(check->accept, "kind"));
    return kind != NULL ? kind : "";
}

void case_estimate(const double *samples, uint32_t n, double *mean, double *half_width) {
    double sum = 0, squares = 0;
    for (uint32_t i = 0; i < n; i++) {
        sum += samples[i];
    }
    *mean = sum / n;
    for (uint32_t i = 0; i < n; i++) {
        squares += (samples[i] - *mean) * (samples[i] - *mean);
    }
    *half_width = n < 2 ? INFINITY : gsl_cdf_tdist_Pinv(0.975, n - 1.0) * sqrt(squares / (n - 1.0) / n);
}

/* The half width that a value needs: as the case asks for, or a quarter of a tolerance on the mean of several
 * runs. */
static double needed_width(const case_check *check, const case_value *v) {
    if (strcmp(kind_of(check), "stat") == 0 && v->expected != 0) {
        return number_of(check->accept, "max_rel_hw", INFINITY) * fabs(v->expected);
    }
    double tolerance = number_of(check->accept, "tol", 0);
    return strcmp(kind_of(check), "abs") == 0 && tolerance > 0 && isfinite(v->half_width) ? tolerance / 4
                                                                                          : INFINITY;
}

double case_lacks(const case_check *check) {
    double factor = 0;
    for (uint32_t i = 0; i < check->value_count; i++) {
        double ratio = check->values[i].half_width / needed_width(check, &check->values[i]);
        factor = fmax(factor, ratio * ratio); /* NaN, of infinities, is ignored */
    }
    return factor;
}

/* False: outside; fills in what to say. */
static bool within(verdict *v, const case_value *value, double got, double tolerance) {
    snprintf(v->expected, sizeof v->expected, "%.12g +- %.3g", value->expected, tolerance);
    snprintf(v->got, sizeof v->got, "%.12g", got);
    return fabs(got - value->expected) <= tolerance; /* false for NaN */
}

static bool accept_stat(verdict *v, const case_check *check, const case_value *value) {
    double reach = number_of(check->accept, "k", 2) * value->half_width + value->ref_err;
    double width = fabs(value->half_width / value->expected);
    bool pass = within(v, value, value->mean, reach);
    snprintf(v->expected, sizeof v->expected, "%.12g", value->expected);
    snprintf(v->got, sizeof v->got, "%.12g, half width %.3g", value->mean, value->half_width);
    if (width > number_of(check->accept, "max_rel_hw", INFINITY)) {
        snprintf(v->remark, sizeof v->remark, "underpowered: half width %.2g %% of the value", 100 * width);
    }
    return pass && isfinite(value->mean);
}

/* The mean; where several runs scatter, a distance beyond the tolerance must be more than their half width to
 * count. */
static bool accept_abs(verdict *v, const case_check *check, const case_value *value) {
    double tolerance = number_of(check->accept, "tol", 0) + value->ref_err;
    if (within(v, value, value->mean, tolerance)) {
        return true;
    }
    bool scatters = isfinite(value->half_width) && value->half_width > 0;
    snprintf(v->remark, sizeof v->remark, "underpowered: %.12g, half width %.3g", value->mean,
             value->half_width);
    return scatters && fabs(value->mean - value->expected) <= tolerance + value->half_width;
}

/* A statistic of generate is one number, and an estimate. */
static double sample_of(const case_value *value, uint32_t run) {
    return value->samples == NULL ? value->mean : value->samples[run];
}

static bool accept_exact(verdict *v, const case_value *value, uint32_t runs) {
    bool whole = json_is_integer(value->number) && value->samples != NULL;
    double tolerance = whole ? 0 : 1e-9 * fabs(value->expected);
    for (uint32_t i = 0; i < runs; i++) {
        if (!within(v, value, sample_of(value, i), tolerance)) {
            return false;
        }
    }
    return true;
}

/* The share of runs in which the value is `event`. */
static bool accept_binomial(verdict *v, const case_check *check, const case_value *value, uint32_t runs) {
    double event = number_of(check->accept, "event", 1), hits = 0;
    for (uint32_t i = 0; i < runs; i++) {
        hits += sample_of(value, i) == event;
    }
    double error = sqrt(value->expected * (1 - value->expected) / runs);
    return within(v, value, hits / runs, number_of(check->accept, "k", 4) * error + value->ref_err);
}

/* Each value is Poisson with the expected mean in every run, so the sum over runs is Poisson as well. */
static bool accept_poisson(verdict *v, const case_check *check, uint32_t runs, bool buckets) {
    double chi2 = 0, most = number_of(check->accept, "z", 4.5);
    for (uint32_t i = 0; i < check->value_count; i++) {
        const case_value *value = &check->values[i];
        double error = sqrt(value->expected / runs), z = (value->mean - value->expected) / error;
        chi2 += z * z;
        if (!within(v, value, value->mean, most * error + value->ref_err)) {
            return false;
        }
    }
    const json_t *range = json_object_get(check->accept, "chi2_p");
    if (!buckets || range == NULL) {
        return true;
    }
    double p = gsl_cdf_chisq_Q(chi2, number_of(check->accept, "df", check->value_count));
    double low = json_number_value(json_array_get(range, 0)),
           high = json_number_value(json_array_get(range, 1));
    snprintf(v->expected, sizeof v->expected, "chi-square p in [%g, %g]", low, high);
    snprintf(v->got, sizeof v->got, "p %g", p);
    return p >= low && p <= high;
}

static bool accept_value(verdict *v, const case_check *check, const case_value *value, uint32_t runs) {
    const char *kind = kind_of(check);
    if (strcmp(kind, "stat") == 0) {
        return accept_stat(v, check, value);
    }
    if (strcmp(kind, "exact") == 0) {
        return accept_exact(v, value, runs);
    }
    if (strcmp(kind, "abs") == 0) {
        return accept_abs(v, check, value);
    }
    if (strcmp(kind, "binomial") == 0) {
        return accept_binomial(v, check, value, runs);
    }
    if (strcmp(kind, "upper") == 0) {
        double bound = number_of(check->accept, "bound", value->expected);
        snprintf(v->expected, sizeof v->expected, "at most %g", bound);
        snprintf(v->got, sizeof v->got, "%.12g", value->mean);
        return value->mean <= bound;
    }
    snprintf(v->expected, sizeof v->expected, "a known acceptance rule");
    snprintf(v->got, sizeof v->got, "\"%.100s\"", kind);
    return false;
}

static verdict verdict_of(const case_check *check, uint32_t runs) {
    verdict v = {.pass = true};
    bool buckets = strcmp(kind_of(check), "poisson_buckets") == 0;
    if (buckets || strcmp(kind_of(check), "poisson_points") == 0) {
        v.pass = accept_poisson(&v, check, runs, buckets);
    }
    for (uint32_t i = 0; i < check->value_count && v.pass && strncmp(kind_of(check), "poisson", 7) != 0;
         i++) {
        v.pass = accept_value(&v, check, &check->values[i], runs);
    }
    return v;
}

bool case_holds(const case_check *check, uint32_t runs) {
    return verdict_of(check, runs).pass;
}

void case_accept(conformance *c, const case_check *check, uint32_t runs) {
    verdict v = verdict_of(check, runs);
    if (v.pass) {
        conformance_pass_with(c, check->id, v.remark);
    } else {
        conformance_fail(c, check->id, v.expected, v.got);
    }
}
