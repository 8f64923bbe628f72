/* See target_tracking.h. */
#include "autoscale/target_tracking.h"

#include <math.h>

#define CAPACITY_MAX 4e15
#define ROUNDING     1e-12 /* of a target, a share of it and what is compared with them */

fsim_tracking_params fsim_tracking_params_default(double target) {
    return (fsim_tracking_params){.target = target,
                                  .low_share = 0.9,
                                  .high_points = 3,
                                  .low_points = 15,
                                  .in_share = 0.1,
                                  .scale_in = true,
                                  .out_cooldown_ns = 300 * FSIM_SECOND,
                                  .in_cooldown_ns = 300 * FSIM_SECOND};
}

/* The least capacity that brings the metric to the target. A quotient that is whole but for rounding is
 * whole: 10 x 0.7 / 0.7 is 10. */
static int64_t quotient(int64_t capacity, double metric, double target) {
    double exact = (double)capacity * metric / target;
    if (!(exact > 0)) {
        return 0;
    }
    return exact > CAPACITY_MAX ? (int64_t)CAPACITY_MAX : (int64_t)ceil(exact * (1 - ROUNDING));
}

fsim_tracking_decision fsim_tracking_decide(fsim_tracking *t, const fsim_tracking_params *p,
                                            const fsim_tracking_reading *r) {
    fsim_tracking_decision stay = {FSIM_TRACKING_STAY, r->capacity};
    bool above = r->has_data && r->metric > p->target * (1 + ROUNDING);
    bool below = r->has_data && r->metric < p->low_share * p->target * (1 - ROUNDING);
    bool high = fsim_alarm_feed(&t->high, above, p->high_points);
    bool low = fsim_alarm_feed(&t->low, below, p->low_points);
    if (!r->has_data) {
        stay.verdict = FSIM_TRACKING_NO_DATA;
        return stay;
    }
    if (high) {
        int64_t measured = r->capacity - r->warming - r->counted;
        int64_t desired = quotient(measured > 0 ? measured : 1, r->metric, p->target);
        return desired > r->capacity ? (fsim_tracking_decision){FSIM_TRACKING_OUT, desired} : stay;
    }
    if (low && p->scale_in && r->warming == 0) {
        int64_t goal = quotient(r->capacity, r->metric, p->target);
        int64_t most = (int64_t)((double)r->capacity * p->in_share);
        int64_t lowest = r->capacity - (most > 1 ? most : 1);
        int64_t desired = goal > lowest ? goal : lowest;
        return desired < r->capacity ? (fsim_tracking_decision){FSIM_TRACKING_IN, desired} : stay;
    }
    return stay;
}

fsim_tracking_decision fsim_tracking_join(fsim_tracking_decision a, fsim_tracking_decision b) {
    if (a.verdict == FSIM_TRACKING_OUT || b.verdict == FSIM_TRACKING_OUT) {
        bool first =
            a.verdict == FSIM_TRACKING_OUT && (b.verdict != FSIM_TRACKING_OUT || a.desired >= b.desired);
        return first ? a : b;
    }
    if (a.verdict == FSIM_TRACKING_IN && b.verdict == FSIM_TRACKING_IN) {
        return a.desired >= b.desired ? a : b;
    }
    return a.verdict == FSIM_TRACKING_IN ? b : a;
}
