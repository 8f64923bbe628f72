/* The meters: small inline kernels that turn spans of nanoseconds into the sums of fsim_usage. The engine
 * calls them in its loop and billing/timeline.c calls the same ones on a given timeline, so there is one
 * implementation of every rule.
 *
 * Order of calls at one instant t: completions before arrivals. A request that ends at t and another that
 * starts at t on an instance without a third one inside are two active intervals (billing spec 1.7, line 5):
 * end the interval, then begin the next.
 *
 * Source of the rules: billing spec 1.2 (requests), 1.3 (active intervals), 1.4 (CPU threshold). */
#ifndef FSIM_BILLING_METER_H
#define FSIM_BILLING_METER_H

#include "base/error.h"
#include "base/inline.h"
#include "billing/usage.h"

#define FSIM_UCORE 1000000 /* millionths of a core in one */

/* ---- rules
 * ---------------------------------------------------------------------------------------------------------
 */

/* Rounds a span up to steps of step_ms (>= 1), at least least_ms. Division by the step is a multiplication
 * with magic = floor(2^(63 + l) / d) + 1, l = ceil(log2 d), exact for every n < 2^63 (T. Granlund, P. L.
 * Montgomery, "Division by invariant integers using multiplication", 1994, theorem 4.2 with N = 63). */
static inline fsim_meter_rule fsim_meter_rule_make(uint64_t step_ms, uint64_t least_ms) {
    fsim_assert(step_ms >= 1 && step_ms <= UINT64_C(1) << 40);
    fsim_meter_rule rule = {.step_ms = step_ms, .least_ms = least_ms, .step_ns = step_ms * (uint64_t)FSIM_MS};
    uint32_t log = 64 - (uint32_t)__builtin_clzll(rule.step_ns - 1);
    rule.magic = (uint64_t)(((fsim_u128)1 << (63 + log)) / rule.step_ns) + 1;
    rule.shift = log - 1;
    return rule;
}

/* The index of a rule in the set, added if it is new; FSIM_METER_RULES_MAX when the set is full. */
static inline uint32_t fsim_meter_rules_add(fsim_meter_rules *rules, uint64_t step_ms, uint64_t least_ms) {
    uint32_t i = 0;
    while (i < rules->count && (rules->rule[i].step_ms != step_ms || rules->rule[i].least_ms != least_ms)) {
        i++;
    }
    if (i == rules->count && i < FSIM_METER_RULES_MAX) {
        rules->rule[rules->count++] = fsim_meter_rule_make(step_ms, least_ms);
    }
    return i;
}

/* What every run meters: requests at 1 ms and 100 ms, active intervals at 1 ms, residency and allocation at 1
 * ms (each at least one step), CPU in windows of 1 s with a threshold of 5 % (billing spec 1.7, lines 3, 4,
 * 6, 8). `metered` is 0: the engine says what it counts. */
static inline fsim_meter_plan fsim_meter_plan_default(void) {
    fsim_meter_plan plan = {.window_ns = FSIM_SECOND, .threshold = {.ppm = 50000}};
    fsim_meter_rules_add(&plan.request, 1, 1);
    fsim_meter_rules_add(&plan.request, 100, 100);
    fsim_meter_rules_add(&plan.active, 1, 1);
    fsim_meter_rules_add(&plan.residency, 1, 1);
    fsim_meter_rules_add(&plan.provisioned, 1, 1);
    return plan;
}

/* ceil(span / 1 ms), exact for every fsim_ns. About 1 ns: the multiplication of fsim_meter_rule_make, written
 * out because a compiler that takes the caller for seldom divides. */
FSIM_INLINE uint64_t fsim_meter_ceil_ms(uint64_t span_ns) {
    const uint64_t magic = (uint64_t)(((fsim_u128)1 << 83) / (uint64_t)FSIM_MS) + 1;
    return (uint64_t)(((fsim_u128)(span_ns + (uint64_t)FSIM_MS - 1) * magic) >> 64) >> 19;
}

/* Steps that a span below 2^62 ns (146 years) takes, the last one begun counted in full. */
FSIM_INLINE uint64_t fsim_meter_steps(const fsim_meter_rule *rule, uint64_t span_ns) {
    uint64_t n = span_ns + rule->step_ns - 1;
    return (uint64_t)(((fsim_u128)n * rule->magic) >> 64) >> rule->shift;
}

/* Billed milliseconds of such a span. */
FSIM_INLINE uint64_t fsim_meter_billed_ms(const fsim_meter_rule *rule, uint64_t span_ns) {
    uint64_t billed = fsim_meter_steps(rule, span_ns) * rule->step_ms;
    return billed < rule->least_ms ? rule->least_ms : billed;
}

/* ---- requests, active intervals, instances
 * ---------------------------------------------------------------------- */

FSIM_INLINE void fsim_meter_add_span(const fsim_meter_rules *rules, uint64_t span_ns, uint64_t *billed_ms) {
    for (uint32_t i = 0; i < rules->count; i++) {
        billed_ms[i] += fsim_meter_billed_ms(&rules->rule[i], span_ns);
    }
}

/* Initialisation billed with the span after it: one rounding of the sum (139711 ms for 138999.20 + 711.04,
 * not 139712). */
static inline void fsim_meter_add_init(const fsim_meter_rules *rules, uint64_t init_ns, uint64_t span_ns,
                                       uint64_t *extra_ms) {
    for (uint32_t i = 0; i < rules->count; i++) {
        extra_ms[i] += fsim_meter_billed_ms(&rules->rule[i], init_ns + span_ns) -
                       fsim_meter_billed_ms(&rules->rule[i], span_ns);
    }
}

/* A request ran for span_ns (from the start of execution to completion or cut-off). init_ns: the
 * initialisation of the instance when this is its first request, else 0. About 1.5 ns a rule. */
static inline void fsim_meter_request(const fsim_meter_plan *plan, fsim_usage *usage, uint64_t span_ns,
                                      uint64_t init_ns, bool provisioned) {
    usage->requests++;
    usage->request_ns += span_ns;
    fsim_meter_add_span(&plan->request, span_ns, usage->request_ms);
    if (init_ns != 0) {
        fsim_meter_add_init(&plan->request, init_ns, span_ns, usage->request_init_ms);
    }
    if (provisioned) {
        usage->provisioned_requests++;
        fsim_meter_add_span(&plan->request, span_ns, usage->provisioned_ms);
    }
}

/* A maximal interval with at least one request inside has ended. init_ns: as above, for the first interval of
 * an instance. */
static inline void fsim_meter_active(const fsim_meter_plan *plan, fsim_usage *usage, uint64_t span_ns,
                                     uint64_t init_ns) {
    usage->active_intervals++;
    usage->active_ns += span_ns;
    fsim_meter_add_span(&plan->active, span_ns, usage->active_ms);
    if (init_ns != 0) {
        fsim_meter_add_init(&plan->active, init_ns, span_ns, usage->active_init_ms);
    }
}

/* An instance ends (or the run does): it was starting for starting_ns, then resident for resident_ns, of
 * which idle_ns without a request. */
static inline void fsim_meter_instance(const fsim_meter_plan *plan, fsim_usage *usage, uint64_t starting_ns,
                                       uint64_t resident_ns, uint64_t idle_ns) {
    usage->instances_ended++;
    usage->starting_ns += starting_ns;
    usage->residency_ns += resident_ns;
    usage->idle_ns += idle_ns;
    fsim_meter_add_span(&plan->residency, resident_ns, usage->residency_ms);
    fsim_meter_add_span(&plan->lifetime, starting_ns + resident_ns, usage->lifetime_ms);
}

/* A provisioned instance is released (or the run ends) after alloc_ns, of which idle_ns without a request.
 * Beside fsim_meter_instance. */
static inline void fsim_meter_provisioned(const fsim_meter_plan *plan, fsim_usage *usage, uint64_t alloc_ns,
                                          uint64_t idle_ns) {
    usage->provisioned_alloc_ns += alloc_ns;
    usage->provisioned_idle_ns += idle_ns;
    fsim_meter_add_span(&plan->provisioned, alloc_ns, usage->provisioned_alloc_ms);
}

/* The initialisation of an instance that serves: once, when its first request starts. */
static inline void fsim_meter_init(fsim_usage *usage, uint64_t init_ns) {
    usage->init_ns += init_ns;
    usage->init_ms += fsim_meter_ceil_ms(init_ns);
}

/* The run ends while an instance initialises for a request that waits for it: billed is what there is of the
 * initialisation, with no execution behind it. */
static inline void fsim_meter_init_cut(const fsim_meter_plan *plan, fsim_usage *usage, uint64_t init_ns) {
    fsim_meter_init(usage, init_ns);
    fsim_meter_add_span(&plan->request, init_ns, usage->request_init_ms);
    fsim_meter_add_span(&plan->active, init_ns, usage->active_init_ms);
}

/* ---- CPU threshold
 * ------------------------------------------------------------------------------------------------
 *
 * Windows W_k of one instance are anchored at its readiness; M is what memory is billed for: the active
 * intervals (freeze), or everything from ready to end (no freeze: one interval). For window k, x_k is the CPU
 * time used inside M, L_k = |W_k and M| (or the whole window, `full_window`), c the configured CPU; it is
 * active iff x_k >= threshold * c * L_k. For every maximal interval I of M memory time = ceil_1ms(|I|),   CPU
 * time = ceil_1ms(sum of |W_k and I| over the active k).
 *
 * Whether a window is active is known only at its end, so what depends on it waits in `pending_ms`. An
 * interval that spans windows carries the length of its active parts (`carry_ns`) from window to window; when
 * it ends inside window k it adds ceil(carry) at once and ceil(carry + part) - ceil(carry) to `pending_ms`:
 * the sum is right whichever way the window is decided.
 *
 * Use: open (ready); begin and end (an interval of M; between them set_rate at each change of the CPU in
 * use); close (end of the instance). In no-freeze mode M is begun right after open and ended right before
 * close, and only set_rate is called in between. Cost: begin, set_rate and end within the current window are
 * a few integer additions; entering another window closes the current one with two 128-bit products; a
 * stretch over any number of windows at a constant rate costs the same as one (closed form). */

/* Per function and run; made once. */
typedef struct fsim_cpu_rule {
    uint64_t window_ns;
    uint64_t limit;                   /* threshold in ppm times configured CPU in ucore */
    const struct fsim_cpu_more *more; /* NULL: one threshold */
    bool full_window, above;
} fsim_cpu_rule;

/* What further thresholds carry for one instance: they share the windows and differ in what is active. */
typedef struct fsim_cpu_carry {
    uint64_t carry_ns[FSIM_THRESHOLDS_MORE];  /* as fsim_cpu_meter.carry_ns */
    int64_t differs_ms[FSIM_THRESHOLDS_MORE]; /* their pending_ms minus fsim_cpu_meter.pending_ms */
} fsim_cpu_carry;

/* The further thresholds of a run. */
typedef struct fsim_cpu_more {
    const fsim_threshold *threshold;
    uint32_t count;
    fsim_cpu_carry *slots; /* by fsim_cpu_meter.slot; all zero when an instance opens its meter */
} fsim_cpu_more;

/* Per instance; no pointers. */
typedef struct fsim_cpu_meter {
    fsim_ns window_end_ns; /* of the current window */
    uint64_t cpu; /* used in the current window, ucore * ns: window times cores below 18 000 core-seconds */
    uint64_t resident_ns; /* L_k without the open part */
    uint64_t pending_ms;  /* CPU time to bill if the current window turns out active */
    /* the open interval; fsim_cpu_meter_add does without */
    fsim_ns begun_at_ns; /* FSIM_NEVER: none is open */
    fsim_ns part_at_ns;  /* its part in the current window */
    fsim_ns seen_at_ns;  /* its CPU is accounted up to here */
    uint64_t carry_ns;   /* its active parts in earlier windows */
    uint32_t rate_ucore; /* CPU in use now */
    uint32_t slot;       /* of its fsim_cpu_carry, where there are more thresholds */
} fsim_cpu_meter;

static inline fsim_cpu_rule fsim_cpu_rule_make(const fsim_meter_plan *plan, uint64_t vcpu_milli) {
    return (fsim_cpu_rule){.window_ns = (uint64_t)plan->window_ns,
                           .limit = plan->threshold.ppm * (vcpu_milli * (FSIM_UCORE / 1000)),
                           .full_window = plan->threshold.full_window,
                           .above = plan->threshold.above};
}

/* The instance is ready. The grid starts at anchor_ns <= now_ns: now_ns itself, or the instant of a
 * wall-clock grid. */
static inline void fsim_cpu_meter_open(fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_ns now_ns,
                                       fsim_ns anchor_ns) {
    uint64_t into = (uint64_t)(now_ns - anchor_ns) % rule->window_ns;
    *m = (fsim_cpu_meter){.window_end_ns = now_ns + (fsim_ns)(rule->window_ns - into),
                          .begun_at_ns = FSIM_NEVER};
}

static inline bool fsim_cpu_rule_active(const fsim_cpu_rule *rule, uint64_t cpu, uint64_t resident_ns) {
    uint64_t length = rule->full_window ? rule->window_ns : resident_ns;
    fsim_u128 used = (fsim_u128)cpu * 1000000, needed = (fsim_u128)rule->limit * length;
    return rule->above ? used > needed : used >= needed;
}

/* Moves the meter into the window of now_ns, which is at or after the end of the current one. Out of line:
 * once per window at most. */
void fsim_cpu_meter_next_window(fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_usage *usage,
                                fsim_ns now_ns);

/* An interval that spans windows ends with `part_ns` in the current one: what the further thresholds make of
 * it. */
void fsim_cpu_meter_end_more(const fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_usage *usage,
                             uint64_t part_ns, uint64_t pending_ms);

FSIM_INLINE void fsim_cpu_meter_begin(fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_usage *usage,
                                      fsim_ns now_ns, uint32_t rate_ucore) {
    if (FSIM_UNLIKELY(now_ns >= m->window_end_ns)) {
        fsim_cpu_meter_next_window(m, rule, usage, now_ns);
    }
    m->begun_at_ns = now_ns;
    m->part_at_ns = now_ns;
    m->seen_at_ns = now_ns;
    m->carry_ns = 0;
    m->rate_ucore = rate_ucore;
}

/* From now_ns on the instance uses rate_ucore millionths of a core. Only while an interval is open. */
FSIM_INLINE void fsim_cpu_meter_set_rate(fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_usage *usage,
                                         fsim_ns now_ns, uint32_t rate_ucore) {
    if (FSIM_UNLIKELY(now_ns >= m->window_end_ns)) {
        fsim_cpu_meter_next_window(m, rule, usage, now_ns);
    }
    m->cpu += (uint64_t)(now_ns - m->seen_at_ns) * m->rate_ucore;
    m->seen_at_ns = now_ns;
    m->rate_ucore = rate_ucore;
}

/* Adds CPU time to the current window without a rate: for CPU that is known per window only. */
static inline void fsim_cpu_meter_deposit(fsim_cpu_meter *m, uint64_t ucore_ns) {
    m->cpu += ucore_ns;
}

/* Ends the open interval; the caller adds the answer to usage->threshold_mem_ms. An interval that ends
 * exactly at a window's end belongs to that window only: hence > and not >=. */
FSIM_INLINE uint64_t fsim_cpu_meter_end_apart(fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_usage *usage,
                                              fsim_ns now_ns) {
    if (FSIM_UNLIKELY(now_ns > m->window_end_ns)) {
        fsim_cpu_meter_next_window(m, rule, usage, now_ns);
    }
    uint64_t part = (uint64_t)(now_ns - m->part_at_ns);
    uint64_t mem_ms = fsim_meter_ceil_ms(part);
    m->cpu += (uint64_t)(now_ns - m->seen_at_ns) * m->rate_ucore;
    m->resident_ns += part;
    if (FSIM_LIKELY(m->part_at_ns == m->begun_at_ns)) { /* wholly inside this window */
        m->pending_ms += mem_ms;
    } else {
        uint64_t carry_ms = fsim_meter_ceil_ms(m->carry_ns);
        mem_ms = fsim_meter_ceil_ms((uint64_t)(now_ns - m->begun_at_ns));
        usage->threshold_cpu_ms += carry_ms;
        uint64_t pending_ms = fsim_meter_ceil_ms(m->carry_ns + part) - carry_ms;
        m->pending_ms += pending_ms;
        if (rule->more != NULL) {
            fsim_cpu_meter_end_more(m, rule, usage, part, pending_ms);
        }
    }
    m->begun_at_ns = FSIM_NEVER;
    m->rate_ucore = 0;
    return mem_ms;
}

static inline void fsim_cpu_meter_end(fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_usage *usage,
                                      fsim_ns now_ns) {
    usage->threshold_mem_ms += fsim_cpu_meter_end_apart(m, rule, usage, now_ns);
}

/* A whole interval at once, for callers that learn of it at its end. Within the current window, the common
 * case, it is two calls of a few additions; elsewhere fsim_cpu_meter_span. */
FSIM_INLINE bool fsim_cpu_meter_fits(const fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_ns from_ns,
                                     fsim_ns to_ns) {
    return to_ns <= m->window_end_ns && from_ns >= m->window_end_ns - (fsim_ns)rule->window_ns &&
           from_ns < to_ns;
}

/* An interval that fits; the caller adds the answer to usage->threshold_mem_ms. */
FSIM_INLINE uint64_t fsim_cpu_meter_add(fsim_cpu_meter *m, uint64_t span_ns, uint32_t rate_ucore) {
    uint64_t span_ms = fsim_meter_ceil_ms(span_ns);
    m->cpu += span_ns * rate_ucore;
    m->resident_ns += span_ns;
    m->pending_ms += span_ms;
    return span_ms;
}

/* Begin at from_ns and end at to_ns at a constant rate. */
static inline void fsim_cpu_meter_span(fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_usage *usage,
                                       fsim_ns from_ns, fsim_ns to_ns, uint32_t rate_ucore) {
    fsim_cpu_meter_begin(m, rule, usage, from_ns, rate_ucore);
    fsim_cpu_meter_end(m, rule, usage, to_ns);
}

/* Billed up to at_ns, which is not before anything the meter has seen: what is in `usage`, and the part of an
 * open interval that has become certain. Moves the meter into the window of at_ns; the sums of the interval
 * are not changed by that. Adds to *mem_ms and to cpu_ms[0 … more thresholds]. */
void fsim_cpu_meter_so_far(fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_usage *usage, fsim_ns at_ns,
                           uint64_t *mem_ms, uint64_t *cpu_ms);

/* The instance ends, no interval is open: decides its last, partial window. */
void fsim_cpu_meter_close(fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_usage *usage);

#endif
