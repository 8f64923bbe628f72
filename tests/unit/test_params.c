#include "base/params.h"

#include "support/check.h"

#include <stddef.h>

typedef struct sample_params {
    fsim_ns window_ns, limit_ns;
    fsim_dist delay, idle;
    int64_t count, most, fleet, bytes, pool;
    double share;
    bool on;
    int order;
} sample_params;

static const char *const orders[] = {"newest", "oldest", NULL};

#define ROW(field, kind_of, ...)                                                                             \
    {                                                                                                        \
        .name = #field, .kind = kind_of, .offset = offsetof(sample_params, field),                           \
        .help = "what " #field " is", .fallback = __VA_ARGS__                                                \
    }

static const fsim_param table[] = {
    ROW(window_ns, FSIM_PARAM_SPAN, "60s", .min = 6, .max = 3600),
    ROW(limit_ns, FSIM_PARAM_SPAN, "none", .off = true),
    ROW(delay, FSIM_PARAM_DIST, "250ms", .min = 0, .max = 10),
    ROW(idle, FSIM_PARAM_DIST, "none", .off = true),
    ROW(count, FSIM_PARAM_COUNT, "3", .min = 1, .max = 1000, .unit = "requests"),
    ROW(most, FSIM_PARAM_COUNT, "null", .off = true),
    ROW(fleet, FSIM_PARAM_COUNT, "peak", .min = 1, .max = 10, .word = "peak"),
    ROW(bytes, FSIM_PARAM_SIZE, "1.5GB"),
    ROW(pool, FSIM_PARAM_SIZE, "none", .off = true),
    ROW(share, FSIM_PARAM_REAL, "0.25", .min = 0, .max = INFINITY),
    ROW(on, FSIM_PARAM_BOOL, "true"),
    ROW(order, FSIM_PARAM_CHOICE, "oldest", .choices = orders),
    {0}};

static fsim_value_pool *pool;
static sample_params params;
static fsim_error err;

/* Reads an object with one key, given as --set would. */
static fsim_status read_one(const char *key, const char *text) {
    fsim_value *root = fsim_value_new(pool, FSIM_VALUE_OBJECT, "t.json");
    params = (sample_params){0};
    err = (fsim_error){0};
    REQUIRE(fsim_value_set(pool, root, key, text, "t.json", &err) == FSIM_OK);
    return fsim_params_read(&params, table, pool, root, NULL, &err);
}

static void refuse(const char *key, const char *text, const char *message) {
    check_context("%s=%s", key, text);
    CHECK_EQ_INT(read_one(key, text), FSIM_ECONFIG);
    CHECK_EQ_STR(err.text, message);
}

static void test_fallbacks(void) {
    CHECK_EQ_INT(fsim_params_read(&params, table, pool, NULL, NULL, &err), FSIM_OK);
    CHECK_EQ_INT(params.window_ns, 60 * FSIM_SECOND);
    CHECK_EQ_INT(params.limit_ns, FSIM_NEVER);
    CHECK_EQ_INT(params.delay.constant_ns, 250 * FSIM_MS);
    CHECK_EQ_INT(params.idle.constant_ns, FSIM_NEVER);
    CHECK_EQ_INT(params.count, 3);
    CHECK_EQ_INT(params.most, INT64_MAX);
    CHECK_EQ_INT(params.fleet, FSIM_PARAM_WORD);
    CHECK_EQ_INT(params.bytes, INT64_C(3) << 29);
    CHECK_EQ_INT(params.pool, INT64_MAX);
    CHECK_NEAR(params.share, 0.25, 0);
    CHECK(params.on);
    CHECK_EQ_INT(params.order, 1);
}

static void test_values(void) {
    CHECK_EQ_INT(read_one("window_ns", "6s"), FSIM_OK);
    CHECK_EQ_INT(params.window_ns, 6 * FSIM_SECOND);
    CHECK_EQ_INT(read_one("limit_ns", "0"), FSIM_OK);
    CHECK_EQ_INT(params.limit_ns, 0);
    CHECK_EQ_INT(read_one("delay", "1.5s"), FSIM_OK);
    CHECK_EQ_INT(params.delay.constant_ns, 1500 * FSIM_MS);
    CHECK_EQ_INT(read_one("fleet", "7"), FSIM_OK);
    CHECK_EQ_INT(params.fleet, 7);
    CHECK_EQ_INT(read_one("bytes", "64MB"), FSIM_OK);
    CHECK_EQ_INT(params.bytes, INT64_C(64) << 20);
    CHECK_EQ_INT(read_one("on", "false"), FSIM_OK);
    CHECK(!params.on);
    CHECK_EQ_INT(read_one("order", "newest"), FSIM_OK);
    CHECK_EQ_INT(params.order, 0);
    CHECK_EQ_INT(read_one("name", "sample"), FSIM_OK);
}

static void test_ranges_are_inclusive(void) {
    CHECK_EQ_INT(read_one("window_ns", "1h"), FSIM_OK);
    refuse("window_ns", "5999ms",
           "5999ms is out of range: \"window_ns\" (what window_ns is) is from 6s to 1h");
    refuse("delay", "11s", "11s is out of range: \"delay\" (what delay is) is from 0s to 10s");
    refuse("count", "0", "0 is out of range: \"count\" (what count is) is from 1 to 1000 requests");
    refuse("share", "-0.5", "-0.5 is out of range: \"share\" (what share is) is at least 0");
    CHECK_EQ_STR(err.place, "t.json#/share");
}

static void test_wrong_kinds(void) {
    refuse("window_ns", "10", "found the number 10, expected a span with its unit, such as \"10s\"");
    refuse("window_ns", "none", "found the string \"none\", expected a span such as \"250ms\" or \"10m\"");
    refuse("fleet", "pique", "found the string \"pique\", expected a whole number or \"peak\"");
    refuse("order", "oldst", "unknown order \"oldst\"; did you mean \"oldest\"?");
    CHECK_EQ_INT(read_one("on", "1"), FSIM_ECONFIG);
    CHECK_EQ_INT(read_one("count", "1.5"), FSIM_ECONFIG);
    CHECK_EQ_INT(read_one("bytes", "12"), FSIM_ECONFIG);
}

static void test_unknown_keys(void) {
    refuse("windw_ns", "10s", "unknown key \"windw_ns\"; did you mean \"window_ns\"?");
}

static void test_required(void) {
    static const fsim_param required[] = {ROW(count, FSIM_PARAM_COUNT, NULL, .unit = "requests"), {0}};
    fsim_value *root = fsim_value_new(pool, FSIM_VALUE_OBJECT, "t.json");
    err = (fsim_error){0};
    CHECK_EQ_INT(fsim_params_read(&params, required, pool, root, NULL, &err), FSIM_ECONFIG);
    CHECK_EQ_STR(err.text, "key \"count\" is missing");
    err = (fsim_error){0};
    CHECK_EQ_INT(fsim_params_read(&params, required, pool, NULL, NULL, &err), FSIM_ECONFIG);
    CHECK_EQ_STR(err.text, "\"count\" (what count is) is missing");
}

/* What fill writes is what read would have taken, and what was said stays. */
static void test_fill(void) {
    fsim_value *root = fsim_value_new(pool, FSIM_VALUE_OBJECT, "t.json");
    REQUIRE(fsim_value_set(pool, root, "count", "9", "t.json", &err) == FSIM_OK);
    fsim_params_fill(table, pool, root);
    CHECK_EQ_INT(root->count, sizeof table / sizeof table[0] - 1);
    CHECK_EQ_STR(fsim_value_get(root, "window_ns")->string, "60s");
    CHECK_EQ_STR(fsim_value_get(root, "window_ns")->origin, "default");
    CHECK_EQ_STR(fsim_value_get(root, "count")->origin, "t.json");
    CHECK_EQ_INT(fsim_params_read(&params, table, pool, root, NULL, &err), FSIM_OK);
    CHECK_EQ_INT(params.count, 9);
    CHECK_EQ_INT(params.fleet, FSIM_PARAM_WORD);
}

int main(void) {
    pool = fsim_value_pool_create();
    RUN(test_fallbacks);
    RUN(test_values);
    RUN(test_ranges_are_inclusive);
    RUN(test_wrong_kinds);
    RUN(test_unknown_keys);
    RUN(test_required);
    RUN(test_fill);
    fsim_value_pool_destroy(pool);
    return check_done();
}
