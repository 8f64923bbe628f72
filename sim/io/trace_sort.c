/* External sorting of traces; see trace_sort.h. */
#include "io/trace_sort.h"

#include "io/file.h"
#include "io/fst_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH      FSIM_FST_ROWS_MAX
#define TEXTS      2u            /* session, version */
#define RUN_BYTES  (224u * 1024) /* of a run at work: a block of each column, and pages of its file */
#define TEXT_BYTES 16u           /* of a text, on average */
#define DIGIT_BITS 16u
#define DIGITS     (1u << DIGIT_BITS)

/* Where the text of a cell stands among the collected bytes. */
typedef struct text_ref {
    uint64_t at;
    uint32_t len;
} text_ref;

/* Rows as columns that this file owns. */
typedef struct columns {
    fsim_ns *arrival_ns;
    uint32_t *fn;
    int64_t *number[FSIM_FST_COLUMNS]; /* duration, cpu, memory */
    fsim_fst_text *text[TEXTS];
} columns;

typedef struct run {
    int fd;
    fsim_fst *fst;
    uint32_t *ids; /* by function of the run */
    fsim_fst_block block;
    columns rows;
    uint32_t row;
} run;

typedef struct order {
    uint64_t key;
    uint32_t row;
} order;

struct fsim_trace_sort {
    fsim_function_table *table;
    uint32_t set; /* of columns */
    fsim_trace_sort_options options;

    /* the rows at hand */
    columns rows;
    text_ref *ref[TEXTS];
    char *bytes;
    size_t bytes_used, bytes_capacity;
    uint32_t count, capacity;
    order *order, *spare;
    uint32_t digit_count[DIGITS];

    run *runs;
    uint32_t run_count, run_capacity, runs_made;
    uint32_t *heap, heap_count; /* of runs, by their next row */
    columns out;
    uint32_t given; /* of rows in memory, when there are no runs */
};

static fsim_status out_of_memory(fsim_error *err) {
    return fsim_fail(err, FSIM_ELIMIT, "out of memory");
}

static bool has(const fsim_trace_sort *s, int column) {
    return (s->set >> column & 1u) != 0;
}

/* ---- columns ---- */

static bool make_columns(const fsim_trace_sort *s, columns *c, uint32_t count, bool texts) {
    bool ok = (c->arrival_ns = malloc(count * sizeof *c->arrival_ns)) != NULL;
    if (has(s, FSIM_FST_FUNCTION)) {
        ok = (c->fn = malloc(count * sizeof *c->fn)) != NULL && ok;
    }
    for (int k = FSIM_FST_DURATION; k <= FSIM_FST_MEMORY; k++) {
        if (has(s, k)) {
            ok = (c->number[k] = malloc(count * sizeof *c->number[k])) != NULL && ok;
        }
    }
    for (uint32_t k = 0; texts && k < TEXTS; k++) {
        if (has(s, FSIM_FST_SESSION + (int)k)) {
            ok = (c->text[k] = malloc(count * sizeof *c->text[k])) != NULL && ok;
        }
    }
    return ok;
}

static void free_columns(columns *c) {
    free(c->arrival_ns);
    free(c->fn);
    for (int k = 0; k < FSIM_FST_COLUMNS; k++) {
        free(c->number[k]);
    }
    free(c->text[0]);
    free(c->text[1]);
    *c = (columns){0};
}

static fsim_fst_rows rows_of(const columns *c, uint32_t count) {
    return (fsim_fst_rows){.count = count,
                           .arrival_ns = c->arrival_ns,
                           .fn = c->fn,
                           .duration_ns = c->number[FSIM_FST_DURATION],
                           .cpu_ns = c->number[FSIM_FST_CPU],
                           .memory_mb = c->number[FSIM_FST_MEMORY],
                           .session = c->text[0],
                           .version = c->text[1]};
}

/* Row `from` of one set of columns becomes row `to` of another; texts are borrowed. */
static void copy_row(columns *into, uint32_t to, const columns *c, uint32_t from) {
    into->arrival_ns[to] = c->arrival_ns[from];
    if (c->fn != NULL) {
        into->fn[to] = c->fn[from];
    }
    for (int k = FSIM_FST_DURATION; k <= FSIM_FST_MEMORY; k++) {
        if (c->number[k] != NULL) {
            into->number[k][to] = c->number[k][from];
        }
    }
    for (uint32_t k = 0; k < TEXTS; k++) {
        if (c->text[k] != NULL) {
            into->text[k][to] = c->text[k][from];
        }
    }
}

/* ---- opening ---- */

static size_t row_bytes(const fsim_trace_sort *s) {
    size_t bytes = sizeof(fsim_ns) + 2 * sizeof(order) + (has(s, FSIM_FST_FUNCTION) ? sizeof(uint32_t) : 0);
    for (int k = FSIM_FST_DURATION; k <= FSIM_FST_MEMORY; k++) {
        bytes += has(s, k) ? sizeof(int64_t) : 0;
    }
    for (uint32_t k = 0; k < TEXTS; k++) {
        bytes += has(s, FSIM_FST_SESSION + (int)k) ? sizeof(text_ref) + TEXT_BYTES : 0;
    }
    return bytes;
}

static fsim_status allocate(fsim_trace_sort *s, fsim_error *err) {
    size_t rows = s->options.memory_bytes / row_bytes(s);
    s->capacity = rows > UINT32_MAX ? UINT32_MAX : (uint32_t)rows;
    uint32_t texts = has(s, FSIM_FST_SESSION) + (uint32_t)has(s, FSIM_FST_VERSION_NAME);
    s->bytes_capacity = (size_t)texts * TEXT_BYTES * s->capacity;
    s->bytes = malloc(s->bytes_capacity + 1);
    s->order = malloc(s->capacity * sizeof *s->order);
    s->spare = malloc(s->capacity * sizeof *s->spare);
    bool ok = make_columns(s, &s->rows, s->capacity, false) && make_columns(s, &s->out, BATCH, true) &&
              s->order != NULL && s->spare != NULL && s->bytes != NULL;
    for (uint32_t k = 0; k < TEXTS; k++) {
        if (has(s, FSIM_FST_SESSION + (int)k)) {
            s->ref[k] = malloc(s->capacity * sizeof *s->ref[k]);
            ok = ok && s->ref[k] != NULL;
        }
    }
    return ok ? FSIM_OK : out_of_memory(err);
}

fsim_status fsim_trace_sort_open(fsim_trace_sort **out, fsim_function_table *table, uint32_t set,
                                 const fsim_trace_sort_options *options, fsim_error *err) {
    fsim_assert(options->memory_bytes >= FSIM_TRACE_SORT_MEMORY_MIN);
    fsim_trace_sort *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return out_of_memory(err);
    }
    s->table = table;
    s->set = set;
    s->options = *options;
    fsim_status status = allocate(s, err);
    if (status != FSIM_OK) {
        fsim_trace_sort_destroy(s);
        return status;
    }
    *out = s;
    return FSIM_OK;
}

static void close_run(run *r) {
    fsim_fst_close(r->fst);
    if (r->fd >= 0) {
        close(r->fd);
    }
    free(r->ids);
    free_columns(&r->rows);
    *r = (run){.fd = -1};
}

void fsim_trace_sort_destroy(fsim_trace_sort *s) {
    if (s == NULL) {
        return;
    }
    for (uint32_t i = 0; i < s->run_count; i++) {
        close_run(&s->runs[i]);
    }
    free_columns(&s->rows);
    free_columns(&s->out);
    free(s->ref[0]);
    free(s->ref[1]);
    free(s->bytes);
    free(s->order);
    free(s->spare);
    free(s->runs);
    free(s->heap);
    free(s);
}

uint32_t fsim_trace_sort_runs(const fsim_trace_sort *s) {
    return s->runs_made;
}

static fsim_status check_stop(const fsim_trace_sort *s, fsim_error *err) {
    return s->options.stop != NULL && s->options.stop() ? fsim_fail(err, FSIM_EIO, "interrupted") : FSIM_OK;
}

/* ---- the rows at hand ---- */

/* Least significant digit first: stable. Keys are instants since the earliest. */
static void sort_rows(fsim_trace_sort *s) {
    fsim_ns least = INT64_MAX, most = 0;
    bool sorted = true;
    for (uint32_t i = 0; i < s->count; i++) {
        fsim_ns at_ns = s->rows.arrival_ns[i];
        sorted = sorted && at_ns >= most;
        least = at_ns < least ? at_ns : least;
        most = at_ns > most ? at_ns : most;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        s->order[i] = (order){(uint64_t)(s->rows.arrival_ns[i] - least), i};
    }
    uint64_t range = s->count == 0 || sorted ? 0 : (uint64_t)(most - least);
    for (uint32_t shift = 0; shift < 64 && range >> shift != 0; shift += DIGIT_BITS) {
        uint32_t *count = s->digit_count;
        memset(count, 0, sizeof s->digit_count);
        for (uint32_t i = 0; i < s->count; i++) {
            count[s->order[i].key >> shift & (DIGITS - 1u)]++;
        }
        for (uint32_t d = 0, sum = 0; d < DIGITS; d++) {
            uint32_t n = count[d];
            count[d] = sum;
            sum += n;
        }
        for (uint32_t i = 0; i < s->count; i++) {
            s->spare[count[s->order[i].key >> shift & (DIGITS - 1u)]++] = s->order[i];
        }
        order *other = s->order;
        s->order = s->spare;
        s->spare = other;
    }
}

/* Rows `from` … of the sorted order into `out`; returns how many. */
static uint32_t give_rows(fsim_trace_sort *s, uint32_t from) {
    uint32_t left = s->count - from, n = left < BATCH ? left : BATCH;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = s->order[from + i].row;
        copy_row(&s->out, i, &s->rows, row);
        for (uint32_t k = 0; k < TEXTS; k++) {
            if (s->ref[k] != NULL) {
                s->out.text[k][i] = (fsim_fst_text){s->bytes + s->ref[k][row].at, s->ref[k][row].len};
            }
        }
    }
    return n;
}

/* ---- runs ---- */

static fsim_status put_in_file(void *user, const void *bytes, size_t size, fsim_error *err) {
    const run *r = user;
    const char *at = bytes;
    while (size > 0) {
        ssize_t done = write(r->fd, at, size);
        if (done < 0 && errno != EINTR) {
            return fsim_fail(err, FSIM_EIO, "cannot write a temporary file for sorting: %s", strerror(errno));
        }
        at += done > 0 ? done : 0;
        size -= done > 0 ? (size_t)done : 0;
    }
    return FSIM_OK;
}

/* A file without a name: gone when it is closed, by us or by the end of the process. */
static fsim_status make_run(fsim_trace_sort *s, run **out, fsim_error *err) {
    char path[FSIM_PATH_MAX];
    if (s->run_count == s->run_capacity) {
        uint32_t capacity = s->run_count == 0 ? 16 : 2 * s->run_count;
        run *runs = realloc(s->runs, capacity * sizeof *runs);
        if (runs == NULL) {
            return out_of_memory(err);
        }
        s->runs = runs;
        s->run_capacity = capacity;
    }
    int len = snprintf(path, sizeof path, "%s/fsim-sort-XXXXXX", s->options.directory);
    int fd = len < 0 || (size_t)len >= sizeof path ? -1 : mkostemp(path, O_CLOEXEC);
    if (fd < 0 || unlink(path) != 0) {
        return fsim_fail_at(err, FSIM_EIO, s->options.directory,
                            "cannot create a temporary file for sorting: %s", strerror(errno));
    }
    *out = &s->runs[s->run_count++];
    **out = (run){.fd = fd};
    s->runs_made++;
    return FSIM_OK;
}

/* Writes what `next` gives into a new run at the end of the list. */
static fsim_status write_run(fsim_trace_sort *s,
                             fsim_status (*next)(fsim_trace_sort *, uint32_t *, fsim_error *),
                             fsim_error *err) {
    run *r = NULL;
    fsim_fst_writer *writer = NULL;
    FSIM_TRY(make_run(s, &r, err));
    FSIM_TRY(fsim_fst_writer_open(&writer, s->table, s->set, put_in_file, r, err));
    fsim_status status = FSIM_OK;
    for (uint32_t count = 1; status == FSIM_OK && count > 0;) {
        status = next(s, &count, err);
        const fsim_fst_rows rows = rows_of(&s->out, count);
        status = status == FSIM_OK ? fsim_fst_writer_add(writer, &rows, err) : status;
        status = status == FSIM_OK ? check_stop(s, err) : status;
    }
    if (status == FSIM_OK) {
        status = fsim_fst_writer_finish(writer, err);
    }
    fsim_fst_writer_destroy(writer);
    return status;
}

static fsim_status next_in_memory(fsim_trace_sort *s, uint32_t *count, fsim_error *err) {
    (void)err;
    *count = give_rows(s, s->given);
    s->given += *count;
    return FSIM_OK;
}

static fsim_status spill(fsim_trace_sort *s, fsim_error *err) {
    sort_rows(s);
    s->given = 0;
    FSIM_TRY(write_run(s, next_in_memory, err));
    s->count = s->given = 0;
    s->bytes_used = 0;
    return FSIM_OK;
}

/* ---- adding ---- */

static void add_texts(fsim_trace_sort *s, uint32_t k, const fsim_fst_text *texts, uint32_t row) {
    text_ref ref = {s->bytes_used, texts == NULL ? 0 : texts->len};
    if (ref.len > 0) {
        memcpy(s->bytes + ref.at, texts->text, ref.len);
        s->bytes_used += ref.len;
    }
    s->ref[k][row] = ref;
}

static void add_row(fsim_trace_sort *s, const fsim_fst_rows *rows, uint32_t i) {
    uint32_t row = s->count++;
    s->rows.arrival_ns[row] = rows->arrival_ns[i];
    if (s->rows.fn != NULL) {
        s->rows.fn[row] = rows->fn == NULL ? FSIM_FST_NO_FUNCTION : rows->fn[i];
    }
    const int64_t *numbers[FSIM_FST_COLUMNS] = {[FSIM_FST_DURATION] = rows->duration_ns,
                                                [FSIM_FST_CPU] = rows->cpu_ns,
                                                [FSIM_FST_MEMORY] = rows->memory_mb};
    for (int k = FSIM_FST_DURATION; k <= FSIM_FST_MEMORY; k++) {
        if (s->rows.number[k] != NULL) {
            s->rows.number[k][row] = numbers[k] == NULL ? FSIM_FST_EMPTY : numbers[k][i];
        }
    }
    if (s->ref[0] != NULL) {
        add_texts(s, 0, rows->session == NULL ? NULL : &rows->session[i], row);
    }
    if (s->ref[1] != NULL) {
        add_texts(s, 1, rows->version == NULL ? NULL : &rows->version[i], row);
    }
}

fsim_status fsim_trace_sort_add(fsim_trace_sort *s, const fsim_fst_rows *rows, fsim_error *err) {
    for (uint32_t i = 0; i < rows->count; i++) {
        size_t len = (rows->session == NULL ? 0 : rows->session[i].len) +
                     (size_t)(rows->version == NULL ? 0 : rows->version[i].len);
        if (s->count == s->capacity || (len > s->bytes_capacity - s->bytes_used && s->count > 0)) {
            FSIM_TRY(spill(s, err));
        }
        if (len > s->bytes_capacity) {
            return fsim_fail(err, FSIM_ELIMIT, "a row with %zu bytes of text does not fit into the memory",
                             len);
        }
        add_row(s, rows, i);
    }
    return check_stop(s, err);
}

/* ---- merging ---- */

static fsim_status read_block(fsim_trace_sort *s, run *r, fsim_error *err) {
    columns *c = &r->rows;
    r->row = 0;
    FSIM_TRY(fsim_fst_next(r->fst, &r->block, err));
    if (r->block.count == 0) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_fst_read_arrivals(r->fst, &r->block, c->arrival_ns, err));
    if (c->fn != NULL) {
        FSIM_TRY(fsim_fst_read_functions(r->fst, &r->block, c->fn, err));
        for (uint32_t i = 0; i < r->block.count; i++) {
            c->fn[i] = c->fn[i] == FSIM_FST_NO_FUNCTION ? FSIM_FST_NO_FUNCTION : r->ids[c->fn[i]];
        }
    }
    for (int k = FSIM_FST_DURATION; k <= FSIM_FST_MEMORY; k++) {
        if (c->number[k] != NULL) {
            FSIM_TRY(fsim_fst_read_numbers(r->fst, &r->block, (fsim_fst_column)k, c->number[k], err));
        }
    }
    for (uint32_t k = 0; k < TEXTS; k++) {
        if (has(s, FSIM_FST_SESSION + (int)k)) {
            FSIM_TRY(fsim_fst_read_texts(r->fst, &r->block, (fsim_fst_column)(FSIM_FST_SESSION + (int)k),
                                         c->text[k], err));
        }
    }
    return FSIM_OK;
}

static fsim_status open_run(fsim_trace_sort *s, run *r, fsim_error *err) {
    FSIM_TRY(fsim_fst_open_fd(&r->fst, r->fd, "temporary file", err));
    uint32_t functions = fsim_fst_describe(r->fst)->functions;
    r->ids = malloc((functions + 1u) * sizeof *r->ids);
    if (r->ids == NULL || !make_columns(s, &r->rows, BATCH, true)) {
        return out_of_memory(err);
    }
    for (uint32_t f = 0; f < functions; f++) {
        fsim_fst_text name = fsim_fst_function(r->fst, f, NULL);
        FSIM_TRY(fsim_function_table_intern(s->table, name.text, name.len, &r->ids[f], err));
    }
    return read_block(s, r, err);
}

/* Of equal instants the earlier run goes first: it held the earlier rows. */
static bool comes_before(const fsim_trace_sort *s, uint32_t a, uint32_t b) {
    fsim_ns at_a = s->runs[a].rows.arrival_ns[s->runs[a].row];
    fsim_ns at_b = s->runs[b].rows.arrival_ns[s->runs[b].row];
    return at_a != at_b ? at_a < at_b : a < b;
}

static void sift_down(fsim_trace_sort *s, uint32_t slot) {
    uint32_t moved = s->heap[slot];
    for (;;) {
        uint32_t child = 2 * slot + 1;
        if (child >= s->heap_count) {
            break;
        }
        child += child + 1 < s->heap_count && comes_before(s, s->heap[child + 1], s->heap[child]);
        if (!comes_before(s, s->heap[child], moved)) {
            break;
        }
        s->heap[slot] = s->heap[child];
        slot = child;
    }
    s->heap[slot] = moved;
}

/* Opens runs [from, from + n) for merging. */
static fsim_status begin_merge(fsim_trace_sort *s, uint32_t from, uint32_t n, fsim_error *err) {
    uint32_t *heap = realloc(s->heap, (n + 1u) * sizeof *heap);
    if (heap == NULL) {
        return out_of_memory(err);
    }
    s->heap = heap;
    s->heap_count = 0;
    for (uint32_t i = from; i < from + n; i++) {
        FSIM_TRY(open_run(s, &s->runs[i], err));
        if (s->runs[i].block.count > 0) {
            s->heap[s->heap_count++] = i;
        }
    }
    for (uint32_t slot = s->heap_count / 2; slot-- > 0;) {
        sift_down(s, slot);
    }
    return FSIM_OK;
}

/* The texts of a block stay where they are while the run's next block is read: they stand in its file. */
static fsim_status next_of_merge(fsim_trace_sort *s, uint32_t *count, fsim_error *err) {
    for (*count = 0; *count < BATCH && s->heap_count > 0; sift_down(s, 0)) {
        run *r = &s->runs[s->heap[0]];
        copy_row(&s->out, (*count)++, &r->rows, r->row);
        if (++r->row == r->block.count) {
            FSIM_TRY(read_block(s, r, err));
            if (r->block.count == 0) {
                s->heap[0] = s->heap[--s->heap_count];
            }
        }
        if (s->heap_count == 0) {
            break;
        }
    }
    return FSIM_OK;
}

/* Neighbouring runs become one, in the place of the first, until `most` are left for the last merge. */
static fsim_status merge_groups(fsim_trace_sort *s, uint32_t most, fsim_error *err) {
    while (s->run_count > most) {
        uint32_t before = s->run_count, kept = 0;
        for (uint32_t from = 0; from < before; from += most) {
            uint32_t n = before - from < most ? before - from : most;
            FSIM_TRY(begin_merge(s, from, n, err));
            FSIM_TRY(write_run(s, next_of_merge, err));
            for (uint32_t i = from; i < from + n; i++) {
                close_run(&s->runs[i]);
            }
            s->runs[kept++] = s->runs[--s->run_count]; /* the new one stands behind all others */
            s->runs[s->run_count] = (run){.fd = -1};
        }
        s->run_count = kept;
    }
    return FSIM_OK;
}

fsim_status fsim_trace_sort_finish(fsim_trace_sort *s, fsim_error *err) {
    s->given = 0;
    if (s->run_count == 0) {
        sort_rows(s);
        return FSIM_OK;
    }
    if (s->count > 0) {
        FSIM_TRY(spill(s, err));
    }
    /* The runs are read with the memory that the rows had. */
    free_columns(&s->rows);
    free(s->order);
    free(s->spare);
    free(s->bytes);
    s->order = s->spare = NULL;
    s->bytes = NULL;
    uint32_t most = (uint32_t)(s->options.memory_bytes / RUN_BYTES);
    most = most < 2 ? 2 : most;
    FSIM_TRY(merge_groups(s, most, err));
    return begin_merge(s, 0, s->run_count, err);
}

fsim_status fsim_trace_sort_next(fsim_trace_sort *s, fsim_fst_rows *rows, fsim_error *err) {
    uint32_t count = 0;
    FSIM_TRY(check_stop(s, err));
    FSIM_TRY(s->run_count == 0 ? next_in_memory(s, &count, err) : next_of_merge(s, &count, err));
    *rows = rows_of(&s->out, count);
    return FSIM_OK;
}
