#include "base/histogram.h"
#include "base/rng.h"
#include "support/check.h"

static fsim_histogram histogram; /* 57 KiB: not on the stack */

static void clear(void) {
    memset(&histogram, 0, sizeof histogram);
}

/* Buckets tile the whole range: no gap, no overlap, and each value falls into the bucket that says so. */
static void test_buckets_tile_the_range(void) {
    CHECK_EQ_INT(fsim_histogram_low(0), 0);
    for (uint32_t b = 0; b < FSIM_HISTOGRAM_BUCKETS; b++) {
        fsim_ns low = fsim_histogram_low(b), high = fsim_histogram_high(b);
        check_context("bucket %u", b);
        if (!CHECK(low <= high) || !CHECK_EQ_INT(fsim_histogram_bucket(low), b) ||
            !CHECK_EQ_INT(fsim_histogram_bucket(high), b)) {
            return;
        }
        if (b + 1 < FSIM_HISTOGRAM_BUCKETS && !CHECK_EQ_INT(fsim_histogram_low(b + 1), high + 1)) {
            return;
        }
    }
    CHECK_EQ_INT(fsim_histogram_high(FSIM_HISTOGRAM_BUCKETS - 1), INT64_MAX);
    CHECK_EQ_INT(fsim_histogram_bucket(INT64_MAX), FSIM_HISTOGRAM_BUCKETS - 1);
}

/* The promise of the contract: a bucket's middle is within 0.5 % of every value in it; below 256 ns exact. */
static void test_relative_error(void) {
    for (uint32_t b = 0; b + 1 < FSIM_HISTOGRAM_BUCKETS; b++) {
        double low = (double)fsim_histogram_low(b), high = (double)fsim_histogram_high(b);
        double middle = (low + high) / 2;
        check_context("bucket %u", b);
        if (b < 256u ? !CHECK_EQ_INT(fsim_histogram_low(b), fsim_histogram_high(b))
                     : !CHECK(high - middle <= 0.004 * low)) {
            return;
        }
    }
}

static void test_quantiles_of_known_values(void) {
    clear();
    CHECK_NEAR(fsim_histogram_quantile(&histogram, 0.5, 0, 0), 0, 0);
    for (fsim_ns v = 1; v <= 100; v++) {
        fsim_histogram_add(&histogram, v);
    }
    CHECK_EQ_INT(fsim_histogram_total(&histogram), 100);
    CHECK_NEAR(fsim_histogram_quantile(&histogram, 0.0, 1, 100), 1, 0);
    CHECK_NEAR(fsim_histogram_quantile(&histogram, 0.01, 1, 100), 1, 0);
    CHECK_NEAR(fsim_histogram_quantile(&histogram, 0.5, 1, 100), 50, 0);
    CHECK_NEAR(fsim_histogram_quantile(&histogram, 0.505, 1, 100), 51, 0);
    CHECK_NEAR(fsim_histogram_quantile(&histogram, 0.99, 1, 100), 99, 0);
    CHECK_NEAR(fsim_histogram_quantile(&histogram, 1.0, 1, 100), 100, 0);
}

/* One value, wherever it lies, is every quantile: the bounds that come along see to that. */
static void test_quantiles_stay_within_the_bounds(void) {
    static const fsim_ns values[] = {0, 255, 256, 999999937, INT64_MAX - 1};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        clear();
        fsim_histogram_add(&histogram, values[i]);
        for (int p = 0; p <= 4; p++) {
            CHECK_NEAR(fsim_histogram_quantile(&histogram, p / 4.0, values[i], values[i]), (double)values[i],
                       0);
        }
    }
}

static void test_quantiles_of_an_exponential_sample(void) {
    fsim_rng rng;
    fsim_rng_seed(&rng, 3, "histogram", FSIM_RNG_SERVICE);
    clear();
    fsim_ns max_ns = 0;
    for (int i = 0; i < 1000000; i++) {
        fsim_ns v = (fsim_ns)(fsim_rng_exponential(&rng) * 1e9);
        max_ns = v > max_ns ? v : max_ns;
        fsim_histogram_add(&histogram, v);
    }
    double before = 0;
    for (int i = 1; i < 1000; i++) {
        double q = fsim_histogram_quantile(&histogram, i / 1000.0, 0, max_ns);
        CHECK(q >= before);
        before = q;
    }
    /* -ln(1 - p), within the bucket's 0.4 % and five standard errors of the sample. */
    static const double p[] = {0.1, 0.5, 0.9, 0.99};
    for (size_t i = 0; i < 4; i++) {
        double exact = -log(1 - p[i]) * 1e9, error = 5 * sqrt(p[i] / (1 - p[i]) / 1e6) * 1e9;
        CHECK_NEAR(fsim_histogram_quantile(&histogram, p[i], 0, max_ns), exact, 0.004 * exact + error);
    }
}

static void test_merge_adds(void) {
    static fsim_histogram other;
    clear();
    memset(&other, 0, sizeof other);
    fsim_histogram_add(&histogram, 7);
    fsim_histogram_add(&other, 7);
    fsim_histogram_add(&other, FSIM_HOUR);
    fsim_histogram_merge(&histogram, &other);
    CHECK_EQ_INT(fsim_histogram_total(&histogram), 3);
    CHECK_EQ_INT(histogram.count[7], 2);
    CHECK_EQ_INT(fsim_histogram_total(&other), 2);
}

int main(void) {
    RUN(test_buckets_tile_the_range);
    RUN(test_relative_error);
    RUN(test_quantiles_of_known_values);
    RUN(test_quantiles_stay_within_the_bounds);
    RUN(test_quantiles_of_an_exponential_sample);
    RUN(test_merge_adds);
    return check_done();
}
