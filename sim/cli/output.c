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
    bool lost = fclose(output->stream) != 0;
    if (status == FSIM_OK && lost) {
        status = fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    if (status == FSIM_OK) {
        bool closed = false;
        status =
            fsim_output_write(STDOUT_FILENO, output->text, output->size, "standard output", &closed, err);
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

/* "00" "01" … "99": two digits a division. */
static const char pairs[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414"
    "2434445464748495051525354555657585960616263646566676869707172737475767778798081828384"
    "858687888990919293949596979899";

char *fsim_output_digits(char *at, uint64_t value) {
    char text[20];
    char *first = text + sizeof text;
    while (value >= 100) {
        first -= 2;
        memcpy(first, pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        first -= 2;
        memcpy(first, pairs + 2 * value, 2);
    } else {
        *--first = (char)('0' + value);
    }
    size_t len = (size_t)(text + sizeof text - first);
    memcpy(at, first, len);
    return at + len;
}

char *fsim_output_fixed(char *at, int64_t value, int places) {
    static const uint32_t powers[] = {1,      10,      100,      1000,      10000,
                                      100000, 1000000, 10000000, 100000000, 1000000000};
    uint64_t scale = powers[places];
    uint64_t whole = (uint64_t)value / scale;
    uint32_t rest = (uint32_t)((uint64_t)value - whole * scale);
    at = fsim_output_digits(at, whole);
    if (rest == 0) {
        return at;
    }
    *at++ = '.';
    for (int i = places; i > 0; i--) {
        at[i - 1] = (char)('0' + rest % 10);
        rest /= 10;
    }
    at += places;
    while (at[-1] == '0') {
        at--;
    }
    return at;
}
