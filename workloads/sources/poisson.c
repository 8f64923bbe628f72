/* Poisson process: exponential gaps. */
#include "workloads/sources/arrival_support.h"

typedef struct poisson {
    double mean_gap_ns;
    fsim_ns at_ns;
    bool ended;
    fsim_fn_id fn;
    fsim_rng rng;
} poisson;

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    poisson *p = state;
    double rate = 0;
    FSIM_TRY(fsim_source_read_rate(config, "rate", false, &rate, err));
    p->mean_gap_ns = 1e9 / rate;
    p->fn = context->default_fn;
    fsim_rng_seed(&p->rng, context->seed, context->path, FSIM_RNG_ARRIVALS);
    return FSIM_OK;
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    poisson *p = state;
    (void)err;
    batch->count = 0;
    if (!p->ended) {
        p->ended = !fsim_source_run_poisson(&p->rng, p->mean_gap_ns, FSIM_NEVER, &p->at_ns, batch);
    }
    fsim_source_fill(batch, p->fn);
    return FSIM_OK;
}

const fsim_source_ops fsim_source_poisson = {
    .name = "poisson",
    .summary = "independent users: exponential gaps at a constant rate",
    .example = "{\"source\": \"poisson\", \"rate\": 20, \"requests\": 10000}",
    .state_size = sizeof(poisson),
    .endless = true,
    .open = open,
    .next = next,
};
