/* The indexes behind the routing rules; see fleet.h. */
#include "model/fleet.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

typedef enum index_kind { INDEX_RECENCY, INDEX_CREATION, INDEX_FREE, INDEX_LOAD } index_kind;

static index_kind kind_of(uint8_t order) {
    switch (order) {
    case FSIM_ROUTE_NEWEST_CREATED:
    case FSIM_ROUTE_OLDEST_CREATED:
    case FSIM_ROUTE_ROUND_ROBIN: return INDEX_CREATION;
    case FSIM_ROUTE_RANDOM:
    case FSIM_ROUTE_TWO_CHOICES: return INDEX_FREE;
    case FSIM_ROUTE_LEAST_LOADED:
    case FSIM_ROUTE_MOST_LOADED: return INDEX_LOAD;
    case FSIM_ROUTE_NEWEST_IDLE:
    case FSIM_ROUTE_OLDEST_IDLE:
    default: return INDEX_RECENCY;
    }
}

static bool may_be_few(const fsim_fleet *f) {
    return kind_of(f->order) == INDEX_LOAD || f->order == FSIM_ROUTE_RANDOM;
}

void fsim_fleet_init(fsim_fleet *f, fsim_route_order order, uint32_t slots) {
    memset(f, 0, sizeof *f);
    f->order = (uint8_t)order;
    f->slots = slots;
    f->by_idle_list = slots == 1 && kind_of(f->order) == INDEX_RECENCY;
    f->by_room = kind_of(f->order) == INDEX_FREE || kind_of(f->order) == INDEX_CREATION;
    f->idle_newest = f->idle_oldest = FSIM_NONE;
    f->free_newest = f->free_oldest = FSIM_NONE;
    f->by_few = may_be_few(f);
    f->lists_idle = true;
    f->cursor = FSIM_NONE;
}

void fsim_fleet_unlist_idle(fsim_fleet *f) {
    f->lists_idle = f->by_idle_list;
}

void fsim_fleet_deinit(fsim_fleet *f) {
    free(f->dense);
    free(f->level);
    free(f->ranked);
    free(f->free_bits);
}

/* ---- recency: those with a free slot, from the one used longest ago to the one used last ---- */

static void free_unlink(fsim_fleet *f, fsim_fleet_link *links, uint32_t i) {
    uint32_t newer = links[i].free_newer;
    uint32_t older = links[i].free_older;
    *(newer != FSIM_NONE ? &links[newer].free_older : &f->free_newest) = older;
    *(older != FSIM_NONE ? &links[older].free_newer : &f->free_oldest) = newer;
}

static void free_append(fsim_fleet *f, fsim_fleet_link *links, uint32_t i) {
    uint32_t newest = f->free_newest;
    links[i].free_newer = FSIM_NONE;
    links[i].free_older = newest;
    f->free_newest = i;
    *(newest != FSIM_NONE ? &links[newest].free_newer : &f->free_oldest) = i;
}

/* ---- order of creation: a rank each, never reused until the ranks are renumbered ---- */

static void set_free(fsim_fleet *f, uint32_t rank, bool is_free) {
    uint64_t bit = UINT64_C(1) << (rank & 63u);
    f->free_bits[rank >> 6] = is_free ? f->free_bits[rank >> 6] | bit : f->free_bits[rank >> 6] & ~bit;
}

/* Closes the gaps that removed instances left; then doubles if more than half is in use. */
static bool make_rank(fsim_fleet *f, fsim_fleet_link *links) {
    if (f->rank_next < f->rank_capacity) {
        return true;
    }
    uint32_t kept = 0;
    uint32_t cursor = FSIM_NONE;
    for (uint32_t r = 0; r < f->rank_next; r++) {
        uint32_t i = f->ranked[r];
        if (i != FSIM_NONE) {
            bool is_free = (f->free_bits[r >> 6] >> (r & 63u) & 1u) != 0;
            f->ranked[kept] = i;
            links[i].place = kept;
            set_free(f, r, false);
            set_free(f, kept, is_free);
            kept++;
        }
        cursor = r == f->cursor ? kept - 1u : cursor; /* kept = 0 wraps to FSIM_NONE: before the first */
    }
    f->cursor = cursor;
    f->rank_next = kept;
    if (2 * kept < f->rank_capacity) {
        return true;
    }
    uint32_t capacity = f->rank_capacity == 0 ? 64u : f->rank_capacity * 2u;
    uint32_t *ranked = realloc(f->ranked, capacity * sizeof *ranked);
    if (ranked == NULL) {
        return false;
    }
    f->ranked = ranked;
    uint64_t *bits = realloc(f->free_bits, capacity / 64u * sizeof *bits);
    if (bits == NULL) {
        return false;
    }
    f->free_bits = bits;
    memset(bits + f->rank_capacity / 64u, 0, (capacity - f->rank_capacity) / 64u * sizeof *bits);
    f->rank_capacity = capacity;
    return true;
}

/* First rank with a free slot at or after `from`; FSIM_NONE. */
static uint32_t next_free_rank(const fsim_fleet *f, uint32_t from) {
    uint32_t words = (f->rank_next + 63u) / 64u;
    for (uint32_t w = from >> 6; w < words; w++) {
        uint64_t bits = f->free_bits[w];
        bits &= w == from >> 6 ? ~UINT64_C(0) << (from & 63u) : ~UINT64_C(0);
        if (bits != 0) {
            return (w << 6) | (uint32_t)__builtin_ctzll(bits);
        }
    }
    return FSIM_NONE;
}

static uint32_t last_free_rank(const fsim_fleet *f) {
    for (uint32_t w = (f->rank_next + 63u) / 64u; w > 0; w--) {
        uint64_t bits = f->free_bits[w - 1u];
        if (bits != 0) {
            return ((w - 1u) << 6) | (63u - (uint32_t)__builtin_clzll(bits));
        }
    }
    return FSIM_NONE;
}

static uint32_t pick_by_rank(fsim_fleet *f) {
    uint32_t rank;
    if (f->order == FSIM_ROUTE_NEWEST_CREATED) {
        rank = last_free_rank(f);
    } else if (f->order == FSIM_ROUTE_OLDEST_CREATED) {
        rank = next_free_rank(f, 0);
    } else {
        rank = f->cursor + 1u < f->rank_next ? next_free_rank(f, f->cursor + 1u) : FSIM_NONE;
        rank = rank == FSIM_NONE ? next_free_rank(f, 0) : rank;
        f->cursor_before = f->cursor;
        f->cursor = rank == FSIM_NONE ? f->cursor : rank;
    }
    return rank == FSIM_NONE ? FSIM_NONE : f->ranked[rank];
}

/* ---- dense arrays ---- */

/* Room for every instance of the fleet, also for those that are full now and come back without a call that
 * could fail. */
static bool make_place(fsim_fleet *f) {
    if (f->count < f->dense_capacity) {
        return true;
    }
    uint32_t capacity = f->dense_capacity == 0 ? 16u : f->dense_capacity * 2u;
    uint32_t *dense = realloc(f->dense, capacity * sizeof *dense);
    if (dense == NULL) {
        return false;
    }
    f->dense = dense;
    f->dense_capacity = capacity;
    return true;
}

static void put(fsim_fleet *f, fsim_fleet_link *links, uint32_t place, uint32_t i) {
    *(f->by_few ? &f->few[place].instance : &f->dense[place]) = i;
    links[i].place = place;
}

static void dense_remove(fsim_fleet *f, fsim_fleet_link *links, uint32_t i) {
    uint32_t last = --f->dense_count;
    put(f, links, links[i].place, f->by_few ? f->few[last].instance : f->dense[last]);
    links[i].place = FSIM_NONE;
}

/* By load: dense[] is sorted, level[l] is where load l begins. Moving one instance by one load swaps it to
 * the border of its level. */
static bool make_level(fsim_fleet *f, uint32_t load) {
    if (load < f->level_count) {
        return true;
    }
    uint32_t count = f->level_count == 0 ? 16u : f->level_count;
    while (count <= load) {
        count *= 2u;
    }
    uint32_t *level = realloc(f->level, ((size_t)count + 1u) * sizeof *level);
    if (level == NULL) {
        return false;
    }
    f->level = level;
    for (uint32_t l = f->level_count == 0 ? 0u : f->level_count + 1u; l <= count; l++) {
        level[l] = f->level_count == 0 ? 0u : f->dense_count;
    }
    f->level_count = count;
    return true;
}

static void swap_places(fsim_fleet *f, fsim_fleet_link *links, uint32_t a, uint32_t b) {
    uint32_t i = f->dense[a];
    put(f, links, a, f->dense[b]);
    put(f, links, b, i);
}

/* Adds an instance of load 0: it goes to the end, then every higher level moves up by one place. */
static void level_add(fsim_fleet *f, fsim_fleet_link *links, uint32_t i) {
    uint32_t place = f->dense_count++;
    put(f, links, place, i);
    f->level[f->level_count] = f->dense_count;
    for (uint32_t l = f->level_count - 1u; l >= 1u; l--) {
        uint32_t first = f->level[l];
        swap_places(f, links, first, place);
        place = first;
        f->level[l] = first + 1u;
    }
}

static void level_remove(fsim_fleet *f, fsim_fleet_link *links, uint32_t i) {
    uint32_t place = links[i].place;
    for (uint32_t l = links[i].inside; l < f->level_count; l++) {
        uint32_t last = f->level[l + 1u] - 1u;
        swap_places(f, links, place, last);
        place = last;
        f->level[l + 1u]--;
    }
    f->dense_count--;
    links[i].place = FSIM_NONE;
}

/* The same in few[]: past those of every load but its own. */
static void few_add(fsim_fleet *f, uint32_t i, uint32_t load) {
    uint32_t place = f->dense_count++;
    f->few[place] = (fsim_fleet_loaded){i, 0};
    while (place > 0 && f->few[place - 1u].load > 0) {
        uint32_t first = fsim_fleet_few_first(f, place - 1u);
        fsim_fleet_few_swap(f, first, place);
        place = first;
    }
    for (uint32_t l = 0; l < load; l++) {
        fsim_fleet_few_enter(f, i);
    }
}

static void few_remove(fsim_fleet *f, uint32_t i) {
    uint32_t place = fsim_fleet_few_place(f, i), last = fsim_fleet_few_last(f, place);
    fsim_fleet_few_swap(f, place, last);
    while (last + 1u < f->dense_count) {
        place = last;
        last = fsim_fleet_few_last(f, place + 1u);
        fsim_fleet_few_swap(f, place, last);
    }
    f->dense_count--;
}

/* level[] from few[]. */
static bool lay_levels(fsim_fleet *f) {
    if (!make_level(f, f->dense_count == 0 ? 0u : f->few[f->dense_count - 1u].load)) {
        return false;
    }
    uint32_t below = 0;
    for (uint32_t load = 0; load <= f->level_count; load++) {
        while (below < f->dense_count && f->few[below].load < load) {
            below++;
        }
        f->level[load] = below;
    }
    return true;
}

/* For one member more. Beyond a few they are in dense[] from now on, until the fleet is empty. */
static bool make_room(fsim_fleet *f, fsim_fleet_link *links) {
    if (f->by_few && f->count < FSIM_FLEET_FEW) {
        return true;
    }
    if (!make_place(f) || (f->by_few && kind_of(f->order) == INDEX_LOAD && !lay_levels(f))) {
        return false;
    }
    if (f->by_few) {
        f->by_few = false;
        for (uint32_t place = 0; place < f->dense_count; place++) {
            put(f, links, place, f->few[place].instance);
        }
    }
    return true;
}

static bool load_add(fsim_fleet *f, fsim_fleet_link *links, uint32_t i) {
    uint32_t inside = links[i].inside;
    if (f->by_few) {
        few_add(f, i, inside);
        return true;
    }
    if (!make_level(f, inside)) {
        return false;
    }
    level_add(f, links, i);
    for (uint32_t load = 1; load <= inside; load++) {
        swap_places(f, links, links[i].place, f->level[load] - 1u);
        f->level[load]--;
    }
    return true;
}

static uint32_t pick_by_load(const fsim_fleet *f, const fsim_fleet_link *links, fsim_rng *rng) {
    uint32_t loads = f->slots < f->level_count ? f->slots : f->level_count;
    uint32_t end = f->level[loads]; /* those with a free slot come first */
    if (end == 0) {
        return FSIM_NONE;
    }
    uint32_t load = links[f->dense[f->order == FSIM_ROUTE_MOST_LOADED ? end - 1u : 0u]].inside;
    uint32_t first = f->level[load];
    return f->dense[first + fsim_rng_below(rng, f->level[load + 1u] - first)];
}

static uint32_t pick_two(const fsim_fleet *f, const fsim_fleet_link *links, fsim_rng *rng) {
    if (f->dense_count < 2u) {
        return f->dense_count == 0 ? FSIM_NONE : f->dense[0];
    }
    uint32_t a = fsim_rng_below(rng, f->dense_count);
    uint32_t b = fsim_rng_below(rng, f->dense_count - 1u);
    b += b >= a ? 1u : 0u;
    uint32_t inside_a = links[f->dense[a]].inside;
    uint32_t inside_b = links[f->dense[b]].inside;
    if (inside_a == inside_b) {
        return f->dense[(fsim_rng_word(rng) >> 63) != 0 ? a : b];
    }
    return f->dense[inside_a < inside_b ? a : b];
}

/* ---- the fleet ---- */

bool fsim_fleet_announce(fsim_fleet *f, fsim_fleet_link *links, uint32_t i) {
    if (kind_of(f->order) != INDEX_CREATION) {
        return true;
    }
    if (!make_rank(f, links)) {
        return false;
    }
    f->ranked[f->rank_next] = i;
    links[i].place = f->rank_next++;
    return true;
}

void fsim_fleet_withdraw(fsim_fleet *f, fsim_fleet_link *links, uint32_t i) {
    if (kind_of(f->order) == INDEX_CREATION) {
        f->ranked[links[i].place] = FSIM_NONE;
    }
}

bool fsim_fleet_add(fsim_fleet *f, fsim_fleet_link *links, uint32_t i) {
    fsim_check(links[i].inside == 0);
    switch (f->by_idle_list ? INDEX_RECENCY : kind_of(f->order)) {
    case INDEX_CREATION: set_free(f, links[i].place, true); break;
    case INDEX_FREE:
        if (!make_room(f, links)) {
            return false;
        }
        put(f, links, f->dense_count++, i);
        break;
    case INDEX_LOAD:
        if (!make_room(f, links) || !load_add(f, links, i)) {
            return false;
        }
        break;
    case INDEX_RECENCY:
    default:
        if (!f->by_idle_list) {
            free_append(f, links, i);
        }
        break;
    }
    if (f->lists_idle) {
        fsim_fleet_idle_append(f, links, i);
    }
    f->count++;
    return true;
}

void fsim_fleet_park(fsim_fleet *f, fsim_fleet_link *links, uint32_t i) {
    if (links[i].inside == 0 && f->lists_idle) {
        fsim_fleet_idle_unlink(f, links, i);
    }
    if (f->by_idle_list) {
        return;
    }
    bool is_free = links[i].inside < f->slots;
    switch (kind_of(f->order)) {
    case INDEX_CREATION: set_free(f, links[i].place, false); break;
    case INDEX_FREE:
        if (is_free) {
            dense_remove(f, links, i);
        }
        break;
    case INDEX_LOAD:
        if (f->by_few) {
            few_remove(f, i);
        } else {
            level_remove(f, links, i);
        }
        break;
    case INDEX_RECENCY:
    default:
        if (is_free) {
            free_unlink(f, links, i);
        }
        break;
    }
}

/* Room in dense[] is kept for every member; in level[] only for the loads that some member has had there. An
 * idle one is sure of it: its load is the least. */
bool fsim_fleet_unpark(fsim_fleet *f, fsim_fleet_link *links, uint32_t i) {
    uint32_t inside = links[i].inside;
    bool is_free = inside < f->slots;
    if (inside == 0 && f->lists_idle) {
        fsim_fleet_idle_append(f, links, i);
    }
    switch (f->by_idle_list ? INDEX_RECENCY : kind_of(f->order)) {
    case INDEX_CREATION: set_free(f, links[i].place, is_free); break;
    case INDEX_FREE:
        if (is_free) {
            put(f, links, f->dense_count++, i);
        }
        break;
    case INDEX_LOAD: return load_add(f, links, i);
    case INDEX_RECENCY:
    default:
        if (is_free && !f->by_idle_list) {
            free_append(f, links, i);
        }
        break;
    }
    return true;
}

void fsim_fleet_remove(fsim_fleet *f, fsim_fleet_link *links, uint32_t i) {
    fsim_fleet_park(f, links, i);
    f->count--;
    f->by_few |= f->count == 0 && may_be_few(f);
    if (!f->by_idle_list && kind_of(f->order) == INDEX_CREATION) {
        f->ranked[links[i].place] = FSIM_NONE;
    }
}

bool fsim_fleet_index_enter(fsim_fleet *f, fsim_fleet_link *links, uint32_t i) {
    uint32_t inside = links[i].inside; /* already counted */
    bool is_full = inside == f->slots;
    switch (kind_of(f->order)) {
    case INDEX_CREATION:
        if (is_full) {
            set_free(f, links[i].place, false);
        }
        return true;
    case INDEX_FREE:
        if (is_full) {
            dense_remove(f, links, i);
        }
        return true;
    case INDEX_LOAD:
        if (!make_level(f, inside)) {
            return false;
        }
        swap_places(f, links, links[i].place, f->level[inside] - 1u);
        f->level[inside]--;
        return true;
    case INDEX_RECENCY:
    default:
        if (inside <= f->slots) {
            free_unlink(f, links, i);
        }
        if (inside < f->slots) {
            free_append(f, links, i);
        }
        return true;
    }
}

void fsim_fleet_index_leave(fsim_fleet *f, fsim_fleet_link *links, uint32_t i) {
    uint32_t inside = links[i].inside; /* already counted */
    bool was_full = inside + 1u == f->slots;
    switch (kind_of(f->order)) {
    case INDEX_CREATION:
        if (was_full) {
            set_free(f, links[i].place, true);
        }
        break;
    case INDEX_FREE:
        if (was_full) { /* make_place has kept room for it */
            put(f, links, f->dense_count++, i);
        }
        break;
    case INDEX_LOAD:
        swap_places(f, links, links[i].place, f->level[inside + 1u]);
        f->level[inside + 1u]++;
        break;
    case INDEX_RECENCY:
    default:
        if (inside < f->slots) {
            if (!was_full) {
                free_unlink(f, links, i);
            }
            free_append(f, links, i);
        }
        break;
    }
}

uint32_t fsim_fleet_index_pick(fsim_fleet *f, const fsim_fleet_link *links, fsim_rng *rng) {
    switch (f->order) {
    case FSIM_ROUTE_NEWEST_IDLE: return f->free_newest;
    case FSIM_ROUTE_OLDEST_IDLE: return f->free_oldest;
    case FSIM_ROUTE_NEWEST_CREATED:
    case FSIM_ROUTE_OLDEST_CREATED:
    case FSIM_ROUTE_ROUND_ROBIN: return pick_by_rank(f);
    case FSIM_ROUTE_RANDOM:
        return f->dense_count == 0 ? FSIM_NONE : f->dense[fsim_rng_below(rng, f->dense_count)];
    case FSIM_ROUTE_TWO_CHOICES: return pick_two(f, links, rng);
    case FSIM_ROUTE_LEAST_LOADED:
    case FSIM_ROUTE_MOST_LOADED:
    default: return pick_by_load(f, links, rng);
    }
}
