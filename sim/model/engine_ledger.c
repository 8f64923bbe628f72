/* The loops of the ledger; see engine_ledger.h. */
#include "model/engine_stretch.h"

enum { AHEAD = 8, SOON = 4 }; /* rows: so long before what a row touches is fetched, and what that leads to */

/* ---- billed time ---- */

/* A rule's minimum of a step or less counts for spans of 0 alone: all others are a step at least. */
PART uint64_t billed_by(const fsim_meter_rule *rule, const uint64_t *span_ns, uint32_t count,
                        uint64_t zeros) {
    uint64_t sum = 0;
    if (rule->least_ms > rule->step_ms) {
        for (uint32_t k = 0; k < count; k++) {
            sum += fsim_meter_billed_ms(rule, span_ns[k]);
        }
        return sum;
    }
    for (uint32_t k = 0; k < count; k++) {
        sum += fsim_meter_steps(rule, span_ns[k]);
    }
    return sum * rule->step_ms + zeros * rule->least_ms;
}

PART void add_billed(const fsim_meter_rules *rules, const uint64_t *span_ns, uint32_t count,
                     uint64_t *billed_ms) {
    uint64_t zeros = 0;
    for (uint32_t k = 0; k < count; k++) {
        zeros += span_ns[k] == 0;
    }
    for (uint32_t j = 0; j < rules->count; j++) {
        const fsim_meter_rule rule = rules->rule[j];
        billed_ms[j] += billed_by(&rule, span_ns, count, zeros);
    }
}

/* ---- rows of one function: one short loop for each kind of sum, so that it stays in registers ---- */

static inline void note_spans(fsim_histogram *hist, const uint64_t *span_ns, uint32_t count) {
    for (uint32_t k = 0; k < count; k++) {
        fsim_histogram_add(hist, (fsim_ns)span_ns[k]);
    }
}

/* Into a sample: 128 spans of a century each do not fit 64 bits. */
PART void add_spans(fsim_spans *s, fsim_histogram *hist, const uint64_t *span_ns, uint32_t count) {
    fsim_u128 sum_ns = 0;
    uint64_t min_ns = (uint64_t)s->min_ns, max_ns = (uint64_t)s->max_ns;
    for (uint32_t k = 0; k < count; k++) {
        sum_ns += span_ns[k];
        min_ns = span_ns[k] < min_ns ? span_ns[k] : min_ns;
        max_ns = span_ns[k] > max_ns ? span_ns[k] : max_ns;
    }
    s->count += count;
    s->sum_ns += (fsim_wide)sum_ns;
    s->min_ns = (fsim_ns)min_ns;
    s->max_ns = (fsim_ns)max_ns;
    note_spans(hist, span_ns, count);
}

PART void settle_direct(const engine *e, const ledger_direct *row, uint32_t count) {
    if (count == 0) {
        return;
    }
    short_sums *sums = &e->functions[row[0].fn].sums;
    uint64_t span_ns[LEDGER_ROWS];
    uint64_t sum_ns = 0, min_ns = sums->span_min_ns, max_ns = sums->span_max_ns;
    for (uint32_t k = 0; k < count; k++) {
        uint64_t span = row[k].span_ns;
        span_ns[k] = span;
        sums->hist->count[row[k].bucket]++;
        sum_ns += span;
        min_ns = span < min_ns ? span : min_ns;
        max_ns = span > max_ns ? span : max_ns;
    }
    sums->span_ns += sum_ns;
    sums->span_min_ns = min_ns;
    sums->span_max_ns = max_ns;
    sums->completed += count;
    if (e->metering) {
        add_billed(&e->plan.request, span_ns, count, sums->billed_ms);
    }
}

/* One alone: the same without a detour through arrays. */
PART void settle_one(const engine *e, const ledger_direct *row) {
    short_sums *sums = &e->functions[row->fn].sums;
    sums_add_span(sums, row->span_ns, row->bucket);
    sums->completed++;
    if (e->metering) {
        fsim_meter_add_span(&e->plan.request, row->span_ns, sums->billed_ms);
    }
}

PART void settle_waited(const engine *e, const ledger_end *row, uint32_t count) {
    if (count == 0) {
        return;
    }
    tally *t = &e->tallies[row[0].fn];
    fsim_usage *usage = &e->functions[row[0].fn].usage;
    uint64_t executed_ns[LEDGER_ROWS], warm_ns[LEDGER_ROWS], cold_ns[LEDGER_ROWS];
    fsim_u128 sum_ns = 0;
    uint32_t warm = 0, cold = 0;
    for (uint32_t k = 0; k < count; k++) {
        uint64_t latency_ns = (uint64_t)(row[k].end_ns - row[k].arrival_ns);
        executed_ns[k] = (uint64_t)(row[k].end_ns - row[k].start_ns);
        sum_ns += executed_ns[k];
        warm_ns[warm] = latency_ns;
        cold_ns[cold] = latency_ns;
        warm += !row[k].cold;
        cold += row[k].cold;
    }
    add_spans(&t->waited, t->hist.latency_waited, warm_ns, warm);
    add_spans(&t->cold, t->hist.latency_cold, cold_ns, cold);
    add_spans(&t->service, t->hist.service, executed_ns, count);
    t->n.completed += count;
    if (e->metering) {
        usage->requests += count;
        usage->request_ns += sum_ns;
        add_billed(&e->plan.request, executed_ns, count, usage->request_ms);
    }
}

PART void settle_begun(const engine *e, const ledger_begin *row, uint32_t count) {
    if (count == 0) {
        return;
    }
    tally *t = &e->tallies[row[0].fn];
    uint64_t wait_ns[LEDGER_ROWS];
    uint32_t counted = 0;
    uint64_t waited = 0;
    for (uint32_t k = 0; k < count; k++) {
        if (row[k].wait_ns != 0 || row[k].cold) {
            wait_ns[counted++] = (uint64_t)row[k].wait_ns;
        }
        waited += row[k].wait_ns != 0;
    }
    add_spans(&t->wait, t->hist.wait, wait_ns, counted);
    t->waited_count += waited;
    t->begun_direct += count - counted;
}

/* ---- rows of any ---- */

static void settle_requests(const engine *e, const ledger *l) {
    if (!e->many) {
        settle_direct(e, l->direct, l->direct_count);
        settle_waited(e, l->waited, l->waited_count);
        settle_begun(e, l->begun, l->begun_count);
        return;
    }
    for (uint32_t k = 0; k < l->direct_count; k++) {
        const ledger_direct *ahead = &l->direct[k + AHEAD < l->direct_count ? k + AHEAD : k];
        prefetch_lines(&e->functions[ahead->fn].sums, 2 * CACHE_LINE);
        const ledger_direct *soon = &l->direct[k + SOON < l->direct_count ? k + SOON : k];
        __builtin_prefetch(&e->functions[soon->fn].sums.hist->count[soon->bucket], 1);
        settle_one(e, &l->direct[k]);
    }
    for (uint32_t k = 0; k < l->waited_count; k++) {
        settle_waited(e, &l->waited[k], 1);
    }
    for (uint32_t k = 0; k < l->begun_count; k++) {
        settle_begun(e, &l->begun[k], 1);
    }
}

/* All of one function. */
static void settle_active_of(const engine *e, fsim_usage *usage, const ledger_active *row, uint32_t count) {
    uint64_t span_ns[LEDGER_ROWS];
    fsim_u128 sum_ns = 0;
    for (uint32_t k = 0; k < count; k++) {
        span_ns[k] = row[k].span_ns;
        sum_ns += span_ns[k];
    }
    usage->active_intervals += count;
    usage->active_ns += sum_ns;
    add_billed(&e->plan.active, span_ns, count, usage->active_ms);
}

static void settle_active(engine *e) {
    const ledger_active *row = e->ledger.active;
    uint32_t count = e->ledger.active_count;
    if (!e->many && count != 0) {
        settle_active_of(e, &e->functions[0].usage, row, count);
        return;
    }
    for (uint32_t k = 0; k < count; k++) {
        prefetch_lines(&e->functions[row[k + AHEAD < count ? k + AHEAD : k].fn].usage.active_intervals,
                       2 * CACHE_LINE);
        fsim_meter_active(&e->plan, &e->functions[row[k].fn].usage, row[k].span_ns, 0);
    }
}

void engine_settle(engine *e) {
    ledger *l = &e->ledger;
    settle_requests(e, l);
    settle_active(e);
    l->direct_count = l->waited_count = l->begun_count = l->active_count = 0;
}
