/* Fits a distribution to a measured sample of times by maximum likelihood, so that a cold start or a warm
 * call measured once becomes parameters any scenario can use.
 *
 * Pure functions over an array of doubles; no unit is assumed, parameters come out in the unit of the sample
 * (`mu` and `sigma` are of its natural logarithm). Every sample handed in is ascending (fsim_sample_sort) and
 * stays the caller's. Nothing allocates.
 *
 * Sources: Minka, "Estimating a Gamma distribution" (2002), for the gamma shape; Johnson, Kotz, Balakrishnan,
 * "Continuous Univariate Distributions" vol. 1, ch. 14, 17, 19, 21, for the likelihood equations; Akaike
 * (1974) for the AIC. Special functions are GSL's; a program calls gsl_set_error_handler_off() at its start,
 * as sim/cli/main.c does. */
#ifndef FSIM_CALIBRATE_FIT_H
#define FSIM_CALIBRATE_FIT_H

#include "base/error.h"

#include <stddef.h>

typedef enum fsim_fit_law {
    FSIM_FIT_LOGNORMAL,           /* mu, sigma */
    FSIM_FIT_GAMMA,               /* k, mean */
    FSIM_FIT_WEIBULL,             /* shape, scale */
    FSIM_FIT_SHIFTED_EXPONENTIAL, /* by (the smallest value), mean of what is above it */
    FSIM_FIT_LAWS
} fsim_fit_law;

typedef struct fsim_fit {
    fsim_fit_law law;
    double a, b;           /* the two parameters in the order above */
    double log_likelihood; /* natural logarithm */
    double aic;            /* 2 * 2 parameters - 2 * log_likelihood; smaller is better */
    double ks;             /* Kolmogorov-Smirnov distance between sample and law, 0..1 */
} fsim_fit;

/* Names as in scenarios: the distribution ("lognormal", "gamma", "weibull", "shift") and its two parameters
 * ("mu", "sigma"; "k", "mean"; "shape", "scale"; "by", "mean": {"dist": "shift", "by": …, "of": {"dist":
 * "exponential", "mean": …}}). `index` is 0 for a, 1 for b. */
const char *fsim_fit_law_name(fsim_fit_law law);
const char *fsim_fit_parameter_name(fsim_fit_law law, int index);

/* Ascending. O(n log n). */
void fsim_sample_sort(double *x, size_t n);

/* The p-quantile of an ascending sample, linear between order statistics (position p (n - 1)); n >= 1 and
 * 0 <= p <= 1. */
double fsim_sample_quantile(const double *x, size_t n, double p);

/* The parameters that make the sample likeliest under one law. FSIM_EDATA: fewer than two values, values that
 * are not ascending, negative or not finite, all of one size (every likelihood is unbounded), or, save for
 * the shifted exponential, a value of 0. O(n) times some tens of iterations. */
fsim_status fsim_fit_sample(fsim_fit_law law, const double *x, size_t n, fsim_fit *fit, fsim_error *err);

/* All laws that fit at all, the one of the smallest AIC first; laws of the same AIC in the order of the enum.
 * *count is 1..FSIM_FIT_LAWS. Errors as above, when no law can be fitted. */
fsim_status fsim_fit_all(const double *x, size_t n, fsim_fit fits[FSIM_FIT_LAWS], size_t *count,
                         fsim_error *err);

/* Of the fitted law: P(X <= x); density at x; the p-quantile, 0 < p < 1. */
double fsim_fit_cdf(const fsim_fit *fit, double x);
double fsim_fit_density(const fsim_fit *fit, double x);
double fsim_fit_quantile(const fsim_fit *fit, double p);

#endif
