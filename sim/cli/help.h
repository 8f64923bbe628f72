/* The texts of `fsim help`, `-h` (one screen) and `--help` (everything), made from the tables of commands and
 * options. */
#ifndef FSIM_CLI_HELP_H
#define FSIM_CLI_HELP_H

#include "cli/command.h"

#include <stdio.h>

void fsim_help_program(FILE *out);
void fsim_help_command(FILE *out, const fsim_command *command, bool full);

#endif
