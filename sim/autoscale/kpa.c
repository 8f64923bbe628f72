#include "autoscale/kpa.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Replica counts are 32 bits in Kubernetes. */
static int64_t to_int32(double value) {
    return (int64_t)fmin(fmax(value, (double)INT32_MIN), (double)INT32_MAX);
}

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

fsim_kpa_params fsim_kpa_params_from(const fsim_knative_settings *settings, bool reachable) {
    fsim_knative_target per_pod = fsim_knative_resolve_target(settings);
    return (fsim_kpa_params){
        .target = per_pod.target,
        .total = per_pod.total,
        .target_burst_capacity = settings->target_burst_capacity,
        .panic_threshold = settings->panic_threshold_percentage / 100.0,
        .max_scale_up_rate = settings->max_scale_up_rate,
        .max_scale_down_rate = settings->max_scale_down_rate,
        .stable_window_ns = settings->stable_window_ns,
        .scale_down_delay_ns = settings->scale_down_delay_ns,
        .activation_scale = settings->activation_scale,
        .reachable = reachable,
    };
}

int64_t fsim_kpa_delay_entries(fsim_ns scale_down_delay_ns) {
    return fsim_sliding_max_slots(scale_down_delay_ns, FSIM_KNATIVE_TICK_NS);
}

void fsim_kpa_init(fsim_kpa *kpa, const fsim_kpa_params *params, fsim_ns now_ns, int64_t ready,
                   fsim_sliding_max_entry *entries, int64_t capacity) {
    *kpa = (fsim_kpa){
        .params = *params,
        .panicking = ready > 1,
        .panic_since_ns = now_ns,
        .max_panic_pods = larger(ready, 0),
        .delay = {.entries = entries, .capacity = capacity},
    };
    bool fits = fsim_kpa_set_params(kpa, params);
    fsim_assert(fits);
}

bool fsim_kpa_set_params(fsim_kpa *kpa, const fsim_kpa_params *params) {
    int64_t slots = fsim_kpa_delay_entries(params->scale_down_delay_ns);
    fsim_sliding_max *delay = &kpa->delay;
    if (slots > delay->capacity) {
        return false;
    }
    if (slots == 0) {
        delay->slots = 0;
    } else if (delay->slots == 0) {
        fsim_sliding_max_init(delay, delay->entries, delay->capacity, slots, FSIM_KNATIVE_TICK_NS);
    } else {
        fsim_sliding_max_resize(delay, slots);
    }
    kpa->params = *params;
    return true;
}

/* What a window asks for, within the rate limits and raised to the activation scale when it asks for
 * anything. */
static int64_t limited(const fsim_kpa_params *p, double wanted, double lowest, double highest) {
    int64_t pods = to_int32(fmin(fmax(wanted, lowest), highest));
    return p->activation_scale > 1 && wanted > 0.0 ? larger(pods, p->activation_scale) : pods;
}

static void update_panic(fsim_kpa *kpa, fsim_ns now_ns, bool over_threshold) {
    if (over_threshold) {
        kpa->panicking = true;
        kpa->panic_since_ns = now_ns;
    } else if (kpa->panicking && now_ns - kpa->panic_since_ns > kpa->params.stable_window_ns) {
        kpa->panicking = false;
        kpa->max_panic_pods = 0;
    }
}

static int64_t excess_burst_capacity(const fsim_kpa_params *p, int64_t ready, double panic) {
    if (p->target_burst_capacity <= 0.0) {
        return p->target_burst_capacity < 0.0 ? -1 : 0;
    }
    return to_int32(floor((double)ready * p->total - p->target_burst_capacity - panic));
}

fsim_kpa_decision fsim_kpa_decide(fsim_kpa *kpa, fsim_ns now_ns, const fsim_kpa_reading *reading) {
    const fsim_kpa_params *p = &kpa->params;
    fsim_kpa_decision d = {
        .desired = FSIM_KNATIVE_SCALE_UNKNOWN, .panicking = kpa->panicking, .ready = reading->ready};
    if (reading->ready < 0 || !reading->has_data) {
        d.verdict = reading->ready < 0 ? FSIM_KPA_NO_READY_COUNT : FSIM_KPA_NO_DATA;
        return d;
    }
    /* With no pod yet, one is assumed: a factor of nothing would stay nothing. */
    double ready = (double)larger(reading->ready, 1);
    double highest = ceil(p->max_scale_up_rate * ready);
    double lowest = p->reachable ? floor(ready / p->max_scale_down_rate) : 0.0;
    double stable_pods = ceil(reading->stable / p->target);
    double panic_pods = ceil(reading->panic / p->target);
    int64_t desired = limited(p, stable_pods, lowest, highest);
    /* Before the rate limit, or a slow limit would hide the surge. */
    update_panic(kpa, now_ns, panic_pods / ready >= p->panic_threshold);
    if (kpa->panicking) {
        desired = larger(desired, limited(p, panic_pods, lowest, highest));
        kpa->max_panic_pods = larger(kpa->max_panic_pods, desired);
        desired = kpa->max_panic_pods;
    }
    d.undelayed = d.desired = desired;
    if (p->reachable && kpa->delay.slots > 0) {
        fsim_sliding_max_record_at(&kpa->delay, now_ns, (double)desired);
        d.desired = (int64_t)fsim_sliding_max_current(&kpa->delay);
    }
    d.excess_burst_capacity = excess_burst_capacity(p, reading->ready, reading->panic);
    d.panicking = kpa->panicking;
    d.stable_pods = to_int32(stable_pods);
    d.panic_pods = to_int32(panic_pods);
    d.lowest = to_int32(lowest);
    d.highest = to_int32(highest);
    return d;
}

fsim_kpa_status fsim_kpa_initial_status(int64_t initial_scale, double total, double target_burst_capacity) {
    fsim_kpa_status status = {.desired = FSIM_KNATIVE_SCALE_UNKNOWN};
    double burst = target_burst_capacity;
    status.excess_burst_capacity = to_int32(burst == 0.0 || burst == FSIM_KNATIVE_UNLIMITED_BURST
                                                ? burst
                                                : trunc((double)initial_scale * total - burst));
    return status;
}

/* Where a line of `size` bytes ends after snprintf at `at` wanted to write n: what does not fit is cut. */
static size_t end_of(size_t at, int n, size_t size) {
    size_t wanted = at + (n > 0 ? (size_t)n : 0);
    return wanted < size ? wanted : size - 1;
}

#define ADD(...) at = end_of(at, snprintf(out + at, size - at, __VA_ARGS__), size)

void fsim_kpa_explain(const fsim_kpa *kpa, const fsim_kpa_decision *d, char *out, size_t size) {
    if (size == 0) {
        return;
    }
    size_t at = 0;
    if (d->verdict != FSIM_KPA_DECIDED) {
        ADD("no decision: %s",
            d->verdict == FSIM_KPA_NO_READY_COUNT ? "ready pods unknown" : "no metric data");
        return;
    }
    int64_t wanted = d->panicking ? larger(d->stable_pods, d->panic_pods) : d->stable_pods;
    ADD("%s: %" PRId64 " wanted, %" PRId64 " ready", d->panicking ? "panic" : "stable", wanted, d->ready);
    if (d->panicking) {
        ADD(", threshold %g %%", kpa->params.panic_threshold * 100.0);
    }
    if (wanted > d->highest) {
        ADD(", at most %" PRId64 " by the scale-up rate", d->highest);
    } else if (wanted < d->lowest) {
        ADD(", at least %" PRId64 " by the scale-down rate", d->lowest);
    }
    int64_t allowed = limited(&kpa->params, (double)wanted, (double)d->lowest, (double)d->highest);
    if (kpa->params.activation_scale > 1 && wanted > 0 && allowed == kpa->params.activation_scale &&
        wanted < allowed) {
        ADD(", raised to the activation scale %" PRId64, allowed);
    }
    if (d->undelayed > allowed) {
        ADD(", held at %" PRId64 " in panic", d->undelayed);
    }
    if (d->desired > d->undelayed) {
        ADD(", held at %" PRId64 " by the scale-down delay", d->desired);
    }
}

#undef ADD
