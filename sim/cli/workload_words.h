/* The workload of a command line: one word, or the files and folders of a public trace. */
#ifndef FSIM_CLI_WORKLOAD_WORDS_H
#define FSIM_CLI_WORKLOAD_WORDS_H

#include "cli/command.h"

/* Several words, a folder, or a file of a format that trace/trace.h knows, on standard input too: a trace.
 * Else what the first word says. `load` borrows the words. FSIM_EIO: standard input has to be kept in a
 * temporary file, and there is no room for it. */
fsim_status fsim_workload_words(fsim_load_options *load, const char *const *words, size_t count,
                                fsim_error *err);

/* `run --from A --until B`: both are instants of the trace, so the run, which begins at A, ends after B - A
 * (times the scale of time). Changes the setting that --until made; FSIM_EUSAGE when B is not after A. */
fsim_status fsim_workload_window(const fsim_parsed *parsed, fsim_error *err);

#endif
