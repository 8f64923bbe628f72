/* Exact decimals: parsing, printing, rounding, and saying so when 128 bits are not enough. */
#include "base/decimal.h"

#include "support/check.h"

static const char *pico_text(const char *text) {
    static char out[FSIM_DECIMAL_SIZE];
    fsim_i128 pico;
    return fsim_decimal_parse_pico(text, &pico) ? fsim_decimal_print_pico(pico, out, sizeof out) : NULL;
}

static void test_round_trip(void) {
    static const char *const same[] = {"0",
                                       "1",
                                       "0.0000166667",
                                       "2.733338",
                                       "-3.5",
                                       "100",
                                       "438001.2",
                                       "0.000000000001",
                                       "170141183460469231731687303.715884105727"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        CHECK_EQ_STR(pico_text(same[i]), same[i]);
    }
    CHECK_EQ_STR(pico_text("0.20"), "0.2");
    CHECK_EQ_STR(pico_text("007"), "7");
    CHECK_EQ_STR(pico_text("1.0000000000000000000"), "1");
}

static void test_refuses_what_is_no_decimal(void) {
    static const char *const bad[] = {"",
                                      "-",
                                      ".5",
                                      "5.",
                                      "1e3",
                                      " 1",
                                      "1 ",
                                      "+1",
                                      "1,5",
                                      "0x1",
                                      "1.2.3",
                                      "--1",
                                      "0.0000000000001", /* 13 decimals would be lost */
                                      "170141183460469231731687303.715884105728",
                                      "999999999999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        check_context("\"%s\"", bad[i]);
        CHECK(pico_text(bad[i]) == NULL);
    }
}

static int64_t divided(int64_t num, int64_t den, fsim_rounding rounding) {
    fsim_i128 out = INT64_MIN;
    CHECK(fsim_i128_divide(num, den, rounding, &out));
    return (int64_t)out;
}

static void test_rounding(void) {
    static const struct {
        int64_t num, den, half_up, half_even, up;
    } rows[] = {{5, 2, 3, 2, 3}, {7, 2, 4, 4, 4},     {-5, 2, -3, -2, -2}, {-7, 2, -4, -4, -3},
                {4, 3, 1, 1, 2}, {-4, 3, -1, -1, -1}, {6, 3, 2, 2, 2},     {0, 7, 0, 0, 0},
                {5, 3, 2, 2, 2}, {1, 1000, 0, 0, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_context("%" PRId64 "/%" PRId64, rows[i].num, rows[i].den);
        CHECK_EQ_INT(divided(rows[i].num, rows[i].den, FSIM_ROUND_HALF_UP), rows[i].half_up);
        CHECK_EQ_INT(divided(rows[i].num, rows[i].den, FSIM_ROUND_HALF_EVEN), rows[i].half_even);
        CHECK_EQ_INT(divided(rows[i].num, rows[i].den, FSIM_ROUND_UP), rows[i].up);
    }
    fsim_i128 untouched = 42;
    CHECK(!fsim_i128_divide(1, 0, FSIM_ROUND_UP, &untouched) && untouched == 42);
}

static void test_places(void) {
    char out[FSIM_DECIMAL_SIZE];
    fsim_i128 pico = 0;
    CHECK(fsim_decimal_parse_pico("39.045895", &pico));
    CHECK_EQ_STR(fsim_decimal_print_places(pico, 2, FSIM_ROUND_HALF_UP, out, sizeof out), "39.05");
    CHECK_EQ_STR(fsim_decimal_print_places(pico, 0, FSIM_ROUND_HALF_UP, out, sizeof out), "39");
    CHECK_EQ_STR(fsim_decimal_print_places(pico, 12, FSIM_ROUND_HALF_UP, out, sizeof out), "39.045895000000");
    CHECK_EQ_STR(fsim_decimal_print_places(-pico, 2, FSIM_ROUND_HALF_UP, out, sizeof out), "-39.05");
    CHECK_EQ_STR(fsim_decimal_print_places(7, 2, FSIM_ROUND_HALF_UP, out, sizeof out), "0.00");
}

static void test_overflow_is_told(void) {
    const fsim_i128 max = (fsim_i128)(~(fsim_u128)0 >> 1);
    fsim_i128 out = 42;
    CHECK(!fsim_i128_add(max, 1, &out) && !fsim_i128_add(-max, -2, &out) && out == 42);
    CHECK(!fsim_i128_mul(max, 2, &out) && !fsim_i128_mul(-max, -2, &out) && out == 42);
    CHECK(fsim_i128_mul(max, -1, &out) && out == -max);
    fsim_ratio ratio = {7, 1};
    CHECK(!fsim_ratio_mul((fsim_ratio){max, 1}, (fsim_ratio){2, 1}, &ratio) && ratio.num == 7);
    CHECK(!fsim_ratio_div((fsim_ratio){1, 1}, (fsim_ratio){0, 1}, &ratio));
    CHECK(!fsim_ratio_make(1, 0, &ratio));
    CHECK(!fsim_ratio_to_pico((fsim_ratio){max, 1}, FSIM_ROUND_HALF_UP, &out) && out == -max);
}

static void test_fractions(void) {
    char out[FSIM_DECIMAL_SIZE];
    fsim_ratio third = {0, 1}, sum = {0, 1}, blocks = {0, 1};
    int sign = 9;
    CHECK(fsim_ratio_make(-2, -6, &third) && third.num == 1 && third.den == 3);
    for (int i = 0; i < 3; i++) {
        CHECK(fsim_ratio_add(sum, third, &sum));
    }
    CHECK(sum.num == 1 && sum.den == 1);
    CHECK(fsim_ratio_compare(third, (fsim_ratio){333, 1000}, &sign) && sign == 1);
    CHECK_EQ_STR(fsim_decimal_print_ratio(third, out, sizeof out), "0.333333333333");
    CHECK_EQ_STR(fsim_decimal_print_ratio((fsim_ratio){-2, 3}, out, sizeof out), "-0.666666666667");
    CHECK(fsim_ratio_round_to((fsim_ratio){1100001, 1}, (fsim_ratio){1000000, 1}, FSIM_ROUND_UP, &blocks));
    CHECK_EQ_INT(blocks.num, 2000000);
    /* The widest product of the price books: 3e10 GB-s in MiB-ms, at 11 decimals. */
    fsim_ratio gb_s = {0, 1}, price = {0, 1}, amount = {0, 1};
    CHECK(fsim_ratio_make((fsim_i128)30000000000 * 1024000, 1024000, &gb_s));
    CHECK(fsim_decimal_parse_ratio("0.00000625125", &price) && fsim_ratio_mul(gb_s, price, &amount));
    CHECK_EQ_STR(fsim_decimal_print_ratio(amount, out, sizeof out), "187537.5");
}

int main(void) {
    RUN(test_round_trip);
    RUN(test_refuses_what_is_no_decimal);
    RUN(test_rounding);
    RUN(test_places);
    RUN(test_overflow_is_told);
    RUN(test_fractions);
    return check_done();
}
