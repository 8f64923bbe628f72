/* Files: read whole, resolve beside another file, write so that nothing half-written ever stands under its
 * final name. */
#ifndef FSIM_IO_FILE_H
#define FSIM_IO_FILE_H

#include "base/error.h"

#include <stddef.h>
#include <stdio.h>

#define FSIM_PATH_MAX 4096

/* Opens for reading; "-" is standard input. A directory, a missing or an unreadable file is FSIM_EIO. */
fsim_status fsim_file_open(const char *path, FILE **out, fsim_error *err);
/* Closes what fsim_file_open gave (standard input stays open); NULL allowed. */
void fsim_file_close(FILE *file);

/* The first bytes of a file, without taking them; how many, 0 where that is not possible. "-" is standard
 * input before anything of it was read; of a pipe it waits for the first byte and may give fewer than are
 * there. */
size_t fsim_file_peek(const char *path, void *bytes, size_t size);

/* Where standard input can be opened as a file, from its beginning, after fsim_file_keep_stdin. */
#define FSIM_STDIN_PATH "/dev/stdin"
/* What comes through a pipe into a temporary file without a name, in the place of standard input; a file
 * stays as it is. Before anything of it was read. */
fsim_status fsim_file_keep_stdin(fsim_error *err);

/* The file, such as a pipe that has a name, in the place of standard input. */
fsim_status fsim_file_take_stdin(const char *path, fsim_error *err);

/* The whole file, followed by a NUL that is not counted in *size; the caller frees *bytes. More than
 * max_bytes is FSIM_ELIMIT. */
fsim_status fsim_file_read_all(const char *path, size_t max_bytes, char **bytes, size_t *size,
                               fsim_error *err);
/* The same for an open stream; `path` is for messages. */
fsim_status fsim_file_read_stream(FILE *file, const char *path, size_t max_bytes, char **bytes, size_t *size,
                                  fsim_error *err);

/* `path` as seen from base_dir: absolute paths, "-" and those with base_dir NULL stay as they are. FSIM_EIO
 * if longer than `size`. */
fsim_status fsim_file_resolve(const char *base_dir, const char *path, char *out, size_t size,
                              fsim_error *err);
/* The directory part of `path`: "." when it has none. */
void fsim_file_directory(const char *path, char *out, size_t size);

/* Creates the directory and those above it; existing ones are fine. */
fsim_status fsim_file_make_directory(const char *path, fsim_error *err);

/* A file being written: under a temporary name beside the final one until fsim_file_commit renames it. */
typedef struct fsim_file_draft {
    FILE *stream; /* NULL: not open */
    char path[FSIM_PATH_MAX], temporary[FSIM_PATH_MAX];
} fsim_file_draft;

fsim_status fsim_file_create(fsim_file_draft *draft, const char *path, fsim_error *err);
/* Flushes, checks every write so far, renames. On failure the temporary file is removed. */
fsim_status fsim_file_commit(fsim_file_draft *draft, fsim_error *err);
/* Removes the temporary file; harmless after commit and on a zeroed draft. */
void fsim_file_abandon(fsim_file_draft *draft);

#endif
