/* One clock for the whole simulator: 64-bit signed nanoseconds since the start of the run.
 *
 * Instants are named *_at_ns or now_ns, spans *_ns. No floating-point number is ever an instant: doubles
 * appear where random variates are drawn and in reports, and are rounded to nanoseconds on the way in.
 * Range: +-292 years; the largest value means "never" and is kept out of additions by fsim_ns_add. */
#ifndef FSIM_BASE_TIME_H
#define FSIM_BASE_TIME_H

#include <stdint.h>

typedef int64_t fsim_ns;

#define FSIM_NEVER  INT64_MAX
#define FSIM_US     INT64_C(1000)
#define FSIM_MS     INT64_C(1000000)
#define FSIM_SECOND INT64_C(1000000000)
#define FSIM_MINUTE (60 * FSIM_SECOND)
#define FSIM_HOUR   (60 * FSIM_MINUTE)
#define FSIM_DAY    (24 * FSIM_HOUR)

/* a + b for b >= 0, saturating at FSIM_NEVER: an infinite window stays infinite. */
static inline fsim_ns fsim_ns_add(fsim_ns a, fsim_ns b) {
    fsim_ns sum;
    return __builtin_add_overflow(a, b, &sum) ? FSIM_NEVER : sum;
}

static inline double fsim_ns_to_s(fsim_ns span_ns) {
    return (double)span_ns / 1e9;
}

/* Seconds to nanoseconds, to the nearest; below 0 becomes 0 (a drawn span is never negative), beyond the
 * range becomes FSIM_NEVER. */
static inline fsim_ns fsim_ns_from_s(double seconds) {
    double ns = seconds * 1e9 + 0.5;
    if (!(ns >= 1.0)) {
        return 0;
    }
    return ns >= 9.2e18 ? FSIM_NEVER : (fsim_ns)ns;
}

#endif
