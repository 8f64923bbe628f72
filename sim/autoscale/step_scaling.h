/* Step scaling: which step a metric has reached, and what it does to a capacity.
 *
 * Steps are intervals that begin at the alarm's threshold and lead away from it. Upwards a step holds from
 * its own bound (inclusive) to the next one's (exclusive), downwards the other way round; the last one has no
 * end. As text, for parameters: "+2 at 80, +30% at 90" or "-1 at 40, -30% at 20", "=1 at 10" for an exact
 * capacity; a % behind the bound is decoration.
 *
 * Source: docs.aws.amazon.com, autoscaling/ec2/userguide/as-scaling-simple-step.html and
 * autoscaling/application/userguide/step-scaling-policy-overview.html (policies spec, section 7). Pure and
 * O(steps). */
#ifndef FSIM_AUTOSCALE_STEP_SCALING_H
#define FSIM_AUTOSCALE_STEP_SCALING_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define FSIM_STEPS_MAX 20u /* a policy has at most 20 step adjustments */

typedef enum fsim_adjust_kind {
    FSIM_ADJUST_CHANGE,  /* by so many instances */
    FSIM_ADJUST_PERCENT, /* by a share of the capacity */
    FSIM_ADJUST_EXACT    /* to this capacity */
} fsim_adjust_kind;

typedef struct fsim_adjustment {
    fsim_adjust_kind kind;
    double value;
} fsim_adjustment;

typedef struct fsim_step {
    double at; /* bound of the metric at which the step begins */
    fsim_adjustment by;
} fsim_step;

typedef struct fsim_steps {
    bool upwards;
    uint32_t count;                 /* 0: nothing ever happens in this direction */
    fsim_step step[FSIM_STEPS_MAX]; /* away from the threshold: upwards ascending, downwards descending */
} fsim_steps;

/* Reads steps in any order; "" and "none" are none. FSIM_ECONFIG (text only) for what is no step, a bound
 * said twice, more than FSIM_STEPS_MAX, or an adjustment against the direction ("-1" upwards). */
fsim_status fsim_steps_parse(fsim_steps *steps, bool upwards, const char *text, fsim_error *err);

/* The step that the metric is in; NULL: it has not reached the first one, or is no number. */
const fsim_step *fsim_steps_find(const fsim_steps *steps, double metric);

/* The capacity after the adjustment, within [least, most]. A percentage is rounded to whole instances: above
 * 1 down, between 0 and 1 to 1, between -1 and 0 to -1, below -1 towards zero; then it changes at least
 * `magnitude` instances (0: no such bound) if it changes any. */
int64_t fsim_step_adjust(int64_t capacity, fsim_adjustment by, int64_t magnitude, int64_t least,
                         int64_t most);

#endif
