/* Packs requests into few instances, so that the others become idle together. Ties at random. */
#include "api/policy_api.h"

static fsim_route_order init(const void *params, const fsim_fn_spec *fn) {
    (void)params;
    (void)fn;
    return FSIM_ROUTE_MOST_LOADED;
}

const fsim_routing_ops fsim_routing_most_loaded = {
    .info = {.name = "most_loaded",
             .summary = "the instance with the most requests inside, among those with a free slot",
             .source = "contract additions, section 1",
             .params = fsim_params_none},
    .init = init,
};
