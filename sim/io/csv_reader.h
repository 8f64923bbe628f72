/* CSV, streamed as blocks of typed columns: memory does not grow with the file. Plain lines are cut here, the
 * rest by libcsv; this is the only place that knows it. gzip and zstd are unpacked on the way (io/input.h).
 *
 * Read are comma-separated rows after one header line: LF, CRLF or CR, with or without a final newline, a
 * UTF-8 byte order mark, quoted fields (also with commas, quotes and newlines inside), blank lines, blanks
 * around fields. Every row has as many fields as the header. Errors are FSIM_EDATA at file:line:column, the
 * column being the number of the field, from 1.
 *
 * Cost: 25 to 30 ns for a plain row of two numbers; 90 ns for four short fields through libcsv. */
#ifndef FSIM_IO_CSV_READER_H
#define FSIM_IO_CSV_READER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fsim_csv fsim_csv;

/* Turns the text of a cell (len bytes, no NUL inside) into a number that stands for it. May be called twice
 * for a cell; err may be NULL. */
typedef fsim_status (*fsim_csv_name_fn)(void *user, const char *text, size_t len, int64_t *value,
                                        fsim_error *err);

#define FSIM_CSV_REQUIRED INT64_MIN /* as `when_empty`: an empty cell is an error */

/* How the cells of a column are read: by `name` where it is set, else as a decimal of at least 0 times
 * `unit`, to the nearest whole number, below 2^63 (times in seconds: unit 1,000,000,000 gives ns). Neither:
 * the column is not read. */
typedef struct fsim_csv_binding {
    int64_t unit;
    const char *expected; /* what a cell should hold, for messages: "a duration in milliseconds" */
    int64_t when_empty;
    bool nan_is_empty; /* the number NaN stands for an empty cell */
    fsim_csv_name_fn name;
    void *user;
} fsim_csv_binding;

/* Rows as columns; valid until the next call. columns[f] is NULL for a field that is not bound. */
typedef struct fsim_csv_block {
    uint32_t count; /* 0: the end */
    const int64_t *const *columns;
    const uint64_t *lines; /* where each row begins, from 1 */
} fsim_csv_block;

/* Opens `path` ("-": standard input), relative to base_dir, and reads the header. */
fsim_status fsim_csv_open(fsim_csv **out, const char *base_dir, const char *path, fsim_error *err);
/* The same; `example` is the header line that the message about an empty file shows. */
fsim_status fsim_csv_open_like(fsim_csv **out, const char *base_dir, const char *path, const char *example,
                               fsim_error *err);
/* The names in the header; NULL-terminated. */
const char *const *fsim_csv_header(const fsim_csv *csv, size_t *count);
/* Before the first fsim_csv_next. */
void fsim_csv_bind(fsim_csv *csv, size_t field, const fsim_csv_binding *binding);
/* Every line through libcsv: to test that the short way agrees with it. Before the first fsim_csv_next. */
void fsim_csv_use_libcsv(fsim_csv *csv);
fsim_status fsim_csv_next(fsim_csv *csv, fsim_csv_block *block, fsim_error *err);
/* A failure at a row and field (from 0) of the reader's file. */
fsim_status fsim_csv_fail(const fsim_csv *csv, uint64_t line, size_t field, fsim_error *err, const char *fmt,
                          ...) __attribute__((format(printf, 5, 6)));
/* Share of the file read so far, 0..1; -1 when its size is not known. */
double fsim_csv_progress(const fsim_csv *csv);
void fsim_csv_close(fsim_csv *csv); /* NULL allowed */

#endif
