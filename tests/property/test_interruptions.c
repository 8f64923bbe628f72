/* Cores of a node that are away for a while: by hand, against a server that is written down step by step, and
 * what holds for any list of interruptions. */
#include "oracle/random_scenario.h"
#include "support/check.h"

#include <stdlib.h>

enum { REQUESTS_MAX = 64, AWAY_MAX = 64 };

typedef struct away {
    int core; /* -1: all */
    int at_ms, for_ms;
} away;

/* `functions`, `nodes`: more keys, each with a comma behind it. */
static fsim_result *run(const char *arrivals, const char *functions, const char *nodes,
                        const char *interruptions) {
    static char text[20000];
    snprintf(text, sizeof text,
             "{\"schema\": \"fsim.scenario/1\", \"name\": \"away\", \"workload\": {\"source\": \"list\", "
             "\"arrivals\": [%s]}, \"functions\": [{\"name\": \"fn\", %s \"vcpu\": 1, \"memory_mb\": 1}], "
             "\"policy\": {\"bundle\": \"none\"}, \"platform\": {\"nodes\": {%s \"memory\": \"1GB\", "
             "\"cpu_model\": \"fcfs\", \"interruptions\": %s}}, \"billing\": []}",
             arrivals, functions, nodes, interruptions);
    fsim_result *result = engine_run(text, 1, NULL, NULL);
    REQUIRE(result != NULL);
    return result;
}

#define ONE_CORE               "\"count\": 1, \"vcpu\": 1,"
#define TWO_CORES              "\"count\": 1, \"vcpu\": 2,"
#define AWAY(core, at, length) "{\"core\": " #core ", \"at\": \"" at "\", \"for\": \"" length "\"}"
#define LIST(all)              "{\"list\": [" all "]}"

static void check_sum(const char *functions, const char *nodes, const char *interruptions, fsim_ns sum_ns,
                      fsim_ns end_ns) {
    static const char three[] = "{\"arrival\": \"0s\", \"duration\": \"1s\"}, {\"arrival\": \"0.1s\", "
                                "\"duration\": \"2s\"}, {\"arrival\": \"0.2s\", \"duration\": \"0.5s\"}";
    fsim_result *r = run(three, functions, nodes, interruptions);
    check_context("%s %s %s", functions, nodes, interruptions);
    CHECK_EQ_INT(r->total.n.completed, 3);
    CHECK_EQ_INT(r->total.latency.sum_ns, sum_ns);
    CHECK_EQ_INT(r->end_ns, end_ns);
    CHECK_NEAR((double)r->usage[0].cpu_ucore_ns / 1e15, 3.5, 1e-9);
    fsim_result_destroy(r);
}

static void test_what_is_on_the_core_goes_on_afterwards(void) {
    /* To 1 + 0.2, 3.2, 3.7. */
    check_sum("", ONE_CORE, LIST(AWAY(0, "0.5s", "0.2s")), (1200 + 3100 + 3500) * FSIM_MS, 3700 * FSIM_MS);
    /* Two that overlap are one, from 0.5 to 0.9; one inside of another adds nothing. */
    check_sum("", ONE_CORE, LIST(AWAY(0, "0.5s", "0.2s") ", " AWAY(0, "0.6s", "0.3s")),
              (1400 + 3300 + 3700) * FSIM_MS, 3900 * FSIM_MS);
    check_sum("", ONE_CORE, LIST(AWAY(0, "0.5s", "0.4s") ", " AWAY(0, "0.6s", "0.1s")),
              (1400 + 3300 + 3700) * FSIM_MS, 3900 * FSIM_MS);
    /* One after the other, and one that touches nobody any more. */
    check_sum("", ONE_CORE,
              LIST(AWAY(0, "0.5s", "0.1s") ", " AWAY(0, "0.6s", "0.1s") ", " AWAY(0, "9s", "1s")),
              (1200 + 3100 + 3500) * FSIM_MS, 3700 * FSIM_MS);
    /* From before the first arrival on: it waits. */
    check_sum("", ONE_CORE, LIST(AWAY(0, "0s", "0.2s")), (1200 + 3100 + 3500) * FSIM_MS, 3700 * FSIM_MS);
    /* At the instant at which the first is done: that one is not late, the others are. */
    check_sum("", ONE_CORE, LIST(AWAY(0, "1s", "0.2s")), (1000 + 3100 + 3500) * FSIM_MS, 3700 * FSIM_MS);
    check_sum("", ONE_CORE, LIST(AWAY(0, "1s", "0s")), (1000 + 2900 + 3300) * FSIM_MS, 3500 * FSIM_MS);
}

static void test_the_other_core_serves_the_line(void) {
    /* The first holds core 0 until 3, the second core 1 until 2.1, where the third follows until 2.6. */
    check_sum("", TWO_CORES, LIST(AWAY(0, "0.5s", "2s")), (3000 + 2000 + 2400) * FSIM_MS, 3000 * FSIM_MS);
    /* Core 1 is away when the second comes: it stands in line until core 0 is free at 1. */
    check_sum("", TWO_CORES, LIST(AWAY(1, "0s", "10s")), (1000 + 2900 + 3300) * FSIM_MS, 3500 * FSIM_MS);
    /* Back at 0.5 s, it takes the second until 2.5; the third has core 0 from 1 s. */
    check_sum("", TWO_CORES, LIST(AWAY(1, "0s", "0.5s")), (1000 + 2400 + 1300) * FSIM_MS, 2500 * FSIM_MS);
    /* The whole node. */
    check_sum("", TWO_CORES, LIST("{\"at\": \"0.5s\", \"for\": \"0.2s\"}"), (1200 + 2200 + 1500) * FSIM_MS,
              2300 * FSIM_MS);
    /* Half of each needs the core: 0 to 0.5, 0.5 to 1.5, 1.5 to 1.75 without, 0.2 s later each with the
     * interruption; the rest passes without. */
    fsim_result *r = run("{\"arrival\": \"0s\", \"duration\": \"1s\"}", "\"cpu_fraction\": 0.5,", ONE_CORE,
                         LIST(AWAY(0, "0.6s", "0.2s")));
    CHECK_EQ_INT(r->end_ns, FSIM_SECOND); /* nobody is on the core any more */
    fsim_result_destroy(r);
}

static void test_starts_are_interrupted_too(void) {
    static const char starting[] = "\"cold_start\": \"1s\", \"start_cpu_fraction\": 0.5,";
    /* The start has its core until 0.5 + 0.2, is ready 0.5 s later, and the call takes 1 s. */
    fsim_result *r =
        run("{\"arrival\": \"0s\", \"duration\": \"1s\"}", starting, ONE_CORE, LIST(AWAY(0, "0.3s", "0.2s")));
    CHECK_EQ_INT(r->end_ns, 2200 * FSIM_MS);
    fsim_result_destroy(r);
    r = run("{\"arrival\": \"0s\", \"duration\": \"1s\"}", starting, ONE_CORE, LIST(AWAY(0, "0.7s", "0.2s")));
    CHECK_EQ_INT(r->end_ns, 2000 * FSIM_MS);
    fsim_result_destroy(r);
}

/* A time-out counts wall time: who is cut off while its core is away leaves, and nobody has the core before
 * it is back. */
static void test_who_is_cut_off_leaves_a_core_that_is_away(void) {
    fsim_result *r = run("{\"arrival\": \"0s\", \"duration\": \"2s\"}, {\"arrival\": \"1.9s\", \"duration\": "
                         "\"1s\"}",
                         "\"timeout\": \"2.5s\",", ONE_CORE, LIST(AWAY(0, "1s", "2s")));
    CHECK_EQ_INT(r->total.n.failed, 1);
    CHECK_EQ_INT(r->total.n.completed, 1);
    CHECK_EQ_INT(r->end_ns, 4 * FSIM_SECOND);
    CHECK_NEAR((double)r->usage[0].cpu_ucore_ns / 1e15, 2, 1e-9);
    fsim_result_destroy(r);
}

static void test_each_node_has_its_own(void) {
    static const char list[] = "{\"list\": [{\"node\": 1, \"core\": 0, \"at\": \"0.5s\", \"for\": \"1s\"}]}";
    fsim_result *r = run("{\"arrival\": \"0s\", \"duration\": \"1s\"}, {\"arrival\": \"0s\", \"duration\": "
                         "\"1s\"}",
                         "", "\"count\": 2, \"vcpu\": 1,", list);
    CHECK_EQ_INT(r->total.latency.sum_ns, (1000 + 2000) * FSIM_MS);
    fsim_result_destroy(r);
}

/* ---- any list, one core ---- */

typedef struct request {
    int arrival_ms, service_ms;
} request;

/* When work of `need_ms` that begins at `from_ms` at the earliest is done by a server that is away so often.
 */
static int work(const bool *gone, int from_ms, int need_ms) {
    int at = from_ms;
    for (; need_ms > 0; at++) {
        need_ms -= gone[at] ? 0 : 1;
    }
    return at;
}

static void check_against_steps(uint64_t seed) {
    enum { HORIZON_MS = 100000 };
    static bool gone[HORIZON_MS];
    char arrivals[8000] = "", list[8000] = "";
    size_t a = 0, l = 0;
    int now_ms = 0, at_ms = 0, free_ms = 0;
    int64_t sum_ms = 0, work_ms = 0;
    fsim_rng rng;
    fsim_rng_seed(&rng, seed, "steps", FSIM_RNG_ARRIVALS);
    memset(gone, 0, sizeof gone);
    for (int i = 0; i < AWAY_MAX; i++) { /* some overlap */
        int for_ms = (int)fsim_rng_below(&rng, 60);
        at_ms += (int)fsim_rng_below(&rng, 120);
        l += (size_t)snprintf(list + l, sizeof list - l,
                              "%s{\"core\": 0, \"at\": \"%dms\", \"for\": \"%dms\"}", i > 0 ? ", " : "",
                              at_ms, for_ms);
        memset(gone + at_ms, 1, (size_t)for_ms * sizeof *gone);
    }
    for (int i = 0; i < REQUESTS_MAX; i++) {
        int service_ms = 1 + (int)fsim_rng_below(&rng, 70);
        now_ms += (int)fsim_rng_below(&rng, 110);
        a += (size_t)snprintf(arrivals + a, sizeof arrivals - a,
                              "%s{\"arrival\": \"%dms\", \"duration\": \"%dms\"}", i > 0 ? ", " : "", now_ms,
                              service_ms);
        free_ms = work(gone, free_ms > now_ms ? free_ms : now_ms, service_ms);
        sum_ms += free_ms - now_ms;
        work_ms += service_ms;
    }
    char interruptions[9000];
    snprintf(interruptions, sizeof interruptions, "{\"list\": [%s]}", list);
    fsim_result *r = run(arrivals, "", ONE_CORE, interruptions);
    check_context("seed %llu", (unsigned long long)seed);
    CHECK_EQ_INT(r->total.n.completed, REQUESTS_MAX);
    CHECK_EQ_INT(r->total.latency.sum_ns, sum_ms * FSIM_MS);
    CHECK_EQ_INT(r->end_ns, (fsim_ns)free_ms * FSIM_MS);
    CHECK_NEAR((double)r->usage[0].cpu_ucore_ns / 1e15, (double)work_ms / 1e3, 1e-9);
    fsim_result_destroy(r);
}

static void test_one_core_is_a_server_that_is_away(void) {
    for (uint64_t seed = 1; seed <= 40; seed++) {
        check_against_steps(seed);
    }
}

/* ---- drawn ones ---- */

static fsim_result *run_drawn(const char *interruptions, uint64_t seed) {
    static char text[2000];
    snprintf(
        text, sizeof text,
        "{\"schema\": \"fsim.scenario/1\", \"name\": \"drawn\", \"workload\": {\"source\": \"poisson\", "
        "\"rate\": 2, \"requests\": 5000}, \"functions\": [{\"name\": \"fn\", \"vcpu\": 1, \"memory_mb\": "
        "1, \"cold_start\": \"100ms\", \"start_cpu_fraction\": 1, \"timeout\": \"9s\", \"service\": "
        "{\"dist\": \"exponential\", \"mean\": \"500ms\"}}], \"policy\": {\"bundle\": \"none\"}, "
        "\"platform\": {\"nodes\": {\"count\": 2, \"vcpu\": 2, \"memory\": \"1GB\", \"cpu_model\": "
        "\"fcfs\", \"interruptions\": %s}}, \"billing\": []}",
        interruptions);
    fsim_result *result = engine_run(text, seed, NULL, NULL);
    REQUIRE(result != NULL);
    return result;
}

/* Who is never away for longer than no time at all leaves everything as it was; time away costs latency; and
 * the same seed gives the same run. */
static void test_drawn_interruptions(void) {
    for (uint64_t seed = 1; seed <= 5; seed++) {
        fsim_result *none = run_drawn("null", seed);
        fsim_result *zero = run_drawn("{\"every\": \"70ms\", \"for\": \"0s\"}", seed);
        static const char law[] =
            "{\"every\": {\"dist\": \"exponential\", \"mean\": \"2s\"}, \"for\": {\"dist\": "
            "\"lognormal\", \"mean\": \"300ms\", \"cv\": 1}}";
        fsim_result *some = run_drawn(law, seed), *again = run_drawn(law, seed);
        check_context("seed %llu", (unsigned long long)seed);
        CHECK_EQ_INT(none->digest, zero->digest);
        CHECK_EQ_INT(some->digest, again->digest);
        CHECK(some->digest != none->digest);
        CHECK_EQ_INT(some->total.n.completed + some->total.n.failed, 5000);
        CHECK(some->total.latency.sum_ns > none->total.latency.sum_ns);
        fsim_result_destroy(none);
        fsim_result_destroy(zero);
        fsim_result_destroy(some);
        fsim_result_destroy(again);
    }
}

int main(void) {
    RUN(test_what_is_on_the_core_goes_on_afterwards);
    RUN(test_the_other_core_serves_the_line);
    RUN(test_starts_are_interrupted_too);
    RUN(test_who_is_cut_off_leaves_a_core_that_is_away);
    RUN(test_each_node_has_its_own);
    RUN(test_one_core_is_a_server_that_is_away);
    RUN(test_drawn_interruptions);
    return check_done();
}
