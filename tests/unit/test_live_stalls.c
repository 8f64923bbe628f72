/* What a live run makes of stalls and of measured spans, whatever the machine: stalls become the
 * interruptions of a node, whose simulation is known, and spans become laws. */
#include "cli/live_laws.c"
#include "cli/live_stalls.c"
#include "cli/stall_watch.c"
#include "oracle/random_scenario.h"
#include "support/check.h"

#include <unistd.h>

/* ---- what stands for the worker ---- */

fsim_ns fsim_worker_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (fsim_ns)t.tv_sec * FSIM_SECOND + t.tv_nsec;
}

static void put(fsim_samples *s, double x) {
    s->x = realloc(s->x, (s->n + 1) * sizeof *s->x);
    REQUIRE(s->x != NULL);
    s->x[s->n++] = x;
}

/* Two calls, the second of which did not run for 2 of its 5 ms; all so long ago that no stall that is seen
 * now touches it. */
fsim_status fsim_calibrate(fsim_calibration *out, const char *module, const fsim_calibration_options *options,
                           fsim_error *err) {
    (void)module;
    (void)options;
    (void)err;
    memset(out, 0, sizeof *out);
    for (int i = 0; i < 2; i++) {
        put(&out->service, i == 0 ? 0.0032 : 0.0052);
        put(&out->call, i == 0 ? 0.003 : 0.005);
        put(&out->cpu, i == 0 ? 0.0031 : 0.003); /* clocks differ a little */
        put(&out->dispatch, 0.0001);
        put(&out->due_at, 1.0);
        put(&out->ready, 0.001);
        put(&out->ready_at, 1.0);
    }
    return FSIM_OK;
}

void fsim_calibration_destroy(fsim_calibration *c) {
    fsim_samples *all[] = {&c->service, &c->call, &c->cpu, &c->dispatch, &c->due_at, &c->ready, &c->ready_at};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        free(all[i]->x);
    }
}

/* ---- stalls ---- */

/* On a machine's clock that shows 100 s when the run begins. */
#define BEGAN (100 * FSIM_SECOND)

static const fsim_stall seen[] = {{1, BEGAN - 300 * FSIM_MS, 500 * FSIM_MS}, /* it had begun before the run */
                                  {0, BEGAN + 500 * FSIM_MS, 200 * FSIM_MS},
                                  {7, BEGAN + 600 * FSIM_MS, 100 * FSIM_MS},  /* no core of the run's */
                                  {1, BEGAN + 3900 * FSIM_MS, 800 * FSIM_MS}, /* it ended after the run */
                                  {0, BEGAN + 5000 * FSIM_MS, 100 * FSIM_MS}};

static fsim_live_stalls take(double speed_up) {
    fsim_stall copy[sizeof seen / sizeof seen[0]];
    fsim_live_stalls s;
    memcpy(copy, seen, sizeof seen);
    const fsim_stall_watch watch = {
        .cores = 2, .all_noted = true, .stalls = copy, .count = sizeof seen / sizeof seen[0]};
    REQUIRE(fsim_live_stalls_take(&s, &watch, BEGAN, BEGAN + 4 * FSIM_SECOND, speed_up, 2));
    return s;
}

static void test_stalls_on_the_clock_of_the_run(void) {
    fsim_live_stalls s = take(1);
    CHECK(s.known);
    REQUIRE(s.count == 3);
    CHECK_EQ_INT(s.list[0].core, 1);
    CHECK_EQ_INT(s.list[0].at_ns, 0);
    CHECK_EQ_INT(s.list[0].for_ns, 200 * FSIM_MS);
    CHECK_EQ_INT(s.list[1].at_ns, 500 * FSIM_MS);
    CHECK_EQ_INT(s.list[2].for_ns, 100 * FSIM_MS);
    CHECK_EQ_INT(s.longest_ns, 200 * FSIM_MS);
    CHECK_NEAR(s.share, 0.5 / 8, 1e-12);
    fsim_live_stalls_destroy(&s);
    s = take(10);
    CHECK_EQ_INT(s.list[1].at_ns, 5 * FSIM_SECOND);
    CHECK_EQ_INT(s.list[1].for_ns, 2 * FSIM_SECOND);
    CHECK_EQ_INT(s.longest_ns, 200 * FSIM_MS);
    fsim_live_stalls_destroy(&s);
}

/* Given these stalls: the first call has core 0 until 1.2 s, the second core 1 from 0.2 to 2.2 s, the third
 * follows the first until 1.7 s. */
static void test_stalls_given_the_prediction_is_known(void) {
    char directory[] = "/tmp/fsim-stalls-XXXXXX", path[64], text[1000];
    fsim_error err = {0};
    fsim_live_stalls s = take(1);
    REQUIRE(mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/stalls.json", directory);
    CHECK_EQ_INT(fsim_live_stalls_write(&s, path, &err), FSIM_OK);
    snprintf(text, sizeof text,
             "{\"schema\": \"fsim.scenario/1\", \"name\": \"stalls\", \"workload\": {\"source\": \"list\", "
             "\"arrivals\": [{\"arrival\": \"0s\", \"duration\": \"1s\"}, {\"arrival\": \"0.1s\", "
             "\"duration\": \"2s\"}, {\"arrival\": \"0.2s\", \"duration\": \"0.5s\"}]}, \"functions\": "
             "[{\"name\": \"fn\", \"memory_mb\": 1}], \"policy\": {\"bundle\": \"none\"}, \"billing\": [], "
             "\"platform\": {\"nodes\": {\"count\": 1, \"vcpu\": 2, \"memory\": \"1GB\", \"cpu_model\": "
             "\"fcfs\", \"interruptions\": \"%s\"}}}",
             path);
    fsim_result *r = engine_run(text, 1, NULL, NULL);
    REQUIRE(r != NULL);
    CHECK_EQ_INT(r->total.latency.sum_ns, (1200 + 2100 + 1500) * FSIM_MS);
    CHECK_EQ_INT(r->end_ns, 2200 * FSIM_MS);
    fsim_result_destroy(r);
    fsim_live_stalls_destroy(&s);
    unlink(path);
    rmdir(directory);
}

static void test_how_long_cores_were_still(void) {
    fsim_stall some[] = {{0, 100, 50}, {1, 120, 5}, {0, 400, 10}};
    const fsim_stall_watch watch = {.stalls = some, .count = 3};
    CHECK_EQ_INT(fsim_stall_watch_sum_ns(&watch, 0, 100), 0);
    CHECK_EQ_INT(fsim_stall_watch_sum_ns(&watch, 0, 101), 1);
    CHECK_EQ_INT(fsim_stall_watch_sum_ns(&watch, 0, 1000), 65);
    CHECK_EQ_INT(fsim_stall_watch_sum_ns(&watch, 123, 149), 26 + 2);
    CHECK_EQ_INT(fsim_stall_watch_sum_ns(&watch, 150, 400), 0);
    CHECK_EQ_INT(fsim_stall_watch_sum_ns(&watch, 405, 406), 1);
}

/* It ends, watches a core at least, and what it has seen is in order; how much that is says the machine. */
static void check_watch(bool keep_awake) {
    fsim_stall_watch watch;
    REQUIRE(fsim_stall_watch_begin(&watch, keep_awake));
    usleep(20000);
    fsim_stall_watch_end(&watch);
    CHECK(watch.cores > 0);
    for (size_t i = 0; i < watch.count; i++) {
        CHECK(watch.stalls[i].core < watch.cores);
        CHECK(watch.stalls[i].for_ns >= FSIM_STALL_LEAST_NS);
        CHECK(i == 0 || watch.stalls[i].at_ns >= watch.stalls[i - 1].at_ns);
    }
    fsim_stall_watch_destroy(&watch);
    fsim_stall_watch_destroy(&watch);
}

static void test_a_watch_begins_and_ends(void) {
    check_watch(false);
    check_watch(true);
}

/* ---- laws ---- */

static void fill(fsim_live_spans_ns *s, fsim_ns first_ns, fsim_ns second_ns) {
    s->x = malloc(2 * sizeof *s->x);
    REQUIRE(s->x != NULL);
    s->x[0] = first_ns;
    s->x[1] = second_ns;
    s->n = s->capacity = 2;
}

static void test_laws_of_what_was_measured(void) {
    fsim_live_laws laws = {.core_share = 0};
    fsim_error err = {0};
    CHECK_EQ_INT(fsim_live_laws_set(&laws, 1, &err), FSIM_EDATA);
    fill(&laws.service_ns, 5 * FSIM_MS, 3 * FSIM_MS);
    fill(&laws.start_ns, FSIM_MS, 2 * FSIM_MS);
    fill(&laws.dispatch_ns, 0, 2 * FSIM_MS);
    CHECK_EQ_INT(fsim_live_laws_set(&laws, 1, &err), FSIM_OK);
    CHECK_EQ_INT(laws.service.values[0], 4 * FSIM_MS); /* with a dispatch of 1 ms, in order */
    CHECK_EQ_INT(laws.service.values[1], 6 * FSIM_MS);
    CHECK_NEAR(laws.core_share, 4.0 / 5, 1e-12);
    CHECK_EQ_INT(fsim_live_laws_set(&laws, 10, &err), FSIM_OK); /* anew, not once more */
    CHECK_EQ_INT(laws.service.count, 2);
    CHECK_EQ_INT(laws.service.values[0], 40 * FSIM_MS);
    CHECK_EQ_INT(laws.cold_start.values[1], 20 * FSIM_MS);
    fsim_live_laws_destroy(&laws);
}

static void test_measured_before_and_after(void) {
    fsim_live_laws laws = {.core_share = 0};
    fsim_error err = {0};
    const fsim_calibration_options how = {.brief = true};
    for (int i = 0; i < 2; i++) {
        CHECK_EQ_INT(fsim_live_laws_measure(&laws, "some.wasm", &how, false, &err), FSIM_OK);
    }
    REQUIRE(laws.service_ns.n == 4);
    CHECK_NEAR((double)laws.service_ns.x[1], 5.2e6, 2); /* no stall was seen: that is what it takes */
    CHECK_EQ_INT(laws.start_ns.n, 4);
    CHECK_EQ_INT(laws.dispatch_ns.n, 4);
    fsim_live_laws_destroy(&laws);
}

static void test_a_call_counts_without_the_stall_in_it(void) {
    fsim_calibration c;
    fsim_stall some[] = {{0, FSIM_SECOND, 1500 * FSIM_US}, {0, FSIM_SECOND + 4 * FSIM_MS, 9 * FSIM_MS}};
    const fsim_stall_watch none = {.count = 0}, one = {.stalls = some, .count = 1},
                           two = {.stalls = some, .count = 2};
    REQUIRE(fsim_calibrate(&c, "some.wasm", NULL, NULL) == FSIM_OK);
    run_only(&c, &none);
    CHECK_NEAR(c.service.x[1], 0.0052, 1e-9);
    run_only(&c, &one); /* 1.5 ms of the 2 ms; the first call did run all the time: the stall was elsewhere */
    CHECK_NEAR(c.service.x[0], 0.0032, 1e-9);
    CHECK_NEAR(c.service.x[1], 0.0037, 1e-9);
    c.service.x[1] = 0.0052;
    run_only(&c, &two); /* 1.5 and 1.3 ms, of which 2 can have been its own */
    CHECK_NEAR(c.service.x[1], 0.0032, 1e-9);
    fsim_calibration_destroy(&c);
}

/* Spans that a stall touches are left out, unless that is most of them. */
static void test_disturbed_spans_are_left_out(void) {
    double spans_s[] = {0.001, 0.002, 0.003};
    double begin_s[] = {1.0, 2.0, 3.0};
    const fsim_samples at = {.x = begin_s, .n = 3};
    fsim_stall some[] = {{0, 2 * FSIM_SECOND, FSIM_MS}, {0, 3 * FSIM_SECOND, FSIM_MS}};
    const fsim_stall_watch one = {.stalls = some, .count = 1}, two = {.stalls = some, .count = 2};
    fsim_stall most[] = {{0, FSIM_SECOND, 3 * FSIM_SECOND}};
    const fsim_stall_watch all = {.stalls = most, .count = 1};
    fsim_live_spans_ns out = {.n = 0};
    fsim_error err = {0};
    CHECK_EQ_INT(add_undisturbed(&out, spans_s, &at, &one, &err), FSIM_OK);
    REQUIRE(out.n == 2);
    CHECK_EQ_INT(out.x[1], 3 * FSIM_MS);
    CHECK_EQ_INT(add_undisturbed(&out, spans_s, &at, &two, &err), FSIM_OK);
    CHECK_EQ_INT(out.n, 3);
    CHECK_EQ_INT(add_undisturbed(&out, spans_s, &at, &all, &err), FSIM_OK);
    CHECK_EQ_INT(out.n, 6);
    free(out.x);
}

int main(void) {
    RUN(test_stalls_on_the_clock_of_the_run);
    RUN(test_stalls_given_the_prediction_is_known);
    RUN(test_how_long_cores_were_still);
    RUN(test_a_watch_begins_and_ends);
    RUN(test_laws_of_what_was_measured);
    RUN(test_measured_before_and_after);
    RUN(test_a_call_counts_without_the_stall_in_it);
    RUN(test_disturbed_spans_are_left_out);
    return check_done();
}
