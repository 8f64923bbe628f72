/* An instance for every request that finds none free (early binding), or whenever more requests wait than
 * instances start (late binding): what Lambda, SCF and Function Compute do (contract additions, section 1
 * "scaling"). */
#include "api/policy_api.h"

static void init(void *state, const void *params, const fsim_fn_spec *fn, fsim_scale_plan *plan) {
    (void)state;
    (void)params;
    (void)fn;
    *plan = (fsim_scale_plan){.on_demand = true};
}

const fsim_scaling_ops fsim_scaling_per_request = {
    .info = {.name = "per_request",
             .summary = "start an instance when a request finds no free slot",
             .source = "contract additions, section 1; policies spec, sections 4.1 and 5.1",
             .params = fsim_params_none},
    .init = init,
};
