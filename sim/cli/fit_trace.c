/* Fitting a trace; see fit_trace.h. */
#include "cli/fit_trace.h"

#include "base/text.h"
#include "cli/interrupt.h"
#include "cli/trace_input.h"
#include "cli/workload_words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Functions as the fit numbers them: 0 is a row without a name. */
static fsim_status number_functions(const fsim_fst_rows *rows, uint32_t **fn, uint32_t *capacity,
                                    fsim_error *err) {
    if (rows->count > *capacity) {
        uint32_t *larger = realloc(*fn, rows->count * sizeof *larger);
        if (larger == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        *fn = larger;
        *capacity = rows->count;
    }
    for (uint32_t i = 0; i < rows->count; i++) {
        bool named = rows->fn != NULL && rows->fn[i] != FSIM_FST_NO_FUNCTION;
        (*fn)[i] = named ? rows->fn[i] + 1u : 0;
    }
    return FSIM_OK;
}

static fsim_status read_rows(fsim_trace_input *in, fsim_fit *fit, bool again, fsim_error *err) {
    fsim_fst_rows rows;
    uint32_t *fn = NULL, capacity = 0;
    fsim_status status;
    do {
        status = fsim_trace_input_next(in, &rows, err);
        if (status == FSIM_OK) {
            status = number_functions(&rows, &fn, &capacity, err);
        }
        if (status == FSIM_OK && again) {
            fsim_fit_add_gaps(fit, rows.count, rows.arrival_ns, fn);
        } else if (status == FSIM_OK) {
            status =
                fsim_fit_add(fit, rows.count, rows.arrival_ns, fn, rows.duration_ns, rows.memory_mb, err);
        }
        if (status == FSIM_OK && fsim_interrupt_seen()) {
            status = fsim_fail(err, FSIM_EIO, "interrupted");
        }
    } while (status == FSIM_OK && rows.count > 0);
    free(fn);
    return status;
}

static fsim_status read_trace(const fsim_load_options *load, fsim_fit *fit, bool again, fsim_error *err) {
    fsim_trace_input *in = NULL;
    FSIM_TRY(fsim_trace_input_open(&in, load, false, err));
    fsim_status status = read_rows(in, fit, again, err);
    fsim_trace_input_close(in);
    return status;
}

static void write_stratum(FILE *out, const fsim_fit_stratum *s) {
    fprintf(out, "    {\"requests\": %.6g, \"cv\": %.6g", s->requests, s->cv);
    if (s->usual > 0) {
        fprintf(out, ", \"usual\": %.6g", s->usual);
    }
    fputs(s->daily ? "" : ", \"daily\": false", out);
    if (s->memory_mb > 0) {
        fprintf(out, ", \"memory_mb\": %lld", (long long)s->memory_mb);
    }
    for (uint32_t k = 0; s->has_durations && k < FSIM_KNOTS; k++) {
        fprintf(out, "%s%.9g", k == 0 ? ", \"duration_s\": [" : ", ", s->duration_s[k]);
    }
    if (s->has_durations) {
        fprintf(out, "], \"duration_mean_s\": %.9g", s->duration_mean_s);
    }
    fputs("}", out);
}

static void write_model(FILE *out, const fsim_fit_model *model) {
    char until[64];
    fsim_text_print_span(model->until_ns, until, sizeof until);
    fprintf(
        out,
        "{\"schema\": \"fsim.scenario/1\", \"name\": \"fitted\",\n \"workload\": {\"source\": \"population\","
        " \"functions\": %u, \"rate\": %.9g, \"until\": \"%s\",\n  \"profile\": [",
        model->functions, model->rate, until);
    for (uint32_t h = 0; h < FSIM_FIT_HOURS; h++) {
        fprintf(out, "%s%.6g", h == 0 ? "" : ", ", model->profile[h]);
    }
    fputs("],\n  \"strata\": [\n", out);
    for (uint32_t k = 0; k < model->strata; k++) {
        write_stratum(out, &model->stratum[k]);
        fputs(k + 1 < model->strata ? ",\n" : "]}}\n", out);
    }
}

static fsim_status spell_model(fsim_fit *fit, char **json, fsim_error *err) {
    size_t size = 0;
    fsim_fit_model *model = malloc(sizeof *model);
    FILE *out = open_memstream(json, &size);
    fsim_status status = FSIM_ELIMIT;
    if (model != NULL && out != NULL) {
        status = fsim_fit_make_model(fit, model, err);
        write_model(out, model);
    }
    if (out != NULL && fclose(out) != 0) {
        status = FSIM_ELIMIT;
    }
    free(model);
    return status == FSIM_OK ? FSIM_OK : fsim_fail(err, FSIM_ELIMIT, "out of memory");
}

fsim_status fsim_fit_trace(const char *trace, const fsim_load_options *how, fsim_fit **out, char **json,
                           fsim_error *err) {
    fsim_load_options load = *how;
    *json = NULL;
    FSIM_TRY(fsim_workload_keep(&trace, err)); /* it is read twice */
    FSIM_TRY(fsim_workload_words(&load, &trace, 1, true, err));
    fsim_fit *fit = fsim_fit_create(1);
    if (fit == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_status status = read_trace(&load, fit, false, err);
    if (status == FSIM_OK) {
        status = fsim_fit_settle(fit, err);
    }
    if (status == FSIM_OK) {
        status = read_trace(&load, fit, true, err);
    }
    if (status == FSIM_OK) {
        status = spell_model(fit, json, err);
    }
    if (status != FSIM_OK) {
        fsim_fit_destroy(fit);
        free(*json);
        *json = NULL;
        return status;
    }
    *out = fit;
    return FSIM_OK;
}

fsim_status fsim_fit_arrivals(fsim_fit *fit, const fsim_arrivals *batch, fsim_error *err) {
    return fsim_fit_add(fit, batch->count, batch->at_ns, batch->fn, batch->service_ns, NULL, err);
}

static void print_row(FILE *out, const char *name, double a, double b) {
    fprintf(out, "%-28s %14.4g %14.4g\n", name, a, b);
}

fsim_status fsim_fit_report(FILE *out, const fsim_fit *trace, const fsim_fit *generated, fsim_error *err) {
    static const char *const cv_names[4] = {"variation of gaps, p25", "  p50", "  p75", "  p90"};
    static const char *const duration_names[4] = {"duration s, mean", "  p50", "  p90", "  p99"};
    fsim_fit_summary a, b;
    double distance;
    FSIM_TRY(fsim_fit_summarise(trace, &a, err));
    FSIM_TRY(fsim_fit_summarise(generated, &b, err));
    FSIM_TRY(fsim_fit_distance(trace, generated, &distance, err));
    fprintf(out, "%-28s %14s %14s\n", "", "trace", "generated");
    fprintf(out, "%-28s %14u %14u\n", "functions called", a.functions, b.functions);
    fprintf(out, "%-28s %14llu %14llu\n", "requests", (unsigned long long)a.requests,
            (unsigned long long)b.requests);
    print_row(out, "last arrival s", a.span_s, b.span_s);
    fprintf(out, "%-28s %14llu %14llu\n", "peak in a minute", (unsigned long long)a.peak_per_min,
            (unsigned long long)b.peak_per_min);
    print_row(out, "functions below one a minute", a.share_below_1_per_min, b.share_below_1_per_min);
    for (int k = 0; k < 4; k++) {
        print_row(out, cv_names[k], a.iat_cv[k], b.iat_cv[k]);
    }
    for (int k = 0; k < 4 && a.durations > 0; k++) {
        print_row(out, duration_names[k], a.duration_s[k], b.duration_s[k]);
    }
    fprintf(out, "Wasserstein distance of log10(requests of a function): %.4f\n", distance);
    return FSIM_OK;
}
