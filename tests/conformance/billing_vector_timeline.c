/* Timelines of vectors/billing.json: one instance, its requests and CPU, under every way of billing. Metered
 * by fsim_timeline_meter, priced by the vector's book. A figure is found by its name; one that stands in an
 * object
 * ("freeze", "full", …) is that figure under another reading of the rule. */
#include "billing_vector.h"

#include "billing/meter.h"
#include "billing/timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOWS_MAX 100000

typedef struct subject {
    verdict *v;
    const fsim_price_book *book;
    const json_t *inputs;
    fsim_timeline_instance instance; /* requests and window_cpu_ns belong to it */
    fsim_timeline_request last;      /* of the vector's list; metering sorts the instance's */
    uint64_t cpu_ms_sum;             /* of cpu_ms_each */
    fsim_meter_plan plan;
    bool wall_clock, merge;
} subject;

/* ---- reading ---- */

static fsim_timeline_request *read_requests(verdict *v, const json_t *list, uint32_t *count) {
    fsim_timeline_request *requests = calloc(json_array_size(list) + 1, sizeof *requests);
    size_t i;
    json_t *row;
    json_array_foreach((json_t *)(uintptr_t)list, i, row) {
        requests[i] = (fsim_timeline_request){vector_need_ns(v, json_array_get(row, 0), FSIM_US),
                                              vector_need_ns(v, json_array_get(row, 1), FSIM_US)};
    }
    *count = (uint32_t)json_array_size(list);
    return requests;
}

/* A list of µs per window, or {"nonzero": [[window, µs], …]}. */
static void read_windows(subject *s, const json_t *given) {
    const json_t *some = json_object_get(given, "nonzero");
    uint64_t *cpu_ns = given == NULL ? NULL : calloc(WINDOWS_MAX, sizeof *cpu_ns);
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)(uintptr_t)(some != NULL ? some : given), i, item) {
        int64_t k = some != NULL ? json_integer_value(json_array_get(item, 0)) : (int64_t)i;
        if (k < 0 || k >= WINDOWS_MAX) {
            verdict_fail(s->v, "few windows", "more");
            break;
        }
        cpu_ns[k] = (uint64_t)vector_need_ns(s->v, some != NULL ? json_array_get(item, 1) : item, FSIM_US);
        s->instance.window_cpu_count = (uint32_t)k + 1;
    }
    s->instance.window_cpu_ns = cpu_ns;
}

static void read_policy(subject *s, const json_t *policy) {
    const char *cmp = json_string_value(json_object_get(policy, "cmp"));
    const char *norm = json_string_value(json_object_get(policy, "norm"));
    const char *anchor = json_string_value(json_object_get(policy, "anchor"));
    s->plan = fsim_meter_plan_default();
    s->plan.metered = FSIM_TIMELINE_METERED;
    s->plan.threshold.ppm = (uint32_t)verdict_int_or(s->v, policy, "theta_ppm", 50000);
    s->plan.window_ns = verdict_int_or(s->v, policy, "sample_us", 1000000) * FSIM_US;
    s->plan.threshold.above = cmp != NULL && strcmp(cmp, "gt") == 0;
    s->plan.threshold.full_window = norm != NULL && strcmp(norm, "full") == 0;
    s->wall_clock = anchor != NULL && strcmp(anchor, "instance_ready") != 0;
    s->merge = verdict_bool_or(s->v, policy, "merge_touching", false);
    s->instance.freeze = verdict_bool_or(s->v, policy, "freeze", true);
}

static uint64_t memory_mib(verdict *v, const json_t *inputs, const json_t *instance) {
    fsim_ratio gb;
    if (verdict_has(inputs, "memory_gb")) {
        gb = vector_need_ratio(v, inputs, "memory_gb");
        return (uint64_t)(gb.num * 1024 / gb.den);
    }
    return (uint64_t)(verdict_has(inputs, "memory_mb") ? verdict_read_int(v, inputs, "memory_mb")
                                                       : verdict_int_or(v, instance, "mem_mib", 1024));
}

static void subject_open(subject *s, verdict *v, const fsim_price_book *book, const json_t *inputs) {
    const json_t *instance = json_object_get(inputs, "instance");
    size_t i;
    json_t *cpu;
    *s = (subject){.v = v, .book = book, .inputs = inputs};
    read_policy(s, json_object_get(inputs, "policy"));
    int64_t create_us = verdict_int_or(v, instance, "create_us", 0);
    int64_t ready_us =
        verdict_int_or(v, instance, "ready_us", verdict_int_or(v, inputs, "init_us", create_us));
    s->instance.memory_mb = memory_mib(v, inputs, instance);
    s->instance.vcpu_milli = (uint64_t)verdict_int_or(v, instance, "vcpu_m", 1000);
    s->instance.disk_mb = (uint64_t)verdict_int_or(v, instance, "disk_mib", 0);
    s->instance.init_ns = (ready_us - create_us) * FSIM_US;
    s->instance.ready_ns = ready_us * FSIM_US;
    s->instance.end_ns =
        verdict_has(instance, "end_us") ? verdict_read_int(v, instance, "end_us") * FSIM_US : FSIM_NEVER;
    s->instance.requests =
        read_requests(v, verdict_read_array(v, inputs, "requests_us"), &s->instance.request_count);
    if (s->instance.request_count > 0) {
        s->last = s->instance.requests[s->instance.request_count - 1u];
    }
    read_windows(s, json_object_get(inputs, "cpu_us_per_window"));
    json_array_foreach(json_object_get(inputs, "cpu_ms_each"), i, cpu) {
        s->cpu_ms_sum += (uint64_t)json_integer_value(cpu);
    }
}

static void subject_close(subject *s) {
    free(s->instance.requests);
    free((void *)(uintptr_t)s->instance.window_cpu_ns);
}

/* ---- metering ---- */

typedef struct active_list {
    json_t *windows;
} active_list;

static void note_window(void *user, uint64_t index, uint64_t resident_ns, uint64_t cpu, bool active) {
    (void)cpu;
    if (active && resident_ns > 0) {
        json_array_append_new(((active_list *)user)->windows, json_integer((json_int_t)index));
    }
}

static fsim_usage meter(subject *s, active_list *list) {
    fsim_timeline_options options = {.merge_touching = s->merge, .wall_clock_grid = s->wall_clock};
    fsim_usage usage = {0};
    fsim_error err = {0};
    if (list != NULL) {
        options.on_window = note_window;
        options.user = list;
    }
    if (fsim_timeline_meter(&s->instance, &s->plan, &options, &usage, &err) != FSIM_OK) {
        verdict_fail(s->v, "a timeline", "%s", err.text);
    }
    return usage;
}

/* Money for so many ms of CPU and of memory, and the requests. */
static fsim_ratio cost(const subject *s, uint64_t cpu_ms, uint64_t mem_ms) {
    const fsim_timeline_instance *in = &s->instance;
    const fsim_invoice_options list = {.free_off = true};
    fsim_quantities q = {0};
    fsim_ratio total = {0, 1};
    int64_t gb_ms = (int64_t)s->book->gb_mib * 1000;
    uint64_t disk_free = s->book->disk_free_mib != 0 ? s->book->disk_free_mib : 512;
    uint64_t disk_mb = in->disk_mb > disk_free ? in->disk_mb - disk_free : 0;
    const struct {
        fsim_quantity name;
        fsim_i128 num;
        int64_t den;
    } used[] = {{FSIM_Q_REQUESTS, in->request_count, 1},
                {FSIM_Q_VCPU_S, (fsim_i128)cpu_ms * in->vcpu_milli, 1000000},
                {FSIM_Q_ACTIVE_VCPU_S, (fsim_i128)cpu_ms * in->vcpu_milli, 1000000},
                {FSIM_Q_CPU_H, (fsim_i128)s->cpu_ms_sum, 3600000},
                {FSIM_Q_CPU_MS, (fsim_i128)s->cpu_ms_sum, 1},
                {FSIM_Q_GB_S, (fsim_i128)mem_ms * in->memory_mb, gb_ms},
                {FSIM_Q_MEM_GB_S, (fsim_i128)mem_ms * in->memory_mb, gb_ms},
                {FSIM_Q_GB_H, (fsim_i128)mem_ms * in->memory_mb, 3600 * gb_ms},
                {FSIM_Q_GIB_S, (fsim_i128)mem_ms * in->memory_mb, 1024000},
                {FSIM_Q_DISK_GB_S, (fsim_i128)mem_ms * disk_mb, gb_ms}};
    for (size_t i = 0; i < sizeof used / sizeof *used; i++) {
        q.has[used[i].name] = fsim_ratio_make(used[i].num, used[i].den, &q.value[used[i].name]);
    }
    if (!fsim_invoice_exact(&total, s->book, &q, &list)) {
        verdict_fail(s->v, "a price", "numbers too large");
    }
    return total;
}

static void check_us(subject *s, const char *what, const json_t *expected, fsim_u128 us) {
    vector_exact(s->v, what, expected, (fsim_ratio){(fsim_i128)us, 1});
}

/* ---- phases 1 and 2 ---- */

static fsim_timeline_request *by_intervals(const subject *s, uint32_t *count) {
    fsim_timeline_request *list = calloc(s->instance.request_count + 1u, sizeof *list);
    *count = 0;
    for (uint32_t i = 0; i < s->instance.request_count; i++) { /* sorted by start: the meter has done it */
        fsim_timeline_request r = s->instance.requests[i];
        fsim_timeline_request *last = *count == 0 ? NULL : &list[*count - 1u];
        if (last != NULL && (r.start_ns < last->end_ns || (s->merge && r.start_ns == last->end_ns))) {
            last->end_ns = r.end_ns > last->end_ns ? r.end_ns : last->end_ns;
        } else {
            list[(*count)++] = r;
        }
    }
    return list;
}

static void check_intervals(subject *s, const char *what, const json_t *expected) {
    fsim_usage usage = meter(s, NULL);
    uint32_t count;
    if (json_is_integer(expected)) {
        check_us(s, what, expected, usage.active_intervals);
        return;
    }
    fsim_timeline_request *list = by_intervals(s, &count);
    if (count != json_array_size(expected) || count != usage.active_intervals) {
        verdict_fail(s->v, what, "%u intervals", count);
    }
    for (uint32_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(expected, i);
        check_us(s, what, json_array_get(row, 0), (fsim_u128)(list[i].start_ns / FSIM_US));
        check_us(s, what, json_array_get(row, 1), (fsim_u128)(list[i].end_ns / FSIM_US));
    }
    free(list);
}

/* "p1_100ms", "p2_1ms": {"billed_us", "intervals", "cost"}. */
static bool check_phase(subject *s, const char *name, const json_t *expected) {
    int phase;
    long long step_ms;
    const char *what;
    json_t *value;
    if (sscanf(name, "p%d_%lldms", &phase, &step_ms) != 2 || phase < 1 || phase > 2 || step_ms < 1 ||
        !json_is_object(expected)) {
        return false;
    }
    fsim_meter_rules *rules = phase == 1 ? &s->plan.request : &s->plan.active;
    uint32_t rule = fsim_meter_rules_add(rules, (uint64_t)step_ms, (uint64_t)step_ms);
    fsim_usage usage = meter(s, NULL);
    uint64_t ms = phase == 1 ? usage.request_ms[rule] : usage.active_ms[rule];
    json_object_foreach((json_t *)(uintptr_t)expected, what, value) {
        if (strcmp(what, "billed_us") == 0) {
            check_us(s, what, value, ms * 1000);
        } else if (strcmp(what, "cost") == 0) {
            vector_exact(s->v, name, value, cost(s, ms, ms));
        } else if (strcmp(what, "intervals") == 0) {
            check_intervals(s, what, value);
        } else {
            verdict_fail(s->v, "a known figure", "%s.%s", name, what);
        }
    }
    return true;
}

/* ---- by the book ---- */

static uint64_t span_ms(const subject *s, fsim_ns span_ns) {
    const fsim_metering *m = &s->book->metering;
    fsim_meter_rule rule =
        fsim_meter_rule_make(m->granularity_us < 1000 ? 1 : m->granularity_us / 1000, m->min_us / 1000);
    return fsim_meter_billed_ms(&rule, (uint64_t)span_ns);
}

/* Billed ms of each span that the book's mode bills: requests, or intervals; initialisation with the first.
 */
static uint64_t *spans_by_book(subject *s, uint32_t *count) {
    bool requests = s->book->metering.mode == FSIM_MODE_REQUEST;
    (void)meter(s, NULL); /* checks and sorts */
    fsim_timeline_request *list = by_intervals(s, count);
    *count = requests ? s->instance.request_count : *count;
    uint64_t *ms = calloc(*count + 1u, sizeof *ms);
    for (uint32_t i = 0; i < *count; i++) {
        const fsim_timeline_request *r = requests ? &s->instance.requests[i] : &list[i];
        bool with_init =
            i == 0 && s->book->metering.init != FSIM_INIT_UNBILLED && r->start_ns == s->instance.ready_ns;
        ms[i] = span_ms(s, r->end_ns - r->start_ns + (with_init ? s->instance.init_ns : 0));
    }
    free(list);
    return ms;
}

static void check_list(subject *s, const char *what, const json_t *expected, uint64_t unit) {
    uint32_t count;
    uint64_t *ms = spans_by_book(s, &count), sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += ms[i];
        if (json_is_array(expected)) {
            check_us(s, what, json_array_get(expected, i), ms[i] * unit);
        }
    }
    if (json_is_array(expected) && json_array_size(expected) != count) {
        verdict_fail(s->v, what, "%u spans", count);
    } else if (!json_is_array(expected)) {
        check_us(s, what, expected, sum * unit);
    }
    free(ms);
}

static uint64_t sum_by_book(subject *s) {
    uint32_t count;
    uint64_t *ms = spans_by_book(s, &count), sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += ms[i];
    }
    free(ms);
    return sum;
}

/* GB-s of the book, and what its duration meter takes for them. */
static void check_gb_s(subject *s, const char *what, const json_t *expected, bool money) {
    const fsim_invoice_options list = {.free_off = true};
    fsim_quantities q = {0};
    fsim_ratio gb_s = {0, 1};
    uint64_t mb = fsim_price_book_memory(s->book, s->instance.memory_mb);
    fsim_ratio_make((fsim_i128)sum_by_book(s) * mb, (fsim_i128)s->book->gb_mib * 1000, &gb_s);
    q.has[FSIM_Q_GB_S] = true;
    q.value[FSIM_Q_GB_S] = gb_s;
    if (money && !fsim_invoice_exact(&gb_s, s->book, &q, &list)) {
        verdict_fail(s->v, what, "numbers too large");
    }
    vector_exact(s->v, what, expected, gb_s);
}

/* ---- all figures ---- */

static void check_figures(subject *s, const json_t *expected);

static void check_thresholds(subject *s, const json_t *expected) {
    const char *ppm;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)expected, ppm, value) {
        s->plan.threshold.ppm = (uint32_t)strtoul(ppm, NULL, 10);
        check_us(s, ppm, value, meter(s, NULL).threshold_cpu_ms * 1000);
    }
}

/* All requests but the last on one instance, the last on another. */
static void check_split(subject *s, const char *what, const json_t *expected) {
    subject one = *s, other = *s;
    fsim_timeline_request *rest = calloc(s->instance.request_count + 1u, sizeof *rest);
    uint32_t count = 0;
    bool taken = false;
    for (uint32_t i = 0; i < s->instance.request_count; i++) {
        const fsim_timeline_request *r = &s->instance.requests[i];
        if (!taken && r->start_ns == s->last.start_ns && r->end_ns == s->last.end_ns) {
            taken = true;
        } else {
            rest[count++] = *r;
        }
    }
    one.instance.requests = rest;
    one.instance.request_count = count;
    other.instance.requests = &s->last;
    other.instance.request_count = s->instance.request_count - count;
    check_us(s, what, expected, (meter(&one, NULL).active_ms[0] + meter(&other, NULL).active_ms[0]) * 1000);
    free(rest);
}

static void check_windows(subject *s, const json_t *expected) {
    active_list list = {json_array()};
    (void)meter(s, &list);
    if (!json_equal(expected, list.windows)) {
        char *have = json_dumps(list.windows, JSON_COMPACT);
        verdict_fail(s->v, "other active windows", "%s", have);
        free(have);
    }
    json_decref(list.windows);
}

/* Another reading of a rule, for the figures in an object of its name. */
static bool set_reading(subject *s, const char *name) {
    if (strcmp(name, "freeze") == 0 || strcmp(name, "no_freeze") == 0 || strcmp(name, "nofreeze") == 0) {
        s->instance.freeze = strcmp(name, "freeze") == 0;
    } else if (strcmp(name, "full") == 0 || strcmp(name, "resident") == 0) {
        s->plan.threshold.full_window = strcmp(name, "full") == 0;
    } else if (strcmp(name, "gt") == 0 || strcmp(name, "ge") == 0) {
        s->plan.threshold.above = strcmp(name, "gt") == 0;
    } else if (strncmp(name, "wall", 4) == 0 || strcmp(name, "instance_ready") == 0) {
        s->wall_clock = name[0] == 'w';
    } else if (strncmp(name, "merge", 5) == 0 || strcmp(name, "two_intervals") == 0 ||
               strcmp(name, "separate") == 0) {
        s->merge = name[0] == 'm';
    } else {
        return false;
    }
    return true;
}

static bool check_cost(subject *s, const char *what, const json_t *expected) {
    fsim_usage u = meter(s, NULL);
    fsim_ratio got;
    if (strcmp(what, "p1_cost") == 0) {
        got = cost(s, u.request_ms[0], u.request_ms[0]);
    } else if (strcmp(what, "p2_cost") == 0 || strcmp(what, "p2_freeze_cost") == 0) {
        got = cost(s, u.active_ms[0], u.active_ms[0]);
    } else if (strcmp(what, "always_active_cost") == 0) {
        got = cost(s, u.residency_ms[0], u.residency_ms[0]);
    } else if (strcmp(what, "cost") == 0 && s->book->metering.mode != FSIM_MODE_GIVEN) {
        got = cost(s, sum_by_book(s), sum_by_book(s));
    } else if (strcmp(what, "p3_nofreeze_cost") == 0 || strcmp(what, "p3_freeze_cost") == 0) {
        s->instance.freeze = strcmp(what, "p3_freeze_cost") == 0;
        u = meter(s, NULL);
        got = cost(s, u.threshold_cpu_ms, u.threshold_mem_ms);
    } else if (strcmp(what, "p3_cost") == 0 || strcmp(what, "cost") == 0) {
        got = cost(s, u.threshold_cpu_ms, u.threshold_mem_ms);
    } else if (strcmp(what, "saving") == 0) {
        fsim_ratio_div(cost(s, u.threshold_cpu_ms, u.threshold_mem_ms),
                       cost(s, u.active_ms[0], u.active_ms[0]), &got);
        fsim_ratio_sub((fsim_ratio){1, 1}, got, &got);
    } else {
        return false;
    }
    vector_exact(s->v, what, expected, got);
    return true;
}

static bool check_time(subject *s, const char *what, const json_t *expected) {
    fsim_usage u = meter(s, NULL);
    bool toy = s->book->metering.mode == FSIM_MODE_GIVEN;
    if (strcmp(what, "residency_us") == 0) {
        check_us(s, what, expected, u.residency_ns / FSIM_US);
    } else if (strcmp(what, "cpu_billed_us") == 0 || strcmp(what, "cpu_us") == 0) {
        check_us(s, what, expected, u.threshold_cpu_ms * 1000);
    } else if (strcmp(what, "mem_billed_us") == 0 || strcmp(what, "mem_us") == 0) {
        check_us(s, what, expected, u.threshold_mem_ms * 1000);
    } else if (strcmp(what, "memory_us") == 0) {
        check_us(s, what, expected, u.active_ms[0] * 1000);
    } else if (strcmp(what, "active_cpu_ms") == 0) {
        check_us(s, what, expected, s->cpu_ms_sum);
    } else if (strcmp(what, "one_instance_us") == 0) {
        check_us(s, what, expected, u.active_ms[0] * 1000);
    } else if (strcmp(what, "phase1_us") == 0) {
        check_us(s, what, expected, u.request_ms[0] * 1000);
    } else if (strcmp(what, "billed_us") == 0 && toy) {
        check_us(s, what, expected, u.active_ms[0] * 1000);
    } else if (strcmp(what, "billed_us") == 0 || strcmp(what, "billed_ms") == 0) {
        check_list(s, what, expected, what[7] == 'u' ? 1000 : 1);
    } else {
        return false;
    }
    return true;
}

static bool check_others(subject *s, const char *what, const json_t *expected) {
    if (strcmp(what, "cpu_billed_us_by_theta_ppm") == 0) {
        check_thresholds(s, expected);
    } else if (strcmp(what, "two_instances_us") == 0) {
        check_split(s, what, expected);
    } else if (strcmp(what, "active_windows") == 0) {
        check_windows(s, expected);
    } else if (strcmp(what, "periods") == 0 || strcmp(what, "intervals") == 0) {
        check_intervals(s, what, expected);
    } else if (strcmp(what, "gb_s") == 0 || strcmp(what, "execution_time") == 0 ||
               strcmp(what, "duration_fee") == 0) {
        check_gb_s(s, what, expected, strcmp(what, "gb_s") != 0);
    } else {
        return false;
    }
    return true;
}

static void check_figures(subject *s, const json_t *expected) {
    const char *what;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)expected, what, value) {
        subject one = *s; /* a figure may read the rule in its own way */
        if (json_is_object(value) && set_reading(&one, what)) {
            check_figures(&one, value);
        } else if (!check_phase(&one, what, value) && !check_cost(&one, what, value) &&
                   !check_time(&one, what, value) && !check_others(&one, what, value)) {
            verdict_fail(s->v, "a known figure", "%s", what);
        }
    }
}

void billing_timeline_vector(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *inputs = verdict_read_object(&v, vector, "inputs");
    const json_t *expected = verdict_read_object(&v, vector, "expected");
    vector_book b = vector_book_open(&v, vector);
    if (!v.failed) {
        subject s;
        subject_open(&s, &v, b.book, inputs);
        if (!v.failed) {
            check_figures(&s, expected);
        }
        subject_close(&s);
    }
    vector_book_close(&b);
    verdict_end(&v);
}
