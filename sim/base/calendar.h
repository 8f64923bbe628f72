/* Dates to instants: ISO 8601 as in logs and exports, to Unix time. */
#ifndef FSIM_BASE_CALENDAR_H
#define FSIM_BASE_CALENDAR_H

#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>

/* "2026-08-21T09:30:00.250+02:00": the date and the time of day apart by "T" or a blank, seconds and their
 * fraction optional, then "Z", an offset (+02:00, +0200, +02) or nothing, which means UTC. Unix time in ns,
 * exact; leap seconds do not exist in it. False: no such date, or outside 1970 to 2262. */
bool fsim_calendar_parse(const char *text, size_t len, fsim_ns *unix_ns);

#endif
