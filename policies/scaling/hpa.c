/* The Horizontal Pod Autoscaler of Kubernetes (autoscaling/v2) at work: the decision code of
 * sim/autoscale/hpa.h on what the resource metrics pipeline tells of the instances (policies spec, section 2;
 * kubernetes/kubernetes pkg/controller/podautoscaler, kubernetes-sigs/metrics-server). An instance is a pod,
 * a function is a deployment; a pod is Pending until it is ready.
 *
 * Each metric with a target is one entry of `metrics`, and the largest proposal counts. CPU and memory are
 * resource metrics; concurrency and rps are pods metrics and come as late; what waits in the queue is an
 * object's. */
#include "autoscale/hpa.h"
#include "api/policy_api.h"
#include "autoscale/metrics_pipeline.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

#define METRICS_MAX 8
#define OFF         INT64_MAX
#define PODS_MAX    100000.0

/* What stands where in a reading. The queue is kept by the function. */
enum { CPU, MEMORY, CONCURRENCY, RPS, QUEUE };

typedef struct side_params {
    fsim_ns stabilization_ns;
    int select;
    int64_t pods, percent; /* OFF: no such policy */
    fsim_ns pods_period_ns, percent_period_ns;
} side_params;

typedef struct hpa_params {
    int64_t cpu_utilization, memory_utilization;
    double cpu_average, memory_average, concurrency_average, rps_average, queue_average, queue_value;
    double cpu_request;
    int64_t min_replicas, max_replicas;
    fsim_ns sync_period_ns;
    fsim_hpa_tolerance tolerance;
    fsim_hpa_readiness readiness;
    fsim_ns downscale_stabilization_ns;
    fsim_metrics_pipeline pipeline;
    bool behavior;
    side_params up, down;
} hpa_params;

typedef struct hpa_source {
    const char *name;
    int value; /* CPU … QUEUE */
    fsim_hpa_metric metric;
} hpa_source;

/* Followed in the same memory by the entries of the autoscaler's past and the function's store. */
typedef struct hpa_state {
    fsim_hpa hpa;
    fsim_hpa_settings settings;
    hpa_source source[METRICS_MAX];
    uint32_t source_count;
    int64_t request[2]; /* CPU in millicores, MEMORY in KiB */
} hpa_state;

static const char *const selects[] = {"max", "min", "disabled", NULL};

#define AT(field) offsetof(hpa_params, field)
#define PERCENT_ROW(row, help_text, fallback_text)                                                           \
    {                                                                                                        \
        .name = #row, .kind = FSIM_PARAM_COUNT, .offset = AT(row), .fallback = fallback_text, .min = 1,      \
        .max = 100000, .off = true, .unit = "%", .help = help_text                                           \
    }
#define TARGET_ROW(row, unit_text, help_text)                                                                \
    {                                                                                                        \
        .name = #row, .kind = FSIM_PARAM_REAL, .offset = AT(row), .fallback = "0", .min = 0, .max = 1e9,     \
        .unit = unit_text, .help = help_text                                                                 \
    }
#define SPAN_ROW(row, where, fallback_text, least, most, help_text)                                          \
    {                                                                                                        \
        .name = row, .kind = FSIM_PARAM_SPAN, .offset = AT(where), .fallback = fallback_text, .min = least,  \
        .max = most, .help = help_text                                                                       \
    }
#define POLICY_ROW(row, where, fallback_text, unit_text, help_text)                                          \
    {                                                                                                        \
        .name = row, .kind = FSIM_PARAM_COUNT, .offset = AT(where), .fallback = fallback_text, .min = 1,     \
        .max = 1e6, .off = true, .unit = unit_text, .help = help_text                                        \
    }
#define SELECT_ROW(row, where, help_text)                                                                    \
    {                                                                                                        \
        .name = row, .kind = FSIM_PARAM_CHOICE, .offset = AT(where), .fallback = "max", .help = help_text,   \
        .choices = selects                                                                                   \
    }

static const fsim_param table[] = {
    PERCENT_ROW(cpu_utilization, "CPU in use, as a share of what the pods request; null: not a metric", "80"),
    PERCENT_ROW(memory_utilization, "memory in use, as a share of memory_mb; null: not a metric", "null"),
    TARGET_ROW(cpu_average, "vCPU", "CPU in use per pod; 0: not a metric"),
    TARGET_ROW(memory_average, "MB", "memory in use per pod; 0: not a metric"),
    TARGET_ROW(concurrency_average, "requests", "requests inside, per pod; 0: not a metric"),
    TARGET_ROW(rps_average, "requests/s", "arrivals per pod; 0: not a metric"),
    TARGET_ROW(queue_average, "requests", "requests that wait for a slot, per pod; 0: not a metric"),
    TARGET_ROW(queue_value, "requests", "requests that wait for a slot, in all; 0: not a metric"),
    {.name = "cpu_request",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(cpu_request),
     .fallback = "1",
     .min = 0.001,
     .max = 1,
     .unit = "share",
     .help = "what a pod requests of its vCPUs; it may use them all"},
    {.name = "min_replicas",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(min_replicas),
     .fallback = "1",
     .min = 0,
     .max = PODS_MAX,
     .unit = "pods",
     .help = "never fewer; 0 needs a queue metric; a function's min_instances counts as well"},
    {.name = "max_replicas",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(max_replicas),
     .fallback = "100",
     .min = 1,
     .max = PODS_MAX,
     .unit = "pods",
     .help = "never more; a function's max_instances counts as well"},
    SPAN_ROW("sync_period", sync_period_ns, "15s", 1, 3600, "between decisions"),
    {.name = "tolerance_up",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(tolerance.up),
     .fallback = "0.1",
     .min = 0,
     .max = 100,
     .unit = "ratio",
     .help = "how far above the target nothing is done"},
    {.name = "tolerance_down",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(tolerance.down),
     .fallback = "0.1",
     .min = 0,
     .max = 1,
     .unit = "ratio",
     .help = "how far below the target nothing is done"},
    SPAN_ROW("cpu_initialization_period", readiness.cpu_initialization_ns, "5m", 0, 86400,
             "from its start on, so long a pod's CPU counts only once a whole window after it became ready"),
    SPAN_ROW("initial_readiness_delay", readiness.initial_readiness_ns, "30s", 0, 86400,
             "a pod that became unready so early after its start has never been ready"),
    SPAN_ROW("downscale_stabilization", downscale_stabilization_ns, "5m", 0, 3600,
             "without behavior: the largest proposal of so long counts"),
    SPAN_ROW("metric_resolution", pipeline.resolution_ns, "15s", 1, 3600,
             "between scrapes; a reading is the average between two"),
    SPAN_ROW("metric_delay", pipeline.delay_ns, "10s", 0, 600, "age of a reading when it is first served"),
    {.name = "behavior",
     .kind = FSIM_PARAM_BOOL,
     .offset = AT(behavior),
     .fallback = "false",
     .help = "whether the object has a behavior: the scale_up and scale_down rows count then"},
    SPAN_ROW("scale_up_stabilization", up.stabilization_ns, "0s", 0, 3600,
             "the smallest proposal of so long counts"),
    SELECT_ROW("scale_up_select", up.select,
               "of the policies the one that allows most, or least; or no change"),
    POLICY_ROW("scale_up_pods", up.pods, "4", "pods", "growth in a period; null: no such policy"),
    SPAN_ROW("scale_up_pods_period", up.pods_period_ns, "15s", 1, 1800, "of scale_up_pods"),
    POLICY_ROW("scale_up_percent", up.percent, "100", "%",
               "growth in a period, of the pods at its beginning; null: no such policy"),
    SPAN_ROW("scale_up_percent_period", up.percent_period_ns, "15s", 1, 1800, "of scale_up_percent"),
    SPAN_ROW("scale_down_stabilization", down.stabilization_ns, "5m", 0, 3600,
             "the largest proposal of so long counts"),
    SELECT_ROW("scale_down_select", down.select,
               "of the policies the one that allows most, or least; or no change"),
    POLICY_ROW("scale_down_pods", down.pods, "null", "pods", "loss in a period; null: no such policy"),
    SPAN_ROW("scale_down_pods_period", down.pods_period_ns, "15s", 1, 1800, "of scale_down_pods"),
    POLICY_ROW("scale_down_percent", down.percent, "100", "%",
               "loss in a period, of the pods at its beginning; null: no such policy"),
    SPAN_ROW("scale_down_percent_period", down.percent_period_ns, "15s", 1, 1800, "of scale_down_percent"),
    {0}};

/* ---- parameters ---- */

static bool needs_pods(const hpa_params *p) {
    return p->cpu_utilization != OFF || p->memory_utilization != OFF || p->cpu_average > 0 ||
           p->memory_average > 0 || p->concurrency_average > 0 || p->rps_average > 0;
}

static bool needs_queue(const hpa_params *p) {
    return p->queue_average > 0 || p->queue_value > 0;
}

static bool same_side(const side_params *a, const side_params *b) {
    return a->stabilization_ns == b->stabilization_ns && a->select == b->select && a->pods == b->pods &&
           a->percent == b->percent && a->pods_period_ns == b->pods_period_ns &&
           a->percent_period_ns == b->percent_period_ns;
}

/* Without `behavior` its rows mean nothing: one that was changed is a mistake. */
static bool behavior_is_default(const hpa_params *p) {
    const fsim_ns period_ns = 15 * FSIM_SECOND;
    const side_params up = {
        .pods = 4, .percent = 100, .pods_period_ns = period_ns, .percent_period_ns = period_ns};
    const side_params down = {.stabilization_ns = 5 * FSIM_MINUTE,
                              .pods = OFF,
                              .percent = 100,
                              .pods_period_ns = period_ns,
                              .percent_period_ns = period_ns};
    return same_side(&p->up, &up) && same_side(&p->down, &down);
}

static fsim_status check(const void *params, fsim_error *err) {
    const hpa_params *p = params;
    if (p->min_replicas > p->max_replicas) {
        return fsim_fail(err, FSIM_ECONFIG, "min_replicas %lld pods is more than max_replicas %lld pods",
                         (long long)p->min_replicas, (long long)p->max_replicas);
    }
    if (!needs_pods(p) && !needs_queue(p)) {
        return fsim_fail(
            err, FSIM_ECONFIG,
            "no metric: expected a target for at least one of cpu_utilization, memory_utilization, "
            "cpu_average, memory_average, concurrency_average, rps_average, queue_average, queue_value");
    }
    if (p->min_replicas == 0 && !needs_queue(p)) {
        return fsim_fail(
            err, FSIM_ECONFIG,
            "min_replicas 0 pods: without pods nothing is measured but a queue; expected queue_average "
            "or queue_value above 0, or at least 1 pod");
    }
    if (!p->behavior && !behavior_is_default(p)) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "scale_up and scale_down parameters count only with behavior true");
    }
    return FSIM_OK;
}

static fsim_hpa_rules rules_of(const side_params *side) {
    fsim_hpa_rules rules = {.stabilization_ns = side->stabilization_ns,
                            .select = (fsim_hpa_select)side->select};
    if (side->pods != OFF) {
        rules.policy[rules.count++] = (fsim_hpa_policy){false, side->pods, side->pods_period_ns};
    }
    if (side->percent != OFF) {
        rules.policy[rules.count++] = (fsim_hpa_policy){true, side->percent, side->percent_period_ns};
    }
    return rules;
}

static fsim_hpa_settings settings_of(const hpa_params *p) {
    return (fsim_hpa_settings){.min = p->min_replicas,
                               .max = p->max_replicas,
                               .downscale_stabilization_ns = p->downscale_stabilization_ns,
                               .has_behavior = p->behavior,
                               .up = rules_of(&p->up),
                               .down = rules_of(&p->down)};
}

/* ---- memory ---- */

static size_t entries_of(const hpa_params *p) {
    fsim_hpa_settings settings = settings_of(p);
    fsim_hpa_room room = fsim_hpa_room_of(&settings, p->sync_period_ns);
    return (size_t)room.recommendations + room.ups + room.downs;
}

static size_t state_size(const void *params) {
    const hpa_params *p = params;
    return sizeof(hpa_state) + entries_of(p) * sizeof(fsim_hpa_entry) +
           (needs_queue(p) ? fsim_metrics_store_size(&p->pipeline) : 0);
}

static size_t instance_size(const void *params) {
    const hpa_params *p = params;
    return needs_pods(p) ? fsim_metrics_store_size(&p->pipeline) : 0;
}

/* The engine may have moved the state since the last call: what points into it is set anew. */
static hpa_state *state_at(void *memory) {
    hpa_state *h = memory;
    fsim_hpa_rebase(&h->hpa, (fsim_hpa_entry *)(void *)(h + 1));
    return h;
}

static fsim_metrics_store *queue_store(hpa_state *h) {
    return (fsim_metrics_store *)(void *)(h->hpa.downs.entries + h->hpa.downs.capacity);
}

/* ---- set-up ---- */

static int64_t to_kib(double mb) {
    return (int64_t)ceil(mb * 1024.0);
}

static void add_source(hpa_state *h, const char *name, int value, fsim_hpa_metric_kind kind, int64_t target) {
    h->source[h->source_count++] =
        (hpa_source){name, value, {.kind = kind, .cpu = value == CPU, .target = target > 0 ? target : 1}};
}

static void list_sources(hpa_state *h, const hpa_params *p) {
    if (p->cpu_utilization != OFF) {
        add_source(h, "cpu_utilization", CPU, FSIM_HPA_UTILIZATION, p->cpu_utilization);
    }
    if (p->memory_utilization != OFF) {
        add_source(h, "memory_utilization", MEMORY, FSIM_HPA_UTILIZATION, p->memory_utilization);
    }
    if (p->cpu_average > 0) {
        add_source(h, "cpu_average", CPU, FSIM_HPA_RESOURCE_VALUE, fsim_hpa_milli(p->cpu_average));
    }
    if (p->memory_average > 0) {
        add_source(h, "memory_average", MEMORY, FSIM_HPA_RESOURCE_VALUE, to_kib(p->memory_average));
    }
    if (p->concurrency_average > 0) {
        add_source(h, "concurrency_average", CONCURRENCY, FSIM_HPA_PODS,
                   fsim_hpa_milli(p->concurrency_average));
    }
    if (p->rps_average > 0) {
        add_source(h, "rps_average", RPS, FSIM_HPA_PODS, fsim_hpa_milli(p->rps_average));
    }
    if (p->queue_average > 0) {
        add_source(h, "queue_average", QUEUE, FSIM_HPA_AVERAGE_VALUE, fsim_hpa_milli(p->queue_average));
    }
    if (p->queue_value > 0) {
        add_source(h, "queue_value", QUEUE, FSIM_HPA_VALUE, fsim_hpa_milli(p->queue_value));
    }
}

/* The function's own bounds over those of the table; a contradiction between the two keeps the least. */
static void bound(fsim_hpa_settings *s, const fsim_fn_spec *fn) {
    if (fn->max_instances != FSIM_UNLIMITED && fn->max_instances < s->max) {
        s->max = fn->max_instances;
    }
    if (fn->min_instances > s->min) {
        s->min = fn->min_instances;
    }
    s->max = s->max < s->min ? s->min : s->max;
}

static uint32_t inputs_of(const hpa_state *h) {
    static const fsim_input inputs[] = {FSIM_INPUT_CPU, FSIM_INPUT_MEMORY, FSIM_INPUT_CONCURRENCY,
                                        FSIM_INPUT_RPS, FSIM_INPUT_QUEUE};
    uint32_t bits = 0;
    for (uint32_t i = 0; i < h->source_count; i++) {
        bits |= FSIM_INPUT_BIT(inputs[h->source[i].value]);
    }
    return bits;
}

static void init(void *memory, const void *params, const fsim_fn_spec *fn, fsim_scale_plan *plan) {
    hpa_state *h = memory;
    const hpa_params *p = params;
    h->settings = settings_of(p);
    fsim_hpa_room room = fsim_hpa_room_of(&h->settings, p->sync_period_ns);
    fsim_hpa_init(&h->hpa, (fsim_hpa_entry *)(void *)(h + 1), &room);
    bound(&h->settings, fn);
    list_sources(h, p);
    int64_t cpu = fsim_hpa_milli(fn->vcpu * p->cpu_request);
    h->request[CPU] = cpu > 0 ? cpu : 1;
    h->request[MEMORY] = fn->memory_mb * 1024;
    int64_t initial = h->settings.min > 1 ? h->settings.min : 1; /* a deployment has one replica */
    *plan = (fsim_scale_plan){.sample_ns = p->pipeline.resolution_ns,
                              .tick_ns = p->sync_period_ns,
                              .initial = (uint32_t)(initial < h->settings.max ? initial : h->settings.max),
                              .wants_cpu = p->cpu_utilization != OFF || p->memory_utilization != OFF ||
                                           p->cpu_average > 0 || p->memory_average > 0,
                              .no_requests = p->concurrency_average <= 0 && p->rps_average <= 0,
                              .wants_instances = needs_pods(p) || p->queue_value > 0,
                              .reads = inputs_of(h)};
}

/* ---- what is measured ---- */

static void sample(void *memory, const void *params, const fsim_scale_sample *seen, fsim_rng *rng) {
    const hpa_params *p = params;
    (void)rng;
    for (uint32_t i = 0; needs_pods(p) && i < seen->count; i++) {
        const fsim_instance_sample *pod = &seen->instances[i];
        if (fsim_metrics_covers(&p->pipeline, pod->age_ns)) {
            fsim_metrics_reading reading = {
                seen->now_ns,
                pod->over_ns,
                {pod->cpu, pod->memory_mb, pod->concurrency, pod->requests_per_s}};
            fsim_metrics_record(pod->state, &p->pipeline, &reading);
        }
    }
    if (needs_queue(p)) {
        fsim_metrics_reading reading = {seen->now_ns, seen->elapsed_ns, {seen->queued, 0, 0, 0}};
        fsim_metrics_record(queue_store(state_at(memory)), &p->pipeline, &reading);
    }
}

/* ---- what is decided ---- */

static fsim_hpa_pod pod_of(const hpa_state *h, const hpa_params *p, const hpa_source *source,
                           const fsim_instance_view *in, fsim_ns now_ns) {
    bool ready = in->ready_ns != FSIM_NEVER;
    fsim_hpa_pod pod = {.phase = ready ? FSIM_POD_RUNNING : FSIM_POD_PENDING,
                        .has_condition = true,
                        .ready = ready,
                        .has_start = true,
                        .has_request = source->value <= MEMORY,
                        .request = source->value <= MEMORY ? h->request[source->value] : 0,
                        .start_ns = in->started_ns,
                        .ready_change_ns = ready ? in->ready_ns : in->started_ns};
    const fsim_metrics_reading *reading =
        ready && in->state != NULL ? fsim_metrics_read(in->state, &p->pipeline, now_ns) : NULL;
    if (reading != NULL && source->value != QUEUE) {
        double value = reading->value[source->value];
        pod.has_sample = true;
        pod.sample_ns = reading->at_ns;
        pod.window_ns = reading->window_ns;
        pod.usage = source->value == MEMORY ? to_kib(value) : fsim_hpa_milli(value);
    }
    return pod;
}

static fsim_hpa_proposal propose(hpa_state *h, const hpa_params *p, hpa_source *source,
                                 const fsim_scale_view *view) {
    fsim_hpa_tally tally = {0};
    if (source->value == QUEUE) {
        const fsim_metrics_reading *reading = fsim_metrics_read(queue_store(h), &p->pipeline, view->now_ns);
        if (reading == NULL) {
            return (fsim_hpa_proposal){.error = "nothing measured yet"};
        }
        source->metric.value = fsim_hpa_milli(reading->value[0]);
    }
    for (uint32_t i = 0; i < view->instance_count; i++) {
        fsim_hpa_pod pod = pod_of(h, p, source, &view->instances[i], view->now_ns);
        fsim_hpa_tally_pod(&tally, &source->metric, &pod, &p->readiness, view->now_ns);
    }
    return fsim_hpa_propose(&source->metric, &tally, &p->tolerance, view->wanted,
                            (int64_t)view->ready + view->starting);
}

/* As its target is written: percent, vCPU, MB, requests. */
static double measured(const hpa_source *source, const fsim_hpa_proposal *p) {
    if (source->metric.kind == FSIM_HPA_UTILIZATION) {
        return (double)p->utilization;
    }
    double units = source->value == MEMORY ? 1024.0 : 1000.0;
    return (double)(source->metric.kind == FSIM_HPA_VALUE ? source->metric.value : p->average) / units;
}

static void explain_decision(const hpa_state *h, const fsim_hpa_proposal *proposals,
                             const fsim_hpa_decision *d, uint32_t present, fsim_scale_decision *out) {
    char *text = out->reason;
    size_t size = sizeof out->reason;
    for (uint32_t i = 0; i < h->source_count; i++) {
        if (proposals[i].error == NULL) {
            fsim_scale_decision_note(out, h->source[i].name, measured(&h->source[i], &proposals[i]));
        }
    }
    if (d->verdict == FSIM_HPA_DISABLED) {
        snprintf(text, size, "switched off: 0 pods although the least is %lld", (long long)h->settings.min);
    } else if (d->verdict == FSIM_HPA_OUT_OF_BOUNDS) {
        snprintf(text, size, "%u pods are outside %lld to %lld", present, (long long)h->settings.min,
                 (long long)h->settings.max);
    } else if (d->verdict == FSIM_HPA_NO_METRIC) {
        snprintf(text, size, "stays: %s",
                 proposals[0].error != NULL ? proposals[0].error
                                            : "a metric cannot be read, the rest asks for fewer");
    } else {
        const hpa_source *source = &h->source[d->metric];
        int used = snprintf(text, size, "%s at %.2f of its target wants %lld", source->name,
                            proposals[d->metric].ratio, (long long)d->recommended);
        if (d->stabilized != d->recommended) {
            used += snprintf(text + used, size - (size_t)used, ", held at %lld", (long long)d->stabilized);
        }
        if (d->replicas != d->stabilized) {
            snprintf(text + used, size - (size_t)used, ", limited to %lld", (long long)d->replicas);
        }
    }
}

static void tick(void *memory, const void *params, const fsim_scale_view *view, bool explain,
                 fsim_scale_decision *decision) {
    hpa_state *h = state_at(memory);
    fsim_hpa_proposal proposals[METRICS_MAX];
    fsim_check(h->source_count > 0); /* one without a metric is refused when it is loaded */
    for (uint32_t i = 0; i < h->source_count; i++) {
        proposals[i] = propose(h, params, &h->source[i], view);
    }
    fsim_hpa_decision d =
        fsim_hpa_sync(&h->hpa, &h->settings, proposals, h->source_count, view->wanted, view->now_ns);
    decision->want = (uint32_t)d.replicas;
    decision->mode = d.verdict == FSIM_HPA_NO_METRIC  ? "blind"
                     : d.verdict == FSIM_HPA_DISABLED ? "off"
                     : decision->want > view->wanted  ? "up"
                     : decision->want < view->wanted  ? "down"
                                                      : "steady";
    if (explain) {
        explain_decision(h, proposals, &d, view->wanted, decision);
    }
}

const fsim_scaling_ops fsim_scaling_hpa = {
    .info =
        {.name = "hpa",
         .summary =
             "Kubernetes Horizontal Pod Autoscaler: CPU, memory, pods and queue metrics, as late as they are",
         .source = "policies spec, section 2; kubernetes/kubernetes pkg/controller/podautoscaler",
         .params = table,
         .params_size = sizeof(hpa_params),
         .check = check},
    .state_size = state_size,
    .instance_size = instance_size,
    .init = init,
    .sample = sample,
    .tick = tick,
};
