/* Instances share a bounded memory; a start that lacks room removes the idle instance used least recently
 * (policies spec, section 8.2, variant LRU; contract additions, section 1 "keepalive"). */
#include "api/policy_api.h"

#include <math.h>
#include <stddef.h>

#define MIB (INT64_C(1024) * 1024)

typedef struct lru_params {
    int64_t memory_bytes;
    fsim_dist window;
} lru_params;

static const fsim_param table[] = {
    {.name = "memory",
     .kind = FSIM_PARAM_SIZE,
     .offset = offsetof(lru_params, memory_bytes),
     .fallback = "32GB",
     .min = MIB,
     .max = INFINITY,
     .off = true,
     .unit = "bytes",
     .help = "memory that all instances, busy and idle, may hold together; null: no bound"},
    {.name = "window",
     .kind = FSIM_PARAM_DIST,
     .offset = offsetof(lru_params, window),
     .fallback = "none",
     .off = true,
     .help = "idle time after which an instance is removed even if there is room; null: never"},
    {0}};

static void init(const void *params, const fsim_fn_spec *fn, fsim_keepalive_plan *plan) {
    const lru_params *p = params;
    (void)fn;
    *plan = (fsim_keepalive_plan){
        .window = p->window,
        .pool_mb = p->memory_bytes == INT64_MAX ? INT64_MAX : p->memory_bytes / MIB,
    };
}

/* Ranks are doubles: exact to the nanosecond for 104 days, to 2 ns beyond. */
static double rank(const fsim_use_view *use) {
    return (double)use->now_ns;
}

const fsim_keepalive_ops fsim_keepalive_lru = {
    .info = {.name = "lru",
             .summary = "one memory for all instances; room is made by removing the least recently used",
             .source = "policies spec, section 8.2 (variant LRU)",
             .params = table,
             .params_size = sizeof(lru_params)},
    .init = init,
    .rank = rank,
};
