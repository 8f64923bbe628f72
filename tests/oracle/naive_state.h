/* Inside of the naive simulator: its state, and what its files share. */
#ifndef FSIM_TESTS_NAIVE_STATE_H
#define FSIM_TESTS_NAIVE_STATE_H

#include "naive.h"

#include "base/error.h"

typedef enum event_kind {
    EVENT_READY,
    EVENT_DONE,
    EVENT_TIMEOUT,
    EVENT_RETRY,
    EVENT_SESSION,
    EVENT_WEAR,
    EVENT_STRIKE
} event_kind;

/* Sorted by instant; equal instants in the order they were scheduled. */
typedef struct event {
    fsim_ns at_ns;
    event_kind kind;
    uint32_t
        who; /* an instance for READY and WEAR, nobody for SESSION, a function for STRIKE, else a request */
    struct event *next;
} event;

typedef enum life { LIFE_STARTING, LIFE_READY, LIFE_GONE } life;

typedef struct instance {
    uint32_t fn;
    life state;
    bool provisioned;
    uint32_t inside;              /* requests executing in it */
    uint32_t *bound, bound_count; /* the requests that wait for it: while it starts, or for a slot of it */
    uint64_t used;                /* larger: dispatched to, completed in or made ready later */
    fsim_ns idle_since_ns;
} instance;

/* One that is bound to an instance; removed when it ends. */
typedef struct session {
    uint32_t fn, id, instance;
    uint32_t inside;            /* its requests that execute or wait in instances */
    fsim_ns began_ns, quiet_ns; /* quiet: when the last of them left */
    uint32_t serial;
} session;

typedef struct simulation {
    const naive_world *w;
    naive_result *out;
    fsim_ns now_ns;
    event *events;
    instance *instances; /* in order of creation; never reused */
    uint32_t instance_count, instance_room;
    uint32_t *queue; /* requests of all functions, oldest first */
    uint32_t queue_count;
    session *sessions;
    uint32_t session_count, session_serial;
    uint64_t *began;      /* of each request: `uses` when its execution began */
    uint32_t *session_of; /* serial of the session that counts the request; 0 */
    uint64_t uses;
    uint32_t last_taken[NAIVE_FUNCTIONS_MAX][2]; /* round robin; [1]: among the provisioned ones */
    fsim_ns *starts_at_ns;                       /* of every start on demand, for the rate limits */
    uint32_t *starts_fn, start_count;
    fsim_wide tokens[NAIVE_FUNCTIONS_MAX]; /* of the bucket, in 1 / window_ns of a start */
    fsim_ns tokens_at_ns[NAIVE_FUNCTIONS_MAX];
    uint32_t next_strike[NAIVE_FUNCTIONS_MAX];
} simulation;

typedef struct state {
    int64_t in_execution, inside, starting, busy, idle, queued, busy_memory_mb;
} state;

#define FOR_EACH_SCOPE(s, fn, var)                                                                           \
    for (uint32_t var##_i = 0; var##_i < 2; var##_i++)                                                       \
        for (naive_scope *var = scope_of((s), var##_i == 0 ? (fn) : FSIM_UNLIMITED); var != NULL; var = NULL)

void *grow(void *block, size_t count, size_t size);
void schedule(simulation *s, fsim_ns at_ns, event_kind kind, uint32_t who);
void unschedule(simulation *s, event_kind kind, uint32_t who);
state count(const simulation *s, uint32_t fn); /* of one function, or of all for FSIM_UNLIMITED */
naive_scope *scope_of(simulation *s, uint32_t fn);
void observe_peaks(simulation *s);
void integrate_until(simulation *s, fsim_ns to_ns);

/* naive.c */
void end_instance(simulation *s, instance *in);
instance *start_instance(simulation *s, uint32_t fn, bool provisioned);
void launch(simulation *s, const instance *in);
bool counted(const simulation *s, uint32_t r);
void count_cold_start(simulation *s, uint32_t r);
void count_wait(simulation *s, uint32_t r);
void bind(simulation *s, uint32_t r, instance *in);
void leave_queue(simulation *s, uint32_t place);
uint32_t first_in_queue(const simulation *s, uint32_t fn);
void serve_queue(simulation *s, uint32_t fn, uint32_t fresh);
bool try_again(simulation *s, uint32_t r);
void attempt(simulation *s, uint32_t r);

/* naive_crash.c */
void crash(simulation *s, uint32_t id);
void schedule_strike(simulation *s, uint32_t fn); /* the next */
void on_strike(simulation *s, uint32_t fn);

/* naive_session.c */
bool session_full(const simulation *s, const instance *in); /* no other session's request may enter it */
bool held(const simulation *s, const instance *in);         /* kept by a session */
session *find_session(const simulation *s, uint32_t request);
fsim_ns last_instant(const simulation *s, const session *x); /* it ends when this is exceeded */
void join_session(simulation *s, uint32_t request,
                  const instance *in); /* the request comes into an instance */
void leave_session(simulation *s, uint32_t request);
void forget_session(simulation *s, uint32_t k);
/* By itself, or lost with its instance, which goes at gone_ns. */
void count_end(simulation *s, const session *x, fsim_ns gone_ns);

#endif
