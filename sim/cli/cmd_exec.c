/* fsim exec: the workload in real time, on real Wasm instances, under the engine's own policies and limits;
 * and beside each figure what the simulator predicts of it from a measured profile. */
#include "base/text.h"
#include "cli/calibration.h"
#include "cli/folder.h"
#include "cli/interrupt.h"
#include "cli/live_driver.h"
#include "cli/live_report.h"
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
    const char *module, *profile, *functions, *out, *speed_up;
    int format, cpu_model;
    bool plot, quiet;
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
    fsim_runs live, predicted;
    long cores;
    fsim_dist service, cold_start; /* on the run's clock; a request's service begins when it is due */
    fsim_ns *values_ns[2];         /* of those two */
    double core_share;             /* of a service: it holds a core */
    fsim_live_account account;
    fsim_live_driver driver;
} exec_run;

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

/* ---- the profile: an empirical law of starts and one of calls ---- */

static int compare_ns(const void *a, const void *b) {
    fsim_ns x = *(const fsim_ns *)a, y = *(const fsim_ns *)b;
    return (x > y) - (x < y);
}

static double mean_of(const fsim_ns *values, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)values[i];
    }
    return n == 0 ? 0 : sum / (double)n;
}

/* A law of n measured spans, each `more_ns` longer, on the run's clock. */
static fsim_status set_law(exec_run *x, fsim_dist *out, int which, fsim_ns *values, size_t n, double more_ns,
                           fsim_error *err) {
    x->values_ns[which] = values;
    if (values == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    if (n == 0) {
        return fsim_fail(err, FSIM_EDATA, "nothing was measured");
    }
    for (size_t i = 0; i < n; i++) {
        values[i] = (fsim_ns)(((double)values[i] + more_ns) * x->speed_up);
    }
    qsort(values, n, sizeof(fsim_ns), compare_ns);
    *out = (fsim_dist){.kind = FSIM_DIST_EMPIRICAL, .count = n, .values = values};
    return FSIM_OK;
}

/* A request takes its service, and before that what passes until its call is sent, which needs no core. */
static fsim_status set_laws(exec_run *x, fsim_ns *service, size_t calls, fsim_ns *starts, size_t start_count,
                            double dispatch_ns, fsim_error *err) {
    double service_ns = mean_of(service, calls);
    x->core_share = service_ns > 0 ? service_ns / (service_ns + dispatch_ns) : 1;
    x->values_ns[1] = starts;
    FSIM_TRY(set_law(x, &x->service, 0, service, calls, dispatch_ns, err));
    return set_law(x, &x->cold_start, 1, starts, start_count, 0, err);
}

static fsim_ns *spans_of(const double *seconds, const fsim_ns *spans, size_t n) {
    fsim_ns *values = malloc((n + 1) * sizeof *values);
    for (size_t i = 0; values != NULL && i < n; i++) {
        values[i] = seconds != NULL ? fsim_ns_from_s(seconds[i]) : spans[i];
    }
    return values;
}

static fsim_status read_law(exec_run *x, const char *what, fsim_dist *law, fsim_error *err) {
    char path[FSIM_PATH_MAX];
    fsim_scenario *s = x->predicted.policies[0].scenario;
    fsim_value *object = fsim_value_new(s->pool, FSIM_VALUE_OBJECT, "--profile");
    /* The scenario's files lie beside it, those of the command line where the user is. */
    const char *file = realpath(x->values->profile, path) != NULL ? path : x->values->profile;
    fsim_value_put(s->pool, object, "profile", fsim_value_new_string(s->pool, file, "--profile"));
    fsim_value_put(s->pool, object, "use", fsim_value_new_string(s->pool, "quantiles", "--profile"));
    return fsim_scenario_read_measured(s, object, what, law, err);
}

static fsim_status laws_of_profile(exec_run *x, fsim_error *err) {
    fsim_dist service, starts, dispatch;
    FSIM_TRY(read_law(x, "service", &service, err));
    FSIM_TRY(read_law(x, "cold_start", &starts, err));
    FSIM_TRY(read_law(x, "dispatch", &dispatch, err));
    return set_laws(x, spans_of(NULL, service.values, service.count), service.count,
                    spans_of(NULL, starts.values, starts.count), starts.count,
                    mean_of(dispatch.values, dispatch.count), err);
}

static fsim_status laws_of_calibration(exec_run *x, const fsim_calibration *c, fsim_error *err) {
    fsim_ns *dispatch = spans_of(c->dispatch.x, NULL, c->dispatch.n);
    double dispatch_ns = dispatch != NULL ? mean_of(dispatch, c->dispatch.n) : 0;
    free(dispatch);
    return set_laws(x, spans_of(c->service.x, NULL, c->service.n), c->service.n,
                    spans_of(c->ready.x, NULL, c->ready.n), c->ready.n, dispatch_ns, err);
}

/* Measured here and now, unless a profile is given. */
static fsim_status get_laws(exec_run *x, const fsim_worker_limits *limits, fsim_error *err) {
    fsim_calibration c;
    const fsim_calibration_options how = {.backend = (fsim_backend)x->values->wasm.backend,
                                          .limits = *limits,
                                          .calls = 500,
                                          .starts = 100,
                                          .instances = 1,
                                          .brief = true,
                                          .quiet = x->values->quiet};
    if (x->values->profile != NULL) {
        return laws_of_profile(x, err);
    }
    fsim_status status = fsim_calibrate(&c, x->values->module, &how, err);
    status = status == FSIM_OK ? laws_of_calibration(x, &c, err) : status;
    fsim_calibration_destroy(&c);
    return status;
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
    free(settings);
    return status;
}

/* Every function is the module: what it takes is measured, on one core, and no CPU model slows it down but
 * the cores that all have together. A start needs a core too. */
static void measure_spec(const exec_run *x, fsim_fn_spec *spec) {
    spec->has_service = true;
    spec->service = x->service;
    spec->cold_start = x->cold_start;
    spec->cold_has_phases = spec->cold_total = false;
    spec->cpu_model = FSIM_CPU_NONE;
    spec->cpu_fraction = x->core_share;
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
    uint32_t cores = x->values->cpu_model == 0 ? (uint32_t)x->cores : UINT32_MAX;
    if (!fsim_live_driver_begin(driver, worker, x->speed_up, cores, &ops) ||
        !fsim_progress_begin(&progress, 1, x->values->quiet)) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    driver->progress = &progress;
    driver->horizon_ns = p->scenario->until_ns;
    fsim_interrupt_watch();
    fsim_status status = run_one(p, &ops, err);
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
    return status;
}

static fsim_status run_both(exec_run *x, const fsim_worker_limits *limits, fsim_error *err) {
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
    fsim_policy_run *p = &x->predicted.policies[0];
    if (x->account.interrupted) { /* the prediction is of the same span */
        p->scenario->until_ns = x->live.policies[0].result->end_ns;
    }
    return run_one(p, NULL, err);
}

/* ---- telling ---- */

static fsim_status tell(exec_run *x, fsim_error *err) {
    const fsim_folder_options folder = {x->values->out, x->values->plot, x->values->quiet};
    json_t *summary = x->live.policies[0].summary;
    fsim_output output;
    if (!fsim_live_report_add(summary, x->predicted.policies[0].summary, &x->account)) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
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
    measure_functions(x, x->predicted.policies[0].scenario);
    FSIM_TRY(run_both(x, &limits, err));
    return tell(x, err);
}

static fsim_status run_exec(const fsim_parsed *parsed, fsim_error *err) {
    exec_run x = {.values = parsed->values};
    fsim_status status = execute(&x, parsed, err);
    fsim_live_driver_end(&x.driver);
    fsim_runs_destroy(&x.live);
    fsim_runs_destroy(&x.predicted);
    free(x.values_ns[0]);
    free(x.values_ns[1]);
    return status;
}

const fsim_command fsim_command_exec = {
    .name = "exec",
    .summary = "replay a workload for real on Wasm instances, beside its prediction",
    .arguments = "WORKLOAD",
    .detail = "Every request calls the module in an instance of its own process, started, kept, limited and "
              "removed by the\n"
              "policies that a simulation runs, in real time. Durations in the workload play no part. First "
              "starts and calls are\n"
              "measured, unless --profile has them; from those the same run is simulated, on a node with "
              "this machine's\n"
              "cores, and the summary shows both. Ctrl-C ends the run with the results so far.\n",
    .examples = "fsim exec workloads/hello.csv --module workloads/wasm/cpu.wasm --policy lambda\n"
                "fsim exec car-log -m workloads/wasm/empty.wasm -p knative --speed-up 1000 --until 1d",
    .options = options,
    .values_size = sizeof(exec_values),
    .words_min = 1,
    .words_max = 1,
    .run = run_exec,
};
