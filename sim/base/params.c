/* Parameters from a table; see params.h.
 *
 * A fallback travels the same way as what a user writes: its text becomes a value in an object of its own,
 * and the one reader of its kind turns it into the field. A default outside its own range is therefore
 * refused like any other value, which is how the tests find one. */
#include "base/params.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const fsim_param fsim_params_none[] = {{0}};

static bool is_bounded(const fsim_param *row) {
    return row->min != 0 || row->max != 0;
}

/* A bound as a person would write it in that place: "6s", "1h", "0.5". */
static void print_bound(const fsim_param *row, double bound, char *out, size_t size) {
    if (row->kind == FSIM_PARAM_SPAN || row->kind == FSIM_PARAM_DIST) {
        fsim_text_print_span(fsim_ns_from_s(bound), out, size);
    } else {
        snprintf(out, size, "%.12g", bound);
    }
}

static fsim_status fail_range(const fsim_param *row, const fsim_value *value, const char *found,
                              fsim_error *err) {
    char low[64], high[64];
    const char *space = row->unit != NULL ? " " : "", *unit = row->unit != NULL ? row->unit : "";
    print_bound(row, row->min, low, sizeof low);
    print_bound(row, row->max, high, sizeof high);
    if (isinf(row->max)) {
        return fsim_value_fail(value, err, "%s is out of range: \"%s\" (%s) is at least %s%s%s", found,
                               row->name, row->help, low, space, unit);
    }
    return fsim_value_fail(value, err, "%s is out of range: \"%s\" (%s) is from %s to %s%s%s", found,
                           row->name, row->help, low, high, space, unit);
}

static bool in_range(const fsim_param *row, double value) {
    return !is_bounded(row) || (value >= row->min && value <= row->max);
}

static fsim_status read_span(void *field, const fsim_param *row, const fsim_value *from,
                             const fsim_value *value, fsim_error *err) {
    fsim_ns span_ns = 0;
    FSIM_TRY(fsim_value_get_span(from, row->name, row->off, &span_ns, err));
    if (!(row->off && span_ns == FSIM_NEVER) && !in_range(row, fsim_ns_to_s(span_ns))) {
        char found[48];
        fsim_text_print_span(span_ns, found, sizeof found);
        return fail_range(row, value, found, err);
    }
    memcpy(field, &span_ns, sizeof span_ns);
    return FSIM_OK;
}

static fsim_status read_dist(void *field, const fsim_param *row, fsim_value_pool *pool,
                             const fsim_value *value, const char *base_dir, fsim_error *err) {
    fsim_dist dist = {0};
    if (row->off && fsim_value_is_off(value)) {
        fsim_dist_constant(&dist, FSIM_NEVER);
    } else {
        FSIM_TRY(fsim_dist_read(&dist, pool, value, base_dir, false, err));
        if (dist.kind == FSIM_DIST_CONSTANT && !in_range(row, fsim_ns_to_s(dist.constant_ns))) {
            char found[48];
            fsim_text_print_span(dist.constant_ns, found, sizeof found);
            return fail_range(row, value, found, err);
        }
    }
    memcpy(field, &dist, sizeof dist);
    return FSIM_OK;
}

static fsim_status read_count(void *field, const fsim_param *row, const fsim_value *from,
                              const fsim_value *value, fsim_error *err) {
    int64_t count = 0;
    bool is_word =
        row->word != NULL && value->kind == FSIM_VALUE_STRING && strcmp(value->string, row->word) == 0;
    if (is_word) {
        count = FSIM_PARAM_WORD;
    } else if (row->off && fsim_value_is_off(value)) {
        count = INT64_MAX;
    } else if (value->kind == FSIM_VALUE_STRING && row->word != NULL) {
        return fsim_value_fail(value, err, "found the string \"%.100s\", expected a whole number or \"%s\"",
                               value->string, row->word);
    } else {
        FSIM_TRY(fsim_value_get_i64(from, row->name, INT64_MIN, INT64_MAX, &count, err));
        if (!in_range(row, (double)count)) {
            char found[32];
            snprintf(found, sizeof found, "%" PRId64, count);
            return fail_range(row, value, found, err);
        }
    }
    memcpy(field, &count, sizeof count);
    return FSIM_OK;
}

static fsim_status read_real(void *field, const fsim_param *row, const fsim_value *from,
                             const fsim_value *value, fsim_error *err) {
    double real = 0;
    FSIM_TRY(fsim_value_get_real(from, row->name, -INFINITY, INFINITY, &real, err));
    if (!in_range(row, real)) {
        char found[32];
        snprintf(found, sizeof found, "%.12g", real);
        return fail_range(row, value, found, err);
    }
    memcpy(field, &real, sizeof real);
    return FSIM_OK;
}

static fsim_status read_size(void *field, const fsim_param *row, const fsim_value *from,
                             const fsim_value *value, fsim_error *err) {
    int64_t bytes = 0;
    if (row->off && fsim_value_is_off(value)) {
        bytes = INT64_MAX;
    } else {
        FSIM_TRY(fsim_value_get_size(from, row->name, &bytes, err));
        if (!in_range(row, (double)bytes)) {
            char found[32];
            snprintf(found, sizeof found, "%" PRId64, bytes);
            return fail_range(row, value, found, err);
        }
    }
    memcpy(field, &bytes, sizeof bytes);
    return FSIM_OK;
}

static fsim_status read_text(void *field, const fsim_param *row, const fsim_value *from,
                             const fsim_value *value, fsim_error *err) {
    const char *text = "";
    if (!(row->off && fsim_value_is_off(value))) {
        FSIM_TRY(fsim_value_get_string(from, row->name, &text, err));
    }
    memcpy(field, &text, sizeof text);
    return FSIM_OK;
}

static fsim_status read_row(void *params, const fsim_param *row, fsim_value_pool *pool,
                            const fsim_value *from, const char *base_dir, fsim_error *err) {
    void *field = (char *)params + row->offset;
    const fsim_value *value = fsim_value_get(from, row->name);
    int choice = 0;
    switch (row->kind) {
    case FSIM_PARAM_SPAN: return read_span(field, row, from, value, err);
    case FSIM_PARAM_DIST: return read_dist(field, row, pool, value, base_dir, err);
    case FSIM_PARAM_COUNT: return read_count(field, row, from, value, err);
    case FSIM_PARAM_REAL: return read_real(field, row, from, value, err);
    case FSIM_PARAM_BOOL: return fsim_value_get_bool(from, row->name, field, err);
    case FSIM_PARAM_SIZE: return read_size(field, row, from, value, err);
    case FSIM_PARAM_TEXT: return read_text(field, row, from, value, err);
    case FSIM_PARAM_CHOICE:
        FSIM_TRY(fsim_value_get_enum(from, row->name, row->choices, &choice, err));
        memcpy(field, &choice, sizeof choice);
        return FSIM_OK;
    }
    return FSIM_OK;
}

/* A fallback as the value that a JSON file would hold in its place. */
static fsim_value *fallback_value(const fsim_param *row, fsim_value_pool *pool) {
    static const char origin[] = "default";
    const char *text = row->fallback;
    double real;
    if (strcmp(text, "null") == 0 || (row->off && strcmp(text, "none") == 0)) {
        return fsim_value_new(pool, FSIM_VALUE_NULL, origin);
    }
    if (row->kind == FSIM_PARAM_BOOL) {
        return fsim_value_new_bool(pool, strcmp(text, "true") == 0, origin);
    }
    bool number = row->kind == FSIM_PARAM_COUNT || row->kind == FSIM_PARAM_REAL;
    if (number && fsim_text_parse_real(text, &real)) {
        return row->kind == FSIM_PARAM_COUNT ? fsim_value_new_integer(pool, (int64_t)real, origin)
                                             : fsim_value_new_real(pool, real, origin);
    }
    return fsim_value_new_string(pool, text, origin);
}

void fsim_params_fill(const fsim_param *table, fsim_value_pool *pool, fsim_value *object) {
    for (const fsim_param *row = table; row->name != NULL; row++) {
        if (row->fallback != NULL && fsim_value_get(object, row->name) == NULL) {
            fsim_value_put(pool, object, row->name, fallback_value(row, pool));
        }
    }
}

fsim_status fsim_params_read(void *params, const fsim_param *table, fsim_value_pool *pool,
                             const fsim_value *object, const char *base_dir, fsim_error *err) {
    fsim_value *fallbacks = fsim_value_new(pool, FSIM_VALUE_OBJECT, "default");
    (void)fsim_value_get(object, "name");
    for (const fsim_param *row = table; row->name != NULL; row++) {
        const fsim_value *from = fsim_value_get(object, row->name) != NULL ? object : fallbacks;
        if (from == fallbacks && row->fallback == NULL) {
            return object == NULL
                       ? fsim_fail(err, FSIM_ECONFIG, "\"%s\" (%s) is missing", row->name, row->help)
                       : fsim_value_missing(object, row->name, err);
        }
        if (from == fallbacks) {
            fsim_value_put(pool, fallbacks, row->name, fallback_value(row, pool));
        }
        if (fsim_value_pool_exhausted(pool)) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        FSIM_TRY(read_row(params, row, pool, from, base_dir, err));
    }
    return fsim_value_check_used(object, NULL, err);
}
