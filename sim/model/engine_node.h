/* Inside of the engine (model/engine.h): a node, and its cores where they go in order of arrival
 * (engine_cores.c). */
#ifndef FSIM_MODEL_ENGINE_NODE_H
#define FSIM_MODEL_ENGINE_NODE_H

#include "base/time.h"

#include <stdbool.h>
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

#endif
