/* From counters to quantities; see quantity.h. */
#include "billing/quantity.h"

#include "base/text.h"
#include "billing/price_book.h"

#include <inttypes.h>
#include <string.h>

const char *const fsim_quantity_names[FSIM_QUANTITY_COUNT + 1] = {"requests",
                                                                  "gb_s",
                                                                  "mem_gb_s",
                                                                  "gib_s",
                                                                  "gb_h",
                                                                  "gib_h",
                                                                  "s_128mb",
                                                                  "vcpu_s",
                                                                  "active_vcpu_s",
                                                                  "vcpu_h",
                                                                  "cpu_ms",
                                                                  "cpu_h",
                                                                  "idle_vcpu_s",
                                                                  "idle_gb_s",
                                                                  "idle_gib_s",
                                                                  "disk_gb_s",
                                                                  "disk_gb_h",
                                                                  "eph_gb_s",
                                                                  "pc_gb_s",
                                                                  "pc_exec_gb_s",
                                                                  "net_gb",
                                                                  "baseline_gb_s",
                                                                  "ghz_s",
                                                                  "idle_ghz_s",
                                                                  "stream_gb",
                                                                  "snap_cache_gb_s",
                                                                  "snap_restore_gb",
                                                                  "snap_write_gb",
                                                                  "snap_read_gb",
                                                                  "snap_gb_month",
                                                                  "tenant_env_gb",
                                                                  "cluster_hours",
                                                                  "node_hours",
                                                                  "node_hours_c7i",
                                                                  "ec2_hours_od",
                                                                  "ec2_hours_sp",
                                                                  "lmi_hours",
                                                                  NULL};

/* Most quantities are (how long) x (how much of what) / (a unit). */
typedef enum span {
    SPAN_NONE,     /* not a product, or not of a run */
    SPAN_BILLED,   /* the time that the book's mode bills */
    SPAN_CPU,      /* the part of it in which CPU is billed */
    SPAN_USED,     /* CPU time really used, core-ms: stands for span and resource together */
    SPAN_RESIDENT, /* the baseline beside billed time */
    SPAN_IDLE,     /* not busy but paid for */
    SPAN_PC,       /* provisioned capacity allocated */
    SPAN_PC_EXEC,  /* requests on it */
    SPAN_COUNT
} span;
typedef enum resource { RES_ONE, RES_MEMORY, RES_CPU, RES_CLOCK, RES_DISK, RES_DISK_512 } resource;

typedef struct shape {
    span of;
    resource what;
    uint32_t unit;    /* MiB or milli-vCPU in one; 0: the book's GB */
    uint32_t seconds; /* in the time unit; 0: milliseconds */
} shape;

static const shape shapes[FSIM_QUANTITY_COUNT] = {
    [FSIM_Q_GB_S] = {SPAN_BILLED, RES_MEMORY, 0, 1},
    [FSIM_Q_MEM_GB_S] = {SPAN_BILLED, RES_MEMORY, 0, 1},
    [FSIM_Q_GIB_S] = {SPAN_BILLED, RES_MEMORY, 1024, 1},
    [FSIM_Q_GB_H] = {SPAN_BILLED, RES_MEMORY, 0, 3600},
    [FSIM_Q_GIB_H] = {SPAN_BILLED, RES_MEMORY, 1024, 3600},
    [FSIM_Q_S_128MB] = {SPAN_BILLED, RES_MEMORY, 128, 1},
    [FSIM_Q_VCPU_S] = {SPAN_CPU, RES_CPU, 1000, 1},
    [FSIM_Q_ACTIVE_VCPU_S] = {SPAN_CPU, RES_CPU, 1000, 1},
    [FSIM_Q_VCPU_H] = {SPAN_CPU, RES_CPU, 1000, 3600},
    [FSIM_Q_CPU_MS] = {SPAN_USED, RES_ONE, 1, 0},
    [FSIM_Q_CPU_H] = {SPAN_USED, RES_ONE, 1, 3600},
    [FSIM_Q_IDLE_VCPU_S] = {SPAN_IDLE, RES_CPU, 1000, 1},
    [FSIM_Q_IDLE_GB_S] = {SPAN_IDLE, RES_MEMORY, 0, 1},
    [FSIM_Q_IDLE_GIB_S] = {SPAN_IDLE, RES_MEMORY, 1024, 1},
    [FSIM_Q_DISK_GB_S] = {SPAN_BILLED, RES_DISK, 0, 1},
    [FSIM_Q_DISK_GB_H] = {SPAN_BILLED, RES_DISK, 0, 3600},
    [FSIM_Q_EPH_GB_S] = {SPAN_BILLED, RES_DISK_512, 0, 1},
    [FSIM_Q_BASELINE_GB_S] = {SPAN_RESIDENT, RES_MEMORY, 0, 1},
    [FSIM_Q_GHZ_S] = {SPAN_BILLED, RES_CLOCK, 1000, 1},
    [FSIM_Q_IDLE_GHZ_S] = {SPAN_IDLE, RES_CLOCK, 1000, 1},
    [FSIM_Q_PC_GB_S] = {SPAN_PC, RES_MEMORY, 0, 1},
    [FSIM_Q_PC_EXEC_GB_S] = {SPAN_PC_EXEC, RES_MEMORY, 0, 1},
};

/* What one quantity of one run is computed from. */
typedef struct context {
    const fsim_price_book *book;
    const fsim_metered_run *run;
    uint32_t rule;           /* of the book's mode in its rule set */
    uint32_t threshold;      /* fsim_price_book_threshold */
    bool prices_provisioned; /* requests on provisioned capacity have a price of their own */
    const char *missing;     /* set when the run lacks something */
} context;

static bool uses_cpu_time(fsim_metering_mode mode) {
    return mode == FSIM_MODE_CPU_TIME || mode == FSIM_MODE_CPU_TIME_ACTIVE_INTERVAL ||
           mode == FSIM_MODE_CPU_TIME_RESIDENCY;
}

static bool metered(context *c, uint32_t what, const char *name) {
    if ((c->run->plan->metered & what) == 0) {
        c->missing = name;
        return false;
    }
    return true;
}

static fsim_i128 request_ms(const context *c, const fsim_usage *u) {
    uint64_t ms = u->request_ms[c->rule];
    if (c->prices_provisioned) {
        ms -= u->provisioned_ms[c->rule];
    }
    if (c->book->metering.init == FSIM_INIT_WITH_FIRST) {
        ms += u->request_init_ms[c->rule];
    }
    return (fsim_i128)ms + (c->book->metering.init == FSIM_INIT_SEPARATE ? (fsim_i128)u->init_ms : 0);
}

static fsim_i128 active_ms(const context *c, const fsim_usage *u) {
    fsim_i128 ms = u->active_ms[c->rule];
    switch (c->book->metering.init) {
    case FSIM_INIT_UNBILLED: break;
    case FSIM_INIT_WITH_FIRST: ms += u->active_init_ms[c->rule]; break;
    case FSIM_INIT_SEPARATE: ms += u->init_ms; break;
    }
    return ms;
}

/* Milliseconds of one function that the mode bills; -1: the book bills no such time, or the run has not got
 * it. */
static fsim_i128 billed_ms(context *c, const fsim_usage *u) {
    switch (c->book->metering.mode) {
    case FSIM_MODE_REQUEST: return request_ms(c, u);
    case FSIM_MODE_ACTIVE_INTERVAL:
    case FSIM_MODE_CPU_TIME_ACTIVE_INTERVAL:
    case FSIM_MODE_RESIDENCY_ACTIVE: return active_ms(c, u);
    case FSIM_MODE_THRESHOLD:
        return metered(c, FSIM_METERED_THRESHOLD, "CPU windows") ? (fsim_i128)u->threshold_mem_ms : -1;
    case FSIM_MODE_RESIDENCY:
    case FSIM_MODE_CPU_TIME_RESIDENCY:
    case FSIM_MODE_RESIDENCY_BURST:
        if (!metered(c, FSIM_METERED_INSTANCES, "the residency of instances")) {
            return -1;
        }
        return (fsim_i128)(c->book->metering.from_creation ? u->lifetime_ms[c->rule]
                                                           : u->residency_ms[c->rule]);
    default: c->missing = "billed time (its mode bills none)"; return -1;
    }
}

static fsim_i128 active_windows_ms(const context *c, const fsim_usage *u) {
    return (fsim_i128)(c->threshold == 0 ? u->threshold_cpu_ms : u->threshold_more_ms[c->threshold - 1]);
}

/* ns of one function, as exact milliseconds. */
static bool exact_ms(fsim_u128 ns, fsim_ratio *out) {
    return fsim_ratio_make((fsim_i128)ns, FSIM_MS, out);
}

/* Provisioned instances beside the requests that ran on them, in the book's steps. */
static bool reserved_idle_ms(context *c, const fsim_usage *u, fsim_ratio *out) {
    uint32_t rule = fsim_price_book_provisioned_rule(c->book, c->run->plan);
    fsim_ratio busy;
    if (rule == FSIM_METER_RULES_MAX) {
        c->missing = "reserved instances in the book's steps";
        return false;
    }
    return exact_ms(u->provisioned_alloc_ns - u->provisioned_idle_ns, &busy) &&
           fsim_ratio_sub((fsim_ratio){(fsim_i128)u->provisioned_alloc_ms[rule], 1}, busy, out);
}

static bool idle_ms(context *c, const fsim_usage *u, fsim_ratio *out) {
    const fsim_metering *m = &c->book->metering;
    if (m->mode == FSIM_MODE_THRESHOLD) {
        *out = (fsim_ratio){(fsim_i128)u->threshold_mem_ms - active_windows_ms(c, u), 1};
        return metered(c, FSIM_METERED_THRESHOLD, "CPU windows");
    }
    if (m->idle_below_ucore != 0) {
        return metered(c, FSIM_METERED_MINIMUM, "idleness at the minimum of instances") &&
               exact_ms(u->idle_at_minimum_ns, out);
    }
    if (!metered(c, FSIM_METERED_PROVISIONED, "provisioned instances")) {
        return false;
    }
    if (m->unused_window_ns != 0 && u->provisioned_alloc_ns != 0) {
        return metered(c, FSIM_METERED_UNUSED, "unused provisioned instances by windows") &&
               exact_ms(u->provisioned_unused_ns, out);
    }
    return m->reserved ? reserved_idle_ms(c, u, out) : exact_ms(u->provisioned_idle_ns, out);
}

/* Time in which the whole configured CPU is billed. */
static bool cpu_ms(context *c, const fsim_usage *u, fsim_ratio *out) {
    if (c->book->metering.mode == FSIM_MODE_THRESHOLD) {
        *out = (fsim_ratio){active_windows_ms(c, u), 1};
        return metered(c, FSIM_METERED_THRESHOLD, "CPU windows");
    }
    fsim_i128 ms = billed_ms(c, u);
    *out = (fsim_ratio){ms, 1};
    if (ms < 0 || c->book->metering.idle_below_ucore == 0) {
        return ms >= 0;
    }
    fsim_ratio idle;
    return idle_ms(c, u, &idle) && fsim_ratio_sub(*out, idle, out);
}

/* Milliseconds of a span, exactly. False: the run has not got it (c->missing says what). */
static bool span_ms(context *c, const fsim_usage *u, span of, fsim_ratio *out) {
    fsim_i128 ms = -1;
    switch (of) {
    case SPAN_BILLED: ms = billed_ms(c, u); break;
    case SPAN_CPU: return cpu_ms(c, u, out);
    case SPAN_USED: /* ucore ns / 1e6 / 1e6 = core ms */
        return metered(c, FSIM_METERED_THRESHOLD, "CPU time") &&
               fsim_ratio_make((fsim_i128)u->cpu_ucore_ns, 1000000 * (fsim_i128)FSIM_MS, out);
    case SPAN_RESIDENT:
        ms = metered(c, FSIM_METERED_INSTANCES, "the residency of instances") ? (fsim_i128)u->residency_ms[0]
                                                                              : -1;
        break;
    case SPAN_IDLE: return idle_ms(c, u, out);
    case SPAN_PC: {
        uint32_t rule = fsim_price_book_provisioned_rule(c->book, c->run->plan);
        if (rule == FSIM_METER_RULES_MAX) {
            c->missing = "provisioned instances in the book's steps";
        } else if (metered(c, FSIM_METERED_PROVISIONED, "provisioned instances")) {
            ms = (fsim_i128)u->provisioned_alloc_ms[rule];
        }
        break;
    }
    case SPAN_PC_EXEC: ms = (fsim_i128)u->provisioned_ms[c->rule]; break;
    case SPAN_NONE:
    case SPAN_COUNT: break;
    }
    *out = (fsim_ratio){ms, 1};
    return ms >= 0;
}

uint64_t fsim_price_book_memory(const fsim_price_book *book, uint64_t mb) {
    const fsim_metering *m = &book->metering;
    if (m->memory_fixed != 0) {
        return m->memory_fixed;
    }
    for (uint32_t i = 0; i < m->memory_size_count; i++) {
        if (m->memory_size[i] >= mb) {
            return m->memory_size[i];
        }
    }
    if (m->memory_step > 1) {
        mb = (mb + m->memory_step - 1) / m->memory_step * m->memory_step;
    }
    mb = mb < m->memory_min ? m->memory_min : mb;
    return m->memory_size_count > 0 || (m->memory_max != 0 && mb > m->memory_max) ? 0 : mb;
}

/* MHz that come with `mb` MiB; 0: the book does not say. */
static uint64_t clock_of(const fsim_metering *m, uint64_t mb) {
    for (uint32_t i = 0; i < m->clock_count; i++) {
        if (m->clock[i].memory_mib >= mb) {
            return m->clock[i].mhz;
        }
    }
    return 0;
}

static bool resource_of(context *c, const fsim_usage *u, resource what, uint64_t *out) {
    switch (what) {
    case RES_ONE: *out = 1; return true;
    case RES_CPU: *out = u->vcpu_milli; return true;
    case RES_DISK:
        *out = u->disk_mb > c->book->disk_free_mib ? u->disk_mb - c->book->disk_free_mib : 0;
        return true;
    case RES_DISK_512: *out = u->disk_mb > 512 ? u->disk_mb - 512 : 0; return true;
    case RES_CLOCK:
        *out = clock_of(&c->book->metering, u->memory_mb);
        c->missing = "functions of memory sizes whose clock rate the book knows only";
        return *out != 0;
    case RES_MEMORY: break;
    }
    *out = fsim_price_book_memory(c->book, u->memory_mb);
    if (*out == 0) {
        c->missing = "functions of the memory sizes it prices only";
    }
    return *out != 0;
}

static fsim_status too_large(fsim_quantity q, fsim_error *err) {
    return fsim_fail(err, FSIM_ELIMIT, "quantity %s does not fit into 128 bits", fsim_quantity_names[q]);
}

/* CPU above the baseline: ucore ns / 1e3 / 1e6 = milli-vCPU ms. */
static fsim_status add_burst(const context *c, fsim_quantity q, fsim_ratio *sum, fsim_error *err) {
    for (uint32_t f = 0; f < c->run->function_count; f++) {
        fsim_ratio burst;
        if (!fsim_ratio_make((fsim_i128)c->run->functions[f].burst_ucore_ns, 1000 * (fsim_i128)FSIM_MS,
                             &burst) ||
            !fsim_ratio_add(*sum, burst, sum)) {
            return too_large(q, err);
        }
    }
    return FSIM_OK;
}

/* Sum over the functions of span x resource, in the shape's unit. *known is false when the run lacks it. */
static fsim_status sum_shape(context *c, fsim_quantity q, fsim_ratio *out, bool *known, fsim_error *err) {
    shape s = shapes[q];
    if (s.of == SPAN_CPU && uses_cpu_time(c->book->metering.mode)) {
        s = (shape){SPAN_USED, RES_ONE, 1, s.seconds}; /* the CPU line is what was used */
    }
    fsim_ratio sum = {0, 1}, ms, product;
    for (uint32_t f = 0; f < c->run->function_count; f++) {
        const fsim_usage *u = &c->run->functions[f];
        uint64_t amount;
        if (!span_ms(c, u, s.of, &ms) || (ms.num != 0 && !resource_of(c, u, s.what, &amount))) {
            *known = false;
            return FSIM_OK;
        }
        if (ms.num != 0 && (!fsim_ratio_mul(ms, (fsim_ratio){(fsim_i128)amount, 1}, &product) ||
                            !fsim_ratio_add(sum, product, &sum))) {
            return too_large(q, err);
        }
    }
    if (s.of == SPAN_CPU && c->book->metering.mode == FSIM_MODE_RESIDENCY_BURST) {
        FSIM_TRY(add_burst(c, q, &sum, err));
    }
    uint64_t unit = s.unit == 0 ? c->book->gb_mib : s.unit;
    uint64_t time = s.seconds == 0 ? 1 : 1000 * (uint64_t)s.seconds;
    *known = true;
    return fsim_ratio_div(sum, (fsim_ratio){(fsim_i128)(unit * time), 1}, out) ? FSIM_OK : too_large(q, err);
}

/* Hours of the book's nodes, or of the cluster as long as the run lasts. */
static bool hours_of_run(context *c, fsim_quantity q, fsim_ratio *out) {
    const fsim_metered_run *run = c->run;
    const fsim_ratio hour = {FSIM_HOUR, 1};
    const fsim_ratio whole_us = {(run->horizon_ns + FSIM_US - 1) / FSIM_US * FSIM_US, 1};
    if (c->book->metering.mode != FSIM_MODE_NODE_HOURS) {
        return false;
    }
    if (q == FSIM_Q_CLUSTER_HOURS) {
        c->missing = "the length of the run";
        return run->horizon_ns > 0 && fsim_ratio_div(whole_us, hour, out);
    }
    uint32_t k = fsim_price_book_node(c->book, run->plan);
    c->missing = "the nodes that its instances need";
    return run->nodes != NULL && k < FSIM_NODE_SIZES_MAX &&
           fsim_ratio_div((fsim_ratio){(fsim_i128)run->nodes[k].node_ns, 1}, hour, out);
}

static fsim_status quantity_of_run(context *c, fsim_quantity q, fsim_ratio *out, bool *known,
                                   fsim_error *err) {
    c->missing = "anything of the kind";
    *known = false;
    switch (q) {
    case FSIM_Q_CLUSTER_HOURS:
    case FSIM_Q_NODE_HOURS:
    case FSIM_Q_EC2_HOURS_OD:
    case FSIM_Q_LMI_HOURS: *known = hours_of_run(c, q, out); return FSIM_OK;
    case FSIM_Q_REQUESTS:
    case FSIM_Q_NET_GB: break;
    default: return shapes[q].of == SPAN_NONE ? FSIM_OK : sum_shape(c, q, out, known, err);
    }
    fsim_i128 sum = 0;
    if (q == FSIM_Q_NET_GB && !metered(c, FSIM_METERED_NETWORK, "bytes sent")) {
        return FSIM_OK;
    }
    for (uint32_t f = 0; f < c->run->function_count; f++) {
        const fsim_usage *u = &c->run->functions[f];
        sum += q == FSIM_Q_REQUESTS ? u->requests : u->net_bytes;
    }
    *known = true;
    return fsim_ratio_make(sum, q == FSIM_Q_REQUESTS ? 1 : INT64_C(1) << 30, out) ? FSIM_OK
                                                                                  : too_large(q, err);
}

static fsim_status check_run(context *c, fsim_error *err) {
    const fsim_metering *m = &c->book->metering;
    const fsim_meter_plan *plan = c->run->plan;
    if (m->unpriced_rule != NULL) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "price book %s cannot price a run: its rule %s cannot be computed from one",
                         c->book->id, m->unpriced_rule);
    }
    c->threshold = m->mode == FSIM_MODE_THRESHOLD ? fsim_price_book_threshold(c->book, plan) : 0;
    if (c->threshold > FSIM_THRESHOLDS_MORE) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "price book %s bills CPU above %" PRIu32
                         " ppm, and the run was not metered at that (or in other windows): run again with "
                         "this book in --billing",
                         c->book->id, m->threshold.ppm);
    }
    c->rule = fsim_price_book_rule(c->book, plan);
    if (c->rule == FSIM_METER_RULES_MAX) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "the run was not metered in the steps of price book %s (%" PRIu64
                         " us, at least %" PRIu64 " us): run it with this book in --billing",
                         c->book->id, m->granularity_us, m->min_us);
    }
    return FSIM_OK;
}

bool fsim_quantity_to_month(const fsim_metered_run *run, fsim_ratio *value) {
    fsim_i128 horizon_us = (run->horizon_ns + FSIM_US - 1) / FSIM_US, pico;
    fsim_ratio scaled;
    if (run->month_ns == 0 || run->horizon_ns <= 0) {
        return true;
    }
    return fsim_ratio_to_pico(*value, FSIM_ROUND_HALF_UP, &pico) && fsim_ratio_make(pico, FSIM_PICO, value) &&
           fsim_ratio_make(run->month_ns / FSIM_US, horizon_us, &scaled) &&
           fsim_ratio_mul(*value, scaled, &scaled) && fsim_ratio_to_pico(scaled, FSIM_ROUND_HALF_UP, &pico) &&
           fsim_ratio_make(pico, FSIM_PICO, value);
}

static void look_for_provisioned(context *c) {
    for (uint32_t i = 0; i < c->book->meter_count; i++) {
        for (uint32_t t = 0; t < c->book->meter[i].term_count; t++) {
            c->prices_provisioned |= c->book->meter[i].term[t].quantity == FSIM_Q_PC_EXEC_GB_S;
        }
    }
}

fsim_status fsim_quantities_of_run(fsim_quantities *out, const fsim_price_book *book,
                                   const fsim_metered_run *run, fsim_error *err) {
    context c = {.book = book, .run = run};
    memset(out, 0, sizeof *out);
    FSIM_TRY(check_run(&c, err));
    look_for_provisioned(&c);
    for (uint32_t i = 0; i < book->meter_count; i++) {
        const fsim_book_meter *meter = &book->meter[i];
        for (uint32_t t = 0; t < meter->term_count; t++) {
            fsim_quantity q = meter->term[t].quantity;
            if (out->has[q]) {
                continue;
            }
            FSIM_TRY(quantity_of_run(&c, q, &out->value[q], &out->has[q], err));
            if (!out->has[q] && !meter->optional && meter->term[t].factor.num != 0) {
                return fsim_fail(
                    err, FSIM_ECONFIG,
                    "price book %s, meter %s: needs %s, and the run has not measured %s (\"optional\": true "
                    "leaves the meter out of such bills)",
                    book->id, meter->id, fsim_quantity_names[q], c.missing);
            }
            if (out->has[q] && !fsim_quantity_to_month(run, &out->value[q])) {
                return too_large(q, err);
            }
        }
    }
    return FSIM_OK;
}

fsim_status fsim_quantities_of_hour(fsim_quantities *out, const fsim_price_book *book,
                                    const fsim_metered_run *run, const fsim_usage_hour *hour,
                                    fsim_error *err) {
    fsim_usage usage = {.memory_mb = run->functions[hour->fn].memory_mb,
                        .vcpu_milli = run->functions[hour->fn].vcpu_milli,
                        .disk_mb = run->functions[hour->fn].disk_mb,
                        .requests = hour->requests,
                        .threshold_mem_ms = hour->mem_ms,
                        .threshold_cpu_ms = hour->cpu_ms[0]};
    for (uint32_t k = 0; k < FSIM_THRESHOLDS_MORE; k++) {
        usage.threshold_more_ms[k] = hour->cpu_ms[k + 1];
    }
    const fsim_metered_run one = {.plan = run->plan, .functions = &usage, .function_count = 1};
    return fsim_quantities_of_run(out, book, &one, err);
}

fsim_status fsim_quantities_read(fsim_quantities *out, const fsim_value *record, fsim_error *err) {
    if (record->kind != FSIM_VALUE_OBJECT) {
        return fsim_value_fail(record, err,
                               "expected an object of quantities, such as {\"requests\": \"3000000\"}");
    }
    for (int q = 0; q < FSIM_QUANTITY_COUNT; q++) {
        out->value[q] = (fsim_ratio){0, 1};
        const fsim_value *value = fsim_value_get(record, fsim_quantity_names[q]);
        out->has[q] = value != NULL;
        if (value == NULL) {
            continue;
        }
        bool ok = value->kind == FSIM_VALUE_STRING && fsim_decimal_parse_ratio(value->string, &out->value[q]);
        if (value->kind == FSIM_VALUE_INTEGER) {
            ok = fsim_ratio_make(value->integer, 1, &out->value[q]);
        }
        if (!ok || out->value[q].num < 0) {
            return fsim_value_fail(value, err,
                                   "expected a quantity as a decimal string, such as \"540000.5\"");
        }
    }
    return fsim_value_check_used(record, fsim_quantity_names, err);
}
