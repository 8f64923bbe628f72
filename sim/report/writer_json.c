#include "report/writer_json.h"

#include "base/spell.h"

#include <string.h>

enum { STEP = 2 }; /* of indentation */

static void flush(fsim_json_writer *w) {
    fwrite(w->text, 1, w->used, w->out);
    w->used = 0;
}

static void put(fsim_json_writer *w, const char *text, size_t size) {
    if (size > sizeof w->text - w->used) {
        flush(w);
    }
    if (size > sizeof w->text) {
        fwrite(text, 1, size, w->out);
        return;
    }
    memcpy(w->text + w->used, text, size);
    w->used += size;
}

static void put_byte(fsim_json_writer *w, char c) {
    if (w->used == sizeof w->text) {
        flush(w);
    }
    w->text[w->used++] = c;
}

static void new_line(fsim_json_writer *w) {
    static const char blanks[] = "                                ";
    size_t left = (size_t)STEP * w->depth;
    if (w->compact) {
        return;
    }
    put_byte(w, '\n');
    while (left > 0) {
        size_t piece = left < sizeof blanks - 1 ? left : sizeof blanks - 1;
        put(w, blanks, piece);
        left -= piece;
    }
}

/* Before a key, or a value without one. */
static void next_element(fsim_json_writer *w) {
    if (w->filled) {
        put_byte(w, ',');
    }
    if (w->depth > 0) {
        new_line(w);
    }
    w->filled = true;
}

static void before_value(fsim_json_writer *w) {
    if (!w->keyed) {
        next_element(w);
    }
    w->keyed = false;
}

void fsim_json_begin(fsim_json_writer *w, char bracket) {
    before_value(w);
    put_byte(w, bracket);
    w->depth++;
    w->filled = false;
}

void fsim_json_end(fsim_json_writer *w, char bracket) {
    w->depth--;
    if (w->filled) {
        new_line(w);
    }
    put_byte(w, bracket);
    w->filled = true;
}

/* jansson escapes what JSON demands, and for a compact document everything beyond ASCII. */
static void put_quoted(fsim_json_writer *w, const char *text) {
    size_t size = strlen(text), plain = 0;
    for (; plain < size; plain++) {
        unsigned char c = (unsigned char)text[plain];
        if (c < 0x20 || c == '"' || c == '\\' || c >= 0x7f) {
            break;
        }
    }
    if (plain == size) {
        put_byte(w, '"');
        put(w, text, size);
        put_byte(w, '"');
        return;
    }
    json_t *string = json_string(text);
    flush(w);
    size_t flags = JSON_ENCODE_ANY | (w->compact ? JSON_ENSURE_ASCII : 0u);
    w->failed |= string == NULL || json_dumpf(string, w->out, flags) != 0;
    json_decref(string);
}

void fsim_json_key(fsim_json_writer *w, const char *key) {
    next_element(w);
    put_quoted(w, key);
    put(w, ": ", w->compact ? 1 : 2);
    w->keyed = true;
}

void fsim_json_integer(fsim_json_writer *w, int64_t value) {
    char text[FSIM_SPELL_MAX], *at = text;
    before_value(w);
    if (value < 0) {
        *at++ = '-';
    }
    at = fsim_spell_digits(at, value < 0 ? 0u - (uint64_t)value : (uint64_t)value);
    put(w, text, (size_t)(at - text));
}

/* A real keeps its point or exponent, and the exponent no plus sign and no leading zeros. */
void fsim_json_real(fsim_json_writer *w, double value) {
    char text[FSIM_SPELL_MAX + 2];
    before_value(w);
    char *end = fsim_spell_real(text, value);
    *end = '\0';
    char *exponent = strchr(text, 'e');
    if (exponent == NULL && strchr(text, '.') == NULL) {
        memcpy(end, ".0", 2);
        end += 2;
    } else if (exponent != NULL) {
        char *to = exponent + 1, *from = to;
        to += *from == '-';
        from += *from == '-' || *from == '+';
        while (*from == '0') {
            from++;
        }
        memmove(to, from, (size_t)(end - from));
        end = to + (end - from);
    }
    put(w, text, (size_t)(end - text));
}

void fsim_json_string(fsim_json_writer *w, const char *text) {
    before_value(w);
    put_quoted(w, text);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the document, which is ours */
void fsim_json_tree(fsim_json_writer *w, const json_t *value) {
    const char *key;
    json_t *child;
    size_t i;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        fsim_json_begin(w, '{');
        json_object_foreach((json_t *)(uintptr_t)value, key, child) {
            fsim_json_key(w, key);
            fsim_json_tree(w, child);
        }
        fsim_json_end(w, '}');
        return;
    case JSON_ARRAY:
        fsim_json_begin(w, '[');
        json_array_foreach(value, i, child) {
            fsim_json_tree(w, child);
        }
        fsim_json_end(w, ']');
        return;
    case JSON_STRING: fsim_json_string(w, json_string_value(value)); return;
    case JSON_INTEGER: fsim_json_integer(w, json_integer_value(value)); return;
    case JSON_REAL: fsim_json_real(w, json_real_value(value)); return;
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL: break;
    }
    before_value(w);
    const char *word = json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null";
    put(w, word, strlen(word));
}

bool fsim_json_finish(fsim_json_writer *w) {
    put_byte(w, '\n');
    flush(w);
    return !w->failed;
}
