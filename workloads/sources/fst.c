/* Columnar traces, memory-mapped; the format is io/fst_format.h. One block is one batch. */
#include "io/fst_reader.h"

#include "workloads/sources/arrival_support.h"
#include "workloads/sources/row_scale_support.h"

#include <stdlib.h>

_Static_assert(FSIM_FST_ROWS_MAX <= FSIM_BATCH, "a block must fit into a batch");

typedef struct fst_source {
    fsim_fst *fst;
    fsim_source_context context;
    fsim_fn_id *ids;      /* by function of the file */
    int64_t *memory_mb;   /* by function of the file; 0: no row has said it yet */
    uint32_t known;       /* functions that rows have mentioned so far: they enter the table in this order */
    bool ids_are_numbers; /* so far every id is the number in the file */
    fsim_ns last_ns;
    fsim_scaled_rows scaled;
    fsim_fn_id nameless; /* what rows without a function get */
    int64_t numbers[FSIM_FST_ROWS_MAX];
    fsim_fst_text texts[FSIM_FST_ROWS_MAX];
} fst_source;

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    fst_source *s = state;
    const char *file = NULL;
    s->context = *context;
    s->ids_are_numbers = true;
    FSIM_TRY(fsim_value_get_string(config, "file", &file, err));
    if (file == NULL) {
        return fsim_value_missing(config, "file", err);
    }
    FSIM_TRY(fsim_scaled_rows_open(&s->scaled, context, config, file, true, err));
    s->nameless = fsim_scaled_rows_want(&s->scaled, context, "", 0) ? context->default_fn : FSIM_ROW_UNWANTED;
    FSIM_TRY(fsim_fst_open(&s->fst, context->base_dir, file, err));
    uint32_t functions = fsim_fst_describe(s->fst)->functions;
    s->ids = fsim_value_pool_alloc(context->pool, (functions + 1u) * sizeof *s->ids);
    s->memory_mb = fsim_value_pool_alloc(context->pool, (functions + 1u) * sizeof *s->memory_mb);
    return s->ids != NULL && s->memory_mb != NULL ? FSIM_OK : fsim_fail(err, FSIM_ELIMIT, "out of memory");
}

static void close_file(void *state) {
    fst_source *s = state;
    fsim_fst_close(s->fst);
    fsim_scaled_rows_close(&s->scaled);
}

/* Functions enter the table when rows mention them, as with every trace. */
static fsim_status learn_functions(fst_source *s, uint32_t count, fsim_error *err) {
    for (; s->known < count; s->known++) {
        fsim_fst_text name = fsim_fst_function(s->fst, s->known, NULL);
        s->ids[s->known] = FSIM_ROW_UNWANTED;
        if (fsim_scaled_rows_want(&s->scaled, &s->context, name.text, name.len)) {
            FSIM_TRY(
                fsim_function_table_intern(s->context.table, name.text, name.len, &s->ids[s->known], err));
        }
        s->ids_are_numbers = s->ids_are_numbers && s->ids[s->known] == s->known;
    }
    return FSIM_OK;
}

/* Turns numbers of the file into ids of the table. */
static fsim_status map_functions(fst_source *s, uint32_t *fn, uint32_t count, fsim_error *err) {
    uint32_t needed = 0, holes = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t next = fn[i] + 1u; /* 0: no function */
        needed = next > needed ? next : needed;
        holes |= next == 0;
    }
    if (needed > s->known) {
        FSIM_TRY(learn_functions(s, needed, err));
    }
    for (uint32_t i = 0; (holes != 0 || !s->ids_are_numbers) && i < count; i++) {
        fn[i] = fn[i] == FSIM_FST_NO_FUNCTION ? s->nameless : s->ids[fn[i]];
    }
    return FSIM_OK;
}

/* fn: still numbers of the file. */
static fsim_status apply_memory(fst_source *s, const fsim_fst_block *block, const uint32_t *fn,
                                fsim_error *err) {
    fsim_error inner = {0};
    FSIM_TRY(fsim_fst_read_numbers(s->fst, block, FSIM_FST_MEMORY, s->numbers, err));
    for (uint32_t i = 0; i < block->count; i++) {
        int64_t memory_mb = s->numbers[i];
        bool named = fn[i] != FSIM_FST_NO_FUNCTION;
        if (memory_mb == FSIM_FST_EMPTY || (named && memory_mb > 0 && s->memory_mb[fn[i]] == memory_mb)) {
            continue;
        }
        if (memory_mb == 0) {
            return fsim_fst_fail(s->fst, block, err, "memory_mb of row %u is 0, expected at least 1", i);
        }
        fsim_fn_id id = s->nameless;
        if (named) {
            FSIM_TRY(learn_functions(s, fn[i] + 1u, err));
            id = s->ids[fn[i]];
            s->memory_mb[fn[i]] = memory_mb;
        }
        if (id != FSIM_ROW_UNWANTED &&
            fsim_function_table_set_memory(s->context.table, id, memory_mb, &inner) != FSIM_OK) {
            return fsim_fst_fail(s->fst, block, err, "row %u: %.400s", i, inner.text);
        }
    }
    return FSIM_OK;
}

static fsim_status read_sessions(fst_source *s, const fsim_fst_block *block, uint64_t *out, fsim_error *err) {
    FSIM_TRY(fsim_fst_read_texts(s->fst, block, FSIM_FST_SESSION, s->texts, err));
    for (uint32_t i = 0; i < block->count; i++) {
        const fsim_fst_text *text = &s->texts[i];
        out[i] = text->len == 0 ? 0 : fsim_source_session_id(text->text, text->len);
    }
    return FSIM_OK;
}

/* Rows that name a version go to it. */
static fsim_status apply_versions(fst_source *s, const fsim_fst_block *block, fsim_fn_id *fn,
                                  fsim_error *err) {
    fsim_error inner = {0};
    FSIM_TRY(fsim_fst_read_texts(s->fst, block, FSIM_FST_VERSION_NAME, s->texts, err));
    for (uint32_t i = 0; i < block->count; i++) {
        const fsim_fst_text *text = &s->texts[i];
        if (text->len != 0 && fsim_function_table_find_version(s->context.table, fn[i], text->text, text->len,
                                                               &fn[i], &inner) != FSIM_OK) {
            return fsim_fst_fail(s->fst, block, err, "row %u: %.400s", i, inner.text);
        }
    }
    return FSIM_OK;
}

static fsim_status next_block(void *state, fsim_arrivals *batch, fsim_error *err) {
    fst_source *s = state;
    fsim_fst_block block;
    FSIM_TRY(fsim_fst_next(s->fst, &block, err));
    uint32_t all = fsim_fst_describe(s->fst)->columns;
    batch->count = block.count;
    if (block.count == 0) {
        return FSIM_OK;
    }
    if (block.first_ns < s->last_ns) {
        return fsim_fst_fail(s->fst, &block, err, "the block begins before the one in front of it ends");
    }
    s->last_ns = block.last_ns;
    FSIM_TRY(fsim_fst_read_arrivals(s->fst, &block, batch->at_ns, err));
    FSIM_TRY(fsim_fst_read_functions(s->fst, &block, batch->fn, err));
    FSIM_TRY(fsim_fst_read_numbers(s->fst, &block, FSIM_FST_DURATION, batch->service_ns, err));
    if ((block.columns >> FSIM_FST_MEMORY & 1u) != 0) {
        FSIM_TRY(apply_memory(s, &block, batch->fn, err));
    }
    FSIM_TRY(map_functions(s, batch->fn, block.count, err));
    if ((block.columns >> FSIM_FST_VERSION_NAME & 1u) != 0 &&
        fsim_function_table_has_versions(s->context.table)) {
        FSIM_TRY(apply_versions(s, &block, batch->fn, err));
    }
    batch->has_cpu = (all >> FSIM_FST_CPU & 1u) != 0;
    if (batch->has_cpu) {
        FSIM_TRY(fsim_fst_read_numbers(s->fst, &block, FSIM_FST_CPU, batch->cpu_ns, err));
    }
    batch->has_session = (all >> FSIM_FST_SESSION & 1u) != 0;
    return batch->has_session ? read_sessions(s, &block, batch->session, err) : FSIM_OK;
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    fst_source *s = state;
    return fsim_scaled_rows_next(&s->scaled, next_block, s, batch, err);
}

static double progress(const void *state) {
    const fst_source *s = state;
    return fsim_fst_progress(s->fst);
}

static bool says_memory(const void *state) {
    const fst_source *s = state;
    return (fsim_fst_describe(s->fst)->columns >> FSIM_FST_MEMORY & 1u) != 0;
}

const fsim_source_ops fsim_source_fst = {
    .name = "fst",
    .summary = "a columnar trace (.fst), as 'fsim convert' and 'fsim generate' write it",
    .example = "{\"source\": \"fst\", \"file\": \"hello.fst\"}",
    .state_size = sizeof(fst_source),
    .open = open,
    .next = next,
    .close = close_file,
    .progress = progress,
    .says_memory = says_memory,
};
