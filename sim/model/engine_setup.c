/* Memory of a run, and its functions: from specs and plans to what the loop reads. */
#include "model/engine_provision.h"
#include "model/lane.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_FROM  (2u << 20)
#define PAGE       4096u
#define CACHE_LINE 64u

void engine_no_memory(engine *e) {
    e->status = FSIM_ELIMIT;
    fsim_fail(e->err, FSIM_ELIMIT, "out of memory: %llu requests in the system, %llu instances",
              (unsigned long long)e->in_system, (unsigned long long)e->alive);
    longjmp(e->no_memory, 1);
}

void engine_fail(engine *e, fsim_status status) {
    e->status = status;
    e->stopped = true;
}

/* Columns are entered at random: fewer pages, fewer misses. Only advice, which may be ignored. */
static void advise(void *array, size_t bytes) {
    if (bytes >= HUGE_FROM) {
        uintptr_t page = ((uintptr_t)array + PAGE - 1u) & ~(uintptr_t)(PAGE - 1u);
        madvise((void *)page, bytes - PAGE, MADV_HUGEPAGE);
    }
}

void *engine_grow(engine *e, void *array, size_t count, size_t size) {
    void *grown = realloc(array, count * size);
    if (grown == NULL && count != 0) {
        engine_no_memory(e);
    }
    advise(grown, count * size);
    return grown;
}

void *engine_grow_lines(engine *e, void *array, size_t before, size_t count, size_t size) {
    size_t bytes = (count * size + CACHE_LINE - 1u) / CACHE_LINE * CACHE_LINE;
    void *grown = aligned_alloc(CACHE_LINE, bytes);
    if (grown == NULL) {
        engine_no_memory(e);
    }
    advise(grown, bytes);
    if (before != 0) {
        memcpy(grown, array, before * size);
    }
    free(array);
    return grown;
}

void engine_grow_requests(engine *e) {
    uint32_t capacity = e->request_capacity == 0 ? 1024u : e->request_capacity * 2u;
    if (capacity > FSIM_IN_SYSTEM_MAX) {
        engine_no_memory(e);
    }
    e->requests = engine_grow_lines(e, e->requests, e->request_capacity, capacity, sizeof *e->requests);
    for (uint32_t r = capacity; r > e->request_capacity; r--) {
        e->requests[r - 1u] = (request){.link.next = e->request_free};
        e->request_free = r - 1u;
    }
    e->request_capacity = capacity;
    if (e->sessions != NULL) {
        engine_session_grow(e);
    }
    if (e->failures != NULL) {
        engine_failure_grow(e);
    }
}

static void grow_domains(engine *e, uint32_t count) {
    e->domains = engine_grow_lines(e, e->domains, e->domain_count, count, sizeof *e->domains);
    memset(e->domains + e->domain_count, 0, (count - e->domain_count) * sizeof *e->domains);
    for (uint32_t d = e->domain_count; d < count; d++) {
        e->domains[d].speed = 1.0;
        e->domains[d].cores = e->scenario->nodes.vcpu;
    }
    e->domain_count = count;
}

void engine_grow_sampled(engine *e, uint32_t before, uint32_t count) {
    sampled_requests *s = &e->sampled;
    s->inside = engine_grow_lines(e, s->inside, before, count, sizeof *s->inside);
    s->proxied = engine_grow_lines(e, s->proxied, before, count, sizeof *s->proxied);
}

void engine_grow_instances(engine *e) {
    uint32_t before = e->instance_capacity;
    uint32_t capacity = before == 0 ? 256u : before * 2u;
    if (capacity > FSIM_INSTANCES_MAX) {
        engine_no_memory(e);
    }
    e->instances = engine_grow_lines(e, e->instances, before, capacity, sizeof *e->instances);
    e->links = engine_grow(e, e->links, capacity, sizeof *e->links);
    if (e->sampled.proxied != NULL) {
        engine_grow_sampled(e, before, capacity);
    }
    if (e->cpu_uses != NULL) {
        e->cpu_uses = engine_grow_lines(e, e->cpu_uses, before, capacity, sizeof *e->cpu_uses);
    }
    if (e->cells != NULL) {
        e->cells = engine_grow(e, e->cells, capacity, e->cell_size);
    }
    if (e->books != NULL) {
        engine_books_grow_instances(e, capacity);
    }
    if (e->has_pool) {
        e->instance_rank = engine_grow(e, e->instance_rank, capacity, sizeof *e->instance_rank);
        e->instance_uses = engine_grow(e, e->instance_uses, capacity, sizeof *e->instance_uses);
    }
    if (e->has_nodes) {
        e->instance_node = engine_grow(e, e->instance_node, capacity, sizeof *e->instance_node);
    }
    if (e->node_fcfs) {
        e->on_core = engine_grow(e, e->on_core, capacity, sizeof *e->on_core);
    }
    if (e->has_sharing && !e->node_sharing && !e->node_fcfs) {
        grow_domains(e, capacity);
    }
    for (uint32_t i = capacity; i > before; i--) {
        e->instances[i - 1u] = (instance){.newer = e->instance_free, .state = INSTANCE_FREE};
        e->instance_free = i - 1u;
    }
    e->instance_capacity = capacity;
    if (e->sessions != NULL) {
        engine_session_grow(e);
    }
    if (e->after != NULL) {
        engine_after_grow(e, before, capacity);
    }
    if (e->failures != NULL) {
        engine_failure_grow(e);
    }
}

/* ---- functions ---- */

void engine_new_collector(engine *e, collector *c) {
    fsim_histogram **all[] = {&c->direct, &c->latency_waited, &c->latency_cold, &c->wait, &c->service};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        *all[k] = calloc(1, sizeof(fsim_histogram)); /* pages that no value touches cost nothing */
        if (*all[k] == NULL) {
            engine_no_memory(e);
        }
    }
}

void engine_free_collector(collector *c) {
    free(c->direct);
    free(c->latency_waited);
    free(c->latency_cold);
    free(c->wait);
    free(c->service);
}

static void add_tally(engine *e, uint32_t fn) {
    tally *t = &e->tallies[fn];
    memset(t, 0, sizeof *t);
    if (e->has_exceed) {
        t->latency_above = calloc(2u * FSIM_EXCEED_MAX, sizeof *t->latency_above);
        if (t->latency_above == NULL) {
            engine_no_memory(e);
        }
        t->wait_above = t->latency_above + FSIM_EXCEED_MAX;
    }
    t->direct.min_ns = t->waited.min_ns = t->cold.min_ns = t->wait.min_ns = t->service.min_ns = FSIM_NEVER;
    if (fn < FSIM_FUNCTION_HISTOGRAMS_MAX) {
        engine_new_collector(e, &t->hist);
        return;
    }
    if (e->shared_hist.direct == NULL) {
        engine_new_collector(e, &e->shared_hist);
    }
    t->hist = e->shared_hist;
}

static void seed_streams(engine *e, function *f) {
    uint64_t seed = e->options->seed;
    fsim_rng_seed(&f->rng_cold, seed, f->name, FSIM_RNG_COLD_START);
    fsim_rng_seed(&f->rng_routing, seed, f->name, FSIM_RNG_ROUTING);
}

function_rest *engine_make_rest(engine *e, function *f) {
    uint64_t seed = e->options->seed;
    function_rest *rest = calloc(1, sizeof *rest);
    if (rest == NULL) {
        engine_no_memory(e);
    }
    f->rest = rest;
    fsim_rng_seed(&rest->rng_keepalive, seed, f->name, FSIM_RNG_KEEPALIVE);
    fsim_rng_seed(&rest->rng_timeout, seed, f->name, FSIM_RNG_QUEUE_TIMEOUT);
    fsim_rng_seed(&rest->rng_retry, seed, f->name, FSIM_RNG_RETRY);
    fsim_rng_seed(&rest->rng_scaling, seed, f->name, FSIM_RNG_SCALING);
    fsim_rng_seed(&rest->rng_burst, seed, f->name, FSIM_RNG_BURST);
    fsim_rng_seed(&rest->rng_error, seed, f->name, FSIM_RNG_ERROR);
    rest->gateway_tokens = rest->provisioned_tokens = FSIM_BUCKET_FULL;
    return rest;
}

static void take_plans(engine *e, function *f) {
    const fsim_scenario *s = e->scenario;
    s->keepalive->init(s->keepalive_params, &f->spec, &f->keepalive);
    f->window_drawn = f->keepalive.window.kind != FSIM_DIST_CONSTANT;
    f->window_ns = f->keepalive.window.constant_ns;
    e->pool_mb = f->keepalive.pool_mb;
    if (s->admission != NULL) {
        function_rest *rest = engine_rest(e, f);
        rest->admit = (fsim_admit_plan){.in_system_max = FSIM_UNLIMITED};
        s->admission->init(s->admission_params, &f->spec, &rest->admit);
        rest->admit_tokens = rest->admit.burst;
    }
    engine_scale_setup(e, f);
    engine_provision_setup(e, f);
    engine_adapt_setup(e, f);
    fsim_route_order order = s->routing->init(s->routing_params, &f->spec);
    fsim_fleet_init(&f->fleet[0], order, f->concurrency);
    fsim_fleet_init(&f->fleet[1], order, f->concurrency);
    f->removable_min = f->spec.min_instances;
}

static void take_limits(engine *e, function *f, uint32_t fn) {
    const fsim_scenario *s = e->scenario;
    if (s->start_rate.kind != FSIM_LIMIT_NONE && s->start_rate.per_function &&
        !fsim_start_limiter_init(&f->start_limiter, &s->start_rate)) {
        engine_no_memory(e);
    }
    if (s->provisioned_start_rate.kind != FSIM_LIMIT_NONE && s->provisioned_start_rate.per_function &&
        !fsim_start_limiter_init(&engine_rest(e, f)->provisioned_limiter, &s->provisioned_start_rate)) {
        engine_no_memory(e);
    }
    f->has_reserve = f->spec.reserved_concurrency != FSIM_UNLIMITED;
    f->inside_limit = f->spec.reserved_concurrency;
    if (f->has_reserve && e->has_account && f->group == fn) {
        uint64_t reserve = f->inside_limit;
        e->inside_shared_limit -= reserve < e->inside_shared_limit ? reserve : e->inside_shared_limit;
    }
}

static uint32_t to_ucore(double cores) {
    return cores >= 4000.0 ? 4000000000u : (uint32_t)(cores * FSIM_UCORE + 0.5);
}

bool engine_is_plain(const fsim_fn_spec *s) {
    return s->concurrency == 1 && s->cpu_model == FSIM_CPU_NONE && s->provisioned == 0 &&
           s->reserved_concurrency == FSIM_UNLIMITED && s->session == NULL && s->bursts == NULL &&
           s->after == NULL && s->crash == NULL && s->health == NULL && s->versions == NULL && !s->async &&
           !(s->error_rate > 0.0);
}

static uint16_t traits_of(const function *f) {
    const struct {
        bool has;
        uint32_t trait;
    } all[] = {{f->scaled, TRAIT_SCALED},
               {(f->watched & WATCH_TOTALS) != 0, TRAIT_TOTALS},
               {f->samples_requests, TRAIT_SAMPLED},
               {f->wants_cpu, TRAIT_CPU},
               {f->keeps_busy, TRAIT_SLOTS},
               {f->solo_meter, TRAIT_SOLO_METER},
               {f->active_is_request, TRAIT_SAME_ACTIVE},
               {f->freeze, TRAIT_FREEZE},
               {f->fleet[0].by_idle_list, TRAIT_BY_IDLE_LIST}};
    uint32_t traits = 0;
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        traits |= all[k].has ? all[k].trait : 0u;
    }
    return (uint16_t)traits;
}

/* Where every request of a function uses CPU at one rate and an instance is frozen between them, all windows
 * with a request in them may be decided alike, however long they are: with one slot always, for CPU and time
 * inside go by the same measure; with several if one request alone is enough. Made as long as the meter's sum
 * allows they hardly ever close. Not where somebody looks at what the windows so far came to. */
static void lengthen_windows(const engine *e, function *f) {
    const fsim_cpu_rule *rule = &f->cpu_rule;
    bool steady = f->spec.bursts == NULL && f->spec.after == NULL && !f->shared;
    bool enough = f->rate_ucore <= f->most_ucore && fsim_cpu_rule_active(rule, f->rate_ucore, 1);
    bool alike = f->solo_meter || (e->metering && steady && f->freeze && enough);
    bool looked_at = e->books != NULL || e->warmup_ns != 0 || e->scenario->windows_every_ns != 0;
    if (alike && rule->more == NULL && !rule->full_window && !looked_at && !e->options->no_short_way) {
        uint64_t most_ns = (UINT64_C(1) << 62) / (f->most_ucore + 1u);
        f->cpu_rule.window_ns *= most_ns > rule->window_ns ? most_ns / rule->window_ns : 1u;
    }
}

void engine_one_rate(engine *e) {
    e->one_rate = true;
    for (uint32_t fn = 0; fn < e->function_count; fn++) {
        lengthen_windows(e, &e->functions[fn]);
    }
}

/* Of its instances. */
static void take_size(function *f) {
    f->usage.memory_mb = (uint64_t)f->spec.memory_mb;
    f->usage.vcpu_milli = (uint64_t)(f->spec.vcpu * 1000.0 + 0.5);
    f->usage.disk_mb = (uint64_t)f->spec.disk_mb;
    uint64_t most_ucore = f->usage.vcpu_milli * (FSIM_UCORE / 1000);
    f->most_ucore = most_ucore < UINT32_MAX ? (uint32_t)most_ucore : UINT32_MAX;
}

static void add_function(engine *e, uint32_t fn) {
    function *f = &e->functions[fn];
    memset(f, 0, sizeof *f);
    f->spec = *fsim_function_table_get(e->table, fn);
    fsim_function_table_settle(e->table, fn);
    f->name = f->spec.name;
    f->concurrency = f->spec.concurrency;
    f->rate_ucore =
        to_ucore(f->spec.cpu_fraction * (f->spec.vcpu < 1.0 && !e->has_sharing ? f->spec.vcpu : 1.0));
    f->start_ucore = to_ucore(f->spec.start_cpu_fraction);
    f->background_ucore = to_ucore(f->spec.background_cpu);
    f->timeout_ns = f->spec.timeout_ns;
    f->freeze = f->spec.freeze;
    f->shared =
        f->spec.cpu_model != FSIM_CPU_NONE || e->node_sharing || e->node_fcfs || e->options->live != NULL;
    f->slowed = f->spec.cpu_model == FSIM_CPU_LINEAR || e->node_sharing || e->node_fcfs;
    f->keeps_busy = f->concurrency != 1;
    bool steady = f->spec.bursts == NULL && f->spec.after == NULL; /* CPU while a request executes */
    f->solo_meter = e->metering && steady && f->concurrency == 1 && f->freeze && !f->shared;
    f->active_is_request = f->concurrency == 1;
    for (uint32_t j = 0; j < e->plan.active.count; j++) {
        f->active_is_request &=
            engine_same_rule(&e->plan.request, &e->plan.active.rule[j]) != e->plan.request.count;
    }
    f->queue_head = f->queue_tail = FSIM_NONE;
    f->starting_newest = FSIM_NONE;
    f->group = f->spec.version != NULL ? f->spec.version_of : fn;
    f->extras = f->group != fn ? FUNCTION_VERSION : 0u;
    f->waiting_next = f->waiting_prev = FSIM_NONE;
    f->cold_mean_s = fsim_fn_cold_mean_s(&f->spec);
    fsim_ns starts_ns = fsim_ns_from_s(f->cold_mean_s * e->scenario->queue_timeout_starts);
    f->queue_timeout_ns = e->scenario->queue_timeout.constant_ns;
    f->queue_timeout_ns = starts_ns > f->queue_timeout_ns ? starts_ns : f->queue_timeout_ns;
    f->async = f->spec.async;
    f->repeats = f->async || (e->scenario->retry.on && e->scenario->retry.on_failed);
    take_size(f);
    f->cpu_rule = fsim_cpu_rule_make(&e->plan, f->usage.vcpu_milli);
    if (e->one_rate) {
        lengthen_windows(e, f);
    }
    seed_streams(e, f);
    take_limits(e, f, fn);
    take_plans(e, f);
    if (f->spec.session != NULL) {
        engine_session_setup(e, f);
    }
    if (f->spec.after != NULL) {
        engine_after_setup(e, f);
    }
    if (f->spec.crash != NULL || f->spec.health != NULL) {
        engine_failure_setup(e, f);
    }
    f->extras |= f->spec.bursts != NULL ? FUNCTION_BURSTS : 0u;
    f->idles = !f->scale.fixed && (!f->scaled || f->scale.floor);
    if (!f->idles && !e->has_pool && f->adapting == NULL) {
        fsim_fleet_unlist_idle(&f->fleet[0]);
    }
    f->plain = e->fast && f->extras == 0 && f->spec.versions == NULL && f->provisioned_wanted == 0 &&
               f->provisioning == NULL && !f->shared && !f->has_reserve && f->keepalive.prewarm_ns == 0 &&
               !f->async && !(f->spec.error_rate > 0.0);
    f->fast = f->plain && f->fleet[0].by_idle_list && !f->scaled && (f->solo_meter || !e->metering) &&
              (f->active_is_request || !e->metering);
    f->traits = traits_of(f);
    e->any_fast |= f->fast;
    e->any_plain |= f->plain && (!f->fast || !e->early);
    add_tally(e, fn);
    f->sums = (short_sums){.span_min_ns = FSIM_NEVER, .hist = e->tallies[fn].hist.direct};
    e->function_base[fn] = (function_base){0};
}

/* What a function has from its first instant on. */
static void begin_function(engine *e, function *f) {
    if (f->spec.versions != NULL) { /* they run, each in its own entry */
        return;
    }
    if ((f->extras & FUNCTION_FAILS) != 0) {
        engine_failure_begin(e, f);
    }
    engine_provision_begin(e, f);
    engine_scale_begin(e, f);
    engine_versions_begin(e, f);
}

/* Traits of the run, after functions were added. */
static void settle_traits(engine *e, uint32_t before) {
    bool known = before == 0 || (e->traits & TRAIT_KNOWN) != 0;
    uint16_t traits = e->functions[0].traits;
    for (uint32_t fn = before; fn < e->function_count; fn++) {
        known &= !e->functions[fn].plain || e->functions[fn].traits == traits;
    }
    e->traits = (uint16_t)((known ? traits | TRAIT_KNOWN : 0u) | (e->many ? TRAIT_MANY : 0u) |
                           (e->metering ? TRAIT_METERING : 0u));
}

/* They come in no batch. */
static bool users_call(const engine *e, uint32_t fn) {
    const fsim_closed_plan *plans;
    bool called = false;
    for (uint32_t c = fsim_workload_closed(e->workload, &plans); c > 0; c--) {
        called |= plans[c - 1u].fn == fn;
    }
    return called;
}

void engine_begin_if_called(engine *e, const fsim_arrivals *batch) {
    bool called = e->function_count == 1u;
    for (uint32_t i = 0; e->unbegun != FSIM_NONE && i < batch->count; i++) {
        called |= batch->fn[i] == e->unbegun;
    }
    if (e->unbegun != FSIM_NONE && called) {
        function *f = &e->functions[e->unbegun];
        e->unbegun = FSIM_NONE;
        begin_function(e, f);
    }
}

void engine_add_functions(engine *e) {
    uint32_t before = e->function_count;
    uint32_t count = fsim_function_table_count(e->table);
    if (count == before) {
        return;
    }
    if (count > e->function_capacity) {
        uint32_t capacity = count < 2u * e->function_capacity ? 2u * e->function_capacity : count;
        e->functions = engine_grow_lines(e, e->functions, before, capacity, sizeof *e->functions);
        e->tallies = engine_grow(e, e->tallies, capacity, sizeof *e->tallies);
        e->function_base = engine_grow(e, e->function_base, capacity, sizeof *e->function_base);
        e->function_capacity = capacity;
    }
    for (uint32_t fn = before; fn < count; fn++) {
        add_function(e, fn);
        e->function_count = fn + 1u;
    }
    if (count > 1u &&
        !e->many) { /* from now on the run's own level is kept; so far it was the only function's */
        e->many = true;
        if (before == 1u) {
            e->in_execution = e->functions[0].in_execution;
            e->in_queue = e->functions[0].queue;
            e->busy = e->functions[0].busy;
            e->keeps_busy = e->functions[0].keeps_busy;
            e->base.in_execution = e->function_base[0].in_execution;
            e->base.square = e->function_base[0].square;
            e->base.queue = e->function_base[0].queue;
        }
    }
    settle_traits(e, before);
    for (uint32_t fn = before; fn < count && e->many && !e->keeps_busy; fn++) {
        if (e->functions[fn].keeps_busy) { /* so far busy instances were requests in execution */
            e->busy = *engine_in_execution(e);
            e->keeps_busy = true;
        }
    }
    if (e->scenario->windows_every_ns != 0) {
        engine_windows_add_functions(e, before);
    }
    if (e->books != NULL) {
        engine_books_add_functions(e);
    }
    if (e->has_pool) {
        engine_pressure_add_functions(e);
    }
    for (uint32_t fn = before; fn < count; fn++) {
        if (before == 0 && e->functions[fn].spec.implied && !users_call(e, fn)) {
            e->unbegun = fn;
        } else {
            begin_function(e, &e->functions[fn]);
        }
    }
}

/* ---- the run ---- */

static bool any_sharing(const engine *e) {
    uint32_t count = fsim_function_table_count(e->table);
    const fsim_fn_spec *spec = fsim_function_table_template(e->table);
    bool any = spec != NULL && spec->cpu_model != FSIM_CPU_NONE;
    for (uint32_t fn = 0; fn < count; fn++) {
        any |= fsim_function_table_get(e->table, fn)->cpu_model != FSIM_CPU_NONE;
    }
    return any;
}

static void take_features(engine *e) {
    const fsim_scenario *s = e->scenario;
    fsim_keepalive_plan keep = {0};
    s->keepalive->init(s->keepalive_params, fsim_function_table_template(e->table), &keep);
    e->early = s->binding == FSIM_BIND_EARLY;
    e->cancels = !e->early && s->cancel_start;
    e->metering = !e->options->no_metering;
    e->plan = e->options->meters != NULL ? *e->options->meters : fsim_meter_plan_default();
    e->plan.metered |= FSIM_METERED_THRESHOLD | FSIM_METERED_INSTANCES | FSIM_METERED_PROVISIONED;
    e->has_account = s->account_concurrency != UINT64_MAX;
    e->inside_shared_limit = s->account_concurrency;
    e->has_quota = s->memory_quota_mb != INT64_MAX || s->account_instances != UINT64_MAX;
    e->claims = s->provisioned_claims;
    e->has_pool = s->keepalive->rank != NULL && keep.pool_mb != INT64_MAX;
    e->pool_mb = keep.pool_mb;
    e->has_nodes = s->nodes.count != 0;
    e->node_sharing = e->has_nodes && s->nodes.cpu_model == FSIM_NODE_CPU_PS;
    e->node_fcfs = e->has_nodes && s->nodes.cpu_model == FSIM_NODE_CPU_FCFS && e->options->live == NULL;
    e->has_sharing = e->node_sharing || e->node_fcfs || any_sharing(e);
    e->has_admission = s->admission != NULL;
    e->has_gateway = s->gateway.rate_per_s > 0.0 || s->gateway.per_concurrency > 0.0;
    e->has_waiters = e->has_account || e->has_quota || e->has_pool || e->has_nodes ||
                     s->start_rate.kind != FSIM_LIMIT_NONE || fsim_function_table_has_versions(e->table);
    e->has_occupancy = s->occupancy != 0;
    e->has_exceed = s->exceed_latency_count != 0 || s->exceed_wait_count != 0;
    e->wants_rows = e->options->on_request != NULL;
    e->gateway_tokens = FSIM_BUCKET_FULL;
    e->fast = keep.adapt_ns == 0 && s->provisioned->tick == NULL && !e->has_quota && !e->has_pool &&
              !e->has_nodes && !e->has_admission && !e->has_gateway && !e->has_occupancy && !e->has_exceed &&
              !e->wants_rows && !e->options->no_short_way && !(s->retry.on && s->retry.on_failed);
    e->warmup_ns = s->warmup_ns;
}

static void take_nodes(engine *e) {
    const fsim_nodes_plan *plan = &e->scenario->nodes;
    if (!e->has_nodes) {
        return;
    }
    e->nodes = engine_grow(e, NULL, plan->count, sizeof *e->nodes);
    e->node_count = plan->count;
    for (uint32_t n = 0; n < plan->count; n++) {
        e->nodes[n] = (node){.free_mb = plan->memory_mb, .cores_free = (uint32_t)plan->vcpu};
    }
    if (e->node_sharing) {
        grow_domains(e, plan->count);
    }
    if (e->node_fcfs && (plan->interruption_count != 0 || plan->interrupts)) {
        engine_interrupt_set_up(e);
    }
}

static void take_closed(engine *e) {
    const fsim_closed_plan *plans;
    e->closed_count = fsim_workload_closed(e->workload, &plans);
    for (uint32_t c = 0; c < e->closed_count; c++) {
        closed_population *p = &e->closed[c];
        p->plan = &plans[c];
        fsim_rng_seed(&p->rng_think, e->options->seed, plans[c].path, FSIM_RNG_THINK);
        fsim_rng_seed(&p->rng_service, e->options->seed, plans[c].path, FSIM_RNG_SERVICE);
        fsim_rng_seed(&p->rng_version, e->options->seed, plans[c].path, FSIM_RNG_VERSION);
        for (uint32_t u = 0; u < plans[c].users; u++) {
            fsim_ns at_ns = fsim_dist_sample(&plans[c].think, &p->rng_think);
            if (at_ns <= plans[c].until_ns) {
                e->closed_outstanding++;
                engine_push(e, at_ns, c, EVENT_THINK);
            }
        }
    }
}

static void take_arrays(engine *e) {
    const fsim_scenario *s = e->scenario;
    if (!fsim_event_queue_init(&e->queue, 4096)) {
        engine_no_memory(e);
    }
    engine_grow_requests(e);
    engine_grow_instances(e);
    take_nodes(e);
    if (e->has_occupancy) {
        size_t levels = (size_t)s->occupancy + 1u;
        e->occupancy_requests_ns = engine_grow(e, NULL, levels, sizeof(uint64_t));
        e->occupancy_instances_ns = engine_grow(e, NULL, levels, sizeof(uint64_t));
        memset(e->occupancy_requests_ns, 0, levels * sizeof(uint64_t));
        memset(e->occupancy_instances_ns, 0, levels * sizeof(uint64_t));
    }
    if (s->probe_count != 0) {
        e->result->probes = engine_grow(e, NULL, s->probe_count, sizeof *e->result->probes);
        memset(e->result->probes, 0, s->probe_count * sizeof *e->result->probes);
    }
    if (!fsim_start_limiter_init(&e->region_limiter, &s->start_rate) ||
        !fsim_start_limiter_init(&e->region_provisioned_limiter, &s->provisioned_start_rate)) {
        engine_no_memory(e);
    }
    e->region_limiter.limit = s->start_rate.kind == FSIM_LIMIT_NONE ? NULL : &s->start_rate;
}

/* Everything that may leave by no_memory; the caller has set it. */
void engine_set_up(engine *e) {
    take_features(e);
    engine_books_set_up(e);
    take_arrays(e);
    engine_add_functions(e);
    take_closed(e);
    engine_marks_setup(e);
}

fsim_status engine_create(engine **out, const fsim_scenario *scenario, const fsim_run_options *options,
                          fsim_error *err) {
    engine *e = calloc(1, sizeof *e);
    fsim_result *result = calloc(1, sizeof *result);
    if (e == NULL || result == NULL) {
        free(e);
        free(result);
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    e->result = result;
    e->scenario = scenario;
    e->options = options;
    e->err = err;
    e->request_free = e->instance_free = e->unlaunched = e->unbegun = FSIM_NONE;
    e->waiting_first = e->waiting_last = FSIM_NONE;
    e->digest = FSIM_HASH_START;
    *out = e;
    e->table = fsim_function_table_clone(scenario->functions);
    if (e->table == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_source_context context = {.seed = options->seed,
                                   .draw_all = options->draw_all,
                                   .path = "workload",
                                   .table = e->table,
                                   .default_fn = scenario->default_fn,
                                   .base_dir = scenario->base_dir,
                                   .trace = scenario->trace};
    return fsim_workload_open(&e->workload, &context, scenario->workload, err);
}

static void free_function(function *f) {
    fsim_fleet_deinit(&f->fleet[0]);
    fsim_fleet_deinit(&f->fleet[1]);
    fsim_start_limiter_deinit(&f->start_limiter);
    if (f->rest != NULL) {
        fsim_start_limiter_deinit(&f->rest->provisioned_limiter);
        free(f->rest);
    }
    engine_provision_free(f);
    engine_adapt_free(f);
    free(f->scaling_state);
    free(f->scale_totals);
    free(f->ready);
}

void engine_destroy(engine *e) {
    for (uint32_t fn = 0; fn < e->function_count; fn++) {
        free_function(&e->functions[fn]);
        free(e->tallies[fn].latency_above);
        if (e->tallies[fn].hist.direct != e->shared_hist.direct) {
            engine_free_collector(&e->tallies[fn].hist);
        }
    }
    engine_free_collector(&e->shared_hist);
    for (uint32_t d = 0; d < e->domain_count; d++) {
        free(e->domains[d].large);
    }
    for (uint32_t n = 0; n < e->node_count; n++) {
        free(e->nodes[n].line);
    }
    engine_session_destroy(e->sessions);
    lanes_destroy(e->lanes);
    engine_failure_destroy(e->failures);
    engine_interrupt_destroy(e->interrupts);
    fsim_start_limiter_deinit(&e->region_limiter);
    fsim_start_limiter_deinit(&e->region_provisioned_limiter);
    fsim_event_queue_deinit(&e->queue);
    fsim_rank_heap_deinit(&e->pressure);
    engine_books_destroy(e);
    void *arrays[] = {e->requests,
                      e->instances,
                      e->links,
                      e->sampled.inside,
                      e->sampled.proxied,
                      e->sample_rows,
                      e->view_rows,
                      e->cpu_uses,
                      e->after,
                      e->cells,
                      e->instance_rank,
                      e->touched,
                      e->instance_uses,
                      e->instance_node,
                      e->domains,
                      e->nodes,
                      e->on_core,
                      e->functions,
                      e->tallies,
                      e->function_base,
                      e->window_base,
                      e->occupancy_requests_ns,
                      e->occupancy_instances_ns};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) {
        free(arrays[k]);
    }
    if (e->workload != NULL) {
        fsim_workload_close(e->workload);
    }
    fsim_function_table_destroy(e->table);
    fsim_result_destroy(e->result);
    free(e);
}
