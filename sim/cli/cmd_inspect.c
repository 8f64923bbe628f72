/* fsim inspect: what is in a trace. */
#include "api/source_api.h"
#include "base/text.h"
#include "cli/load_options.h"
#include "cli/output.h"
#include "cli/trace_note.h"
#include "cli/workload_words.h"
#include "io/file.h"
#include "report/plot.h"
#include "report/plot_text.h"
#include "report/report.h"
#include "report/summary_flat_json.h"
#include "report/table.h"
#include "trace/inspect.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct inspect_values {
    const char *out;
    int format;
    bool plot, quiet;
} inspect_values;

static const fsim_option options[] = {
    FSIM_OPTION_ROWS_TRACE,
    FSIM_OPTION_ROW_TO,
    FSIM_OPTION_ROW_SEED,
    FSIM_OPTION_ROW_SET,
    FSIM_OPTION_ROW_FORMAT(inspect_values, fsim_report_format_names),
    {.name = "plot",
     .kind = FSIM_OPTION_FLAG,
     .offset = offsetof(inspect_values, plot),
     .help = "draw requests by the hour of the day and of the week (gnuplot)"},
    {.name = "out",
     .letter = 'o',
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(inspect_values, out),
     .operand = "DIR",
     .help = "folder of the picture (default results/<name>)"},
    FSIM_OPTION_ROW_QUIET(inspect_values),
    {.name = NULL},
};

/* ---- looking ---- */

/* What the rows, or the scenario, say of their functions' memory. */
static fsim_status inspect_memory(const fsim_row_inspector *inspector, const fsim_function_table *table,
                                  fsim_inspection *out, fsim_error *err) {
    uint32_t count = fsim_function_table_count(table);
    double *memory_mb = malloc((count + 1u) * sizeof *memory_mb);
    if (memory_mb == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (fsim_fn_id fn = 0; fn < count; fn++) {
        bool given = fsim_function_table_memory_given(table, fn);
        memory_mb[fn] = given ? (double)fsim_function_table_get(table, fn)->memory_mb : 0;
    }
    fsim_row_inspector_memory(inspector, memory_mb, count, out);
    free(memory_mb);
    return FSIM_OK;
}

/* A workload that is no public trace: native CSV, .fst, synthetic ones. Opened as a part, so that open
 * durations stay open. */
static fsim_status inspect_workload(fsim_inspection *out, const fsim_scenario *scenario, fsim_error *err) {
    fsim_workload_parts around = {0};
    const fsim_source_context context = {.seed = scenario->seed,
                                         .path = "workload",
                                         .table = scenario->functions,
                                         .default_fn = scenario->default_fn,
                                         .pool = scenario->pool,
                                         .base_dir = scenario->base_dir,
                                         .around = &around};
    fsim_workload *workload = NULL;
    fsim_row_inspector *inspector = fsim_row_inspector_create();
    fsim_arrivals *batch = malloc(sizeof *batch);
    const fsim_value *config = fsim_value_copy_in_place(scenario->pool, scenario->workload);
    fsim_status status = inspector == NULL || batch == NULL || config == NULL
                             ? fsim_fail(err, FSIM_ELIMIT, "out of memory")
                             : fsim_workload_open(&workload, &context, config, err);
    status = status == FSIM_OK ? fsim_value_check_used(config, NULL, err) : status;
    if (status == FSIM_OK &&
        (fsim_workload_is_endless(workload) || around.closed_count > 0 || around.endless)) {
        status = fsim_value_fail(scenario->workload, err,
                                 "the arrivals never end, or depend on the answers; expected a trace");
    }
    do {
        status = status == FSIM_OK ? fsim_workload_next(workload, batch, err) : status;
        status = status == FSIM_OK ? fsim_row_inspector_add(inspector, batch, err) : status;
    } while (status == FSIM_OK && batch->count > 0);
    if (status == FSIM_OK) {
        const fsim_value *source = fsim_value_peek(scenario->workload, "source");
        status = fsim_row_inspector_finish(inspector, out, err);
        status = status == FSIM_OK ? inspect_memory(inspector, scenario->functions, out, err) : status;
        snprintf(out->format, sizeof out->format, "%s", source->string);
    }
    fsim_workload_close(workload);
    fsim_row_inspector_destroy(inspector);
    free(batch);
    return status;
}

static fsim_status look(fsim_inspection *out, const fsim_scenario *scenario, fsim_error *err) {
    fsim_trace *trace = NULL;
    FSIM_TRY(fsim_workload_load_trace(&trace, scenario->workload, scenario->base_dir, scenario->seed, err));
    fsim_status status = trace == NULL                       ? inspect_workload(out, scenario, err)
                         : fsim_trace_buckets(trace) != NULL ? fsim_inspect_buckets(out, trace, err)
                                                             : fsim_inspect_rows(out, trace, err);
    fsim_trace_close(trace);
    return status;
}

/* ---- showing ---- */

static json_t *number_or_null(double value) {
    return isnan(value) ? json_null() : json_real(value);
}

static json_t *object_of(const double *values, const char *const *names) {
    json_t *object = json_object();
    for (size_t i = 0; names[i] != NULL; i++) {
        json_object_set_new(object, names[i], number_or_null(values[i]));
    }
    return object;
}

static json_t *dropped(const fsim_trace_facts *facts) {
    uint64_t rows = 0, invocations = 0;
    json_t *reasons = json_array();
    for (uint32_t i = 0; i < facts->drop_count; i++) {
        const fsim_trace_drop *d = &facts->drops[i];
        rows += d->rows;
        invocations += d->invocations;
        json_array_append_new(reasons,
                              json_pack("{s:s, s:I, s:I}", "reason", d->reason, "rows", (json_int_t)d->rows,
                                        "invocations", (json_int_t)d->invocations));
    }
    return json_pack("{s:I, s:I, s:o}", "rows", (json_int_t)rows, "invocations", (json_int_t)invocations,
                     "reasons", reasons);
}

static json_t *triggers_of(const fsim_inspection *i) {
    json_t *list = json_array();
    for (uint32_t t = 0; t < i->trigger_count; t++) {
        const fsim_inspect_trigger *trigger = &i->triggers[t];
        json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "trigger", trigger->name, "functions",
                                              (json_int_t)trigger->functions, "invocations",
                                              (json_int_t)trigger->invocations));
    }
    return list;
}

static const char *date_of(int64_t unix_ns, char out[40]) {
    time_t at = (time_t)(unix_ns / FSIM_SECOND);
    struct tm parts;
    strftime(out, 40, "%Y-%m-%d %H:%M:%S", gmtime_r(&at, &parts));
    return out;
}

static json_t *document_of(const fsim_inspection *i) {
    static const char *const iat[] = {"p25", "p50", "p75", "p90", NULL}, *const memory[] = {"p50", "p99",
                                                                                            NULL};
    static const char *const duration[] = {"p50", "p90", "p99", NULL};
    json_t *d = json_pack("{s:s, s:s, s:I, s:I}", "schema", "fsim.inspect/1", "format", i->format,
                          "functions", (json_int_t)i->functions, "invocations", (json_int_t)i->invocations);
    if (i->facts.begins_ns != 0) {
        char begins[40];
        json_object_set_new(d, "begins", json_string(date_of(i->facts.begins_ns, begins)));
    }
    json_object_set_new(d, "span_s", json_real(i->span_s));
    json_object_set_new(d, "mean_per_min", number_or_null(i->mean_per_min));
    json_object_set_new(d, "peak_per_min", number_or_null(i->peak_per_min));
    json_object_set_new(d, "share_below_1_per_min", number_or_null(i->share_below_1_per_min));
    json_object_set_new(d, "share_at_most_1_per_hour", number_or_null(i->share_at_most_1_per_hour));
    json_object_set_new(d, "iat_cv", object_of(i->iat_cv, iat));
    json_t *durations = object_of(i->duration_s, duration);
    json_object_set_new(durations, "mean", number_or_null(i->duration_mean_s));
    json_object_set_new(d, "duration_s", durations);
    json_object_set_new(d, "memory_mb", object_of(i->memory_mb, memory));
    if (i->trigger_count > 0) {
        json_object_set_new(d, "triggers", triggers_of(i));
    }
    json_object_set_new(d, "dropped", dropped(&i->facts));
    return d;
}

static const char *percent(double share, char out[32]) {
    snprintf(out, 32, isnan(share) ? "-" : "%.1f %%", 100 * share);
    return out;
}

static const char *span_of(double seconds, char out[48]) {
    if (isnan(seconds)) {
        snprintf(out, 48, "-");
    } else {
        fsim_text_human_span(seconds, out, 48);
    }
    return out;
}

static void print_memory(FILE *out, const fsim_inspection *i) {
    if (!isnan(i->memory_mb[0])) {
        fprintf(out, "Memory      p50 %.4g MB, p99 %.4g MB\n", i->memory_mb[0], i->memory_mb[1]);
    }
}

#define TRIGGERS_SHOWN 6u

static void print_triggers(FILE *out, const fsim_inspection *i) {
    char functions[32], requests[32];
    for (uint32_t t = 0; t < i->trigger_count && t < TRIGGERS_SHOWN; t++) {
        const fsim_inspect_trigger *trigger = &i->triggers[t];
        fprintf(out, "%-12s%s %s of the functions", t == 0 ? "Triggers" : "", trigger->name,
                percent((double)trigger->functions / (double)i->functions, functions));
        if (i->invocations > 0) {
            fprintf(out, ", %s of the requests",
                    percent((double)trigger->invocations / (double)i->invocations, requests));
        }
        fputc('\n', out);
    }
    if (i->trigger_count > TRIGGERS_SHOWN) {
        fprintf(out, "%-12sand %u more\n", "", i->trigger_count - TRIGGERS_SHOWN);
    }
}

/* The hours that the trace reaches; all of the day where it begins within it. */
static void print_profile(FILE *out, const fsim_inspection *i) {
    double most = 0, all = 0;
    bool all_day = i->span_s >= 86400.0 || i->clock_ns % FSIM_DAY != 0;
    int hours = all_day ? 24 : (int)ceil(i->span_s / 3600.0);
    for (int h = 0; h < hours; h++) {
        most = i->hourly[h] > most ? i->hourly[h] : most;
        all += i->hourly[h];
    }
    for (int h = 0; h < hours && i->span_s > 3600.0 && all > 0; h++) {
        char bar[41];
        int len = (int)(40 * i->hourly[h] / most + 0.5);
        memset(bar, '#', (size_t)len);
        bar[len] = '\0';
        fprintf(out, "%s  %02d %5.1f %%%s%s\n", h == 0 ? "\nHour of the day\n" : "", h,
                100 * i->hourly[h] / all, len > 0 ? " " : "", bar);
    }
}

static void print_text(FILE *out, const fsim_inspection *i) {
    char a[48], b[48], c[48], d[48], functions[40], requests[40], share[32], share2[32];
    fsim_text_grouped((int64_t)i->functions, functions, sizeof functions);
    fsim_text_grouped((int64_t)i->invocations, requests, sizeof requests);
    fprintf(out, "%s: %s requests of %s functions in %s\n\n", i->format, requests, functions,
            span_of(i->span_s, a));
    if (i->facts.begins_ns != 0) {
        fprintf(out, "Begins      %s\n", date_of(i->facts.begins_ns, a));
    }
    if (i->facts.functions_only) {
        fputs("A table of functions: their requests or cold starts are in other files.\n", out);
        print_memory(out, i);
        print_triggers(out, i);
        return;
    }
    fprintf(out, "Requests    %.4g a minute on average, %.6g at most\n", i->mean_per_min, i->peak_per_min);
    fprintf(out, "Functions   %s below one a minute, %s at most one an hour\n",
            percent(i->share_below_1_per_min, share), percent(i->share_at_most_1_per_hour, share2));
    if (!isnan(i->iat_cv[0])) {
        fprintf(out, "Gaps        coefficient of variation p25 %.2g, p50 %.2g, p75 %.2g, p90 %.2g\n",
                i->iat_cv[0], i->iat_cv[1], i->iat_cv[2], i->iat_cv[3]);
    }
    if (!isnan(i->duration_mean_s)) {
        fprintf(out, "Durations   p50 %s, p90 %s, p99 %s, mean %s\n", span_of(i->duration_s[0], a),
                span_of(i->duration_s[1], b), span_of(i->duration_s[2], c), span_of(i->duration_mean_s, d));
    }
    print_memory(out, i);
    print_triggers(out, i);
    if (i->facts.buckets_missing > 0) {
        fprintf(out, "Missing     %llu buckets have no row\n", (unsigned long long)i->facts.buckets_missing);
    }
    if (i->facts.count_differs > 0) {
        fprintf(
            out,
            "Counts      of %llu functions differ from those of the table of durations; the minutes count\n",
            (unsigned long long)i->facts.count_differs);
    }
    print_profile(out, i);
}

/* Figures by their path: "iat_cv.p50"; what is null is empty. Reasons go to stderr. */
static void add_leaves(fsim_table *table, const json_t *object, const char *prefix, bool names, bool values) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        char path[80], text[64];
        snprintf(path, sizeof path, "%s%s", prefix, key);
        if (json_is_object(value)) {
            snprintf(text, sizeof text, "%s.", key);
            add_leaves(table, value, text, names, values);
        } else if (!json_is_array(value)) {
            if (names) {
                fsim_table_add(table, "%s", path);
            }
            if (values) {
                fsim_table_add(table, "%s",
                               fsim_summary_spell(json_is_null(value) ? NULL : value, text, sizeof text));
            }
        }
    }
}

static uint32_t count_leaves(const json_t *object) {
    const char *key;
    json_t *value;
    uint32_t count = 0;
    json_object_foreach((json_t *)object, key, value) {
        count += json_is_object(value) ? count_leaves(value) : !json_is_array(value);
    }
    return count;
}

/* CSV: a row of names and one of figures; Markdown: a line for each. */
static fsim_status print_table(FILE *out, const json_t *document, bool csv, fsim_error *err) {
    fsim_table *table = fsim_table_create(csv ? count_leaves(document) : 2, csv ? 0 : 1);
    if (table != NULL && csv) {
        add_leaves(table, document, "", true, false);
        add_leaves(table, document, "", false, true);
    } else if (table != NULL) {
        fsim_table_add(table, "figure");
        fsim_table_add(table, "value");
        add_leaves(table, document, "", true, true);
    }
    bool ok = table != NULL && fsim_table_print(table, csv ? FSIM_TABLE_CSV : FSIM_TABLE_MARKDOWN, 0, out);
    fsim_table_destroy(table);
    return ok ? FSIM_OK : fsim_fail(err, FSIM_ELIMIT, "out of memory");
}

static fsim_status print(const fsim_inspection *i, fsim_report_format format, fsim_error *err) {
    fsim_output output;
    FSIM_TRY(fsim_output_begin(&output, err));
    json_t *document = document_of(i);
    fsim_status status = FSIM_OK;
    if (format == FSIM_REPORT_TEXT) {
        print_text(output.stream, i);
    } else if (format == FSIM_REPORT_JSON) {
        json_dumpf(document, output.stream, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        fputc('\n', output.stream);
    } else {
        status = print_table(output.stream, document, format == FSIM_REPORT_CSV, err);
    }
    json_decref(document);
    return fsim_output_end(&output, status, err);
}

/* ---- drawing ---- */

typedef struct profile {
    const fsim_inspection *inspection;
    const char *name;
} profile;

static void write_profile(FILE *script, const profile *p) {
    char title[400];
    snprintf(title, sizeof title, "%.200s (%.60s): requests by the hour", p->name, p->inspection->format);
    fputs("$hours << EOD\n", script);
    bool one_day = p->inspection->span_s <= 86400.0;
    for (int h = 0; h < (one_day ? 24 : FSIM_INSPECT_HOURS); h++) {
        fprintf(script, "%d %.9g\n", h, one_day ? p->inspection->hourly[h] : p->inspection->weekly[h]);
    }
    fputs("EOD\n", script);
    fsim_plot_frame(script);
    fputs("set title ", script);
    fsim_plot_quote(script, title);
    fprintf(script, "\nset xlabel '%s'\nset ylabel 'requests an hour'\nset yrange [0:*]\nset xrange [0:%d]\n",
            one_day                               ? "hour of the day"
            : p->inspection->facts.begins_ns != 0 ? "hour of the week from Monday on, all weeks added"
                                                  : "hour of seven days, later weeks added",
            one_day ? 24 : FSIM_INSPECT_HOURS);
    fprintf(script,
            "unset key\nset xtics %d\nplot $hours using 1:2 with fillsteps lc rgb '" FSIM_PLOT_SKY "'\n",
            one_day ? 3 : 24);
}

static fsim_status draw(const fsim_inspection *i, const fsim_scenario *scenario, const inspect_values *values,
                        fsim_error *err) {
    char folder[FSIM_PATH_MAX];
    snprintf(folder, sizeof folder, values->out != NULL ? "%s" : "results/%s",
             values->out != NULL ? values->out : scenario->name);
    const profile p = {i, scenario->name};
    FSIM_TRY(fsim_file_make_directory(folder, err));
    FILE *script = tmpfile();
    if (script == NULL) {
        return fsim_fail(err, FSIM_EIO, "cannot write a temporary file: %s", strerror(errno));
    }
    for (size_t f = 0; f < FSIM_PLOT_FORMATS; f++) {
        fsim_plot_begin_picture(script, f, "profile");
        write_profile(script, &p);
        fputs("set output\n", script);
    }
    fsim_status status = fsim_plot_gnuplot(folder, script, err);
    fclose(script);
    FSIM_TRY(fsim_plot_settle(folder, "profile", status, err));
    if (!values->quiet) {
        fprintf(stderr, "fsim: picture in %s/profile.svg\n", folder);
    }
    return FSIM_OK;
}

static fsim_status run_inspect(const fsim_parsed *parsed, fsim_error *err) {
    const inspect_values *values = parsed->values;
    fsim_load_options load = {.settings = parsed->settings, .setting_count = parsed->setting_count};
    fsim_inspection inspection;
    fsim_scenario *scenario = NULL;
    FSIM_TRY(fsim_workload_words(&load, (const char *const *)parsed->words, parsed->word_count, false, err));
    FSIM_TRY(fsim_scenario_load(&scenario, &load, err));
    fsim_status status = look(&inspection, scenario, err);
    if (status == FSIM_OK && !values->quiet) {
        fsim_trace_note(stderr, &inspection.facts, inspection.invocations);
    }
    status = status == FSIM_OK ? print(&inspection, (fsim_report_format)values->format, err) : status;
    if (status == FSIM_OK && values->plot) {
        status = draw(&inspection, scenario, values, err);
    }
    fsim_scenario_destroy(scenario);
    return status;
}

const fsim_command fsim_command_inspect = {
    .name = "inspect",
    .summary = "what is in a trace: functions, requests, peaks, durations",
    .arguments = "TRACE…",
    .detail = "TRACE is a file, several that belong together, or their folder, of any format that "
              "workloads/README.md\n"
              "lists, packed by gzip or zstd or not. Says what was left out and why. In --format json the "
              "schema is\n"
              "fsim.inspect/1; what a trace does not say is null.\n",
    .examples = "fsim inspect azure2019/ --format json\nfsim inspect access.log.gz --plot\n"
                "fsim inspect series.csv --from 7d --until 14d",
    .options = options,
    .values_size = sizeof(inspect_values),
    .words_min = 1,
    .words_max = FSIM_WORDS_MAX,
    .run = run_inspect,
};
