/* Columnar traces, written; see fst_writer.h and the layout in fst_format.h.
 *
 * A block is collected as plain columns. When it is full every column is packed: the least number is taken
 * off, what all that is left has in common as a power of ten is divided out, and the rest stands in as many
 * bits as the largest needs. */
#include "io/fst_writer.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/limits.h"
#include "base/rng.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ROWS       FSIM_FST_ROWS_MAX
#define UNSET      UINT32_MAX
#define SLOT_COUNT (4u * ROWS) /* of a block's dictionary; a power of two */

/* The different texts of a column in one block. */
typedef struct dictionary {
    uint32_t count; /* text k is bytes[ends[k - 1] … ends[k]) */
    uint32_t ends[ROWS];
    char *bytes;
    size_t capacity;
    uint16_t slots[SLOT_COUNT]; /* text + 1, or 0 */
} dictionary;

struct fsim_fst_writer {
    const fsim_function_table *table;
    fsim_fst_put put;
    void *user;
    uint64_t offset; /* bytes written */
    uint64_t rows, blocks;
    fsim_ns first_ns, last_ns; /* of the trace */
    uint32_t seen;             /* set of columns of the trace */

    /* functions */
    uint32_t *number; /* in the file, by the caller's id; UNSET: not mentioned yet */
    uint32_t number_capacity;
    fsim_fn_id *id;     /* the caller's, by number in the file */
    uint64_t *requests; /* by number in the file */
    uint32_t functions, function_capacity;

    /* the block at hand */
    uint32_t count;
    int64_t column[FSIM_FST_COLUMNS][ROWS]; /* texts: place in the dictionary, from 1 */
    dictionary texts[2];                    /* session, version */

    uint8_t *bytes; /* the packed block */
    size_t capacity;
};

static fsim_status out_of_memory(fsim_error *err) {
    return fsim_fail(err, FSIM_ELIMIT, "out of memory");
}

static fsim_status put(fsim_fst_writer *w, const void *bytes, size_t size, fsim_error *err) {
    FSIM_TRY(w->put(w->user, bytes, size, err));
    w->offset += size;
    return FSIM_OK;
}

/* Puts the checksum behind `size` bytes that will stand at the present offset, and writes both. */
static fsim_status put_part(fsim_fst_writer *w, uint8_t *bytes, size_t size, fsim_error *err) {
    fsim_bytes_put64(bytes + size, fsim_checksum(bytes, size, w->offset));
    return put(w, bytes, size + FSIM_FST_CHECKSUM_SIZE, err);
}

static fsim_status put_header(fsim_fst_writer *w, fsim_error *err) {
    uint8_t header[FSIM_FST_HEADER_SIZE] = {0};
    memcpy(header, FSIM_FST_MAGIC, FSIM_FST_MAGIC_SIZE);
    fsim_bytes_put32(header + FSIM_FST_HEADER_VERSION, FSIM_FST_VERSION);
    fsim_bytes_put32(header + FSIM_FST_HEADER_BYTES, FSIM_FST_HEADER_SIZE);
    fsim_bytes_put32(header + FSIM_FST_HEADER_ROWS, FSIM_FST_ROWS_MAX);
    return put_part(w, header, sizeof header - FSIM_FST_CHECKSUM_SIZE, err);
}

fsim_status fsim_fst_writer_open(fsim_fst_writer **out, const fsim_function_table *table, uint32_t columns,
                                 fsim_fst_put take, void *user, fsim_error *err) {
    fsim_fst_writer *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return out_of_memory(err);
    }
    w->table = table;
    w->put = take;
    w->seen = columns | 1u << FSIM_FST_ARRIVAL;
    w->user = user;
    fsim_status status = put_header(w, err);
    if (status != FSIM_OK) {
        fsim_fst_writer_destroy(w);
        return status;
    }
    *out = w;
    return FSIM_OK;
}

void fsim_fst_writer_destroy(fsim_fst_writer *w) {
    if (w != NULL) {
        free(w->number);
        free(w->id);
        free(w->requests);
        free(w->texts[0].bytes);
        free(w->texts[1].bytes);
        free(w->bytes);
        free(w);
    }
}

/* ---- collecting ---- */

static fsim_status reserve_numbers(fsim_fst_writer *w, fsim_error *err) {
    uint32_t count = fsim_function_table_count(w->table);
    if (count <= w->number_capacity) {
        return FSIM_OK;
    }
    uint32_t capacity = count < 64 ? 64 : count + count / 2;
    uint32_t *number = realloc(w->number, capacity * sizeof *number);
    if (number == NULL) {
        return out_of_memory(err);
    }
    memset(number + w->number_capacity, 0xff, (capacity - w->number_capacity) * sizeof *number);
    w->number = number;
    w->number_capacity = capacity;
    return FSIM_OK;
}

static fsim_status number_function(fsim_fst_writer *w, fsim_fn_id id, fsim_error *err) {
    if (w->functions == w->function_capacity) {
        uint32_t capacity = w->functions == 0 ? 64 : 2 * w->functions;
        fsim_fn_id *ids = realloc(w->id, capacity * sizeof *ids);
        if (ids != NULL) {
            w->id = ids;
        }
        uint64_t *requests = realloc(w->requests, capacity * sizeof *requests);
        if (requests != NULL) {
            w->requests = requests;
        }
        if (ids == NULL || requests == NULL) {
            return out_of_memory(err);
        }
        w->function_capacity = capacity;
    }
    w->id[w->functions] = id;
    w->requests[w->functions] = 0;
    w->number[id] = w->functions++;
    return FSIM_OK;
}

static fsim_status take_functions(fsim_fst_writer *w, const fsim_fn_id *fn, uint32_t n, fsim_error *err) {
    int64_t *to = w->column[FSIM_FST_FUNCTION] + w->count;
    FSIM_TRY(reserve_numbers(w, err));
    for (uint32_t i = 0; i < n; i++) {
        if (fn[i] == FSIM_FST_NO_FUNCTION) {
            to[i] = FSIM_FST_EMPTY;
            continue;
        }
        if (w->number[fn[i]] == UNSET) {
            FSIM_TRY(number_function(w, fn[i], err));
        }
        uint32_t number = w->number[fn[i]];
        w->requests[number]++;
        to[i] = number;
    }
    return FSIM_OK;
}

static fsim_status take_arrivals(fsim_fst_writer *w, const fsim_ns *at_ns, uint32_t n, fsim_error *err) {
    fsim_ns last_ns = w->last_ns;
    for (uint32_t i = 0; i < n; i++) {
        if (at_ns[i] < last_ns) {
            return fsim_fail(err, FSIM_EDATA,
                             "row %llu arrives at %.12g s, before the row in front of it, %.12g s; sort the "
                             "trace with: fsim convert --sort IN OUT",
                             (unsigned long long)(w->rows + w->count + i + 1u), fsim_ns_to_s(at_ns[i]),
                             fsim_ns_to_s(last_ns));
        }
        last_ns = at_ns[i];
    }
    if (w->rows == 0 && w->count == 0) {
        w->first_ns = at_ns[0];
    }
    w->last_ns = last_ns;
    memcpy(w->column[FSIM_FST_ARRIVAL] + w->count, at_ns, n * sizeof *at_ns);
    return FSIM_OK;
}

static fsim_status append_text(dictionary *d, const fsim_fst_text *text, fsim_error *err) {
    size_t used = d->count == 0 ? 0 : d->ends[d->count - 1u];
    if (used + text->len > d->capacity) {
        size_t capacity = 2 * (used + text->len) + 256;
        char *bytes = realloc(d->bytes, capacity);
        if (bytes == NULL) {
            return out_of_memory(err);
        }
        d->bytes = bytes;
        d->capacity = capacity;
    }
    memcpy(d->bytes + used, text->text, text->len);
    d->ends[d->count++] = (uint32_t)(used + text->len);
    return FSIM_OK;
}

static bool is_text(const dictionary *d, uint32_t k, const fsim_fst_text *text) {
    uint32_t from = k == 0 ? 0 : d->ends[k - 1u];
    return d->ends[k] - from == text->len && memcmp(d->bytes + from, text->text, text->len) == 0;
}

/* One more than its place in the dictionary, where it is put if it is new. */
static fsim_status find_text(dictionary *d, const fsim_fst_text *text, int64_t *out, fsim_error *err) {
    uint64_t slot = fsim_checksum(text->text, text->len, 0) % SLOT_COUNT;
    while (d->slots[slot] != 0 && !is_text(d, d->slots[slot] - 1u, text)) {
        slot = (slot + 1u) % SLOT_COUNT;
    }
    if (d->slots[slot] == 0) {
        FSIM_TRY(append_text(d, text, err));
        d->slots[slot] = (uint16_t)d->count;
    }
    *out = d->slots[slot];
    return FSIM_OK;
}

static fsim_status take_texts(fsim_fst_writer *w, fsim_fst_column column, const fsim_fst_text *texts,
                              uint32_t n, fsim_error *err) {
    dictionary *d = &w->texts[column - FSIM_FST_SESSION];
    int64_t *to = w->column[column] + w->count;
    for (uint32_t i = 0; i < n; i++) {
        to[i] = 0;
        if (texts[i].len > FSIM_CSV_FIELD_MAX) {
            return fsim_fail(err, FSIM_ELIMIT, "a text of %u bytes, at most %d are possible", texts[i].len,
                             FSIM_CSV_FIELD_MAX);
        }
        if (texts[i].len > 0) {
            FSIM_TRY(find_text(d, &texts[i], &to[i], err));
        }
    }
    return FSIM_OK;
}

static void take_numbers(fsim_fst_writer *w, fsim_fst_column column, const int64_t *numbers, uint32_t n) {
    int64_t *to = w->column[column] + w->count;
    if (numbers != NULL) {
        memcpy(to, numbers, n * sizeof *numbers);
        w->seen |= 1u << column;
    } else {
        memset(to, 0xff, n * sizeof *to); /* FSIM_FST_EMPTY */
    }
}

/* ---- packing ---- */

static uint32_t bits_of(uint64_t x) {
    return x == 0 ? 0 : 64u - (uint32_t)__builtin_clzll(x);
}

/* How the numbers of a column are written down. */
typedef struct packing {
    uint32_t width, scale, empty;
    uint64_t power; /* ten to the scale */
    int64_t base;
} packing;

/* Of numbers of at least 0, or -1 for empty. False: all are empty. */
static bool choose(const int64_t *numbers, uint32_t n, uint32_t scale_max, packing *p) {
    int64_t least = INT64_MAX, most = -1;
    *p = (packing){.scale = scale_max};
    for (uint32_t i = 0; i < n; i++) {
        if (numbers[i] < 0) {
            p->empty = 1;
            continue;
        }
        least = numbers[i] < least ? numbers[i] : least;
        most = numbers[i] > most ? numbers[i] : most;
    }
    if (most < 0) {
        return false;
    }
    for (uint32_t i = 0; i < n && p->scale > 0; i++) {
        while (numbers[i] >= 0 && p->scale > 0 &&
               (uint64_t)(numbers[i] - least) % fsim_fst_powers[p->scale] != 0) {
            p->scale--;
        }
    }
    p->base = least;
    uint64_t range = (uint64_t)(most - least);
    p->scale = range == 0 ? 0 : p->scale;
    p->power = fsim_fst_powers[p->scale];
    p->width = bits_of(range / p->power + p->empty);
    if (p->width > FSIM_FST_WIDTH_MAX || !fsim_fst_fits(p->width, p->scale, p->base)) {
        *p = (packing){.width = 64, .power = 1, .empty = p->empty};
    }
    return true;
}

/* Room for `size` more bytes behind `used`, and a margin that bits may be written into. */
static fsim_status reserve_bytes(fsim_fst_writer *w, size_t used, size_t size, fsim_error *err) {
    if (used + size + 64 > w->capacity) {
        size_t capacity = 2 * (used + size) + 4096;
        uint8_t *bytes = realloc(w->bytes, capacity);
        if (bytes == NULL) {
            return out_of_memory(err);
        }
        w->bytes = bytes;
        w->capacity = capacity;
    }
    return FSIM_OK;
}

static inline uint64_t divide(uint64_t x, uint64_t power) {
    return power == 1 ? x : x / power;
}

/* n numbers in p->width bits each, least bits first, padded with zeros to a multiple of 8 bytes. */
static size_t pack(uint8_t *to, const int64_t *numbers, uint32_t n, const packing *p) {
    uint64_t word = 0;
    uint32_t filled = 0;
    uint8_t *at = to;
    for (uint32_t i = 0; i < n && p->width > 0; i++) {
        uint64_t x = numbers[i] < 0 ? 0 : divide((uint64_t)(numbers[i] - p->base), p->power) + p->empty;
        word |= x << filled;
        filled += p->width;
        if (filled >= 64) {
            fsim_bytes_put64(at, word);
            at += 8;
            filled -= 64;
            word = filled == 0 ? 0 : x >> (p->width - filled);
        }
    }
    if (filled > 0) {
        fsim_bytes_put64(at, word);
        at += 8;
    }
    return (size_t)(at - to);
}

typedef struct block_draft {
    size_t used;
    uint32_t columns;
} block_draft;

static fsim_status add_column(fsim_fst_writer *w, block_draft *b, fsim_fst_column column,
                              const int64_t *numbers, uint32_t n, const packing *p, fsim_error *err) {
    FSIM_TRY(reserve_bytes(w, b->used, fsim_fst_packed_size(ROWS, p->width), err));
    uint8_t *at = w->bytes + FSIM_FST_BLOCK_HEADER + b->columns * FSIM_FST_COLUMN_SIZE;
    at[FSIM_FST_COLUMN_ID] = (uint8_t)column;
    at[FSIM_FST_COLUMN_WIDTH] = (uint8_t)p->width;
    at[FSIM_FST_COLUMN_EMPTY] = (uint8_t)p->empty;
    at[FSIM_FST_COLUMN_SCALE] = (uint8_t)p->scale;
    fsim_bytes_put32(at + FSIM_FST_COLUMN_OFFSET, (uint32_t)b->used);
    fsim_bytes_put64(at + FSIM_FST_COLUMN_BASE, (uint64_t)p->base);
    /* The arrivals have one step less than there are rows, and the same room as a column of as many. */
    size_t size = pack(w->bytes + b->used, numbers, n, p), room = fsim_fst_packed_size(w->count, p->width);
    memset(w->bytes + b->used + size, 0, room - size);
    b->used += room;
    b->columns++;
    return FSIM_OK;
}

static fsim_status add_arrivals(fsim_fst_writer *w, block_draft *b, fsim_error *err) {
    const fsim_ns *at_ns = w->column[FSIM_FST_ARRIVAL];
    int64_t steps[ROWS];
    packing p = {.power = 1};
    for (uint32_t i = 0; i + 1u < w->count; i++) {
        steps[i] = at_ns[i + 1u] - at_ns[i];
    }
    if (w->count > 1) {
        choose(steps, w->count - 1u, FSIM_FST_SCALE_MAX, &p);
    }
    return add_column(w, b, FSIM_FST_ARRIVAL, steps, w->count - 1u, &p, err);
}

static fsim_status add_numbers(fsim_fst_writer *w, block_draft *b, fsim_fst_column column, fsim_error *err) {
    packing p;
    uint32_t scale_max = column == FSIM_FST_FUNCTION ? 0 : FSIM_FST_SCALE_MAX;
    return choose(w->column[column], w->count, scale_max, &p)
               ? add_column(w, b, column, w->column[column], w->count, &p, err)
               : FSIM_OK;
}

static fsim_status add_texts(fsim_fst_writer *w, block_draft *b, fsim_fst_column column, fsim_error *err) {
    dictionary *d = &w->texts[column - FSIM_FST_SESSION];
    if (d->count == 0) {
        return FSIM_OK;
    }
    /* Packed are places in the dictionary, 0 for empty: `base` has room for the size of the dictionary. */
    packing p = {.width = bits_of(d->count), .power = 1, .empty = 0};
    FSIM_TRY(add_column(w, b, column, w->column[column], w->count, &p, err));
    uint8_t *at = w->bytes + FSIM_FST_BLOCK_HEADER + (b->columns - 1u) * FSIM_FST_COLUMN_SIZE;
    at[FSIM_FST_COLUMN_EMPTY] = 1;
    fsim_bytes_put64(at + FSIM_FST_COLUMN_BASE, d->count);
    size_t ends_size = d->count * 4u, size = d->ends[d->count - 1u];
    FSIM_TRY(reserve_bytes(w, b->used, ends_size + size, err));
    for (uint32_t k = 0; k < d->count; k++) {
        fsim_bytes_put32(w->bytes + b->used + k * 4u, d->ends[k]);
    }
    memcpy(w->bytes + b->used + ends_size, d->bytes, size);
    b->used += ends_size + size;
    while (b->used % 8 != 0) {
        w->bytes[b->used++] = 0;
    }
    d->count = 0;
    memset(d->slots, 0, sizeof d->slots);
    return FSIM_OK;
}

static fsim_status put_block(fsim_fst_writer *w, fsim_error *err) {
    block_draft b = {.used = FSIM_FST_BLOCK_HEADER + FSIM_FST_COLUMNS * FSIM_FST_COLUMN_SIZE};
    FSIM_TRY(reserve_bytes(w, 0, b.used, err));
    memset(w->bytes, 0, b.used);
    FSIM_TRY(add_arrivals(w, &b, err));
    FSIM_TRY(add_numbers(w, &b, FSIM_FST_FUNCTION, err));
    FSIM_TRY(add_numbers(w, &b, FSIM_FST_DURATION, err));
    FSIM_TRY(add_numbers(w, &b, FSIM_FST_CPU, err));
    FSIM_TRY(add_numbers(w, &b, FSIM_FST_MEMORY, err));
    FSIM_TRY(add_texts(w, &b, FSIM_FST_SESSION, err));
    FSIM_TRY(add_texts(w, &b, FSIM_FST_VERSION_NAME, err));
    fsim_bytes_put32(w->bytes, FSIM_FST_BLOCK);
    fsim_bytes_put32(w->bytes + FSIM_FST_BLOCK_SIZE, (uint32_t)b.used + FSIM_FST_CHECKSUM_SIZE);
    fsim_bytes_put32(w->bytes + FSIM_FST_BLOCK_ROWS, w->count);
    fsim_bytes_put32(w->bytes + FSIM_FST_BLOCK_COLUMNS, b.columns);
    fsim_bytes_put64(w->bytes + FSIM_FST_BLOCK_FIRST, (uint64_t)w->column[FSIM_FST_ARRIVAL][0]);
    fsim_bytes_put64(w->bytes + FSIM_FST_BLOCK_LAST, (uint64_t)w->column[FSIM_FST_ARRIVAL][w->count - 1u]);
    w->rows += w->count;
    w->blocks++;
    w->count = 0;
    return put_part(w, w->bytes, b.used, err);
}

fsim_status fsim_fst_writer_add(fsim_fst_writer *w, const fsim_fst_rows *rows, fsim_error *err) {
    for (uint32_t done = 0; done < rows->count;) {
        uint32_t room = ROWS - w->count, left = rows->count - done, n = left < room ? left : room;
        FSIM_TRY(take_arrivals(w, rows->arrival_ns + done, n, err));
        if (rows->fn != NULL) {
            FSIM_TRY(take_functions(w, rows->fn + done, n, err));
            w->seen |= 1u << FSIM_FST_FUNCTION;
        } else {
            memset(w->column[FSIM_FST_FUNCTION] + w->count, 0xff, n * sizeof w->column[0][0]);
        }
        take_numbers(w, FSIM_FST_DURATION, rows->duration_ns == NULL ? NULL : rows->duration_ns + done, n);
        take_numbers(w, FSIM_FST_CPU, rows->cpu_ns == NULL ? NULL : rows->cpu_ns + done, n);
        take_numbers(w, FSIM_FST_MEMORY, rows->memory_mb == NULL ? NULL : rows->memory_mb + done, n);
        const fsim_fst_text *texts[2] = {rows->session, rows->version};
        for (int k = 0; k < 2; k++) {
            fsim_fst_column column = (fsim_fst_column)(FSIM_FST_SESSION + k);
            if (texts[k] != NULL) {
                FSIM_TRY(take_texts(w, column, texts[k] + done, n, err));
                w->seen |= 1u << column;
            } else {
                memset(w->column[column] + w->count, 0, n * sizeof w->column[0][0]);
            }
        }
        w->count += n;
        done += n;
        if (w->count == ROWS) {
            FSIM_TRY(put_block(w, err));
        }
    }
    return FSIM_OK;
}

/* ---- the end ---- */

static fsim_status put_functions(fsim_fst_writer *w, fsim_error *err) {
    size_t names = 0, at = FSIM_FST_FUNCTIONS_HEADER + (size_t)w->functions * FSIM_FST_FUNCTION_SIZE;
    for (uint32_t k = 0; k < w->functions; k++) {
        names += strlen(fsim_function_table_get(w->table, w->id[k])->name);
    }
    size_t size = (at + names + 7u) / 8u * 8u;
    FSIM_TRY(reserve_bytes(w, 0, size, err));
    memset(w->bytes, 0, size);
    fsim_bytes_put32(w->bytes, FSIM_FST_FUNCTIONS);
    fsim_bytes_put32(w->bytes + FSIM_FST_FUNCTIONS_COUNT, w->functions);
    fsim_bytes_put64(w->bytes + FSIM_FST_FUNCTIONS_SIZE, size + FSIM_FST_CHECKSUM_SIZE);
    for (uint32_t k = 0; k < w->functions; k++) {
        const char *name = fsim_function_table_get(w->table, w->id[k])->name;
        size_t len = strlen(name);
        uint8_t *row = w->bytes + FSIM_FST_FUNCTIONS_HEADER + (size_t)k * FSIM_FST_FUNCTION_SIZE;
        fsim_bytes_put64(row + FSIM_FST_FUNCTION_REQUESTS, w->requests[k]);
        fsim_bytes_put32(row + FSIM_FST_FUNCTION_NAME, (uint32_t)len);
        memcpy(w->bytes + at, name, len);
        at += len;
    }
    return put_part(w, w->bytes, size, err);
}

fsim_status fsim_fst_writer_finish(fsim_fst_writer *w, fsim_error *err) {
    uint8_t trailer[FSIM_FST_TRAILER_SIZE] = {0};
    if (w->count > 0) {
        FSIM_TRY(put_block(w, err));
    }
    uint64_t functions_at = w->offset;
    FSIM_TRY(put_functions(w, err));
    fsim_bytes_put64(trailer + FSIM_FST_TRAILER_FUNCTIONS, functions_at);
    fsim_bytes_put64(trailer + FSIM_FST_TRAILER_ROWS, w->rows);
    fsim_bytes_put64(trailer + FSIM_FST_TRAILER_BLOCKS, w->blocks);
    fsim_bytes_put64(trailer + FSIM_FST_TRAILER_FIRST, (uint64_t)w->first_ns);
    fsim_bytes_put64(trailer + FSIM_FST_TRAILER_LAST, (uint64_t)w->last_ns);
    fsim_bytes_put32(trailer + FSIM_FST_TRAILER_COLUMNS, w->seen);
    memcpy(trailer + FSIM_FST_TRAILER_MAGIC, FSIM_FST_MAGIC_END, FSIM_FST_MAGIC_SIZE);
    return put_part(w, trailer, sizeof trailer - FSIM_FST_CHECKSUM_SIZE, err);
}
