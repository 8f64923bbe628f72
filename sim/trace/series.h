/* Points of time with a number of requests each, in any order, on their way into buckets: shared by the
 * readers of series. Memory: 32 bytes a point. */
#ifndef FSIM_TRACE_SERIES_H
#define FSIM_TRACE_SERIES_H

#include "trace/trace_parts.h"

typedef struct series_point {
    int64_t at_ns;
    int64_t amount; /* billionths of a request, or of a request per second */
    uint32_t f;
    uint32_t order; /* in the files: of two points at one instant the first one counts */
    uint32_t file, series;
} series_point;

typedef struct series_points {
    series_point *points;
    size_t count, capacity;
    bool are_rates;
    uint32_t file, series; /* of the points that are added now: those of one instant add up where several
                            * series of one file are of one function */
} series_points;

fsim_status series_add(series_points *points, int64_t at_ns, int64_t amount, uint32_t f, fsim_error *err);
/* Sorts, adds up or drops second points of an instant, finds the bucket (options.bucket_ns, else the largest
 * span of which every step is a multiple, a second at least), and fills t->builder and the axis. */
fsim_status series_settle(fsim_trace *t, series_points *points, fsim_error *err);
void series_free(series_points *points);
/* Whether a column is called as the numbers of a series are. */
bool series_names_value(const trace_probe *probe);

#endif
