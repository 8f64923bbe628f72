/* What few functions have: session affinity, and CPU that changes while nothing else happens; see
 * scenario_parts.h.
 */
#include "io/scenario_parts.h"

#include <string.h>

#define COUNT_MAX ((int64_t)FSIM_UNLIMITED - 1)

/* The settings that Function Compute documents: 1,800 s, 21,600 s
 * (www.alibabacloud.com/help/en/functioncompute/fc/developer-reference/api-fc-2023-03-30-struct-cookiesessionaffinityconfig).
 */
#define IDLE_DEFAULT     (1800 * FSIM_SECOND)
#define LIFETIME_DEFAULT (21600 * FSIM_SECOND)

fsim_status fsim_scenario_read_session(fsim_scenario *s, const fsim_value *entry, fsim_fn_spec *spec,
                                       fsim_error *err) {
    static const char *const full[] = {"wait", "refuse", "elsewhere", NULL};
    const fsim_value *value = fsim_value_get(entry, "session");
    if (value == NULL) {
        return FSIM_OK;
    }
    spec->session = NULL;
    if (fsim_value_is_off(value)) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_scenario_need_object(value, "session", err));
    fsim_session_spec *session = fsim_value_pool_alloc(s->pool, sizeof *session);
    if (session == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    *session = (fsim_session_spec){.idle_ns = IDLE_DEFAULT, .life_ns = LIFETIME_DEFAULT, .hold = true};
    int64_t per_instance = FSIM_UNLIMITED;
    int when_full = FSIM_SESSION_WAIT;
    FSIM_TRY(fsim_value_get_span(value, "idle_timeout", true, &session->idle_ns, err));
    FSIM_TRY(fsim_value_get_span(value, "lifetime", true, &session->life_ns, err));
    FSIM_TRY(fsim_scenario_get_limit(value, "per_instance", COUNT_MAX, FSIM_UNLIMITED, &per_instance, err));
    FSIM_TRY(fsim_value_get_enum(value, "when_full", full, &when_full, err));
    FSIM_TRY(fsim_value_get_bool(value, "hold", &session->hold, err));
    if (session->life_ns == 0) {
        return fsim_value_fail(fsim_value_get(value, "lifetime"), err,
                               "a lifetime of 0 ends every session at once; null switches the limit off");
    }
    session->per_instance = (uint32_t)per_instance;
    session->when_full = (fsim_session_full)when_full;
    spec->session = session;
    return FSIM_OK;
}

/* ---- CPU ---- */

/* Cores of a burst or of work after a response: more than none, at most those of the instance. */
static fsim_status read_cpu(const fsim_value *object, const fsim_fn_spec *spec, uint32_t *ucore,
                            fsim_error *err) {
    double cpu = 0;
    const fsim_value *value = fsim_value_get(object, "cpu");
    if (value == NULL) {
        return fsim_value_missing(object, "cpu", err);
    }
    FSIM_TRY(fsim_value_get_real(object, "cpu", 0, 1e6, &cpu, err));
    if (cpu <= 0 || cpu > spec->vcpu) {
        return fsim_value_fail(value, err, "expected more than 0 cores and at most the instance's vcpu, %g",
                               spec->vcpu);
    }
    *ucore = (uint32_t)(cpu * 1e6 + 0.5);
    return FSIM_OK;
}

static fsim_status read_span(fsim_scenario *s, const fsim_value *object, const char *key, fsim_dist *out,
                             fsim_error *err) {
    const fsim_value *value = fsim_value_get(object, key);
    if (value == NULL) {
        return fsim_value_missing(object, key, err);
    }
    FSIM_TRY(fsim_dist_read(out, s->pool, value, s->base_dir, true, err));
    return fsim_dist_mean_ns(out) > 0
               ? FSIM_OK
               : fsim_value_fail(value, err, "expected a span longer than 0, or a distribution of such");
}

static fsim_status read_bursts(fsim_scenario *s, const fsim_value *value, fsim_fn_spec *spec,
                               fsim_error *err) {
    FSIM_TRY(fsim_scenario_need_object(value, "cpu_bursts", err));
    fsim_bursts_spec *bursts = fsim_value_pool_alloc(s->pool, sizeof *bursts);
    if (bursts == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    FSIM_TRY(read_cpu(value, spec, &bursts->cpu_ucore, err));
    FSIM_TRY(read_span(s, value, "busy", &bursts->busy, err));
    FSIM_TRY(read_span(s, value, "every", &bursts->every, err));
    bursts->first = bursts->every;
    const fsim_value *first = fsim_value_get(value, "first");
    if (first != NULL) {
        FSIM_TRY(fsim_dist_read(&bursts->first, s->pool, first, s->base_dir, true, err));
    }
    if (bursts->busy.kind == FSIM_DIST_CONSTANT && bursts->every.kind == FSIM_DIST_CONSTANT &&
        bursts->busy.constant_ns > bursts->every.constant_ns) {
        return fsim_value_fail(
            fsim_value_get(value, "busy"), err,
            "busy is longer than every, from the beginning of a burst to that of the next");
    }
    spec->bursts = bursts;
    return FSIM_OK;
}

static fsim_status read_after(fsim_scenario *s, const fsim_value *value, fsim_fn_spec *spec,
                              fsim_error *err) {
    FSIM_TRY(fsim_scenario_need_object(value, "after_response", err));
    fsim_after_spec *after = fsim_value_pool_alloc(s->pool, sizeof *after);
    if (after == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    *after = (fsim_after_spec){0};
    FSIM_TRY(read_cpu(value, spec, &after->cpu_ucore, err));
    if (fsim_value_get(value, "for") == NULL) {
        return fsim_value_missing(value, "for", err);
    }
    FSIM_TRY(fsim_value_get_span(value, "for", false, &after->span_ns, err));
    spec->after = after;
    return FSIM_OK;
}

fsim_status fsim_scenario_read_profile(fsim_scenario *s, const fsim_value *entry, fsim_fn_spec *spec,
                                       fsim_error *err) {
    const fsim_value *bursts = fsim_value_get(entry, "cpu_bursts");
    const fsim_value *after = fsim_value_get(entry, "after_response");
    const fsim_value *nodes = fsim_value_at(s->root, "platform.nodes.cpu_model");
    bool shared = spec->cpu_model != FSIM_CPU_NONE ||
                  (nodes != NULL && nodes->kind == FSIM_VALUE_STRING && strcmp(nodes->string, "none") != 0);
    spec->bursts = bursts != NULL ? NULL : spec->bursts;
    spec->after = after != NULL ? NULL : spec->after;
    if (bursts != NULL && !fsim_value_is_off(bursts)) {
        FSIM_TRY(read_bursts(s, bursts, spec, err));
    }
    if (after != NULL && !fsim_value_is_off(after)) {
        FSIM_TRY(read_after(s, after, spec, err));
    }
    if ((spec->bursts != NULL || spec->after != NULL) && shared) {
        return fsim_value_fail(
            spec->bursts != NULL && bursts != NULL ? bursts
            : after != NULL                        ? after
                                                   : entry,
            err,
            "expected cpu_model \"none\": what requests that share CPU leave to each other is "
            "simulated for a constant use only");
    }
    return FSIM_OK;
}
