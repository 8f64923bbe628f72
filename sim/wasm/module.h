/* A Wasm module looked at before any runtime sees it: is it one, what does it ask for, what can be called?
 *
 * Source: WebAssembly Core Specification 2.0, section 5.5 (binary format of modules). Bodies of functions are
 * the runtime's to validate; here count the sections, their bounds, and what decides whether we run the
 * module at all: it is refused when it
 *   - is no binary module (a component, a text, an ELF file), is cut off, or has sections out of order or
 * bounds;
 *   - holds a custom section "wasmedge": native code that some runtimes would run as it is;
 *   - imports anything but the functions of WASI preview 1 in fsim_wasm_imports, which reach no file and no
 * network;
 *   - starts with more memory or table than the limits allow;
 *   - has nothing to call: an exported function "run" or "_start" that takes nothing and gives at most one
 * number. Linear in the size of the module; allocates nothing. */
#ifndef FSIM_WASM_MODULE_H
#define FSIM_WASM_MODULE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FSIM_WASM_WASI "wasi_snapshot_preview1"

typedef struct fsim_wasm_bounds {
    uint64_t module_bytes;
    uint32_t memory_pages; /* of 64 KiB */
    uint32_t table_entries;
} fsim_wasm_bounds;

typedef enum fsim_wasm_result_type {
    FSIM_WASM_NOTHING,
    FSIM_WASM_I32,
    FSIM_WASM_I64,
    FSIM_WASM_F32,
    FSIM_WASM_F64
} fsim_wasm_result_type;

typedef struct fsim_wasm_module {
    bool is_command; /* the entry is "_start": each call needs a fresh instance */
    bool is_reactor; /* has "_initialize": to be called once before the first call */
    bool imports_wasi;
    bool exports_memory; /* under the name "memory" */
    fsim_wasm_result_type result;
    uint32_t memory_pages, table_entries; /* at the start */
} fsim_wasm_module;

/* Names of the allowed imports, sorted; the last is NULL. */
extern const char *const fsim_wasm_imports[];

/* The exported name to call. */
static inline const char *fsim_wasm_entry(const fsim_wasm_module *module) {
    return module->is_command ? "_start" : "run";
}

/* FSIM_EDATA says at which byte (place "NAME@byte"), what was found and what was expected; FSIM_ELIMIT: more
 * than the bounds. `name` is for the messages. */
fsim_status fsim_wasm_check(fsim_wasm_module *out, const uint8_t *bytes, size_t size,
                            const fsim_wasm_bounds *bounds, const char *name, fsim_error *err);

#endif
