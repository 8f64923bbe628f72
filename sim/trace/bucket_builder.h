/* Collects counts by function and bucket while a trace is read, in any order, and lays them out as
 * fsim_bucketed. Counts of the same function and bucket add up. Memory: 2 to 3 bytes a cell while it is
 * collected; where functions were mentioned in about the same order throughout, no more while it is laid out.
 */
#ifndef FSIM_TRACE_BUCKET_BUILDER_H
#define FSIM_TRACE_BUCKET_BUILDER_H

#include "trace/trace.h"

typedef struct fsim_bucket_builder fsim_bucket_builder;

fsim_bucket_builder *fsim_bucket_builder_create(void);          /* NULL: out of memory */
void fsim_bucket_builder_destroy(fsim_bucket_builder *builder); /* NULL allowed */

/* Function f, which need not have been named before, gets `count` (0: nothing happens) in `bucket`. Cheapest
 * in order of bucket. FSIM_ELIMIT out of memory, or more than 2^62 requests of one function. */
fsim_status fsim_bucket_builder_add(fsim_bucket_builder *builder, uint32_t f, uint64_t bucket, uint64_t count,
                                    fsim_error *err);

/* Which part of what was collected is wanted, and how much of it. */
typedef struct fsim_bucket_cut {
    uint64_t from, until;     /* buckets [from, until); from becomes 0 */
    uint64_t group;           /* so many become one; no two cells of a function may meet in one */
    int64_t scale_billionths; /* counts times this / 10^9; fractions are carried to the function's next */
} fsim_bucket_cut;

/* Requests of function f in the cut, after scaling. */
uint64_t fsim_bucket_builder_total(const fsim_bucket_builder *builder, uint32_t f,
                                   const fsim_bucket_cut *cut);
/* The last bucket of function f that has requests, plus 1; 0: none. */
uint64_t fsim_bucket_builder_end(const fsim_bucket_builder *builder, uint32_t f);

/* Lays out `function_count` functions, by number in `functions`, each once. The caller frees *first and
 * *cells. What was laid out is gone from the builder, which is of no more use. */
fsim_status fsim_bucket_builder_finish(fsim_bucket_builder *builder, const fsim_bucket_cut *cut,
                                       const uint32_t *functions, uint32_t function_count, uint64_t **first,
                                       uint8_t **cells, fsim_error *err);

#endif
