/* The files that ship inside the program: bundles, price books and built-in workloads. The build turns
 * policies/bundles, policies/books and workloads/builtin into these tables, so that an installed fsim needs
 * no data folder and its results name no path. A JSON file is listed by its name without the suffix
 * ("knative"), any other file by its full name ("road-traffic.csv"). Tables are sorted by name (strcmp) and
 * end with a NULL name. */
#ifndef FSIM_IO_EMBEDDED_H
#define FSIM_IO_EMBEDDED_H

typedef struct fsim_embedded {
    const char *name;
    const char *text; /* the whole file, NUL-terminated */
} fsim_embedded;

extern const fsim_embedded fsim_embedded_bundles[];
extern const fsim_embedded fsim_embedded_books[];
extern const fsim_embedded fsim_embedded_workloads[];
extern const fsim_embedded fsim_embedded_profiles[];

#endif
