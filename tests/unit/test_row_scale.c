/* Rows thinned, repeated, cut and stretched: how many come out, and that a function's do not depend on
 * others. */
#include "trace/row_scale.h"

#include "support/check.h"

#include <math.h>

#define ROWS 100000u

static fsim_row_scale *open_scale(double rate, uint64_t seed) {
    fsim_row_scale *s = NULL;
    fsim_trace_options o;
    fsim_error err = {0};
    fsim_trace_options_default(&o);
    o.scale_rate = rate;
    o.seed = seed;
    REQUIRE(fsim_row_scale_open(&s, &o, &err) == FSIM_OK);
    return s;
}

static uint64_t copies(fsim_row_scale *s, uint32_t fn, const char *name) {
    fsim_ns at_ns = 5;
    uint64_t n = 0;
    REQUIRE(fsim_row_scale_row(s, fn, name, &at_ns, &n, NULL) == FSIM_OK);
    CHECK_EQ_INT(at_ns, 5);
    return n;
}

/* The whole part always, one more with the probability of the fraction; independent from row to row. */
static void test_copies(void) {
    static const double rates[] = {0, 0.1, 0.5, 1, 2.25, 3};
    for (size_t k = 0; k < sizeof rates / sizeof rates[0]; k++) {
        check_context("rate %g", rates[k]);
        fsim_row_scale *s = open_scale(rates[k], 1);
        double whole = floor(rates[k]), part = rates[k] - whole, sum = 0, pairs = 0, before = 0;
        for (uint32_t i = 0; i < ROWS; i++) {
            double more = (double)copies(s, 0, "a") - whole;
            CHECK(more == 0 || (more == 1 && part > 0));
            sum += more;
            pairs += more * before;
            before = more;
        }
        double sd = sqrt(part * (1 - part) / ROWS);
        CHECK_NEAR(sum / ROWS, part, 5 * sd + 1e-12);
        CHECK_NEAR(pairs / ROWS, part * part, 10 * sd + 1e-12);
        fsim_row_scale_close(s);
    }
}

/* The k-th row of a function has the same fate whatever other functions there are, and whatever its number.
 */
static void test_functions_are_independent(void) {
    fsim_row_scale *alone = open_scale(0.5, 7), *among = open_scale(0.5, 7), *other = open_scale(0.5, 8);
    uint32_t differ = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        uint64_t n = copies(alone, 0, "checkout");
        copies(among, 1, "page");
        CHECK_EQ_INT(copies(among, 40, "checkout"), n);
        differ += copies(other, 0, "checkout") != n;
    }
    CHECK(differ > 400 && differ < 600);
    fsim_row_scale_close(alone);
    fsim_row_scale_close(among);
    fsim_row_scale_close(other);
}

static void test_window_and_axis(void) {
    fsim_row_scale *s = NULL;
    fsim_trace_options o;
    fsim_trace_options_default(&o);
    CHECK(!fsim_row_scale_is_needed(&o));
    o.from_ns = 100;
    o.until_ns = 200;
    o.scale_time = 2.5;
    CHECK(fsim_row_scale_is_needed(&o));
    REQUIRE(fsim_row_scale_open(&s, &o, NULL) == FSIM_OK);
    static const struct {
        fsim_ns at_ns, becomes_ns;
        uint64_t copies;
    } rows[] = {{99, 99, 0}, {100, 0, 1}, {103, 8, 1}, {199, 248, 1}, {200, 200, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fsim_ns at_ns = rows[i].at_ns;
        uint64_t n = 9;
        REQUIRE(fsim_row_scale_row(s, 0, "a", &at_ns, &n, NULL) == FSIM_OK);
        CHECK_EQ_INT(n, rows[i].copies);
        CHECK_EQ_INT(at_ns, rows[i].becomes_ns);
    }
    CHECK(!fsim_row_scale_has_ended(s, 199) && fsim_row_scale_has_ended(s, 200));
    o.scale_time = 1e6;
    CHECK_EQ_INT(fsim_row_scale_instant(&o, FSIM_NEVER - 1), FSIM_NEVER - 1);
    fsim_row_scale_close(s);
}

static void test_top(void) {
    static const uint64_t requests[] = {5, 9, 0, 5, 12, 5};
    bool keep[6];
    REQUIRE(fsim_row_scale_top(requests, 6, 3, keep, NULL) == FSIM_OK);
    CHECK(keep[0] && keep[1] && !keep[2] && !keep[3] && keep[4] && !keep[5]); /* of equals the first */
    REQUIRE(fsim_row_scale_top(requests, 6, 100, keep, NULL) == FSIM_OK);
    CHECK(keep[2] && keep[5]);
}

int main(void) {
    RUN(test_copies);
    RUN(test_functions_are_independent);
    RUN(test_window_and_axis);
    RUN(test_top);
    return check_done();
}
