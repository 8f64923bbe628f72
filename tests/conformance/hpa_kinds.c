/* The vectors of the Horizontal Pod Autoscaler: hpa_*.json and its entries of docs_examples.json. They drive
 * sim/autoscale/hpa*.h, which the policy hpa uses. */
#include "verdict.h"

#include "autoscale/hpa.h"

#include <stdio.h>
#include <string.h>

#define NOW         (INT64_C(20000000) * FSIM_SECOND) /* later than any age */
#define ENTRIES_MAX 512
#define METRICS_MAX 16

/* ---- reading ---- */

static int64_t read_whole(verdict *v, const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : verdict_read_int(v, object, key);
}

/* An instant so long ago. False: there is none. */
static bool read_age(verdict *v, const json_t *object, const char *key, fsim_ns *at_ns) {
    bool has = verdict_has(object, key);
    *at_ns = NOW - (has ? verdict_read_seconds(v, object, key) : 0);
    return has;
}

static fsim_pod_phase read_phase(verdict *v, const json_t *pod) {
    static const char *const names[] = {"Pending", "Running", "Succeeded", "Failed", "Unknown"};
    const char *phase = verdict_read_text(v, pod, "phase");
    for (int i = 0; i < 5; i++) {
        if (strcmp(phase, names[i]) == 0) {
            return (fsim_pod_phase)i;
        }
    }
    verdict_fail(v, "the phase of a pod", "\"%s\"", phase);
    return FSIM_POD_UNKNOWN;
}

static fsim_hpa_pod read_pod(verdict *v, const json_t *json) {
    fsim_hpa_pod pod = {.phase = read_phase(v, json),
                        .deleting = verdict_bool_or(v, json, "deleting", false)};
    pod.has_condition = verdict_has(json, "ready");
    pod.ready = verdict_bool_or(v, json, "ready", false);
    pod.has_start = read_age(v, json, "start_age_s", &pod.start_ns);
    read_age(v, json, "ready_change_age_s", &pod.ready_change_ns);
    pod.has_sample = verdict_has(json, "usage");
    pod.usage = pod.has_sample ? read_whole(v, json, "usage") : 0;
    pod.has_request = verdict_has(json, "request");
    pod.request = pod.has_request ? read_whole(v, json, "request") : 0;
    read_age(v, json, "sample_age_s", &pod.sample_ns);
    pod.window_ns =
        verdict_has(json, "sample_window_s") ? verdict_read_seconds(v, json, "sample_window_s") : 0;
    return pod;
}

static fsim_hpa_readiness read_readiness(verdict *v, const json_t *params) {
    return (fsim_hpa_readiness){verdict_read_seconds(v, params, "cpu_initialization_period_s"),
                                verdict_read_seconds(v, params, "initial_readiness_delay_s")};
}

static fsim_hpa_tolerance read_tolerance(verdict *v, const json_t *params) {
    return (fsim_hpa_tolerance){verdict_read_real(v, params, "tolerance_up"),
                                verdict_read_real(v, params, "tolerance_down")};
}

/* False: the metric cannot be read, which some vectors want. */
static bool read_metric(verdict *v, const json_t *json, fsim_hpa_metric *metric) {
    static const struct {
        const char *name;
        fsim_hpa_metric_kind kind;
        bool cpu;
    } known[] = {{"cpu_utilization", FSIM_HPA_UTILIZATION, true},
                 {"memory_utilization", FSIM_HPA_UTILIZATION, false},
                 {"cpu_average", FSIM_HPA_RESOURCE_VALUE, true},
                 {"memory_average", FSIM_HPA_RESOURCE_VALUE, false},
                 {"pods_average", FSIM_HPA_PODS, false},
                 {"object_value", FSIM_HPA_VALUE, false},
                 {"external_value", FSIM_HPA_VALUE, false},
                 {"object_average", FSIM_HPA_AVERAGE_VALUE, false},
                 {"external_average", FSIM_HPA_AVERAGE_VALUE, false}};
    const char *name = verdict_read_text(v, json, "metric");
    if (strcmp(name, "invalid") == 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i].name) == 0) {
            *metric = (fsim_hpa_metric){known[i].kind, known[i].cpu, read_whole(v, json, "target"), 0};
            bool single = known[i].kind == FSIM_HPA_VALUE || known[i].kind == FSIM_HPA_AVERAGE_VALUE;
            if (single && !verdict_has(json, "value")) {
                return false;
            }
            metric->value = single ? read_whole(v, json, "value") : 0;
            if (metric->target <= 0) {
                verdict_fail(v, "a target above 0", "%lld", (long long)metric->target);
            }
            return true;
        }
    }
    verdict_fail(v, "a known metric", "\"%s\"", name);
    return false;
}

static fsim_hpa_tally count_pods(verdict *v, const json_t *input, const fsim_hpa_metric *metric,
                                 const fsim_hpa_readiness *readiness) {
    fsim_hpa_tally tally = {0};
    const json_t *pods = json_object_get(input, "pods"), *others = json_object_get(input, "other_usage");
    for (size_t k = 0; k < json_array_size(pods); k++) {
        fsim_hpa_pod pod = read_pod(v, json_array_get(pods, k));
        fsim_hpa_tally_pod(&tally, metric, &pod, readiness, NOW);
    }
    for (size_t k = 0; k < json_array_size(others); k++) {
        fsim_hpa_tally_other(&tally, json_integer_value(json_array_get(others, k)));
    }
    return tally;
}

static void read_policies(verdict *v, const json_t *list, fsim_hpa_rules *rules) {
    rules->count = 0;
    for (size_t k = 0; k < json_array_size(list); k++) {
        const json_t *json = json_array_get(list, k);
        fsim_hpa_policy policy = {.percent = strcmp(verdict_read_text(v, json, "type"), "Percent") == 0,
                                  .value = verdict_read_int(v, json, "value"),
                                  .period_ns = verdict_read_seconds(v, json, "period_s")};
        if (rules->count == FSIM_HPA_POLICIES_MAX) {
            verdict_fail(v, "at most 8 policies", "%zu", json_array_size(list));
            return;
        }
        rules->policy[rules->count++] = policy;
    }
}

/* What a side does not say it has from the defaults. */
static fsim_hpa_rules read_rules(verdict *v, const json_t *side, fsim_hpa_rules rules) {
    static const char *const selects[] = {"Max", "Min", "Disabled"};
    if (verdict_has(side, "stabilization_s")) {
        rules.stabilization_ns = verdict_read_seconds(v, side, "stabilization_s");
    }
    for (int i = 0; verdict_has(side, "select") && i < 3; i++) {
        if (strcmp(verdict_read_text(v, side, "select"), selects[i]) == 0) {
            rules.select = (fsim_hpa_select)i;
        }
    }
    if (verdict_has(side, "policies")) {
        read_policies(v, json_object_get(side, "policies"), &rules);
    }
    return rules;
}

static fsim_hpa_past read_past(verdict *v, const json_t *list, const char *key, fsim_hpa_entry *entries) {
    fsim_hpa_past past = {.entries = entries, .capacity = ENTRIES_MAX};
    for (size_t k = 0; k < json_array_size(list) && k < ENTRIES_MAX - 1; k++) {
        const json_t *json = json_array_get(list, k);
        fsim_hpa_entry *entry = &past.entries[past.count++];
        read_age(v, json, "age_s", &entry->at_ns);
        entry->replicas = verdict_read_int(v, json, key);
    }
    return past;
}

/* ---- one metric ---- */

static void judge_proposal(verdict *v, const json_t *expect, const fsim_hpa_proposal *p) {
    if (verdict_bool_or(v, expect, "error", false)) {
        if (p->error == NULL) {
            verdict_fail(v, "an error", "%lld replicas", (long long)p->replicas);
        }
        return;
    }
    if (p->error != NULL) {
        verdict_fail(v, "a proposal", "the error \"%s\"", p->error);
        return;
    }
    verdict_number(v, "replicas", (double)verdict_read_int(v, expect, "replicas"), (double)p->replicas, 0);
    if (verdict_has(expect, "utilization_pct")) {
        verdict_number(v, "utilization", verdict_read_real(v, expect, "utilization_pct"),
                       (double)p->utilization, 0);
    }
    if (verdict_has(expect, "average")) {
        verdict_number(v, "average", verdict_read_real(v, expect, "average"), (double)p->average, 0);
    }
}

static void run_replicas(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *input = verdict_read_object(&v, vector, "input");
    fsim_hpa_readiness readiness = read_readiness(&v, params);
    fsim_hpa_tolerance tolerance = read_tolerance(&v, params);
    fsim_hpa_metric metric;
    if (read_metric(&v, input, &metric) && !v.failed) {
        int64_t current = verdict_read_int(&v, input, "current");
        fsim_hpa_tally tally = count_pods(&v, input, &metric, &readiness);
        fsim_hpa_proposal p = fsim_hpa_propose(&metric, &tally, &tolerance, current, current);
        judge_proposal(&v, verdict_read_object(&v, vector, "expect"), &p);
    }
    verdict_end(&v);
}

/* The documentation's formula: one value against its target, all pods ready. */
static void run_ratio(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *input = verdict_read_object(&v, vector, "input");
    double allowed = verdict_read_real(&v, verdict_read_object(&v, vector, "params"), "tolerance");
    int64_t current = verdict_read_int(&v, input, "current");
    fsim_hpa_metric metric = {.kind = FSIM_HPA_VALUE,
                              .target = verdict_read_int(&v, input, "target"),
                              .value = verdict_read_int(&v, input, "value")};
    fsim_hpa_tally tally = {.pods = current, .running_ready = current};
    if (!v.failed && metric.target > 0) {
        fsim_hpa_proposal p =
            fsim_hpa_propose(&metric, &tally, &(fsim_hpa_tolerance){allowed, allowed}, current, current);
        judge_proposal(&v, verdict_read_object(&v, vector, "expect"), &p);
    }
    verdict_end(&v);
}

/* The names of a group, sorted as they come: "a b". */
static void list_names(const json_t *names, char *out, size_t size) {
    out[0] = '\0';
    for (size_t k = 0; k < json_array_size(names); k++) {
        size_t length = strlen(out);
        const char *name = json_string_value(json_array_get(names, k));
        snprintf(out + length, size - length, "%s%s", k == 0 ? "" : " ", name == NULL ? "?" : name);
    }
}

static bool name_is_in(const json_t *names, const char *name) {
    for (size_t k = 0; k < json_array_size(names); k++) {
        const char *one = json_string_value(json_array_get(names, k));
        if (one != NULL && strcmp(one, name) == 0) {
            return true;
        }
    }
    return false;
}

static void run_pod_groups(conformance *c, const json_t *vector) {
    static const char *const groups[] = {"ready", "unready", "missing", "ignored"};
    verdict v = verdict_begin(c, vector);
    const json_t *input = verdict_read_object(&v, vector, "input");
    const json_t *expect = verdict_read_object(&v, vector, "expect");
    const json_t *pods = verdict_read_array(&v, input, "pods");
    fsim_hpa_readiness readiness = read_readiness(&v, verdict_read_object(&v, vector, "params"));
    bool cpu = strcmp(verdict_read_text(&v, input, "metric"), "cpu") == 0;
    size_t count[4] = {0};
    for (size_t k = 0; k < json_array_size(pods) && !v.failed; k++) {
        const json_t *json = json_array_get(pods, k);
        fsim_hpa_pod pod = read_pod(&v, json);
        fsim_hpa_group group = fsim_hpa_group_of(&pod, cpu, &readiness, NOW);
        const char *name = verdict_read_text(&v, json, "name");
        count[group]++;
        if (group != FSIM_HPA_READY && !name_is_in(json_object_get(expect, groups[group]), name)) {
            char names[128];
            list_names(json_object_get(expect, groups[group]), names, sizeof names);
            verdict_fail(&v, names, "%s among the %s", name, groups[group]);
        }
    }
    verdict_number(&v, "ready", verdict_read_real(&v, expect, "ready_count"), (double)count[0], 0);
    for (int g = 1; g < 4; g++) {
        const json_t *names = verdict_read_array(&v, expect, groups[g]);
        verdict_number(&v, groups[g], (double)json_array_size(names), (double)count[g], 0);
    }
    verdict_end(&v);
}

/* ---- rules ---- */

static void run_legacy_limits(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *input = verdict_read_object(&v, vector, "input");
    int64_t got =
        fsim_hpa_limit_plain(verdict_read_int(&v, input, "current"), verdict_read_int(&v, input, "desired"),
                             verdict_read_int(&v, params, "min"), verdict_read_int(&v, params, "max"));
    verdict_number(&v, "replicas",
                   verdict_read_real(&v, verdict_read_object(&v, vector, "expect"), "replicas"), (double)got,
                   0);
    verdict_end(&v);
}

static void run_legacy_stabilize(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    fsim_hpa_entry entries[ENTRIES_MAX];
    const json_t *input = verdict_read_object(&v, vector, "input");
    fsim_hpa_past past = read_past(&v, json_object_get(input, "recommendations"), "replicas", entries);
    fsim_ns window_ns = verdict_read_seconds(&v, verdict_read_object(&v, vector, "params"), "window_s");
    int64_t got = fsim_hpa_stabilize_plain(&past, window_ns, verdict_read_int(&v, input, "desired"), NOW);
    verdict_number(&v, "replicas",
                   verdict_read_real(&v, verdict_read_object(&v, vector, "expect"), "replicas"), (double)got,
                   0);
    verdict_end(&v);
}

static void run_stabilize(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    fsim_hpa_entry entries[ENTRIES_MAX];
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *input = verdict_read_object(&v, vector, "input");
    fsim_hpa_past past = read_past(&v, json_object_get(input, "recommendations"), "replicas", entries);
    fsim_hpa_rules up = fsim_hpa_rules_up(), down = fsim_hpa_rules_down(0);
    up.stabilization_ns = verdict_read_seconds(&v, params, "scale_up_window_s");
    down.stabilization_ns = verdict_read_seconds(&v, params, "scale_down_window_s");
    int64_t got = fsim_hpa_stabilize(&past, &up, &down, verdict_read_int(&v, input, "current"),
                                     verdict_read_int(&v, input, "desired"), NOW);
    verdict_number(&v, "replicas",
                   verdict_read_real(&v, verdict_read_object(&v, vector, "expect"), "replicas"), (double)got,
                   0);
    verdict_end(&v);
}

static void run_rate_limit(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    fsim_hpa_entry up_entries[ENTRIES_MAX], down_entries[ENTRIES_MAX];
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *input = verdict_read_object(&v, vector, "input");
    fsim_hpa_rules up = read_rules(&v, json_object_get(params, "scale_up"), fsim_hpa_rules_up());
    fsim_hpa_rules down =
        read_rules(&v, json_object_get(params, "scale_down"), fsim_hpa_rules_down(300 * FSIM_SECOND));
    fsim_hpa_past ups = read_past(&v, json_object_get(input, "scale_up_events"), "change", up_entries);
    fsim_hpa_past downs = read_past(&v, json_object_get(input, "scale_down_events"), "change", down_entries);
    int64_t got = fsim_hpa_limit(&ups, &downs, &up, &down, verdict_read_int(&v, input, "current"),
                                 verdict_read_int(&v, input, "desired"), verdict_read_int(&v, params, "min"),
                                 verdict_read_int(&v, params, "max"), NOW);
    verdict_number(&v, "replicas",
                   verdict_read_real(&v, verdict_read_object(&v, vector, "expect"), "replicas"), (double)got,
                   0);
    verdict_end(&v);
}

/* The rate limit alone, once each period: what one period has changed is forgotten in the next. */
static void run_rate_series(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    fsim_hpa_entry up_entries[ENTRIES_MAX], down_entries[ENTRIES_MAX];
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *input = verdict_read_object(&v, vector, "input");
    const json_t *expect = verdict_read_array(&v, verdict_read_object(&v, vector, "expect"), "replicas");
    fsim_hpa_rules up = read_rules(&v, json_object_get(params, "scale_up"), fsim_hpa_rules_up());
    fsim_hpa_rules down = read_rules(&v, json_object_get(params, "scale_down"), fsim_hpa_rules_down(0));
    fsim_hpa_past ups = {up_entries, 0, ENTRIES_MAX}, downs = {down_entries, 0, ENTRIES_MAX};
    int64_t current = verdict_read_int(&v, input, "current"),
            desired = verdict_read_int(&v, input, "desired");
    int64_t periods = verdict_int_or(&v, input, "periods", (int64_t)json_array_size(expect));
    bool falls = desired < current;
    const fsim_hpa_rules *rules = falls ? &down : &up;
    fsim_ns step_ns = rules->count > 0 ? rules->policy[0].period_ns : FSIM_SECOND, now_ns = NOW;
    for (int64_t k = 0; k < periods && !v.failed; k++, now_ns += step_ns) {
        int64_t next =
            fsim_hpa_limit(&ups, &downs, &up, &down, current, desired, 1, FSIM_HPA_REPLICAS_MAX, now_ns);
        fsim_hpa_store_event(falls ? &downs : &ups, rules, falls ? current - next : next - current, now_ns);
        current = next;
        verdict_at(&v, "period", (size_t)k);
        verdict_number(&v, "replicas", json_number_value(json_array_get(expect, (size_t)k)), (double)current,
                       0);
    }
    verdict_end(&v);
}

static void run_scale_events(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    fsim_hpa_entry entries[ENTRIES_MAX];
    const json_t *input = verdict_read_object(&v, vector, "input");
    const json_t *expect = verdict_read_object(&v, vector, "expect");
    const json_t *live = verdict_read_array(&v, expect, "live_changes_after");
    const json_t *params = verdict_read_object(&v, vector, "params");
    fsim_hpa_rules rules = read_rules(&v, verdict_read_object(&v, params, "rules"), fsim_hpa_rules_up());
    fsim_hpa_past past = read_past(&v, json_object_get(input, "events"), "change", entries);
    verdict_number(&v, "change", verdict_read_real(&v, expect, "change_in_query_period_before"),
                   (double)fsim_hpa_changed(&past, verdict_read_seconds(&v, input, "query_period_s"), NOW),
                   0);
    fsim_hpa_store_event(&past, &rules, verdict_read_int(&v, input, "new_change"), NOW);
    size_t count = 0;
    for (uint32_t i = 0; i < past.count && !v.failed; i++) {
        if (!fsim_hpa_event_lapsed(&rules, &past.entries[i], NOW)) {
            verdict_at(&v, "live change", count);
            verdict_number(&v, "of", json_number_value(json_array_get(live, count++)),
                           (double)past.entries[i].replicas, 0);
        }
    }
    verdict_number(&v, "count", (double)json_array_size(live), (double)count, 0);
    verdict_end(&v);
}

/* ---- a whole sync ---- */

static fsim_hpa_settings read_settings(verdict *v, const json_t *params) {
    fsim_ns down_ns = verdict_read_seconds(v, params, "downscale_stabilization_s");
    const json_t *behavior = json_object_get(params, "behavior");
    return (fsim_hpa_settings){
        .min = verdict_read_int(v, params, "min"),
        .max = verdict_read_int(v, params, "max"),
        .downscale_stabilization_ns = down_ns,
        .has_behavior = json_is_object(behavior),
        .up = read_rules(v, json_object_get(behavior, "scale_up"), fsim_hpa_rules_up()),
        .down = read_rules(v, json_object_get(behavior, "scale_down"), fsim_hpa_rules_down(down_ns))};
}

static size_t propose_all(verdict *v, const json_t *params, const json_t *input, int64_t spec,
                          fsim_hpa_proposal *proposals) {
    const json_t *metrics = verdict_read_array(v, input, "metrics");
    size_t count = json_array_size(metrics);
    fsim_hpa_readiness readiness = read_readiness(v, params);
    fsim_hpa_tolerance tolerance = read_tolerance(v, params);
    size_t pods = json_array_size(json_object_get(input, "pods"));
    int64_t status = verdict_int_or(v, input, "status_replicas", pods > 0 ? (int64_t)pods : spec);
    for (size_t k = 0; k < count && k < METRICS_MAX; k++) {
        fsim_hpa_metric metric;
        proposals[k] = (fsim_hpa_proposal){.error = "the metric cannot be read"};
        if (read_metric(v, json_array_get(metrics, k), &metric) && !v->failed) {
            fsim_hpa_tally tally = count_pods(v, input, &metric, &readiness);
            proposals[k] = fsim_hpa_propose(&metric, &tally, &tolerance, spec, status);
        }
    }
    return count < METRICS_MAX ? count : METRICS_MAX;
}

static void run_sync(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    fsim_hpa_entry entries[3][ENTRIES_MAX];
    fsim_hpa_proposal proposals[METRICS_MAX];
    const json_t *params = verdict_read_object(&v, vector, "params");
    const json_t *input = verdict_read_object(&v, vector, "input");
    const json_t *past = json_object_get(input, "recommendations");
    fsim_hpa_settings settings = read_settings(&v, params);
    int64_t spec = verdict_read_int(&v, input, "spec_replicas");
    fsim_hpa hpa = {.seen = json_is_array(past),
                    .recommendations = read_past(&v, past, "replicas", entries[0]),
                    .ups = read_past(&v, json_object_get(input, "scale_up_events"), "change", entries[1]),
                    .downs =
                        read_past(&v, json_object_get(input, "scale_down_events"), "change", entries[2])};
    size_t count = propose_all(&v, params, input, spec, proposals);
    fsim_hpa_decision d = fsim_hpa_sync(&hpa, &settings, proposals, count, spec, NOW);
    verdict_number(&v, "replicas",
                   verdict_read_real(&v, verdict_read_object(&v, vector, "expect"), "replicas"),
                   (double)d.replicas, 0);
    verdict_end(&v);
}

const conformance_kind hpa_kinds[] = {{"hpa_replicas", run_replicas},
                                      {"hpa_pod_groups", run_pod_groups},
                                      {"hpa_legacy_limits", run_legacy_limits},
                                      {"hpa_legacy_stabilize", run_legacy_stabilize},
                                      {"hpa_stabilize", run_stabilize},
                                      {"hpa_rate_limit", run_rate_limit},
                                      {"hpa_scale_events", run_scale_events},
                                      {"hpa_sync", run_sync},
                                      {"hpa_ratio", run_ratio},
                                      {"hpa_rate_series", run_rate_series},
                                      {NULL, NULL}};
