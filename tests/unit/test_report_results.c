/* The results folder: what is in it, the same bytes twice, nothing left behind by a failure; pictures. */
#include "io/file.h"
#include "report/plot.h"
#include "report/results_folder.h"
#include "report/summary_path_json.h"
#include "support/sample_run.h"

#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLICIES 3

static sample_run sample[POLICIES];
static fsim_run_record record[POLICIES];
static char base[] = P_tmpdir "/fsim-results-XXXXXX";

static const char *at(const char *name) {
    static char path[8][FSIM_PATH_MAX];
    static unsigned next;
    char *out = path[next++ % 8];
    snprintf(out, FSIM_PATH_MAX, "%s/%s", base, name);
    return out;
}

static void set_up(void) {
    static const char *const policies[POLICIES] = {"knative", "my policy", "knative"};
    for (int i = 0; i < POLICIES; i++) {
        sample_run_make(&sample[i], policies[i]);
        record[i] = (fsim_run_record){
            &sample[i].scenario, &sample[i].result,
            fsim_summary_json(&sample[i].scenario, &sample[i].result, sample[i].invoice, 2)};
        REQUIRE(record[i].summary != NULL);
    }
}

static void tear_down(void) {
    for (int i = 0; i < POLICIES; i++) {
        json_decref(record[i].summary);
        sample_run_destroy(&sample[i]);
    }
}

static char *read_text(const char *name) {
    char *text = NULL;
    size_t size;
    fsim_error err = {0};
    fsim_status status = fsim_file_read_all(at(name), 1u << 24, &text, &size, &err);
    CHECK_EQ_STR(err.text, "");
    return status == FSIM_OK ? text : NULL;
}

static void check_file(const char *name, const char *expected) {
    char *text = read_text(name);
    CHECK_EQ_STR(text, expected);
    free(text);
}

static bool exists(const char *name) {
    return access(at(name), F_OK) == 0;
}

/* Entries of a folder, without . and .. */
static int entries(const char *name) {
    int n = 0;
    DIR *folder = opendir(at(name));
    REQUIRE(folder != NULL);
    for (struct dirent *e = readdir(folder); e != NULL; e = readdir(folder)) {
        n += e->d_name[0] != '.';
    }
    closedir(folder);
    return n;
}

static void write_ok(const char *name, uint32_t count) {
    fsim_error err = {0};
    CHECK_EQ_INT(fsim_results_write(at(name), record, count, &err), FSIM_OK);
    CHECK_EQ_STR(err.text, "");
}

static void test_one_policy(void) {
    set_up();
    write_ok("deep/er/one/", 1);
    CHECK_EQ_INT(entries("deep/er/one"), 7);
    CHECK_EQ_INT(entries("deep/er"), 1);
    check_file("deep/er/one/latency.csv", "from_s,to_s,requests,cold,warm\n"
                                          "0.09961472,0.100139008,6,0,6\n"
                                          "2.097152,2.105540608,2,2,0\n");
    char *series = read_text("deep/er/one/timeseries.csv");
    CHECK_CONTAINS(series,
                   "time_s,arrived,completed,refused,timed_out,cold,throttled,in_execution,queued,starting,"
                   "busy,idle,instances,wanted\n10,1,1,0,0,0,0,0,0,1,0,0.5,1.5,2\n");
    CHECK_CONTAINS(series, "\n100,1,1,2,0,0,2,0.9,0,1,0.9,0.5,2.4,2\n");
    free(series);
    char *functions = read_text("deep/er/one/functions.csv");
    CHECK_CONTAINS(functions, "function,requests.arrived,requests.completed,");
    CHECK_CONTAINS(functions, "\nresize-image,10,8,1,1,0,0,0,0,");
    CHECK_CONTAINS(functions, "\nfn.two,0,0,");
    free(functions);
    json_t *invoice = json_load_file(at("deep/er/one/invoice.json"), 0, NULL);
    CHECK_EQ_STR(fsim_summary_text(invoice, "schema"), "fsim.invoice/1");
    CHECK_EQ_STR(fsim_summary_text(invoice, "bills[1].total"), "0.48");
    json_decref(invoice);
    json_t *back = NULL;
    CHECK_EQ_INT(fsim_summary_read(&back, at("deep/er/one/summary.json"), NULL), FSIM_OK);
    CHECK(fsim_summary_number(back, "requests.arrived") == 10);
    json_decref(back);
    tear_down();
}

/* The input is named without its folder, hashed, and its content decides input_sha256. */
static void test_manifest(void) {
    char hash[2][80];
    set_up();
    for (int round = 0; round < 2; round++) {
        FILE *trace = fopen(at("trace.csv"), "w");
        REQUIRE(trace != NULL);
        fputs(round == 0 ? "abc" : "abd", trace);
        fclose(trace);
        fsim_scenario *s = &sample[0].scenario;
        s->pool = fsim_value_pool_create();
        s->root = fsim_value_new(s->pool, FSIM_VALUE_OBJECT, "test");
        REQUIRE(fsim_value_set(s->pool, s->root, "workload.file", at("trace.csv"), "test", NULL) == FSIM_OK);
        REQUIRE(fsim_value_set(s->pool, s->root, "run.threads", "8", "test", NULL) == FSIM_OK);
        REQUIRE(fsim_value_set(s->pool, s->root, "run.warmup", "1m", "test", NULL) == FSIM_OK);
        write_ok("manifest", 1);
        fsim_value_pool_destroy(s->pool);
        json_t *manifest = json_load_file(at("manifest/manifest.json"), 0, NULL);
        CHECK_EQ_STR(fsim_summary_text(manifest, "schema"), "fsim.manifest/1");
        CHECK_EQ_STR(fsim_summary_text(manifest, "version"), FSIM_VERSION);
        CHECK_EQ_STR(fsim_summary_text(manifest, "policy"), "knative");
        CHECK_EQ_STR(fsim_summary_text(manifest, "inputs[0].file"), "trace.csv");
        CHECK(fsim_summary_number(manifest, "inputs[0].bytes") == 3);
        CHECK_EQ_STR(fsim_summary_text(manifest, "scenario.workload.file"), "trace.csv");
        CHECK_EQ_STR(fsim_summary_text(manifest, "scenario.run.warmup"), "1m");
        CHECK(fsim_summary_find(manifest, "scenario.run.threads") == NULL);
        if (round == 0) {
            CHECK_EQ_STR(fsim_summary_text(manifest, "inputs[0].sha256"),
                         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        }
        snprintf(hash[round], sizeof hash[round], "%s", fsim_summary_text(manifest, "input_sha256"));
        CHECK_EQ_INT(strlen(hash[round]), 64);
        json_decref(manifest);
    }
    CHECK(strcmp(hash[0], hash[1]) != 0);
    tear_down();
}

static void check_same(const char *a, const char *b, const char *file) {
    char left[256], right[256];
    snprintf(left, sizeof left, "%s/%s", a, file);
    snprintf(right, sizeof right, "%s/%s", b, file);
    char *first = read_text(left), *second = read_text(right);
    CHECK(first != NULL && second != NULL && strcmp(first, second) == 0);
    free(first);
    free(second);
}

static void test_several_policies_twice(void) {
    static const char *const files[] = {"summary.json",           "knative/summary.json",
                                        "knative/manifest.json",  "my_policy/latency.csv",
                                        "knative-2/invoice.json", "my_policy/functions.csv"};
    set_up();
    write_ok("first", POLICIES);
    write_ok("second", POLICIES);
    CHECK_EQ_INT(entries("first"), 4);
    CHECK_EQ_INT(entries("first/my_policy"), 7);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        check_context("%s", files[i]);
        check_same("first", "second", files[i]);
    }
    tear_down();
}

static void touch(const char *name) {
    FILE *file = fopen(at(name), "w");
    REQUIRE(file != NULL);
    fclose(file);
}

/* A second run into the same folder replaces our files, removes pictures that no longer fit, keeps the
 * user's. */
static void test_again_into_the_same_folder(void) {
    set_up();
    write_ok("again", 1);
    touch("again/notes.txt");
    touch("again/latency.png");
    touch("again/summary.json");
    write_ok("again", 1);
    CHECK(exists("again/notes.txt"));
    CHECK(!exists("again/latency.png"));
    char *summary = read_text("again/summary.json");
    CHECK_CONTAINS(summary, "fsim.summary/1");
    free(summary);
    write_ok("again", POLICIES);
    CHECK(exists("again/my_policy/summary.json"));
    CHECK(!exists("again/timeseries.csv"));
    touch("again/my_policy/bills.svg");
    write_ok("again", POLICIES);
    CHECK(!exists("again/my_policy/bills.svg"));
    CHECK_EQ_INT(entries("again"), 5);
    tear_down();
}

static void test_failure_leaves_nothing(void) {
    fsim_error err = {0};
    set_up();
    REQUIRE(mkdir(at("blocked"), 0777) == 0);
    touch("blocked/folder");
    CHECK_EQ_INT(fsim_results_write(at("blocked/folder"), record, 1, &err), FSIM_EIO);
    CHECK_CONTAINS(err.place, "blocked/folder");
    CHECK_CONTAINS(err.text, "not a folder");
    CHECK_EQ_INT(entries("blocked"), 1);
    err = (fsim_error){0};
    CHECK_EQ_INT(fsim_results_write(at("blocked/folder/below"), record, 1, &err), FSIM_EIO);
    CHECK_EQ_INT(entries("blocked"), 1);
    tear_down();
}

/* No room for more than a page: as on a full disk, a write fails half-way. */
static void test_full_disk(void) {
    struct rlimit room;
    set_up();
    REQUIRE(mkdir(at("full"), 0777) == 0);
    REQUIRE(getrlimit(RLIMIT_FSIZE, &room) == 0);
    const struct rlimit little = {4096, room.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &little) == 0);
    fsim_error err = {0};
    fsim_status status = fsim_results_write(at("full/run"), record, POLICIES, &err);
    setrlimit(RLIMIT_FSIZE, &room);
    CHECK_EQ_INT(status, FSIM_EIO);
    CHECK_CONTAINS(err.place, "summary.json");
    CHECK_EQ_INT(entries("full"), 0);
    tear_down();
}

static void test_pictures(void) {
    fsim_error err = {0};
    set_up();
    write_ok("pictures", POLICIES);
    write_ok("pictures2", POLICIES);
    fsim_status status = fsim_plot_folder(at("pictures"), &err);
    if (status == FSIM_EIO && strstr(err.text, "cannot be started") != NULL) {
        tear_down();
        SKIP("gnuplot is not installed");
    }
    CHECK_EQ_STR(err.text, "");
    REQUIRE(status == FSIM_OK);
    CHECK_EQ_INT(entries("pictures"), 4 + 8);
    CHECK_EQ_INT(entries("pictures/my_policy"), 7 + 8);
    CHECK_EQ_INT(fsim_plot_folder(at("pictures2"), NULL), FSIM_OK);
    check_same("pictures", "pictures2", "compare_bills.svg");
    check_same("pictures", "pictures2", "knative/instances.svg");
    char *svg = read_text("pictures/my_policy/bills.svg");
    CHECK_CONTAINS(svg, "sample under my policy: bills");
    CHECK_CONTAINS(svg, "phase2");
    free(svg);
    tear_down();
}

/* Names that gnuplot would like to interpret, and a run in which nothing happened. */
static void test_pictures_of_hostile_names_and_nothing(void) {
    fsim_error err = {0};
    set_up();
    json_object_set_new(record[0].summary, "policy", json_string("it's `touch \"x\"` $y @z \\n _a^b"));
    json_object_set_new(record[0].summary, "name", json_string("a\nb"));
    json_object_set_new(record[0].summary, "bills", json_array());
    sample[0].result.series_count = 0;
    memset(sample[0].result.total.latency.hist, 0, sizeof(fsim_histogram));
    write_ok("hostile", 1);
    fsim_status status = fsim_plot_folder(at("hostile"), &err);
    if (status == FSIM_EIO && strstr(err.text, "cannot be started") != NULL) {
        tear_down();
        SKIP("gnuplot is not installed");
    }
    CHECK_EQ_STR(err.text, "");
    CHECK_EQ_INT(entries("hostile"), 7 + 8);
    CHECK(!exists("hostile/x"));
    tear_down();
}

static void test_without_gnuplot(void) {
    fsim_error err = {0};
    set_up();
    write_ok("bare", 1);
    char *path = strdup(getenv("PATH"));
    REQUIRE(path != NULL);
    setenv("PATH", base, 1);
    CHECK_EQ_INT(fsim_plot_folder(at("bare"), &err), FSIM_EIO);
    setenv("PATH", path, 1);
    free(path);
    CHECK_EQ_STR(err.place, "gnuplot");
    CHECK_CONTAINS(err.text, "install it");
    CHECK_EQ_INT(entries("bare"), 7);
    tear_down();
}

static void test_plot_of_no_results(void) {
    fsim_error err = {0};
    CHECK_EQ_INT(fsim_plot_folder(at("nowhere"), &err), FSIM_EIO);
    CHECK_CONTAINS(err.place, "nowhere/summary.json");
    err = (fsim_error){0};
    REQUIRE(mkdir(at("other"), 0777) == 0);
    touch("other/summary.json");
    CHECK_EQ_INT(fsim_plot_folder(at("other"), &err), FSIM_EDATA);
}

static void check_spoilt(const char *content, const char *message) {
    fsim_error err = {0};
    FILE *file = fopen(at("spoilt/timeseries.csv"), "w");
    REQUIRE(file != NULL);
    fputs(content, file);
    fclose(file);
    CHECK_EQ_INT(fsim_plot_folder(at("spoilt"), &err), FSIM_EDATA);
    CHECK_CONTAINS(err.place, "spoilt/timeseries.csv");
    CHECK_CONTAINS(err.text, message);
}

static void test_plot_of_spoilt_data(void) {
    static const char head[] = "time_s,starting,busy,idle,in_execution,queued,wanted,instances\n";
    char text[256];
    set_up();
    write_ok("spoilt", 1);
    check_spoilt("", "no column 'time_s'");
    check_spoilt("time_s,starting\n", "no column 'busy'");
    snprintf(text, sizeof text, "%s1,2,3,4,5,6,7,8\n1,2,x,4,5,6,7,8\n", head);
    check_spoilt(text, "line 3, column 3: expected a number");
    snprintf(text, sizeof text, "%s1,2,3\n", head);
    check_spoilt(text, "line 2 has 3 columns only");
    tear_down();
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where) {
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

int main(void) {
    if (mkdtemp(base) == NULL) {
        perror(base);
        return 1;
    }
    RUN(test_one_policy);
    RUN(test_manifest);
    RUN(test_several_policies_twice);
    RUN(test_again_into_the_same_folder);
    RUN(test_failure_leaves_nothing);
    RUN(test_full_disk);
    RUN(test_pictures);
    RUN(test_pictures_of_hostile_names_and_nothing);
    RUN(test_without_gnuplot);
    RUN(test_plot_of_no_results);
    RUN(test_plot_of_spoilt_data);
    nftw(base, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return check_done();
}
