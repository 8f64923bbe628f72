/* The functions of a scenario; see scenario_parts.h. */
#include "io/file.h"
#include "io/json_reader.h"
#include "io/scenario_parts.h"

#include <string.h>

#define MEMORY_MB_MAX (INT64_C(1) << 40)
#define COUNT_MAX     ((int64_t)FSIM_UNLIMITED - 1)
#define BYTES_PER_MB  1048576.0

typedef struct reader {
    fsim_scenario *scenario;
    fsim_value *entry;
    fsim_fn_spec *spec;
    fsim_error *err;
} reader;

/* Work without a mean is no workload: every average of the run would depend on its length. */
static fsim_status read_dist(const reader *r, const fsim_value *value, fsim_dist *out) {
    return fsim_dist_read(out, r->scenario->pool, value, r->scenario->base_dir, true, r->err);
}

/* A number of instances or requests. 0 is a number here: it keeps or reserves nothing. */
static fsim_status read_count(const reader *r, const char *key, uint32_t *out) {
    int64_t count = *out;
    FSIM_TRY(fsim_value_get_i64(r->entry, key, 0, COUNT_MAX, &count, r->err));
    *out = (uint32_t)count;
    return FSIM_OK;
}

static fsim_status read_limit(const reader *r, const char *key, uint32_t *out) {
    int64_t count = *out;
    FSIM_TRY(fsim_scenario_get_limit(r->entry, key, COUNT_MAX, FSIM_UNLIMITED, &count, r->err));
    *out = (uint32_t)count;
    return FSIM_OK;
}

/* ---- the cold start ---- */

static fsim_status read_phases(const reader *r, const fsim_value *phases) {
    FSIM_TRY(fsim_scenario_need_object(phases, "phases", r->err));
    fsim_dist *spans = fsim_value_pool_alloc(r->scenario->pool, FSIM_COLD_PHASES * sizeof *spans);
    if (spans == NULL) {
        return fsim_fail(r->err, FSIM_ELIMIT, "out of memory");
    }
    memset(spans, 0, FSIM_COLD_PHASES * sizeof *spans);
    r->spec->cold_has_phases = true;
    r->spec->cold_phases = spans;
    for (int i = 0; i < FSIM_COLD_PHASES; i++) {
        const fsim_value *phase = fsim_value_get(phases, fsim_cold_phase_names[i]);
        if (phase != NULL && !fsim_value_is_off(phase)) {
            FSIM_TRY(read_dist(r, phase, &spans[i]));
        }
    }
    return FSIM_OK;
}

static bool is_measured(const fsim_value *value) {
    return fsim_value_peek(value, "dist") == NULL && fsim_value_get(value, "profile") != NULL;
}

static fsim_status fail_phases_in_total(const reader *r, const fsim_value *value) {
    return fsim_value_fail(
        value, r->err,
        "phases cannot go with cold_start_mode \"total\", which draws start and service at once");
}

static fsim_status read_cold_start(const reader *r) {
    static const char *const modes[] = {"added", "total", NULL};
    int mode = r->spec->cold_total ? 1 : 0;
    FSIM_TRY(fsim_value_get_enum(r->entry, "cold_start_mode", modes, &mode, r->err));
    r->spec->cold_total = mode == 1;
    const fsim_value *value = fsim_value_get(r->entry, "cold_start");
    if (value == NULL) {
        return r->spec->cold_total && r->spec->cold_has_phases ? fail_phases_in_total(r, r->entry) : FSIM_OK;
    }
    r->spec->cold_has_phases = false;
    fsim_dist_constant(&r->spec->cold_start, 0);
    if (fsim_value_is_off(value)) {
        return FSIM_OK;
    }
    bool is_dist = fsim_value_peek(value, "dist") != NULL;
    const fsim_value *phases = fsim_value_get(value, "phases");
    if (!is_dist && phases != NULL) {
        return r->spec->cold_total ? fail_phases_in_total(r, value) : read_phases(r, phases);
    }
    return is_measured(value)
               ? fsim_scenario_read_measured(r->scenario, value, "cold_start", &r->spec->cold_start, r->err)
               : read_dist(r, value, &r->spec->cold_start);
}

/* ---- the rest of an entry ---- */

static fsim_status read_cpu(const reader *r) {
    static const char *const models[] = {"none", "ps", "linear", NULL};
    fsim_fn_spec *spec = r->spec;
    int model = (int)spec->cpu_model;
    FSIM_TRY(fsim_value_get_real(r->entry, "vcpu", 0, 1e6, &spec->vcpu, r->err));
    if (spec->vcpu <= 0) {
        return fsim_value_fail(fsim_value_get(r->entry, "vcpu"), r->err, "expected more than 0 vCPUs");
    }
    FSIM_TRY(fsim_value_get_enum(r->entry, "cpu_model", models, &model, r->err));
    spec->cpu_model = (fsim_cpu_model)model;
    FSIM_TRY(
        fsim_value_get_real(r->entry, "slowdown_per_request", 0, 1e6, &spec->slowdown_per_request, r->err));
    FSIM_TRY(fsim_value_get_real(r->entry, "cpu_fraction", 0, 1, &spec->cpu_fraction, r->err));
    FSIM_TRY(fsim_value_get_real(r->entry, "start_cpu_fraction", 0, 1, &spec->start_cpu_fraction, r->err));
    FSIM_TRY(fsim_value_get_real(r->entry, "background_cpu", 0, 1e6, &spec->background_cpu, r->err));
    if (spec->background_cpu > spec->vcpu) {
        return fsim_value_fail(fsim_value_get(r->entry, "background_cpu"), r->err,
                               "background_cpu %g is more than the instance's vcpu %g", spec->background_cpu,
                               spec->vcpu);
    }
    return FSIM_OK;
}

/* What an instance uses of its memory, for scalers that look at it. */
static fsim_status read_memory_use(const reader *r) {
    fsim_fn_spec *spec = r->spec;
    const fsim_value *use = fsim_value_get(r->entry, "memory_use");
    int64_t base = 0, per_request = 0;
    if (use != NULL) {
        spec->has_memory_use = !fsim_value_is_off(use);
    }
    if (use != NULL && spec->has_memory_use) {
        FSIM_TRY(fsim_scenario_need_object(use, "memory_use", r->err));
        FSIM_TRY(fsim_value_get_size(use, "base", &base, r->err));
        FSIM_TRY(fsim_value_get_size(use, "per_request", &per_request, r->err));
        spec->memory_base_mb = (double)base / BYTES_PER_MB;
        spec->memory_per_request_mb = (double)per_request / BYTES_PER_MB;
    }
    if (spec->has_memory_use && spec->memory_base_mb > (double)spec->memory_mb) {
        return fsim_value_fail(use != NULL ? fsim_value_get(use, "base")
                                           : fsim_value_get(r->entry, "memory_mb"),
                               r->err, "a base of %g MB is more than the instance's memory_mb %lld",
                               spec->memory_base_mb, (long long)spec->memory_mb);
    }
    return FSIM_OK;
}

static fsim_status fail_more_than(const reader *r, const char *key, uint32_t value, const char *bound_key,
                                  uint32_t bound) {
    return fsim_value_fail(fsim_value_get(r->entry, key), r->err, "%s %u is more than %s %u", key, value,
                           bound_key, bound);
}

static fsim_status need_key(const reader *r, const fsim_value *object, const char *key) {
    return fsim_value_get(object, key) == NULL ? fsim_value_missing(object, key, r->err) : FSIM_OK;
}

/* [{"memory_mb", "concurrency"}], in order of size. */
static fsim_status read_sizes(const reader *r, const fsim_value *list) {
    fsim_value_pool *pool = r->scenario->pool;
    fsim_concurrency_sizes *sizes = fsim_value_pool_alloc(pool, sizeof *sizes);
    int64_t *memory_mb = fsim_value_pool_alloc(pool, (list->count + 1u) * sizeof *memory_mb);
    uint32_t *concurrency = fsim_value_pool_alloc(pool, (list->count + 1u) * sizeof *concurrency);
    if (sizes == NULL || memory_mb == NULL || concurrency == NULL) {
        return fsim_fail(r->err, FSIM_ELIMIT, "out of memory");
    }
    if (list->count == 0) {
        return fsim_value_fail(list, r->err, "expected at least one {\"memory_mb\", \"concurrency\"}");
    }
    uint32_t n = 0;
    for (const fsim_value *size = list->first; size != NULL; size = size->next, n++) {
        int64_t count = 0;
        memory_mb[n] = 0;
        FSIM_TRY(fsim_scenario_need_object(size, "a size", r->err));
        FSIM_TRY(need_key(r, size, "memory_mb"));
        FSIM_TRY(fsim_value_get_mb(size, "memory_mb", 1, MEMORY_MB_MAX, &memory_mb[n], r->err));
        FSIM_TRY(need_key(r, size, "concurrency"));
        FSIM_TRY(fsim_value_get_i64(size, "concurrency", 1, COUNT_MAX, &count, r->err));
        if (n > 0 && memory_mb[n] <= memory_mb[n - 1u]) {
            return fsim_value_fail(fsim_value_get(size, "memory_mb"), r->err,
                                   "not larger than the size in front of it; sizes must be in order");
        }
        concurrency[n] = (uint32_t)count;
    }
    *sizes = (fsim_concurrency_sizes){n, memory_mb, concurrency};
    r->spec->sizes = sizes;
    return FSIM_OK;
}

/* A number, or one for each size of an instance. */
static fsim_status read_concurrency(const reader *r) {
    const fsim_value *value = fsim_value_get(r->entry, "concurrency");
    bool by_size = value != NULL && value->kind == FSIM_VALUE_ARRAY;
    if (value != NULL) {
        r->spec->sizes = NULL; /* of the function, where a version says otherwise */
    }
    FSIM_TRY(by_size ? read_sizes(r, value) : read_limit(r, "concurrency", &r->spec->concurrency));
    if (r->spec->sizes != NULL) {
        r->spec->concurrency = fsim_concurrency_of_size(r->spec->sizes, r->spec->memory_mb);
    }
    return FSIM_OK;
}

static fsim_status read_instances(const reader *r) {
    fsim_fn_spec *spec = r->spec;
    FSIM_TRY(read_concurrency(r));
    FSIM_TRY(read_limit(r, "max_instances", &spec->max_instances));
    FSIM_TRY(read_count(r, "min_instances", &spec->min_instances));
    if (spec->version == NULL) { /* of a version it may change over time: scenario_versions.c */
        FSIM_TRY(read_count(r, "provisioned", &spec->provisioned));
    }
    if (!fsim_value_is_off(fsim_value_get(r->entry, "reserved_concurrency"))) {
        FSIM_TRY(read_count(r, "reserved_concurrency", &spec->reserved_concurrency));
    }
    if (spec->min_instances > spec->max_instances) {
        return fail_more_than(r, "min_instances", spec->min_instances, "max_instances", spec->max_instances);
    }
    if (spec->version == NULL && spec->provisioned > spec->max_instances) {
        return fail_more_than(r, "provisioned", spec->provisioned, "max_instances", spec->max_instances);
    }
    return FSIM_OK;
}

static fsim_status read_invocation(const reader *r) {
    static const char *const ways[] = {"sync", "async", NULL};
    int way = r->spec->async ? 1 : 0;
    FSIM_TRY(fsim_value_get_enum(r->entry, "invocation", ways, &way, r->err));
    r->spec->async = way == 1;
    return fsim_value_get_real(r->entry, "error_rate", 0, 1, &r->spec->error_rate, r->err);
}

fsim_status fsim_scenario_read_function(fsim_scenario *s, fsim_value *entry, fsim_fn_spec *spec,
                                        fsim_error *err) {
    const reader here = {s, entry, spec, err}, *r = &here;
    FSIM_TRY(fsim_value_get_string(r->entry, "name", &spec->name, r->err));
    const fsim_value *memory = fsim_value_get(r->entry, "memory_mb");
    spec->memory_open = memory == NULL || strcmp(memory->origin, FSIM_ORIGIN_DEFAULT) == 0;
    FSIM_TRY(memory != NULL && memory->kind == FSIM_VALUE_OBJECT
                 ? fsim_scenario_read_measured_memory(r->scenario, memory, &spec->memory_mb, r->err)
                 : fsim_value_get_mb(r->entry, "memory_mb", 1, MEMORY_MB_MAX, &spec->memory_mb, r->err));
    FSIM_TRY(fsim_value_get_mb(r->entry, "disk_mb", 0, MEMORY_MB_MAX, &spec->disk_mb, r->err));
    FSIM_TRY(read_instances(r));
    FSIM_TRY(read_cpu(r));
    FSIM_TRY(read_memory_use(r));
    FSIM_TRY(fsim_value_get_bool(r->entry, "freeze", &spec->freeze, r->err));
    FSIM_TRY(fsim_value_get_span(r->entry, "timeout", true, &spec->timeout_ns, r->err));
    if (spec->timeout_ns == 0) {
        return fsim_value_fail(fsim_value_get(r->entry, "timeout"), r->err,
                               "a timeout of 0 lets no request finish; null switches it off");
    }
    const fsim_value *service = fsim_value_get(r->entry, "service");
    spec->has_service = service != NULL ? !fsim_value_is_off(service) : spec->has_service;
    if (service != NULL && spec->has_service) {
        FSIM_TRY(is_measured(service)
                     ? fsim_scenario_read_measured(r->scenario, service, "service", &spec->service, r->err)
                     : read_dist(r, service, &spec->service));
    }
    FSIM_TRY(read_cold_start(r));
    FSIM_TRY(read_invocation(r));
    FSIM_TRY(fsim_scenario_read_session(r->scenario, r->entry, spec, r->err));
    FSIM_TRY(fsim_scenario_read_profile(r->scenario, r->entry, spec, r->err));
    return fsim_scenario_read_failure(r->scenario, r->entry, spec, r->err);
}

/* The function "fn" that nobody declared: for the table it is one more name from the template, so that a
 * trace may set its memory and configurations may use other names. It may differ from the template by --set,
 * hence the exchange. */
static fsim_status add_undeclared(fsim_scenario *s, const fsim_fn_spec *spec, const fsim_value *entry,
                                  fsim_fn_id *id, fsim_error *err) {
    fsim_fn_spec real = *fsim_function_table_template(s->functions), fn = *spec;
    fn.implied = strcmp(entry->origin, FSIM_ORIGIN_DEFAULT) == 0;
    fsim_function_table_set_template(s->functions, &fn);
    FSIM_TRY(fsim_function_table_intern(s->functions, spec->name, strlen(spec->name), id, err));
    fsim_function_table_set_template(s->functions, &real);
    if (spec->memory_mb == real.memory_mb) {
        return FSIM_OK;
    }
    return fsim_function_table_set_memory(s->functions, *id, spec->memory_mb,
                                          err); /* a trace may not differ */
}

static fsim_status add_entry(fsim_scenario *s, const fsim_fn_spec *spec, const fsim_fn_spec *versions,
                             const fsim_value *entry, bool *first, fsim_error *err) {
    const fsim_value *name = fsim_value_get(entry, "name");
    fsim_fn_id id;
    if (strcmp(spec->name, FSIM_TEMPLATE_NAME) == 0) {
        fsim_function_table_set_template(s->functions, spec);
        return FSIM_OK;
    }
    if (fsim_function_table_find(s->functions, spec->name) != FSIM_UNLIMITED) {
        return fsim_value_fail(name, err, "function \"%s\" is declared twice", spec->name);
    }
    if (strcmp(name->origin, FSIM_ORIGIN_DEFAULT) == 0 && spec->versions == NULL) {
        FSIM_TRY(add_undeclared(s, spec, entry, &id, err));
    } else {
        FSIM_TRY(fsim_function_table_add(s->functions, spec, &id, err));
    }
    if (*first) {
        s->default_fn = id;
        *first = false;
    }
    return fsim_scenario_add_versions(s, id, versions, entry, err);
}

/* What an absent key means where no layer says it. */
static const fsim_fn_spec nothing_said = {.concurrency = FSIM_UNLIMITED,
                                          .max_instances = FSIM_UNLIMITED,
                                          .reserved_concurrency = FSIM_UNLIMITED,
                                          .timeout_ns = FSIM_NEVER};

fsim_status fsim_scenario_read_functions(fsim_scenario *s, fsim_error *err) {
    fsim_value *functions = fsim_value_get(s->root, "functions");
    bool first = true;
    s->functions = fsim_function_table_create();
    if (s->functions == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (fsim_value *entry = functions->first; entry != NULL; entry = entry->next) {
        fsim_fn_spec spec = nothing_said;
        const fsim_fn_spec *versions = NULL;
        entry->used = true;
        FSIM_TRY(fsim_scenario_need_object(entry, "a function", err));
        FSIM_TRY(fsim_scenario_read_function(s, entry, &spec, err));
        if (spec.name == NULL) {
            return fsim_value_missing(entry, "name", err);
        }
        if (spec.name[0] == '\0') {
            return fsim_value_fail(fsim_value_get(entry, "name"), err, "expected the function's name");
        }
        FSIM_TRY(fsim_scenario_read_versions(s, entry, &spec, &versions, err));
        spec.memory_open = spec.memory_open && spec.versions == NULL; /* whose instances are its versions' */
        /* Now rather than with the rest of the tree: the place of an unknown key is then that of the first
         * faulty function. */
        FSIM_TRY(fsim_value_check_used(entry, NULL, err));
        FSIM_TRY(add_entry(s, &spec, versions, entry, &first, err));
    }
    return first ? fsim_value_fail(functions, err, "no function is left beside \"%s\"", FSIM_TEMPLATE_NAME)
                 : FSIM_OK;
}
