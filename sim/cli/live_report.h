/* What a live run says beside its summary: the figures of the prediction, and how the machine kept up. */
#ifndef FSIM_CLI_LIVE_REPORT_H
#define FSIM_CLI_LIVE_REPORT_H

#include "cli/live_driver.h"
#include "cli/live_stalls.h"

#include <jansson.h>
#include <stdio.h>

typedef struct fsim_live_account {
    double speed_up;
    uint64_t calls, traps, deaths,
        cut;                /* deaths: of instances by a signal; cut: by the function's time-out */
    fsim_live_spans *parts; /* of the driver, which must still be there */
    double others, stolen;  /* fsim_live_driver_shares */
    const fsim_live_stalls *stalls;
    bool disturbed; /* there is a prediction with them */
    bool interrupted;
    char runtime[256], last_failure[160];
} fsim_live_account;

/* Adds to the summary of the run
 *     live {runtime, speed_up, calls, traps, deaths, cut, last_failure, interrupted,
 *           others, stolen,         shares of the machine's CPU time that went elsewhere; -1: unknown
 *           stalls {known, count, share, longest_s},   of cores that stood still
 *           path_s {late, line, wake, call, back: {mean, p50, p99, max}}}   fsim_live_part, machine's clock
 *     prediction {PATH: {measured, predicted, error, with_stalls, error_with_stalls}}
 *                                   for every number of the summary; errors are relative, or null where 0 was
 *                                   predicted and something else measured
 * `disturbed`: the summary of the prediction with the stalls; NULL: there is none, and its two keys are null.
 * False: out of memory. */
bool fsim_live_report_add(json_t *summary, const json_t *predicted, const json_t *disturbed,
                          const fsim_live_account *account);

void fsim_live_report_print(const json_t *summary, const fsim_live_account *account, FILE *out);

#endif
