/* What a stall watch has seen during a live run, on the run's clock, as interruptions of a node
 * (model/scenario.h). */
#ifndef FSIM_CLI_LIVE_STALLS_H
#define FSIM_CLI_LIVE_STALLS_H

#include "cli/stall_watch.h"
#include "model/scenario.h"

typedef struct fsim_live_stalls {
    bool known; /* every core was watched all the time */
    fsim_interruption *list;
    uint32_t count;
    fsim_ns longest_ns; /* on the machine's clock, like the share */
    double share;       /* of all cores' time */
} fsim_live_stalls;

/* Of the first `cores` cores, from began_ns to ended_ns on the machine's clock; the run's goes speed_up times
 * as fast. False: out of memory. */
bool fsim_live_stalls_take(fsim_live_stalls *out, const fsim_stall_watch *watch, fsim_ns began_ns,
                           fsim_ns ended_ns, double speed_up, uint32_t cores);
/* As platform.nodes.interruptions takes it from a file. */
fsim_status fsim_live_stalls_write(const fsim_live_stalls *stalls, const char *path, fsim_error *err);
void fsim_live_stalls_destroy(fsim_live_stalls *stalls);

#endif
