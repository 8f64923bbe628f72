/* Azure's format of 2019; see azure_writer.h. An app holds one function here, and an owner one app. */
#include "cli/azure_writer.h"

#include "base/rng.h"
#include "base/sha256.h"
#include "base/spell.h"
#include "cli/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTES = 1440, SAMPLE = 100, HASH = 64, ROW_MAX = 3 * (HASH + 1) + 512 + 11 * MINUTES };
enum { INVOCATIONS, DURATIONS, MEMORY, TABLES };

/* One function in the day at hand. */
typedef struct day_counts {
    fsim_rng rng; /* which durations are sampled */
    uint64_t requests, durations;
    double sum_ms;
    fsim_ns least_ns, most_ns;
    fsim_ns sample[SAMPLE]; /* each duration with the same chance */
    uint32_t minute[MINUTES];
} day_counts;

/* The three files of a day. */
typedef struct day_files {
    bool open;
    fsim_sink table[TABLES];
    char path[TABLES][FSIM_PATH_MAX];
} day_files;

struct fsim_azure_writer {
    const char *directory;
    const fsim_function_table *table;
    day_counts **functions; /* NULL: no requests yet */
    uint32_t count;
    uint32_t low, end; /* functions with requests in the day at hand are in [low, end) */
    day_files **days;  /* NULL: not begun, or complete */
    uint32_t day_count;
    fsim_ns day; /* at hand */
    bool by_function;
};

fsim_status fsim_azure_writer_open(fsim_azure_writer **out, const char *directory,
                                   const fsim_function_table *table, bool by_function, fsim_error *err) {
    if (directory == NULL || strcmp(directory, "-") == 0) {
        return fsim_fail_at(err, FSIM_EUSAGE, "--to", "azure writes three files: give a folder with --out");
    }
    FSIM_TRY(fsim_file_make_directory(directory, err));
    fsim_azure_writer *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    w->directory = directory;
    w->table = table;
    w->by_function = by_function;
    w->low = UINT32_MAX;
    *out = w;
    return FSIM_OK;
}

/* ---- a day on paper ---- */

/* What the data set calls a function: a hash. */
static char *put_hash(char *at, const char *salt, const char *name) {
    char text[FSIM_SHA256_TEXT_SIZE];
    fsim_sha256 hash;
    fsim_sha256_begin(&hash);
    fsim_sha256_add(&hash, salt, strlen(salt));
    fsim_sha256_add(&hash, name, strlen(name));
    fsim_sha256_end(&hash, text);
    memcpy(at, text, HASH);
    at[HASH] = ',';
    return at + HASH + 1;
}

static char *put_ids(char *at, const char *name, bool with_function) {
    at = put_hash(at, "owner/", name);
    at = put_hash(at, "app/", name);
    return with_function ? put_hash(at, "function/", name) : at;
}

typedef char *(*put_row)(char *at, const char *name, int64_t memory_mb, day_counts *f);

static char *put_invocations(char *at, const char *name, int64_t memory_mb, day_counts *f) {
    (void)memory_mb;
    at = put_ids(at, name, true);
    memcpy(at, "others", 6);
    at += 6;
    for (int m = 0; m < MINUTES; m++) {
        *at++ = ',';
        at = fsim_spell_digits(at, f->minute[m]);
    }
    *at++ = '\n';
    return at;
}

static int compare_spans(const void *a, const void *b) {
    fsim_ns x = *(const fsim_ns *)a, y = *(const fsim_ns *)b;
    return x < y ? -1 : x > y;
}

static uint64_t whole_ms(fsim_ns span_ns) {
    return (uint64_t)((span_ns + FSIM_MS / 2) / FSIM_MS);
}

/* Percentiles of the sample; the extremes are those of the day. */
static char *put_durations(char *at, const char *name, int64_t memory_mb, day_counts *f) {
    static const int percent[] = {0, 1, 25, 50, 75, 99, 100};
    uint64_t n = f->durations < SAMPLE ? f->durations : SAMPLE;
    (void)memory_mb;
    if (n == 0) {
        return at;
    }
    qsort(f->sample, n, sizeof *f->sample, compare_spans);
    at = put_ids(at, name, true);
    at = fsim_spell_digits(at, (uint64_t)(f->sum_ms / (double)f->durations + 0.5));
    *at++ = ',';
    at = fsim_spell_digits(at, f->durations);
    *at++ = ',';
    at = fsim_spell_digits(at, whole_ms(f->least_ns));
    memcpy(at, ".0,", 3);
    at = fsim_spell_digits(at + 3, whole_ms(f->most_ns));
    memcpy(at, ".0", 2);
    at += 2;
    for (int k = 0; k < 7; k++) {
        *at++ = ',';
        at = fsim_spell_digits(at, whole_ms(f->sample[(n - 1u) * (unsigned)percent[k] / 100u]));
    }
    *at++ = '\n';
    return at;
}

static char *put_memory(char *at, const char *name, int64_t memory_mb, day_counts *f) {
    at = put_ids(at, name, false);
    at = fsim_spell_digits(at, f->requests < MINUTES ? f->requests : MINUTES);
    for (int k = 0; k < 9; k++) { /* the mean and eight percentiles: a function has one size here */
        *at++ = ',';
        at = fsim_spell_digits(at, (uint64_t)memory_mb);
    }
    *at++ = '\n';
    return at;
}

/* ---- files ---- */

static const char *const file_names[TABLES] = {"invocations_per_function_md",
                                               "function_durations_percentiles", "app_memory_percentiles"};
static const put_row row_writers[TABLES] = {put_invocations, put_durations, put_memory};

static char *put_header(char *at, int table) {
    static const char *const headers[TABLES] = {
        "HashOwner,HashApp,HashFunction,Trigger",
        "HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,percentile_Average_0,"
        "percentile_Average_1,percentile_Average_25,percentile_Average_50,percentile_Average_75,"
        "percentile_Average_99,percentile_Average_100",
        "HashOwner,HashApp,SampleCount,AverageAllocatedMb,AverageAllocatedMb_pct1,"
        "AverageAllocatedMb_pct5,AverageAllocatedMb_pct25,AverageAllocatedMb_pct50,"
        "AverageAllocatedMb_pct75,AverageAllocatedMb_pct95,AverageAllocatedMb_pct99,"
        "AverageAllocatedMb_pct100"};
    size_t size = strlen(headers[table]);
    memcpy(at, headers[table], size);
    at += size;
    for (unsigned m = 1; table == INVOCATIONS && m <= MINUTES; m++) {
        *at++ = ',';
        at = fsim_spell_digits(at, m);
    }
    *at++ = '\n';
    return at;
}

static fsim_status close_files(day_files *files, fsim_status status, fsim_error *err) {
    for (int k = 0; files != NULL && k < TABLES; k++) {
        if (files->table[k].buffer != NULL) {
            status = fsim_sink_close(&files->table[k], status, err);
        }
    }
    free(files);
    return status;
}

static fsim_status open_files(const fsim_azure_writer *w, day_files *files, fsim_error *err) {
    for (int k = 0; k < TABLES; k++) {
        int len = snprintf(files->path[k], sizeof files->path[k], "%s/%s.anon.d%02d.csv", w->directory,
                           file_names[k], (int)w->day + 1);
        if (len < 0 || (size_t)len >= sizeof files->path[k]) {
            return fsim_fail_at(err, FSIM_EIO, w->directory, "the file name is too long");
        }
        FSIM_TRY(fsim_sink_open(&files->table[k], files->path[k], err));
        /* An empty buffer has room. */
        fsim_sink_put(&files->table[k], put_header(fsim_sink_room(&files->table[k], ROW_MAX, err), k));
    }
    return FSIM_OK;
}

/* The files of the day at hand. */
static fsim_status files_of_day(fsim_azure_writer *w, day_files **out, fsim_error *err) {
    if (w->day >= w->day_count) {
        uint32_t count = (uint32_t)w->day + 1u;
        day_files **larger = realloc(w->days, count * sizeof *larger);
        if (larger == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        memset(larger + w->day_count, 0, (count - w->day_count) * sizeof *larger);
        w->days = larger;
        w->day_count = count;
    }
    if (w->days[w->day] == NULL) {
        day_files *files = calloc(1, sizeof *files);
        fsim_status status = files == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory") : FSIM_OK;
        status = status == FSIM_OK ? open_files(w, files, err) : status;
        if (status != FSIM_OK) {
            return close_files(files, status, err);
        }
        w->days[w->day] = files;
    }
    *out = w->days[w->day];
    return FSIM_OK;
}

/* The rows of function f in the day at hand, which is over for it. */
static fsim_status put_function(const fsim_azure_writer *w, day_files *files, uint32_t f, fsim_error *err) {
    day_counts *counts = w->functions[f];
    if (counts == NULL || counts->requests == 0) {
        return FSIM_OK;
    }
    const fsim_fn_spec *spec = fsim_function_table_get(w->table, f);
    for (int k = 0; k < TABLES; k++) {
        char *at = fsim_sink_room(&files->table[k], ROW_MAX, err);
        if (at == NULL) {
            return err == NULL ? FSIM_EIO : err->status;
        }
        fsim_sink_put(&files->table[k], row_writers[k](at, spec->name, spec->memory_mb, counts));
    }
    fsim_rng rng = counts->rng;
    *counts = (day_counts){.rng = rng};
    return FSIM_OK;
}

/* The day at hand is over for all functions. */
static fsim_status put_day(fsim_azure_writer *w, fsim_error *err) {
    day_files *files = NULL;
    FSIM_TRY(files_of_day(w, &files, err));
    fsim_status status = FSIM_OK;
    for (uint32_t f = w->low; f < w->end && status == FSIM_OK; f++) {
        status = put_function(w, files, f, err);
    }
    w->low = UINT32_MAX;
    w->end = 0;
    if (w->by_function) {
        return status;
    }
    w->days[w->day] = NULL;
    return close_files(files, status, err);
}

/* ---- counting ---- */

static fsim_status find_function(fsim_azure_writer *w, fsim_fn_id fn, day_counts **out, fsim_error *err) {
    if (fn >= w->count) {
        uint32_t count = fsim_function_table_count(w->table);
        day_counts **larger = realloc(w->functions, count * sizeof *larger);
        if (larger == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        memset(larger + w->count, 0, (count - w->count) * sizeof *larger);
        w->functions = larger;
        w->count = count;
    }
    if (w->functions[fn] == NULL) {
        if ((w->functions[fn] = calloc(1, sizeof **w->functions)) == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        char stream[FSIM_PATH_MAX];
        snprintf(stream, sizeof stream, "azure/%s", fsim_function_table_get(w->table, fn)->name);
        fsim_rng_seed(&w->functions[fn]->rng, 1, stream, FSIM_RNG_SERVICE);
    }
    w->low = fn < w->low ? fn : w->low;
    w->end = fn >= w->end ? fn + 1u : w->end;
    *out = w->functions[fn];
    return FSIM_OK;
}

static void add_duration(day_counts *f, fsim_ns duration_ns) {
    uint64_t place = f->durations++;
    f->sum_ms += (double)duration_ns * 1e-6;
    f->least_ns = place == 0 || duration_ns < f->least_ns ? duration_ns : f->least_ns;
    f->most_ns = duration_ns > f->most_ns ? duration_ns : f->most_ns;
    if (place >= SAMPLE) {
        place = place < UINT32_MAX ? fsim_rng_below(&f->rng, (uint32_t)place + 1u) : SAMPLE;
    }
    if (place < SAMPLE) {
        f->sample[place] = duration_ns;
    }
}

fsim_status fsim_azure_writer_add(fsim_azure_writer *w, const fsim_arrivals *batch, fsim_error *err) {
    for (uint32_t i = 0; i < batch->count; i++) {
        fsim_ns day = batch->at_ns[i] / FSIM_DAY;
        day_counts *f = NULL;
        if (day != w->day) {
            FSIM_TRY(put_day(w, err));
            w->day = day;
        }
        FSIM_TRY(find_function(w, batch->fn[i], &f, err));
        f->requests++;
        f->minute[batch->at_ns[i] % FSIM_DAY / FSIM_MINUTE]++;
        if (batch->service_ns[i] >= 0) {
            add_duration(f, batch->service_ns[i]);
        }
    }
    return FSIM_OK;
}

fsim_status fsim_azure_writer_end_function(fsim_azure_writer *w, fsim_error *err) {
    uint32_t low = w->low, end = w->end;
    fsim_status status = low < end ? put_day(w, err) : FSIM_OK;
    for (uint32_t f = low; f < end; f++) {
        free(w->functions[f]);
        w->functions[f] = NULL;
    }
    w->day = 0;
    return status;
}

fsim_status fsim_azure_writer_close(fsim_azure_writer *w, fsim_status status, fsim_error *err) {
    if (w == NULL) {
        return status;
    }
    if (status == FSIM_OK && (!w->by_function || w->day_count == 0)) {
        status = put_day(w, err);
    }
    for (uint32_t d = 0; d < w->day_count; d++) {
        status = close_files(w->days[d], status, err);
    }
    for (uint32_t f = 0; f < w->count; f++) {
        free(w->functions[f]);
    }
    free(w->days);
    free(w->functions);
    free(w);
    return status;
}
