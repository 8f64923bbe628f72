/* A rate that jumps: each step holds until the next; before the first nothing arrives. */
#include "workloads/sources/arrival_support.h"
#include "workloads/sources/rate_curve_support.h"

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    fsim_rate_curve *curve = state;
    const fsim_value *list;
    FSIM_TRY(fsim_source_read_array(config, "steps", &list, err));
    FSIM_TRY(fsim_rate_curve_open(curve, context, (uint32_t)list->count + 1, err));
    fsim_ns before = 0;
    double rate = 0, most = 0;
    for (const fsim_value *item = list->first; item != NULL; item = item->next) {
        fsim_ns at = 0;
        FSIM_TRY(fsim_source_read_span(item, "at", true, &at, err));
        if (at < before || (at == before && item != list->first)) {
            return fsim_value_fail(fsim_value_get(item, "at"), err,
                                   "steps must be in ascending order of time");
        }
        fsim_rate_curve_add(curve, at - before, rate, rate);
        FSIM_TRY(fsim_source_read_rate(item, "rate", true, &rate, err));
        before = at;
        most = rate > most ? rate : most;
    }
    if (most == 0.0) {
        return fsim_value_fail(list, err, "the rate is 0 in every step");
    }
    if (rate > 0.0) {
        fsim_rate_curve_add(curve, FSIM_NEVER, rate, rate);
    }
    return FSIM_OK;
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    (void)err;
    return fsim_rate_curve_next(state, batch);
}

const fsim_source_ops fsim_source_step = {
    .name = "step",
    .summary = "a Poisson rate that jumps at given instants; a last rate of 0 ends it",
    .example =
        "{\"source\": \"step\", \"steps\": [{\"at\": \"0s\", \"rate\": 5}, {\"at\": \"10m\", \"rate\": 50}, "
        "{\"at\": \"20m\", \"rate\": 0}]}",
    .state_size = sizeof(fsim_rate_curve),
    .endless = true,
    .open = open,
    .next = next,
};
