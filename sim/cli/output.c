#include "cli/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

fsim_status fsim_output_begin(fsim_output *output, fsim_error *err) {
    *output = (fsim_output){0};
    output->stream = open_memstream(&output->text, &output->size);
    return output->stream == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory") : FSIM_OK;
}

fsim_status fsim_output_end(fsim_output *output, fsim_status status, fsim_error *err) {
    return fsim_output_end_on(output, STDOUT_FILENO, "standard output", status, err);
}

fsim_status fsim_output_end_on(fsim_output *output, int fd, const char *place, fsim_status status,
                               fsim_error *err) {
    bool lost = fclose(output->stream) != 0;
    if (status == FSIM_OK && lost) {
        status = fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    if (status == FSIM_OK) {
        bool closed = false;
        status = fsim_output_write(fd, output->text, output->size, place, &closed, err);
    }
    free(output->text);
    *output = (fsim_output){0};
    return status;
}

fsim_status fsim_output_write(int fd, const char *bytes, size_t size, const char *place, bool *closed,
                              fsim_error *err) {
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0 && errno == EPIPE) {
            *closed = true;
            return FSIM_OK;
        }
        if (written < 0) {
            return fsim_fail_at(err, FSIM_EIO, place, "cannot write: %s", strerror(errno));
        }
        bytes += written;
        size -= (size_t)written;
    }
    return FSIM_OK;
}
