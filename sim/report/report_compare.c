/* Policies x price books, one line each. */
#include "report/bill_view.h"
#include "report/figures.h"
#include "report/report.h"
#include "report/summary_path_json.h"
#include "report/table.h"

#include <stdlib.h>

#define COLUMNS 9
static const char *const shown_heads[COLUMNS] = {"policy", "book", "",    "cost",    "a million requests",
                                                 "p99",    "cold", "429", "cheapest"};
static const char *const raw_heads[COLUMNS] = {"policy",           "book",  "currency",   "cost",
                                               "cost_per_million", "p99_s", "cold_ratio", "rejected_429",
                                               "cheapest"};

/* The policy with the smallest total in this book; the first of equals. */
static uint32_t cheapest(json_t *const *summaries, uint32_t count, size_t bill) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++) {
        if (fsim_bill_total(summaries[i], bill) < fsim_bill_total(summaries[best], bill)) {
            best = i;
        }
    }
    return best;
}

static fsim_i128 largest(json_t *const *summaries, uint32_t count, size_t bills,
                         fsim_i128 (*amount)(const json_t *, size_t)) {
    fsim_i128 most = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (size_t b = 0; b < bills; b++) {
            fsim_i128 pico = amount(summaries[i], b);
            most = pico > most ? pico : most;
        }
    }
    return most;
}

typedef struct places {
    int total, million;
} places;

/* For people: rounded, and what belongs to the policy only beside its first book. */
static void add_shown(fsim_table *table, const json_t *s, size_t bill, places p, bool best) {
    fsim_table_add(table, "%s", bill == 0 ? fsim_summary_text(s, "policy") : "");
    fsim_table_add(table, "%s", fsim_summary_text(s, "bills[%zu].book", bill));
    fsim_table_add(table, "%s", fsim_summary_text(s, "bills[%zu].currency", bill));
    fsim_table_add(table, "%s", fsim_figure_money(fsim_bill_total(s, bill), p.total).text);
    fsim_table_add(table, "%s", fsim_figure_money(fsim_bill_per_million(s, bill), p.million).text);
    if (bill == 0) {
        fsim_table_add(table, "%s", fsim_figure_span(fsim_summary_number(s, "latency_s.p99")).text);
        fsim_table_add(table, "%s", fsim_figure_share(fsim_summary_number(s, "cold.ratio")).text);
        fsim_table_add(table, "%s", fsim_figure_count(fsim_summary_number(s, "requests.rejected_429")).text);
    } else {
        fsim_table_add(table, "%s", "");
        fsim_table_add(table, "%s", "");
        fsim_table_add(table, "%s", "");
    }
    fsim_table_add(table, "%s", best ? "yes" : "");
}

/* For programs: every cell filled, in seconds, shares and exact decimals. */
static void add_raw(fsim_table *table, const json_t *s, size_t bill, bool best) {
    char million[FSIM_DECIMAL_SIZE];
    fsim_table_add(table, "%s", fsim_summary_text(s, "policy"));
    fsim_table_add(table, "%s", fsim_summary_text(s, "bills[%zu].book", bill));
    fsim_table_add(table, "%s", fsim_summary_text(s, "bills[%zu].currency", bill));
    fsim_table_add(table, "%s", fsim_summary_text(s, "bills[%zu].total", bill));
    fsim_table_add(table, "%s",
                   fsim_decimal_print_pico(fsim_bill_per_million(s, bill), million, sizeof million));
    fsim_table_add(table, "%.12g", fsim_summary_number(s, "latency_s.p99"));
    fsim_table_add(table, "%.12g", fsim_summary_number(s, "cold.ratio"));
    fsim_table_add(table, "%.12g", fsim_summary_number(s, "requests.rejected_429"));
    fsim_table_add(table, "%d", best);
}

static void fill(fsim_table *table, json_t *const *summaries, uint32_t count, bool raw) {
    size_t bills = fsim_summary_size(summaries[0], "bills");
    places p = {fsim_figure_places(largest(summaries, count, bills, fsim_bill_total)),
                fsim_figure_places(largest(summaries, count, bills, fsim_bill_per_million))};
    for (size_t c = 0; c < COLUMNS; c++) {
        fsim_table_add(table, "%s", raw ? raw_heads[c] : shown_heads[c]);
    }
    for (uint32_t i = 0; i < count; i++) {
        for (size_t b = 0; b < bills; b++) {
            bool best = count > 1 && cheapest(summaries, count, b) == i;
            if (raw) {
                add_raw(table, summaries[i], b, best);
            } else {
                add_shown(table, summaries[i], b, p, best);
            }
        }
    }
}

fsim_status fsim_report_compare(FILE *out, fsim_report_format format, const fsim_run_record *records,
                                uint32_t count, fsim_error *err) {
    static const fsim_table_style styles[] = {[FSIM_REPORT_TEXT] = FSIM_TABLE_TEXT,
                                              [FSIM_REPORT_JSON] = FSIM_TABLE_TEXT,
                                              [FSIM_REPORT_CSV] = FSIM_TABLE_CSV,
                                              [FSIM_REPORT_MARKDOWN] = FSIM_TABLE_MARKDOWN};
    if (format == FSIM_REPORT_JSON || fsim_summary_size(records[0].summary, "bills") == 0) {
        return fsim_report_write(out, format, records, count, err);
    }
    json_t **summaries = fsim_report_summaries(records, count);
    fsim_table *table = fsim_table_create(COLUMNS, 3);
    bool ok = table != NULL && summaries != NULL;
    if (ok) {
        fill(table, summaries, count, format == FSIM_REPORT_CSV);
        ok = fsim_table_print(table, styles[format], 0, out);
    }
    fsim_table_destroy(table);
    free(summaries);
    return ok ? FSIM_OK : fsim_fail(err, FSIM_ELIMIT, "out of memory while writing the comparison");
}
