/* Summaries as text; functions that a brief one has left out are made here, one after the other. */
#include "report/scope_json.h"
#include "report/summary_json.h"
#include "report/writer_json.h"

#include <string.h>

typedef struct text_sink {
    fsim_scope_sink sink;
    fsim_json_writer *writer;
} text_sink;

static void open_object(fsim_scope_sink *sink, const char *key) {
    fsim_json_writer *w = ((text_sink *)sink)->writer;
    fsim_json_key(w, key);
    fsim_json_begin(w, '{');
}

static void close_object(fsim_scope_sink *sink) {
    fsim_json_end(((text_sink *)sink)->writer, '}');
}

static void put_integer(fsim_scope_sink *sink, const char *key, uint64_t value) {
    fsim_json_writer *w = ((text_sink *)sink)->writer;
    fsim_json_key(w, key);
    fsim_json_integer(w, (int64_t)value);
}

static void put_real(fsim_scope_sink *sink, const char *key, double value) {
    fsim_json_writer *w = ((text_sink *)sink)->writer;
    fsim_json_key(w, key);
    fsim_json_real(w, value);
}

static void put_reals(fsim_scope_sink *sink, const char *key, const double *value, uint32_t count) {
    fsim_json_writer *w = ((text_sink *)sink)->writer;
    fsim_json_key(w, key);
    fsim_json_begin(w, '[');
    for (uint32_t i = 0; i < count; i++) {
        fsim_json_real(w, value[i]);
    }
    fsim_json_end(w, ']');
}

static void put_functions(fsim_json_writer *w, const fsim_run_record *record) {
    const fsim_result *r = record->result;
    const fsim_scope_frame frame = {record->scenario, (double)r->horizon_ns};
    text_sink text = {{open_object, close_object, put_integer, put_real, put_reals}, w};
    fsim_json_begin(w, '{');
    for (uint32_t fn = r->told_from; fn < r->function_count; fn++) {
        fsim_json_key(w, fsim_function_table_get(r->functions, fn)->name);
        fsim_json_begin(w, '{');
        fsim_scope_visit(&frame, &r->per_function[fn], &text.sink);
        fsim_json_end(w, '}');
    }
    fsim_json_end(w, '}');
}

static void put_document(fsim_json_writer *w, const fsim_run_record *record) {
    const char *key;
    json_t *value;
    fsim_json_begin(w, '{');
    json_object_foreach(record->summary, key, value) {
        fsim_json_key(w, key);
        if (json_is_null(value) && strcmp(key, "functions") == 0) {
            put_functions(w, record);
        } else {
            fsim_json_tree(w, value);
        }
    }
    fsim_json_end(w, '}');
}

fsim_status fsim_summary_write(FILE *out, const fsim_run_record *records, uint32_t count, fsim_error *err) {
    fsim_json_writer w = {.out = out};
    if (count != 1) {
        fsim_json_begin(&w, '[');
    }
    for (uint32_t i = 0; i < count; i++) {
        put_document(&w, &records[i]);
    }
    if (count != 1) {
        fsim_json_end(&w, ']');
    }
    return fsim_json_finish(&w) ? FSIM_OK
                                : fsim_fail(err, FSIM_ELIMIT, "out of memory while writing the summary");
}
