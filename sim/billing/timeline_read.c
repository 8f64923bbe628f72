/* Reading timelines; see timeline.h. */
#include "billing/timeline.h"

#include <string.h>

#define SCHEMA "fsim.timeline/1"

/* An array of `width` whole numbers >= 0. */
static fsim_status read_row(const fsim_value *row, size_t width, int64_t *out, fsim_error *err) {
    if (row->kind != FSIM_VALUE_ARRAY || row->count != width) {
        return fsim_value_fail(row, err, "expected an array of %zu whole numbers", width);
    }
    for (fsim_value *item = row->first; item != NULL; item = item->next) {
        if (item->kind != FSIM_VALUE_INTEGER || item->integer < 0 || item->integer > INT64_MAX / FSIM_US) {
            return fsim_value_fail(item, err, "expected a whole number, not negative");
        }
        fsim_value_mark_used(item);
        *out++ = item->integer;
    }
    return FSIM_OK;
}

/* The rows under `key`; *rows is NULL with count 0 when it is absent. */
static fsim_status open_rows(fsim_value_pool *pool, const fsim_value *object, const char *key, size_t size,
                             const fsim_value **first, void **rows, fsim_error *err) {
    const fsim_value *array = fsim_value_get(object, key);
    *first = NULL;
    *rows = NULL;
    if (array == NULL) {
        return FSIM_OK;
    }
    if (array->kind != FSIM_VALUE_ARRAY || array->count > UINT32_MAX / 2) {
        return fsim_value_fail(array, err, "expected an array");
    }
    *first = array->first;
    *rows = fsim_value_pool_alloc(pool, size * (array->count + 1));
    return *rows == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory") : FSIM_OK;
}

/* Requests and CPU. */
static fsim_status read_spans(fsim_value_pool *pool, const fsim_value *object, fsim_timeline_instance *out,
                              fsim_error *err) {
    int64_t n[3] = {0};
    const fsim_value *row;
    void *rows;
    FSIM_TRY(open_rows(pool, object, "requests_us", sizeof *out->requests, &row, &rows, err));
    out->requests = rows;
    for (; row != NULL; row = row->next) {
        FSIM_TRY(read_row(row, 2, n, err));
        out->requests[out->request_count++] = (fsim_timeline_request){n[0] * FSIM_US, n[1] * FSIM_US};
    }
    FSIM_TRY(open_rows(pool, object, "cpu_us", sizeof *out->cpu, &row, &rows, err));
    fsim_timeline_cpu *cpu = rows;
    for (; row != NULL; row = row->next) {
        FSIM_TRY(read_row(row, 3, n, err));
        if (n[2] > 1000000) {
            return fsim_value_fail(row, err, "expected at most 1000000 thousandths of a core");
        }
        cpu[out->cpu_count++] =
            (fsim_timeline_cpu){n[0] * FSIM_US, n[1] * FSIM_US, (uint32_t)(n[2] * (FSIM_UCORE / 1000))};
    }
    if (cpu != NULL && out->cpu_count == 0) { /* "cpu_us": [] says that none was used */
        cpu[out->cpu_count++] = (fsim_timeline_cpu){.to_ns = 1};
    }
    out->cpu = cpu;
    return FSIM_OK;
}

/* Sessions hold the instance over [first, last + idle time-out), cut by their time to live; out->end_ns
 * becomes the latest of the ends (billing spec 1.1). */
static fsim_status read_sessions(fsim_value_pool *pool, const fsim_value *object, fsim_timeline_instance *out,
                                 fsim_error *err) {
    const int64_t most = INT64_MAX / FSIM_US;
    int64_t idle_us = 0, ttl_us = most / 4, n[2] = {0};
    const fsim_value *row;
    void *rows;
    FSIM_TRY(fsim_value_get_i64(object, "idle_timeout_us", 0, most / 4, &idle_us, err));
    FSIM_TRY(fsim_value_get_i64(object, "ttl_us", 1, most / 4, &ttl_us, err));
    FSIM_TRY(open_rows(pool, object, "sessions_us", 1, &row, &rows, err));
    for (; row != NULL; row = row->next) {
        FSIM_TRY(read_row(row, 2, n, err));
        if (n[1] < n[0]) {
            return fsim_value_fail(row, err, "a session ends before it starts");
        }
        int64_t end_us = n[1] / 4 > most / 4 - idle_us ? most : n[1] + idle_us;
        end_us = end_us - n[0] > ttl_us ? n[0] + ttl_us : end_us;
        if (out->end_ns == FSIM_NEVER || out->end_ns < end_us * FSIM_US) {
            out->end_ns = end_us * FSIM_US;
        }
    }
    return FSIM_OK;
}

static fsim_status read_instance(fsim_value_pool *pool, const fsim_value *object, fsim_timeline_instance *out,
                                 fsim_error *err) {
    const int64_t most = INT64_MAX / FSIM_US;
    int64_t memory_mb = 0, vcpu_milli = 1000, disk_mb = 0, init_us = 0, ready_us = 0, end_us = -1;
    *out = (fsim_timeline_instance){.freeze = true};
    FSIM_TRY(fsim_value_get_i64(object, "memory_mb", 1, 1 << 30, &memory_mb, err));
    FSIM_TRY(fsim_value_get_i64(object, "vcpu_milli", 1, 1000000, &vcpu_milli, err));
    FSIM_TRY(fsim_value_get_i64(object, "disk_mb", 0, 1 << 30, &disk_mb, err));
    FSIM_TRY(fsim_value_get_bool(object, "freeze", &out->freeze, err));
    FSIM_TRY(fsim_value_get_bool(object, "provisioned", &out->provisioned, err));
    FSIM_TRY(fsim_value_get_string(object, "function", &out->function, err));
    FSIM_TRY(fsim_value_get_i64(object, "init_us", 0, most, &init_us, err));
    FSIM_TRY(fsim_value_get_i64(object, "ready_us", 0, most, &ready_us, err));
    if (!fsim_value_is_off(fsim_value_get(object, "end_us"))) {
        FSIM_TRY(fsim_value_get_i64(object, "end_us", 0, most, &end_us, err));
    }
    if (memory_mb == 0) {
        return fsim_value_missing(object, "memory_mb", err);
    }
    out->memory_mb = (uint64_t)memory_mb;
    out->vcpu_milli = (uint64_t)vcpu_milli;
    out->disk_mb = (uint64_t)disk_mb;
    out->init_ns = init_us * FSIM_US;
    out->ready_ns = ready_us * FSIM_US;
    out->end_ns = end_us < 0 ? FSIM_NEVER : end_us * FSIM_US;
    FSIM_TRY(read_sessions(pool, object, out, err));
    return read_spans(pool, object, out, err);
}

fsim_status fsim_timeline_read(fsim_value_pool *pool, const fsim_value *root,
                               fsim_timeline_instance **instances, uint32_t *count, fsim_error *err) {
    const char *schema = SCHEMA;
    FSIM_TRY(fsim_value_get_string(root, "schema", &schema, err));
    if (strcmp(schema, SCHEMA) != 0) {
        return fsim_value_fail(fsim_value_get(root, "schema"), err, "found \"%s\", expected \"" SCHEMA "\"",
                               schema);
    }
    if (fsim_value_get(root, "instances") == NULL) {
        return fsim_value_missing(root, "instances", err);
    }
    const fsim_value *item;
    void *rows;
    FSIM_TRY(open_rows(pool, root, "instances", sizeof **instances, &item, &rows, err));
    *instances = rows;
    *count = 0;
    for (; item != NULL; item = item->next) {
        FSIM_TRY(read_instance(pool, item, &(*instances)[(*count)++], err));
    }
    return fsim_value_check_used(root, NULL, err);
}
