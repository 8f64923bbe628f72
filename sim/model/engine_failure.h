/* Inside of the engine: instances that crash or turn unhealthy (engine_failure.c says how). engine.h includes
 * this; but for setup, all of it is only for functions with FUNCTION_FAILS. */
#ifndef FSIM_MODEL_ENGINE_FAILURE_H
#define FSIM_MODEL_ENGINE_FAILURE_H

#include "base/rng.h"

#include <stdbool.h>

struct engine;
struct function;

typedef struct failure_columns failure_columns; /* of requests and instances */

/* Of a function whose instances fail. */
typedef struct function_failures {
    fsim_rng rng_crash, rng_health, rng_error;
    uint32_t next_strike;      /* of the scenario's list */
    uint32_t provisioned_lost; /* not yet replaced */
    uint32_t leaving;          /* found unhealthy, and still with requests */
} function_failures;

void engine_failure_setup(struct engine *e, struct function *f);
void engine_failure_grow(struct engine *e); /* the columns, after the pools of requests and instances */
void engine_failure_destroy(failure_columns *columns);
void engine_failure_begin(struct engine *e, struct function *f); /* the next of the crashes asked for */
bool engine_failure_aborts(struct engine *e, struct function *f,
                           uint32_t instance); /* its start is over; true: it failed, and is gone */
void engine_failure_open(struct engine *e, struct function *f, uint32_t instance); /* ready */
void engine_failure_join(struct engine *e, struct function *f, uint32_t request);  /* begins to execute */
bool engine_failure_ends(struct engine *e, struct function *f,
                         uint32_t request); /* true: its instance with it */
bool engine_failure_spoils(struct engine *e, struct function *f,
                           uint32_t instance); /* what it answers is an error */
bool engine_failure_rests(const struct engine *e, uint32_t instance);
void engine_failure_gone(struct engine *e, struct function *f, uint32_t instance);
void engine_failure_complete(struct engine *e, uint32_t request, uint32_t generation);
void engine_failure_fire(struct engine *e, uint32_t instance, uint32_t generation);
void engine_failure_strike(struct engine *e, struct function *f);
void engine_failure_replace(struct engine *e, struct function *f);

#endif
