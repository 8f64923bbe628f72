/* fsim generate: the arrivals of a scenario as a native trace, durations drawn. */
#include "api/source_api.h"
#include "cli/azure_writer.h"
#include "cli/fit_trace.h"
#include "cli/interrupt.h"
#include "cli/load_options.h"
#include "cli/trace_writer.h"
#include "cli/workload_words.h"
#include "io/json_reader.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef struct generate_values {
    const char *out, *functions, *fit, *model;
    int to;
} generate_values;

/* The forms of cli/trace_writer.h, and Azure's. */
enum { FORM_AZURE = FSIM_TRACE_FST + 1 };
static const char *const forms[] = {"auto", "csv", "fst", "azure", NULL};

/* Of the trace that is fitted, or that the scenario replays. */
#define TRACE_ROWS                                                                                           \
    FSIM_OPTION_ROWS_TRACE, {                                                                                \
        .name = "trace-until", .kind = FSIM_OPTION_SPAN, .operand = "SPAN",                                  \
        .help = "end there in the trace", .setting = "workload.to"                                           \
    }

static const fsim_option trace_options[] = {TRACE_ROWS, {.name = NULL}};

static const fsim_option options[] = {
    {.name = "out",
     .letter = 'o',
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(generate_values, out),
     .operand = "FILE",
     .help = "write there instead of standard output; a name ending in .fst: columnar"},
    {.name = "to",
     .kind = FSIM_OPTION_CHOICE,
     .offset = offsetof(generate_values, to),
     .operand = "FORM",
     .help = "auto (by the name of FILE), csv, fst, or azure: the three files of Azure 2019 a day, in folder "
             "FILE",
     .choices = forms},
    {.name = "fit",
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(generate_values, fit),
     .operand = "TRACE",
     .help =
         "instead of SCENARIO: one that resembles this trace; how much is told on stderr (not --to azure)",
     .more = "rates by the hour, popularity, variation of gaps, durations and memory are taken from it;\n"
             "another size: --until, --count, --set workload.functions=N, --set workload.rate=R"},
    {.name = "model",
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(generate_values, model),
     .operand = "FILE",
     .help = "write what --fit has found as a scenario (JSON), and no trace unless --out is there"},
    {.name = "until",
     .kind = FSIM_OPTION_SPAN,
     .operand = "SPAN",
     .help = "the last instant of an arrival",
     .setting = "workload.until"},
    {.name = "count",
     .letter = 'n',
     .kind = FSIM_OPTION_COUNT,
     .operand = "N",
     .help = "end after N arrivals (100k, 2M)",
     .setting = "workload.requests",
     .min = 0,
     .max = INT64_MAX},
    TRACE_ROWS,
    FSIM_OPTION_ROW_SEED,
    FSIM_OPTION_ROW_SET,
    FSIM_OPTION_ROW_FUNCTIONS(generate_values),
    {.name = NULL},
};

/* What arrives after the end of the run is no part of it. */
static bool cut_at(fsim_arrivals *batch, fsim_ns until_ns) {
    uint32_t count = batch->count;
    while (batch->count > 0 && batch->at_ns[batch->count - 1] > until_ns) {
        batch->count--;
    }
    return batch->count < count;
}

/* The first batch is read before the file is opened: it says which columns there are. */
static fsim_status write_rows(fsim_workload *workload, const fsim_scenario *scenario, fsim_arrivals *batch,
                              fsim_trace_writer *writer, fsim_fit *made, fsim_error *err) {
    while (!writer->sink.closed) {
        bool last = batch->count == 0 || cut_at(batch, scenario->until_ns);
        if (made != NULL) {
            FSIM_TRY(fsim_fit_arrivals(made, batch, err));
        }
        FSIM_TRY(fsim_trace_writer_batch(writer, batch, err));
        if (last) {
            return FSIM_OK;
        }
        if (fsim_interrupt_seen()) {
            return fsim_fail(err, FSIM_EIO, "interrupted");
        }
        FSIM_TRY(fsim_workload_next(workload, batch, err));
    }
    return FSIM_OK;
}

/* Everything that is still to come, of one function or of all. */
static fsim_status count_days(fsim_workload *workload, const fsim_scenario *scenario,
                              fsim_azure_writer *writer, fsim_arrivals *batch, fsim_error *err) {
    for (bool last = false; !last;) {
        FSIM_TRY(fsim_workload_next(workload, batch, err));
        last = batch->count == 0 || cut_at(batch, scenario->until_ns);
        FSIM_TRY(fsim_azure_writer_add(writer, batch, err));
        if (fsim_interrupt_seen()) {
            return fsim_fail(err, FSIM_EIO, "interrupted");
        }
    }
    return FSIM_OK;
}

/* Counts need no order between functions: one after another is faster, and holds only one. */
static fsim_status write_days(fsim_workload *workload, const fsim_scenario *scenario, const char *directory,
                              fsim_arrivals *batch, fsim_error *err) {
    fsim_azure_writer *writer = NULL;
    fsim_ns end_ns = fsim_workload_until_ns(workload);
    end_ns = scenario->until_ns < end_ns ? scenario->until_ns : end_ns;
    bool apart = end_ns < FSIM_AZURE_DAYS_MAX * FSIM_DAY && fsim_workload_select(workload, 0);
    FSIM_TRY(fsim_azure_writer_open(&writer, directory, scenario->functions, apart, err));
    fsim_status status = FSIM_OK;
    for (uint32_t k = 0; status == FSIM_OK && (k == 0 || (apart && fsim_workload_select(workload, k))); k++) {
        status = count_days(workload, scenario, writer, batch, err);
        status = status == FSIM_OK && apart ? fsim_azure_writer_end_function(writer, err) : status;
    }
    return fsim_azure_writer_close(writer, status, err);
}

static fsim_status write_trace(fsim_workload *workload, const fsim_scenario *scenario,
                               const generate_values *values, fsim_arrivals *batch, fsim_fit *made,
                               fsim_error *err) {
    fsim_trace_writer writer;
    if (values->to == FORM_AZURE) {
        return write_days(workload, scenario, values->out, batch, err);
    }
    FSIM_TRY(fsim_workload_next(workload, batch, err));
    uint32_t columns = fsim_trace_columns_of(batch, scenario->functions);
    columns |= fsim_function_table_has_versions(scenario->functions) ? 1u << FSIM_FST_VERSION_NAME : 0;
    FSIM_TRY(fsim_trace_writer_open(&writer, values->out, (fsim_trace_form)values->to, columns,
                                    scenario->functions, err));
    fsim_status status = write_rows(workload, scenario, batch, &writer, made, err);
    return fsim_trace_writer_close(&writer, status, err);
}

static fsim_status check_ends(const fsim_workload *workload, const fsim_scenario *scenario, fsim_error *err) {
    const fsim_closed_plan *plans;
    if (fsim_workload_closed(workload, &plans) > 0) {
        return fsim_value_fail(
            scenario->workload, err,
            "users that wait for answers have no arrivals of their own; 'fsim run --requests "
            "FILE' writes those of a run");
    }
    if (fsim_workload_is_endless(workload) && scenario->until_ns == FSIM_NEVER) {
        return fsim_value_fail(scenario->workload, err,
                               "the arrivals never end; give --until SPAN or --count N");
    }
    return FSIM_OK;
}

/* The same streams as in a run of this scenario with this seed: the rows are what the run sees. `made` (NULL
 * allowed) gets the rows too. Of a fitted model, durations that the source does not know stay open. */
static fsim_status generate(const fsim_scenario *scenario, const generate_values *values, fsim_fit *made,
                            fsim_error *err) {
    fsim_workload_parts parts = {0};
    fsim_source_context context = {
        .seed = scenario->seed,
        .path = "workload",
        .table = scenario->functions,
        .default_fn = scenario->default_fn,
        .pool = scenario->pool,
        .base_dir = scenario->base_dir,
        .around = values->fit != NULL ? &parts : NULL,
    };
    fsim_workload *workload = NULL;
    FSIM_TRY(fsim_workload_open(&workload, &context, scenario->workload, err));
    fsim_status status = check_ends(workload, scenario, err);
    fsim_arrivals *batch = malloc(sizeof *batch);
    if (status == FSIM_OK && batch == NULL) {
        status = fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    if (status == FSIM_OK) {
        status = write_trace(workload, scenario, values, batch, made, err);
    }
    free(batch);
    fsim_workload_close(workload);
    return status;
}

static fsim_status write_model(const char *path, const char *json, fsim_error *err) {
    fsim_sink sink;
    FSIM_TRY(fsim_sink_open(&sink, path, err));
    fsim_status status = FSIM_OK;
    for (size_t left = strlen(json); left > 0 && status == FSIM_OK;) {
        size_t piece = left < FSIM_SINK_ROOM_MAX ? left : FSIM_SINK_ROOM_MAX;
        char *at = fsim_sink_room(&sink, piece, err);
        status = at == NULL ? FSIM_EIO : FSIM_OK;
        if (at != NULL) {
            memcpy(at, json, piece);
            fsim_sink_put(&sink, at + piece);
        }
        json += piece;
        left -= piece;
    }
    return fsim_sink_close(&sink, status, err);
}

static fsim_status load_model(fsim_scenario **scenario, const char *json, const fsim_load_options *load,
                              fsim_error *err) {
    fsim_value *tree = NULL;
    fsim_value_pool *pool = fsim_value_pool_create();
    if (pool == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_status status = fsim_json_read_text(pool, json, "--fit", &tree, err);
    if (status != FSIM_OK) {
        fsim_value_pool_destroy(pool);
        return status;
    }
    return fsim_scenario_from_tree(scenario, pool, tree, NULL, load, err);
}

static fsim_status generate_like(const fsim_fit *trace, const char *json, const generate_values *values,
                                 const fsim_load_options *load, fsim_error *err) {
    fsim_scenario *scenario = NULL;
    bool by_minute = values->to == FORM_AZURE; /* nobody sees the rows in order */
    fsim_fit *made = by_minute ? NULL : fsim_fit_create(1);
    fsim_status status = made != NULL || by_minute ? FSIM_OK : fsim_fail(err, FSIM_ELIMIT, "out of memory");
    if (status == FSIM_OK) {
        status = load_model(&scenario, json, load, err);
    }
    if (status == FSIM_OK) {
        status = generate(scenario, values, made, err);
        fsim_scenario_destroy(scenario);
    }
    if (status == FSIM_OK && made != NULL) {
        status = fsim_fit_report(stderr, trace, made, err);
    }
    fsim_fit_destroy(made);
    return status;
}

static bool is_of_trace(const fsim_setting *setting) {
    for (const fsim_option *o = trace_options; o->name != NULL; o++) {
        if (strcmp(setting->path, o->setting) == 0 && strncmp(setting->origin, "--", 2) == 0 &&
            strcmp(setting->origin + 2, o->name) == 0) {
            return true;
        }
    }
    return false;
}

/* Options of the trace to the front, those of the model behind; how many of the trace. */
static size_t split_settings(const fsim_load_options *load, fsim_setting *out) {
    size_t count = 0, placed = 0;
    for (int of_trace = 1; of_trace >= 0; of_trace--) {
        for (size_t i = 0; i < load->setting_count; i++) {
            if (is_of_trace(&load->settings[i]) == (of_trace == 1)) {
                out[placed++] = load->settings[i];
            }
        }
        count = of_trace == 1 ? placed : count;
    }
    return count;
}

static fsim_status run_fit(const generate_values *values, fsim_load_options *load, fsim_error *err) {
    fsim_fit *trace = NULL;
    char *json = NULL;
    fsim_setting *settings = malloc((load->setting_count + 1u) * sizeof *settings);
    if (settings == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    size_t of_trace = split_settings(load, settings);
    load->settings = settings + of_trace;
    load->setting_count -= of_trace;
    fsim_load_options how = {.settings = settings, .setting_count = of_trace};
    fsim_status status = fsim_fit_trace(values->fit, &how, &trace, &json, err);
    if (status != FSIM_OK) {
        free(settings);
        return status;
    }
    if (values->model != NULL) {
        status = write_model(values->model, json, err);
    }
    if (status == FSIM_OK && (values->model == NULL || values->out != NULL)) {
        status = generate_like(trace, json, values, load, err);
    }
    fsim_fit_destroy(trace);
    free(json);
    free(settings);
    return status;
}

static fsim_status run_scenario(const generate_values *values, const fsim_load_options *load,
                                fsim_error *err) {
    fsim_scenario *scenario = NULL;
    FSIM_TRY(fsim_scenario_load(&scenario, load, err));
    fsim_status status = generate(scenario, values, NULL, err);
    fsim_scenario_destroy(scenario);
    return status;
}

static fsim_status run_generate(const fsim_parsed *parsed, fsim_error *err) {
    const generate_values *values = parsed->values;
    fsim_load_options load = {
        .functions_file = values->functions,
        .settings = parsed->settings,
        .setting_count = parsed->setting_count,
    };
    if ((parsed->word_count > 0) == (values->fit != NULL)) {
        return fsim_fail(err, FSIM_EUSAGE, "expected either a scenario or --fit TRACE, found %s of them",
                         values->fit != NULL ? "both" : "none");
    }
    if (values->model != NULL && values->fit == NULL) {
        return fsim_fail_at(err, FSIM_EUSAGE, "--model", "only --fit makes a model");
    }
    if (parsed->word_count > 0) {
        FSIM_TRY(
            fsim_workload_words(&load, (const char *const *)parsed->words, parsed->word_count, false, err));
    }
    fsim_interrupt_watch();
    fsim_status status = values->fit != NULL ? run_fit(values, &load, err) : run_scenario(values, &load, err);
    fsim_interrupt_obey();
    return status;
}

const fsim_command fsim_command_generate = {
    .name = "generate",
    .summary = "write the arrivals of a workload as CSV or .fst, durations drawn",
    .arguments = "[SCENARIO…]",
    .detail =
        "Writes arrival_s,function,duration_ms, and cpu_ms, memory_mb and session where the workload has\n"
        "them: every random input of a run of the same scenario with the same seed, exact to the "
        "nanosecond.\n"
        "The output is a workload again.\n",
    .examples = "fsim generate car-log --until 1d -o day.csv\n"
                "fsim generate car-log -o week.fst\n"
                "fsim generate --fit trace.csv --set workload.functions=1000 -o larger.fst\n"
                "fsim generate scf-burst -n 1000 | fsim - --policy lambda",
    .options = options,
    .values_size = sizeof(generate_values),
    .words_max = FSIM_WORDS_MAX,
    .run = run_generate,
};
