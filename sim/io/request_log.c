#include "io/request_log.h"

#include "base/text.h"
#include "io/csv_reader.h"
#include "io/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { START, END, MEMORY, MAX_MEMORY, VCPU, DISK, CPU, INIT, FUNCTION, INSTANCE, COLUMNS };

typedef struct log_row {
    int64_t cell[COLUMNS];
    uint64_t line;
} log_row;

/* Everything that a log owns while it is read and after. */
typedef struct log_store {
    log_row *rows;
    size_t count, capacity;
    fsim_value_pool *pool; /* names */
    const char **names;    /* of functions and instances */
    size_t name_count, name_capacity;
    fsim_timeline_instance *instances;
    fsim_timeline_request *requests;
} log_store;

static fsim_status out_of_memory(fsim_error *err) {
    return fsim_fail(err, FSIM_ELIMIT, "out of memory");
}

static void store_free(log_store *s) {
    if (s != NULL) {
        free(s->rows);
        free(s->names);
        free(s->instances);
        free(s->requests);
        fsim_value_pool_destroy(s->pool);
        free(s);
    }
}

static fsim_status add_row(log_store *s, const log_row *row, fsim_error *err) {
    if (s->count == s->capacity) {
        size_t capacity = s->capacity == 0 ? 1024 : 2 * s->capacity;
        log_row *rows = realloc(s->rows, capacity * sizeof *rows);
        if (rows == NULL || capacity > UINT32_MAX / 2) {
            s->rows = rows == NULL ? s->rows : rows;
            return out_of_memory(err);
        }
        s->rows = rows;
        s->capacity = capacity;
    }
    s->rows[s->count++] = *row;
    return FSIM_OK;
}

/* ---- CSV ---- */

typedef struct column {
    const char *name;
    int cell;
    int64_t unit; /* 0: a name */
    const char *expected;
    int64_t when_empty;
} column;

static const column columns[] = {
    {"start_s", START, FSIM_SECOND, "an instant in seconds", FSIM_CSV_REQUIRED},
    {"start_ms", START, FSIM_MS, "an instant in milliseconds", FSIM_CSV_REQUIRED},
    {"start_us", START, FSIM_US, "an instant in microseconds", FSIM_CSV_REQUIRED},
    {"start_ns", START, 1, "an instant in nanoseconds", FSIM_CSV_REQUIRED},
    {"end_s", END, FSIM_SECOND, "an instant in seconds", FSIM_CSV_REQUIRED},
    {"end_ms", END, FSIM_MS, "an instant in milliseconds", FSIM_CSV_REQUIRED},
    {"end_us", END, FSIM_US, "an instant in microseconds", FSIM_CSV_REQUIRED},
    {"end_ns", END, 1, "an instant in nanoseconds", FSIM_CSV_REQUIRED},
    {"memory_mb", MEMORY, 1, "a size in MB", FSIM_CSV_REQUIRED},
    {"max_memory_mb", MAX_MEMORY, 1, "a size in MB", 0},
    {"vcpu_milli", VCPU, 1, "thousandths of a core", 1000},
    {"disk_mb", DISK, 1, "a size in MB", 0},
    {"cpu_ms", CPU, FSIM_MS, "CPU time in milliseconds", FSIM_CSV_REQUIRED},
    {"init_ms", INIT, FSIM_MS, "a time in milliseconds", 0},
    {"function", FUNCTION, 0, "a name", FSIM_CSV_REQUIRED},
    {"instance", INSTANCE, 0, "a name", FSIM_CSV_REQUIRED},
};
enum { KNOWN = sizeof columns / sizeof *columns };

/* The names of a log are few: found by looking at each, the last ones first. */
static fsim_status read_name(void *user, const char *text, size_t len, int64_t *value, fsim_error *err) {
    log_store *s = user;
    char name[256];
    if (len >= sizeof name) {
        return fsim_fail(err, FSIM_EDATA, "expected a name of at most %zu bytes", sizeof name - 1);
    }
    memcpy(name, text, len);
    name[len] = '\0';
    for (size_t i = s->name_count; i > 0; i--) {
        if (strcmp(s->names[i - 1], name) == 0) {
            *value = (int64_t)i - 1;
            return FSIM_OK;
        }
    }
    if (s->name_count == s->name_capacity) {
        size_t capacity = s->name_capacity == 0 ? 64 : 2 * s->name_capacity;
        const char **names = realloc(s->names, capacity * sizeof *names);
        if (names == NULL) {
            return out_of_memory(err);
        }
        s->names = names;
        s->name_capacity = capacity;
    }
    s->names[s->name_count] = fsim_value_intern(s->pool, name);
    if (s->names[s->name_count] == NULL) {
        return out_of_memory(err);
    }
    *value = (int64_t)s->name_count++;
    return FSIM_OK;
}

/* Which field holds what; SIZE_MAX: none. */
static fsim_status bind_columns(log_store *s, fsim_csv *csv, size_t *field_of, fsim_error *err) {
    size_t count;
    const char *const *header = fsim_csv_header(csv, &count);
    const char *known[KNOWN + 1] = {0};
    for (size_t k = 0; k < KNOWN; k++) {
        known[k] = columns[k].name;
    }
    for (int c = 0; c < COLUMNS; c++) {
        field_of[c] = SIZE_MAX;
    }
    for (size_t f = 0; f < count; f++) {
        size_t k = 0;
        while (k < KNOWN && strcmp(columns[k].name, header[f]) != 0) {
            k++;
        }
        if (k == KNOWN) {
            const char *nearest = fsim_text_nearest(header[f], known);
            return fsim_csv_fail(csv, 1, f, err, "unknown column \"%s\"%s%s%s", header[f],
                                 nearest == NULL ? "" : "; did you mean \"", nearest == NULL ? "" : nearest,
                                 nearest == NULL ? "" : "\"?");
        }
        if (field_of[columns[k].cell] != SIZE_MAX) {
            return fsim_csv_fail(csv, 1, f, err, "\"%s\" says again what another column says", header[f]);
        }
        field_of[columns[k].cell] = f;
        const fsim_csv_binding binding = {.unit = columns[k].unit,
                                          .expected = columns[k].expected,
                                          .when_empty = columns[k].when_empty,
                                          .name = columns[k].unit == 0 ? read_name : NULL,
                                          .user = s};
        fsim_csv_bind(csv, f, &binding);
    }
    static const int needed[] = {START, END, MEMORY};
    static const char *const names[] = {"start_ms (or _s, _us, _ns)", "end_ms (or _s, _us, _ns)",
                                        "memory_mb"};
    for (size_t i = 0; i < 3; i++) {
        if (field_of[needed[i]] == SIZE_MAX) {
            return fsim_csv_fail(csv, 1, 0, err, "a request log needs a column %s", names[i]);
        }
    }
    return FSIM_OK;
}

static fsim_status read_rows(log_store *s, fsim_csv *csv, const size_t *field_of, fsim_error *err) {
    static const int64_t absent[COLUMNS] = {[VCPU] = 1000, [FUNCTION] = -1, [INSTANCE] = -1};
    fsim_csv_block block;
    for (;;) {
        FSIM_TRY(fsim_csv_next(csv, &block, err));
        if (block.count == 0) {
            return FSIM_OK;
        }
        for (uint32_t r = 0; r < block.count; r++) {
            log_row row = {.line = block.lines[r]};
            for (int c = 0; c < COLUMNS; c++) {
                row.cell[c] = field_of[c] == SIZE_MAX ? absent[c] : block.columns[field_of[c]][r];
            }
            if (row.cell[END] < row.cell[START]) {
                return fsim_csv_fail(csv, row.line, field_of[END], err, "a request ends before it starts");
            }
            if (row.cell[MEMORY] < 1 || row.cell[MEMORY] > INT32_MAX || row.cell[VCPU] < 1 ||
                row.cell[VCPU] > 1000000) {
                return fsim_csv_fail(csv, row.line, field_of[MEMORY], err,
                                     "expected memory of at least 1 MB");
            }
            FSIM_TRY(add_row(s, &row, err));
        }
    }
}

static fsim_status read_csv(log_store *s, const char *path, size_t *field_of, fsim_error *err) {
    fsim_csv *csv;
    FSIM_TRY(fsim_csv_open_like(&csv, NULL, path, "start_ms,end_ms,memory_mb", err));
    fsim_status status = bind_columns(s, csv, field_of, err);
    if (status == FSIM_OK) {
        status = read_rows(s, csv, field_of, err);
    }
    fsim_csv_close(csv);
    return status;
}

/* ---- REPORT lines ---- */

#define REPORT "REPORT RequestId:"
#define HEAD   262144u

/* The beginning of the file, ended by a NUL; NULL: there is none that can be looked at. */
static char *read_head(const char *path) {
    char *head = malloc(HEAD + 1u);
    size_t got = head == NULL ? 0 : fsim_input_peek(path, head, HEAD);
    if (got == 0) {
        free(head);
        return NULL;
    }
    head[got] = '\0';
    return head;
}

static bool begins_report(const char *head) {
    return head != NULL && strstr(head, REPORT) != NULL;
}

static bool is_report(const char *path) {
    char *head = read_head(path);
    bool found = begins_report(head);
    free(head);
    return found;
}

bool fsim_request_log_is_at(const char *path) {
    char *head = read_head(path);
    bool found = begins_report(head);
    if (head != NULL) {
        head[strcspn(head, "\r\n")] = '\0';
        found |= strstr(head, "start_") != NULL && strstr(head, "end_") != NULL;
    }
    free(head);
    return found;
}

/* The decimal after `label` times `unit`, as a whole number; false: it is not there, or is no number. */
static bool number_after(const char *line, const char *label, int64_t unit, int64_t *out) {
    char text[40];
    fsim_ratio value;
    const char *at = strstr(line, label);
    size_t n = 0;
    if (at == NULL) {
        return false;
    }
    at += strlen(label);
    at += strspn(at, " \t");
    n = strspn(at, "0123456789.");
    if (n == 0 || n >= sizeof text) {
        return false;
    }
    memcpy(text, at, n);
    text[n] = '\0';
    if (!fsim_decimal_parse_ratio(text, &value) || !fsim_ratio_mul(value, (fsim_ratio){unit, 1}, &value) ||
        value.den != 1 || value.num > INT64_MAX / 4) {
        return false;
    }
    *out = (int64_t)value.num;
    return true;
}

static fsim_status read_lines(log_store *s, fsim_lines *lines, fsim_error *err) {
    for (;;) {
        char *line;
        size_t len;
        FSIM_TRY(fsim_lines_next(lines, &line, &len, err));
        if (line == NULL) {
            return FSIM_OK;
        }
        const char *report = strstr(line, REPORT);
        log_row row = {.line = fsim_lines_number(lines),
                       .cell = {[VCPU] = 1000, [FUNCTION] = -1, [INSTANCE] = -1}};
        if (report == NULL) {
            continue;
        }
        if (!number_after(report, "Duration:", FSIM_MS, &row.cell[END]) ||
            !number_after(report, "Memory Size:", 1, &row.cell[MEMORY]) || row.cell[MEMORY] < 1) {
            return fsim_lines_fail(lines, (size_t)(report - line) + 1u, err,
                                   "expected \"Duration: <number> ms\" and \"Memory Size: <number> MB\"");
        }
        number_after(report, "Max Memory Used:", 1, &row.cell[MAX_MEMORY]);
        number_after(report, "Init Duration:", FSIM_MS, &row.cell[INIT]);
        FSIM_TRY(add_row(s, &row, err));
    }
}

static fsim_status read_report(log_store *s, const char *path, fsim_error *err) {
    fsim_lines *lines = NULL;
    FSIM_TRY(fsim_lines_open(&lines, path, err));
    fsim_status status = read_lines(s, lines, err);
    fsim_lines_close(lines);
    return status;
}

/* ---- rows to instances ---- */

static int by_instance(const void *left, const void *right) {
    const log_row *a = left, *b = right;
    if (a->cell[INSTANCE] != b->cell[INSTANCE]) {
        return a->cell[INSTANCE] < b->cell[INSTANCE] ? -1 : 1;
    }
    if (a->cell[START] != b->cell[START]) {
        return a->cell[START] < b->cell[START] ? -1 : 1;
    }
    return (a->line > b->line) - (a->line < b->line);
}

static void add_request(log_store *s, size_t i, fsim_timeline_instance *in, bool first, bool observed) {
    const log_row *row = &s->rows[i];
    bool used = observed && row->cell[MAX_MEMORY] > 0;
    if (first) {
        *in = (fsim_timeline_instance){
            .memory_mb = (uint64_t)row->cell[used ? MAX_MEMORY : MEMORY],
            .vcpu_milli = (uint64_t)row->cell[VCPU],
            .disk_mb = (uint64_t)row->cell[DISK],
            .init_ns = row->cell[INIT],
            .ready_ns = row->cell[START],
            .end_ns = FSIM_NEVER,
            .freeze = true,
            .has_cpu_total = true,
            .function = row->cell[FUNCTION] < 0 ? NULL : s->names[row->cell[FUNCTION]],
            .requests = &s->requests[i],
        };
    }
    s->requests[i] = (fsim_timeline_request){row->cell[START], row->cell[END]};
    in->request_count++;
    in->cpu_total_ns += (uint64_t)row->cell[CPU];
}

/* Clocks often count from 1970: the log begins in the hour of its first request. */
static void begin_in_first_hour(log_store *s) {
    int64_t first_ns = INT64_MAX;
    for (size_t i = 0; i < s->count; i++) {
        first_ns = s->rows[i].cell[START] < first_ns ? s->rows[i].cell[START] : first_ns;
    }
    int64_t hour_ns = s->count == 0 ? 0 : first_ns / FSIM_HOUR * FSIM_HOUR;
    for (size_t i = 0; i < s->count; i++) {
        s->rows[i].cell[START] -= hour_ns;
        s->rows[i].cell[END] -= hour_ns;
    }
}

static fsim_status make_instances(log_store *s, fsim_request_log *out, bool observed, const char *path,
                                  fsim_error *err) {
    s->instances = calloc(s->count + 1, sizeof *s->instances);
    s->requests = calloc(s->count + 1, sizeof *s->requests);
    if (s->instances == NULL || s->requests == NULL) {
        return out_of_memory(err);
    }
    begin_in_first_hour(s);
    if (out->has_instances) {
        qsort(s->rows, s->count, sizeof *s->rows, by_instance);
    }
    for (size_t i = 0; i < s->count; i++) {
        const log_row *row = &s->rows[i], *before = i == 0 ? NULL : &s->rows[i - 1];
        bool first = !out->has_instances || before == NULL || before->cell[INSTANCE] != row->cell[INSTANCE];
        if (!first && (before->cell[MEMORY] != row->cell[MEMORY] || before->cell[VCPU] != row->cell[VCPU] ||
                       before->cell[FUNCTION] != row->cell[FUNCTION])) {
            char place[4200];
            snprintf(place, sizeof place, "%.4096s:%llu", path, (unsigned long long)row->line);
            return fsim_fail_at(err, FSIM_EDATA, place,
                                "an instance has one function and one size; line %llu says otherwise",
                                (unsigned long long)before->line);
        }
        out->instance_count += first;
        add_request(s, i, &s->instances[out->instance_count - 1u], first, observed);
    }
    return FSIM_OK;
}

fsim_status fsim_request_log_read(fsim_request_log *out, const char *path, bool observed, fsim_error *err) {
    size_t field_of[COLUMNS] = {0};
    *out = (fsim_request_log){0};
    log_store *s = calloc(1, sizeof *s);
    bool report = is_report(path);
    if (s == NULL || (s->pool = fsim_value_pool_create()) == NULL) {
        store_free(s);
        return out_of_memory(err);
    }
    fsim_status status = report ? read_report(s, path, err) : read_csv(s, path, field_of, err);
    out->has_times = !report;
    out->has_instances = !report && field_of[INSTANCE] != SIZE_MAX;
    out->has_cpu = !report && field_of[CPU] != SIZE_MAX;
    if (status == FSIM_OK) {
        status = make_instances(s, out, observed, path, err);
    }
    if (status != FSIM_OK) {
        store_free(s);
        return status;
    }
    out->instances = s->instances;
    out->request_count = (uint32_t)s->count;
    out->store = s;
    return FSIM_OK;
}

void fsim_request_log_free(fsim_request_log *log) {
    store_free(log->store);
    *log = (fsim_request_log){0};
}
