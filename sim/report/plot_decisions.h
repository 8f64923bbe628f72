/* The picture of `fsim decide`: what a scaler saw above what it decided. */
#ifndef FSIM_REPORT_PLOT_DECISIONS_H
#define FSIM_REPORT_PLOT_DECISIONS_H

#include "api/metric_series.h"

#define FSIM_PLOT_DECISIONS_MAX 1200u /* points that a picture shows; more are merged by who makes them */

/* One decision, or several neighbours: the means of the inputs, the largest desired, the last ready and mode.
 */
typedef struct fsim_plot_decision {
    double at_s; /* since the first row of the series */
    double inputs[FSIM_INPUTS];
    double desired, ready;
    const char *mode; /* static string */
} fsim_plot_decision;

typedef struct fsim_plot_decisions {
    const char *title;
    const fsim_metric_series *series; /* which inputs there are, and what they are called */
    uint32_t reads;                   /* FSIM_INPUT_BITs of those that matter; 0: all */
    const fsim_plot_decision *points;
    size_t count;
} fsim_plot_decisions;

/* Draws folder/<stem>.svg and .png; the folder exists. FSIM_EIO as fsim_plot_folder. */
fsim_status fsim_plot_decisions_draw(const char *folder, const char *stem, const fsim_plot_decisions *what,
                                     fsim_error *err);

#endif
