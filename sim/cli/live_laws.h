/* What starts and calls of a module take on this machine, as the prediction of a live run draws it: measured
 * before and after the run, for the speed of a machine drifts, or taken from a profile. */
#ifndef FSIM_CLI_LIVE_LAWS_H
#define FSIM_CLI_LIVE_LAWS_H

#include "cli/calibration.h"
#include "model/scenario.h"

typedef struct fsim_live_spans_ns {
    fsim_ns *x;
    size_t n, capacity;
} fsim_live_spans_ns;

typedef struct fsim_live_laws {
    fsim_dist service, cold_start; /* on the run's clock; a request's service begins when it is due */
    double core_share;             /* of a service: it holds a core */
    fsim_live_spans_ns service_ns, start_ns, dispatch_ns; /* on the machine's clock */
    fsim_live_spans_ns laws[2];                           /* of service and cold_start */
} fsim_live_laws;

/* Adds what fsim_calibrate measures, without what the host of a virtual machine or other work took of it
 * meanwhile: what a stall touches is left out; where that is most of it, calls count without the time in
 * which they did not run. keep_awake: as fsim_stall_watch_begin says. */
fsim_status fsim_live_laws_measure(fsim_live_laws *laws, const char *module,
                                   const fsim_calibration_options *how, bool keep_awake, fsim_error *err);
/* Adds the quantiles of a profile; the scenario's pool holds what is read of it. */
fsim_status fsim_live_laws_read(fsim_live_laws *laws, fsim_scenario *scenario, const char *profile,
                                fsim_error *err);
/* From all that was added, to the three above. The run's clock goes speed_up times as fast. FSIM_EDATA: that
 * is nothing. */
fsim_status fsim_live_laws_set(fsim_live_laws *laws, double speed_up, fsim_error *err);
void fsim_live_laws_destroy(fsim_live_laws *laws); /* harmless on a zeroed one */

#endif
