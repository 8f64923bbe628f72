/* What people and spreadsheets are shown, on a sample run. */
#include "report/report.h"
#include "report/summary_path_json.h"
#include "support/sample_run.h"

#include "report/figures.h"
#include "report/table.h"

static sample_run sample[2];
static json_t *summaries[2];
static fsim_run_record records[2];

static void set_up(void) {
    static const char *const policies[] = {"knative", "lambda"};
    for (int i = 0; i < 2; i++) {
        sample_run_make(&sample[i], policies[i]);
        if (i == 1) {
            sample_bill(&sample[i].invoice[1], "phase2", 3);
        }
        summaries[i] = fsim_summary_json(&sample[i].scenario, &sample[i].result, sample[i].invoice, 2);
        REQUIRE(summaries[i] != NULL);
        records[i] = (fsim_run_record){&sample[i].scenario, &sample[i].result, summaries[i]};
    }
}

static void tear_down(void) {
    for (int i = 0; i < 2; i++) {
        json_decref(summaries[i]);
        sample_run_destroy(&sample[i]);
    }
}

typedef fsim_status (*writer)(FILE *, fsim_report_format, const fsim_run_record *, uint32_t, fsim_error *);

static void check_output(writer write, fsim_report_format format, uint32_t count, const char *expected) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    REQUIRE(out != NULL);
    CHECK_EQ_INT(write(out, format, records, count, NULL), FSIM_OK);
    fclose(out);
    CHECK_EQ_STR(text, expected);
    free(text);
}

static void test_text(void) {
    set_up();
    check_output(
        fsim_report_write, FSIM_REPORT_TEXT, 1,
        "sample under knative: 1 min 40 s simulated, seed 1\n"
        "\n"
        "Requests    10 arrived; 8 completed (80.00 %), 1 refused (429), 1 refused (503)\n"
        "Refused     by account concurrency 1, queue full 1\n"
        "Cold starts 2 requests (20.00 %) met one; 2 starts caused by a request\n"
        "  of it     sandbox 1.50 s, user 500 ms\n"
        "Waiting     25.00 % of the requests; queue 0.0500 on average, 1 at most\n"
        "Instances   1.25 on average (0.0400 starting, 0.0080 busy, 1.20 idle), 2 at most; 2 started, "
        "1 removed\n"
        "Load        0.0080 requests in execution on average, 2 at most; 0.66 % of the slots in use\n"
        "\n"
        "               mean     p50     p90     p95     p99   p99.9     max\n"
        "Latency      600 ms  100 ms  2.10 s  2.10 s  2.10 s  2.10 s  2.10 s\n"
        "  when cold  2.10 s  2.10 s  2.10 s          2.10 s          2.10 s\n"
        "Wait         500 ms     0 s  2.00 s  2.00 s  2.00 s  2.00 s  2.00 s\n"
        "Execution    100 ms  100 ms  100 ms          100 ms          100 ms\n"
        "\n"
        "Bill                      phase1     phase2\n"
        "  requests                 0.160      0.080\n"
        "  cpu                      0.320      0.160\n"
        "  memory                   0.480      0.240\n"
        "Total                  CNY 0.960  CNY 0.480\n"
        "  a million requests  120,000.00  60,000.00\n");
    tear_down();
}

/* Lines that only some runs have. */
static void test_text_of_the_unusual(void) {
    set_up();
    fsim_result *r = &sample[0].result;
    memset(r->total.n.throttled, 0, sizeof r->total.n.throttled);
    r->total.n.cold_affected = 0;
    r->total.n.timed_out = 3;
    r->total.n.retries = 2;
    r->nonstationary = true;
    r->node_count = r->node_peak = 2;
    r->node_ns = 200 * FSIM_SECOND;
    sample[0].scenario.nodes = (fsim_nodes_plan){.vcpu = 4, .memory_mb = 1000};
    sample[0].invoice[1].left_out[0] = "network";
    sample[0].invoice[1].left_out_count = 1;
    json_t *summary = fsim_summary_json(&sample[0].scenario, r, sample[0].invoice, 2);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    CHECK_EQ_INT(fsim_report_text(out, summary, NULL), FSIM_OK);
    fclose(out);
    CHECK_CONTAINS(text, "3 timed out (504)");
    CHECK_CONTAINS(text, "Refused     nobody\n");
    CHECK_CONTAINS(text, "Cold starts no request met one\n");
    CHECK_CONTAINS(text, "Nodes       2.00 on average, 2 at most; CPU 0 %, memory 0 % in use\n");
    CHECK_CONTAINS(text, "\n\nWarning: the pool of instances was still growing");
    CHECK_CONTAINS(text, "phase2 leaves out what the run does not measure: network\n");
    CHECK(strstr(text, "when cold") == NULL);
    free(text);
    json_decref(summary);
    tear_down();
}

static void test_side_by_side(void) {
    set_up();
    check_output(fsim_report_write, FSIM_REPORT_MARKDOWN, 2,
                 "| sample           | knative |  lambda |\n"
                 "|------------------|--------:|--------:|\n"
                 "| requests arrived |      10 |      10 |\n"
                 "| completed        |       8 |       8 |\n"
                 "| refused (429)    |       1 |       1 |\n"
                 "| refused (503)    |       1 |       1 |\n"
                 "| cold requests    | 20.00 % | 20.00 % |\n"
                 "| latency mean     |  600 ms |  600 ms |\n"
                 "| latency p50      |  100 ms |  100 ms |\n"
                 "| latency p99      |  2.10 s |  2.10 s |\n"
                 "| latency p99.9    |  2.10 s |  2.10 s |\n"
                 "| wait p99         |  2.00 s |  2.00 s |\n"
                 "| instances mean   |    1.25 |    1.25 |\n"
                 "|   idle           |    1.20 |    1.20 |\n"
                 "| instances peak   |       2 |       2 |\n"
                 "| started          |       2 |       2 |\n"
                 "| slots in use     |  0.66 % |  0.66 % |\n"
                 "| phase1 (CNY)     |   0.960 |   0.960 |\n"
                 "| phase2 (CNY)     |    0.48 |    1.44 |\n");
    tear_down();
}

static void test_compare(void) {
    set_up();
    check_output(fsim_report_compare, FSIM_REPORT_TEXT, 2,
                 "policy   book         cost  a million requests     p99     cold  429  cheapest\n"
                 "knative  phase1  CNY  0.96          120,000.00  2.10 s  20.00 %    1       yes\n"
                 "         phase2  CNY  0.48           60,000.00                             yes\n"
                 "lambda   phase1  CNY  0.96          120,000.00  2.10 s  20.00 %    1\n"
                 "         phase2  CNY  1.44          180,000.00\n");
    check_output(fsim_report_compare, FSIM_REPORT_CSV, 2,
                 "policy,book,currency,cost,cost_per_million,p99_s,cold_ratio,rejected_429,cheapest\n"
                 "knative,phase1,CNY,0.96,120000,2.1,0.2,1,1\n"
                 "knative,phase2,CNY,0.48,60000,2.1,0.2,1,1\n"
                 "lambda,phase1,CNY,0.96,120000,2.1,0.2,1,0\n"
                 "lambda,phase2,CNY,1.44,180000,2.1,0.2,1,0\n");
    tear_down();
}

/* Every header of the CSV report is a path, and the cell below it what the path leads to. */
static void test_csv(void) {
    set_up();
    char *text = NULL, *row_save = NULL, *head_save = NULL, *cell_save = NULL;
    size_t size = 0, columns = 0;
    FILE *out = open_memstream(&text, &size);
    REQUIRE(out != NULL);
    CHECK_EQ_INT(fsim_report_write(out, FSIM_REPORT_CSV, records, 2, NULL), FSIM_OK);
    fclose(out);
    char *head = strtok_r(text, "\n", &row_save);
    char *first = strtok_r(NULL, "\n", &row_save);
    CHECK(strtok_r(NULL, "\n", &row_save) != NULL);
    CHECK(strtok_r(NULL, "\n", &row_save) == NULL);
    char *cell = strtok_r(first, ",", &cell_save);
    for (char *path = strtok_r(head, ",", &head_save); path != NULL; path = strtok_r(NULL, ",", &head_save)) {
        const json_t *value = fsim_summary_find(summaries[0], "%s", path);
        double number;
        check_context("%s", path);
        REQUIRE(value != NULL && cell != NULL);
        if (json_is_number(value) && fsim_summary_value(value, &number)) {
            CHECK_NEAR(strtod(cell, NULL), number, 1e-11 * fabs(number));
        } else {
            CHECK_EQ_STR(cell, json_string_value(value));
        }
        columns++;
        cell = strtok_r(NULL, ",", &cell_save);
    }
    CHECK(columns > 70);
    free(text);
    tear_down();
}

static char *written(const fsim_run_record *all, uint32_t count) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    REQUIRE(out != NULL);
    CHECK_EQ_INT(fsim_report_write(out, FSIM_REPORT_JSON, all, count, NULL), FSIM_OK);
    fclose(out);
    return text;
}

static void test_json_is_an_array_with_several(void) {
    set_up();
    for (uint32_t count = 1; count <= 2; count++) {
        char *text = written(records, count);
        json_t *back = json_loads(text, 0, NULL);
        CHECK(count == 1 ? json_is_object(back) : json_array_size(back) == 2);
        json_decref(back);
        free(text);
    }
    tear_down();
}

static void test_csv_quoting(void) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fsim_table *table = fsim_table_create(2, 1);
    fsim_table_add(table, "a,b");
    fsim_table_add(table, "say \"no\"");
    fsim_table_add(table, "é");
    fsim_table_end_row(table);
    CHECK(fsim_table_print(table, FSIM_TABLE_CSV, 0, out));
    CHECK(fsim_table_print(table, FSIM_TABLE_TEXT, 2, out));
    fsim_table_destroy(table);
    fclose(out);
    CHECK_EQ_STR(text, "\"a,b\",\"say \"\"no\"\"\"\né,\n  a,b  say \"no\"\n  é\n");
    free(text);
}

static void test_figures(void) {
    CHECK_EQ_STR(fsim_figure_real(0.01234).text, "0.0123");
    CHECK_EQ_STR(fsim_figure_real(4.567).text, "4.57");
    CHECK_EQ_STR(fsim_figure_real(123.4).text, "123");
    CHECK_EQ_STR(fsim_figure_real(12345.6).text, "12,346");
    CHECK_EQ_STR(fsim_figure_real(0.0001).text, "<0.001");
    CHECK_EQ_STR(fsim_figure_share(0.99999999).text, ">99.99 %");
    CHECK_EQ_STR(fsim_figure_share(1e-9).text, "<0.01 %");
    CHECK_EQ_STR(fsim_figure_share(1).text, "100 %");
    CHECK_EQ_STR(fsim_figure_horizon(86400).text, "1 d");
    CHECK_EQ_STR(fsim_figure_horizon(90).text, "90 s");
    CHECK_EQ_STR(fsim_figure_horizon(2472.3).text, "41 min 12 s");
    fsim_i128 pico = 0;
    CHECK(fsim_decimal_parse_pico("1234567.894", &pico));
    CHECK_EQ_STR(fsim_figure_money(pico, fsim_figure_places(pico)).text, "1,234,567.89");
    CHECK_EQ_STR(fsim_figure_money(-pico, 0).text, "-1,234,568");
    CHECK(fsim_decimal_parse_pico("0.001234", &pico));
    CHECK_EQ_STR(fsim_figure_money(pico, fsim_figure_places(pico)).text, "0.00123");
}

int main(void) {
    RUN(test_text);
    RUN(test_text_of_the_unusual);
    RUN(test_side_by_side);
    RUN(test_compare);
    RUN(test_csv);
    RUN(test_json_is_an_array_with_several);
    RUN(test_csv_quoting);
    RUN(test_figures);
    return check_done();
}
