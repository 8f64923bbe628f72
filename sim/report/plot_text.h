/* Pieces of gnuplot text that all pictures share. */
#ifndef FSIM_REPORT_PLOT_TEXT_H
#define FSIM_REPORT_PLOT_TEXT_H

#include <stdio.h>

/* Colours that the colour-blind can tell apart (Okabe and Ito, "Color Universal Design", 2008). */
#define FSIM_PLOT_BLACK  "#000000"
#define FSIM_PLOT_GREY   "#8c8c8c"
#define FSIM_PLOT_ORANGE "#e69f00"
#define FSIM_PLOT_SKY    "#56b4e9"
#define FSIM_PLOT_GREEN  "#009e73"
#define FSIM_PLOT_BLUE   "#0072b2"
#define FSIM_PLOT_RED    "#d55e00"
#define FSIM_PLOT_PINK   "#cc79a7"
#define FSIM_PLOT_YELLOW "#f0e442"
/* The i-th of them, for lists; repeats. */
const char *fsim_plot_colour(size_t i);

/* Every picture is drawn in each of these. */
#define FSIM_PLOT_FORMATS 2u
extern const char *const fsim_plot_suffixes[FSIM_PLOT_FORMATS]; /* "svg", "png" */

/* Begins a picture of the size that most have, or of another one; its output is <name>.<suffix>.partial. */
void fsim_plot_begin_picture(FILE *script, size_t format, const char *name);
void fsim_plot_begin_sized(FILE *script, size_t format, const char *name, int width, int height);

/* 'text', safe for gnuplot whatever it holds. */
void fsim_plot_quote(FILE *script, const char *text);

/* "text" as a cell of a data block. */
void fsim_plot_cell(FILE *script, const char *text);

/* A unit for a time axis of this length: "s", "min", "h" or "d", and its seconds. */
const char *fsim_plot_time_unit(double horizon_s, double *seconds);

/* Axes, grid, key beside the picture. */
void fsim_plot_frame(FILE *script);
/* A logarithmic x axis that holds low to high seconds, marked with units ("10 ms"). */
void fsim_plot_latency_axis(FILE *script, double low, double high);

#endif
