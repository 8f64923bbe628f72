#include "cli/stall_watch.h"

#include "cli/worker.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

typedef struct fsim_stall_watcher {
    pthread_t thread, waker;
    bool running, waking;
    uint32_t core;
    int cpu;
    atomic_bool stop;
    bool complete; /* until there is no memory for more */
    fsim_stall *stalls;
    size_t count, capacity;
} fsim_stall_watcher;

static void note(fsim_stall_watcher *w, fsim_ns at_ns, fsim_ns for_ns) {
    if (w->count == w->capacity && w->complete) {
        size_t capacity = w->capacity == 0 ? 1024 : 2 * w->capacity;
        fsim_stall *larger = realloc(w->stalls, capacity * sizeof *larger);
        w->complete = larger != NULL;
        w->stalls = larger != NULL ? larger : w->stalls;
        w->capacity = larger != NULL ? capacity : w->capacity;
    }
    if (w->complete) {
        w->stalls[w->count++] = (fsim_stall){w->core, at_ns, for_ns};
    }
}

static bool stay_on(int cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0;
}

/* Only at a priority at which it is in nobody's way. */
static void *keep_awake(void *user) {
    const fsim_stall_watcher *w = user;
    const struct sched_param none = {.sched_priority = 0};
    bool modest = sched_setscheduler(0, SCHED_IDLE, &none) == 0 && stay_on(w->cpu);
    while (modest && !atomic_load_explicit(&w->stop, memory_order_relaxed)) {
    }
    return NULL;
}

/* The next higher priority; false: this thread cannot be where it should. */
static bool take_place(int cpu) {
    struct sched_param p;
    int policy = sched_getscheduler(0);
    prctl(PR_SET_TIMERSLACK, 1);
    if ((policy == SCHED_FIFO || policy == SCHED_RR) && sched_getparam(0, &p) == 0) {
        p.sched_priority += p.sched_priority < sched_get_priority_max(policy) ? 1 : 0;
        sched_setscheduler(0, SCHED_FIFO, &p); /* refused: it stays where it is */
    }
    return stay_on(cpu);
}

static void *watch_core(void *user) {
    fsim_stall_watcher *w = user;
    w->complete = take_place(w->cpu);
    fsim_ns due_ns = fsim_worker_now_ns();
    while (w->complete && !atomic_load_explicit(&w->stop, memory_order_relaxed)) {
        due_ns += FSIM_STALL_STEP_NS;
        struct timespec t = {.tv_sec = due_ns / FSIM_SECOND, .tv_nsec = (long)(due_ns % FSIM_SECOND)};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0) {
        }
        fsim_ns late_ns = fsim_worker_now_ns() - due_ns;
        if (late_ns >= FSIM_STALL_LEAST_NS) {
            note(w, due_ns - FSIM_STALL_STEP_NS / 2, late_ns + FSIM_STALL_STEP_NS / 2);
        }
        due_ns += late_ns;
    }
    return NULL;
}

bool fsim_stall_watch_begin(fsim_stall_watch *watch, bool awake) {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    sched_getaffinity(0, sizeof allowed, &allowed);
    int count = CPU_COUNT(&allowed);
    *watch = (fsim_stall_watch){.all_noted = count > 0};
    watch->watchers = calloc((size_t)count + 1u, sizeof *watch->watchers);
    if (watch->watchers == NULL) {
        return false;
    }
    for (int cpu = 0; cpu < CPU_SETSIZE && watch->cores < (uint32_t)count; cpu++) {
        if (CPU_ISSET((size_t)cpu, &allowed)) {
            fsim_stall_watcher *w = &watch->watchers[watch->cores];
            w->core = watch->cores++;
            w->cpu = cpu;
            w->running = pthread_create(&w->thread, NULL, watch_core, w) == 0;
            w->waking = awake && pthread_create(&w->waker, NULL, keep_awake, w) == 0;
        }
    }
    return true;
}

static int compare_at(const void *a, const void *b) {
    const fsim_stall *x = a, *y = b;
    return x->at_ns != y->at_ns ? (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns)
                                : (x->core > y->core) - (x->core < y->core);
}

void fsim_stall_watch_end(fsim_stall_watch *watch) {
    for (uint32_t k = 0; k < watch->cores; k++) {
        atomic_store_explicit(&watch->watchers[k].stop, true, memory_order_relaxed);
    }
    size_t count = 0;
    for (uint32_t k = 0; k < watch->cores; k++) {
        fsim_stall_watcher *w = &watch->watchers[k];
        if (w->running) {
            pthread_join(w->thread, NULL);
        }
        if (w->waking) {
            pthread_join(w->waker, NULL);
        }
        watch->all_noted &= w->running && w->complete;
        w->running = w->waking = false;
        count += w->count;
    }
    watch->stalls = malloc((count + 1u) * sizeof *watch->stalls);
    if (watch->stalls == NULL) {
        watch->all_noted = false;
        return;
    }
    for (uint32_t k = 0; k < watch->cores; k++) {
        const fsim_stall_watcher *w = &watch->watchers[k];
        if (w->count > 0) {
            memcpy(watch->stalls + watch->count, w->stalls, w->count * sizeof *w->stalls);
        }
        watch->count += w->count;
    }
    qsort(watch->stalls, watch->count, sizeof *watch->stalls, compare_at);
}

fsim_ns fsim_stall_watch_sum_ns(const fsim_stall_watch *watch, fsim_ns from_ns, fsim_ns to_ns) {
    fsim_ns sum_ns = 0;
    for (size_t i = 0; i < watch->count && watch->stalls[i].at_ns < to_ns; i++) {
        fsim_ns begin_ns = watch->stalls[i].at_ns, end_ns = begin_ns + watch->stalls[i].for_ns;
        begin_ns = begin_ns > from_ns ? begin_ns : from_ns;
        end_ns = end_ns < to_ns ? end_ns : to_ns;
        sum_ns += end_ns > begin_ns ? end_ns - begin_ns : 0;
    }
    return sum_ns;
}

void fsim_stall_watch_destroy(fsim_stall_watch *watch) {
    if (watch->watchers == NULL) {
        return;
    }
    if (watch->stalls == NULL) {
        fsim_stall_watch_end(watch);
    }
    for (uint32_t k = 0; k < watch->cores; k++) {
        free(watch->watchers[k].stalls);
    }
    free(watch->watchers);
    free(watch->stalls);
    *watch = (fsim_stall_watch){.cores = 0};
}
