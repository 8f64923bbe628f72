/* Traces as the simulator sees them. Every reader produces one of two shapes:
 *
 *   buckets   how many requests of each function arrived in each bucket of time (Azure 2019, Huawei 2023,
 * rate series). Read once into a few bytes a cell (fsim_bucketed), which runs on any thread share; where in
 * its bucket a request arrives is drawn while it is replayed (trace/bucket_stream.h). rows      one row a
 * request (Azure 2021, Huawei 2025, logs): a stream that is read anew for each run, in batches; memory does
 * not grow with its length.
 *
 * Time 0 is where the trace says (Azure: the start of day 1), else the first bucket or request; calendar
 * times are kept as text in fsim_trace_facts. */
#ifndef FSIM_TRACE_TRACE_H
#define FSIM_TRACE_TRACE_H

#include "api/arrivals.h"
#include "base/error.h"
#include "base/placement.h"

#include <stddef.h>

/* ---- functions ---- */

/* How the duration of a request is found when its row does not say it. */
typedef enum fsim_duration_kind {
    FSIM_DURATION_OPEN,      /* not by the trace: the function's `service` distribution */
    FSIM_DURATION_KNOTS,     /* by percentiles, a straight line between two of them */
    FSIM_DURATION_STEPS,     /* by percentiles, rounded up to the next of them */
    FSIM_DURATION_LOGNORMAL, /* exp(mu + sigma Z) seconds */
    FSIM_DURATION_MEAN,      /* always mean_ns */
    FSIM_DURATION_FITTED     /* KNOTS, with the last two lines bent until the mean is right */
} fsim_duration_kind;

/* The percentiles that traces publish: 0, 1, 25, 50, 75, 99, 100. */
#define FSIM_KNOTS 7
extern const double fsim_knot_probabilities[FSIM_KNOTS];
#define FSIM_SHOULDER 0.95 /* where FITTED bends the line from 75 to 99 */

typedef struct fsim_trace_durations {
    fsim_duration_kind kind;
    bool known, has_knots;            /* the fields below were given by the trace */
    fsim_ns mean_ns;                  /* "Average" */
    fsim_ns knot_ns[FSIM_KNOTS];      /* ascending; KNOTS, STEPS */
    fsim_ns curve_ns[FSIM_KNOTS + 1]; /* FITTED: the knots, and the percentile 95 before the last two */
    double tail;                      /* FITTED: knot 5 + (knot 6 - knot 5) t^tail, t uniform, at the end */
    uint64_t count;                   /* requests behind these figures; 0: unknown */
    double mu, sigma;                 /* LOGNORMAL: of the natural logarithm of seconds */
    fsim_ns floor_ns;                 /* shorter draws become this */
} fsim_trace_durations;

/* FITTED, of knot_ns and mean_ns. The percentiles that are published are of averages over 30 s and the last
 * one is the longest request of all: straight lines through them have twice the mean of the busy functions.
 * Two bends make the mean that of the trace. The curve of the last hundredth sinks, at most until it stays at
 * the percentile 99; what is still too much is taken from the line before it, which then rises late, after a
 * percentile 95 as low as it must be, at least that of 75. */
void fsim_trace_durations_bend(fsim_trace_durations *d);

/* Strings belong to the trace; NULL: the format has none. */
typedef struct fsim_trace_function {
    const char *name; /* unique in the trace */
    const char *app, *owner, *trigger, *runtime;
    int64_t memory_mb;    /* 0: unknown */
    double vcpu;          /* of an instance; 0: unknown */
    uint32_t concurrency; /* of an instance; 0: unknown */
    uint32_t min_instances;
    double memory_mean;   /* MB as the trace gives it (of the app, where it is per app); 0: unknown */
    uint64_t invocations; /* buckets: sum of its counts; rows: those read so far */
    fsim_trace_durations durations;
} fsim_trace_function;

/* ---- buckets ---- */

/* Counts by function: function f has the cells cells[first[f]] … cells[first[f + 1]], in order of bucket. A
 * cell is a distance from the bucket in front, in buckets (from -1 for the first one, so at least 1), and a
 * count, at least 1, as one or two LEB128 numbers (7 bits a byte, low ones first, the high bit says that more
 * follow). The lowest bits of the first one say which: 01, the distance is 1 and the rest of it the count;
 * 11, the count is 1 and the rest the distance; 0, the rest is the distance and the second number the count.
 * Typically a byte and a quarter a cell. Plain data. */
typedef struct fsim_bucketed {
    fsim_ns bucket_ns;
    uint64_t bucket_count; /* buckets that the trace covers, empty ones included */
    uint32_t function_count;
    const fsim_trace_function *functions;
    const uint64_t *first; /* function_count + 1 */
    const uint8_t *cells;
    uint64_t invocations; /* sum of all counts */
} fsim_bucketed;

/* Walks the cells of one function. */
typedef struct fsim_cell_cursor {
    const uint8_t *at, *end;
    uint64_t bucket; /* of the cell last read */
    uint64_t count;
} fsim_cell_cursor;

static inline fsim_cell_cursor fsim_cells_of(const fsim_bucketed *t, uint32_t f) {
    return (fsim_cell_cursor){t->cells + t->first[f], t->cells + t->first[f + 1], UINT64_MAX, 0};
}

static inline uint64_t fsim_cell_number(fsim_cell_cursor *c) {
    uint64_t value = 0;
    for (unsigned shift = 0; c->at < c->end && shift < 64; shift += 7) {
        uint8_t byte = *c->at++;
        value |= (uint64_t)(byte & 0x7fu) << shift;
        if (byte < 0x80u) {
            break;
        }
    }
    return value;
}

/* The next cell; false at the end. Never reads beyond it, whatever the bytes are. */
static inline bool fsim_cells_next(fsim_cell_cursor *c) {
    if (c->at >= c->end) {
        return false;
    }
    uint64_t word = fsim_cell_number(c);
    bool alone = (word & 1u) != 0, follows = (word & 3u) == 1u;
    c->bucket += !alone ? word >> 1 : follows ? 1u : word >> 2;
    c->count = !alone ? fsim_cell_number(c) : follows ? word >> 2 : 1u;
    return true;
}

/* ---- options ---- */

typedef enum fsim_trace_join {
    FSIM_JOIN_INNER, /* a function without a row of durations or memory is left out, where the trace has such
                      */
    FSIM_JOIN_LOGNORMAL /* the laws published with Azure 2019 stand in for what is missing */
} fsim_trace_join;

typedef enum fsim_trace_memory {
    FSIM_MEMORY_APP,     /* an instance of a function is as large as its app: the app is what is allocated */
    FSIM_MEMORY_FUNCTION /* the app's memory divided by its functions, as FaasCache and In-Vitro do */
} fsim_trace_memory;

/* What the numbers of a series are. */
typedef enum fsim_trace_values {
    FSIM_VALUES_AUTO,  /* by the name of the column; requests of a bucket where it says nothing */
    FSIM_VALUES_COUNT, /* requests of a bucket */
    FSIM_VALUES_RPS    /* requests per second */
} fsim_trace_values;

extern const char *const fsim_trace_join_names[];
extern const char *const fsim_trace_memory_names[];
extern const char *const fsim_trace_values_names[];
extern const char
    *const fsim_trace_sampling_names[]; /* linear, step, lognormal, mean, fitted: kinds from KNOTS on */

/* Zeroed is not the default: fsim_trace_options_default. */
typedef struct fsim_trace_options {
    fsim_placement placement;
    fsim_trace_join join;
    fsim_duration_kind sampling; /* FITTED (default), KNOTS, STEPS, LOGNORMAL (of mean and median), MEAN */
    fsim_ns floor_ns;            /* of drawn durations; default 1 ms: published percentiles are whole ms */
    fsim_trace_memory memory;
    fsim_trace_values values;  /* of a series */
    fsim_ns bucket_ns;         /* of a series; 0: its smallest step, or 1 s where it has no times */
    double scale_rate;         /* requests times this; fractions are carried on, so that sums stay right */
    double scale_time;         /* the time axis times this: 2 makes a day last two */
    fsim_ns from_ns, until_ns; /* only what arrives in [from, until) of the trace; from becomes 0 */
    uint32_t functions_top;    /* only the N functions with the most invocations; 0: all */
    uint64_t seed;             /* of laws that stand in for missing data */
} fsim_trace_options;

/* Whether the file is of a known format, and its name; NULL: it is not, or no regular file. */
const char *fsim_trace_recognise(const char *path);

/* Whether a file that begins so can be read front to back, once: a native request trace, .fst, or JSON that
 * is no answer of Prometheus. */
bool fsim_trace_is_streamed(const char *head);

/* The files that are read of a trace's file or folder, in order of name, until `visit` says false. */
typedef bool (*fsim_trace_visit)(void *user, const char *path);
fsim_status fsim_trace_list(const char *path, fsim_trace_visit visit, void *user, fsim_error *err);

void fsim_trace_options_default(fsim_trace_options *options);

/* ---- a trace ---- */

/* What was left out, and why. */
typedef struct fsim_trace_drop {
    const char *reason; /* "no row of durations" */
    uint64_t rows, invocations;
} fsim_trace_drop;

#define FSIM_TRACE_DROPS 16

typedef struct fsim_trace_facts {
    const char *format; /* "azure-2019" */
    int64_t begins_ns;  /* what a calendar shows at time 0 of the trace, in its time zone where it names none:
                         * ns since 1970; 0: the trace counts from a zero of its own */
    uint32_t files;
    bool memory_per_function; /* its memory is of functions, not of apps */
    bool functions_only;      /* a table of functions without their requests */
    uint32_t drop_count;
    fsim_trace_drop drops[FSIM_TRACE_DROPS];
    uint64_t buckets_missing; /* of a series: no row for them, which is not the same as no request */
    uint64_t count_differs;   /* functions whose second count source disagrees with the sum of the buckets */
} fsim_trace_facts;

typedef struct fsim_trace fsim_trace;

/* Opens one trace: a file, several that belong together, or a folder of them; gzip and zstd by their magic
 * bytes. The format is told by the header. FSIM_EDATA with file:line:column for what is wrong in the data,
 * FSIM_EIO, FSIM_ECONFIG for options that do not fit the format. Paths are relative to base_dir (NULL: as
 * they are). Buckets are read here, rows by fsim_trace_next. */
fsim_status fsim_trace_open(fsim_trace **out, const fsim_trace_options *options, const char *base_dir,
                            const char *const *paths, size_t path_count, fsim_error *err);
void fsim_trace_close(fsim_trace *trace); /* NULL allowed */

/* NULL: the trace is rows. Read-only and valid until close: any number of threads may replay it. */
const fsim_bucketed *fsim_trace_buckets(const fsim_trace *trace);

/* Rows: the next batch, in order of arrival; count 0 is the end. `fn` indexes the trace's own functions,
 * whose number grows while rows are read. Formats that are not written in order of arrival are sorted in a
 * window of FSIM_TRACE_WINDOW rows; a row that comes later still is FSIM_EDATA. */
#define FSIM_TRACE_WINDOW 65536u
fsim_status fsim_trace_next(fsim_trace *trace, fsim_arrivals *batch, fsim_error *err);
uint32_t fsim_trace_function_count(const fsim_trace *trace);
/* Valid until the next fsim_trace_next. */
const fsim_trace_function *fsim_trace_function_at(const fsim_trace *trace, uint32_t f);

/* Rows: false where functions_top leaves its requests out. */
bool fsim_trace_keeps(const fsim_trace *trace, uint32_t f);

const fsim_trace_options *fsim_trace_options_of(const fsim_trace *trace);
/* What was read and left out; of rows, so far. */
const fsim_trace_facts *fsim_trace_about(const fsim_trace *trace);
/* Share of the input read so far, 0..1; -1: unknown. */
double fsim_trace_progress(const fsim_trace *trace);

#endif
