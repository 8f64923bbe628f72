/* Laying one configuration upon another: a scenario over its bundle, `--set` over both. See value.h. */
#include "base/text.h"
#include "base/value.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The keys that say what an object is; the rest are its parameters. */
static const char *const identity_keys[] = {"name", "dist", "source", "kind", "bundle", NULL};

static bool is_identity(const char *key) {
    for (const char *const *name = identity_keys; *name != NULL; name++) {
        if (strcmp(key, *name) == 0) {
            return true;
        }
    }
    return false;
}

static bool same_string(const fsim_value *a, const fsim_value *b) {
    return a->kind == FSIM_VALUE_STRING && b->kind == FSIM_VALUE_STRING && strcmp(a->string, b->string) == 0;
}

/* A cold start is one of: a distribution, phases, a profile; the keys of one mean nothing beside another. */
static const char *cold_start_form(const fsim_value *object) {
    if (fsim_value_peek(object, "dist") != NULL) {
        return "dist";
    }
    const fsim_value *phases = fsim_value_peek(object, "phases");
    if (phases != NULL && phases->kind == FSIM_VALUE_OBJECT) {
        return "phases";
    }
    return fsim_value_peek(object, "profile") != NULL ? "profile" : NULL;
}

static bool is_another_thing(const fsim_value *base, const fsim_value *over) {
    for (const char *const *key = identity_keys; *key != NULL; key++) {
        const fsim_value *below = fsim_value_peek(base, *key), *above = fsim_value_peek(over, *key);
        if (below != NULL && above != NULL && !same_string(below, above)) {
            return true;
        }
    }
    const char *below = cold_start_form(base), *above = cold_start_form(over);
    return below != NULL && above != NULL && strcmp(below, above) != 0;
}

void fsim_value_merge(fsim_value_pool *pool, fsim_value *base, const fsim_value *over) {
    if (base == NULL || over == NULL || over->kind != FSIM_VALUE_OBJECT) {
        return;
    }
    for (const fsim_value *above = over->first; above != NULL; above = above->next) {
        fsim_value *below = fsim_value_peek(base, above->key);
        bool mergeable =
            below != NULL && below->kind == FSIM_VALUE_OBJECT && above->kind == FSIM_VALUE_OBJECT;
        if (mergeable && !is_another_thing(below, above)) {
            fsim_value_merge(pool, below, above);
        } else {
            fsim_value_put(pool, base, above->key, fsim_value_copy(pool, above));
        }
    }
}

/* --- --set PATH=TEXT
 * ----------------------------------------------------------------------------------------------- */

static bool is_json_number(const char *text) {
    text += *text == '-';
    if (text[0] == '0' && text[1] >= '0' && text[1] <= '9') {
        return false;
    }
    double ignored;
    return text[0] >= '0' && text[0] <= '9' && fsim_text_parse_real(text, &ignored);
}

/* Text as JSON would read it, where it is a scalar (or the empty array or object); any other text is a
 * string. */
static fsim_value *value_of_text(fsim_value_pool *pool, const char *text, const char *origin) {
    double real;
    size_t len = strlen(text);
    if (strcmp(text, "null") == 0) {
        return fsim_value_new(pool, FSIM_VALUE_NULL, origin);
    }
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        return fsim_value_new_bool(pool, text[0] == 't', origin);
    }
    if (strcmp(text, "[]") == 0 || strcmp(text, "{}") == 0) {
        return fsim_value_new(pool, text[0] == '[' ? FSIM_VALUE_ARRAY : FSIM_VALUE_OBJECT, origin);
    }
    if (is_json_number(text) && fsim_text_parse_real(text, &real)) {
        char *end;
        errno = 0;
        long long integer = strtoll(text, &end, 10);
        bool whole = *end == '\0' && errno == 0;
        return whole ? fsim_value_new_integer(pool, integer, origin)
                     : fsim_value_new_real(pool, real, origin);
    }
    if (len >= 2 && text[0] == '"' && text[len - 1] == '"' && strpbrk(text, "\\") == NULL) {
        char inner[1024];
        snprintf(inner, sizeof inner, "%.*s", (int)(len - 2 < sizeof inner ? len - 2 : sizeof inner - 1),
                 text + 1);
        return fsim_value_new_string(pool, inner, origin);
    }
    return fsim_value_new_string(pool, text, origin);
}

typedef struct set_path {
    fsim_value_pool *pool;
    const char *text, *origin; /* the whole path and where it was said */
    fsim_error *err;
} set_path;

__attribute__((format(printf, 2, 3))) static fsim_status fail_path(const set_path *path, const char *fmt,
                                                                   ...) {
    char message[sizeof path->err->text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    return fsim_fail_at(path->err, FSIM_ECONFIG, path->origin, "%.200s: %s", path->text, message);
}

/* The element of an array of named objects that the rest of the path begins with; the longest name wins,
 * since names may contain points. */
static fsim_value *named_element(const fsim_value *array, const char *rest, size_t *used) {
    fsim_value *best = NULL;
    *used = 0;
    for (fsim_value *item = array->first; item != NULL; item = item->next) {
        const fsim_value *name = fsim_value_peek(item, "name");
        if (name == NULL || name->kind != FSIM_VALUE_STRING) {
            continue;
        }
        size_t len = strlen(name->string);
        bool fits =
            strncmp(name->string, rest, len) == 0 && strchr(".[", rest[len]) != NULL; /* finds '\0' too */
        if (fits && len > *used) {
            best = item;
            *used = len;
        }
    }
    return best;
}

static fsim_status fail_no_element(const set_path *path, const fsim_value *array, const char *key) {
    const char *names[65];
    size_t n = 0;
    for (const fsim_value *item = array->first; item != NULL && n < 64; item = item->next) {
        const fsim_value *name = fsim_value_peek(item, "name");
        if (name != NULL && name->kind == FSIM_VALUE_STRING) {
            names[n++] = name->string;
        }
    }
    names[n] = NULL;
    const char *near = fsim_text_nearest(key, names);
    if (near == NULL) {
        return fail_path(path, "no element is named \"%s\"", key);
    }
    return fail_path(path, "no element is named \"%s\"; did you mean \"%s\"?", key, near);
}

/* "[i]": an element that exists, or the one after the last, which is made. */
static fsim_status step_index(const set_path *path, fsim_value *array, const char **rest, fsim_value **out) {
    char *end;
    unsigned long index = strtoul(*rest + 1, &end, 10);
    if (!isdigit((unsigned char)(*rest)[1]) || *end != ']' ||
        (end[1] != '\0' && strchr(".[", end[1]) == NULL)) {
        return fail_path(path, "\"%s\" is not an index such as [0]", *rest);
    }
    if (array->kind != FSIM_VALUE_ARRAY) {
        return fail_path(path, "\"%s\" indexes something that is not an array", *rest);
    }
    if (index > array->count) {
        return fail_path(path, "index %lu is out of range: the array has %zu elements", index, array->count);
    }
    if (index == array->count) {
        fsim_value_append(array, fsim_value_new(path->pool, FSIM_VALUE_NULL, path->origin));
    }
    fsim_value *item = array->first;
    for (; index > 0 && item != NULL; index--) {
        item = item->next;
    }
    *rest = end + 1;
    *out = item;
    return FSIM_OK;
}

static void forget_members(fsim_value *object) {
    object->first = object->last = NULL;
    object->count = 0;
}

/* "phases" of what was a distribution so far, and the like. The phases of one are its parameters. */
static void change_form(fsim_value *object, const char *key) {
    static const char *const forms[] = {"dist", "phases", "profile"};
    const char *form = cold_start_form(object);
    const fsim_value *dist = fsim_value_peek(object, "dist");
    bool has_phases =
        dist != NULL && dist->kind == FSIM_VALUE_STRING && strcmp(dist->string, "hyperexponential") == 0;
    for (size_t i = 0; form != NULL && !has_phases && i < sizeof forms / sizeof *forms; i++) {
        if (strcmp(key, forms[i]) == 0 && strcmp(form, key) != 0) {
            forget_members(object);
            return;
        }
    }
}

/* ".key" or "key" */
static fsim_status step_key(const set_path *path, fsim_value *parent, const char **rest, fsim_value **out) {
    char key[256];
    *rest += **rest == '.';
    size_t len = strcspn(*rest, ".["), used;
    if (len == 0 || len >= sizeof key) {
        return fail_path(path, "\"%s\" does not begin with a key", *rest);
    }
    memcpy(key, *rest, len);
    key[len] = '\0';
    if (parent->kind == FSIM_VALUE_ARRAY) {
        *out = named_element(parent, *rest, &used);
        *rest += used;
        return *out == NULL ? fail_no_element(path, parent, key) : FSIM_OK;
    }
    if (parent->kind != FSIM_VALUE_OBJECT) {
        return fail_path(path, "\"%s\" is below something that is not an object", key);
    }
    *rest += len;
    change_form(parent, key);
    *out = fsim_value_peek(parent, key);
    if (*out == NULL) {
        *out = fsim_value_new(path->pool, FSIM_VALUE_NULL, path->origin);
        fsim_value_put(path->pool, parent, key, *out);
    }
    return FSIM_OK;
}

/* Another name, distribution or kind makes another thing: the parameters of the old one would be refused. An
 * element of an array and the root keep theirs: there a name is only a label. */
static void forget_parameters(fsim_value *object, const char *key, const fsim_value *value) {
    const fsim_value *old = fsim_value_peek(object, key);
    bool inner = object->parent != NULL && object->parent->kind == FSIM_VALUE_OBJECT;
    if (inner && is_identity(key) && old->kind != FSIM_VALUE_NULL && !same_string(old, value)) {
        forget_members(object);
    }
}

fsim_status fsim_value_set_value(fsim_value_pool *pool, fsim_value *root, const char *path_text,
                                 fsim_value *value, const char *origin, fsim_error *err) {
    const set_path path = {pool, path_text, origin, err};
    const char *rest = path_text;
    fsim_value *at = root;
    do {
        /* What is switched off (null, "none") can be switched on by setting something inside it; a span,
         * which stands for a distribution, gives way to what is set. */
        if (fsim_value_is_off(at) || at->kind == FSIM_VALUE_STRING) {
            at->kind = rest[0] == '[' ? FSIM_VALUE_ARRAY : FSIM_VALUE_OBJECT;
            at->origin = origin;
        }
        FSIM_TRY(rest[0] == '[' ? step_index(&path, at, &rest, &at) : step_key(&path, at, &rest, &at));
        if (at == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
    } while (*rest != '\0');
    fsim_value *parent = at->parent;
    if (parent->kind == FSIM_VALUE_OBJECT) {
        const char *key = at->key;
        forget_parameters(parent, key, value);
        fsim_value_put(pool, parent, key, value);
    } else {
        fsim_value_replace(at, value);
    }
    return FSIM_OK;
}

fsim_status fsim_value_set(fsim_value_pool *pool, fsim_value *root, const char *path, const char *text,
                           const char *origin, fsim_error *err) {
    fsim_value *value = value_of_text(pool, text, origin);
    return value == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory")
                         : fsim_value_set_value(pool, root, path, value, origin, err);
}
