/* A timeline as a run: instances of one function put together; see timeline.h. */
#include "billing/timeline.h"

#include <stdlib.h>
#include <string.h>

typedef struct maker {
    fsim_timeline_bill *bill;
    const char **names; /* per function */
    uint32_t capacity;  /* of names and usage */
    bool out_of_memory;
    const fsim_meter_plan *plan;
    uint32_t hours; /* that the timeline touches */
} maker;

static const char *name_of(const fsim_timeline_instance *instance) {
    return instance->function == NULL ? "fn" : instance->function;
}

static bool grow(maker *m) {
    uint32_t capacity = 2 * m->capacity;
    fsim_assert(capacity > m->capacity);
    const char **names = realloc(m->names, capacity * sizeof *names);
    m->names = names == NULL ? m->names : names;
    fsim_usage *usage = realloc(m->bill->usage, capacity * sizeof *usage);
    m->bill->usage = usage == NULL ? m->bill->usage : usage;
    m->capacity = names == NULL || usage == NULL ? m->capacity : capacity;
    return m->capacity == capacity;
}

/* The function that the instance belongs to, added if it is new. */
static uint32_t function_of(maker *m, const fsim_timeline_instance *instance) {
    fsim_timeline_bill *bill = m->bill;
    for (uint32_t f = 0; f < bill->function_count; f++) {
        const fsim_usage *u = &bill->usage[f];
        fsim_check(m->names[f] != NULL);
        if (strcmp(m->names[f], name_of(instance)) == 0 && u->memory_mb == instance->memory_mb &&
            u->vcpu_milli == instance->vcpu_milli && u->disk_mb == instance->disk_mb) {
            return f;
        }
    }
    if (bill->function_count == m->capacity && !grow(m)) {
        m->out_of_memory = true;
        return 0;
    }
    uint32_t f = bill->function_count++;
    m->names[f] = name_of(instance);
    bill->usage[f] = (fsim_usage){
        .memory_mb = instance->memory_mb, .vcpu_milli = instance->vcpu_milli, .disk_mb = instance->disk_mb};
    return f;
}

static fsim_ns end_of(const fsim_timeline_instance *instance) {
    fsim_ns end_ns = instance->end_ns == FSIM_NEVER ? instance->ready_ns : instance->end_ns;
    for (uint32_t i = 0; i < instance->request_count; i++) {
        end_ns = instance->requests[i].end_ns > end_ns ? instance->requests[i].end_ns : end_ns;
    }
    return end_ns;
}

/* ---- unused provisioned instances ---- */

typedef struct change {
    fsim_ns at_ns;
    int by; /* +1: a request starts; -1: it ends */
} change;

/* What ends makes room for what starts at the same instant. */
static int by_instant(const void *left, const void *right) {
    const change *a = left, *b = right;
    if (a->at_ns != b->at_ns) {
        return a->at_ns < b->at_ns ? -1 : 1;
    }
    return a->by - b->by;
}

static fsim_ns window_end(const maker *m, fsim_ns from_ns) {
    fsim_ns end_ns = from_ns + m->plan->unused_window_ns;
    return end_ns < m->bill->horizon_ns ? end_ns : m->bill->horizon_ns;
}

/* Provisioned instances of the function that are there at the end of [from, to). */
static int64_t provisioned_at(maker *m, const fsim_timeline_instance *instances, uint32_t count, uint32_t f,
                              fsim_ns to_ns) {
    int64_t there = 0;
    for (uint32_t i = 0; i < count; i++) {
        there += instances[i].provisioned && function_of(m, &instances[i]) == f &&
                 instances[i].ready_ns < to_ns && end_of(&instances[i]) >= to_ns;
    }
    return there;
}

static void add_unused(maker *m, const fsim_timeline_instance *instances, uint32_t count, uint32_t f,
                       const change *changes, uint32_t change_count) {
    int64_t inside = 0;
    uint32_t next = 0;
    for (fsim_ns from_ns = 0; from_ns < m->bill->horizon_ns; from_ns = window_end(m, from_ns)) {
        fsim_ns to_ns = window_end(m, from_ns);
        int64_t peak = inside;
        for (; next < change_count && changes[next].at_ns < to_ns; next++) {
            inside += changes[next].by;
            peak = inside > peak ? inside : peak;
        }
        int64_t unused = provisioned_at(m, instances, count, f, to_ns) - peak;
        if (unused > 0) {
            m->bill->usage[f].provisioned_unused_ns += (fsim_u128)unused * (uint64_t)(to_ns - from_ns);
        }
    }
}

static fsim_status find_unused(maker *m, const fsim_timeline_instance *instances, uint32_t count,
                               fsim_error *err) {
    size_t requests = 0;
    for (uint32_t i = 0; i < count; i++) {
        requests += instances[i].request_count;
    }
    change *changes = calloc(2 * requests + 1, sizeof *changes);
    if (changes == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (uint32_t f = 0; f < m->bill->function_count; f++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < count; i++) {
            for (uint32_t r = 0; r < instances[i].request_count && function_of(m, &instances[i]) == f; r++) {
                changes[n++] = (change){instances[i].requests[r].start_ns, 1};
                changes[n++] = (change){instances[i].requests[r].end_ns, -1};
            }
        }
        qsort(changes, n, sizeof *changes, by_instant);
        if (m->bill->usage[f].provisioned_alloc_ns != 0) {
            add_unused(m, instances, count, f, changes, n);
        }
    }
    free(changes);
    return FSIM_OK;
}

static fsim_status add_instance(maker *m, fsim_timeline_instance *instance, fsim_usage_hour *rows,
                                fsim_error *err) {
    fsim_usage usage;
    const fsim_timeline_options options = {.hours = m->plan->settle_ns != 0 ? rows : NULL,
                                           .hour_count = m->hours,
                                           .settle_ns = m->plan->settle_ns};
    memset(rows, 0, m->hours * sizeof *rows);
    FSIM_TRY(fsim_timeline_meter(instance, m->plan, &options, &usage, err));
    uint32_t f = function_of(m, instance);
    if (m->out_of_memory) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_usage_add(&m->bill->usage[f], &usage);
    for (uint32_t h = 0; m->plan->settle_ns != 0 && h < m->hours; h++) {
        fsim_usage_hour *into = &m->bill->hours[(size_t)f * m->hours + h];
        into->requests += rows[h].requests;
        into->mem_ms += rows[h].mem_ms;
        for (uint32_t k = 0; k <= FSIM_THRESHOLDS_MORE; k++) {
            into->cpu_ms[k] += rows[h].cpu_ms[k];
        }
    }
    return FSIM_OK;
}

static int by_hour(const void *left, const void *right) {
    const fsim_usage_hour *a = left, *b = right;
    if (a->hour != b->hour) {
        return a->hour < b->hour ? -1 : 1;
    }
    return (a->fn > b->fn) - (a->fn < b->fn);
}

/* Hours without any use leave no row; the CPU of a window that ends in one belongs to the last row with use.
 */
static void put_hours_in_order(maker *m) {
    fsim_timeline_bill *bill = m->bill;
    for (uint32_t i = 0; i < bill->function_count * m->hours; i++) {
        fsim_usage_hour row = bill->hours[i];
        row.fn = i / m->hours;
        row.hour = i % m->hours;
        fsim_usage_hour *last = bill->hour_count == 0 ? NULL : &bill->hours[bill->hour_count - 1u];
        if (row.requests != 0 || row.mem_ms != 0) {
            bill->hours[bill->hour_count++] = row;
        } else if (last != NULL && last->fn == row.fn) {
            for (uint32_t k = 0; k <= FSIM_THRESHOLDS_MORE; k++) {
                last->cpu_ms[k] += row.cpu_ms[k];
            }
        }
    }
    qsort(bill->hours, bill->hour_count, sizeof *bill->hours, by_hour);
}

fsim_status fsim_timeline_bill_make(fsim_timeline_bill *out, fsim_timeline_instance *instances,
                                    uint32_t count, const fsim_meter_plan *plan, fsim_error *err) {
    maker m = {.bill = out, .plan = plan};
    *out = (fsim_timeline_bill){0};
    for (uint32_t i = 0; i < count; i++) {
        fsim_ns end_ns = end_of(&instances[i]);
        out->horizon_ns = end_ns > out->horizon_ns ? end_ns : out->horizon_ns;
    }
    if (plan->settle_ns != 0 && out->horizon_ns / plan->settle_ns >= 10000) {
        return fsim_fail(err, FSIM_ELIMIT,
                         "a timeline to be settled by the hour is at most 10000 hours long");
    }
    m.hours = plan->settle_ns != 0 ? (uint32_t)(out->horizon_ns / plan->settle_ns) + 1 : 1;
    m.capacity = 16;
    m.names = calloc(m.capacity, sizeof *m.names);
    out->usage = calloc(m.capacity, sizeof *out->usage);
    out->hours = calloc((size_t)(plan->settle_ns != 0 ? count : 0) * m.hours + 1u, sizeof *out->hours);
    fsim_usage_hour *rows = calloc(m.hours, sizeof *rows);
    fsim_status status = m.names == NULL || out->usage == NULL || out->hours == NULL || rows == NULL
                             ? fsim_fail(err, FSIM_ELIMIT, "out of memory")
                             : FSIM_OK;
    for (uint32_t i = 0; i < count && status == FSIM_OK; i++) {
        status = add_instance(&m, &instances[i], rows, err);
    }
    if (status == FSIM_OK && plan->unused_window_ns != 0) {
        status = find_unused(&m, instances, count, err);
    }
    if (status == FSIM_OK && plan->settle_ns != 0) {
        put_hours_in_order(&m);
    }
    free(m.names);
    free(rows);
    if (status != FSIM_OK) {
        fsim_timeline_bill_free(out);
    }
    return status;
}

void fsim_timeline_bill_free(fsim_timeline_bill *bill) {
    free(bill->usage);
    free(bill->hours);
    *bill = (fsim_timeline_bill){0};
}
