/* XXH64; see checksum.h. */
#include "base/checksum.h"

#include "base/bytes.h"

#define P1 UINT64_C(0x9E3779B185EBCA87)
#define P2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define P3 UINT64_C(0x165667B19E3779F9)
#define P4 UINT64_C(0x85EBCA77C2B2AE63)
#define P5 UINT64_C(0x27D4EB2F165667C5)

static inline uint64_t rotate(uint64_t x, unsigned bits) {
    return (x << bits) | (x >> (64u - bits));
}

static inline uint64_t mix(uint64_t lane, uint64_t word) {
    return rotate(lane + word * P2, 31) * P1;
}

static inline uint64_t join(uint64_t sum, uint64_t lane) {
    return (sum ^ mix(0, lane)) * P1 + P4;
}

/* Whole stripes of 32 bytes in four lanes that do not wait for one another. */
static uint64_t stripes(const uint8_t **at, const uint8_t *end, uint64_t seed) {
    const uint8_t *p = *at;
    uint64_t a = seed + P1 + P2, b = seed + P2, c = seed, d = seed - P1;
    for (; end - p >= 32; p += 32) {
        a = mix(a, fsim_bytes_get64(p));
        b = mix(b, fsim_bytes_get64(p + 8));
        c = mix(c, fsim_bytes_get64(p + 16));
        d = mix(d, fsim_bytes_get64(p + 24));
    }
    *at = p;
    uint64_t sum = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    return join(join(join(join(sum, a), b), c), d);
}

uint64_t fsim_checksum(const void *bytes, size_t size, uint64_t seed) {
    const uint8_t *at = bytes, *end = at + size;
    uint64_t sum = size >= 32 ? stripes(&at, end, seed) : seed + P5;
    sum += size;
    for (; end - at >= 8; at += 8) {
        sum = rotate(sum ^ mix(0, fsim_bytes_get64(at)), 27) * P1 + P4;
    }
    if (end - at >= 4) {
        sum = rotate(sum ^ fsim_bytes_get32(at) * P1, 23) * P2 + P3;
        at += 4;
    }
    for (; at < end; at++) {
        sum = rotate(sum ^ *at * P5, 11) * P1;
    }
    sum = (sum ^ (sum >> 33)) * P2;
    sum = (sum ^ (sum >> 29)) * P3;
    return sum ^ (sum >> 32);
}
