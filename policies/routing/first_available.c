/* First fit under the name the literature gives it. The fixed order is the order of creation, hence the same
 * plan as oldest_created (policies spec, section 10). */
#include "api/policy_api.h"

static fsim_route_order init(const void *params, const fsim_fn_spec *fn) {
    (void)params;
    (void)fn;
    return FSIM_ROUTE_OLDEST_CREATED;
}

const fsim_routing_ops fsim_routing_first_available = {
    .info = {.name = "first_available",
             .summary = "the first in a fixed order with a free slot (as oldest_created)",
             .source =
                 "policies spec, section 10; Knative with a container concurrency of 1 to 3, section 1.8",
             .params = fsim_params_none},
    .init = init,
};
