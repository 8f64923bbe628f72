/* Any bytes as a file that may be packed by gzip or zstd: the same bytes whatever pieces they are asked for
 * in, or a refusal. */
#include "support/fuzz_input.h"
#include "io/input.h"
#include "support/fuzz_files.h"

#include <stdbool.h>
#include <unistd.h>

#define UNPACKED_MAX (1u << 22) /* a few bytes can promise gigabytes */

typedef struct reading {
    fsim_status status;
    uint64_t bytes, hash;
} reading;

static reading read_file(const char *path, size_t piece) {
    unsigned char bytes[4096];
    fsim_input *in = NULL;
    fsim_error err = {0};
    reading r = {.hash = 1};
    size_t got = 1;
    r.status = fsim_input_open(&in, path, &err);
    while (r.status == FSIM_OK && got > 0 && r.bytes < UNPACKED_MAX) {
        size_t left = UNPACKED_MAX - r.bytes;
        r.status = fsim_input_read(in, bytes, left < piece ? left : piece, &got, &err);
        for (size_t i = 0; r.status == FSIM_OK && i < got; i++) {
            r.hash = (r.hash ^ bytes[i]) * UINT64_C(0x100000001b3);
        }
        r.bytes += r.status == FSIM_OK ? got : 0;
    }
    fsim_input_close(in);
    fuzz_check_error(r.status, &err);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    int file = fuzz_open_file(data, size, path, sizeof path);
    reading large = read_file(path, 4096), small = read_file(path, 7);
    close(file);
    /* libzstd compares the length that a frame promises only where it has room for all of it. */
    bool both = large.status == FSIM_OK && small.status == FSIM_OK;
    fsim_assert(!both || (large.bytes == small.bytes && large.hash == small.hash));
    return 0;
}
