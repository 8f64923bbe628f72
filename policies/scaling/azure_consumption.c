/* Azure Functions, Consumption and Premium plans: the scale controller looks at what arrives and adds
 * machines of the whole app, one at a time (policies spec, section 6.2).
 *
 *     trigger http   at most one new instance a second, while the requests exceed the slots there are
 *     trigger queue  target-based: ceil(length / executions per instance), at most 4 more each 30 s
 *
 * Nothing is said about going: idle instances go by keep-alive. The first request of an app without an
 * instance starts one at once. */
#include "api/metric_series.h"
#include "api/policy_api.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

typedef struct azure_params {
    int trigger;
    fsim_ns http_interval_ns, queue_interval_ns;
    int64_t queue_step, executions;
} azure_params;

typedef struct azure_state {
    uint32_t least, most, have; /* have: instances at the last look */
    double slots;               /* of one instance */
    bool queue, grown;
    fsim_ns interval_ns, grown_at_ns;
} azure_state;

static const char *const triggers[] = {"http", "queue", NULL};

#define AT(field) offsetof(azure_params, field)

static const fsim_param table[] = {
    {.name = "trigger",
     .kind = FSIM_PARAM_CHOICE,
     .offset = AT(trigger),
     .fallback = "http",
     .help = "what calls the app: http, or a queue whose length decides",
     .choices = triggers},
    {.name = "http_interval",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(http_interval_ns),
     .fallback = "1s",
     .min = 0.001,
     .max = 3600,
     .help = "least time between two new instances of an app that is called by http"},
    {.name = "queue_interval",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(queue_interval_ns),
     .fallback = "30s",
     .min = 0.001,
     .max = 3600,
     .help = "time between two decisions about an app that a queue calls"},
    {.name = "queue_step",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(queue_step),
     .fallback = "4",
     .min = 1,
     .max = 1000,
     .unit = "instances",
     .help = "most instances that one decision about a queue adds"},
    {.name = "executions",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(executions),
     .fallback = "16",
     .min = 1,
     .max = 1000000,
     .unit = "executions",
     .help = "target executions of one instance of an app that a queue calls"},
    {0}};

static size_t state_size(const void *params) {
    (void)params;
    return sizeof(azure_state);
}

static void init(void *state, const void *params, const fsim_fn_spec *fn, fsim_scale_plan *plan) {
    azure_state *s = state;
    const azure_params *p = params;
    bool queue = p->trigger == 1;
    *s = (azure_state){.least = fn->min_instances,
                       .most = fn->max_instances,
                       .have = fn->min_instances,
                       .slots = queue ? (double)p->executions : (double)fn->concurrency,
                       .queue = queue,
                       .interval_ns = queue ? p->queue_interval_ns : p->http_interval_ns};
    *plan = (fsim_scale_plan){.tick_ns = s->interval_ns,
                              .initial = s->least,
                              .totals = true,
                              .floor = true,
                              .waiting_per_start = 1,
                              .reads = FSIM_INPUT_BIT(FSIM_INPUT_CONCURRENCY)};
}

/* One more than there are, or what a queue's length asks for. */
static uint32_t grow_to(const azure_state *s, const azure_params *p, const fsim_scale_view *view) {
    double load = view->in_flight + view->queued, have = s->have;
    double wanted = have;
    if (load > have * s->slots) {
        double target = ceil(load / s->slots), step = s->queue ? (double)p->queue_step : 1;
        wanted = target < have + step ? target : have + step;
    }
    return wanted < s->most ? (uint32_t)wanted : s->most;
}

static void tick(void *state, const void *params, const fsim_scale_view *view, bool explain,
                 fsim_scale_decision *decision) {
    azure_state *s = state;
    s->have = view->ready + view->starting;
    bool may = !s->grown || view->now_ns - s->grown_at_ns >= s->interval_ns;
    uint32_t wanted = may ? grow_to(s, params, view) : s->have;
    bool grows = wanted > s->have;
    if (grows) {
        s->grown = true;
        s->grown_at_ns = view->now_ns;
        s->have = wanted;
    }
    double needed = ceil((view->in_flight + view->queued) / s->slots);
    uint32_t held = needed < s->have ? (uint32_t)needed : s->have;
    decision->want = held > s->least ? held : s->least;
    decision->sleep = s->have == 0 && view->in_flight + view->queued <= 0;
    decision->mode = grows ? "out" : s->have == 0 ? "zero" : "stable";
    if (explain) {
        snprintf(decision->reason, sizeof decision->reason,
                 "%.9g inside and %.9g waiting, %u instances of %.4g%s", view->in_flight, view->queued,
                 view->ready + view->starting, s->slots, may ? "" : "; too soon for one more");
    }
}

static bool poke(void *state, const void *params, fsim_ns now_ns) {
    const azure_state *s = state;
    (void)params;
    (void)now_ns;
    return s->have == 0;
}

const fsim_scaling_ops fsim_scaling_azure_consumption = {
    .info = {.name = "azure_consumption",
             .summary =
                 "Azure Functions, Consumption: one more instance a second while requests exceed the slots",
             .source = "policies spec, section 6.2; learn.microsoft.com/azure/azure-functions/"
                       "event-driven-scaling",
             .params = table,
             .params_size = sizeof(azure_params)},
    .state_size = state_size,
    .init = init,
    .tick = tick,
    .poke = poke,
};
