/* As many provisioned instances as the function says, from the first instant on. */
#include "api/policy_api.h"

static void init(void *state, const void *params, const fsim_fn_spec *fn, fsim_scale_plan *plan) {
    (void)state;
    (void)params;
    *plan = (fsim_scale_plan){.fixed = true, .initial = fn->provisioned};
}

const fsim_provisioned_ops fsim_provisioned_constant = {
    .info = {.name = "constant",
             .summary = "functions[].provisioned instances, always",
             .source = "contract additions, section 1 \"functions, platform\"",
             .params = fsim_params_none},
    .init = init,
};
