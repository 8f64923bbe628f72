/* fsim compare: policies × price books on one workload, with common random numbers. */
#include "cli/compare_gallery.h"
#include "cli/folder.h"
#include "cli/interrupt.h"
#include "cli/load_options.h"
#include "cli/output.h"
#include "cli/runs.h"
#include "cli/workload_words.h"
#include "report/report.h"
#include "report/report_provider.h"

#include <stddef.h>

typedef struct compare_values {
    fsim_word_list policies;
    const char *functions, *out, *provider;
    int64_t threads;
    int format;
    bool plot, quiet, month;
} compare_values;

static const fsim_option options[] = {
    {.name = "policy",
     .letter = 'p',
     .kind = FSIM_OPTION_LIST,
     .offset = offsetof(compare_values, policies),
     .operand = "NAME[,NAME]",
     .help = "bundles to compare; all: every one but none (default knative,lambda,scf,paas)"},
    FSIM_OPTION_ROW_BILLING,
    FSIM_OPTION_ROW_MONTH(compare_values),
    {.name = "provider",
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(compare_values, provider),
     .operand = "BOOK",
     .help = "the provider's side too: bills less the nodes of this book that hold the instances",
     .more = "a book of node hours, such as aws-eks-ec2.us-east-1"},
    FSIM_OPTION_ROW_SET,
    FSIM_OPTION_ROW_FUNCTIONS(compare_values),
    FSIM_OPTION_ROW_SEED,
    FSIM_OPTION_ROW_REPLICATIONS,
    FSIM_OPTION_ROW_WARMUP,
    FSIM_OPTION_ROW_UNTIL,
    FSIM_OPTION_ROW_SAMPLE,
    FSIM_OPTION_ROWS_TRACE,
    FSIM_OPTION_ROW_THREADS(compare_values),
    FSIM_OPTION_ROW_OUT(compare_values),
    FSIM_OPTION_ROW_FORMAT(compare_values, fsim_report_format_names),
    FSIM_OPTION_ROW_PLOT(compare_values),
    FSIM_OPTION_ROW_QUIET(compare_values),
    {.name = NULL},
};

static fsim_status print_table(const fsim_runs *runs, const compare_values *values, fsim_error *err) {
    json_t *summaries[FSIM_POLICIES_MAX];
    fsim_run_record records[FSIM_POLICIES_MAX];
    fsim_runs_records(runs, records);
    for (uint32_t i = 0; i < runs->count; i++) {
        summaries[i] = records[i].summary;
    }
    fsim_output output;
    FSIM_TRY(fsim_output_begin(&output, err));
    fsim_status status =
        fsim_report_compare(output.stream, (fsim_report_format)values->format, records, runs->count, err);
    if (status == FSIM_OK && values->provider != NULL && values->format != FSIM_REPORT_JSON) {
        const fsim_books *books = &runs->policies[0].books;
        status = fsim_report_provider(output.stream, (fsim_report_format)values->format, summaries,
                                      runs->count, books->items[books->count - 1u]->id, err);
    }
    return fsim_output_end(&output, status, err);
}

static fsim_status compare(fsim_runs *runs, const compare_values *values, fsim_error *err) {
    const fsim_runs_options how = {.quiet = values->quiet, .threads = (uint32_t)values->threads};
    const fsim_folder_options folder = {values->out, values->plot, values->quiet};
    FSIM_TRY(fsim_folder_check(&folder, err));
    FSIM_TRY(fsim_runs_execute(runs, &how, err));
    if (values->plot || values->out != NULL) {
        FSIM_TRY(fsim_folder_write(runs, &folder, err));
    }
    return print_table(runs, values, err);
}

static fsim_status run_compare(const fsim_parsed *parsed, fsim_error *err) {
    static const char *usual[] = {"knative", "lambda", "scf", "paas"};
    const compare_values *values = parsed->values;
    fsim_word_list policies = values->policies;
    if (policies.count == 0) {
        policies = (fsim_word_list){usual, sizeof usual / sizeof usual[0]};
    }
    fsim_load_options load = {
        .functions_file = values->functions,
        .settings = parsed->settings,
        .setting_count = parsed->setting_count,
    };
    FSIM_TRY(fsim_workload_window(parsed, err));
    if (parsed->word_count > 1 && values->provider != NULL) {
        return fsim_fail_at(err, FSIM_EUSAGE, "--provider", "the provider's side of one workload, not of %zu",
                            parsed->word_count);
    }
    if (parsed->word_count > 1) {
        const fsim_gallery_options gallery = {
            .workloads = parsed->words,
            .workload_count = (uint32_t)parsed->word_count,
            .policies = policies,
            .how = {.quiet = values->quiet, .threads = (uint32_t)values->threads},
            .folder = {values->out, values->plot, values->quiet},
            .format = (fsim_report_format)values->format,
            .month = values->month,
        };
        fsim_interrupt_watch();
        fsim_status status = fsim_compare_gallery(&gallery, &load, err);
        fsim_interrupt_obey();
        return status;
    }
    FSIM_TRY(fsim_workload_words(&load, (const char *const *)parsed->words, parsed->word_count, true, err));
    fsim_runs runs;
    FSIM_TRY(fsim_runs_load(&runs, &load, &policies, err));
    for (uint32_t i = 0; i < runs.count && values->provider != NULL; i++) {
        fsim_status added = fsim_books_add_nodes(&runs.policies[i].books, values->provider, err);
        if (added != FSIM_OK) {
            fsim_runs_destroy(&runs);
            return added;
        }
    }
    if (values->month) {
        fsim_runs_bill_a_month(&runs);
    }
    fsim_interrupt_watch();
    fsim_status status = compare(&runs, values, err);
    fsim_runs_destroy(&runs);
    fsim_interrupt_obey();
    return status;
}

const fsim_command fsim_command_compare = {
    .name = "compare",
    .summary = "policies and price books on one workload, as one table",
    .arguments = "WORKLOAD…",
    .detail =
        "Every policy sees the same arrivals and the same durations (common random numbers). The cheapest\n"
        "policy of each price book is marked. A folder is written only with --out or --plot.\n\n"
        "Several workloads: a line for each policy, and for each workload cold requests, the wait that 1 % "
        "exceed,\n"
        "instances and idle ones on average, refusals, and the cost by the first price book. --plot draws "
        "their\n"
        "instances over time side by side (gallery.svg); fsim plot DIR/WORKLOAD draws the rest.\n",
    .examples = "fsim compare car-log\nfsim compare trace.csv --policy knative,lambda --billing "
                "phase1,phase2 --format md\n"
                "fsim compare car-log health-probe --policy all --billing phase3 --plot",
    .options = options,
    .values_size = sizeof(compare_values),
    .words_min = 1,
    .words_max = FSIM_GALLERY_WORKLOADS_MAX,
    .run = run_compare,
};
