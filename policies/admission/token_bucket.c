/* A rate limit per function: a bucket of `burst` tokens, full at first, refilled at `rate`; a request takes
 * one or is refused. The bucket of AWS API Gateway and of Envoy's local rate limit. */
#include "api/policy_api.h"

#include <math.h>
#include <stddef.h>

typedef struct token_bucket_params {
    double rate_per_s, burst;
} token_bucket_params;

static const fsim_param table[] = {{.name = "rate",
                                    .kind = FSIM_PARAM_REAL,
                                    .offset = offsetof(token_bucket_params, rate_per_s),
                                    .fallback = "10000",
                                    .min = 1e-9,
                                    .max = 1e12,
                                    .unit = "requests/s",
                                    .help = "tokens that come back in a second"},
                                   {.name = "burst",
                                    .kind = FSIM_PARAM_REAL,
                                    .offset = offsetof(token_bucket_params, burst),
                                    .fallback = "0",
                                    .min = 0,
                                    .max = 1e12,
                                    .unit = "requests",
                                    .help = "size of the bucket; 0: what one second brings, at least 1"},
                                   {0}};

static void init(const void *params, const fsim_fn_spec *fn, fsim_admit_plan *plan) {
    const token_bucket_params *p = params;
    (void)fn;
    *plan = (fsim_admit_plan){
        .in_system_max = FSIM_UNLIMITED,
        .rate_per_s = p->rate_per_s,
        .burst = fmax(1, p->burst > 0 ? p->burst : p->rate_per_s),
    };
}

const fsim_admission_ops fsim_admission_token_bucket = {
    .info = {.name = "token_bucket",
             .summary = "admit at most `rate` requests a second, and `burst` at once",
             .source =
                 "product contract, section 2 \"Limits\"; default as AWS Lambda's 10 requests/s for each of "
                 "1,000 concurrent ones (policies spec, section 4.1)",
             .params = table,
             .params_size = sizeof(token_bucket_params)},
    .init = init,
};
