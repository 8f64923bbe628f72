/* See step_scaling.h. */
#include "autoscale/step_scaling.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MAX 4e15 /* beyond it a double no longer counts in ones */

static const char *skip_blanks(const char *at) {
    return at + strspn(at, " \t");
}

static fsim_status fail_syntax(const char *text, fsim_error *err) {
    return fsim_fail(err, FSIM_ECONFIG,
                     "\"%.100s\" is no list of steps, expected for example \"+2 at 80, +30%% at 90\"", text);
}

/* "+2 at 80 %": moves *at behind it. */
static fsim_status parse_step(fsim_step *step, const char **at, const char *text, fsim_error *err) {
    char *end;
    const char *p = skip_blanks(*at);
    char sign = *p;
    if (sign != '+' && sign != '-' && sign != '=') {
        return fail_syntax(text, err);
    }
    p += sign == '=';
    step->by.kind = sign == '=' ? FSIM_ADJUST_EXACT : FSIM_ADJUST_CHANGE;
    step->by.value = strtod(p, &end);
    bool digits = end != p && strspn(p, "+-0123456789.eE") >= (size_t)(end - p);
    p = skip_blanks(end);
    if (*p == '%' && sign != '=') {
        step->by.kind = FSIM_ADJUST_PERCENT;
        p = skip_blanks(p + 1);
    }
    if (!digits || strncmp(p, "at", 2) != 0) {
        return fail_syntax(text, err);
    }
    p = skip_blanks(p + 2);
    step->at = strtod(p, &end);
    if (end == p || !isfinite(step->at)) {
        return fail_syntax(text, err);
    }
    p = skip_blanks(end);
    *at = *p == '%' ? skip_blanks(p + 1) : p;
    return FSIM_OK;
}

static fsim_status check_step(const fsim_step *step, bool upwards, fsim_error *err) {
    const fsim_adjustment *by = &step->by;
    if (by->kind != FSIM_ADJUST_PERCENT &&
        (by->value != floor(by->value) || fabs(by->value) > CAPACITY_MAX)) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "the step at %.12g changes %.12g instances, expected a whole number", step->at,
                         by->value);
    }
    if (by->kind == FSIM_ADJUST_EXACT ? by->value < 0 : upwards ? by->value <= 0 : by->value >= 0) {
        return fsim_fail(err, FSIM_ECONFIG, "the step at %.12g is %+.12g, expected one that %s instances",
                         step->at, by->value, upwards ? "adds" : "removes");
    }
    return FSIM_OK;
}

/* In order: away from the threshold. */
static fsim_status insert_step(fsim_steps *steps, const fsim_step *step, fsim_error *err) {
    uint32_t at = steps->count;
    if (at == FSIM_STEPS_MAX) {
        return fsim_fail(err, FSIM_ECONFIG, "more than %u steps", FSIM_STEPS_MAX);
    }
    while (at > 0 &&
           (steps->upwards ? steps->step[at - 1].at > step->at : steps->step[at - 1].at < step->at)) {
        steps->step[at] = steps->step[at - 1];
        at--;
    }
    if (at > 0 && !(steps->step[at - 1].at < step->at) && !(steps->step[at - 1].at > step->at)) {
        return fsim_fail(err, FSIM_ECONFIG, "two steps at %.12g", step->at);
    }
    steps->step[at] = *step;
    steps->count++;
    return FSIM_OK;
}

fsim_status fsim_steps_parse(fsim_steps *steps, bool upwards, const char *text, fsim_error *err) {
    *steps = (fsim_steps){.upwards = upwards};
    const char *at = skip_blanks(text);
    if (*at == '\0' || strcmp(at, "none") == 0) {
        return FSIM_OK;
    }
    for (;;) {
        fsim_step step = {0};
        FSIM_TRY(parse_step(&step, &at, text, err));
        FSIM_TRY(check_step(&step, upwards, err));
        FSIM_TRY(insert_step(steps, &step, err));
        if (*at == '\0') {
            return FSIM_OK;
        }
        if (*at++ != ',') {
            return fail_syntax(text, err);
        }
    }
}

const fsim_step *fsim_steps_find(const fsim_steps *steps, double metric) {
    const fsim_step *found = NULL;
    for (uint32_t i = 0; i < steps->count; i++) {
        const fsim_step *step = &steps->step[i];
        if (steps->upwards ? metric >= step->at : metric <= step->at) {
            found = step;
        }
    }
    return found;
}

static double round_change(double change) {
    if (change > 0 && change < 1) {
        return 1;
    }
    if (change < 0 && change > -1) {
        return -1;
    }
    return trunc(change);
}

int64_t fsim_step_adjust(int64_t capacity, fsim_adjustment by, int64_t magnitude, int64_t least,
                         int64_t most) {
    double wanted = (double)capacity + by.value;
    if (by.kind == FSIM_ADJUST_EXACT) {
        wanted = by.value;
    } else if (by.kind == FSIM_ADJUST_PERCENT) {
        double change = round_change((double)capacity * by.value / 100.0);
        if (change != 0 && fabs(change) < (double)magnitude) {
            change = copysign((double)magnitude, change);
        }
        wanted = (double)capacity + change;
    }
    if (!(wanted > (double)least)) {
        return least;
    }
    return wanted > (double)most || wanted > CAPACITY_MAX ? most : (int64_t)wanted;
}
