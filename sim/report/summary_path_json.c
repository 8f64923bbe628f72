/* Paths into a summary; see the header for the grammar. */
#include "report/summary_path_json.h"

#include "base/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 512

static bool is_name_char(char c) {
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* `text` begins with `key`, and the key does not stop inside a word. */
static bool begins_with(const char *text, const char *key, size_t *length) {
    *length = strlen(key);
    return *length > 0 && strncmp(text, key, *length) == 0 && !is_name_char(text[*length]);
}

/* Letters of the word at `text`: what a message calls the unknown key. */
static int word_length(const char *text) {
    int n = 0;
    while (is_name_char(text[n])) {
        n++;
    }
    return n > 0 || text[0] == '\0' ? n : 1;
}

static const json_t *longest_key(const json_t *object, const char *text, size_t *length) {
    const json_t *found = NULL;
    const char *key;
    json_t *value;
    *length = 0;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        size_t n;
        if (begins_with(text, key, &n) && n > *length) {
            *length = n;
            found = value;
        }
    }
    return found;
}

/* An element of an array of objects, by its name. */
static const json_t *longest_name(const json_t *array, const char *text, size_t *length) {
    const json_t *found = NULL;
    *length = 0;
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *element = json_array_get(array, i);
        const json_t *name = json_object_get(element, "book");
        const char *word = json_string_value(name != NULL ? name : json_object_get(element, "meter"));
        size_t n;
        if (word != NULL && begins_with(text, word, &n) && n > *length) {
            *length = n;
            found = element;
        }
    }
    return found;
}

/* "latency" for latency_s. */
static const json_t *without_unit(const json_t *object, const char *text, size_t *length) {
    char key[PATH_SIZE];
    *length = (size_t)word_length(text);
    if (*length == 0 || *length + 3 > sizeof key) {
        return NULL;
    }
    snprintf(key, sizeof key, "%.*s_s", (int)*length, text);
    return json_object_get(object, key);
}

static fsim_status unknown_key(const json_t *at, const char *text, fsim_error *err) {
    int n = word_length(text);
    char word[PATH_SIZE];
    snprintf(word, sizeof word, "%.*s", n, text);
    if (!json_is_object(at)) {
        return fsim_fail(err, FSIM_ECONFIG, "found '%s' below a value that has no keys", word);
    }
    const char **names = calloc(json_object_size(at) + 1, sizeof *names);
    const char *nearest = NULL;
    if (names != NULL) {
        size_t count = 0;
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)at, key, value) {
            names[count++] = key;
        }
        nearest = fsim_text_nearest(word, names);
        if (nearest == NULL && count > 0) {
            fsim_fail(err, FSIM_ECONFIG, "unknown key '%s', expected one of '%s' … '%s'", word, names[0],
                      names[count - 1]);
        }
    }
    if (nearest != NULL) {
        fsim_fail(err, FSIM_ECONFIG, "unknown key '%s', did you mean '%s'?", word, nearest);
    }
    free(names);
    return fsim_fail(err, FSIM_ECONFIG, "unknown key '%s'", word);
}

/* [3] or ["name"]; the cursor stands on '['. */
static fsim_status step_into(const json_t **at, const char **cursor, fsim_error *err) {
    const char *text = *cursor + 1;
    if (*text == '"') {
        const char *end = strchr(text + 1, '"');
        char key[PATH_SIZE];
        if (end == NULL || end[1] != ']' || (size_t)(end - text) > sizeof key) {
            return fsim_fail(err, FSIM_ECONFIG, "expected \"name\"] after '['");
        }
        snprintf(key, sizeof key, "%.*s", (int)(end - text - 1), text + 1);
        const json_t *next = json_object_get(*at, key);
        if (next == NULL) {
            return unknown_key(*at, key, err);
        }
        *at = next;
        *cursor = end + 2;
        return FSIM_OK;
    }
    char *end = NULL;
    unsigned long i = strtoul(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end != ']') {
        return fsim_fail(err, FSIM_ECONFIG, "expected a number and ']' after '['");
    }
    if (!json_is_array(*at)) {
        return fsim_fail(err, FSIM_ECONFIG, "[%lu]: the value before it is no array", i);
    }
    const json_t *next = json_array_get(*at, i);
    if (next == NULL) {
        return fsim_fail(err, FSIM_ECONFIG, "[%lu]: the array has %zu elements", i, json_array_size(*at));
    }
    *at = next;
    *cursor = end + 1;
    return FSIM_OK;
}

/* One key. `unit_owed`: an earlier key was found by adding its unit, which may stand at the end instead. */
static fsim_status step_key(const json_t **at, const char **cursor, bool *unit_owed, fsim_error *err) {
    size_t length;
    const json_t *next =
        json_is_array(*at) ? longest_name(*at, *cursor, &length) : longest_key(*at, *cursor, &length);
    if (next == NULL && *unit_owed) {
        char key[PATH_SIZE];
        length = (size_t)word_length(*cursor);
        if (length > 2 && length < sizeof key && strncmp(*cursor + length - 2, "_s", 2) == 0) {
            snprintf(key, sizeof key, "%.*s", (int)length - 2, *cursor);
            next = json_object_get(*at, key);
        }
    }
    if (next == NULL && json_is_object(*at)) {
        next = without_unit(*at, *cursor, &length);
        *unit_owed = *unit_owed || next != NULL;
    }
    if (next == NULL) {
        return unknown_key(*at, *cursor, err);
    }
    *at = next;
    *cursor += length;
    return FSIM_OK;
}

fsim_status fsim_summary_walk(const json_t *root, const char **cursor, const json_t **out, fsim_error *err) {
    const json_t *at = root;
    bool unit_owed = false;
    if (**cursor != '[') {
        FSIM_TRY(step_key(&at, cursor, &unit_owed, err));
    }
    while (**cursor == '.' || **cursor == '[') {
        if (**cursor == '[') {
            FSIM_TRY(step_into(&at, cursor, err));
        } else {
            (*cursor)++;
            FSIM_TRY(step_key(&at, cursor, &unit_owed, err));
        }
    }
    *out = at;
    return FSIM_OK;
}

bool fsim_summary_value(const json_t *value, double *out) {
    if (json_is_number(value)) {
        *out = json_number_value(value);
        return true;
    }
    if (json_is_boolean(value)) {
        *out = json_is_true(value) ? 1 : 0;
        return true;
    }
    return json_is_string(value) && fsim_text_parse_real(json_string_value(value), out);
}

static const json_t *find(const json_t *summary, const char *path, va_list args) {
    char text[PATH_SIZE];
    const char *cursor = text;
    const json_t *value = NULL;
    int n = vsnprintf(text, sizeof text, path, args);
    if (n < 0 || (size_t)n >= sizeof text || fsim_summary_walk(summary, &cursor, &value, NULL) != FSIM_OK ||
        *cursor != '\0') {
        return NULL;
    }
    return value;
}

const json_t *fsim_summary_find(const json_t *summary, const char *path, ...) {
    va_list args;
    va_start(args, path);
    const json_t *value = find(summary, path, args);
    va_end(args);
    return value;
}

double fsim_summary_number(const json_t *summary, const char *path, ...) {
    va_list args;
    va_start(args, path);
    double number = 0;
    if (!fsim_summary_value(find(summary, path, args), &number)) {
        number = 0;
    }
    va_end(args);
    return number;
}

const char *fsim_summary_text(const json_t *summary, const char *path, ...) {
    va_list args;
    va_start(args, path);
    const char *text = json_string_value(find(summary, path, args));
    va_end(args);
    return text != NULL ? text : "";
}

size_t fsim_summary_size(const json_t *summary, const char *path, ...) {
    va_list args;
    va_start(args, path);
    const json_t *value = find(summary, path, args);
    va_end(args);
    return json_is_array(value) ? json_array_size(value) : json_object_size(value);
}

void fsim_summary_members(const json_t *object, const char **names, json_t **values) {
    const char *key;
    json_t *value;
    size_t i = 0;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        names[i] = key;
        values[i++] = value;
    }
}
