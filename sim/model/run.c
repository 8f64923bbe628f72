/* One run, and many on several threads; see run.h. */
#include "model/run.h"

#include "model/engine.h"
#include "model/lane.h"
#include "model/scenario_peak.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

const char *const fsim_cause_names[FSIM_CAUSE_COUNT + 1] = {
    "account", "function", "memory_quota", "start_rate", "gateway", "queue_full", NULL};

bool engine_go_on(engine *e, double share) {
    const fsim_run_options *options = e->options;
    return options->on_progress == NULL ||
           options->on_progress(options->user, e->now_ns, share, e->seen.arrived);
}

/* Streams first, in batches; then until everybody has left. Closed populations are events: they go on while
 * streams last and after them. */
static void simulate(engine *e) {
    fsim_ns until_ns = e->scenario->until_ns;
    fsim_arrivals *batch = &e->batch;
    while (!e->stopped && !e->workload_ended) {
        fsim_status status = e->has_batch ? FSIM_OK : fsim_workload_next(e->workload, batch, e->err);
        e->has_batch = false;
        if (status != FSIM_OK) {
            engine_fail(e, status);
            return;
        }
        if (e->batches == 0 && !batch->has_cpu) {
            engine_one_rate(e);
        }
        fsim_assert(!e->one_rate || !batch->has_cpu);
        engine_add_functions(e);
        engine_begin_if_called(e, batch);
        if (batch->count == 0) {
            break;
        }
        engine_feed(e, batch, until_ns);
        e->batches++;
        if ((e->batches & 63u) == 0 && !engine_go_on(e, fsim_workload_progress(e->workload))) {
            e->stopped = true;
        }
    }
    e->workload_ended = true;
    engine_drain(e, until_ns);
}

static fsim_ns end_of(const engine *e) {
    fsim_ns until_ns = e->scenario->until_ns;
    return until_ns != FSIM_NEVER && !e->stopped ? until_ns
           : e->left_at_ns > e->now_ns           ? e->left_at_ns
                                                 : e->now_ns;
}

static fsim_status run(engine *e) {
    if (setjmp(e->no_memory) != 0) {
        return e->status;
    }
    engine_set_up(e);
    if (e->options->live != NULL) {
        engine_live(e);
    } else if (!lanes_simulate(e)) {
        simulate(e);
    }
    if (e->status != FSIM_OK) {
        return e->status;
    }
    engine_finish(e, end_of(e));
    return e->status;
}

static fsim_status run_once(fsim_result **out, const fsim_scenario *scenario, const fsim_run_options *options,
                            fsim_error *err) {
    engine *e = NULL;
    *out = NULL;
    fsim_status status = engine_create(&e, scenario, options, err);
    if (status == FSIM_OK && scenario->until_ns == FSIM_NEVER && fsim_workload_is_endless(e->workload)) {
        status = fsim_value_fail(scenario->workload, err,
                                 "the workload never ends: expected \"requests\", \"until\" or run.until");
    }
    if (status == FSIM_OK) {
        status = run(e);
    }
    if (status == FSIM_OK) {
        *out = e->result;
        e->result = NULL;
    }
    if (e != NULL) {
        engine_destroy(e);
    }
    return status;
}

fsim_status fsim_run(fsim_result **out, const fsim_scenario *scenario, const fsim_run_options *options,
                     fsim_error *err) {
    fsim_scenario sized;
    fsim_run_options first = *options; /* a first pass is a simulation */
    first.live = NULL;
    *out = NULL;
    if (fsim_scenario_needs_peak(scenario)) { /* a fleet for the peak is steady from the beginning */
        FSIM_TRY(fsim_scenario_size_for_peak(&sized, scenario, &first, err));
    } else if (scenario->start_steady) {
        FSIM_TRY(fsim_scenario_begin_steady(&sized, scenario, &first, err));
    } else {
        return run_once(out, scenario, options, err);
    }
    fsim_status status = run_once(out, &sized, options, err);
    fsim_scenario_drop_sized(&sized);
    return status;
}

static void free_scope(fsim_scope *s) {
    free(s->latency.hist);
    free(s->latency_cold.hist);
    free(s->wait.hist);
    free(s->service.hist);
}

void fsim_result_destroy(fsim_result *r) {
    if (r == NULL) {
        return;
    }
    for (uint32_t fn = 0; r->per_function != NULL && fn < r->function_count; fn++) {
        free_scope(&r->per_function[fn]);
    }
    free_scope(&r->total);
    fsim_function_table_destroy(r->functions);
    free(r->per_function);
    free(r->usage);
    free(r->hours);
    free(r->windows);
    free(r->window_functions);
    free(r->probes);
    free(r->occupancy_requests);
    free(r->occupancy_instances);
    free(r->series);
    free(r);
}

/* ---- threads ---- */

typedef struct crew {
    atomic_uint next;
    uint32_t count;
    void (*job)(void *user, uint32_t i);
    void *user;
} crew;

static void *work(void *argument) {
    crew *c = argument;
    for (uint32_t i = atomic_fetch_add(&c->next, 1u); i < c->count; i = atomic_fetch_add(&c->next, 1u)) {
        c->job(c->user, i);
    }
    return NULL;
}

uint32_t fsim_threads(uint32_t threads) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t want = threads != 0 ? threads : cores > 0 ? (uint32_t)cores : 1u;
    return want > FSIM_THREADS_MAX ? FSIM_THREADS_MAX : want;
}

void fsim_parallel(uint32_t threads, uint32_t count, void (*job)(void *user, uint32_t i), void *user) {
    pthread_t ids[FSIM_THREADS_MAX];
    crew c = {.count = count, .job = job, .user = user};
    uint32_t want = fsim_threads(threads);
    want = want > count ? count : want;
    uint32_t started = 0;
    atomic_init(&c.next, 0u);
    while (started + 1u < want && pthread_create(&ids[started], NULL, work, &c) == 0) {
        started++;
    }
    work(&c); /* this thread is one of them; with none other it does all */
    for (uint32_t t = 0; t < started; t++) {
        pthread_join(ids[t], NULL);
    }
}
