#include "billing/usage.h"

static void add_each(uint64_t *into, const uint64_t *more, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        into[i] += more[i];
    }
}

void fsim_usage_add(fsim_usage *into, const fsim_usage *more) {
    into->requests += more->requests;
    into->request_ns += more->request_ns;
    add_each(into->request_ms, more->request_ms, FSIM_METER_RULES_MAX);
    add_each(into->request_init_ms, more->request_init_ms, FSIM_METER_RULES_MAX);
    into->active_intervals += more->active_intervals;
    into->active_ns += more->active_ns;
    add_each(into->active_ms, more->active_ms, FSIM_METER_RULES_MAX);
    add_each(into->active_init_ms, more->active_init_ms, FSIM_METER_RULES_MAX);
    into->threshold_mem_ms += more->threshold_mem_ms;
    into->threshold_cpu_ms += more->threshold_cpu_ms;
    add_each(into->threshold_more_ms, more->threshold_more_ms, FSIM_THRESHOLDS_MORE);
    into->cpu_ucore_ns += more->cpu_ucore_ns;
    into->instances_started += more->instances_started;
    into->instances_ended += more->instances_ended;
    into->starting_ns += more->starting_ns;
    into->residency_ns += more->residency_ns;
    into->idle_ns += more->idle_ns;
    add_each(into->residency_ms, more->residency_ms, FSIM_METER_RULES_MAX);
    add_each(into->lifetime_ms, more->lifetime_ms, FSIM_METER_RULES_MAX);
    into->init_ns += more->init_ns;
    into->init_ms += more->init_ms;
    add_each(into->provisioned_alloc_ms, more->provisioned_alloc_ms, FSIM_METER_RULES_MAX);
    into->provisioned_alloc_ns += more->provisioned_alloc_ns;
    into->provisioned_idle_ns += more->provisioned_idle_ns;
    into->provisioned_requests += more->provisioned_requests;
    add_each(into->provisioned_ms, more->provisioned_ms, FSIM_METER_RULES_MAX);
    into->idle_at_minimum_ns += more->idle_at_minimum_ns;
    into->provisioned_unused_ns += more->provisioned_unused_ns;
    into->burst_ucore_ns += more->burst_ucore_ns;
    into->net_bytes += more->net_bytes;
}
