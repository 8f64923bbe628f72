/* The functions of a native trace with the most requests; see row_scale.h. */
#include "io/file.h"
#include "io/fst_reader.h"
#include "io/native_csv.h"
#include "trace/row_scale.h"
#include "trace/trace_parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT 0u /* number of the function of rows that name none: it is entered first */

struct fsim_native_top {
    fsim_value_pool *pool;
    name_map names;
    uint64_t *requests; /* by number of the name; of a rate trace in billionths */
    uint32_t capacity;
    bool *keep;
};

typedef struct counting {
    fsim_native_top *top;
    const fsim_trace_options *options;
} counting;

static fsim_status out_of_memory(fsim_error *err) {
    return fsim_fail(err, FSIM_ELIMIT, "out of memory");
}

static fsim_status number_of(void *user, const char *text, size_t len, int64_t *value, fsim_error *err) {
    fsim_native_top *top = user;
    uint32_t number = 0;
    FSIM_TRY(name_map_intern(&top->names, text, len, &number, err));
    if (number >= top->capacity) {
        uint32_t capacity = number + number / 2 + 64;
        uint64_t *larger = realloc(top->requests, capacity * sizeof *larger);
        if (larger == NULL) {
            return out_of_memory(err);
        }
        memset(larger + top->capacity, 0, (capacity - top->capacity) * sizeof *larger);
        top->requests = larger;
        top->capacity = capacity;
    }
    *value = number;
    return FSIM_OK;
}

static void count(const counting *c, uint32_t number, fsim_ns at_ns, uint64_t requests) {
    if (at_ns >= c->options->from_ns && at_ns < c->options->until_ns) {
        uint64_t *sum = &c->top->requests[number];
        *sum = *sum > UINT64_MAX - requests ? UINT64_MAX : *sum + requests;
    }
}

/* ---- CSV ---- */

static fsim_status count_rows(const counting *c, fsim_csv *csv, fsim_error *err) {
    fsim_native_header header;
    fsim_csv_block block = {.count = 1};
    FSIM_TRY(fsim_native_read_header(&header, csv, err));
    size_t function = header.field[FSIM_NATIVE_FUNCTION],
           at = header.field[header.is_rates ? FSIM_NATIVE_TIME : FSIM_NATIVE_ARRIVAL],
           amount = header.field[FSIM_NATIVE_REQUESTS];
    amount = amount == FSIM_NATIVE_ABSENT ? header.field[FSIM_NATIVE_RPS] : amount;
    for (int role = 0; role < FSIM_NATIVE_ROLES; role++) {
        fsim_csv_binding binding = header.binding[role];
        if (role == FSIM_NATIVE_FUNCTION) {
            binding.name = number_of;
            binding.user = c->top;
            binding.when_empty = DEFAULT;
        }
        size_t field = header.field[role];
        if (field != FSIM_NATIVE_ABSENT && (field == function || field == at || field == amount)) {
            fsim_csv_bind(csv, field, &binding);
        }
    }
    while (block.count > 0) {
        FSIM_TRY(fsim_csv_next(csv, &block, err));
        for (uint32_t i = 0; i < block.count; i++) {
            uint32_t number = function == FSIM_NATIVE_ABSENT ? DEFAULT : (uint32_t)block.columns[function][i];
            uint64_t requests = amount == FSIM_NATIVE_ABSENT ? 1 : (uint64_t)block.columns[amount][i];
            count(c, number, block.columns[at][i], requests);
        }
    }
    return FSIM_OK;
}

static fsim_status count_csv(const counting *c, const char *base_dir, const char *file, fsim_error *err) {
    fsim_csv *csv = NULL;
    FSIM_TRY(fsim_csv_open(&csv, base_dir, file, err));
    fsim_status status = count_rows(c, csv, err);
    fsim_csv_close(csv);
    return status;
}

/* ---- .fst ---- */

static fsim_status count_blocks(const counting *c, fsim_fst *fst, uint32_t *numbers, fsim_error *err) {
    fsim_fst_block block;
    fsim_ns at_ns[FSIM_FST_ROWS_MAX];
    uint32_t fn[FSIM_FST_ROWS_MAX];
    for (uint32_t f = 0; f < fsim_fst_describe(fst)->functions; f++) {
        fsim_fst_text name = fsim_fst_function(fst, f, NULL);
        int64_t number;
        FSIM_TRY(number_of(c->top, name.text, name.len, &number, err));
        numbers[f] = (uint32_t)number;
    }
    for (;;) {
        FSIM_TRY(fsim_fst_next(fst, &block, err));
        if (block.count == 0) {
            return FSIM_OK;
        }
        FSIM_TRY(fsim_fst_read_arrivals(fst, &block, at_ns, err));
        FSIM_TRY(fsim_fst_read_functions(fst, &block, fn, err));
        for (uint32_t i = 0; i < block.count; i++) {
            count(c, fn[i] == FSIM_FST_NO_FUNCTION ? DEFAULT : numbers[fn[i]], at_ns[i], 1);
        }
    }
}

static fsim_status count_fst(const counting *c, const char *base_dir, const char *file, fsim_error *err) {
    fsim_fst *fst = NULL;
    FSIM_TRY(fsim_fst_open(&fst, base_dir, file, err));
    uint32_t *numbers = malloc((fsim_fst_describe(fst)->functions + (size_t)1) * sizeof *numbers);
    fsim_status status = numbers == NULL ? out_of_memory(err) : count_blocks(c, fst, numbers, err);
    free(numbers);
    fsim_fst_close(fst);
    return status;
}

/* ---- outside ---- */

/* A pipe gives its bytes once. */
static fsim_status check_file(const char *base_dir, const char *file, fsim_error *err) {
    char path[FSIM_PATH_MAX];
    struct stat about;
    FSIM_TRY(fsim_file_resolve(base_dir, file, path, sizeof path, err));
    if (strcmp(path, "-") == 0 ||
        (stat(path, &about) == 0 && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode))) {
        return fsim_fail_at(err, FSIM_EUSAGE, "functions_top",
                            "the trace is read twice, and %s can be read once; put it in a file",
                            strcmp(path, "-") == 0 ? "standard input" : file);
    }
    return FSIM_OK;
}

fsim_status fsim_native_top_find(fsim_native_top **out, const char *base_dir, const char *file, bool is_fst,
                                 const char *default_name, const fsim_trace_options *options,
                                 fsim_error *err) {
    int64_t number;
    *out = NULL;
    if (options->functions_top == 0) {
        return FSIM_OK;
    }
    FSIM_TRY(check_file(base_dir, file, err));
    fsim_native_top *top = calloc(1, sizeof *top);
    if (top == NULL || (top->pool = fsim_value_pool_create()) == NULL) {
        free(top);
        return out_of_memory(err);
    }
    const counting c = {top, options};
    name_map_open(&top->names, top->pool);
    fsim_status status = number_of(top, default_name, strlen(default_name), &number, err);
    if (status == FSIM_OK) {
        status = is_fst ? count_fst(&c, base_dir, file, err) : count_csv(&c, base_dir, file, err);
    }
    if (status == FSIM_OK) {
        top->keep = malloc(top->names.count * sizeof *top->keep);
        status = top->keep == NULL ? out_of_memory(err)
                                   : fsim_row_scale_top(top->requests, top->names.count,
                                                        options->functions_top, top->keep, err);
    }
    if (status != FSIM_OK) {
        fsim_native_top_close(top);
        return status;
    }
    *out = top;
    return FSIM_OK;
}

bool fsim_native_top_has(const fsim_native_top *top, const char *name, size_t len) {
    uint32_t number = top == NULL ? 0 : name_map_find(&top->names, name, len);
    return top == NULL || (number != UINT32_MAX && top->keep[number]);
}

void fsim_native_top_close(fsim_native_top *top) {
    if (top != NULL) {
        name_map_close(&top->names);
        fsim_value_pool_destroy(top->pool);
        free(top->requests);
        free(top->keep);
        free(top);
    }
}
