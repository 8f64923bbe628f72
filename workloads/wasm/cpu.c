/* CPU-bound: a chain of xorshift steps that no compiler can shorten; about a millisecond of one core. */
#include <stdint.h>

#ifndef STEPS
#define STEPS 700000u
#endif

__attribute__((export_name("run"))) int32_t run(void) {
    uint32_t x = 2463534242u;
    for (uint32_t i = 0; i < STEPS; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
    }
    return (int32_t)x;
}
