/* fsim-conformance runs recorded vectors (tests/vectors, and any folder of the same schemas) through the
 * library and says for each whether the library agrees:
 *
 *     PASS kpa-010
 *     FAIL zs-004 expected scale 1, got scale 0
 *     SKIP xyz-1 unknown kind "xyz"
 *     41 passed, 1 failed, 1 skipped
 *
 * main.c owns the files, the filter and the counters; each <system>_kinds.c owns the layouts of one system
 * and exports a table of them. A layout is found by the vector's "kind"; entries of validity_other.json have
 * none and are found by "model", then by "group:<letter>".
 *
 * A kind's run function reports one verdict per vector, by one of pass, fail or skip. It must not crash on a
 * vector that lacks a field: a missing or mistyped field is a failure of that vector. */
#ifndef FSIM_TESTS_CONFORMANCE_H
#define FSIM_TESTS_CONFORMANCE_H

#include <jansson.h>
#include <stdbool.h>

typedef struct conformance conformance; /* counters, filter and output; owned by main.c */

/* False when the user's --filter leaves this vector out. main.c asks it before calling `run`. */
bool conformance_wanted(conformance *c, const char *id);
void conformance_pass(conformance *c, const char *id);
/* The same with a word on how sure the verdict is; "" for none. */
void conformance_pass_with(conformance *c, const char *id, const char *remark);
/* `expected` and `got` are finished texts, formatted by the caller. */
void conformance_fail(conformance *c, const char *id, const char *expected, const char *got);
/* For what cannot be judged, with the reason; never for a disagreement. */
void conformance_skip(conformance *c, const char *id, const char *reason);
/* The verdict of a vector that is one number: passes when |got - expected| <= tolerance. True: it passed. */
bool conformance_check_number(conformance *c, const char *id, double expected, double got, double tolerance);

/* A price book of the file that the vectors' file names under "pricebooks_file", by id; NULL: none. */
const json_t *conformance_book(const conformance *c, const char *id);

typedef struct conformance_kind {
    const char *kind; /* "kpa_decision"; or a model, or "group:g" */
    void (*run)(conformance *c, const json_t *vector);
} conformance_kind;

/* Tables end with {NULL, NULL}. */
extern const conformance_kind knative_kinds[];
extern const conformance_kind billing_kinds[];
extern const conformance_kind billing_vector_kinds[];
extern const conformance_kind identity_kinds[];
extern const conformance_kind keepalive_kinds[];
extern const conformance_kind aws_kinds[];
extern const conformance_kind hpa_kinds[];
extern const conformance_kind keda_kinds[]; /* and OpenFaaS */

#endif
