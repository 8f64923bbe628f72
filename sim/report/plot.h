/* Pictures of a results folder, drawn by gnuplot as SVG and PNG, from the files in the folder alone: `fsim
 * plot DIR` and
 * --plot do the same.
 *
 * For each policy: instances (starting, busy, idle) and demand over time, the distribution of latency with
 * cold and warm requests apart, refusals over time, the bills side by side with their lines stacked. In a
 * folder of several policies also instances, latency and bills of all of them in one picture each. The same
 * data give the same bytes of SVG.
 *
 * gnuplot (5.0 or later, on the PATH) is started without a shell, reads its script from a pipe and works
 * inside the folder. Each picture is drawn under a temporary name and renamed. */
#ifndef FSIM_REPORT_PLOT_H
#define FSIM_REPORT_PLOT_H

#include "base/error.h"

#include <stdio.h>

/* Names of all pictures there may be; NULL-terminated. */
extern const char *const fsim_plot_files[];

/* Draws all pictures of the folder; those of policies stand in their folders. FSIM_EIO: no results there, or
 * gnuplot cannot be started (install gnuplot-nox) or fails; data stay as they are. */
fsim_status fsim_plot_folder(const char *folder, fsim_error *err);

/* Runs gnuplot in `folder` on what was written into `script` (a temporary file, open for reading and
 * writing). Errors as above. */
fsim_status fsim_plot_gnuplot(const char *folder, FILE *script, fsim_error *err);

/* What fsim_plot_begin_picture (report/plot_text.h) began in `folder` gets its final name, or is removed when
 * `status` is a failure. Returns `status` or its own. */
fsim_status fsim_plot_settle(const char *folder, const char *name, fsim_status status, fsim_error *err);

#endif
