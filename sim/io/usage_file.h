/* Reads what a run has metered (usage.json of a results folder, schema fsim.usage/1). */
#ifndef FSIM_IO_USAGE_FILE_H
#define FSIM_IO_USAGE_FILE_H

#include "base/value.h"
#include "billing/quantity.h"

/* plan, functions, hours and nodes of `run` belong to the pool. FSIM_ECONFIG says what does not fit. */
fsim_status fsim_usage_file_read(fsim_metered_run *run, fsim_value_pool *pool, const fsim_value *root,
                                 fsim_error *err);

#endif
