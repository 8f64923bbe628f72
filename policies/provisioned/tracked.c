/* Provisioned instances that follow their use, as Application Auto Scaling does it for AWS Lambda
 * (ProvisionedConcurrencyUtilization): a point a minute, 3 points above the target scale out, 15 points below
 * 0.9 of it scale in (autoscale/target_tracking.h). What has been asked for and does not serve yet counts as
 * capacity and is not in the metric. The metric exists only while there is traffic, so a function that nobody
 * calls keeps what it has: a known trap. The average hides short bursts, the maximum follows them.
 *
 * A schedule moves the bounds, and the capacity into them at once. */
#include "autoscale/target_tracking.h"
#include "policies/provisioned/provisioned_support.h"

#include <stddef.h>
#include <stdio.h>

typedef struct tracked_params {
    double target, low_percentage, in_percentage;
    fsim_ns period_ns, out_cooldown_ns, in_cooldown_ns;
    int64_t high_points, low_points;
    int statistic;
    bool scale_in;
    provisioned_bounds bounds;
} tracked_params;

typedef struct tracked_state {
    fsim_tracking tracker;
    fsim_cooldown cooldown;
    provisioned_limits limits;
} tracked_state;

static const char *const statistics[] = {"average", "maximum", NULL};

#define AT(field) offsetof(tracked_params, field)

static const fsim_param table[] = {
    {.name = "target",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(target),
     .fallback = "70",
     .min = 1,
     .max = 100,
     .unit = "%",
     .help = "of the provisioned concurrency in use"},
    {.name = "statistic",
     .kind = FSIM_PARAM_CHOICE,
     .offset = AT(statistic),
     .fallback = "average",
     .help = "of a period: the average hides short bursts, the maximum follows them",
     .choices = statistics},
    PROVISIONED_BOUNDS_ROWS(tracked_params, bounds,
                            "moves the bounds: \"50..200 at 08:00 mon-fri; 1..200 at 20:00\""),
    {.name = "period",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(period_ns),
     .fallback = "60s",
     .min = 1,
     .max = 3600,
     .help = "span of one point of the metric"},
    {.name = "high_points",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(high_points),
     .fallback = "3",
     .min = 1,
     .max = 1440,
     .unit = "points",
     .help = "points in a row above the target that scale out"},
    {.name = "low_points",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(low_points),
     .fallback = "15",
     .min = 1,
     .max = 1440,
     .unit = "points",
     .help = "points in a row well below the target that scale in"},
    {.name = "low_percentage",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(low_percentage),
     .fallback = "90",
     .min = 1,
     .max = 100,
     .unit = "%",
     .help = "share of the target below which a point is well below it"},
    {.name = "scale_in",
     .kind = FSIM_PARAM_BOOL,
     .offset = AT(scale_in),
     .fallback = "true",
     .help = "whether the use may release instances"},
    {.name = "in_percentage",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(in_percentage),
     .fallback = "10",
     .min = 0,
     .max = 100,
     .unit = "%",
     .help =
         "most of the capacity that goes at a time, at least one instance (\"gradual\" is not published)"},
    {.name = "out_cooldown",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(out_cooldown_ns),
     .fallback = "0s",
     .min = 0,
     .max = 86400,
     .help = "after a scale-out: what it added counts towards the next one"},
    {.name = "in_cooldown",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(in_cooldown_ns),
     .fallback = "0s",
     .min = 0,
     .max = 86400,
     .help = "after a scale-in: no further one"},
    {0}};

static fsim_status check(const void *params, fsim_error *err) {
    const tracked_params *p = params;
    return provisioned_bounds_check(&p->bounds, err);
}

static size_t state_size(const void *params) {
    (void)params;
    return sizeof(tracked_state);
}

static void init(void *state, const void *params, const fsim_fn_spec *fn, fsim_scale_plan *plan) {
    tracked_state *s = state;
    const tracked_params *p = params;
    *plan = provisioned_use_plan(&s->limits, &p->bounds, fn, p->period_ns);
}

static fsim_tracking_params tracker_of(const tracked_params *p) {
    return (fsim_tracking_params){.target = p->target / 100,
                                  .low_share = p->low_percentage / 100,
                                  .high_points = (uint32_t)p->high_points,
                                  .low_points = (uint32_t)p->low_points,
                                  .in_share = p->in_percentage / 100,
                                  .scale_in = p->scale_in};
}

static void tick(void *state, const void *params, const fsim_scale_view *view, bool explain,
                 fsim_scale_decision *decision) {
    tracked_state *s = state;
    const tracked_params *p = params;
    double requests = p->statistic == 0 ? view->concurrency : view->concurrency_peak;
    double use = provisioned_use(requests, view->ready, s->limits.fn.concurrency);
    int64_t capacity = view->wanted, warming = capacity > view->ready ? capacity - view->ready : 0;
    int64_t added = fsim_cooldown_added(&s->cooldown, view->now_ns, p->out_cooldown_ns);
    fsim_tracking_params tracker = tracker_of(p);
    fsim_tracking_reading reading = {.has_data = view->ready > 0 && view->concurrency_peak > 0,
                                     .metric = use,
                                     .capacity = capacity,
                                     .warming = warming,
                                     .counted = added > warming ? added - warming : 0};
    fsim_tracking_decision tracked = fsim_tracking_decide(&s->tracker, &tracker, &reading);
    int64_t change =
        (int64_t)provisioned_within(&s->limits, &p->bounds, tracked.desired, view->now_ns) - capacity;
    bool by_bounds = provisioned_within(&s->limits, &p->bounds, capacity, view->now_ns) != capacity;
    if (!by_bounds) { /* what moves into bounds does so at once, and begins no cooldown */
        change += change > 0 ? added : 0;
        change = fsim_cooldown_apply(&s->cooldown, view->now_ns, p->out_cooldown_ns, p->in_cooldown_ns,
                                     capacity, change) -
                 capacity;
    }
    decision->want = (uint32_t)(capacity + change);
    decision->mode = by_bounds           ? "bounds"
                     : !reading.has_data ? "blind"
                     : change > 0        ? "out"
                     : change < 0        ? "in"
                                         : "stable";
    if (explain) {
        fsim_scale_decision_note(decision, "utilisation", 100 * use);
        snprintf(decision->reason, sizeof decision->reason,
                 reading.has_data ? "%.4g %% of %u in use, target %.4g %%; %lld asked for do not serve yet"
                                  : "no request ran: no data (%.4g %% of %u, target %.4g %%; %lld to come)",
                 100 * use, view->ready, p->target, (long long)warming);
    }
}

const fsim_provisioned_ops fsim_provisioned_tracked = {
    .info = {.name = "tracked",
             .summary = "hold the use of the provisioned instances near a target (Application Auto Scaling)",
             .source = "policies spec, sections 4.2 and 7; docs.aws.amazon.com, lambda/latest/dg/"
                       "provisioned-concurrency.html",
             .params = table,
             .params_size = sizeof(tracked_params),
             .check = check},
    .state_size = state_size,
    .init = init,
    .tick = tick,
};
