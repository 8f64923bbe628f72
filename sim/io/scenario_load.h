/* From what the user typed to a validated scenario. Layers, later ones win: built-in defaults, the bundle's,
 * the scenario file's (or the trace file as workload), the command line's --set and options. Every value of
 * the effective tree knows its layer (fsim_value.origin). */
#ifndef FSIM_IO_SCENARIO_LOAD_H
#define FSIM_IO_SCENARIO_LOAD_H

#include "model/scenario.h"

typedef struct fsim_setting {
    const char *path, *text; /* --set path=text */
    const char *origin;      /* "--set", "--seed", … */
} fsim_setting;

typedef struct fsim_load_options {
    /* A built-in name, a scenario or a workload (JSON), a trace .csv (native), "-" for standard input. */
    const char *workload;
    const char *document; /* the JSON that stood on standard input, from fsim_scenario_take_stdin; NULL */
    /* Instead: the files and folders of a trace of a public format (source "trace"). */
    const char *const *files;
    size_t file_count;
    /* Bundle name, or a .json file that is a bundle or holds a "policy" object; NULL: what the scenario says,
     * else "knative". */
    const char *policy;
    const char *functions_file; /* JSON array of functions; NULL */
    const fsim_setting *settings;
    size_t setting_count;
} fsim_load_options;

/* The caller owns *out (fsim_scenario_destroy). Errors: FSIM_EIO no such file (with the nearest built-in
 * name), FSIM_ECONFIG what the scenario says. */
fsim_status fsim_scenario_load(fsim_scenario **out, const fsim_load_options *options, fsim_error *err);

/* Where `options` means a JSON document on standard input, it is read, for several loads of it: *text
 * (`document`), which the caller frees. Else *text is NULL and nothing was read. */
fsim_status fsim_scenario_take_stdin(const fsim_load_options *options, char **text, fsim_error *err);

/* The same from a tree already in memory (a case's "scenario"); `pool` passes to the scenario, also on
 * failure. `origin` names the document in messages. */
fsim_status fsim_scenario_from_tree(fsim_scenario **out, fsim_value_pool *pool, fsim_value *tree,
                                    const char *base_dir, const fsim_load_options *options, fsim_error *err);

#endif
