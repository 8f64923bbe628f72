/* Cells are kept as strings; widths are counted in characters, not bytes. */
#include "report/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct fsim_table {
    uint32_t columns, left;
    size_t count, capacity; /* cells */
    char **cell;
    bool failed;
};

fsim_table *fsim_table_create(uint32_t columns, uint32_t left) {
    fsim_table *table = calloc(1, sizeof *table);
    if (table != NULL) {
        table->columns = columns;
        table->left = left;
    }
    return table;
}

void fsim_table_destroy(fsim_table *table) {
    if (table == NULL) {
        return;
    }
    for (size_t i = 0; i < table->count; i++) {
        free(table->cell[i]);
    }
    free(table->cell);
    free(table);
}

void fsim_table_add(fsim_table *table, const char *format, ...) {
    if (table->count == table->capacity) {
        size_t capacity = 2 * table->capacity + 64;
        char **cell = realloc(table->cell, capacity * sizeof *cell);
        if (cell == NULL) {
            table->failed = true;
            return;
        }
        table->cell = cell;
        table->capacity = capacity;
    }
    va_list args;
    va_start(args, format);
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0) {
        table->failed = true;
    } else {
        table->cell[table->count++] = text;
    }
    va_end(args);
}

void fsim_table_end_row(fsim_table *table) {
    while (!table->failed && table->count % table->columns != 0) {
        fsim_table_add(table, "%s", "");
    }
}

/* Characters of UTF-8 text: bytes that do not continue one. */
static int width_of(const char *text) {
    int n = 0;
    for (; *text != '\0'; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return n;
}

static int column_width(const fsim_table *table, size_t column) {
    int width = 0;
    for (size_t i = column; i < table->count; i += table->columns) {
        int w = width_of(table->cell[i]);
        width = w > width ? w : width;
    }
    return width;
}

static void print_padded(FILE *out, const char *text, int width, bool left) {
    int pad = width > width_of(text) ? width - width_of(text) : 0;
    if (left) {
        fprintf(out, "%s%*s", text, pad, "");
    } else {
        fprintf(out, "%*s%s", pad, "", text);
    }
}

/* Blanks at the end of a line are left out. */
static void print_text_row(const fsim_table *table, size_t row, const int *width, int indent, FILE *out) {
    char *const *cell = &table->cell[row * table->columns];
    uint32_t last = table->columns;
    while (last > 0 && cell[last - 1][0] == '\0') {
        last--;
    }
    if (last > 0) {
        fprintf(out, "%*s", indent, "");
    }
    for (uint32_t c = 0; c < last; c++) {
        bool left = c < table->left;
        print_padded(out, cell[c], left && c + 1 == last ? 0 : width[c], left);
        fputs(c + 1 < last ? "  " : "", out);
    }
    fputc('\n', out);
}

static void print_markdown_row(const fsim_table *table, size_t row, const int *width, FILE *out) {
    fputc('|', out);
    for (uint32_t c = 0; c < table->columns; c++) {
        fputc(' ', out);
        print_padded(out, table->cell[row * table->columns + c], width[c], c < table->left);
        fputs(" |", out);
    }
    fputc('\n', out);
    if (row > 0) {
        return;
    }
    fputc('|', out);
    for (uint32_t c = 0; c < table->columns; c++) {
        for (int i = 0; i < width[c] + 1; i++) {
            fputc('-', out);
        }
        fputs(c < table->left ? "-|" : ":|", out);
    }
    fputc('\n', out);
}

void fsim_table_csv_field(FILE *out, const char *text) {
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++) {
        fputs(*text == '"' ? "\"" : "", out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void print_csv_row(const fsim_table *table, size_t row, FILE *out) {
    for (uint32_t c = 0; c < table->columns; c++) {
        fputs(c > 0 ? "," : "", out);
        fsim_table_csv_field(out, table->cell[row * table->columns + c]);
    }
    fputc('\n', out);
}

bool fsim_table_print(const fsim_table *table, fsim_table_style style, int indent, FILE *out) {
    int *width = calloc(table->columns, sizeof *width);
    if (table->failed || width == NULL) {
        free(width);
        return false;
    }
    for (uint32_t c = 0; c < table->columns; c++) {
        width[c] = column_width(table, c);
    }
    for (size_t row = 0; row < table->count / table->columns; row++) {
        switch (style) {
        case FSIM_TABLE_TEXT: print_text_row(table, row, width, indent, out); break;
        case FSIM_TABLE_MARKDOWN: print_markdown_row(table, row, width, out); break;
        case FSIM_TABLE_CSV: print_csv_row(table, row, out); break;
        }
    }
    free(width);
    return true;
}
