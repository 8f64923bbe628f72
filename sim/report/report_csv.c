/* Rows of documents: see report.h. */
#include "report/report.h"
#include "report/summary_flat_json.h"
#include "report/table.h"

#include <stdlib.h>
#include <string.h>

typedef struct columns {
    char **path;
    const json_t **value; /* of the summary being written */
    size_t count, capacity;
    size_t next; /* where the next path is looked for first: rows of one shape cost one comparison a cell */
    bool failed;
} columns;

static void collect(void *user, const char *path, const json_t *value) {
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
        const json_t **values = realloc(c->value, capacity * sizeof *values);
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
    c->value[i] = value;
}

static void write_cells(FILE *out, columns *c, const json_t *document) {
    char text[64];
    for (size_t i = 0; i < c->count; i++) {
        c->value[i] = NULL;
    }
    c->next = 0;
    fsim_summary_leaves(document, collect, c);
    for (size_t i = 0; i < c->count; i++) {
        fputs(i > 0 ? "," : "", out);
        fsim_table_csv_field(out, fsim_summary_spell(c->value[i], text, sizeof text));
    }
    fputc('\n', out);
}

fsim_status fsim_report_rows_csv(FILE *out, const char *head, const char *const *names,
                                 json_t *const *documents, size_t count, fsim_error *err) {
    columns c = {0};
    for (size_t i = 0; i < count; i++) {
        c.next = 0;
        fsim_summary_leaves(documents[i], collect, &c);
    }
    if (head != NULL) {
        fputs(head, out);
    }
    for (size_t i = 0; i < c.count; i++) {
        fputs(i > 0 || head != NULL ? "," : "", out);
        fsim_table_csv_field(out, c.path[i]);
    }
    fputc('\n', out);
    for (size_t i = 0; i < count && !c.failed; i++) {
        if (head != NULL) {
            fsim_table_csv_field(out, names[i]);
            fputc(',', out);
        }
        write_cells(out, &c, documents[i]);
    }
    for (size_t i = 0; i < c.count; i++) {
        free(c.path[i]);
    }
    free(c.path);
    free(c.value);
    return c.failed ? fsim_fail(err, FSIM_ELIMIT, "out of memory while writing CSV") : FSIM_OK;
}
