/* Blocks of time, filled and accounted function by function; see lanes.h. */
#include "model/lanes.h"

#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 64 /* requests that are added up together */
};

/* ---- memory: outside the thread of the run ---- */

static __attribute__((noinline)) bool grow(void *array, uint64_t need, uint32_t *capacity, size_t size) {
    void *old, *new;
    uint64_t larger = 2u * need < 64u ? 64u : 2u * need;
    memcpy(&old, array, sizeof old);
    new = larger > UINT32_MAX ? NULL : realloc(old, larger * size);
    if (new == NULL) {
        return false;
    }
    memcpy(array, &new, sizeof new);
    *capacity = (uint32_t)larger;
    return true;
}

bool lanes_room(void *array, uint64_t need, uint32_t *capacity, size_t size) {
    return need <= *capacity || grow(array, need, capacity, size);
}

/* The same of a task, which notes that there is none. */
static bool reserve(lanes_task *task, void *array, uint64_t need, uint32_t *capacity, size_t size) {
    task->failed |= !lanes_room(array, need, capacity, size);
    return !task->failed;
}

/* ---- accounting ---- */

/* The histogram's lines are asked for first, and meanwhile what needs nothing but the columns is summed. At
 * most CHUNK of them. */
static inline void add_up(lanes_span *span, lane_rest *rest, const fsim_ns *at_ns, const fsim_ns *service_ns,
                          uint32_t count) {
    short_sums *sums = &rest->sums;
    uint32_t fn = span->fn;
    uint32_t bucket[CHUNK];
    for (uint32_t k = 0; k < count; k++) {
        bucket[k] = fsim_histogram_bucket(service_ns[k]);
        __builtin_prefetch(&sums->hist->count[bucket[k]], 1);
    }
    uint64_t sum = 0, least = span->least_ns, most = span->most_ns, mixed = 0;
    for (uint32_t k = 0; k < count; k++) {
        uint64_t length = (uint64_t)service_ns[k];
        sum += length;
        least = length < least ? length : least;
        most = length > most ? length : most;
        mixed += engine_mix((uint64_t)at_ns[k], fn, (uint64_t)(at_ns[k] + service_ns[k]), FSIM_COMPLETED);
    }
    for (uint32_t k = 0; k < count; k++) {
        sums->hist->count[bucket[k]]++;
    }
    sums->span_ns += sum;
    span->least_ns = least;
    span->most_ns = most;
    rest->digest += mixed;
}

/* Spans above 0. One step at the least is what most rules ask for, and then the steps may be summed. */
static uint64_t add_billed(const fsim_meter_rule *rule, const fsim_ns *service_ns, uint32_t count) {
    const fsim_meter_rule local = *rule;
    uint64_t sum = 0;
    if (local.least_ms <= local.step_ms) {
        for (uint32_t k = 0; k < count; k++) {
            sum += fsim_meter_steps(&local, (uint64_t)service_ns[k]);
        }
        return sum * local.step_ms;
    }
    for (uint32_t k = 0; k < count; k++) {
        sum += fsim_meter_billed_ms(&local, (uint64_t)service_ns[k]);
    }
    return sum;
}

/* Statistics and meters of requests of the function that are taken to be warm, each a loop that keeps the
 * processor busy. What of it turns out otherwise is undone. */
static void account(const engine *e, lanes_span *span, lane_rest *rest, const fsim_ns *at_ns,
                    const fsim_ns *service_ns, uint32_t count) {
    for (uint32_t k = 0; k < count; k += CHUNK) {
        add_up(span, rest, at_ns + k, service_ns + k, count - k < CHUNK ? count - k : CHUNK);
    }
    for (uint32_t j = 0; e->metering && j < e->plan.request.count; j++) {
        uint64_t billed_ms = add_billed(&e->plan.request.rule[j], service_ns, count);
        rest->sums.billed_ms[j] += billed_ms;
        rest->sums.cpu_mem_ms += j == 0 ? billed_ms : 0; /* to 1 ms, as memory in active windows is */
    }
    rest->sums.arrived += count;
    rest->sums.completed += count;
}

/* ---- filling ---- */

static bool reserve_changes(lanes_task *task, uint32_t requests) {
    uint64_t words = (uint64_t)task->words + 2u * (uint64_t)requests + 1u;
    uint64_t laters = (uint64_t)task->laters + requests + 1u;
    return reserve(task, &task->word, words, &task->word_capacity, sizeof *task->word) &&
           reserve(task, &task->later, laters, &task->later_capacity, sizeof *task->later);
}

/* Executions that began in blocks before and end in this one. */
static void fill_ends(lanes_task *task, const lanes_block *b) {
    uint64_t words = (uint64_t)task->laters + 1u;
    if (!reserve(task, &task->word, words, &task->word_capacity, sizeof *task->word)) {
        return;
    }
    uint32_t kept = 0, n = 0;
    for (uint32_t k = 0; k < task->laters; k++) {
        lanes_end end = task->later[k];
        bool due = end.at_ns <= b->to_ns;
        task->word[n] = (uint64_t)(end.at_ns - b->from_ns) << 1 << b->fn_bits | end.fn;
        n += due;
        task->later[kept] = end;
        kept += !due;
    }
    task->words = n;
    task->laters = kept;
}

/* The changes that warm requests make. Whether they end in this block or a later one is decided without a
 * branch. */
FSIM_INLINE void fill_changes(lanes_task *task, const lanes_block *b, uint32_t fn, const fsim_ns *at_ns,
                              const fsim_ns *service_ns, uint32_t count, bool beginnings) {
    uint64_t *first = task->word + task->words, *word = first;
    lanes_end *first_later = task->later + task->laters, *later = first_later;
    uint64_t begin_of_fn = UINT64_C(1) << b->fn_bits | fn;
    uint32_t bits = b->fn_bits + 1u;
    fsim_ns from_ns = b->from_ns, to_ns = b->to_ns;
    for (uint64_t k = 0; k < count; k++) {
        fsim_ns begin_ns = at_ns[k], end_ns = begin_ns + service_ns[k];
        if (beginnings) {
            *word++ = (uint64_t)(begin_ns - from_ns) << bits | begin_of_fn;
        }
        *word = (uint64_t)(end_ns - from_ns) << bits | fn;
        *later = (lanes_end){end_ns, fn};
        uint64_t late = (uint64_t)(to_ns - end_ns) >> 63;
        word += 1u - late;
        later += late;
    }
    task->words += (uint32_t)(word - first);
    task->laters += (uint32_t)(later - first_later);
}

static void fill_whole(const lanes *s, lanes_task *task, const lanes_block *b, uint32_t fn,
                       const fsim_ns *at_ns, const fsim_ns *service_ns, uint32_t count) {
    if (s->by_stream) {
        fill_changes(task, b, fn, at_ns, service_ns, count, true);
    } else {
        fill_changes(task, b, fn, at_ns, service_ns, count, false);
    }
}

/* As lanes_is_whole of each. First a little more is asked, of all at once: nearly always it holds. */
static bool all_whole(const lanes *s, const function *f, const fsim_ns *at_ns, const fsim_ns *service_ns,
                      uint32_t count) {
    uint64_t most = 0; /* of one less each: 0 becomes the largest of all */
    for (uint32_t k = 0; k < count; k++) {
        uint64_t less = (uint64_t)service_ns[k] - 1u;
        most = less > most ? less : most;
    }
    if (FSIM_LIKELY(most < INT64_MAX && lanes_is_whole(s, f, at_ns[count - 1u], (fsim_ns)most + 1))) {
        return true;
    }
    bool whole = true;
    for (uint32_t k = 0; k < count; k++) {
        whole &= lanes_is_whole(s, f, at_ns[k], service_ns[k]);
    }
    return whole;
}

/* Of those that are not whole it is known that they begin. */
static void fill_odd(const lanes *s, lanes_task *task, const lanes_block *b, lanes_part *part,
                     lanes_span *span, const fsim_ns *at_ns, const fsim_ns *service_ns) {
    if (!reserve(task, &part->odd, (uint64_t)part->odds + 1u, &part->odd_capacity, sizeof *part->odd)) {
        return;
    }
    uint32_t fn = span->fn;
    part->odd[part->odds++] = fn;
    for (uint32_t k = 0; k < span->count; k++) {
        if (lanes_is_whole(s, &s->e->functions[fn], at_ns[k], service_ns[k])) {
            fill_whole(s, task, b, fn, &at_ns[k], &service_ns[k], 1);
            account(s->e, span, &s->rest[fn], &at_ns[k], &service_ns[k], 1);
        } else if (s->by_stream) {
            task->word[task->words++] = ((uint64_t)(at_ns[k] - b->from_ns) << 1 | 1u) << b->fn_bits | fn;
        }
    }
}

/* Requests of one function, [first, first + count) of the columns. */
static void fill_function(lanes *s, lanes_task *task, lanes_block *b, lanes_part *part, uint32_t fn,
                          uint32_t first, uint32_t count) {
    const fsim_ns *at_ns = (s->by_stream ? part->at_ns : b->at_ns) + first;
    fsim_ns *service_ns = (s->by_stream ? part->service_ns : b->service_ns) + first;
    task->status = !s->by_stream && b->drawn
                       ? fsim_workload_draw_all(s->e->workload, fn, service_ns, count, &task->err)
                       : fsim_workload_draw(s->e->workload, fn, service_ns, count, &task->err);
    if (task->status != FSIM_OK || !reserve_changes(task, count) ||
        !reserve(task, &part->span, (uint64_t)part->spans + 1u, &part->span_capacity, sizeof *part->span)) {
        return;
    }
    lane_rest *rest = &s->rest[fn];
    lanes_span *span = &part->span[part->spans];
    b->span_of[fn] = (uint32_t)(task - s->task) << LANES_SPAN_BITS | part->spans++;
    *span = (lanes_span){
        .fn = fn, .first = first, .count = count, .before = rest->filled, .least_ns = FSIM_NEVER};
    rest->filled += count;
    if (rest->shares) {
        rest->sums.hist = task->shared.direct;
    }
    if (all_whole(s, &s->e->functions[fn], at_ns, service_ns, count)) {
        fill_whole(s, task, b, fn, at_ns, service_ns, count);
        account(s->e, span, rest, at_ns, service_ns, count);
    } else {
        fill_odd(s, task, b, part, span, at_ns, service_ns);
    }
}

static void fill_stream(lanes *s, lanes_task *task, lanes_block *b, lanes_part *part, uint32_t k) {
    fsim_workload *workload = s->e->workload;
    uint32_t first = part->arrivals, count;
    do {
        uint64_t need = (uint64_t)part->arrivals + FSIM_BATCH;
        uint32_t capacity = part->capacity;
        if (!reserve(task, &part->at_ns, need, &capacity, sizeof *part->at_ns) ||
            !reserve(task, &part->service_ns, need, &part->capacity, sizeof *part->service_ns)) {
            return;
        }
        count = fsim_workload_take(workload, k, b->to_ns + 1, part->at_ns + part->arrivals,
                                   part->service_ns + part->arrivals, FSIM_BATCH,
                                   s->parts == 1 ? &task->scratch : NULL);
        part->arrivals += count;
    } while (count == FSIM_BATCH);
    s->due_ns[k] = fsim_workload_next_ns(workload, k);
    if (part->arrivals > first) {
        fill_function(s, task, b, part, s->streams.ids[k], first, part->arrivals - first);
    }
}

static void fill(lanes *s, lanes_task *task, lanes_block *b) {
    lanes_part *part = &b->part[task - s->task];
    task->words = part->spans = part->odds = part->arrivals = 0;
    fill_ends(task, b);
    for (uint32_t place = task->first; place < task->end && task->status == FSIM_OK && !task->failed;
         place++) {
        if (!s->by_stream) {
            if (s->start[place + 1u] > s->start[place]) {
                fill_function(s, task, b, part, place, s->start[place],
                              s->start[place + 1u] - s->start[place]);
            }
        } else if (s->due_ns[place] <= b->to_ns && !s->ended) {
            fill_stream(s, task, b, part, place);
        }
    }
    task->failed |= !lanes_split(b, task, part);
}

/* ---- what the pass has found ---- */

static fsim_histogram *direct_of(lanes *s, uint32_t fn) {
    return s->rest[fn].shares ? s->pass.shared.direct : s->rest[fn].sums.hist;
}

/* Requests that were counted as warm and went the long way. */
static void undo(lanes *s) {
    const lanes_pass *p = &s->pass;
    const fsim_meter_plan *plan = &s->e->plan;
    for (uint32_t k = 0; k < p->undones; k++) {
        fsim_ns service_ns = p->undone[k].service_ns;
        short_sums *sums = &s->rest[p->undone[k].fn].sums;
        direct_of(s, p->undone[k].fn)->count[fsim_histogram_bucket(service_ns)]--;
        sums->span_ns -= (uint64_t)service_ns;
        for (uint32_t j = 0; s->e->metering && j < plan->request.count; j++) {
            uint64_t billed_ms = fsim_meter_billed_ms(&plan->request.rule[j], (uint64_t)service_ns);
            sums->billed_ms[j] -= billed_ms;
            sums->cpu_mem_ms -= j == 0 ? billed_ms : 0;
        }
        sums->arrived--;
        sums->completed--;
    }
    s->pass.undones = 0;
}

/* ---- what has come in order of time ---- */

void lanes_reserve(lanes *s, uint32_t room) {
    engine *e = s->e;
    if (room <= s->room) {
        return;
    }
    s->fn = engine_grow(e, s->fn, room, sizeof *s->fn);
    s->at_ns = engine_grow(e, s->at_ns, room, sizeof *s->at_ns);
    s->service_ns = engine_grow(e, s->service_ns, room, sizeof *s->service_ns);
    s->room = room;
}

static void leave_open(fsim_ns *service_ns, uint32_t count) {
    for (uint32_t k = 0; k < count; k++) {
        service_ns[k] = FSIM_DRAW;
    }
}

void lanes_append(lanes *s, const fsim_arrivals *batch, uint32_t first, uint32_t end) {
    uint32_t count = end - first;
    fsim_check(s->arrivals + count <= s->room);
    memcpy(s->fn + s->arrivals, batch->fn + first, count * sizeof *s->fn);
    memcpy(s->at_ns + s->arrivals, batch->at_ns + first, count * sizeof *s->at_ns);
    fsim_ns given = 0;
    for (uint32_t k = first; k < end; k++) {
        given |= batch->service_ns[k] ^ (fsim_ns)FSIM_DRAW;
    }
    s->drawn |= s->arrivals == 0;
    if (s->drawn && given != 0) {
        leave_open(s->service_ns, s->arrivals);
        s->drawn = false;
    }
    if (!s->drawn) {
        memcpy(s->service_ns + s->arrivals, batch->service_ns + first, count * sizeof *s->service_ns);
    }
    s->arrivals += count;
}

static void reserve_columns(lanes *s, lanes_block *b) {
    engine *e = s->e;
    if (b->room < s->room) {
        b->came_fn = engine_grow(e, b->came_fn, s->room, sizeof *b->came_fn);
        b->came_ns = engine_grow(e, b->came_ns, s->room, sizeof *b->came_ns);
        b->grouped_ns = engine_grow(e, b->grouped_ns, s->room, sizeof *b->grouped_ns);
        b->service_ns = engine_grow(e, b->service_ns, s->room, sizeof *b->service_ns);
        b->room = s->room;
    }
}

static void scatter(lanes *s, lanes_block *b) {
    uint32_t *start = s->start, count = s->arrivals;
    const fsim_fn_id *fn = s->fn;
    const fsim_ns *at_ns = s->at_ns, *service_ns = s->service_ns;
    fsim_ns *grouped_ns = b->grouped_ns, *grouped_service_ns = b->service_ns;
    for (uint32_t k = 0; k < count; k++) {
        start[fn[k] + 2u]++;
    }
    for (uint32_t k = 2; k < s->count + 2u; k++) {
        start[k] += start[k - 1u];
    }
    if (s->drawn) {
        for (uint32_t k = 0; k < count; k++) { /* start[fn + 1] moves from the begin of fn to its end */
            grouped_ns[start[fn[k] + 1u]++] = at_ns[k];
        }
        return;
    }
    for (uint32_t k = 0; k < count; k++) {
        uint32_t to = start[fn[k] + 1u]++;
        grouped_ns[to] = at_ns[k];
        grouped_service_ns[to] = service_ns[k];
    }
}

static void swap(void *a, void *b) {
    void *was_a, *was_b;
    memcpy(&was_a, a, sizeof was_a);
    memcpy(&was_b, b, sizeof was_b);
    memcpy(a, &was_b, sizeof was_b);
    memcpy(b, &was_a, sizeof was_a);
}

/* Into the block: as they came, and by function, in a stable counting sort. */
static void group(lanes *s, lanes_block *b) {
    reserve_columns(s, b);
    memset(s->start, 0, (s->count + 2u) * sizeof *s->start);
    if (s->count == 1) {
        s->start[1] = s->arrivals;
        swap(&s->service_ns, &b->service_ns);
    } else {
        scatter(s, b);
    }
    swap(&s->fn, &b->came_fn);
    swap(&s->at_ns, &b->came_ns);
    b->at_ns = s->count == 1 ? b->came_ns : b->grouped_ns;
    b->arrivals = s->arrivals;
    b->drawn = s->drawn;
}

/* ---- tasks ---- */

/* Parts of about equal work: by the arrivals of the functions so far. */
static void divide(lanes *s) {
    uint32_t places = s->by_stream ? s->streams.count : s->count, place = 0;
    uint64_t total = 0, before = 0;
    for (uint32_t k = 0; k < places; k++) {
        total += (uint64_t)s->rest[s->by_stream ? s->streams.ids[k] : k].filled + 1u;
    }
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        uint64_t until = total * (t + 1u) / LANES_TASKS;
        s->task[t].first = place;
        while (place < places && before < until) {
            before += (uint64_t)s->rest[s->by_stream ? s->streams.ids[place] : place].filled + 1u;
            place++;
        }
        s->task[t].end = place;
    }
}

static lanes_block *to_fill(lanes *s) {
    return &s->block[s->turn];
}
static lanes_block *to_pass(lanes *s) {
    return &s->block[(s->turn + 1u) % LANES_BLOCKS];
}

static void pass_filled(lanes *s, lanes_block *b) {
    if (b->filled) {
        lanes_pass_block(s, b);
        b->filled = false;
    }
}

static void do_task(void *user, uint32_t i) {
    lanes *s = user;
    if (i == 0) {
        if (s->pass_aside) {
            pass_filled(s, to_pass(s));
        }
        return;
    }
    if (to_fill(s)->filled) {
        fill(s, &s->task[i - 1u], to_fill(s));
    }
}

static void check_tasks(lanes *s) {
    bool failed = s->pass.failed;
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        failed |= s->task[t].failed;
        if (s->task[t].status != FSIM_OK && s->e->status == FSIM_OK) {
            *s->e->err = s->task[t].err;
            engine_fail(s->e, s->task[t].status);
        }
    }
    if (failed) {
        engine_no_memory(s->e);
    }
}

/* Latencies that the pass could not add itself. */
static void add_direct(lanes *s) {
    lanes_pass *p = &s->pass;
    for (uint32_t k = 0; k < p->directs; k++) {
        fsim_histogram_add(direct_of(s, p->direct[k].fn), p->direct[k].service_ns);
    }
    p->directs = 0;
}

/* One thread: a block goes through both hands at once, while it is in the cache. */
static void turn_alone(lanes *s) {
    lanes_block *b = to_fill(s);
    for (uint32_t t = 0; t < LANES_TASKS && b->filled; t++) {
        fill(s, &s->task[t], b);
    }
    check_tasks(s);
    if (s->e->status != FSIM_OK) { /* the block is not whole */
        return;
    }
    pass_filled(s, b);
}

static void turn(lanes *s) {
    if (s->crew == NULL) {
        turn_alone(s);
    } else {
        if (!s->pass_aside) {
            pass_filled(s, to_pass(s));
        }
        crew_do(s->crew, LANES_TASKS + 1u, do_task, s);
        s->turn = (s->turn + 1u) % LANES_BLOCKS;
    }
    check_tasks(s);
    add_direct(s);
    undo(s);
}

static void reserve_functions(lanes *s, lanes_block *b) {
    if (b->span_of_capacity < s->capacity) {
        b->span_of = engine_grow(s->e, b->span_of, s->capacity, sizeof *b->span_of);
        b->span_of_capacity = s->capacity;
    }
}

void lanes_serve(lanes *s, fsim_ns to_ns) {
    lanes_block *b = to_fill(s);
    reserve_functions(s, b);
    b->from_ns = s->from_ns;
    b->to_ns = to_ns;
    b->fn_bits = s->fn_bits;
    b->filled = true;
    lanes_plan_split(b, s->changes);
    if (!s->by_stream) {
        group(s, b);
    }
    divide(s);
    turn(s);
    s->arrivals = 0;
    s->from_ns = to_ns;
    s->arrived = s->changes = 0;
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        s->arrived += b->part[t].arrivals;
        s->changes += s->task[t].words;
    }
}

void lanes_flush(lanes *s) {
    turn(s);
}
