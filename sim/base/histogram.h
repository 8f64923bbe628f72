/* Log-linear histogram of nanoseconds: exact below 256 ns, then 128 buckets an octave, so that a bucket's
 * middle is within 0.4 % of every value in it (the contract asks for 0.5 %). Fixed size (57 KiB), one
 * increment per value (about 1 ns), mergeable. */
#ifndef FSIM_BASE_HISTOGRAM_H
#define FSIM_BASE_HISTOGRAM_H

#include "base/inline.h"
#include "base/time.h"

#include <stddef.h>
#include <stdint.h>

#define FSIM_HISTOGRAM_BUCKETS 7296u

typedef struct fsim_histogram {
    uint64_t count[FSIM_HISTOGRAM_BUCKETS];
} fsim_histogram;

/* Bucket of value_ns >= 0. */
FSIM_INLINE uint32_t fsim_histogram_bucket(fsim_ns value_ns) {
    uint64_t v = (uint64_t)value_ns;
    uint32_t highest = 63u ^ (uint32_t)__builtin_clzll(v | 255u); /* bit: in this form one instruction */
    uint32_t shift = highest - 7u;
    return (shift << 7) + (uint32_t)(v >> shift);
}

FSIM_INLINE void fsim_histogram_add(fsim_histogram *h, fsim_ns value_ns) {
    h->count[fsim_histogram_bucket(value_ns)]++;
}

/* Inclusive range of values that fall into `bucket`. */
fsim_ns fsim_histogram_low(uint32_t bucket);
fsim_ns fsim_histogram_high(uint32_t bucket);

void fsim_histogram_merge(fsim_histogram *into, const fsim_histogram *from);
uint64_t fsim_histogram_total(const fsim_histogram *h);

/* Value in ns below or at which a share p (0..1) of the values lies, interpolated inside the bucket and kept
 * within [min_ns, max_ns]; 0 when empty. */
double fsim_histogram_quantile(const fsim_histogram *h, double p, fsim_ns min_ns, fsim_ns max_ns);

#endif
