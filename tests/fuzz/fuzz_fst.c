/* Any bytes as an .fst trace: refused with a place and a message, or a stream of arrivals that keeps its
 * promises. A checksum would stop nearly every input at once, so each is tried a second time with its
 * checksums put right: that is how the fuzzer gets at what stands behind them. */
#include "api/source_api.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "io/fst_format.h"
#include "support/fuzz_input.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static fsim_status read_all(fsim_workload *workload, const fsim_function_table *table, fsim_error *err) {
    static fsim_arrivals batch;
    fsim_ns last_ns = 0;
    do {
        FSIM_TRY(fsim_workload_next(workload, &batch, err));
        for (uint32_t i = 0; i < batch.count; i++) {
            fsim_assert(batch.at_ns[i] >= last_ns);
            fsim_assert(batch.fn[i] < fsim_function_table_count(table));
            fsim_assert(batch.service_ns[i] >= 0);
            fsim_assert(!batch.has_cpu || batch.cpu_ns[i] >= FSIM_DRAW);
            last_ns = batch.at_ns[i];
        }
    } while (batch.count > 0);
    return FSIM_OK;
}

static void replay(const uint8_t *data, size_t size) {
    char path[64];
    int file = memfd_create("fuzz.fst", 0);
    fsim_assert(file >= 0 && write(file, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    fsim_value_pool *pool = fsim_value_pool_create();
    fsim_function_table *table = fsim_function_table_create();
    fsim_assert(pool != NULL && table != NULL);
    fsim_fn_spec spec = {.name = "fn", .memory_mb = 128, .vcpu = 1.0, .concurrency = 1, .has_service = true};
    fsim_function_table_set_template(table, &spec);
    fsim_value *config = fsim_value_new(pool, FSIM_VALUE_OBJECT, "fuzz");
    fsim_value_put(pool, config, "source", fsim_value_new_string(pool, "fst", "fuzz"));
    fsim_value_put(pool, config, "file", fsim_value_new_string(pool, path, "fuzz"));
    fsim_error err = {0};
    fsim_fn_id default_fn;
    fsim_status status = fsim_function_table_intern(table, "fn", 2, &default_fn, &err);
    fsim_assert(status == FSIM_OK);
    const fsim_source_context context = {
        .seed = 1, .path = "workload", .table = table, .default_fn = default_fn, .pool = pool};
    fsim_workload *workload = NULL;
    status = fsim_workload_open(&workload, &context, config, &err);
    if (status == FSIM_OK) {
        status = read_all(workload, table, &err);
    }
    fuzz_check_error(status, &err);
    fsim_workload_close(workload);
    fsim_function_table_destroy(table);
    fsim_value_pool_destroy(pool);
    close(file);
}

/* Of the part at `offset`, if it lies inside the file. */
static void mend(uint8_t *bytes, size_t size, uint64_t offset, uint64_t part) {
    if (part >= FSIM_FST_CHECKSUM_SIZE && offset <= size && part <= size - offset) {
        uint64_t covered = part - FSIM_FST_CHECKSUM_SIZE;
        fsim_bytes_put64(bytes + offset + covered, fsim_checksum(bytes + offset, covered, offset));
    }
}

static void mend_all(uint8_t *bytes, size_t size) {
    uint64_t trailer = size - FSIM_FST_TRAILER_SIZE, at = FSIM_FST_HEADER_SIZE;
    mend(bytes, size, 0, FSIM_FST_HEADER_SIZE);
    mend(bytes, size, trailer, FSIM_FST_TRAILER_SIZE);
    uint64_t functions = fsim_bytes_get64(bytes + trailer + FSIM_FST_TRAILER_FUNCTIONS);
    if (functions <= trailer) {
        mend(bytes, size, functions, trailer - functions);
    }
    while (at <= size - FSIM_FST_BLOCK_HEADER) {
        uint64_t part = fsim_bytes_get32(bytes + at + FSIM_FST_BLOCK_SIZE);
        if (part < FSIM_FST_BLOCK_HEADER || part > size - at || at + part > functions) {
            break;
        }
        mend(bytes, size, at, part);
        at += part;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    replay(data, size);
    if (size >= FSIM_FST_HEADER_SIZE + FSIM_FST_TRAILER_SIZE) {
        uint8_t *copy = malloc(size);
        fsim_assert(copy != NULL);
        memcpy(copy, data, size);
        mend_all(copy, size);
        replay(copy, size);
        free(copy);
    }
    return 0;
}
