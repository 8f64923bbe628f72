/* The folder a command leaves behind.
 *
 * One policy:                              Several:
 *     manifest.json   summary.json             summary.json    the array of their summaries
 *     timeseries.csv  functions.csv            <policy>/       a folder as on the left for each; a policy
 *     invoice.json    latency.csv                              that occurs twice becomes <policy>-2
 *     usage.json
 *
 * Pictures are added by report/plot.h. With replications,
 * summary, invoice and functions are means; manifest, time series and histogram are those of the first
 * replication.
 *
 * Equal inputs give equal bytes. Everything is written into a new folder beside the final one, which is then
 * renamed, so a failure leaves nothing under the final name. Where the folder exists already, its files are
 * replaced one by one by renaming, and files of an earlier run that this one does not have (pictures) are
 * removed; other files stay. */
#ifndef FSIM_REPORT_RESULTS_FOLDER_H
#define FSIM_REPORT_RESULTS_FOLDER_H

#include "model/result.h"
#include "report/summary_json.h"

/* `folder`: its last part is the folder, which is made with those above it. FSIM_EIO: what could not be
 * written. */
fsim_status fsim_results_write(const char *folder, const fsim_run_record *records, uint32_t count,
                               fsim_error *err);

/* The files of one policy, into any stream.
 *
 * timeseries.csv: time_s is the end of the row's span; arrived … throttled count what happened in it
 * (throttled: refused attempts, refused: requests refused for good); in_execution … instances are averages
 * over it, wanted is what the scaler asked for at its end. latency.csv: from_s <= latency < to_s of completed
 * requests, all, cold and warm; empty buckets are left out. functions.csv: a row for each function, the
 * columns are paths below functions.<name> in the summary. */
fsim_status fsim_results_timeseries(FILE *out, const fsim_result *result, fsim_error *err);
fsim_status fsim_results_latency(FILE *out, const fsim_result *result, fsim_error *err);
fsim_status fsim_results_functions(FILE *out, const fsim_run_record *record, fsim_error *err);

/* Name of the folder of the i-th policy: letters, digits and . _ - of its name, made unique. */
void fsim_results_policy_folder(json_t *const *summaries, uint32_t i, char *out, size_t size);

#endif
