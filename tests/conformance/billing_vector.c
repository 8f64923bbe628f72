#include "billing_vector.h"

#include "io/embedded.h"
#include "io/json_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

vector_book vector_book_parse(verdict *v, const char *text) {
    vector_book b = {.pool = fsim_value_pool_create()};
    fsim_error err = {0};
    fsim_value *root;
    if (b.pool == NULL || fsim_json_read_text(b.pool, text, "book", &root, &err) != FSIM_OK ||
        fsim_price_book_load(&b.book, root, &err) != FSIM_OK) {
        verdict_fail(v, "a price book", "%s: %s", err.place, err.text);
    }
    return b;
}

vector_book vector_book_open(verdict *v, const json_t *vector) {
    const char *id = verdict_read_text(v, vector, "pricebook");
    const json_t *beside = conformance_book(v->c, id);
    if (beside != NULL) {
        char *text = json_dumps(beside, 0);
        vector_book b = vector_book_parse(v, text);
        free(text);
        return b;
    }
    for (const fsim_embedded *file = fsim_embedded_books; file->name != NULL; file++) {
        if (strcmp(file->name, id) == 0) {
            return vector_book_parse(v, file->text);
        }
    }
    verdict_fail(v, "a known price book", "%s", id);
    return (vector_book){0};
}

void vector_book_close(vector_book *b) {
    fsim_price_book_destroy(b->book);
    fsim_value_pool_destroy(b->pool);
}

/* More decimals than money has: the rest is read apart and moved behind them. */
static bool parse_long(const char *text, fsim_ratio *out) {
    const char *point = strchr(text, '.');
    char head[64], rest[64];
    fsim_ratio tail;
    if (point == NULL || strlen(point + 1) <= FSIM_PICO_DIGITS) {
        return fsim_decimal_parse_ratio(text, out);
    }
    snprintf(head, sizeof head, "%.*s", (int)(point + 1 - text) + FSIM_PICO_DIGITS, text);
    snprintf(rest, sizeof rest, "0.%s", point + 1 + FSIM_PICO_DIGITS);
    return fsim_decimal_parse_ratio(head, out) && fsim_decimal_parse_ratio(rest, &tail) &&
           fsim_ratio_div(tail, (fsim_ratio){FSIM_PICO, 1}, &tail) && fsim_ratio_add(*out, tail, out);
}

bool vector_ratio(const json_t *value, fsim_ratio *out) {
    char text[64];
    if (json_is_string(value)) {
        return parse_long(json_string_value(value), out);
    }
    if (json_is_integer(value)) {
        return fsim_ratio_make(json_integer_value(value), 1, out);
    }
    if (!json_is_real(value)) {
        return false;
    }
    snprintf(text, sizeof text, "%.9f", json_real_value(value)); /* what was written has fewer decimals */
    return fsim_decimal_parse_ratio(text, out);
}

fsim_ratio vector_need_ratio(verdict *v, const json_t *object, const char *key) {
    fsim_ratio value = {0, 1};
    if (!vector_ratio(json_object_get(object, key), &value)) {
        verdict_fail(v, "a number", "no %s", key);
    }
    return value;
}

fsim_ns vector_need_ns(verdict *v, const json_t *value, fsim_ns unit) {
    fsim_ratio ns = {0, 1};
    if (!vector_ratio(value, &ns) || !fsim_ratio_mul(ns, (fsim_ratio){unit, 1}, &ns) || ns.den != 1 ||
        ns.num > INT64_MAX) {
        verdict_fail(v, "a span of whole ns", "another value");
        return 0;
    }
    return (fsim_ns)ns.num;
}

static void compare(verdict *v, const char *what, const json_t *expected, fsim_ratio got, int64_t tolerance) {
    fsim_ratio want, off;
    fsim_i128 pico = 0;
    char have[FSIM_DECIMAL_SIZE], said[96], wanted[96];
    if (!vector_ratio(expected, &want)) {
        verdict_fail(v, what, "no expected number");
        return;
    }
    bool fits = fsim_ratio_sub(got, want, &off) && fsim_ratio_to_pico(off, FSIM_ROUND_HALF_UP, &pico);
    if (!fits || pico > tolerance || pico < -tolerance) {
        char text[FSIM_DECIMAL_SIZE];
        fsim_decimal_print_ratio(want, text, sizeof text);
        fsim_decimal_print_ratio(got, have, sizeof have);
        snprintf(wanted, sizeof wanted, "%s %s", what, text);
        snprintf(said, sizeof said, "%s", have);
        verdict_fail(v, wanted, "%s", said);
    }
}

void vector_money(verdict *v, const char *what, const json_t *expected, fsim_ratio got) {
    compare(v, what, expected, got, 1000);
}

void vector_exact(verdict *v, const char *what, const json_t *expected, fsim_ratio got) {
    compare(v, what, expected, got, 1);
}
