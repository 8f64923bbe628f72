/* Every idle instance may hold the same amount of memory-time: `budget` GB-seconds. A small function is kept
 * long, a large one briefly, and nothing is kept longer than `longest`. (1: say what the rule is and where it
 * comes from.) */
#include "api/policy_api.h"

#include <math.h>
#include <stddef.h>

/* 2: the parameters, as the code wants them. Spans are fsim_ns, distributions fsim_dist, counts int64_t,
 * reals double. */
typedef struct by_memory_params {
    double budget_gb_s;
    fsim_ns longest_ns;
} by_memory_params;

/* 3: one row a parameter gives its default, its range, its error messages and its help. The default is
 * written as a user would write it; a row without one is required. The last row is empty. */
static const fsim_param table[] = {{.name = "budget",
                                    .kind = FSIM_PARAM_REAL,
                                    .offset = offsetof(by_memory_params, budget_gb_s),
                                    .fallback = "75",
                                    .min = 0,
                                    .max = 1e9,
                                    .unit = "GB-s",
                                    .help = "memory times time that an idle instance may cost"},
                                   {.name = "longest",
                                    .kind = FSIM_PARAM_SPAN,
                                    .offset = offsetof(by_memory_params, longest_ns),
                                    .fallback = "1h",
                                    .off = true, /* null or "none" is allowed and reads as FSIM_NEVER */
                                    .help = "no instance is kept idle for longer; null: no bound"},
                                   {0}};

/* 4: called once per function. Fills in the plan that the engine then carries out: no call per request, no
 * state to guard. It cannot fail, must not allocate, and sees no clock and no randomness but what it is
 * given. */
static void init(const void *params, const fsim_fn_spec *fn, fsim_keepalive_plan *plan) {
    const by_memory_params *p = params;
    fsim_ns window_ns = fsim_ns_from_s(p->budget_gb_s / ((double)fn->memory_mb / 1024));
    *plan = (fsim_keepalive_plan){.pool_mb = INT64_MAX};
    fsim_dist_constant(&plan->window, window_ns < p->longest_ns ? window_ns : p->longest_ns);
}

/* 5: the symbol is fsim_<kind>_<file name>; the linker says so if it is not. With this the policy has a name
 * in scenarios and on the command line, a row in `fsim list`, and is run by the tests over all policies. */
const fsim_keepalive_ops fsim_keepalive_by_memory = {
    .info = {.name = "by_memory",
             .summary = "keep an idle instance for a budget of memory times time",
             .source = "an example: CONTRIBUTING and policies/README.md",
             .params = table,
             .params_size = sizeof(by_memory_params)},
    .init = init,
};
