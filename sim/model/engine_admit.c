/* Who may enter before any instance is looked for: the gateway's rate and the admission policy; and the
 * quotas of the account. */
#include "model/engine.h"

#include <math.h>

static bool take_token(double *tokens, fsim_ns *at_ns, fsim_ns now_ns, double rate, double burst) {
    double filled = *tokens + (double)(now_ns - *at_ns) * 1e-9 * rate;
    *tokens = filled > burst ? burst : filled;
    *at_ns = now_ns;
    if (*tokens < 1.0) {
        return false;
    }
    *tokens -= 1.0;
    return true;
}

/* Windows aligned to t = 0; *end_ns is where the one that *count belongs to ends. */
static bool take_of_window(uint64_t *count, fsim_ns *end_ns, fsim_ns now_ns,
                           const fsim_gateway_plan *gateway) {
    if (now_ns >= *end_ns) {
        *end_ns = fsim_ns_add((now_ns / gateway->window_ns) * gateway->window_ns, gateway->window_ns);
        *count = 0;
    }
    if ((double)*count + 1.0 > gateway->rate_per_s * fsim_ns_to_s(gateway->window_ns) + 1e-9) {
        return false;
    }
    ++*count;
    return true;
}

/* What has reserved concurrency has a rate of its own by it. */
static bool take_of_reserve(engine *e, function *f) {
    double rate = e->scenario->gateway.per_concurrency * f->inside_limit;
    return f->inside_limit == 0 /* refused as such */ ||
           take_token(&engine_rest(e, f)->gateway_tokens, &engine_rest(e, f)->gateway_at_ns, e->now_ns, rate,
                      fmax(1.0, rate));
}

static bool pass_gateway(engine *e, function *f) {
    const fsim_gateway_plan *gateway = &e->scenario->gateway;
    if (gateway->per_concurrency > 0.0 && f->has_reserve) {
        return take_of_reserve(e, f);
    }
    function_rest *own = gateway->per_function ? engine_rest(e, f) : NULL;
    fsim_ns *at_ns = own != NULL ? &own->gateway_at_ns : &e->gateway_at_ns;
    if (gateway->window_ns > 0) {
        uint64_t *count = own != NULL ? &own->gateway_count : &e->gateway_count;
        return take_of_window(count, at_ns, e->now_ns, gateway);
    }
    double *tokens = own != NULL ? &own->gateway_tokens : &e->gateway_tokens;
    return gateway->rate_per_s <= 0.0 ||
           take_token(tokens, at_ns, e->now_ns, gateway->rate_per_s, gateway->burst);
}

bool engine_admitted(engine *e, function *version, fsim_cause *cause) {
    function *f = engine_limits(e, version);
    *cause = FSIM_CAUSE_GATEWAY;
    if (e->has_gateway && !pass_gateway(e, f)) {
        return false;
    }
    if (e->has_admission) {
        function_rest *own = engine_rest(e, f);
        if (own->admit.rate_per_s > 0.0 && !take_token(&own->admit_tokens, &own->admit_at_ns, e->now_ns,
                                                       own->admit.rate_per_s, own->admit.burst)) {
            return false;
        }
        if (f->inside + f->queued >= own->admit.in_system_max) {
            *cause = FSIM_CAUSE_FUNCTION;
            return false;
        }
    }
    return true;
}

/* Beyond it a request goes to an instance on demand (policies spec, sections 4.1 and 4.2). */
bool engine_provisioned_rate(engine *e, function *f) {
    double rate = e->scenario->gateway.per_concurrency * f->fleet[1].count;
    return rate <= 0.0 || take_token(&engine_rest(e, f)->provisioned_tokens,
                                     &engine_rest(e, f)->provisioned_at_ns, e->now_ns, rate, fmax(1.0, rate));
}

/* Is there room for one more instance that starts or becomes busy? */
bool engine_quota_full(const engine *e, const function *f, fsim_cause *cause) {
    if (e->quota_used_mb + f->spec.memory_mb > e->scenario->memory_quota_mb) {
        *cause = FSIM_CAUSE_MEMORY_QUOTA;
        return true;
    }
    if (engine_busy(e)->n + e->starting.n + e->idle_claimed >= e->scenario->account_instances) {
        *cause = FSIM_CAUSE_ACCOUNT;
        return true;
    }
    return false;
}
