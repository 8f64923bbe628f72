/* Allocates 1 MiB of linear memory with its first call and touches every page of it with each: a function
 * whose size counts. Gives the bytes it holds, or traps when it gets none. */
#include <stdint.h>

#define PAGE  65536u
#define PAGES 16u

static uint8_t *block;
static uint8_t round;

__attribute__((export_name("run"))) int32_t run(void) {
    if (block == 0) {
        uintptr_t before = __builtin_wasm_memory_grow(0, PAGES);
        if (before == (uintptr_t)-1) {
            __builtin_trap();
        }
        block = (uint8_t *)(before * PAGE);
    }
    round++;
    for (uint32_t at = 0; at < PAGES * PAGE; at += 4096u) {
        block[at] = round;
    }
    return (int32_t)(PAGES * PAGE);
}
