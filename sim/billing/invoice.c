/* Evaluation of a book; see invoice.h. */
#include "billing/invoice.h"

#include <stdio.h>
#include <string.h>

static fsim_status too_large(const char *meter, fsim_error *err) {
    return fsim_fail(err, FSIM_ELIMIT, "meter %s: a number does not fit into 128 bits", meter);
}

/* What stands on a line, as fractions. */
typedef struct row {
    const char *meter, *unit;
    fsim_ratio used, free; /* of the meter */
    fsim_ratio quantity, price;
    fsim_ratio credit; /* subtracted from the amount, which is never below 0 */
    bool continued;    /* a further tier */
} row;

static void print_row(const row *r, fsim_invoice_line *line) {
    line->meter = r->meter;
    line->unit = r->unit;
    line->used[0] = line->free[0] = line->credit[0] = '\0';
    if (!r->continued) {
        fsim_decimal_print_ratio(r->used, line->used, sizeof line->used);
        if (r->free.num != 0) {
            fsim_decimal_print_ratio(r->free, line->free, sizeof line->free);
        }
    }
    if (r->credit.num != 0) {
        fsim_decimal_print_ratio(r->credit, line->credit, sizeof line->credit);
    }
    fsim_decimal_print_ratio(r->quantity, line->quantity, sizeof line->quantity);
    fsim_decimal_print_ratio(r->price, line->price, sizeof line->price);
    fsim_decimal_print_pico(line->amount_pico, line->amount, sizeof line->amount);
}

/* Appends a line. */
static fsim_status add_line(fsim_invoice *invoice, const row *r, fsim_error *err) {
    fsim_ratio amount;
    if (invoice->line_count == FSIM_INVOICE_LINES_MAX) {
        return fsim_fail(err, FSIM_ELIMIT, "a bill has at most %d lines", FSIM_INVOICE_LINES_MAX);
    }
    fsim_invoice_line *line = &invoice->line[invoice->line_count++];
    if (!fsim_ratio_mul(r->quantity, r->price, &amount) || !fsim_ratio_sub(amount, r->credit, &amount) ||
        !fsim_ratio_to_pico(amount, FSIM_ROUND_HALF_UP, &line->amount_pico)) {
        return too_large(r->meter, err);
    }
    if (line->amount_pico < 0) {
        line->amount_pico = 0;
    }
    if (!fsim_i128_add(invoice->total_pico, line->amount_pico, &invoice->total_pico)) {
        return too_large(r->meter, err);
    }
    print_row(r, line);
    return FSIM_OK;
}

static bool is_listed(const char *const *names, const char *name) {
    for (; names != NULL && *names != NULL; names++) {
        if (strcmp(*names, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The sum of the terms. *unknown is the first quantity that is not known, FSIM_QUANTITY_COUNT if all are; a
 * term with factor 0 needs none. */
static fsim_status sum_terms(const fsim_book_meter *meter, const fsim_quantities *q, fsim_ratio *sum,
                             fsim_quantity *unknown, fsim_error *err) {
    fsim_ratio part;
    *sum = (fsim_ratio){0, 1};
    *unknown = FSIM_QUANTITY_COUNT;
    for (uint32_t i = 0; i < meter->term_count; i++) {
        fsim_quantity name = meter->term[i].quantity;
        if (meter->term[i].factor.num == 0) {
            continue;
        }
        if (!q->has[name]) {
            *unknown = name;
            return FSIM_OK;
        }
        if (!fsim_ratio_mul(q->value[name], meter->term[i].factor, &part) ||
            !fsim_ratio_add(*sum, part, sum)) {
            return too_large(meter->id, err);
        }
    }
    return FSIM_OK;
}

/* Quantity to be paid: what was used, minus the free part, rounded up to a block. */
static fsim_status billable(const fsim_book_meter *meter, bool free_off, row *r, fsim_error *err) {
    int beyond = 0;
    r->free = (fsim_ratio){0, 1};
    r->quantity = r->used;
    if (!free_off && !meter->free_is_credit && meter->free.num != 0) {
        if (!fsim_ratio_compare(r->used, meter->free, &beyond)) {
            return too_large(meter->id, err);
        }
        r->free = beyond > 0 ? meter->free : r->used;
        if (!fsim_ratio_sub(r->used, r->free, &r->quantity)) {
            return too_large(meter->id, err);
        }
    }
    if (meter->block.num > 0 &&
        !fsim_ratio_round_to(r->quantity, meter->block, FSIM_ROUND_UP, &r->quantity)) {
        return too_large(meter->id, err);
    }
    return FSIM_OK;
}

/* Price of one unit: price / per, exact. */
static bool unit_price(fsim_i128 pico, fsim_ratio per, fsim_ratio *out) {
    return fsim_ratio_make(pico, FSIM_PICO, out) && fsim_ratio_div(*out, per, out);
}

static fsim_status add_tier_lines(fsim_invoice *invoice, const fsim_book_meter *meter,
                                  const fsim_book_tiers *tiers, row *r, fsim_error *err) {
    fsim_ratio below = {0, 1}, quantity = r->quantity;
    for (uint32_t i = 0; i < tiers->count; i++) {
        const fsim_book_tier *tier = &tiers->tier[i];
        int beyond = -1; /* quantity against the tier's end */
        r->continued = i > 0;
        if (!unit_price(tier->price_pico, meter->per, &r->price) ||
            (!tier->last && !fsim_ratio_compare(quantity, tier->up_to, &beyond)) ||
            !fsim_ratio_sub(beyond > 0 ? tier->up_to : quantity, below, &r->quantity)) {
            return too_large(meter->id, err);
        }
        FSIM_TRY(add_line(invoice, r, err));
        if (beyond <= 0) {
            break;
        }
        below = tier->up_to;
    }
    return FSIM_OK;
}

static bool discount_applies(const fsim_price_book *book, const char *date) {
    return date != NULL && book->discount_from != NULL && strcmp(date, book->discount_from) >= 0 &&
           strcmp(date, book->discount_until) <= 0;
}

static const fsim_book_tiers *tiers_of(const fsim_price_book *book, const fsim_book_meter *meter,
                                       const fsim_invoice_options *options) {
    return meter->is_tiered && discount_applies(book, options->on_date) ? &book->discount : &meter->tiers;
}

static fsim_status add_meter(fsim_invoice *invoice, const fsim_price_book *book, const fsim_book_meter *meter,
                             const fsim_quantities *q, const fsim_invoice_options *options, fsim_error *err) {
    bool free_off = options->free_off || is_listed(options->free_off_meters, meter->id);
    row r = {.meter = meter->id, .unit = meter->unit, .credit = {0, 1}};
    fsim_quantity unknown;
    FSIM_TRY(sum_terms(meter, q, &r.used, &unknown, err));
    if (unknown != FSIM_QUANTITY_COUNT) {
        if (!meter->optional) {
            return fsim_fail(err, FSIM_ECONFIG,
                             "price book %s, meter %s: needs %s, which is not known (say \"0\" if there was "
                             "none)",
                             book->id, meter->id, fsim_quantity_names[unknown]);
        }
        invoice->left_out[invoice->left_out_count++] = meter->id;
        return FSIM_OK;
    }
    FSIM_TRY(billable(meter, free_off, &r, err));
    if (meter->free_is_credit && !free_off) {
        fsim_ratio price;
        if (!unit_price(meter->free_price_pico, meter->per, &price) ||
            !fsim_ratio_mul(meter->free, price, &r.credit)) {
            return too_large(meter->id, err);
        }
    }
    return add_tier_lines(invoice, meter, tiers_of(book, meter, options), &r, err);
}

static void begin(fsim_invoice *out, const fsim_price_book *book) {
    memset(out, 0, sizeof *out);
    out->book = book->id;
    out->currency = book->currency;
    out->places = book->places;
}

static fsim_status add_fixed(fsim_invoice *out, const fsim_price_book *book, const fsim_ratio *counts,
                             fsim_error *err) {
    for (uint32_t i = 0; i < book->fixed_count; i++) {
        row r = {.meter = book->fixed[i].id,
                 .unit = book->fixed[i].period,
                 .used = counts[i],
                 .quantity = counts[i],
                 .free = {0, 1},
                 .credit = {0, 1}};
        if (counts[i].den == 0 || counts[i].num == 0) {
            continue;
        }
        if (!fsim_ratio_make(book->fixed[i].price_pico, FSIM_PICO, &r.price)) {
            return too_large(r.meter, err);
        }
        FSIM_TRY(add_line(out, &r, err));
    }
    return FSIM_OK;
}

static fsim_status add_extra(fsim_invoice *out, const fsim_invoice_options *options, fsim_error *err) {
    for (uint32_t i = 0; i < options->extra_count; i++) {
        const fsim_invoice_extra *extra = &options->extra[i];
        row r = {.meter = extra->id,
                 .unit = "",
                 .used = extra->quantity,
                 .free = {0, 1},
                 .quantity = extra->quantity,
                 .price = extra->price,
                 .credit = {0, 1}};
        FSIM_TRY(add_line(out, &r, err));
    }
    return FSIM_OK;
}

static void end(fsim_invoice *out) {
    fsim_decimal_print_pico(out->total_pico, out->total, sizeof out->total);
}

fsim_status fsim_invoice_build(fsim_invoice *out, const fsim_price_book *book,
                               const fsim_quantities *quantities, const fsim_invoice_options *options,
                               fsim_error *err) {
    static const fsim_invoice_options none;
    options = options == NULL ? &none : options;
    begin(out, book);
    for (uint32_t i = 0; i < book->meter_count; i++) {
        FSIM_TRY(add_meter(out, book, &book->meter[i], quantities, options, err));
    }
    FSIM_TRY(add_fixed(out, book, options->fixed, err));
    FSIM_TRY(add_extra(out, options, err));
    end(out);
    return FSIM_OK;
}

/* ---- runs ---- */

/* What so much costs by tiers, exact. */
static bool cost_of(const fsim_book_tiers *tiers, fsim_ratio per, fsim_ratio quantity, fsim_ratio *out) {
    fsim_ratio below = {0, 1}, price, part, amount;
    *out = (fsim_ratio){0, 1};
    for (uint32_t i = 0; i < tiers->count; i++) {
        const fsim_book_tier *tier = &tiers->tier[i];
        int beyond = -1;
        if ((!tier->last && !fsim_ratio_compare(quantity, tier->up_to, &beyond)) ||
            !unit_price(tier->price_pico, per, &price) ||
            !fsim_ratio_sub(beyond > 0 ? tier->up_to : quantity, below, &part) ||
            !fsim_ratio_mul(part, price, &amount) || !fsim_ratio_add(*out, amount, out)) {
            return false;
        }
        if (beyond <= 0) {
            return true;
        }
        below = tier->up_to;
    }
    return true;
}

/* Settlement by the hour: rounded-up quantities, and what is missing to the minimum of each function's hour.
 * The minimum is compared at the price of the tier in which the month stands in that hour. */
typedef struct settled {
    fsim_ratio quantity, missing;
} settled;

static bool settle_hour(const fsim_book_meter *meter, const fsim_book_tiers *tiers, fsim_ratio least,
                        fsim_ratio used, settled *sum) {
    fsim_ratio before, after, cost;
    int short_of = 0;
    if (!fsim_ratio_round_to(used, (fsim_ratio){1, 1}, FSIM_ROUND_UP, &used) ||
        !cost_of(tiers, meter->per, sum->quantity, &before) ||
        !fsim_ratio_add(sum->quantity, used, &sum->quantity) ||
        !cost_of(tiers, meter->per, sum->quantity, &after) || !fsim_ratio_sub(after, before, &cost) ||
        !fsim_ratio_compare(least, cost, &short_of)) {
        return false;
    }
    return short_of <= 0 ||
           (fsim_ratio_sub(least, cost, &cost) && fsim_ratio_add(sum->missing, cost, &sum->missing));
}

static bool minimum_applies(const fsim_price_book *book, const fsim_invoice_options *options) {
    const fsim_settlement *s = &book->settle;
    return s->minimum_pico != 0 && (s->minimum_from == NULL || options->on_date == NULL ||
                                    strcmp(options->on_date, s->minimum_from) >= 0);
}

static fsim_status settle_hours(const fsim_price_book *book, const fsim_metered_run *run,
                                const fsim_invoice_options *options, settled *sum, fsim_error *err) {
    const fsim_book_meter *meter = &book->meter[0];
    fsim_ratio least = {0, 1};
    *sum = (settled){{0, 1}, {0, 1}};
    if (run->plan->settle_ns == 0) {
        return fsim_fail(
            err, FSIM_ECONFIG,
            "price book %s settles every hour, and the run was not metered by the hour: run it with "
            "this book in --billing",
            book->id);
    }
    if (minimum_applies(book, options)) {
        fsim_ratio_make(book->settle.minimum_pico, FSIM_PICO, &least);
    }
    for (uint32_t i = 0; i < run->hour_count; i++) {
        fsim_quantities q;
        fsim_ratio used;
        fsim_quantity unknown;
        FSIM_TRY(fsim_quantities_of_hour(&q, book, run, &run->hours[i], err));
        FSIM_TRY(sum_terms(meter, &q, &used, &unknown, err));
        if (!settle_hour(meter, tiers_of(book, meter, options), least, used, sum)) {
            return too_large(meter->id, err);
        }
    }
    return FSIM_OK;
}

static fsim_status add_settled(fsim_invoice *out, const fsim_price_book *book, const fsim_metered_run *run,
                               const fsim_invoice_options *options, fsim_error *err) {
    const fsim_book_meter *meter = &book->meter[0];
    row r = {.meter = meter->id, .unit = meter->unit, .free = {0, 1}, .credit = {0, 1}};
    settled sum;
    FSIM_TRY(settle_hours(book, run, options, &sum, err));
    if (!fsim_quantity_to_month(run, &sum.quantity) || !fsim_quantity_to_month(run, &sum.missing)) {
        return too_large(meter->id, err);
    }
    r.used = r.quantity = sum.quantity;
    FSIM_TRY(add_tier_lines(out, meter, tiers_of(book, meter, options), &r, err));
    if (sum.missing.num == 0) {
        return FSIM_OK;
    }
    r = (row){.meter = "minimum",
              .unit = book->currency,
              .used = sum.missing,
              .free = {0, 1},
              .quantity = sum.missing,
              .price = {1, 1},
              .credit = {0, 1}};
    return add_line(out, &r, err);
}

fsim_status fsim_invoice_of_run(fsim_invoice *out, const fsim_price_book *book, const fsim_metered_run *run,
                                const fsim_invoice_options *options, fsim_error *err) {
    static const fsim_invoice_options none;
    options = options == NULL ? &none : options;
    fsim_quantities quantities;
    fsim_ratio fixed[FSIM_BOOK_FIXED_MAX];
    fsim_ns horizon_ns = run->month_ns != 0 ? run->month_ns : run->horizon_ns;
    FSIM_TRY(fsim_quantities_of_run(&quantities, book, run, err));
    begin(out, book);
    out->month_ns = run->month_ns;
    if (book->settle.hourly) {
        FSIM_TRY(add_settled(out, book, run, options, err));
    }
    for (uint32_t i = 0; i < book->meter_count && !book->settle.hourly; i++) {
        FSIM_TRY(add_meter(out, book, &book->meter[i], &quantities, options, err));
    }
    for (uint32_t i = 0; i < book->fixed_count; i++) {
        fsim_ns period = book->fixed[i].period_ns;
        fixed[i] = (fsim_ratio){horizon_ns / period + (horizon_ns % period != 0), 1};
    }
    FSIM_TRY(add_fixed(out, book, fixed, err));
    FSIM_TRY(add_extra(out, options, err));
    end(out);
    return FSIM_OK;
}

/* ---- without rounding ---- */

static bool exact_meter(const fsim_price_book *book, const fsim_book_meter *meter, const fsim_quantities *q,
                        const fsim_invoice_options *options, fsim_ratio *out) {
    bool free_off = options->free_off || is_listed(options->free_off_meters, meter->id);
    row r = {.meter = meter->id, .unit = meter->unit, .credit = {0, 1}};
    fsim_quantity unknown;
    fsim_ratio price;
    *out = (fsim_ratio){0, 1};
    if (sum_terms(meter, q, &r.used, &unknown, NULL) != FSIM_OK) {
        return false;
    }
    if (unknown != FSIM_QUANTITY_COUNT) {
        return true;
    }
    if (billable(meter, free_off, &r, NULL) != FSIM_OK ||
        !cost_of(tiers_of(book, meter, options), meter->per, r.quantity, out)) {
        return false;
    }
    if (meter->free_is_credit && !free_off &&
        (!unit_price(meter->free_price_pico, meter->per, &price) ||
         !fsim_ratio_mul(meter->free, price, &r.credit) || !fsim_ratio_sub(*out, r.credit, out))) {
        return false;
    }
    *out = out->num < 0 ? (fsim_ratio){0, 1} : *out;
    return true;
}

bool fsim_invoice_exact(fsim_ratio *out, const fsim_price_book *book, const fsim_quantities *quantities,
                        const fsim_invoice_options *options) {
    static const fsim_invoice_options none;
    fsim_ratio part, price;
    options = options == NULL ? &none : options;
    *out = (fsim_ratio){0, 1};
    for (uint32_t i = 0; i < book->meter_count; i++) {
        if (!exact_meter(book, &book->meter[i], quantities, options, &part) ||
            !fsim_ratio_add(*out, part, out)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < book->fixed_count; i++) {
        if (options->fixed[i].den != 0 &&
            (!fsim_ratio_make(book->fixed[i].price_pico, FSIM_PICO, &price) ||
             !fsim_ratio_mul(price, options->fixed[i], &part) || !fsim_ratio_add(*out, part, out))) {
            return false;
        }
    }
    return true;
}

char *fsim_invoice_show_total(const fsim_invoice *invoice, bool lines_first, char *out, size_t size) {
    fsim_i128 total = invoice->total_pico, unit = 1, rounded = 0;
    for (int i = invoice->places; i < FSIM_PICO_DIGITS; i++) {
        unit *= 10;
    }
    for (uint32_t i = 0; i < invoice->line_count && lines_first; i++) {
        total = i == 0 ? 0 : total;
        fsim_i128_divide(invoice->line[i].amount_pico, unit, FSIM_ROUND_HALF_UP, &rounded);
        total += rounded * unit;
    }
    fsim_i128_divide(total, unit, FSIM_ROUND_HALF_UP, &rounded);
    if (rounded == 0 && invoice->total_pico != 0) {
        return fsim_decimal_print_pico(invoice->total_pico, out, size);
    }
    return fsim_decimal_print_places(total, invoice->places, FSIM_ROUND_HALF_UP, out, size);
}
