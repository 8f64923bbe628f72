/* Renewal process: independent gaps of any distribution. */
#include "workloads/sources/arrival_support.h"

typedef struct renewal {
    fsim_dist interval;
    fsim_ns at_ns;
    fsim_fn_id fn;
    fsim_rng rng;
} renewal;

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    renewal *r = state;
    FSIM_TRY(fsim_source_read_dist(config, "interval", context, &r->interval, err));
    if (fsim_dist_mean_ns(&r->interval) < 1.0) {
        return fsim_value_fail(fsim_value_get(config, "interval"), err,
                               "intervals of 0 would never advance the clock");
    }
    r->fn = context->default_fn;
    fsim_rng_seed(&r->rng, context->seed, context->path, FSIM_RNG_ARRIVALS);
    return FSIM_OK;
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    renewal *r = state;
    (void)err;
    batch->count = 0;
    while (batch->count < FSIM_BATCH && r->at_ns < FSIM_NEVER) {
        r->at_ns = fsim_ns_add(r->at_ns, fsim_dist_sample(&r->interval, &r->rng));
        if (r->at_ns < FSIM_NEVER) {
            batch->at_ns[batch->count++] = r->at_ns;
        }
    }
    fsim_source_fill(batch, r->fn);
    return FSIM_OK;
}

const fsim_source_ops fsim_source_renewal = {
    .name = "renewal",
    .summary = "independent gaps of any distribution; the first request comes one gap after 0",
    .example =
        "{\"source\": \"renewal\", \"interval\": {\"dist\": \"lognormal\", \"mean\": \"2s\", \"cv\": 3}, "
        "\"requests\": 10000}",
    .state_size = sizeof(renewal),
    .endless = true,
    .open = open,
    .next = next,
};
