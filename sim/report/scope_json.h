/* What a summary says of a scope, the run as a whole or a function: one list of keys and values for whoever
 * wants them as a tree, as text or as cells of a table. Here integers become rates and seconds. */
#ifndef FSIM_REPORT_SCOPE_JSON_H
#define FSIM_REPORT_SCOPE_JSON_H

#include "model/result.h"

#include <jansson.h>

/* Where the keys and values go, in their order. */
typedef struct fsim_scope_sink {
    void (*open)(struct fsim_scope_sink *sink,
                 const char *key); /* an object; those up to its end are in it */
    void (*close)(struct fsim_scope_sink *sink);
    void (*integer)(struct fsim_scope_sink *sink, const char *key, uint64_t value);
    void (*real)(struct fsim_scope_sink *sink, const char *key, double value);
    void (*reals)(struct fsim_scope_sink *sink, const char *key, const double *value, uint32_t count);
} fsim_scope_sink;

/* What every scope of a run is divided by. */
typedef struct fsim_scope_frame {
    const fsim_scenario *scenario;
    double horizon_ns;
} fsim_scope_frame;

void fsim_scope_visit(const fsim_scope_frame *frame, const fsim_scope *scope, fsim_scope_sink *sink);

/* The same as a tree; NULL: no memory. */
json_t *fsim_scope_json(const fsim_scope_frame *frame, const fsim_scope *scope);

/* a / b, and 0 where there is nothing to divide by: no summary ever holds a NaN. */
static inline double fsim_scope_ratio(double a, double b) {
    return b > 0 ? a / b : 0;
}

#endif
