/* The picture of `fsim decide`, from a further pass over the series. */
#ifndef FSIM_CLI_DECIDE_PLOT_H
#define FSIM_CLI_DECIDE_PLOT_H

#include "model/decide.h"

/* Draws beside `out` (the file of the rows; its suffix goes), or without one
 * results/<series>-<policy>/decisions, as .svg and .png. `rows` is how many decisions there are. Writes the
 * place into `where`. */
fsim_status fsim_decide_plot(const fsim_metric_series *series, const fsim_decide_setup *setup, uint64_t rows,
                             const char *policy, const char *title, const char *out, char *where, size_t size,
                             fsim_error *err);

#endif
