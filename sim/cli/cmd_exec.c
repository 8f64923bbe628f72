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
    int format;
    bool plot, quiet;
} exec_values;

static const char *const formats[] = {"text", "json", NULL};

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
    fsim_dist service, cold_start; /* on the run's clock */
    fsim_ns *values_ns[2];         /* of those two */
    double cpu_share;              /* of a call */
    fsim_live_account account;
} exec_run;

/* ---- options ---- */

static fsim_status read_options(exec_run *x, fsim_error *err) {
    const exec_values *v = x->values;
    x->speed_up = 1;
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

static fsim_status set_law(exec_run *x, fsim_dist *out, int which, size_t n, fsim_error *err) {
    qsort(x->values_ns[which], n, sizeof(fsim_ns), compare_ns);
    if (n == 0) {
        return fsim_fail(err, FSIM_EDATA, "nothing was measured");
    }
    *out = (fsim_dist){.kind = FSIM_DIST_EMPIRICAL, .count = n, .values = x->values_ns[which]};
    return FSIM_OK;
}

static fsim_status law_of_sample(exec_run *x, const fsim_samples *s, int which, fsim_dist *out,
                                 fsim_error *err) {
    x->values_ns[which] = malloc((s->n + 1) * sizeof(fsim_ns));
    if (x->values_ns[which] == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (size_t i = 0; i < s->n; i++) {
        x->values_ns[which][i] = fsim_ns_from_s(s->x[i] * x->speed_up);
    }
    return set_law(x, out, which, s->n, err);
}

static fsim_status law_of_profile(exec_run *x, fsim_scenario *s, const char *what, int which, fsim_dist *out,
                                  fsim_error *err) {
    fsim_value *object = fsim_value_new(s->pool, FSIM_VALUE_OBJECT, "--profile");
    fsim_dist law;
    fsim_value_put(s->pool, object, "profile",
                   fsim_value_new_string(s->pool, x->values->profile, "--profile"));
    fsim_value_put(s->pool, object, "use", fsim_value_new_string(s->pool, "quantiles", "--profile"));
    FSIM_TRY(fsim_scenario_read_measured(s, object, what, &law, err));
    x->values_ns[which] = malloc((law.count + 1) * sizeof(fsim_ns));
    if (x->values_ns[which] == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (size_t i = 0; i < law.count; i++) {
        x->values_ns[which][i] = (fsim_ns)((double)law.values[i] * x->speed_up);
    }
    return set_law(x, out, which, law.count, err);
}

static double mean_of(const fsim_samples *s) {
    double sum = 0;
    for (size_t i = 0; i < s->n; i++) {
        sum += s->x[i];
    }
    return s->n == 0 ? 0 : sum / (double)s->n;
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
    x->cpu_share = 1;
    if (x->values->profile != NULL) {
        fsim_scenario *s = x->predicted.policies[0].scenario;
        FSIM_TRY(law_of_profile(x, s, "service", 0, &x->service, err));
        return law_of_profile(x, s, "cold_start", 1, &x->cold_start, err);
    }
    fsim_status status = fsim_calibrate(&c, x->values->module, &how, err);
    if (status == FSIM_OK) {
        double span = mean_of(&c.service);
        x->cpu_share = span > 0 ? fmin(1, mean_of(&c.cpu) / span) : 1;
        status = law_of_sample(x, &c.service, 0, &x->service, err);
    }
    if (status == FSIM_OK) {
        status = law_of_sample(x, &c.ready, 1, &x->cold_start, err);
    }
    fsim_calibration_destroy(&c);
    return status;
}

/* ---- the two scenarios ---- */

static fsim_status load(exec_run *x, const fsim_parsed *parsed, fsim_error *err) {
    char cores[24];
    snprintf(cores, sizeof cores, "%ld", sysconf(_SC_NPROCESSORS_ONLN));
    /* All instances share the cores of this machine, and room is no matter here. */
    const fsim_setting machine[] = {{"run.replications", "1", "exec"},
                                    {"platform.nodes.count", "1", "exec"},
                                    {"platform.nodes.vcpu", cores, "exec"},
                                    {"platform.nodes.memory", "1000TB", "exec"},
                                    {"platform.nodes.cpu_model", "ps", "exec"}};
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
 * the cores that are shared. */
static void measure_spec(const exec_run *x, fsim_fn_spec *spec) {
    spec->has_service = true;
    spec->service = x->service;
    spec->cold_start = x->cold_start;
    spec->cold_has_phases = spec->cold_total = false;
    spec->cpu_model = FSIM_CPU_NONE;
    spec->cpu_fraction = x->cpu_share;
    spec->timeout_ns = FSIM_NEVER; /* the limit on a call's time stands for it */
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
    fsim_live_driver driver;
    fsim_progress progress;
    fsim_policy_run *p = &x->live.policies[0];
    fsim_live_driver_begin(&driver, worker, x->speed_up, &ops);
    if (!fsim_progress_begin(&progress, 1, x->values->quiet)) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    driver.progress = &progress;
    driver.horizon_ns = p->scenario->until_ns;
    fsim_interrupt_watch();
    fsim_status status = run_one(p, &ops, err);
    fsim_progress_end(&progress);
    x->account = (fsim_live_account){
        .speed_up = x->speed_up,
        .calls = driver.calls,
        .traps = driver.traps,
        .deaths = driver.deaths,
        .lag_mean_s = driver.due > 0 ? fsim_ns_to_s(driver.lag_sum_ns) / (double)driver.due : 0,
        .lag_max_s = fsim_ns_to_s(driver.lag_max_ns),
        .interrupted = fsim_interrupt_seen()};
    memcpy(x->account.last_failure, driver.last_failure, sizeof x->account.last_failure);
    fsim_live_driver_end(&driver);
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
        status = fsim_report_write(output.stream, FSIM_REPORT_JSON, &summary, 1, err);
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
    FSIM_TRY(get_laws(x, &limits, err));
    measure_functions(x, x->live.policies[0].scenario);
    measure_functions(x, x->predicted.policies[0].scenario);
    FSIM_TRY(run_both(x, &limits, err));
    return tell(x, err);
}

static fsim_status run_exec(const fsim_parsed *parsed, fsim_error *err) {
    exec_run x = {.values = parsed->values};
    fsim_status status = execute(&x, parsed, err);
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
