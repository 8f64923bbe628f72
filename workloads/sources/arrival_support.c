/* Shared by the sources; see arrival_support.h. */
#include "workloads/sources/arrival_support.h"

fsim_status fsim_source_read_rate(const fsim_value *config, const char *key, bool zero_ok, double *rate,
                                  fsim_error *err) {
    const fsim_value *value = fsim_value_get(config, key);
    if (value == NULL) {
        return fsim_value_missing(config, key, err);
    }
    FSIM_TRY(fsim_value_get_real(config, key, 0.0, FSIM_RATE_MAX, rate, err));
    if (*rate == 0.0 && !zero_ok) {
        return fsim_value_fail(value, err, "found a rate of 0, expected requests per second above 0");
    }
    return FSIM_OK;
}

fsim_status fsim_source_read_span(const fsim_value *config, const char *key, bool zero_ok, fsim_ns *span,
                                  fsim_error *err) {
    const fsim_value *value = fsim_value_get(config, key);
    if (value == NULL) {
        return fsim_value_missing(config, key, err);
    }
    FSIM_TRY(fsim_value_as_span(value, span, err));
    return *span > 0 || zero_ok ? FSIM_OK
                                : fsim_value_fail(value, err, "found a span of 0, expected one above 0");
}

fsim_status fsim_source_read_dist(const fsim_value *config, const char *key,
                                  const fsim_source_context *context, fsim_dist *dist, fsim_error *err) {
    const fsim_value *value = fsim_value_get(config, key);
    if (value == NULL) {
        return fsim_value_missing(config, key, err);
    }
    return fsim_dist_read(dist, context->pool, value, context->base_dir, false, err);
}

fsim_status fsim_source_read_array(const fsim_value *config, const char *key, const fsim_value **array,
                                   fsim_error *err) {
    *array = fsim_value_get(config, key);
    if (*array == NULL) {
        return fsim_value_missing(config, key, err);
    }
    if ((*array)->kind != FSIM_VALUE_ARRAY || (*array)->count == 0) {
        return fsim_value_fail(*array, err, "expected an array with at least one item");
    }
    return FSIM_OK;
}

void fsim_source_fill(fsim_arrivals *batch, fsim_fn_id fn) {
    for (uint32_t i = 0; i < batch->count; i++) {
        batch->service_ns[i] = FSIM_DRAW;
        batch->fn[i] = fn;
    }
}

uint64_t fsim_source_session_id(const char *text, size_t len) {
    uint64_t id = fsim_hash_bytes(FSIM_HASH_START, text, len);
    return id + (id == 0); /* 0 means none */
}

/* Beyond this a gap is not converted to an integer: 146 years. */
#define GAP_MAX_NS 0x1p62

bool fsim_source_run_poisson(fsim_rng *rng, double mean_gap_ns, fsim_ns end_ns, fsim_ns *at_ns,
                             fsim_arrivals *batch) {
    fsim_rng local = *rng; /* in registers */
    fsim_ns at = *at_ns;
    uint32_t n = batch->count;
    bool full = true;
    while (n < FSIM_BATCH) {
        double gap = mean_gap_ns * fsim_rng_exponential(&local) + 0.5;
        if (gap >= GAP_MAX_NS || (fsim_ns)gap >= end_ns - at) {
            full = false;
            break;
        }
        at += (fsim_ns)gap;
        batch->at_ns[n++] = at;
    }
    batch->count = n;
    *at_ns = at;
    *rng = local;
    return full;
}
