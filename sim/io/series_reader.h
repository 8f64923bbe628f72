/* Reads a recorded metric series: CSV, or the JSON answer of a Prometheus range query.
 *
 * CSV: one column of time and any of the others, by header name in any order and any case.
 *
 *     time_s time_ms time_us time_ns       a number since any origin; timestamp_s … are the same
 *     time timestamp                       ISO 8601 (base/calendar.h), or Unix time: seconds, and beyond
 *                                          10^11 milliseconds, 10^14 microseconds, 10^17 nanoseconds
 *     concurrency in_flight in_execution   requests in execution
 *     rps requests_per_s                   requests that arrive, a second
 *     requests                             how many arrived since the row before; the first row: as if it
 *                                          stood as far behind another as the second behind it
 *     queue queued queue_length            requests or messages that wait
 *     cpu cpu_percent                      % of an instance's vCPU, mean of the ready ones; cpu_share: 0..1
 *     cpu_cores                            vCPU in use by all instances together
 *     memory memory_percent                % of an instance's memory, mean of the ready ones;
 *                                          memory_share: 0..1
 *     memory_mb                            MB in use in one instance, mean of the ready ones
 *     ready ready_instances                instances that are ready
 *     replicas wanted                      instances that are asked for
 *     value                                the one metric that the policy reads: value_is
 *
 * Prometheus: a `matrix`. Each of its series is a column, by its __name__, else by the value of any of its
 * labels, else `value`; all of them have the same instants.
 *
 * Rows are strictly ascending in time, every cell holds a finite number of at least 0, and there is no gap:
 * no step of more than one and a half times the median step (or of the limit given). All failures are
 * FSIM_EDATA at file:line:column, or file#/data/result/i/values/k, with the nearest name for an unknown
 * column. */
#ifndef FSIM_IO_SERIES_READER_H
#define FSIM_IO_SERIES_READER_H

#include "api/metric_series.h"

typedef struct fsim_series_options {
    /* The columns to read, all others then being left alone: "name", or "known=name" for a column that has
     * another name in the file. count 0: all, and an unknown one is an error. */
    const char *const *columns;
    size_t column_count;
    fsim_input value_is; /* what `value` is; FSIM_INPUTS: that is not known, the column is refused */
    fsim_ns max_gap_ns;  /* the largest step allowed; 0: one and a half times the median; FSIM_NEVER: any */
} fsim_series_options;

/* Reads `path` ("-": standard input), packed or not; what begins with a brace is of Prometheus. The
 * caller owns what *out holds (fsim_metric_series_destroy). At most FSIM_SERIES_POINTS_MAX rows. */
fsim_status fsim_series_read(fsim_metric_series *out, const char *path, const fsim_series_options *options,
                             fsim_error *err);

#endif
