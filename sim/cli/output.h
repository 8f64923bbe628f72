/* Data on standard output. A command writes into a stream in memory, and the whole goes out at once: nothing
 * is printed by a command that fails half-way, and the reason of a failed write is never lost. A reader that
 * has gone away (closed pipe) is no failure. */
#ifndef FSIM_CLI_OUTPUT_H
#define FSIM_CLI_OUTPUT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct fsim_output {
    FILE *stream;
    char *text;
    size_t size;
} fsim_output;

fsim_status fsim_output_begin(fsim_output *output, fsim_error *err);
/* Writes to standard output what went into the stream, unless `status` is a failure; frees everything;
 * returns `status` or its own. */
fsim_status fsim_output_end(fsim_output *output, fsim_status status, fsim_error *err);
/* The same to another descriptor. */
fsim_status fsim_output_end_on(fsim_output *output, int fd, const char *place, fsim_status status,
                               fsim_error *err);

/* All of bytes to the descriptor. `place` names it in the message. A closed pipe sets *closed and is FSIM_OK.
 */
fsim_status fsim_output_write(int fd, const char *bytes, size_t size, const char *place, bool *closed,
                              fsim_error *err);

#endif
