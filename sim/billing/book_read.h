/* Small readers that the parts of the price-book loader share (billing/price_book.h is the interface). Errors
 * are FSIM_ECONFIG and name the place. */
#ifndef FSIM_BILLING_BOOK_READ_H
#define FSIM_BILLING_BOOK_READ_H

#include "base/decimal.h"
#include "base/value.h"
#include "billing/price_book.h"

/* Accepts keys that inform people and have no part in the arithmetic. NULL-terminated. */
void fsim_book_skip_notes(const fsim_value *object, const char *const *keys);
/* A decimal string >= 0 with at most 12 decimals; absent: *out stays. `found` may be NULL. */
fsim_status fsim_book_get_pico(const fsim_value *object, const char *key, fsim_i128 *out, bool *found,
                               fsim_error *err);
fsim_status fsim_book_get_ratio(const fsim_value *object, const char *key, fsim_ratio *out, fsim_error *err);
/* A whole number of at least `min`. */
fsim_status fsim_book_get_count(const fsim_value *object, const char *key, uint64_t min, uint64_t *out,
                                fsim_error *err);
fsim_status fsim_book_need_string(const fsim_value *object, const char *key, const char **out,
                                  fsim_error *err);
fsim_status fsim_book_need_array(const fsim_value *value, size_t max, fsim_error *err);
/* "with_first (docs: …)" begins with the word "with_first". */
bool fsim_book_word(const char *text, const char *word);

/* price_book_metering.c: the object under "metering". */
fsim_status fsim_book_read_metering(const fsim_value *root, fsim_metering *m, fsim_error *err);

#endif
