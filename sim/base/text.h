/* Text of quantities: parse and print spans ("250ms"), sizes ("1.5GB"), counts ("2M"), and find the nearest
 * name. */
#ifndef FSIM_BASE_TEXT_H
#define FSIM_BASE_TEXT_H

#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A decimal number followed by a unit ns us ms s m (or min) h d w; no sign, no blanks. Exact to the
 * nanosecond: digits beyond it are rounded half up, no floating point is used. "0" alone is allowed. False:
 * not a span, or beyond 292 years. */
bool fsim_text_parse_span(const char *text, fsim_ns *out);
/* A decimal number and a unit B KB MB GB TB (1024 steps; KiB MiB GiB TiB the same). */
bool fsim_text_parse_size(const char *text, int64_t *bytes);
/* A whole number with an optional unit k M G (1000 steps): "100k". */
bool fsim_text_parse_count(const char *text, int64_t *count);
/* A plain decimal ("12", "0.5", "1e-3"), the whole text, finite. The locale plays no part. */
bool fsim_text_parse_real(const char *text, double *out);
/* Decimal seconds (or another unit of `unit_ns` nanoseconds) to nanoseconds exactly, half up; only digits,
 * one point and an exponent; `len` characters. */
bool fsim_text_parse_scaled_ns(const char *text, size_t len, int64_t unit_ns, fsim_ns *out);

/* Shortest exact spelling with a unit: "1.5s", "10m", "0s"; FSIM_NEVER is "none". */
void fsim_text_print_span(fsim_ns span, char *out, size_t size);
/* Three significant digits for people: "12.3 ms", "4 min 5 s". */
void fsim_text_human_span(double seconds, char *out, size_t size);
/* "1,234,567". */
void fsim_text_grouped(int64_t value, char *out, size_t size);

/* The nearest of `names` (NULL-terminated) to `text` by edit distance, or NULL when nothing is near (more
 * than a third of its letters differ). */
const char *fsim_text_nearest(const char *text, const char *const *names);

#endif
