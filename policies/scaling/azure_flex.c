/* Azure Functions, Flex Consumption plan: functions called by http scale together and apart from others, by
 * the requests that one instance has at a time (policies spec, section 6.2). How many depends on its size:
 * that is the function's concurrency, which the bundle gives by memory_mb. The number is the least there
 * shall be; always-ready instances are the function's min_instances. Idle ones go by keep-alive. */
#include "api/metric_series.h"
#include "api/policy_api.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

typedef struct flex_params {
    int64_t http_concurrency;
    fsim_ns interval_ns;
} flex_params;

typedef struct flex_state {
    uint32_t least, most, have; /* have: instances at the last look */
    double target;
} flex_state;

static const fsim_param table[] = {{.name = "http_concurrency",
                                    .kind = FSIM_PARAM_COUNT,
                                    .offset = offsetof(flex_params, http_concurrency),
                                    .fallback = "none",
                                    .min = 1,
                                    .max = 1000,
                                    .off = true,
                                    .unit = "requests",
                                    .help = "requests that one instance shall have at a time; null: as many "
                                            "as it takes, the function's concurrency"},
                                   {.name = "interval",
                                    .kind = FSIM_PARAM_SPAN,
                                    .offset = offsetof(flex_params, interval_ns),
                                    .fallback = "1s",
                                    .min = 0.001,
                                    .max = 3600,
                                    .help = "time between two decisions"},
                                   {0}};

static size_t state_size(const void *params) {
    (void)params;
    return sizeof(flex_state);
}

static void init(void *state, const void *params, const fsim_fn_spec *fn, fsim_scale_plan *plan) {
    flex_state *s = state;
    const flex_params *p = params;
    double target = (double)p->http_concurrency;
    *s = (flex_state){.least = fn->min_instances,
                      .most = fn->max_instances,
                      .have = fn->min_instances,
                      .target = target < fn->concurrency ? target : fn->concurrency};
    *plan = (fsim_scale_plan){.tick_ns = p->interval_ns,
                              .initial = s->least,
                              .totals = true,
                              .floor = true,
                              .waiting_per_start = 1,
                              .reads = FSIM_INPUT_BIT(FSIM_INPUT_CONCURRENCY)};
}

static void tick(void *state, const void *params, const fsim_scale_view *view, bool explain,
                 fsim_scale_decision *decision) {
    flex_state *s = state;
    (void)params;
    double load = view->in_flight + view->queued, wanted = ceil(load / s->target);
    uint32_t have = view->ready + view->starting;
    decision->want = wanted >= s->most ? s->most : wanted > s->least ? (uint32_t)wanted : s->least;
    s->have = decision->want > have ? decision->want : have;
    decision->sleep = s->have == 0 && load <= 0;
    decision->mode = decision->want > have ? "out" : s->have == 0 ? "zero" : "stable";
    if (explain) {
        snprintf(decision->reason, sizeof decision->reason,
                 "%.9g inside and %.9g waiting, %.4g each: %.0f wanted, %u there", view->in_flight,
                 view->queued, s->target, wanted, have);
    }
}

static bool poke(void *state, const void *params, fsim_ns now_ns) {
    const flex_state *s = state;
    (void)params;
    (void)now_ns;
    return s->have == 0;
}

const fsim_scaling_ops fsim_scaling_azure_flex = {
    .info = {.name = "azure_flex",
             .summary = "Azure Functions, Flex Consumption: instances for the requests, so many each by size",
             .source = "policies spec, section 6.2; learn.microsoft.com/azure/azure-functions/"
                       "flex-consumption-plan",
             .params = table,
             .params_size = sizeof(flex_params)},
    .state_size = state_size,
    .init = init,
    .tick = tick,
    .poke = poke,
};
