/* The instance used last takes the next request. The number of live instances then tends to a quantile of the
 * concurrency and a surplus ages out: what AWS Lambda is observed to do (policies spec, sections 4.4 and 10).
 */
#include "api/policy_api.h"

static fsim_route_order init(const void *params, const fsim_fn_spec *fn) {
    (void)params;
    (void)fn;
    return FSIM_ROUTE_NEWEST_IDLE;
}

const fsim_routing_ops fsim_routing_newest_idle = {
    .info = {.name = "newest_idle",
             .summary = "the instance used last, so that a surplus ages out",
             .source = "policies spec, section 10; AWS Lambda as observed, section 4.4",
             .params = fsim_params_none},
    .init = init,
};
