/* See start_limiter.h. */
#include "model/start_limiter.h"

#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

static uint64_t capacity(const fsim_start_limit *limit) {
    return (uint64_t)limit->burst * (uint64_t)limit->window_ns;
}

bool fsim_start_limiter_init(fsim_start_limiter *l, const fsim_start_limit *limit) {
    memset(l, 0, sizeof *l);
    l->limit = limit;
    l->left = limit->initial;
    if (limit->kind == FSIM_LIMIT_BUCKET) {
        l->units = (uint64_t)limit->initial * (uint64_t)limit->window_ns;
    } else if (limit->kind == FSIM_LIMIT_SLIDING) {
        l->recent = malloc((size_t)limit->n * sizeof *l->recent);
        return l->recent != NULL;
    }
    return true;
}

void fsim_start_limiter_deinit(fsim_start_limiter *l) {
    free(l->recent);
    l->recent = NULL;
}

static void refill(fsim_start_limiter *l, fsim_ns now_ns) {
    wide units = l->units + (wide)(uint64_t)(now_ns - l->at_ns) * (uint64_t)l->limit->n;
    uint64_t full = capacity(l->limit);
    l->units = units > full ? full : (uint64_t)units;
    l->at_ns = now_ns;
}

bool fsim_start_limiter_take(fsim_start_limiter *l, fsim_ns now_ns) {
    const fsim_start_limit *limit = l->limit;
    switch (limit->kind) {
    case FSIM_LIMIT_FIXED: {
        int64_t window = now_ns / limit->window_ns;
        if (window != l->window) {
            l->window = window;
            l->left = limit->n;
        }
        if (l->left <= 0) {
            return false;
        }
        l->left--;
        return true;
    }
    case FSIM_LIMIT_BUCKET:
        refill(l, now_ns);
        if (l->units < (uint64_t)limit->window_ns) {
            return false;
        }
        l->units -= (uint64_t)limit->window_ns;
        return true;
    case FSIM_LIMIT_SLIDING:
        if (l->count == (uint64_t)limit->n) {
            if (l->recent[l->head] > now_ns - limit->window_ns) {
                return false;
            }
        } else {
            l->count++;
        }
        l->recent[l->head] = now_ns;
        l->head = l->head + 1u == (uint32_t)limit->n ? 0u : l->head + 1u;
        return true;
    case FSIM_LIMIT_NONE:
    default: return true;
    }
}

fsim_ns fsim_start_limiter_next_ns(const fsim_start_limiter *l, fsim_ns now_ns) {
    const fsim_start_limit *limit = l->limit;
    if (limit->kind == FSIM_LIMIT_FIXED) {
        return (now_ns / limit->window_ns + 1) * limit->window_ns;
    }
    if (limit->kind == FSIM_LIMIT_BUCKET) {
        uint64_t lacking = (uint64_t)limit->window_ns - l->units;
        return now_ns + (fsim_ns)((lacking + (uint64_t)limit->n - 1u) / (uint64_t)limit->n);
    }
    if (limit->kind == FSIM_LIMIT_SLIDING) {
        return l->recent[l->head] + limit->window_ns;
    }
    return now_ns;
}
