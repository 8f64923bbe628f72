/* The union of several sources. At one instant their requests come in the order of the sources.
 *
 * A heap over the sources holds the next arrival of each; the first source is copied from until its next
 * arrival is no longer the earliest, so runs cost no heap operation. */
#include "api/source_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct part {
    fsim_workload *workload;
    uint32_t row; /* next of `rows` */
    fsim_arrivals rows;
} part;

typedef struct superposition {
    part **parts; /* in the order of the sources */
    uint32_t count;
    uint32_t *heap, heap_count;         /* indices of parts that have a next arrival */
    bool started, has_cpu, has_session; /* columns that some part has: all batches have them */
} superposition;

static bool comes_before(const superposition *s, uint32_t a, uint32_t b) {
    fsim_ns at_a = s->parts[a]->rows.at_ns[s->parts[a]->row];
    fsim_ns at_b = s->parts[b]->rows.at_ns[s->parts[b]->row];
    return at_a != at_b ? at_a < at_b : a < b;
}

static void sift_down(superposition *s, uint32_t slot) {
    uint32_t moved = s->heap[slot];
    for (;;) {
        uint32_t child = 2 * slot + 1;
        if (child >= s->heap_count) {
            break;
        }
        if (child + 1 < s->heap_count && comes_before(s, s->heap[child + 1], s->heap[child])) {
            child++;
        }
        if (!comes_before(s, s->heap[child], moved)) {
            break;
        }
        s->heap[slot] = s->heap[child];
        slot = child;
    }
    s->heap[slot] = moved;
}

static fsim_status open_part(superposition *s, const fsim_source_context *context, const fsim_value *item,
                             fsim_error *err) {
    fsim_source_context inner = *context;
    char path[256];
    snprintf(path, sizeof path, "%s/of/%u", context->path, s->count);
    inner.path = fsim_value_intern(context->pool, path);
    part *p = calloc(1, sizeof *p);
    if (p == NULL || inner.path == NULL) {
        free(p);
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    s->parts[s->count++] = p;
    return fsim_workload_open(&p->workload, &inner, item, err);
}

static void close_parts(void *state) {
    superposition *s = state;
    for (uint32_t i = 0; i < s->count; i++) {
        fsim_workload_close(s->parts[i]->workload);
        free(s->parts[i]);
    }
    s->count = 0;
}

static fsim_status refill(superposition *s, uint32_t index, fsim_error *err) {
    part *p = s->parts[index];
    p->row = 0;
    FSIM_TRY(fsim_workload_next(p->workload, &p->rows, err));
    s->has_cpu |= p->rows.has_cpu;
    s->has_session |= p->rows.has_session;
    return FSIM_OK;
}

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    superposition *s = state;
    const fsim_value *of = fsim_value_get(config, "of");
    if (of == NULL) {
        return fsim_value_missing(config, "of", err);
    }
    if (of->kind != FSIM_VALUE_ARRAY || of->count == 0) {
        return fsim_value_fail(of, err, "expected an array with at least one source");
    }
    s->parts = fsim_value_pool_alloc(context->pool, of->count * sizeof *s->parts);
    s->heap = fsim_value_pool_alloc(context->pool, of->count * sizeof *s->heap);
    if (s->parts == NULL || s->heap == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (const fsim_value *item = of->first; item != NULL; item = item->next) {
        FSIM_TRY(open_part(s, context, item, err));
    }
    return FSIM_OK;
}

/* The first batch of every part. */
static fsim_status start(superposition *s, fsim_error *err) {
    for (uint32_t i = 0; i < s->count; i++) {
        FSIM_TRY(refill(s, i, err));
        if (s->parts[i]->rows.count > 0) {
            s->heap[s->heap_count++] = i;
        }
    }
    for (uint32_t slot = s->heap_count / 2; slot-- > 0;) {
        sift_down(s, slot);
    }
    return FSIM_OK;
}

/* A column that only some parts have: rows of the others are neutral. */
static void copy_row(fsim_arrivals *batch, const part *p) {
    uint32_t to = batch->count++, from = p->row;
    batch->at_ns[to] = p->rows.at_ns[from];
    batch->service_ns[to] = p->rows.service_ns[from];
    batch->fn[to] = p->rows.fn[from];
    batch->cpu_ns[to] = p->rows.has_cpu ? p->rows.cpu_ns[from] : FSIM_DRAW;
    batch->session[to] = p->rows.has_session ? p->rows.session[from] : 0;
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    superposition *s = state;
    if (!s->started) {
        s->started = true;
        FSIM_TRY(start(s, err));
    }
    batch->count = 0;
    for (; batch->count < FSIM_BATCH && s->heap_count > 0; sift_down(s, 0)) {
        uint32_t index = s->heap[0];
        part *p = s->parts[index];
        uint32_t second = s->heap_count > 1 ? s->heap[1] : index;
        if (s->heap_count > 2 && comes_before(s, s->heap[2], second)) {
            second = s->heap[2];
        }
        do {
            copy_row(batch, p);
            p->row++;
        } while (p->row < p->rows.count && batch->count < FSIM_BATCH &&
                 (second == index || comes_before(s, index, second)));
        if (p->row == p->rows.count) {
            FSIM_TRY(refill(s, index, err));
            if (p->rows.count == 0) {
                s->heap[0] = s->heap[--s->heap_count];
            }
        }
    }
    batch->has_cpu = s->has_cpu;
    batch->has_session = s->has_session;
    return FSIM_OK;
}

static double progress(const void *state) {
    const superposition *s = state;
    double least = 1.0;
    for (uint32_t i = 0; i < s->count; i++) {
        double share = fsim_workload_progress(s->parts[i]->workload);
        least = share < least ? share : least;
    }
    return least;
}

const fsim_source_ops fsim_source_superposition = {
    .name = "superposition",
    .summary = "the union of several sources; at one instant in the order of the sources",
    .example = "{\"source\": \"superposition\", \"of\": [{\"source\": \"poisson\", \"rate\": 8, \"until\": "
               "\"10m\"}, "
               "{\"source\": \"constant\", \"interval\": \"10s\", \"requests\": 60}]}",
    .state_size = sizeof(superposition),
    .open = open,
    .next = next,
    .close = close_parts,
    .progress = progress,
};
