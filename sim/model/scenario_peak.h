/* The size of a fleet for the peak: what "instances": "peak" of the fixed scaler means. */
#ifndef FSIM_MODEL_SCENARIO_PEAK_H
#define FSIM_MODEL_SCENARIO_PEAK_H

#include "model/scenario.h"

/* True while the scaler leaves the size of its fleet to the peak of the workload. */
bool fsim_scenario_needs_peak(const fsim_scenario *scenario);

/* Finds the size; does nothing where it is known. A first pass runs the same workload with the same seed and
 * no limit at all: each request executes at once on an instance of its own that starts in no time. The most
 * requests of a function in execution at one instant, divided by its concurrency, times (1 + headroom),
 * rounded up and at least 1, becomes its min_instances; functions that only the workload names join the
 * table, and policy.scaling.instances becomes null, "each function's min_instances". With service times drawn
 * at random another seed has another peak: the fleet is that of the scenario's.
 *
 * Cost: one run. FSIM_ECONFIG where the workload can be read only once (standard input); else what fsim_run
 * says. To be called once, after loading and before running; not where a scenario is only shown. */
fsim_status fsim_scenario_resolve_peak(fsim_scenario *scenario, fsim_error *err);

#endif
