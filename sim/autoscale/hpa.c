#include "autoscale/hpa.h"

/* ---- state ---- */

static fsim_ns longest_period(const fsim_hpa_settings *s) {
    const fsim_hpa_rules *both[] = {&s->up, &s->down};
    fsim_ns longest_ns = 0;
    for (int side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < both[side]->count; i++) {
            fsim_ns period_ns = both[side]->policy[i].period_ns;
            longest_ns = period_ns > longest_ns ? period_ns : longest_ns;
        }
    }
    return longest_ns;
}

fsim_hpa_room fsim_hpa_room_of(const fsim_hpa_settings *s, fsim_ns sync_ns) {
    fsim_ns window_ns = s->downscale_stabilization_ns;
    fsim_hpa_room room = {0};
    if (s->has_behavior) {
        window_ns = s->up.stabilization_ns > s->down.stabilization_ns ? s->up.stabilization_ns
                                                                      : s->down.stabilization_ns;
        room.ups = room.downs = fsim_hpa_past_entries(longest_period(s), sync_ns);
    }
    room.recommendations = fsim_hpa_past_entries(window_ns, sync_ns);
    return room;
}

void fsim_hpa_init(fsim_hpa *hpa, fsim_hpa_entry *entries, const fsim_hpa_room *room) {
    *hpa = (fsim_hpa){.recommendations.capacity = room->recommendations,
                      .ups.capacity = room->ups,
                      .downs.capacity = room->downs};
    fsim_hpa_rebase(hpa, entries);
}

void fsim_hpa_rebase(fsim_hpa *hpa, fsim_hpa_entry *entries) {
    hpa->recommendations.entries = entries;
    hpa->ups.entries = entries + hpa->recommendations.capacity;
    hpa->downs.entries = hpa->ups.entries + hpa->ups.capacity;
}

/* ---- a sync ---- */

/* The largest valid proposal. One that cannot be read might have asked for more: then fewer is no answer. */
static bool largest_proposal(const fsim_hpa_proposal *proposals, size_t count, int64_t spec,
                             fsim_hpa_decision *decision) {
    size_t invalid = 0;
    for (size_t i = 0; i < count; i++) {
        if (proposals[i].error != NULL) {
            invalid++;
        } else if (decision->recommended == 0 || proposals[i].replicas > decision->recommended) {
            decision->recommended = proposals[i].replicas;
            decision->metric = i;
        }
    }
    return invalid < count && (invalid == 0 || decision->recommended >= spec);
}

static void store_change(fsim_hpa *hpa, const fsim_hpa_settings *s, int64_t from, int64_t to,
                         fsim_ns now_ns) {
    if (s->has_behavior && to > from) {
        fsim_hpa_store_event(&hpa->ups, &s->up, to - from, now_ns);
    } else if (s->has_behavior && to < from) {
        fsim_hpa_store_event(&hpa->downs, &s->down, from - to, now_ns);
    }
}

static int64_t apply_rules(fsim_hpa *hpa, const fsim_hpa_settings *s, int64_t spec, fsim_ns now_ns,
                           fsim_hpa_decision *d) {
    if (!s->has_behavior) {
        d->stabilized = fsim_hpa_stabilize_plain(&hpa->recommendations, s->downscale_stabilization_ns,
                                                 d->recommended, now_ns);
        return fsim_hpa_limit_plain(spec, d->stabilized, s->min, s->max);
    }
    d->stabilized = fsim_hpa_stabilize(&hpa->recommendations, &s->up, &s->down, spec, d->recommended, now_ns);
    return fsim_hpa_limit(&hpa->ups, &hpa->downs, &s->up, &s->down, spec, d->stabilized, s->min, s->max,
                          now_ns);
}

fsim_hpa_decision fsim_hpa_sync(fsim_hpa *hpa, const fsim_hpa_settings *s, const fsim_hpa_proposal *proposals,
                                size_t count, int64_t spec, fsim_ns now_ns) {
    fsim_hpa_decision d = {.replicas = spec};
    if (!hpa->seen) {
        hpa->seen = true;
        hpa->recommendations.entries[hpa->recommendations.count++] = (fsim_hpa_entry){now_ns, spec};
    }
    if (spec == 0 && s->min != 0) {
        d.verdict = FSIM_HPA_DISABLED;
        return d;
    }
    if (spec > s->max || spec < s->min) {
        d.verdict = FSIM_HPA_OUT_OF_BOUNDS;
        d.replicas = spec > s->max ? s->max : s->min;
    } else if (!largest_proposal(proposals, count, spec, &d)) {
        d.verdict = FSIM_HPA_NO_METRIC;
        return d;
    } else {
        d.verdict = FSIM_HPA_DECIDED;
        d.replicas = apply_rules(hpa, s, spec, now_ns, &d);
    }
    store_change(hpa, s, spec, d.replicas, now_ns);
    return d;
}
