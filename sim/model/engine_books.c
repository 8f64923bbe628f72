/* Meters that only some price books need (fsim_meter_plan): CPU thresholds beside the first, usage by the
 * hour, idleness at the minimum of instances, unused provisioned instances, nodes packed with instances. A
 * run whose plan asks for none of them has no `books` and pays nothing. None is touched per request: they
 * follow the counts of instances and marks in time, and read what the ordinary meters know. */
#include "model/engine.h"

#include <stdlib.h>
#include <string.h>

#define NODE_SHARE_BITS 32 /* a whole node */

/* Of one function. */
typedef struct fn_books {
    fsim_usage_hour billed; /* up to the last hour's end */
    fsim_usage_hour now;    /* up to the hour's end that is being read */
    uint64_t peak;          /* requests at once, in windows that have passed */
    bool at_minimum;
    fsim_wide idle_before; /* integral of idle instances when the function came to its minimum */
    uint64_t alive;        /* instances in the packing */
    uint64_t node_share[FSIM_NODE_SIZES_MAX]; /* of one instance */
} fn_books;

struct engine_books {
    fsim_cpu_more more;
    fn_books *functions;
    uint32_t function_count;
    uint32_t hour, hour_capacity;
    fsim_ns hour_mark_ns, unused_mark_ns, unused_from_ns;
    struct {
        uint64_t shares; /* of all instances */
        uint64_t nodes;
        fsim_ns at_ns;
        fsim_usage_nodes sum;
    } pack[FSIM_NODE_SIZES_MAX];
};

/* ---- nodes ---- */

/* What one instance takes of a node: 1 / (how many fit), or whole nodes where not one fits. */
static uint64_t node_share(const fsim_node_size *size, const fsim_usage *shape) {
    uint64_t by_memory = size->memory_mib / shape->memory_mb;
    uint64_t by_cpu = shape->vcpu_milli == 0 ? by_memory : size->vcpu_milli / shape->vcpu_milli;
    uint64_t fit = by_memory < by_cpu ? by_memory : by_cpu;
    if (fit > 0) {
        return (UINT64_C(1) << NODE_SHARE_BITS) / fit;
    }
    uint64_t memory = (shape->memory_mb + size->memory_mib - 1) / size->memory_mib;
    uint64_t cpu = (shape->vcpu_milli + size->vcpu_milli - 1) / size->vcpu_milli;
    return (memory > cpu ? memory : cpu) << NODE_SHARE_BITS;
}

static void pack_until(engine_books *b, uint32_t k, fsim_ns at_ns) {
    b->pack[k].sum.node_ns += (fsim_u128)b->pack[k].nodes * (uint64_t)(at_ns - b->pack[k].at_ns);
    b->pack[k].at_ns = at_ns;
}

static void pack(engine *e, const function *f, fn_books *fb) {
    engine_books *b = e->books;
    uint64_t was = fb->alive;
    fb->alive = f->alive;
    for (uint32_t k = 0; k < e->plan.node_count; k++) {
        pack_until(b, k, e->now_ns);
        b->pack[k].shares += (fb->alive - was) * fb->node_share[k]; /* wraps back where alive falls */
        uint64_t whole = (UINT64_C(1) << NODE_SHARE_BITS) - 1;
        b->pack[k].nodes = (b->pack[k].shares + whole) >> NODE_SHARE_BITS;
        if (b->pack[k].nodes > b->pack[k].sum.peak) {
            b->pack[k].sum.peak = b->pack[k].nodes;
        }
    }
}

/* ---- idle at the minimum ---- */

static fsim_wide idle_integral(const function *f, fsim_ns at_ns) {
    const level *busy = f->keeps_busy ? &f->busy : &f->in_execution.level;
    return level_integral(&f->present, at_ns) - level_integral(&f->starting, at_ns) -
           level_integral(busy, at_ns);
}

static void take_minimum(engine *e, function *f, fn_books *fb) {
    if (fb->at_minimum) {
        f->usage.idle_at_minimum_ns += (fsim_u128)(idle_integral(f, e->now_ns) - fb->idle_before);
    }
    fb->idle_before = idle_integral(f, e->now_ns);
}

static void follow_minimum(engine *e, function *f, fn_books *fb) {
    bool uses_little = f->freeze || f->background_ucore < e->plan.idle_below_ucore;
    take_minimum(e, f, fb);
    fb->at_minimum =
        uses_little && f->removable_min > 0 && f->alive == f->removable_min && f->starting.n == 0;
}

void engine_books_changed(engine *e, function *f) {
    fn_books *fb = &e->books->functions[f - e->functions];
    if (e->plan.node_count != 0) {
        pack(e, f, fb);
    }
    if (e->plan.idle_below_ucore != 0) {
        follow_minimum(e, f, fb);
    }
}

/* ---- unused provisioned instances ---- */

/* A window ends: the peak of the requests in execution is put by, and begins anew. */
static void end_window(engine *e, fsim_ns end_ns) {
    engine_books *b = e->books;
    for (uint32_t fn = 0; fn < e->function_count; fn++) {
        function *f = &e->functions[fn];
        level *inside = &f->in_execution.level;
        uint64_t there = f->provisioned.n;
        if (there > inside->peak) {
            f->usage.provisioned_unused_ns +=
                (fsim_u128)(there - inside->peak) * (uint64_t)(end_ns - b->unused_from_ns);
        }
        b->functions[fn].peak = inside->peak > b->functions[fn].peak ? inside->peak : b->functions[fn].peak;
        inside->peak = inside->n;
    }
    b->unused_from_ns = end_ns;
    b->unused_mark_ns = fsim_ns_add(end_ns, e->plan.unused_window_ns) - 1;
}

static void restore_peaks(engine *e) {
    for (uint32_t fn = 0; fn < e->function_count; fn++) {
        level *inside = &e->functions[fn].in_execution.level;
        uint64_t peak = e->books->functions[fn].peak;
        inside->peak = peak > inside->peak ? peak : inside->peak;
    }
}

/* ---- hours ---- */

/* What an instance's CPU meter would have billed by end_ns; the meter itself stays where it is, for an
 * instance may yet turn out to have been released before. start_ns FSIM_NEVER: whatever interval is open;
 * else a request that runs since then and is metered when it completes. */
static void read_meter(engine *e, uint32_t i, fsim_ns start_ns, uint32_t rate_ucore, fsim_ns end_ns) {
    const function *f = &e->functions[e->instances[i].fn];
    fsim_usage_hour *row = &e->books->functions[e->instances[i].fn].now;
    fsim_cpu_meter meter = e->instances[i].meter;
    fsim_cpu_rule rule = f->cpu_rule;
    fsim_cpu_carry carry = {0};
    const fsim_cpu_more more = {e->plan.more, e->plan.more_count, &carry};
    fsim_usage scratch = {.vcpu_milli = f->usage.vcpu_milli};
    if (rule.more != NULL) {
        carry = rule.more->slots[meter.slot];
        rule.more = &more;
        meter.slot = 0;
    }
    if (start_ns != FSIM_NEVER) {
        fsim_cpu_meter_begin(&meter, &rule, &scratch, start_ns, rate_ucore);
    }
    fsim_cpu_meter_so_far(&meter, &rule, &scratch, end_ns, &row->mem_ms, row->cpu_ms);
    row->cpu_ms[0] += scratch.threshold_cpu_ms;
    for (uint32_t k = 0; k < e->plan.more_count; k++) {
        row->cpu_ms[k + 1] += scratch.threshold_more_ms[k];
    }
}

static void read_open(engine *e, fsim_ns end_ns) {
    for (uint32_t i = 0; i < e->instance_capacity; i++) {
        const instance *in = &e->instances[i];
        bool busy = in->executing != 0 || e->links[i].inside != 0; /* the short way keeps the latter only */
        if (in->state == INSTANCE_READY && !(e->functions[in->fn].solo_meter && busy)) {
            read_meter(e, i, FSIM_NEVER, 0, end_ns);
        }
    }
    for (uint32_t r = 0; r < e->request_capacity; r++) {
        const request *q = &e->requests[r];
        fsim_ns start_ns = (q->flags & REQUEST_SHORT) != 0 ? q->arrival_ns : q->start_ns;
        if ((q->flags & REQUEST_LIVE) != 0 && start_ns != FSIM_NEVER && e->functions[q->fn].solo_meter) {
            read_meter(e, q->instance, start_ns, q->rate_ucore, end_ns);
        }
    }
}

static fsim_usage_hour ended(const function *f) {
    fsim_usage_hour row = {.requests = f->usage.requests, .mem_ms = f->usage.threshold_mem_ms};
    row.cpu_ms[0] = f->usage.threshold_cpu_ms;
    memcpy(row.cpu_ms + 1, f->usage.threshold_more_ms, sizeof f->usage.threshold_more_ms);
    return row;
}

/* now - before, and before = now; what has been billed is never taken back. */
static uint64_t advance(uint64_t *before, uint64_t now) {
    uint64_t more = now > *before ? now - *before : 0;
    *before += more;
    return more;
}

static fsim_usage_hour difference(fn_books *fb) {
    fsim_usage_hour row = {.requests = advance(&fb->billed.requests, fb->now.requests),
                           .mem_ms = advance(&fb->billed.mem_ms, fb->now.mem_ms)};
    for (uint32_t k = 0; k <= FSIM_THRESHOLDS_MORE; k++) {
        row.cpu_ms[k] = advance(&fb->billed.cpu_ms[k], fb->now.cpu_ms[k]);
    }
    return row;
}

static void append(engine *e, fsim_usage_hour row) {
    engine_books *b = e->books;
    fsim_result *result = e->result;
    if (result->hour_count == b->hour_capacity) {
        b->hour_capacity = b->hour_capacity == 0 ? 256u : 2u * b->hour_capacity;
        result->hours = engine_grow(e, result->hours, b->hour_capacity, sizeof *result->hours);
    }
    result->hours[result->hour_count++] = row;
}

/* One row per function that was used. The CPU of a window that ends after the last use belongs to the next
 * row with use, or to the last one. */
static void end_hour(engine *e, bool last) {
    engine_books *b = e->books;
    for (uint32_t fn = 0; fn < e->function_count; fn++) {
        fn_books *fb = &b->functions[fn];
        if (fb->now.requests > fb->billed.requests || fb->now.mem_ms > fb->billed.mem_ms) {
            fsim_usage_hour row = difference(fb);
            row.fn = fn;
            row.hour = b->hour;
            append(e, row);
            continue;
        }
        for (uint32_t k = e->result->hour_count; last && k > 0; k--) {
            fsim_usage_hour *row = &e->result->hours[k - 1u];
            if (row->fn == fn) {
                fsim_usage_hour rest = difference(fb);
                for (uint32_t t = 0; t <= FSIM_THRESHOLDS_MORE; t++) {
                    row->cpu_ms[t] += rest.cpu_ms[t];
                }
                break;
            }
        }
    }
    b->hour++;
    b->hour_mark_ns = fsim_ns_add(b->hour_mark_ns, e->plan.settle_ns);
}

static void read_functions(engine *e) {
    for (uint32_t fn = 0; fn < e->function_count; fn++) {
        engine_fold(e, fn);
        e->books->functions[fn].now = ended(&e->functions[fn]);
    }
}

/* ---- all of them ---- */

void engine_books_set_up(engine *e) {
    const fsim_meter_plan *plan = &e->plan;
    bool any = plan->more_count != 0 || plan->settle_ns != 0 || plan->idle_below_ucore != 0 ||
               plan->unused_window_ns != 0 || plan->node_count != 0;
    if (!e->metering || !any) {
        return;
    }
    e->books = engine_grow(e, NULL, 1, sizeof *e->books);
    *e->books = (engine_books){.more = {.threshold = e->plan.more, .count = plan->more_count},
                               .hour_mark_ns = plan->settle_ns != 0 ? plan->settle_ns - 1 : FSIM_NEVER,
                               .unused_mark_ns =
                                   plan->unused_window_ns != 0 ? plan->unused_window_ns - 1 : FSIM_NEVER};
    e->plan.metered |= plan->idle_below_ucore != 0 ? (uint32_t)FSIM_METERED_MINIMUM : 0;
    e->plan.metered |= plan->unused_window_ns != 0 ? (uint32_t)FSIM_METERED_UNUSED : 0;
}

void engine_books_add_functions(engine *e) {
    engine_books *b = e->books;
    b->functions = engine_grow(e, b->functions, e->function_capacity, sizeof *b->functions);
    for (; b->function_count < e->function_count; b->function_count++) {
        function *f = &e->functions[b->function_count];
        fn_books *fb = &b->functions[b->function_count];
        *fb = (fn_books){0};
        for (uint32_t k = 0; k < e->plan.node_count; k++) {
            fb->node_share[k] = node_share(&e->plan.node[k], &f->usage);
        }
        f->cpu_rule.more = b->more.count != 0 ? &b->more : NULL;
    }
}

void engine_books_grow_instances(engine *e, uint32_t capacity) {
    if (e->books->more.count != 0) {
        e->books->more.slots = engine_grow(e, e->books->more.slots, capacity, sizeof *e->books->more.slots);
    }
}

void engine_books_open(engine *e, uint32_t i) {
    if (e->books->more.count != 0) {
        e->instances[i].meter.slot = i;
        e->books->more.slots[i] = (fsim_cpu_carry){0};
    }
}

fsim_ns engine_books_mark_ns(const engine *e) {
    const engine_books *b = e->books;
    return b->hour_mark_ns < b->unused_mark_ns ? b->hour_mark_ns : b->unused_mark_ns;
}

void engine_books_mark(engine *e, fsim_ns at_ns) {
    if (at_ns == e->books->hour_mark_ns) {
        read_functions(e);
        read_open(e, at_ns + 1);
        end_hour(e, false);
    }
    if (at_ns == e->books->unused_mark_ns) {
        end_window(e, at_ns + 1);
    }
}

/* The end of the warm-up, after the usages have been cleared. */
void engine_books_forget(engine *e, fsim_ns now_ns) {
    engine_books *b = e->books;
    e->result->hour_count = 0;
    b->unused_from_ns = now_ns;
    for (uint32_t fn = 0; fn < e->function_count; fn++) {
        fn_books *fb = &b->functions[fn];
        fb->billed = (fsim_usage_hour){0};
        fb->peak = 0;
        fb->idle_before = idle_integral(&e->functions[fn], now_ns);
    }
    for (uint32_t i = 0; i < e->instance_capacity && b->more.count != 0; i++) {
        b->more.slots[i] = (fsim_cpu_carry){0};
    }
    for (uint32_t k = 0; k < e->plan.node_count; k++) {
        pack_until(b, k, now_ns);
        b->pack[k].sum = (fsim_usage_nodes){.peak = b->pack[k].nodes};
    }
}

/* After everything that was open has been metered up to end_ns, which is e->now_ns. */
void engine_books_finish(engine *e, fsim_ns end_ns) {
    engine_books *b = e->books;
    if (e->plan.settle_ns != 0) {
        read_functions(e);
        end_hour(e, true);
    }
    if (e->plan.unused_window_ns != 0) {
        end_window(e, end_ns);
        restore_peaks(e);
    }
    for (uint32_t fn = 0; fn < e->function_count && e->plan.idle_below_ucore != 0; fn++) {
        take_minimum(e, &e->functions[fn], &b->functions[fn]);
    }
    for (uint32_t k = 0; k < e->plan.node_count; k++) {
        pack_until(b, k, end_ns);
        e->result->nodes[k] = b->pack[k].sum;
    }
}

void engine_books_destroy(engine *e) {
    if (e->books != NULL) {
        free(e->books->functions);
        free(e->books->more.slots);
        free(e->books);
    }
}
