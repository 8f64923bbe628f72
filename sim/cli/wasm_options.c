#include "cli/wasm_options.h"

#include "io/file.h"

#include <stdlib.h>

fsim_status fsim_wasm_check_file(const char *path, const fsim_worker_limits *limits, fsim_error *err) {
    char *bytes = NULL;
    size_t size = 0;
    fsim_wasm_module about;
    FSIM_TRY(fsim_file_read_all(path, (size_t)limits->bounds.module_bytes, &bytes, &size, err));
    fsim_status status = fsim_wasm_check(&about, (const uint8_t *)bytes, size, &limits->bounds, path, err);
    free(bytes);
    return status;
}

fsim_worker_limits fsim_wasm_limits(const fsim_wasm_values *values) {
    fsim_worker_limits limits = fsim_worker_default_limits;
    limits.cpu_ns = values->cpu_ns > 0 ? values->cpu_ns : limits.cpu_ns;
    limits.wall_ns = values->wall_ns > 0 ? values->wall_ns : limits.wall_ns;
    if (values->memory_mb > 0) {
        limits.bounds.memory_pages = (uint32_t)values->memory_mb * 16u;
        limits.data_bytes = ((uint64_t)values->memory_mb + 192u) << 20;
    }
    limits.output_bytes = values->output_kb > 0 ? (uint64_t)values->output_kb << 10 : limits.output_bytes;
    return limits;
}
