/* What a Wasm runtime must do for the worker. One backend is linked into each worker program:
 * backend_wasmedge.c (fsim-wasm-worker) or backend_wasm2c.c (fsim-wasm-worker-wasm2c). Only these files know
 * a runtime's headers.
 *
 * Functions that can fail return false and write one line into why[WHY_MAX]. */
#ifndef FSIM_WASM_WORKER_BACKEND_H
#define FSIM_WASM_WORKER_BACKEND_H

#include "wasm/module.h"

enum { WHY_MAX = 400, PATH_SIZE = 4096 };

typedef struct backend_module backend_module;
typedef struct backend_instance backend_instance;

typedef struct backend_limits {
    uint32_t memory_pages, table_entries;
} backend_limits;

typedef enum backend_verdict { BACKEND_DONE, BACKEND_TRAP } backend_verdict;

typedef struct backend_result {
    backend_verdict verdict;
    uint64_t value;
    char why[WHY_MAX]; /* of a trap */
} backend_result;

/* Of the compiled form of a module: "wasm", "so". */
extern const char *const backend_suffix;
/* Can it count the instructions of a call? */
extern const bool backend_counts;
/* Has it an interpreter that could run a module unnoticed? */
extern const bool backend_interprets;

/* Name and version, as they stand in profiles and in the key of the cache; false: it cannot be used here. */
bool backend_describe(char *out, size_t size, char *why);

/* Makes the compiled form of the module (a file of its plain bytes) under `out`. Called in a child of its
 * own, with limits on CPU time and memory. */
bool backend_compile(const char *module_path, const char *out, const fsim_wasm_module *about,
                     const backend_limits *limits, char *why);

/* The compiled form from its file to a module that can be instantiated, in three steps that are timed apart.
 * Each instance must go before its module. backend_read gives the module that the others work on. */
backend_module *backend_read(const char *compiled, const fsim_wasm_module *about,
                             const backend_limits *limits, char *why);
bool backend_parse(backend_module *module, char *why);
bool backend_validate(backend_module *module, char *why);
/* What instances share and need not make each for itself: to be called before a fork. */
void backend_prepare(backend_module *module);
void backend_drop_module(backend_module *module); /* NULL allowed */

/* An instance of its own memory; a start function and "_initialize" have run. NULL: they trapped, or there
 * was no room. */
backend_instance *backend_instantiate(backend_module *module, char *why);
void backend_drop_instance(backend_instance *instance); /* NULL allowed */

/* Calls the entry. */
void backend_call(backend_instance *instance, backend_result *out);
/* Instructions since the instance was made. */
uint64_t backend_instructions(const backend_instance *instance);

/* Is the code that runs compiled code? Looks at a parsed module, and times a loop of its own both ways, where
 * there is another way. *speedup: compiled over interpreted, 0 if there is nothing to compare with. */
bool backend_in_force(const backend_module *module, char *why);
bool backend_verify(const char *probe_compiled, const char *probe_module, double *speedup, char *why);

#endif
