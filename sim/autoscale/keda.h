/* KEDA: between zero (or idle) and one it decides itself, above one a Horizontal Pod Autoscaler does; and how
 * many jobs a ScaledJob creates.
 *
 * Source: policies spec, sections 3.1 and 3.2; kedacore/keda pkg/scaling/executor/scale_scaledobjects.go and
 * scale_jobs.go, pkg/fallback/fallback.go. Pure: every call brings what it needs. */
#ifndef FSIM_AUTOSCALE_KEDA_H
#define FSIM_AUTOSCALE_KEDA_H

#include "base/time.h"

#include <stdbool.h>

#define FSIM_KEDA_NONE (-1) /* no idleReplicaCount, no fallback */

typedef struct fsim_keda_object {
    int64_t min, max;            /* minReplicaCount, maxReplicaCount: 0 <= min <= max, max >= 1 */
    int64_t idle;                /* idleReplicaCount, below min; FSIM_KEDA_NONE */
    fsim_ns cooldown_ns;         /* from the last active poll to the step to zero or idle */
    fsim_ns initial_cooldown_ns; /* the same from the creation, while no poll was ever active */
    int64_t fallback;            /* replicas while triggers cannot be read; FSIM_KEDA_NONE */
    int64_t failure_threshold;   /* bad polls in a row after which fallback applies */
} fsim_keda_object;

typedef enum fsim_keda_step {
    FSIM_KEDA_STAYS,
    FSIM_KEDA_WAKES,  /* from zero or idle */
    FSIM_KEDA_SLEEPS, /* to zero or idle */
    FSIM_KEDA_COOLS,  /* would sleep, but the cooldown has not passed */
    FSIM_KEDA_RAISES, /* to the minimum, without any trigger */
    FSIM_KEDA_FALLS_BACK
} fsim_keda_step;

typedef struct fsim_keda_poll {
    int64_t replicas;   /* of the object now */
    bool active, error; /* some trigger above its activation threshold; some trigger cannot be read */
    int64_t failures;   /* bad polls in a row, this one included */
    bool ever_active;
    fsim_ns since_ns; /* from the last active poll; from the creation if there was none */
} fsim_keda_poll;

typedef struct fsim_keda_decision {
    fsim_keda_step step;
    int64_t replicas;
} fsim_keda_decision;

fsim_keda_decision fsim_keda_decide(const fsim_keda_object *object, const fsim_keda_poll *poll);

/* The autoscaler's lower bound: it never goes to zero, that is KEDA's. */
int64_t fsim_keda_hpa_min(const fsim_keda_object *object);

typedef enum fsim_keda_strategy {
    FSIM_KEDA_DEFAULT,
    FSIM_KEDA_CUSTOM,
    FSIM_KEDA_ACCURATE,
    FSIM_KEDA_EAGER
} fsim_keda_strategy;

typedef struct fsim_keda_job {
    fsim_keda_strategy strategy;
    int64_t min, max;     /* minReplicaCount, maxReplicaCount */
    int64_t deduction;    /* customScalingQueueLengthDeduction */
    double running_share; /* customScalingRunningJobPercentage, 0.5 is a half */
} fsim_keda_job;

/* Jobs that may be created now. wanted: what the queue asks for, already at most max; pending: of the running
 * ones those without a pod that has started. */
int64_t fsim_keda_jobs(const fsim_keda_job *job, int64_t wanted, int64_t running, int64_t pending);
/* The count that the queue's share is cut to: wanted, or with the eager strategy max. */
int64_t fsim_keda_scale_to(const fsim_keda_job *job, int64_t wanted);

#endif
