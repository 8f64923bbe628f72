/* Driving the meters along a timeline; see timeline.h. */
#include "billing/timeline.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- CPU windows
 * --------------------------------------------------------------------------------------------------- */

/* The CPU meter of one instance on its way along the timeline. */
typedef struct walk {
    const fsim_timeline_instance *instance;
    const fsim_timeline_options *options;
    fsim_cpu_rule rule;
    fsim_cpu_meter meter;
    fsim_usage *usage;
    uint64_t window;        /* index of the current one */
    uint32_t span;          /* the first CPU span that ends after now */
    bool step;              /* visit every window: somebody watches, or its CPU is given */
    uint32_t hour;          /* the row that is filled */
    fsim_usage_hour before; /* sums up to it */
} walk;

static uint32_t full_rate(const fsim_timeline_instance *instance) {
    return (uint32_t)(instance->vcpu_milli * (FSIM_UCORE / 1000));
}

static void enter_window(walk *w) {
    const fsim_timeline_instance *instance = w->instance;
    if (instance->window_cpu_ns != NULL && w->window < instance->window_cpu_count) {
        fsim_cpu_meter_deposit(&w->meter, instance->window_cpu_ns[w->window] * FSIM_UCORE);
    }
}

static void report_window(walk *w, fsim_ns at_ns) {
    if (w->options->on_window != NULL) {
        fsim_cpu_meter now = w->meter; /* a copy, moved to the end of the window */
        if (now.begun_at_ns != FSIM_NEVER) {
            now.cpu += (uint64_t)(at_ns - now.seen_at_ns) * now.rate_ucore;
            now.resident_ns += (uint64_t)(at_ns - now.part_at_ns);
        }
        w->options->on_window(w->options->user, w->window, now.resident_ns, now.cpu,
                              fsim_cpu_rule_active(&w->rule, now.cpu, now.resident_ns));
    }
}

/* Window by window up to the one that holds at_ns; `inclusive`: an instant at a window's end belongs to the
 * next one. */
static void step_to(walk *w, fsim_ns at_ns, bool inclusive) {
    while (w->step && (w->meter.window_end_ns < at_ns || (inclusive && w->meter.window_end_ns == at_ns))) {
        report_window(w, w->meter.window_end_ns);
        fsim_cpu_meter_next_window(&w->meter, &w->rule, w->usage, w->meter.window_end_ns);
        w->window++;
        enter_window(w);
    }
}

/* ---- hours ---- */

static void add_hour(walk *w, uint64_t mem_ms, const uint64_t *cpu_ms) {
    fsim_usage_hour *row = &w->options->hours[w->hour];
    row->mem_ms += mem_ms - w->before.mem_ms;
    w->before.mem_ms = mem_ms;
    for (uint32_t k = 0; k <= FSIM_THRESHOLDS_MORE; k++) {
        row->cpu_ms[k] += cpu_ms[k] - w->before.cpu_ms[k];
        w->before.cpu_ms[k] = cpu_ms[k];
    }
}

static void sums_of(const walk *w, uint64_t *mem_ms, uint64_t *cpu_ms) {
    *mem_ms = w->usage->threshold_mem_ms;
    cpu_ms[0] = w->usage->threshold_cpu_ms;
    memcpy(cpu_ms + 1, w->usage->threshold_more_ms, sizeof w->usage->threshold_more_ms);
}

/* Closes the hours that end at or before at_ns. */
static void pass_hours(walk *w, fsim_ns at_ns) {
    while (w->options->hours != NULL && w->hour + 1 < w->options->hour_count &&
           (fsim_ns)(w->hour + 1) * w->options->settle_ns <= at_ns) {
        uint64_t mem_ms, cpu_ms[FSIM_THRESHOLDS_MORE + 1];
        fsim_ns end_ns = (fsim_ns)(w->hour + 1) * w->options->settle_ns;
        if (end_ns > w->instance->ready_ns) {
            step_to(w, end_ns, true);
            uint64_t open_mem_ms = 0, open_cpu_ms[FSIM_THRESHOLDS_MORE + 1] = {0};
            fsim_cpu_meter_so_far(&w->meter, &w->rule, w->usage, end_ns, &open_mem_ms, open_cpu_ms);
            sums_of(w, &mem_ms, cpu_ms);
            mem_ms += open_mem_ms;
            for (uint32_t k = 0; k <= FSIM_THRESHOLDS_MORE; k++) {
                cpu_ms[k] += open_cpu_ms[k];
            }
            add_hour(w, mem_ms, cpu_ms);
        }
        w->hour++;
    }
}

static void finish_hours(walk *w) {
    uint64_t mem_ms, cpu_ms[FSIM_THRESHOLDS_MORE + 1];
    if (w->options->hours == NULL) {
        return;
    }
    sums_of(w, &mem_ms, cpu_ms);
    add_hour(w, mem_ms, cpu_ms);
    for (uint32_t i = 0; i < w->instance->request_count; i++) {
        uint64_t hour = (uint64_t)(w->instance->requests[i].end_ns / w->options->settle_ns);
        uint32_t last = w->options->hour_count - 1;
        w->options->hours[hour < last ? hour : last].requests++;
    }
}

/* Rate at at_ns by spans, and when it changes next. Instants do not decrease from call to call. */
static uint32_t rate_at(walk *w, fsim_ns at_ns, fsim_ns *until_ns) {
    const fsim_timeline_instance *instance = w->instance;
    *until_ns = FSIM_NEVER;
    while (w->span < instance->cpu_count && instance->cpu[w->span].to_ns <= at_ns) {
        w->span++;
    }
    if (w->span == instance->cpu_count) {
        return 0;
    }
    const fsim_timeline_cpu *span = &instance->cpu[w->span];
    bool inside = span->from_ns <= at_ns;
    *until_ns = inside ? span->to_ns : span->from_ns;
    return inside ? span->rate_ucore : 0;
}

/* One interval of M. `rate_ucore` is used where the CPU is not given by spans. */
static void walk_interval(walk *w, fsim_ns from_ns, fsim_ns to_ns, uint32_t rate_ucore) {
    bool spans = w->instance->cpu_count > 0;
    fsim_ns change_ns = FSIM_NEVER;
    uint32_t rate = spans ? rate_at(w, from_ns, &change_ns) : rate_ucore;
    pass_hours(w, from_ns);
    step_to(w, from_ns, true);
    fsim_cpu_meter_begin(&w->meter, &w->rule, w->usage, from_ns, rate);
    while (change_ns < to_ns) {
        fsim_ns at_ns = change_ns;
        pass_hours(w, at_ns);
        step_to(w, at_ns, true);
        rate = rate_at(w, at_ns, &change_ns);
        fsim_cpu_meter_set_rate(&w->meter, &w->rule, w->usage, at_ns, rate);
    }
    pass_hours(w, to_ns);
    step_to(w, to_ns, false);
    fsim_cpu_meter_end(&w->meter, &w->rule, w->usage, to_ns);
}

/* ---- active intervals
 * ---------------------------------------------------------------------------------------------- */

static int by_start(const void *left, const void *right) {
    const fsim_timeline_request *a = left, *b = right;
    if (a->start_ns != b->start_ns) {
        return a->start_ns < b->start_ns ? -1 : 1;
    }
    return (a->end_ns > b->end_ns) - (a->end_ns < b->end_ns);
}

/* The maximal interval that begins with request *next; moves *next behind it. */
static fsim_timeline_request next_interval(const fsim_timeline_instance *instance, bool merge_touching,
                                           uint32_t *next) {
    fsim_timeline_request interval = instance->requests[(*next)++];
    for (; *next < instance->request_count; (*next)++) {
        const fsim_timeline_request *request = &instance->requests[*next];
        if (request->start_ns > interval.end_ns ||
            (request->start_ns == interval.end_ns && !merge_touching)) {
            break;
        }
        if (request->end_ns > interval.end_ns) {
            interval.end_ns = request->end_ns;
        }
    }
    return interval;
}

static fsim_status check_instance(const fsim_timeline_instance *instance, fsim_error *err) {
    for (uint32_t i = 0; i < instance->request_count; i++) {
        const fsim_timeline_request *r = &instance->requests[i];
        if (r->start_ns < instance->ready_ns || r->end_ns < r->start_ns || r->end_ns > instance->end_ns) {
            return fsim_fail(err, FSIM_EDATA,
                             "request [%" PRId64 ", %" PRId64
                             ") ns: expected start <= end, within the instance's [%" PRId64 ", %" PRId64 ")",
                             r->start_ns, r->end_ns, instance->ready_ns, instance->end_ns);
        }
    }
    for (uint32_t i = 0; i < instance->cpu_count; i++) {
        const fsim_timeline_cpu *c = &instance->cpu[i];
        if (c->to_ns <= c->from_ns || (i > 0 && c->from_ns < instance->cpu[i - 1].to_ns)) {
            return fsim_fail(err, FSIM_EDATA,
                             "CPU span [%" PRId64 ", %" PRId64 ") ns: expected rising spans without overlap",
                             c->from_ns, c->to_ns);
        }
    }
    return FSIM_OK;
}

static fsim_ns last_end(const fsim_timeline_instance *instance) {
    fsim_ns end_ns = instance->ready_ns;
    for (uint32_t i = 0; i < instance->request_count; i++) {
        end_ns = instance->requests[i].end_ns > end_ns ? instance->requests[i].end_ns : end_ns;
    }
    return end_ns;
}

/* Requests, active intervals and the instance; in freeze mode the CPU meter follows the intervals. */
static void meter_intervals(walk *w, const fsim_meter_plan *plan, fsim_ns end_ns) {
    const fsim_timeline_instance *instance = w->instance;
    fsim_usage *usage = w->usage;
    uint64_t busy_ns = 0;
    uint32_t rate_ucore = instance->window_cpu_ns == NULL ? full_rate(instance) : 0;
    for (uint32_t i = 0; i < instance->request_count; i++) {
        const fsim_timeline_request *r = &instance->requests[i];
        uint64_t init_ns = i == 0 && r->start_ns == instance->ready_ns ? (uint64_t)instance->init_ns : 0;
        fsim_meter_request(plan, usage, (uint64_t)(r->end_ns - r->start_ns), init_ns, instance->provisioned);
    }
    for (uint32_t next = 0; next < instance->request_count;) {
        bool first = next == 0;
        fsim_timeline_request interval = next_interval(instance, w->options->merge_touching, &next);
        uint64_t span_ns = (uint64_t)(interval.end_ns - interval.start_ns);
        bool with_init = first && interval.start_ns == instance->ready_ns;
        fsim_meter_active(plan, usage, span_ns, with_init ? (uint64_t)instance->init_ns : 0);
        busy_ns += span_ns;
        if (instance->freeze) {
            walk_interval(w, interval.start_ns, interval.end_ns, rate_ucore);
        }
    }
    uint64_t resident_ns = (uint64_t)(end_ns - instance->ready_ns);
    usage->instances_started = 1;
    if (instance->request_count > 0) {
        fsim_meter_init(usage, (uint64_t)instance->init_ns);
    }
    fsim_meter_instance(plan, usage, (uint64_t)instance->init_ns, resident_ns, resident_ns - busy_ns);
    if (instance->provisioned) {
        fsim_meter_provisioned(plan, usage, resident_ns, resident_ns - busy_ns);
        usage->idle_at_minimum_ns = resident_ns - busy_ns;
    }
    for (uint32_t i = 0; i < instance->cpu_count; i++) {
        const fsim_timeline_cpu *c = &instance->cpu[i];
        if (c->rate_ucore > full_rate(instance)) {
            usage->burst_ucore_ns +=
                (fsim_u128)(uint64_t)(c->to_ns - c->from_ns) * (c->rate_ucore - full_rate(instance));
        }
    }
}

/* No freeze, CPU not given: what an engine would report, full CPU while a request is inside. *count spans,
 * owned by the caller. */
static fsim_timeline_cpu *busy_spans(const fsim_timeline_instance *instance, uint32_t *count) {
    fsim_timeline_cpu *spans = malloc(sizeof *spans * (instance->request_count + 1u));
    *count = 0;
    for (uint32_t next = 0; spans != NULL && next < instance->request_count;) {
        fsim_timeline_request interval = next_interval(instance, true, &next);
        if (interval.end_ns > interval.start_ns) {
            spans[(*count)++] = (fsim_timeline_cpu){interval.start_ns, interval.end_ns, full_rate(instance)};
        }
    }
    return spans;
}

fsim_status fsim_timeline_meter(fsim_timeline_instance *instance, const fsim_meter_plan *plan,
                                const fsim_timeline_options *options, fsim_usage *usage, fsim_error *err) {
    static const fsim_timeline_options none;
    options = options == NULL ? &none : options;
    FSIM_TRY(check_instance(instance, err));
    if (instance->request_count > 1) {
        qsort(instance->requests, instance->request_count, sizeof instance->requests[0], by_start);
    }
    *usage = (fsim_usage){
        .memory_mb = instance->memory_mb, .vcpu_milli = instance->vcpu_milli, .disk_mb = instance->disk_mb};
    fsim_timeline_instance resident = *instance; /* without freezing: its CPU by spans */
    fsim_timeline_cpu *spans = NULL;
    if (!instance->freeze && instance->cpu_count == 0 && instance->window_cpu_ns == NULL) {
        spans = busy_spans(instance, &resident.cpu_count);
        if (spans == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        resident.cpu = spans;
    }
    fsim_cpu_carry carry = {0};
    const fsim_cpu_more more = {plan->more, plan->more_count, &carry};
    walk w = {.instance = &resident,
              .options = options,
              .rule = fsim_cpu_rule_make(plan, instance->vcpu_milli),
              .usage = usage,
              .step = options->on_window != NULL || instance->window_cpu_ns != NULL};
    w.rule.more = plan->more_count != 0 ? &more : NULL;
    fsim_ns end_ns = instance->end_ns == FSIM_NEVER ? last_end(instance) : instance->end_ns;
    fsim_cpu_meter_open(&w.meter, &w.rule, instance->ready_ns,
                        options->wall_clock_grid ? 0 : instance->ready_ns);
    enter_window(&w);
    meter_intervals(&w, plan, end_ns);
    if (!instance->freeze) {
        walk_interval(&w, instance->ready_ns, end_ns, 0);
    }
    step_to(&w, end_ns, false);
    report_window(&w, end_ns);
    fsim_cpu_meter_close(&w.meter, &w.rule, usage);
    finish_hours(&w);
    if (instance->has_cpu_total) {
        usage->cpu_ucore_ns = (fsim_u128)instance->cpu_total_ns * FSIM_UCORE;
    }
    free(spans);
    return FSIM_OK;
}
