/* A statement of the policies spec about a platform as a small run under the platform's bundle, and what must
 * come out: worked out by hand from the statement. A start takes 1 s where the row does not say otherwise. */
#ifndef FSIM_TESTS_PLATFORM_RULE_H
#define FSIM_TESTS_PLATFORM_RULE_H

#include "support/platform_run.h"

#define SETTINGS 6
#define LOOKS    8
#define ANY      UINT64_MAX

typedef struct look {
    uint32_t second;
    uint64_t instances; /* at its end */
} look;

typedef struct rule {
    const char *says; /* section and statement */
    const char *bundle;
    const char *function; /* members of the function's object; NULL: one vCPU, 1 GB, starts in 1 s */
    const char *set[SETTINGS][2];
    const char *arrivals; /* entries of a list, or an object: a whole workload */
    const char *until;
    uint64_t completed, refused, timed_out, failed, cold; /* ANY: not looked at */
    fsim_cause cause;                                     /* of the refused */
    uint64_t retries;
    uint32_t longest_wait_s; /* 0: not looked at */
    uint32_t refused_at_s;   /* all of them in this second; 0: not looked at */
    look alive[LOOKS];       /* up to the first of second 0, but for the first */
} rule;

#define CALLS_REST(at, count, lasts)                                                                         \
    "\"arrival\": \"" at "\", \"count\": " #count ", \"duration\": \"" lasts "\"}"
#define CALLS(at, count, lasts)        "{" CALLS_REST(at, count, lasts)
#define CALLS_OF(fn, at, count, lasts) "{\"function\": \"" fn "\", " CALLS_REST(at, count, lasts)
#define ONE_GB                         "\"vcpu\": 1, \"memory_mb\": 1024, \"cold_start\": \"1s\""
#define AS_SHIPPED                     "\"cold_start\": \"1s\""
#define BESIDE(...)                    "}, {\"name\": \"other\", " __VA_ARGS__

static const char *workload_of(const rule *r, char *text, size_t size) {
    bool whole = strncmp(r->arrivals, "{\"source\"", 9) == 0;
    snprintf(text, size, whole ? "%s" : "{\"source\": \"list\", \"arrivals\": [%s]}", r->arrivals);
    return text;
}

static void check_count(const char *what, uint64_t is, uint64_t expected) {
    if (expected != ANY && is != expected) {
        check_fail(__FILE__, __LINE__, "%s: %llu, expected %llu", what, (unsigned long long)is,
                   (unsigned long long)expected);
    }
}

static void check_rule(const rule *r) {
    char workload[2048];
    for (int i = 0; i < SETTINGS && r->set[i][0] != NULL; i++) {
        set(r->set[i][0], r->set[i][1]);
    }
    check_context("%s: %s", r->bundle, r->says);
    fsim_result *result = platform_run(r->bundle, r->function != NULL ? r->function : ONE_GB,
                                       workload_of(r, workload, sizeof workload), r->until);
    const fsim_counts *n = &result->total.n;
    check_count("completed", n->completed, r->completed);
    check_count("refused", n->rejected_429, r->refused);
    check_count("throttled by cause", n->throttled[r->cause], r->refused);
    check_count("queue full", n->rejected_503, 0);
    check_count("timed out", n->timed_out, r->timed_out);
    check_count("failed", n->failed, r->failed);
    check_count("cold starts", n->cold_triggered, r->cold);
    check_count("retries", n->retries, r->retries);
    if (r->longest_wait_s != 0) {
        CHECK_EQ_INT(result->total.wait.max_ns, r->longest_wait_s * FSIM_SECOND);
    }
    if (r->refused_at_s != 0) {
        CHECK_EQ_INT(result->windows[r->refused_at_s].all.n.rejected_429, r->refused);
    }
    for (int i = 0; i < LOOKS && (i == 0 || r->alive[i].second != 0); i++) {
        char what[40];
        snprintf(what, sizeof what, "instances at %u s", r->alive[i].second);
        check_count(what, at_s(result, r->alive[i].second), r->alive[i].instances);
    }
    fsim_result_destroy(result);
}

CHECK_MAYBE_UNUSED static void check_rules(const rule *rules, size_t count) {
    for (size_t i = 0; i < count; i++) {
        check_rule(&rules[i]);
    }
}

#define CHECK_RULES(rules) check_rules(rules, sizeof(rules) / sizeof *(rules))

#endif
