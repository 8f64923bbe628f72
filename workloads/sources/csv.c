/* The native CSV formats, told apart by their header: a request trace (one row a request) or a rate trace
 * (one row a bucket). */
#include "io/native_csv.h"

#include "workloads/sources/arrival_support.h"
#include "workloads/sources/rate_trace_support.h"
#include "workloads/sources/row_scale_support.h"

#include <string.h>

#define MEMORY_EMPTY  (-1)
#define VERSION_EMPTY (-1)

typedef struct csv_source {
    fsim_csv *csv;
    fsim_rate_trace *rates; /* NULL: a request trace */
    fsim_source_context context;
    fsim_native_header header;
    fsim_csv_block block;
    uint32_t row; /* next of the block */
    fsim_scaled_rows scaled;
    fsim_ns last_ns;
    fsim_fn_id last_fn; /* the function of the last row, whose name probably comes again */
    size_t last_len;
    const char *last_name;
    fsim_function_table *versions; /* names of versions as numbers; NULL: the column is not read */
    fsim_fn_id called, version; /* the version of the last row that named one: what was called, what it is */
    int64_t last_version;       /* its number; VERSION_EMPTY: none yet */
} csv_source;

/* --- cells that are names
 * --------------------------------------------------------------------------------------------- */

static fsim_status intern_function(void *user, const char *text, size_t len, int64_t *value,
                                   fsim_error *err) {
    csv_source *c = user;
    if (!fsim_scaled_rows_want(&c->scaled, &c->context, text, len)) {
        *value = FSIM_ROW_UNWANTED;
        return FSIM_OK;
    }
    if (len != c->last_len || memcmp(text, c->last_name, len) != 0) {
        FSIM_TRY(fsim_function_table_intern(c->context.table, text, len, &c->last_fn, err));
        c->last_name = fsim_function_table_get(c->context.table, c->last_fn)->name;
        c->last_len = len;
    }
    *value = c->last_fn;
    return FSIM_OK;
}

static fsim_status hash_session(void *user, const char *text, size_t len, int64_t *value, fsim_error *err) {
    (void)user;
    (void)err;
    uint64_t id = fsim_source_session_id(text, len);
    memcpy(value, &id, sizeof id);
    return FSIM_OK;
}

static fsim_status number_version(void *user, const char *text, size_t len, int64_t *value, fsim_error *err) {
    const csv_source *c = user;
    fsim_fn_id number;
    FSIM_TRY(fsim_function_table_intern(c->versions, text, len, &number, err));
    *value = number;
    return FSIM_OK;
}

/* --- the header
 * ------------------------------------------------------------------------------------------------------- */

static void bind_columns(csv_source *c) {
    for (int role = 0; role < FSIM_NATIVE_ROLES; role++) {
        fsim_csv_binding binding = c->header.binding[role];
        binding.user = c;
        if (c->header.field[role] == FSIM_NATIVE_ABSENT ||
            (role == FSIM_NATIVE_VERSION && c->versions == NULL)) {
            continue;
        }
        switch ((fsim_native_role)role) {
        case FSIM_NATIVE_FUNCTION:
            binding.name = intern_function;
            binding.when_empty = fsim_scaled_rows_want(&c->scaled, &c->context, "", 0) ? c->context.default_fn
                                                                                       : FSIM_ROW_UNWANTED;
            break;
        case FSIM_NATIVE_SESSION:
            binding.name = hash_session;
            binding.when_empty = 0;
            break;
        case FSIM_NATIVE_VERSION:
            binding.name = number_version;
            binding.when_empty = VERSION_EMPTY;
            break;
        case FSIM_NATIVE_DURATION:
        case FSIM_NATIVE_CPU: binding.when_empty = FSIM_DRAW; break;
        case FSIM_NATIVE_MEMORY: binding.when_empty = MEMORY_EMPTY; break;
        default: break;
        }
        fsim_csv_bind(c->csv, c->header.field[role], &binding);
    }
}

/* --- opening
 * ----------------------------------------------------------------------------------------------------------
 */

static fsim_status open_rates(csv_source *c, const fsim_value *config, fsim_error *err) {
    int placement = FSIM_PLACE_UNIFORM;
    fsim_rate_trace_layout layout = {.time_field = c->header.field[FSIM_NATIVE_TIME],
                                     .function_field = c->header.field[FSIM_NATIVE_FUNCTION],
                                     .is_rps = c->header.field[FSIM_NATIVE_RPS] != FSIM_NATIVE_ABSENT};
    layout.amount_field = c->header.field[layout.is_rps ? FSIM_NATIVE_RPS : FSIM_NATIVE_REQUESTS];
    if (fsim_value_get(config, "bucket") != NULL) {
        FSIM_TRY(fsim_source_read_span(config, "bucket", false, &layout.bucket_ns, err));
    }
    FSIM_TRY(fsim_value_get_enum(config, "placement", fsim_placement_names, &placement, err));
    layout.placement = (fsim_placement)placement;
    layout.cut = &c->scaled.options;
    return fsim_rate_trace_open(&c->rates, c->csv, &layout, &c->context, err);
}

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    csv_source *c = state;
    const char *file = NULL;
    c->context = *context;
    c->last_len = SIZE_MAX;
    FSIM_TRY(fsim_value_get_string(config, "file", &file, err));
    if (file == NULL) {
        return fsim_value_missing(config, "file", err);
    }
    FSIM_TRY(fsim_scaled_rows_open(&c->scaled, context, config, file, false, err));
    FSIM_TRY(fsim_csv_open(&c->csv, context->base_dir, file, err));
    FSIM_TRY(fsim_native_read_header(&c->header, c->csv, err));
    c->last_version = VERSION_EMPTY;
    if (c->header.field[FSIM_NATIVE_VERSION] != FSIM_NATIVE_ABSENT &&
        fsim_function_table_has_versions(context->table)) { /* else nobody has any: the column says nothing */
        c->versions = fsim_function_table_create();
        if (c->versions == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
    }
    bind_columns(c);
    if (c->header.is_rates) {
        return open_rates(c, config, err);
    }
    static const char *const rate_keys[] = {"bucket", "placement"};
    for (size_t i = 0; i < 2; i++) {
        const fsim_value *value = fsim_value_get(config, rate_keys[i]);
        if (value != NULL) {
            return fsim_value_fail(value, err, "\"%s\" is for rate traces, and \"%.200s\" is a request trace",
                                   rate_keys[i], file);
        }
    }
    return FSIM_OK;
}

static const char *const *defaults(const fsim_value *config, const char *base_dir) {
    static const char *const pairs[] = {"placement", "uniform", NULL};
    const fsim_value *file = fsim_value_peek(config, "file");
    bool named = file != NULL && file->kind == FSIM_VALUE_STRING;
    return named && fsim_native_is_rates_at(base_dir, file->string) ? pairs : NULL;
}

static void close_files(void *state) {
    csv_source *c = state;
    fsim_function_table_destroy(c->versions);
    fsim_rate_trace_close(c->rates);
    fsim_scaled_rows_close(&c->scaled);
    fsim_csv_close(c->csv);
}

/* --- rows of a request trace
 * -------------------------------------------------------------------------------------------- */

static fsim_status check_order(csv_source *c, const fsim_ns *at_ns, uint32_t count, fsim_error *err) {
    fsim_ns last = c->last_ns;
    for (uint32_t i = 0; i < count; i++) {
        if (at_ns[i] < last) {
            return fsim_native_fail_order(&c->header, c->csv, c->block.lines[c->row + i], at_ns[i], last,
                                          err);
        }
        last = at_ns[i];
    }
    c->last_ns = last;
    return FSIM_OK;
}

static fsim_status fail_memory(const csv_source *c, fsim_fn_id fn, uint32_t row, int64_t memory_mb,
                               fsim_error *err) {
    fsim_error inner = {0};
    if (memory_mb == 0) {
        fsim_fail(&inner, FSIM_EDATA, "memory_mb is 0, expected megabytes, at least 1");
    } else {
        fsim_function_table_set_memory(c->context.table, fn, memory_mb, &inner);
    }
    return fsim_csv_fail(c->csv, c->block.lines[row], c->header.field[FSIM_NATIVE_MEMORY], err, "%s",
                         inner.text);
}

static fsim_status apply_memory(csv_source *c, const fsim_arrivals *batch, fsim_error *err) {
    const int64_t *memory_mb = c->block.columns[c->header.field[FSIM_NATIVE_MEMORY]] + c->row;
    for (uint32_t i = 0; i < batch->count; i++) {
        if (memory_mb[i] == MEMORY_EMPTY || batch->fn[i] == FSIM_ROW_UNWANTED) {
            continue;
        }
        if (memory_mb[i] == 0 ||
            fsim_function_table_set_memory(c->context.table, batch->fn[i], memory_mb[i], NULL) != FSIM_OK) {
            return fail_memory(c, batch->fn[i], c->row + i, memory_mb[i], err);
        }
    }
    return FSIM_OK;
}

/* Rows that name a version go to it. */
static fsim_status apply_versions(csv_source *c, fsim_arrivals *batch, fsim_error *err) {
    const int64_t *number = c->block.columns[c->header.field[FSIM_NATIVE_VERSION]] + c->row;
    for (uint32_t i = 0; i < batch->count; i++) {
        if (number[i] == VERSION_EMPTY) {
            continue;
        }
        if (number[i] != c->last_version || batch->fn[i] != c->called) {
            const char *name = fsim_function_table_get(c->versions, (fsim_fn_id)number[i])->name;
            fsim_error inner = {0};
            fsim_status status = fsim_function_table_find_version(c->context.table, batch->fn[i], name,
                                                                  strlen(name), &c->version, &inner);
            if (status != FSIM_OK) {
                return fsim_csv_fail(c->csv, c->block.lines[c->row + i], c->header.field[FSIM_NATIVE_VERSION],
                                     err, "%s", inner.text);
            }
            c->called = batch->fn[i];
            c->last_version = number[i];
        }
        batch->fn[i] = c->version;
    }
    return FSIM_OK;
}

/* The cells of a role for `count` rows from the current one, or NULL. */
static const int64_t *cells_of(const csv_source *c, fsim_native_role role) {
    size_t field = c->header.field[role];
    return field == FSIM_NATIVE_ABSENT ? NULL : c->block.columns[field] + c->row;
}

static fsim_status copy_rows(csv_source *c, fsim_arrivals *batch, uint32_t count, fsim_error *err) {
    const int64_t *fn = cells_of(c, FSIM_NATIVE_FUNCTION), *duration = cells_of(c, FSIM_NATIVE_DURATION),
                  *cpu = cells_of(c, FSIM_NATIVE_CPU);
    const int64_t *session = cells_of(c, FSIM_NATIVE_SESSION);
    batch->count = count;
    fsim_source_fill(batch, c->context.default_fn);
    memcpy(batch->at_ns, cells_of(c, FSIM_NATIVE_ARRIVAL), count * sizeof *batch->at_ns);
    FSIM_TRY(check_order(c, batch->at_ns, count, err));
    if (duration != NULL) {
        memcpy(batch->service_ns, duration, count * sizeof *duration);
    }
    for (uint32_t i = 0; fn != NULL && i < count; i++) {
        batch->fn[i] = (fsim_fn_id)fn[i];
    }
    batch->has_cpu = cpu != NULL;
    if (cpu != NULL) {
        memcpy(batch->cpu_ns, cpu, count * sizeof *cpu);
    }
    batch->has_session = session != NULL;
    if (session != NULL) {
        memcpy(batch->session, session, count * sizeof *session);
    }
    if (c->versions != NULL) {
        FSIM_TRY(apply_versions(c, batch, err));
    }
    if (c->header.field[FSIM_NATIVE_MEMORY] != FSIM_NATIVE_ABSENT) {
        FSIM_TRY(apply_memory(c, batch, err));
    }
    c->row += count;
    return FSIM_OK;
}

static fsim_status next_rows(void *state, fsim_arrivals *batch, fsim_error *err) {
    csv_source *c = state;
    if (c->row == c->block.count) {
        c->row = 0;
        FSIM_TRY(fsim_csv_next(c->csv, &c->block, err));
    }
    uint32_t left = c->block.count - c->row;
    return copy_rows(c, batch, left < FSIM_BATCH ? left : FSIM_BATCH, err);
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    csv_source *c = state;
    return c->rates != NULL ? fsim_rate_trace_next(c->rates, batch, err)
                            : fsim_scaled_rows_next(&c->scaled, next_rows, c, batch, err);
}

static double progress(const void *state) {
    const csv_source *c = state;
    return fsim_csv_progress(c->csv);
}

static bool says_memory(const void *state) {
    const csv_source *c = state;
    return c->rates == NULL && c->header.field[FSIM_NATIVE_MEMORY] != FSIM_NATIVE_ABSENT;
}

const fsim_source_ops fsim_source_csv = {
    .name = "csv",
    .summary = "a request trace or a rate trace in the native CSV formats, told apart by the header",
    .example = "{\"source\": \"csv\", \"file\": \"hello.csv\"}",
    .state_size = sizeof(csv_source),
    .defaults = defaults,
    .open = open,
    .next = next,
    .close = close_files,
    .progress = progress,
    .says_memory = says_memory,
};
