/* Cores that are away for a while (platform.nodes.interruptions): a hypervisor runs somebody else on them, or
 * the whole node stands still. A core that is away serves nobody; what it has begun goes on afterwards, on
 * the same core, and uses no CPU meanwhile. Interruptions of one core that overlap are one. Those that the
 * scenario lists come one after the other, those that it draws from a stream of each core.
 *
 * Nothing that was scheduled is cancelled: who holds the core knows until when, and its event is scheduled
 * again when it comes too early (engine_cores.c). */
#include "model/engine.h"

#include <stdio.h>
#include <stdlib.h>

struct core_interrupts {
    core *cores;       /* of all nodes */
    fsim_rng *streams; /* one a core; NULL: none is drawn */
    uint32_t cores_each, next;
    uint32_t scheduled; /* events of this file that are pending */
};

static void schedule(engine *e, fsim_ns at_ns, uint32_t k, uint32_t kind) {
    e->interrupts->scheduled++;
    engine_push(e, at_ns, k, kind);
}

static void schedule_listed(engine *e) {
    const fsim_nodes_plan *plan = &e->scenario->nodes;
    uint32_t next = e->interrupts->next;
    if (next < plan->interruption_count) {
        schedule(e, plan->interruptions[next].at_ns, FSIM_NONE, EVENT_INTERRUPT);
    }
}

static void schedule_drawn(engine *e, uint32_t k, fsim_ns from_ns) {
    const fsim_dist *every = &e->scenario->nodes.away_every;
    schedule(e, fsim_ns_add(from_ns, fsim_dist_sample(every, &e->interrupts->streams[k])), k,
             EVENT_INTERRUPT);
}

static void draw_all(engine *e) {
    core_interrupts *x = e->interrupts;
    uint32_t count = e->node_count * x->cores_each;
    x->streams = engine_grow(e, NULL, count, sizeof *x->streams);
    for (uint32_t k = 0; k < count; k++) {
        char name[48];
        snprintf(name, sizeof name, "node %u core %u", k / x->cores_each, k % x->cores_each);
        fsim_rng_seed(&x->streams[k], e->options->seed, name, FSIM_RNG_INTERRUPTION);
        schedule_drawn(e, k, 0);
    }
}

void engine_interrupt_set_up(engine *e) {
    const fsim_nodes_plan *plan = &e->scenario->nodes;
    uint32_t each = (uint32_t)plan->vcpu, count = plan->count * each;
    core_interrupts *x = e->interrupts = engine_grow(e, NULL, 1, sizeof *x);
    *x = (core_interrupts){.cores_each = each};
    x->cores = engine_grow(e, NULL, count, sizeof *x->cores);
    for (uint32_t k = 0; k < count; k++) {
        x->cores[k] = (core){.busy = false};
    }
    for (uint32_t n = 0; n < plan->count; n++) {
        e->nodes[n].cores = x->cores + (size_t)n * each;
        e->nodes[n].core_count = each;
    }
    schedule_listed(e);
    if (plan->interrupts) {
        draw_all(e);
    }
}

void engine_interrupt_destroy(core_interrupts *x) {
    if (x != NULL) {
        free(x->cores);
        free(x->streams);
        free(x);
    }
}

static void interrupt(engine *e, uint32_t k, fsim_ns until_ns) {
    core_interrupts *x = e->interrupts;
    core *c = &x->cores[k];
    if (until_ns > e->now_ns && until_ns > c->away_until_ns) {
        engine_cores_stop(e, &e->nodes[k / x->cores_each], c, until_ns);
        schedule(e, until_ns, k, EVENT_RESUME);
    }
}

static void interrupt_listed(engine *e) {
    core_interrupts *x = e->interrupts;
    const fsim_interruption *one = &e->scenario->nodes.interruptions[x->next++];
    fsim_ns until_ns = fsim_ns_add(e->now_ns, one->for_ns);
    bool all = one->core == UINT32_MAX;
    for (uint32_t k = all ? 0 : one->core; k < (all ? x->cores_each : one->core + 1u); k++) {
        interrupt(e, one->node * x->cores_each + k, until_ns);
    }
    schedule_listed(e);
}

void engine_interrupt_fire(engine *e, uint32_t k) {
    e->interrupts->scheduled--;
    if (k == FSIM_NONE) {
        interrupt_listed(e);
        return;
    }
    fsim_ns for_ns = fsim_dist_sample(&e->scenario->nodes.away_for, &e->interrupts->streams[k]);
    fsim_ns until_ns = fsim_ns_add(e->now_ns, for_ns);
    interrupt(e, k, until_ns);
    schedule_drawn(e, k, until_ns);
}

void engine_interrupt_resume(engine *e, uint32_t k) {
    core_interrupts *x = e->interrupts;
    x->scheduled--;
    if (x->cores[k].away_until_ns == e->now_ns) { /* else another one has begun meanwhile */
        engine_cores_resume(e, &e->nodes[k / x->cores_each], &x->cores[k]);
    }
}

/* Who stands in a node's line is served once a core is back. */
bool engine_interrupt_is_all(const engine *e) {
    bool all = fsim_event_queue_size(&e->queue) == e->interrupts->scheduled;
    for (uint32_t n = 0; all && n < e->node_count; n++) {
        all = e->nodes[n].line_count == 0;
    }
    return all;
}
