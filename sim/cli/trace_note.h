/* What was left out of a trace, for people. */
#ifndef FSIM_CLI_TRACE_NOTE_H
#define FSIM_CLI_TRACE_NOTE_H

#include "trace/trace.h"

#include <stdio.h>

/* A line for each reason: rows, requests and their share of all; nothing when nothing was left out. `kept`:
 * the requests that stay. */
void fsim_trace_note(FILE *out, const fsim_trace_facts *facts, uint64_t kept);

#endif
