/* What one metric of a Horizontal Pod Autoscaler proposes: pods into groups, sums over the groups, a replica
 * count.
 *
 * Source: policies spec, sections 2.3 and 2.4; kubernetes/kubernetes
 * pkg/controller/podautoscaler/replica_calculator.go and metrics/utilization.go. Pods are counted one by one
 * into a tally of sums, so any number of them needs no memory and O(1) each; nothing looks at a clock. Values
 * are whole numbers in one unit per metric (Kubernetes: thousandths), as utilisation is cut to a whole
 * percent and averages to whole units before they are compared. */
#ifndef FSIM_AUTOSCALE_HPA_METRIC_H
#define FSIM_AUTOSCALE_HPA_METRIC_H

#include "base/time.h"

#include <stdbool.h>

#define FSIM_HPA_REPLICAS_MAX INT64_C(2147483647) /* larger results saturate */

typedef enum fsim_hpa_metric_kind {
    FSIM_HPA_UTILIZATION,    /* resource, target in % of the request */
    FSIM_HPA_RESOURCE_VALUE, /* resource, target in units per pod */
    FSIM_HPA_PODS,           /* the application's own metric, target in units per pod */
    FSIM_HPA_VALUE,          /* one value of an object or from outside, target in units */
    FSIM_HPA_AVERAGE_VALUE   /* the same, target in units per pod */
} fsim_hpa_metric_kind;

typedef struct fsim_hpa_metric {
    fsim_hpa_metric_kind kind;
    bool cpu;       /* of the first two: readiness counts for CPU alone */
    int64_t target; /* above 0 */
    int64_t value;  /* of the last two */
} fsim_hpa_metric;

typedef enum fsim_pod_phase {
    FSIM_POD_PENDING,
    FSIM_POD_RUNNING,
    FSIM_POD_SUCCEEDED,
    FSIM_POD_FAILED,
    FSIM_POD_UNKNOWN
} fsim_pod_phase;

/* A pod as the API server and the metrics API know it. Instants are meaningful where their flag is set. */
typedef struct fsim_hpa_pod {
    fsim_pod_phase phase;
    bool deleting;
    bool has_condition, ready; /* the Ready condition: is there one, is it true */
    bool has_start;
    bool has_sample;
    bool has_request;
    fsim_ns start_ns, ready_change_ns; /* since when the Ready condition is as it is */
    fsim_ns sample_ns, window_ns;      /* the sample covers (sample_ns - window_ns, sample_ns] */
    int64_t usage, request;
} fsim_hpa_pod;

typedef enum fsim_hpa_group {
    FSIM_HPA_READY,
    FSIM_HPA_UNREADY,
    FSIM_HPA_MISSING,
    FSIM_HPA_IGNORED
} fsim_hpa_group;

/* Settings of the controller. */
typedef struct fsim_hpa_readiness {
    fsim_ns cpu_initialization_ns; /* --horizontal-pod-autoscaler-cpu-initialization-period: 5 min */
    fsim_ns initial_readiness_ns;  /* --horizontal-pod-autoscaler-initial-readiness-delay: 30 s */
} fsim_hpa_readiness;

fsim_hpa_group fsim_hpa_group_of(const fsim_hpa_pod *pod, bool cpu, const fsim_hpa_readiness *readiness,
                                 fsim_ns now_ns);

/* Sums over the pods of one metric. Start from {0}. */
typedef struct fsim_hpa_tally {
    int64_t pods, ready, unready, missing, ignored;
    int64_t samples;           /* that count: of ready pods, and of pods that the selector does not know */
    int64_t usage;             /* of those samples */
    int64_t requested_samples; /* of ready pods: the ones a utilisation is made of */
    int64_t requested_usage, requested;
    int64_t unready_request, missing_request;
    int64_t missing_full;  /* what the missing ones would use at full use of their requests */
    int64_t running_ready; /* pods that run and are ready, whatever is measured */
    bool lacks_request;    /* some pod has none */
} fsim_hpa_tally;

void fsim_hpa_tally_pod(fsim_hpa_tally *tally, const fsim_hpa_metric *metric, const fsim_hpa_pod *pod,
                        const fsim_hpa_readiness *readiness, fsim_ns now_ns);
/* A sample of a pod that the selector does not match. */
void fsim_hpa_tally_other(fsim_hpa_tally *tally, int64_t usage);

/* Ratios of measured to wanted that are not worth a change: 1 - down to 1 + up, both inclusive. */
typedef struct fsim_hpa_tolerance {
    double up, down;
} fsim_hpa_tolerance;

typedef struct fsim_hpa_proposal {
    const char *error; /* NULL: valid; else why not, and the rest is 0 */
    int64_t replicas;
    int64_t utilization; /* UTILIZATION: whole percent over the pods with a sample */
    int64_t average;     /* units per pod */
    double ratio;        /* of the first look, before missing and unready pods are filled in */
} fsim_hpa_proposal;

/* Kubernetes counts in thousandths of a unit, rounded up; what is less than a billionth is noise. */
int64_t fsim_hpa_milli(double value);

/* `spec` replicas are asked for, `status` replicas exist. VALUE and AVERAGE_VALUE need no samples. */
fsim_hpa_proposal fsim_hpa_propose(const fsim_hpa_metric *metric, const fsim_hpa_tally *tally,
                                   const fsim_hpa_tolerance *tolerance, int64_t spec, int64_t status);

#endif
