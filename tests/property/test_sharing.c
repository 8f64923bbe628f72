/* Requests that slow each other down, or stand in line for a core: the CPU time they use is their own,
 * however long they take, and a function's time-out is one of wall time. */
#include "oracle/random_scenario.h"
#include "support/check.h"

static fsim_result *run(const char *model, const char *timeout, const char *platform, const char *arrivals,
                        const char *functions) {
    char text[4000];
    snprintf(text, sizeof text,
             "{\"schema\": \"fsim.scenario/1\", \"name\": \"sharing\", \"workload\": {\"source\": \"list\", "
             "\"arrivals\": [%s]}, \"functions\": [{\"name\": \"fn\", \"vcpu\": 1, \"concurrency\": 8, %s "
             "\"cpu_model\": "
             "\"%s\", \"slowdown_per_request\": 0.5, \"timeout\": %s}], \"policy\": {\"bundle\": \"none\"}, "
             "\"platform\": {%s}, \"billing\": []}",
             arrivals, functions, model, timeout, platform);
    fsim_result *result = engine_run(text, 1, NULL, NULL);
    REQUIRE(result != NULL);
    return result;
}

static const char two[] =
    "{\"arrival\": \"0s\", \"duration\": \"1s\"}, {\"arrival\": \"0s\", \"duration\": \"1s\"}";

static void check_times(const char *model, const char *timeout, const char *platform, uint64_t completed,
                        uint64_t failed, fsim_ns end_ns) {
    fsim_result *r = run(model, timeout, platform, two, "");
    check_context("%s, timeout %s", model, timeout);
    CHECK_EQ_INT(r->total.n.completed, completed);
    CHECK_EQ_INT(r->total.n.failed, failed);
    CHECK_EQ_INT(r->end_ns, end_ns);
    fsim_result_destroy(r);
}

static void test_a_timeout_cuts_off_those_who_are_slowed_down(void) {
    const char *node = "\"nodes\": {\"count\": 1, \"vcpu\": 1, \"memory\": \"1GB\", \"cpu_model\": \"ps\"}";
    check_times("none", "\"1.5s\"", "", 2, 0, FSIM_SECOND);
    check_times("ps", "null", "", 2, 0, 2 * FSIM_SECOND);
    check_times("ps", "\"2s\"", "", 2, 0, 2 * FSIM_SECOND); /* done at the very instant */
    check_times("ps", "\"1.5s\"", "", 0, 2, 1500 * FSIM_MS);
    check_times("linear", "\"1.5s\"", "", 2, 0, 1500 * FSIM_MS);
    check_times("linear", "\"1.2s\"", "", 0, 2, 1200 * FSIM_MS);
    check_times("none", "\"1.5s\"", node, 0, 2, 1500 * FSIM_MS);
}

/* The first is cut off at 1 s with half of its work done; the second, which came at 0.5 s, goes on alone. */
static void test_who_is_cut_off_leaves_room(void) {
    fsim_result *r = run(
        "ps", "\"1s\"", "",
        "{\"arrival\": \"0s\", \"duration\": \"2s\"}, {\"arrival\": \"0.5s\", \"duration\": \"0.7s\"}", "");
    CHECK_EQ_INT(r->total.n.failed, 1);
    CHECK_EQ_INT(r->total.n.completed, 1);
    CHECK_EQ_INT(r->end_ns, 1450 * FSIM_MS); /* 0.25 s of work by 1 s, then 0.45 s alone */
    CHECK_EQ_INT(r->usage[0].requests, 2);
    fsim_result_destroy(r);
}

/* Two that waited in the function's queue are slowed down by each other: what is armed as they begin lasts.
 */
static void test_a_timeout_cuts_off_those_who_waited_before(void) {
    static const char *const models[] = {"ps", "fcfs"};
    for (int m = 0; m < 2; m++) {
        char text[1000];
        snprintf(
            text, sizeof text,
            "{\"schema\": \"fsim.scenario/1\", \"name\": \"queue\", \"workload\": {\"source\": \"list\", "
            "\"arrivals\": [%s]}, \"functions\": [{\"name\": \"fn\", \"vcpu\": 1, \"max_instances\": 2, "
            "\"timeout\": \"1.5s\"}], \"policy\": {\"bundle\": \"none\", \"binding\": \"late\"}, "
            "\"platform\": "
            "{\"nodes\": {\"count\": 1, \"vcpu\": 1, \"memory\": \"1GB\", \"cpu_model\": \"%s\"}}, "
            "\"billing\": []}",
            two, models[m]);
        fsim_result *r = engine_run(text, 1, NULL, NULL);
        REQUIRE(r != NULL);
        check_context("%s", models[m]);
        CHECK_EQ_INT(r->total.n.failed, m == 0 ? 2 : 1);
        CHECK_EQ_INT(r->end_ns, 1500 * FSIM_MS);
        fsim_result_destroy(r);
    }
}

/* CPU time is the work that was done, whoever shared with whom: service times the request's rate. */
static void check_work(const char *model, const char *platform, const char *functions, double rate) {
    char arrivals[2000] = "";
    double service_s = 0;
    size_t len = 0;
    for (int i = 0; i < 24; i++) {
        double s = 0.05 + 0.11 * (i % 7);
        len += (size_t)snprintf(arrivals + len, sizeof arrivals - len,
                                "%s{\"arrival\": \"%gs\", \"duration\": \"%gs\"}", i > 0 ? ", " : "",
                                0.13 * i + (i % 5 == 0 ? 0 : 0.07), s);
        service_s += s;
    }
    fsim_result *r = run(model, "null", platform, arrivals, functions);
    check_context("%s, %s", model, platform);
    CHECK_EQ_INT(r->total.n.completed, 24);
    CHECK_NEAR((double)r->usage[0].cpu_ucore_ns / 1e15, service_s * rate, 1e-5 * service_s);
    CHECK(r->total.service.sum_ns > fsim_ns_from_s(service_s * 1.05)); /* they did slow each other down */
    fsim_result_destroy(r);
}

static void test_cpu_time_is_the_work_done(void) {
    const char *node = "\"nodes\": {\"count\": 1, \"vcpu\": 1, \"memory\": \"4GB\", \"cpu_model\": \"ps\"}";
    check_work("ps", "", "", 1.0);
    check_work("linear", "", "\"cpu_fraction\": 0.3,", 0.3);
    check_work("none", node, "\"cpu_fraction\": 0.9,", 0.9);
    check_work("none", node, "\"cpu_fraction\": 0.9, \"freeze\": false,", 0.9);
    node = "\"nodes\": {\"count\": 1, \"vcpu\": 1, \"memory\": \"4GB\", \"cpu_model\": \"fcfs\"}";
    check_work("none", node, "", 1.0);
    check_work("none", node, "\"cpu_fraction\": 0.9, \"freeze\": false,", 0.9);
}

/* ---- cores in order of arrival ---- */

#define CORES(n) "\"nodes\": {\"count\": 1, \"vcpu\": " #n ", \"memory\": \"400GB\", \"cpu_model\": \"fcfs\"}"

static void test_cores_go_in_order_of_arrival(void) {
    static const char three[] = "{\"arrival\": \"0s\", \"duration\": \"1s\"}, {\"arrival\": \"0.1s\", "
                                "\"duration\": \"2s\"}, {\"arrival\": \"0.2s\", \"duration\": \"0.5s\"}";
    fsim_result *r = run("none", "null", CORES(1), three, "");
    CHECK_EQ_INT(r->end_ns, 3500 * FSIM_MS);
    CHECK_EQ_INT(r->total.latency.sum_ns, (1000 + 2900 + 3300) * FSIM_MS);
    fsim_result_destroy(r);
    r = run("none", "null", CORES(2), three, ""); /* the third takes the first's core */
    CHECK_EQ_INT(r->total.latency.sum_ns, (1000 + 2000 + 1300) * FSIM_MS);
    fsim_result_destroy(r);
    /* Half of each needs the core, the rest passes without: 0 to 0.5 to 1; 0.5 to 1.5 to 2.5; 1.5 to 1.75
     * to 2. */
    r = run("none", "null", CORES(1), three, "\"cpu_fraction\": 0.5,");
    CHECK_EQ_INT(r->total.latency.sum_ns, (1000 + 2400 + 1800) * FSIM_MS);
    CHECK_EQ_INT(r->end_ns, 2500 * FSIM_MS);
    fsim_result_destroy(r);
}

static void test_a_timeout_leaves_the_line(void) {
    check_times("none", "\"2s\"", CORES(1), 2, 0, 2 * FSIM_SECOND); /* done at the very instant */
    check_times("none", "\"1.5s\"", CORES(1), 1, 1, 1500 * FSIM_MS);
    check_times("none", "\"0.8s\"", CORES(2), 0, 2, 800 * FSIM_MS);
    /* The second gives up its place at 1.5 s without having run, the third has the core from 1 s on. */
    fsim_result *r =
        run("none", "\"1s\"", CORES(1),
            "{\"arrival\": \"0s\", \"duration\": \"5s\"}, {\"arrival\": \"0s\", \"duration\": \"1s\"}, "
            "{\"arrival\": \"0.9s\", \"duration\": \"0.5s\"}",
            "");
    CHECK_EQ_INT(r->total.n.failed, 2);
    CHECK_EQ_INT(r->total.n.completed, 1);
    CHECK_EQ_INT(r->end_ns, 1500 * FSIM_MS);
    CHECK_NEAR((double)r->usage[0].cpu_ucore_ns / 1e15, 1.5, 1e-9);
    fsim_result_destroy(r);
}

static void check_starts(int cores, fsim_ns sum_ns, fsim_ns end_ns) {
    char text[1000];
    snprintf(text, sizeof text,
             "{\"schema\": \"fsim.scenario/1\", \"name\": \"starts\", \"workload\": {\"source\": \"list\", "
             "\"arrivals\": [%s]}, \"functions\": [{\"name\": \"fn\", \"vcpu\": 1, \"cold_start\": \"1s\", "
             "\"start_cpu_fraction\": 0.5}], \"policy\": {\"bundle\": \"none\"}, \"platform\": {\"nodes\": "
             "{\"count\": 1, \"vcpu\": %d, \"memory\": \"1GB\", \"cpu_model\": \"fcfs\"}}, \"billing\": []}",
             two, cores);
    fsim_result *r = engine_run(text, 1, NULL, NULL);
    REQUIRE(r != NULL);
    check_context("%d cores", cores);
    CHECK_EQ_INT(r->total.latency.sum_ns, sum_ns);
    CHECK_EQ_INT(r->end_ns, end_ns);
    CHECK_EQ_INT(r->total.n.started, 2);
    fsim_result_destroy(r);
}

/* One core: starts have it until 0.5 and 1 and are ready at 1 and 1.5, the calls until 2 and 3. */
static void test_starts_need_cores_too(void) {
    check_starts(1, 5 * FSIM_SECOND, 3 * FSIM_SECOND);
    check_starts(2, 4 * FSIM_SECOND, 2 * FSIM_SECOND);
}

/* As many instances as there are requests, on c cores, is what c instances with one queue are. */
static void test_a_node_is_a_queue_with_so_many_servers(void) {
    static const char text[] =
        "{\"schema\": \"fsim.scenario/1\", \"name\": \"cores\", \"workload\": {\"source\": \"poisson\", "
        "\"rate\": %g, \"requests\": 20000}, \"functions\": [{\"name\": \"fn\", \"memory_mb\": 1, \"vcpu\": "
        "1, %s "
        "\"service\": {\"dist\": \"%s\", \"mean\": \"1s\"%s}}], \"policy\": {\"bundle\": \"none\"%s}, "
        "\"platform\": {%s}, \"billing\": []}";
    static const struct {
        const char *law, *more;
    } laws[] = {{"exponential", ""}, {"lognormal", ", \"cv\": 2"}};
    for (uint64_t seed = 1; seed <= 6; seed++) {
        int cores = 1 + (int)seed / 2;
        double rate = 0.3 * (double)seed < 0.9 * cores ? 0.3 * (double)seed : 0.9 * cores;
        char node[1000], queue[1000], limits[100], platform[200];
        int law = (int)seed % 2;
        snprintf(platform, sizeof platform,
                 "\"nodes\": {\"count\": 1, \"vcpu\": %d, \"memory\": \"9TB\", \"cpu_model\": \"fcfs\"}",
                 cores);
        snprintf(limits, sizeof limits, "\"provisioned\": %d, \"max_instances\": %d,", cores, cores);
        snprintf(node, sizeof node, text, rate, "", laws[law].law, laws[law].more, "", platform);
        snprintf(queue, sizeof queue, text, rate, limits, laws[law].law, laws[law].more,
                 ", \"binding\": \"late\"", "\"queue\": {\"capacity\": null}");
        fsim_result *on_node = engine_run(node, seed, NULL, NULL),
                    *in_queue = engine_run(queue, seed, NULL, NULL);
        REQUIRE(on_node != NULL && in_queue != NULL);
        check_context("seed %llu, %d cores, %s", (unsigned long long)seed, cores, laws[law].law);
        CHECK_EQ_INT(on_node->total.latency.sum_ns, in_queue->total.latency.sum_ns);
        CHECK_EQ_INT(on_node->total.latency.max_ns, in_queue->total.latency.max_ns);
        CHECK_EQ_INT(on_node->digest, in_queue->digest);
        CHECK(in_queue->total.wait.sum_ns > 1000 * FSIM_SECOND);
        fsim_result_destroy(on_node);
        fsim_result_destroy(in_queue);
    }
}

int main(void) {
    RUN(test_cores_go_in_order_of_arrival);
    RUN(test_a_timeout_leaves_the_line);
    RUN(test_starts_need_cores_too);
    RUN(test_a_node_is_a_queue_with_so_many_servers);
    RUN(test_a_timeout_cuts_off_those_who_are_slowed_down);
    RUN(test_who_is_cut_off_leaves_room);
    RUN(test_a_timeout_cuts_off_those_who_waited_before);
    RUN(test_cpu_time_is_the_work_done);
    return check_done();
}
