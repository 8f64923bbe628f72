/* The maximum of the values of the last n slots of time: Knative's scale-down delay, HPA's stabilisation.
 *
 * Kept as the descending list of values that can still become the maximum (ascending-minima algorithm,
 * mirrored), so a record is O(1) amortised. Source: knative/serving pkg/autoscaler/aggregation/max. The
 * entries are the caller's memory; nothing here allocates. */
#ifndef FSIM_AUTOSCALE_SLIDING_MAX_H
#define FSIM_AUTOSCALE_SLIDING_MAX_H

#include "base/time.h"

#include <stdbool.h>

typedef struct fsim_sliding_max_entry {
    int64_t slot;
    double value;
} fsim_sliding_max_entry;

typedef struct fsim_sliding_max {
    fsim_sliding_max_entry *entries; /* ring of `capacity`; slots ascend, values descend from `head` on */
    int64_t capacity, head, count;
    int64_t slots;   /* n */
    fsim_ns slot_ns; /* length of a slot, for records by time */
} fsim_sliding_max;

/* Entries a span needs: span / slot, rounded up. */
int64_t fsim_sliding_max_slots(fsim_ns span_ns, fsim_ns slot_ns);

/* 1 <= slots <= capacity entries; slot_ns > 0. */
void fsim_sliding_max_init(fsim_sliding_max *m, fsim_sliding_max_entry *entries, int64_t capacity,
                           int64_t slots, fsim_ns slot_ns);

/* A value in a slot. Slots do not go back: a value for a slot before the newest counts in the newest. Several
 * values of one slot: the largest counts. */
void fsim_sliding_max_record(fsim_sliding_max *m, int64_t slot, double value);
void fsim_sliding_max_record_at(fsim_sliding_max *m, fsim_ns at_ns, double value);

/* The maximum over the slots up to the newest record; 0 before the first one. */
double fsim_sliding_max_current(const fsim_sliding_max *m);

/* Changes n; what is older than the new length leaves at once. False, with nothing changed: beyond the
 * capacity. */
bool fsim_sliding_max_resize(fsim_sliding_max *m, int64_t slots);

#endif
