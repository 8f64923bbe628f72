/* A row for each summary; the columns are the union of their paths, in order of first appearance. */
#include "report/report.h"
#include "report/summary_flat_json.h"
#include "report/table.h"

#include <stdlib.h>
#include <string.h>

typedef struct columns {
    char **path;
    const json_t **value; /* of the summary being written */
    size_t count, capacity;
    bool failed;
} columns;

static void collect(void *user, const char *path, const json_t *value) {
    columns *c = user;
    size_t i = 0;
    while (i < c->count && strcmp(c->path[i], path) != 0) {
        i++;
    }
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

static void write_row(FILE *out, columns *c, const json_t *summary) {
    char text[64];
    for (size_t i = 0; i < c->count; i++) {
        c->value[i] = NULL;
    }
    fsim_summary_leaves(summary, collect, c);
    for (size_t i = 0; i < c->count; i++) {
        fputs(i > 0 ? "," : "", out);
        fsim_table_csv_field(out, fsim_summary_spell(c->value[i], text, sizeof text));
    }
    fputc('\n', out);
}

fsim_status fsim_report_csv(FILE *out, json_t *const *summaries, uint32_t count, fsim_error *err) {
    columns c = {0};
    for (uint32_t i = 0; i < count; i++) {
        fsim_summary_leaves(summaries[i], collect, &c);
    }
    for (size_t i = 0; i < c.count && !c.failed; i++) {
        fputs(i > 0 ? "," : "", out);
        fsim_table_csv_field(out, c.path[i]);
    }
    for (uint32_t i = 0; i < count && !c.failed; i++) {
        fputs(i == 0 ? "\n" : "", out);
        write_row(out, &c, summaries[i]);
    }
    for (size_t i = 0; i < c.count; i++) {
        free(c.path[i]);
    }
    free(c.path);
    free(c.value);
    return c.failed ? fsim_fail(err, FSIM_ELIMIT, "out of memory while writing CSV") : FSIM_OK;
}
