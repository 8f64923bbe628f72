#include "report/plot_decisions.h"

#include "report/plot.h"
#include "report/plot_text.h"

#include <errno.h>
#include <string.h>

#define MODES_MAX 6

/* Pale enough to lie behind lines. */
static const char *const mode_colours[MODES_MAX] = {"#e8e8e8", "#f7d9c8", "#d3e8f5",
                                                    "#d5ecdf", "#f3dcea", "#fbf3cd"};

typedef struct modes {
    const char *names[MODES_MAX];
    size_t count;
} modes;

/* The first mode is the usual one: nothing is shaded for it. */
static size_t mode_index(modes *m, const char *name) {
    size_t i = 0;
    while (i < m->count && strcmp(m->names[i], name) != 0) {
        i++;
    }
    if (i == m->count && m->count < MODES_MAX) {
        m->names[m->count++] = name;
    }
    return i;
}

/* Does the picture show the input? Ready and replicas have their place below. */
static bool shows(const fsim_plot_decisions *what, int input) {
    bool read = what->reads == 0 || (what->reads & FSIM_INPUT_BIT(input)) != 0 || input == FSIM_INPUT_QUEUE;
    return read && what->series->values[input] != NULL && input != FSIM_INPUT_READY &&
           input != FSIM_INPUT_REPLICAS;
}

static double end_of(const fsim_plot_decisions *what) {
    return what->count == 0 ? 0 : what->points[what->count - 1].at_s;
}

/* time, desired, ready, replicas, then every input. */
static void write_data(FILE *out, const fsim_plot_decisions *what) {
    double unit;
    (void)fsim_plot_time_unit(end_of(what), &unit);
    fputs("$decisions << EOD\n", out);
    for (size_t i = 0; i < what->count; i++) {
        const fsim_plot_decision *p = &what->points[i];
        fprintf(out, "%.7g %.7g %.7g", p->at_s / unit, p->desired, p->ready);
        for (int k = 0; k < FSIM_INPUTS; k++) {
            fprintf(out, " %.7g", p->inputs[k]);
        }
        fputc('\n', out);
    }
    fputs("EOD\n", out);
}

static void draw_inputs(FILE *out, const fsim_plot_decisions *what) {
    const char *separator = "plot ";
    int drawn = 0;
    for (int i = 0; i < FSIM_INPUTS; i++) {
        if (!shows(what, i)) {
            continue;
        }
        const char *name = fsim_metric_series_name(what->series, (fsim_input)i);
        fprintf(out, "%s$decisions using 1:%d with steps%s linewidth 2 linecolor rgb '%s' title '%s%s'",
                separator, i + 4, drawn == 1 ? " axes x1y2" : "", fsim_plot_colour((size_t)i), name,
                drawn == 1 ? " (right)" : "");
        separator = ", \\\n ";
        drawn++;
    }
    fputs(drawn == 0 ? "plot 0 notitle\n" : "\n", out);
}

static int shown(const fsim_plot_decisions *what) {
    int n = 0;
    for (int i = 0; i < FSIM_INPUTS; i++) {
        n += shows(what, i);
    }
    return n;
}

/* Spans of each unusual mode, as rectangles over the whole height. */
static void shade(FILE *out, const fsim_plot_decisions *what, modes *m) {
    double unit;
    size_t object = 1, first = 0;
    (void)fsim_plot_time_unit(end_of(what), &unit);
    for (size_t i = 0; i < what->count; i++) {
        bool last = i + 1 == what->count || strcmp(what->points[i + 1].mode, what->points[i].mode) != 0;
        if (!last) {
            continue;
        }
        size_t mode = mode_index(m, what->points[i].mode);
        size_t next = i + 1 < what->count ? i + 1 : i;
        if (mode > 0 && mode < MODES_MAX) {
            fprintf(out,
                    "set object %zu rectangle from first %.7g, graph 0 to first %.7g, graph 1 behind "
                    "fillcolor rgb '%s' fillstyle solid noborder\n",
                    object++, what->points[first].at_s / unit, what->points[next].at_s / unit,
                    mode_colours[mode]);
        }
        first = i + 1;
    }
}

static void draw_decisions(FILE *out, const fsim_plot_decisions *what) {
    modes m = {0};
    shade(out, what, &m);
    fputs("set ylabel 'instances'\n"
          "plot $decisions using 1:2 with steps linewidth 3 linecolor rgb '" FSIM_PLOT_BLUE
          "' title 'desired', \\\n '' using 1:3 with steps linewidth 2 linecolor rgb '" FSIM_PLOT_ORANGE
          "' title 'ready'",
          out);
    if (what->series->values[FSIM_INPUT_REPLICAS] != NULL) {
        fprintf(out,
                ", \\\n '' using 1:%d with steps linewidth 1 linecolor rgb '" FSIM_PLOT_GREY
                "' title 'asked for then'",
                FSIM_INPUT_REPLICAS + 4);
    }
    for (size_t i = 1; i < m.count; i++) {
        fprintf(out, ", \\\n keyentry with boxes fillcolor rgb '%s' fillstyle solid title ", mode_colours[i]);
        fsim_plot_quote(out, m.names[i]);
    }
    fputc('\n', out);
}

static void draw(FILE *out, const fsim_plot_decisions *what) {
    double unit, end = end_of(what);
    const char *name = fsim_plot_time_unit(end, &unit);
    fsim_plot_frame(out);
    fputs("set multiplot layout 2,1\nset lmargin 9\nset rmargin 24\nset title ", out);
    fsim_plot_quote(out, what->title);
    fprintf(out, "\nset xrange [0:%.7g]\n", end > 0 ? end / unit : 1);
    if (shown(what) > 1) {
        fputs("set y2tics\nset y2range [0:*]\n", out);
    }
    fputs("set ylabel 'as the policy saw it'\n", out);
    draw_inputs(out, what);
    fputs("unset title\nunset y2tics\n", out);
    fprintf(out, "set xlabel 'time since the first row (%s)'\n", name);
    draw_decisions(out, what);
    fputs("unset multiplot\n", out);
}

fsim_status fsim_plot_decisions_draw(const char *folder, const char *stem, const fsim_plot_decisions *what,
                                     fsim_error *err) {
    FILE *script = tmpfile();
    if (script == NULL) {
        return fsim_fail(err, FSIM_EIO, "cannot write a temporary file: %s", strerror(errno));
    }
    write_data(script, what);
    for (size_t f = 0; f < FSIM_PLOT_FORMATS; f++) {
        fsim_plot_begin_picture(script, f, stem);
        draw(script, what);
        fputs("set output\n", script);
    }
    fsim_status status = fsim_plot_gnuplot(folder, script, err);
    fclose(script);
    return fsim_plot_settle(folder, stem, status, err);
}
