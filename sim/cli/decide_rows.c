#include "cli/decide_rows.h"

#include "base/spell.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { LINE_MAX_BYTES = 8192, CELL = 48 };

/* A line being written; what does not fit is cut, which no line of ours needs. */
typedef struct line {
    char *at, *end;
} line;

__attribute__((format(printf, 2, 3))) static void add(line *l, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(l->at, (size_t)(l->end - l->at), format, args);
    va_end(args);
    size_t wanted = n > 0 ? (size_t)n : 0, room = (size_t)(l->end - l->at) - 1;
    l->at += wanted < room ? wanted : room;
}

static const char *time_text(fsim_ns at_ns, char out[CELL]) {
    *fsim_spell_fixed(out, at_ns, 9) = '\0';
    return out;
}

static bool has(const fsim_decide_rows *rows, int input) {
    return rows->series->values[input] != NULL;
}

/* What stands before the name of a reading, so that it is not taken for the input of the same name. */
static const char *before_reading(const char *name) {
    for (int i = 0; i < FSIM_INPUTS; i++) {
        if (strcmp(name, fsim_input_names[i]) == 0) {
            return "measured_";
        }
    }
    return "";
}

/* ---- text ---- */

static double reading_of(const fsim_scale_decision *decision, const char *name) {
    for (uint32_t i = 0; i < decision->reading_count; i++) {
        if (strcmp(decision->readings[i].name, name) == 0) {
            return decision->readings[i].value;
        }
    }
    return NAN;
}

static const char *number_text(double value, char out[CELL]) {
    if (isnan(value)) {
        out[0] = '-';
        out[1] = '\0';
    } else {
        snprintf(out, CELL, "%.5g", value);
    }
    return out;
}

/* The cells of a row, or with row NULL the names above them, but for the reason: in the order of `widths`. */
static int cells_of(const fsim_decide_rows *rows, const fsim_decide_row *row, char cells[][CELL]) {
    int n = 0;
    snprintf(cells[n], CELL, "time_s");
    if (row != NULL) {
        (void)time_text(row->at_ns, cells[n]);
    }
    n++;
    for (int i = 0; i < FSIM_INPUTS; i++) {
        if (!has(rows, i) || i == FSIM_INPUT_READY) {
            continue; /* the ready ones have their column in any case */
        }
        snprintf(cells[n], CELL, "%s", fsim_metric_series_name(rows->series, (fsim_input)i));
        if (row != NULL) {
            (void)number_text(row->inputs[i], cells[n]);
        }
        n++;
    }
    for (uint32_t r = 0; r < rows->reading_count; r++) {
        snprintf(cells[n], CELL, "%s%s", before_reading(rows->readings[r]), rows->readings[r]);
        if (row != NULL) {
            (void)number_text(reading_of(row->decision, rows->readings[r]), cells[n]);
        }
        n++;
    }
    snprintf(cells[n], CELL, "desired");
    snprintf(cells[n + 1], CELL, "ready");
    snprintf(cells[n + 2], CELL, "mode");
    if (row != NULL) {
        snprintf(cells[n], CELL, "%" PRIu32, row->desired);
        snprintf(cells[n + 1], CELL, "%" PRIu32, row->ready);
        snprintf(cells[n + 2], CELL, "%s", row->decision->mode);
    }
    return n + 3;
}

enum { CELLS_MAX = 1 + FSIM_INPUTS + FSIM_DECIDE_READINGS_MAX + 3 };

static void widen(fsim_decide_rows *rows, const fsim_decide_row *row) {
    char cells[CELLS_MAX][CELL];
    int n = cells_of(rows, row, cells);
    for (int i = 0; i < n; i++) {
        int width = (int)strlen(cells[i]);
        rows->widths[i] = width > rows->widths[i] ? width : rows->widths[i];
    }
}

static void add_cells(line *l, const fsim_decide_rows *rows, const fsim_decide_row *row) {
    char cells[CELLS_MAX][CELL];
    int n = cells_of(rows, row, cells);
    for (int i = 0; i < n - 1; i++) {
        add(l, "%*s  ", rows->widths[i], cells[i]);
    }
    add(l, "%-*s  %s\n", rows->widths[n - 1], cells[n - 1], row == NULL ? "reason" : row->decision->reason);
}

/* New names of readings shift the columns behind them: names first, then widths. */
fsim_status fsim_decide_rows_measure(void *user, const fsim_decide_row *row, fsim_error *err) {
    fsim_decide_rows *rows = user;
    (void)err;
    for (uint32_t i = 0; i < row->decision->reading_count; i++) {
        const char *name = row->decision->readings[i].name;
        uint32_t at = 0;
        while (at < rows->reading_count && strcmp(rows->readings[at], name) != 0) {
            at++;
        }
        if (at == rows->reading_count && at < FSIM_DECIDE_READINGS_MAX) {
            rows->readings[rows->reading_count++] = name;
            memset(rows->widths, 0, sizeof rows->widths);
        }
    }
    widen(rows, row);
    rows->count++;
    return FSIM_OK;
}

/* ---- CSV and JSON ---- */

static void add_number(line *l, double value) {
    if (isfinite(value)) {
        add(l, "%.12g", value);
    } else {
        add(l, "null");
    }
}

/* In double quotes: a quote is doubled in CSV, escaped in JSON. Texts of policies are printable ASCII. */
static void add_text(line *l, const char *text, bool json) {
    add(l, "\"");
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || (json && c == '\\')) {
            add(l, json ? "\\%c" : "\"%c", c);
        } else {
            add(l, "%c", c < 0x20 ? ' ' : c);
        }
    }
    add(l, "\"");
}

/* Inputs and readings as pairs: concurrency=9 panic=8.5, or the members of an object. */
static void add_inputs(line *l, const fsim_decide_rows *rows, const fsim_decide_row *row, bool json) {
    const char *between = "";
    for (int i = 0; i < FSIM_INPUTS; i++) {
        if (has(rows, i)) {
            const char *name = fsim_metric_series_name(rows->series, (fsim_input)i);
            add(l, json ? "%s\"%s\": " : "%s%s=", between, name);
            add_number(l, row->inputs[i]);
            between = json ? ", " : " ";
        }
    }
    for (uint32_t i = 0; i < row->decision->reading_count; i++) {
        const fsim_scale_reading *reading = &row->decision->readings[i];
        add(l, json ? "%s\"%s%s\": " : "%s%s%s=", between, before_reading(reading->name), reading->name);
        add_number(l, reading->value);
        between = json ? ", " : " ";
    }
}

static void add_json(line *l, const fsim_decide_rows *rows, const fsim_decide_row *row) {
    char time[CELL];
    add(l, "%s  {\"time_s\": %s, \"inputs\": {", rows->count == 0 ? "" : ",\n", time_text(row->at_ns, time));
    add_inputs(l, rows, row, true);
    add(l, "}, \"desired\": %" PRIu32 ", \"ready\": %" PRIu32 ", \"mode\": ", row->desired, row->ready);
    add_text(l, row->decision->mode, true);
    add(l, ", \"reason\": ");
    add_text(l, row->decision->reason, true);
    add(l, "}");
}

static void add_csv(line *l, const fsim_decide_rows *rows, const fsim_decide_row *row) {
    char time[CELL];
    add(l, "%s,", time_text(row->at_ns, time));
    add_inputs(l, rows, row, false);
    add(l, ",%" PRIu32 ",%" PRIu32 ",%s,", row->desired, row->ready, row->decision->mode);
    add_text(l, row->decision->reason, false);
    add(l, "\n");
}

/* ---- the output ---- */

static fsim_status failed(fsim_error *err) {
    return err == NULL ? FSIM_EIO : err->status;
}

fsim_status fsim_decide_rows_begin(fsim_decide_rows *rows, const char *path, const char *title,
                                   fsim_error *err) {
    FSIM_TRY(fsim_sink_open(&rows->sink, path, err));
    char *room = fsim_sink_room(&rows->sink, LINE_MAX_BYTES, err); /* an empty buffer has it */
    line l = {room, room + LINE_MAX_BYTES};
    rows->count = 0;
    switch (rows->format) {
    case FSIM_DECIDE_TEXT:
        widen(rows, NULL);
        add(&l, "%s\n\n", title);
        add_cells(&l, rows, NULL);
        break;
    case FSIM_DECIDE_CSV: add(&l, "time_s,inputs,desired,ready,mode,reason\n"); break;
    case FSIM_DECIDE_JSON: add(&l, "[\n"); break;
    }
    fsim_sink_put(&rows->sink, l.at);
    return FSIM_OK;
}

fsim_status fsim_decide_rows_write(void *user, const fsim_decide_row *row, fsim_error *err) {
    fsim_decide_rows *rows = user;
    char *room = fsim_sink_room(&rows->sink, LINE_MAX_BYTES, err);
    if (room == NULL) {
        return failed(err);
    }
    line l = {room, room + LINE_MAX_BYTES};
    switch (rows->format) {
    case FSIM_DECIDE_TEXT: add_cells(&l, rows, row); break;
    case FSIM_DECIDE_CSV: add_csv(&l, rows, row); break;
    case FSIM_DECIDE_JSON: add_json(&l, rows, row); break;
    }
    fsim_sink_put(&rows->sink, l.at);
    rows->count++;
    return FSIM_OK;
}

fsim_status fsim_decide_rows_end(fsim_decide_rows *rows, fsim_status status, fsim_error *err) {
    if (status == FSIM_OK && rows->format == FSIM_DECIDE_JSON) {
        char *room = fsim_sink_room(&rows->sink, LINE_MAX_BYTES, err);
        if (room == NULL) {
            status = failed(err);
        } else {
            line l = {room, room + LINE_MAX_BYTES};
            add(&l, "\n]\n");
            fsim_sink_put(&rows->sink, l.at);
        }
    }
    return fsim_sink_close(&rows->sink, status, err);
}
