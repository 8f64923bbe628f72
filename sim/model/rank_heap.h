/* Numbered items by rank, the lowest first: a binary heap that knows where each item is, so that a rank may
 * change. Equal ranks go by an order of the caller's, which makes the first item unique. Every change costs
 * O(log items), the first item O(1). */
#ifndef FSIM_MODEL_RANK_HEAP_H
#define FSIM_MODEL_RANK_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#define FSIM_RANK_NONE UINT32_MAX

typedef struct fsim_rank_heap {
    /* Does item a come before b where their ranks are equal? */
    bool (*before)(const void *user, uint32_t a, uint32_t b);
    const void *user;
    double *rank;    /* by item */
    uint32_t *place; /* by item: in heap[], or FSIM_RANK_NONE */
    uint32_t *heap;
    uint32_t count, capacity;
} fsim_rank_heap;

/* Room for the items below `items`, none of which is in the heap unless it was. False: out of memory, nothing
 * changed. Begin with a zeroed heap with `before` and `user`. */
bool fsim_rank_heap_reserve(fsim_rank_heap *heap, uint32_t items);
void fsim_rank_heap_deinit(fsim_rank_heap *heap);
/* The item is in the heap, with this rank. */
void fsim_rank_heap_set(fsim_rank_heap *heap, uint32_t item, double rank);
/* The item is not in the heap. */
void fsim_rank_heap_drop(fsim_rank_heap *heap, uint32_t item);

/* FSIM_RANK_NONE: the heap is empty. */
static inline uint32_t fsim_rank_heap_first(const fsim_rank_heap *heap) {
    return heap->count == 0 ? FSIM_RANK_NONE : heap->heap[0];
}

#endif
