/* Maximum-likelihood fits: a published sample with published estimates, samples drawn from each law, the
 * likelihood against the density, and samples that cannot be fitted. */
#include "calibrate/fit.h"

#include "base/rng.h"
#include "support/check.h"

#include <gsl/gsl_errno.h>

/* Endurance of 23 ball bearings in million revolutions (Lieblein and Zelen 1956), the textbook sample; the
 * estimates are those of Lawless, "Statistical Models and Methods for Lifetime Data", ch. 4 and 5, and Meeker
 * and Escobar, "Statistical Methods for Reliability Data", ch. 11. */
static const double bearings[] = {17.88, 28.92, 33.00,  41.52,  42.12,  45.60,  48.40, 51.84,
                                  51.96, 54.12, 55.56,  67.80,  68.64,  68.64,  68.88, 84.12,
                                  93.12, 98.64, 105.12, 105.84, 127.92, 128.04, 173.40};
#define BEARINGS (sizeof bearings / sizeof bearings[0])
#define DRAWN    20000

static double drawn[DRAWN];

static fsim_fit fit(fsim_fit_law law, const double *x, size_t n) {
    fsim_fit f = {0};
    fsim_error err = {0};
    REQUIRE(fsim_fit_sample(law, x, n, &f, &err) == FSIM_OK);
    return f;
}

static void test_published_estimates(void) {
    static const struct {
        fsim_fit_law law;
        double a, b, log_likelihood, tolerance;
    } rows[] = {
        {FSIM_FIT_LOGNORMAL, 4.150, 0.522, -113.13, 0.006},
        {FSIM_FIT_GAMMA, 4.02, 72.22, -113.03, 0.006},
        {FSIM_FIT_WEIBULL, 2.10, 81.88, -113.69, 0.006},
        {FSIM_FIT_SHIFTED_EXPONENTIAL, 17.88, 54.34, -114.9, 0.05},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_context("%s", fsim_fit_law_name(rows[i].law));
        fsim_fit f = fit(rows[i].law, bearings, BEARINGS);
        CHECK_NEAR(f.a, rows[i].a, rows[i].tolerance);
        CHECK_NEAR(f.b, rows[i].b, rows[i].tolerance);
        CHECK_NEAR(f.log_likelihood, rows[i].log_likelihood, rows[i].tolerance);
        CHECK_NEAR(f.aic, 4 - 2 * f.log_likelihood, 1e-9);
    }
}

static double log_likelihood_of(const fsim_fit *f, const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += log(fsim_fit_density(f, x[i]));
    }
    return sum;
}

/* The likelihood said is the one of the density, and no neighbour's is larger. */
static void test_likelihood_is_the_largest(void) {
    for (int law = 0; law < FSIM_FIT_LAWS; law++) {
        check_context("%s", fsim_fit_law_name((fsim_fit_law)law));
        fsim_fit f = fit((fsim_fit_law)law, bearings, BEARINGS);
        CHECK_NEAR(f.log_likelihood, log_likelihood_of(&f, bearings, BEARINGS), 1e-9);
        for (int step = 0; step < 4; step++) {
            fsim_fit near = f;
            near.a *= step == 0 ? 0.999 : step == 1 ? 1.001 : 1;
            near.b *= step == 2 ? 0.999 : step == 3 ? 1.001 : 1;
            CHECK(!(log_likelihood_of(&near, bearings, BEARINGS) > f.log_likelihood));
        }
    }
}

/* Draws by inversion, so that a sample of a law is a sample of its quantiles. */
static void draw(const fsim_fit *law) {
    fsim_rng rng;
    fsim_rng_seed(&rng, 7, "fit", FSIM_RNG_SERVICE);
    for (size_t i = 0; i < DRAWN; i++) {
        drawn[i] = fsim_fit_quantile(law, fsim_rng_open(&rng));
    }
    fsim_sample_sort(drawn, DRAWN);
}

static void test_draws_give_the_law_back(void) {
    static const fsim_fit laws[] = {
        {.law = FSIM_FIT_LOGNORMAL, .a = -7.2, .b = 0.4},
        {.law = FSIM_FIT_GAMMA, .a = 0.6, .b = 0.002},
        {.law = FSIM_FIT_GAMMA, .a = 9000, .b = 1.5},
        {.law = FSIM_FIT_GAMMA, .a = 40000, .b = 1.5},
        {.law = FSIM_FIT_WEIBULL, .a = 0.7, .b = 3},
        {.law = FSIM_FIT_WEIBULL, .a = 30, .b = 3e-5},
        {.law = FSIM_FIT_SHIFTED_EXPONENTIAL, .a = 0.0007, .b = 0.0001},
    };
    for (size_t i = 0; i < sizeof laws / sizeof laws[0]; i++) {
        check_context("%s %g %g", fsim_fit_law_name(laws[i].law), laws[i].a, laws[i].b);
        draw(&laws[i]);
        fsim_fit f = fit(laws[i].law, drawn, DRAWN);
        CHECK_NEAR(f.a, laws[i].a, 0.03 * fabs(laws[i].a));
        CHECK_NEAR(f.b, laws[i].b, 0.03 * laws[i].b);
        CHECK(f.ks <
              1.95 / sqrt(DRAWN)); /* the bound of a 0.1 % test of a known law; a fit is closer still */
        CHECK_NEAR(fsim_fit_cdf(&f, fsim_fit_quantile(&f, 0.99)), 0.99, 1e-9);
        fsim_fit all[FSIM_FIT_LAWS];
        size_t count;
        REQUIRE(fsim_fit_all(drawn, DRAWN, all, &count, NULL) == FSIM_OK);
        CHECK_EQ_INT(count, FSIM_FIT_LAWS);
        for (size_t k = 1; k < count; k++) {
            CHECK(all[k - 1].aic <= all[k].aic);
        }
        if (laws[i].a < 1000) { /* a gamma of a large shape and a log-normal are nearly one law */
            CHECK_EQ_INT(all[0].law, laws[i].law);
        }
    }
}

static void test_unit_does_not_matter(void) {
    double scaled[BEARINGS];
    for (size_t i = 0; i < BEARINGS; i++) {
        scaled[i] = bearings[i] * 1e-9;
    }
    size_t bearing_count = BEARINGS;
    double count = (double)bearing_count;
    for (int law = 0; law < FSIM_FIT_LAWS; law++) {
        check_context("%s", fsim_fit_law_name((fsim_fit_law)law));
        fsim_fit f = fit((fsim_fit_law)law, bearings, BEARINGS), g = fit((fsim_fit_law)law, scaled, BEARINGS);
        CHECK_NEAR(g.ks, f.ks, 1e-9);
        CHECK_NEAR(g.log_likelihood, f.log_likelihood - count * log(1e-9), 1e-8);
    }
}

static void test_ks_by_hand(void) {
    /* by 1, mean 1: F is 0 at 1, 1 - e^-1 at 2, 1 - e^-2 at 3; the largest step is the first, 1/3 at 1. */
    const double x[] = {1, 2, 3};
    fsim_fit f = fit(FSIM_FIT_SHIFTED_EXPONENTIAL, x, 3);
    CHECK_NEAR(f.ks, 1.0 / 3, 1e-15);
    CHECK_NEAR(f.log_likelihood, -3, 1e-15);
    /* Values of one size are one step: at 1 the sample function jumps from 0 to 3/4. */
    const double ties[] = {1, 1, 1, 2};
    f = fit(FSIM_FIT_SHIFTED_EXPONENTIAL, ties, 4);
    CHECK_NEAR(f.ks, 0.75, 1e-15);
}

static void test_quantiles_of_a_sample(void) {
    const double x[] = {1, 2, 4, 8};
    CHECK_NEAR(fsim_sample_quantile(x, 4, 0), 1, 0);
    CHECK_NEAR(fsim_sample_quantile(x, 4, 0.5), 3, 1e-15);
    CHECK_NEAR(fsim_sample_quantile(x, 4, 0.9), 6.8, 1e-15);
    CHECK_NEAR(fsim_sample_quantile(x, 4, 1), 8, 0);
    CHECK_NEAR(fsim_sample_quantile(x, 1, 0.99), 1, 0);
}

static void test_refused(void) {
    static const struct {
        double x[3];
        size_t n;
        const char *says;
    } rows[] = {
        {{1}, 1, "at least two"},
        {{2, 1}, 2, "value 2 is smaller"},
        {{-1, 1}, 2, "value 1 is -1"},
        {{1, NAN}, 2, "value 2 is nan"},
        {{1, INFINITY}, 2, "value 2 is inf"},
        {{3, 3, 3}, 3, "all 3 values are 3"},
        {{0, 1, 2}, 3, "value is 0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fsim_fit f;
        fsim_error err = {0};
        CHECK_EQ_INT(fsim_fit_sample(FSIM_FIT_GAMMA, rows[i].x, rows[i].n, &f, &err), FSIM_EDATA);
        CHECK_CONTAINS(err.text, rows[i].says);
    }
}

static void test_zero_leaves_the_shifted_exponential(void) {
    const double x[] = {0, 1, 2};
    fsim_fit all[FSIM_FIT_LAWS];
    size_t count;
    REQUIRE(fsim_fit_all(x, 3, all, &count, NULL) == FSIM_OK);
    CHECK_EQ_INT(count, 1);
    CHECK_EQ_INT(all[0].law, FSIM_FIT_SHIFTED_EXPONENTIAL);
    CHECK_NEAR(all[0].b, 1, 0);
    fsim_error err = {0};
    CHECK_EQ_INT(fsim_fit_all(x, 1, all, &count, &err), FSIM_EDATA);
    CHECK_CONTAINS(err.text, "at least two");
}

/* A clock of one nanosecond and a millisecond that hardly varies. */
static void test_nearly_constant(void) {
    const double x[] = {1e-3, 1.000001e-3, 1.000001e-3, 1.000002e-3};
    for (int law = 0; law < FSIM_FIT_LAWS; law++) {
        check_context("%s", fsim_fit_law_name((fsim_fit_law)law));
        fsim_fit f = fit((fsim_fit_law)law, x, 4);
        CHECK_NEAR(f.log_likelihood, log_likelihood_of(&f, x, 4), 1e-3 * fabs(f.log_likelihood));
        CHECK_NEAR(fsim_fit_quantile(&f, 0.5), 1.000001e-3, 1e-9);
    }
}

int main(void) {
    gsl_set_error_handler_off();
    RUN(test_published_estimates);
    RUN(test_likelihood_is_the_largest);
    RUN(test_draws_give_the_law_back);
    RUN(test_unit_does_not_matter);
    RUN(test_ks_by_hand);
    RUN(test_quantiles_of_a_sample);
    RUN(test_refused);
    RUN(test_zero_leaves_the_shifted_exponential);
    RUN(test_nearly_constant);
    return check_done();
}
