/* CSV: what is accepted, and where each fault is reported; through the reader and through the csv source. */
#include "io/csv_reader.h"

#include "api/registry.h"
#include "base/limits.h"
#include "support/check.h"

#include <unistd.h>

static char file_name[64];

/* Puts the bytes into the temporary file. */
static void write_file(const char *bytes, size_t size) {
    FILE *file = fopen(file_name, "wb");
    REQUIRE(file != NULL);
    REQUIRE(fwrite(bytes, 1, size, file) == size);
    fclose(file);
}

/* --- the csv source
 * ---------------------------------------------------------------------------------------------------- */

typedef struct trace {
    fsim_status status;
    fsim_error err;
    size_t count;
    fsim_ns at_ns[16], service_ns[16], cpu_ns[16];
    fsim_fn_id fn[16];
    uint64_t session[16];
    int64_t memory_mb[4];
    char names[4][16];
    uint32_t functions;
} trace;

static fsim_status run_workload(trace *t, fsim_function_table *table, fsim_value_pool *pool,
                                const char *more) {
    static fsim_arrivals batch;
    fsim_workload *w;
    fsim_value *config = fsim_value_new(pool, FSIM_VALUE_OBJECT, "w.json");
    fsim_value_put(pool, config, "source", fsim_value_new_string(pool, "csv", "w.json"));
    fsim_value_put(pool, config, "file", fsim_value_new_string(pool, file_name, "w.json"));
    if (more != NULL) {
        char path[32];
        size_t len = strcspn(more, "=");
        snprintf(path, sizeof path, "%.*s", (int)len, more);
        FSIM_TRY(fsim_value_set(pool, config, path, more + len + 1, "w.json", &t->err));
    }
    const fsim_source_context context = {.seed = 1, .path = "workload", .table = table, .pool = pool};
    FSIM_TRY(fsim_workload_open(&w, &context, config, &t->err));
    fsim_status status;
    while ((status = fsim_workload_next(w, &batch, &t->err)) == FSIM_OK && batch.count > 0) {
        for (uint32_t i = 0; i < batch.count; i++, t->count++) {
            if (t->count < 16) {
                t->at_ns[t->count] = batch.at_ns[i];
                t->service_ns[t->count] = batch.service_ns[i];
                t->fn[t->count] = batch.fn[i];
                t->cpu_ns[t->count] = batch.has_cpu ? batch.cpu_ns[i] : -2;
                t->session[t->count] = batch.has_session ? batch.session[i] : 0;
            }
        }
    }
    fsim_workload_close(w);
    return status;
}

/* Reads the text as a workload; `more` is a further "key=value" of the source. */
static trace read_trace_bytes(const char *bytes, size_t size, const char *more) {
    trace t = {0};
    fsim_value_pool *pool = fsim_value_pool_create();
    fsim_function_table *table = fsim_function_table_create();
    fsim_fn_spec spec = *fsim_function_table_template(table);
    fsim_fn_id id;
    spec.has_service = true;
    fsim_dist_constant(&spec.service, 5 * FSIM_MS);
    fsim_function_table_set_template(table, &spec);
    fsim_function_table_intern(table, "fn", 2, &id, NULL);
    write_file(bytes, size);
    t.status = run_workload(&t, table, pool, more);
    t.functions = fsim_function_table_count(table);
    for (uint32_t i = 0; i < t.functions && i < 4; i++) {
        t.memory_mb[i] = fsim_function_table_get(table, i)->memory_mb;
        snprintf(t.names[i], sizeof t.names[i], "%s", fsim_function_table_get(table, i)->name);
    }
    fsim_function_table_destroy(table);
    fsim_value_pool_destroy(pool);
    return t;
}

static trace read_trace(const char *text, const char *more) {
    return read_trace_bytes(text, strlen(text), more);
}

static void test_request_trace(void) {
    trace t = read_trace("function,arrival_s,duration_ms,cpu_ms,memory_mb,session,version\n"
                         "a,0.5,10,4,256,s1,v1\n"
                         "b,0.5,,,,,\n"
                         "a,1.25,0.5,0,256,s1,\n",
                         NULL);
    CHECK_EQ_INT(t.status, FSIM_OK);
    CHECK_EQ_INT((int64_t)t.count, 3);
    CHECK_EQ_INT(t.at_ns[0], 500 * FSIM_MS);
    CHECK_EQ_INT(t.at_ns[2], 1250 * FSIM_MS);
    CHECK_EQ_INT(t.service_ns[0], 10 * FSIM_MS);
    CHECK_EQ_INT(t.service_ns[1], 5 * FSIM_MS); /* drawn */
    CHECK_EQ_INT(t.service_ns[2], 500 * FSIM_US);
    CHECK_EQ_INT(t.cpu_ns[0], 4 * FSIM_MS);
    CHECK_EQ_INT(t.cpu_ns[1], FSIM_DRAW);
    CHECK_EQ_STR(t.names[t.fn[0]], "a");
    CHECK_EQ_STR(t.names[t.fn[1]], "b");
    CHECK_EQ_INT(t.fn[2], t.fn[0]);
    CHECK_EQ_INT(t.memory_mb[t.fn[0]], 256);
    CHECK_EQ_INT(t.memory_mb[t.fn[1]], 128);
    CHECK(t.session[0] != 0 && t.session[0] == t.session[2]);
    CHECK(t.session[1] == 0);
}

static void test_accepted(void) {
    static const char *const same[] = {
        "arrival_ms,duration_s\n1,2\n3,4\n",
        "arrival_ms,duration_s\r\n1,2\r\n3,4\r\n",
        "arrival_ms,duration_s\r1,2\r3,4\r",
        "\357\273\277arrival_ms,duration_s\n1,2\n3,4",
        "\"arrival_ms\",\"duration_s\"\n\"1\",\"2\"\n 3 ,\t4\n\n\n",
        "\n\narrival_us,duration_ns\n1000,2e9\n\n3e3,4000000000\n",
        "duration_s,arrival_ns\n2.000000000,1000000\n4,3000000.4\n",
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        trace t = read_trace(same[i], NULL);
        check_context("%s", same[i]);
        CHECK_EQ_INT(t.status, FSIM_OK);
        CHECK_EQ_INT((int64_t)t.count, 2);
        CHECK_EQ_INT(t.at_ns[0], FSIM_MS);
        CHECK_EQ_INT(t.at_ns[1], 3 * FSIM_MS);
        CHECK_EQ_INT(t.service_ns[0], 2 * FSIM_SECOND);
        CHECK_EQ_INT(t.service_ns[1], 4 * FSIM_SECOND);
    }
    CHECK_EQ_INT(read_trace("arrival_s\n", NULL).status, FSIM_OK);
}

static void test_refused(void) {
    static const struct {
        const char *text, *place, *message;
    } cases[] = {
        {"", "1:1", "the file is empty, expected a header line such as arrival_s,function,duration_ms"},
        {"\n\n", "1:1", "the file is empty, expected a header line such as arrival_s,function,duration_ms"},
        {"0.5,fn\n", "1:1",
         "found \"0.5\" where the header line should be, such as arrival_s,function,duration_ms"},
        {"arival_s\n1\n", "1:1", "unknown column \"arival_s\"; did you mean \"arrival_s\"?"},
        {"arrival_s,arrival_ms\n", "1:2", "column \"arrival_ms\" says the same as column 1, \"arrival_s\""},
        {"function\nfn\n", "1:1",
         "expected either arrival_s (a request trace) or time_s (a rate trace), found none of them"},
        {"arrival_s,requests\n", "1:2",
         "this column belongs to a rate trace, which has time_s, not arrival_s"},
        {"time_s,requests,duration_ms\n", "1:3",
         "this column belongs to a request trace, which has arrival_s, not time_s"},
        {"time_s\n", "1:1", "a rate trace needs either a column \"requests\" or \"rps\""},
        {"arrival_s,duration_ms\n1,12x\n", "2:2",
         "duration_ms \"12x\" is no number, expected milliseconds, at least 0"},
        {"arrival_s,duration_ms\n1,-2\n", "2:2",
         "duration_ms \"-2\" is negative, expected milliseconds, at least 0"},
        {"arrival_s,duration_ms\n1,nan\n", "2:2",
         "duration_ms \"nan\" is no number, expected milliseconds, at least 0"},
        {"arrival_s,duration_ms\n1,1\n,1\n", "3:1",
         "arrival_s is empty, expected seconds since the start, at least 0"},
        {"arrival_s\n2\n\n1.5\n", "4:1",
         "arrival 1.5 s is before that of the row in front of it, 2 s; sort the file with: fsim convert "
         "--sort IN OUT"},
        {"arrival_s\n9223372037\n", "2:1",
         "arrival_s \"9223372037\" is too large: beyond 2^63 ns (292 years)"},
        {"arrival_s,function\n1\n", "2:1", "the row has 1 fields, the header 2"},
        {"arrival_s,function\n1,a,b\n", "2:3", "the row has more fields than the header's 2"},
        {"function,arrival_s\n\"a\nb\",1\nc,x\n", "4:2",
         "arrival_s \"x\" is no number, expected seconds since the start, at least 0"},
        {"arrival_s,function\n1,a\"b\n", "2:2",
         "a quote stands inside a field that does not begin with one, or text follows a closing quote"},
        {"arrival_s,function\n1,\"ab\n", "2:2", "a quoted field is not closed at the end of the file"},
        {"arrival_s,memory_mb\n1,128\n2,256\n", "3:2",
         "memory_mb 256 contradicts 128, given earlier for function \"fn\""},
        {"arrival_s,memory_mb\n1,0\n", "2:2", "memory_mb is 0, expected megabytes, at least 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        trace t = read_trace(cases[i].text, NULL);
        char place[96];
        snprintf(place, sizeof place, "%s:%s", file_name, cases[i].place);
        check_context("%s", cases[i].text);
        CHECK_EQ_INT(t.status, FSIM_EDATA);
        CHECK_EQ_STR(t.err.place, place);
        CHECK_EQ_STR(t.err.text, cases[i].message);
    }
    static const char nul[] = "arrival_s,function\n1,a\0b\n";
    trace t = read_trace_bytes(nul, sizeof nul - 1, NULL);
    CHECK_EQ_INT(t.status, FSIM_EDATA);
    CHECK_EQ_STR(t.err.text, "found a NUL byte: this is no text file");
    t = read_trace("arrival_s\n1\n", "bucket=1s");
    CHECK_EQ_INT(t.status, FSIM_ECONFIG);
    CHECK_EQ_STR(t.err.place, "w.json#/bucket");
}

static void test_long_fields(void) {
    size_t size = FSIM_CSV_FIELD_MAX + 100;
    char *text = malloc(size + 32);
    REQUIRE(text != NULL);
    int head = snprintf(text, 32, "arrival_s,function\n1,\"");
    memset(text + head, 'x', size - (size_t)head);
    trace t = read_trace_bytes(text, size, NULL);
    CHECK_EQ_INT(t.status, FSIM_EDATA);
    CHECK(strstr(t.err.text, "longer than 65536 bytes") != NULL);
    free(text);
}

static void test_files(void) {
    fsim_csv *csv;
    fsim_error err = {0};
    CHECK_EQ_INT(fsim_csv_open(&csv, NULL, "tests", &err), FSIM_EIO);
    CHECK_EQ_STR(err.place, "tests");
    CHECK_EQ_INT(fsim_csv_open(&csv, "tests", "no-such.csv", NULL), FSIM_EIO);
}

/* Rows that fall over every boundary of a slice come through whole and in order. */
static void test_many_rows(void) {
    FILE *file = fopen(file_name, "wb");
    REQUIRE(file != NULL);
    fprintf(file, "arrival_us,function,duration_us\n");
    for (int i = 0; i < 100000; i++) {
        fprintf(file, "%d,%s,%d\n", i, i % 3 == 0 ? "\"a, b\"" : "c", i % 1000);
    }
    fclose(file);
    fsim_csv *csv;
    fsim_csv_block block;
    REQUIRE(fsim_csv_open(&csv, NULL, file_name, NULL) == FSIM_OK);
    const fsim_csv_binding number = {.unit = 1, .expected = "a number", .when_empty = FSIM_CSV_REQUIRED};
    fsim_csv_bind(csv, 0, &number);
    fsim_csv_bind(csv, 2, &number);
    int64_t seen = 0, wrong = 0;
    while (fsim_csv_next(csv, &block, NULL) == FSIM_OK && block.count > 0) {
        for (uint32_t i = 0; i < block.count; i++, seen++) {
            wrong += block.columns[0][i] != seen || block.columns[2][i] != seen % 1000;
            wrong += block.lines[i] != (uint64_t)seen + 2;
        }
    }
    CHECK_EQ_INT(seen, 100000);
    CHECK_EQ_INT(wrong, 0);
    CHECK_NEAR(fsim_csv_progress(csv), 1, 0);
    fsim_csv_close(csv);
}

static void test_rate_trace(void) {
    trace t = read_trace("time_s,function,requests\n0,a,2\n0,b,1\n60,a,4\n", "placement=even");
    CHECK_EQ_INT(t.status, FSIM_OK);
    CHECK_EQ_INT((int64_t)t.count, 7);
    static const int64_t expected_s[] = {0, 0, 30, 60, 75, 90, 105};
    for (int i = 0; i < 7; i++) {
        CHECK_EQ_INT(t.at_ns[i], expected_s[i] * FSIM_SECOND);
    }
    CHECK_EQ_STR(t.names[t.fn[1]], "b");
    t = read_trace("time_s,rps\n0,0.4\n1,0.4\n2,0.4\n3,0.4\n4,0.4\n", "placement=start");
    CHECK_EQ_INT((int64_t)t.count, 2); /* fractions are carried on */
    CHECK_EQ_INT(t.at_ns[0], 2 * FSIM_SECOND);
    CHECK_EQ_INT(t.at_ns[1], 4 * FSIM_SECOND);
    t = read_trace("time_s,requests\n10,300\n", "bucket=30s");
    CHECK_EQ_INT((int64_t)t.count, 300);
    CHECK(t.at_ns[0] >= 10 * FSIM_SECOND && t.at_ns[0] < 12 * FSIM_SECOND);
    t = read_trace("time_s,requests\n0,10000\n1000,0\n", "placement=poisson");
    CHECK_NEAR((double)t.count, 10000, 400);
    CHECK(t.count != 10000);

    t = read_trace("time_s,requests\n10,300\n", NULL);
    CHECK_EQ_INT(t.status, FSIM_EDATA);
    CHECK(strstr(t.err.text, "\"bucket\"") != NULL);
    t = read_trace("time_s,requests\n0,1\n60,1\n90,1\n", NULL);
    CHECK_EQ_INT(t.status, FSIM_EDATA);
    CHECK_EQ_STR(t.err.text, "the row is 30 s after the bucket in front of it, which is 60 s long");
    t = read_trace("time_s,requests\n60,1\n0,1\n", NULL);
    CHECK_EQ_INT(t.status, FSIM_EDATA);
    CHECK(strstr(t.err.text, "fsim convert --sort") != NULL);
    t = read_trace("time_s,requests\n0,1\n", "placement=evn");
    CHECK_EQ_INT(t.status, FSIM_ECONFIG);
}

int main(void) {
    snprintf(file_name, sizeof file_name, "%s/fsim-test-csv-XXXXXX", P_tmpdir);
    int fd = mkstemp(file_name);
    if (fd < 0) {
        return 1;
    }
    close(fd);
    RUN(test_request_trace);
    RUN(test_accepted);
    RUN(test_refused);
    RUN(test_long_fields);
    RUN(test_files);
    RUN(test_many_rows);
    RUN(test_rate_trace);
    remove(file_name);
    return check_done();
}
