/* JSON text written as it comes, so that a document of many functions never stands in memory as a whole. The
 * bytes are those of json_dumps: with JSON_INDENT(2) | JSON_REAL_PRECISION(12), or for a compact one with
 * JSON_COMPACT | JSON_ENSURE_ASCII. */
#ifndef FSIM_REPORT_WRITER_JSON_H
#define FSIM_REPORT_WRITER_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Plain data: {.out = stream} writes with indentation, with .compact = true without. Nothing is kept back
 * beside what the stream does. Whether the document is whole is asked in the end: of `failed`, and of the
 * stream. */
typedef struct fsim_json_writer {
    FILE *out;
    bool compact;
    bool filled; /* the innermost object or array has an element */
    bool keyed;  /* a key waits for its value */
    bool failed; /* a text was not UTF-8, or memory was short; the document is not whole */
    uint32_t depth;
} fsim_json_writer;

/* An object '{' or array '[', which is an element of the one around it if there is one; its end '}' or ']'.
 */
void fsim_json_begin(fsim_json_writer *w, char bracket);
void fsim_json_end(fsim_json_writer *w, char bracket);
/* In an object, before each value. UTF-8. */
void fsim_json_key(fsim_json_writer *w, const char *key);
/* Values: of the key before, or the next element of an array. */
void fsim_json_integer(fsim_json_writer *w, int64_t value);
void fsim_json_real(fsim_json_writer *w, double value);
void fsim_json_string(fsim_json_writer *w, const char *text);
void fsim_json_tree(fsim_json_writer *w, const json_t *value);

#endif
