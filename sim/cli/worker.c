#include "cli/worker.h"

#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *const fsim_backend_names[FSIM_BACKEND_COUNT + 1] = {"wasmedge", "wasm2c", NULL};
static const char *const programs[FSIM_BACKEND_COUNT] = {"fsim-wasm-worker", "fsim-wasm-worker-wasm2c"};

const fsim_worker_limits fsim_worker_default_limits = {
    .bounds = {.module_bytes = 1u << 20, .memory_pages = 1024, .table_entries = 10000},
    .cpu_ns = 2 * FSIM_SECOND,
    .wall_ns = 5 * FSIM_SECOND,
    .compile_ns = 60 * FSIM_SECOND,
    .output_bytes = 64u << 10,
    .data_bytes = UINT64_C(256) << 20,
};

enum { WORKER_CONTROL = 3, WORKER_EVENTS = 4, ABOVE_BOTH = 10 };

fsim_ns fsim_worker_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (fsim_ns)t.tv_sec * FSIM_SECOND + t.tv_nsec;
}

/* ---- starting it ---- */

/* Beside the command itself. */
static fsim_status find_program(fsim_backend backend, char *out, size_t size, fsim_error *err) {
    char self[FSIM_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash == NULL) {
        return fsim_fail(err, FSIM_EIO, "cannot tell where this program lies");
    }
    *slash = '\0';
    if (snprintf(out, size, "%s/%s", self, programs[backend]) >= (int)size) {
        return fsim_fail_at(err, FSIM_EIO, self, "the path is too long");
    }
    return FSIM_OK;
}

fsim_status fsim_worker_check(fsim_backend backend, fsim_error *err) {
    char program[FSIM_PATH_MAX];
    FSIM_TRY(find_program(backend, program, sizeof program, err));
    if (access(program, X_OK) == 0) {
        return FSIM_OK;
    }
    return fsim_fail_at(
        err, FSIM_EIO, programs[backend],
        backend == FSIM_BACKEND_WASMEDGE
            ? "not there: this fsim was built without WasmEdge. scripts/setup-wasmedge.sh gets it, then "
              "build again; or take --backend wasm2c (packages wabt and gcc)"
            : "not there: it belongs beside fsim");
}

static fsim_status cache_folder(char *out, size_t size, fsim_error *err) {
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = base != NULL && base[0] == '/'   ? snprintf(out, size, "%s/fsim/wasm", base)
            : home != NULL && home[0] == '/' ? snprintf(out, size, "%s/.cache/fsim/wasm", home)
                                             : (int)size;
    return n < (int)size
               ? FSIM_OK
               : fsim_fail(err, FSIM_EIO, "no folder for compiled modules: set HOME or XDG_CACHE_HOME");
}

_Noreturn static void become_worker(const char *program, int control, int events) {
    control = fcntl(control, F_DUPFD, ABOVE_BOTH);
    events = fcntl(events, F_DUPFD, ABOVE_BOTH);
    int nothing = open("/dev/null", O_RDWR);
    if (control < 0 || events < 0 || nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
        dup2(control, WORKER_CONTROL) < 0 || dup2(events, WORKER_EVENTS) < 0) {
        _exit(127);
    }
    for (int fd = WORKER_EVENTS + 1; fd <= events + ABOVE_BOTH || fd <= control + ABOVE_BOTH; fd++) {
        close(fd);
    }
#ifdef FSIM_WASM_LIBPATH
    if (strstr(program, "wasm2c") == NULL) {
        setenv("LD_LIBRARY_PATH", FSIM_WASM_LIBPATH, 1);
    }
#endif
    signal(SIGPIPE, SIG_DFL);
    execl(program, program, (char *)NULL);
    _exit(127);
}

static fsim_status spawn(fsim_worker *w, const char *program, fsim_error *err) {
    int control[2] = {-1, -1}, events[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) != 0 || pipe2(events, O_CLOEXEC) != 0) {
        return fsim_fail(err, FSIM_ELIMIT, "no pipes for the worker: %s", strerror(errno));
    }
    pid_t pid = fork();
    if (pid == 0) {
        become_worker(program, control[1], events[1]);
    }
    close(control[1]);
    close(events[1]);
    w->control = control[0];
    w->events = events[0];
    w->pid = pid;
    fcntl(w->events, F_SETFL, O_NONBLOCK);
    return pid > 0 ? FSIM_OK : fsim_fail(err, FSIM_ELIMIT, "no process for the worker: %s", strerror(errno));
}

/* The system call knows this struct; not every C library does. */
typedef struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
} scheduling;

/* fsim has little to do, but at once: arrivals come to the microsecond, and where the kernel knows it (Linux
 * 6.12) its turns are short, so that they come before those of a guest that is at work. Guests step back too
 * (worker/sandbox.c). */
static void come_in_time(void) {
    scheduling wish = {.size = sizeof wish, .policy = SCHED_OTHER, .runtime_ns = 100 * FSIM_US};
    prctl(PR_SET_TIMERSLACK, 1);
    errno = 0;
    wish.nice = getpriority(PRIO_PROCESS, 0);
    if (sched_getscheduler(0) == SCHED_OTHER && errno == 0) {
        syscall(SYS_sched_setattr, 0, &wish, 0);
    }
}

/* An instance costs a descriptor. */
static void allow_many_descriptors(void) {
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

/* ---- sending ---- */

/* What has arrived is read on, so that a worker that waits for room in the pipe goes on too. */
static fsim_status take_in(fsim_worker *w, fsim_error *err) {
    if (w->held_from > 0 && w->held_from == w->held_to) {
        w->held_from = w->held_to = 0;
    }
    if (w->held != NULL && w->held_from > 0 && w->held_capacity - w->held_to < FSIM_WASM_FRAME_MAX) {
        memmove(w->held, w->held + w->held_from, w->held_to - w->held_from);
        w->held_to -= w->held_from;
        w->held_from = 0;
    }
    if (w->held_capacity - w->held_to < FSIM_WASM_FRAME_MAX) {
        size_t capacity = w->held_capacity == 0 ? 1u << 16 : 2 * w->held_capacity;
        uint8_t *larger = realloc(w->held, capacity);
        if (larger == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        w->held = larger;
        w->held_capacity = capacity;
    }
    ssize_t n = read(w->events, w->held + w->held_to, w->held_capacity - w->held_to);
    if (n == 0) {
        return fsim_fail(err, FSIM_EINTERNAL, "the worker (%s) has ended", programs[w->backend]);
    }
    w->held_to += n > 0 ? (size_t)n : 0;
    return FSIM_OK;
}

static fsim_status send_command(fsim_worker *w, const fsim_wasm_message *m, int passed, fsim_error *err) {
    uint8_t frame[FSIM_WASM_FRAME_MAX];
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {frame, fsim_wasm_encode(m, frame)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (passed >= 0) {
        message.msg_control = control.space;
        message.msg_controllen = sizeof control.space;
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof passed);
        memcpy(CMSG_DATA(c), &passed, sizeof passed);
    }
    while (part.iov_len > 0) {
        ssize_t n = sendmsg(w->control, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0) {
            part.iov_base = (uint8_t *)part.iov_base + n;
            part.iov_len -= (size_t)n;
            message.msg_control = NULL;
            message.msg_controllen = 0;
            continue;
        }
        if (errno == ETOOMANYREFS || errno == EAGAIN) { /* too many descriptors on their way, or no room */
            struct pollfd either[2] = {{.fd = w->events, .events = POLLIN},
                                       {.fd = w->control, .events = POLLOUT}};
            poll(either, 2, errno == EAGAIN ? 100 : 1);
            FSIM_TRY(take_in(w, err));
        } else if (errno != EINTR) {
            return fsim_fail(err, FSIM_EINTERNAL, "the worker (%s) has ended", programs[w->backend]);
        }
    }
    return FSIM_OK;
}

fsim_status fsim_worker_start(fsim_worker *w, uint32_t id, fsim_error *err) {
    int ends[2];
    if (id >= w->pipe_count) {
        uint32_t count = id < 64 ? 128 : 2 * id;
        int *pipes = realloc(w->pipes, count * sizeof *pipes);
        w->pipes = pipes != NULL ? pipes : w->pipes;
        fsim_ns *asked_ns = realloc(w->asked_ns, count * sizeof *asked_ns);
        w->asked_ns = asked_ns != NULL ? asked_ns : w->asked_ns;
        if (pipes == NULL || asked_ns == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        for (; w->pipe_count < count; w->pipe_count++) {
            w->pipes[w->pipe_count] = -1;
        }
    }
    fsim_assert(w->pipes[id] < 0);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return fsim_fail(err, FSIM_ELIMIT, "no pipe for another instance: %s (ulimit -n)", strerror(errno));
    }
    w->pipes[id] = ends[1];
    w->asked_ns[id] = fsim_worker_now_ns();
    fsim_status status =
        send_command(w, &(fsim_wasm_message){.type = FSIM_WASM_START, .id = id}, ends[0], err);
    close(ends[0]);
    return status;
}

fsim_status fsim_worker_call(fsim_worker *w, uint32_t id, uint32_t call, fsim_error *err) {
    uint8_t frame[FSIM_WASM_FRAME_MAX];
    size_t size =
        fsim_wasm_encode(&(fsim_wasm_message){.type = FSIM_WASM_CALL, .id = id, .call = call}, frame);
    ssize_t n;
    w->asked_ns[id] = fsim_worker_now_ns();
    do {
        n = write(w->pipes[id], frame, size);
    } while (n < 0 && errno == EINTR);
    /* An instance that has just died: EXITED is on its way. */
    return n == (ssize_t)size || errno == EPIPE
               ? FSIM_OK
               : fsim_fail(err, FSIM_EINTERNAL, "cannot call: %s", strerror(errno));
}

void fsim_worker_release(fsim_worker *w, uint32_t id) {
    if (id < w->pipe_count && w->pipes[id] >= 0) {
        close(w->pipes[id]);
        w->pipes[id] = -1;
    }
}

fsim_status fsim_worker_kill(fsim_worker *w, uint32_t id, fsim_error *err) {
    return send_command(w, &(fsim_wasm_message){.type = FSIM_WASM_KILL, .id = id}, -1, err);
}

fsim_status fsim_worker_measure(fsim_worker *w, uint32_t rounds, bool cold, fsim_error *err) {
    fsim_wasm_message m = {.type = FSIM_WASM_MEASURE};
    m.value[FSIM_WASM_MEASURE_ROUNDS] = rounds;
    m.value[FSIM_WASM_MEASURE_COLD] = cold;
    w->measure_asked_ns = fsim_worker_now_ns();
    return send_command(w, &m, -1, err);
}

/* ---- receiving ---- */

fsim_status fsim_worker_wait(fsim_worker *w, fsim_ns deadline_ns, fsim_wasm_message *out, bool *got,
                             fsim_error *err) {
    for (;;) {
        size_t used = 0;
        if (w->held != NULL) {
            FSIM_TRY(fsim_wasm_decode(w->held + w->held_from, w->held_to - w->held_from, out, &used, err));
        }
        *got = used > 0;
        if (*got) {
            w->held_from += used;
            return FSIM_OK;
        }
        struct pollfd one = {.fd = w->events, .events = POLLIN};
        fsim_ns left_ns = deadline_ns == FSIM_NEVER ? FSIM_NEVER : deadline_ns - fsim_worker_now_ns();
        left_ns = left_ns < 0 ? 0 : left_ns;
        struct timespec t = {.tv_sec = left_ns / FSIM_SECOND, .tv_nsec = (long)(left_ns % FSIM_SECOND)};
        int n = ppoll(&one, 1, deadline_ns == FSIM_NEVER ? NULL : &t, NULL);
        if (n <= 0) {
            return FSIM_OK;
        }
        FSIM_TRY(take_in(w, err));
    }
}

void fsim_worker_death(const fsim_worker *w, const fsim_wasm_message *exited,
                       char out[FSIM_WORKER_DEATH_MAX]) {
    int status = (int)exited->value[FSIM_WASM_EXITED_STATUS];
    static const struct {
        int number;
        const char *why;
    } known[] = {{SIGXCPU, "killed by its CPU time limit (SIGXCPU)"},
                 {SIGALRM, "killed by its wall time limit (SIGALRM)"},
                 {SIGXFSZ, "killed by its output limit (SIGXFSZ)"},
                 {SIGSEGV, "died of SIGSEGV (endless recursion?)"},
                 {SIGABRT, "died of SIGABRT (memory limit?)"}};
    char other[32];
    const char *why = other;
    if (!WIFSIGNALED(status)) {
        snprintf(out, FSIM_WORKER_DEATH_MAX, "ended with code %d", WEXITSTATUS(status));
        return;
    }
    snprintf(other, sizeof other, "died of signal %d", WTERMSIG(status));
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        why = known[i].number == WTERMSIG(status) ? known[i].why : why;
    }
    fsim_ns since_ns =
        exited->id != 0 && exited->id < w->pipe_count ? w->asked_ns[exited->id] : w->measure_asked_ns;
    snprintf(out, FSIM_WORKER_DEATH_MAX, "%s after %.3f s of CPU time in %.3f s", why,
             fsim_ns_to_s((fsim_ns)exited->value[FSIM_WASM_EXITED_CPU_NS]),
             fsim_ns_to_s((fsim_ns)exited->value[FSIM_WASM_EXITED_AT] - since_ns));
}

fsim_status fsim_worker_judge(const fsim_worker *w, const fsim_wasm_message *event, fsim_error *err) {
    if (event->type == FSIM_WASM_FAILED) {
        return fsim_fail(err, (fsim_status)event->value[FSIM_WASM_FAILED_STATUS], "%.500s", event->text);
    }
    if (event->type == FSIM_WASM_EXITED && WIFSIGNALED((int)event->value[FSIM_WASM_EXITED_STATUS])) {
        char why[FSIM_WORKER_DEATH_MAX];
        fsim_worker_death(w, event, why);
        return fsim_fail(err, FSIM_EDATA, "the instance was %s", why);
    }
    return FSIM_OK;
}

fsim_status fsim_worker_expect(fsim_worker *w, fsim_wasm_type type, fsim_ns limit_ns, fsim_wasm_message *out,
                               fsim_error *err) {
    fsim_ns deadline_ns = fsim_worker_now_ns() + limit_ns;
    do {
        bool got = false;
        FSIM_TRY(fsim_worker_wait(w, deadline_ns, out, &got, err));
        if (!got) {
            continue;
        }
        FSIM_TRY(fsim_worker_judge(w, out, err));
        if (out->type == type) {
            return FSIM_OK;
        }
    } while (fsim_worker_now_ns() < deadline_ns);
    return fsim_fail(err, FSIM_EINTERNAL, "the worker (%s) did not answer within %.0f s",
                     programs[w->backend], fsim_ns_to_s(limit_ns));
}

fsim_status fsim_worker_load(fsim_worker *w, const char *path, bool again, fsim_wasm_message *answer,
                             fsim_error *err) {
    fsim_wasm_message m = {.type = FSIM_WASM_LOAD};
    m.value[FSIM_WASM_LOAD_AGAIN] = again;
    if (snprintf(m.text, sizeof m.text, "%s", path) >= (int)sizeof m.text) {
        return fsim_fail_at(err, FSIM_EIO, path, "the path is too long");
    }
    FSIM_TRY(send_command(w, &m, -1, err));
    return fsim_worker_expect(w, FSIM_WASM_LOADED, 600 * FSIM_SECOND, answer, err);
}

static fsim_status greet(fsim_worker *w, const fsim_worker_limits *limits, bool verify, fsim_error *err) {
    fsim_wasm_message m = {.type = FSIM_WASM_HELLO};
    m.value[FSIM_WASM_HELLO_VERSION] = FSIM_WASM_VERSION;
    m.value[FSIM_WASM_HELLO_MEMORY_PAGES] = limits->bounds.memory_pages;
    m.value[FSIM_WASM_HELLO_TABLE_ENTRIES] = limits->bounds.table_entries;
    m.value[FSIM_WASM_HELLO_MODULE_BYTES] = limits->bounds.module_bytes;
    m.value[FSIM_WASM_HELLO_CPU_NS] = (uint64_t)limits->cpu_ns;
    m.value[FSIM_WASM_HELLO_WALL_NS] = (uint64_t)limits->wall_ns;
    m.value[FSIM_WASM_HELLO_OUTPUT_BYTES] = limits->output_bytes;
    m.value[FSIM_WASM_HELLO_DATA_BYTES] = limits->data_bytes;
    m.value[FSIM_WASM_HELLO_COMPILE_NS] = (uint64_t)limits->compile_ns;
    m.value[FSIM_WASM_HELLO_VERIFY] = verify;
    FSIM_TRY(cache_folder(m.text, sizeof m.text, err));
    FSIM_TRY(send_command(w, &m, -1, err));
    FSIM_TRY(fsim_worker_expect(w, FSIM_WASM_HELLO, 60 * FSIM_SECOND, &m, err));
    snprintf(w->runtime, sizeof w->runtime, "%.255s", m.text);
    return FSIM_OK;
}

fsim_status fsim_worker_open(fsim_worker *w, fsim_backend backend, const fsim_worker_limits *limits,
                             bool verify, fsim_error *err) {
    char program[FSIM_PATH_MAX];
    *w = (fsim_worker){.backend = backend, .control = -1, .events = -1};
    FSIM_TRY(fsim_worker_check(backend, err));
    FSIM_TRY(find_program(backend, program, sizeof program, err));
    allow_many_descriptors();
    come_in_time();
    fsim_status status = spawn(w, program, err);
    if (status == FSIM_OK) {
        status = greet(w, limits, verify, err);
    }
    if (status != FSIM_OK) {
        fsim_worker_close(w);
    }
    return status;
}

void fsim_worker_close(fsim_worker *w) {
    if (w->pid <= 0) {
        return;
    }
    close(w->control);
    close(w->events);
    for (uint32_t id = 0; id < w->pipe_count; id++) {
        fsim_worker_release(w, id);
    }
    kill(w->pid, SIGKILL); /* its children end with it */
    while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    free(w->pipes);
    free(w->asked_ns);
    free(w->held);
    *w = (fsim_worker){.control = -1, .events = -1};
}
