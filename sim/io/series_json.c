/* The JSON of a Prometheus range query as a metric series; see series_reader.h. The form is that of
 * prometheus.io/docs/prometheus/latest/querying/api, "range vectors". */
#include "io/json_reader.h"
#include "io/series_columns.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define UNIX_MAX 9.2e9 /* seconds that fit into 2^63 ns */

/* Where row k of the first series stands. */
typedef struct json_place {
    const fsim_value *values;
} json_place;

static fsim_status fail_at(const fsim_value *value, fsim_error *err, const char *text) {
    char place[512];
    fsim_value_place(value, place, sizeof place);
    return fsim_fail_at(err, FSIM_EDATA, place, "%s", text);
}

static void row_place(const void *user, size_t row, char *out, size_t size) {
    const fsim_value *sample = ((const json_place *)user)->values->first;
    while (row-- > 0) {
        sample = sample->next;
    }
    fsim_value_place(sample, out, size);
}

/* ---- what a series is ---- */

static bool is_known(const char *name, const fsim_series_options *options) {
    const fsim_series_column *column;
    return fsim_series_find(&column, name, options, "", NULL) == FSIM_OK && column != NULL &&
           column->role != FSIM_SERIES_TIME;
}

/* Its name, else the first label that names a column, else "value". */
static const char *label_of(const fsim_value *metric, const fsim_series_options *options) {
    const fsim_value *name = fsim_value_peek(metric, "__name__");
    if (name != NULL && name->kind == FSIM_VALUE_STRING && is_known(name->string, options)) {
        return name->string;
    }
    for (const fsim_value *label = metric->first; label != NULL; label = label->next) {
        if (label->kind == FSIM_VALUE_STRING && is_known(label->string, options)) {
            return label->string;
        }
    }
    return "value";
}

/* Which column the series is; *column stays NULL where it is not asked for. */
static fsim_status identify(fsim_series_builder *b, const fsim_value *series, bool alone,
                            const fsim_series_options *options, const fsim_series_column **column,
                            fsim_input *input, fsim_error *err) {
    char place[512];
    const fsim_value *metric = fsim_value_peek(series, "metric");
    fsim_value_place(series, place, sizeof place);
    if (metric == NULL || metric->kind != FSIM_VALUE_OBJECT) {
        return fsim_fail_at(err, FSIM_EDATA, place, "there is no \"metric\" object");
    }
    const char *label = label_of(metric, options);
    const fsim_value *name = fsim_value_peek(metric, "__name__");
    if (strcmp(label, "value") == 0 && !alone && name != NULL && name->kind == FSIM_VALUE_STRING) {
        label = name->string; /* one of several: its own name is what is unknown */
    }
    FSIM_TRY(fsim_series_find(column, label, options, place, err));
    if (*column == NULL) {
        return FSIM_OK;
    }
    if ((*column)->role == FSIM_SERIES_TIME) {
        return fsim_fail_at(err, FSIM_EDATA, place, "a series of \"%.60s\", expected one of a metric", label);
    }
    *input = (*column)->role == FSIM_SERIES_VALUE ? options->value_is : (*column)->input;
    return fsim_series_claim(b, *column, *input, place, err);
}

/* ---- samples ---- */

static fsim_status read_sample(const fsim_value *sample, const fsim_series_column *column, fsim_ns *at_ns,
                               double *value, fsim_error *err) {
    const fsim_value *time = sample->kind == FSIM_VALUE_ARRAY ? sample->first : NULL;
    const fsim_value *text = time != NULL ? time->next : NULL;
    if (text == NULL || sample->count != 2 || text->kind != FSIM_VALUE_STRING ||
        (time->kind != FSIM_VALUE_INTEGER && time->kind != FSIM_VALUE_REAL)) {
        return fail_at(sample, err, "expected a sample [time, \"value\"]");
    }
    if (!(time->real >= 0) || time->real > UNIX_MAX) {
        return fail_at(time, err, "expected Unix time in seconds");
    }
    /* Prometheus counts milliseconds; a double of seconds holds them, but no nanoseconds. */
    *at_ns = (fsim_ns)llround(time->real * 1000) * FSIM_MS;
    char place[512];
    fsim_error why = {0};
    fsim_status status = fsim_series_parse_value(column, text->string, strlen(text->string), value, &why);
    if (status != FSIM_OK) {
        fsim_value_place(text, place, sizeof place);
        fsim_fail_at(err, status, place, "%s", why.text);
    }
    return status;
}

/* The first series gives the rows; the others must stand at the same instants. */
static fsim_status read_samples(fsim_series_builder *b, const fsim_value *values, bool first,
                                const fsim_series_column *column, fsim_input input, fsim_error *err) {
    fsim_metric_series *s = &b->series;
    size_t row = 0;
    for (const fsim_value *sample = values->first; sample != NULL; sample = sample->next, row++) {
        fsim_ns at_ns = 0;
        double value = 0;
        FSIM_TRY(read_sample(sample, column, &at_ns, &value, err));
        if (first) {
            FSIM_TRY(fsim_series_reserve(b, err));
            s->at_ns[s->rows++] = at_ns;
        } else if (row >= s->rows || s->at_ns[row] != at_ns) {
            return fail_at(sample, err,
                           "a gap: this series and the first one have no sample at the same instant");
        }
        s->values[input][row] = value;
    }
    if (row < s->rows) {
        return fail_at(values, err, "a gap: this series ends before the first one");
    }
    return FSIM_OK;
}

static fsim_status find_result(const fsim_value *root, const fsim_value **result, fsim_error *err) {
    const fsim_value *data = fsim_value_peek(root, "data");
    const fsim_value *type = fsim_value_peek(data, "resultType");
    *result = fsim_value_peek(data, "result");
    if (type == NULL || type->kind != FSIM_VALUE_STRING || strcmp(type->string, "matrix") != 0 ||
        *result == NULL || (*result)->kind != FSIM_VALUE_ARRAY) {
        return fail_at(
            root, err,
            "expected the answer of a Prometheus range query: {\"data\": {\"resultType\": \"matrix\", "
            "\"result\": […]}}");
    }
    if ((*result)->count == 0) {
        return fail_at(*result, err, "the query found no series");
    }
    return FSIM_OK;
}

typedef struct json_column {
    const fsim_value *values;
    const fsim_series_column *column;
    fsim_input input;
} json_column;

static fsim_status find_columns(fsim_series_builder *b, const fsim_value *result,
                                const fsim_series_options *options, json_column columns[FSIM_INPUTS],
                                size_t *count, fsim_error *err) {
    *count = 0;
    for (const fsim_value *series = result->first; series != NULL; series = series->next) {
        json_column c = {.values = fsim_value_peek(series, "values")};
        FSIM_TRY(identify(b, series, result->count == 1, options, &c.column, &c.input, err));
        if (c.column == NULL) {
            continue;
        }
        if (c.values == NULL || c.values->kind != FSIM_VALUE_ARRAY || c.values->count == 0) {
            return fail_at(series, err, "there are no \"values\"");
        }
        columns[(*count)++] = c; /* each claims an input of its own: no more than there are */
    }
    return *count > 0 ? FSIM_OK : fail_at(result, err, "no series is one of those that --columns names");
}

static fsim_status read_tree(fsim_series_builder *b, const fsim_value *root,
                             const fsim_series_options *options, fsim_error *err) {
    json_column columns[FSIM_INPUTS];
    const fsim_value *result;
    size_t count;
    FSIM_TRY(find_result(root, &result, err));
    FSIM_TRY(find_columns(b, result, options, columns, &count, err));
    for (size_t i = 0; i < count; i++) {
        FSIM_TRY(read_samples(b, columns[i].values, i == 0, columns[i].column, columns[i].input, err));
    }
    json_place place = {columns[0].values};
    return fsim_series_finish(b, options, row_place, &place, err);
}

fsim_status fsim_series_read_json(fsim_series_builder *b, const char *path,
                                  const fsim_series_options *options, fsim_error *err) {
    fsim_value_pool *pool = fsim_value_pool_create();
    fsim_value *root = NULL;
    if (pool == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_error unreadable = {0};
    fsim_status status = fsim_json_read_file(pool, path, &root, &unreadable);
    if (status != FSIM_OK) {
        /* A series is data, whatever its syntax. */
        status = status == FSIM_ECONFIG ? FSIM_EDATA : status;
        fsim_fail_at(err, status, unreadable.place, "%s", unreadable.text);
    } else {
        status = read_tree(b, root, options, err);
    }
    fsim_value_pool_destroy(pool);
    return status;
}
