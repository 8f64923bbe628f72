/* A workload around its source; see api/source_api.h. */
#include "api/registry.h"
#include "api/source_api.h"
#include "trace/trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SOURCES_MAX 128
#define DRAW_AHEAD  8u /* arrivals whose function is fetched ahead */

struct fsim_workload {
    const fsim_source_ops *ops;
    void *state;
    fsim_source_context context;
    fsim_value_pool
        *own_pool; /* outermost only: the copy of the configuration, and what sources read from it */
    const fsim_value *config;
    uint64_t requests, seen; /* bound and arrivals so far */
    fsim_ns until_ns, last_at_ns;
    bool ended;
    fsim_arrivals *ahead;      /* the first batch, where it was read when the workload was opened; NULL */
    fsim_workload_parts parts; /* outermost only */
    fsim_rng *service_rng;     /* by function id */
    fsim_rng *version_rng;     /* the same; NULL: no function has versions */
    uint32_t rng_count, rng_capacity;
};

static fsim_status find_source(const fsim_value *config, const fsim_source_ops **out, fsim_error *err) {
    const char *names[SOURCES_MAX + 1];
    size_t n = 0;
    const fsim_value *source = fsim_value_get(config, "source");
    if (config->kind != FSIM_VALUE_OBJECT) {
        return fsim_value_fail(config, err, "expected an object with a \"source\"");
    }
    if (source == NULL) {
        return fsim_value_missing(config, "source", err);
    }
    for (; fsim_source_registry[n] != NULL && n < SOURCES_MAX; n++) {
        names[n] = fsim_source_registry[n]->name;
        if (source->kind == FSIM_VALUE_STRING && strcmp(source->string, names[n]) == 0) {
            *out = fsim_source_registry[n];
            return FSIM_OK;
        }
    }
    names[n] = NULL;
    return fsim_value_fail_name(source, "source", names, err);
}

static fsim_status read_bounds(fsim_workload *w, fsim_error *err) {
    const fsim_value *function = fsim_value_get(w->config, "function");
    const fsim_value *requests = fsim_value_get(w->config, "requests");
    int64_t most = 0;
    w->requests = UINT64_MAX;
    w->until_ns = FSIM_NEVER;
    if (requests != NULL && !fsim_value_is_off(requests)) {
        FSIM_TRY(fsim_value_get_i64(w->config, "requests", 0, INT64_MAX, &most, err));
        w->requests = (uint64_t)most;
    }
    FSIM_TRY(fsim_value_get_span(w->config, "until", true, &w->until_ns, err));
    if (function != NULL) {
        FSIM_TRY(fsim_function_table_resolve(w->context.table, function, &w->context.default_fn, err));
    }
    return FSIM_OK;
}

static fsim_status fail_no_service(const fsim_workload *w, const fsim_fn_spec *spec, fsim_error *err) {
    return fsim_value_fail(
        w->config, err,
        "the workload gives no duration for function \"%.100s\", and the function has no \"service\" "
        "distribution to draw it from",
        spec->name);
}

static fsim_status register_parts(fsim_workload *w, fsim_error *err) {
    fsim_workload_parts *around = w->context.around;
    bool bounded = w->requests != UINT64_MAX || w->until_ns != FSIM_NEVER;
    around->endless |= w->ops->endless && !bounded;
    around->describes |= w->ops->describes != NULL && w->ops->describes(w->state);
    if (w->ops->closed == NULL) {
        return FSIM_OK;
    }
    if (around->closed_count == FSIM_CLOSED_MAX) {
        return fsim_value_fail(w->config, err, "more than %d closed populations", FSIM_CLOSED_MAX);
    }
    fsim_closed_plan *plan = &around->closed[around->closed_count];
    FSIM_TRY(w->ops->closed(w->state, plan, err));
    const fsim_fn_spec *spec = fsim_function_table_get(w->context.table, plan->fn);
    uint32_t versions = spec->versions == NULL ? 0 : spec->versions->count;
    for (uint32_t v = 0; v <= versions; v++) {
        spec = fsim_function_table_get(w->context.table, plan->fn + v);
        if (!spec->has_service && (v > 0 || versions == 0)) {
            return fail_no_service(w, spec, err);
        }
    }
    plan->requests_max = w->requests;
    plan->until_ns = w->until_ns;
    around->closed_count++;
    return FSIM_OK;
}

static fsim_status open_source(fsim_workload *w, fsim_error *err) {
    FSIM_TRY(find_source(w->config, &w->ops, err));
    FSIM_TRY(read_bounds(w, err));
    w->state = calloc(1, w->ops->state_size > 0 ? w->ops->state_size : 1);
    if (w->state == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    FSIM_TRY(w->ops->open(w->state, &w->context, w->config, err));
    return register_parts(w, err);
}

/* The function of rows without a name stands in the table from the beginning, and what uses it reads its size
 * before the first row. So the first rows are read here where they may say it. */
static fsim_status read_ahead(fsim_workload *w, fsim_error *err) {
    if (w->ops->says_memory == NULL || !w->ops->says_memory(w->state)) {
        return FSIM_OK;
    }
    w->ahead = calloc(1, sizeof *w->ahead);
    return w->ahead == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory")
                            : w->ops->next(w->state, w->ahead, err);
}

fsim_status fsim_workload_open(fsim_workload **out, const fsim_source_context *context,
                               const fsim_value *config, fsim_error *err) {
    bool outermost = context->around == NULL;
    fsim_workload *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    w->context = *context;
    w->context.trace = outermost ? context->trace : NULL;
    w->config = config;
    if (outermost) {
        w->own_pool = fsim_value_pool_create();
        w->config = w->own_pool == NULL ? NULL : fsim_value_copy_in_place(w->own_pool, config);
        w->context.pool = w->own_pool;
        w->context.around = &w->parts;
        if (w->config == NULL || fsim_value_pool_exhausted(w->own_pool)) {
            fsim_workload_close(w);
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
    }
    fsim_status status = open_source(w, err);
    if (status == FSIM_OK && outermost) {
        status = fsim_value_check_used(w->config, NULL, err);
        for (uint32_t i = 0; i < w->parts.closed_count; i++) {
            fsim_closed_plan *plan = &w->parts.closed[i];
            plan->until_ns = plan->until_ns < w->until_ns ? plan->until_ns : w->until_ns;
        }
        status = status == FSIM_OK ? read_ahead(w, err) : status;
    }
    if (status != FSIM_OK) {
        fsim_workload_close(w);
        return status;
    }
    *out = w;
    return FSIM_OK;
}

fsim_status fsim_workload_load_trace(struct fsim_trace **out, const fsim_value *config, const char *base_dir,
                                     uint64_t seed, fsim_error *err) {
    static const char *const common[] = {"source", "function", "requests", "until"};
    const fsim_source_ops *ops = NULL;
    *out = NULL;
    FSIM_TRY(find_source(config, &ops, err));
    if (ops->load_trace == NULL) {
        return FSIM_OK;
    }
    fsim_value_pool *pool = fsim_value_pool_create();
    const fsim_value *copy = pool == NULL ? NULL : fsim_value_copy_in_place(pool, config);
    fsim_status status = copy == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory")
                                      : ops->load_trace(out, copy, base_dir, seed, err);
    for (size_t i = 0; status == FSIM_OK && i < sizeof common / sizeof common[0]; i++) {
        fsim_value_mark_used(fsim_value_get(copy, common[i])); /* read where it is replayed */
    }
    status = status == FSIM_OK ? fsim_value_check_used(copy, NULL, err) : status;
    if (status != FSIM_OK) {
        fsim_trace_close(*out);
        *out = NULL;
    }
    fsim_value_pool_destroy(pool);
    return status;
}

void fsim_workload_close(fsim_workload *w) {
    if (w == NULL) {
        return;
    }
    if (w->state != NULL && w->ops->close != NULL) {
        w->ops->close(w->state);
    }
    free(w->state);
    free(w->ahead);
    free(w->service_rng);
    free(w->version_rng);
    fsim_value_pool_destroy(w->own_pool);
    free(w);
}

/* Cuts the batch off after the bounds. */
static void apply_bounds(fsim_workload *w, fsim_arrivals *batch) {
    fsim_ns last_allowed = w->until_ns < FSIM_NEVER ? w->until_ns : FSIM_NEVER - 1;
    uint32_t count = batch->count;
    if (count > w->requests - w->seen) {
        count = (uint32_t)(w->requests - w->seen);
    }
    while (count > 0 && batch->at_ns[count - 1] > last_allowed) {
        count--;
    }
    w->ended = count < batch->count || count == 0 || w->seen + count == w->requests;
    batch->count = count;
    w->seen += count;
    if (count > 0) {
        fsim_check(batch->at_ns[0] >= w->last_at_ns);
        w->last_at_ns = batch->at_ns[count - 1];
    }
}

static bool grow_streams(fsim_rng **streams, uint32_t capacity) {
    fsim_rng *larger = realloc(*streams, capacity * sizeof *larger);
    *streams = larger != NULL ? larger : *streams;
    return larger != NULL;
}

/* Streams for the functions that have appeared since. */
static fsim_status extend_streams(fsim_workload *w, fsim_error *err) {
    uint32_t count = fsim_function_table_count(w->context.table);
    bool has_versions = fsim_function_table_has_versions(w->context.table);
    if (count > w->rng_capacity) {
        uint32_t capacity = count < 16 ? 16 : count + count / 2;
        if (!grow_streams(&w->service_rng, capacity) ||
            (has_versions && !grow_streams(&w->version_rng, capacity))) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        w->rng_capacity = capacity;
    }
    for (; w->rng_count < count; w->rng_count++) {
        const fsim_fn_spec *spec = fsim_function_table_get(w->context.table, w->rng_count);
        fsim_rng_seed(&w->service_rng[w->rng_count], w->context.seed, spec->name, FSIM_RNG_SERVICE);
        if (has_versions) {
            fsim_rng_seed(&w->version_rng[w->rng_count], w->context.seed, spec->name, FSIM_RNG_VERSION);
        }
    }
    return FSIM_OK;
}

/* A session stays with its version as long as the weights stay: its id decides instead of the stream. */
static double unit_of_session(uint64_t session) {
    uint64_t hash = fsim_hash_bytes(FSIM_HASH_START, &session, sizeof session);
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return (double)((hash ^ hash >> 32) >> 11) * 0x1.0p-53;
}

/* Requests that name no version get one. */
static void draw_versions(fsim_workload *w, fsim_arrivals *batch) {
    for (uint32_t i = 0; w->version_rng != NULL && i < batch->count; i++) {
        fsim_fn_id fn = batch->fn[i];
        const fsim_fn_spec *spec = fsim_function_table_get(w->context.table, fn);
        if (spec->versions == NULL) {
            continue;
        }
        bool stays = spec->session != NULL && batch->has_session && batch->session[i] != 0;
        double unit = stays ? unit_of_session(batch->session[i]) : fsim_rng_unit(&w->version_rng[fn]);
        batch->fn[i] = fn + 1u + fsim_versions_pick(spec->versions, batch->at_ns[i], unit);
    }
}

/* Nothing but FSIM_DRAW is negative. */
static bool all_given(const fsim_ns *service_ns, uint32_t count) {
    fsim_ns signs = 0;
    for (uint32_t i = 0; i < count; i++) {
        signs |= service_ns[i];
    }
    return signs >= 0;
}

static bool all_open(const fsim_ns *service_ns, uint32_t count) {
    fsim_ns given = 0;
    for (uint32_t i = 0; i < count; i++) {
        given |= service_ns[i] ^ (fsim_ns)FSIM_DRAW;
    }
    return given == 0;
}

fsim_status fsim_workload_draw_all(fsim_workload *w, fsim_fn_id fn, fsim_ns *service_ns, uint32_t count,
                                   fsim_error *err) {
    const fsim_fn_spec *spec = fsim_function_table_get(w->context.table, fn);
    if (!spec->has_service) {
        return fail_no_service(w, spec, err);
    }
    fsim_dist_fill(&spec->service, &w->service_rng[fn], service_ns, count);
    return FSIM_OK;
}

fsim_status fsim_workload_draw(fsim_workload *w, fsim_fn_id fn, fsim_ns *service_ns, uint32_t count,
                               fsim_error *err) {
    const fsim_fn_spec *spec = fsim_function_table_get(w->context.table, fn);
    fsim_rng *rng = &w->service_rng[fn];
    if (count == 0 || (!w->context.draw_all && all_given(service_ns, count))) {
        return FSIM_OK;
    }
    if (w->context.draw_all || all_open(service_ns, count)) {
        return fsim_workload_draw_all(w, fn, service_ns, count, err);
    }
    if (!spec->has_service) {
        return fail_no_service(w, spec, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (service_ns[i] == FSIM_DRAW) {
            service_ns[i] = fsim_dist_sample(&spec->service, rng);
        }
    }
    return FSIM_OK;
}

/* The whole batch belongs to one function and leaves every duration open: the common case of a synthetic
 * workload. */
static bool is_one_block(const fsim_arrivals *batch) {
    fsim_fn_id other = 0;
    fsim_ns given = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        other |= batch->fn[i] ^ batch->fn[0];
        given |= batch->service_ns[i] ^ (fsim_ns)FSIM_DRAW;
    }
    return other == 0 && given == 0;
}

static fsim_status draw_durations(fsim_workload *w, fsim_arrivals *batch, fsim_error *err) {
    for (uint32_t i = 0; w->context.draw_all && i < batch->count; i++) {
        batch->service_ns[i] = FSIM_DRAW;
    }
    if (is_one_block(batch)) {
        return fsim_workload_draw_all(w, batch->fn[0], batch->service_ns, batch->count, err);
    }
    const fsim_fn_spec *soon[DRAW_AHEAD]; /* of the next requests: each is elsewhere in memory */
    fsim_rng *rng = w->service_rng;
    for (uint32_t i = 0; i < DRAW_AHEAD && i < batch->count; i++) {
        soon[i] = fsim_function_table_get(w->context.table, batch->fn[i]);
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        const fsim_fn_spec *spec = soon[i % DRAW_AHEAD];
        if (i + DRAW_AHEAD < batch->count) {
            fsim_fn_id fn = batch->fn[i + DRAW_AHEAD];
            soon[i % DRAW_AHEAD] = fsim_function_table_get(w->context.table, fn);
            __builtin_prefetch(&rng[fn], 1);
            __builtin_prefetch(&soon[i % DRAW_AHEAD]->service);
        }
        if (batch->service_ns[i] != FSIM_DRAW) {
            continue;
        }
        if (!spec->has_service) {
            return fail_no_service(w, spec, err);
        }
        batch->service_ns[i] = fsim_dist_sample(&spec->service, &rng[batch->fn[i]]);
    }
    return FSIM_OK;
}

fsim_status fsim_workload_next_open(fsim_workload *w, fsim_arrivals *batch, fsim_error *err) {
    batch->count = 0;
    batch->has_cpu = batch->has_session = false;
    if (w->ended || w->ops->next == NULL || w->seen == w->requests) {
        w->ended = true;
        return FSIM_OK;
    }
    if (w->ahead != NULL) {
        memcpy(batch, w->ahead, sizeof *batch);
        free(w->ahead);
        w->ahead = NULL;
    } else {
        FSIM_TRY(w->ops->next(w->state, batch, err));
    }
    apply_bounds(w, batch);
    if (w->own_pool == NULL) {
        return FSIM_OK;
    }
    batch->has_cpu = batch->has_cpu && !w->context.draw_all;
    FSIM_TRY(extend_streams(w, err));
    draw_versions(w, batch);
    return FSIM_OK;
}

fsim_status fsim_workload_next(fsim_workload *w, fsim_arrivals *batch, fsim_error *err) {
    FSIM_TRY(fsim_workload_next_open(w, batch, err));
    bool outermost = w->own_pool != NULL;
    return outermost && batch->count > 0 ? draw_durations(w, batch, err) : FSIM_OK;
}

bool fsim_workload_select(fsim_workload *w, uint32_t k) {
    if (w->ops->select == NULL || w->requests != UINT64_MAX || !w->ops->select(w->state, k)) {
        return false;
    }
    w->seen = 0;
    w->last_at_ns = 0;
    w->ended = false;
    return true;
}

fsim_ns fsim_workload_until_ns(const fsim_workload *w) {
    return w->until_ns;
}

bool fsim_workload_streams(fsim_workload *w, fsim_source_streams *streams) {
    fsim_error err = {0};
    return w->ops->streams != NULL && w->requests == UINT64_MAX && w->until_ns == FSIM_NEVER &&
           w->seen == 0 && !w->context.draw_all && !fsim_function_table_has_versions(w->context.table) &&
           extend_streams(w, &err) == FSIM_OK && w->ops->streams(w->state, streams);
}

uint32_t fsim_workload_take(fsim_workload *w, uint32_t k, fsim_ns until_ns, fsim_ns *at_ns,
                            fsim_ns *service_ns, uint32_t room, fsim_source_scratch *scratch) {
    return w->ops->take(w->state, k, until_ns, at_ns, service_ns, room, scratch);
}

fsim_ns fsim_workload_next_ns(const fsim_workload *w, uint32_t k) {
    return w->ops->next_ns(w->state, k);
}

bool fsim_workload_describes(const fsim_workload *w) {
    return w->parts.describes;
}

uint32_t fsim_workload_closed(const fsim_workload *w, const fsim_closed_plan **plans) {
    *plans = w->parts.closed;
    return w->parts.closed_count;
}

bool fsim_workload_is_endless(const fsim_workload *w) {
    return w->parts.endless && w->requests == UINT64_MAX && w->until_ns == FSIM_NEVER;
}

double fsim_workload_progress(const fsim_workload *w) {
    double share = -1.0;
    if (w->requests != UINT64_MAX) {
        share = w->requests == 0 ? 1.0 : (double)w->seen / (double)w->requests;
    }
    if (w->until_ns != FSIM_NEVER && w->until_ns > 0) {
        share = fmax(share, (double)w->last_at_ns / (double)w->until_ns);
    }
    if (w->ops->progress != NULL) {
        share = fmax(share, w->ops->progress(w->state));
    }
    return w->ended ? 1.0 : share;
}
