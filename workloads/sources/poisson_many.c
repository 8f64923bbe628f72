/* One Poisson stream spread evenly over many functions: the same law as a superposition of one Poisson
 * process for each, at the cost of one. The functions are <prefix>0, <prefix>1, …; their settings are those
 * of the entry "*". */
#include "workloads/sources/arrival_support.h"

#include "base/limits.h"

#include <stdio.h>
#include <string.h>

#define PREFIX_MAX 200

typedef struct poisson_many {
    double mean_gap_ns;
    fsim_ns at_ns;
    bool ended;
    uint32_t count;
    fsim_fn_id *ids;
    fsim_rng gaps, choice;
} poisson_many;

static fsim_status name_functions(poisson_many *p, const fsim_source_context *context, const char *prefix,
                                  fsim_error *err) {
    char name[PREFIX_MAX + 16];
    p->ids = fsim_value_pool_alloc(context->pool, p->count * sizeof *p->ids);
    if (p->ids == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (uint32_t i = 0; i < p->count; i++) {
        int len = snprintf(name, sizeof name, "%s%u", prefix, i);
        FSIM_TRY(fsim_function_table_intern(context->table, name, (size_t)len, &p->ids[i], err));
    }
    return FSIM_OK;
}

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    poisson_many *p = state;
    double rate = 0;
    int64_t count = 0;
    const char *prefix = "fn";
    char choice[512];
    FSIM_TRY(fsim_source_read_rate(config, "rate", false, &rate, err));
    if (fsim_value_get(config, "functions") == NULL) {
        return fsim_value_missing(config, "functions", err);
    }
    FSIM_TRY(fsim_value_get_i64(config, "functions", 1, FSIM_FUNCTIONS_MAX, &count, err));
    FSIM_TRY(fsim_value_get_string(config, "prefix", &prefix, err));
    if (strlen(prefix) > PREFIX_MAX) {
        return fsim_value_fail(fsim_value_get(config, "prefix"), err, "longer than %d bytes", PREFIX_MAX);
    }
    p->mean_gap_ns = 1e9 / rate;
    p->count = (uint32_t)count;
    fsim_rng_seed(&p->gaps, context->seed, context->path, FSIM_RNG_ARRIVALS);
    snprintf(choice, sizeof choice, "%s/functions", context->path);
    fsim_rng_seed(&p->choice, context->seed, choice, FSIM_RNG_ARRIVALS);
    return name_functions(p, context, prefix, err);
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    poisson_many *p = state;
    (void)err;
    batch->count = 0;
    if (!p->ended) {
        p->ended = !fsim_source_run_poisson(&p->gaps, p->mean_gap_ns, FSIM_NEVER, &p->at_ns, batch);
    }
    fsim_source_fill(batch, p->ids[0]);
    fsim_rng choice = p->choice; /* in registers */
    for (uint32_t i = 0; i < batch->count; i++) {
        batch->fn[i] = p->ids[fsim_rng_below(&choice, p->count)];
    }
    p->choice = choice;
    return FSIM_OK;
}

const fsim_source_ops fsim_source_poisson_many = {
    .name = "poisson_many",
    .summary = "a Poisson stream spread evenly over many functions (settings: the entry \"*\")",
    .example = "{\"source\": \"poisson_many\", \"functions\": 100, \"rate\": 50, \"requests\": 10000}",
    .state_size = sizeof(poisson_many),
    .endless = true,
    .open = open,
    .next = next,
};
