#include "cli/sink.h"

#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Neither a regular file nor absent: /dev/null, a named pipe. Renaming over it would destroy it. */
static bool is_special(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode);
}

static fsim_status open_target(fsim_sink *sink, const char *path, fsim_error *err) {
    if (path == NULL || strcmp(path, "-") == 0) {
        sink->fd = STDOUT_FILENO;
        sink->place = "standard output";
        return FSIM_OK;
    }
    sink->place = path;
    if (is_special(path)) {
        sink->fd = open(path, O_WRONLY | O_CLOEXEC);
        sink->owns_fd = sink->fd >= 0;
        return sink->fd >= 0
                   ? FSIM_OK
                   : fsim_fail_at(err, FSIM_EIO, path, "cannot open for writing: %s", strerror(errno));
    }
    FSIM_TRY(fsim_file_create(&sink->draft, path, err));
    sink->fd = fileno(sink->draft.stream);
    return FSIM_OK;
}

fsim_status fsim_sink_open(fsim_sink *sink, const char *path, fsim_error *err) {
    memset(sink, 0, sizeof *sink);
    sink->buffer = malloc(FSIM_SINK_ROOM_MAX);
    if (sink->buffer == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_status status = open_target(sink, path, err);
    if (status != FSIM_OK) {
        free(sink->buffer);
        sink->buffer = NULL;
    }
    return status;
}

static fsim_status flush(fsim_sink *sink, fsim_error *err) {
    size_t size = sink->used;
    sink->used = 0;
    return sink->closed ? FSIM_OK
                        : fsim_output_write(sink->fd, sink->buffer, size, sink->place, &sink->closed, err);
}

char *fsim_sink_room(fsim_sink *sink, size_t size, fsim_error *err) {
    if (size > FSIM_SINK_ROOM_MAX) {
        fsim_fail_at(err, FSIM_ELIMIT, sink->place, "a row of more than %d bytes", (int)FSIM_SINK_ROOM_MAX);
        return NULL;
    }
    if (sink->used + size > FSIM_SINK_ROOM_MAX && flush(sink, err) != FSIM_OK) {
        return NULL;
    }
    return sink->buffer + sink->used;
}

void fsim_sink_put(fsim_sink *sink, const char *end) {
    sink->used = (size_t)(end - sink->buffer);
}

fsim_status fsim_sink_close(fsim_sink *sink, fsim_status status, fsim_error *err) {
    if (status == FSIM_OK) {
        status = flush(sink, err);
    }
    if (sink->draft.stream != NULL && status == FSIM_OK) {
        status = fsim_file_commit(&sink->draft, err);
    }
    fsim_file_abandon(&sink->draft);
    if (sink->owns_fd && close(sink->fd) != 0 && status == FSIM_OK) {
        status = fsim_fail_at(err, FSIM_EIO, sink->place, "cannot write: %s", strerror(errno));
    }
    free(sink->buffer);
    sink->buffer = NULL;
    return status;
}
