/* Buckets as arrivals; see bucket_stream.h. */
#include "trace/bucket_stream.h"

#include "base/distribution.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_AIM 8192u /* arrivals of a window: its arrays stay in the second-level cache */
#define SLOTS_MAX  65536u
#define GAPS_KEPT  4096u
#define NO_BUCKET  UINT64_MAX

/* One function at work. */
typedef struct lane {
    uint32_t f;
    fsim_cell_cursor cells;
    fsim_place_cursor place;
    fsim_rng place_rng, service_rng;
} lane;

struct fsim_bucket_stream {
    const fsim_bucketed *trace;
    fsim_placement placement;
    uint64_t seed;
    const fsim_fn_id *ids;

    lane *lanes;
    uint64_t *next_bucket; /* of each lane: where its cell at hand stands; NO_BUCKET: it has ended */
    uint32_t *active;      /* lanes that still have arrivals in the bucket at hand, ascending */
    uint32_t lane_count, lane_capacity, active_count;
    double gaps[GAPS_KEPT]; /* of the bucket at hand, where there is one lane */

    uint64_t bucket;
    fsim_ns window_ns, window_end_ns, bucket_end_ns;
    /* The window at hand, by function, and the order of time. */
    fsim_ns *at_ns, *service_ns;
    fsim_fn_id *fn;
    uint32_t *order;
    uint32_t *slots; /* SLOTS_MAX + 1 */
    uint32_t count, capacity, taken;
};

static fsim_status out_of_memory(fsim_error *err) {
    return fsim_fail(err, FSIM_ELIMIT, "out of memory");
}

/* --- durations --- */

/* Lines between knots: where they begin, one over their lengths, and the line of each hundredth. */
typedef struct lines {
    double begin[FSIM_KNOTS], per_width[FSIM_KNOTS];
    uint8_t of[100];
} lines;

const double fsim_knot_probabilities[FSIM_KNOTS] = {0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0};
static const lines straight = {{0.0, 0.01, 0.25, 0.5, 0.75, 0.99},
                               {100.0, 1.0 / 0.24, 4.0, 4.0, 1.0 / 0.24, 100.0},
                               {0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
                                3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
                                4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5}};
static const lines bent = {/* with a knot at FSIM_SHOULDER */
                           {0.0, 0.01, 0.25, 0.5, 0.75, FSIM_SHOULDER, 0.99},
                           {100.0, 1.0 / 0.24, 4.0, 4.0, 5.0, 25.0, 100.0},
                           {0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                            2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
                            3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
                            4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 6}};

static inline unsigned line_of(const lines *l, double u) {
    return l->of[(int32_t)(u * 100.0)];
}

/* Line `curved` rises as t^tail. */
static inline void fill_lines(const lines *l, const fsim_ns *knot_ns, unsigned curved, double tail,
                              fsim_ns floor_ns, fsim_rng *stream, fsim_ns *out, uint32_t n) {
    fsim_rng rng = *stream;
    for (uint32_t i = 0; i < n; i++) {
        double u = fsim_rng_unit(&rng);
        unsigned s = line_of(l, u);
        double width_ns = (double)(knot_ns[s + 1] - knot_ns[s]), share = (u - l->begin[s]) * l->per_width[s];
        if (s == curved) {
            share = pow(share > 0.0 ? share : 0.0, tail);
        }
        fsim_ns drawn_ns = knot_ns[s] + (fsim_ns)(share * width_ns + 0.5);
        out[i] = drawn_ns < floor_ns ? floor_ns : drawn_ns;
    }
    *stream = rng;
}

static void fill_steps(const fsim_trace_durations *d, fsim_rng *rng, fsim_ns *out, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        out[i] = d->knot_ns[line_of(&straight, fsim_rng_unit(rng)) + 1];
    }
}

static void fill_lognormal(const fsim_trace_durations *d, fsim_rng *rng, fsim_ns *out, uint32_t n) {
    const double log_ns_of_s = 20.72326583694641115616; /* ln 10^9 */
    const fsim_dist law = {.kind = FSIM_DIST_LOGNORMAL, .a = d->mu + log_ns_of_s, .b = d->sigma};
    fsim_dist_fill(&law, rng, out, n);
}

void fsim_trace_durations_fill(const fsim_trace_durations *d, fsim_rng *rng, fsim_ns *out, uint32_t n) {
    switch (d->kind) {
    case FSIM_DURATION_KNOTS:
        fill_lines(&straight, d->knot_ns, FSIM_KNOTS, 1.0, d->floor_ns, rng, out, n);
        return;
    case FSIM_DURATION_FITTED:
        fill_lines(&bent, d->curve_ns, FSIM_KNOTS - 1, d->tail, d->floor_ns, rng, out, n);
        return;
    case FSIM_DURATION_STEPS: fill_steps(d, rng, out, n); break;
    case FSIM_DURATION_LOGNORMAL: fill_lognormal(d, rng, out, n); break;
    case FSIM_DURATION_OPEN:
    case FSIM_DURATION_MEAN:
        for (uint32_t i = 0; i < n; i++) {
            out[i] = d->kind == FSIM_DURATION_OPEN ? FSIM_DRAW : d->mean_ns;
        }
        break;
    }
    for (uint32_t i = 0; d->kind != FSIM_DURATION_OPEN && i < n; i++) {
        out[i] = out[i] < d->floor_ns ? d->floor_ns : out[i];
    }
}

/* --- lanes --- */

static void read_cell(fsim_bucket_stream *s, uint32_t l) {
    fsim_cell_cursor *cells = &s->lanes[l].cells;
    uint64_t earliest = cells->bucket + 1u; /* 0 for the first cell */
    bool more = fsim_cells_next(cells) && cells->bucket >= earliest && cells->bucket < s->trace->bucket_count;
    s->next_bucket[l] = more ? cells->bucket : NO_BUCKET;
}

static void begin_cell(fsim_bucket_stream *s, uint32_t l, double *room, uint32_t room_for) {
    lane *at = &s->lanes[l];
    fsim_ns start_ns = (fsim_ns)at->cells.bucket * s->trace->bucket_ns;
    fsim_place_begin(&at->place, s->placement, start_ns, s->trace->bucket_ns, at->cells.count,
                     (double)at->cells.count, &at->place_rng, room, room_for);
}

static fsim_status reserve_lanes(fsim_bucket_stream *s, uint32_t count, fsim_error *err) {
    if (count <= s->lane_capacity) {
        return FSIM_OK;
    }
    free(s->lanes);
    free(s->next_bucket);
    free(s->active);
    s->lanes = malloc(count * sizeof *s->lanes);
    s->next_bucket = malloc(count * sizeof *s->next_bucket);
    s->active = malloc(count * sizeof *s->active);
    bool ok = s->lanes != NULL && s->next_bucket != NULL && s->active != NULL;
    s->lane_capacity = ok ? count : 0;
    return ok ? FSIM_OK : out_of_memory(err);
}

fsim_status fsim_bucket_stream_select(fsim_bucket_stream *s, const uint32_t *functions, uint32_t count,
                                      fsim_error *err) {
    s->lane_count = s->active_count = s->count = s->taken = 0;
    s->bucket = 0;
    FSIM_TRY(reserve_lanes(s, count, err));
    for (uint32_t l = 0; l < count; l++) {
        lane *at = &s->lanes[l];
        at->f = functions == NULL ? l : functions[l];
        const char *name = s->trace->functions[at->f].name;
        at->cells = fsim_cells_of(s->trace, at->f);
        at->place.live = false;
        fsim_rng_seed(&at->place_rng, s->seed, name, FSIM_RNG_PLACEMENT);
        fsim_rng_seed(&at->service_rng, s->seed, name, FSIM_RNG_SERVICE);
        read_cell(s, l);
    }
    s->lane_count = count;
    return FSIM_OK;
}

static const fsim_trace_durations *durations_of(const fsim_bucket_stream *s, const lane *at) {
    return &s->trace->functions[at->f].durations;
}

static fsim_fn_id id_of(const fsim_bucket_stream *s, const lane *at) {
    return s->ids == NULL ? at->f : s->ids[at->f];
}

/* --- one function --- */

/* Takes from one lane until the batch is full or the lane has ended. */
static void next_alone(fsim_bucket_stream *s, fsim_arrivals *batch) {
    lane *at = &s->lanes[0];
    while (batch->count < FSIM_BATCH) {
        if (!at->place.live) {
            if (s->next_bucket[0] == NO_BUCKET) {
                break;
            }
            s->bucket = s->next_bucket[0];
            begin_cell(s, 0, s->gaps, GAPS_KEPT);
            read_cell(s, 0);
        }
        batch->count += fsim_place_fill(&at->place, &at->place_rng, FSIM_NEVER, batch->at_ns + batch->count,
                                        FSIM_BATCH - batch->count);
    }
    fsim_trace_durations_fill(durations_of(s, at), &at->service_rng, batch->service_ns, batch->count);
    fsim_fn_id id = id_of(s, at);
    for (uint32_t i = 0; i < batch->count; i++) {
        batch->fn[i] = id;
    }
}

/* --- several, merged --- */

/* The earliest bucket that any lane has, and the lanes that have it; false: none. */
static bool next_bucket(fsim_bucket_stream *s) {
    uint64_t earliest = NO_BUCKET, total = 0;
    for (uint32_t l = 0; l < s->lane_count; l++) {
        earliest = s->next_bucket[l] < earliest ? s->next_bucket[l] : earliest;
    }
    s->active_count = 0;
    if (earliest == NO_BUCKET) {
        return false;
    }
    for (uint32_t l = 0; l < s->lane_count; l++) {
        if (s->next_bucket[l] == earliest) {
            total += s->lanes[l].cells.count;
            begin_cell(s, l, NULL, 0);
            if (s->lanes[l].place.live) {
                s->active[s->active_count++] = l;
            }
            read_cell(s, l);
        }
    }
    s->bucket = earliest;
    uint64_t aim = 2u * s->active_count > WINDOW_AIM ? 2u * s->active_count : WINDOW_AIM;
    fsim_ns start_ns = (fsim_ns)earliest * s->trace->bucket_ns;
    s->window_ns = (fsim_ns)((uint64_t)s->trace->bucket_ns / (total / aim + 1u)) + 1;
    s->bucket_end_ns = start_ns + s->trace->bucket_ns;
    s->window_end_ns = start_ns;
    return true;
}

static fsim_status grow(fsim_bucket_stream *s, fsim_error *err) {
    uint32_t capacity = s->capacity == 0 ? 2u * WINDOW_AIM : 2u * s->capacity;
    fsim_ns *at_ns = realloc(s->at_ns, capacity * sizeof *at_ns);
    s->at_ns = at_ns != NULL ? at_ns : s->at_ns;
    fsim_ns *service_ns = realloc(s->service_ns, capacity * sizeof *service_ns);
    s->service_ns = service_ns != NULL ? service_ns : s->service_ns;
    fsim_fn_id *fn = realloc(s->fn, capacity * sizeof *fn);
    s->fn = fn != NULL ? fn : s->fn;
    uint32_t *order = realloc(s->order, capacity * sizeof *order);
    s->order = order != NULL ? order : s->order;
    if (s->slots == NULL) {
        s->slots = malloc((SLOTS_MAX + 1u) * sizeof *s->slots);
    }
    if (at_ns == NULL || service_ns == NULL || fn == NULL || order == NULL || s->slots == NULL) {
        return out_of_memory(err);
    }
    s->capacity = capacity;
    return FSIM_OK;
}

/* What one lane has before the end of the window. */
static fsim_status take_window(fsim_bucket_stream *s, lane *at, fsim_error *err) {
    const fsim_trace_durations *durations = durations_of(s, at);
    fsim_fn_id id = id_of(s, at);
    while (at->place.live && at->place.next_ns < s->window_end_ns) {
        if (s->count == s->capacity) {
            FSIM_TRY(grow(s, err));
        }
        uint32_t n = fsim_place_fill(&at->place, &at->place_rng, s->window_end_ns, s->at_ns + s->count,
                                     s->capacity - s->count);
        fsim_trace_durations_fill(durations, &at->service_rng, s->service_ns + s->count, n);
        for (uint32_t i = 0; i < n; i++) {
            s->fn[s->count + i] = id;
        }
        s->count += n;
    }
    return FSIM_OK;
}

/* The order of time, that of the functions at one instant: counted into slots of equal length, then by
 * insertion inside a slot. Both keep equal instants as they come. */
static void sort_window(fsim_bucket_stream *s, fsim_ns start_ns, fsim_ns length_ns) {
    uint32_t slot_count = s->count < SLOTS_MAX ? s->count : SLOTS_MAX;
    double per_ns = (double)slot_count / (double)length_ns;
    memset(s->slots, 0, (slot_count + 1u) * sizeof *s->slots);
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t slot = (uint32_t)((double)(s->at_ns[i] - start_ns) * per_ns);
        s->slots[(slot < slot_count ? slot : slot_count - 1u) + 1u]++;
    }
    for (uint32_t i = 1; i < slot_count; i++) {
        s->slots[i] += s->slots[i - 1];
    }
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t slot = (uint32_t)((double)(s->at_ns[i] - start_ns) * per_ns);
        s->order[s->slots[slot < slot_count ? slot : slot_count - 1u]++] = i;
    }
    for (uint32_t i = 1; i < s->count; i++) {
        uint32_t moved = s->order[i], to = i;
        fsim_ns at_ns = s->at_ns[moved];
        for (; to > 0 && s->at_ns[s->order[to - 1u]] > at_ns; to--) {
            s->order[to] = s->order[to - 1u];
        }
        s->order[to] = moved;
    }
}

static fsim_status next_window(fsim_bucket_stream *s, fsim_error *err) {
    fsim_ns start_ns = s->window_end_ns, left_ns = s->bucket_end_ns - start_ns;
    uint32_t kept = 0;
    s->window_end_ns = left_ns > s->window_ns ? start_ns + s->window_ns : s->bucket_end_ns;
    s->count = s->taken = 0;
    for (uint32_t a = 0; a < s->active_count; a++) {
        lane *at = &s->lanes[s->active[a]];
        FSIM_TRY(take_window(s, at, err));
        s->active[kept] = s->active[a];
        kept += at->place.live;
    }
    s->active_count = kept;
    if (s->count > 0) {
        sort_window(s, start_ns, s->window_end_ns - start_ns);
    }
    return FSIM_OK;
}

static fsim_status next_merged(fsim_bucket_stream *s, fsim_arrivals *batch, fsim_error *err) {
    while (batch->count < FSIM_BATCH) {
        if (s->taken == s->count) {
            if (s->active_count == 0 && !next_bucket(s)) {
                break;
            }
            FSIM_TRY(next_window(s, err));
            continue;
        }
        uint32_t room = FSIM_BATCH - batch->count, left = s->count - s->taken;
        uint32_t n = left < room ? left : room;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t from = s->order[s->taken + i], to = batch->count + i;
            batch->at_ns[to] = s->at_ns[from];
            batch->service_ns[to] = s->service_ns[from];
            batch->fn[to] = s->fn[from];
        }
        batch->count += n;
        s->taken += n;
    }
    return FSIM_OK;
}

/* Everything arrives at the start of the bucket, in any number: function by function, nothing to sort. */
static void next_at_start(fsim_bucket_stream *s, fsim_arrivals *batch) {
    while (batch->count < FSIM_BATCH) {
        if (s->taken == s->active_count) {
            s->taken = 0;
            if (!next_bucket(s)) {
                break;
            }
            continue;
        }
        lane *at = &s->lanes[s->active[s->taken]];
        uint32_t n = batch->count;
        batch->count +=
            fsim_place_fill(&at->place, &at->place_rng, FSIM_NEVER, batch->at_ns + n, FSIM_BATCH - n);
        fsim_trace_durations_fill(durations_of(s, at), &at->service_rng, batch->service_ns + n,
                                  batch->count - n);
        for (; n < batch->count; n++) {
            batch->fn[n] = id_of(s, at);
        }
        s->taken += !at->place.live;
    }
}

/* --- outside --- */

uint32_t fsim_bucket_stream_take(fsim_bucket_stream *s, uint32_t k, fsim_ns until_ns, fsim_ns *at_ns,
                                 fsim_ns *service_ns, uint32_t max, double *room, uint32_t room_for) {
    lane *at = &s->lanes[k];
    uint32_t count = 0;
    while (count < max) {
        if (!at->place.live) {
            if (s->next_bucket[k] == NO_BUCKET ||
                (fsim_ns)s->next_bucket[k] * s->trace->bucket_ns >= until_ns) {
                break;
            }
            begin_cell(s, k, room, room_for);
            read_cell(s, k);
            continue;
        }
        if (at->place.next_ns >= until_ns) {
            break;
        }
        count += fsim_place_fill(&at->place, &at->place_rng, until_ns, at_ns + count, max - count);
    }
    fsim_trace_durations_fill(durations_of(s, at), &at->service_rng, service_ns, count);
    return count;
}

fsim_ns fsim_bucket_stream_next_ns(const fsim_bucket_stream *s, uint32_t k) {
    if (s->lanes[k].place.live) {
        return s->lanes[k].place.next_ns;
    }
    return s->next_bucket[k] == NO_BUCKET ? FSIM_NEVER : (fsim_ns)s->next_bucket[k] * s->trace->bucket_ns;
}

fsim_status fsim_bucket_stream_open(fsim_bucket_stream **out, const fsim_bucketed *trace,
                                    fsim_placement placement, uint64_t seed, const fsim_fn_id *ids,
                                    fsim_error *err) {
    fsim_bucket_stream *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return out_of_memory(err);
    }
    fsim_assert(trace->bucket_ns > 0 && trace->bucket_count <= (uint64_t)(FSIM_NEVER / trace->bucket_ns));
    s->trace = trace;
    s->placement = placement;
    s->seed = seed;
    s->ids = ids;
    fsim_status status = fsim_bucket_stream_select(s, NULL, trace->function_count, err);
    if (status != FSIM_OK) {
        fsim_bucket_stream_close(s);
        return status;
    }
    *out = s;
    return FSIM_OK;
}

fsim_status fsim_bucket_stream_next(fsim_bucket_stream *s, fsim_arrivals *batch, fsim_error *err) {
    batch->count = 0;
    batch->has_cpu = batch->has_session = false;
    if (s->lane_count == 1) {
        next_alone(s, batch);
        return FSIM_OK;
    }
    if (s->placement == FSIM_PLACE_START) {
        next_at_start(s, batch);
        return FSIM_OK;
    }
    return next_merged(s, batch, err);
}

double fsim_bucket_stream_progress(const fsim_bucket_stream *s) {
    return s->trace->bucket_count == 0 ? 1.0 : (double)s->bucket / (double)s->trace->bucket_count;
}

void fsim_bucket_stream_close(fsim_bucket_stream *s) {
    if (s == NULL) {
        return;
    }
    free(s->lanes);
    free(s->next_bucket);
    free(s->active);
    free(s->at_ns);
    free(s->service_ns);
    free(s->fn);
    free(s->order);
    free(s->slots);
    free(s);
}
