/* Worked bills (vectors/billing.json): usage records to price, single rules of metering, two ways of metering
 * side by side, settlement by the hour. All of it through the price-book code of sim/billing; timelines and
 * break-evens have files of their own. */
#include "billing_vector.h"

#include "billing/meter.h"
#include "io/json_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXTRA_MAX 16

/* ---- usage records ---- */

static void read_record(verdict *v, const vector_book *b, const json_t *record, fsim_quantities *out) {
    fsim_error err = {0};
    fsim_value *root;
    char *text = json_dumps(record, 0);
    if (text == NULL || fsim_json_read_text(b->pool, text, "quantities", &root, &err) != FSIM_OK ||
        fsim_quantities_read(out, root, &err) != FSIM_OK) {
        verdict_fail(v, "quantities", "%s: %s", err.place, err.text);
    }
    free(text);
    for (int q = 0; q < FSIM_QUANTITY_COUNT; q++) { /* a record of a vector mentions only what was used */
        out->has[q] = true;
    }
}

typedef struct options {
    fsim_invoice_options invoice;
    const char *free_off[32];
    fsim_invoice_extra extra[EXTRA_MAX];
} options;

static void read_fixed(verdict *v, const fsim_price_book *book, const json_t *fixed, options *o) {
    const char *id;
    json_t *count;
    json_object_foreach((json_t *)(uintptr_t)fixed, id, count) {
        bool known = false;
        for (uint32_t i = 0; i < book->fixed_count; i++) {
            if (strcmp(book->fixed[i].id, id) == 0) {
                known = vector_ratio(count, &o->invoice.fixed[i]);
            }
        }
        if (!known) {
            verdict_fail(v, "a fixed fee of the book", "%s", id);
        }
    }
}

static void read_extra(verdict *v, const json_t *lines, options *o) {
    size_t i;
    json_t *line;
    json_array_foreach(lines, i, line) {
        if (i == EXTRA_MAX) {
            verdict_fail(v, "few extra lines", "more");
            return;
        }
        fsim_ratio price = vector_need_ratio(v, line, "price"), per = {1, 1};
        if (verdict_has(line, "per")) {
            per = vector_need_ratio(v, line, "per");
        }
        o->extra[i] = (fsim_invoice_extra){.id = verdict_read_text(v, line, "meter"),
                                           .quantity = vector_need_ratio(v, line, "quantity")};
        if (!fsim_ratio_div(price, per, &o->extra[i].price)) {
            verdict_fail(v, "a price", "none");
        }
        o->invoice.extra = o->extra;
        o->invoice.extra_count = (uint32_t)i + 1;
    }
}

static void read_options(verdict *v, const fsim_price_book *book, const json_t *inputs, options *o) {
    const json_t *said = json_object_get(inputs, "options"), *off = json_object_get(said, "free_off");
    size_t i;
    json_t *name;
    *o = (options){0};
    o->invoice.free_off = json_is_string(off) && strcmp(json_string_value(off), "all") == 0;
    json_array_foreach((json_t *)(uintptr_t)off, i, name) {
        if (i + 1 < sizeof o->free_off / sizeof *o->free_off) {
            o->free_off[i] = json_string_value(name);
        }
    }
    o->invoice.free_off_meters = o->free_off;
    static const char *const dates[] = {"date", "on_date", "discount_date"};
    for (i = 0; i < sizeof dates / sizeof *dates; i++) {
        if (verdict_has(said, dates[i])) {
            o->invoice.on_date = json_string_value(json_object_get(said, dates[i]));
        }
    }
    if (json_is_true(json_object_get(said, "discount")) || json_is_true(json_object_get(said, "promo"))) {
        o->invoice.on_date = book->discount_from;
    }
    read_fixed(v, book, json_object_get(said, "fixed"), o);
    read_extra(v, json_object_get(said, "extra_lines"), o);
}

/* A line of nothing that is not the one looked for. */
static bool is_skipped(const fsim_invoice_line *line, const char *meter, const json_t *quantity) {
    fsim_ratio wanted = {0, 1};
    return line->amount_pico == 0 &&
           (strcmp(line->meter, meter) != 0 ||
            (strcmp(line->quantity, "0") == 0 && vector_ratio(quantity, &wanted) && wanted.num != 0));
}

/* The lines of the vector are those of the bill, in its order; lines of nothing may be left out. */
static void check_lines(verdict *v, const json_t *lines, const fsim_invoice *invoice) {
    uint32_t at = 0;
    size_t i;
    json_t *line;
    json_array_foreach(lines, i, line) {
        const char *meter = verdict_read_text(v, line, "meter");
        const json_t *quantity = json_object_get(line, "billable_quantity");
        fsim_ratio got = {0, 1};
        while (at < invoice->line_count && is_skipped(&invoice->line[at], meter, quantity)) {
            at++;
        }
        if (at == invoice->line_count || strcmp(invoice->line[at].meter, meter) != 0) {
            verdict_fail(v, meter, "%s",
                         at == invoice->line_count ? "no such line" : invoice->line[at].meter);
            return;
        }
        verdict_at(v, meter, i);
        if (!fsim_decimal_parse_ratio(invoice->line[at].quantity, &got)) {
            verdict_fail(v, "a quantity", "%s", invoice->line[at].quantity);
        }
        vector_exact(v, "quantity", quantity, got);
        fsim_ratio_make(invoice->line[at].amount_pico, FSIM_PICO, &got);
        vector_money(v, "amount", json_object_get(line, "amount"), got);
        at++;
    }
    v->context[0] = '\0';
    for (; at < invoice->line_count; at++) {
        if (invoice->line[at].amount_pico != 0) {
            verdict_fail(v, "no further line", "%s %s", invoice->line[at].meter, invoice->line[at].amount);
        }
    }
}

/* So many requests of one length and size: the quantities follow from what a run would have metered. */
static void check_quantities(verdict *v, const fsim_price_book *book, const json_t *inputs,
                             const fsim_quantities *record) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    fsim_usage usage = {.vcpu_milli = 1000,
                        .disk_mb = (uint64_t)verdict_int_or(v, inputs, "ephemeral_mb", 0)};
    fsim_quantities got;
    bool first = true;
    if (book->metering.mode != FSIM_MODE_REQUEST || !verdict_has(inputs, "requests") ||
        !verdict_has(inputs, "billed_ms_each") || !verdict_has(inputs, "memory_mb") ||
        verdict_has(inputs, "pc") || verdict_has(inputs, "price_override") ||
        fsim_price_book_require(book, &plan, &first, NULL) != FSIM_OK) {
        return;
    }
    uint32_t rule = fsim_price_book_rule(book, &plan);
    plan.metered = FSIM_METERED_PROVISIONED;
    usage.requests = (uint64_t)verdict_read_int(v, inputs, "requests");
    usage.memory_mb = (uint64_t)verdict_read_int(v, inputs, "memory_mb");
    usage.request_ms[rule] =
        usage.requests *
        fsim_meter_billed_ms(&plan.request.rule[rule],
                             (uint64_t)verdict_read_int(v, inputs, "billed_ms_each") * (uint64_t)FSIM_MS);
    const fsim_metered_run run = {.plan = &plan, .functions = &usage, .function_count = 1};
    static const fsim_quantity follow[] = {FSIM_Q_REQUESTS, FSIM_Q_GB_S, FSIM_Q_EPH_GB_S, FSIM_Q_S_128MB};
    fsim_price_book open = *book;
    for (uint32_t i = 0; i < open.meter_count; i++) {
        open.meter[i].optional = true;
    }
    if (fsim_quantities_of_run(&got, &open, &run, NULL) != FSIM_OK) {
        return;
    }
    for (size_t i = 0; i < sizeof follow / sizeof *follow; i++) {
        int order = 0;
        if (got.has[follow[i]] && record->value[follow[i]].num != 0 &&
            (!fsim_ratio_compare(got.value[follow[i]], record->value[follow[i]], &order) || order != 0)) {
            verdict_fail(v, "quantities that follow from the inputs", "another %s",
                         fsim_quantity_names[follow[i]]);
        }
    }
}

static void check_total(verdict *v, const json_t *expected, const fsim_invoice *invoice) {
    const char *rule = json_string_value(json_object_get(expected, "display_rule"));
    char shown[FSIM_DECIMAL_SIZE];
    fsim_ratio total = {0, 1};
    fsim_ratio_make(invoice->total_pico, FSIM_PICO, &total);
    vector_money(v, "total", json_object_get(expected, "total_exact"), total);
    if (verdict_has(expected, "currency")) {
        verdict_text(v, "currency", verdict_read_text(v, expected, "currency"), invoice->currency);
    }
    if (verdict_has(expected, "total_display")) {
        bool lines_first = rule != NULL && strcmp(rule, "lines_2dp_then_sum") == 0;
        fsim_invoice_show_total(invoice, lines_first, shown, sizeof shown);
        verdict_text(v, "shown", verdict_read_text(v, expected, "total_display"), shown);
    }
}

/* As many decimals as the page prints, at least two. */
static int places_of(const json_t *expected) {
    const char *shown = json_string_value(json_object_get(expected, "total_display"));
    const char *point = shown == NULL ? NULL : strchr(shown, '.');
    size_t places = point == NULL ? 0 : strlen(point + 1);
    return places < 2 || places > FSIM_PICO_DIGITS ? 2 : (int)places;
}

static void run_aggregate(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *expected = verdict_read_object(&v, vector, "expected");
    const json_t *inputs = json_object_get(vector, "inputs");
    vector_book b = vector_book_open(&v, vector);
    fsim_quantities record = {0};
    fsim_invoice invoice;
    options o;
    fsim_error err = {0};
    if (!v.failed) {
        read_record(&v, &b, json_object_get(expected, "quantities"), &record);
        read_options(&v, b.book, inputs, &o);
        b.book->places = places_of(expected);
    }
    if (!v.failed && fsim_invoice_build(&invoice, b.book, &record, &o.invoice, &err) != FSIM_OK) {
        verdict_fail(&v, "a bill", "%s", err.text);
    }
    if (!v.failed) {
        check_quantities(&v, b.book, inputs, &record);
        check_lines(&v, json_object_get(expected, "lines"), &invoice);
        check_total(&v, expected, &invoice);
    }
    vector_book_close(&b);
    verdict_end(&v);
}

/* ---- single rules ---- */

/* The book's rule for one span of what its mode bills; inputs may name another granularity. */
static fsim_meter_rule rule_of(verdict *v, const fsim_price_book *book, const json_t *inputs) {
    const fsim_metering *m = &book->metering;
    uint64_t step_us = m->granularity_us, least_us = m->min_us;
    if (verdict_has(inputs, "granularity_us") || verdict_has(inputs, "granularity_ms")) {
        bool us = verdict_has(inputs, "granularity_us");
        step_us = (uint64_t)verdict_read_int(v, inputs, us ? "granularity_us" : "granularity_ms") *
                  (us ? 1u : 1000u);
        least_us = step_us;
    }
    return fsim_meter_rule_make(step_us < 1000 ? 1 : step_us / 1000, least_us / 1000);
}

static fsim_meter_rule provisioned_rule_of(const fsim_price_book *book) {
    const fsim_metering *m = &book->metering;
    bool own = m->provisioned_granularity_us > 1000;
    return fsim_meter_rule_make((own ? m->provisioned_granularity_us : m->granularity_us) / 1000,
                                (own ? m->provisioned_min_us : m->min_us) / 1000);
}

/* One value, or each of a list against each of a list. */
static void check_each(verdict *v, const char *what, const json_t *spans, const json_t *expected,
                       fsim_ns unit, fsim_ns extra_ns, const fsim_meter_rule *rule, int64_t ms_in_one) {
    bool list = json_is_array(spans);
    size_t count = list ? json_array_size(spans) : 1;
    if (json_is_array(expected) != list || (list && json_array_size(expected) != count)) {
        verdict_fail(v, "as many results as spans", "another number");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *span = list ? json_array_get(spans, i) : spans;
        uint64_t ms = fsim_meter_billed_ms(rule, (uint64_t)(vector_need_ns(v, span, unit) + extra_ns));
        fsim_ratio got = {0, 1};
        fsim_ratio_make((fsim_i128)ms, ms_in_one, &got);
        vector_exact(v, what, list ? json_array_get(expected, i) : expected, got);
    }
}

static uint64_t memory_of(verdict *v, const json_t *inputs) {
    fsim_ratio gb;
    if (verdict_has(inputs, "memory_gb")) {
        gb = vector_need_ratio(v, inputs, "memory_gb");
        return (uint64_t)(gb.num * 1024 / gb.den);
    }
    return (uint64_t)verdict_read_int(v, inputs,
                                      verdict_has(inputs, "memory_mib") ? "memory_mib" : "memory_mb");
}

/* GB-s of one span of a request, or of MB-ms. */
static fsim_ratio gb_s_of(verdict *v, const fsim_price_book *book, const json_t *inputs,
                          const fsim_meter_rule *rule, fsim_ns init_ns) {
    fsim_ratio out = {0, 1};
    if (verdict_has(inputs, "mb_ms")) {
        fsim_ratio mb_ms = vector_need_ratio(v, inputs, "mb_ms");
        fsim_ratio_div(mb_ms, (fsim_ratio){(fsim_i128)book->gb_mib * 1000, 1}, &out);
        return out;
    }
    fsim_ns span_ns = vector_need_ns(v, json_object_get(inputs, "duration_ms"), FSIM_MS);
    uint64_t ms = fsim_meter_billed_ms(rule, (uint64_t)(span_ns + init_ns));
    uint64_t mb = fsim_price_book_memory(book, memory_of(v, inputs));
    fsim_ratio_make((fsim_i128)ms * mb, (fsim_i128)book->gb_mib * 1000, &out);
    return out;
}

/* "gb_h_of_1200_runs_of_3gb_1s", "gb_h_of_1gb_instance_1h": GB-hours of so many spans. */
static bool gb_h_named(const char *name, fsim_ratio *out) {
    long long runs = 1, gb, length;
    if (sscanf(name, "gb_h_of_%lld_runs_of_%lldgb_%llds", &runs, &gb, &length) == 3) {
        return fsim_ratio_make((fsim_i128)runs * gb * length, 3600, out);
    }
    return sscanf(name, "gb_h_of_%lldgb_instance_%lldh", &gb, &length) == 2 &&
           fsim_ratio_make((fsim_i128)gb * length, 1, out);
}

static void check_memory(verdict *v, const fsim_price_book *book, const json_t *inputs,
                         const json_t *expected) {
    static const char *const given[] = {"observed_mb", "observed_mib", "memory_mb", "memory_mib"};
    const json_t *sizes = NULL;
    for (size_t i = 0; i < sizeof given / sizeof *given && sizes == NULL; i++) {
        sizes = json_object_get(inputs, given[i]);
    }
    for (size_t i = 0; i < (json_is_array(sizes) ? json_array_size(sizes) : 1); i++) {
        const json_t *size = json_is_array(sizes) ? json_array_get(sizes, i) : sizes;
        fsim_ratio mb = {0, 1};
        if (!vector_ratio(size, &mb)) {
            verdict_fail(v, "memory sizes", "none");
            return;
        }
        uint64_t whole = (uint64_t)((mb.num + mb.den - 1) / mb.den);
        vector_exact(v, "memory", json_is_array(expected) ? json_array_get(expected, i) : expected,
                     (fsim_ratio){(fsim_i128)fsim_price_book_memory(book, whole), 1});
    }
}

static void check_rule(verdict *v, const fsim_price_book *book, const json_t *inputs, const char *what,
                       const json_t *expected) {
    bool init_billed = book->metering.init != FSIM_INIT_UNBILLED;
    fsim_ns init_ns = init_billed && verdict_has(inputs, "init_ms")
                          ? vector_need_ns(v, json_object_get(inputs, "init_ms"), FSIM_MS)
                          : 0;
    fsim_meter_rule rule = rule_of(v, book, inputs);
    fsim_ratio hours;
    if (strcmp(what, "billed_ms") == 0) {
        check_each(v, what, json_object_get(inputs, "duration_ms"), expected, FSIM_MS, init_ns, &rule, 1);
    } else if (strcmp(what, "billed_s") == 0) {
        fsim_meter_rule life = provisioned_rule_of(book);
        check_each(v, what, json_object_get(inputs, "lifetime_s"), expected, FSIM_SECOND, 0, &life, 1000);
    } else if (strcmp(what, "gb_s") == 0) {
        vector_exact(v, what, expected, gb_s_of(v, book, inputs, &rule, init_ns));
    } else if (strcmp(what, "active_cpu_ms") == 0) {
        vector_exact(v, what, expected, vector_need_ratio(v, inputs, "cpu_ms"));
    } else if (strstr(what, "memory") != NULL || strcmp(what, "billed_mb") == 0 ||
               strcmp(what, "billed_mib") == 0) {
        check_memory(v, book, inputs, expected);
    } else if (gb_h_named(what, &hours)) {
        vector_exact(v, what, expected, hours);
    } else if (strncmp(what, "wrong_", 6) != 0) { /* what a wrong reading would give */
        verdict_fail(v, "a known figure", "%s", what);
    }
}

static void run_metering(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *expected = verdict_read_object(&v, vector, "expected");
    const json_t *inputs = verdict_read_object(&v, vector, "inputs");
    vector_book b = vector_book_open(&v, vector);
    const char *what;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)expected, what, value) {
        if (!v.failed) {
            check_rule(&v, b.book, inputs, what, value);
        }
    }
    vector_book_close(&b);
    verdict_end(&v);
}

/* ---- two ways of metering ---- */

/* Units of the book's first meter for so much active CPU and memory, from a bill without free part. */
static fsim_ratio units_of(verdict *v, const fsim_price_book *book, fsim_ratio cpu_s, fsim_ratio gb_s) {
    const fsim_invoice_options list = {.free_off = true};
    fsim_quantities q = {0};
    fsim_invoice invoice;
    fsim_ratio units = {0, 1};
    for (int i = 0; i < FSIM_QUANTITY_COUNT; i++) {
        q.has[i] = true;
        q.value[i] = (fsim_ratio){0, 1};
    }
    q.value[FSIM_Q_ACTIVE_VCPU_S] = q.value[FSIM_Q_VCPU_S] = cpu_s;
    q.value[FSIM_Q_MEM_GB_S] = q.value[FSIM_Q_GB_S] = gb_s;
    if (fsim_invoice_build(&invoice, book, &q, &list, NULL) != FSIM_OK ||
        !fsim_decimal_parse_ratio(invoice.line[0].used, &units)) {
        verdict_fail(v, "a bill", "none");
    }
    return units;
}

static fsim_ratio saving(fsim_ratio less, fsim_ratio more) {
    fsim_ratio share = {0, 1};
    fsim_ratio_div(less, more, &share);
    fsim_ratio_sub((fsim_ratio){1, 1}, share, &share);
    return share;
}

/* A session that is always active, and one whose idle time pays for memory only. */
static void compare_session(verdict *v, const fsim_price_book *book, const json_t *inputs,
                            const json_t *expected) {
    fsim_ratio session = vector_need_ratio(v, inputs, "session_s"),
               vcpu = vector_need_ratio(v, inputs, "vcpu");
    fsim_ratio gb = vector_need_ratio(v, inputs, "memory_gb"),
               active = vector_need_ratio(v, inputs, "active_s");
    fsim_ratio gb_s, all_s, some_s;
    if (!fsim_ratio_mul(session, gb, &gb_s) || !fsim_ratio_mul(session, vcpu, &all_s) ||
        !fsim_ratio_mul(active, vcpu, &some_s)) {
        return;
    }
    fsim_ratio always = units_of(v, book, all_s, gb_s), idle = units_of(v, book, some_s, gb_s);
    fsim_ratio least = units_of(v, book, (fsim_ratio){0, 1}, gb_s);
    const struct {
        const char *name;
        fsim_ratio value;
    } figures[] = {{"cu_always_active", always},
                   {"cu_idle_billing", idle},
                   {"saving", saving(idle, always)},
                   {"saving_limit", saving(least, always)}};
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        if (verdict_has(expected, figures[i].name)) {
            vector_exact(v, figures[i].name, json_object_get(expected, figures[i].name), figures[i].value);
        }
    }
}

/* "gb_s_100ms": requests of one length in steps of that many ms. */
static void compare_steps(verdict *v, const fsim_price_book *book, const json_t *inputs,
                          const json_t *expected) {
    const char *what;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)expected, what, value) {
        long long step_ms;
        if (sscanf(what, "gb_s_%lldms", &step_ms) != 1 || step_ms < 1) {
            verdict_fail(v, "gb_s_<step>ms", "%s", what);
            return;
        }
        fsim_meter_rule rule = fsim_meter_rule_make((uint64_t)step_ms, (uint64_t)step_ms);
        fsim_ratio each = gb_s_of(v, book, inputs, &rule, 0);
        fsim_ratio_mul(each, vector_need_ratio(v, inputs, "requests"), &each);
        vector_exact(v, what, value, each);
    }
}

/* CPU as configured and CPU as used, at list price. */
static void compare_cpu(verdict *v, const fsim_price_book *book, const json_t *inputs,
                        const json_t *expected) {
    const fsim_invoice_options list = {.free_off = true};
    fsim_ratio cpu_s, used = vector_need_ratio(v, inputs, "utilisation"), cost;
    fsim_ratio_mul(vector_need_ratio(v, inputs, "vcpu"), vector_need_ratio(v, inputs, "seconds"), &cpu_s);
    static const char *const names[] = {"cpu_provisioned", "cpu_active"};
    for (size_t i = 0; i < 2; i++) {
        fsim_quantities q = {0};
        q.has[FSIM_Q_VCPU_S] = true;
        q.value[FSIM_Q_VCPU_S] = cpu_s;
        if (i == 1) {
            fsim_ratio_mul(cpu_s, used, &q.value[FSIM_Q_VCPU_S]);
        }
        if (verdict_has(expected, names[i]) && fsim_invoice_exact(&cost, book, &q, &list)) {
            vector_exact(v, names[i], json_object_get(expected, names[i]), cost);
        }
    }
}

static void run_phase_compare(conformance *c, const json_t *vector) {
    verdict v = verdict_begin(c, vector);
    const json_t *expected = verdict_read_object(&v, vector, "expected");
    const json_t *inputs = verdict_read_object(&v, vector, "inputs");
    vector_book b = vector_book_open(&v, vector);
    if (!v.failed && verdict_has(inputs, "session_s")) {
        compare_session(&v, b.book, inputs, expected);
    } else if (!v.failed && verdict_has(inputs, "utilisation")) {
        compare_cpu(&v, b.book, inputs, expected);
    } else if (!v.failed && verdict_has(inputs, "duration_ms")) {
        compare_steps(&v, b.book, inputs, expected);
    } else {
        verdict_fail(&v, "a session, a utilisation or a duration", "none");
    }
    vector_book_close(&b);
    verdict_end(&v);
}

const conformance_kind billing_vector_kinds[] = {{"aggregate", run_aggregate},
                                                 {"metering", run_metering},
                                                 {"phase-compare", run_phase_compare},
                                                 {"timeline", billing_timeline_vector},
                                                 {"breakeven", billing_breakeven_vector},
                                                 {NULL, NULL}};
