/* A sinusoidal rate, by thinning: candidates at the highest rate, each kept with the probability of the rate
 * at its instant (P. Lewis, G. Shedler, "Simulation of nonhomogeneous Poisson processes by thinning", 1979).
 */
#include "workloads/sources/arrival_support.h"

#include <math.h>

typedef struct sinusoid {
    double mean_gap_ns; /* of the candidates */
    double amplitude, phase;
    fsim_ns period_ns, at_ns;
    bool ended;
    fsim_fn_id fn;
    fsim_rng rng;
} sinusoid;

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    sinusoid *s = state;
    double rate = 0;
    FSIM_TRY(fsim_source_read_rate(config, "rate", false, &rate, err));
    if (fsim_value_get(config, "amplitude") == NULL) {
        return fsim_value_missing(config, "amplitude", err);
    }
    FSIM_TRY(fsim_value_get_real(config, "amplitude", 0.0, 1.0, &s->amplitude, err));
    FSIM_TRY(fsim_source_read_span(config, "period", false, &s->period_ns, err));
    FSIM_TRY(fsim_value_get_real(config, "phase", -1e6, 1e6, &s->phase, err));
    s->mean_gap_ns = 1e9 / (rate * (1.0 + s->amplitude));
    s->fn = context->default_fn;
    fsim_rng_seed(&s->rng, context->seed, context->path, FSIM_RNG_ARRIVALS);
    return FSIM_OK;
}

/* Whether the candidate is kept. The rate never falls below 1 - amplitude: most candidates need no sine. */
static bool keeps(sinusoid *s, fsim_ns at_ns) {
    double level = fsim_rng_unit(&s->rng) * (1.0 + s->amplitude);
    if (level < 1.0 - s->amplitude) {
        return true;
    }
    double turn = (double)(at_ns % s->period_ns) / (double)s->period_ns;
    return level < 1.0 + s->amplitude * sin(2.0 * 3.14159265358979323846 * turn + s->phase);
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    sinusoid *s = state;
    (void)err;
    batch->count = 0;
    while (batch->count < FSIM_BATCH && !s->ended) {
        uint32_t kept = batch->count, first = kept;
        s->ended = !fsim_source_run_poisson(&s->rng, s->mean_gap_ns, FSIM_NEVER, &s->at_ns, batch);
        for (uint32_t i = first; i < batch->count; i++) {
            if (keeps(s, batch->at_ns[i])) {
                batch->at_ns[kept++] = batch->at_ns[i];
            }
        }
        batch->count = kept;
    }
    fsim_source_fill(batch, s->fn);
    return FSIM_OK;
}

const fsim_source_ops fsim_source_sinusoid = {
    .name = "sinusoid",
    .summary = "rate x (1 + amplitude x sin(2 pi t / period + phase))",
    .example = "{\"source\": \"sinusoid\", \"rate\": 10, \"amplitude\": 0.8, \"period\": \"1h\", \"phase\": "
               "-1.5708, "
               "\"until\": \"2h\"}",
    .state_size = sizeof(sinusoid),
    .endless = true,
    .open = open,
    .next = next,
};
