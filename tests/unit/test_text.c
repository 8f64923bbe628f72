/* Quantities as text. */
#include "base/text.h"

#include "support/check.h"

static void test_spans(void) {
    static const struct {
        const char *text;
        fsim_ns ns;
    } cases[] = {
        {"0", 0},
        {"250ms", 250 * FSIM_MS},
        {"1.5s", 1500 * FSIM_MS},
        {"10m", 10 * FSIM_MINUTE},
        {"10min", 10 * FSIM_MINUTE},
        {"2h", 2 * FSIM_HOUR},
        {"1d", FSIM_DAY},
        {"1w", 7 * FSIM_DAY},
        {"0.1s", 100 * FSIM_MS},
        {"0.0000000005s", 1},
        {"0.00000000049999999999s", 0},
        {"3999999999ns", 3999999999},
        {"66182400s", 66182400 * FSIM_SECOND},
        {"1e-3s", FSIM_MS},
        {"0.563508326896s", 563508327},
        {"9223372036.854775806s", INT64_MAX - 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fsim_ns ns = -1;
        check_context("%s", cases[i].text);
        CHECK(fsim_text_parse_span(cases[i].text, &ns));
        CHECK_EQ_INT(ns, cases[i].ns);
    }
    static const char *const refused[] = {
        "",    "5",   "s",     "-1s", " 1s", "1 s",  "1.s",  ".s",
        "1x",  "1sx", "1..2s", "1es", "nan", "infs", "293y", "9223372036.854775807s",
        "1e9w"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        fsim_ns ns;
        check_context("refused %s", refused[i]);
        CHECK(!fsim_text_parse_span(refused[i], &ns));
    }
}

static void test_sizes_counts_and_reals(void) {
    int64_t n = 0;
    double real = 0;
    CHECK(fsim_text_parse_size("128MB", &n));
    CHECK_EQ_INT(n, INT64_C(128) << 20);
    CHECK(fsim_text_parse_size("1.5GiB", &n));
    CHECK_EQ_INT(n, INT64_C(3) << 29);
    CHECK(!fsim_text_parse_size("128", &n));
    CHECK(!fsim_text_parse_size("128mb", &n));
    CHECK(fsim_text_parse_count("100k", &n));
    CHECK_EQ_INT(n, 100000);
    CHECK(fsim_text_parse_count("1.5M", &n));
    CHECK_EQ_INT(n, 1500000);
    CHECK(!fsim_text_parse_count("1.5", &n));
    CHECK(!fsim_text_parse_count("-1", &n));
    CHECK(fsim_text_parse_real("-0.25e2", &real));
    CHECK_NEAR(real, -25, 0);
    CHECK(!fsim_text_parse_real("1e999", &real));
    CHECK(!fsim_text_parse_real("0x10", &real));
    CHECK(!fsim_text_parse_real("nan", &real));
    CHECK(!fsim_text_parse_real("1,5", &real));
}

/* The short path and the exact one must agree wherever both apply. */
static void test_scaled(void) {
    fsim_ns ns = 0;
    CHECK(fsim_text_parse_scaled_ns("12.345678901", 12, FSIM_SECOND, &ns));
    CHECK_EQ_INT(ns, INT64_C(12345678901));
    CHECK(fsim_text_parse_scaled_ns("12.3456789015", 13, FSIM_SECOND, &ns));
    CHECK_EQ_INT(ns, INT64_C(12345678902));
    CHECK(fsim_text_parse_scaled_ns("1700000000.12345678949", 22, FSIM_SECOND, &ns));
    CHECK_EQ_INT(ns, INT64_C(1700000000123456789));
    CHECK(fsim_text_parse_scaled_ns("1700000000.1234567895", 21, FSIM_SECOND, &ns));
    CHECK_EQ_INT(ns, INT64_C(1700000000123456790));
    CHECK(fsim_text_parse_scaled_ns("0.5", 3, 1, &ns));
    CHECK_EQ_INT(ns, 1);
    CHECK(fsim_text_parse_scaled_ns("17abc", 2, FSIM_MS, &ns));
    CHECK_EQ_INT(ns, 17 * FSIM_MS);
    CHECK(fsim_text_parse_scaled_ns("9223372036854775806", 19, 1, &ns));
    CHECK(!fsim_text_parse_scaled_ns("9223372036854775807", 19, 1, &ns));
    CHECK(!fsim_text_parse_scaled_ns("99999999999999999999999999", 26, 1, &ns));
    CHECK(!fsim_text_parse_scaled_ns("-1", 2, 1, &ns));
    CHECK(!fsim_text_parse_scaled_ns("", 0, 1, &ns));
    CHECK(!fsim_text_parse_scaled_ns("12x", 3, 1, &ns));
    CHECK(!fsim_text_parse_scaled_ns("1.", 2, FSIM_SECOND, &ns));
}

static void test_printing(void) {
    static const struct {
        fsim_ns ns;
        const char *text;
    } cases[] = {{0, "0s"},
                 {FSIM_NEVER, "none"},
                 {1500 * FSIM_MS, "1.5s"},
                 {250 * FSIM_MS, "250ms"},
                 {600 * FSIM_SECOND, "10m"},
                 {90 * FSIM_SECOND, "90s"},
                 {FSIM_DAY, "1d"},
                 {1, "1ns"},
                 {-5 * FSIM_MS, "-5ms"},
                 {FSIM_SECOND + 1, "1000000001ns"}};
    char text[64];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fsim_text_print_span(cases[i].ns, text, sizeof text);
        CHECK_EQ_STR(text, cases[i].text);
    }
    fsim_text_human_span(0.0123, text, sizeof text);
    CHECK_EQ_STR(text, "12.3 ms");
    fsim_text_human_span(245, text, sizeof text);
    CHECK_EQ_STR(text, "4 min 5 s");
    fsim_text_human_span(0.9999, text, sizeof text);
    CHECK_EQ_STR(text, "1.00 s");
    fsim_text_human_span(7500, text, sizeof text);
    CHECK_EQ_STR(text, "2 h 5 min");
    fsim_text_human_span(NAN, text, sizeof text);
    CHECK_EQ_STR(text, "-");
    fsim_text_grouped(1234567, text, sizeof text);
    CHECK_EQ_STR(text, "1,234,567");
    fsim_text_grouped(-123, text, sizeof text);
    CHECK_EQ_STR(text, "-123");
    fsim_text_grouped(INT64_MIN, text, sizeof text);
    CHECK_EQ_STR(text, "-9,223,372,036,854,775,808");
}

static void test_print_parses_back(void) {
    for (fsim_ns ns = 1; ns < INT64_MAX / 7; ns = ns * 7 + 3) {
        char text[64];
        fsim_ns back = 0;
        fsim_text_print_span(ns, text, sizeof text);
        check_context("%s", text);
        CHECK(fsim_text_parse_span(text, &back));
        CHECK_EQ_INT(back, ns);
    }
}

static void test_nearest(void) {
    static const char *const names[] = {"window", "prewarm", "memory", "lognormal", "rate", NULL};
    CHECK_EQ_STR(fsim_text_nearest("windw", names), "window");
    CHECK_EQ_STR(fsim_text_nearest("wnidow", names), "window");
    CHECK_EQ_STR(fsim_text_nearest("Window", names), "window");
    CHECK_EQ_STR(fsim_text_nearest("log_normal", names), "lognormal");
    CHECK(fsim_text_nearest("colour", names) == NULL);
    CHECK(fsim_text_nearest("rxtex", names) == NULL); /* two of five */
    CHECK(fsim_text_nearest("", names) == NULL);
}

int main(void) {
    RUN(test_spans);
    RUN(test_sizes_counts_and_reals);
    RUN(test_scaled);
    RUN(test_printing);
    RUN(test_print_parses_back);
    RUN(test_nearest);
    return check_done();
}
