/* Retention that follows how a function is used, and the reclaim of functions of low concurrency, as Tencent
 * SCF describes them: an idle instance is kept for a while for reuse, for how long is adjusted by the
 * platform; for low concurrency no such time is set, and a "smart" reclaim decides
 * (cloud.tencent.com/document/product/583/ 45757). How is not published. Here, once a period:
 *
 *     busy   (at least `low_concurrency` requests in execution on average)
 *            kept for shortest + (window - shortest) x share of the instances in use
 *     low    patience x the time between calls, at least reclaim_shortest; if that is beyond reclaim_longest,
 *            reclaim_shortest: waiting would not be worth it
 *
 * The time between calls is a moving average over the periods in which the function was called. All numbers
 * are assumptions. */
#include "api/policy_api.h"

#include <stddef.h>

#define WEIGHT 0.25 /* of the latest time between calls */

typedef struct adaptive_params {
    fsim_ns shortest_ns, window_ns, reclaim_shortest_ns, reclaim_longest_ns, period_ns;
    double low_concurrency, patience;
} adaptive_params;

typedef struct adaptive_state {
    bool called, has_gap; /* ever; twice */
    fsim_ns called_at_ns;
    double gap_ns;
} adaptive_state;

#define AT(field) offsetof(adaptive_params, field)

static const fsim_param table[] = {
    {.name = "shortest",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(shortest_ns),
     .fallback = "180s",
     .min = 0,
     .max = 86400,
     .help = "retention where hardly any instance is in use; at most window"},
    {.name = "window",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(window_ns),
     .fallback = "300s",
     .min = 0,
     .max = 86400,
     .help = "retention where all instances are in use"},
    {.name = "low_concurrency",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(low_concurrency),
     .fallback = "1",
     .min = 0,
     .max = 1e6,
     .unit = "requests",
     .help = "in execution on average; below it there is no retention but reclaim; 0: never"},
    {.name = "patience",
     .kind = FSIM_PARAM_REAL,
     .offset = AT(patience),
     .fallback = "3",
     .min = 0,
     .max = 1000,
     .unit = "times",
     .help = "reclaim: so many times the usual time between calls"},
    {.name = "reclaim_shortest",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(reclaim_shortest_ns),
     .fallback = "60s",
     .min = 0,
     .max = 86400,
     .help = "reclaim: never sooner, and this soon where calls are too far apart"},
    {.name = "reclaim_longest",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(reclaim_longest_ns),
     .fallback = "30m",
     .min = 0,
     .max = 86400,
     .help = "reclaim: calls that would need more than this are not waited for"},
    {.name = "period",
     .kind = FSIM_PARAM_SPAN,
     .offset = AT(period_ns),
     .fallback = "60s",
     .min = 1,
     .max = 3600,
     .help = "time between two adjustments"},
    {0}};

static fsim_status check(const void *params, fsim_error *err) {
    const adaptive_params *p = params;
    if (p->reclaim_shortest_ns > p->reclaim_longest_ns) {
        return fsim_fail(err, FSIM_ECONFIG, "reclaim_shortest %g s is more than reclaim_longest %g s",
                         fsim_ns_to_s(p->reclaim_shortest_ns), fsim_ns_to_s(p->reclaim_longest_ns));
    }
    return FSIM_OK;
}

static fsim_ns shortest_of(const adaptive_params *p) {
    return p->shortest_ns < p->window_ns ? p->shortest_ns : p->window_ns;
}

static void init(const void *params, const fsim_fn_spec *fn, fsim_keepalive_plan *plan) {
    const adaptive_params *p = params;
    (void)fn;
    *plan = (fsim_keepalive_plan){.pool_mb = INT64_MAX, .adapt_ns = p->period_ns};
    fsim_dist_constant(&plan->window, shortest_of(p));
}

static size_t state_size(const void *params) {
    (void)params;
    return sizeof(adaptive_state);
}

static void note_call(adaptive_state *s, fsim_ns now_ns) {
    if (s->called) {
        double gap_ns = (double)(now_ns - s->called_at_ns);
        s->gap_ns = s->has_gap ? s->gap_ns + WEIGHT * (gap_ns - s->gap_ns) : gap_ns;
        s->has_gap = true;
    }
    s->called = true;
    s->called_at_ns = now_ns;
}

static fsim_ns adapt(void *state, const void *params, const fsim_keepalive_view *view) {
    adaptive_state *s = state;
    const adaptive_params *p = params;
    if (view->called) {
        note_call(s, view->now_ns);
    }
    if (view->concurrency >= p->low_concurrency) {
        double share = view->instances > 0 ? view->concurrency / view->instances : 1;
        fsim_ns shortest_ns = shortest_of(p);
        return shortest_ns + (fsim_ns)((double)(p->window_ns - shortest_ns) * (share < 1 ? share : 1));
    }
    if (!s->has_gap) {
        return shortest_of(p);
    }
    double window_ns = p->patience * s->gap_ns;
    bool worth_it = window_ns >= (double)p->reclaim_shortest_ns && window_ns <= (double)p->reclaim_longest_ns;
    return worth_it ? (fsim_ns)window_ns : p->reclaim_shortest_ns;
}

const fsim_keepalive_ops fsim_keepalive_adaptive = {
    .info =
        {.name = "adaptive",
         .summary =
             "retention by the use of the instances; functions of low concurrency by the time between calls",
         .source = "cloud.tencent.com/document/product/583/45757 (what is done, not how); the rule is an "
                   "assumption",
         .params = table,
         .params_size = sizeof(adaptive_params),
         .check = check},
    .init = init,
    .state_size = state_size,
    .adapt = adapt,
};
