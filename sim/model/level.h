/* Counts over time, and their integrals. */
#ifndef FSIM_MODEL_LEVEL_H
#define FSIM_MODEL_LEVEL_H

#include "base/inline.h"
#include "model/result.h"

#include <stdint.h>

/* A count over time: its integral is kept as sum of leaving minus sum of entering instants, so that a change
 * costs an addition and the present is needed only when the integral is read. */
typedef struct level {
    fsim_wide acc;
    uint64_t n, peak;
} level;

__extension__ typedef unsigned __int128 uwide; /* products of unsigned words: one multiplication */

FSIM_INLINE void level_enter(level *l, fsim_ns now_ns) {
    l->acc -= (uint64_t)now_ns;
    if (FSIM_UNLIKELY(++l->n > l->peak)) {
        l->peak = l->n;
    }
}
FSIM_INLINE void level_leave(level *l, fsim_ns now_ns) {
    l->acc += (uint64_t)now_ns;
    l->n--;
}
static inline fsim_wide level_integral(const level *l, fsim_ns now_ns) {
    return l->acc + (fsim_wide)l->n * now_ns;
}

/* The same with the integral of the square: n^2 changes by 2n + 1 on entering, by 2n - 1 on leaving. */
typedef struct squared_level {
    level level;
    fsim_wide square_acc;
} squared_level;

FSIM_INLINE void squared_enter(squared_level *s, fsim_ns now_ns) {
    s->square_acc -= (fsim_wide)((uwide)(2u * s->level.n + 1u) * (uint64_t)now_ns);
    level_enter(&s->level, now_ns);
}
FSIM_INLINE void squared_leave(squared_level *s, fsim_ns now_ns) {
    s->square_acc += (fsim_wide)((uwide)(2u * s->level.n - 1u) * (uint64_t)now_ns);
    level_leave(&s->level, now_ns);
}
static inline fsim_wide squared_integral(const squared_level *s, fsim_ns now_ns) {
    return s->square_acc + (fsim_wide)((uwide)s->level.n * s->level.n) * now_ns;
}

/* Of counts that come in different sizes, here CPU that requests ask for; no peak. */
typedef struct demand_level {
    fsim_wide acc;
    uint64_t ucore;
} demand_level;

FSIM_INLINE void demand_enter(demand_level *d, fsim_ns now_ns, uint32_t ucore) {
    d->acc -= (fsim_wide)((uwide)ucore * (uint64_t)now_ns);
    d->ucore += ucore;
}
FSIM_INLINE void demand_leave(demand_level *d, fsim_ns now_ns, uint32_t ucore) {
    d->acc += (fsim_wide)((uwide)ucore * (uint64_t)now_ns);
    d->ucore -= ucore;
}
static inline fsim_wide demand_integral(const demand_level *d, fsim_ns now_ns) {
    return d->acc + (fsim_wide)((uwide)d->ucore * (uint64_t)now_ns);
}

/* Requests over the time since the last sample, as in `level`: their number times that span is far below 64
 * bits, so the sum may wrap. */
typedef struct flow {
    uint64_t acc, before; /* before: integral at the last sample */
    uint64_t n, arrivals; /* arrivals: since the last sample */
} flow;

FSIM_INLINE void flow_enter(flow *f, fsim_ns now_ns) {
    f->acc -= (uint64_t)now_ns;
    f->n++;
    f->arrivals++;
}
FSIM_INLINE void flow_leave(flow *f, fsim_ns now_ns) {
    f->acc += (uint64_t)now_ns;
    f->n--;
}

static inline uint64_t flow_integral(const flow *f, fsim_ns now_ns) {
    return f->acc + f->n * (uint64_t)now_ns;
}

/* Mean since the last sample, elapsed_ns ago; the next one counts from now on. */
static inline double flow_sample(flow *f, fsim_ns now_ns, double elapsed_ns) {
    uint64_t integral = flow_integral(f, now_ns), gained = integral - f->before;
    f->before = integral;
    return (double)gained / elapsed_ns;
}

#endif
