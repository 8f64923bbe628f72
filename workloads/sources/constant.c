/* A clock: one arrival every interval. */
#include "workloads/sources/arrival_support.h"

typedef struct constant {
    fsim_ns offset_ns, interval_ns; /* interval_ns 0: by rate */
    double gap_ns;
    uint64_t made;
    fsim_fn_id fn;
} constant;

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    constant *c = state;
    const fsim_value *interval = fsim_value_get(config, "interval"), *rate = fsim_value_get(config, "rate");
    if ((interval == NULL) == (rate == NULL)) {
        return fsim_value_fail(config, err, "constant needs either an \"interval\" or a \"rate\"");
    }
    if (interval != NULL) {
        FSIM_TRY(fsim_source_read_span(config, "interval", false, &c->interval_ns, err));
        c->gap_ns = (double)c->interval_ns;
    } else {
        double per_second = 0;
        FSIM_TRY(fsim_source_read_rate(config, "rate", false, &per_second, err));
        if (per_second < 1e-9) {
            return fsim_value_fail(rate, err, "found a rate below one request in 30 years");
        }
        c->gap_ns = 1e9 / per_second;
    }
    c->offset_ns = interval != NULL ? c->interval_ns : (fsim_ns)(c->gap_ns + 0.5);
    FSIM_TRY(fsim_value_get_span(config, "offset", false, &c->offset_ns, err));
    c->fn = context->default_fn;
    return FSIM_OK;
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    constant *c = state;
    uint32_t n = 0;
    (void)err;
    /* Multiples, not sums: a rate whose gap is no whole number of nanoseconds must not drift. */
    double span = (double)(FSIM_NEVER - c->offset_ns) - 1024.0;
    for (; n < FSIM_BATCH; n++, c->made++) {
        double exact = (double)c->made * c->gap_ns;
        if (!(exact < span)) {
            break;
        }
        fsim_ns since = c->interval_ns > 0 ? (fsim_ns)c->made * c->interval_ns : (fsim_ns)(exact + 0.5);
        batch->at_ns[n] = c->offset_ns + since;
    }
    batch->count = n;
    fsim_source_fill(batch, c->fn);
    return FSIM_OK;
}

const fsim_source_ops fsim_source_constant = {
    .name = "constant",
    .summary = "a clock: one request every interval, the first after one interval or at the offset",
    .example = "{\"source\": \"constant\", \"interval\": \"10s\", \"offset\": \"0s\", \"requests\": 8640}",
    .state_size = sizeof(constant),
    .endless = true,
    .open = open,
    .next = next,
};
