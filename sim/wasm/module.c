#include "wasm/module.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const fsim_wasm_imports[] = {
    "args_get",      "args_sizes_get",      "clock_time_get", "environ_get", "environ_sizes_get", "fd_close",
    "fd_fdstat_get", "fd_prestat_dir_name", "fd_prestat_get", "fd_read",     "fd_seek",           "fd_write",
    "proc_exit",     "random_get",          "sched_yield",    NULL};

enum { TYPES_MAX = 4096, FUNCTIONS_MAX = 100000, NAME_SHOWN = 64 };
enum {
    SECTION_CUSTOM,
    SECTION_TYPE,
    SECTION_IMPORT,
    SECTION_FUNCTION,
    SECTION_TABLE,
    SECTION_MEMORY,
    SECTION_GLOBAL,
    SECTION_EXPORT,
    SECTION_START,
    SECTION_ELEMENT,
    SECTION_CODE,
    SECTION_DATA,
    SECTION_DATA_COUNT,
    SECTION_END
};
static const char *const section_names[SECTION_END] = {"custom", "type",   "import",    "function", "table",
                                                       "memory", "global", "export",    "start",    "element",
                                                       "code",   "data",   "data count"};
/* Order in which they must stand: data count comes between element and code. */
static const uint8_t section_rank[SECTION_END] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 10};
enum { KIND_FUNCTION, KIND_TABLE, KIND_MEMORY, KIND_GLOBAL, KIND_END };
static const char *const kind_names[KIND_END] = {"function", "table", "memory", "global"};

/* A function type, as far as it matters for an entry. */
typedef struct signature {
    uint32_t params, results;
    fsim_wasm_result_type result;
} signature;

typedef struct reader {
    const uint8_t *bytes;
    size_t at, end; /* of the section that is read */
    const char *name;
    fsim_error *err;
    const fsim_wasm_bounds *bounds;
    fsim_wasm_module *module;
    const uint8_t *types, *functions; /* where the entries of these sections stand */
    size_t types_end, functions_end;
    uint32_t type_count, function_count, imported_functions, code_count;
    uint32_t entry, start_entry, initialize; /* function indices; UINT32_MAX: none */
} reader;

typedef struct text {
    const char *bytes;
    uint32_t size;
} text;

static fsim_status fail(const reader *r, fsim_status status, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static fsim_status fail(const reader *r, fsim_status status, size_t at, const char *fmt, ...) {
    char place[512], message[400];
    va_list args;
    snprintf(place, sizeof place, "%.440s@%zu", r->name, at);
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    return fsim_fail_at(r->err, status, place, "%s", message);
}

static fsim_status read_byte(reader *r, uint8_t *out) {
    if (r->at >= r->end) {
        return fail(r, FSIM_EDATA, r->at, "the module is cut off: its section ends here");
    }
    *out = r->bytes[r->at++];
    return FSIM_OK;
}

/* LEB128, at most 32 bits, in at most 5 bytes. */
static fsim_status read_u32(reader *r, uint32_t *out) {
    size_t from = r->at;
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = 0;
        FSIM_TRY(read_byte(r, &byte));
        value |= (uint64_t)(byte & 0x7fu) << shift;
        if ((byte & 0x80u) == 0) {
            if (value > UINT32_MAX) {
                break;
            }
            *out = (uint32_t)value;
            return FSIM_OK;
        }
    }
    return fail(r, FSIM_EDATA, from, "a number of more than 32 bits");
}

static fsim_status skip(reader *r, uint64_t size) {
    if (size > r->end - r->at) {
        return fail(r, FSIM_EDATA, r->at, "the module is cut off: %" PRIu64 " bytes expected, %zu are left",
                    size, r->end - r->at);
    }
    r->at += (size_t)size;
    return FSIM_OK;
}

static fsim_status read_text(reader *r, text *out) {
    FSIM_TRY(read_u32(r, &out->size));
    out->bytes = (const char *)r->bytes + r->at;
    return skip(r, out->size);
}

static bool is(text t, const char *name) {
    return t.size == strlen(name) && memcmp(t.bytes, name, t.size) == 0;
}

/* For messages: printable ASCII only. */
static const char *shown(text t, char out[NAME_SHOWN + 1]) {
    uint32_t n = t.size < NAME_SHOWN ? t.size : NAME_SHOWN;
    for (uint32_t i = 0; i < n; i++) {
        out[i] = t.bytes[i] >= 0x20 && t.bytes[i] < 0x7f ? t.bytes[i] : '?';
    }
    out[n] = '\0';
    return out;
}

static fsim_status read_limits(reader *r, uint32_t *least) {
    uint8_t flags = 0;
    uint32_t most;
    size_t at = r->at;
    FSIM_TRY(read_byte(r, &flags));
    if (flags > 1) {
        return fail(r, FSIM_EDATA, at, "limits of kind %u: shared and 64-bit memories are not run", flags);
    }
    FSIM_TRY(read_u32(r, least));
    return flags == 1 ? read_u32(r, &most) : FSIM_OK;
}

static fsim_status add_table(reader *r) {
    uint8_t type = 0;
    uint32_t least = 0;
    size_t at = r->at;
    FSIM_TRY(read_byte(r, &type));
    if (type != 0x70 && type != 0x6f) {
        return fail(r, FSIM_EDATA, at, "a table of type 0x%02x, expected functions or external references",
                    type);
    }
    FSIM_TRY(read_limits(r, &least));
    if (least > r->bounds->table_entries - r->module->table_entries) {
        return fail(r, FSIM_ELIMIT, at, "tables of %" PRIu64 " entries at the start, the limit is %u",
                    (uint64_t)r->module->table_entries + least, r->bounds->table_entries);
    }
    r->module->table_entries += least;
    return FSIM_OK;
}

static fsim_status add_memory(reader *r) {
    uint32_t least = 0;
    size_t at = r->at;
    FSIM_TRY(read_limits(r, &least));
    if (least > r->bounds->memory_pages - r->module->memory_pages) {
        return fail(r, FSIM_ELIMIT, at, "a memory of %u pages of 64 KiB at the start, the limit is %u", least,
                    r->bounds->memory_pages);
    }
    r->module->memory_pages += least;
    return FSIM_OK;
}

/* ---- sections ---- */

static fsim_status read_custom(reader *r) {
    text name;
    size_t at = r->at;
    FSIM_TRY(read_text(r, &name));
    if (is(name, "wasmedge")) {
        return fail(
            r, FSIM_EDATA, at,
            "a custom section \"wasmedge\": it holds native code, which is not run; give the plain module");
    }
    r->at = r->end;
    return FSIM_OK;
}

static fsim_status read_signature(reader *r, signature *out) {
    uint8_t byte = 0;
    size_t at = r->at;
    FSIM_TRY(read_byte(r, &byte));
    if (byte != 0x60) {
        return fail(r, FSIM_EDATA, at, "a type that begins with 0x%02x, expected a function type (0x60)",
                    byte);
    }
    FSIM_TRY(read_u32(r, &out->params));
    FSIM_TRY(skip(r, out->params));
    FSIM_TRY(read_u32(r, &out->results));
    uint8_t first = out->results > 0 && r->at < r->end ? r->bytes[r->at] : 0;
    out->result = first == 0x7f   ? FSIM_WASM_I32
                  : first == 0x7e ? FSIM_WASM_I64
                  : first == 0x7d ? FSIM_WASM_F32
                  : first == 0x7c ? FSIM_WASM_F64
                                  : FSIM_WASM_NOTHING;
    return skip(r, out->results);
}

static fsim_status read_types(reader *r) {
    FSIM_TRY(read_u32(r, &r->type_count));
    if (r->type_count > TYPES_MAX) {
        return fail(r, FSIM_ELIMIT, r->at, "%u types, the limit is %d", r->type_count, TYPES_MAX);
    }
    r->types = r->bytes + r->at;
    r->types_end = r->end;
    for (uint32_t i = 0; i < r->type_count; i++) {
        signature unused;
        FSIM_TRY(read_signature(r, &unused));
    }
    return FSIM_OK;
}

static fsim_status fail_import(const reader *r, size_t at, text module, text name, uint8_t kind) {
    char a[NAME_SHOWN + 1], b[NAME_SHOWN + 1];
    const char *nearest =
        is(module, FSIM_WASM_WASI) ? fsim_text_nearest(shown(name, b), fsim_wasm_imports) : NULL;
    return fail(
        r, FSIM_EDATA, at,
        "it imports the %s \"%s\" of \"%s\", which is not provided: only some functions of \"" FSIM_WASM_WASI
        "\" are%s%s",
        kind < KIND_END ? kind_names[kind] : "thing", shown(name, b), shown(module, a),
        nearest != NULL ? "; the nearest is " : "", nearest != NULL ? nearest : "");
}

static fsim_status read_imports(reader *r) {
    uint32_t count = 0;
    FSIM_TRY(read_u32(r, &count));
    for (uint32_t i = 0; i < count; i++) {
        text module, name;
        uint8_t kind = 0;
        uint32_t type;
        size_t at = r->at;
        FSIM_TRY(read_text(r, &module));
        FSIM_TRY(read_text(r, &name));
        FSIM_TRY(read_byte(r, &kind));
        bool known = false;
        for (size_t k = 0; fsim_wasm_imports[k] != NULL; k++) {
            known = known || is(name, fsim_wasm_imports[k]);
        }
        if (!known || kind != KIND_FUNCTION || !is(module, FSIM_WASM_WASI)) {
            return fail_import(r, at, module, name, kind);
        }
        FSIM_TRY(read_u32(r, &type));
        r->imported_functions++;
        r->module->imports_wasi = true;
    }
    return FSIM_OK;
}

static fsim_status read_functions(reader *r) {
    FSIM_TRY(read_u32(r, &r->function_count));
    if (r->function_count > FUNCTIONS_MAX) {
        return fail(r, FSIM_ELIMIT, r->at, "%u functions, the limit is %d", r->function_count, FUNCTIONS_MAX);
    }
    r->functions = r->bytes + r->at;
    r->functions_end = r->end;
    for (uint32_t i = 0; i < r->function_count; i++) {
        uint32_t type = 0;
        size_t at = r->at;
        FSIM_TRY(read_u32(r, &type));
        if (type >= r->type_count) {
            return fail(r, FSIM_EDATA, at, "function %u has type %u of %u", i, type, r->type_count);
        }
    }
    return FSIM_OK;
}

static fsim_status read_each(reader *r, fsim_status (*one)(reader *)) {
    uint32_t count = 0;
    FSIM_TRY(read_u32(r, &count));
    for (uint32_t i = 0; i < count; i++) {
        FSIM_TRY(one(r));
    }
    return FSIM_OK;
}

static fsim_status read_export(reader *r) {
    text name;
    uint8_t kind = 0;
    uint32_t index = 0;
    FSIM_TRY(read_text(r, &name));
    size_t at = r->at;
    FSIM_TRY(read_byte(r, &kind));
    FSIM_TRY(read_u32(r, &index));
    if (kind == KIND_FUNCTION && index >= r->imported_functions + r->function_count) {
        return fail(r, FSIM_EDATA, at, "it exports function %u of %u", index,
                    r->imported_functions + r->function_count);
    }
    r->module->exports_memory |= kind == KIND_MEMORY && is(name, "memory");
    if (kind == KIND_FUNCTION) {
        *(is(name, "run")           ? &r->entry
          : is(name, "_start")      ? &r->start_entry
          : is(name, "_initialize") ? &r->initialize
                                    : &index) = index;
    }
    return FSIM_OK;
}

static fsim_status read_section(reader *r, uint8_t id) {
    size_t from = r->at;
    switch (id) {
    case SECTION_CUSTOM: return read_custom(r);
    case SECTION_TYPE: FSIM_TRY(read_types(r)); break;
    case SECTION_IMPORT: FSIM_TRY(read_imports(r)); break;
    case SECTION_FUNCTION: FSIM_TRY(read_functions(r)); break;
    case SECTION_TABLE: FSIM_TRY(read_each(r, add_table)); break;
    case SECTION_MEMORY: FSIM_TRY(read_each(r, add_memory)); break;
    case SECTION_EXPORT: FSIM_TRY(read_each(r, read_export)); break;
    case SECTION_CODE: FSIM_TRY(read_u32(r, &r->code_count)); return skip(r, r->end - r->at);
    default: return skip(r, r->end - r->at); /* the runtime's to validate */
    }
    if (r->at != r->end) {
        return fail(r, FSIM_EDATA, r->at, "the %s section at byte %zu is %zu bytes longer than its content",
                    section_names[id], from, r->end - r->at);
    }
    return FSIM_OK;
}

static fsim_status read_sections(reader *r, size_t size) {
    uint8_t last_rank = 0;
    while (r->at < size) {
        uint8_t id = 0;
        uint32_t length = 0;
        size_t at = r->at;
        r->end = size;
        FSIM_TRY(read_byte(r, &id));
        if (id >= SECTION_END) {
            return fail(r, FSIM_EDATA, at, "a section with the number %u, expected 0 to %d", id,
                        SECTION_END - 1);
        }
        FSIM_TRY(read_u32(r, &length));
        if (length > size - r->at) {
            return fail(r, FSIM_EDATA, at, "the module is cut off: its %s section has %u bytes, %zu are left",
                        section_names[id], length, size - r->at);
        }
        if (id != SECTION_CUSTOM && section_rank[id] <= last_rank) {
            return fail(r, FSIM_EDATA, at, "the %s section stands out of order or twice", section_names[id]);
        }
        last_rank = id == SECTION_CUSTOM ? last_rank : section_rank[id];
        r->end = r->at + length;
        size_t next = r->end;
        FSIM_TRY(read_section(r, id));
        r->at = next;
    }
    if (r->code_count != r->function_count) {
        return fail(r, FSIM_EDATA, size, "%u functions are declared and %u have a body", r->function_count,
                    r->code_count);
    }
    return FSIM_OK;
}

/* ---- what can be called ---- */

/* The type of a function of the module itself; both sections have been read without a fault. */
static signature signature_of(const reader *r, uint32_t function) {
    reader f = *r, t = *r;
    signature s = {0};
    uint32_t type = 0;
    f.at = (size_t)(r->functions - r->bytes);
    f.end = r->functions_end;
    for (uint32_t i = r->imported_functions; i <= function; i++) {
        if (read_u32(&f, &type) != FSIM_OK) {
            return s;
        }
    }
    t.at = (size_t)(r->types - r->bytes);
    t.end = r->types_end;
    for (uint32_t i = 0; i <= type; i++) {
        if (read_signature(&t, &s) != FSIM_OK) {
            return s;
        }
    }
    return s;
}

static fsim_status check_entry(reader *r, uint32_t function, const char *name, uint32_t results_max) {
    if (function < r->imported_functions) {
        return fail(r, FSIM_EDATA, 0, "its export \"%s\" is one of its imports", name);
    }
    signature s = signature_of(r, function);
    if (s.params != 0 || s.results > results_max || (s.results == 1 && s.result == FSIM_WASM_NOTHING)) {
        return fail(r, FSIM_EDATA, 0,
                    "its export \"%s\" takes %u values and gives %u, expected a function that takes none and "
                    "gives %s",
                    name, s.params, s.results, results_max == 0 ? "none" : "none or one number");
    }
    r->module->result = s.result;
    return FSIM_OK;
}

static fsim_status find_entry(reader *r) {
    r->module->is_reactor = r->initialize != UINT32_MAX;
    if (r->module->is_reactor) {
        FSIM_TRY(check_entry(r, r->initialize, "_initialize", 0));
    }
    if (r->entry != UINT32_MAX) {
        return check_entry(r, r->entry, "run", 1);
    }
    if (r->start_entry != UINT32_MAX) {
        r->module->is_command = true;
        return check_entry(r, r->start_entry, "_start", 0);
    }
    return fail(r, FSIM_EDATA, 0, "nothing to call: expected an exported function \"run\" or \"_start\"");
}

static fsim_status check_header(const reader *r, size_t size) {
    static const uint8_t magic[4] = {0, 'a', 's', 'm'}, version[4] = {1, 0, 0, 0};
    if (size < 8 && (size < 4 || memcmp(r->bytes, magic, 4) == 0) &&
        memcmp(r->bytes, magic, size < 4 ? size : 4) == 0) {
        return fail(r, FSIM_EDATA, size, "the module is cut off: %zu bytes, a module has 8 at least", size);
    }
    if (size < 8 || memcmp(r->bytes, magic, 4) != 0) {
        return fail(r, FSIM_EDATA, 0, "not a Wasm module: expected it to begin with the bytes 00 61 73 6d");
    }
    if (memcmp(r->bytes + 4, version, 4) != 0) {
        return fail(r, FSIM_EDATA, 4, "not a Wasm module of version 1%s",
                    r->bytes[6] == 1 ? " but a component; only modules are run" : "");
    }
    return FSIM_OK;
}

fsim_status fsim_wasm_check(fsim_wasm_module *out, const uint8_t *bytes, size_t size,
                            const fsim_wasm_bounds *bounds, const char *name, fsim_error *err) {
    reader r = {.bytes = bytes,
                .at = 8,
                .end = size,
                .name = name,
                .err = err,
                .bounds = bounds,
                .module = out,
                .entry = UINT32_MAX,
                .start_entry = UINT32_MAX,
                .initialize = UINT32_MAX};
    *out = (fsim_wasm_module){0};
    if (size > bounds->module_bytes) {
        return fail(&r, FSIM_ELIMIT, 0, "a module of %zu bytes, the limit is %" PRIu64, size,
                    bounds->module_bytes);
    }
    FSIM_TRY(check_header(&r, size));
    FSIM_TRY(read_sections(&r, size));
    return find_entry(&r);
}
