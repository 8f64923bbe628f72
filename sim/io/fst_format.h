/* The layout of .fst files (version 1) as constants: the reader and the writer take every offset from here.
 * The text for people is in workloads/README.md, "Columnar traces (.fst)". All numbers are little-endian.
 *
 *   header | block … block | functions | trailer
 *
 * A checksum is XXH64 of everything in its part in front of it, seeded with the part's offset in the file, so
 * that a part that moved is as wrong as one that changed. */
#ifndef FSIM_IO_FST_FORMAT_H
#define FSIM_IO_FST_FORMAT_H

#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FSIM_FST_VERSION  1u
#define FSIM_FST_ROWS_MAX 1024u /* of a block: one batch of arrivals */
#define FSIM_FST_MAGIC                                                                                       \
    "\x89"                                                                                                   \
    "FST\r\n\x1a\n"
#define FSIM_FST_MAGIC_END  "FST end\n"
#define FSIM_FST_MAGIC_SIZE 8u
#define FSIM_FST_BLOCK      UINT32_C(0x314B4C42) /* "BLK1" */
#define FSIM_FST_FUNCTIONS  UINT32_C(0x31534E46) /* "FNS1" */

/* Numbers of columns, also bits of the trailer's set. */
typedef enum fsim_fst_column {
    FSIM_FST_ARRIVAL,  /* ns; ascending */
    FSIM_FST_FUNCTION, /* number of the function, in the order of first mention */
    FSIM_FST_DURATION, /* ns */
    FSIM_FST_CPU,      /* ns */
    FSIM_FST_MEMORY,   /* MiB */
    FSIM_FST_SESSION,  /* text */
    FSIM_FST_VERSION_NAME,
    FSIM_FST_COLUMNS
} fsim_fst_column;

enum {
    FSIM_FST_CHECKSUM_SIZE = 8,

    FSIM_FST_HEADER_SIZE = 64,
    FSIM_FST_HEADER_VERSION = 8, /* u32 */
    FSIM_FST_HEADER_BYTES = 12,  /* u32: size of the header */
    FSIM_FST_HEADER_ROWS = 16,   /* u32: rows of a block at most; zeros follow up to the checksum */

    FSIM_FST_BLOCK_SIZE = 4,     /* u32: bytes, header and checksum included; a multiple of 8 */
    FSIM_FST_BLOCK_ROWS = 8,     /* u32 */
    FSIM_FST_BLOCK_COLUMNS = 12, /* u32: descriptors that follow */
    FSIM_FST_BLOCK_FIRST = 16,   /* i64: first and last arrival */
    FSIM_FST_BLOCK_LAST = 24,
    FSIM_FST_BLOCK_HEADER = 32,

    /* a descriptor */
    FSIM_FST_COLUMN_ID = 0,     /* u8 */
    FSIM_FST_COLUMN_WIDTH = 1,  /* u8: bits of a packed number: 0 to 57, or 64 */
    FSIM_FST_COLUMN_EMPTY = 2,  /* u8: 1: packed 0 stands for an empty cell, and numbers begin with 1 */
    FSIM_FST_COLUMN_SCALE = 3,  /* u8: numbers are multiples of ten to this power: 0 to 9 */
    FSIM_FST_COLUMN_OFFSET = 4, /* u32: of the data, from the start of the block; a multiple of 8 */
    FSIM_FST_COLUMN_BASE = 8,   /* i64: what is added; text: number of different texts */
    FSIM_FST_COLUMN_SIZE = 16,

    FSIM_FST_FUNCTIONS_COUNT = 4,   /* u32 */
    FSIM_FST_FUNCTIONS_SIZE = 8,    /* u64: bytes, checksum included; a multiple of 8 */
    FSIM_FST_FUNCTIONS_HEADER = 16, /* then 16 bytes a function, then the names, then zeros */
    FSIM_FST_FUNCTION_REQUESTS = 0, /* u64 */
    FSIM_FST_FUNCTION_NAME = 8,     /* u32: bytes of the name; a zero u32 follows */
    FSIM_FST_FUNCTION_SIZE = 16,

    FSIM_FST_TRAILER_SIZE = 64,
    FSIM_FST_TRAILER_FUNCTIONS = 0, /* u64: offset of the functions */
    FSIM_FST_TRAILER_ROWS = 8,      /* u64 */
    FSIM_FST_TRAILER_BLOCKS = 16,   /* u64 */
    FSIM_FST_TRAILER_FIRST = 24,    /* i64: first and last arrival; 0 without rows */
    FSIM_FST_TRAILER_LAST = 32,
    FSIM_FST_TRAILER_COLUMNS = 40, /* u32: set of the columns that the trace has; a zero u32 follows */
    FSIM_FST_TRAILER_MAGIC = 48
};

#define FSIM_FST_WIDTH_MAX 57u /* a number of this width lies within eight bytes, wherever it begins */
#define FSIM_FST_SCALE_MAX 9u

/* The text of a cell, not NUL-terminated; len 0: empty. Never NULL. */
typedef struct fsim_fst_text {
    const char *text;
    uint32_t len;
} fsim_fst_text;

#define FSIM_FST_EMPTY       INT64_C(-1) /* in a column of numbers */
#define FSIM_FST_NO_FUNCTION UINT32_MAX  /* in the column of functions */

__extension__ typedef __int128 fsim_fst_wide;

static const uint64_t fsim_fst_powers[FSIM_FST_SCALE_MAX + 1] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

/* Whether all that a packing of up to 57 bits can stand for is below 2^63. A packing that could reach beyond
 * is not allowed; its numbers are written in 64 bits, with base and scale 0. */
static inline bool fsim_fst_fits(uint32_t width, uint32_t scale, int64_t base) {
    fsim_fst_wide most = ((fsim_fst_wide)1 << width) - 1;
    return most * (fsim_fst_wide)fsim_fst_powers[scale] + base <= INT64_MAX;
}

/* Words that hold n numbers of `width` bits. */
static inline size_t fsim_fst_packed_size(uint32_t n, uint32_t width) {
    return (size_t)(((uint64_t)n * width + 63u) / 64u * 8u);
}

#endif
