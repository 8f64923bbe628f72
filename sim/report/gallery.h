/* Several workloads under several policies, side by side: a table and a picture with a line for each policy.
 *
 * records and summaries [w * policies + p] are those of workload w under policy p. */
#ifndef FSIM_REPORT_GALLERY_H
#define FSIM_REPORT_GALLERY_H

#include "report/report.h"

/* For each workload: cold requests, p99 of the wait, instances on average and idle ones of them, refused
 * requests, and the cost by the first book. JSON is the array of summaries; CSV has a row for each pair. */
fsim_status fsim_gallery_write(FILE *out, fsim_report_format format, const fsim_run_record *records,
                               uint32_t workloads, uint32_t policies, fsim_error *err);

/* folder/gallery.svg and .png: busy and idle instances over time, from the results of the runs at
 * folder/<workload>/<policy>/. FSIM_EIO as fsim_plot_folder. */
fsim_status fsim_gallery_plot(const char *folder, json_t *const *summaries, uint32_t workloads,
                              uint32_t policies, fsim_error *err);

#endif
