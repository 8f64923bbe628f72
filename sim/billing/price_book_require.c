/* What a book needs a run to meter; see price_book.h. */
#include "billing/meter.h"
#include "billing/price_book.h"

#include <inttypes.h>

static uint32_t find_rule(const fsim_meter_rules *rules, uint64_t step_us, uint64_t least_us) {
    for (uint32_t i = 0; i < rules->count; i++) {
        if (rules->rule[i].step_ms * 1000 == step_us && rules->rule[i].least_ms * 1000 == least_us) {
            return i;
        }
    }
    return FSIM_METER_RULES_MAX;
}

uint32_t fsim_price_book_rule(const fsim_price_book *book, const fsim_meter_plan *plan) {
    const fsim_metering *m = &book->metering;
    switch (m->mode) {
    case FSIM_MODE_REQUEST: return find_rule(&plan->request, m->granularity_us, m->min_us);
    case FSIM_MODE_ACTIVE_INTERVAL:
    case FSIM_MODE_CPU_TIME_ACTIVE_INTERVAL: return find_rule(&plan->active, m->granularity_us, m->min_us);
    case FSIM_MODE_RESIDENCY_ACTIVE: return find_rule(&plan->active, m->granularity_us, m->min_us);
    case FSIM_MODE_RESIDENCY:
    case FSIM_MODE_CPU_TIME_RESIDENCY:
    case FSIM_MODE_RESIDENCY_BURST:
        return find_rule(m->from_creation ? &plan->lifetime : &plan->residency, m->granularity_us, m->min_us);
    default: return 0;
    }
}

uint32_t fsim_price_book_provisioned_rule(const fsim_price_book *book, const fsim_meter_plan *plan) {
    return find_rule(&plan->provisioned, book->metering.provisioned_granularity_us,
                     book->metering.provisioned_min_us);
}

static fsim_status add_rule(const fsim_price_book *book, fsim_meter_rules *rules, uint64_t step_us,
                            uint64_t least_us, fsim_error *err) {
    if (step_us % 1000 != 0 || least_us % 1000 != 0) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "price book %s rounds to %" PRIu64 " us: runs are metered in whole milliseconds",
                         book->id, step_us % 1000 != 0 ? step_us : least_us);
    }
    if (fsim_meter_rules_add(rules, step_us / 1000, least_us / 1000) == FSIM_METER_RULES_MAX) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "price book %s: one run meters at most %d different roundings of the same kind; "
                         "bill fewer books at once",
                         book->id, FSIM_METER_RULES_MAX);
    }
    return FSIM_OK;
}

static fsim_status require_steps(const fsim_price_book *book, fsim_meter_plan *plan, fsim_error *err) {
    const fsim_metering *m = &book->metering;
    plan->tells_instances |= m->mode == FSIM_MODE_RESIDENCY || m->mode == FSIM_MODE_CPU_TIME_RESIDENCY ||
                             m->mode == FSIM_MODE_RESIDENCY_BURST || m->mode == FSIM_MODE_RESIDENCY_ACTIVE;
    switch (m->mode) {
    case FSIM_MODE_REQUEST: return add_rule(book, &plan->request, m->granularity_us, m->min_us, err);
    case FSIM_MODE_ACTIVE_INTERVAL:
    case FSIM_MODE_CPU_TIME_ACTIVE_INTERVAL:
    case FSIM_MODE_RESIDENCY_ACTIVE: /* its baseline is residency rule 0: 1 ms */
        return add_rule(book, &plan->active, m->granularity_us, m->min_us, err);
    case FSIM_MODE_RESIDENCY:
    case FSIM_MODE_CPU_TIME_RESIDENCY:
    case FSIM_MODE_RESIDENCY_BURST:
        return add_rule(book, m->from_creation ? &plan->lifetime : &plan->residency, m->granularity_us,
                        m->min_us, err);
    default: return FSIM_OK;
    }
}

static bool same_threshold(const fsim_threshold *a, const fsim_threshold *b) {
    return a->ppm == b->ppm && a->full_window == b->full_window && a->above == b->above;
}

uint32_t fsim_price_book_threshold(const fsim_price_book *book, const fsim_meter_plan *plan) {
    const fsim_metering *m = &book->metering;
    if (plan->window_ns != m->window_ns) {
        return FSIM_THRESHOLDS_MORE + 1;
    }
    if (same_threshold(&plan->threshold, &m->threshold)) {
        return 0;
    }
    for (uint32_t k = 0; k < plan->more_count; k++) {
        if (same_threshold(&plan->more[k], &m->threshold)) {
            return k + 1;
        }
    }
    return FSIM_THRESHOLDS_MORE + 1;
}

static fsim_status require_threshold(const fsim_price_book *book, fsim_meter_plan *plan, bool *first,
                                     fsim_error *err) {
    const fsim_metering *m = &book->metering;
    if (*first) {
        plan->threshold = m->threshold;
        plan->window_ns = m->window_ns;
        *first = false;
        return FSIM_OK;
    }
    if (plan->window_ns != m->window_ns) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "price book %s samples CPU in windows of %" PRId64 " us and another one of %" PRId64
                         " us: one run has windows of one length",
                         book->id, m->window_ns / FSIM_US, plan->window_ns / FSIM_US);
    }
    if (fsim_price_book_threshold(book, plan) <= FSIM_THRESHOLDS_MORE) {
        return FSIM_OK;
    }
    if (plan->more_count == FSIM_THRESHOLDS_MORE) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "price book %s: one run meters at most %d CPU thresholds; bill fewer books at once",
                         book->id, FSIM_THRESHOLDS_MORE + 1);
    }
    plan->more[plan->more_count++] = m->threshold;
    return FSIM_OK;
}

uint32_t fsim_price_book_node(const fsim_price_book *book, const fsim_meter_plan *plan) {
    for (uint32_t k = 0; k < plan->node_count; k++) {
        if (plan->node[k].vcpu_milli == book->metering.node.vcpu_milli &&
            plan->node[k].memory_mib == book->metering.node.memory_mib) {
            return k;
        }
    }
    return FSIM_NODE_SIZES_MAX;
}

static fsim_status require_node(const fsim_price_book *book, fsim_meter_plan *plan, fsim_error *err) {
    if (book->metering.node.vcpu_milli == 0 || fsim_price_book_node(book, plan) < FSIM_NODE_SIZES_MAX) {
        return FSIM_OK;
    }
    if (plan->node_count == FSIM_NODE_SIZES_MAX) {
        return fsim_fail(
            err, FSIM_ECONFIG,
            "price book %s: one run packs into at most %d sizes of nodes; bill fewer books at once", book->id,
            FSIM_NODE_SIZES_MAX);
    }
    plan->node[plan->node_count++] = book->metering.node;
    return FSIM_OK;
}

static fsim_status require_unused(const fsim_price_book *book, fsim_meter_plan *plan, fsim_error *err) {
    fsim_ns window_ns = book->metering.unused_window_ns;
    if (window_ns != 0 && plan->unused_window_ns != 0 && plan->unused_window_ns != window_ns) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "price book %s looks for unused provisioned instances in windows of %" PRId64
                         " us and another one of %" PRId64 " us: bill them apart",
                         book->id, window_ns / FSIM_US, plan->unused_window_ns / FSIM_US);
    }
    plan->unused_window_ns = window_ns != 0 ? window_ns : plan->unused_window_ns;
    return FSIM_OK;
}

static fsim_status require_minimum(const fsim_price_book *book, fsim_meter_plan *plan, fsim_error *err) {
    uint64_t below_ucore = book->metering.idle_below_ucore;
    if (below_ucore != 0 && plan->idle_below_ucore != 0 && plan->idle_below_ucore != below_ucore) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "price book %s calls an instance idle below %" PRIu64
                         " millionths of a core and another one below %" PRIu64 ": bill them apart",
                         book->id, below_ucore, plan->idle_below_ucore);
    }
    plan->idle_below_ucore = below_ucore != 0 ? below_ucore : plan->idle_below_ucore;
    return FSIM_OK;
}

fsim_status fsim_price_book_require(const fsim_price_book *book, fsim_meter_plan *plan, bool *first,
                                    fsim_error *err) {
    const fsim_metering *m = &book->metering;
    if (m->unpriced_rule != NULL) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "price book %s cannot price a run: its rule %s cannot be computed from one",
                         book->id, m->unpriced_rule);
    }
    FSIM_TRY(require_steps(book, plan, err));
    FSIM_TRY(add_rule(book, &plan->provisioned, m->provisioned_granularity_us, m->provisioned_min_us, err));
    FSIM_TRY(require_node(book, plan, err));
    FSIM_TRY(require_unused(book, plan, err));
    FSIM_TRY(require_minimum(book, plan, err));
    plan->settle_ns = book->settle.hourly ? FSIM_HOUR : plan->settle_ns;
    return m->mode == FSIM_MODE_THRESHOLD ? require_threshold(book, plan, first, err) : FSIM_OK;
}
