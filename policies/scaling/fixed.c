/* A fleet of constant size: there from the first instant, never removed, never more. The size is a number,
 * each function's own min_instances, or "peak": the most requests the workload ever has in execution, which
 * model/scenario_peak.h finds by a first pass over it and hands back as min_instances. What a platform as a
 * service costs that is sized for the peak. */
#include "api/policy_api.h"

#include <math.h>
#include <stddef.h>

typedef struct fixed_params {
    int64_t instances;
    double headroom;
} fixed_params;

static const fsim_param table[] = {
    {.name = "instances",
     .kind = FSIM_PARAM_COUNT,
     .offset = offsetof(fixed_params, instances),
     .fallback = "1",
     .min = 1,
     .max = FSIM_UNLIMITED - 1.0,
     .off = true,
     .unit = "instances",
     .help =
         "size of each function's fleet; \"peak\": what its peak of requests needs; null: its min_instances",
     .word = "peak"},
    {.name = "headroom",
     .kind = FSIM_PARAM_REAL,
     .offset = offsetof(fixed_params, headroom),
     .fallback = "0",
     .min = 0,
     .max = 100,
     .unit = "share",
     .help = "spare capacity on top of the peak: 0.2 is a fifth more; used with \"peak\" only"},
    {0}};

/* An unresolved peak shows as FSIM_UNLIMITED. */
static void init(void *state, const void *params, const fsim_fn_spec *fn, fsim_scale_plan *plan) {
    const fixed_params *p = params;
    (void)state;
    *plan = (fsim_scale_plan){
        .fixed = true,
        .initial = p->instances == FSIM_PARAM_WORD ? FSIM_UNLIMITED
                   : p->instances == INT64_MAX     ? fn->min_instances
                                                   : (uint32_t)p->instances,
    };
}

const fsim_scaling_ops fsim_scaling_fixed = {
    .info = {.name = "fixed",
             .summary = "a constant number of instances from the first instant on",
             .source = "product contract, section 6 \"paas\"",
             .params = table,
             .params_size = sizeof(fixed_params)},
    .init = init,
};
