/* The pending events of one run, ordered by instant; events of one instant leave in the order they were
 * pushed.
 *
 * A calendar: a wheel of buckets, each 2^shift ns wide and holding a list sorted by instant, with a bitmap
 * that finds the next bucket in use; events beyond the wheel's horizon wait in a 4-ary heap and move in when
 * the horizon reaches their bucket. The wheel measures itself and is laid out anew when the mean gap between
 * events or their number has drifted: no tick size to choose, and the order never depends on the layout. (R.
 * Brown, "Calendar queues", CACM 31(10), 1988; the far heap replaces Brown's years.)
 *
 * Cost of one push and pop: 10 to 15 ns at 2,000 pending, 25 ns at 200,000, as long as most events lie within
 * a few thousand gaps; a far event adds a heap operation. Equal instants: O(1) each, whatever their number.
 * Peeking is a load and changes nothing, so arrivals may still come in before the head.
 *
 * Monotone: an event is never earlier than the present, which is given with every push. Nothing can be
 * cancelled: an event that has become void is recognised by its receiver. Memory: 24 bytes an event; grows
 * only in fsim_event_queue_reserve. */
#ifndef FSIM_CORE_EVENT_QUEUE_H
#define FSIM_CORE_EVENT_QUEUE_H

#include "base/error.h"
#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct fsim_event {
    fsim_ns at_ns;
    uint32_t target, kind;
} fsim_event;

#define FSIM_EVENT_NONE UINT32_MAX

typedef struct fsim_event_node {
    fsim_ns at_ns;
    uint32_t target, kind;
    uint32_t next; /* in the bucket, or in the free list */
} fsim_event_node;

typedef struct fsim_event_bucket {
    uint32_t head, tail;
} fsim_event_bucket;

typedef struct fsim_event_far {
    fsim_ns at_ns;
    uint64_t serial;
    uint32_t node;
} fsim_event_far;

/* All fields are private. */
typedef struct fsim_event_queue {
    fsim_ns next_ns;    /* instant of the head; FSIM_NEVER when empty */
    uint32_t next_slot; /* its bucket in the wheel; FSIM_EVENT_NONE: it is in the heap */
    uint32_t shift;     /* a bucket is 2^shift ns wide */
    uint64_t mask;      /* buckets - 1 */
    uint64_t day;       /* the wheel holds buckets [day, day + mask] of all time */
    uint64_t far_day;   /* bucket of the heap's top, or UINT64_MAX */
    uint32_t free_node;
    uint32_t in_wheel, in_far;
    fsim_event_node *nodes;
    fsim_event_bucket *buckets;
    uint64_t *used, *used_words; /* bit per bucket; bit per word of `used` */
    fsim_event_far *far;
    uint64_t serial;
    uint32_t capacity, bucket_capacity;
    /* what the wheel has seen since it was laid out */
    uint64_t pops, walked, far_pushes;
    uint64_t pops_review; /* review the layout when `pops` reaches this */
    fsim_ns laid_out_ns;
} fsim_event_queue;

/* False: out of memory. */
bool fsim_event_queue_init(fsim_event_queue *queue, uint32_t capacity);
void fsim_event_queue_deinit(fsim_event_queue *queue);
/* Makes room for `count` pending events in all (amortised O(1) an event). False: out of memory, the queue is
 * as before. */
bool fsim_event_queue_reserve(fsim_event_queue *queue, uint32_t count);

static inline uint32_t fsim_event_queue_size(const fsim_event_queue *queue) {
    return queue->in_wheel + queue->in_far;
}
static inline bool fsim_event_queue_is_full(const fsim_event_queue *queue) {
    return queue->free_node == FSIM_EVENT_NONE;
}
static inline fsim_ns fsim_event_queue_next_ns(const fsim_event_queue *queue) {
    return queue->next_ns;
}

/* Internal: the rare paths of push and pop. */
void fsim_event_queue_push_far(fsim_event_queue *queue, uint32_t node);
void fsim_event_queue_insert_before_tail(fsim_event_queue *queue, fsim_event_bucket *bucket, uint32_t node);
void fsim_event_queue_spread_if_crowded(fsim_event_queue *queue);
void fsim_event_queue_move_in(fsim_event_queue *queue);
void fsim_event_queue_rebase(fsim_event_queue *queue, fsim_ns now_ns);
void fsim_event_queue_review(fsim_event_queue *queue, fsim_ns now_ns);
uint32_t fsim_event_queue_scan(const fsim_event_queue *queue, uint32_t slot);

static inline void fsim_event_queue_link(fsim_event_queue *q, uint32_t node, uint64_t day) {
    uint32_t slot = (uint32_t)(day & q->mask);
    fsim_event_bucket *bucket = &q->buckets[slot];
    fsim_event_node *n = &q->nodes[node];
    if (bucket->head == FSIM_EVENT_NONE) {
        bucket->head = node;
        bucket->tail = node;
        n->next = FSIM_EVENT_NONE;
        q->used[slot >> 6] |= UINT64_C(1) << (slot & 63u);
        q->used_words[slot >> 12] |= UINT64_C(1) << ((slot >> 6) & 63u);
    } else if (q->nodes[bucket->tail].at_ns <= n->at_ns) {
        n->next = FSIM_EVENT_NONE;
        q->nodes[bucket->tail].next = node;
        bucket->tail = node;
    } else {
        fsim_event_queue_insert_before_tail(q, bucket, node);
    }
    q->in_wheel++;
    if (n->at_ns < q->next_ns) {
        q->next_ns = n->at_ns;
        q->next_slot = slot;
    }
}

/* event.at_ns >= now_ns >= every instant popped so far; the queue is not full. */
static inline void fsim_event_queue_push(fsim_event_queue *q, fsim_ns now_ns, fsim_event event) {
    fsim_check(event.at_ns >= now_ns && now_ns >= 0 && q->free_node != FSIM_EVENT_NONE);
    uint32_t node = q->free_node;
    fsim_event_node *n = &q->nodes[node];
    q->free_node = n->next;
    n->at_ns = event.at_ns;
    n->target = event.target;
    n->kind = event.kind;
    if (q->in_wheel == 0) {
        fsim_event_queue_rebase(q, now_ns);
    }
    uint64_t day = (uint64_t)event.at_ns >> q->shift;
    if (day - q->day <= q->mask) {
        uint64_t walked = q->walked;
        fsim_event_queue_link(q, node, day);
        if (q->walked != walked) {
            fsim_event_queue_spread_if_crowded(q);
        }
    } else {
        fsim_event_queue_push_far(q, node);
    }
}

/* The head, without taking it; NULL when it is in the heap or there is none. Valid until the next call. */
static inline const fsim_event_node *fsim_event_queue_peek(const fsim_event_queue *q) {
    return q->next_slot == FSIM_EVENT_NONE ? NULL : &q->nodes[q->buckets[q->next_slot].head];
}

/* Brings in what a later push at at_ns will touch: for callers that know their pushes ahead. */
static inline void fsim_event_queue_prefetch(const fsim_event_queue *q, fsim_ns at_ns) {
    uint64_t slot = ((uint64_t)at_ns >> q->shift) & q->mask;
    __builtin_prefetch(&q->buckets[slot], 1);
    __builtin_prefetch(&q->used[slot >> 6], 1);
}

/* The queue is not empty. */
static inline fsim_event fsim_event_queue_pop(fsim_event_queue *q) {
    if (q->next_slot == FSIM_EVENT_NONE) {
        fsim_event_queue_rebase(q, q->next_ns); /* only the heap holds events: move the wheel there */
    }
    uint32_t slot = q->next_slot;
    fsim_event_bucket *bucket = &q->buckets[slot];
    uint32_t node = bucket->head;
    fsim_event_node *n = &q->nodes[node];
    fsim_event event = {n->at_ns, n->target, n->kind};
    uint32_t next = n->next;
    bucket->head = next;
    n->next = q->free_node;
    q->free_node = node;
    q->in_wheel--;
    q->pops++;
    q->day = (uint64_t)event.at_ns >> q->shift;
    if (q->far_day - q->day <= q->mask) {
        fsim_event_queue_move_in(q); /* never into this bucket: its next day lies just beyond the horizon */
    }
    if (next != FSIM_EVENT_NONE) {
        q->next_ns = q->nodes[next].at_ns;
    } else {
        q->used[slot >> 6] &= ~(UINT64_C(1) << (slot & 63u));
        if (q->used[slot >> 6] == 0) {
            q->used_words[slot >> 12] &= ~(UINT64_C(1) << ((slot >> 6) & 63u));
        }
        if (q->in_wheel != 0) {
            q->next_slot = fsim_event_queue_scan(q, slot);
            q->next_ns = q->nodes[q->buckets[q->next_slot].head].at_ns;
        } else {
            q->next_slot = FSIM_EVENT_NONE;
            q->next_ns = q->in_far != 0 ? q->far[0].at_ns : FSIM_NEVER;
        }
    }
    if (q->pops >= q->pops_review) {
        fsim_event_queue_review(q, event.at_ns);
    }
    return event;
}

#endif
