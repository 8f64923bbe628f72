/* The vectors of KEDA and of OpenFaaS: keda.json, openfaas.json. They drive sim/autoscale/keda.h and
 * openfaas.h, which the policies of the same names use. */
#include "verdict.h"

#include "autoscale/keda.h"
#include "autoscale/openfaas.h"

#include <string.h>

static fsim_keda_object read_object(verdict *v, const json_t *params) {
    const json_t *fallback = json_object_get(params, "fallback");
    fsim_keda_object object = {.min = verdict_int_or(v, params, "min", 0),
                               .max = verdict_int_or(v, params, "max", 100),
                               .idle = verdict_int_or(v, params, "idle", FSIM_KEDA_NONE),
                               .cooldown_ns = verdict_read_seconds(v, params, "cooldown_s"),
                               .initial_cooldown_ns =
                                   verdict_has(params, "initial_cooldown_s")
                                       ? verdict_read_seconds(v, params, "initial_cooldown_s")
                                       : 0,
                               .fallback = verdict_int_or(v, params, "fallback_replicas", FSIM_KEDA_NONE)};
    if (json_is_object(fallback)) {
        object.fallback = verdict_read_int(v, fallback, "replicas");
        object.failure_threshold = verdict_int_or(v, fallback, "failure_threshold", 0);
    } else if (json_is_number(fallback)) {
        object.fallback = verdict_read_int(v, params, "fallback");
    }
    object.failure_threshold = verdict_int_or(v, params, "failure_threshold", object.failure_threshold);
    return object;
}

/* Without a word on it the object is old and its triggers have failed for long enough. */
static fsim_keda_poll read_poll(verdict *v, const json_t *input, const fsim_keda_object *object) {
    fsim_keda_poll poll = {.replicas = verdict_read_int(v, input, "replicas"),
                           .active = verdict_bool_or(v, input, "active", false),
                           .error = verdict_bool_or(v, input, "error", false),
                           .failures = verdict_int_or(v, input, "failures", object->failure_threshold),
                           .ever_active = verdict_has(input, "seconds_since_active"),
                           .since_ns = FSIM_NEVER};
    const char *since = poll.ever_active ? "seconds_since_active" : "seconds_since_creation";
    if (verdict_has(input, since)) {
        poll.since_ns = verdict_read_seconds(v, input, since);
    }
    return poll;
}

static void run_scaled_object(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    fsim_keda_object object = read_object(&v, verdict_read_object(&v, vector, "params"));
    fsim_keda_poll poll = read_poll(&v, verdict_read_object(&v, vector, "input"), &object);
    fsim_keda_decision d = fsim_keda_decide(&object, &poll);
    verdict_number(&v, "replicas",
                   verdict_read_real(&v, verdict_read_object(&v, vector, "expect"), "replicas"),
                   (double)d.replicas, 0);
    verdict_end(&v);
}

static fsim_keda_strategy read_strategy(verdict *v, const json_t *params) {
    static const char *const names[] = {"default", "custom", "accurate", "eager"};
    const char *name = verdict_has(params, "strategy") ? verdict_read_text(v, params, "strategy") : "default";
    for (int i = 0; i < 4; i++) {
        if (strcmp(name, names[i]) == 0) {
            return (fsim_keda_strategy)i;
        }
    }
    verdict_fail(v, "a known strategy", "\"%s\"", name);
    return FSIM_KEDA_DEFAULT;
}

static void run_scaled_job(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *input = verdict_read_object(&v, vector, "input");
    const json_t *expect = verdict_read_object(&v, vector, "expect");
    fsim_keda_job job = {.strategy = read_strategy(&v, params),
                         .min = verdict_int_or(&v, params, "min_replica_count", 0),
                         .max = verdict_int_or(&v, params, "max_replica_count", 100),
                         .deduction = verdict_int_or(&v, params, "custom_deduction", 0),
                         .running_share = verdict_real_or(&v, params, "custom_running_percentage", 0)};
    int64_t wanted = verdict_read_int(&v, input, "max_scale");
    int64_t got = fsim_keda_jobs(&job, wanted, verdict_read_int(&v, input, "running"),
                                 verdict_int_or(&v, input, "pending", 0));
    verdict_number(&v, "create", verdict_read_real(&v, expect, "create"), (double)got, 0);
    if (verdict_has(expect, "scale_to")) {
        verdict_number(&v, "scale_to", verdict_read_real(&v, expect, "scale_to"),
                       (double)fsim_keda_scale_to(&job, wanted), 0);
    }
    verdict_end(&v);
}

static void run_openfaas_alert(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *input = verdict_read_object(&v, vector, "input");
    fsim_openfaas_settings settings = {.min = verdict_read_int(&v, params, "min"),
                                       .max = verdict_read_int(&v, params, "max"),
                                       .hard_max =
                                           verdict_int_or(&v, params, "hard_max", FSIM_OPENFAAS_HARD_MAX),
                                       .factor_pct = verdict_read_real(&v, params, "scaling_factor_pct")};
    bool firing = strcmp(verdict_read_text(&v, input, "alert"), "firing") == 0;
    int64_t got = fsim_openfaas_replicas(&settings, firing, verdict_read_int(&v, input, "replicas"));
    verdict_number(&v, "replicas",
                   verdict_read_real(&v, verdict_read_object(&v, vector, "expect"), "replicas"), (double)got,
                   0);
    verdict_end(&v);
}

const conformance_kind keda_kinds[] = {{"keda_scaled_object", run_scaled_object},
                                       {"keda_scaled_job", run_scaled_job},
                                       {"openfaas_alert", run_openfaas_alert},
                                       {NULL, NULL}};
