/* Random streams. Each stream is xoshiro256++ seeded from (seed, name, purpose), so that adding a function, a
 * policy or a thread never changes another stream's draws: that is what makes comparisons between policies
 * use common random numbers.
 *
 * Sources: D. Blackman, S. Vigna, "Scrambled linear pseudorandom number generators" (2021) for xoshiro256++;
 * G. Steele et al. (2014) for SplitMix64; G. Marsaglia, W. W. Tsang, "The ziggurat method for generating
 * random variables" (2000) for exponential and normal variates. Cost: 1 ns a word, 2 to 3 ns an exponential
 * variate. The same bits on every compiler: only IEEE basic operations. */
#ifndef FSIM_BASE_RNG_H
#define FSIM_BASE_RNG_H

#include "base/inline.h"

#include <stdint.h>

typedef struct fsim_rng {
    uint64_t s[4];
} fsim_rng;

/* What a stream is for; part of its key. Append only: the numbers are part of every result. */
typedef enum fsim_purpose {
    FSIM_RNG_ARRIVALS = 1,
    FSIM_RNG_SERVICE = 2,
    FSIM_RNG_COLD_START = 3,
    FSIM_RNG_KEEPALIVE = 4,
    FSIM_RNG_QUEUE_TIMEOUT = 5,
    FSIM_RNG_ROUTING = 6,
    FSIM_RNG_RETRY = 7,
    FSIM_RNG_THINK = 8,
    FSIM_RNG_SCALING = 9,
    FSIM_RNG_PLACEMENT = 10,
    FSIM_RNG_VERSION = 11,
    FSIM_RNG_BURST = 12,
    FSIM_RNG_ERROR = 13,
    FSIM_RNG_THINNING = 14,
    FSIM_RNG_CRASH = 15,
    FSIM_RNG_HEALTH = 16,
    FSIM_RNG_UNHEALTHY_ERROR = 17,
    FSIM_RNG_INTERRUPTION = 18
} fsim_purpose;

/* `name` is the function's name (or the source's path in the scenario). */
void fsim_rng_seed(fsim_rng *rng, uint64_t seed, const char *name, fsim_purpose purpose);

/* FNV-1a, 64 bits: for keys and digests, not for security. */
uint64_t fsim_hash_bytes(uint64_t hash, const void *bytes, uint64_t size);
#define FSIM_HASH_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t fsim_rng_word(fsim_rng *r) {
    uint64_t *s = r->s;
    uint64_t sum = s[0] + s[3];
    uint64_t result = ((sum << 23) | (sum >> 41)) + s[0];
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return result;
}

/* Uniform in [0, 1), 53 bits. */
static inline double fsim_rng_unit(fsim_rng *r) {
    return (double)(int64_t)(fsim_rng_word(r) >> 11) * 0x1.0p-53; /* signed: one instruction on x86-64 */
}

/* Uniform in (0, 1): never 0, safe to take the logarithm of. */
static inline double fsim_rng_open(fsim_rng *r) {
    return ((double)(int64_t)(fsim_rng_word(r) >> 12) + 0.5) * 0x1.0p-52;
}

/* Uniform integer in [0, n), n >= 1; Lemire's multiply-shift, bias below 2^-32 for n < 2^32 is removed by
 * rejection. */
static inline uint32_t fsim_rng_below(fsim_rng *r, uint32_t n) {
    uint64_t product = (fsim_rng_word(r) >> 32) * n;
    uint32_t low = (uint32_t)product;
    if (low < n) {
        uint32_t threshold = (uint32_t)(-n) % n;
        while (low < threshold) {
            product = (fsim_rng_word(r) >> 32) * n;
            low = (uint32_t)product;
        }
    }
    return (uint32_t)(product >> 32);
}

/* Edges of the ziggurat's layers for the exponential law, and what happens to the 1.1 % of words beyond them.
 */
extern const double fsim_ziggurat_exponential[257];
double fsim_rng_exponential_rest(fsim_rng *rng, uint64_t word);

/* Mean 1. One word serves twice: its low byte picks the layer, its high 53 bits the place in it. The rest
 * works on a copy, so that a loop's own stream can stay in registers. */
static inline double fsim_rng_exponential(fsim_rng *r) {
    uint64_t word = fsim_rng_word(r);
    unsigned layer = (unsigned)(word & 255u);
    double x = (double)(int64_t)(word >> 11) * 0x1.0p-53 * fsim_ziggurat_exponential[layer];
    if (FSIM_LIKELY(x < fsim_ziggurat_exponential[layer + 1u])) {
        return x;
    }
    fsim_rng copy = *r;
    x = fsim_rng_exponential_rest(&copy, word);
    *r = copy;
    return x;
}
double fsim_rng_normal(fsim_rng *rng); /* mean 0, standard deviation 1 */

#endif
