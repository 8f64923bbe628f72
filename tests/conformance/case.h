/* Validity cases, schema fsim.case/1 (contract additions, section 3): a scenario and what must come out of
 * it. Used by main.c; one check, one verdict.
 *
 * A check that is judged by statistics needs runs long enough for its half width to mean something. The
 * driver lengthens them by the case's own `extend` rule, up to a budget in requests (never in seconds: the
 * same command gives the same verdicts on every machine). What is still too wide then is judged all the same
 * - the interval is honest, only less sharp - and the verdict says so. *
 * Ten runs give a half width that is itself uncertain: of the some 200 checks one in five times one fails by
 * chance. A case that fails is therefore run once more, with other seeds and longer; that verdict counts. A
 * real disagreement fails again.
 */
#ifndef FSIM_TESTS_CASE_H
#define FSIM_TESTS_CASE_H

#include "conformance.h"

#include "io/scenario_load.h"

#include <stddef.h>
#include <stdint.h>

#define CASE_BUDGET 2000000u

typedef struct case_options {
    bool quick;       /* bounded length, no lengthening: minutes become seconds */
    uint64_t budget;  /* quick: requests of one case, warm-up not counted */
    uint32_t threads; /* 0: one per core */
} case_options;

#define CASE_VALUES_MAX 64 /* elements of one check's list */

/* One number under test: a check, or one element of its list. */
typedef struct case_value {
    const char *expr;     /* run: what to evaluate; NULL in generate */
    const json_t *number; /* the expected one */
    double expected, ref_err;
    double *samples; /* one a run; generate: none */
    double mean, half_width;
} case_value;

typedef struct case_check {
    char id[160]; /* "case/check" */
    const json_t *json, *accept;
    bool wanted;
    uint32_t value_count;
    case_value values[CASE_VALUES_MAX];
} case_check;

typedef struct case_plan {
    conformance *c;
    case_options options;
    const char *id;
    const json_t *json;
    char *scenario_text; /* the scenario as JSON, parsed anew for every run: a run's tree is its own */
    bool generate;
    uint32_t check_count;
    case_check *checks;
    uint32_t runs, runs_room;
    uint32_t round;         /* lengthenings so far: seeds of a new round are new */
    uint64_t hint;          /* requests in all runs together; 0: not said */
    const char *extend_key; /* NULL: as it is */
    fsim_ns extend_step_ns; /* of a key that is an instant */
    uint64_t requests;      /* scenario: workload.requests; 0: none */
    fsim_ns until_ns;       /* scenario: workload.until; FSIM_NEVER: none */
} case_plan;

/* Judges all wanted checks of one case. */
void case_judge(conformance *c, const json_t *vector, const case_options *options);

/* The scenario of one run, with the plan's length and the seed set. Destroy with fsim_scenario_destroy. */
fsim_status case_scenario(fsim_scenario **out, const case_plan *plan, uint64_t seed, fsim_error *err);

/* case_accept.c: the verdict of one check over `runs` samples of each value; and the same without saying it.
 */
bool case_holds(const case_check *check, uint32_t runs);
void case_accept(conformance *c, const case_check *check, uint32_t runs);
/* Mean and Student 95 % half width of n samples; INFINITY for n = 1. */
void case_estimate(const double *samples, uint32_t n, double *mean, double *half_width);
/* How many times longer a run has to be until `check` is narrow enough; <= 1: it is. */
double case_lacks(const case_check *check);

/* case_columns.c: the columns of a generated workload. Fills mean and half_width of every wanted check;
 * *rows: how many there were. */
fsim_status case_columns(case_plan *plan, uint64_t *rows, fsim_error *err);

#endif
