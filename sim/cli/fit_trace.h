/* `fsim generate --fit`: a trace becomes a scenario that resembles it, and how much what it generates does.
 */
#ifndef FSIM_CLI_FIT_TRACE_H
#define FSIM_CLI_FIT_TRACE_H

#include "api/arrivals.h"
#include "io/scenario_load.h"
#include "trace/population_fit.h"

#include <stdio.h>

/* Reads the trace twice; `how` has the settings it is read with. *out (destroyed by the caller) knows what it
 * is like, *json (freed by the caller) is a scenario with the source `population`. */
fsim_status fsim_fit_trace(const char *trace, const fsim_load_options *how, fsim_fit **out, char **json,
                           fsim_error *err);

/* Adds generated rows to the fit of what is generated. */
fsim_status fsim_fit_arrivals(fsim_fit *fit, const fsim_arrivals *batch, fsim_error *err);

/* Both side by side, as lines of text. */
fsim_status fsim_fit_report(FILE *out, const fsim_fit *trace, const fsim_fit *generated, fsim_error *err);

#endif
