#include "report/plot_breakeven.h"

#include "report/plot.h"
#include "report/plot_text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define STEM        "breakeven"
#define LABEL_WIDTH 0.07 /* of the x axis */

static void write_data(FILE *out, const fsim_plot_breakeven *what) {
    fputs("$costs << EOD\n", out);
    for (size_t p = 0; p < what->points; p++) {
        fprintf(out, "%.9g", 100.0 * (double)p / (double)(what->points - 1));
        for (size_t w = 0; w < what->way_count; w++) {
            fprintf(out, " %.9g", what->cost[p * what->way_count + w]);
        }
        fputc('\n', out);
    }
    fputs("EOD\n$turns << EOD\n", out);
    for (size_t t = 1; t < what->turn_count; t++) {
        fprintf(out, "%.9g %.9g\n", 100.0 * what->turns[t].utilisation, what->turns[t].cost);
    }
    fputs(what->turn_count < 2 ? "-1 0\nEOD\n" : "EOD\n", out);
}

/* Above each meeting its utilisation; those of close neighbours one above the other. */
static void draw_labels(FILE *out, const fsim_plot_breakeven *what) {
    int line = 0;
    for (size_t t = 1; t < what->turn_count; t++) {
        const fsim_plot_turn *turn = &what->turns[t];
        bool close = turn->utilisation - what->turns[t - 1].utilisation < LABEL_WIDTH;
        line = t > 1 && close ? line + 1 : 1;
        fprintf(out, "set label '%.3g %%' at first %.9g, first %.9g center offset 0,%d front\n",
                100.0 * turn->utilisation, 100.0 * turn->utilisation, turn->cost, line);
    }
}

/* A strip below the curves in the colour of what is the cheapest there. */
static void draw_strip(FILE *out, const fsim_plot_breakeven *what) {
    for (size_t t = 0; t < what->turn_count; t++) {
        double end = t + 1 < what->turn_count ? what->turns[t + 1].utilisation : 1.0;
        fprintf(out,
                "set object %zu rectangle from first %.7g, graph 0 to first %.7g, graph 0.02 front fillcolor "
                "rgb '%s' fillstyle solid noborder\n",
                t + 1, 100.0 * what->turns[t].utilisation, 100.0 * end, fsim_plot_colour(what->turns[t].way));
    }
}

static void draw(FILE *out, const fsim_plot_breakeven *what) {
    fsim_plot_frame(out);
    fputs("set key outside bottom center horizontal Left reverse samplen 2 maxrows 8\nset title ", out);
    fsim_plot_quote(out, what->title);
    fprintf(out,
            "\nset xrange [0:100]\nset xlabel 'utilisation of the fleet (%%); the strip: the cheapest' "
            "offset 0,0.4\n"
            "set x2range [0:%.9g]\nset x2tics nomirror out\nset border 7\nset x2label 'requests/s'\n"
            "set ylabel ",
            what->full_rate);
    char label[64];
    snprintf(label, sizeof label, "%.30s a month", what->currency);
    fsim_plot_quote(out, label);
    fputc('\n', out);
    draw_strip(out, what);
    draw_labels(out, what);
    for (size_t w = 0; w < what->way_count; w++) {
        fprintf(out, "%s$costs using 1:%zu with lines linewidth 2.5 linecolor rgb '%s' dashtype %zu title ",
                w == 0 ? "plot " : ", \\\n ", w + 2, fsim_plot_colour(w), 1 + w / 8);
        fsim_plot_quote(out, what->names[w]);
    }
    fputs(", \\\n $turns using 1:2 with points pointtype 7 pointsize 0.9 linecolor rgb '" FSIM_PLOT_BLACK
          "' title 'break-even'\n",
          out);
}

fsim_status fsim_plot_breakeven_draw(const char *folder, const fsim_plot_breakeven *what, fsim_error *err) {
    FILE *script = tmpfile();
    if (script == NULL) {
        return fsim_fail(err, FSIM_EIO, "cannot write a temporary file: %s", strerror(errno));
    }
    write_data(script, what);
    for (size_t f = 0; f < FSIM_PLOT_FORMATS; f++) {
        fsim_plot_begin_picture(script, f, STEM);
        draw(script, what);
        fputs("set output\n", script);
    }
    fsim_status status = fsim_plot_gnuplot(folder, script, err);
    fclose(script);
    return fsim_plot_settle(folder, STEM, status, err);
}
