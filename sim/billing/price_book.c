/* Reading price books; see price_book.h. */
#include "billing/price_book.h"

#include "billing/meter.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA "fsim.pricebook/1"

/* In the order of fsim_metering_mode. */
const char *const fsim_metering_mode_names[] = {
    "request",         "active_interval",          "threshold",           "cpu_time",
    "residency",       "cpu_time+active_interval", "cpu_time+residency",  "node-hours",
    "residency+burst", "residency+active",         "given by the vector", NULL};

/* ---- small readers
 * ------------------------------------------------------------------------------------------------- */

/* Accepts keys that inform people and have no part in the arithmetic. NULL-terminated. */
static void skip_notes(const fsim_value *object, const char *const *keys) {
    for (; *keys != NULL; keys++) {
        fsim_value *note = fsim_value_get(object, *keys);
        if (note != NULL) {
            fsim_value_mark_used(note);
        }
    }
}

/* A decimal string >= 0 with at most 12 decimals; absent: *out stays. */
static fsim_status get_pico(const fsim_value *object, const char *key, fsim_i128 *out, bool *found,
                            fsim_error *err) {
    const fsim_value *value = fsim_value_get(object, key);
    if (found != NULL) {
        *found = value != NULL;
    }
    if (value == NULL) {
        return FSIM_OK;
    }
    if (value->kind == FSIM_VALUE_INTEGER || value->kind == FSIM_VALUE_REAL) {
        return fsim_value_fail(
            value, err,
            "a number in a price book is a decimal string, such as \"0.0000166667\": a JSON number may have "
            "lost digits");
    }
    fsim_i128 pico;
    if (value->kind != FSIM_VALUE_STRING || !fsim_decimal_parse_pico(value->string, &pico) || pico < 0) {
        return fsim_value_fail(value, err, "expected a decimal string of at most 12 decimals, not negative");
    }
    *out = pico;
    return FSIM_OK;
}

static fsim_status get_ratio(const fsim_value *object, const char *key, fsim_ratio *out, fsim_error *err) {
    fsim_i128 pico = 0;
    bool found = false;
    FSIM_TRY(get_pico(object, key, &pico, &found, err));
    if (found && !fsim_ratio_make(pico, FSIM_PICO, out)) {
        return fsim_value_fail(fsim_value_get(object, key), err, "too large");
    }
    return FSIM_OK;
}

static fsim_status get_count(const fsim_value *object, const char *key, uint64_t min, uint64_t *out,
                             fsim_error *err) {
    int64_t number = (int64_t)*out;
    FSIM_TRY(fsim_value_get_i64(object, key, (int64_t)min, INT64_C(1) << 50, &number, err));
    *out = (uint64_t)number;
    return FSIM_OK;
}

static fsim_status need_string(const fsim_value *object, const char *key, const char **out, fsim_error *err) {
    *out = NULL;
    FSIM_TRY(fsim_value_get_string(object, key, out, err));
    return *out == NULL || **out == '\0' ? fsim_value_missing(object, key, err) : FSIM_OK;
}

static fsim_status need_array(const fsim_value *value, size_t max, fsim_error *err) {
    if (value->kind != FSIM_VALUE_ARRAY || value->count > max) {
        return fsim_value_fail(value, err, "expected an array of at most %zu", max);
    }
    return FSIM_OK;
}

static bool starts_with(const char *text, const char *word) {
    size_t length = strlen(word);
    return strncmp(text, word, length) == 0 && (text[length] == '\0' || text[length] == ' ');
}

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
        FSIM_TRY(get_ratio(quantity, term->key, &out->term[i].factor, err));
    }
    return FSIM_OK;
}

static fsim_status read_tiers(const fsim_value *tiers, fsim_book_tiers *out, fsim_error *err) {
    FSIM_TRY(need_array(tiers, FSIM_BOOK_TIERS_MAX, err));
    if (tiers->count == 0) {
        return fsim_value_fail(tiers, err, "expected at least one tier");
    }
    fsim_ratio below = {0, 1};
    for (const fsim_value *item = tiers->first; item != NULL; item = item->next) {
        fsim_book_tier *tier = &out->tier[out->count++];
        const fsim_value *up_to = fsim_value_get(item, "up_to");
        bool priced = false;
        FSIM_TRY(get_pico(item, "price", &tier->price_pico, &priced, err));
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
        FSIM_TRY(get_ratio(item, "up_to", &tier->up_to, err));
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
    FSIM_TRY(get_ratio(meter, "free", &out->free, err));
    FSIM_TRY(fsim_value_get_enum(meter, "free_mode", modes, &mode, err));
    FSIM_TRY(get_pico(meter, "free_price", &out->free_price_pico, &priced, err));
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
    FSIM_TRY(get_ratio(round, "to", &out->block, err));
    return out->block.num > 0 ? FSIM_OK : fsim_value_fail(round, err, "expected \"to\" above 0");
}

static fsim_status read_price(const fsim_value *meter, fsim_book_meter *out, fsim_error *err) {
    const fsim_value *tiers = fsim_value_get(meter, "tiers");
    bool priced = false;
    FSIM_TRY(get_pico(meter, "price", &out->tiers.tier[0].price_pico, &priced, err));
    if (priced == (tiers != NULL)) {
        return fsim_value_fail(meter, err, "expected either price or tiers");
    }
    out->per = (fsim_ratio){1, 1};
    FSIM_TRY(get_ratio(meter, "per", &out->per, err));
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
    FSIM_TRY(need_string(meter, "id", &out->id, err));
    FSIM_TRY(need_string(meter, "unit", &out->unit, err));
    FSIM_TRY(read_terms(meter, out, err));
    FSIM_TRY(read_price(meter, out, err));
    FSIM_TRY(read_free(meter, out, err));
    if (out->free_is_credit && out->is_tiered) {
        return fsim_value_fail(meter, err, "free_mode \"credit\" needs a single price, not tiers");
    }
    FSIM_TRY(read_block(meter, out, err));
    FSIM_TRY(fsim_value_get_bool(meter, "optional", &out->optional, err));
    skip_notes(meter, notes);
    return FSIM_OK;
}

static fsim_status read_meters(const fsim_value *root, fsim_price_book *book, fsim_error *err) {
    const fsim_value *meters = fsim_value_get(root, "meters");
    if (meters == NULL) {
        return fsim_value_missing(root, "meters", err);
    }
    FSIM_TRY(need_array(meters, FSIM_BOOK_METERS_MAX, err));
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
    FSIM_TRY(need_array(fixed, FSIM_BOOK_FIXED_MAX, err));
    for (const fsim_value *item = fixed->first; item != NULL; item = item->next) {
        fsim_book_fixed *out = &book->fixed[book->fixed_count++];
        bool priced = false;
        int period = 2;
        FSIM_TRY(need_string(item, "id", &out->id, err));
        FSIM_TRY(get_pico(item, "price", &out->price_pico, &priced, err));
        FSIM_TRY(fsim_value_get_enum(item, "per", periods, &period, err));
        if (!priced) {
            return fsim_value_missing(item, "price", err);
        }
        out->period = periods[period];
        out->period_ns = lengths[period];
    }
    return FSIM_OK;
}

/* ---- metering
 * ------------------------------------------------------------------------------------------------------ */

static fsim_status read_memory(const fsim_value *metering, fsim_metering *m, fsim_error *err) {
    static const char *const notes[] = {"basis", "note", NULL};
    FSIM_TRY(get_count(metering, "memory_mb", 1, &m->memory_fixed, err));
    const fsim_value *memory = fsim_value_get(metering, "memory");
    if (memory == NULL || memory->kind == FSIM_VALUE_STRING) {
        return FSIM_OK;
    }
    FSIM_TRY(get_count(memory, "step_mib", 1, &m->memory_step, err));
    FSIM_TRY(get_count(memory, "min_mib", 1, &m->memory_min, err));
    FSIM_TRY(get_count(memory, "max_mib", 1, &m->memory_max, err));
    skip_notes(memory, notes);
    const fsim_value *sizes = fsim_value_get(memory, "sizes_mib");
    if (sizes == NULL) {
        return FSIM_OK;
    }
    FSIM_TRY(need_array(sizes, sizeof m->memory_size / sizeof m->memory_size[0], err));
    for (fsim_value *size = sizes->first; size != NULL; size = size->next) {
        uint64_t before = m->memory_size_count == 0 ? 0 : m->memory_size[m->memory_size_count - 1];
        if (size->kind != FSIM_VALUE_INTEGER || size->integer <= (int64_t)before) {
            return fsim_value_fail(size, err, "expected rising whole numbers of MiB");
        }
        fsim_value_mark_used(size);
        m->memory_size[m->memory_size_count++] = (uint64_t)size->integer;
    }
    return FSIM_OK;
}

static fsim_status read_idle(const fsim_value *metering, fsim_metering *m, fsim_error *err) {
    static const char *const notes[] = {"rule", "otherwise_idle", "price_ratio", "note", NULL};
    static const char *const readings[] = {"resident", "full", NULL};
    const fsim_value *idle = fsim_value_get(metering, "idle");
    if (idle == NULL) {
        return FSIM_OK;
    }
    uint64_t ppm = m->threshold_ppm, sample_us = (uint64_t)(m->window_ns / FSIM_US);
    int reading = 0;
    FSIM_TRY(get_count(idle, "threshold_ppm", 0, &ppm, err));
    FSIM_TRY(get_count(idle, "sample_us", 1, &sample_us, err));
    FSIM_TRY(fsim_value_get_enum(idle, "divide_by", readings, &reading, err));
    if (ppm > 2000000 || sample_us > 10000000) {
        return fsim_value_fail(idle, err,
                               "expected threshold_ppm up to 2000000 and sample_us up to 10000000");
    }
    m->threshold_ppm = (uint32_t)ppm;
    m->window_ns = (fsim_ns)sample_us * FSIM_US;
    m->full_window = reading == 1;
    if (m->mode == FSIM_MODE_RESIDENCY) {
        m->unpriced_rule = "idle";
    }
    skip_notes(idle, notes);
    return FSIM_OK;
}

static fsim_status read_init(const fsim_value *metering, fsim_metering *m, fsim_error *err) {
    const char *init = "unbilled", *starts = NULL;
    FSIM_TRY(fsim_value_get_string(metering, "init", &init, err));
    FSIM_TRY(fsim_value_get_string(metering, "starts", &starts, err));
    if (starts_with(init, "with_first") || starts_with(init, "billed") ||
        starts_with(init, "billed_with_first_request")) {
        m->init = FSIM_INIT_WITH_FIRST;
    } else if (starts_with(init, "separate")) {
        m->init = FSIM_INIT_SEPARATE;
    } else if (!starts_with(init, "unbilled")) {
        return fsim_value_fail(fsim_value_get(metering, "init"), err,
                               "expected unbilled, with_first, separate or billed");
    }
    bool resides = m->mode == FSIM_MODE_RESIDENCY || m->mode == FSIM_MODE_CPU_TIME_RESIDENCY;
    if (m->mode == FSIM_MODE_THRESHOLD && m->init != FSIM_INIT_UNBILLED) {
        m->unpriced_rule = "init";
    }
    if (starts != NULL && strcmp(starts, "create") != 0 && strcmp(starts, "image pull") != 0 &&
        strcmp(starts, "ready") != 0) {
        return fsim_value_fail(fsim_value_get(metering, "starts"), err,
                               "expected ready, create or image pull");
    }
    m->from_creation =
        resides && ((starts != NULL && strcmp(starts, "ready") != 0) || m->init != FSIM_INIT_UNBILLED);
    return FSIM_OK;
}

static fsim_status read_steps(const fsim_value *metering, fsim_metering *m, fsim_error *err) {
    static const char *const rounds[] = {"ceil", NULL};
    static const char *const notes[] = {"free_tier", "note", NULL};
    int round = 0;
    m->granularity_us = 1000;
    FSIM_TRY(get_count(metering, "granularity_us", 1, &m->granularity_us, err));
    m->min_us = m->granularity_us;
    FSIM_TRY(get_count(metering, "min_us", 0, &m->min_us, err));
    FSIM_TRY(fsim_value_get_enum(metering, "round", rounds, &round, err));
    m->provisioned_granularity_us = m->provisioned_min_us = 1000;
    const fsim_value *provisioned = fsim_value_get(metering, "provisioned");
    if (provisioned == NULL) {
        return FSIM_OK;
    }
    FSIM_TRY(get_count(provisioned, "granularity_us", 1, &m->provisioned_granularity_us, err));
    m->provisioned_min_us = m->provisioned_granularity_us;
    FSIM_TRY(get_count(provisioned, "min_us", 0, &m->provisioned_min_us, err));
    FSIM_TRY(fsim_value_get_enum(provisioned, "round", rounds, &round, err));
    skip_notes(provisioned, notes);
    return FSIM_OK;
}

/* Rules that only people understand: *rule becomes the key of the last one. */
static void note_prose(const fsim_value *object, const char *const *keys, const char **rule) {
    for (; *keys != NULL; keys++) {
        fsim_value *value = fsim_value_get(object, *keys);
        if (value != NULL) {
            fsim_value_mark_used(value);
            *rule = *keys;
        }
    }
}

static fsim_status read_metering(const fsim_value *root, fsim_metering *m, fsim_error *err) {
    static const char *const notes[] = {"round_scope", "init_limit_us", "shutdown",  "concurrency_max",
                                        "cpu",         "disk",          "ends",      "failed",
                                        "note",        "requests",      "residency", "old_granularity_us",
                                        "snapstart",   "stream",        NULL};
    const fsim_value *metering = fsim_value_get(root, "metering");
    const char *mode_name;
    if (metering == NULL) {
        return fsim_value_missing(root, "metering", err);
    }
    int mode = 0;
    FSIM_TRY(need_string(metering, "mode", &mode_name, err));
    FSIM_TRY(fsim_value_get_enum(metering, "mode", fsim_metering_mode_names, &mode, err));
    m->mode = (fsim_metering_mode)mode;
    m->threshold_ppm = 50000;
    m->window_ns = FSIM_SECOND;
    if (m->mode >= FSIM_MODE_NODE_HOURS) {
        m->unpriced_rule = "mode";
    }
    FSIM_TRY(read_steps(metering, m, err));
    FSIM_TRY(read_memory(metering, m, err));
    FSIM_TRY(read_idle(metering, m, err));
    FSIM_TRY(read_init(metering, m, err));
    skip_notes(metering, notes);
    static const char *const prose[] = {"rounding", NULL};
    static const char *const provisioned_prose[] = {"provisioned_idle", "reserved", NULL};
    note_prose(metering, prose, &m->unpriced_rule);
    note_prose(metering, provisioned_prose, &m->provisioned_rule);
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
    if (gb != NULL && starts_with(gb, "1000 MB")) {
        book->gb_mib = 1000;
    } else if (gb != NULL && !starts_with(gb, "1024 MiB")) {
        return fsim_value_fail(fsim_value_get(units, "gb"), err, "expected \"1024 MiB\" or \"1000 MB\"");
    }
    if (disk_free != NULL) {
        char *end = NULL;
        const char *digits = starts_with(disk_free, "first") ? disk_free + strlen("first") : disk_free;
        unsigned long mib = strtoul(digits, &end, 10);
        if (end == digits || !starts_with(end, " MiB")) {
            return fsim_value_fail(fsim_value_get(units, "disk_free"), err, "expected \"first 512 MiB\"");
        }
        book->disk_free_mib = mib;
    }
    skip_notes(units, notes);
    return FSIM_OK;
}

static fsim_status read_settle(const fsim_value *root, fsim_price_book *book, fsim_error *err) {
    static const char *const notes[] = {"period", "tier_accumulation", "note", NULL};
    static const char *const hourly[] = {"cu_round", "minimum", NULL};
    const fsim_value *settle = fsim_value_get(root, "settle");
    int64_t places = 2;
    if (settle != NULL) {
        FSIM_TRY(fsim_value_get_i64(settle, "places", 0, FSIM_PICO_DIGITS, &places, err));
        skip_notes(settle, notes);
        note_prose(settle, hourly, &book->metering.unpriced_rule); /* needs the usage of every single hour */
    }
    book->places = (int)places;
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
    FSIM_TRY(need_string(discount, "from_", &book->discount_from, err));
    FSIM_TRY(need_string(discount, "until", &book->discount_until, err));
    skip_notes(discount, notes);
    return read_tiers(tiers, &book->discount, err);
}

static fsim_status read_book(const fsim_value *root, fsim_price_book *book, fsim_error *err) {
    static const char *const notes[] = {"effective_from", "retrieved", "phase", "sources",    "source",
                                        "unverified",     "free_tier", "title", "cu_factors", NULL};
    const char *schema;
    if (root->kind != FSIM_VALUE_OBJECT) {
        return fsim_value_fail(root, err, "expected a price book: an object with schema \"" SCHEMA "\"");
    }
    FSIM_TRY(need_string(root, "schema", &schema, err));
    if (strcmp(schema, SCHEMA) != 0) {
        return fsim_value_fail(fsim_value_get(root, "schema"), err, "found \"%s\", expected \"" SCHEMA "\"",
                               schema);
    }
    FSIM_TRY(need_string(root, "id", &book->id, err));
    FSIM_TRY(need_string(root, "currency", &book->currency, err));
    FSIM_TRY(fsim_value_get_string(root, "provider", &book->provider, err));
    FSIM_TRY(fsim_value_get_string(root, "product", &book->product, err));
    FSIM_TRY(fsim_value_get_string(root, "region", &book->region, err));
    FSIM_TRY(fsim_value_get_string(root, "variant", &book->variant, err));
    skip_notes(root, notes);
    FSIM_TRY(read_units(root, book, err));
    FSIM_TRY(read_metering(root, &book->metering, err));
    FSIM_TRY(read_meters(root, book, err));
    FSIM_TRY(read_fixed(root, book, err));
    FSIM_TRY(read_discount(root, book, err));
    FSIM_TRY(read_settle(root, book, err));
    fsim_value *examples = fsim_value_get(root, "examples");
    if (examples != NULL) {
        FSIM_TRY(need_array(examples, SIZE_MAX, err));
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

/* ---- what a run must meter
 * ----------------------------------------------------------------------------------------- */

static uint32_t find_rule(const fsim_meter_rules *rules, uint64_t step_us, uint64_t least_us) {
    for (uint32_t i = 0; i < rules->count; i++) {
        if (rules->rule[i].step_ms * 1000 == step_us && rules->rule[i].least_ms * 1000 == least_us) {
            return i;
        }
    }
    return FSIM_METER_RULES_MAX;
}

uint32_t fsim_price_book_rule(const fsim_price_book *book, const fsim_meter_plan *plan) {
    const fsim_metering *m = &book->metering;
    switch (m->mode) {
    case FSIM_MODE_REQUEST: return find_rule(&plan->request, m->granularity_us, m->min_us);
    case FSIM_MODE_ACTIVE_INTERVAL:
    case FSIM_MODE_CPU_TIME_ACTIVE_INTERVAL: return find_rule(&plan->active, m->granularity_us, m->min_us);
    case FSIM_MODE_RESIDENCY:
    case FSIM_MODE_CPU_TIME_RESIDENCY:
        return find_rule(m->from_creation ? &plan->lifetime : &plan->residency, m->granularity_us, m->min_us);
    default: return 0;
    }
}

uint32_t fsim_price_book_provisioned_rule(const fsim_price_book *book, const fsim_meter_plan *plan) {
    return find_rule(&plan->provisioned, book->metering.provisioned_granularity_us,
                     book->metering.provisioned_min_us);
}

static fsim_status add_rule(const fsim_price_book *book, fsim_meter_rules *rules, uint64_t step_us,
                            uint64_t least_us, fsim_error *err) {
    if (step_us % 1000 != 0 || least_us % 1000 != 0) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "price book %s rounds to %" PRIu64 " us: runs are metered in whole milliseconds",
                         book->id, step_us % 1000 != 0 ? step_us : least_us);
    }
    if (fsim_meter_rules_add(rules, step_us / 1000, least_us / 1000) == FSIM_METER_RULES_MAX) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "price book %s: one run meters at most %d different roundings of the same kind; "
                         "bill fewer books at once",
                         book->id, FSIM_METER_RULES_MAX);
    }
    return FSIM_OK;
}

static fsim_status require_steps(const fsim_price_book *book, fsim_meter_plan *plan, fsim_error *err) {
    const fsim_metering *m = &book->metering;
    switch (m->mode) {
    case FSIM_MODE_REQUEST: return add_rule(book, &plan->request, m->granularity_us, m->min_us, err);
    case FSIM_MODE_ACTIVE_INTERVAL:
    case FSIM_MODE_CPU_TIME_ACTIVE_INTERVAL:
        return add_rule(book, &plan->active, m->granularity_us, m->min_us, err);
    case FSIM_MODE_RESIDENCY:
    case FSIM_MODE_CPU_TIME_RESIDENCY:
        return add_rule(book, m->from_creation ? &plan->lifetime : &plan->residency, m->granularity_us,
                        m->min_us, err);
    default: return FSIM_OK;
    }
}

fsim_status fsim_price_book_require(const fsim_price_book *book, fsim_meter_plan *plan, bool *first,
                                    fsim_error *err) {
    const fsim_metering *m = &book->metering;
    if (m->unpriced_rule != NULL) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "price book %s cannot price a run: its rule %s cannot be computed from one",
                         book->id, m->unpriced_rule);
    }
    FSIM_TRY(require_steps(book, plan, err));
    FSIM_TRY(add_rule(book, &plan->provisioned, m->provisioned_granularity_us, m->provisioned_min_us, err));
    if (m->mode != FSIM_MODE_THRESHOLD) {
        return FSIM_OK;
    }
    bool same = plan->threshold_ppm == m->threshold_ppm && plan->window_ns == m->window_ns &&
                plan->full_window == m->full_window;
    if (!*first && !same) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "price book %s bills CPU above %" PRIu32 " ppm and another one above %" PRIu32
                         " ppm (or in other windows): one run has one threshold",
                         book->id, m->threshold_ppm, plan->threshold_ppm);
    }
    plan->threshold_ppm = m->threshold_ppm;
    plan->window_ns = m->window_ns;
    plan->full_window = m->full_window;
    *first = false;
    return FSIM_OK;
}
