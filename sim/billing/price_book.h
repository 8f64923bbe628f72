/* Price books, schema fsim.pricebook/1 (billing spec, section 2): what is metered and how, and what it costs.
 * A book is data: a new provider is a JSON file under policies/books, never code.
 *
 * Every number of a book is a decimal string, kept as a whole number or a fraction; a JSON number is refused,
 * for it may have lost digits on its way. Keys that only inform (sources, notes, dates) are accepted and kept
 * out of the arithmetic; unknown keys are errors.
 *
 * A book can be loaded although it cannot price a run (a rule that is only prose): fsim_price_book_require
 * and fsim_quantities_of_run then say why. It still prices usage records, which bring their quantities along.
 */
#ifndef FSIM_BILLING_PRICE_BOOK_H
#define FSIM_BILLING_PRICE_BOOK_H

#include "billing/quantity.h"

#define FSIM_BOOK_METERS_MAX 24
#define FSIM_BOOK_TIERS_MAX  8
#define FSIM_BOOK_TERMS_MAX  8
#define FSIM_BOOK_FIXED_MAX  8
#define FSIM_BOOK_SIZES_MAX  16

typedef enum fsim_metering_mode {
    FSIM_MODE_REQUEST,
    FSIM_MODE_ACTIVE_INTERVAL,
    FSIM_MODE_THRESHOLD,
    FSIM_MODE_CPU_TIME,
    FSIM_MODE_RESIDENCY,
    FSIM_MODE_CPU_TIME_ACTIVE_INTERVAL,
    FSIM_MODE_CPU_TIME_RESIDENCY,
    FSIM_MODE_NODE_HOURS,       /* of the nodes that the instances need */
    FSIM_MODE_RESIDENCY_BURST,  /* a baseline, and the CPU above it */
    FSIM_MODE_RESIDENCY_ACTIVE, /* a baseline, and active intervals beside it */
    FSIM_MODE_GIVEN             /* "given by the vector": usage records only */
} fsim_metering_mode;
extern const char *const fsim_metering_mode_names[];

/* Is initialisation paid: no; with the first request or interval, one rounding for both; or rounded for
 * itself. */
typedef enum fsim_init_billing {
    FSIM_INIT_UNBILLED,
    FSIM_INIT_WITH_FIRST,
    FSIM_INIT_SEPARATE
} fsim_init_billing;

/* Price of the part up to `up_to` (cumulative), the last one without end. */
typedef struct fsim_book_tier {
    fsim_ratio up_to;
    bool last;
    fsim_i128 price_pico; /* of `per` units of the meter */
} fsim_book_tier;

typedef struct fsim_book_tiers {
    fsim_book_tier tier[FSIM_BOOK_TIERS_MAX];
    uint32_t count;
} fsim_book_tiers;

/* One line of the bill. Its quantity is a sum of factor x usage quantity: one term with factor 1, or a map
 * (Alibaba's CU). */
typedef struct fsim_book_meter {
    const char *id, *unit;
    struct {
        fsim_quantity quantity;
        fsim_ratio factor;
    } term[FSIM_BOOK_TERMS_MAX];
    uint32_t term_count;
    fsim_ratio per;
    fsim_book_tiers tiers; /* a single price is one tier */
    bool is_tiered;        /* was written as tiers: a discount replaces these */
    fsim_ratio free;       /* 0: nothing */
    bool free_is_credit;   /* subtracted as money, at free_price */
    fsim_i128 free_price_pico;
    fsim_ratio block; /* billable quantity is rounded to a multiple; 0: not */
    bool optional;    /* left out of the bill of a run that does not know the quantity */
} fsim_book_meter;

typedef struct fsim_book_fixed {
    const char *id, *period; /* "hour", "day", "month", "year" */
    fsim_ns period_ns;       /* a month is 30 days, a year 365 */
    fsim_i128 price_pico;
} fsim_book_fixed;

typedef struct fsim_metering {
    fsim_metering_mode mode;
    uint64_t granularity_us, min_us; /* defaults: 1000 and one step */
    fsim_init_billing init;
    bool from_creation; /* residency counts from the creation of the instance instead of its readiness */
    /* memory, MiB: rounded up to a step, to the next of the sizes, or the same for all */
    uint64_t memory_step, memory_min, memory_max, memory_fixed; /* 0: none */
    uint64_t memory_size[FSIM_BOOK_SIZES_MAX];
    uint32_t memory_size_count;
    bool memory_observed; /* the memory in use, where a log tells it, instead of the configured one */
    /* clock rate by memory size, for books that charge for GHz */
    struct {
        uint64_t memory_mib, mhz;
    } clock[FSIM_BOOK_SIZES_MAX];
    uint32_t clock_count;
    fsim_node_size node; /* of node-hours; 0: not said */
    /* provisioned instances */
    uint64_t provisioned_granularity_us, provisioned_min_us;
    bool reserved;            /* time without a request is what the steps leave beside the requests' time */
    fsim_ns unused_window_ns; /* idle: provisioned_unused_ns in these windows; 0: time without a request */
    /* CPU threshold */
    fsim_threshold threshold;
    fsim_ns window_ns;
    /* residency: an instance is idle while its function is at its minimum, it holds no request and uses less
     * than this much CPU. 0: no such rule. */
    uint64_t idle_below_ucore;
    /* Key of a rule that is only prose, or NULL: this book cannot price a run. */
    const char *unpriced_rule;
} fsim_metering;

/* What is settled function by function and hour by hour (settle.cu_round, settle.minimum). */
typedef struct fsim_settlement {
    bool hourly;              /* the tiered meter's quantity of each function and hour is rounded up to 1 */
    fsim_i128 minimum_pico;   /* and costs at least this; 0: no minimum */
    const char *minimum_from; /* "YYYY-MM-DD": since when; NULL: always */
} fsim_settlement;

typedef struct fsim_price_book {
    const char *id, *provider, *product, *region, *variant, *currency;
    uint64_t gb_mib;        /* MiB in one GB: 1024, or 1000 */
    uint64_t disk_free_mib; /* of the configured disk */
    fsim_metering metering;
    fsim_book_meter meter[FSIM_BOOK_METERS_MAX];
    uint32_t meter_count;
    fsim_book_fixed fixed[FSIM_BOOK_FIXED_MAX];
    uint32_t fixed_count;
    const char *discount_from, *discount_until; /* "YYYY-MM-DD", NULL: no discount */
    fsim_book_tiers discount;
    fsim_settlement settle;
    int places;                 /* decimals on the bill as shown: 2 unless settle.places says otherwise */
    const fsim_value *examples; /* NULL or an array, for the tests */
} fsim_price_book;

/* Reads a book; its strings belong to the pool of `root`, which must outlive it. Errors (FSIM_ECONFIG) name
 * the place: another schema, a missing currency, a number that is not a decimal string, tiers that do not
 * rise or end, an unknown quantity, mode or key (with the nearest one). */
fsim_status fsim_price_book_load(fsim_price_book **out, const fsim_value *root, fsim_error *err);
void fsim_price_book_destroy(fsim_price_book *book); /* NULL allowed */

/* Adds to the plan of a run what the book needs: call it for every book before the run. `first` tells whether
 * no book has set the CPU threshold yet; it is cleared when this one does, and the thresholds of later books
 * stand beside it. FSIM_ECONFIG: the book cannot price a run, its rounding is finer than a millisecond, there
 * are too many different roundings, thresholds or sizes of nodes, or two books sample in different windows.
 */
fsim_status fsim_price_book_require(const fsim_price_book *book, fsim_meter_plan *plan, bool *first,
                                    fsim_error *err);

/* Index of the book's rounding in the rule set of its mode (of provisioned capacity), FSIM_METER_RULES_MAX if
 * the run did not meter it. 0 for modes without steps. */
uint32_t fsim_price_book_rule(const fsim_price_book *book, const fsim_meter_plan *plan);
uint32_t fsim_price_book_provisioned_rule(const fsim_price_book *book, const fsim_meter_plan *plan);
/* 0: the plan's threshold; k + 1: plan.more[k]; FSIM_THRESHOLDS_MORE + 1: the run has not metered the book's.
 */
uint32_t fsim_price_book_threshold(const fsim_price_book *book, const fsim_meter_plan *plan);
/* MiB of memory that the book bills for a function of `mb` MiB; 0: the book has no such size. */
uint64_t fsim_price_book_memory(const fsim_price_book *book, uint64_t mb);
/* Index of the book's node in plan.node, FSIM_NODE_SIZES_MAX if it is not there. */
uint32_t fsim_price_book_node(const fsim_price_book *book, const fsim_meter_plan *plan);

#endif
