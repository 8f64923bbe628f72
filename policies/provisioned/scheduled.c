/* Provisioned instances by the clock: so many from these times on (autoscale/schedule.h), and before the
 * first of them as many as functions[].provisioned says. Looked at each minute, as the platforms' schedules
 * are. */
#include "policies/provisioned/provisioned_support.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

typedef struct scheduled_params {
    provisioned_times times;
} scheduled_params;

typedef struct scheduled_state {
    fsim_schedule schedule;
    int64_t before; /* the first entry */
    uint32_t most;
} scheduled_state;

static const fsim_param table[] = {
    PROVISIONED_TIMES_ROWS(scheduled_params, times,
                           "\"100 at 08:00 mon-fri; 5 at 20:00\", also cron fields and spans after t = 0"),
    {0}};

static fsim_status check(const void *params, fsim_error *err) {
    const scheduled_params *p = params;
    fsim_schedule schedule;
    FSIM_TRY(provisioned_times_parse(&p->times, &schedule, err));
    for (uint32_t i = 0; i < schedule.count; i++) {
        if (schedule.entry[i].least != schedule.entry[i].most) {
            return fsim_fail(err, FSIM_ECONFIG,
                             "entry %" PRIu32 " of the schedule has bounds, expected a number of instances: "
                             "bounds are for a policy that tracks a target",
                             i + 1u);
        }
    }
    return FSIM_OK;
}

static size_t state_size(const void *params) {
    (void)params;
    return sizeof(scheduled_state);
}

static uint32_t wanted_at(const scheduled_state *s, fsim_ns now_ns) {
    int64_t least = s->before, most = s->before;
    fsim_schedule_at(&s->schedule, now_ns, &least, &most);
    return least < s->most ? (uint32_t)least : s->most;
}

static void init(void *state, const void *params, const fsim_fn_spec *fn, fsim_scale_plan *plan) {
    scheduled_state *s = state;
    const scheduled_params *p = params;
    (void)provisioned_times_parse(&p->times, &s->schedule, NULL);
    s->before = fn->provisioned;
    s->most = fn->max_instances;
    *plan = (fsim_scale_plan){.tick_ns = FSIM_MINUTE, .initial = wanted_at(s, 0)};
}

static void tick(void *state, const void *params, const fsim_scale_view *view, bool explain,
                 fsim_scale_decision *decision) {
    (void)params;
    decision->want = wanted_at(state, view->now_ns);
    decision->mode = decision->want > view->wanted ? "out" : decision->want < view->wanted ? "in" : "stable";
    if (explain) {
        snprintf(decision->reason, sizeof decision->reason, "the schedule has %" PRIu32 ", %" PRIu32 " serve",
                 decision->want, view->ready);
    }
}

const fsim_provisioned_ops fsim_provisioned_scheduled = {
    .info =
        {.name = "scheduled",
         .summary = "so many provisioned instances from these times on, by the clock",
         .source =
             "policies spec, sections 4.2, 5.1, 5.2; docs.aws.amazon.com, "
             "autoscaling/application/userguide; help.aliyun.com, instance-scaling-restrictions-and-rules",
         .params = table,
         .params_size = sizeof(scheduled_params),
         .check = check},
    .state_size = state_size,
    .init = init,
    .tick = tick,
};
