/* Evaluation of a book; see invoice.h. */
#include "billing/invoice.h"

#include <stdio.h>
#include <string.h>

static fsim_status too_large(const char *meter, fsim_error *err) {
    return fsim_fail(err, FSIM_ELIMIT, "meter %s: a number does not fit into 128 bits", meter);
}

/* Appends a line; `credit` is subtracted from the amount, which is never below 0. */
static fsim_status add_line(fsim_invoice *invoice, const char *meter, const char *unit, fsim_ratio quantity,
                            fsim_ratio price, fsim_ratio credit, fsim_error *err) {
    fsim_ratio amount;
    if (invoice->line_count == FSIM_INVOICE_LINES_MAX) {
        return fsim_fail(err, FSIM_ELIMIT, "a bill has at most %d lines", FSIM_INVOICE_LINES_MAX);
    }
    fsim_invoice_line *line = &invoice->line[invoice->line_count++];
    if (!fsim_ratio_mul(quantity, price, &amount) || !fsim_ratio_sub(amount, credit, &amount) ||
        !fsim_ratio_to_pico(amount, FSIM_ROUND_HALF_UP, &line->amount_pico)) {
        return too_large(meter, err);
    }
    if (line->amount_pico < 0) {
        line->amount_pico = 0;
    }
    if (!fsim_i128_add(invoice->total_pico, line->amount_pico, &invoice->total_pico)) {
        return too_large(meter, err);
    }
    line->meter = meter;
    line->unit = unit;
    fsim_decimal_print_ratio(quantity, line->quantity, sizeof line->quantity);
    fsim_decimal_print_ratio(price, line->price, sizeof line->price);
    fsim_decimal_print_pico(line->amount_pico, line->amount, sizeof line->amount);
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

/* Quantity to be paid: the sum of the terms, minus the free part, rounded up to a block. *known is false if a
 * term is not. */
static fsim_status billable(const fsim_book_meter *meter, const fsim_quantities *q, bool free_off,
                            fsim_ratio *out, bool *known, fsim_error *err) {
    fsim_ratio sum = {0, 1}, part;
    *known = true;
    for (uint32_t i = 0; i < meter->term_count; i++) {
        if (!q->has[meter->term[i].quantity]) {
            *known = false;
            return FSIM_OK;
        }
        if (!fsim_ratio_mul(q->value[meter->term[i].quantity], meter->term[i].factor, &part) ||
            !fsim_ratio_add(sum, part, &sum)) {
            return too_large(meter->id, err);
        }
    }
    if (!free_off && !meter->free_is_credit) {
        if (!fsim_ratio_sub(sum, meter->free, &sum)) {
            return too_large(meter->id, err);
        }
        if (sum.num < 0) {
            sum = (fsim_ratio){0, 1};
        }
    }
    if (meter->block.num > 0 && !fsim_ratio_round_to(sum, meter->block, FSIM_ROUND_UP, &sum)) {
        return too_large(meter->id, err);
    }
    *out = sum;
    return FSIM_OK;
}

/* Price of one unit: price / per, exact. */
static bool unit_price(fsim_i128 pico, fsim_ratio per, fsim_ratio *out) {
    return fsim_ratio_make(pico, FSIM_PICO, out) && fsim_ratio_div(*out, per, out);
}

static fsim_status add_tier_lines(fsim_invoice *invoice, const fsim_book_meter *meter,
                                  const fsim_book_tiers *tiers, fsim_ratio quantity, fsim_ratio credit,
                                  fsim_error *err) {
    fsim_ratio below = {0, 1}, price, part;
    for (uint32_t i = 0; i < tiers->count; i++) {
        const fsim_book_tier *tier = &tiers->tier[i];
        int beyond = -1; /* quantity against the tier's end */
        if (!unit_price(tier->price_pico, meter->per, &price) ||
            (!tier->last && !fsim_ratio_compare(quantity, tier->up_to, &beyond)) ||
            !fsim_ratio_sub(beyond > 0 ? tier->up_to : quantity, below, &part)) {
            return too_large(meter->id, err);
        }
        FSIM_TRY(add_line(invoice, meter->id, meter->unit, part, price, credit, err));
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

static fsim_status add_meter(fsim_invoice *invoice, const fsim_price_book *book, const fsim_book_meter *meter,
                             const fsim_quantities *q, const fsim_invoice_options *options, fsim_error *err) {
    bool free_off = options->free_off || is_listed(options->free_off_meters, meter->id);
    bool known;
    fsim_ratio quantity, credit = {0, 1};
    FSIM_TRY(billable(meter, q, free_off, &quantity, &known, err));
    if (!known) {
        if (!meter->optional) {
            return fsim_fail(err, FSIM_ECONFIG, "price book %s, meter %s: its quantity is not known",
                             book->id, meter->id);
        }
        invoice->left_out[invoice->left_out_count++] = meter->id;
        return FSIM_OK;
    }
    if (meter->free_is_credit && !free_off) {
        fsim_ratio price;
        if (!unit_price(meter->free_price_pico, meter->per, &price) ||
            !fsim_ratio_mul(meter->free, price, &credit)) {
            return too_large(meter->id, err);
        }
    }
    const fsim_book_tiers *tiers = &meter->tiers;
    if (meter->is_tiered && discount_applies(book, options->on_date)) {
        tiers = &book->discount;
    }
    return add_tier_lines(invoice, meter, tiers, quantity, credit, err);
}

fsim_status fsim_invoice_build(fsim_invoice *out, const fsim_price_book *book,
                               const fsim_quantities *quantities, const fsim_invoice_options *options,
                               fsim_error *err) {
    static const fsim_invoice_options none;
    options = options == NULL ? &none : options;
    memset(out, 0, sizeof *out);
    out->book = book->id;
    out->currency = book->currency;
    out->places = book->places;
    for (uint32_t i = 0; i < book->meter_count; i++) {
        FSIM_TRY(add_meter(out, book, &book->meter[i], quantities, options, err));
    }
    for (uint32_t i = 0; i < book->fixed_count; i++) {
        fsim_ratio price;
        if (options->fixed[i].den == 0 || options->fixed[i].num == 0) {
            continue;
        }
        if (!fsim_ratio_make(book->fixed[i].price_pico, FSIM_PICO, &price)) {
            return too_large(book->fixed[i].id, err);
        }
        FSIM_TRY(add_line(out, book->fixed[i].id, book->fixed[i].period, options->fixed[i], price,
                          (fsim_ratio){0, 1}, err));
    }
    fsim_decimal_print_pico(out->total_pico, out->total, sizeof out->total);
    return FSIM_OK;
}

fsim_status fsim_invoice_of_run(fsim_invoice *out, const fsim_price_book *book, const fsim_metered_run *run,
                                fsim_error *err) {
    fsim_quantities quantities;
    fsim_invoice_options options = {0};
    FSIM_TRY(fsim_quantities_of_run(&quantities, book, run, err));
    for (uint32_t i = 0; i < book->fixed_count; i++) {
        fsim_ns period = book->fixed[i].period_ns;
        options.fixed[i] = (fsim_ratio){run->horizon_ns / period + (run->horizon_ns % period != 0), 1};
    }
    return fsim_invoice_build(out, book, &quantities, &options, err);
}

char *fsim_invoice_show_total(const fsim_invoice *invoice, bool lines_first, char *out, size_t size) {
    fsim_i128 total = invoice->total_pico;
    if (lines_first) {
        fsim_i128 unit = 1;
        for (int i = invoice->places; i < FSIM_PICO_DIGITS; i++) {
            unit *= 10;
        }
        total = 0;
        for (uint32_t i = 0; i < invoice->line_count; i++) {
            fsim_i128 rounded = 0;
            fsim_i128_divide(invoice->line[i].amount_pico, unit, FSIM_ROUND_HALF_UP, &rounded);
            total += rounded * unit;
        }
    }
    return fsim_decimal_print_places(total, invoice->places, FSIM_ROUND_HALF_UP, out, size);
}
