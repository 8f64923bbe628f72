#include "cli/decide_plot.h"

#include "io/file.h"
#include "report/plot_decisions.h"

#include <stdlib.h>
#include <string.h>

/* Neighbouring decisions become one point: `group` of them. */
typedef struct collector {
    fsim_plot_decision *points;
    uint64_t group, inside; /* rows in the last point */
    size_t count;
    fsim_ns begin_ns;
} collector;

static fsim_status collect(void *user, const fsim_decide_row *row, fsim_error *err) {
    collector *c = user;
    (void)err;
    if (c->count == 0 || c->inside == c->group) {
        c->points[c->count++] = (fsim_plot_decision){.at_s = fsim_ns_to_s(row->at_ns - c->begin_ns)};
        c->inside = 0;
    }
    fsim_plot_decision *p = &c->points[c->count - 1];
    c->inside++;
    for (int i = 0; i < FSIM_INPUTS; i++) {
        p->inputs[i] += (row->inputs[i] - p->inputs[i]) / (double)c->inside;
    }
    p->desired = row->desired > p->desired ? row->desired : p->desired;
    p->ready = row->ready;
    p->mode = row->decision->mode;
    return FSIM_OK;
}

/* The name of a path without its folder and suffix. */
static void stem_of(const char *path, char *out, size_t size) {
    const char *slash = strrchr(path, '/'), *base = slash == NULL ? path : slash + 1;
    const char *point = strrchr(base, '.');
    int len = (int)(point == NULL || point == base ? strlen(base) : (size_t)(point - base));
    snprintf(out, size, "%.*s", len < 200 ? len : 200, base);
}

static fsim_status choose_place(const fsim_decide_setup *setup, const char *policy, const char *out,
                                char *folder, char *stem, size_t size, fsim_error *err) {
    if (out != NULL && strcmp(out, "-") != 0) {
        fsim_file_directory(out, folder, size);
        stem_of(out, stem, size);
        return FSIM_OK;
    }
    char of_series[256], of_policy[256];
    stem_of(setup->series, of_series, sizeof of_series);
    stem_of(policy, of_policy, sizeof of_policy);
    snprintf(folder, size, "results/%s-%s", of_series, of_policy);
    snprintf(stem, size, "decisions");
    return fsim_file_make_directory(folder, err);
}

fsim_status fsim_decide_plot(const fsim_metric_series *series, const fsim_decide_setup *setup, uint64_t rows,
                             const char *policy, const char *title, const char *out, char *where, size_t size,
                             fsim_error *err) {
    char folder[FSIM_PATH_MAX], stem[FSIM_PATH_MAX];
    fsim_scale_plan plan;
    FSIM_TRY(fsim_decide_plan(setup, &plan, err));
    FSIM_TRY(choose_place(setup, policy, out, folder, stem, sizeof folder, err));
    collector c = {.points = calloc(FSIM_PLOT_DECISIONS_MAX, sizeof *c.points),
                   .group = (rows + FSIM_PLOT_DECISIONS_MAX - 1) / FSIM_PLOT_DECISIONS_MAX,
                   .begin_ns = series->at_ns[0]};
    if (c.points == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_status status = fsim_decide(series, setup, collect, &c, err);
    if (status == FSIM_OK) {
        const fsim_plot_decisions what = {
            .title = title, .series = series, .reads = plan.reads, .points = c.points, .count = c.count};
        status = fsim_plot_decisions_draw(folder, stem, &what, err);
    }
    free(c.points);
    snprintf(where, size, "%.2000s/%.1000s.svg", folder, stem);
    return status;
}
