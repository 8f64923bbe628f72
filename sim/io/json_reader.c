/* JSON through jansson into a tree of ours; see json_reader.h. */
#include "io/json_reader.h"

#include "io/file.h"
#include "io/input.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

typedef struct conversion {
    fsim_value_pool *pool;
    const char *origin;
    fsim_error *err;
} conversion;

/* A member of `parent` under `key`, an element of it when key is NULL, or the root. Recursion ends at the
 * depth limit. */
static fsim_status convert(const conversion *c, const json_t *json, fsim_value *parent, const char *key,
                           int depth, fsim_value **out) {
    fsim_value *made = NULL;
    switch (json_typeof(json)) {
    case JSON_OBJECT: made = fsim_value_new(c->pool, FSIM_VALUE_OBJECT, c->origin); break;
    case JSON_ARRAY: made = fsim_value_new(c->pool, FSIM_VALUE_ARRAY, c->origin); break;
    case JSON_STRING: made = fsim_value_new_string(c->pool, json_string_value(json), c->origin); break;
    case JSON_INTEGER: made = fsim_value_new_integer(c->pool, json_integer_value(json), c->origin); break;
    case JSON_REAL: made = fsim_value_new_real(c->pool, json_real_value(json), c->origin); break;
    case JSON_TRUE:
    case JSON_FALSE: made = fsim_value_new_bool(c->pool, json_is_true(json), c->origin); break;
    case JSON_NULL: made = fsim_value_new(c->pool, FSIM_VALUE_NULL, c->origin); break;
    }
    if (made == NULL) {
        return fsim_fail_at(c->err, FSIM_ELIMIT, c->origin, "out of memory");
    }
    if (parent == NULL) {
        *out = made;
    } else if (key == NULL) {
        fsim_value_append(parent, made);
    } else {
        fsim_value_put(c->pool, parent, key, made);
    }
    if (depth > FSIM_JSON_DEPTH_MAX) {
        return fsim_value_fail(made, c->err, "nested deeper than %d levels", FSIM_JSON_DEPTH_MAX);
    }
    if (json_is_object(json)) {
        /* The iterator wants a non-const object; it changes nothing. */
        json_t *object = (json_t *)json;
        for (void *it = json_object_iter(object); it != NULL; it = json_object_iter_next(object, it)) {
            FSIM_TRY(convert(c, json_object_iter_value(it), made, json_object_iter_key(it), depth + 1, NULL));
        }
    } else if (json_is_array(json)) {
        for (size_t i = 0; i < json_array_size(json); i++) {
            FSIM_TRY(convert(c, json_array_get(json, i), made, NULL, depth + 1, NULL));
        }
    }
    return FSIM_OK;
}

static fsim_status read_bytes(fsim_value_pool *pool, const char *bytes, size_t size, const char *origin,
                              fsim_value **root, fsim_error *err) {
    json_error_t fault;
    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        bytes += 3;
        size -= 3;
    }
    json_t *json = json_loadb(bytes, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
    if (json == NULL) {
        char place[512];
        snprintf(place, sizeof place, "%.480s:%d:%d", origin, fault.line,
                 fault.column < 1 ? 1 : fault.column);
        return fsim_fail_at(err, FSIM_ECONFIG, place, "not valid JSON: %s",
                            size == 0 ? "the text is empty" : fault.text);
    }
    const conversion c = {pool, origin, err};
    fsim_status status = convert(&c, json, NULL, NULL, 1, root);
    json_decref(json);
    if (status == FSIM_OK && fsim_value_pool_exhausted(pool)) {
        return fsim_fail_at(err, FSIM_ELIMIT, origin, "out of memory");
    }
    return status;
}

fsim_status fsim_json_read_text(fsim_value_pool *pool, const char *text, const char *origin,
                                fsim_value **root, fsim_error *err) {
    return read_bytes(pool, text, strlen(text), origin, root, err);
}

fsim_status fsim_json_read_file(fsim_value_pool *pool, const char *path, fsim_value **root, fsim_error *err) {
    char *bytes;
    size_t size;
    FSIM_TRY(fsim_input_read_all(path, FSIM_JSON_BYTES_MAX, &bytes, &size, err));
    bool is_stdin = strcmp(path, "-") == 0 || strcmp(path, FSIM_STDIN_PATH) == 0;
    fsim_status status = read_bytes(pool, bytes, size, is_stdin ? "standard input" : path, root, err);
    free(bytes);
    return status;
}

fsim_status fsim_json_load_text(const char *path, char **text, fsim_error *err) {
    size_t size;
    return fsim_input_read_all(path, FSIM_JSON_BYTES_MAX, text, &size, err);
}

static bool begins_object(const char *bytes, size_t size) {
    size_t at = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (at < size && bytes[at] != '\0' && strchr(" \t\r\n", bytes[at]) != NULL) {
        at++;
    }
    return at < size && bytes[at] == '{';
}

fsim_status fsim_json_look_into(const char *path, fsim_error *err) {
    return strcmp(path, "-") == 0 ? fsim_input_keep_packed_stdin(err) : FSIM_OK;
}

bool fsim_json_is_object(const char *path) {
    char bytes[64];
    return begins_object(bytes, fsim_input_peek(path, bytes, sizeof bytes));
}
