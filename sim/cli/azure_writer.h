/* A workload in the format of the Azure Functions trace of 2019 (spec of the data set, revision 2): for each
 * day three CSV files in a folder. What is lost: instants inside a minute, single durations. */
#ifndef FSIM_CLI_AZURE_WRITER_H
#define FSIM_CLI_AZURE_WRITER_H

#include "api/function_table.h"
#include "base/error.h"

typedef struct fsim_azure_writer fsim_azure_writer;

/* The folder is made if it is not there. Memory: 6 KiB for a function with requests, and day by day. */
fsim_status fsim_azure_writer_open(fsim_azure_writer **out, const char *directory,
                                   const fsim_function_table *table, fsim_error *err);
/* Durations below 0 are not known. Days that are over are written. */
fsim_status fsim_azure_writer_add(fsim_azure_writer *writer, const fsim_arrivals *batch, fsim_error *err);
/* Writes the last day; NULL allowed where nothing was opened. Returns `status` or its own. */
fsim_status fsim_azure_writer_close(fsim_azure_writer *writer, fsim_status status, fsim_error *err);

#endif
