/* Instances that fail: the keys crash and health of a function; see scenario_parts.h. */
#include "base/limits.h"
#include "io/scenario_parts.h"

#include <stdlib.h>

/* A probe of a container: every 10 s, three failures in a row
 * (kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes,
 * periodSeconds and failureThreshold). */
#define CHECK_EVERY    (10 * FSIM_SECOND)
#define CHECK_FAILURES 3
#define FAILURES_MAX   INT64_C(1000000)

typedef struct reader {
    fsim_scenario *scenario;
    fsim_fn_spec *spec;
    fsim_error *err;
} reader;

static bool is_said(const fsim_value *value) {
    return value != NULL && !fsim_value_is_off(value);
}

/* A span longer than 0, or a distribution with a mean above 0. */
static fsim_status read_life(const reader *r, const fsim_value *value, fsim_dist *out) {
    const fsim_scenario *s = r->scenario;
    FSIM_TRY(fsim_dist_read(out, s->pool, value, s->base_dir, true, r->err));
    return fsim_dist_mean_ns(out) > 0
               ? FSIM_OK
               : fsim_value_fail(value, r->err, "expected a span longer than 0, or a distribution of such");
}

/* ---- crashes ---- */

/* An instant, or a list of them. */
static fsim_status read_instants(const reader *r, const fsim_value *value, fsim_crash_spec *crash) {
    bool is_list = value->kind == FSIM_VALUE_ARRAY;
    size_t count = is_list ? value->count : 1;
    if (count > FSIM_PROBES_MAX) {
        return fsim_value_fail(value, r->err, "more than %u instants", FSIM_PROBES_MAX);
    }
    fsim_ns *at_ns = fsim_value_pool_alloc(r->scenario->pool, (count + 1) * sizeof *at_ns);
    if (at_ns == NULL) {
        return fsim_fail(r->err, FSIM_ELIMIT, "out of memory");
    }
    for (const fsim_value *at = is_list ? value->first : value; at != NULL; at = is_list ? at->next : NULL) {
        uint32_t k = crash->at_count++;
        FSIM_TRY(fsim_value_as_span(at, &at_ns[k], r->err));
        if (k > 0 && at_ns[k] < at_ns[k - 1u]) {
            return fsim_value_fail(at, r->err, "before the instant in front of it: expected them in order");
        }
    }
    crash->at_ns = at_ns;
    return FSIM_OK;
}

static fsim_status read_crash(const reader *r, const fsim_value *value) {
    static const char *const victims[] = {"oldest", "newest", "busiest", "all", NULL};
    FSIM_TRY(fsim_scenario_need_object(value, "crash", r->err));
    fsim_crash_spec *crash = fsim_value_pool_alloc(r->scenario->pool, sizeof *crash);
    if (crash == NULL) {
        return fsim_fail(r->err, FSIM_ELIMIT, "out of memory");
    }
    *crash = (fsim_crash_spec){0};
    const fsim_value *lifetime = fsim_value_get(value, "lifetime"), *at = fsim_value_get(value, "at");
    const fsim_value *per_request = fsim_value_get(value, "per_request");
    const fsim_value *per_start = fsim_value_get(value, "per_start");
    int victim = FSIM_CRASH_OLDEST;
    if (is_said(lifetime)) {
        crash->wears = true;
        FSIM_TRY(read_life(r, lifetime, &crash->lifetime));
    }
    if (is_said(at)) {
        FSIM_TRY(read_instants(r, at, crash));
    }
    FSIM_TRY(fsim_value_get_real(value, "per_request", 0, 1, &crash->per_request, r->err));
    FSIM_TRY(fsim_value_get_real(value, "per_start", 0, FSIM_START_FAILURES_MAX, &crash->per_start, r->err));
    FSIM_TRY(fsim_value_get_enum(value, "victim", victims, &victim, r->err));
    FSIM_TRY(fsim_value_get_span(value, "restart", false, &crash->restart_ns, r->err));
    FSIM_TRY(fsim_value_check_used(value, NULL, r->err));
    if (!is_said(lifetime) && !is_said(at) && per_request == NULL && per_start == NULL) {
        return fsim_value_fail(
            value, r->err, "says nothing of when: expected lifetime, per_request, per_start or at (or null)");
    }
    crash->victim = (fsim_crash_victim)victim;
    r->spec->crash = crash;
    return FSIM_OK;
}

/* ---- health checks ---- */

static fsim_status read_recovery(const reader *r, const fsim_value *value, fsim_health_spec *health) {
    static const char *const actions[] = {"replace", "rest", NULL};
    const fsim_value *recovery = fsim_value_get(value, "recovers_after");
    int64_t successes = 1;
    int action = 0;
    if (is_said(recovery)) {
        health->recovers = true;
        FSIM_TRY(read_life(r, recovery, &health->recovery));
    }
    FSIM_TRY(fsim_value_get_i64(value, "successes", 1, FAILURES_MAX, &successes, r->err));
    FSIM_TRY(fsim_value_get_enum(value, "action", actions, &action, r->err));
    health->successes = (uint32_t)successes;
    health->rests = action == 1;
    return FSIM_OK;
}

static fsim_status read_health(const reader *r, const fsim_value *value) {
    int64_t failures = CHECK_FAILURES;
    FSIM_TRY(fsim_scenario_need_object(value, "health", r->err));
    fsim_health_spec *health = fsim_value_pool_alloc(r->scenario->pool, sizeof *health);
    if (health == NULL) {
        return fsim_fail(r->err, FSIM_ELIMIT, "out of memory");
    }
    *health = (fsim_health_spec){.every_ns = CHECK_EVERY, .error_rate = 1.0};
    const fsim_value *onset = fsim_value_get(value, "unhealthy_after");
    if (onset == NULL) {
        return fsim_value_missing(value, "unhealthy_after", r->err);
    }
    FSIM_TRY(read_life(r, onset, &health->onset));
    FSIM_TRY(fsim_value_get_span(value, "interval", false, &health->every_ns, r->err));
    FSIM_TRY(fsim_value_get_i64(value, "failures", 1, FAILURES_MAX, &failures, r->err));
    FSIM_TRY(fsim_value_get_real(value, "error_rate", 0, 1, &health->error_rate, r->err));
    FSIM_TRY(read_recovery(r, value, health));
    if (health->every_ns == 0) {
        return fsim_value_fail(fsim_value_get(value, "interval"), r->err,
                               "expected an interval longer than 0; \"health\": null switches checks off");
    }
    health->failures = (uint32_t)failures;
    r->spec->health = health;
    return FSIM_OK;
}

fsim_status fsim_scenario_read_failure(fsim_scenario *s, const fsim_value *entry, fsim_fn_spec *spec,
                                       fsim_error *err) {
    const reader r = {s, spec, err};
    const fsim_value *crash = fsim_value_get(entry, "crash"), *health = fsim_value_get(entry, "health");
    if (is_said(crash)) {
        FSIM_TRY(read_crash(&r, crash));
    }
    return is_said(health) ? read_health(&r, health) : FSIM_OK;
}
