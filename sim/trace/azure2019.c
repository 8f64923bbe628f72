/* Azure Functions 2019 (M. Shahrad et al., USENIX ATC 2020; CC BY 4.0): requests per minute, percentiles of
 * durations, memory of apps, one file a day each. Also the reordered and shorter variants of vHive In-Vitro.
 *
 * Columns are found by name. A minute is a column named 7, minute_7 or 7_minute. Several days follow each
 * other by the number in the file's name (".d03."); of a single day the first minute named is time 0. Rows of
 * the same function and day add up. Percentiles of several days are averaged by Count, memory by SampleCount.
 */
#include "base/text.h"
#include "trace/trace_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { INVOCATIONS = 1, DURATIONS, MEMORY };
enum { OWNER, APP, FUNCTION, TRIGGER, IDS };

#define MINUTES_OF_DAY 1440u
#define MILLI          1000 /* counts are read in thousandths, so that "3.0" is 3 and "3.5" is refused */
#define MISSING        (-1)

static const char *const id_names[IDS] = {"HashOwner", "HashApp", "HashFunction", "Trigger"};

/* Sums over the days of one function or app. */
typedef struct duration_sums {
    double weight, mean, knots[FSIM_KNOTS];
    fsim_ns min_ns, max_ns; /* MISSING: unknown */
    uint64_t count;
} duration_sums;

typedef struct memory_sums {
    double weight, mean;
} memory_sums;

typedef struct azure {
    fsim_trace *t;
    duration_sums *durations; /* by function */
    memory_sums *memory;      /* by key of memory_keys */
    name_map memory_keys, hashes;
    uint32_t duration_capacity, memory_capacity;
    fsim_csv *csv;
    size_t ids[IDS];
    uint32_t empty; /* the number of the empty text */
} azure;

/* The number of a minute column, from 1; 0: another column. */
static uint32_t minute_of(const char *name) {
    static const char word[] = "minute_";
    const char *at = strncasecmp(name, word, 7) == 0 ? name + 7 : name;
    uint32_t minute = 0;
    size_t digits = strspn(at, "0123456789");
    if (digits == 0 || digits > 5) {
        return 0;
    }
    for (size_t i = 0; i < digits; i++) {
        minute = minute * 10u + (uint32_t)(at[i] - '0');
    }
    bool plain = at[digits] == '\0' || (at == name && strcasecmp(at + digits, "_minute") == 0);
    return plain ? minute : 0;
}

static int role_of(const trace_probe *probe) {
    bool by_app = trace_probe_has(probe, "HashApp"), by_function = trace_probe_has(probe, "HashFunction");
    if (by_function && trace_probe_has(probe, "Average") && trace_probe_has(probe, "percentile_Average_50")) {
        return DURATIONS;
    }
    if ((by_app || by_function) && trace_probe_has(probe, "AverageAllocatedMb")) {
        return MEMORY;
    }
    for (size_t i = 0; by_function && i < probe->name_count; i++) {
        if (minute_of(probe->names[i]) > 0) {
            return INVOCATIONS;
        }
    }
    return 0;
}

/* The number behind ".d" or "day" in the file's name; 0: none. */
static uint32_t day_of(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    for (const char *at = name; (at = strstr(at, ".d")) != NULL; at++) {
        if (at[2] >= '0' && at[2] <= '9') {
            return (uint32_t)strtoul(at + 2, NULL, 10);
        }
    }
    return 0;
}

/* --- columns --- */

static fsim_status bind_ids(azure *a, fsim_error *err) {
    size_t count;
    const char *const *names = fsim_csv_header(a->csv, &count);
    for (size_t id = 0; id < IDS; id++) {
        a->ids[id] = SIZE_MAX;
    }
    for (size_t f = 0; f < count; f++) {
        for (size_t id = 0; id < IDS; id++) {
            if (strcasecmp(names[f], id_names[id]) != 0) {
                continue;
            }
            if (a->ids[id] != SIZE_MAX) {
                return fsim_csv_fail(a->csv, 1, f, err, "column \"%s\" is there twice", id_names[id]);
            }
            a->ids[id] = f;
            const fsim_csv_binding binding = {
                .expected = id_names[id], .when_empty = a->empty, .name = trace_intern_cell, .user = a->t};
            fsim_csv_bind(a->csv, f, &binding);
        }
    }
    return FSIM_OK;
}

static uint32_t id_at(const azure *a, const fsim_csv_block *block, size_t id, uint32_t row) {
    return a->ids[id] == SIZE_MAX ? a->empty : (uint32_t)block->columns[a->ids[id]][row];
}

static const char *text_or_null(const fsim_trace *t, uint32_t text) {
    return t->texts.lengths[text] == 0 ? NULL : t->texts.texts[text];
}

/* The function of a row, by owner, app and hash together; its name is the hash, or app/hash where another
 * function has that already. */
static fsim_status function_of(azure *a, const fsim_csv_block *block, uint32_t row, uint32_t *f,
                               fsim_error *err) {
    fsim_trace *t = a->t;
    uint32_t key[3] = {id_at(a, block, OWNER, row), id_at(a, block, APP, row),
                       id_at(a, block, FUNCTION, row)};
    uint32_t known = name_map_find(&t->keys, (const char *)key, sizeof key), same_name;
    if (known != UINT32_MAX) {
        *f = known;
        return FSIM_OK;
    }
    const char *hash = t->texts.texts[key[2]], *app = t->texts.texts[key[1]];
    if (strcasecmp(hash, id_names[FUNCTION]) == 0) { /* its minutes would pass for numbers of requests */
        return fsim_csv_fail(a->csv, block->lines[row], a->ids[FUNCTION], err,
                             "the header is there again; give several files as they are, or their folder");
    }
    bool taken = name_map_find(&a->hashes, hash, strlen(hash)) != UINT32_MAX;
    FSIM_TRY(name_map_intern(&a->hashes, hash, strlen(hash), &same_name, err));
    size_t size = strlen(app) + strlen(hash) + 2;
    char *name = fsim_value_pool_alloc(t->pool, size);
    if (name == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    snprintf(name, size, taken ? "%s/%s" : "%.0s%s", app, hash);
    FSIM_TRY(trace_function(t, key, sizeof key, name, f, err));
    t->functions[*f].owner = text_or_null(t, key[0]);
    t->functions[*f].app = text_or_null(t, key[1]);
    return FSIM_OK;
}

/* --- requests --- */

typedef struct minute_column {
    size_t field;
    uint32_t minute;
} minute_column;

static fsim_status bind_minutes(azure *a, minute_column *columns, size_t *column_count, fsim_error *err) {
    size_t count;
    const char *const *names = fsim_csv_header(a->csv, &count);
    *column_count = 0;
    for (size_t f = 0; f < count; f++) {
        uint32_t minute = minute_of(names[f]);
        if (minute == 0) {
            continue;
        }
        for (size_t i = 0; i < *column_count; i++) {
            if (columns[i].minute == minute) {
                return fsim_csv_fail(a->csv, 1, f, err, "minute %u is there twice, first in column %zu",
                                     minute, columns[i].field + 1);
            }
        }
        columns[(*column_count)++] = (minute_column){f, minute};
        const fsim_csv_binding binding = {.unit = MILLI,
                                          .expected = "the number of requests in the minute, at least 0"};
        fsim_csv_bind(a->csv, f, &binding);
    }
    return FSIM_OK;
}

static fsim_status add_counts(azure *a, const fsim_csv_block *block, const minute_column *columns,
                              size_t column_count, int64_t shift, fsim_error *err) {
    for (uint32_t row = 0; row < block->count; row++) {
        uint32_t f = 0;
        FSIM_TRY(function_of(a, block, row, &f, err));
        if (a->ids[TRIGGER] != SIZE_MAX) {
            a->t->functions[f].trigger = text_or_null(a->t, id_at(a, block, TRIGGER, row));
        }
        for (size_t i = 0; i < column_count; i++) {
            int64_t milli = block->columns[columns[i].field][row];
            if (milli == 0) {
                continue;
            }
            if (milli % MILLI != 0) {
                return fsim_csv_fail(a->csv, block->lines[row], columns[i].field, err,
                                     "%.15g is no whole number of requests", (double)milli / MILLI);
            }
            uint64_t bucket = (uint64_t)((int64_t)columns[i].minute + shift);
            FSIM_TRY(fsim_bucket_builder_add(a->t->builder, f, bucket, (uint64_t)(milli / MILLI), err));
        }
    }
    return FSIM_OK;
}

/* One file of requests; `day` counts from the first one, `only`: there is no other. */
static fsim_status read_invocations(azure *a, uint32_t day, bool only, fsim_error *err) {
    size_t width, column_count;
    fsim_csv_header(a->csv, &width);
    minute_column *columns = malloc((width + 1u) * sizeof *columns);
    if (columns == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_csv_block block = {.count = 1};
    fsim_status status = bind_minutes(a, columns, &column_count, err);
    if (status == FSIM_OK &&
        column_count == 0) { /* a quote in the header can hide what the commas have shown */
        status = fsim_csv_fail(a->csv, 1, 0, err, "the header names no minute");
    }
    uint32_t first = UINT32_MAX, last = 0;
    for (size_t i = 0; status == FSIM_OK && i < column_count; i++) {
        first = columns[i].minute < first ? columns[i].minute : first;
        last = columns[i].minute > last ? columns[i].minute : last;
    }
    int64_t shift = only ? -(int64_t)first : (int64_t)day * MINUTES_OF_DAY - 1;
    uint64_t end = (uint64_t)((int64_t)last + shift + 1);
    a->t->buckets_read = end > a->t->buckets_read ? end : a->t->buckets_read;
    while (status == FSIM_OK && block.count > 0) {
        status = fsim_csv_next(a->csv, &block, err);
        if (status == FSIM_OK) {
            status = add_counts(a, &block, columns, column_count, shift, err);
        }
    }
    free(columns);
    return status;
}

/* --- durations --- */

static const char *const knot_names[FSIM_KNOTS] = {
    "percentile_Average_0",  "percentile_Average_1",  "percentile_Average_25", "percentile_Average_50",
    "percentile_Average_75", "percentile_Average_99", "percentile_Average_100"};

enum { AVERAGE = FSIM_KNOTS, COUNT, MINIMUM, MAXIMUM, DURATION_COLUMNS };

/* Minimum and Maximum are unusable in some rows: then they count as missing. */
static fsim_status extreme_cell(void *user, const char *text, size_t len, int64_t *value, fsim_error *err) {
    (void)user;
    (void)err;
    if (!fsim_text_parse_scaled_ns(text, len, FSIM_MS, value)) {
        *value = MISSING;
    }
    return FSIM_OK;
}

static void bind_durations(azure *a, size_t fields[DURATION_COLUMNS]) {
    static const char *const others[] = {"Average", "Count", "Minimum", "Maximum"};
    size_t count;
    const char *const *names = fsim_csv_header(a->csv, &count);
    for (size_t c = 0; c < DURATION_COLUMNS; c++) {
        const char *name = c < FSIM_KNOTS ? knot_names[c] : others[c - FSIM_KNOTS];
        fields[c] = SIZE_MAX;
        for (size_t f = 0; f < count && fields[c] == SIZE_MAX; f++) {
            fields[c] = strcasecmp(names[f], name) == 0 ? f : SIZE_MAX;
        }
        if (fields[c] == SIZE_MAX) {
            continue;
        }
        fsim_csv_binding binding = {.unit = c == COUNT ? 1 : FSIM_MS,
                                    .expected =
                                        c == COUNT ? "a number of requests" : "milliseconds, at least 0",
                                    .when_empty = MISSING,
                                    .nan_is_empty = true};
        binding.name = c == MINIMUM || c == MAXIMUM ? extreme_cell : NULL;
        fsim_csv_bind(a->csv, fields[c], &binding);
    }
}

static fsim_status reserve_durations(azure *a, uint32_t f, fsim_error *err) {
    if (f < a->duration_capacity) {
        return FSIM_OK;
    }
    uint32_t capacity = f + f / 2 + 64;
    duration_sums *larger = realloc(a->durations, capacity * sizeof *larger);
    if (larger == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    memset(larger + a->duration_capacity, 0, (capacity - a->duration_capacity) * sizeof *larger);
    a->durations = larger;
    a->duration_capacity = capacity;
    return FSIM_OK;
}

static int64_t cell(const fsim_csv_block *block, size_t field, uint32_t row) {
    return field == SIZE_MAX ? MISSING : block->columns[field][row];
}

static void add_durations(duration_sums *sums, const fsim_csv_block *block,
                          const size_t fields[DURATION_COLUMNS], uint32_t row) {
    int64_t average = cell(block, fields[AVERAGE], row), count = cell(block, fields[COUNT], row);
    int64_t min_ns = cell(block, fields[MINIMUM], row), max_ns = cell(block, fields[MAXIMUM], row);
    double weight = count > 0 ? (double)count : 1.0;
    bool first = sums->weight == 0.0;
    if (average == MISSING) {
        return; /* as if the row were not there */
    }
    sums->weight += weight;
    sums->mean += weight * (double)average;
    sums->count += count > 0 ? (uint64_t)count : 0;
    for (int k = 0; k < FSIM_KNOTS; k++) {
        int64_t knot_ns = cell(block, fields[k], row);
        sums->knots[k] += weight * (double)(knot_ns == MISSING ? average : knot_ns);
    }
    sums->min_ns = first || (min_ns != MISSING && min_ns < sums->min_ns) ? min_ns : sums->min_ns;
    sums->max_ns = first || max_ns > sums->max_ns ? max_ns : sums->max_ns;
}

static fsim_status read_durations(azure *a, fsim_error *err) {
    size_t fields[DURATION_COLUMNS];
    fsim_csv_block block = {.count = 1};
    uint32_t counted = a->t->function_count;
    bind_durations(a, fields);
    a->t->has_durations = true;
    while (block.count > 0) {
        FSIM_TRY(fsim_csv_next(a->csv, &block, err));
        for (uint32_t row = 0; row < block.count; row++) {
            uint32_t f, key[3] = {id_at(a, &block, OWNER, row), id_at(a, &block, APP, row),
                                  id_at(a, &block, FUNCTION, row)};
            f = name_map_find(&a->t->keys, (const char *)key, sizeof key);
            if (f >= counted) {
                trace_drop(a->t, "durations of a function without requests", 1, 0);
                continue;
            }
            FSIM_TRY(reserve_durations(a, f, err));
            add_durations(&a->durations[f], &block, fields, row);
        }
    }
    return FSIM_OK;
}

/* What the days together say of function f. The true extremes replace the percentiles 0 and 100, which are of
 * averages over 30 s, unless they contradict them. */
static void settle_function(const azure *a, uint32_t f) {
    fsim_trace_durations *d = &a->t->functions[f].durations;
    if (f >= a->duration_capacity || a->durations[f].weight == 0.0) {
        return;
    }
    const duration_sums *sums = &a->durations[f];
    d->known = d->has_knots = true;
    d->count = sums->count;
    d->mean_ns = (fsim_ns)(sums->mean / sums->weight + 0.5);
    for (int k = 0; k < FSIM_KNOTS; k++) {
        d->knot_ns[k] = (fsim_ns)(sums->knots[k] / sums->weight + 0.5);
    }
    if (sums->min_ns != MISSING && sums->min_ns < d->knot_ns[0]) {
        d->knot_ns[0] = sums->min_ns;
    }
    if (sums->max_ns > d->knot_ns[FSIM_KNOTS - 1]) {
        d->knot_ns[FSIM_KNOTS - 1] = sums->max_ns;
    }
    const fsim_bucket_cut whole = {0, UINT64_MAX, 1, 1000000000};
    a->t->facts.count_differs +=
        sums->count > 0 && sums->count != fsim_bucket_builder_total(a->t->builder, f, &whole);
}

/* --- memory --- */

static fsim_status add_memory(azure *a, const uint32_t key[3], int64_t micro_mb, int64_t samples,
                              fsim_error *err) {
    uint32_t m;
    double weight = samples > 0 ? (double)samples : 1.0;
    FSIM_TRY(name_map_intern(&a->memory_keys, (const char *)key, 3 * sizeof *key, &m, err));
    if (m >= a->memory_capacity) {
        uint32_t capacity = m + m / 2 + 64;
        memory_sums *larger = realloc(a->memory, capacity * sizeof *larger);
        if (larger == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        memset(larger + a->memory_capacity, 0, (capacity - a->memory_capacity) * sizeof *larger);
        a->memory = larger;
        a->memory_capacity = capacity;
    }
    a->memory[m].weight += weight;
    a->memory[m].mean += weight * (double)micro_mb / 1e6;
    return FSIM_OK;
}

static fsim_status read_memory(azure *a, fsim_error *err) {
    size_t count, average = SIZE_MAX, samples = SIZE_MAX;
    const char *const *names = fsim_csv_header(a->csv, &count);
    fsim_csv_block block = {.count = 1};
    for (size_t f = 0; f < count; f++) {
        average = strcasecmp(names[f], "AverageAllocatedMb") == 0 ? f : average;
        samples = strcasecmp(names[f], "SampleCount") == 0 ? f : samples;
    }
    const fsim_csv_binding mb = {.unit = 1000000, .expected = "megabytes, at least 0", .when_empty = MISSING},
                           number = {.unit = 1, .expected = "a number of samples", .when_empty = MISSING};
    if (average == SIZE_MAX) {
        return fsim_csv_fail(a->csv, 1, 0, err, "the header names no column AverageAllocatedMb");
    }
    fsim_csv_bind(a->csv, average, &mb);
    if (samples != SIZE_MAX) {
        fsim_csv_bind(a->csv, samples, &number);
    }
    a->t->has_memory = true;
    a->t->facts.memory_per_function = a->ids[FUNCTION] != SIZE_MAX;
    while (block.count > 0) {
        FSIM_TRY(fsim_csv_next(a->csv, &block, err));
        for (uint32_t row = 0; row < block.count; row++) {
            const uint32_t key[3] = {id_at(a, &block, OWNER, row), id_at(a, &block, APP, row),
                                     id_at(a, &block, FUNCTION, row)};
            int64_t micro_mb = cell(&block, average, row);
            if (micro_mb != MISSING) {
                FSIM_TRY(add_memory(a, key, micro_mb, cell(&block, samples, row), err));
            }
        }
    }
    return FSIM_OK;
}

static void settle_memory_of(const azure *a, uint32_t f) {
    uint32_t key[3];
    memcpy(key, a->t->keys.texts[f], sizeof key);
    key[2] = a->t->facts.memory_per_function ? key[2] : a->empty;
    uint32_t m = name_map_find(&a->memory_keys, (const char *)key, sizeof key);
    if (m < a->memory_capacity && a->memory[m].weight > 0.0) {
        a->t->functions[f].memory_mean = a->memory[m].mean / a->memory[m].weight;
    }
}

/* --- all files --- */

static fsim_status read_role(azure *a, int role, fsim_error *err) {
    fsim_trace *t = a->t;
    uint32_t files = 0, first_day = UINT32_MAX, number = 0;
    for (size_t i = 0; i < t->file_count; i++) {
        uint32_t day = day_of(t->files[i].path);
        files += t->files[i].role == INVOCATIONS;
        first_day = t->files[i].role == INVOCATIONS && day < first_day ? day : first_day;
    }
    for (size_t i = 0; i < t->file_count; i++) {
        if (t->files[i].role != role) {
            continue;
        }
        uint32_t day = first_day == 0 ? number : day_of(t->files[i].path) - first_day;
        number++;
        fsim_status status = fsim_csv_open(&a->csv, NULL, t->files[i].path, err);
        status = status == FSIM_OK ? bind_ids(a, err) : status;
        if (status == FSIM_OK) {
            status = role == INVOCATIONS ? read_invocations(a, day, files == 1, err)
                     : role == DURATIONS ? read_durations(a, err)
                                         : read_memory(a, err);
        }
        fsim_csv_close(a->csv);
        a->csv = NULL;
        FSIM_TRY(status);
    }
    if (role == INVOCATIONS && files == 0) {
        return fsim_fail_at(err, FSIM_EDATA, t->files[0].path,
                            "durations or memory alone: the file of requests per minute is missing");
    }
    return FSIM_OK;
}

static fsim_status read_all(azure *a, fsim_error *err) {
    FSIM_TRY(name_map_intern(&a->t->texts, "", 0, &a->empty, err));
    FSIM_TRY(read_role(a, INVOCATIONS, err));
    FSIM_TRY(read_role(a, DURATIONS, err));
    FSIM_TRY(read_role(a, MEMORY, err));
    for (uint32_t f = 0; f < a->t->function_count; f++) {
        settle_function(a, f);
        settle_memory_of(a, f);
    }
    a->t->step_ns = FSIM_MINUTE;
    return FSIM_OK;
}

static fsim_status read(fsim_trace *t, fsim_error *err) {
    azure a = {.t = t};
    name_map_open(&a.memory_keys, t->pool);
    name_map_open(&a.hashes, t->pool);
    fsim_status status = read_all(&a, err);
    name_map_close(&a.memory_keys);
    name_map_close(&a.hashes);
    free(a.durations);
    free(a.memory);
    return status;
}

const trace_format trace_format_azure2019 = {
    .name = "azure-2019",
    .role_of = role_of,
    .read = read,
};
