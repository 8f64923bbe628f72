/* The picture of several workloads under several policies: a column for each workload, a line for each policy
 * with its instances over time, busy ones in front of all, at one scale within the column. */
#include "io/file.h"
#include "report/figures.h"
#include "report/gallery.h"
#include "report/plot.h"
#include "report/plot_data.h"
#include "report/plot_text.h"
#include "report/results_folder.h"
#include "report/summary_path_json.h"

#include <math.h>
#include <stdlib.h>

#define LINE_HEIGHT 0.85 /* of the distance between lines, at the largest number of instances */

enum { TIME, BUSY, INSTANCES };
static const char *const columns[] = {"time_s", "busy", "instances", NULL};

typedef struct gallery {
    json_t *const *summaries;
    uint32_t workloads, policies;
    fsim_plot_data *series; /* as summaries */
} gallery;

static fsim_status read_series(gallery *g, const char *folder, fsim_error *err) {
    for (uint32_t w = 0; w < g->workloads; w++) {
        json_t *const *summaries = &g->summaries[w * g->policies];
        for (uint32_t p = 0; p < g->policies; p++) {
            char name[128], path[FSIM_PATH_MAX];
            fsim_results_policy_folder(summaries, p, name, sizeof name);
            if (g->policies == 1) {
                name[0] = '\0'; /* results of one policy stand in the folder itself */
            }
            snprintf(path, sizeof path, "%.2000s/%.1000s/%s", folder, fsim_summary_text(summaries[p], "name"),
                     name);
            fsim_plot_data *series = &g->series[w * g->policies + p];
            FSIM_TRY(fsim_plot_read(series, path, "timeseries.csv", columns, err));
            fsim_plot_coarsen(series);
        }
    }
    return FSIM_OK;
}

static double largest(const gallery *g, uint32_t w) {
    double most = 0;
    for (uint32_t p = 0; p < g->policies; p++) {
        const fsim_plot_data *d = &g->series[w * g->policies + p];
        for (size_t row = 0; row < d->rows; row++) {
            double value = d->value[row * d->columns + INSTANCES];
            most = value > most ? value : most;
        }
    }
    return most > 0 ? most : 1;
}

/* The time that all policies of the column have in common: one that is overrun works off its backlog for long
 * after the last arrival, and would shrink the others. */
static double end_of(const gallery *g, uint32_t w) {
    double end = INFINITY;
    for (uint32_t p = 0; p < g->policies; p++) {
        const fsim_plot_data *d = &g->series[w * g->policies + p];
        double last = d->rows == 0 ? 0 : d->value[(d->rows - 1) * d->columns + TIME];
        end = last < end ? last : end;
    }
    return end;
}

/* Each row of a series is its two corners; heights are instances at the scale of the column, on top of the
 * policy's line. The first policy is the topmost. */
static void write_series(FILE *out, const gallery *g, uint32_t w) {
    double unit, scale = LINE_HEIGHT / largest(g, w);
    (void)fsim_plot_time_unit(end_of(g, w), &unit);
    for (uint32_t p = 0; p < g->policies; p++) {
        const fsim_plot_data *d = &g->series[w * g->policies + p];
        double base = g->policies - 1.0 - p, before = fsim_plot_begin(d);
        fprintf(out, "$w%up%u << EOD\n", w, p);
        for (size_t row = 0; row < d->rows; row++) {
            const double *cell = &d->value[row * d->columns];
            for (int corner = 0; corner < 2; corner++) {
                fprintf(out, "%.7g %.5g %.5g\n", (corner == 0 ? before : cell[TIME]) / unit,
                        base + cell[INSTANCES] * scale, base + cell[BUSY] * scale);
            }
            before = cell[TIME];
        }
        fprintf(out, d->rows == 0 ? "0 %g %g\nEOD\n" : "EOD\n", base, base);
    }
}

static void label_lines(FILE *out, const gallery *g, uint32_t w) {
    for (uint32_t p = 0; p < g->policies; p++) {
        const json_t *s = g->summaries[w * g->policies + p];
        char label[256];
        double base = g->policies - 1.0 - p;
        snprintf(label, sizeof label, "%s cold, %s idle",
                 fsim_figure_share(fsim_summary_number(s, "cold.ratio")).text,
                 fsim_figure_real(fsim_summary_number(s, "instances.mean_idle")).text);
        fputs("set label ", out);
        fsim_plot_quote(out, label);
        fprintf(out, " at graph 1.01, first %g left\n", base + 0.3);
    }
}

static void draw_column(FILE *out, const gallery *g, uint32_t w) {
    double unit, end = end_of(g, w);
    const char *unit_name = fsim_plot_time_unit(end, &unit);
    char title[512];
    snprintf(title, sizeof title, "%.200s: instances, %s at most",
             fsim_summary_text(g->summaries[w * g->policies], "name"), fsim_figure_real(largest(g, w)).text);
    fputs("unset label\nset title ", out);
    fsim_plot_quote(out, title);
    fprintf(out,
            "\nset xlabel 'simulated time (%s)'\nset xrange [0:%.6g]\nset yrange [-0.15:%u]\nset ytics (",
            unit_name, end > 0 ? end / unit : 1, g->policies);
    for (uint32_t p = 0; p < g->policies; p++) {
        fputs(p > 0 ? ", " : "", out);
        fsim_plot_quote(out, w == 0 ? fsim_summary_text(g->summaries[p], "policy") : "");
        fprintf(out, " %u", g->policies - 1 - p);
    }
    fputs(")\n", out);
    label_lines(out, g, w);
    for (uint32_t p = 0; p < g->policies; p++) {
        unsigned base = g->policies - 1 - p;
        fprintf(out,
                "%s$w%up%u using 1:2 with filledcurves y1=%u linecolor rgb '#bcd9ea' notitle, \\\n"
                " '' using 1:3 with filledcurves y1=%u linecolor rgb '" FSIM_PLOT_BLUE "' notitle",
                p == 0 ? "plot " : ", \\\n ", w, p, base, base);
    }
    /* What the colours mean, once. */
    fputs(w == 0
              ? ", \\\n keyentry with boxes fillcolor rgb '" FSIM_PLOT_BLUE
                "' title 'busy', \\\n keyentry with boxes fillcolor rgb '#bcd9ea' title 'idle or starting'\n"
              : "\n",
          out);
}

static void draw(FILE *out, const gallery *g) {
    fsim_plot_frame(out);
    fprintf(out,
            "set offsets 0, 0, 0, 0\nset key horizontal at screen 0.99, screen 0.985 right samplen 1\n"
            "set multiplot layout 1,%u\nset tmargin 4\nset bmargin 4\nset lmargin 19\nset rmargin 24\n",
            g->workloads);
    for (uint32_t w = 0; w < g->workloads; w++) {
        draw_column(out, g, w);
        fputs("set lmargin 4\nset rmargin 24\n", out);
    }
    fputs("unset multiplot\n", out);
}

static fsim_status draw_all(const gallery *g, const char *folder, fsim_error *err) {
    FILE *script = tmpfile();
    if (script == NULL) {
        return fsim_fail(err, FSIM_EIO, "cannot write a temporary file");
    }
    for (uint32_t w = 0; w < g->workloads; w++) {
        write_series(script, g, w);
    }
    for (size_t f = 0; f < FSIM_PLOT_FORMATS; f++) {
        fsim_plot_begin_sized(script, f, "gallery", 160 + 560 * (int)g->workloads,
                              140 + 44 * (int)g->policies);
        draw(script, g);
        fputs("set output\n", script);
    }
    fsim_status status = fsim_plot_gnuplot(folder, script, err);
    fclose(script);
    return fsim_plot_settle(folder, "gallery", status, err);
}

fsim_status fsim_gallery_plot(const char *folder, json_t *const *summaries, uint32_t workloads,
                              uint32_t policies, fsim_error *err) {
    gallery g = {.summaries = summaries, .workloads = workloads, .policies = policies};
    size_t count = (size_t)workloads * policies;
    g.series = calloc(count, sizeof *g.series);
    if (g.series == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory while drawing");
    }
    fsim_status status = read_series(&g, folder, err);
    if (status == FSIM_OK) {
        status = draw_all(&g, folder, err);
    }
    for (size_t i = 0; i < count; i++) {
        fsim_plot_forget(&g.series[i]);
    }
    free(g.series);
    return status;
}
