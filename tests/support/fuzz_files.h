/* What fuzz targets of readers share: bytes as a file, and sources that must keep their promises on it. */
#ifndef FSIM_TESTS_FUZZ_FILES_H
#define FSIM_TESTS_FUZZ_FILES_H

#include <stddef.h>
#include <stdint.h>

/* A file in memory with these bytes; its name goes into `path`. Closed by the caller. */
int fuzz_open_file(const uint8_t *data, size_t size, char *path, size_t path_size);

/* The bytes as the file of a workload source, read to its end but for `requests_max` (0: all), `placement`
 * where it is not NULL: refused with a place and a message, or arrivals in order, of functions that exist,
 * with durations. */
void fuzz_source(const char *source, const char *placement, const uint8_t *data, size_t size,
                 int64_t requests_max);

#endif
