/* The published samples, where they stand beside the clone: their sums and statistics as others computed them
 * (and as papers about these traces report them). Skipped by name where a sample is not there. */
#include "support/check.h"
#include "trace/inspect.h"

#include <unistd.h>

static const char folder[] = "../shared/traces";

static void inspect(fsim_inspection *out, const char *name) {
    char path[512];
    const char *const paths[] = {path};
    fsim_trace_options options;
    fsim_trace *trace = NULL;
    fsim_error err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (access(path, R_OK) != 0) {
        printf("%s: ", path);
        SKIP("the sample is not there");
    }
    fsim_trace_options_default(&options);
    fsim_status status = fsim_trace_open(&trace, &options, NULL, paths, 1, &err);
    if (status == FSIM_OK) {
        status = fsim_trace_buckets(trace) != NULL ? fsim_inspect_buckets(out, trace, &err)
                                                   : fsim_inspect_rows(out, trace, &err);
    }
    fsim_trace_close(trace);
    CHECK_EQ_STR(err.text, "");
    REQUIRE(status == FSIM_OK);
}

static void test_azure2019(void) {
    fsim_inspection i;
    inspect(&i, "azure2019_d01_400");
    CHECK_EQ_STR(i.format, "azure-2019");
    CHECK_EQ_INT(i.functions, 400);
    CHECK_EQ_INT(i.invocations, 18452673);
    CHECK_NEAR(i.span_s, 86400, 0);
    CHECK_NEAR(i.mean_per_min, 12814, 0.5);
    CHECK_NEAR(i.peak_per_min, 24242, 0);
    CHECK_NEAR(i.share_below_1_per_min, 0.870, 0.0005);
    CHECK_NEAR(i.share_at_most_1_per_hour, 0.482, 0.0006);
    CHECK_NEAR(i.iat_cv[0], 0.17, 0.01);
    CHECK_NEAR(i.iat_cv[1], 0.90, 0.03);
    CHECK_NEAR(i.iat_cv[2], 2.02, 0.05);
    CHECK_NEAR(i.iat_cv[3], 5.0, 0.1);
    CHECK_NEAR(i.duration_s[0], 0.542, 0.001);
    CHECK_NEAR(i.duration_s[1], 17.935, 0.001);
    CHECK_NEAR(i.duration_s[2], 241.294, 0.001);
    CHECK_NEAR(i.duration_mean_s, 0.163, 0.0005);
    CHECK_NEAR(i.memory_mb[0], 176, 0.51);
    CHECK_NEAR(i.memory_mb[1], 446, 0.51);
    CHECK_EQ_INT(i.facts.count_differs, 70); /* 82.5 % of 400 agree */
    static const struct {
        const char *name;
        uint64_t functions;
        double percent; /* of the requests */
    } triggers[] = {{"http", 148, 14},        {"timer", 117, 1.2}, {"queue", 73, 23},
                    {"orchestration", 45, 0}, {"storage", 9, 0},   {"event", 8, 61}};
    REQUIRE(i.trigger_count == sizeof triggers / sizeof triggers[0]);
    for (uint32_t t = 0; t < i.trigger_count; t++) {
        CHECK_EQ_STR(i.triggers[t].name, triggers[t].name);
        CHECK_EQ_INT(i.triggers[t].functions, triggers[t].functions);
        CHECK_NEAR(100 * (double)i.triggers[t].invocations / 18452673, triggers[t].percent, 0.5);
    }
}

static void test_azure2021(void) {
    fsim_inspection i;
    inspect(&i, "azure2021_sample/azure2021_998.csv");
    CHECK_EQ_INT(i.functions, 49);
    CHECK_EQ_INT(i.invocations, 998);
    CHECK_NEAR(i.span_s, 6465, 0.5);
    CHECK_NEAR(i.mean_per_min, 9.3, 0.05);
    CHECK_NEAR(i.peak_per_min, 53, 0);
    CHECK_NEAR(i.iat_cv[1], 0.0017, 0.0001);
    CHECK_NEAR(i.iat_cv[2], 0.55, 0.005);
    CHECK_NEAR(i.iat_cv[3], 3.5, 0.05);
    CHECK_NEAR(i.duration_s[0], 0.25, 0.0005);
    CHECK_NEAR(i.duration_s[1], 48.6, 0.05);
    CHECK_NEAR(i.duration_s[2], 351, 0.5);
    CHECK_NEAR(i.duration_mean_s, 24.8, 0.05);
}

static void test_huawei_arrivals(void) {
    fsim_inspection i;
    inspect(&i, "huawei2025/requests_one_function_3000.csv");
    CHECK_EQ_INT(i.invocations, 3000);
    CHECK_NEAR(i.span_s, 432.8, 0.05);
    CHECK_NEAR(i.mean_per_min / 60, 6.93, 0.005);
    CHECK_NEAR(i.iat_cv[1], 1.13, 0.005);
}

static void test_huawei_rows(void) {
    fsim_inspection i;
    inspect(&i, "huawei2025/example_request_rows.csv");
    CHECK_EQ_STR(i.format, "huawei-2025-requests");
    CHECK_EQ_INT(i.invocations, 10);
    CHECK_NEAR(i.memory_mb[0], 128, 0);
    inspect(&i, "huawei2025/example_cold_start_rows.csv");
    CHECK_EQ_STR(i.format, "huawei-2025-cold-starts");
    CHECK_EQ_INT(i.invocations, 10);
}

static void test_metro(void) {
    fsim_inspection i;
    inspect(&i, "metro_interstate");
    CHECK_NEAR((double)i.invocations, 133.5e6, 0.05e6);
    CHECK_NEAR(i.mean_per_min * 60, 3291, 0.5); /* over the hours that are there */
    CHECK_NEAR(i.peak_per_min * 60, 7280, 0.001);
    CHECK_EQ_INT((int64_t)(i.span_s / 3600) - (int64_t)i.facts.buckets_missing, 40575);
    CHECK_EQ_INT(i.facts.drops[0].rows, 48204 - 40575);
}

static void test_worldcup(void) {
    fsim_inspection i;
    inspect(&i, "worldcup98");
    CHECK_EQ_INT(i.invocations, 1352804107);
    CHECK_NEAR(i.peak_per_min, 229426, 0);
    CHECK_NEAR(i.mean_per_min, 10796, 0.6);
    CHECK_EQ_INT(i.facts.buckets_missing, 10);
}

int main(void) {
    RUN(test_azure2019);
    RUN(test_azure2021);
    RUN(test_huawei_arrivals);
    RUN(test_huawei_rows);
    RUN(test_metro);
    RUN(test_worldcup);
    return check_done();
}
