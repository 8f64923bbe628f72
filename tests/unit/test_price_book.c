/* Price books: what is refused and how it is said, and the worked examples of every book that ships. */
#include "billing/price_book.h"

#include "billing/invoice.h"
#include "billing/meter.h"
#include "billing/timeline.h"
#include "io/embedded.h"
#include "io/json_reader.h"

#include "support/check.h"

#define HEAD                                                                                                 \
    "{\"schema\": \"fsim.pricebook/1\", \"id\": \"b\", \"currency\": \"USD\", \"metering\": {\"mode\": "     \
    "\"request\"}, "
#define METER(fields) "\"meters\": [{\"id\": \"m\", \"quantity\": \"gb_s\", \"unit\": \"GB-s\", " fields "}]}"

/* Loads a text; "" when it loads, else place and text of the error. */
static const char *load_error(const char *text) {
    static char said[1100];
    fsim_error err = {0};
    fsim_value *root;
    fsim_price_book *book = NULL;
    fsim_value_pool *pool = fsim_value_pool_create();
    said[0] = '\0';
    if (fsim_json_read_text(pool, text, "b.json", &root, &err) != FSIM_OK ||
        fsim_price_book_load(&book, root, &err) != FSIM_OK) {
        snprintf(said, sizeof said, "%s: %s", err.place, err.text);
        CHECK_EQ_INT(err.status, FSIM_ECONFIG);
        CHECK(book == NULL);
    }
    fsim_price_book_destroy(book);
    fsim_value_pool_destroy(pool);
    return said;
}

static void test_smallest_book(void) {
    CHECK_EQ_STR(load_error(HEAD METER("\"price\": \"1\"")), "");
}

static void test_refusals(void) {
    static const struct {
        const char *text, *place, *says;
    } rows[] = {
        {"[]", "b.json#", "price book"},
        {"{\"schema\": \"fsim.pricebook/2\"}", "#/schema", "expected \"fsim.pricebook/1\""},
        {"{\"schema\": \"fsim.pricebook/1\", \"id\": \"b\", \"metering\": {\"mode\": \"request\"}, "
         "\"meters\": []}",
         "b.json", "currency"},
        {"{\"schema\": \"fsim.pricebook/1\", \"id\": \"b\", \"currency\": \"USD\", \"meters\": []}", "b.json",
         "metering"},
        {HEAD METER("\"price\": 0.2"), "#/meters/0/price", "decimal string"},
        {HEAD METER("\"price\": \"0.2\", \"free\": 1000000"), "#/meters/0/free", "decimal string"},
        {HEAD METER("\"price\": \"-1\""), "#/meters/0/price", "not negative"},
        {HEAD METER("\"price\": \"1e-3\""), "#/meters/0/price", "decimal string"},
        {HEAD METER("\"price\": \"0.0000000000001\""), "#/meters/0/price", "12 decimals"},
        {HEAD METER("\"price\": \"1\", \"per\": \"0\""), "#/meters/0/per", "more than 0"},
        {HEAD METER("\"free\": \"1\""), "#/meters/0", "either price or tiers"},
        {HEAD METER("\"tiers\": []"), "#/meters/0/tiers", "at least one tier"},
        {HEAD METER("\"tiers\": [{\"up_to\": \"9\", \"price\": \"1\"}, {\"up_to\": \"8\", \"price\": \"1\"}, "
                    "{\"up_to\": null, "
                    "\"price\": \"1\"}]"),
         "#/meters/0/tiers/1/up_to", "must rise"},
        {HEAD METER("\"tiers\": [{\"up_to\": \"9\", \"price\": \"1\"}]"), "#/meters/0/tiers/0",
         "must not end"},
        {HEAD METER("\"tiers\": [{\"price\": \"1\"}, {\"price\": \"1\"}]"), "#/meters/0/tiers/0",
         "expected up_to"},
        {HEAD METER("\"tiers\": [{\"up_to\": null}]"), "#/meters/0/tiers/0", "price"},
        {HEAD METER("\"price\": \"1\", \"free\": \"5\", \"free_mode\": \"credit\""), "#/meters/0",
         "free_price"},
        {HEAD METER("\"price\": \"1\", \"free_price\": \"5\""), "#/meters/0", "credit"},
        {HEAD METER("\"price\": \"1\", \"free_mode\": \"credits\""), "#/meters/0/free_mode", "credit"},
        {HEAD METER("\"price\": \"1\", \"round\": {\"to\": \"0\"}"), "#/meters/0/round", "above 0"},
        {HEAD METER("\"price\": \"1\", \"fre\": \"5\""), "#/meters/0/fre", "free"},
        {HEAD "\"meters\": [{\"id\": \"m\", \"quantity\": \"gbs\", \"unit\": \"x\", \"price\": \"1\"}]}",
         "#/meters/0/quantity", "gb_s"},
        {HEAD "\"meters\": [{\"id\": \"m\", \"quantity\": {\"requets\": \"1\"}, \"unit\": \"x\", \"price\": "
              "\"1\"}]}",
         "#/meters/0/quantity/requets", "requests"},
        {HEAD "\"meters\": [{\"id\": \"m\", \"quantity\": \"gb_s\", \"unit\": \"x\", \"price\": \"1\"}, "
              "{\"id\": \"m\", "
              "\"quantity\": \"gb_s\", \"unit\": \"x\", \"price\": \"1\"}]}",
         "#/meters/1", "two meters"},
        {HEAD
         "\"fixed\": [{\"id\": \"f\", \"price\": \"1\", \"per\": \"fortnight\"}], " METER("\"price\": \"1\""),
         "#/fixed/0/per", "month"},
        {HEAD "\"curency\": \"USD\", " METER("\"price\": \"1\""), "#/curency", "currency"},
        {HEAD "\"units\": {\"gb\": \"1 GB\"}, " METER("\"price\": \"1\""), "#/units/gb", "1024 MiB"},
        {HEAD "\"discount\": {\"from_\": \"2026-01-01\", \"until\": \"2026-02-01\", \"tiers\": [{\"price\": "
              "\"1\"}]}, " METER("\"price\": \"1\""),
         "#/discount", "tiered meter"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_context("%s", rows[i].text);
        const char *said = load_error(rows[i].text);
        CHECK_CONTAINS(said, rows[i].place);
        CHECK_CONTAINS(said, rows[i].says);
    }
}

static void test_metering_refusals(void) {
    static const struct {
        const char *metering, *place, *says;
    } rows[] = {
        {"{}", "#/metering", "mode"},
        {"{\"mode\": \"requests\"}", "#/metering/mode", "request"},
        {"{\"mode\": \"request\", \"granularity_us\": 0}", "#/metering/granularity_us", ""},
        {"{\"mode\": \"request\", \"granularity\": 5}", "#/metering/granularity", "granularity_us"},
        {"{\"mode\": \"request\", \"round\": \"floor\"}", "#/metering/round", "ceil"},
        {"{\"mode\": \"request\", \"init\": \"sometimes\"}", "#/metering/init", "with_first"},
        {"{\"mode\": \"request\", \"memory\": {\"sizes_mib\": [512, 256]}}", "#/metering/memory/sizes_mib/1",
         "rising"},
        {"{\"mode\": \"threshold\", \"idle\": {\"threshold_ppm\": 3000000}}", "#/metering/idle",
         "threshold_ppm"},
        {"{\"mode\": \"threshold\", \"idle\": {\"divide_by\": \"wall\"}}", "#/metering/idle/divide_by",
         "resident"},
        {"{\"mode\": \"residency\", \"starts\": \"noon\"}", "#/metering/starts", "create"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[1000];
        snprintf(
            text, sizeof text,
            "{\"schema\": \"fsim.pricebook/1\", \"id\": \"b\", \"currency\": \"USD\", \"metering\": %s, %s",
            rows[i].metering, METER("\"price\": \"1\""));
        check_context("%s", rows[i].metering);
        const char *said = load_error(text);
        CHECK_CONTAINS(said, rows[i].place);
        CHECK_CONTAINS(said, rows[i].says);
    }
}

/* ---- what a run must meter
 * ----------------------------------------------------------------------------------------- */

static fsim_price_book *load(fsim_value_pool *pool, const char *metering) {
    char text[1000];
    fsim_error err = {0};
    fsim_value *root;
    fsim_price_book *book = NULL;
    snprintf(text, sizeof text,
             "{\"schema\": \"fsim.pricebook/1\", \"id\": \"b\", \"currency\": \"USD\", \"metering\": %s, %s",
             metering, METER("\"price\": \"1\""));
    REQUIRE(fsim_json_read_text(pool, text, "b.json", &root, &err) == FSIM_OK);
    REQUIRE(fsim_price_book_load(&book, root, &err) == FSIM_OK);
    return book;
}

static fsim_status require(const char *metering, fsim_meter_plan *plan, bool *first, fsim_error *err) {
    fsim_value_pool *pool = fsim_value_pool_create();
    fsim_price_book *book = load(pool, metering);
    *err = (fsim_error){0};
    fsim_status status = fsim_price_book_require(book, plan, first, err);
    fsim_price_book_destroy(book);
    fsim_value_pool_destroy(pool);
    return status;
}

static void test_requirements(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    fsim_error err;
    bool first = true;
    uint32_t rules = plan.request.count;
    CHECK_EQ_INT(require("{\"mode\": \"request\", \"granularity_us\": 100000}", &plan, &first, &err),
                 FSIM_OK);
    CHECK_EQ_INT(plan.request.count, rules); /* metered anyway */
    CHECK_EQ_INT(require("{\"mode\": \"request\", \"min_us\": 100000}", &plan, &first, &err), FSIM_OK);
    CHECK_EQ_INT(plan.request.count, rules + 1);
    CHECK_EQ_INT(plan.request.rule[rules].step_ms, 1);
    CHECK_EQ_INT(plan.request.rule[rules].least_ms, 100);
    CHECK_EQ_INT(require("{\"mode\": \"request\", \"granularity_us\": 500}", &plan, &first, &err),
                 FSIM_ECONFIG);
    CHECK_CONTAINS(err.text, "whole milliseconds");
    CHECK_EQ_INT(require("{\"mode\": \"node-hours\"}", &plan, &first, &err), FSIM_ECONFIG);
    CHECK_CONTAINS(err.text, "cannot price a run");
    CHECK_EQ_INT(
        require("{\"mode\": \"node-hours\", \"node\": {\"vcpu_milli\": 4000, \"memory_mib\": 16384}}", &plan,
                &first, &err),
        FSIM_OK);
    CHECK_EQ_INT(plan.node_count, 1);

    CHECK_EQ_INT(
        require("{\"mode\": \"threshold\", \"idle\": {\"threshold_ppm\": 10000}}", &plan, &first, &err),
        FSIM_OK);
    CHECK(!first);
    CHECK_EQ_INT(plan.threshold.ppm, 10000);
    CHECK_EQ_INT(require("{\"mode\": \"threshold\"}", &plan, &first, &err), FSIM_OK); /* beside the first */
    CHECK_EQ_INT(plan.more_count, 1);
    CHECK_EQ_INT(plan.more[0].ppm, 50000);
    CHECK_EQ_INT(require("{\"mode\": \"threshold\"}", &plan, &first, &err), FSIM_OK);
    CHECK_EQ_INT(plan.more_count, 1); /* metered already */
    CHECK_EQ_INT(require("{\"mode\": \"threshold\", \"idle\": {\"sample_us\": 500000}}", &plan, &first, &err),
                 FSIM_ECONFIG);
    CHECK_CONTAINS(err.text, "windows of one length");
}

static void test_too_many_thresholds(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    fsim_error err = {0};
    bool first = true;
    fsim_status status = FSIM_OK;
    int thresholds = 0;
    for (; status == FSIM_OK && thresholds < 100; thresholds++) {
        char metering[80];
        snprintf(metering, sizeof metering, "{\"mode\": \"threshold\", \"idle\": {\"threshold_ppm\": %d}}",
                 10000 * (thresholds + 1));
        status = require(metering, &plan, &first, &err);
    }
    CHECK_EQ_INT(status, FSIM_ECONFIG);
    CHECK_EQ_INT(thresholds, FSIM_THRESHOLDS_MORE + 2);
    CHECK_CONTAINS(err.text, "thresholds");
}

static void test_too_many_roundings(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    fsim_error err = {0};
    bool first = true;
    fsim_status status = FSIM_OK;
    for (int i = 2; status == FSIM_OK && i < 100; i++) {
        char metering[80];
        snprintf(metering, sizeof metering, "{\"mode\": \"residency\", \"granularity_us\": %d}", 1000 * i);
        status = require(metering, &plan, &first, &err);
    }
    CHECK_EQ_INT(status, FSIM_ECONFIG);
    CHECK_CONTAINS(err.text, "roundings");
}

/* ---- the books that ship
 * ------------------------------------------------------------------------------------------- */

static void invoice_of_example(fsim_value_pool *pool, const fsim_price_book *book, const fsim_value *example,
                               fsim_invoice *invoice) {
    fsim_error err = {0};
    fsim_invoice_options options = {0};
    const fsim_value *timeline = fsim_value_get(example, "timeline");
    REQUIRE(fsim_value_get_bool(example, "free_off", &options.free_off, &err) == FSIM_OK);
    if (timeline == NULL) {
        fsim_quantities quantities;
        const fsim_value *record = fsim_value_get(example, "quantities");
        REQUIRE(record != NULL && fsim_quantities_read(&quantities, record, &err) == FSIM_OK);
        fsim_status status = fsim_invoice_build(invoice, book, &quantities, &options, &err);
        CHECK_EQ_STR(err.text, "");
        REQUIRE(status == FSIM_OK);
        return;
    }
    fsim_timeline_instance *instances;
    uint32_t count;
    fsim_timeline_bill bill;
    bool first = true;
    fsim_meter_plan plan = fsim_meter_plan_default();
    plan.metered = FSIM_TIMELINE_METERED;
    REQUIRE(fsim_price_book_require(book, &plan, &first, &err) == FSIM_OK);
    REQUIRE(fsim_timeline_read(pool, timeline, &instances, &count, &err) == FSIM_OK);
    REQUIRE(fsim_timeline_bill_make(&bill, instances, count, &plan, &err) == FSIM_OK);
    fsim_metered_run run = {.plan = &plan,
                            .functions = bill.usage,
                            .function_count = bill.function_count,
                            .hours = bill.hours,
                            .hour_count = bill.hour_count,
                            .horizon_ns = bill.horizon_ns};
    fsim_status status = fsim_invoice_of_run(invoice, book, &run, &options, &err);
    fsim_timeline_bill_free(&bill);
    CHECK_EQ_STR(err.text, "");
    REQUIRE(status == FSIM_OK);
}

static const char *field(const fsim_value *object, const char *key) {
    const fsim_value *value = fsim_value_get(object, key);
    REQUIRE(value != NULL && value->kind == FSIM_VALUE_STRING);
    return value->string;
}

static void check_example(fsim_value_pool *pool, const fsim_price_book *book, const fsim_value *example) {
    fsim_invoice invoice;
    invoice_of_example(pool, book, example, &invoice);
    const fsim_value *lines = fsim_value_get(example, "lines");
    REQUIRE(lines != NULL && lines->count == invoice.line_count);
    uint32_t i = 0;
    for (const fsim_value *line = lines->first; line != NULL; line = line->next, i++) {
        CHECK_EQ_STR(invoice.line[i].meter, field(line, "meter"));
        CHECK_EQ_STR(invoice.line[i].quantity, field(line, "quantity"));
        CHECK_EQ_STR(invoice.line[i].amount, field(line, "amount"));
    }
    CHECK_EQ_STR(invoice.total, field(example, "total"));
}

static void test_examples_of_all_books(void) {
    for (const fsim_embedded *file = fsim_embedded_books; file->name != NULL; file++) {
        fsim_error err = {0};
        fsim_value *root;
        fsim_price_book *book = NULL;
        fsim_value_pool *pool = fsim_value_pool_create();
        check_context("%s", file->name);
        fsim_status status = fsim_json_read_text(pool, file->text, file->name, &root, &err);
        if (status == FSIM_OK) {
            status = fsim_price_book_load(&book, root, &err);
        }
        CHECK_EQ_STR(err.text, "");
        REQUIRE(status == FSIM_OK);
        CHECK_EQ_STR(book->id, file->name);
        CHECK(fsim_value_get(root, "title") != NULL && fsim_value_get(root, "sources") != NULL);
        REQUIRE(book->examples != NULL && book->examples->count > 0);
        for (const fsim_value *example = book->examples->first; example != NULL; example = example->next) {
            check_context("%s: %s", file->name, field(example, "title"));
            CHECK(field(example, "arithmetic")[0] != '\0');
            check_example(pool, book, example);
        }
        fsim_price_book_destroy(book);
        fsim_value_pool_destroy(pool);
    }
}

int main(void) {
    RUN(test_smallest_book);
    RUN(test_refusals);
    RUN(test_metering_refusals);
    RUN(test_requirements);
    RUN(test_too_many_roundings);
    RUN(test_too_many_thresholds);
    RUN(test_examples_of_all_books);
    return check_done();
}
