/* CPU and memory that instances use, for scalers that sample them (fsim_scale_plan.wants_cpu).
 *
 * An executing request demands its CPU rate at full speed. What its instance then uses is
 *     without a CPU model, and under ps: the demand, at most the instance's vCPUs;
 *     linear: the demand at the common speed, at most the instance's vCPUs: a request that is slowed down
 *             needs no more CPU time, only longer;
 *     on a node whose cores go in order of arrival: the cores that its requests hold, at most its vCPUs;
 *     on a node whose requests share: the demand at the node's speed. That changes with every request of the
 *             node; the integral is the demand times what the node's virtual clock has advanced, so it costs
 *             nothing until the instance's own demand changes.
 * An instance without a request uses its background CPU, or nothing when it is frozen. */
#include "model/engine.h"

/* What passes on the clock of a shared node, ns at full speed. */
static double node_clock_ns(const engine *e, uint32_t i) {
    const share_domain *d = &e->domains[engine_share_domain(e, i)];
    return d->virtual_ns + (double)(e->now_ns - d->at_ns) * d->speed;
}

static uint32_t rate_now(const engine *e, const function *f, uint32_t i) {
    const cpu_use *u = &e->cpu_uses[i];
    uint32_t executing = e->instances[i].executing;
    if (executing == 0) {
        return f->freeze ? 0 : f->background_ucore;
    }
    if (e->node_sharing) {
        return 0;
    }
    uint64_t demand = e->node_fcfs ? engine_cores_rate(e, i) : u->demand_ucore;
    if (f->spec.cpu_model == FSIM_CPU_LINEAR && executing > 1u) {
        demand = (uint64_t)((double)demand / (1.0 + (double)(executing - 1u) * f->spec.slowdown_per_request));
    }
    return demand < u->most_ucore ? (uint32_t)demand : u->most_ucore;
}

void engine_cpu_settle(engine *e, uint32_t i) {
    cpu_use *u = &e->cpu_uses[i];
    if (u->at_ns == e->now_ns) {
        return; /* and the node's clock may have gone back to 0 */
    }
    u->used += (fsim_wide)(e->now_ns - u->at_ns) * u->rate_ucore;
    u->at_ns = e->now_ns;
    if (e->node_sharing && u->demand_ucore != 0) {
        double now_ns = node_clock_ns(e, i);
        u->used += (fsim_wide)((now_ns - u->virtual_ns) * (double)u->demand_ucore);
        u->virtual_ns = now_ns;
    }
}

void engine_cpu_change_shared(engine *e, const function *f, uint32_t i, int64_t more_ucore) {
    cpu_use *u = &e->cpu_uses[i];
    engine_cpu_settle(e, i);
    u->demand_ucore += (uint64_t)more_ucore;
    u->rate_ucore = rate_now(e, f, i);
    if (e->node_sharing) {
        u->virtual_ns = node_clock_ns(e, i);
    }
}

void engine_cpu_open(engine *e, const function *f, uint32_t i) {
    uint64_t most = f->usage.vcpu_milli * (FSIM_UCORE / 1000);
    e->cpu_uses[i] =
        (cpu_use){.at_ns = e->now_ns, .most_ucore = most < UINT32_MAX ? (uint32_t)most : UINT32_MAX};
    e->cpu_uses[i].rate_ucore = rate_now(e, f, i);
}

double engine_cpu_mean(engine *e, uint32_t i, double over_ns) {
    cpu_use *u = &e->cpu_uses[i];
    engine_cpu_settle(e, i);
    double mean = over_ns > 0.0 ? (double)(u->used - u->before) / over_ns / FSIM_UCORE : 0.0;
    u->before = u->used;
    return mean;
}

double engine_memory_mb(const engine *e, const function *f, uint32_t i) {
    double most = (double)f->spec.memory_mb;
    if (!f->spec.has_memory_use) {
        return most;
    }
    double used = f->spec.memory_base_mb + f->spec.memory_per_request_mb * e->instances[i].executing;
    return used < most ? used : most;
}
