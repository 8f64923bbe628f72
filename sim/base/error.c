/* First error wins; see error.h. */
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>

#undef fsim_fail_at
#undef fsim_fail

static void fill(fsim_error *err, fsim_status status, const char *place, const char *fmt, va_list args) {
    if (err == NULL || err->status != FSIM_OK) {
        return;
    }
    err->status = status;
    snprintf(err->place, sizeof err->place, "%s", place == NULL ? "" : place);
    vsnprintf(err->text, sizeof err->text, fmt, args);
}

fsim_status fsim_fail_at(fsim_error *err, fsim_status status, const char *place, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    fill(err, status, place, fmt, args);
    va_end(args);
    return status;
}

fsim_status fsim_fail(fsim_error *err, fsim_status status, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    fill(err, status, NULL, fmt, args);
    va_end(args);
    return status;
}

void fsim_assert_failed(const char *condition, const char *file, int line) {
    fprintf(stderr, "fsim: bug: %s is false at %s:%d\n", condition, file, line);
    abort();
}
