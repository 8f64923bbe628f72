/* What `fsim validate` compares: scenarios for which theory knows the answer. */
#ifndef FSIM_CLI_VALIDATE_CASES_H
#define FSIM_CLI_VALIDATE_CASES_H

#include "cli/load_options.h"
#include "cli/runs.h"

#define FSIM_VALIDATE_CHECKS_MAX 6

typedef struct fsim_validate_check {
    const char *metric;      /* for people; NULL: the end */
    const char *expression;  /* over the summary */
    double (*predict)(void); /* NULL: `expected` */
    double expected;
    bool exact; /* not a random quantity */
} fsim_validate_check;

typedef struct fsim_validate_case {
    const char *name, *model;
    const char *scenario; /* JSON */
    fsim_validate_check checks[FSIM_VALIDATE_CHECKS_MAX];
} fsim_validate_case;

/* The last has name NULL. */
extern const fsim_validate_case fsim_validate_cases[];

#endif
