/* A workload in the format of the Azure Functions trace of 2019 (spec of the data set, revision 2): for each
 * day three CSV files in a folder. What is lost: instants inside a minute, single durations. */
#ifndef FSIM_CLI_AZURE_WRITER_H
#define FSIM_CLI_AZURE_WRITER_H

#include "api/function_table.h"
#include "base/error.h"

typedef struct fsim_azure_writer fsim_azure_writer;

#define FSIM_AZURE_DAYS_MAX 90 /* by function: the files of all days are open at once */

/* The folder is made if it is not there. The files are complete under their names once they are closed.
 *
 * Arrivals of all functions come in order of time, and a day's files are closed when it is over: 6 KiB for a
 * function with requests. `by_function`: those of one function after another, each in order of time and ended
 * by fsim_azure_writer_end_function: 1 MiB for a day, whatever the number of functions, and the same bytes
 * where the functions come in the order of the table. */
fsim_status fsim_azure_writer_open(fsim_azure_writer **out, const char *directory,
                                   const fsim_function_table *table, bool by_function, fsim_error *err);
/* Durations below 0 are not known. */
fsim_status fsim_azure_writer_add(fsim_azure_writer *writer, const fsim_arrivals *batch, fsim_error *err);
/* All arrivals of the function at hand have been added. */
fsim_status fsim_azure_writer_end_function(fsim_azure_writer *writer, fsim_error *err);
/* Writes what is left; NULL allowed where nothing was opened. Returns `status` or its own. */
fsim_status fsim_azure_writer_close(fsim_azure_writer *writer, fsim_status status, fsim_error *err);

#endif
