/* Small random scenarios for properties and differential tests: a random subset of the features is on,
 * instants often lie on a grid so that many things happen at once. A scenario is known by its seed; printed,
 * it is a file for `fsim run`. */
#ifndef FSIM_TESTS_RANDOM_SCENARIO_H
#define FSIM_TESTS_RANDOM_SCENARIO_H

#include "naive.h"

#include "io/scenario_load.h"
#include "model/run.h"

typedef struct random_scenario {
    uint64_t seed;
    naive_world world;       /* what the naive simulator understands */
    naive_arrival *arrivals; /* the same as world.arrivals, to be changed */
    /* Beyond the naive simulator: random draws instead of given arrivals, and rules that draw or share a
     * processor. */
    bool drawn;
    const char *route_name, *cpu_model;
} random_scenario;

/* `drawn`: Poisson arrivals, exponential service and starts, any routing rule, any CPU model. Free with
 * random_scenario_clear. */
void random_scenario_init(random_scenario *scenario, uint64_t seed, bool drawn);
void random_scenario_clear(random_scenario *scenario);
/* As JSON; the caller frees it. */
char *random_scenario_print(const random_scenario *scenario);

/* Runs the engine on a scenario text. On failure *result is NULL and the error is printed with the text's
 * first lines. `on_request` may be NULL. */
fsim_result *engine_run(const char *text, uint64_t seed,
                        fsim_status (*on_request)(void *, const fsim_request_row *, fsim_error *),
                        void *user);
/* The same with settings and a policy laid over the text; err is the caller's, and nothing is printed. */
fsim_result *engine_run_with(const char *text, const fsim_run_options *options, const fsim_load_options *load,
                             fsim_error *err);
/* With settings, metered by a plan; failures are printed as by engine_run. */
fsim_result *engine_run_metered(const char *text, uint64_t seed, const fsim_load_options *load,
                                const fsim_meter_plan *meters);
/* Text, run, free. */
fsim_result *engine_run_random(const random_scenario *scenario);

#endif
