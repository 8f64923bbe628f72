#include "report/report.h"

#include "report/overview.h"
#include "report/summary_path_json.h"

#include <stdlib.h>

const char *const fsim_report_format_names[] = {"text", "json", "csv", "md", NULL};

static fsim_status no_memory(fsim_error *err) {
    return fsim_fail(err, FSIM_ELIMIT, "out of memory while writing the report");
}

static fsim_status write_json(FILE *out, json_t *const *summaries, uint32_t count, fsim_error *err) {
    char *text = fsim_summary_dump_all(summaries, count);
    if (text == NULL) {
        return no_memory(err);
    }
    fprintf(out, "%s\n", text);
    free(text);
    return FSIM_OK;
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

fsim_status fsim_report_write(FILE *out, fsim_report_format format, json_t *const *summaries, uint32_t count,
                              fsim_error *err) {
    switch (format) {
    case FSIM_REPORT_JSON: return write_json(out, summaries, count, err);
    case FSIM_REPORT_CSV: return fsim_report_rows_csv(out, NULL, NULL, summaries, count, err);
    case FSIM_REPORT_MARKDOWN: return write_overview(out, FSIM_TABLE_MARKDOWN, summaries, count, err);
    case FSIM_REPORT_TEXT: break;
    }
    return count == 1 ? fsim_report_text(out, summaries[0], err)
                      : write_overview(out, FSIM_TABLE_TEXT, summaries, count, err);
}
