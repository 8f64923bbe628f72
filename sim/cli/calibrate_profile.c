/* A calibration as a profile, as a table, and as a picture. */
#include "calibrate/fit.h"
#include "cli/calibration.h"
#include "io/file.h"
#include "io/scenario_parts.h"
#include "report/plot.h"
#include "report/plot_text.h"
#include "report/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { QUANTILES = 200 };

static const char *const phase_names[FSIM_WASM_PHASE_COUNT] = {"read", "parse", "validate", "instantiate",
                                                               "first_call"};

/* ---- the profile ---- */

static double *sorted(const fsim_samples *s) {
    double *x = malloc((s->n + 1) * sizeof *x);
    if (x != NULL && s->n > 0) {
        memcpy(x, s->x, s->n * sizeof *x);
        fsim_sample_sort(x, s->n);
    }
    return x;
}

/* {n, p50_s, p90_s, p99_s}; null where nothing was measured. */
static json_t *summary(const fsim_samples *s) {
    double *x = sorted(s);
    json_t *o = x == NULL || s->n == 0 ? json_null()
                                       : json_pack("{s:I, s:f, s:f, s:f}", "n", (json_int_t)s->n, "p50_s",
                                                   fsim_sample_quantile(x, s->n, 0.5), "p90_s",
                                                   fsim_sample_quantile(x, s->n, 0.9), "p99_s",
                                                   fsim_sample_quantile(x, s->n, 0.99));
    free(x);
    return o;
}

static double median(const fsim_samples *s) {
    double *x = sorted(s);
    double m = x == NULL || s->n == 0 ? 0 : fsim_sample_quantile(x, s->n, 0.5);
    free(x);
    return m;
}

static json_t *phases(const fsim_samples p[FSIM_WASM_PHASE_COUNT], const fsim_samples *compile) {
    json_t *o = json_object();
    for (int i = 0; i < FSIM_WASM_PHASE_COUNT; i++) {
        if (i == FSIM_WASM_PHASE_INSTANTIATE && compile != NULL) {
            json_object_set_new(o, "compile", summary(compile));
        }
        json_object_set_new(o, phase_names[i], summary(&p[i]));
    }
    return o;
}

static json_t *span_text(double seconds) {
    char text[48];
    snprintf(text, sizeof text, "%.3fus", seconds * 1e6);
    return json_string(text);
}

/* As a scenario reads it: {dist, parameters}; lengths as spans. */
static json_t *fit_json(const fsim_fit *f, size_t n) {
    json_t *parameters = json_object();
    const char *a = fsim_fit_parameter_name(f->law, 0), *b = fsim_fit_parameter_name(f->law, 1);
    switch (f->law) {
    case FSIM_FIT_LOGNORMAL:
        json_object_set_new(parameters, a, json_real(f->a));
        json_object_set_new(parameters, b, json_real(f->b));
        break;
    case FSIM_FIT_GAMMA:
    case FSIM_FIT_WEIBULL:
        json_object_set_new(parameters, a, json_real(f->a));
        json_object_set_new(parameters, b, span_text(f->b));
        break;
    case FSIM_FIT_SHIFTED_EXPONENTIAL:
    case FSIM_FIT_LAWS:
    default:
        json_object_set_new(parameters, a, span_text(f->a));
        json_object_set_new(parameters, "of",
                            json_pack("{s:s, s:o}", "dist", "exponential", "mean", span_text(f->b)));
    }
    return json_pack("{s:s, s:o, s:f, s:f, s:I}", "dist", fsim_fit_law_name(f->law), "parameters", parameters,
                     "ks", f->ks, "aic", f->aic, "n", (json_int_t)n);
}

/* The law of the smallest AIC, the others under "others"; null where none can be fitted. */
static json_t *fits(const fsim_samples *s) {
    fsim_fit all[FSIM_FIT_LAWS];
    size_t count = 0;
    double *x = sorted(s);
    json_t *best = NULL;
    if (x != NULL && s->n > 1 && fsim_fit_all(x, s->n, all, &count, NULL) == FSIM_OK && count > 0) {
        json_t *others = json_array();
        best = fit_json(&all[0], s->n);
        for (size_t i = 1; i < count; i++) {
            json_array_append_new(others, fit_json(&all[i], s->n));
        }
        json_object_set_new(best, "others", others);
    }
    free(x);
    return best != NULL ? best : json_null();
}

/* {values}: of equal weight, ascending, those at p = (i + 1/2) / 200; what an empirical distribution reads.
 */
static json_t *quantiles(const fsim_samples *s) {
    double *x = sorted(s);
    json_t *values = json_array();
    for (int i = 0; x != NULL && s->n > 0 && i < QUANTILES; i++) {
        json_array_append_new(values, span_text(fsim_sample_quantile(x, s->n, (i + 0.5) / QUANTILES)));
    }
    free(x);
    return json_pack("{s:o}", "values", values);
}

static json_t *raw(const fsim_samples *s) {
    json_t *a = json_array();
    for (size_t i = 0; i < s->n; i++) {
        json_array_append_new(a, json_real(s->x[i]));
    }
    return a;
}

static json_t *warm_call(const fsim_calibration *c) {
    json_t *o = summary(&c->call);
    bool counted = c->instructions.n > 0;
    json_object_set_new(o, "cpu_s", json_real(median(&c->cpu)));
    json_object_set_new(o, "instructions",
                        counted ? json_integer((json_int_t)median(&c->instructions)) : json_null());
    json_object_set_new(o, "instructions_by",
                        !counted             ? json_null()
                        : c->counted_by == 1 ? json_string("runtime")
                                             : json_string("hardware"));
    json_object_set_new(o, "output_bytes", json_integer((json_int_t)c->output_bytes));
    return o;
}

static json_t *memory(const fsim_calibration *c) {
    json_t *rows = json_array();
    for (uint32_t i = 0; i < c->memory_steps; i++) {
        json_array_append_new(rows, json_pack("{s:I, s:I}", "instances", (json_int_t)c->memory[i].instances,
                                              "bytes_each", (json_int_t)c->memory[i].bytes_each));
    }
    return rows;
}

static json_t *concurrency(const fsim_calibration *c) {
    json_t *rows = json_array();
    for (int i = 0; i < FSIM_PARALLEL_STEPS; i++) {
        json_t *row = summary(&c->parallel[i].span);
        json_object_set_new(row, "parallel", json_integer(c->parallel[i].calls));
        json_object_set_new(row, "calls_per_s", json_real(c->parallel[i].calls_per_s));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *density(const fsim_calibration *c) {
    double each = c->memory_steps > 0 ? c->memory[c->memory_steps - 1].bytes_each : 0;
    return json_pack("{s:I, s:s, s:I}", "instances", (json_int_t)c->density, "limited_by", c->limited_by,
                     "room_for", (json_int_t)(each > 0 ? c->available_bytes / each : 0));
}

json_t *fsim_calibration_json(const fsim_calibration *c) {
    json_t *starts = json_pack("{s:o, s:o, s:o, s:o, s:o}", "in_process", summary(&c->in_process), "zygote",
                               summary(&c->zygote), "zygote_ready", summary(&c->ready), "process",
                               summary(&c->process), "native_process", summary(&c->native));
    json_t *profile = json_pack(
        "{s:s, s:{s:s, s:I, s:I}, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "schema", "fsim.profile/1",
        "module", "sha256", c->sha256, "bytes", (json_int_t)c->module_bytes, "compiled_bytes",
        (json_int_t)c->compiled_bytes, "backend", fsim_backend_names[c->backend], "runtime", c->runtime,
        "machine_class", c->machine_class, "phases", phases(c->warm_cache, &c->compile), "phases_cold_cache",
        phases(c->cold_cache, NULL), "starts", starts, "warm_call", warm_call(c), "dispatch",
        summary(&c->dispatch), "dispatched_call", summary(&c->service));
    json_object_set_new(profile, "compiled_over_interpreted",
                        c->speedup > 0 ? json_real(c->speedup) : json_null());
    json_object_set_new(profile, "memory", memory(c));
    json_object_set_new(profile, "density", density(c));
    json_object_set_new(profile, "concurrency", concurrency(c));
    json_object_set_new(profile, "fit",
                        json_pack("{s:o, s:o}", "cold_start", fits(&c->ready), "service", fits(&c->service)));
    json_object_set_new(profile, "quantiles",
                        json_pack("{s:o, s:o, s:o}", "cold_start", quantiles(&c->ready), "service",
                                  quantiles(&c->service), "dispatch", quantiles(&c->dispatch)));
    json_object_set_new(profile, "samples",
                        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "cold_start", raw(&c->ready),
                                  "service", raw(&c->service), "warm_call", raw(&c->call), "in_process",
                                  raw(&c->in_process), "zygote", raw(&c->zygote), "process", raw(&c->process),
                                  "native_process", raw(&c->native)));
    return profile;
}

/* ---- the table ---- */

static void add_span(fsim_table *t, double seconds) {
    fsim_table_add(t,
                   seconds < 1e-4  ? "%.1f us"
                   : seconds < 0.1 ? "%.2f ms"
                                   : "%.2f s",
                   seconds * (seconds < 1e-4  ? 1e6
                              : seconds < 0.1 ? 1e3
                                              : 1));
}

static void add_row(fsim_table *t, const char *name, const json_t *s) {
    if (!json_is_object(s)) {
        return;
    }
    fsim_table_add(t, "%s", name);
    fsim_table_add(t, "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(s, "n")));
    add_span(t, json_number_value(json_object_get(s, "p50_s")));
    add_span(t, json_number_value(json_object_get(s, "p90_s")));
    add_span(t, json_number_value(json_object_get(s, "p99_s")));
}

static void print_spans(const fsim_calibration *c, const json_t *profile, FILE *out) {
    static const char *const starts[][2] = {{"in_process", "start inside a warm process"},
                                            {"zygote", "start from the zygote, with first call"},
                                            {"zygote_ready", "  until ready (cold_start)"},
                                            {"process", "start of a new process"},
                                            {"native_process", "a native program, for comparison"}};
    fsim_table *t = fsim_table_create(5, 1);
    static const char *const head[] = {"", "n", "p50", "p90", "p99"};
    for (size_t i = 0; i < 5; i++) {
        fsim_table_add(t, "%s", head[i]);
    }
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(profile, "phases"), name, value) {
        add_row(t, name, value);
    }
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        add_row(t, starts[i][1], json_object_get(json_object_get(profile, "starts"), starts[i][0]));
    }
    add_row(t, "warm call, inside the instance", json_object_get(profile, "warm_call"));
    add_row(t, "from due to sent (dispatch)", json_object_get(profile, "dispatch"));
    add_row(t, "warm call, dispatched (service)", json_object_get(profile, "dispatched_call"));
    for (int i = 1; i < FSIM_PARALLEL_STEPS; i++) {
        char text[64];
        snprintf(text, sizeof text, "  %u at a time, %.0f calls/s", c->parallel[i].calls,
                 c->parallel[i].calls_per_s);
        add_row(t, text, json_array_get(json_object_get(profile, "concurrency"), (size_t)i));
    }
    fsim_table_print(t, FSIM_TABLE_TEXT, 0, out);
    fsim_table_destroy(t);
}

static void print_fit(const json_t *profile, const char *what, FILE *out) {
    const json_t *fit = json_object_get(json_object_get(profile, "fit"), what);
    if (json_is_object(fit)) {
        char *parameters = json_dumps(json_object_get(fit, "parameters"), JSON_REAL_PRECISION(6));
        double ks = json_number_value(json_object_get(fit, "ks"));
        fprintf(out, "fit of %s: %s %s, Kolmogorov-Smirnov distance %.3f%s\n", what,
                json_string_value(json_object_get(fit, "dist")), parameters != NULL ? parameters : "", ks,
                ks > FSIM_PROFILE_KS_MAX ? ": far off, the quantiles stand for it" : "");
        free(parameters);
    } else {
        fprintf(out, "fit of %s: none; the quantiles stand for it\n", what);
    }
}

void fsim_calibration_print(const fsim_calibration *c, const json_t *profile, FILE *out) {
    fprintf(out, "module   %.16s..., %llu bytes, compiled %llu bytes\nruntime  %s\nmachine  %s\n", c->sha256,
            (unsigned long long)c->module_bytes, (unsigned long long)c->compiled_bytes, c->runtime,
            c->machine_class);
    if (c->speedup > 0) {
        fprintf(out, "compiled code is in force: %.0f times as fast as the interpreter\n", c->speedup);
    }
    fputc('\n', out);
    print_spans(c, profile, out);
    fputc('\n', out);
    fprintf(out, "a call takes %.1f us of CPU", median(&c->cpu) * 1e6);
    if (c->instructions.n > 0) {
        fprintf(out, " and %.0f %s", median(&c->instructions),
                c->counted_by == 1 ? "Wasm instructions (counted by the runtime)" : "machine instructions");
    } else {
        fputs("; nothing here can count its instructions", out);
    }
    fputc('\n', out);
    for (uint32_t i = 0; i < c->memory_steps; i++) {
        fprintf(out, "memory of an instance: %.0f KiB with %u live\n", c->memory[i].bytes_each / 1024,
                c->memory[i].instances);
    }
    fprintf(out, "density: %u live at once, limited by: %s\n", c->density, c->limited_by);
    print_fit(profile, "cold_start", out);
    print_fit(profile, "service", out);
}

/* ---- the picture ---- */

static void write_curve(FILE *script, const char *block, const fsim_samples *s) {
    fsim_fit all[FSIM_FIT_LAWS];
    size_t count = 0;
    double *x = sorted(s);
    bool fitted = x != NULL && s->n > 1 && fsim_fit_all(x, s->n, all, &count, NULL) == FSIM_OK;
    fprintf(script, "$%s << EOD\n", block);
    for (size_t i = 0; x != NULL && i < s->n; i++) {
        fprintf(script, "%.9g %.9g %.9g\n", x[i], ((double)i + 0.5) / (double)s->n,
                fitted ? fsim_fit_cdf(&all[0], x[i]) : 0.0);
    }
    fputs("EOD\n", script);
    free(x);
}

static void write_script(FILE *script, const fsim_calibration *c, const char *name) {
    static const char *const terminals[2][2] = {
        {"svg",
         "svg noenhanced size 1080,540 font 'Helvetica,Arial,sans-serif,14' background rgb 'white' dynamic"},
        {"png", "pngcairo noenhanced size 1080,540 font 'Sans,11' background rgb 'white'"}};
    double low = 1, high = 0;
    write_curve(script, "cold", &c->ready);
    write_curve(script, "service", &c->service);
    const fsim_samples *both[] = {&c->ready, &c->service};
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < both[k]->n; i++) {
            low = both[k]->x[i] < low ? both[k]->x[i] : low;
            high = both[k]->x[i] > high ? both[k]->x[i] : high;
        }
    }
    for (int i = 0; i < 2; i++) {
        char file[512];
        snprintf(file, sizeof file, "%.480s.%s", name, terminals[i][0]);
        fprintf(script, "reset\nset encoding utf8\nset terminal %s\nset output ", terminals[i][1]);
        fsim_plot_quote(script, file);
        fputc('\n', script);
        fsim_plot_frame(script);
        fputs("set key bottom right inside\nset title 'Measured and fitted'\nset ylabel 'share of all'\n",
              script);
        fsim_plot_latency_axis(script, low, high);
        fprintf(script,
                "set yrange [0:1]\n"
                "plot $cold using 1:2 with steps linewidth 3 linecolor rgb '%s' title 'cold start', "
                "$cold using 1:3 with lines dashtype 2 linecolor rgb '%s' title 'its fit', "
                "$service using 1:2 with steps linewidth 3 linecolor rgb '%s' title 'warm call', "
                "$service using 1:3 with lines dashtype 2 linecolor rgb '%s' title 'its fit'\nset output\n",
                FSIM_PLOT_BLUE, FSIM_PLOT_BLUE, FSIM_PLOT_ORANGE, FSIM_PLOT_ORANGE);
    }
}

fsim_status fsim_calibration_plot(const fsim_calibration *c, const char *profile_path, fsim_error *err) {
    char folder[FSIM_PATH_MAX], name[512];
    fsim_file_directory(profile_path, folder, sizeof folder);
    const char *base = strrchr(profile_path, '/') != NULL ? strrchr(profile_path, '/') + 1 : profile_path;
    size_t length = strlen(base);
    length -= length > 5 && strcmp(base + length - 5, ".json") == 0 ? 5 : 0;
    snprintf(name, sizeof name, "%.*s", (int)length, base);
    FILE *script = tmpfile();
    if (script == NULL) {
        return fsim_fail(err, FSIM_EIO, "cannot write a temporary file: %s", strerror(errno));
    }
    write_script(script, c, name);
    fsim_status status = fsim_plot_gnuplot(folder, script, err);
    fclose(script);
    return status;
}
