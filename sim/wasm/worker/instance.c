#include "wasm/worker/zygote.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- one process, one instance ---- */

typedef struct life {
    const worker *w;
    uint32_t id;
    int output, counter; /* counter: -1 where the runtime counts, or nobody can */
    sandbox_timers timers;
    backend_instance *instance;
    uint64_t calls;
} life;

static uint64_t take_output(int output) {
    struct stat s;
    if (fstat(output, &s) != 0 || s.st_size == 0) {
        return 0;
    }
    if (ftruncate(output, 0) != 0 || lseek(output, 0, SEEK_SET) != 0) {
        _exit(1);
    }
    return (uint64_t)s.st_size;
}

static uint64_t count(const life *l) {
    uint64_t n = FSIM_WASM_NO_COUNT;
    if (backend_counts) {
        return backend_instructions(l->instance);
    }
    return l->counter >= 0 && read(l->counter, &n, sizeof n) == sizeof n ? n : FSIM_WASM_NO_COUNT;
}

static void call(life *l, uint32_t number) {
    char why[WHY_MAX];
    backend_result result;
    /* A command ends with its call: the next one gets a fresh instance. */
    if (l->w->about.is_command && l->calls > 0) {
        backend_drop_instance(l->instance);
        l->instance = backend_instantiate(l->w->module, why);
        if (l->instance == NULL) {
            send_failed(l->id, FSIM_EDATA, why);
            _exit(1);
        }
    }
    if (l->calls == 1 && l->w->hardware_counts) { /* not with the first, whose time is part of a cold start */
        l->counter = instruction_counter_open();
    }
    l->calls++;
    sandbox_timers_arm(&l->timers, &l->w->limits);
    uint64_t instructions = count(l);
    fsim_ns cpu_ns = cpu_now_ns(), began_ns = now_ns();
    backend_call(l->instance, &result);
    fsim_ns ended_ns = now_ns();
    cpu_ns = cpu_now_ns() - cpu_ns;
    uint64_t after = count(l);
    sandbox_timers_disarm(&l->timers);

    fsim_wasm_message m = {.type = FSIM_WASM_RESULT, .id = l->id, .call = number};
    m.value[FSIM_WASM_RESULT_OUTCOME] = result.verdict == BACKEND_DONE ? FSIM_WASM_DONE : FSIM_WASM_TRAPPED;
    m.value[FSIM_WASM_RESULT_BEGAN_AT] = (uint64_t)began_ns;
    m.value[FSIM_WASM_RESULT_ENDED_AT] = (uint64_t)ended_ns;
    m.value[FSIM_WASM_RESULT_CPU_NS] = (uint64_t)cpu_ns;
    m.value[FSIM_WASM_RESULT_INSTRUCTIONS] = after == FSIM_WASM_NO_COUNT || instructions == FSIM_WASM_NO_COUNT
                                                 ? FSIM_WASM_NO_COUNT
                                                 : after - instructions;
    m.value[FSIM_WASM_RESULT_OUTPUT_BYTES] = take_output(l->output);
    m.value[FSIM_WASM_RESULT_VALUE] = result.value;
    if (result.verdict == BACKEND_TRAP) {
        snprintf(m.text, sizeof m.text, "%s", result.why);
    }
    send_event(&m);
    if (result.verdict == BACKEND_TRAP) { /* what it left in its memory is nobody's business */
        _exit(0);
    }
}

static void answer_calls(life *l, int call_fd) {
    uint8_t bytes[FSIM_WASM_FRAME_MAX];
    size_t held = 0;
    for (;;) {
        ssize_t n = read(call_fd, bytes + held, sizeof bytes - held);
        if (n <= 0) {
            return; /* fsim has let go of the instance */
        }
        held += (size_t)n;
        for (size_t at = 0;;) {
            fsim_wasm_message m;
            size_t used = 0;
            if (fsim_wasm_decode(bytes + at, held - at, &m, &used, NULL) != FSIM_OK) {
                _exit(1);
            }
            if (used == 0) {
                memmove(bytes, bytes + at, held - at);
                held -= at;
                break;
            }
            at += used;
            if (m.type == FSIM_WASM_CALL) {
                call(l, m.call);
            }
        }
    }
}

void instance_run(const worker *w, uint32_t id, int call_fd, fsim_ns forked_at_ns, pid_t parent) {
    char why[WHY_MAX] = "the sandbox could not be set up";
    life l = {.w = w, .id = id, .counter = -1};
    l.output = sandbox_enter(&w->limits, parent, false);
    if (l.output < 0 || !sandbox_timers_open(&l.timers)) {
        send_failed(id, FSIM_EINTERNAL, why);
        _exit(1);
    }
    sandbox_timers_arm(&l.timers, &w->limits);
    l.instance = backend_instantiate(w->module, why);
    sandbox_timers_disarm(&l.timers);
    if (l.instance == NULL) {
        send_failed(id, FSIM_EDATA, why);
        _exit(1);
    }
    fsim_wasm_message m = {.type = FSIM_WASM_READY, .id = id};
    m.value[FSIM_WASM_READY_PID] = (uint64_t)getpid();
    m.value[FSIM_WASM_READY_FORKED_AT] = (uint64_t)forked_at_ns;
    m.value[FSIM_WASM_READY_AT] = (uint64_t)now_ns();
    send_event(&m);
    answer_calls(&l, call_fd);
    _exit(0);
}

/* ---- starts inside one warm process, phase by phase ---- */

/* The file leaves the page cache; without effect where somebody has it mapped. */
static void forget_file(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        close(fd);
    }
}

static bool measure_round(const worker *w, fsim_wasm_message *m, char *why) {
    backend_limits limits = {w->limits.bounds.memory_pages, w->limits.bounds.table_entries};
    backend_result result = {.verdict = BACKEND_DONE};
    fsim_ns at[FSIM_WASM_PHASE_COUNT + 1];
    at[0] = now_ns();
    backend_module *module = backend_read(w->compiled, &w->about, &limits, why);
    at[1] = now_ns();
    bool ok = module != NULL && backend_parse(module, why);
    at[2] = now_ns();
    ok = ok && backend_validate(module, why);
    at[3] = now_ns();
    backend_instance *instance = ok ? backend_instantiate(module, why) : NULL;
    at[4] = now_ns();
    ok = instance != NULL;
    if (ok) {
        backend_call(instance, &result);
    }
    at[5] = now_ns();
    if (result.verdict == BACKEND_TRAP) {
        snprintf(why, WHY_MAX, "%s", result.why);
    }
    backend_drop_instance(instance);
    backend_drop_module(module);
    for (unsigned p = 0; p < FSIM_WASM_PHASE_COUNT; p++) {
        m->value[p] = (uint64_t)(at[p + 1] - at[p]);
    }
    return ok && result.verdict == BACKEND_DONE;
}

void measure_run(const worker *w, uint64_t rounds, bool cold, pid_t parent) {
    char why[WHY_MAX] = "";
    sandbox_timers timers;
    int output = sandbox_enter(&w->limits, parent, true);
    if (output < 0 || !sandbox_timers_open(&timers)) {
        send_failed(0, FSIM_EINTERNAL, "the sandbox could not be set up");
        _exit(1);
    }
    for (uint64_t i = 0; i < rounds; i++) {
        fsim_wasm_message m = {.type = FSIM_WASM_PHASES, .call = (uint32_t)i};
        if (cold) {
            forget_file(w->compiled);
        }
        sandbox_timers_arm(&timers, &w->limits);
        bool ok = measure_round(w, &m, why);
        sandbox_timers_disarm(&timers);
        take_output(output);
        if (!ok) {
            send_failed(0, FSIM_EDATA, why);
            _exit(1);
        }
        send_event(&m);
    }
    send_event(&(fsim_wasm_message){.type = FSIM_WASM_MEASURED});
    _exit(0);
}
