#include "model/scenario_peak.h"

#include "api/registry.h"

#include <math.h>
#include <string.h>

/* The scaler's plan for a function without a name of its own. */
static fsim_scale_plan template_plan(const fsim_scenario *s, void *state) {
    fsim_scale_plan plan = {0};
    s->scaling->init(state, s->scaling_params, fsim_function_table_template(s->functions), &plan);
    return plan;
}

bool fsim_scenario_needs_peak(const fsim_scenario *s) {
    /* A fleet of constant size has no state to be given. */
    if (s->scaling->state_size != NULL) {
        return false;
    }
    fsim_scale_plan plan = template_plan(s, NULL);
    return plan.fixed && plan.initial == FSIM_UNLIMITED;
}

bool fsim_scenario_takes_first_pass(const fsim_scenario *s) {
    return s->start_steady || fsim_scenario_needs_peak(s);
}

#define FIND(kind, wanted)                                                                                   \
    static const fsim_##kind##_ops *find_##kind(void) {                                                      \
        for (size_t i = 0; fsim_##kind##_registry[i] != NULL; i++) {                                         \
            if (strcmp(fsim_##kind##_registry[i]->info.name, wanted) == 0) {                                 \
                return fsim_##kind##_registry[i];                                                            \
            }                                                                                                \
        }                                                                                                    \
        return NULL;                                                                                         \
    }
FIND(scaling, "per_request")
FIND(keepalive, "none")
FIND(routing, "newest_idle")
FIND(provisioned, "constant")

/* A function on an ideal platform: nothing limits it, nothing delays or cuts off a request. */
static void idealise(fsim_fn_spec *fn) {
    fn->concurrency = 1;
    fn->cpu_model = FSIM_CPU_NONE;
    fn->max_instances = fn->reserved_concurrency = FSIM_UNLIMITED;
    fn->min_instances = fn->provisioned = 0;
    fn->timeout_ns = FSIM_NEVER;
    fn->cold_total = fn->cold_has_phases = false;
    fsim_dist_constant(&fn->cold_start, 0);
}

static void idealise_functions(fsim_function_table *functions) {
    fsim_fn_spec spec = *fsim_function_table_template(functions);
    idealise(&spec);
    fsim_function_table_set_template(functions, &spec);
    for (fsim_fn_id i = 0; i < fsim_function_table_count(functions); i++) {
        spec = *fsim_function_table_get(functions, i);
        idealise(&spec);
        fsim_function_table_set_spec(functions, i, &spec);
    }
}

/* The scenario of the first pass; shares what it does not change with `s`. */
static fsim_scenario ideal_scenario(const fsim_scenario *s, fsim_function_table *functions) {
    fsim_scenario ideal = *s;
    ideal.functions = functions;
    ideal.scaling = find_scaling();
    ideal.keepalive = find_keepalive();
    ideal.routing = find_routing();
    ideal.admission = NULL;
    ideal.provisioned = find_provisioned();
    ideal.binding = FSIM_BIND_EARLY;
    ideal.cancel_start = false;
    ideal.account_concurrency = UINT64_MAX;
    ideal.memory_quota_mb = INT64_MAX;
    ideal.start_rate = ideal.provisioned_start_rate = (fsim_start_limit){0};
    ideal.gateway = (fsim_gateway_plan){0};
    ideal.queue_capacity = 0;
    ideal.queue_has_timeout = false;
    ideal.retry = (fsim_retry_plan){0};
    ideal.nodes = (fsim_nodes_plan){0};
    ideal.warmup_ns = 0;
    ideal.start_steady = false;
    ideal.windows_every_ns = 0;
    ideal.probe_count = ideal.exceed_latency_count = ideal.exceed_wait_count = ideal.occupancy = 0;
    return ideal;
}

static uint32_t fleet_size(const fsim_fn_spec *fn, uint64_t peak, double headroom) {
    double share = fn->concurrency == FSIM_UNLIMITED ? 0 : (double)peak / fn->concurrency;
    double size = fmax(ceil(share * (1 + headroom) - 1e-9), fmax(1, fn->min_instances));
    double most = fmin(fn->max_instances, FSIM_INSTANCES_MAX);
    return (uint32_t)fmin(size, most);
}

/* The instances that a function's mean demand keeps busy. */
static uint32_t steady_size(const fsim_fn_spec *fn, const fsim_scope *seen, fsim_ns horizon_ns) {
    double mean = horizon_ns > 0 ? (double)seen->in_execution_ns / (double)horizon_ns : 0;
    double share = fn->concurrency == FSIM_UNLIMITED ? fmin(mean, 1) : mean / fn->concurrency;
    return (uint32_t)fmin(ceil(share - 1e-9), fmin(fn->max_instances, FSIM_INSTANCES_MAX));
}

/* A table like the scenario's, with the names and the sizes of memory that the first pass has met, and every
 * fleet sized; headroom below 0 sizes what stands at the beginning instead. */
static fsim_function_table *size_functions(const fsim_scenario *s, const fsim_result *first,
                                           double headroom) {
    fsim_function_table *sized = fsim_function_table_clone(first->functions);
    if (sized == NULL) {
        return NULL;
    }
    fsim_function_table_set_template(sized, fsim_function_table_template(s->functions));
    for (fsim_fn_id i = 0; i < first->function_count; i++) {
        const fsim_fn_spec *seen = fsim_function_table_get(first->functions, i);
        fsim_fn_id declared = fsim_function_table_find(s->functions, seen->name);
        fsim_fn_spec spec = declared != FSIM_UNLIMITED ? *fsim_function_table_get(s->functions, declared)
                                                       : *fsim_function_table_template(s->functions);
        spec.memory_mb = seen->memory_mb;
        const fsim_scope *scope = &first->per_function[i];
        if (headroom < 0) {
            spec.initial_instances = steady_size(&spec, scope, first->horizon_ns);
        } else {
            spec.min_instances = fleet_size(&spec, scope->in_execution_peak, headroom);
        }
        fsim_function_table_set_spec(sized, i, &spec);
    }
    return sized;
}

/* "instances": null, each function's min_instances. The tree keeps "peak", so that the same scenario can be
 * run again. */
static fsim_status settle_params(fsim_scenario *sized, const fsim_value *scaling, fsim_error *err) {
    const fsim_policy_info *info = &sized->scaling->info;
    fsim_value *settled = fsim_value_copy(sized->pool, scaling);
    fsim_value_put(sized->pool, settled, "instances",
                   fsim_value_new(sized->pool, FSIM_VALUE_NULL, "peak of a first pass"));
    sized->scaling_params = fsim_value_pool_alloc(sized->pool, info->params_size);
    if (sized->scaling_params == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_value_mark_used(settled);
    return fsim_params_read(sized->scaling_params, info->params, sized->pool, settled, sized->base_dir, err);
}

static fsim_status first_pass(const fsim_scenario *s, const fsim_run_options *options, fsim_result **out,
                              fsim_error *err) {
    fsim_function_table *functions = fsim_function_table_clone(s->functions);
    if (functions == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    idealise_functions(functions);
    fsim_scenario ideal = ideal_scenario(s, functions);
    const fsim_run_options silent = {.seed = options->seed,
                                     .on_progress = options->on_progress,
                                     .user = options->user,
                                     .no_metering = true};
    fsim_status status = fsim_run(out, &ideal, &silent, err);
    fsim_function_table_destroy(functions);
    return status;
}

static bool reads_standard_input(const fsim_scenario *s) {
    const fsim_value *file = fsim_value_peek(s->workload, "file");
    return file != NULL && file->kind == FSIM_VALUE_STRING && strcmp(file->string, "-") == 0;
}

/* Fills the copy; what it owns is freed by the caller on failure too. */
static fsim_status size_copy(fsim_scenario *sized, const fsim_scenario *s, const fsim_run_options *options,
                             fsim_error *err) {
    const fsim_value *scaling = fsim_value_peek(fsim_value_peek(s->root, "policy"), "scaling");
    const fsim_value *headroom = fsim_value_peek(scaling, "headroom");
    fsim_result *first = NULL;
    if (reads_standard_input(s)) {
        return fsim_value_fail(
            scaling, err,
            "a fleet for the peak takes a first pass over the workload, and standard input can "
            "be read only once: give a file, or policy.scaling.instances as a number");
    }
    sized->pool = fsim_value_pool_create();
    if (sized->pool == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    FSIM_TRY(settle_params(sized, scaling, err));
    FSIM_TRY(first_pass(s, options, &first, err));
    sized->functions = size_functions(s, first, headroom != NULL ? headroom->real : 0);
    fsim_result_destroy(first);
    return sized->functions == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory") : FSIM_OK;
}

fsim_status fsim_scenario_size_for_peak(fsim_scenario *sized, const fsim_scenario *s,
                                        const fsim_run_options *options, fsim_error *err) {
    *sized = *s;
    sized->pool = NULL;
    sized->functions = NULL;
    fsim_status status = size_copy(sized, s, options, err);
    if (status != FSIM_OK) {
        fsim_scenario_drop_sized(sized);
    }
    return status;
}

fsim_status fsim_scenario_begin_steady(fsim_scenario *sized, const fsim_scenario *s,
                                       const fsim_run_options *options, fsim_error *err) {
    fsim_result *first = NULL;
    *sized = *s;
    sized->pool = NULL;
    sized->functions = NULL;
    if (reads_standard_input(s)) {
        return fsim_value_fail(s->workload, err,
                               "a steady start takes a first pass over the workload, and standard input can "
                               "be read only once: give a "
                               "file, or run.start \"empty\"");
    }
    FSIM_TRY(first_pass(s, options, &first, err));
    sized->functions = size_functions(s, first, -1);
    fsim_result_destroy(first);
    return sized->functions == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory") : FSIM_OK;
}

void fsim_scenario_drop_sized(fsim_scenario *sized) {
    fsim_function_table_destroy(sized->functions);
    fsim_value_pool_destroy(sized->pool);
    *sized = (fsim_scenario){0};
}
