/* Greedy-Dual-Size-Frequency: instances share a bounded memory; a start that lacks room removes the idle
 * instance with the lowest clock + frequency x cost / size. The clock is the rank of the last one removed, so
 * what has not been used for long sinks below what is used now (policies spec, section 8.2: FaasCache, ASPLOS
 * 2021). */
#include "api/policy_api.h"

#include <math.h>
#include <stddef.h>

#define MIB (INT64_C(1024) * 1024)

typedef struct greedy_dual_params {
    int64_t memory_bytes;
    fsim_dist window;
} greedy_dual_params;

static const fsim_param table[] = {
    {.name = "memory",
     .kind = FSIM_PARAM_SIZE,
     .offset = offsetof(greedy_dual_params, memory_bytes),
     .fallback = "32GB",
     .min = MIB,
     .max = INFINITY,
     .off = true,
     .unit = "bytes",
     .help = "memory that all instances, busy and idle, may hold together; null: no bound"},
    {.name = "window",
     .kind = FSIM_PARAM_DIST,
     .offset = offsetof(greedy_dual_params, window),
     .fallback = "none",
     .off = true,
     .help = "idle time after which an instance is removed even if there is room; null: never"},
    {0}};

static void init(const void *params, const fsim_fn_spec *fn, fsim_keepalive_plan *plan) {
    const greedy_dual_params *p = params;
    (void)fn;
    *plan = (fsim_keepalive_plan){
        .window = p->window,
        .pool_mb = p->memory_bytes == INT64_MAX ? INT64_MAX : p->memory_bytes / MIB,
    };
}

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
             .params = table,
             .params_size = sizeof(greedy_dual_params)},
    .init = init,
    .rank = rank,
    .rank_is_of_function = true,
};
