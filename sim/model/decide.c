#include "model/decide.h"

#include "base/limits.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct driver {
    const fsim_metric_series *series;
    const fsim_decide_setup *setup;
    fsim_scale_plan plan;
    void *state;
    fsim_rng rng;
    fsim_ns origin_ns; /* where the policy's clock is 0, in the clock of the series */
    fsim_ns now_ns;    /* in the policy's clock */

    size_t next_row, sampled_row; /* first row to come; first row that no sample has seen */
    double held[FSIM_INPUTS], sampled[FSIM_INPUTS];
    double peak;      /* of the concurrency, over the rows of the last sample */
    double arrivals;  /* since the beginning */
    uint64_t arrived; /* of them, told to the policy */

    /* Ready ones, oldest first, then starting ones, oldest first; and what the policy keeps about each. */
    fsim_instance_view *instances;
    unsigned char *states;
    size_t state_bytes;
    fsim_instance_sample *samples;
    uint32_t ready, starting, capacity;

    uint32_t wanted;
    bool direct;
} driver;

static bool has(const driver *d, fsim_input input) {
    return d->series->values[input] != NULL;
}

static uint32_t to_count(double value) {
    return value >= (double)UINT32_MAX ? UINT32_MAX : (uint32_t)llround(value);
}

/* ---- instances ---- */

static fsim_status grow(driver *d, uint32_t count, fsim_error *err) {
    if (count > FSIM_DECIDE_INSTANCES_MAX) {
        return fsim_fail(err, FSIM_ELIMIT, "%" PRIu32 " instances: at most %u can be followed", count,
                         FSIM_DECIDE_INSTANCES_MAX);
    }
    uint32_t capacity = d->capacity == 0 ? 16 : d->capacity;
    while (capacity < count) {
        capacity *= 2;
    }
    if (capacity == d->capacity) {
        return FSIM_OK;
    }
    fsim_instance_view *instances = realloc(d->instances, capacity * sizeof *instances);
    d->instances = instances != NULL ? instances : d->instances;
    unsigned char *states = realloc(d->states, capacity * (d->state_bytes > 0 ? d->state_bytes : 1));
    d->states = states != NULL ? states : d->states;
    fsim_instance_sample *samples = realloc(d->samples, capacity * sizeof *samples);
    d->samples = samples != NULL ? samples : d->samples;
    if (instances == NULL || states == NULL || samples == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    d->capacity = capacity;
    return FSIM_OK;
}

static fsim_status start(driver *d, uint32_t count, fsim_ns at_ns, fsim_error *err) {
    uint32_t have = d->ready + d->starting;
    FSIM_TRY(grow(d, have + count, err));
    for (uint32_t i = have; i < have + count; i++) {
        d->instances[i] = (fsim_instance_view){.started_ns = at_ns, .ready_ns = FSIM_NEVER};
        memset(d->states + i * d->state_bytes, 0, d->state_bytes);
    }
    d->starting += count;
    return FSIM_OK;
}

/* The one that started first becomes ready. */
static void make_ready(driver *d, fsim_ns at_ns) {
    d->instances[d->ready++].ready_ns = at_ns;
    d->starting--;
}

static void remove_newest_ready(driver *d, uint32_t count) {
    uint32_t to = d->ready - count;
    memmove(&d->instances[to], &d->instances[d->ready], d->starting * sizeof *d->instances);
    memmove(d->states + to * d->state_bytes, d->states + d->ready * d->state_bytes,
            d->starting * d->state_bytes);
    d->ready = to;
}

static void mature(driver *d) {
    fsim_ns after_ns = d->setup->ready_after_ns;
    while (d->starting > 0 && fsim_ns_add(d->instances[d->ready].started_ns, after_ns) <= d->now_ns) {
        make_ready(d, d->instances[d->ready].started_ns + after_ns);
    }
}

/* What the series says about the instances. */
static fsim_status follow_series(driver *d, fsim_ns at_ns, fsim_error *err) {
    if (!has(d, FSIM_INPUT_READY)) {
        mature(d);
        return FSIM_OK;
    }
    uint32_t ready = to_count(d->held[FSIM_INPUT_READY]);
    if (ready > d->ready + d->starting) {
        FSIM_TRY(start(d, ready - d->ready - d->starting, at_ns, err));
    }
    while (d->ready < ready) {
        make_ready(d, at_ns);
    }
    remove_newest_ready(d, d->ready - ready);
    return FSIM_OK;
}

/* What the policy wants. */
static fsim_status follow_policy(driver *d, fsim_error *err) {
    uint32_t most = d->setup->fn->max_instances, have = d->ready + d->starting;
    uint32_t want = d->wanted < most ? d->wanted : most;
    if (want > have) {
        FSIM_TRY(start(d, want - have, d->now_ns, err));
    } else {
        uint32_t surplus = have - want, cancelled = surplus < d->starting ? surplus : d->starting;
        d->starting -= cancelled;
        if (!has(d, FSIM_INPUT_READY)) {
            remove_newest_ready(d, surplus - cancelled);
        }
    }
    if (!has(d, FSIM_INPUT_READY)) {
        mature(d);
    }
    return FSIM_OK;
}

static const fsim_instance_view *instance_list(driver *d) {
    for (uint32_t i = 0; i < d->ready + d->starting; i++) {
        d->instances[i].state = d->state_bytes > 0 ? d->states + i * d->state_bytes : NULL;
    }
    return d->instances;
}

/* ---- demand ---- */

static double room_of(const driver *d) {
    uint32_t slots = d->setup->fn->concurrency;
    return d->ready == 0 ? 0 : slots == FSIM_UNLIMITED ? INFINITY : (double)d->ready * slots;
}

/* Requests inside the instances, and waiting. */
static void split(const driver *d, const double *inputs, double *inside, double *waiting) {
    double room = room_of(d);
    *inside = inputs[FSIM_INPUT_CONCURRENCY];
    *waiting = inputs[FSIM_INPUT_QUEUE];
    if (!has(d, FSIM_INPUT_QUEUE) && *inside > room) {
        *waiting = *inside - room;
        *inside = room;
    }
    if (d->setup->provisioned) {
        *waiting = 0;
    }
}

/* Of `requests`, those that provisioned instances have room for. */
static double within_room(const driver *d, double requests) {
    double room = room_of(d);
    return d->setup->provisioned && requests > room ? room : requests;
}

static double cpu_of_one(const driver *d) {
    double cpu = d->sampled[FSIM_INPUT_CPU];
    return d->series->absolute[FSIM_INPUT_CPU] ? cpu / (double)d->ready : cpu / 100 * d->setup->fn->vcpu;
}

static double memory_of_one(const driver *d) {
    double memory = d->sampled[FSIM_INPUT_MEMORY];
    bool absolute = d->series->absolute[FSIM_INPUT_MEMORY];
    return absolute ? memory : memory / 100 * (double)d->setup->fn->memory_mb;
}

static void fill_samples(driver *d, double each, double each_rps, bool through) {
    fsim_ns period_ns = d->plan.sample_ns;
    (void)instance_list(d);
    for (uint32_t i = 0; i < d->ready; i++) {
        fsim_ns age_ns = d->now_ns - d->instances[i].ready_ns;
        d->samples[i] =
            (fsim_instance_sample){.age_ns = age_ns,
                                   .over_ns = age_ns > 0 && age_ns < period_ns ? age_ns : period_ns,
                                   .state = d->instances[i].state,
                                   .cpu = cpu_of_one(d),
                                   .memory_mb = memory_of_one(d),
                                   .concurrency = each,
                                   .proxied_concurrency = through ? each : 0,
                                   .requests_per_s = each_rps,
                                   .proxied_requests_per_s = through ? each_rps : 0};
    }
}

/* The mean of the rows since the last sample; without any it stays. */
static void read_rows(driver *d) {
    size_t rows = d->next_row - d->sampled_row;
    for (int i = 0; rows > 0 && i < FSIM_INPUTS; i++) {
        double sum = 0;
        for (size_t row = d->sampled_row; has(d, (fsim_input)i) && row < d->next_row; row++) {
            sum += d->series->values[i][row];
        }
        d->sampled[i] = sum / (double)rows;
    }
    const double *concurrency = d->series->values[FSIM_INPUT_CONCURRENCY];
    d->peak = rows > 0 ? 0 : d->held[FSIM_INPUT_CONCURRENCY];
    for (size_t row = d->sampled_row; concurrency != NULL && row < d->next_row; row++) {
        d->peak = concurrency[row] > d->peak ? concurrency[row] : d->peak;
    }
    d->sampled_row = d->next_row;
}

static void sample(driver *d) {
    double inside, waiting, period_s = fsim_ns_to_s(d->plan.sample_ns);
    read_rows(d);
    split(d, d->sampled, &inside, &waiting);
    double rps = d->sampled[FSIM_INPUT_RPS], total = inside + waiting;
    /* A recording does not say which way its requests took: those of instances that are there are theirs. */
    bool through = d->plan.activator && (d->plan.activator_only || d->ready == 0);
    double in_instances = d->plan.activator && !through ? total : inside;
    double share = d->ready > 0 ? 1 / (double)d->ready : 0;
    fill_samples(d, in_instances * share, rps * share, through);
    d->arrivals += rps * period_s;
    uint64_t arrived = d->arrivals < 9e18 ? (uint64_t)d->arrivals : d->arrived;
    const fsim_scale_sample seen = {.now_ns = d->now_ns,
                                    .elapsed_ns = d->plan.sample_ns,
                                    .instances = d->samples,
                                    .count = d->ready,
                                    .starting = d->starting,
                                    .in_flight = inside,
                                    .queued = waiting,
                                    .arrived = arrived - d->arrived,
                                    .completed = arrived - d->arrived,
                                    .activator_concurrency = through ? total : 0,
                                    .activator_requests = through ? rps * period_s : 0};
    d->arrived = arrived;
    d->setup->ops->sample(d->state, d->setup->params, &seen, &d->rng);
}

/* ---- decisions ---- */

static fsim_status tick(driver *d, fsim_decide_fn row, void *user, fsim_error *err) {
    double inside, waiting;
    if (d->plan.totals) {
        read_rows(d);
    }
    split(d, d->held, &inside, &waiting);
    if (has(d, FSIM_INPUT_REPLICAS)) {
        d->wanted = to_count(d->held[FSIM_INPUT_REPLICAS]);
    }
    const fsim_scale_view view = {.now_ns = d->now_ns,
                                  .ready = d->ready,
                                  .starting = d->starting,
                                  .wanted = d->wanted,
                                  .in_flight = inside,
                                  .queued = waiting,
                                  .elapsed_ns = d->plan.tick_ns,
                                  .concurrency = within_room(d, d->sampled[FSIM_INPUT_CONCURRENCY]),
                                  .concurrency_peak = within_room(d, d->peak),
                                  .cpu = d->ready > 0 ? cpu_of_one(d) * (double)d->ready : 0,
                                  .instances = d->plan.wants_instances ? instance_list(d) : NULL,
                                  .instance_count = d->plan.wants_instances ? d->ready + d->starting : 0};
    fsim_scale_decision decision = {.want = d->wanted, .direct = d->direct, .mode = ""};
    d->setup->ops->tick(d->state, d->setup->params, &view, true, &decision);
    fsim_decide_row out = {.at_ns = d->origin_ns + d->now_ns,
                           .desired = decision.want,
                           .ready = d->ready,
                           .starting = d->starting,
                           .decision = &decision};
    memcpy(out.inputs, d->plan.sample_ns != 0 || d->plan.totals ? d->sampled : d->held, sizeof out.inputs);
    out.inputs[FSIM_INPUT_READY] = d->held[FSIM_INPUT_READY];
    out.inputs[FSIM_INPUT_REPLICAS] = d->held[FSIM_INPUT_REPLICAS];
    d->direct = decision.direct;
    d->wanted = decision.want;
    FSIM_TRY(row(user, &out, err));
    return follow_policy(d, err);
}

/* Rows of this instant take effect; true: the policy wants to decide at once. */
static bool take_rows(driver *d) {
    const fsim_metric_series *s = d->series;
    bool came = false;
    for (; d->next_row < s->rows && s->at_ns[d->next_row] - d->origin_ns <= d->now_ns; d->next_row++) {
        for (int i = 0; i < FSIM_INPUTS; i++) {
            d->held[i] = s->values[i] != NULL ? s->values[i][d->next_row] : 0;
        }
        came = true;
    }
    bool demand =
        d->held[FSIM_INPUT_CONCURRENCY] > 0 || d->held[FSIM_INPUT_QUEUE] > 0 || d->held[FSIM_INPUT_RPS] > 0;
    return came && demand && d->wanted == 0 && d->setup->ops->poke != NULL &&
           d->setup->ops->poke(d->state, d->setup->params, d->now_ns);
}

static fsim_ns next_row_ns(const driver *d) {
    return d->next_row < d->series->rows ? d->series->at_ns[d->next_row] - d->origin_ns : FSIM_NEVER;
}

static fsim_ns first_on_grid(fsim_ns period_ns, fsim_ns from_ns) {
    return period_ns == 0 ? FSIM_NEVER : (from_ns + period_ns - 1) / period_ns * period_ns;
}

static fsim_ns earliest(fsim_ns a, fsim_ns b) {
    return a < b ? a : b;
}

static fsim_status run(driver *d, fsim_decide_fn row, void *user, fsim_error *err) {
    const fsim_metric_series *s = d->series;
    fsim_ns begin_ns = s->at_ns[0] - d->origin_ns, end_ns = s->at_ns[s->rows - 1] - d->origin_ns;
    fsim_ns next_sample_ns = first_on_grid(d->plan.sample_ns, begin_ns);
    fsim_ns next_tick_ns = first_on_grid(d->plan.tick_ns, begin_ns);
    for (;;) {
        d->now_ns = earliest(next_row_ns(d), earliest(next_sample_ns, next_tick_ns));
        if (d->now_ns > end_ns) {
            return FSIM_OK;
        }
        bool at_once = take_rows(d);
        FSIM_TRY(follow_series(d, d->now_ns, err));
        if (d->now_ns == next_sample_ns) {
            sample(d);
            next_sample_ns += d->plan.sample_ns;
        }
        if (at_once || d->now_ns == next_tick_ns) {
            FSIM_TRY(tick(d, row, user, err));
            next_tick_ns += d->now_ns == next_tick_ns ? d->plan.tick_ns : 0;
        }
    }
}

/* ---- set-up ---- */

/* The instances a run begins with have been there for long. */
static fsim_status begin(driver *d, fsim_error *err) {
    const fsim_fn_spec *fn = d->setup->fn;
    uint32_t count = d->plan.initial;
    count = fn->min_instances > count ? fn->min_instances : count;
    count = fn->initial_instances > count ? fn->initial_instances : count;
    d->wanted = count;
    if (has(d, FSIM_INPUT_READY)) {
        count = to_count(d->series->values[FSIM_INPUT_READY][0]);
        d->wanted = d->setup->provisioned ? count : d->wanted; /* what serves has been asked for */
    } else {
        count = count < fn->max_instances ? count : fn->max_instances;
    }
    FSIM_TRY(start(d, count, -FSIM_DAY, err));
    while (d->ready < count) {
        make_ready(d, -FSIM_DAY);
    }
    return FSIM_OK;
}

static fsim_status check_reads(const driver *d, fsim_error *err) {
    char columns[256] = "";
    size_t at = 0;
    for (int i = 0; i < FSIM_INPUTS; i++) {
        if (has(d, (fsim_input)i) && at < sizeof columns) {
            int n = snprintf(columns + at, sizeof columns - at, "%s%s", at > 0 ? ", " : "",
                             fsim_metric_series_name(d->series, (fsim_input)i));
            at += n > 0 ? (size_t)n : 0;
        }
    }
    for (int i = 0; i < FSIM_INPUTS; i++) {
        if ((d->plan.reads & FSIM_INPUT_BIT(i)) != 0 && !has(d, (fsim_input)i)) {
            char place[512];
            snprintf(place, sizeof place, "%.500s:1", d->setup->series);
            return fsim_fail_at(err, FSIM_EDATA, place, "no column \"%s\", which %s reads; the series has %s",
                                fsim_input_names[i], d->setup->ops->info.name,
                                at > 0 ? columns : "nothing but time");
        }
    }
    return FSIM_OK;
}

static fsim_status set_up(driver *d, fsim_error *err) {
    const fsim_decide_setup *s = d->setup;
    size_t bytes = s->ops->state_size != NULL ? s->ops->state_size(s->params) : 0;
    d->state = calloc(1, bytes > 0 ? bytes : 1);
    if (d->state == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    s->ops->init(d->state, s->params, s->fn, &d->plan);
    d->state_bytes = s->ops->instance_size != NULL ? s->ops->instance_size(s->params) : 0;
    fsim_rng_seed(&d->rng, s->seed, s->fn->name, FSIM_RNG_SCALING);
    if (d->plan.tick_ns != 0 && s->ops->tick != NULL) {
        return FSIM_OK;
    }
    return fsim_fail(
        err, FSIM_ECONFIG, "scaling %s %s: it reads no metric and has nothing to decide here%s",
        s->ops->info.name,
        d->plan.fixed ? "keeps a constant number of instances"
                      : "starts an instance when a single request needs one",
        d->plan.fixed ? "" : "; of its provisioned instances a policy can: --set policy.provisioned=tracked");
}

static void tear_down(driver *d) {
    free(d->state);
    free(d->instances);
    free(d->states);
    free(d->samples);
}

fsim_status fsim_decide_plan(const fsim_decide_setup *setup, fsim_scale_plan *plan, fsim_error *err) {
    driver d = {.setup = setup};
    fsim_status status = set_up(&d, err);
    *plan = d.plan;
    tear_down(&d);
    return status;
}

fsim_status fsim_decide(const fsim_metric_series *series, const fsim_decide_setup *setup, fsim_decide_fn row,
                        void *user, fsim_error *err) {
    driver d = {.setup = setup, .series = series};
    fsim_status status = set_up(&d, err);
    if (status == FSIM_OK) {
        fsim_ns period_ns = d.plan.sample_ns > d.plan.tick_ns ? d.plan.sample_ns : d.plan.tick_ns;
        d.origin_ns = series->at_ns[0] - period_ns;
        status = check_reads(&d, err);
    }
    if (status == FSIM_OK) {
        status = begin(&d, err);
    }
    if (status == FSIM_OK) {
        status = run(&d, row, user, err);
    }
    tear_down(&d);
    return status;
}
