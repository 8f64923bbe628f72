/* fsim convert: any trace that a run takes, written as native CSV or .fst; sorted, or a sample of it. */
#include "base/text.h"
#include "cli/interrupt.h"
#include "cli/load_options.h"
#include "cli/progress.h"
#include "cli/trace_input.h"
#include "cli/trace_writer.h"
#include "cli/workload_words.h"
#include "io/trace_sort.h"
#include "trace/trace_sample.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef struct convert_values {
    int to;
    bool sort, quiet;
    const char *memory;
    int64_t sample;
} convert_values;

static const fsim_option options[] = {
    {.name = "to",
     .kind = FSIM_OPTION_CHOICE,
     .offset = offsetof(convert_values, to),
     .operand = "FORM",
     .help = "auto (.fst by the name of OUT, else CSV), csv or fst",
     .choices = fsim_trace_form_names},
    {.name = "sort",
     .kind = FSIM_OPTION_FLAG,
     .offset = offsetof(convert_values, sort),
     .help = "put the rows in order of arrival; those of one instant keep theirs"},
    {.name = "memory",
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(convert_values, memory),
     .operand = "SIZE",
     .help = "of the rows that --sort holds at once (default 64MB); the rest goes to disk beside OUT"},
    {.name = "sample",
     .kind = FSIM_OPTION_COUNT,
     .offset = offsetof(convert_values, sample),
     .operand = "N",
     .help = "only N functions, drawn from N strata of equal popularity; says how far they are from all",
     .min = 1,
     .max = FSIM_FUNCTIONS_MAX},
    FSIM_OPTION_ROWS_TRACE,
    FSIM_OPTION_ROW_TO,
    FSIM_OPTION_ROW_SEED,
    FSIM_OPTION_ROW_SET,
    FSIM_OPTION_ROW_QUIET(convert_values),
    {.name = NULL},
};

typedef struct conversion {
    const convert_values *values;
    fsim_load_options load;
    const char *out;
    uint64_t seed;
    bool *keep; /* by function + 1; NULL: all */
    uint32_t keep_count;
    fsim_progress progress;
} conversion;

static void show_progress(conversion *c, const fsim_trace_input *in, fsim_ns at_ns, uint64_t rows) {
    fsim_progress_update(&c->progress, 0, (fsim_progress_run){fsim_trace_input_progress(in), at_ns, rows});
}

static fsim_status check_interrupt(fsim_error *err) {
    return fsim_interrupt_seen() ? fsim_fail(err, FSIM_EIO, "interrupted") : FSIM_OK;
}

/* ---- sampling ---- */

typedef struct census {
    fsim_sample_function *functions; /* [0]: rows without a function */
    uint32_t count, capacity;
} census;

static fsim_status reserve_census(census *s, uint32_t count, fsim_error *err) {
    if (count > s->capacity) {
        uint32_t capacity = count + count / 2 + 16;
        fsim_sample_function *larger = realloc(s->functions, capacity * sizeof *larger);
        if (larger == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        memset(larger + s->capacity, 0, (capacity - s->capacity) * sizeof *larger);
        s->functions = larger;
        s->capacity = capacity;
    }
    fsim_assert(s->functions != NULL); /* no trace has 2^32 functions: there is room for rows without one */
    s->count = count;
    return FSIM_OK;
}

static void count_rows(census *s, const fsim_fst_rows *rows) {
    for (uint32_t i = 0; i < rows->count; i++) {
        bool named = rows->fn != NULL && rows->fn[i] != FSIM_FST_NO_FUNCTION;
        fsim_sample_function *f = &s->functions[named ? rows->fn[i] + 1u : 0];
        f->requests++;
        if (rows->duration_ns != NULL && rows->duration_ns[i] >= 0) {
            f->durations++;
            f->duration_s += fsim_ns_to_s(rows->duration_ns[i]);
        }
    }
}

static fsim_status take_census(conversion *c, census *s, fsim_trace_input *in, fsim_error *err) {
    const fsim_function_table *table = fsim_trace_input_table(in);
    fsim_fst_rows rows;
    uint64_t done = 0;
    do {
        FSIM_TRY(fsim_trace_input_next(in, &rows, err));
        FSIM_TRY(reserve_census(s, fsim_function_table_count(table) + 1u, err));
        count_rows(s, &rows);
        done += rows.count;
        show_progress(c, in, rows.count == 0 ? 0 : rows.arrival_ns[rows.count - 1u], done);
        FSIM_TRY(check_interrupt(err));
    } while (rows.count > 0);
    s->functions[0].name = "";
    for (uint32_t f = 1; f < s->count; f++) {
        s->functions[f].name = fsim_function_table_get(table, f - 1u)->name;
    }
    return FSIM_OK;
}

static void report_sample(const census *s, const bool *keep, uint32_t kept,
                          const fsim_sample_distance *distance) {
    uint64_t all = 0, some = 0;
    uint32_t functions = 0;
    for (uint32_t f = 0; f < s->count; f++) {
        functions += s->functions[f].requests > 0;
        all += s->functions[f].requests;
        some += keep[f] ? s->functions[f].requests : 0;
    }
    fprintf(stderr, "fsim: sample of %u of %u functions, %llu of %llu requests\n", kept, functions,
            (unsigned long long)some, (unsigned long long)all);
    fprintf(stderr, "fsim: Wasserstein distance to the full trace, over functions: %.4f of log10(requests)",
            distance->requests);
    if (distance->duration >= 0) {
        fprintf(stderr, ", %.4f of log10(mean duration)", distance->duration);
    }
    fputs("\n", stderr);
}

static fsim_status draw_sample(conversion *c, census *s, fsim_error *err) {
    uint32_t kept = 0;
    fsim_sample_distance distance;
    c->keep = calloc(s->count, sizeof *c->keep);
    c->keep_count = s->count - 1u;
    if (c->keep == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    FSIM_TRY(fsim_sample_choose(s->functions, s->count, (uint32_t)c->values->sample, c->seed, c->keep, &kept,
                                err));
    FSIM_TRY(fsim_sample_compare(s->functions, s->count, c->keep, &distance, err));
    if (!c->values->quiet) {
        report_sample(s, c->keep, kept, &distance);
    }
    return FSIM_OK;
}

/* Reads the trace once to see who calls what. */
static fsim_status choose_functions(conversion *c, fsim_error *err) {
    fsim_trace_input *in = NULL;
    census s = {0};
    FSIM_TRY(fsim_trace_input_open(&in, &c->load, c->values->sort, err));
    c->seed = fsim_trace_input_seed(in);
    fsim_status status = take_census(c, &s, in, err);
    if (status == FSIM_OK) {
        status = draw_sample(c, &s, err);
    }
    free(s.functions);
    fsim_trace_input_close(in);
    return status;
}

/* ---- writing ---- */

static fsim_status copy_rows(conversion *c, fsim_trace_input *in, fsim_trace_sort *sort,
                             fsim_trace_writer *writer, fsim_error *err) {
    fsim_fst_rows rows;
    uint64_t done = 0;
    for (;;) {
        FSIM_TRY(fsim_trace_input_next(in, &rows, err));
        if (rows.count == 0 || writer->sink.closed) {
            return FSIM_OK;
        }
        FSIM_TRY(sort != NULL ? fsim_trace_sort_add(sort, &rows, err)
                              : fsim_trace_writer_rows(writer, &rows, err));
        done += rows.count;
        show_progress(c, in, rows.arrival_ns[rows.count - 1u], done);
        FSIM_TRY(check_interrupt(err));
    }
}

static fsim_status write_sorted(fsim_trace_sort *sort, fsim_trace_writer *writer, fsim_error *err) {
    fsim_fst_rows rows;
    FSIM_TRY(fsim_trace_sort_finish(sort, err));
    do {
        FSIM_TRY(fsim_trace_sort_next(sort, &rows, err));
        FSIM_TRY(fsim_trace_writer_rows(writer, &rows, err));
    } while (rows.count > 0 && !writer->sink.closed);
    return FSIM_OK;
}

static fsim_status sort_rows(conversion *c, fsim_trace_input *in, fsim_trace_writer *writer,
                             fsim_error *err) {
    char directory[FSIM_PATH_MAX];
    const char *scratch = getenv("TMPDIR");
    fsim_trace_sort_options how = {.memory_bytes = (size_t)64 << 20, .stop = fsim_interrupt_seen};
    int64_t memory = 0;
    if (c->values->memory != NULL &&
        (!fsim_text_parse_size(c->values->memory, &memory) || memory < (int64_t)FSIM_TRACE_SORT_MEMORY_MIN)) {
        return fsim_fail_at(err, FSIM_EUSAGE, "--memory", "'%s' found, expected a size of at least 1MB",
                            c->values->memory);
    }
    how.memory_bytes = memory > 0 ? (size_t)memory : how.memory_bytes;
    if (strcmp(c->out, "-") == 0) {
        snprintf(directory, sizeof directory, "%s", scratch == NULL ? "/tmp" : scratch);
    } else {
        fsim_file_directory(c->out, directory, sizeof directory);
    }
    how.directory = directory;
    fsim_trace_sort *sort = NULL;
    FSIM_TRY(
        fsim_trace_sort_open(&sort, fsim_trace_input_table(in), fsim_trace_input_columns(in), &how, err));
    fsim_status status = copy_rows(c, in, sort, writer, err);
    if (status == FSIM_OK) {
        status = write_sorted(sort, writer, err);
    }
    fsim_trace_sort_destroy(sort);
    return status;
}

static fsim_status convert(conversion *c, fsim_error *err) {
    fsim_trace_input *in = NULL;
    fsim_trace_writer writer;
    if (c->values->sample > 0) {
        FSIM_TRY(choose_functions(c, err));
    }
    FSIM_TRY(fsim_trace_input_open(&in, &c->load, c->values->sort, err));
    fsim_trace_input_keep(in, c->keep, c->keep_count);
    fsim_status status =
        fsim_trace_writer_open(&writer, c->out, (fsim_trace_form)c->values->to, fsim_trace_input_columns(in),
                               fsim_trace_input_table(in), err);
    if (status == FSIM_OK) {
        status = c->values->sort ? sort_rows(c, in, &writer, err) : copy_rows(c, in, NULL, &writer, err);
        status = fsim_trace_writer_close(&writer, status, err);
    }
    fsim_trace_input_close(in);
    return status;
}

static fsim_status run_convert(const fsim_parsed *parsed, fsim_error *err) {
    const convert_values *values = parsed->values;
    conversion c = {.values = values, .out = parsed->words[parsed->word_count - 1]};
    c.load = (fsim_load_options){.settings = parsed->settings, .setting_count = parsed->setting_count};
    FSIM_TRY(fsim_workload_words(&c.load, (const char *const *)parsed->words, parsed->word_count - 1,
                                 values->sample > 0, err));
    if (!fsim_progress_begin(&c.progress, 1, values->quiet)) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_interrupt_watch();
    fsim_status status = convert(&c, err);
    fsim_progress_end(&c.progress);
    free(c.keep);
    fsim_interrupt_obey();
    return status;
}

const fsim_command fsim_command_convert = {
    .name = "convert",
    .summary = "any known trace as native CSV or .fst; sorted, or a sample of it",
    .arguments = "IN… OUT",
    .detail =
        "IN is anything that a run takes as a trace, or '-'; OUT a file, or '-' for standard output. What\n"
        "the trace says is kept, empty cells too; durations that it leaves open stay open. OUT appears\n"
        "when it is complete.\n",
    .examples = "fsim convert trace.csv trace.fst\n"
                "fsim convert --sort unsorted.csv sorted.csv\n"
                "fsim convert trace.fst sample.csv --sample 100",
    .options = options,
    .values_size = sizeof(convert_values),
    .words_min = 2,
    .words_max = FSIM_WORDS_MAX,
    .run = run_convert,
};
