/* What policies of provisioned instances share: the parameters of a schedule, the use of what is provisioned,
 * and the limits that a function sets. */
#ifndef FSIM_POLICIES_PROVISIONED_SUPPORT_H
#define FSIM_POLICIES_PROVISIONED_SUPPORT_H

#include "api/policy_api.h"
#include "autoscale/schedule.h"

typedef struct provisioned_times {
    const char *schedule, *clock, *timezone;
} provisioned_times;

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

static inline fsim_status provisioned_times_parse(const provisioned_times *times, fsim_schedule *schedule,
                                                  fsim_error *err) {
    return fsim_schedule_parse(schedule, times->schedule, times->clock, times->timezone, err);
}

static inline uint32_t provisioned_within(int64_t want, int64_t least, int64_t most, const fsim_fn_spec *fn) {
    int64_t bound = most < fn->max_instances ? most : fn->max_instances;
    int64_t raised = want > least ? want : least;
    return (uint32_t)(raised < bound ? raised : bound);
}

/* The share in use of the slots of `ready` instances, 0 … 1 (more where a slot takes without bound). */
static inline double provisioned_use(double requests, uint32_t ready, uint32_t slots) {
    return ready == 0 ? 0 : requests / ((double)ready * (slots == FSIM_UNLIMITED ? 1u : slots));
}

#endif
