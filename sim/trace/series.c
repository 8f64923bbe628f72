/* Series: `timestamp,value` (also NAB, UCI Metro Interstate, WorldCup98 by the minute), one number a line,
 * and OpenDC's file per function. See series.h for what they share. */
#include "trace/series.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BILLION 1000000000

__extension__ typedef __int128 i128;

/* --- points --- */

fsim_status series_add(series_points *p, int64_t at_ns, int64_t amount, uint32_t f, fsim_error *err) {
    if (p->count == p->capacity) {
        size_t capacity = p->capacity == 0 ? 1024 : 2 * p->capacity;
        series_point *larger = capacity > UINT32_MAX ? NULL : realloc(p->points, capacity * sizeof *larger);
        if (larger == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        p->points = larger;
        p->capacity = capacity;
    }
    p->points[p->count] = (series_point){at_ns, amount, f, (uint32_t)p->count, p->file, p->series};
    p->count++;
    return FSIM_OK;
}

void series_free(series_points *p) {
    free(p->points);
}

static int by_time(const void *a, const void *b) {
    const series_point *x = a, *y = b;
    return x->f != y->f           ? (x->f < y->f ? -1 : 1)
           : x->at_ns != y->at_ns ? (x->at_ns < y->at_ns ? -1 : 1)
                                  : (x->order > y->order) - (x->order < y->order);
}

static uint64_t common_divisor(uint64_t a, uint64_t b) {
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Sorted by function and time; of points at one instant the first stays, with those of the series beside
 * its own. */
static void settle_duplicates(fsim_trace *t, series_points *p) {
    size_t kept = 0;
    if (p->count > 0) {
        qsort(p->points, p->count, sizeof *p->points, by_time);
    }
    for (size_t i = 0; i < p->count; i++) {
        series_point *before = kept > 0 ? &p->points[kept - 1] : NULL;
        const series_point *point = &p->points[i];
        if (before == NULL || before->f != point->f || before->at_ns != point->at_ns) {
            p->points[kept++] = *point;
        } else if (before->file == point->file && before->series < point->series) {
            before->series = point->series;
            if (__builtin_add_overflow(before->amount, point->amount, &before->amount)) {
                before->amount = INT64_MAX;
            }
        } else {
            trace_drop(t, "a second row for the same instant", 1, (uint64_t)(point->amount / BILLION));
        }
    }
    p->count = kept;
}

static fsim_status find_bucket(const fsim_trace *t, const series_points *p, int64_t zero_ns,
                               fsim_ns *bucket_ns, fsim_error *err) {
    uint64_t divisor = 0;
    for (size_t i = 0; i < p->count; i++) {
        divisor = common_divisor(divisor, (uint64_t)p->points[i].at_ns - (uint64_t)zero_ns);
    }
    *bucket_ns = t->options.bucket_ns;
    if (*bucket_ns == 0 && divisor > (uint64_t)INT64_MAX) {
        return fsim_fail_at(err, FSIM_EDATA, t->files[0].path, "the series is longer than 292 years");
    }
    if (*bucket_ns == 0) {
        *bucket_ns = divisor == 0 ? 0 : divisor < (uint64_t)FSIM_SECOND ? FSIM_SECOND : (fsim_ns)divisor;
    }
    return *bucket_ns > 0
               ? FSIM_OK
               : fsim_fail_at(err, FSIM_EDATA, t->files[0].path,
                              "the length of a bucket cannot be told from a single instant; give it with "
                              "--bucket");
}

fsim_status series_settle(fsim_trace *t, series_points *p, fsim_error *err) {
    int64_t zero_ns = INT64_MAX, carry = 0;
    settle_duplicates(t, p);
    for (size_t i = 0; i < p->count; i++) {
        zero_ns = p->points[i].at_ns < zero_ns ? p->points[i].at_ns : zero_ns;
    }
    t->step_ns = FSIM_SECOND;
    if (p->count == 0) {
        return FSIM_OK;
    }
    FSIM_TRY(find_bucket(t, p, zero_ns, &t->step_ns, err));
    trace_note_begin(t, zero_ns);
    uint64_t instants = 0, last = UINT64_MAX;
    for (size_t i = 0; i < p->count; i++) {
        const series_point *point = &p->points[i];
        uint64_t bucket = ((uint64_t)point->at_ns - (uint64_t)zero_ns) / (uint64_t)t->step_ns;
        i128 amount =
            (i128)point->amount * (p->are_rates ? t->step_ns : 1) / (p->are_rates ? FSIM_SECOND : 1);
        bool same = i > 0 && p->points[i - 1].f == point->f;
        amount += same ? carry : 0; /* fractions are carried on, so that sums stay right */
        carry = (int64_t)(amount % BILLION);
        instants += point->f == p->points[0].f && bucket != last;
        last = bucket;
        amount /= BILLION;
        if (amount > INT64_MAX) {
            return fsim_fail_at(err, FSIM_ELIMIT, t->files[0].path, "more than 2^63 requests in a bucket");
        }
        FSIM_TRY(fsim_bucket_builder_add(t->builder, point->f, bucket, (uint64_t)amount, err));
        t->buckets_read = bucket + 1u > t->buckets_read ? bucket + 1u : t->buckets_read;
    }
    t->facts.buckets_missing = t->function_count == 1 ? t->buckets_read - instants : 0;
    return FSIM_OK;
}

/* --- timestamp,value --- */

static const char *const time_names[] = {"timestamp", "time",   "date",   "datetime", "date_time", "ds",
                                         "ts",        "period", "minute", "hour",     "epoch",     NULL};
static const char *const value_names[] = {
    "value", "count", "counts", "requests",       "invocations",      "calls", "hits", "rps",
    "qps",   "rate",  "volume", "traffic_volume", "invocation_count", "y",     NULL};
static const char *const rate_names[] = {"rps", "qps", "rate", NULL};
static const char *const function_names[] = {"function", "func", "fn", "app", "service", NULL};

static size_t column_of(const fsim_csv *csv, const char *const *spellings) {
    size_t count;
    const char *const *names = fsim_csv_header(csv, &count);
    const trace_probe probe = {.names = (const char **)names, .name_count = count};
    return trace_probe_column(&probe, spellings);
}

bool series_names_value(const trace_probe *probe) {
    return trace_probe_column(probe, value_names) != SIZE_MAX;
}

static int is_series(const trace_probe *probe) {
    return trace_probe_column(probe, time_names) != SIZE_MAX && series_names_value(probe);
}

/* A quote in the header can hide a column that the commas have shown. */
static fsim_status need_columns(const fsim_csv *csv, size_t time, size_t value, fsim_error *err) {
    return time != SIZE_MAX && value != SIZE_MAX
               ? FSIM_OK
               : fsim_csv_fail(csv, 1, 0, err, "the header names no column of times and of values");
}

static bool is_named(const fsim_csv *csv, size_t field, const char *const *spellings) {
    size_t count;
    const char *name = fsim_csv_header(csv, &count)[field];
    for (; *spellings != NULL; spellings++) {
        if (strcasecmp(name, *spellings) == 0) {
            return true;
        }
    }
    return false;
}

static fsim_status read_points(fsim_trace *t, const trace_file *file, series_points *p, fsim_error *err) {
    size_t time = column_of(t->csv, time_names), value = column_of(t->csv, value_names);
    size_t function = column_of(t->csv, function_names);
    fsim_csv_block block = {.count = 1};
    uint32_t fn = UINT32_MAX, empty;
    const fsim_csv_binding instant = {.expected = "a time",
                                      .when_empty = FSIM_CSV_REQUIRED,
                                      .name = trace_time_cell},
                           amount = {.unit = BILLION,
                                     .expected = "a number of requests, at least 0",
                                     .when_empty = -1,
                                     .nan_is_empty = true},
                           name = {.expected = "a function", .name = trace_intern_cell, .user = t};
    FSIM_TRY(need_columns(t->csv, time, value, err));
    FSIM_TRY(name_map_intern(&t->texts, "", 0, &empty, err));
    fsim_csv_bind(t->csv, time, &instant);
    fsim_csv_bind(t->csv, value, &amount);
    if (function != SIZE_MAX) {
        fsim_csv_bind(t->csv, function, &name);
    } else {
        FSIM_TRY(trace_function(t, "fn", 2, "fn", &fn, err));
    }
    p->are_rates = t->options.values == FSIM_VALUES_AUTO ? is_named(t->csv, value, rate_names)
                                                         : t->options.values == FSIM_VALUES_RPS;
    (void)file;
    while (block.count > 0) {
        FSIM_TRY(fsim_csv_next(t->csv, &block, err));
        for (uint32_t row = 0; row < block.count; row++) {
            if (function != SIZE_MAX) {
                const char *text = t->texts.texts[block.columns[function][row]];
                FSIM_TRY(trace_function(t, text, strlen(text), text, &fn, err));
            }
            if (block.columns[value][row] >= 0) {
                FSIM_TRY(series_add(p, block.columns[time][row], block.columns[value][row], fn, err));
            } else {
                trace_drop(t, "a row without a value", 1, 0);
            }
        }
    }
    return FSIM_OK;
}

typedef fsim_status (*points_reader)(fsim_trace *t, const trace_file *file, series_points *p,
                                     fsim_error *err);

static fsim_status read_csv_files(fsim_trace *t, points_reader reader, fsim_error *err) {
    series_points p = {0};
    fsim_status status = FSIM_OK;
    for (size_t i = 0; i < t->file_count && status == FSIM_OK; i++) {
        status = fsim_csv_open(&t->csv, NULL, t->files[i].path, err);
        status = status == FSIM_OK ? reader(t, &t->files[i], &p, err) : status;
        fsim_csv_close(t->csv);
        t->csv = NULL;
    }
    status = status == FSIM_OK ? series_settle(t, &p, err) : status;
    series_free(&p);
    return status;
}

static fsim_status read_series(fsim_trace *t, fsim_error *err) {
    return read_csv_files(t, read_points, err);
}

/* --- OpenDC 2.0 serverless: one file a function --- */

static const char *const opendc_time[] = {"Timestamp [ms]", NULL};
static const char *const opendc_requests[] = {"Invocations", NULL};
static const char *const opendc_duration[] = {"Avg Exec time per Invocation", NULL};
static const char *const opendc_memory[] = {"Provisioned Memory [mb]", NULL};

static int is_opendc(const trace_probe *probe) {
    return trace_probe_column(probe, opendc_time) != SIZE_MAX &&
           trace_probe_column(probe, opendc_requests) != SIZE_MAX;
}

/* The name of the file without folder and suffixes. */
static fsim_status function_of_file(fsim_trace *t, const trace_file *file, uint32_t *f, fsim_error *err) {
    const char *slash = strrchr(file->path, '/'), *name = slash == NULL ? file->path : slash + 1;
    size_t len = strcspn(name, ".");
    char *copy = fsim_value_pool_alloc(t->pool, len + 1);
    if (copy == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    memcpy(copy, name, len);
    return trace_function(t, file->path, strlen(file->path), copy, f, err);
}

static fsim_status read_opendc_file(fsim_trace *t, const trace_file *file, series_points *p,
                                    fsim_error *err) {
    size_t time = column_of(t->csv, opendc_time), requests = column_of(t->csv, opendc_requests);
    size_t duration = column_of(t->csv, opendc_duration), memory = column_of(t->csv, opendc_memory);
    fsim_csv_block block = {.count = 1};
    double weight = 0, sum = 0;
    uint32_t f;
    const fsim_csv_binding
        instant = {.unit = FSIM_MS, .expected = "milliseconds", .when_empty = FSIM_CSV_REQUIRED},
        amount = {.unit = BILLION, .expected = "a number of requests, at least 0"},
        span = {.unit = FSIM_MS, .expected = "milliseconds, at least 0", .nan_is_empty = true},
        size = {.unit = 1000000, .expected = "megabytes, at least 0", .nan_is_empty = true};
    FSIM_TRY(need_columns(t->csv, time, requests, err));
    FSIM_TRY(function_of_file(t, file, &f, err));
    fsim_csv_bind(t->csv, time, &instant);
    fsim_csv_bind(t->csv, requests, &amount);
    if (duration != SIZE_MAX) {
        fsim_csv_bind(t->csv, duration, &span);
    }
    if (memory != SIZE_MAX) {
        fsim_csv_bind(t->csv, memory, &size);
    }
    while (block.count > 0) {
        FSIM_TRY(fsim_csv_next(t->csv, &block, err));
        for (uint32_t row = 0; row < block.count; row++) {
            int64_t count = block.columns[requests][row];
            FSIM_TRY(series_add(p, block.columns[time][row], count, f, err));
            if (duration != SIZE_MAX && count > 0) {
                weight += (double)count;
                sum += (double)count * (double)block.columns[duration][row];
            }
            if (memory != SIZE_MAX && block.columns[memory][row] > 0) {
                t->functions[f].memory_mean = (double)block.columns[memory][row] / 1e6;
            }
        }
    }
    if (weight > 0) {
        t->functions[f].durations =
            (fsim_trace_durations){.known = true, .mean_ns = (fsim_ns)(sum / weight + 0.5)};
    }
    return FSIM_OK;
}

static fsim_status read_opendc(fsim_trace *t, fsim_error *err) {
    return read_csv_files(t, read_opendc_file, err);
}

/* --- one number a line --- */

static bool is_number(const char *line, size_t len, int64_t *amount) {
    while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t')) {
        len--;
    }
    while (len > 0 && (*line == ' ' || *line == '\t')) {
        line++;
        len--;
    }
    return fsim_text_parse_scaled_ns(line, len, BILLION, amount);
}

static int is_numbers(const trace_probe *probe) {
    int64_t amount;
    return is_number(probe->head, strcspn(probe->head, "\r\n"), &amount);
}

static fsim_status read_numbers_of(fsim_trace *t, series_points *p, fsim_error *err) {
    char *line;
    size_t len;
    uint32_t fn;
    int64_t amount;
    FSIM_TRY(trace_function(t, "fn", 2, "fn", &fn, err));
    t->options.bucket_ns = t->options.bucket_ns == 0 ? FSIM_SECOND : t->options.bucket_ns;
    for (;;) {
        FSIM_TRY(fsim_lines_next(t->lines, &line, &len, err));
        if (line == NULL) {
            return FSIM_OK;
        }
        if (len == 0 || line[0] == '#') {
            continue;
        }
        if (!is_number(line, len, &amount)) {
            return fsim_lines_fail(t->lines, 1, err, "\"%.40s\" is no number of requests, at least 0", line);
        }
        if ((int64_t)p->count > INT64_MAX / t->options.bucket_ns - 2) {
            return fsim_lines_fail(t->lines, 1, err, "the series is longer than 292 years");
        }
        FSIM_TRY(series_add(p, (int64_t)p->count * t->options.bucket_ns, amount, fn, err));
    }
}

static fsim_status read_numbers(fsim_trace *t, fsim_error *err) {
    series_points p = {.are_rates = t->options.values == FSIM_VALUES_RPS};
    fsim_status status = FSIM_OK;
    for (size_t i = 0; i < t->file_count && status == FSIM_OK; i++) {
        status = fsim_lines_open(&t->lines, t->files[i].path, err);
        status = status == FSIM_OK ? read_numbers_of(t, &p, err) : status;
        fsim_lines_close(t->lines);
        t->lines = NULL;
    }
    status = status == FSIM_OK ? series_settle(t, &p, err) : status;
    series_free(&p);
    return status;
}

const trace_format trace_format_series = {.name = "series", .role_of = is_series, .read = read_series};
const trace_format trace_format_opendc = {.name = "opendc", .role_of = is_opendc, .read = read_opendc};
const trace_format trace_format_numbers = {.name = "numbers", .role_of = is_numbers, .read = read_numbers};
