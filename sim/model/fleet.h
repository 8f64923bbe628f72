/* The instances of one function that are ready, indexed by what its routing rule asks for: recency, order of
 * creation, or load. Only the index of the rule in force is kept; with it every pick is O(1) (creation order
 * and round robin: a scan over a bitmap, 64 instances a word; most functions have few instances, and an index
 * by load or for draws is then one cache line inside the fleet).
 *
 * The fleet knows instances by id and by the requests inside them; it never looks at the clock. An instance
 * has a free slot while inside < slots, and is idle while inside = 0. The idle ones are kept in a list in the
 * order in which they became idle, which under a fixed keep-alive is the order in which they expire; unless
 * nobody asks for it. */
#ifndef FSIM_MODEL_FLEET_H
#define FSIM_MODEL_FLEET_H

#include "api/policy_api.h"
#include "base/inline.h"

#include <stdbool.h>

#define FSIM_NONE UINT32_MAX

/* What the fleet keeps per instance: one column of the instance pool. */
typedef struct fsim_fleet_link {
    uint32_t idle_newer, idle_older;
    uint32_t free_newer, free_older; /* by recency, with more than one slot */
    uint32_t place;                  /* in dense[], or rank in order of creation */
    uint32_t inside;                 /* requests held: executing and waiting in the instance */
} fsim_fleet_link;

/* Load: LEAST, MOST: its links[].inside. */
typedef struct fsim_fleet_loaded {
    uint32_t instance, load;
} fsim_fleet_loaded;

enum { FSIM_FLEET_FEW = 8 };

typedef struct fsim_fleet {
    uint32_t idle_newest, idle_oldest;
    uint8_t order;     /* fsim_route_order */
    bool by_idle_list; /* one slot and a rule of recency: the idle list is the index */
    bool by_room;      /* the index changes only when an instance becomes full, or is no longer */
    bool by_few;       /* RANDOM, LEAST, MOST, few members: few[] is the index, else dense[] and level[] */
    bool lists_idle;   /* fsim_fleet_unlist_idle */
    uint32_t slots;
    uint32_t count;                        /* instances in the fleet */
    uint32_t dense_count;                  /* of few[] or dense[] */
    fsim_fleet_loaded few[FSIM_FLEET_FEW]; /* as dense[] */
    uint32_t *dense; /* RANDOM, TWO_CHOICES: those with a free slot; LEAST, MOST: all, by load */
    uint32_t *level; /* LEAST, MOST: level[l] = first place with load >= l, l = 0 … level_count */
    uint32_t dense_capacity, level_count;
    uint32_t free_newest, free_oldest;
    uint32_t *ranked;    /* creation order: the instance of each rank, FSIM_NONE where it has gone */
    uint64_t *free_bits; /* bit per rank: has a free slot */
    uint32_t rank_next, rank_capacity;
    uint32_t cursor, cursor_before; /* round robin: rank taken last, and before that */
} fsim_fleet;

void fsim_fleet_init(fsim_fleet *fleet, fsim_route_order order, uint32_t slots);
void fsim_fleet_deinit(fsim_fleet *fleet);
/* Before the first member: nobody will ask for the idle ones, so they are not listed, which spares what is in
 * doubt and two other members' lines at each change. No effect where that list is the index. */
void fsim_fleet_unlist_idle(fsim_fleet *fleet);

/* An instance starts: its place in the order of creation is that of its start. Then fsim_fleet_add when it is
 * ready, or withdraw. False: out of memory, nothing changed. */
bool fsim_fleet_announce(fsim_fleet *fleet, fsim_fleet_link *links, uint32_t instance);
void fsim_fleet_withdraw(fsim_fleet *fleet, fsim_fleet_link *links, uint32_t instance);
/* An announced instance without requests joins, as the newest idle. False: out of memory, nothing changed. */
bool fsim_fleet_add(fsim_fleet *fleet, fsim_fleet_link *links, uint32_t instance);
/* An instance leaves, whatever is inside. By load O(loads), else O(1). */
void fsim_fleet_remove(fsim_fleet *fleet, fsim_fleet_link *links, uint32_t instance);

/* A member that is not to be picked for a while, though slots may be free; it keeps its place in the order of
 * creation. While it is parked the caller counts links[].inside itself, without enter and leave, and takes it
 * out of parking before fsim_fleet_remove. Comes back as the one used last, whatever is inside; false: out of
 * memory, nothing changed. By load O(loads), else O(1). */
void fsim_fleet_park(fsim_fleet *fleet, fsim_fleet_link *links, uint32_t instance);
bool fsim_fleet_unpark(fsim_fleet *fleet, fsim_fleet_link *links, uint32_t instance);

/* Internal: the indexes other than the idle list. False: out of memory. */
bool fsim_fleet_index_enter(fsim_fleet *fleet, fsim_fleet_link *links, uint32_t instance);
void fsim_fleet_index_leave(fsim_fleet *fleet, fsim_fleet_link *links, uint32_t instance);
uint32_t fsim_fleet_index_pick(fsim_fleet *fleet, const fsim_fleet_link *links, fsim_rng *rng);

FSIM_INLINE void fsim_fleet_idle_unlink(fsim_fleet *fleet, fsim_fleet_link *links, uint32_t instance) {
    uint32_t newer = links[instance].idle_newer;
    uint32_t older = links[instance].idle_older;
    if (newer != FSIM_NONE) {
        links[newer].idle_older = older;
    } else {
        fleet->idle_newest = older;
    }
    if (older != FSIM_NONE) {
        links[older].idle_newer = newer;
    } else {
        fleet->idle_oldest = newer;
    }
}

FSIM_INLINE void fsim_fleet_idle_append(fsim_fleet *fleet, fsim_fleet_link *links, uint32_t instance) {
    uint32_t newest = fleet->idle_newest;
    links[instance].idle_newer = FSIM_NONE;
    links[instance].idle_older = newest;
    fleet->idle_newest = instance;
    if (newest != FSIM_NONE) {
        links[newest].idle_newer = instance;
    } else {
        fleet->idle_oldest = instance;
    }
}

/* Few members by load. A load that changes by one moves its instance to the border of those that had the
 * same, as in dense[], so that both forms give the same picks. */
FSIM_INLINE void fsim_fleet_few_swap(fsim_fleet *fleet, uint32_t a, uint32_t b) {
    fsim_fleet_loaded member = fleet->few[a];
    fleet->few[a] = fleet->few[b];
    fleet->few[b] = member;
}
FSIM_INLINE uint32_t fsim_fleet_few_place(const fsim_fleet *fleet, uint32_t instance) {
    uint32_t place = 0;
    while (fleet->few[place].instance != instance) {
        place++;
    }
    return place;
}
/* First and last place of those with the load of the one in `place`. */
FSIM_INLINE uint32_t fsim_fleet_few_first(const fsim_fleet *fleet, uint32_t place) {
    uint32_t load = fleet->few[place].load;
    while (place > 0 && fleet->few[place - 1u].load == load) {
        place--;
    }
    return place;
}
FSIM_INLINE uint32_t fsim_fleet_few_last(const fsim_fleet *fleet, uint32_t place) {
    uint32_t load = fleet->few[place].load;
    while (place + 1u < fleet->dense_count && fleet->few[place + 1u].load == load) {
        place++;
    }
    return place;
}
FSIM_INLINE void fsim_fleet_few_enter(fsim_fleet *fleet, uint32_t instance) {
    uint32_t place = fsim_fleet_few_place(fleet, instance), last = fsim_fleet_few_last(fleet, place);
    fsim_fleet_few_swap(fleet, place, last);
    fleet->few[last].load++;
}
FSIM_INLINE void fsim_fleet_few_leave(fsim_fleet *fleet, uint32_t instance) {
    uint32_t place = fsim_fleet_few_place(fleet, instance), first = fsim_fleet_few_first(fleet, place);
    fsim_fleet_few_swap(fleet, place, first);
    fleet->few[first].load--;
}
/* A place of the load that the rule asks for; FSIM_NONE: all are full. */
FSIM_INLINE uint32_t fsim_fleet_few_wanted(const fsim_fleet *fleet) {
    uint32_t end = fleet->dense_count;
    while (end > 0 && fleet->few[end - 1u].load >= fleet->slots) {
        end--;
    }
    return end == 0 ? FSIM_NONE : fleet->order == FSIM_ROUTE_MOST_LOADED ? end - 1u : 0u;
}
FSIM_INLINE uint32_t fsim_fleet_few_pick(const fsim_fleet *fleet, fsim_rng *rng) {
    if (fleet->order == FSIM_ROUTE_RANDOM) {
        return fleet->dense_count == 0 ? FSIM_NONE
                                       : fleet->few[fsim_rng_below(rng, fleet->dense_count)].instance;
    }
    uint32_t place = fsim_fleet_few_wanted(fleet);
    if (place == FSIM_NONE) {
        return FSIM_NONE;
    }
    uint32_t first = fsim_fleet_few_first(fleet, place), last = fsim_fleet_few_last(fleet, place);
    return fleet->few[first + fsim_rng_below(rng, last - first + 1u)].instance;
}

/* One request more inside an instance of the fleet; its slot was free. False: out of memory. */
FSIM_INLINE bool fsim_fleet_enter(fsim_fleet *fleet, fsim_fleet_link *links, uint32_t instance) {
    if (fleet->lists_idle && links[instance].inside == 0) {
        fsim_fleet_idle_unlink(fleet, links, instance);
    }
    links[instance].inside++;
    if (fleet->by_idle_list || (fleet->by_room && links[instance].inside != fleet->slots)) {
        return true;
    }
    if (fleet->by_few && !fleet->by_room) {
        fsim_fleet_few_enter(fleet, instance);
        return true;
    }
    return fsim_fleet_index_enter(fleet, links, instance);
}

/* One request less. */
FSIM_INLINE void fsim_fleet_leave(fsim_fleet *fleet, fsim_fleet_link *links, uint32_t instance) {
    links[instance].inside--;
    if (fleet->lists_idle && links[instance].inside == 0) {
        fsim_fleet_idle_append(fleet, links, instance);
    }
    if (fleet->by_idle_list || (fleet->by_room && links[instance].inside + 1u != fleet->slots)) {
        return;
    }
    if (fleet->by_few && !fleet->by_room) {
        fsim_fleet_few_leave(fleet, instance);
        return;
    }
    fsim_fleet_index_leave(fleet, links, instance);
}

/* An instance with a free slot by the rule, or FSIM_NONE. */
FSIM_INLINE uint32_t fsim_fleet_pick(fsim_fleet *fleet, const fsim_fleet_link *links, fsim_rng *rng) {
    if (fleet->by_idle_list) {
        return fleet->order == FSIM_ROUTE_NEWEST_IDLE ? fleet->idle_newest : fleet->idle_oldest;
    }
    if (fleet->by_few) {
        return fsim_fleet_few_pick(fleet, rng);
    }
    return fleet->count == 0 ? FSIM_NONE : fsim_fleet_index_pick(fleet, links, rng);
}

/* What fsim_fleet_pick has returned last is not taken: round robin goes on as if it had not been picked. */
static inline void fsim_fleet_refuse(fsim_fleet *fleet) {
    fleet->cursor = fleet->cursor_before;
}

#endif
