/* Where inside a bucket of time its requests are put, when a trace says only how many there were.
 *
 * A cursor walks one bucket and gives its instants in order, so that nothing needs sorting: uniform order
 * statistics are partial sums of n + 1 exponential gaps over their total (L. Devroye 1986, V.3.1); the total
 * is drawn once ahead, and the gaps are kept in `room`, or drawn again from a copy of the stream. Instants
 * depend on the stream, the bucket and the count only; beyond the range of the clock they are FSIM_NEVER.
 * Cost of an instant: 1 ns (start, even), 2 ns (stratified), 3 ns (poisson), 5 ns (uniform, exponential); no
 * memory. */
#ifndef FSIM_BASE_PLACEMENT_H
#define FSIM_BASE_PLACEMENT_H

#include "base/rng.h"
#include "base/time.h"

#include <stdbool.h>

/* n requests in a bucket of length b that starts at t. The numbers stand in files: append only. */
typedef enum fsim_placement {
    FSIM_PLACE_UNIFORM,    /* independent and uniform in [t, t + b) */
    FSIM_PLACE_EVEN,       /* t + k b / n for k = 0 … n - 1 */
    FSIM_PLACE_POISSON,    /* a Poisson process with n requests on average: n is a rate, not a count */
    FSIM_PLACE_START,      /* all at t */
    FSIM_PLACE_STRATIFIED, /* one uniform in each of n equal parts */
    FSIM_PLACE_EXPONENTIAL /* n exponential gaps scaled to fill the bucket; the first request at t */
} fsim_placement;

/* By number; NULL-terminated. */
extern const char *const fsim_placement_names[];

/* One bucket at work. Readable: live and next_ns. */
typedef struct fsim_place_cursor {
    bool live;       /* there is an instant still to be taken, next_ns */
    fsim_ns next_ns; /* never before the ones taken */
    fsim_placement placement;
    fsim_ns start_ns, bucket_ns;
    uint64_t done, count;
    fsim_ns offset_ns, step_ns; /* EVEN: of next_ns; whole nanoseconds between two */
    uint64_t rest, remainder;   /* EVEN: their fractions, in n-ths of a nanosecond */
    double gap_ns, sum;         /* length of a unit gap; gaps so far */
    const double *gaps; /* UNIFORM, EXPONENTIAL: the gaps of the bucket; NULL: drawn again from `replay` */
    fsim_rng replay;    /* the stream as it stood at the first gap */
} fsim_place_cursor;

/* Begins a bucket of `count` requests, for POISSON of `mean` on average. `rng` is the stream of the function;
 * it moves on by what the bucket takes (POISSON: while the instants are taken). `room` for that many gaps,
 * which must stay as it is until the bucket ends, makes no difference but to speed; NULL and 0: none. */
void fsim_place_begin(fsim_place_cursor *c, fsim_placement placement, fsim_ns start_ns, fsim_ns bucket_ns,
                      uint64_t count, double mean, fsim_rng *rng, double *room, uint32_t room_for);
/* Moves on to the next instant. */
void fsim_place_advance(fsim_place_cursor *c, fsim_rng *rng);
/* Takes up to `max` instants before `before_ns`, and says how many. */
uint32_t fsim_place_fill(fsim_place_cursor *c, fsim_rng *rng, fsim_ns before_ns, fsim_ns *at_ns,
                         uint32_t max);

#endif
