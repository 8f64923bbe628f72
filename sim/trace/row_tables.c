/* Formats that are CSV with one row a request: a table says what their columns are.
 *
 * azure-2021 (Y. Zhang et al., SOSP 2021; CC BY 4.0): app, func, end_timestamp, duration in seconds; a
 * request starts at end - duration, `func` is unique only within its app. huawei-2025 (A. Joosen et al.,
 * EuroSys 2025; CC BY 4.0): requests of day 30, and cold starts of 31 days, where a row is one start and its
 * duration the time of the start. A function is funcName---userID---pool; podID is pool-CPU-memory-serial;
 * a table of functions beside it gives runtime and trigger.
 * Empty and NaN cells are missing. ibm-code-engine (M. Nasiri et al., EuroSys 2026; MIT): the lists of its
 * pickles exploded to one row a request; app configurations beside it give memory. */
#include "base/text.h"
#include "trace/trace_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef enum column_role {
    START,
    END,
    DURATION,
    WEAKER_DURATION,
    FUNCTION,
    APP,
    OWNER,
    POD,
    CPU_CORES,
    ROLES
} column_role;

typedef struct column_kind {
    const char *name;
    column_role role;
    int64_t unit; /* ns */
} column_kind;

#define COLUMNS 12
#define MISSING (-1)
#define NO_TIME (INT64_MIN + 1)

typedef struct row_table {
    column_kind columns[COLUMNS];
    const char *needed[5]; /* columns that tell the format */
    bool pods;             /* the function is funcName---userID---pool */
} row_table;

static const row_table azure2021 = {.columns = {{"app", APP, 0},
                                                {"func", FUNCTION, 0},
                                                {"end_timestamp", END, FSIM_SECOND},
                                                {"duration", DURATION, FSIM_SECOND}},
                                    .needed = {"app", "func", "end_timestamp", "duration"}};

static const row_table huawei_requests = {.columns = {{"time_worker", START, FSIM_SECOND},
                                                      {"funcName", FUNCTION, 0},
                                                      {"userID", OWNER, 0},
                                                      {"podID", POD, 0},
                                                      {"runtimeCost", DURATION, FSIM_SECOND},
                                                      {"totalCost_worker", WEAKER_DURATION, FSIM_SECOND},
                                                      {"cpu_usage", CPU_CORES, FSIM_SECOND}},
                                          .needed = {"time_worker", "funcName", "podID"},
                                          .pods = true};

static const row_table huawei_cold = {.columns = {{"time", START, FSIM_SECOND},
                                                  {"funcName", FUNCTION, 0},
                                                  {"userID", OWNER, 0},
                                                  {"podID", POD, 0},
                                                  {"totalCost_cold_start", DURATION, FSIM_SECOND}},
                                      .needed = {"time", "funcName", "podID", "totalCost_cold_start"},
                                      .pods = true};

static const row_table ibm = {.columns = {{"NamespaceHash", OWNER, 0},
                                          {"AppHash", FUNCTION, 0},
                                          {"InvocationTime", START, FSIM_SECOND},
                                          {"InvocationTimes", START, FSIM_SECOND},
                                          {"AppExecTime", DURATION, FSIM_MS},
                                          {"AppExecTimes", DURATION, FSIM_MS},
                                          {"TotalExecTime", WEAKER_DURATION, FSIM_MS},
                                          {"TotalExecTimes", WEAKER_DURATION, FSIM_MS}},
                              .needed = {"AppHash"}};

/* One column of instants, one function. */
static const row_table instants = {.columns = {{"timestamp", START, FSIM_SECOND},
                                               {"timestamp_s", START, FSIM_SECOND},
                                               {"timestamp_ms", START, FSIM_MS},
                                               {"time", START, FSIM_SECOND},
                                               {"time_ms", START, FSIM_MS},
                                               {"datetime", START, FSIM_SECOND},
                                               {"invocation_time", START, FSIM_SECOND},
                                               {"start_time", START, FSIM_SECOND}}};

typedef struct table_reader {
    const row_table *table;
    size_t fields[ROLES];
    fsim_csv_block block;
    uint32_t row;
} table_reader;

/* --- columns --- */

static bool has_all(const trace_probe *probe, const row_table *table) {
    for (size_t i = 0; table->needed[i] != NULL; i++) {
        if (!trace_probe_has(probe, table->needed[i])) {
            return false;
        }
    }
    return true;
}

static fsim_status read_signed(const char *text, size_t len, int64_t unit_ns, int64_t *value,
                               fsim_error *err) {
    size_t sign = len > 0 && text[0] == '-';
    if (fsim_text_parse_scaled_ns(text + sign, len - sign, unit_ns, value)) {
        *value = sign != 0 ? -*value : *value;
        return FSIM_OK;
    }
    *value = NO_TIME;
    if (len == 3 && strncasecmp(text, "nan", 3) == 0) {
        return FSIM_OK;
    }
    return fsim_fail(err, FSIM_EDATA, "\"%.*s\" is no number, expected a time", (int)(len < 40 ? len : 40),
                     text);
}

/* Times may be missing, and a little below 0, which is clamped later. */
static fsim_status seconds_cell(void *user, const char *text, size_t len, int64_t *value, fsim_error *err) {
    (void)user;
    return read_signed(text, len, FSIM_SECOND, value, err);
}

static fsim_status ms_cell(void *user, const char *text, size_t len, int64_t *value, fsim_error *err) {
    (void)user;
    return read_signed(text, len, FSIM_MS, value, err);
}

static fsim_status bind_column(fsim_trace *t, table_reader *r, const column_kind *kind, size_t field,
                               fsim_error *err) {
    if (r->fields[kind->role] != SIZE_MAX) {
        return fsim_csv_fail(t->csv, 1, field, err, "column \"%s\" says the same as column %zu", kind->name,
                             r->fields[kind->role] + 1);
    }
    r->fields[kind->role] = field;
    fsim_csv_binding binding = {
        .unit = kind->unit, .expected = kind->name, .when_empty = MISSING, .nan_is_empty = true, .user = t};
    if (kind->unit == 0) {
        binding.name = trace_intern_cell;
    } else if (kind->role == START || kind->role == END) {
        binding.name = kind->unit == FSIM_MS   ? ms_cell
                       : r->table == &instants ? trace_time_cell
                                               : seconds_cell;
        binding.when_empty = NO_TIME;
    }
    fsim_csv_bind(t->csv, field, &binding);
    return FSIM_OK;
}

static fsim_status open_table(fsim_trace *t, const trace_file *file, const row_table *table,
                              fsim_error *err) {
    table_reader *r = fsim_value_pool_alloc(t->pool, sizeof *r);
    size_t count;
    if (r == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    t->reader = r;
    r->table = table;
    for (size_t role = 0; role < ROLES; role++) {
        r->fields[role] = SIZE_MAX;
    }
    FSIM_TRY(fsim_csv_open(&t->csv, NULL, file->path, err));
    const char *const *names = fsim_csv_header(t->csv, &count);
    for (size_t f = 0; f < count; f++) {
        for (const column_kind *kind = table->columns; kind->name != NULL; kind++) {
            if (strcasecmp(names[f], kind->name) == 0) {
                FSIM_TRY(bind_column(t, r, kind, f, err));
            }
        }
    }
    t->has_durations = r->fields[DURATION] != SIZE_MAX || r->fields[WEAKER_DURATION] != SIZE_MAX;
    return FSIM_OK;
}

/* --- rows --- */

static int64_t cell(const table_reader *r, column_role role) {
    return r->fields[role] == SIZE_MAX ? MISSING : r->block.columns[r->fields[role]][r->row];
}

static const char *text_of(const fsim_trace *t, int64_t cell_value) {
    return cell_value == MISSING ? "" : t->texts.texts[cell_value];
}

/* The number of up to seven digits that stands behind a '-' at the end of the text; 0: there is none. *len
 * becomes what is in front of that. */
static int64_t number_at_end(const char *text, size_t *len) {
    size_t at = *len;
    int64_t number = 0;
    while (at > 0 && text[at - 1] >= '0' && text[at - 1] <= '9' && *len - at < 7) {
        at--;
    }
    if (at == *len || at == 0 || text[at - 1] != '-') {
        return 0;
    }
    for (size_t i = at; i < *len; i++) {
        number = number * 10 + (text[i] - '0');
    }
    *len = at - 1u;
    return number;
}

/* "pool22-300-128": 128 is its memory in MB, 300 its limit of CPU in thousandths of a core. */
static void pool_limits(const char *pool, size_t len, int64_t *memory_mb, int64_t *millicores) {
    *memory_mb = number_at_end(pool, &len);
    *millicores = *memory_mb > 0 ? number_at_end(pool, &len) : 0;
}

/* "pool22-300-128-0000177166": everything in front of the serial is the pool. */
static size_t pool_of(const char *pod, int64_t *memory_mb, int64_t *millicores) {
    const char *serial = strrchr(pod, '-');
    size_t len = serial == NULL ? strlen(pod) : (size_t)(serial - pod);
    pool_limits(pod, len, memory_mb, millicores);
    return len;
}

static void describe_pool(fsim_trace_function *f, int64_t memory_mb, int64_t millicores) {
    f->memory_mb = memory_mb;
    f->memory_mean = (double)memory_mb;
    f->vcpu = (double)millicores * 1e-3;
}

static fsim_status function_of(fsim_trace *t, const table_reader *r, uint32_t *f, fsim_error *err) {
    int64_t function = cell(r, FUNCTION), app = cell(r, APP), owner = cell(r, OWNER), pod = cell(r, POD);
    const char *pod_text = text_of(t, pod);
    int64_t memory_mb = 0, millicores = 0;
    uint32_t pool = 0;
    size_t pool_len = r->table->pods ? pool_of(pod_text, &memory_mb, &millicores) : 0;
    FSIM_TRY(name_map_intern(&t->texts, pod_text, pool_len, &pool, err));
    const int64_t key[4] = {function, app, owner, pool};
    *f = name_map_find(&t->keys, (const char *)key, sizeof key);
    if (*f != UINT32_MAX) {
        return FSIM_OK;
    }
    const char *parts[5] = {text_of(t, function), "", "", "", ""};
    if (r->table->pods) {
        parts[1] = parts[3] = "---";
        parts[2] = text_of(t, owner);
        parts[4] = t->texts.texts[pool];
    } else if (app != MISSING) {
        parts[0] = text_of(t, app);
        parts[1] = "/";
        parts[2] = text_of(t, function);
    }
    size_t size = 1;
    for (int i = 0; i < 5; i++) {
        size += strlen(parts[i]);
    }
    char *name = fsim_value_pool_alloc(t->pool, size);
    if (name == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    snprintf(name, size, "%s%s%s%s%s", parts[0], parts[1], parts[2], parts[3], parts[4]);
    FSIM_TRY(trace_function(t, key, sizeof key, name, f, err));
    t->functions[*f].app = app == MISSING ? NULL : text_of(t, app);
    t->functions[*f].owner = owner == MISSING ? NULL : text_of(t, owner);
    describe_pool(&t->functions[*f], memory_mb, millicores);
    if (r->table->pods) {
        trace_describe_huawei_function(t, &t->functions[*f]);
    }
    return FSIM_OK;
}

fsim_status trace_ibm_function(fsim_trace *t, int64_t app, int64_t name_space, uint32_t *f, fsim_error *err) {
    uint32_t pool = 0;
    FSIM_TRY(name_map_intern(&t->texts, "", 0, &pool, err));
    const int64_t key[4] = {app, MISSING, name_space, pool};
    FSIM_TRY(trace_function(t, key, sizeof key, text_of(t, app), f, err));
    t->functions[*f].owner = name_space == MISSING ? NULL : text_of(t, name_space);
    return FSIM_OK;
}

/* The row at hand; false: it has no time. */
static bool times_of(const table_reader *r, trace_row *row) {
    int64_t duration_ns = cell(r, DURATION), start_ns = cell(r, START), end_ns = cell(r, END);
    duration_ns = duration_ns == MISSING ? cell(r, WEAKER_DURATION) : duration_ns;
    bool by_end = r->fields[START] == SIZE_MAX;
    int64_t at_ns = by_end ? end_ns : start_ns;
    if (at_ns == NO_TIME || (by_end && r->fields[END] == SIZE_MAX)) {
        return false;
    }
    row->at_ns = by_end && duration_ns != MISSING ? at_ns - duration_ns : at_ns;
    row->duration_ns = duration_ns == MISSING ? FSIM_DRAW : duration_ns;
    row->line = r->block.lines[r->row];
    row->field = by_end ? r->fields[END] : r->fields[START];
    int64_t cores = cell(r, CPU_CORES); /* in billionths, over the duration */
    if (cores != MISSING && duration_ns != MISSING) {
        double cpu_ns = (double)cores * 1e-9 * (double)duration_ns;
        row->cpu_ns = cpu_ns < 9e18 ? (fsim_ns)cpu_ns : FSIM_DRAW;
    }
    return true;
}

static fsim_status next_row(fsim_trace *t, trace_row *row, bool *got, fsim_error *err) {
    table_reader *r = t->reader;
    for (*got = false; !*got;) {
        if (r->row == r->block.count) {
            r->row = 0;
            FSIM_TRY(fsim_csv_next(t->csv, &r->block, err));
            if (r->block.count == 0) {
                return FSIM_OK;
            }
        }
        *got = times_of(r, row);
        if (*got) {
            FSIM_TRY(function_of(t, r, &row->fn, err));
        } else {
            trace_drop(t, "a row without a time", 1, 1);
        }
        r->row++;
    }
    return FSIM_OK;
}

/* --- the formats --- */

static int is_azure2021(const trace_probe *probe) {
    return has_all(probe, &azure2021);
}

static int is_huawei_requests(const trace_probe *probe) {
    return has_all(probe, &huawei_requests);
}

static int is_huawei_cold(const trace_probe *probe) {
    return has_all(probe, &huawei_cold);
}

enum { IBM_REQUESTS = 1, IBM_CONFIGURATIONS };

static int is_ibm(const trace_probe *probe) {
    static const char *const times[] = {"InvocationTime", "InvocationTimes", NULL};
    if (!has_all(probe, &ibm)) {
        return 0;
    }
    return trace_probe_column(probe, times) != SIZE_MAX          ? IBM_REQUESTS
           : trace_probe_has(probe, "AppContainerRequestMemory") ? IBM_CONFIGURATIONS
                                                                 : 0;
}

static int is_instants(const trace_probe *probe) {
    const char *names[COLUMNS + 1] = {0};
    for (size_t c = 0; instants.columns[c].name != NULL; c++) {
        names[c] = instants.columns[c].name;
    }
    return probe->name_count == 1 && trace_probe_column(probe, names) != SIZE_MAX;
}

static fsim_status open_azure2021(fsim_trace *t, const trace_file *file, fsim_error *err) {
    return open_table(t, file, &azure2021, err);
}

enum { HUAWEI_ROWS = 1, HUAWEI_FUNCTIONS };

static fsim_status open_huawei_requests(fsim_trace *t, const trace_file *file, fsim_error *err) {
    return file->role == HUAWEI_ROWS ? open_table(t, file, &huawei_requests, err)
                                     : trace_read_huawei_functions(t, file, err);
}

static fsim_status open_huawei_cold(fsim_trace *t, const trace_file *file, fsim_error *err) {
    return file->role == HUAWEI_ROWS ? open_table(t, file, &huawei_cold, err)
                                     : trace_read_huawei_functions(t, file, err);
}

/* Alone: its functions, and no requests. */
static fsim_status open_huawei_functions(fsim_trace *t, const trace_file *file, fsim_error *err) {
    FSIM_TRY(trace_read_huawei_functions(t, file, err));
    for (uint32_t i = 0; i < trace_huawei_function_count(t); i++) {
        const char *id = trace_huawei_function_id(t, i);
        int64_t memory_mb = 0, millicores = 0;
        uint32_t f;
        FSIM_TRY(trace_function(t, id, strlen(id), id, &f, err));
        pool_limits(id, strlen(id), &memory_mb, &millicores);
        describe_pool(&t->functions[f], memory_mb, millicores);
        trace_describe_huawei_function(t, &t->functions[f]);
    }
    return FSIM_OK;
}

static int is_huawei_functions(const trace_probe *probe) {
    return trace_probe_has(probe, "funcID") && trace_probe_has(probe, "runtime") ? HUAWEI_FUNCTIONS : 0;
}

static fsim_status open_ibm(fsim_trace *t, const trace_file *file, fsim_error *err) {
    return file->role == IBM_REQUESTS ? open_table(t, file, &ibm, err)
                                      : trace_read_ibm_configurations(t, file, err);
}

/* Of formats with tables beside the rows, which are read already. */
static fsim_status next_if_rows(fsim_trace *t, trace_row *row, bool *got, fsim_error *err) {
    *got = false;
    return t->csv == NULL ? FSIM_OK : next_row(t, row, got, err);
}

static fsim_status open_instants(fsim_trace *t, const trace_file *file, fsim_error *err) {
    return open_table(t, file, &instants, err);
}

const trace_format trace_format_azure2021 = {.name = "azure-2021",
                                             .role_of = is_azure2021,
                                             .open = open_azure2021,
                                             .next = next_row,
                                             .own_zero = true};
const trace_format trace_format_huawei2025_requests = {.name = "huawei-2025-requests",
                                                       .role_of = is_huawei_requests,
                                                       .open = open_huawei_requests,
                                                       .next = next_if_rows,
                                                       .cpu_column = "cpu_usage"};
const trace_format trace_format_huawei2025_cold = {.name = "huawei-2025-cold-starts",
                                                   .role_of = is_huawei_cold,
                                                   .open = open_huawei_cold,
                                                   .next = next_if_rows};
const trace_format trace_format_huawei2025_functions = {
    .name = "huawei-2025-functions",
    .role_of = is_huawei_functions,
    .open = open_huawei_functions,
    .next = next_if_rows,
    .describes = {"huawei-2025-requests", "huawei-2025-cold-starts"}};
const trace_format trace_format_ibm = {
    .name = "ibm-code-engine", .role_of = is_ibm, .open = open_ibm, .next = next_if_rows};
const trace_format trace_format_instants = {
    .name = "instants", .role_of = is_instants, .open = open_instants, .next = next_row};
