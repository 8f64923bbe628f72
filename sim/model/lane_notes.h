/* What the lanes have to remember beside their sorted changes (model/lanes.h) and the run's event queue: ends
 * of executions that will not be, and which executions end as an instance becomes ready. Memory grows with
 * what is open at one time. */
#ifndef FSIM_MODEL_LANE_NOTES_H
#define FSIM_MODEL_LANE_NOTES_H

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

/* An end that a change tells of, and that will not be. */
typedef struct lane_strike {
    fsim_ns at_ns;
    uint32_t fn;
} lane_strike;

/* A binary heap by instant, then by function, as changes are ordered. Begin with a zeroed one. */
typedef struct lane_struck {
    lane_strike *strike;
    uint32_t count, capacity;
} lane_struck;

/* False: out of memory, nothing changed. O(log strikes). */
bool lane_struck_push(lane_struck *struck, lane_strike strike);
void lane_struck_pop(lane_struck *struck); /* the first, strike[0] */

/* Ends of warm executions at the instants at which instances of the same function become ready. At one
 * instant things happen in the order in which they were scheduled; the changes do not say when that was, so
 * it is counted while a start is under way. A hash table; every operation costs O(1). */
typedef struct lane_tie {
    fsim_ns at_ns;
    uint32_t fn, waiting;
} lane_tie;

/* Begin with a zeroed one. */
typedef struct lane_ties {
    lane_tie *tie;  /* waiting == 0: free */
    uint64_t *ends; /* of each: scheduled so far, while somebody waits. NULL until there is one: instants
                       seldom coincide */
    uint32_t count, capacity;
} lane_ties;

/* An instance of the function will be ready at that instant. *ends: what lane_ties_close will subtract.
 * False: out of memory. */
bool lane_ties_open(lane_ties *ties, uint32_t fn, fsim_ns at_ns, uint64_t *ends);
/* An execution will end then. False: out of memory. */
bool lane_ties_add(lane_ties *ties, uint32_t fn, fsim_ns at_ns);
/* It will be closed soon: has the processor fetch it. */
void lane_ties_fetch(const lane_ties *ties, uint32_t fn, fsim_ns at_ns);
/* It is ready: the ends at the same instant that were scheduled after it was opened. */
uint64_t lane_ties_close(lane_ties *ties, uint32_t fn, fsim_ns at_ns, uint64_t ends);
void lane_ties_deinit(lane_ties *ties);

#endif
