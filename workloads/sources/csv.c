/* The native CSV formats, told apart by their header: a request trace (one row a request) or a rate trace
 * (one row a bucket). */
#include "io/csv_reader.h"

#include "base/text.h"
#include "workloads/sources/arrival_support.h"
#include "workloads/sources/rate_trace_support.h"

#include <string.h>

typedef enum column_role {
    ARRIVAL,
    FUNCTION,
    DURATION,
    CPU,
    MEMORY,
    SESSION,
    VERSION,
    TIME,
    REQUESTS,
    RPS,
    ROLE_COUNT
} column_role;

static const struct column_kind {
    const char *name;
    column_role role;
    int64_t unit;
    const char *expected;
} column_kinds[] = {
    {"arrival_s", ARRIVAL, FSIM_SECOND, "seconds since the start, at least 0"},
    {"arrival_ms", ARRIVAL, FSIM_MS, "milliseconds since the start, at least 0"},
    {"arrival_us", ARRIVAL, FSIM_US, "microseconds since the start, at least 0"},
    {"arrival_ns", ARRIVAL, 1, "nanoseconds since the start, at least 0"},
    {"function", FUNCTION, 0, "the name of a function"},
    {"duration_s", DURATION, FSIM_SECOND, "seconds, at least 0"},
    {"duration_ms", DURATION, FSIM_MS, "milliseconds, at least 0"},
    {"duration_us", DURATION, FSIM_US, "microseconds, at least 0"},
    {"duration_ns", DURATION, 1, "nanoseconds, at least 0"},
    {"cpu_ms", CPU, FSIM_MS, "milliseconds of CPU time, at least 0"},
    {"memory_mb", MEMORY, 1, "megabytes, at least 1"},
    {"session", SESSION, 0, "a session id"},
    {"version", VERSION, 0, "the name of a version"},
    {"time_s", TIME, FSIM_SECOND, "the start of the bucket in seconds, at least 0"},
    {"requests", REQUESTS, 1000000000, "the number of requests in the bucket, at least 0"},
    {"rps", RPS, 1000000000, "requests per second, at least 0"},
};

#define KINDS        (sizeof column_kinds / sizeof column_kinds[0])
#define ABSENT       SIZE_MAX
#define MEMORY_EMPTY (-1)

typedef struct csv_source {
    fsim_csv *csv;
    fsim_rate_trace *rates; /* NULL: a request trace */
    fsim_source_context context;
    size_t field[ROLE_COUNT]; /* of each role, or ABSENT */
    fsim_csv_block block;
    uint32_t row; /* next of the block */
    fsim_ns last_ns;
    fsim_fn_id last_fn; /* the function of the last row, whose name probably comes again */
    size_t last_len;
    const char *last_name;
} csv_source;

/* --- cells that are names
 * --------------------------------------------------------------------------------------------- */

static fsim_status intern_function(void *user, const char *text, size_t len, int64_t *value,
                                   fsim_error *err) {
    csv_source *c = user;
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

/* --- the header
 * ------------------------------------------------------------------------------------------------------- */

static const struct column_kind *find_kind(const char *name) {
    for (size_t k = 0; k < KINDS; k++) {
        if (strcmp(column_kinds[k].name, name) == 0) {
            return &column_kinds[k];
        }
    }
    return NULL;
}

static fsim_status fail_column(const csv_source *c, const char *name, size_t field, fsim_error *err) {
    const char *names[KINDS + 1];
    double number;
    for (size_t k = 0; k < KINDS; k++) {
        names[k] = column_kinds[k].name;
    }
    names[KINDS] = NULL;
    const char *near = fsim_text_nearest(name, names);
    if (near != NULL) {
        return fsim_csv_fail(c->csv, 1, field, err, "unknown column \"%.60s\"; did you mean \"%s\"?", name,
                             near);
    }
    if (fsim_text_parse_real(name, &number)) {
        return fsim_csv_fail(
            c->csv, 1, field, err,
            "found \"%.60s\" where the header line should be, such as arrival_s,function,duration_ms", name);
    }
    return fsim_csv_fail(
        c->csv, 1, field, err,
        "unknown column \"%.60s\", expected a request trace (arrival_s, function, duration_ms, cpu_ms, "
        "memory_mb, session, version) or a rate trace (time_s, function, requests or rps)",
        name);
}

static void bind_column(csv_source *c, const struct column_kind *kind, size_t field) {
    fsim_csv_binding binding = {
        .unit = kind->unit, .expected = kind->expected, .when_empty = FSIM_CSV_REQUIRED, .user = c};
    switch (kind->role) {
    case VERSION: return; /* allowed, not read */
    case FUNCTION:
        binding.name = intern_function;
        binding.when_empty = c->context.default_fn;
        break;
    case SESSION:
        binding.name = hash_session;
        binding.when_empty = 0;
        break;
    case DURATION:
    case CPU: binding.when_empty = FSIM_DRAW; break;
    case MEMORY: binding.when_empty = MEMORY_EMPTY; break;
    default: break;
    }
    fsim_csv_bind(c->csv, field, &binding);
}

static fsim_status read_header(csv_source *c, fsim_error *err) {
    size_t count;
    const char *const *names = fsim_csv_header(c->csv, &count);
    for (size_t role = 0; role < ROLE_COUNT; role++) {
        c->field[role] = ABSENT;
    }
    for (size_t field = 0; field < count; field++) {
        const struct column_kind *kind = find_kind(names[field]);
        if (kind == NULL) {
            return fail_column(c, names[field], field, err);
        }
        if (c->field[kind->role] != ABSENT) {
            return fsim_csv_fail(c->csv, 1, field, err, "column \"%s\" says the same as column %zu, \"%s\"",
                                 kind->name, c->field[kind->role] + 1, names[c->field[kind->role]]);
        }
        c->field[kind->role] = field;
        bind_column(c, kind, field);
    }
    return FSIM_OK;
}

/* Which of the two formats, and that no column of the other stands in it. */
static fsim_status check_format(const csv_source *c, bool *is_rates, fsim_error *err) {
    *is_rates = c->field[TIME] != ABSENT;
    bool has_amount = c->field[REQUESTS] != ABSENT || c->field[RPS] != ABSENT;
    if (*is_rates == (c->field[ARRIVAL] != ABSENT)) {
        return fsim_csv_fail(
            c->csv, 1, 0, err,
            "expected either arrival_s (a request trace) or time_s (a rate trace), found %s of them",
            *is_rates ? "both" : "none");
    }
    if (!*is_rates && has_amount) {
        size_t field = c->field[REQUESTS] != ABSENT ? c->field[REQUESTS] : c->field[RPS];
        return fsim_csv_fail(c->csv, 1, field, err,
                             "this column belongs to a rate trace, which has time_s, not arrival_s");
    }
    for (size_t role = DURATION; *is_rates && role <= VERSION; role++) {
        if (c->field[role] != ABSENT) {
            return fsim_csv_fail(c->csv, 1, c->field[role], err,
                                 "this column belongs to a request trace, which has arrival_s, not time_s");
        }
    }
    if (*is_rates && (c->field[REQUESTS] != ABSENT) == (c->field[RPS] != ABSENT)) {
        return fsim_csv_fail(c->csv, 1, 0, err, "a rate trace needs either a column \"requests\" or \"rps\"");
    }
    return FSIM_OK;
}

/* --- opening
 * ----------------------------------------------------------------------------------------------------------
 */

static fsim_status open_rates(csv_source *c, const fsim_value *config, fsim_error *err) {
    int placement = FSIM_PLACE_UNIFORM;
    fsim_rate_trace_layout layout = {.time_field = c->field[TIME],
                                     .function_field = c->field[FUNCTION],
                                     .is_rps = c->field[RPS] != ABSENT};
    layout.amount_field = layout.is_rps ? c->field[RPS] : c->field[REQUESTS];
    if (fsim_value_get(config, "bucket") != NULL) {
        FSIM_TRY(fsim_source_read_span(config, "bucket", false, &layout.bucket_ns, err));
    }
    FSIM_TRY(fsim_value_get_enum(config, "placement", fsim_placement_names, &placement, err));
    layout.placement = (fsim_placement)placement;
    return fsim_rate_trace_open(&c->rates, c->csv, &layout, &c->context, err);
}

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    csv_source *c = state;
    const char *file = NULL;
    bool is_rates = false;
    c->context = *context;
    c->last_len = ABSENT;
    FSIM_TRY(fsim_value_get_string(config, "file", &file, err));
    if (file == NULL) {
        return fsim_value_missing(config, "file", err);
    }
    FSIM_TRY(fsim_csv_open(&c->csv, context->base_dir, file, err));
    FSIM_TRY(read_header(c, err));
    FSIM_TRY(check_format(c, &is_rates, err));
    if (is_rates) {
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

static void close_files(void *state) {
    csv_source *c = state;
    fsim_rate_trace_close(c->rates);
    fsim_csv_close(c->csv);
}

/* --- rows of a request trace
 * -------------------------------------------------------------------------------------------- */

static fsim_status check_order(csv_source *c, const fsim_ns *at_ns, uint32_t count, fsim_error *err) {
    fsim_ns last = c->last_ns;
    for (uint32_t i = 0; i < count; i++) {
        if (at_ns[i] < last) {
            return fsim_csv_fail(
                c->csv, c->block.lines[c->row + i], c->field[ARRIVAL], err,
                "arrival %.12g s is before that of the row in front of it, %.12g s; sort the file with: "
                "fsim convert --sort IN OUT",
                fsim_ns_to_s(at_ns[i]), fsim_ns_to_s(last));
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
    return fsim_csv_fail(c->csv, c->block.lines[row], c->field[MEMORY], err, "%s", inner.text);
}

static fsim_status apply_memory(csv_source *c, const fsim_arrivals *batch, fsim_error *err) {
    const int64_t *memory_mb = c->block.columns[c->field[MEMORY]] + c->row;
    for (uint32_t i = 0; i < batch->count; i++) {
        if (memory_mb[i] == MEMORY_EMPTY) {
            continue;
        }
        if (memory_mb[i] == 0 ||
            fsim_function_table_set_memory(c->context.table, batch->fn[i], memory_mb[i], NULL) != FSIM_OK) {
            return fail_memory(c, batch->fn[i], c->row + i, memory_mb[i], err);
        }
    }
    return FSIM_OK;
}

/* The cells of a role for `count` rows from the current one, or NULL. */
static const int64_t *cells_of(const csv_source *c, column_role role) {
    return c->field[role] == ABSENT ? NULL : c->block.columns[c->field[role]] + c->row;
}

static fsim_status copy_rows(csv_source *c, fsim_arrivals *batch, uint32_t count, fsim_error *err) {
    const int64_t *fn = cells_of(c, FUNCTION), *duration = cells_of(c, DURATION), *cpu = cells_of(c, CPU);
    const int64_t *session = cells_of(c, SESSION);
    batch->count = count;
    fsim_source_fill(batch, c->context.default_fn);
    memcpy(batch->at_ns, cells_of(c, ARRIVAL), count * sizeof *batch->at_ns);
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
    if (c->field[MEMORY] != ABSENT) {
        FSIM_TRY(apply_memory(c, batch, err));
    }
    c->row += count;
    return FSIM_OK;
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    csv_source *c = state;
    if (c->rates != NULL) {
        return fsim_rate_trace_next(c->rates, batch, err);
    }
    if (c->row == c->block.count) {
        c->row = 0;
        FSIM_TRY(fsim_csv_next(c->csv, &c->block, err));
    }
    uint32_t left = c->block.count - c->row;
    return copy_rows(c, batch, left < FSIM_BATCH ? left : FSIM_BATCH, err);
}

static double progress(const void *state) {
    const csv_source *c = state;
    return fsim_csv_progress(c->csv);
}

const fsim_source_ops fsim_source_csv = {
    .name = "csv",
    .summary = "a request trace or a rate trace in the native CSV formats, told apart by the header",
    .example = "{\"source\": \"csv\", \"file\": \"hello.csv\"}",
    .state_size = sizeof(csv_source),
    .open = open,
    .next = next,
    .close = close_files,
    .progress = progress,
};
