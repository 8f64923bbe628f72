/* What a price book may charge for, by name ("gb_s", "active_vcpu_s"), and how much of it a run used.
 *
 * A quantity is an exact fraction summed over all functions: free parts and tiers are the account's. How it
 * follows from the counters of fsim_usage depends on the book's way of metering (billing spec, sections 1
 * and 2.1). */
#ifndef FSIM_BILLING_QUANTITY_H
#define FSIM_BILLING_QUANTITY_H

#include "base/value.h"
#include "billing/usage.h"

/* In the order of fsim_quantity_names. Those from STREAM_GB to TENANT_ENV_GB belong to things that a run has
 * not: only usage records give them. */
typedef enum fsim_quantity {
    FSIM_Q_REQUESTS,
    FSIM_Q_GB_S,     /* memory x billed time */
    FSIM_Q_MEM_GB_S, /* the same under another name */
    FSIM_Q_GIB_S,
    FSIM_Q_GB_H,
    FSIM_Q_GIB_H,
    FSIM_Q_S_128MB,
    FSIM_Q_VCPU_S, /* billed CPU: of billed time, of active windows (threshold), or really used (cpu_time) */
    FSIM_Q_ACTIVE_VCPU_S, /* the same under another name */
    FSIM_Q_VCPU_H,
    FSIM_Q_CPU_MS, /* CPU time really used */
    FSIM_Q_CPU_H,
    FSIM_Q_IDLE_VCPU_S, /* threshold: idle windows; by the book's rule of idleness; otherwise provisioned
                           instances without a request */
    FSIM_Q_IDLE_GB_S,
    FSIM_Q_IDLE_GIB_S,
    FSIM_Q_DISK_GB_S, /* above the free part */
    FSIM_Q_DISK_GB_H,
    FSIM_Q_EPH_GB_S,     /* above 512 MiB */
    FSIM_Q_PC_GB_S,      /* provisioned capacity, used or not */
    FSIM_Q_PC_EXEC_GB_S, /* billed time of requests on it */
    FSIM_Q_NET_GB,
    FSIM_Q_BASELINE_GB_S, /* residency, where active time is billed beside it */
    FSIM_Q_GHZ_S,         /* the clock rate that comes with the memory size */
    FSIM_Q_IDLE_GHZ_S,
    FSIM_Q_STREAM_GB,
    FSIM_Q_SNAP_CACHE_GB_S,
    FSIM_Q_SNAP_RESTORE_GB,
    FSIM_Q_SNAP_WRITE_GB,
    FSIM_Q_SNAP_READ_GB,
    FSIM_Q_SNAP_GB_MONTH,
    FSIM_Q_TENANT_ENV_GB,
    FSIM_Q_CLUSTER_HOURS,
    FSIM_Q_NODE_HOURS, /* of the book's node, as many as the instances need at each instant */
    FSIM_Q_NODE_HOURS_C7I,
    FSIM_Q_EC2_HOURS_OD, /* the same, and so is LMI_HOURS */
    FSIM_Q_EC2_HOURS_SP,
    FSIM_Q_LMI_HOURS,
    FSIM_QUANTITY_COUNT
} fsim_quantity;

extern const char *const fsim_quantity_names[FSIM_QUANTITY_COUNT + 1]; /* NULL-terminated */

/* How much was used. `has`: known, possibly zero. */
typedef struct fsim_quantities {
    fsim_ratio value[FSIM_QUANTITY_COUNT];
    bool has[FSIM_QUANTITY_COUNT];
} fsim_quantities;

/* What a run hands to the cashier. */
typedef struct fsim_metered_run {
    const fsim_meter_plan *plan;
    const fsim_usage *functions;
    uint32_t function_count;
    const fsim_usage_hour *hours; /* plan.settle_ns: in the order of the hours */
    uint32_t hour_count;
    const fsim_usage_nodes *nodes; /* plan.node_count of them; NULL: not metered */
    fsim_ns horizon_ns;            /* for what is paid by the day or month; a started one counts whole */
    fsim_ns month_ns;              /* scale the run to a month of this length; 0: as it is */
} fsim_metered_run;

struct fsim_price_book;

/* The quantities that `book` charges for, of a run; scaled to run->month_ns (to 12 decimals, half up).
 * FSIM_ECONFIG where the book cannot price a run, or asks for something that the run did not measure and that
 * is not an optional meter: never a silent zero. */
fsim_status fsim_quantities_of_run(fsim_quantities *out, const struct fsim_price_book *book,
                                   const fsim_metered_run *run, fsim_error *err);

/* What one function used in one hour, for books that settle by the hour. As above, not scaled. */
fsim_status fsim_quantities_of_hour(fsim_quantities *out, const struct fsim_price_book *book,
                                    const fsim_metered_run *run, const fsim_usage_hour *hour,
                                    fsim_error *err);

/* value x month / horizon of the run, to 12 decimals; the value itself without a month. False: too large. */
bool fsim_quantity_to_month(const fsim_metered_run *run, fsim_ratio *value);

/* A usage record: {"requests": "3000000", "gb_s": "540000"}. Numbers are decimal strings, or JSON integers;
 * names that are not mentioned are not known. */
fsim_status fsim_quantities_read(fsim_quantities *out, const fsim_value *record, fsim_error *err);

#endif
