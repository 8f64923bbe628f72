/* What policies of provisioned instances share: the parameters of a schedule, and for those that follow the
 * use of what is provisioned, the bounds they keep within, the use, and when they look at it. */
#ifndef FSIM_POLICIES_PROVISIONED_SUPPORT_H
#define FSIM_POLICIES_PROVISIONED_SUPPORT_H

#include "api/policy_api.h"
#include "autoscale/schedule.h"

#include <stddef.h>

typedef struct provisioned_times {
    const char *schedule, *clock, *timezone;
} provisioned_times;

/* Parameters: at least and at most so many, which a schedule moves. */
typedef struct provisioned_bounds {
    int64_t min_instances, max_instances;
    provisioned_times times;
} provisioned_bounds;

/* What they come to for one function. */
typedef struct provisioned_limits {
    fsim_schedule schedule;
    fsim_fn_spec fn;
} provisioned_limits;

#define PROVISIONED_INSTANCES_MAX (FSIM_UNLIMITED - 1.0)

/* Rows of a parameter table; `field` is the provisioned_times of `params`, `what` begins the help. */
#define PROVISIONED_TIMES_ROWS(params, field, what)                                                          \
    {.name = "schedule",                                                                                     \
     .kind = FSIM_PARAM_TEXT,                                                                                \
     .offset = offsetof(params, field.schedule),                                                             \
     .fallback = "none",                                                                                     \
     .off = true,                                                                                            \
     .help = what},                                                                                          \
        {.name = "clock",                                                                                    \
         .kind = FSIM_PARAM_TEXT,                                                                            \
         .offset = offsetof(params, field.clock),                                                            \
         .fallback = "mon 00:00",                                                                            \
         .help = "weekday and time in UTC when the run begins (decide: a period before the first row)"},     \
    {                                                                                                        \
        .name = "timezone", .kind = FSIM_PARAM_TEXT, .offset = offsetof(params, field.timezone),             \
        .fallback = "UTC",                                                                                   \
        .help = "that the schedule's times are of: UTC or a fixed distance such as +08:00"                   \
    }

/* The same for the provisioned_bounds of `params`. */
#define PROVISIONED_BOUNDS_ROWS(params, field, what)                                                         \
    {.name = "min_instances",                                                                                \
     .kind = FSIM_PARAM_COUNT,                                                                               \
     .offset = offsetof(params, field.min_instances),                                                        \
     .fallback = "1",                                                                                        \
     .min = 0,                                                                                               \
     .max = PROVISIONED_INSTANCES_MAX,                                                                       \
     .unit = "instances",                                                                                    \
     .help = "never fewer, unless the schedule says so"},                                                    \
        {.name = "max_instances",                                                                            \
         .kind = FSIM_PARAM_COUNT,                                                                           \
         .offset = offsetof(params, field.max_instances),                                                    \
         .fallback = "none",                                                                                 \
         .min = 1,                                                                                           \
         .max = PROVISIONED_INSTANCES_MAX,                                                                   \
         .off = true,                                                                                        \
         .unit = "instances",                                                                                \
         .help = "never more, unless the schedule says so; a function's max_instances counts as well"},      \
        PROVISIONED_TIMES_ROWS(params, field.times, what)

static inline fsim_status provisioned_times_parse(const provisioned_times *times, fsim_schedule *schedule,
                                                  fsim_error *err) {
    return fsim_schedule_parse(schedule, times->schedule, times->clock, times->timezone, err);
}

static inline fsim_status provisioned_bounds_check(const provisioned_bounds *bounds, fsim_error *err) {
    fsim_schedule schedule;
    if (bounds->min_instances > bounds->max_instances) {
        return fsim_fail(err, FSIM_ECONFIG, "min_instances %lld is more than max_instances %lld",
                         (long long)bounds->min_instances, (long long)bounds->max_instances);
    }
    return provisioned_times_parse(&bounds->times, &schedule, err);
}

/* `want` within the bounds of this instant; the function's own maximum wins over all. */
static inline uint32_t provisioned_within(const provisioned_limits *limits, const provisioned_bounds *bounds,
                                          int64_t want, fsim_ns now_ns) {
    int64_t least = bounds->min_instances, most = bounds->max_instances;
    fsim_schedule_at(&limits->schedule, now_ns, &least, &most);
    int64_t bound = most < limits->fn.max_instances ? most : limits->fn.max_instances;
    int64_t raised = want > least ? want : least;
    return (uint32_t)(raised < bound ? raised : bound);
}

/* Begins with what functions[].provisioned says; looks at the concurrency of all instances once a period. */
static inline fsim_scale_plan provisioned_use_plan(provisioned_limits *limits,
                                                   const provisioned_bounds *bounds, const fsim_fn_spec *fn,
                                                   fsim_ns period_ns) {
    limits->fn = *fn;
    (void)provisioned_times_parse(&bounds->times, &limits->schedule, NULL); /* was checked */
    return (fsim_scale_plan){.tick_ns = period_ns,
                             .initial = provisioned_within(limits, bounds, fn->provisioned, 0),
                             .totals = true,
                             .reads = FSIM_INPUT_BIT(FSIM_INPUT_CONCURRENCY)};
}

/* The share in use of the slots of `ready` instances, 0 … 1 (more where a slot takes without bound). */
static inline double provisioned_use(double requests, uint32_t ready, uint32_t slots) {
    return ready == 0 ? 0 : requests / ((double)ready * (slots == FSIM_UNLIMITED ? 1u : slots));
}

#endif
