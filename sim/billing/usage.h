/* What a run used, as whole numbers: the engine counts, money comes afterwards (billing spec, section 1).
 *
 * One fsim_usage per function is filled in a single pass by the kernels of billing/meter.h, and holds what
 * every way of billing needs at once: per request (phase 1), per active interval (phase 2), CPU threshold
 * (phase 3a), CPU time (phase 3b), residency, provisioned capacity. Which roundings are applied is said by
 * the fsim_meter_plan, which is the same for all functions of a run.
 *
 * Units: *_ms are billed milliseconds (already rounded, per request, interval or instance), 64 bits: 584
 * million instance-years. *_ns are exact sums in 128 bits, because 584 instance-years of nanoseconds are less
 * than a month of 10 000 instances. */
#ifndef FSIM_BILLING_USAGE_H
#define FSIM_BILLING_USAGE_H

#include "base/decimal.h"
#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

/* Different roundings of one scope (requests, active intervals, instances) that a run meters side by side. */
#define FSIM_METER_RULES_MAX 6

/* CPU thresholds beside the first one, and sizes of nodes, that a run meters side by side. */
#define FSIM_THRESHOLDS_MORE 7
#define FSIM_NODE_SIZES_MAX  4

/* Billed time of one span: max(least, step * ceil(span / step)), in whole milliseconds. Built by
 * fsim_meter_rule_make; `magic` and `shift` replace the division (billing/meter.h). */
typedef struct fsim_meter_rule {
    uint64_t step_ms, least_ms;
    uint64_t step_ns, magic;
    uint32_t shift;
} fsim_meter_rule;

typedef struct fsim_meter_rules {
    fsim_meter_rule rule[FSIM_METER_RULES_MAX];
    uint32_t count;
} fsim_meter_rules;

/* What was metered: pricing a quantity that was not is an error, never zero. */
enum {
    FSIM_METERED_THRESHOLD = 1u << 0,   /* threshold_* and cpu_ucore_ns */
    FSIM_METERED_INSTANCES = 1u << 1,   /* residency, idle, starting, init */
    FSIM_METERED_PROVISIONED = 1u << 2, /* provisioned_* */
    FSIM_METERED_NETWORK = 1u << 3,     /* net_bytes */
    FSIM_METERED_MINIMUM = 1u << 4,     /* idle_at_minimum_ns */
    FSIM_METERED_UNUSED = 1u << 5       /* provisioned_unused_ns */
};

/* When a window counts as active: its CPU time is at least (`above`: more than) this share of the configured
 * CPU over its billed part (`full_window`: over all of it). */
typedef struct fsim_threshold {
    uint32_t ppm; /* 50000 is 5 % */
    bool full_window, above;
} fsim_threshold;

/* A node that instances are packed into. */
typedef struct fsim_node_size {
    uint64_t vcpu_milli, memory_mib;
} fsim_node_size;

/* How a run meters. Requests and active intervals are always metered; rule 0 of both is 1 ms, rule 1 of
 * requests 100 ms (the old phase 1). Price books add the roundings they need before the run
 * (fsim_price_book_require). */
typedef struct fsim_meter_plan {
    fsim_meter_rules request;     /* per request */
    fsim_meter_rules active;      /* per maximal interval with a request inside */
    fsim_meter_rules residency;   /* per instance, from readiness to its end */
    fsim_meter_rules lifetime;    /* per instance, from its creation to its end */
    fsim_meter_rules provisioned; /* per provisioned instance, from allocation to release */
    uint32_t metered;             /* FSIM_METERED_* */
    /* CPU threshold (billing spec 1.4 and 1.7, lines 6 to 10) */
    fsim_ns window_ns;                         /* length of a sampling window: 1 s */
    fsim_threshold threshold;                  /* of threshold_cpu_ms */
    fsim_threshold more[FSIM_THRESHOLDS_MORE]; /* of threshold_more_ms, in the same windows */
    uint32_t more_count;
    bool tells_instances; /* some book bills the life of each instance by itself */
    /* What only some books need; 0 and false: not metered, and it costs nothing. */
    fsim_ns settle_ns;         /* one fsim_usage_hour per function and so long a span of use: 1 h */
    uint64_t idle_below_ucore; /* idle_at_minimum_ns: CPU of an idle instance is below this */
    fsim_ns unused_window_ns;  /* provisioned_unused_ns: its windows */
    fsim_node_size node[FSIM_NODE_SIZES_MAX]; /* fsim_usage_nodes of each */
    uint32_t node_count;
} fsim_meter_plan;

/* Per function. Plain data: zero-initialised it is the usage of nothing; usages of the same shape add field
 * by field. */
typedef struct fsim_usage {
    /* Shape: of one instance of the function. */
    uint64_t memory_mb;  /* configured, MiB */
    uint64_t vcpu_milli; /* configured, thousandths of a core */
    uint64_t disk_mb;    /* configured, MiB; the book knows its free part */

    /* Requests whose code ran (a refusal is not billed, a time-out during execution is). */
    uint64_t requests;
    fsim_u128 request_ns;                      /* sum of execution times */
    uint64_t request_ms[FSIM_METER_RULES_MAX]; /* billed, by plan.request */
    /* What billing the initialisation with the first request adds: ceil(init + span) - ceil(span), summed. */
    uint64_t request_init_ms[FSIM_METER_RULES_MAX];

    /* Active intervals: maximal spans in which an instance holds a request; touching ones are two. */
    uint64_t active_intervals;
    fsim_u128 active_ns;
    uint64_t active_ms[FSIM_METER_RULES_MAX];      /* billed, by plan.active */
    uint64_t active_init_ms[FSIM_METER_RULES_MAX]; /* the same for the first interval of an instance */

    /* CPU threshold: over the memory-billed spans M, which are the active intervals of an instance that is
     * frozen between requests, and the whole residency of one that is not. */
    uint64_t threshold_mem_ms;
    uint64_t threshold_cpu_ms;                        /* the part in active windows */
    uint64_t threshold_more_ms[FSIM_THRESHOLDS_MORE]; /* the same by the further thresholds of the plan */
    fsim_u128 cpu_ucore_ns; /* CPU time really used, in millionths of a core times ns: phase 3b */

    /* Instances. residency = from ready to end = busy (active_ns) + idle. Starting is before ready. */
    uint64_t instances_started;
    uint64_t instances_ended; /* those whose residency is in residency_ms */
    fsim_u128 starting_ns, residency_ns, idle_ns;
    /* Billed, by plan.residency. Where no book tells instances apart (plan.tells_instances) a run may take
     * the one that goes for the one that came first: then a sum is exact to less than a step for each. */
    uint64_t residency_ms[FSIM_METER_RULES_MAX];
    uint64_t lifetime_ms[FSIM_METER_RULES_MAX]; /* billed, by plan.lifetime */
    fsim_u128 init_ns; /* initialisation of instances that served: a subset of starting_ns */
    uint64_t init_ms;  /* the same, each rounded up to 1 ms */

    /* Provisioned capacity: paid while it is there, used or not. A book that prices it (metering.provisioned)
     * takes what ran on it out of the ordinary duration. */
    uint64_t provisioned_alloc_ms[FSIM_METER_RULES_MAX]; /* billed, by plan.provisioned */
    fsim_u128 provisioned_alloc_ns;                      /* instance-time allocated */
    fsim_u128 provisioned_idle_ns;                       /* allocated and without a request */
    uint64_t provisioned_requests; /* served by provisioned instances: a subset of `requests` */
    uint64_t provisioned_ms[FSIM_METER_RULES_MAX]; /* and their time: a subset of request_ms */

    /* Capacity that stands by (plan.idle_below_ucore, plan.unused_window_ns). */
    fsim_u128
        idle_at_minimum_ns; /* idle instance-time while the function is at its minimum above 0, all ready */
    fsim_u128 provisioned_unused_ns; /* per window: (provisioned - most requests at once), never below 0, x
                                        length */

    /* CPU above the configured one, ucore x ns: timelines only, a simulated instance has no more than it has.
     */
    fsim_u128 burst_ucore_ns;

    uint64_t net_bytes; /* sent to the outside */
} fsim_usage;

/* What one function used in one hour (plan.settle_ns), for books that settle every hour: [hour, hour + 1)
 * from the start of the run. What is open at the hour's end counts up to there; a window counts in the hour
 * in which it ends, a request in that in which it completes. The rows of a function add up to its fsim_usage.
 */
typedef struct fsim_usage_hour {
    uint32_t fn, hour;
    uint64_t requests, mem_ms;
    uint64_t cpu_ms[1 + FSIM_THRESHOLDS_MORE]; /* by plan.threshold, then by plan.more */
} fsim_usage_hour;

/* Nodes of one size that the instances of a run need, at each instant: the sum over the functions of
 * instances / (how many of them fit into a node), rounded up. */
typedef struct fsim_usage_nodes {
    fsim_u128 node_ns;
    uint64_t peak;
} fsim_usage_nodes;

/* The counters of fsim_usage by name, for who writes them down and reads them back. */
typedef struct fsim_usage_field {
    const char *name;
    uint32_t offset, count; /* count numbers of 64 bits, or one of 128 where it is 0 */
} fsim_usage_field;
extern const fsim_usage_field fsim_usage_fields[]; /* the last has no name */

/* Adds what `more` used to `into`, field by field; the shape stays that of `into`. */
void fsim_usage_add(fsim_usage *into, const fsim_usage *more);

#endif
