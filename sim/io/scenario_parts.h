/* The parts of the scenario loader (io/scenario_load.h); of no use to others.
 *
 * scenario_load.c finds the documents, scenario_layers.c lays them upon each other, the others read one
 * section each of the effective tree into the plain data of fsim_scenario. A reader may write into the tree
 * what it has decided itself (origin "default"), so that the tree holds every value that counts. */
#ifndef FSIM_IO_SCENARIO_PARTS_H
#define FSIM_IO_SCENARIO_PARTS_H

#include "io/scenario_load.h"

#define FSIM_SCENARIO_SCHEMA "fsim.scenario/1"
#define FSIM_BUNDLE_SCHEMA   "fsim.bundle/1"
#define FSIM_PROFILE_SCHEMA  "fsim.profile/1"
#define FSIM_PROFILE_KS_MAX  0.1 /* Kolmogorov-Smirnov distance of a fit that stands for its sample */

/* The name of the entry of `functions` that names without an entry of their own get. */
#define FSIM_TEMPLATE_NAME "*"
#define FSIM_IMPLIED_NAME  "fn" /* of the function that is there where none is declared */

/* Lays defaults, bundle, `file` (a complete scenario document) and settings upon each other into
 * scenario->root; sets scenario->bundle. scenario->pool and base_dir are set. */
fsim_status fsim_scenario_layers(fsim_scenario *scenario, const fsim_value *file,
                                 const fsim_load_options *options, fsim_error *err);

/* Each reads its section of scenario->root. Functions come first: policies are checked against them. */
fsim_status fsim_scenario_read_functions(fsim_scenario *scenario, fsim_error *err);
fsim_status fsim_scenario_read_policy(fsim_scenario *scenario, fsim_error *err);
fsim_status fsim_scenario_read_platform(fsim_scenario *scenario, fsim_error *err);
fsim_status fsim_scenario_read_run(fsim_scenario *scenario, fsim_error *err);

/* The entry of a function, or what a version's says differently; `spec` holds what absent keys mean. */
fsim_status fsim_scenario_read_function(fsim_scenario *scenario, fsim_value *entry, fsim_fn_spec *spec,
                                        fsim_error *err);
/* The versions of a function whose entry has been read into `spec`: completes spec, and *versions gets one
 * for each, in the scenario's pool; NULL: it has none. Then, once it is in the table as `id`, they join it.
 */
fsim_status fsim_scenario_read_versions(fsim_scenario *scenario, const fsim_value *entry, fsim_fn_spec *spec,
                                        const fsim_fn_spec **versions, fsim_error *err);
fsim_status fsim_scenario_add_versions(fsim_scenario *scenario, fsim_fn_id id, const fsim_fn_spec *versions,
                                       const fsim_value *entry, fsim_error *err);
/* Parts of a function's entry; profile: cpu_bursts and after_response, once vcpu and cpu_model are known. */
fsim_status fsim_scenario_read_profile(fsim_scenario *scenario, const fsim_value *entry, fsim_fn_spec *spec,
                                       fsim_error *err);
fsim_status fsim_scenario_read_session(fsim_scenario *scenario, const fsim_value *entry, fsim_fn_spec *spec,
                                       fsim_error *err);
/* crash and health: instances that fail. */
fsim_status fsim_scenario_read_failure(fsim_scenario *scenario, const fsim_value *entry, fsim_fn_spec *spec,
                                       fsim_error *err);
/* The value of platform.nodes.interruptions, once the other keys of the nodes are read; NULL: none. */
fsim_status fsim_scenario_read_interruptions(fsim_scenario *scenario, const fsim_value *value,
                                             fsim_error *err);
/* {"profile", "use"}: `what` ("cold_start", "service") of a measured profile as a distribution. FSIM_ECONFIG:
 * not a profile, or it does not hold it. */
fsim_status fsim_scenario_read_measured(fsim_scenario *scenario, const fsim_value *object, const char *what,
                                        fsim_dist *out, fsim_error *err);
/* {"profile"}: memory of an instance with the most instances that were measured, rounded up to whole MB. */
fsim_status fsim_scenario_read_measured_memory(fsim_scenario *scenario, const fsim_value *object,
                                               int64_t *memory_mb, fsim_error *err);

/* Is `value` an object? Otherwise FSIM_ECONFIG; `what` is for the message. */
fsim_status fsim_scenario_need_object(const fsim_value *value, const char *what, fsim_error *err);

/* A whole number of at least 1 up to max, or null / "none" for no limit, read as `none`. Absent: *out stays.
 */
fsim_status fsim_scenario_get_limit(const fsim_value *object, const char *key, int64_t max, int64_t none,
                                    int64_t *out, fsim_error *err);

#endif
