/* See rank_heap.h. */
#include "model/rank_heap.h"

#include <stdlib.h>

bool fsim_rank_heap_reserve(fsim_rank_heap *h, uint32_t items) {
    if (items <= h->capacity) {
        return true;
    }
    uint32_t capacity = items < 2u * h->capacity ? 2u * h->capacity : items;
    double *rank = realloc(h->rank, capacity * sizeof *rank);
    h->rank = rank != NULL ? rank : h->rank;
    uint32_t *place = realloc(h->place, capacity * sizeof *place);
    h->place = place != NULL ? place : h->place;
    uint32_t *heap = realloc(h->heap, capacity * sizeof *heap);
    h->heap = heap != NULL ? heap : h->heap;
    if (rank == NULL || place == NULL || heap == NULL) {
        return false;
    }
    for (; h->capacity < capacity; h->capacity++) {
        h->place[h->capacity] = FSIM_RANK_NONE;
    }
    return true;
}

void fsim_rank_heap_deinit(fsim_rank_heap *h) {
    free(h->rank);
    free(h->place);
    free(h->heap);
}

static bool earlier(const fsim_rank_heap *h, uint32_t a, uint32_t b) {
    return h->rank[a] < h->rank[b] || (h->rank[a] == h->rank[b] && h->before(h->user, a, b));
}

static void put(fsim_rank_heap *h, uint32_t at, uint32_t item) {
    h->heap[at] = item;
    h->place[item] = at;
}

/* The place `at` is open; the item goes there or to where the order wants it. */
static void settle(fsim_rank_heap *h, uint32_t at, uint32_t item) {
    while (at > 0 && earlier(h, item, h->heap[(at - 1u) / 2u])) {
        put(h, at, h->heap[(at - 1u) / 2u]);
        at = (at - 1u) / 2u;
    }
    for (uint32_t child = 2u * at + 1u; child < h->count; child = 2u * at + 1u) {
        child += child + 1u < h->count && earlier(h, h->heap[child + 1u], h->heap[child]) ? 1u : 0u;
        if (!earlier(h, h->heap[child], item)) {
            break;
        }
        put(h, at, h->heap[child]);
        at = child;
    }
    put(h, at, item);
}

void fsim_rank_heap_set(fsim_rank_heap *h, uint32_t item, double rank) {
    uint32_t at = h->place[item];
    h->rank[item] = rank;
    settle(h, at != FSIM_RANK_NONE ? at : h->count++, item);
}

void fsim_rank_heap_drop(fsim_rank_heap *h, uint32_t item) {
    uint32_t at = h->place[item];
    if (at == FSIM_RANK_NONE) {
        return;
    }
    uint32_t last = h->heap[--h->count];
    h->place[item] = FSIM_RANK_NONE;
    if (last != item) {
        settle(h, at, last);
    }
}
