/* Batches: groups of requests that arrive at one instant, the groups as a Poisson process. */
#include "workloads/sources/arrival_support.h"

typedef struct batch_source {
    double mean_gap_ns;
    fsim_dist size;
    fsim_ns at_ns;
    uint64_t left; /* of the batch at at_ns */
    fsim_fn_id fn;
    fsim_rng rng;
} batch_source;

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    batch_source *b = state;
    const fsim_value *size = fsim_value_get(config, "size");
    double rate = 0;
    FSIM_TRY(fsim_source_read_rate(config, "rate", false, &rate, err));
    if (size == NULL) {
        return fsim_value_missing(config, "size", err);
    }
    FSIM_TRY(fsim_dist_read_count(&b->size, context->pool, size, err));
    if (fsim_dist_mean_ns(&b->size) < 1e-3 * (double)FSIM_SECOND) {
        return fsim_value_fail(size, err, "expected batches of at least one request");
    }
    b->mean_gap_ns = 1e9 / rate;
    b->fn = context->default_fn;
    fsim_rng_seed(&b->rng, context->seed, context->path, FSIM_RNG_ARRIVALS);
    return FSIM_OK;
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    batch_source *b = state;
    (void)err;
    batch->count = 0;
    while (batch->count < FSIM_BATCH && b->at_ns < FSIM_NEVER) {
        if (b->left > 0) {
            batch->at_ns[batch->count++] = b->at_ns;
            b->left--;
            continue;
        }
        fsim_ns gap = fsim_ns_from_s(b->mean_gap_ns * 1e-9 * fsim_rng_exponential(&b->rng));
        b->at_ns = fsim_ns_add(b->at_ns, gap);
        b->left = fsim_dist_sample_count(&b->size, &b->rng);
    }
    fsim_source_fill(batch, b->fn);
    return FSIM_OK;
}

const fsim_source_ops fsim_source_batch = {
    .name = "batch",
    .summary = "groups of requests at one instant; the groups come as a Poisson process",
    .example = "{\"source\": \"batch\", \"rate\": 1.6, \"size\": 5, \"requests\": 10000}",
    .state_size = sizeof(batch_source),
    .endless = true,
    .open = open,
    .next = next,
};
