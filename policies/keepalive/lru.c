/* Instances share a bounded memory; a start that lacks room removes the idle instance used least recently
 * (policies spec, section 8.2, variant LRU; contract additions, section 1 "keepalive"). */
#include "policies/keepalive/pool_support.h"

/* Ranks are doubles: exact to the nanosecond for 104 days, to 2 ns beyond. */
static double rank(const fsim_use_view *use) {
    return (double)use->now_ns;
}

const fsim_keepalive_ops fsim_keepalive_lru = {
    .info = {.name = "lru",
             .summary = "one memory for all instances; room is made by removing the least recently used",
             .source = "policies spec, section 8.2 (variant LRU)",
             .params = pool_table,
             .params_size = sizeof(pool_params)},
    .init = pool_init,
    .rank = rank,
};
