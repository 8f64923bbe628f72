/* Workload sources: iterators that produce arrivals. One source is one file workloads/sources/<name>.c that
 * defines `const fsim_source_ops fsim_source_<name>`; the build lists it in the registry (api/registry.h),
 * and with that in `fsim list workloads`, in "source" of a scenario, and in the tests that run over all
 * sources. */
#ifndef FSIM_API_SOURCE_API_H
#define FSIM_API_SOURCE_API_H

#include "api/arrivals.h"
#include "api/function_table.h"
#include "base/value.h"

/* Users with think time are not a stream: their arrivals depend on the answers, so the engine runs them. A
 * closed source describes itself. */
typedef struct fsim_closed_plan {
    uint32_t users;
    fsim_dist think;
    fsim_fn_id fn;
    uint64_t requests_max; /* UINT64_MAX: no bound */
    fsim_ns until_ns;      /* last instant of an arrival; FSIM_NEVER */
    const char *path;      /* key of its random stream */
} fsim_closed_plan;

#define FSIM_CLOSED_MAX 16

/* What the parts of a superposition tell the workload around them. */
typedef struct fsim_workload_parts {
    bool endless;   /* some part never ends by itself */
    bool describes; /* some part may bring functions with settings of their own while it is read */
    uint32_t closed_count;
    fsim_closed_plan closed[FSIM_CLOSED_MAX];
} fsim_workload_parts;

/* What a source is opened with. All borrowed until close. */
typedef struct fsim_source_context {
    uint64_t seed;
    const char *path;               /* key of its random streams: "workload", "workload/of/0", … */
    fsim_function_table *table;     /* where names become ids */
    fsim_fn_id default_fn;          /* for sources that name no function */
    fsim_value_pool *pool;          /* for what lives as long as the run */
    const char *base_dir;           /* relative files in the scenario start here */
    const struct fsim_trace *trace; /* buckets that load_trace gave for this source; NULL: open your own */
    bool draw_all;                  /* the durations and CPU times that a source knows play no part */
    fsim_workload_parts
        *around; /* inside a superposition: the outermost workload's, which draws the durations; else NULL */
} fsim_source_context;

/* Functions whose arrivals do not depend on each other's. */
typedef struct fsim_source_streams {
    const fsim_fn_id *ids; /* of the functions, all different; borrowed */
    uint32_t count;
    fsim_ns bucket_ns;       /* instants at whose multiples it is cheap to stop */
    fsim_ns last_ns, end_ns; /* the last arrival is in [last_ns, end_ns) */
} fsim_source_streams;

/* Room for a function's bucket at work. It belongs to whoever asks; between two requests for a function that
 * end inside a bucket it must stay as it is, or be NULL for both. */
#define FSIM_SOURCE_SCRATCH 32768u
typedef struct fsim_source_scratch {
    double value[FSIM_SOURCE_SCRATCH];
} fsim_source_scratch;

typedef struct fsim_source_ops {
    const char *name, *summary;
    const char *example; /* a complete "workload" object, JSON: shown by `fsim list` and run by the tests */
    size_t state_size;   /* bytes of zeroed state that the caller provides */
    bool endless;        /* produces arrivals until a bound or the end of the run stops it */
    /* Keys and values, in turn, that stand for those a scenario does not say, so that it is recorded how a
     * trace was read; ends with NULL. NULL: nothing to record. */
    const char *const *(*defaults)(const fsim_value *config, const char *base_dir);
    /* Reads its parameters (marking them used). `requests` and `until` are read and applied by the caller
     * around every source. */
    fsim_status (*open)(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err);
    /* Fills up to FSIM_BATCH arrivals; count == 0 is the end. fn ids must exist. service_ns is FSIM_DRAW
     * unless the source knows it. */
    fsim_status (*next)(void *state, fsim_arrivals *batch, fsim_error *err);
    void (*close)(void *state); /* may be NULL */
    /* Instead of next, for closed workloads; NULL otherwise. */
    fsim_status (*closed)(void *state, fsim_closed_plan *plan, fsim_error *err);
    /* Begins anew with the arrivals of its k-th function alone, each chosen at most once; false: there is no
     * k-th. For who needs no order between functions and would rather not pay for it. NULL: they cannot be
     * told apart. */
    bool (*select)(void *state, uint32_t k);
    /* For sources whose functions are streams of their own; NULL or false: they cannot be told apart. */
    bool (*streams)(const void *state, fsim_source_streams *streams);
    /* Takes the arrivals of the k-th before until_ns, at most `room` of them; fewer: there are no more before
     * it. A function is asked in order of time and by one thread at a time; several at once. Not beside
     * `next`. */
    uint32_t (*take)(void *state, uint32_t k, fsim_ns until_ns, fsim_ns *at_ns, fsim_ns *service_ns,
                     uint32_t room, fsim_source_scratch *scratch);
    /* No arrival of the k-th that is still to be taken is before this; FSIM_NEVER: there is none. */
    fsim_ns (*next_ns)(const void *state, uint32_t k);
    /* Share of the input read so far, 0..1, or -1 when unknown; may be NULL. */
    double (*progress)(const void *state);
    /* Whether functions with settings of their own may yet appear; NULL: none. */
    bool (*describes)(const void *state);
    /* Whether rows may say how large a function is that the table knows already; NULL: none. */
    bool (*says_memory)(const void *state);
    /* Opens the trace behind the source. One of buckets may be shared by runs on any thread
     * (fsim_source_context.trace). NULL: the source is no trace. */
    fsim_status (*load_trace)(struct fsim_trace **out, const fsim_value *config, const char *base_dir,
                              uint64_t seed, fsim_error *err);
} fsim_source_ops;

/* A workload: one opened source with its bounds applied and missing durations drawn, in each function's own
 * service stream, in order of arrival. */
typedef struct fsim_workload fsim_workload;

/* Opens the source that `config` names ("source": …), recursively for superpositions. With `table` functions
 * must have a service distribution if the source leaves durations open: otherwise FSIM_ECONFIG at the first
 * such row. Works on a copy of `config`, so that runs in several threads may open the same one: unknown keys
 * are refused here, and the caller marks the original as used. Memory: one batch a source. */
fsim_status fsim_workload_open(fsim_workload **out, const fsim_source_context *context,
                               const fsim_value *config, fsim_error *err);
/* The trace behind a workload (trace/trace.h, which closes it); *out NULL: it has none. Leaves `config` as it
 * is. */
fsim_status fsim_workload_load_trace(struct fsim_trace **out, const fsim_value *config, const char *base_dir,
                                     uint64_t seed, fsim_error *err);
fsim_status fsim_workload_next(fsim_workload *workload, fsim_arrivals *batch, fsim_error *err);
/* The same in two steps, for a caller that takes the arrivals function by function: durations left open stay
 * FSIM_DRAW and are drawn later, for one function and in its order of arrival. The same numbers either way.
 */
fsim_status fsim_workload_next_open(fsim_workload *workload, fsim_arrivals *batch, fsim_error *err);
fsim_status fsim_workload_draw(fsim_workload *workload, fsim_fn_id fn, fsim_ns *service_ns, uint32_t count,
                               fsim_error *err);
/* The same where all of them were left open; what service_ns holds does not matter. */
fsim_status fsim_workload_draw_all(fsim_workload *workload, fsim_fn_id fn, fsim_ns *service_ns,
                                   uint32_t count, fsim_error *err);
/* As fsim_source_ops.streams; false also where the workload has a bound, which all functions share. */
bool fsim_workload_streams(fsim_workload *workload, fsim_source_streams *streams);
/* As fsim_source_ops.take; durations left open stay FSIM_DRAW. */
uint32_t fsim_workload_take(fsim_workload *workload, uint32_t k, fsim_ns until_ns, fsim_ns *at_ns,
                            fsim_ns *service_ns, uint32_t room, fsim_source_scratch *scratch);
fsim_ns fsim_workload_next_ns(const fsim_workload *workload, uint32_t k); /* as fsim_source_ops.next_ns */
/* Functions with settings of their own may yet appear; others have those of the table's template. */
bool fsim_workload_describes(const fsim_workload *workload);
/* From now on the arrivals of the k-th function alone, as they are among all others; every function is chosen
 * at most once. False: there is no k-th, the source cannot tell its functions apart, or the workload ends
 * after a number of requests, which all functions share. */
bool fsim_workload_select(fsim_workload *workload, uint32_t k);
/* The last instant of an arrival, where the workload has such a bound; else FSIM_NEVER. */
fsim_ns fsim_workload_until_ns(const fsim_workload *workload);
/* Neither a bound nor an end of its own: only the end of the run stops it. */
bool fsim_workload_is_endless(const fsim_workload *workload);
/* The closed populations inside; returns their number. */
uint32_t fsim_workload_closed(const fsim_workload *workload, const fsim_closed_plan **plans);
/* Share of the input read so far, 0..1, or -1 when unknown: for progress bars. */
double fsim_workload_progress(const fsim_workload *workload);
void fsim_workload_close(fsim_workload *workload);

#endif
