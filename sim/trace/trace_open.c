/* A trace from outside; see trace.h. */
#include "trace/row_window.h"
#include "trace/trace_files.h"

#include "base/rng.h"

#include <stdlib.h>
#include <string.h>

const char *const fsim_trace_join_names[] = {"inner", "lognormal", NULL};
const char *const fsim_trace_memory_names[] = {"app", "function", NULL};
const char *const fsim_trace_sampling_names[] = {"linear", "step", "lognormal", "mean", "fitted", NULL};
const char *const fsim_trace_values_names[] = {"auto", "count", "rps", NULL};

void fsim_trace_options_default(fsim_trace_options *options) {
    *options = (fsim_trace_options){.placement = FSIM_PLACE_UNIFORM,
                                    .join = FSIM_JOIN_INNER,
                                    .sampling = FSIM_DURATION_FITTED,
                                    .floor_ns = FSIM_MS,
                                    .memory = FSIM_MEMORY_APP,
                                    .scale_rate = 1.0,
                                    .scale_time = 1.0,
                                    .until_ns = FSIM_NEVER,
                                    .seed = 1};
}

/* --- what readers use --- */

/* Bytes of the UTF-8 sequence at `text`; 0: there is none. */
static size_t sequence(const unsigned char *text, size_t len) {
    size_t n = text[0] < 0x80 ? 1 : text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    if (n == 1) {
        return 1;
    }
    bool ok = n <= len && text[0] >= 0xc2 && text[0] <= 0xf4;
    for (size_t i = 1; ok && i < n; i++) {
        ok = (text[i] & 0xc0u) == 0x80u;
    }
    /* No overlong forms, no surrogates, nothing above U+10FFFF. */
    ok = ok && !(text[0] == 0xe0 && text[1] < 0xa0) && !(text[0] == 0xed && text[1] > 0x9f) &&
         !(text[0] == 0xf0 && text[1] < 0x90) && !(text[0] == 0xf4 && text[1] > 0x8f);
    return ok ? n : 0;
}

const char *trace_text(fsim_trace *t, const char *text, size_t len) {
    char *out = fsim_value_pool_alloc(t->pool, 2 * len + 1);
    size_t put = 0;
    for (size_t i = 0; out != NULL && i < len;) {
        const unsigned char *at = (const unsigned char *)text + i;
        size_t n = sequence(at, len - i);
        if (n == 0) { /* Latin-1 */
            out[put++] = (char)(0xc0u | at[0] >> 6);
            out[put++] = (char)(0x80u | (at[0] & 0x3fu));
            i++;
            continue;
        }
        for (; n > 0; n--) {
            out[put++] = text[i++];
        }
    }
    return out;
}

fsim_status trace_function(fsim_trace *t, const void *key, size_t key_len, const char *name, uint32_t *f,
                           fsim_error *err) {
    FSIM_TRY(name_map_intern(&t->keys, key, key_len, f, err));
    if (*f < t->function_count) {
        return FSIM_OK;
    }
    if (t->function_count == t->function_capacity) {
        uint32_t capacity = t->function_capacity == 0 ? 64 : 2u * t->function_capacity;
        fsim_trace_function *larger = realloc(t->functions, capacity * sizeof *larger);
        if (larger == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        t->functions = larger;
        t->function_capacity = capacity;
    }
    const char *copy = name[0] == '\0' ? "fn" : trace_text(t, name, strlen(name));
    if (copy == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    t->functions[t->function_count++] = (fsim_trace_function){.name = copy};
    return FSIM_OK;
}

void trace_note_begin(fsim_trace *t, int64_t zero_ns) {
    t->facts.begins_ns = zero_ns >= INT64_C(100000000) * FSIM_SECOND ? zero_ns : 0;
}

void trace_drop(fsim_trace *t, const char *reason, uint64_t rows, uint64_t invocations) {
    fsim_trace_facts *facts = &t->facts;
    uint32_t i = 0;
    for (; i < facts->drop_count && strcmp(facts->drops[i].reason, reason) != 0; i++) {
    }
    if (rows == 0 || i == FSIM_TRACE_DROPS) {
        return;
    }
    if (i == facts->drop_count) {
        facts->drops[facts->drop_count++] = (fsim_trace_drop){.reason = reason};
    }
    facts->drops[i].rows += rows;
    facts->drops[i].invocations += invocations;
}

fsim_status trace_intern_cell(void *user, const char *text, size_t len, int64_t *value, fsim_error *err) {
    fsim_trace *t = user;
    uint32_t number = 0;
    FSIM_TRY(name_map_intern(&t->texts, text, len, &number, err));
    *value = number;
    return FSIM_OK;
}

fsim_status trace_time_cell(void *user, const char *text, size_t len, int64_t *value, fsim_error *err) {
    (void)user;
    size_t used;
    if (trace_parse_time(text, len, value, &used) && used == len) {
        return FSIM_OK;
    }
    return fsim_fail(err, FSIM_EDATA,
                     "\"%.*s\" is no time, expected seconds or a date such as 2014-07-01 00:00:00",
                     (int)(len < 40 ? len : 40), text);
}

/* --- opening and closing --- */

static fsim_status fail_option(const char *key, const char *why, fsim_error *err) {
    return fsim_fail_at(err, FSIM_ECONFIG, key, "%s", why);
}

static fsim_status check_options(const fsim_trace_options *o, fsim_error *err) {
    if (!(o->scale_rate >= 0.0 && o->scale_rate <= 1e6)) {
        return fail_option("scale_rate", "expected a factor from 0 to 1,000,000", err);
    }
    if (!(o->scale_time >= 1e-6 && o->scale_time <= 1e6)) {
        return fail_option("scale_time", "expected a factor from 0.000001 to 1,000,000", err);
    }
    if (o->until_ns <= o->from_ns) {
        return fail_option("until", "expected an instant after \"from\"", err);
    }
    return FSIM_OK;
}

static fsim_status read_trace(fsim_trace *t, const char *base_dir, const char *const *paths, size_t count,
                              fsim_error *err) {
    FSIM_TRY(check_options(&t->options, err));
    FSIM_TRY(trace_find_files(t, base_dir, paths, count, err));
    if (t->format->read == NULL) {
        return trace_rows_open(t, base_dir, paths, count, err);
    }
    t->builder = fsim_bucket_builder_create();
    if (t->builder == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_status status = t->format->read(t, err);
    status = status == FSIM_OK ? trace_finish(t, err) : status;
    fsim_bucket_builder_destroy(t->builder);
    t->builder = NULL;
    return status;
}

fsim_status fsim_trace_open(fsim_trace **out, const fsim_trace_options *options, const char *base_dir,
                            const char *const *paths, size_t path_count, fsim_error *err) {
    fsim_trace *t = calloc(1, sizeof *t);
    *out = NULL;
    if (t == NULL || (t->pool = fsim_value_pool_create()) == NULL) {
        free(t);
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    t->options = *options;
    name_map_open(&t->texts, t->pool);
    name_map_open(&t->keys, t->pool);
    fsim_status status = read_trace(t, base_dir, paths, path_count, err);
    if (status != FSIM_OK) {
        fsim_trace_close(t);
        return status;
    }
    *out = t;
    return FSIM_OK;
}

fsim_status fsim_trace_list(const char *path, fsim_trace_visit visit, void *user, fsim_error *err) {
    fsim_trace *t = calloc(1, sizeof *t);
    if (t == NULL || (t->pool = fsim_value_pool_create()) == NULL) {
        free(t);
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_status status = trace_find_files(t, NULL, &path, 1, err);
    for (size_t i = 0; status == FSIM_OK && i < t->file_count && visit(user, t->files[i].path); i++) {
    }
    fsim_trace_close(t);
    return status;
}

void fsim_trace_close(fsim_trace *t) {
    if (t == NULL) {
        return;
    }
    trace_rows_close(t);
    trace_close_huawei_functions(t);
    fsim_bucket_builder_destroy(t->builder);
    name_map_close(&t->texts);
    name_map_close(&t->keys);
    free((void *)t->bucketed.first);
    free((void *)t->bucketed.cells);
    free(t->functions);
    free(t->files);
    fsim_value_pool_destroy(t->pool);
    free(t);
}

const fsim_bucketed *fsim_trace_buckets(const fsim_trace *t) {
    return t->format->read == NULL ? NULL : &t->bucketed;
}

uint32_t fsim_trace_function_count(const fsim_trace *t) {
    return t->function_count;
}

const fsim_trace_function *fsim_trace_function_at(const fsim_trace *t, uint32_t f) {
    return &t->functions[f];
}

const fsim_trace_options *fsim_trace_options_of(const fsim_trace *t) {
    return &t->options;
}

const fsim_trace_facts *fsim_trace_about(const fsim_trace *t) {
    return &t->facts;
}
