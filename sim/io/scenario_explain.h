/* The effective scenario as rows: what each value is, which layer said it, and, where that is a bundle, from
 * which public document the bundle has it. What `fsim explain` and manifest.json show. */
#ifndef FSIM_IO_SCENARIO_EXPLAIN_H
#define FSIM_IO_SCENARIO_EXPLAIN_H

#include "model/scenario.h"

typedef struct fsim_explain_row {
    const char *path;        /* as --set takes it: "policy.keepalive.window", "functions.fn.memory_mb" */
    const fsim_value *value; /* a scalar, or an empty array or object */
    const char *origin;      /* "default", "bundle knative", "car.json", "--set" */
    const char *source;      /* document and section; NULL where the origin is no built-in bundle */
} fsim_explain_row;

/* One row per value, in the order of the tree. They live as long as the scenario, whose pool they are in. */
fsim_status fsim_scenario_explain(const fsim_scenario *scenario, const fsim_explain_row **rows, size_t *count,
                                  fsim_error *err);

#endif
