/* The vectors of the Knative Pod Autoscaler: knative_*.json by "kind", and group j of validity_other.json by
 * "model". Layouts: tests/vectors/README.md. They drive the functions of sim/autoscale that the simulator
 * itself uses. */
#ifndef FSIM_TESTS_KNATIVE_KINDS_H
#define FSIM_TESTS_KNATIVE_KINDS_H

#include "conformance.h"

/* knative_decision_kinds.c */
void knative_run_decision(conformance *c, const json_t *vector);
void knative_run_start(conformance *c, const json_t *vector);
void knative_run_initial_status(conformance *c, const json_t *vector);
void knative_run_single(conformance *c, const json_t *vector);   /* group j */
void knative_run_sequence(conformance *c, const json_t *vector); /* group j */

/* knative_activator_kinds.c */
void knative_run_breaker(conformance *c, const json_t *vector);
void knative_run_lb_policy(conformance *c, const json_t *vector);
void knative_run_pod_slice(conformance *c, const json_t *vector);
void knative_run_pod_slice_assign(conformance *c, const json_t *vector);
void knative_run_activator_capacity(conformance *c, const json_t *vector);
void knative_run_request_stats(conformance *c, const json_t *vector);
void knative_run_activator_report(conformance *c, const json_t *vector);

#endif
