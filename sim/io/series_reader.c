#include "io/series_columns.h"

#include "io/csv_reader.h"
#include "io/json_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WIDTH_MAX 256

/* A CSV file being read. */
typedef struct csv_series {
    fsim_csv *csv;
    const char *path;
    size_t width, time_field;
    const fsim_series_column *column[WIDTH_MAX]; /* of each field; NULL: not read */
    fsim_input input[WIDTH_MAX];
    uint64_t *lines; /* of the rows, as many as the builder has room for */
    size_t lines_capacity;
} csv_series;

static const char *name_of(const char *path) {
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

static void row_place(const void *user, size_t row, char *out, size_t size) {
    const csv_series *c = user;
    snprintf(out, size, "%.460s:%llu:%zu", name_of(c->path), (unsigned long long)c->lines[row],
             c->time_field + 1);
}

/* ---- the header ---- */

static fsim_status read_time(void *user, const char *text, size_t len, int64_t *value, fsim_error *err) {
    const fsim_series_column *column = user;
    if (fsim_series_parse_time(column, text, len, value)) {
        return FSIM_OK;
    }
    return fsim_fail(err, FSIM_EDATA, "%s \"%.*s\" is no instant, expected %s", column->name,
                     (int)(len < 40 ? len : 40), text,
                     column->unit_ns != 0 ? "a number of at least 0"
                                          : "2026-08-21T09:30:00Z or Unix time in seconds or milliseconds");
}

/* A double travels as the bits of the integer that the reader keeps for a cell. */
static fsim_status read_value(void *user, const char *text, size_t len, int64_t *value, fsim_error *err) {
    double number;
    FSIM_TRY(fsim_series_parse_value(user, text, len, &number, err));
    memcpy(value, &number, sizeof number);
    return FSIM_OK;
}

static fsim_status take_column(csv_series *c, fsim_series_builder *b, size_t field, const char *header,
                               const fsim_series_options *options, fsim_error *err) {
    char place[512];
    const fsim_series_column *column;
    snprintf(place, sizeof place, "%.460s:1:%zu", name_of(c->path), field + 1);
    FSIM_TRY(fsim_series_find(&column, header, options, place, err));
    c->column[field] = column;
    if (column == NULL) {
        return FSIM_OK;
    }
    /* The reader only borrows the column; const goes, as a callback's argument has none. */
    fsim_csv_binding binding = {.expected = "a number of at least 0 (an empty cell is a gap)",
                                .when_empty = FSIM_CSV_REQUIRED,
                                .name = read_value,
                                .user = (void *)(uintptr_t)column};
    if (column->role == FSIM_SERIES_TIME) {
        if (c->time_field != SIZE_MAX) {
            return fsim_fail_at(err, FSIM_EDATA, place, "there is another column of time already");
        }
        c->time_field = field;
        binding.name = read_time;
        binding.expected = "an instant";
    } else {
        c->input[field] = column->role == FSIM_SERIES_VALUE ? options->value_is : column->input;
        FSIM_TRY(fsim_series_claim(b, column, c->input[field], place, err));
    }
    fsim_csv_bind(c->csv, field, &binding);
    return FSIM_OK;
}

/* Every column that was asked for is there. */
static fsim_status check_asked(const csv_series *c, const char *const *headers,
                               const fsim_series_options *options, fsim_error *err) {
    for (size_t i = 0; i < options->column_count; i++) {
        const char *entry = options->columns[i], *equals = strchr(entry, '=');
        bool found = false;
        for (size_t f = 0; f < c->width; f++) {
            found = found || strcasecmp(headers[f], equals == NULL ? entry : equals + 1) == 0;
        }
        if (!found) {
            char place[512];
            snprintf(place, sizeof place, "%.460s:1", name_of(c->path));
            return fsim_fail_at(err, FSIM_EDATA, place, "there is no column \"%.60s\", which --columns names",
                                equals == NULL ? entry : equals + 1);
        }
    }
    return FSIM_OK;
}

static fsim_status read_header(csv_series *c, fsim_series_builder *b, const fsim_series_options *options,
                               fsim_error *err) {
    const char *const *headers = fsim_csv_header(c->csv, &c->width);
    if (c->width > WIDTH_MAX) {
        return fsim_csv_fail(c->csv, 1, WIDTH_MAX, err, "more than %d columns", WIDTH_MAX);
    }
    for (size_t f = 0; f < c->width; f++) {
        FSIM_TRY(take_column(c, b, f, headers[f], options, err));
    }
    FSIM_TRY(check_asked(c, headers, options, err));
    if (c->time_field == SIZE_MAX) {
        return fsim_csv_fail(c->csv, 1, 0, err,
                             "there is no column of time, expected time_s, time_ms, time or timestamp");
    }
    return FSIM_OK;
}

/* ---- rows ---- */

static fsim_status keep_lines(csv_series *c, size_t capacity, fsim_error *err) {
    if (capacity > c->lines_capacity) {
        uint64_t *lines = realloc(c->lines, capacity * sizeof *lines);
        if (lines == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        c->lines = lines;
        c->lines_capacity = capacity;
    }
    return FSIM_OK;
}

static fsim_status take_row(csv_series *c, fsim_series_builder *b, const fsim_csv_block *block, uint32_t row,
                            fsim_error *err) {
    FSIM_TRY(fsim_series_reserve(b, err));
    FSIM_TRY(keep_lines(c, b->capacity, err));
    size_t at = b->series.rows++;
    c->lines[at] = block->lines[row];
    b->series.at_ns[at] = block->columns[c->time_field][row];
    for (size_t f = 0; f < c->width; f++) {
        if (c->column[f] != NULL && f != c->time_field) {
            memcpy(&b->series.values[c->input[f]][at], &block->columns[f][row], sizeof(double));
        }
    }
    return FSIM_OK;
}

static fsim_status read_csv(csv_series *c, fsim_series_builder *b, const fsim_series_options *options,
                            fsim_error *err) {
    fsim_csv_block block;
    FSIM_TRY(read_header(c, b, options, err));
    do {
        FSIM_TRY(fsim_csv_next(c->csv, &block, err));
        for (uint32_t row = 0; row < block.count; row++) {
            FSIM_TRY(take_row(c, b, &block, row, err));
        }
    } while (block.count > 0);
    if (b->series.rows == 0) {
        return fsim_csv_fail(c->csv, 2, 0, err, "there is no row below the header");
    }
    return fsim_series_finish(b, options, row_place, c, err);
}

static fsim_status read_csv_file(fsim_series_builder *b, const char *path, const fsim_series_options *options,
                                 fsim_error *err) {
    csv_series c = {.path = path, .time_field = SIZE_MAX};
    FSIM_TRY(fsim_csv_open_like(&c.csv, NULL, path, "time_s,concurrency", err));
    fsim_status status = read_csv(&c, b, options, err);
    free(c.lines);
    fsim_csv_close(c.csv);
    return status;
}

fsim_status fsim_series_read(fsim_metric_series *out, const char *path, const fsim_series_options *options,
                             fsim_error *err) {
    fsim_series_builder b = {0};
    size_t len = strlen(path);
    FSIM_TRY(fsim_json_look_into(path, err));
    bool json = (len > 5 && strcmp(path + len - 5, ".json") == 0) || fsim_json_is_object(path);
    FSIM_TRY(fsim_series_check_columns(options, err));
    fsim_status status =
        json ? fsim_series_read_json(&b, path, options, err) : read_csv_file(&b, path, options, err);
    if (status != FSIM_OK) {
        fsim_metric_series_destroy(&b.series);
        return status;
    }
    *out = b.series;
    return FSIM_OK;
}
