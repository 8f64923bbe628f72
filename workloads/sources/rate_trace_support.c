/* Rate traces; see rate_trace_support.h.
 *
 * The rows of one bucket become streams, one a row, each of which knows its next instant; a heap merges them.
 */
#include "workloads/sources/rate_trace_support.h"

#include "workloads/sources/arrival_support.h"
#include "workloads/sources/row_scale_support.h"

#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 i128;

#define BILLION INT64_C(1000000000) /* amounts are in billionths of a request */

/* One row at work. */
typedef struct stream {
    fsim_fn_id fn;
    fsim_place_cursor place;
} stream;

/* What a function keeps from bucket to bucket. */
typedef struct function_state {
    fsim_rng rng;
    int64_t carry; /* the fraction of a request left over, in billionths */
} function_state;

typedef struct row {
    fsim_ns at_ns;
    int64_t amount;
    fsim_fn_id fn;
    uint64_t line;
} row;

struct fsim_rate_trace {
    fsim_csv *csv;
    fsim_rate_trace_layout layout;
    fsim_source_context context;
    fsim_csv_block block;
    uint32_t block_row;
    bool has_row; /* `ahead` is the first row of the next bucket */
    row ahead;

    fsim_ns bucket_start_ns;
    row *rows; /* of the current bucket */
    size_t row_count, row_capacity;
    stream *streams;
    size_t stream_capacity;
    uint32_t *heap;
    size_t heap_count;
    function_state *functions;
    uint32_t function_count, function_capacity;
};

static fsim_status out_of_memory(fsim_error *err) {
    return fsim_fail(err, FSIM_ELIMIT, "out of memory");
}

fsim_status fsim_rate_trace_open(fsim_rate_trace **out, fsim_csv *csv, const fsim_rate_trace_layout *layout,
                                 const fsim_source_context *context, fsim_error *err) {
    fsim_rate_trace *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return out_of_memory(err);
    }
    t->csv = csv;
    t->layout = *layout;
    t->context = *context;
    *out = t;
    return FSIM_OK;
}

void fsim_rate_trace_close(fsim_rate_trace *t) {
    if (t != NULL) {
        free(t->rows);
        free(t->streams);
        free(t->heap);
        free(t->functions);
        free(t);
    }
}

/* --- rows
 * ------------------------------------------------------------------------------------------------------------
 */

/* Moves the next row of the file into `ahead`. */
static fsim_status read_ahead(fsim_rate_trace *t, fsim_error *err) {
    fsim_ns before_ns = t->ahead.at_ns;
    if (t->block_row == t->block.count) {
        t->block_row = 0;
        FSIM_TRY(fsim_csv_next(t->csv, &t->block, err));
    }
    t->has_row = t->block.count > 0;
    if (!t->has_row) {
        return FSIM_OK;
    }
    fsim_assert(t->block.columns != NULL);
    uint32_t i = t->block_row++;
    const fsim_rate_trace_layout *layout = &t->layout;
    t->ahead.at_ns = t->block.columns[layout->time_field][i];
    t->ahead.amount = t->block.columns[layout->amount_field][i];
    t->ahead.fn = t->context.default_fn;
    t->ahead.line = t->block.lines[i];
    if (layout->function_field != SIZE_MAX) {
        t->ahead.fn = (fsim_fn_id)t->block.columns[layout->function_field][i];
    }
    if (t->ahead.at_ns < before_ns) {
        return fsim_csv_fail(
            t->csv, t->ahead.line, layout->time_field, err,
            "time %.9g s is before that of the row in front of it, %.9g s; sort the file with: "
            "fsim convert --sort IN OUT",
            fsim_ns_to_s(t->ahead.at_ns), fsim_ns_to_s(before_ns));
    }
    return FSIM_OK;
}

static fsim_status keep_row(fsim_rate_trace *t, fsim_error *err) {
    if (t->row_count == t->row_capacity) {
        size_t capacity = t->row_capacity == 0 ? 64 : 2 * t->row_capacity;
        row *larger = realloc(t->rows, capacity * sizeof *larger);
        if (larger == NULL) {
            return out_of_memory(err);
        }
        t->rows = larger;
        t->row_capacity = capacity;
    }
    t->rows[t->row_count++] = t->ahead;
    return read_ahead(t, err);
}

/* Checks that the bucket at hand ends before the next one begins; the first step gives the length where none
 * was said. */
static fsim_status settle_bucket(fsim_rate_trace *t, fsim_error *err) {
    if (!t->has_row) {
        return t->layout.bucket_ns > 0
                   ? FSIM_OK
                   : fsim_csv_fail(t->csv, t->rows[0].line, t->layout.time_field, err,
                                   "the file has a single instant, so the length of its bucket is not "
                                   "known; give it as \"bucket\"");
    }
    fsim_ns step_ns = t->ahead.at_ns - t->bucket_start_ns;
    if (t->layout.bucket_ns == 0) {
        t->layout.bucket_ns = step_ns;
    }
    if (step_ns < t->layout.bucket_ns) {
        return fsim_csv_fail(t->csv, t->ahead.line, t->layout.time_field, err,
                             "the row is %.9g s after the bucket in front of it, which is %.9g s long",
                             fsim_ns_to_s(step_ns), fsim_ns_to_s(t->layout.bucket_ns));
    }
    return FSIM_OK;
}

/* --- streams
 * ---------------------------------------------------------------------------------------------------------
 */

/* Streams of random numbers for the functions that have appeared since. */
static fsim_status extend_functions(fsim_rate_trace *t, fsim_error *err) {
    uint32_t count = fsim_function_table_count(t->context.table);
    if (count > t->function_capacity) {
        uint32_t capacity = count < 16 ? 16 : count + count / 2;
        function_state *larger = realloc(t->functions, capacity * sizeof *larger);
        if (larger == NULL) {
            return out_of_memory(err);
        }
        t->functions = larger;
        t->function_capacity = capacity;
    }
    for (; t->function_count < count; t->function_count++) {
        function_state *state = &t->functions[t->function_count];
        const char *name = fsim_function_table_get(t->context.table, t->function_count)->name;
        state->carry = 0;
        fsim_rng_seed(&state->rng, t->context.seed, name, FSIM_RNG_PLACEMENT);
    }
    return FSIM_OK;
}

/* Requests of the row in this bucket: fractions are carried to the function's next row, so that the total is
 * right. */
static uint64_t whole_requests(function_state *state, i128 amount) {
    i128 total = amount + state->carry;
    state->carry = (int64_t)(total % BILLION);
    return (uint64_t)(total / BILLION);
}

/* To the billionth of a request, which is all that an amount knows. */
static i128 scaled_amount(const fsim_trace_options *cut, i128 amount) {
    double product = (double)amount * cut->scale_rate;
    return cut->scale_rate == 1.0 ? amount : (i128)(product < 9e27 ? product + 0.5 : 9e27);
}

/* The length of a bucket on the stretched axis. */
static fsim_ns scaled_bucket(const fsim_rate_trace *t) {
    double length_ns = (double)t->layout.bucket_ns * t->layout.cut->scale_time;
    return t->layout.cut->scale_time == 1.0 ? t->layout.bucket_ns
           : length_ns < 1.0                ? 1
           : length_ns >= 9.2e18            ? FSIM_NEVER - 1
                                            : (fsim_ns)(length_ns + 0.5);
}

/* The stream of a row; false when nothing arrives. */
static bool start_stream(fsim_rate_trace *t, const row *r, stream *s) {
    if (r->fn == FSIM_ROW_UNWANTED) {
        return false;
    }
    function_state *state = &t->functions[r->fn];
    bool poisson = t->layout.placement == FSIM_PLACE_POISSON;
    i128 amount = r->amount;
    if (t->layout.is_rps) {
        amount = amount * t->layout.bucket_ns / FSIM_SECOND;
    }
    amount = scaled_amount(t->layout.cut, amount);
    s->fn = r->fn;
    fsim_place_begin(&s->place, t->layout.placement,
                     fsim_row_scale_instant(t->layout.cut, t->bucket_start_ns), scaled_bucket(t),
                     poisson ? 0 : whole_requests(state, amount), (double)amount / (double)BILLION,
                     &state->rng, NULL, 0);
    return s->place.live;
}

static bool comes_before(const fsim_rate_trace *t, uint32_t a, uint32_t b) {
    fsim_ns at_a = t->streams[a].place.next_ns, at_b = t->streams[b].place.next_ns;
    return at_a != at_b ? at_a < at_b : a < b; /* at one instant in the order of the rows */
}

static void sift_down(fsim_rate_trace *t, size_t slot) {
    uint32_t moved = t->heap[slot];
    for (;;) {
        size_t child = 2 * slot + 1;
        if (child >= t->heap_count) {
            break;
        }
        child += child + 1 < t->heap_count && comes_before(t, t->heap[child + 1], t->heap[child]);
        if (!comes_before(t, t->heap[child], moved)) {
            break;
        }
        t->heap[slot] = t->heap[child];
        slot = child;
    }
    t->heap[slot] = moved;
}

static fsim_status reserve_streams(fsim_rate_trace *t, fsim_error *err) {
    if (t->row_count <= t->stream_capacity) {
        return FSIM_OK;
    }
    stream *streams = realloc(t->streams, t->row_capacity * sizeof *streams);
    if (streams != NULL) {
        t->streams = streams;
    }
    uint32_t *heap = realloc(t->heap, t->row_capacity * sizeof *heap);
    if (heap != NULL) {
        t->heap = heap;
    }
    if (streams == NULL || heap == NULL) {
        return out_of_memory(err);
    }
    t->stream_capacity = t->row_capacity;
    return FSIM_OK;
}

/* Reads the rows of the next bucket and starts their streams. */
static fsim_status next_bucket(fsim_rate_trace *t, fsim_error *err) {
    t->row_count = 0;
    t->bucket_start_ns = t->ahead.at_ns;
    while (t->has_row && t->ahead.at_ns == t->bucket_start_ns) {
        FSIM_TRY(keep_row(t, err));
    }
    FSIM_TRY(settle_bucket(t, err));
    if (t->bucket_start_ns >= t->layout.cut->until_ns) {
        t->has_row = false;
    }
    if (t->bucket_start_ns < t->layout.cut->from_ns || t->bucket_start_ns >= t->layout.cut->until_ns) {
        return FSIM_OK;
    }
    FSIM_TRY(extend_functions(t, err));
    FSIM_TRY(reserve_streams(t, err));
    uint32_t count = 0;
    for (size_t i = 0; i < t->row_count; i++) {
        if (start_stream(t, &t->rows[i], &t->streams[count])) {
            t->heap[count] = count;
            count++;
        }
    }
    t->heap_count = count;
    for (size_t slot = t->heap_count / 2; slot-- > 0;) {
        sift_down(t, slot);
    }
    return FSIM_OK;
}

fsim_status fsim_rate_trace_next(fsim_rate_trace *t, fsim_arrivals *batch, fsim_error *err) {
    batch->count = 0;
    if (t->block.columns == NULL) {
        FSIM_TRY(read_ahead(t, err));
    }
    while (batch->count < FSIM_BATCH) {
        if (t->heap_count == 0) {
            if (!t->has_row) {
                break;
            }
            FSIM_TRY(next_bucket(t, err));
            continue;
        }
        stream *s = &t->streams[t->heap[0]];
        uint32_t n = batch->count++;
        batch->at_ns[n] = s->place.next_ns;
        batch->service_ns[n] = FSIM_DRAW;
        batch->fn[n] = s->fn;
        fsim_place_advance(&s->place, &t->functions[s->fn].rng);
        if (!s->place.live) {
            t->heap[0] = t->heap[--t->heap_count];
        }
        sift_down(t, 0);
    }
    return FSIM_OK;
}
