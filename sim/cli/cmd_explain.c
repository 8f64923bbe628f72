/* fsim explain: the effective scenario, and which layer each value came from. */
#include "cli/load_options.h"
#include "cli/output.h"
#include "cli/workload_words.h"
#include "io/scenario_explain.h"

#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>

typedef struct explain_values {
    const char *policy, *functions;
    int format;
} explain_values;

static const char *const formats[] = {"text", "json", NULL};

static const fsim_option options[] = {
    {.name = "policy",
     .letter = 'p',
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(explain_values, policy),
     .operand = "NAME|FILE.json",
     .help = "bundle to simulate under (default knative)"},
    FSIM_OPTION_ROW_SET,
    FSIM_OPTION_ROW_FUNCTIONS(explain_values),
    FSIM_OPTION_ROW_BILLING,
    FSIM_OPTION_ROW_SEED,
    FSIM_OPTION_ROW_REPLICATIONS,
    FSIM_OPTION_ROW_WARMUP,
    FSIM_OPTION_ROW_UNTIL,
    FSIM_OPTION_ROW_SAMPLE,
    FSIM_OPTION_ROWS_TRACE,
    FSIM_OPTION_ROW_FORMAT(explain_values, formats),
    {.name = NULL},
};

static json_t *scalar_json(const fsim_value *value) {
    switch (value->kind) {
    case FSIM_VALUE_BOOL: return json_boolean(value->boolean);
    case FSIM_VALUE_INTEGER: return json_integer(value->integer);
    case FSIM_VALUE_REAL: return json_real(value->real);
    case FSIM_VALUE_STRING: return json_string(value->string);
    case FSIM_VALUE_ARRAY: return json_array();
    case FSIM_VALUE_OBJECT: return json_object();
    case FSIM_VALUE_NULL: break;
    }
    return json_null();
}

static json_t *row_json(const fsim_explain_row *row) {
    return json_pack("{s:s, s:o, s:s, s:s*}", "key", row->path, "value", scalar_json(row->value), "origin",
                     row->origin, "source", row->source);
}

static void print_row(FILE *out, const fsim_explain_row *row) {
    json_t *value = scalar_json(row->value);
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));
    fprintf(out, "%-44s %-24s %s%s%s\n", row->path, text == NULL ? "?" : text, row->origin,
            row->source == NULL ? "" : ": ", row->source == NULL ? "" : row->source);
    free(text);
    json_decref(value);
}

static void print_json(FILE *out, const fsim_explain_row *rows, size_t count) {
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(items, row_json(&rows[i]));
    }
    json_t *document = json_pack("{s:s, s:o}", "schema", "fsim.explanation/1", "values", items);
    json_dumpf(document, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    fputc('\n', out);
    json_decref(document);
}

static fsim_status print(const fsim_scenario *scenario, bool json, fsim_error *err) {
    const fsim_explain_row *rows;
    size_t count;
    fsim_output output;
    FSIM_TRY(fsim_scenario_explain(scenario, &rows, &count, err));
    FSIM_TRY(fsim_output_begin(&output, err));
    if (json) {
        print_json(output.stream, rows, count);
    }
    for (size_t i = 0; i < count && !json; i++) {
        print_row(output.stream, &rows[i]);
    }
    return fsim_output_end(&output, FSIM_OK, err);
}

static fsim_status run_explain(const fsim_parsed *parsed, fsim_error *err) {
    const explain_values *values = parsed->values;
    fsim_load_options load = {
        .policy = values->policy,
        .functions_file = values->functions,
        .settings = parsed->settings,
        .setting_count = parsed->setting_count,
    };
    FSIM_TRY(fsim_workload_words(&load, (const char *const *)parsed->words, parsed->word_count, false, err));
    FSIM_TRY(fsim_workload_window(parsed, err));
    fsim_scenario *scenario = NULL;
    FSIM_TRY(fsim_scenario_load(&scenario, &load, err));
    fsim_status status = print(scenario, values->format == 1, err);
    fsim_scenario_destroy(scenario);
    return status;
}

const fsim_command fsim_command_explain = {
    .name = "explain",
    .summary = "the effective scenario, and where each value came from",
    .arguments = "WORKLOAD…",
    .detail =
        "One line a value: its key (as --set takes it), the value, and the layer that said it: default, the\n"
        "bundle, the scenario file, the command line. Later layers win in this order. A value of a bundle "
        "is\n"
        "followed by the public document it comes from.\n",
    .examples =
        "fsim explain car-log --policy lambda\nfsim explain car-log --set policy.keepalive.window=60s",
    .options = options,
    .values_size = sizeof(explain_values),
    .words_min = 1,
    .words_max = FSIM_WORDS_MAX,
    .run = run_explain,
};
