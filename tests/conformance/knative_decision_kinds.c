/* Decisions of the Knative Pod Autoscaler: kpa_decision, kpa_start, kpa_initial_status, and group j. */
#include "knative_kinds.h"

#include "verdict.h"

#include "autoscale/kpa.h"

#include <stdlib.h>
#include <string.h>

/* The scale-down delay of any step fits. */
#define DELAY_ENTRIES_MAX 65536

typedef struct scaler {
    fsim_kpa kpa;
    fsim_sliding_max_entry *entries;
} scaler;

/* Fields of `object` over those in force; all are optional. */
static fsim_kpa_params read_params(verdict *v, const json_t *object, fsim_kpa_params now) {
    now.target = verdict_real_or(v, object, "target", now.target);
    now.total = verdict_real_or(v, object, "total", now.total);
    now.target_burst_capacity =
        verdict_real_or(v, object, "target_burst_capacity", now.target_burst_capacity);
    now.panic_threshold = verdict_real_or(v, object, "panic_threshold_ratio", now.panic_threshold);
    now.max_scale_up_rate = verdict_real_or(v, object, "max_scale_up_rate", now.max_scale_up_rate);
    now.max_scale_down_rate = verdict_real_or(v, object, "max_scale_down_rate", now.max_scale_down_rate);
    now.activation_scale = verdict_int_or(v, object, "activation_scale", now.activation_scale);
    now.reachable = verdict_bool_or(v, object, "reachable", now.reachable);
    if (verdict_has(object, "stable_window_s")) {
        now.stable_window_ns = verdict_read_seconds(v, object, "stable_window_s");
    }
    if (verdict_has(object, "scale_down_delay_s")) {
        now.scale_down_delay_ns = verdict_read_seconds(v, object, "scale_down_delay_s");
    }
    return now;
}

/* What the scaler of the published tests has unless a vector says otherwise. */
static fsim_kpa_params base_params(void) {
    return (fsim_kpa_params){.panic_threshold = 2.0,
                             .max_scale_up_rate = 10.0,
                             .max_scale_down_rate = 10.0,
                             .stable_window_ns = 60 * FSIM_SECOND,
                             .reachable = true};
}

static void begin_scaler(verdict *v, scaler *s, const fsim_kpa_params *params, fsim_ns now_ns,
                         int64_t ready) {
    s->entries = calloc(DELAY_ENTRIES_MAX, sizeof *s->entries);
    if (s->entries == NULL || fsim_kpa_delay_entries(params->scale_down_delay_ns) > DELAY_ENTRIES_MAX ||
        !(params->target > 0.0)) {
        verdict_fail(v, "a target above 0 and a delay of at most 36 h", "other parameters");
        *s = (scaler){.entries = s->entries};
        return;
    }
    fsim_kpa_init(&s->kpa, params, now_ns, ready, s->entries, DELAY_ENTRIES_MAX);
}

static void end_scaler(scaler *s) {
    free(s->entries);
}

static void compare_decision(verdict *v, const json_t *expect, double ebc_tolerance, const fsim_kpa *kpa,
                             const fsim_kpa_decision *d) {
    bool valid = d->verdict == FSIM_KPA_DECIDED;
    verdict_bool(v, "valid", verdict_bool_or(v, expect, "valid", true), valid);
    if (verdict_has(expect, "desired") && valid) {
        verdict_number(v, "desired", verdict_read_real(v, expect, "desired"), (double)d->desired, 0.0);
    }
    if (verdict_has(expect, "ebc") && valid) {
        verdict_number(v, "ebc", verdict_read_real(v, expect, "ebc"), (double)d->excess_burst_capacity,
                       ebc_tolerance);
    }
    if (verdict_has(expect, "panic_mode")) {
        verdict_bool(v, "panic_mode", verdict_read_bool(v, expect, "panic_mode"), kpa->panicking);
    }
    if (verdict_has(expect, "panic_since_s")) {
        verdict_bool(v, "panic_mode", true, kpa->panicking);
        verdict_number(v, "panic_since_s", verdict_read_real(v, expect, "panic_since_s"),
                       fsim_ns_to_s(kpa->panic_since_ns), 1e-9);
    }
    if (verdict_has(expect, "max_panic_pods")) {
        verdict_number(v, "max_panic_pods", verdict_read_real(v, expect, "max_panic_pods"),
                       (double)kpa->max_panic_pods, 0.0);
    }
}

/* True, or an error by its name. */
static bool is_told(const json_t *step, const char *key) {
    return verdict_has(step, key) && !json_is_false(json_object_get(step, key));
}

static void run_step(verdict *v, const json_t *step, double ebc_tolerance, fsim_kpa *kpa) {
    const json_t *changes = json_object_get(step, "set_params");
    if (changes != NULL) {
        fsim_kpa_params params = read_params(v, changes, kpa->params);
        if (!fsim_kpa_set_params(kpa, &params)) {
            verdict_fail(v, "a delay of at most 36 h", "a longer one");
        }
    }
    bool no_ready = is_told(step, "ready_error");
    bool no_metric = is_told(step, "metric_error");
    fsim_kpa_reading reading = {
        .ready = no_ready ? -1 : verdict_int_or(v, step, "ready", 0),
        .has_data = !no_metric,
        .stable = no_metric ? 0.0 : verdict_real_or(v, step, "stable", 0.0),
        .panic = no_metric ? 0.0 : verdict_real_or(v, step, "panic", 0.0),
    };
    fsim_kpa_decision d = fsim_kpa_decide(kpa, verdict_read_seconds(v, step, "t_s"), &reading);
    compare_decision(v, verdict_read_object(v, step, "expect"), ebc_tolerance, kpa, &d);
}

static int64_t read_start_ready(verdict *v, const json_t *vector) {
    return is_told(vector, "start_ready_error") ? -1 : verdict_int_or(v, vector, "start_ready", -1);
}

void knative_run_decision(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    fsim_kpa_params params = read_params(&v, verdict_read_object(&v, vector, "params"), base_params());
    const json_t *steps = verdict_read_array(&v, vector, "steps");
    double tolerance = verdict_real_or(&v, vector, "ebc_tolerance", 0.0);
    fsim_ns begin_ns =
        json_array_size(steps) > 0 ? verdict_read_seconds(&v, json_array_get(steps, 0), "t_s") : 0;
    scaler s;
    begin_scaler(&v, &s, &params, begin_ns, read_start_ready(&v, vector));
    const json_t *initial = json_object_get(vector, "initial");
    if (json_is_object(initial)) {
        s.kpa.panicking = verdict_has(initial, "panic_since_s");
        s.kpa.panic_since_ns = s.kpa.panicking ? verdict_read_seconds(&v, initial, "panic_since_s") : 0;
        s.kpa.max_panic_pods = verdict_int_or(&v, initial, "max_panic_pods", 0);
    }
    for (size_t k = 0; k < json_array_size(steps) && !v.failed; k++) {
        verdict_at(&v, "step", k);
        run_step(&v, json_array_get(steps, k), tolerance, &s.kpa);
    }
    end_scaler(&s);
    verdict_end(&v);
}

void knative_run_start(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    fsim_kpa_params params = read_params(&v, verdict_read_object(&v, vector, "params"), base_params());
    const json_t *expect = verdict_read_object(&v, vector, "expect");
    scaler s;
    begin_scaler(&v, &s, &params, 0, read_start_ready(&v, vector));
    verdict_bool(&v, "panic_mode", verdict_read_bool(&v, expect, "panic_mode"), s.kpa.panicking);
    verdict_number(&v, "max_panic_pods", verdict_read_real(&v, expect, "max_panic_pods"),
                   (double)s.kpa.max_panic_pods, 0.0);
    end_scaler(&s);
    verdict_end(&v);
}

void knative_run_initial_status(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *expect = verdict_read_object(&v, vector, "expect");
    fsim_kpa_status status = fsim_kpa_initial_status(verdict_read_int(&v, params, "initial_scale"),
                                                     verdict_read_real(&v, params, "total"),
                                                     verdict_read_real(&v, params, "target_burst_capacity"));
    verdict_number(&v, "desired", verdict_read_real(&v, expect, "desired"), (double)status.desired, 0.0);
    verdict_number(&v, "ebc", verdict_read_real(&v, expect, "ebc"), (double)status.excess_burst_capacity,
                   0.0);
    verdict_end(&v);
}

/* ---- group j: the same decisions in another layout, where total = target / 0.75 ---- */

#define GROUP_J_UTILIZATION 0.75

/* The names of group j, of a single decision or of a sequence's "config". */
static fsim_kpa_params read_group_j(verdict *v, const json_t *object) {
    fsim_kpa_params p = read_params(v, object, base_params());
    p.total = verdict_real_or(v, object, "total", p.target / GROUP_J_UTILIZATION);
    p.target_burst_capacity = verdict_real_or(v, object, "tbc", p.target_burst_capacity);
    p.panic_threshold = verdict_real_or(v, object, "panic_threshold", p.panic_threshold);
    p.max_scale_up_rate = verdict_real_or(v, object, "max_scale_up", p.max_scale_up_rate);
    p.max_scale_down_rate = verdict_real_or(v, object, "max_scale_down", p.max_scale_down_rate);
    return p;
}

static double accepted_error(verdict *v, const json_t *vector) {
    return verdict_real_or(v, json_object_get(vector, "accept"), "tol", 0.0);
}

static fsim_kpa_reading read_reading(verdict *v, const json_t *object) {
    return (fsim_kpa_reading){.ready = verdict_read_int(v, object, "ready"),
                              .has_data = true,
                              .stable = verdict_read_real(v, object, "stable"),
                              .panic = verdict_read_real(v, object, "panic")};
}

/* The figure that a group j vector asks for. */
static double figure(verdict *v, const char *metric, const fsim_kpa_decision *d) {
    if (strncmp(metric, "desired", strlen("desired")) == 0) {
        return (double)d->desired;
    }
    if (strncmp(metric, "excess_burst_capacity", strlen("excess_burst_capacity")) == 0) {
        return (double)d->excess_burst_capacity;
    }
    if (strncmp(metric, "panic", strlen("panic")) == 0) {
        return d->panicking ? 1.0 : 0.0;
    }
    verdict_fail(v, "a known metric", "\"%s\"", metric);
    return 0.0;
}

/* A number, or true and false as 1 and 0. */
static double expected_value(const json_t *value) {
    return json_is_boolean(value) ? (double)json_is_true(value) : json_number_value(value);
}

void knative_run_single(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *object = verdict_read_object(&v, vector, "params");
    fsim_kpa_params params = read_group_j(&v, object);
    fsim_kpa_reading reading = read_reading(&v, object);
    const char *metric = verdict_read_text(&v, vector, "metric");
    scaler s;
    begin_scaler(&v, &s, &params, 0, 1);
    if (!v.failed) {
        if (verdict_bool_or(&v, object, "in_panic", false)) {
            s.kpa.panicking = true;
            s.kpa.max_panic_pods = verdict_int_or(&v, object, "max_panic_pods", reading.ready);
        }
        fsim_kpa_decision d = fsim_kpa_decide(&s.kpa, FSIM_SECOND, &reading);
        verdict_number(&v, metric, expected_value(json_object_get(vector, "expected")),
                       figure(&v, metric, &d), accepted_error(&v, vector));
    }
    end_scaler(&s);
    verdict_end(&v);
}

void knative_run_sequence(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *object = verdict_read_object(&v, vector, "params");
    fsim_kpa_params params = read_group_j(&v, verdict_read_object(&v, object, "config"));
    const json_t *steps = verdict_read_array(&v, object, "steps");
    const json_t *expected = verdict_read_array(&v, vector, "expected");
    const char *metric = verdict_read_text(&v, vector, "metric");
    verdict_number(&v, "steps", (double)json_array_size(expected), (double)json_array_size(steps), 0.0);
    scaler s;
    begin_scaler(&v, &s, &params, 0, verdict_int_or(&v, object, "start_ready", 1));
    for (size_t k = 0; k < json_array_size(steps) && !v.failed; k++) {
        verdict_at(&v, "step", k);
        const json_t *step = json_array_get(steps, k);
        fsim_kpa_reading reading = read_reading(&v, step);
        fsim_kpa_decision d = fsim_kpa_decide(&s.kpa, verdict_read_seconds(&v, step, "t"), &reading);
        verdict_number(&v, metric, expected_value(json_array_get(expected, k)), figure(&v, metric, &d),
                       accepted_error(&v, vector));
    }
    end_scaler(&s);
    verdict_end(&v);
}
