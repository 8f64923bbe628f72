/* OpenFaaS Community Edition: what an alert does to the replicas of a function.
 *
 * Source: policies spec, section 3.3; openfaas/faas gateway/handlers/alerthandler.go (CalculateReplicas),
 * openfaas/faas-netes chart/openfaas/templates/prometheus-cfg.yaml (the alert). Pure. */
#ifndef FSIM_AUTOSCALE_OPENFAAS_H
#define FSIM_AUTOSCALE_OPENFAAS_H

#include "base/time.h"

#include <stdbool.h>

#define FSIM_OPENFAAS_HARD_MAX 5 /* of the Community Edition */

typedef struct fsim_openfaas_settings {
    int64_t min, max;  /* labels com.openfaas.scale.min and .max */
    int64_t hard_max;  /* the edition's own bound */
    double factor_pct; /* com.openfaas.scale.factor: a step, as a share of the smaller maximum; 0: none */
} fsim_openfaas_settings;

/* An alert that fires adds a step, up to the bound; one that is resolved goes back to the minimum. So does,
 * as in the source, one that fires where a step is 0. */
int64_t fsim_openfaas_replicas(const fsim_openfaas_settings *settings, bool firing, int64_t replicas);

/* The alert, and how often Alertmanager tells of it. Everything happens at multiples of an interval from 0
 * on: Prometheus evaluates the rule, which fires once it has been true for `for_ns`; Alertmanager tells of a
 * new alert after `group_wait`, then looks again every `group_interval` and repeats itself after
 * `repeat_interval`, or at once when the alert is resolved (prometheus/alertmanager dispatch, notify). */
typedef struct fsim_openfaas_alert_plan {
    double threshold;           /* requests/s; the rule is true above it */
    fsim_ns for_ns;             /* 5 s */
    fsim_ns evaluation_ns;      /* 15 s */
    fsim_ns group_wait_ns;      /* 5 s */
    fsim_ns group_interval_ns;  /* 10 s */
    fsim_ns repeat_interval_ns; /* 30 s */
} fsim_openfaas_alert_plan;

/* Start from {0}. */
typedef struct fsim_openfaas_alert {
    bool above, firing; /* of the rule */
    fsim_ns above_since_ns;
    bool grouped;     /* Alertmanager knows of it */
    bool told_firing; /* the last it told */
    fsim_ns flush_ns, told_ns;
} fsim_openfaas_alert;

typedef enum fsim_openfaas_event {
    FSIM_OPENFAAS_QUIET,
    FSIM_OPENFAAS_FIRING,
    FSIM_OPENFAAS_RESOLVED
} fsim_openfaas_event;

/* The interval at which it must be called for nothing to be late. */
fsim_ns fsim_openfaas_step(const fsim_openfaas_alert_plan *plan);

/* What the gateway is told at now_ns, if anything; `rate` is that of successful calls. */
fsim_openfaas_event fsim_openfaas_alert_at(fsim_openfaas_alert *alert, const fsim_openfaas_alert_plan *plan,
                                           double rate, fsim_ns now_ns);

#endif
