/* Numbers in files and in hashes: little-endian, at any address, on every machine. */
#ifndef FSIM_BASE_BYTES_H
#define FSIM_BASE_BYTES_H

#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define FSIM_BYTES_SWAP32(x) __builtin_bswap32(x)
#define FSIM_BYTES_SWAP64(x) __builtin_bswap64(x)
#else
#define FSIM_BYTES_SWAP32(x) (x)
#define FSIM_BYTES_SWAP64(x) (x)
#endif

static inline uint32_t fsim_bytes_get32(const uint8_t *at) {
    uint32_t x;
    memcpy(&x, at, sizeof x);
    return FSIM_BYTES_SWAP32(x);
}

static inline uint64_t fsim_bytes_get64(const uint8_t *at) {
    uint64_t x;
    memcpy(&x, at, sizeof x);
    return FSIM_BYTES_SWAP64(x);
}

static inline void fsim_bytes_put32(uint8_t *at, uint32_t x) {
    x = FSIM_BYTES_SWAP32(x);
    memcpy(at, &x, sizeof x);
}

static inline void fsim_bytes_put64(uint8_t *at, uint64_t x) {
    x = FSIM_BYTES_SWAP64(x);
    memcpy(at, &x, sizeof x);
}

#endif
