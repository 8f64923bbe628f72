#include "autoscale/hpa_behavior.h"

#include "autoscale/hpa_metric.h"

#include <math.h>

fsim_hpa_rules fsim_hpa_rules_up(void) {
    return (fsim_hpa_rules){.select = FSIM_HPA_MAX_CHANGE,
                            .count = 2,
                            .policy = {{.value = 4, .period_ns = 15 * FSIM_SECOND},
                                       {.percent = true, .value = 100, .period_ns = 15 * FSIM_SECOND}}};
}

fsim_hpa_rules fsim_hpa_rules_down(fsim_ns stabilization_ns) {
    return (fsim_hpa_rules){.stabilization_ns = stabilization_ns,
                            .select = FSIM_HPA_MAX_CHANGE,
                            .count = 1,
                            .policy = {{.percent = true, .value = 100, .period_ns = 15 * FSIM_SECOND}}};
}

/* ---- the past ---- */

uint32_t fsim_hpa_past_entries(fsim_ns window_ns, fsim_ns period_ns) {
    return (uint32_t)(window_ns / period_ns) + 2u;
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}
static int64_t most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* Puts it in the place of the last entry older than both windows, else behind the others. */
static void put(fsim_hpa_past *past, fsim_ns window_ns, int64_t replicas, fsim_ns now_ns) {
    uint32_t place = past->count, oldest = 0;
    for (uint32_t i = 0; i < past->count; i++) {
        if (past->entries[i].at_ns < now_ns - window_ns) {
            place = i;
        }
        oldest = past->entries[i].at_ns < past->entries[oldest].at_ns ? i : oldest;
    }
    if (place == past->capacity) {
        place = oldest;
    } else if (place == past->count) {
        past->count++;
    }
    past->entries[place] = (fsim_hpa_entry){now_ns, replicas};
}

/* ---- without `behavior` ---- */

int64_t fsim_hpa_stabilize_plain(fsim_hpa_past *past, fsim_ns window_ns, int64_t desired, fsim_ns now_ns) {
    int64_t largest = desired;
    for (uint32_t i = 0; i < past->count; i++) {
        if (past->entries[i].at_ns >= now_ns - window_ns) {
            largest = most(largest, past->entries[i].replicas);
        }
    }
    put(past, window_ns, desired, now_ns);
    return largest;
}

int64_t fsim_hpa_limit_plain(int64_t current, int64_t desired, int64_t min, int64_t max) {
    int64_t upper = least(max, most(2 * current, 4));
    return desired < min ? min : least(desired, upper);
}

/* ---- with `behavior` ---- */

int64_t fsim_hpa_stabilize(fsim_hpa_past *past, const fsim_hpa_rules *up, const fsim_hpa_rules *down,
                           int64_t current, int64_t desired, fsim_ns now_ns) {
    int64_t low = desired, high = desired;
    for (uint32_t i = 0; i < past->count; i++) {
        const fsim_hpa_entry *entry = &past->entries[i];
        if (entry->at_ns > now_ns - up->stabilization_ns) {
            low = least(low, entry->replicas);
        }
        if (entry->at_ns > now_ns - down->stabilization_ns) {
            high = most(high, entry->replicas);
        }
    }
    put(past, most(up->stabilization_ns, down->stabilization_ns), desired, now_ns);
    return least(most(current, low), high);
}

int64_t fsim_hpa_changed(const fsim_hpa_past *events, fsim_ns period_ns, fsim_ns now_ns) {
    int64_t sum = 0;
    for (uint32_t i = 0; i < events->count; i++) {
        sum += events->entries[i].at_ns > now_ns - period_ns ? events->entries[i].replicas : 0;
    }
    return sum;
}

/* Where one policy would let the count go, from where the count was at the beginning of its period. */
static int64_t reach_up(const fsim_hpa_policy *policy, int64_t start) {
    if (!policy->percent) {
        return start + policy->value;
    }
    double reach = ceil((double)start * (1.0 + (double)policy->value / 100.0));
    return reach >= (double)FSIM_HPA_REPLICAS_MAX ? FSIM_HPA_REPLICAS_MAX : (int64_t)reach;
}

static int64_t reach_down(const fsim_hpa_policy *policy, int64_t start) {
    if (!policy->percent) {
        return start - policy->value;
    }
    return (int64_t)((double)start * (1.0 - (double)policy->value / 100.0));
}

/* The reach of a direction: of its policies the one that allows most, or least. */
static int64_t reach_of(const fsim_hpa_rules *rules, const fsim_hpa_past *ups, const fsim_hpa_past *downs,
                        int64_t current, bool upwards, fsim_ns now_ns) {
    if (rules->select == FSIM_HPA_NO_CHANGE || rules->count == 0) {
        return current;
    }
    bool largest = upwards == (rules->select == FSIM_HPA_MAX_CHANGE);
    int64_t reach = 0;
    for (uint32_t i = 0; i < rules->count; i++) {
        const fsim_hpa_policy *policy = &rules->policy[i];
        int64_t start = current - fsim_hpa_changed(ups, policy->period_ns, now_ns) +
                        fsim_hpa_changed(downs, policy->period_ns, now_ns);
        int64_t one = upwards ? reach_up(policy, start) : reach_down(policy, start);
        reach = i == 0 ? one : largest ? most(reach, one) : least(reach, one);
    }
    return reach;
}

int64_t fsim_hpa_limit(const fsim_hpa_past *ups, const fsim_hpa_past *downs, const fsim_hpa_rules *up,
                       const fsim_hpa_rules *down, int64_t current, int64_t desired, int64_t min, int64_t max,
                       fsim_ns now_ns) {
    if (desired > current) {
        int64_t reach = most(reach_of(up, ups, downs, current, true, now_ns), current);
        return least(desired, least(reach, max));
    }
    if (desired < current) {
        int64_t reach = least(reach_of(down, ups, downs, current, false, now_ns), current);
        return most(desired, most(reach, min));
    }
    return desired;
}

static fsim_ns longest_period(const fsim_hpa_rules *rules) {
    fsim_ns longest_ns = 0;
    for (uint32_t i = 0; i < rules->count; i++) {
        longest_ns = most(longest_ns, rules->policy[i].period_ns);
    }
    return longest_ns;
}

void fsim_hpa_store_event(fsim_hpa_past *events, const fsim_hpa_rules *rules, int64_t change,
                          fsim_ns now_ns) {
    put(events, longest_period(rules), change, now_ns);
}

bool fsim_hpa_event_lapsed(const fsim_hpa_rules *rules, const fsim_hpa_entry *event, fsim_ns now_ns) {
    return event->at_ns < now_ns - longest_period(rules);
}
