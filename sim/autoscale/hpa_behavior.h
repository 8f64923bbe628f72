/* From what a Horizontal Pod Autoscaler's metrics propose to what is applied: stabilisation over the
 * proposals of the past, and limits on the rate of change.
 *
 * Source: policies spec, sections 2.5 (no `behavior` in the object), 2.6 (with it), 2.7;
 * kubernetes/kubernetes pkg/controller/podautoscaler/horizontal.go. The past is kept in arrays of the caller,
 * one entry for each recommendation or change; an entry that no window reaches any more is written over, so
 * an array needs room for as many as there are syncs in the longest window, and one more. Where it is too
 * small the oldest is written over: a shorter memory, never a fault. Cost: linear in the entries. */
#ifndef FSIM_AUTOSCALE_HPA_BEHAVIOR_H
#define FSIM_AUTOSCALE_HPA_BEHAVIOR_H

#include "base/time.h"

#include <stdbool.h>

#define FSIM_HPA_POLICIES_MAX 8

typedef struct fsim_hpa_policy {
    bool percent;      /* of the replicas at the beginning of the period; else pods */
    int64_t value;     /* >= 0 */
    fsim_ns period_ns; /* > 0 */
} fsim_hpa_policy;

typedef enum fsim_hpa_select { FSIM_HPA_MAX_CHANGE, FSIM_HPA_MIN_CHANGE, FSIM_HPA_NO_CHANGE } fsim_hpa_select;

/* One direction of `behavior`. */
typedef struct fsim_hpa_rules {
    fsim_ns stabilization_ns; /* >= 0 */
    fsim_hpa_select select;   /* Max, Min, Disabled */
    uint32_t count;
    fsim_hpa_policy policy[FSIM_HPA_POLICIES_MAX];
} fsim_hpa_rules;

/* What an object that mentions `behavior` gets for what it does not say (apis/autoscaling/v2/defaults.go).
 * Down stabilises for as long as the controller says (5 min). */
fsim_hpa_rules fsim_hpa_rules_up(void);
fsim_hpa_rules fsim_hpa_rules_down(fsim_ns stabilization_ns);

/* A recommendation (replicas), or a change by so many (>= 0), at an instant. */
typedef struct fsim_hpa_entry {
    fsim_ns at_ns;
    int64_t replicas;
} fsim_hpa_entry;

/* In no order of time: what has lapsed is replaced in its place. */
typedef struct fsim_hpa_past {
    fsim_hpa_entry *entries;
    uint32_t count, capacity;
} fsim_hpa_past;

/* Entries for a window that is written to once each period. */
uint32_t fsim_hpa_past_entries(fsim_ns window_ns, fsim_ns period_ns);

/* ---- without `behavior` ---- */

/* The largest recommendation of the window (its beginning included), this one too; records it. */
int64_t fsim_hpa_stabilize_plain(fsim_hpa_past *past, fsim_ns window_ns, int64_t desired, fsim_ns now_ns);
/* Within [min, max], and at most doubled, but up to 4 in any case. */
int64_t fsim_hpa_limit_plain(int64_t current, int64_t desired, int64_t min, int64_t max);

/* ---- with `behavior` ---- */

/* The present count moved no further than every recommendation of the window for its direction agrees to;
 * records the one given. */
int64_t fsim_hpa_stabilize(fsim_hpa_past *past, const fsim_hpa_rules *up, const fsim_hpa_rules *down,
                           int64_t current, int64_t desired, fsim_ns now_ns);
/* Changes strictly newer than the period, summed. */
int64_t fsim_hpa_changed(const fsim_hpa_past *events, fsim_ns period_ns, fsim_ns now_ns);
int64_t fsim_hpa_limit(const fsim_hpa_past *ups, const fsim_hpa_past *downs, const fsim_hpa_rules *up,
                       const fsim_hpa_rules *down, int64_t current, int64_t desired, int64_t min, int64_t max,
                       fsim_ns now_ns);
/* A change was applied; it takes the place of one that the direction's longest period does not reach. */
void fsim_hpa_store_event(fsim_hpa_past *events, const fsim_hpa_rules *rules, int64_t change, fsim_ns now_ns);
/* Has the event lapsed: is it older than the direction's longest period? */
bool fsim_hpa_event_lapsed(const fsim_hpa_rules *rules, const fsim_hpa_entry *event, fsim_ns now_ns);

#endif
