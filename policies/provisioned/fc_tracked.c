/* Minimum (provisioned) instances that follow their use, as Alibaba Function Compute does it:
 *
 *     above the target   out to ceil(current x use / target), at most the maximum
 *     below it           current x factor x (1 - use / target) go, at least the minimum stays
 *
 * The page prints the second as the number that is wanted; read so, a use just below the target would release
 * nearly all. It is taken for the number that goes, cut to whole instances. The factor, in (0, 1], is the
 * platform's and not published. Instances report their use whether they are called or not, once a minute (not
 * published either). Of several policies the largest result holds: a schedule beside the target is a least
 * number while it lasts. */
#include "policies/provisioned/provisioned_support.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

typedef struct fc_params {
    double target, factor;
    fsim_ns period_ns;
    provisioned_bounds bounds;
} fc_params;

typedef struct fc_state {
    provisioned_limits limits;
} fc_state;

#define AT(field) offsetof(fc_params, field)

static const fsim_param table[] = {
    {.name = "target",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(target),
     .fallback = "60",
     .min = 1,
     .max = 100,
     .unit = "%",
     .help = "of the provisioned instances' concurrency in use"},
    {.name = "factor",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(factor),
     .fallback = "0.5",
     .min = 0.001,
     .max = 1,
     .unit = "share",
     .help = "how much of what is too many goes at a time (not published: an assumption)"},
    PROVISIONED_BOUNDS_ROWS(
        fc_params, bounds,
        "moves the bounds: \"50.. at 08:00 mon-fri; 1.. at 20:00\" as scheduled actions do"),
    {.name = "period",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(period_ns),
     .fallback = "60s",
     .min = 1,
     .max = 3600,
     .help = "time between two evaluations, over which the use is averaged"},
    {0}};

static fsim_status check(const void *params, fsim_error *err) {
    const fc_params *p = params;
    return provisioned_bounds_check(&p->bounds, err);
}

static size_t state_size(const void *params) {
    (void)params;
    return sizeof(fc_state);
}

static void init(void *state, const void *params, const fsim_fn_spec *fn, fsim_scale_plan *plan) {
    fc_state *s = state;
    const fc_params *p = params;
    *plan = provisioned_use_plan(&s->limits, &p->bounds, fn, p->period_ns);
}

static void tick(void *state, const void *params, const fsim_scale_view *view, bool explain,
                 fsim_scale_decision *decision) {
    fc_state *s = state;
    const fc_params *p = params;
    double use = provisioned_use(view->concurrency, view->ready, s->limits.fn.concurrency);
    double ratio = 100 * use / p->target, current = view->wanted, want = current;
    if (view->ready == view->wanted) { /* what has been asked for is there: the use is that of all */
        want = ratio > 1 ? ceil(current * ratio * (1 - 1e-12))
                         : current - floor(current * p->factor * (1 - ratio) * (1 + 1e-12));
    }
    decision->want = provisioned_within(&s->limits, &p->bounds,
                                        (int64_t)fmin(want, PROVISIONED_INSTANCES_MAX), view->now_ns);
    decision->mode = decision->want > view->wanted ? "out" : decision->want < view->wanted ? "in" : "stable";
    if (explain) {
        fsim_scale_decision_note(decision, "utilisation", 100 * use);
        snprintf(decision->reason, sizeof decision->reason,
                 "%.4g %% of %u in use, target %.4g %%: %.0f wanted, %u within the bounds", 100 * use,
                 view->ready, p->target, want, decision->want);
    }
}

const fsim_provisioned_ops fsim_provisioned_fc_tracked = {
    .info = {.name = "fc_tracked",
             .summary = "hold the use of the minimum instances near a target (Alibaba Function Compute)",
             .source = "policies spec, section 5.2; help.aliyun.com/zh/functioncompute/"
                       "instance-scaling-restrictions-and-rules",
             .params = table,
             .params_size = sizeof(fc_params),
             .check = check},
    .state_size = state_size,
    .init = init,
    .tick = tick,
};
