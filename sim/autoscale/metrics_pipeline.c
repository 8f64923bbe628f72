#include "autoscale/metrics_pipeline.h"

/* Those under way, the one that is served, and the one that comes in. */
static uint32_t capacity_of(const fsim_metrics_pipeline *p) {
    return (uint32_t)(p->delay_ns / p->resolution_ns) + 2u;
}

static fsim_metrics_reading *readings_of(fsim_metrics_store *store) {
    return (fsim_metrics_reading *)(void *)(store + 1);
}

size_t fsim_metrics_store_size(const fsim_metrics_pipeline *p) {
    size_t bytes = sizeof(fsim_metrics_store) + capacity_of(p) * sizeof(fsim_metrics_reading);
    return (bytes + 15u) / 16u * 16u;
}

bool fsim_metrics_covers(const fsim_metrics_pipeline *p, fsim_ns age_ns) {
    return age_ns >= p->resolution_ns || age_ns >= FSIM_METRICS_FRESH_MIN_NS;
}

void fsim_metrics_record(fsim_metrics_store *store, const fsim_metrics_pipeline *p,
                         const fsim_metrics_reading *reading) {
    uint32_t capacity = capacity_of(p);
    readings_of(store)[store->next] = *reading;
    store->next = store->next + 1u < capacity ? store->next + 1u : 0;
    store->count += store->count < capacity;
}

const fsim_metrics_reading *fsim_metrics_read(const fsim_metrics_store *store, const fsim_metrics_pipeline *p,
                                              fsim_ns now_ns) {
    const fsim_metrics_reading *readings = (const fsim_metrics_reading *)(const void *)(store + 1);
    uint32_t capacity = capacity_of(p), at = store->next;
    for (uint32_t k = 0; k < store->count; k++) {
        at = at == 0 ? capacity - 1u : at - 1u;
        if (readings[at].at_ns + p->delay_ns <= now_ns) {
            return &readings[at];
        }
    }
    return NULL;
}
