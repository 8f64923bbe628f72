/* Public trace formats (trace/trace.h), told by the headers of their files. Buckets are replayed without
 * being expanded to rows; rows are streamed. */
#include "trace/bucket_stream.h"
#include "trace/row_scale.h"
#include "workloads/sources/arrival_support.h"

#include <stdlib.h>
#include <string.h>

#define FILES_MAX 65536u

typedef struct trace_source {
    fsim_source_context context;
    fsim_trace *own;         /* opened here; NULL: shared by the runs of the scenario */
    const fsim_trace *trace; /* own or shared */
    fsim_bucket_stream *stream;
    fsim_fn_id *ids; /* by function of the trace */
    uint32_t id_count, id_capacity;
} trace_source;

/* --- configuration --- */

static fsim_status read_names(const fsim_value *config, fsim_trace_options *o, fsim_error *err) {
    int placement = (int)o->placement, join = (int)o->join, memory = (int)o->memory, values = (int)o->values;
    int sampling = (int)o->sampling - FSIM_DURATION_KNOTS;
    FSIM_TRY(fsim_value_get_enum(config, "placement", fsim_placement_names, &placement, err));
    FSIM_TRY(fsim_value_get_enum(config, "join", fsim_trace_join_names, &join, err));
    FSIM_TRY(fsim_value_get_enum(config, "memory", fsim_trace_memory_names, &memory, err));
    FSIM_TRY(fsim_value_get_enum(config, "values", fsim_trace_values_names, &values, err));
    FSIM_TRY(fsim_value_get_enum(config, "durations", fsim_trace_sampling_names, &sampling, err));
    o->placement = (fsim_placement)placement;
    o->join = (fsim_trace_join)join;
    o->memory = (fsim_trace_memory)memory;
    o->values = (fsim_trace_values)values;
    o->sampling = (fsim_duration_kind)(sampling + FSIM_DURATION_KNOTS);
    return FSIM_OK;
}

static fsim_status read_options(const fsim_value *config, uint64_t seed, fsim_trace_options *o,
                                fsim_error *err) {
    fsim_trace_options_default(o);
    o->seed = seed;
    FSIM_TRY(read_names(config, o, err));
    FSIM_TRY(fsim_value_get_span(config, "floor", false, &o->floor_ns, err));
    if (fsim_value_get(config, "bucket") != NULL) {
        FSIM_TRY(fsim_source_read_span(config, "bucket", false, &o->bucket_ns, err));
    }
    return fsim_row_scale_read(o, config, err);
}

static fsim_status read_files(const fsim_value *config, const char ***paths, size_t *count, fsim_error *err) {
    const fsim_value *files = fsim_value_get(config, "files");
    if (files == NULL) {
        return fsim_value_missing(config, "files", err);
    }
    if (files->kind != FSIM_VALUE_ARRAY || files->count == 0 || files->count > FILES_MAX) {
        return fsim_value_fail(files, err, "expected an array of files and folders");
    }
    *paths = malloc(files->count * sizeof **paths);
    *count = 0;
    if (*paths == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (const fsim_value *file = files->first; file != NULL; file = file->next) {
        if (file->kind != FSIM_VALUE_STRING) {
            free(*paths);
            return fsim_value_fail(file, err, "expected the name of a file or folder");
        }
        (*paths)[(*count)++] = file->string;
    }
    fsim_value_mark_used(fsim_value_get(config, "files"));
    return FSIM_OK;
}

static fsim_status open_trace(fsim_trace **out, const fsim_value *config, const char *base_dir, uint64_t seed,
                              fsim_error *err) {
    fsim_trace_options options;
    const char **paths = NULL;
    size_t count = 0;
    FSIM_TRY(read_options(config, seed, &options, err));
    FSIM_TRY(read_files(config, &paths, &count, err));
    fsim_status status = fsim_trace_open(out, &options, base_dir, paths, count, err);
    free(paths);
    return status;
}

static const char *const *defaults(const fsim_value *config, const char *base_dir) {
    static const char *const pairs[] = {"placement", "uniform", "join", "inner",  "durations",
                                        "fitted",    "floor",   "1ms",  "memory", "app",
                                        "values",    "auto",    NULL};
    (void)config;
    (void)base_dir;
    return pairs;
}

/* --- functions --- */

/* What the trace says of a function that the scenario does not list. */
static void describe(fsim_function_table *table, fsim_fn_id id, const fsim_trace_function *f) {
    fsim_fn_spec spec = *fsim_function_table_get(table, id);
    spec.vcpu = f->vcpu > 0.0 ? f->vcpu : spec.vcpu;
    spec.concurrency = f->concurrency > 0 ? f->concurrency : spec.concurrency;
    spec.min_instances = f->min_instances > 0 ? f->min_instances : spec.min_instances;
    fsim_function_table_set_spec(table, id, &spec);
    if (f->memory_mb > 0) {
        fsim_function_table_set_memory(table, id, f->memory_mb, NULL);
    }
}

static fsim_status learn_functions(trace_source *s, fsim_error *err) {
    uint32_t count = fsim_trace_function_count(s->trace);
    fsim_function_table *table = s->context.table;
    if (count > s->id_capacity) {
        uint32_t capacity = count + count / 2;
        fsim_fn_id *larger = realloc(s->ids, capacity * sizeof *larger);
        if (larger == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        s->ids = larger;
        s->id_capacity = capacity;
    }
    for (; s->id_count < count; s->id_count++) {
        const fsim_trace_function *f = fsim_trace_function_at(s->trace, s->id_count);
        bool fresh = fsim_function_table_find(table, f->name) == FSIM_UNLIMITED;
        fsim_fn_id *id = &s->ids[s->id_count];
        bool unnamed = strcmp(f->name, "fn") == 0;
        if (!fsim_trace_keeps(s->trace, s->id_count) || unnamed) { /* nobody calls it, or it has no name */
            *id = s->context.default_fn;
            if (unnamed && f->memory_mb > 0) { /* nothing happens where the scenario says it */
                fsim_function_table_set_memory(table, *id, f->memory_mb, NULL);
            }
            continue;
        }
        FSIM_TRY(fsim_function_table_intern(table, f->name, strlen(f->name), id, err));
        if (fresh) {
            describe(table, *id, f);
        } else if (f->memory_mb > 0) {
            fsim_function_table_set_memory(table, *id, f->memory_mb, NULL);
        }
    }
    return FSIM_OK;
}

/* --- the source --- */

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    trace_source *s = state;
    s->context = *context;
    s->trace = context->trace;
    if (s->trace == NULL) {
        FSIM_TRY(open_trace(&s->own, config, context->base_dir, context->seed, err));
        s->trace = s->own;
    } else {
        fsim_trace_options options; /* marks the keys that were read when it was opened */
        FSIM_TRY(read_options(config, context->seed, &options, err));
        fsim_value_mark_used(fsim_value_get(config, "files"));
    }
    if (fsim_trace_about(s->trace)->functions_only) {
        return fsim_fail_at(err, FSIM_EDATA, fsim_value_get(config, "files")->first->string,
                            "a table of functions alone: the requests or cold starts are missing");
    }
    const fsim_bucketed *buckets = fsim_trace_buckets(s->trace);
    if (buckets == NULL) {
        return FSIM_OK;
    }
    FSIM_TRY(learn_functions(s, err));
    return fsim_bucket_stream_open(&s->stream, buckets, fsim_trace_options_of(s->trace)->placement,
                                   context->seed, s->ids, err);
}

static void close_trace(void *state) {
    trace_source *s = state;
    fsim_bucket_stream_close(s->stream);
    fsim_trace_close(s->own);
    free(s->ids);
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    trace_source *s = state;
    if (s->stream != NULL) {
        return fsim_bucket_stream_next(s->stream, batch, err);
    }
    FSIM_TRY(fsim_trace_next(s->own, batch, err));
    FSIM_TRY(learn_functions(s, err));
    for (uint32_t i = 0; i < batch->count; i++) {
        batch->fn[i] = s->ids[batch->fn[i]];
    }
    return FSIM_OK;
}

static double progress(const void *state) {
    const trace_source *s = state;
    return s->stream != NULL ? fsim_bucket_stream_progress(s->stream) : fsim_trace_progress(s->trace);
}

static int compare_ids(const void *a, const void *b) {
    fsim_fn_id x = *(const fsim_fn_id *)a, y = *(const fsim_fn_id *)b;
    return x < y ? -1 : x > y;
}

/* Two functions of the trace may be one of the scenario: then their arrivals must be merged. */
static bool all_different(const trace_source *s) {
    fsim_fn_id *sorted = malloc(s->id_count * sizeof *sorted);
    bool different = sorted != NULL;
    if (different) {
        memcpy(sorted, s->ids, s->id_count * sizeof *sorted);
        qsort(sorted, s->id_count, sizeof *sorted, compare_ids);
    }
    for (uint32_t k = 1; different && k < s->id_count; k++) {
        different = sorted[k] != sorted[k - 1u];
    }
    free(sorted);
    return different;
}

/* The last bucket in which something arrives. */
static uint64_t last_bucket(const fsim_bucketed *t) {
    uint64_t last = 0;
    for (uint32_t f = 0; f < t->function_count && last + 1u < t->bucket_count; f++) {
        fsim_cell_cursor cells = fsim_cells_of(t, f);
        while (fsim_cells_next(&cells) && cells.bucket < t->bucket_count) {
            last = cells.bucket > last ? cells.bucket : last;
        }
    }
    return last;
}

static bool streams(const void *state, fsim_source_streams *streams) {
    const trace_source *s = state;
    if (s->stream == NULL || s->id_count == 0 || !all_different(s) ||
        fsim_trace_options_of(s->trace)->placement == FSIM_PLACE_POISSON) { /* a bucket may turn out empty */
        return false;
    }
    const fsim_bucketed *buckets = fsim_trace_buckets(s->trace);
    fsim_ns last_ns = (fsim_ns)last_bucket(buckets) * buckets->bucket_ns;
    *streams = (fsim_source_streams){.ids = s->ids,
                                     .count = s->id_count,
                                     .bucket_ns = buckets->bucket_ns,
                                     .last_ns = last_ns,
                                     .end_ns = last_ns + buckets->bucket_ns};
    return true;
}

static uint32_t take(void *state, uint32_t k, fsim_ns until_ns, fsim_ns *at_ns, fsim_ns *service_ns,
                     uint32_t room, fsim_source_scratch *scratch) {
    trace_source *s = state;
    return fsim_bucket_stream_take(s->stream, k, until_ns, at_ns, service_ns, room,
                                   scratch == NULL ? NULL : scratch->value,
                                   scratch == NULL ? 0 : FSIM_SOURCE_SCRATCH);
}

static fsim_ns next_ns(const void *state, uint32_t k) {
    return fsim_bucket_stream_next_ns(((const trace_source *)state)->stream, k);
}

/* Buckets name all their functions at the beginning. */
static bool describes(const void *state) {
    return ((const trace_source *)state)->stream == NULL;
}

static fsim_status load_trace(fsim_trace **out, const fsim_value *config, const char *base_dir, uint64_t seed,
                              fsim_error *err) {
    return open_trace(out, config, base_dir, seed, err);
}

const fsim_source_ops fsim_source_trace = {
    .name = "trace",
    .summary = "a public trace: Azure, Huawei, IBM, OpenDC, web logs, Lambda reports, Prometheus, series",
    .example = "{\"source\": \"trace\", \"files\": [\"series.csv\"], \"placement\": \"stratified\"}",
    .state_size = sizeof(trace_source),
    .defaults = defaults,
    .open = open,
    .next = next,
    .close = close_trace,
    .streams = streams,
    .take = take,
    .next_ns = next_ns,
    .progress = progress,
    .describes = describes,
    .says_memory = describes,
    .load_trace = load_trace,
};
