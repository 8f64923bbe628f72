#include "report/report_provider.h"

#include "report/bill_view.h"
#include "report/figures.h"
#include "report/summary_path_json.h"
#include "report/table.h"

#include <math.h>
#include <string.h>

#define COLUMNS 8

static size_t bill_named(const json_t *summary, const char *book) {
    size_t bills = fsim_summary_size(summary, "bills"), b = 0;
    while (b < bills && strcmp(fsim_summary_text(summary, "bills[%zu].book", b), book) != 0) {
        b++;
    }
    return b;
}

/* Share of instance time without a request, in millionths: whole numbers for money. */
static fsim_i128 idle_ppm(const json_t *summary) {
    double all = fsim_summary_number(summary, "instances.mean");
    double busy = fsim_summary_number(summary, "instances.mean_busy");
    return all > 0 ? llround(1e6 * (1.0 - busy / all)) : 0;
}

typedef struct figures {
    fsim_i128 revenue, capacity, margin, idle;
    fsim_i128 idle_ppm;
    bool same_currency;
} figures;

static figures figures_of(const json_t *summary, size_t bill, size_t nodes) {
    figures f = {.revenue = fsim_bill_total(summary, bill),
                 .capacity = fsim_bill_total(summary, nodes),
                 .idle_ppm = idle_ppm(summary)};
    f.margin = f.revenue - f.capacity;
    f.same_currency = strcmp(fsim_summary_text(summary, "bills[%zu].currency", bill),
                             fsim_summary_text(summary, "bills[%zu].currency", nodes)) == 0;
    if (!fsim_i128_mul(f.capacity, f.idle_ppm, &f.idle) ||
        !fsim_i128_divide(f.idle, 1000000, FSIM_ROUND_HALF_UP, &f.idle)) {
        f.idle = 0;
    }
    return f;
}

static void add_money(fsim_table *table, fsim_i128 pico, bool raw) {
    char text[FSIM_DECIMAL_SIZE];
    if (raw) {
        fsim_table_add(table, "%s", fsim_decimal_print_pico(pico, text, sizeof text));
    } else {
        fsim_table_add(table, "%s",
                       fsim_decimal_print_places(pico, 2, FSIM_ROUND_HALF_UP, text, sizeof text));
    }
}

static void add_row(fsim_table *table, const json_t *summary, size_t bill, size_t nodes, bool raw) {
    figures f = figures_of(summary, bill, nodes);
    fsim_table_add(table, "%s", fsim_summary_text(summary, "policy"));
    fsim_table_add(table, "%s", fsim_summary_text(summary, "bills[%zu].book", bill));
    fsim_table_add(table, "%s", fsim_summary_text(summary, "bills[%zu].currency", bill));
    add_money(table, f.revenue, raw);
    add_money(table, f.capacity, raw);
    if (f.same_currency) {
        add_money(table, f.margin, raw);
    } else {
        fsim_table_add(table, "%s", raw ? "" : "other currency");
    }
    if (raw) {
        fsim_table_add(table, "%.6g", (double)f.idle_ppm / 1e6);
    } else {
        fsim_table_add(table, "%s", fsim_figure_share((double)f.idle_ppm / 1e6).text);
    }
    add_money(table, f.idle, raw);
}

fsim_status fsim_report_provider(FILE *out, fsim_report_format format, json_t *const *summaries,
                                 uint32_t count, const char *capacity, fsim_error *err) {
    static const char *const heads[] = {"policy",   "book",   "",     "revenue",
                                        "capacity", "margin", "idle", "idle capacity"};
    static const char *const raw_heads[] = {"policy",   "book",   "currency",   "revenue",
                                            "capacity", "margin", "idle_share", "idle_capacity"};
    bool raw = format == FSIM_REPORT_CSV;
    fsim_table *table = fsim_table_create(COLUMNS, 3);
    for (size_t c = 0; table != NULL && c < COLUMNS; c++) {
        fsim_table_add(table, "%s", raw ? raw_heads[c] : heads[c]);
    }
    for (uint32_t i = 0; table != NULL && i < count; i++) {
        size_t nodes = bill_named(summaries[i], capacity), bills = fsim_summary_size(summaries[i], "bills");
        if (nodes == bills) {
            fsim_table_destroy(table);
            return fsim_fail(err, FSIM_ECONFIG, "there is no bill by price book %s", capacity);
        }
        for (size_t b = 0; b < bills; b++) {
            if (b != nodes) {
                add_row(table, summaries[i], b, nodes, raw);
            }
        }
    }
    fsim_table_style style = raw                              ? FSIM_TABLE_CSV
                             : format == FSIM_REPORT_MARKDOWN ? FSIM_TABLE_MARKDOWN
                                                              : FSIM_TABLE_TEXT;
    if (!raw) {
        fprintf(out, "\nThe provider's side: bills less the nodes of %s that hold the instances\n\n",
                capacity);
    }
    bool ok = table != NULL && fsim_table_print(table, style, 0, out);
    fsim_table_destroy(table);
    return ok ? FSIM_OK : fsim_fail(err, FSIM_ELIMIT, "out of memory while writing the comparison");
}
