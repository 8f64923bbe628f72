/* Windows of metrics (1.4 of the scaling facts) and the sliding maximum, with values worked out by hand. */
#include "autoscale/metric_collector.h"
#include "autoscale/metric_window.h"
#include "autoscale/sliding_max.h"
#include "autoscale/time_slot.h"
#include "support/check.h"

#define S FSIM_SECOND

static double memory[256];

static fsim_metric_window window_of(int64_t seconds, fsim_metric_average average) {
    fsim_metric_window w;
    fsim_metric_window_init(&w, memory, 256, seconds * S, S, average);
    return w;
}

/* 1, 2, 3, 4, 5 in seconds 100 to 104. */
static fsim_metric_window one_to_five(fsim_metric_average average) {
    fsim_metric_window w = window_of(5, average);
    for (int64_t k = 0; k < 5; k++) {
        fsim_metric_window_record(&w, (100 + k) * S, (double)(k + 1));
    }
    return w;
}

static void test_slots(void) {
    CHECK_EQ_INT(fsim_time_slot(0, S), 0);
    CHECK_EQ_INT(fsim_time_slot(S - 1, S), 0);
    CHECK_EQ_INT(fsim_time_slot(-1, S), -1);
    CHECK_EQ_INT(fsim_time_slot(-S, S), -1);
    CHECK_EQ_INT(fsim_time_slots(5 * S, 3 * S), 2);
    CHECK_EQ_INT(fsim_time_slots(6 * S, 3 * S), 2);
}

static void test_partial_window_divides_by_elapsed(void) {
    fsim_metric_window w = window_of(60, FSIM_METRIC_LINEAR);
    CHECK_NEAR(fsim_metric_window_average(&w, 0), 0.0, 0.0);
    fsim_metric_window_record(&w, 10 * S, 6.0);
    CHECK_NEAR(fsim_metric_window_average(&w, 10 * S), 6.0, 0.0);
    fsim_metric_window_record(&w, 12 * S, 3.0);
    CHECK_NEAR(fsim_metric_window_average(&w, 12 * S), 3.0, 0.0); /* 9 over 3 seconds, one of them silent */
}

static void test_one_second_adds_up(void) {
    fsim_metric_window w = window_of(60, FSIM_METRIC_LINEAR);
    fsim_metric_window_record(&w, 10 * S, 2.0);
    fsim_metric_window_record(&w, 11 * S - 1, 5.0);
    CHECK_NEAR(fsim_metric_window_average(&w, 10 * S), 7.0, 0.0);
    CHECK_NEAR(fsim_metric_window_sum(&w, 10 * S), 7.0, 0.0);
}

static void test_silence_after_the_last_write(void) {
    fsim_metric_window w = one_to_five(FSIM_METRIC_LINEAR);
    CHECK_NEAR(fsim_metric_window_average(&w, 103 * S), 3.0, 0.0); /* before the last write: all of them */
    CHECK_NEAR(fsim_metric_window_average(&w, 105 * S), 3.5, 0.0); /* 2+3+4+5 over 4 */
    CHECK_NEAR(fsim_metric_window_average(&w, 108 * S), 5.0, 0.0); /* 5 over 1 */
    CHECK_NEAR(fsim_metric_window_average(&w, 109 * S), 0.0, 0.0);
    CHECK_NEAR(fsim_metric_window_sum(&w, 107 * S), 9.0, 0.0);
    CHECK(!fsim_metric_window_is_empty(&w, 109 * S)); /* a whole window, not longer */
    CHECK(fsim_metric_window_is_empty(&w, 110 * S));
}

static void test_empty_before_the_first_write(void) {
    fsim_metric_window w = window_of(5, FSIM_METRIC_LINEAR);
    CHECK(fsim_metric_window_is_empty(&w, 0));
    fsim_metric_window_record(&w, 0, 0.0);
    CHECK(!fsim_metric_window_is_empty(&w, 0)); /* a 0 is data */
}

static void test_hole_becomes_zeros(void) {
    fsim_metric_window w = one_to_five(FSIM_METRIC_LINEAR);
    fsim_metric_window_record(&w, 107 * S, 10.0);
    CHECK_NEAR(fsim_metric_window_average(&w, 107 * S), 3.8, 1e-12); /* 4+5+0+0+10 over 5 */
}

static void test_whole_window_of_silence_starts_a_new_run(void) {
    fsim_metric_window w = one_to_five(FSIM_METRIC_LINEAR);
    fsim_metric_window_record(&w, 109 * S, 10.0);
    CHECK_NEAR(fsim_metric_window_average(&w, 109 * S), 10.0, 0.0);
    fsim_metric_window_record(&w, 110 * S, 20.0);
    CHECK_NEAR(fsim_metric_window_average(&w, 110 * S), 15.0, 0.0);
}

static void test_late_writes(void) {
    fsim_metric_window w = window_of(5, FSIM_METRIC_LINEAR);
    fsim_metric_window_record(&w, 100 * S, 10.0);
    fsim_metric_window_record(&w, 97 * S, 2.0); /* moves the beginning of the run back */
    CHECK_NEAR(fsim_metric_window_average(&w, 100 * S), 3.0, 0.0);
    fsim_metric_window_record(&w, 96 * S, 3.0);
    CHECK_NEAR(fsim_metric_window_average(&w, 100 * S), 3.0, 0.0);
    fsim_metric_window_record(&w, 95 * S, 100.0); /* a window old: ignored */
    CHECK_NEAR(fsim_metric_window_average(&w, 100 * S), 3.0, 0.0);
}

static void test_rounded_to_six_decimals(void) {
    fsim_metric_window w = window_of(5, FSIM_METRIC_LINEAR);
    fsim_metric_window_record(&w, 0, 1.0);
    fsim_metric_window_record(&w, 2 * S, 1.0);
    CHECK_NEAR(fsim_metric_window_average(&w, 2 * S), 0.666667, 1e-15);
}

/* 0.3 + 0.2 + 0.1 with each taken out again is a little below 0, which must not show. */
static void test_no_residue_and_no_negative_zero(void) {
    fsim_metric_window w = window_of(3, FSIM_METRIC_LINEAR);
    fsim_metric_window_record(&w, 0, 0.3);
    fsim_metric_window_record(&w, 1 * S, 0.2);
    fsim_metric_window_record(&w, 2 * S, 0.1);
    for (int64_t k = 3; k < 6; k++) {
        fsim_metric_window_record(&w, k * S, 0.0);
    }
    REQUIRE(w.total < 0.0);
    double average = fsim_metric_window_average(&w, 5 * S);
    CHECK(average == 0.0 && !signbit(average));
}

static void test_smoothing(void) {
    CHECK_NEAR(fsim_metric_window_smoothing(60), 0.2, 0.0);
    CHECK_NEAR(fsim_metric_window_smoothing(5), 0.84151068, 1e-8); /* 1 - 10^-0.8 */
    CHECK_NEAR(fsim_metric_window_smoothing(1), 0.9999, 1e-12);
}

static void test_weighted_average(void) {
    fsim_metric_window w = one_to_five(FSIM_METRIC_WEIGHTED);
    double m = 1.0 - pow(10.0, -0.8), r = 1.0 - m;
    double expected = m * (5.0 + r * (4.0 + r * (3.0 + r * (2.0 + r))));
    CHECK_NEAR(fsim_metric_window_average(&w, 104 * S), expected, 1e-12);
    double two_later = m * r * r * (5.0 + r * (4.0 + r * 3.0));
    CHECK_NEAR(fsim_metric_window_average(&w, 106 * S), two_later, 1e-12);
    CHECK_NEAR(fsim_metric_window_average(&w, 109 * S), 0.0, 0.0);
}

static void test_resize(void) {
    fsim_metric_window w = one_to_five(FSIM_METRIC_LINEAR);
    CHECK(fsim_metric_window_resize(&w, 3 * S));
    CHECK_NEAR(fsim_metric_window_sum(&w, 104 * S), 12.0, 0.0);
    CHECK_NEAR(fsim_metric_window_average(&w, 104 * S), 4.0, 0.0);
    CHECK(fsim_metric_window_resize(&w, 10 * S));
    CHECK_NEAR(fsim_metric_window_sum(&w, 104 * S), 12.0, 0.0);
    /* The run counts as begun one old window (3) before the newest write: 12 over 3. */
    CHECK_NEAR(fsim_metric_window_average(&w, 104 * S), 4.0, 0.0);
    fsim_metric_window_record(&w, 105 * S, 4.0);
    CHECK_NEAR(fsim_metric_window_average(&w, 105 * S), 4.0, 0.0); /* 16 over 4 */
    CHECK(!fsim_metric_window_resize(&w, 257 * S));
    CHECK_EQ_INT(w.n, 10);
}

static void test_resize_changes_the_weights(void) {
    fsim_metric_window w = window_of(5, FSIM_METRIC_WEIGHTED);
    fsim_metric_window_record(&w, 0, 10.0);
    CHECK(fsim_metric_window_resize(&w, 100 * S));
    CHECK_NEAR(fsim_metric_window_average(&w, 0), 2.0, 1e-12);
}

static void test_wide_buckets(void) {
    fsim_metric_window w;
    fsim_metric_window_init(&w, memory, 256, 5 * S, 3 * S, FSIM_METRIC_LINEAR);
    CHECK_EQ_INT(w.n, 2);
    fsim_metric_window_record(&w, 9 * S, 1.0);
    fsim_metric_window_record(&w, 11 * S, 2.0);
    fsim_metric_window_record(&w, 12 * S, 5.0);
    CHECK_NEAR(fsim_metric_window_average(&w, 13 * S), 4.0, 0.0);
    CHECK(fsim_metric_window_is_empty(&w, 18 * S)); /* 6 s after a window of 5 s */
}

/* Against the definition: a plain list of all writes. */
static void test_against_the_definition(void) {
    enum { SECONDS = 400, LENGTH = 7 };
    static double value[SECONDS];
    static bool wrote[SECONDS];
    fsim_metric_window w = window_of(LENGTH, FSIM_METRIC_LINEAR);
    uint32_t x = 12345;
    int64_t first = -1, last = -1;
    for (int64_t t = 0; t < SECONDS; t++) {
        x = x * 1664525u + 1013904223u;
        bool quiet = (t / 25) % 4 == 3; /* longer than the window */
        if (!quiet && (x >> 28) < 9) {
            wrote[t] = true;
            value[t] = (double)(x >> 20 & 255);
            fsim_metric_window_record(&w, t * S, value[t]);
            first = last < 0 || t - last >= LENGTH ? t : first;
            last = t;
        }
        double sum = 0.0;
        for (int64_t k = t - LENGTH + 1; k <= t; k++) {
            sum += k >= 0 && k >= first && wrote[k] ? value[k] : 0.0;
        }
        int64_t run = last - first + 1, inside = LENGTH - (t - last);
        double expected = last < 0 || inside <= 0 ? 0.0 : sum / (double)(run < inside ? run : inside);
        check_context("second %" PRId64, t);
        CHECK_NEAR(fsim_metric_window_average(&w, t * S), expected, 1e-6);
    }
}

static void test_collector(void) {
    double buckets[66];
    REQUIRE(fsim_metric_collector_buckets(60 * S, 6 * S) == 66);
    fsim_metric_collector c;
    fsim_metric_collector_init(&c, buckets, 60 * S, 6 * S, FSIM_METRIC_LINEAR, true);
    double stable, panic;
    CHECK(!fsim_metric_collector_read(&c, 0, &stable, &panic));
    for (int64_t t = 0; t < 60; t++) {
        fsim_metric_collector_record(&c, t * S, t < 54 ? 1.0 : 11.0);
    }
    CHECK(fsim_metric_collector_read(&c, 59 * S, &stable, &panic));
    CHECK_NEAR(stable, 2.0, 1e-9);
    CHECK_NEAR(panic, 11.0, 1e-9);
    /* Nothing for a while: the panic window runs dry first, and that is no lack of data. */
    CHECK(fsim_metric_collector_read(&c, 80 * S, &stable, &panic));
    CHECK_NEAR(panic, 0.0, 0.0);
    CHECK(fsim_metric_collector_read(&c, 119 * S, &stable, &panic));
    CHECK(!fsim_metric_collector_read(&c, 120 * S, &stable, &panic));
    c.scrapes = false;
    CHECK(fsim_metric_collector_read(&c, 120 * S, &stable, &panic));
    CHECK_NEAR(stable, 0.0, 0.0);
    CHECK_NEAR(fsim_metric_extrapolate(6.0, 4, 10), 15.0, 1e-12);
}

static fsim_sliding_max_entry entries[8];

static void test_sliding_max(void) {
    fsim_sliding_max m;
    fsim_sliding_max_init(&m, entries, 8, 3, S);
    CHECK_NEAR(fsim_sliding_max_current(&m), 0.0, 0.0);
    const double values[] = {5, 8, 5, 7, 1, 1, 1, 4};
    const double expected[] = {5, 8, 8, 8, 7, 7, 1, 4};
    for (int64_t k = 0; k < 8; k++) {
        fsim_sliding_max_record(&m, k, values[k]);
        check_context("slot %" PRId64, k);
        CHECK_NEAR(fsim_sliding_max_current(&m), expected[k], 0.0);
    }
    fsim_sliding_max_record(&m, 100, 2.0);
    CHECK_NEAR(fsim_sliding_max_current(&m), 2.0, 0.0);
}

static void test_sliding_max_same_slot(void) {
    fsim_sliding_max m;
    fsim_sliding_max_init(&m, entries, 8, 3, S);
    const double values[] = {3, 2, 5, 1};
    const double expected[] = {3, 3, 5, 5};
    for (int64_t k = 0; k < 4; k++) {
        fsim_sliding_max_record(&m, 7, values[k]);
        CHECK_NEAR(fsim_sliding_max_current(&m), expected[k], 0.0);
    }
    fsim_sliding_max_record(&m, 4, 6.0); /* an earlier slot counts in the newest */
    fsim_sliding_max_record(&m, 9, 0.0);
    CHECK_NEAR(fsim_sliding_max_current(&m), 6.0, 0.0);
    fsim_sliding_max_record(&m, 10, 0.0);
    CHECK_NEAR(fsim_sliding_max_current(&m), 0.0, 0.0);
}

static void test_sliding_max_by_time_and_resize(void) {
    fsim_sliding_max m;
    CHECK_EQ_INT(fsim_sliding_max_slots(5 * S, 2 * S), 3);
    fsim_sliding_max_init(&m, entries, 8, 3, 2 * S);
    fsim_sliding_max_record_at(&m, 3 * S, 9.0); /* slot 1 */
    fsim_sliding_max_record_at(&m, 7 * S, 4.0); /* slot 3 */
    CHECK_NEAR(fsim_sliding_max_current(&m), 9.0, 0.0);
    CHECK(fsim_sliding_max_resize(&m, 2));
    CHECK_NEAR(fsim_sliding_max_current(&m), 4.0, 0.0);
    CHECK(!fsim_sliding_max_resize(&m, 9));
    CHECK(fsim_sliding_max_resize(&m, 8));
    fsim_sliding_max_record_at(&m, 21 * S, 1.0); /* slot 10: 3 is 7 slots ago */
    CHECK_NEAR(fsim_sliding_max_current(&m), 4.0, 0.0);
    fsim_sliding_max_record_at(&m, 22 * S, 1.0);
    CHECK_NEAR(fsim_sliding_max_current(&m), 1.0, 0.0);
}

int main(void) {
    RUN(test_slots);
    RUN(test_partial_window_divides_by_elapsed);
    RUN(test_one_second_adds_up);
    RUN(test_silence_after_the_last_write);
    RUN(test_empty_before_the_first_write);
    RUN(test_hole_becomes_zeros);
    RUN(test_whole_window_of_silence_starts_a_new_run);
    RUN(test_late_writes);
    RUN(test_rounded_to_six_decimals);
    RUN(test_no_residue_and_no_negative_zero);
    RUN(test_smoothing);
    RUN(test_weighted_average);
    RUN(test_resize);
    RUN(test_resize_changes_the_weights);
    RUN(test_wide_buckets);
    RUN(test_against_the_definition);
    RUN(test_collector);
    RUN(test_sliding_max);
    RUN(test_sliding_max_same_slot);
    RUN(test_sliding_max_by_time_and_resize);
    return check_done();
}
