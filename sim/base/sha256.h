/* SHA-256 (FIPS 180-4): which input a result belongs to, in a form that sha256sum confirms. About 5 ns a
 * byte. */
#ifndef FSIM_BASE_SHA256_H
#define FSIM_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define FSIM_SHA256_TEXT_SIZE 65

typedef struct fsim_sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    unsigned char block[64];
} fsim_sha256;

void fsim_sha256_begin(fsim_sha256 *hash);
void fsim_sha256_add(fsim_sha256 *hash, const void *bytes, size_t size);
/* 64 hexadecimal digits and a NUL. The hash must begin anew after that. */
void fsim_sha256_end(fsim_sha256 *hash, char out[FSIM_SHA256_TEXT_SIZE]);

#endif
