/* KEDA at work: the decision code of sim/autoscale/keda.h between zero and one (or idle and the minimum),
 * that of sim/autoscale/hpa.h above (policies spec, section 3.1; kedacore/keda pkg/scaling/executor,
 * controllers/keda/hpa.go).
 *
 * Every polling interval the trigger's value is compared with its activation threshold. Every sync period the
 * autoscaler that KEDA has made asks KEDA's metrics server for the same value as an external metric per pod,
 * and gets it fresh: only a rate is averaged, over its window. Without `behavior` (KEDA sets none) the
 * autoscaler keeps the largest proposal of 5 min. */
#include "autoscale/keda.h"
#include "api/policy_api.h"
#include "autoscale/hpa.h"

#include <stddef.h>
#include <stdio.h>

#define OFF       INT64_MAX
#define PODS_MAX  100000.0
#define SCRAPE_NS (15 * FSIM_SECOND)

enum { REQUESTS, QUEUE, RPS };

typedef struct keda_params {
    int trigger;
    double threshold, activation_threshold;
    fsim_ns rate_window_ns;
    fsim_ns polling_interval_ns, cooldown_period_ns, initial_cooldown_period_ns;
    int64_t min_replica_count, max_replica_count, idle_replica_count;
    fsim_ns sync_period_ns, downscale_stabilization_ns;
    double tolerance;
} keda_params;

/* Followed in the same memory by the autoscaler's past and, for a rate, the arrivals of each scrape. */
typedef struct keda_state {
    fsim_keda_object object;
    fsim_hpa hpa;
    fsim_hpa_settings settings;
    bool ever_active;
    fsim_ns active_ns; /* the last active poll */
    uint32_t bucket_next, bucket_count;
} keda_state;

static const char *const triggers[] = {"requests", "queue", "rps", NULL};

#define AT(field) offsetof(keda_params, field)

static const fsim_param table[] = {
    {.name = "trigger",
     .kind = FSIM_PARAM_CHOICE,
     .offset = AT(trigger),
     .fallback = "requests",
     .help = "what is measured: requests waiting and in execution, waiting only (queue), or arrivals (rps)",
     .choices = triggers},
    {.name = "threshold",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(threshold),
     .fallback = "5",
     .min = 1e-3,
     .max = 1e9,
     .unit = "per pod",
     .help = "requests, or requests/s, that one pod shall have"},
    {.name = "activation_threshold",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(activation_threshold),
     .fallback = "0",
     .min = 0,
     .max = 1e9,
     .unit = "in all",
     .help = "the trigger is active above it"},
    {.name = "rate_window",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(rate_window_ns),
     .fallback = "60s",
     .min = 15,
     .max = 3600,
     .help = "span of the average behind rps, in scrapes of 15 s"},
    {.name = "polling_interval",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(polling_interval_ns),
     .fallback = "30s",
     .min = 1,
     .max = 86400,
     .help = "between looks at the trigger; whole seconds"},
    {.name = "cooldown_period",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(cooldown_period_ns),
     .fallback = "5m",
     .min = 0,
     .max = 31536000,
     .help = "from the last active look to the step to zero or idle"},
    {.name = "initial_cooldown_period",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(initial_cooldown_period_ns),
     .fallback = "0s",
     .min = 0,
     .max = 31536000,
     .help = "the same from the beginning, while no look was ever active"},
    {.name = "min_replica_count",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(min_replica_count),
     .fallback = "0",
     .min = 0,
     .max = PODS_MAX,
     .unit = "pods",
     .help = "never fewer but for idle_replica_count; a function's min_instances counts as well"},
    {.name = "max_replica_count",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(max_replica_count),
     .fallback = "100",
     .min = 1,
     .max = PODS_MAX,
     .unit = "pods",
     .help = "never more; a function's max_instances counts as well"},
    {.name = "idle_replica_count",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(idle_replica_count),
     .fallback = "null",
     .min = 0,
     .max = PODS_MAX,
     .off = true,
     .unit = "pods",
     .help = "while no trigger is active, below min_replica_count; null: none"},
    {.name = "sync_period",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(sync_period_ns),
     .fallback = "15s",
     .min = 1,
     .max = 3600,
     .help = "between decisions of the autoscaler; whole seconds"},
    {.name = "downscale_stabilization",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(downscale_stabilization_ns),
     .fallback = "5m",
     .min = 0,
     .max = 3600,
     .help = "the largest proposal of so long counts"},
    {.name = "tolerance",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(tolerance),
     .fallback = "0.1",
     .min = 0,
     .max = 1,
     .unit = "ratio",
     .help = "how far from the target the autoscaler does nothing"},
    {0}};

/* ---- parameters ---- */

static fsim_status check(const void *params, fsim_error *err) {
    const keda_params *p = params;
    if (p->min_replica_count > p->max_replica_count) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "min_replica_count %lld pods is more than max_replica_count %lld pods",
                         (long long)p->min_replica_count, (long long)p->max_replica_count);
    }
    if (p->idle_replica_count != OFF && p->idle_replica_count >= p->min_replica_count) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "idle_replica_count %lld pods is not below min_replica_count %lld pods",
                         (long long)p->idle_replica_count, (long long)p->min_replica_count);
    }
    if (p->polling_interval_ns % FSIM_SECOND != 0 || p->sync_period_ns % FSIM_SECOND != 0) {
        return fsim_fail(err, FSIM_ECONFIG, "expected whole seconds for polling_interval and sync_period");
    }
    return FSIM_OK;
}

static fsim_hpa_settings settings_of(const keda_params *p) {
    return (fsim_hpa_settings){.min = p->min_replica_count > 1 ? p->min_replica_count : 1,
                               .max = p->max_replica_count,
                               .downscale_stabilization_ns = p->downscale_stabilization_ns};
}

static uint32_t buckets_of(const keda_params *p) {
    return p->trigger == RPS ? (uint32_t)((p->rate_window_ns + SCRAPE_NS - 1) / SCRAPE_NS) : 0;
}

static fsim_ns common_period(fsim_ns a_ns, fsim_ns b_ns) {
    while (b_ns != 0) {
        fsim_ns rest_ns = a_ns % b_ns;
        a_ns = b_ns;
        b_ns = rest_ns;
    }
    return a_ns;
}

/* ---- memory ---- */

static fsim_hpa_room room_of(const keda_params *p) {
    fsim_hpa_settings settings = settings_of(p);
    return fsim_hpa_room_of(&settings, p->sync_period_ns);
}

static size_t state_size(const void *params) {
    const keda_params *p = params;
    return sizeof(keda_state) + room_of(p).recommendations * sizeof(fsim_hpa_entry) +
           buckets_of(p) * sizeof(uint64_t);
}

/* The engine may have moved the state since the last call: what points into it is set anew. */
static keda_state *state_at(void *memory) {
    keda_state *k = memory;
    fsim_hpa_rebase(&k->hpa, (fsim_hpa_entry *)(void *)(k + 1));
    return k;
}

static uint64_t *buckets_at(keda_state *k) {
    return (uint64_t *)(void *)(k->hpa.recommendations.entries + k->hpa.recommendations.capacity);
}

/* ---- set-up ---- */

static void bound(keda_state *k, const fsim_fn_spec *fn) {
    if (fn->max_instances != FSIM_UNLIMITED && fn->max_instances < k->object.max) {
        k->object.max = fn->max_instances;
    }
    if (fn->min_instances > k->object.min) {
        k->object.min = fn->min_instances;
    }
    k->object.max = k->object.max < k->object.min ? k->object.min : k->object.max;
    k->settings.min = fsim_keda_hpa_min(&k->object);
    k->settings.max = k->object.max;
}

static void init(void *memory, const void *params, const fsim_fn_spec *fn, fsim_scale_plan *plan) {
    keda_state *k = memory;
    const keda_params *p = params;
    fsim_hpa_room room = room_of(p);
    k->object =
        (fsim_keda_object){.min = p->min_replica_count,
                           .max = p->max_replica_count,
                           .idle = p->idle_replica_count == OFF ? FSIM_KEDA_NONE : p->idle_replica_count,
                           .cooldown_ns = p->cooldown_period_ns,
                           .initial_cooldown_ns = p->initial_cooldown_period_ns,
                           .fallback = FSIM_KEDA_NONE};
    k->settings = settings_of(p);
    bound(k, fn);
    fsim_hpa_init(&k->hpa, (fsim_hpa_entry *)(void *)(k + 1), &room);
    *plan = (fsim_scale_plan){.sample_ns = p->trigger == RPS ? SCRAPE_NS : 0,
                              .tick_ns = common_period(p->polling_interval_ns, p->sync_period_ns),
                              .initial = (uint32_t)fsim_keda_hpa_min(&k->object),
                              .no_requests = true,
                              .reads = FSIM_INPUT_BIT(p->trigger == RPS     ? FSIM_INPUT_RPS
                                                      : p->trigger == QUEUE ? FSIM_INPUT_QUEUE
                                                                            : FSIM_INPUT_CONCURRENCY)};
}

/* ---- what is measured ---- */

static void sample(void *memory, const void *params, const fsim_scale_sample *seen, fsim_rng *rng) {
    keda_state *k = state_at(memory);
    uint32_t buckets = buckets_of(params);
    (void)rng;
    if (buckets == 0) {
        return;
    }
    buckets_at(k)[k->bucket_next] = seen->arrived;
    k->bucket_next = (k->bucket_next + 1u) % buckets;
    k->bucket_count += k->bucket_count < buckets;
}

static double value_of(keda_state *k, const keda_params *p, const fsim_scale_view *view) {
    if (p->trigger != RPS) {
        return view->queued + (p->trigger == REQUESTS ? view->in_flight : 0.0);
    }
    uint64_t sum = 0;
    for (uint32_t i = 0; i < k->bucket_count; i++) {
        sum += buckets_at(k)[i];
    }
    return (double)sum / (fsim_ns_to_s(SCRAPE_NS) * buckets_of(p));
}

/* ---- what is decided ---- */

static fsim_keda_decision poll(keda_state *k, const keda_params *p, double value, int64_t replicas,
                               fsim_ns now_ns) {
    fsim_keda_poll look = {.replicas = replicas,
                           .active = value > p->activation_threshold,
                           .ever_active = k->ever_active,
                           .since_ns = now_ns - k->active_ns};
    if (look.active) {
        k->ever_active = true;
        k->active_ns = now_ns;
    }
    return fsim_keda_decide(&k->object, &look);
}

static fsim_hpa_decision sync(keda_state *k, const keda_params *p, double value, int64_t replicas,
                              const fsim_scale_view *view) {
    fsim_hpa_metric metric = {.kind = FSIM_HPA_AVERAGE_VALUE,
                              .target = fsim_hpa_milli(p->threshold),
                              .value = fsim_hpa_milli(value)};
    fsim_hpa_tally tally = {0};
    fsim_hpa_tolerance tolerance = {p->tolerance, p->tolerance};
    fsim_hpa_proposal proposal =
        fsim_hpa_propose(&metric, &tally, &tolerance, replicas, (int64_t)view->ready + view->starting);
    return fsim_hpa_sync(&k->hpa, &k->settings, &proposal, 1, replicas, view->now_ns);
}

/* At zero with nothing measured every later look is the same until a request comes. */
static bool may_sleep(const keda_state *k, const fsim_scale_view *view, double value, uint32_t want) {
    bool stays_zero = k->object.idle == 0 || (k->object.idle == FSIM_KEDA_NONE && k->object.min == 0);
    return want == 0 && stays_zero && value <= 0.0 && view->ready + view->starting == 0 &&
           view->in_flight + view->queued <= 0;
}

static const char *mode_of(fsim_keda_step step, int64_t replicas, int64_t before) {
    return step == FSIM_KEDA_WAKES    ? "wake"
           : step == FSIM_KEDA_SLEEPS ? "sleep"
           : replicas == 0            ? "zero"
           : step == FSIM_KEDA_COOLS  ? "cooldown"
           : replicas > before        ? "up"
           : replicas < before        ? "down"
                                      : "steady";
}

static void tick(void *memory, const void *params, const fsim_scale_view *view, bool explain,
                 fsim_scale_decision *decision) {
    keda_state *k = state_at(memory);
    const keda_params *p = params;
    double value = value_of(k, p, view);
    int64_t replicas = view->wanted;
    fsim_keda_step step = FSIM_KEDA_STAYS;
    fsim_hpa_decision d = {.verdict = FSIM_HPA_DISABLED};
    if (view->now_ns % p->polling_interval_ns == 0) {
        fsim_keda_decision polled = poll(k, p, value, replicas, view->now_ns);
        step = polled.step;
        replicas = polled.replicas;
    }
    /* What KEDA has put to rest the autoscaler does not touch; what idles below its bound it leaves as well.
     */
    bool rests = replicas == 0 || (k->object.idle != FSIM_KEDA_NONE && replicas <= k->object.idle);
    if (view->now_ns % p->sync_period_ns == 0 && !rests) {
        d = sync(k, p, value, replicas, view);
        replicas = d.replicas;
    }
    decision->want = (uint32_t)replicas;
    decision->sleep = may_sleep(k, view, value, decision->want);
    decision->mode = mode_of(step, replicas, view->wanted);
    if (explain) {
        fsim_scale_decision_note(decision, triggers[p->trigger], value);
        snprintf(decision->reason, sizeof decision->reason, "%s %g%s, a pod shall have %g%s",
                 triggers[p->trigger], value,
                 step == FSIM_KEDA_COOLS ? ": nothing active, the cooldown runs" : "", p->threshold,
                 d.verdict == FSIM_HPA_DECIDED && d.stabilized != d.recommended
                     ? "; the largest proposal of the stabilisation holds"
                     : "");
    }
}

const fsim_scaling_ops fsim_scaling_keda = {
    .info = {.name = "keda",
             .summary =
                 "KEDA: polls a trigger for the steps to and from zero, leaves the rest to an autoscaler",
             .source =
                 "policies spec, section 3.1; kedacore/keda pkg/scaling/executor, controllers/keda/hpa.go",
             .params = table,
             .params_size = sizeof(keda_params),
             .check = check},
    .state_size = state_size,
    .init = init,
    .sample = sample,
    .tick = tick,
};
