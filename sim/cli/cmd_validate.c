/* fsim validate: theory against simulation, on this machine. */
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/validate_cases.h"

#include "report/summary_json.h"

#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

typedef struct validate_values {
    int format;
    const char *filter;
    int64_t threads;
} validate_values;

static const char *const formats[] = {"text", "json", NULL};

static const fsim_option options[] = {
    {.name = "filter",
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(validate_values, filter),
     .operand = "TEXT",
     .help = "only the cases whose name contains TEXT"},
    {.name = "threads",
     .kind = FSIM_OPTION_COUNT,
     .offset = offsetof(validate_values, threads),
     .operand = "N",
     .help = "how many runs at a time (default: one per core)",
     .min = 1,
     .max = FSIM_THREADS_MAX},
    FSIM_OPTION_ROW_SEED,
    FSIM_OPTION_ROW_FORMAT(validate_values, formats),
    {.name = NULL},
};

/* Student half widths are 95 %; twice that is about four standard errors: one false alarm in ten thousand
 * checks. */
static const double half_widths_allowed = 2;

typedef struct tally {
    int passed, failed;
    json_t *rows; /* {case, model, metric, predicted, simulated, ci95, verdict} */
} tally;

/* Student quantile at 97.5 % (R. A. Fisher, E. A. Cornish 1960): within 1e-3 from 5 degrees of freedom on. */
static double student(double freedom) {
    const double z = 1.959963984540054, z2 = z * z;
    double t = z + z * (z2 + 1) / 4 / freedom;
    t += z * ((5 * z2 + 16) * z2 + 3) / 96 / (freedom * freedom);
    return t + z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384 / (freedom * freedom * freedom);
}

/* Mean and 95 % half width of an expression over the replications. */
static fsim_status estimate(const fsim_policy_run *run, const char *expression, double *mean, double *width,
                            fsim_error *err) {
    uint32_t count = run->scenario->replications;
    double m = 0, squares = 0; /* B. P. Welford 1962 */
    for (uint32_t i = 0; i < count; i++) {
        double value;
        FSIM_TRY(fsim_summary_eval(run->each[i], expression, &value, err));
        double delta = value - m;
        m += delta / (i + 1);
        squares += delta * (value - m);
    }
    *mean = m;
    *width = count < 2 ? 0 : student(count - 1) * sqrt(squares / (count - 1) / count);
    return FSIM_OK;
}

static fsim_status check_one(const fsim_validate_case *c, const fsim_validate_check *check,
                             const fsim_policy_run *run, tally *t, fsim_error *err) {
    double simulated, width;
    FSIM_TRY(estimate(run, check->expression, &simulated, &width, err));
    double predicted = check->predict != NULL ? check->predict() : check->expected;
    double slack = check->exact ? 1e-9 * fabs(predicted) : half_widths_allowed * width;
    bool passed = fabs(simulated - predicted) <= slack;
    t->passed += passed;
    t->failed += !passed;
    json_array_append_new(t->rows, json_pack("{s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:b}", "case", c->name,
                                             "model", c->model, "metric", check->metric, "expression",
                                             check->expression, "predicted", predicted, "simulated",
                                             simulated, "ci95", width, "passed", (int)passed));
    return FSIM_OK;
}

static fsim_status run_case(const fsim_validate_case *c, const fsim_parsed *parsed, tally *t,
                            fsim_error *err) {
    const validate_values *values = parsed->values;
    const fsim_load_options load = {.settings = parsed->settings, .setting_count = parsed->setting_count};
    fsim_runs runs;
    FSIM_TRY(fsim_runs_load_text(&runs, c->scenario, c->name, &load, err));
    const fsim_runs_options how = {.quiet = true, .threads = (uint32_t)values->threads};
    fsim_status status = fsim_runs_execute(&runs, &how, err);
    for (size_t i = 0; i < FSIM_VALIDATE_CHECKS_MAX && c->checks[i].metric != NULL && status == FSIM_OK;
         i++) {
        status = check_one(c, &c->checks[i], &runs.policies[0], t, err);
    }
    fsim_runs_destroy(&runs);
    return status;
}

static const char *text_at(const json_t *row, const char *key) {
    return json_string_value(json_object_get(row, key));
}

static double real_at(const json_t *row, const char *key) {
    return json_real_value(json_object_get(row, key));
}

static void print_text(FILE *out, const tally *t) {
    const char *last = "";
    size_t i;
    json_t *row;
    fprintf(out, "%-34s %14s %14s %12s\n", "", "predicted", "simulated", "95 % +-");
    json_array_foreach(t->rows, i, row) {
        if (strcmp(last, text_at(row, "case")) != 0) {
            last = text_at(row, "case");
            fprintf(out, "%s: %s\n", last, text_at(row, "model"));
        }
        fprintf(out, "  %-32s %14.7g %14.7g ", text_at(row, "metric"), real_at(row, "predicted"),
                real_at(row, "simulated"));
        if (real_at(row, "ci95") > 0) {
            fprintf(out, "%12.2g", real_at(row, "ci95"));
        } else {
            fprintf(out, "%12s", "exact");
        }
        fprintf(out, "  %s\n", json_is_true(json_object_get(row, "passed")) ? "PASS" : "FAIL");
    }
    fprintf(out, "%d passed, %d failed\n", t->passed, t->failed);
}

static fsim_status print_tally(const tally *t, bool json, fsim_error *err) {
    fsim_output output;
    FSIM_TRY(fsim_output_begin(&output, err));
    if (json) {
        json_t *document = json_pack("{s:s, s:i, s:i, s:O}", "schema", "fsim.validation/1", "passed",
                                     t->passed, "failed", t->failed, "checks", t->rows);
        json_dumpf(document, output.stream, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        fputc('\n', output.stream);
        json_decref(document);
    } else {
        print_text(output.stream, t);
    }
    return fsim_output_end(&output, FSIM_OK, err);
}

static fsim_status run_validate(const fsim_parsed *parsed, fsim_error *err) {
    const validate_values *values = parsed->values;
    tally t = {.rows = json_array()};
    fsim_status status = FSIM_OK;
    fsim_interrupt_watch();
    for (const fsim_validate_case *c = fsim_validate_cases; c->name != NULL && status == FSIM_OK; c++) {
        if (values->filter == NULL || strstr(c->name, values->filter) != NULL) {
            status = run_case(c, parsed, &t, err);
        }
    }
    if (status == FSIM_OK && t.passed + t.failed == 0) {
        status = fsim_fail_at(err, FSIM_EUSAGE, "--filter", "no case has '%s' in its name", values->filter);
    }
    if (status == FSIM_OK) {
        status = print_tally(&t, values->format == 1, err);
    }
    if (status == FSIM_OK && t.failed > 0) {
        status = fsim_fail(err, FSIM_ENO, "%d of %d predictions were not met", t.failed, t.passed + t.failed);
    }
    json_decref(t.rows);
    fsim_interrupt_obey();
    return status;
}

const fsim_command fsim_command_validate = {
    .name = "validate",
    .summary = "theory against simulation, on this machine",
    .arguments = "",
    .detail =
        "Computes queueing theory (Erlang, processor sharing, keep-alive pools, setup queues, high-water\n"
        "marks), start-rate limits and billing identities, simulates the same systems, and prints both.\n"
        "A prediction is met within two 95 % half widths over the replications (about four standard\n"
        "errors); what is exact must agree exactly. Exit code 1 when one is not met.\n",
    .examples = "fsim validate\nfsim validate --filter erlang",
    .options = options,
    .values_size = sizeof(validate_values),
    .run = run_validate,
};
