#include "verdict.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SPAN_MAX (36525 * FSIM_DAY)

verdict verdict_begin(conformance *c, const json_t *vector) {
    const char *id = json_string_value(json_object_get(vector, "id"));
    return (verdict){.c = c, .id = id == NULL ? "(no id)" : id};
}

void verdict_end(verdict *v) {
    if (v->failed) {
        conformance_fail(v->c, v->id, v->expected, v->got);
    } else {
        conformance_pass(v->c, v->id);
    }
}

void verdict_at(verdict *v, const char *what, size_t index) {
    snprintf(v->context, sizeof v->context, "%s %zu: ", what, index);
}

void verdict_fail(verdict *v, const char *expected, const char *fmt, ...) {
    if (v->failed) {
        return;
    }
    v->failed = true;
    snprintf(v->expected, sizeof v->expected, "%s%s", v->context, expected);
    va_list args;
    va_start(args, fmt);
    vsnprintf(v->got, sizeof v->got, fmt, args);
    va_end(args);
}

void verdict_number(verdict *v, const char *what, double expected, double got, double tolerance) {
    if (fabs(got - expected) <= tolerance) {
        return;
    }
    char text[96];
    snprintf(text, sizeof text, "%s %.12g", what, expected);
    verdict_fail(v, text, "%.12g", got);
}

void verdict_bool(verdict *v, const char *what, bool expected, bool got) {
    verdict_text(v, what, expected ? "true" : "false", got ? "true" : "false");
}

void verdict_text(verdict *v, const char *what, const char *expected, const char *got) {
    if (strcmp(expected, got) == 0) {
        return;
    }
    char text[96];
    snprintf(text, sizeof text, "%s %s", what, expected);
    verdict_fail(v, text, "%s", got);
}

bool verdict_has(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return value != NULL && !json_is_null(value);
}

static const json_t *read(verdict *v, const json_t *object, const char *key, bool right, const char *type) {
    const json_t *value = json_object_get(object, key);
    if (right) {
        return value;
    }
    char text[96];
    snprintf(text, sizeof text, "%s in \"%s\"", type, key);
    verdict_fail(v, text, "%s", value == NULL ? "nothing" : "something else");
    return NULL;
}

double verdict_read_real(verdict *v, const json_t *object, const char *key) {
    bool right = json_is_number(json_object_get(object, key));
    return json_number_value(read(v, object, key, right, "a number"));
}

int64_t verdict_read_int(verdict *v, const json_t *object, const char *key) {
    double value = verdict_read_real(v, object, key);
    if (fabs(value) > 9e15 || value != floor(value)) {
        verdict_fail(v, "a whole number", "\"%s\" %.12g", key, value);
        return 0;
    }
    return (int64_t)value;
}

bool verdict_read_bool(verdict *v, const json_t *object, const char *key) {
    bool right = json_is_boolean(json_object_get(object, key));
    return json_is_true(read(v, object, key, right, "true or false"));
}

const char *verdict_read_text(verdict *v, const json_t *object, const char *key) {
    bool right = json_is_string(json_object_get(object, key));
    const json_t *value = read(v, object, key, right, "a string");
    return value == NULL ? "" : json_string_value(value);
}

const json_t *verdict_read_object(verdict *v, const json_t *object, const char *key) {
    return read(v, object, key, json_is_object(json_object_get(object, key)), "an object");
}

const json_t *verdict_read_array(verdict *v, const json_t *object, const char *key) {
    return read(v, object, key, json_is_array(json_object_get(object, key)), "an array");
}

static fsim_ns read_span(verdict *v, const json_t *object, const char *key, fsim_ns unit_ns) {
    double span = verdict_read_real(v, object, key) * (double)unit_ns;
    if (fabs(span) > (double)SPAN_MAX) {
        verdict_fail(v, "a time within 100 years", "another in \"%s\"", key);
        return 0;
    }
    return (fsim_ns)llround(span);
}

fsim_ns verdict_read_seconds(verdict *v, const json_t *object, const char *key) {
    return read_span(v, object, key, FSIM_SECOND);
}

fsim_ns verdict_read_millis(verdict *v, const json_t *object, const char *key) {
    return read_span(v, object, key, FSIM_MS);
}

double verdict_real_or(verdict *v, const json_t *object, const char *key, double fallback) {
    return verdict_has(object, key) ? verdict_read_real(v, object, key) : fallback;
}

int64_t verdict_int_or(verdict *v, const json_t *object, const char *key, int64_t fallback) {
    return verdict_has(object, key) ? verdict_read_int(v, object, key) : fallback;
}

bool verdict_bool_or(verdict *v, const json_t *object, const char *key, bool fallback) {
    return verdict_has(object, key) ? verdict_read_bool(v, object, key) : fallback;
}
