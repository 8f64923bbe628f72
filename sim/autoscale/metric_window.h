/* The average of a metric over the last n seconds, kept in a ring of buckets of one second.
 *
 * Values recorded in the same bucket are added, not averaged: the scrapes of all pods and the activator's
 * report of one second form one total. A write that comes a whole window or more after the newest one starts
 * a new run and drops everything older; seconds inside a run without a write count as 0. Until a run fills
 * the window the linear average divides by the buckets since the run began, not by n.
 *
 * Source: knative/serving pkg/autoscaler/aggregation/bucketing.go. The buckets are the caller's memory;
 * nothing here allocates. Cost: a record or a linear average is O(buckets since the newest write), a
 * weighted average and a resize are O(n). */
#ifndef FSIM_AUTOSCALE_METRIC_WINDOW_H
#define FSIM_AUTOSCALE_METRIC_WINDOW_H

#include "base/time.h"

#include <stdbool.h>

#define FSIM_METRIC_BUCKET_NS FSIM_SECOND /* Knative's; a window may have another */

typedef enum fsim_metric_average {
    FSIM_METRIC_LINEAR,
    FSIM_METRIC_WEIGHTED /* weights m (1 - m)^age, m from fsim_metric_window_smoothing; not renormalised */
} fsim_metric_average;

typedef struct fsim_metric_window {
    double *buckets;  /* bucket k lies at k modulo capacity; outside the newest n of them all are 0 */
    int64_t capacity; /* doubles in `buckets` */
    int64_t n;        /* buckets in the window */
    fsim_ns window_ns, bucket_ns;
    fsim_metric_average average;
    double smoothing; /* m of the weighted average */
    bool written;
    int64_t first, last; /* bucket numbers of the first write of the run and of the newest one */
    double total;        /* of all buckets */
} fsim_metric_window;

/* Doubles a window needs: window / bucket, rounded up. */
int64_t fsim_metric_window_buckets(fsim_ns window_ns, fsim_ns bucket_ns);

/* The weight of the newest of n buckets: max(0.2, 1 - 0.0001^(1/n)), so that a full window weighs at least
 * 0.9999. */
double fsim_metric_window_smoothing(int64_t n);

/* `buckets` has room for `capacity` >= fsim_metric_window_buckets(window_ns, bucket_ns) doubles and lives as
 * long as the window; it is zeroed here. window_ns and bucket_ns are > 0. */
void fsim_metric_window_init(fsim_metric_window *w, double *buckets, int64_t capacity, fsim_ns window_ns,
                             fsim_ns bucket_ns, fsim_metric_average average);

/* Adds a value at an instant. A late value inside the window is accepted and may move the beginning of the
 * run back; an older one is ignored. */
void fsim_metric_window_record(fsim_metric_window *w, fsim_ns at_ns, double value);

/* True when nothing was written for longer than the window: there is no data to decide on. */
bool fsim_metric_window_is_empty(const fsim_metric_window *w, fsim_ns now_ns);

/* The average per bucket; the linear one is rounded to 6 decimals. 0 when a whole window passed without a
 * write. */
double fsim_metric_window_average(const fsim_metric_window *w, fsim_ns now_ns);

/* The sum of the buckets that are still inside the window. */
double fsim_metric_window_sum(const fsim_metric_window *w, fsim_ns now_ns);

/* Changes the length and keeps the newest buckets. The run then counts as begun one old window before the
 * newest write. False, with nothing changed: the new length needs more than the capacity. */
bool fsim_metric_window_resize(fsim_metric_window *w, fsim_ns window_ns);

#endif
