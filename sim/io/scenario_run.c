/* How long, how often and what to look at: the "run" and "billing" sections of a scenario; see
 * scenario_parts.h. */
#include "io/scenario_parts.h"

#include <stdlib.h>
#include <string.h>

typedef struct reader {
    fsim_scenario *s;
    fsim_value *run;
    fsim_error *err;
} reader;

static bool is_said(const fsim_value *value) {
    return value != NULL && !fsim_value_is_off(value);
}

static fsim_status get_count(const reader *r, const char *key, int64_t min, int64_t max, uint32_t *out) {
    int64_t count = *out;
    if (!is_said(fsim_value_get(r->run, key))) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_value_get_i64(r->run, key, min, max, &count, r->err));
    *out = (uint32_t)count;
    return FSIM_OK;
}

/* The array at object.key, or NULL; longer than max is FSIM_ELIMIT. */
static fsim_status get_list(const reader *r, const fsim_value *object, const char *key, size_t max,
                            const fsim_value **out) {
    const fsim_value *list = fsim_value_get(object, key);
    char place[256];
    *out = NULL;
    if (!is_said(list)) {
        return FSIM_OK;
    }
    if (list->kind != FSIM_VALUE_ARRAY) {
        return fsim_value_fail(list, r->err, "expected an array of spans");
    }
    if (list->count > max) {
        fsim_value_place(list, place, sizeof place);
        return fsim_fail_at(r->err, FSIM_ELIMIT, place, "%zu elements, at most %zu are possible", list->count,
                            max);
    }
    *out = list;
    return FSIM_OK;
}

static fsim_status read_windows(const reader *r) {
    const fsim_value *windows = fsim_value_get(r->run, "windows");
    if (!is_said(windows)) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_scenario_need_object(windows, "windows", r->err));
    const fsim_value *every = fsim_value_get(windows, "every");
    if (every == NULL) {
        return fsim_value_missing(windows, "every", r->err);
    }
    FSIM_TRY(fsim_value_as_span(every, &r->s->windows_every_ns, r->err));
    return r->s->windows_every_ns > 0 ? FSIM_OK
                                      : fsim_value_fail(every, r->err, "expected a span longer than 0");
}

typedef struct instant {
    fsim_ns at_ns;
    uint32_t position;
} instant;

static int compare_instants(const void *a, const void *b) {
    const instant *x = a, *y = b;
    if (x->at_ns != y->at_ns) {
        return x->at_ns < y->at_ns ? -1 : 1;
    }
    return x->position < y->position ? -1 : x->position > y->position;
}

/* The engine meets the instants in order of time, the summary shows them in the order of the list. */
static fsim_status read_probe(const reader *r) {
    const fsim_value *probe = fsim_value_get(r->run, "probe"), *list;
    fsim_scenario *s = r->s;
    if (!is_said(probe)) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_scenario_need_object(probe, "probe", r->err));
    FSIM_TRY(get_list(r, probe, "at", FSIM_PROBES_MAX, &list));
    if (list == NULL) {
        return fsim_value_missing(probe, "at", r->err);
    }
    instant *instants = fsim_value_pool_alloc(s->pool, (list->count + 1) * sizeof *instants);
    s->probe_at_ns = fsim_value_pool_alloc(s->pool, (list->count + 1) * sizeof *s->probe_at_ns);
    s->probe_order = fsim_value_pool_alloc(s->pool, (list->count + 1) * sizeof *s->probe_order);
    if (instants == NULL || s->probe_at_ns == NULL || s->probe_order == NULL) {
        return fsim_fail(r->err, FSIM_ELIMIT, "out of memory");
    }
    for (const fsim_value *at = list->first; at != NULL; at = at->next) {
        FSIM_TRY(fsim_value_as_span(at, &instants[s->probe_count].at_ns, r->err));
        instants[s->probe_count].position = s->probe_count;
        s->probe_count++;
    }
    qsort(instants, s->probe_count, sizeof *instants, compare_instants);
    for (uint32_t i = 0; i < s->probe_count; i++) {
        s->probe_at_ns[i] = instants[i].at_ns;
        s->probe_order[i] = instants[i].position;
    }
    return FSIM_OK;
}

static fsim_status read_thresholds(const reader *r, const fsim_value *exceed, const char *key, fsim_ns *out,
                                   uint32_t *count) {
    const fsim_value *list;
    FSIM_TRY(get_list(r, exceed, key, FSIM_EXCEED_MAX, &list));
    for (const fsim_value *span = list == NULL ? NULL : list->first; span != NULL; span = span->next) {
        FSIM_TRY(fsim_value_as_span(span, &out[(*count)++], r->err));
    }
    return FSIM_OK;
}

static fsim_status read_exceed(const reader *r) {
    const fsim_value *exceed = fsim_value_get(r->run, "exceed");
    if (!is_said(exceed)) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_scenario_need_object(exceed, "exceed", r->err));
    FSIM_TRY(read_thresholds(r, exceed, "latency", r->s->exceed_latency_ns, &r->s->exceed_latency_count));
    return read_thresholds(r, exceed, "wait", r->s->exceed_wait_ns, &r->s->exceed_wait_count);
}

static fsim_status read_time(const reader *r) {
    fsim_scenario *s = r->s;
    s->until_ns = FSIM_NEVER;
    FSIM_TRY(fsim_value_get_span(r->run, "warmup", false, &s->warmup_ns, r->err));
    FSIM_TRY(fsim_value_get_span(r->run, "until", true, &s->until_ns, r->err));
    if (s->warmup_ns >= s->until_ns) {
        return fsim_value_fail(fsim_value_get(r->run, "warmup"), r->err,
                               "nothing is left to measure: the warm-up ends at or after run.until");
    }
    if (is_said(fsim_value_get(r->run, "sample"))) {
        FSIM_TRY(fsim_value_get_span(r->run, "sample", false, &s->sample_ns, r->err));
        if (s->sample_ns == 0) {
            return fsim_value_fail(fsim_value_get(r->run, "sample"), r->err,
                                   "expected a step longer than 0; null lets fsim choose it");
        }
    }
    return FSIM_OK;
}

/* "phase1,phase2", as the command line has it, becomes the array in the tree. */
static const fsim_value *array_of_names(fsim_scenario *s, const fsim_value *names) {
    fsim_value *array = fsim_value_new(s->pool, FSIM_VALUE_ARRAY, names->origin);
    for (const char *at = names->string; *at != '\0';) {
        size_t len = strcspn(at, ",");
        char *name = fsim_value_pool_alloc(s->pool, len + 1);
        if (name == NULL) {
            break; /* the pool remembers that it is exhausted */
        }
        memcpy(name, at, len);
        name[len] = '\0';
        fsim_value_append(array, fsim_value_new_string(s->pool, name, names->origin));
        at += len + (at[len] == ',');
    }
    fsim_value_put(s->pool, s->root, "billing", array);
    fsim_value_mark_used(array);
    return array;
}

/* Names or files of price books; whether they exist is asked when they are read. */
static fsim_status read_billing(fsim_scenario *s, fsim_error *err) {
    const fsim_value *billing = fsim_value_get(s->root, "billing");
    if (!is_said(billing)) {
        return FSIM_OK;
    }
    if (billing->kind == FSIM_VALUE_STRING) {
        billing = array_of_names(s, billing);
    }
    if (billing->kind != FSIM_VALUE_ARRAY) {
        return fsim_value_fail(billing, err, "expected an array of price books, such as [\"phase1\"]");
    }
    if (billing->count > FSIM_BOOKS_MAX) {
        return fsim_fail(err, FSIM_ELIMIT, "billing names %zu price books, at most %d are possible",
                         billing->count, FSIM_BOOKS_MAX);
    }
    s->books = fsim_value_pool_alloc(s->pool, (billing->count + 1) * sizeof *s->books);
    if (s->books == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (const fsim_value *book = billing->first; book != NULL; book = book->next) {
        if (book->kind != FSIM_VALUE_STRING) {
            return fsim_value_fail(book, err, "expected the name of a price book or a .json file");
        }
        s->books[s->book_count++] = book->string;
    }
    return FSIM_OK;
}

/* Of the configured vCPU: no vendor publishes its threshold (billing spec, section 1.7, point 6). */
#define CPU_THRESHOLD_PPM 50000

fsim_status fsim_scenario_read_run(fsim_scenario *s, fsim_error *err) {
    static const char *const starts[] = {"empty", "steady", NULL};
    reader r = {s, fsim_value_get(s->root, "run"), err};
    int64_t seed = 1;
    int start = 0;
    FSIM_TRY(fsim_scenario_need_object(r.run, "run", err));
    FSIM_TRY(fsim_value_get_i64(r.run, "seed", 0, INT64_MAX, &seed, err));
    s->seed = (uint64_t)seed;
    s->replications = 1;
    FSIM_TRY(get_count(&r, "replications", 1, FSIM_REPLICATIONS_MAX, &s->replications));
    FSIM_TRY(get_count(&r, "threads", 0, FSIM_THREADS_MAX, &s->threads));
    FSIM_TRY(get_count(&r, "occupancy", 0, FSIM_OCCUPANCY_MAX, &s->occupancy));
    FSIM_TRY(read_time(&r));
    FSIM_TRY(fsim_value_get_enum(r.run, "start", starts, &start, err));
    s->start_steady = start == 1;
    FSIM_TRY(read_windows(&r));
    FSIM_TRY(read_probe(&r));
    FSIM_TRY(read_exceed(&r));
    FSIM_TRY(fsim_value_check_used(r.run, NULL, err));
    s->cpu_threshold_ppm = CPU_THRESHOLD_PPM;
    return read_billing(s, err);
}
