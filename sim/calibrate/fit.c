#include "calibrate/fit.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_sf_psi.h>
#include <math.h>
#include <stdlib.h>

#define ITERATIONS_MAX 200
#define PRECISION      1e-14

static const struct {
    const char *dist, *a, *b;
} names[FSIM_FIT_LAWS] = {
    [FSIM_FIT_LOGNORMAL] = {"lognormal", "mu", "sigma"},
    [FSIM_FIT_GAMMA] = {"gamma", "k", "mean"},
    [FSIM_FIT_WEIBULL] = {"weibull", "shape", "scale"},
    [FSIM_FIT_SHIFTED_EXPONENTIAL] = {"shift", "by", "mean"},
};

const char *fsim_fit_law_name(fsim_fit_law law) {
    return names[law].dist;
}

const char *fsim_fit_parameter_name(fsim_fit_law law, int index) {
    return index == 0 ? names[law].a : names[law].b;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void fsim_sample_sort(double *x, size_t n) {
    qsort(x, n, sizeof *x, by_size);
}

double fsim_sample_quantile(const double *x, size_t n, double p) {
    double at = p * (double)(n - 1);
    size_t below = (size_t)at;
    if (below + 1 >= n) {
        return x[n - 1];
    }
    return x[below] + (at - (double)below) * (x[below + 1] - x[below]);
}

/* ---- maximum likelihood ---- */

static double mean_of(const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
    }
    return sum / (double)n;
}

static double mean_log_of(const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += log(x[i]);
    }
    return sum / (double)n;
}

static void fit_lognormal(const double *x, size_t n, fsim_fit *fit) {
    double mu = mean_log_of(x, n), squares = 0;
    for (size_t i = 0; i < n; i++) {
        double d = log(x[i]) - mu;
        squares += d * d;
    }
    fit->a = mu;
    fit->b = sqrt(squares / (double)n);
    fit->log_likelihood = -(double)n * (mu + log(fit->b) + 0.5 * log(2 * M_PI) + 0.5);
}

/* log k - psi(k), without the cancellation of two large numbers. */
static double log_minus_psi(double k) {
    if (k < 1e4) {
        return log(k) - gsl_sf_psi(k);
    }
    return (1 / (2 * k)) * (1 + 1 / (6 * k) * (1 - 1 / (10 * k * k)));
}

/* 1/k - psi'(k), the derivative of the above; negative. */
static double log_minus_psi_slope(double k) {
    if (k < 1e4) {
        return 1 / k - gsl_sf_psi_1(k);
    }
    return -(1 / (2 * k * k)) * (1 + 1 / (3 * k));
}

/* The shape solves log k - psi(k) = log(mean) - mean(log): Minka's iteration, Newton in 1/k. */
static void fit_gamma(const double *x, size_t n, fsim_fit *fit) {
    double mean = mean_of(x, n), s = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (x[i] - mean) / mean;
        s += d - log1p(d); /* the d sum to 0: this way nothing cancels when all values are close together */
    }
    s /= (double)n;
    double k = (3 - s + sqrt((s - 3) * (s - 3) + 24 * s)) / (12 * s);
    for (int i = 0; i < ITERATIONS_MAX; i++) {
        double next = 1 / (1 / k + (s - log_minus_psi(k)) / (-k * k * log_minus_psi_slope(k)));
        double change = fabs(next - k);
        k = next > 0 ? next : k / 2;
        if (change <= PRECISION * k) {
            break;
        }
    }
    fit->a = k;
    fit->b = mean;
    /* k log k - k - lgamma(k), by Stirling's remainder gammastar. */
    double stirling = 0.5 * log(k / (2 * M_PI)) - log(gsl_sf_gammastar(k));
    fit->log_likelihood = (double)n * (stirling - k * s - mean_log_of(x, n));
}

/* sum(y e^ky) / sum(e^ky) - 1/k - mean(y) for y = log(x / max): increasing in k, 0 at the likeliest shape.
 * `power_mean` gets the mean of e^ky. */
static double weibull_score(const double *x, size_t n, double mean_log, double k, double *power_mean) {
    double largest = log(x[n - 1]), weights = 0, weighted = 0;
    for (size_t i = 0; i < n; i++) {
        double y = log(x[i]) - largest, w = exp(k * y);
        weights += w;
        weighted += w * y;
    }
    *power_mean = weights / (double)n;
    return weighted / weights - 1 / k - (mean_log - largest);
}

static void fit_weibull(const double *x, size_t n, fsim_fit *fit) {
    double mean_log = mean_log_of(x, n), power_mean, squares = 0;
    for (size_t i = 0; i < n; i++) {
        double d = log(x[i]) - mean_log;
        squares += d * d;
    }
    /* Begin where the spread of the logarithms is the law's, pi / (sqrt(6) k), and bracket. */
    double low = M_PI / sqrt(6 * squares / (double)n), high = low;
    while (weibull_score(x, n, mean_log, low, &power_mean) > 0) {
        low /= 2;
    }
    while (weibull_score(x, n, mean_log, high, &power_mean) < 0) {
        high *= 2;
    }
    for (int i = 0; i < ITERATIONS_MAX && high - low > PRECISION * high; i++) {
        double middle = low + (high - low) / 2;
        if (weibull_score(x, n, mean_log, middle, &power_mean) < 0) {
            low = middle;
        } else {
            high = middle;
        }
    }
    double k = high;
    (void)weibull_score(x, n, mean_log, k, &power_mean);
    double log_scale = log(x[n - 1]) + log(power_mean) / k;
    fit->a = k;
    fit->b = exp(log_scale);
    fit->log_likelihood = (double)n * (log(k) - k * log_scale + (k - 1) * mean_log - 1);
}

static void fit_shifted_exponential(const double *x, size_t n, fsim_fit *fit) {
    fit->a = x[0];
    fit->b = mean_of(x, n) - x[0];
    fit->log_likelihood = -(double)n * (log(fit->b) + 1);
}

static double ks_distance(const fsim_fit *fit, const double *x, size_t n) {
    double distance = 0;
    for (size_t i = 0; i < n; i++) {
        double f = fsim_fit_cdf(fit, x[i]);
        distance = fmax(distance, fmax(f - (double)i / (double)n, (double)(i + 1) / (double)n - f));
    }
    return distance;
}

static fsim_status check_sample(fsim_fit_law law, const double *x, size_t n, fsim_error *err) {
    if (n < 2) {
        return fsim_fail(err, FSIM_EDATA, "a sample of %zu values: a fit needs at least two", n);
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]) || x[i] < 0) {
            return fsim_fail(err, FSIM_EDATA, "value %zu is %g: expected a finite number, at least 0", i + 1,
                             x[i]);
        }
        if (i > 0 && x[i] < x[i - 1]) {
            return fsim_fail(err, FSIM_EDATA,
                             "value %zu is smaller than the one before: expected a sorted sample", i + 1);
        }
    }
    if (x[0] == x[n - 1]) {
        return fsim_fail(err, FSIM_EDATA, "all %zu values are %g: a fit needs values that differ", n, x[0]);
    }
    if (law != FSIM_FIT_SHIFTED_EXPONENTIAL && x[0] == 0) {
        return fsim_fail(err, FSIM_EDATA, "the smallest value is 0: a %s law needs values above it",
                         names[law].dist);
    }
    return FSIM_OK;
}

fsim_status fsim_fit_sample(fsim_fit_law law, const double *x, size_t n, fsim_fit *fit, fsim_error *err) {
    static void (*const fits[FSIM_FIT_LAWS])(const double *, size_t, fsim_fit *) = {
        [FSIM_FIT_LOGNORMAL] = fit_lognormal,
        [FSIM_FIT_GAMMA] = fit_gamma,
        [FSIM_FIT_WEIBULL] = fit_weibull,
        [FSIM_FIT_SHIFTED_EXPONENTIAL] = fit_shifted_exponential,
    };
    FSIM_TRY(check_sample(law, x, n, err));
    fit->law = law;
    fits[law](x, n, fit);
    fit->aic = 2 * 2 - 2 * fit->log_likelihood;
    fit->ks = ks_distance(fit, x, n);
    if (!isfinite(fit->a) || !isfinite(fit->b) || !isfinite(fit->aic) || !isfinite(fit->ks)) {
        return fsim_fail(err, FSIM_EDATA, "no %s law fits values from %g to %g", names[law].dist, x[0],
                         x[n - 1]);
    }
    return FSIM_OK;
}

fsim_status fsim_fit_all(const double *x, size_t n, fsim_fit fits[FSIM_FIT_LAWS], size_t *count,
                         fsim_error *err) {
    *count = 0;
    fsim_error first = {0};
    for (int law = 0; law < FSIM_FIT_LAWS; law++) {
        fsim_fit fit;
        if (fsim_fit_sample((fsim_fit_law)law, x, n, &fit, &first) != FSIM_OK) {
            continue;
        }
        size_t at = *count;
        while (at > 0 && fit.aic < fits[at - 1].aic) {
            fits[at] = fits[at - 1];
            at--;
        }
        fits[at] = fit;
        ++*count;
    }
    return *count > 0 ? FSIM_OK : fsim_fail_at(err, first.status, first.place, "%s", first.text);
}

/* ---- the fitted law ---- */

double fsim_fit_cdf(const fsim_fit *fit, double x) {
    if (x <= 0) {
        return 0;
    }
    switch (fit->law) {
    case FSIM_FIT_LOGNORMAL: return gsl_cdf_lognormal_P(x, fit->a, fit->b);
    case FSIM_FIT_GAMMA: return gsl_cdf_gamma_P(x, fit->a, fit->b / fit->a);
    case FSIM_FIT_WEIBULL: return gsl_cdf_weibull_P(x, fit->b, fit->a);
    default: return x <= fit->a ? 0 : gsl_cdf_exponential_P(x - fit->a, fit->b);
    }
}

double fsim_fit_density(const fsim_fit *fit, double x) {
    switch (fit->law) {
    case FSIM_FIT_LOGNORMAL: return x <= 0 ? 0 : gsl_ran_lognormal_pdf(x, fit->a, fit->b);
    case FSIM_FIT_GAMMA: return x < 0 ? 0 : gsl_ran_gamma_pdf(x, fit->a, fit->b / fit->a);
    case FSIM_FIT_WEIBULL: return x < 0 ? 0 : gsl_ran_weibull_pdf(x, fit->b, fit->a);
    default: return x < fit->a ? 0 : gsl_ran_exponential_pdf(x - fit->a, fit->b);
    }
}

/* By bisection of the distribution function: GSL's own inverse gives up for large shapes. */
static double gamma_quantile(const fsim_fit *fit, double p) {
    double low = 0, high = fit->b;
    while (fsim_fit_cdf(fit, high) < p) {
        low = high;
        high *= 2;
    }
    for (int i = 0; i < ITERATIONS_MAX && high - low > PRECISION * high; i++) {
        double middle = low + (high - low) / 2;
        if (fsim_fit_cdf(fit, middle) < p) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

double fsim_fit_quantile(const fsim_fit *fit, double p) {
    switch (fit->law) {
    case FSIM_FIT_LOGNORMAL: return gsl_cdf_lognormal_Pinv(p, fit->a, fit->b);
    case FSIM_FIT_GAMMA: return gamma_quantile(fit, p);
    case FSIM_FIT_WEIBULL: return gsl_cdf_weibull_Pinv(p, fit->b, fit->a);
    default: return fit->a + gsl_cdf_exponential_Pinv(p, fit->b);
    }
}
