/* What the functions have changed, in order of time, for the run as a whole: see lane.h. */
#include "model/lanes.h"

#include <stdlib.h>
#include <string.h>

enum {
    PLACE_BITS_LEAST = 8,
    PLACE_BITS_MOST = 16,
    /* Of LANE_LEAVE and LANE_ENTER these bits are clear, and this one tells them apart. */
    UNCOMMON = 3,
    ENTERS = 2
};
_Static_assert((LANE_LEAVE & 7) == 0 && LANE_ENTER == 1 << ENTERS, "told apart by one bit");

void lanes_apply(engine *e, fsim_ns at_ns, lane_change what) {
    switch (what) {
    case LANE_LEAVE:
    case LANE_LEAVE_AT_ONCE: e->seen.completed++; __attribute__((fallthrough));
    case LANE_FAIL:
    case LANE_FAIL_AT_ONCE:
        if (e->many) {
            squared_leave(&e->in_execution, at_ns);
        }
        break;
    case LANE_REMOVED:
        level_leave(&e->present, at_ns - 1);
        e->alive--;
        break;
    case LANE_READY:
        level_leave(&e->starting, at_ns);
        if (e->many) {
            squared_enter(&e->in_execution, at_ns);
        }
        break;
    case LANE_ENTER:
        e->seen.arrived++;
        if (e->many) {
            squared_enter(&e->in_execution, at_ns);
        }
        break;
    case LANE_COLD:
        e->seen.arrived++;
        e->seen.cold++;
        level_enter(&e->present, at_ns);
        level_enter(&e->starting, at_ns);
        if (++e->alive > e->alive_peak) {
            e->alive_peak = e->alive;
            e->growth_at_ns = at_ns;
        }
        break;
    }
}

static __attribute__((noinline)) bool reserve(lanes *s, uint64_t count) {
    if (s->place == NULL) {
        s->place = malloc(((size_t)1 << PLACE_BITS_MOST) * sizeof *s->place);
    }
    if (count > s->sorted_capacity && count < UINT32_MAX / 4u) {
        free(s->sorted);
        s->sorted_capacity = (uint32_t)(count + count / 2u);
        s->sorted = malloc((size_t)s->sorted_capacity * sizeof *s->sorted);
        s->sorted_capacity = s->sorted == NULL ? 0 : s->sorted_capacity;
    }
    return s->place != NULL && count <= s->sorted_capacity;
}

/* Places of the block's time, one for each change and as many again. */
static uint32_t place_bits(uint64_t count, uint32_t wide) {
    uint32_t bits =
        count < 1u << PLACE_BITS_LEAST ? PLACE_BITS_LEAST : 64u - (uint32_t)__builtin_clzll(count);
    bits = bits < PLACE_BITS_MOST ? bits : PLACE_BITS_MOST;
    return bits < wide ? bits : wide;
}

/* Each to its place, and what shares one by insertion. */
static bool sort_changes(lanes *s) {
    uint64_t count = 0, span_ns = (uint64_t)(s->from_ns - s->tasks[0].before.from_ns);
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        count += s->tasks[t].before.count;
    }
    if (!reserve(s, count)) {
        return false;
    }
    uint32_t wide = 64u - (uint32_t)__builtin_clzll(span_ns << LANE_CHANGE_BITS | LANE_CHANGE_MASK);
    uint32_t bits = place_bits(count, wide), shift = wide - bits;
    uint32_t *place = s->place;
    memset(place, 0, ((size_t)1 << bits) * sizeof *place);
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        const lane_changes *changes = &s->tasks[t].before;
        for (uint32_t k = 0; k < changes->count; k++) {
            place[changes->word[k] >> shift]++;
        }
    }
    for (uint32_t k = 0, sum = 0; k < 1u << bits; k++) { /* from counts to where each place begins */
        uint32_t here = place[k];
        place[k] = sum;
        sum += here;
    }
    uint64_t *sorted = s->sorted;
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        const lane_changes *changes = &s->tasks[t].before;
        for (uint32_t k = 0; k < changes->count; k++) {
            sorted[place[changes->word[k] >> shift]++] = changes->word[k];
        }
    }
    for (uint64_t k = 1; k < count; k++) {
        uint64_t word = sorted[k], to = k;
        for (; to > 0 && sorted[to - 1u] > word; to--) {
            sorted[to] = sorted[to - 1u];
        }
        sorted[to] = word;
    }
    s->change_count = (uint32_t)count;
    return true;
}

/* Executions that begin and end are nearly all of it and alternate at random: counted without a branch. */
static uint32_t apply_common(engine *e, const uint64_t *word, uint32_t first, uint32_t count,
                             fsim_ns from_ns) {
    uint32_t k = first;
    if (e->mark_ns < from_ns) {
        return k;
    }
    squared_level x = e->in_execution;
    uint64_t arrived = 0, last = (uint64_t)(e->mark_ns - from_ns);
    last =
        last >= UINT64_MAX >> LANE_CHANGE_BITS ? UINT64_MAX : (last << LANE_CHANGE_BITS | LANE_CHANGE_MASK);
    for (; k < count && word[k] <= last && (word[k] & UNCOMMON) == 0; k++) {
        uint64_t enters = word[k] >> ENTERS & 1u;
        int64_t at_ns = from_ns + (fsim_ns)(word[k] >> LANE_CHANGE_BITS);
        int64_t step = 2 * (int64_t)enters - 1;
        uint64_t before = x.level.n, n = before + (uint64_t)step;
        x.level.acc -= step * at_ns;
        x.level.n = n;
        x.level.peak = n > x.level.peak ? n : x.level.peak;
        x.square_acc -= (fsim_wide)(step * (int64_t)(before + n)) * at_ns;
        arrived += enters;
    }
    e->in_execution = x;
    e->seen.arrived += arrived;
    e->seen.completed += k - first - arrived;
    return k;
}

void lanes_merge(lanes *s) {
    engine *e = s->e;
    fsim_ns from_ns = s->tasks[0].before.from_ns;
    if (!sort_changes(s)) {
        s->sort_failed = true;
        return;
    }
    for (uint32_t k = 0; k < s->change_count;) {
        k = apply_common(e, s->sorted, k, s->change_count, from_ns);
        if (k < s->change_count) {
            fsim_ns at_ns = from_ns + (fsim_ns)(s->sorted[k] >> LANE_CHANGE_BITS);
            if (at_ns > e->mark_ns) {
                engine_marks(e, at_ns);
            }
            lanes_apply(e, at_ns, (lane_change)(s->sorted[k] & LANE_CHANGE_MASK));
            k++;
        }
    }
}
