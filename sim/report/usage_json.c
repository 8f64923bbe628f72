#include "report/usage_json.h"

#include <jansson.h>

static json_t *wide(fsim_u128 value) {
    char text[FSIM_DECIMAL_SIZE];
    return json_string(fsim_i128_print((fsim_i128)value, text, sizeof text));
}

static json_t *rules_json(const fsim_meter_rules *rules) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < rules->count; i++) {
        json_array_append_new(list, json_pack("[I, I]", (json_int_t)rules->rule[i].step_ms,
                                              (json_int_t)rules->rule[i].least_ms));
    }
    return list;
}

static json_t *threshold_json(const fsim_threshold *t) {
    return json_pack("{s:I, s:b, s:b}", "ppm", (json_int_t)t->ppm, "full_window", t->full_window, "above",
                     t->above);
}

static json_t *plan_json(const fsim_meter_plan *plan) {
    json_t *thresholds = json_array(), *nodes = json_array();
    json_array_append_new(thresholds, threshold_json(&plan->threshold));
    for (uint32_t k = 0; k < plan->more_count; k++) {
        json_array_append_new(thresholds, threshold_json(&plan->more[k]));
    }
    for (uint32_t k = 0; k < plan->node_count; k++) {
        json_array_append_new(nodes, json_pack("[I, I]", (json_int_t)plan->node[k].vcpu_milli,
                                               (json_int_t)plan->node[k].memory_mib));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:I, s:I, s:I, s:o}", "request",
                     rules_json(&plan->request), "active", rules_json(&plan->active), "residency",
                     rules_json(&plan->residency), "lifetime", rules_json(&plan->lifetime), "provisioned",
                     rules_json(&plan->provisioned), "metered", (json_int_t)plan->metered, "window_ns",
                     (json_int_t)plan->window_ns, "thresholds", thresholds, "settle_ns",
                     (json_int_t)plan->settle_ns, "idle_below_ucore", (json_int_t)plan->idle_below_ucore,
                     "unused_window_ns", (json_int_t)plan->unused_window_ns, "nodes", nodes);
}

static json_t *field_json(const fsim_usage *usage, const fsim_usage_field *field) {
    const char *at = (const char *)usage + field->offset;
    if (field->count == 0) {
        return wide(*(const fsim_u128 *)(const void *)at);
    }
    const uint64_t *numbers = (const uint64_t *)(const void *)at;
    if (field->count == 1) {
        return json_integer((json_int_t)numbers[0]);
    }
    json_t *list = json_array();
    for (uint32_t i = 0; i < field->count; i++) {
        json_array_append_new(list, json_integer((json_int_t)numbers[i]));
    }
    return list;
}

static json_t *functions_json(const fsim_result *result) {
    json_t *list = json_array();
    for (uint32_t fn = 0; result->usage != NULL && fn < result->function_count; fn++) {
        const fsim_usage *usage = &result->usage[fn];
        json_t *object =
            json_pack("{s:s, s:I, s:I, s:I}", "name", fsim_function_table_get(result->functions, fn)->name,
                      "memory_mb", (json_int_t)usage->memory_mb, "vcpu_milli", (json_int_t)usage->vcpu_milli,
                      "disk_mb", (json_int_t)usage->disk_mb);
        for (const fsim_usage_field *field = fsim_usage_fields; field->name != NULL; field++) {
            json_object_set_new(object, field->name, field_json(usage, field));
        }
        json_array_append_new(list, object);
    }
    return list;
}

/* [function, hour, requests, memory ms, CPU ms of each threshold] */
static json_t *hours_json(const fsim_result *result) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < result->hour_count; i++) {
        const fsim_usage_hour *row = &result->hours[i];
        json_t *cells = json_pack("[I, I, I, I]", (json_int_t)row->fn, (json_int_t)row->hour,
                                  (json_int_t)row->requests, (json_int_t)row->mem_ms);
        for (uint32_t k = 0; k <= result->meters.more_count; k++) {
            json_array_append_new(cells, json_integer((json_int_t)row->cpu_ms[k]));
        }
        json_array_append_new(list, cells);
    }
    return list;
}

char *fsim_usage_dump(const fsim_result *result) {
    json_t *packed = json_array();
    for (uint32_t k = 0; k < result->meters.node_count; k++) {
        json_array_append_new(
            packed, json_pack("[o, I]", wide(result->nodes[k].node_ns), (json_int_t)result->nodes[k].peak));
    }
    json_t *root = json_pack("{s:s, s:I, s:o, s:o, s:o, s:o}", "schema", "fsim.usage/1", "horizon_ns",
                             (json_int_t)result->horizon_ns, "plan", plan_json(&result->meters), "functions",
                             functions_json(result), "hours", hours_json(result), "nodes", packed);
    char *text = root == NULL ? NULL : json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(root);
    return text;
}
