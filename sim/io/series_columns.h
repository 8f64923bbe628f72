/* The columns of a metric series and what its rows must keep; shared by the readers of its two forms. */
#ifndef FSIM_IO_SERIES_COLUMNS_H
#define FSIM_IO_SERIES_COLUMNS_H

#include "io/series_reader.h"

typedef enum fsim_series_role {
    FSIM_SERIES_TIME,
    FSIM_SERIES_INPUT,
    FSIM_SERIES_COUNT, /* requests since the row before */
    FSIM_SERIES_VALUE  /* whatever the policy reads */
} fsim_series_role;

typedef struct fsim_series_column {
    const char *name;
    fsim_series_role role;
    fsim_input input;
    bool absolute;
    double factor;   /* file to series */
    int64_t unit_ns; /* TIME: of a number; 0: told by the number, or ISO 8601 */
} fsim_series_column;

/* Says where a row (or, in JSON, a sample) stands, for messages. */
typedef void (*fsim_series_place_fn)(const void *user, size_t row, char *out, size_t size);

/* What `header` means under the options: a column of the table, or NULL with FSIM_OK where it is none and not
 * asked for. `place` is that of the header. */
fsim_status fsim_series_find(const fsim_series_column **out, const char *header,
                             const fsim_series_options *options, const char *place, fsim_error *err);

/* Every entry of options->columns begins with a known name; else FSIM_EUSAGE. */
fsim_status fsim_series_check_columns(const fsim_series_options *options, fsim_error *err);

/* Reads a time of the column; false: none. */
bool fsim_series_parse_time(const fsim_series_column *column, const char *text, size_t len, fsim_ns *out);
/* Reads a value of at least 0, times the factor. FSIM_EDATA without a place otherwise. */
fsim_status fsim_series_parse_value(const fsim_series_column *column, const char *text, size_t len,
                                    double *out, fsim_error *err);

/* The series under construction: the arrays grow together. */
typedef struct fsim_series_builder {
    fsim_metric_series series;
    size_t capacity;
    bool claimed[FSIM_INPUTS]; /* there is a column of it */
    bool has_counts;           /* values[FSIM_INPUT_RPS] are counts until the end */
} fsim_series_builder;

/* Claims the input of a column; FSIM_EDATA: another column has it. */
fsim_status fsim_series_claim(fsim_series_builder *b, const fsim_series_column *column, fsim_input input,
                              const char *place, fsim_error *err);
/* Room for one more row; FSIM_ELIMIT. */
fsim_status fsim_series_reserve(fsim_series_builder *b, fsim_error *err);
/* Order, gaps; counts become rates. */
fsim_status fsim_series_finish(fsim_series_builder *b, const fsim_series_options *options,
                               fsim_series_place_fn place, const void *user, fsim_error *err);

/* The Prometheus form, into an empty builder. */
fsim_status fsim_series_read_json(fsim_series_builder *b, const char *path,
                                  const fsim_series_options *options, fsim_error *err);

#endif
