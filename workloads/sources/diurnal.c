/* A daily or weekly rhythm from an hourly profile.
 *
 * profile: 24 numbers (every day the same), 168 (a week, from its first day's 0:00), or {"weekday": [24],
 * "weekend": [24]}. Only their proportions count: they are scaled so that the mean over the whole profile is
 * `rate`. shape "linear" (default): a number is the rate at the full hour, with straight lines between;
 * "steps": it holds for its hour. t = 0 is 0:00 of start_day (default monday; weekly profiles only). */
#include "workloads/sources/arrival_support.h"
#include "workloads/sources/rate_curve_support.h"

#define DAY_HOURS  24u
#define WEEK_HOURS 168u

static const char *const day_names[] = {"monday", "tuesday",  "wednesday", "thursday",
                                        "friday", "saturday", "sunday",    NULL};
static const char *const shape_names[] = {"linear", "steps", NULL};

static fsim_status read_hours(const fsim_value *list, size_t expected, double *hours, fsim_error *err) {
    if (list->kind != FSIM_VALUE_ARRAY || list->count != expected) {
        return fsim_value_fail(list, err, "expected an array of %zu numbers, one an hour", expected);
    }
    size_t i = 0;
    for (const fsim_value *item = list->first; item != NULL; item = item->next) {
        bool number = item->kind == FSIM_VALUE_INTEGER || item->kind == FSIM_VALUE_REAL;
        if (!number || !(item->real >= 0.0 && item->real <= 1e12)) {
            return fsim_value_fail(item, err, "expected a number of at least 0");
        }
        hours[i++] = item->real;
    }
    return FSIM_OK;
}

static fsim_status read_weekly(const fsim_value *profile, double *hours, fsim_error *err) {
    static const char *const keys[2] = {"weekday", "weekend"};
    double kinds[2][DAY_HOURS] = {{0}};
    for (int k = 0; k < 2; k++) {
        const fsim_value *list = fsim_value_get(profile, keys[k]);
        if (list == NULL) {
            return fsim_value_missing(profile, keys[k], err);
        }
        FSIM_TRY(read_hours(list, DAY_HOURS, kinds[k], err));
    }
    for (size_t hour = 0; hour < WEEK_HOURS; hour++) {
        hours[hour] = kinds[hour / DAY_HOURS >= 5][hour % DAY_HOURS];
    }
    return FSIM_OK;
}

/* The hours of one period from `profile`; *count is 24 or 168. */
static fsim_status read_profile(const fsim_value *config, double *hours, uint32_t *count, fsim_error *err) {
    const fsim_value *profile = fsim_value_get(config, "profile");
    if (profile == NULL) {
        return fsim_value_missing(config, "profile", err);
    }
    *count = WEEK_HOURS;
    if (profile->kind == FSIM_VALUE_OBJECT) {
        return read_weekly(profile, hours, err);
    }
    if (profile->kind != FSIM_VALUE_ARRAY || (profile->count != DAY_HOURS && profile->count != WEEK_HOURS)) {
        return fsim_value_fail(
            profile, err,
            "expected 24 or 168 numbers, one an hour, or {\"weekday\": [...], \"weekend\": [...]}");
    }
    *count = (uint32_t)profile->count;
    return read_hours(profile, profile->count, hours, err);
}

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    fsim_rate_curve *curve = state;
    double hours[WEEK_HOURS] = {0}, rate = 0, sum = 0;
    uint32_t count = 0;
    int shape = 0, day = 0;
    FSIM_TRY(fsim_source_read_rate(config, "rate", false, &rate, err));
    FSIM_TRY(read_profile(config, hours, &count, err));
    FSIM_TRY(fsim_value_get_enum(config, "shape", shape_names, &shape, err));
    if (count == WEEK_HOURS) {
        FSIM_TRY(fsim_value_get_enum(config, "start_day", day_names, &day, err));
    }
    for (uint32_t i = 0; i < count; i++) {
        sum += hours[i];
    }
    if (sum == 0.0) {
        return fsim_value_fail(fsim_value_get(config, "profile"), err, "the profile is 0 in every hour");
    }
    FSIM_TRY(fsim_rate_curve_open(curve, context, count, err));
    double scale = rate * count / sum;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t hour = (i + (uint32_t)day * DAY_HOURS) % count;
        double from = hours[hour] * scale;
        double to = shape == 0 ? hours[(hour + 1u) % count] * scale : from;
        if (!(from <= FSIM_RATE_MAX)) {
            return fsim_value_fail(fsim_value_get(config, "rate"), err,
                                   "the busiest hour exceeds %g requests a second", FSIM_RATE_MAX);
        }
        fsim_rate_curve_add(curve, FSIM_HOUR, from, to);
    }
    curve->period_ns = count * FSIM_HOUR;
    return FSIM_OK;
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    (void)err;
    return fsim_rate_curve_next(state, batch);
}

const fsim_source_ops fsim_source_diurnal = {
    .name = "diurnal",
    .summary = "a daily or weekly rhythm: an hourly profile times a mean rate",
    .example = "{\"source\": \"diurnal\", \"rate\": 0.2, \"profile\": [1, 1, 0, 0, 1, 4, 8, 9, 7, 6, 6, 6, "
               "6, 6, 7, 8, 9, "
               "9, 7, 5, 4, 3, 2, 1], \"until\": \"1d\"}",
    .state_size = sizeof(fsim_rate_curve),
    .endless = true,
    .open = open,
    .next = next,
};
