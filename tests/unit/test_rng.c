#include "base/rng.h"
#include "support/check.h"

static fsim_rng stream(uint64_t seed, const char *name, fsim_purpose purpose) {
    fsim_rng rng;
    fsim_rng_seed(&rng, seed, name, purpose);
    return rng;
}

/* From state {1, 2, 3, 4}: the first outputs of the reference implementation of xoshiro256++ (Blackman,
 * Vigna). */
static void test_words_are_those_of_the_reference(void) {
    static const uint64_t expected[] = {UINT64_C(41943041),
                                        UINT64_C(58720359),
                                        UINT64_C(3588806011781223),
                                        UINT64_C(3591011842654386),
                                        UINT64_C(9228616714210784205),
                                        UINT64_C(9973669472204895162)};
    fsim_rng rng = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        CHECK(fsim_rng_word(&rng) == expected[i]);
    }
}

/* FNV-1a, 64 bits: values published with the algorithm. */
static void test_hash_is_fnv1a(void) {
    CHECK(fsim_hash_bytes(FSIM_HASH_START, "", 0) == UINT64_C(0xcbf29ce484222325));
    CHECK(fsim_hash_bytes(FSIM_HASH_START, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
    CHECK(fsim_hash_bytes(FSIM_HASH_START, "foobar", 6) == UINT64_C(0x85944171f73967e8));
}

/* Each part of the key leads to another stream; the same key to the same one. */
static void test_streams_depend_on_every_part_of_the_key(void) {
    fsim_rng rng = stream(1, "fn", FSIM_RNG_SERVICE), same = stream(1, "fn", FSIM_RNG_SERVICE);
    fsim_rng others[] = {stream(2, "fn", FSIM_RNG_SERVICE), stream(1, "fm", FSIM_RNG_SERVICE),
                         stream(1, "", FSIM_RNG_SERVICE), stream(1, "fn", FSIM_RNG_COLD_START)};
    for (int i = 0; i < 1000; i++) {
        uint64_t word = fsim_rng_word(&rng);
        REQUIRE(fsim_rng_word(&same) == word);
        for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
            REQUIRE(fsim_rng_word(&others[k]) != word);
        }
    }
}

/* Streams of neighbouring seeds and purposes are uncorrelated: 5 standard errors. */
static void test_neighbouring_streams_are_uncorrelated(void) {
    enum { N = 200000 };
    for (uint64_t seed = 0; seed < 5; seed++) {
        fsim_rng a = stream(seed, "fn", FSIM_RNG_SERVICE), b = stream(seed + 1, "fn", FSIM_RNG_SERVICE);
        fsim_rng c = stream(seed, "fn", FSIM_RNG_COLD_START);
        double ab = 0, ac = 0;
        for (int i = 0; i < N; i++) {
            double x = fsim_rng_unit(&a) - 0.5;
            ab += x * (fsim_rng_unit(&b) - 0.5);
            ac += x * (fsim_rng_unit(&c) - 0.5);
        }
        CHECK_NEAR(ab, 0, 5 * sqrt((double)N) / 12);
        CHECK_NEAR(ac, 0, 5 * sqrt((double)N) / 12);
    }
}

static void test_unit_is_in_the_half_open_interval(void) {
    fsim_rng rng = stream(1, "unit", FSIM_RNG_ARRIVALS);
    double least = 1, most = 0;
    for (int i = 0; i < 1000000; i++) {
        double x = fsim_rng_unit(&rng), y = fsim_rng_open(&rng);
        REQUIRE(x >= 0 && x < 1 && y > 0 && y < 1);
        least = x < least ? x : least;
        most = x > most ? x : most;
    }
    CHECK(least < 1e-4 && most > 1 - 1e-4);
}

/* Every value is met, and as often as any other: chi-square with n - 1 degrees of freedom, within 5 standard
 * deviations. */
static void test_below_is_uniform(void) {
    static const uint32_t bounds[] = {1, 2, 3, 7, 10, 64, 1000};
    fsim_rng rng = stream(5, "below", FSIM_RNG_ROUTING);
    for (size_t b = 0; b < sizeof bounds / sizeof *bounds; b++) {
        uint32_t n = bounds[b], hits[1000] = {0};
        double draws = 200.0 * n, chi2 = 0;
        for (uint32_t i = 0; i < 200 * n; i++) {
            uint32_t x = fsim_rng_below(&rng, n);
            REQUIRE(x < n);
            hits[x]++;
        }
        for (uint32_t i = 0; i < n; i++) {
            chi2 += (hits[i] - draws / n) * (hits[i] - draws / n) / (draws / n);
        }
        check_context("below %u", n);
        CHECK_NEAR(chi2, n - 1.0, 5 * sqrt(2.0 * n));
    }
    CHECK(fsim_rng_below(&rng, UINT32_MAX) < UINT32_MAX);
}

/* A sample against its law by the Kolmogorov-Smirnov distance; sqrt(n) D above 1.95 has probability 0.1 %. */
static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double exponential_cdf(double x) {
    return x < 0 ? 0 : -expm1(-x);
}

static double normal_cdf(double x) {
    return 0.5 * erfc(-x / sqrt(2));
}

static void check_law(const char *name, double (*draw)(fsim_rng *), double (*cdf)(double)) {
    enum { N = 400000 };
    double *sample = malloc(N * sizeof *sample);
    fsim_rng rng = stream(11, name, FSIM_RNG_SERVICE);
    double distance = 0;
    REQUIRE(sample != NULL);
    for (int i = 0; i < N; i++) {
        sample[i] = draw(&rng);
    }
    qsort(sample, N, sizeof *sample, ascending);
    for (int i = 0; i < N; i++) {
        double above = (i + 1.0) / N - cdf(sample[i]), below = cdf(sample[i]) - (double)i / N;
        distance = fmax(distance, fmax(above, below));
    }
    check_context("%s", name);
    CHECK(distance * sqrt(N) <= 1.95);
    free(sample);
}

static void test_laws(void) {
    check_law("exponential", fsim_rng_exponential, exponential_cdf);
    check_law("normal", fsim_rng_normal, normal_cdf);
}

/* Beyond the ziggurat's edge: how often, and how far on average (the law moved by the edge, again). */
static void test_tail_of_the_exponential(void) {
    enum { N = 20000000 };
    fsim_rng rng = stream(1, "tail", FSIM_RNG_SERVICE);
    double excess = 0, beyond = 0, edge = 9;
    for (int i = 0; i < N; i++) {
        double x = fsim_rng_exponential(&rng);
        if (x > edge) {
            beyond++;
            excess += x - edge;
        }
    }
    double expected = N * exp(-edge);
    CHECK_NEAR(beyond, expected, 5 * sqrt(expected));
    CHECK_NEAR(excess / beyond, 1, 5 / sqrt(expected));
}

int main(void) {
    RUN(test_words_are_those_of_the_reference);
    RUN(test_hash_is_fnv1a);
    RUN(test_streams_depend_on_every_part_of_the_key);
    RUN(test_neighbouring_streams_are_uncorrelated);
    RUN(test_unit_is_in_the_half_open_interval);
    RUN(test_below_is_uniform);
    RUN(test_laws);
    RUN(test_tail_of_the_exponential);
    return check_done();
}
