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
    SPAN_NONE,    /* not a product, or not of a run */
    SPAN_BILLED,  /* the time that the book's mode bills */
    SPAN_CPU,     /* the part of it in which CPU is billed */
    SPAN_USED,    /* CPU time really used, core-ms: stands for span and resource together */
    SPAN_IDLE,    /* not busy but paid for */
    SPAN_PC,      /* provisioned capacity allocated */
    SPAN_PC_EXEC, /* requests on it */
    SPAN_COUNT
} span;
typedef enum resource { RES_ONE, RES_MEMORY, RES_CPU, RES_DISK, RES_DISK_512 } resource;

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
    [FSIM_Q_PC_GB_S] = {SPAN_PC, RES_MEMORY, 0, 1},
    [FSIM_Q_PC_EXEC_GB_S] = {SPAN_PC_EXEC, RES_MEMORY, 0, 1},
};

/* What one quantity of one run is computed from. */
typedef struct context {
    const fsim_price_book *book;
    const fsim_metered_run *run;
    uint32_t rule;           /* of the book's mode in its rule set */
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
    case FSIM_MODE_CPU_TIME_ACTIVE_INTERVAL: return active_ms(c, u);
    case FSIM_MODE_THRESHOLD:
        return metered(c, FSIM_METERED_THRESHOLD, "CPU windows") ? (fsim_i128)u->threshold_mem_ms : -1;
    case FSIM_MODE_RESIDENCY:
    case FSIM_MODE_CPU_TIME_RESIDENCY:
        if (!metered(c, FSIM_METERED_INSTANCES, "the residency of instances")) {
            return -1;
        }
        return (fsim_i128)(c->book->metering.from_creation ? u->lifetime_ms[c->rule]
                                                           : u->residency_ms[c->rule]);
    default: c->missing = "billed time (its mode bills none)"; return -1;
    }
}

static fsim_i128 idle_ms(context *c, const fsim_usage *u, fsim_ratio *exact) {
    if (c->book->metering.mode == FSIM_MODE_THRESHOLD) {
        fsim_i128 ms = metered(c, FSIM_METERED_THRESHOLD, "CPU windows")
                           ? (fsim_i128)(u->threshold_mem_ms - u->threshold_cpu_ms)
                           : -1;
        *exact = (fsim_ratio){ms, 1};
        return ms;
    }
    if (!metered(c, FSIM_METERED_PROVISIONED, "provisioned instances")) {
        return -1;
    }
    return fsim_ratio_make((fsim_i128)u->provisioned_idle_ns, FSIM_MS, exact) ? 0 : -1;
}

/* Milliseconds of a span, exactly. False: the run has not got it (c->missing says what). */
static bool span_ms(context *c, const fsim_usage *u, span of, fsim_ratio *out) {
    fsim_i128 ms = -1;
    switch (of) {
    case SPAN_BILLED: ms = billed_ms(c, u); break;
    case SPAN_CPU:
        if (c->book->metering.mode == FSIM_MODE_THRESHOLD) {
            ms = metered(c, FSIM_METERED_THRESHOLD, "CPU windows") ? (fsim_i128)u->threshold_cpu_ms : -1;
        } else {
            ms = billed_ms(c, u);
        }
        break;
    case SPAN_USED: /* ucore ns / 1e6 / 1e6 = core ms */
        return metered(c, FSIM_METERED_THRESHOLD, "CPU time") &&
               fsim_ratio_make((fsim_i128)u->cpu_ucore_ns, 1000000 * (fsim_i128)FSIM_MS, out);
    case SPAN_IDLE: return idle_ms(c, u, out) >= 0;
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

/* MiB of memory that the book bills for a function of `mb` MiB; 0: the book has no such size. */
static uint64_t billed_memory(const fsim_metering *m, uint64_t mb) {
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

static bool resource_of(context *c, const fsim_usage *u, resource what, uint64_t *out) {
    switch (what) {
    case RES_ONE: *out = 1; return true;
    case RES_CPU: *out = u->vcpu_milli; return true;
    case RES_DISK:
        *out = u->disk_mb > c->book->disk_free_mib ? u->disk_mb - c->book->disk_free_mib : 0;
        return true;
    case RES_DISK_512: *out = u->disk_mb > 512 ? u->disk_mb - 512 : 0; return true;
    case RES_MEMORY: break;
    }
    *out = billed_memory(&c->book->metering, u->memory_mb);
    if (*out == 0) {
        c->missing = "functions of the memory sizes it prices only";
    }
    return *out != 0;
}

static fsim_status too_large(fsim_quantity q, fsim_error *err) {
    return fsim_fail(err, FSIM_ELIMIT, "quantity %s does not fit into 128 bits", fsim_quantity_names[q]);
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
    uint64_t unit = s.unit == 0 ? c->book->gb_mib : s.unit;
    uint64_t time = s.seconds == 0 ? 1 : 1000 * (uint64_t)s.seconds;
    *known = true;
    return fsim_ratio_div(sum, (fsim_ratio){(fsim_i128)(unit * time), 1}, out) ? FSIM_OK : too_large(q, err);
}

static fsim_status quantity_of_run(context *c, fsim_quantity q, fsim_ratio *out, bool *known,
                                   fsim_error *err) {
    c->missing = "anything of the kind";
    *known = false;
    if (q == FSIM_Q_REQUESTS || q == FSIM_Q_NET_GB) {
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
    return shapes[q].of == SPAN_NONE ? FSIM_OK : sum_shape(c, q, out, known, err);
}

static fsim_status check_run(context *c, fsim_error *err) {
    const fsim_metering *m = &c->book->metering;
    const fsim_meter_plan *plan = c->run->plan;
    if (m->unpriced_rule != NULL) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "price book %s cannot price a run: its rule %s cannot be computed from one",
                         c->book->id, m->unpriced_rule);
    }
    for (uint32_t f = 0; f < c->run->function_count && m->provisioned_rule != NULL; f++) {
        if (c->run->functions[f].provisioned_alloc_ns > 0) {
            return fsim_fail(
                err, FSIM_ECONFIG,
                "price book %s cannot price a run with provisioned instances: its rule %s cannot be computed",
                c->book->id, m->provisioned_rule);
        }
    }
    if (m->mode == FSIM_MODE_THRESHOLD &&
        (plan->threshold_ppm != m->threshold_ppm || plan->window_ns != m->window_ns ||
         plan->full_window != m->full_window)) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "price book %s bills CPU above %" PRIu32 " ppm, but the run was metered at %" PRIu32
                         " ppm (or with other windows)",
                         c->book->id, m->threshold_ppm, plan->threshold_ppm);
    }
    c->rule = fsim_price_book_rule(c->book, plan);
    if (c->rule == FSIM_METER_RULES_MAX) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "the run was not metered in the steps of price book %s (%" PRIu64
                         " us, at least %" PRIu64 " us): name the book before the run",
                         c->book->id, m->granularity_us, m->min_us);
    }
    return FSIM_OK;
}

fsim_status fsim_quantities_of_run(fsim_quantities *out, const fsim_price_book *book,
                                   const fsim_metered_run *run, fsim_error *err) {
    context c = {.book = book, .run = run};
    memset(out, 0, sizeof *out);
    FSIM_TRY(check_run(&c, err));
    for (uint32_t i = 0; i < book->meter_count; i++) {
        for (uint32_t t = 0; t < book->meter[i].term_count; t++) {
            c.prices_provisioned |= book->meter[i].term[t].quantity == FSIM_Q_PC_EXEC_GB_S;
        }
    }
    for (uint32_t i = 0; i < book->meter_count; i++) {
        const fsim_book_meter *meter = &book->meter[i];
        for (uint32_t t = 0; t < meter->term_count; t++) {
            fsim_quantity q = meter->term[t].quantity;
            FSIM_TRY(quantity_of_run(&c, q, &out->value[q], &out->has[q], err));
            if (!out->has[q] && !meter->optional) {
                return fsim_fail(
                    err, FSIM_ECONFIG,
                    "price book %s, meter %s: needs %s, and the run has not measured %s (\"optional\": true "
                    "leaves the meter out of such bills)",
                    book->id, meter->id, fsim_quantity_names[q], c.missing);
            }
        }
    }
    return FSIM_OK;
}

fsim_status fsim_quantities_read(fsim_quantities *out, const fsim_value *record, fsim_error *err) {
    if (record->kind != FSIM_VALUE_OBJECT) {
        return fsim_value_fail(record, err,
                               "expected an object of quantities, such as {\"requests\": \"3000000\"}");
    }
    for (int q = 0; q < FSIM_QUANTITY_COUNT; q++) {
        out->value[q] = (fsim_ratio){0, 1};
        out->has[q] = true;
        const fsim_value *value = fsim_value_get(record, fsim_quantity_names[q]);
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
