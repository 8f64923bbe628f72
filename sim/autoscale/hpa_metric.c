#include "autoscale/hpa_metric.h"

#include <math.h>

__extension__ typedef __int128 wide;

int64_t fsim_hpa_milli(double value) {
    double nano = floor(value * 1e9 + 0.5);
    return nano >= 9e18 ? INT64_MAX / 1000000 : ((int64_t)nano + 999999) / 1000000;
}

/* ---- groups ---- */

/* Readiness of a pod whose CPU was sampled: the CPU of a start is not load. */
static bool cpu_counts(const fsim_hpa_pod *pod, const fsim_hpa_readiness *readiness, fsim_ns now_ns) {
    if (!pod->has_condition || !pod->has_start) {
        return false;
    }
    if (pod->start_ns + readiness->cpu_initialization_ns > now_ns) {
        return pod->ready && pod->sample_ns >= pod->ready_change_ns + pod->window_ns;
    }
    return pod->ready || pod->start_ns + readiness->initial_readiness_ns <= pod->ready_change_ns;
}

fsim_hpa_group fsim_hpa_group_of(const fsim_hpa_pod *pod, bool cpu, const fsim_hpa_readiness *readiness,
                                 fsim_ns now_ns) {
    bool ended = pod->phase == FSIM_POD_SUCCEEDED || pod->phase == FSIM_POD_FAILED;
    if (pod->deleting || ended) {
        return FSIM_HPA_IGNORED;
    }
    if (pod->phase == FSIM_POD_PENDING) {
        return FSIM_HPA_UNREADY;
    }
    if (!pod->has_sample) {
        return FSIM_HPA_MISSING;
    }
    return cpu && !cpu_counts(pod, readiness, now_ns) ? FSIM_HPA_UNREADY : FSIM_HPA_READY;
}

/* ---- sums ---- */

static bool is_resource(const fsim_hpa_metric *metric) {
    return metric->kind == FSIM_HPA_UTILIZATION || metric->kind == FSIM_HPA_RESOURCE_VALUE;
}

/* A missing pod counts as using its whole request, or the target where that is above 100 %. */
static int64_t full_use(const fsim_hpa_metric *metric, int64_t request) {
    int64_t percent = metric->target > 100 ? metric->target : 100;
    return request * percent / 100;
}

void fsim_hpa_tally_pod(fsim_hpa_tally *tally, const fsim_hpa_metric *metric, const fsim_hpa_pod *pod,
                        const fsim_hpa_readiness *readiness, fsim_ns now_ns) {
    int64_t request = pod->has_request ? pod->request : 0;
    tally->pods++;
    tally->lacks_request |= !pod->has_request;
    tally->running_ready += pod->phase == FSIM_POD_RUNNING && pod->has_condition && pod->ready;
    switch (fsim_hpa_group_of(pod, is_resource(metric) && metric->cpu, readiness, now_ns)) {
    case FSIM_HPA_READY:
        tally->ready++;
        tally->samples++;
        tally->usage += pod->usage;
        tally->requested_samples++;
        tally->requested_usage += pod->usage;
        tally->requested += request;
        break;
    case FSIM_HPA_UNREADY:
        tally->unready++;
        tally->unready_request += request;
        break;
    case FSIM_HPA_MISSING:
        tally->missing++;
        tally->missing_request += request;
        tally->missing_full += metric->kind == FSIM_HPA_UTILIZATION ? full_use(metric, request) : 0;
        break;
    case FSIM_HPA_IGNORED:
    default: tally->ignored++; break;
    }
}

void fsim_hpa_tally_other(fsim_hpa_tally *tally, int64_t usage) {
    tally->samples++;
    tally->usage += usage;
}

/* ---- proposals ---- */

static bool within(const fsim_hpa_tolerance *tolerance, double ratio) {
    return 1.0 - tolerance->down <= ratio && ratio <= 1.0 + tolerance->up;
}

static int64_t to_replicas(double count) {
    double up = ceil(count);
    return up >= (double)FSIM_HPA_REPLICAS_MAX ? FSIM_HPA_REPLICAS_MAX : up > 0.0 ? (int64_t)up : 0;
}

static fsim_hpa_proposal fail(const char *why) {
    return (fsim_hpa_proposal){.error = why};
}

/* The sums of a metric that is taken per pod, and what they say. */
typedef struct sums {
    int64_t usage, request; /* request: UTILIZATION */
    int64_t count;          /* of samples, those put in for other pods included */
} sums;

static double ratio_of(const fsim_hpa_metric *metric, const sums *s, int64_t *utilization) {
    *utilization = 0;
    if (metric->kind == FSIM_HPA_UTILIZATION) {
        *utilization = (int64_t)((wide)s->usage * 100 / s->request);
        return (double)*utilization / (double)metric->target;
    }
    int64_t average = s->usage / s->count; /* whole units, as the controller has it */
    return (double)average / (double)metric->target;
}

/* Missing pods pull against the change, unready ones against growth. */
static sums fill_in(const fsim_hpa_metric *metric, const fsim_hpa_tally *tally, sums s, double ratio,
                    bool with_unready) {
    if (tally->missing > 0 && (ratio < 1.0 || ratio > 1.0)) {
        bool shrinks = ratio < 1.0;
        s.count += tally->missing;
        s.request += tally->missing_request;
        s.usage += !shrinks                               ? 0
                   : metric->kind == FSIM_HPA_UTILIZATION ? tally->missing_full
                                                          : tally->missing * metric->target;
    }
    if (with_unready) {
        s.count += tally->unready;
        s.request += tally->unready_request;
    }
    return s;
}

static fsim_hpa_proposal propose_per_pod(const fsim_hpa_metric *metric, const fsim_hpa_tally *tally,
                                         const fsim_hpa_tolerance *tolerance, int64_t spec) {
    bool utilization = metric->kind == FSIM_HPA_UTILIZATION;
    if (tally->pods == 0) {
        return fail("no pods");
    }
    if (tally->samples == 0) {
        return fail("no sample of a pod that counts");
    }
    if (utilization && tally->lacks_request) {
        return fail("a pod without a request");
    }
    sums s = {.usage = utilization ? tally->requested_usage : tally->usage,
              .request = tally->requested,
              .count = tally->samples};
    if (utilization && s.request == 0) {
        return fail("no sample of a known pod");
    }
    fsim_hpa_proposal p = {.average = s.usage / (utilization ? tally->requested_samples : s.count)};
    int64_t ignored;
    p.ratio = ratio_of(metric, &s, &p.utilization);
    bool with_unready = tally->unready > 0 && p.ratio > 1.0;
    if (!with_unready && tally->missing == 0) {
        p.replicas = within(tolerance, p.ratio) ? spec : to_replicas(p.ratio * (double)tally->ready);
        return p;
    }
    sums filled = fill_in(metric, tally, s, p.ratio, with_unready);
    double ratio = ratio_of(metric, &filled, &ignored);
    p.replicas = spec;
    if (within(tolerance, ratio) || (p.ratio < 1.0 && ratio > 1.0) || (p.ratio > 1.0 && ratio < 1.0)) {
        return p;
    }
    int64_t replicas = to_replicas(ratio * (double)filled.count);
    if (!(ratio < 1.0 && replicas > spec) && !(ratio > 1.0 && replicas < spec)) {
        p.replicas = replicas;
    }
    return p;
}

static fsim_hpa_proposal propose_value(const fsim_hpa_metric *metric, const fsim_hpa_tally *tally,
                                       const fsim_hpa_tolerance *tolerance, int64_t spec) {
    fsim_hpa_proposal p = {.ratio = (double)metric->value / (double)metric->target};
    if (spec == 0) {
        p.replicas = to_replicas(p.ratio);
    } else if (within(tolerance, p.ratio)) {
        p.replicas = spec;
    } else if (tally->pods == 0) {
        return fail("no pods");
    } else {
        p.replicas = to_replicas(p.ratio * (double)tally->running_ready);
    }
    return p;
}

/* The average is rounded up, and saturates where the quotient is beyond it. */
static fsim_hpa_proposal propose_average(const fsim_hpa_metric *metric, const fsim_hpa_tolerance *tolerance,
                                         int64_t status) {
    double value = (double)metric->value, target = (double)metric->target;
    fsim_hpa_proposal p = {.ratio = status > 0    ? value / (target * (double)status)
                                    : value > 0.0 ? HUGE_VAL
                                                  : 0.0};
    bool keep = status > 0 && within(tolerance, p.ratio);
    double average = status > 0 ? ceil(value / (double)status) : value;
    p.replicas = keep ? status : to_replicas(value / target);
    p.average = average >= 0x1p63 ? INT64_MAX : (int64_t)average;
    return p;
}

fsim_hpa_proposal fsim_hpa_propose(const fsim_hpa_metric *metric, const fsim_hpa_tally *tally,
                                   const fsim_hpa_tolerance *tolerance, int64_t spec, int64_t status) {
    switch (metric->kind) {
    case FSIM_HPA_VALUE: return propose_value(metric, tally, tolerance, spec);
    case FSIM_HPA_AVERAGE_VALUE: return propose_average(metric, tolerance, status);
    case FSIM_HPA_UTILIZATION:
    case FSIM_HPA_RESOURCE_VALUE:
    case FSIM_HPA_PODS:
    default: return propose_per_pod(metric, tally, tolerance, spec);
    }
}
