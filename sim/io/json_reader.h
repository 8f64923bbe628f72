/* JSON documents as configuration trees (base/value.h). The only reader of JSON: a double key, a syntax
 * error, a number that does not fit or nesting beyond FSIM_JSON_DEPTH_MAX is FSIM_ECONFIG at
 * file:line:column; anything deeper is the business of who reads the tree. */
#ifndef FSIM_IO_JSON_READER_H
#define FSIM_IO_JSON_READER_H

#include "base/limits.h"
#include "base/value.h"

#include <stdbool.h>

/* Reads the file ("-": standard input), packed or not. The tree's origin is the path as given. */
fsim_status fsim_json_read_file(fsim_value_pool *pool, const char *path, fsim_value **root, fsim_error *err);
/* The file, packed or not, as text, for who parses it more than once; the caller frees *text. */
fsim_status fsim_json_load_text(const char *path, char **text, fsim_error *err);
/* Reads a text; `origin` names it in messages. */
fsim_status fsim_json_read_text(fsim_value_pool *pool, const char *text, const char *origin,
                                fsim_value **root, fsim_error *err);

/* Whether the file is an object by its first bytes, whatever it is called: a brace behind a byte order mark
 * and blanks. Standard input stays as it is; what comes packed through a pipe is not looked into
 * (fsim_json_look_into). */
bool fsim_json_is_object(const char *path);
/* Keeps what comes packed through standard input ("-") in a temporary file, so that it can be looked into. */
fsim_status fsim_json_look_into(const char *path, fsim_error *err);

#endif
