/* Cooldowns between scaling activities, as Application Auto Scaling keeps them.
 *
 * While the cooldown of a scale-out runs, what was added counts towards what a further one asks for: +2, then
 * an alarm worth +3, makes +1. While that of a scale-in runs there is no further scale-in, but a scale-out is
 * immediate and ends it. A scale-out that adds nothing begins nothing.
 *
 * Source: docs.aws.amazon.com, autoscaling/application/userguide/step-scaling-policy-overview.html
 * "Cooldown period" (policies spec, section 7). Pure and O(1). */
#ifndef FSIM_AUTOSCALE_COOLDOWN_H
#define FSIM_AUTOSCALE_COOLDOWN_H

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

/* Begin with {0}: no activity yet. */
typedef struct fsim_cooldown {
    bool out, in;                      /* there has been one of this direction that may still count */
    fsim_ns out_since_ns, in_since_ns; /* when the latest began */
    int64_t added;                     /* by the scale-outs of the running cooldown together */
} fsim_cooldown;

/* What the running cooldown of a scale-out has added; 0 when none runs at now_ns. */
int64_t fsim_cooldown_added(const fsim_cooldown *cooldown, fsim_ns now_ns, fsim_ns out_ns);

/* May instances be removed at now_ns? */
bool fsim_cooldown_allows_in(const fsim_cooldown *cooldown, fsim_ns now_ns, fsim_ns in_ns);

/* The capacity after an alarm that asks for `change` instances more (or, below 0, fewer) at now_ns, where a
 * scale-out is followed by a cooldown of out_ns and a scale-in by one of in_ns; notes the activity. now_ns
 * never decreases. */
int64_t fsim_cooldown_apply(fsim_cooldown *cooldown, fsim_ns now_ns, fsim_ns out_ns, fsim_ns in_ns,
                            int64_t capacity, int64_t change);

#endif
