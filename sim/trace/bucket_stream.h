/* A bucketed trace as arrivals, without expanding it to rows: any subset of its functions, merged in order of
 * time. The random streams of a function are keyed by (seed, its name, purpose), so that its instants and
 * durations are the same in any subset: functions that share nothing may be replayed one by one, on any
 * threads.
 *
 * One function: its buckets one after another. Several: a bucket is cut into windows of some thousand
 * arrivals; each function gives those of the window, and a counting sort puts them in order; at one instant
 * in the order of the functions. Cost of an arrival with its duration: 6 to 9 ns alone, 15 ns merged; memory:
 * 200 bytes a function and one window, nothing is allocated in between. */
#ifndef FSIM_TRACE_BUCKET_STREAM_H
#define FSIM_TRACE_BUCKET_STREAM_H

#include "trace/trace.h"

typedef struct fsim_bucket_stream fsim_bucket_stream;

/* Replays all functions of `trace`, which is borrowed; call fsim_bucket_stream_select for some of them.
 * `ids` (borrowed, by index of the trace's functions; NULL: the index) is what stands in `fn` of a batch.
 * FSIM_ELIMIT out of memory. */
fsim_status fsim_bucket_stream_open(fsim_bucket_stream **out, const fsim_bucketed *trace,
                                    fsim_placement placement, uint64_t seed, const fsim_fn_id *ids,
                                    fsim_error *err);
/* Begins anew with these functions only (ascending, borrowed until the next call; NULL: the first `count`).
 * Needs no memory for a single function. */
fsim_status fsim_bucket_stream_select(fsim_bucket_stream *stream, const uint32_t *functions, uint32_t count,
                                      fsim_error *err);
/* Up to FSIM_BATCH arrivals; count 0 is the end. service_ns is FSIM_DRAW where durations are open. */
fsim_status fsim_bucket_stream_next(fsim_bucket_stream *stream, fsim_arrivals *batch, fsim_error *err);
/* For callers that need no order between functions: the arrivals of the k-th function of the selection before
 * until_ns, at most `max`; fewer: there are no more. Functions in any order and on several threads, each in
 * order of time and by one thread at a time; not mixed with fsim_bucket_stream_next. `room` for so many gaps
 * saves drawing them twice, and must stay as it is until the function has been taken to the end of a
 * bucket. */
uint32_t fsim_bucket_stream_take(fsim_bucket_stream *stream, uint32_t k, fsim_ns until_ns, fsim_ns *at_ns,
                                 fsim_ns *service_ns, uint32_t max, double *room, uint32_t room_for);
/* No arrival of that function that is still to be taken is before this; FSIM_NEVER: there is none. */
fsim_ns fsim_bucket_stream_next_ns(const fsim_bucket_stream *stream, uint32_t k);
/* Share of the buckets that are done, 0..1. */
double fsim_bucket_stream_progress(const fsim_bucket_stream *stream);
void fsim_bucket_stream_close(fsim_bucket_stream *stream); /* NULL allowed */

/* `n` durations of a function from its stream of FSIM_RNG_SERVICE. */
void fsim_trace_durations_fill(const fsim_trace_durations *durations, fsim_rng *rng, fsim_ns *out,
                               uint32_t n);

#endif
