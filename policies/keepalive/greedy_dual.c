/* Greedy-Dual-Size-Frequency: instances share a bounded memory; a start that lacks room removes the idle
 * instance with the lowest clock + frequency x cost / size. The clock is the rank of the last one removed, so
 * what has not been used for long sinks below what is used now (policies spec, section 8.2: FaasCache, ASPLOS
 * 2021). */
#include "policies/keepalive/pool_support.h"

/* cost: mean cold start in seconds; size: MB. Each use ranks all instances of the function again, with the
 * present clock. */
static double rank(const fsim_use_view *use) {
    return use->clock + (double)use->frequency * use->cold_start_s / (double)use->memory_mb;
}

const fsim_keepalive_ops fsim_keepalive_greedy_dual = {
    .info = {.name = "greedy_dual",
             .summary = "one memory for all instances; room is made by removing the lowest clock + frequency "
                        "x cost / size",
             .source = "policies spec, section 8.2; A. Fuerst, P. Sharma, FaasCache, ASPLOS 2021",
             .params = pool_table,
             .params_size = sizeof(pool_params)},
    .init = pool_init,
    .rank = rank,
    .rank_is_of_function = true,
};
