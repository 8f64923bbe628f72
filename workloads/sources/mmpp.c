/* Markov-modulated Poisson process: the rate goes round through states that each last an exponential time. */
#include "workloads/sources/arrival_support.h"

typedef struct mmpp_state {
    double rate;
    double stay_ns; /* mean */
} mmpp_state;

typedef struct mmpp {
    mmpp_state *states;
    uint32_t count, now;
    fsim_ns at_ns, end_ns; /* of the stay in state `now` */
    fsim_fn_id fn;
    fsim_rng rng;
} mmpp;

static void draw_stay(mmpp *m) {
    fsim_ns stay = fsim_ns_from_s(m->states[m->now].stay_ns * 1e-9 * fsim_rng_exponential(&m->rng));
    m->end_ns = fsim_ns_add(m->at_ns, stay);
}

/* Every state is visited equally often, so it holds for a share of the time that is its mean stay over their
 * sum. What remains of an exponential stay is a whole one. */
static void start_stationary(mmpp *m) {
    double total = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        total += m->states[i].stay_ns;
    }
    double pick = total * fsim_rng_unit(&m->rng);
    while (m->now + 1 < m->count && pick >= m->states[m->now].stay_ns) {
        pick -= m->states[m->now].stay_ns;
        m->now++;
    }
    draw_stay(m);
}

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    mmpp *m = state;
    const fsim_value *list;
    double most = 0;
    FSIM_TRY(fsim_source_read_array(config, "states", &list, err));
    m->states = fsim_value_pool_alloc(context->pool, list->count * sizeof *m->states);
    if (m->states == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (const fsim_value *item = list->first; item != NULL; item = item->next) {
        mmpp_state *s = &m->states[m->count++];
        fsim_ns stay = 0;
        FSIM_TRY(fsim_source_read_rate(item, "rate", true, &s->rate, err));
        FSIM_TRY(fsim_source_read_span(item, "stay", false, &stay, err));
        s->stay_ns = (double)stay;
        most = s->rate > most ? s->rate : most;
    }
    if (most == 0.0) {
        return fsim_value_fail(list, err, "the rate is 0 in every state");
    }
    m->fn = context->default_fn;
    fsim_rng_seed(&m->rng, context->seed, context->path, FSIM_RNG_ARRIVALS);
    start_stationary(m);
    return FSIM_OK;
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    mmpp *m = state;
    (void)err;
    batch->count = 0;
    while (m->at_ns < FSIM_NEVER) {
        double rate = m->states[m->now].rate;
        if (rate > 0.0 && fsim_source_run_poisson(&m->rng, 1e9 / rate, m->end_ns, &m->at_ns, batch)) {
            break;
        }
        m->at_ns = m->end_ns;
        m->now = m->now + 1 == m->count ? 0 : m->now + 1;
        draw_stay(m);
    }
    fsim_source_fill(batch, m->fn);
    return FSIM_OK;
}

const fsim_source_ops fsim_source_mmpp = {
    .name = "mmpp",
    .summary = "bursts: the rate goes round through states that each last an exponential time",
    .example = "{\"source\": \"mmpp\", \"states\": [{\"rate\": 20, \"stay\": \"10s\"}, {\"rate\": 2, "
               "\"stay\": \"20s\"}], "
               "\"requests\": 10000}",
    .state_size = sizeof(mmpp),
    .endless = true,
    .open = open,
    .next = next,
};
