/* Traces read row by row; see trace_input.h. */
#include "cli/trace_input.h"

#include "api/source_api.h"
#include "cli/row_filter.h"
#include "cli/trace_writer.h"
#include "io/fst_reader.h"
#include "io/native_csv.h"

#include <stdlib.h>
#include <string.h>

#define TEXTS 2u /* session, version */

/* Texts of the rows at hand. A cell holds the number of its text, counted from the beginning of the trace. */
typedef struct text_store {
    char *bytes;
    size_t used, capacity;
    struct {
        size_t at;
        uint32_t len;
    } * ref;
    size_t count, ref_capacity;
    int64_t first; /* number of ref[0] */
} text_store;

typedef enum input_kind { INPUT_CSV, INPUT_FST, INPUT_WORKLOAD } input_kind;

struct fsim_trace_input {
    input_kind kind;
    fsim_scenario *scenario;
    fsim_function_table *table;
    uint32_t columns;

    fsim_csv *csv;
    fsim_native_header header;
    fsim_csv_block block;
    bool any_order;
    fsim_ns last_ns;
    text_store store;

    fsim_fst *fst;
    uint32_t *ids;     /* by function of the .fst */
    uint32_t nameless; /* function of rows that name none */

    fsim_workload *workload;
    fsim_workload_parts parts; /* tells the workload that somebody else would draw durations */
    fsim_arrivals *batch;
    bool has_batch; /* read to see its columns, not yet given out */

    /* columns that are not borrowed from a reader */
    uint32_t capacity;
    fsim_ns *arrival_ns;
    uint32_t *fn;
    int64_t *number[FSIM_FST_COLUMNS]; /* duration, cpu, memory */
    fsim_fst_text *text[TEXTS];
    char *digits; /* sessions of a workload */

    fsim_native_top *top; /* NULL: all functions */
    fsim_row_filter *filter;
    bool ended;
};

static fsim_status out_of_memory(fsim_error *err) {
    return fsim_fail(err, FSIM_ELIMIT, "out of memory");
}

static fsim_status reserve_rows(fsim_trace_input *in, uint32_t count, fsim_error *err) {
    if (count <= in->capacity) {
        return FSIM_OK;
    }
    void **columns[] = {(void **)&in->arrival_ns,
                        (void **)&in->fn,
                        (void **)&in->number[FSIM_FST_DURATION],
                        (void **)&in->number[FSIM_FST_CPU],
                        (void **)&in->number[FSIM_FST_MEMORY],
                        (void **)&in->text[0],
                        (void **)&in->text[1]};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        free(*columns[i]);
        *columns[i] = malloc(count * (i < 5 ? sizeof(int64_t) : sizeof(fsim_fst_text)));
        if (*columns[i] == NULL) {
            in->capacity = 0;
            return out_of_memory(err);
        }
    }
    in->capacity = count;
    return FSIM_OK;
}

/* ---- native CSV ---- */

static fsim_status store_text(void *user, const char *text, size_t len, int64_t *value, fsim_error *err) {
    text_store *s = user;
    if (s->used + len > s->capacity) {
        size_t capacity = 2 * (s->used + len) + 4096;
        char *bytes = realloc(s->bytes, capacity);
        if (bytes == NULL) {
            return out_of_memory(err);
        }
        s->bytes = bytes;
        s->capacity = capacity;
    }
    if (s->count == s->ref_capacity) {
        size_t capacity = 2 * s->count + 256;
        void *ref = realloc(s->ref, capacity * sizeof *s->ref);
        if (ref == NULL) {
            return out_of_memory(err);
        }
        s->ref = ref;
        s->ref_capacity = capacity;
    }
    memcpy(s->bytes + s->used, text, len);
    s->ref[s->count].at = s->used;
    s->ref[s->count].len = (uint32_t)len;
    s->used += len;
    *value = s->first + (int64_t)s->count++;
    return FSIM_OK;
}

/* Forgets all texts but the last two: those of a row whose end has not been read yet. */
static void forget_texts(text_store *s) {
    size_t kept = s->count < TEXTS ? s->count : TEXTS, gone = s->count - kept;
    if (gone == 0) {
        return;
    }
    size_t from = kept == 0 ? s->used : s->ref[gone].at;
    memmove(s->bytes, s->bytes + from, s->used - from);
    for (size_t i = 0; i < kept; i++) {
        s->ref[i].at = s->ref[gone + i].at - from;
        s->ref[i].len = s->ref[gone + i].len;
    }
    s->used -= from;
    s->count = kept;
    s->first += (int64_t)gone;
}

/* Functions that nobody wants do not enter the table. */
static fsim_status learn_function(const fsim_trace_input *in, const char *text, size_t len, fsim_fn_id *id,
                                  fsim_error *err) {
    *id = FSIM_ROW_UNWANTED;
    return fsim_native_top_has(in->top, text, len) ? fsim_function_table_intern(in->table, text, len, id, err)
                                                   : FSIM_OK;
}

static fsim_status intern_function(void *user, const char *text, size_t len, int64_t *value,
                                   fsim_error *err) {
    fsim_fn_id id = 0;
    fsim_status status = learn_function(user, text, len, &id, err);
    *value = id;
    return status;
}

static void bind_columns(fsim_trace_input *in) {
    for (int role = 0; role <= FSIM_NATIVE_VERSION; role++) {
        fsim_csv_binding binding = in->header.binding[role];
        if (in->header.field[role] == FSIM_NATIVE_ABSENT) {
            continue;
        }
        if (role == FSIM_NATIVE_FUNCTION) {
            binding.name = intern_function;
            binding.user = in;
            binding.when_empty = in->nameless;
        } else if (role >= FSIM_NATIVE_SESSION) {
            binding.name = store_text;
            binding.user = &in->store;
            binding.when_empty = FSIM_FST_EMPTY;
        } else if (role != FSIM_NATIVE_ARRIVAL) {
            binding.when_empty = FSIM_FST_EMPTY;
        }
        in->columns |= 1u << role; /* the roles are in the order of fsim_fst_column */
        fsim_csv_bind(in->csv, in->header.field[role], &binding);
    }
}

_Static_assert((int)FSIM_NATIVE_VERSION == (int)FSIM_FST_VERSION_NAME, "columns in the same order");

static const int64_t *cells_of(const fsim_trace_input *in, int role) {
    size_t field = in->header.field[role];
    return field == FSIM_NATIVE_ABSENT ? NULL : in->block.columns[field];
}

static fsim_status check_order(fsim_trace_input *in, const fsim_ns *at_ns, fsim_error *err) {
    for (uint32_t i = 0; i < in->block.count; i++) {
        if (at_ns[i] < in->last_ns) {
            return fsim_native_fail_order(&in->header, in->csv, in->block.lines[i], at_ns[i], in->last_ns,
                                          err);
        }
        in->last_ns = at_ns[i];
    }
    return FSIM_OK;
}

static const fsim_fst_text *find_texts(fsim_trace_input *in, uint32_t k) {
    const int64_t *cells = cells_of(in, FSIM_NATIVE_SESSION + (int)k);
    for (uint32_t i = 0; cells != NULL && i < in->block.count; i++) {
        fsim_fst_text *text = &in->text[k][i];
        if (cells[i] == FSIM_FST_EMPTY) {
            *text = (fsim_fst_text){"", 0};
        } else {
            size_t ref = (size_t)(cells[i] - in->store.first);
            *text = (fsim_fst_text){in->store.bytes + in->store.ref[ref].at, in->store.ref[ref].len};
        }
    }
    return cells == NULL ? NULL : in->text[k];
}

static fsim_status next_csv(fsim_trace_input *in, fsim_fst_rows *rows, fsim_error *err) {
    forget_texts(&in->store);
    FSIM_TRY(fsim_csv_next(in->csv, &in->block, err));
    FSIM_TRY(reserve_rows(in, in->block.count, err));
    const int64_t *fn = cells_of(in, FSIM_NATIVE_FUNCTION);
    *rows = (fsim_fst_rows){.count = in->block.count,
                            .arrival_ns = cells_of(in, FSIM_NATIVE_ARRIVAL),
                            .fn = fn == NULL ? NULL : in->fn,
                            .duration_ns = cells_of(in, FSIM_NATIVE_DURATION),
                            .cpu_ns = cells_of(in, FSIM_NATIVE_CPU),
                            .memory_mb = cells_of(in, FSIM_NATIVE_MEMORY),
                            .session = find_texts(in, 0),
                            .version = find_texts(in, 1)};
    for (uint32_t i = 0; fn != NULL && i < rows->count; i++) {
        in->fn[i] = (uint32_t)fn[i];
    }
    return in->any_order ? FSIM_OK : check_order(in, rows->arrival_ns, err);
}

/* ---- .fst ---- */

static fsim_status open_fst(fsim_trace_input *in, const char *file, fsim_error *err) {
    FSIM_TRY(fsim_fst_open(&in->fst, in->scenario->base_dir, file, err));
    uint32_t functions = fsim_fst_describe(in->fst)->functions;
    in->columns = fsim_fst_describe(in->fst)->columns;
    in->ids = malloc((functions + 1u) * sizeof *in->ids);
    if (in->ids == NULL) {
        return out_of_memory(err);
    }
    for (uint32_t f = 0; f < functions; f++) {
        fsim_fst_text name = fsim_fst_function(in->fst, f, NULL);
        FSIM_TRY(learn_function(in, name.text, name.len, &in->ids[f], err));
    }
    return reserve_rows(in, FSIM_FST_ROWS_MAX, err);
}

static fsim_status next_fst(fsim_trace_input *in, fsim_fst_rows *rows, fsim_error *err) {
    fsim_fst_block block;
    FSIM_TRY(fsim_fst_next(in->fst, &block, err));
    *rows = (fsim_fst_rows){.count = block.count, .arrival_ns = in->arrival_ns};
    if (block.count == 0) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_fst_read_arrivals(in->fst, &block, in->arrival_ns, err));
    if ((in->columns >> FSIM_FST_FUNCTION & 1u) != 0) {
        FSIM_TRY(fsim_fst_read_functions(in->fst, &block, in->fn, err));
        for (uint32_t i = 0; i < block.count; i++) {
            in->fn[i] = in->fn[i] == FSIM_FST_NO_FUNCTION ? in->nameless : in->ids[in->fn[i]];
        }
        rows->fn = in->fn;
    }
    const int64_t **numbers[] = {&rows->duration_ns, &rows->cpu_ns, &rows->memory_mb};
    for (int c = FSIM_FST_DURATION; c <= FSIM_FST_MEMORY; c++) {
        if ((in->columns >> c & 1u) != 0) {
            FSIM_TRY(fsim_fst_read_numbers(in->fst, &block, (fsim_fst_column)c, in->number[c], err));
            *numbers[c - FSIM_FST_DURATION] = in->number[c];
        }
    }
    const fsim_fst_text **texts[] = {&rows->session, &rows->version};
    for (uint32_t k = 0; k < TEXTS; k++) {
        fsim_fst_column c = (fsim_fst_column)(FSIM_FST_SESSION + (int)k);
        if ((in->columns >> c & 1u) != 0) {
            FSIM_TRY(fsim_fst_read_texts(in->fst, &block, c, in->text[k], err));
            *texts[k] = in->text[k];
        }
    }
    return FSIM_OK;
}

/* ---- any other trace, through its source ---- */

static fsim_status open_workload(fsim_trace_input *in, fsim_error *err) {
    const fsim_source_context context = {
        .seed = in->scenario->seed,
        .path = "workload",
        .table = in->table,
        .default_fn = in->scenario->default_fn,
        .pool = in->scenario->pool,
        .base_dir = in->scenario->base_dir,
        .around = &in->parts,
    };
    in->batch = malloc(sizeof *in->batch);
    if (in->batch == NULL) {
        return out_of_memory(err);
    }
    FSIM_TRY(fsim_workload_open(&in->workload, &context, in->scenario->workload, err));
    FSIM_TRY(reserve_rows(in, FSIM_BATCH, err));
    FSIM_TRY(fsim_workload_next(in->workload, in->batch, err));
    in->has_batch = true;
    in->columns = fsim_trace_columns_of(in->batch, in->table);
    return FSIM_OK;
}

static fsim_status next_of_workload(fsim_trace_input *in, fsim_fst_rows *rows, fsim_error *err) {
    const fsim_arrivals *batch = in->batch;
    if (!in->has_batch) {
        FSIM_TRY(fsim_workload_next(in->workload, in->batch, err));
    }
    in->has_batch = false;
    *rows = (fsim_fst_rows){.count = batch->count,
                            .arrival_ns = batch->at_ns,
                            .fn = batch->fn,
                            .duration_ns = batch->service_ns,
                            .cpu_ns = batch->has_cpu ? batch->cpu_ns : NULL};
    if ((in->columns >> FSIM_FST_MEMORY & 1u) != 0) {
        fsim_trace_spell_memory(in->number[FSIM_FST_MEMORY], batch, in->table);
        rows->memory_mb = in->number[FSIM_FST_MEMORY];
    }
    if (batch->has_session) {
        FSIM_TRY(fsim_trace_spell_sessions(&in->digits, in->text[0], batch, err));
        rows->session = in->text[0];
    }
    return FSIM_OK;
}

/* ---- all of them ---- */

/* How much of the file is wanted. Other traces than native ones are scaled by their own sources. */
static fsim_status open_filter(fsim_trace_input *in, const char *file, fsim_error *err) {
    fsim_trace_options options;
    const char *nameless = fsim_function_table_get(in->table, in->scenario->default_fn)->name;
    fsim_trace_options_default(&options);
    if (in->kind != INPUT_WORKLOAD) {
        bool is_fst = in->kind == INPUT_FST;
        options.seed = in->scenario->seed;
        FSIM_TRY(fsim_row_scale_read(&options, in->scenario->workload, err));
        FSIM_TRY(
            fsim_native_top_find(&in->top, in->scenario->base_dir, file, is_fst, nameless, &options, err));
    }
    bool wanted = fsim_native_top_has(in->top, nameless, strlen(nameless));
    in->nameless = wanted ? FSIM_FST_NO_FUNCTION : FSIM_ROW_UNWANTED;
    return fsim_row_filter_open(&in->filter, &options, in->table, nameless, err);
}

static fsim_status open_csv(fsim_trace_input *in, const char *file, fsim_error *err) {
    FSIM_TRY(fsim_csv_open(&in->csv, in->scenario->base_dir, file, err));
    FSIM_TRY(fsim_native_read_header(&in->header, in->csv, err));
    if (!in->header.is_rates) {
        FSIM_TRY(open_filter(in, file, err));
        bind_columns(in);
        return FSIM_OK;
    }
    if (strcmp(file, "-") == 0) {
        return fsim_fail(err, FSIM_EUSAGE,
                         "a rate trace can be converted from a file, not from standard input");
    }
    fsim_csv_close(in->csv);
    in->csv = NULL;
    in->kind = INPUT_WORKLOAD;
    FSIM_TRY(open_filter(in, file, err));
    return open_workload(in, err);
}

static fsim_status open_kind(fsim_trace_input *in, const char *word, fsim_error *err) {
    const char *source = NULL, *file = NULL;
    if (fsim_value_peek(in->scenario->workload, "file") == NULL &&
        fsim_value_peek(in->scenario->workload, "files") == NULL) {
        return fsim_fail_at(err, FSIM_EUSAGE, word,
                            "is no trace; what a scenario or a built-in workload makes is written by: "
                            "fsim generate %.100s",
                            word);
    }
    FSIM_TRY(fsim_value_get_string(in->scenario->workload, "source", &source, err));
    const fsim_value *path = fsim_value_get(in->scenario->workload, "file");
    file = path != NULL && path->kind == FSIM_VALUE_STRING ? path->string : NULL;
    if (source != NULL && file != NULL && strcmp(source, "fst") == 0) {
        in->kind = INPUT_FST;
        FSIM_TRY(open_filter(in, file, err));
        return open_fst(in, file, err);
    }
    if (source != NULL && file != NULL && strcmp(source, "csv") == 0) {
        in->kind = INPUT_CSV;
        return open_csv(in, file, err);
    }
    in->kind = INPUT_WORKLOAD;
    FSIM_TRY(open_filter(in, file, err));
    return open_workload(in, err);
}

fsim_status fsim_trace_input_open(fsim_trace_input **out, const fsim_load_options *load, bool any_order,
                                  fsim_error *err) {
    fsim_trace_input *in = calloc(1, sizeof *in);
    if (in == NULL) {
        return out_of_memory(err);
    }
    in->any_order = any_order;
    fsim_status status = fsim_scenario_load(&in->scenario, load, err);
    if (status == FSIM_OK) {
        in->table = in->scenario->functions;
        in->scenario->workload = fsim_value_copy_in_place(in->scenario->pool, in->scenario->workload);
        status = in->scenario->workload == NULL ? out_of_memory(err) : open_kind(in, load->workload, err);
    }
    if (status == FSIM_OK) {
        status = fsim_value_check_used(in->scenario->workload, NULL, err);
    }
    if (status != FSIM_OK) {
        fsim_trace_input_close(in);
        return status;
    }
    *out = in;
    return FSIM_OK;
}

void fsim_trace_input_close(fsim_trace_input *in) {
    if (in == NULL) {
        return;
    }
    fsim_csv_close(in->csv);
    fsim_fst_close(in->fst);
    fsim_workload_close(in->workload);
    fsim_row_filter_close(in->filter);
    fsim_native_top_close(in->top);
    fsim_scenario_destroy(in->scenario);
    free(in->store.bytes);
    free(in->store.ref);
    free(in->ids);
    free(in->batch);
    free(in->arrival_ns);
    free(in->fn);
    for (int c = 0; c < FSIM_FST_COLUMNS; c++) {
        free(in->number[c]);
    }
    free(in->text[0]);
    free(in->text[1]);
    free(in->digits);
    free(in);
}

void fsim_trace_input_keep(fsim_trace_input *in, const bool *keep, uint32_t count) {
    fsim_row_filter_keep(in->filter, keep, count);
}

static fsim_status read_rows(fsim_trace_input *in, fsim_fst_rows *rows, fsim_error *err) {
    switch (in->kind) {
    case INPUT_CSV: return next_csv(in, rows, err);
    case INPUT_FST: return next_fst(in, rows, err);
    case INPUT_WORKLOAD: break;
    }
    return next_of_workload(in, rows, err);
}

fsim_status fsim_trace_input_next(fsim_trace_input *in, fsim_fst_rows *rows, fsim_error *err) {
    for (;;) {
        FSIM_TRY(fsim_row_filter_next(in->filter, rows, err));
        if (rows->count > 0 || in->ended) {
            return FSIM_OK;
        }
        FSIM_TRY(read_rows(in, rows, err));
        in->ended = rows->count == 0;
        fsim_row_filter_add(in->filter, rows);
    }
}

uint32_t fsim_trace_input_columns(const fsim_trace_input *in) {
    return in->columns;
}

fsim_function_table *fsim_trace_input_table(const fsim_trace_input *in) {
    return in->table;
}

uint64_t fsim_trace_input_seed(const fsim_trace_input *in) {
    return in->scenario->seed;
}

double fsim_trace_input_progress(const fsim_trace_input *in) {
    switch (in->kind) {
    case INPUT_CSV: return fsim_csv_progress(in->csv);
    case INPUT_FST: return fsim_fst_progress(in->fst);
    case INPUT_WORKLOAD: break;
    }
    return fsim_workload_progress(in->workload);
}
