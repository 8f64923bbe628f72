/* Columnar traces (.fst), version 1: memory-mapped, read block by block. The format is described to the byte
 * in workloads/README.md.
 *
 * Nothing of a file is believed: every block carries a checksum, and every offset, width and number is
 * checked before it is used. Damage is FSIM_EDATA at "file:block N (byte OFFSET)", a file that breaks off
 * says in which block. A file of another version is FSIM_EDATA with both versions.
 *
 * Cost: 3 to 4 ns a row of three columns, the checksum included. Pages that have been read are given back, so
 * that memory does not grow with the file. A file that is shortened while it is mapped ends the process. */
#ifndef FSIM_IO_FST_READER_H
#define FSIM_IO_FST_READER_H

#include "base/error.h"
#include "io/fst_format.h"

#include <stdbool.h>

typedef struct fsim_fst fsim_fst;

/* What the file says about itself. */
typedef struct fsim_fst_about {
    uint64_t rows, blocks, bytes;
    fsim_ns first_ns, last_ns;
    uint32_t columns; /* set of 1 << fsim_fst_column */
    uint32_t functions;
} fsim_fst_about;

typedef struct fsim_fst_packed {
    uint8_t width, empty, scale;
    const uint8_t *data;
    int64_t base;
} fsim_fst_packed;

/* One block, checked; valid until the next fsim_fst_next. */
typedef struct fsim_fst_block {
    uint32_t count;   /* rows; 0: the end of the trace */
    uint32_t columns; /* set; a column of the trace that is not in it is empty in all rows */
    fsim_ns first_ns, last_ns;
    uint64_t number, offset; /* from 0; in the file */
    const uint8_t *bytes;
    uint32_t size;
    fsim_fst_packed column[FSIM_FST_COLUMNS];
} fsim_fst_block;

/* `path` relative to base_dir; "-" and pipes are read into memory as a whole. */
fsim_status fsim_fst_open(fsim_fst **out, const char *base_dir, const char *path, fsim_error *err);
/* The same for an open descriptor of a regular file, which stays the caller's; `name` is for messages. */
fsim_status fsim_fst_open_fd(fsim_fst **out, int fd, const char *name, fsim_error *err);
void fsim_fst_close(fsim_fst *fst); /* NULL allowed */

const fsim_fst_about *fsim_fst_describe(const fsim_fst *fst);
/* Name (not NUL-terminated) and number of requests of a function below `functions`; both out pointers may be
 * NULL. */
fsim_fst_text fsim_fst_function(const fsim_fst *fst, uint32_t function, uint64_t *requests);

fsim_status fsim_fst_next(fsim_fst *fst, fsim_fst_block *block, fsim_error *err);
/* Back to the first block. */
void fsim_fst_rewind(fsim_fst *fst);
/* Share of the file read so far, 0..1. */
double fsim_fst_progress(const fsim_fst *fst);

/* Columns of the block at hand; `out` has room for FSIM_FST_ROWS_MAX. All but the arrivals may be missing
 * (block.columns): then they fill `out` with empty cells. */
fsim_status fsim_fst_read_arrivals(const fsim_fst *fst, const fsim_fst_block *block, fsim_ns *out,
                                   fsim_error *err);
/* Numbers of functions, below `functions` or FSIM_FST_NO_FUNCTION. */
fsim_status fsim_fst_read_functions(const fsim_fst *fst, const fsim_fst_block *block, uint32_t *out,
                                    fsim_error *err);
/* DURATION, CPU, MEMORY: at least 0, or FSIM_FST_EMPTY. */
fsim_status fsim_fst_read_numbers(const fsim_fst *fst, const fsim_fst_block *block, fsim_fst_column column,
                                  int64_t *out, fsim_error *err);
/* SESSION, VERSION_NAME. The texts stand in the file. */
fsim_status fsim_fst_read_texts(const fsim_fst *fst, const fsim_fst_block *block, fsim_fst_column column,
                                fsim_fst_text *out, fsim_error *err);

/* A failure in a block. */
fsim_status fsim_fst_fail(const fsim_fst *fst, const fsim_fst_block *block, fsim_error *err, const char *fmt,
                          ...) __attribute__((format(printf, 4, 5)));

/* Whether a file begins like an .fst of any version, or what waits on standard input ("-"), whose bytes stay
 * there: waits for the first of them if nobody has written one yet. False where it cannot be told. */
bool fsim_fst_is_at(const char *path);

#endif
