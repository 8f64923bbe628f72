/* What a first pass over the workload tells. The size of a fleet for the peak: what "instances": "peak" of
 * the fixed scaler means. fsim_run does this by itself. */
#ifndef FSIM_MODEL_SCENARIO_PEAK_H
#define FSIM_MODEL_SCENARIO_PEAK_H

#include "model/run.h"

/* True where the scaler leaves the size of its fleet to the peak of the workload. */
bool fsim_scenario_needs_peak(const fsim_scenario *scenario);

/* True where fsim_run reads the workload twice: for one of the first passes below. */
bool fsim_scenario_takes_first_pass(const fsim_scenario *scenario);

/* Fills *sized with a copy of `scenario` in which every fleet has its size. A first pass runs the same
 * workload with the same seed and no limit at all: each request executes at once on an instance of its own
 * that starts in no time. The most requests of a function in execution at one instant, divided by its
 * concurrency, times (1 + headroom), rounded up and at least 1, becomes its min_instances; functions that
 * only the workload names join the table, and the scaler reads "instances": null, each function's
 * min_instances. The copy shares with `scenario` what it does not change.
 *
 * Cost: one run; progress is reported to options->on_progress. FSIM_ECONFIG where the workload can be read
 * only once (standard input); else what fsim_run says. On failure *sized needs no drop. */
fsim_status fsim_scenario_size_for_peak(fsim_scenario *sized, const fsim_scenario *scenario,
                                        const fsim_run_options *options, fsim_error *err);
/* run.start "steady": the same first pass, after which *sized lets each function begin with the instances
 * that its mean number of requests in execution fills, ready and idle at t = 0; they are kept and removed
 * like any other. A start near the steady state shortens the warm-up; it does not replace it. Cost and errors
 * as above. */
fsim_status fsim_scenario_begin_steady(fsim_scenario *sized, const fsim_scenario *scenario,
                                       const fsim_run_options *options, fsim_error *err);

/* Frees what the copy does not share. */
void fsim_scenario_drop_sized(fsim_scenario *sized);

#endif
