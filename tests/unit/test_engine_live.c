/* A live run whose driver answers as a simulation would draw: constant starts, constant requests, a clock
 * that jumps. It must end as the simulation does, under early and late binding, scaling and limits. */
#include "io/json_reader.h"
#include "io/scenario_load.h"
#include "model/run.h"
#include "support/check.h"

enum { PENDING_MAX = 4096 };
static const fsim_ns start_ns = 3 * FSIM_MS, call_ns = 20 * FSIM_MS;

typedef struct pending {
    fsim_live_event event;
    uint64_t order;
} pending;

typedef struct script {
    pending waiting[PENDING_MAX];
    uint32_t count;
    uint64_t order;
    fsim_ns now_ns;
    uint32_t started, removed, begun, cut;
    uint32_t fail_every; /* every n-th call fails; 0: none */
    uint32_t stop_after; /* waits; 0: never */
    uint32_t waits;
} script;

static fsim_status later(script *s, fsim_live_event event) {
    fsim_assert(s->count < PENDING_MAX);
    s->waiting[s->count++] = (pending){event, s->order++};
    return FSIM_OK;
}

static fsim_status on_start(void *user, uint32_t instance, bool ready, fsim_error *err) {
    script *s = user;
    (void)err;
    s->started++;
    return ready
               ? FSIM_OK
               : later(s, (fsim_live_event){
                              .kind = FSIM_LIVE_READY, .at_ns = s->now_ns + start_ns, .instance = instance});
}

static void on_remove(void *user, uint32_t instance) {
    script *s = user;
    s->removed++;
    for (uint32_t i = 0; i < s->count; i++) { /* a start that is called off */
        if (s->waiting[i].event.kind == FSIM_LIVE_READY && s->waiting[i].event.instance == instance) {
            s->waiting[i--] = s->waiting[--s->count];
        }
    }
}

static fsim_status on_begin(void *user, uint32_t request, uint32_t instance, fsim_error *err) {
    script *s = user;
    (void)instance;
    (void)err;
    s->begun++;
    bool fails = s->fail_every != 0 && s->begun % s->fail_every == 0;
    return later(s, (fsim_live_event){.kind = fails ? FSIM_LIVE_FAILED : FSIM_LIVE_DONE,
                                      .at_ns = s->now_ns + call_ns,
                                      .request = request});
}

static fsim_status on_cut(void *user, uint32_t request, uint32_t instance, fsim_error *err) {
    script *s = user;
    (void)instance;
    (void)err;
    s->cut++;
    for (uint32_t i = 0; i < s->count; i++) { /* its end does not come any more */
        if (s->waiting[i].event.kind != FSIM_LIVE_READY && s->waiting[i].event.request == request) {
            s->waiting[i--] = s->waiting[--s->count];
        }
    }
    return FSIM_OK;
}

static fsim_status on_wait(void *user, fsim_ns until_ns, fsim_live_event *out, fsim_error *err) {
    script *s = user;
    uint32_t first = UINT32_MAX;
    (void)err;
    for (uint32_t i = 0; i < s->count; i++) {
        const pending *p = &s->waiting[i], *q = first == UINT32_MAX ? NULL : &s->waiting[first];
        if (q == NULL || p->event.at_ns < q->event.at_ns ||
            (p->event.at_ns == q->event.at_ns && p->order < q->order)) {
            first = i;
        }
    }
    if (s->stop_after != 0 && ++s->waits == s->stop_after) {
        *out = (fsim_live_event){.kind = FSIM_LIVE_STOP, .at_ns = s->now_ns};
        return FSIM_OK;
    }
    if (first != UINT32_MAX && s->waiting[first].event.at_ns <= until_ns) {
        *out = s->waiting[first].event;
        s->waiting[first] = s->waiting[--s->count];
    } else {
        fsim_assert(until_ns != FSIM_NEVER);
        *out = (fsim_live_event){.kind = FSIM_LIVE_DUE, .at_ns = until_ns};
    }
    s->now_ns = out->at_ns;
    return FSIM_OK;
}

static const char *const policies[] = {
    "\"bundle\": \"lambda\"",
    ("\"bundle\": \"none\", \"scaling\": {\"name\": \"per_request\"}, \"keepalive\": {\"name\": \"fixed\", "
     "\"window\": \"50ms\"}, \"binding\": \"late\", \"cancel_start\": true"),
    "\"bundle\": \"knative\"",
    "\"bundle\": \"scf\"",
    "\"bundle\": \"none\", \"scaling\": {\"name\": \"per_request\"}, \"keepalive\": {\"name\": \"none\"}",
};

static fsim_scenario *load_with(const char *policy, const char *function) {
    char text[1024];
    fsim_error err = {0};
    fsim_value_pool *pool = fsim_value_pool_create();
    fsim_value *root = NULL;
    fsim_scenario *scenario = NULL;
    snprintf(
        text, sizeof text,
        "{\"schema\": \"fsim.scenario/1\", \"name\": \"live\", \"billing\": [],"
        " \"workload\": {\"source\": \"poisson\", \"rate\": 90, \"until\": \"30s\"},"
        " \"functions\": [{\"name\": \"fn\", \"memory_mb\": 64, \"max_instances\": 4, \"concurrency\": 1,"
        " \"service\": \"20ms\", \"cold_start\": \"3ms\"%s}],"
        " \"policy\": {%s}, \"run\": {\"seed\": 5, \"until\": \"31s\"}}",
        function, policy);
    REQUIRE(fsim_json_read_text(pool, text, "live.json", &root, &err) == FSIM_OK);
    if (fsim_scenario_from_tree(&scenario, pool, root, NULL, &(fsim_load_options){0}, &err) != FSIM_OK) {
        printf("%s: %s\n", err.place, err.text);
        REQUIRE(false);
    }
    return scenario;
}

static fsim_scenario *load(const char *policy) {
    return load_with(policy, "");
}

static fsim_result *run(const fsim_scenario *scenario, script *s) {
    const fsim_live_ops live = {on_start, on_remove, on_begin, on_cut, on_wait, s};
    const fsim_run_options options = {
        .seed = scenario->seed, .draw_all = true, .live = s == NULL ? NULL : &live};
    fsim_result *result = NULL;
    fsim_error err = {0};
    REQUIRE(fsim_run(&result, scenario, &options, &err) == FSIM_OK);
    return result;
}

static void test_ends_as_the_simulation_does(void) {
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        static script s;
        memset(&s, 0, sizeof s);
        check_context("%s", policies[i]);
        fsim_scenario *scenario = load(policies[i]);
        fsim_result *simulated = run(scenario, NULL), *live = run(scenario, &s);
        CHECK(simulated->total.n.completed > 1500);
        CHECK(simulated->total.n.started > 2);
        CHECK_EQ_INT(live->total.n.arrived, simulated->total.n.arrived);
        CHECK_EQ_INT(live->total.n.completed, simulated->total.n.completed);
        CHECK_EQ_INT(live->total.n.rejected_429, simulated->total.n.rejected_429);
        CHECK_EQ_INT(live->total.n.cold_triggered, simulated->total.n.cold_triggered);
        CHECK_EQ_INT(live->total.n.started, simulated->total.n.started);
        CHECK_EQ_INT(live->total.n.removed, simulated->total.n.removed);
        CHECK_EQ_INT(live->total.instances_peak, simulated->total.instances_peak);
        CHECK_EQ_INT(live->total.latency.sum_ns, simulated->total.latency.sum_ns);
        CHECK_EQ_INT(live->total.in_execution_ns, simulated->total.in_execution_ns);
        CHECK_EQ_INT(live->digest, simulated->digest);
        CHECK_EQ_INT(s.started, live->total.n.started);
        CHECK_EQ_INT(s.removed, live->total.n.removed);
        fsim_result_destroy(simulated);
        fsim_result_destroy(live);
        fsim_scenario_destroy(scenario);
    }
}

static void test_failures_are_counted(void) {
    static script s;
    memset(&s, 0, sizeof s);
    s.fail_every = 10;
    fsim_scenario *scenario = load(policies[0]);
    fsim_result *live = run(scenario, &s);
    CHECK_EQ_INT(live->total.n.failed, s.begun / 10);
    CHECK_EQ_INT(live->total.n.completed + live->total.n.failed + live->total.n.rejected_429 +
                     live->total.n.in_system_at_end,
                 live->total.n.arrived);
    fsim_result_destroy(live);
    fsim_scenario_destroy(scenario);
}

/* Calls of 20 ms under a time-out of 15 ms: the driver is told of each, once. */
static void test_a_timeout_cuts_off_as_in_a_simulation(void) {
    static script s;
    memset(&s, 0, sizeof s);
    fsim_scenario *scenario = load_with(policies[1], ", \"timeout\": \"15ms\"");
    fsim_result *simulated = run(scenario, NULL), *live = run(scenario, &s);
    CHECK(live->total.n.failed > 1500);
    CHECK_EQ_INT(live->total.n.completed, 0);
    CHECK_EQ_INT(s.cut, live->total.n.failed);
    CHECK_EQ_INT(live->digest, simulated->digest);
    fsim_result_destroy(simulated);
    fsim_result_destroy(live);
    fsim_scenario_destroy(scenario);
}

static void test_a_stop_leaves_the_results_so_far(void) {
    static script s;
    memset(&s, 0, sizeof s);
    s.stop_after = 1000;
    fsim_scenario *scenario = load(policies[0]);
    fsim_result *live = run(scenario, &s);
    CHECK_EQ_INT(live->end_ns, s.now_ns);
    CHECK(live->total.n.completed > 100);
    CHECK_EQ_INT(live->total.n.completed + live->total.n.rejected_429 + live->total.n.in_system_at_end,
                 live->total.n.arrived);
    fsim_result_destroy(live);
    fsim_scenario_destroy(scenario);
}

int main(void) {
    RUN(test_ends_as_the_simulation_does);
    RUN(test_failures_are_counted);
    RUN(test_a_timeout_cuts_off_as_in_a_simulation);
    RUN(test_a_stop_leaves_the_results_so_far);
    return check_done();
}
