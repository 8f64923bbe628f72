#include "report/overview.h"

#include "report/bill_view.h"
#include "report/figures.h"
#include "report/summary_path_json.h"

typedef struct overview_row {
    const char *label, *path;
    fsim_figure (*format)(double);
    bool only_if_any; /* left out when 0 everywhere */
} overview_row;

static const overview_row rows[] = {
    {"requests arrived", "requests.arrived", fsim_figure_count, false},
    {"completed", "requests.completed", fsim_figure_count, false},
    {"refused (429)", "requests.rejected_429", fsim_figure_count, false},
    {"refused (503)", "requests.rejected_503", fsim_figure_count, true},
    {"timed out (504)", "requests.timed_out", fsim_figure_count, true},
    {"failed", "requests.failed", fsim_figure_count, true},
    {"unfinished", "requests.in_system_at_end", fsim_figure_count, true},
    {"cold requests", "cold.ratio", fsim_figure_share, false},
    {"latency mean", "latency_s.mean", fsim_figure_span, false},
    {"latency p50", "latency_s.p50", fsim_figure_span, false},
    {"latency p99", "latency_s.p99", fsim_figure_span, false},
    {"latency p99.9", "latency_s.p999", fsim_figure_span, false},
    {"wait p99", "wait_s.p99", fsim_figure_span, false},
    {"instances mean", "instances.mean", fsim_figure_real, false},
    {"  idle", "instances.mean_idle", fsim_figure_real, false},
    {"instances peak", "instances.peak", fsim_figure_count, false},
    {"started", "instances.started", fsim_figure_count, false},
    {"slots in use", "utilisation", fsim_figure_share, false},
};

static bool is_shown(const overview_row *row, json_t *const *summaries, uint32_t count) {
    bool shown = !row->only_if_any;
    for (uint32_t i = 0; i < count && !shown; i++) {
        shown = fsim_summary_number(summaries[i], "%s", row->path) > 0;
    }
    return shown;
}

static void add_figure(fsim_table *table, const json_t *summary, const overview_row *row) {
    double half;
    fsim_figure mean = row->format(fsim_summary_number(summary, "%s", row->path));
    if (fsim_summary_value(fsim_summary_find(summary, "ci95.%s", row->path), &half)) {
        fsim_table_add(table, "%s ± %s", mean.text, row->format(half).text);
    } else {
        fsim_table_add(table, "%s", mean.text);
    }
}

static void add_bills(fsim_table *table, json_t *const *summaries, uint32_t count) {
    size_t bills = fsim_summary_size(summaries[0], "bills");
    for (size_t b = 0; b < bills; b++) {
        fsim_i128 largest = 0;
        for (uint32_t i = 0; i < count; i++) {
            fsim_i128 total = fsim_bill_total(summaries[i], b);
            largest = total > largest ? total : largest;
        }
        fsim_table_add(table, "%s (%s)", fsim_summary_text(summaries[0], "bills[%zu].book", b),
                       fsim_summary_text(summaries[0], "bills[%zu].currency", b));
        for (uint32_t i = 0; i < count; i++) {
            fsim_i128 total = fsim_bill_total(summaries[i], b);
            int places = fsim_figure_places(largest);
            const json_t *half = fsim_summary_find(summaries[i], "ci95.bills[%zu].total", b);
            double width;
            if (fsim_summary_value(half, &width)) {
                fsim_table_add(table, "%s ± %.*f", fsim_figure_money(total, places).text, places, width);
            } else {
                fsim_table_add(table, "%s", fsim_figure_money(total, places).text);
            }
        }
    }
}

fsim_table *fsim_report_overview(json_t *const *summaries, uint32_t count) {
    fsim_table *table = fsim_table_create(count + 1, 1);
    if (table == NULL) {
        return NULL;
    }
    fsim_table_add(table, "%s", fsim_summary_text(summaries[0], "name"));
    for (uint32_t i = 0; i < count; i++) {
        fsim_table_add(table, "%s", fsim_summary_text(summaries[i], "policy"));
    }
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        if (is_shown(&rows[r], summaries, count)) {
            fsim_table_add(table, "%s", rows[r].label);
            for (uint32_t i = 0; i < count; i++) {
                add_figure(table, summaries[i], &rows[r]);
            }
        }
    }
    add_bills(table, summaries, count);
    return table;
}
