/* fsim run: the main job. Simulate one workload under one or more policies, print the summary, leave results/<name>/. */
#include "cli/interrupt.h"
#include "cli/load_options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/runs.h"
#include "report/report.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

typedef struct run_values {
    fsim_word_list policies, fail_if;
    const char *functions, *out, *requests;
    int64_t threads;
    int format;
    bool plot, digest, quiet, verbose, provenance;
} run_values;

static const fsim_option options[] = {
    {.name = "policy",
     .letter = 'p',
     .kind = FSIM_OPTION_LIST,
     .offset = offsetof(run_values, policies),
     .operand = "NAME|FILE.json[,…]",
     .help = "bundles to simulate under (default knative)",
     .more = "several see the same random numbers; 'fsim list bundles' shows them"},
    FSIM_OPTION_ROW_SET,
    FSIM_OPTION_ROW_FUNCTIONS(run_values),
    {.name = "billing",
     .letter = 'b',
     .kind = FSIM_OPTION_TEXT,
     .operand = "BOOK[,…]|none",
     .help = "price books (default phase1,phase2,phase3)",
     .setting = "billing"},
    FSIM_OPTION_ROW_SEED,
    {.name = "replications",
     .letter = 'r',
     .kind = FSIM_OPTION_COUNT,
     .operand = "N",
     .help = "repeat with other seeds: means and 95 % half widths",
     .setting = "run.replications",
     .min = 1,
     .max = FSIM_REPLICATIONS_MAX},
    {.name = "warmup",
     .kind = FSIM_OPTION_SPAN,
     .operand = "SPAN",
     .help = "measure from then on",
     .setting = "run.warmup"},
    {.name = "until",
     .kind = FSIM_OPTION_SPAN,
     .operand = "SPAN",
     .help = "end of the run (default: when the last request has left)",
     .setting = "run.until"},
    {.name = "sample",
     .kind = FSIM_OPTION_SPAN,
     .operand = "SPAN",
     .help = "step of the time series",
     .setting = "run.sample"},
    {.name = "threads",
     .letter = 'j',
     .kind = FSIM_OPTION_COUNT,
     .offset = offsetof(run_values, threads),
     .operand = "N",
     .help = "runs at a time (default: one per core); changes no byte",
     .min = 1,
     .max = FSIM_THREADS_MAX},
    {.name = "out",
     .letter = 'o',
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(run_values, out),
     .operand = "DIR|none",
     .help = "folder for the results (default results/<name>)",
     .more = "several policies: a folder for each inside"},
    {.name = "format",
     .letter = 'f',
     .kind = FSIM_OPTION_CHOICE,
     .offset = offsetof(run_values, format),
     .operand = "FORMAT",
     .help = "form of the summary",
     .choices = fsim_report_format_names},
    {.name = "requests",
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(run_values, requests),
     .operand = "FILE",
     .help = "one CSV row a request ('-': standard output)"},
    {.name = "plot",
     .kind = FSIM_OPTION_FLAG,
     .offset = offsetof(run_values, plot),
     .help = "pictures in the results folder (gnuplot)"},
    {.name = "fail-if",
     .kind = FSIM_OPTION_REPEAT,
     .offset = offsetof(run_values, fail_if),
     .operand = "EXPR",
     .help = "exit code 1 if EXPR over the summary holds; repeatable",
     .more = "'latency_s.p99 > 0.02'  'cold.ratio > 0.01'  'bills.phase1.total > 5'"},
    {.name = "digest",
     .kind = FSIM_OPTION_FLAG,
     .offset = offsetof(run_values, digest),
     .help = "print only the digest of each run: equal digests, equal runs"},
    {.name = "provenance",
     .kind = FSIM_OPTION_FLAG,
     .offset = offsetof(run_values, provenance),
     .help = "add wall time, speed and memory to the summary"},
    {.name = "quiet",
     .letter = 'q',
     .kind = FSIM_OPTION_FLAG,
     .offset = offsetof(run_values, quiet),
     .help = "nothing on stderr but errors"},
    {.name = "verbose",
     .letter = 'v',
     .kind = FSIM_OPTION_FLAG,
     .offset = offsetof(run_values, verbose),
     .help = "say on stderr what each run did"},
    {.name = NULL},
};

/* Of all runs together: they share the cores. */
static void add_provenance(fsim_runs *runs) {
    for (uint32_t i = 0; i < runs->count; i++) {
        fsim_policy_run *p = &runs->policies[i];
        json_object_set_new(p->summary, "performance",
                            json_pack("{s:f, s:f, s:f}", "wall_s", p->wall_s, "requests_per_s",
                                      p->wall_s > 0 ? (double)p->requests / p->wall_s : 0.0, "peak_rss_mb",
                                      fsim_progress_peak_rss_mb()));
    }
}

static void say_verbose(const fsim_runs *runs) {
    for (uint32_t i = 0; i < runs->count; i++) {
        const fsim_policy_run *p = &runs->policies[i];
        fprintf(stderr, "fsim: %s: %" PRIu64 " requests in %.3f s (%.2f M/s), %" PRIu64 " events, digest %016" PRIx64
                        "\n",
                p->scenario->bundle, p->requests, p->wall_s,
                p->wall_s > 0 ? (double)p->requests / p->wall_s / 1e6 : 0.0, p->result->events,
                p->result->digest);
    }
}

/* An expression that cannot be read is a fault of the command line, before anything is written. *answer: the first that holds. */
static fsim_status ask(const fsim_runs *runs, const fsim_word_list *questions, fsim_error *answer,
                       fsim_error *err) {
    for (size_t q = 0; q < questions->count; q++) {
        for (uint32_t i = 0; i < runs->count; i++) {
            double value = 0;
            fsim_error why = {0};
            if (fsim_summary_eval(runs->policies[i].summary, questions->items[q], &value, &why) != FSIM_OK) {
                return fsim_fail_at(err, FSIM_EUSAGE, "--fail-if", "'%s': %s", questions->items[q], why.text);
            }
            if (value != 0) {
                fsim_fail_at(answer, FSIM_ENO, "--fail-if", "%s holds for %s", questions->items[q],
                             runs->policies[i].scenario->bundle);
            }
        }
    }
    return FSIM_OK;
}

static fsim_status print_digests(const fsim_runs *runs, FILE *out) {
    for (uint32_t i = 0; i < runs->count; i++) {
        fprintf(out, "%s  %s\n", json_string_value(json_object_get(runs->policies[i].summary, "digest")),
                runs->policies[i].scenario->bundle);
    }
    return FSIM_OK;
}

static fsim_status print_summaries(const fsim_runs *runs, const run_values *values, fsim_error *err) {
    json_t *summaries[FSIM_POLICIES_MAX];
    for (uint32_t i = 0; i < runs->count; i++) {
        summaries[i] = runs->policies[i].summary;
    }
    fsim_output output;
    FSIM_TRY(fsim_output_begin(&output, err));
    fsim_status status = values->digest
                             ? print_digests(runs, output.stream)
                             : fsim_report_write(output.stream, (fsim_report_format)values->format, summaries,
                                                 runs->count, err);
    return fsim_output_end(&output, status, err);
}
