/* wasm2c of wabt and the C compiler of this machine: a module becomes C, C becomes a shared object. No
 * runtime stays beside it, so an instance weighs next to nothing; what it costs is the C compiler's time,
 * once per module. */
#include "io/embedded.h"
#include "wasm/worker/backend.h"
#include "wasm/worker/zygote.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const backend_suffix = "so";
const bool backend_counts = false;
const bool backend_interprets = false;

extern const fsim_embedded fsim_embedded_glue[];

struct backend_module {
    char path[PATH_SIZE];
    void *object;
    void (*open_glue)(void), (*close_glue)(void);
    void *(*instantiate)(int *trap);
    int (*call)(void *instance, uint64_t *value);
    const char *(*trap_text)(int trap);
    void (*drop)(void *instance);
};

struct backend_instance {
    backend_module *module;
    void *glue;
};

/* ---- programs ---- */

/* Runs a program to its end; its output goes to out[size], or away. */
static bool run_program(char *const argv[], char *out, size_t size) {
    int fds[2];
    int status = 0;
    size_t held = 0;
    if (pipe2(fds, O_CLOEXEC) != 0) {
        return false;
    }
    pid_t child = fork();
    if (child == 0) {
        dup2(fds[1], STDOUT_FILENO);
        dup2(fds[1], STDERR_FILENO);
        execvp(argv[0], argv);
        _exit(127);
    }
    close(fds[1]);
    for (;;) {
        char chunk[4096];
        ssize_t n = read(fds[0], chunk, sizeof chunk);
        if (n <= 0) {
            break;
        }
        size_t kept = (size_t)n < size - 1 - held ? (size_t)n : size - 1 - held;
        memcpy(out + held, chunk, kept);
        held += kept;
    }
    close(fds[0]);
    out[held] = '\0';
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* "1.0.32": the last number; all that are known begin with 1.0. */
static bool wasm2c_version(int *patch, char *text, size_t size) {
    static const char family[] = "1.0.";
    char *const ask[] = {"wasm2c", "--version", NULL};
    if (!run_program(ask, text, size) || strncmp(text, family, sizeof family - 1) != 0) {
        return false;
    }
    char *end = NULL;
    *patch = (int)strtol(text + sizeof family - 1, &end, 10);
    return end != text + sizeof family - 1;
}

bool backend_describe(char *out, size_t size, char *why) {
    char wabt[64], gcc[64];
    char *const ask_gcc[] = {"gcc", "-dumpfullversion", NULL};
    int patch = 0;
    if (!wasm2c_version(&patch, wabt, sizeof wabt)) {
        snprintf(why, WHY_MAX, "it needs wasm2c of the package wabt: apt-get install wabt");
        return false;
    }
    if (!run_program(ask_gcc, gcc, sizeof gcc)) {
        snprintf(why, WHY_MAX, "it needs a C compiler: apt-get install gcc libc6-dev");
        return false;
    }
    gcc[strcspn(gcc, "\n")] = '\0';
    snprintf(out, size, "wasm2c 1.0.%d, gcc %s", patch, gcc);
    return true;
}

/* ---- compiling ---- */

static bool write_glue(const char *path) {
    FILE *f = fopen(path, "w");
    bool ok = f != NULL && fputs(fsim_embedded_glue[0].text, f) >= 0;
    return f != NULL && fclose(f) == 0 && ok;
}

static bool run_compiler(const char *source, const char *glue, const char *out, const fsim_wasm_module *about,
                         const backend_limits *limits, int patch, char *why) {
    char defines[9][PATH_SIZE + 64];
    char said[8 * WHY_MAX];
    snprintf(defines[0], sizeof defines[0], "-DMODULE_SOURCE=\"%s\"", source);
    snprintf(defines[1], sizeof defines[1], "-DENTRY_IS_COMMAND=%d", about->is_command);
    snprintf(defines[2], sizeof defines[2], "-DIS_REACTOR=%d", about->is_reactor);
    snprintf(defines[3], sizeof defines[3], "-DIMPORTS_WASI=%d", about->imports_wasi);
    snprintf(defines[4], sizeof defines[4], "-DEXPORTS_MEMORY=%d", about->exports_memory);
    snprintf(defines[5], sizeof defines[5], "-DRESULT=%d", (int)about->result);
    snprintf(defines[6], sizeof defines[6], "-DPAGES_MAX=%uu", limits->memory_pages);
    snprintf(defines[7], sizeof defines[7], "-DTABLE_MAX=%uu", limits->table_entries);
    snprintf(defines[8], sizeof defines[8], "-DNAMES=%d", patch <= 32 ? 32 : 33);
    char *const argv[] = {"gcc",      "-w",         "-O2",      "-fPIC",
                          "-shared",  "-x",         "c",        "-I/usr/share/wabt/wasm2c",
                          defines[0], defines[1],   defines[2], defines[3],
                          defines[4], defines[5],   defines[6], defines[7],
                          defines[8], (char *)glue, "-o",       (char *)out,
                          "-lm",      NULL};
    if (!run_program(argv, said, sizeof said)) {
        char *fault = strstr(said, "error:");
        fault = fault != NULL ? fault : said;
        fault[strcspn(fault, "\n")] = '\0';
        snprintf(why, WHY_MAX, "gcc: %.380s", fault);
        return false;
    }
    return true;
}

bool backend_compile(const char *module_path, const char *out, const fsim_wasm_module *about,
                     const backend_limits *limits, char *why) {
    char source[PATH_SIZE + 16], header[PATH_SIZE + 16], glue[PATH_SIZE + 16], said[WHY_MAX];
    int patch = 0;
    snprintf(source, sizeof source, "%s.c", out);
    snprintf(header, sizeof header, "%s.h", out);
    snprintf(glue, sizeof glue, "%s.glue", out);
    char *const translate[] = {"wasm2c", "--no-debug-names", "-n", "guest", (char *)module_path, "-o", source,
                               NULL};
    bool ok = wasm2c_version(&patch, said, sizeof said) && run_program(translate, said, sizeof said);
    if (!ok) {
        said[strcspn(said, "\n")] = '\0';
        snprintf(why, WHY_MAX, "wasm2c: %.380s", said);
    }
    ok = ok && write_glue(glue) && run_compiler(source, glue, out, about, limits, patch, why);
    unlink(source);
    unlink(header);
    unlink(glue);
    return ok;
}

/* ---- from the file to a module ---- */

backend_module *backend_read(const char *compiled, const fsim_wasm_module *about,
                             const backend_limits *limits, char *why) {
    (void)about;
    (void)limits;
    char chunk[65536];
    backend_module *m = calloc(1, sizeof *m);
    int fd = open(compiled, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0) { /* into the page cache, where the loader finds it */
        n = read(fd, chunk, sizeof chunk);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (m == NULL || n < 0) {
        snprintf(why, WHY_MAX, "the compiled module cannot be read");
        free(m);
        return NULL;
    }
    snprintf(m->path, sizeof m->path, "%s", compiled);
    return m;
}

/* POSIX lets a data pointer stand for a function here; C does not, hence the copy of its bits. */
static bool find(const backend_module *m, const char *name, void *function) {
    void *symbol = dlsym(m->object, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

bool backend_parse(backend_module *m, char *why) {
    m->object = dlopen(m->path, RTLD_NOW | RTLD_LOCAL);
    if (m->object == NULL) {
        snprintf(why, WHY_MAX, "%s", dlerror());
    }
    return m->object != NULL;
}

/* gcc has validated what it compiled; this looks whether all is there. */
bool backend_validate(backend_module *m, char *why) {
    if (!find(m, "fsim_glue_open", &m->open_glue) || !find(m, "fsim_glue_instantiate", &m->instantiate) ||
        !find(m, "fsim_glue_call", &m->call) || !find(m, "fsim_glue_trap_text", &m->trap_text) ||
        !find(m, "fsim_glue_drop", &m->drop) || !find(m, "fsim_glue_close", &m->close_glue)) {
        m->close_glue = NULL;
        snprintf(why, WHY_MAX, "%s", dlerror());
        return false;
    }
    m->open_glue();
    return true;
}

void backend_prepare(backend_module *m) {
    (void)m;
}

void backend_drop_module(backend_module *m) {
    if (m == NULL) {
        return;
    }
    if (m->close_glue != NULL) {
        m->close_glue();
    }
    if (m->object != NULL) {
        dlclose(m->object);
    }
    free(m);
}

/* ---- instances ---- */

backend_instance *backend_instantiate(backend_module *m, char *why) {
    backend_instance *i = calloc(1, sizeof *i);
    int trap = 0;
    if (i != NULL) {
        i->module = m;
        i->glue = m->instantiate(&trap);
    }
    if (i == NULL || i->glue == NULL || trap != 0) {
        snprintf(why, WHY_MAX, trap != 0 ? "it traps when it starts: %s" : "out of memory%s",
                 trap != 0 ? m->trap_text(trap) : "");
        free(i);
        return NULL;
    }
    return i;
}

void backend_drop_instance(backend_instance *i) {
    if (i != NULL) {
        i->module->drop(i->glue);
        free(i);
    }
}

void backend_call(backend_instance *i, backend_result *out) {
    int trap = i->module->call(i->glue, &out->value);
    out->verdict = trap == 0 ? BACKEND_DONE : BACKEND_TRAP;
    if (trap != 0) {
        snprintf(out->why, sizeof out->why, "%s", i->module->trap_text(trap));
    }
}

uint64_t backend_instructions(const backend_instance *instance) {
    (void)instance;
    return FSIM_WASM_NO_COUNT;
}

/* The code that is called lies in the very object that was compiled. */
bool backend_in_force(const backend_module *m, char *why) {
    Dl_info info;
    void *address;
    memcpy(&address, &m->call, sizeof address);
    if (dladdr(address, &info) == 0 || info.dli_fname == NULL || strcmp(info.dli_fname, m->path) != 0) {
        snprintf(why, WHY_MAX, "the code that would run is not that of %.300s", m->path);
        return false;
    }
    return true;
}

bool backend_verify(const char *probe_compiled, const char *probe_module, double *speedup, char *why) {
    (void)probe_compiled;
    (void)probe_module;
    (void)why;
    *speedup = 0; /* there is no interpreter that could be at work */
    return true;
}
