/* What the policies with one memory for all instances share: lru and greedy_dual differ in the rank by which
 * a start that lacks room chooses what it removes (policies spec, section 8.2). */
#ifndef FSIM_POLICIES_POOL_SUPPORT_H
#define FSIM_POLICIES_POOL_SUPPORT_H

#include "api/policy_api.h"

#include <math.h>
#include <stddef.h>

#define MIB (INT64_C(1024) * 1024)

typedef struct pool_params {
    int64_t memory_bytes;
    fsim_dist window;
} pool_params;

static const fsim_param pool_table[] = {
    {.name = "memory",
     .kind = FSIM_PARAM_SIZE,
     .offset = offsetof(pool_params, memory_bytes),
     .fallback = "32GB",
     .min = MIB,
     .max = INFINITY,
     .off = true,
     .unit = "bytes",
     .help = "memory that all instances, busy and idle, may hold together; null: no bound"},
    {.name = "window",
     .kind = FSIM_PARAM_DIST,
     .offset = offsetof(pool_params, window),
     .fallback = "none",
     .off = true,
     .help = "idle time after which an instance is removed even if there is room; null: never"},
    {0}};

static inline void pool_init(const void *params, const fsim_fn_spec *fn, fsim_keepalive_plan *plan) {
    const pool_params *p = params;
    (void)fn;
    *plan = (fsim_keepalive_plan){
        .window = p->window,
        .pool_mb = p->memory_bytes == INT64_MAX ? INT64_MAX : p->memory_bytes / MIB,
    };
}

#endif
