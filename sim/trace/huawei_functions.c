/* Huawei 2025's table of functions, df_funcID_runtime_triggerType.csv: funcID (funcName---userID---pool),
 * cpu_request (thousandths of a core), runtime, triggerType-invocationType (a list with blanks between). It
 * describes functions that rows name; those without rows are nobody's. */
#include "trace/trace_parts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ID, RUNTIME, TRIGGER, COLUMNS };

typedef struct huawei_functions {
    name_map ids;
    uint32_t (*texts)[COLUMNS]; /* by id: numbers of its cells in t->texts */
    uint32_t capacity;
} huawei_functions;

static const char *const names[COLUMNS] = {"funcID", "runtime", "triggerType-invocationType"};

void trace_close_huawei_functions(fsim_trace *t) {
    if (t->described != NULL) {
        name_map_close(&t->described->ids);
        free(t->described->texts);
        free(t->described);
    }
}

static fsim_status add(fsim_trace *t, const uint32_t texts[COLUMNS], fsim_error *err) {
    huawei_functions *all = t->described;
    uint32_t number;
    const char *id = t->texts.texts[texts[ID]];
    FSIM_TRY(name_map_intern(&all->ids, id, strlen(id), &number, err));
    if (number >= all->capacity) {
        uint32_t capacity = number + number / 2 + 256;
        void *larger = realloc(all->texts, capacity * sizeof *all->texts);
        if (larger == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        all->texts = larger;
        all->capacity = capacity;
    }
    memcpy(all->texts[number], texts, sizeof *all->texts);
    return FSIM_OK;
}

fsim_status trace_read_huawei_functions(fsim_trace *t, const trace_file *file, fsim_error *err) {
    size_t fields[COLUMNS] = {SIZE_MAX, SIZE_MAX, SIZE_MAX}, count;
    fsim_csv_block block = {.count = 1};
    uint32_t empty;
    if (t->described == NULL) {
        t->described = calloc(1, sizeof *t->described);
        if (t->described == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        name_map_open(&t->described->ids, t->pool);
    }
    FSIM_TRY(name_map_intern(&t->texts, "", 0, &empty, err));
    FSIM_TRY(fsim_csv_open(&t->csv, NULL, file->path, err));
    const char *const *header = fsim_csv_header(t->csv, &count);
    for (size_t f = 0; f < count; f++) {
        for (size_t c = 0; c < COLUMNS; c++) {
            if (fields[c] == SIZE_MAX && strcasecmp(header[f], names[c]) == 0) {
                const fsim_csv_binding binding = {
                    .expected = names[c], .when_empty = empty, .name = trace_intern_cell, .user = t};
                fields[c] = f;
                fsim_csv_bind(t->csv, f, &binding);
            }
        }
    }
    while (block.count > 0) {
        FSIM_TRY(fsim_csv_next(t->csv, &block, err));
        for (uint32_t row = 0; row < block.count; row++) {
            uint32_t texts[COLUMNS];
            for (size_t c = 0; c < COLUMNS; c++) {
                texts[c] = fields[c] == SIZE_MAX ? empty : (uint32_t)block.columns[fields[c]][row];
            }
            FSIM_TRY(add(t, texts, err));
        }
    }
    fsim_csv_close(t->csv);
    t->csv = NULL;
    return FSIM_OK;
}

uint32_t trace_huawei_function_count(const fsim_trace *t) {
    return t->described->ids.count;
}

const char *trace_huawei_function_id(const fsim_trace *t, uint32_t i) {
    return t->described->ids.texts[i];
}

static const char *text_or_null(const fsim_trace *t, uint32_t text) {
    return t->texts.lengths[text] == 0 ? NULL : t->texts.texts[text];
}

void trace_describe_huawei_function(const fsim_trace *t, fsim_trace_function *f) {
    uint32_t number =
        t->described == NULL ? UINT32_MAX : name_map_find(&t->described->ids, f->name, strlen(f->name));
    if (number != UINT32_MAX) {
        f->runtime = text_or_null(t, t->described->texts[number][RUNTIME]);
        f->trigger = text_or_null(t, t->described->texts[number][TRIGGER]);
    }
}
