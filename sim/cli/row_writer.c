#include "cli/row_writer.h"

#include "base/spell.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBERS_MAX = 200 }; /* all fields of a row but the name */

fsim_status fsim_row_writer_open(fsim_row_writer *writer, const char *path, const char *header,
                                 fsim_error *err) {
    writer->names = (fsim_row_names){0};
    FSIM_TRY(fsim_sink_open(&writer->sink, path, err));
    size_t len = strlen(header);
    char *at = fsim_sink_room(&writer->sink, len, err);
    memcpy(at, header, len); /* an empty buffer has room */
    fsim_sink_put(&writer->sink, at + len);
    return FSIM_OK;
}

/* ,name, with quotes where CSV needs them. */
static bool make_name(fsim_row_name *out, const char *name) {
    size_t len = strlen(name);
    bool quoted = len == 0 || strpbrk(name, ",\"\r\n") != NULL || strchr(" \t", name[0]) != NULL ||
                  strchr(" \t", name[len - 1]) != NULL;
    out->text = malloc(2 * len + 5);
    if (out->text == NULL) {
        return false;
    }
    char *at = out->text;
    *at++ = ',';
    if (quoted) {
        *at++ = '"';
    }
    for (; *name != '\0'; name++) {
        if (*name == '"') {
            *at++ = '"';
        }
        *at++ = *name;
    }
    if (quoted) {
        *at++ = '"';
    }
    *at++ = ',';
    out->len = (size_t)(at - out->text);
    return true;
}

fsim_status fsim_row_names_learn(fsim_row_names *names, const fsim_function_table *table, fsim_error *err) {
    uint32_t count = fsim_function_table_count(table);
    if (count <= names->count) {
        return FSIM_OK;
    }
    fsim_row_name *larger = realloc(names->name, count * sizeof *larger);
    if (larger == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    names->name = larger;
    for (; names->count < count; names->count++) {
        if (!make_name(&larger[names->count], fsim_function_table_get(table, names->count)->name)) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
    }
    return FSIM_OK;
}

void fsim_row_names_free(fsim_row_names *names) {
    for (uint32_t i = 0; i < names->count; i++) {
        free(names->name[i].text);
    }
    free(names->name);
    *names = (fsim_row_names){0};
}

static char *put_name(char *at, const fsim_row_name *name) {
    memcpy(at, name->text, name->len);
    return at + name->len;
}

static const char *outcome_word(fsim_outcome outcome) {
    static const char *const words[] = {"completed", "rejected_429", "rejected_503", "timed_out",
                                        "failed",    "in_system",    "rejected_432"};
    return words[outcome];
}

static char *put_word(char *at, const char *word) {
    size_t len = strlen(word);
    memcpy(at, word, len);
    return at + len;
}

fsim_status fsim_row_writer_request(fsim_row_writer *writer, const fsim_request_row *row,
                                    const fsim_function_table *table, fsim_error *err) {
    FSIM_TRY(fsim_row_names_learn(&writer->names, table, err));
    const fsim_row_name *name = &writer->names.name[row->fn];
    char *at = fsim_sink_room(&writer->sink, name->len + NUMBERS_MAX, err);
    if (at == NULL) {
        return err == NULL ? FSIM_EIO : err->status;
    }
    bool ran = row->start_ns != FSIM_NEVER, ended = row->outcome != FSIM_IN_SYSTEM;
    at = fsim_spell_fixed(at, row->arrival_ns, 9);
    at = put_name(at, name);
    at = put_word(at, outcome_word(row->outcome));
    *at++ = ',';
    at = ran ? fsim_spell_fixed(at, row->start_ns - row->arrival_ns, 6) : at;
    *at++ = ',';
    at = ran && ended ? fsim_spell_fixed(at, row->end_ns - row->start_ns, 6) : at;
    *at++ = ',';
    at = ended ? fsim_spell_fixed(at, row->end_ns - row->arrival_ns, 6) : at;
    *at++ = ',';
    *at++ = row->cold ? '1' : '0';
    *at++ = ',';
    at = row->instance != FSIM_UNLIMITED ? fsim_spell_digits(at, row->instance) : at;
    *at++ = ',';
    at = fsim_spell_digits(at, row->retries);
    *at++ = '\n';
    fsim_sink_put(&writer->sink, at);
    return FSIM_OK;
}

fsim_status fsim_row_writer_close(fsim_row_writer *writer, fsim_status status, fsim_error *err) {
    fsim_row_names_free(&writer->names);
    return fsim_sink_close(&writer->sink, status, err);
}
