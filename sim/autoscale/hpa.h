/* One whole sync of a Horizontal Pod Autoscaler (autoscaling/v2): bounds, the largest proposal of its
 * metrics, stabilisation, limits.
 *
 * Source: policies spec, section 2.2; kubernetes/kubernetes pkg/controller/podautoscaler/horizontal.go
 * (reconcileAutoscaler, computeReplicasForMetrics). Pure: the caller brings the clock, the proposals and the
 * memory for the past. */
#ifndef FSIM_AUTOSCALE_HPA_H
#define FSIM_AUTOSCALE_HPA_H

#include "autoscale/hpa_behavior.h"
#include "autoscale/hpa_metric.h"

#include <stddef.h>

typedef struct fsim_hpa_settings {
    int64_t min, max;                   /* 0 <= min <= max, max >= 1 */
    fsim_ns downscale_stabilization_ns; /* without `behavior`; 5 min */
    bool has_behavior;
    fsim_hpa_rules up, down; /* with it */
} fsim_hpa_settings;

/* State of one autoscaler; its entries belong to the caller. */
typedef struct fsim_hpa {
    bool seen; /* the first sync seeds the recommendations with the present count */
    fsim_hpa_past recommendations, ups, downs;
} fsim_hpa;

/* Entries that a state needs when it is synced once each period: recommendations, then ups, then downs. */
typedef struct fsim_hpa_room {
    uint32_t recommendations, ups, downs;
} fsim_hpa_room;

fsim_hpa_room fsim_hpa_room_of(const fsim_hpa_settings *settings, fsim_ns sync_ns);
/* `entries` holds as many as the three together. */
void fsim_hpa_init(fsim_hpa *hpa, fsim_hpa_entry *entries, const fsim_hpa_room *room);
/* The entries have moved. */
void fsim_hpa_rebase(fsim_hpa *hpa, fsim_hpa_entry *entries);

typedef enum fsim_hpa_verdict {
    FSIM_HPA_DISABLED, /* 0 replicas although min is above 0: somebody has switched it off */
    FSIM_HPA_OUT_OF_BOUNDS /* straight to the nearest bound: no metrics, no rate limit */,
    FSIM_HPA_NO_METRIC, /* nothing valid, or something invalid while the rest asks for fewer */
    FSIM_HPA_DECIDED
} fsim_hpa_verdict;

typedef struct fsim_hpa_decision {
    fsim_hpa_verdict verdict;
    int64_t replicas; /* what the object shall have */
    /* DECIDED: */
    int64_t recommended; /* the largest proposal */
    size_t metric;       /* whose it was */
    int64_t stabilized;  /* after stabilisation, before the limits */
} fsim_hpa_decision;

fsim_hpa_decision fsim_hpa_sync(fsim_hpa *hpa, const fsim_hpa_settings *settings,
                                const fsim_hpa_proposal *proposals, size_t count, int64_t spec,
                                fsim_ns now_ns);

#endif
