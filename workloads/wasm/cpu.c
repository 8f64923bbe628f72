/* CPU-bound, about a millisecond of one core: a chain of xorshift steps that no compiler can shorten. */
#include <stdint.h>

__attribute__((export_name("run"))) int32_t run(void) {
    uint32_t x = 2463534242u;
    for (uint32_t i = 0; i < 700000u; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
    }
    return (int32_t)x;
}
