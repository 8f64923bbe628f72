/* The pending events of one run, ordered by instant; events of one instant leave in the order they were
 * pushed.
 *
 * A wheel of slices, each 2^shift ns wide. An event of a later slice is appended to it unsorted, 16 to a
 * chunk; the slice whose turn has come is sorted at once into the run, an array from which events are taken
 * one after the other; an event of the present slice is inserted there. Events beyond the wheel's horizon
 * wait in a 4-ary heap and move in when the horizon reaches their slice. Sorting some dozens together costs
 * less than keeping each in order, and hardly a branch of it is in doubt. The queue measures itself and is
 * laid out anew when the mean gap between events or their number has drifted, or far events pile up: no tick
 * size to choose, and the order never depends on the layout. (After R. Brown, "Calendar queues", CACM 31(10),
 * 1988, and W. T. Tang, R. S. M. Goh, I. L.-J. Thng, "Ladder queue", ACM TOMACS 15(3), 2005: buckets are
 * sorted when they are reached; the far heap replaces years and rungs.)
 *
 * Cost of one push and pop: about 60 instructions, as long as most events lie within a few thousand gaps; a
 * far event adds a heap operation. Equal instants: O(1) each, whatever their number. Peeking is a load and
 * changes nothing, so arrivals may still come in before the head.
 *
 * Monotone: an event is never earlier than the present, which is given with every push. Nothing can be
 * cancelled: an event that has become void is recognised by its receiver. Memory: about 72 bytes an event;
 * grows only in fsim_event_queue_reserve and, by the wheel's own size, when it is laid out anew. */
#ifndef FSIM_CORE_EVENT_QUEUE_H
#define FSIM_CORE_EVENT_QUEUE_H

#include "base/error.h"
#include "base/inline.h"
#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct fsim_event {
    fsim_ns at_ns;
    uint32_t target, kind;
} fsim_event;

#define FSIM_EVENT_CHUNK 16u

typedef struct fsim_event_slice {
    uint32_t last, count; /* the chunk being filled; events */
} fsim_event_slice;

typedef struct fsim_event_far {
    fsim_event event;
    uint64_t serial;
} fsim_event_far;

/* All fields are private. */
typedef struct fsim_event_queue {
    fsim_ns next_ns; /* instant of the head; FSIM_NEVER when empty */
    fsim_event *run; /* the present slice, sorted: [run_at, run_end); empty only if the queue is */
    uint32_t run_at, run_end;
    uint32_t count, capacity; /* events */
    uint32_t shift;           /* a slice is 2^shift ns wide */
    uint32_t chunk_free;
    uint64_t mask; /* slices - 1 */
    /* The present slice, counted from 0; the wheel holds (day, day + mask]. Beyond all while it is empty. */
    uint64_t day;
    fsim_event_slice *slices;
    fsim_event *chunks; /* FSIM_EVENT_CHUNK events each */
    uint32_t *chunk_before;
    uint64_t *used; /* bit per slice */
    uint64_t used_words;
    uint32_t in_far;
    uint32_t slice_capacity, chunk_count;
    uint64_t far_day; /* slice of the heap's top, or UINT64_MAX */
    fsim_event_far *far;
    uint64_t serial;
    /* what it has seen since it was laid out */
    uint64_t pops, moves, far_pushes; /* moves: places that events moved for insertions */
    uint64_t pops_review;             /* review the layout when `pops` reaches this */
    fsim_ns laid_out_ns;
} fsim_event_queue;

/* False: out of memory. */
bool fsim_event_queue_init(fsim_event_queue *queue, uint32_t capacity);
void fsim_event_queue_deinit(fsim_event_queue *queue);
/* Makes room for `count` pending events in all (amortised O(1) an event). False: out of memory, the queue is
 * as before. */
bool fsim_event_queue_reserve(fsim_event_queue *queue, uint32_t count);

static inline uint32_t fsim_event_queue_size(const fsim_event_queue *queue) {
    return queue->count;
}
static inline bool fsim_event_queue_is_full(const fsim_event_queue *queue) {
    return queue->count == queue->capacity;
}
static inline fsim_ns fsim_event_queue_next_ns(const fsim_event_queue *queue) {
    return queue->next_ns;
}

/* Internal: the rare paths of push and pop. */
void fsim_event_queue_open_chunk(fsim_event_queue *queue, uint32_t slot);
void fsim_event_queue_push_seldom(fsim_event_queue *queue, fsim_ns now_ns, fsim_event event);
void fsim_event_queue_turn(fsim_event_queue *queue, fsim_ns now_ns);

/* The event's slice is on the wheel and not the present one. */
FSIM_INLINE void fsim_event_queue_append(fsim_event_queue *q, uint64_t day, fsim_event event) {
    uint32_t slot = (uint32_t)(day & q->mask);
    fsim_event_slice *slice = &q->slices[slot];
    uint32_t place = slice->count % FSIM_EVENT_CHUNK;
    if (FSIM_UNLIKELY(place == 0)) {
        fsim_event_queue_open_chunk(q, slot);
    }
    q->chunks[slice->last * FSIM_EVENT_CHUNK + place] = event;
    slice->count++;
}

/* event.at_ns >= now_ns >= every instant popped so far; the queue is not full. */
FSIM_INLINE void fsim_event_queue_push(fsim_event_queue *q, fsim_ns now_ns, fsim_event event) {
    fsim_check(event.at_ns >= now_ns && now_ns >= 0 && q->count < q->capacity);
    uint64_t day = (uint64_t)event.at_ns >> q->shift;
    q->count++;
    if (FSIM_LIKELY(day - q->day - 1u < q->mask)) {
        fsim_event_queue_append(q, day, event);
    } else {
        fsim_event_queue_push_seldom(q, now_ns, event);
    }
}

/* The event `ahead` places after the head (0: the head), without taking it; NULL when it is not yet sorted or
 * there is none. Valid until the next call. */
FSIM_INLINE const fsim_event *fsim_event_queue_peek(const fsim_event_queue *q, uint32_t ahead) {
    return q->run_end - q->run_at > ahead ? &q->run[q->run_at + ahead] : NULL;
}

/* The queue is not empty. */
FSIM_INLINE fsim_event fsim_event_queue_pop(fsim_event_queue *q) {
    fsim_event event = q->run[q->run_at++];
    q->count--;
    if (FSIM_LIKELY(q->run_at != q->run_end)) {
        q->next_ns = q->run[q->run_at].at_ns;
    } else {
        fsim_event_queue_turn(q, event.at_ns);
    }
    return event;
}

#endif
