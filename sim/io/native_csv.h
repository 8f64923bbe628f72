/* The header of the native CSV traces: which column is where, and how its cells are read. One list of names
 * for everybody who reads them. */
#ifndef FSIM_IO_NATIVE_CSV_H
#define FSIM_IO_NATIVE_CSV_H

#include "io/csv_reader.h"

#include <stdbool.h>

typedef enum fsim_native_role {
    FSIM_NATIVE_ARRIVAL, /* a request trace: one row a request */
    FSIM_NATIVE_FUNCTION,
    FSIM_NATIVE_DURATION,
    FSIM_NATIVE_CPU,
    FSIM_NATIVE_MEMORY,
    FSIM_NATIVE_SESSION,
    FSIM_NATIVE_VERSION,
    FSIM_NATIVE_TIME, /* a rate trace: one row a bucket */
    FSIM_NATIVE_REQUESTS,
    FSIM_NATIVE_RPS,
    FSIM_NATIVE_ROLES
} fsim_native_role;

#define FSIM_NATIVE_ABSENT SIZE_MAX

typedef struct fsim_native_header {
    size_t field[FSIM_NATIVE_ROLES]; /* of each role, or FSIM_NATIVE_ABSENT */
    /* Unit and meaning of each role that is there; when_empty is FSIM_CSV_REQUIRED, and functions, sessions
     * and versions lack the `name` that reads them. */
    fsim_csv_binding binding[FSIM_NATIVE_ROLES];
    bool is_rates;
} fsim_native_header;

/* Understands the header of an open file. FSIM_EDATA: a column that is none of ours (with the nearest), twice
 * the same, or of both formats. */
fsim_status fsim_native_read_header(fsim_native_header *out, const fsim_csv *csv, fsim_error *err);

/* Whether the file, packed or not, begins with the header of a rate trace; false where it cannot be looked
 * into. "-" is standard input, of which nothing is taken. */
bool fsim_native_is_rates_at(const char *base_dir, const char *path);

/* The failure of a row that arrives before the one in front of it. */
fsim_status fsim_native_fail_order(const fsim_native_header *header, const fsim_csv *csv, uint64_t line,
                                   int64_t at_ns, int64_t before_ns, fsim_error *err);

#endif
