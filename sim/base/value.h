/* A configuration tree: what a JSON document, a bundle or `--set` says, independent of the JSON library.
 *
 * Every scenario, bundle, price book and policy parameter is read through this tree, so that each of them
 * gets the same errors: the place as a JSON pointer behind the file's name, what was found, what was
 * expected, and for an unknown key the nearest valid one. A reader marks each key it understands;
 * fsim_value_check_used then refuses the rest.
 *
 * Ownership: nodes and strings belong to the fsim_value_pool that made them and live until its destroy. Not
 * thread-safe while being read (reading marks keys). Getters cost O(keys of the object). */
#ifndef FSIM_BASE_VALUE_H
#define FSIM_BASE_VALUE_H

#include "base/error.h"
#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum fsim_value_kind {
    FSIM_VALUE_NULL,
    FSIM_VALUE_BOOL,
    FSIM_VALUE_INTEGER,
    FSIM_VALUE_REAL,
    FSIM_VALUE_STRING,
    FSIM_VALUE_ARRAY,
    FSIM_VALUE_OBJECT
} fsim_value_kind;

typedef struct fsim_value fsim_value;
struct fsim_value {
    fsim_value_kind kind;
    bool used;          /* a reader has understood this key */
    bool boolean;       /* BOOL */
    int64_t integer;    /* INTEGER */
    double real;        /* REAL, and INTEGER converted */
    const char *string; /* STRING */
    const char *key;    /* inside an object, else NULL */
    const char *origin; /* where it was said: "car.json", "bundle knative", "--set", "default" */
    size_t count;       /* children of an ARRAY or OBJECT */
    fsim_value *parent, *first, *last, *next;
};

/* The origin of what nobody said. */
#define FSIM_ORIGIN_DEFAULT "default"

typedef struct fsim_value_pool fsim_value_pool; /* owns nodes and strings */

/* NULL only when memory is exhausted. */
fsim_value_pool *fsim_value_pool_create(void);
void fsim_value_pool_destroy(fsim_value_pool *pool); /* NULL allowed */
/* Zeroed memory that lives as long as the pool; NULL when memory is exhausted. */
void *fsim_value_pool_alloc(fsim_value_pool *pool, size_t size);
/* Memory has run out at some time: constructors gave NULL, and what was built from it (append and put ignore
 * NULL) is incomplete. Readers ask once, at their end. */
bool fsim_value_pool_exhausted(const fsim_value_pool *pool);

/* Building. Strings are copied into the pool. */
const char *fsim_value_intern(fsim_value_pool *pool, const char *text);
fsim_value *fsim_value_new(fsim_value_pool *pool, fsim_value_kind kind, const char *origin);
fsim_value *fsim_value_new_string(fsim_value_pool *pool, const char *text, const char *origin);
fsim_value *fsim_value_new_integer(fsim_value_pool *pool, int64_t integer, const char *origin);
fsim_value *fsim_value_new_real(fsim_value_pool *pool, double real, const char *origin);
fsim_value *fsim_value_new_bool(fsim_value_pool *pool, bool boolean, const char *origin);
void fsim_value_append(fsim_value *array, fsim_value *item);
void fsim_value_put(fsim_value_pool *pool, fsim_value *object, const char *key,
                    fsim_value *item); /* replaces */
void fsim_value_replace(fsim_value *old,
                        fsim_value *item); /* among the children of old's parent, which must exist */
fsim_value *fsim_value_copy(fsim_value_pool *pool, const fsim_value *value); /* deep, keeps origins */
/* A copy of which nobody has read anything, and that messages place where the original stands. */
fsim_value *fsim_value_copy_in_place(fsim_value_pool *pool, const fsim_value *value);

/* Lays `over` upon `base` (both objects) in place: objects merge key by key, everything else is replaced by
 * `over`'s. Arrays are replaced whole. An object that carries a different "name", "dist", "source", "kind" or
 * "bundle" than the one below it replaces it whole: the parameters of another policy or distribution must not
 * leak through. */
void fsim_value_merge(fsim_value_pool *pool, fsim_value *base, const fsim_value *over);

/* Sets PATH=TEXT as of the command line: keys separated by '.', array elements as [i] or, for arrays of
 * objects with a "name", by that name
 * ("functions.fn.memory_mb=256", "platform.queue.capacity=100", "functions[0].service.mean=20ms"). Missing
 * objects are created. TEXT is read as JSON scalar (null, true, 12, 1.5) where it is one, as a string
 * otherwise. _value: the value itself, which replaces what is there. */
fsim_status fsim_value_set(fsim_value_pool *pool, fsim_value *root, const char *path, const char *text,
                           const char *origin, fsim_error *err);
fsim_status fsim_value_set_value(fsim_value_pool *pool, fsim_value *root, const char *path, fsim_value *value,
                                 const char *origin, fsim_error *err);

/* Looking up. All mark what they find as used. A key whose value is null, or the string "none", is there but
 * `fsim_value_is_off`. */
fsim_value *fsim_value_get(const fsim_value *object, const char *key); /* NULL: absent, or not an object */
fsim_value *fsim_value_at(const fsim_value *root, const char *path);   /* "policy.keepalive.window" */
bool fsim_value_is_off(const fsim_value *value);
fsim_value *fsim_value_peek(const fsim_value *object,
                            const char *key); /* like get, but marks and remembers nothing */

/* Typed getters: when `key` is absent they leave *out as it is and return FSIM_OK. A wrong type or range is
 * FSIM_ECONFIG. Limits are inclusive. */
fsim_status fsim_value_get_bool(const fsim_value *object, const char *key, bool *out, fsim_error *err);
fsim_status fsim_value_get_i64(const fsim_value *object, const char *key, int64_t min, int64_t max,
                               int64_t *out, fsim_error *err);
fsim_status fsim_value_get_real(const fsim_value *object, const char *key, double min, double max,
                                double *out, fsim_error *err);
fsim_status fsim_value_get_string(const fsim_value *object, const char *key, const char **out,
                                  fsim_error *err);
/* A span: a string with a unit ("1.5s", "10m", "200us"), or a bare number 0; null or "none" gives FSIM_NEVER
 * where off_is_never. */
fsim_status fsim_value_get_span(const fsim_value *object, const char *key, bool off_is_never, fsim_ns *out,
                                fsim_error *err);
/* The same for a value at hand, such as an array element. */
fsim_status fsim_value_as_span(const fsim_value *value, fsim_ns *out, fsim_error *err);
/* A size in bytes: "128MB" (1 MB = 1024 * 1024 bytes, as every serverless platform counts). */
fsim_status fsim_value_get_size(const fsim_value *object, const char *key, int64_t *bytes, fsim_error *err);
/* A size in whole MB: a number of them, or with its unit ("512MB", "1GB"). */
fsim_status fsim_value_get_mb(const fsim_value *object, const char *key, int64_t min, int64_t max,
                              int64_t *out, fsim_error *err);
/* One of `names` (NULL-terminated), as its index. */
fsim_status fsim_value_get_enum(const fsim_value *object, const char *key, const char *const *names, int *out,
                                fsim_error *err);

/* Errors about a value: the place is origin file + JSON pointer ("car.json#/policy/keepalive/window"). */
fsim_status fsim_value_fail(const fsim_value *value, fsim_error *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* `value` should name one of `names`: says which is near, or lists them. `what` is what it names ("policy").
 */
fsim_status fsim_value_fail_name(const fsim_value *value, const char *what, const char *const *names,
                                 fsim_error *err);
/* A key is required and absent. */
fsim_status fsim_value_missing(const fsim_value *object, const char *key, fsim_error *err);

#ifdef __clang_analyzer__ /* as in error.h: what comes back is a failure */
#define fsim_value_fail(value, err, ...) (fsim_value_fail(value, err, __VA_ARGS__), FSIM_ECONFIG)
#define fsim_value_fail_name(value, what, names, err)                                                        \
    (fsim_value_fail_name(value, what, names, err), FSIM_ECONFIG)
#define fsim_value_missing(object, key, err) (fsim_value_missing(object, key, err), FSIM_ECONFIG)
#endif

/* Refuses the first key below `value`, at any depth, that nobody has marked as used. The nearest of the keys
 * in `known` (NULL-terminated; may be NULL) is suggested; further keys that readers asked for in that very
 * object are known as well. */
fsim_status fsim_value_check_used(const fsim_value *value, const char *const *known, fsim_error *err);
/* Marks value and everything below it as used: read by somebody else later. */
void fsim_value_mark_used(fsim_value *value);
/* Writes "file#/a/0/b" into out. */
void fsim_value_place(const fsim_value *value, char *out, size_t size);

#endif
