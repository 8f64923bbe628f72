/* Columnar traces: what is written comes back, and no damage goes unseen. */
#include "io/fst_reader.h"
#include "io/fst_writer.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/rng.h"
#include "support/check.h"

#include <sys/mman.h>
#include <unistd.h>

#define ROWS_MAX 6000

/* ---- a file in memory ---- */

static struct {
    uint8_t *bytes;
    size_t size, capacity;
} file;

static fsim_status take(void *user, const void *bytes, size_t size, fsim_error *err) {
    (void)user;
    (void)err;
    if (file.size + size > file.capacity) {
        file.capacity = 2 * (file.size + size);
        file.bytes = realloc(file.bytes, file.capacity);
    }
    memcpy(file.bytes + file.size, bytes, size);
    file.size += size;
    return FSIM_OK;
}

static fsim_status open_bytes(fsim_fst **out, const uint8_t *bytes, size_t size, fsim_error *err) {
    int fd = memfd_create("fst", 0);
    *err = (fsim_error){0};
    *out = NULL;
    REQUIRE(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    fsim_status status = fsim_fst_open_fd(out, fd, "t.fst", err);
    close(fd);
    return status;
}

/* ---- rows ---- */

static struct {
    uint32_t count, functions, columns;
    fsim_ns arrival_ns[ROWS_MAX];
    uint32_t fn[ROWS_MAX];
    int64_t number[FSIM_FST_COLUMNS][ROWS_MAX]; /* duration, cpu, memory */
    fsim_fst_text text[2][ROWS_MAX];
} rows;

static char text_pool[64 * 1024];

/* Numbers of a kind that packs differently: constant, small, multiples, large, all of 63 bits. */
static int64_t random_number(fsim_rng *rng, uint32_t kind) {
    switch (kind) {
    case 0: return 7;
    case 1: return fsim_rng_below(rng, 100);
    case 2: return (int64_t)fsim_rng_below(rng, 1000) * FSIM_MS + 5;
    case 3: return (int64_t)(fsim_rng_word(rng) >> 24);
    case 4: return (int64_t)(fsim_rng_word(rng) >> 1);
    case 5: return INT64_C(3000000000000000000) * (int64_t)(1 + fsim_rng_below(rng, 3));
    case 6: return INT64_MAX - fsim_rng_below(rng, 3);
    default: return fsim_rng_below(rng, 50) == 0 ? (int64_t)(fsim_rng_word(rng) >> 8) : 0;
    }
}

static bool has(uint32_t column) {
    return (rows.columns >> column & 1u) != 0;
}

static void random_rows(fsim_rng *rng) {
    uint32_t gap_kind = fsim_rng_below(rng, 8), kinds[FSIM_FST_COLUMNS], empties = fsim_rng_below(rng, 3);
    uint64_t word = fsim_rng_word(rng);
    rows.columns = (uint32_t)word & 0x7eu;
    rows.count = (uint32_t)(word >> 32) % 4 == 0 ? fsim_rng_below(rng, 3) : fsim_rng_below(rng, ROWS_MAX);
    rows.functions = 1u + (uint32_t)(word >> 40) % 2000u;
    for (uint32_t c = 0; c < FSIM_FST_COLUMNS; c++) {
        kinds[c] = fsim_rng_below(rng, 8);
    }
    for (size_t i = 0; i < sizeof text_pool; i++) {
        text_pool[i] = (char)(fsim_rng_word(rng) % 255u + 1u);
    }
    fsim_ns at_ns = fsim_rng_below(rng, 1000);
    for (uint32_t i = 0; i < rows.count; i++) {
        fsim_ns gap_ns = random_number(rng, gap_kind);
        at_ns += gap_ns > INT64_MAX - at_ns ? 0 : gap_ns;
        rows.arrival_ns[i] = at_ns;
        bool empty = empties == 1 ? fsim_rng_below(rng, 4) == 0 : empties == 2;
        rows.fn[i] = empty ? FSIM_FST_NO_FUNCTION : fsim_rng_below(rng, rows.functions);
        for (uint32_t c = FSIM_FST_DURATION; c <= FSIM_FST_MEMORY; c++) {
            rows.number[c][i] = empty ? FSIM_FST_EMPTY : random_number(rng, kinds[c]);
        }
        for (uint32_t k = 0; k < 2; k++) {
            uint32_t len = empty ? 0 : kinds[k] < 3 ? 3 : fsim_rng_below(rng, 40);
            uint32_t from = fsim_rng_below(rng, kinds[k] < 2 ? 10 : sizeof text_pool - 64);
            rows.text[k][i] = (fsim_fst_text){text_pool + from, len};
        }
    }
}

static fsim_function_table *make_table(uint32_t count) {
    fsim_function_table *table = fsim_function_table_create();
    for (uint32_t i = 0; i < count; i++) {
        char name[32];
        fsim_fn_id id;
        int len = snprintf(name, sizeof name, "function-%u", i * 7919u % 100000u);
        fsim_function_table_intern(table, name, (size_t)len, &id, NULL);
    }
    return table;
}

/* Writes the rows in pieces of random size. */
static fsim_status write_rows(const fsim_function_table *table, fsim_rng *rng, fsim_error *err) {
    fsim_fst_writer *writer = NULL;
    file.size = 0;
    FSIM_TRY(fsim_fst_writer_open(&writer, table, rows.columns, take, NULL, err));
    fsim_status status = FSIM_OK;
    for (uint32_t done = 0; status == FSIM_OK && done < rows.count;) {
        uint32_t left = rows.count - done, n = 1u + fsim_rng_below(rng, 3000);
        n = n < left ? n : left;
        const fsim_fst_rows part = {
            .count = n,
            .arrival_ns = rows.arrival_ns + done,
            .fn = has(FSIM_FST_FUNCTION) ? rows.fn + done : NULL,
            .duration_ns = has(FSIM_FST_DURATION) ? rows.number[FSIM_FST_DURATION] + done : NULL,
            .cpu_ns = has(FSIM_FST_CPU) ? rows.number[FSIM_FST_CPU] + done : NULL,
            .memory_mb = has(FSIM_FST_MEMORY) ? rows.number[FSIM_FST_MEMORY] + done : NULL,
            .session = has(FSIM_FST_SESSION) ? rows.text[0] + done : NULL,
            .version = has(FSIM_FST_VERSION_NAME) ? rows.text[1] + done : NULL,
        };
        status = fsim_fst_writer_add(writer, &part, err);
        done += n;
    }
    if (status == FSIM_OK) {
        status = fsim_fst_writer_finish(writer, err);
    }
    fsim_fst_writer_destroy(writer);
    return status;
}

static bool same_name(fsim_fst *fst, const fsim_function_table *table, uint32_t number, uint32_t fn) {
    if (fn == FSIM_FST_NO_FUNCTION) {
        return number == FSIM_FST_NO_FUNCTION;
    }
    fsim_fst_text name = fsim_fst_function(fst, number, NULL);
    const char *expected = fsim_function_table_get(table, fn)->name;
    return strlen(expected) == name.len && memcmp(expected, name.text, name.len) == 0;
}

/* The block at hand against the rows from `from` on. */
static void compare_block(fsim_fst *fst, const fsim_fst_block *block, const fsim_function_table *table,
                          uint32_t from) {
    static int64_t numbers[FSIM_FST_ROWS_MAX];
    static uint32_t fn[FSIM_FST_ROWS_MAX];
    static fsim_fst_text texts[FSIM_FST_ROWS_MAX];
    uint32_t wrong = 0;
    CHECK_EQ_INT(fsim_fst_read_arrivals(fst, block, numbers, NULL), FSIM_OK);
    CHECK_EQ_INT(fsim_fst_read_functions(fst, block, fn, NULL), FSIM_OK);
    for (uint32_t i = 0; i < block->count; i++) {
        wrong += numbers[i] != rows.arrival_ns[from + i];
        uint32_t expected = has(FSIM_FST_FUNCTION) ? rows.fn[from + i] : FSIM_FST_NO_FUNCTION;
        wrong += !same_name(fst, table, fn[i], expected);
    }
    for (uint32_t c = FSIM_FST_DURATION; c <= FSIM_FST_MEMORY; c++) {
        CHECK_EQ_INT(fsim_fst_read_numbers(fst, block, (fsim_fst_column)c, numbers, NULL), FSIM_OK);
        for (uint32_t i = 0; i < block->count; i++) {
            wrong += numbers[i] != (has(c) ? rows.number[c][from + i] : FSIM_FST_EMPTY);
        }
    }
    for (uint32_t k = 0; k < 2; k++) {
        uint32_t c = FSIM_FST_SESSION + k;
        CHECK_EQ_INT(fsim_fst_read_texts(fst, block, (fsim_fst_column)c, texts, NULL), FSIM_OK);
        for (uint32_t i = 0; i < block->count; i++) {
            const fsim_fst_text *expected = &rows.text[k][from + i];
            uint32_t len = has(c) ? expected->len : 0;
            wrong += texts[i].len != len || memcmp(texts[i].text, expected->text, len) != 0;
        }
    }
    CHECK_EQ_INT(wrong, 0);
}

static void compare_all(fsim_fst *fst, const fsim_function_table *table) {
    fsim_fst_block block;
    fsim_error err = {0};
    uint32_t from = 0;
    const fsim_fst_about *about = fsim_fst_describe(fst);
    CHECK_EQ_INT(about->rows, rows.count);
    CHECK_EQ_INT(about->columns, rows.columns | 1u);
    if (rows.count > 0) {
        CHECK_EQ_INT(about->first_ns, rows.arrival_ns[0]);
        CHECK_EQ_INT(about->last_ns, rows.arrival_ns[rows.count - 1]);
    }
    while (fsim_fst_next(fst, &block, &err) == FSIM_OK && block.count > 0) {
        REQUIRE(from + block.count <= rows.count);
        compare_block(fst, &block, table, from);
        from += block.count;
    }
    CHECK_EQ_STR(err.text, "");
    CHECK_EQ_INT(from, rows.count);
    uint64_t requests = 0, sum = 0, named = 0;
    for (uint32_t f = 0; f < about->functions; f++) {
        fsim_fst_function(fst, f, &requests);
        sum += requests;
    }
    for (uint32_t i = 0; has(FSIM_FST_FUNCTION) && i < rows.count; i++) {
        named += rows.fn[i] != FSIM_FST_NO_FUNCTION;
    }
    CHECK_EQ_INT(sum, named);
}

static void test_random_rows_come_back(void) {
    fsim_rng rng;
    fsim_rng_seed(&rng, 1, "fst", FSIM_RNG_ARRIVALS);
    for (int k = 0; k < 300; k++) {
        fsim_error err;
        fsim_fst *fst;
        check_context("case %d", k);
        random_rows(&rng);
        fsim_function_table *table = make_table(rows.functions);
        CHECK_EQ_INT(write_rows(table, &rng, &err), FSIM_OK);
        CHECK_EQ_INT(open_bytes(&fst, file.bytes, file.size, &err), FSIM_OK);
        CHECK_EQ_STR(err.text, "");
        compare_all(fst, table);
        fsim_fst_rewind(fst);
        compare_all(fst, table);
        fsim_fst_close(fst);
        fsim_function_table_destroy(table);
    }
}

/* ---- damage ---- */

static void sample_rows(uint32_t count) {
    rows.count = count;
    rows.functions = 5;
    rows.columns = 0x7e;
    for (uint32_t i = 0; i < count; i++) {
        rows.arrival_ns[i] = (int64_t)i * 1000;
        rows.fn[i] = i % 5;
        rows.number[FSIM_FST_DURATION][i] = i % 97 * FSIM_MS;
        rows.number[FSIM_FST_CPU][i] = i % 3 == 0 ? FSIM_FST_EMPTY : i;
        rows.number[FSIM_FST_MEMORY][i] = 128;
        rows.text[0][i] = (fsim_fst_text){&"session"[i % 6], 7 - i % 6};
        rows.text[1][i] = (fsim_fst_text){"v1", 2};
    }
}

/* Opens and reads everything; the first failure. */
static fsim_status read_everything(const uint8_t *bytes, size_t size, fsim_error *err) {
    static int64_t numbers[FSIM_FST_ROWS_MAX];
    static uint32_t fn[FSIM_FST_ROWS_MAX];
    static fsim_fst_text texts[FSIM_FST_ROWS_MAX];
    fsim_fst *fst;
    fsim_fst_block block;
    FSIM_TRY(open_bytes(&fst, bytes, size, err));
    fsim_status status;
    while ((status = fsim_fst_next(fst, &block, err)) == FSIM_OK && block.count > 0) {
        status = fsim_fst_read_arrivals(fst, &block, numbers, err);
        status = status == FSIM_OK ? fsim_fst_read_functions(fst, &block, fn, err) : status;
        for (int c = FSIM_FST_DURATION; status == FSIM_OK && c <= FSIM_FST_MEMORY; c++) {
            status = fsim_fst_read_numbers(fst, &block, (fsim_fst_column)c, numbers, err);
        }
        for (int c = FSIM_FST_SESSION; status == FSIM_OK && c < FSIM_FST_COLUMNS; c++) {
            status = fsim_fst_read_texts(fst, &block, (fsim_fst_column)c, texts, err);
        }
        if (status != FSIM_OK) {
            break;
        }
    }
    fsim_fst_close(fst);
    return status;
}

static void write_sample(uint32_t count) {
    fsim_rng rng;
    fsim_error err = {0};
    fsim_rng_seed(&rng, 2, "fst", FSIM_RNG_ARRIVALS);
    sample_rows(count);
    fsim_function_table *table = make_table(rows.functions);
    REQUIRE(write_rows(table, &rng, &err) == FSIM_OK);
    fsim_function_table_destroy(table);
    REQUIRE(read_everything(file.bytes, file.size, &err) == FSIM_OK);
}

/* Every bit of a small file matters. */
static void test_every_flipped_bit_is_seen(void) {
    fsim_error err;
    write_sample(200);
    for (size_t i = 0; i < file.size; i++) {
        file.bytes[i] ^= (uint8_t)(1u << i % 8);
        fsim_status status = read_everything(file.bytes, file.size, &err);
        file.bytes[i] ^= (uint8_t)(1u << i % 8);
        if (status != FSIM_EDATA || strstr(err.place, "t.fst:") != err.place ||
            strstr(err.place, "(byte ") == NULL) {
            check_fail(__FILE__, __LINE__, "byte %zu: status %d, %s: %s", i, status, err.place, err.text);
        }
    }
}

/* Where the blocks of the file at hand begin, and the functions behind the last. */
static size_t borders(size_t *out) {
    size_t n = 0, at = FSIM_FST_HEADER_SIZE;
    while (fsim_bytes_get32(file.bytes + at) == FSIM_FST_BLOCK) {
        out[n++] = at;
        at += fsim_bytes_get32(file.bytes + at + FSIM_FST_BLOCK_SIZE);
    }
    out[n] = at;
    return n;
}

static void test_cut_off_anywhere(void) {
    size_t at[16];
    fsim_error err;
    write_sample(5000);
    size_t blocks = borders(at);
    CHECK_EQ_INT(blocks, 5);
    for (size_t k = 0; k <= blocks; k++) {
        char place[64];
        snprintf(place, sizeof place, "t.fst:block %zu (byte %zu)", k, at[k]);
        CHECK_EQ_INT(read_everything(file.bytes, at[k], &err), FSIM_EDATA);
        CHECK_EQ_STR(err.place, place);
        CHECK_EQ_INT(read_everything(file.bytes, at[k] + 17, &err), FSIM_EDATA);
        CHECK_EQ_STR(err.place, place);
    }
    for (size_t size = 0; size < 200; size++) {
        CHECK_EQ_INT(read_everything(file.bytes, size, &err), FSIM_EDATA);
        CHECK_EQ_INT(read_everything(file.bytes, file.size - 1 - size, &err), FSIM_EDATA);
    }
    /* One byte too many is as wrong as one too few. */
    take(NULL, "x", 1, NULL);
    CHECK_EQ_INT(read_everything(file.bytes, file.size, &err), FSIM_EDATA);
}

/* Blocks that are whole but not where they were written. */
static void test_moved_blocks(void) {
    size_t at[16];
    fsim_error err;
    write_sample(5000);
    size_t blocks = borders(at), size = at[2] - at[1];
    REQUIRE(blocks == 5 && at[3] - at[2] == size);
    uint8_t *other = malloc(size);
    memcpy(other, file.bytes + at[1], size);
    memcpy(file.bytes + at[1], file.bytes + at[2], size);
    memcpy(file.bytes + at[2], other, size);
    free(other);
    CHECK_EQ_INT(read_everything(file.bytes, file.size, &err), FSIM_EDATA);
    char place[64];
    snprintf(place, sizeof place, "t.fst:block 1 (byte %zu)", at[1]);
    CHECK_EQ_STR(err.place, place);
    CHECK_EQ_STR(err.text, "the block is damaged: mark, size or checksum is wrong");
}

/* Contradictions under right checksums. */
static void test_other_versions_and_lies(void) {
    fsim_error err;
    write_sample(10);
    fsim_bytes_put32(file.bytes + FSIM_FST_HEADER_VERSION, 2);
    fsim_bytes_put64(file.bytes + 56, fsim_checksum(file.bytes, 56, 0));
    CHECK_EQ_INT(read_everything(file.bytes, file.size, &err), FSIM_EDATA);
    CHECK_EQ_STR(err.text, "the file has version 2 of the format, expected 1");
    write_sample(10);
    size_t trailer = file.size - FSIM_FST_TRAILER_SIZE;
    fsim_bytes_put64(file.bytes + trailer + FSIM_FST_TRAILER_ROWS, 11);
    fsim_bytes_put64(file.bytes + trailer + 56, fsim_checksum(file.bytes + trailer, 56, trailer));
    CHECK_EQ_INT(read_everything(file.bytes, file.size, &err), FSIM_EDATA);
    CHECK_EQ_STR(err.text, "1 blocks with 10 rows were read, but the trailer says 1 and 11");
    CHECK_EQ_INT(read_everything((const uint8_t *)"arrival_s\n1\n", 12, &err), FSIM_EDATA);
    CHECK_EQ_STR(err.text, "this is no .fst file: it does not begin with \\x89FST");
}

static void test_order_is_asked_for(void) {
    fsim_rng rng;
    fsim_error err = {0};
    fsim_rng_seed(&rng, 2, "fst", FSIM_RNG_ARRIVALS);
    sample_rows(2000);
    rows.arrival_ns[1500] = 0;
    fsim_function_table *table = make_table(rows.functions);
    CHECK_EQ_INT(write_rows(table, &rng, &err), FSIM_EDATA);
    CHECK_CONTAINS(err.text, "row 1501 arrives at 0 s, before the row in front of it, 0.001499 s; sort the");
    fsim_function_table_destroy(table);
}

/* The same rows give the same bytes, whatever numbers the caller has for the functions. */
static void test_bytes_do_not_depend_on_the_caller(void) {
    fsim_rng rng;
    fsim_error err = {0};
    fsim_rng_seed(&rng, 3, "fst", FSIM_RNG_ARRIVALS);
    sample_rows(3000);
    fsim_function_table *table = make_table(5), *other = fsim_function_table_create();
    CHECK_EQ_INT(write_rows(table, &rng, &err), FSIM_OK);
    uint64_t first = fsim_checksum(file.bytes, file.size, 0);
    for (uint32_t i = 5; i-- > 0;) {
        fsim_fn_id id;
        const char *name = fsim_function_table_get(table, i)->name;
        fsim_function_table_intern(other, name, strlen(name), &id, NULL);
    }
    for (uint32_t i = 0; i < rows.count; i++) {
        rows.fn[i] = 4 - rows.fn[i];
    }
    CHECK_EQ_INT(write_rows(other, &rng, &err), FSIM_OK);
    CHECK(first == fsim_checksum(file.bytes, file.size, 0));
    fsim_function_table_destroy(table);
    fsim_function_table_destroy(other);
}

int main(void) {
    RUN(test_random_rows_come_back);
    RUN(test_every_flipped_bit_is_seen);
    RUN(test_cut_off_anywhere);
    RUN(test_moved_blocks);
    RUN(test_other_versions_and_lies);
    RUN(test_order_is_asked_for);
    RUN(test_bytes_do_not_depend_on_the_caller);
    free(file.bytes);
    return check_done();
}
