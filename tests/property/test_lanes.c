/* Lanes, by hand: what happens at one instant, what is not whole and warm, windows to the nanosecond, and
 * blocks. Every scenario runs as lanes on one and on two threads, and by the general way. */
#include "oracle/random_scenario.h"
#include "support/check.h"
#include "support/same_result.h"

#include <stdlib.h>
#include <unistd.h>

#define AT_(at, length)        "\"arrival\": \"" at "\", \"duration\": \"" length "\"}, "
#define AT(at, length)         "{" AT_(at, length)
#define OF_G(at, length)       "{\"function\": \"g\", " AT_(at, length)
#define WINDOW(window)         "\"keepalive\": {\"name\": \"fixed\", \"window\": \"" window "\"}, "
#define OLDEST                 "\"routing\": \"oldest_idle\", "
#define MS(whole, nanoseconds) ((whole)*FSIM_MS + (nanoseconds))

/* What the first function should have done, and when the run ends. */
typedef struct figures {
    uint64_t completed, failed, left, cold, removed, instances, peak;
    fsim_ns latency_ns, end_ns;
} figures;

typedef struct lane_case {
    const char *name, *arrivals; /* of the functions f and g */
    const char *function;        /* of f: more keys, each with a comma behind it */
    const char *policy, *until;  /* NULL: kept for ever; until everybody has left */
    figures expected;
} lane_case;

#define CASE(name, arrivals, function, policy, until, ...)                                                   \
    {                                                                                                        \
        name, arrivals, function, policy, until, {                                                           \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }

static void check_figures(const fsim_result *r, const figures *expected) {
    const fsim_scope *f = &r->per_function[0];
    CHECK_EQ_INT(f->n.completed, expected->completed);
    CHECK_EQ_INT(f->n.failed, expected->failed);
    CHECK_EQ_INT(f->n.in_system_at_end, expected->left);
    CHECK_EQ_INT(f->n.cold_triggered, expected->cold);
    CHECK_EQ_INT(f->n.removed, expected->removed);
    CHECK_EQ_INT(f->instances_peak, expected->instances);
    CHECK_EQ_INT(f->in_execution_peak, expected->peak);
    CHECK_EQ_INT(f->latency.sum_ns, expected->latency_ns);
    CHECK_EQ_INT(r->end_ns, expected->end_ns);
    CHECK(r->function_count > 1 || r->total.in_execution_peak == expected->peak);
}

/* The workload's JSON, and that of functions beside f. */
static void check_workload(const char *workload, const lane_case *c, const char *others) {
    char *text = NULL;
    size_t size = 0;
    fsim_error err = {0};
    const fsim_load_options load = {0};
    FILE *out = open_memstream(&text, &size);
    REQUIRE(out != NULL);
    fprintf(out,
            "{\"schema\": \"fsim.scenario/1\", \"name\": \"lanes\", \"workload\": %s, \"functions\": [{%s "
            "\"name\": \"f\"}%s], \"policy\": {%s \"bundle\": \"none\"}, \"billing\": [], \"run\": {",
            workload, c->function, others, c->policy == NULL ? "" : c->policy);
    if (c->until != NULL) {
        fprintf(out, "\"until\": \"%s\"", c->until);
    }
    fputs("}}", out);
    fclose(out);
    fsim_result *general =
        engine_run_with(text, &(fsim_run_options){.seed = 1, .no_short_way = true}, &load, &err);
    for (uint32_t threads = 1; threads <= 2; threads++) {
        fsim_result *lanes =
            engine_run_with(text, &(fsim_run_options){.seed = 1, .threads = threads}, &load, &err);
        if (CHECK(general != NULL && lanes != NULL)) {
            check_figures(lanes, &c->expected);
            check_same(lanes, general);
        } else {
            printf("%s: %s\n%.400s\n", err.place, err.text, text);
        }
        fsim_result_destroy(lanes);
    }
    fsim_result_destroy(general);
    free(text);
}

/* Arrivals with a comma behind the last. */
static void check_list(const char *arrivals, const lane_case *c, const char *others) {
    size_t length = strlen(arrivals), size = length + 64;
    char *workload = malloc(size);
    REQUIRE(workload != NULL && length > 2);
    snprintf(workload, size, "{\"source\": \"list\", \"arrivals\": [%.*s]}", (int)length - 2, arrivals);
    check_workload(workload, c, others);
    free(workload);
}

#define G ", {\"name\": \"g\"}"

/* Each with f alone, where it has all arrivals, and with g beside it, which begins before. */
static void check_cases(const lane_case *cases, size_t count) {
    for (size_t k = 0; k < count; k++) {
        char more[2000];
        if (strstr(cases[k].arrivals, "\"g\"") == NULL) {
            check_context("%s, alone", cases[k].name);
            check_list(cases[k].arrivals, &cases[k], "");
        }
        check_context("%s, beside another", cases[k].name);
        snprintf(more, sizeof more, "%s%s", OF_G("0s", "0.5s"), cases[k].arrivals);
        check_list(more, &cases[k], G);
    }
}
#define CHECK_CASES(cases) check_cases(cases, sizeof(cases) / sizeof *(cases))

/* ---- at one instant ---- */

/* X keeps an instance busy from 10 s on; Y finds none idle at 11 s, and has its own at 13 s, as Z ends. */
#define COLD2 "\"cold_start\": \"2s\", "
#define TWO   AT("0s", "1s") AT("0s", "1s")
#define THREE TWO AT("0s", "1s")
#define X     AT("10s", "100s")
#define Y     AT("11s", "1s")

static void test_ties_go_in_the_order_of_scheduling(void) {
    static const lane_case cases[] = {
        CASE("Z is scheduled after Y", TWO X AT("10.5s", "1s") Y AT("12s", "1s"), COLD2, NULL, NULL, 6, 0, 0,
             3, 0, 3, 3, 111 * FSIM_SECOND, 110 * FSIM_SECOND),
        CASE("Z ends a nanosecond before", TWO X AT("10.5s", "1s") Y AT("12s", "999999999ns"), COLD2, NULL,
             NULL, 6, 0, 0, 3, 0, 3, 2, 111 * FSIM_SECOND - 1, 110 * FSIM_SECOND),
        CASE("Z is scheduled before Y", TWO X AT("10.5s", "2.5s") Y, COLD2, NULL, NULL, 5, 0, 0, 3, 0, 3, 2,
             MS(111500, 0), 110 * FSIM_SECOND),
        CASE("Z is scheduled just before Y", TWO X AT("11s", "2s") Y, COLD2, NULL, NULL, 5, 0, 0, 3, 0, 3, 2,
             111 * FSIM_SECOND, 110 * FSIM_SECOND),
        CASE("two are scheduled after Y",
             THREE X AT("10.5s", "1s") AT("10.5s", "1s") Y AT("12s", "1s") AT("12s", "1s"), COLD2, NULL, NULL,
             9, 0, 0, 4, 0, 4, 4, 116 * FSIM_SECOND, 110 * FSIM_SECOND),
        CASE("one before Y, one after", THREE X AT("10.5s", "1s") AT("10.5s", "2.5s") Y AT("12s", "1s"),
             COLD2, NULL, NULL, 8, 0, 0, 4, 0, 4, 3, MS(116500, 0), 110 * FSIM_SECOND),
        CASE("two like Y", TWO X AT("10.5s", "1s") Y Y AT("12s", "1s"), COLD2, NULL, NULL, 7, 0, 0, 4, 0, 4,
             4, 114 * FSIM_SECOND, 110 * FSIM_SECOND),
        CASE("Z is cold and ends later", TWO X AT("10.5s", "100s") AT("11s", "0.5s") AT("12s", "1s"), COLD2,
             NULL, NULL, 6, 0, 0, 4, 0, 4, 3, MS(211500, 0), MS(110500, 0)),
        CASE("Z is cut off", TWO AT("10.5s", "0.6s") AT("10.5s", "0.6s") Y AT("12s", "5s") AT("12.5s", "1s"),
             COLD2 "\"timeout\": \"1s\", ", NULL, NULL, 6, 1, 0, 3, 0, 3, 3, MS(11200, 0), 14 * FSIM_SECOND),
        CASE("Z is another function's", TWO X AT("10.5s", "100s") Y OF_G("12s", "1s"), COLD2, NULL, NULL, 5,
             0, 0, 3, 0, 3, 3, 209 * FSIM_SECOND, MS(110500, 0)),
    };
    CHECK_CASES(cases);
}

/* ---- what is not whole and warm ---- */

static void test_no_time_and_too_much(void) {
    static const lane_case cases[] = {
        CASE("starts of no time", AT("0s", "1s") AT("0s", "1s") AT("0.5s", "1s") AT("1s", "1s"), "", NULL,
             NULL, 4, 0, 0, 3, 0, 3, 3, 4 * FSIM_SECOND, 2 * FSIM_SECOND),
        CASE("service of no time, starts of no time", AT("0s", "0s") AT("0s", "0s") AT("1s", "0s"), "", NULL,
             NULL, 3, 0, 0, 1, 0, 1, 1, 0, FSIM_SECOND),
        CASE("service of no time", AT("0s", "0s") AT("2s", "0s") AT("5s", "0s") AT("5s", "0s"), COLD2, NULL,
             NULL, 4, 0, 0, 1, 0, 1, 1, 2 * FSIM_SECOND, 5 * FSIM_SECOND),
        CASE("above the timeout", AT("0s", "2s") AT("5s", "2s") AT("5.5s", "0.5s") AT("6s", "1s"),
             COLD2 "\"timeout\": \"1s\", ", NULL, NULL, 2, 2, 0, 2, 0, 2, 1, MS(3500, 0), 8 * FSIM_SECOND),
        CASE("a nanosecond above the timeout", AT("0s", "1s") AT("5s", "1s") AT("7s", "1000000001ns"),
             COLD2 "\"timeout\": \"1s\", ", NULL, NULL, 2, 1, 0, 1, 0, 1, 1, 4 * FSIM_SECOND,
             8 * FSIM_SECOND),
    };
    CHECK_CASES(cases);
}

static void test_the_end_of_the_run(void) {
#define COLD_AND_WARM AT("0s", "1s") AT("10s", "1s") AT("12s", "1s")
    static const lane_case cases[] = {
        CASE("inside a start", COLD_AND_WARM, COLD2, NULL, "1s", 0, 0, 1, 1, 0, 1, 0, 0, FSIM_SECOND),
        CASE("as one is ready", COLD_AND_WARM, COLD2, NULL, "2s", 0, 0, 1, 1, 0, 1, 1, 0, 2 * FSIM_SECOND),
        CASE("inside a cold execution", COLD_AND_WARM, COLD2, NULL, "2.5s", 0, 0, 1, 1, 0, 1, 1, 0,
             MS(2500, 0)),
        CASE("as the cold one ends", COLD_AND_WARM, COLD2, NULL, "3s", 1, 0, 0, 1, 0, 1, 1, 3 * FSIM_SECOND,
             3 * FSIM_SECOND),
        CASE("as one arrives", COLD_AND_WARM, COLD2, NULL, "10s", 1, 0, 1, 1, 0, 1, 1, 3 * FSIM_SECOND,
             10 * FSIM_SECOND),
        CASE("inside an execution", COLD_AND_WARM, COLD2, NULL, "10.5s", 1, 0, 1, 1, 0, 1, 1, 3 * FSIM_SECOND,
             MS(10500, 0)),
        CASE("a nanosecond before its end", COLD_AND_WARM, COLD2, NULL, "10999999999ns", 1, 0, 1, 1, 0, 1, 1,
             3 * FSIM_SECOND, MS(11000, -1)),
        CASE("at its end", COLD_AND_WARM, COLD2, NULL, "11s", 2, 0, 0, 1, 0, 1, 1, 4 * FSIM_SECOND,
             11 * FSIM_SECOND),
        CASE("at the end of a window", COLD_AND_WARM, COLD2, WINDOW("5s"), "8s", 1, 0, 0, 1, 0, 1, 1,
             3 * FSIM_SECOND, 8 * FSIM_SECOND),
        CASE("a nanosecond after the end of a window", COLD_AND_WARM, COLD2, WINDOW("5s"), "8000000001ns", 1,
             0, 0, 1, 1, 1, 1, 3 * FSIM_SECOND, MS(8000, 1)),
    };
    CHECK_CASES(cases);
}

/* ---- keep-alive ---- */

static void test_windows_are_kept_to_the_nanosecond(void) {
#define EVERY_5S                                                                                             \
    AT("5s", "1s")                                                                                           \
    AT("10s", "1s") AT("15s", "1s") AT("20s", "1s") AT("25s", "1s") AT("30s", "1s") AT("30s", "1s")
    static const lane_case cases[] = {
        CASE("at the end of the window", AT("0s", "1s") AT("13s", "1s"), COLD2, WINDOW("10s"), NULL, 2, 0, 0,
             1, 0, 1, 1, 4 * FSIM_SECOND, 14 * FSIM_SECOND),
        CASE("a nanosecond later", AT("0s", "1s") AT("13000000001ns", "1s"), COLD2, WINDOW("10s"), NULL, 2, 0,
             0, 2, 1, 1, 1, 6 * FSIM_SECOND, MS(16000, 1)),
        CASE("no window, at the end", AT("0s", "1s") AT("3s", "1s"), COLD2, WINDOW("0s"), NULL, 2, 0, 0, 1, 0,
             1, 1, 4 * FSIM_SECOND, 4 * FSIM_SECOND),
        CASE("no window, a nanosecond later", AT("0s", "1s") AT("3000000001ns", "1s"), COLD2, WINDOW("0s"),
             NULL, 2, 0, 0, 2, 1, 1, 1, 6 * FSIM_SECOND, MS(6000, 1)),
        CASE("two that are idle since a nanosecond apart",
             AT("0s", "1s") AT("0s", "1000000001ns") AT("13000000001ns", "1s") AT("13000000001ns", "1s"),
             COLD2, WINDOW("10s"), NULL, 4, 0, 0, 3, 1, 2, 2, MS(10000, 1), MS(16000, 1)),
        /* The newest idle does all the work, and the other goes; … */
        CASE("newest idle", TWO EVERY_5S, COLD2, WINDOW("10s"), NULL, 9, 0, 0, 3, 1, 2, 2, 15 * FSIM_SECOND,
             33 * FSIM_SECOND),
        /* … or they take turns, and both are there at 30 s. */
        CASE("oldest idle", TWO EVERY_5S, COLD2, WINDOW("10s") OLDEST, NULL, 9, 0, 0, 2, 0, 2, 2,
             13 * FSIM_SECOND, 31 * FSIM_SECOND),
    };
    CHECK_CASES(cases);
}

/* ---- blocks ---- */

enum { STEP_MS = 10, LONG_MS = 300000, STEPS = 40000 }; /* more than two blocks of arrivals */

/* The first is taken to end in a block that is filled much later; it does so after its start. */
static void test_a_supposed_end_in_a_later_block(void) {
    static const lane_case later = {.function = "\"cold_start\": \"5ms\", ",
                                    .expected = {STEPS, 0, 0, 2, 0, 2, 2,
                                                 MS(INT64_C(5) * (STEPS - 2) + LONG_MS + 5 + 10, 0),
                                                 MS(STEP_MS * (STEPS - 1) + 5, 0)}};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    REQUIRE(out != NULL);
    for (int k = 0; k < STEPS; k++) {
        fprintf(out, "{\"arrival\": \"%dms\", \"duration\": \"%dms\"}, ", STEP_MS * k, k == 0 ? LONG_MS : 5);
    }
    fputs(OF_G("399990ms", "1ms"), out); /* the last, so that it can be cut off below */
    fclose(out);
    check_context("beside another");
    check_list(text, &later, G);
    strstr(text, "{\"function\"")[0] = '\0';
    check_context("alone");
    check_list(text, &later, "");
    free(text);
}

/* ---- functions that come later ---- */

static char file_name[64];

/* f is alone for some blocks: four instances, three of them busy at once, and one that is still in execution
 * when g appears. */
static void test_a_function_that_comes_later(void) {
    enum { ALONE = 29900, BOTH = 1000 };
    static const lane_case later = {
        .function = "\"cold_start\": \"5ms\", ",
        .expected = {8 + ALONE + BOTH / 2, 0, 0, 4, 0, 4, 3,
                     MS(4 * 6 + 3 * 5 + 400000 + INT64_C(5) * (ALONE + BOTH / 2), 0), MS(401000, 0)}};
    FILE *out = fopen(file_name, "w");
    REQUIRE(out != NULL);
    fputs("arrival_s,function,duration_ms\n0,f,1\n0.0015,f,1\n0.003,f,1\n0.0045,f,1\n0.5,f,5\n0.5,f,5\n0.5,f,"
          "5\n"
          "1,f,400000\n",
          out);
    for (int k = 1; k <= ALONE + BOTH; k++) {
        int at_ms = 1000 + STEP_MS * k;
        fprintf(out, "%d.%03d,%s,5\n", at_ms / 1000, at_ms % 1000, k > ALONE && k % 2 == 0 ? "g" : "f");
    }
    fclose(out);
    char workload[128];
    snprintf(workload, sizeof workload, "{\"source\": \"csv\", \"file\": \"%s\"}", file_name);
    check_context("g comes later");
    check_workload(workload, &later, ", {\"name\": \"*\", \"cold_start\": \"5ms\"}");
}

int main(void) {
    snprintf(file_name, sizeof file_name, "%s/fsim-test-lanes-XXXXXX", P_tmpdir);
    int fd = mkstemp(file_name);
    if (fd < 0) {
        return 1;
    }
    close(fd);
    RUN(test_ties_go_in_the_order_of_scheduling);
    RUN(test_no_time_and_too_much);
    RUN(test_the_end_of_the_run);
    RUN(test_windows_are_kept_to_the_nanosecond);
    RUN(test_a_supposed_end_in_a_later_block);
    RUN(test_a_function_that_comes_later);
    remove(file_name);
    return check_done();
}
