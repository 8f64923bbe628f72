/* A file as a stream of bytes, unpacked on the way: gzip (several members too) and zstd are told by their
 * magic bytes, whatever the file is called. The only place that knows zlib and libzstd. Memory: two buffers,
 * whatever the file's length. */
#ifndef FSIM_IO_INPUT_H
#define FSIM_IO_INPUT_H

#include "base/error.h"

#include <stddef.h>
#include <stdio.h>

typedef struct fsim_input fsim_input;

/* "-" is standard input. FSIM_EIO: no such file, a directory, not readable. */
fsim_status fsim_input_open(fsim_input **out, const char *path, fsim_error *err);
/* Up to `size` bytes; *got 0 only at the end. FSIM_EDATA when packed data are damaged or end too early. */
fsim_status fsim_input_read(fsim_input *input, void *bytes, size_t size, size_t *got, fsim_error *err);
/* The whole file, unpacked and followed by a NUL that is not counted in *size; the caller frees *bytes. More
 * than max_bytes is FSIM_ELIMIT. */
fsim_status fsim_input_read_all(const char *path, size_t max_bytes, char **bytes, size_t *size,
                                fsim_error *err);
/* The first bytes of a file as they are unpacked, without taking them; how many, 0 where that cannot be. "-"
 * is standard input before anything of it was read; what comes packed through a pipe cannot be looked into.
 * Blocks as fsim_file_peek does. */
size_t fsim_input_peek(const char *path, void *bytes, size_t size);
/* What is in a packed file as a temporary file without a name, at its beginning; the caller closes it. *out
 * NULL: the file is not packed, or no regular one. "-" is standard input. */
fsim_status fsim_input_unpack(const char *path, FILE **out, fsim_error *err);
/* fsim_file_keep_stdin where standard input is packed, so that it can be looked into. */
fsim_status fsim_input_keep_packed_stdin(fsim_error *err);
/* How the file is named in messages. */
const char *fsim_input_name(const fsim_input *input);
/* Share of the file read so far, 0..1; -1 when its size is not known. */
double fsim_input_progress(const fsim_input *input);
void fsim_input_close(fsim_input *input); /* NULL allowed */

/* Line by line, for text that is no CSV. */
typedef struct fsim_lines fsim_lines;

fsim_status fsim_lines_open(fsim_lines **out, const char *path, fsim_error *err);
/* The next line without LF or CRLF (and, of the first, a UTF-8 byte order mark), followed by a NUL that is
 * not counted; valid until the next call, and may be changed by the caller. *line NULL: the end. A line above
 * FSIM_LINE_MAX bytes is FSIM_EDATA. */
fsim_status fsim_lines_next(fsim_lines *lines, char **line, size_t *len, fsim_error *err);
/* Number of the line last given, from 1. */
unsigned long long fsim_lines_number(const fsim_lines *lines);
/* FSIM_EDATA at byte `column` (from 1) of the line last given. */
fsim_status fsim_lines_fail(const fsim_lines *lines, size_t column, fsim_error *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
double fsim_lines_progress(const fsim_lines *lines);
void fsim_lines_close(fsim_lines *lines); /* NULL allowed */

#endif
