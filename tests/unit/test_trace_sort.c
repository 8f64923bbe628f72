/* External sorting: stable, complete, whatever the budget. */
#include "io/trace_sort.h"

#include "base/rng.h"
#include "support/check.h"

#include <dirent.h>
#include <unistd.h>

#define ROWS 120000u

static struct {
    fsim_ns arrival_ns[ROWS];
    fsim_fn_id fn[ROWS];
    int64_t duration_ns[ROWS], cpu_ns[ROWS], memory_mb[ROWS];
    fsim_fst_text session[ROWS], version[ROWS];
} in;

static char words[64][8];

/* The place of a row in the input is its CPU time; few instants, so that ties abound. */
static void make_rows(uint32_t instants) {
    fsim_rng rng;
    fsim_rng_seed(&rng, 5, "sort", FSIM_RNG_ARRIVALS);
    for (uint32_t w = 0; w < 64; w++) {
        snprintf(words[w], sizeof words[w], "w%u", w);
    }
    for (uint32_t i = 0; i < ROWS; i++) {
        const char *word = words[fsim_rng_below(&rng, 64)];
        in.arrival_ns[i] = (fsim_ns)fsim_rng_below(&rng, instants) * 1000003;
        in.fn[i] = fsim_rng_below(&rng, 4) == 0 ? FSIM_FST_NO_FUNCTION : fsim_rng_below(&rng, 3);
        in.duration_ns[i] =
            fsim_rng_below(&rng, 5) == 0 ? FSIM_FST_EMPTY : (int64_t)(fsim_rng_word(&rng) >> 20);
        in.cpu_ns[i] = i;
        in.memory_mb[i] = 128;
        in.session[i] = (fsim_fst_text){word, (uint32_t)strlen(word)};
        in.version[i] = (fsim_fst_text){word, fsim_rng_below(&rng, 2)};
    }
}

static bool same_text(const fsim_fst_text *a, const fsim_fst_text *b) {
    return a->len == b->len && (a->len == 0 || memcmp(a->text, b->text, a->len) == 0);
}

/* Wrong rows of one batch; *last is the row in front. */
static uint32_t wrong_rows(const fsim_fst_rows *out, uint32_t *last) {
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < out->count; i++) {
        uint32_t from = (uint32_t)out->cpu_ns[i];
        bool in_order = *last == UINT32_MAX || in.arrival_ns[*last] < in.arrival_ns[from] ||
                        (in.arrival_ns[*last] == in.arrival_ns[from] && *last < from);
        wrong += !in_order || out->arrival_ns[i] != in.arrival_ns[from] || out->fn[i] != in.fn[from] ||
                 out->duration_ns[i] != in.duration_ns[from] || out->memory_mb[i] != 128 ||
                 !same_text(&out->session[i], &in.session[from]) ||
                 !same_text(&out->version[i], &in.version[from]);
        *last = from;
    }
    return wrong;
}

static uint32_t sort_all(size_t memory, uint32_t count) {
    fsim_function_table *table = fsim_function_table_create();
    for (int i = 0; i < 3; i++) {
        fsim_fn_id id;
        fsim_function_table_intern(table, words[i], strlen(words[i]), &id, NULL);
    }
    const fsim_trace_sort_options options = {.memory_bytes = memory, .directory = "/tmp"};
    fsim_trace_sort *sort = NULL;
    fsim_error err = {0};
    fsim_fst_rows out;
    REQUIRE(fsim_trace_sort_open(&sort, table, 0x7f, &options, &err) == FSIM_OK);
    for (uint32_t done = 0; done < count;) {
        uint32_t n = count - done < 5000 ? count - done : 5000;
        const fsim_fst_rows part = {n,
                                    in.arrival_ns + done,
                                    in.fn + done,
                                    in.duration_ns + done,
                                    in.cpu_ns + done,
                                    in.memory_mb + done,
                                    in.session + done,
                                    in.version + done};
        REQUIRE(fsim_trace_sort_add(sort, &part, &err) == FSIM_OK);
        done += n;
    }
    REQUIRE(fsim_trace_sort_finish(sort, &err) == FSIM_OK);
    uint32_t wrong = 0, last = UINT32_MAX, total = 0;
    do {
        REQUIRE(fsim_trace_sort_next(sort, &out, &err) == FSIM_OK);
        wrong += wrong_rows(&out, &last);
        total += out.count;
    } while (out.count > 0);
    CHECK_EQ_INT(wrong, 0);
    CHECK_EQ_INT(total, count);
    uint32_t runs = fsim_trace_sort_runs(sort);
    fsim_trace_sort_destroy(sort);
    fsim_function_table_destroy(table);
    return runs;
}

static void test_in_memory(void) {
    make_rows(1000);
    CHECK_EQ_INT(sort_all((size_t)64 << 20, ROWS), 0);
    CHECK_EQ_INT(sort_all((size_t)64 << 20, 0), 0);
    CHECK_EQ_INT(sort_all((size_t)64 << 20, 1), 0);
    make_rows(UINT32_MAX); /* keys of 62 bits */
    CHECK_EQ_INT(sort_all((size_t)64 << 20, ROWS), 0);
}

/* The smallest budget merges four runs at a time, so several passes are needed. */
static void test_several_passes(void) {
    make_rows(1000);
    uint32_t runs = sort_all(FSIM_TRACE_SORT_MEMORY_MIN, ROWS);
    CHECK(runs > 16);
    CHECK(sort_all((size_t)4 << 20, ROWS) < runs);
}

static bool stop_now(void) {
    return true;
}

static int entries_of(const char *directory) {
    DIR *dir = opendir(directory);
    int n = 0;
    REQUIRE(dir != NULL);
    while (readdir(dir) != NULL) {
        n++;
    }
    closedir(dir);
    return n;
}

static void test_nothing_is_left_behind(void) {
    char directory[] = "/tmp/fsim-sort-test-XXXXXX";
    REQUIRE(mkdtemp(directory) != NULL);
    fsim_function_table *table = fsim_function_table_create();
    fsim_trace_sort_options options = {.memory_bytes = FSIM_TRACE_SORT_MEMORY_MIN, .directory = directory};
    fsim_trace_sort *sort = NULL;
    fsim_error err = {0};
    REQUIRE(fsim_trace_sort_open(&sort, table, 1, &options, &err) == FSIM_OK);
    const fsim_fst_rows rows = {.count = ROWS, .arrival_ns = in.arrival_ns};
    CHECK_EQ_INT(fsim_trace_sort_add(sort, &rows, &err), FSIM_OK);
    CHECK(fsim_trace_sort_runs(sort) > 0);
    CHECK_EQ_INT(entries_of(directory), 2); /* . and ..: also while the runs exist */
    fsim_trace_sort_destroy(sort);
    options.stop = stop_now;
    REQUIRE(fsim_trace_sort_open(&sort, table, 1, &options, &err) == FSIM_OK);
    CHECK_EQ_INT(fsim_trace_sort_add(sort, &rows, &err), FSIM_EIO);
    CHECK_EQ_STR(err.text, "interrupted");
    fsim_trace_sort_destroy(sort);
    CHECK_EQ_INT(rmdir(directory), 0);
    options.stop = NULL; /* and without a directory there is nowhere to put them */
    err = (fsim_error){0};
    REQUIRE(fsim_trace_sort_open(&sort, table, 1, &options, &err) == FSIM_OK);
    CHECK_EQ_INT(fsim_trace_sort_add(sort, &rows, &err), FSIM_EIO);
    CHECK_EQ_STR(err.place, directory);
    fsim_trace_sort_destroy(sort);
    fsim_function_table_destroy(table);
}

int main(void) {
    RUN(test_in_memory);
    RUN(test_several_passes);
    RUN(test_nothing_is_left_behind);
    return check_done();
}
