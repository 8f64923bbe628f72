/* fsim run: the main job. Simulate one workload under one or more policies, print the summary, leave
 * results/<name>/. */
#include "cli/folder.h"
#include "cli/interrupt.h"
#include "cli/load_options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/runs.h"
#include "cli/workload_words.h"
#include "io/file.h"
#include "model/scenario_peak.h"
#include "report/report.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

typedef struct run_values {
    fsim_word_list policies, fail_if;
    const char *functions, *out, *requests;
    int64_t threads;
    int format;
    bool plot, digest, quiet, verbose, provenance, month;
} run_values;

static const fsim_option options[] = {
    {.name = "policy",
     .letter = 'p',
     .kind = FSIM_OPTION_LIST,
     .offset = offsetof(run_values, policies),
     .operand = "NAME[,NAME]",
     .help = "bundles to simulate under (default knative)",
     .more = "several see the same random numbers; 'fsim list bundles' shows them"},
    FSIM_OPTION_ROW_SET,
    FSIM_OPTION_ROW_FUNCTIONS(run_values),
    FSIM_OPTION_ROW_BILLING,
    FSIM_OPTION_ROW_MONTH(run_values),
    FSIM_OPTION_ROW_SEED,
    FSIM_OPTION_ROW_REPLICATIONS,
    FSIM_OPTION_ROW_WARMUP,
    FSIM_OPTION_ROW_UNTIL,
    FSIM_OPTION_ROW_SAMPLE,
    FSIM_OPTION_ROWS_TRACE,
    FSIM_OPTION_ROW_THREADS(run_values),
    FSIM_OPTION_ROW_OUT(run_values),
    FSIM_OPTION_ROW_FORMAT(run_values, fsim_report_format_names),
    {.name = "requests",
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(run_values, requests),
     .operand = "FILE",
     .help = "one CSV row a request ('-': standard output; the summary goes to stderr)"},
    FSIM_OPTION_ROW_PLOT(run_values),
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
    FSIM_OPTION_ROW_QUIET(run_values),
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
        fprintf(stderr,
                "fsim: %s: %" PRIu64 " requests in %.3f s (%.2f M/s), %" PRIu64 " events, digest %016" PRIx64
                "\n",
                p->scenario->bundle, p->requests, p->wall_s,
                p->wall_s > 0 ? (double)p->requests / p->wall_s / 1e6 : 0.0, p->result->events,
                p->result->digest);
    }
}

/* An expression that cannot be read is a fault of the command line, before anything is written. *answer: the
 * first that holds. */
static fsim_status ask(const fsim_runs *runs, const fsim_word_list *questions, fsim_error *answer,
                       fsim_error *err) {
    fsim_run_record records[FSIM_POLICIES_MAX];
    fsim_runs_records(runs, records);
    for (size_t q = 0; q < questions->count; q++) {
        for (uint32_t i = 0; i < runs->count; i++) {
            double value = 0;
            fsim_error why = {0};
            if (strstr(questions->items[q], "functions") != NULL && !fsim_summary_fill(&records[i])) {
                return fsim_fail(err, FSIM_ELIMIT, "out of memory");
            }
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

/* Where the rows of the requests go to standard output, the summary must not be among them. */
static fsim_status print_summaries(const fsim_runs *runs, const run_values *values, fsim_error *err) {
    fsim_run_record records[FSIM_POLICIES_MAX];
    fsim_runs_records(runs, records);
    fsim_output output;
    bool rows = values->requests != NULL && strcmp(values->requests, "-") == 0;
    if (rows && values->quiet) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_output_begin(&output, err));
    fsim_status status = values->digest ? print_digests(runs, output.stream)
                                        : fsim_report_write(output.stream, (fsim_report_format)values->format,
                                                            records, runs->count, err);
    return rows ? fsim_output_end_on(&output, STDERR_FILENO, "standard error", status, err)
                : fsim_output_end(&output, status, err);
}

static fsim_status simulate(fsim_runs *runs, const run_values *values, fsim_error *err) {
    const fsim_runs_options how = {
        .quiet = values->quiet, .threads = (uint32_t)values->threads, .requests = values->requests};
    const fsim_folder_options folder = {values->out, values->plot, values->quiet};
    fsim_error answer = {0};
    FSIM_TRY(fsim_folder_check(&folder, err));
    FSIM_TRY(fsim_runs_execute(runs, &how, err));
    if (values->verbose) {
        say_verbose(runs);
    }
    FSIM_TRY(ask(runs, &values->fail_if, &answer, err));
    if (values->provenance) {
        add_provenance(runs);
    }
    FSIM_TRY(fsim_folder_write(runs, &folder, err));
    FSIM_TRY(print_summaries(runs, values, err));
    if (answer.status != FSIM_OK) {
        *err = answer;
    }
    return answer.status;
}

/* A single run may read its workload twice, too: only the scenario tells. */
static fsim_status keep_for_first_pass(const fsim_runs *runs, fsim_error *err) {
    const fsim_scenario *s = runs->policies[0].scenario;
    fsim_value *file = fsim_value_peek(s->workload, "file");
    bool streamed = file != NULL && file->kind == FSIM_VALUE_STRING && strcmp(file->string, "-") == 0;
    if (!streamed || !fsim_scenario_takes_first_pass(s)) {
        return FSIM_OK;
    }
    file->string = FSIM_STDIN_PATH;
    return fsim_file_keep_stdin(err);
}

static fsim_status run_run(const fsim_parsed *parsed, fsim_error *err) {
    const run_values *values = parsed->values;
    fsim_load_options load = {
        .functions_file = values->functions,
        .settings = parsed->settings,
        .setting_count = parsed->setting_count,
    };
    const fsim_word_list *policies = &values->policies;
    bool many = policies->count > 1 || (policies->count == 1 && strcmp(policies->items[0], "all") == 0);
    FSIM_TRY(fsim_workload_words(&load, (const char *const *)parsed->words, parsed->word_count, many, err));
    FSIM_TRY(fsim_workload_window(parsed, err));
    fsim_runs runs;
    FSIM_TRY(fsim_runs_load(&runs, &load, &values->policies, err));
    if (values->month) {
        fsim_runs_bill_a_month(&runs);
    }
    fsim_interrupt_watch();
    fsim_status status = keep_for_first_pass(&runs, err);
    status = status == FSIM_OK ? simulate(&runs, values, err) : status;
    fsim_runs_destroy(&runs);
    fsim_interrupt_obey();
    return status;
}

const fsim_command fsim_command_run = {
    .name = "run",
    .summary = "simulate one workload under one or more policies",
    .arguments = "WORKLOAD…",
    .detail =
        "WORKLOAD is a trace (CSV or .fst), a JSON workload or scenario, the manifest.json of a run, '-' "
        "for\n"
        "one of them on standard input, or a built-in one ('fsim list workloads'). 'fsim WORKLOAD' is the\n"
        "same as 'fsim run WORKLOAD'.\n"
        "Prints the summary and writes results/<name>/. The same input and seed give the same bytes.\n",
    .examples = "fsim car-log --policy knative,lambda --plot\n"
                "fsim trace.csv --set functions.fn.memory_mb=256 --format json\n"
                "fsim trace.csv --policy lambda --replications 10 --fail-if 'cold.ratio > 0.01'",
    .options = options,
    .values_size = sizeof(run_values),
    .words_min = 1,
    .words_max = FSIM_WORDS_MAX,
    .run = run_run,
};
