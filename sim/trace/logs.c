/* Logs, line by line: web servers' common and combined log format, and the REPORT lines of AWS Lambda. Lines
 * that are no entry are passed over and counted; the order may be off by FSIM_TRACE_WINDOW lines. */
#include "base/text.h"
#include "trace/trace_parts.h"

#include <string.h>

/* --- common log format: host ident user [10/Oct/2000:13:55:36 -0700] "GET /x HTTP/1.0" 200 2326 --- */

/* The time between brackets. Hosts, requests and sizes may hold anything. */
static bool entry_time(const char *line, size_t len, int64_t *at_ns, size_t *column) {
    const char *open = memchr(line, '[', len);
    size_t used, left = open == NULL ? 0 : len - (size_t)(open + 1 - line);
    if (open == NULL || !trace_parse_time(open + 1, left, at_ns, &used) || used < 11 || used >= left ||
        open[1 + used] != ']') {
        return false;
    }
    *column = (size_t)(open - line) + 1;
    return true;
}

static int is_common_log(const trace_probe *probe) {
    int64_t at_ns;
    size_t column;
    const char *line = probe->head;
    for (int i = 0; i < 20 && *line != '\0'; i++) {
        size_t len = strcspn(line, "\r\n");
        if (entry_time(line, len, &at_ns, &column)) {
            return 1;
        }
        line += len;
        line += strspn(line, "\r\n");
    }
    return 0;
}

static fsim_status open_lines(fsim_trace *t, const trace_file *file, fsim_error *err) {
    return fsim_lines_open(&t->lines, file->path, err);
}

static fsim_status next_common_log(fsim_trace *t, trace_row *row, bool *got, fsim_error *err) {
    char *line;
    size_t len;
    for (*got = false; !*got;) {
        FSIM_TRY(fsim_lines_next(t->lines, &line, &len, err));
        if (line == NULL) {
            return FSIM_OK;
        }
        *got = entry_time(line, len, &row->at_ns, &row->field);
        if (!*got && len > 0) {
            trace_drop(t, "a line that is no log entry", 1, 1);
        }
    }
    row->line = fsim_lines_number(t->lines);
    return trace_function(t, "fn", 2, "fn", &row->fn, err);
}

/* --- Lambda: …REPORT RequestId: … Duration: 3.21 ms … Memory Size: 128 MB … Init Duration: 98.7 ms --- */

static const char report[] = "REPORT RequestId:";

static int is_lambda(const trace_probe *probe) {
    return strstr(probe->head, report) != NULL;
}

/* The number behind `label` at or after `from`, in units of `unit`; false: it is not there. */
static bool number_behind(const char *from, const char *label, int64_t unit, int64_t *value) {
    const char *at = strstr(from, label);
    if (at == NULL) {
        return false;
    }
    at += strlen(label);
    at += strspn(at, " \t");
    return fsim_text_parse_scaled_ns(at, strspn(at, "0123456789."), unit, value);
}

/* "Duration:" that belongs neither to "Billed Duration:" nor to "Init Duration:". */
static bool own_duration(const char *from, int64_t *duration_ns) {
    for (const char *at = from; (at = strstr(at, "Duration:")) != NULL; at += strlen("Duration:")) {
        bool other = (at - from >= 7 && memcmp(at - 7, "Billed ", 7) == 0) ||
                     (at - from >= 5 && memcmp(at - 5, "Init ", 5) == 0) ||
                     (at - from >= 8 && memcmp(at - 8, "Restore ", 8) == 0);
        if (!other) {
            return number_behind(at, "Duration:", FSIM_MS, duration_ns);
        }
    }
    return false;
}

/* The first time in front of REPORT: a date, or milliseconds since 1970 as log tools print them. */
static bool time_in_front(const char *line, const char *end, int64_t *at_ns) {
    for (const char *at = line; at < end; at++) {
        size_t used;
        bool begins = *at >= '0' && *at <= '9' && (at == line || at[-1] < '0' || at[-1] > '9');
        if (begins && trace_parse_time(at, (size_t)(end - at), at_ns, &used) && used >= 10) {
            return true;
        }
    }
    return false;
}

/* The function's name where the line shows a log group: /aws/lambda/NAME. */
static fsim_status function_of(fsim_trace *t, const char *line, uint32_t *f, fsim_error *err) {
    static const char group[] = "/aws/lambda/";
    const char *at = strstr(line, group);
    if (at == NULL) {
        return trace_function(t, "fn", 2, "fn", f, err);
    }
    at += strlen(group);
    size_t len = strcspn(at, " \t\",:/");
    char *name = fsim_value_pool_alloc(t->pool, len + 1);
    if (name == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    memcpy(name, at, len);
    return trace_function(t, name, len, name, f, err);
}

static fsim_status next_lambda(fsim_trace *t, trace_row *row, bool *got, fsim_error *err) {
    char *line;
    size_t len;
    int64_t memory_mb;
    for (*got = false; !*got;) {
        FSIM_TRY(fsim_lines_next(t->lines, &line, &len, err));
        if (line == NULL) {
            return FSIM_OK;
        }
        const char *at = strstr(line, report);
        if (at == NULL || !own_duration(at, &row->duration_ns)) {
            if (at != NULL) {
                trace_drop(t, "a REPORT line without a duration", 1, 1);
            }
            continue; /* START, END and what the function prints */
        }
        if (!time_in_front(line, at, &row->at_ns)) {
            return fsim_lines_fail(
                t->lines, 1, err,
                "a REPORT line without a time in front of it; export the log with timestamps");
        }
        row->at_ns -= row->duration_ns; /* it is written when the request ends */
        FSIM_TRY(function_of(t, line, &row->fn, err));
        if (number_behind(at, "Memory Size:", 1, &memory_mb) && memory_mb > 0 && memory_mb < (1 << 20)) {
            t->functions[row->fn].memory_mb = memory_mb;
            t->functions[row->fn].memory_mean = (double)memory_mb;
        }
        *got = true;
    }
    row->line = fsim_lines_number(t->lines);
    row->field = 0;
    return FSIM_OK;
}

const trace_format trace_format_common_log = {
    .name = "common-log", .role_of = is_common_log, .open = open_lines, .next = next_common_log};
const trace_format trace_format_lambda = {
    .name = "lambda-report", .role_of = is_lambda, .open = open_lines, .next = next_lambda};
