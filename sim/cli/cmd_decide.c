/* fsim decide: what a scaling policy would have decided on a recorded metric series, and why. */
#include "base/text.h"
#include "cli/decide_plot.h"
#include "cli/decide_rows.h"
#include "cli/load_options.h"
#include "io/policy_load.h"
#include "io/series_reader.h"

#include <stddef.h>
#include <string.h>

typedef struct decide_values {
    fsim_word_list columns;
    const char *max_gap, *ready_after, *out;
    int format;
    bool plot, quiet;
} decide_values;

static const char *const formats[] = {"text", "csv", "json", NULL};

static const fsim_option options[] = {
    FSIM_OPTION_ROW_SET,
    {.name = "columns",
     .kind = FSIM_OPTION_LIST,
     .offset = offsetof(decide_values, columns),
     .operand = "NAME[=HEADER][,…]",
     .help = "read these columns only; NAME=HEADER: from a column that has another name",
     .more = "--columns concurrency=my_gauge,ready leaves all others alone"},
    {.name = "max-gap",
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(decide_values, max_gap),
     .operand = "SPAN|none",
     .help = "the longest step between rows (default: one and a half times the usual one)"},
    {.name = "ready-after",
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(decide_values, ready_after),
     .operand = "SPAN",
     .help = "without a column \"ready\": how long an instance takes to start",
     .more = "default: the mean cold start of the function; 0s: ready follows desired at once"},
    {.name = "out",
     .letter = 'o',
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(decide_values, out),
     .operand = "FILE",
     .help = "write the rows there instead of standard output"},
    {.name = "plot",
     .kind = FSIM_OPTION_FLAG,
     .offset = offsetof(decide_values, plot),
     .help = "a picture beside FILE, or results/SERIES-POLICY/decisions.svg (gnuplot)"},
    FSIM_OPTION_ROW_SEED,
    FSIM_OPTION_ROW_FORMAT(decide_values, formats),
    FSIM_OPTION_ROW_QUIET(decide_values),
    {.name = NULL},
};

static fsim_status read_span(const char *text, const char *option, fsim_ns *out, fsim_error *err) {
    return fsim_text_parse_span(text, out)
               ? FSIM_OK
               : fsim_fail_at(err, FSIM_EUSAGE, option,
                              "'%s' found, expected a span with a unit, as in 250ms, 10m or 1d", text);
}

/* A series with a column "value" means the one metric that the policy reads. */
static fsim_input only_input(uint32_t reads) {
    fsim_input input = FSIM_INPUT_CONCURRENCY;
    while (input < FSIM_INPUTS && FSIM_INPUT_BIT(input) != reads) {
        input = (fsim_input)(input + 1);
    }
    return input;
}

static void write_title(const fsim_decide_setup *setup, const fsim_metric_series *series, const char *policy,
                        const fsim_scale_plan *plan, char *out, size_t size) {
    char every[48], after[48], ready[128] = "ready: as recorded";
    fsim_text_human_span(fsim_ns_to_s(plan->tick_ns), every, sizeof every);
    if (series->values[FSIM_INPUT_READY] == NULL) {
        fsim_text_human_span(fsim_ns_to_s(setup->ready_after_ns), after, sizeof after);
        snprintf(ready, sizeof ready, "ready: assumed to follow desired %s later", after);
    }
    bool same = strcmp(policy, setup->ops->info.name) == 0;
    const char *slash = strrchr(setup->series, '/'), *file = slash == NULL ? setup->series : slash + 1;
    snprintf(out, size, "%.200s under %.100s%s%s%s, a decision every %s; %s", file, policy, same ? "" : " (",
             same ? "" : setup->ops->info.name, same ? "" : ")", every, ready);
}

static void write_note(const fsim_decide_setup *setup, const fsim_scale_plan *plan) {
    if (plan->on_demand) {
        fprintf(stderr,
                "fsim: %s also starts instances for single requests, which a series does not show; fsim run "
                "does\n",
                setup->ops->info.name);
    }
}

static fsim_status decide(const fsim_metric_series *series, const fsim_decide_setup *setup,
                          const fsim_scale_plan *plan, const char *policy, const decide_values *values,
                          fsim_error *err) {
    char title[512];
    fsim_decide_rows rows = {.series = series, .format = (fsim_decide_format)values->format};
    write_title(setup, series, policy, plan, title, sizeof title);
    if (rows.format == FSIM_DECIDE_TEXT) {
        FSIM_TRY(fsim_decide(series, setup, fsim_decide_rows_measure, &rows, err));
    }
    FSIM_TRY(fsim_decide_rows_begin(&rows, values->out, title, err));
    fsim_status status = fsim_decide(series, setup, fsim_decide_rows_write, &rows, err);
    FSIM_TRY(fsim_decide_rows_end(&rows, status, err));
    if (values->plot) {
        char where[FSIM_PATH_MAX];
        FSIM_TRY(fsim_decide_plot(series, setup, rows.count, policy, title, values->out, where, sizeof where,
                                  err));
        if (!values->quiet) {
            fprintf(stderr, "fsim: picture in %s\n", where);
        }
    }
    if (!values->quiet) {
        write_note(setup, plan);
    }
    return FSIM_OK;
}

/* Of a bundle whose instances start for single requests, the policy of its provisioned ones can decide. */
static fsim_status choose_kind(fsim_decide_setup *setup, const fsim_scenario *scenario, fsim_scale_plan *plan,
                               fsim_error *err) {
    setup->ready_after_ns = fsim_ns_from_s(fsim_fn_cold_mean_s(setup->fn));
    setup->ops = scenario->scaling;
    setup->params = scenario->scaling_params;
    if (scenario->scaling->tick == NULL && scenario->provisioned->tick != NULL) {
        double delay_ns = fsim_dist_mean_ns(&scenario->provisioned_delay);
        setup->provisioned = true;
        setup->ready_after_ns = fsim_ns_add(setup->ready_after_ns, (fsim_ns)delay_ns);
        setup->ops = scenario->provisioned;
        setup->params = scenario->provisioned_params;
    }
    return fsim_decide_plan(setup, plan, err);
}

static fsim_status decide_with(const fsim_scenario *scenario, const char *policy, const char *path,
                               const decide_values *values, fsim_error *err) {
    fsim_decide_setup setup = {
        .fn = fsim_function_table_get(scenario->functions, scenario->default_fn),
        .seed = scenario->seed,
        .series = strcmp(path, "-") == 0 ? "standard input" : path,
    };
    fsim_series_options reading = {.columns = values->columns.items, .column_count = values->columns.count};
    fsim_scale_plan plan;
    fsim_metric_series series;
    FSIM_TRY(choose_kind(&setup, scenario, &plan, err));
    if (values->ready_after != NULL) {
        FSIM_TRY(read_span(values->ready_after, "--ready-after", &setup.ready_after_ns, err));
    }
    if (values->max_gap != NULL && strcmp(values->max_gap, "none") == 0) {
        reading.max_gap_ns = FSIM_NEVER;
    } else if (values->max_gap != NULL) {
        FSIM_TRY(read_span(values->max_gap, "--max-gap", &reading.max_gap_ns, err));
    }
    reading.value_is = only_input(plan.reads);
    FSIM_TRY(fsim_series_read(&series, path, &reading, err));
    fsim_status status = decide(&series, &setup, &plan, policy, values, err);
    fsim_metric_series_destroy(&series);
    return status;
}

static fsim_status run_decide(const fsim_parsed *parsed, fsim_error *err) {
    fsim_scenario *scenario;
    FSIM_TRY(fsim_policy_load(&scenario, parsed->words[0], parsed->settings, parsed->setting_count, err));
    fsim_status status = decide_with(scenario, parsed->words[0], parsed->words[1], parsed->values, err);
    fsim_scenario_destroy(scenario);
    return status;
}

const fsim_command fsim_command_decide = {
    .name = "decide",
    .summary = "what a scaling policy would have decided on a recorded metric series, and why",
    .arguments = "POLICY SERIES",
    .detail =
        "POLICY is a bundle, a scaling or provisioned policy, or a .json file with one of them or with the\n"
        "policy's parameters alone. Its own code decides, the same that a run simulates. Of a bundle whose\n"
        "instances start for single requests, policy.provisioned decides if it adjusts anything.\n\n"
        "SERIES is a CSV file (- for standard input) with a column of time (time_s, time_ms, time or "
        "timestamp,\n"
        "also ISO 8601) and, in any order, what the policy reads:\n"
        "  concurrency   requests in execution            rps, or requests since the row before\n"
        "  queue         requests or messages waiting     cpu    % of an instance's vCPU, or cpu_cores in "
        "all\n"
        "  memory        %, or memory_mb, of an instance  ready  instances ready\n"
        "  replicas      instances asked for              value  the one metric the policy reads\n"
        "or the JSON of a Prometheus range query, whose series are columns by name or label. Either may "
        "come\n"
        "packed by gzip or zstd.\n\n"
        "A row holds until the next one. The policy's grid begins at the first row and ends with the last; "
        "a\n"
        "sample sees the mean of the rows since the one before. A row later than one and a half times the "
        "usual\n"
        "step, and an empty cell, are gaps and refused. Without \"ready\", instances are ready "
        "--ready-after\n"
        "the decision and gone at once. The series does not react: a utilisation stays as recorded\n"
        "however many instances are asked for, so give ready and replicas where they are known.\n\n"
        "A row out is a decision: time_s, inputs (as the policy saw them, and the averages it compared),\n"
        "desired, ready, mode, reason.\n",
    .examples = "fsim decide knative metrics.csv\n"
                "fsim decide knative metrics.csv --set policy.scaling.stable_window=30s --format csv\n"
                "fsim decide hpa metrics.csv --plot\n"
                "fsim decide knative range.json --columns concurrency=in_flight_total,ready=pods_ready",
    .options = options,
    .values_size = sizeof(decide_values),
    .words_min = 2,
    .words_max = 2,
    .run = run_decide,
};
