/* Rows of a trace in order of arrival: files one after another, sorted in a window, options applied. */
#ifndef FSIM_TRACE_ROW_WINDOW_H
#define FSIM_TRACE_ROW_WINDOW_H

#include "trace/trace_parts.h"

fsim_status trace_rows_open(fsim_trace *t, const char *base_dir, const char *const *paths, size_t count,
                            fsim_error *err);
void trace_rows_close(fsim_trace *t);

#endif
