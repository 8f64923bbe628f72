/* The configuration tree; see value.h.
 *
 * Each node is allocated inside a larger record of this file, which remembers the pool and the keys that
 * readers have asked an object for: an unknown key is then compared with exactly the keys that would have
 * been understood in its place. */
#include "base/value.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef fsim_value_fail
#undef fsim_value_fail_name
#undef fsim_value_missing

#define BLOCK_BYTES  16384u
#define BYTES_PER_MB (INT64_C(1024) * 1024)

typedef struct block {
    struct block *next;
    size_t used, size;
    max_align_t bytes[];
} block;

struct fsim_value_pool {
    block *blocks;
    const char *last_origin; /* origins repeat from node to node: the last one is shared */
    bool exhausted;
};

typedef struct asked_key {
    const char *key;
    struct asked_key *next;
} asked_key;

typedef struct node {
    fsim_value value; /* first: a pointer to it is a pointer to the node */
    fsim_value_pool *pool;
    asked_key *asked;
} node;

fsim_value_pool *fsim_value_pool_create(void) {
    return calloc(1, sizeof(fsim_value_pool));
}

void fsim_value_pool_destroy(fsim_value_pool *pool) {
    if (pool == NULL) {
        return;
    }
    while (pool->blocks != NULL) {
        block *next = pool->blocks->next;
        free(pool->blocks);
        pool->blocks = next;
    }
    free(pool);
}

bool fsim_value_pool_exhausted(const fsim_value_pool *pool) {
    return pool->exhausted;
}

void *fsim_value_pool_alloc(fsim_value_pool *pool, size_t size) {
    block *top = pool->blocks;
    size_t rounded = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (rounded < size) {
        pool->exhausted = true;
        return NULL;
    }
    if (top == NULL || top->size - top->used < rounded) {
        size_t bytes = rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES;
        top = malloc(sizeof *top + bytes);
        if (top == NULL) {
            pool->exhausted = true;
            return NULL;
        }
        *top = (block){pool->blocks, 0, bytes};
        pool->blocks = top;
    }
    void *memory = (char *)top->bytes + top->used;
    top->used += rounded;
    return memset(memory, 0, size);
}

static const char *intern_bytes(fsim_value_pool *pool, const char *text, size_t len) {
    char *copy = fsim_value_pool_alloc(pool, len + 1);
    if (copy != NULL) {
        memcpy(copy, text, len);
    }
    return copy;
}

const char *fsim_value_intern(fsim_value_pool *pool, const char *text) {
    return text == NULL ? NULL : intern_bytes(pool, text, strlen(text));
}

fsim_value *fsim_value_new(fsim_value_pool *pool, fsim_value_kind kind, const char *origin) {
    node *made = fsim_value_pool_alloc(pool, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    if (origin != NULL && (pool->last_origin == NULL || strcmp(pool->last_origin, origin) != 0)) {
        pool->last_origin = fsim_value_intern(pool, origin);
    }
    made->pool = pool;
    made->value.kind = kind;
    made->value.origin = origin == NULL ? NULL : pool->last_origin;
    return &made->value;
}

fsim_value *fsim_value_new_string(fsim_value_pool *pool, const char *text, const char *origin) {
    const char *copy = fsim_value_intern(pool, text);
    fsim_value *made = copy == NULL ? NULL : fsim_value_new(pool, FSIM_VALUE_STRING, origin);
    if (made != NULL) {
        made->string = copy;
    }
    return made;
}

fsim_value *fsim_value_new_integer(fsim_value_pool *pool, int64_t integer, const char *origin) {
    fsim_value *made = fsim_value_new(pool, FSIM_VALUE_INTEGER, origin);
    if (made != NULL) {
        made->integer = integer;
        made->real = (double)integer;
    }
    return made;
}

fsim_value *fsim_value_new_real(fsim_value_pool *pool, double real, const char *origin) {
    fsim_value *made = fsim_value_new(pool, FSIM_VALUE_REAL, origin);
    if (made != NULL) {
        made->real = real;
    }
    return made;
}

fsim_value *fsim_value_new_bool(fsim_value_pool *pool, bool boolean, const char *origin) {
    fsim_value *made = fsim_value_new(pool, FSIM_VALUE_BOOL, origin);
    if (made != NULL) {
        made->boolean = boolean;
    }
    return made;
}

void fsim_value_append(fsim_value *array, fsim_value *item) {
    if (array == NULL || item == NULL) {
        return;
    }
    item->parent = array;
    item->next = NULL;
    if (array->last == NULL) {
        array->first = item;
    } else {
        array->last->next = item;
    }
    array->last = item;
    array->count++;
}

fsim_value *fsim_value_peek(const fsim_value *object, const char *key) {
    if (object == NULL || object->kind != FSIM_VALUE_OBJECT) {
        return NULL;
    }
    for (fsim_value *child = object->first; child != NULL; child = child->next) {
        if (strcmp(child->key, key) == 0) {
            return child;
        }
    }
    return NULL;
}

/* Puts `item` where `old` stands among the children of its parent. */
void fsim_value_replace(fsim_value *old, fsim_value *item) {
    fsim_value *parent = old->parent, **link = &parent->first;
    while (*link != old) {
        link = &(*link)->next;
    }
    item->parent = parent;
    item->key = old->key;
    item->next = old->next;
    *link = item;
    if (parent->last == old) {
        parent->last = item;
    }
}

void fsim_value_put(fsim_value_pool *pool, fsim_value *object, const char *key, fsim_value *item) {
    if (object == NULL || item == NULL) {
        return;
    }
    fsim_value *old = fsim_value_peek(object, key);
    if (old != NULL) {
        fsim_value_replace(old, item);
        return;
    }
    const char *copy = fsim_value_intern(pool, key);
    if (copy != NULL) {
        item->key = copy;
        fsim_value_append(object, item);
    }
}

fsim_value *fsim_value_copy(fsim_value_pool *pool, const fsim_value *value) {
    if (value == NULL) {
        return NULL;
    }
    fsim_value *made = fsim_value_new(pool, value->kind, value->origin);
    if (made == NULL) {
        return NULL;
    }
    made->boolean = value->boolean;
    made->integer = value->integer;
    made->real = value->real;
    made->string = fsim_value_intern(pool, value->string);
    for (const fsim_value *child = value->first; child != NULL; child = child->next) {
        fsim_value *copy = fsim_value_copy(pool, child);
        if (value->kind == FSIM_VALUE_OBJECT) {
            fsim_value_put(pool, made, child->key, copy);
        } else {
            fsim_value_append(made, copy);
        }
    }
    return made;
}

fsim_value *fsim_value_copy_in_place(fsim_value_pool *pool, const fsim_value *value) {
    fsim_value *copy = fsim_value_copy(pool, value);
    if (copy != NULL) {
        copy->parent = value->parent;
        copy->key = value->key;
    }
    return copy;
}

/* --- what was found, where
 * ----------------------------------------------------------------------------------------- */

typedef struct text_buffer {
    char *out;
    size_t size, len;
} text_buffer;

static void add_text(text_buffer *b, const char *text) {
    for (; *text != '\0' && b->len + 1 < b->size; text++) {
        b->out[b->len++] = *text;
    }
    if (b->size > 0) {
        b->out[b->len] = '\0';
    }
}

/* RFC 6901: '~' and '/' inside a key are escaped. */
static void add_pointer(text_buffer *b, const fsim_value *value) {
    if (value->parent == NULL) {
        return;
    }
    add_pointer(b, value->parent);
    add_text(b, "/");
    if (value->key == NULL) {
        char index[24];
        size_t i = 0;
        for (const fsim_value *item = value->parent->first; item != value && item != NULL;
             item = item->next) {
            i++;
        }
        snprintf(index, sizeof index, "%zu", i);
        add_text(b, index);
        return;
    }
    for (const char *c = value->key; *c != '\0'; c++) {
        const char plain[2] = {*c, '\0'};
        add_text(b, *c == '~' ? "~0" : *c == '/' ? "~1" : plain);
    }
}

void fsim_value_place(const fsim_value *value, char *out, size_t size) {
    text_buffer b = {out, size, 0};
    add_text(&b, "");
    if (value == NULL) {
        return;
    }
    add_text(&b, value->origin == NULL ? "" : value->origin);
    add_text(&b, "#");
    add_pointer(&b, value);
}

/* What a person would call the value: `the string "12x"`, `the number 5`, `an array`. */
static const char *describe(const fsim_value *value, char *out, size_t size) {
    switch (value->kind) {
    case FSIM_VALUE_NULL: snprintf(out, size, "null"); break;
    case FSIM_VALUE_BOOL: snprintf(out, size, "%s", value->boolean ? "true" : "false"); break;
    case FSIM_VALUE_INTEGER: snprintf(out, size, "the number %" PRId64, value->integer); break;
    case FSIM_VALUE_REAL: snprintf(out, size, "the number %.12g", value->real); break;
    case FSIM_VALUE_STRING: snprintf(out, size, "the string \"%.100s\"", value->string); break;
    case FSIM_VALUE_ARRAY: snprintf(out, size, "an array"); break;
    case FSIM_VALUE_OBJECT: snprintf(out, size, "an object"); break;
    }
    return out;
}

fsim_status fsim_value_fail(const fsim_value *value, fsim_error *err, const char *fmt, ...) {
    char place[sizeof err->place], text[sizeof err->text];
    va_list args;
    fsim_value_place(value, place, sizeof place);
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return fsim_fail_at(err, FSIM_ECONFIG, place, "%s", text);
}

fsim_status fsim_value_missing(const fsim_value *object, const char *key, fsim_error *err) {
    return fsim_value_fail(object, err, "key \"%s\" is missing", key);
}

static fsim_status fail_expected(const fsim_value *value, const char *expected, fsim_error *err) {
    char found[160];
    return fsim_value_fail(value, err, "found %s, expected %s", describe(value, found, sizeof found),
                           expected);
}

/* --- looking up
 * ---------------------------------------------------------------------------------------------------- */

static void remember_asked(const fsim_value *object, const char *key) {
    node *self = (node *)object; /* every value is the head of a node */
    asked_key **link = &self->asked;
    for (; *link != NULL; link = &(*link)->next) {
        if (strcmp((*link)->key, key) == 0) {
            return;
        }
    }
    asked_key *entry = fsim_value_pool_alloc(self->pool, sizeof *entry);
    const char *copy = fsim_value_intern(self->pool, key);
    if (entry != NULL && copy != NULL) {
        entry->key = copy;
        *link = entry;
    }
}

fsim_value *fsim_value_get(const fsim_value *object, const char *key) {
    if (object == NULL || object->kind != FSIM_VALUE_OBJECT) {
        return NULL;
    }
    fsim_value *child = fsim_value_peek(object, key);
    if (child != NULL) {
        child->used = true;
    }
    remember_asked(object, key);
    return child;
}

fsim_value *fsim_value_at(const fsim_value *root, const char *path) {
    char key[256];
    fsim_value *found = NULL;
    while (*path != '\0') {
        size_t len = strcspn(path, ".");
        if (len >= sizeof key) {
            return NULL;
        }
        memcpy(key, path, len);
        key[len] = '\0';
        found = fsim_value_get(root, key);
        root = found;
        path += len + (path[len] == '.');
    }
    return found;
}

bool fsim_value_is_off(const fsim_value *value) {
    return value != NULL && (value->kind == FSIM_VALUE_NULL ||
                             (value->kind == FSIM_VALUE_STRING && strcmp(value->string, "none") == 0));
}

fsim_status fsim_value_get_bool(const fsim_value *object, const char *key, bool *out, fsim_error *err) {
    const fsim_value *value = fsim_value_get(object, key);
    if (value == NULL) {
        return FSIM_OK;
    }
    if (value->kind != FSIM_VALUE_BOOL) {
        return fail_expected(value, "true or false", err);
    }
    *out = value->boolean;
    return FSIM_OK;
}

/* 1e6 is a whole number too, although JSON libraries read it as a real. */
static bool as_integer(const fsim_value *value, int64_t *out) {
    bool whole_real =
        value->kind == FSIM_VALUE_REAL && fabs(value->real) < 0x1p53 && value->real == floor(value->real);
    *out = whole_real ? (int64_t)value->real : value->integer;
    return whole_real || value->kind == FSIM_VALUE_INTEGER;
}

fsim_status fsim_value_get_i64(const fsim_value *object, const char *key, int64_t min, int64_t max,
                               int64_t *out, fsim_error *err) {
    const fsim_value *value = fsim_value_get(object, key);
    int64_t integer;
    char expected[96];
    if (value == NULL) {
        return FSIM_OK;
    }
    if (!as_integer(value, &integer) || integer < min || integer > max) {
        if (max == INT64_MAX) {
            snprintf(expected, sizeof expected, "a whole number of at least %" PRId64, min);
        } else {
            snprintf(expected, sizeof expected, "a whole number from %" PRId64 " to %" PRId64, min, max);
        }
        return fail_expected(value, expected, err);
    }
    *out = integer;
    return FSIM_OK;
}

fsim_status fsim_value_get_real(const fsim_value *object, const char *key, double min, double max,
                                double *out, fsim_error *err) {
    const fsim_value *value = fsim_value_get(object, key);
    char expected[96];
    if (value == NULL) {
        return FSIM_OK;
    }
    bool number = value->kind == FSIM_VALUE_REAL || value->kind == FSIM_VALUE_INTEGER;
    if (!number || !(value->real >= min && value->real <= max)) {
        bool bounded = max < 1e300;
        if (min <= -1e300 && !bounded) {
            snprintf(expected, sizeof expected, "a number");
        } else if (!bounded) {
            snprintf(expected, sizeof expected, "a number of at least %g", min);
        } else {
            snprintf(expected, sizeof expected, "a number from %g to %g", min, max);
        }
        return fail_expected(value, expected, err);
    }
    *out = value->real;
    return FSIM_OK;
}

fsim_status fsim_value_get_string(const fsim_value *object, const char *key, const char **out,
                                  fsim_error *err) {
    const fsim_value *value = fsim_value_get(object, key);
    if (value == NULL) {
        return FSIM_OK;
    }
    if (value->kind != FSIM_VALUE_STRING) {
        return fail_expected(value, "a string", err);
    }
    *out = value->string;
    return FSIM_OK;
}

fsim_status fsim_value_get_span(const fsim_value *object, const char *key, bool off_is_never, fsim_ns *out,
                                fsim_error *err) {
    const fsim_value *value = fsim_value_get(object, key);
    if (value == NULL) {
        return FSIM_OK;
    }
    if (off_is_never && fsim_value_is_off(value)) {
        *out = FSIM_NEVER;
        return FSIM_OK;
    }
    return fsim_value_as_span(value, out, err);
}

fsim_status fsim_value_as_span(const fsim_value *value, fsim_ns *out, fsim_error *err) {
    bool number = value->kind == FSIM_VALUE_INTEGER || value->kind == FSIM_VALUE_REAL;
    if (number && value->real == 0) {
        *out = 0;
        return FSIM_OK;
    }
    if (value->kind == FSIM_VALUE_STRING && fsim_text_parse_span(value->string, out)) {
        return FSIM_OK;
    }
    if (number) {
        return fsim_value_fail(value, err,
                               "found the number %.12g, expected a span with its unit, such as \"%.12gs\"",
                               value->real, fabs(value->real));
    }
    return fail_expected(value, "a span such as \"250ms\" or \"10m\"", err);
}

fsim_status fsim_value_get_size(const fsim_value *object, const char *key, int64_t *bytes, fsim_error *err) {
    const fsim_value *value = fsim_value_get(object, key);
    if (value == NULL) {
        return FSIM_OK;
    }
    if (value->kind == FSIM_VALUE_STRING && fsim_text_parse_size(value->string, bytes)) {
        return FSIM_OK;
    }
    return fail_expected(value, "a size such as \"128MB\"", err);
}

fsim_status fsim_value_get_mb(const fsim_value *object, const char *key, int64_t min, int64_t max,
                              int64_t *out, fsim_error *err) {
    const fsim_value *value = fsim_value_get(object, key);
    int64_t mb, bytes;
    char expected[128];
    if (value == NULL) {
        return FSIM_OK;
    }
    bool fits = as_integer(value, &mb);
    if (value->kind == FSIM_VALUE_STRING && fsim_text_parse_size(value->string, &bytes)) {
        mb = bytes / BYTES_PER_MB;
        fits = bytes % BYTES_PER_MB == 0;
    }
    if (!fits || mb < min || mb > max) {
        snprintf(expected, sizeof expected,
                 "a whole number of MB from %" PRId64 " to %" PRId64 ", or a size such as \"512MB\"", min,
                 max);
        return fail_expected(value, expected, err);
    }
    *out = mb;
    return FSIM_OK;
}

/* Writes `"a", "b", "c"`. */
static void list_names(const char *const *names, char *out, size_t size) {
    text_buffer b = {out, size, 0};
    add_text(&b, "");
    for (size_t i = 0; names[i] != NULL; i++) {
        add_text(&b, i == 0 ? "\"" : ", \"");
        add_text(&b, names[i]);
        add_text(&b, "\"");
    }
}

fsim_status fsim_value_fail_name(const fsim_value *value, const char *what, const char *const *names,
                                 fsim_error *err) {
    char list[320];
    const char *text = value->kind == FSIM_VALUE_STRING ? value->string : "";
    const char *near = fsim_text_nearest(text, names);
    if (value->kind == FSIM_VALUE_STRING && near != NULL) {
        return fsim_value_fail(value, err, "unknown %s \"%.100s\"; did you mean \"%s\"?", what, text, near);
    }
    list_names(names, list, sizeof list);
    if (value->kind == FSIM_VALUE_STRING) {
        return fsim_value_fail(value, err, "unknown %s \"%.100s\", expected one of %s", what, text, list);
    }
    char expected[sizeof list + 32];
    snprintf(expected, sizeof expected, "one of %s", list);
    return fail_expected(value, expected, err);
}

fsim_status fsim_value_get_enum(const fsim_value *object, const char *key, const char *const *names, int *out,
                                fsim_error *err) {
    const fsim_value *value = fsim_value_get(object, key);
    if (value == NULL) {
        return FSIM_OK;
    }
    for (int i = 0; names[i] != NULL && value->kind == FSIM_VALUE_STRING; i++) {
        if (strcmp(names[i], value->string) == 0) {
            *out = i;
            return FSIM_OK;
        }
    }
    return fsim_value_fail_name(value, key, names, err);
}

/* --- refusing what nobody understood
 * ------------------------------------------------------------------------------- */

#define CANDIDATES_MAX 96

static fsim_status fail_unknown_key(const fsim_value *key, const char *const *known, fsim_error *err) {
    const char *names[CANDIDATES_MAX + 1];
    size_t n = 0;
    for (; known != NULL && known[n] != NULL && n < CANDIDATES_MAX; n++) {
        names[n] = known[n];
    }
    const asked_key *asked = ((const node *)key->parent)->asked;
    for (; asked != NULL && n < CANDIDATES_MAX; asked = asked->next) {
        names[n++] = asked->key;
    }
    names[n] = NULL;
    const char *near = fsim_text_nearest(key->key, names);
    if (near != NULL) {
        return fsim_value_fail(key, err, "unknown key \"%.100s\"; did you mean \"%s\"?", key->key, near);
    }
    if (n == 0) {
        return fsim_value_fail(key, err, "unknown key \"%.100s\"; no keys are expected here", key->key);
    }
    char list[320];
    list_names(names, list, sizeof list);
    return fsim_value_fail(key, err, "unknown key \"%.100s\"; valid here: %s", key->key, list);
}

fsim_status fsim_value_check_used(const fsim_value *value, const char *const *known, fsim_error *err) {
    if (value == NULL) {
        return FSIM_OK;
    }
    for (const fsim_value *child = value->first; child != NULL; child = child->next) {
        if (child->key != NULL && !child->used) {
            return fail_unknown_key(child, known, err);
        }
        FSIM_TRY(fsim_value_check_used(child, NULL, err));
    }
    return FSIM_OK;
}

void fsim_value_mark_used(fsim_value *value) {
    if (value == NULL) {
        return;
    }
    value->used = true;
    for (fsim_value *child = value->first; child != NULL; child = child->next) {
        fsim_value_mark_used(child);
    }
}
