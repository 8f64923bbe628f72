/* WasmEdge 0.13 and later, compiled ahead of time, with instruction counting (which costs 1 to 4 %). The
 * compiled form is a Wasm file with a native section, made by this version of the runtime for this processor.
 */
#include "wasm/worker/backend.h"
#include "wasm/worker/zygote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasmedge/wasmedge.h>

const char *const backend_suffix = "wasm";
const bool backend_counts = true;
const bool backend_interprets = true;

struct backend_module {
    WasmEdge_ConfigureContext *configure;
    WasmEdge_ASTModuleContext *ast;
    WasmEdge_StatisticsContext *statistics; /* half a megabyte of it: made once, before the forks */
    WasmEdge_String entry;
    fsim_wasm_module about;
    uint8_t *bytes;
    size_t size;
};

struct backend_instance {
    backend_module *module;
    WasmEdge_ExecutorContext *executor;
    WasmEdge_StoreContext *store;
    WasmEdge_ModuleInstanceContext *wasi, *instance;
    WasmEdge_FunctionInstanceContext *entry;
};

static bool say(char *why, WasmEdge_Result result) {
    snprintf(why, WHY_MAX, "%s", WasmEdge_ResultGetMessage(result));
    return false;
}

bool backend_describe(char *out, size_t size, char *why) {
    (void)why;
    WasmEdge_LogOff(); /* it would write errors of guests to our standard output */
    snprintf(out, size, "wasmedge %s", WasmEdge_VersionGet());
    return true;
}

static WasmEdge_ConfigureContext *configure(const backend_limits *limits, bool interpret) {
    WasmEdge_ConfigureContext *c = WasmEdge_ConfigureCreate();
    WasmEdge_ConfigureAddHostRegistration(c, WasmEdge_HostRegistration_Wasi);
    WasmEdge_ConfigureSetMaxMemoryPage(c, limits->memory_pages);
    WasmEdge_ConfigureStatisticsSetInstructionCounting(c, true);
    WasmEdge_ConfigureCompilerSetOptimizationLevel(c, WasmEdge_CompilerOptimizationLevel_O3);
    WasmEdge_ConfigureCompilerSetOutputFormat(c, WasmEdge_CompilerOutputFormat_Wasm);
#ifdef HAVE_WASMEDGE_RUNMODE /* without it, later versions interpret */
    WasmEdge_ConfigureSetRunMode(c, interpret ? WasmEdge_RunMode_Interpreter : WasmEdge_RunMode_AOT);
#else
    WasmEdge_ConfigureSetForceInterpreter(c, interpret);
#endif
    return c;
}

bool backend_compile(const char *module_path, const char *out, const fsim_wasm_module *about,
                     const backend_limits *limits, char *why) {
    (void)about;
    WasmEdge_ConfigureContext *c = configure(limits, false);
    WasmEdge_CompilerContext *compiler = WasmEdge_CompilerCreate(c);
    if (compiler == NULL) {
        snprintf(why, WHY_MAX, "this build of the runtime has no ahead-of-time compiler");
        return false;
    }
    WasmEdge_Result result = WasmEdge_CompilerCompile(compiler, module_path, out);
    WasmEdge_CompilerDelete(compiler);
    WasmEdge_ConfigureDelete(c);
    return WasmEdge_ResultOK(result) ? true : say(why, result);
}

/* ---- from the file to a module ---- */

static bool read_file(const char *path, uint8_t **bytes, size_t *size) {
    FILE *f = fopen(path, "rb");
    long length = -1;
    if (f != NULL && fseek(f, 0, SEEK_END) == 0) {
        length = ftell(f);
    }
    *bytes = length > 0 ? malloc((size_t)length) : NULL;
    *size = length > 0 ? (size_t)length : 0;
    bool ok = *bytes != NULL && fseek(f, 0, SEEK_SET) == 0 && fread(*bytes, 1, *size, f) == *size;
    if (f != NULL) {
        fclose(f);
    }
    return ok;
}

static backend_module *read_module(const char *path, const fsim_wasm_module *about,
                                   const backend_limits *limits, bool interpret, char *why) {
    backend_module *m = calloc(1, sizeof *m);
    if (m == NULL || !read_file(path, &m->bytes, &m->size)) {
        snprintf(why, WHY_MAX, "the compiled module cannot be read");
        backend_drop_module(m);
        return NULL;
    }
    m->about = *about;
    m->configure = configure(limits, interpret);
    m->entry = WasmEdge_StringCreateByCString(fsim_wasm_entry(about));
    return m;
}

backend_module *backend_read(const char *compiled, const fsim_wasm_module *about,
                             const backend_limits *limits, char *why) {
    return read_module(compiled, about, limits, false, why);
}

bool backend_parse(backend_module *m, char *why) {
    WasmEdge_LoaderContext *loader = WasmEdge_LoaderCreate(m->configure);
    WasmEdge_Result result = WasmEdge_LoaderParseFromBuffer(loader, &m->ast, m->bytes, (uint32_t)m->size);
    WasmEdge_LoaderDelete(loader);
    return WasmEdge_ResultOK(result) ? true : say(why, result);
}

bool backend_validate(backend_module *m, char *why) {
    WasmEdge_ValidatorContext *validator = WasmEdge_ValidatorCreate(m->configure);
    WasmEdge_Result result = WasmEdge_ValidatorValidate(validator, m->ast);
    WasmEdge_ValidatorDelete(validator);
    return WasmEdge_ResultOK(result) ? true : say(why, result);
}

void backend_drop_module(backend_module *m) {
    if (m != NULL) {
        WasmEdge_ASTModuleDelete(m->ast);
        WasmEdge_StatisticsDelete(m->statistics);
        WasmEdge_StringDelete(m->entry);
        WasmEdge_ConfigureDelete(m->configure);
        free(m->bytes);
        free(m);
    }
}

/* ---- instances ---- */

void backend_drop_instance(backend_instance *i) {
    if (i != NULL) {
        WasmEdge_ModuleInstanceDelete(i->instance);
        WasmEdge_ModuleInstanceDelete(i->wasi);
        WasmEdge_StoreDelete(i->store);
        WasmEdge_ExecutorDelete(i->executor);
        free(i);
    }
}

static WasmEdge_Result invoke_by_name(backend_instance *i, const char *name) {
    WasmEdge_String text = WasmEdge_StringCreateByCString(name);
    WasmEdge_FunctionInstanceContext *f = WasmEdge_ModuleInstanceFindFunction(i->instance, text);
    WasmEdge_StringDelete(text);
    return WasmEdge_ExecutorInvoke(i->executor, f, NULL, 0, NULL, 0);
}

void backend_prepare(backend_module *m) {
    m->statistics = m->statistics != NULL ? m->statistics : WasmEdge_StatisticsCreate();
}

/* No arguments, no environment, no folder that is opened beforehand. */
static WasmEdge_Result link_and_instantiate(backend_instance *i) {
    WasmEdge_Result result = WasmEdge_Result_Success;
    if (i->module->about.imports_wasi) {
        i->wasi = WasmEdge_ModuleInstanceCreateWASI(NULL, 0, NULL, 0, NULL, 0);
        result = WasmEdge_ExecutorRegisterImport(i->executor, i->store, i->wasi);
    }
    if (WasmEdge_ResultOK(result)) {
        result = WasmEdge_ExecutorInstantiate(i->executor, &i->instance, i->store, i->module->ast);
    }
    return result;
}

backend_instance *backend_instantiate(backend_module *m, char *why) {
    backend_instance *i = calloc(1, sizeof *i);
    if (i == NULL) {
        snprintf(why, WHY_MAX, "out of memory");
        return NULL;
    }
    i->module = m;
    backend_prepare(m);
    i->executor = WasmEdge_ExecutorCreate(m->configure, m->statistics);
    i->store = WasmEdge_StoreCreate();
    WasmEdge_Result result = link_and_instantiate(i);
    if (WasmEdge_ResultOK(result) && m->about.is_reactor) {
        result = invoke_by_name(i, "_initialize");
    }
    if (WasmEdge_ResultOK(result)) {
        i->entry = WasmEdge_ModuleInstanceFindFunction(i->instance, m->entry);
    }
    if (i->entry == NULL) {
        snprintf(why, WHY_MAX, "it traps when it starts: %s", WasmEdge_ResultGetMessage(result));
        backend_drop_instance(i);
        return NULL;
    }
    return i;
}

static uint64_t as_bits(WasmEdge_Value value, fsim_wasm_result_type type) {
    float f;
    double d;
    uint64_t bits = 0;
    switch (type) {
    case FSIM_WASM_I32: return (uint32_t)WasmEdge_ValueGetI32(value);
    case FSIM_WASM_I64: return (uint64_t)WasmEdge_ValueGetI64(value);
    case FSIM_WASM_F32:
        f = WasmEdge_ValueGetF32(value);
        memcpy(&bits, &f, sizeof f);
        return bits;
    case FSIM_WASM_F64:
        d = WasmEdge_ValueGetF64(value);
        memcpy(&bits, &d, sizeof d);
        return bits;
    case FSIM_WASM_NOTHING:
    default: return 0;
    }
}

void backend_call(backend_instance *i, backend_result *out) {
    WasmEdge_Value value = WasmEdge_ValueGenI32(0);
    fsim_wasm_result_type type = i->module->about.result;
    WasmEdge_Result result =
        WasmEdge_ExecutorInvoke(i->executor, i->entry, NULL, 0, &value, type != FSIM_WASM_NOTHING);
    /* proc_exit ends a command; only its code says whether it went well. */
    bool exited = WasmEdge_ResultGetCode(result) == WasmEdge_ErrCode_Terminated;
    out->verdict = WasmEdge_ResultOK(result) || exited ? BACKEND_DONE : BACKEND_TRAP;
    out->value = out->verdict == BACKEND_DONE && !exited ? as_bits(value, type) : 0;
    if (exited && i->wasi != NULL && WasmEdge_ModuleInstanceWASIGetExitCode(i->wasi) != 0) {
        out->verdict = BACKEND_TRAP;
        snprintf(out->why, sizeof out->why, "it exits with code %u",
                 WasmEdge_ModuleInstanceWASIGetExitCode(i->wasi));
    } else if (out->verdict == BACKEND_TRAP) {
        snprintf(out->why, sizeof out->why, "%s", WasmEdge_ResultGetMessage(result));
    }
}

uint64_t backend_instructions(const backend_instance *i) {
    return WasmEdge_StatisticsGetInstrCount(i->module->statistics);
}

/* ---- compiled code in force? ---- */

/* Bytes of executable memory that belongs to no file: where a loader puts native sections. */
static uint64_t executable_bytes(void) {
    char line[512];
    uint64_t sum = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) { /* from-to rwxp offset device inode [path] */
        char *at = line, *rights;
        unsigned long from = strtoul(at, &at, 16), to = strtoul(at + 1, &rights, 16);
        at = rights + 1;
        for (int field = 0; field < 3 && at != NULL; field++) {
            at = strchr(at, ' ');
            at = at != NULL ? at + 1 : NULL;
        }
        bool anonymous = at != NULL && strtoul(at, NULL, 10) == 0 && strstr(line, "[v") == NULL;
        sum += anonymous && rights[3] == 'x' ? to - from : 0;
    }
    if (f != NULL) {
        fclose(f);
    }
    return sum;
}

bool backend_in_force(const backend_module *m, char *why) {
    WasmEdge_LoaderContext *loader = WasmEdge_LoaderCreate(m->configure);
    WasmEdge_ASTModuleContext *again = NULL;
    uint64_t before = executable_bytes();
    WasmEdge_Result result = WasmEdge_LoaderParseFromBuffer(loader, &again, m->bytes, (uint32_t)m->size);
    uint64_t after = executable_bytes();
    WasmEdge_ASTModuleDelete(again);
    WasmEdge_LoaderDelete(loader);
    if (!WasmEdge_ResultOK(result) || after <= before) {
        snprintf(why, WHY_MAX,
                 "the runtime does not take up the compiled code and would interpret the module");
        return false;
    }
    return true;
}

/* The shortest of some calls, in nanoseconds; 0: it failed. */
static double time_calls(const char *path, bool interpret, int calls, char *why) {
    static const fsim_wasm_module about = {.result = FSIM_WASM_I32};
    const backend_limits limits = {1, 1};
    backend_result result = {.verdict = BACKEND_TRAP};
    double best = 0;
    backend_module *m = read_module(path, &about, &limits, interpret, why);
    backend_instance *i =
        m != NULL && backend_parse(m, why) && backend_validate(m, why) ? backend_instantiate(m, why) : NULL;
    for (int n = 0; i != NULL && n < calls; n++) {
        fsim_ns began_ns = now_ns();
        backend_call(i, &result);
        double span = (double)(now_ns() - began_ns);
        best = result.verdict == BACKEND_DONE && (best <= 0 || span < best) ? span : best;
    }
    backend_drop_instance(i);
    backend_drop_module(m);
    return best;
}

bool backend_verify(const char *probe_compiled, const char *probe_module, double *speedup, char *why) {
    double compiled = time_calls(probe_compiled, false, 9, why);
    double interpreted = time_calls(probe_module, true, 1, why);
    *speedup = compiled > 0 ? interpreted / compiled : 0;
    if (*speedup <= 10) {
        snprintf(why, WHY_MAX,
                 "compiled code runs only %.1f times as fast as the interpreter, expected more than 10",
                 *speedup);
        return false;
    }
    return true;
}
