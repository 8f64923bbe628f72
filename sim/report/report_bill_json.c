#include "report/report_bill.h"
#include "report/table.h"

#include <jansson.h>
#include <stdlib.h>

#define COLUMNS 8

static void fill(fsim_table *table, const fsim_invoice *invoice, bool raw) {
    static const char *const heads[] = {"meter",    "unit",  "used",   "free",
                                        "billable", "price", "credit", "amount"};
    for (size_t c = 0; c < COLUMNS; c++) {
        fsim_table_add(table, "%s", heads[c]);
    }
    for (uint32_t i = 0; i < invoice->line_count; i++) {
        const fsim_invoice_line *line = &invoice->line[i];
        const char *cells[COLUMNS] = {line->meter,    line->unit,  line->used,   line->free,
                                      line->quantity, line->price, line->credit, line->amount};
        for (size_t c = 0; c < COLUMNS; c++) {
            fsim_table_add(table, "%s", cells[c]);
        }
    }
    if (raw) {
        return;
    }
    fsim_table_add(table, "total");
    for (size_t c = 1; c + 1 < COLUMNS; c++) {
        fsim_table_add(table, "%s", "");
    }
    fsim_table_add(table, "%s", invoice->total);
}

static json_t *line_json(const fsim_invoice_line *line) {
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "meter", line->meter, "unit", line->unit, "used",
                  line->used, "quantity", line->quantity, "price", line->price, "amount", line->amount);
    if (line->free[0] != '\0') {
        json_object_set_new(object, "free", json_string(line->free));
    }
    if (line->credit[0] != '\0') {
        json_object_set_new(object, "credit", json_string(line->credit));
    }
    return object;
}

static fsim_status write_json(FILE *out, const fsim_invoice *invoice, const char *shown, fsim_error *err) {
    json_t *lines = json_array(), *left_out = json_array();
    for (uint32_t i = 0; i < invoice->line_count; i++) {
        json_array_append_new(lines, line_json(&invoice->line[i]));
    }
    for (uint32_t i = 0; i < invoice->left_out_count; i++) {
        json_array_append_new(left_out, json_string(invoice->left_out[i]));
    }
    json_t *root = json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:o}", "schema", "fsim.bill/1", "book",
                             invoice->book, "currency", invoice->currency, "lines", lines, "total",
                             invoice->total, "shown", shown, "left_out", left_out);
    char *text = root == NULL ? NULL : json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    if (text == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory while writing the bill");
    }
    fprintf(out, "%s\n", text);
    free(text);
    return FSIM_OK;
}

fsim_status fsim_report_bill(FILE *out, fsim_report_format format, const fsim_invoice *invoice,
                             const char *title, bool lines_first, fsim_error *err) {
    static const fsim_table_style styles[] = {[FSIM_REPORT_TEXT] = FSIM_TABLE_TEXT,
                                              [FSIM_REPORT_JSON] = FSIM_TABLE_TEXT,
                                              [FSIM_REPORT_CSV] = FSIM_TABLE_CSV,
                                              [FSIM_REPORT_MARKDOWN] = FSIM_TABLE_MARKDOWN};
    char shown[FSIM_DECIMAL_SIZE];
    fsim_invoice_show_total(invoice, lines_first, shown, sizeof shown);
    if (format == FSIM_REPORT_JSON) {
        return write_json(out, invoice, shown, err);
    }
    bool raw = format == FSIM_REPORT_CSV;
    if (!raw) {
        fprintf(out, "%s under %s%s\n\n", title, invoice->book,
                invoice->month_ns != 0 ? ", scaled to a month of 30 days" : "");
    }
    fsim_table *table = fsim_table_create(COLUMNS, 2);
    if (table != NULL) {
        fill(table, invoice, raw);
    }
    bool ok = table != NULL && fsim_table_print(table, styles[format], 0, out);
    fsim_table_destroy(table);
    if (!raw) {
        fprintf(out, "\nTo pay: %s %s\n", invoice->currency, shown);
    }
    for (uint32_t i = 0; i < invoice->left_out_count && !raw; i++) {
        fprintf(out, "%s%s", i == 0 ? "Not measured, left out: " : ", ", invoice->left_out[i]);
    }
    if (invoice->left_out_count > 0 && !raw) {
        fputc('\n', out);
    }
    return ok ? FSIM_OK : fsim_fail(err, FSIM_ELIMIT, "out of memory while writing the bill");
}
