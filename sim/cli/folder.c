#include "cli/folder.h"

#include "io/file.h"
#include "report/plot.h"
#include "report/results_folder.h"

#include <string.h>

static bool is_off(const fsim_folder_options *options) {
    return options->out != NULL && strcmp(options->out, "none") == 0;
}

fsim_status fsim_folder_check(const fsim_folder_options *options, fsim_error *err) {
    if (options->plot && is_off(options)) {
        return fsim_fail_at(err, FSIM_EUSAGE, "--plot", "pictures need a folder, but '--out none' was given");
    }
    return FSIM_OK;
}

fsim_status fsim_folder_write(const fsim_runs *runs, const fsim_folder_options *options, fsim_error *err) {
    char path[FSIM_PATH_MAX];
    fsim_run_record records[FSIM_POLICIES_MAX];
    if (is_off(options)) {
        return FSIM_OK;
    }
    if (options->out != NULL) {
        snprintf(path, sizeof path, "%s", options->out);
    } else {
        snprintf(path, sizeof path, "results/%s", runs->policies[0].scenario->name);
    }
    fsim_runs_records(runs, records);
    FSIM_TRY(fsim_results_write(path, records, runs->count, err));
    if (options->plot) {
        FSIM_TRY(fsim_plot_folder(path, err));
    }
    if (!options->quiet) {
        fprintf(stderr, "fsim: results in %s/\n", path);
    }
    return FSIM_OK;
}
