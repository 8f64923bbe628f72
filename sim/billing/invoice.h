/* The bill: quantities x price book, in whole numbers from beginning to end.
 *
 * Per meter: quantity, minus the free part, rounded up to a block, times the price of each tier, minus a
 * credit, never below 0 (billing spec 2.1). Every line is one fraction that is divided once and rounded half
 * up to a pico-unit (1e-12 of the currency), so a line is off by at most half a pico-unit, and the total is
 * the exact sum of its lines. */
#ifndef FSIM_BILLING_INVOICE_H
#define FSIM_BILLING_INVOICE_H

#include "billing/price_book.h"

#define FSIM_INVOICE_LINES_MAX 96

/* used, minus free, rounded up to a block, is the quantity of the meter's lines together; quantity x price =
 * amount, except where a credit was subtracted. The strings are exact decimals without trailing zeros. */
typedef struct fsim_invoice_line {
    const char *meter, *unit;
    char used[FSIM_DECIMAL_SIZE];     /* raw, of all tiers; "" from the second tier on */
    char free[FSIM_DECIMAL_SIZE];     /* what of it is not paid; "" where nothing is free */
    char credit[FSIM_DECIMAL_SIZE];   /* money subtracted from this line; "" where none is */
    char quantity[FSIM_DECIMAL_SIZE]; /* billable: after the free part and rounding; of this tier */
    char price[FSIM_DECIMAL_SIZE];    /* of one unit */
    char amount[FSIM_DECIMAL_SIZE];
    fsim_i128 amount_pico;
} fsim_invoice_line;

/* Plain data; strings of the book (meter, unit, book, currency) must outlive it. A tiered meter has a line
 * for each tier it reaches; a meter of which nothing is billable has one line of 0. */
typedef struct fsim_invoice {
    const char *book, *currency;
    fsim_invoice_line line[FSIM_INVOICE_LINES_MAX];
    uint32_t line_count;
    fsim_i128 total_pico;
    char total[FSIM_DECIMAL_SIZE];
    int places;
    fsim_ns month_ns; /* the run was scaled to this length; 0: it was not */
    /* Optional meters that are not on the bill because the run does not know their quantity. */
    const char *left_out[FSIM_BOOK_METERS_MAX];
    uint32_t left_out_count;
} fsim_invoice;

/* A literal line beside what the book says: a negotiated fee, another service. */
typedef struct fsim_invoice_extra {
    const char *id;
    fsim_ratio quantity, price; /* of one unit */
} fsim_invoice_extra;

/* Zero-initialised: free parts apply, list prices, no subscription. */
typedef struct fsim_invoice_options {
    bool free_off;                      /* no free part at all */
    const char *const *free_off_meters; /* or not for these meters; NULL-terminated, NULL: none */
    const char *on_date; /* "YYYY-MM-DD": a discount valid on that day applies; NULL: list price */
    fsim_ratio fixed[FSIM_BOOK_FIXED_MAX]; /* how many of each fixed fee; {0, 0}: none */
    const fsim_invoice_extra *extra;
    uint32_t extra_count;
} fsim_invoice_options;

/* `options` may be NULL. FSIM_ECONFIG: a quantity that is not known; FSIM_ELIMIT: a number beyond 128 bits.
 */
fsim_status fsim_invoice_build(fsim_invoice *out, const fsim_price_book *book,
                               const fsim_quantities *quantities, const fsim_invoice_options *options,
                               fsim_error *err);

/* The bill of a run: its quantities, each fixed fee for every started period of the run (of the month, when
 * it is scaled to one), and where the book settles by the hour every function's quantity of every hour
 * rounded up, with a line "minimum" for what is missing to the least amount of such an hour. `options` may be
 * NULL; its fixed fees are not used. */
fsim_status fsim_invoice_of_run(fsim_invoice *out, const fsim_price_book *book, const fsim_metered_run *run,
                                const fsim_invoice_options *options, fsim_error *err);

/* What the quantities cost, exactly: no line is rounded. Meters whose quantity is not known cost nothing
 * here; fixed fees as in `options` (which may be NULL). For comparing prices, not for bills. False: too
 * large. */
bool fsim_invoice_exact(fsim_ratio *out, const fsim_price_book *book, const fsim_quantities *quantities,
                        const fsim_invoice_options *options);

/* As people are shown it: the total rounded half up ("2.73"), or the sum of the lines each rounded first, as
 * some vendors do. A bill that is not nothing is not shown as nothing: where all decimals would be 0 the
 * total is shown in full. */
char *fsim_invoice_show_total(const fsim_invoice *invoice, bool lines_first, char *out, size_t size);

#endif
