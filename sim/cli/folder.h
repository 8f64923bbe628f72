/* The results folder of a command that runs: written, drawn, and announced. */
#ifndef FSIM_CLI_FOLDER_H
#define FSIM_CLI_FOLDER_H

#include "cli/runs.h"

typedef struct fsim_folder_options {
    const char *out; /* --out: NULL is results/<name>, "none" writes nothing */
    bool plot, quiet;
} fsim_folder_options;

/* "--plot" with "--out none" is FSIM_EUSAGE: said before anything runs. */
fsim_status fsim_folder_check(const fsim_folder_options *options, fsim_error *err);
/* Writes what fsim_runs_execute has filled. */
fsim_status fsim_folder_write(const fsim_runs *runs, const fsim_folder_options *options, fsim_error *err);

#endif
