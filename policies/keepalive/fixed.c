/* One window for every idle instance, constant or drawn anew whenever an instance becomes idle, counted from
 * its last completion (policies spec, section 8.1). With `prewarm` the instance goes at once and a fresh one
 * is ready so much later: the plan that pre-warming policies reduce to (section 8.3). */
#include "api/policy_api.h"

#include <math.h>
#include <stddef.h>

typedef struct fixed_params {
    fsim_dist window;
    fsim_ns prewarm_ns;
} fixed_params;

static const fsim_param table[] = {
    {.name = "window",
     .kind = FSIM_PARAM_DIST,
     .offset = offsetof(fixed_params, window),
     .fallback = "10m",
     .off = true,
     .help = "idle time after which an instance is removed; null: never"},
    {.name = "prewarm",
     .kind = FSIM_PARAM_SPAN,
     .offset = offsetof(fixed_params, prewarm_ns),
     .fallback = "0s",
     .help = "above 0: remove at completion and have a new instance ready after this long"},
    {0}};

static void init(const void *params, const fsim_fn_spec *fn, fsim_keepalive_plan *plan) {
    const fixed_params *p = params;
    (void)fn;
    *plan = (fsim_keepalive_plan){.window = p->window, .prewarm_ns = p->prewarm_ns, .pool_mb = INT64_MAX};
}

const fsim_keepalive_ops fsim_keepalive_fixed = {
    .info = {.name = "fixed",
             .summary = "keep every idle instance for one window",
             .source = "policies spec, section 8.1; default as OpenWhisk's application.conf (section 3.4)",
             .params = table,
             .params_size = sizeof(fixed_params)},
    .init = init,
};
