#include "autoscale/breaker.h"

#include "autoscale/knative_settings.h"

static int64_t may_run(const fsim_breaker *b) {
    return b->gate && b->capacity > 0 ? INT64_MAX : b->capacity;
}

void fsim_breaker_init(fsim_breaker *b, int64_t queue_depth, int64_t max_concurrency, int64_t capacity) {
    fsim_assert(queue_depth >= 0 && max_concurrency >= 0 && capacity >= 0);
    *b = (fsim_breaker){.capacity = capacity, .places = queue_depth + max_concurrency};
}

void fsim_breaker_init_gate(fsim_breaker *b, bool open) {
    *b = (fsim_breaker){.capacity = open, .places = INT64_MAX, .gate = true};
}

void fsim_breaker_init_queue_proxy(fsim_breaker *b, int64_t container_concurrency) {
    if (container_concurrency == 0) {
        fsim_breaker_init_gate(b, true);
    } else {
        fsim_breaker_init(b, FSIM_KNATIVE_PROXY_QUEUE_FACTOR * container_concurrency, container_concurrency,
                          container_concurrency);
    }
}

fsim_breaker_answer fsim_breaker_arrive(fsim_breaker *b) {
    if (b->running + b->waiting >= b->places) {
        return FSIM_BREAKER_REJECTED;
    }
    if (b->running < may_run(b)) {
        b->running++;
        return FSIM_BREAKER_RUNNING;
    }
    b->waiting++;
    return FSIM_BREAKER_QUEUED;
}

bool fsim_breaker_reserve(fsim_breaker *b) {
    bool taken = b->running + b->waiting < b->places && b->running < may_run(b);
    b->running += taken;
    return taken;
}

/* Starts waiters while there is room. */
static int64_t start_waiters(fsim_breaker *b) {
    int64_t room = may_run(b) - b->running;
    int64_t started = room < b->waiting ? room : b->waiting;
    if (started <= 0) {
        return 0;
    }
    b->waiting -= started;
    b->running += started;
    return started;
}

bool fsim_breaker_finish(fsim_breaker *b) {
    fsim_check(b->running > 0);
    b->running--;
    return start_waiters(b) > 0;
}

void fsim_breaker_cancel(fsim_breaker *b) {
    fsim_check(b->waiting > 0);
    b->waiting--;
}

int64_t fsim_breaker_set_capacity(fsim_breaker *b, int64_t capacity) {
    fsim_assert(capacity >= 0);
    b->capacity = capacity;
    return start_waiters(b);
}
