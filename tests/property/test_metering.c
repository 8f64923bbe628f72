/* The meters of a run against the same instances written down as a timeline, on random small scenarios with
 * everything that changes the CPU in use: requests side by side, bursts, work after the response, background
 * CPU, frozen or not, instances held by sessions.
 *
 * Three ways to the same integers: the engine, which never sees a window go by in which nothing changes; the
 * pricing of a timeline (billing/timeline.h), which gets the requests of each instance and its CPU by spans;
 * and, for the CPU threshold, a sum over every single window, written down here from billing spec 1.4 without
 * any closed form. The timeline is put together from the rows of the requests and the rules of keep-alive and
 * sessions alone. METERING_SEED=N runs one scenario and prints it. */
#include "base/rng.h"
#include "billing/timeline.h"
#include "oracle/random_scenario.h"
#include "support/check.h"

#define SCENARIOS    1500u
#define REQUESTS_MAX 40u
#define SPANS_MAX    20000u

typedef struct world {
    uint64_t seed;
    bool freeze, hold, bursts, after;
    uint32_t slots, vcpu_milli, request_count;
    fsim_ns cold_ns, window_ns, idle_ns;
    uint32_t background_milli, burst_milli, after_milli;
    fsim_ns first_ns, every_ns, busy_ns, after_ns;
    struct {
        fsim_ns at_ns, service_ns;
        uint32_t session;
    } request[REQUESTS_MAX];
    uint32_t cpu_percent; /* of a core, by every request */
    fsim_ns until_ns;
} world;

static uint32_t between(fsim_rng *rng, uint32_t low, uint32_t high) {
    return low + fsim_rng_below(rng, high - low + 1);
}

static bool chance(fsim_rng *rng, uint32_t percent) {
    return fsim_rng_below(rng, 100) < percent;
}

/* Microseconds, often whole tenths of a second, so that borders of windows are met. */
static fsim_ns span(fsim_rng *rng, bool grid, uint32_t most_ms) {
    return grid ? (fsim_ns)between(rng, 1, most_ms / 100 + 1) * 100 * FSIM_MS
                : (fsim_ns)between(rng, 1, most_ms * 1000) * FSIM_US;
}

static void choose(world *w, uint64_t seed) {
    fsim_rng rng;
    fsim_rng_seed(&rng, seed, "metering", FSIM_RNG_ROUTING);
    bool grid = chance(&rng, 50);
    *w = (world){.seed = seed, .freeze = chance(&rng, 50), .hold = chance(&rng, 40)};
    w->slots = chance(&rng, 40) ? 1 : between(&rng, 2, 4);
    w->vcpu_milli = chance(&rng, 50) ? 1000 : between(&rng, 1, 8) * 250;
    w->cold_ns = chance(&rng, 30) ? 0 : span(&rng, grid, 1500);
    w->window_ns = span(&rng, grid, 20000);
    w->idle_ns = span(&rng, grid, 30000);
    w->cpu_percent = chance(&rng, 30) ? 0 : between(&rng, 1, 100);
    w->background_milli = chance(&rng, 50) ? 0 : between(&rng, 1, 60) * w->vcpu_milli / 1000;
    w->bursts = chance(&rng, 50);
    w->burst_milli = between(&rng, 1, w->vcpu_milli);
    w->first_ns = span(&rng, grid, 2000);
    w->every_ns = span(&rng, grid, 3000);
    w->busy_ns = span(&rng, grid, 400);
    w->every_ns += w->busy_ns;
    w->after = chance(&rng, 50);
    w->after_milli = between(&rng, 1, w->vcpu_milli);
    w->after_ns = span(&rng, grid, 4000);
    w->request_count = between(&rng, 1, REQUESTS_MAX);
    fsim_ns at_ns = 0;
    for (uint32_t i = 0; i < w->request_count; i++) {
        at_ns += span(&rng, grid, chance(&rng, 10) ? 40000 : 900) + 1; /* all instants differ */
        w->request[i].at_ns = at_ns;
        w->request[i].service_ns = span(&rng, grid, chance(&rng, 15) ? 20000 : 1500);
        w->request[i].session = chance(&rng, 60) ? between(&rng, 1, 4) : 0;
    }
    w->until_ns = at_ns + 200 * FSIM_SECOND;
}

static char *print(const world *w) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    REQUIRE(out != NULL);
    fprintf(out,
            "{\"schema\": \"fsim.scenario/1\", \"name\": \"metering-%llu\",\n \"workload\": {\"source\": "
            "\"list\", ",
            (unsigned long long)w->seed);
    fputs("\"arrivals\": [", out);
    for (uint32_t i = 0; i < w->request_count; i++) {
        fprintf(out, "%s\n  {\"arrival\": \"%lldns\", \"duration\": \"%lldns\"", i > 0 ? "," : "",
                (long long)w->request[i].at_ns, (long long)w->request[i].service_ns);
        if (w->request[i].session != 0) {
            fprintf(out, ", \"session\": \"%u\"", w->request[i].session);
        }
        fputs("}", out);
    }
    fprintf(out,
            "]},\n \"functions\": [{\"name\": \"fn\", \"memory_mb\": 256, \"vcpu\": %u.%03u, "
            "\"concurrency\": %u,",
            w->vcpu_milli / 1000, w->vcpu_milli % 1000, w->slots);
    fprintf(out,
            "\n  \"cold_start\": \"%lldns\", \"freeze\": %s, \"cpu_fraction\": %u.%02u, \"background_cpu\": "
            "0.%03u",
            (long long)w->cold_ns, w->freeze ? "true" : "false", w->cpu_percent / 100, w->cpu_percent % 100,
            w->background_milli);
    if (w->hold) {
        fprintf(out, ",\n  \"session\": {\"idle_timeout\": \"%lldns\", \"lifetime\": null}",
                (long long)w->idle_ns);
    }
    if (w->bursts) {
        fprintf(out, ",\n  \"cpu_bursts\": {\"cpu\": %u.%03u, \"first\": \"%lldns\", \"every\": \"%lldns\", ",
                w->burst_milli / 1000, w->burst_milli % 1000, (long long)w->first_ns, (long long)w->every_ns);
        fprintf(out, "\"busy\": \"%lldns\"}", (long long)w->busy_ns);
    }
    if (w->after) {
        fprintf(out, ",\n  \"after_response\": {\"cpu\": %u.%03u, \"for\": \"%lldns\"}",
                w->after_milli / 1000, w->after_milli % 1000, (long long)w->after_ns);
    }
    fprintf(
        out,
        "}],\n \"policy\": {\"bundle\": \"none\", \"scaling\": {\"name\": \"per_request\"}, \"keepalive\": ");
    fprintf(out,
            "{\"name\": \"fixed\", \"window\": \"%lldns\"}},\n \"billing\": [], \"run\": {\"until\": "
            "\"%lldns\"}}\n",
            (long long)w->window_ns, (long long)w->until_ns);
    fclose(out);
    return text;
}

/* ---- the run, request by request ---- */

typedef struct row {
    fsim_ns start_ns, end_ns;
    uint32_t pool, session;
    bool cold;
} row;

typedef struct rows {
    const world *w;
    row row[REQUESTS_MAX];
    uint32_t count;
} rows;

static fsim_status on_request(void *user, const fsim_request_row *r, fsim_error *err) {
    rows *all = user;
    (void)err;
    uint32_t k = 0;
    while (all->w->request[k].at_ns != r->arrival_ns) {
        k++;
    }
    REQUIRE(r->outcome == FSIM_COMPLETED);
    all->row[all->count++] = (row){.start_ns = r->start_ns,
                                   .end_ns = r->end_ns,
                                   .pool = r->instance,
                                   .session = all->w->request[k].session,
                                   .cold = r->cold};
    return FSIM_OK;
}

static int by_pool(const void *left, const void *right) {
    const row *a = left, *b = right;
    if (a->pool != b->pool) {
        return a->pool < b->pool ? -1 : 1;
    }
    return (a->start_ns > b->start_ns) - (a->start_ns < b->start_ns);
}

/* ---- CPU of one instance, added up from everything that uses some ---- */

typedef struct span_list {
    fsim_timeline_cpu item[SPANS_MAX];
    uint32_t count;
} span_list;

static void add_use(span_list *uses, fsim_ns from_ns, fsim_ns to_ns, uint32_t milli) {
    if (from_ns < to_ns && milli > 0) {
        REQUIRE(uses->count < SPANS_MAX);
        uses->item[uses->count++] = (fsim_timeline_cpu){from_ns, to_ns, milli * 1000u};
    }
}

static void add_request(span_list *uses, const world *w, const row *r) {
    /* cpu_fraction is of a core, or of the instance's share where that is less */
    uint32_t most = w->vcpu_milli < 1000 ? w->vcpu_milli : 1000;
    if (r->end_ns > r->start_ns) {
        uses->item[uses->count++] = (fsim_timeline_cpu){r->start_ns, r->end_ns, w->cpu_percent * most * 10u};
    }
    for (fsim_ns at_ns = r->start_ns + w->first_ns; w->bursts && at_ns < r->end_ns; at_ns += w->every_ns) {
        fsim_ns to_ns = at_ns + w->busy_ns;
        add_use(uses, at_ns, to_ns < r->end_ns ? to_ns : r->end_ns, w->burst_milli);
    }
}

/* The latest response at or before an instant, FSIM_NEVER if there is none. */
static fsim_ns latest_response(const row *r, uint32_t count, fsim_ns at_ns) {
    fsim_ns latest = FSIM_NEVER;
    for (uint32_t i = 0; i < count; i++) {
        bool later = latest == FSIM_NEVER || r[i].end_ns > latest;
        latest = r[i].end_ns <= at_ns && later ? r[i].end_ns : latest;
    }
    return latest;
}

/* Active intervals, touching ones apart; rows are sorted by start. */
static uint32_t intervals(const row *r, uint32_t count, row *out) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (n > 0 && r[i].start_ns < out[n - 1].end_ns) {
            out[n - 1].end_ns = r[i].end_ns > out[n - 1].end_ns ? r[i].end_ns : out[n - 1].end_ns;
        } else {
            out[n++] = r[i];
        }
    }
    return n;
}

static void add_after_work(span_list *uses, const world *w, const row *r, uint32_t count, fsim_ns end_ns) {
    row active[REQUESTS_MAX];
    uint32_t n = intervals(r, count, active);
    for (uint32_t i = 0; i < count; i++) { /* each response starts it anew: until the next one, or its span */
        fsim_ns next_ns = end_ns;
        for (uint32_t k = 0; k < count; k++) {
            next_ns = r[k].end_ns > r[i].end_ns && r[k].end_ns < next_ns ? r[k].end_ns : next_ns;
        }
        bool same = false; /* of several responses at one instant one counts */
        for (uint32_t k = 0; k < i; k++) {
            same |= r[k].end_ns == r[i].end_ns;
        }
        fsim_ns to_ns = r[i].end_ns + w->after_ns;
        to_ns = to_ns < next_ns ? to_ns : next_ns;
        if (w->freeze) { /* not beyond the active interval in which it began */
            for (uint32_t k = 0; k < n; k++) {
                bool inside = active[k].start_ns <= r[i].end_ns && r[i].end_ns <= active[k].end_ns;
                to_ns = inside && active[k].end_ns < to_ns ? active[k].end_ns : to_ns;
            }
        }
        if (!same) {
            add_use(uses, r[i].end_ns, to_ns, w->after_milli);
        }
    }
    for (uint32_t k = 0; w->freeze && k < n; k++) { /* thawed, it goes on */
        if (latest_response(r, count, active[k].start_ns) == FSIM_NEVER || (k == 0)) {
            continue;
        }
        fsim_ns to_ns = active[k].start_ns + w->after_ns;
        for (uint32_t i = 0; i < count; i++) {
            bool inside = r[i].start_ns >= active[k].start_ns && r[i].end_ns < to_ns;
            to_ns = inside ? r[i].end_ns : to_ns;
        }
        add_use(uses, active[k].start_ns, to_ns < active[k].end_ns ? to_ns : active[k].end_ns,
                w->after_milli);
    }
}

static int by_instant(const void *left, const void *right) {
    const fsim_ns *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* The sum of all uses, at most what the instance has, as spans in which it does not change. */
static void sum_up(span_list *out, const span_list *uses, uint32_t most_ucore) {
    static fsim_ns border[2 * SPANS_MAX];
    uint32_t borders = 0;
    for (uint32_t i = 0; i < uses->count; i++) {
        border[borders++] = uses->item[i].from_ns;
        border[borders++] = uses->item[i].to_ns;
    }
    qsort(border, borders, sizeof *border, by_instant);
    out->count = 0;
    for (uint32_t b = 0; b + 1 < borders; b++) {
        uint64_t rate = 0;
        for (uint32_t i = 0; i < uses->count; i++) {
            bool inside = uses->item[i].from_ns <= border[b] && border[b] < uses->item[i].to_ns;
            rate += inside ? uses->item[i].rate_ucore : 0;
        }
        if (border[b] < border[b + 1]) {
            out->item[out->count++] = (fsim_timeline_cpu){border[b], border[b + 1],
                                                          (uint32_t)(rate < most_ucore ? rate : most_ucore)};
        }
    }
}

/* ---- window by window ---- */

static fsim_ns overlap(fsim_ns a, fsim_ns b, fsim_ns c, fsim_ns d) {
    fsim_ns from = a > c ? a : c, to = b < d ? b : d;
    return from < to ? to - from : 0;
}

/* Memory and CPU milliseconds of one instance: M are `count` intervals; windows of 1 s from ready_ns. */
static void every_window(const row *m, uint32_t count, fsim_ns ready_ns, const span_list *cpu,
                         uint32_t vcpu_milli, uint64_t *mem_ms, uint64_t *cpu_ms, fsim_u128 *cpu_ucore_ns) {
    for (uint32_t j = 0; j < count; j++) {
        uint64_t active_ns = 0;
        for (fsim_ns from = ready_ns; from < m[j].end_ns; from += FSIM_SECOND) {
            fsim_u128 used = 0;
            uint64_t resident = 0;
            fsim_ns part = overlap(from, from + FSIM_SECOND, m[j].start_ns, m[j].end_ns);
            if (part == 0) {
                continue;
            }
            for (uint32_t k = 0; k < count; k++) {
                fsim_ns lo = m[k].start_ns > from ? m[k].start_ns : from;
                fsim_ns hi = m[k].end_ns < from + FSIM_SECOND ? m[k].end_ns : from + FSIM_SECOND;
                resident += (uint64_t)overlap(from, from + FSIM_SECOND, m[k].start_ns, m[k].end_ns);
                for (uint32_t c = 0; c < cpu->count; c++) {
                    used += (fsim_u128)(uint64_t)overlap(lo, hi, cpu->item[c].from_ns, cpu->item[c].to_ns) *
                            cpu->item[c].rate_ucore;
                }
            }
            bool active = used * 20 >= (fsim_u128)resident * vcpu_milli * 1000; /* 5 % */
            active_ns += active ? (uint64_t)part : 0;
        }
        *mem_ms += (uint64_t)(m[j].end_ns - m[j].start_ns + FSIM_MS - 1) / (uint64_t)FSIM_MS;
        *cpu_ms += (active_ns + (uint64_t)FSIM_MS - 1) / (uint64_t)FSIM_MS;
        for (uint32_t c = 0; c < cpu->count; c++) {
            *cpu_ucore_ns +=
                (fsim_u128)overlap(m[j].start_ns, m[j].end_ns, cpu->item[c].from_ns, cpu->item[c].to_ns) *
                cpu->item[c].rate_ucore;
        }
    }
}

/* ---- comparing ---- */

typedef struct sums {
    fsim_usage usage; /* of the timelines */
    uint64_t mem_ms, cpu_ms;
    fsim_u128 cpu_ucore_ns;
    uint32_t instances;
    bool together;  /* several requests began at once with an instance: which is the first is left open */
    bool handed_on; /* two ended at one instant, at which a third began: in which order is left open */
} sums;

static void add_usage(fsim_usage *into, const fsim_usage *u) {
    into->requests += u->requests;
    into->request_ns += u->request_ns;
    into->active_intervals += u->active_intervals;
    into->active_ns += u->active_ns;
    for (int i = 0; i < 2; i++) {
        into->request_ms[i] += u->request_ms[i];
        into->request_init_ms[i] += u->request_init_ms[i];
        into->active_ms[i] += u->active_ms[i];
        into->active_init_ms[i] += u->active_init_ms[i];
    }
    into->threshold_mem_ms += u->threshold_mem_ms;
    into->threshold_cpu_ms += u->threshold_cpu_ms;
    into->cpu_ucore_ns += u->cpu_ucore_ns;
    into->starting_ns += u->starting_ns;
    into->residency_ns += u->residency_ns;
    into->idle_ns += u->idle_ns;
    into->residency_ms[0] += u->residency_ms[0];
    into->init_ms += u->init_ms;
}

/* One instance: the rows of its requests, from readiness to its end. */
static void add_instance(sums *s, const world *w, const row *r, uint32_t count, fsim_ns end_ns) {
    static span_list uses, cpu;
    row active[REQUESTS_MAX];
    fsim_timeline_request requests[REQUESTS_MAX];
    fsim_ns ready_ns = r[0].start_ns;
    uses.count = 0;
    for (uint32_t i = 0; i < count; i++) {
        add_request(&uses, w, &r[i]);
        requests[i] = (fsim_timeline_request){r[i].start_ns, r[i].end_ns};
    }
    uint32_t n = intervals(r, count, active);
    for (uint32_t i = 0; !w->freeze && i <= n; i++) { /* background CPU where no request is inside */
        add_use(&uses, i == 0 ? ready_ns : active[i - 1].end_ns, i == n ? end_ns : active[i].start_ns,
                w->background_milli);
    }
    if (w->after) {
        add_after_work(&uses, w, r, count, end_ns);
    }
    sum_up(&cpu, &uses, w->vcpu_milli * 1000);
    if (cpu.count == 0) { /* none used at all: a timeline without spans means all of it */
        cpu.item[cpu.count++] = (fsim_timeline_cpu){ready_ns, end_ns, 0};
    }
    fsim_timeline_instance instance = {.memory_mb = 256,
                                       .vcpu_milli = w->vcpu_milli,
                                       .init_ns = w->cold_ns,
                                       .ready_ns = ready_ns,
                                       .end_ns = end_ns,
                                       .freeze = w->freeze,
                                       .requests = requests,
                                       .request_count = count,
                                       .cpu = cpu.item,
                                       .cpu_count = cpu.count};
    fsim_meter_plan plan = fsim_meter_plan_default();
    fsim_error err = {0};
    fsim_usage usage;
    if (CHECK(fsim_timeline_meter(&instance, &plan, NULL, &usage, &err) == FSIM_OK)) {
        add_usage(&s->usage, &usage);
    } else {
        printf("    %s\n", err.text);
    }
    row resident = {.start_ns = ready_ns, .end_ns = end_ns};
    every_window(w->freeze ? active : &resident, w->freeze ? n : 1, ready_ns, &cpu, w->vcpu_milli, &s->mem_ms,
                 &s->cpu_ms, &s->cpu_ucore_ns);
    s->instances++;
    s->together |= count > 1 && r[1].start_ns == r[0].start_ns;
    for (uint32_t i = 0; i < count * count * count; i++) {
        const row *a = &r[i % count], *b = &r[i / count % count], *c = &r[i / count / count];
        s->handed_on |= a != b && a->end_ns == b->end_ns && c->start_ns == a->end_ns;
    }
}

static fsim_ns later(fsim_ns a, fsim_ns b) {
    return a > b ? a : b;
}

/* Rows with one pool id are those of one instance after the other: a cold request after its end begins a new
 * one. */
static void cut_into_instances(sums *s, const world *w, rows *all) {
    qsort(all->row, all->count, sizeof *all->row, by_pool);
    for (uint32_t from = 0; from < all->count;) {
        uint32_t to = from;
        fsim_ns end_ns = 0;
        while (to < all->count && all->row[to].pool == all->row[from].pool &&
               (to == from || !all->row[to].cold || all->row[to].start_ns <= end_ns)) {
            const row *r = &all->row[to++];
            end_ns = later(end_ns, r->end_ns + w->window_ns);
            end_ns = w->hold && r->session != 0 ? later(end_ns, r->end_ns + w->idle_ns) : end_ns;
        }
        add_instance(s, w, &all->row[from], to - from, end_ns);
        from = to;
    }
}

static void compare(const fsim_usage *run, const sums *s, bool told) {
    const fsim_usage *line = &s->usage;
    uint64_t apart = told ? 0 : run->instances_ended; /* which of the idle ones goes: model/lane.h */
    if (s->handed_on) {
        return;
    }
    CHECK_EQ_INT(run->instances_started, s->instances);
    CHECK_EQ_INT(run->requests, line->requests);
    CHECK_EQ_INT(run->request_ns, line->request_ns);
    CHECK_EQ_INT(run->active_intervals, line->active_intervals);
    CHECK_EQ_INT(run->active_ns, line->active_ns);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ_INT(run->request_ms[i], line->request_ms[i]);
        CHECK(s->together || run->request_init_ms[i] == line->request_init_ms[i]);
    }
    CHECK_EQ_INT(run->active_ms[0], line->active_ms[0]);
    CHECK_EQ_INT(run->active_init_ms[0], line->active_init_ms[0]);
    CHECK_EQ_INT(run->threshold_mem_ms, line->threshold_mem_ms);
    CHECK_EQ_INT(run->threshold_cpu_ms, line->threshold_cpu_ms);
    CHECK_EQ_INT(run->cpu_ucore_ns, line->cpu_ucore_ns);
    CHECK_EQ_INT(run->residency_ns, line->residency_ns);
    CHECK(run->residency_ms[0] <= line->residency_ms[0] + apart);
    CHECK(line->residency_ms[0] <= run->residency_ms[0] + apart);
    CHECK_EQ_INT(run->idle_ns, line->idle_ns);
    CHECK_EQ_INT(run->starting_ns, line->starting_ns);
    CHECK_EQ_INT(run->init_ms, line->init_ms);
    CHECK_EQ_INT(run->threshold_mem_ms, s->mem_ms);
    CHECK_EQ_INT(run->threshold_cpu_ms, s->cpu_ms);
    CHECK_EQ_INT(run->cpu_ucore_ns, s->cpu_ucore_ns);
}

static void meter(uint64_t seed, bool show) {
    world w;
    choose(&w, seed);
    char *text = print(&w);
    rows all = {.w = &w};
    sums s = {0};
    if (show) {
        fputs(text, stdout);
        fflush(stdout);
    }
    check_context("seed %llu", (unsigned long long)seed);
    fsim_meter_plan plan = fsim_meter_plan_default();
    plan.tells_instances = true;
    fsim_result *run = engine_run(text, seed, on_request, &all);
    if (CHECK(run != NULL)) {
        CHECK_EQ_INT(all.count, w.request_count);
        cut_into_instances(&s, &w, &all);
        compare(&run->usage[0], &s, true);
    }
    fsim_result_destroy(run);
    /* Without rows the engine may take its short ways. */
    for (int told = 0; told < 2; told++) {
        run = told ? engine_run_metered(text, seed, &(fsim_load_options){0}, &plan)
                   : engine_run(text, seed, NULL, NULL);
        if (CHECK(run != NULL)) {
            compare(&run->usage[0], &s, told);
        }
        fsim_result_destroy(run);
    }
    free(text);
}

static void test_meters_of_a_run_are_those_of_its_timeline(void) {
    const char *one = getenv("METERING_SEED");
    if (one != NULL) {
        meter(strtoull(one, NULL, 10), true);
        return;
    }
    for (uint64_t seed = 1; seed <= SCENARIOS && check_state.failures < 20; seed++) {
        meter(seed, false);
    }
}

/* ---- what a long session costs to simulate ---- */

static uint64_t events_of_a_session(const char *length, const char *bursts) {
    char text[1200];
    snprintf(text, sizeof text,
             "{\"schema\": \"fsim.scenario/1\", \"name\": \"long\", \"workload\": {\"source\": \"list\", "
             "\"arrivals\": ["
             "{\"arrival\": \"0s\", \"duration\": \"%s\", \"session\": \"s\"}]}, \"functions\": [{\"name\": "
             "\"fn\", "
             "\"vcpu\": 1, \"concurrency\": 10, \"freeze\": false, \"cpu_fraction\": 0.001, "
             "\"background_cpu\": 0.002, "
             "\"cpu_bursts\": %s, \"session\": {\"idle_timeout\": \"30m\", \"lifetime\": null}}], "
             "\"policy\": {\"bundle\": "
             "\"none\", \"keepalive\": {\"name\": \"fixed\", \"window\": \"10h\"}}, \"billing\": [], "
             "\"run\": {\"until\": "
             "\"48h\"}}",
             length, bursts);
    fsim_result *run = engine_run(text, 1, NULL, NULL);
    REQUIRE(run != NULL);
    uint64_t events = run->events;
    fsim_result_destroy(run);
    return events;
}

static void test_long_sessions_cost_their_heartbeats(void) {
    const char *beat = "{\"cpu\": 0.5, \"busy\": \"50ms\", \"every\": \"30s\"}";
    uint64_t minute = events_of_a_session("1m", "null"), hours = events_of_a_session("10h", "null");
    CHECK_EQ_INT(hours, minute); /* one second or 36 000: the same */
    CHECK(hours < 10);
    /* A beat is two events: 1199 of them begin within 10 h, the first after 30 s. */
    CHECK_EQ_INT(events_of_a_session("10h", beat), hours + 2 * 1199);
}

/* Starts of 1 s; the run ends at 4 s. On the short way and without it the usage is the same. */
static fsim_usage usage_until_4s(const char *arrivals, int concurrency) {
    char text[1200];
    snprintf(text, sizeof text,
             "{\"schema\": \"fsim.scenario/1\", \"name\": \"cut\", \"workload\": {\"source\": \"list\", "
             "\"arrivals\": [%s]}, \"functions\": [{\"name\": \"fn\", \"vcpu\": 1, \"concurrency\": %d, "
             "\"cold_start\": \"1s\"}], \"policy\": {\"bundle\": \"none\", \"scaling\": {\"name\": "
             "\"per_request\"}, \"keepalive\": {\"name\": \"fixed\", \"window\": \"60s\"}}, \"billing\": [], "
             "\"run\": {\"until\": \"4s\"}}",
             arrivals, concurrency);
    fsim_error err = {0};
    fsim_load_options load = {0};
    fsim_result *run = engine_run_with(text, &(fsim_run_options){.seed = 1}, &load, &err);
    fsim_result *general =
        engine_run_with(text, &(fsim_run_options){.seed = 1, .no_short_way = true}, &load, &err);
    REQUIRE(run != NULL && general != NULL);
    fsim_usage usage = run->usage[0];
    CHECK(memcmp(&usage, &general->usage[0], sizeof usage) == 0);
    fsim_result_destroy(run);
    fsim_result_destroy(general);
    return usage;
}

static void check_cut(const fsim_usage *u, uint64_t requests, uint64_t request_ms, uint64_t intervals,
                      uint64_t active_ms) {
    CHECK_EQ_INT(u->requests, requests);
    CHECK_EQ_INT(u->request_ns, request_ms * FSIM_MS);
    CHECK_EQ_INT(u->request_init_ms[0], 1000);
    CHECK_EQ_INT(u->active_intervals, intervals);
    CHECK_EQ_INT(u->active_ns, active_ms * FSIM_MS);
    CHECK_EQ_INT(u->active_init_ms[0], 1000);
    CHECK_EQ_INT(u->init_ms, 1000);
}

/* What the end of the run cuts is billed as if it had completed there. */
static void test_the_end_bills_the_initialisation(void) {
    fsim_usage u =
        usage_until_4s("{\"arrival\": \"0s\", \"duration\": \"10s\"}", 1); /* from 1 s to the end */
    check_cut(&u, 1, 3000, 1, 3000);
    /* A second is still waiting for its instance: half of the initialisation, and no request yet. */
    u = usage_until_4s("{\"arrival\": \"0s\", \"duration\": \"10s\"}, "
                       "{\"arrival\": \"3500ms\", \"duration\": \"10s\"}",
                       1);
    CHECK_EQ_INT(u.requests, 1);
    CHECK_EQ_INT(u.request_ns, 3000 * FSIM_MS);
    CHECK_EQ_INT(u.active_intervals, 1);
    CHECK_EQ_INT(u.request_init_ms[0], 1500);
    CHECK_EQ_INT(u.active_init_ms[0], 1500);
    CHECK_EQ_INT(u.init_ms, 1500);
    CHECK_EQ_INT(u.instances_started, 2);
    CHECK_EQ_INT(u.starting_ns, 1500 * FSIM_MS);
    /* The instance's second request is cut: the first has billed it. */
    u = usage_until_4s("{\"arrival\": \"0s\", \"duration\": \"1500ms\"}, "
                       "{\"arrival\": \"3s\", \"duration\": \"10s\"}",
                       1);
    check_cut(&u, 2, 2500, 2, 2500);
    /* Side by side from 1 s on; the one that began first is cut, or the other. */
    u = usage_until_4s("{\"arrival\": \"0s\", \"duration\": \"10s\"}, "
                       "{\"arrival\": \"1200ms\", \"duration\": \"1s\"}",
                       2);
    check_cut(&u, 2, 4000, 1, 3000);
    u = usage_until_4s("{\"arrival\": \"0s\", \"duration\": \"1s\"}, "
                       "{\"arrival\": \"1200ms\", \"duration\": \"10s\"}",
                       2);
    check_cut(&u, 2, 3800, 1, 3000);
}

int main(void) {
    RUN(test_meters_of_a_run_are_those_of_its_timeline);
    RUN(test_the_end_bills_the_initialisation);
    RUN(test_long_sessions_cost_their_heartbeats);
    return check_done();
}
