/* Numbers as people read them. The result is a value, so a call can stand among the arguments of a printf. */
#ifndef FSIM_REPORT_FIGURES_H
#define FSIM_REPORT_FIGURES_H

#include "base/decimal.h"

typedef struct fsim_figure {
    char text[FSIM_DECIMAL_SIZE + 16];
} fsim_figure;

fsim_figure fsim_figure_count(double value);     /* "1,234,567": to the nearest whole number */
fsim_figure fsim_figure_real(double value);      /* three significant digits: "0.0123", "4.57", "12,345" */
fsim_figure fsim_figure_share(double share);     /* 0.1234 is "12.34 %"; never rounded to none or to all */
fsim_figure fsim_figure_span(double seconds);    /* "12.3 ms" */
fsim_figure fsim_figure_horizon(double seconds); /* a whole unit where it fits to a thousandth: "7 d" */

/* Decimals that amounts of this size deserve: 2 from one unit on, three significant digits below. */
int fsim_figure_places(fsim_i128 pico);
fsim_figure fsim_figure_money(fsim_i128 pico, int places); /* "1,234.50" */

#endif
