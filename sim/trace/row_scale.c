#include "trace/row_scale.h"

#include "base/rng.h"

#include <stdlib.h>
#include <string.h>

struct fsim_row_scale {
    fsim_trace_options options;
    fsim_rng *streams; /* by function */
    bool *seeded;
    uint32_t capacity;
};

static fsim_status out_of_memory(fsim_error *err) {
    return fsim_fail(err, FSIM_ELIMIT, "out of memory");
}

fsim_status fsim_row_scale_read(fsim_trace_options *o, const fsim_value *config, fsim_error *err) {
    int64_t top = 0;
    FSIM_TRY(fsim_value_get_span(config, "from", false, &o->from_ns, err));
    FSIM_TRY(fsim_value_get_span(config, "to", true, &o->until_ns, err));
    FSIM_TRY(fsim_value_get_real(config, "scale_rate", 0.0, 1e6, &o->scale_rate, err));
    FSIM_TRY(fsim_value_get_real(config, "scale_time", 1e-6, 1e6, &o->scale_time, err));
    FSIM_TRY(fsim_value_get_i64(config, "functions_top", 1, UINT32_MAX, &top, err));
    o->functions_top = (uint32_t)top;
    return o->until_ns > o->from_ns
               ? FSIM_OK
               : fsim_value_fail(fsim_value_get(config, "to"), err, "expected an instant after \"from\"");
}

bool fsim_row_scale_is_needed(const fsim_trace_options *o) {
    return o->from_ns > 0 || o->until_ns != FSIM_NEVER || o->scale_rate != 1.0 || o->scale_time != 1.0 ||
           o->functions_top > 0;
}

fsim_status fsim_row_scale_open(fsim_row_scale **out, const fsim_trace_options *options, fsim_error *err) {
    *out = calloc(1, sizeof **out);
    if (*out == NULL) {
        return out_of_memory(err);
    }
    (*out)->options = *options;
    return FSIM_OK;
}

void fsim_row_scale_close(fsim_row_scale *s) {
    if (s != NULL) {
        free(s->streams);
        free(s->seeded);
        free(s);
    }
}

static fsim_status stream_of(fsim_row_scale *s, uint32_t fn, const char *name, fsim_rng **out,
                             fsim_error *err) {
    if (fn >= s->capacity) {
        uint32_t capacity = fn + fn / 2 + 16;
        fsim_rng *streams = realloc(s->streams, capacity * sizeof *streams);
        s->streams = streams != NULL ? streams : s->streams;
        bool *seeded = realloc(s->seeded, capacity * sizeof *seeded);
        s->seeded = seeded != NULL ? seeded : s->seeded;
        if (streams == NULL || seeded == NULL) {
            return out_of_memory(err);
        }
        memset(seeded + s->capacity, 0, (capacity - s->capacity) * sizeof *seeded);
        s->capacity = capacity;
    }
    if (!s->seeded[fn]) {
        fsim_rng_seed(&s->streams[fn], s->options.seed, name, FSIM_RNG_THINNING);
        s->seeded[fn] = true;
    }
    *out = &s->streams[fn];
    return FSIM_OK;
}

fsim_ns fsim_row_scale_instant(const fsim_trace_options *o, fsim_ns at_ns) {
    at_ns -= o->from_ns;
    double product = (double)at_ns * o->scale_time;
    return o->scale_time == 1.0 ? at_ns : product >= 9.2e18 ? FSIM_NEVER - 1 : (fsim_ns)(product + 0.5);
}

bool fsim_row_scale_has_ended(const fsim_row_scale *s, fsim_ns at_ns) {
    return at_ns >= s->options.until_ns;
}

fsim_status fsim_row_scale_row(fsim_row_scale *s, uint32_t fn, const char *name, fsim_ns *at_ns,
                               uint64_t *copies, fsim_error *err) {
    const fsim_trace_options *o = &s->options;
    *copies = 0;
    if (*at_ns < o->from_ns || *at_ns >= o->until_ns) {
        return FSIM_OK;
    }
    *at_ns = fsim_row_scale_instant(o, *at_ns);
    *copies = (uint64_t)o->scale_rate;
    if (o->scale_rate != (double)*copies) {
        fsim_rng *stream = NULL;
        FSIM_TRY(stream_of(s, fn, name, &stream, err));
        *copies += fsim_rng_unit(stream) < o->scale_rate - (double)*copies;
    }
    return FSIM_OK;
}

/* ---- the functions with the most requests ---- */

typedef struct ranked {
    uint64_t requests;
    uint32_t fn;
} ranked;

static int by_requests(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    return x->requests != y->requests ? (x->requests < y->requests ? 1 : -1)
                                      : (x->fn > y->fn) - (x->fn < y->fn);
}

fsim_status fsim_row_scale_top(const uint64_t *requests, uint32_t count, uint32_t top, bool *keep,
                               fsim_error *err) {
    ranked *order = malloc((count + (size_t)1) * sizeof *order);
    if (order == NULL) {
        return out_of_memory(err);
    }
    for (uint32_t f = 0; f < count; f++) {
        order[f] = (ranked){requests[f], f};
        keep[f] = false;
    }
    qsort(order, count, sizeof *order, by_requests);
    for (uint32_t i = 0; i < count && i < top; i++) {
        keep[order[i].fn] = true;
    }
    free(order);
    return FSIM_OK;
}
