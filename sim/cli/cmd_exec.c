/* fsim exec: the workload in real time, on real Wasm instances, under the engine's own policies and limits;
 * and beside each figure what the simulator predicts of it from a measured profile. */
#include "base/text.h"
#include "cli/folder.h"
#include "cli/interrupt.h"
#include "cli/live_driver.h"
#include "cli/live_laws.h"
#include "cli/live_report.h"
#include "cli/live_stalls.h"
#include "cli/load_options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/wasm_options.h"
#include "io/file.h"
#include "io/scenario_parts.h"
#include "report/report.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct exec_values {
    fsim_wasm_values wasm;
    fsim_word_list policies;
    const char *module, *profile, *functions, *out, *speed_up, *stalls;
    int format, cpu_model;
    bool plot, quiet, keep_awake;
} exec_values;

static const char *const formats[] = {"text", "json", NULL};
static const char *const cpu_models[] = {"fcfs", "ps", NULL};

static const fsim_option options[] = {
    {.name = "module",
     .letter = 'm',
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(exec_values, module),
     .operand = "FILE.wasm",
     .help = "what every request calls"},
    {.name = "policy",
     .letter = 'p',
     .kind = FSIM_OPTION_LIST,
     .offset = offsetof(exec_values, policies),
     .operand = "NAME",
     .help = "bundle to run under (default knative)"},
    {.name = "speed-up",
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(exec_values, speed_up),
     .operand = "X",
     .help = "the run's clock goes X times as fast as the machine's (default 1)",
     .more = "all times are on the run's clock: a call of 1 ms counts as X ms"},
    {.name = "cpu-model",
     .kind = FSIM_OPTION_CHOICE,
     .offset = offsetof(exec_values, cpu_model),
     .operand = "NAME",
     .help = "how calls and starts get at the machine's cores",
     .more = "fcfs: in order of arrival, each to its end; ps: all at once, left to the machine's scheduler",
     .choices = cpu_models},
    {.name = "profile",
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(exec_values, profile),
     .operand = "FILE",
     .help = "predict from this profile (default: measure one first)"},
    {.name = "keep-awake",
     .kind = FSIM_OPTION_FLAG,
     .offset = offsetof(exec_values, keep_awake),
     .help = "a thread of idle priority keeps each core from sleeping",
     .more = "calls are measured too slow where a virtual machine's host takes sleeping cores away"},
    {.name = "stalls",
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(exec_values, stalls),
     .operand = "FILE",
     .help = "write there when cores stood still",
     .more = "in the form that platform.nodes.interruptions of a scenario takes"},
    FSIM_OPTION_ROW_SET,
    FSIM_OPTION_ROW_FUNCTIONS(exec_values),
    FSIM_OPTION_ROW_BILLING,
    FSIM_OPTION_ROW_SEED,
    FSIM_OPTION_ROW_UNTIL,
    FSIM_OPTION_ROWS_WASM(exec_values),
    FSIM_OPTION_ROW_OUT(exec_values),
    FSIM_OPTION_ROW_PLOT(exec_values),
    FSIM_OPTION_ROW_FORMAT(exec_values, formats),
    FSIM_OPTION_ROW_QUIET(exec_values),
    {.name = NULL},
};

/* Both sides of the comparison, and what the prediction rests on. */
typedef struct exec_run {
    const exec_values *values;
    double speed_up;
    fsim_runs live, predicted, disturbed; /* disturbed: predicted, with the stalls that were seen */
    long cores;
    fsim_live_laws laws;
    fsim_live_account account;
    fsim_live_driver driver;
    fsim_stall_watch watch;
    fsim_live_stalls stalls;
} exec_run;

/* Where cores go in order of arrival: elsewhere nobody can say what a core that is away keeps from whom. */
static bool is_fcfs(const exec_run *x) {
    return x->values->cpu_model == 0;
}

/* ---- options ---- */

static fsim_status read_options(exec_run *x, fsim_error *err) {
    const exec_values *v = x->values;
    x->speed_up = 1;
    x->cores = sysconf(_SC_NPROCESSORS_ONLN);
    x->cores = x->cores > 0 ? x->cores : 1;
    if (v->module == NULL) {
        return fsim_fail_at(err, FSIM_EUSAGE, "--module", "missing: exec needs a Wasm module to call");
    }
    if (v->policies.count > 1) {
        return fsim_fail_at(err, FSIM_EUSAGE, "--policy",
                            "one policy at a time runs for real, %zu were given", v->policies.count);
    }
    if (v->speed_up != NULL &&
        (!fsim_text_parse_real(v->speed_up, &x->speed_up) || x->speed_up <= 0 || x->speed_up > 1e6)) {
        return fsim_fail_at(err, FSIM_EUSAGE, "--speed-up",
                            "'%s' found, expected a number above 0 up to 1000000", v->speed_up);
    }
    return FSIM_OK;
}

/* ---- what starts and calls take ---- */

static fsim_status measure(exec_run *x, const fsim_worker_limits *limits, fsim_error *err) {
    const fsim_calibration_options how = {.backend = (fsim_backend)x->values->wasm.backend,
                                          .limits = *limits,
                                          .calls = 300,
                                          .starts = 60,
                                          .instances = 1,
                                          .brief = true,
                                          .quiet = x->values->quiet};
    FSIM_TRY(fsim_live_laws_measure(&x->laws, x->values->module, &how, x->values->keep_awake, err));
    return fsim_live_laws_set(&x->laws, x->speed_up, err);
}

static fsim_status get_laws(exec_run *x, const fsim_worker_limits *limits, fsim_error *err) {
    fsim_scenario *s = x->predicted.policies[0].scenario;
    if (x->values->profile == NULL) {
        return measure(x, limits, err);
    }
    FSIM_TRY(fsim_live_laws_read(&x->laws, s, x->values->profile, err));
    return fsim_live_laws_set(&x->laws, x->speed_up, err);
}

/* ---- the two scenarios ---- */

/* What would have to happen to real instances. */
static fsim_status refuse_failures(const fsim_scenario *s, fsim_error *err) {
    const fsim_fn_spec *spec = fsim_function_table_template(s->functions);
    for (uint32_t fn = 0; spec->crash == NULL && spec->health == NULL; fn++) {
        if (fn == fsim_function_table_count(s->functions)) {
            return FSIM_OK;
        }
        spec = fsim_function_table_get(s->functions, fn);
    }
    return fsim_fail_at(err, FSIM_EUSAGE, spec->crash != NULL ? "crash" : "health",
                        "function \"%s\": real instances are not made to fail; `fsim run` simulates it",
                        spec->name);
}

static fsim_status load(exec_run *x, const fsim_parsed *parsed, fsim_error *err) {
    char cores[24];
    snprintf(cores, sizeof cores, "%ld", x->cores);
    /* All instances share the cores of this machine, and room is no matter here. */
    const fsim_setting machine[] = {{"run.replications", "1", "exec"},
                                    {"platform.nodes.count", "1", "exec"},
                                    {"platform.nodes.vcpu", cores, "exec"},
                                    {"platform.nodes.memory", "1000TB", "exec"},
                                    {"platform.nodes.cpu_model", cpu_models[x->values->cpu_model], "exec"}};
    enum { EXTRA = sizeof machine / sizeof machine[0] };
    fsim_setting *settings = malloc((parsed->setting_count + EXTRA) * sizeof *settings);
    if (settings == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    if (parsed->setting_count > 0) {
        memcpy(settings, parsed->settings, parsed->setting_count * sizeof *settings);
    }
    memcpy(settings + parsed->setting_count, machine, sizeof machine);
    fsim_load_options how = {.workload = parsed->words[0],
                             .functions_file = x->values->functions,
                             .settings = settings,
                             .setting_count = parsed->setting_count + 1};
    fsim_status status = fsim_runs_load(&x->live, &how, &x->values->policies, err);
    if (status == FSIM_OK) {
        how.setting_count = parsed->setting_count + EXTRA;
        status = fsim_runs_load(&x->predicted, &how, &x->values->policies, err);
    }
    if (status == FSIM_OK && is_fcfs(x)) {
        status = fsim_runs_load(&x->disturbed, &how, &x->values->policies, err);
    }
    free(settings);
    return status;
}

/* Every function is the module: what it takes is measured, on one core, and no CPU model slows it down but
 * the cores that all have together. A start needs a core too. */
static void measure_spec(const exec_run *x, fsim_fn_spec *spec) {
    spec->has_service = true;
    spec->service = x->laws.service;
    spec->cold_start = x->laws.cold_start;
    spec->cold_has_phases = spec->cold_total = false;
    spec->cpu_model = FSIM_CPU_NONE;
    spec->cpu_fraction = x->laws.core_share;
    spec->start_cpu_fraction = 1;
}

static void measure_functions(const exec_run *x, fsim_scenario *s) {
    fsim_fn_spec spec = *fsim_function_table_template(s->functions);
    measure_spec(x, &spec);
    fsim_function_table_set_template(s->functions, &spec);
    for (uint32_t fn = 0; fn < fsim_function_table_count(s->functions); fn++) {
        spec = *fsim_function_table_get(s->functions, fn);
        measure_spec(x, &spec);
        fsim_function_table_set_spec(s->functions, fn, &spec);
    }
}

/* ---- running ---- */

static fsim_status summarise(fsim_policy_run *p, fsim_result *result, fsim_error *err) {
    p->result = result;
    p->requests = result->total.n.arrived;
    FSIM_TRY(fsim_books_price(&p->invoices, &p->books, result, err));
    p->summary =
        fsim_summary_json(p->scenario, result, p->invoices, p->invoices == NULL ? 0 : p->books.count);
    return p->summary != NULL ? FSIM_OK : fsim_fail(err, FSIM_ELIMIT, "out of memory");
}

static fsim_status run_one(fsim_policy_run *p, const fsim_live_ops *live, fsim_error *err) {
    fsim_result *result = NULL;
    const fsim_run_options how = {
        .seed = p->scenario->seed, .meters = &p->books.meters, .draw_all = true, .live = live};
    FSIM_TRY(fsim_run(&result, p->scenario, &how, err));
    return summarise(p, result, err);
}

static fsim_status run_live(exec_run *x, fsim_worker *worker, fsim_error *err) {
    fsim_live_ops ops;
    fsim_live_driver *driver = &x->driver;
    fsim_progress progress;
    fsim_policy_run *p = &x->live.policies[0];
    uint32_t cores = is_fcfs(x) ? (uint32_t)x->cores : UINT32_MAX;
    if (!fsim_live_driver_begin(driver, worker, x->speed_up, cores, &ops) ||
        !fsim_progress_begin(&progress, 1, x->values->quiet)) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    driver->progress = &progress;
    driver->horizon_ns = p->scenario->until_ns;
    fsim_interrupt_watch();
    fsim_status status = fsim_stall_watch_begin(&x->watch, x->values->keep_awake)
                             ? FSIM_OK
                             : fsim_fail(err, FSIM_ELIMIT, "out of memory");
    status = status == FSIM_OK ? run_one(p, &ops, err) : status;
    fsim_ns ended_ns = fsim_worker_now_ns();
    fsim_stall_watch_end(&x->watch);
    fsim_progress_end(&progress);
    driver->progress = NULL; /* it lives as long as this run */
    x->account = (fsim_live_account){.speed_up = x->speed_up,
                                     .calls = driver->calls,
                                     .traps = driver->traps,
                                     .deaths = driver->deaths,
                                     .cut = driver->cut,
                                     .parts = driver->parts,
                                     .interrupted = fsim_interrupt_seen()};
    fsim_live_driver_shares(driver, &x->account.others, &x->account.stolen);
    memcpy(x->account.last_failure, driver->last_failure, sizeof x->account.last_failure);
    if (!fsim_live_stalls_take(&x->stalls, &x->watch, driver->began_ns, ended_ns, x->speed_up,
                               (uint32_t)x->cores)) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    x->account.stalls = &x->stalls;
    return status;
}

/* The prediction: of this machine as it is for fsim alone, and as it was. */
static fsim_status predict(exec_run *x, const fsim_worker_limits *limits, fsim_error *err) {
    fsim_policy_run *p = &x->predicted.policies[0];
    if (x->account.interrupted) { /* the prediction is of the same span */
        p->scenario->until_ns = x->live.policies[0].result->end_ns;
    } else if (x->values->profile == NULL) {
        FSIM_TRY(measure(x, limits, err));
    }
    measure_functions(x, x->live.policies[0].scenario); /* the old laws are gone */
    measure_functions(x, p->scenario);
    FSIM_TRY(run_one(p, NULL, err));
    if (!is_fcfs(x) || !x->stalls.known) {
        return FSIM_OK;
    }
    fsim_scenario *disturbed = x->disturbed.policies[0].scenario;
    measure_functions(x, disturbed);
    disturbed->until_ns = p->scenario->until_ns;
    disturbed->nodes.interruptions = x->stalls.list;
    disturbed->nodes.interruption_count = x->stalls.count;
    return run_one(&x->disturbed.policies[0], NULL, err);
}

static fsim_status run_all(exec_run *x, const fsim_worker_limits *limits, fsim_error *err) {
    fsim_worker worker;
    fsim_wasm_message loaded;
    FSIM_TRY(fsim_worker_open(&worker, (fsim_backend)x->values->wasm.backend, limits, true, err));
    fsim_status status = fsim_worker_load(&worker, x->values->module, false, &loaded, err);
    if (status == FSIM_OK) {
        status = run_live(x, &worker, err);
    }
    snprintf(x->account.runtime, sizeof x->account.runtime, "%s", worker.runtime);
    fsim_worker_close(&worker);
    FSIM_TRY(status);
    return predict(x, limits, err);
}

/* ---- telling ---- */

static fsim_status tell(exec_run *x, fsim_error *err) {
    const fsim_folder_options folder = {x->values->out, x->values->plot, x->values->quiet};
    json_t *summary = x->live.policies[0].summary;
    fsim_output output;
    const json_t *disturbed = is_fcfs(x) ? x->disturbed.policies[0].summary : NULL;
    x->account.disturbed = disturbed != NULL;
    if (!fsim_live_report_add(summary, x->predicted.policies[0].summary, disturbed, &x->account)) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    if (x->values->stalls != NULL) {
        FSIM_TRY(fsim_live_stalls_write(&x->stalls, x->values->stalls, err));
    }
    FSIM_TRY(fsim_folder_write(&x->live, &folder, err));
    FSIM_TRY(fsim_output_begin(&output, err));
    fsim_status status = FSIM_OK;
    if (x->values->format == 1) {
        const fsim_run_record record = {.summary = summary};
        status = fsim_report_write(output.stream, FSIM_REPORT_JSON, &record, 1, err);
    } else {
        fsim_live_report_print(summary, &x->account, output.stream);
    }
    return fsim_output_end(&output, status, err);
}

static fsim_status execute(exec_run *x, const fsim_parsed *parsed, fsim_error *err) {
    const fsim_folder_options folder = {x->values->out, x->values->plot, x->values->quiet};
    const fsim_worker_limits limits = fsim_wasm_limits(&x->values->wasm);
    FSIM_TRY(read_options(x, err));
    FSIM_TRY(fsim_wasm_check_file(x->values->module, &limits, err));
    FSIM_TRY(fsim_worker_check((fsim_backend)x->values->wasm.backend, err));
    FSIM_TRY(fsim_folder_check(&folder, err));
    if (strcmp(parsed->words[0], "-") == 0) {
        return fsim_fail_at(err, FSIM_EUSAGE, "-",
                            "the workload is read twice, once to run it and once to predict it: "
                            "put it in a file");
    }
    FSIM_TRY(load(x, parsed, err));
    FSIM_TRY(refuse_failures(x->live.policies[0].scenario, err));
    FSIM_TRY(get_laws(x, &limits, err));
    measure_functions(x, x->live.policies[0].scenario);
    FSIM_TRY(run_all(x, &limits, err));
    return tell(x, err);
}

static fsim_status run_exec(const fsim_parsed *parsed, fsim_error *err) {
    exec_run x = {.values = parsed->values};
    fsim_status status = execute(&x, parsed, err);
    fsim_live_driver_end(&x.driver);
    fsim_stall_watch_destroy(&x.watch);
    fsim_live_stalls_destroy(&x.stalls);
    fsim_runs_destroy(&x.live);
    fsim_runs_destroy(&x.predicted);
    fsim_runs_destroy(&x.disturbed);
    fsim_live_laws_destroy(&x.laws);
    return status;
}

const fsim_command fsim_command_exec = {
    .name = "exec",
    .summary = "replay a workload for real on Wasm instances, beside its prediction",
    .arguments = "WORKLOAD",
    .detail =
        "Every request calls the module in an instance of its own process, started, kept, limited and "
        "removed by the\n"
        "policies that a simulation runs, in real time. Durations in the workload play no part. Starts "
        "and calls are\n"
        "measured before and after, unless --profile has them; from those the same run is simulated, on "
        "a node with this\n"
        "machine's cores, and the summary shows both. A core of a virtual machine stands still while its "
        "host "
        "runs somebody else:\n"
        "fsim watches for that, and a second prediction shows what it explains, with those cores away "
        "at those instants.\n"
        "The first is the prediction proper. Ctrl-C ends the run with the results so far.\n",
    .examples = "fsim exec workloads/hello.csv --module workloads/wasm/cpu.wasm --policy lambda\n"
                "fsim exec car-log -m workloads/wasm/empty.wasm -p knative --speed-up 1000 --until 1d",
    .options = options,
    .values_size = sizeof(exec_values),
    .words_min = 1,
    .words_max = 1,
    .run = run_exec,
};
