/* What several sources share: their rate parameters and the tight loop of a Poisson process. */
#ifndef FSIM_SOURCES_ARRIVAL_SUPPORT_H
#define FSIM_SOURCES_ARRIVAL_SUPPORT_H

#include "api/source_api.h"

/* Requests a second. Gaps are whole nanoseconds: at the largest rate (10 ns apart) rounding shifts the rate
 * by 0.05 %, at a tenth of it by 0.0005 %. */
#define FSIM_RATE_MAX 1e8

/* Reads a required rate from 0 to FSIM_RATE_MAX; 0 only where zero_ok. */
fsim_status fsim_source_read_rate(const fsim_value *config, const char *key, bool zero_ok, double *rate,
                                  fsim_error *err);
/* Reads a required span; 0 only where zero_ok. */
fsim_status fsim_source_read_span(const fsim_value *config, const char *key, bool zero_ok, fsim_ns *span,
                                  fsim_error *err);
/* Reads a required distribution or span of times. */
fsim_status fsim_source_read_dist(const fsim_value *config, const char *key,
                                  const fsim_source_context *context, fsim_dist *dist, fsim_error *err);
/* A required array with at least one item; FSIM_ECONFIG otherwise. */
fsim_status fsim_source_read_array(const fsim_value *config, const char *key, const fsim_value **array,
                                   fsim_error *err);

/* Gives all rows of the batch to one function, durations left to be drawn. */
void fsim_source_fill(fsim_arrivals *batch, fsim_fn_id fn);

/* What stands for the session that a trace calls `text` (len bytes, at least 1): never 0. */
uint64_t fsim_source_session_id(const char *text, size_t len);

/* Appends the instants of a Poisson process with this mean gap, beginning at *at_ns, to the batch. True: the
 * batch is full, and *at_ns is its last instant. False: the next one would lie at or beyond end_ns; *at_ns
 * stays at the last one before (the process has no memory: whoever goes on at end_ns draws anew). 3 ns each.
 */
bool fsim_source_run_poisson(fsim_rng *rng, double mean_gap_ns, fsim_ns end_ns, fsim_ns *at_ns,
                             fsim_arrivals *batch);

#endif
