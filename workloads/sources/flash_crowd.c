/* A flash crowd: a base rate, a steep rise to a peak, a plateau, a decline back to the base; each in a
 * straight line. */
#include "workloads/sources/arrival_support.h"
#include "workloads/sources/rate_curve_support.h"

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    fsim_rate_curve *curve = state;
    double base = 0, peak = 0;
    fsim_ns at = 0, rise = 0, hold = 0, decay = 0;
    FSIM_TRY(fsim_source_read_rate(config, "base", true, &base, err));
    FSIM_TRY(fsim_source_read_rate(config, "peak", false, &peak, err));
    FSIM_TRY(fsim_source_read_span(config, "at", true, &at, err));
    FSIM_TRY(fsim_source_read_span(config, "rise", true, &rise, err));
    FSIM_TRY(fsim_source_read_span(config, "hold", true, &hold, err));
    FSIM_TRY(fsim_source_read_span(config, "decay", true, &decay, err));
    if (rise == 0 && hold == 0 && decay == 0) {
        return fsim_value_fail(config, err,
                               "\"rise\", \"hold\" and \"decay\" are all 0: there would be no peak");
    }
    FSIM_TRY(fsim_rate_curve_open(curve, context, 5, err));
    fsim_rate_curve_add(curve, at, base, base);
    fsim_rate_curve_add(curve, rise, base, peak);
    fsim_rate_curve_add(curve, hold, peak, peak);
    fsim_rate_curve_add(curve, decay, peak, base);
    if (base > 0.0) {
        fsim_rate_curve_add(curve, FSIM_NEVER, base, base);
    }
    return FSIM_OK;
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    (void)err;
    return fsim_rate_curve_next(state, batch);
}

const fsim_source_ops fsim_source_flash_crowd = {
    .name = "flash_crowd",
    .summary = "a base rate, a rise to a peak at an instant, a plateau, a decline back to the base",
    .example = "{\"source\": \"flash_crowd\", \"base\": 5, \"peak\": 500, \"at\": \"5m\", \"rise\": \"30s\", "
               "\"hold\": \"1m\", \"decay\": \"5m\", \"until\": \"15m\"}",
    .state_size = sizeof(fsim_rate_curve),
    .endless = true,
    .open = open,
    .next = next,
};
