/* Files and their formats; see trace_files.h. */
#include "trace/trace_files.h"

#include "io/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define HEAD_BYTES 262144u
#define NAMES_MAX  16384u
#define NATIVE     (-1) /* as a role */

extern const trace_format trace_format_azure2019, trace_format_azure2021, trace_format_huawei2023,
    trace_format_huawei2025_requests, trace_format_huawei2025_cold, trace_format_huawei2025_functions,
    trace_format_ibm, trace_format_opendc, trace_format_series, trace_format_instants, trace_format_numbers,
    trace_format_common_log, trace_format_lambda, trace_format_prometheus;

const trace_format *const trace_formats[] = {
    &trace_format_azure2019,
    &trace_format_azure2021,
    &trace_format_huawei2025_requests,
    &trace_format_huawei2025_cold,
    &trace_format_huawei2025_functions,
    &trace_format_huawei2023,
    &trace_format_ibm,
    &trace_format_opendc,
    &trace_format_prometheus,
    &trace_format_lambda,
    &trace_format_common_log,
    &trace_format_series,
    &trace_format_instants,
    &trace_format_numbers,
    NULL,
};

/* --- the beginning of a file --- */

bool trace_probe_has(const trace_probe *probe, const char *name) {
    for (size_t i = 0; i < probe->name_count; i++) {
        if (strcasecmp(probe->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

size_t trace_probe_column(const trace_probe *probe, const char *const *spellings) {
    for (; *spellings != NULL; spellings++) {
        for (size_t i = 0; i < probe->name_count; i++) {
            if (strcasecmp(probe->names[i], *spellings) == 0) {
                return i;
            }
        }
    }
    return SIZE_MAX;
}

static fsim_status read_head(trace_probe *probe, fsim_error *err) {
    fsim_input *in = NULL;
    size_t got = 1;
    FSIM_TRY(fsim_input_open(&in, probe->path, err));
    fsim_status status = FSIM_OK;
    while (status == FSIM_OK && got > 0 && probe->head_len < HEAD_BYTES) {
        status = fsim_input_read(in, probe->head + probe->head_len, HEAD_BYTES - probe->head_len, &got, err);
        probe->head_len += status == FSIM_OK ? got : 0;
    }
    fsim_input_close(in);
    if (status != FSIM_OK && probe->head_len > 0) { /* enough to tell the format, whose reader will say it */
        status = FSIM_OK;
        if (err != NULL) {
            *err = (fsim_error){0};
        }
    }
    if (probe->head_len >= 3 && memcmp(probe->head, "\xef\xbb\xbf", 3) == 0) {
        probe->head_len -= 3;
        memmove(probe->head, probe->head + 3, probe->head_len);
    }
    probe->head[probe->head_len] = '\0';
    return status;
}

/* The cells of the first line, each copied behind the head. */
static void cut_names(trace_probe *probe, char *copy) {
    size_t len = strcspn(probe->head, "\r\n");
    memcpy(copy, probe->head, len);
    copy[len] = '\0';
    for (char *at = copy; at != NULL && probe->name_count < NAMES_MAX;) {
        char *comma = strchr(at, ',');
        char *end = comma == NULL ? at + strlen(at) : comma;
        while (at < end && (*at == ' ' || *at == '\t' || *at == '"')) {
            at++;
        }
        while (end > at && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '"')) {
            end--;
        }
        *end = '\0';
        probe->names[probe->name_count++] = at;
        at = comma == NULL ? NULL : comma + 1;
    }
    probe->names[probe->name_count] = NULL;
}

static const char *const arrival_columns[] = {"arrival_s", "arrival_ms", "arrival_us", "arrival_ns", NULL};

/* The native CSV has a reader of its own (workloads/sources/csv.c). */
static bool is_native(const trace_probe *probe) {
    return trace_probe_column(probe, arrival_columns) != SIZE_MAX || trace_probe_has(probe, "time_s");
}

/* *file: all but the path. */
static fsim_status probe_file(const char *path, const trace_format **format, trace_file *file,
                              fsim_error *err) {
    trace_probe probe = {.path = path};
    char *copy = malloc(HEAD_BYTES + 1u);
    probe.head = malloc(HEAD_BYTES + 1u);
    probe.names = malloc((NAMES_MAX + 1u) * sizeof *probe.names);
    *format = NULL;
    fsim_status status = copy == NULL || probe.head == NULL || probe.names == NULL
                             ? fsim_fail(err, FSIM_ELIMIT, "out of memory")
                             : read_head(&probe, err);
    if (status == FSIM_OK) {
        cut_names(&probe, copy);
        file->role = is_native(&probe) ? NATIVE : 0;
        for (size_t f = 0; trace_formats[f] != NULL && *format == NULL && file->role != NATIVE; f++) {
            file->role = trace_formats[f]->role_of(&probe);
            *format = file->role != 0 ? trace_formats[f] : NULL;
        }
        file->has_cpu = *format != NULL && (*format)->cpu_column != NULL &&
                        trace_probe_has(&probe, (*format)->cpu_column);
    }
    free(copy);
    free(probe.head);
    free(probe.names);
    return status;
}

/* Whether a cell of the first line names the arrivals of the native CSV. */
static bool has_arrivals(const char *line, size_t len) {
    for (size_t at = 0, end; at < len; at = end + 1) {
        const char *comma = memchr(line + at, ',', len - at);
        end = comma == NULL ? len : (size_t)(comma - line);
        char cell[16] = "";
        const char *name = cell;
        const trace_probe probe = {.names = &name, .name_count = 1};
        while (at < end && strchr(" \t\"", line[at]) != NULL) {
            at++;
        }
        size_t used = strcspn(line + at, " \t\r\n\",");
        if (used < sizeof cell) {
            memcpy(cell, line + at, used);
            if (trace_probe_column(&probe, arrival_columns) != SIZE_MAX) {
                return true;
            }
        }
    }
    return false;
}

bool fsim_trace_is_streamed(const char *head) {
    static const char *const fst = "\x89"
                                   "FST";
    head += strncmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    const char *begin = head + strspn(head, " \t\r\n");
    if (*begin == '{') {
        return strstr(begin, "\"resultType\"") == NULL;
    }
    return strncmp(head, fst, 4) == 0 || has_arrivals(begin, strcspn(begin, "\r\n"));
}

const char *fsim_trace_recognise(const char *path) {
    const trace_format *format = NULL;
    trace_file file;
    struct stat about;
    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode)) {
        return NULL; /* a pipe can be read only once */
    }
    return probe_file(path, &format, &file, NULL) == FSIM_OK && format != NULL ? format->name : NULL;
}

/* --- all files --- */

/* The format of a trace is that of its rows or buckets; tables that describe its functions are of their own.
 */
static bool settle_format(fsim_trace *t, const trace_format *format, const char *path) {
    if (t->format == format) {
        return true;
    }
    if (t->format == NULL) {
        t->format = format;
        t->told_by = path;
        return true;
    }
    for (size_t i = 0; i < 2 && format->describes[i] != NULL; i++) {
        if (strcmp(format->describes[i], t->format->name) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < 2 && t->format->describes[i] != NULL; i++) {
        if (strcmp(t->format->describes[i], format->name) == 0) {
            t->format = format;
            t->told_by = path;
            return true;
        }
    }
    return false;
}

static fsim_status add_file(fsim_trace *t, const char *path, const trace_format *format,
                            const trace_file *file, fsim_error *err) {
    path = fsim_value_intern(t->pool, path);
    if (path == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    if (!settle_format(t, format, path)) {
        return fsim_fail_at(err, FSIM_EDATA, path,
                            "this file is of format %s, and \"%.200s\" is %s: name the files of one trace",
                            format->name, t->told_by, t->format->name);
    }
    if (t->file_count == t->file_capacity) {
        size_t capacity = t->file_capacity == 0 ? 16 : 2 * t->file_capacity;
        trace_file *larger = realloc(t->files, capacity * sizeof *larger);
        if (larger == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        t->files = larger;
        t->file_capacity = capacity;
    }
    t->has_cpu |= file->has_cpu;
    t->files[t->file_count] = *file;
    t->files[t->file_count++].path = path;
    return FSIM_OK;
}

static fsim_status add_named_file(fsim_trace *t, const char *path, bool explicit, fsim_error *err) {
    const trace_format *format;
    trace_file file = {.role = 0};
    FSIM_TRY(probe_file(path, &format, &file, err));
    if (format != NULL) {
        return add_file(t, path, format, &file, err);
    }
    if (!explicit) {
        return FSIM_OK;
    }
    return fsim_fail_at(err, FSIM_EDATA, path,
                        file.role == NATIVE
                            ? "a native trace is read alone, not among the files of another"
                            : "the first line tells no known trace format; workloads/README.md lists them");
}

/* NOLINTNEXTLINE(misc-no-recursion): at most TRACE_DEPTH deep */
static fsim_status add_folder(fsim_trace *t, const char *path, int depth, fsim_error *err) {
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    fsim_status status = count < 0 ? fsim_fail_at(err, FSIM_EIO, path, "cannot read the folder") : FSIM_OK;
    for (int i = 0; i < count; i++) {
        char inside[FSIM_PATH_MAX];
        struct stat about;
        bool fits = snprintf(inside, sizeof inside, "%s/%s", path, entries[i]->d_name) < (int)sizeof inside;
        if (status == FSIM_OK && entries[i]->d_name[0] != '.' && fits && stat(inside, &about) == 0) {
            if (S_ISDIR(about.st_mode) && depth > 1) {
                status = add_folder(t, inside, depth - 1, err);
            } else if (S_ISREG(about.st_mode)) {
                status = add_named_file(t, inside, false, err);
            }
        }
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
    return status;
}

fsim_status trace_find_files(fsim_trace *t, const char *base_dir, const char *const *paths, size_t count,
                             fsim_error *err) {
    for (size_t i = 0; i < count; i++) {
        char path[FSIM_PATH_MAX];
        struct stat about;
        FSIM_TRY(fsim_file_resolve(base_dir, paths[i], path, sizeof path, err));
        if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) {
            FSIM_TRY(add_folder(t, path, TRACE_DEPTH, err));
        } else {
            FSIM_TRY(add_named_file(t, path, true, err));
        }
    }
    if (t->file_count == 0) {
        return fsim_fail_at(
            err, FSIM_EDATA, count > 0 ? paths[0] : NULL,
            "the folder holds no file of a known trace format; workloads/README.md lists them");
    }
    t->facts.functions_only = t->format->describes[0] != NULL;
    t->facts.format = t->format->name;
    t->facts.files = (uint32_t)t->file_count;
    return FSIM_OK;
}
