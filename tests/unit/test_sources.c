/* Every source of the registry, then each one's law. Seeds are fixed: a check either always passes or never.
 */
#include "api/registry.h"

#include "io/json_reader.h"
#include "support/check.h"

#define DRAWS_MAX 400000

static fsim_value_pool *pool;
static fsim_ns at[DRAWS_MAX];

/* A table with functions "fn", "f1" and "f2". */
static fsim_function_table *make_table(void) {
    static const char *const names[] = {"fn", "f1", "f2"};
    fsim_function_table *table = fsim_function_table_create();
    fsim_fn_spec spec = *fsim_function_table_template(table);
    spec.has_service = true;
    fsim_dist_constant(&spec.service, 20 * FSIM_MS);
    fsim_function_table_set_template(table, &spec);
    for (int i = 0; i < 3; i++) {
        fsim_fn_id id;
        spec.name = names[i];
        fsim_function_table_add(table, &spec, &id, NULL);
    }
    return table;
}

static fsim_status open_json(const char *json, uint64_t seed, fsim_function_table *table, fsim_workload **out,
                             fsim_error *err) {
    fsim_value *config;
    *err = (fsim_error){0};
    FSIM_TRY(fsim_json_read_text(pool, json, "w.json", &config, err));
    const fsim_source_context context = {
        .seed = seed, .path = "workload", .table = table, .pool = pool, .base_dir = "workloads"};
    return fsim_workload_open(out, &context, config, err);
}

/* Reads at most DRAWS_MAX instants into `at`. */
static size_t read_instants(const char *json, uint64_t seed) {
    static fsim_arrivals batch;
    fsim_function_table *table = make_table();
    fsim_workload *w = NULL;
    fsim_error err;
    size_t n = 0;
    if (open_json(json, seed, table, &w, &err) != FSIM_OK) {
        check_fail(__FILE__, __LINE__, "%s: %s %s", json, err.place, err.text);
        fsim_function_table_destroy(table);
        return 0;
    }
    do {
        CHECK_EQ_INT(fsim_workload_next(w, &batch, &err), FSIM_OK);
        for (uint32_t i = 0; i < batch.count && n < DRAWS_MAX; i++) {
            at[n++] = batch.at_ns[i];
        }
    } while (batch.count > 0 && n < DRAWS_MAX);
    fsim_workload_close(w);
    fsim_function_table_destroy(table);
    return n;
}

static uint64_t digest(const char *json, uint64_t seed, size_t *count) {
    size_t n = read_instants(json, seed);
    *count = n;
    return fsim_hash_bytes(FSIM_HASH_START, at, n * sizeof at[0]);
}

static void test_every_example(void) {
    for (size_t k = 0; fsim_source_registry[k] != NULL; k++) {
        const fsim_source_ops *ops = fsim_source_registry[k];
        size_t n, again, other;
        check_context("%s", ops->name);
        CHECK(ops->summary != NULL && ops->summary[0] != '\0');
        CHECK((ops->next == NULL) == (ops->closed != NULL));
        uint64_t first = digest(ops->example, 1, &n);
        CHECK(n > 0 || ops->closed != NULL);
        for (size_t i = 1; i < n; i++) {
            if (at[i] < at[i - 1]) {
                CHECK(at[i] >= at[i - 1]);
                break;
            }
        }
        CHECK(first == digest(ops->example, 1, &again));
        digest(ops->example, 2, &other);
        CHECK_EQ_INT((int64_t)n, (int64_t)again);
    }
}

/* A key that no source knows is refused by each of them. */
static void test_unknown_keys(void) {
    for (size_t k = 0; fsim_source_registry[k] != NULL; k++) {
        const fsim_source_ops *ops = fsim_source_registry[k];
        char json[2048];
        fsim_workload *w = NULL;
        fsim_error err;
        fsim_function_table *table = make_table();
        check_context("%s", ops->name);
        snprintf(json, sizeof json, "{\"requets\": 5, %s", ops->example + 1);
        CHECK_EQ_INT(open_json(json, 1, table, &w, &err), FSIM_ECONFIG);
        CHECK_EQ_STR(err.place, "w.json#/requets");
        CHECK_EQ_STR(err.text, "unknown key \"requets\"; did you mean \"requests\"?");
        fsim_function_table_destroy(table);
    }
}

/* Mean and squared coefficient of variation of the gaps. */
static void gap_moments(size_t n, double *mean_s, double *cv2) {
    double sum = 0, squares = 0, before = 0;
    for (size_t i = 0; i < n; i++) {
        double gap = fsim_ns_to_s(at[i]) - before;
        before = fsim_ns_to_s(at[i]);
        sum += gap;
        squares += gap * gap;
    }
    *mean_s = sum / (double)n;
    *cv2 = squares / (double)n / (*mean_s * *mean_s) - 1;
}

static void test_poisson_and_renewal(void) {
    double mean, cv2;
    size_t n = read_instants("{\"source\":\"poisson\",\"rate\":100000,\"requests\":300000}", 7);
    CHECK_EQ_INT((int64_t)n, 300000);
    gap_moments(n, &mean, &cv2);
    CHECK_NEAR(mean, 1e-5, 1e-5 * 0.006);
    CHECK_NEAR(cv2, 1, 0.02);
    n = read_instants("{\"source\":\"renewal\",\"interval\":{\"dist\":\"erlang\",\"k\":4,\"mean\":\"2s\"},"
                      "\"requests\":100000}",
                      7);
    gap_moments(n, &mean, &cv2);
    CHECK_NEAR(mean, 2, 0.01);
    CHECK_NEAR(cv2, 0.25, 0.01);
}

static void test_constant(void) {
    CHECK_EQ_INT((int64_t)read_instants("{\"source\":\"constant\",\"interval\":\"10s\",\"requests\":3}", 1),
                 3);
    CHECK_EQ_INT(at[0], 10 * FSIM_SECOND);
    CHECK_EQ_INT(at[2], 30 * FSIM_SECOND);
    /* An arrival at `until` is the last. */
    CHECK_EQ_INT(
        (int64_t)read_instants(
            "{\"source\":\"constant\",\"interval\":\"500us\",\"offset\":\"250us\",\"until\":\"250us\"}", 1),
        1);
    CHECK_EQ_INT((int64_t)read_instants("{\"source\":\"constant\",\"rate\":3,\"requests\":3000}", 1), 3000);
    CHECK_EQ_INT(at[2999], 1000 * FSIM_SECOND);
    CHECK_EQ_INT(at[0], 333333333);
}

static void test_batch_and_mmpp(void) {
    size_t n = read_instants("{\"source\":\"batch\",\"rate\":10,\"size\":5,\"requests\":200000}", 3);
    size_t groups = 1;
    for (size_t i = 1; i < n; i++) {
        groups += at[i] != at[i - 1];
    }
    CHECK_EQ_INT((int64_t)groups, 40000);
    CHECK_NEAR(fsim_ns_to_s(at[n - 1]), 4000, 60);
    n = read_instants(
        "{\"source\":\"mmpp\",\"states\":[{\"rate\":5,\"stay\":\"50s\"},{\"rate\":0.5,\"stay\":\"100s\"}],"
        "\"requests\":300000}",
        3);
    CHECK_NEAR((double)n / fsim_ns_to_s(at[n - 1]), 2, 0.06);
    /* Variance over mean of the counts of 1 s windows (Fischer and Meier-Hellstern, 1993): 1 + a (1 - (1 -
     * e^(-rt)) / (rt)), where r = 1/50 + 1/100 and a = 2 (5 - 0.5)^2 / 50 / 100 / (r^2 (5/100 + 0.5/50)) =
     * 150. */
    double sum = 0, squares = 0;
    size_t i = 0, windows = (size_t)(at[n - 1] / FSIM_SECOND);
    for (size_t w = 0; w < windows; w++) {
        double count = 0;
        for (; i < n && at[i] < (fsim_ns)(w + 1) * FSIM_SECOND; i++) {
            count++;
        }
        sum += count;
        squares += count * count;
    }
    double mean = sum / (double)windows;
    double expected = 1 + 150 * (1 - (1 - exp(-0.03)) / 0.03);
    CHECK_NEAR((squares / (double)windows - mean * mean) / mean, expected, 0.15);
}

/* Time rescaling: through the integral of the rate the gaps become unit exponentials. */
static double rescaled_ks(size_t n, double (*integral)(double s)) {
    double distance = 0, whole = integral(fsim_ns_to_s(at[n - 1]));
    for (size_t i = 0; i + 1 < n; i++) {
        double p = integral(fsim_ns_to_s(at[i])) / whole;
        distance = fmax(distance, fmax(fabs(p - (double)i / (double)(n - 1)),
                                       fabs(p - (double)(i + 1) / (double)(n - 1))));
    }
    return distance * sqrt((double)(n - 1));
}

static double integral_sinusoid(double s) {
    double w = 2 * acos(-1.0) / 3600, phase = -1.5;
    return 10 * (s + 0.8 / w * (cos(phase) - cos(w * s + phase)));
}
static double integral_ramp(double s) {
    return s < 600 ? 100 * s * s / 1200 : 30000 + 100 * (s - 600);
}
static double integral_fall(double s) {
    return 100 * s - 100 * s * s / 1200;
}
static double integral_step(double s) {
    return s < 10 ? 0 : s < 100 ? 50 * (s - 10) : 4500 + 200 * (s - 100);
}
static double integral_crowd(double s) {
    double parts[5] = {60, 30, 60, 120, 1e9}, from[5] = {5, 5, 200, 200, 5}, to[5] = {5, 200, 200, 5, 5},
           sum = 0;
    for (int i = 0; i < 5 && s > 0; i++) {
        double x = fmin(s, parts[i]);
        sum += from[i] * x + (to[i] - from[i]) / parts[i] * x * x / 2;
        s -= x;
    }
    return sum;
}
static double integral_diurnal(double s) {
    double sum = 0;
    for (int hour = 0; s > 0; hour++) {
        double a = hour % 24 < 12 ? hour % 24 : 24 - hour % 24,
               b = (hour + 1) % 24 < 12 ? (hour + 1) % 24 : 24 - (hour + 1) % 24;
        double x = fmin(s, 3600);
        sum += a * x + (b - a) / 3600 * x * x / 2;
        s -= x;
    }
    return sum;
}

static void test_changing_rates(void) {
    static const struct {
        const char *json;
        double (*integral)(double s);
        double expected; /* arrivals; 0: any */
    } cases[] = {
        {"{\"source\":\"sinusoid\",\"rate\":10,\"amplitude\":0.8,\"period\":\"1h\",\"phase\":-1.5,\"until\":"
         "\"7h\"}",
         integral_sinusoid, 252000},
        {"{\"source\":\"ramp\",\"from\":0,\"to\":100,\"over\":\"10m\",\"until\":\"15m\"}", integral_ramp,
         60000},
        {"{\"source\":\"ramp\",\"from\":100,\"to\":0,\"over\":\"10m\"}", integral_fall, 30000},
        {"{\"source\":\"step\",\"steps\":[{\"at\":\"10s\",\"rate\":50},{\"at\":\"100s\",\"rate\":200},{"
         "\"at\":\"200s\",\"rate\":0}]}",
         integral_step, 24500},
        {"{\"source\":\"flash_crowd\",\"base\":5,\"peak\":200,\"at\":\"1m\",\"rise\":\"30s\",\"hold\":\"1m\","
         "\"decay\":\"2m\","
         "\"until\":\"10m\"}",
         integral_crowd, 0},
        {"{\"source\":\"diurnal\",\"rate\":1.5,\"profile\":[0,1,2,3,4,5,6,7,8,9,10,11,12,11,10,9,8,7,6,5,4,3,"
         "2,1],"
         "\"until\":\"48h\"}",
         integral_diurnal, 259200},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        check_context("%s", cases[k].json);
        size_t n = read_instants(cases[k].json, 11);
        REQUIRE(n > 1000);
        CHECK(rescaled_ks(n, cases[k].integral) < 1.95);
        if (cases[k].expected > 0) {
            CHECK_NEAR((double)n, cases[k].expected, 4 * sqrt(cases[k].expected));
        }
    }
}

/* From rate 0 upwards the first arrival follows a Rayleigh law; downwards to 0 a share of runs sees no
 * arrival at all. */
static void test_steep_slopes(void) {
    double sum = 0;
    int none = 0;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        read_instants("{\"source\":\"ramp\",\"from\":0,\"to\":10,\"over\":\"100s\",\"requests\":1}", seed);
        sum += fsim_ns_to_s(at[0]);
        none += read_instants("{\"source\":\"ramp\",\"from\":0.2,\"to\":0,\"over\":\"10s\"}", seed) == 0;
    }
    CHECK_NEAR(sum / 2000, sqrt(acos(-1.0) / 2 / 0.1), 0.15);
    CHECK_NEAR(none / 2000.0, exp(-1), 0.035);
}

static void test_weekly_profile(void) {
    /* Only Saturday between 6:00 and 7:00; a run that starts on Friday meets it on the second day. */
    size_t n = read_instants(
        "{\"source\":\"diurnal\",\"rate\":0.1,\"shape\":\"steps\",\"start_day\":\"saturday\",\"profile\":"
        "{\"weekday\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"
        "\"weekend\":[0,0,0,0,0,0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]},\"until\":\"7d\"}",
        1);
    CHECK_NEAR((double)n, 60480, 1000);
    CHECK(n > 0 && at[0] >= 6 * FSIM_HOUR && at[0] < 6 * FSIM_HOUR + FSIM_MINUTE);
    CHECK(n > 0 && at[n - 1] < FSIM_DAY + 7 * FSIM_HOUR);
}

static void test_refused(void) {
    static const struct {
        const char *json, *place, *text;
    } cases[] = {
        {"{\"rate\":1}", "w.json#", "key \"source\" is missing"},
        {"{\"source\":\"poison\",\"rate\":1}", "w.json#/source",
         "unknown source \"poison\"; did you mean \"poisson\"?"},
        {"{\"source\":\"poisson\"}", "w.json#", "key \"rate\" is missing"},
        {"{\"source\":\"poisson\",\"rate\":0}", "w.json#/rate",
         "found a rate of 0, expected requests per second above 0"},
        {"{\"source\":\"poisson\",\"rate\":-1}", "w.json#/rate",
         "found the number -1, expected a number from 0 to 1e+08"},
        {"{\"source\":\"poisson\",\"rate\":1,\"requests\":-1}", "w.json#/requests",
         "found the number -1, expected a whole number of at least 0"},
        {"{\"source\":\"poisson\",\"rate\":1,\"function\":\"f3\"}", "w.json#/function",
         "unknown function \"f3\", expected one of \"fn\", \"f1\", \"f2\""},
        {"{\"source\":\"constant\"}", "w.json#", "constant needs either an \"interval\" or a \"rate\""},
        {"{\"source\":\"constant\",\"interval\":\"0s\"}", "w.json#/interval",
         "found a span of 0, expected one above 0"},
        {"{\"source\":\"renewal\",\"interval\":\"0s\"}", "w.json#/interval",
         "intervals of 0 would never advance the clock"},
        {"{\"source\":\"mmpp\",\"states\":[{\"rate\":0,\"stay\":\"1s\"}]}", "w.json#/states",
         "the rate is 0 in every state"},
        {"{\"source\":\"sinusoid\",\"rate\":1,\"amplitude\":1.5,\"period\":\"1s\"}", "w.json#/amplitude",
         "found the number 1.5, expected a number from 0 to 1"},
        {"{\"source\":\"step\",\"steps\":[{\"at\":\"2s\",\"rate\":1},{\"at\":\"1s\",\"rate\":1}]}",
         "w.json#/steps/1/at", "steps must be in ascending order of time"},
        {"{\"source\":\"list\",\"arrivals\":[\"2s\",\"1s\"]}", "w.json#/arrivals/1",
         "arrives before the entry in front of it; the list must be in order of time"},
        {"{\"source\":\"superposition\",\"of\":[{\"source\":\"poisson\",\"rate\":1,\"rat\":2}]}",
         "w.json#/of/0/rat", "unknown key \"rat\"; did you mean \"rate\"?"},
        {"{\"source\":\"diurnal\",\"rate\":1,\"profile\":[1,2]}", "w.json#/profile",
         "expected 24 or 168 numbers, one an hour, or {\"weekday\": [...], \"weekend\": [...]}"},
    };
    fsim_function_table *table = make_table();
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        fsim_workload *w = NULL;
        fsim_error err;
        check_context("%s", cases[k].json);
        CHECK_EQ_INT(open_json(cases[k].json, 1, table, &w, &err), FSIM_ECONFIG);
        CHECK_EQ_STR(err.place, cases[k].place);
        CHECK_EQ_STR(err.text, cases[k].text);
    }
    fsim_function_table_destroy(table);
}

int main(void) {
    pool = fsim_value_pool_create();
    RUN(test_every_example);
    RUN(test_unknown_keys);
    RUN(test_poisson_and_renewal);
    RUN(test_constant);
    RUN(test_batch_and_mmpp);
    RUN(test_changing_rates);
    RUN(test_steep_slopes);
    RUN(test_weekly_profile);
    RUN(test_refused);
    fsim_value_pool_destroy(pool);
    return check_done();
}
