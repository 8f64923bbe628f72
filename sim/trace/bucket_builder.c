/* Counts on their way to fsim_bucketed; see bucket_builder.h.
 *
 * A function has one part or more; the cells of a part ascend. A cell that would step back goes to another
 * part (a second row of the same function and day), and the parts are merged when they are read. Parts are
 * chains of chunks from a common arena, so that wide files, which add a cell to thousands of functions with
 * every line, do not move what they have. A block of the arena goes back to the system when all of it has
 * been laid out. */
#include "trace/bucket_builder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK_MIN 32u
#define CHUNK_MAX 4096u
#define BLOCK     (1u << 20)
#define CELL_MAX  20u /* bytes of the longest cell */
#define COUNT_MAX (UINT64_C(1) << 62)
#define ALONE_MAX (UINT64_C(1) << 60) /* of a cell that is one number */
#define BILLION   1000000000

__extension__ typedef unsigned __int128 u128;

typedef struct block block;
struct block {
    block *next, *before;
    size_t used, wanted; /* bytes; wanted: not laid out yet */
    _Alignas(16) uint8_t bytes[];
};

typedef struct chunk chunk;
struct chunk {
    chunk *next;
    block *home;
    uint32_t used, size;
    uint8_t bytes[];
};

typedef struct part part;
struct part {
    part *next;
    block *home;
    chunk *first, *last;
    uint64_t bucket, written; /* of the cell not written yet; of the last one written, plus 1 */
    uint64_t count;           /* of the cell not written yet; 0: none */
};

struct fsim_bucket_builder {
    part **functions;
    uint64_t *totals; /* unscaled */
    uint32_t function_count, function_capacity;
    block *blocks;
};

fsim_bucket_builder *fsim_bucket_builder_create(void) {
    return calloc(1, sizeof(fsim_bucket_builder));
}

void fsim_bucket_builder_destroy(fsim_bucket_builder *b) {
    if (b == NULL) {
        return;
    }
    while (b->blocks != NULL) {
        block *next = b->blocks->next;
        munmap(b->blocks, BLOCK);
        b->blocks = next;
    }
    free(b->functions);
    free(b->totals);
    free(b);
}

static size_t room_of(size_t size) {
    return (size + 15u) & ~(size_t)15u;
}

/* From the block at hand, b->blocks. */
static void *take(fsim_bucket_builder *b, size_t size) {
    size = room_of(size);
    if (b->blocks == NULL || b->blocks->used + size > BLOCK - sizeof(block)) {
        block *fresh = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (fresh == MAP_FAILED) {
            return NULL;
        }
        *fresh = (block){.next = b->blocks};
        if (b->blocks != NULL) {
            b->blocks->before = fresh;
        }
        b->blocks = fresh;
    }
    void *at = b->blocks->bytes + b->blocks->used;
    b->blocks->used += size;
    b->blocks->wanted += size;
    return at;
}

static void give_back(fsim_bucket_builder *b, block *home, size_t size) {
    home->wanted -= room_of(size);
    if (home->wanted == 0) {
        if (home->next != NULL) {
            home->next->before = home->before;
        }
        *(home->before != NULL ? &home->before->next : &b->blocks) = home->next;
        munmap(home, BLOCK);
    }
}

static void forget_function(fsim_bucket_builder *b, uint32_t f) {
    part *next_part;
    for (part *p = b->functions[f]; p != NULL; p = next_part) {
        chunk *next_chunk;
        for (chunk *c = p->first; c != NULL; c = next_chunk) {
            next_chunk = c->next;
            give_back(b, c->home, sizeof *c + c->size);
        }
        next_part = p->next;
        give_back(b, p->home, sizeof *p);
    }
    b->functions[f] = NULL;
}

static bool reserve(fsim_bucket_builder *b, uint32_t f) {
    if (f < b->function_capacity) {
        return true;
    }
    uint32_t capacity = f < 16 ? 32 : f + f / 2 + 1;
    part **functions = realloc(b->functions, capacity * sizeof *functions);
    b->functions = functions != NULL ? functions : b->functions;
    uint64_t *totals = realloc(b->totals, capacity * sizeof *totals);
    b->totals = totals != NULL ? totals : b->totals;
    if (functions == NULL || totals == NULL) {
        return false;
    }
    uint32_t old = b->function_capacity;
    memset(functions + old, 0, (capacity - old) * sizeof *functions);
    memset(totals + old, 0, (capacity - old) * sizeof *totals);
    b->function_capacity = capacity;
    return true;
}

static uint8_t *put_number(uint8_t *at, uint64_t value) {
    for (; value >= 0x80u; value >>= 7) {
        *at++ = (uint8_t)(value | 0x80u);
    }
    *at++ = (uint8_t)value;
    return at;
}

static uint8_t *put_cell(uint8_t *at, uint64_t distance, uint64_t count) {
    if (distance == 1 && count < ALONE_MAX) {
        return put_number(at, count << 2 | 1u);
    }
    if (count == 1 && distance < ALONE_MAX) {
        return put_number(at, distance << 2 | 3u);
    }
    return put_number(put_number(at, distance << 1), count);
}

/* Writes the cell that waits; there is room for one more afterwards or before, whoever comes first. */
static bool flush(fsim_bucket_builder *b, part *p) {
    if (p->count == 0) {
        return true;
    }
    if (p->last == NULL || p->last->used + CELL_MAX > p->last->size) {
        uint32_t size = p->last == NULL ? CHUNK_MIN : 2u * p->last->size;
        size = size > CHUNK_MAX ? CHUNK_MAX : size;
        chunk *fresh = take(b, sizeof *fresh + size);
        if (fresh == NULL) {
            return false;
        }
        *fresh = (chunk){.home = b->blocks, .size = size};
        *(p->last == NULL ? &p->first : &p->last->next) = fresh;
        p->last = fresh;
    }
    uint8_t *at = p->last->bytes + p->last->used;
    uint8_t *end = put_cell(at, p->bucket + 1u - p->written, p->count);
    p->last->used += (uint32_t)(end - at);
    p->written = p->bucket + 1u;
    p->count = 0;
    return true;
}

/* --- reading back --- */

/* Walks one part: its chunks, then the cell that waits. */
typedef struct part_reader {
    const part *of;
    const chunk *chunk;
    fsim_cell_cursor cells;
    uint64_t bucket, count; /* at hand */
    bool live;
} part_reader;

static void advance(part_reader *r) {
    while (r->cells.at == r->cells.end && r->chunk != NULL) {
        r->cells.at = r->chunk->bytes;
        r->cells.end = r->chunk->bytes + r->chunk->used;
        r->chunk = r->chunk->next;
    }
    if (fsim_cells_next(&r->cells)) {
        r->bucket = r->cells.bucket;
        r->count = r->cells.count;
        return;
    }
    r->live = r->of->count > 0 && (r->bucket == UINT64_MAX || r->bucket < r->of->bucket);
    r->bucket = r->of->bucket;
    r->count = r->of->count;
}

static void begin(part_reader *r, const part *p) {
    *r = (part_reader){.of = p, .chunk = p->first, .bucket = UINT64_MAX, .live = true};
    r->cells.bucket = UINT64_MAX;
    advance(r);
}

#define READERS 8u /* parts of a function */

/* Walks the cells of a function after the cut. */
typedef struct cell_reader {
    const fsim_bucket_cut *cut;
    part_reader parts[READERS];
    uint32_t part_count;
    uint64_t carry; /* billionths of a request */
    uint64_t bucket, count;
} cell_reader;

static void open_cells(cell_reader *r, const fsim_bucket_builder *b, uint32_t f, const fsim_bucket_cut *cut) {
    r->cut = cut;
    r->part_count = 0;
    r->carry = 0;
    const part *p = f < b->function_count ? b->functions[f] : NULL;
    for (; p != NULL; p = p->next) {
        begin(&r->parts[r->part_count], p);
        r->part_count += r->parts[r->part_count].live;
    }
}

/* The next bucket that any part has, with the counts of all. */
static bool merged_cell(cell_reader *r) {
    uint64_t earliest = UINT64_MAX;
    for (uint32_t i = 0; i < r->part_count; i++) {
        if (r->parts[i].live && r->parts[i].bucket < earliest) {
            earliest = r->parts[i].bucket;
        }
    }
    r->bucket = earliest;
    r->count = 0;
    for (uint32_t i = 0; i < r->part_count; i++) {
        while (r->parts[i].live && r->parts[i].bucket == earliest) {
            r->count += r->parts[i].count;
            advance(&r->parts[i]);
        }
    }
    return r->count > 0;
}

static bool next_cell(cell_reader *r) {
    while (merged_cell(r)) {
        if (r->bucket < r->cut->from || r->bucket >= r->cut->until) {
            continue;
        }
        r->bucket = (r->bucket - r->cut->from) / r->cut->group;
        if (r->cut->scale_billionths != BILLION) {
            u128 scaled = (u128)r->count * (uint64_t)r->cut->scale_billionths + r->carry;
            u128 whole = scaled / BILLION;
            r->carry = (uint64_t)(scaled % BILLION);
            r->count = whole > COUNT_MAX ? COUNT_MAX : (uint64_t)whole;
        }
        if (r->count > 0) {
            return true;
        }
    }
    return false;
}

/* --- adding --- */

/* The parts of f become one. */
static bool join_parts(fsim_bucket_builder *b, uint32_t f) {
    static const fsim_bucket_cut whole = {0, UINT64_MAX, 1, BILLION};
    cell_reader r;
    part *all = take(b, sizeof *all);
    if (all == NULL) {
        return false;
    }
    *all = (part){.home = b->blocks};
    for (open_cells(&r, b, f, &whole); next_cell(&r);) {
        if (!flush(b, all)) {
            return false;
        }
        all->bucket = r.bucket;
        all->count = r.count;
    }
    forget_function(b, f);
    b->functions[f] = all;
    return true;
}

/* The part of f that may take a cell at `bucket`; NULL: out of memory. */
static part *part_for(fsim_bucket_builder *b, uint32_t f, uint64_t bucket) {
    uint32_t parts = 0;
    for (part *p = b->functions[f]; p != NULL; p = p->next, parts++) {
        if (bucket >= (p->count > 0 ? p->bucket : p->written)) {
            return p;
        }
    }
    if (parts == READERS && !join_parts(b, f)) {
        return NULL;
    }
    part *fresh = take(b, sizeof *fresh);
    if (fresh != NULL) {
        *fresh = (part){.next = b->functions[f], .home = b->blocks};
        b->functions[f] = fresh;
    }
    return fresh;
}

fsim_status fsim_bucket_builder_add(fsim_bucket_builder *b, uint32_t f, uint64_t bucket, uint64_t count,
                                    fsim_error *err) {
    if (count == 0) {
        return FSIM_OK;
    }
    if (!reserve(b, f)) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    b->function_count = f >= b->function_count ? f + 1u : b->function_count;
    part *p = part_for(b, f, bucket);
    if (bucket > COUNT_MAX || count > COUNT_MAX || b->totals[f] > COUNT_MAX - count) {
        return fsim_fail(err, FSIM_ELIMIT, "more than 2^62 requests or buckets of one function");
    }
    b->totals[f] += count;
    if (p != NULL && p->count > 0 && p->bucket == bucket) {
        p->count += count;
        return FSIM_OK;
    }
    if (p == NULL || !flush(b, p)) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    p->bucket = bucket;
    p->count = count;
    return FSIM_OK;
}

uint64_t fsim_bucket_builder_total(const fsim_bucket_builder *b, uint32_t f, const fsim_bucket_cut *cut) {
    cell_reader r;
    uint64_t total = 0;
    if (cut->from == 0 && cut->until == UINT64_MAX && cut->scale_billionths == BILLION) {
        return f < b->function_count ? b->totals[f] : 0;
    }
    for (open_cells(&r, b, f, cut); next_cell(&r);) {
        total = total > COUNT_MAX ? total : total + r.count;
    }
    return total;
}

uint64_t fsim_bucket_builder_end(const fsim_bucket_builder *b, uint32_t f) {
    uint64_t end = 0;
    for (const part *p = f < b->function_count ? b->functions[f] : NULL; p != NULL; p = p->next) {
        uint64_t own = p->count > 0 ? p->bucket + 1u : p->written;
        end = own > end ? own : end;
    }
    return end;
}

/* The only part of f, where the cut leaves all of it as it is; else NULL. */
static const part *uncut_part(const fsim_bucket_builder *b, uint32_t f, const fsim_bucket_cut *cut) {
    const part *p = f < b->function_count ? b->functions[f] : NULL;
    bool whole = p != NULL && p->next == NULL && p->count > 0 && cut->from == 0 && p->bucket < cut->until;
    return whole && cut->group == 1 && cut->scale_billionths == BILLION ? p : NULL;
}

/* As lay_out: what has been written once need not be read. */
static uint64_t copy_part(const part *p, uint8_t *at) {
    uint8_t cell[CELL_MAX];
    uint64_t size = 0;
    for (const chunk *c = p->first; c != NULL; c = c->next) {
        if (at != NULL) {
            memcpy(at + size, c->bytes, c->used);
        }
        size += c->used;
    }
    size_t last = (size_t)(put_cell(cell, p->bucket + 1u - p->written, p->count) - cell);
    if (at != NULL) {
        memcpy(at + size, cell, last);
    }
    return size + last;
}

/* Bytes of the cells of f, written to `at` unless it is NULL. */
static uint64_t lay_out(const fsim_bucket_builder *b, uint32_t f, const fsim_bucket_cut *cut, uint8_t *at) {
    const part *uncut = uncut_part(b, f, cut);
    if (uncut != NULL) {
        return copy_part(uncut, at);
    }
    cell_reader r;
    uint8_t cell[CELL_MAX];
    uint64_t size = 0, written = 0;
    for (open_cells(&r, b, f, cut); next_cell(&r);) {
        uint8_t *end = put_cell(cell, r.bucket + 1u - written, r.count);
        if (at != NULL) {
            memcpy(at + size, cell, (size_t)(end - cell));
        }
        size += (uint64_t)(end - cell);
        written = r.bucket + 1u;
    }
    return size;
}

fsim_status fsim_bucket_builder_finish(fsim_bucket_builder *b, const fsim_bucket_cut *cut,
                                       const uint32_t *functions, uint32_t function_count, uint64_t **first,
                                       uint8_t **cells, fsim_error *err) {
    uint64_t *starts = malloc((function_count + (size_t)1) * sizeof *starts);
    uint64_t size = 0;
    for (uint32_t i = 0; starts != NULL && i < function_count; i++) {
        starts[i] = size;
        size += lay_out(b, functions[i], cut, NULL);
    }
    uint8_t *bytes = starts == NULL ? NULL : malloc(size + 1u);
    if (bytes == NULL) {
        free(starts);
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    starts[function_count] = size;
    for (uint32_t i = 0; i < function_count; i++) {
        lay_out(b, functions[i], cut, bytes + starts[i]);
        if (functions[i] < b->function_count) {
            forget_function(b, functions[i]);
        }
    }
    *first = starts;
    *cells = bytes;
    return FSIM_OK;
}
