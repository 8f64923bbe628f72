/* The rows of `fsim bench`: what is simulated in each. */
#ifndef FSIM_CLI_BENCH_ROWS_H
#define FSIM_CLI_BENCH_ROWS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum fsim_bench_kind {
    FSIM_BENCH_BARE,     /* the bare loop; no scenario */
    FSIM_BENCH_SCENARIO, /* a run of `scenario` with `requests` arrivals */
    FSIM_BENCH_CSV,      /* the same from a trace written beforehand */
    FSIM_BENCH_FST_READ, /* the arrivals of a columnar trace, without a simulation */
    FSIM_BENCH_FST,      /* a run of `scenario` from a columnar trace */
    FSIM_BENCH_CONVERT,  /* a CSV trace into a columnar one */
    FSIM_BENCH_TRACE,    /* a run of `scenario`, all of it, on the public trace `needs` */
    FSIM_BENCH_HELLO     /* the command itself on a small trace */
} fsim_bench_kind;

typedef struct fsim_bench_row {
    const char *name, *summary;
    fsim_bench_kind kind;
    uint64_t requests;
    const char *scenario; /* JSON */
    const char *needs;    /* skipped where this is not there; NULL: nothing */
    bool no_metering;
    bool only_long;
} fsim_bench_row;

/* The last has name NULL; the bare loop is the first. */
extern const fsim_bench_row fsim_bench_rows[];

/* The least that any simulator of this kind must do for a request: draw a gap and a service time (in blocks),
 * take an idle instance from a stack or make one, put its completion into the event queue, and take it out
 * again. Returns a digest, so that the work cannot be optimised away. */
uint64_t fsim_bench_bare_loop(uint64_t requests);

#endif
