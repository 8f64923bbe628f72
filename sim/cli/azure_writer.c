/* Azure's format of 2019; see azure_writer.h. An app holds one function here, and an owner one app. */
#include "cli/azure_writer.h"

#include "base/rng.h"
#include "base/sha256.h"
#include "cli/output.h"
#include "cli/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTES = 1440, SAMPLE = 100, HASH = 64, ROW_MAX = 3 * (HASH + 1) + 512 + 11 * MINUTES };

/* One function in the day at hand. */
typedef struct day_counts {
    uint64_t requests, durations;
    double sum_ms;
    fsim_ns least_ns, most_ns;
    fsim_ns sample[SAMPLE]; /* each duration with the same chance */
    uint32_t minute[MINUTES];
} day_counts;

struct fsim_azure_writer {
    const char *directory;
    const fsim_function_table *table;
    day_counts **functions; /* NULL: no requests yet */
    uint32_t count;
    fsim_ns day;
    fsim_rng rng;
};

fsim_status fsim_azure_writer_open(fsim_azure_writer **out, const char *directory,
                                   const fsim_function_table *table, fsim_error *err) {
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
    fsim_rng_seed(&w->rng, 1, "azure", FSIM_RNG_SERVICE);
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
        at = fsim_output_digits(at, f->minute[m]);
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
    at = fsim_output_digits(at, (uint64_t)(f->sum_ms / (double)f->durations + 0.5));
    *at++ = ',';
    at = fsim_output_digits(at, f->durations);
    *at++ = ',';
    at = fsim_output_digits(at, whole_ms(f->least_ns));
    memcpy(at, ".0,", 3);
    at = fsim_output_digits(at + 3, whole_ms(f->most_ns));
    memcpy(at, ".0", 2);
    at += 2;
    for (int k = 0; k < 7; k++) {
        *at++ = ',';
        at = fsim_output_digits(at, whole_ms(f->sample[(n - 1u) * (unsigned)percent[k] / 100u]));
    }
    *at++ = '\n';
    return at;
}

static char *put_memory(char *at, const char *name, int64_t memory_mb, day_counts *f) {
    at = put_ids(at, name, false);
    at = fsim_output_digits(at, f->requests < MINUTES ? f->requests : MINUTES);
    for (int k = 0; k < 9; k++) { /* the mean and eight percentiles: a function has one size here */
        *at++ = ',';
        at = fsim_output_digits(at, (uint64_t)memory_mb);
    }
    *at++ = '\n';
    return at;
}

static fsim_status put_rows(const fsim_azure_writer *w, fsim_sink *sink, put_row row, fsim_error *err) {
    for (uint32_t f = 0; f < w->count && !sink->closed; f++) {
        if (w->functions[f] == NULL || w->functions[f]->requests == 0) {
            continue;
        }
        char *at = fsim_sink_room(sink, ROW_MAX, err);
        if (at == NULL) {
            return err == NULL ? FSIM_EIO : err->status;
        }
        const fsim_fn_spec *spec = fsim_function_table_get(w->table, f);
        fsim_sink_put(sink, row(at, spec->name, spec->memory_mb, w->functions[f]));
    }
    return FSIM_OK;
}

static fsim_status put_file(const fsim_azure_writer *w, const char *name, const char *header, put_row row,
                            fsim_error *err) {
    char path[FSIM_PATH_MAX];
    fsim_sink sink;
    int len = snprintf(path, sizeof path, "%s/%s.anon.d%02d.csv", w->directory, name, (int)w->day + 1);
    if (len < 0 || (size_t)len >= sizeof path) {
        return fsim_fail_at(err, FSIM_EIO, w->directory, "the file name is too long");
    }
    FSIM_TRY(fsim_sink_open(&sink, path, err));
    size_t size = strlen(header);
    char *at = fsim_sink_room(&sink, size, err);
    memcpy(at, header, size); /* an empty buffer has room */
    fsim_sink_put(&sink, at + size);
    return fsim_sink_close(&sink, put_rows(w, &sink, row, err), err);
}

static fsim_status put_day(fsim_azure_writer *w, fsim_error *err) {
    char header[64 + 6 * MINUTES], *at = header;
    at += snprintf(at, 64, "HashOwner,HashApp,HashFunction,Trigger");
    for (unsigned m = 1; m <= MINUTES; m++) {
        *at++ = ',';
        at = fsim_output_digits(at, m);
    }
    memcpy(at, "\n", 2);
    FSIM_TRY(put_file(w, "invocations_per_function_md", header, put_invocations, err));
    FSIM_TRY(
        put_file(w, "function_durations_percentiles",
                 "HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,percentile_Average_0,"
                 "percentile_Average_1,percentile_Average_25,percentile_Average_50,percentile_Average_75,"
                 "percentile_Average_99,percentile_Average_100\n",
                 put_durations, err));
    FSIM_TRY(put_file(w, "app_memory_percentiles",
                      "HashOwner,HashApp,SampleCount,AverageAllocatedMb,AverageAllocatedMb_pct1,"
                      "AverageAllocatedMb_pct5,AverageAllocatedMb_pct25,AverageAllocatedMb_pct50,"
                      "AverageAllocatedMb_pct75,AverageAllocatedMb_pct95,AverageAllocatedMb_pct99,"
                      "AverageAllocatedMb_pct100\n",
                      put_memory, err));
    for (uint32_t f = 0; f < w->count; f++) {
        if (w->functions[f] != NULL) {
            memset(w->functions[f], 0, sizeof *w->functions[f]);
        }
    }
    return FSIM_OK;
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
    if (w->functions[fn] == NULL && (w->functions[fn] = calloc(1, sizeof **w->functions)) == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    *out = w->functions[fn];
    return FSIM_OK;
}

static void add_duration(fsim_azure_writer *w, day_counts *f, fsim_ns duration_ns) {
    uint64_t place = f->durations++;
    f->sum_ms += (double)duration_ns * 1e-6;
    f->least_ns = place == 0 || duration_ns < f->least_ns ? duration_ns : f->least_ns;
    f->most_ns = duration_ns > f->most_ns ? duration_ns : f->most_ns;
    if (place >= SAMPLE) {
        place = place < UINT32_MAX ? fsim_rng_below(&w->rng, (uint32_t)place + 1u) : SAMPLE;
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
            add_duration(w, f, batch->service_ns[i]);
        }
    }
    return FSIM_OK;
}

fsim_status fsim_azure_writer_close(fsim_azure_writer *w, fsim_status status, fsim_error *err) {
    if (w == NULL) {
        return status;
    }
    if (status == FSIM_OK) {
        status = put_day(w, err);
    }
    for (uint32_t f = 0; f < w->count; f++) {
        free(w->functions[f]);
    }
    free(w->functions);
    free(w);
    return status;
}
