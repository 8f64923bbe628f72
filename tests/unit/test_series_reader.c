/* Metric series: columns, clocks and forms that are read, and where each fault is reported. */
#include "io/series_reader.h"

#include "support/check.h"

#include <unistd.h>

static char csv_name[64], json_name[64];
static fsim_metric_series series;
static fsim_error err;

static fsim_status read_text(const char *name, const char *text, const fsim_series_options *options) {
    FILE *file = fopen(name, "wb");
    REQUIRE(file != NULL);
    fputs(text, file);
    fclose(file);
    fsim_metric_series_destroy(&series);
    err = (fsim_error){0};
    return fsim_series_read(&series, name, options, &err);
}

static fsim_status read_csv(const char *text) {
    const fsim_series_options options = {.value_is = FSIM_INPUT_QUEUE};
    return read_text(csv_name, text, &options);
}

static fsim_status read_json(const char *text) {
    const fsim_series_options options = {.value_is = FSIM_INPUT_QUEUE};
    return read_text(json_name, text, &options);
}

static void test_columns_in_any_order_and_case(void) {
    REQUIRE(read_csv("Ready,CPU_percent,time_s,in_flight\n2,80,10,5.5\n3,90.25,20,6\n") == FSIM_OK);
    CHECK_EQ_INT(series.rows, 2);
    CHECK_EQ_INT(series.at_ns[1], 20 * FSIM_SECOND);
    CHECK_NEAR(series.values[FSIM_INPUT_READY][1], 3, 0);
    CHECK_NEAR(series.values[FSIM_INPUT_CPU][1], 90.25, 0);
    CHECK_NEAR(series.values[FSIM_INPUT_CONCURRENCY][0], 5.5, 0);
    CHECK(series.values[FSIM_INPUT_RPS] == NULL && !series.absolute[FSIM_INPUT_CPU]);
    CHECK_EQ_STR(fsim_metric_series_name(&series, FSIM_INPUT_CPU), "cpu");
}

static void test_units(void) {
    REQUIRE(read_csv("time_ms,cpu_share,memory_mb\n500,0.5,64\n1500,1,65\n") == FSIM_OK);
    CHECK_EQ_INT(series.at_ns[0], 500 * FSIM_MS);
    CHECK_NEAR(series.values[FSIM_INPUT_CPU][0], 50, 0);
    CHECK(series.absolute[FSIM_INPUT_MEMORY]);
    CHECK_EQ_STR(fsim_metric_series_name(&series, FSIM_INPUT_MEMORY), "memory_mb");
    REQUIRE(read_csv("time_s,cpu_cores\n0,3.5\n") == FSIM_OK);
    CHECK_EQ_STR(fsim_metric_series_name(&series, FSIM_INPUT_CPU), "cpu_cores");
}

static void test_clocks(void) {
    static const struct {
        const char *header, *cell;
        fsim_ns at_ns;
    } rows[] = {
        {"time", "2026-08-21T09:30:00.5Z", 1787304600500 * FSIM_MS},
        {"timestamp", "2026-08-21 11:30:00+02:00", 1787304600 * FSIM_SECOND},
        {"timestamp", "1787304600.25", 1787304600250 * FSIM_MS},
        {"timestamp", "1787304600250", 1787304600250 * FSIM_MS},
        {"time", "1787304600250000", 1787304600250 * FSIM_MS},
        {"time", "1787304600250000001", 1787304600250000001},
        {"time", "12.5", 12500 * FSIM_MS},
        {"timestamp_ms", "12.5", 12500 * FSIM_US},
        {"time_us", "7", 7 * FSIM_US},
        {"timestamp_ns", "7", 7},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, "%s,value\n%s,1\n", rows[i].header, rows[i].cell);
        check_context("%s %s", rows[i].header, rows[i].cell);
        REQUIRE(read_csv(text) == FSIM_OK);
        CHECK_EQ_INT(series.at_ns[0], rows[i].at_ns);
    }
}

static void test_counts_become_rates(void) {
    REQUIRE(read_csv("time_s,requests\n60,300\n120,600\n180,0\n") == FSIM_OK);
    CHECK_NEAR(series.values[FSIM_INPUT_RPS][0], 5, 0);
    CHECK_NEAR(series.values[FSIM_INPUT_RPS][1], 10, 0);
    CHECK_NEAR(series.values[FSIM_INPUT_RPS][2], 0, 0);
}

static void test_steps(void) {
    const char *jitter = "time_s,rps\n0,1\n1,1\n2.4,1\n3,1\n4,1\n";
    CHECK_EQ_INT(read_csv(jitter), FSIM_OK);
    const char *hole = "time_s,rps\n0,1\n1,1\n2,1\n3,1\n5,1\n6,1\n";
    CHECK_EQ_INT(read_csv(hole), FSIM_EDATA);
    CHECK_CONTAINS(err.place, ":6:1");
    CHECK_CONTAINS(err.text, "a gap: 2.00 s since the row before, and the series allows 1.50 s");
    fsim_series_options options = {.value_is = FSIM_INPUTS, .max_gap_ns = 2 * FSIM_SECOND};
    CHECK_EQ_INT(read_text(csv_name, hole, &options), FSIM_OK);
    options.max_gap_ns = 2 * FSIM_SECOND - 1;
    CHECK_EQ_INT(read_text(csv_name, hole, &options), FSIM_EDATA);
    options.max_gap_ns = FSIM_NEVER;
    CHECK_EQ_INT(read_text(csv_name, "time_s,rps\n0,1\n1,1\n100000,1\n", &options), FSIM_OK);
}

static void test_chosen_columns(void) {
    static const char *const columns[] = {"concurrency=my_gauge", "ready"};
    const fsim_series_options options = {.columns = columns, .column_count = 2, .value_is = FSIM_INPUTS};
    const char *text = "time_s,my_gauge,ready,rps,nonsense\n0,4,1,9,x\n";
    REQUIRE(read_text(csv_name, text, &options) == FSIM_OK);
    CHECK_NEAR(series.values[FSIM_INPUT_CONCURRENCY][0], 4, 0);
    CHECK(series.values[FSIM_INPUT_RPS] == NULL);
    CHECK_EQ_INT(read_text(csv_name, "time_s,my_gauge\n0,4\n", &options), FSIM_EDATA);
    CHECK_CONTAINS(err.text, "no column \"ready\"");
    static const char *const misspelt[] = {"concurency=x"};
    const fsim_series_options wrong = {.columns = misspelt, .column_count = 1};
    CHECK_EQ_INT(read_text(csv_name, text, &wrong), FSIM_EUSAGE);
    CHECK_CONTAINS(err.text, "did you mean \"concurrency\"");
}

#define MATRIX(result) "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[" result "]}}"

static void test_prometheus(void) {
    REQUIRE(read_json(MATRIX("{\"metric\":{\"__name__\":\"concurrency\",\"job\":\"ready\"},"
                             "\"values\":[[1787304600,\"1\"],[1787304615.123,\"2.5\"]]},"
                             "{\"metric\":{\"__name__\":\"kube_pods\",\"state\":\"ready\"},"
                             "\"values\":[[1787304600,\"3\"],[1787304615.123,\"4\"]]}")) == FSIM_OK);
    CHECK_EQ_INT(series.rows, 2);
    CHECK_EQ_INT(series.at_ns[1], 1787304615123 * FSIM_MS);
    CHECK_NEAR(series.values[FSIM_INPUT_CONCURRENCY][1], 2.5, 0);
    CHECK_NEAR(series.values[FSIM_INPUT_READY][0], 3, 0);
    REQUIRE(read_json(MATRIX("{\"metric\":{\"pod\":\"a\"},\"values\":[[7,\"1\"]]}")) == FSIM_OK);
    CHECK_NEAR(series.values[FSIM_INPUT_QUEUE][0], 1, 0);
}

static const struct {
    bool json;
    const char *text, *place, *says;
} refused[] = {
    {false, "time_s,concurency\n0,1\n", ":1:2", "did you mean \"concurrency\""},
    {false, "time_s,bananas\n0,1\n", ":1:2", "unknown column \"bananas\""},
    {false, "0,1\n1,2\n", ":1:1", "where the header line should be"},
    {false, "concurrency\n1\n", ":1:1", "no column of time"},
    {false, "time_s,time_ms,rps\n0,0,1\n", ":1:2", "another column of time"},
    {false, "time_s,rps,requests\n0,0,1\n", ":1:3", "another column of rps"},
    {false, "time_s,rps\n", ":2:1", "no row below the header"},
    {false, "time_s,rps\n0,1\n1,nan\n", ":3:2", "rps \"nan\" is no finite number"},
    {false, "time_s,rps\n0,1\n1,inf\n", ":3:2", "no finite number"},
    {false, "time_s,rps\n0,1\n1,-2\n", ":3:2", "is negative"},
    {false, "time_s,rps\n0,1\n1,\n", ":3:2", "is empty"},
    {false, "time_s,rps\n0,1\n1,2,3\n", ":3:3", "more fields"},
    {false, "time_s,rps\n0,1\n2,1\n1,1\n", ":4:1", "steps back"},
    {false, "time_s,rps\n0,1\n1,1\n1,1\n", ":4:1", "that of the row before"},
    {false, "time_s,rps\n-1,1\n", ":2:1", "no instant"},
    {false, "time_s,rps\n2026-01-01T00:00:00Z,1\n", ":2:1", "no instant"},
    {false, "time,rps\nyesterday,1\n", ":2:1", "expected 2026-08-21T09:30:00Z"},
    {false, "time_s,requests\n0,1\n", ":2:1", "one row alone"},
    {false, "time_s,cpu_share\n0,1e307\n", ":2:1", "cpu is too large"},
    {true, "{\"data\":", "", "end of file"},
    {true, "[1]", "", "Prometheus range query"},
    {true, "{\"data\":{\"resultType\":\"vector\",\"result\":[]}}", "#", "Prometheus range query"},
    {true, MATRIX(""), "#/data/result", "found no series"},
    {true, MATRIX("{\"values\":[[1,\"1\"]]}"), "#/data/result/0", "\"metric\""},
    {true, MATRIX("{\"metric\":{}}"), "#/data/result/0", "\"values\""},
    {true, MATRIX("{\"metric\":{},\"values\":[[1,1]]}"), "#/data/result/0/values/0", "a sample"},
    {true, MATRIX("{\"metric\":{},\"values\":[[1,\"NaN\"]]}"), "#/data/result/0/values/0/1", "no finite"},
    {true, MATRIX("{\"metric\":{},\"values\":[[1e300,\"1\"]]}"), "#/data/result/0/values/0/0", "Unix time"},
    {true, MATRIX("{\"metric\":{},\"values\":[[1,\"1\"],[2,\"1\"],[4,\"1\"]]}"), "#/data/result/0/values/2",
     "a gap"},
    {true,
     MATRIX("{\"metric\":{\"__name__\":\"concurency\"},\"values\":[[1,\"1\"]]},"
            "{\"metric\":{\"__name__\":\"rps\"},\"values\":[[1,\"1\"]]}"),
     "#/data/result/0", "did you mean \"concurrency\""},
    {true,
     MATRIX("{\"metric\":{\"__name__\":\"rps\",\"pod\":\"a\"},\"values\":[[1,\"1\"]]},"
            "{\"metric\":{\"__name__\":\"rps\",\"pod\":\"b\"},\"values\":[[1,\"1\"]]}"),
     "#/data/result/1", "another column of rps"},
    {true,
     MATRIX("{\"metric\":{\"__name__\":\"rps\"},\"values\":[[1,\"1\"],[2,\"1\"]]},"
            "{\"metric\":{\"__name__\":\"cpu\"},\"values\":[[1,\"1\"]]}"),
     "#/data/result/1/values", "ends before"},
    {true,
     MATRIX("{\"metric\":{\"__name__\":\"rps\"},\"values\":[[1,\"1\"],[2,\"1\"]]},"
            "{\"metric\":{\"__name__\":\"cpu\"},\"values\":[[1,\"1\"],[3,\"1\"]]}"),
     "#/data/result/1/values/1", "same instant"},
    {true, MATRIX("{\"metric\":{\"__name__\":\"time\"},\"values\":[[1,\"1\"]]},{}"), "#/data/result/0",
     "a series of \"time\""},
};

static void test_refused(void) {
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        check_context("%s", refused[i].text);
        fsim_status status = refused[i].json ? read_json(refused[i].text) : read_csv(refused[i].text);
        CHECK_EQ_INT(status, FSIM_EDATA);
        CHECK_CONTAINS(err.place, refused[i].json ? json_name : csv_name);
        CHECK_CONTAINS(err.place, refused[i].place);
        CHECK_CONTAINS(err.text, refused[i].says);
    }
    const fsim_series_options options = {.value_is = FSIM_INPUTS};
    CHECK_EQ_INT(read_text(csv_name, "time_s,value\n0,1\n", &options), FSIM_EDATA);
    CHECK_CONTAINS(err.text, "does not say of what");
    CHECK_EQ_INT(fsim_series_read(&series, "no-such-file.csv", &options, &err), FSIM_EIO);
}

int main(void) {
    snprintf(csv_name, sizeof csv_name, "test_series_%d.csv", (int)getpid());
    snprintf(json_name, sizeof json_name, "test_series_%d.json", (int)getpid());
    RUN(test_columns_in_any_order_and_case);
    RUN(test_units);
    RUN(test_clocks);
    RUN(test_counts_become_rates);
    RUN(test_steps);
    RUN(test_chosen_columns);
    RUN(test_prometheus);
    RUN(test_refused);
    fsim_metric_series_destroy(&series);
    unlink(csv_name);
    unlink(json_name);
    return check_done();
}
