/* The next instance in order of creation that has a free slot, after the one taken last (policies spec,
 * section 10). */
#include "api/policy_api.h"

static fsim_route_order init(const void *params, const fsim_fn_spec *fn) {
    (void)params;
    (void)fn;
    return FSIM_ROUTE_ROUND_ROBIN;
}

const fsim_routing_ops fsim_routing_round_robin = {
    .info = {.name = "round_robin",
             .summary = "the next with a free slot after the one taken last",
             .source =
                 "policies spec, section 10; Knative with a container concurrency of 4 and more, section 1.8",
             .params = fsim_params_none},
    .init = init,
};
