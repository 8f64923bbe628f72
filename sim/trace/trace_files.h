/* Which files a trace consists of, and which format they are. */
#ifndef FSIM_TRACE_TRACE_FILES_H
#define FSIM_TRACE_TRACE_FILES_H

#include "trace/trace_parts.h"

/* Fills t->format and t->files from files and folders (searched TRACE_DEPTH levels deep, in order of name;
 * what is of no known format in a folder is passed over). All must be of one format: else FSIM_EDATA. */
#define TRACE_DEPTH 4
fsim_status trace_find_files(fsim_trace *t, const char *base_dir, const char *const *paths, size_t count,
                             fsim_error *err);

#endif
