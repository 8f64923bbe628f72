/* A log of real requests, for pricing: CSV with a row per request, or the REPORT lines that AWS Lambda writes
 * ("REPORT RequestId: … Duration: 31414.74 ms … Memory Size: 2048 MB … Init Duration: 548.72 ms").
 *
 * Columns, in any order: start_s (or _ms, _us, _ns) and end_… in the same unit or another, memory_mb;
 * optional function, instance, vcpu_milli, disk_mb, cpu_ms, init_ms, max_memory_mb. Requests of one instance
 * belong together; without that column each request is on an instance of its own, as where one instance
 * serves one request at a time. A request that ends before it starts is FSIM_EDATA at its line. */
#ifndef FSIM_IO_REQUEST_LOG_H
#define FSIM_IO_REQUEST_LOG_H

#include "base/value.h"
#include "billing/timeline.h"

typedef struct fsim_request_log {
    fsim_timeline_instance *instances;
    uint32_t instance_count, request_count;
    bool has_instances, has_cpu, has_times; /* REPORT lines tell lengths only */
    void *store;                            /* owns all of it */
} fsim_request_log;

/* `observed`: memory is what was in use (max_memory_mb, "Max Memory Used") where the log tells it. Failures:
 * FSIM_EIO, FSIM_EDATA with line and column. */
fsim_status fsim_request_log_read(fsim_request_log *out, const char *path, bool observed, fsim_error *err);
void fsim_request_log_free(fsim_request_log *log);

/* Is the file REPORT lines or CSV with a start and an end, packed or not? For who takes several formats. */
bool fsim_request_log_is_at(const char *path);

#endif
