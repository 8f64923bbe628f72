/* A bound on the requests of a function that are inside or waiting; the rest is refused at the door. Little's
 * law makes it a bound on rate x response time, hence on the wait of whoever enters. */
#include "api/policy_api.h"

#include <stddef.h>

typedef struct concurrency_cap_params {
    int64_t limit;
} concurrency_cap_params;

static const fsim_param table[] = {{.name = "limit",
                                    .kind = FSIM_PARAM_COUNT,
                                    .offset = offsetof(concurrency_cap_params, limit),
                                    .fallback = "1000",
                                    .min = 1,
                                    .max = FSIM_UNLIMITED - 1.0,
                                    .unit = "requests",
                                    .help = "requests of the function inside and waiting together"},
                                   {0}};

static void init(const void *params, const fsim_fn_spec *fn, fsim_admit_plan *plan) {
    const concurrency_cap_params *p = params;
    (void)fn;
    *plan = (fsim_admit_plan){.in_system_max = (uint32_t)p->limit};
}

const fsim_admission_ops fsim_admission_concurrency_cap = {
    .info = {.name = "concurrency_cap",
             .summary = "admit while fewer than `limit` requests of the function are inside or waiting",
             .source = "product contract, section 2 \"Limits\"; default as AWS Lambda's account limit "
                       "(policies spec, section 4.1)",
             .params = table,
             .params_size = sizeof(concurrency_cap_params)},
    .init = init,
};
