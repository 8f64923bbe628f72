#include "autoscale/knative_settings.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

/* 1.96 standard errors (95 %), variance 100, margin of error 5. */
#define SAMPLE_SIZE_UNBOUNDED (1.96 * 1.96 * 100.0 / 25.0)
#define SAMPLE_ALL            3

fsim_knative_settings fsim_knative_settings_default(void) {
    return (fsim_knative_settings){
        .metric = FSIM_KNATIVE_CONCURRENCY,
        .stable_window_ns = 60 * FSIM_SECOND,
        .panic_window_percentage = 10.0,
        .panic_threshold_percentage = 200.0,
        .concurrency_target_percentage = 70.0,
        .concurrency_target_default = 100.0,
        .rps_target_default = 200.0,
        .rps_target_fraction = 0.7,
        .target_burst_capacity = 211.0,
        .max_scale_up_rate = 1000.0,
        .max_scale_down_rate = 2.0,
        .enable_scale_to_zero = true,
        .scale_to_zero_grace_period_ns = 30 * FSIM_SECOND,
        .initial_scale = 1,
        .activation_scale = 1,
        .activator_capacity = 100.0,
        .min_activators = 2,
        .revision_timeout_ns = 300 * FSIM_SECOND,
        .activation_timeout_ns = 630 * FSIM_SECOND,
    };
}

typedef struct real_range {
    const char *name, *unit;
    size_t offset;
    double min, max;
    bool above; /* min itself is not allowed */
    bool zero;  /* 0, for "none", is allowed as well */
} real_range;

#define REAL(field, label, unit_text, ...)                                                                   \
    { .name = label, .unit = unit_text, .offset = offsetof(fsim_knative_settings, field), __VA_ARGS__ }

static const real_range real_ranges[] = {
    REAL(panic_window_percentage, "panic-window-percentage", "%", .min = 1.0, .max = 100.0),
    REAL(panic_threshold_percentage, "panic-threshold-percentage", "%", .min = 110.0, .max = 1000.0),
    REAL(concurrency_target_percentage, "container-concurrency-target-percentage", "%", .min = 0.0,
         .max = 100.0, .above = true),
    REAL(concurrency_target_default, "container-concurrency-target-default", "requests", .min = 0.01,
         .max = 1e9),
    REAL(rps_target_default, "requests-per-second-target-default", "requests/s", .min = 0.01, .max = 1e9),
    REAL(rps_target_fraction, "requests-per-second-target-fraction", "of the target", .min = 0.0, .max = 1.0,
         .above = true),
    REAL(target, "target", "per pod", .min = 0.01, .max = 1e9, .zero = true),
    REAL(target_utilization_percentage, "target-utilization-percentage", "%", .min = 1.0, .max = 100.0,
         .zero = true),
    REAL(max_scale_up_rate, "max-scale-up-rate", "per decision", .min = 1.0, .max = 1e9, .above = true),
    REAL(max_scale_down_rate, "max-scale-down-rate", "per decision", .min = 1.0, .max = 1e9, .above = true),
    REAL(activator_capacity, "activator-capacity", "requests", .min = 1.0, .max = 1e9),
};

typedef struct count_range {
    const char *name, *unit;
    size_t offset;
    int64_t min, max;
} count_range;

#define COUNT(field, label, unit_text, low, high)                                                            \
    { label, unit_text, offsetof(fsim_knative_settings, field), low, high }

static const count_range count_ranges[] = {
    COUNT(initial_scale, "initial-scale", "pods", 0, INT32_MAX),
    COUNT(min_scale, "min-scale", "pods", 0, INT32_MAX),
    COUNT(max_scale, "max-scale", "pods", 0, INT32_MAX),
    COUNT(max_scale_limit, "max-scale-limit", "pods", 0, INT32_MAX),
    COUNT(activation_scale, "activation-scale", "pods", 1, INT32_MAX),
    COUNT(min_activators, "min-activators", "activators", 1, INT32_MAX),
    COUNT(container_concurrency, "container-concurrency", "requests", 0, 1000),
};

typedef struct span_range {
    const char *name;
    size_t offset;
    fsim_ns min, max;
    bool whole_seconds;
} span_range;

#define SPAN(field, label, low, high, whole)                                                                 \
    { label, offsetof(fsim_knative_settings, field), low, high, whole }

static const span_range span_ranges[] = {
    SPAN(stable_window_ns, "stable-window", 6 * FSIM_SECOND, FSIM_KNATIVE_WINDOW_MAX_NS, true),
    SPAN(scale_down_delay_ns, "scale-down-delay", 0, FSIM_KNATIVE_WINDOW_MAX_NS, true),
    SPAN(scale_to_zero_grace_period_ns, "scale-to-zero-grace-period", 1, FSIM_DAY, false),
    SPAN(scale_to_zero_pod_retention_period_ns, "scale-to-zero-pod-retention-period", 0, 365 * FSIM_DAY,
         false),
    SPAN(revision_timeout_ns, "revision-timeout", 1, 600 * FSIM_SECOND, false),
    SPAN(activation_timeout_ns, "activation-timeout", 1, FSIM_DAY, false),
};

#define FIELD(type, s, range) (*(const type *)((const char *)(s) + (range)->offset))
#define ROWS(table)           (sizeof(table) / sizeof(table)[0])

static fsim_status check_reals(const fsim_knative_settings *s, fsim_error *err) {
    for (const real_range *r = real_ranges; r < real_ranges + ROWS(real_ranges); r++) {
        double value = FIELD(double, s, r);
        bool inside = value >= r->min && value <= r->max && !(r->above && value == r->min);
        if (!inside && !(r->zero && value == 0.0)) {
            return fsim_fail(err, FSIM_ECONFIG, "%s is %g, expected %s%g to %g %s", r->name, value,
                             r->above ? "above " : "", r->min, r->max, r->unit);
        }
    }
    return FSIM_OK;
}

static fsim_status check_ranges(const fsim_knative_settings *s, fsim_error *err) {
    FSIM_TRY(check_reals(s, err));
    for (const count_range *r = count_ranges; r < count_ranges + ROWS(count_ranges); r++) {
        int64_t value = FIELD(int64_t, s, r);
        if (value < r->min || value > r->max) {
            return fsim_fail(err, FSIM_ECONFIG, "%s is %" PRId64 ", expected %" PRId64 " to %" PRId64 " %s",
                             r->name, value, r->min, r->max, r->unit);
        }
    }
    for (const span_range *r = span_ranges; r < span_ranges + ROWS(span_ranges); r++) {
        fsim_ns value = FIELD(fsim_ns, s, r);
        if (value < r->min || value > r->max || (r->whole_seconds && value % FSIM_SECOND != 0)) {
            return fsim_fail(err, FSIM_ECONFIG, "%s is %.9g s, expected %.9g to %.9g s%s", r->name,
                             fsim_ns_to_s(value), fsim_ns_to_s(r->min), fsim_ns_to_s(r->max),
                             r->whole_seconds ? " in whole seconds" : "");
        }
    }
    return FSIM_OK;
}

static double concurrency_fraction(const fsim_knative_settings *s) {
    double percentage = s->concurrency_target_percentage;
    return percentage > 1.0 ? percentage / 100.0 : percentage;
}

static fsim_status check_pairs(const fsim_knative_settings *s, fsim_error *err) {
    double burst = s->target_burst_capacity;
    if (!(burst >= 0.0 && burst <= 1e9) && burst != FSIM_KNATIVE_UNLIMITED_BURST) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "target-burst-capacity is %g, expected 0 to 1e9 requests, or -1 for always", burst);
    }
    double least = concurrency_fraction(s) * s->concurrency_target_default;
    if (least < FSIM_KNATIVE_TARGET_MIN) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "container-concurrency-target-percentage of container-concurrency-target-default is "
                         "%g, expected at least %g requests",
                         least, FSIM_KNATIVE_TARGET_MIN);
    }
    if (s->initial_scale == 0 && !s->allow_zero_initial_scale) {
        return fsim_fail(
            err, FSIM_ECONFIG,
            "initial-scale is 0, expected at least 1 pod unless allow-zero-initial-scale is true");
    }
    if (s->max_scale_limit > 0 && (s->max_scale < 1 || s->max_scale > s->max_scale_limit)) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "max-scale is %" PRId64 ", expected 1 to max-scale-limit, %" PRId64 " pods",
                         s->max_scale, s->max_scale_limit);
    }
    if (s->max_scale > 0 && s->min_scale > s->max_scale) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "min-scale is %" PRId64 ", expected at most max-scale, %" PRId64 " pods",
                         s->min_scale, s->max_scale);
    }
    return FSIM_OK;
}

fsim_status fsim_knative_settings_check(const fsim_knative_settings *s, fsim_error *err) {
    FSIM_TRY(check_ranges(s, err));
    return check_pairs(s, err);
}

static double concurrency_total(const fsim_knative_settings *s) {
    double limit = (double)s->container_concurrency;
    double wish = s->target > 0.0 ? s->target : limit > 0.0 ? limit : s->concurrency_target_default;
    /* A target above what the container takes at once would never be reached. */
    return limit > 0.0 ? fmin(wish, limit) : wish;
}

fsim_knative_target fsim_knative_resolve_target(const fsim_knative_settings *s) {
    double total, fraction;
    if (s->metric == FSIM_KNATIVE_RPS) {
        total = s->target > 0.0 ? s->target : s->rps_target_default;
        fraction = s->rps_target_fraction;
    } else {
        total = concurrency_total(s);
        fraction = concurrency_fraction(s);
    }
    if (s->target_utilization_percentage > 0.0) {
        fraction = s->target_utilization_percentage / 100.0;
    }
    return (fsim_knative_target){.target = fmax(FSIM_KNATIVE_TARGET_MIN, total * fraction), .total = total};
}

fsim_ns fsim_knative_panic_window(fsim_ns stable_window_ns, double percentage, fsim_ns bucket_ns) {
    double seconds = fsim_ns_to_s(stable_window_ns) * percentage / 100.0;
    fsim_ns window_ns = (fsim_ns)round(seconds) * FSIM_SECOND;
    return window_ns < bucket_ns ? bucket_ns : window_ns;
}

int64_t fsim_knative_initial_scale(int64_t cluster, int64_t revision, bool allow_zero) {
    return revision < 0 || (revision == 0 && !allow_zero) ? cluster : revision;
}

int64_t fsim_knative_activator_count(int64_t ready, double total, double target_burst_capacity,
                                     double activator_capacity, int64_t min_activators) {
    if (target_burst_capacity == 0.0) {
        return min_activators;
    }
    double load = (double)ready * total + fmax(target_burst_capacity, 0.0);
    double wanted = fmin(ceil(load / activator_capacity), (double)INT32_MAX);
    return wanted > (double)min_activators ? (int64_t)wanted : min_activators;
}

int64_t fsim_knative_scrape_sample_size(int64_t pods) {
    if (pods <= SAMPLE_ALL) {
        return pods > 0 ? pods : 0;
    }
    double n = (double)pods;
    return (int64_t)ceil(n * SAMPLE_SIZE_UNBOUNDED / (n + SAMPLE_SIZE_UNBOUNDED - 1.0));
}

bool fsim_knative_activator_in_path(int64_t applied_scale, int64_t excess_burst_capacity, bool inactive) {
    if (excess_burst_capacity < 0 || applied_scale == 0) {
        return true;
    }
    return applied_scale < 0 && inactive;
}
