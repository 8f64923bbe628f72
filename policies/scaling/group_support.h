/* What scalers of a group of machines share: period, warm-up, cooldowns and size as parameters, and what they
 * mean for the plan. */
#ifndef FSIM_POLICIES_GROUP_SUPPORT_H
#define FSIM_POLICIES_GROUP_SUPPORT_H

#include "api/policy_api.h"

#include <stddef.h>

typedef struct group_params {
    fsim_ns period_ns, warmup_ns, out_cooldown_ns, in_cooldown_ns;
    int64_t min_size, max_size;
    bool protect_busy;
    int order; /* 0: scale-in takes the oldest first, 1: the newest */
} group_params;

static const char *const group_orders[] = {"oldest", "newest", NULL};

#define GROUP_SIZE_MAX (FSIM_UNLIMITED - 1.0)

/* Rows of a parameter table whose struct `type` has a group_params `group`. */
#define GROUP_SPAN_ROW(type, row, field, fallback_text, least, help_text)                                    \
    {                                                                                                        \
        .name = row, .kind = FSIM_PARAM_SPAN, .offset = offsetof(type, group.field),                         \
        .fallback = fallback_text, .min = least, .max = 86400, .help = help_text                             \
    }

#define GROUP_PERIOD_ROW(type)                                                                               \
    GROUP_SPAN_ROW(type, "period", period_ns, "60s", 1, "span of one point of a metric")

#define GROUP_PACE_ROWS(type, warmup_text, cooldown_text)                                                    \
    GROUP_SPAN_ROW(type, "warmup", warmup_ns, warmup_text, 0,                                                \
                   "how long a ready instance is left out of the metric and counts as just added"),          \
        GROUP_SPAN_ROW(type, "out_cooldown", out_cooldown_ns, cooldown_text, 0,                              \
                       "after a scale-out: what it added counts towards the next one"),                      \
        GROUP_SPAN_ROW(type, "in_cooldown", in_cooldown_ns, cooldown_text, 0,                                \
                       "after a scale-in: no further one")

#define GROUP_SIZE_ROWS(type)                                                                                \
    {.name = "min_size",                                                                                     \
     .kind = FSIM_PARAM_COUNT,                                                                               \
     .offset = offsetof(type, group.min_size),                                                               \
     .fallback = "1",                                                                                        \
     .min = 1,                                                                                               \
     .max = GROUP_SIZE_MAX,                                                                                  \
     .unit = "instances",                                                                                    \
     .help = "never fewer; a function's min_instances counts as well"},                                      \
        {.name = "max_size",                                                                                 \
         .kind = FSIM_PARAM_COUNT,                                                                           \
         .offset = offsetof(type, group.max_size),                                                           \
         .fallback = "none",                                                                                 \
         .min = 1,                                                                                           \
         .max = GROUP_SIZE_MAX,                                                                              \
         .off = true,                                                                                        \
         .unit = "instances",                                                                                \
         .help = "never more; a function's max_instances counts as well"},                                   \
        {.name = "protect_busy",                                                                             \
         .kind = FSIM_PARAM_BOOL,                                                                            \
         .offset = offsetof(type, group.protect_busy),                                                       \
         .fallback = "false",                                                                                \
         .help = "scale-in protection: an instance with a request inside is never chosen"},                  \
    {                                                                                                        \
        .name = "termination", .kind = FSIM_PARAM_CHOICE, .offset = offsetof(type, group.order),             \
        .fallback = "oldest", .help = "which instance scale-in takes first", .choices = group_orders         \
    }

static inline fsim_status group_check(const group_params *group, fsim_error *err) {
    return group->min_size <= group->max_size
               ? FSIM_OK
               : fsim_fail(err, FSIM_ECONFIG, "min_size %lld is more than max_size %lld",
                           (long long)group->min_size, (long long)group->max_size);
}

/* The sizes within which the group stays, and a plan that looks at it once a period. */
static inline fsim_scale_plan group_plan(const group_params *group, const fsim_fn_spec *fn, int64_t *least,
                                         int64_t *most) {
    *most = group->max_size < fn->max_instances ? group->max_size : fn->max_instances;
    *least = group->min_size > fn->min_instances ? group->min_size : fn->min_instances;
    *least = *least < *most ? *least : *most;
    return (fsim_scale_plan){.sample_ns = group->period_ns,
                             .tick_ns = group->period_ns,
                             .initial = (uint32_t)*least,
                             .wants_cpu = true,
                             .protect_busy = group->protect_busy,
                             .oldest_first = group->order == 0};
}

#endif
