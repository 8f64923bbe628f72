#include "cli/bench_fst.h"

#include "api/source_api.h"
#include "cli/trace_writer.h"

#include <stdlib.h>
#include <string.h>

static void draw_batch(fsim_arrivals *batch, fsim_rng *gaps, fsim_rng *services, fsim_ns *at_ns) {
    for (uint32_t i = 0; i < batch->count; i++) {
        *at_ns += (fsim_ns)(fsim_rng_exponential(gaps) * 1e4 + 0.5);
        batch->at_ns[i] = *at_ns;
        batch->service_ns[i] = (fsim_ns)(fsim_rng_exponential(services) * 2e7 + 0.5);
        batch->fn[i] = 0;
    }
}

static fsim_status write_batches(fsim_trace_writer *writer, uint64_t rows, fsim_error *err) {
    fsim_rng gaps, services;
    fsim_ns at_ns = 0;
    fsim_arrivals *batch = calloc(1, sizeof *batch);
    fsim_status status = batch != NULL ? FSIM_OK : fsim_fail(err, FSIM_ELIMIT, "out of memory");
    fsim_rng_seed(&gaps, 1, "trace", FSIM_RNG_ARRIVALS);
    fsim_rng_seed(&services, 1, "trace", FSIM_RNG_SERVICE);
    for (uint64_t done = 0; done < rows && status == FSIM_OK; done += batch->count) {
        batch->count = rows - done < FSIM_BATCH ? (uint32_t)(rows - done) : FSIM_BATCH;
        draw_batch(batch, &gaps, &services, &at_ns);
        status = fsim_trace_writer_batch(writer, batch, err);
    }
    free(batch);
    return status;
}

fsim_status fsim_bench_write_fst(const char *path, uint64_t rows, fsim_error *err) {
    fsim_trace_writer writer;
    fsim_fn_id fn;
    fsim_function_table *table = fsim_function_table_create();
    if (table == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_status status = fsim_function_table_intern(table, "fn", 2, &fn, err);
    if (status == FSIM_OK) {
        status = fsim_trace_writer_open(&writer, path, FSIM_TRACE_FST, 0, table, err);
    }
    if (status == FSIM_OK) {
        status = fsim_trace_writer_close(&writer, write_batches(&writer, rows, err), err);
    }
    fsim_function_table_destroy(table);
    return status;
}

static fsim_status read_batches(fsim_workload *workload, uint64_t *rows, uint64_t *digest, fsim_error *err) {
    fsim_arrivals *batch = malloc(sizeof *batch);
    fsim_status status = batch != NULL ? FSIM_OK : fsim_fail(err, FSIM_ELIMIT, "out of memory");
    uint64_t sum = 0;
    *rows = 0;
    while (status == FSIM_OK) {
        status = fsim_workload_next(workload, batch, err);
        if (status != FSIM_OK || batch->count == 0) {
            break;
        }
        for (uint32_t i = 0; i < batch->count; i++) {
            sum += (uint64_t)batch->at_ns[i] * 3u + (uint64_t)batch->service_ns[i] * 5u + batch->fn[i];
        }
        *rows += batch->count;
    }
    free(batch);
    *digest = sum;
    return status;
}

fsim_status fsim_bench_read_fst(const char *path, uint64_t *rows, uint64_t *digest, fsim_error *err) {
    fsim_value_pool *pool = fsim_value_pool_create();
    fsim_function_table *table = fsim_function_table_create();
    fsim_workload *workload = NULL;
    fsim_status status = FSIM_ELIMIT;
    if (pool != NULL && table != NULL) {
        fsim_value *config = fsim_value_new(pool, FSIM_VALUE_OBJECT, "bench");
        fsim_value_put(pool, config, "source", fsim_value_new_string(pool, "fst", "bench"));
        fsim_value_put(pool, config, "file", fsim_value_new_string(pool, path, "bench"));
        const fsim_source_context context = {.seed = 1, .path = "workload", .table = table, .pool = pool};
        status = fsim_workload_open(&workload, &context, config, err);
    }
    if (status == FSIM_OK) {
        status = read_batches(workload, rows, digest, err);
    }
    fsim_workload_close(workload);
    fsim_function_table_destroy(table);
    fsim_value_pool_destroy(pool);
    return status;
}
