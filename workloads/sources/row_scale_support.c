#include "workloads/sources/row_scale_support.h"

#include <stdlib.h>
#include <string.h>

static const char *default_name(const fsim_source_context *context) {
    return fsim_function_table_get(context->table, context->default_fn)->name;
}

fsim_status fsim_scaled_rows_open(fsim_scaled_rows *r, const fsim_source_context *context,
                                  const fsim_value *config, const char *file, bool is_fst, fsim_error *err) {
    fsim_trace_options_default(&r->options);
    r->options.seed = context->seed;
    r->table = context->table;
    FSIM_TRY(fsim_row_scale_read(&r->options, config, err));
    if (!fsim_row_scale_is_needed(&r->options)) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_native_top_find(&r->top, context->base_dir, file, is_fst, default_name(context),
                                  &r->options, err));
    FSIM_TRY(fsim_row_scale_open(&r->scale, &r->options, err));
    r->raw = calloc(1, sizeof *r->raw);
    return r->raw == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory") : FSIM_OK;
}

void fsim_scaled_rows_close(fsim_scaled_rows *r) {
    fsim_native_top_close(r->top);
    fsim_row_scale_close(r->scale);
    free(r->raw);
}

bool fsim_scaled_rows_want(const fsim_scaled_rows *r, const fsim_source_context *context, const char *name,
                           size_t len) {
    if (r->top == NULL) {
        return true;
    }
    const char *known = len == 0 ? default_name(context) : name;
    return fsim_native_top_has(r->top, known, len == 0 ? strlen(known) : len);
}

/* Moves on to the next raw row and says how many requests it stands for. */
static fsim_status next_row(fsim_scaled_rows *r, fsim_raw_next raw_next, void *state, fsim_error *err) {
    if (r->raw->count == 0 || ++r->at == r->raw->count) {
        FSIM_TRY(raw_next(state, r->raw, err));
        r->at = 0;
        if (r->raw->count == 0) {
            r->ended = true;
            return FSIM_OK;
        }
    }
    fsim_fn_id fn = r->raw->fn[r->at];
    r->at_ns = r->raw->at_ns[r->at];
    r->ended = fsim_row_scale_has_ended(r->scale, r->at_ns);
    if (r->ended || fn == FSIM_ROW_UNWANTED) {
        return FSIM_OK;
    }
    const char *name = fsim_function_table_get(r->table, fn)->name;
    return fsim_row_scale_row(r->scale, fn, name, &r->at_ns, &r->copies, err);
}

fsim_status fsim_scaled_rows_next(fsim_scaled_rows *r, fsim_raw_next raw_next, void *state,
                                  fsim_arrivals *batch, fsim_error *err) {
    if (r->raw == NULL) {
        return raw_next(state, batch, err);
    }
    batch->count = 0;
    while (batch->count < FSIM_BATCH && !r->ended) {
        if (r->copies == 0) {
            FSIM_TRY(next_row(r, raw_next, state, err));
            continue;
        }
        uint32_t i = batch->count++;
        r->copies--;
        batch->at_ns[i] = r->at_ns;
        batch->service_ns[i] = r->raw->service_ns[r->at];
        batch->fn[i] = r->raw->fn[r->at];
        batch->cpu_ns[i] = r->raw->cpu_ns[r->at];
        batch->session[i] = r->raw->session[r->at];
    }
    batch->has_cpu = r->raw->has_cpu;
    batch->has_session = r->raw->has_session;
    return FSIM_OK;
}
