/* Writes a line to standard output through WASI, as a function that logs does. */
#include <stddef.h>
#include <stdint.h>

typedef struct ciovec {
    const char *bytes;
    uint32_t size;
} ciovec;

__attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_write"))) int32_t
fd_write(int32_t fd, const ciovec *parts, uint32_t count, uint32_t *written);

static char line[] = "request 0000000000 done\n";

__attribute__((export_name("run"))) int32_t run(void) {
    uint32_t written = 0;
    for (size_t i = 17; i >= 8 && ++line[i] > '9'; i--) { /* the next number */
        line[i] = '0';
    }
    ciovec part = {line, sizeof line - 1};
    return fd_write(1, &part, 1, &written) == 0 ? (int32_t)written : -1;
}
