/* Requests that slow each other down: the CPU time they use is their own, however long they take, and a
 * function's time-out is one of wall time. */
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
}

int main(void) {
    RUN(test_a_timeout_cuts_off_those_who_are_slowed_down);
    RUN(test_who_is_cut_off_leaves_room);
    RUN(test_cpu_time_is_the_work_done);
    return check_done();
}
