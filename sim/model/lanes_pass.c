/* The pass over the changes of all functions, in order of time: see lane.h. */
#include "model/lanes.h"

enum { FAR = 24 };             /* changes ahead whose function is fetched */
enum { FEW_FUNCTIONS = 2048 }; /* all of them are in the cache */

/* Made once for each kind of run. */
#define PART static inline __attribute__((always_inline))

/* ---- the warm requests ---- */

PART void prefetch_ahead(const lane *l) {
    __builtin_prefetch(l, 1);
    __builtin_prefetch(l->few, 1);
}

PART bool goes_long_way(const lane *l, uint64_t begins) {
    return l->executing >= l->bound[begins];
}

/* One change of the function, if it does not go the long way. */
PART bool follow_one(lane *l, uint64_t begins, uint64_t step, fsim_ns at_ns, bool alone, bool newest) {
    uint32_t before = l->executing, after = before + (uint32_t)step, tail = l->tail;
    if (FSIM_UNLIKELY(goes_long_way(l, begins))) {
        return false;
    }
    l->idle[tail & l->mask] = at_ns; /* where one begins, this is beyond the last */
    l->tail = newest || l->newest ? tail - (uint32_t)step : tail + 1u - (uint32_t)begins;
    l->seen += (uint32_t)begins;
    l->executing = after;
    if (!alone) {
        l->square_acc -= (fsim_wide)(int64_t)(step * ((uint64_t)before + after)) * at_ns;
        if (FSIM_UNLIKELY(after > l->executing_peak)) {
            l->executing_peak = after;
        }
    }
    return true;
}

/* ---- the run as a whole ---- */

/* Counted from the begin of the block: what beginnings add, and ends take, to a level's sums. */
typedef struct sums {
    uint64_t n, peak;
    fsim_wide instants, square;
} sums;

/* The same while 64 bits hold them, which registers do; `instants` and `square` may be negative. */
typedef struct narrow_sums {
    uint64_t n, peak, instants, square;
} narrow_sums;

PART void add_change(narrow_sums *x, uint64_t past_ns, uint64_t step) {
    uint64_t after = x->n + step, moved = step * past_ns;
    x->instants += moved;
    x->square += moved * (x->n + after);
    x->n = after;
    x->peak = after > x->peak ? after : x->peak;
}

static sums widen(narrow_sums x) {
    return (sums){x.n, x.peak, (int64_t)x.instants, (int64_t)x.square};
}

/* 64 bits hold the sums of that many changes. */
static bool is_narrow(const lanes_block *b, uint64_t n, uint64_t count) {
    return lanes_bits_of((uint64_t)(b->to_ns - b->from_ns)) + lanes_bits_of(2u * (n + count)) +
               lanes_bits_of(count) <
           63;
}

/* Where they do not. */
static void add_wide(sums *x, const uint64_t *word, uint32_t count, uint32_t bits) {
    for (uint32_t k = 0; k < count; k++) {
        fsim_wide past_ns = (fsim_wide)(word[k] >> bits >> 1), before = (fsim_wide)x->n;
        x->n += 2u * (word[k] >> bits & 1u) - 1u;
        fsim_wide after = (fsim_wide)x->n;
        x->instants += (after - before) * past_ns;
        x->square += (after * after - before * before) * past_ns;
        x->peak = x->n > x->peak ? x->n : x->peak;
    }
}

static sums begin_sums(lanes *s) {
    const squared_level *run = lanes_run_level(s);
    return (sums){.n = run->level.n, .peak = run->level.peak};
}

static void end_sums(lanes *s, const lanes_block *b, const sums *x, uint64_t count) {
    squared_level *run = lanes_run_level(s);
    uint64_t was = run->level.n;
    fsim_wide more = (fsim_wide)x->n - (fsim_wide)was;
    run->level.acc -= more * b->from_ns + x->instants;
    run->square_acc -= more * ((fsim_wide)x->n + (fsim_wide)was) * b->from_ns + x->square;
    run->level.n = x->n;
    run->level.peak = x->peak;
    uint64_t arrived = (count + (uint64_t)more) / 2u;
    s->e->seen.arrived += arrived;
    s->e->seen.completed += count - arrived;
}

/* Follows changes from k on that are before `stop`, which the one behind the last is not; returns the first
 * that is not, or goes the long way. The run's sums besides, where they are narrow. */
PART uint32_t follow(lanes *s, const lanes_block *b, const uint64_t *word, uint32_t k, uint32_t count,
                     uint64_t stop, sums *x, bool narrow, bool newest, bool ahead) {
    uint64_t mask = (UINT64_C(1) << b->fn_bits) - 1u;
    uint32_t bits = b->fn_bits;
    fsim_ns from_ns = b->from_ns;
    lane *first = s->lane;
    narrow_sums sum = {.n = x->n, .peak = x->peak};
    const uint64_t *at = word + k, *end = word + count;
    for (uint64_t next = *at; next < stop; next = *++at) {
        uint64_t past_ns = next >> bits >> 1, begins = next >> bits & 1u, step = 2u * begins - 1u;
        if (ahead && end - at > FAR) {
            prefetch_ahead(&first[at[FAR] & mask]);
        }
        if (!follow_one(&first[next & mask], begins, step, from_ns + (fsim_ns)past_ns, false, newest)) {
            break;
        }
        if (narrow) {
            add_change(&sum, past_ns, step);
        }
    }
    if (narrow) {
        *x = widen(sum);
    }
    return (uint32_t)(at - word);
}

static fsim_ns instant_of(const lanes_block *b, uint64_t word) {
    return b->from_ns + (fsim_ns)(word >> b->fn_bits >> 1);
}

/* ---- what comes between ---- */

/* Where a change of the function at the instant would stand among those of the block: behind all where the
 * instant lies beyond it. */
static uint64_t place_of(const lanes_block *b, fsim_ns at_ns, bool begins, uint64_t fn) {
    uint64_t past_ns = at_ns > b->from_ns ? (uint64_t)(at_ns - b->from_ns) : 0;
    return at_ns > b->to_ns ? UINT64_MAX : (past_ns << 1 | (begins ? 1u : 0u)) << b->fn_bits | fn;
}

static uint64_t strike_at(const lanes_block *b, const lanes_pass *p) {
    return p->struck.count == 0 ? UINT64_MAX
                                : place_of(b, p->struck.strike[0].at_ns, false, p->struck.strike[0].fn);
}

/* Up to where nothing but changes happens. */
static uint64_t next_stop(const lanes *s, const lanes_block *b) {
    uint64_t stop = strike_at(b, &s->pass);
    uint64_t seldom = place_of(b, fsim_event_queue_next_ns(&s->e->queue), true, 0);
    uint64_t mark = place_of(b, fsim_ns_add(s->e->mark_ns, 1), false, 0);
    stop = seldom < stop ? seldom : stop;
    return mark < stop ? mark : stop;
}

static void serve_marks(lanes *s, fsim_ns at_ns) {
    if (at_ns > s->e->mark_ns) {
        engine_marks(s->e, at_ns);
    }
}

static void happen(lanes *s, const lanes_block *b) {
    fsim_event event = fsim_event_queue_pop(&s->e->queue);
    serve_marks(s, event.at_ns);
    s->pass.last_ns = event.at_ns;
    lanes_happen(s, b, event);
}

static uint32_t follow_some(lanes *s, const lanes_block *b, const uint64_t *word, uint32_t k, uint32_t count,
                            uint64_t stop) {
    sums x = begin_sums(s);
    uint32_t end;
    if (!is_narrow(b, x.n, count - k)) {
        end = follow(s, b, word, k, count, stop, &x, false, false, false);
        add_wide(&x, word + k, end - k, b->fn_bits);
    } else if (!s->newest) {
        end = follow(s, b, word, k, count, stop, &x, true, false, true);
    } else if (s->count > FEW_FUNCTIONS) {
        end = follow(s, b, word, k, count, stop, &x, true, true, true);
    } else {
        end = follow(s, b, word, k, count, stop, &x, true, true, false);
    }
    if (end > k) {
        end_sums(s, b, &x, end - k);
        s->pass.last_ns = instant_of(b, word[end - 1u]);
    }
    return end;
}

static uint32_t function_of(const lanes_block *b, uint64_t word) {
    return (uint32_t)(word & ((UINT64_C(1) << b->fn_bits) - 1u));
}

static void go_long_way(lanes *s, lanes_block *b, uint64_t word, fsim_ns at_ns) {
    uint32_t fn = function_of(b, word);
    if ((word >> b->fn_bits & 1u) != 0) {
        lanes_arrive(s, b, fn, at_ns);
    } else {
        lanes_leave(s, fn, at_ns);
    }
}

/* The change that comes next was not followed: what has to happen before it, or instead of it. True: it is
 * done with. */
static bool pass_by(lanes *s, lanes_block *b, uint64_t word, uint64_t stop) {
    lanes_pass *p = &s->pass;
    fsim_ns at_ns = instant_of(b, word);
    if (word < stop) {
        p->last_ns = at_ns;
        go_long_way(s, b, word, at_ns);
        return true;
    }
    if (word == strike_at(b, p)) {
        lane_struck_pop(&p->struck);
        return true;
    }
    if (word >= place_of(b, fsim_event_queue_next_ns(&s->e->queue), true, 0)) {
        happen(s, b);
    } else {
        serve_marks(s, at_ns);
    }
    return false;
}

void lanes_follow(lanes *s, lanes_block *b, const uint64_t *word, uint32_t count) {
    for (uint32_t k = 0; k < count && !s->pass.failed;) {
        uint64_t stop = next_stop(s, b), next = word[k];
        if (next < stop && !goes_long_way(&s->lane[function_of(b, next)], next >> b->fn_bits & 1u)) {
            k = follow_some(s, b, word, k, count, stop);
        } else if (pass_by(s, b, next, stop)) {
            k++;
        }
    }
}

/* ---- two columns at once ---- */

/* What comes next in each. */
typedef struct column_front {
    const uint64_t *begin, *end;
} column_front;

/* As `follow`, of one function alone: its requests in execution are those of the run, and what moves of it
 * stays in registers. Which column has the next change is not to be foreseen, so nothing is decided on it. */
PART void follow_two(lanes *s, const lanes_block *b, column_front *front, uint64_t stop, sums *x,
                     bool newest) {
    uint32_t bits = b->fn_bits;
    fsim_ns from_ns = b->from_ns;
    lane one = *s->lane;
    const uint64_t *begin = front->begin, *end = front->end;
    narrow_sums sum = {.n = x->n, .peak = x->peak};
    for (;;) {
        uint64_t word_begin = *begin, word_end = *end;
        bool begins = word_begin < word_end;
        uint64_t word = begins ? word_begin : word_end;
        uint64_t past_ns = word >> bits >> 1, step = 2u * (uint64_t)begins - 1u;
        if (word >= stop || !follow_one(&one, begins, step, from_ns + (fsim_ns)past_ns, true, newest)) {
            break;
        }
        begin += begins;
        end += !begins;
        add_change(&sum, past_ns, step);
    }
    s->lane->tail = one.tail;
    s->lane->seen = one.seen;
    s->lane->executing = one.executing;
    *front = (column_front){begin, end};
    *x = widen(sum);
}

static void follow_front(lanes *s, const lanes_block *b, column_front *front, uint64_t stop) {
    column_front was = *front;
    sums x = begin_sums(s);
    if (s->newest) {
        follow_two(s, b, front, stop, &x, true);
    } else {
        follow_two(s, b, front, stop, &x, false);
    }
    uint64_t begun = (uint64_t)(front->begin - was.begin), ended = (uint64_t)(front->end - was.end);
    if (begun + ended != 0) {
        uint64_t last_begin = begun == 0 ? 0 : front->begin[-1], last_end = ended == 0 ? 0 : front->end[-1];
        s->pass.last_ns = instant_of(b, last_begin > last_end ? last_begin : last_end);
        end_sums(s, b, &x, begun + ended);
    }
}

bool lanes_can_follow_both(lanes *s, const lanes_block *b, uint64_t count) {
    return s->alone && is_narrow(b, lanes_run_level(s)->level.n, count);
}

const uint64_t *lanes_follow_both(lanes *s, lanes_block *b, const uint64_t *begin, const uint64_t *end,
                                  uint64_t limit) {
    column_front front = {begin, end};
    while (!s->pass.failed) {
        uint64_t stop = next_stop(s, b);
        bool begins = *front.begin < *front.end;
        uint64_t word = begins ? *front.begin : *front.end;
        if (word >= limit) {
            break;
        }
        if (word < stop && !goes_long_way(s->lane, begins)) {
            follow_front(s, b, &front, stop < limit ? stop : limit);
        } else if (pass_by(s, b, word, stop)) {
            front.begin += begins;
            front.end += !begins;
        }
    }
    return front.end;
}

/* ---- a block ---- */

/* While a function has an odd request in the block, all of its requests go the long way. */
static void hold_odd(lanes *s, const lanes_block *b, bool hold) {
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        const lanes_part *part = &b->part[t];
        for (uint32_t k = 0; k < part->odds; k++) {
            lanes_hold(s, part->odd[k], hold);
        }
    }
}

/* The shortest and the longest of the span's warm requests. */
static void note_extremes(lanes *s, const lanes_block *b, const lanes_part *part, lanes_span *span) {
    lane_rest *rest = &s->rest[span->fn];
    uint64_t least = span->least_ns, most = span->most_ns;
    if (span->long_way) {
        const fsim_ns *service_ns = lanes_span_columns(s, b, part, span).service_ns;
        least = FSIM_NEVER;
        most = 0;
        for (uint32_t k = 0; k < span->count; k++) {
            uint64_t length = (uint64_t)service_ns[k];
            least = length - 1u < least ? length : least; /* but for 0 */
            most = length > most ? length : most;
        }
    }
    rest->least_ns = least < rest->least_ns ? least : rest->least_ns;
    rest->most_ns = most > rest->most_ns ? most : rest->most_ns;
}

static void note_all_extremes(lanes *s, const lanes_block *b) {
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        const lanes_part *part = &b->part[t];
        for (uint32_t k = 0; k < part->spans; k++) {
            note_extremes(s, b, part, &part->span[k]);
        }
    }
}

/* An instance that expires when nothing else happens any more does so after the end of a run that ends by
 * itself: it waits for what makes sure that there is a later instant. */
void lanes_pass_rest(lanes *s, fsim_ns to_ns) {
    lanes_pass *p = &s->pass;
    bool lasts = s->e->scenario->until_ns != FSIM_NEVER && !s->e->stopped;
    const fsim_event_queue *queue = &s->e->queue;
    while (queue->next_ns <= to_ns && queue->next_ns != FSIM_NEVER && (p->open != 0 || lasts) && !p->failed) {
        happen(s, NULL);
    }
}

void lanes_pass_block(lanes *s, lanes_block *b) {
    hold_odd(s, b, true);
    lanes_sort(s, b);
    lanes_remember(s, b);
    if (!s->pass.failed) {
        lanes_pass_rest(s, b->to_ns);
    }
    hold_odd(s, b, false);
    note_all_extremes(s, b);
}
