/* The versions of functions side by side, for the text of one run. */
#include "report/figures.h"
#include "report/report.h"
#include "report/summary_path_json.h"
#include "report/table.h"

static void add_head(fsim_table *table) {
    static const char *const head[] = {"Version", "requests", "share",     "refused", "cold",
                                       "p50",     "p99",      "instances", "at most"};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) {
        fsim_table_add(table, "%s", head[i]);
    }
}

static void add_version(fsim_table *table, const char *function, const char *name, const json_t *version,
                        double all) {
    double arrived = fsim_summary_number(version, "requests.arrived");
    double refused = fsim_summary_number(version, "requests.rejected_429") +
                     fsim_summary_number(version, "requests.rejected_503");
    fsim_table_add(table, "%s:%s", function, name);
    fsim_table_add(table, "%s", fsim_figure_count(arrived).text);
    fsim_table_add(table, "%s", fsim_figure_share(all > 0 ? arrived / all : 0).text);
    fsim_table_add(table, "%s", fsim_figure_count(refused).text);
    fsim_table_add(table, "%s", fsim_figure_count(fsim_summary_number(version, "cold.affected")).text);
    bool has_percentiles = fsim_summary_find(version, "latency_s.p50") != NULL;
    double p50 = fsim_summary_number(version, "latency_s.p50");
    double p99 = fsim_summary_number(version, "latency_s.p99");
    fsim_table_add(table, "%s", has_percentiles ? fsim_figure_span(p50).text : "");
    fsim_table_add(table, "%s", has_percentiles ? fsim_figure_span(p99).text : "");
    fsim_table_add(table, "%s", fsim_figure_real(fsim_summary_number(version, "instances.mean")).text);
    fsim_table_add(table, "%s", fsim_figure_count(fsim_summary_number(version, "instances.peak")).text);
}

bool fsim_report_versions(FILE *out, const json_t *summary) {
    const json_t *functions = fsim_summary_find(summary, "functions");
    const char *function, *name;
    json_t *scope, *version;
    fsim_table *table = NULL;
    json_object_foreach((json_t *)(uintptr_t)functions, function, scope) {
        double all = fsim_summary_number(scope, "requests.arrived");
        json_object_foreach(json_object_get(scope, "versions"), name, version) {
            if (table == NULL) {
                table = fsim_table_create(9, 1);
                if (table == NULL) {
                    return false;
                }
                add_head(table);
            }
            add_version(table, function, name, version, all);
        }
    }
    if (table == NULL) {
        return true;
    }
    fputc('\n', out);
    bool ok = fsim_table_print(table, FSIM_TABLE_TEXT, 0, out);
    fsim_table_destroy(table);
    return ok;
}
