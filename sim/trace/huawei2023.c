/* Huawei 2023 (A. Joosen et al., SoCC 2023; CC BY 4.0): one file a day, a column a function, a row a minute
 * or second; day,time,0,1,… Files of all metrics look alike: the folder or file name says which one it is
 * (requests, function_delay, memory_limit, instances). Without such a name it is requests. Empty cells and
 * days that are not there are no data; nothing arrives in them.
 *
 * Execution times are means over pods: a function gets the mean of its means. The publisher names no unit;
 * they are read as milliseconds. Memory is what all pods of a function hold together, divided by the pods
 * where a table of instances is there. */
#include "trace/series.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { REQUESTS = 1, DELAY, MEMORY, INSTANCES, OTHER };

#define THOUSAND 1000
#define MISSING  (-1)

typedef struct sums {
    double sum;
    uint64_t count;
} sums;

typedef struct huawei {
    fsim_trace *t;
    uint32_t *functions; /* by field */
    size_t width, time_field;
    sums *of[OTHER]; /* by function */
    uint32_t capacity;
    uint64_t first, step, last; /* seconds; first UINT64_MAX: none yet */
} huawei;

static int role_of(const trace_probe *probe) {
    static const struct {
        const char *word;
        int role;
    } words[] = {{"requests", REQUESTS},   {"function_delay", DELAY}, {"memory_limit", MEMORY},
                 {"instances", INSTANCES}, {"platform_delay", OTHER}, {"cpu_usage", OTHER},
                 {"cpu_limit", OTHER},     {"memory_usage", OTHER}};
    bool in_front = probe->name_count > 1 && strcasecmp(probe->names[0], "day") == 0 &&
                    strcasecmp(probe->names[1], "time") == 0;
    if (probe->name_count < 3 || !trace_probe_has(probe, "day") || !trace_probe_has(probe, "time") ||
        (!in_front && series_names_value(probe))) {
        return 0;
    }
    const char *best = NULL;
    int role = REQUESTS;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        for (const char *at = probe->path; (at = strstr(at, words[i].word)) != NULL; at++) {
            if (best == NULL || at > best) { /* the innermost folder says it */
                best = at;
                role = words[i].role;
            }
        }
    }
    return role;
}

static fsim_status reserve(huawei *h, fsim_error *err) {
    uint32_t count = h->t->function_count;
    if (count <= h->capacity) {
        return FSIM_OK;
    }
    for (int role = DELAY; role < OTHER; role++) {
        sums *larger = realloc(h->of[role], count * sizeof *larger);
        if (larger == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        memset(larger + h->capacity, 0, (count - h->capacity) * sizeof *larger);
        h->of[role] = larger;
    }
    h->capacity = count;
    return FSIM_OK;
}

static fsim_status bind(huawei *h, int role, fsim_error *err) {
    const char *const *names = fsim_csv_header(h->t->csv, &h->width);
    const fsim_csv_binding time = {
        .unit = 1, .expected = "seconds since the start of the trace", .when_empty = FSIM_CSV_REQUIRED};
    const fsim_csv_binding value = {.unit = role == DELAY ? FSIM_MS : THOUSAND,
                                    .expected = role == REQUESTS ? "a number of requests, at least 0"
                                                                 : "a number, at least 0",
                                    .when_empty = MISSING,
                                    .nan_is_empty = true};
    h->time_field = SIZE_MAX;
    for (size_t f = 0; f < h->width; f++) {
        h->time_field = strcasecmp(names[f], "time") == 0 ? f : h->time_field;
    }
    if (h->time_field == SIZE_MAX) { /* a quote in the header can hide what the commas have shown */
        return fsim_csv_fail(h->t->csv, 1, 0, err, "the header names no column of times");
    }
    free(h->functions);
    h->functions = malloc(h->width * sizeof *h->functions);
    if (h->functions == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (size_t f = 0; f < h->width; f++) {
        h->functions[f] = UINT32_MAX;
        if (f == h->time_field) {
            fsim_csv_bind(h->t->csv, f, &time);
        } else if (strcasecmp(names[f], "day") != 0) {
            FSIM_TRY(trace_function(h->t, names[f], strlen(names[f]), names[f], &h->functions[f], err));
            fsim_csv_bind(h->t->csv, f, &value);
        }
    }
    return reserve(h, err);
}

static uint64_t common_divisor(uint64_t a, uint64_t b) {
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static void note_time(huawei *h, uint64_t second) {
    if (h->first == UINT64_MAX) {
        h->first = h->last = second;
    }
    uint64_t step = second > h->first ? second - h->first : h->first - second;
    h->step = common_divisor(h->step, step);
    h->first = second < h->first ? second : h->first;
    h->last = second > h->last ? second : h->last;
}

static fsim_status add_row(huawei *h, int role, const fsim_csv_block *block, uint32_t row, fsim_error *err) {
    int64_t second = block->columns[h->time_field][row];
    if (second > INT64_MAX / FSIM_SECOND) {
        return fsim_csv_fail(h->t->csv, block->lines[row], h->time_field, err,
                             "time %lld s is beyond 292 years", (long long)second);
    }
    if (role == REQUESTS) {
        note_time(h, (uint64_t)second);
    }
    for (size_t f = 0; f < h->width; f++) {
        bool is_function = h->functions[f] != UINT32_MAX;
        int64_t value = is_function ? block->columns[f][row] : MISSING;
        if (value == MISSING) {
            continue;
        }
        if (role != REQUESTS) {
            h->of[role][h->functions[f]].sum += (double)value;
            h->of[role][h->functions[f]].count++;
            continue;
        }
        uint64_t whole = ((uint64_t)value + THOUSAND / 2) / THOUSAND;
        FSIM_TRY(fsim_bucket_builder_add(h->t->builder, h->functions[f], (uint64_t)second, whole, err));
    }
    return FSIM_OK;
}

static fsim_status read_file(huawei *h, const trace_file *file, fsim_error *err) {
    fsim_csv_block block = {.count = 1};
    FSIM_TRY(fsim_csv_open(&h->t->csv, NULL, file->path, err));
    FSIM_TRY(bind(h, file->role, err));
    while (block.count > 0) {
        FSIM_TRY(fsim_csv_next(h->t->csv, &block, err));
        for (uint32_t row = 0; row < block.count; row++) {
            FSIM_TRY(add_row(h, file->role, &block, row, err));
        }
    }
    fsim_csv_close(h->t->csv);
    h->t->csv = NULL;
    return FSIM_OK;
}

static double mean_of(const huawei *h, int role, uint32_t f) {
    const sums *s = &h->of[role][f];
    return s->count == 0 ? 0.0 : s->sum / (double)s->count;
}

static void settle(huawei *h) {
    fsim_trace *t = h->t;
    for (uint32_t f = 0; f < t->function_count; f++) {
        double pods = mean_of(h, INSTANCES, f) / THOUSAND, mb = mean_of(h, MEMORY, f) / THOUSAND;
        if (h->of[DELAY][f].count > 0) {
            t->functions[f].durations.known = true;
            t->functions[f].durations.mean_ns = (fsim_ns)(mean_of(h, DELAY, f) + 0.5);
        }
        t->functions[f].memory_mean = pods > 1.0 ? mb / pods : mb;
    }
    t->step_ns = FSIM_SECOND;
    t->group = h->step == 0 ? 60 : h->step;
    if (h->first != UINT64_MAX) {
        t->base = h->first;
        t->buckets_read = h->last + t->group;
    }
}

static fsim_status read(fsim_trace *t, fsim_error *err) {
    huawei h = {.t = t, .first = UINT64_MAX};
    fsim_status status = FSIM_OK;
    for (size_t i = 0; i < t->file_count && status == FSIM_OK; i++) {
        int role = t->files[i].role;
        t->has_durations = t->has_durations || role == DELAY;
        t->has_memory = t->has_memory || role == MEMORY;
        status = role == OTHER ? FSIM_OK : read_file(&h, &t->files[i], err);
    }
    if (status == FSIM_OK) {
        status = reserve(&h, err);
    }
    if (status == FSIM_OK) {
        settle(&h);
    }
    for (int role = DELAY; role < OTHER; role++) {
        free(h.of[role]);
    }
    free(h.functions);
    return status;
}

const trace_format trace_format_huawei2023 = {.name = "huawei-2023", .role_of = role_of, .read = read};
