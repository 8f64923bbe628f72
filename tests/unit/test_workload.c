/* Workloads around their sources: bounds, durations, closed populations, progress. */
#include "api/source_api.h"

#include "io/json_reader.h"
#include "support/check.h"

static fsim_value_pool *pool;
static fsim_arrivals batch;

/* "fn" and "f1" draw 1 s on average, "bare" has no service distribution. */
static fsim_function_table *make_table(void) {
    static const char *const names[] = {"fn", "f1", "bare"};
    fsim_function_table *table = fsim_function_table_create();
    fsim_value *law;
    fsim_json_read_text(pool, "{\"dist\":\"exponential\",\"mean\":\"1s\"}", "d.json", &law, NULL);
    for (int i = 0; i < 3; i++) {
        fsim_fn_spec spec = *fsim_function_table_template(table);
        fsim_fn_id id;
        spec.name = names[i];
        spec.has_service = i < 2;
        fsim_dist_read(&spec.service, pool, law, NULL, false, NULL);
        fsim_function_table_add(table, &spec, &id, NULL);
    }
    return table;
}

static fsim_workload *open_workload(const char *json, fsim_function_table *table, fsim_error *err) {
    fsim_value *config;
    fsim_workload *w = NULL;
    const fsim_source_context context = {.seed = 5, .path = "workload", .table = table, .pool = pool};
    *err = (fsim_error){0};
    if (fsim_json_read_text(pool, json, "w.json", &config, err) == FSIM_OK) {
        fsim_workload_open(&w, &context, config, err);
    }
    return w;
}

/* Sums over a whole workload. */
typedef struct totals {
    int64_t count, per_fn[3];
    fsim_ns last_ns;
    double service_s[3];
    uint64_t digest;
} totals;

static totals run(const char *json) {
    totals sum = {.digest = FSIM_HASH_START};
    fsim_error err;
    fsim_function_table *table = make_table();
    fsim_workload *w = open_workload(json, table, &err);
    if (w == NULL) {
        check_fail(__FILE__, __LINE__, "%s: %s", err.place, err.text);
        fsim_function_table_destroy(table);
        return sum;
    }
    while (fsim_workload_next(w, &batch, &err) == FSIM_OK && batch.count > 0) {
        for (uint32_t i = 0; i < batch.count; i++) {
            sum.count++;
            sum.per_fn[batch.fn[i]]++;
            sum.service_s[batch.fn[i]] += fsim_ns_to_s(batch.service_ns[i]);
            CHECK(batch.service_ns[i] >= 0);
        }
        sum.last_ns = batch.at_ns[batch.count - 1];
        sum.digest = fsim_hash_bytes(sum.digest, batch.at_ns, batch.count * sizeof batch.at_ns[0]);
        sum.digest = fsim_hash_bytes(sum.digest, batch.service_ns, batch.count * sizeof batch.service_ns[0]);
    }
    CHECK_EQ_INT(err.status, FSIM_OK);
    CHECK_NEAR(fsim_workload_progress(w), 1, 0);
    CHECK_EQ_INT(fsim_workload_next(w, &batch, &err), FSIM_OK); /* the end stays the end */
    CHECK_EQ_INT(batch.count, 0);
    fsim_workload_close(w);
    fsim_function_table_destroy(table);
    return sum;
}

static void test_bounds(void) {
    CHECK_EQ_INT(run("{\"source\":\"poisson\",\"rate\":10,\"requests\":5000}").count, 5000);
    CHECK_EQ_INT(run("{\"source\":\"poisson\",\"rate\":10,\"requests\":0}").count, 0);
    CHECK_EQ_INT(run("{\"source\":\"constant\",\"interval\":\"1s\",\"until\":\"2000s\"}").count, 2000);
    CHECK_EQ_INT(
        run("{\"source\":\"constant\",\"interval\":\"1s\",\"until\":\"2000s\",\"requests\":7}").count, 7);
    CHECK_EQ_INT(run("{\"source\":\"list\",\"arrivals\":[\"1s\",\"2s\",\"3s\"],\"until\":\"2s\"}").count, 2);
    totals t = run("{\"source\":\"superposition\",\"requests\":3000,\"of\":[{\"source\":\"constant\","
                   "\"interval\":\"1s\",\"requests\":"
                   "10},{\"source\":\"constant\",\"interval\":\"2s\",\"function\":\"f1\"}]}");
    CHECK_EQ_INT(t.count, 3000);
    CHECK_EQ_INT(t.per_fn[0], 10);
    CHECK_EQ_INT(t.last_ns, 5980 * FSIM_SECOND);
}

static void test_durations(void) {
    totals t = run("{\"source\":\"poisson\",\"rate\":10,\"requests\":100000,\"function\":\"f1\"}");
    CHECK_EQ_INT(t.per_fn[1], 100000);
    CHECK_NEAR(t.service_s[1] / 100000, 1, 0.02);
    t = run("{\"source\":\"list\",\"arrivals\":[{\"arrival\":\"1s\",\"duration\":\"30ms\",\"function\":"
            "\"bare\"}]}");
    CHECK_NEAR(t.service_s[2], 0.03, 0);

    fsim_error err;
    fsim_function_table *table = make_table();
    fsim_workload *w =
        open_workload("{\"source\":\"poisson\",\"rate\":1,\"function\":\"bare\"}", table, &err);
    REQUIRE(w != NULL);
    CHECK_EQ_INT(fsim_workload_next(w, &batch, &err), FSIM_ECONFIG);
    CHECK(strstr(err.text, "\"bare\"") != NULL && strstr(err.text, "\"service\"") != NULL);
    fsim_workload_close(w);
    fsim_function_table_destroy(table);
}

/* Faults are reported at their place in the whole document. */
static void test_places(void) {
    fsim_error err = {0};
    fsim_value *document;
    fsim_workload *w = NULL;
    fsim_function_table *table = make_table();
    const fsim_source_context context = {.seed = 5, .path = "workload", .table = table, .pool = pool};
    REQUIRE(fsim_json_read_text(pool, "{\"workload\":{\"source\":\"poisson\",\"rate\":-1}}", "w.json",
                                &document, NULL) == FSIM_OK);
    CHECK_EQ_INT(fsim_workload_open(&w, &context, fsim_value_peek(document, "workload"), &err), FSIM_ECONFIG);
    CHECK_EQ_STR(err.place, "w.json#/workload/rate");
    fsim_function_table_destroy(table);
}

/* The parts of a union draw from one stream for each function, in order of arrival. */
static void test_one_stream_for_all_parts(void) {
    totals list = run("{\"source\":\"list\",\"arrivals\":[\"1s\",\"2s\",\"3s\",\"4s\"]}");
    totals parts =
        run("{\"source\":\"superposition\",\"of\":[{\"source\":\"list\",\"arrivals\":[\"1s\",\"3s\"]},"
            "{\"source\":\"list\",\"arrivals\":[\"2s\",\"4s\"]}]}");
    CHECK(list.digest == parts.digest);
}

/* Another function in the workload changes neither the durations nor the arrivals of this one. */
static void test_common_random_numbers(void) {
    const char *alone =
        "{\"source\":\"superposition\",\"of\":[{\"source\":\"poisson\",\"rate\":5,\"requests\":4000}]}";
    const char *both =
        "{\"source\":\"superposition\",\"of\":[{\"source\":\"poisson\",\"rate\":5,\"requests\":4000},"
        "{\"source\":\"poisson\",\"rate\":50,\"requests\":40000,\"function\":\"f1\"}]}";
    totals one = run(alone), two = run(both);
    CHECK_EQ_INT(two.per_fn[0], 4000);
    CHECK_EQ_INT(two.per_fn[1], 40000);
    CHECK_NEAR(one.service_s[0], two.service_s[0], 0);
    CHECK(run(both).digest == two.digest);
}

/* At one instant the union keeps the order of the sources. */
static void test_union_order(void) {
    fsim_error err;
    fsim_function_table *table = make_table();
    fsim_workload *w =
        open_workload("{\"source\":\"superposition\",\"of\":["
                      "{\"source\":\"constant\",\"interval\":\"3s\",\"function\":\"f1\",\"requests\":2},"
                      "{\"source\":\"constant\",\"interval\":\"2s\",\"requests\":3},"
                      "{\"source\":\"list\",\"arrivals\":[\"1s\",{\"arrival\":\"6s\",\"count\":2}]}]}",
                      table, &err);
    REQUIRE(w != NULL);
    CHECK_EQ_INT(fsim_workload_next(w, &batch, &err), FSIM_OK);
    static const int64_t at_s[] = {1, 2, 3, 4, 6, 6, 6, 6};
    static const fsim_fn_id fn[] = {0, 0, 1, 0, 1, 0, 0, 0};
    CHECK_EQ_INT(batch.count, 8);
    for (uint32_t i = 0; i < 8; i++) {
        CHECK_EQ_INT(batch.at_ns[i], at_s[i] * FSIM_SECOND);
        CHECK_EQ_INT(batch.fn[i], fn[i]);
    }
    fsim_workload_close(w);
    fsim_function_table_destroy(table);
}

static void test_closed(void) {
    fsim_error err;
    const fsim_closed_plan *plans;
    fsim_function_table *table = make_table();
    fsim_workload *w = open_workload(
        "{\"source\":\"superposition\",\"until\":\"50s\",\"of\":["
        "{\"source\":\"closed\",\"users\":20,\"think\":\"9s\",\"requests\":100,\"function\":\"f1\"},"
        "{\"source\":\"constant\",\"interval\":\"2s\",\"requests\":3},"
        "{\"source\":\"closed\",\"users\":2,\"think\":{\"dist\":\"exponential\",\"mean\":\"1s\"}}]}",
        table, &err);
    REQUIRE(w != NULL);
    REQUIRE(fsim_workload_closed(w, &plans) == 2);
    CHECK_EQ_INT(plans[0].users, 20);
    CHECK_EQ_INT((int64_t)plans[0].requests_max, 100);
    CHECK_EQ_INT(plans[0].until_ns, 50 * FSIM_SECOND);
    CHECK_EQ_INT(plans[0].fn, 1);
    CHECK_EQ_STR(plans[0].path, "workload/of/0");
    CHECK_EQ_STR(plans[1].path, "workload/of/2");
    CHECK_EQ_INT(fsim_workload_next(w, &batch, &err), FSIM_OK);
    CHECK_EQ_INT(batch.count, 3);
    CHECK(!fsim_workload_is_endless(w));
    fsim_workload_close(w);
    w = open_workload("{\"source\":\"closed\",\"users\":1,\"think\":\"1s\"}", table, &err);
    REQUIRE(w != NULL);
    CHECK(fsim_workload_is_endless(w));
    CHECK_EQ_INT(fsim_workload_next(w, &batch, &err), FSIM_OK);
    CHECK_EQ_INT(batch.count, 0);
    fsim_workload_close(w);
    fsim_function_table_destroy(table);
}

int main(void) {
    pool = fsim_value_pool_create();
    RUN(test_bounds);
    RUN(test_durations);
    RUN(test_places);
    RUN(test_one_stream_for_all_parts);
    RUN(test_common_random_numbers);
    RUN(test_union_order);
    RUN(test_closed);
    fsim_value_pool_destroy(pool);
    return check_done();
}
