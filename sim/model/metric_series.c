#include "api/metric_series.h"

#include <stdlib.h>

const char *const fsim_input_names[FSIM_INPUTS + 1] = {"concurrency", "rps",   "queue",    "cpu",
                                                       "memory",      "ready", "replicas", NULL};

const char *fsim_metric_series_name(const fsim_metric_series *series, fsim_input input) {
    if (series->absolute[input]) {
        return input == FSIM_INPUT_CPU ? "cpu_cores" : "memory_mb";
    }
    return fsim_input_names[input];
}

void fsim_metric_series_destroy(fsim_metric_series *series) {
    free(series->at_ns);
    for (int i = 0; i < FSIM_INPUTS; i++) {
        free(series->values[i]);
    }
    *series = (fsim_metric_series){0};
}
