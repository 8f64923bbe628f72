/* The instance that was started last, among those with a free slot. */
#include "api/policy_api.h"

static fsim_route_order init(const void *params, const fsim_fn_spec *fn) {
    (void)params;
    (void)fn;
    return FSIM_ROUTE_NEWEST_CREATED;
}

const fsim_routing_ops fsim_routing_newest_created = {
    .info = {.name = "newest_created",
             .summary = "the instance that was started last",
             .source = "contract additions, section 1",
             .params = fsim_params_none},
    .init = init,
};
