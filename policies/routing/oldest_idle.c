/* The instance idle the longest takes the next request: all are used in turn, none grows old enough to be
 * removed while rate x keep-alive exceeds their number (policies spec, section 10). */
#include "api/policy_api.h"

static fsim_route_order init(const void *params, const fsim_fn_spec *fn) {
    (void)params;
    (void)fn;
    return FSIM_ROUTE_OLDEST_IDLE;
}

const fsim_routing_ops fsim_routing_oldest_idle = {
    .info = {.name = "oldest_idle",
             .summary = "the instance that has been idle the longest",
             .source = "policies spec, section 10",
             .params = fsim_params_none},
    .init = init,
};
