/* Expressions over a summary, and what is said about a wrong one. */
#include "report/summary_json.h"
#include "report/summary_path_json.h"
#include "support/check.h"

static json_t *document(void) {
    json_error_t error;
    json_t *d = json_loads("{\"requests\": {\"arrived\": 1000, \"rejected_429\": 10, \"rejected_503\": 5},"
                           " \"latency_s\": {\"mean\": 0.5, \"p99\": 0.021, \"exceed\": [0.25, 0.125]},"
                           " \"functions\": {\"a\": {\"n\": 1}, \"a-b\": {\"n\": 2}, \"a.b\": {\"n\": 3},"
                           "   \"x y\": {\"n\": 4}, \"3rd\": {\"n\": 5}},"
                           " \"bills\": [{\"book\": \"phase1\", \"total\": \"12.50\"},"
                           "   {\"book\": \"aws-lambda.us-east-1.arm\", \"total\": \"0.75\"}],"
                           " \"windows\": [{\"cold\": 300}, {\"cold\": 200}]}",
                           0, &error);
    REQUIRE(d != NULL);
    return d;
}

static const struct {
    const char *text;
    double value;
} good[] = {
    {"1", 1},
    {" 1 + 2 * 3 ", 7},
    {"(1 + 2) * 3", 9},
    {"2 - 3 - 4", -5},
    {"12 / 3 / 2", 2},
    {"-2 * -3", 6},
    {"--1", 1},
    {"1e-3", 0.001},
    {"1e3 - 1", 999},
    {".5", 0.5},
    {"20ms", 0.02},
    {"1.5m", 90},
    {"requests.arrived", 1000},
    {"(requests.rejected_429 + requests.rejected_503) / requests.arrived", 0.015},
    {"latency_s.mean - 1", -0.5},
    {"latency_s.mean-1", -0.5},
    {"latency_s.exceed[1]", 0.125},
    {"windows[0].cold-windows[1].cold", 100},
    {"functions.a.n", 1},
    {"functions.a-b.n", 2},
    {"functions.a.b.n", 3},
    {"functions[\"x y\"].n", 4},
    {"functions[\"a-b\"].n", 2},
    {"functions.3rd.n", 5},
    {"functions.a.n-functions.a-b.n", -1},
    {"bills[0].total * 2", 25},
    {"bills.phase1.total", 12.5},
    {"bills.aws-lambda.us-east-1.arm.total", 0.75},
    {"latency_s.p99 > 0.02", 1},
    {"latency.p99_s>0.02", 1},
    {"latency.p99_s > 25ms", 0},
    {"latency.p99 < 25ms", 1},
    {"requests.arrived == 1000", 1},
    {"requests.arrived != 1000", 0},
    {"requests.arrived >= 1000", 1},
    {"requests.arrived <= 999", 0},
    {"(requests.arrived > 1) + (requests.arrived > 2)", 2},
};

static void test_values(void) {
    json_t *d = document();
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        fsim_error err = {0};
        double value = NAN;
        check_context("%s", good[i].text);
        CHECK_EQ_INT(fsim_summary_eval(d, good[i].text, &value, &err), FSIM_OK);
        CHECK_EQ_STR(err.text, "");
        CHECK_NEAR(value, good[i].value, 1e-12);
    }
    json_decref(d);
}

static const struct {
    const char *text, *message;
} bad[] = {
    {"", "ends where"},
    {"1 +", "ends where"},
    {"(1", "expected ')'"},
    {"1 2", "unexpected '2' at column 3"},
    {"1 = 1", "unexpected '= 1'"},
    {"latency_s.p98", "did you mean 'p99'?"},
    {"latencies.p99", "unknown key 'latencies'"},
    {"request.arrived", "did you mean 'requests'?"},
    {"requests.arrived_s", "did you mean 'arrived'?"},
    {"requests", "is no number"},
    {"requests.arrived.x", "below a value that has no keys"},
    {"windows[2].cold", "has 2 elements"},
    {"windows[-1].cold", "expected a number and ']'"},
    {"windows[0", "expected a number and ']'"},
    {"requests[0]", "is no array"},
    {"functions[\"nobody\"].n", "unknown key 'nobody'"},
    {"functions[\"a", "expected \"name\"]"},
    {"1 / (2 - 2)", "division by zero"},
    {"20parsecs", "a span such as 20ms"},
    {"1.2.3", "expected a number"},
    {"1e300 * 1e300", "out of range"},
    {"?", "unknown key '?'"},
};

static void test_errors(void) {
    json_t *d = document();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fsim_error err = {0};
        double value = 7;
        check_context("%s", bad[i].text);
        CHECK_EQ_INT(fsim_summary_eval(d, bad[i].text, &value, &err), FSIM_ECONFIG);
        CHECK_CONTAINS(err.text, bad[i].message);
        CHECK_EQ_STR(err.place, bad[i].text);
        CHECK(value == 7);
    }
    json_decref(d);
}

static void test_nesting_is_bounded(void) {
    json_t *d = document();
    char text[20001];
    double value;
    memset(text, '(', 20000);
    text[20000] = '\0';
    CHECK_EQ_INT(fsim_summary_eval(d, text, &value, NULL), FSIM_ECONFIG);
    memset(text, '-', 20000);
    CHECK_EQ_INT(fsim_summary_eval(d, text, &value, NULL), FSIM_ECONFIG);
    json_decref(d);
}

static void test_find(void) {
    json_t *d = document();
    CHECK(fsim_summary_number(d, "windows[%d].cold", 1) == 200);
    CHECK(fsim_summary_number(d, "windows[%d].cold", 9) == 0);
    CHECK_EQ_STR(fsim_summary_text(d, "bills[%d].book", 0), "phase1");
    CHECK_EQ_STR(fsim_summary_text(d, "nothing"), "");
    CHECK_EQ_INT(fsim_summary_size(d, "bills"), 2);
    CHECK_EQ_INT(fsim_summary_size(d, "functions"), 5);
    CHECK(fsim_summary_find(d, "requests.arrived trailing") == NULL);
    json_decref(d);
}

int main(void) {
    RUN(test_values);
    RUN(test_errors);
    RUN(test_nesting_is_bounded);
    RUN(test_find);
    return check_done();
}
