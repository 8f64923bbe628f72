/* Which pod the activator sends a request to, which pods an activator answers for, and how much it lets
 * through.
 *
 * Source: knative/serving pkg/activator/net/lb_policy.go and throttler.go. Pods are numbered in the sorted
 * order of their addresses. */
#ifndef FSIM_AUTOSCALE_POD_CHOICE_H
#define FSIM_AUTOSCALE_POD_CHOICE_H

#include "base/rng.h"

#include <stdint.h>

typedef enum fsim_pod_policy {
    FSIM_POD_RANDOM_CHOICE_2, /* the less busy of two random ones */
    FSIM_POD_FIRST_AVAILABLE, /* the first with a free slot */
    FSIM_POD_ROUND_ROBIN      /* the next with a free slot after the one taken last */
} fsim_pod_policy;

/* Knative's choice: without a concurrency limit random, up to 3 first available, from 4 on round robin. */
fsim_pod_policy fsim_pod_policy_for(int64_t container_concurrency);

typedef struct fsim_pod_chooser {
    fsim_pod_policy policy;
    int64_t container_concurrency; /* slots of a pod; 0: no limit */
    int64_t next;                  /* round robin: where the search starts */
} fsim_pod_chooser;

#define FSIM_POD_NONE INT64_C(-1)

/* The pod for one request, or FSIM_POD_NONE when no slot is free: the request goes back to the queue.
 * in_flight[k] are the requests this activator has in pod k; the caller adds the new one. `rng` is used by
 * the random policy only. O(1) for the random policy, else O(pods) at worst. */
int64_t fsim_pod_choose(fsim_pod_chooser *chooser, const int64_t *in_flight, int64_t pods, fsim_rng *rng);

/* The pods of activator number `index` of `activators`: [begin, end), and how many left-over pods at the end
 * of the list are shared out one each to the first activators. */
typedef struct fsim_pod_slice {
    int64_t begin, end, remnants;
} fsim_pod_slice;

/* pods >= 1, 0 <= index < activators. */
fsim_pod_slice fsim_pod_slice_of(int64_t pods, int64_t activators, int64_t index);

/* The pods an activator answers for: the slice [begin, end) and, when `extra` >= 0, that one left-over pod.
 */
typedef struct fsim_pod_assignment {
    int64_t begin, end, extra;
    int64_t count; /* pods in all */
} fsim_pod_assignment;

/* As above with the exceptions: an activator whose number is unknown (< 0), the only activator, and no more
 * than one pod: all pods. */
fsim_pod_assignment fsim_pod_slice_assign(int64_t pods, int64_t activators, int64_t index);

/* What an activator lets into a revision at once. `assigned` pods are addressed one by one, each with all of
 * its slots; with 0 of them (cluster IP) the capacity of `backends` is shared among the activators, at
 * least 1. Without a concurrency limit the answer is only closed (0) or open (1). backends < 0: unknown. */
int64_t fsim_activator_capacity(int64_t container_concurrency, int64_t backends, int64_t activators,
                                int64_t assigned);

#endif
