/* The rare paths of the event queue: the far heap, the horizon, laying the wheel out anew; see event_queue.h.
 */
#include "core/event_queue.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS_MIN 64u
#define BUCKETS_MAX (1u << 21)
#define SHIFT_MAX   50u
#define REVIEW_MIN  1024u

static uint32_t words(uint32_t buckets) {
    return (buckets + 63u) / 64u;
}

static void clear_wheel(fsim_event_queue *q) {
    uint32_t buckets = (uint32_t)q->mask + 1u;
    memset(q->buckets, 0xff, buckets * sizeof *q->buckets);
    memset(q->used, 0, words(buckets) * sizeof *q->used);
    memset(q->used_words, 0, words(words(buckets)) * sizeof *q->used_words);
    q->in_wheel = 0;
}

static bool grow_buckets(fsim_event_queue *q, uint32_t buckets) {
    fsim_event_bucket *heads = malloc(buckets * sizeof *heads);
    uint64_t *used = malloc(words(buckets) * sizeof *used);
    uint64_t *used_words = malloc(words(words(buckets)) * sizeof *used_words);
    if (heads == NULL || used == NULL || used_words == NULL) {
        free(heads);
        free(used);
        free(used_words);
        return false;
    }
    free(q->buckets);
    free(q->used);
    free(q->used_words);
    q->buckets = heads;
    q->used = used;
    q->used_words = used_words;
    q->bucket_capacity = buckets;
    return true;
}

bool fsim_event_queue_init(fsim_event_queue *q, uint32_t capacity) {
    memset(q, 0, sizeof *q);
    q->next_ns = FSIM_NEVER;
    q->next_slot = FSIM_EVENT_NONE;
    q->free_node = FSIM_EVENT_NONE;
    q->far_day = UINT64_MAX;
    q->shift = 20; /* about 1 ms, until the first review */
    q->mask = BUCKETS_MIN - 1u;
    q->pops_review = REVIEW_MIN;
    if (!grow_buckets(q, BUCKETS_MIN) || !fsim_event_queue_reserve(q, capacity < 64u ? 64u : capacity)) {
        fsim_event_queue_deinit(q);
        return false;
    }
    clear_wheel(q);
    return true;
}

void fsim_event_queue_deinit(fsim_event_queue *q) {
    free(q->nodes);
    free(q->buckets);
    free(q->used);
    free(q->used_words);
    free(q->far);
    memset(q, 0, sizeof *q);
}

bool fsim_event_queue_reserve(fsim_event_queue *q, uint32_t count) {
    if (count <= q->capacity) {
        return true;
    }
    uint32_t capacity = count < q->capacity * 2u ? q->capacity * 2u : count;
    fsim_event_far *far = realloc(q->far, capacity * sizeof *far);
    if (far == NULL) {
        return false;
    }
    q->far = far;
    fsim_event_node *nodes = realloc(q->nodes, capacity * sizeof *nodes);
    if (nodes == NULL) {
        return false;
    }
    q->nodes = nodes;
    for (uint32_t i = capacity; i > q->capacity; i--) {
        nodes[i - 1].next = q->free_node;
        q->free_node = i - 1;
    }
    q->capacity = capacity;
    return true;
}

/* ---- the far heap: 4-ary, by instant, then by order of pushing ---- */

static bool before(const fsim_event_far *a, const fsim_event_far *b) {
    return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->serial < b->serial);
}

static void far_put(fsim_event_queue *q, fsim_event_far item) {
    uint32_t i = q->in_far++;
    while (i > 0 && before(&item, &q->far[(i - 1) / 4])) {
        q->far[i] = q->far[(i - 1) / 4];
        i = (i - 1) / 4;
    }
    q->far[i] = item;
    q->far_day = (uint64_t)q->far[0].at_ns >> q->shift;
}

static uint32_t far_take(fsim_event_queue *q) {
    uint32_t node = q->far[0].node;
    fsim_event_far last = q->far[--q->in_far];
    uint32_t i = 0;
    for (;;) {
        uint32_t child = 4 * i + 1;
        if (child >= q->in_far) {
            break;
        }
        uint32_t end = child + 4 < q->in_far ? child + 4 : q->in_far;
        uint32_t best = child;
        for (uint32_t c = child + 1; c < end; c++) {
            best = before(&q->far[c], &q->far[best]) ? c : best;
        }
        if (!before(&q->far[best], &last)) {
            break;
        }
        q->far[i] = q->far[best];
        i = best;
    }
    if (q->in_far != 0) {
        q->far[i] = last;
    }
    q->far_day = q->in_far != 0 ? (uint64_t)q->far[0].at_ns >> q->shift : UINT64_MAX;
    return node;
}

void fsim_event_queue_push_far(fsim_event_queue *q, uint32_t node) {
    fsim_ns at_ns = q->nodes[node].at_ns;
    q->far_pushes++;
    far_put(q, (fsim_event_far){at_ns, q->serial++, node});
    if (at_ns < q->next_ns) {
        q->next_ns = at_ns;
        q->next_slot = FSIM_EVENT_NONE;
    }
}

/* Events of one bucket move in together and in order, and before anything is pushed there directly: FIFO
 * holds across the two. */
void fsim_event_queue_move_in(fsim_event_queue *q) {
    while (q->far_day - q->day <= q->mask) {
        uint64_t day = q->far_day;
        uint32_t node = far_take(q);
        fsim_event_queue_link(q, node, day);
    }
}

/* The wheel is empty: it may start anywhere up to the present. */
void fsim_event_queue_rebase(fsim_event_queue *q, fsim_ns now_ns) {
    fsim_check(q->in_wheel == 0);
    q->day = (uint64_t)now_ns >> q->shift;
    if (q->in_far != 0) {
        q->next_ns = FSIM_NEVER;
        q->next_slot = FSIM_EVENT_NONE;
        fsim_event_queue_move_in(q);
        if (q->in_wheel == 0) {
            q->next_ns = q->far[0].at_ns;
        }
    }
}

/* First bucket in use at or after `slot`, going round; there is one. */
uint32_t fsim_event_queue_scan(const fsim_event_queue *q, uint32_t slot) {
    uint32_t word = slot >> 6;
    uint64_t bits = q->used[word] & (~UINT64_C(0) << (slot & 63u));
    if (bits != 0) {
        return (word << 6) | (uint32_t)__builtin_ctzll(bits);
    }
    uint32_t word_mask = (uint32_t)(q->mask >> 6);
    word = (word + 1u) & word_mask;
    uint32_t group = word >> 6;
    uint64_t group_bits = q->used_words[group] & (~UINT64_C(0) << (word & 63u));
    uint32_t groups = (word_mask >> 6) + 1u;
    while (group_bits == 0) {
        group = group + 1u == groups ? 0u : group + 1u;
        group_bits = q->used_words[group];
    }
    word = (group << 6) | (uint32_t)__builtin_ctzll(group_bits);
    return (word << 6) | (uint32_t)__builtin_ctzll(q->used[word]);
}

/* ---- layout ---- */

static uint32_t power_above(uint64_t n, uint32_t least, uint32_t most) {
    uint32_t p = least;
    while (p < n && p < most) {
        p *= 2u;
    }
    return p;
}

/* Takes all events out in order and puts them back under the new layout. The heap serves as the sorted
 * intermediate: no event in the wheel shares its instant with one in the heap (it would have the same
 * bucket), so new serials keep the order of equal instants. */
static void lay_out(fsim_event_queue *q, fsim_ns now_ns, uint32_t shift, uint32_t buckets) {
    uint32_t left = q->in_wheel;
    for (uint64_t day = q->day; left != 0; day++) {
        uint32_t node = q->buckets[day & q->mask].head;
        while (node != FSIM_EVENT_NONE) {
            far_put(q, (fsim_event_far){q->nodes[node].at_ns, q->serial++, node});
            node = q->nodes[node].next;
            left--;
        }
    }
    if (buckets <= q->bucket_capacity || grow_buckets(q, buckets)) { /* if not: slower, not wrong */
        q->mask = buckets - 1u;
        q->shift = shift;
    }
    clear_wheel(q);
    q->far_day = q->in_far != 0 ? (uint64_t)q->far[0].at_ns >> q->shift : UINT64_MAX;
    fsim_event_queue_rebase(q, now_ns);
}

static void reset_counts(fsim_event_queue *q, fsim_ns now_ns) {
    uint32_t size = fsim_event_queue_size(q);
    q->pops = 0;
    q->walked = 0;
    q->far_pushes = 0;
    q->laid_out_ns = now_ns;
    q->pops_review = size > REVIEW_MIN ? size : REVIEW_MIN;
}

/* Many pushes without a pop crowd into few buckets: halve the width until they do not, or at once to what the
 * wheel's events cover on average. A few events far ahead make that average mislead, so the width always
 * shrinks. */
static void spread(fsim_event_queue *q) {
    fsim_ns start_ns = (fsim_ns)(q->day << q->shift);
    fsim_ns last_ns = q->next_ns;
    for (uint32_t word = 0; word < words((uint32_t)q->mask + 1u); word++) {
        for (uint64_t bits = q->used[word]; bits != 0; bits &= bits - 1u) {
            fsim_ns tail_ns = q->nodes[q->buckets[(word << 6) | (uint32_t)__builtin_ctzll(bits)].tail].at_ns;
            last_ns = tail_ns > last_ns ? tail_ns : last_ns;
        }
    }
    uint64_t gap = (uint64_t)(last_ns - q->next_ns) / q->in_wheel + 1u;
    uint32_t shift = 64u - (uint32_t)__builtin_clzll(gap);
    uint32_t narrower = q->shift > 2u ? q->shift - 2u : 0u;
    uint32_t have = (uint32_t)q->mask + 1u;
    lay_out(q, start_ns, shift < narrower ? shift : narrower,
            power_above(4ull * fsim_event_queue_size(q), have, BUCKETS_MAX));
    reset_counts(q, start_ns);
}

void fsim_event_queue_insert_before_tail(fsim_event_queue *q, fsim_event_bucket *bucket, uint32_t node) {
    fsim_event_node *n = &q->nodes[node];
    uint32_t *link = &bucket->head;
    while (q->nodes[*link].at_ns <= n->at_ns) {
        link = &q->nodes[*link].next;
        q->walked++;
    }
    n->next = *link;
    *link = node;
}

void fsim_event_queue_spread_if_crowded(fsim_event_queue *q) {
    if (q->walked > 4 * (uint64_t)q->in_wheel + 8 * q->pops + 4096 && q->shift > 0) {
        spread(q);
    }
}

void fsim_event_queue_review(fsim_event_queue *q, fsim_ns now_ns) {
    uint32_t size = fsim_event_queue_size(q);
    uint64_t gap = (uint64_t)(now_ns - q->laid_out_ns) / q->pops + 1u;
    uint32_t shift = 64u - (uint32_t)__builtin_clzll(gap); /* 1 to 2 gaps wide */
    if (q->walked > 2 * q->pops && q->shift > 0) {
        shift =
            shift < q->shift - 1u ? shift : q->shift - 1u; /* events crowd together: the mean gap misleads */
    } else if (shift > q->shift && 8 * q->walked > q->pops) {
        shift = q->shift;
    }
    shift = shift > SHIFT_MAX ? SHIFT_MAX : shift;
    uint32_t buckets = power_above(4ull * size, BUCKETS_MIN, BUCKETS_MAX);
    uint32_t have = (uint32_t)q->mask + 1u;
    if (4 * q->far_pushes > q->pops && have < BUCKETS_MAX && buckets <= have) {
        buckets = have * 2u;
    } else if (buckets < have && 8u * buckets > have) {
        buckets = have; /* no hurry to shrink */
    }
    uint32_t drift = shift > q->shift ? shift - q->shift : q->shift - shift;
    if (drift > 1u || buckets != have || (drift == 1u && q->walked > q->pops)) {
        lay_out(q, now_ns, shift, buckets);
    }
    reset_counts(q, now_ns);
}
