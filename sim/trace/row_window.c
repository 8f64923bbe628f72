/* Rows in order; see row_window.h.
 *
 * The window is a sorted stretch of an array: a row is put in from the back, which for nearly sorted input
 * moves few others, and taken from the front once FSIM_TRACE_WINDOW rows wait behind it. */
#include "trace/row_window.h"

#include "trace/bucket_stream.h"
#include "trace/row_scale.h"

#include <stdlib.h>
#include <string.h>

#define ROOM (2u * FSIM_TRACE_WINDOW)

typedef struct row_window {
    trace_row *rows; /* ROOM */
    uint32_t head, tail;
    fsim_ns zero_ns, last_ns; /* last: of the row taken last, on the file's axis */
    bool begun;
    trace_row at_hand; /* with `copies` to be given still */
    uint64_t copies;
    fsim_row_scale *scale;
    fsim_rng fill_rng;
} row_window;

static fsim_status open_window(fsim_trace *t, fsim_error *err) {
    row_window *w = calloc(1, sizeof *w);
    t->window = w;
    if (w == NULL || (w->rows = malloc(ROOM * sizeof *w->rows)) == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    w->last_ns = INT64_MIN;
    fsim_rng_seed(&w->fill_rng, t->options.seed, "rows of a trace", FSIM_RNG_SERVICE);
    return fsim_row_scale_open(&w->scale, &t->options, err);
}

static void close_file(fsim_trace *t) {
    if (t->file_open && t->format->close != NULL) {
        t->format->close(t);
    }
    fsim_csv_close(t->csv);
    fsim_lines_close(t->lines);
    t->csv = NULL;
    t->lines = NULL;
    t->file_open = false;
}

void trace_rows_close(fsim_trace *t) {
    close_file(t);
    if (t->window != NULL) {
        fsim_row_scale_close(t->window->scale);
        free(t->window->rows);
        free(t->window);
    }
    free(t->keep);
}

/* --- reading --- */

/* A row of the files; *got false: all have ended. */
static fsim_status next_of_files(fsim_trace *t, trace_row *row, bool *got, fsim_error *err) {
    *got = false;
    while (!*got && t->file_at < t->file_count) {
        if (!t->file_open) {
            t->file_open = true;
            FSIM_TRY(t->format->open(t, &t->files[t->file_at], err));
        }
        *row = (trace_row){.duration_ns = FSIM_DRAW, .cpu_ns = FSIM_DRAW};
        FSIM_TRY(t->format->next(t, row, got, err));
        if (!*got) {
            close_file(t);
            t->file_at++;
        }
    }
    return FSIM_OK;
}

static fsim_status fail_late(const fsim_trace *t, const trace_row *row, fsim_error *err) {
    static const char text[] =
        "this row arrives %.9g s before one more than %u rows in front of it; sort the "
        "file with: fsim convert --sort IN OUT";
    double late_s = fsim_ns_to_s(t->window->last_ns - row->at_ns);
    return t->csv != NULL ? fsim_csv_fail(t->csv, row->line, row->field, err, text, late_s, FSIM_TRACE_WINDOW)
                          : fsim_lines_fail(t->lines, row->field + 1, err, text, late_s, FSIM_TRACE_WINDOW);
}

static void put(row_window *w, const trace_row *row) {
    if (w->tail == ROOM) {
        memmove(w->rows, w->rows + w->head, (w->tail - w->head) * sizeof *w->rows);
        w->tail -= w->head;
        w->head = 0;
    }
    uint32_t to = w->tail++;
    for (; to > w->head && w->rows[to - 1u].at_ns > row->at_ns; to--) {
        w->rows[to] = w->rows[to - 1u];
    }
    w->rows[to] = *row;
}

/* The next row in order of arrival. */
static fsim_status next_in_order(fsim_trace *t, trace_row *row, bool *got, fsim_error *err) {
    row_window *w = t->window;
    *got = false;
    while (!t->rows_ended && w->tail - w->head < FSIM_TRACE_WINDOW) {
        trace_row fresh;
        bool more;
        FSIM_TRY(next_of_files(t, &fresh, &more, err));
        t->rows_ended = !more;
        if (more && fresh.at_ns < w->last_ns) {
            return fail_late(t, &fresh, err);
        }
        if (more) {
            put(w, &fresh);
        }
    }
    *got = w->tail > w->head;
    if (*got) {
        *row = w->rows[w->head++];
        w->last_ns = row->at_ns;
    }
    return FSIM_OK;
}

/* --- options --- */

/* Whether the row is wanted; its duration where it has none. */
static bool is_kept(fsim_trace *t, trace_row *row) {
    const fsim_trace_options *o = &t->options;
    if (!fsim_trace_keeps(t, row->fn)) {
        trace_drop(t, "not among the functions with the most requests", 1, 1);
        return false;
    }
    if (row->duration_ns == FSIM_DRAW && o->join == FSIM_JOIN_LOGNORMAL) {
        fsim_trace_durations d;
        trace_published_durations(&d);
        d.floor_ns = o->floor_ns;
        fsim_trace_durations_fill(&d, &t->window->fill_rng, &row->duration_ns, 1);
    } else if (row->duration_ns == FSIM_DRAW && t->has_durations) {
        trace_drop(t, "a row without a duration", 1, 1);
        return false;
    }
    return true;
}

/* The next request after all options; *got false: the end. */
static fsim_status next_request(fsim_trace *t, trace_row *row, bool *got, fsim_error *err) {
    row_window *w = t->window;
    while (w->copies == 0) {
        FSIM_TRY(next_in_order(t, &w->at_hand, got, err));
        if (!*got) {
            return FSIM_OK;
        }
        if (!w->begun) {
            w->begun = true;
            w->zero_ns = t->format->own_zero ? 0 : w->at_hand.at_ns;
            trace_note_begin(t, w->zero_ns);
        }
        fsim_ns at_ns = w->at_hand.at_ns - w->zero_ns;
        at_ns = at_ns < 0 ? 0 : at_ns;
        if (fsim_row_scale_has_ended(w->scale, at_ns)) {
            *got = false;
            t->rows_ended = true;
            w->head = w->tail;
            return FSIM_OK;
        }
        if (at_ns >= t->options.from_ns && is_kept(t, &w->at_hand)) {
            const char *name = t->functions[w->at_hand.fn].name;
            w->at_hand.at_ns = at_ns;
            FSIM_TRY(fsim_row_scale_row(w->scale, w->at_hand.fn, name, &w->at_hand.at_ns, &w->copies, err));
        }
    }
    w->copies--;
    *row = w->at_hand;
    *got = true;
    return FSIM_OK;
}

fsim_status fsim_trace_next(fsim_trace *t, fsim_arrivals *batch, fsim_error *err) {
    batch->count = 0;
    batch->has_cpu = t->has_cpu;
    batch->has_session = false;
    while (batch->count < FSIM_BATCH) {
        trace_row row;
        bool got;
        FSIM_TRY(next_request(t, &row, &got, err));
        if (!got) {
            break;
        }
        uint32_t i = batch->count++;
        batch->at_ns[i] = row.at_ns;
        batch->service_ns[i] = row.duration_ns;
        batch->fn[i] = row.fn;
        batch->cpu_ns[i] = row.cpu_ns;
        t->functions[row.fn].invocations++;
    }
    return FSIM_OK;
}

double fsim_trace_progress(const fsim_trace *t) {
    double inside = t->csv != NULL     ? fsim_csv_progress(t->csv)
                    : t->lines != NULL ? fsim_lines_progress(t->lines)
                                       : 0;
    return t->format->read != NULL || t->file_count == 0 || inside < 0
               ? -1.0
               : ((double)t->file_at + inside) / (double)t->file_count;
}

/* --- the functions with the most requests: the files are read once ahead --- */

static fsim_status mark_top(fsim_trace *t, const fsim_trace *counted, fsim_error *err) {
    uint32_t count = counted->function_count;
    uint64_t *requests = malloc((count + 1u) * sizeof *requests);
    t->keep = calloc(count + 1u, sizeof *t->keep);
    fsim_status status =
        requests == NULL || t->keep == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory") : FSIM_OK;
    for (uint32_t f = 0; status == FSIM_OK && f < count; f++) {
        requests[f] = counted->functions[f].invocations;
    }
    if (status == FSIM_OK) {
        status = fsim_row_scale_top(requests, count, t->options.functions_top, t->keep, err);
    }
    t->keep_count = count;
    free(requests);
    return status;
}

static fsim_status find_top(fsim_trace *t, const char *base_dir, const char *const *paths, size_t count,
                            fsim_error *err) {
    fsim_trace *ahead = NULL;
    fsim_trace_options options = t->options;
    fsim_arrivals *batch = malloc(sizeof *batch);
    options.functions_top = 0;
    options.scale_rate = 1.0; /* what the trace says is counted */
    fsim_status status = batch == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory")
                                       : fsim_trace_open(&ahead, &options, base_dir, paths, count, err);
    while (status == FSIM_OK) {
        status = fsim_trace_next(ahead, batch, err);
        if (batch->count == 0) {
            break;
        }
    }
    if (status == FSIM_OK) {
        status = mark_top(t, ahead, err);
    }
    free(batch);
    fsim_trace_close(ahead);
    return status;
}

bool fsim_trace_keeps(const fsim_trace *t, uint32_t f) {
    return t->keep == NULL || (f < t->keep_count && t->keep[f]);
}

fsim_status trace_rows_open(fsim_trace *t, const char *base_dir, const char *const *paths, size_t count,
                            fsim_error *err) {
    FSIM_TRY(open_window(t, err));
    size_t tables = 0; /* what only describes functions comes first */
    for (size_t i = 0; i < t->file_count; i++) {
        if (t->files[i].role > 1) {
            trace_file table = t->files[i];
            memmove(&t->files[tables + 1], &t->files[tables], (i - tables) * sizeof table);
            t->files[tables++] = table;
        }
    }
    return t->options.functions_top == 0 ? FSIM_OK : find_top(t, base_dir, paths, count, err);
}
