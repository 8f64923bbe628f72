#include "wasm/worker/zygote.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { DESCRIPTORS_MAX = 24, NOBODY = 65534 };

static bool limit(__rlimit_resource_t what, uint64_t value) {
    struct rlimit r = {.rlim_cur = value, .rlim_max = value};
    return setrlimit(what, &r) == 0;
}

static void end_with(pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) { /* it went before this one asked */
        _exit(1);
    }
}

/* A guest needs no privilege of ours: who is root becomes nobody. */
static bool drop_privileges(void) {
    if (geteuid() != 0) {
        return true;
    }
    return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
           setresuid(NOBODY, NOBODY, NOBODY) == 0;
}

/* Guests are less urgent than who hands out calls to them: else an answer waits for the next guest's end.
 * Without effect on what a call takes where nobody else wants the core. */
static void step_back(void) {
    enum { NICER = 10 };
    struct sched_param p;
    int policy = sched_getscheduler(0);
    if ((policy == SCHED_FIFO || policy == SCHED_RR) && sched_getparam(0, &p) == 0) {
        p.sched_priority -= p.sched_priority > 1 ? 1 : 0;
        sched_setscheduler(0, SCHED_FIFO, &p);
    } else {
        setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + NICER);
    }
}

int sandbox_enter(const worker_limits *limits, pid_t parent, bool keep_user) {
    step_back();
    int output = memfd_create("guest output", MFD_CLOEXEC);
    if (output < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0) {
        return -1;
    }
    /* What exceeds RLIMIT_FSIZE ends the process by SIGXFSZ, which whoever began it may ignore. */
    bool done = (keep_user || drop_privileges()) && signal(SIGXFSZ, SIG_DFL) != SIG_ERR &&
                limit(RLIMIT_FSIZE, limits->output_bytes) && limit(RLIMIT_DATA, limits->data_bytes) &&
                limit(RLIMIT_NOFILE, DESCRIPTORS_MAX) && limit(RLIMIT_NPROC, 0) && limit(RLIMIT_CORE, 0) &&
                prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    end_with(parent); /* after the change of user, which takes the wish back */
    return done ? output : -1;
}

void sandbox_enter_compiler(fsim_ns cpu_ns, pid_t parent) {
    end_with(parent);
    limit(RLIMIT_CPU, (uint64_t)(cpu_ns / FSIM_SECOND) + 1u);
    limit(RLIMIT_DATA, UINT64_C(2) << 30);
    signal(SIGXFSZ, SIG_DFL);
    limit(RLIMIT_FSIZE, UINT64_C(256) << 20);
    limit(RLIMIT_CORE, 0);
    alarm((unsigned)(4 * cpu_ns / FSIM_SECOND) + 10u); /* it waits for something */
}

/* ---- time ---- */

static fsim_ns read_clock(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (fsim_ns)t.tv_sec * FSIM_SECOND + t.tv_nsec;
}

fsim_ns now_ns(void) {
    return read_clock(CLOCK_MONOTONIC);
}

fsim_ns cpu_now_ns(void) {
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

static bool open_timer(clockid_t clock_id, int signal_number, timer_t *out) {
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = signal_number;
    signal(signal_number, SIG_DFL);
    return timer_create(clock_id, &event, out) == 0;
}

bool sandbox_timers_open(sandbox_timers *timers) {
    return open_timer(CLOCK_THREAD_CPUTIME_ID, SIGXCPU, &timers->cpu) &&
           open_timer(CLOCK_MONOTONIC, SIGALRM, &timers->wall);
}

static void set_timer(timer_t timer, fsim_ns after_ns) {
    struct itimerspec spec = {
        .it_value = {.tv_sec = after_ns / FSIM_SECOND, .tv_nsec = (long)(after_ns % FSIM_SECOND)}};
    timer_settime(timer, 0, &spec, NULL);
}

void sandbox_timers_arm(const sandbox_timers *timers, const worker_limits *limits) {
    set_timer(timers->cpu, limits->cpu_ns);
    set_timer(timers->wall, limits->wall_ns);
}

void sandbox_timers_disarm(const sandbox_timers *timers) {
    set_timer(timers->cpu, 0);
    set_timer(timers->wall, 0);
}

int instruction_counter_open(void) {
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.type = PERF_TYPE_HARDWARE;
    attr.size = sizeof attr;
    attr.config = PERF_COUNT_HW_INSTRUCTIONS;
    attr.exclude_kernel = 1;
    attr.exclude_hv = 1;
    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}
