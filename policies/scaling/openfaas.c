/* OpenFaaS Community Edition at work: the alert of its chart on the rate of successful calls, and what the
 * gateway makes of it (policies spec, section 3.3; openfaas/faas gateway/handlers/alerthandler.go,
 * openfaas/faas-netes chart/openfaas/templates/prometheus-cfg.yaml and alertmanager-cfg.yaml). While the
 * alert fires the replicas grow by a step every time Alertmanager repeats it; when it is resolved they go
 * straight back to the minimum.
 *
 * Nothing in this edition scales to zero by itself, but a function may have been put there: the first call
 * then makes the gateway ask for the minimum, and is held until a pod is ready (openfaas/faas
 * gateway/scaling/function_scaler.go). The gateway looks for that pod every 100 ms; here the call goes on at
 * once. */
#include "autoscale/openfaas.h"
#include "api/policy_api.h"

#include <stddef.h>
#include <stdio.h>

#define PODS_MAX 100000.0

typedef struct openfaas_params {
    int64_t min_replicas, max_replicas, hard_max, initial_replicas;
    double factor_pct;
    fsim_ns rate_window_ns;
    fsim_openfaas_alert_plan alert;
} openfaas_params;

/* Followed in the same memory by the calls of each step of the rate window. */
typedef struct openfaas_state {
    fsim_openfaas_settings settings;
    fsim_openfaas_alert alert;
    bool held; /* a call has come while there was no replica */
    uint32_t bucket_next;
} openfaas_state;

#define AT(field) offsetof(openfaas_params, field)
#define SPAN_ROW(row, where, fallback_text, least, help_text)                                                \
    {                                                                                                        \
        .name = row, .kind = FSIM_PARAM_SPAN, .offset = AT(where), .fallback = fallback_text, .min = least,  \
        .max = 3600, .help = help_text                                                                       \
    }

static const fsim_param table[] = {
    {.name = "min_replicas",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(min_replicas),
     .fallback = "1",
     .min = 1,
     .max = PODS_MAX,
     .unit = "pods",
     .help = "com.openfaas.scale.min; a function's min_instances counts as well"},
    {.name = "max_replicas",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(max_replicas),
     .fallback = "5",
     .min = 1,
     .max = PODS_MAX,
     .unit = "pods",
     .help = "com.openfaas.scale.max; a function's max_instances counts as well"},
    {.name = "hard_max",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(hard_max),
     .fallback = "5",
     .min = 1,
     .max = PODS_MAX,
     .unit = "pods",
     .help = "the edition's own bound, whatever max_replicas says"},
    {.name = "initial_replicas",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(initial_replicas),
     .fallback = "null",
     .min = 0,
     .max = PODS_MAX,
     .off = true,
     .unit = "pods",
     .help =
         "at t = 0; 0: scaled to zero before, and back to the minimum by the first call; null: the minimum"},
    {.name = "scaling_factor",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(factor_pct),
     .fallback = "10",
     .min = 0,
     .max = 100,
     .unit = "%",
     .help = "com.openfaas.scale.factor: one step, of the smaller maximum; rounded up"},
    {.name = "threshold",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(alert.threshold),
     .fallback = "5",
     .min = 0,
     .max = 1e9,
     .unit = "requests/s",
     .help = "the alert is true above so many successful calls of the function"},
    SPAN_ROW("rate_window", rate_window_ns, "10s", 1, "span of the rate; whole steps of the other spans"),
    SPAN_ROW("alert_for", alert.for_ns, "5s", 0, "the alert fires once it has been true for so long"),
    SPAN_ROW("evaluation_interval", alert.evaluation_ns, "15s", 1,
             "between looks of Prometheus; whole seconds"),
    SPAN_ROW("group_wait", alert.group_wait_ns, "5s", 1,
             "from the alert's firing to the first word of it; whole seconds"),
    SPAN_ROW("group_interval", alert.group_interval_ns, "10s", 1,
             "between looks of Alertmanager after that; whole seconds"),
    SPAN_ROW("repeat_interval", alert.repeat_interval_ns, "30s", 1, "between words of an alert that goes on"),
    {0}};

static fsim_status check(const void *params, fsim_error *err) {
    const openfaas_params *p = params;
    if (p->min_replicas > p->max_replicas) {
        return fsim_fail(err, FSIM_ECONFIG, "min_replicas %lld pods is more than max_replicas %lld pods",
                         (long long)p->min_replicas, (long long)p->max_replicas);
    }
    if (p->min_replicas > p->hard_max) {
        return fsim_fail(err, FSIM_ECONFIG, "min_replicas %lld pods is more than hard_max %lld pods",
                         (long long)p->min_replicas, (long long)p->hard_max);
    }
    if (p->initial_replicas != INT64_MAX && p->initial_replicas > p->max_replicas) {
        return fsim_fail(err, FSIM_ECONFIG, "initial_replicas %lld pods is more than max_replicas %lld pods",
                         (long long)p->initial_replicas, (long long)p->max_replicas);
    }
    if (p->alert.evaluation_ns % FSIM_SECOND != 0 || p->alert.group_wait_ns % FSIM_SECOND != 0 ||
        p->alert.group_interval_ns % FSIM_SECOND != 0) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "expected whole seconds for evaluation_interval, group_wait and group_interval");
    }
    if (p->rate_window_ns % fsim_openfaas_step(&p->alert) != 0) {
        return fsim_fail(
            err, FSIM_ECONFIG,
            "rate_window %g s is not a multiple of %g s, the step that evaluation_interval, group_wait and "
            "group_interval have in common",
            fsim_ns_to_s(p->rate_window_ns), fsim_ns_to_s(fsim_openfaas_step(&p->alert)));
    }
    return FSIM_OK;
}

static uint32_t buckets_of(const openfaas_params *p) {
    return (uint32_t)(p->rate_window_ns / fsim_openfaas_step(&p->alert));
}

static size_t state_size(const void *params) {
    return sizeof(openfaas_state) + buckets_of(params) * sizeof(uint64_t);
}

static uint64_t *buckets_at(openfaas_state *o) {
    return (uint64_t *)(void *)(o + 1);
}

static void init(void *memory, const void *params, const fsim_fn_spec *fn, fsim_scale_plan *plan) {
    openfaas_state *o = memory;
    const openfaas_params *p = params;
    fsim_openfaas_settings *s = &o->settings;
    *s = (fsim_openfaas_settings){p->min_replicas, p->max_replicas, p->hard_max, p->factor_pct};
    if (fn->max_instances != FSIM_UNLIMITED && fn->max_instances < s->max) {
        s->max = fn->max_instances;
    }
    if (fn->min_instances > s->min) {
        s->min = fn->min_instances;
    }
    s->max = s->max < s->min ? s->min : s->max;
    s->hard_max = s->hard_max < s->min ? s->min : s->hard_max;
    fsim_ns step_ns = fsim_openfaas_step(&p->alert);
    int64_t initial = p->initial_replicas == INT64_MAX ? s->min : p->initial_replicas;
    initial = initial < (int64_t)fn->min_instances ? (int64_t)fn->min_instances : initial;
    initial = initial > s->max ? s->max : initial;
    *plan = (fsim_scale_plan){.sample_ns = step_ns,
                              .tick_ns = step_ns,
                              .initial = (uint32_t)initial,
                              .no_requests = true,
                              .reads = FSIM_INPUT_BIT(FSIM_INPUT_RPS)};
}

static void sample(void *memory, const void *params, const fsim_scale_sample *seen, fsim_rng *rng) {
    openfaas_state *o = memory;
    (void)rng;
    buckets_at(o)[o->bucket_next] = seen->completed;
    o->bucket_next = (o->bucket_next + 1u) % buckets_of(params);
}

static void tick(void *memory, const void *params, const fsim_scale_view *view, bool explain,
                 fsim_scale_decision *decision) {
    openfaas_state *o = memory;
    const openfaas_params *p = params;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < buckets_of(p); i++) {
        sum += buckets_at(o)[i];
    }
    double rate = (double)sum / fsim_ns_to_s(p->rate_window_ns);
    fsim_openfaas_event event = fsim_openfaas_alert_at(&o->alert, &p->alert, rate, view->now_ns);
    if (event != FSIM_OPENFAAS_QUIET) {
        decision->want =
            (uint32_t)fsim_openfaas_replicas(&o->settings, event == FSIM_OPENFAAS_FIRING, view->wanted);
    }
    bool from_zero = view->wanted == 0 && o->held;
    o->held = false;
    decision->want = from_zero ? (uint32_t)o->settings.min : decision->want;
    decision->mode = from_zero ? "zero" : o->alert.firing ? "firing" : o->alert.above ? "pending" : "quiet";
    if (explain) {
        fsim_scale_decision_note(decision, "rate", rate);
        snprintf(decision->reason, sizeof decision->reason, "%g successful requests/s, alert above %g%s",
                 rate, p->alert.threshold,
                 event == FSIM_OPENFAAS_FIRING     ? ": firing, one step more"
                 : event == FSIM_OPENFAAS_RESOLVED ? ": resolved, back to the minimum"
                 : from_zero                       ? ": a call with no replica, up to the minimum"
                                                   : "");
    }
}

static bool poke(void *memory, const void *params, fsim_ns now_ns) {
    openfaas_state *o = memory;
    (void)params;
    (void)now_ns;
    o->held = true;
    return true;
}

const fsim_scaling_ops fsim_scaling_openfaas = {
    .info =
        {.name = "openfaas",
         .summary =
             "OpenFaaS Community Edition: a step more while an alert on the rate fires, back when it is over",
         .source = "policies spec, section 3.3; openfaas/faas gateway/handlers/alerthandler.go",
         .params = table,
         .params_size = sizeof(openfaas_params),
         .check = check},
    .state_size = state_size,
    .init = init,
    .sample = sample,
    .tick = tick,
    .poke = poke,
};
