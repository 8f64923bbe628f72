/* Any bytes as a file of a public trace: refused with a place and a message, or arrivals that keep their
 * promises. The format is told by the bytes themselves, so one target reaches every reader; the corpus has a
 * file of each. */
#include "support/fuzz_input.h"
#include "trace/bucket_stream.h"
#include "trace/inspect.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    const char *const paths[] = {path};
    int file = memfd_create("fuzz.csv", 0);
    fsim_assert(file >= 0);
    fsim_assert(write(file, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);

    fsim_trace_options options;
    fsim_trace *trace = NULL;
    fsim_error err = {0};
    fsim_trace_options_default(&options);
    options.join = size % 2 == 0 ? FSIM_JOIN_INNER : FSIM_JOIN_LOGNORMAL;
    fsim_status status = fsim_trace_open(&trace, &options, NULL, paths, 1, &err);
    if (status == FSIM_OK) {
        const fsim_bucketed *buckets = fsim_trace_buckets(trace);
        status = buckets != NULL ? replay(buckets, &err) : read_rows(trace, &err);
    }
    fuzz_check_error(status, &err);
    fsim_trace_close(trace);
    close(file);
    return 0;
}
