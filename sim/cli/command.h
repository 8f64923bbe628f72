/* The commands of fsim as a table (sim/cli/main.c). A command is one file cmd_<name>.c that defines `const
 * fsim_command fsim_command_<name>`. A command prints its data on stdout through cli/output.h, notes on
 * stderr, and returns a status; main turns the status into the message and the exit code. */
#ifndef FSIM_CLI_COMMAND_H
#define FSIM_CLI_COMMAND_H

#include "cli/option.h"

#define FSIM_WORDS_MAX 65536 /* files of one trace */

typedef struct fsim_command {
    const char *name, *summary;
    const char *arguments; /* after the options in the usage line: "WORKLOAD"; "" for none */
    const char *detail;    /* paragraphs of --help */
    const char *examples;  /* one command a line; NULL */
    const fsim_option *options;
    size_t values_size;
    size_t words_min, words_max;
    fsim_status (*run)(const fsim_parsed *parsed, fsim_error *err);
} fsim_command;

/* In the order of the help; the last is NULL. */
extern const fsim_command *const fsim_commands[];

/* NULL: no such command. */
const fsim_command *fsim_command_find(const char *name);
/* The nearest command's name, or NULL. */
const char *fsim_command_nearest(const char *name);

#endif
