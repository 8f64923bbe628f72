/* Columnar traces; see fst_reader.h and the layout in fst_format.h. */
#include "io/fst_reader.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "io/file.h"
#include "io/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RELEASE_BYTES (UINT64_C(256) << 10) /* pages are given back in steps of this size */

struct fsim_fst {
    const uint8_t *bytes;
    uint64_t size, at, released; /* at: where the next block begins */
    uint64_t block, rows;        /* read so far */
    fsim_fst_about about;
    uint64_t functions_at;
    const uint8_t **names; /* by function */
    char *path;            /* for messages */
    bool mapped;
};

/* ---- failures ---- */

static fsim_status fail_part(const fsim_fst *fst, const char *part, uint64_t offset, fsim_error *err,
                             const char *text) {
    char place[512];
    snprintf(place, sizeof place, "%.420s:%s (byte %llu)", fst->path, part, (unsigned long long)offset);
    return fsim_fail_at(err, FSIM_EDATA, place, "%s", text);
}

static fsim_status fail_block(const fsim_fst *fst, uint64_t number, uint64_t offset, fsim_error *err,
                              const char *text) {
    char part[32];
    snprintf(part, sizeof part, "block %llu", (unsigned long long)number);
    return fail_part(fst, part, offset, err, text);
}

fsim_status fsim_fst_fail(const fsim_fst *fst, const fsim_fst_block *block, fsim_error *err, const char *fmt,
                          ...) {
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return fail_block(fst, block->number, block->offset, err, text);
}

/* ---- opening ---- */

/* One byte is enough where a pipe has no more yet: no text begins with this one. */
bool fsim_fst_is_at(const char *path) {
    char bytes[FSIM_FST_MAGIC_SIZE];
    size_t got = fsim_input_peek(path, bytes, sizeof bytes);
    return got > 0 && memcmp(bytes, FSIM_FST_MAGIC, got) == 0;
}

static bool begins_with_magic(const fsim_fst *fst) {
    return fst->size >= FSIM_FST_MAGIC_SIZE && memcmp(fst->bytes, FSIM_FST_MAGIC, FSIM_FST_MAGIC_SIZE) == 0;
}

/* Of the part at `offset` whose checksum is its last word. */
static bool is_intact(const fsim_fst *fst, uint64_t offset, uint64_t size) {
    const uint8_t *part = fst->bytes + offset;
    uint64_t covered = size - FSIM_FST_CHECKSUM_SIZE;
    return fsim_checksum(part, covered, offset) == fsim_bytes_get64(part + covered);
}

static fsim_status check_header(const fsim_fst *fst, fsim_error *err) {
    if (!begins_with_magic(fst)) {
        return fail_part(fst, "header", 0, err, "this is no .fst file: it does not begin with \\x89FST");
    }
    if (fst->size < FSIM_FST_HEADER_SIZE) {
        return fail_part(fst, "header", 0, err, "the file breaks off in its header of 64 bytes");
    }
    uint32_t version = fsim_bytes_get32(fst->bytes + FSIM_FST_HEADER_VERSION);
    if (!is_intact(fst, 0, FSIM_FST_HEADER_SIZE)) {
        return fail_part(fst, "header", 0, err, "the header is damaged: its checksum is wrong");
    }
    if (version != FSIM_FST_VERSION) {
        char text[96];
        snprintf(text, sizeof text, "the file has version %u of the format, expected %u", version,
                 FSIM_FST_VERSION);
        return fail_part(fst, "header", FSIM_FST_HEADER_VERSION, err, text);
    }
    if (fsim_bytes_get32(fst->bytes + FSIM_FST_HEADER_BYTES) != FSIM_FST_HEADER_SIZE ||
        fsim_bytes_get32(fst->bytes + FSIM_FST_HEADER_ROWS) > FSIM_FST_ROWS_MAX) {
        return fail_part(fst, "header", 0, err, "sizes that version 1 does not allow");
    }
    return FSIM_OK;
}

/* Size of the block at `offset` if a whole and intact one stands there, else 0. */
static uint64_t intact_block(const fsim_fst *fst, uint64_t offset, uint64_t end) {
    if (end - offset < FSIM_FST_BLOCK_HEADER + FSIM_FST_CHECKSUM_SIZE ||
        fsim_bytes_get32(fst->bytes + offset) != FSIM_FST_BLOCK) {
        return 0;
    }
    uint64_t size = fsim_bytes_get32(fst->bytes + offset + FSIM_FST_BLOCK_SIZE);
    bool fits = size >= FSIM_FST_BLOCK_HEADER + FSIM_FST_CHECKSUM_SIZE && size <= end - offset;
    return fits && size % 8 == 0 && is_intact(fst, offset, size) ? size : 0;
}

/* The trailer is not what stands at the end: says how far the file is good. */
static fsim_status fail_without_trailer(const fsim_fst *fst, fsim_error *err) {
    uint64_t number = 0, offset = FSIM_FST_HEADER_SIZE, size;
    while ((size = intact_block(fst, offset, fst->size)) > 0) {
        offset += size;
        number++;
    }
    return fail_block(fst, number, offset, err,
                      "the file is cut off or was never finished: its last 64 bytes are no trailer, and the "
                      "blocks are whole only up to here");
}

static fsim_status read_trailer(fsim_fst *fst, fsim_error *err) {
    fsim_fst_about *about = &fst->about;
    uint64_t least = FSIM_FST_HEADER_SIZE + FSIM_FST_FUNCTIONS_HEADER + FSIM_FST_CHECKSUM_SIZE;
    if (fst->size < least + FSIM_FST_TRAILER_SIZE) {
        return fail_without_trailer(fst, err);
    }
    uint64_t offset = fst->size - FSIM_FST_TRAILER_SIZE;
    const uint8_t *trailer = fst->bytes + offset;
    if (memcmp(trailer + FSIM_FST_TRAILER_MAGIC, FSIM_FST_MAGIC_END, FSIM_FST_MAGIC_SIZE) != 0 ||
        !is_intact(fst, offset, FSIM_FST_TRAILER_SIZE)) {
        return fail_without_trailer(fst, err);
    }
    fst->functions_at = fsim_bytes_get64(trailer + FSIM_FST_TRAILER_FUNCTIONS);
    about->rows = fsim_bytes_get64(trailer + FSIM_FST_TRAILER_ROWS);
    about->blocks = fsim_bytes_get64(trailer + FSIM_FST_TRAILER_BLOCKS);
    about->first_ns = (int64_t)fsim_bytes_get64(trailer + FSIM_FST_TRAILER_FIRST);
    about->last_ns = (int64_t)fsim_bytes_get64(trailer + FSIM_FST_TRAILER_LAST);
    about->columns = fsim_bytes_get32(trailer + FSIM_FST_TRAILER_COLUMNS);
    about->bytes = fst->size;
    least = FSIM_FST_FUNCTIONS_HEADER + FSIM_FST_CHECKSUM_SIZE;
    if (fst->functions_at < FSIM_FST_HEADER_SIZE || fst->functions_at > offset - least ||
        fst->functions_at % 8 != 0 || about->columns >> FSIM_FST_COLUMNS != 0) {
        return fail_part(fst, "trailer", offset, err, "numbers that cannot be");
    }
    return FSIM_OK;
}

static fsim_status read_names(fsim_fst *fst, const uint8_t *part, uint64_t size, fsim_error *err) {
    uint64_t rows = (uint64_t)fst->about.functions * FSIM_FST_FUNCTION_SIZE;
    const uint8_t *at = part + FSIM_FST_FUNCTIONS_HEADER + rows, *end = part + size - FSIM_FST_CHECKSUM_SIZE;
    fst->names = malloc((fst->about.functions + 1u) * sizeof *fst->names);
    if (fst->names == NULL) {
        return fsim_fail_at(err, FSIM_ELIMIT, fst->path, "out of memory");
    }
    for (uint32_t i = 0; i < fst->about.functions; i++) {
        uint32_t len = fsim_fst_function(fst, i, NULL).len;
        if (len == 0 || len > (uint64_t)(end - at) || memchr(at, 0, len) != NULL) {
            return fail_part(fst, "functions", fst->functions_at, err,
                             "a name is empty, holds a NUL, or runs over the end");
        }
        fst->names[i] = at;
        at += len;
    }
    return FSIM_OK;
}

static fsim_status read_functions(fsim_fst *fst, fsim_error *err) {
    uint64_t offset = fst->functions_at, room = fst->size - FSIM_FST_TRAILER_SIZE - offset;
    const uint8_t *part = fst->bytes + offset;
    uint64_t size = fsim_bytes_get64(part + FSIM_FST_FUNCTIONS_SIZE);
    fst->about.functions = fsim_bytes_get32(part + FSIM_FST_FUNCTIONS_COUNT);
    uint64_t least = FSIM_FST_FUNCTIONS_HEADER + FSIM_FST_CHECKSUM_SIZE +
                     (uint64_t)fst->about.functions * FSIM_FST_FUNCTION_SIZE;
    if (fsim_bytes_get32(part) != FSIM_FST_FUNCTIONS || size != room || !is_intact(fst, offset, size)) {
        return fail_part(fst, "functions", offset, err,
                         "the table of functions is damaged: mark, size or checksum is wrong");
    }
    if (least > size) {
        return fail_part(fst, "functions", offset, err, "more functions than there is room for");
    }
    return read_names(fst, part, size, err);
}

/* Of what cannot be mapped, such as a pipe. */
static fsim_status read_whole(fsim_fst *fst, int fd, fsim_error *err) {
    char *bytes = NULL;
    size_t size = 0;
    int copy = dup(fd);
    FILE *stream = copy < 0 ? NULL : fdopen(copy, "rb");
    if (stream == NULL) {
        return fsim_fail_at(err, FSIM_EIO, fst->path, "cannot read the file: %s", strerror(errno));
    }
    fsim_status status = fsim_file_read_stream(stream, fst->path, SIZE_MAX / 2, &bytes, &size, err);
    fclose(stream);
    fst->bytes = (const uint8_t *)bytes;
    fst->size = size;
    return status;
}

static fsim_status map_file(fsim_fst *fst, int fd, fsim_error *err) {
    struct stat about;
    if (fstat(fd, &about) != 0) {
        return fsim_fail_at(err, FSIM_EIO, fst->path, "cannot read the file: %s", strerror(errno));
    }
    if (S_ISDIR(about.st_mode)) {
        return fsim_fail_at(err, FSIM_EIO, fst->path, "is a directory, expected a file");
    }
    if (!S_ISREG(about.st_mode)) {
        return read_whole(fst, fd, err);
    }
    fst->size = (uint64_t)about.st_size;
    if (fst->size == 0) {
        return fail_part(fst, "header", 0, err, "the file is empty, expected an .fst trace");
    }
    void *map = mmap(NULL, fst->size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) {
        return fsim_fail_at(err, FSIM_EIO, fst->path, "cannot map the file: %s", strerror(errno));
    }
    fst->bytes = map;
    fst->mapped = true;
    madvise(map, fst->size, MADV_SEQUENTIAL);
    return FSIM_OK;
}

static fsim_status open_parts(fsim_fst *fst, int fd, fsim_error *err) {
    FSIM_TRY(map_file(fst, fd, err));
    FSIM_TRY(check_header(fst, err));
    FSIM_TRY(read_trailer(fst, err));
    FSIM_TRY(read_functions(fst, err));
    fsim_fst_rewind(fst);
    return FSIM_OK;
}

fsim_status fsim_fst_open_fd(fsim_fst **out, int fd, const char *name, fsim_error *err) {
    fsim_fst *fst = calloc(1, sizeof *fst);
    if (fst == NULL || (fst->path = strdup(name)) == NULL) {
        free(fst);
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_status status = open_parts(fst, fd, err);
    if (status != FSIM_OK) {
        fsim_fst_close(fst);
        return status;
    }
    *out = fst;
    return FSIM_OK;
}

fsim_status fsim_fst_open(fsim_fst **out, const char *base_dir, const char *path, fsim_error *err) {
    char resolved[FSIM_PATH_MAX];
    FILE *unpacked = NULL;
    bool is_stdin = strcmp(path, "-") == 0;
    FSIM_TRY(fsim_file_resolve(base_dir, path, resolved, sizeof resolved, err));
    FSIM_TRY(fsim_input_unpack(resolved, &unpacked, err));
    if (unpacked != NULL || is_stdin) {
        fsim_status status = fsim_fst_open_fd(out, unpacked != NULL ? fileno(unpacked) : STDIN_FILENO,
                                              is_stdin ? "standard input" : resolved, err);
        if (unpacked != NULL) {
            fclose(unpacked); /* the mapping stays */
        }
        return status;
    }
    int fd = open(resolved, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fsim_fail_at(err, FSIM_EIO, resolved, "cannot open the file: %s", strerror(errno));
    }
    fsim_status status = fsim_fst_open_fd(out, fd, resolved, err);
    close(fd); /* the mapping stays */
    return status;
}

void fsim_fst_close(fsim_fst *fst) {
    if (fst == NULL) {
        return;
    }
    if (fst->mapped) {
        munmap((void *)(uintptr_t)fst->bytes, fst->size);
    } else {
        free((void *)(uintptr_t)fst->bytes);
    }
    free(fst->names);
    free(fst->path);
    free(fst);
}

const fsim_fst_about *fsim_fst_describe(const fsim_fst *fst) {
    return &fst->about;
}

fsim_fst_text fsim_fst_function(const fsim_fst *fst, uint32_t function, uint64_t *requests) {
    const uint8_t *row = fst->bytes + fst->functions_at + FSIM_FST_FUNCTIONS_HEADER +
                         (size_t)function * FSIM_FST_FUNCTION_SIZE;
    if (requests != NULL) {
        *requests = fsim_bytes_get64(row + FSIM_FST_FUNCTION_REQUESTS);
    }
    return (fsim_fst_text){(const char *)fst->names[function],
                           fsim_bytes_get32(row + FSIM_FST_FUNCTION_NAME)};
}

/* ---- blocks ---- */

void fsim_fst_rewind(fsim_fst *fst) {
    fst->at = FSIM_FST_HEADER_SIZE;
    fst->block = fst->rows = fst->released = 0;
}

double fsim_fst_progress(const fsim_fst *fst) {
    return (double)fst->at / (double)fst->functions_at;
}

static fsim_status end_of_blocks(const fsim_fst *fst, fsim_fst_block *block, fsim_error *err) {
    if (fst->block != fst->about.blocks || fst->rows != fst->about.rows) {
        char text[160];
        snprintf(text, sizeof text,
                 "%llu blocks with %llu rows were read, but the trailer says %llu and %llu",
                 (unsigned long long)fst->block, (unsigned long long)fst->rows,
                 (unsigned long long)fst->about.blocks, (unsigned long long)fst->about.rows);
        return fail_part(fst, "trailer", fst->size - FSIM_FST_TRAILER_SIZE, err, text);
    }
    *block = (fsim_fst_block){.number = fst->block, .offset = fst->at};
    return FSIM_OK;
}

/* The largest number that the packed form can stand for fits into 63 bits, so that nobody need look later;
 * only numbers of 64 bits can reach beyond, and are looked at as they are read. */
static bool is_sane(const fsim_fst_packed *c) {
    if (c->base < 0 || c->empty > 1 || c->scale > FSIM_FST_SCALE_MAX) {
        return false;
    }
    return c->width == 64 ? c->scale == 0 && c->base == 0
                          : c->width <= FSIM_FST_WIDTH_MAX && fsim_fst_fits(c->width, c->scale, c->base);
}

static bool read_descriptor(fsim_fst_block *block, const uint8_t *at) {
    uint32_t id = at[FSIM_FST_COLUMN_ID], offset = fsim_bytes_get32(at + FSIM_FST_COLUMN_OFFSET);
    if (id >= FSIM_FST_COLUMNS || (block->columns >> id & 1u) != 0) {
        return false;
    }
    fsim_fst_packed *c = &block->column[id];
    c->width = at[FSIM_FST_COLUMN_WIDTH];
    c->empty = at[FSIM_FST_COLUMN_EMPTY];
    c->scale = at[FSIM_FST_COLUMN_SCALE];
    c->base = (int64_t)fsim_bytes_get64(at + FSIM_FST_COLUMN_BASE);
    c->data = block->bytes + offset;
    block->columns |= 1u << id;
    uint64_t data_end = (uint64_t)offset + fsim_fst_packed_size(block->count, c->width);
    return is_sane(c) && offset % 8 == 0 && data_end <= block->size - FSIM_FST_CHECKSUM_SIZE;
}

static fsim_status read_descriptors(const fsim_fst *fst, fsim_fst_block *block, fsim_error *err) {
    uint32_t columns = fsim_bytes_get32(block->bytes + FSIM_FST_BLOCK_COLUMNS);
    uint64_t room = block->size - FSIM_FST_BLOCK_HEADER - FSIM_FST_CHECKSUM_SIZE;
    bool good = block->count >= 1 && block->count <= FSIM_FST_ROWS_MAX && columns <= FSIM_FST_COLUMNS &&
                columns * FSIM_FST_COLUMN_SIZE <= room;
    for (uint32_t i = 0; good && i < columns; i++) {
        good = read_descriptor(block, block->bytes + FSIM_FST_BLOCK_HEADER + i * FSIM_FST_COLUMN_SIZE);
    }
    if (!good || (block->columns & 1u << FSIM_FST_ARRIVAL) == 0 ||
        (block->columns & ~fst->about.columns) != 0) {
        return fsim_fst_fail(fst, block, err, "the header of the block contradicts itself or the trailer");
    }
    return FSIM_OK;
}

/* What has been read is not needed any more. */
static void release(fsim_fst *fst) {
    if (fst->mapped && fst->at - fst->released >= RELEASE_BYTES) {
        uint64_t until = fst->at / RELEASE_BYTES * RELEASE_BYTES; /* a multiple of the page size */
        madvise((void *)(uintptr_t)(fst->bytes + fst->released), until - fst->released, MADV_DONTNEED);
        fst->released = until;
    }
}

fsim_status fsim_fst_next(fsim_fst *fst, fsim_fst_block *block, fsim_error *err) {
    uint64_t end = fst->functions_at;
    if (fst->at == end) {
        return end_of_blocks(fst, block, err);
    }
    release(fst);
    uint64_t size = intact_block(fst, fst->at, end);
    if (size == 0) {
        return fail_block(fst, fst->block, fst->at, err,
                          "the block is damaged: mark, size or checksum is wrong");
    }
    const uint8_t *bytes = fst->bytes + fst->at;
    block->bytes = bytes;
    block->size = (uint32_t)size;
    block->columns = 0;
    block->number = fst->block;
    block->offset = fst->at;
    block->count = fsim_bytes_get32(bytes + FSIM_FST_BLOCK_ROWS);
    block->first_ns = (int64_t)fsim_bytes_get64(bytes + FSIM_FST_BLOCK_FIRST);
    block->last_ns = (int64_t)fsim_bytes_get64(bytes + FSIM_FST_BLOCK_LAST);
    FSIM_TRY(read_descriptors(fst, block, err));
    fst->at += size;
    fst->block++;
    fst->rows += block->count;
    return FSIM_OK;
}

/* ---- columns ---- */

/* Number i of a packed column; what lies behind the column is read and masked off, and is in the file. */
static inline uint64_t unpack(const uint8_t *data, uint32_t width, uint64_t mask, uint32_t i) {
    uint64_t bit = (uint64_t)i * width;
    return (fsim_bytes_get64(data + (bit >> 3)) >> (bit & 7u)) & mask;
}

static uint64_t mask_of(uint32_t width) {
    return width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1u;
}

fsim_status fsim_fst_read_arrivals(const fsim_fst *fst, const fsim_fst_block *block, fsim_ns *out,
                                   fsim_error *err) {
    const fsim_fst_packed c = block->column[FSIM_FST_ARRIVAL];
    uint64_t at = (uint64_t)block->first_ns, scale = fsim_fst_powers[c.scale], mask = mask_of(c.width),
             all = at;
    out[0] = block->first_ns;
    for (uint32_t i = 1; i < block->count; i++) {
        uint64_t step = (uint64_t)c.base + scale * unpack(c.data, c.width, mask, i - 1u);
        at += step;
        all |= at | step; /* a sum beyond 2^63 shows in the top bit of the first that is */
        out[i] = (fsim_ns)at;
    }
    if (all >> 63 != 0 || (fsim_ns)at != block->last_ns || c.empty != 0) {
        return fsim_fst_fail(fst, block, err, "the arrivals do not lead from the first to the last");
    }
    return FSIM_OK;
}

fsim_status fsim_fst_read_functions(const fsim_fst *fst, const fsim_fst_block *block, uint32_t *out,
                                    fsim_error *err) {
    if ((block->columns >> FSIM_FST_FUNCTION & 1u) == 0) {
        memset(out, 0xff, block->count * sizeof *out); /* FSIM_FST_NO_FUNCTION */
        return FSIM_OK;
    }
    const fsim_fst_packed c = block->column[FSIM_FST_FUNCTION];
    uint64_t mask = mask_of(c.width), first = (uint64_t)c.base - c.empty, needed = 0;
    for (uint32_t i = 0; i < block->count; i++) {
        uint64_t packed = unpack(c.data, c.width, mask, i);
        uint64_t id = first + packed;
        bool none = c.empty != 0 && packed == 0;
        needed = !none && id >= needed ? id + 1u : needed;
        out[i] = none ? FSIM_FST_NO_FUNCTION : (uint32_t)id;
    }
    if (c.width > 32 || c.scale != 0 || needed > fst->about.functions) {
        return fsim_fst_fail(fst, block, err, "a row needs %llu functions, but the file has %u",
                             (unsigned long long)needed, fst->about.functions);
    }
    return FSIM_OK;
}

fsim_status fsim_fst_read_numbers(const fsim_fst *fst, const fsim_fst_block *block, fsim_fst_column column,
                                  int64_t *out, fsim_error *err) {
    if ((block->columns >> column & 1u) == 0) {
        memset(out, 0xff, block->count * sizeof *out); /* FSIM_FST_EMPTY */
        return FSIM_OK;
    }
    const fsim_fst_packed c = block->column[column];
    uint64_t mask = mask_of(c.width), scale = fsim_fst_powers[c.scale], base = (uint64_t)c.base, all = 0;
    if (c.empty == 0) {
        for (uint32_t i = 0; i < block->count; i++) {
            uint64_t value = base + scale * unpack(c.data, c.width, mask, i);
            all |= value;
            out[i] = (int64_t)value;
        }
    } else {
        for (uint32_t i = 0; i < block->count; i++) {
            uint64_t packed = unpack(c.data, c.width, mask, i);
            uint64_t value = base + scale * (packed - 1u);
            all |= packed == 0 ? 0 : value;
            out[i] = packed == 0 ? FSIM_FST_EMPTY : (int64_t)value;
        }
    }
    /* Only a width of 64 can pass 2^63: see is_sane. */
    return all >> 63 == 0 ? FSIM_OK : fsim_fst_fail(fst, block, err, "a number beyond 2^63");
}

/* The texts of a column: `count` ends behind the packed numbers, then the texts themselves. */
typedef struct dictionary {
    const uint8_t *ends;
    const char *bytes;
    uint32_t count;
} dictionary;

static bool read_dictionary(const fsim_fst_block *block, const fsim_fst_packed *c, dictionary *d) {
    const uint8_t *limit = block->bytes + block->size - FSIM_FST_CHECKSUM_SIZE;
    d->ends = c->data + fsim_fst_packed_size(block->count, c->width);
    if (c->width > 32 || c->scale != 0 || c->empty != 1 || c->base > block->count ||
        (size_t)c->base * 4u > (size_t)(limit - d->ends)) {
        return false;
    }
    d->count = (uint32_t)c->base;
    const uint8_t *bytes = d->ends + (size_t)d->count * 4u;
    uint32_t before = 0;
    for (uint32_t k = 0; k < d->count; k++) {
        uint32_t end = fsim_bytes_get32(d->ends + (size_t)k * 4u);
        if (end <= before || end > (size_t)(limit - bytes)) {
            return false;
        }
        before = end;
    }
    d->bytes = (const char *)bytes;
    return true;
}

fsim_status fsim_fst_read_texts(const fsim_fst *fst, const fsim_fst_block *block, fsim_fst_column column,
                                fsim_fst_text *out, fsim_error *err) {
    const fsim_fst_packed *c = &block->column[column];
    dictionary d = {0};
    if ((block->columns >> column & 1u) == 0) {
        for (uint32_t i = 0; i < block->count; i++) {
            out[i] = (fsim_fst_text){"", 0};
        }
        return FSIM_OK;
    }
    if (!read_dictionary(block, c, &d)) {
        return fsim_fst_fail(fst, block, err, "the texts of a column are out of order");
    }
    uint64_t mask = mask_of(c->width);
    for (uint32_t i = 0; i < block->count; i++) {
        uint64_t k = unpack(c->data, c->width, mask, i);
        if (k > d.count) {
            return fsim_fst_fail(fst, block, err, "row %u has text %llu of %u", i, (unsigned long long)k,
                                 d.count);
        }
        uint32_t from = k < 2 ? 0 : fsim_bytes_get32(d.ends + (k - 2u) * 4u);
        uint32_t end = k < 1 ? 0 : fsim_bytes_get32(d.ends + (k - 1u) * 4u);
        out[i] = (fsim_fst_text){d.bytes + from, end - from};
    }
    return FSIM_OK;
}
