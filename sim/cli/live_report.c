#include "cli/live_report.h"

#include "base/text.h"
#include "report/summary_flat_json.h"
#include "report/summary_path_json.h"
#include "report/table.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define DISTURBED 0.03 /* of the CPU time: latencies show it */

typedef struct comparison {
    const json_t *predicted, *disturbed;
    json_t *figures;
} comparison;

static json_t *error_of(double measured, double predicted) {
    return predicted != 0  ? json_real((measured - predicted) / predicted)
           : measured == 0 ? json_real(0)
                           : json_null();
}

static void compare(void *user, const char *path, const json_t *value) {
    comparison *c = user;
    const json_t *other = fsim_summary_find(c->predicted, "%s", path);
    double measured, predicted;
    if (!fsim_summary_value(value, &measured) || other == NULL || !fsim_summary_value(other, &predicted) ||
        strcmp(path, "seed") == 0) {
        return;
    }
    double disturbed = 0;
    other = c->disturbed == NULL ? NULL : fsim_summary_find(c->disturbed, "%s", path);
    bool has_other = other != NULL && fsim_summary_value(other, &disturbed);
    json_object_set_new(c->figures, path,
                        json_pack("{s:f, s:f, s:o, s:o, s:o}", "measured", measured, "predicted", predicted,
                                  "error", error_of(measured, predicted), "with_stalls",
                                  has_other ? json_real(disturbed) : json_null(), "error_with_stalls",
                                  has_other ? error_of(measured, disturbed) : json_null()));
}

static const struct {
    const char *key, *name;
} parts[FSIM_LIVE_PARTS] = {[FSIM_LIVE_LATE] = {"late", "arrivals and timers, late"},
                            [FSIM_LIVE_LINE] = {"line", "in line for a core"},
                            [FSIM_LIVE_WAKE] = {"wake", "call to instance"},
                            [FSIM_LIVE_CALL] = {"call", "inside"},
                            [FSIM_LIVE_BACK] = {"back", "answer to fsim"}};

static double quantile_s(const fsim_live_spans *s, double p) {
    return fsim_histogram_quantile(&s->histogram, p, s->min_ns, s->max_ns) / (double)FSIM_SECOND;
}

static double mean_s(const fsim_live_spans *s) {
    return s->n > 0 ? fsim_ns_to_s(s->sum_ns) / (double)s->n : 0;
}

static json_t *path_json(const fsim_live_spans *spans) {
    json_t *o = json_object();
    for (int i = 0; i < FSIM_LIVE_PARTS; i++) {
        const fsim_live_spans *s = &spans[i];
        json_object_set_new(o, parts[i].key,
                            json_pack("{s:f, s:f, s:f, s:f}", "mean", mean_s(s), "p50", quantile_s(s, 0.5),
                                      "p99", quantile_s(s, 0.99), "max", fsim_ns_to_s(s->max_ns)));
    }
    return o;
}

static json_t *stalls_json(const fsim_live_stalls *s) {
    return json_pack("{s:b, s:I, s:f, s:f}", "known", s->known, "count", (json_int_t)s->count, "share",
                     s->share, "longest_s", fsim_ns_to_s(s->longest_ns));
}

bool fsim_live_report_add(json_t *summary, const json_t *predicted, const json_t *disturbed,
                          const fsim_live_account *a) {
    comparison c = {.predicted = predicted, .disturbed = disturbed, .figures = json_object()};
    json_t *live =
        json_pack("{s:s, s:f, s:I, s:I, s:I, s:I, s:s, s:b, s:f, s:f, s:o, s:o}", "runtime", a->runtime,
                  "speed_up", a->speed_up, "calls", (json_int_t)a->calls, "traps", (json_int_t)a->traps,
                  "deaths", (json_int_t)a->deaths, "cut", (json_int_t)a->cut, "last_failure", a->last_failure,
                  "interrupted", a->interrupted, "others", a->others, "stolen", a->stolen, "stalls",
                  stalls_json(a->stalls), "path_s", path_json(a->parts));
    if (c.figures == NULL || live == NULL) {
        json_decref(live);
        json_decref(c.figures);
        return false;
    }
    fsim_summary_leaves(summary, compare, &c);
    return json_object_set_new(summary, "live", live) == 0 &&
           json_object_set_new(summary, "prediction", c.figures) == 0;
}

/* ---- for people ---- */

static const struct {
    const char *path, *name;
    bool span;
} rows[] = {
    {"requests.arrived", "requests arrived", false},
    {"requests.completed", "  completed", false},
    {"requests.rejected_429", "  refused (429)", false},
    {"requests.failed", "  failed", false},
    {"cold.triggered", "cold starts", false},
    {"cold.latency_s.p50", "  latency when cold, p50", true},
    {"latency_s.mean", "latency, mean", true},
    {"latency_s.p50", "  p50", true},
    {"latency_s.p90", "  p90", true},
    {"latency_s.p99", "  p99", true},
    {"latency_s.max", "  max", true},
    {"wait_s.p_wait", "share that waited", false},
    {"service_s.p50", "execution, p50", true},
    {"service_s.p99", "  p99", true},
    {"concurrency.mean", "requests in execution", false},
    {"concurrency.peak", "  peak", false},
    {"instances.mean", "instances", false},
    {"instances.peak", "  peak", false},
    {"instances.started", "  started", false},
};

static void add_value(fsim_table *t, double value, bool span) {
    char text[64];
    if (span) {
        fsim_text_human_span(value, text, sizeof text);
    } else {
        snprintf(text, sizeof text, fabs(value - round(value)) < 1e-9 ? "%.0f" : "%.4g", value);
    }
    fsim_table_add(t, "%s", text);
}

static void add_error(fsim_table *t, const json_t *error) {
    if (json_is_number(error)) {
        fsim_table_add(t, "%+.1f %%", 100 * json_number_value(error));
    } else {
        fsim_table_add(t, "-");
    }
}

/* disturbed: there is a second prediction. */
static void print_figures(const json_t *figures, bool disturbed, FILE *out) {
    static const char *const head[] = {"", "measured", "predicted", "error", "with stalls", "error"};
    uint32_t columns = disturbed ? 6 : 4;
    fsim_table *t = fsim_table_create(columns, 1);
    for (uint32_t i = 0; i < columns; i++) {
        fsim_table_add(t, "%s", head[i]);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const json_t *f = json_object_get(figures, rows[i].path);
        if (f == NULL) {
            continue;
        }
        fsim_table_add(t, "%s", rows[i].name);
        add_value(t, json_number_value(json_object_get(f, "measured")), rows[i].span);
        add_value(t, json_number_value(json_object_get(f, "predicted")), rows[i].span);
        add_error(t, json_object_get(f, "error"));
        if (disturbed) {
            add_value(t, json_number_value(json_object_get(f, "with_stalls")), rows[i].span);
            add_error(t, json_object_get(f, "error_with_stalls"));
        }
    }
    fsim_table_print(t, FSIM_TABLE_TEXT, 0, out);
    fsim_table_destroy(t);
}

/* Where the time of a request went on this machine. */
static void print_path(const fsim_live_spans *spans, FILE *out) {
    static const char *const head[] = {"on this machine", "mean", "p50", "p99", "max"};
    fsim_table *t = fsim_table_create(5, 1);
    for (size_t i = 0; i < 5; i++) {
        fsim_table_add(t, "%s", head[i]);
    }
    for (int i = 0; i < FSIM_LIVE_PARTS; i++) {
        fsim_table_add(t, "%s", parts[i].name);
        add_value(t, mean_s(&spans[i]), true);
        add_value(t, quantile_s(&spans[i], 0.5), true);
        add_value(t, quantile_s(&spans[i], 0.99), true);
        add_value(t, fsim_ns_to_s(spans[i].max_ns), true);
    }
    fsim_table_print(t, FSIM_TABLE_TEXT, 0, out);
    fsim_table_destroy(t);
}

void fsim_live_report_print(const json_t *summary, const fsim_live_account *a, FILE *out) {
    char horizon[64];
    fsim_text_human_span(fsim_summary_number(summary, "horizon_s"), horizon, sizeof horizon);
    fprintf(out, "%s under %s: %s on real instances, %s", fsim_summary_text(summary, "name"),
            fsim_summary_text(summary, "policy"), horizon, a->runtime);
    if (a->speed_up != 1) {
        fprintf(out, "; the run's clock is %g times as fast as the machine's", a->speed_up);
    }
    fprintf(out, "%s\n\n", a->interrupted ? "; interrupted, results so far" : "");
    print_figures(json_object_get(summary, "prediction"), a->disturbed, out);
    fputc('\n', out);
    print_path(a->parts, out);
    if (a->others >= 0) {
        fprintf(out, "\nOther work took %.1f %% of this machine's CPU time, its host %.1f %%%s.\n",
                100 * a->others, 100 * a->stolen,
                a->others + a->stolen > DISTURBED
                    ? ": it was not idle, and the figures are no measure of the prediction"
                    : "");
    }
    if (a->stalls->known) {
        char longest[64];
        fsim_text_human_span(fsim_ns_to_s(a->stalls->longest_ns), longest, sizeof longest);
        fprintf(out, "%sCores stood still %" PRIu32 " times, for %.1f %% of their time, the longest %s%s.\n",
                a->others >= 0 ? "" : "\n", a->stalls->count, 100 * a->stalls->share, longest,
                a->disturbed ? ": \"with stalls\" is the prediction with those cores away at those instants"
                             : "");
    }
    if (a->cut > 0) {
        fprintf(out, "\n%llu calls were cut off by the function's time-out.\n", (unsigned long long)a->cut);
    }
    if (a->traps + a->deaths > 0) {
        fprintf(out, "\n%llu calls trapped and %llu instances died; the last: %s\n",
                (unsigned long long)a->traps, (unsigned long long)a->deaths, a->last_failure);
    }
}
