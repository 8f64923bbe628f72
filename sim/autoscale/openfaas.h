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
    double factor_pct; /* com.openfaas.scale.factor: a step, as a share of max; 0: no step upwards */
} fsim_openfaas_settings;

/* An alert that fires adds a step, up to the bound; one that is resolved goes back to the minimum. So does,
 * as in the source, one that fires where a step is 0. */
int64_t fsim_openfaas_replicas(const fsim_openfaas_settings *settings, bool firing, int64_t replicas);

/* The alert: over a threshold for some time (Prometheus `for`). */
typedef struct fsim_openfaas_alert {
    bool above, firing;
    fsim_ns above_since_ns;
} fsim_openfaas_alert;

typedef enum fsim_openfaas_event {
    FSIM_OPENFAAS_QUIET,
    FSIM_OPENFAAS_FIRING,
    FSIM_OPENFAAS_RESOLVED
} fsim_openfaas_event;

/* One evaluation of the rule. QUIET: nothing to say; FIRING at every evaluation from for_ns on; RESOLVED
 * once. */
fsim_openfaas_event fsim_openfaas_evaluate(fsim_openfaas_alert *alert, double rate, double threshold,
                                           fsim_ns for_ns, fsim_ns now_ns);

#endif
