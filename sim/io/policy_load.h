/* A policy alone, without a workload: what `fsim decide` drives. */
#ifndef FSIM_IO_POLICY_LOAD_H
#define FSIM_IO_POLICY_LOAD_H

#include "io/scenario_load.h"

/* A scenario in which nothing arrives, with one function, under `policy`:
 *
 *     a bundle            as `--policy` takes it
 *     a scaling policy    with its defaults, on bundle "none", binding late
 *     FILE.json           a bundle or a document with a "policy", as `--policy` takes it; or the object that
 *                         would stand at policy.scaling: {"name": "knative_kpa", "stable_window": "30s"}
 *
 * with the settings on top. Errors as those of fsim_scenario_load; FSIM_ECONFIG for an unknown name, with the
 * nearest of both kinds. The caller owns *out (fsim_scenario_destroy). */
fsim_status fsim_policy_load(fsim_scenario **out, const char *policy, const fsim_setting *settings,
                             size_t setting_count, fsim_error *err);

#endif
