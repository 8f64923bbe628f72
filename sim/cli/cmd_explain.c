/* fsim explain: the effective scenario, and which layer each value came from. */
#include "cli/load_options.h"
#include "cli/output.h"

#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

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
    FSIM_OPTION_ROW_SEED,
    FSIM_OPTION_ROW_FORMAT(explain_values, formats),
    {.name = NULL},
};

enum { PATH_MAX_LEN = 1024 };

typedef struct explanation {
    FILE *out;     /* text, or NULL */
    json_t *items; /* [{key, value, origin}], or NULL */
} explanation;

/* As --set takes it: elements of an array of named things by name. */
static void element_path(const fsim_value *element, size_t index, const char *path, char out[PATH_MAX_LEN]) {
    const fsim_value *name = fsim_value_peek(element, "name");
    if (name != NULL && name->kind == FSIM_VALUE_STRING && strpbrk(name->string, ".[]=") == NULL) {
        snprintf(out, PATH_MAX_LEN, "%s.%s", path, name->string);
    } else {
        snprintf(out, PATH_MAX_LEN, "%s[%zu]", path, index);
    }
}

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

static void explain_leaf(const explanation *e, const fsim_value *value, const char *path) {
    const char *origin = value->origin == NULL ? "default" : value->origin;
    json_t *json = scalar_json(value);
    if (e->items != NULL) {
        json_array_append_new(e->items,
                              json_pack("{s:s, s:o, s:s}", "key", path, "value", json, "origin", origin));
        return;
    }
    char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));
    fprintf(e->out, "%-44s %-24s %s\n", path, text == NULL ? "?" : text, origin);
    free(text);
    json_decref(json);
}

static void explain(const explanation *e, const fsim_value *value, const char *path) {
    if (value->first == NULL) {
        explain_leaf(e, value, path);
        return;
    }
    size_t index = 0;
    for (const fsim_value *child = value->first; child != NULL; child = child->next) {
        char below[PATH_MAX_LEN];
        if (value->kind == FSIM_VALUE_ARRAY) {
            element_path(child, index++, path, below);
        } else {
            snprintf(below, sizeof below, "%s%s%s", path, *path == '\0' ? "" : ".", child->key);
        }
        explain(e, child, below);
    }
}

static fsim_status print(const fsim_scenario *scenario, bool json, fsim_error *err) {
    fsim_output output;
    FSIM_TRY(fsim_output_begin(&output, err));
    explanation e = {.out = output.stream, .items = json ? json_array() : NULL};
    explain(&e, scenario->root, "");
    if (json) {
        json_t *document = json_pack("{s:s, s:o}", "schema", "fsim.explanation/1", "values", e.items);
        json_dumpf(document, output.stream, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        fputc('\n', output.stream);
        json_decref(document);
    }
    return fsim_output_end(&output, FSIM_OK, err);
}

static fsim_status run_explain(const fsim_parsed *parsed, fsim_error *err) {
    const explain_values *values = parsed->values;
    const fsim_load_options load = {
        .workload = parsed->words[0],
        .policy = values->policy,
        .functions_file = values->functions,
        .settings = parsed->settings,
        .setting_count = parsed->setting_count,
    };
    fsim_scenario *scenario = NULL;
    FSIM_TRY(fsim_scenario_load(&scenario, &load, err));
    fsim_status status = print(scenario, values->format == 1, err);
    fsim_scenario_destroy(scenario);
    return status;
}

const fsim_command fsim_command_explain = {
    .name = "explain",
    .summary = "the effective scenario, and where each value came from",
    .arguments = "WORKLOAD",
    .detail =
        "One line a value: its key (as --set takes it), the value, and the layer that said it: default, the\n"
        "bundle, the scenario file, the command line. Later layers win in this order.\n",
    .examples =
        "fsim explain car-log --policy lambda\nfsim explain car-log --set policy.keepalive.window=60s",
    .options = options,
    .values_size = sizeof(explain_values),
    .words_min = 1,
    .words_max = 1,
    .run = run_explain,
};
