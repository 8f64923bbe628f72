#include "report/plot_text.h"

#include <math.h>
#include <stdbool.h>

const char *const fsim_plot_suffixes[FSIM_PLOT_FORMATS] = {"svg", "png"};

void fsim_plot_begin_sized(FILE *script, size_t format, const char *name, int width, int height) {
    static const char *const terminals[FSIM_PLOT_FORMATS] = {
        "svg noenhanced font 'Helvetica,Arial,sans-serif,14' background rgb 'white' dynamic",
        "pngcairo noenhanced font 'Sans,11' background rgb 'white'"};
    char file[1024];
    snprintf(file, sizeof file, "%.1000s.%s.partial", name, fsim_plot_suffixes[format]);
    fprintf(script, "reset\nset encoding utf8\nset terminal %s size %d,%d\nset output ", terminals[format],
            width, height);
    fsim_plot_quote(script, file);
    fputc('\n', script);
}

void fsim_plot_begin_picture(FILE *script, size_t format, const char *name) {
    fsim_plot_begin_sized(script, format, name, 1080, 540);
}

const char *fsim_plot_colour(size_t i) {
    static const char *const colours[] = {FSIM_PLOT_BLUE, FSIM_PLOT_ORANGE, FSIM_PLOT_GREEN,  FSIM_PLOT_PINK,
                                          FSIM_PLOT_SKY,  FSIM_PLOT_RED,    FSIM_PLOT_YELLOW, FSIM_PLOT_GREY};
    return colours[i % (sizeof colours / sizeof *colours)];
}

void fsim_plot_quote(FILE *script, const char *text) {
    fputc('\'', script);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '\'') {
            fputs("''", script);
        } else {
            fputc(c < 0x20 || c == 0x7f || c == '`' ? ' ' : c, script);
        }
    }
    fputc('\'', script);
}

void fsim_plot_cell(FILE *script, const char *text) {
    fputc('"', script);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        fputc(c < 0x20 || c == 0x7f || c == '"' || c == '\\' ? ' ' : c, script);
    }
    fputc('"', script);
}

const char *fsim_plot_time_unit(double horizon_s, double *seconds) {
    if (horizon_s <= 180) {
        *seconds = 1;
        return "s";
    }
    if (horizon_s <= 3 * 3600) {
        *seconds = 60;
        return "min";
    }
    if (horizon_s <= 2 * 86400) {
        *seconds = 3600;
        return "h";
    }
    *seconds = 86400;
    return "d";
}

void fsim_plot_frame(FILE *script) {
    fputs("set border 3 linecolor rgb '#404040'\n"
          "set tics nomirror out\n"
          "set grid linetype 1 linecolor rgb '#e4e4e4' linewidth 1\n"
          "set key outside right top vertical Left reverse samplen 1.5 spacing 1.3 width 1\n"
          "set style fill solid 1.0 noborder\n"
          "set yrange [0:*]\n"
          "set offsets 0, 0, graph 0.04, 0\n"
          "set format y '%.10g'\n",
          script);
}

void fsim_plot_latency_axis(FILE *script, double low, double high) {
    static const char *const units[] = {"ns", "us", "ms", "s"};
    low = low > 1e-9 ? low : 1e-9;
    high = high > low ? high : low;
    double widen = high / low < 4 ? 2 : 1.15;
    low /= widen;
    high *= widen;
    int first = (int)floor(log10(low)), last = (int)ceil(log10(high));
    bool between = high / low < 1000; /* few decades: 1, 2 and 5 of each are named */
    const char *separator = "";
    fprintf(script, "set logscale x\nset xrange [%.6g:%.6g]\nset xtics (", low, high);
    for (int e = first; e <= last; e++) {
        int unit = e >= 0 ? 3 : 3 + (int)floor(e / 3.0);
        unit = unit < 0 ? 0 : unit;
        for (int digit = 1; digit <= (between ? 5 : 1); digit += digit == 1 ? 1 : 3) {
            fprintf(script, "%s'%.10g %s' %de%d", separator, digit * pow(10, e - 3 * (unit - 3)), units[unit],
                    digit, e);
            separator = ", ";
        }
    }
    fputs(")\n", script);
}
