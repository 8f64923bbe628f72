/* The progress bar: one line on stderr, only on a terminal, only after a second, with the time that is left.
 * Any thread may report. */
#ifndef FSIM_CLI_PROGRESS_H
#define FSIM_CLI_PROGRESS_H

#include "base/time.h"

#include <pthread.h>
#include <stdbool.h>

typedef struct fsim_progress_run {
    double share; /* 0..1; -1: unknown */
    fsim_ns now_ns;
    uint64_t arrived;
} fsim_progress_run;

typedef struct fsim_progress {
    pthread_mutex_t lock;
    bool on, drawn;
    double started_s, drawn_s; /* on the machine's clock */
    fsim_progress_run *runs;
    uint32_t count;
} fsim_progress;

/* `count` runs in all; `quiet` draws nothing. False: out of memory. */
bool fsim_progress_begin(fsim_progress *progress, uint32_t count, bool quiet);
void fsim_progress_update(fsim_progress *progress, uint32_t run, fsim_progress_run state);
/* Wipes the line. */
void fsim_progress_end(fsim_progress *progress);

/* Seconds of the machine's monotonic clock: progress, bench and --provenance only, never a result. */
double fsim_progress_clock_s(void);
/* Seconds of processor time of this process. */
double fsim_progress_cpu_s(void);
/* Highest resident memory of this process so far. */
double fsim_progress_peak_rss_mb(void);

#endif
