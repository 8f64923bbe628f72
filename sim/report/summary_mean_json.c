/* Replications to one summary: means under the same keys, Student half widths under "ci95". */
#include "base/decimal.h"
#include "report/summary_json.h"

#include <gsl/gsl_cdf.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The same node of every document; NULL where a document lacks it. */
typedef struct column {
    const json_t **value;
    uint32_t count;
} column;

/* One node of the mean, and its half width; NULL where there is none. */
typedef struct estimate {
    json_t *mean, *half_width;
} estimate;

static bool merge(const column *in, estimate *out);

static const json_t *first_of(const column *in) {
    for (uint32_t i = 0; i < in->count; i++) {
        if (in->value[i] != NULL) {
            return in->value[i];
        }
    }
    return NULL;
}

/* 0.975 quantile of Student's t times the standard error. */
static double half_width_of(const double *x, uint32_t n, double mean) {
    double squares = 0;
    for (uint32_t i = 0; i < n; i++) {
        squares += (x[i] - mean) * (x[i] - mean);
    }
    return n < 2 ? 0 : gsl_cdf_tdist_Pinv(0.975, n - 1.0) * sqrt(squares / (n - 1.0) / n);
}

static bool merge_numbers(const column *in, estimate *out) {
    double *x = malloc(in->count * sizeof *x);
    if (x == NULL) {
        return false;
    }
    uint32_t n = 0;
    double sum = 0;
    fsim_i128 whole_sum = 0;
    bool whole = true;
    for (uint32_t i = 0; i < in->count; i++) {
        if (!json_is_number(in->value[i])) {
            continue;
        }
        x[n] = json_number_value(in->value[i]);
        sum += x[n++];
        whole = whole && json_is_integer(in->value[i]);
        whole_sum += json_integer_value(in->value[i]);
    }
    double mean = whole ? (double)whole_sum / n : sum / n;
    out->mean = whole && whole_sum % n == 0 ? json_integer((json_int_t)(whole_sum / n)) : json_real(mean);
    out->half_width = json_real(half_width_of(x, n, mean));
    free(x);
    return out->mean != NULL && out->half_width != NULL;
}

static int decimals_of(const char *text) {
    const char *point = strchr(text, '.');
    return point == NULL ? 0 : (int)strlen(point + 1);
}

/* Decimal strings: the exact mean, rounded to the longest of their spellings. */
static bool merge_decimals(const column *in, estimate *out) {
    double *x = malloc(in->count * sizeof *x);
    uint32_t n = 0;
    int places = 2;
    fsim_i128 sum = 0, mean = 0;
    bool ok = x != NULL;
    for (uint32_t i = 0; ok && i < in->count; i++) {
        const char *text = json_string_value(in->value[i]);
        fsim_i128 pico;
        if (text == NULL) {
            continue;
        }
        ok = fsim_decimal_parse_pico(text, &pico) && fsim_i128_add(sum, pico, &sum);
        if (ok) {
            x[n++] = (double)pico / (double)FSIM_PICO;
            places = decimals_of(text) > places ? decimals_of(text) : places;
        }
    }
    if (ok && fsim_i128_divide(sum, n, FSIM_ROUND_HALF_UP, &mean)) {
        char text[FSIM_DECIMAL_SIZE + 32];
        fsim_decimal_print_places(mean, places, FSIM_ROUND_HALF_UP, text, sizeof text);
        out->mean = json_string(text);
        snprintf(text, sizeof text, "%.*f", places, half_width_of(x, n, (double)mean / (double)FSIM_PICO));
        out->half_width = json_string(text);
        ok = out->mean != NULL && out->half_width != NULL;
    } else if (x != NULL) { /* not a decimal of at most 12 places: the first one stands for all */
        out->mean = json_incref((json_t *)(uintptr_t)first_of(in));
        ok = true;
    }
    free(x);
    return ok;
}

static bool is_decimal_key(const char *key) {
    static const char *const keys[] = {"total", "quantity", "amount", "cost", NULL};
    for (int i = 0; keys[i] != NULL; i++) {
        if (strcmp(key, keys[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Names by which paths find an element: ci95 needs them as well. */
static bool is_name_key(const char *key) {
    return strcmp(key, "book") == 0 || strcmp(key, "meter") == 0;
}

static bool merge_member(const column *in, const char *key, const column *members, json_t *mean,
                         json_t *half_width) {
    estimate e = {NULL, NULL};
    for (uint32_t i = 0; i < in->count; i++) {
        members->value[i] = json_object_get(in->value[i], key);
    }
    bool text = json_is_string(first_of(members));
    if (!(text && is_decimal_key(key) ? merge_decimals(members, &e) : merge(members, &e))) {
        json_decref(e.mean);
        json_decref(e.half_width);
        return false;
    }
    bool ok = json_object_set_new(mean, key, e.mean) == 0;
    if (text && is_name_key(key)) {
        ok = json_object_set(half_width, key, e.mean) == 0 && ok;
    } else if (e.half_width != NULL) {
        ok = json_object_set_new(half_width, key, e.half_width) == 0 && ok;
    }
    return ok;
}

/* Keys in the order in which they first occur. */
static bool merge_objects(const column *in, estimate *out) {
    column members = {calloc(in->count, sizeof *members.value), in->count};
    out->mean = json_object();
    out->half_width = json_object();
    bool ok = members.value != NULL && out->mean != NULL && out->half_width != NULL;
    for (uint32_t i = 0; ok && i < in->count; i++) {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)in->value[i], key, value) {
            if (ok && json_object_get(out->mean, key) == NULL) {
                ok = merge_member(in, key, &members, out->mean, out->half_width);
            }
        }
    }
    free(members.value);
    return ok;
}

static bool merge_arrays(const column *in, estimate *out) {
    column elements = {calloc(in->count, sizeof *elements.value), in->count};
    size_t longest = 0;
    for (uint32_t i = 0; i < in->count; i++) {
        longest = json_array_size(in->value[i]) > longest ? json_array_size(in->value[i]) : longest;
    }
    out->mean = json_array();
    out->half_width = json_array();
    bool ok = elements.value != NULL && out->mean != NULL && out->half_width != NULL;
    for (size_t k = 0; ok && k < longest; k++) {
        estimate e = {NULL, NULL};
        for (uint32_t i = 0; i < in->count; i++) {
            elements.value[i] = json_array_get(in->value[i], k);
        }
        ok = merge(&elements, &e);
        json_t *half_width = e.half_width != NULL ? e.half_width : json_null();
        ok = json_array_append_new(out->mean, e.mean) == 0 && ok;
        ok = json_array_append_new(out->half_width, half_width) == 0 && ok;
    }
    free(elements.value);
    return ok;
}

static bool merge(const column *in, estimate *out) {
    const json_t *first = first_of(in);
    if (json_is_number(first)) {
        return merge_numbers(in, out);
    }
    if (json_is_object(first)) {
        return merge_objects(in, out);
    }
    if (json_is_array(first)) {
        return merge_arrays(in, out);
    }
    out->mean = json_incref((json_t *)(uintptr_t)first); /* a name: the same in all */
    return true;
}

/* One digest over all, in order (FNV-1a over their spellings). */
static json_t *digest_of(json_t *const *summaries, uint32_t count) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (uint32_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_object_get(summaries[i], "digest"));
        for (; text != NULL && *text != '\0'; text++) {
            hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
        }
    }
    return json_sprintf("%016" PRIx64, hash);
}

json_t *fsim_summary_replicated(json_t *const *summaries, uint32_t count) {
    if (count == 1) {
        return json_incref(summaries[0]);
    }
    column documents = {calloc(count, sizeof *documents.value), count};
    estimate e = {NULL, NULL};
    if (documents.value == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        documents.value[i] = summaries[i];
    }
    bool ok = merge(&documents, &e);
    free(documents.value);
    /* Identity, not measurement. */
    json_t *seed = json_object_get(summaries[0], "seed");
    ok = ok && json_object_set(e.mean, "seed", seed) == 0;
    ok = ok && json_object_set_new(e.mean, "digest", digest_of(summaries, count)) == 0;
    ok = ok && json_object_set_new(e.mean, "replications", json_integer(count)) == 0;
    ok = ok && json_object_del(e.half_width, "seed") == 0;
    ok = ok && json_object_set(e.mean, "ci95", e.half_width) == 0;
    json_decref(e.half_width);
    if (!ok) {
        json_decref(e.mean);
        return NULL;
    }
    return e.mean;
}
