#include "io/series_columns.h"

#include "base/calendar.h"
#include "base/limits.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define INPUT(text, what, by, whole)                                                                         \
    { .name = (text), .role = FSIM_SERIES_INPUT, .input = (what), .factor = (by), .absolute = (whole) }
#define TIME(text, unit)                                                                                     \
    { .name = (text), .role = FSIM_SERIES_TIME, .unit_ns = (unit) }

static const fsim_series_column table[] = {
    TIME("time_s", FSIM_SECOND),
    TIME("time_ms", FSIM_MS),
    TIME("time_us", FSIM_US),
    TIME("time_ns", 1),
    TIME("timestamp_s", FSIM_SECOND),
    TIME("timestamp_ms", FSIM_MS),
    TIME("timestamp_us", FSIM_US),
    TIME("timestamp_ns", 1),
    TIME("time", 0),
    TIME("timestamp", 0),
    INPUT("concurrency", FSIM_INPUT_CONCURRENCY, 1, false),
    INPUT("in_flight", FSIM_INPUT_CONCURRENCY, 1, false),
    INPUT("in_execution", FSIM_INPUT_CONCURRENCY, 1, false),
    INPUT("rps", FSIM_INPUT_RPS, 1, false),
    INPUT("requests_per_s", FSIM_INPUT_RPS, 1, false),
    {.name = "requests", .role = FSIM_SERIES_COUNT, .input = FSIM_INPUT_RPS, .factor = 1},
    INPUT("queue", FSIM_INPUT_QUEUE, 1, false),
    INPUT("queued", FSIM_INPUT_QUEUE, 1, false),
    INPUT("queue_length", FSIM_INPUT_QUEUE, 1, false),
    INPUT("cpu", FSIM_INPUT_CPU, 1, false),
    INPUT("cpu_percent", FSIM_INPUT_CPU, 1, false),
    INPUT("cpu_share", FSIM_INPUT_CPU, 100, false),
    INPUT("cpu_cores", FSIM_INPUT_CPU, 1, true),
    INPUT("memory", FSIM_INPUT_MEMORY, 1, false),
    INPUT("memory_percent", FSIM_INPUT_MEMORY, 1, false),
    INPUT("memory_share", FSIM_INPUT_MEMORY, 100, false),
    INPUT("memory_mb", FSIM_INPUT_MEMORY, 1, true),
    INPUT("ready", FSIM_INPUT_READY, 1, false),
    INPUT("ready_instances", FSIM_INPUT_READY, 1, false),
    INPUT("replicas", FSIM_INPUT_REPLICAS, 1, false),
    INPUT("wanted", FSIM_INPUT_REPLICAS, 1, false),
    {.name = "value", .role = FSIM_SERIES_VALUE, .factor = 1},
};
#define COLUMNS (sizeof table / sizeof table[0])

/* ---- which column is which ---- */

static const fsim_series_column *find_known(const char *name, size_t len) {
    for (size_t i = 0; i < COLUMNS; i++) {
        if (strlen(table[i].name) == len && strncasecmp(table[i].name, name, len) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static fsim_status fail_unknown(const char *name, fsim_status status, const char *place, fsim_error *err) {
    const char *names[COLUMNS + 1] = {0};
    double number;
    for (size_t i = 0; i < COLUMNS; i++) {
        names[i] = table[i].name;
    }
    const char *near = fsim_text_nearest(name, names);
    if (near != NULL) {
        return fsim_fail_at(err, status, place, "unknown column \"%.60s\"; did you mean \"%s\"?", name, near);
    }
    if (fsim_text_parse_real(name, &number)) {
        return fsim_fail_at(err, status, place,
                            "found \"%.60s\" where the header line should be, such as time_s,concurrency",
                            name);
    }
    return fsim_fail_at(
        err, status, place,
        "unknown column \"%.60s\", expected time_s or timestamp, concurrency, rps, queue, cpu, "
        "memory, ready, replicas, or value; --columns says which to read",
        name);
}

/* The entry "known" or "known=name" that is about this header. */
static const char *entry_of(const char *header, const fsim_series_options *options) {
    for (size_t i = 0; i < options->column_count; i++) {
        const char *entry = options->columns[i], *name = strchr(entry, '=');
        if (strcasecmp(name == NULL ? entry : name + 1, header) == 0) {
            return entry;
        }
    }
    return NULL;
}

fsim_status fsim_series_find(const fsim_series_column **out, const char *header,
                             const fsim_series_options *options, const char *place, fsim_error *err) {
    const char *entry = entry_of(header, options);
    *out = entry == NULL ? find_known(header, strlen(header)) : find_known(entry, strcspn(entry, "="));
    if (entry == NULL && options->column_count > 0) {
        *out = *out != NULL && (*out)->role == FSIM_SERIES_TIME ? *out : NULL;
        return FSIM_OK;
    }
    return *out != NULL ? FSIM_OK : fail_unknown(header, FSIM_EDATA, place, err);
}

fsim_status fsim_series_check_columns(const fsim_series_options *options, fsim_error *err) {
    for (size_t i = 0; i < options->column_count; i++) {
        const char *entry = options->columns[i];
        size_t len = strcspn(entry, "=");
        if (find_known(entry, len) == NULL) {
            char name[64];
            snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1), entry);
            return fail_unknown(name, FSIM_EUSAGE, "--columns", err);
        }
    }
    return FSIM_OK;
}

/* ---- cells ---- */

bool fsim_series_parse_time(const fsim_series_column *column, const char *text, size_t len, fsim_ns *out) {
    if (column->unit_ns != 0) {
        return fsim_text_parse_scaled_ns(text, len, column->unit_ns, out);
    }
    static const struct {
        int64_t below;
        int64_t unit_ns;
    } units[] = {{INT64_C(100000000000), FSIM_SECOND},
                 {INT64_C(100000000000000), FSIM_MS},
                 {INT64_C(100000000000000000), FSIM_US},
                 {INT64_MAX, 1}};
    fsim_ns whole;
    if (!fsim_text_parse_scaled_ns(text, len, 1, &whole)) {
        return fsim_calendar_parse(text, len, out);
    }
    size_t i = 0;
    while (whole >= units[i].below) {
        i++;
    }
    return fsim_text_parse_scaled_ns(text, len, units[i].unit_ns, out);
}

fsim_status fsim_series_parse_value(const fsim_series_column *column, const char *text, size_t len,
                                    double *out, fsim_error *err) {
    char cell[64];
    double value;
    snprintf(cell, sizeof cell, "%.*s", (int)(len < sizeof cell ? len : sizeof cell - 1), text);
    if (len >= sizeof cell || memchr(text, 0, len) != NULL || !fsim_text_parse_real(cell, &value)) {
        return fsim_fail(err, FSIM_EDATA, "%s \"%.40s\" is no finite number, expected one of at least 0",
                         column->name, cell);
    }
    if (value < 0) {
        return fsim_fail(err, FSIM_EDATA, "%s \"%.40s\" is negative, expected at least 0", column->name,
                         cell);
    }
    *out = value * column->factor;
    return FSIM_OK;
}

/* ---- rows ---- */

fsim_status fsim_series_claim(fsim_series_builder *b, const fsim_series_column *column, fsim_input input,
                              const char *place, fsim_error *err) {
    if (column->role == FSIM_SERIES_VALUE && input == FSIM_INPUTS) {
        return fsim_fail_at(
            err, FSIM_EDATA, place,
            "\"value\" does not say of what, and the policy reads more than one metric: name it "
            "by --columns, such as concurrency=value");
    }
    if (b->claimed[input]) {
        return fsim_fail_at(err, FSIM_EDATA, place, "there is another column of %s already",
                            fsim_input_names[input]);
    }
    b->claimed[input] = true;
    b->series.absolute[input] = column->absolute;
    b->has_counts = b->has_counts || column->role == FSIM_SERIES_COUNT;
    return FSIM_OK;
}

fsim_status fsim_series_reserve(fsim_series_builder *b, fsim_error *err) {
    fsim_metric_series *s = &b->series;
    if (s->rows < b->capacity) {
        return FSIM_OK;
    }
    if (s->rows >= FSIM_SERIES_POINTS_MAX) {
        return fsim_fail(err, FSIM_ELIMIT, "more than %u rows in a metric series", FSIM_SERIES_POINTS_MAX);
    }
    size_t capacity = b->capacity == 0 ? 256 : 2 * b->capacity;
    fsim_ns *at_ns = realloc(s->at_ns, capacity * sizeof *at_ns);
    s->at_ns = at_ns != NULL ? at_ns : s->at_ns;
    bool ok = at_ns != NULL;
    for (int i = 0; i < FSIM_INPUTS; i++) {
        double *values = !b->claimed[i] ? NULL : realloc(s->values[i], capacity * sizeof *values);
        s->values[i] = values != NULL ? values : s->values[i];
        ok = ok && (values != NULL || !b->claimed[i]);
    }
    if (!ok) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    b->capacity = capacity;
    return FSIM_OK;
}

static int by_length(const void *a, const void *b) {
    fsim_ns x = *(const fsim_ns *)a, y = *(const fsim_ns *)b;
    return (x > y) - (x < y);
}

/* The largest step that is no gap. */
static fsim_status longest_step(const fsim_metric_series *s, const fsim_series_options *options, fsim_ns *out,
                                fsim_error *err) {
    *out = options->max_gap_ns;
    if (options->max_gap_ns != 0 || s->rows < 3) {
        *out = options->max_gap_ns != 0 ? options->max_gap_ns : FSIM_NEVER;
        return FSIM_OK;
    }
    size_t steps = s->rows - 1;
    fsim_ns *length = malloc(steps * sizeof *length);
    if (length == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (size_t i = 0; i < steps; i++) {
        length[i] = s->at_ns[i + 1] - s->at_ns[i];
    }
    qsort(length, steps, sizeof *length, by_length);
    fsim_ns median = length[(steps - 1) / 2];
    *out = fsim_ns_add(median, median / 2);
    free(length);
    return FSIM_OK;
}

static fsim_status fail_step(const fsim_metric_series *s, size_t row, const char *place, fsim_ns longest,
                             fsim_error *err) {
    fsim_ns step = s->at_ns[row] - s->at_ns[row - 1];
    char found[48], allowed[48];
    if (step <= 0) {
        return fsim_fail_at(err, FSIM_EDATA, place, "the time %s, expected rows in ascending order of time",
                            step == 0 ? "is that of the row before" : "steps back");
    }
    fsim_text_human_span(fsim_ns_to_s(step), found, sizeof found);
    fsim_text_human_span(fsim_ns_to_s(longest), allowed, sizeof allowed);
    return fsim_fail_at(
        err, FSIM_EDATA, place,
        "a gap: %s since the row before, and the series allows %s (one and a half times its usual "
        "step, or --max-gap); --max-gap none holds the last row for any time",
        found, allowed);
}

static fsim_status check_steps(const fsim_series_builder *b, const fsim_series_options *options,
                               fsim_series_place_fn place, const void *user, fsim_error *err) {
    const fsim_metric_series *s = &b->series;
    fsim_ns longest = FSIM_NEVER;
    bool ascending = true;
    for (size_t i = 1; ascending && i < s->rows; i++) {
        ascending = s->at_ns[i] > s->at_ns[i - 1];
    }
    if (ascending) {
        FSIM_TRY(longest_step(s, options, &longest, err));
    }
    for (size_t i = 1; i < s->rows; i++) {
        fsim_ns step = s->at_ns[i] - s->at_ns[i - 1];
        if (step <= 0 || step > longest) {
            char where[512];
            place(user, i, where, sizeof where);
            return fail_step(s, i, where, longest, err);
        }
    }
    return FSIM_OK;
}

static fsim_status counts_to_rates(fsim_metric_series *s, fsim_series_place_fn place, const void *user,
                                   fsim_error *err) {
    double *rate = s->values[FSIM_INPUT_RPS];
    if (s->rows < 2) {
        char where[512];
        place(user, 0, where, sizeof where);
        return fsim_fail_at(err, FSIM_EDATA, where,
                            "one row alone does not say over which time its requests came; expected rps");
    }
    for (size_t i = 0; i < s->rows; i++) {
        size_t to = i > 0 ? i : 1;
        rate[i] /= fsim_ns_to_s(s->at_ns[to] - s->at_ns[to - 1]);
    }
    return FSIM_OK;
}

fsim_status fsim_series_finish(fsim_series_builder *b, const fsim_series_options *options,
                               fsim_series_place_fn place, const void *user, fsim_error *err) {
    FSIM_TRY(check_steps(b, options, place, user, err));
    for (int i = 0; i < FSIM_INPUTS; i++) {
        for (size_t row = 0; b->claimed[i] && row < b->series.rows; row++) {
            if (!isfinite(b->series.values[i][row])) {
                char where[512];
                place(user, row, where, sizeof where);
                return fsim_fail_at(err, FSIM_EDATA, where, "%s is too large", fsim_input_names[i]);
            }
        }
    }
    return b->has_counts ? counts_to_rates(&b->series, place, user, err) : FSIM_OK;
}
