/* The rare paths of the event queue: turning to the next slice, the far heap, laying the wheel out anew; see
 * event_queue.h. */
#include "core/event_queue.h"

#include <stdlib.h>
#include <string.h>

#define SLICES_MIN  64u
#define SLICES_MAX  4096u /* 64 words of 64 bits: one word says which are used */
#define SHIFT_MAX   50u
#define REVIEW_MIN  1024u
#define FAR_MANY    256u /* far events, without as many taken: the wheel is too small */
#define SLICE_GAPS  24u  /* a slice is to hold 24 to 48 events */
#define SORT_FEW    12u  /* below: by insertion alone */
#define BINS_MAX    4096u
#define CROWDED_BIN 32u
#define NONE        UINT32_MAX
#define NO_DAY      (UINT64_C(1) << 63) /* no slice is within reach of it */

/* ---- memory ---- */

static uint32_t words(uint32_t slices) {
    return slices / 64u;
}

static void clear_wheel(fsim_event_queue *q) {
    uint32_t slices = (uint32_t)q->mask + 1u;
    memset(q->slices, 0, slices * sizeof *q->slices);
    memset(q->used, 0, words(slices) * sizeof *q->used);
    q->used_words = 0;
    q->chunk_free = NONE;
    for (uint32_t i = q->chunk_count; i > 0; i--) {
        q->chunk_before[i - 1u] = q->chunk_free;
        q->chunk_free = i - 1u;
    }
}

/* Chunks for so many events however they are spread: every slice may hold one that is not full. */
static bool grow_chunks(fsim_event_queue *q, uint32_t capacity, uint32_t slices) {
    uint32_t count = capacity / FSIM_EVENT_CHUNK + slices + 1u;
    if (count <= q->chunk_count) {
        return true;
    }
    uint32_t *before = realloc(q->chunk_before, count * sizeof *before);
    if (before == NULL) {
        return false;
    }
    q->chunk_before = before;
    fsim_event *chunks = realloc(q->chunks, (size_t)count * FSIM_EVENT_CHUNK * sizeof *chunks);
    if (chunks == NULL) {
        return false;
    }
    q->chunks = chunks;
    for (uint32_t i = count; i > q->chunk_count; i--) {
        before[i - 1u] = q->chunk_free;
        q->chunk_free = i - 1u;
    }
    q->chunk_count = count;
    return true;
}

static bool grow_slices(fsim_event_queue *q, uint32_t slices) {
    if (!grow_chunks(q, q->capacity, slices)) {
        return false;
    }
    fsim_event_slice *heads = malloc(slices * sizeof *heads);
    uint64_t *used = malloc(words(slices) * sizeof *used);
    if (heads == NULL || used == NULL) {
        free(heads);
        free(used);
        return false;
    }
    free(q->slices);
    free(q->used);
    q->slices = heads;
    q->used = used;
    q->slice_capacity = slices;
    return true;
}

bool fsim_event_queue_init(fsim_event_queue *q, uint32_t capacity) {
    memset(q, 0, sizeof *q);
    q->next_ns = FSIM_NEVER;
    q->day = NO_DAY;
    q->chunk_free = NONE;
    q->far_day = UINT64_MAX;
    q->shift = 20; /* about 1 ms, until the first review */
    q->mask = SLICES_MIN - 1u;
    q->pops_review = REVIEW_MIN;
    if (!grow_slices(q, SLICES_MIN) || !fsim_event_queue_reserve(q, capacity < 64u ? 64u : capacity)) {
        fsim_event_queue_deinit(q);
        return false;
    }
    clear_wheel(q);
    return true;
}

void fsim_event_queue_deinit(fsim_event_queue *q) {
    free(q->run);
    free(q->slices);
    free(q->chunks);
    free(q->chunk_before);
    free(q->used);
    free(q->far);
    memset(q, 0, sizeof *q);
}

/* A larger array with what is in use of the old one; the rest of both is not touched. NULL: out of memory. */
static void *move_to_larger(void *old, size_t first, size_t count, size_t capacity, size_t size) {
    void *larger = malloc(capacity * size);
    if (larger != NULL && count != 0) {
        memcpy((char *)larger + first * size, (const char *)old + first * size, count * size);
    }
    if (larger != NULL) {
        free(old);
    }
    return larger;
}

/* The run has twice the room: it moves to the front when it reaches the end. */
bool fsim_event_queue_reserve(fsim_event_queue *q, uint32_t count) {
    if (count <= q->capacity) {
        return true;
    }
    uint32_t capacity = count < q->capacity * 2u ? q->capacity * 2u : count;
    fsim_event_far *far = move_to_larger(q->far, 0, q->in_far, capacity, sizeof *far);
    if (far == NULL) {
        return false;
    }
    q->far = far;
    fsim_event *run =
        move_to_larger(q->run, q->run_at, q->run_end - q->run_at, (size_t)capacity * 2u, sizeof *run);
    if (run == NULL) {
        return false;
    }
    q->run = run;
    if (!grow_chunks(q, capacity, (uint32_t)q->mask + 1u)) {
        return false;
    }
    q->capacity = capacity;
    return true;
}

void fsim_event_queue_open_chunk(fsim_event_queue *q, uint32_t slot) {
    fsim_event_slice *slice = &q->slices[slot];
    uint32_t chunk = q->chunk_free;
    fsim_check(chunk != NONE);
    q->chunk_free = q->chunk_before[chunk];
    q->chunk_before[chunk] = slice->last; /* void where count is 0: never followed */
    slice->last = chunk;
    q->used[slot / 64u] |= UINT64_C(1) << (slot % 64u);
    q->used_words |= UINT64_C(1) << (slot / 64u);
}

/* ---- the far heap: 4-ary, by instant, then by order of pushing ---- */

static bool before(const fsim_event_far *a, const fsim_event_far *b) {
    return a->event.at_ns < b->event.at_ns || (a->event.at_ns == b->event.at_ns && a->serial < b->serial);
}

static void note_far_day(fsim_event_queue *q) {
    q->far_day = q->in_far != 0 ? (uint64_t)q->far[0].event.at_ns >> q->shift : UINT64_MAX;
}

static void far_put(fsim_event_queue *q, fsim_event event) {
    fsim_event_far item = {event, q->serial++};
    uint32_t i = q->in_far++;
    while (i > 0 && before(&item, &q->far[(i - 1) / 4])) {
        q->far[i] = q->far[(i - 1) / 4];
        i = (i - 1) / 4;
    }
    q->far[i] = item;
    note_far_day(q);
}

static fsim_event far_take(fsim_event_queue *q) {
    fsim_event event = q->far[0].event;
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
    note_far_day(q);
    return event;
}

/* Events of one slice move in together and in order, and before anything is pushed there directly: FIFO
 * holds across the two. */
static void move_in(fsim_event_queue *q) {
    while (q->far_day - q->day <= q->mask) {
        uint64_t day = q->far_day;
        fsim_event_queue_append(q, day, far_take(q));
    }
}

/* ---- from slice to run ---- */

/* Stable. `sorted` events at the front are in order already. False: given up, for it would take too long. */
static bool insert_each(fsim_event *run, uint32_t sorted, uint32_t count, uint64_t moves_max) {
    uint64_t moves = 0;
    for (uint32_t i = sorted; i < count; i++) {
        if (run[i - 1u].at_ns <= run[i].at_ns) {
            continue;
        }
        fsim_event event = run[i];
        uint32_t at = i;
        while (at > 0 && run[at - 1u].at_ns > event.at_ns) {
            run[at] = run[at - 1u];
            at--;
        }
        run[at] = event;
        moves += i - at;
        if (moves > moves_max) {
            return false;
        }
    }
    return true;
}

/* Stable, for crowds of many different instants; `spare` holds as many. */
static void merge_sort(fsim_event *run, fsim_event *spare, uint32_t count) {
    for (uint64_t width = 1; width < count; width *= 2u) {
        for (uint64_t from = 0; from < count; from += 2u * width) {
            uint64_t middle = from + width < count ? from + width : count;
            uint64_t end = middle + width < count ? middle + width : count;
            uint64_t a = from, b = middle;
            for (uint64_t to = from; to < end; to++) {
                bool left = a < middle && (b >= end || run[a].at_ns <= run[b].at_ns);
                spare[to] = run[left ? a++ : b++];
            }
        }
        memcpy(run, spare, count * sizeof *run);
    }
}

/* Moves the events of a slice to the run, chunk after chunk from the last to the first, each to the end of
 * what is left of its bin: stable. `bits` of the instant choose the bin. */
static void scatter(fsim_event_queue *q, const fsim_event_slice *slice, uint32_t bits) {
    uint32_t end[BINS_MAX];
    uint32_t bins = 1u << bits, shift = q->shift - bits, count = slice->count, sum = 0;
    memset(end, 0, bins * sizeof *end);
    for (uint32_t left = count, chunk = slice->last; left != 0; chunk = q->chunk_before[chunk]) {
        const fsim_event *item = &q->chunks[chunk * FSIM_EVENT_CHUNK];
        uint32_t n = (left - 1u) % FSIM_EVENT_CHUNK + 1u;
        for (uint32_t i = 0; i < n; i++) {
            end[((uint64_t)item[i].at_ns >> shift) & (bins - 1u)]++;
        }
        left -= n;
    }
    for (uint32_t bin = 0; bin < bins; bin++) {
        sum += end[bin];
        end[bin] = sum;
    }
    for (uint32_t left = count, chunk = slice->last; left != 0;) {
        const fsim_event *item = &q->chunks[chunk * FSIM_EVENT_CHUNK];
        uint32_t n = (left - 1u) % FSIM_EVENT_CHUNK + 1u, done = chunk;
        for (uint32_t i = n; i > 0; i--) {
            q->run[--end[((uint64_t)item[i - 1u].at_ns >> shift) & (bins - 1u)]] = item[i - 1u];
        }
        left -= n;
        chunk = q->chunk_before[chunk];
        q->chunk_before[done] = q->chunk_free;
        q->chunk_free = done;
    }
}

/* The present day's slice becomes the run. */
static void load(fsim_event_queue *q) {
    uint32_t slot = (uint32_t)(q->day & q->mask);
    fsim_event_slice slice = q->slices[slot];
    uint32_t bits = 0;
    if (slice.count > SORT_FEW) {
        bits = 32u - (uint32_t)__builtin_clz(slice.count);
        bits = bits > q->shift ? q->shift : bits;
        bits = (1u << bits) > BINS_MAX ? (uint32_t)__builtin_ctz(BINS_MAX) : bits;
    }
    scatter(q, &slice, bits);
    q->slices[slot].count = 0;
    q->used[slot / 64u] &= ~(UINT64_C(1) << (slot % 64u));
    if (q->used[slot / 64u] == 0) {
        q->used_words &= ~(UINT64_C(1) << (slot / 64u));
    }
    q->run_at = 0;
    q->run_end = slice.count;
    if (!insert_each(q->run, 1, slice.count, (uint64_t)CROWDED_BIN * (slice.count + 1u))) {
        /* The second half of the run's room serves as the spare one. */
        merge_sort(q->run, q->run + q->capacity, slice.count);
    }
    q->next_ns = q->run[0].at_ns;
}

/* The first slice in use at or after the present one; the wheel is not empty. */
static uint64_t first_used(const fsim_event_queue *q) {
    uint32_t slot = (uint32_t)(q->day & q->mask), word = slot / 64u;
    uint64_t bits = q->used[word] & (~UINT64_C(0) << (slot % 64u));
    if (bits == 0) {
        uint64_t later = word == 63u ? 0 : q->used_words & (~UINT64_C(0) << (word + 1u));
        word = (uint32_t)__builtin_ctzll(later != 0 ? later : q->used_words);
        bits = q->used[word];
    }
    uint32_t found = word * 64u + (uint32_t)__builtin_ctzll(bits);
    return q->day + ((found - slot) & q->mask);
}

/* The run is empty: on to the next slice that holds something. */
static void find_next(fsim_event_queue *q) {
    q->run_at = 0;
    q->run_end = 0;
    if (q->used_words != 0) {
        q->day = first_used(q);
    } else if (q->in_far != 0) {
        q->day = q->far_day;
    } else {
        q->next_ns = FSIM_NEVER;
        q->day = NO_DAY;
        return;
    }
    move_in(q);
    load(q);
}

/* ---- layout ---- */

static uint32_t power_above(uint64_t n, uint32_t least, uint32_t most) {
    uint32_t p = least;
    while (p < n && p < most) {
        p *= 2u;
    }
    return p;
}

/* Takes what is in the run and on the wheel, in order, to the room behind the heap. Returns how many. */
static uint32_t take_down(fsim_event_queue *q) {
    fsim_event_far *down = q->far + q->in_far;
    uint32_t count = 0;
    for (;;) {
        for (; q->run_at < q->run_end; q->run_at++) {
            down[count++].event = q->run[q->run_at];
        }
        if (q->used_words == 0) {
            q->run_at = q->run_end = 0;
            return count;
        }
        q->day = first_used(q);
        load(q);
    }
}

/* Events outside the heap come before those in it, and none shares its instant with one there (it would be of
 * the same slice): what is put back in order, and given new serials in order, is in order. */
static void lay_out(fsim_event_queue *q, fsim_ns now_ns, uint32_t shift, uint32_t slices) {
    const fsim_event_far *down = q->far + q->in_far;
    uint32_t count = take_down(q);
    if (slices <= q->slice_capacity || grow_slices(q, slices)) { /* if not: slower, not wrong */
        q->mask = slices - 1u;
        q->shift = shift;
    }
    clear_wheel(q);
    q->day = (uint64_t)now_ns >> q->shift;
    for (uint32_t i = 0; i < count; i++) {
        fsim_event event = down[i].event; /* the heap grows behind what is read */
        uint64_t day = (uint64_t)event.at_ns >> q->shift;
        if (day - q->day <= q->mask) {
            fsim_event_queue_append(q, day, event);
        } else {
            far_put(q, event);
        }
    }
    note_far_day(q);
    move_in(q);
    find_next(q);
}

static void reset_counts(fsim_event_queue *q, fsim_ns now_ns) {
    q->pops = 0;
    q->moves = 0;
    q->far_pushes = 0;
    q->laid_out_ns = now_ns;
    q->pops_review = q->count > REVIEW_MIN ? q->count : REVIEW_MIN;
}

/* Slices as wide as SLICE_GAPS times this gap. */
static uint32_t shift_of(uint64_t gap_ns) {
    uint32_t shift = 64u - (uint32_t)__builtin_clzll((gap_ns + 1u) * SLICE_GAPS);
    return shift > SHIFT_MAX ? SHIFT_MAX : shift;
}

static void review(fsim_event_queue *q, fsim_ns now_ns) {
    uint32_t shift = shift_of((uint64_t)(now_ns - q->laid_out_ns) / q->pops);
    if (q->moves > 8 * q->pops && q->shift > 0) { /* events crowd together: the mean gap misleads */
        shift = shift < q->shift - 1u ? shift : q->shift - 1u;
    } else if (shift > q->shift && 2 * q->moves > q->pops) {
        shift = q->shift;
    }
    uint32_t slices = power_above(4ull * q->count / SLICE_GAPS, SLICES_MIN, SLICES_MAX);
    uint32_t have = (uint32_t)q->mask + 1u;
    if (4 * q->far_pushes > q->pops && slices <= have) {
        if (have < SLICES_MAX) {
            slices = have * 2u;
        } else {
            shift = shift > q->shift + 1u ? shift : q->shift + 1u;
            slices = have;
        }
    } else if (slices < have && 8u * slices > have) {
        slices = have; /* no hurry to shrink */
    }
    uint32_t drift = shift > q->shift ? shift - q->shift : q->shift - shift;
    if (drift > 1u || slices != have) {
        lay_out(q, now_ns, shift, slices);
    }
    reset_counts(q, now_ns);
}

void fsim_event_queue_turn(fsim_event_queue *q, fsim_ns now_ns) {
    q->pops += q->run_end;
    find_next(q);
    if (q->pops >= q->pops_review) {
        review(q, now_ns);
    }
}

/* ---- pushing into the run, into the heap, into an empty queue ---- */

/* After those of its instant and before, from the side where fewer must move. */
static void insert(fsim_event_queue *q, fsim_event event) {
    uint32_t at;
    if (q->run_at > 0 && event.at_ns < q->run[(q->run_at + q->run_end) / 2u].at_ns) {
        at = q->run_at--;
        while (at < q->run_end && q->run[at].at_ns <= event.at_ns) {
            q->run[at - 1u] = q->run[at];
            at++;
        }
        q->moves += at - 1u - q->run_at;
        at--;
    } else {
        if (q->run_end == q->capacity * 2u) {
            q->run_end -= q->run_at;
            memmove(q->run, q->run + q->run_at, q->run_end * sizeof *q->run);
            q->pops += q->run_at;
            q->run_at = 0;
        }
        at = q->run_end++;
        while (at > q->run_at && q->run[at - 1u].at_ns > event.at_ns) {
            q->run[at] = q->run[at - 1u];
            at--;
        }
        q->moves += q->run_end - 1u - at;
    }
    q->run[at] = event;
    q->next_ns = q->run[q->run_at].at_ns;
}

/* Many events before the present slice's end crowd into the run: narrower slices, from the present on. */
static void spread(fsim_event_queue *q, fsim_ns now_ns) {
    uint32_t run = q->run_end - q->run_at;
    uint64_t gap = run < 2 ? 0 : (uint64_t)(q->run[q->run_end - 1u].at_ns - q->run[q->run_at].at_ns) / run;
    uint32_t shift = shift_of(gap);
    uint32_t narrower = q->shift > 1u ? q->shift - 1u : 0u;
    uint32_t have = (uint32_t)q->mask + 1u;
    lay_out(q, now_ns, shift < narrower ? shift : narrower,
            power_above(4ull * q->count / SLICE_GAPS, have, SLICES_MAX));
    reset_counts(q, now_ns);
}

/* Many events pile up in the heap before a review: slices as far as the last of them, if there may be so
 * many. */
static void reach(fsim_event_queue *q, fsim_ns now_ns, fsim_ns at_ns) {
    uint64_t slices = ((uint64_t)(at_ns - now_ns) >> q->shift) + 2u;
    if (slices <= SLICES_MAX) {
        lay_out(q, now_ns, q->shift, power_above(slices, (uint32_t)q->mask + 1u, SLICES_MAX));
        reset_counts(q, now_ns);
    }
}

void fsim_event_queue_push_seldom(fsim_event_queue *q, fsim_ns now_ns, fsim_event event) {
    if (q->next_ns == FSIM_NEVER) { /* empty: the wheel may start anywhere up to the present */
        q->day = (uint64_t)now_ns >> q->shift;
    }
    uint64_t day = (uint64_t)event.at_ns >> q->shift;
    if (day > q->day && day - q->day > q->mask) {
        far_put(q, event);
        if (++q->far_pushes >= FAR_MANY && q->far_pushes > q->pops + q->run_at) {
            reach(q, now_ns, event.at_ns);
        }
    } else if (day > q->day) {
        fsim_event_queue_append(q, day, event);
    } else {
        insert(q, event);
        if (q->moves > 16 * (uint64_t)q->count + 32 * (q->pops + q->run_at) + 4096 && q->shift > 0) {
            spread(q, now_ns);
        }
        return;
    }
    if (q->next_ns == FSIM_NEVER) {
        find_next(q);
    }
}
