/* What the pictures show, read back from the CSV files of a results folder. */
#ifndef FSIM_REPORT_PLOT_DATA_H
#define FSIM_REPORT_PLOT_DATA_H

#include "base/error.h"

#include <stddef.h>
#include <stdio.h>

#define FSIM_PLOT_BINS 600u /* columns of a picture; more rows are averaged */

/* Rows of numbers; cell(row, column) is value[row * columns + column]. */
typedef struct fsim_plot_data {
    size_t rows, columns;
    double *value;
} fsim_plot_data;

/* Reads the named columns (NULL-terminated) in that order. FSIM_EIO: no such file; FSIM_EDATA: a column is
 * missing or a cell is no number. */
fsim_status fsim_plot_read(fsim_plot_data *out, const char *folder, const char *file,
                           const char *const *columns, fsim_error *err);
void fsim_plot_forget(fsim_plot_data *data);

/* Where the span of the first row begins. */
double fsim_plot_begin(const fsim_plot_data *series);

/* Turns the counts in column `column` into counts per second. Before coarsening. */
void fsim_plot_rate(fsim_plot_data *series, size_t column);

/* Merges neighbouring rows of a time series until at most FSIM_PLOT_BINS are left. Column 0 is the end of the
 * row's span; the others are averages over it. */
void fsim_plot_coarsen(fsim_plot_data *series);

#endif
