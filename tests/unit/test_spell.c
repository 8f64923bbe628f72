/* Numbers as text: the same as printf makes. */
#include "base/rng.h"
#include "base/spell.c"
#include "support/check.h"

#include <inttypes.h>

static void test_digits(void) {
    static const uint64_t values[] = {
        0, 1, 9, 10, 99, 100, 101, 999, 1000, 12345, 4294967295u, 10000000000u, UINT64_MAX - 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[24] = "", expected[24];
        *fsim_spell_digits(text, values[i]) = '\0';
        snprintf(expected, sizeof expected, "%" PRIu64, values[i]);
        CHECK_EQ_STR(text, expected);
    }
}

static void test_fixed(void) {
    static const struct {
        int64_t value;
        int places;
        const char *text;
    } rows[] = {
        {0, 9, "0"},
        {1, 9, "0.000000001"},
        {1500000, 6, "1.5"},
        {1000000, 6, "1"},
        {1000001, 6, "1.000001"},
        {120, 1, "12"},
        {125, 1, "12.5"},
        {999999999, 9, "0.999999999"},
        {INT64_MAX, 9, "9223372036.854775807"},
        {INT64_MAX, 6, "9223372036854.775807"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[32] = "";
        *fsim_spell_fixed(text, rows[i].value, rows[i].places) = '\0';
        CHECK_EQ_STR(text, rows[i].text);
    }
}

static void check_real(double value) {
    char text[FSIM_SPELL_MAX + 1] = "", expected[64];
    *fsim_spell_real(text, value) = '\0';
    snprintf(expected, sizeof expected, "%.12g", value);
    CHECK_EQ_STR(text, expected);
}

static void test_real(void) {
    static const double values[] = {0.0,
                                    -0.0,
                                    1.0,
                                    -1.5,
                                    0.1,
                                    1e-4,
                                    9.99999999999e-5,
                                    0.000123456789012345,
                                    0.5,
                                    9.9999999999995,
                                    99999999999.95,
                                    999999999999.0,
                                    999999999999.4,
                                    999999999999.5,
                                    999999999999.9,
                                    1e12,
                                    123456789012.5,
                                    123456789013.5,
                                    1e300,
                                    1e-300,
                                    2.5e-310};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        check_real(values[i]);
    }
    fsim_rng rng;
    fsim_rng_seed(&rng, 1, "spell", FSIM_RNG_SERVICE);
    for (int i = 0; i < 200000; i++) {
        double span = fsim_rng_exponential(&rng);
        check_real(ldexp(span, (int)fsim_rng_below(&rng, 60) - 16)); /* all its digits count */
        check_real((double)(uint64_t)(span * 1e9) / 1e9);            /* nanoseconds in seconds */
        check_real((double)fsim_rng_below(&rng, 2000000) / 64.0);    /* ties */
    }
}

int main(void) {
    RUN(test_digits);
    RUN(test_fixed);
    RUN(test_real);
    return check_done();
}
