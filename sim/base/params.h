/* Parameters of a policy as a table: one row gives parsing, default, range check, error message and help
 * text. */
#ifndef FSIM_BASE_PARAMS_H
#define FSIM_BASE_PARAMS_H

#include "base/distribution.h"
#include "base/value.h"

typedef enum fsim_param_kind {
    FSIM_PARAM_SPAN,   /* fsim_ns; null or "none" is FSIM_NEVER where `off` is true */
    FSIM_PARAM_DIST,   /* fsim_dist; a span is a constant; null is a constant FSIM_NEVER where `off` */
    FSIM_PARAM_COUNT,  /* int64_t; null is INT64_MAX where `off` */
    FSIM_PARAM_REAL,   /* double */
    FSIM_PARAM_BOOL,   /* bool */
    FSIM_PARAM_SIZE,   /* int64_t bytes; null is INT64_MAX where `off` */
    FSIM_PARAM_CHOICE, /* int: index into `choices` */
    FSIM_PARAM_TEXT /* const char *: what a policy reads itself, refused by its check; null is "" where `off`.
                       Lives as long as the pool */
} fsim_param_kind;

/* The last row of a table has name NULL. */
typedef struct fsim_param {
    const char *name;
    fsim_param_kind kind;
    size_t offset;        /* of the field in the params struct */
    const char *fallback; /* default as text, as one would write it in JSON or --set; NULL: required */
    double min, max;      /* inclusive; spans in seconds; both 0: no bound but the type's */
    bool off;             /* null / "none" allowed */
    const char *unit, *help;
    const char *const *choices;
    const char *word; /* COUNT: a word that may stand beside a number, read as FSIM_PARAM_WORD; NULL: none */
} fsim_param;

#define FSIM_PARAM_WORD INT64_C(-1)

/* Reads `object` (NULL: all defaults) into `params`; keys "name" and those of the table are marked used,
 * unknown ones refused with the nearest name. */
fsim_status fsim_params_read(void *params, const fsim_param *table, fsim_value_pool *pool,
                             const fsim_value *object, const char *base_dir, fsim_error *err);

/* The table of a policy without parameters. */
extern const fsim_param fsim_params_none[];

/* Puts the fallback of each row that `object` lacks into it, with origin "default", so that the effective
 * tree shows every parameter. */
void fsim_params_fill(const fsim_param *table, fsim_value_pool *pool, fsim_value *object);

#endif
