/* CSV as typed columns; see csv_reader.h.
 *
 * Two ways through a line. A plain one (whole in the buffer, no quote, CR or NUL inside) is cut at its commas
 * here. Anything else, and any plain line that holds a fault, goes through libcsv, which pushes: it is fed
 * the bytes and calls back for each field and row. It counts neither lines nor columns, so that is done here:
 * at the ends of rows (with CSV_REPALL_NL also of blank ones) and inside fields that hold newlines. What it
 * is fed can end inside a row; its first fields then wait behind the rows of the block. tests/fuzz holds the
 * two ways against each other. */
#include "io/csv_reader.h"

#include "base/limits.h"
#include "base/text.h"
#include "io/file.h"
#include "io/input.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define READ_BYTES  262144u
#define SLICE_BYTES 16384u
#define ROWS_MAX    8192u
#define CELLS_MAX   (1u << 20) /* of a block: the wider, the fewer rows */
#define COLUMNS_MAX 16384u
#define NO_DIGITS   UINT32_MAX

struct fsim_csv {
    struct csv_parser parser;
    fsim_input *input;
    bool in_header, at_end, always_libcsv;
    bool between_rows; /* libcsv waits for the beginning of a row */
    char **names;      /* NULL-terminated */
    size_t width, names_capacity;

    fsim_csv_binding *bindings;
    unsigned *unit_digits; /* of each binding: its unit is 10^digits; NO_DIGITS: none is */
    int64_t **columns;
    uint64_t *lines;
    uint32_t rows, rows_max;
    size_t field;            /* fields of the current row so far */
    uint64_t line, row_line; /* now, and where the current row began */
    bool after_cr;

    unsigned char *buffer;
    size_t used, filled;
    size_t plain_end; /* in front of it stand no quotes and no NUL */
    bool begun, input_ended;

    fsim_status status; /* of the callbacks, which cannot return one */
    fsim_error *err;
};

/* --- failures
 * ------------------------------------------------------------------------------------------------------ */

static void write_place(const fsim_csv *csv, uint64_t line, size_t field, char *out, size_t size) {
    snprintf(out, size, "%.460s:%llu:%zu", fsim_input_name(csv->input), (unsigned long long)line, field + 1);
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
    return fsim_fail_at(err, FSIM_ELIMIT, fsim_input_name(csv->input), "out of memory");
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
        bool is_time = strstr(expected, "seconds") != NULL;
        return fsim_csv_fail(csv, csv->line, field, err, "%.60s \"%s\" is too large%s", name, shown,
                             is_time ? ": beyond 2^63 ns (292 years)" : "");
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
        return fsim_fail_at(csv->err, FSIM_ELIMIT, fsim_input_name(csv->input), "more than %u columns",
                            COLUMNS_MAX);
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

/* A number as the binding wants it; "NaN" where that counts as empty. */
static bool read_number(const fsim_csv_binding *binding, const char *text, size_t len, int64_t *cell) {
    if (fsim_text_parse_scaled_ns(text, len, binding->unit, cell)) {
        return true;
    }
    bool empty = binding->nan_is_empty && len == 3 && strncasecmp(text, "nan", 3) == 0;
    *cell = binding->when_empty;
    return empty && binding->when_empty != FSIM_CSV_REQUIRED;
}

static fsim_status take_field(fsim_csv *csv, size_t field, const char *text, size_t len) {
    const fsim_csv_binding *binding = &csv->bindings[field];
    int64_t *cell = &csv->columns[field][csv->rows];
    if (len == 0) {
        *cell = binding->when_empty;
        return binding->when_empty == FSIM_CSV_REQUIRED ? fail_cell(csv, field, text, len, csv->err)
                                                        : FSIM_OK;
    }
    if (binding->name != NULL) {
        return read_name(csv, field, text, len, cell);
    }
    return read_number(binding, text, len, cell) ? FSIM_OK : fail_cell(csv, field, text, len, csv->err);
}

static void on_field(void *bytes, size_t len, void *data) {
    fsim_csv *csv = data;
    const char *text = bytes == NULL ? "" : bytes;
    size_t field = csv->field++;
    csv->between_rows = false;
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
    csv->between_rows = true;
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

/* Moves what is left to the front and reads behind it. */
static fsim_status fill_buffer(fsim_csv *csv, fsim_error *err) {
    size_t got = 0;
    memmove(csv->buffer, csv->buffer + csv->used, csv->filled - csv->used);
    csv->filled -= csv->used;
    csv->used = csv->plain_end = 0;
    FSIM_TRY(fsim_input_read(csv->input, csv->buffer + csv->filled, READ_BYTES - csv->filled, &got, err));
    csv->filled += got;
    csv->input_ended = got == 0;
    if (!csv->begun && (csv->filled >= 3 || csv->input_ended)) {
        csv->begun = true;
        csv->used = csv->filled >= 3 && memcmp(csv->buffer, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    }
    return FSIM_OK;
}

static fsim_status fail_quote(const fsim_csv *csv, fsim_error *err) {
    return fsim_csv_fail(
        csv, csv->line, csv->field, err,
        "a quote stands inside a field that does not begin with one, or text follows a closing quote");
}

static fsim_status finish(fsim_csv *csv, fsim_error *err) {
    csv->at_end = true;
    if (csv_fini(&csv->parser, on_field, on_row, csv) != 0) {
        return fsim_csv_fail(csv, csv->line, csv->field, err,
                             "a quoted field is not closed at the end of the file");
    }
    return csv->status;
}

/* Feeds libcsv `len` bytes of the buffer. */
static fsim_status feed(fsim_csv *csv, size_t len, fsim_error *err) {
    csv->err = err;
    csv->between_rows = false;
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

/* --- plain lines --- */

static inline bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* The digits at `text`, at most 8 of them, put behind `value`; their number. Eight bytes are looked at in one
 * word: those that are digits become 0 to 9 at its top, with leading zeros below, and are paired, then the
 * pairs, then the fours. */
static inline unsigned take_digits(const char *text, uint64_t *value) {
    static const uint32_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    uint64_t word;
    memcpy(&word, text, sizeof word);
    word ^= UINT64_C(0x3030303030303030);
    uint64_t others = ((word + UINT64_C(0x7676767676767676)) | word) & UINT64_C(0x8080808080808080);
    unsigned count = others == 0 ? 8u : (unsigned)__builtin_ctzll(others) >> 3;
    if (count == 0) {
        return 0;
    }
    word <<= 64u - 8u * count;
    word = (word * 10u + (word >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
    word = (word * 100u + (word >> 16)) & UINT64_C(0x0000ffff0000ffff);
    word = (word * 10000u + (word >> 32)) & UINT64_C(0xffffffff);
    *value = *value * powers[count] + word;
    return count;
}
#else
static inline unsigned take_digits(const char *text, uint64_t *value) {
    unsigned count = 0;
    for (; count < 8 && (unsigned)(text[count] - '0') < 10u; count++) {
        *value = *value * 10u + (unsigned)(text[count] - '0');
    }
    return count;
}
#endif

/* All digits at `text` as long as there are fewer than 24. */
static inline unsigned take_all_digits(const char *text, uint64_t *value) {
    unsigned count = take_digits(text, value), more = count;
    while (more == 8 && count < 24) {
        more = take_digits(text + count, value);
        count += more;
    }
    return count;
}

/* Digits, and a point with no more digits than the unit has, 18 in all; where they end, or NULL: not that.
 * What follows decides about it: a digit never does. */
static inline const char *read_short_number(const char *text, unsigned unit_digits, int64_t *out) {
    static const uint64_t powers[] = {1,      10,      100,      1000,      10000,
                                      100000, 1000000, 10000000, 100000000, 1000000000};
    uint64_t value = 0, scaled;
    unsigned whole = take_all_digits(text, &value), fraction = 0;
    text += whole;
    if (whole == 0 || unit_digits == NO_DIGITS) {
        return NULL;
    }
    if (*text == '.') {
        fraction = take_all_digits(text + 1, &value);
        text += fraction + 1u;
        if (fraction == 0 || fraction > unit_digits) {
            return NULL;
        }
    }
    if (whole + fraction > 18 || __builtin_mul_overflow(value, powers[unit_digits - fraction], &scaled) ||
        scaled >= (uint64_t)INT64_MAX) {
        return NULL;
    }
    *out = (int64_t)scaled;
    return text;
}

/* A field that is no short number: blanks around it, an empty cell, a name, digits that must be rounded.
 * False: libcsv shall look at the line, which is where the messages are made. */
static bool take_other_field(fsim_csv *csv, size_t field, const char *text, size_t len) {
    const fsim_csv_binding *binding = &csv->bindings[field];
    int64_t *cell = &csv->columns[field][csv->rows];
    while (len > 0 && is_blank(text[0])) {
        text++;
        len--;
    }
    while (len > 0 && is_blank(text[len - 1])) {
        len--;
    }
    if (len == 0) {
        *cell = binding->when_empty;
        return binding->when_empty != FSIM_CSV_REQUIRED && csv->width > 1;
    }
    if (len > FSIM_CSV_FIELD_MAX || memchr(text, '\r', len) != NULL) {
        return false;
    }
    if (binding->name != NULL) {
        return binding->name(binding->user, text, len, cell, NULL) == FSIM_OK;
    }
    return read_number(binding, text, len, cell);
}

/* A line without its end, as a row. Behind `end` stands a CR or LF. */
static bool take_plain_line(fsim_csv *csv, const char *line, const char *end) {
    size_t width = csv->width;
    for (size_t field = 0; field < width; field++) {
        char after = field + 1u < width ? ',' : *end;
        int64_t *column = csv->columns[field];
        if (column != NULL) {
            const char *stop = read_short_number(line, csv->unit_digits[field], &column[csv->rows]);
            if (stop != NULL && *stop == after && (after == ',' || stop == end)) {
                line = stop + 1;
                continue;
            }
        }
        const char *stop = memchr(line, ',', (size_t)(end - line));
        if ((stop == NULL) != (after != ',')) {
            return false;
        }
        size_t len = (size_t)((stop == NULL ? end : stop) - line);
        if (column != NULL ? !take_other_field(csv, field, line, len)
                           : len > FSIM_CSV_FIELD_MAX || memchr(line, '\r', len) != NULL) {
            return false;
        }
        line += len + 1u;
    }
    return width > 1 || csv->columns[0] != NULL;
}

/* Where the next quote or NUL is, at or behind the place that has been read. */
static void find_plain_end(fsim_csv *csv) {
    if (csv->plain_end > csv->used) {
        return;
    }
    const unsigned char *from = csv->buffer + csv->used;
    size_t left = csv->filled - csv->used;
    const unsigned char *quote = memchr(from, '"', left);
    left = quote != NULL ? (size_t)(quote - from) : left;
    const unsigned char *nul = memchr(from, 0, left);
    csv->plain_end = csv->used + (nul != NULL ? (size_t)(nul - from) : left);
}

/* A line that ends at `newline`, the short way if it can be; false: it is as it was. */
static inline bool take_line(fsim_csv *csv, size_t newline) {
    if (!csv->between_rows || csv->in_header || csv->always_libcsv || newline >= csv->plain_end) {
        return false;
    }
    const char *line = (const char *)csv->buffer + csv->used, *end = (const char *)csv->buffer + newline;
    end -= end > line && end[-1] == '\r';
    if (end == line || !take_plain_line(csv, line, end)) {
        return false;
    }
    csv->lines[csv->rows++] = csv->line++;
    csv->after_cr = false;
    csv->used = newline + 1u;
    return true;
}

/* Reads some lines: at least one, or a part of one, or the end. */
static fsim_status read_lines(fsim_csv *csv, fsim_error *err) {
    size_t stop = csv->used + SLICE_BYTES;
    while (csv->rows < csv->rows_max && csv->used < stop) {
        const unsigned char *from = csv->buffer + csv->used;
        const unsigned char *newline = memchr(from, '\n', csv->filled - csv->used);
        if (newline == NULL && !csv->input_ended && csv->filled - csv->used < READ_BYTES) {
            FSIM_TRY(fill_buffer(csv, err));
            stop = csv->used + SLICE_BYTES;
            continue;
        }
        find_plain_end(csv);
        if (newline != NULL && take_line(csv, (size_t)(newline - csv->buffer))) {
            continue;
        }
        /* libcsv, no more than there is room for: a row takes two bytes or more. */
        size_t len = newline != NULL ? (size_t)(newline - from) + 1u : csv->filled - csv->used;
        size_t most = 2u * (csv->rows_max - csv->rows);
        if (len == 0) {
            return finish(csv, err);
        }
        FSIM_TRY(feed(csv, len < most ? len : most, err));
    }
    return FSIM_OK;
}

static fsim_status read_header(fsim_csv *csv, const char *example, fsim_error *err) {
    /* Byte by byte, so that no row is read before its columns are bound. */
    while (csv->in_header && !csv->at_end) {
        while (!csv->begun || (csv->used == csv->filled && !csv->input_ended)) {
            FSIM_TRY(fill_buffer(csv, err));
        }
        FSIM_TRY(csv->used == csv->filled ? finish(csv, err) : feed(csv, 1, err));
    }
    if (csv->width == 0) {
        return fsim_csv_fail(csv, 1, 0, err, "the file is empty, expected a header line such as %s", example);
    }
    csv->bindings = calloc(csv->width, sizeof *csv->bindings);
    csv->unit_digits = calloc(csv->width, sizeof *csv->unit_digits);
    csv->columns = calloc(csv->width, sizeof *csv->columns);
    bool ok = csv->bindings != NULL && csv->columns != NULL && csv->unit_digits != NULL;
    return ok ? FSIM_OK : out_of_memory(csv, err);
}

static fsim_status open_file(fsim_csv *csv, const char *base_dir, const char *path, const char *example,
                             fsim_error *err) {
    char resolved[FSIM_PATH_MAX];
    FSIM_TRY(fsim_file_resolve(base_dir, path, resolved, sizeof resolved, err));
    csv->buffer = calloc(1, READ_BYTES + 32u); /* numbers are looked at in words */
    if (csv->buffer == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    FSIM_TRY(fsim_input_open(&csv->input, resolved, err));
    return read_header(csv, example, err);
}

fsim_status fsim_csv_open_like(fsim_csv **out, const char *base_dir, const char *path, const char *example,
                               fsim_error *err) {
    fsim_csv *csv = calloc(1, sizeof *csv);
    if (csv == NULL || csv_init(&csv->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL) != 0) {
        free(csv);
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    csv->in_header = csv->between_rows = true;
    csv->line = 1;
    fsim_status status = open_file(csv, base_dir, path, example, err);
    if (status != FSIM_OK) {
        fsim_csv_close(csv);
        return status;
    }
    *out = csv;
    return FSIM_OK;
}

fsim_status fsim_csv_open(fsim_csv **out, const char *base_dir, const char *path, fsim_error *err) {
    return fsim_csv_open_like(out, base_dir, path, "arrival_s,function,duration_ms", err);
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
    fsim_input_close(csv->input);
    free(csv->names);
    free(csv->bindings);
    free(csv->unit_digits);
    free(csv->columns);
    free(csv->lines);
    free(csv->buffer);
    free(csv);
}

void fsim_csv_use_libcsv(fsim_csv *csv) {
    csv->always_libcsv = true;
}

const char *const *fsim_csv_header(const fsim_csv *csv, size_t *count) {
    *count = csv->width;
    return (const char *const *)csv->names;
}

void fsim_csv_bind(fsim_csv *csv, size_t field, const fsim_csv_binding *binding) {
    static const int64_t units[] = {1, 0, 0, 1000, 0, 0, 1000000, 0, 0, 1000000000};
    csv->bindings[field] = *binding;
    csv->unit_digits[field] = NO_DIGITS;
    for (unsigned digits = 0; digits < sizeof units / sizeof units[0]; digits += 3) {
        if (units[digits] == binding->unit && binding->name == NULL) {
            csv->unit_digits[field] = digits;
        }
    }
}

/* Columns of as many rows as the number of bound ones allows; one more, for the beginning of a row. */
static fsim_status make_columns(fsim_csv *csv, fsim_error *err) {
    size_t bound = 0;
    for (size_t f = 0; f < csv->width; f++) {
        bound += csv->bindings[f].expected != NULL;
    }
    csv->rows_max = CELLS_MAX / (uint32_t)(bound + 1u);
    csv->rows_max = csv->rows_max > ROWS_MAX ? ROWS_MAX : csv->rows_max;
    csv->lines = malloc((csv->rows_max + 1u) * sizeof *csv->lines);
    for (size_t f = 0; f < csv->width && csv->lines != NULL; f++) {
        if (csv->bindings[f].expected != NULL) {
            csv->columns[f] = malloc((csv->rows_max + 1u) * sizeof(int64_t));
            if (csv->columns[f] == NULL) {
                return out_of_memory(csv, err);
            }
        }
    }
    return csv->lines == NULL ? out_of_memory(csv, err) : FSIM_OK;
}

fsim_status fsim_csv_next(fsim_csv *csv, fsim_csv_block *block, fsim_error *err) {
    if (csv->lines == NULL) {
        FSIM_TRY(make_columns(csv, err));
    }
    /* The beginning of a row that was cut in two moves to the front. */
    for (size_t f = 0; f < csv->field; f++) {
        if (csv->columns[f] != NULL) {
            csv->columns[f][0] = csv->columns[f][csv->rows];
        }
    }
    csv->rows = 0;
    while (csv->rows == 0 && !csv->at_end) {
        FSIM_TRY(read_lines(csv, err));
    }
    *block = (fsim_csv_block){csv->rows, (const int64_t *const *)csv->columns, csv->lines};
    return FSIM_OK;
}

double fsim_csv_progress(const fsim_csv *csv) {
    return fsim_input_progress(csv->input);
}
