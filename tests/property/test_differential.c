/* The engine against the naive simulator (tests/oracle/naive.h) on random scenarios: every count, every
 * integral and the story of every request must be the same integers. DIFFERENTIAL_SEED=N runs one scenario
 * and prints it. */
#include "oracle/random_scenario.h"
#include "support/check.h"

#define SCENARIOS      3000u
#define FAILURES_SHOWN 5

/* ---- the story of every request ---- */

typedef struct story {
    fsim_ns arrival_ns, start_ns, end_ns;
    uint32_t fn, retries;
    int outcome;
    bool cold;
} story;

typedef struct stories {
    story *row;
    uint32_t count, room;
} stories;

static void stories_add(stories *s, story row) {
    if (s->count == s->room) {
        s->room = 2 * s->room + 64;
        s->row = realloc(s->row, s->room * sizeof *s->row);
        REQUIRE(s->row != NULL);
    }
    s->row[s->count++] = row;
}

/* The naive simulator's number of what the engine calls fn: versions stand behind their function. */
static uint32_t number_of(const fsim_function_table *functions, uint32_t fn) {
    return fsim_function_table_has_versions(functions) ? fn - 1u : fn;
}

static fsim_status on_request(void *user, const fsim_request_row *row, fsim_error *err) {
    (void)err;
    if (row->outcome != FSIM_IN_SYSTEM) {
        stories_add(user, (story){.arrival_ns = row->arrival_ns,
                                  .start_ns = row->start_ns,
                                  .end_ns = row->end_ns,
                                  .fn = number_of(row->functions, row->fn),
                                  .retries = row->retries,
                                  .outcome = (int)row->outcome,
                                  .cold = row->cold});
    }
    return FSIM_OK;
}

static void naive_stories(stories *s, const naive_world *w, const naive_result *r) {
    static const int outcomes[] = {FSIM_IN_SYSTEM,    FSIM_COMPLETED, FSIM_REJECTED_429,
                                   FSIM_REJECTED_503, FSIM_TIMED_OUT, FSIM_FAILED};
    for (uint32_t i = 0; i < w->arrival_count; i++) {
        const naive_request *q = &r->requests[i];
        if (q->outcome != NAIVE_IN_SYSTEM && w->arrivals[i].at_ns <= r->end_ns) {
            stories_add(s, (story){.arrival_ns = w->arrivals[i].at_ns,
                                   .start_ns = q->start_ns,
                                   .end_ns = q->end_ns,
                                   .fn = w->arrivals[i].fn,
                                   .retries = q->retries,
                                   .outcome = outcomes[q->outcome],
                                   .cold = q->cold});
        }
    }
}

#define COMPARE(a, b, field)                                                                                 \
    if ((a)->field != (b)->field) {                                                                          \
        return (a)->field < (b)->field ? -1 : 1;                                                             \
    }

static int story_order(const void *left, const void *right) {
    const story *a = left, *b = right;
    COMPARE(a, b, arrival_ns)
    COMPARE(a, b, fn)
    COMPARE(a, b, end_ns)
    COMPARE(a, b, start_ns)
    COMPARE(a, b, outcome)
    COMPARE(a, b, retries)
    COMPARE(a, b, cold)
    return 0;
}

static void tell(const char *who, const story *s) {
    printf("    %-6s f%u arrived %.9f started %.9f ended %.9f %s %s, %u retries\n", who, s->fn + 1,
           fsim_ns_to_s(s->arrival_ns), s->start_ns == FSIM_NEVER ? -1 : fsim_ns_to_s(s->start_ns),
           fsim_ns_to_s(s->end_ns), s->cold ? "cold" : "warm",
           (const char *[]){"completed", "429", "503", "504", "failed", "inside"}[s->outcome], s->retries);
}

static void compare_stories(stories *engine, stories *naive) {
    if (!CHECK_EQ_INT(engine->count, naive->count) || engine->count == 0) {
        return;
    }
    qsort(engine->row, engine->count, sizeof *engine->row, story_order);
    qsort(naive->row, naive->count, sizeof *naive->row, story_order);
    for (uint32_t i = 0; i < engine->count; i++) {
        if (story_order(&engine->row[i], &naive->row[i]) != 0) {
            check_fail(__FILE__, __LINE__, "request %u of %u in order of arrival differs", i, naive->count);
            tell("engine", &engine->row[i]);
            tell("naive", &naive->row[i]);
            return;
        }
    }
}

/* ---- counts and integrals ---- */

static void compare_scope(const fsim_scope *e, const naive_scope *n) {
    CHECK_EQ_INT(e->n.arrived, n->arrived);
    CHECK_EQ_INT(e->n.completed, n->completed);
    CHECK_EQ_INT(e->n.rejected_429, n->rejected_429);
    CHECK_EQ_INT(e->n.rejected_503, n->rejected_503);
    CHECK_EQ_INT(e->n.timed_out, n->timed_out);
    CHECK_EQ_INT(e->n.failed, n->failed);
    CHECK_EQ_INT(e->n.in_system_at_end, n->in_system_at_end);
    CHECK_EQ_INT(e->n.retries, n->retries);
    for (int cause = 0; cause < FSIM_CAUSE_COUNT; cause++) {
        CHECK_EQ_INT(e->n.throttled[cause], n->throttled[cause]);
    }
    CHECK_EQ_INT(e->n.cold_triggered, n->cold_triggered);
    CHECK_EQ_INT(e->n.cold_affected, n->cold_affected);
    CHECK_EQ_INT(e->n.started, n->started);
    CHECK_EQ_INT(e->n.removed, n->removed);
    CHECK_EQ_INT(e->n.crashed, n->crashed);
    CHECK_EQ_INT(e->n.sessions_started, n->sessions_started);
    CHECK_EQ_INT(e->n.sessions_expired, n->sessions_expired);
    CHECK_EQ_INT(e->n.sessions_cut, n->sessions_cut);
    CHECK_EQ_INT(e->n.sessions_lost, n->sessions_lost);
    CHECK_EQ_INT(e->sessions_at_end, n->sessions_at_end);
    CHECK_EQ_INT(e->n.sessions_followed, n->sessions_followed);
    CHECK_EQ_INT(e->n.sessions_elsewhere, n->sessions_elsewhere);
    CHECK_EQ_INT(e->waited, n->waited);
    CHECK_EQ_INT(e->latency.count, n->completed);
    CHECK_EQ_INT(e->latency.sum_ns, n->latency_ns);
    CHECK_EQ_INT(e->wait.sum_ns, n->wait_ns);
    CHECK_EQ_INT(e->service.sum_ns, n->service_ns);
    CHECK_EQ_INT(e->in_execution_ns, n->in_execution_ns);
    CHECK_EQ_INT(e->in_execution_sq_ns, n->in_execution_sq_ns);
    CHECK_EQ_INT(e->starting_ns, n->starting_ns);
    CHECK_EQ_INT(e->busy_ns, n->busy_ns);
    CHECK_EQ_INT(e->idle_ns, n->idle_ns);
    CHECK_EQ_INT(e->queue_ns, n->queue_ns);
    CHECK_EQ_INT(e->in_execution_peak, n->in_execution_peak);
    CHECK_EQ_INT(e->instances_peak, n->instances_peak);
    CHECK_EQ_INT(e->queue_peak, n->queue_peak);
    if (n->completed > 0) {
        CHECK_EQ_INT(e->latency.max_ns, n->latency_max_ns);
    }
}

static void compare_scopes(const fsim_result *engine, const naive_result *naive, uint32_t functions,
                           uint64_t seed, const char *way) {
    check_context("seed %llu%s, total", (unsigned long long)seed, way);
    compare_scope(&engine->total, &naive->total);
    for (uint32_t fn = 0; fn < functions; fn++) {
        check_context("seed %llu%s, f%u", (unsigned long long)seed, way, fn + 1);
        uint32_t id = fn + engine->function_count - functions;
        compare_scope(&engine->per_function[id], &naive->per_function[fn]);
    }
    if (engine->function_count != functions) {
        check_context("seed %llu%s, all versions", (unsigned long long)seed, way);
        compare_scope(&engine->per_function[0], &naive->total);
    }
}

static void compare(uint64_t seed, bool print) {
    random_scenario s;
    random_scenario_init(&s, seed, false);
    char *text = random_scenario_print(&s);
    stories engine_rows = {0}, naive_rows = {0};
    naive_result naive;
    if (print) {
        fputs(text, stdout);
        fflush(stdout); /* whatever happens then */
    }
    fsim_result *engine = engine_run(text, seed, on_request, &engine_rows);
    naive_run(&naive, &s.world);
    naive_stories(&naive_rows, &s.world, &naive);
    check_context("seed %llu", (unsigned long long)seed);
    if (CHECK(engine != NULL)) {
        CHECK_EQ_INT(engine->end_ns, naive.end_ns);
        CHECK_EQ_INT(engine->horizon_ns, naive.horizon_ns);
        compare_stories(&engine_rows, &naive_rows);
        compare_scopes(engine, &naive, s.world.function_count, seed, "");
    }
    /* Without rows the engine may take its short way. */
    fsim_result *quiet = engine_run(text, seed, NULL, NULL);
    if (CHECK(quiet != NULL)) {
        compare_scopes(quiet, &naive, s.world.function_count, seed, " without rows");
    }
    fsim_result_destroy(quiet);
    fsim_result_destroy(engine);
    naive_result_clear(&naive);
    free(engine_rows.row);
    free(naive_rows.row);
    free(text);
    random_scenario_clear(&s);
}

static void test_engine_agrees_with_the_naive_simulator(void) {
    const char *one = getenv("DIFFERENTIAL_SEED");
    if (one != NULL) {
        compare(strtoull(one, NULL, 10), true);
        return;
    }
    int differ = 0;
    for (uint64_t seed = 1; seed <= SCENARIOS && differ < FAILURES_SHOWN; seed++) {
        int before = check_state.failures;
        compare(seed, false);
        differ += check_state.failures > before;
    }
}

int main(void) {
    RUN(test_engine_agrees_with_the_naive_simulator);
    return check_done();
}
