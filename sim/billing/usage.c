#include "billing/usage.h"

#include <stddef.h>

#define ONE(field)                                                                                           \
    { #field, offsetof(fsim_usage, field), 1 }
#define WIDE(field)                                                                                          \
    { #field, offsetof(fsim_usage, field), 0 }
#define EACH(field)                                                                                          \
    { #field, offsetof(fsim_usage, field), sizeof((fsim_usage){0}.field) / sizeof(uint64_t) }

const fsim_usage_field fsim_usage_fields[] = {
    ONE(requests),
    WIDE(request_ns),
    EACH(request_ms),
    EACH(request_init_ms),
    ONE(active_intervals),
    WIDE(active_ns),
    EACH(active_ms),
    EACH(active_init_ms),
    ONE(threshold_mem_ms),
    ONE(threshold_cpu_ms),
    EACH(threshold_more_ms),
    WIDE(cpu_ucore_ns),
    ONE(instances_started),
    ONE(instances_ended),
    WIDE(starting_ns),
    WIDE(residency_ns),
    WIDE(idle_ns),
    EACH(residency_ms),
    EACH(lifetime_ms),
    WIDE(init_ns),
    ONE(init_ms),
    EACH(provisioned_alloc_ms),
    WIDE(provisioned_alloc_ns),
    WIDE(provisioned_idle_ns),
    ONE(provisioned_requests),
    EACH(provisioned_ms),
    WIDE(idle_at_minimum_ns),
    WIDE(provisioned_unused_ns),
    WIDE(burst_ucore_ns),
    ONE(net_bytes),
    {NULL, 0, 0},
};

void fsim_usage_add(fsim_usage *into, const fsim_usage *more) {
    for (const fsim_usage_field *field = fsim_usage_fields; field->name != NULL; field++) {
        char *to = (char *)into + field->offset;
        const char *from = (const char *)more + field->offset;
        if (field->count == 0) {
            *(fsim_u128 *)(void *)to += *(const fsim_u128 *)(const void *)from;
        }
        for (uint32_t i = 0; i < field->count; i++) {
            ((uint64_t *)(void *)to)[i] += ((const uint64_t *)(const void *)from)[i];
        }
    }
}
