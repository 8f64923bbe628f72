#include "autoscale/metric_window.h"

#include "autoscale/time_slot.h"
#include "base/error.h"

#include <math.h>

#define SMOOTHING_MIN   0.2
#define WEIGHT_LEFT_OUT 0.0001 /* of the sum of weights, at most, by the buckets beyond the window */
#define ROUNDING        1e6

static double *bucket_at(const fsim_metric_window *w, int64_t number) {
    int64_t slot = number % w->capacity;
    return &w->buckets[slot < 0 ? slot + w->capacity : slot];
}

/* Sum of the `count` oldest buckets of the window. */
static double sum_oldest(const fsim_metric_window *w, int64_t count) {
    double sum = 0.0;
    for (int64_t k = w->last - w->n + 1, end = k + count; k < end; k++) {
        sum += *bucket_at(w, k);
    }
    return sum;
}

static void clear_oldest(fsim_metric_window *w, int64_t count) {
    for (int64_t k = w->last - w->n + 1, end = k + count; k < end; k++) {
        double *bucket = bucket_at(w, k);
        w->total -= *bucket;
        *bucket = 0.0;
    }
}

/* Buckets from the newest write to `now`; 0 when `now` is not later. */
static int64_t gap_until(const fsim_metric_window *w, fsim_ns now_ns) {
    int64_t gap = fsim_time_slot(now_ns, w->bucket_ns) - w->last;
    return gap < 0 ? 0 : gap;
}

int64_t fsim_metric_window_buckets(fsim_ns window_ns, fsim_ns bucket_ns) {
    return fsim_time_slots(window_ns, bucket_ns);
}

double fsim_metric_window_smoothing(int64_t n) {
    return fmax(SMOOTHING_MIN, 1.0 - pow(WEIGHT_LEFT_OUT, 1.0 / (double)n));
}

void fsim_metric_window_init(fsim_metric_window *w, double *buckets, int64_t capacity, fsim_ns window_ns,
                             fsim_ns bucket_ns, fsim_metric_average average) {
    fsim_assert(window_ns > 0 && bucket_ns > 0);
    int64_t n = fsim_metric_window_buckets(window_ns, bucket_ns);
    fsim_assert(n <= capacity);
    *w = (fsim_metric_window){.buckets = buckets,
                              .capacity = capacity,
                              .n = n,
                              .window_ns = window_ns,
                              .bucket_ns = bucket_ns,
                              .average = average,
                              .smoothing = fsim_metric_window_smoothing(n)};
    for (int64_t k = 0; k < capacity; k++) {
        buckets[k] = 0.0;
    }
}

/* Moves the newest bucket forward to `number`, dropping what leaves the window. */
static void advance(fsim_metric_window *w, int64_t number) {
    int64_t gap = number - w->last;
    if (!w->written || gap >= w->n) {
        if (w->written) {
            clear_oldest(w, w->n);
        }
        w->total = 0.0; /* not what rounding left of it */
        w->first = number;
        w->written = true;
    } else {
        clear_oldest(w, gap);
    }
    w->last = number;
}

void fsim_metric_window_record(fsim_metric_window *w, fsim_ns at_ns, double value) {
    int64_t number = fsim_time_slot(at_ns, w->bucket_ns);
    if (!w->written || number > w->last) {
        advance(w, number);
    } else if (number <= w->last - w->n) {
        return;
    } else if (number < w->first) {
        w->first = number;
    }
    *bucket_at(w, number) += value;
    w->total += value;
}

bool fsim_metric_window_is_empty(const fsim_metric_window *w, fsim_ns now_ns) {
    return !w->written || gap_until(w, now_ns) > w->window_ns / w->bucket_ns;
}

static double weighted_average(const fsim_metric_window *w, int64_t gap) {
    double weight = w->smoothing;
    for (int64_t k = 0; k < gap; k++) {
        weight *= 1.0 - w->smoothing;
    }
    double sum = 0.0;
    for (int64_t k = 0; k < w->n - gap; k++) {
        sum += *bucket_at(w, w->last - k) * weight;
        weight *= 1.0 - w->smoothing;
    }
    return sum;
}

double fsim_metric_window_average(const fsim_metric_window *w, fsim_ns now_ns) {
    int64_t gap = w->written ? gap_until(w, now_ns) : w->n;
    if (gap >= w->n) {
        return 0.0;
    }
    if (w->average == FSIM_METRIC_WEIGHTED) {
        return weighted_average(w, gap);
    }
    int64_t run = w->last - w->first + 1;
    int64_t inside = w->n - gap;
    double mean = (w->total - sum_oldest(w, gap)) / (double)(run < inside ? run : inside);
    return round(mean * ROUNDING) / ROUNDING + 0.0; /* never -0 */
}

double fsim_metric_window_sum(const fsim_metric_window *w, fsim_ns now_ns) {
    int64_t gap = w->written ? gap_until(w, now_ns) : w->n;
    return gap >= w->n ? 0.0 : w->total - sum_oldest(w, gap);
}

bool fsim_metric_window_resize(fsim_metric_window *w, fsim_ns window_ns) {
    fsim_assert(window_ns > 0);
    int64_t n = fsim_metric_window_buckets(window_ns, w->bucket_ns);
    if (n > w->capacity) {
        return false;
    }
    if (window_ns == w->window_ns) {
        return true;
    }
    if (w->written) {
        if (n < w->n) {
            clear_oldest(w, w->n - n);
        }
        w->first = w->last - (w->n - 1);
    }
    w->window_ns = window_ns;
    w->n = n;
    w->smoothing = fsim_metric_window_smoothing(n);
    return true;
}
