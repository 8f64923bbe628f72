/* The loops of the ledger; see engine_ledger.h. */
#include "model/engine_stretch.h"

enum { AHEAD = 6 }; /* rows: so long before what a row touches is fetched */

/* ---- rows of one function ---- */

PART void add_billed(const fsim_meter_rules *rules, const ledger_end *row, uint32_t count,
                     uint64_t *billed_ms) {
    for (uint32_t j = 0; j < rules->count; j++) {
        const fsim_meter_rule rule = rules->rule[j];
        uint64_t sum = 0;
        for (uint32_t k = 0; k < count; k++) {
            sum += fsim_meter_billed_ms(&rule, (uint64_t)(row[k].end_ns - row[k].start_ns));
        }
        billed_ms[j] += sum;
    }
}

PART void settle_direct(const engine *e, const ledger_end *row, uint32_t count) {
    if (count == 0) {
        return;
    }
    short_sums *sums = &e->functions[row[0].fn].sums;
    for (uint32_t k = 0; k < count; k++) {
        sums_add_span(sums, row[k].end_ns - row[k].start_ns);
    }
    sums->completed += count;
    if (e->metering) {
        add_billed(&e->plan.request, row, count, sums->billed_ms);
    }
}

PART void settle_waited(const engine *e, const ledger_end *row, uint32_t count) {
    if (count == 0) {
        return;
    }
    tally *t = &e->tallies[row[0].fn];
    fsim_usage *usage = &e->functions[row[0].fn].usage;
    fsim_u128 executed_ns = 0;
    for (uint32_t k = 0; k < count; k++) {
        fsim_ns service_ns = row[k].end_ns - row[k].start_ns;
        engine_end_statistics(e, t, row[k].end_ns - row[k].arrival_ns, service_ns, row[k].cold);
        executed_ns += (uint64_t)service_ns;
    }
    if (e->metering) {
        usage->requests += count;
        usage->request_ns += executed_ns;
        add_billed(&e->plan.request, row, count, usage->request_ms);
    }
}

/* ---- rows of any ---- */

static uint64_t digest_of(const ledger_end *row, uint32_t count) {
    uint64_t digest = 0;
    for (uint32_t k = 0; k < count; k++) {
        digest += engine_mix((uint64_t)row[k].arrival_ns, row[k].fn, (uint64_t)row[k].end_ns, FSIM_COMPLETED);
    }
    return digest;
}

static void settle_ends(engine *e, const ledger *l) {
    e->digest += digest_of(l->direct, l->direct_count) + digest_of(l->waited, l->waited_count);
    if (!e->many) {
        settle_direct(e, l->direct, l->direct_count);
        settle_waited(e, l->waited, l->waited_count);
        return;
    }
    for (uint32_t k = 0; k < l->direct_count; k++) {
        const ledger_end *ahead = &l->direct[k + AHEAD < l->direct_count ? k + AHEAD : k];
        prefetch_lines(&e->functions[ahead->fn].sums, 2 * CACHE_LINE);
        settle_direct(e, &l->direct[k], 1);
    }
    for (uint32_t k = 0; k < l->waited_count; k++) {
        settle_waited(e, &l->waited[k], 1);
    }
}

static void settle_active(engine *e) {
    const ledger_active *row = e->ledger.active;
    uint32_t count = e->ledger.active_count;
    for (uint32_t k = 0; k < count; k++) {
        prefetch_lines(&e->functions[row[k + AHEAD < count ? k + AHEAD : k].fn].usage.active_intervals,
                       2 * CACHE_LINE);
        fsim_meter_active(&e->plan, &e->functions[row[k].fn].usage, row[k].span_ns, 0);
    }
}

void engine_settle(engine *e) {
    ledger *l = &e->ledger;
    settle_ends(e, l);
    for (uint32_t k = 0; k < l->begun_count; k++) {
        engine_begin_statistics(e, &e->tallies[l->begun[k].fn], l->begun[k].wait_ns, l->begun[k].cold);
    }
    settle_active(e);
    l->direct_count = l->waited_count = l->begun_count = l->active_count = 0;
}
