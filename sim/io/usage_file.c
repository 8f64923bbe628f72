#include "io/usage_file.h"

#include "billing/meter.h"

#include <string.h>

#define SCHEMA "fsim.usage/1"

static fsim_status out_of_memory(fsim_error *err) {
    return fsim_fail(err, FSIM_ELIMIT, "out of memory");
}

/* ---- numbers ---- */

static fsim_status whole(const fsim_value *value, uint64_t *out, fsim_error *err) {
    if (value == NULL || value->kind != FSIM_VALUE_INTEGER || value->integer < 0) {
        return fsim_value_fail(value, err, "expected a whole number, not negative");
    }
    *out = (uint64_t)value->integer;
    return FSIM_OK;
}

/* A decimal string of up to 38 digits. */
static fsim_status wide(const fsim_value *value, fsim_u128 *out, fsim_error *err) {
    bool good = value != NULL && value->kind == FSIM_VALUE_STRING && value->string[0] != '\0' &&
                strspn(value->string, "0123456789") == strlen(value->string) && strlen(value->string) <= 38;
    if (!good) {
        return fsim_value_fail(value, err, "expected a whole number as a string of at most 38 digits");
    }
    *out = 0;
    for (const char *at = value->string; *at != '\0'; at++) {
        *out = *out * 10 + (unsigned)(*at - '0');
    }
    return FSIM_OK;
}

static fsim_status need(const fsim_value *object, const char *key, fsim_value_kind kind,
                        const fsim_value **out, fsim_error *err) {
    *out = fsim_value_get(object, key);
    if (*out == NULL) {
        return fsim_value_missing(object, key, err);
    }
    return (*out)->kind == kind ? FSIM_OK : fsim_value_fail(*out, err, "another type was expected");
}

static fsim_status number(const fsim_value *object, const char *key, uint64_t *out, fsim_error *err) {
    const fsim_value *value;
    FSIM_TRY(need(object, key, FSIM_VALUE_INTEGER, &value, err));
    return whole(value, out, err);
}

/* A row of numbers, at most `most`, at least `least`. */
static fsim_status cells(const fsim_value *row, size_t least, size_t most, uint64_t *out, fsim_error *err) {
    if (row->kind != FSIM_VALUE_ARRAY || row->count < least || row->count > most) {
        return fsim_value_fail(row, err, "expected a list of %zu to %zu numbers", least, most);
    }
    for (const fsim_value *item = row->first; item != NULL; item = item->next) {
        FSIM_TRY(whole(item, out++, err));
    }
    return FSIM_OK;
}

/* ---- the plan ---- */

static fsim_status read_rules(const fsim_value *plan, const char *key, fsim_meter_rules *out,
                              fsim_error *err) {
    const fsim_value *list;
    uint64_t n[2] = {0};
    FSIM_TRY(need(plan, key, FSIM_VALUE_ARRAY, &list, err));
    for (const fsim_value *row = list->first; row != NULL; row = row->next) {
        FSIM_TRY(cells(row, 2, 2, n, err));
        if (out->count == FSIM_METER_RULES_MAX || n[0] == 0 || n[0] > UINT64_C(1) << 40) {
            return fsim_value_fail(row, err, "expected at most %d rules of at least 1 ms",
                                   FSIM_METER_RULES_MAX);
        }
        out->rule[out->count++] = fsim_meter_rule_make(n[0], n[1]);
    }
    return FSIM_OK;
}

static fsim_status read_thresholds(const fsim_value *root, fsim_meter_plan *plan, fsim_error *err) {
    const fsim_value *list;
    uint32_t count = 0;
    FSIM_TRY(need(root, "thresholds", FSIM_VALUE_ARRAY, &list, err));
    for (const fsim_value *item = list->first; item != NULL; item = item->next) {
        fsim_threshold *to = count == 0 ? &plan->threshold : &plan->more[count - 1];
        uint64_t ppm;
        if (count > FSIM_THRESHOLDS_MORE) {
            return fsim_value_fail(item, err, "at most %d thresholds", FSIM_THRESHOLDS_MORE + 1);
        }
        FSIM_TRY(number(item, "ppm", &ppm, err));
        to->ppm = (uint32_t)ppm;
        FSIM_TRY(fsim_value_get_bool(item, "full_window", &to->full_window, err));
        FSIM_TRY(fsim_value_get_bool(item, "above", &to->above, err));
        count++;
    }
    plan->more_count = count == 0 ? 0 : count - 1;
    return FSIM_OK;
}

static fsim_status read_plan(const fsim_value *root, fsim_meter_plan *plan, fsim_error *err) {
    const fsim_value *object, *nodes;
    uint64_t metered, window_ns, settle_ns, unused_ns, n[2];
    FSIM_TRY(need(root, "plan", FSIM_VALUE_OBJECT, &object, err));
    FSIM_TRY(read_rules(object, "request", &plan->request, err));
    FSIM_TRY(read_rules(object, "active", &plan->active, err));
    FSIM_TRY(read_rules(object, "residency", &plan->residency, err));
    FSIM_TRY(read_rules(object, "lifetime", &plan->lifetime, err));
    FSIM_TRY(read_rules(object, "provisioned", &plan->provisioned, err));
    FSIM_TRY(read_thresholds(object, plan, err));
    FSIM_TRY(number(object, "metered", &metered, err));
    FSIM_TRY(number(object, "window_ns", &window_ns, err));
    FSIM_TRY(number(object, "settle_ns", &settle_ns, err));
    FSIM_TRY(number(object, "idle_below_ucore", &plan->idle_below_ucore, err));
    FSIM_TRY(number(object, "unused_window_ns", &unused_ns, err));
    FSIM_TRY(need(object, "nodes", FSIM_VALUE_ARRAY, &nodes, err));
    for (const fsim_value *row = nodes->first; row != NULL; row = row->next) {
        FSIM_TRY(cells(row, 2, 2, n, err));
        if (plan->node_count == FSIM_NODE_SIZES_MAX) {
            return fsim_value_fail(row, err, "at most %d sizes of nodes", FSIM_NODE_SIZES_MAX);
        }
        plan->node[plan->node_count++] = (fsim_node_size){n[0], n[1]};
    }
    plan->metered = (uint32_t)metered;
    plan->window_ns = (fsim_ns)window_ns;
    plan->settle_ns = (fsim_ns)settle_ns;
    plan->unused_window_ns = (fsim_ns)unused_ns;
    return FSIM_OK;
}

/* ---- counters ---- */

static fsim_status read_function(const fsim_value *object, fsim_usage *usage, fsim_error *err) {
    const char *name = NULL;
    FSIM_TRY(fsim_value_get_string(object, "name", &name, err));
    FSIM_TRY(number(object, "memory_mb", &usage->memory_mb, err));
    FSIM_TRY(number(object, "vcpu_milli", &usage->vcpu_milli, err));
    FSIM_TRY(number(object, "disk_mb", &usage->disk_mb, err));
    for (const fsim_usage_field *field = fsim_usage_fields; field->name != NULL; field++) {
        char *at = (char *)usage + field->offset;
        const fsim_value *value = fsim_value_get(object, field->name);
        if (value == NULL) {
            return fsim_value_missing(object, field->name, err);
        }
        if (field->count == 0) {
            FSIM_TRY(wide(value, (fsim_u128 *)(void *)at, err));
        } else if (field->count == 1) {
            FSIM_TRY(whole(value, (uint64_t *)(void *)at, err));
        } else {
            FSIM_TRY(cells(value, field->count, field->count, (uint64_t *)(void *)at, err));
        }
    }
    return FSIM_OK;
}

static fsim_status read_functions(fsim_metered_run *run, fsim_value_pool *pool, const fsim_value *root,
                                  fsim_error *err) {
    const fsim_value *list;
    FSIM_TRY(need(root, "functions", FSIM_VALUE_ARRAY, &list, err));
    fsim_usage *usage = fsim_value_pool_alloc(pool, sizeof *usage * (list->count + 1));
    if (usage == NULL) {
        return out_of_memory(err);
    }
    run->functions = usage;
    for (const fsim_value *item = list->first; item != NULL; item = item->next) {
        FSIM_TRY(read_function(item, usage++, err));
        run->function_count++;
    }
    return FSIM_OK;
}

static fsim_status read_hours(fsim_metered_run *run, fsim_value_pool *pool, const fsim_value *root,
                              fsim_error *err) {
    const fsim_value *list;
    FSIM_TRY(need(root, "hours", FSIM_VALUE_ARRAY, &list, err));
    fsim_usage_hour *hours = fsim_value_pool_alloc(pool, sizeof *hours * (list->count + 1));
    if (hours == NULL) {
        return out_of_memory(err);
    }
    run->hours = hours;
    for (const fsim_value *row = list->first; row != NULL; row = row->next) {
        uint64_t n[5 + FSIM_THRESHOLDS_MORE] = {0};
        FSIM_TRY(cells(row, 5, 5 + FSIM_THRESHOLDS_MORE, n, err));
        if (n[0] >= run->function_count || n[1] > UINT32_MAX) {
            return fsim_value_fail(row, err, "expected a function of the list, and its hour");
        }
        hours->fn = (uint32_t)n[0];
        hours->hour = (uint32_t)n[1];
        hours->requests = n[2];
        hours->mem_ms = n[3];
        memcpy(hours->cpu_ms, n + 4, sizeof hours->cpu_ms);
        hours++;
        run->hour_count++;
    }
    return FSIM_OK;
}

static fsim_status read_nodes(fsim_metered_run *run, fsim_value_pool *pool, const fsim_value *root,
                              fsim_error *err) {
    const fsim_value *list;
    FSIM_TRY(need(root, "nodes", FSIM_VALUE_ARRAY, &list, err));
    fsim_usage_nodes *nodes = fsim_value_pool_alloc(pool, sizeof *nodes * FSIM_NODE_SIZES_MAX);
    if (nodes == NULL) {
        return out_of_memory(err);
    }
    run->nodes = nodes;
    if (list->count != run->plan->node_count) {
        return fsim_value_fail(list, err, "expected a row for each size in plan.nodes");
    }
    for (const fsim_value *row = list->first; row != NULL; row = row->next) {
        if (row->kind != FSIM_VALUE_ARRAY || row->count != 2) {
            return fsim_value_fail(row, err, "expected [node ns, most at once]");
        }
        FSIM_TRY(wide(row->first, &nodes->node_ns, err));
        FSIM_TRY(whole(row->last, &nodes->peak, err));
        nodes++;
    }
    return FSIM_OK;
}

fsim_status fsim_usage_file_read(fsim_metered_run *run, fsim_value_pool *pool, const fsim_value *root,
                                 fsim_error *err) {
    const char *schema = NULL;
    uint64_t horizon_ns;
    *run = (fsim_metered_run){0};
    fsim_meter_plan *plan = fsim_value_pool_alloc(pool, sizeof *plan);
    if (plan == NULL) {
        return out_of_memory(err);
    }
    run->plan = plan;
    FSIM_TRY(fsim_value_get_string(root, "schema", &schema, err));
    if (schema == NULL || strcmp(schema, SCHEMA) != 0) {
        return fsim_value_fail(root, err, "expected the schema \"" SCHEMA "\"");
    }
    FSIM_TRY(number(root, "horizon_ns", &horizon_ns, err));
    run->horizon_ns = (fsim_ns)horizon_ns;
    FSIM_TRY(read_plan(root, plan, err));
    FSIM_TRY(read_functions(run, pool, root, err));
    FSIM_TRY(read_hours(run, pool, root, err));
    return read_nodes(run, pool, root, err);
}
