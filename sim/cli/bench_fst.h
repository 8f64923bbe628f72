/* What `fsim bench` does with columnar traces. */
#ifndef FSIM_CLI_BENCH_FST_H
#define FSIM_CLI_BENCH_FST_H

#include "base/error.h"

#include <stdint.h>

/* Poisson arrivals of function "fn", 10 us apart on average, that take 20 ms on average, both to the
 * nanosecond: the arrivals of the row lambda-1fn. */
fsim_status fsim_bench_write_fst(const char *path, uint64_t rows, fsim_error *err);

/* Every arrival through the source, as a run gets them; *digest is over all instants and durations. */
fsim_status fsim_bench_read_fst(const char *path, uint64_t *rows, uint64_t *digest, fsim_error *err);

#endif
