/* CSV as typed columns; see csv_reader.h.
 *
 * libcsv pushes: it is fed slices of the file and calls back for each field and row. It counts neither lines
 * nor columns, so that is done here: at the ends of rows (with CSV_REPALL_NL also of blank ones) and inside
 * fields that hold newlines. A slice can end inside a row; its first fields then wait behind the rows of the
 * block. */
#include "io/csv_reader.h"

#include "base/limits.h"
#include "base/text.h"
#include "io/file.h"

#include <csv.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES  262144u
#define SLICE_BYTES 16384u
#define ROWS_MAX    (SLICE_BYTES / 2u + 2u) /* no row is shorter than a character and a newline */
#define COLUMNS_MAX 16384u

struct fsim_csv {
    struct csv_parser parser;
    FILE *file;
    char *path; /* for messages */
    bool in_header, at_end;
    char **names; /* NULL-terminated */
    size_t width, names_capacity;

    fsim_csv_binding *bindings;
    int64_t **columns;
    uint64_t *lines;
    uint32_t rows;
    size_t field;            /* fields of the current row so far */
    uint64_t line, row_line; /* now, and where the current row began */
    bool after_cr;

    unsigned char *buffer;
    size_t used, filled;
    uint64_t read_bytes, total_bytes; /* total 0: unknown */

    fsim_status status; /* of the callbacks, which cannot return one */
    fsim_error *err;
};

/* --- failures
 * ------------------------------------------------------------------------------------------------------ */

static void write_place(const fsim_csv *csv, uint64_t line, size_t field, char *out, size_t size) {
    snprintf(out, size, "%.460s:%llu:%zu", csv->path, (unsigned long long)line, field + 1);
}

fsim_status fsim_csv_fail(const fsim_csv *csv, uint64_t line, size_t field, fsim_error *err, const char *fmt,
                          ...) {
    char place[512], text[512];
    va_list args;
    write_place(csv, line, field, place, sizeof place);
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return fsim_fail_at(err, FSIM_EDATA, place, "%s", text);
}

static fsim_status out_of_memory(const fsim_csv *csv, fsim_error *err) {
    return fsim_fail_at(err, FSIM_ELIMIT, csv->path, "out of memory");
}

/* A cell as it can be shown: short, printable. */
static const char *show(const char *text, size_t len, char out[48]) {
    size_t n = 0;
    for (; n < len && n < 40; n++) {
        out[n] = text[n] >= ' ' && text[n] != 0x7f ? text[n] : '?';
    }
    memcpy(out + n, len > 40 ? "..." : "", len > 40 ? 4 : 1);
    return out;
}

static fsim_status fail_cell(const fsim_csv *csv, size_t field, const char *text, size_t len,
                             fsim_error *err) {
    char shown[48];
    const char *name = csv->names[field], *expected = csv->bindings[field].expected;
    if (len == 0) {
        return fsim_csv_fail(csv, csv->line, field, err, "%.60s is empty, expected %s", name, expected);
    }
    show(text, len, shown);
    if (text[0] == '-') {
        return fsim_csv_fail(csv, csv->line, field, err, "%.60s \"%s\" is negative, expected %s", name, shown,
                             expected);
    }
    double real;
    if (fsim_text_parse_real(shown, &real)) {
        return fsim_csv_fail(csv, csv->line, field, err,
                             "%.60s \"%s\" is too large: beyond 2^63 ns (292 years)", name, shown);
    }
    return fsim_csv_fail(csv, csv->line, field, err, "%.60s \"%s\" is no number, expected %s", name, shown,
                         expected);
}

/* --- what libcsv calls
 * ---------------------------------------------------------------------------------------------- */

static uint64_t newlines_in(const char *text, size_t len) {
    uint64_t n = 0;
    for (const char *at = text; (at = memchr(at, '\n', len - (size_t)(at - text))) != NULL; at++) {
        n++;
    }
    return n;
}

static fsim_status add_header_name(fsim_csv *csv, const char *text, size_t len) {
    if (csv->width == COLUMNS_MAX) {
        return fsim_fail_at(csv->err, FSIM_ELIMIT, csv->path, "more than %u columns", COLUMNS_MAX);
    }
    if (csv->width + 1 >= csv->names_capacity) {
        size_t capacity = csv->names_capacity == 0 ? 16 : 2 * csv->names_capacity;
        char **larger = realloc(csv->names, capacity * sizeof *larger);
        if (larger == NULL) {
            return out_of_memory(csv, csv->err);
        }
        csv->names = larger;
        csv->names_capacity = capacity;
    }
    char *copy = malloc(len + 1);
    if (copy == NULL) {
        return out_of_memory(csv, csv->err);
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    csv->names[csv->width++] = copy;
    csv->names[csv->width] = NULL;
    return FSIM_OK;
}

static fsim_status read_name(fsim_csv *csv, size_t field, const char *text, size_t len, int64_t *value) {
    const fsim_csv_binding *binding = &csv->bindings[field];
    fsim_status status = binding->name(binding->user, text, len, value, csv->err);
    if (status != FSIM_OK && csv->err != NULL && csv->err->place[0] == '\0') {
        write_place(csv, csv->line, field, csv->err->place, sizeof csv->err->place);
    }
    return status;
}

static fsim_status take_field(fsim_csv *csv, size_t field, const char *text, size_t len) {
    const fsim_csv_binding *binding = &csv->bindings[field];
    int64_t *cell = &csv->columns[field][csv->rows];
    if (binding->name == NULL) {
        if (fsim_text_parse_scaled_ns(text, len, binding->unit, cell)) {
            return FSIM_OK;
        }
        if (len > 0 || binding->when_empty == FSIM_CSV_REQUIRED) {
            return fail_cell(csv, field, text, len, csv->err);
        }
        *cell = binding->when_empty;
        return FSIM_OK;
    }
    if (len > 0) {
        return read_name(csv, field, text, len, cell);
    }
    *cell = binding->when_empty;
    return binding->when_empty == FSIM_CSV_REQUIRED ? fail_cell(csv, field, text, len, csv->err) : FSIM_OK;
}

static void on_field(void *bytes, size_t len, void *data) {
    fsim_csv *csv = data;
    const char *text = bytes == NULL ? "" : bytes;
    size_t field = csv->field++;
    if (csv->status != FSIM_OK) {
        return;
    }
    if (field == 0) {
        csv->row_line = csv->line;
        csv->after_cr = false;
    }
    if (len > FSIM_CSV_FIELD_MAX) {
        csv->status = fsim_csv_fail(csv, csv->line, field, csv->err, "the field is longer than %d bytes",
                                    FSIM_CSV_FIELD_MAX);
    } else if (csv->in_header) {
        csv->status = add_header_name(csv, text, len);
    } else if (field >= csv->width) {
        csv->status = fsim_csv_fail(csv, csv->line, field, csv->err,
                                    "the row has more fields than the header's %zu", csv->width);
    } else if (csv->columns[field] != NULL) {
        csv->status = take_field(csv, field, text, len);
    }
    if (csv->status != FSIM_OK) {
        return;
    }
    /* A number that was accepted holds no newline. */
    if (csv->in_header || csv->columns[field] == NULL || csv->bindings[field].name != NULL) {
        csv->line += newlines_in(text, len);
    }
}

static void on_row(int ended_by, void *data) {
    fsim_csv *csv = data;
    bool second_half = ended_by == '\n' && csv->after_cr && csv->field == 0; /* the LF of a CRLF */
    csv->after_cr = ended_by == '\r';
    if (csv->status != FSIM_OK || second_half) {
        return;
    }
    if (csv->field > 0 && csv->in_header) {
        csv->in_header = false;
    } else if (csv->field > 0 && csv->field != csv->width) {
        csv->status = fsim_csv_fail(csv, csv->line, csv->field - 1, csv->err,
                                    "the row has %zu fields, the header %zu", csv->field, csv->width);
    } else if (csv->field > 0) {
        csv->lines[csv->rows++] = csv->row_line;
    }
    csv->field = 0;
    csv->line += ended_by == '\n' || ended_by == '\r';
}

/* --- feeding
 * ---------------------------------------------------------------------------------------------------------
 */

static fsim_status fill_buffer(fsim_csv *csv, fsim_error *err) {
    ssize_t got;
    do {
        got = read(fileno(csv->file), csv->buffer, READ_BYTES);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return fsim_fail_at(err, FSIM_EIO, csv->path, "cannot read the file: %s", strerror(errno));
    }
    csv->used = 0;
    csv->filled = (size_t)got;
    if (csv->read_bytes == 0 && got >= 3 && memcmp(csv->buffer, "\xef\xbb\xbf", 3) == 0) {
        csv->used = 3;
    }
    csv->read_bytes += (uint64_t)got;
    return FSIM_OK;
}

static fsim_status fail_quote(const fsim_csv *csv, fsim_error *err) {
    return fsim_csv_fail(
        csv, csv->line, csv->field, err,
        "a quote stands inside a field that does not begin with one, or text follows a closing quote");
}

/* Feeds at most `most` bytes, or the end of the file. */
static fsim_status feed(fsim_csv *csv, size_t most, fsim_error *err) {
    csv->err = err;
    if (csv->used == csv->filled) {
        FSIM_TRY(fill_buffer(csv, err));
    }
    if (csv->filled == 0) {
        csv->at_end = true;
        if (csv_fini(&csv->parser, on_field, on_row, csv) != 0) {
            return fsim_csv_fail(csv, csv->line, csv->field, err,
                                 "a quoted field is not closed at the end of the file");
        }
        return csv->status;
    }
    size_t left = csv->filled - csv->used, len = left < most ? left : most;
    const unsigned char *slice = csv->buffer + csv->used;
    const unsigned char *nul = memchr(slice, 0, len);
    len = nul != NULL ? (size_t)(nul - slice) : len;
    size_t eaten = csv_parse(&csv->parser, slice, len, on_field, on_row, csv);
    csv->used += eaten;
    FSIM_TRY(csv->status);
    if (eaten < len) {
        return csv_error(&csv->parser) == CSV_EPARSE ? fail_quote(csv, err) : out_of_memory(csv, err);
    }
    if (nul != NULL) {
        return fsim_csv_fail(csv, csv->line, csv->field, err, "found a NUL byte: this is no text file");
    }
    if (csv->parser.entry_pos > FSIM_CSV_FIELD_MAX) {
        return fsim_csv_fail(csv, csv->line, csv->field, err,
                             "the field is longer than %d bytes; is a quote not closed?", FSIM_CSV_FIELD_MAX);
    }
    return FSIM_OK;
}

static fsim_status read_header(fsim_csv *csv, fsim_error *err) {
    /* Byte by byte, so that no row is read before its columns are bound. */
    while (csv->in_header && !csv->at_end) {
        FSIM_TRY(feed(csv, 1, err));
    }
    if (csv->width == 0) {
        return fsim_csv_fail(csv, 1, 0, err,
                             "the file is empty, expected a header line such as "
                             "arrival_s,function,duration_ms");
    }
    csv->bindings = calloc(csv->width, sizeof *csv->bindings);
    csv->columns = calloc(csv->width, sizeof *csv->columns);
    csv->lines = malloc(ROWS_MAX * sizeof *csv->lines);
    bool ok = csv->bindings != NULL && csv->columns != NULL && csv->lines != NULL;
    return ok ? FSIM_OK : out_of_memory(csv, err);
}

static fsim_status open_file(fsim_csv *csv, const char *base_dir, const char *path, fsim_error *err) {
    char resolved[FSIM_PATH_MAX];
    struct stat about;
    FSIM_TRY(fsim_file_resolve(base_dir, path, resolved, sizeof resolved, err));
    csv->path = strdup(strcmp(path, "-") == 0 ? "standard input" : resolved);
    csv->buffer = malloc(READ_BYTES);
    if (csv->path == NULL || csv->buffer == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    FSIM_TRY(fsim_file_open(resolved, &csv->file, err));
    if (fstat(fileno(csv->file), &about) == 0 && S_ISREG(about.st_mode)) {
        csv->total_bytes = (uint64_t)about.st_size;
    }
    return read_header(csv, err);
}

fsim_status fsim_csv_open(fsim_csv **out, const char *base_dir, const char *path, fsim_error *err) {
    fsim_csv *csv = calloc(1, sizeof *csv);
    if (csv == NULL || csv_init(&csv->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL) != 0) {
        free(csv);
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    csv->in_header = true;
    csv->line = 1;
    fsim_status status = open_file(csv, base_dir, path, err);
    if (status != FSIM_OK) {
        fsim_csv_close(csv);
        return status;
    }
    *out = csv;
    return FSIM_OK;
}

void fsim_csv_close(fsim_csv *csv) {
    if (csv == NULL) {
        return;
    }
    for (size_t i = 0; i < csv->width; i++) {
        free(csv->names[i]);
        if (csv->columns != NULL) {
            free(csv->columns[i]);
        }
    }
    csv_free(&csv->parser);
    fsim_file_close(csv->file);
    free(csv->names);
    free(csv->bindings);
    free(csv->columns);
    free(csv->lines);
    free(csv->buffer);
    free(csv->path);
    free(csv);
}

const char *const *fsim_csv_header(const fsim_csv *csv, size_t *count) {
    *count = csv->width;
    return (const char *const *)csv->names;
}

fsim_status fsim_csv_bind(fsim_csv *csv, size_t field, const fsim_csv_binding *binding, fsim_error *err) {
    csv->bindings[field] = *binding;
    csv->columns[field] = malloc(ROWS_MAX * sizeof(int64_t));
    return csv->columns[field] == NULL ? out_of_memory(csv, err) : FSIM_OK;
}

fsim_status fsim_csv_next(fsim_csv *csv, fsim_csv_block *block, fsim_error *err) {
    /* The beginning of a row that the last slice cut in two moves to the front. */
    for (size_t f = 0; f < csv->field; f++) {
        if (csv->columns[f] != NULL) {
            csv->columns[f][0] = csv->columns[f][csv->rows];
        }
    }
    csv->rows = 0;
    while (csv->rows == 0 && !csv->at_end) {
        FSIM_TRY(feed(csv, SLICE_BYTES, err));
    }
    *block = (fsim_csv_block){csv->rows, (const int64_t *const *)csv->columns, csv->lines};
    return FSIM_OK;
}

double fsim_csv_progress(const fsim_csv *csv) {
    uint64_t done = csv->read_bytes - (csv->filled - csv->used);
    return csv->total_bytes == 0 ? -1.0 : (double)done / (double)csv->total_bytes;
}
