/* Least connections over all instances with a free slot; ties at random (policies spec, section 10). */
#include "api/policy_api.h"

static fsim_route_order init(const void *params, const fsim_fn_spec *fn) {
    (void)params;
    (void)fn;
    return FSIM_ROUTE_LEAST_LOADED;
}

const fsim_routing_ops fsim_routing_least_loaded = {
    .info = {.name = "least_loaded",
             .summary = "the instance with the fewest requests inside",
             .source = "policies spec, section 10 (Envoy least_request, ALB)",
             .params = fsim_params_none},
    .init = init,
};
