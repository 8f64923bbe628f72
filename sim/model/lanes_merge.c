/* What the functions have changed, in order of time, for the run as a whole: see lane.h. */
#include "model/lanes.h"

#include <stdlib.h>
#include <string.h>

enum {
    PART_BITS = 11,  /* changes that are put in order together, more or less */
    PARTS_BITS = 10, /* of a block, at most */
    PLACE_BITS = 13,
    FEW = 32, /* changes in one place that insertion is good for */
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
    if (count > s->sorted_capacity && count < UINT32_MAX / 4u) {
        free(s->sorted);
        s->sorted_capacity = (uint32_t)(count + count / 2u);
        s->sorted = malloc(2u * (size_t)s->sorted_capacity * sizeof *s->sorted);
        s->sorted_capacity = s->sorted == NULL ? 0 : s->sorted_capacity;
    }
    return count <= s->sorted_capacity;
}

/* How many bits n takes; 0 takes one. */
static uint32_t bits_of(uint64_t n) {
    return 64u - (uint32_t)__builtin_clzll(n | 1u);
}

/* From counts to where each place begins; the most in one. */
static uint32_t accumulate(uint32_t *place, uint32_t places) {
    uint32_t sum = 0, most = 0;
    for (uint32_t k = 0; k < places; k++) {
        uint32_t here = place[k];
        most = here > most ? here : most;
        place[k] = sum;
        sum += here;
    }
    return most;
}

static void insert(uint64_t *to, const uint64_t *from, uint32_t count) {
    for (uint32_t k = 0; k < count; k++) {
        uint64_t word = from[k];
        uint32_t at = k;
        for (; at > 0 && to[at - 1u] > word; at--) {
            to[at] = to[at - 1u];
        }
        to[at] = word;
    }
}

/* Words that are alike from bit `wide` on: each to its place among about twice as many as there are words,
 * and those that share one by insertion, or where many do, as when all arrive at once, by the bits below. As
 * many words of `spare` are free to use. */
static void sort_part(uint64_t *word, uint64_t *spare, uint32_t count, uint32_t wide) {
    uint32_t place[1 << PLACE_BITS], bits = bits_of(count);
    bits = bits > PLACE_BITS ? PLACE_BITS : bits;
    bits = bits > wide ? wide : bits;
    uint32_t shift = wide - bits, mask = (1u << bits) - 1u;
    memset(place, 0, ((size_t)mask + 1u) * sizeof *place);
    for (uint32_t k = 0; k < count; k++) {
        place[word[k] >> shift & mask]++;
    }
    uint32_t most = accumulate(place, mask + 1u);
    for (uint32_t k = 0; k < count; k++) {
        spare[place[word[k] >> shift & mask]++] = word[k];
    }
    if (most <= FEW || shift == 0) {
        insert(word, spare, count);
        return;
    }
    for (uint32_t k = 0, from = 0; k <= mask; from = place[k++]) { /* place[k] is now the end of k */
        uint32_t here = place[k] - from;
        if (here <= FEW) {
            insert(word + from, spare + from, here);
        } else {
            memcpy(word + from, spare + from, here * sizeof *word);
            sort_part(word + from, spare + from, here, shift);
        }
    }
}

/* Parts of the block's time first, each of which fits the first-level cache. */
static bool sort_changes(lanes *s) {
    uint32_t place[1 << PARTS_BITS] = {0};
    uint64_t count = 0, span_ns = (uint64_t)(s->from_ns - s->tasks[0].before.from_ns);
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        count += s->tasks[t].before.count;
    }
    if (!reserve(s, count)) {
        return false;
    }
    uint32_t wide = bits_of(span_ns << LANE_CHANGE_BITS | LANE_CHANGE_MASK);
    uint32_t bits = count >> PART_BITS != 0 ? bits_of(count >> PART_BITS) : 0;
    bits = bits > PARTS_BITS ? PARTS_BITS : bits;
    bits = bits > wide ? wide : bits;
    uint32_t shift = wide - bits;
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        const lane_changes *changes = &s->tasks[t].before;
        for (uint32_t k = 0; k < changes->count; k++) {
            place[changes->word[k] >> shift]++;
        }
    }
    accumulate(place, 1u << bits);
    uint64_t *sorted = s->sorted, *spare = s->sorted + s->sorted_capacity;
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        const lane_changes *changes = &s->tasks[t].before;
        for (uint32_t k = 0; k < changes->count; k++) {
            sorted[place[changes->word[k] >> shift]++] = changes->word[k];
        }
    }
    for (uint32_t k = 0, from = 0; k < 1u << bits; from = place[k++]) {
        sort_part(sorted + from, spare + from, place[k] - from, shift);
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
