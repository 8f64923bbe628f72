#include "support/fuzz_files.h"

#include "api/source_api.h"
#include "support/fuzz_input.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int fuzz_open_file(const uint8_t *data, size_t size, char *path, size_t path_size) {
    int file = memfd_create("fuzz", 0);
    fsim_assert(file >= 0);
    fsim_assert(write(file, data, size) == (ssize_t)size);
    snprintf(path, path_size, "/proc/self/fd/%d", file);
    return file;
}

static fsim_status read_all(fsim_workload *workload, const fsim_function_table *table, fsim_error *err) {
    static fsim_arrivals batch;
    fsim_ns last_ns = 0;
    do {
        FSIM_TRY(fsim_workload_next(workload, &batch, err));
        for (uint32_t i = 0; i < batch.count; i++) {
            fsim_assert(batch.at_ns[i] >= last_ns && batch.at_ns[i] < FSIM_NEVER);
            fsim_assert(batch.fn[i] < fsim_function_table_count(table));
            fsim_assert(batch.service_ns[i] >= 0);
            fsim_assert(!batch.has_cpu || batch.cpu_ns[i] >= FSIM_DRAW);
            last_ns = batch.at_ns[i];
        }
    } while (batch.count > 0);
    return FSIM_OK;
}

void fuzz_source(const char *source, const char *placement, const uint8_t *data, size_t size,
                 int64_t requests_max) {
    char path[64];
    int file = fuzz_open_file(data, size, path, sizeof path);
    fsim_value_pool *pool = fsim_value_pool_create();
    fsim_function_table *table = fsim_function_table_create();
    fsim_assert(pool != NULL && table != NULL);
    fsim_fn_spec spec = {.name = "fn", .memory_mb = 128, .vcpu = 1.0, .concurrency = 1, .has_service = true};
    fsim_function_table_set_template(table, &spec);

    fsim_value *config = fsim_value_new(pool, FSIM_VALUE_OBJECT, "fuzz");
    fsim_value_put(pool, config, "source", fsim_value_new_string(pool, source, "fuzz"));
    fsim_value_put(pool, config, "file", fsim_value_new_string(pool, path, "fuzz"));
    if (requests_max > 0) {
        fsim_value_put(pool, config, "requests", fsim_value_new_integer(pool, requests_max, "fuzz"));
    }
    if (placement != NULL) {
        fsim_value_put(pool, config, "placement", fsim_value_new_string(pool, placement, "fuzz"));
    }
    if (size % 3 == 0) { /* also through the filter of trace/row_scale.h */
        fsim_value_put(pool, config, "scale_rate", fsim_value_new_real(pool, 1.5, "fuzz"));
        fsim_value_put(pool, config, "functions_top", fsim_value_new_integer(pool, 2, "fuzz"));
    }

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
