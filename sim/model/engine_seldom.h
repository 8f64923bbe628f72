/* The parts of the engine that few runs have, declared apart from those that every run has: cores of a node,
 * sessions, versions, real instances, CPU profiles, meters of some price books. Part of engine.h, which
 * includes it; see there. */
#ifndef FSIM_MODEL_ENGINE_SELDOM_H
#define FSIM_MODEL_ENGINE_SELDOM_H

#include "model/engine.h"

/* What few functions need: streams of random numbers, rate limits, admission, crashes. A run of very many has
 * it for none. */
typedef struct function_rest {
    fsim_rng rng_keepalive, rng_timeout, rng_retry, rng_scaling, rng_burst, rng_error;
    fsim_admit_plan admit;
    double admit_tokens, gateway_tokens, provisioned_tokens;
    fsim_ns admit_at_ns, gateway_at_ns, provisioned_at_ns;
    uint64_t gateway_count; /* in the window that ends at gateway_at_ns */
    fsim_start_limiter provisioned_limiter;
    function_failures failures; /* FUNCTION_FAILS */
} function_rest;

function_rest *engine_make_rest(engine *e, function *f); /* engine_setup.c */

/* Made at the first need. */
static inline function_rest *engine_rest(engine *e, function *f) {
    return f->rest != NULL ? f->rest : engine_make_rest(e, f);
}

/* engine_cores.c: cores of a node that go in order of arrival */
void engine_cores_enter(engine *e, uint32_t request); /* it begins to execute */
void engine_cores_fire(engine *e, uint32_t request, uint32_t generation);
void engine_cores_leave(engine *e, uint32_t request);  /* unfinished */
void engine_cores_cut(engine *e, uint32_t request);    /* it has executed for as long as it may */
bool engine_cores_start(engine *e, uint32_t instance); /* EVENT_READY comes; false: it needs no core */
void engine_cores_fire_start(engine *e, uint32_t instance, uint32_t generation);
void engine_cores_call_off(engine *e, uint32_t instance); /* a start that does not go on */
uint32_t engine_cores_rate(const engine *e, uint32_t instance);
void engine_cores_stop(engine *e, node *n, core *c, fsim_ns until_ns); /* later than it is away already */
void engine_cores_resume(engine *e, node *n, core *c);

/* engine_interrupt.c: cores that are away for a while; only with e->node_fcfs. k: the core, among those of
 * all nodes */
void engine_interrupt_set_up(engine *e);
void engine_interrupt_destroy(core_interrupts *x);
void engine_interrupt_fire(engine *e, uint32_t k); /* EVENT_INTERRUPT */
void engine_interrupt_resume(engine *e, uint32_t k);
bool engine_interrupt_is_all(const engine *e); /* nobody will ever be served again */

/* engine_pressure.c: room in a bounded memory; only with e->has_pool */
void engine_pressure_add_functions(engine *e);
void engine_used(engine *e, function *f, uint32_t instance);
void engine_touched(engine *e, function *f); /* its idle instances have changed */
void engine_make_room(engine *e, int64_t memory_mb);

/* engine_session.c: session affinity; only for functions with FUNCTION_SESSIONS */
void engine_session_setup(engine *e, function *f);
void engine_session_grow(engine *e); /* the columns, after the pools of requests and instances */
void engine_session_destroy(session_pool *pool);
void engine_session_mark(engine *e, uint32_t r, uint64_t id); /* request r has arrived */
session_way engine_session_peek(const engine *e, const function *f, uint32_t request, fsim_cause *cause);
session_way engine_session_follow(engine *e, function *f, uint32_t request,
                                  fsim_cause *cause);                                  /* and does it */
void engine_session_bind(engine *e, function *f, uint32_t request, uint32_t instance); /* counted as inside */
void engine_session_take_slot(engine *e, function *f, uint32_t instance); /* for fsim_fleet_enter */
void engine_session_leave(engine *e, uint32_t request);                   /* has completed */
void engine_session_settle(engine *e, function *f, uint32_t instance);    /* ready: parked if it is full */
bool engine_session_is_full(const engine *e, const function *f, uint32_t instance); /* takes no new session */
bool engine_session_holds(const engine *e, const function *f, uint32_t instance);
void engine_session_drain(engine *e, function *f, uint32_t instance); /* leaves the fleet with its sessions */
void engine_session_lose(engine *e, function *f, uint32_t instance,
                         fsim_ns at_ns);                              /* the instance goes then */
void engine_session_fire(engine *e, uint32_t k, uint32_t generation); /* the timer of session k */
void engine_session_stop_waiting(engine *e, uint32_t request, uint32_t generation);
uint64_t engine_session_count(const engine *e, uint32_t fn);

/* engine_versions.c: provisioned instances over time; what a function counts of its versions */
void engine_versions_begin(engine *e, function *f); /* from t = 0 on */
void engine_versions_step(engine *e, function *f, uint32_t step);
void engine_versions_execute(const engine *e, const function *f, bool more); /* these: FUNCTION_VERSION */
void engine_versions_wait(const engine *e, const function *f, bool more);
void engine_versions_live(engine *e, const function *f, bool more); /* an instance */
void engine_versions_windows(const engine *e);

/* engine_adapt.c: keep-alive windows that follow how a function is used */
void engine_adapt_setup(engine *e, function *f);
void engine_adapt_free(function *f);
void engine_adapt_wake(engine *e, function *f); /* an instance starts; only with f->adapting */
void engine_adapt(engine *e, function *f);

/* engine_live.c: real instances */
void engine_live(engine *e);
void engine_live_start(engine *e, uint32_t instance, bool ready);
void engine_live_begin(engine *e, uint32_t request);
void engine_live_cut(engine *e, uint32_t request); /* it has executed for as long as it may */
void engine_live_remove(engine *e, uint32_t instance);

/* engine_profile.c: CPU that changes while nothing else happens */
void engine_bursts_begin(engine *e, function *f, uint32_t request); /* begins to execute; FUNCTION_BURSTS */
void engine_burst_fire(engine *e, uint32_t request, uint32_t generation);
void engine_after_setup(engine *e, function *f);
void engine_after_grow(engine *e, uint32_t before, uint32_t capacity);
void engine_after_open(engine *e, uint32_t instance); /* ready; this and the rest: FUNCTION_AFTER */
uint32_t engine_after_thaw(engine *e, const function *f,
                           uint32_t instance); /* becomes busy: CPU of that work */
void engine_after_response(engine *e, function *f, uint32_t instance);
void engine_after_fire(engine *e, uint32_t instance, uint32_t generation);

/* engine_books.c: what only some price books need; e->books is NULL where none does */
void engine_books_set_up(engine *e);
void engine_books_add_functions(engine *e);
void engine_books_grow_instances(engine *e, uint32_t capacity);
void engine_books_open(engine *e, uint32_t instance); /* its CPU meter has just been opened */
void engine_books_changed(engine *e, function *f);    /* after a start, readiness or release */
fsim_ns engine_books_mark_ns(const engine *e);
void engine_books_mark(engine *e, fsim_ns at_ns);
void engine_books_forget(engine *e, fsim_ns now_ns);
void engine_books_finish(engine *e, fsim_ns end_ns);
void engine_books_destroy(engine *e);

#endif
