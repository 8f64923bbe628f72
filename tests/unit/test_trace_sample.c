/* Samples of functions, and how far they are from the whole. */
#include "trace/trace_sample.h"

#include "base/rng.h"
#include "support/check.h"

static void test_wasserstein(void) {
    const double a[] = {0, 1, 3}, b[] = {5, 6, 8}, c[] = {0, 0, 1, 1, 3, 3}, d[] = {2}, e[] = {0, 4};
    CHECK_NEAR(fsim_wasserstein(a, 3, b, 3), 5, 1e-12); /* (5 + 5 + 5) / 3 */
    CHECK_NEAR(fsim_wasserstein(a, 3, a, 3), 0, 1e-12);
    CHECK_NEAR(fsim_wasserstein(a, 3, c, 6), 0, 1e-12); /* the same law */
    CHECK_NEAR(fsim_wasserstein(a, 3, d, 1), 4.0 / 3, 1e-12);
    CHECK_NEAR(fsim_wasserstein(d, 1, e, 2), 2, 1e-12);
    CHECK_NEAR(fsim_wasserstein(e, 2, d, 1), 2, 1e-12);
}

#define COUNT 1000u

static fsim_sample_function functions[COUNT];
static char names[COUNT][8];
static bool keep[COUNT];

static void make_functions(void) {
    fsim_rng rng;
    fsim_rng_seed(&rng, 3, "sample", FSIM_RNG_SERVICE);
    for (uint32_t i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "f%u", i);
        /* A popularity that falls over six decades. */
        functions[i] = (fsim_sample_function){.name = names[i],
                                              .requests = (uint64_t)pow(10, 6 * fsim_rng_unit(&rng)),
                                              .durations = 1,
                                              .duration_s = fsim_rng_exponential(&rng)};
    }
    functions[7].requests = 0;
}

static void test_one_of_each_stratum(void) {
    uint32_t kept = 0, marked = 0;
    fsim_error err = {0};
    fsim_sample_distance distance;
    make_functions();
    CHECK_EQ_INT(fsim_sample_choose(functions, COUNT, 50, 1, keep, &kept, &err), FSIM_OK);
    CHECK_EQ_INT(kept, 50);
    /* Rank by rank: the k-th of the sample in order of popularity lies in the k-th stratum. */
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t below = 0, below_kept = 0;
        if (!keep[i]) {
            continue;
        }
        marked++;
        for (uint32_t j = 0; j < COUNT; j++) {
            bool less = functions[j].requests > 0 && functions[j].requests < functions[i].requests;
            below += less;
            below_kept += less && keep[j];
        }
        CHECK(below < (below_kept + 1) * 20 + 20 && below + 40 > below_kept * 20);
    }
    CHECK_EQ_INT(marked, 50);
    CHECK(!keep[7]);
    CHECK_EQ_INT(fsim_sample_compare(functions, COUNT, keep, &distance, &err), FSIM_OK);
    /* One of each of 50 strata of 6 / 50 decades: nearer than a stratum is wide. */
    CHECK(distance.requests > 0 && distance.requests < 0.12);
    CHECK(distance.duration > 0 && distance.duration < 0.3);
}

static void test_all_of_them(void) {
    uint32_t kept = 0;
    fsim_error err = {0};
    fsim_sample_distance distance;
    make_functions();
    CHECK_EQ_INT(fsim_sample_choose(functions, COUNT, 5000, 1, keep, &kept, &err), FSIM_OK);
    CHECK_EQ_INT(kept, COUNT - 1);
    CHECK_EQ_INT(fsim_sample_compare(functions, COUNT, keep, &distance, &err), FSIM_OK);
    CHECK_NEAR(distance.requests, 0, 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        functions[i].durations = 0;
    }
    CHECK_EQ_INT(fsim_sample_compare(functions, COUNT, keep, &distance, &err), FSIM_OK);
    CHECK_NEAR(distance.duration, -1, 0);
}

static void test_seeds(void) {
    static bool other[COUNT];
    uint32_t kept = 0;
    make_functions();
    fsim_sample_choose(functions, COUNT, 30, 1, keep, &kept, NULL);
    fsim_sample_choose(functions, COUNT, 30, 1, other, &kept, NULL);
    CHECK(memcmp(keep, other, sizeof keep) == 0);
    fsim_sample_choose(functions, COUNT, 30, 2, other, &kept, NULL);
    CHECK(memcmp(keep, other, sizeof keep) != 0);
}

int main(void) {
    RUN(test_wasserstein);
    RUN(test_one_of_each_stratum);
    RUN(test_all_of_them);
    RUN(test_seeds);
    return check_done();
}
