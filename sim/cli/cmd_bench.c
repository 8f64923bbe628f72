/* fsim bench: how fast this build is on this machine. Every row runs in a process of its own, so that its
 * peak memory is its own. */
#include "base/spell.h"
#include "cli/bench_fst.h"
#include "cli/bench_rows.h"
#include "cli/load_options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/row_writer.h"
#include "cli/runs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct bench_values {
    fsim_word_list rows;
    int64_t requests, repeat;
    int format;
    bool long_rows;
} bench_values;

static const char *const formats[] = {"text", "json", NULL};

static const fsim_option options[] = {
    {.name = "rows",
     .kind = FSIM_OPTION_LIST,
     .offset = offsetof(bench_values, rows),
     .operand = "NAME[,NAME]",
     .help = "only these rows (and the bare loop)"},
    {.name = "requests",
     .letter = 'n',
     .kind = FSIM_OPTION_COUNT,
     .offset = offsetof(bench_values, requests),
     .operand = "N",
     .help = "requests in each row, instead of its own number (100k, 5M)",
     .min = 1000,
     .max = INT64_C(10000000000)},
    {.name = "repeat",
     .kind = FSIM_OPTION_COUNT,
     .offset = offsetof(bench_values, repeat),
     .operand = "N",
     .help = "best of N (default 3; rows of 10^8 and more once)",
     .min = 1,
     .max = 100},
    {.name = "long",
     .kind = FSIM_OPTION_FLAG,
     .offset = offsetof(bench_values, long_rows),
     .help = "also the rows of 10^9 requests and more: minutes"},
    FSIM_OPTION_ROW_FORMAT(bench_values, formats),
    {.name = NULL},
};

/* What a row's process sends back. */
typedef struct measure {
    fsim_status status;
    double time_s, peak_rss_mb; /* time: of the processor; `hello`: on the wall */
    uint64_t requests, digest;
    fsim_error err;
} measure;

/* ---- inside the row's process ---- */

static void run_scenario(measure *m, const fsim_bench_row *row, uint64_t requests, const char *trace) {
    char count[32];
    snprintf(count, sizeof count, "%" PRIu64, requests);
    fsim_setting settings[2] = {{"workload.requests", count, "bench"}, {"workload.file", trace, "bench"}};
    bool whole = row->kind == FSIM_BENCH_TRACE && requests == row->requests;
    const fsim_load_options load = {.settings = settings, .setting_count = whole ? 0 : trace == NULL ? 1 : 2};
    const fsim_runs_options how = {.quiet = true, .threads = 1, .no_metering = row->no_metering};
    fsim_runs runs;
    double started_s = fsim_progress_cpu_s();
    m->status = fsim_runs_load_text(&runs, row->scenario, row->name, &load, &m->err);
    if (m->status != FSIM_OK) {
        return;
    }
    m->status = fsim_runs_execute(&runs, &how, &m->err);
    if (m->status == FSIM_OK) {
        m->time_s = fsim_progress_cpu_s() - started_s;
        m->requests = runs.policies[0].requests;
        m->digest = runs.policies[0].result->digest;
    }
    fsim_runs_destroy(&runs);
}

static void run_bare(measure *m, uint64_t requests) {
    double started_s = fsim_progress_cpu_s();
    m->digest = fsim_bench_bare_loop(requests);
    m->time_s = fsim_progress_cpu_s() - started_s;
    m->requests = requests;
}

/* The whole command as a user calls it, results folder included. */
static void run_hello(measure *m, uint64_t requests, const char *trace, const char *directory) {
    char out[FSIM_PATH_MAX + 16];
    snprintf(out, sizeof out, "%s/results", directory);
    double started_s = fsim_progress_clock_s();
    pid_t child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDOUT_FILENO);
        execl("/proc/self/exe", "fsim", "run", trace, "--quiet", "--out", out, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        m->status = fsim_fail_at(&m->err, FSIM_EINTERNAL, "hello", "the command failed");
        return;
    }
    m->time_s = fsim_progress_clock_s() - started_s;
    m->peak_rss_mb = (double)usage.ru_maxrss / 1024;
    m->requests = requests;
}

static void run_read(measure *m, const char *trace) {
    double started_s = fsim_progress_cpu_s();
    m->status = fsim_bench_read_fst(trace, &m->requests, &m->digest, &m->err);
    m->time_s = fsim_progress_cpu_s() - started_s;
}

/* The command in a process of its own: its processor time. */
static void run_convert(measure *m, uint64_t requests, const char *trace, const char *directory) {
    char out[FSIM_PATH_MAX + 16];
    snprintf(out, sizeof out, "%s/out.fst", directory);
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "fsim", "convert", trace, out, "--quiet", (char *)NULL);
        _exit(127);
    }
    int status = 0;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        m->status = fsim_fail_at(&m->err, FSIM_EINTERNAL, "csv-to-fst", "the command failed");
        return;
    }
    m->time_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
    m->peak_rss_mb = (double)usage.ru_maxrss / 1024;
    m->requests = requests;
}

static void do_row(measure *m, const fsim_bench_row *row, uint64_t requests, const char *trace,
                   const char *directory) {
    switch (row->kind) {
    case FSIM_BENCH_BARE: run_bare(m, requests); break;
    case FSIM_BENCH_SCENARIO:
    case FSIM_BENCH_TRACE: run_scenario(m, row, requests, NULL); break;
    case FSIM_BENCH_CSV:
    case FSIM_BENCH_FST: run_scenario(m, row, requests, trace); break;
    case FSIM_BENCH_FST_READ: run_read(m, trace); break;
    case FSIM_BENCH_CONVERT: run_convert(m, requests, trace, directory); break;
    case FSIM_BENCH_HELLO: run_hello(m, requests, trace, directory); break;
    }
}

/* ---- around it ---- */

static fsim_status measure_once(measure *m, const fsim_bench_row *row, uint64_t requests, const char *trace,
                                const char *directory, fsim_error *err) {
    int ends[2];
    if (pipe(ends) != 0) {
        return fsim_fail(err, FSIM_EIO, "pipe: %s", strerror(errno));
    }
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        *m = (measure){0};
        do_row(m, row, requests, trace, directory);
        if (m->peak_rss_mb == 0) {
            m->peak_rss_mb = fsim_progress_peak_rss_mb();
        }
        ssize_t sent = write(ends[1], m, sizeof *m);
        _exit(sent == (ssize_t)sizeof *m ? 0 : 1);
    }
    close(ends[1]);
    ssize_t got = child < 0 ? -1 : read(ends[0], m, sizeof *m);
    close(ends[0]);
    int status = 0;
    if (child > 0) {
        waitpid(child, &status, 0);
    }
    if (got != (ssize_t)sizeof *m) {
        return fsim_fail_at(err, FSIM_EINTERNAL, row->name, "the row's process ended early");
    }
    if (m->status != FSIM_OK) {
        *err = m->err;
    }
    return m->status;
}

/* arrival_s,duration_ms at 10 us and about 20 ms, in a directory of its own. */
static fsim_status write_trace(const char *path, uint64_t rows, fsim_error *err) {
    static const char header[] = "arrival_s,duration_ms\n";
    fsim_sink sink;
    FSIM_TRY(fsim_sink_open(&sink, path, err));
    char *at = fsim_sink_room(&sink, sizeof header, err);
    memcpy(at, header, sizeof header - 1);
    fsim_sink_put(&sink, at + sizeof header - 1);
    fsim_status status = FSIM_OK;
    fsim_rng rng;
    fsim_rng_seed(&rng, 1, "trace", FSIM_RNG_SERVICE);
    for (uint64_t i = 0; i < rows && status == FSIM_OK; i++) {
        at = fsim_sink_room(&sink, 64, err);
        if (at == NULL) {
            status = FSIM_EIO;
            break;
        }
        at = fsim_spell_fixed(at, (int64_t)i * 10 * FSIM_US, 9);
        *at++ = ',';
        at = fsim_spell_fixed(at, (int64_t)(fsim_rng_exponential(&rng) * 2e4) * FSIM_US, 6);
        *at++ = '\n';
        fsim_sink_put(&sink, at);
    }
    return fsim_sink_close(&sink, status, err);
}

typedef struct workplace {
    char directory[FSIM_PATH_MAX], trace[FSIM_PATH_MAX + 16];
} workplace;

static fsim_status open_workplace(workplace *w, fsim_bench_kind kind, uint64_t rows, fsim_error *err) {
    bool columnar = kind == FSIM_BENCH_FST || kind == FSIM_BENCH_FST_READ;
    const char *base = getenv("TMPDIR");
    snprintf(w->directory, sizeof w->directory, "%s/fsim-bench-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(w->directory) == NULL) {
        return fsim_fail_at(err, FSIM_EIO, w->directory, "cannot create the directory: %s", strerror(errno));
    }
    snprintf(w->trace, sizeof w->trace, "%s/trace.%s", w->directory, columnar ? "fst" : "csv");
    return columnar ? fsim_bench_write_fst(w->trace, rows, err) : write_trace(w->trace, rows, err);
}

static void close_workplace(const workplace *w) {
    pid_t child = fork(); /* the results of `hello` are a tree */
    if (child == 0) {
        execlp("rm", "rm", "-rf", w->directory, (char *)NULL);
        _exit(127);
    }
    waitpid(child, NULL, 0);
}

/* Best of several: what disturbs a run only ever makes it slower. */
static fsim_status measure_row(measure *best, const fsim_bench_row *row, const bench_values *values,
                               fsim_error *err) {
    uint64_t requests =
        values->requests > 0 && row->kind != FSIM_BENCH_HELLO ? (uint64_t)values->requests : row->requests;
    int64_t repeat = values->repeat > 0 ? values->repeat : requests >= 100000000 ? 1 : 3;
    bool needs_trace =
        row->kind != FSIM_BENCH_BARE && row->kind != FSIM_BENCH_SCENARIO && row->kind != FSIM_BENCH_TRACE;
    workplace w;
    fsim_status status = FSIM_OK;
    if (needs_trace) {
        FSIM_TRY(open_workplace(&w, row->kind, requests, err));
    }
    for (int64_t i = 0; i < repeat && status == FSIM_OK; i++) {
        measure m = {0};
        status = measure_once(&m, row, requests, needs_trace ? w.trace : NULL, w.directory, err);
        if (status == FSIM_OK && (i == 0 || m.time_s < best->time_s)) {
            *best = m;
        }
    }
    if (needs_trace) {
        close_workplace(&w);
    }
    return status;
}

static bool is_wanted(const fsim_bench_row *row, const bench_values *values) {
    if (row->kind == FSIM_BENCH_BARE) {
        return true;
    }
    for (size_t i = 0; i < values->rows.count; i++) {
        if (strcmp(values->rows.items[i], row->name) == 0) {
            return true;
        }
    }
    return values->rows.count == 0 && (!row->only_long || values->long_rows);
}

static fsim_status check_names(const bench_values *values, fsim_error *err) {
    for (size_t i = 0; i < values->rows.count; i++) {
        const fsim_bench_row *row = fsim_bench_rows;
        while (row->name != NULL && strcmp(row->name, values->rows.items[i]) != 0) {
            row++;
        }
        if (row->name == NULL) {
            return fsim_fail_at(err, FSIM_EUSAGE, "--rows",
                                "no row is called '%s'; 'fsim bench --help' lists them",
                                values->rows.items[i]);
        }
    }
    return FSIM_OK;
}

/* A row whose trace is not on this machine. */
static void print_skipped(FILE *out, json_t *list, const fsim_bench_row *row) {
    if (list != NULL) {
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "row", row->name, "summary", row->summary,
                                              "skipped", row->needs));
    } else {
        fprintf(out, "%-15s skipped: %s is not there\n", row->name, row->needs);
    }
}

typedef struct digest_text {
    char text[24];
} digest_text;

/* "-" for rows that simulate nothing. */
static digest_text spell_digest(const measure *m) {
    digest_text out = {"-"};
    if (m->digest != 0) {
        snprintf(out.text, sizeof out.text, "%016" PRIx64, m->digest);
    }
    return out;
}

static void print_text(FILE *out, const fsim_bench_row *row, const measure *m, double bare_s) {
    double each_s = m->time_s / (double)m->requests;
    fprintf(out, "%-15s %13" PRIu64 " ", row->name, m->requests);
    if (row->kind == FSIM_BENCH_HELLO) {
        fprintf(out, "%10s %8s %6s %8.1f  %.1f ms in all", "", "", "", m->peak_rss_mb, m->time_s * 1e3);
    } else {
        fprintf(out, "%10.1f %8.2f %5.0f%% %8.1f  %-16s", each_s * 1e9, 1e-6 / each_s, 100 * bare_s / each_s,
                m->peak_rss_mb, spell_digest(m).text);
    }
    fprintf(out, "  %s\n", row->summary);
}

static json_t *json_of(const fsim_bench_row *row, const measure *m, double bare_s) {
    double each_s = m->time_s / (double)m->requests;
    return json_pack("{s:s, s:s, s:I, s:f, s:f, s:f, s:f, s:f, s:s}", "row", row->name, "summary",
                     row->summary, "requests", (json_int_t)m->requests, "time_s", m->time_s, "ns_per_request",
                     each_s * 1e9, "requests_per_s", 1 / each_s, "share_of_bare_loop", bare_s / each_s,
                     "peak_rss_mb", m->peak_rss_mb, "digest", spell_digest(m).text);
}

static void warn_slow_build(void) {
#if !defined(__OPTIMIZE__) || defined(FSIM_CHECKS) || defined(__SANITIZE_ADDRESS__) ||                       \
    defined(__SANITIZE_THREAD__)
    fputs("fsim: this is not the release build: the figures say nothing about speed\n", stderr);
#endif
}

static fsim_status measure_all(const bench_values *values, FILE *out, json_t *list, fsim_error *err) {
    double bare_s = 0;
    for (const fsim_bench_row *row = fsim_bench_rows; row->name != NULL; row++) {
        if (!is_wanted(row, values)) {
            continue;
        }
        if (row->needs != NULL && access(row->needs, R_OK) != 0) {
            print_skipped(out, values->format == 1 ? list : NULL, row);
            continue;
        }
        measure m = {0};
        FSIM_TRY(measure_row(&m, row, values, err));
        if (row->kind == FSIM_BENCH_BARE) {
            bare_s = m.time_s / (double)m.requests;
        }
        if (values->format == 1) {
            json_array_append_new(list, json_of(row, &m, bare_s));
        } else {
            print_text(out, row, &m, bare_s);
        }
        if (isatty(STDERR_FILENO)) {
            fprintf(stderr, "fsim: %s done\n", row->name);
        }
    }
    return FSIM_OK;
}

static fsim_status run_bench(const fsim_parsed *parsed, fsim_error *err) {
    const bench_values *values = parsed->values;
    FSIM_TRY(check_names(values, err));
    warn_slow_build();
    fsim_output output;
    FSIM_TRY(fsim_output_begin(&output, err));
    json_t *list = json_array();
    if (values->format == 0) {
        fprintf(output.stream, "%-15s %13s %10s %8s %6s %8s  %s\n", "row", "requests", "ns/request",
                "M req/s", "bare", "RSS MB", "digest");
    }
    fsim_status status = measure_all(values, output.stream, list, err);
    if (status == FSIM_OK && values->format == 1) {
        json_dumpf(list, output.stream, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
        fputc('\n', output.stream);
    }
    json_decref(list);
    return fsim_output_end(&output, status, err);
}

const fsim_command fsim_command_bench = {
    .name = "bench",
    .summary = "how fast this build is on this machine",
    .arguments = "",
    .detail = "One core, one process a row, processor time, so that other work on the machine disturbs "
              "little. The\n"
              "bare loop is what any simulator of this kind must do at the least; \"bare\" is a row's speed "
              "as a share\n"
              "of it, so that figures of different machines can be compared.\n"
              "Rows: lambda-1fn no-metering knative-cc100 fns-1000 hpa cloud-run fns-20000 lambda-refused\n"
              "lambda-queued ps-4slots scale-1e6 scale-1e7 scale-1e8 scale-1e9 csv-1e7 fst-read fst-sim\n"
              "csv-to-fst azure-day azure-shared azure-46k azure-46k-14d hello.\n",
    .examples = "fsim bench --rows lambda-1fn,knative-cc100\nfsim bench -n 100k",
    .options = options,
    .values_size = sizeof(bench_values),
    .run = run_bench,
};
