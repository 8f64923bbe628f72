/* The price books of a scenario: found by name or path, read once, applied to each run. */
#ifndef FSIM_CLI_BOOKS_H
#define FSIM_CLI_BOOKS_H

#include "billing/invoice.h"
#include "model/result.h"

typedef struct fsim_books {
    fsim_value_pool *pool; /* holds the strings of the books */
    fsim_price_book **items;
    uint32_t count;
    fsim_meter_plan meters; /* what a run must meter for all of them */
    fsim_ns month_ns;       /* bills are scaled to so long a month; 0: they are of the run */
    const char *on_date;    /* "YYYY-MM-DD": discounts and minimums of that day; NULL: list prices */
} fsim_books;

/* The books that `scenario` names. Errors: unknown book (with the nearest name), what its file says. On
 * failure *out needs no close. */
fsim_status fsim_books_open(fsim_books *out, const fsim_scenario *scenario, fsim_error *err);
/* One more book, that the scenario does not name; FSIM_ECONFIG unless it bills node hours of a run. Once. */
fsim_status fsim_books_add_nodes(fsim_books *books, const char *name, fsim_error *err);

/* One book that a command line names; what it needs is not yet in out->meters, and it may be one that cannot
 * price runs. */
fsim_status fsim_books_open_one(fsim_books *out, const char *name, fsim_error *err);
void fsim_books_close(fsim_books *books);

/* One invoice per book, in order; the caller frees the array. NULL with FSIM_OK when there is no book. */
fsim_status fsim_books_price(fsim_invoice **out, const fsim_books *books, const fsim_result *result,
                             fsim_error *err);

#endif
