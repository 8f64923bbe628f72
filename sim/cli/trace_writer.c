/* Traces written; see trace_writer.h. */
#include "cli/trace_writer.h"

#include "base/spell.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBERS_MAX = 128, SESSION_DIGITS = 20 }; /* of a row: its numbers and commas */

const char *const fsim_trace_form_names[] = {"auto", "csv", "fst", NULL};

static const char *const column_names[FSIM_FST_COLUMNS] = {"arrival_s", "function", "duration_ms", "cpu_ms",
                                                           "memory_mb", "session",  "version"};

static bool wants_fst(const char *path, fsim_trace_form form) {
    size_t len = path == NULL ? 0 : strlen(path);
    return form == FSIM_TRACE_FST ||
           (form == FSIM_TRACE_BY_NAME && len > 4 && strcmp(path + len - 4, ".fst") == 0);
}

/* What the .fst writer hands over, in pieces that fit. */
static fsim_status take_bytes(void *user, const void *bytes, size_t size, fsim_error *err) {
    fsim_sink *sink = user;
    const char *from = bytes;
    while (size > 0 && !sink->closed) {
        size_t piece = size < FSIM_SINK_ROOM_MAX ? size : FSIM_SINK_ROOM_MAX;
        char *at = fsim_sink_room(sink, piece, err);
        if (at == NULL) {
            return err == NULL ? FSIM_EIO : err->status;
        }
        memcpy(at, from, piece);
        fsim_sink_put(sink, at + piece);
        from += piece;
        size -= piece;
    }
    return FSIM_OK;
}

static fsim_status put_header(fsim_trace_writer *w, fsim_error *err) {
    char header[128], *at = header;
    for (uint32_t c = 0; c < FSIM_FST_COLUMNS; c++) {
        if ((w->columns >> c & 1u) != 0) {
            at += snprintf(at, sizeof header - (size_t)(at - header), "%s%s", at == header ? "" : ",",
                           column_names[c]);
        }
    }
    *at++ = '\n';
    return take_bytes(&w->sink, header, (size_t)(at - header), err);
}

fsim_status fsim_trace_writer_open(fsim_trace_writer *w, const char *path, fsim_trace_form form,
                                   uint32_t columns, const fsim_function_table *table, fsim_error *err) {
    *w = (fsim_trace_writer){.table = table, .columns = columns | 1u << FSIM_FST_ARRIVAL};
    FSIM_TRY(fsim_sink_open(&w->sink, path, err));
    fsim_status status = wants_fst(path, form)
                             ? fsim_fst_writer_open(&w->fst, table, columns, take_bytes, &w->sink, err)
                             : put_header(w, err);
    return status == FSIM_OK ? FSIM_OK : fsim_sink_close(&w->sink, status, err);
}

/* ---- CSV ---- */

static char *put_text(char *at, const fsim_fst_text *text) {
    bool quoted = text->len > 0 &&
                  (strchr(" \t", text->text[0]) != NULL || strchr(" \t", text->text[text->len - 1u]) != NULL);
    for (uint32_t i = 0; i < text->len && !quoted; i++) {
        quoted = strchr(",\"\r\n", text->text[i]) != NULL;
    }
    if (!quoted) {
        memcpy(at, text->text, text->len);
        return at + text->len;
    }
    *at++ = '"';
    for (uint32_t i = 0; i < text->len; i++) {
        if (text->text[i] == '"') {
            *at++ = '"';
        }
        *at++ = text->text[i];
    }
    *at++ = '"';
    return at;
}

static char *put_number(char *at, const int64_t *numbers, uint32_t i, int places) {
    *at++ = ',';
    if (numbers == NULL || numbers[i] < 0) {
        return at;
    }
    return places == 0 ? fsim_spell_digits(at, (uint64_t)numbers[i])
                       : fsim_spell_fixed(at, numbers[i], places);
}

static size_t text_size(const fsim_fst_text *texts, uint32_t i) {
    return texts == NULL ? 0 : 2u * (size_t)texts[i].len + 3u;
}

static fsim_status put_csv_row(fsim_trace_writer *w, const fsim_fst_rows *rows, uint32_t i, fsim_error *err) {
    const fsim_row_name *name = NULL;
    size_t size = NUMBERS_MAX + text_size(rows->session, i) + text_size(rows->version, i);
    if (rows->fn != NULL && rows->fn[i] != FSIM_FST_NO_FUNCTION) {
        name = &w->names.name[rows->fn[i]];
        size += name->len;
    }
    char *at = fsim_sink_room(&w->sink, size, err);
    if (at == NULL) {
        return err == NULL ? FSIM_EIO : err->status;
    }
    at = fsim_spell_fixed(at, rows->arrival_ns[i], 9);
    if ((w->columns >> FSIM_FST_FUNCTION & 1u) != 0) {
        *at++ = ',';
        size_t len = name == NULL ? 0 : name->len - 2u; /* its commas stand already, or come */
        memcpy(at, name == NULL ? "" : name->text + 1, len);
        at += len;
    }
    if ((w->columns >> FSIM_FST_DURATION & 1u) != 0) {
        at = put_number(at, rows->duration_ns, i, 6);
    }
    if ((w->columns >> FSIM_FST_CPU & 1u) != 0) {
        at = put_number(at, rows->cpu_ns, i, 6);
    }
    if ((w->columns >> FSIM_FST_MEMORY & 1u) != 0) {
        at = put_number(at, rows->memory_mb, i, 0);
    }
    if ((w->columns >> FSIM_FST_SESSION & 1u) != 0) {
        *at++ = ',';
        at = rows->session == NULL ? at : put_text(at, &rows->session[i]);
    }
    if ((w->columns >> FSIM_FST_VERSION_NAME & 1u) != 0) {
        *at++ = ',';
        at = rows->version == NULL ? at : put_text(at, &rows->version[i]);
    }
    *at++ = '\n';
    fsim_sink_put(&w->sink, at);
    return FSIM_OK;
}

fsim_status fsim_trace_writer_rows(fsim_trace_writer *w, const fsim_fst_rows *rows, fsim_error *err) {
    if (w->fst != NULL) {
        return fsim_fst_writer_add(w->fst, rows, err);
    }
    FSIM_TRY(fsim_row_names_learn(&w->names, w->table, err));
    for (uint32_t i = 0; i < rows->count && !w->sink.closed; i++) {
        FSIM_TRY(put_csv_row(w, rows, i, err));
    }
    return FSIM_OK;
}

/* ---- batches ---- */

fsim_status fsim_trace_spell_sessions(char **digits, fsim_fst_text *out, const fsim_arrivals *batch,
                                      fsim_error *err) {
    if (*digits == NULL && (*digits = malloc((size_t)FSIM_BATCH * SESSION_DIGITS)) == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        char *from = *digits + (size_t)i * SESSION_DIGITS;
        char *end = batch->session[i] == 0 ? from : fsim_spell_digits(from, batch->session[i]);
        out[i] = (fsim_fst_text){from, (uint32_t)(end - from)};
    }
    return FSIM_OK;
}

static fsim_status spell_versions(fsim_trace_writer *w, const fsim_arrivals *batch, fsim_error *err) {
    w->fn = w->fn != NULL ? w->fn : malloc(FSIM_BATCH * sizeof *w->fn);
    w->version = w->version != NULL ? w->version : malloc(FSIM_BATCH * sizeof *w->version);
    if (w->fn == NULL || w->version == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        const fsim_fn_spec *spec = fsim_function_table_get(w->table, batch->fn[i]);
        bool is_version = spec->version != NULL;
        w->fn[i] = is_version ? spec->version_of : batch->fn[i];
        w->version[i] = is_version ? (fsim_fst_text){spec->version, (uint32_t)strlen(spec->version)}
                                   : (fsim_fst_text){"", 0};
    }
    return FSIM_OK;
}

uint32_t fsim_trace_columns_of(const fsim_arrivals *batch, const fsim_function_table *table) {
    uint32_t columns = 1u << FSIM_FST_ARRIVAL | 1u << FSIM_FST_FUNCTION | 1u << FSIM_FST_DURATION;
    columns |= batch->has_cpu ? 1u << FSIM_FST_CPU : 0;
    columns |= batch->has_session ? 1u << FSIM_FST_SESSION : 0;
    for (uint32_t f = 0; f < fsim_function_table_count(table); f++) {
        columns |= fsim_function_table_memory_given(table, f) ? 1u << FSIM_FST_MEMORY : 0;
    }
    return columns;
}

void fsim_trace_spell_memory(int64_t *out, const fsim_arrivals *batch, const fsim_function_table *table) {
    for (uint32_t i = 0; i < batch->count; i++) {
        bool given = fsim_function_table_memory_given(table, batch->fn[i]);
        out[i] = given ? fsim_function_table_get(table, batch->fn[i])->memory_mb : FSIM_FST_EMPTY;
    }
}

fsim_status fsim_trace_writer_batch(fsim_trace_writer *w, const fsim_arrivals *batch, fsim_error *err) {
    fsim_fst_rows rows = {.count = batch->count,
                          .arrival_ns = batch->at_ns,
                          .fn = batch->fn,
                          .duration_ns = batch->service_ns,
                          .cpu_ns = batch->has_cpu ? batch->cpu_ns : NULL};
    if (batch->has_session) {
        if (w->session == NULL && (w->session = malloc(FSIM_BATCH * sizeof *w->session)) == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        FSIM_TRY(fsim_trace_spell_sessions(&w->digits, w->session, batch, err));
        rows.session = w->session;
    }
    if ((w->columns >> FSIM_FST_MEMORY & 1u) != 0) {
        if (w->memory_mb == NULL && (w->memory_mb = malloc(FSIM_BATCH * sizeof *w->memory_mb)) == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        fsim_trace_spell_memory(w->memory_mb, batch, w->table);
        rows.memory_mb = w->memory_mb;
    }
    if (fsim_function_table_has_versions(w->table)) {
        FSIM_TRY(spell_versions(w, batch, err));
        rows.fn = w->fn;
        rows.version = w->version;
    }
    return fsim_trace_writer_rows(w, &rows, err);
}

fsim_status fsim_trace_writer_close(fsim_trace_writer *w, fsim_status status, fsim_error *err) {
    if (status == FSIM_OK && w->fst != NULL) {
        status = fsim_fst_writer_finish(w->fst, err);
    }
    fsim_fst_writer_destroy(w->fst);
    fsim_row_names_free(&w->names);
    free(w->session);
    free(w->digits);
    free(w->memory_mb);
    free(w->fn);
    free(w->version);
    return fsim_sink_close(&w->sink, status, err);
}
