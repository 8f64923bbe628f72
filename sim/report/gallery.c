#include "report/gallery.h"

#include "report/bill_view.h"
#include "report/figures.h"
#include "report/summary_path_json.h"
#include "report/table.h"

#include <stdlib.h>

#define FIGURES 6

static const char *const shown_heads[FIGURES] = {"cold", "wait p99", "instances", "idle", "refused", "cost"};

static double refused(const json_t *s) {
    return fsim_summary_number(s, "requests.rejected_429") + fsim_summary_number(s, "requests.rejected_503") +
           fsim_summary_number(s, "requests.timed_out");
}

static bool has_bill(const json_t *s) {
    return fsim_summary_size(s, "bills") > 0;
}

/* Decimals of the costs of one workload: as many as the largest deserves. */
static int places_of(json_t *const *summaries, uint32_t policies) {
    fsim_i128 most = 0;
    for (uint32_t p = 0; p < policies; p++) {
        fsim_i128 total = has_bill(summaries[p]) ? fsim_bill_total(summaries[p], 0) : 0;
        most = total > most ? total : most;
    }
    return fsim_figure_places(most);
}

static void add_figures(fsim_table *table, const json_t *s, int places) {
    fsim_table_add(table, "%s", fsim_figure_share(fsim_summary_number(s, "cold.ratio")).text);
    fsim_table_add(table, "%s", fsim_figure_span(fsim_summary_number(s, "wait_s.p99")).text);
    fsim_table_add(table, "%s", fsim_figure_real(fsim_summary_number(s, "instances.mean")).text);
    fsim_table_add(table, "%s", fsim_figure_real(fsim_summary_number(s, "instances.mean_idle")).text);
    fsim_table_add(table, "%s", fsim_figure_count(refused(s)).text);
    fsim_table_add(table, "%s", has_bill(s) ? fsim_figure_money(fsim_bill_total(s, 0), places).text : "");
}

/* Two lines of head: which workload, and what of it. */
static void fill_shown(fsim_table *table, json_t *const *summaries, uint32_t workloads, uint32_t policies) {
    fsim_table_add(table, "%s", "");
    for (uint32_t w = 0; w < workloads; w++) {
        fsim_table_add(table, "%s", fsim_summary_text(summaries[w * policies], "name"));
        for (int f = 1; f < FIGURES; f++) {
            fsim_table_add(table, "%s", "");
        }
    }
    fsim_table_add(table, "%s", "policy");
    for (uint32_t w = 0; w < workloads; w++) {
        for (int f = 0; f < FIGURES; f++) {
            fsim_table_add(table, "%s", shown_heads[f]);
        }
    }
    for (uint32_t p = 0; p < policies; p++) {
        fsim_table_add(table, "%s", fsim_summary_text(summaries[p], "policy"));
        for (uint32_t w = 0; w < workloads; w++) {
            add_figures(table, summaries[w * policies + p], places_of(&summaries[w * policies], policies));
        }
    }
}

#define RAW_COLUMNS 8

static void fill_raw(fsim_table *table, json_t *const *summaries, uint32_t count) {
    static const char *const heads[RAW_COLUMNS] = {
        "workload",       "policy",         "cold_ratio", "wait_p99_s",
        "instances_mean", "instances_idle", "refused",    "cost"};
    for (int c = 0; c < RAW_COLUMNS; c++) {
        fsim_table_add(table, "%s", heads[c]);
    }
    for (uint32_t i = 0; i < count; i++) {
        const json_t *s = summaries[i];
        fsim_table_add(table, "%s", fsim_summary_text(s, "name"));
        fsim_table_add(table, "%s", fsim_summary_text(s, "policy"));
        fsim_table_add(table, "%.12g", fsim_summary_number(s, "cold.ratio"));
        fsim_table_add(table, "%.12g", fsim_summary_number(s, "wait_s.p99"));
        fsim_table_add(table, "%.12g", fsim_summary_number(s, "instances.mean"));
        fsim_table_add(table, "%.12g", fsim_summary_number(s, "instances.mean_idle"));
        fsim_table_add(table, "%.12g", refused(s));
        fsim_table_add(table, "%s", has_bill(s) ? fsim_summary_text(s, "bills[0].total") : "");
    }
}

fsim_status fsim_gallery_write(FILE *out, fsim_report_format format, const fsim_run_record *records,
                               uint32_t workloads, uint32_t policies, fsim_error *err) {
    static const fsim_table_style styles[] = {[FSIM_REPORT_TEXT] = FSIM_TABLE_TEXT,
                                              [FSIM_REPORT_JSON] = FSIM_TABLE_TEXT,
                                              [FSIM_REPORT_CSV] = FSIM_TABLE_CSV,
                                              [FSIM_REPORT_MARKDOWN] = FSIM_TABLE_MARKDOWN};
    if (format == FSIM_REPORT_JSON) {
        return fsim_report_write(out, format, records, workloads * policies, err);
    }
    bool raw = format == FSIM_REPORT_CSV;
    json_t **summaries = fsim_report_summaries(records, workloads * policies);
    fsim_table *table = fsim_table_create(raw ? RAW_COLUMNS : 1 + workloads * FIGURES, raw ? 2 : 1);
    bool ok = table != NULL && summaries != NULL;
    if (ok && raw) {
        fill_raw(table, summaries, workloads * policies);
    } else if (ok) {
        fill_shown(table, summaries, workloads, policies);
    }
    ok = ok && fsim_table_print(table, styles[format], 0, out);
    fsim_table_destroy(table);
    free(summaries);
    return ok ? FSIM_OK : fsim_fail(err, FSIM_ELIMIT, "out of memory while writing the comparison");
}
