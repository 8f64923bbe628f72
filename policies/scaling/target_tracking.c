/* Target tracking of a group of machines (EC2 Auto Scaling, Application Auto Scaling): each metric that has a
 * target is a tracker of its own (autoscale/target_tracking.h), and together they scale out if any asks for
 * it, in only if all agree; the largest wins.
 *
 * A period brings one point of each metric, averaged over the instances that are warm. The high alarm needs 3
 * points, the low alarm 15: the group grows after three minutes and shrinks after a quarter of an hour. */
#include "autoscale/target_tracking.h"
#include "api/group_metric.h"
#include "policies/scaling/group_support.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

typedef struct tracking_params {
    double target[FSIM_GROUP_METRICS]; /* 0: not tracked */
    double low_percentage, in_percentage;
    group_params group;
    int64_t high_points, low_points;
    bool scale_in;
} tracking_params;

typedef struct tracking_state {
    fsim_tracking tracker[FSIM_GROUP_METRICS];
    fsim_cooldown cooldown;
    fsim_group_reading reading;
    double vcpu, memory_mb;
    int64_t least, most;
} tracking_state;

static const char *const metrics[] = FSIM_GROUP_METRIC_NAMES;

#define AT(field) offsetof(tracking_params, field)

static const fsim_param table[] = {{.name = "cpu",
                                    .kind = FSIM_PARAM_REAL,
                                    .offset = AT(target[FSIM_GROUP_CPU]),
                                    .fallback = "50",
                                    .min = 0,
                                    .max = 100,
                                    .unit = "%",
                                    .help = "target of the CPU in use, per instance; 0: not tracked"},
                                   {.name = "memory",
                                    .kind = FSIM_PARAM_REAL,
                                    .offset = AT(target[FSIM_GROUP_MEMORY]),
                                    .fallback = "0",
                                    .min = 0,
                                    .max = 100,
                                    .unit = "%",
                                    .help = "target of the memory in use, per instance; 0: not tracked"},
                                   {.name = "concurrency",
                                    .kind = FSIM_PARAM_REAL,
                                    .offset = AT(target[FSIM_GROUP_CONCURRENCY]),
                                    .fallback = "0",
                                    .min = 0,
                                    .max = 1e9,
                                    .unit = "requests",
                                    .help = "target of the requests inside, per instance; 0: not tracked"},
                                   {.name = "requests",
                                    .kind = FSIM_PARAM_REAL,
                                    .offset = AT(target[FSIM_GROUP_REQUESTS]),
                                    .fallback = "0",
                                    .min = 0,
                                    .max = 1e9,
                                    .unit = "requests/s",
                                    .help = "target of the requests per instance; 0: not tracked"},
                                   GROUP_PERIOD_ROW(tracking_params),
                                   {.name = "high_points",
                                    .kind = FSIM_PARAM_COUNT,
                                    .offset = AT(high_points),
                                    .fallback = "3",
                                    .min = 1,
                                    .max = 1440,
                                    .unit = "points",
                                    .help = "points in a row above the target before the group grows"},
                                   {.name = "low_points",
                                    .kind = FSIM_PARAM_COUNT,
                                    .offset = AT(low_points),
                                    .fallback = "15",
                                    .min = 1,
                                    .max = 1440,
                                    .unit = "points",
                                    .help = "points in a row well below the target before it shrinks"},
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
                                    .help = "whether the group may shrink"},
                                   {.name = "in_percentage",
                                    .kind = FSIM_PARAM_REAL,
                                    .offset = AT(in_percentage),
                                    .fallback = "10",
                                    .min = 0,
                                    .max = 100,
                                    .unit = "%",
                                    .help = "most of the group that goes at a time, at least one instance"},
                                   GROUP_PACE_ROWS(tracking_params, "300s", "0s"),
                                   GROUP_SIZE_ROWS(tracking_params),
                                   {0}};

static fsim_status check(const void *params, fsim_error *err) {
    const tracking_params *p = params;
    double any = 0;
    for (int m = 0; m < FSIM_GROUP_METRICS; m++) {
        any = fmax(any, p->target[m]);
    }
    if (!(any > 0)) {
        return fsim_fail(
            err, FSIM_ECONFIG,
            "nothing is tracked: expected a target above 0 for cpu, memory, concurrency or requests");
    }
    return group_check(&p->group, err);
}

static size_t state_size(const void *params) {
    (void)params;
    return sizeof(tracking_state);
}

static void init(void *state, const void *params, const fsim_fn_spec *fn, fsim_scale_plan *plan) {
    tracking_state *s = state;
    const tracking_params *p = params;
    *s = (tracking_state){.vcpu = fn->vcpu, .memory_mb = (double)fn->memory_mb};
    *plan = group_plan(&p->group, fn, &s->least, &s->most);
    for (int m = 0; m < FSIM_GROUP_METRICS; m++) {
        plan->reads |= p->target[m] > 0 ? fsim_group_input(m) : 0;
    }
}

static void sample(void *state, const void *params, const fsim_scale_sample *seen, fsim_rng *rng) {
    tracking_state *s = state;
    const tracking_params *p = params;
    (void)rng;
    s->reading = fsim_group_read(seen, p->group.warmup_ns, s->vcpu, s->memory_mb);
}

static fsim_tracking_params tracker_of(const tracking_params *p, int metric) {
    return (fsim_tracking_params){.target = p->target[metric],
                                  .low_share = p->low_percentage / 100,
                                  .high_points = (uint32_t)p->high_points,
                                  .low_points = (uint32_t)p->low_points,
                                  .in_share = p->in_percentage / 100,
                                  .scale_in = p->scale_in};
}

/* All trackers together; *metric is the one that decided. */
static fsim_tracking_decision track(tracking_state *s, const tracking_params *p,
                                    const fsim_tracking_reading *reading, int *metric) {
    fsim_tracking_decision joint = {0};
    *metric = -1;
    for (int m = 0; m < FSIM_GROUP_METRICS; m++) {
        if (!(p->target[m] > 0)) {
            continue;
        }
        fsim_tracking_params tracker = tracker_of(p, m);
        fsim_tracking_reading own = *reading;
        own.metric = s->reading.mean[m];
        fsim_tracking_decision one = fsim_tracking_decide(&s->tracker[m], &tracker, &own);
        fsim_tracking_decision both = *metric < 0 ? one : fsim_tracking_join(joint, one);
        if (*metric < 0 || both.verdict != joint.verdict || both.desired != joint.desired) {
            *metric = m;
        }
        joint = both;
    }
    return joint;
}

static void tick(void *state, const void *params, const fsim_scale_view *view, bool explain,
                 fsim_scale_decision *decision) {
    tracking_state *s = state;
    const tracking_params *p = params;
    int64_t capacity = view->wanted, warm = s->reading.warm;
    int64_t warming = capacity > warm ? capacity - warm : 0;
    int64_t added = fsim_cooldown_added(&s->cooldown, view->now_ns, p->group.out_cooldown_ns);
    fsim_tracking_reading reading = {.has_data = warm > 0,
                                     .capacity = capacity,
                                     .warming = warming,
                                     .counted = added > warming ? added - warming : 0};
    int metric;
    fsim_tracking_decision d = track(s, p, &reading, &metric);
    int64_t desired = d.desired < s->least ? s->least : d.desired > s->most ? s->most : d.desired;
    int64_t change = desired - capacity;
    if (change > 0) {
        change += added; /* what a running cooldown takes off again has been taken off already */
    }
    int64_t after = fsim_cooldown_apply(&s->cooldown, view->now_ns, p->group.out_cooldown_ns,
                                        p->group.in_cooldown_ns, capacity, change);
    decision->want = (uint32_t)after;
    decision->mode = warm == 0 ? "blind" : after > capacity ? "out" : after < capacity ? "in" : "stable";
    if (explain) {
        fsim_scale_decision_note(decision, fsim_group_mean_name(metric), s->reading.mean[metric]);
        snprintf(decision->reason, sizeof decision->reason,
                 "%s %.4g, target %.4g; %lld of %lld warm up; wanted %lld", metrics[metric],
                 s->reading.mean[metric], p->target[metric], (long long)warming, (long long)capacity,
                 (long long)after);
    }
}

const fsim_scaling_ops fsim_scaling_target_tracking = {
    .info = {.name = "target_tracking",
             .summary =
                 "keep the mean CPU, memory, requests inside or requests/s of an instance near a target",
             .source = "policies spec, section 7; docs.aws.amazon.com, autoscaling/ec2/userguide/"
                       "as-scaling-target-tracking.html",
             .params = table,
             .params_size = sizeof(tracking_params),
             .check = check},
    .state_size = state_size,
    .init = init,
    .sample = sample,
    .tick = tick,
};
