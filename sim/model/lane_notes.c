/* See lane_notes.h. */
#include "model/lane_notes.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is struck ---- */

static bool is_before(const lane_strike *a, const lane_strike *b) {
    return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->fn < b->fn);
}

bool lane_struck_push(lane_struck *struck, lane_strike strike) {
    if (struck->count == struck->capacity) {
        uint32_t capacity = struck->capacity == 0 ? 64u : 2u * struck->capacity;
        lane_strike *larger = realloc(struck->strike, (size_t)capacity * sizeof *larger);
        if (larger == NULL) {
            return false;
        }
        struck->strike = larger;
        struck->capacity = capacity;
    }
    uint32_t at = struck->count++;
    for (; at > 0 && is_before(&strike, &struck->strike[(at - 1u) / 2u]); at = (at - 1u) / 2u) {
        struck->strike[at] = struck->strike[(at - 1u) / 2u];
    }
    struck->strike[at] = strike;
    return true;
}

void lane_struck_pop(lane_struck *struck) {
    fsim_check(struck->count != 0);
    lane_strike last = struck->strike[--struck->count];
    uint32_t at = 0;
    for (uint32_t child = 1; child < struck->count; child = 2u * at + 1u) {
        child += child + 1u < struck->count && is_before(&struck->strike[child + 1u], &struck->strike[child])
                     ? 1u
                     : 0u;
        if (!is_before(&struck->strike[child], &last)) {
            break;
        }
        struck->strike[at] = struck->strike[child];
        at = child;
    }
    struck->strike[at] = last;
}

/* ---- ties ---- */

static uint32_t home_of(const lane_ties *t, uint32_t fn, fsim_ns at_ns) {
    uint64_t word = ((uint64_t)at_ns ^ (uint64_t)fn << 40) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(word >> 32) & (t->capacity - 1u);
}

/* Where it is, or the free place where it would be. */
static uint32_t find(const lane_ties *t, uint32_t fn, fsim_ns at_ns) {
    uint32_t k = home_of(t, fn, at_ns);
    while (t->tie[k].waiting != 0 && (t->tie[k].at_ns != at_ns || t->tie[k].fn != fn)) {
        k = (k + 1u) & (t->capacity - 1u);
    }
    return k;
}

void lane_ties_deinit(lane_ties *t) {
    free(t->tie);
    free(t->ends);
    *t = (lane_ties){0};
}

/* At most three quarters full. It is cleared before it is searched: reading a page first and then writing it
 * would fault twice. */
static __attribute__((noinline)) bool grow(lane_ties *t) {
    lane_ties larger = {.capacity = t->capacity == 0 ? 64u : 2u * t->capacity, .count = t->count};
    larger.tie = malloc(larger.capacity * sizeof *larger.tie);
    larger.ends = t->ends == NULL ? NULL : calloc(larger.capacity, sizeof *larger.ends);
    if (larger.tie == NULL || (t->ends != NULL && larger.ends == NULL)) {
        lane_ties_deinit(&larger);
        return false;
    }
    memset(larger.tie, 0, larger.capacity * sizeof *larger.tie);
    for (uint32_t k = 0; k < t->capacity; k++) {
        if (t->tie[k].waiting != 0) {
            uint32_t to = find(&larger, t->tie[k].fn, t->tie[k].at_ns);
            larger.tie[to] = t->tie[k];
            if (t->ends != NULL) {
                larger.ends[to] = t->ends[k];
            }
        }
    }
    lane_ties old = *t;
    *t = larger;
    lane_ties_deinit(&old);
    return true;
}

bool lane_ties_open(lane_ties *t, uint32_t fn, fsim_ns at_ns, uint64_t *ends) {
    if (4u * (uint64_t)t->count >= 3u * (uint64_t)t->capacity && !grow(t)) {
        return false;
    }
    uint32_t k = find(t, fn, at_ns);
    if (t->tie[k].waiting == 0) {
        t->tie[k] = (lane_tie){.at_ns = at_ns, .fn = fn};
        t->count++;
    }
    t->tie[k].waiting++;
    *ends = t->ends == NULL ? 0 : t->ends[k];
    return true;
}

bool lane_ties_add(lane_ties *t, uint32_t fn, fsim_ns at_ns) {
    uint32_t k = t->count == 0 ? 0 : find(t, fn, at_ns);
    if (t->count == 0 || t->tie[k].waiting == 0) {
        return true;
    }
    if (t->ends == NULL) {
        t->ends = calloc(t->capacity, sizeof *t->ends);
    }
    if (t->ends != NULL) {
        t->ends[k]++;
    }
    return t->ends != NULL;
}

void lane_ties_fetch(const lane_ties *t, uint32_t fn, fsim_ns at_ns) {
    __builtin_prefetch(&t->tie[home_of(t, fn, at_ns)], 1);
}

/* The place k is free now: what stands behind it moves up, so that a search never meets a gap. */
static void close_gap(lane_ties *t, uint32_t k) {
    uint32_t mask = t->capacity - 1u;
    for (uint32_t next = (k + 1u) & mask; t->tie[next].waiting != 0; next = (next + 1u) & mask) {
        uint32_t home = home_of(t, t->tie[next].fn, t->tie[next].at_ns);
        if (((next - home) & mask) >= ((next - k) & mask)) {
            t->tie[k] = t->tie[next];
            if (t->ends != NULL) {
                t->ends[k] = t->ends[next];
            }
            k = next;
        }
    }
    t->tie[k] = (lane_tie){0};
    if (t->ends != NULL) {
        t->ends[k] = 0;
    }
}

uint64_t lane_ties_close(lane_ties *t, uint32_t fn, fsim_ns at_ns, uint64_t ends) {
    uint32_t k = find(t, fn, at_ns);
    uint64_t later = t->ends == NULL ? 0 : t->ends[k] - ends;
    if (--t->tie[k].waiting == 0) {
        t->count--;
        close_gap(t, k);
    }
    return later;
}
