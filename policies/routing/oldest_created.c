/* The instance that was started first, among those with a free slot: a fixed order, so the tail of it idles.
 */
#include "api/policy_api.h"

static fsim_route_order init(const void *params, const fsim_fn_spec *fn) {
    (void)params;
    (void)fn;
    return FSIM_ROUTE_OLDEST_CREATED;
}

const fsim_routing_ops fsim_routing_oldest_created = {
    .info = {.name = "oldest_created",
             .summary = "the instance that was started first",
             .source = "contract additions, section 1",
             .params = fsim_params_none},
    .init = init,
};
