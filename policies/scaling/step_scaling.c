/* Step scaling of a group of machines (EC2 Auto Scaling, Application Auto Scaling): an alarm on one metric,
 * and the further it is beyond the threshold the larger the step. In every period the group's metric is one
 * point; so many points in a row beyond the first step switch the alarm on, and while it is on each period
 * acts.
 *
 * What has just been added counts: instances that warm up are left out of the metric, a further scale-out
 * adds only what goes beyond them, and nothing is removed meanwhile; in a cooldown likewise
 * (autoscale/cooldown.h). With `simple` any activity holds back the next until its cooldown is over. */
#include "autoscale/step_scaling.h"
#include "api/group_metric.h"
#include "autoscale/alarm.h"
#include "autoscale/cooldown.h"
#include "policies/scaling/group_support.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

typedef struct step_params {
    int metric;
    group_params group;
    const char *out, *in;
    int64_t out_points, in_points, magnitude;
    bool simple;
} step_params;

typedef struct step_state {
    fsim_steps out, in;
    fsim_alarm high, low;
    fsim_cooldown cooldown;
    fsim_group_reading reading;
    double vcpu, memory_mb;
    int64_t least, most;
} step_state;

static const char *const metrics[] = FSIM_GROUP_METRIC_NAMES;

#define AT(field) offsetof(step_params, field)

static const fsim_param table[] = {
    {.name = "metric",
     .kind = FSIM_PARAM_CHOICE,
     .offset = AT(metric),
     .fallback = "cpu",
     .help =
         "what is compared with the steps: cpu and memory in %, requests inside, requests/s, per instance",
     .choices = metrics},
    {.name = "out",
     .kind = FSIM_PARAM_TEXT,
     .offset = AT(out),
     .fallback = "+10% at 60, +30% at 70",
     .off = true,
     .help = "steps upwards: \"+2 at 80, +30% at 90, =20 at 95\"; null: never out"},
    {.name = "in",
     .kind = FSIM_PARAM_TEXT,
     .offset = AT(in),
     .fallback = "-10% at 40, -30% at 30",
     .off = true,
     .help = "steps downwards: \"-1 at 40\"; null: never in"},
    GROUP_PERIOD_ROW(step_params),
    {.name = "out_points",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(out_points),
     .fallback = "2",
     .min = 1,
     .max = 1440,
     .unit = "points",
     .help = "points in a row that switch the upper alarm on"},
    {.name = "in_points",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(in_points),
     .fallback = "2",
     .min = 1,
     .max = 1440,
     .unit = "points",
     .help = "points in a row that switch the lower alarm on"},
    {.name = "magnitude",
     .kind = FSIM_PARAM_COUNT,
     .offset = AT(magnitude),
     .fallback = "0",
     .min = 0,
     .max = GROUP_SIZE_MAX,
     .unit = "instances",
     .help = "least change of a percentage step"},
    GROUP_PACE_ROWS(step_params, "0s", "300s"),
    {.name = "simple",
     .kind = FSIM_PARAM_BOOL,
     .offset = AT(simple),
     .fallback = "false",
     .help = "simple scaling: after any activity nothing happens until its cooldown is over"},
    GROUP_SIZE_ROWS(step_params),
    {0}};

static fsim_status check(const void *params, fsim_error *err) {
    const step_params *p = params;
    fsim_steps out, in;
    FSIM_TRY(fsim_steps_parse(&out, true, p->out, err));
    FSIM_TRY(fsim_steps_parse(&in, false, p->in, err));
    if (out.count > 0 && in.count > 0 && in.step[0].at >= out.step[0].at) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "the first step in, at %.12g, is not below the first step out, at %.12g",
                         in.step[0].at, out.step[0].at);
    }
    return group_check(&p->group, err);
}

static size_t state_size(const void *params) {
    (void)params;
    return sizeof(step_state);
}

static void init(void *state, const void *params, const fsim_fn_spec *fn, fsim_scale_plan *plan) {
    step_state *s = state;
    const step_params *p = params;
    *s = (step_state){.vcpu = fn->vcpu, .memory_mb = (double)fn->memory_mb};
    (void)fsim_steps_parse(&s->out, true, p->out, NULL);
    (void)fsim_steps_parse(&s->in, false, p->in, NULL);
    *plan = group_plan(&p->group, fn, &s->least, &s->most);
    plan->reads = fsim_group_input(p->metric);
}

static void sample(void *state, const void *params, const fsim_scale_sample *seen, fsim_rng *rng) {
    step_state *s = state;
    const step_params *p = params;
    (void)rng;
    s->reading = fsim_group_read(seen, p->group.warmup_ns, s->vcpu, s->memory_mb);
}

/* Simple scaling: has the last activity settled? */
static bool settled(const step_state *s, const step_params *p, const fsim_scale_view *view) {
    bool out_runs =
        s->cooldown.out && view->now_ns < fsim_ns_add(s->cooldown.out_since_ns, p->group.out_cooldown_ns);
    return !out_runs && fsim_cooldown_allows_in(&s->cooldown, view->now_ns, p->group.in_cooldown_ns) &&
           view->starting == 0;
}

static int64_t step_out(step_state *s, const step_params *p, const fsim_step *step, fsim_ns now_ns,
                        int64_t capacity, int64_t warming) {
    int64_t added = fsim_cooldown_added(&s->cooldown, now_ns, p->group.out_cooldown_ns);
    int64_t counted = added > warming ? added : warming;
    int64_t base = capacity > counted ? capacity - counted : 0;
    int64_t change = fsim_step_adjust(base, step->by, p->magnitude, s->least, s->most) - base;
    int64_t after =
        fsim_cooldown_apply(&s->cooldown, now_ns, p->group.out_cooldown_ns, p->group.in_cooldown_ns, capacity,
                            change - (counted - added) > 0 ? change - (counted - added) : 0);
    return after < s->most ? after : s->most;
}

static void explain_to(const step_state *s, const step_params *p, int64_t capacity, int64_t warming,
                       const fsim_step *step, fsim_scale_decision *decision) {
    const char *metric = metrics[p->metric];
    if (s->reading.warm == 0) {
        snprintf(decision->reason, sizeof decision->reason, "no data: %lld of %lld instances warm up",
                 (long long)warming, (long long)capacity);
    } else if (step == NULL) {
        snprintf(decision->reason, sizeof decision->reason, "%s %.4g between the steps", metric,
                 s->reading.mean[p->metric]);
    } else {
        snprintf(decision->reason, sizeof decision->reason,
                 "%s %.4g: the step %+.4g%s at %.4g, from %lld to %u", metric, s->reading.mean[p->metric],
                 step->by.value, step->by.kind == FSIM_ADJUST_PERCENT ? " %" : "", step->at,
                 (long long)capacity, decision->want);
    }
}

static void tick(void *state, const void *params, const fsim_scale_view *view, bool explain,
                 fsim_scale_decision *decision) {
    step_state *s = state;
    const step_params *p = params;
    bool has_data = s->reading.warm > 0;
    double metric = has_data ? s->reading.mean[p->metric] : NAN;
    const fsim_step *up = fsim_steps_find(&s->out, metric), *down = fsim_steps_find(&s->in, metric);
    bool high = fsim_alarm_feed(&s->high, up != NULL, (uint32_t)p->out_points);
    bool low = fsim_alarm_feed(&s->low, down != NULL, (uint32_t)p->in_points);
    int64_t capacity = view->wanted, after = capacity;
    int64_t warming = capacity > s->reading.warm ? capacity - s->reading.warm : 0;
    bool may = !p->simple || settled(s, p, view);
    if (high && may) {
        after = step_out(s, p, up, view->now_ns, capacity, warming);
    } else if (low && may && warming == 0) {
        int64_t change = fsim_step_adjust(capacity, down->by, p->magnitude, s->least, s->most) - capacity;
        after = fsim_cooldown_apply(&s->cooldown, view->now_ns, p->group.out_cooldown_ns,
                                    p->group.in_cooldown_ns, capacity, change < 0 ? change : 0);
    }
    after = after > s->least ? after : s->least;
    decision->want = (uint32_t)after;
    decision->mode = !has_data ? "blind" : after > capacity ? "out" : after < capacity ? "in" : "stable";
    if (explain) {
        fsim_scale_decision_note(decision, fsim_group_mean_name(p->metric), has_data ? metric : 0);
        explain_to(s, p, capacity, warming, high ? up : low ? down : NULL, decision);
    }
}

const fsim_scaling_ops fsim_scaling_step_scaling = {
    .info = {.name = "step_scaling",
             .summary = "alarms on one metric; the further beyond the threshold, the larger the step",
             .source = "policies spec, section 7; docs.aws.amazon.com, autoscaling/ec2/userguide/"
                       "as-scaling-simple-step.html",
             .params = table,
             .params_size = sizeof(step_params),
             .check = check},
    .state_size = state_size,
    .init = init,
    .sample = sample,
    .tick = tick,
};
