/* Requests of the plain way that have begun or ended and are not in the statistics yet, and active intervals
 * that are not in the meters yet. What is done for each of them is the same, so it is done for some hundred
 * together in short loops, away from the events: nobody reads tallies and meters in between
 * (engine_fold settles first). Sums only, so the order is of no account. */
#ifndef FSIM_MODEL_ENGINE_LEDGER_H
#define FSIM_MODEL_ENGINE_LEDGER_H

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

enum { LEDGER_ROWS = 128 };

/* Completed, having begun at its arrival, warm. */
typedef struct ledger_direct {
    uint64_t span_ns;
    uint32_t fn;
    uint32_t bucket; /* of a histogram */
} ledger_direct;

/* Completed, having waited or been cold. */
typedef struct ledger_end {
    fsim_ns arrival_ns, start_ns, end_ns;
    uint32_t fn;
    bool cold;
} ledger_end;

/* Begun after having waited. */
typedef struct ledger_begin {
    fsim_ns wait_ns;
    uint32_t fn;
    bool cold;
} ledger_begin;

/* An instance was busy. */
typedef struct ledger_active {
    uint64_t span_ns;
    uint32_t fn;
} ledger_active;

/* Each list has room for one row more at any time. */
typedef struct ledger {
    uint32_t direct_count, waited_count, begun_count, active_count;
    ledger_direct direct[LEDGER_ROWS];
    ledger_end waited[LEDGER_ROWS];
    ledger_begin begun[LEDGER_ROWS];
    ledger_active active[LEDGER_ROWS];
} ledger;

#endif
