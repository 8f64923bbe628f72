/* fsim generate: the arrivals of a scenario as a native trace, durations drawn. */
#include "api/source_api.h"
#include "cli/interrupt.h"
#include "cli/load_options.h"
#include "cli/row_writer.h"

#include <stddef.h>
#include <stdlib.h>

typedef struct generate_values {
    const char *out, *functions;
} generate_values;

static const fsim_option options[] = {
    {.name = "out",
     .letter = 'o',
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(generate_values, out),
     .operand = "FILE",
     .help = "write there instead of standard output"},
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

static fsim_status write_rows(fsim_workload *workload, const fsim_scenario *scenario, fsim_arrivals *batch,
                              fsim_row_writer *writer, fsim_error *err) {
    while (!writer->sink.closed) {
        FSIM_TRY(fsim_workload_next(workload, batch, err));
        bool last = batch->count == 0 || cut_at(batch, scenario->until_ns);
        FSIM_TRY(fsim_row_writer_arrivals(writer, batch, scenario->functions, err));
        if (last) {
            return FSIM_OK;
        }
        if (fsim_interrupt_seen()) {
            return fsim_fail(err, FSIM_EIO, "interrupted");
        }
    }
    return FSIM_OK;
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

/* The same streams as in a run of this scenario with this seed: the rows are what the run sees. */
static fsim_status generate(const fsim_scenario *scenario, const char *path, fsim_error *err) {
    fsim_source_context context = {
        .seed = scenario->seed,
        .path = "workload",
        .table = scenario->functions,
        .default_fn = scenario->default_fn,
        .pool = scenario->pool,
        .base_dir = scenario->base_dir,
    };
    fsim_workload *workload = NULL;
    FSIM_TRY(fsim_workload_open(&workload, &context, scenario->workload, err));
    fsim_row_writer writer;
    fsim_status status = check_ends(workload, scenario, err);
    fsim_arrivals *batch = malloc(sizeof *batch);
    if (status == FSIM_OK && batch == NULL) {
        status = fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    if (status == FSIM_OK) {
        status = fsim_row_writer_open(&writer, path, FSIM_ROW_WRITER_ARRIVALS_HEADER, err);
    }
    if (status == FSIM_OK) {
        status = write_rows(workload, scenario, batch, &writer, err);
        status = fsim_row_writer_close(&writer, status, err);
    }
    free(batch);
    fsim_workload_close(workload);
    return status;
}

static fsim_status run_generate(const fsim_parsed *parsed, fsim_error *err) {
    const generate_values *values = parsed->values;
    const fsim_load_options load = {
        .workload = parsed->words[0],
        .functions_file = values->functions,
        .settings = parsed->settings,
        .setting_count = parsed->setting_count,
    };
    fsim_scenario *scenario = NULL;
    FSIM_TRY(fsim_scenario_load(&scenario, &load, err));
    fsim_interrupt_watch();
    fsim_status status = generate(scenario, values->out, err);
    fsim_scenario_destroy(scenario);
    fsim_interrupt_obey();
    return status;
}

const fsim_command fsim_command_generate = {
    .name = "generate",
    .summary = "write the arrivals of a workload as CSV, durations drawn",
    .arguments = "SCENARIO",
    .detail =
        "Writes arrival_s,function,duration_ms: every random input of a run of the same scenario with the\n"
        "same seed, exact to the nanosecond. The output is a workload again.\n",
    .examples = "fsim generate car-log --until 1d -o day.csv\n"
                "fsim generate scf-burst -n 1000 | fsim - --policy lambda",
    .options = options,
    .values_size = sizeof(generate_values),
    .words_min = 1,
    .words_max = 1,
    .run = run_generate,
};
