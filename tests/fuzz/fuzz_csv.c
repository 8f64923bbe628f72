/* Any bytes as CSV, read the short way and all through libcsv: the same rows, or the same refusal. */
#include "io/csv_reader.h"
#include "support/fuzz_files.h"
#include "support/fuzz_input.h"

#include <unistd.h>

typedef struct reading {
    fsim_status status;
    fsim_error err;
    uint64_t rows, hash;
} reading;

static uint64_t mix(uint64_t hash, uint64_t value) {
    return (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
}

static fsim_status hash_name(void *user, const char *text, size_t len, int64_t *value, fsim_error *err) {
    (void)user;
    if (len > 0 && text[0] == '!') {
        return fsim_fail(err, FSIM_EDATA, "a name begins with an exclamation mark");
    }
    uint64_t hash = len;
    for (size_t i = 0; i < len; i++) {
        hash = mix(hash, (unsigned char)text[i]);
    }
    *value = (int64_t)(hash >> 1);
    return FSIM_OK;
}

/* Columns by turns: a number in seconds, a name that may be empty, nothing, a count that may be NaN. */
static void bind_all(fsim_csv *csv, size_t width) {
    static const fsim_csv_binding kinds[] = {
        {.unit = 1000000000, .expected = "seconds", .when_empty = FSIM_CSV_REQUIRED},
        {.name = hash_name, .expected = "a name", .when_empty = 7},
        {0},
        {.unit = 1, .expected = "a count", .when_empty = 3, .nan_is_empty = true},
    };
    for (size_t f = 0; f < width; f++) {
        if (f % 4 != 2) {
            fsim_csv_bind(csv, f, &kinds[f % 4]);
        }
    }
}

static void read_file(reading *r, const char *path, bool all_libcsv) {
    fsim_csv *csv = NULL;
    fsim_csv_block block = {0};
    size_t width = 0;
    *r = (reading){.hash = 1};
    r->status = fsim_csv_open(&csv, NULL, path, &r->err);
    if (r->status != FSIM_OK) {
        return;
    }
    fsim_csv_header(csv, &width);
    bind_all(csv, width);
    if (all_libcsv) {
        fsim_csv_use_libcsv(csv);
    }
    do {
        r->status = fsim_csv_next(csv, &block, &r->err);
        for (uint32_t i = 0; r->status == FSIM_OK && i < block.count; i++) {
            r->hash = mix(r->hash, block.lines[i]);
            for (size_t f = 0; f < width; f++) {
                r->hash = block.columns[f] == NULL ? r->hash : mix(r->hash, (uint64_t)block.columns[f][i]);
            }
            r->rows++;
        }
    } while (r->status == FSIM_OK && block.count > 0);
    fsim_csv_close(csv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    reading fast, slow;
    int file = fuzz_open_file(data, size, path, sizeof path);
    read_file(&fast, path, false);
    read_file(&slow, path, true);
    close(file);
    fuzz_check_error(fast.status, &fast.err);
    fsim_assert(fast.status == slow.status);
    fsim_assert(strcmp(fast.err.text, slow.err.text) == 0 && strcmp(fast.err.place, slow.err.place) == 0);
    if (fast.status == FSIM_OK) { /* of a refused file, the rows before the fault come in other blocks */
        fsim_assert(fast.rows == slow.rows && fast.hash == slow.hash);
    }
    return 0;
}
