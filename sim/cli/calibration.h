/* What `fsim calibrate` measures: samples in seconds, in the order they were taken. */
#ifndef FSIM_CLI_CALIBRATION_H
#define FSIM_CLI_CALIBRATION_H

#include "cli/worker.h"

#include <jansson.h>

typedef struct fsim_samples {
    double *x;
    size_t n, capacity;
} fsim_samples;

enum { FSIM_MEMORY_STEPS_MAX = 8, FSIM_PARALLEL_STEPS = 4 };

typedef struct fsim_memory_row {
    uint32_t instances;
    double bytes_each; /* private memory and page tables of an instance's process, mean */
} fsim_memory_row;

typedef struct fsim_parallel_row {
    uint32_t calls; /* at a time, each in an instance of its own */
    double calls_per_s;
    fsim_samples span; /* of a call as fsim sees it */
} fsim_parallel_row;

typedef struct fsim_calibration_options {
    fsim_backend backend;
    fsim_worker_limits limits;
    uint32_t calls, instances, starts;
    bool brief; /* starts from the zygote and warm calls only */
    bool quiet;
} fsim_calibration_options;

typedef struct fsim_calibration {
    char sha256[65], runtime[256], machine_class[256];
    fsim_backend backend;
    uint64_t module_bytes, compiled_bytes;
    double speedup;        /* compiled over interpreted; 0: no interpreter */
    uint64_t counted_by;   /* FSIM_WASM_LOADED_COUNTS */
    uint64_t output_bytes; /* of a call */
    fsim_samples compile;
    fsim_samples warm_cache[FSIM_WASM_PHASE_COUNT], cold_cache[FSIM_WASM_PHASE_COUNT];
    fsim_samples in_process; /* the phases together, first call included */
    fsim_samples zygote;     /* asked for an instance until the result of its first call, as fsim sees it */
    fsim_samples ready;      /* the same until it is ready: the cold start of a scenario */
    fsim_samples
        process; /* a new worker process, until the result of its first call; compiled code in the cache */
    fsim_samples native;    /* a native program that does nothing: start to end */
    fsim_samples dispatch;  /* a call that is due at an instant: from it until fsim sends the call */
    fsim_samples service;   /* a warm call as fsim sees it: the service time of a scenario */
    fsim_samples call, cpu; /* inside the instance: wall and CPU time */
    fsim_samples ready_at,
        due_at; /* when each of `ready` was asked for, of `dispatch` due; monotonic clock */
    fsim_samples instructions;
    fsim_memory_row memory[FSIM_MEMORY_STEPS_MAX];
    uint32_t memory_steps;
    uint32_t density;       /* instances that lived at once */
    const char *limited_by; /* what kept it from more; "asked": nothing, no more were asked for */
    double available_bytes; /* of the machine, before the instances */
    fsim_parallel_row parallel[FSIM_PARALLEL_STEPS];
} fsim_calibration;

/* Measures everything. FSIM_EDATA: the module cannot be run, says why. The caller destroys *out in any case.
 */
fsim_status fsim_calibrate(fsim_calibration *out, const char *module, const fsim_calibration_options *options,
                           fsim_error *err);
void fsim_calibration_destroy(fsim_calibration *calibration);

/* The profile, schema fsim.profile/1 (product contract, section 5). NULL: out of memory. */
json_t *fsim_calibration_json(const fsim_calibration *calibration);

/* As a table for people. */
void fsim_calibration_print(const fsim_calibration *calibration, const json_t *profile, FILE *out);

/* A picture of the samples of cold starts and calls against their fits beside the profile: PROFILE without
 * ".json", with
 * ".svg" and ".png". */
fsim_status fsim_calibration_plot(const fsim_calibration *calibration, const char *profile_path,
                                  fsim_error *err);

#endif
