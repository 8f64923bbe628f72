/* Reading price books; see price_book.h. */
#include "billing/price_book.h"

#include "billing/book_read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA "fsim.pricebook/1"

/* In the order of fsim_metering_mode. */
const char *const fsim_metering_mode_names[] = {
    "request",         "active_interval",          "threshold",           "cpu_time",
    "residency",       "cpu_time+active_interval", "cpu_time+residency",  "node-hours",
    "residency+burst", "residency+active",         "given by the vector", NULL};

/* ---- meters
 * -------------------------------------------------------------------------------------------------------- */

static fsim_status read_quantity_name(const fsim_value *at, const char *name, fsim_quantity *out,
                                      fsim_error *err) {
    for (int q = 0; q < FSIM_QUANTITY_COUNT; q++) {
        if (strcmp(name, fsim_quantity_names[q]) == 0) {
            *out = (fsim_quantity)q;
            return FSIM_OK;
        }
    }
    return fsim_value_fail_name(at, "quantity", fsim_quantity_names, err);
}

static fsim_status read_terms(const fsim_value *meter, fsim_book_meter *out, fsim_error *err) {
    const fsim_value *quantity = fsim_value_get(meter, "quantity");
    if (quantity == NULL) {
        return fsim_value_missing(meter, "quantity", err);
    }
    if (quantity->kind == FSIM_VALUE_STRING) {
        out->term_count = 1;
        out->term[0].factor = (fsim_ratio){1, 1};
        return read_quantity_name(quantity, quantity->string, &out->term[0].quantity, err);
    }
    if (quantity->kind != FSIM_VALUE_OBJECT || quantity->count == 0 ||
        quantity->count > FSIM_BOOK_TERMS_MAX) {
        return fsim_value_fail(quantity, err,
                               "expected the name of a quantity, or an object of up to %d names and factors",
                               FSIM_BOOK_TERMS_MAX);
    }
    for (const fsim_value *term = quantity->first; term != NULL; term = term->next) {
        uint32_t i = out->term_count++;
        FSIM_TRY(read_quantity_name(term, term->key, &out->term[i].quantity, err));
        FSIM_TRY(fsim_book_get_ratio(quantity, term->key, &out->term[i].factor, err));
    }
    return FSIM_OK;
}

static fsim_status read_tiers(const fsim_value *tiers, fsim_book_tiers *out, fsim_error *err) {
    FSIM_TRY(fsim_book_need_array(tiers, FSIM_BOOK_TIERS_MAX, err));
    if (tiers->count == 0) {
        return fsim_value_fail(tiers, err, "expected at least one tier");
    }
    fsim_ratio below = {0, 1};
    for (const fsim_value *item = tiers->first; item != NULL; item = item->next) {
        fsim_book_tier *tier = &out->tier[out->count++];
        const fsim_value *up_to = fsim_value_get(item, "up_to");
        bool priced = false;
        FSIM_TRY(fsim_book_get_pico(item, "price", &tier->price_pico, &priced, err));
        if (!priced) {
            return fsim_value_missing(item, "price", err);
        }
        tier->last = up_to == NULL || up_to->kind == FSIM_VALUE_NULL;
        if (tier->last != (item->next == NULL)) {
            return fsim_value_fail(item, err,
                                   tier->last ? "only the last tier has no end: expected up_to"
                                              : "the last tier must not end: expected \"up_to\": null");
        }
        if (tier->last) {
            break;
        }
        int order = 0;
        FSIM_TRY(fsim_book_get_ratio(item, "up_to", &tier->up_to, err));
        if (!fsim_ratio_compare(tier->up_to, below, &order) || order <= 0) {
            return fsim_value_fail(up_to, err, "tiers must rise: expected more than the tier before");
        }
        below = tier->up_to;
    }
    return FSIM_OK;
}

static fsim_status read_free(const fsim_value *meter, fsim_book_meter *out, fsim_error *err) {
    static const char *const modes[] = {"quantity", "credit", NULL};
    int mode = 0;
    bool priced = false;
    out->free = (fsim_ratio){0, 1};
    FSIM_TRY(fsim_book_get_ratio(meter, "free", &out->free, err));
    FSIM_TRY(fsim_value_get_enum(meter, "free_mode", modes, &mode, err));
    FSIM_TRY(fsim_book_get_pico(meter, "free_price", &out->free_price_pico, &priced, err));
    out->free_is_credit = mode == 1;
    if (out->free_is_credit != priced) {
        return fsim_value_fail(meter, err,
                               out->free_is_credit ? "free_mode \"credit\" needs a free_price"
                                                   : "free_price belongs to free_mode \"credit\"");
    }
    return FSIM_OK;
}

static fsim_status read_block(const fsim_value *meter, fsim_book_meter *out, fsim_error *err) {
    static const char *const modes[] = {"ceil", NULL};
    const fsim_value *round = fsim_value_get(meter, "round");
    int mode = 0;
    out->block = (fsim_ratio){0, 1};
    if (round == NULL) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_value_get_enum(round, "mode", modes, &mode, err));
    FSIM_TRY(fsim_book_get_ratio(round, "to", &out->block, err));
    return out->block.num > 0 ? FSIM_OK : fsim_value_fail(round, err, "expected \"to\" above 0");
}

static fsim_status read_price(const fsim_value *meter, fsim_book_meter *out, fsim_error *err) {
    const fsim_value *tiers = fsim_value_get(meter, "tiers");
    bool priced = false;
    FSIM_TRY(fsim_book_get_pico(meter, "price", &out->tiers.tier[0].price_pico, &priced, err));
    if (priced == (tiers != NULL)) {
        return fsim_value_fail(meter, err, "expected either price or tiers");
    }
    out->per = (fsim_ratio){1, 1};
    FSIM_TRY(fsim_book_get_ratio(meter, "per", &out->per, err));
    if (out->per.num <= 0) {
        return fsim_value_fail(fsim_value_get(meter, "per"), err, "expected more than 0");
    }
    out->is_tiered = tiers != NULL;
    if (out->is_tiered) {
        return read_tiers(tiers, &out->tiers, err);
    }
    out->tiers.tier[0].last = true;
    out->tiers.count = 1;
    return FSIM_OK;
}

static fsim_status read_meter(const fsim_value *meter, fsim_book_meter *out, fsim_error *err) {
    static const char *const notes[] = {"note", "notes", "source", NULL};
    if (meter->kind != FSIM_VALUE_OBJECT) {
        return fsim_value_fail(meter, err, "expected a meter: {\"id\", \"quantity\", \"unit\", \"price\"}");
    }
    FSIM_TRY(fsim_book_need_string(meter, "id", &out->id, err));
    FSIM_TRY(fsim_book_need_string(meter, "unit", &out->unit, err));
    FSIM_TRY(read_terms(meter, out, err));
    FSIM_TRY(read_price(meter, out, err));
    FSIM_TRY(read_free(meter, out, err));
    if (out->free_is_credit && out->is_tiered) {
        return fsim_value_fail(meter, err, "free_mode \"credit\" needs a single price, not tiers");
    }
    FSIM_TRY(read_block(meter, out, err));
    FSIM_TRY(fsim_value_get_bool(meter, "optional", &out->optional, err));
    fsim_book_skip_notes(meter, notes);
    return FSIM_OK;
}

static fsim_status read_meters(const fsim_value *root, fsim_price_book *book, fsim_error *err) {
    const fsim_value *meters = fsim_value_get(root, "meters");
    if (meters == NULL) {
        return fsim_value_missing(root, "meters", err);
    }
    FSIM_TRY(fsim_book_need_array(meters, FSIM_BOOK_METERS_MAX, err));
    for (const fsim_value *item = meters->first; item != NULL; item = item->next) {
        fsim_book_meter *meter = &book->meter[book->meter_count];
        FSIM_TRY(read_meter(item, meter, err));
        for (uint32_t i = 0; i < book->meter_count; i++) {
            if (strcmp(book->meter[i].id, meter->id) == 0) {
                return fsim_value_fail(item, err, "there are two meters \"%s\"", meter->id);
            }
        }
        book->meter_count++;
    }
    return FSIM_OK;
}

static fsim_status read_fixed(const fsim_value *root, fsim_price_book *book, fsim_error *err) {
    static const char *const periods[] = {"hour", "day", "month", "year", NULL};
    static const fsim_ns lengths[] = {FSIM_HOUR, FSIM_DAY, 30 * FSIM_DAY, 365 * FSIM_DAY};
    const fsim_value *fixed = fsim_value_get(root, "fixed");
    if (fixed == NULL) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_book_need_array(fixed, FSIM_BOOK_FIXED_MAX, err));
    for (const fsim_value *item = fixed->first; item != NULL; item = item->next) {
        fsim_book_fixed *out = &book->fixed[book->fixed_count++];
        bool priced = false;
        int period = 2;
        FSIM_TRY(fsim_book_need_string(item, "id", &out->id, err));
        FSIM_TRY(fsim_book_get_pico(item, "price", &out->price_pico, &priced, err));
        FSIM_TRY(fsim_value_get_enum(item, "per", periods, &period, err));
        if (!priced) {
            return fsim_value_missing(item, "price", err);
        }
        out->period = periods[period];
        out->period_ns = lengths[period];
    }
    return FSIM_OK;
}

/* ---- the rest
 * ------------------------------------------------------------------------------------------------------ */

/* "1024 MiB", "1000 MB (...)": 1 MB of memory is 1 MiB everywhere, what differs is how many make a GB. */
static fsim_status read_units(const fsim_value *root, fsim_price_book *book, fsim_error *err) {
    static const char *const notes[] = {"stream_gb", "month", "exec_unit", "net_gb", "note", NULL};
    const fsim_value *units = fsim_value_get(root, "units");
    const char *gb = NULL, *disk_free = NULL;
    book->gb_mib = 1024;
    if (units == NULL) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_value_get_string(units, "gb", &gb, err));
    FSIM_TRY(fsim_value_get_string(units, "disk_free", &disk_free, err));
    if (gb != NULL && fsim_book_word(gb, "1000 MB")) {
        book->gb_mib = 1000;
    } else if (gb != NULL && !fsim_book_word(gb, "1024 MiB")) {
        return fsim_value_fail(fsim_value_get(units, "gb"), err, "expected \"1024 MiB\" or \"1000 MB\"");
    }
    if (disk_free != NULL) {
        char *end = NULL;
        const char *digits = fsim_book_word(disk_free, "first") ? disk_free + strlen("first") : disk_free;
        unsigned long mib = strtoul(digits, &end, 10);
        if (end == digits || !fsim_book_word(end, " MiB")) {
            return fsim_value_fail(fsim_value_get(units, "disk_free"), err, "expected \"first 512 MiB\"");
        }
        book->disk_free_mib = mib;
    }
    fsim_book_skip_notes(units, notes);
    return FSIM_OK;
}

static fsim_status read_minimum(const fsim_value *settle, fsim_price_book *book, fsim_error *err) {
    static const char *const notes[] = {"scope", "note", NULL};
    const fsim_value *minimum = fsim_value_get(settle, "minimum");
    const char *currency = book->currency;
    if (minimum == NULL) {
        return FSIM_OK;
    }
    if (minimum->kind == FSIM_VALUE_OBJECT) {
        FSIM_TRY(fsim_book_get_pico(minimum, "amount", &book->settle.minimum_pico, NULL, err));
        FSIM_TRY(fsim_value_get_string(minimum, "currency", &currency, err));
        FSIM_TRY(fsim_value_get_string(minimum, "from_", &book->settle.minimum_from, err));
        fsim_book_skip_notes(minimum, notes);
    }
    if (strcmp(currency, book->currency) != 0) { /* not ours to convert */
        book->settle.minimum_pico = 0;
    }
    return FSIM_OK;
}

static fsim_status read_settle(const fsim_value *root, fsim_price_book *book, fsim_error *err) {
    static const char *const notes[] = {"period", "tier_accumulation", "cu_round", "note", NULL};
    const fsim_value *settle = fsim_value_get(root, "settle");
    int64_t places = 2;
    if (settle != NULL) {
        FSIM_TRY(fsim_value_get_i64(settle, "places", 0, FSIM_PICO_DIGITS, &places, err));
        book->settle.hourly = fsim_value_get(settle, "cu_round") != NULL;
        FSIM_TRY(read_minimum(settle, book, err));
        fsim_book_skip_notes(settle, notes);
    }
    book->places = (int)places;
    if (book->settle.hourly && (book->meter_count != 1 || book->meter[0].block.num != 0 ||
                                book->meter[0].free.num != 0 || book->metering.mode != FSIM_MODE_THRESHOLD)) {
        return fsim_value_fail(settle, err,
                               "cu_round needs metering.mode \"threshold\" and a single meter without free "
                               "part and round");
    }
    return FSIM_OK;
}

static fsim_status read_discount(const fsim_value *root, fsim_price_book *book, fsim_error *err) {
    static const char *const notes[] = {"note", NULL};
    const fsim_value *discount = fsim_value_get(root, "discount");
    if (discount == NULL) {
        return FSIM_OK;
    }
    uint32_t tiered = 0;
    for (uint32_t i = 0; i < book->meter_count; i++) {
        tiered += book->meter[i].is_tiered;
    }
    if (tiered != 1) {
        return fsim_value_fail(discount, err,
                               "replaces the tiers of the tiered meter: expected one, not %" PRIu32, tiered);
    }
    const fsim_value *tiers = fsim_value_get(discount, "tiers");
    if (tiers == NULL) {
        return fsim_value_missing(discount, "tiers", err);
    }
    FSIM_TRY(fsim_book_need_string(discount, "from_", &book->discount_from, err));
    FSIM_TRY(fsim_book_need_string(discount, "until", &book->discount_until, err));
    fsim_book_skip_notes(discount, notes);
    return read_tiers(tiers, &book->discount, err);
}

static fsim_status read_book(const fsim_value *root, fsim_price_book *book, fsim_error *err) {
    static const char *const notes[] = {"effective_from", "retrieved", "phase", "sources",    "source",
                                        "unverified",     "free_tier", "title", "cu_factors", NULL};
    const char *schema;
    if (root->kind != FSIM_VALUE_OBJECT) {
        return fsim_value_fail(root, err, "expected a price book: an object with schema \"" SCHEMA "\"");
    }
    FSIM_TRY(fsim_book_need_string(root, "schema", &schema, err));
    if (strcmp(schema, SCHEMA) != 0) {
        return fsim_value_fail(fsim_value_get(root, "schema"), err, "found \"%s\", expected \"" SCHEMA "\"",
                               schema);
    }
    FSIM_TRY(fsim_book_need_string(root, "id", &book->id, err));
    FSIM_TRY(fsim_book_need_string(root, "currency", &book->currency, err));
    FSIM_TRY(fsim_value_get_string(root, "provider", &book->provider, err));
    FSIM_TRY(fsim_value_get_string(root, "product", &book->product, err));
    FSIM_TRY(fsim_value_get_string(root, "region", &book->region, err));
    FSIM_TRY(fsim_value_get_string(root, "variant", &book->variant, err));
    fsim_book_skip_notes(root, notes);
    FSIM_TRY(read_units(root, book, err));
    FSIM_TRY(fsim_book_read_metering(root, &book->metering, err));
    FSIM_TRY(read_meters(root, book, err));
    FSIM_TRY(read_fixed(root, book, err));
    FSIM_TRY(read_discount(root, book, err));
    FSIM_TRY(read_settle(root, book, err));
    fsim_value *examples = fsim_value_get(root, "examples");
    if (examples != NULL) {
        FSIM_TRY(fsim_book_need_array(examples, SIZE_MAX, err));
        fsim_value_mark_used(examples);
        book->examples = examples;
    }
    return fsim_value_check_used(root, NULL, err);
}

fsim_status fsim_price_book_load(fsim_price_book **out, const fsim_value *root, fsim_error *err) {
    *out = NULL;
    fsim_price_book *book = calloc(1, sizeof *book);
    if (book == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_status status = read_book(root, book, err);
    if (status != FSIM_OK) {
        fsim_price_book_destroy(book);
        return status;
    }
    *out = book;
    return FSIM_OK;
}

void fsim_price_book_destroy(fsim_price_book *book) {
    free(book);
}
