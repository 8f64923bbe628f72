/* One decision of the Knative Pod Autoscaler: how many pods a revision should have.
 *
 * Two averages of the same metric are compared with what one pod shall carry. The stable one (60 s) sets the
 * count; when the panic one (6 s) asks for a multiple of the ready pods the scaler panics, and until a stable
 * window has passed below that threshold the count only rises. Bounds (min-scale, max-scale, zero) are not
 * decided here but applied afterwards: knative_apply.h.
 *
 * Source: knative/serving pkg/autoscaler/scaling/autoscaler.go. Pure: time and readings come in as arguments;
 * a decision is O(1) (amortised where there is a scale-down delay) and allocates nothing. */
#ifndef FSIM_AUTOSCALE_KPA_H
#define FSIM_AUTOSCALE_KPA_H

#include "autoscale/knative_settings.h"
#include "autoscale/sliding_max.h"

#include <stddef.h>

/* What a decision depends on; from settings by fsim_kpa_params_from. */
typedef struct fsim_kpa_params {
    double target, total; /* per pod, see fsim_knative_resolve_target; target > 0 */
    double target_burst_capacity;
    double panic_threshold; /* ratio: 2 is 200 % */
    double max_scale_up_rate, max_scale_down_rate;
    fsim_ns stable_window_ns;
    fsim_ns scale_down_delay_ns;
    int64_t activation_scale; /* up to 1: off */
    bool reachable;           /* a route leads to the revision */
} fsim_kpa_params;

typedef struct fsim_kpa {
    fsim_kpa_params params;
    bool panicking;
    fsim_ns panic_since_ns; /* last instant at or over the threshold; while panicking */
    int64_t max_panic_pods;
    fsim_sliding_max delay; /* desired values of the last slots; in use when delay.slots > 0 */
} fsim_kpa;

/* What was measured. */
typedef struct fsim_kpa_reading {
    int64_t ready; /* pods; < 0: could not be looked up */
    bool has_data; /* false: the windows are empty or could not be read */
    double stable, panic;
} fsim_kpa_reading;

typedef enum fsim_kpa_verdict {
    FSIM_KPA_DECIDED,
    FSIM_KPA_NO_READY_COUNT, /* the scale stays */
    FSIM_KPA_NO_DATA         /* the scale stays */
} fsim_kpa_verdict;

typedef struct fsim_kpa_decision {
    fsim_kpa_verdict verdict;
    int64_t desired;               /* pods; unknown (-1) unless decided */
    int64_t excess_burst_capacity; /* requests; negative: the activator belongs into the path */
    bool panicking;
    /* How it came about, for people. */
    int64_t ready;
    int64_t stable_pods, panic_pods; /* what each window asked for */
    int64_t lowest, highest;         /* the rate limits */
    int64_t undelayed;               /* before the scale-down delay */
} fsim_kpa_decision;

/* The status of a revision before its first decision. */
typedef struct fsim_kpa_status {
    int64_t desired, excess_burst_capacity;
} fsim_kpa_status;

fsim_kpa_params fsim_kpa_params_from(const fsim_knative_settings *settings, bool reachable);

/* Entries the scale-down delay needs: one per tick; 0 without a delay. */
int64_t fsim_kpa_delay_entries(fsim_ns scale_down_delay_ns);

/* A scaler created at now_ns. `ready` pods at that instant (< 0: unknown, as for a new revision): with more
 * than one it starts panicking, so that a restart does not shrink what it has no history of. `entries` holds
 * `capacity` >= fsim_kpa_delay_entries(delay) and lives as long as the scaler; NULL and 0 without a delay. */
void fsim_kpa_init(fsim_kpa *kpa, const fsim_kpa_params *params, fsim_ns now_ns, int64_t ready,
                   fsim_sliding_max_entry *entries, int64_t capacity);

/* Changes the parameters and keeps the state. False, with nothing changed: the delay needs more entries than
 * there are. */
bool fsim_kpa_set_params(fsim_kpa *kpa, const fsim_kpa_params *params);

/* Decides, and moves the state on. Readings are finite and >= 0. */
fsim_kpa_decision fsim_kpa_decide(fsim_kpa *kpa, fsim_ns now_ns, const fsim_kpa_reading *reading);

fsim_kpa_status fsim_kpa_initial_status(int64_t initial_scale, double total, double target_burst_capacity);

/* One line such as "panic: 9 wanted, 4 ready, threshold 200 %"; `kpa` is the state after the decision. */
void fsim_kpa_explain(const fsim_kpa *kpa, const fsim_kpa_decision *decision, char *out, size_t size);

#endif
