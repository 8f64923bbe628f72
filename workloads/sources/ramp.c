/* A rate that goes from one value to another in a straight line, and stays there. */
#include "workloads/sources/arrival_support.h"
#include "workloads/sources/rate_curve_support.h"

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    fsim_rate_curve *curve = state;
    double from = 0, to = 0;
    fsim_ns over = 0;
    FSIM_TRY(fsim_source_read_rate(config, "from", true, &from, err));
    FSIM_TRY(fsim_source_read_rate(config, "to", true, &to, err));
    FSIM_TRY(fsim_source_read_span(config, "over", false, &over, err));
    if (from == 0.0 && to == 0.0) {
        return fsim_value_fail(config, err, "\"from\" and \"to\" are both 0: nothing would arrive");
    }
    FSIM_TRY(fsim_rate_curve_open(curve, context, 2, err));
    fsim_rate_curve_add(curve, over, from, to);
    if (to > 0.0) {
        fsim_rate_curve_add(curve, FSIM_NEVER, to, to);
    }
    return FSIM_OK;
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    (void)err;
    return fsim_rate_curve_next(state, batch);
}

const fsim_source_ops fsim_source_ramp = {
    .name = "ramp",
    .summary = "a Poisson rate that goes in a straight line from one value to another, and stays there",
    .example = "{\"source\": \"ramp\", \"from\": 0, \"to\": 100, \"over\": \"10m\", \"until\": \"15m\"}",
    .state_size = sizeof(fsim_rate_curve),
    .endless = true,
    .open = open,
    .next = next,
};
