/* One vector's way to its verdict: typed reading of its fields and comparison of results, where the first
 * trouble decides and everything after it is harmless. A missing field yields 0, false, "" or NULL and fails
 * the vector with the field's name; callers need no error handling of their own, only care with NULL objects
 * (which read as empty).
 *
 *     verdict v = verdict_begin(c, vector);
 *     double target = verdict_read_real(&v, params, "target");
 *     verdict_number(&v, "pods", verdict_read_real(&v, expect, "pods"), pods(target), 0.0);
 *     verdict_end(&v);
 */
#ifndef FSIM_TESTS_VERDICT_H
#define FSIM_TESTS_VERDICT_H

#include "conformance.h"

#include "base/time.h"

#include <stdint.h>

typedef struct verdict {
    conformance *c;
    const char *id;
    bool failed;
    char context[48]; /* put in front of what is compared: "step 3: " */
    char expected[192], got[192];
} verdict;

verdict verdict_begin(conformance *c, const json_t *vector);
/* Passes the vector, or fails it with the first trouble. */
void verdict_end(verdict *v);

/* Names the part that is being judged; %zu is its number from 0. */
void verdict_at(verdict *v, const char *what, size_t index);
void verdict_fail(verdict *v, const char *expected, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Comparisons. `what` names the result. */
void verdict_number(verdict *v, const char *what, double expected, double got, double tolerance);
void verdict_bool(verdict *v, const char *what, bool expected, bool got);
void verdict_text(verdict *v, const char *what, const char *expected, const char *got);

/* Is the key there, and not null? */
bool verdict_has(const json_t *object, const char *key);

/* Required fields. */
double verdict_read_real(verdict *v, const json_t *object, const char *key);
int64_t verdict_read_int(verdict *v, const json_t *object, const char *key);
bool verdict_read_bool(verdict *v, const json_t *object, const char *key);
const char *verdict_read_text(verdict *v, const json_t *object, const char *key);
const json_t *verdict_read_object(verdict *v, const json_t *object, const char *key);
const json_t *verdict_read_array(verdict *v, const json_t *object, const char *key);
fsim_ns verdict_read_seconds(verdict *v, const json_t *object, const char *key); /* may be negative */
fsim_ns verdict_read_millis(verdict *v, const json_t *object, const char *key);

/* Fields that may be absent or null. */
double verdict_real_or(verdict *v, const json_t *object, const char *key, double fallback);
int64_t verdict_int_or(verdict *v, const json_t *object, const char *key, int64_t fallback);
bool verdict_bool_or(verdict *v, const json_t *object, const char *key, bool fallback);

#endif
