/* The meters, on given timelines: worked cases, a second implementation of the CPU windows written for
 * clarity, and the relations between the ways of billing (billing spec, section 1.6) on random timelines. */
#include "billing/timeline.h"

#include "base/rng.h"

#include "support/check.h"

#define REQUESTS_MAX 24
#define CPU_MAX      24

/* A timeline with room of its own. */
typedef struct sheet {
    fsim_timeline_instance instance;
    fsim_timeline_request requests[REQUESTS_MAX];
    fsim_timeline_cpu cpu[CPU_MAX];
} sheet;

static void sheet_init(sheet *s, bool freeze) {
    memset(s, 0, sizeof *s);
    s->instance = (fsim_timeline_instance){.memory_mb = 1024,
                                           .vcpu_milli = 1000,
                                           .disk_mb = 512,
                                           .end_ns = FSIM_NEVER,
                                           .freeze = freeze,
                                           .requests = s->requests,
                                           .cpu = s->cpu};
}

static void add_request(sheet *s, fsim_ns start_ns, fsim_ns end_ns) {
    s->requests[s->instance.request_count++] = (fsim_timeline_request){start_ns, end_ns};
}

static void add_cpu(sheet *s, fsim_ns from_ns, fsim_ns to_ns, uint32_t rate_ucore) {
    s->cpu[s->instance.cpu_count++] = (fsim_timeline_cpu){from_ns, to_ns, rate_ucore};
}

static fsim_usage metered(sheet *s, const fsim_meter_plan *plan, const fsim_timeline_options *options) {
    fsim_usage usage;
    fsim_error err = {0};
    s->instance.requests = s->requests;
    s->instance.cpu = s->cpu;
    fsim_status status = fsim_timeline_meter(&s->instance, plan, options, &usage, &err);
    CHECK_EQ_STR(err.text, "");
    REQUIRE(status == FSIM_OK);
    return usage;
}

/* ---- rules
 * ---------------------------------------------------------------------------------------------------------
 */

static void test_division_is_exact(void) {
    static const uint64_t steps_ms[] = {1,    2,     3,     7,      10,       100,
                                        1000, 10000, 60000, 300000, 86400000, UINT64_C(1) << 40};
    fsim_rng rng;
    fsim_rng_seed(&rng, 1, "division", FSIM_RNG_SERVICE);
    for (size_t i = 0; i < sizeof steps_ms / sizeof steps_ms[0]; i++) {
        fsim_meter_rule rule = fsim_meter_rule_make(steps_ms[i], 0);
        uint64_t step = rule.step_ns;
        check_context("step %" PRIu64 " ms", steps_ms[i]);
        for (int j = 0; j < 20000; j++) {
            uint64_t span = (fsim_rng_word(&rng) >> 2) >> (j % 62);
            uint64_t near = span / step * step; /* and right beside a multiple */
            const uint64_t spans[] = {span, near, near + 1, near == 0 ? 0 : near - 1};
            for (int k = 0; k < 4; k++) {
                uint64_t expected = (spans[k] / step + (spans[k] % step != 0)) * steps_ms[i];
                REQUIRE(fsim_meter_billed_ms(&rule, spans[k]) == expected);
            }
        }
    }
}

static void test_least_and_steps(void) {
    fsim_meter_rule one = fsim_meter_rule_make(1, 1), hundred = fsim_meter_rule_make(100, 100),
                    flex = fsim_meter_rule_make(100, 1000), raw = fsim_meter_rule_make(1, 0);
    CHECK_EQ_INT(fsim_meter_billed_ms(&raw, 0), 0);
    CHECK_EQ_INT(fsim_meter_billed_ms(&one, 0), 1);
    CHECK_EQ_INT(fsim_meter_billed_ms(&one, 1), 1);
    CHECK_EQ_INT(fsim_meter_billed_ms(&one, 1000000), 1);
    CHECK_EQ_INT(fsim_meter_billed_ms(&one, 1000001), 2);
    CHECK_EQ_INT(fsim_meter_billed_ms(&hundred, 260000000), 300);
    CHECK_EQ_INT(fsim_meter_billed_ms(&hundred, 300001000), 400);
    CHECK_EQ_INT(fsim_meter_billed_ms(&flex, 260000000), 1000);
    CHECK_EQ_INT(fsim_meter_billed_ms(&flex, 1250000000), 1300);
}

/* Real log lines of AWS Lambda: one rounding for both, 138999.20 + 711.04 ms were billed as 139711. */
static void test_init_is_rounded_with_the_first_request(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    sheet s;
    sheet_init(&s, true);
    s.instance.init_ns = 711040000;
    add_request(&s, 0, INT64_C(138999200000));
    add_request(&s, INT64_C(200000000000), INT64_C(200000001000));
    fsim_usage usage = metered(&s, &plan, NULL);
    CHECK_EQ_INT(usage.request_ms[0] + usage.request_init_ms[0], 139711 + 1);
    CHECK_EQ_INT(usage.active_ms[0] + usage.active_init_ms[0], 139711 + 1);
    CHECK_EQ_INT(usage.init_ms, 712);
}

/* ---- CPU windows, worked by hand
 * ----------------------------------------------------------------------------------- */

/* One interval of 5 s whose seconds use 1, 6, 15, 50 and 100 %: the billed CPU falls as the threshold rises.
 */
static void test_threshold_sweep(void) {
    static const uint64_t cpu_ns[] = {10000000, 60000000, 150000000, 500000000, 1000000000};
    static const struct {
        uint32_t ppm;
        int64_t cpu_ms;
    } rows[] = {{0, 5000},      {10000, 5000},  {50000, 4000},   {100000, 3000},
                {200000, 2000}, {600000, 1000}, {1000000, 1000}, {1000001, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fsim_meter_plan plan = fsim_meter_plan_default();
        plan.threshold.ppm = rows[i].ppm;
        sheet s;
        sheet_init(&s, true);
        s.instance.window_cpu_ns = cpu_ns;
        s.instance.window_cpu_count = 5;
        add_request(&s, 0, 5 * FSIM_SECOND);
        fsim_usage usage = metered(&s, &plan, NULL);
        check_context("%u ppm", rows[i].ppm);
        CHECK_EQ_INT(usage.threshold_cpu_ms, rows[i].cpu_ms);
        CHECK_EQ_INT(usage.threshold_mem_ms, 5000);
        CHECK(usage.cpu_ucore_ns == (fsim_u128)1720000000 * FSIM_UCORE);
    }
}

/* Freezing and not freezing are not ordered: a longer residency dilutes a window to idle. */
static void test_freeze_and_no_freeze_are_not_ordered(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    for (int freeze = 0; freeze < 2; freeze++) {
        sheet s;
        sheet_init(&s, freeze == 1);
        s.instance.end_ns = FSIM_SECOND;
        add_request(&s, 0, 100 * FSIM_MS);
        add_cpu(&s, 0, 100 * FSIM_MS, 200000); /* 20 ms of CPU */
        fsim_usage usage = metered(&s, &plan, NULL);
        CHECK_EQ_INT(usage.threshold_cpu_ms, freeze == 1 ? 100 : 0);
        CHECK_EQ_INT(usage.threshold_mem_ms, freeze == 1 ? 100 : 1000);
    }
}

/* A busy burst of 50 ms is 5 % of a whole window less 1 us, and 100 % of the time it was there. */
static void test_full_windows_hide_short_bursts(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    sheet s;
    sheet_init(&s, true);
    add_request(&s, 0, 50 * FSIM_MS - FSIM_US);
    CHECK_EQ_INT(metered(&s, &plan, NULL).threshold_cpu_ms, 50);
    plan.threshold.full_window = true;
    CHECK_EQ_INT(metered(&s, &plan, NULL).threshold_cpu_ms, 0);
}

/* Session of an hour, 7.1 s of work in 8 windows: 8 s of CPU, 3600 s of memory, in a handful of steps. */
static void test_long_session(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    sheet s;
    sheet_init(&s, false);
    s.instance.end_ns = 3600 * FSIM_SECOND;
    add_request(&s, 0, 3600 * FSIM_SECOND);
    add_cpu(&s, 0, 3100 * FSIM_MS, FSIM_UCORE);
    add_cpu(&s, 1200 * FSIM_SECOND, 1202 * FSIM_SECOND, FSIM_UCORE);
    add_cpu(&s, 2400 * FSIM_SECOND, 2402 * FSIM_SECOND, FSIM_UCORE);
    fsim_usage usage = metered(&s, &plan, NULL);
    CHECK_EQ_INT(usage.threshold_cpu_ms, 8000);
    CHECK_EQ_INT(usage.threshold_mem_ms, 3600000);
    CHECK(usage.cpu_ucore_ns == (fsim_u128)7100 * FSIM_MS * FSIM_UCORE);
}

static void test_touching_requests(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    sheet s;
    sheet_init(&s, true);
    add_request(&s, 0, 1500 * FSIM_US);
    add_request(&s, 1500 * FSIM_US, 3000 * FSIM_US);
    fsim_usage apart = metered(&s, &plan, NULL);
    fsim_usage merged = metered(&s, &plan, &(fsim_timeline_options){.merge_touching = true});
    CHECK_EQ_INT(apart.active_intervals, 2);
    CHECK_EQ_INT(apart.active_ms[0], 4);
    CHECK_EQ_INT(apart.threshold_mem_ms, 4);
    CHECK_EQ_INT(merged.active_intervals, 1);
    CHECK_EQ_INT(merged.active_ms[0], 3);
    CHECK_EQ_INT(merged.threshold_mem_ms, 3);
}

/* Azure Flex: a larger minimum per active interval than per request breaks "phase 2 <= phase 1"
 * (counter-example). */
static void test_larger_minimum_breaks_the_order(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    uint32_t flex = fsim_meter_rules_add(&plan.active, 100, 1000);
    sheet s;
    sheet_init(&s, true);
    add_request(&s, 0, 120 * FSIM_MS);
    add_request(&s, 50 * FSIM_MS, 260 * FSIM_MS);
    add_request(&s, 400 * FSIM_MS, 401 * FSIM_MS);
    add_request(&s, 3000 * FSIM_MS, 4250 * FSIM_MS);
    fsim_usage usage = metered(&s, &plan, NULL);
    CHECK_EQ_INT(usage.active_ms[flex], 1000 + 1000 + 1300);
    CHECK_EQ_INT(usage.request_ms[0], 120 + 210 + 1 + 1250);
    CHECK(usage.active_ms[flex] > usage.request_ms[0]);
}

/* And so does billing the initialisation under one of them only. */
static void test_init_in_one_phase_breaks_the_order(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    sheet s;
    sheet_init(&s, true);
    s.instance.init_ns = FSIM_SECOND;
    add_request(&s, 0, 10 * FSIM_MS);
    fsim_usage usage = metered(&s, &plan, NULL);
    CHECK(usage.active_ms[0] + usage.active_init_ms[0] > usage.request_ms[0]);
}

/* No freezing can cost more than phase 2: the memory of the residency. */
static void test_no_freeze_can_exceed_phase_2(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    sheet s;
    sheet_init(&s, false);
    s.instance.end_ns = 16 * FSIM_SECOND;
    add_request(&s, 0, 2 * FSIM_SECOND);
    add_request(&s, 5 * FSIM_SECOND, 6 * FSIM_SECOND);
    add_cpu(&s, 0, 2 * FSIM_SECOND, 800000);
    add_cpu(&s, 2 * FSIM_SECOND, 3 * FSIM_SECOND, 300000);
    add_cpu(&s, 5 * FSIM_SECOND, 6 * FSIM_SECOND, 800000);
    add_cpu(&s, 6 * FSIM_SECOND, 8 * FSIM_SECOND, 600000);
    fsim_usage usage = metered(&s, &plan, NULL);
    CHECK_EQ_INT(usage.threshold_cpu_ms, 6000);
    CHECK_EQ_INT(usage.threshold_mem_ms, 16000);
    CHECK_EQ_INT(usage.active_ms[0], 3000);
    CHECK(usage.residency_ns == 16 * FSIM_SECOND && usage.idle_ns == 13 * FSIM_SECOND);
}

static void test_bad_timelines(void) {
    fsim_meter_plan plan = fsim_meter_plan_default();
    fsim_usage usage;
    fsim_error err = {0};
    sheet s;
    sheet_init(&s, true);
    s.instance.ready_ns = 10;
    add_request(&s, 5, 20);
    CHECK_EQ_INT(fsim_timeline_meter(&s.instance, &plan, NULL, &usage, &err), FSIM_EDATA);
    s.requests[0] = (fsim_timeline_request){20, 15};
    CHECK_EQ_INT(fsim_timeline_meter(&s.instance, &plan, NULL, &usage, &err), FSIM_EDATA);
    s.requests[0] = (fsim_timeline_request){20, 30};
    add_cpu(&s, 10, 20, 1);
    add_cpu(&s, 15, 25, 1);
    CHECK_EQ_INT(fsim_timeline_meter(&s.instance, &plan, NULL, &usage, &err), FSIM_EDATA);
}

/* ---- a second implementation
 * --------------------------------------------------------------------------------------- */

static uint64_t overlap(fsim_ns a, fsim_ns b, fsim_ns c, fsim_ns d) {
    fsim_ns from = a > c ? a : c, to = b < d ? b : d;
    return to > from ? (uint64_t)(to - from) : 0;
}

/* The intervals of M, in order; requests must be sorted by start. */
static int intervals_of(const sheet *s, fsim_timeline_request *out) {
    int count = 0;
    if (!s->instance.freeze) {
        out[0] = (fsim_timeline_request){s->instance.ready_ns, s->instance.end_ns};
        return 1;
    }
    for (uint32_t i = 0; i < s->instance.request_count; i++) {
        fsim_timeline_request r = s->requests[i];
        if (count > 0 && r.start_ns < out[count - 1].end_ns) {
            out[count - 1].end_ns = r.end_ns > out[count - 1].end_ns ? r.end_ns : out[count - 1].end_ns;
        } else {
            out[count++] = r;
        }
    }
    return count;
}

/* Billing spec 1.4 word for word: every window, every interval, every CPU span. */
static void plain_threshold(const sheet *s, const fsim_meter_plan *plan, uint64_t *mem_ms, uint64_t *cpu_ms) {
    fsim_timeline_request m[REQUESTS_MAX];
    uint64_t active_ns[REQUESTS_MAX] = {0};
    int count = intervals_of(s, m);
    fsim_ns end_ns = count == 0 ? 0 : m[count - 1].end_ns;
    for (fsim_ns w = s->instance.ready_ns; w < end_ns; w += plan->window_ns) {
        uint64_t part[REQUESTS_MAX], resident = 0;
        fsim_u128 used = 0;
        for (int i = 0; i < count; i++) {
            fsim_ns from = m[i].start_ns > w ? m[i].start_ns : w;
            fsim_ns to = m[i].end_ns < w + plan->window_ns ? m[i].end_ns : w + plan->window_ns;
            part[i] = overlap(m[i].start_ns, m[i].end_ns, w, w + plan->window_ns);
            resident += part[i];
            for (uint32_t c = 0; c < s->instance.cpu_count; c++) {
                used +=
                    (fsim_u128)overlap(from, to, s->cpu[c].from_ns, s->cpu[c].to_ns) * s->cpu[c].rate_ucore;
            }
        }
        uint64_t length = plan->threshold.full_window ? (uint64_t)plan->window_ns : resident;
        bool active = used * 1000000000 >=
                      (fsim_u128)plan->threshold.ppm * s->instance.vcpu_milli * length * FSIM_UCORE;
        for (int i = 0; i < count; i++) {
            active_ns[i] += active ? part[i] : 0;
        }
    }
    *mem_ms = *cpu_ms = 0;
    for (int i = 0; i < count; i++) {
        *mem_ms += ((uint64_t)(m[i].end_ns - m[i].start_ns) + 999999) / 1000000;
        *cpu_ms += (active_ns[i] + 999999) / 1000000;
    }
}

/* ---- random timelines
 * ---------------------------------------------------------------------------------------------- */

static fsim_ns draw(fsim_rng *rng, fsim_ns most) {
    return (fsim_ns)(fsim_rng_word(rng) % (uint64_t)(most + 1));
}

/* A span whose length is anything from a microsecond to minutes, often a whole number of ms or s: the edges
 * matter. */
static fsim_ns draw_span(fsim_rng *rng) {
    static const fsim_ns units[] = {1, FSIM_US, FSIM_MS, 50 * FSIM_MS, FSIM_SECOND};
    fsim_ns unit = units[fsim_rng_below(rng, 5)];
    return 1 + draw(rng, 3) * unit + draw(rng, 1) * draw(rng, 90 * unit) +
           (fsim_rng_below(rng, 3) == 0 ? unit - 1 : 0);
}

/* concurrency 1: requests one after another, sometimes touching; else at any time. */
static void draw_sheet(sheet *s, fsim_rng *rng, bool freeze, bool overlapping) {
    sheet_init(s, freeze);
    s->instance.vcpu_milli = 250u << fsim_rng_below(rng, 4);
    s->instance.ready_ns = draw(rng, 3 * FSIM_SECOND);
    fsim_ns at = s->instance.ready_ns, end = at;
    uint32_t count = 1 + fsim_rng_below(rng, REQUESTS_MAX - 2);
    for (uint32_t i = 0; i < count; i++) {
        at += fsim_rng_below(rng, 3) == 0 ? 0 : draw_span(rng);
        fsim_ns span = draw_span(rng);
        add_request(s, at, at + span);
        end = at + span > end ? at + span : end;
        at = overlapping ? at : at + span;
    }
    s->instance.end_ns = end + (fsim_rng_below(rng, 2) == 0 ? 0 : draw_span(rng));
    at = s->instance.ready_ns;
    for (uint32_t i = 0; i < CPU_MAX && at < s->instance.end_ns; i++) {
        fsim_ns from = at + (fsim_rng_below(rng, 2) == 0 ? 0 : draw_span(rng)), to = from + draw_span(rng);
        uint32_t full = (uint32_t)s->instance.vcpu_milli * 1000;
        add_cpu(s, from, to, fsim_rng_below(rng, 3) == 0 ? full : (uint32_t)draw(rng, full / 8));
        at = to;
    }
}

static void test_against_the_plain_windows(void) {
    static const uint32_t thresholds[] = {0, 10000, 50000, 200000, 1000000, 1000001};
    fsim_rng rng;
    fsim_rng_seed(&rng, 2, "windows", FSIM_RNG_SERVICE);
    for (int round = 0; round < 4000; round++) {
        sheet s;
        fsim_meter_plan plan = fsim_meter_plan_default();
        draw_sheet(&s, &rng, round % 2 == 0, round % 3 != 0);
        plan.threshold.ppm = thresholds[fsim_rng_below(&rng, 6)];
        plan.threshold.full_window = fsim_rng_below(&rng, 4) == 0;
        plan.window_ns = fsim_rng_below(&rng, 4) == 0 ? 100 * FSIM_MS : FSIM_SECOND;
        uint64_t mem_ms, cpu_ms;
        fsim_usage usage = metered(&s, &plan, NULL); /* sorts the requests */
        plain_threshold(&s, &plan, &mem_ms, &cpu_ms);
        check_context("round %d", round);
        REQUIRE(CHECK_EQ_INT(usage.threshold_mem_ms, mem_ms));
        REQUIRE(CHECK_EQ_INT(usage.threshold_cpu_ms, cpu_ms));
    }
}

static bool same_cpu(const fsim_usage *a, const fsim_usage *b) {
    return a->threshold_mem_ms == b->threshold_mem_ms && a->threshold_cpu_ms == b->threshold_cpu_ms &&
           a->cpu_ucore_ns == b->cpu_ucore_ns;
}

static bool same_time(const fsim_usage *a, const fsim_usage *b) {
    return a->requests == b->requests && a->request_ns == b->request_ns &&
           a->request_ms[0] == b->request_ms[0] && a->request_ms[1] == b->request_ms[1] &&
           a->active_intervals == b->active_intervals && a->active_ns == b->active_ns &&
           a->active_ms[0] == b->active_ms[0] && a->residency_ms[0] == b->residency_ms[0] &&
           a->idle_ns == b->idle_ns;
}

/* Visiting every window gives the same sums as skipping over them. */
static void ignore_window(void *user, uint64_t index, uint64_t resident_ns, uint64_t cpu, bool active) {
    (void)index, (void)cpu, (void)active;
    *(uint64_t *)user += resident_ns;
}

static void test_closed_form_equals_steps(void) {
    fsim_rng rng;
    fsim_rng_seed(&rng, 3, "steps", FSIM_RNG_SERVICE);
    for (int round = 0; round < 1000; round++) {
        sheet s;
        uint64_t resident_ns = 0;
        fsim_meter_plan plan = fsim_meter_plan_default();
        draw_sheet(&s, &rng, round % 2 == 0, true);
        fsim_usage jumped = metered(&s, &plan, NULL);
        fsim_usage stepped =
            metered(&s, &plan, &(fsim_timeline_options){.on_window = ignore_window, .user = &resident_ns});
        check_context("round %d", round);
        REQUIRE(same_cpu(&jumped, &stepped) && same_time(&jumped, &stepped));
        CHECK(resident_ns == (s.instance.freeze ? jumped.active_ns : jumped.residency_ns));
    }
}

/* Money of the toy book (billing.json): 2 a request, 100 a vCPU-s, 10 a GB-s, in millionths; here per ms of 1
 * vCPU and 1 GB. */
static uint64_t p1(const fsim_usage *u, int rule) {
    return u->requests * 2000 + u->request_ms[rule] * 110;
}
static uint64_t p2(const fsim_usage *u) {
    return u->requests * 2000 + u->active_ms[0] * 110;
}
static uint64_t p3(const fsim_usage *u) {
    return u->requests * 2000 + u->threshold_mem_ms * 10 + u->threshold_cpu_ms * 100;
}

static void test_order_of_the_phases(void) {
    fsim_rng rng;
    fsim_rng_seed(&rng, 4, "order", FSIM_RNG_SERVICE);
    for (int round = 0; round < 4000; round++) {
        sheet s;
        fsim_meter_plan plan = fsim_meter_plan_default();
        bool overlapping = round % 2 == 0;
        draw_sheet(&s, &rng, true, overlapping);
        fsim_usage u = metered(&s, &plan, NULL);
        check_context("round %d", round);
        /* 1, 7: coarser steps and less sharing never cost less; what is billed is less than a step a unit
         * above the exact time */
        CHECK(p2(&u) <= p1(&u, 0) && p1(&u, 0) <= p1(&u, 1));
        CHECK((fsim_u128)u.request_ms[0] * FSIM_MS >= u.request_ns);
        CHECK((fsim_u128)u.request_ms[0] * FSIM_MS < u.request_ns + (fsim_u128)u.requests * FSIM_MS);
        CHECK((fsim_u128)u.active_ms[0] * FSIM_MS < u.active_ns + (fsim_u128)u.active_intervals * FSIM_MS);
        /* 2: without overlap there is nothing to share */
        CHECK(overlapping || p1(&u, 0) == p2(&u));
        /* 3: the waiver only takes away; everything at 0, nothing above 100 %, falling in between */
        CHECK(p3(&u) <= p2(&u) && u.threshold_mem_ms == u.active_ms[0]);
        /* 5: never below the requests and the memory */
        CHECK(p3(&u) >= u.requests * 2000 + u.threshold_mem_ms * 10);
        uint64_t before = UINT64_MAX;
        for (uint32_t ppm = 0; ppm <= 1250000; ppm += 125000) {
            plan.threshold.ppm = ppm;
            fsim_usage v = metered(&s, &plan, NULL);
            CHECK(ppm != 0 || p3(&v) == p2(&v));
            CHECK(ppm <= 1000000 || v.threshold_cpu_ms == 0);
            CHECK(v.threshold_cpu_ms <= before);
            before = v.threshold_cpu_ms;
        }
        if (check_state.failures > 0) {
            break;
        }
    }
}

/* 2, second part: no overlap and every window active: all three cost the same. */
static void test_all_equal_when_busy_one_at_a_time(void) {
    fsim_rng rng;
    fsim_rng_seed(&rng, 5, "equal", FSIM_RNG_SERVICE);
    for (int round = 0; round < 1000; round++) {
        sheet s;
        fsim_meter_plan plan = fsim_meter_plan_default();
        draw_sheet(&s, &rng, true, false);
        s.instance.cpu_count = 0; /* full CPU while a request is inside */
        fsim_usage u = metered(&s, &plan, NULL);
        REQUIRE(p1(&u, 0) == p2(&u) && p2(&u) == p3(&u));
    }
}

static void test_no_freeze_bounds(void) {
    fsim_rng rng;
    fsim_rng_seed(&rng, 6, "resident", FSIM_RNG_SERVICE);
    for (int round = 0; round < 2000; round++) {
        sheet s;
        fsim_meter_plan plan = fsim_meter_plan_default();
        draw_sheet(&s, &rng, false, true);
        fsim_usage u = metered(&s, &plan, NULL);
        fsim_u128 idle_ms = u.threshold_mem_ms - u.threshold_cpu_ms;
        check_context("round %d", round);
        REQUIRE(u.threshold_mem_ms == u.residency_ms[0] && u.threshold_cpu_ms <= u.threshold_mem_ms); /* 4 */
        /* 5: real CPU use is at most the active windows in full plus the threshold's share of the idle ones
         */
        fsim_u128 capacity = (fsim_u128)u.vcpu_milli * 1000 * FSIM_MS;
        REQUIRE(u.cpu_ucore_ns <=
                capacity * u.threshold_cpu_ms + capacity * (idle_ms + 1) * plan.threshold.ppm / 1000000);
    }
}

static void test_sharing_and_splitting(void) {
    fsim_rng rng;
    fsim_rng_seed(&rng, 7, "split", FSIM_RNG_SERVICE);
    for (int round = 0; round < 2000; round++) {
        sheet s, left, right, nested;
        fsim_meter_plan plan = fsim_meter_plan_default();
        draw_sheet(&s, &rng, true, true);
        fsim_usage whole = metered(&s, &plan, NULL);
        /* 6: the requests of one instance on two never cost less in phase 2, the same in phase 1 */
        left = s;
        right = s;
        left.instance.request_count = right.instance.request_count = 0;
        for (uint32_t i = 0; i < s.instance.request_count; i++) {
            add_request(fsim_rng_below(&rng, 2) == 0 ? &left : &right, s.requests[i].start_ns,
                        s.requests[i].end_ns);
        }
        fsim_usage a = metered(&left, &plan, NULL), b = metered(&right, &plan, NULL);
        check_context("round %d", round);
        REQUIRE(p2(&a) + p2(&b) >= p2(&whole) && p1(&a, 0) + p1(&b, 0) == p1(&whole, 0));
        /* and a request inside an active interval costs its fee only */
        nested = s;
        fsim_timeline_request host = s.requests[fsim_rng_below(&rng, s.instance.request_count)];
        if (host.end_ns - host.start_ns > 2) {
            add_request(&nested, host.start_ns + 1, host.end_ns - 1);
            fsim_usage more = metered(&nested, &plan, NULL);
            REQUIRE(p2(&more) == p2(&whole) + 2000);
        }
    }
}

static void shift(sheet *s, fsim_ns by_ns) {
    s->instance.ready_ns += by_ns;
    s->instance.end_ns += by_ns;
    for (uint32_t i = 0; i < s->instance.request_count; i++) {
        s->requests[i].start_ns += by_ns;
        s->requests[i].end_ns += by_ns;
    }
    for (uint32_t i = 0; i < s->instance.cpu_count; i++) {
        s->cpu[i].from_ns += by_ns;
        s->cpu[i].to_ns += by_ns;
    }
}

/* 8: the grid of windows moves with the instance; a wall-clock grid would not. */
static void test_time_shift(void) {
    fsim_rng rng;
    fsim_rng_seed(&rng, 8, "shift", FSIM_RNG_SERVICE);
    const fsim_timeline_options wall = {.wall_clock_grid = true};
    int differ = 0;
    for (int round = 0; round < 1000; round++) {
        sheet s;
        fsim_meter_plan plan = fsim_meter_plan_default();
        draw_sheet(&s, &rng, round % 2 == 0, true);
        fsim_usage before = metered(&s, &plan, NULL), wall_before = metered(&s, &plan, &wall);
        shift(&s, 1 + draw(&rng, 5 * FSIM_SECOND));
        fsim_usage after = metered(&s, &plan, NULL), wall_after = metered(&s, &plan, &wall);
        REQUIRE(same_cpu(&before, &after) && same_time(&before, &after));
        differ += wall_before.threshold_cpu_ms != wall_after.threshold_cpu_ms;
    }
    CHECK(differ > 0);
}

int main(void) {
    RUN(test_division_is_exact);
    RUN(test_least_and_steps);
    RUN(test_init_is_rounded_with_the_first_request);
    RUN(test_threshold_sweep);
    RUN(test_freeze_and_no_freeze_are_not_ordered);
    RUN(test_full_windows_hide_short_bursts);
    RUN(test_long_session);
    RUN(test_touching_requests);
    RUN(test_larger_minimum_breaks_the_order);
    RUN(test_init_in_one_phase_breaks_the_order);
    RUN(test_no_freeze_can_exceed_phase_2);
    RUN(test_bad_timelines);
    RUN(test_against_the_plain_windows);
    RUN(test_closed_form_equals_steps);
    RUN(test_order_of_the_phases);
    RUN(test_all_equal_when_busy_one_at_a_time);
    RUN(test_no_freeze_bounds);
    RUN(test_sharing_and_splitting);
    RUN(test_time_shift);
    return check_done();
}
