/* Any bytes as an .fst trace: refused with a place and a message, or a stream of arrivals that keeps its
 * promises. A checksum would stop nearly every input at once, so each is tried a second time with its
 * checksums put right: that is how the fuzzer gets at what stands behind them. */
#include "base/bytes.h"
#include "base/checksum.h"
#include "io/fst_format.h"
#include "support/fuzz_files.h"
#include "support/fuzz_input.h"

/* Of the part at `offset`, if it lies inside the file. */
static void mend(uint8_t *bytes, size_t size, uint64_t offset, uint64_t part) {
    if (part >= FSIM_FST_CHECKSUM_SIZE && offset <= size && part <= size - offset) {
        uint64_t covered = part - FSIM_FST_CHECKSUM_SIZE;
        fsim_bytes_put64(bytes + offset + covered, fsim_checksum(bytes + offset, covered, offset));
    }
}

static void mend_all(uint8_t *bytes, size_t size) {
    uint64_t trailer = size - FSIM_FST_TRAILER_SIZE, at = FSIM_FST_HEADER_SIZE;
    mend(bytes, size, 0, FSIM_FST_HEADER_SIZE);
    mend(bytes, size, trailer, FSIM_FST_TRAILER_SIZE);
    uint64_t functions = fsim_bytes_get64(bytes + trailer + FSIM_FST_TRAILER_FUNCTIONS);
    if (functions <= trailer) {
        mend(bytes, size, functions, trailer - functions);
    }
    while (at <= size - FSIM_FST_BLOCK_HEADER) {
        uint64_t part = fsim_bytes_get32(bytes + at + FSIM_FST_BLOCK_SIZE);
        if (part < FSIM_FST_BLOCK_HEADER || part > size - at || at + part > functions) {
            break;
        }
        mend(bytes, size, at, part);
        at += part;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_source("fst", NULL, data, size, 0);
    if (size >= FSIM_FST_HEADER_SIZE + FSIM_FST_TRAILER_SIZE) {
        uint8_t *copy = malloc(size);
        fsim_assert(copy != NULL);
        memcpy(copy, data, size);
        mend_all(copy, size);
        fuzz_source("fst", NULL, copy, size, 0);
        free(copy);
    }
    return 0;
}
