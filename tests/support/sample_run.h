/* A made-up run with round numbers, for tests of what is written about a run: ten requests on two functions
 * in 100 s. Everything lives in the struct; sample_run_destroy frees the histograms and the function table.
 */
#ifndef FSIM_TESTS_SAMPLE_RUN_H
#define FSIM_TESTS_SAMPLE_RUN_H

#include "billing/invoice.h"
#include "model/result.h"
#include "support/check.h"

typedef struct sample_run {
    fsim_scenario scenario;
    fsim_result result;
    fsim_scope scope[2];
    fsim_invoice invoice[2];
    fsim_series_row series[10];
    fsim_window window[2];
    fsim_window_row window_rows[4];
    fsim_probe probe[1];
    double occupancy[2][3];
} sample_run;

/* `count` spans of value_ns each, added to a sample. */
CHECK_MAYBE_UNUSED static void sample_spans_add(fsim_spans *spans, fsim_ns value_ns, uint64_t count) {
    if (spans->hist == NULL) {
        spans->hist = calloc(1, sizeof *spans->hist);
    }
    spans->min_ns = spans->count == 0 || value_ns < spans->min_ns ? value_ns : spans->min_ns;
    spans->max_ns = spans->count == 0 || value_ns > spans->max_ns ? value_ns : spans->max_ns;
    spans->count += count;
    spans->sum_ns += (fsim_wide)value_ns * (fsim_wide)count;
    spans->hist->count[fsim_histogram_bucket(value_ns)] += count;
}

/* 6 warm requests of 100 ms, 2 cold ones of 2.1 s (2 s start), 1 refused for the account, 1 for a full queue.
 */
CHECK_MAYBE_UNUSED static void sample_scope(fsim_scope *scope) {
    scope->n = (fsim_counts){.arrived = 10,
                             .completed = 8,
                             .rejected_429 = 1,
                             .rejected_503 = 1,
                             .cold_triggered = 2,
                             .cold_affected = 2,
                             .started = 2,
                             .removed = 1};
    scope->n.throttled[FSIM_CAUSE_ACCOUNT] = 1;
    scope->n.throttled[FSIM_CAUSE_QUEUE_FULL] = 1;
    sample_spans_add(&scope->latency, 100 * FSIM_MS, 6);
    sample_spans_add(&scope->latency, 2100 * FSIM_MS, 2);
    sample_spans_add(&scope->latency_cold, 2100 * FSIM_MS, 2);
    sample_spans_add(&scope->wait, 0, 6);
    sample_spans_add(&scope->wait, 2 * FSIM_SECOND, 2);
    sample_spans_add(&scope->service, 100 * FSIM_MS, 8);
    scope->waited = 2;
    scope->cold_phase_count = 2;
    scope->cold_phase_ns[2] = 3 * FSIM_SECOND; /* sandbox: 1.5 s each */
    scope->cold_phase_ns[4] = 1 * FSIM_SECOND; /* user: 0.5 s each */
    scope->in_execution_ns = 800 * FSIM_MS;
    scope->in_execution_sq_ns = 1000 * FSIM_MS;
    scope->in_execution_peak = 2;
    scope->starting_ns = 4 * FSIM_SECOND;
    scope->busy_ns = 800 * FSIM_MS;
    scope->idle_ns = 120200 * FSIM_MS;
    scope->slot_ns = 121 * FSIM_SECOND;
    scope->busy_slot_ns = scope->in_execution_ns;
    scope->instances_peak = 2;
    scope->queue_ns = 5 * FSIM_SECOND;
    scope->queue_peak = 1;
    scope->latency_above[0] = 2;
    scope->wait_above[0] = 2;
}

CHECK_MAYBE_UNUSED static void sample_bill(fsim_invoice *invoice, const char *book, int cents) {
    static const char *const meters[] = {"requests", "cpu", "memory"};
    static const char *const units[] = {"request", "vCPU-s", "GB-s"};
    *invoice = (fsim_invoice){.book = book, .currency = "CNY", .places = 2, .line_count = 3};
    for (int i = 0; i < 3; i++) {
        fsim_invoice_line *line = &invoice->line[i];
        line->meter = meters[i];
        line->unit = units[i];
        snprintf(line->quantity, sizeof line->quantity, "%d", 8 * (i + 1));
        snprintf(line->price, sizeof line->price, "0.0%d", cents);
        line->amount_pico = FSIM_PICO / 100 * 8 * (i + 1) * cents;
        fsim_decimal_print_pico(line->amount_pico, line->amount, sizeof line->amount);
        invoice->total_pico += line->amount_pico;
    }
    fsim_decimal_print_pico(invoice->total_pico, invoice->total, sizeof invoice->total);
}

CHECK_MAYBE_UNUSED static void sample_rows(sample_run *s) {
    for (int i = 0; i < 10; i++) {
        s->series[i] = (fsim_series_row){.at_ns = (i + 1) * 10 * FSIM_SECOND,
                                         .arrived = 1,
                                         .completed = 1,
                                         .in_execution_ns = i * FSIM_SECOND,
                                         .starting_ns = 10 * FSIM_SECOND,
                                         .busy_ns = i * FSIM_SECOND,
                                         .idle_ns = 5 * FSIM_SECOND,
                                         .wanted = 2};
    }
    s->series[9].refused = 2;
    s->series[9].throttled = 2;
    for (int i = 0; i < 2; i++) {
        s->window[i] = (fsim_window){.from_ns = i * 50 * FSIM_SECOND,
                                     .to_ns = (i + 1) * 50 * FSIM_SECOND,
                                     .all = {{.arrived = 5, .completed = 4, .cold_affected = 1}, 2}};
        s->window_rows[2 * i] = (fsim_window_row){{.arrived = 4, .completed = 3, .cold_affected = 1}, 2};
        s->window_rows[2 * i + 1] = (fsim_window_row){{.arrived = 1, .completed = 1}, 0};
    }
    s->probe[0] =
        (fsim_probe){.at_ns = 30 * FSIM_SECOND, .in_flight = 1, .instances = 2, .busy = 1, .idle = 1};
    for (int i = 0; i < 3; i++) {
        s->occupancy[0][i] = s->occupancy[1][i] = 0.25 * (i == 0 ? 2 : 1);
    }
}

CHECK_MAYBE_UNUSED static void sample_run_make(sample_run *s, const char *policy) {
    memset(s, 0, sizeof *s);
    s->scenario.name = "sample";
    s->scenario.exceed_latency_count = s->scenario.exceed_wait_count = 1;
    fsim_result *r = &s->result;
    r->policy = policy;
    r->seed = 1;
    r->horizon_ns = r->end_ns = 100 * FSIM_SECOND;
    r->digest = UINT64_C(0x0123456789abcdef);
    r->functions = fsim_function_table_create();
    const char *const names[] = {"resize-image", "fn.two"};
    for (int i = 0; i < 2; i++) {
        fsim_fn_spec spec = {.name = names[i], .memory_mb = 128, .vcpu = 0.25, .concurrency = 1};
        fsim_fn_id id;
        REQUIRE(fsim_function_table_add(r->functions, &spec, &id, NULL) == FSIM_OK);
    }
    r->function_count = 2;
    r->per_function = s->scope;
    sample_scope(&r->total);
    sample_scope(&s->scope[0]); /* all of it happened here */
    sample_rows(s);
    r->windows = s->window;
    r->window_count = 2;
    r->window_functions = s->window_rows;
    r->probes = s->probe;
    r->probe_count = 1;
    r->occupancy_requests = s->occupancy[0];
    r->occupancy_instances = s->occupancy[1];
    r->occupancy = 2;
    r->series = s->series;
    r->series_count = 10;
    r->series_step_ns = 10 * FSIM_SECOND;
    sample_bill(&s->invoice[0], "phase1", 2);
    sample_bill(&s->invoice[1], "phase2", 1);
}

CHECK_MAYBE_UNUSED static void sample_run_destroy(sample_run *s) {
    fsim_scope *const scopes[] = {&s->result.total, &s->scope[0], &s->scope[1]};
    for (int i = 0; i < 3; i++) {
        free(scopes[i]->latency.hist);
        free(scopes[i]->latency_cold.hist);
        free(scopes[i]->wait.hist);
        free(scopes[i]->service.hist);
    }
    fsim_function_table_destroy(s->result.functions);
}

#endif
