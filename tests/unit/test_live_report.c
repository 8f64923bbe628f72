/* What a live run prints and writes: measured, predicted, and predicted with the stalls that were seen. */
#include "cli/live_report.c"
#include "support/check.h"

#include <stdlib.h>

static json_t *summary(double p99, int cold) {
    return json_pack("{s:s, s:s, s:f, s:{s:f}, s:{s:i}}", "name", "w", "policy", "lambda", "horizon_s", 1.0,
                     "latency_s", "p99", p99, "cold", "triggered", cold);
}

static double figure(const json_t *s, const char *path, const char *key) {
    return json_number_value(json_object_get(json_object_get(json_object_get(s, "prediction"), path), key));
}

static void test_three_columns(void) {
    fsim_live_spans *spans = calloc(FSIM_LIVE_PARTS, sizeof *spans);
    fsim_live_stalls stalls = {.known = true, .count = 3, .longest_ns = 7 * FSIM_MS, .share = 0.05};
    fsim_live_account account = {
        .speed_up = 1, .parts = spans, .others = -1, .stolen = -1, .stalls = &stalls, .disturbed = true};
    json_t *measured = summary(0.012, 9), *predicted = summary(0.006, 0), *disturbed = summary(0.010, 9);
    char *text = NULL;
    size_t size = 0;
    REQUIRE(spans != NULL && fsim_live_report_add(measured, predicted, disturbed, &account));
    CHECK_NEAR(figure(measured, "latency_s.p99", "error"), 1.0, 1e-9);
    CHECK_NEAR(figure(measured, "latency_s.p99", "with_stalls"), 0.010, 1e-12);
    CHECK_NEAR(figure(measured, "latency_s.p99", "error_with_stalls"), 0.2, 1e-9);
    const json_t *cold = json_object_get(json_object_get(measured, "prediction"), "cold.triggered");
    CHECK(json_is_null(json_object_get(cold, "error")));
    CHECK_NEAR(figure(measured, "cold.triggered", "error_with_stalls"), 0, 0);
    FILE *out = open_memstream(&text, &size);
    REQUIRE(out != NULL);
    fsim_live_report_print(measured, &account, out);
    fclose(out);
    CHECK_CONTAINS(text, "with stalls");
    CHECK_CONTAINS(text, "+20.0 %");
    CHECK_CONTAINS(text, "Cores stood still 3 times, for 5.0 % of their time, the longest 7.00 ms");
    free(text);
    json_decref(measured);
    json_decref(predicted);
    json_decref(disturbed);
    free(spans);
}

static void test_two_columns_where_cores_are_not_told_apart(void) {
    fsim_live_spans *spans = calloc(FSIM_LIVE_PARTS, sizeof *spans);
    fsim_live_stalls stalls = {.known = false};
    fsim_live_account account = {
        .speed_up = 1, .parts = spans, .others = -1, .stolen = -1, .stalls = &stalls};
    json_t *measured = summary(0.012, 9), *predicted = summary(0.006, 9);
    char *text = NULL;
    size_t size = 0;
    REQUIRE(spans != NULL && fsim_live_report_add(measured, predicted, NULL, &account));
    const json_t *p99 = json_object_get(json_object_get(measured, "prediction"), "latency_s.p99");
    CHECK(json_is_null(json_object_get(p99, "with_stalls")));
    CHECK(json_is_null(json_object_get(p99, "error_with_stalls")));
    FILE *out = open_memstream(&text, &size);
    REQUIRE(out != NULL);
    fsim_live_report_print(measured, &account, out);
    fclose(out);
    CHECK(strstr(text, "stalls") == NULL && strstr(text, "stood still") == NULL);
    free(text);
    json_decref(measured);
    json_decref(predicted);
    free(spans);
}

int main(void) {
    RUN(test_three_columns);
    RUN(test_two_columns_where_cores_are_not_told_apart);
    return check_done();
}
