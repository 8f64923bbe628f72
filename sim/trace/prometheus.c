/* Prometheus: the JSON answer of a range query (HTTP API, "matrix"):
 *
 *     {"data": {"resultType": "matrix",
 *               "result": [{"metric": {label: text}, "values": [[seconds, "number"], …]}, …]}}
 *
 * One series a function; numbers are requests per second unless options.values says that they are counts. */
#include "base/text.h"
#include "io/json_reader.h"
#include "trace/series.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int is_matrix(const trace_probe *probe) {
    const char *at = probe->head + strspn(probe->head, " \t\r\n");
    return *at == '{' && strstr(at, "\"resultType\"") != NULL && strstr(at, "\"matrix\"") != NULL;
}

/* What a series is called: the label that most likely names a function, else all of them. */
static const char *name_of(const fsim_trace *t, const fsim_value *metric) {
    static const char *const labels[] = {"function", "function_name", "faas_name", "service",
                                         "app",      "job",           NULL};
    for (size_t i = 0; labels[i] != NULL; i++) {
        const fsim_value *label = fsim_value_peek(metric, labels[i]);
        if (label != NULL && label->kind == FSIM_VALUE_STRING) {
            return label->string;
        }
    }
    char name[512] = "";
    for (const fsim_value *label = metric == NULL ? NULL : metric->first; label != NULL;
         label = label->next) {
        size_t len = strlen(name);
        if (label->kind == FSIM_VALUE_STRING) {
            snprintf(name + len, sizeof name - len, "%s%s=%s", len == 0 ? "" : ",", label->key,
                     label->string);
        }
    }
    return name[0] == '\0' ? "fn" : fsim_value_intern(t->pool, name);
}

static fsim_status add_point(series_points *p, const fsim_value *pair, uint32_t f, fsim_trace *t,
                             fsim_error *err) {
    const fsim_value *at = pair->first, *value = at == NULL ? NULL : at->next;
    int64_t amount;
    bool ok = pair->kind == FSIM_VALUE_ARRAY && value != NULL && value->kind == FSIM_VALUE_STRING &&
              (at->kind == FSIM_VALUE_INTEGER || at->kind == FSIM_VALUE_REAL) && at->real > -1e9 &&
              at->real < 9e9;
    if (!ok) {
        return fsim_value_fail(pair, err, "expected [seconds, \"number\"]");
    }
    if (strcmp(value->string, "NaN") == 0) {
        trace_drop(t, "a row without a value", 1, 0);
        return FSIM_OK;
    }
    if (!fsim_text_parse_scaled_ns(value->string, strlen(value->string), 1000000000, &amount)) {
        return fsim_value_fail(value, err, "\"%.40s\" is no number of requests, at least 0", value->string);
    }
    int64_t ms = (int64_t)(at->real * 1000.0 + (at->real < 0 ? -0.5 : 0.5));
    return series_add(p, ms * FSIM_MS, amount, f, err);
}

static fsim_status read_result(fsim_trace *t, series_points *p, const fsim_value *tree, fsim_error *err) {
    const fsim_value *data = fsim_value_peek(tree, "data");
    const fsim_value *result = fsim_value_peek(data == NULL ? tree : data, "result");
    if (result == NULL || result->kind != FSIM_VALUE_ARRAY) {
        return fsim_value_fail(tree, err, "expected the answer of a range query: data.result is no array");
    }
    for (const fsim_value *series = result->first; series != NULL; series = series->next) {
        const fsim_value *values = fsim_value_peek(series, "values");
        const char *name = name_of(t, fsim_value_peek(series, "metric"));
        uint32_t f;
        if (values == NULL || values->kind != FSIM_VALUE_ARRAY) {
            return fsim_value_fail(series, err, "expected \"values\" [[seconds, \"number\"], …]");
        }
        if (name == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        FSIM_TRY(trace_function(t, name, strlen(name), name, &f, err));
        p->series++;
        for (const fsim_value *pair = values->first; pair != NULL; pair = pair->next) {
            FSIM_TRY(add_point(p, pair, f, t, err));
        }
    }
    return FSIM_OK;
}

static fsim_status read_file(fsim_trace *t, series_points *p, const char *path, fsim_error *err) {
    fsim_value *tree = NULL;
    fsim_value_pool *pool = fsim_value_pool_create();
    fsim_status status = pool == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory")
                                      : fsim_json_read_file(pool, path, &tree, err);
    if (status == FSIM_OK) {
        status = read_result(t, p, tree, err);
    }
    fsim_value_pool_destroy(pool);
    /* The data of a trace, whatever its notation. */
    if (status == FSIM_ECONFIG && err != NULL) {
        err->status = FSIM_EDATA;
    }
    return status == FSIM_ECONFIG ? FSIM_EDATA : status;
}

static fsim_status read(fsim_trace *t, fsim_error *err) {
    series_points p = {.are_rates = t->options.values != FSIM_VALUES_COUNT};
    fsim_status status = FSIM_OK;
    for (size_t i = 0; i < t->file_count && status == FSIM_OK; i++) {
        p.file = (uint32_t)i;
        status = read_file(t, &p, t->files[i].path, err);
    }
    status = status == FSIM_OK ? series_settle(t, &p, err) : status;
    series_free(&p);
    return status;
}

const trace_format trace_format_prometheus = {.name = "prometheus", .role_of = is_matrix, .read = read};
