/* The picture of `fsim breakeven`: what each way to pay costs a month by how much of the fleet is used, and
 * where another one becomes the cheapest. */
#ifndef FSIM_REPORT_PLOT_BREAKEVEN_H
#define FSIM_REPORT_PLOT_BREAKEVEN_H

#include "base/error.h"

#include <stddef.h>

/* From this utilisation (0..1) on, `way` is the cheapest, up to that of the next turn. */
typedef struct fsim_plot_turn {
    double utilisation, cost;
    size_t way;
} fsim_plot_turn;

/* Borrowed by the call. */
typedef struct fsim_plot_breakeven {
    const char *title, *currency;
    double full_rate; /* requests/s at utilisation 1 */
    size_t way_count;
    const char *const *names;
    size_t points;      /* at least 2, evenly spaced from utilisation 0 to 1 */
    const double *cost; /* [point * way_count + way] */
    size_t turn_count;  /* the first at utilisation 0 */
    const fsim_plot_turn *turns;
} fsim_plot_breakeven;

/* Draws folder/breakeven.svg and .png; the folder exists. FSIM_EIO as fsim_plot_folder. */
fsim_status fsim_plot_breakeven_draw(const char *folder, const fsim_plot_breakeven *what, fsim_error *err);

#endif
