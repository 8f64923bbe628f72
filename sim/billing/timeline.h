/* Prices a given timeline: which request ran when on which instance, and how much CPU the instance used. No
 * simulation: this is for checking bills and metering rules by hand, and the meters are those of the engine
 * (billing/meter.h).
 *
 * Times are half-open spans of ns. Each instance is metered on its own, so that instances may differ in size;
 * a bill sums over them as over functions. */
#ifndef FSIM_BILLING_TIMELINE_H
#define FSIM_BILLING_TIMELINE_H

#include "base/value.h"
#include "billing/meter.h"

typedef struct fsim_timeline_request {
    fsim_ns start_ns, end_ns;
} fsim_timeline_request;

/* CPU in use over a span, millionths of a core. */
typedef struct fsim_timeline_cpu {
    fsim_ns from_ns, to_ns;
    uint32_t rate_ucore;
} fsim_timeline_cpu;

typedef struct fsim_timeline_instance {
    uint64_t memory_mb, vcpu_milli, disk_mb;
    fsim_ns init_ns; /* starting before ready_ns; belongs to the first request if that starts at ready_ns */
    fsim_ns ready_ns, end_ns; /* end FSIM_NEVER: with the last request */
    const char *function;     /* whose instance it is; NULL: "fn". Only fsim_timeline_bill uses it */
    bool provisioned;         /* allocated from ready to end; the minimum of its function consists of these */
    bool freeze;              /* M = active intervals; false: M = [ready, end) */
    fsim_timeline_request *requests; /* in any order; sorted by start in place */
    uint32_t request_count;
    /* CPU by spans: rising, not overlapping. Without any, the whole configured CPU is used while a request is
     * inside. */
    const fsim_timeline_cpu *cpu;
    uint32_t cpu_count;
    /* Or CPU per window of the plan (core-ns), the first one from ready_ns; missing windows use none. NULL:
     * by spans. */
    const uint64_t *window_cpu_ns;
    uint32_t window_cpu_count;
    /* Or only in all, in ns of one core (a log tells no more): enough for books that bill CPU time, not for
     * windows. */
    uint64_t cpu_total_ns;
    bool has_cpu_total;
} fsim_timeline_instance;

typedef struct fsim_timeline_options {
    bool merge_touching;  /* e_r = s_q is one active interval (billing spec 1.7, line 5; default two) */
    bool wall_clock_grid; /* windows at multiples of their length instead of from readiness (line 8) */
    /* Every window up to the end of the instance; NULL: none. */
    void (*on_window)(void *user, uint64_t index, uint64_t resident_ns, uint64_t cpu_ucore_ns, bool active);
    void *user;
    /* Rows hour_count long, of the hours from 0 on, to which the usage is added (fn stays as it is); the last
     * row takes what lies behind it. NULL: not asked for. */
    fsim_usage_hour *hours;
    uint32_t hour_count;
    fsim_ns settle_ns; /* length of an hour */
} fsim_timeline_options;

/* Meters one instance into a usage that is cleared first. `options` may be NULL. Everything in `plan` is
 * metered but the network. Requests must lie in [ready, end) and not be negative,
 * CPU spans must rise: FSIM_EDATA. O(requests log requests + CPU spans + windows where windows are asked
 * for). */
fsim_status fsim_timeline_meter(fsim_timeline_instance *instance, const fsim_meter_plan *plan,
                                const fsim_timeline_options *options, fsim_usage *usage, fsim_error *err);

/* What a timeline counts: FSIM_METERED_* for the plan that prices its usage. */
#define FSIM_TIMELINE_METERED                                                                                \
    ((uint32_t)(FSIM_METERED_THRESHOLD | FSIM_METERED_INSTANCES | FSIM_METERED_PROVISIONED |                 \
                FSIM_METERED_MINIMUM | FSIM_METERED_UNUSED))

/* Reads {"instances": [{"function", "memory_mb", "vcpu_milli", "disk_mb", "freeze", "provisioned", "init_us",
 * "ready_us", "end_us", "requests_us": [[start, end], …], "cpu_us": [[from, to, milli], …]}, …]}, schema
 * fsim.timeline/1. "sessions_us": [[first, last], …] with "idle_timeout_us" and "ttl_us" hold an instance
 * that is not frozen until the last of them has ended (billing spec 1.1). Memory belongs to the pool. */
fsim_status fsim_timeline_read(fsim_value_pool *pool, const fsim_value *root,
                               fsim_timeline_instance **instances, uint32_t *count, fsim_error *err);

/* All instances of a timeline metered as a run. Instances of one function and of one size are one function.
 */
typedef struct fsim_timeline_bill {
    fsim_usage *usage; /* per function */
    uint32_t function_count;
    fsim_usage_hour *hours; /* with plan->settle_ns; in the order of the hours */
    uint32_t hour_count;
    fsim_ns horizon_ns; /* from 0 to the last end */
} fsim_timeline_bill;

/* FSIM_EDATA as fsim_timeline_meter, naming the instance. On failure nothing is left to free. */
fsim_status fsim_timeline_bill_make(fsim_timeline_bill *out, fsim_timeline_instance *instances,
                                    uint32_t count, const fsim_meter_plan *plan, fsim_error *err);
void fsim_timeline_bill_free(fsim_timeline_bill *bill);

#endif
