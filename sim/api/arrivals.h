/* Arrivals as columns: what a workload source produces and the engine consumes, at most FSIM_BATCH at a time.
 */
#ifndef FSIM_API_ARRIVALS_H
#define FSIM_API_ARRIVALS_H

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define FSIM_BATCH 1024u
#define FSIM_DRAW  (-1) /* in a duration column: draw from the function's service distribution */

typedef uint32_t fsim_fn_id; /* index into the function table */

/* Row i is one request. at_ns never decreases, neither inside a batch nor from one batch to the next. */
typedef struct fsim_arrivals {
    uint32_t count;
    fsim_ns at_ns[FSIM_BATCH];
    fsim_ns service_ns[FSIM_BATCH]; /* wall time of the request alone in its instance, or FSIM_DRAW */
    fsim_fn_id fn[FSIM_BATCH];
    /* CPU time of the request, or FSIM_DRAW: the function's cpu_fraction of the service time. Read only if
     * has_cpu, which is the same in all batches of a source. */
    bool has_cpu;
    fsim_ns cpu_ns[FSIM_BATCH];
    /* Session id (0: none). Read only if has_session. */
    bool has_session;
    uint64_t session[FSIM_BATCH];
} fsim_arrivals;

#endif
