/* Rows of documents: see report.h. */
#include "report/report.h"
#include "report/rows_csv.h"
#include "report/summary_flat_json.h"
#include "report/table.h"

#include "base/spell.h"

#include <stdlib.h>
#include <string.h>

typedef struct columns {
    char **path;
    fsim_cell *value; /* of the row being written */
    size_t count, capacity;
    size_t next; /* where the next path is looked for first: rows of one shape cost one comparison a cell */
    bool failed;
} columns;

static void collect(void *user, const char *path, const fsim_cell *value) {
    columns *c = user;
    size_t i = c->next;
    if (i >= c->count || strcmp(c->path[i], path) != 0) {
        for (i = 0; i < c->count && strcmp(c->path[i], path) != 0; i++) {
        }
    }
    c->next = i + 1;
    if (i == c->capacity) {
        size_t capacity = 2 * c->capacity + 128;
        char **paths = realloc(c->path, capacity * sizeof *paths);
        c->path = paths != NULL ? paths : c->path;
        fsim_cell *values = realloc(c->value, capacity * sizeof *values);
        c->value = values != NULL ? values : c->value;
        if (paths == NULL || values == NULL) {
            c->failed = true;
            return;
        }
        c->capacity = capacity;
    }
    if (i == c->count) {
        c->path[i] = strdup(path);
        c->failed = c->failed || c->path[i] == NULL;
        c->count += c->path[i] != NULL;
    }
    c->value[i] = *value;
}

static void write_cell(FILE *out, const fsim_cell *cell) {
    char text[FSIM_SPELL_MAX], *end = text;
    switch (cell->kind) {
    case FSIM_CELL_NONE: return;
    case FSIM_CELL_TEXT: fsim_table_csv_field(out, cell->text); return;
    case FSIM_CELL_REAL: end = fsim_spell_real(text, cell->real); break;
    case FSIM_CELL_INTEGER:
        *end = '-';
        end += cell->integer < 0;
        end = fsim_spell_digits(end,
                                cell->integer < 0 ? 0u - (uint64_t)cell->integer : (uint64_t)cell->integer);
        break;
    }
    fwrite_unlocked(text, 1, (size_t)(end - text), out);
}

static void write_cells(FILE *out, columns *c, const fsim_rows *rows, size_t row) {
    for (size_t i = 0; i < c->count; i++) {
        c->value[i].kind = FSIM_CELL_NONE;
    }
    c->next = 0;
    rows->cells(rows->user, row, collect, c);
    for (size_t i = 0; i < c->count; i++) {
        if (i > 0) {
            putc_unlocked(',', out);
        }
        write_cell(out, &c->value[i]);
    }
    putc_unlocked('\n', out);
}

static void write_head(FILE *out, const columns *c, const char *head) {
    if (head != NULL) {
        fputs(head, out);
    }
    for (size_t i = 0; i < c->count; i++) {
        fputs(i > 0 || head != NULL ? "," : "", out);
        fsim_table_csv_field(out, c->path[i]);
    }
    fputc('\n', out);
}

fsim_status fsim_rows_csv(FILE *out, const fsim_rows *rows, fsim_error *err) {
    columns c = {0};
    for (size_t i = 0; i < rows->count; i++) {
        if (i == 0 || rows->alike == NULL || !rows->alike(rows->user, i - 1, i)) {
            c.next = 0;
            rows->cells(rows->user, i, collect, &c);
        }
    }
    write_head(out, &c, rows->head);
    for (size_t i = 0; i < rows->count && !c.failed; i++) {
        if (rows->head != NULL) {
            fsim_table_csv_field(out, rows->name(rows->user, i));
            putc_unlocked(',', out);
        }
        write_cells(out, &c, rows, i);
    }
    for (size_t i = 0; i < c.count; i++) {
        free(c.path[i]);
    }
    free(c.path);
    free(c.value);
    return c.failed ? fsim_fail(err, FSIM_ELIMIT, "out of memory while writing CSV") : FSIM_OK;
}
