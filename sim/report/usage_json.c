#include "report/usage_json.h"

#include "report/writer_json.h"

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

static void put_wide(fsim_json_writer *w, fsim_u128 value) {
    char text[FSIM_DECIMAL_SIZE];
    fsim_json_string(w, fsim_i128_print((fsim_i128)value, text, sizeof text));
}

static void put_named(fsim_json_writer *w, const char *key, uint64_t value) {
    fsim_json_key(w, key);
    fsim_json_integer(w, (int64_t)value);
}

static void put_field(fsim_json_writer *w, const fsim_usage *usage, const fsim_usage_field *field) {
    const char *at = (const char *)usage + field->offset;
    fsim_json_key(w, field->name);
    if (field->count == 0) {
        put_wide(w, *(const fsim_u128 *)(const void *)at);
        return;
    }
    const uint64_t *numbers = (const uint64_t *)(const void *)at;
    if (field->count == 1) {
        fsim_json_integer(w, (int64_t)numbers[0]);
        return;
    }
    fsim_json_begin(w, '[');
    for (uint32_t i = 0; i < field->count; i++) {
        fsim_json_integer(w, (int64_t)numbers[i]);
    }
    fsim_json_end(w, ']');
}

static void put_functions(fsim_json_writer *w, const fsim_result *result) {
    fsim_json_begin(w, '[');
    for (uint32_t fn = 0; result->usage != NULL && fn < result->function_count; fn++) {
        const fsim_usage *usage = &result->usage[fn];
        fsim_json_begin(w, '{');
        fsim_json_key(w, "name");
        fsim_json_string(w, fsim_function_table_get(result->functions, fn)->name);
        put_named(w, "memory_mb", usage->memory_mb);
        put_named(w, "vcpu_milli", usage->vcpu_milli);
        put_named(w, "disk_mb", usage->disk_mb);
        for (const fsim_usage_field *field = fsim_usage_fields; field->name != NULL; field++) {
            put_field(w, usage, field);
        }
        fsim_json_end(w, '}');
    }
    fsim_json_end(w, ']');
}

/* [function, hour, requests, memory ms, CPU ms of each threshold] */
static void put_hours(fsim_json_writer *w, const fsim_result *result) {
    fsim_json_begin(w, '[');
    for (uint32_t i = 0; i < result->hour_count; i++) {
        const fsim_usage_hour *row = &result->hours[i];
        fsim_json_begin(w, '[');
        fsim_json_integer(w, row->fn);
        fsim_json_integer(w, (int64_t)row->hour);
        fsim_json_integer(w, (int64_t)row->requests);
        fsim_json_integer(w, (int64_t)row->mem_ms);
        for (uint32_t k = 0; k <= result->meters.more_count; k++) {
            fsim_json_integer(w, (int64_t)row->cpu_ms[k]);
        }
        fsim_json_end(w, ']');
    }
    fsim_json_end(w, ']');
}

static void put_nodes(fsim_json_writer *w, const fsim_result *result) {
    fsim_json_begin(w, '[');
    for (uint32_t k = 0; k < result->meters.node_count; k++) {
        fsim_json_begin(w, '[');
        put_wide(w, result->nodes[k].node_ns);
        fsim_json_integer(w, (int64_t)result->nodes[k].peak);
        fsim_json_end(w, ']');
    }
    fsim_json_end(w, ']');
}

fsim_status fsim_usage_write(FILE *out, const fsim_result *result, fsim_error *err) {
    fsim_json_writer w = {.out = out, .compact = true};
    json_t *plan = plan_json(&result->meters);
    if (plan == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory while writing the usage");
    }
    fsim_json_begin(&w, '{');
    fsim_json_key(&w, "schema");
    fsim_json_string(&w, "fsim.usage/1");
    put_named(&w, "horizon_ns", (uint64_t)result->horizon_ns);
    fsim_json_key(&w, "plan");
    fsim_json_tree(&w, plan);
    fsim_json_key(&w, "functions");
    put_functions(&w, result);
    fsim_json_key(&w, "hours");
    put_hours(&w, result);
    fsim_json_key(&w, "nodes");
    put_nodes(&w, result);
    fsim_json_end(&w, '}');
    json_decref(plan);
    return fsim_json_finish(&w) ? FSIM_OK
                                : fsim_fail(err, FSIM_ELIMIT, "out of memory while writing the usage");
}
