/* Instants inside a bucket; see placement.h. */
#include "base/placement.h"

#include <stddef.h>

const char *const fsim_placement_names[] = {"uniform",    "even",        "poisson", "start",
                                            "stratified", "exponential", NULL};

/* What a placement draws from: its own copy where the gaps are drawn twice. */
static fsim_rng *stream_of(fsim_place_cursor *c, fsim_rng *rng) {
    return c->placement == FSIM_PLACE_UNIFORM || c->placement == FSIM_PLACE_EXPONENTIAL ? &c->replay : rng;
}

static inline fsim_ns inside(const fsim_place_cursor *c, double offset_ns) {
    fsim_ns offset = (fsim_ns)offset_ns;
    return fsim_ns_add(c->start_ns, offset < c->bucket_ns ? offset : c->bucket_ns - 1);
}

/* `placement` and `kept`, whether the gaps are, are constants where this is used: one loop for each. */
FSIM_INLINE void step(fsim_place_cursor *c, fsim_placement placement, bool kept, fsim_rng *rng) {
    if (placement == FSIM_PLACE_POISSON) {
        c->sum += c->gap_ns * fsim_rng_exponential(rng);
        c->live = c->sum < (double)c->bucket_ns;
        c->next_ns = c->live ? fsim_ns_add(c->start_ns, (fsim_ns)c->sum) : c->next_ns;
        return;
    }
    if (c->done == c->count) {
        c->live = false;
        return;
    }
    switch (placement) {
    case FSIM_PLACE_UNIFORM:
        c->sum += kept ? c->gaps[c->done] : fsim_rng_exponential(rng);
        c->next_ns = inside(c, c->sum * c->gap_ns);
        break;
    case FSIM_PLACE_EXPONENTIAL:
        c->next_ns = inside(c, c->sum * c->gap_ns);
        c->sum += kept ? c->gaps[c->done] : fsim_rng_exponential(rng);
        break;
    case FSIM_PLACE_EVEN:
        c->next_ns = fsim_ns_add(c->start_ns, c->offset_ns);
        c->rest += c->remainder;
        c->offset_ns += c->step_ns + (c->rest >= c->count);
        c->rest -= c->rest >= c->count ? c->count : 0;
        break;
    case FSIM_PLACE_STRATIFIED:
        c->next_ns = inside(c, ((double)(int64_t)c->done + fsim_rng_unit(rng)) * c->gap_ns);
        break;
    case FSIM_PLACE_START:
    case FSIM_PLACE_POISSON: break;
    }
    c->done++;
}

void fsim_place_advance(fsim_place_cursor *c, fsim_rng *rng) {
    fsim_rng *from = stream_of(c, rng);
    bool kept = c->gaps != NULL;
    switch (c->placement) {
    case FSIM_PLACE_UNIFORM: step(c, FSIM_PLACE_UNIFORM, kept, from); break;
    case FSIM_PLACE_EVEN: step(c, FSIM_PLACE_EVEN, kept, from); break;
    case FSIM_PLACE_POISSON: step(c, FSIM_PLACE_POISSON, kept, from); break;
    case FSIM_PLACE_START: step(c, FSIM_PLACE_START, kept, from); break;
    case FSIM_PLACE_STRATIFIED: step(c, FSIM_PLACE_STRATIFIED, kept, from); break;
    case FSIM_PLACE_EXPONENTIAL: step(c, FSIM_PLACE_EXPONENTIAL, kept, from); break;
    }
}

/* Draws the gaps of the bucket ahead, for their sum. */
static void draw_gaps(fsim_place_cursor *c, fsim_rng *rng, double *room, uint32_t room_for) {
    uint64_t gaps = c->placement == FSIM_PLACE_UNIFORM ? c->count + 1 : c->count;
    fsim_rng ahead = c->replay = *rng;
    double total = 0.0;
    c->gaps = NULL;
    if (gaps <= room_for) {
        c->gaps = room;
        for (uint64_t i = 0; i < gaps; i++) {
            room[i] = fsim_rng_exponential(&ahead);
            total += room[i];
        }
    }
    for (uint64_t i = 0; i < gaps && c->gaps == NULL; i++) {
        total += fsim_rng_exponential(&ahead);
    }
    *rng = ahead;
    c->gap_ns = (double)c->bucket_ns / total;
}

void fsim_place_begin(fsim_place_cursor *c, fsim_placement placement, fsim_ns start_ns, fsim_ns bucket_ns,
                      uint64_t count, double mean, fsim_rng *rng, double *room, uint32_t room_for) {
    c->placement = placement;
    c->start_ns = c->next_ns = start_ns;
    c->bucket_ns = bucket_ns;
    c->count = count;
    c->done = 0;
    c->sum = 0.0;
    c->live = placement == FSIM_PLACE_POISSON ? mean > 0.0 : count > 0;
    if (!c->live) {
        return;
    }
    if (placement == FSIM_PLACE_POISSON) {
        c->gap_ns = (double)bucket_ns / mean;
    } else if (placement == FSIM_PLACE_EVEN) {
        c->step_ns = (fsim_ns)((uint64_t)bucket_ns / count);
        c->remainder = (uint64_t)bucket_ns % count;
        c->rest = 0;
        c->offset_ns = 0;
    } else if (placement == FSIM_PLACE_STRATIFIED) {
        c->gap_ns = (double)bucket_ns / (double)count;
    } else if (placement != FSIM_PLACE_START) {
        draw_gaps(c, rng, room, room_for);
    }
    fsim_place_advance(c, rng);
}

FSIM_INLINE uint32_t fill(fsim_place_cursor *cursor, fsim_placement placement, bool kept, fsim_rng *stream,
                          fsim_ns before_ns, fsim_ns *at_ns, uint32_t max) {
    fsim_place_cursor c =
        *cursor; /* copies, which the writes to at_ns cannot touch: they stay in registers */
    fsim_rng rng = *stream;
    uint32_t n = 0;
    while (n < max && c.live && c.next_ns < before_ns) {
        at_ns[n++] = c.next_ns;
        step(&c, placement, kept, &rng);
    }
    *cursor = c;
    *stream = rng;
    return n;
}

uint32_t fsim_place_fill(fsim_place_cursor *c, fsim_rng *rng, fsim_ns before_ns, fsim_ns *at_ns,
                         uint32_t max) {
    fsim_rng *from = stream_of(c, rng);
    bool kept = c->gaps != NULL;
    switch (c->placement) {
    case FSIM_PLACE_UNIFORM:
        return kept ? fill(c, FSIM_PLACE_UNIFORM, true, from, before_ns, at_ns, max)
                    : fill(c, FSIM_PLACE_UNIFORM, false, from, before_ns, at_ns, max);
    case FSIM_PLACE_EVEN: return fill(c, FSIM_PLACE_EVEN, kept, from, before_ns, at_ns, max);
    case FSIM_PLACE_POISSON: return fill(c, FSIM_PLACE_POISSON, kept, from, before_ns, at_ns, max);
    case FSIM_PLACE_START: return fill(c, FSIM_PLACE_START, kept, from, before_ns, at_ns, max);
    case FSIM_PLACE_STRATIFIED: return fill(c, FSIM_PLACE_STRATIFIED, kept, from, before_ns, at_ns, max);
    case FSIM_PLACE_EXPONENTIAL: return fill(c, FSIM_PLACE_EXPONENTIAL, kept, from, before_ns, at_ns, max);
    }
    return 0;
}
