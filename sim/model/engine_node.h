/* Inside of the engine (model/engine.h): a node, its cores where they go in order of arrival
 * (engine_cores.c), and what requests share where they slow each other down (engine_share.c). */
#ifndef FSIM_MODEL_ENGINE_NODE_H
#define FSIM_MODEL_ENGINE_NODE_H

#include "base/inline.h"
#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who stands in a node's line for a core: a request, or an instance that starts (engine_cores.c). */
typedef struct core_job {
    uint32_t id, generation;
} core_job;

/* A core of a node where cores are interrupted (engine_interrupt.c). */
typedef struct core {
    core_job job; /* who holds it, if it is busy */
    bool busy;
    fsim_ns away_until_ns; /* 0: it is there */
} core;

typedef struct node {
    int64_t free_mb;
    uint32_t instances;
    uint32_t cores_free; /* fcfs: neither busy nor away; the line is a ring, capacity a power of two */
    uint32_t line_head, line_count, line_capacity;
    core_job *line;
    core *cores; /* NULL: they are never away, and none is told from another */
    uint32_t core_count, core_next;
} node;

/* fcfs, per instance. */
typedef struct core_use {
    uint32_t requests, stopped; /* that hold a core; whose core is away */
    bool starts;                /* its start holds one */
    fsim_ns start_until_ns;     /* and gives it back then */
} core_use;

typedef struct core_interrupts core_interrupts;

enum { DOMAIN_FEW = 4 };

/* A request that shares CPU, and its domain's virtual time when it completes. */
typedef struct sharer {
    double finish_work;
    uint32_t request;
} sharer;

/* Requests that share CPU: those of one instance, or of one node. Virtual time advances by the common speed;
 * a heap orders by it. */
typedef struct share_domain {
    _Alignas(64) double virtual_ns;
    double speed, demand; /* demand: sum of CPU fractions */
    fsim_ns at_ns;
    uint32_t count, capacity, generation;
    bool linear;
    union {
        double cores;    /* ps */
        double slowdown; /* linear */
    };
    sharer *large; /* NULL: few is enough */
    /* the next cache line: the heap, by finish_work, then by order of entering (share_heap) */
    sharer few[DOMAIN_FEW];
} share_domain;

FSIM_INLINE sharer *share_heap(share_domain *d) {
    return d->large != NULL ? d->large : d->few;
}

#endif
