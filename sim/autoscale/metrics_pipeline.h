/* What an autoscaler is told of a pod's use, and how late: the resource metrics pipeline of Kubernetes.
 *
 * metrics-server asks every kubelet once each `resolution` and keeps the last two answers of a pod; what it
 * serves is the average between them, stamped with the later one. A pod that has only one answer is served if
 * that covers at least 10 s of its life, else it is missing until the next one. The kubelet's own answer is
 * as old as its last housekeeping: `delay`. So a step of the load is seen in full no earlier than resolution
 * + delay after it begins, and by the autoscaler at its next sync after that.
 *
 * Source: kubernetes-sigs/metrics-server pkg/storage/pod.go (last and previous point,
 * freshContainerMinMetricsResolution), manifests/base/deployment.yaml (--metric-resolution=15s); kubelet
 * --housekeeping-interval 10s. Policies spec 2.3 says what the autoscaler makes of missing samples.
 *
 * Readings are kept in memory of the caller, one store for each pod (or for a whole function); zeroed memory
 * is an empty store. Cost: O(readings on their way), which is delay / resolution + 2. */
#ifndef FSIM_AUTOSCALE_METRICS_PIPELINE_H
#define FSIM_AUTOSCALE_METRICS_PIPELINE_H

#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>

#define FSIM_METRICS_VALUES       4
#define FSIM_METRICS_FRESH_MIN_NS (10 * FSIM_SECOND)

typedef struct fsim_metrics_pipeline {
    fsim_ns resolution_ns; /* > 0 */
    fsim_ns delay_ns;      /* >= 0 */
} fsim_metrics_pipeline;

/* Averages over (at_ns - window_ns, at_ns]; which value stands where is the caller's. */
typedef struct fsim_metrics_reading {
    fsim_ns at_ns, window_ns;
    double value[FSIM_METRICS_VALUES];
} fsim_metrics_reading;

/* Followed in the same memory by its readings. */
typedef struct fsim_metrics_store {
    uint32_t next, count;
    uint64_t unused; /* keeps the readings aligned */
} fsim_metrics_store;

/* Bytes of a store, in units of 16. */
size_t fsim_metrics_store_size(const fsim_metrics_pipeline *pipeline);

/* Is a pod of that age part of this scrape's answer? */
bool fsim_metrics_covers(const fsim_metrics_pipeline *pipeline, fsim_ns age_ns);

void fsim_metrics_record(fsim_metrics_store *store, const fsim_metrics_pipeline *pipeline,
                         const fsim_metrics_reading *reading);

/* The latest reading that has arrived by now_ns; NULL: none has. */
const fsim_metrics_reading *fsim_metrics_read(const fsim_metrics_store *store,
                                              const fsim_metrics_pipeline *pipeline, fsim_ns now_ns);

#endif
