/* Bills: the evaluation of a meter, and how quantities follow from what a run has counted. */
#include "billing/invoice.h"

#include "billing/meter.h"
#include "io/json_reader.h"

#include "support/check.h"

/* One book per test, built from the parts that matter. Freed by close_book. */
static struct {
    fsim_value_pool *pool;
    fsim_price_book *book;
} fixture;

static void close_book(void) {
    fsim_price_book_destroy(fixture.book);
    fsim_value_pool_destroy(fixture.pool);
    fixture.book = NULL;
    fixture.pool = NULL;
}

static const fsim_price_book *open_book(const char *metering, const char *rest) {
    char text[2000];
    fsim_error err = {0};
    fsim_value *root = NULL;
    close_book();
    fixture.pool = fsim_value_pool_create();
    snprintf(
        text, sizeof text,
        "{\"schema\": \"fsim.pricebook/1\", \"id\": \"b\", \"currency\": \"USD\", \"metering\": {%s}, %s}",
        metering, rest);
    fsim_status status = fsim_json_read_text(fixture.pool, text, "b.json", &root, &err);
    if (status == FSIM_OK) {
        status = fsim_price_book_load(&fixture.book, root, &err);
    }
    CHECK_EQ_STR(err.text, "");
    REQUIRE(status == FSIM_OK);
    return fixture.book;
}

static fsim_quantities record(const char *json) {
    fsim_quantities quantities;
    fsim_error err = {0};
    fsim_value *root = NULL;
    REQUIRE(fsim_json_read_text(fixture.pool, json, "usage.json", &root, &err) == FSIM_OK);
    REQUIRE(fsim_quantities_read(&quantities, root, &err) == FSIM_OK);
    return quantities;
}

/* "m 100 x 0.5 = 50; … | total" */
static const char *bill_text(const fsim_invoice *invoice) {
    static char text[4000];
    size_t used = 0;
    for (uint32_t i = 0; i < invoice->line_count; i++) {
        const fsim_invoice_line *l = &invoice->line[i];
        used += (size_t)snprintf(text + used, sizeof text - used, "%s %s x %s = %s; ", l->meter, l->quantity,
                                 l->price, l->amount);
    }
    snprintf(text + used, sizeof text - used, "| %s", invoice->total);
    return text;
}

static const char *bill(const fsim_price_book *book, const char *usage, const fsim_invoice_options *options) {
    static fsim_invoice invoice;
    fsim_error err = {0};
    fsim_quantities quantities = record(usage);
    fsim_status status = fsim_invoice_build(&invoice, book, &quantities, options, &err);
    CHECK_EQ_STR(err.text, "");
    return status == FSIM_OK ? bill_text(&invoice) : "failed";
}

#define ANY   "\"mode\": \"request\""
#define M(id) "{\"id\": \"" id "\", \"unit\": \"u\", "

/* ---- evaluation
 * ---------------------------------------------------------------------------------------------------- */

static void test_free_part_is_subtracted_first(void) {
    const fsim_price_book *book = open_book(
        ANY,
        "\"meters\": [" M(
            "requests") "\"quantity\": \"requests\", \"per\": \"1000000\", \"price\": \"0.20\", \"free\": "
                        "\"1000000\"}," M("duration") "\"quantity\": \"gb_s\", \"price\": "
                                                      "\"0.0000166667\", \"free\": \"400000\"}]");
    /* AWS Lambda price page, mobile backend: 3 M requests, 120 ms, 1536 MB: 2.73 USD */
    CHECK_EQ_STR(bill(book, "{\"requests\": 3000000, \"gb_s\": \"540000\"}", NULL),
                 "requests 2000000 x 0.0000002 = 0.4; duration 140000 x 0.0000166667 = 2.333338; | 2.733338");
    CHECK_EQ_STR(bill(book, "{\"requests\": 3, \"gb_s\": \"0.5\"}", NULL),
                 "requests 0 x 0.0000002 = 0; duration 0 x 0.0000166667 = 0; | 0");
    static const char *const only_duration[] = {"duration", NULL};
    CHECK_EQ_STR(bill(book, "{\"requests\": 3000000, \"gb_s\": \"540000\"}",
                      &(fsim_invoice_options){.free_off_meters = only_duration}),
                 "requests 2000000 x 0.0000002 = 0.4; duration 540000 x 0.0000166667 = 9.000018; | 9.400018");
    CHECK_EQ_STR(bill(book, "{\"requests\": 1, \"gb_s\": \"0\"}", &(fsim_invoice_options){.free_off = true}),
                 "requests 1 x 0.0000002 = 0.0000002; duration 0 x 0.0000166667 = 0; | 0.0000002");
}

static void test_tiers_are_cumulative(void) {
    const fsim_price_book *book = open_book(
        ANY, "\"meters\": [" M(
                 "d") "\"quantity\": \"gb_s\", \"tiers\": [{\"up_to\": \"6\", \"price\": \"3\"}, "
                      "{\"up_to\": \"15\", \"price\": \"2\"}, {\"up_to\": null, \"price\": \"1\"}]}]");
    CHECK_EQ_STR(bill(book, "{\"gb_s\": \"30\"}", NULL), "d 6 x 3 = 18; d 9 x 2 = 18; d 15 x 1 = 15; | 51");
    CHECK_EQ_STR(bill(book, "{\"gb_s\": \"6\"}", NULL), "d 6 x 3 = 18; | 18");
    CHECK_EQ_STR(bill(book, "{\"gb_s\": \"6.5\"}", NULL), "d 6 x 3 = 18; d 0.5 x 2 = 1; | 19");
    CHECK_EQ_STR(bill(book, "{\"gb_s\": 0}", NULL), "d 0 x 3 = 0; | 0");
}

static void test_credit_is_money(void) {
    const fsim_price_book *book = open_book(
        ANY,
        "\"meters\": [" M("cpu") "\"quantity\": \"vcpu_s\", \"price\": \"0.0000336\", \"free\": \"180000\", "
                                 "\"free_mode\": \"credit\", \"free_price\": \"0.000024\"}]");
    /* tier 2 of Cloud Run: 180000 free seconds at the tier 1 price are 4.32, not 6.048 */
    CHECK_EQ_STR(bill(book, "{\"vcpu_s\": \"1000000\"}", NULL), "cpu 1000000 x 0.0000336 = 29.28; | 29.28");
    CHECK_EQ_STR(bill(book, "{\"vcpu_s\": \"100\"}", NULL), "cpu 100 x 0.0000336 = 0; | 0");
}

static void test_blocks_after_the_free_part(void) {
    const fsim_price_book *book = open_book(
        ANY, "\"meters\": [" M(
                 "r") "\"quantity\": \"requests\", \"per\": \"1000000\", \"price\": \"0.15\", "
                      "\"free\": \"1000000\", \"round\": {\"to\": \"1000000\", \"mode\": \"ceil\"}}]");
    CHECK_EQ_STR(bill(book, "{\"requests\": 1500000}", NULL), "r 1000000 x 0.00000015 = 0.15; | 0.15");
    CHECK_EQ_STR(bill(book, "{\"requests\": 1000000}", NULL), "r 0 x 0.00000015 = 0; | 0");
    CHECK_EQ_STR(bill(book, "{\"requests\": 2000001}", NULL), "r 2000000 x 0.00000015 = 0.3; | 0.3");
}

static void test_unit_of_several_things_and_discount(void) {
    const fsim_price_book *book =
        open_book(ANY, "\"discount\": {\"from_\": \"2024-08-27\", \"until\": \"2026-08-27\", \"tiers\": "
                       "[{\"up_to\": null, \"price\": "
                       "\"0.000088\"}]}, \"meters\": [" M(
                           "cu") "\"quantity\": {\"requests\": \"0.0075\", \"active_vcpu_s\": \"1\", "
                                 "\"idle_vcpu_s\": \"0\", \"mem_gb_s\": \"0.15\"}, \"tiers\": "
                                 "[{\"up_to\": \"200000000\", \"price\": \"0.00011\"}, {\"up_to\": "
                                 "null, \"price\": \"0.0001\"}]}]");
    const char *usage = "{\"requests\": 150000, \"active_vcpu_s\": \"450000\", \"idle_vcpu_s\": \"7\", "
                        "\"mem_gb_s\": \"900000\"}";
    CHECK_EQ_STR(bill(book, usage, NULL), "cu 586125 x 0.00011 = 64.47375; | 64.47375");
    CHECK_EQ_STR(bill(book, usage, &(fsim_invoice_options){.on_date = "2026-08-27"}),
                 "cu 586125 x 0.000088 = 51.579; | 51.579");
    CHECK_EQ_STR(bill(book, usage, &(fsim_invoice_options){.on_date = "2026-08-28"}),
                 "cu 586125 x 0.00011 = 64.47375; | 64.47375");
}

static void test_one_rounding_per_line(void) {
    const fsim_price_book *book = open_book(
        ANY, "\"meters\": [" M("a") "\"quantity\": \"requests\", \"per\": \"3\", \"price\": \"1\"}," M(
                 "b") "\"quantity\": \"requests\", \"per\": \"3\", \"price\": \"1\"}]");
    CHECK_EQ_STR(
        bill(book, "{\"requests\": 2}", NULL),
        "a 2 x 0.333333333333 = 0.666666666667; b 2 x 0.333333333333 = 0.666666666667; | 1.333333333334");
}

static void test_shown_totals(void) {
    /* AWS response streaming example: the page prints the sum of rounded lines, 39.04; the exact total rounds
     * to 39.05 */
    const fsim_price_book *book =
        open_book(ANY, "\"meters\": [" M("a") "\"quantity\": \"requests\", \"price\": \"39.042\"}," M(
                           "b") "\"quantity\": \"gb_s\", \"price\": \"0.003895\"}]");
    fsim_quantities quantities = record("{\"requests\": 1, \"gb_s\": \"1\"}");
    fsim_invoice invoice;
    char out[FSIM_DECIMAL_SIZE];
    REQUIRE(fsim_invoice_build(&invoice, book, &quantities, NULL, NULL) == FSIM_OK);
    CHECK_EQ_STR(invoice.total, "39.045895");
    CHECK_EQ_STR(fsim_invoice_show_total(&invoice, false, out, sizeof out), "39.05");
    CHECK_EQ_STR(fsim_invoice_show_total(&invoice, true, out, sizeof out), "39.04");
}

static void test_too_large_is_told(void) {
    const fsim_price_book *book =
        open_book(ANY, "\"meters\": [" M("a") "\"quantity\": \"requests\", \"price\": "
                                              "\"99999999999999999999999999\"}]");
    fsim_quantities quantities = record("{\"requests\": 9000000000000000000}");
    fsim_invoice invoice;
    fsim_error err = {0};
    CHECK_EQ_INT(fsim_invoice_build(&invoice, book, &quantities, NULL, &err), FSIM_ELIMIT);
    CHECK_CONTAINS(err.text, "128 bits");
}

static void test_bad_records(void) {
    static const char *const bad[] = {"[]", "{\"requests\": 1.5}", "{\"requests\": \"-1\"}",
                                      "{\"requests\": \"1e6\"}", "{\"request\": \"1\"}"};
    fixture.pool = fixture.pool == NULL ? fsim_value_pool_create() : fixture.pool;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fsim_value *root;
        fsim_quantities quantities;
        check_context("%s", bad[i]);
        REQUIRE(fsim_json_read_text(fixture.pool, bad[i], "u.json", &root, NULL) == FSIM_OK);
        CHECK_EQ_INT(fsim_quantities_read(&quantities, root, NULL), FSIM_ECONFIG);
    }
}

/* ---- quantities of a run
 * ------------------------------------------------------------------------------------------- */

/* Two functions. The first: 512 MiB, half a core, 1024 MiB of disk; two requests of 150.5 ms, the first after
 * 700.25 ms of initialisation, on one instance that lived 10 s after starting for 1 s. The second: 128 MiB,
 * provisioned, one request of 40 ms. */
static fsim_metered_run two_functions(fsim_meter_plan *plan, fsim_usage usage[2]) {
    memset(usage, 0, 2 * sizeof *usage);
    usage[0].memory_mb = 512;
    usage[0].vcpu_milli = 500;
    usage[0].disk_mb = 1024;
    usage[1].memory_mb = 128;
    usage[1].vcpu_milli = 1000;
    fsim_meter_request(plan, &usage[0], 150500000, 700250000, false);
    fsim_meter_request(plan, &usage[0], 150500000, 0, false);
    fsim_meter_active(plan, &usage[0], 200000000, 700250000);
    fsim_meter_init(&usage[0], 700250000);
    fsim_meter_instance(plan, &usage[0], FSIM_SECOND, 10 * FSIM_SECOND, 10 * FSIM_SECOND - 200000000);
    fsim_meter_request(plan, &usage[1], 40000000, 0, true);
    fsim_meter_active(plan, &usage[1], 40000000, 0);
    fsim_meter_instance(plan, &usage[1], 0, 301 * FSIM_SECOND, 300960000000);
    fsim_meter_provisioned(plan, &usage[1], 301 * FSIM_SECOND, 300960000000);
    usage[0].threshold_mem_ms = 200;
    usage[0].threshold_cpu_ms = 150;
    usage[1].threshold_mem_ms = 40;
    usage[0].cpu_ucore_ns = (fsim_u128)100000000 * 500000; /* 100 ms at half a core */
    return (fsim_metered_run){
        .plan = plan, .functions = usage, .function_count = 2, .horizon_ns = 25 * FSIM_HOUR};
}

static const char *run_bill(const char *metering, const char *quantity, uint32_t metered) {
    static char said[600];
    char rest[300];
    fsim_meter_plan plan = fsim_meter_plan_default();
    fsim_usage usage[2];
    fsim_invoice invoice;
    fsim_error err = {0};
    bool first = true;
    snprintf(rest, sizeof rest, "\"meters\": [" M("m") "\"quantity\": \"%s\", \"price\": \"1\"}]", quantity);
    const fsim_price_book *book = open_book(metering, rest);
    if (fsim_price_book_require(book, &plan, &first, &err) == FSIM_OK) {
        plan.metered = metered;
        fsim_metered_run run = two_functions(&plan, usage);
        if (fsim_invoice_of_run(&invoice, book, &run, NULL, &err) == FSIM_OK) {
            snprintf(said, sizeof said, "%s", invoice.total);
            return said;
        }
    }
    snprintf(said, sizeof said, "%s", err.text);
    return said;
}

static void test_quantities_of_a_run(void) {
    const uint32_t all = FSIM_METERED_INSTANCES | FSIM_METERED_PROVISIONED | FSIM_METERED_THRESHOLD;
    static const struct {
        const char *metering, *quantity, *total; /* price 1: the total is the quantity */
    } rows[] = {
        {"\"mode\": \"request\"", "requests", "3"},
        {"\"mode\": \"request\"", "gb_s", "0.156"}, /* 2 x 151 ms x 0.5 + 40 ms x 0.125 */
        {"\"mode\": \"request\"", "gib_s", "0.156"},
        {"\"mode\": \"request\"", "vcpu_s", "0.191"}, /* 302 ms x 0.5 + 40 ms */
        {"\"mode\": \"request\"", "s_128mb", "1.248"},
        {"\"mode\": \"request\"", "disk_gb_s", "0.302"}, /* 302 ms x 1 GB; no disk on the second */
        {"\"mode\": \"request\"", "eph_gb_s", "0.151"},  /* above 512 MiB */
        {"\"mode\": \"request\", \"granularity_us\": 100000", "gb_s",
         "0.2125"}, /* 400 ms x 0.5 + 100 ms x 0.125 */
        {"\"mode\": \"request\", \"granularity_us\": 1000, \"min_us\": 100000", "gb_s",
         "0.1635"}, /* 302 x 0.5 + 100 x 0.125 */
        {"\"mode\": \"request\", \"init\": \"with_first\"", "gb_s",
         "0.506"}, /* 850.75 -> 851 and 151: 1002 ms x 0.5 */
        {"\"mode\": \"request\", \"init\": \"separate\"", "gb_s", "0.5065"}, /* 701 + 302 ms */
        {"\"mode\": \"request\", \"memory\": {\"step_mib\": 300, \"max_mib\": 1536}", "gb_s",
         "0.1886718750"}, /* 600, 300 */
        {"\"mode\": \"request\", \"memory\": {\"min_mib\": 256}", "gb_s", "0.161"},
        {"\"mode\": \"request\", \"memory\": {\"sizes_mib\": [512, 2048]}", "gb_s", "0.171"},
        {"\"mode\": \"request\", \"memory_mb\": 256", "gb_s", "0.0855"},
        {"\"mode\": \"active_interval\"", "gb_s", "0.105"}, /* 200 ms x 0.5 + 40 ms x 0.125 */
        {"\"mode\": \"active_interval\", \"init\": \"billed\"", "gb_s", "0.4555"}, /* 900.25 -> 901 ms */
        {"\"mode\": \"active_interval\", \"granularity_us\": 100000, \"min_us\": 1000000", "gb_s", "0.625"},
        {"\"mode\": \"threshold\"", "gb_s", "0.105"},
        {"\"mode\": \"threshold\"", "active_vcpu_s", "0.075"}, /* 150 ms x 0.5 */
        {"\"mode\": \"threshold\"", "idle_vcpu_s", "0.065"},   /* 50 ms x 0.5 + 40 ms x 1 */
        {"\"mode\": \"cpu_time\"", "cpu_ms", "50"},
        {"\"mode\": \"cpu_time\"", "vcpu_s", "0.05"},
        {"\"mode\": \"cpu_time\"", "cpu_h", "0.000013888889"},
        {"\"mode\": \"cpu_time+active_interval\"", "gb_h", "0.000029166667"},
        {"\"mode\": \"cpu_time+residency\"", "vcpu_s", "0.05"},
        {"\"mode\": \"residency\"", "gib_s", "42.625"}, /* 10 s x 0.5 + 301 s x 0.125 */
        {"\"mode\": \"residency\", \"starts\": \"create\"", "gib_s", "43.125"},
        {"\"mode\": \"residency\", \"granularity_us\": 1000000, \"min_us\": 60000000", "gib_s",
         "67.625"}, /* 60 s */
        {"\"mode\": \"request\", \"provisioned\": {\"granularity_us\": 300000000}", "pc_gb_s",
         "75"}, /* 600 s x 0.125 */
        {"\"mode\": \"request\"", "pc_exec_gb_s", "0.005"},
        {"\"mode\": \"request\"", "idle_gb_s", "37.62"}, /* 300.96 s x 0.125 */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char expected[FSIM_DECIMAL_SIZE];
        fsim_i128 pico;
        check_context("%s %s", rows[i].metering, rows[i].quantity);
        REQUIRE(fsim_decimal_parse_pico(rows[i].total, &pico));
        CHECK_EQ_STR(run_bill(rows[i].metering, rows[i].quantity, all),
                     fsim_decimal_print_pico(pico, expected, sizeof expected));
    }
}

static void test_gb_of_1000_mb_and_free_disk(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    fsim_usage usage[2];
    fsim_invoice invoice;
    fsim_metered_run run = two_functions(&plan, usage);
    const fsim_price_book *book = open_book(
        ANY,
        "\"units\": {\"gb\": \"1000 MB (128 MB = 0.128 GB)\", \"disk_free\": \"first 512 MiB\"}, \"meters\": "
        "[" M("a") "\"quantity\": \"gb_s\", \"price\": \"1\"}," M("d") "\"quantity\": \"disk_gb_s\", "
                                                                       "\"price\": \"1\"}]");
    REQUIRE(fsim_invoice_of_run(&invoice, book, &run, NULL, NULL) == FSIM_OK);
    CHECK_EQ_STR(bill_text(&invoice), "a 0.159744 x 1 = 0.159744; d 0.154624 x 1 = 0.154624; | 0.314368");
}

/* Time on provisioned capacity has its own price only in books that give it one. */
static void test_provisioned_time_is_paid_once(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    fsim_usage usage[2];
    fsim_invoice invoice;
    plan.metered = FSIM_METERED_PROVISIONED;
    fsim_metered_run run = two_functions(&plan, usage);
    const fsim_price_book *book =
        open_book(ANY, "\"meters\": [" M("d") "\"quantity\": \"gb_s\", \"price\": \"1\"}," M(
                           "p") "\"quantity\": \"pc_exec_gb_s\", \"price\": \"1\"}]");
    REQUIRE(fsim_invoice_of_run(&invoice, book, &run, NULL, NULL) == FSIM_OK);
    CHECK_EQ_STR(bill_text(&invoice), "d 0.151 x 1 = 0.151; p 0.005 x 1 = 0.005; | 0.156");
}

static void test_what_was_not_measured_is_an_error(void) {
    static const struct {
        const char *metering, *quantity, *says;
    } rows[] = {
        {"\"mode\": \"threshold\"", "gb_s", "CPU windows"},
        {"\"mode\": \"cpu_time\"", "cpu_ms", "CPU time"},
        {"\"mode\": \"cpu_time\"", "gb_s", "mode bills none"},
        {"\"mode\": \"residency\"", "gb_s", "residency"},
        {"\"mode\": \"request\"", "pc_gb_s", "provisioned"},
        {"\"mode\": \"request\"", "net_gb", "bytes"},
        {"\"mode\": \"request\"", "stream_gb", "optional"},
        {"\"mode\": \"request\"", "ghz_s", "optional"},
        {"\"mode\": \"request\", \"memory\": {\"max_mib\": 256}", "gb_s", "memory sizes"},
        {"\"mode\": \"request\", \"rounding\": \"by hand\"", "gb_s", "rounding"},
        {"\"mode\": \"residency\", \"idle\": {\"rule\": \"prose\"}", "gb_s", "idle"},
        {"\"mode\": \"request\", \"reserved\": {}", "idle_gb_s", "provisioned instances"},
        {"\"mode\": \"request\", \"provisioned_idle\": {}", "idle_gb_s", "provisioned instances"},
        {"\"mode\": \"node-hours\", \"node\": {\"vcpu_milli\": 4000, \"memory_mib\": 16384}", "node_hours",
         "nodes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_context("%s %s", rows[i].metering, rows[i].quantity);
        CHECK_CONTAINS(run_bill(rows[i].metering, rows[i].quantity, 0), rows[i].says);
    }
}

static void test_optional_meter_is_left_out_and_named(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    fsim_usage usage[2];
    fsim_invoice invoice;
    fsim_metered_run run = two_functions(&plan, usage);
    const fsim_price_book *book =
        open_book(ANY, "\"meters\": [" M("r") "\"quantity\": \"requests\", \"price\": \"1\"}," M(
                           "s") "\"quantity\": \"stream_gb\", \"price\": \"1\", \"optional\": true}]");
    REQUIRE(fsim_invoice_of_run(&invoice, book, &run, NULL, NULL) == FSIM_OK);
    CHECK_EQ_STR(bill_text(&invoice), "r 3 x 1 = 3; | 3");
    REQUIRE(invoice.left_out_count == 1);
    CHECK_EQ_STR(invoice.left_out[0], "s");
}

static void test_another_plan_is_an_error(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    fsim_usage usage[2];
    fsim_invoice invoice;
    fsim_error err = {0};
    plan.metered = FSIM_METERED_THRESHOLD;
    fsim_metered_run run = two_functions(&plan, usage);
    const fsim_price_book *book =
        open_book("\"mode\": \"request\", \"granularity_us\": 7000",
                  "\"meters\": [" M("a") "\"quantity\": \"gb_s\", \"price\": \"1\"}]");
    CHECK_EQ_INT(fsim_invoice_of_run(&invoice, book, &run, NULL, &err), FSIM_ECONFIG);
    CHECK_CONTAINS(err.text, "not metered in the steps");
    err = (fsim_error){0};
    book = open_book("\"mode\": \"threshold\", \"idle\": {\"threshold_ppm\": 10000}",
                     "\"meters\": [" M("a") "\"quantity\": \"gb_s\", \"price\": \"1\"}]");
    CHECK_EQ_INT(fsim_invoice_of_run(&invoice, book, &run, NULL, &err), FSIM_ECONFIG);
    CHECK_CONTAINS(err.text, "10000 ppm");
}

static void test_started_periods_count_whole(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    fsim_usage usage[2];
    fsim_invoice invoice;
    fsim_metered_run run = two_functions(&plan, usage); /* 25 hours */
    const fsim_price_book *book =
        open_book(ANY, "\"fixed\": [{\"id\": \"sub\", \"price\": \"5\", \"per\": \"month\"}, {\"id\": "
                       "\"pack\", \"price\": \"0.06\", \"per\": \"day\"}], \"meters\": []");
    REQUIRE(fsim_invoice_of_run(&invoice, book, &run, NULL, NULL) == FSIM_OK);
    CHECK_EQ_STR(bill_text(&invoice), "sub 1 x 5 = 5; pack 2 x 0.06 = 0.12; | 5.12");
    CHECK_EQ_STR(invoice.line[1].unit, "day");
}

int main(void) {
    RUN(test_free_part_is_subtracted_first);
    RUN(test_tiers_are_cumulative);
    RUN(test_credit_is_money);
    RUN(test_blocks_after_the_free_part);
    RUN(test_unit_of_several_things_and_discount);
    RUN(test_one_rounding_per_line);
    RUN(test_shown_totals);
    RUN(test_too_large_is_told);
    RUN(test_bad_records);
    RUN(test_quantities_of_a_run);
    RUN(test_gb_of_1000_mb_and_free_disk);
    RUN(test_provisioned_time_is_paid_once);
    RUN(test_what_was_not_measured_is_an_error);
    RUN(test_optional_meter_is_left_out_and_named);
    RUN(test_another_plan_is_an_error);
    RUN(test_started_periods_count_whole);
    close_book();
    return check_done();
}
