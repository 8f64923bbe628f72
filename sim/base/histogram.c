/* See histogram.h. */
#include "base/histogram.h"

fsim_ns fsim_histogram_low(uint32_t bucket) {
    if (bucket < 256u) {
        return (fsim_ns)bucket;
    }
    uint32_t shift = (bucket >> 7) - 1u;
    return (fsim_ns)((uint64_t)(bucket - (shift << 7)) << shift);
}

fsim_ns fsim_histogram_high(uint32_t bucket) {
    return bucket + 1u >= FSIM_HISTOGRAM_BUCKETS ? FSIM_NEVER : fsim_histogram_low(bucket + 1u) - 1;
}

void fsim_histogram_merge(fsim_histogram *into, const fsim_histogram *from) {
    for (uint32_t i = 0; i < FSIM_HISTOGRAM_BUCKETS; i++) {
        into->count[i] += from->count[i];
    }
}

uint64_t fsim_histogram_total(const fsim_histogram *h) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < FSIM_HISTOGRAM_BUCKETS; i++) {
        total += h->count[i];
    }
    return total;
}

double fsim_histogram_quantile(const fsim_histogram *h, double p, fsim_ns min_ns, fsim_ns max_ns) {
    uint64_t total = fsim_histogram_total(h);
    if (total == 0) {
        return 0.0;
    }
    double rank = p * (double)total; /* how many values lie at or below the answer */
    uint64_t below = 0;
    uint32_t bucket = 0;
    while (bucket + 1u < FSIM_HISTOGRAM_BUCKETS && (double)(below + h->count[bucket]) < rank) {
        below += h->count[bucket++];
    }
    while (h->count[bucket] == 0) { /* p = 0 ends in front of the first value */
        bucket++;
    }
    double low = (double)fsim_histogram_low(bucket);
    double width = bucket < 256u ? 0.0 : (double)(fsim_histogram_high(bucket) - fsim_histogram_low(bucket));
    double share = (rank - (double)below) / (double)h->count[bucket];
    double value = low + width * (share < 0.0 ? 0.0 : share);
    if (value < (double)min_ns) {
        return (double)min_ns;
    }
    return value > (double)max_ns ? (double)max_ns : value;
}
