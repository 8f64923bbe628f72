/* Runs validity cases: plans them, runs them on threads, lengthens them; case_accept.c judges. */
#include "case.h"

#include "base/text.h"
#include "io/json_reader.h"
#include "model/run.h"
#include "report/summary_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUICK_GIVE_UP                                                                                        \
    20000000u /* a case that cannot be shortened and asks for more is left to the full run */
#define BUDGET_REQUESTS 400000000u /* of one round of lengthened runs, or the case's own first guess */
#define ROUNDS_MAX      6u
#define CONFIRM_FACTOR  4.0
#define PERIODS_MIN     8

fsim_status case_scenario(fsim_scenario **out, const case_plan *plan, uint64_t seed, fsim_error *err) {
    fsim_value_pool *pool = fsim_value_pool_create();
    fsim_value *tree = NULL;
    char number[32], span[64];
    *out = NULL;
    if (pool == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    snprintf(number, sizeof number, "%llu", (unsigned long long)seed);
    fsim_status status = fsim_json_read_text(pool, plan->scenario_text, plan->id, &tree, err);
    if (status == FSIM_OK) {
        status = fsim_value_set(pool, tree, "run.seed", number, "seed", err);
    }
    if (status == FSIM_OK && plan->requests > 0) {
        snprintf(number, sizeof number, "%llu", (unsigned long long)plan->requests);
        status = fsim_value_set(pool, tree, "workload.requests", number, "length", err);
    }
    if (status == FSIM_OK && plan->until_ns != FSIM_NEVER && plan->extend_key != NULL) {
        fsim_text_print_span(plan->until_ns, span, sizeof span);
        status = fsim_value_set(pool, tree, "workload.until", span, "length", err);
        if (status == FSIM_OK && strstr(plan->extend_key, "run.until") != NULL) {
            status = fsim_value_set(pool, tree, "run.until", span, "length", err);
        }
    }
    if (status != FSIM_OK) {
        fsim_value_pool_destroy(pool);
        return status;
    }
    fsim_load_options options = {0};
    return fsim_scenario_from_tree(out, pool, tree, ".", &options, err);
}

/* ---- one round of runs ---- */

typedef struct case_round {
    case_plan *plan;
    uint32_t first; /* runs from this one on */
    uint64_t *arrived;
    fsim_error *errors; /* one a run */
} case_round;

static fsim_status evaluate(const case_plan *plan, uint32_t run, const json_t *summary, fsim_error *err) {
    for (uint32_t i = 0; i < plan->check_count; i++) {
        case_check *check = &plan->checks[i];
        for (uint32_t k = 0; check->wanted && k < check->value_count; k++) {
            FSIM_TRY(fsim_summary_eval(summary, check->values[k].expr, &check->values[k].samples[run], err));
        }
    }
    return FSIM_OK;
}

static fsim_status run_once(case_plan *plan, uint32_t run, uint64_t *arrived, fsim_error *err) {
    fsim_scenario *scenario;
    fsim_result *result = NULL;
    uint64_t seed = 1 + run + (uint64_t)plan->round * 1000000u;
    FSIM_TRY(case_scenario(&scenario, plan, seed, err));
    fsim_run_options options = {.seed = seed};
    fsim_status status = fsim_run(&result, scenario, &options, err);
    if (status == FSIM_OK) {
        json_t *summary = fsim_summary_json(scenario, result, NULL, 0);
        *arrived = result->total.n.arrived;
        status = evaluate(plan, run, summary, err);
        json_decref(summary);
    }
    fsim_result_destroy(result);
    fsim_scenario_destroy(scenario);
    return status;
}

static void round_job(void *user, uint32_t i) {
    case_round *r = user;
    run_once(r->plan, r->first + i, &r->arrived[r->first + i], &r->errors[r->first + i]);
}

/* Reports the failure for every wanted check. */
static void fail_all(const case_plan *plan, const fsim_error *err) {
    char text[1100];
    snprintf(text, sizeof text, "%s: %s", err->place, err->text);
    for (uint32_t i = 0; i < plan->check_count; i++) {
        if (plan->checks[i].wanted) {
            conformance_fail(plan->c, plan->checks[i].id, "a run", text);
        }
    }
}

static void skip_all(const case_plan *plan, const char *reason) {
    for (uint32_t i = 0; i < plan->check_count; i++) {
        if (plan->checks[i].wanted) {
            conformance_skip(plan->c, plan->checks[i].id, reason);
        }
    }
}

static void make_room(case_plan *plan, uint32_t runs) {
    for (uint32_t i = 0; i < plan->check_count && runs > plan->runs_room; i++) {
        for (uint32_t k = 0; k < plan->checks[i].value_count; k++) {
            double **samples = &plan->checks[i].values[k].samples;
            *samples = realloc(*samples, runs * sizeof **samples);
            fsim_assert(*samples != NULL);
        }
    }
    plan->runs_room = runs > plan->runs_room ? runs : plan->runs_room;
}

/* Runs [first, plan->runs); false: a run failed and that is reported. *arrived: requests of the longest. */
static bool run_round(case_plan *plan, uint32_t first, uint64_t *arrived) {
    uint32_t count = plan->runs - first;
    bool ok = true;
    make_room(plan, plan->runs);
    case_round r = {.plan = plan, .first = first};
    r.arrived = calloc(plan->runs, sizeof *r.arrived);
    r.errors = calloc(plan->runs, sizeof *r.errors);
    fsim_assert(r.arrived != NULL && r.errors != NULL);
    fsim_parallel(plan->options.threads, count, round_job, &r);
    for (uint32_t i = first; i < plan->runs && ok; i++) {
        ok = r.errors[i].status == FSIM_OK;
        if (!ok) {
            fail_all(plan, &r.errors[i]);
        }
        *arrived = r.arrived[i] > *arrived ? r.arrived[i] : *arrived;
    }
    free(r.arrived);
    free(r.errors);
    return ok;
}

static void estimate_all(case_plan *plan) {
    for (uint32_t i = 0; i < plan->check_count; i++) {
        for (uint32_t k = 0; plan->checks[i].wanted && k < plan->checks[i].value_count; k++) {
            case_value *v = &plan->checks[i].values[k];
            case_estimate(v->samples, plan->runs, &v->mean, &v->half_width);
        }
    }
}

static double lacking(const case_plan *plan) {
    double factor = 0;
    for (uint32_t i = 0; i < plan->check_count; i++) {
        factor = plan->checks[i].wanted ? fmax(factor, case_lacks(&plan->checks[i])) : factor;
    }
    return factor;
}

/* ---- lengthening ---- */

static bool extends(const case_plan *plan, const char *key) {
    return plan->extend_key != NULL && strstr(plan->extend_key, key) != NULL;
}

static bool all_hold(const case_plan *plan) {
    bool hold = true;
    for (uint32_t i = 0; i < plan->check_count; i++) {
        hold = hold && (!plan->checks[i].wanted || case_holds(&plan->checks[i], plan->runs));
    }
    return hold;
}

/* How many times as long the next round should be; <= 1: no more. *confirmed: a failure has been looked at
 * twice. */
static double wish(const case_plan *plan, bool *confirmed) {
    double factor = plan->options.quick ? 0 : lacking(plan);
    if (factor <= 1 && !*confirmed && !all_hold(plan)) {
        *confirmed = true;
        return CONFIRM_FACTOR;
    }
    return factor;
}

/* Makes the next round `factor` times as long, within the budget; false: that is spent. `requests`: of all
 * runs of this round. */
static bool lengthen(case_plan *plan, double factor, double requests) {
    double budget = fmax(BUDGET_REQUESTS, (double)plan->hint);
    factor = fmin(fmax(1.3 * factor, 1.5), budget / fmax(requests, 1));
    if (factor < 1.2 || plan->round >= ROUNDS_MAX) {
        return false;
    }
    if (extends(plan, "requests")) {
        plan->requests = (uint64_t)((double)plan->requests * factor);
    } else if (extends(plan, "until")) {
        fsim_ns step_ns = plan->extend_step_ns;
        plan->until_ns = (fsim_ns)ceil((double)plan->until_ns * factor / (double)step_ns) * step_ns;
    } else if (extends(plan, "runs")) {
        plan->runs = (uint32_t)((double)plan->runs * factor);
    } else {
        return false;
    }
    plan->round++;
    return true;
}

/* The shortest useful length: the warm-up costs what it costs, the rest shrinks to the budget. False: it
 * cannot be shortened that far. */
static bool shorten(case_plan *plan) {
    double share = plan->hint > 0 ? fmin(1, (double)plan->options.budget / (double)plan->hint) : 1;
    if (plan->extend_key == NULL) {
        return plan->hint <= QUICK_GIVE_UP;
    }
    if (extends(plan, "requests")) {
        double each = (double)plan->hint / plan->runs, warmup = (double)plan->requests - each;
        plan->requests = (uint64_t)(fmax(warmup, 0) + each * share);
    } else if (extends(plan, "until") && plan->runs > 1) {
        plan->runs = plan->runs > 3 ? 3 : plan->runs;
    }
    return true;
}

/* ---- a case ---- */

/* Lets the first run say how long one is, so that many short runs and few long ones both fit a quick check.
 */
static bool run_case(case_plan *plan) {
    uint64_t arrived = 0;
    uint32_t runs = plan->runs;
    if (plan->options.quick && !shorten(plan)) {
        skip_all(plan, "too long for --quick");
        return false;
    }
    if (plan->options.quick && extends(plan, "runs")) {
        plan->runs = 1;
        if (!run_round(plan, 0, &arrived)) {
            return false;
        }
        double fit = fmax(3, (double)plan->options.budget / fmax((double)arrived, 1));
        plan->runs = runs < fit ? runs : (uint32_t)fit;
        if (!run_round(plan, 1, &arrived)) {
            return false;
        }
    } else if (!run_round(plan, 0, &arrived)) {
        return false;
    }
    estimate_all(plan);
    bool confirmed = false;
    double factor = wish(plan, &confirmed);
    while (factor > 1) {
        if (!lengthen(plan, factor, (double)arrived * plan->runs)) {
            break;
        }
        if (!run_round(plan, 0, &arrived)) {
            return false;
        }
        estimate_all(plan);
        factor = wish(plan, &confirmed);
    }
    return true;
}

static bool generate_case(case_plan *plan) {
    fsim_error err = {0};
    uint64_t rows = 0;
    plan->runs = 1;
    if (extends(plan, "until") && plan->until_ns / plan->extend_step_ns < PERIODS_MIN) {
        plan->until_ns = PERIODS_MIN * plan->extend_step_ns; /* a half width from two periods is luck */
    }
    if (plan->options.quick && plan->requests > plan->options.budget) {
        plan->requests = plan->options.budget;
    }
    bool confirmed = false;
    double factor;
    do {
        if (case_columns(plan, &rows, &err) != FSIM_OK) {
            fail_all(plan, &err);
            return false;
        }
        factor = wish(plan, &confirmed);
    } while (factor > 1 && lengthen(plan, factor, (double)rows));
    return true;
}

static void plan_value(case_value *value, const json_t *check, const json_t *expr, const json_t *expected) {
    value->expr = json_string_value(expr);
    value->number = expected;
    value->expected = json_number_value(expected);
    value->ref_err = json_number_value(json_object_get(check, "ref_err"));
}

static bool plan_check(case_plan *plan, case_check *check, const json_t *json) {
    const json_t *expr = json_object_get(json, "expr"), *expected = json_object_get(json, "expected");
    const char *id = json_string_value(json_object_get(json, "id"));
    snprintf(check->id, sizeof check->id, "%s/%s", plan->id, id != NULL ? id : "?");
    check->json = json;
    check->accept = json_object_get(json, "accept");
    check->wanted = conformance_wanted(plan->c, check->id);
    check->value_count = json_is_array(expected) ? (uint32_t)json_array_size(expected) : 1;
    if (!json_is_array(expected)) {
        plan_value(&check->values[0], json, expr, expected);
        return json_is_number(expected) && (plan->generate || json_is_string(expr));
    }
    if (check->value_count > CASE_VALUES_MAX || json_array_size(expr) != check->value_count) {
        return false;
    }
    for (uint32_t i = 0; i < check->value_count; i++) {
        plan_value(&check->values[i], json, json_array_get(expr, i), json_array_get(expected, i));
        if (check->values[i].expr == NULL || !json_is_number(check->values[i].number)) {
            return false;
        }
    }
    return true;
}

static void plan_length(case_plan *plan) {
    const json_t *precision = json_object_get(plan->json, "precision");
    const json_t *workload = json_object_get(json_object_get(plan->json, "scenario"), "workload");
    const json_t *extend = json_object_get(precision, "extend");
    const char *until = json_string_value(json_object_get(workload, "until"));
    const char *step = json_string_value(json_object_get(extend, "step"));
    json_int_t runs = json_integer_value(json_object_get(precision, "runs"));
    plan->runs = runs > 0 ? (uint32_t)runs : 1;
    plan->hint = (uint64_t)json_integer_value(json_object_get(precision, "requests"));
    plan->requests = (uint64_t)json_integer_value(json_object_get(workload, "requests"));
    plan->extend_key = json_string_value(json_object_get(extend, "key"));
    if (until == NULL || !fsim_text_parse_span(until, &plan->until_ns)) {
        plan->until_ns = FSIM_NEVER;
    }
    if (step == NULL || !fsim_text_parse_span(step, &plan->extend_step_ns)) {
        plan->extend_step_ns = FSIM_SECOND;
    }
}

void case_judge(conformance *c, const json_t *vector, const case_options *options) {
    const json_t *checks = json_object_get(vector, "check"), *scenario = json_object_get(vector, "scenario");
    const char *id = json_string_value(json_object_get(vector, "id"));
    const char *command = json_string_value(json_object_get(vector, "command"));
    case_plan plan = {.c = c, .options = *options, .json = vector, .id = id != NULL ? id : "?"};
    plan.generate = command != NULL && strcmp(command, "generate") == 0;
    plan.check_count = (uint32_t)json_array_size(checks);
    plan.checks = calloc(plan.check_count + 1u, sizeof *plan.checks);
    plan.scenario_text = json_dumps(scenario, JSON_REAL_PRECISION(17) | JSON_COMPACT);
    fsim_assert(plan.checks != NULL);
    bool wanted = false, well_formed = plan.scenario_text != NULL && plan.check_count > 0;
    for (uint32_t i = 0; i < plan.check_count; i++) {
        well_formed = plan_check(&plan, &plan.checks[i], json_array_get(checks, i)) && well_formed;
        wanted = wanted || plan.checks[i].wanted;
    }
    plan_length(&plan);
    if (!well_formed) {
        conformance_fail(c, plan.id, "a case with a scenario and checks", "something else");
    } else if (wanted && (plan.generate ? generate_case(&plan) : run_case(&plan))) {
        for (uint32_t i = 0; i < plan.check_count; i++) {
            if (plan.checks[i].wanted) {
                case_accept(c, &plan.checks[i], plan.runs);
            }
        }
    }
    for (uint32_t i = 0; i < plan.check_count; i++) {
        for (uint32_t k = 0; k < plan.checks[i].value_count; k++) {
            free(plan.checks[i].values[k].samples);
        }
    }
    free(plan.checks);
    free(plan.scenario_text);
}
