/* Target tracking: keeps a metric per unit of capacity near a target.
 *
 * Each period brings one point of the metric. The high alarm (3 points above the target) scales out to
 * ceil(capacity x metric / target); the low alarm (15 points below 0.9 of it) scales in towards the same
 * quotient, gradually. Capacity that still warms up is not in the metric, so the quotient is taken of the
 * rest and only what goes beyond the present capacity is added; while any warms up nothing is removed.
 * Without data nothing happens. Several trackers of one resource: out if any says so, in only if all agree,
 * the largest wins (fsim_tracking_join).
 *
 * Source: docs.aws.amazon.com, autoscaling/application/userguide/target-tracking and
 * autoscaling/ec2/userguide/as-scaling-target-tracking.html (policies spec, sections 4.2 and 7). "Gradually"
 * is not published: here at most `in_share` of the capacity, at least 1, at a time. Pure and O(1). */
#ifndef FSIM_AUTOSCALE_TARGET_TRACKING_H
#define FSIM_AUTOSCALE_TARGET_TRACKING_H

#include "autoscale/alarm.h"
#include "autoscale/cooldown.h"

typedef struct fsim_tracking_params {
    double target;                    /* > 0, in units of the metric */
    double low_share;                 /* of the target: below it the low alarm counts */
    uint32_t high_points, low_points; /* >= 1 */
    double in_share;                  /* 0 … 1 */
    bool scale_in;                    /* false: only ever out */
    fsim_ns out_cooldown_ns, in_cooldown_ns;
} fsim_tracking_params;

/* Begin with {0}. */
typedef struct fsim_tracking {
    fsim_alarm high, low;
} fsim_tracking;

typedef struct fsim_tracking_reading {
    bool has_data;
    double metric;    /* average over the capacity that is warm */
    int64_t capacity; /* all of it */
    int64_t warming;  /* of that, what is not in the metric yet */
    int64_t counted;  /* of the warm capacity, what a running cooldown counts as just added */
} fsim_tracking_reading;

typedef enum fsim_tracking_verdict {
    FSIM_TRACKING_STAY,
    FSIM_TRACKING_OUT,
    FSIM_TRACKING_IN,
    FSIM_TRACKING_NO_DATA
} fsim_tracking_verdict;

typedef struct fsim_tracking_decision {
    fsim_tracking_verdict verdict;
    int64_t desired; /* the present capacity unless the verdict is out or in */
} fsim_tracking_decision;

/* 3 points, 15 points, 0.9, a tenth at a time, cooldowns of 300 s. */
fsim_tracking_params fsim_tracking_params_default(double target);

/* One point. Cooldowns are the caller's: it passes what counts as added and asks fsim_cooldown_allows_in. */
fsim_tracking_decision fsim_tracking_decide(fsim_tracking *tracking, const fsim_tracking_params *params,
                                            const fsim_tracking_reading *reading);

/* What two trackers of one resource decide together; begin with the first one's decision. One without data
 * has no say in a scale-out and forbids a scale-in. */
fsim_tracking_decision fsim_tracking_join(fsim_tracking_decision a, fsim_tracking_decision b);

#endif
