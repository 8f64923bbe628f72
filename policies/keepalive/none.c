/* No instance outlives its last request, unless somebody waits for it: the other end of the scale from "for
 * ever" (contract additions, section 1 "keepalive"). */
#include "api/policy_api.h"

static void init(const void *params, const fsim_fn_spec *fn, fsim_keepalive_plan *plan) {
    (void)params;
    (void)fn;
    *plan = (fsim_keepalive_plan){.remove_at_completion = true, .pool_mb = INT64_MAX};
}

const fsim_keepalive_ops fsim_keepalive_none = {
    .info = {.name = "none",
             .summary = "remove an instance at completion, when nobody waits for it",
             .source = "contract additions, section 1",
             .params = fsim_params_none},
    .init = init,
};
