/* What a live run says beside its summary: the figures of the prediction, and how the machine kept up. */
#ifndef FSIM_CLI_LIVE_REPORT_H
#define FSIM_CLI_LIVE_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct fsim_live_account {
    double speed_up;
    uint64_t calls, traps, deaths; /* deaths: of instances by a signal */
    double lag_mean_s, lag_max_s;  /* how late arrivals and timers were, on the machine's clock */
    bool interrupted;
    char runtime[256], last_failure[160];
} fsim_live_account;

/* Adds to the summary of the run
 *     live {runtime, speed_up, calls, traps, deaths, last_failure, lag_s {mean, max}, interrupted}
 *     prediction {PATH: {measured, predicted, error}}     for every number of the summary; error: relative,
 * or null where 0 was predicted and something else measured False: out of memory. */
bool fsim_live_report_add(json_t *summary, const json_t *predicted, const fsim_live_account *account);

void fsim_live_report_print(const json_t *summary, const fsim_live_account *account, FILE *out);

#endif
