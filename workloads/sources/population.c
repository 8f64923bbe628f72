/* Many functions that differ as those of a real platform do: in popularity, in burstiness, in how long they
 * take, in memory. `fsim generate --fit` makes the strata from a trace; they can be written by hand as well.
 *
 * Function i of N belongs to the stratum that holds the share i / N of all functions. The gaps between its
 * requests are gamma variates with the stratum's coefficient of variation, or usual ones and pauses, in a
 * time that passes as fast as the daily profile says; a heap merges the functions. */
#include "workloads/sources/arrival_support.h"

#include "base/limits.h"
#include "trace/bucket_stream.h"
#include "trace/population_fit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define STRATA_MAX  4096u
#define HOURS_MAX   168u
#define CV_CLOCK    0.005 /* below: a clock */
#define PREFIX_MAX  200
#define NAME_DIGITS 16

typedef struct stratum {
    double requests, cv; /* of one function, beside the other strata */
    double usual;        /* mean of the usual gaps, as a share of all; 0: no pauses */
    bool daily;          /* its rate follows the profile; else it keeps its own time, as timers do */
    int64_t memory_mb;   /* 0: not said */
    fsim_trace_durations durations;
} stratum;

typedef struct member {
    fsim_ns next_ns; /* FSIM_NEVER: no more */
    fsim_ns passed;  /* of its time, in ns of a flat day */
    uint32_t stratum;
    fsim_fn_id id;
    fsim_dist gap;
    double pause_share, pause_factor; /* of the gaps; how much longer than a usual one */
    fsim_rng gaps, services;
} member;

typedef struct population {
    stratum *strata;
    uint32_t stratum_count, count, hours;
    member *members;
    uint32_t *heap, heap_count;
    member *alone;                   /* the only one that is wanted; NULL: all */
    double profile[HOURS_MAX];       /* mean 1 */
    fsim_ns hour_at[HOURS_MAX + 1u]; /* flat time at the beginning of each hour */
    bool started;
} population;

/* ---- reading ---- */

static fsim_status read_durations(const fsim_value *item, fsim_trace_durations *out, fsim_error *err) {
    const fsim_value *list = fsim_value_get(item, "duration_s");
    *out = (fsim_trace_durations){.kind = FSIM_DURATION_OPEN};
    if (list == NULL) {
        return FSIM_OK;
    }
    fsim_ns before_ns = 0;
    double mean_s = -1;
    uint32_t k = 0;
    if (list->kind != FSIM_VALUE_ARRAY || list->count != FSIM_KNOTS) {
        return fsim_value_fail(list, err,
                               "expected seven numbers of seconds: the percentiles 0, 1, 25, 50, 75, "
                               "99 and 100");
    }
    for (const fsim_value *v = list->first; v != NULL; v = v->next, k++) {
        bool number = v->kind == FSIM_VALUE_INTEGER || v->kind == FSIM_VALUE_REAL;
        out->knot_ns[k] = number ? fsim_ns_from_s(v->real) : 0;
        if (!number || v->real < 0 || out->knot_ns[k] < before_ns || out->knot_ns[k] == FSIM_NEVER) {
            return fsim_value_fail(v, err, "expected seconds, at least those of the percentile in front");
        }
        before_ns = out->knot_ns[k];
    }
    out->kind = FSIM_DURATION_KNOTS;
    out->known = true;
    FSIM_TRY(fsim_value_get_real(item, "duration_mean_s", 0, 1e9, &mean_s, err));
    if (mean_s >= 0) {
        out->mean_ns = fsim_ns_from_s(mean_s);
        fsim_trace_durations_bend(out);
    }
    return FSIM_OK;
}

static fsim_status read_strata(population *p, const fsim_source_context *context, const fsim_value *config,
                               fsim_error *err) {
    const fsim_value *list = NULL;
    FSIM_TRY(fsim_source_read_array(config, "strata", &list, err));
    if (list->count > STRATA_MAX) {
        return fsim_value_fail(list, err, "%zu strata, at most %u are possible", list->count, STRATA_MAX);
    }
    p->strata = fsim_value_pool_alloc(context->pool, list->count * sizeof *p->strata);
    if (p->strata == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (const fsim_value *item = list->first; item != NULL; item = item->next) {
        stratum *s = &p->strata[p->stratum_count++];
        s->requests = s->cv = 1;
        s->daily = true;
        FSIM_TRY(fsim_value_get_real(item, "requests", 1e-9, 1e15, &s->requests, err));
        FSIM_TRY(fsim_value_get_real(item, "cv", 0, 1000, &s->cv, err));
        FSIM_TRY(fsim_value_get_real(item, "usual", 0, FSIM_USUAL_MAX, &s->usual, err));
        if (s->usual > 0 && s->cv <= 1) {
            return fsim_value_fail(fsim_value_get(item, "usual"), err,
                                   "gaps with pauses have a cv above 1, found %g", s->cv);
        }
        FSIM_TRY(fsim_value_get_bool(item, "daily", &s->daily, err));
        FSIM_TRY(fsim_value_get_i64(item, "memory_mb", 1, INT32_MAX, &s->memory_mb, err));
        FSIM_TRY(read_durations(item, &s->durations, err));
    }
    return FSIM_OK;
}

static fsim_status read_profile(population *p, const fsim_value *config, fsim_error *err) {
    const fsim_value *list = fsim_value_get(config, "profile");
    double sum = 0;
    p->hours = 0;
    if (list != NULL && (list->kind != FSIM_VALUE_ARRAY || (list->count != 24 && list->count != HOURS_MAX))) {
        return fsim_value_fail(list, err, "expected 24 or 168 numbers, one an hour");
    }
    for (const fsim_value *v = list == NULL ? NULL : list->first; v != NULL; v = v->next) {
        bool number = v->kind == FSIM_VALUE_INTEGER || v->kind == FSIM_VALUE_REAL;
        if (!number || !(v->real >= 0 && v->real <= 1e12)) {
            return fsim_value_fail(v, err, "expected a number of at least 0");
        }
        p->profile[p->hours++] = v->real;
        sum += v->real;
    }
    if (list == NULL) {
        p->hours = 24;
        for (uint32_t h = 0; h < p->hours; h++) {
            sum += p->profile[h] = 1;
        }
    }
    if (sum <= 0) {
        return fsim_value_fail(list, err, "the profile is 0 in every hour");
    }
    double flat_ns = 0;
    for (uint32_t h = 0; h < p->hours; h++) {
        p->profile[h] *= p->hours / sum;
        p->hour_at[h] = (fsim_ns)flat_ns;
        flat_ns += p->profile[h] * (double)FSIM_HOUR;
    }
    p->hour_at[p->hours] = (fsim_ns)p->hours * FSIM_HOUR;
    return FSIM_OK;
}

/* ---- members ---- */

/* The instant at which so much flat time has passed. */
static fsim_ns instant_of(const population *p, fsim_ns flat_ns) {
    fsim_ns period_ns = (fsim_ns)p->hours * FSIM_HOUR, rest_ns = flat_ns % period_ns;
    uint32_t low = 0, high = p->hours - 1u; /* the last hour that begins at or before rest_ns */
    while (low < high) {
        uint32_t middle = (low + high + 1u) / 2u;
        if (p->hour_at[middle] <= rest_ns) {
            low = middle;
        } else {
            high = middle - 1u;
        }
    }
    while (low > 0 && !(p->profile[low] > 0)) {
        low--; /* nothing passes in this hour: the rest is rounding of the hours in front */
    }
    double part = p->profile[low] > 0 ? (double)(rest_ns - p->hour_at[low]) / p->profile[low] : 0;
    part = part < (double)FSIM_HOUR ? part : (double)(FSIM_HOUR - 1);
    return flat_ns - rest_ns + (fsim_ns)low * FSIM_HOUR + (fsim_ns)part;
}

static void settle(const population *p, member *m) {
    fsim_ns at_ns = p->strata[m->stratum].daily ? instant_of(p, m->passed) : m->passed;
    m->next_ns = m->passed >= FSIM_NEVER / 2 ? FSIM_NEVER : at_ns;
}

static void advance(const population *p, member *m) {
    bool pause = m->pause_share > 0 && fsim_rng_unit(&m->gaps) < m->pause_share;
    fsim_ns gap_ns = fsim_dist_sample(&m->gap, &m->gaps);
    if (pause) {
        gap_ns = fsim_ns_from_s(fsim_ns_to_s(gap_ns) * m->pause_factor);
    }
    m->passed = fsim_ns_add(m->passed, gap_ns);
    settle(p, m);
}

/* Time 0 lies anywhere in a gap, and in a long one the more likely. What is left of an exponential one is one
 * again. */
static double begin_with_pauses(member *m, const stratum *s, double mean_gap_ns) {
    fsim_pauses pauses = fsim_pauses_of(s->cv, s->usual);
    m->pause_share = pauses.share;
    m->pause_factor = pauses.mean / s->usual;
    fsim_dist_gamma(&m->gap, 1, mean_gap_ns * s->usual);
    bool in_pause = fsim_rng_unit(&m->gaps) < pauses.share * pauses.mean;
    double left_ns = (double)fsim_dist_sample(&m->gap, &m->gaps);
    return in_pause ? left_ns * m->pause_factor : left_ns;
}

/* The same for gamma variates: a gap that covers an instant has one more in its shape. */
static double begin_plain(member *m, const stratum *s, double mean_gap_ns) {
    fsim_dist around;
    if (s->cv < CV_CLOCK) {
        fsim_dist_constant(&m->gap, fsim_ns_from_s(mean_gap_ns * 1e-9));
        around = m->gap;
    } else {
        double k = 1 / (s->cv * s->cv);
        fsim_dist_gamma(&m->gap, k, mean_gap_ns);
        fsim_dist_gamma(&around, k + 1, mean_gap_ns * (k + 1) / k);
    }
    return (double)fsim_dist_sample(&around, &m->gaps) * fsim_rng_open(&m->gaps);
}

static fsim_status add_member(population *p, const fsim_source_context *context, uint32_t i,
                              const char *prefix, double mean_gap_ns, fsim_error *err) {
    char name[PREFIX_MAX + NAME_DIGITS];
    member *m = &p->members[i];
    const stratum *s = &p->strata[m->stratum];
    int len = snprintf(name, sizeof name, "%s%u", prefix, i);
    FSIM_TRY(fsim_function_table_intern(context->table, name, (size_t)len, &m->id, err));
    if (s->memory_mb > 0) {
        FSIM_TRY(fsim_function_table_set_memory(context->table, m->id, s->memory_mb, err));
    }
    fsim_rng_seed(&m->gaps, context->seed, name, FSIM_RNG_ARRIVALS);
    fsim_rng_seed(&m->services, context->seed, name, FSIM_RNG_SERVICE);
    m->pause_share = 0;
    double first_ns = s->usual > 0 ? begin_with_pauses(m, s, mean_gap_ns) : begin_plain(m, s, mean_gap_ns);
    m->passed = fsim_ns_from_s(first_ns * 1e-9);
    settle(p, m);
    return FSIM_OK;
}

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    population *p = state;
    double rate = 0, weights = 0;
    int64_t count = 0;
    const char *prefix = "fn";
    FSIM_TRY(fsim_source_read_rate(config, "rate", false, &rate, err));
    FSIM_TRY(read_strata(p, context, config, err));
    FSIM_TRY(read_profile(p, config, err));
    count = p->stratum_count;
    FSIM_TRY(fsim_value_get_i64(config, "functions", 1, FSIM_FUNCTIONS_MAX, &count, err));
    FSIM_TRY(fsim_value_get_string(config, "prefix", &prefix, err));
    if (strlen(prefix) > PREFIX_MAX) {
        return fsim_value_fail(fsim_value_get(config, "prefix"), err, "longer than %d bytes", PREFIX_MAX);
    }
    p->count = (uint32_t)count;
    p->members = fsim_value_pool_alloc(context->pool, p->count * sizeof *p->members);
    p->heap = fsim_value_pool_alloc(context->pool, p->count * sizeof *p->heap);
    if (p->members == NULL || p->heap == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (uint32_t i = 0; i < p->count; i++) {
        p->members[i].stratum = (uint32_t)((2u * (uint64_t)i + 1u) * p->stratum_count / (2u * p->count));
        weights += p->strata[p->members[i].stratum].requests;
    }
    for (uint32_t i = 0; i < p->count; i++) {
        double share = p->strata[p->members[i].stratum].requests / weights;
        FSIM_TRY(add_member(p, context, i, prefix, 1e9 / (rate * share), err));
        p->heap[p->heap_count++] = i;
    }
    return FSIM_OK;
}

/* ---- merging ---- */

static bool comes_before(const population *p, uint32_t a, uint32_t b) {
    fsim_ns at_a = p->members[a].next_ns, at_b = p->members[b].next_ns;
    return at_a != at_b ? at_a < at_b : a < b;
}

static void sift_down(population *p, uint32_t slot) {
    uint32_t moved = p->heap[slot];
    for (;;) {
        uint32_t child = 2 * slot + 1;
        if (child >= p->heap_count) {
            break;
        }
        child += child + 1 < p->heap_count && comes_before(p, p->heap[child + 1], p->heap[child]);
        if (!comes_before(p, p->heap[child], moved)) {
            break;
        }
        p->heap[slot] = p->heap[child];
        slot = child;
    }
    p->heap[slot] = moved;
}

static bool select_member(void *state, uint32_t k) {
    population *p = state;
    p->alone = k < p->count ? &p->members[k] : NULL;
    return p->alone != NULL;
}

static void next_alone(population *p, fsim_arrivals *batch) {
    member *m = p->alone;
    const fsim_trace_durations *durations = &p->strata[m->stratum].durations;
    for (; batch->count < FSIM_BATCH && m->next_ns != FSIM_NEVER; advance(p, m)) {
        batch->at_ns[batch->count++] = m->next_ns;
    }
    fsim_source_fill(batch, m->id);
    if (durations->known) {
        fsim_trace_durations_fill(durations, &m->services, batch->service_ns, batch->count);
    }
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    population *p = state;
    (void)err;
    batch->count = 0;
    if (p->alone != NULL) {
        next_alone(p, batch);
        return FSIM_OK;
    }
    for (uint32_t slot = p->started ? 0 : p->heap_count / 2; slot-- > 0;) {
        sift_down(p, slot);
    }
    p->started = true;
    while (batch->count < FSIM_BATCH && p->members[p->heap[0]].next_ns != FSIM_NEVER) {
        member *m = &p->members[p->heap[0]];
        uint32_t n = batch->count++;
        batch->at_ns[n] = m->next_ns;
        batch->fn[n] = m->id;
        batch->service_ns[n] = FSIM_DRAW;
        if (p->strata[m->stratum].durations.known) {
            fsim_trace_durations_fill(&p->strata[m->stratum].durations, &m->services, &batch->service_ns[n],
                                      1);
        }
        advance(p, m);
        sift_down(p, 0);
    }
    return FSIM_OK;
}

const fsim_source_ops fsim_source_population = {
    .name = "population",
    .summary =
        "many functions of different popularity, burstiness, duration and memory, as 'generate --fit' finds",
    .example =
        "{\"source\": \"population\", \"rate\": 5, \"functions\": 40, \"until\": \"1h\", \"strata\": ["
        "{\"requests\": 1, \"cv\": 3, \"memory_mb\": 128, \"duration_s\": [0, 0, 0.1, 0.2, 0.5, 4, 9]}, "
        "{\"requests\": 100, \"cv\": 1, \"memory_mb\": 256}]}",
    .state_size = sizeof(population),
    .endless = true,
    .open = open,
    .next = next,
    .select = select_member,
};
