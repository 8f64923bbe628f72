/* Provisioned instances inside of the engine: their list, number and use (engine_provision.c), and what they
 * claim of the account's limits whether they are used or not (platform.provisioned_claims). */
#ifndef FSIM_MODEL_ENGINE_PROVISION_H
#define FSIM_MODEL_ENGINE_PROVISION_H

#include "model/engine.h"

void engine_provision_setup(engine *e, function *f);                /* the policy and what it begins with */
void engine_provision_begin(engine *e, function *f);                /* the function's first instant */
void engine_provision_again(engine *e, function *f, uint32_t lost); /* in place of some that have failed */
void engine_provision_set(engine *e, function *f, uint32_t want);   /* so many from now on */
void engine_provision_wake(engine *e, function *f);                 /* there may be room again */
void engine_provision_link(engine *e, function *f, uint32_t instance);   /* one starts */
void engine_provision_unlink(engine *e, function *f, uint32_t instance); /* one is gone */
void engine_provision_join(engine *e, function *f);       /* those held back serve, once nothing is to come */
void engine_provision_enter(function *f, fsim_ns now_ns); /* a request begins to execute in one of them */
void engine_provision_leave(function *f, fsim_ns now_ns);
void engine_provision_free(function *f);

/* One that is ready becomes idle, or is no longer. */
void engine_claim_idle(engine *e, const function *f, const instance *in, bool idle);

#endif
