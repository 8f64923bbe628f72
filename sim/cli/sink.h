/* Rows by the million to standard output or into a file: a block buffer over a descriptor. A regular file is
 * written under a temporary name and renamed at the end; a device or pipe is written in place; a reader that
 * has gone away ends the work without an error. */
#ifndef FSIM_CLI_SINK_H
#define FSIM_CLI_SINK_H

#include "io/file.h"

#include <stdbool.h>

#define FSIM_SINK_ROOM_MAX ((size_t)1 << 18)

/* All fields are private but `closed`. */
typedef struct fsim_sink {
    int fd;
    bool owns_fd, closed; /* closed: nobody reads any more, stop producing */
    const char *place;
    char *buffer;
    size_t used;
    fsim_file_draft draft;
} fsim_sink;

/* path NULL or "-": standard output. `path` must outlive the sink. */
fsim_status fsim_sink_open(fsim_sink *sink, const char *path, fsim_error *err);
/* Room for `size` bytes (a row; at most FSIM_SINK_ROOM_MAX) at the write position; NULL: failed, see err. The
 * caller advances by fsim_sink_put. */
char *fsim_sink_room(fsim_sink *sink, size_t size, fsim_error *err);
/* What stands between the pointer of fsim_sink_room and `end` belongs to the output. */
void fsim_sink_put(fsim_sink *sink, const char *end);
/* Writes the rest and gives the file its name, or removes it when `status` is a failure. Returns `status` or
 * its own. */
fsim_status fsim_sink_close(fsim_sink *sink, fsim_status status, fsim_error *err);

#endif
