/* The policies of a scenario; see scenario_parts.h. */
#include "api/registry.h"
#include "io/scenario_parts.h"

#include <stdio.h>
#include <string.h>

#define POLICIES_OF_KIND_MAX 128

/* What a kind of policy is to this file: its word and its registry, whatever the type of its rows. */
typedef struct policy_kind {
    const char *word;
    const fsim_policy_info *(*info)(size_t i); /* of row i; NULL behind the last one */
} policy_kind;

#define INFO_OF(kind)                                                                                        \
    static const fsim_policy_info *kind##_info(size_t i) {                                                   \
        return fsim_##kind##_registry[i] == NULL ? NULL : &fsim_##kind##_registry[i]->info;                  \
    }
INFO_OF(scaling)
INFO_OF(keepalive)
INFO_OF(routing)
INFO_OF(admission)
INFO_OF(provisioned)

static const policy_kind scaling_kind = {"scaling", scaling_info};
static const policy_kind keepalive_kind = {"keepalive", keepalive_info};
static const policy_kind routing_kind = {"routing", routing_info};
static const policy_kind admission_kind = {"admission", admission_info};
static const policy_kind provisioned_kind = {"provisioned", provisioned_info};

static fsim_status find_policy(const policy_kind *kind, const fsim_value *name, size_t *index,
                               fsim_error *err) {
    const char *names[POLICIES_OF_KIND_MAX + 1];
    char what[32];
    size_t n = 0;
    for (; kind->info(n) != NULL && n < POLICIES_OF_KIND_MAX; n++) {
        names[n] = kind->info(n)->name;
        if (name->kind == FSIM_VALUE_STRING && strcmp(names[n], name->string) == 0) {
            *index = n;
            return FSIM_OK;
        }
    }
    names[n] = NULL;
    snprintf(what, sizeof what, "%s policy", kind->word);
    return fsim_value_fail_name(name, what, names, err);
}

/* Finds the policy that `policy`.<kind> names and reads its parameters; the tree gets those that nobody gave.
 */
static fsim_status read_kind(fsim_scenario *s, const policy_kind *kind, const fsim_value *policy,
                             size_t *index, void **params, fsim_error *err) {
    fsim_value *value = fsim_value_get(policy, kind->word);
    if (value == NULL) {
        return fsim_value_missing(policy, kind->word, err);
    }
    if (value->kind == FSIM_VALUE_ARRAY) {
        return fsim_value_fail(value, err, "found %zu %s policies, expected one", value->count, kind->word);
    }
    FSIM_TRY(fsim_scenario_need_object(value, kind->word, err));
    const fsim_value *name = fsim_value_get(value, "name");
    if (name == NULL) {
        return fsim_value_missing(value, "name", err);
    }
    FSIM_TRY(find_policy(kind, name, index, err));
    const fsim_policy_info *info = kind->info(*index);
    *params = fsim_value_pool_alloc(s->pool, info->params_size > 0 ? info->params_size : 1);
    if (*params == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    FSIM_TRY(fsim_params_read(*params, info->params, s->pool, value, s->base_dir, err));
    fsim_error contradiction = {0};
    if (info->check != NULL && info->check(*params, &contradiction) != FSIM_OK) {
        return fsim_value_fail(value, err, "%s", contradiction.text);
    }
    fsim_params_fill(info->params, s->pool, value);
    fsim_value_mark_used(value);
    return FSIM_OK;
}

/* A scaler that puts requests in front of the instances decides which of them serves a request, so they
 * cannot be bound to one while it starts. */
static fsim_status check_binding(fsim_scenario *s, const fsim_value *policy, fsim_error *err) {
    const fsim_scaling_ops *ops = s->scaling;
    fsim_scale_plan plan = {0};
    size_t size = ops->state_size == NULL ? 0 : ops->state_size(s->scaling_params);
    void *state = fsim_value_pool_alloc(s->pool, size > 0 ? size : 1);
    if (state == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    ops->init(state, s->scaling_params, fsim_function_table_template(s->functions), &plan);
    if (plan.activator && s->binding == FSIM_BIND_EARLY) {
        return fsim_value_fail(
            fsim_value_get(policy, "binding"), err,
            "binding \"early\" contradicts scaling \"%s\", which holds requests in front of the "
            "instances: expected \"late\"",
            ops->info.name);
    }
    if (plan.fixed && s->cancel_start) {
        return fsim_value_fail(fsim_value_get(policy, "cancel_start"), err,
                               "cancel_start contradicts scaling \"%s\", which starts nothing for a request",
                               ops->info.name);
    }
    return FSIM_OK;
}

/* A function that does not fit into the memory that all share could never run. */
static fsim_status check_pool(const fsim_scenario *s, const fsim_value *policy, fsim_error *err) {
    uint32_t count = fsim_function_table_count(s->functions);
    for (fsim_fn_id id = 0; id < count; id++) {
        const fsim_fn_spec *fn = fsim_function_table_get(s->functions, id);
        fsim_keepalive_plan plan = {0};
        s->keepalive->init(s->keepalive_params, fn, &plan);
        if (plan.pool_mb < fn->memory_mb) {
            return fsim_value_fail(
                fsim_value_get(policy, "keepalive"), err,
                "all instances share %lld MB, less than one instance of \"%s\" needs (%lld MB)",
                (long long)plan.pool_mb, fn->name, (long long)fn->memory_mb);
        }
    }
    return FSIM_OK;
}

fsim_status fsim_scenario_read_policy(fsim_scenario *s, fsim_error *err) {
    static const char *const bindings[] = {"early", "late", NULL};
    fsim_value *policy = fsim_value_get(s->root, "policy");
    const char *bundle = NULL;
    int binding = FSIM_BIND_EARLY;
    size_t index = 0;
    FSIM_TRY(fsim_scenario_need_object(policy, "policy", err));
    FSIM_TRY(fsim_value_get_string(policy, "bundle", &bundle, err));
    FSIM_TRY(read_kind(s, &scaling_kind, policy, &index, &s->scaling_params, err));
    s->scaling = fsim_scaling_registry[index];
    FSIM_TRY(read_kind(s, &keepalive_kind, policy, &index, &s->keepalive_params, err));
    s->keepalive = fsim_keepalive_registry[index];
    FSIM_TRY(read_kind(s, &routing_kind, policy, &index, &s->routing_params, err));
    s->routing = fsim_routing_registry[index];
    if (!fsim_value_is_off(fsim_value_get(policy, "admission"))) {
        FSIM_TRY(read_kind(s, &admission_kind, policy, &index, &s->admission_params, err));
        s->admission = fsim_admission_registry[index];
    }
    FSIM_TRY(read_kind(s, &provisioned_kind, policy, &index, &s->provisioned_params, err));
    s->provisioned = fsim_provisioned_registry[index];
    FSIM_TRY(fsim_value_get_enum(policy, "binding", bindings, &binding, err));
    s->binding = (fsim_binding)binding;
    FSIM_TRY(fsim_value_get_bool(policy, "cancel_start", &s->cancel_start, err));
    FSIM_TRY(fsim_value_check_used(policy, NULL, err));
    FSIM_TRY(check_binding(s, policy, err));
    return check_pool(s, policy, err);
}
