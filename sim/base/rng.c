/* Random streams and the two non-uniform laws that everything else is built from; see rng.h for sources. */
#include "base/rng.h"

#include "base/rng_tables.h"

#include <math.h>

static uint64_t split_mix(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t fsim_hash_bytes(uint64_t hash, const void *bytes, uint64_t size) {
    const unsigned char *p = bytes;
    for (uint64_t i = 0; i < size; i++) {
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

void fsim_rng_seed(fsim_rng *rng, uint64_t seed, const char *name, fsim_purpose purpose) {
    uint64_t length = 0;
    while (name[length] != '\0') {
        length++;
    }
    uint64_t key = fsim_hash_bytes(FSIM_HASH_START, name, length);
    uint64_t state = seed;
    state = split_mix(&state) ^ key;
    state = split_mix(&state) ^ (uint64_t)purpose;
    for (int i = 0; i < 4; i++) {
        rng->s[i] = split_mix(&state);
    }
}

/* A place beyond the next layer's edge is compared with the density; the base layer beyond its edge is the
 * tail, which for an exponential is the law itself moved by the edge. */
double fsim_rng_exponential_rest(fsim_rng *rng, uint64_t word) {
    double offset = 0.0;
    for (;;) {
        unsigned layer = (unsigned)(word & 255u);
        double x = (double)(int64_t)(word >> 11) * 0x1.0p-53 * fsim_ziggurat_exponential[layer];
        if (x < fsim_ziggurat_exponential[layer + 1u]) {
            return offset + x;
        }
        if (layer == 0) {
            offset += fsim_ziggurat_exponential[1];
        } else {
            double low = exponential_f[layer];
            if (low + (exponential_f[layer + 1u] - low) * fsim_rng_unit(rng) < exp(-x)) {
                return offset + x;
            }
        }
        word = fsim_rng_word(rng);
    }
}

/* Tail of the normal law beyond r: Marsaglia 1964, as in the 2000 paper. */
static double normal_tail(fsim_rng *rng, double r) {
    for (;;) {
        double x = fsim_rng_exponential(rng) / r;
        double y = fsim_rng_exponential(rng);
        if (y + y > x * x) {
            return r + x;
        }
    }
}

double fsim_rng_normal(fsim_rng *rng) {
    for (;;) {
        uint64_t word = fsim_rng_word(rng);
        unsigned layer = (unsigned)(word & 255u);
        double sign = (word & 256u) != 0 ? -1.0 : 1.0;
        double x = (double)(int64_t)(word >> 11) * 0x1.0p-53 * normal_x[layer];
        if (x < normal_x[layer + 1]) {
            return sign * x;
        }
        if (layer == 0) {
            return sign * normal_tail(rng, normal_x[1]);
        }
        double low = normal_f[layer];
        if (low + (normal_f[layer + 1] - low) * fsim_rng_unit(rng) < exp(-0.5 * x * x)) {
            return sign * x;
        }
    }
}
