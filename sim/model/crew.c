/* See crew.h. A round is one word, so that a thread takes a job only of the round whose job it has read:
 * round << 32 | count << 16 | next. */
#include "model/crew.h"

#include "model/run.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { LOOKS = 4000 }; /* for something to do, before sleeping: some tens of microseconds */

struct crew {
    _Alignas(64) _Atomic uint64_t round;
    void (*job)(void *user, uint32_t i); /* of the round that is under way */
    void *user;
    _Alignas(64) atomic_uint done; /* jobs of it */
    atomic_uint asleep;            /* threads */
    atomic_bool waits, stop;       /* waits: the caller sleeps until all is done */
    pthread_mutex_t lock;          /* around falling asleep */
    pthread_cond_t next_round, all_done;
    uint32_t threads; /* beside the caller */
    pthread_t id[FSIM_THREADS_MAX];
};

static uint32_t count_of(uint64_t round) {
    return (uint32_t)(round >> 16) & CREW_JOBS_MAX;
}

static bool is_open(uint64_t round) {
    return ((uint32_t)round & CREW_JOBS_MAX) < count_of(round);
}

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Does jobs as long as there are any. */
static void work(crew *c) {
    uint64_t round = atomic_load(&c->round);
    while (is_open(round)) {
        if (!atomic_compare_exchange_weak(&c->round, &round, round + 1u)) {
            continue;
        }
        uint32_t count = count_of(round); /* the round lasts until this job is done, its fields are steady */
        c->job(c->user, (uint32_t)round & CREW_JOBS_MAX);
        if (atomic_fetch_add(&c->done, 1u) + 1u == count && atomic_load(&c->waits)) {
            pthread_mutex_lock(&c->lock);
            pthread_cond_signal(&c->all_done);
            pthread_mutex_unlock(&c->lock);
        }
        round = atomic_load(&c->round);
    }
}

static bool idle(crew *c) {
    return !is_open(atomic_load(&c->round)) && !atomic_load(&c->stop);
}

static void sleep_until_round(crew *c) {
    pthread_mutex_lock(&c->lock);
    atomic_fetch_add(&c->asleep, 1u);
    while (idle(c)) {
        pthread_cond_wait(&c->next_round, &c->lock);
    }
    atomic_fetch_sub(&c->asleep, 1u);
    pthread_mutex_unlock(&c->lock);
}

static void *serve(void *argument) {
    crew *c = argument;
    while (!atomic_load(&c->stop)) {
        work(c);
        for (uint32_t k = 0; k < LOOKS && idle(c); k++) {
            relax();
        }
        if (idle(c)) {
            sleep_until_round(c);
        }
    }
    return NULL;
}

crew *crew_create(uint32_t threads) {
    uint32_t want = fsim_threads(threads);
    crew *c = want > 1 ? aligned_alloc(_Alignof(crew), sizeof *c) : NULL;
    if (c == NULL) {
        return NULL;
    }
    *c = (crew){.lock = PTHREAD_MUTEX_INITIALIZER,
                .next_round = PTHREAD_COND_INITIALIZER,
                .all_done = PTHREAD_COND_INITIALIZER};
    while (c->threads + 1u < want && pthread_create(&c->id[c->threads], NULL, serve, c) == 0) {
        c->threads++;
    }
    return c;
}

static void wake(crew *c) {
    if (atomic_load(&c->asleep) != 0) {
        pthread_mutex_lock(&c->lock);
        pthread_cond_broadcast(&c->next_round);
        pthread_mutex_unlock(&c->lock);
    }
}

void crew_destroy(crew *c) {
    if (c == NULL) {
        return;
    }
    atomic_store(&c->stop, true);
    wake(c);
    for (uint32_t t = 0; t < c->threads; t++) {
        pthread_join(c->id[t], NULL);
    }
    pthread_cond_destroy(&c->next_round);
    pthread_cond_destroy(&c->all_done);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static bool is_done(crew *c, uint32_t count) {
    return atomic_load(&c->done) == count;
}

static void wait_until_done(crew *c, uint32_t count) {
    for (uint32_t k = 0; k < LOOKS && !is_done(c, count); k++) {
        relax();
    }
    if (!is_done(c, count)) {
        pthread_mutex_lock(&c->lock);
        atomic_store(&c->waits, true);
        while (!is_done(c, count)) {
            pthread_cond_wait(&c->all_done, &c->lock);
        }
        atomic_store(&c->waits, false);
        pthread_mutex_unlock(&c->lock);
    }
}

void crew_do(crew *c, uint32_t count, void (*job)(void *user, uint32_t i), void *user) {
    if (c == NULL || c->threads == 0) {
        for (uint32_t i = 0; i < count; i++) {
            job(user, i);
        }
        return;
    }
    c->job = job;
    c->user = user;
    atomic_store(&c->done, 0u);
    atomic_store(&c->round, ((atomic_load(&c->round) >> 32) + 1u) << 32 | (uint64_t)count << 16);
    wake(c);
    work(c);
    wait_until_done(c, count);
}
