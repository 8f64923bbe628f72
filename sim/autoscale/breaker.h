/* A limit on running requests with a bounded queue in front: Knative's breaker, in the activator (per
 * revision and per pod) and in the queue-proxy of a pod.
 *
 * At most `capacity` requests run; the others wait, in order; `places` bounds running and waiting together
 * and does not follow the capacity, so with a capacity of 0 that many may wait. The breaker only counts: the
 * caller keeps the queue, and starts its oldest request whenever a call says that one may start.
 *
 * A gate is the breaker of a revision without a concurrency limit: closed (capacity 0) everything waits, open
 * everything runs. Source: knative/serving pkg/queue/breaker.go, pkg/activator/net/throttler.go
 * (infiniteBreaker). Every call is O(1). */
#ifndef FSIM_AUTOSCALE_BREAKER_H
#define FSIM_AUTOSCALE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

typedef enum fsim_breaker_answer {
    FSIM_BREAKER_RUNNING,
    FSIM_BREAKER_QUEUED,
    FSIM_BREAKER_REJECTED /* no place left: 503 */
} fsim_breaker_answer;

typedef struct fsim_breaker {
    int64_t capacity; /* may run at once; a gate: 0 closed, else open */
    int64_t places;   /* may be inside */
    int64_t running, waiting;
    bool gate;
} fsim_breaker;

/* queue_depth + max_concurrency places; 0 <= capacity. */
void fsim_breaker_init(fsim_breaker *b, int64_t queue_depth, int64_t max_concurrency, int64_t capacity);
/* A gate, with no bound on what waits. */
void fsim_breaker_init_gate(fsim_breaker *b, bool open);
/* A pod's queue-proxy: container_concurrency running, ten times as many waiting, so 11 times in all; an open
 * gate when 0. pkg/queue/sharedmain/main.go. */
void fsim_breaker_init_queue_proxy(fsim_breaker *b, int64_t container_concurrency);

/* A request arrives; QUEUED: the caller puts it at the end of its queue. */
fsim_breaker_answer fsim_breaker_arrive(fsim_breaker *b);
/* Takes a running slot if one is free now, without ever waiting. Ends with fsim_breaker_finish. */
bool fsim_breaker_reserve(fsim_breaker *b);
/* A running request ends. True: the oldest waiter starts. */
bool fsim_breaker_finish(fsim_breaker *b);
/* A waiting request gives up. */
void fsim_breaker_cancel(fsim_breaker *b);
/* A new capacity >= 0. Returns how many of the oldest waiters start; running requests are never taken back.
 */
int64_t fsim_breaker_set_capacity(fsim_breaker *b, int64_t capacity);

#endif
