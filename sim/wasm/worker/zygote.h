/* The parts of the worker program. The zygote (zygote.c) loads one module and forks one child per instance;
 * it never runs a guest itself. Compilers, measurements and instances each live in a child with limits
 * (sandbox.c). */
#ifndef FSIM_WASM_WORKER_ZYGOTE_H
#define FSIM_WASM_WORKER_ZYGOTE_H

#include "base/time.h"
#include "wasm/protocol.h"
#include "wasm/worker/backend.h"

#include <sys/types.h>

/* Descriptors that fsim hands over. */
enum { CONTROL_FD = 3, EVENT_FD = 4 };

typedef struct worker_limits {
    fsim_wasm_bounds bounds;
    fsim_ns cpu_ns, wall_ns, compile_ns;
    uint64_t output_bytes, data_bytes;
} worker_limits;

typedef struct worker {
    worker_limits limits;
    char cache[PATH_SIZE];
    char runtime[128]; /* name and version */
    bool verify;
    /* the module */
    fsim_wasm_module about;
    char compiled[PATH_SIZE];
    backend_module *module;
    bool hardware_counts;
} worker;

/* ---- cache.c: compiled modules in a folder of the user's, by SHA-256 of the module, runtime and processor
 * ---- */

typedef struct cache_entry {
    char sha256[65];
    char path[PATH_SIZE];   /* of the compiled module */
    char module[PATH_SIZE]; /* of its plain bytes */
    fsim_ns compile_ns;     /* 0: it was there */
    uint64_t bytes;         /* of the compiled module */
} cache_entry;

fsim_status cache_get(cache_entry *out, const worker *w, const uint8_t *bytes, size_t size,
                      const fsim_wasm_module *about, bool again, fsim_error *err);

/* ---- sandbox.c ---- */

/* Limits of this process for good: memory, descriptors, processes, size of what it writes, privileges, end
 * with its parent. Standard output and error go to a file in memory, whose descriptor is returned; -1: it
 * failed. keep_user: who is root stays it, because it still has to read compiled modules. */
int sandbox_enter(const worker_limits *limits, pid_t parent, bool keep_user);
/* For a compiler: CPU time and memory alone. */
void sandbox_enter_compiler(fsim_ns cpu_ns, pid_t parent);

/* Timers that end this process by SIGXCPU (CPU time) or SIGALRM (wall time). */
typedef struct sandbox_timers {
    timer_t cpu, wall;
} sandbox_timers;
bool sandbox_timers_open(sandbox_timers *timers);
void sandbox_timers_arm(const sandbox_timers *timers, const worker_limits *limits);
void sandbox_timers_disarm(const sandbox_timers *timers);

fsim_ns now_ns(void);
fsim_ns cpu_now_ns(void);
/* A descriptor that counts this thread's instructions in user space by hardware; -1: not to be had here. */
int instruction_counter_open(void);

/* ---- instance.c ---- */

/* The life of an instance, in its own process: instantiates, answers calls from call_fd until it is closed.
 */
_Noreturn void instance_run(const worker *w, uint32_t id, int call_fd, fsim_ns forked_at_ns, pid_t parent);
/* A warm process that starts instances in itself, and says how long each phase took. */
_Noreturn void measure_run(const worker *w, uint64_t rounds, bool cold, pid_t parent);

/* ---- zygote.c ---- */

/* Sends one message to fsim; a fsim that is gone ends the process. */
void send_event(const fsim_wasm_message *message);
void send_failed(uint32_t id, fsim_status status, const char *text);

#endif
