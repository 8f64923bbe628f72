/* Break-evens of vectors/billing.json, by the solver of billing/breakeven.h on the price functions of books.
 */
#include "billing_vector.h"

#include "billing/breakeven.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Cost of some quantities, each constant + slope x. */
typedef struct price_line {
    const fsim_price_book *book;
    struct {
        fsim_quantity name;
        fsim_ratio constant, slope;
    } part[4];
    uint32_t count;
} price_line;

static bool cost_at(const void *user, fsim_ratio x, fsim_ratio *cost) {
    const fsim_invoice_options list = {.free_off = true};
    const price_line *line = user;
    fsim_quantities q = {0};
    for (uint32_t i = 0; i < line->count; i++) {
        fsim_ratio *value = &q.value[line->part[i].name];
        q.has[line->part[i].name] = true;
        if (!fsim_ratio_mul(line->part[i].slope, x, value) ||
            !fsim_ratio_add(*value, line->part[i].constant, value)) {
            return false;
        }
    }
    return fsim_invoice_exact(cost, line->book, &q, &list);
}

static void add_part(price_line *line, fsim_quantity name, fsim_ratio constant, fsim_ratio slope) {
    line->part[line->count].name = name;
    line->part[line->count].constant = constant;
    line->part[line->count++].slope = slope;
}

static fsim_ratio solve(verdict *v, const price_line *a, const price_line *b, int64_t high) {
    fsim_ratio x = {0, 1};
    bool found = false;
    if (!fsim_breakeven_solve((fsim_cost){cost_at, a}, (fsim_cost){cost_at, b}, (fsim_ratio){0, 1},
                              (fsim_ratio){high, 1}, &x, &found) ||
        !found) {
        verdict_fail(v, "a break-even", "none");
    }
    return x;
}

/* Provisioned capacity of 1 GB, used for a share of the time, against the same use on demand. */
static fsim_ratio provisioned_utilisation(verdict *v, const fsim_price_book *book) {
    const fsim_ratio none = {0, 1}, one = {1, 1};
    price_line provisioned = {.book = book}, on_demand = {.book = book};
    add_part(&provisioned, FSIM_Q_PC_GB_S, one, none);
    add_part(&provisioned, FSIM_Q_PC_EXEC_GB_S, none, one);
    add_part(&on_demand, FSIM_Q_GB_S, none, one);
    return solve(v, &provisioned, &on_demand, 2);
}

/* A node for an hour against so many GB-s on demand. */
static fsim_ratio node_utilisation(verdict *v, const json_t *inputs, fsim_ratio gb) {
    char text[700];
    snprintf(
        text, sizeof text,
        "{\"schema\": \"fsim.pricebook/1\", \"id\": \"x\", \"currency\": \"USD\", \"metering\": {\"mode\": "
        "\"request\"}, \"meters\": [{\"id\": \"node\", \"quantity\": \"node_hours\", \"unit\": \"h\", "
        "\"price\": \"%s\", \"optional\": true}, {\"id\": \"use\", \"quantity\": \"gb_s\", \"unit\": "
        "\"GB-s\", \"price\": \"%s\", \"optional\": true}]}",
        verdict_read_text(v, inputs, "node_hour"), verdict_read_text(v, inputs, "lambda_gb_s"));
    vector_book b = vector_book_parse(v, text);
    fsim_ratio x = {0, 1}, gb_s;
    if (b.book != NULL && fsim_ratio_mul(gb, (fsim_ratio){3600, 1}, &gb_s)) {
        price_line node = {.book = b.book}, use = {.book = b.book};
        add_part(&node, FSIM_Q_NODE_HOURS, (fsim_ratio){1, 1}, (fsim_ratio){0, 1});
        add_part(&use, FSIM_Q_GB_S, (fsim_ratio){0, 1}, gb_s);
        x = solve(v, &node, &use, 1000);
    }
    vector_book_close(&b);
    return x;
}

/* Lambda gives 1 vCPU per 1769 MB. */
static fsim_ratio node_gb(verdict *v, const json_t *inputs, bool by_memory) {
    fsim_ratio gb = {0, 1};
    if (by_memory) {
        return vector_need_ratio(v, inputs, "gib");
    }
    fsim_ratio_mul(vector_need_ratio(v, inputs, "vcpu"), (fsim_ratio){1769, 1024}, &gb);
    return gb;
}

/* The figures of another vector, or of this one: the node of be-03 where only a saving is given. */
static fsim_ratio share_of_node(verdict *v, const json_t *inputs, bool by_memory) {
    fsim_ratio star, saved;
    if (verdict_has(inputs, "node_hour")) {
        return node_utilisation(v, inputs, node_gb(v, inputs, by_memory));
    }
    json_t *node = json_pack("{s:s, s:i, s:i, s:s}", "node_hour", "0.1632", "vcpu", 4, "gib", 16,
                             "lambda_gb_s", "0.0000133334");
    star = node_utilisation(v, node, node_gb(v, node, by_memory));
    json_decref(node);
    saved = vector_need_ratio(v, inputs, "target_saving");
    if (!fsim_ratio_sub((fsim_ratio){1, 1}, saved, &saved) || !fsim_ratio_mul(star, saved, &star)) {
        verdict_fail(v, "a share", "none");
    }
    return star;
}

/* "utilisation_gain_20_to_90_only": what the better use of the same nodes saves. */
static bool gain_named(const char *name, fsim_ratio *out) {
    int from, to;
    return sscanf(name, "utilisation_gain_%d_to_%d", &from, &to) == 2 && fsim_ratio_make(to - from, to, out);
}

static void check(verdict *v, const fsim_price_book *book, const json_t *inputs, const char *what,
                  const json_t *expected) {
    fsim_ratio got;
    bool by_memory = strcmp(what, "by_memory") == 0;
    if (by_memory || strcmp(what, "by_vcpu") == 0) {
        got = share_of_node(v, inputs, by_memory);
    } else if (strcmp(what, "utilisation") == 0) {
        got = provisioned_utilisation(v, book);
    } else if (!gain_named(what, &got)) {
        verdict_fail(v, "a known figure", "%s", what);
        return;
    }
    vector_exact(v, what, expected, got);
}

void billing_breakeven_vector(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *inputs = verdict_read_object(&v, vector, "inputs");
    const json_t *expected = verdict_read_object(&v, vector, "expected");
    vector_book b = vector_book_open(&v, vector);
    const char *what;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)expected, what, value) {
        if (!v.failed) {
            check(&v, b.book, inputs, what, value);
        }
    }
    vector_book_close(&b);
    verdict_end(&v);
}
