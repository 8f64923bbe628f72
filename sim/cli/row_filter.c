#include "cli/row_filter.h"

#include <stdlib.h>

enum { ROOM = 4096, NUMBERS = 3, TEXTS = 2 };

struct fsim_row_filter {
    const fsim_function_table *table;
    const char *nameless;
    fsim_row_scale *scale; /* NULL: rows come out as they go in, if their function is kept */
    const bool *keep;      /* by function + 1; NULL: all */
    uint32_t keep_count;

    fsim_fst_rows in;
    uint32_t at;     /* row at hand + 1; 0: none yet */
    fsim_ns at_ns;   /* of the row at hand */
    uint64_t copies; /* still to be given of it */

    fsim_ns arrival_ns[ROOM];
    fsim_fn_id fn[ROOM];
    int64_t number[NUMBERS][ROOM]; /* duration, cpu, memory */
    fsim_fst_text text[TEXTS][ROOM];
};

fsim_status fsim_row_filter_open(fsim_row_filter **out, const fsim_trace_options *options,
                                 const fsim_function_table *table, const char *nameless, fsim_error *err) {
    fsim_row_filter *f = calloc(1, sizeof *f);
    *out = f;
    if (f == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    f->table = table;
    f->nameless = nameless;
    return fsim_row_scale_is_needed(options) ? fsim_row_scale_open(&f->scale, options, err) : FSIM_OK;
}

void fsim_row_filter_close(fsim_row_filter *f) {
    if (f != NULL) {
        fsim_row_scale_close(f->scale);
        free(f);
    }
}

void fsim_row_filter_keep(fsim_row_filter *f, const bool *keep, uint32_t count) {
    f->keep = keep;
    f->keep_count = count;
}

void fsim_row_filter_add(fsim_row_filter *f, const fsim_fst_rows *rows) {
    f->in = *rows;
    f->at = 0;
}

static bool is_kept(const fsim_row_filter *f, uint32_t fn) {
    return f->keep == NULL ||
           (fn == FSIM_FST_NO_FUNCTION ? f->keep[0] : fn < f->keep_count && f->keep[fn + 1u]);
}

/* The next row that went in, as so many copies. */
static fsim_status next_row(fsim_row_filter *f, fsim_error *err) {
    uint32_t i = f->at++, fn = f->in.fn == NULL ? FSIM_FST_NO_FUNCTION : f->in.fn[i];
    f->at_ns = f->in.arrival_ns[i];
    f->copies = fn != FSIM_ROW_UNWANTED && is_kept(f, fn);
    if (f->copies == 0 || f->scale == NULL) {
        return FSIM_OK;
    }
    const char *name = fn == FSIM_FST_NO_FUNCTION ? f->nameless : fsim_function_table_get(f->table, fn)->name;
    return fsim_row_scale_row(f->scale, fn + 1u, name, &f->at_ns, &f->copies, err); /* 0: no function */
}

static void put_row(fsim_row_filter *f, uint32_t to) {
    const int64_t *numbers[NUMBERS] = {f->in.duration_ns, f->in.cpu_ns, f->in.memory_mb};
    const fsim_fst_text *texts[TEXTS] = {f->in.session, f->in.version};
    uint32_t from = f->at - 1u;
    f->arrival_ns[to] = f->at_ns;
    for (int c = 0; c < NUMBERS; c++) {
        f->number[c][to] = numbers[c] == NULL ? FSIM_FST_EMPTY : numbers[c][from];
    }
    if (f->in.fn != NULL) {
        f->fn[to] = f->in.fn[from];
    }
    for (int k = 0; k < TEXTS; k++) {
        f->text[k][to] = texts[k] == NULL ? (fsim_fst_text){"", 0} : texts[k][from];
    }
}

fsim_status fsim_row_filter_next(fsim_row_filter *f, fsim_fst_rows *rows, fsim_error *err) {
    uint32_t n = 0;
    if (f->scale == NULL && f->keep == NULL) {
        *rows = f->in;
        f->in.count = 0;
        return FSIM_OK;
    }
    while (n < ROOM && (f->copies > 0 || f->at < f->in.count)) {
        if (f->copies == 0) {
            FSIM_TRY(next_row(f, err));
            continue;
        }
        f->copies--;
        put_row(f, n++);
    }
    *rows = (fsim_fst_rows){.count = n,
                            .arrival_ns = f->arrival_ns,
                            .fn = f->in.fn == NULL ? NULL : f->fn,
                            .duration_ns = f->in.duration_ns == NULL ? NULL : f->number[0],
                            .cpu_ns = f->in.cpu_ns == NULL ? NULL : f->number[1],
                            .memory_mb = f->in.memory_mb == NULL ? NULL : f->number[2],
                            .session = f->in.session == NULL ? NULL : f->text[0],
                            .version = f->in.version == NULL ? NULL : f->text[1]};
    return FSIM_OK;
}
