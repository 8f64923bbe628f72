/* The settings of the Knative Pod Autoscaler and the formulas that resolve them.
 *
 * Sources, all in knative/serving: config/core/configmaps/autoscaler.yaml and defaults.yaml,
 * pkg/autoscaler/config/config.go, pkg/apis/autoscaling/register.go; each formula names its own. Pure
 * arithmetic, no state. */
#ifndef FSIM_AUTOSCALE_KNATIVE_SETTINGS_H
#define FSIM_AUTOSCALE_KNATIVE_SETTINGS_H

#include "base/error.h"
#include "base/time.h"

#include <stdbool.h>

#define FSIM_KNATIVE_TICK_NS            (2 * FSIM_SECOND) /* between decisions */
#define FSIM_KNATIVE_SCRAPE_NS          FSIM_SECOND       /* between scrapes, and between reports */
#define FSIM_KNATIVE_TARGET_MIN         0.01
#define FSIM_KNATIVE_WINDOW_MAX_NS      FSIM_HOUR /* of the stable window and of the scale-down delay */
#define FSIM_KNATIVE_PROXY_QUEUE_FACTOR 10        /* waiting places of a queue-proxy per running request */
#define FSIM_KNATIVE_SCALE_UNKNOWN      (-1)      /* no decision was possible yet */
#define FSIM_KNATIVE_UNLIMITED_BURST    (-1.0)    /* target-burst-capacity: always through the activator */

typedef enum fsim_knative_metric { FSIM_KNATIVE_CONCURRENCY, FSIM_KNATIVE_RPS } fsim_knative_metric;

/* One revision: the cluster's values with the revision's own laid over them. "per pod" figures are requests
 * in flight, or requests/s when the metric is rps. */
typedef struct fsim_knative_settings {
    fsim_knative_metric metric;
    bool weighted_average;                /* metric-aggregation-algorithm weighted-exponential */
    fsim_ns stable_window_ns;             /* 6 s to 1 h, whole seconds */
    double panic_window_percentage;       /* of the stable window, 1 to 100 */
    double panic_threshold_percentage;    /* 110 to 1000 */
    double concurrency_target_percentage; /* above 0, up to 100; a value up to 1 is read as a fraction */
    double concurrency_target_default;    /* per pod, >= 0.01 */
    double rps_target_default;            /* requests/s per pod, >= 0.01 */
    double rps_target_fraction;           /* of it, above 0, up to 1; fixed at 0.7 in Knative */
    double target; /* the revision's target annotation, per pod; 0: none, else >= 0.01 */
    double target_utilization_percentage; /* the revision's own, 1 to 100; 0: none */
    double target_burst_capacity; /* requests; -1: always through the activator, 0: only at zero scale */
    double max_scale_up_rate;     /* factor per decision, > 1 */
    double max_scale_down_rate;   /* factor per decision, > 1 */
    bool enable_scale_to_zero;
    fsim_ns scale_to_zero_grace_period_ns;         /* > 0 */
    fsim_ns scale_to_zero_pod_retention_period_ns; /* >= 0 */
    fsim_ns scale_down_delay_ns;                   /* 0 to 1 h, whole seconds */
    int64_t initial_scale;                         /* pods; 0 only with allow_zero_initial_scale */
    bool allow_zero_initial_scale;
    int64_t min_scale, max_scale, max_scale_limit; /* pods; 0: no bound */
    int64_t activation_scale;                      /* pods, >= 1; 1 is off */
    double activator_capacity;                     /* requests per activator, >= 1; for subsetting only */
    int64_t min_activators;                        /* in a subset, >= 1 */
    int64_t container_concurrency;                 /* requests in flight per pod, 0 (no limit) to 1000 */
    fsim_ns revision_timeout_ns;                   /* above 0, up to 600 s */
    fsim_ns activation_timeout_ns;                 /* > 0 */
} fsim_knative_settings;

/* Knative's defaults. */
fsim_knative_settings fsim_knative_settings_default(void);

/* Refuses, never clamps: the first setting out of its range, or a pair that contradicts, with its name, its
 * unit and its range. */
fsim_status fsim_knative_settings_check(const fsim_knative_settings *s, fsim_error *err);

/* What one pod shall carry (`target`, for the pod count) and can carry (`total`, for the burst capacity and
 * the subset of activators). pkg/reconciler/autoscaling/resources/target.go. */
typedef struct fsim_knative_target {
    double target, total;
} fsim_knative_target;

fsim_knative_target fsim_knative_resolve_target(const fsim_knative_settings *s);

/* The panic window: a percentage of the stable one, to whole seconds (halves up), at least one bucket.
 * pkg/reconciler/autoscaling/resources/metric.go. */
fsim_ns fsim_knative_panic_window(fsim_ns stable_window_ns, double percentage, fsim_ns bucket_ns);

/* The revision's own initial scale unless it has none (< 0), or asks for 0 where that is not allowed.
 * pkg/reconciler/autoscaling/kpa/resources/decider.go. */
int64_t fsim_knative_initial_scale(int64_t cluster, int64_t revision, bool allow_zero);

/* Activators that shall serve a revision; the caller bounds it by those that exist. `total` per pod, see
 * above. pkg/reconciler/autoscaling/kpa/kpa.go. */
int64_t fsim_knative_activator_count(int64_t ready, double total, double target_burst_capacity,
                                     double activator_capacity, int64_t min_activators);

/* Pods to ask of so many: enough to know the mean within 5 at 95 %, for a variance of 100; never above 16.
 * pkg/autoscaler/metrics/sample_size.go. */
int64_t fsim_knative_scrape_sample_size(int64_t pods);

/* True: requests go through the activator ("proxy"); false: straight to the pods ("serve"). `applied_scale`
 * is what fsim_knative_apply returned; unknown (-1) counts as zero only for a revision that is inactive.
 * pkg/reconciler/autoscaling/kpa/kpa.go. */
bool fsim_knative_activator_in_path(int64_t applied_scale, int64_t excess_burst_capacity, bool inactive);

#endif
