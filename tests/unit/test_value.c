/* The configuration tree: lookups, errors with their places, overlays, --set, unknown keys. */
#include "base/value.h"

#include "io/json_reader.h"
#include "support/check.h"

static fsim_value_pool *pool;
static fsim_error err;

static fsim_value *parse(const char *text) {
    fsim_value *root = NULL;
    err = (fsim_error){0};
    if (fsim_json_read_text(pool, text, "a.json", &root, &err) != FSIM_OK) {
        return NULL;
    }
    return root;
}

static void test_typed_getters(void) {
    static const char *const kinds[] = {"none", "ps", "linear", NULL};
    const fsim_value *v =
        parse("{\"b\":true,\"i\":12,\"w\":1e6,\"r\":0.5,\"s\":\"x\",\"t\":\"1.5s\",\"z\":\"128MB\","
              "\"off\":null,\"zero\":0,\"k\":\"ps\"}");
    bool b = false;
    int64_t i = 0;
    double r = 0;
    const char *s = NULL;
    fsim_ns ns = 0;
    int kind = -1;
    CHECK_EQ_INT(fsim_value_get_bool(v, "b", &b, &err), FSIM_OK);
    CHECK(b);
    CHECK_EQ_INT(fsim_value_get_i64(v, "i", 0, 12, &i, &err), FSIM_OK);
    CHECK_EQ_INT(i, 12);
    CHECK_EQ_INT(fsim_value_get_i64(v, "w", 0, INT64_MAX, &i, &err), FSIM_OK);
    CHECK_EQ_INT(i, 1000000);
    CHECK_EQ_INT(fsim_value_get_real(v, "r", 0, 1, &r, &err), FSIM_OK);
    CHECK_NEAR(r, 0.5, 0);
    CHECK_EQ_INT(fsim_value_get_string(v, "s", &s, &err), FSIM_OK);
    CHECK_EQ_STR(s, "x");
    CHECK_EQ_INT(fsim_value_get_span(v, "t", false, &ns, &err), FSIM_OK);
    CHECK_EQ_INT(ns, 1500 * FSIM_MS);
    CHECK_EQ_INT(fsim_value_get_span(v, "off", true, &ns, &err), FSIM_OK);
    CHECK_EQ_INT(ns, FSIM_NEVER);
    CHECK_EQ_INT(fsim_value_get_span(v, "zero", false, &ns, &err), FSIM_OK);
    CHECK_EQ_INT(ns, 0);
    CHECK_EQ_INT(fsim_value_get_size(v, "z", &i, &err), FSIM_OK);
    CHECK_EQ_INT(i, INT64_C(128) << 20);
    CHECK_EQ_INT(fsim_value_get_mb(v, "z", 1, 128, &i, &err), FSIM_OK);
    CHECK_EQ_INT(i, 128);
    CHECK_EQ_INT(fsim_value_get_mb(v, "i", 1, 128, &i, &err), FSIM_OK);
    CHECK_EQ_INT(i, 12);
    CHECK_EQ_INT(fsim_value_get_enum(v, "k", kinds, &kind, &err), FSIM_OK);
    CHECK_EQ_INT(kind, 1);
    i = 77;
    CHECK_EQ_INT(fsim_value_get_i64(v, "absent", 0, 1, &i, &err), FSIM_OK);
    CHECK_EQ_INT(i, 77);
    CHECK_EQ_INT(fsim_value_check_used(v, NULL, &err), FSIM_OK);
}

static void test_errors_name_the_place(void) {
    int64_t i;
    fsim_ns ns;
    const fsim_value *v = parse("{\"policy\":{\"a/b\":[{\"window\":5}]}}");
    const fsim_value *item = fsim_value_at(v, "policy.a/b")->first;
    CHECK_EQ_INT(fsim_value_get_span(item, "window", false, &ns, &err), FSIM_ECONFIG);
    CHECK_EQ_STR(err.place, "a.json#/policy/a~1b/0/window");
    CHECK_EQ_STR(err.text, "found the number 5, expected a span with its unit, such as \"5s\"");
    v = parse("{\"n\":-1}");
    CHECK_EQ_INT(fsim_value_get_i64(v, "n", 0, 10, &i, &err), FSIM_ECONFIG);
    CHECK_EQ_STR(err.text, "found the number -1, expected a whole number from 0 to 10");
    v = parse("{\"k\":\"pss\"}");
    static const char *const kinds[] = {"none", "ps", "linear", NULL};
    int kind;
    CHECK_EQ_INT(fsim_value_get_enum(v, "k", kinds, &kind, &err), FSIM_ECONFIG);
    CHECK_EQ_STR(err.text, "unknown k \"pss\"; did you mean \"ps\"?");
}

static void test_syntax_errors(void) {
    CHECK(parse("{\"a\": 1,\n \"b\": }") == NULL);
    CHECK_EQ_INT(err.status, FSIM_ECONFIG);
    CHECK(strncmp(err.place, "a.json:2:", 9) == 0);
    CHECK(parse("{\"a\": 1, \"a\": 2}") == NULL);
    CHECK(strstr(err.text, "duplicate") != NULL);
    CHECK(parse("") == NULL);
    CHECK(parse("{\"n\": 99999999999999999999}") == NULL);
    char deep[201];
    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    deep[200] = '\0';
    CHECK(parse(deep) == NULL);
    CHECK(strstr(err.text, "deeper") != NULL);
    fsim_value *root;
    err = (fsim_error){0};
    CHECK_EQ_INT(fsim_json_read_file(pool, "no/such/file.json", &root, &err), FSIM_EIO);
    err = (fsim_error){0};
    CHECK_EQ_INT(fsim_json_read_file(pool, "/", &root, &err), FSIM_EIO);
}

static void test_unknown_keys(void) {
    fsim_ns ns;
    const fsim_value *v = parse("{\"policy\":{\"keepalive\":{\"name\":\"fixed\",\"windw\":\"1s\"}}}");
    const fsim_value *keepalive = fsim_value_at(v, "policy.keepalive");
    const char *name = NULL;
    CHECK_EQ_INT(fsim_value_get_string(keepalive, "name", &name, &err), FSIM_OK);
    CHECK_EQ_INT(fsim_value_get_span(keepalive, "window", false, &ns, &err), FSIM_OK);
    CHECK_EQ_INT(fsim_value_check_used(v, NULL, &err), FSIM_ECONFIG);
    CHECK_EQ_STR(err.place, "a.json#/policy/keepalive/windw");
    CHECK_EQ_STR(err.text, "unknown key \"windw\"; did you mean \"window\"?");
    fsim_value_mark_used((fsim_value *)keepalive);
    CHECK_EQ_INT(fsim_value_check_used(v, NULL, NULL), FSIM_OK);

    static const char *const known[] = {"seed", NULL};
    v = parse("{\"sed\":1}");
    CHECK_EQ_INT(fsim_value_check_used(v, known, &err), FSIM_ECONFIG);
    CHECK_EQ_STR(err.text, "unknown key \"sed\"; did you mean \"seed\"?");
}

static void test_merge(void) {
    fsim_value *base =
        parse("{\"policy\":{\"bundle\":\"x\",\"keepalive\":{\"name\":\"fixed\",\"window\":\"1s\"},"
              "\"routing\":{\"name\":\"random\"}},\"list\":[1,2]}");
    const fsim_value *over =
        parse("{\"policy\":{\"keepalive\":{\"window\":\"2s\"},\"routing\":{\"name\":\"oldest_idle\","
              "\"x\":1}},\"list\":[3]}");
    fsim_value_merge(pool, base, over);
    CHECK_EQ_STR(fsim_value_at(base, "policy.keepalive.window")->string, "2s");
    CHECK_EQ_STR(fsim_value_at(base, "policy.keepalive.name")->string, "fixed");
    CHECK_EQ_STR(fsim_value_at(base, "policy.routing.name")->string, "oldest_idle");
    CHECK_EQ_INT((int64_t)fsim_value_at(base, "list")->count, 1);

    const fsim_value *another = parse("{\"policy\":{\"keepalive\":{\"name\":\"lru\",\"memory\":\"1GB\"}}}");
    fsim_value_merge(pool, base, another);
    CHECK(fsim_value_at(base, "policy.keepalive.window") == NULL);
    CHECK_EQ_STR(fsim_value_at(base, "policy.keepalive.memory")->string, "1GB");

    base = parse("{\"cold_start\":{\"dist\":\"constant\",\"value\":\"1s\"}}");
    fsim_value_merge(pool, base, parse("{\"cold_start\":{\"phases\":{\"pull\":\"1s\"}}}"));
    CHECK(fsim_value_at(base, "cold_start.dist") == NULL);
}

static void test_set(void) {
    fsim_value *v =
        parse("{\"functions\":[{\"name\":\"a.b\",\"memory_mb\":1},{\"name\":\"resize\"}],\"policy\":"
              "{\"keepalive\":{\"name\":\"fixed\",\"window\":\"1s\"}},\"platform\":{\"queue\":null}}");
    CHECK_EQ_INT(fsim_value_set(pool, v, "functions.a.b.memory_mb", "256", "--set", &err), FSIM_OK);
    CHECK_EQ_INT(fsim_value_peek(fsim_value_peek(v, "functions")->first, "memory_mb")->integer, 256);
    CHECK_EQ_INT(fsim_value_set(pool, v, "functions[1].service.mean", "20ms", "--set", &err), FSIM_OK);
    CHECK_EQ_STR(fsim_value_at(fsim_value_peek(v, "functions")->last, "service.mean")->string, "20ms");
    CHECK_EQ_INT(fsim_value_set(pool, v, "platform.queue.capacity", "100", "--set", &err), FSIM_OK);
    CHECK_EQ_INT(fsim_value_at(v, "platform.queue.capacity")->integer, 100);
    CHECK_EQ_STR(fsim_value_at(v, "platform.queue.capacity")->origin, "--set");
    CHECK_EQ_INT(fsim_value_set(pool, v, "platform.queue", "null", "--set", &err), FSIM_OK);
    CHECK_EQ_INT(fsim_value_at(v, "platform.queue")->kind, FSIM_VALUE_NULL);
    CHECK_EQ_INT(fsim_value_set(pool, v, "run.probability", "0.25", "--set", &err), FSIM_OK);
    CHECK_NEAR(fsim_value_at(v, "run.probability")->real, 0.25, 0);
    CHECK_EQ_INT(fsim_value_set(pool, v, "policy.keepalive.name", "lru", "--set", &err), FSIM_OK);
    CHECK(fsim_value_at(v, "policy.keepalive.window") == NULL);

    /* A span stands for a distribution, and gives way to one; one form of a cold start to another. */
    CHECK_EQ_INT(fsim_value_set(pool, v, "run.wait", "1s", "--set", &err), FSIM_OK);
    CHECK_EQ_INT(fsim_value_set(pool, v, "run.wait.mean", "2s", "--set", &err), FSIM_OK);
    CHECK_EQ_INT(fsim_value_set(pool, v, "run.wait.dist", "exponential", "--set", &err), FSIM_OK);
    CHECK_EQ_STR(fsim_value_peek(fsim_value_peek(fsim_value_peek(v, "run"), "wait"), "mean")->string, "2s");
    CHECK_EQ_INT(fsim_value_set(pool, v, "run.wait.phases.pull", "3s", "--set", &err), FSIM_OK);
    CHECK(fsim_value_peek(fsim_value_peek(fsim_value_peek(v, "run"), "wait"), "dist") == NULL);
    CHECK_EQ_INT(fsim_value_set(pool, v, "run.wait.dist", "hyperexponential", "--set", &err), FSIM_OK);
    CHECK_EQ_INT(fsim_value_set(pool, v, "run.wait.phases[0].p", "1", "--set", &err), FSIM_OK);
    CHECK(fsim_value_peek(fsim_value_peek(fsim_value_peek(v, "run"), "wait"), "dist") != NULL);
    CHECK_EQ_INT(fsim_value_set(pool, v, "functions.rezise.x", "1", "--set", &err), FSIM_ECONFIG);
    CHECK_EQ_STR(err.place, "--set");
    CHECK_EQ_STR(err.text, "functions.rezise.x: no element is named \"rezise\"; did you mean \"resize\"?");
    err = (fsim_error){0};
    CHECK_EQ_INT(fsim_value_set(pool, v, "functions[7].x", "1", "--set", &err), FSIM_ECONFIG);
    CHECK_EQ_INT(fsim_value_set(pool, v, "functions[x]", "1", "--set", NULL), FSIM_ECONFIG);
    CHECK_EQ_INT(fsim_value_set(pool, v, "", "1", "--set", NULL), FSIM_ECONFIG);
    CHECK_EQ_INT(fsim_value_set(pool, v, "a..b", "1", "--set", NULL), FSIM_ECONFIG);
    CHECK_EQ_INT(fsim_value_set(pool, v, "run.probability.x", "1", "--set", NULL), FSIM_ECONFIG);
}

int main(void) {
    pool = fsim_value_pool_create();
    RUN(test_typed_getters);
    RUN(test_errors_name_the_place);
    RUN(test_syntax_errors);
    RUN(test_unknown_keys);
    RUN(test_merge);
    RUN(test_set);
    fsim_value_pool_destroy(pool);
    return check_done();
}
