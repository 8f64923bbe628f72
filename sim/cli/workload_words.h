/* The workload of a command line: one word, or the files and folders of a public trace. */
#ifndef FSIM_CLI_WORKLOAD_WORDS_H
#define FSIM_CLI_WORKLOAD_WORDS_H

#include "cli/command.h"

/* Several words, a folder, or a file of a format that trace/trace.h knows, on standard input too: a trace.
 * Else what the first word says; a single one may be a pipe, which is read as standard input. `load` borrows
 * the words, and its settings stand already. `again`: it is read more than once (as for some settings), so
 * that a pipe is kept in a temporary file. FSIM_EIO: there is no room for that. */
fsim_status fsim_workload_words(fsim_load_options *load, const char *const *words, size_t count, bool again,
                                fsim_error *err);

/* *word is a workload that is read more than once: what comes through a pipe, standard input ("-") or one
 * that has a name, is kept in a temporary file, whose name *word becomes. FSIM_EIO as above. */
fsim_status fsim_workload_keep(const char **word, fsim_error *err);

/* `run --from A --until B`: both are instants of the trace, so the run, which begins at A, ends after B - A
 * (times the scale of time). Changes the setting that --until made; FSIM_EUSAGE when B is not after A. */
fsim_status fsim_workload_window(const fsim_parsed *parsed, fsim_error *err);

#endif
