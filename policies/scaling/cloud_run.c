/* Google Cloud Run: two targets and a need. Each period the CPU and the requests in execution, averaged over
 * a minute, say how many instances hold 60 % of their CPU and of their concurrency; the larger number is the
 * least there shall be. A request that finds no instance below its concurrency starts one straight away
 * (policies spec, section 6.1). What is above the targets' number goes by keep-alive.
 *
 *     by CPU       ceil(vCPUs in use / vCPUs of an instance / cpu_target)
 *     by requests  ceil(requests in execution / (concurrency x concurrency_target))
 *
 * The window is a ring of periods; a period in which the scaler slept is one of zeros. */
#include "api/metric_series.h"
#include "api/policy_api.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

#define SLOTS_MAX 600

typedef struct cloud_run_params {
    double cpu_target, concurrency_target;
    fsim_ns period_ns, window_ns;
    int64_t max_instances;
} cloud_run_params;

typedef struct cloud_run_slot {
    double concurrency, cpu;
} cloud_run_slot;

typedef struct cloud_run_state {
    double per_instance_cpu, per_instance_requests; /* at the targets; 0: no such target */
    uint32_t least, most, slots, next, filled;
    fsim_ns ticked_ns;
    cloud_run_slot sum;
    cloud_run_slot slot[]; /* `slots` of them */
} cloud_run_state;

#define AT(field) offsetof(cloud_run_params, field)

static const fsim_param table[] = {
    {.name = "cpu_target",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(cpu_target),
     .fallback = "60",
     .min = 1,
     .max = 100,
     .unit = "%",
     .help = "share of an instance's CPU to aim at"},
    {.name = "concurrency_target",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(concurrency_target),
     .fallback = "60",
     .min = 1,
     .max = 100,
     .unit = "%",
     .help = "share of an instance's concurrency to aim at"},
    {.name = "window",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(window_ns),
     .fallback = "60s",
     .min = 1,
     .max = 3600,
     .help = "span of the averages; up to 600 periods"},
    {.name = "period",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(period_ns),
     .fallback = "5s",
     .min = 1,
     .max = 3600,
     .help = "time between two evaluations"},
    {.name = "max_instances",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(max_instances),
     .fallback = "100",
     .min = 1,
     .max = FSIM_UNLIMITED - 1.0,
     .off = true,
     .unit = "instances",
     .help = "most that the targets ask for; a function's max_instances counts as well, on demand it alone"},
    {0}};

static uint32_t slots_of(const cloud_run_params *p) {
    fsim_ns slots = p->window_ns / p->period_ns;
    return slots < 1 ? 1u : slots > SLOTS_MAX ? SLOTS_MAX : (uint32_t)slots;
}

static fsim_status check(const void *params, fsim_error *err) {
    const cloud_run_params *p = params;
    if (p->period_ns > p->window_ns) {
        return fsim_fail(err, FSIM_ECONFIG, "a period of %g s is longer than the window of %g s",
                         fsim_ns_to_s(p->period_ns), fsim_ns_to_s(p->window_ns));
    }
    if (p->window_ns / p->period_ns > SLOTS_MAX) {
        return fsim_fail(err, FSIM_ECONFIG, "a window of %g s holds more than %d periods of %g s",
                         fsim_ns_to_s(p->window_ns), SLOTS_MAX, fsim_ns_to_s(p->period_ns));
    }
    return FSIM_OK;
}

static size_t state_size(const void *params) {
    return sizeof(cloud_run_state) + slots_of(params) * sizeof(cloud_run_slot);
}

static void init(void *state, const void *params, const fsim_fn_spec *fn, fsim_scale_plan *plan) {
    cloud_run_state *s = state;
    const cloud_run_params *p = params;
    bool limited = fn->concurrency != FSIM_UNLIMITED;
    s->slots = slots_of(p);
    s->least = fn->min_instances;
    s->most = p->max_instances < fn->max_instances ? (uint32_t)p->max_instances : fn->max_instances;
    s->per_instance_cpu = fn->vcpu * p->cpu_target / 100;
    s->per_instance_requests = limited ? fn->concurrency * p->concurrency_target / 100 : 0;
    *plan =
        (fsim_scale_plan){.on_demand = true,
                          .tick_ns = p->period_ns,
                          .initial = s->least,
                          .totals = true,
                          .floor = true,
                          .waiting_per_start = fn->concurrency,
                          .reads = FSIM_INPUT_BIT(FSIM_INPUT_CONCURRENCY) | FSIM_INPUT_BIT(FSIM_INPUT_CPU)};
}

static void push(cloud_run_state *s, double concurrency, double cpu) {
    cloud_run_slot *slot = &s->slot[s->next];
    s->sum.concurrency += concurrency - slot->concurrency;
    s->sum.cpu += cpu - slot->cpu;
    *slot = (cloud_run_slot){concurrency, cpu};
    s->next = s->next + 1u < s->slots ? s->next + 1u : 0u;
    s->filled += s->filled < s->slots ? 1u : 0u;
    if (s->next == 0) { /* sums that only ever change would drift */
        s->sum = (cloud_run_slot){0, 0};
        for (uint32_t i = 0; i < s->slots; i++) {
            s->sum.concurrency += s->slot[i].concurrency;
            s->sum.cpu += s->slot[i].cpu;
        }
    }
}

/* The time since the last tick that the means do not cover was slept through. */
static void record(cloud_run_state *s, const cloud_run_params *p, const fsim_scale_view *view) {
    fsim_ns slept_ns = view->now_ns - s->ticked_ns - view->elapsed_ns;
    for (uint32_t i = 0; i < s->slots && slept_ns >= p->period_ns; i++) {
        push(s, 0, 0);
        slept_ns -= p->period_ns;
    }
    s->ticked_ns = view->now_ns;
    push(s, view->concurrency, view->cpu);
}

static double instances_for(double used, double each) {
    return each > 0 && used > 1e-9 ? ceil(used / each * (1 - 1e-12)) : 0;
}

static void tick(void *state, const void *params, const fsim_scale_view *view, bool explain,
                 fsim_scale_decision *decision) {
    cloud_run_state *s = state;
    record(s, params, view);
    double concurrency = s->sum.concurrency / s->filled, cpu = s->sum.cpu / s->filled;
    double by_cpu = instances_for(cpu, s->per_instance_cpu);
    double by_requests = instances_for(concurrency, s->per_instance_requests);
    double want = by_cpu > by_requests ? by_cpu : by_requests;
    decision->want = want >= s->most ? s->most : want > s->least ? (uint32_t)want : s->least;
    decision->sleep = want <= 0 && view->in_flight + view->queued <= 0 && view->starting == 0;
    decision->mode = view->in_flight + view->queued <= 0 && want <= 0 ? "zero" : "target";
    if (explain) {
        fsim_scale_decision_note(decision, "average_concurrency", concurrency);
        fsim_scale_decision_note(decision, "average_cpu", cpu);
        snprintf(decision->reason, sizeof decision->reason,
                 "%.4g requests in execution ask for %.0f, %.4g vCPU for %.0f; %u ready, %u starting",
                 concurrency, by_requests, cpu, by_cpu, view->ready, view->starting);
    }
}

const fsim_scaling_ops fsim_scaling_cloud_run = {
    .info = {.name = "cloud_run",
             .summary =
                 "hold CPU and concurrency at 60 % over a minute; start at once for a request without room",
             .source =
                 "policies spec, section 6.1; docs.cloud.google.com/run/docs/about-instance-autoscaling",
             .params = table,
             .params_size = sizeof(cloud_run_params),
             .check = check},
    .state_size = state_size,
    .init = init,
    .tick = tick,
};
