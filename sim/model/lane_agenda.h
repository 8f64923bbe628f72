/* What the lanes have to remember beside their sorted changes (model/lanes.h): instants at which something
 * seldom happens, ends of executions that will not be, and which executions end as an instance becomes ready.
 * Memory grows with what is open at one time. */
#ifndef FSIM_MODEL_LANE_AGENDA_H
#define FSIM_MODEL_LANE_AGENDA_H

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

/* The lowest rank leaves first among those of one instant. */
typedef struct lane_entry {
    fsim_ns at_ns;
    uint64_t rank;
    uint32_t target, kind;
} lane_entry;

/* A binary heap by instant, then by rank. Begin with a zeroed one. */
typedef struct lane_heap {
    lane_entry *entry;
    uint32_t count, capacity;
} lane_heap;

/* False: out of memory, nothing changed. O(log entries). */
bool lane_heap_push(lane_heap *heap, lane_entry entry);
lane_entry lane_heap_pop(lane_heap *heap); /* of one that is not empty */

static inline fsim_ns lane_heap_next_ns(const lane_heap *heap) {
    return heap->count == 0 ? FSIM_NEVER : heap->entry[0].at_ns;
}

/* Ends of warm executions at the instants at which instances of the same function become ready. At one
 * instant things happen in the order in which they were scheduled; the changes do not say when that was, so
 * it is counted while a start is under way. A hash table; every operation costs O(1). */
typedef struct lane_tie {
    fsim_ns at_ns;
    uint64_t ends; /* scheduled so far, while somebody waits */
    uint32_t fn, waiting;
} lane_tie;

typedef struct lane_ties {
    lane_tie *tie; /* waiting == 0: free */
    uint32_t count, capacity;
} lane_ties;

/* An instance of the function will be ready at that instant. *ends: what lane_ties_close will subtract.
 * False: out of memory. */
bool lane_ties_open(lane_ties *ties, uint32_t fn, fsim_ns at_ns, uint64_t *ends);
/* An execution will end then. */
void lane_ties_add(lane_ties *ties, uint32_t fn, fsim_ns at_ns);
/* It is ready: the ends at the same instant that were scheduled after it was opened. */
uint64_t lane_ties_close(lane_ties *ties, uint32_t fn, fsim_ns at_ns, uint64_t ends);

#endif
