/* What scalers of a group of machines look at: a metric averaged over the instances that are warm. An
 * instance warms up from the instant it is ready for `warmup_ns`; until then it counts as capacity and is
 * left out of the average (policies spec, section 7 "Warm-up"). Pure; O(instances). */
#ifndef FSIM_API_GROUP_METRIC_H
#define FSIM_API_GROUP_METRIC_H

#include "api/metric_series.h"
#include "api/policy_api.h"

#include <math.h>

typedef enum fsim_group_metric {
    FSIM_GROUP_CPU,         /* % of the instance's vCPUs */
    FSIM_GROUP_MEMORY,      /* % of its memory */
    FSIM_GROUP_CONCURRENCY, /* requests inside */
    FSIM_GROUP_REQUESTS,    /* requests/s */
    FSIM_GROUP_METRICS
} fsim_group_metric;

/* "cpu", "memory", "concurrency", "requests": of a choice parameter; ends with NULL. */
#define FSIM_GROUP_METRIC_NAMES                                                                              \
    { "cpu", "memory", "concurrency", "requests", NULL }

/* The input of a recorded series that a metric comes from, as a bit of fsim_scale_plan.reads. */
static inline uint32_t fsim_group_input(int metric) {
    static const fsim_input inputs[FSIM_GROUP_METRICS] = {FSIM_INPUT_CPU, FSIM_INPUT_MEMORY,
                                                          FSIM_INPUT_CONCURRENCY, FSIM_INPUT_RPS};
    return FSIM_INPUT_BIT(inputs[metric]);
}

/* What a mean is called among the numbers that a decision rests on. */
static inline const char *fsim_group_mean_name(int metric) {
    static const char *const names[FSIM_GROUP_METRICS] = {"mean_cpu", "mean_memory", "mean_concurrency",
                                                          "mean_requests"};
    return names[metric];
}

typedef struct fsim_group_reading {
    uint32_t warm; /* instances in the averages; with none of them there are no data */
    double mean[FSIM_GROUP_METRICS];
} fsim_group_reading;

/* A mean without what its sums and quotients have rounded: 14 % of a quarter of a core is no more than 14 %.
 */
static inline double fsim_group_round(double mean) {
    double near = nearbyint(mean * 1e9) / 1e9;
    return fabs(near - mean) <= 1e-12 * fabs(mean) ? near : mean;
}

/* `sample` must carry CPU (fsim_scale_plan.wants_cpu). */
static inline fsim_group_reading fsim_group_read(const fsim_scale_sample *sample, fsim_ns warmup_ns,
                                                 double vcpu, double memory_mb) {
    fsim_group_reading r = {0};
    for (uint32_t i = 0; i < sample->count; i++) {
        const fsim_instance_sample *one = &sample->instances[i];
        if (one->age_ns < warmup_ns || one->over_ns <= 0) {
            continue;
        }
        r.warm++;
        r.mean[FSIM_GROUP_CPU] += 100 * one->cpu / vcpu;
        r.mean[FSIM_GROUP_MEMORY] += 100 * one->memory_mb / memory_mb;
        r.mean[FSIM_GROUP_CONCURRENCY] += one->concurrency;
        r.mean[FSIM_GROUP_REQUESTS] += one->requests_per_s;
    }
    for (int m = 0; m < FSIM_GROUP_METRICS && r.warm > 0; m++) {
        r.mean[m] = fsim_group_round(r.mean[m] / r.warm);
    }
    return r;
}

#endif
