/* Any bytes as the stream of a worker: decoded frame by frame until it is refused or runs dry; what was
 * decoded is encoded to the same bytes. */
#include "support/fuzz_input.h"
#include "wasm/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *exact = malloc(size + (size == 0));
    fsim_assert(exact != NULL);
    if (size > 0) {
        memcpy(exact, data, size);
    }
    for (size_t at = 0;;) {
        fsim_wasm_message message;
        fsim_error err = {0};
        size_t used = 0;
        fsim_status status = fsim_wasm_decode(exact + at, size - at, &message, &used, &err);
        fuzz_check_error(status, &err);
        if (status != FSIM_OK || used == 0) {
            break;
        }
        uint8_t again[FSIM_WASM_FRAME_MAX];
        fsim_assert(fsim_wasm_encode(&message, again) == used && memcmp(again, exact + at, used) == 0);
        at += used;
    }
    free(exact);
    return 0;
}
