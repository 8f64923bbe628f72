/* fsim-wasm-worker: loads a module once and forks one child per instance, at the orders of fsim
 * (wasm/protocol.h).
 *
 * Started by fsim with the control socket and the event pipe as descriptors 3 and 4; nobody types it. It ends
 * when fsim closes the control socket, and its children end with it. */
#include "wasm/worker/zygote.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A loop of 100,000 xorshift steps: what compiled code is told from an interpreter by.
 * (loop x ^= x << 13; x ^= x >> 17; x ^= x << 5; until i = 0), exported as "run". */
static const uint8_t probe[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f, 0x03,
    0x02, 0x01, 0x00, 0x07, 0x07, 0x01, 0x03, 0x72, 0x75, 0x6e, 0x00, 0x00, 0x0a, 0x3f, 0x01, 0x3d,
    0x01, 0x02, 0x7f, 0x41, 0x95, 0x9a, 0xef, 0x3a, 0x21, 0x00, 0x41, 0xa0, 0x8d, 0x06, 0x21, 0x01,
    0x03, 0x40, 0x20, 0x00, 0x20, 0x00, 0x41, 0x0d, 0x74, 0x73, 0x21, 0x00, 0x20, 0x00, 0x20, 0x00,
    0x41, 0x11, 0x76, 0x73, 0x21, 0x00, 0x20, 0x00, 0x20, 0x00, 0x41, 0x05, 0x74, 0x73, 0x21, 0x00,
    0x20, 0x01, 0x41, 0x01, 0x6b, 0x22, 0x01, 0x0d, 0x00, 0x0b, 0x20, 0x00, 0x0b};

typedef struct child {
    pid_t pid;
    uint32_t id;
    bool measures;
} child;

typedef struct zygote {
    worker w;
    pid_t self;
    child *children;
    size_t count, capacity;
    uint8_t input[2 * FSIM_WASM_FRAME_MAX];
    size_t held;
    int passed; /* descriptor that came with the input and has no START yet; -1: none */
} zygote;

/* ---- to fsim ---- */

void send_event(const fsim_wasm_message *message) {
    uint8_t frame[FSIM_WASM_FRAME_MAX];
    size_t size = fsim_wasm_encode(message, frame);
    ssize_t n;
    do { /* at most PIPE_BUF: written whole or not at all */
        n = write(EVENT_FD, frame, size);
    } while (n < 0 && errno == EINTR);
    if (n != (ssize_t)size) {
        _exit(1);
    }
}

void send_failed(uint32_t id, fsim_status status, const char *text) {
    fsim_wasm_message m = {.type = FSIM_WASM_FAILED, .id = id};
    m.value[FSIM_WASM_FAILED_STATUS] = (uint64_t)status;
    snprintf(m.text, sizeof m.text, "%s", text);
    send_event(&m);
}

static void send_error(const fsim_error *err) {
    char text[sizeof err->place + sizeof err->text + 2];
    snprintf(text, sizeof text, "%s%s%s", err->place, err->place[0] != '\0' ? ": " : "", err->text);
    send_failed(0, err->status, text);
}

/* ---- HELLO, LOAD ---- */

static void on_hello(zygote *z, const fsim_wasm_message *m) {
    char why[WHY_MAX] = "", text[WHY_MAX + 64];
    worker *w = &z->w;
    if (m->value[FSIM_WASM_HELLO_VERSION] != FSIM_WASM_VERSION) {
        snprintf(text, sizeof text, "the worker speaks version %u of the protocol, fsim speaks %llu",
                 FSIM_WASM_VERSION, (unsigned long long)m->value[FSIM_WASM_HELLO_VERSION]);
        send_failed(0, FSIM_EINTERNAL, text);
        return;
    }
    w->limits = (worker_limits){
        .bounds = {.module_bytes = m->value[FSIM_WASM_HELLO_MODULE_BYTES],
                   .memory_pages = (uint32_t)m->value[FSIM_WASM_HELLO_MEMORY_PAGES],
                   .table_entries = (uint32_t)m->value[FSIM_WASM_HELLO_TABLE_ENTRIES]},
        .cpu_ns = (fsim_ns)m->value[FSIM_WASM_HELLO_CPU_NS],
        .wall_ns = (fsim_ns)m->value[FSIM_WASM_HELLO_WALL_NS],
        .compile_ns = (fsim_ns)m->value[FSIM_WASM_HELLO_COMPILE_NS],
        .output_bytes = m->value[FSIM_WASM_HELLO_OUTPUT_BYTES],
        .data_bytes = m->value[FSIM_WASM_HELLO_DATA_BYTES],
    };
    w->verify = m->value[FSIM_WASM_HELLO_VERIFY] != 0;
    snprintf(w->cache, sizeof w->cache, "%s", m->text);
    if (!backend_describe(w->runtime, sizeof w->runtime, why)) {
        send_failed(0, FSIM_EIO, why);
        return;
    }
    fsim_wasm_message answer = {.type = FSIM_WASM_HELLO};
    answer.value[FSIM_WASM_HELLO_VERSION] = FSIM_WASM_VERSION;
    snprintf(answer.text, sizeof answer.text, "%s", w->runtime);
    send_event(&answer);
}

static fsim_status read_module(const char *path, size_t most, uint8_t **bytes, size_t *size,
                               fsim_error *err) {
    FILE *f = fopen(path, "rb");
    *bytes = f == NULL ? NULL : malloc(most + 1);
    if (*bytes == NULL) {
        fsim_status status =
            fsim_fail_at(err, FSIM_EIO, path, "%s", f == NULL ? strerror(errno) : "out of memory");
        if (f != NULL) {
            fclose(f);
        }
        return status;
    }
    *size = fread(*bytes, 1, most + 1, f);
    fclose(f);
    return FSIM_OK;
}

/* Compiled code must be what runs: the module's own, and the probe beside the interpreter. */
static fsim_status verify(worker *w, double *speedup, fsim_error *err) {
    static const fsim_wasm_module about = {.result = FSIM_WASM_I32};
    cache_entry entry;
    char why[WHY_MAX] = "";
    if (!backend_in_force(w->module, why)) {
        return fsim_fail(err, FSIM_EINTERNAL, "%s", why);
    }
    if (!w->verify || !backend_interprets) {
        return FSIM_OK;
    }
    FSIM_TRY(cache_get(&entry, w, probe, sizeof probe, &about, false, err));
    if (!backend_verify(entry.path, entry.module, speedup, why)) {
        return fsim_fail(err, FSIM_EINTERNAL, "%s", why);
    }
    return FSIM_OK;
}

static fsim_status load(worker *w, const uint8_t *bytes, size_t size, const char *path, bool again,
                        fsim_wasm_message *answer, fsim_error *err) {
    const backend_limits limits = {w->limits.bounds.memory_pages, w->limits.bounds.table_entries};
    cache_entry entry;
    char why[WHY_MAX] = "";
    double speedup = 0;
    FSIM_TRY(fsim_wasm_check(&w->about, bytes, size, &w->limits.bounds, path, err));
    FSIM_TRY(cache_get(&entry, w, bytes, size, &w->about, again, err));
    backend_drop_module(w->module);
    memcpy(w->compiled, entry.path, sizeof w->compiled);
    w->module = backend_read(w->compiled, &w->about, &limits, why);
    if (w->module == NULL || !backend_parse(w->module, why) || !backend_validate(w->module, why)) {
        return fsim_fail_at(err, FSIM_EDATA, path, "%s", why);
    }
    FSIM_TRY(verify(w, &speedup, err));
    backend_prepare(w->module);
    int counter = backend_counts ? -1 : instruction_counter_open();
    w->hardware_counts = counter >= 0;
    if (counter >= 0) {
        close(counter);
    }
    answer->value[FSIM_WASM_LOADED_BYTES] = size;
    answer->value[FSIM_WASM_LOADED_COMPILE_NS] = (uint64_t)entry.compile_ns;
    answer->value[FSIM_WASM_LOADED_COMPILED_BYTES] = entry.bytes;
    answer->value[FSIM_WASM_LOADED_SPEEDUP_MILLI] = (uint64_t)(speedup * 1000.0);
    answer->value[FSIM_WASM_LOADED_COUNTS] = backend_counts ? 1u : w->hardware_counts ? 2u : 0u;
    snprintf(answer->text, sizeof answer->text, "%s", entry.sha256);
    return FSIM_OK;
}

static void on_load(zygote *z, const fsim_wasm_message *m) {
    fsim_error err = {0};
    fsim_wasm_message answer = {.type = FSIM_WASM_LOADED};
    uint8_t *bytes = NULL;
    size_t size = 0;
    fsim_status status = read_module(m->text, z->w.limits.bounds.module_bytes, &bytes, &size, &err);
    if (status == FSIM_OK) {
        status = load(&z->w, bytes, size, m->text, m->value[FSIM_WASM_LOAD_AGAIN] != 0, &answer, &err);
    }
    free(bytes);
    if (status == FSIM_OK) {
        send_event(&answer);
    } else {
        send_error(&err);
    }
}

/* ---- children ---- */

static bool remember(zygote *z, pid_t pid, uint32_t id, bool measures) {
    if (z->count == z->capacity) {
        size_t capacity = z->capacity == 0 ? 256 : 2 * z->capacity;
        child *larger = realloc(z->children, capacity * sizeof *larger);
        if (larger == NULL) {
            return false;
        }
        z->children = larger;
        z->capacity = capacity;
    }
    z->children[z->count++] = (child){pid, id, measures};
    return true;
}

static void leave_signals_alone(void) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    close(CONTROL_FD);
}

static void on_start(zygote *z, const fsim_wasm_message *m) {
    int call_fd = z->passed;
    z->passed = -1;
    if (z->w.module == NULL || call_fd < 0) {
        send_failed(m->id, FSIM_EINTERNAL, "START without a module or a pipe");
        return;
    }
    fsim_ns forked_at_ns = now_ns();
    pid_t pid = fork();
    if (pid == 0) {
        leave_signals_alone();
        instance_run(&z->w, m->id, call_fd, forked_at_ns, z->self);
    }
    close(call_fd);
    if (pid < 0 || !remember(z, pid, m->id, false)) {
        send_failed(m->id, FSIM_ELIMIT, pid < 0 ? strerror(errno) : "out of memory");
    }
}

/* One that has ended already has its EXITED on the way. */
static void on_kill(const zygote *z, const fsim_wasm_message *m) {
    for (size_t i = 0; i < z->count; i++) {
        if (z->children[i].id == m->id && !z->children[i].measures) {
            kill(z->children[i].pid, SIGKILL);
        }
    }
}

static void on_measure(zygote *z, const fsim_wasm_message *m) {
    pid_t pid = z->w.module == NULL ? -1 : fork();
    if (pid == 0) {
        leave_signals_alone();
        backend_drop_module(z->w.module); /* as a process that has not loaded it yet */
        measure_run(&z->w, m->value[FSIM_WASM_MEASURE_ROUNDS], m->value[FSIM_WASM_MEASURE_COLD] != 0,
                    z->self);
    }
    if (pid < 0 || !remember(z, pid, 0, true)) {
        send_failed(0, FSIM_ELIMIT, "no process for the measurement");
    }
}

static void reap(zygote *z) {
    struct rusage used;
    int status = 0;
    for (pid_t pid = wait4(-1, &status, WNOHANG, &used); pid > 0; pid = wait4(-1, &status, WNOHANG, &used)) {
        size_t at = 0;
        while (at < z->count && z->children[at].pid != pid) {
            at++;
        }
        if (at == z->count) {
            continue;
        }
        child gone = z->children[at];
        z->children[at] = z->children[--z->count];
        if (gone.measures && WIFEXITED(status)) {
            continue; /* it has said itself how it went */
        }
        fsim_wasm_message m = {.type = FSIM_WASM_EXITED, .id = gone.id};
        m.value[FSIM_WASM_EXITED_STATUS] = (uint64_t)(uint32_t)status;
        m.value[FSIM_WASM_EXITED_CPU_NS] =
            (uint64_t)((used.ru_utime.tv_sec + used.ru_stime.tv_sec) * FSIM_SECOND +
                       (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * FSIM_US);
        m.value[FSIM_WASM_EXITED_AT] = (uint64_t)now_ns();
        m.value[FSIM_WASM_EXITED_PEAK_BYTES] = (uint64_t)used.ru_maxrss * 1024u;
        send_event(&m);
    }
}

/* ---- from fsim ---- */

static void obey(zygote *z, const fsim_wasm_message *m) {
    switch (m->type) {
    case FSIM_WASM_HELLO: on_hello(z, m); break;
    case FSIM_WASM_LOAD: on_load(z, m); break;
    case FSIM_WASM_START: on_start(z, m); break;
    case FSIM_WASM_MEASURE: on_measure(z, m); break;
    case FSIM_WASM_KILL: on_kill(z, m); break;
    case FSIM_WASM_LOADED:
    case FSIM_WASM_READY:
    case FSIM_WASM_CALL:
    case FSIM_WASM_RESULT:
    case FSIM_WASM_EXITED:
    case FSIM_WASM_PHASES:
    case FSIM_WASM_MEASURED:
    case FSIM_WASM_FAILED:
    case FSIM_WASM_TYPE_END:
    default: send_failed(0, FSIM_EINTERNAL, "a message that is not for the worker");
    }
}

/* One read takes at most what belongs to one descriptor: the kernel ends it before the next. */
static bool receive(zygote *z) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {z->input + z->held, sizeof z->input - z->held};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof control.space};
    ssize_t n = recvmsg(CONTROL_FD, &message, MSG_CMSG_CLOEXEC);
    if (n <= 0) {
        return n < 0 && errno == EINTR;
    }
    z->held += (size_t)n;
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
        memcpy(&z->passed, CMSG_DATA(c), sizeof z->passed);
    }
    for (;;) {
        fsim_wasm_message m;
        fsim_error err = {0};
        size_t used = 0;
        if (fsim_wasm_decode(z->input, z->held, &m, &used, &err) != FSIM_OK) {
            send_error(&err);
            return false;
        }
        if (used == 0) {
            return true;
        }
        obey(z, &m);
        memmove(z->input, z->input + used, z->held - used);
        z->held -= used;
    }
}

int main(int argc, char **argv) {
    static zygote z = {.passed = -1};
    struct pollfd watched[2] = {{.fd = CONTROL_FD, .events = POLLIN}, {.events = POLLIN}};
    sigset_t children;
    (void)argv;
    if (argc > 1) {
        fputs("fsim starts this program itself: fsim calibrate, fsim exec\n", stderr);
        return FSIM_EUSAGE;
    }
    z.self = getpid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* fsim says when it is over */
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, NULL);
    watched[1].fd = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    while (watched[1].fd >= 0) {
        if (poll(watched, 2, -1) < 0 && errno != EINTR) {
            break;
        }
        if (watched[1].revents != 0) {
            struct signalfd_siginfo info;
            ssize_t n = read(watched[1].fd, &info, sizeof info);
            (void)n;
            reap(&z);
        }
        if (watched[0].revents != 0 && !receive(&z)) {
            break;
        }
    }
    return 0;
}
