/* The runs behind a command: policies × replications of one workload, on all cores, priced and summarised.
 *
 * Common random numbers: replication r has the same seed under every policy, the scenario's own for r = 0 and
 * a hash of (seed, r) after it. Which thread does a run decides nothing: results are put together in the
 * order of policies and replications. */
#ifndef FSIM_CLI_RUNS_H
#define FSIM_CLI_RUNS_H

#include "cli/books.h"
#include "cli/command.h"
#include "model/run.h"
#include "report/summary_json.h"

/* One policy's share of the work. */
typedef struct fsim_policy_run {
    fsim_scenario *scenario;
    fsim_books books;
    json_t *summary;        /* over all replications; schema fsim.summary/1, brief where functions are many */
    json_t **each;          /* one summary a replication */
    fsim_result *result;    /* of replication 0 */
    fsim_invoice *invoices; /* of replication 0, one per book */
    double wall_s;          /* of all replications, on the machine's clock */
    uint64_t requests;      /* arrived, in all replications */
} fsim_policy_run;

typedef struct fsim_runs {
    fsim_policy_run *policies;
    uint32_t count;
    double wall_s;
    struct fsim_trace *trace; /* read once for all runs; NULL: there is none to share */
} fsim_runs;

typedef struct fsim_runs_options {
    bool quiet;           /* no progress bar */
    bool no_metering;     /* for measuring what metering costs */
    uint32_t threads;     /* 0: what the scenario says */
    const char *requests; /* file for one row a request; NULL. One run only */
} fsim_runs_options;

/* One scenario per name in `policies` (NULL or empty: one, as the scenario says); "all" stands for every
 * bundle of the program but "none". On failure *out needs no
 * destroy. */
fsim_status fsim_runs_load(fsim_runs *out, const fsim_load_options *load, const fsim_word_list *policies,
                           fsim_error *err);
/* One scenario from the text of a document; `origin` names it in messages. */
fsim_status fsim_runs_load_text(fsim_runs *out, const char *json, const char *origin,
                                const fsim_load_options *load, fsim_error *err);
/* Runs and fills the summaries. The first failure in the order of the runs is the one that is told.
 * Interrupted: FSIM_EIO with a message. */
fsim_status fsim_runs_execute(fsim_runs *runs, const fsim_runs_options *options, fsim_error *err);
/* Bills of a month of 30 days instead of the run. Before fsim_runs_execute. */
void fsim_runs_bill_a_month(fsim_runs *runs);
void fsim_runs_destroy(fsim_runs *runs);
/* What the reports write of each policy, borrowed: FSIM_POLICIES_MAX at most. */
void fsim_runs_records(const fsim_runs *runs, fsim_run_record *out);

/* The seed of a replication. */
uint64_t fsim_runs_seed(uint64_t seed, uint32_t replication);

#endif
