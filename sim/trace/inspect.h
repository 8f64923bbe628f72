/* What is in a trace: the figures that papers about traces report. */
#ifndef FSIM_TRACE_INSPECT_H
#define FSIM_TRACE_INSPECT_H

#include "trace/trace.h"

#define FSIM_INSPECT_HOURS 168

/* NAN where the trace does not say or there are too few values. Percentiles as of type 7 (linear between
 * order statistics). */
/* Functions that are called by the same kind of event, as the trace names it. */
typedef struct fsim_inspect_trigger {
    char name[64];
    uint64_t functions, invocations;
} fsim_inspect_trigger;

#define FSIM_INSPECT_TRIGGERS 64

typedef struct fsim_inspection {
    char format[64];
    uint64_t functions, invocations;
    double span_s;       /* buckets: all of them; rows: from time 0 to the last request */
    double mean_per_min; /* of a series: over the buckets that are there */
    double peak_per_min; /* of the minutes (or of longer buckets, as a rate) */
    double share_below_1_per_min, share_at_most_1_per_hour; /* of functions, over the whole span */
    /* Coefficient of variation of the gaps, over functions with at least 3 requests (buckets, placed as the
     * options say, the first 10^6 of a function) or 5 (rows). */
    double iat_cv[4]; /* p25 p50 p75 p90 */
    double duration_s[3],
        duration_mean_s; /* p50 p90 p99; buckets: of the means of functions, mean weighted by requests */
    double memory_mb[2]; /* p50 p99 over apps, or functions where there are no apps */
    /* Requests in each hour of the day and of seven days. By the calendar, the week from Monday on, where the
     * trace has one; else time 0 of the trace is 0:00 of the first day. */
    double hourly[24], weekly[FSIM_INSPECT_HOURS];
    fsim_ns clock_ns; /* of the week, at the first instant that was looked at */
    /* By functions, most first; beyond FSIM_INSPECT_TRIGGERS - 1 kinds the rest is the last, "others". */
    fsim_inspect_trigger triggers[FSIM_INSPECT_TRIGGERS];
    uint32_t trigger_count;
    fsim_trace_facts facts;
} fsim_inspection;

/* Of buckets. */
fsim_status fsim_inspect_buckets(fsim_inspection *out, const fsim_trace *trace, fsim_error *err);

/* Of rows, batch by batch in order of arrival; `fn` numbers functions. Durations: exact up to 2^20 rows, a
 * random sample of that size beyond. */
typedef struct fsim_row_inspector fsim_row_inspector;
fsim_row_inspector *fsim_row_inspector_create(void); /* NULL: out of memory */
fsim_status fsim_row_inspector_add(fsim_row_inspector *inspector, const fsim_arrivals *batch,
                                   fsim_error *err);
/* Everything but format, memory and facts. */
fsim_status fsim_row_inspector_finish(fsim_row_inspector *inspector, fsim_inspection *out, fsim_error *err);
/* The memory, over the functions that have rows: memory_mb of each by its number, 0 where it is not known;
 * all of them are among the `count`. After _finish. The list is sorted. */
void fsim_row_inspector_memory(const fsim_row_inspector *inspector, double *memory_mb, uint32_t count,
                               fsim_inspection *out);
void fsim_row_inspector_destroy(fsim_row_inspector *inspector); /* NULL allowed */

/* All of a trace of rows. */
fsim_status fsim_inspect_rows(fsim_inspection *out, fsim_trace *trace, fsim_error *err);

#endif
