/* The engine in charge of real instances instead of drawn times (decision record on exec): policies, limits,
 * queues and accounts are those of a simulation, but how long a start and a request take is what really
 * happens. The driver (sim/cli/live_driver.h) runs the instances and keeps the clock.
 *
 * Instants are those of the run: 0 is its beginning. Instances are the engine's ids, used again after
 * `remove`; requests are its ids, used again after they are done. */
#ifndef FSIM_MODEL_LIVE_H
#define FSIM_MODEL_LIVE_H

#include "base/error.h"
#include "base/time.h"

#include <stdbool.h>

typedef enum fsim_live_kind {
    FSIM_LIVE_DUE,    /* nothing happened until then */
    FSIM_LIVE_READY,  /* instance: its start is over */
    FSIM_LIVE_DONE,   /* request: it has completed */
    FSIM_LIVE_FAILED, /* request: its instance died with it, or it trapped */
    FSIM_LIVE_STOP    /* the run ends here */
} fsim_live_kind;

typedef struct fsim_live_event {
    fsim_live_kind kind;
    fsim_ns at_ns; /* never before that of the event before, never after the instant waited for */
    uint32_t instance, request;
} fsim_live_event;

/* A failure ends the run with it. */
typedef struct fsim_live_ops {
    /* An instance starts: READY follows, unless it is removed before that, or `ready` says that it counts as
     * ready already (provisioned at the beginning). */
    fsim_status (*start)(void *user, uint32_t instance, bool ready, fsim_error *err);
    void (*remove)(void *user, uint32_t instance);
    /* A request begins to execute: DONE or FAILED follows. */
    fsim_status (*begin)(void *user, uint32_t request, uint32_t instance, fsim_error *err);
    /* It has executed for as long as the function's time-out allows: nothing follows any more. */
    fsim_status (*cut)(void *user, uint32_t request, uint32_t instance, fsim_error *err);
    /* Waits for what happens, until_ns at most (FSIM_NEVER: however long it takes). */
    fsim_status (*wait)(void *user, fsim_ns until_ns, fsim_live_event *out, fsim_error *err);
    void *user;
} fsim_live_ops;

#endif
