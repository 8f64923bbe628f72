/* Knative's choice of a pod depends on the container concurrency (policies spec, section 1.8; knative/serving
 * pkg/activator/net/lb_policy.go): none: two random pods, the one with fewer requests; 1 to 3: the first in a
 * fixed order with a free slot; 4 and more: round robin over those with a free slot. Pods are sorted by
 * address there, by age here: both are fixed orders that say nothing about the load. */
#include "api/policy_api.h"

#define FIRST_AVAILABLE_MAX 3u

static fsim_route_order init(const void *params, const fsim_fn_spec *fn) {
    (void)params;
    if (fn->concurrency == FSIM_UNLIMITED) {
        return FSIM_ROUTE_TWO_CHOICES;
    }
    return fn->concurrency <= FIRST_AVAILABLE_MAX ? FSIM_ROUTE_OLDEST_CREATED : FSIM_ROUTE_ROUND_ROBIN;
}

const fsim_routing_ops fsim_routing_knative = {
    .info = {.name = "knative",
             .summary =
                 "by concurrency: unlimited two choices, 1 to 3 first available, 4 and more round robin",
             .source = "policies spec, section 1.8; knative/serving pkg/activator/net/lb_policy.go",
             .params = fsim_params_none},
    .init = init,
};
