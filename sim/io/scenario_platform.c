/* Limits, queue, retries and nodes of a scenario; see scenario_parts.h. */
#include "io/scenario_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT_MAX (INT64_C(1) << 53)
#define MIB       (INT64_C(1024) * 1024)

typedef struct reader {
    fsim_scenario *s;
    fsim_value *platform;
    fsim_error *err;
} reader;

/* The object at `key`; NULL when it is absent or switched off. */
static fsim_status get_part(const reader *r, const char *key, fsim_value **out) {
    fsim_value *value = fsim_value_get(r->platform, key);
    *out = NULL;
    if (value == NULL || fsim_value_is_off(value)) {
        return FSIM_OK;
    }
    *out = value;
    return fsim_scenario_need_object(value, key, r->err);
}

static fsim_status need(const reader *r, const fsim_value *object, const char *key) {
    return fsim_value_get(object, key) != NULL ? FSIM_OK : fsim_value_missing(object, key, r->err);
}

/* A number above 0. */
static fsim_status get_positive(const reader *r, const fsim_value *object, const char *key, double *out) {
    FSIM_TRY(fsim_value_get_real(object, key, 0, 1e15, out, r->err));
    const fsim_value *value = fsim_value_get(object, key);
    if (value != NULL && *out <= 0) {
        return fsim_value_fail(value, r->err, "found a %s of 0, expected more than 0", key);
    }
    return FSIM_OK;
}

/* ---- start-rate limits ---- */

static fsim_status read_start_limit(const reader *r, const char *key, fsim_start_limit *limit) {
    static const char *const kinds[] = {"fixed", "sliding", "token_bucket", NULL};
    static const char *const scopes[] = {"function", "region", NULL};
    int kind = 0, scope = 1;
    fsim_value *part;
    FSIM_TRY(get_part(r, key, &part));
    if (part == NULL) {
        return FSIM_OK;
    }
    FSIM_TRY(need(r, part, "kind"));
    FSIM_TRY(need(r, part, "n"));
    FSIM_TRY(need(r, part, "window"));
    FSIM_TRY(fsim_value_get_enum(part, "kind", kinds, &kind, r->err));
    FSIM_TRY(fsim_value_get_enum(part, "scope", scopes, &scope, r->err));
    limit->kind = kind == 0 ? FSIM_LIMIT_FIXED : kind == 1 ? FSIM_LIMIT_SLIDING : FSIM_LIMIT_BUCKET;
    limit->per_function = scope == 0;
    FSIM_TRY(fsim_scenario_get_limit(part, "n", COUNT_MAX, INT64_MAX, &limit->n, r->err));
    FSIM_TRY(fsim_value_get_span(part, "window", false, &limit->window_ns, r->err));
    if (limit->n == INT64_MAX) {
        return fsim_value_fail(fsim_value_get(part, "n"), r->err,
                               "expected a number; \"%s\": null switches the limit off", key);
    }
    if (limit->window_ns == 0) {
        return fsim_value_fail(fsim_value_get(part, "window"), r->err, "expected a window longer than 0");
    }
    if (limit->kind == FSIM_LIMIT_SLIDING) {
        return fsim_value_check_used(part, NULL, r->err);
    }
    limit->burst = limit->n;
    if (limit->kind == FSIM_LIMIT_BUCKET) {
        FSIM_TRY(fsim_value_get_i64(part, "burst", 1, COUNT_MAX, &limit->burst, r->err));
    }
    limit->initial = limit->burst;
    FSIM_TRY(fsim_value_get_i64(part, "initial", 0, COUNT_MAX, &limit->initial, r->err));
    if (limit->kind == FSIM_LIMIT_BUCKET && limit->initial > limit->burst) {
        return fsim_value_fail(fsim_value_get(part, "initial"), r->err,
                               "initial %lld is more than burst %lld", (long long)limit->initial,
                               (long long)limit->burst);
    }
    return fsim_value_check_used(part, NULL, r->err);
}

/* ---- gateway, queue, retries ---- */

static fsim_status read_gateway(const reader *r) {
    static const char *const keys[] = {"function", "all", NULL};
    fsim_gateway_plan *gateway = &r->s->gateway;
    int key = 1;
    fsim_value *part;
    FSIM_TRY(get_part(r, "gateway", &part));
    if (part == NULL) {
        return FSIM_OK;
    }
    const fsim_value *each = fsim_value_get(part, "rate_per_concurrency");
    if (each == NULL || fsim_value_is_off(each)) {
        FSIM_TRY(need(r, part, "rate"));
    } else {
        FSIM_TRY(get_positive(r, part, "rate_per_concurrency", &gateway->per_concurrency));
    }
    if (fsim_value_get(part, "rate") == NULL && r->s->account_concurrency != UINT64_MAX) {
        gateway->rate_per_s = gateway->per_concurrency * (double)r->s->account_concurrency;
    }
    FSIM_TRY(get_positive(r, part, "rate", &gateway->rate_per_s));
    gateway->burst = fmax(1, gateway->rate_per_s);
    FSIM_TRY(fsim_value_get_span(part, "window", false, &gateway->window_ns, r->err));
    const fsim_value *burst = fsim_value_get(part, "burst");
    if (burst != NULL && gateway->window_ns > 0) {
        return fsim_value_fail(burst, r->err,
                               "a burst contradicts a window, which lets all of its requests in");
    }
    FSIM_TRY(fsim_value_get_real(part, "burst", 1, 1e15, &gateway->burst, r->err));
    FSIM_TRY(fsim_value_get_enum(part, "key", keys, &key, r->err));
    gateway->per_function = key == 0;
    return fsim_value_check_used(part, NULL, r->err);
}

static fsim_status read_dist(const reader *r, const fsim_value *value, fsim_dist *out) {
    return fsim_dist_read(out, r->s->pool, value, r->s->base_dir, false, r->err);
}

/* After how many mean cold starts, if that is later, and with what answer. */
static fsim_status read_queue_end(const reader *r, const fsim_value *part) {
    fsim_scenario *s = r->s;
    int64_t status = 504;
    FSIM_TRY(fsim_value_get_real(part, "timeout_cold_starts", 0, 1e6, &s->queue_timeout_starts, r->err));
    const fsim_value *starts = fsim_value_get(part, "timeout_cold_starts");
    bool constant = s->queue_has_timeout && s->queue_timeout.kind == FSIM_DIST_CONSTANT;
    if (s->queue_timeout_starts > 0 && !constant) {
        return fsim_value_fail(starts, r->err,
                               "goes with a timeout that is a span, whose least length it is not");
    }
    FSIM_TRY(fsim_value_get_i64(part, "timeout_status", 429, 504, &status, r->err));
    if (status != 429 && status != 504) {
        return fsim_value_fail(fsim_value_get(part, "timeout_status"), r->err, "expected 429 or 504");
    }
    s->queue_timeout_refuses = status == 429;
    return FSIM_OK;
}

/* "queue": null is no queue; a capacity of null is a queue without end. Left open, the binding decides, and
 * the tree is told. */
static fsim_status read_queue(const reader *r) {
    fsim_scenario *s = r->s;
    fsim_value *part = fsim_value_get(r->platform, "queue");
    int64_t capacity = 0;
    if (part != NULL && fsim_value_is_off(part)) {
        return FSIM_OK;
    }
    if (part == NULL) {
        part = fsim_value_new(s->pool, FSIM_VALUE_OBJECT, FSIM_ORIGIN_DEFAULT);
        fsim_value_put(s->pool, r->platform, "queue", part);
        (void)fsim_value_get(r->platform, "queue");
    }
    FSIM_TRY(fsim_scenario_need_object(part, "queue", r->err));
    if (fsim_value_get(part, "capacity") == NULL) {
        fsim_value *decided = s->binding == FSIM_BIND_LATE
                                  ? fsim_value_new(s->pool, FSIM_VALUE_NULL, FSIM_ORIGIN_DEFAULT)
                                  : fsim_value_new_integer(s->pool, 0, FSIM_ORIGIN_DEFAULT);
        fsim_value_put(s->pool, part, "capacity", decided);
    }
    if (fsim_value_is_off(fsim_value_get(part, "capacity"))) {
        s->queue_capacity = UINT64_MAX;
    } else {
        FSIM_TRY(fsim_value_get_i64(part, "capacity", 0, COUNT_MAX, &capacity, r->err));
        s->queue_capacity = (uint64_t)capacity;
    }
    const fsim_value *timeout = fsim_value_get(part, "timeout");
    if (timeout != NULL && !fsim_value_is_off(timeout)) {
        FSIM_TRY(read_dist(r, timeout, &s->queue_timeout));
        s->queue_has_timeout = true;
    }
    FSIM_TRY(read_queue_end(r, part));
    return fsim_value_check_used(part, NULL, r->err);
}

static fsim_status read_retry_causes(const reader *r, const fsim_value *on, fsim_retry_plan *plan) {
    if (on == NULL) {
        plan->on_429 = plan->on_432 = plan->on_503 = plan->on_504 = true;
        return FSIM_OK;
    }
    if (on->kind != FSIM_VALUE_ARRAY || on->count == 0) {
        return fsim_value_fail(on, r->err, "expected an array of 429, 432, 503, 504 and \"failed\"");
    }
    for (const fsim_value *code = on->first; code != NULL; code = code->next) {
        if (code->kind == FSIM_VALUE_STRING && strcmp(code->string, "failed") == 0) {
            plan->on_failed = true;
            continue;
        }
        bool *flag = code->kind != FSIM_VALUE_INTEGER ? NULL
                     : code->integer == 429           ? &plan->on_429
                     : code->integer == 432           ? &plan->on_432
                     : code->integer == 503           ? &plan->on_503
                     : code->integer == 504           ? &plan->on_504
                                                      : NULL;
        if (flag == NULL) {
            return fsim_value_fail(code, r->err, "expected 429, 432, 503, 504 or \"failed\"");
        }
        *flag = true;
    }
    return FSIM_OK;
}

/* Attempts default to 2, as the standard mode of the AWS SDKs makes three in all. */
#define RETRIES_DEFAULT 2

static fsim_status read_retry(const reader *r) {
    fsim_retry_plan *plan = &r->s->retry;
    int64_t attempts = RETRIES_DEFAULT;
    fsim_value *part;
    FSIM_TRY(get_part(r, "retry", &part));
    if (part == NULL) {
        return FSIM_OK;
    }
    FSIM_TRY(need(r, part, "interval"));
    plan->on = true;
    FSIM_TRY(read_dist(r, fsim_value_get(part, "interval"), &plan->interval));
    plan->factor = 1;
    FSIM_TRY(get_positive(r, part, "factor", &plan->factor));
    FSIM_TRY(fsim_scenario_get_limit(part, "attempts", COUNT_MAX, INT64_MAX, &attempts, r->err));
    plan->attempts = attempts == INT64_MAX ? UINT64_MAX : (uint64_t)attempts;
    FSIM_TRY(read_retry_causes(r, fsim_value_get(part, "on"), plan));
    bool endless = plan->attempts == UINT64_MAX;
    if (endless && fsim_dist_mean_ns(&plan->interval) < 1.0) {
        return fsim_value_fail(fsim_value_get(part, "interval"), r->err,
                               "an interval of 0 with attempts without end would never let time pass");
    }
    if (endless && plan->factor < 1) {
        return fsim_value_fail(
            fsim_value_get(part, "factor"), r->err,
            "a factor below 1 with attempts without end: the intervals would become 0, and "
            "time would never pass");
    }
    return fsim_value_check_used(part, NULL, r->err);
}

/* ---- events ---- */

static fsim_status read_after_error(const reader *r, const fsim_value *part, fsim_async_plan *plan) {
    const fsim_value *spans = fsim_value_get(part, "after_error");
    if (spans == NULL) {
        return fsim_value_missing(part, "after_error", r->err);
    }
    if (spans->kind != FSIM_VALUE_ARRAY || spans->count > FSIM_ERROR_RETRIES_MAX) {
        return fsim_value_fail(spans, r->err, "expected an array of up to %u spans, one for each retry",
                               FSIM_ERROR_RETRIES_MAX);
    }
    for (const fsim_value *span = spans->first; span != NULL; span = span->next) {
        FSIM_TRY(fsim_value_as_span(span, &plan->after_error_ns[plan->retries++], r->err));
    }
    return FSIM_OK;
}

/* The lowest layer has AWS Lambda's values (policies spec, section 4.3). */
static fsim_status read_async(const reader *r) {
    fsim_async_plan *plan = &r->s->async;
    fsim_value *part;
    FSIM_TRY(get_part(r, "async", &part));
    if (part == NULL) {
        return FSIM_OK;
    }
    plan->on = true;
    FSIM_TRY(read_after_error(r, part, plan));
    FSIM_TRY(fsim_value_get_span(part, "interval", false, &plan->first_ns, r->err));
    FSIM_TRY(fsim_value_get_span(part, "longest", false, &plan->longest_ns, r->err));
    FSIM_TRY(fsim_value_get_span(part, "max_age", false, &plan->max_age_ns, r->err));
    FSIM_TRY(fsim_value_get_real(part, "factor", 1, 1000, &plan->factor, r->err));
    if (plan->first_ns == 0) {
        return fsim_value_fail(fsim_value_get(part, "interval"), r->err,
                               "an interval of 0 would never let time pass");
    }
    if (plan->first_ns > plan->longest_ns) {
        return fsim_value_fail(fsim_value_get(part, "interval"), r->err,
                               "an interval of %g s is more than the longest, %g s",
                               fsim_ns_to_s(plan->first_ns), fsim_ns_to_s(plan->longest_ns));
    }
    return fsim_value_check_used(part, NULL, r->err);
}

/* ---- nodes ---- */

static fsim_status read_nodes(const reader *r) {
    static const char *const models[] = {"none", "ps", "fcfs", NULL};
    fsim_nodes_plan *nodes = &r->s->nodes;
    int64_t count = 0, bytes = 0;
    int model = 0;
    fsim_value *part;
    FSIM_TRY(get_part(r, "nodes", &part));
    if (part == NULL) {
        return FSIM_OK;
    }
    FSIM_TRY(need(r, part, "count"));
    FSIM_TRY(need(r, part, "vcpu"));
    FSIM_TRY(need(r, part, "memory"));
    FSIM_TRY(fsim_value_get_i64(part, "count", 1, 1 << 20, &count, r->err));
    FSIM_TRY(get_positive(r, part, "vcpu", &nodes->vcpu));
    FSIM_TRY(fsim_value_get_size(part, "memory", &bytes, r->err));
    FSIM_TRY(fsim_value_get_enum(part, "cpu_model", models, &model, r->err));
    FSIM_TRY(fsim_value_get_real(part, "price_per_hour", 0, 1e9, &nodes->price_per_hour, r->err));
    nodes->count = (uint32_t)count;
    nodes->memory_mb = bytes / MIB;
    nodes->cpu_model = (fsim_node_cpu)model;
    if (nodes->cpu_model == FSIM_NODE_CPU_FCFS && (nodes->vcpu != floor(nodes->vcpu) || nodes->vcpu > 1e6)) {
        return fsim_value_fail(
            fsim_value_get(part, "vcpu"), r->err,
            "%g vCPUs found, expected a whole number up to 1000000: with cpu_model \"fcfs\" "
            "each request takes a core",
            nodes->vcpu);
    }
    if (nodes->memory_mb < 1) {
        return fsim_value_fail(fsim_value_get(part, "memory"), r->err, "expected at least 1MB");
    }
    FSIM_TRY(fsim_scenario_read_interruptions(r->s, fsim_value_get(part, "interruptions"), r->err));
    return fsim_value_check_used(part, NULL, r->err);
}

/* ---- the section ---- */

/* What the provisioned instances of all functions claim must fit and leave room for one instance more of any
 * function, and unreserved_mb at least, or they would never all be there. */
static fsim_status check_claims(const reader *r) {
    const fsim_scenario *s = r->s;
    uint32_t count = fsim_function_table_count(s->functions);
    uint64_t instances = 0, shared = 0, reserved = 0;
    int64_t memory_mb = 0, largest_mb = 0;
    for (fsim_fn_id id = 0; id < count; id++) {
        const fsim_fn_spec *fn = fsim_function_table_get(s->functions, id);
        bool reserves = fn->reserved_concurrency != FSIM_UNLIMITED;
        uint64_t slots = fn->concurrency == FSIM_UNLIMITED ? 1 : fn->concurrency;
        instances += fn->provisioned;
        memory_mb += (int64_t)fn->provisioned * fn->memory_mb;
        largest_mb = fn->memory_mb > largest_mb ? fn->memory_mb : largest_mb;
        shared += reserves ? 0 : fn->provisioned * slots;
        reserved += reserves ? fn->reserved_concurrency : 0;
        if (reserves && fn->provisioned * slots > fn->reserved_concurrency) {
            return fsim_value_fail(
                fsim_value_get(r->platform, "provisioned_claims"), r->err,
                "\"%s\" has %u provisioned instances, more than its reserved concurrency %u", fn->name,
                fn->provisioned, fn->reserved_concurrency);
        }
    }
    if (instances == 0) {
        return FSIM_OK;
    }
    int64_t free_mb = largest_mb > s->unreserved_mb ? largest_mb : s->unreserved_mb;
    const char *key = memory_mb + free_mb > s->memory_quota_mb                    ? "memory_quota_mb"
                      : instances >= s->account_instances                         ? "account_instances"
                      : shared > 0 && shared + reserved >= s->account_concurrency ? "account_concurrency"
                                                                                  : NULL;
    if (key == NULL) {
        return FSIM_OK;
    }
    char more[48] = "";
    if (s->unreserved_mb > 0) {
        snprintf(more, sizeof more, ", and by %lld MB", (long long)s->unreserved_mb);
    }
    return fsim_value_fail(
        fsim_value_get(r->platform, key), r->err,
        "the provisioned instances claim %llu instances, %lld MB and a concurrency of "
        "%llu beside %llu reserved: expected less than the limit, by one instance at least%s",
        (unsigned long long)instances, (long long)memory_mb, (unsigned long long)shared,
        (unsigned long long)reserved, more);
}

/* What no instance could ever satisfy is a contradiction, not a very strict limit. */
static fsim_status check_functions(const reader *r) {
    const fsim_scenario *s = r->s;
    uint32_t count = fsim_function_table_count(s->functions);
    uint64_t reserved = 0;
    double reserved_mb = 0;
    for (fsim_fn_id id = 0; id < count; id++) {
        const fsim_fn_spec *fn = fsim_function_table_get(s->functions, id);
        if (fn->memory_mb > s->memory_quota_mb) {
            return fsim_value_fail(fsim_value_get(r->platform, "memory_quota_mb"), r->err,
                                   "a quota of %lld MB is less than one instance of \"%s\" needs (%lld MB)",
                                   (long long)s->memory_quota_mb, fn->name, (long long)fn->memory_mb);
        }
        if (s->nodes.count > 0 && fn->memory_mb > s->nodes.memory_mb) {
            return fsim_value_fail(fsim_value_get(r->platform, "nodes"), r->err,
                                   "a node of %lld MB is less than one instance of \"%s\" needs (%lld MB)",
                                   (long long)s->nodes.memory_mb, fn->name, (long long)fn->memory_mb);
        }
        if (fn->async && !s->async.on) {
            return fsim_value_fail(fsim_value_get(s->root, "platform"), r->err,
                                   "\"%s\" has invocation \"async\", but platform.async, which says how "
                                   "often the platform tries, is switched off",
                                   fn->name);
        }
        bool reserves = fn->reserved_concurrency != FSIM_UNLIMITED && fn->version == NULL;
        reserved += reserves ? fn->reserved_concurrency : 0; /* of a version it is its function's */
        reserved_mb += reserves ? (double)fn->reserved_concurrency * (double)fn->memory_mb : 0;
    }
    if (s->unreserved_mb > 0 && reserved_mb > (double)(s->memory_quota_mb - s->unreserved_mb)) {
        return fsim_value_fail(fsim_value_get(r->platform, "unreserved_mb"), r->err,
                               "the functions reserve %.0f MB together; of the quota of %lld MB %lld MB stay "
                               "unreserved",
                               reserved_mb, (long long)s->memory_quota_mb, (long long)s->unreserved_mb);
    }
    if (reserved > s->account_concurrency) {
        return fsim_value_fail(fsim_value_get(r->platform, "account_concurrency"), r->err,
                               "the functions reserve %llu together, more than the account's %llu",
                               (unsigned long long)reserved, (unsigned long long)s->account_concurrency);
    }
    return s->provisioned_claims ? check_claims(r) : FSIM_OK;
}

static fsim_status read_quotas(const reader *r) {
    fsim_scenario *s = r->s;
    int64_t instances = INT64_MAX, status = 429;
    FSIM_TRY(
        fsim_scenario_get_limit(r->platform, "account_instances", COUNT_MAX, INT64_MAX, &instances, r->err));
    s->account_instances = instances == INT64_MAX ? UINT64_MAX : (uint64_t)instances;
    FSIM_TRY(fsim_value_get_i64(r->platform, "memory_quota_status", 429, 432, &status, r->err));
    if (status != 429 && status != 432) {
        return fsim_value_fail(fsim_value_get(r->platform, "memory_quota_status"), r->err,
                               "expected 429 or 432");
    }
    s->quota_is_432 = status == 432;
    return FSIM_OK;
}

static void cap_function(fsim_fn_spec *fn, uint32_t most) {
    fn->max_instances = fn->max_instances < most ? fn->max_instances : most;
}

/* One function may hold so much of the account's instances, at least one. */
static fsim_status read_function_share(const reader *r) {
    fsim_scenario *s = r->s;
    double share = 1;
    FSIM_TRY(fsim_value_get_real(r->platform, "function_share", 0, 1, &share, r->err));
    if (!(share < 1) || s->account_instances >= FSIM_UNLIMITED) {
        return FSIM_OK;
    }
    uint32_t most = (uint32_t)((double)s->account_instances * share + 1e-9);
    most = most > 0 ? most : 1;
    fsim_fn_spec spec = *fsim_function_table_template(s->functions);
    cap_function(&spec, most);
    fsim_function_table_set_template(s->functions, &spec);
    for (fsim_fn_id id = 0; id < fsim_function_table_count(s->functions); id++) {
        spec = *fsim_function_table_get(s->functions, id);
        if (spec.provisioned > most || spec.min_instances > most) {
            return fsim_value_fail(
                fsim_value_get(r->platform, "function_share"), r->err,
                "\"%s\" keeps %u instances, more than the %u that this share of the account's "
                "%llu lets one function have",
                spec.name, spec.provisioned > most ? spec.provisioned : spec.min_instances, most,
                (unsigned long long)s->account_instances);
        }
        cap_function(&spec, most);
        fsim_function_table_set_spec(s->functions, id, &spec);
    }
    return FSIM_OK;
}

static fsim_status read_memory_quota(const reader *r) {
    fsim_scenario *s = r->s;
    const fsim_value *quota = fsim_value_get(r->platform, "memory_quota_mb");
    bool limit = quota == NULL || quota->kind != FSIM_VALUE_STRING || fsim_value_is_off(quota);
    s->memory_quota_mb = INT64_MAX;
    FSIM_TRY(
        limit ? fsim_scenario_get_limit(r->platform, "memory_quota_mb", COUNT_MAX, INT64_MAX,
                                        &s->memory_quota_mb, r->err)
              : fsim_value_get_mb(r->platform, "memory_quota_mb", 1, COUNT_MAX, &s->memory_quota_mb, r->err));
    FSIM_TRY(fsim_value_get_mb(r->platform, "unreserved_mb", 0, COUNT_MAX, &s->unreserved_mb, r->err));
    if (s->unreserved_mb >= s->memory_quota_mb) {
        s->unreserved_mb = 0; /* a quota so much smaller than the platform's has no such part */
    }
    return FSIM_OK;
}

fsim_status fsim_scenario_read_platform(fsim_scenario *s, fsim_error *err) {
    reader r = {s, fsim_value_get(s->root, "platform"), err};
    int64_t account = INT64_MAX;
    FSIM_TRY(fsim_scenario_need_object(r.platform, "platform", err));
    FSIM_TRY(fsim_scenario_get_limit(r.platform, "account_concurrency", COUNT_MAX, INT64_MAX, &account, err));
    s->account_concurrency = account == INT64_MAX ? UINT64_MAX : (uint64_t)account;
    FSIM_TRY(read_memory_quota(&r));
    FSIM_TRY(read_quotas(&r));
    FSIM_TRY(read_function_share(&r));
    FSIM_TRY(read_start_limit(&r, "start_rate", &s->start_rate));
    FSIM_TRY(read_start_limit(&r, "provisioned_start_rate", &s->provisioned_start_rate));
    FSIM_TRY(fsim_value_get_bool(r.platform, "provisioned_together", &s->provisioned_together, err));
    FSIM_TRY(fsim_value_get_bool(r.platform, "provisioned_claims", &s->provisioned_claims, err));
    FSIM_TRY(read_dist(&r, fsim_value_get(r.platform, "provisioned_delay"), &s->provisioned_delay));
    FSIM_TRY(read_gateway(&r));
    FSIM_TRY(read_queue(&r));
    FSIM_TRY(read_retry(&r));
    FSIM_TRY(read_async(&r));
    FSIM_TRY(read_nodes(&r));
    FSIM_TRY(fsim_value_check_used(r.platform, NULL, err));
    return check_functions(&r);
}
