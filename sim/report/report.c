#include "report/report.h"

#include "report/overview.h"
#include "report/rows_csv.h"
#include "report/summary_flat_json.h"
#include "report/summary_path_json.h"

#include <stdlib.h>

const char *const fsim_report_format_names[] = {"text", "json", "csv", "md", NULL};

static fsim_status no_memory(fsim_error *err) {
    return fsim_fail(err, FSIM_ELIMIT, "out of memory while writing the report");
}

static fsim_status write_overview(FILE *out, fsim_table_style style, json_t *const *summaries, uint32_t count,
                                  fsim_error *err) {
    fsim_table *table = fsim_report_overview(summaries, count);
    bool ok = table != NULL && fsim_table_print(table, style, 0, out);
    fsim_table_destroy(table);
    for (uint32_t i = 0; ok && i < count; i++) {
        size_t warnings = fsim_summary_size(summaries[i], "warnings");
        for (size_t w = 0; w < warnings; w++) {
            fprintf(out, "\nWarning: %s: %s\n", fsim_summary_text(summaries[i], "policy"),
                    fsim_summary_text(summaries[i], "warnings[%zu]", w));
        }
    }
    return ok ? FSIM_OK : no_memory(err);
}

static const char *no_name(void *user, size_t row) {
    (void)user;
    (void)row;
    return "";
}

static void cells_of_document(void *user, size_t row, fsim_cell_visit visit, void *visit_user) {
    fsim_summary_cells(((json_t *const *)user)[row], visit, visit_user);
}

static fsim_status write_csv(FILE *out, json_t **summaries, uint32_t count, fsim_error *err) {
    const fsim_rows rows = {.count = count, .name = no_name, .cells = cells_of_document, .user = summaries};
    return fsim_rows_csv(out, &rows, err);
}

json_t **fsim_report_summaries(const fsim_run_record *records, uint32_t count) {
    json_t **summaries = calloc(count + 1u, sizeof *summaries);
    for (uint32_t i = 0; summaries != NULL && i < count; i++) {
        summaries[i] = records[i].summary;
    }
    return summaries;
}

fsim_status fsim_report_write(FILE *out, fsim_report_format format, const fsim_run_record *records,
                              uint32_t count, fsim_error *err) {
    if (format == FSIM_REPORT_JSON) {
        return fsim_summary_write(out, records, count, err);
    }
    json_t **summaries = fsim_report_summaries(records, count);
    fsim_status status;
    if (summaries == NULL) {
        return no_memory(err);
    }
    if (format == FSIM_REPORT_CSV) {
        status = write_csv(out, summaries, count, err);
    } else if (format == FSIM_REPORT_TEXT && count == 1) {
        status = fsim_report_text(out, summaries[0], err);
    } else {
        bool text = format == FSIM_REPORT_TEXT;
        status = write_overview(out, text ? FSIM_TABLE_TEXT : FSIM_TABLE_MARKDOWN, summaries, count, err);
    }
    free(summaries);
    return status;
}
