/* JSON documents as configuration trees (base/value.h). The only reader of JSON: a double key, a syntax
 * error, a number that does not fit or nesting beyond FSIM_JSON_DEPTH_MAX is FSIM_ECONFIG at
 * file:line:column; anything deeper is the business of who reads the tree. */
#ifndef FSIM_IO_JSON_READER_H
#define FSIM_IO_JSON_READER_H

#include "base/limits.h"
#include "base/value.h"

/* Reads the file ("-": standard input). The tree's origin is the path as given. */
fsim_status fsim_json_read_file(fsim_value_pool *pool, const char *path, fsim_value **root, fsim_error *err);
/* Reads a text; `origin` names it in messages. */
fsim_status fsim_json_read_text(fsim_value_pool *pool, const char *text, const char *origin,
                                fsim_value **root, fsim_error *err);

#endif
