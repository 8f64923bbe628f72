/* The Knative Pod Autoscaler at work: the decision code of sim/autoscale/ between the engine's samples and
 * its instances (policies spec, section 1; knative/serving). An instance is a pod, a function is a revision
 * with one route, so it is always reachable; container concurrency is the function's concurrency.
 *
 * Each second: scrape a sample of the pods, add what the activator reports (metrics/collector.go,
 * concurrency_reporter.go). Each two seconds: decide (scaling/autoscaler.go), apply bounds and the way to
 * zero (kpa/scaler.go, kpa.go), put the activator into the path or take it out. A request for a revision at
 * zero is reported at once and decided upon at once. */
#include "api/policy_api.h"
#include "autoscale/knative_apply.h"
#include "autoscale/kpa.h"
#include "autoscale/metric_collector.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

#define SAMPLE_MAX 16 /* fsim_knative_scrape_sample_size never asks for more pods */

typedef struct kpa_params {
    fsim_knative_settings settings;
    int metric, aggregation;
} kpa_params;

/* Followed in the same memory by the entries of the scale-down delay and the buckets of the windows. */
typedef struct kpa_state {
    fsim_kpa kpa;
    fsim_metric_collector collector;
    fsim_knative_apply_params apply;
    bool rps;
    int64_t desired, excess_burst_capacity; /* of the last decision */
    fsim_knative_phase phase;
    bool initial_reached;
    bool met;         /* it has decided before */
    uint32_t initial; /* pods that the run begins with */
    fsim_ns phase_since_ns;
    fsim_ns proxy_since_ns; /* the activator has been in the path since; FSIM_NEVER: it is not */
    bool reporting;         /* the activator has state for the revision */
    double prepaid;         /* reported at once, taken off the next report */
} kpa_state;

static const char *const metrics[] = {"concurrency", "rps", NULL};
static const char *const aggregations[] = {"linear", "weighted-exponential", NULL};

#define AT(field) offsetof(kpa_params, settings.field)
#define PODS_MAX  2147483647.0

static const fsim_param table[] = {
    {.name = "metric",
     .kind = FSIM_PARAM_CHOICE,
     .offset = offsetof(kpa_params, metric),
     .fallback = "concurrency",
     .help = "what is compared with the target",
     .choices = metrics},
    {.name = "aggregation",
     .kind = FSIM_PARAM_CHOICE,
     .offset = offsetof(kpa_params, aggregation),
     .fallback = "linear",
     .help = "how a window averages its seconds",
     .choices = aggregations},
    {.name = "stable_window",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(stable_window_ns),
     .fallback = "60s",
     .min = 6,
     .max = 3600,
     .help = "span of the average that sets the count; whole seconds"},
    {.name = "panic_window_percentage",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(panic_window_percentage),
     .fallback = "10",
     .min = 1,
     .max = 100,
     .unit = "%",
     .help = "the panic window as a share of the stable one"},
    {.name = "panic_threshold_percentage",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(panic_threshold_percentage),
     .fallback = "200",
     .min = 110,
     .max = 1000,
     .unit = "%",
     .help = "panic when the panic window asks for this share of the ready pods"},
    {.name = "target_percentage",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(concurrency_target_percentage),
     .fallback = "70",
     .min = 1e-4,
     .max = 100,
     .unit = "%",
     .help = "container-concurrency-target-percentage: how full a pod shall be; up to 1 it is a fraction"},
    {.name = "concurrency_target_default",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(concurrency_target_default),
     .fallback = "100",
     .min = 0.01,
     .max = 1e9,
     .unit = "requests",
     .help = "container-concurrency-target-default: in flight per pod, for a function without a concurrency"},
    {.name = "rps_target_default",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(rps_target_default),
     .fallback = "200",
     .min = 0.01,
     .max = 1e9,
     .unit = "requests/s",
     .help = "requests-per-second-target-default, per pod; 70 % of it are aimed at"},
    {.name = "target",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(target),
     .fallback = "0",
     .min = 0,
     .max = 1e9,
     .unit = "per pod",
     .help = "the revision's own target; 0: from its concurrency, or the default"},
    {.name = "target_utilization_percentage",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(target_utilization_percentage),
     .fallback = "0",
     .min = 0,
     .max = 100,
     .unit = "%",
     .help = "the revision's own share of the target to aim at; 0: that of the cluster"},
    {.name = "target_burst_capacity",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(target_burst_capacity),
     .fallback = "211",
     .min = -1,
     .max = 1e9,
     .unit = "requests",
     .help = "spare room below which requests pass the activator; -1: always, 0: only at zero pods"},
    {.name = "max_scale_up_rate",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(max_scale_up_rate),
     .fallback = "1000",
     .min = 1,
     .max = 1e9,
     .unit = "times",
     .help = "factor per decision, above 1"},
    {.name = "max_scale_down_rate",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(max_scale_down_rate),
     .fallback = "2",
     .min = 1,
     .max = 1e9,
     .unit = "times",
     .help = "factor per decision, above 1"},
    {.name = "enable_scale_to_zero",
     .kind = FSIM_PARAM_BOOL,
     .offset = AT(enable_scale_to_zero),
     .fallback = "true",
     .help = "whether the last pod may go"},
    {.name = "scale_to_zero_grace_period",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(scale_to_zero_grace_period_ns),
     .fallback = "30s",
     .min = 1e-9,
     .max = 86400,
     .help = "longest wait for the activator to be in the path before the last pod goes"},
    {.name = "scale_to_zero_pod_retention_period",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(scale_to_zero_pod_retention_period_ns),
     .fallback = "0s",
     .min = 0,
     .max = 31536000,
     .help = "least time that the last pod stays"},
    {.name = "scale_down_delay",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(scale_down_delay_ns),
     .fallback = "0s",
     .min = 0,
     .max = 3600,
     .help = "a lower count is applied only after so long; whole seconds"},
    {.name = "initial_scale",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(initial_scale),
     .fallback = "1",
     .min = 0,
     .max = PODS_MAX,
     .unit = "pods",
     .help = "pods at the beginning"},
    {.name = "allow_zero_initial_scale",
     .kind = FSIM_PARAM_BOOL,
     .offset = AT(allow_zero_initial_scale),
     .fallback = "false",
     .help = "whether initial_scale may be 0"},
    {.name = "min_scale",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(min_scale),
     .fallback = "0",
     .min = 0,
     .max = PODS_MAX,
     .unit = "pods",
     .help = "never fewer; a function's min_instances counts as well"},
    {.name = "max_scale",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(max_scale),
     .fallback = "0",
     .min = 0,
     .max = PODS_MAX,
     .unit = "pods",
     .help = "never more, 0: no bound; a function's max_instances counts as well"},
    {.name = "activation_scale",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(activation_scale),
     .fallback = "1",
     .min = 1,
     .max = PODS_MAX,
     .unit = "pods",
     .help = "least count as soon as there is anything to do"},
    {.name = "activation_timeout",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(activation_timeout_ns),
     .fallback = "630s",
     .min = 1e-9,
     .max = 86400,
     .help = "how long a first pod may take to become ready before the count returns to 0"},
    {0}};

/* What the table says, with the rest of Knative's settings at their defaults. */
static fsim_knative_settings settings_of(const kpa_params *p) {
    fsim_knative_settings s = p->settings, defaults = fsim_knative_settings_default();
    s.metric = p->metric == 1 ? FSIM_KNATIVE_RPS : FSIM_KNATIVE_CONCURRENCY;
    s.weighted_average = p->aggregation == 1;
    s.rps_target_fraction = defaults.rps_target_fraction;
    s.activator_capacity = defaults.activator_capacity;
    s.min_activators = defaults.min_activators;
    s.revision_timeout_ns = defaults.revision_timeout_ns;
    s.max_scale_limit = defaults.max_scale_limit;
    s.container_concurrency = defaults.container_concurrency;
    return s;
}

static fsim_status check(const void *params, fsim_error *err) {
    fsim_knative_settings s = settings_of(params);
    return fsim_knative_settings_check(&s, err);
}

static fsim_ns panic_window_of(const fsim_knative_settings *s) {
    return fsim_knative_panic_window(s->stable_window_ns, s->panic_window_percentage, FSIM_METRIC_BUCKET_NS);
}

static size_t state_size(const void *params) {
    const fsim_knative_settings *s = &((const kpa_params *)params)->settings;
    size_t entries = (size_t)fsim_kpa_delay_entries(s->scale_down_delay_ns);
    size_t buckets = (size_t)fsim_metric_collector_buckets(s->stable_window_ns, panic_window_of(s));
    return sizeof(kpa_state) + entries * sizeof(fsim_sliding_max_entry) + buckets * sizeof(double);
}

static fsim_sliding_max_entry *entries_of(kpa_state *k) {
    return (fsim_sliding_max_entry *)(void *)(k + 1);
}

static double *buckets_of(kpa_state *k, int64_t entries) {
    return (double *)(void *)(entries_of(k) + entries);
}

/* The engine may have moved the state since the last call: what points into it is set anew. */
static kpa_state *state_at(void *memory) {
    kpa_state *k = memory;
    k->kpa.delay.entries = k->kpa.delay.capacity > 0 ? entries_of(k) : NULL;
    k->collector.stable.buckets = buckets_of(k, k->kpa.delay.capacity);
    k->collector.panic.buckets = k->collector.stable.buckets + k->collector.stable.capacity;
    return k;
}

/* The revision's settings: the table's with the function's own bounds laid over them. */
static fsim_knative_settings resolve(const kpa_params *p, const fsim_fn_spec *fn) {
    fsim_knative_settings s = settings_of(p);
    s.container_concurrency = fn->concurrency == FSIM_UNLIMITED ? 0 : fn->concurrency;
    if (fn->min_instances > s.min_scale) {
        s.min_scale = fn->min_instances;
    }
    if (fn->max_instances != FSIM_UNLIMITED && (s.max_scale == 0 || fn->max_instances < s.max_scale)) {
        s.max_scale = fn->max_instances;
    }
    return s;
}

static uint32_t local_queue_of(const fsim_fn_spec *fn) {
    uint64_t places = (uint64_t)fn->concurrency * FSIM_KNATIVE_PROXY_QUEUE_FACTOR;
    return fn->concurrency == FSIM_UNLIMITED || places >= FSIM_UNLIMITED ? 0 : (uint32_t)places;
}

static void init(void *memory, const void *params, const fsim_fn_spec *fn, fsim_scale_plan *plan) {
    kpa_state *k = memory;
    fsim_knative_settings s = resolve(params, fn);
    fsim_kpa_params kpa_params_now = fsim_kpa_params_from(&s, true);
    int64_t entries = fsim_kpa_delay_entries(s.scale_down_delay_ns);
    int64_t initial = s.initial_scale > s.min_scale ? s.initial_scale : s.min_scale;
    if (s.max_scale > 0 && initial > s.max_scale) {
        initial = s.max_scale;
    }
    fsim_kpa_init(&k->kpa, &kpa_params_now, 0, FSIM_KNATIVE_SCALE_UNKNOWN, entries_of(k), entries);
    fsim_metric_collector_init(&k->collector, buckets_of(k, entries), s.stable_window_ns, panic_window_of(&s),
                               s.weighted_average ? FSIM_METRIC_WEIGHTED : FSIM_METRIC_LINEAR,
                               s.target_burst_capacity != FSIM_KNATIVE_UNLIMITED_BURST);
    k->apply = fsim_knative_apply_params_from(&s);
    k->rps = s.metric == FSIM_KNATIVE_RPS;
    fsim_kpa_status status = fsim_kpa_initial_status(initial, kpa_params_now.total, s.target_burst_capacity);
    k->desired = status.desired;
    k->excess_burst_capacity = status.excess_burst_capacity;
    /* The run begins with a deployed revision: its first pods have been up, or there are none. */
    k->phase = initial > 0 ? FSIM_KNATIVE_ACTIVE : FSIM_KNATIVE_INACTIVE;
    k->initial_reached = true;
    k->initial = (uint32_t)initial;
    k->met = false;
    *plan = (fsim_scale_plan){
        .sample_ns = FSIM_KNATIVE_SCRAPE_NS,
        .tick_ns = FSIM_KNATIVE_TICK_NS,
        .initial = (uint32_t)initial,
        .activator = true,
        .activator_only = s.target_burst_capacity == FSIM_KNATIVE_UNLIMITED_BURST,
        .local_queue = local_queue_of(fn),
        .reads = FSIM_INPUT_BIT(k->rps ? FSIM_INPUT_RPS : FSIM_INPUT_CONCURRENCY),
    };
}

/* ---- what is measured ---- */

/* Adds up what `n` of the `count` pods from `from` on report themselves, chosen at random by R. Floyd's
 * algorithm: each draw adds one that was not yet there, without memory for all. */
static double sum_of_some(const kpa_state *k, const fsim_instance_sample *from, uint32_t count, uint32_t n,
                          fsim_rng *rng) {
    uint32_t chosen[SAMPLE_MAX];
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t upper = count - n + i, pick = n == count ? i : fsim_rng_below(rng, upper + 1);
        for (uint32_t j = 0; j < i && n < count; j++) {
            if (chosen[j] == pick) {
                pick = upper;
                break;
            }
        }
        chosen[i] = pick;
        const fsim_instance_sample *pod = &from[pick];
        sum += k->rps ? pod->requests_per_s - pod->proxied_requests_per_s
                      : pod->concurrency - pod->proxied_concurrency;
    }
    return sum;
}

/* Pods older than the stable window are asked first, younger ones only fill up. The list is sorted by age. */
static double scrape(const kpa_state *k, const fsim_scale_sample *sample, fsim_rng *rng) {
    uint32_t size = (uint32_t)fsim_knative_scrape_sample_size(sample->count), low = 0, high = sample->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sample->instances[middle].age_ns > k->kpa.params.stable_window_ns) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    uint32_t old = low, from_old = size < old ? size : old;
    double sum = sum_of_some(k, sample->instances, old, from_old, rng) +
                 sum_of_some(k, sample->instances + old, sample->count - old, size - from_old, rng);
    return fsim_metric_extrapolate(sum, size, sample->count);
}

/* The first request of a revision that the activator did not know is reported at once, as one, and taken off
 * the next report. */
static void report_first(kpa_state *k, fsim_ns now_ns) {
    k->reporting = true;
    k->prepaid = 1;
    fsim_metric_collector_record(&k->collector, now_ns, 1);
}

static void report_activator(kpa_state *k, const fsim_scale_sample *sample) {
    bool silent = sample->activator_concurrency <= 0 && sample->activator_requests <= 0;
    if (!k->reporting && silent) {
        return;
    }
    if (!k->reporting) {
        report_first(k, sample->now_ns);
    }
    double elapsed_s = fsim_ns_to_s(sample->elapsed_ns);
    double measured = !k->rps         ? sample->activator_concurrency
                      : elapsed_s > 0 ? sample->activator_requests / elapsed_s
                                      : 0;
    fsim_metric_collector_record(&k->collector, sample->now_ns, fmax(0, measured - k->prepaid));
    k->prepaid = 0;
    k->reporting = !silent;
}

static void sample(void *memory, const void *params, const fsim_scale_sample *seen, fsim_rng *rng) {
    kpa_state *k = state_at(memory);
    (void)params;
    if (seen->count > 0 && k->collector.scrapes) {
        fsim_metric_collector_record(&k->collector, seen->now_ns, scrape(k, seen, rng));
    }
    report_activator(k, seen);
}

static bool poke(void *memory, const void *params, fsim_ns now_ns) {
    kpa_state *k = state_at(memory);
    (void)params;
    if (k->reporting) {
        return false;
    }
    report_first(k, now_ns);
    return k->desired <= 0;
}

/* ---- what is decided and applied ---- */

static void enter_phase(kpa_state *k, fsim_knative_phase phase, fsim_ns now_ns) {
    if (k->phase != phase) {
        k->phase = phase;
        k->phase_since_ns = now_ns;
    }
}

/* kpa.go: computeActiveCondition. `scale` is what the revision should have. */
static void update_phase(kpa_state *k, int64_t scale, int64_t ready, fsim_ns now_ns) {
    int64_t least = k->apply.min_scale > 1 ? k->apply.min_scale : 1;
    if (scale == 0) {
        enter_phase(k, FSIM_KNATIVE_INACTIVE, now_ns);
    } else if (ready >= least && (scale > 0 || k->phase != FSIM_KNATIVE_INACTIVE)) {
        enter_phase(k, FSIM_KNATIVE_ACTIVE, now_ns);
    } else if (ready < least && scale > 0) {
        enter_phase(k, FSIM_KNATIVE_ACTIVATING, now_ns);
    }
}

static fsim_knative_apply_result apply(const kpa_state *k, const fsim_scale_view *view) {
    bool proxy = k->proxy_since_ns != FSIM_NEVER;
    fsim_knative_apply_state state = {
        .replicas = view->wanted,
        .desired = k->desired,
        .phase = k->phase,
        .phase_for_ns = view->now_ns - k->phase_since_ns,
        .proxy_for_ns = proxy ? view->now_ns - k->proxy_since_ns : 0,
        /* The network needs no time here: a probe one look later finds the activator. */
        .activator_found = proxy && view->now_ns > k->proxy_since_ns,
        .initial_reached = k->initial_reached,
        .reach = FSIM_KNATIVE_REACHABLE,
    };
    return fsim_knative_apply(&k->apply, &state);
}

static void set_path(kpa_state *k, bool proxy, fsim_ns now_ns) {
    if (!proxy) {
        k->proxy_since_ns = FSIM_NEVER;
    } else if (k->proxy_since_ns == FSIM_NEVER) {
        k->proxy_since_ns = now_ns;
    }
}

/* At zero with nothing measured every later decision is the same until a request comes. */
static bool may_sleep(const kpa_state *k, const fsim_scale_view *view, const fsim_kpa_reading *reading,
                      uint32_t want) {
    return want == 0 && view->ready == 0 && view->starting == 0 && view->queued == 0 &&
           view->in_flight == 0 && !k->reporting && reading->stable <= 0 && reading->panic <= 0 &&
           k->phase == FSIM_KNATIVE_INACTIVE;
}

/* The scaler of a run is as old as its pods. One that meets pods which it has not asked for, as in a recorded
 * series, has been started anew beside them. */
static void meet(kpa_state *k, const fsim_scale_view *view) {
    if (!k->met && view->ready > k->initial) {
        const fsim_kpa_params same = k->kpa.params;
        fsim_kpa_init(&k->kpa, &same, view->now_ns, view->ready, k->kpa.delay.entries, k->kpa.delay.capacity);
    }
    k->met = true;
}

static void tick(void *memory, const void *params, const fsim_scale_view *view, bool explain,
                 fsim_scale_decision *decision) {
    kpa_state *k = state_at(memory);
    fsim_kpa_reading reading = {.ready = view->ready};
    (void)params;
    meet(k, view);
    reading.has_data =
        fsim_metric_collector_read(&k->collector, view->now_ns, &reading.stable, &reading.panic);
    fsim_kpa_decision decided = fsim_kpa_decide(&k->kpa, view->now_ns, &reading);
    if (decided.verdict == FSIM_KPA_DECIDED) {
        k->desired = decided.desired;
        k->excess_burst_capacity = decided.excess_burst_capacity;
    }
    fsim_knative_apply_result result = apply(k, view);
    update_phase(k, result.scale, view->ready, view->now_ns);
    bool proxy = fsim_knative_activator_in_path(result.scale, k->excess_burst_capacity,
                                                k->phase == FSIM_KNATIVE_INACTIVE);
    set_path(k, proxy, view->now_ns);
    if (result.applied) {
        decision->want = (uint32_t)result.scale;
    }
    decision->direct = !proxy;
    decision->sleep = may_sleep(k, view, &reading, decision->want);
    decision->mode = decided.panicking ? "panic" : decision->want == 0 ? "zero" : "stable";
    if (explain) {
        char why[120];
        fsim_kpa_explain(&k->kpa, &decided, why, sizeof why);
        bool as_decided = result.scale > 0 && result.scale == k->desired;
        snprintf(decision->reason, sizeof decision->reason, "%s%s%s", why, as_decided ? "" : "; ",
                 as_decided ? "" : result.reason);
        if (reading.has_data) {
            fsim_scale_decision_note(decision, "stable", reading.stable);
            fsim_scale_decision_note(decision, "panic", reading.panic);
        }
    }
}

const fsim_scaling_ops fsim_scaling_knative_kpa = {
    .info =
        {.name = "knative_kpa",
         .summary = "Knative Pod Autoscaler: stable and panic windows, activator, scale to and from zero",
         .source =
             "policies spec, section 1; knative/serving pkg/autoscaler and pkg/reconciler/autoscaling/kpa",
         .params = table,
         .params_size = sizeof(kpa_params),
         .check = check},
    .state_size = state_size,
    .init = init,
    .sample = sample,
    .tick = tick,
    .poke = poke,
};
