/* Whether two ways through the engine, the short one and the general one, gave the same: everything that is
 * counted, integrated and metered. */
#ifndef FSIM_TESTS_SAME_RESULT_H
#define FSIM_TESTS_SAME_RESULT_H

#include "model/result.h"
#include "support/check.h"

CHECK_MAYBE_UNUSED static void check_same_spans(const fsim_spans *a, const fsim_spans *b) {
    CHECK_EQ_INT(a->count, b->count);
    CHECK(a->sum_ns == b->sum_ns);
    CHECK_EQ_INT(a->min_ns, b->min_ns);
    CHECK_EQ_INT(a->max_ns, b->max_ns);
    CHECK(memcmp(a->hist, b->hist, sizeof *a->hist) == 0);
}

CHECK_MAYBE_UNUSED static void check_same_scope(const fsim_scope *a, const fsim_scope *b) {
    CHECK(memcmp(&a->n, &b->n, sizeof a->n) == 0);
    check_same_spans(&a->latency, &b->latency);
    check_same_spans(&a->latency_cold, &b->latency_cold);
    check_same_spans(&a->wait, &b->wait);
    check_same_spans(&a->service, &b->service);
    CHECK_EQ_INT(a->waited, b->waited);
    CHECK(a->in_execution_ns == b->in_execution_ns);
    CHECK(a->in_execution_sq_ns == b->in_execution_sq_ns);
    CHECK(a->starting_ns == b->starting_ns);
    CHECK(a->busy_ns == b->busy_ns);
    CHECK(a->idle_ns == b->idle_ns);
    CHECK(a->slot_ns == b->slot_ns);
    CHECK_EQ_INT(a->instances_peak, b->instances_peak);
    CHECK(a->queue_ns == b->queue_ns);
}

CHECK_MAYBE_UNUSED static void check_same(const fsim_result *a, const fsim_result *b) {
    CHECK(a->digest == b->digest);
    CHECK_EQ_INT(a->end_ns, b->end_ns);
    check_same_scope(&a->total, &b->total);
    /* What several lanes do at one instant has no order of its own: ends come first (model/lane.h). */
    uint64_t apart = a->function_count > 1 ? 2 : 0;
    CHECK(a->total.in_execution_peak <= b->total.in_execution_peak + apart &&
          b->total.in_execution_peak <= a->total.in_execution_peak + apart);
    for (uint32_t fn = 0; fn < a->function_count && CHECK_EQ_INT(a->function_count, b->function_count);
         fn++) {
        check_same_scope(&a->per_function[fn], &b->per_function[fn]);
        CHECK_EQ_INT(a->per_function[fn].in_execution_peak, b->per_function[fn].in_execution_peak);
        fsim_usage usage = a->usage[fn], *other = &b->usage[fn]; /* which one ends: model/lane.h */
        uint64_t off = usage.residency_ms[0] - other->residency_ms[0] + usage.instances_ended;
        CHECK(off <= 2u * usage.instances_ended);
        usage.residency_ms[0] = other->residency_ms[0];
        CHECK(memcmp(&usage, other, sizeof usage) == 0);
    }
    for (uint32_t k = 0; k < a->series_count && CHECK_EQ_INT(a->series_count, b->series_count); k++) {
        const fsim_series_row *x = &a->series[k], *y = &b->series[k];
        CHECK(x->arrived == y->arrived && x->completed == y->completed && x->refused == y->refused);
        CHECK(x->in_execution_ns == y->in_execution_ns && x->queue_ns == y->queue_ns);
        CHECK(x->starting_ns == y->starting_ns && x->busy_ns == y->busy_ns && x->idle_ns == y->idle_ns);
    }
}

#endif
