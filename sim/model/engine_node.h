/* Inside of the engine (model/engine.h): a node, and its cores where they go in order of arrival
 * (engine_cores.c). */
#ifndef FSIM_MODEL_ENGINE_NODE_H
#define FSIM_MODEL_ENGINE_NODE_H

#include <stdbool.h>
#include <stdint.h>

/* Who stands in a node's line for a core: a request, or an instance that starts (engine_cores.c). */
typedef struct core_job {
    uint32_t id, generation;
} core_job;

typedef struct node {
    int64_t free_mb;
    uint32_t instances;
    uint32_t cores_free; /* fcfs; the line is a ring, capacity a power of two */
    uint32_t line_head, line_count, line_capacity;
    core_job *line;
} node;

/* fcfs, per instance. */
typedef struct core_use {
    uint32_t requests; /* that hold a core */
    bool starts;       /* its start holds one */
} core_use;

#endif
