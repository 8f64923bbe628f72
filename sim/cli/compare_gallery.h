/* fsim compare with several workloads: each under every policy, one table, one picture. */
#ifndef FSIM_CLI_COMPARE_GALLERY_H
#define FSIM_CLI_COMPARE_GALLERY_H

#include "cli/folder.h"
#include "report/report.h"

typedef struct fsim_gallery_options {
    const char **workloads;
    uint32_t workload_count; /* 2..FSIM_GALLERY_WORKLOADS_MAX */
    fsim_word_list policies;
    fsim_runs_options how;
    fsim_folder_options folder; /* default folder: results/<workload>+<workload>, one inside for each
                                                    workload; --plot draws the gallery alone */
    fsim_report_format format;
    bool month; /* bills of a month of 30 days */
} fsim_gallery_options;

/* `load` is that of a single workload; its workload is replaced. */
fsim_status fsim_compare_gallery(const fsim_gallery_options *options, const fsim_load_options *load,
                                 fsim_error *err);

#endif
