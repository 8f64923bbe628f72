/* The activator and the queue-proxy: breakers, choice of a pod, slices, capacity, measured requests. */
#include "knative_kinds.h"

#include "verdict.h"

#include "autoscale/breaker.h"
#include "autoscale/pod_choice.h"
#include "autoscale/request_stats.h"

#include <stdlib.h>
#include <string.h>

/* ---- breaker: the vector names requests, so the queue is kept here, as any caller of a breaker must ---- */

#define REQUESTS_MAX 256

typedef enum request_place { RUNNING, WAITING, GONE } request_place;

typedef struct breaker_run {
    fsim_breaker breaker;
    struct {
        const char *name;
        request_place place;
    } requests[REQUESTS_MAX]; /* in order of arrival */
    size_t count;
} breaker_run;

static void start_oldest(breaker_run *run, int64_t how_many) {
    for (size_t k = 0; k < run->count && how_many > 0; k++) {
        if (run->requests[k].place == WAITING) {
            run->requests[k].place = RUNNING;
            how_many--;
        }
    }
}

static void enter(verdict *v, breaker_run *run, const char *name, request_place place) {
    if (run->count == REQUESTS_MAX) {
        verdict_fail(v, "at most 256 requests", "more");
        return;
    }
    run->requests[run->count].name = name;
    run->requests[run->count++].place = place;
}

/* The newest request of that name that is at `place`; leaves it. */
static bool leave(breaker_run *run, const char *name, request_place place) {
    for (size_t k = run->count; k-- > 0;) {
        if (strcmp(run->requests[k].name, name) == 0 && run->requests[k].place == place) {
            run->requests[k].place = GONE;
            return true;
        }
    }
    return false;
}

static void compare_outcome(verdict *v, const json_t *op, const char *what, const char *got) {
    if (verdict_has(op, "expect")) {
        verdict_text(v, what, verdict_read_text(v, op, "expect"), got);
    }
}

static void breaker_arrive(verdict *v, breaker_run *run, const json_t *op, const char *name) {
    static const char *const words[] = {"running", "queued", "rejected"};
    fsim_breaker_answer answer = fsim_breaker_arrive(&run->breaker);
    if (answer != FSIM_BREAKER_REJECTED) {
        enter(v, run, name, answer == FSIM_BREAKER_RUNNING ? RUNNING : WAITING);
    }
    compare_outcome(v, op, name, words[answer]);
}

static void breaker_check(verdict *v, const breaker_run *run, const json_t *expect) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)expect, key, value) {
        int64_t got = 0;
        if (strcmp(key, "capacity") == 0) {
            got = run->breaker.capacity;
        } else if (strcmp(key, "running") == 0) {
            got = run->breaker.running;
        } else if (strcmp(key, "queued") == 0 || strcmp(key, "waiting") == 0) {
            got = run->breaker.waiting;
        } else if (strcmp(key, "in_flight") == 0 || strcmp(key, "pending") == 0) {
            got = run->breaker.running + run->breaker.waiting;
        } else {
            verdict_fail(v, "a known figure", "\"%s\"", key);
        }
        verdict_number(v, key, json_number_value(value), (double)got, 0.0);
    }
}

static void breaker_op(verdict *v, breaker_run *run, const json_t *op) {
    const char *what = verdict_read_text(v, op, "op");
    const char *name = verdict_has(op, "req") ? verdict_read_text(v, op, "req") : "";
    if (strcmp(what, "arrive") == 0) {
        breaker_arrive(v, run, op, name);
    } else if (strcmp(what, "reserve") == 0) {
        bool taken = fsim_breaker_reserve(&run->breaker);
        if (taken) {
            enter(v, run, name, RUNNING);
        }
        compare_outcome(v, op, name, taken ? "ok" : "refused");
    } else if (strcmp(what, "finish") == 0) {
        if (!leave(run, name, RUNNING)) {
            verdict_fail(v, "a running request to finish", "%s is not running", name);
            return;
        }
        start_oldest(run, fsim_breaker_finish(&run->breaker));
    } else if (strcmp(what, "cancel") == 0) {
        bool waiting = leave(run, name, WAITING);
        if (waiting) {
            fsim_breaker_cancel(&run->breaker);
        }
        compare_outcome(v, op, name, waiting ? "failed" : "not waiting");
    } else if (strcmp(what, "set_capacity") == 0) {
        int64_t capacity = verdict_read_int(v, op, "value");
        start_oldest(run, fsim_breaker_set_capacity(&run->breaker, capacity < 0 ? 0 : capacity));
    } else if (strcmp(what, "check") == 0) {
        breaker_check(v, run, verdict_read_object(v, op, "expect"));
    } else {
        verdict_fail(v, "a known op", "\"%s\"", what);
    }
}

void knative_run_breaker(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *ops = verdict_read_array(&v, vector, "ops");
    int64_t depth = verdict_read_int(&v, params, "queue_depth");
    int64_t concurrency = verdict_read_int(&v, params, "max_concurrency");
    int64_t capacity = verdict_read_int(&v, params, "initial_capacity");
    breaker_run run = {.count = 0};
    if (depth < 0 || concurrency < 0 || capacity < 0) {
        verdict_fail(&v, "a breaker's parameters of at least 0", "a negative one");
    } else {
        fsim_breaker_init(&run.breaker, depth, concurrency, capacity);
    }
    for (size_t k = 0; k < json_array_size(ops) && !v.failed; k++) {
        verdict_at(&v, "op", k);
        breaker_op(&v, &run, json_array_get(ops, k));
    }
    verdict_end(&v);
}

/* ---- choice of a pod ---- */

#define PODS_MAX 1024

/* "round_robin", "first_available", "random_choice_2": told apart by the first word. */
static bool read_policy(const char *name, fsim_pod_policy *policy) {
    static const char *const words[] = {
        [FSIM_POD_RANDOM_CHOICE_2] = "random",
        [FSIM_POD_FIRST_AVAILABLE] = "first",
        [FSIM_POD_ROUND_ROBIN] = "round",
    };
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        if (strncmp(name, words[k], strlen(words[k])) == 0) {
            *policy = (fsim_pod_policy)k;
            return true;
        }
    }
    return false;
}

/* `expect` is a pod, null for none, or a list of the pods that are right. */
static bool pod_is_right(const json_t *expect, int64_t pod) {
    if (json_is_array(expect)) {
        for (size_t k = 0; k < json_array_size(expect); k++) {
            if (pod_is_right(json_array_get(expect, k), pod)) {
                return true;
            }
        }
        return false;
    }
    return json_is_integer(expect) ? json_integer_value(expect) == pod : pod == FSIM_POD_NONE;
}

static void lb_op(verdict *v, fsim_pod_chooser *chooser, int64_t *in_flight, int64_t pods, fsim_rng *rng,
                  const json_t *op) {
    const char *what = verdict_read_text(v, op, "op");
    if (strcmp(what, "pick") == 0) {
        int64_t visible = verdict_int_or(v, op, "visible_pods", pods);
        if (visible < 0 || visible > pods) {
            verdict_fail(v, "visible pods among all", "%lld", (long long)visible);
            return;
        }
        int64_t pod = fsim_pod_choose(chooser, in_flight, visible, rng);
        if (pod != FSIM_POD_NONE) {
            in_flight[pod]++;
        }
        const json_t *expect = json_object_get(op, "expect");
        if (expect != NULL && !pod_is_right(expect, pod)) {
            char *text = json_dumps(expect, JSON_ENCODE_ANY | JSON_COMPACT);
            verdict_fail(v, text == NULL ? "another pod" : text, "pod %lld", (long long)pod);
            free(text);
        }
    } else if (strcmp(what, "release") == 0 || strcmp(what, "finish") == 0) {
        int64_t pod =
            verdict_has(op, "pod") ? verdict_read_int(v, op, "pod") : verdict_read_int(v, op, "value");
        if (pod < 0 || pod >= pods || in_flight[pod] == 0) {
            verdict_fail(v, "a busy pod", "%lld", (long long)pod);
            return;
        }
        in_flight[pod]--;
    } else {
        verdict_fail(v, "a known op", "\"%s\"", what);
    }
}

void knative_run_lb_policy(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *ops = verdict_read_array(&v, vector, "ops");
    fsim_pod_chooser chooser = {.container_concurrency =
                                    verdict_read_int(&v, params, "container_concurrency")};
    const char *policy = verdict_read_text(&v, params, "policy");
    if (!read_policy(policy, &chooser.policy)) {
        verdict_fail(&v, "a known policy", "\"%s\"", policy);
    }
    int64_t pods = verdict_read_int(&v, params, "pods");
    if (pods < 0 || pods > PODS_MAX) {
        verdict_fail(&v, "0 to 1024 pods", "%lld", (long long)pods);
    }
    int64_t in_flight[PODS_MAX] = {0};
    fsim_rng rng;
    fsim_rng_seed(&rng, 1, v.id, FSIM_RNG_ROUTING);
    for (size_t k = 0; k < json_array_size(ops) && !v.failed; k++) {
        verdict_at(&v, "op", k);
        lb_op(&v, &chooser, in_flight, pods, &rng, json_array_get(ops, k));
    }
    verdict_end(&v);
}

/* ---- slices and capacity ---- */

void knative_run_pod_slice(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *expect = verdict_read_object(&v, vector, "expect");
    int64_t pods = verdict_read_int(&v, params, "pods");
    int64_t activators = verdict_read_int(&v, params, "activators");
    int64_t index = verdict_read_int(&v, params, "index");
    if (pods < 1 || index < 0 || index >= activators) {
        verdict_fail(&v, "at least one pod, and an index among the activators",
                     "%lld pods, index %lld of %lld", (long long)pods, (long long)index,
                     (long long)activators);
    } else {
        fsim_pod_slice slice = fsim_pod_slice_of(pods, activators, index);
        verdict_number(&v, "begin", verdict_read_real(&v, expect, "begin"), (double)slice.begin, 0.0);
        verdict_number(&v, "end", verdict_read_real(&v, expect, "end"), (double)slice.end, 0.0);
        verdict_number(&v, "remnants", verdict_read_real(&v, expect, "remnants"), (double)slice.remnants,
                       0.0);
    }
    verdict_end(&v);
}

/* The pod at a place of the assignment. */
static int64_t assigned_pod(const fsim_pod_assignment *mine, int64_t place) {
    return mine->begin + place < mine->end ? mine->begin + place : mine->extra;
}

/* The assignment of params' activator; fails the vector where there can be none. */
static fsim_pod_assignment read_assignment(verdict *v, const json_t *params, const char *pods_key) {
    int64_t pods = verdict_int_or(v, params, pods_key, 0);
    int64_t activators = verdict_read_int(v, params, "activators");
    int64_t index = verdict_int_or(v, params, "index", -1);
    if (pods < 0 || (activators > 1 && index >= activators)) {
        verdict_fail(v, "an index among the activators", "%lld of %lld", (long long)index,
                     (long long)activators);
        return (fsim_pod_assignment){.extra = FSIM_POD_NONE};
    }
    return fsim_pod_slice_assign(pods, activators, index);
}

void knative_run_pod_slice_assign(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *expect = verdict_read_object(&v, vector, "expect");
    fsim_pod_assignment mine = read_assignment(&v, params, "pods");
    const json_t *assigned = verdict_read_array(&v, expect, "assigned");
    verdict_number(&v, "assigned pods", (double)json_array_size(assigned), (double)mine.count, 0.0);
    for (size_t k = 0; k < json_array_size(assigned) && !v.failed; k++) {
        verdict_at(&v, "place", k);
        verdict_number(&v, "pod", json_number_value(json_array_get(assigned, k)),
                       (double)assigned_pod(&mine, (int64_t)k), 0.0);
    }
    if (verdict_has(expect, "capacity")) {
        int64_t cc = verdict_read_int(&v, params, "container_concurrency");
        verdict_number(&v, "capacity", verdict_read_real(&v, expect, "capacity"),
                       (double)fsim_activator_capacity(cc, -1, 1, mine.count), 0.0);
    }
    verdict_end(&v);
}

void knative_run_activator_capacity(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    fsim_pod_assignment mine = {.count = 0};
    if (verdict_has(params, "addressable_pods")) {
        mine = read_assignment(&v, params, "addressable_pods");
    }
    int64_t capacity = fsim_activator_capacity(verdict_read_int(&v, params, "container_concurrency"),
                                               verdict_read_int(&v, params, "backends"),
                                               verdict_read_int(&v, params, "activators"), mine.count);
    verdict_number(&v, "capacity", verdict_read_real(&v, vector, "expect"), (double)capacity, 0.0);
    verdict_end(&v);
}

/* ---- measured requests ---- */

void knative_run_request_stats(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *events = verdict_read_array(&v, vector, "events");
    const json_t *expect = verdict_read_array(&v, vector, "expect");
    double tolerance = verdict_real_or(&v, vector, "tolerance", 0.0);
    fsim_request_stats stats;
    fsim_request_stats_init(&stats, 0);
    size_t reports = 0;
    for (size_t k = 0; k < json_array_size(events) && !v.failed; k++) {
        verdict_at(&v, "event", k);
        const json_t *event = json_array_get(events, k);
        const char *op = verdict_read_text(&v, event, "op");
        fsim_ns at_ns = verdict_read_millis(&v, event, "t_ms");
        if (strcmp(op, "in") == 0 || strcmp(op, "in_proxied") == 0) {
            fsim_request_stats_in(&stats, at_ns, op[2] != '\0');
        } else if (strcmp(op, "out") == 0 || strcmp(op, "out_proxied") == 0) {
            fsim_request_stats_out(&stats, at_ns, op[3] != '\0');
        } else if (strcmp(op, "report") == 0) {
            fsim_request_report r = fsim_request_stats_report(&stats, at_ns);
            const json_t *e = json_array_get(expect, reports++);
            verdict_number(&v, "concurrency", verdict_read_real(&v, e, "avg_concurrency"), r.concurrency,
                           tolerance);
            verdict_number(&v, "requests", verdict_read_real(&v, e, "requests"), r.requests, tolerance);
            verdict_number(&v, "proxied concurrency", verdict_read_real(&v, e, "avg_proxied_concurrency"),
                           r.proxied_concurrency, tolerance);
            verdict_number(&v, "proxied requests", verdict_read_real(&v, e, "proxied_requests"),
                           r.proxied_requests, tolerance);
        } else {
            verdict_fail(&v, "a known op", "\"%s\"", op);
        }
    }
    verdict_number(&v, "reports", (double)json_array_size(expect), (double)reports, 0.0);
    verdict_end(&v);
}

static void compare_message(verdict *v, const json_t *expect, size_t *messages, double tolerance,
                            const fsim_activator_message *message) {
    const json_t *e = json_array_get(expect, (*messages)++);
    verdict_number(v, "concurrency", verdict_read_real(v, e, "concurrency"), message->concurrency, tolerance);
    verdict_number(v, "requests", verdict_read_real(v, e, "requests"), message->requests, tolerance);
}

void knative_run_activator_report(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *events = verdict_read_array(&v, vector, "events");
    const json_t *expect = verdict_read_array(&v, vector, "expect");
    double tolerance = verdict_real_or(&v, vector, "tolerance", 0.0);
    fsim_activator_reporter reporter = {.known = false};
    size_t messages = 0;
    for (size_t k = 0; k < json_array_size(events) && !v.failed; k++) {
        verdict_at(&v, "event", k);
        const json_t *event = json_array_get(events, k);
        const char *op = verdict_read_text(&v, event, "op");
        fsim_ns at_ns = verdict_read_millis(&v, event, "t_ms");
        fsim_activator_message message;
        bool sent = false;
        if (strcmp(op, "in") == 0) {
            sent = fsim_activator_reporter_in(&reporter, at_ns, &message);
        } else if (strcmp(op, "out") == 0) {
            fsim_activator_reporter_out(&reporter, at_ns);
        } else if (strcmp(op, "report") == 0) {
            sent = fsim_activator_reporter_report(&reporter, at_ns, &message);
        } else {
            verdict_fail(&v, "a known op", "\"%s\"", op);
        }
        if (sent) {
            compare_message(&v, expect, &messages, tolerance, &message);
        }
    }
    verdict_number(&v, "messages", (double)json_array_size(expect), (double)messages, 0.0);
    verdict_end(&v);
}
