/* The header of the native CSV traces; see native_csv.h. */
#include "io/native_csv.h"

#include "base/text.h"
#include "base/time.h"
#include "io/file.h"
#include "io/input.h"

#include <string.h>

static const struct column_kind {
    const char *name;
    fsim_native_role role;
    int64_t unit;
    const char *expected;
} column_kinds[] = {
    {"arrival_s", FSIM_NATIVE_ARRIVAL, FSIM_SECOND, "seconds since the start, at least 0"},
    {"arrival_ms", FSIM_NATIVE_ARRIVAL, FSIM_MS, "milliseconds since the start, at least 0"},
    {"arrival_us", FSIM_NATIVE_ARRIVAL, FSIM_US, "microseconds since the start, at least 0"},
    {"arrival_ns", FSIM_NATIVE_ARRIVAL, 1, "nanoseconds since the start, at least 0"},
    {"function", FSIM_NATIVE_FUNCTION, 0, "the name of a function"},
    {"duration_s", FSIM_NATIVE_DURATION, FSIM_SECOND, "seconds, at least 0"},
    {"duration_ms", FSIM_NATIVE_DURATION, FSIM_MS, "milliseconds, at least 0"},
    {"duration_us", FSIM_NATIVE_DURATION, FSIM_US, "microseconds, at least 0"},
    {"duration_ns", FSIM_NATIVE_DURATION, 1, "nanoseconds, at least 0"},
    {"cpu_ms", FSIM_NATIVE_CPU, FSIM_MS, "milliseconds of CPU time, at least 0"},
    {"memory_mb", FSIM_NATIVE_MEMORY, 1, "megabytes, at least 1"},
    {"session", FSIM_NATIVE_SESSION, 0, "a session id"},
    {"version", FSIM_NATIVE_VERSION, 0, "the name of a version"},
    {"time_s", FSIM_NATIVE_TIME, FSIM_SECOND, "the start of the bucket in seconds, at least 0"},
    {"requests", FSIM_NATIVE_REQUESTS, 1000000000, "the number of requests in the bucket, at least 0"},
    {"rps", FSIM_NATIVE_RPS, 1000000000, "requests per second, at least 0"},
};

#define KINDS (sizeof column_kinds / sizeof column_kinds[0])

static const struct column_kind *find_kind(const char *name) {
    for (size_t k = 0; k < KINDS; k++) {
        if (strcmp(column_kinds[k].name, name) == 0) {
            return &column_kinds[k];
        }
    }
    return NULL;
}

static fsim_status fail_column(const fsim_csv *csv, const char *name, size_t field, fsim_error *err) {
    const char *names[KINDS + 1];
    double number;
    for (size_t k = 0; k < KINDS; k++) {
        names[k] = column_kinds[k].name;
    }
    names[KINDS] = NULL;
    const char *near = fsim_text_nearest(name, names);
    if (near != NULL) {
        return fsim_csv_fail(csv, 1, field, err, "unknown column \"%.60s\"; did you mean \"%s\"?", name,
                             near);
    }
    if (fsim_text_parse_real(name, &number)) {
        return fsim_csv_fail(
            csv, 1, field, err,
            "found \"%.60s\" where the header line should be, such as arrival_s,function,duration_ms", name);
    }
    return fsim_csv_fail(
        csv, 1, field, err,
        "unknown column \"%.60s\", expected a request trace (arrival_s, function, duration_ms, cpu_ms, "
        "memory_mb, session, version) or a rate trace (time_s, function, requests or rps)",
        name);
}

static fsim_status read_names(fsim_native_header *h, const fsim_csv *csv, fsim_error *err) {
    size_t count;
    const char *const *names = fsim_csv_header(csv, &count);
    for (size_t role = 0; role < FSIM_NATIVE_ROLES; role++) {
        h->field[role] = FSIM_NATIVE_ABSENT;
    }
    for (size_t field = 0; field < count; field++) {
        const struct column_kind *kind = find_kind(names[field]);
        if (kind == NULL) {
            return fail_column(csv, names[field], field, err);
        }
        size_t before = h->field[kind->role];
        if (before != FSIM_NATIVE_ABSENT) {
            return fsim_csv_fail(csv, 1, field, err, "column \"%s\" says the same as column %zu, \"%s\"",
                                 kind->name, before + 1, names[before]);
        }
        h->field[kind->role] = field;
        h->binding[kind->role] = (fsim_csv_binding){
            .unit = kind->unit, .expected = kind->expected, .when_empty = FSIM_CSV_REQUIRED};
    }
    return FSIM_OK;
}

static bool has(const fsim_native_header *h, fsim_native_role role) {
    return h->field[role] != FSIM_NATIVE_ABSENT;
}

/* Which of the two formats, and that no column of the other stands in it. */
static fsim_status check_format(fsim_native_header *h, const fsim_csv *csv, fsim_error *err) {
    h->is_rates = has(h, FSIM_NATIVE_TIME);
    bool requests = has(h, FSIM_NATIVE_REQUESTS), rps = has(h, FSIM_NATIVE_RPS);
    if (h->is_rates == has(h, FSIM_NATIVE_ARRIVAL)) {
        return fsim_csv_fail(
            csv, 1, 0, err,
            "expected either arrival_s (a request trace) or time_s (a rate trace), found %s of them",
            h->is_rates ? "both" : "none");
    }
    if (!h->is_rates && (requests || rps)) {
        size_t field = h->field[requests ? FSIM_NATIVE_REQUESTS : FSIM_NATIVE_RPS];
        return fsim_csv_fail(csv, 1, field, err,
                             "this column belongs to a rate trace, which has time_s, not arrival_s");
    }
    for (int role = FSIM_NATIVE_DURATION; h->is_rates && role <= FSIM_NATIVE_VERSION; role++) {
        if (has(h, (fsim_native_role)role)) {
            return fsim_csv_fail(csv, 1, h->field[role], err,
                                 "this column belongs to a request trace, which has arrival_s, not time_s");
        }
    }
    if (h->is_rates && requests == rps) {
        return fsim_csv_fail(csv, 1, 0, err, "a rate trace needs either a column \"requests\" or \"rps\"");
    }
    return FSIM_OK;
}

fsim_status fsim_native_read_header(fsim_native_header *out, const fsim_csv *csv, fsim_error *err) {
    *out = (fsim_native_header){0};
    FSIM_TRY(read_names(out, csv, err));
    return check_format(out, csv, err);
}

fsim_status fsim_native_fail_order(const fsim_native_header *h, const fsim_csv *csv, uint64_t line,
                                   int64_t at_ns, int64_t before_ns, fsim_error *err) {
    return fsim_csv_fail(
        csv, line, h->field[FSIM_NATIVE_ARRIVAL], err,
        "arrival %.12g s is before that of the row in front of it, %.12g s; sort the file with: "
        "fsim convert --sort IN OUT",
        fsim_ns_to_s(at_ns), fsim_ns_to_s(before_ns));
}

bool fsim_native_is_rates_at(const char *base_dir, const char *path) {
    static const char name[] = "time_s", around[] = " \t\",\xef\xbb\xbf";
    char resolved[FSIM_PATH_MAX], head[4096];
    if (fsim_file_resolve(base_dir, path, resolved, sizeof resolved, NULL) != FSIM_OK) {
        return false;
    }
    head[fsim_input_peek(resolved, head, sizeof head - 1)] = '\0';
    head[strcspn(head, "\r\n")] = '\0';
    for (const char *at = head; (at = strstr(at, name)) != NULL; at++) {
        const char *end = at + sizeof name - 1;
        if ((at == head || strchr(around, at[-1]) != NULL) &&
            (*end == '\0' || strchr(around, *end) != NULL)) {
            return true;
        }
    }
    return false;
}
