/* manifest.json, schema fsim.manifest/1: what a result was made from, enough to make it again.
 *
 *     schema, name, policy, seed, version      of fsim
 *     input_sha256                             of the scenario and its files together
 *     inputs [{file, bytes, sha256}]           the files that the scenario names, as sha256sum prints them;
 *                                              of the folder of a trace those that are read, in order of name
 *     scenario                                 the effective one in full, defaults and bundle included
 *
 * No clock, no host, no folder: a file stands there by its name alone, one of a trace's folder by its path in
 * it. run.threads is left out, because results do not depend on it. What is no regular file (standard input,
 * a file inside the program) has no hash. */
#ifndef FSIM_REPORT_MANIFEST_JSON_H
#define FSIM_REPORT_MANIFEST_JSON_H

#include "model/result.h"

#include <jansson.h>

/* The array "inputs", each file once. Reads one as often as it is named, 5 ns a byte: do it once for all
 * policies of a command. NULL: no memory. */
json_t *fsim_manifest_inputs(const fsim_scenario *scenario);
void fsim_manifest_inputs_free(json_t *inputs); /* NULL allowed */

/* The document as text, without a final newline; the caller frees it. NULL: no memory. */
char *fsim_manifest_dump(const fsim_scenario *scenario, const fsim_result *result, json_t *inputs);

/* invoice.json, schema fsim.invoice/1: {schema, name, policy, bills}, from a summary. NULL: no memory. */
char *fsim_invoice_dump(const json_t *summary);

#endif
