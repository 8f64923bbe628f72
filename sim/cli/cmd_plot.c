/* fsim plot: pictures of a results folder. */
#include "cli/command.h"
#include "report/plot.h"

static const fsim_option options[] = {{.name = NULL}};

static fsim_status run_plot(const fsim_parsed *parsed, fsim_error *err) {
    return fsim_plot_folder(parsed->words[0], err);
}

const fsim_command fsim_command_plot = {
    .name = "plot",
    .summary = "pictures of a results folder, by gnuplot",
    .arguments = "DIR",
    .detail =
        "Draws, as SVG and PNG beside the data: instances and demand over time, latency with cold and warm\n"
        "requests apart, refusals over time, bills side by side. The same as --plot of run and compare.\n",
    .examples = "fsim car-log && fsim plot results/car-log",
    .options = options,
    .words_min = 1,
    .words_max = 1,
    .run = run_plot,
};
