/* What scalers decide on, by name, and a recording of it: rows of metrics of one function over time.
 *
 * The names are the columns that `fsim decide` reads, and what a scaling policy says it reads
 * (fsim_scale_plan.reads). Values are finite and >= 0. */
#ifndef FSIM_API_METRIC_SERIES_H
#define FSIM_API_METRIC_SERIES_H

#include "base/error.h"
#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum fsim_input {
    FSIM_INPUT_CONCURRENCY, /* requests in execution; those that wait too, where no queue is given */
    FSIM_INPUT_RPS,         /* requests that arrive, a second */
    FSIM_INPUT_QUEUE,       /* requests or messages that wait */
    FSIM_INPUT_CPU,         /* in use, mean of the ready instances: % of the vCPU of one */
    FSIM_INPUT_MEMORY,      /* in use, mean of the ready instances: % of the memory of one */
    FSIM_INPUT_READY,       /* instances that are ready */
    FSIM_INPUT_REPLICAS,    /* instances that are asked for */
    FSIM_INPUTS
} fsim_input;

#define FSIM_INPUT_BIT(input) (UINT32_C(1) << (input))

/* "concurrency", "rps" …; ends with NULL. */
extern const char *const fsim_input_names[FSIM_INPUTS + 1];

/* Rows in time order; a row describes the function at its instant, and holds until the next one. */
typedef struct fsim_metric_series {
    size_t rows;
    fsim_ns *at_ns;              /* strictly ascending; in the clock of the recording, such as Unix time */
    double *values[FSIM_INPUTS]; /* one array of `rows` values for each input; NULL: not recorded */
    bool absolute[FSIM_INPUTS];  /* CPU: vCPU in use by all instances together; MEMORY: MB in one instance */
} fsim_metric_series;

/* What the values of an input are called: "cpu", "cpu_cores" or "memory_mb" where they are absolute. */
const char *fsim_metric_series_name(const fsim_metric_series *series, fsim_input input);

/* Frees the arrays. */
void fsim_metric_series_destroy(fsim_metric_series *series);

#endif
