/* JSON text written as it comes, so that a document of many functions never stands in memory as a whole. The
 * bytes are those of json_dumps: with JSON_INDENT(2) | JSON_REAL_PRECISION(12), or for a compact one with
 * JSON_COMPACT | JSON_ENSURE_ASCII. */
#ifndef FSIM_REPORT_WRITER_JSON_H
#define FSIM_REPORT_WRITER_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { FSIM_JSON_WRITER_ROOM = 1 << 13 };

/* Plain data: {.out = stream} writes with indentation, with .compact = true without. fsim_json_finish
 * says whether the document is whole; whether all of it was written, the stream. */
typedef struct fsim_json_writer {
    FILE *out;
    bool compact;
    bool filled; /* the innermost object or array has an element */
    bool keyed;  /* a key waits for its value */
    bool failed; /* a text was not UTF-8, or memory was short; the document is not whole */
    uint32_t depth;
    size_t used; /* of `text`: not written yet */
    char text[FSIM_JSON_WRITER_ROOM];
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
/* After the last: what is still kept goes out, and a last newline. False: `failed`. */
bool fsim_json_finish(fsim_json_writer *w);

#endif
