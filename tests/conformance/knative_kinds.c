/* Windows, settings and the way to a replica count; and the table of all Knative kinds. */
#include "knative_kinds.h"

#include "verdict.h"

#include "autoscale/knative_apply.h"
#include "autoscale/metric_window.h"
#include "autoscale/sliding_max.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW_BUCKETS_MAX 100000
#define SLOTS_MAX          100000

/* ---- windows ---- */

static void window_op(verdict *v, fsim_metric_window *w, double tolerance, const json_t *op) {
    const char *what = verdict_read_text(v, op, "op");
    bool timed = strcmp(what, "resize") != 0;
    fsim_ns at_ns = timed ? verdict_read_seconds(v, op, "t_s") : 0;
    if (strcmp(what, "record") == 0) {
        fsim_metric_window_record(w, at_ns, verdict_read_real(v, op, "value"));
    } else if (strcmp(what, "average") == 0) {
        verdict_number(v, what, verdict_read_real(v, op, "expect"), fsim_metric_window_average(w, at_ns),
                       tolerance);
    } else if (strcmp(what, "bucket_sum") == 0) {
        verdict_number(v, what, verdict_read_real(v, op, "expect"), fsim_metric_window_sum(w, at_ns),
                       tolerance);
    } else if (strcmp(what, "is_empty") == 0) {
        verdict_bool(v, what, verdict_read_bool(v, op, "expect"), fsim_metric_window_is_empty(w, at_ns));
    } else if (strcmp(what, "resize") == 0) {
        fsim_ns window_ns = verdict_read_seconds(v, op, "window_s");
        if (window_ns <= 0 || !fsim_metric_window_resize(w, window_ns)) {
            verdict_fail(v, "a window above 0, up to 100000 buckets", "another");
        }
    } else {
        verdict_fail(v, "a known op", "\"%s\"", what);
    }
}

static void run_window_average(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *ops = verdict_read_array(&v, vector, "ops");
    bool linear = strcmp(verdict_read_text(&v, params, "algorithm"), "linear") == 0;
    fsim_ns window_ns = verdict_read_seconds(&v, params, "window_s");
    fsim_ns bucket_ns = verdict_read_seconds(&v, params, "bucket_s");
    double tolerance = verdict_real_or(&v, vector, "tolerance", 0.0);
    double *buckets = calloc(WINDOW_BUCKETS_MAX, sizeof *buckets);
    if (buckets == NULL || window_ns <= 0 || bucket_ns <= 0 ||
        fsim_metric_window_buckets(window_ns, bucket_ns) > WINDOW_BUCKETS_MAX) {
        verdict_fail(&v, "a window above 0, up to 100000 buckets", "another");
    } else {
        fsim_metric_window window;
        fsim_metric_window_init(&window, buckets, WINDOW_BUCKETS_MAX, window_ns, bucket_ns,
                                linear ? FSIM_METRIC_LINEAR : FSIM_METRIC_WEIGHTED);
        for (size_t k = 0; k < json_array_size(ops) && !v.failed; k++) {
            verdict_at(&v, "op", k);
            window_op(&v, &window, tolerance, json_array_get(ops, k));
        }
    }
    free(buckets);
    verdict_end(&v);
}

static void run_smoothing(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    int64_t buckets = verdict_read_int(&v, verdict_read_object(&v, vector, "params"), "buckets");
    verdict_number(&v, "coefficient", verdict_read_real(&v, vector, "expect"),
                   fsim_metric_window_smoothing(buckets), verdict_real_or(&v, vector, "tolerance", 0.0));
    verdict_end(&v);
}

/* Records the inputs; `expect` is the maximum after each of them, or one number: after the last. */
static void feed_sliding_max(verdict *v, const json_t *vector, fsim_sliding_max *max, bool by_time) {
    const json_t *input = verdict_read_array(v, vector, "input");
    const json_t *expect = json_object_get(vector, "expect");
    for (size_t k = 0; k < json_array_size(input) && !v->failed; k++) {
        verdict_at(v, "input", k);
        const json_t *entry = json_array_get(input, k);
        double value = verdict_read_real(v, entry, "value");
        if (by_time) {
            fsim_sliding_max_record_at(max, verdict_read_seconds(v, entry, "t_s"), value);
        } else {
            fsim_sliding_max_record(max, verdict_read_int(v, entry, "slot"), value);
        }
        if (json_is_array(expect)) {
            verdict_number(v, "maximum", json_number_value(json_array_get(expect, k)),
                           fsim_sliding_max_current(max), 0.0);
        }
    }
    if (json_is_number(expect)) {
        verdict_number(v, "maximum", json_number_value(expect), fsim_sliding_max_current(max), 0.0);
    } else if (json_array_size(expect) != json_array_size(input)) {
        verdict_fail(v, "as many results as inputs", "%zu", json_array_size(expect));
    }
}

static void judge_sliding_max(verdict *v, const json_t *vector, int64_t slots, fsim_ns slot_ns,
                              bool by_time) {
    fsim_sliding_max_entry *entries = calloc(SLOTS_MAX, sizeof *entries);
    if (entries == NULL || slots < 1 || slots > SLOTS_MAX) {
        verdict_fail(v, "1 to 100000 slots", "%lld", (long long)slots);
    } else {
        fsim_sliding_max max;
        fsim_sliding_max_init(&max, entries, SLOTS_MAX, slots, slot_ns);
        feed_sliding_max(v, vector, &max, by_time);
    }
    free(entries);
}

static void run_sliding_max(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    int64_t slots = verdict_read_int(&v, verdict_read_object(&v, vector, "params"), "slots");
    judge_sliding_max(&v, vector, slots, FSIM_SECOND, false);
    verdict_end(&v);
}

static void run_sliding_max_time(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    fsim_ns duration_ns = verdict_read_seconds(&v, params, "duration_s");
    fsim_ns slot_ns = verdict_read_seconds(&v, params, "slot_s");
    if (duration_ns <= 0 || slot_ns <= 0) {
        verdict_fail(&v, "a duration and a slot above 0", "others");
    } else {
        judge_sliding_max(&v, vector, fsim_sliding_max_slots(duration_ns, slot_ns), slot_ns, true);
    }
    verdict_end(&v);
}

/* ---- settings ---- */

static void run_resolve_target(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *expect = verdict_read_object(&v, vector, "expect");
    fsim_knative_settings s = fsim_knative_settings_default();
    s.metric = strcmp(verdict_read_text(&v, params, "metric"), "rps") == 0 ? FSIM_KNATIVE_RPS
                                                                           : FSIM_KNATIVE_CONCURRENCY;
    s.container_concurrency = verdict_int_or(&v, params, "container_concurrency", 0);
    /* Up to 1 the setting is read as a fraction. */
    s.concurrency_target_percentage = verdict_real_or(&v, params, "concurrency_target_fraction", 0.7);
    s.concurrency_target_default =
        verdict_real_or(&v, params, "concurrency_target_default", s.concurrency_target_default);
    s.rps_target_default = verdict_real_or(&v, params, "rps_target_default", s.rps_target_default);
    s.rps_target_fraction = verdict_real_or(&v, params, "rps_target_utilization", s.rps_target_fraction);
    s.target = verdict_real_or(&v, params, "target_annotation", 0.0);
    s.target_utilization_percentage = verdict_real_or(&v, params, "utilization_annotation_pct", 0.0);
    fsim_knative_target got = fsim_knative_resolve_target(&s);
    double tolerance = verdict_real_or(&v, vector, "tolerance", 0.0);
    verdict_number(&v, "target", verdict_read_real(&v, expect, "target"), got.target, tolerance);
    verdict_number(&v, "total", verdict_read_real(&v, expect, "total"), got.total, tolerance);
    verdict_end(&v);
}

static void run_panic_window(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    fsim_ns bucket_ns = verdict_has(params, "bucket_s") ? verdict_read_seconds(&v, params, "bucket_s")
                                                        : FSIM_METRIC_BUCKET_NS;
    fsim_ns stable_ns = verdict_read_seconds(&v, params, "stable_window_s");
    double percentage = verdict_read_real(&v, params, "panic_window_pct");
    const json_t *expect = verdict_read_object(&v, vector, "expect");
    if (!(percentage >= 0.0 && percentage <= 100.0)) {
        verdict_fail(&v, "0 to 100 %", "%g %%", percentage);
    } else {
        verdict_number(&v, "panic_window_s", verdict_read_real(&v, expect, "panic_window_s"),
                       fsim_ns_to_s(fsim_knative_panic_window(stable_ns, percentage, bucket_ns)), 0.0);
    }
    verdict_end(&v);
}

static void run_initial_scale(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    int64_t got = fsim_knative_initial_scale(verdict_read_int(&v, params, "cluster_initial_scale"),
                                             verdict_int_or(&v, params, "revision_initial_scale", -1),
                                             verdict_bool_or(&v, params, "allow_zero", false));
    verdict_number(&v, "initial scale", verdict_read_real(&v, vector, "expect"), (double)got, 0.0);
    verdict_end(&v);
}

static void run_activator_count(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    int64_t got = fsim_knative_activator_count(
        verdict_read_int(&v, params, "ready"), verdict_read_real(&v, params, "total"),
        verdict_read_real(&v, params, "target_burst_capacity"),
        verdict_read_real(&v, params, "activator_capacity"), verdict_read_int(&v, params, "min_activators"));
    verdict_number(&v, "activators", verdict_read_real(&v, vector, "expect"), (double)got, 0.0);
    verdict_end(&v);
}

static void run_scrape_sample_size(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    int64_t pods = verdict_read_int(&v, verdict_read_object(&v, vector, "params"), "pods");
    verdict_number(&v, "sample size", verdict_read_real(&v, vector, "expect"),
                   (double)fsim_knative_scrape_sample_size(pods), 0.0);
    verdict_end(&v);
}

static void run_activator_in_path(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *expect = verdict_read_object(&v, vector, "expect");
    bool proxy = fsim_knative_activator_in_path(verdict_read_int(&v, params, "applied_scale"),
                                                verdict_read_int(&v, params, "ebc"),
                                                verdict_bool_or(&v, params, "inactive", false));
    verdict_text(&v, "mode", verdict_read_text(&v, expect, "mode"), proxy ? "proxy" : "serve");
    verdict_end(&v);
}

/* ---- applying a decision ---- */

/* The index of a word in a NULL-terminated list; fails the vector when it is not there. */
static int word_index(verdict *v, const json_t *object, const char *key, const char *const *words) {
    const char *text = verdict_read_text(v, object, key);
    for (int k = 0; words[k] != NULL; k++) {
        if (strcmp(words[k], text) == 0) {
            return k;
        }
    }
    verdict_fail(v, "a known word", "\"%s\" in \"%s\"", text, key);
    return 0;
}

static fsim_knative_apply_params read_apply_params(verdict *v, const json_t *params) {
    return (fsim_knative_apply_params){
        .stable_window_ns = verdict_read_seconds(v, params, "stable_window_s"),
        .grace_period_ns = verdict_read_seconds(v, params, "grace_period_s"),
        .pod_retention_ns = verdict_read_seconds(v, params, "pod_retention_s"),
        .activation_timeout_ns = verdict_read_seconds(v, params, "activation_timeout_s"),
        .target_burst_capacity = verdict_read_real(v, params, "target_burst_capacity"),
        .min_scale = verdict_int_or(v, params, "min_scale", 0),
        .max_scale = verdict_int_or(v, params, "max_scale", 0),
        .initial_scale = verdict_int_or(v, params, "initial_scale", 1),
        .enable_scale_to_zero = verdict_bool_or(v, params, "enable_scale_to_zero", true),
    };
}

static void run_apply_scale(conformance *c, const json_t *vector) {
    static const char *const phases[] = {"activating", "active", "inactive", NULL};
    static const char *const reaches[] = {"unknown", "reachable", "unreachable", NULL};
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *state = verdict_read_object(&v, vector, "state");
    const json_t *expect = verdict_read_object(&v, vector, "expect");
    fsim_knative_apply_params p = read_apply_params(&v, params);
    fsim_knative_apply_state s = {
        .replicas = verdict_read_int(&v, state, "current_replicas"),
        .desired = verdict_read_int(&v, state, "desired"),
        .phase = (fsim_knative_phase)word_index(&v, state, "status", phases),
        .phase_for_ns = verdict_read_seconds(&v, state, "status_for_s"),
        .proxy_for_ns = verdict_read_seconds(&v, state, "proxy_for_s"),
        .activator_found = verdict_bool_or(&v, state, "activator_probe_ok", true),
        .initial_reached = verdict_bool_or(&v, params, "initial_reached", false),
        .reach = (fsim_knative_reach)word_index(&v, params, "reachability", reaches),
    };
    fsim_knative_apply_result r = fsim_knative_apply(&p, &s);
    verdict_number(&v, "scale", verdict_read_real(&v, expect, "scale"), (double)r.scale, 0.0);
    verdict_bool(&v, "applied", verdict_read_bool(&v, expect, "applied"), r.applied);
    verdict_bool(&v, "recheck_scheduled", verdict_read_bool(&v, expect, "recheck_scheduled"),
                 r.recheck_after_ns > 0);
    verdict_bool(&v, "async_probe", verdict_read_bool(&v, expect, "async_probe"), r.probe_activator);
    verdict_end(&v);
}

const conformance_kind knative_kinds[] = {
    {"kpa_decision", knative_run_decision},
    {"kpa_start", knative_run_start},
    {"kpa_initial_status", knative_run_initial_status},
    {"window_average", run_window_average},
    {"smoothing_coefficient", run_smoothing},
    {"sliding_max", run_sliding_max},
    {"sliding_max_time", run_sliding_max_time},
    {"resolve_target", run_resolve_target},
    {"panic_window", run_panic_window},
    {"initial_scale", run_initial_scale},
    {"activator_count", run_activator_count},
    {"scrape_sample_size", run_scrape_sample_size},
    {"activator_in_path", run_activator_in_path},
    {"request_stats", knative_run_request_stats},
    {"activator_report", knative_run_activator_report},
    {"apply_scale", run_apply_scale},
    {"breaker", knative_run_breaker},
    {"lb_policy", knative_run_lb_policy},
    {"pod_slice", knative_run_pod_slice},
    {"pod_slice_assign", knative_run_pod_slice_assign},
    {"activator_capacity", knative_run_activator_capacity},
    {"Knative KPA single decision", knative_run_single},
    {"Knative KPA sequence", knative_run_sequence},
    {NULL, NULL},
};
