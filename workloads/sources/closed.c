/* Users with think time. Their arrivals depend on the answers, so the engine runs them; this source describes
 * them. */
#include "workloads/sources/arrival_support.h"

typedef struct closed_source {
    fsim_closed_plan plan;
} closed_source;

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    closed_source *c = state;
    int64_t users = 0;
    if (fsim_value_get(config, "users") == NULL) {
        return fsim_value_missing(config, "users", err);
    }
    FSIM_TRY(fsim_value_get_i64(config, "users", 1, 100000000, &users, err));
    FSIM_TRY(fsim_source_read_dist(config, "think", context, &c->plan.think, err));
    c->plan.users = (uint32_t)users;
    c->plan.fn = context->default_fn;
    c->plan.path = context->path;
    return FSIM_OK;
}

static fsim_status describe(void *state, fsim_closed_plan *plan, fsim_error *err) {
    const closed_source *c = state;
    (void)err;
    *plan = c->plan;
    return FSIM_OK;
}

const fsim_source_ops fsim_source_closed = {
    .name = "closed",
    .summary = "users who think, call, wait for the answer, and think again; all begin by thinking",
    .example =
        "{\"source\": \"closed\", \"users\": 20, \"think\": {\"dist\": \"exponential\", \"mean\": \"9s\"}, "
        "\"requests\": 10000}",
    .state_size = sizeof(closed_source),
    .endless = true,
    .open = open,
    .closed = describe,
};
