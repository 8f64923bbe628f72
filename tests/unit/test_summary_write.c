/* Documents written as they come: the bytes of jansson, whether their functions stand in the tree or not. */
#include "report/results_folder.h"
#include "report/usage_json.h"
#include "report/writer_json.h"
#include "support/sample_run.h"

enum { MANY = FSIM_FUNCTION_HISTOGRAMS_MAX + 6 };

static sample_run sample;
static fsim_scope scopes[MANY];
static fsim_usage usages[MANY];

/* Without histograms, as such a run; some functions have sessions or health checks. */
static void make_many(uint32_t count) {
    sample_run_make(&sample, "knative");
    fsim_result *r = &sample.result;
    sample.scenario.replications = 1;
    memset(scopes, 0, sizeof scopes);
    for (uint32_t fn = 2; fn < count; fn++) {
        char name[32];
        fsim_fn_id id;
        snprintf(name, sizeof name, fn == 3 ? "say \"é\"\n%u" : "fn,%u", fn);
        const fsim_fn_spec spec = {.name = name, .memory_mb = 128, .vcpu = 0.25, .concurrency = 1};
        REQUIRE(fsim_function_table_add(r->functions, &spec, &id, NULL) == FSIM_OK);
        scopes[fn].n.arrived = scopes[fn].latency.count = fn;
        scopes[fn].latency.sum_ns = (fsim_wide)fn * 12345678901;
        scopes[fn].latency_above[0] = fn / 3u;
        scopes[fn].in_execution_ns = fn * (fsim_wide)FSIM_HOUR * 1000000;
        scopes[fn].has_sessions = fn % 5 == 4;
        scopes[fn].has_health = fn % 7 == 5;
        usages[fn].request_ns = (fsim_u128)fn << 70;
        usages[fn].request_ms[1] = UINT64_C(123456789) * fn;
    }
    r->function_count = count;
    r->per_function = scopes;
    r->usage = usages;
    r->window_count = 0;
}

typedef fsim_status (*writing)(FILE *out, const fsim_run_record *record, fsim_error *err);

static char *written(writing write, const fsim_run_record *record) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fsim_error err = {0};
    REQUIRE(out != NULL);
    CHECK_EQ_INT(write(out, record, &err), FSIM_OK);
    CHECK_EQ_STR(err.text, "");
    fclose(out);
    return text;
}

static fsim_status write_one(FILE *out, const fsim_run_record *record, fsim_error *err) {
    return fsim_summary_write(out, record, 1, err);
}

static fsim_status write_two(FILE *out, const fsim_run_record *record, fsim_error *err) {
    const fsim_run_record both[] = {*record, *record};
    return fsim_summary_write(out, both, 2, err);
}

static fsim_status write_usage(FILE *out, const fsim_run_record *record, fsim_error *err) {
    return fsim_usage_write(out, record->result, err);
}

static void check_same(writing write, const fsim_run_record *a, const fsim_run_record *b) {
    char *left = written(write, a), *right = written(write, b);
    CHECK_EQ_STR(left, right);
    free(left);
    free(right);
}

static void test_functions_one_at_a_time(void) {
    make_many(MANY);
    json_t *full = fsim_summary_json(&sample.scenario, &sample.result, sample.invoice, 2);
    json_t *brief = fsim_summary_brief_json(&sample.scenario, &sample.result, sample.invoice, 2);
    const fsim_run_record a = {&sample.scenario, &sample.result, full},
                          b = {&sample.scenario, &sample.result, brief};
    CHECK_EQ_INT(json_object_size(json_object_get(full, "functions")), MANY);
    CHECK(json_is_null(json_object_get(brief, "functions")));
    char *streamed = written(write_one, &b), *whole = fsim_summary_dump(full);
    streamed[strlen(streamed) - 1] = '\0'; /* the last newline */
    CHECK_EQ_STR(streamed, whole);
    CHECK_CONTAINS(streamed, "\"say \\\"é\\\"\\n3\": {");
    check_same(write_two, &a, &b);
    check_same(fsim_results_functions, &a, &b);
    CHECK(fsim_summary_fill(&b));
    CHECK(json_equal(full, brief));
    free(streamed);
    free(whole);
    json_decref(full);
    json_decref(brief);
    sample_run_destroy(&sample);
}

static void test_few_stay_in_the_tree(void) {
    make_many(FSIM_FUNCTION_HISTOGRAMS_MAX);
    json_t *brief = fsim_summary_brief_json(&sample.scenario, &sample.result, NULL, 0);
    CHECK(json_is_object(json_object_get(brief, "functions")));
    json_decref(brief);
    sample_run_destroy(&sample);
}

static void test_usage(void) {
    make_many(5);
    const fsim_run_record record = {&sample.scenario, &sample.result, NULL};
    char *text = written(write_usage, &record);
    json_t *back = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    REQUIRE(back != NULL);
    char *again = json_dumps(back, JSON_COMPACT | JSON_ENSURE_ASCII);
    text[strlen(text) - 1] = '\0';
    CHECK_EQ_STR(text, again);
    json_t *fourth = json_array_get(json_object_get(back, "functions"), 3);
    CHECK_EQ_STR(json_string_value(json_object_get(fourth, "name")), "say \"é\"\n3");
    CHECK_EQ_STR(json_string_value(json_object_get(fourth, "request_ns")), "3541774862152233910272");
    free(text);
    free(again);
    json_decref(back);
    sample_run_destroy(&sample);
}

static fsim_status write_tree(FILE *out, const fsim_run_record *record, fsim_error *err) {
    fsim_json_writer w = {.out = out};
    (void)err;
    fsim_json_tree(&w, record->summary);
    return fsim_json_finish(&w) ? FSIM_OK : FSIM_ELIMIT;
}

static void test_every_kind_of_value(void) {
    static char long_text[2 * FSIM_JSON_WRITER_ROOM];
    memset(long_text, 'x', sizeof long_text - 1);
    json_t *deep = json_pack("[i,s,i]", -1, long_text, 1);
    for (int i = 0; i < 40; i++) {
        deep = i % 2 == 0 ? json_pack("[o]", deep) : json_pack("{s:o}", "k", deep);
    }
    json_t *root = json_pack("{s:[], s:{}, s:[b,b,n], s:[f,f,f,f,f], s:[I,I,I], s:[s,s], s:o}", "none",
                             "empty", "words", 1, 0, "reals", 1.0, -0.5, 1e300, 1.5e-7, 123456789012345.0,
                             "integers", (json_int_t)0, (json_int_t)INT64_MAX, (json_int_t)INT64_MIN, "texts",
                             "a\tb\\\x7f/\x01", "ü€", "deep", deep);
    REQUIRE(root != NULL);
    const fsim_run_record record = {.summary = root};
    char *text = written(write_tree, &record), *expected = fsim_summary_dump(root);
    text[strlen(text) - 1] = '\0';
    CHECK_EQ_STR(text, expected);
    free(text);
    free(expected);
    json_decref(root);
}

static void test_not_utf8(void) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fsim_json_writer w = {.out = out};
    fsim_json_string(&w, "a\xff");
    CHECK(!fsim_json_finish(&w));
    fclose(out);
    free(text);
}

int main(void) {
    RUN(test_functions_one_at_a_time);
    RUN(test_few_stay_in_the_tree);
    RUN(test_usage);
    RUN(test_every_kind_of_value);
    RUN(test_not_utf8);
    return check_done();
}
