/* Any bytes as the files of a public trace: refused with a place and a message, or arrivals that keep their
 * promises. One program for each reader, which FUZZ_FORMAT names: what another reader would take is passed
 * over, so that each fuzzer stays with its own.
 *
 * A trace of several files is one input: a line "=== NAME" begins the next file. What stands in front of the
 * first such line is the file FUZZ_FILE. */
#include "support/fuzz_input.h"
#include "trace/bucket_stream.h"

#include <stdio.h>
#include <unistd.h>

#define FILES_MAX  4u
#define NAME_BYTES 60u

static fsim_arrivals batch;

static void check_batch(fsim_ns *last_ns, uint32_t functions) {
    for (uint32_t i = 0; i < batch.count; i++) {
        fsim_assert(batch.at_ns[i] >= *last_ns && batch.at_ns[i] < FSIM_NEVER);
        fsim_assert(batch.fn[i] < functions);
        fsim_assert(batch.service_ns[i] >= 0 || batch.service_ns[i] == FSIM_DRAW);
        *last_ns = batch.at_ns[i];
    }
}

/* A few bytes can promise any number of requests. */
static fsim_status replay(const fsim_bucketed *buckets, fsim_error *err) {
    fsim_bucket_stream *stream = NULL;
    fsim_ns last_ns = 0;
    uint64_t total = 0;
    for (uint32_t f = 0; f < buckets->function_count; f++) {
        fsim_cell_cursor c = fsim_cells_of(buckets, f);
        while (fsim_cells_next(&c)) {
            fsim_assert(c.bucket < buckets->bucket_count && c.count > 0);
            total += c.count;
        }
    }
    fsim_assert(total == buckets->invocations);
    if (total > 5000) { /* uniform placement draws every gap of a bucket before the first */
        return FSIM_OK;
    }
    FSIM_TRY(fsim_bucket_stream_open(&stream, buckets, FSIM_PLACE_UNIFORM, 1, NULL, err));
    fsim_status status;
    uint64_t replayed = 0;
    do {
        status = fsim_bucket_stream_next(stream, &batch, err);
        check_batch(&last_ns, buckets->function_count);
        replayed += batch.count;
    } while (status == FSIM_OK && batch.count > 0);
    fsim_assert(status != FSIM_OK || replayed == total);
    fsim_bucket_stream_close(stream);
    return status;
}

static fsim_status read_rows(fsim_trace *trace, fsim_error *err) {
    fsim_ns last_ns = 0;
    do {
        FSIM_TRY(fsim_trace_next(trace, &batch, err));
        check_batch(&last_ns, fsim_trace_function_count(trace));
    } while (batch.count > 0);
    return FSIM_OK;
}

/* ---- files ---- */

static char folder[] = "/tmp/fsim-fuzz-XXXXXX";

static void remove_folder(void) {
    rmdir(folder);
}

static void open_folder(void) {
    static bool open;
    if (!open) {
        open = true;
        fsim_assert(mkdtemp(folder) != NULL);
        atexit(remove_folder);
    }
}

/* A name of a file in the folder: readers look at it (days, metrics). */
static void set_path(char path[128], const uint8_t *name, size_t len, size_t number) {
    char clean[NAME_BYTES + 1u];
    size_t n = 0;
    for (; n < len && n < NAME_BYTES; n++) {
        char c = (char)name[n];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
                     c == '_' || c == '-';
        clean[n] = plain ? c : '_';
    }
    clean[n] = '\0';
    snprintf(path, 128, "%s/%zu%s", folder, number, clean);
}

static void write_file(const char *path, const uint8_t *data, size_t size) {
    FILE *file = fopen(path, "wb");
    fsim_assert(file != NULL);
    fsim_assert(size == 0 || fwrite(data, 1, size, file) == size);
    fsim_assert(fclose(file) == 0);
}

/* Where the next line "=== NAME" begins, or the end. */
static const uint8_t *next_mark(const uint8_t *at, const uint8_t *end) {
    for (; end - at >= 5; at++) {
        if (memcmp(at, "\n=== ", 5) == 0) {
            return at + 1;
        }
    }
    return end;
}

/* The files of the input; how many. */
static size_t write_files(const uint8_t *data, size_t size, char paths[FILES_MAX][128]) {
    const uint8_t *at = data, *end = data + size;
    size_t count = 0;
    set_path(paths[0], (const uint8_t *)FUZZ_FILE, strlen(FUZZ_FILE), 0);
    while (count < FILES_MAX) {
        const uint8_t *mark = at == NULL ? end : next_mark(at, end);
        write_file(paths[count++], at, (size_t)(mark - at));
        if (mark == end || count == FILES_MAX) {
            break;
        }
        const uint8_t *line = memchr(mark, '\n', (size_t)(end - mark));
        line = line == NULL ? end : line;
        set_path(paths[count], mark + 4, (size_t)(line - mark) - 4u, count);
        at = line == end ? end : line + 1;
    }
    return count;
}

/* ---- reading ---- */

/* Options by the size, so that the corpus reaches all of them. */
static fsim_trace_options options_of(size_t size) {
    fsim_trace_options o;
    fsim_trace_options_default(&o);
    o.join = size % 2 == 0 ? FSIM_JOIN_INNER : FSIM_JOIN_LOGNORMAL;
    o.memory = size / 2 % 2 == 0 ? FSIM_MEMORY_APP : FSIM_MEMORY_FUNCTION;
    o.sampling = (fsim_duration_kind)(FSIM_DURATION_KNOTS + size / 4 % 5);
    o.functions_top = size % 7 == 0 ? 2 : 0;
    o.scale_rate = size % 5 == 0 ? 1.5 : 1.0;
    o.from_ns = size % 11 == 0 ? FSIM_MINUTE : 0;
    return o;
}

static void read_trace(size_t size, const char *const *paths, size_t count) {
    const fsim_trace_options options = options_of(size);
    fsim_trace *trace = NULL;
    fsim_error err = {0};
    fsim_status status = fsim_trace_open(&trace, &options, NULL, paths, count, &err);
    if (status == FSIM_OK) {
        const fsim_bucketed *buckets = fsim_trace_buckets(trace);
        status = buckets != NULL ? replay(buckets, &err) : read_rows(trace, &err);
    }
    fuzz_check_error(status, &err);
    fsim_trace_close(trace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char names[FILES_MAX][128];
    const char *paths[FILES_MAX];
    open_folder();
    size_t count = write_files(data, size, names);
    for (size_t i = 0; i < count; i++) {
        paths[i] = names[i];
    }
    const char *format = fsim_trace_recognise(paths[0]);
    if (format != NULL && strcmp(format, FUZZ_FORMAT) == 0) {
        read_trace(size, paths, count);
    }
    for (size_t i = 0; i < count; i++) {
        unlink(paths[i]);
    }
    return 0;
}
