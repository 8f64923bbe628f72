/* How many instances may start, and when the next one may: fixed windows aligned to t = 0, sliding windows,
 * token buckets (contract additions, "platform.start_rate"). All in integers: a token is window_ns units,
 * refilled n units a nanosecond. */
#ifndef FSIM_MODEL_START_LIMITER_H
#define FSIM_MODEL_START_LIMITER_H

#include "model/scenario.h"

typedef struct fsim_start_limiter {
    const fsim_start_limit *limit;
    int64_t window;  /* FIXED: index of the present window */
    int64_t left;    /* FIXED: starts left in it */
    uint64_t units;  /* BUCKET: tokens x window_ns */
    fsim_ns at_ns;   /* BUCKET: as of */
    fsim_ns *recent; /* SLIDING: ring of the last n starts */
    uint32_t head;
    uint64_t count;
} fsim_start_limiter;

/* `limit` is borrowed. False: out of memory. */
bool fsim_start_limiter_init(fsim_start_limiter *limiter, const fsim_start_limit *limit);
void fsim_start_limiter_deinit(fsim_start_limiter *limiter);
/* Takes one start if there is one. now_ns never decreases. O(1). */
bool fsim_start_limiter_take(fsim_start_limiter *limiter, fsim_ns now_ns);
/* After a refusal at now_ns: the earliest instant at which take may succeed. */
fsim_ns fsim_start_limiter_next_ns(const fsim_start_limiter *limiter, fsim_ns now_ns);

#endif
