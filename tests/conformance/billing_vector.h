/* What the kinds of vectors/billing.json share: books by id, decimal fields, money compared within 1e-9. */
#ifndef FSIM_TESTS_BILLING_VECTOR_H
#define FSIM_TESTS_BILLING_VECTOR_H

#include "verdict.h"

#include "billing/invoice.h"

typedef struct vector_book {
    fsim_value_pool *pool;
    fsim_price_book *book; /* NULL: failed, and the verdict says so */
} vector_book;

/* The book of the vector: from the file beside the vectors, else the one that ships. */
vector_book vector_book_open(verdict *v, const json_t *vector);
/* From a text. */
vector_book vector_book_parse(verdict *v, const char *text);
void vector_book_close(vector_book *b);

/* A JSON number or decimal string, exactly. False: neither. */
bool vector_ratio(const json_t *value, fsim_ratio *out);
/* A required one; 0 and a failed verdict without it. */
fsim_ratio vector_need_ratio(verdict *v, const json_t *object, const char *key);
/* value x unit as a whole number of ns. */
fsim_ns vector_need_ns(verdict *v, const json_t *value, fsim_ns unit);
/* Fails unless the two differ by at most 1e-9. */
void vector_money(verdict *v, const char *what, const json_t *expected, fsim_ratio got);
/* The same at the twelve decimals that vectors print. */
void vector_exact(verdict *v, const char *what, const json_t *expected, fsim_ratio got);

/* Kinds in files of their own. */
void billing_timeline_vector(conformance *c, const json_t *vector);
void billing_breakeven_vector(conformance *c, const json_t *vector);

#endif
