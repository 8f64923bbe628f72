/* Everybody enters: what holds requests back are the limits of the platform, not the function's door. */
#include "api/policy_api.h"

static void init(const void *params, const fsim_fn_spec *fn, fsim_admit_plan *plan) {
    (void)params;
    (void)fn;
    *plan = (fsim_admit_plan){.in_system_max = FSIM_UNLIMITED};
}

const fsim_admission_ops fsim_admission_unlimited = {
    .info = {.name = "unlimited",
             .summary = "admit every request",
             .source = "product contract, section 2",
             .params = fsim_params_none},
    .init = init,
};
