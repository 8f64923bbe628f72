/* Uniform among the instances with a free slot: the baseline of every comparison (policies spec, section 10).
 */
#include "api/policy_api.h"

static fsim_route_order init(const void *params, const fsim_fn_spec *fn) {
    (void)params;
    (void)fn;
    return FSIM_ROUTE_RANDOM;
}

const fsim_routing_ops fsim_routing_random = {
    .info = {.name = "random",
             .summary = "any instance with a free slot, uniformly",
             .source = "policies spec, section 10",
             .params = fsim_params_none},
    .init = init,
};
