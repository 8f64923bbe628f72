/* Inside the trace library: what readers share. A reader is one file, listed in trace_formats. */
#ifndef FSIM_TRACE_TRACE_PARTS_H
#define FSIM_TRACE_TRACE_PARTS_H

#include "base/value.h"
#include "io/csv_reader.h"
#include "io/input.h"
#include "trace/bucket_builder.h"
#include "trace/trace.h"

/* --- names --- */

/* Texts (or any bytes) as numbers from 0, in order of first mention. */
typedef struct name_map {
    fsim_value_pool *pool;
    const char **texts; /* each followed by a NUL */
    uint32_t *lengths, *slots;
    uint32_t count, capacity, slot_count;
} name_map;

void name_map_open(name_map *map, fsim_value_pool *pool);
void name_map_close(name_map *map);
/* FSIM_ELIMIT: out of memory, or more than FSIM_FUNCTIONS_MAX. */
fsim_status name_map_intern(name_map *map, const char *text, size_t len, uint32_t *number, fsim_error *err);
/* UINT32_MAX: not there. */
uint32_t name_map_find(const name_map *map, const char *text, size_t len);

/* --- trace_time --- */

/* "2014-07-01 00:00:00", "2023-11-16T18:17:03.97Z", "01/Jul/1995:00:00:01 -0400", plain seconds, or milli-,
 * micro- or nanoseconds since 1970 by their size (from 10^11 on): nanoseconds since 1970, or since the
 * trace's own zero. `used`: characters read; false: no time stands there. */
bool trace_parse_time(const char *text, size_t len, int64_t *at_ns, size_t *used);

/* --- files --- */

/* The beginning of a file, as far as formats need it to know their own. */
typedef struct trace_probe {
    const char *path;
    char *head; /* text of the first lines, NUL-terminated */
    size_t head_len;
    const char **names; /* cells of the first line, NULL-terminated: quotes removed, blanks around cut */
    size_t name_count;
} trace_probe;

/* Position of a column, or SIZE_MAX. Several spellings: the first that is there. */
size_t trace_probe_column(const trace_probe *probe, const char *const *spellings);
bool trace_probe_has(const trace_probe *probe, const char *name);

typedef struct trace_file {
    const char *path;
    int role;     /* the format's own */
    bool has_cpu; /* it has the format's cpu_column */
} trace_file;

/* --- formats --- */

typedef struct trace_row {
    fsim_ns at_ns;               /* may be negative until time 0 is known */
    fsim_ns duration_ns, cpu_ns; /* FSIM_DRAW: not given */
    uint32_t fn;
    uint64_t line; /* where it stands */
    size_t field;  /* of its time, for messages */
} trace_row;

typedef struct trace_format {
    const char *name;
    /* The role of a file of this format, from 1; 0: another format. */
    int (*role_of)(const trace_probe *probe);
    /* Buckets: reads all files into t->builder and t->functions. NULL: rows. */
    fsim_status (*read)(fsim_trace *t, fsim_error *err);
    /* Rows: opens file `i`; reads a row, *got false at its end; closes it. */
    fsim_status (*open)(fsim_trace *t, const trace_file *file, fsim_error *err);
    fsim_status (*next)(fsim_trace *t, trace_row *row, bool *got, fsim_error *err);
    void (*close)(fsim_trace *t);
    const char *cpu_column; /* rows: NULL: there is none */
    bool own_zero;          /* rows: time 0 is the trace's, not the first row's */
    /* Of a table that only describes functions: the formats it stands beside. Its role is above 1, its `open`
     * reads it as a whole. */
    const char *describes[2];
} trace_format;

/* In the order in which they are asked; NULL-terminated. */
extern const trace_format *const trace_formats[];

struct fsim_trace {
    fsim_trace_options options;
    const trace_format *format;
    const char *told_by; /* the file that settled the format */
    fsim_trace_facts facts;
    fsim_value_pool *pool;
    trace_file *files;
    size_t file_count, file_capacity;

    name_map texts, keys; /* cells; keys of functions */
    fsim_trace_function *functions;
    uint32_t function_count, function_capacity;
    bool has_durations, has_memory;     /* the trace has a table of them */
    struct huawei_functions *described; /* by name; NULL: no such table */

    /* buckets */
    fsim_bucket_builder *builder;
    fsim_ns step_ns;       /* of a bucket of the builder */
    uint64_t base;         /* bucket of the builder that is time 0 */
    uint64_t group;        /* of these make a bucket of the trace; every cell lies at the start of one */
    uint64_t buckets_read; /* that the trace covers, by the builder's count */
    fsim_bucketed bucketed;

    /* rows */
    void *reader; /* the format's own */
    size_t file_at;
    bool file_open, rows_ended;
    fsim_csv *csv;
    fsim_lines *lines;
    struct row_window *window;
    bool *keep; /* functions_top: by function */
    uint32_t keep_count;
    bool has_cpu; /* some file has it: rows of the others draw it */
};

/* The function of a key, new ones with the name given. */
fsim_status trace_function(fsim_trace *t, const void *key, size_t key_len, const char *name, uint32_t *f,
                           fsim_error *err);
/* Time 0 as the files have it: from 1973 on it is a date. */
void trace_note_begin(fsim_trace *t, int64_t zero_ns);
void trace_drop(fsim_trace *t, const char *reason, uint64_t rows, uint64_t invocations);
/* Text in the trace's pool; bytes that are no UTF-8 are taken for Latin-1. */
const char *trace_text(fsim_trace *t, const char *text, size_t len);
/* A cell as the number of its text (fsim_csv_name_fn; user: the trace). */
fsim_status trace_intern_cell(void *user, const char *text, size_t len, int64_t *value, fsim_error *err);
/* A cell as an instant (trace_parse_time). */
fsim_status trace_time_cell(void *user, const char *text, size_t len, int64_t *value, fsim_error *err);

/* ibm_configurations.c: functions with their memory, CPU, concurrency and least number of instances. */
fsim_status trace_read_ibm_configurations(fsim_trace *t, const trace_file *file, fsim_error *err);
/* The key of an IBM app, in row_tables.c as here. */
fsim_status trace_ibm_function(fsim_trace *t, int64_t app, int64_t name_space, uint32_t *f, fsim_error *err);

/* huawei_functions.c: the table of functions of Huawei 2025, and what it says of one that rows have named. */
fsim_status trace_read_huawei_functions(fsim_trace *t, const trace_file *file, fsim_error *err);
uint32_t trace_huawei_function_count(const fsim_trace *t);
const char *trace_huawei_function_id(const fsim_trace *t, uint32_t i);
void trace_describe_huawei_function(const fsim_trace *t, fsim_trace_function *f);
void trace_close_huawei_functions(fsim_trace *t);

/* trace_finish.c: what was read into t->builder becomes t->bucketed, options applied. */
fsim_status trace_finish(fsim_trace *t, fsim_error *err);
/* The published law of Azure 2019 for a function without its own. */
void trace_published_durations(fsim_trace_durations *d);

#endif
