/* Any bytes as a Wasm module: refused with a reason, or accepted with something to call. */
#include "support/fuzz_input.h"
#include "wasm/module.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const fsim_wasm_bounds bounds = {1u << 20, 256, 1000};
    fsim_wasm_module module;
    fsim_error err = {0};
    uint8_t *exact = malloc(size + (size == 0)); /* so that a read beyond the end is seen */
    fsim_assert(exact != NULL);
    if (size > 0) {
        memcpy(exact, data, size);
    }
    fsim_status status = fsim_wasm_check(&module, exact, size, &bounds, "module.wasm", &err);
    fuzz_check_error(status, &err);
    fsim_assert(module.memory_pages <= bounds.memory_pages && module.table_entries <= bounds.table_entries);
    free(exact);
    return 0;
}
