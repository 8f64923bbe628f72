/* Power of two choices: close to least loaded at the price of two looks (policies spec, section 10). */
#include "api/policy_api.h"

static fsim_route_order init(const void *params, const fsim_fn_spec *fn) {
    (void)params;
    (void)fn;
    return FSIM_ROUTE_TWO_CHOICES;
}

const fsim_routing_ops fsim_routing_power_of_two = {
    .info = {.name = "power_of_two",
             .summary = "two different ones at random, the one with fewer requests inside",
             .source =
                 "policies spec, section 10 (Envoy least_request; Knative without container concurrency)",
             .params = fsim_params_none},
    .init = init,
};
